"""Guides with params of their own for each site: AutoNormal and AutoDelta."""
from ....distributions import Delta, Normal, biject_to, constraints
from ....engine import numpy as np
from ....engine import random
from ....ppl.queries import init_to_median, init_to_uniform
from ....ppl.statements import param, sample
from .base import AUXILIARY, AutoGuide, stacked
from .latents import whole


class AutoNormal(AutoGuide):
    """Independent normals in unconstrained space: z = loc + scale ε for each number of each site.

    init_scale : where the scales start; other options as for every guide
    Params: {site}_{prefix}_loc, and {site}_{prefix}_scale > 0. A site whose support is ℝ is drawn under its own name,
    another through {site}_unconstrained.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model(y):
    ...     s = cr.sample("s", dist.HalfNormal(1.0))
    ...     cr.sample("y", dist.Normal(0.0, s), obs=y)
    >>> guide = AutoNormal(model)
    >>> tr = cr.handlers.trace(cr.handlers.seed(guide, 0)).get_trace(1.0)
    >>> list(tr)
    ['s_auto_loc', 's_auto_scale', 's_unconstrained', 's']
    >>> params = {"s_auto_loc": 0.0, "s_auto_scale": 0.5}
    >>> guide.median(params), guide.sample_posterior(random.key(0), params, sample_shape=(3,))["s"].shape
    ({'s': Array(1.)}, (3,))
    """
    scale_constraint = constraints.softplus_positive

    def __init__(self, model, *, prefix="auto", init_loc_fn=init_to_uniform, init_scale=0.1, create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, create_plates=create_plates)
        if not init_scale > 0:
            raise ValueError(f"init_scale must be positive; got {init_scale!r}.")
        self.init_scale = float(init_scale)

    def names(self, v):
        """The names of a site's params."""
        return f"{v.name}_{self.prefix}_loc", f"{v.name}_{self.prefix}_scale"

    def sites(self, latents):
        start, z, indices, made = latents.free_start(self.init_loc_fn, self.start_key(latents)), {}, {}, {}
        for v in latents.sites:
            loc_name, scale_name = self.names(v)
            first = start[v.name]
            with self.plates(v, indices):
                loc = param(loc_name, first, event_dim=v.free_event_dim)
                scale = param(scale_name, np.full(first.shape, self.init_scale), constraint=self.scale_constraint,
                              event_dim=v.free_event_dim)
                fn = Normal(loc, scale).to_event(v.free_event_dim)
                if v.is_real:
                    z[v.name] = made[v.name] = sample(v.name, fn)
                else:
                    z[v.name] = sample(f"{v.name}_unconstrained", fn, infer=AUXILIARY)
        return {**made, **self.placed(latents, z, indices, skip=made)}

    def draw_free(self, key, params):
        out = {}
        for i, v in enumerate(self.latents.sites):
            loc, scale = (params[name] for name in self.names(v))
            out[v.name] = loc + scale * random.normal(random.fold_in(key, i), np.shape(loc))
        return out

    def get_posterior(self, params):
        """{site: Normal} of the unconstrained sites."""
        return {v.name: Normal(*[params[name] for name in self.names(v)]).to_event(v.free_event_dim)
                for v in self.latents.sites}

    def median(self, params):
        """{site: value} at the median of each unconstrained number."""
        return self.values_at({v.name: np.asarray(params[self.names(v)[0]]) for v in self.latents.sites})

    def quantiles(self, params, quantiles):
        """{site: value} at a quantile of each unconstrained number; for several, with an axis in front."""
        if np.ndim(quantiles):
            return stacked([self.quantiles(params, q) for q in np.asarray(quantiles)])
        return self.values_at({v.name: Normal(*[params[name] for name in self.names(v)]).icdf(quantiles)
                               for v in self.latents.sites})


class AutoDelta(AutoGuide):
    """A point for each site: with Trace_ELBO, the mode of the posterior density (MAP), in the space of the model.

    Params: {site}_{prefix}_loc in the site's support; a point of ℝⁿ where the support depends on data or other sites.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     cr.sample("s", dist.Gamma(3.0, 1.0))
    >>> guide = AutoDelta(model)
    >>> list(cr.handlers.trace(cr.handlers.seed(guide, 0)).get_trace())
    ['s_auto_loc', 's']
    >>> guide.median({"s_auto_loc": 2.0})
    {'s': Array(2.)}
    """
    jacobian = False                                     # whether the density is that in unconstrained space

    def __init__(self, model, *, prefix="auto", init_loc_fn=init_to_median, create_plates=None):
        super().__init__(model, prefix=prefix, init_loc_fn=init_loc_fn, create_plates=create_plates)

    def sites(self, latents):
        found, out, z, indices = latents.start(self.init_loc_fn, self.start_key(latents)), {}, {}, {}
        for v in latents.sites:
            name, site = f"{v.name}_{self.prefix}_loc", found[v.name]
            with self.plates(v, indices):
                if v.support is not None:
                    first = whole(v, site.value, v.event_dim)
                    loc = param(name, first, constraint=v.support, event_dim=v.event_dim)
                    z[v.name] = biject_to(v.support)._inverse(loc)
                    stretch = latents.log_det(v, z[v.name], loc) if self.jacobian else 0.0
                    out[v.name] = sample(v.name, Delta(loc, -stretch, v.event_dim))
                else:
                    first = whole(v, biject_to(site.fn.support)._inverse(site.value), v.free_event_dim)
                    z[v.name] = param(name, first, event_dim=v.free_event_dim)
        return {**out, **self.placed(latents, z, indices, skip=out, log_dets=self.jacobian)}

    def draw_free(self, key, params):
        out = {}
        for v in self.latents.sites:
            x = np.asarray(params[f"{v.name}_{self.prefix}_loc"])
            out[v.name] = x if v.support is None else biject_to(v.support)._inverse(x)
        return out

    def median(self, params):
        """{site: value}, the points themselves."""
        return self.values_at(self.draw_free(None, params))
