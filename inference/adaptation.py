"""Warm-up: the step size by dual averaging, the metric by an estimator (`windows` of Stan, or `fisher`).

Everything is a function of numbers, the schedule too, so that another number of warm-up draws needs no new program.
"""
import math
from typing import NamedTuple

from ..engine import cond
from ..engine import numpy as np
from ..engine.array import Array
from ..engine.avals import default_float
from . import fisher, low_rank, windows
from .base import Params
from .metrics import Diagonal

T0, KAPPA, GAMMA = 10.0, 0.75, 0.05
LOG_TEN = math.log(10.0)           # a Python float: float32 stays float32


class DualAveraging(NamedTuple):
    """Nesterov's dual averaging of log ε (Hoffman & Gelman 2014, algorithm 5)."""
    log_step: Array
    log_average: Array
    error: Array               # the running mean of target - accept_prob
    center: Array              # where log ε is drawn to: log(10 ε at the start)
    count: Array               # type: ignore[assignment]  # tuple.count


class Adaptation(NamedTuple):
    """The state of warm-up."""
    params: Params
    dual: DualAveraging
    estimator: windows.Windows | fisher.Fisher | low_rank.Held
    num_warmup: Array
    target: Array              # float[], the acceptance probability aimed at
    adapt_step: Array          # bool[]: whether the step size changes
    adapt_metric: Array        # bool[]: whether the metric does


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


ESTIMATORS = {"fisher": fisher.init, "stan": windows.init, "low_rank": low_rank.init}


def init(d, step_size, num_warmup, target, metric=None, couples=None, *, method="fisher", rank=0,
         adapt_step=True, adapt_metric=True):
    """The state before the first transition.

    metric : the one to begin with, whose form stays; unless given, diagonal, from the first gradient
    couples : bool[d, d], the pairs that a dense metric may couple          method : a name of ESTIMATORS
    rank : the directions of a low-rank metric, which begins with those of `metric`, a diagonal
    """
    float_type = default_float()
    step_size = np.asarray(step_size, float_type)
    estimator = ESTIMATORS[method](d, num_warmup, metric, couples, adapt_metric)
    metric = Diagonal(np.ones(d, float_type)) if metric is None else metric
    metric = low_rank.with_room(metric.variance, rank) if rank else metric
    return Adaptation(Params(step_size, metric), dual_averaging(step_size), estimator, np.asarray(num_warmup),
                      np.asarray(target, float_type), np.asarray(bool(adapt_step)), np.asarray(bool(adapt_metric)))


def start(s, grad):
    """The state when a start point was found, with the gradient there."""
    metric = s.estimator.first(s.params.metric, grad)
    return s._replace(params=s.params._replace(metric=metric))


def update(s, transition, draw):
    """The state after `transition` transitions, the last of which gave `draw`; after warm-up, as it was."""
    return cond(transition <= s.num_warmup, lambda s: _update(s, transition, draw), lambda s: s, s)


def _update(s, transition, draw):
    dual = update_dual(s.dual, s.estimator.accept(transition, draw), s.target)
    step_size = np.exp(np.where(transition == s.num_warmup, dual.log_average, dual.log_step))
    step_size = np.where(s.adapt_step, step_size, s.params.step_size)
    estimator, metric, again = s.estimator.update(s.params.metric, transition, draw)
    dual = DualAveraging(*[np.where(again, a, b) for a, b in zip(dual_averaging(step_size), dual)])
    return s._replace(params=Params(step_size, metric), dual=dual, estimator=estimator)
