"""What the kernels share: positions as vectors, the bits of a key, and the acceptance of a proposal.

A kernel is a module with two pure functions over named tuples:

    init(position, logdensity_fn) -> State          step(key, state, logdensity_fn, params, ...) -> (State, Info)

A position is any tree of float arrays. `Info` holds scalars, facts of the transition for a person; `Params` the numbers
that warm-up may change. A log-density that is not finite counts as -∞: such a point is never accepted. A state whose
own log-density is -∞ accepts any point that is finite, which is how a chain looks at its start.
"""
from typing import NamedTuple

import numpy as onp

from ..engine import numpy as np
from ..engine import random, ravel_pytree, vjp
from ..engine.array import Array
from .metrics import Dense, Diagonal, LowRank


class Params(NamedTuple):
    """The numbers of a kernel that moves by steps in a metric."""
    step_size: Array               # float[]
    metric: Diagonal | Dense | LowRank


def flattened(position, logdensity_fn):
    """(x, unravel, f): the position as a vector float[d], its inverse, and the log-density of vectors."""
    x, unravel = ravel_pytree(position)
    return x, unravel, lambda x: logdensity_fn(unravel(x))


def seed_of(key):
    """The 64 bits of a key, for `random.hash_uniform` and `random.hash_normal`.   Key[] -> uint64[]"""
    words = np.astype(random.key_data(key), onp.uint64)
    return np.bitwise_or(np.left_shift(words[0], onp.uint64(32)), words[1])


def key_of(seed):
    """The key whose bits these are.   uint64[] -> Key[]"""
    return random.key(seed)


def normal(seed, purpose, like):
    """Standard normal numbers of the shape and type of `like`, for a purpose: a count."""
    return random.hash_normal(seed, counter(purpose), like.shape, like.dtype)


def uniform(seed, purpose, dtype, shape=()):
    """Numbers in (0, 1) for a purpose: a count, which may be traced."""
    return random.hash_uniform(seed, counter(purpose), shape, dtype)


def counter(purpose):
    """A count as the hash takes it."""
    return onp.uint64(purpose) if isinstance(purpose, int) else np.astype(purpose, onp.uint64)


def below(u, n):
    """An integer of 0 … n - 1, for a number in (0, 1).   float[...], int -> int[...]"""
    return np.minimum(np.astype(np.floor(u * n), int), n - 1)


def gain(new, old):
    """new - old, of log-weights; -∞ where the new one is not finite."""
    return np.where(np.isfinite(new), new - old, -np.inf)


def metropolis(u, log_ratio):
    """(whether to accept, with which probability): min(1, exp(log_ratio)); u is uniform."""
    return np.log(u) < log_ratio, np.exp(np.minimum(log_ratio, 0.0))


def choose(condition, new, old):
    """One named tuple or the other, entry by entry; the condition may have an axis of chains in front."""
    lead = lambda x: np.reshape(condition, condition.shape + (1,) * (x.ndim - condition.ndim))
    return type(old)(*[np.where(lead(b), a, b) for a, b in zip(new, old)])


def spread(metric, z):
    """A z with A Aᵀ = M⁻¹, the covariance that the metric supposes."""
    return metric.velocity(metric.momentum(z))


def spread_transposed(metric, g):
    """Aᵀ g, of `spread`."""
    _, pull = vjp(lambda z: spread(metric, z), np.zeros_like(g))
    return pull(g)[0]
