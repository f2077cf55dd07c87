"""Draws from the prior and posterior predictive distributions, and pointwise log-likelihoods."""
import math

import numpy as onp

from ..engine import numpy as np
from ..engine import random, vmap
from ..engine.errors import ShapeError
from ..ppl.handlers import seed, substitute, trace
from ..ppl.model import site_log_prob

CHUNK_ELEMENTS = 20_000_000


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
            model = seed(substitute(self.model, data=given), random.fold_in(key, number))
            sites = trace(model).get_trace(*args, **kwargs)
            return {k: s["value"] for k, s in sites.items() if self._wanted(k, s)}

        first = vmap(one)(np.arange(1), {k: v[:1] for k, v in samples.items()})
        step = max(1, CHUNK_ELEMENTS // max(1, sum(v.size for v in first.values())))
        pieces = [vmap(one)(np.arange(i, min(i + step, n)), {k: v[i:i + step] for k, v in samples.items()})
                  for i in range(0, n, step)]
        joined = {k: pieces[0][k] if len(pieces) == 1 else np.asarray(onp.concatenate([onp.asarray(p[k]) for p in pieces])) for k in first}
        return {k: np.reshape(v, (*self.batch_shape, *v.shape[1:])) for k, v in joined.items()}

    def _wanted(self, name, site):
        if site["type"] == "factor":
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
        sites = trace(seed(substitute(model, data=given), rng_seed=0)).get_trace(*args, **kwargs)
        return {k: site_log_prob(k, s) for k, s in sites.items() if s["type"] == "sample" and s["is_observed"]}

    return {k: np.reshape(v, (*lead, *v.shape[1:])) for k, v in vmap(one)(flat).items()}
