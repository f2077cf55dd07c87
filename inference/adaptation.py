"""Warm-up: the step size by dual averaging, the metric from windows of draws.

Everything is a function of numbers, the schedule too, so that another number of warm-up draws needs no new program.
"""
import math
from typing import NamedTuple

from ..engine import cond
from ..engine import numpy as np
from ..engine.array import Array
from ..engine.avals import default_float
from .nuts import Params

T0, KAPPA, GAMMA = 10.0, 0.75, 0.05
LOG_TEN = math.log(10.0)           # a Python float: float32 stays float32


class DualAveraging(NamedTuple):
    """Nesterov's dual averaging of log ε (Hoffman & Gelman 2014, algorithm 5)."""
    log_step: Array
    log_average: Array
    error: Array               # the running mean of target - accept_prob
    center: Array              # where log ε is drawn to: log(10 ε at the start)
    count: Array


class Welford(NamedTuple):
    """Running mean and sum of squared deviations."""
    count: Array
    mean: Array
    squares: Array


class Schedule(NamedTuple):
    """Where the slow windows begin and end, and the next change of the metric."""
    num_warmup: Array
    slow_start: Array
    slow_end: Array
    window: Array              # the size of the current window
    next: Array                # the transition that ends it


class Adaptation(NamedTuple):
    """The state of warm-up."""
    params: Params
    dual: DualAveraging
    welford: Welford
    schedule: Schedule
    target: Array              # float[], the acceptance probability aimed at
    adapt_step: Array          # bool[]: whether the step size changes


def dual_averaging(step_size):
    """Dual averaging that starts at a step size."""
    log_step = np.log(step_size)
    zero = np.zeros_like(log_step)
    return DualAveraging(log_step, zero, zero, log_step + LOG_TEN, zero)


def update_dual(s, accept_prob, target):
    """One step: x ← center - √t/γ · error; the average with weights t^-κ."""
    t = s.count + 1.0
    error = s.error + (target - accept_prob - s.error) / (t + T0)
    log_step = s.center - np.sqrt(t) / GAMMA * error
    log_average = s.log_average + t ** -KAPPA * (log_step - s.log_average)
    return DualAveraging(log_step, log_average, error, s.center, t)


def welford(d):
    """No draws yet."""
    zero = np.zeros((), default_float())
    return Welford(zero, np.zeros(d, default_float()), np.zeros(d, default_float()))


def update_welford(s, x):
    """Add a draw."""
    n = s.count + 1.0
    off = x - s.mean
    mean = s.mean + off / n
    return Welford(n, mean, s.squares + off * (x - mean))


def regularized_variance(s):
    """The variance, drawn towards 10⁻³ as if by five draws (Stan reference manual, HMC algorithm parameters)."""
    n = s.count
    return n / (n + 5.0) * (s.squares / (n - 1.0)) + 1e-3 * (5.0 / (n + 5.0))


def windows(num_warmup, adapt_metric=True):
    """Stan's schedule: 75 transitions for the step size, windows of 25, 50, 100, …, 50 for the step size.

    Short warm-ups share themselves 15 : 75 : 10; under 20, and without `adapt_metric`, the metric stays as it is. A
    window after which no whole one of twice its size fits is stretched to the end; the first one too, where Stan would
    leave a rest of a few draws, or of one (151 to 199 transitions).
    """
    n = int(num_warmup)
    if n < 20 or not adapt_metric:
        start, end, base = n, n, n
    elif n < 150:
        start, end = int(0.15 * n), n - int(0.1 * n)
        base = end - start
    else:
        start, end, base = 75, n - 50, 25
    first = _boundary(start, base, end)
    return Schedule(*[np.asarray(v) for v in (n, start, end, base, first)])


def _boundary(start, size, end):
    """Where a window ends, if it is stretched when the next one, of twice its size, would pass the end."""
    return np.where(start + 3 * size > end, end, start + size)


def init(d, step_size, num_warmup, target, inverse_mass=None, *, adapt_step=True, adapt_metric=True):
    """The state before the first transition; inverse_mass is the identity unless given."""
    float_type = default_float()
    step_size = np.asarray(step_size, float_type)
    mass = np.ones(d, float_type) if inverse_mass is None else np.asarray(inverse_mass, float_type)
    return Adaptation(Params(step_size, mass), dual_averaging(step_size), welford(d), windows(num_warmup, adapt_metric),
                      np.asarray(target, float_type), np.asarray(bool(adapt_step)))


def update(s, transition, position, accept_prob):
    """The state after `transition` transitions, the last of which ended at `position`; after warm-up, as it was."""
    return cond(transition <= s.schedule.num_warmup, lambda s: _update(s, transition, position, accept_prob),
                lambda s: s, s)


def _update(s, transition, position, accept_prob):
    dual, w = update_dual(s.dual, accept_prob, s.target), s.schedule
    inside = np.logical_and(transition > w.slow_start, transition <= w.slow_end)
    grown = update_welford(s.welford, position)
    stats = Welford(*[np.where(inside, a, b) for a, b in zip(grown, s.welford)])
    closes = np.logical_and(inside, transition == w.next)
    step_size = np.exp(np.where(transition == w.num_warmup, dual.log_average, dual.log_step))
    step_size = np.where(s.adapt_step, step_size, s.params.step_size)
    s = s._replace(params=Params(step_size, s.params.inverse_mass), dual=dual, welford=stats)
    return cond(closes, _close_window, lambda s: s, s)


def _close_window(s):
    """Take the metric from the window's draws; start the step size and the draws again."""
    w, step_size = s.schedule, s.params.step_size
    size = 2 * w.window
    return s._replace(
        params=Params(step_size, regularized_variance(s.welford)), dual=dual_averaging(step_size),
        welford=Welford(*[np.zeros_like(x) for x in s.welford]),
        schedule=w._replace(window=size, next=_boundary(w.next, size, w.slow_end)))
