"""The host's part of a warm-up with a low-rank metric: it stops the chain at a few transitions and renews the metric.

The loop writes each draw and its gradient into a ring. At a stop the host estimates the metric from the later half of
the draws so far, puts it into the chain, and begins the transition again, whose momentum was that of the old metric.
The step size starts again at the first stop alone: later metrics differ less than what it would be thrown off by.
All of this is a function of what the chain holds, so a run gives the same draws however it is cut.
"""
from typing import NamedTuple

import numpy as onp

from ..engine import numpy as np
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
    if _ring(chain) is None or int(onp.asarray(chain.machine.transition).min()) not in _stops(chain):
        return chain
    if chain.machine.transition.ndim == 0:
        return _renew(chain)
    lane = lambda j: tree_map(lambda x: x[j], chain)
    each = [_renew(lane(j)) for j in range(len(chain.machine.transition))]
    return tree_map(lambda *xs: np.stack(xs), *each)


def _renew(chain):
    t, rows = int(chain.machine.transition), len(chain.ring.draws)
    last = onp.arange(max(t // 2, t - rows), t) % rows
    draws, grads = onp.asarray(chain.ring.draws)[last], onp.asarray(chain.ring.grads)[last]
    sound = onp.isfinite(grads).all(1)
    if sound.sum() < 3:
        return chain
    adapted = chain.adaptation
    old = adapted.params.metric
    metric = low_rank(draws[sound], grads[sound], old.vectors.shape[1])
    metric = type(old)(*[np.asarray(new, x.dtype) for new, x in zip(metric, old)])
    params = adapted.params._replace(metric=metric)
    dual = dual_averaging(params.step_size) if t == FIRST else adapted.dual
    adapted = adapted._replace(params=params, dual=dual)
    return chain._replace(machine=nuts.begin(chain.machine, params), adaptation=adapted)
