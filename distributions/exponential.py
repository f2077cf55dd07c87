"""The exponential distribution, and the Laplace distribution: an exponential with a random sign."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import above
from .exponential_family import ExponentialFamily
from .location_scale import Centered
from .record import ArrayLike, param


class Exponential(ExponentialFamily):
    """Exponential(rate r) on the nonnegative numbers; mean 1/r, variance 1/r².

        log p(x) = log r - r x, x >= 0

    rate : float[*batch], > 0          sample : float[*shape, *batch], >= 0
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 19.

    >>> float(Exponential(2.0).log_prob(1.0))
    -1.3068528
    """
    rate: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.nonnegative
    reparametrized_params = ("rate",)
    finite_outside = True

    def sample(self, key, sample_shape=()):
        return random.exponential(key, self.shape(sample_shape), self.dtype) / self.rate

    def log_prob_inside(self, value):
        return np.log(self.rate) - self.rate * value

    @property
    def natural_params(self):
        return (-self.rate,)

    def log_normalizer(self, natural):
        return -np.log(-natural)

    def sufficient_statistics(self, value):
        return (value,)

    @property
    def mean(self):
        return 1.0 / self.rate

    @property
    def variance(self):
        return 1.0 / (self.rate * self.rate)

    @property
    def mode(self):
        return np.zeros_like(self.rate)

    def entropy(self):
        return 1.0 - np.log(self.rate)

    def cdf(self, value):
        return -np.expm1(-self.rate * np.maximum(value, 0.0))

    def log_cdf(self, value):
        return above(value, 0.0, lambda x: special.log1mexp(self.rate * x), -math.inf)

    def log_survival(self, value):
        return -self.rate * np.maximum(value, 0.0)

    def icdf(self, q):
        return -np.log1p(-np.asarray(q)) / self.rate

    def isf(self, q):
        return -np.log(q) / self.rate

    def isf_exp(self, log_q):
        return -np.asarray(log_q) / self.rate


class Laplace(Centered):
    """Laplace(loc m, scale s) on the real line; mean m, variance 2 s².

        log p(x) = -|x - m| / s - log 2s

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch]
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 24.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.real
    reparametrized_params = ("loc", "scale")
    symmetric = True

    def sample(self, key, sample_shape=()):
        return self.loc + self.scale * random.laplace(key, self.shape(sample_shape), self.dtype)

    def log_prob_inside(self, value):
        return -np.abs(value - self.loc) * (1.0 / self.scale) - (np.log(self.scale) + math.log(2))

    @property
    def variance(self):
        return np.broadcast_to(2.0 * self.scale * self.scale, self.batch_shape)

    def entropy(self):
        return np.broadcast_to(np.log(self.scale) + (1 + math.log(2)), self.batch_shape)

    def cdf(self, value):
        z = (np.asarray(value) - self.loc) / self.scale
        tail = 0.5 * np.exp(-np.abs(z))
        return np.where(z < 0, tail, 1.0 - tail)

    def log_cdf(self, value):
        return _log_laplace_cdf((np.asarray(value) - self.loc) / self.scale)

    def log_survival(self, value):
        return _log_laplace_cdf((self.loc - np.asarray(value)) / self.scale)

    def icdf(self, q):
        return self.loc + self.scale * _laplace_quantile(np.asarray(q))

    def isf(self, q):
        return self.loc - self.scale * _laplace_quantile(np.asarray(q))

    def icdf_exp(self, log_q):
        return self.loc + self.scale * _laplace_quantile_exp(np.asarray(log_q))

    def isf_exp(self, log_q):
        return self.loc - self.scale * _laplace_quantile_exp(np.asarray(log_q))


def _log_laplace_cdf(z):
    size = np.abs(z)
    return np.where(z < 0, -size - math.log(2), np.log1p(-0.5 * np.exp(-size)))


def _laplace_quantile(q):
    """The quantile at loc 0 and scale 1, accurate for small q."""
    size = np.log(2.0 * np.minimum(q, 1.0 - q))
    return np.where(q < 0.5, size, -size)


def _laplace_quantile_exp(log_q):
    """The same from the logarithm of q."""
    low = log_q < -math.log(2)
    high = np.where(low, -math.log(2), log_q)
    return np.where(low, log_q + math.log(2), -math.log(2) - np.log(-np.expm1(high)))
