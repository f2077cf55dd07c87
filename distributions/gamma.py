"""The gamma distribution and the distribution of the reciprocal of a gamma number."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .deviance import gamma_kernel, inverse_gamma_kernel, log_gamma_unit
from .distribution import Distribution, above
from .exponential_family import ExponentialFamily
from .record import ArrayLike, param


class Gamma(ExponentialFamily):
    """Gamma(concentration a, rate b) on the positive numbers; mean a / b, variance a / b².

        log p(x) = a log b + (a - 1) log x - b x - log Γ(a)

    concentration, rate : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 17.

    >>> float(Gamma(2.0, 3.0).mean)
    0.6666667
    """
    concentration: ArrayLike = param(constraints.positive)
    rate: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.positive
    reparametrized_params = ("concentration", "rate")

    @classmethod
    def from_mean_sd(cls, mean, stddev, **kwargs):
        """With the mean and the standard deviation, both positive."""
        mean, stddev = np.asarray(mean), np.asarray(stddev)
        ratio = mean / stddev
        return cls(ratio * ratio, ratio / stddev, **kwargs)

    def sample(self, key, sample_shape=()):
        return random.gamma(key, self.concentration, self.shape(sample_shape), self.dtype) / self.rate

    def log_prob_inside(self, value):
        a = self.concentration
        return gamma_kernel(a, self.rate, value) + log_gamma_unit(a)

    @property
    def natural_params(self):
        return self.concentration - 1.0, -self.rate

    def log_normalizer(self, first, second):
        return special.gammaln(first + 1.0) - (first + 1.0) * np.log(-second)

    def sufficient_statistics(self, value):
        return np.log(value), value

    @property
    def mean(self):
        return self.concentration / self.rate

    @property
    def variance(self):
        return self.concentration / (self.rate * self.rate)

    @property
    def mode(self):
        return np.maximum(self.concentration - 1.0, 0.0) / self.rate

    def entropy(self):
        a = self.concentration
        return a - np.log(self.rate) + special.gammaln(a) + (1.0 - a) * special.digamma(a)

    def cdf(self, value):
        return special.gammainc(self.concentration, self.rate * np.maximum(value, 0.0))

    def survival_function(self, value):
        return special.gammaincc(self.concentration, self.rate * np.maximum(value, 0.0))

    def log_cdf(self, value):
        return above(value, 0.0, lambda x: special.log_gammainc(self.concentration, self.rate * x), -math.inf)

    def log_survival(self, value):
        return above(value, 0.0, lambda x: special.log_gammaincc(self.concentration, self.rate * x), 0.0)

    def icdf(self, q):
        return special.gammaincinv(self.concentration, q) / self.rate

    def isf(self, q):
        return special.gammainccinv(self.concentration, q) / self.rate


class InverseGamma(Distribution):
    """1 / X for X ~ Gamma(concentration a, rate b); mean b / (a - 1) where a > 1.

        log p(x) = a log b - (a + 1) log x - b / x - log Γ(a)

    concentration, rate : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., appendix A.
    """
    concentration: ArrayLike = param(constraints.positive)
    rate: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.positive
    reparametrized_params = ("concentration", "rate")

    def sample(self, key, sample_shape=()):
        return self.rate / random.gamma(key, self.concentration, self.shape(sample_shape), self.dtype)

    def log_prob_inside(self, value):
        a = self.concentration
        return inverse_gamma_kernel(a, self.rate, value) + log_gamma_unit(a)

    @property
    def mean(self):
        a = self.concentration
        return np.where(a > 1, self.rate / np.where(a > 1, a - 1.0, 1.0), math.inf)

    @property
    def variance(self):
        a = self.concentration
        safe = np.where(a > 2, a, 3.0)
        return np.where(a > 2, (self.rate / (safe - 1.0)) ** 2 / (safe - 2.0), math.inf)

    @property
    def mode(self):
        return self.rate / (self.concentration + 1.0)

    def entropy(self):
        a = self.concentration
        return a + np.log(self.rate) + special.gammaln(a) - (1.0 + a) * special.digamma(a)

    def cdf(self, value):
        return above(value, 0.0, lambda x: special.gammaincc(self.concentration, self.rate / x), 0.0)

    def survival_function(self, value):
        return above(value, 0.0, lambda x: special.gammainc(self.concentration, self.rate / x), 1.0)

    def log_cdf(self, value):
        return above(value, 0.0, lambda x: special.log_gammaincc(self.concentration, self.rate / x), -math.inf)

    def log_survival(self, value):
        return above(value, 0.0, lambda x: special.log_gammainc(self.concentration, self.rate / x), 0.0)

    def icdf(self, q):
        return self.rate / special.gammainccinv(self.concentration, q)

    def isf(self, q):
        return self.rate / special.gammaincinv(self.concentration, q)
