"""Warm-up of MCLMC: step size, length of memory L, and metric.

The step size of unadjusted steps is the one whose energy error has the variance 5 · 10⁻⁴ a dimension: the error of a
step grows as ε³, so that a step tells of ξ / ε⁶, with ξ the ratio of its squared error to that goal. A running mean of
it, in which steps far from the goal weigh less, gives ε. Adjusted steps follow the acceptance probability, by dual
averaging.

L is the root of the sum of the variances, in coordinates where the metric is the identity: √d if it is the covariance.
Source: Robnik, De Luca, Silverstein & Seljak (2023), JMLR 24, sections 4 and 5.
"""
from typing import NamedTuple

from ..engine import cond
from ..engine import numpy as np
from ..engine.array import Array
from . import adaptation as warmup
from .mclmc import Params
from .running import Running, running

ENERGY_VARIANCE = 5e-4             # of a step, a dimension
TRUST = 1.5                        # how far from the goal a step still tells of it, in log units of ξ^⅙
MEMORY = 150.0                     # steps that the running mean remembers


class Adaptation(NamedTuple):
    """The state of warm-up."""
    params: Params
    metric: warmup.Adaptation      # of which the metric is used, and for adjusted steps the step size
    mean: Array                    # float[], the weighted sum of ξ / ε⁶
    weight: Array                  # float[], the sum of the weights
    greatest: Array                # float[], a bound on ε, from steps that were not finite
    draws: Running                 # of the second half of warm-up
    num_warmup: Array
    goal: Array                    # float[], the variance of the energy error, a step and a dimension
    adapt_step: Array              # bool[]
    adapt_length: Array            # bool[]


def init(d, num_warmup, *, step_size=None, length=None, metric=None, goal=ENERGY_VARIANCE, target_accept_prob=0.9,
         adapt_step=True, adapt_length=True, adapt_metric=True):
    """Before the first transition. Unless given, ε begins at √d / 4 and L at √d."""
    step_size = 0.25 * d ** 0.5 if step_size is None else step_size
    inner = warmup.init(d, step_size, num_warmup, target_accept_prob, metric, adapt_step=adapt_step,
                        adapt_metric=adapt_metric)
    eps = inner.params.step_size
    zero = np.zeros_like(eps)
    length = np.asarray(d ** 0.5 if length is None else length, eps.dtype)
    params, no_bound = Params(eps, length, inner.params.metric), np.full_like(eps, np.inf)
    return Adaptation(params, inner, zero, zero, no_bound, running(d), np.asarray(int(num_warmup)),
                      np.asarray(goal, eps.dtype), np.asarray(bool(adapt_step)), np.asarray(bool(adapt_length)))


def adapt(s, transition, draw, info, adjusted):
    """The state after `transition` transitions; after warm-up, as it was.   adjusted : bool, of the kernel"""
    return cond(transition <= s.num_warmup, lambda s: _adapt(s, transition, draw, info, adjusted), lambda s: s, s)


def _adapt(s, transition, draw, info, adjusted):
    inner = warmup.update(s.metric, transition, draw)
    metric, eps = inner.params.metric, s.params.step_size
    ratio = info.energy_variance / s.goal + 1e-8
    finite = np.isfinite(ratio)
    weight = np.where(finite, np.exp(-0.5 * (np.log(ratio) / (6.0 * TRUST)) ** 2), 0.0)
    decay = (MEMORY - 1.0) / (MEMORY + 1.0)
    mean = decay * s.mean + np.where(finite, weight * ratio, 0.0) / eps ** 6
    total = decay * s.weight + weight
    greatest = np.where(finite, s.greatest, 0.8 * eps)
    tuned = np.minimum(np.where(total > 0.0, (mean / total) ** (-1.0 / 6.0), eps), greatest)
    if adjusted:
        tuned = inner.params.step_size
    draws = s.draws.add(draw.position).where(2 * transition > s.num_warmup, s.draws)
    scaled = metric.momentum(metric.momentum(draws.covariance()))        # the variances over those of the metric
    length = np.sqrt(np.sum(scaled))
    last = np.logical_and(transition == s.num_warmup, np.logical_and(np.isfinite(length), length > 0.0))
    params = Params(np.where(s.adapt_step, tuned, eps),
                    np.where(np.logical_and(last, s.adapt_length), length, s.params.length), metric)
    return s._replace(params=params, metric=inner, mean=mean, weight=total, greatest=greatest, draws=draws)
