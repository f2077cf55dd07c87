"""The Poisson distribution."""
from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param


class Poisson(Distribution):
    """Poisson(rate r) on the counts; mean r, variance r.

        log p(k) = k log r - r - log k!

    rate : float[*batch], > 0          sample : int[*shape, *batch], >= 0
    Source: Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, ch. 4.

    >>> float(Poisson(1.0).log_prob(0))
    -1.0
    """
    rate: ArrayLike = param(constraints.positive)
    support = constraints.nonnegative_integer

    def sample(self, key, sample_shape=()):
        return random.poisson(key, self.rate, self.shape(sample_shape))

    def log_prob_inside(self, value):
        k = np.astype(value, self.rate.dtype)
        return k * np.log(self.rate) - self.rate - special.gammaln(k + 1.0)

    @property
    def mean(self):
        return self.rate

    @property
    def variance(self):
        return self.rate

    @property
    def mode(self):
        return np.astype(np.floor(self.rate), np.int64)

    def cdf(self, value):
        k = np.floor(np.asarray(value))
        inside = k >= 0
        return np.where(inside, special.gammaincc(np.where(inside, k, 0.0) + 1.0, self.rate), 0.0)
