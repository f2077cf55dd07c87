"""The evidence lower bound with divergences in closed form."""
from functools import partial

import numpy as onp

from ...distributions import Vmapped, kl_divergence
from ...distributions.wrappers import Wrapper
from ...engine import numpy as np
from ...engine import tree
from ...engine.core import Tracer
from ...engine.errors import MissingRule, ShapeError
from ...ppl.stacked import Branched
from .enumeration import expectation
from .estimators import with_score
from .objectives import Objective, mean_of_others
from .structure import descendants, sites_of


class TraceMeanField_ELBO(Objective):
    """The evidence lower bound, negated: E_q[Σ log p(x | z) - Σ KL(q(zᵢ | …) ‖ p(zᵢ | …))].

    A site's divergence has a closed form where `dist.kl_divergence` has a rule for the pair, and may replace
    log q - log p where nothing that p(zᵢ | …) is made of depends on zᵢ in the guide, as in mean-field guides and in
    those that draw in the model's order. Other sites count log p - log q at the draw, as in `Trace_ELBO`. So it is
    unbiased for any guide (NumPyro warns of those for which it is not).
    Source: Kingma & Welling (2014), "Auto-encoding variational Bayes", appendix B.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> def model():
    ...     cr.sample("z", dist.Normal(0.0, 1.0))
    >>> def guide():
    ...     cr.sample("z", dist.Normal(cr.param("m", 0.0), 1.0))
    >>> float(TraceMeanField_ELBO().loss(random.key(0), {"m": 1.0}, model, guide))          # KL = m² / 2
    0.5
    """

    def estimate(self, key, params, pair, state):
        allowed = replaceable(pair)
        elbo, log_q = self.over_particles(lambda key: expectation(pair, params, key, partial(_bound, allowed)), key)
        if log_q is not None:
            elbo = with_score(elbo, log_q, mean_of_others(elbo))
        return -np.mean(elbo), state


def _bound(allowed, guide, model):
    elbo = np.zeros(())
    closed = {name for name in allowed if name in guide and name in model and not model[name].observed}
    for name, site in model.items():
        if not site.scored:
            continue
        divergence = _divergence(guide[name], site) if name in closed else None
        if divergence is None:
            closed.discard(name)
            elbo = elbo + np.sum(site.log_prob())
        else:
            elbo = elbo - np.sum(divergence)
    for name, site in guide.items():
        if site.scored and name not in closed:
            elbo = elbo - np.sum(site.log_prob())
    return elbo


def replaceable(pair):
    """The latent sites whose divergence may stand for log q - log p."""
    mine, theirs = sites_of(pair.guide, pair.guide_data), sites_of(pair.model, pair.data)
    below = descendants(mine)
    return {name for name, parents in theirs.parents.items() if name in below
            and not (parents - {name}) & set(below[name])
            and not (name in mine.lagged and name in theirs.lagged)}


def _divergence(q, p):
    """KL of a site's two distributions, masked and scaled as each of its terms is; None where there is no rule.

    log q and log p are weighted alike, or the divergence of the two is none of the bound."""
    if not (_same(q.mask, p.mask) and _same(q.scale, p.scale)):
        return None
    stacked = type(q.fn) is Vmapped and type(p.fn) is Vmapped
    try:
        kl = kl_divergence(q.fn, p.fn) if stacked else kl_divergence(unstacked(q.fn), unstacked(p.fn))
    except (MissingRule, ShapeError, NotImplementedError):
        return None
    if kl.shape != tuple(p.fn.batch_shape):
        return None
    kl = np.where(np.isnan(kl), q.fn.log_prob(q.value) - p.fn.log_prob(p.value), kl)     # a rule did not hold after all
    kl = kl if p.mask is None else np.where(p.mask, kl, 0.0)
    return kl if p.scale is None else p.scale * kl


def unstacked(fn):
    """The distribution of a loop's site as one of its family with a longer batch; as it is where it cannot be."""
    if type(fn) is not Vmapped:
        return fn
    base, lane, size = fn.base_dist, fn.lanes.lane, fn.lanes.size
    leaves, form = tree.flatten(base)
    params = [f for f in base._params if getattr(base, f.name) is not None]
    if isinstance(base, (Wrapper, Vmapped, Branched)) or len(params) != len(leaves):
        return fn
    made = []
    for f, x, m in zip(params, leaves, fn.lanes.axes):
        one = np.shape(x)[m:]
        missing = len(lane.batch_shape) + f.event_dim - len(one)         # batch axes that the parameter goes without
        made.append(np.broadcast_to(np.reshape(x, (size if m else 1, *(1,) * missing, *one)),
                                    (size, *(1,) * missing, *one)))
    return tree.unflatten(form, made)


def _same(a, b):
    """Whether two masks or scales are known to be equal."""
    if a is b:
        return True
    known = a is not None and b is not None and not isinstance(a, Tracer) and not isinstance(b, Tracer)
    return known and onp.array_equal(onp.asarray(a), onp.asarray(b))
