"""The uniform distribution on an interval."""
from ..engine import numpy as np
from ..engine import random
from ..engine.avals import broadcast_shapes
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param


class Uniform(Distribution):
    """Uniform(low, high) on the interval between them; mean (low + high) / 2, variance (high - low)² / 12.

        log p(x) = -log(high - low), low <= x <= high

    low, high : float[*batch], low < high          sample : float[*shape, *batch], in [low, high)
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 26.

    >>> Uniform(0.0, 2.0).log_prob([1.0, 3.0])
    Array([-0.69314718,        -inf])
    """
    low: ArrayLike = param(constraints.real, default=0.0)
    high: ArrayLike = param(lambda self: constraints.greater_than(self.low), default=1.0)
    reparametrized_params = ("low", "high")
    finite_outside = True

    @property
    def support(self):
        return constraints.interval(self.low, self.high)

    def sample(self, key, sample_shape=()):
        return self.low + (self.high - self.low) * random.uniform(key, self.shape(sample_shape), self.dtype)

    def log_prob_inside(self, value):
        return np.broadcast_to(-np.log(self.high - self.low), broadcast_shapes(np.shape(value), self.batch_shape))

    @property
    def mean(self):
        return 0.5 * (self.low + self.high)

    @property
    def variance(self):
        width = self.high - self.low
        return width * width * (1 / 12)

    def entropy(self):
        return np.log(self.high - self.low)

    def cdf(self, value):
        return np.clip((np.asarray(value) - self.low) / (self.high - self.low), 0.0, 1.0)

    def survival_function(self, value):
        return np.clip((self.high - np.asarray(value)) / (self.high - self.low), 0.0, 1.0)

    def icdf(self, q):
        return self.low + (self.high - self.low) * np.asarray(q)

    def isf(self, q):
        return self.high - (self.high - self.low) * np.asarray(q)
