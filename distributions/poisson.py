"""The Poisson distribution."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution, above
from .quantile import inverse_cdf_integer
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
        return self._counted(value, special.gammaincc, 0.0)

    def survival_function(self, value):
        return self._counted(value, special.gammainc, 1.0)

    def log_cdf(self, value):
        return self._counted(value, special.log_gammaincc, -math.inf)

    def log_survival(self, value):
        return self._counted(value, special.log_gammainc, 0.0)

    def _counted(self, value, f, below):
        """f(k + 1, rate) where k, the value rounded down, is not negative."""
        k = np.floor(np.astype(np.asarray(value), self.rate.dtype))
        return above(k, -0.5, lambda k: f(k + 1.0, self.rate), below)

    def icdf(self, q):
        return inverse_cdf_integer(self.cdf, q, 0)

    def isf(self, q):
        return inverse_cdf_integer(self.survival_function, q, 0, upper_tail=True)
