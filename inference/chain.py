"""A chain: the machine of `nuts` and its warm-up, run in chunks by one compiled loop.

A chunk ends when its buffer of draws is full, when enough gradients were evaluated, or when the chain is done. What
lies between two chunks is the whole state, so a run gives the same draws however it is cut.
"""
from typing import NamedTuple

import numpy as onp

from ..engine import cond, random, while_loop
from ..engine import numpy as np
from ..engine.array import Array
from ..engine.avals import default_float
from . import adaptation, nuts, renewal


class Chain(NamedTuple):
    """Everything that the chain is between two gradients."""
    machine: nuts.State
    adaptation: adaptation.Adaptation
    ring: renewal.Ring | None = None       # what the host renews a low-rank metric from


class Chunk(NamedTuple):
    """What a chunk gives to the host."""
    chain: Chain
    draws: Array               # float[size, d]: the first `count` rows are draws
    infos: Array               # float[size, len(Info)]
    count: Array               # int[]
    gradients: Array           # int[]


class Draw(NamedTuple):
    """What adaptation looks at of a transition."""
    position: Array
    grad: Array
    accept_prob: Array
    symmetric_accept: Array
    diverging: Array               # bool[]


def init(seed, num_dims, num_warmup, *, position=None, step_size=1.0, target_accept_prob=0.8, metric=None,
         couples=None, method="fisher", rank=0, adapt_step=True, adapt_metric=True, radius=2.0, max_tree_depth=10):
    """A chain before its first gradient."""
    machine = nuts.init(seed, position, num_dims=num_dims, radius=radius, max_tree_depth=max_tree_depth)
    d = machine.position.shape[0]
    adapted = adaptation.init(d, step_size, num_warmup, target_accept_prob, metric, couples, method=method, rank=rank,
                              adapt_step=adapt_step, adapt_metric=adapt_metric)
    return Chain(machine, adapted, renewal.ring(d) if rank else None)


def step(chain, logdensity_fn, *, max_tree_depth=10, radius=2.0):
    """One gradient of the chain's life, warm-up included."""
    machine, adapted, ring = chain
    machine, event = nuts.advance(machine, logdensity_fn, adapted.params)
    small, kept = _split(machine)

    def at_event(small, adapted):
        was_starting = small.starting
        machine, ended = nuts.resolve(small, event, adapted.params, max_tree_depth=max_tree_depth, radius=radius)

        def new_transition(machine, adapted):
            info = machine.info
            draw = Draw(machine.position, machine.grad, info.accept_prob, info.symmetric_accept, info.diverging > 0.5)
            adapted = cond(was_starting, lambda a: adaptation.start(a, machine.grad),
                           lambda a: adaptation.update(a, machine.transition, draw), adapted)
            return nuts.begin(machine, adapted.params), adapted

        return cond(ended, new_transition, lambda m, a: (m, a), machine, adapted)

    small, adapted = cond(event.happened, at_event, lambda s, a: (s, a), small, adapted)
    machine = small._replace(**kept)
    return Chain(machine, adapted, None if ring is None else ring.put(machine))


def _split(machine):
    """The machine without its checkpoints, which no event changes, so that they are not copied at every branch."""
    kept = {"checkpoint_p": machine.checkpoint_p, "checkpoint_sum": machine.checkpoint_sum}
    return machine._replace(checkpoint_p=None, checkpoint_sum=None), kept


def seed_of(key):
    """A chain's seed, uint64[], of its key."""
    words = np.astype(random.key_data(key), onp.uint64)
    return np.bitwise_or(np.left_shift(words[0], onp.uint64(32)), words[1])


def run(chain, logdensity_fn, stop_at, max_gradients, *, size, skip=0, max_tree_depth=10, radius=2.0):
    """Run until `skip` + `size` more transitions, `max_gradients` gradients, or transition `stop_at`: a `Chunk`.

    stop_at, max_gradients : int[], numbers that need no new program          size : int, the rows of the buffer
    skip : the number of transitions that are not kept, before those that are
    """
    d, first, float_type = chain.machine.position.shape[0], chain.machine.transition, default_float()
    draws, infos = np.zeros((size, d), float_type), np.zeros((size, len(nuts.Info._fields)), float_type)
    start = Chunk(chain, draws, infos, np.zeros_like(first), np.zeros_like(first))

    def go_on(c):
        machine = c.chain.machine
        room = np.logical_and(c.count < skip + size, c.gradients < max_gradients)
        alive = np.logical_and(machine.transition < stop_at, np.logical_not(nuts.failed(machine)))
        return np.logical_and(room, alive)

    def one(c):
        chain = step(c.chain, logdensity_fn, max_tree_depth=max_tree_depth, radius=radius)
        machine = chain.machine
        count = machine.transition - first
        row = np.maximum(count - 1 - skip, 0)            # written at each gradient, so that no branch copies the buffer
        return Chunk(chain, c.draws.at[row].set(machine.position), c.infos.at[row].set(np.stack(machine.info)),
                     count, c.gradients + 1)

    return while_loop(go_on, one, start)
