"""Chains that move together: a kernel of an ensemble, whose start, warm-up and sampling are one loop.

The ensemble starts when each of its chains is at a point with a finite log-density; see `stepwise`, of which this is
the form with the chains in front. What one chain does depends on the others, so that its draws are a function of the
key and of how many chains there are.
"""
from dataclasses import dataclass
from typing import NamedTuple

import numpy as onp

from ..engine import cond, random, vmap
from ..engine import numpy as np
from ..engine.array import Array
from ..engine.avals import default_float
from .base import key_of
from .nuts import MAX_TRIES, start_point
from .stepwise import Move, Stepped


class Member(NamedTuple):
    """One chain before the ensemble is put together."""
    seed: Array                    # uint64[]
    position: Array                # float[d]
    tries: Array                   # int[]


class Fixed(NamedTuple):
    """Parameters that warm-up leaves as they are."""
    params: object


class Chain(NamedTuple):
    """Everything that the ensemble is between two transitions."""
    seeds: Array                   # uint64[n]
    starting: Array                # bool[n]
    tries: Array                   # int[n]
    transition: Array              # int[]
    state: object                  # the kernel's; its position is float[n, d]
    adaptation: object
    info: Array                    # float[n, len(fields)]


def member(seed, position=None, *, num_dims=None, radius=2.0):
    """A chain before its first evaluation; see `stepwise.init`."""
    given = position is not None
    q = np.asarray(position) if given else start_point(seed, onp.asarray(0), num_dims, radius)
    return Member(seed, np.astype(q, default_float()), np.asarray(MAX_TRIES - 1 if given else 0))


def init(move, members, adaptation):
    """The ensemble of some members."""
    seeds, x, tries = [np.stack(column) for column in zip(*members)]
    n = len(members)
    return Chain(seeds, np.ones(n, bool), tries, np.asarray(0), move.blank(x), adaptation,
                 np.zeros((n, len(move.fields)), x.dtype))


@dataclass(frozen=True)
class Ensemble(Stepped):
    """A turn of the loop is one transition of all chains, or one look at start points."""
    move: Move
    radius: float = 2.0
    ensemble = True

    @property
    def fields(self):
        """The kernel's facts."""
        return self.move.fields

    def advance(self, chain, logdensity_fn):
        """One transition of all chains."""
        key = key_of(random.hash_bits(chain.seeds[0], np.astype(chain.transition, onp.uint64)))
        still = np.any(chain.starting)
        state, info, evaluations = self.move.step(key, chain.state, logdensity_fn, chain.adaptation.params, still)
        return cond(still, self._look, self._moved, chain._replace(state=state), info), evaluations

    def _look(self, chain, info):
        """Put those that are not at a point with a finite log-density at another one."""
        state = chain.state
        starting = np.logical_and(chain.starting, np.logical_not(np.isfinite(state.logdensity)))
        tries = chain.tries + np.astype(chain.starting, int)
        n, d = state.position.shape
        again = vmap(lambda seed, tries: start_point(seed, tries, d, self.radius))(chain.seeds, tries)
        move_on = np.logical_and(starting, tries < MAX_TRIES)
        position = np.where(move_on[:, None], np.astype(again, state.position.dtype), state.position)
        adaptation = cond(np.any(starting), lambda a: a, lambda a: self.move.begin(a, state), chain.adaptation)
        return chain._replace(starting=starting, tries=tries, state=state._replace(position=position),
                              adaptation=adaptation)

    def _moved(self, chain, info):
        transition = chain.transition + 1
        facts = [np.broadcast_to(np.astype(x, chain.info.dtype), chain.info.shape[:1]) for x in info]
        return chain._replace(transition=transition, info=np.stack(facts, -1),
                              adaptation=self.move.adapt(chain.adaptation, transition, chain.state, info))

    def member(self, chain, j):
        """The whole: no chain of an ensemble is one by itself."""
        return chain

    def restart_member(self, chain, point, j):
        """With the j-th chain at another point."""
        position = chain.state.position.at[j].set(np.asarray(point))
        return chain._replace(state=chain.state._replace(position=position), tries=chain.tries.at[j].set(MAX_TRIES - 1))
