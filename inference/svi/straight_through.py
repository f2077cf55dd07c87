"""Discrete draws that pass derivatives on as if they were their means: the straight-through estimator.

A draw h of 0s and 1s is given as h + m - stop_gradient(m), m its mean: the number is h, the derivative that of m. A
log-density at h is its multilinear extension, so that its derivative in h is a difference of two log-densities. What is
found is biased in general; it is exact where the costs are linear in each of the numbers, given the others.
Source: Bengio, Léonard & Courville (2013), "Estimating or propagating gradients through stochastic neurons for
conditional computation", section 4.
"""
from ...distributions import (
    BernoulliLogits,
    BernoulliProbs,
    Distribution,
    Independent,
    OneHotCategoricalLogits,
    OneHotCategoricalProbs,
    Vmapped,
)
from ...distributions.record import child
from ...distributions.wrappers import Wrapper
from ...engine import numpy as np
from ...engine.lax import stop_gradient

ALLOWED = (BernoulliLogits, BernoulliProbs, OneHotCategoricalLogits, OneHotCategoricalProbs)


class StraightThrough(Wrapper):
    """A distribution of 0s and 1s whose draws have the derivative of their mean; see the module."""
    base_dist: Distribution = child()
    has_rsample = True

    def __init__(self, base_dist, *, validate_args=None):
        self._bind((base_dist,), {})

    def sample(self, key, sample_shape=()):
        mean = np.broadcast_to(self.base_dist.mean, self.shape(sample_shape))
        hard = np.astype(self.base_dist.sample(key, sample_shape), mean.dtype)
        return stop_gradient(hard) + (mean - stop_gradient(mean))

    def log_prob(self, value):
        hard = stop_gradient(value)
        change = (value - hard) * stop_gradient(_slopes(self.base_dist))
        axes = tuple(range(change.ndim - len(self.event_shape), change.ndim))
        return self.base_dist.log_prob(hard) + np.sum(change, axes)


def straight_through(fn):
    """The `StraightThrough` of a distribution; of one in lanes, lane by lane."""
    if type(fn) is Vmapped:
        return Vmapped(straight_through(fn.base_dist), fn.lanes.axes, fn.lanes.size)
    return StraightThrough(fn)


def _slopes(fn):
    """What a value's numbers change in the log-density: log p(1) - log p(0); of one-hot vectors log p of each class."""
    if isinstance(fn, Independent):
        return _slopes(fn.base_dist)
    log_p = fn.log_prob(fn.enumerate_support())
    return np.moveaxis(log_p, 0, -1) if fn.event_shape else log_p[1] - log_p[0]
