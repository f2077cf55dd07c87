"""A chain of NUTS: the machine of `nuts` and its warm-up, run in chunks by one compiled loop (`chunks`)."""
from dataclasses import dataclass
from typing import NamedTuple

from ..engine import cond
from ..engine import numpy as np
from ..engine.array import Array
from . import adaptation, chunks, divergences, nuts, renewal
from .chunks import Method


class Chain(NamedTuple):
    """Everything that the chain is between two gradients."""
    machine: nuts.State
    adaptation: adaptation.Adaptation
    ring: renewal.Ring | None = None       # what the host renews a low-rank metric from
    diverged: divergences.Ring | None = None         # where it did, after warm-up


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
    return Chain(machine, adapted, renewal.ring(d) if rank else None, divergences.ring(d))


def step(chain, logdensity_fn, *, max_tree_depth=10, warmup_tree_depth=None, radius=2.0):
    """One gradient of the chain's life, warm-up included, whose trees may have a limit of their own."""
    machine, adapted, ring, diverged = chain
    if warmup_tree_depth is not None:
        max_tree_depth = np.where(machine.transition < adapted.num_warmup, warmup_tree_depth, max_tree_depth)
    machine, event = nuts.advance(machine, logdensity_fn, adapted.params)
    diverged = None if diverged is None else diverged.put(machine, event, adapted.num_warmup)
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
    return Chain(machine, adapted, None if ring is None else ring.put(machine), diverged)


def _split(machine):
    """The machine without its checkpoints, which no event changes, so that they are not copied at every branch."""
    kept = {"checkpoint_p": machine.checkpoint_p, "checkpoint_sum": machine.checkpoint_sum}
    return machine._replace(checkpoint_p=None, checkpoint_sum=None), kept


@dataclass(frozen=True)
class Leapfrogs(Method):
    """The chain of NUTS: a turn of the loop is one gradient."""
    max_tree_depth: int = 10
    radius: float = 2.0
    warmup_tree_depth: int | None = None
    fields = nuts.Info._fields

    def advance(self, chain, logdensity_fn):
        """One gradient."""
        return step(chain, logdensity_fn, max_tree_depth=self.max_tree_depth, radius=self.radius,
                    warmup_tree_depth=self.warmup_tree_depth), 1

    def transition(self, chain):
        """int[]"""
        return chain.machine.transition

    def position(self, chain):
        """float[d]"""
        return chain.machine.position

    def info(self, chain):
        """float[len(Info)]"""
        return np.stack(chain.machine.info)

    def failed(self, chain):
        """bool[]"""
        return nuts.failed(chain.machine)

    def looked_at(self, chain):
        """float[d]: the end that moves, which is the point looked at while the chain starts."""
        return chain.machine.moving.q

    def restart(self, chain, point):
        """At another point."""
        return chain._replace(machine=nuts.restart(chain.machine, point))

    def scaled(self, chain, variance):
        """A metric that would begin with the first gradient begins with these."""
        adapted = chain.adaptation
        if variance is None or not hasattr(adapted.estimator, "from_grad"):
            return chain
        metric = adapted.params.metric.scaled(variance, adapted.estimator.from_grad)
        estimator = adapted.estimator._replace(from_grad=np.asarray(False))
        return chain._replace(adaptation=adapted._replace(
            params=adapted.params._replace(metric=metric), estimator=estimator))

    def recording(self, chain, on):
        """Of divergences."""
        return chain._replace(diverged=divergences.ring(chain.machine.position.shape[-1]) if on else None)

    def renewed(self, chain, t):
        """With another low-rank metric."""
        return renewal.renewed(chain, t)

    def next_stop(self, chain, total):
        """Where a low-rank metric is renewed."""
        return renewal.next_stop(chain, total)

    def at_stop(self, chain):
        """With that metric."""
        return renewal.at_stop(chain)


def run(chain, logdensity_fn, stop_at, max_gradients, *, size, skip=0, max_tree_depth=10, radius=2.0):
    """`chunks.run` of a chain of NUTS."""
    return chunks.run(Leapfrogs(max_tree_depth, radius), chain, logdensity_fn, stop_at, max_gradients, size=size,
                      skip=skip)
