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
    if in_branch(s.fn):
        raise s.error(f'site {s.name!r}: infer={{"grad": "enumerate"}} in a branch of a cond, which may not be taken.\n'
                      'Write infer={"grad": "score"}, or draw it in front of the cond.')
    values = s.fn.enumerate_support(expand=False)
    if not isinstance(values, Array):
        raise s.error(f'site {s.name!r}: infer={{"grad": "enumerate"}}, and its values depend on data or other sites.\n'
                      'Write infer={"grad": "score"}.')
    values = onp.asarray(values)
    event = len(s.fn.event_shape)
    values = values.reshape((values.shape[0], *values.shape[values.ndim - event:]))
    return values, math.prod(s.fn.batch_shape), s


def in_branch(fn):
    """Whether a distribution comes from a branch."""
    while isinstance(fn, (Wrapper, Vmapped)):
        fn = fn.base_dist
    return isinstance(fn, Branched)


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

    def one(forced):
        particle = pair.draw(key, params, forced, at)
        log_q = sum(np.sum(score(particle.guide[k])) for k in forced)
        return log_q, parts(*particle), _score(particle.guide)

    log_q, bound, log_score = vmap(one)({k: np.asarray(v) for k, v in values.items()})
    weight = np.exp(log_q)
    bound = np.where(weight > 0, bound, 0.0)
    return np.sum(weight * (bound if log_score is None else with_score(bound, log_score))), None


def _score(guide):
    names = score_sites(guide)
    return sum(np.sum(score(guide[k])) for k in names) if names else None
