"""The compiled loop that every kernel's chain runs in, in chunks.

A chunk ends when its buffer of draws is full, when enough gradients were evaluated, or when the chain is done. What
lies between two chunks is the whole state, so a run gives the same draws however it is cut.

What a chain is, its `Method` knows: `chain` has that of NUTS, one gradient a turn; `stepwise` that of kernels whose
step is a transition; `ensembles` that of chains which move together.
"""
from typing import NamedTuple

import numpy as onp

from ..engine import numpy as np
from ..engine import scan, while_loop
from ..engine.array import Array
from ..engine.avals import default_float
from ..engine.tree import map as tree_map


class Chunk(NamedTuple):
    """What a chunk gives to the host; of an ensemble, with its chains in front of all but `chain`."""
    chain: object
    draws: Array               # float[size, d]: the first `count` rows are draws
    infos: Array               # float[size, len(fields)]
    count: Array               # type: ignore[assignment]  # int[]
    gradients: Array           # int[]


class Method:
    """How a chain moves; a value that may be hashed, so that programs can be kept by it.

    fields : the names of the facts of a transition          ensemble : whether a chain is many that move together
    """
    fields: tuple[str, ...] = ()
    ensemble = False

    def advance(self, chain, logdensity_fn):
        """(chain, gradients evaluated): the smallest piece of its life, warm-up included."""
        raise NotImplementedError

    def transition(self, chain):
        """int[]: the transitions that ended."""
        raise NotImplementedError

    def position(self, chain):
        """float[d]; of an ensemble float[n, d]."""
        raise NotImplementedError

    def info(self, chain):
        """float[len(fields)], of the last transition; of an ensemble float[n, len(fields)]."""
        raise NotImplementedError

    def failed(self, chain):
        """bool[]: no start point was found; of an ensemble bool[n]."""
        raise NotImplementedError

    def looked_at(self, chain):
        """float[d]: while a start is being looked for, the last point looked at."""
        raise NotImplementedError

    def restart(self, chain, point):
        """The chain, which found no start, at another point, which has one try."""
        raise NotImplementedError

    def next_stop(self, chain, total):
        """The transition up to which a chain, or chains side by side, may run before the host has something to do."""
        return total

    def at_stop(self, chain):
        """The chain, or chains, that arrived at a stop, after what the host does there."""
        return chain

    def scaled(self, chain, variance):
        """The chain before its first gradient, with these variances float[d] for its first metric, unless None."""
        return chain

    def recording(self, chain, on):
        """The chain with an empty record of what MCMC reports beside the draws, or without one."""
        return chain

    def renewed(self, chain, t):
        """The chain, if it is at the stop t : int[], after what is done there."""
        return chain

    def member(self, chain, j):
        """The j-th of chains side by side."""
        return tree_map(lambda x: x[j], chain)

    def restart_member(self, chain, point, j):
        """`restart` of the j-th of chains side by side."""
        return tree_map(lambda old, new: old.at[j].set(new), chain, self.restart(self.member(chain, j), point))


def run(method, chain, logdensity_fn, stop_at, max_gradients, *, size, skip=0, stops=()):
    """Run until `skip` + `size` more transitions, `max_gradients` gradients, or transition `stop_at`: a `Chunk`.

    stop_at, max_gradients : int[], numbers that need no new program          size : int, the rows of the buffer
    skip : the number of transitions that are not kept, before those that are
    stops : ints, the transitions after which the method renews the chain in the program itself
    """
    first, shape, float_type = method.transition(chain), np.shape(method.position(chain)), default_float()
    draws = np.zeros((size, *shape), float_type)
    infos = np.zeros((size, *shape[:-1], len(method.fields)), float_type)
    start = Chunk(chain, draws, infos, np.zeros_like(first), np.zeros_like(first))

    def go_on(c):
        failed = method.failed(c.chain)
        room = np.logical_and(c.count < skip + size, c.gradients < max_gradients)
        alive = np.logical_and(method.transition(c.chain) < stop_at,
                               np.logical_not(np.any(failed) if failed.ndim else failed))
        return np.logical_and(room, alive)

    def one(c):
        chain, gradients = method.advance(c.chain, logdensity_fn)
        count = method.transition(chain) - first
        row = np.maximum(count - 1 - skip, 0)            # written at each turn, so that no branch copies the buffer
        return Chunk(chain, c.draws.at[row].set(method.position(chain)), c.infos.at[row].set(method.info(chain)),
                     count, c.gradients + gradients)

    def part(c, stop):
        below = lambda c: np.logical_and(go_on(c), method.transition(c.chain) < stop)
        c = while_loop(below, one, c)
        return c._replace(chain=method.renewed(c.chain, stop)), None

    last = onp.iinfo(onp.int64).max                      # a part of its own, so that the body stands once
    end = scan(part, start, onp.asarray([*stops, last]))[0] if stops else while_loop(go_on, one, start)
    if not method.ensemble:
        return end
    lanes = lambda x: np.broadcast_to(x, shape[:1])
    return Chunk(end.chain, np.swapaxes(end.draws, 0, 1), np.swapaxes(end.infos, 0, 1), lanes(end.count),
                 lanes(end.gradients))
