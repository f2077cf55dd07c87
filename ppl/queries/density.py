"""Densities of a model at given values: joint, of each site, of each observation; the potential of an unconstrained
point."""
from ...engine import numpy as np
from ..handlers import substitute, trace
from ..model import site_log_prob, stage_model
from ..sites import SCORED
from .batches import over_batch


def log_density(model, model_args=(), model_kwargs=None, params=None, *, batch_ndims=0):
    """(log p(latents, data), trace): the joint log-density of a model at given values of its latent sites.

    params : {site name: value} in the sites' supports
    batch_ndims : the number of batch axes in front of the values; the density is then an array of these axes, and so
        is each entry of the trace. A value without them is shared: the sites' own shapes tell.
    A pure function of its arguments: it can be jitted, differentiated and mapped.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model(y):
    ...     mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    ...     cr.sample("y", dist.Normal(mu, 1.0), obs=y)
    >>> float(log_density(model, (0.5,), {}, {"mu": 0.0})[0]).__round__(4)
    -1.9629
    >>> log_density(model, (0.5,), {}, {"mu": [0.0, 0.5, 1.0]}, batch_ndims=1)[0].shape
    (3,)
    """
    recorded = _recorded(model, model_args, model_kwargs, params, batch_ndims)
    return sum(_terms(recorded, batch_ndims).values(), np.zeros(())), recorded


def compute_log_probs(model, model_args=(), model_kwargs=None, params=None, sum_log_prob=True, *, batch_ndims=0):
    """({site: its log-density}, trace) of each sample site and factor, as `log_density` adds them up.

    sum_log_prob : False leaves one number for each element of a site's batch: the pointwise log-density

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model(y):
    ...     mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    ...     cr.sample("y", dist.Normal(mu, 1.0), obs=y)
    >>> terms, _ = compute_log_probs(model, ([0.5, 1.0],), {}, {"mu": 0.0}, sum_log_prob=False)
    >>> terms["mu"].shape, terms["y"].shape
    ((), (2,))
    """
    recorded = _recorded(model, model_args, model_kwargs, params, batch_ndims)
    if sum_log_prob:
        return _terms(recorded, batch_ndims), recorded
    return {k: site_log_prob(k, s) for k, s in recorded.items() if s["type"] in SCORED}, recorded


def _recorded(model, args, kwargs, params, batch_ndims):
    """The trace of a model at given values."""
    if batch_ndims == 0:
        return trace(substitute(model, data=params or {})).get_trace(*args, **(kwargs or {}))
    program, data = stage_model(model, args, kwargs)
    own = {k: s.shape for k, s in program.outline(data).items()}

    def run(values):
        substitute(program, data=values)(*data)
        return np.zeros(())                              # the sites come out by the trace around the map

    return trace(lambda: over_batch(run, params, own, batch_ndims)).get_trace()


def _terms(recorded, batch_ndims):
    """{site: its log-density, summed over all but the batch axes}."""
    terms = {k: site_log_prob(k, s) for k, s in recorded.items() if s["type"] in SCORED}
    return {k: np.sum(lp, tuple(range(batch_ndims, lp.ndim))) for k, lp in terms.items()}


def potential_energy(model, model_args, model_kwargs, params, enum=False, *, batch_ndims=0):
    """-log p(T(z), data) - log |det dT/dz|: the negative log-density in unconstrained space, what HMC descends.

    params : {site name: unconstrained value z}, T being the bijections from ℝⁿ into the sites' supports
    enum : discrete latent sites are summed out; not there yet
    A pure function of its arguments; the model's Python runs once for the types of its data.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     cr.sample("s", dist.Exponential(1.0))
    >>> float(potential_energy(model, (), {}, {"s": 0.0}))               # -log e^(-exp 0) - log exp 0
    1.0
    """
    if enum:
        raise NotImplementedError("potential_energy(enum=True): discrete sites are not summed out yet.\n"
                                  "Sum them out in the model, or observe them.")
    program, data = stage_model(model, model_args, model_kwargs)
    own = {v.name: v.unconstrained_shape for v in program.describe(data).latents} if batch_ndims else {}
    return over_batch(lambda z: -program.log_joint(z, data, True), params, own, batch_ndims)
