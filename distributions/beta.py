"""The beta distribution."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .deviance import beta_kernel, log_beta_unit
from .distribution import between
from .exponential_family import ExponentialFamily
from .record import ArrayLike, param


class Beta(ExponentialFamily):
    """Beta(concentration1 a, concentration0 b) on the unit interval; mean a / (a + b).

        log p(x) = (a - 1) log x + (b - 1) log(1 - x) - log B(a, b), 0 < x < 1

    concentration1, concentration0 : float[*batch], > 0          sample : float[*shape, *batch], in (0, 1)
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 25.

    >>> float(Beta(1.0, 1.0).log_prob(0.3))
    0.0
    """
    concentration1: ArrayLike = param(constraints.positive)
    concentration0: ArrayLike = param(constraints.positive)
    support = constraints.unit_interval
    reparametrized_params = ("concentration1", "concentration0")

    @classmethod
    def from_mean_sd(cls, mean, stddev, **kwargs):
        """With the mean in (0, 1) and the standard deviation, below √(mean (1 - mean))."""
        mean = np.asarray(mean)
        total = mean * (1.0 - mean) / np.square(np.asarray(stddev)) - 1.0
        return cls(mean * total, (1.0 - mean) * total, **kwargs)

    def sample(self, key, sample_shape=()):
        d = self.dtype
        x = random.beta(key, self.concentration1, self.concentration0, self.shape(sample_shape), d)
        low, high = float(np.finfo(d).tiny), 1.0 - float(np.finfo(d).epsneg)
        return np.where(x < low, low, np.where(x > high, high, x))

    def log_prob_inside(self, value):
        a, b = self.concentration1, self.concentration0
        return beta_kernel(a, b, value) + log_beta_unit(a, b)

    def log_prob(self, value):
        value = np.asarray(value)
        return self._guarded(value, self.support, np.logical_and(value > 0, value < 1))

    @property
    def natural_params(self):
        return self.concentration1 - 1.0, self.concentration0 - 1.0

    def log_normalizer(self, first, second):
        return special.betaln(first + 1.0, second + 1.0)

    def sufficient_statistics(self, value):
        return np.log(value), np.log1p(-np.asarray(value))

    @property
    def mean(self):
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def variance(self):
        a, b = self.concentration1, self.concentration0
        total = a + b
        return a * b / (total * total * (total + 1.0))

    @property
    def mode(self):
        """Where both concentrations are above 1; else nan (an end, or no single point)."""
        a, b = self.concentration1, self.concentration0
        inner = np.logical_and(a > 1, b > 1)
        return np.where(inner, (a - 1.0) / np.where(inner, a + b - 2.0, 1.0), np.nan)

    def entropy(self):
        a, b = self.concentration1, self.concentration0
        total = a + b
        return (special.betaln(a, b) - (a - 1.0) * special.digamma(a) - (b - 1.0) * special.digamma(b)
                + (total - 2.0) * special.digamma(total))

    def cdf(self, value):
        return special.betainc(self.concentration1, self.concentration0, np.clip(value, 0.0, 1.0))

    def survival_function(self, value):
        return special.betaincc(self.concentration1, self.concentration0, np.clip(value, 0.0, 1.0))

    def log_cdf(self, value):
        a, b = self.concentration1, self.concentration0
        return between(value, 0.0, 1.0, lambda x: special.log_betainc(a, b, x), -math.inf, 0.0)

    def log_survival(self, value):
        a, b = self.concentration1, self.concentration0
        return between(value, 0.0, 1.0, lambda x: special.log_betaincc(a, b, x), 0.0, -math.inf)

    def icdf(self, q):
        return special.betaincinv(self.concentration1, self.concentration0, q)

    def isf(self, q):
        return special.betainccinv(self.concentration1, self.concentration0, q)
