"""Between the supports of a model's sites and unconstrained space."""
from ...distributions import biject_to
from ...engine import numpy as np
from ..model import Points, stage_model
from .batches import over_batch


def constrain_fn(model, model_args, model_kwargs, params, return_deterministic=False, *, batch_ndims=0):
    """{site: value in its support} of unconstrained values: each site's bijection, which may depend on sites before it.

    params : {site: unconstrained value} of all latent sites, and of params
    return_deterministic : the deterministic sites at these values too
    batch_ndims : the number of batch axes in front of the values; a value without them is shared
    Raises SiteError for a latent site that has no value.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     low = cr.sample("low", dist.Normal(0.0, 1.0))
    ...     cr.sample("x", dist.Uniform(low, low + 2.0))
    >>> {k: float(v) for k, v in constrain_fn(model, (), {}, {"low": 5.0, "x": 0.0}).items()}
    {'low': 5.0, 'x': 6.0}
    """
    program, data = stage_model(model, model_args, model_kwargs)

    def run(z):
        sites = program.record(Points(None, z, True), data)
        return {k: s.value for k, s in sites.items()
                if k in params or return_deterministic and s.kind == "deterministic"}

    return over_batch(run, params, _free_shapes(program, data) if batch_ndims else {}, batch_ndims)


def _free_shapes(program, data):
    """{site or param: shape of its unconstrained value}."""
    return program.on_types(data, lambda sites: {
        k: biject_to(s.fn.support).inverse_shape(s.value.shape) for k, s in sites.items()
        if s.kind == "param" or s.kind == "sample" and not s.observed and not s.fn.is_discrete})


def unconstrain_fn(model, model_args, model_kwargs, params, *, batch_ndims=0):
    """{site: unconstrained value} of values in the sites' supports: the inverse of `constrain_fn`.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     cr.sample("s", dist.HalfNormal(1.0))
    >>> unconstrain_fn(model, (), {}, {"s": 1.0})
    {'s': Array(0.)}
    """
    program, data = stage_model(model, model_args, model_kwargs)
    own = {k: s.shape for k, s in program.outline(data).items()} if batch_ndims else {}

    def run(values):
        return transform_fn(_transforms(program, data, values), values, invert=True)

    return over_batch(run, params, own, batch_ndims)


def get_transforms(model, model_args, model_kwargs, params):
    """{site: the bijection from unconstrained space into its support} at values in the sites' supports.

    Of each latent site and param whose value is given in params; a support may depend on other sites' values.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     cr.sample("s", dist.HalfNormal(1.0))
    >>> float(get_transforms(model, (), {}, {"s": 1.0})["s"](0.0))           # exp
    1.0
    """
    program, data = stage_model(model, model_args, model_kwargs)
    return _transforms(program, data, params)


def _transforms(program, data, values):
    sites = program.record(Points(None, {k: np.asarray(v) for k, v in values.items()}), data)
    return {k: biject_to(s.fn.support) for k, s in sites.items()
            if k in values and (s.kind == "param" or s.kind == "sample" and not s.observed)}


def transform_fn(transforms, params, invert=False):
    """{name: transform(value)}, or its inverse; values without a transform stay as they are.

    >>> from chainrule.distributions.transforms import ExpTransform
    >>> transform_fn({"s": ExpTransform()}, {"s": 0.0, "mu": 3.0})
    {'s': Array(1.), 'mu': 3.0}
    """
    def one(t, x):
        return t._inverse(np.asarray(x)) if invert else t(np.asarray(x))
    return {k: one(transforms[k], v) if k in transforms else v for k, v in params.items()}


constrain, unconstrain = constrain_fn, unconstrain_fn
