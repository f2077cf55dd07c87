"""Microcanonical Langevin Monte Carlo: a particle of constant speed, turned by the gradient and by noise.

    dx = u dt,     du = (I - u uᵀ) (g(x) / (d - 1) dt + noise),     |u| = 1,  g = ∇ log density

keeps energy, - log density + (d - 1) log speed-up, and has the density as its stationary distribution if time is
continuous. A step of size ε is a half-turn by the gradient, a move, a half-turn, and a partial refreshment of u that
forgets it over a length L.

`step` accepts every step. Its draws have a **bias** that falls with ε: of the order of the energy's variance per
dimension and step, which `adapt` holds near 5 · 10⁻⁴. In return there is no rejection, and one gradient moves far in
many dimensions. `adjusted_step` refreshes u, takes several steps, and accepts the end by Metropolis' rule: no bias.

At least two dimensions are needed.
Source: Robnik, De Luca, Silverstein & Seljak (2023), JMLR 24; Robnik & Seljak (2024), AABI, equations 5 to 8; the
adjusted form: Robnik, Cohn-Gordon & Seljak (2025), arXiv:2503.01707.
"""
from typing import NamedTuple

from ..engine import numpy as np
from ..engine import value_and_grad, while_loop
from ..engine.array import Array
from ..engine.errors import ShapeError
from .base import choose, flattened, gain, metropolis, normal, seed_of, spread, spread_transposed, uniform
from .hmc import MAX_ENERGY_ERROR
from .metrics import Diagonal

__all__ = ["Info", "Params", "State", "adjusted_step", "init", "step"]


class State(NamedTuple):
    """Where the chain is."""
    position: object               # any tree
    logdensity: Array              # float[]
    grad: Array                    # float[d], of the log-density
    direction: Array               # float[d], u, in coordinates where the metric is the identity; 0 before a first step


class Params(NamedTuple):
    """Step size, length of memory, metric."""
    step_size: Array               # float[], ε
    length: Array                  # float[], L
    metric: Diagonal


class Info(NamedTuple):
    """Facts of a transition."""
    logdensity: Array              # float[], at the new position
    accept_prob: Array             # float[]; of an unadjusted step 1, or 0 where it was not finite and was not taken
    num_steps: Array               # int[]
    diverging: Array               # bool[]
    step_size: Array               # float[]
    energy_error: Array            # float[], the sum over the steps
    energy_variance: Array         # float[], the mean over the steps of energy error² / d


class Point(NamedTuple):
    """A place and a direction."""
    q: Array                       # float[d]
    u: Array                       # float[d]
    logdensity: Array              # float[]
    grad: Array                    # float[d]


def init(position, logdensity_fn):
    """The state at a position. Raises ShapeError where it has fewer than two dimensions."""
    x, _, f = flattened(position, logdensity_fn)
    if x.shape[0] < 2:
        raise ShapeError("a particle of constant speed turns in two dimensions or more; the position has "
                         f"{x.shape[0]}.\nUse hmc or slices for one.")
    return State(position, *value_and_grad(f)(x), np.zeros_like(x))


def turn(u, grad, eps, metric):
    """(direction, gain of kinetic energy) after the gradient acted for a time.

        u ← (u + e (sinh δ + (e·u) (cosh δ - 1))) / (cosh δ + (e·u) sinh δ),    δ = ε |g| / (d - 1),  e = g / |g|

    and the kinetic energy grows by (d - 1) log(cosh δ + (e·u) sinh δ). Both with exp(-δ) in place of exp(δ).
    """
    g = spread_transposed(metric, grad)
    size = np.sqrt(np.sum(g * g))
    e = g / np.where(size > 0.0, size, 1.0)
    delta = eps * size / (u.shape[0] - 1.0)
    z, along = np.exp(-delta), np.sum(e * u)
    new = e * (1.0 - z) * (1.0 + z + along * (1.0 - z)) + 2.0 * z * u
    energy = (u.shape[0] - 1.0) * (delta + np.log(0.5 * (1.0 + along + (1.0 - along) * z * z)))
    return new / np.sqrt(np.sum(new * new)), energy


def leapfrog(point, f, eps, metric):
    """(point, energy error) of one step: turn, move, turn."""
    u, first = turn(point.u, point.grad, 0.5 * eps, metric)
    q = point.q + eps * spread(metric, u)
    logdensity, grad = value_and_grad(f)(q)
    u, second = turn(u, grad, 0.5 * eps, metric)
    error = -gain(logdensity - first - second, point.logdensity)
    fine = np.logical_and(np.all(np.isfinite(u)), np.all(np.isfinite(grad)))
    return Point(q, u, logdensity, grad), np.where(fine, error, np.inf)


def refresh(u, z, nu):
    """(u + ν z) / |u + ν z|, with z normal."""
    new = u + nu * z
    return new / np.sqrt(np.sum(new * new))


class _Path(NamedTuple):
    """Steps under way."""
    steps: Array
    point: Point
    error: Array                   # the sum of energy errors
    squares: Array                 # of their squares
    worst: Array


def _integrate(seed, start, f, params, num_steps, advance):
    """Take so many steps by a function of (point, step number) -> (point, energy error)."""
    def go(path):
        point, error = advance(path.point, path.steps)
        return _Path(path.steps + 1, point, path.error + error, path.squares + error * error,
                     np.maximum(path.worst, error))
    zero = np.zeros_like(start.logdensity)
    count = np.asarray(num_steps)
    return while_loop(lambda p: p.steps < count, go, _Path(np.zeros_like(count), start, zero, zero, zero))


def step(key, state, logdensity_fn, params, *, num_steps=1):
    """(State, Info) after `num_steps` steps, each of them accepted; see the module for the bias.

    A step to where the log-density is not finite is not taken: the particle stays and turns back.

    >>> from chainrule.engine import random
    >>> from chainrule.inference import mclmc, metrics
    >>> logdensity = lambda x: -0.5 * np.sum(x ** 2)
    >>> params = mclmc.Params(np.asarray(0.5), np.asarray(1.4), metrics.Diagonal(np.ones(2)))
    >>> state, info = mclmc.step(random.key(0), mclmc.init(np.zeros(2), logdensity), logdensity, params, num_steps=5)
    >>> int(info.num_steps), bool(info.diverging)
    (5, False)
    """
    q, unravel, f = flattened(state.position, logdensity_fn)
    seed, d = seed_of(key), q.shape[0]
    eps = np.asarray(params.step_size, q.dtype)
    nu = np.sqrt(np.expm1(2.0 * eps / params.length) / d)
    nu = np.where(np.sum(state.direction ** 2) > 0.0, nu, 1.0)

    def advance(point, i):
        point = point._replace(u=refresh(point.u, normal(seed, i, q), nu))
        new, error = leapfrog(point, f, eps, params.metric)
        return choose(error < np.inf, new, point._replace(u=-point.u)), error

    path = _integrate(seed, Point(q, state.direction, state.logdensity, state.grad), f, params, num_steps, advance)
    end, fine = path.point, path.worst < np.inf
    info = Info(end.logdensity, np.astype(fine, q.dtype), np.asarray(path.steps), np.logical_not(fine), eps, path.error,
                path.squares / path.steps / d)
    return State(unravel(end.q), end.logdensity, end.grad, end.u), info


def adjusted_step(key, state, logdensity_fn, params, *, num_steps):
    """(State, Info) of one transition without bias: a new direction, `num_steps` steps, and Metropolis' rule.

    params.length is not used.
    """
    q, unravel, f = flattened(state.position, logdensity_fn)
    seed = seed_of(key)
    eps = np.asarray(params.step_size, q.dtype)
    z = normal(seed, 0, q)
    start = Point(q, z / np.sqrt(np.sum(z * z)), state.logdensity, state.grad)
    path = _integrate(seed, start, f, params, num_steps, lambda point, i: leapfrog(point, f, eps, params.metric))
    accepted, accept_prob = metropolis(uniform(seed, 1, q.dtype), -path.error)
    end = choose(accepted, path.point, start)
    info = Info(end.logdensity, accept_prob, np.asarray(path.steps), path.worst > MAX_ENERGY_ERROR, eps, path.error,
                path.squares / path.steps / q.shape[0])
    return State(unravel(end.q), end.logdensity, end.grad, end.u), info
