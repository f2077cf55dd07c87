"""How near a fitted guide is to the posterior."""
from functools import partial

from ...engine import numpy as np
from ...engine import random
from ...ppl.keys import one_key
from ...ppl.queries.draws import OverDraws
from ..diagnostics import khat
from .estimators import total
from .objectives import stage_pair
from .particles import Pair


def psis_diagnostic(rng_key, param_map, model, guide, *args, num_particles=1000, chunk_size=None, **kwargs):
    """Pareto's k̂ of the importance weights p(z, x) / q(z) of draws of a guide: a float.

    param_map : {name: value} of a fit          args, kwargs : those of model and guide
    chunk_size : taken for NumPyro's sake; the draws are computed in blocks whose width bounds the memory
    Below about 0.7 the guide is near enough for its draws to be corrected by their weights; above, it misses a part of
    the posterior, whatever the loss says.
    Source: Yao, Vehtari, Simpson & Gelman (2018), "Yes, but did it work? Evaluating variational inference".

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> def model():
    ...     cr.sample("z", dist.Normal(0.0, 1.0))
    >>> def guide():
    ...     cr.sample("z", dist.Normal(0.0, cr.param("scale", 1.0)))
    >>> k = [psis_diagnostic(random.key(0), {"scale": s}, model, guide) for s in (1.5, 0.3)]
    >>> k[0] < 0.5 < 0.7 < k[1]
    True
    """
    if isinstance(num_particles, bool) or int(num_particles) != num_particles or num_particles < 25:
        raise ValueError(f"num_particles must be an integer of at least 25; got {num_particles!r}.")
    pair = stage_pair(model, guide, args, kwargs)
    words = random.key_data(one_key(rng_key, "psis_diagnostic"))
    params = {name: np.asarray(x) for name, x in param_map.items()}
    over = pair.model.cache.get(("weights", pair.guide))
    if over is None:
        over = OverDraws(partial(_log_weight, pair.model, pair.guide))
        pair.model.cache["weights", pair.guide] = over
    return float(khat(over(int(num_particles), {}, (words, params, pair.data, pair.guide_data))))


def _log_weight(model, guide, number, row, shared):
    words, params, data, guide_data = shared
    pair = Pair(model, data, guide, guide_data, constrained=True)
    particle = pair.draw(random.fold_in(random.wrap_key_data(words), number), params, {})
    return total(particle.model) - total(particle.guide)
