"""The affine-invariant ensemble sampler: walkers that take their steps from where the others are.

The walkers are halved. Each walker x of one half moves by walkers x', x'' of the other, then the halves change parts:

    stretch:    y = x' + z (x - x'),      z with density ∝ 1 / √z on [1/a, a],     ratio z^(d-1) density(y) / density(x)
    difference: y = x + γ (x' - x''),     γ ~ N(γ₀, σ²),                            ratio density(y) / density(x)

Both do the same on a target and on any affine image of it, so that scales and correlations need no adaptation; no
gradient either. In more than some twenty dimensions they move slowly.

A position has the walkers in front of every leaf; there are an even number of them, at least four, and more than twice
the dimensions.
Source: Goodman & Weare (2010), CAMCoS 5; ter Braak (2006), Statistics and Computing 16; the halves: Foreman-Mackey et
al. (2013), PASP 125.
"""
from typing import NamedTuple

from ..engine import fori_loop, ravel_pytree, vmap
from ..engine import numpy as np
from ..engine.array import Array
from ..engine.errors import ShapeError
from ..engine.tree import leaves
from ..engine.tree import map as tree_map
from .base import below, gain, metropolis, seed_of, uniform
from .base import normal as normal_like

__all__ = ["Info", "Params", "State", "flattened_walkers", "init", "params_of", "step"]


class State(NamedTuple):
    """Where the walkers are."""
    position: object               # any tree, the walkers in front
    logdensity: Array              # float[n]


class Params(NamedTuple):
    """The two moves."""
    stretch_prob: Array            # float[]: how often a transition stretches
    stretch: Array                 # float[], a > 1
    difference: Array              # float[], γ₀
    difference_sd: Array           # float[], σ


class Info(NamedTuple):
    """Facts of a transition."""
    logdensity: Array              # float[n], at the new positions
    accept_prob: Array             # float[n]
    accepted: Array                # bool[n]


def params_of(num_dims, *, stretch_prob=0.0, stretch=2.0, difference=None, difference_sd=1e-5):
    """Usual parameters: γ₀ = 2.38 / √(2 d)."""
    difference = 2.38 / (2.0 * num_dims) ** 0.5 if difference is None else difference
    return Params(*[np.asarray(float(v)) for v in (stretch_prob, stretch, difference, difference_sd)])


def flattened_walkers(position, logdensity_fn):
    """(x float[n, d], unravel, f): all walkers as one matrix, its inverse, and the log-densities of such a matrix."""
    x = vmap(lambda p: ravel_pytree(p)[0])(position)
    _, one = ravel_pytree(tree_map(lambda leaf: leaf[0], position))
    return x, vmap(one), vmap(lambda x: logdensity_fn(one(x)))


def init(position, logdensity_fn):
    """The state at a position. Raises ShapeError for an odd number of walkers, or fewer than four."""
    sizes = {np.shape(leaf)[0] if np.ndim(leaf) else None for leaf in leaves(position)}
    n = sizes.pop() if len(sizes) == 1 else None
    if n is None or n % 2 or n < 4:
        raise ShapeError("the position of an ensemble has its walkers in front of every leaf, an even number of them, "
                         f"four or more; its leaves have shapes {[np.shape(leaf) for leaf in leaves(position)]}.\n"
                         "Stack as many start points: np.stack([...]).")
    return State(position, vmap(logdensity_fn)(position))


def step(key, state, logdensity_fn, params, *, randomize_split=False):
    """(State, Info) of one transition, in which each walker has one proposal.

    randomize_split : halve the walkers anew in each transition, instead of the first half and the second

    >>> from chainrule.engine import random
    >>> from chainrule.inference import aies
    >>> logdensity = lambda x: -0.5 * np.sum(x ** 2)
    >>> state = aies.init(random.normal(random.key(0), (8, 2)), logdensity)
    >>> state, info = aies.step(random.key(1), state, logdensity, aies.params_of(2))
    >>> info.accept_prob.shape
    (8,)
    """
    x, unravel, f = flattened_walkers(state.position, logdensity_fn)
    seed, (n, d) = seed_of(key), x.shape
    order = np.argsort(uniform(seed, 1, x.dtype, (n,))) if randomize_split else np.arange(n)
    half = n // 2
    stretching = uniform(seed, 2, x.dtype) < params.stretch_prob
    halves = lambda a: np.reshape(a[order], (2, half, *a.shape[1:]))

    def move(h, carry):
        x, logdensity, prob, accepted = carry
        active, others = x[h], x[1 - h]
        u = lambda k: uniform(seed, h * 8 + 8 + k, x.dtype, (half,))
        first = below(u(0), half)
        second = (first + 1 + below(u(1), half - 1)) % half
        z = ((params.stretch - 1.0) * u(2) + 1.0) ** 2 / params.stretch
        gamma = params.difference + params.difference_sd * normal_like(seed, h * 8 + 11, u(0))
        shift = np.where(stretching, (z - 1.0)[:, None] * (active - others[first]),
                         gamma[:, None] * (others[first] - others[second]))
        y = active + shift
        new = f(y)
        ratio = gain(new, logdensity[h]) + np.where(stretching, (d - 1.0) * np.log(z), 0.0)
        take, probability = metropolis(u(4), ratio)
        x = x.at[h].set(np.where(take[:, None], y, active))
        logdensity = logdensity.at[h].set(np.where(take, new, logdensity[h]))
        return x, logdensity, prob.at[h].set(probability), accepted.at[h].set(take)

    zeros = np.zeros((2, half), x.dtype)
    out = fori_loop(0, 2, move, (halves(x), halves(state.logdensity), zeros, zeros > 0))
    back = np.argsort(order)
    x, logdensity, prob, accepted = [np.reshape(a, (n, *a.shape[2:]))[back] for a in out]
    return State(unravel(x), logdensity), Info(logdensity, prob, accepted)
