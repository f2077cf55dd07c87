"""A chain of a kernel whose step is a transition: the search for a start, warm-up and sampling as one loop.

While it starts, the chain is at a point whose log-density counts as -∞, and the kernel's step is told to stay where it
is: it evaluates the density there, and accepts if that is finite. So the density stands once in the program. Where it
is not finite, another point is drawn, up to MAX_TRIES.

The randomness of transition i of a chain is a function of the chain's seed and of i alone.
"""
from dataclasses import dataclass
from typing import NamedTuple

import numpy as onp

from ..engine import cond, random
from ..engine import numpy as np
from ..engine.array import Array
from ..engine.avals import default_float
from .base import choose, key_of
from .chunks import Method
from .nuts import MAX_TRIES, start_point


class Chain(NamedTuple):
    """Everything that the chain is between two transitions."""
    seed: Array                    # uint64[]
    starting: Array                # bool[]
    tries: Array                   # int[], start points looked at
    transition: Array              # int[]
    state: object                  # the kernel's; its position is float[d]
    adaptation: object             # of warm-up; has `params`
    info: Array                    # float[len(fields)]


class Move:
    """How a kernel is used by a chain; a value that may be hashed.

    fields : the names of the kernel's facts
    """
    fields: tuple[str, ...] = ()

    def blank(self, position):
        """The kernel's state at a position where nothing was evaluated, with log-density -∞."""
        raise NotImplementedError

    def step(self, key, state, logdensity_fn, params, still):
        """(state, info, evaluations) of one transition; where `still` holds, one that stays where it is."""
        raise NotImplementedError

    def begin(self, adaptation, state):
        """The adaptation when a start was found."""
        return adaptation

    def adapt(self, adaptation, transition, state, info):
        """The adaptation after `transition` transitions."""
        return adaptation


def init(move, seed, adaptation, position=None, *, num_dims=None, radius=2.0):
    """A chain before its first evaluation, at a position or, unless it is given, at one drawn from
    Uniform(-radius, radius)^d. A position that was given has one try.
    """
    float_type, none = default_float(), np.asarray(0)
    given = position is not None
    q = np.asarray(position) if given else start_point(seed, onp.asarray(0), num_dims, radius)
    return Chain(seed, np.asarray(True), np.asarray(MAX_TRIES - 1 if given else 0), none,
                 move.blank(np.astype(q, float_type)), adaptation, np.zeros(len(move.fields), float_type))


class Stepped(Method):
    """What a method says of a chain with the fields transition, state, info, starting and tries: one chain, or an
    ensemble, whose arrays have the chains in front."""

    def transition(self, chain):
        """int[]"""
        return chain.transition

    def position(self, chain):
        """float[d], or float[n, d]"""
        return chain.state.position

    def info(self, chain):
        """float[len(fields)], or float[n, len(fields)]"""
        return chain.info

    def failed(self, chain):
        """bool[], or bool[n]"""
        return np.logical_and(chain.starting, chain.tries >= MAX_TRIES)

    def looked_at(self, chain):
        """float[d], or float[n, d]"""
        return chain.state.position


@dataclass(frozen=True)
class Stepwise(Stepped):
    """A turn of the loop is one transition, or one look at a start point."""
    move: Move
    radius: float = 2.0

    @property
    def fields(self):
        """The kernel's facts."""
        return self.move.fields

    def advance(self, chain, logdensity_fn):
        """One transition."""
        key = key_of(random.hash_bits(chain.seed, np.astype(chain.transition, onp.uint64)))
        state, info, evaluations = self.move.step(key, chain.state, logdensity_fn, chain.adaptation.params,
                                                  chain.starting)
        return cond(chain.starting, self._look, self._moved, chain._replace(state=state), info), evaluations

    def _look(self, chain, info):
        """Begin here if the log-density is finite, else at another point."""
        state, tries = chain.state, chain.tries + 1
        found, q = np.isfinite(state.logdensity), state.position
        again = np.astype(start_point(chain.seed, tries, q.shape[0], self.radius), q.dtype)
        blank = self.move.blank(np.where(tries < MAX_TRIES, again, q))
        adaptation = cond(found, lambda a: self.move.begin(a, state), lambda a: a, chain.adaptation)
        return chain._replace(starting=np.logical_not(found), tries=tries, state=choose(found, state, blank),
                              adaptation=adaptation)

    def _moved(self, chain, info):
        transition = chain.transition + 1
        return chain._replace(transition=transition, info=np.stack([np.astype(x, chain.info.dtype) for x in info]),
                              adaptation=self.move.adapt(chain.adaptation, transition, chain.state, info))

    def restart(self, chain, point):
        """At another point."""
        q = np.astype(np.asarray(point), chain.state.position.dtype)
        return chain._replace(tries=np.asarray(MAX_TRIES - 1), state=self.move.blank(q))
