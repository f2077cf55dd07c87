"""The exponential distribution, and the Laplace distribution: an exponential with a random sign."""
import math

from ..engine import numpy as np
from ..engine import random
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param


class Exponential(Distribution):
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

    def icdf(self, q):
        return -np.log1p(-np.asarray(q)) / self.rate


class Laplace(Distribution):
    """Laplace(loc m, scale s) on the real line; mean m, variance 2 s².

        log p(x) = -|x - m| / s - log 2s

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch]
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 24.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.real
    reparametrized_params = ("loc", "scale")

    def sample(self, key, sample_shape=()):
        return self.loc + self.scale * random.laplace(key, self.shape(sample_shape), self.dtype)

    def log_prob_inside(self, value):
        return -np.abs((value - self.loc) / self.scale) - (np.log(self.scale) + math.log(2))

    @property
    def mean(self):
        return np.broadcast_to(self.loc, self.batch_shape)

    mode = mean

    @property
    def variance(self):
        return np.broadcast_to(2.0 * self.scale * self.scale, self.batch_shape)

    def entropy(self):
        return np.broadcast_to(np.log(self.scale) + (1 + math.log(2)), self.batch_shape)

    def cdf(self, value):
        z = (np.asarray(value) - self.loc) / self.scale
        return 0.5 - 0.5 * np.sign(z) * np.expm1(-np.abs(z))

    def icdf(self, q):
        off = np.asarray(q) - 0.5
        return self.loc - self.scale * np.sign(off) * np.log1p(-2.0 * np.abs(off))
