"""Sites of a guide whose expectation is a sum over all their values, in place of a draw.

A bound's part under q(k) is Σ_k q(k) R(k), differentiated as it stands: no noise comes from k, at the price of a run of
guide and model, side by side, for each value. Sites of a plate or a loop have a run for each joint value of theirs.
"""
import itertools
import math

import numpy as onp

from ...distributions import Vmapped
from ...distributions.wrappers import Wrapper
from ...engine import numpy as np
from ...engine import vmap
from ...engine.array import Array
from ...ppl.stacked import Branched
from .estimators import ENUMERATE, estimator, score, score_sites, with_score

MOST = 4096                            # joint values


def joint_values(pair):
    """{name: [joint value, *shape]} of the guide's sites that are summed out; empty where there is none."""
    program = pair.guide
    if "joint values" not in program.cache:
        found = program.on_types(pair.guide_data, lambda sites: {
            name: _values(s) for name, s in sites.items()
            if s.kind == "sample" and not s.observed and estimator(s) == ENUMERATE})
        sizes = {name: len(values) ** n for name, (values, n, _) in found.items()}
        if math.prod(sizes.values()) > MOST:
            name = max(sizes, key=sizes.get)
            raise found[name][2].error(f'site {name!r}: infer={{"grad": "enumerate"}} sums over joint values, '
                                       f"{math.prod(sizes.values())} in this guide; at most {MOST} are.\n"
                                       "Leave it out: TraceGraph_ELBO has a gradient of low variance for many sites.")
        program.cache["joint values"] = _grid({k: (values, n, s.value.shape) for k, (values, n, s) in found.items()})
    return program.cache["joint values"]


def _values(s):
    """(the values of one element, the number of elements, the site)"""
    values = listed(s.fn)
    if values is None:
        raise s.error(f'site {s.name!r}: infer={{"grad": "enumerate"}}, and its values depend on data or other sites, '
                      'or are others in another branch.\nWrite infer={"grad": "score"}.')
    return values, math.prod(s.fn.batch_shape), s


def listed(fn):
    """[n, *event]: the values of one element of a distribution; None where they are not known, or not the same in all
    branches."""
    inside = _inside(fn)
    if isinstance(inside, Branched):
        rows = [listed(f) for f in inside.fns]
        same = all(r is not None and onp.array_equal(r, rows[0]) for r in rows)
        return rows[0] if same else None
    values = fn.enumerate_support(expand=False)
    if not isinstance(values, Array):
        return None
    values, event = onp.asarray(values), len(fn.event_shape)
    return values.reshape((values.shape[0], *values.shape[values.ndim - event:]))


def _inside(fn):
    while isinstance(fn, (Wrapper, Vmapped)):
        fn = fn.base_dist
    return fn


def taken(fn):
    """bool[*batch], or True: whether a site is in the branch that is taken."""
    if type(fn) is Vmapped and isinstance(_inside(fn), Branched):
        return fn.lanes.each(lambda lane: np.broadcast_to(taken(lane), lane.batch_shape))
    if isinstance(fn, Branched):
        own = [np.logical_and(fn.index == i, taken(f)) for i, f in zip(fn.present, fn.fns)]
        return np.any(np.stack([np.broadcast_to(x, fn.batch_shape) for x in own]), 0)
    return True


def once(fn, value, first, counts=True):
    """0, but -inf for values other than the first of elements that do not count, so that their sum counts them once.

    value : that given (a branch not taken has none)          first : of value's shape
    counts : bool[*batch], together with whether the branch is taken. None where all elements count.
    """
    there = taken(fn)
    if there is True and counts is True:
        return None
    same = np.asarray(value) == np.asarray(first)
    same = np.all(same, tuple(range(same.ndim - len(fn.event_shape), same.ndim)))
    return np.where(np.logical_or(np.logical_and(there, counts), same), 0.0, -np.inf)


def _grid(sites):
    axes = [range(len(values)) for values, n, _ in sites.values() for _ in range(n)]
    rows = onp.array(list(itertools.product(*axes)), int)
    out, at = {}, 0
    for name, (values, n, shape) in sites.items():
        out[name] = values[rows[:, at:at + n]].reshape((len(rows), *shape))
        at += n
    return out


def expectation(pair, params, key, parts, at=None):
    """(bound, Σ score or None) of one particle.   parts(guide, model) -> bound          at : as in `Pair.draw`

    Where sites are summed out, the bound is the sum, and has the score's gradient of the other sites in it.
    """
    values = joint_values(pair)
    if not values:
        particle = pair.draw(key, params, {}, at)
        return parts(*particle), _score(particle.guide)

    firsts = {k: v[0] for k, v in values.items()}

    def one(forced):
        particle = pair.draw(key, params, forced, at)
        log_q = sum(_log_mass(particle.guide[k], x, firsts[k]) for k, x in forced.items())
        return log_q, parts(*particle), _score(particle.guide)

    log_q, bound, log_score = vmap(one)({k: np.asarray(v) for k, v in values.items()})
    weight = np.exp(log_q)
    bound = np.where(weight > 0, bound, 0.0)
    return np.sum(weight * (bound if log_score is None else with_score(bound, log_score))), None


def _log_mass(site, value, first):
    log_q, rest = score(site), once(site.fn, value, first)
    return np.sum(log_q if rest is None else log_q + rest)


def _score(guide):
    names = score_sites(guide)
    return sum(np.sum(score(guide[k])) for k in names) if names else None
