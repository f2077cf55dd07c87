"""The host's part of a warm-up with a low-rank metric: it stops the chain at a few transitions and renews the metric.

The loop writes each draw and its gradient into a ring. At a stop the host estimates the metric from the later half of
the draws so far, puts it into the chain, and begins the transition again, whose momentum was that of the old metric.
The step size starts again at the first stop alone: later metrics differ less than what it would be thrown off by.
All of this is a function of what the chain holds, so a run gives the same draws however it is cut.
"""
from typing import NamedTuple

import numpy as onp

from ..engine import numpy as np
from ..engine import vmap
from ..engine.array import Array
from ..engine.avals import default_float
from . import nuts
from .adaptation import dual_averaging
from .low_rank import low_rank
from .metrics import LowRank

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
    many, adapted = chain.machine.transition.ndim > 0, chain.adaptation
    old = adapted.params.metric
    each = lambda record: zip(*[onp.asarray(x) if many else onp.asarray(x)[None] for x in record])
    new = [_estimate(t, *kept, LowRank(*metric)) for kept, metric in zip(each(chain.ring), each(old))]
    stacked = [onp.stack(x) if many else x[0] for x in zip(*new)]
    params = adapted.params._replace(metric=LowRank(*[np.asarray(x, y.dtype) for x, y in zip(stacked, old)]))
    dual = dual_averaging(params.step_size) if t == FIRST else adapted.dual
    machine = (vmap(nuts.begin) if many else nuts.begin)(chain.machine, params)
    return chain._replace(machine=machine, adaptation=adapted._replace(params=params, dual=dual))


def _estimate(t, draws, grads, old):
    """The metric of one chain after t transitions, from what its ring holds; the old one where that is too little."""
    last = onp.arange(max(t // 2, t - len(draws)), t) % len(draws)
    draws, grads = draws[last], grads[last]
    sound = onp.isfinite(grads).all(1)
    return low_rank(draws[sound], grads[sound], old.vectors.shape[1]) if sound.sum() > 2 else old
