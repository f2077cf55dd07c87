"""Hamiltonian Monte Carlo with a trajectory of a given number of steps.

    p ~ N(0, M);   energy(q, p) = ½ pᵀ M⁻¹ p - log density(q)

The next position is the end of the trajectory, by Metropolis' rule, or a point of the whole trajectory with probability
proportional to exp(-energy). For the second, the position lies at a uniform place of the trajectory: some of its steps
go backwards. Trajectories of one length fail on a normal target whose period divides it: let the number of steps vary
from transition to transition (`steps_of`).

Source: Neal (2011), Handbook of MCMC, chapter 5; Betancourt (2017), arXiv:1701.02434, appendix A.2.
"""
from typing import NamedTuple

from ..engine import numpy as np
from ..engine import value_and_grad, while_loop
from ..engine.array import Array
from .base import Params, below, choose, flattened, gain, metropolis, normal, seed_of, uniform

MAX_ENERGY_ERROR = 1000.0
MAX_STEPS = 1000

__all__ = ["Info", "Params", "State", "init", "steps_of", "step"]


class State(NamedTuple):
    """Where the chain is."""
    position: object               # any tree
    logdensity: Array              # float[]
    grad: Array                    # float[d], of the log-density, the leaves laid end to end


class Info(NamedTuple):
    """Facts of a transition."""
    logdensity: Array              # float[], at the new position
    energy: Array                  # float[], at the new position and its momentum
    accept_prob: Array             # float[]: min(1, exp(-energy error)) at the end, or its mean over the trajectory
    num_steps: Array               # int[]
    diverging: Array               # bool[]: the energy rose by more than 1000, or was not finite
    step_size: Array               # float[]
    max_energy_error: Array        # float[], the largest in size, with its sign


class Point(NamedTuple):
    """A place of phase space."""
    q: Array                       # float[d]
    p: Array                       # float[d]
    logdensity: Array              # float[]
    grad: Array                    # float[d]


def init(position, logdensity_fn):
    """The state at a position."""
    x, _, f = flattened(position, logdensity_fn)
    return State(position, *value_and_grad(f)(x))


def steps_of(trajectory_length, step_size, max_steps=MAX_STEPS):
    """⌈trajectory_length / step_size⌉, between 1 and max_steps.   float[], float[] -> int[]"""
    return np.astype(np.clip(np.ceil(trajectory_length / step_size), 1, max_steps), int)


def kinetic(p, metric):
    """½ pᵀ M⁻¹ p"""
    return 0.5 * np.sum(p * metric.velocity(p))


def leapfrog(point, f, step_size, metric):
    """One step of the leapfrog integrator.   f : float[d] -> float[]"""
    p = point.p + 0.5 * step_size * point.grad
    q = point.q + step_size * metric.velocity(p)
    logdensity, grad = value_and_grad(f)(q)
    return Point(q, p + 0.5 * step_size * grad, logdensity, grad)


class _Path(NamedTuple):
    """A trajectory under way."""
    steps: Array                   # int[], taken
    moving: Point
    chosen: Point
    log_weight: Array              # log Σ exp(-energy)
    accept_sum: Array
    worst: Array


def step(key, state, logdensity_fn, params, *, num_steps, multinomial=False):
    """(State, Info) of one transition.

    num_steps : int[], leapfrog steps          multinomial : choose from the whole trajectory, not its end alone

    >>> from chainrule.engine import random
    >>> from chainrule.inference import hmc, metrics
    >>> logdensity = lambda x: -0.5 * np.sum(x ** 2)
    >>> params = hmc.Params(0.5, metrics.Diagonal(np.ones(2)))
    >>> state = hmc.init(np.zeros(2), logdensity)
    >>> state, info = hmc.step(random.key(0), state, logdensity, params, num_steps=3)
    >>> int(info.num_steps), bool(info.diverging)
    (3, False)
    """
    q, unravel, f = flattened(state.position, logdensity_fn)
    seed = seed_of(key)
    metric, eps = params.metric, np.asarray(params.step_size, q.dtype)
    start = Point(q, metric.momentum(normal(seed, 0, q)), state.logdensity, state.grad)
    energy = kinetic(start.p, metric) - start.logdensity
    num_steps = np.asarray(num_steps)
    forwards = below(uniform(seed, 1, q.dtype), num_steps + 1)

    def go(path):
        turn = np.logical_and(multinomial, path.steps == forwards)       # the rest goes backwards from the start
        moving = choose(turn, start, path.moving)
        back = np.logical_and(multinomial, path.steps >= forwards)
        moving = leapfrog(moving, f, np.where(back, -eps, eps), metric)
        weight = gain(moving.logdensity - kinetic(moving.p, metric), 0.0)
        delta = gain(weight, -energy)
        total = np.logaddexp(path.log_weight, weight)
        take = np.log(uniform(seed, path.steps + 3, q.dtype)) < gain(weight, total)
        return _Path(path.steps + 1, moving, choose(take, moving, path.chosen), total,
                     path.accept_sum + np.exp(np.minimum(delta, 0.0)),
                     np.where(np.abs(delta) > np.abs(path.worst), -delta, path.worst))

    zero = np.zeros_like(energy)
    path = while_loop(lambda p: p.steps < num_steps, go,
                      _Path(np.zeros_like(num_steps), start, start, -energy, zero, zero))
    end, accept_prob = path.chosen, path.accept_sum / num_steps
    if not multinomial:
        delta = gain(path.moving.logdensity - kinetic(path.moving.p, metric), -energy)
        accepted, accept_prob = metropolis(uniform(seed, 2, q.dtype), delta)
        end = choose(accepted, path.moving, start)
    info = Info(end.logdensity, kinetic(end.p, metric) - end.logdensity, accept_prob, num_steps,
                path.worst > MAX_ENERGY_ERROR, eps, path.worst)
    return State(unravel(end.q), end.logdensity, end.grad), info
