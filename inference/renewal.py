"""What a warm-up with a low-rank metric does at a few transitions, its stops: it renews the metric.

The loop writes each draw and its gradient into a ring. At a stop it ends, the metric is estimated from the later half
of the draws so far, and the transition, whose momentum was that of the old metric, begins again: on the host between
two chunks of a run, or in the program of a `fit`. Eigenvalue problems stay out of the loop, which they would slow down.
The step size starts again at the first stop alone: later metrics differ less than what it would be thrown off by.
All of this is a function of what the chain holds, so a run gives the same draws however it is cut.
"""
from contextlib import nullcontext
from functools import lru_cache
from typing import NamedTuple

import numpy as onp

from ..engine import numpy as np
from ..engine import vmap
from ..engine.array import Array
from ..engine.avals import default_float
from ..engine.tree import map as tree_map
from . import nuts
from .adaptation import dual_averaging
from .low_rank import low_rank

FIRST, GROWTH = 6, 1.5             # the first stop, and the ratio between stops
ROWS, NUMBERS = 256, 4_000_000     # of a ring: rows, and numbers in it, at most


class Ring(NamedTuple):
    """The last draws and their gradients: those of transition t lie in row (t - 1) mod the number of rows."""
    draws: Array                   # float[rows, d]
    grads: Array                   # float[rows, d]; nan where the transition diverged

    def put(self, machine):
        """With the last transition of the machine; called at each gradient, so that no branch copies the ring."""
        row = np.maximum(machine.transition - 1, 0) % len(self.draws)
        grad = np.where(machine.info.diverging > 0.5, np.nan, machine.grad)
        return Ring(self.draws.at[row].set(machine.position), self.grads.at[row].set(grad))


def ring(d):
    """An empty ring for draws of ℝᵈ."""
    rows = int(onp.clip(NUMBERS // d, 16, ROWS))
    empty = np.zeros((rows, d), default_float())
    return Ring(empty, empty)


def stops(num_warmup):
    """The transitions after which the metric is renewed: 6, 9, 13, 19, …, and the one that leaves 15 % of warm-up."""
    end, t, out = num_warmup - int(0.15 * num_warmup), FIRST, []
    while t * GROWTH <= end:
        out.append(t)
        t = int(t * GROWTH)
    return [*out, end] if end >= FIRST else []


def next_stop(chain, total):
    """The transition up to which the chains may run before the host has something to do."""
    if _ring(chain) is None:
        return total
    done = int(onp.asarray(chain.machine.transition).min())
    return min([int(total), *[t for t in _stops(chain) if t > done]])


def _ring(chain):
    """The chain's ring, or None: chains of other metrics and of other kernels have none."""
    return getattr(chain, "ring", None)


def _stops(chain):
    """The stops of a chain, or of chains, whose warm-ups are of one length."""
    adapted = chain.adaptation
    adapt, number = (onp.asarray(x).reshape(-1)[0] for x in (adapted.adapt_metric, adapted.num_warmup))
    return stops(int(number)) if adapt else []


def at_stop(chain):
    """The chain, or chains, that arrived at a stop: if it is one of a metric, with metrics made of their rings."""
    if _ring(chain) is None:
        return chain
    t = int(onp.asarray(chain.machine.transition).min())
    if t not in _stops(chain):
        return chain
    many = chain.machine.transition.ndim > 0
    one = lambda c: renewed(c, onp.asarray(t))
    with one_thread():
        return vmap(one)(chain) if many else one(chain)


def renewed(chain, t):
    """The chain with a metric made of its ring, if it has made t transitions, and the transition begun again."""
    here, adapted = chain.machine.transition == t, chain.adaptation
    params = adapted.params
    params = params._replace(metric=_choose(here, _estimate(t, chain.ring, params.metric), params.metric))
    dual = _choose(np.logical_and(here, t == FIRST), dual_averaging(params.step_size), adapted.dual)
    machine = _choose(here, nuts.begin(chain.machine, params), chain.machine)
    return chain._replace(machine=machine, adaptation=adapted._replace(params=params, dual=dual))


def _choose(condition, new, old):
    return tree_map(lambda a, b: np.where(condition, a, b), new, old)


def _estimate(t, ring, old):
    """The metric after t transitions, of the later half of them as far as the ring holds it; the old one where that is
    too little."""
    rows = len(ring.draws)
    age = (t - 1 - np.arange(rows)) % rows
    use = np.logical_and(age < t - t // 2, np.all(np.isfinite(ring.grads), axis=1))
    return _choose(np.sum(use) > 2, low_rank(ring.draws, ring.grads, use, old.vectors.shape[1]), old)


# ---- one thread for linear algebra ----

@lru_cache(1)
def _libraries():
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()


def one_thread():
    """Linear algebra on one thread, if threadpoolctl is there: on busy cores, small problems take many a hundred times
    as long."""
    found = _libraries()
    return nullcontext() if found is None else found.limit(limits=1, user_api="blas")
