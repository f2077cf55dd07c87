"""Elliptical slice sampling: for a density that is a normal prior times a likelihood.

    ν ~ N(0, C),   x(θ) = m + (x - m) cos θ + ν sin θ

lies on an ellipse through x, and for every θ is as likely a priori. A height is drawn below the likelihood of x; angles
are drawn, from the whole circle and then from an arc that shrinks towards x, until the likelihood is higher. No step
size, and no gradient.

Source: Murray, Adams & MacKay (2010), AISTATS, figure 2. Any density is one over N(m, C) times N(m, C), so that the
normal distribution may as well be an approximation (Nishihara, Murray & Adams 2014, JMLR 15); its tails should not be
lighter than those of the density.
"""
import math
from typing import NamedTuple

from ..engine import numpy as np
from ..engine import while_loop
from ..engine.array import Array
from ..engine.scipy.linalg import solve_triangular
from .base import flattened, normal, seed_of, uniform
from .rwm import State, init

MAX_SHRINKS = 200                  # then the transition stays where it is

__all__ = ["Info", "Params", "State", "init", "log_prior", "params_of", "step"]


class Params(NamedTuple):
    """The normal prior N(mean, root rootᵀ)."""
    mean: Array                    # float[d], the leaves laid end to end
    root: Array                    # float[d, d], a lower triangle; or float[d], the standard deviations


class Info(NamedTuple):
    """Facts of a transition."""
    logdensity: Array              # float[], the log-likelihood at the new position
    num_steps: Array               # int[], evaluations of the likelihood
    angle: Array                   # float[], by which the position moved on the ellipse


class _Search(NamedTuple):
    evaluations: Array             # int[]
    found: Array                   # bool[]
    angle: Array
    low: Array
    high: Array
    y: Array                       # float[d]
    logdensity: Array


def params_of(mean, covariance):
    """The prior of a mean, float[d], and a covariance: float[d, d], or the variances, float[d]."""
    covariance = np.asarray(covariance)
    root = np.sqrt(covariance) if covariance.ndim == 1 else np.linalg.cholesky(covariance)
    return Params(np.asarray(mean), root)


def log_prior(x, params):
    """log N(x; mean, root rootᵀ), without the constant.   float[d] -> float[]"""
    off = x - params.mean
    z = off / params.root if params.root.ndim == 1 else solve_triangular(params.root, off, lower=True)
    return -0.5 * np.sum(z * z)


def step(key, state, logdensity_fn, params, *, arc=2 * math.pi):
    """(State, Info) of one transition.

    logdensity_fn : the log-likelihood alone, without the prior          arc : where the first angle is drawn from

    >>> from chainrule.engine import random
    >>> from chainrule.inference import elliptical_slice
    >>> loglikelihood = lambda x: -0.5 * np.sum((x - 1.0) ** 2)
    >>> prior = elliptical_slice.params_of(np.zeros(2), np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> state = elliptical_slice.init(np.zeros(2), loglikelihood)
    >>> state, info = elliptical_slice.step(random.key(0), state, loglikelihood, prior)
    >>> info.num_steps >= 1
    Array(True)
    """
    x, unravel, f = flattened(state.position, logdensity_fn)
    seed = seed_of(key)
    off, z = x - params.mean, normal(seed, 0, x)
    nu = params.root * z if params.root.ndim == 1 else params.root @ z
    height = state.logdensity + np.log(uniform(seed, 1, x.dtype))
    angle = arc * uniform(seed, 2, x.dtype)

    def evaluate(s):
        y = params.mean + off * np.cos(s.angle) + nu * np.sin(s.angle)
        y = np.where(s.angle == 0.0, x, y)
        logdensity = f(y)
        found = np.logical_and(logdensity > height, logdensity < np.inf)
        low, high = np.where(s.angle < 0, s.angle, s.low), np.where(s.angle < 0, s.high, s.angle)
        again = low + uniform(seed, s.evaluations + 3, x.dtype) * (high - low)
        return _Search(s.evaluations + 1, found, np.where(found, s.angle, again), low, high,
                       np.where(found, y, x), np.where(found, logdensity, state.logdensity))

    none = np.asarray(0)
    start = _Search(none, np.asarray(False), angle, angle - arc, angle, x, state.logdensity)
    end = while_loop(lambda s: np.logical_and(np.logical_not(s.found), s.evaluations < MAX_SHRINKS), evaluate, start)
    return State(unravel(end.y), end.logdensity), Info(end.logdensity, end.evaluations, end.angle)
