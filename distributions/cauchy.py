"""The Cauchy distribution and its positive half."""
import math

from ..engine import numpy as np
from ..engine import random
from . import constraints
from .distribution import Distribution
from .ratios import log1p_square
from .record import ArrayLike, param

PI = math.pi


def log1p_squared(z):
    """log(1 + z²), in float32 by a form that does not overflow at 1e19 (in float64 that is at 1e154)."""
    return np.log1p(z * z) if z.dtype.itemsize > 4 else log1p_square(z)


class Cauchy(Distribution):
    """Cauchy(loc m, scale s) on the real line; it has no mean.

        log p(x) = -log(1 + ((x - m) / s)²) - log s - log π

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch]
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 16.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.real
    reparametrized_params = ("loc", "scale")
    symmetric = True

    def sample(self, key, sample_shape=()):
        return self.loc + self.scale * random.cauchy(key, self.shape(sample_shape), self.dtype)

    def log_prob(self, value):
        z = (value - self.loc) * (1.0 / self.scale)          # one division for a shared scale
        return -log1p_squared(z) - (np.log(self.scale) + math.log(PI))

    @property
    def mean(self):
        return np.full(self.batch_shape, math.nan, self.dtype)

    variance = mean

    @property
    def mode(self):
        return np.broadcast_to(self.loc, self.batch_shape)

    def entropy(self):
        return np.broadcast_to(np.log(self.scale) + math.log(4 * PI), self.batch_shape)

    def cdf(self, value):
        return np.arctan2(1.0, (self.loc - np.asarray(value)) / self.scale) * (1 / PI)

    def survival_function(self, value):
        return np.arctan2(1.0, (np.asarray(value) - self.loc) / self.scale) * (1 / PI)

    def icdf(self, q):
        return self.loc + self.scale * _quantile(np.asarray(q))

    def isf(self, q):
        return self.loc - self.scale * _quantile(np.asarray(q))


def _quantile(q):
    """tan(π (q - ½)), accurate for small q."""
    return np.sin(PI * (q - 0.5)) / np.sin(PI * np.minimum(q, 1.0 - q))


class HalfCauchy(Distribution):
    """|X| for X ~ Cauchy(0, scale s); it has no mean.

        log p(x) = -log(1 + (x / s)²) - log s + log(2/π), x >= 0

    scale : float[*batch], > 0          sample : float[*shape, *batch], >= 0
    Source: Gelman (2006), Prior distributions for variance parameters in hierarchical models, §3.2.
    """
    scale: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.nonnegative
    reparametrized_params = ("scale",)
    finite_outside = True

    def sample(self, key, sample_shape=()):
        return self.scale * np.abs(random.cauchy(key, self.shape(sample_shape), self.dtype))

    def log_prob_inside(self, value):
        z = value * (1.0 / self.scale)
        return -log1p_squared(z) - (np.log(self.scale) - math.log(2 / PI))

    @property
    def mean(self):
        return np.full(self.batch_shape, math.inf, self.dtype)

    variance = mean

    @property
    def mode(self):
        return np.zeros_like(self.scale)

    def entropy(self):
        return np.log(self.scale) + math.log(2 * PI)

    def cdf(self, value):
        return np.maximum(np.arctan(value / self.scale) * (2 / PI), 0.0)

    def icdf(self, q):
        return self.scale * np.tan(np.asarray(q) * (PI / 2))

    def survival_function(self, value):
        return np.arctan2(1.0, np.maximum(value, 0.0) / self.scale) * (2 / PI)

    def isf(self, q):
        return self.scale / np.tan(np.asarray(q) * (PI / 2))
