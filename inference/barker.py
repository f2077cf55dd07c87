"""Barker's proposal: a step of random size whose direction, in each coordinate, the gradient makes more or less likely.

    z ~ N(0, ε²),   yᵢ = xᵢ + bᵢ zᵢ,   bᵢ = +1 with probability 1 / (1 + exp(-zᵢ gᵢ(x))), else -1

in coordinates in which M⁻¹ is the identity. Large gradients cannot make the step large, so that it bears a step size
that is far off, and skewed targets, better than MALA. An acceptance of 0.4 is best.
Source: Livingstone & Zanella (2022), JRSS B 84, algorithms 1 and 2.
"""
from typing import NamedTuple

from ..engine import numpy as np
from ..engine import value_and_grad
from ..engine.array import Array
from .base import Params, choose, flattened, gain, metropolis, normal, seed_of, spread, spread_transposed, uniform
from .hmc import State, init

__all__ = ["Info", "Params", "State", "init", "step"]


class Info(NamedTuple):
    """Facts of a transition."""
    logdensity: Array              # float[], at the new position
    accept_prob: Array             # float[]
    accepted: Array                # bool[]
    step_size: Array               # float[]


def step(key, state, logdensity_fn, params):
    """(State, Info) of one transition.

    >>> from chainrule.engine import random
    >>> from chainrule.inference import barker, metrics
    >>> logdensity = lambda x: -0.5 * np.sum(x ** 2)
    >>> params = barker.Params(0.5, metrics.Diagonal(np.ones(2)))
    >>> state, info = barker.step(random.key(0), barker.init(np.zeros(2), logdensity), logdensity, params)
    >>> 0 < info.accept_prob <= 1
    Array(True)
    """
    x, unravel, f = flattened(state.position, logdensity_fn)
    seed = seed_of(key)
    z = params.step_size * normal(seed, 0, x)
    slope = spread_transposed(params.metric, state.grad)
    up = uniform(seed, 1, x.dtype, x.shape) * (1.0 + np.exp(-z * slope)) < 1.0
    move = np.where(up, z, -z)
    y = x + spread(params.metric, move)
    logdensity, grad = value_and_grad(f)(y)
    back = spread_transposed(params.metric, grad)
    # of the probabilities of the two directions, 1 / (1 + exp(move gradient(y))) and 1 / (1 + exp(-move gradient(x)))
    directions = np.sum(np.logaddexp(0.0, -move * slope) - np.logaddexp(0.0, move * back))
    accepted, accept_prob = metropolis(uniform(seed, 2, x.dtype), gain(logdensity + directions, state.logdensity))
    new = choose(accepted, (y, logdensity, grad), State(x, state.logdensity, state.grad))
    info = Info(new.logdensity, accept_prob, accepted, np.asarray(params.step_size, x.dtype))
    return new._replace(position=unravel(new.position)), info
