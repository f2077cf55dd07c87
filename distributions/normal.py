"""The normal distribution and its positive half."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .exponential_family import ExponentialFamily
from .location_scale import Centered
from .record import ArrayLike, param

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


class Normal(Centered, ExponentialFamily):
    """Normal(loc μ, scale σ) on the real line; mean μ, variance σ².

        log p(x) = -½ ((x - μ) / σ)² - log σ - ½ log 2π

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch]
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 13.

    >>> float(Normal(0.0, 1.0).log_prob(0.0))
    -0.9189385
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.real
    reparametrized_params = ("loc", "scale")
    symmetric = True

    @classmethod
    def from_precision(cls, loc, precision, **kwargs):
        """With the reciprocal of the variance."""
        return cls(loc, 1.0 / np.sqrt(np.asarray(precision)), **kwargs)

    def sample(self, key, sample_shape=()):
        return self.loc + self.scale * random.normal(key, self.shape(sample_shape), self.dtype)

    def log_prob(self, value):
        z = (value - self.loc) * (1.0 / self.scale)          # one division for a shared or known scale
        return -0.5 * np.square(z) - (np.log(self.scale) + HALF_LOG_2PI)

    @property
    def variance(self):
        return np.broadcast_to(self.scale * self.scale, self.batch_shape)

    def entropy(self):
        return np.broadcast_to(np.log(self.scale) + (HALF_LOG_2PI + 0.5), self.batch_shape)

    @property
    def natural_params(self):
        precision = 1.0 / np.square(self.scale)
        return self.loc * precision, -0.5 * precision

    def log_normalizer(self, first, second):
        return -0.25 * np.square(first) / second - 0.5 * np.log(-2.0 * second)

    def sufficient_statistics(self, value):
        return value, np.square(value)

    mean_log_carrier = -HALF_LOG_2PI

    def cdf(self, value):
        return special.ndtr((np.asarray(value) - self.loc) / self.scale)

    def log_cdf(self, value):
        return special.log_ndtr((np.asarray(value) - self.loc) / self.scale)

    def survival_function(self, value):
        return special.ndtr((self.loc - np.asarray(value)) / self.scale)

    def log_survival(self, value):
        return special.log_ndtr((self.loc - np.asarray(value)) / self.scale)

    def icdf(self, q):
        return self.loc + self.scale * special.ndtri(q)

    def isf(self, q):
        return self.loc - self.scale * special.ndtri(q)

    def icdf_exp(self, log_q):
        return self.loc + self.scale * special.ndtri_exp(log_q)

    def isf_exp(self, log_q):
        return self.loc - self.scale * special.ndtri_exp(log_q)


class HalfNormal(Distribution):
    """|X| for X ~ Normal(0, scale σ); mean σ √(2/π), variance σ² (1 - 2/π).

        log p(x) = -½ (x / σ)² - log σ + ½ log(2/π), x >= 0

    scale : float[*batch], > 0          sample : float[*shape, *batch], >= 0
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, §13.10.
    """
    scale: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.nonnegative
    reparametrized_params = ("scale",)
    finite_outside = True

    def sample(self, key, sample_shape=()):
        return self.scale * np.abs(random.normal(key, self.shape(sample_shape), self.dtype))

    def log_prob_inside(self, value):
        z = value * (1.0 / self.scale)
        return -0.5 * np.square(z) - (np.log(self.scale) - 0.5 * math.log(2 / math.pi))

    @property
    def mean(self):
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self):
        return self.scale * self.scale * (1 - 2 / math.pi)

    @property
    def mode(self):
        return np.zeros_like(self.scale)

    def entropy(self):
        return np.log(self.scale) + 0.5 * (1 + math.log(math.pi / 2))

    def cdf(self, value):
        return special.erf(np.maximum(value, 0.0) / (self.scale * math.sqrt(2)))

    def icdf(self, q):
        return (self.scale * math.sqrt(2)) * special.erfinv(q)

    def log_survival(self, value):
        return special.log_ndtr(-np.maximum(value, 0.0) / self.scale) + math.log(2)

    def isf(self, q):
        return -self.scale * special.ndtri(0.5 * np.asarray(q))

    def isf_exp(self, log_q):
        return -self.scale * special.ndtri_exp(np.asarray(log_q) - math.log(2))
