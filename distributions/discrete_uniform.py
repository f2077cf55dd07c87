"""The uniform distribution on the integers of an interval."""
from ..engine import numpy as np
from ..engine import random
from . import constraints
from .counting import known, listed, the_same_for_all
from .distribution import Distribution
from .record import ArrayLike, param


def _not_below(d):
    return constraints.integer_greater_than(d.low - 1)


class DiscreteUniform(Distribution):
    """DiscreteUniform(low, high): each of the n = high - low + 1 integers from low to high, both of them included.

        log p(k) = -log n        mean (low + high) / 2        variance (n² - 1) / 12

    low, high : int[*batch], low <= high          sample : int[*shape, *batch], in [low, high]
    Source: Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, section 6.10.1.

    >>> float(DiscreteUniform(1, 6).mean)
    3.5
    """
    low: ArrayLike = param(constraints.integer, default=0)
    high: ArrayLike = param(_not_below, default=1, is_discrete=True)
    is_discrete = True

    @property
    def support(self):
        return constraints.integer_interval(self.low, self.high)

    def _count(self):
        return np.astype(self.high - self.low + 1, self.dtype)

    def sample(self, key, sample_shape=()):
        low, high = np.astype(self.low, np.int64), np.astype(self.high, np.int64)
        return random.randint(key, self.shape(sample_shape), low, high + 1)

    def log_prob_inside(self, value):
        return np.zeros_like(value, self.dtype) - np.log(self._count())

    @property
    def mean(self):
        return 0.5 * (np.astype(self.low, self.dtype) + self.high)

    @property
    def variance(self):
        n = self._count()
        return (n * n - 1.0) / 12.0

    @property
    def mode(self):
        return np.broadcast_to(self.low, self.batch_shape)

    def entropy(self):
        return np.log(self._count())

    def cdf(self, value):
        n = self._count()
        return np.clip(np.floor(np.asarray(value)) - self.low + 1.0, 0.0, n) / n

    def icdf(self, q):
        q, n = np.asarray(q, self.dtype), self._count()
        k = np.ceil(q * n)
        k = np.maximum(np.where((k - 1.0) / n >= q, k - 1.0, k), 1.0)        # as cdf rounds
        return self.low + np.astype(k - 1.0, np.int64)

    @property
    def has_enumerate_support(self):
        return known(self.low, self.high)

    def enumerate_support(self, expand=True):
        low, high = (the_same_for_all("DiscreteUniform", name, x) for name, x in (("low", self.low),
                                                                                  ("high", self.high)))
        return listed(np.arange(low, high + 1), self.batch_shape, expand)
