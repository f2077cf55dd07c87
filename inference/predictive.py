"""Draws from the prior and posterior predictive distributions, and pointwise log-likelihoods."""
import math

from ..engine import numpy as np
from ..engine import random, vmap
from ..engine.errors import ShapeError
from ..ppl.handlers import seed, substitute, trace
from ..ppl.model import site_log_prob

CHUNK_ELEMENTS = 20_000_000


class _Draw(substitute):
    """Give sites the values of one posterior draw; deterministic ones are computed anew."""

    def site(self, site):
        return self.next(site) if site.kind == "deterministic" else super().site(site)


class Predictive:
    """Predictive(model, posterior_samples)(rng_key, *args): {site: [draw, *shape]} of the sites that were not given.

    posterior_samples : {site: [draw, *shape]}, or None for the prior with num_samples draws
    return_sites : names to return; unless given, all sites that have no posterior samples, deterministic ones included
    batch_ndims : the number of leading axes of the samples (2 for samples grouped by chain)

    The draws of a site depend on the key, the site's name and the draw's number alone.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> def model():
    ...     mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    ...     cr.sample("y", dist.Normal(mu, 1.0))
    >>> Predictive(model, num_samples=3)(random.key(0))["y"].shape
    (3,)
    """

    def __init__(self, model, posterior_samples=None, *, num_samples=None, return_sites=None, batch_ndims=1):
        if posterior_samples is None and num_samples is None:
            raise ValueError("Predictive needs posterior_samples, or num_samples for draws from the prior.")
        self.model, self.return_sites, self.batch_ndims = model, return_sites, batch_ndims
        self.samples = {k: np.asarray(v) for k, v in (posterior_samples or {}).items()}
        shapes = {v.shape[:batch_ndims] for v in self.samples.values()}
        if len(shapes) > 1:
            raise ShapeError(f"the posterior samples have different numbers of draws: "
                             f"{ {k: v.shape for k, v in self.samples.items()} }.")
        self.batch_shape = shapes.pop() if shapes else (int(num_samples),)

    def __call__(self, rng_key, *args, **kwargs):
        key = rng_key if isinstance(rng_key, random.Key) else random.key(rng_key)
        n = math.prod(self.batch_shape)
        samples = {k: np.reshape(v, (n, *v.shape[self.batch_ndims:])) for k, v in self.samples.items()}

        def one(number, given):
            model = seed(_Draw(self.model, data=given), random.fold_in(key, number))
            sites = trace(model).get_trace(*args, **kwargs)
            self._check(sites)
            return {k: s["value"] for k, s in sites.items() if self._wanted(k, s)}

        def piece(first, last):
            return vmap(one)(np.arange(first, last), {k: v[first:last] for k, v in samples.items()})

        size = sum(v.size for v in piece(0, 1).values())
        step = max(1, CHUNK_ELEMENTS // max(1, size))
        pieces = [piece(i, min(i + step, n)) for i in range(0, n, step)]
        joined = {k: np.concatenate([p[k] for p in pieces]) if len(pieces) > 1 else v for k, v in pieces[0].items()}
        return {k: np.reshape(v, (*self.batch_shape, *v.shape[1:])) for k, v in joined.items()}

    def _check(self, sites):
        unknown = [name for name in self.return_sites or () if name not in sites]
        if unknown:
            raise ValueError(f"return_sites: the model has no site named {unknown[0]!r}; its sites are: "
                             f"{', '.join(sites)}.")

    def _wanted(self, name, site):
        if site["type"] not in ("sample", "deterministic"):
            return False
        if self.return_sites is not None:
            return name in self.return_sites
        if site["type"] == "deterministic":
            return True
        return name not in self.samples and not site["is_observed"]


def log_likelihood(model, posterior_samples, *args, batch_ndims=1, **kwargs):
    """{observed site: log-density of each observation}, [draw, *batch], at each posterior draw."""
    samples = {k: np.asarray(v) for k, v in posterior_samples.items()}
    lead = next(iter(samples.values())).shape[:batch_ndims]
    flat = {k: np.reshape(v, (-1, *v.shape[batch_ndims:])) for k, v in samples.items()}

    def one(given):
        sites = trace(seed(_Draw(model, data=given), rng_seed=0)).get_trace(*args, **kwargs)
        return {k: site_log_prob(k, s) for k, s in sites.items() if s["type"] == "sample" and s["is_observed"]}

    return {k: np.reshape(v, (*lead, *v.shape[1:])) for k, v in vmap(one)(flat).items()}
