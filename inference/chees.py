"""ChEES-HMC: Hamiltonian Monte Carlo of chains side by side, which learn the length of their trajectories together.

All chains take the same number of leapfrog steps, ⌈h T / ε⌉, with h from the Halton sequence of base 2, so that lengths
fill (0, T] evenly. T follows the gradient of a criterion, the change in the estimator of the expected square,

    ChEES = ¼ E (|q' - E q'|² - |q - E q|²)²,     ∂ChEES/∂log T = h T · E (|q' - E q'|² - |q - E q|²) (q' - E q')ᵀ v'

where q' is the end of a trajectory that began at q, v' its velocity there, and |x|² = xᵀ M x. The mean over the chains
is weighted by their acceptance probabilities. The gradient comes with the transition (`Info.slope`); `adapt` climbs it.
No chain waits for another's tree, and on an accelerator all of them are one batch.

A position has the chains in front of every leaf; with fewer than some ten of them the criterion is noisy.
Source: Hoffman, Radul & Sountsov (2021), AISTATS, algorithms 1 and 2.
"""
import math
from typing import NamedTuple

import numpy as onp

from ..engine import cond, value_and_grad, vjp, vmap, while_loop
from ..engine import numpy as np
from ..engine.array import Array
from ..engine.tree import map as tree_map
from .adaptation import DualAveraging, dual_averaging, update_dual
from .aies import flattened_walkers
from .base import choose, gain, metropolis, normal, seed_of, uniform
from .fisher import GREATEST, LEAST
from .hmc import MAX_ENERGY_ERROR, MAX_STEPS, Point, kinetic, leapfrog, steps_of
from .metrics import Diagonal

RATE, DECAY, CLIP = 0.025, 0.95, 0.35      # Adam's step in log T, the decay of its second moment, its greatest change
EARLY = 50                                 # transitions before T moves, or a tenth of warm-up
MEMORY = 30.0                              # transitions that the variances of the metric remember

__all__ = ["Adaptation", "Info", "Params", "State", "adapt", "adaptation", "init", "step"]


class State(NamedTuple):
    """Where the chains are."""
    position: object               # any tree, the chains in front
    logdensity: Array              # float[n]
    grad: Array                    # float[n, d]
    number: Array                  # int[], transitions so far, which is the place in the Halton sequence


class Params(NamedTuple):
    """What the chains share."""
    step_size: Array               # float[]
    trajectory_length: Array       # float[], T
    metric: Diagonal


class Info(NamedTuple):
    """Facts of a transition."""
    logdensity: Array              # float[n], at the new positions
    energy: Array                  # float[n]
    accept_prob: Array             # float[n]
    num_steps: Array               # int[], the same for all
    diverging: Array               # bool[n]
    step_size: Array               # float[]
    max_energy_error: Array        # float[n], at the end
    trajectory_length: Array       # float[], T
    slope: Array                   # float[], the gradient of the criterion in log T


def init(position, logdensity_fn):
    """The state at a position with the chains in front."""
    x, _, _ = flattened_walkers(position, logdensity_fn)
    return State(position, *vmap(value_and_grad(_rows(position, logdensity_fn)))(x), np.asarray(0))


def _rows(position, logdensity_fn):
    """The log-density of one row of the matrix of positions."""
    _, unravel, _ = flattened_walkers(position, logdensity_fn)
    return lambda x: logdensity_fn(tree_map(lambda leaf: leaf[0], unravel(x[None])))


def halton(count):
    """The number `count` of the Halton sequence of base 2, from 1: ½, ¼, ¾, ⅛, …   int[] -> float[]"""
    k = onp.arange(52)
    bits = np.bitwise_and(np.right_shift(np.asarray(count), k), onp.asarray(1))
    return np.sum(bits * 0.5 ** (k + 1.0))


def step(key, state, logdensity_fn, params, *, max_steps=MAX_STEPS):
    """(State, Info) of one transition of all chains.

    >>> from chainrule.engine import random
    >>> from chainrule.inference import chees, metrics
    >>> logdensity = lambda x: -0.5 * np.sum(x ** 2)
    >>> state = chees.init(random.normal(random.key(0), (8, 2)), logdensity)
    >>> params = chees.Params(np.asarray(0.5), np.asarray(3.0), metrics.Diagonal(np.ones(2)))
    >>> state, info = chees.step(random.key(1), state, logdensity, params)
    >>> int(info.num_steps), info.accept_prob.shape
    (3, (8,))
    """
    x, unravel, _ = flattened_walkers(state.position, logdensity_fn)
    f, seed, metric = _rows(state.position, logdensity_fn), seed_of(key), params.metric
    eps = np.asarray(params.step_size, x.dtype)
    time = np.astype(halton(state.number + 1), x.dtype) * params.trajectory_length
    num_steps = steps_of(time, eps, max_steps)
    start = Point(x, vmap(metric.momentum)(normal(seed, 0, x)), state.logdensity, state.grad)
    energies = lambda point: vmap(lambda p: kinetic(p, metric))(point.p) - point.logdensity

    def go(c):
        i, point = c
        return i + 1, vmap(lambda point: leapfrog(point, f, eps, metric))(point)

    _, end = while_loop(lambda c: c[0] < num_steps, go, (np.zeros_like(num_steps), start))
    energy, end_energy = energies(start), energies(end)
    delta = gain(-end_energy, -energy)
    accepted, accept_prob = metropolis(uniform(seed, 1, x.dtype, (x.shape[0],)), delta)
    slope = time * _criterion_slope(start.q, end, accept_prob, metric)
    new = choose(accepted, end, start)
    info = Info(new.logdensity, np.where(accepted, end_energy, energy), accept_prob, num_steps,
                delta < -MAX_ENERGY_ERROR, eps, -delta, np.asarray(params.trajectory_length, x.dtype), slope)
    return State(unravel(new.q), new.logdensity, new.grad, state.number + 1), info


def _criterion_slope(start, end, weight, metric):
    """The mean of (|q' - E q'|² - |q - E q|²) (q' - E q')ᵀ v'; chains whose end is not finite have no part."""
    fine = np.all(np.logical_and(np.isfinite(end.q), np.isfinite(end.p)), axis=-1)
    q, p = np.where(fine[:, None], end.q, 0.0), np.where(fine[:, None], end.p, 0.0)
    weight = np.where(fine, weight, 0.0)
    total = np.sum(weight) + 1e-20
    off = q - np.sum(weight[:, None] * q, 0) / total
    before = start - np.mean(start, 0)
    turned = lambda x: vjp(metric.momentum, x)[1](x)[0]                  # Rᵀ x, with R Rᵀ = M
    square = lambda x: np.sum(vmap(turned)(x) ** 2, -1)
    return np.sum(weight * (square(off) - square(before)) * np.sum(off * p, -1)) / total       # xᵀ M v = xᵀ p


# ---- warm-up ----

class Adaptation(NamedTuple):
    """The state of warm-up."""
    params: Params
    dual: DualAveraging
    moment: Array                  # float[], the second moment of the slope
    log_average: Array             # float[], of log T
    variance: Array                # float[d], of the positions, across chains
    grad_variance: Array           # float[d], of the gradients
    num_warmup: Array
    target: Array                  # float[]
    short: Array                   # bool[]: T is one step at first
    adapt_step: Array              # bool[]
    adapt_trajectory: Array        # bool[]
    adapt_metric: Array            # bool[]


def adaptation(d, num_warmup, *, step_size=1.0, trajectory_length=None, metric=None, target=0.651, adapt_step=True,
               adapt_trajectory=True, adapt_metric=True):
    """Before the first transition. T begins at the step size, unless it is given."""
    step_size = np.asarray(float(step_size))
    length = step_size if trajectory_length is None else np.asarray(float(trajectory_length))
    ones = np.ones(d)
    flags = [np.asarray(bool(v)) for v in (adapt_step, adapt_trajectory, adapt_metric)]
    params = Params(step_size, length, Diagonal(ones) if metric is None else metric)
    return Adaptation(params, dual_averaging(step_size), np.zeros_like(length), np.log(length), np.zeros_like(ones),
                      np.zeros_like(ones), np.asarray(int(num_warmup)), np.asarray(float(target)),
                      np.asarray(trajectory_length is None), *flags)


def adapt(s, transition, position, grad, info):
    """The state after `transition` transitions; after warm-up, as it was.   position, grad : float[n, d]

    The step size follows the harmonic mean of the acceptance probabilities, which the worst chains decide. T is one
    step until a step size is known. The metric is that of the Fisher divergence (see `fisher`), of variances across
    the chains, up to 85 % of warm-up.
    """
    return cond(transition <= s.num_warmup, lambda s: _adapt(s, transition, position, grad, info), lambda s: s, s)


def _adapt(s, transition, position, grad, info):
    t, last = np.astype(transition, s.target.dtype), transition == s.num_warmup
    dual = update_dual(s.dual, 1.0 / np.mean(1.0 / info.accept_prob), s.target)
    step_size = np.exp(np.where(last, dual.log_average, dual.log_step))
    step_size = np.where(s.adapt_step, step_size, s.params.step_size)
    moment = DECAY * s.moment + (1.0 - DECAY) * info.slope ** 2
    change = RATE * info.slope / (np.sqrt(moment / (1.0 - DECAY ** t)) + 1e-20)
    change = np.where(np.isfinite(change), np.clip(change, -CLIP, CLIP), 0.0)
    low = np.log(step_size)
    log_length = np.clip(np.log(s.params.trajectory_length) + change, low, low + math.log(MAX_STEPS))
    short = np.logical_and(s.short, t <= np.minimum(EARLY, 0.1 * s.num_warmup))
    log_length = np.where(short, low, log_length)
    log_average = s.log_average + t ** -0.5 * (log_length - s.log_average)
    length = np.exp(np.where(last, log_average, log_length))
    length = np.where(s.adapt_trajectory, length, s.params.trajectory_length)
    mix = np.maximum(1.0 / t, 1.0 / MEMORY)
    blend = lambda old, x: old + mix * (np.var(x, axis=0, ddof=1) - old)
    variance, grad_variance = blend(s.variance, position), blend(s.grad_variance, grad)
    estimate = np.clip(np.sqrt(variance / grad_variance), LEAST, GREATEST)
    use = np.logical_and(np.logical_and(s.adapt_metric, t <= 0.85 * s.num_warmup), np.isfinite(estimate))
    metric = Diagonal(np.where(use, estimate, s.params.metric.variance))
    return s._replace(params=Params(step_size, length, metric), dual=dual, moment=moment, log_average=log_average,
                      variance=variance, grad_variance=grad_variance)
