"""Power laws on the positive integers: Zipf and Yule-Simon."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param


class Zipf(Distribution):
    """Zipf(power s) on 1, 2, …:  log p(k) = -s log k - log ζ(s).

    mean ζ(s-1) / ζ(s) where s > 2

    power : float[*batch], > 1          sample : int[*shape, *batch], >= 1
    Source: Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, section 11.2.20.

    >>> int(Zipf(3.0).mode)
    1
    """
    power: ArrayLike = param(constraints.greater_than(1.0))
    support = constraints.positive_integer

    def sample(self, key, sample_shape=()):
        return random.zipf(key, self.power, self.shape(sample_shape))

    def log_prob_inside(self, value):
        return -self.power * np.log(np.astype(value, self.dtype)) - np.log(special.zeta(self.power, 1.0))

    def _moment(self, n):
        """E Xⁿ; infinite where s <= n + 1."""
        s = self.power
        safe = np.where(s > n + 1, s, n + 2.0)
        return np.where(s > n + 1, special.zeta(safe - n, 1.0) / special.zeta(safe, 1.0), math.inf)

    @property
    def mean(self):
        return self._moment(1)

    @property
    def variance(self):
        finite = self.power > 3
        return np.where(finite, self._moment(2) - np.where(finite, self._moment(1), 0.0) ** 2, math.inf)

    @property
    def mode(self):
        return np.ones(self.batch_shape, np.int64)

    def survival_function(self, value):
        """P(X > value) = ζ(s, k + 1) / ζ(s), k the whole part of value."""
        k = np.maximum(np.floor(np.asarray(value)), 0.0)
        return special.zeta(self.power, np.astype(k, self.dtype) + 1.0) / special.zeta(self.power, 1.0)

    def cdf(self, value):
        return 1.0 - self.survival_function(value)


class YuleSimon(Distribution):
    """YuleSimon(alpha a) on 1, 2, …:  log p(k) = log a + log B(k, a + 1).

    mean a / (a - 1) where a > 1; the geometric distribution of a success probability that is exp(-E / a), E exponential

    alpha : float[*batch], > 0          sample : int[*shape, *batch], >= 1
    Source: Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, section 6.10.3.

    >>> float(YuleSimon(2.0).mean)
    2.0
    """
    alpha: ArrayLike = param(constraints.positive)
    support = constraints.positive_integer

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        shape = self.shape(sample_shape)
        e = random.exponential(first, shape, np.dtype("float64")) / self.alpha
        return random.geometric(second, np.exp(-e), shape)

    def log_prob_inside(self, value):
        return np.log(self.alpha) + special.betaln(np.astype(value, self.dtype), self.alpha + 1.0)

    @property
    def mean(self):
        a = self.alpha
        return np.where(a > 1, a / np.where(a > 1, a - 1.0, 1.0), math.inf)

    @property
    def variance(self):
        a = np.where(self.alpha > 2, self.alpha, 3.0)
        return np.where(self.alpha > 2, (a / (a - 1.0)) ** 2 / (a - 2.0), math.inf)

    @property
    def mode(self):
        return np.ones(self.batch_shape, np.int64)

    def log_survival(self, value):
        k = np.floor(np.asarray(value))
        some = k >= 1
        safe = np.astype(np.where(some, k, 1.0), self.dtype)
        return np.where(some, np.log(safe) + special.betaln(safe, self.alpha + 1.0), 0.0)

    def cdf(self, value):
        return -np.expm1(self.log_survival(value))

    def log_cdf(self, value):
        return special.log1mexp(-self.log_survival(value))
