"""Binomial and negative binomial counts whose probability is a beta number."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .counting import UpToTotal, cdf_by_sum, log_multichoose, rest_of_multichoose
from .deviance import table_deviance
from .distribution import Distribution
from .record import ArrayLike, param
from .sigmoid_beta import beta_quotient_tail


class BetaBinomial(UpToTotal):
    """BetaBinomial(concentration1 a, concentration0 b, total_count n): successes in n trials of a Beta(a, b) chance.

        log p(k) = log C(n, k) + log B(k + a, n - k + b) - log B(a, b)
                 = log C(a+k-1, k) + log C(b+n-k-1, n-k) - log C(a+b+n-1, n)      mean n a / (a + b)

    concentration1, concentration0 : float[*batch], > 0      total_count : int[*batch], >= 0
    sample : int[*shape, *batch], in [0, n]
    Source: Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, section 6.2.2 (the second form, which has
    no differences of large numbers: negative hypergeometric, eq. 6.12).

    >>> float(BetaBinomial(1.0, 1.0, 3).mean)
    1.5
    """
    concentration1: ArrayLike = param(constraints.positive)
    concentration0: ArrayLike = param(constraints.positive)
    total_count: ArrayLike = param(constraints.nonnegative_integer, default=1)

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        shape = self.shape(sample_shape)
        p = random.beta(first, self.concentration1, self.concentration0, shape, self.dtype)
        return random.binomial(second, self.total_count, p, shape, np.dtype("int64"))

    def log_prob_inside(self, value):
        a, b = self.concentration1, self.concentration0
        k, n = np.astype(value, self.dtype), self._trials
        l = n - k
        rest = rest_of_multichoose(a, k) + rest_of_multichoose(b, l) - rest_of_multichoose(a + b, n)
        return rest - table_deviance(k, l, a, b)

    @property
    def mean(self):
        a, b = self.concentration1, self.concentration0
        return self._trials * (a / (a + b))

    @property
    def variance(self):
        total = self.concentration1 + self.concentration0
        n, p, q = self._trials, self.concentration1 / total, self.concentration0 / total
        return n * p * q * ((total + n) / (total + 1.0))

    @property
    def mode(self):
        """Where two neighbours are equally likely, rounded; an end where the density of the chance has no maximum."""
        a, b, n = self.concentration1, self.concentration0, self._trials
        rise = a + b - 2.0
        inner = np.clip(np.floor((n + 1.0) * (a - 1.0) / np.where(rise > 0, rise, 1.0)), 0.0, n)
        return np.astype(np.where(rise > 0, inner, np.where(a > b, n, 0.0)), np.int64)

    def cdf(self, value):
        """By adding up: total_count must be known while tracing."""
        return cdf_by_sum(self, value, self.total_count, "total_count")

    @classmethod
    def from_mean(cls, mean, concentration, total_count=1, *, validate_args=None):
        """By the mean m of the probability and the total concentration c: a = m c, b = (1 - m) c."""
        mean = np.asarray(mean)
        return cls(mean * concentration, (1.0 - mean) * concentration, total_count, validate_args=validate_args)


class BetaNegativeBinomial(Distribution):
    """BetaNegativeBinomial(concentration1 a, concentration0 b, n): negative binomial counts of a Beta(a, b) chance.

        log p(k) = log C(n + k - 1, k) + log B(a + k, b + n) - log B(a, b)
                 = log C(a + k - 1, k) + log B(n + k, a + b) - log B(n, b)      mean n a / (b - 1) where b > 1

    What is counted has the Beta(a, b) probability, what is waited for n times has the rest; n need not be whole.

    concentration1, concentration0, n : float[*batch], > 0          sample : int[*shape, *batch], >= 0
    The distribution function by quadrature over the chance, to 1e-12 for n and concentrations up to a hundred.
    Source: Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, section 6.2.3.
    """
    concentration1: ArrayLike = param(constraints.positive)
    concentration0: ArrayLike = param(constraints.positive)
    n: ArrayLike = param(constraints.positive)
    support = constraints.nonnegative_integer

    def sample(self, key, sample_shape=()):
        """Of p ~ Beta as a ratio of gamma numbers x / y, the odds x / y are accurate at both ends."""
        first, second, third, last = random.split(key, 4)
        shape = self.shape(sample_shape)
        x, y, z = (random.gamma(k, np.astype(v, np.float64), shape) for k, v in zip(
            (first, second, third), (self.concentration1, self.concentration0, self.n)))
        return random.poisson(last, np.minimum(z * (x / y), 1e300), shape)

    def log_prob_inside(self, value):
        a, b, n = self.concentration1, self.concentration0, self.n
        k = np.astype(value, self.dtype)
        return log_multichoose(a, k) + special.betaln(n + k, a + b) - special.betaln(n, b)

    def _tail(self, value, over, log=True):
        """log P(K <= value), or of K > value where `over`: K <= k is Y <= Q for beta numbers Y(n, k + 1), Q(b, a)."""
        k = np.floor(np.astype(np.asarray(value), self.dtype))
        inside = k >= 0
        k = np.where(inside, k, 0.0)
        tail = beta_quotient_tail(np.zeros_like(k), (self.n, k + 1.0), (self.concentration0, self.concentration1),
                                  np.asarray(over), log)
        return np.where(inside, tail, (0.0 if over else -math.inf) if log else 0.0)

    def cdf(self, value):
        return self._tail(value, False, log=False)

    def log_cdf(self, value):
        return self._tail(value, False)

    def log_survival(self, value):
        """log P(X > value)."""
        return self._tail(value, True)

    @property
    def mean(self):
        b = self.concentration0
        return np.where(b > 1, self.n * self.concentration1 / np.where(b > 1, b - 1.0, 1.0), math.inf)

    @property
    def variance(self):
        a, n = self.concentration1, self.n
        b = np.where(self.concentration0 > 2, self.concentration0, 3.0)
        v = n * a * ((n + b - 1.0) / (b - 1.0)) * ((a + b - 1.0) / (b - 1.0)) / (b - 2.0)
        return np.where(self.concentration0 > 2, v, math.inf)

    @property
    def mode(self):
        a, b, n = self.concentration1, self.concentration0, self.n
        return np.astype(np.floor(np.maximum((n - 1.0) * (a - 1.0) / (b + 1.0), 0.0)), np.int64)
