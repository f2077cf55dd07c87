"""Random walk Metropolis: a normal step of a given covariance, accepted or not.

    y ~ N(x, ε² M⁻¹),   accepted with probability min(1, density(y) / density(x))

Needs no gradient. In many dimensions an acceptance of 0.234 is best, in one 0.44.
Source: Metropolis et al. (1953); Gelman, Gilks & Roberts (1997), Annals of Applied Probability 7.
"""
from typing import NamedTuple

from ..engine import numpy as np
from ..engine.array import Array
from .base import Params, flattened, gain, metropolis, normal, seed_of, spread, uniform

__all__ = ["Info", "Params", "State", "init", "step"]


class State(NamedTuple):
    """Where the chain is."""
    position: object               # any tree
    logdensity: Array              # float[]


class Info(NamedTuple):
    """Facts of a transition."""
    logdensity: Array              # float[], at the new position
    accept_prob: Array             # float[]
    accepted: Array                # bool[]
    step_size: Array               # float[]


def init(position, logdensity_fn):
    """The state at a position."""
    return State(position, logdensity_fn(position))


def step(key, state, logdensity_fn, params):
    """(State, Info) of one transition.

    params.metric : its M⁻¹ is the covariance of the step: Diagonal(variance), or `metrics.dense(covariance)`

    >>> from chainrule.engine import random
    >>> from chainrule.inference import metrics, rwm
    >>> logdensity = lambda x: -0.5 * np.sum(x ** 2)
    >>> params = rwm.Params(0.1, metrics.dense(np.array([[1.0, 0.5], [0.5, 1.0]])))
    >>> state, info = rwm.step(random.key(0), rwm.init(np.zeros(2), logdensity), logdensity, params)
    >>> 0 < info.accept_prob <= 1
    Array(True)
    """
    x, unravel, f = flattened(state.position, logdensity_fn)
    seed = seed_of(key)
    y = x + params.step_size * spread(params.metric, normal(seed, 0, x))
    logdensity = f(y)
    accepted, accept_prob = metropolis(uniform(seed, 1, x.dtype), gain(logdensity, state.logdensity))
    logdensity = np.where(accepted, logdensity, state.logdensity)
    info = Info(logdensity, accept_prob, accepted, np.asarray(params.step_size, x.dtype))
    return State(unravel(np.where(accepted, y, x)), logdensity), info
