"""The log-normal distribution."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution, above
from .normal import HALF_LOG_2PI
from .record import ArrayLike, param


class LogNormal(Distribution):
    """exp(X) for X ~ Normal(loc μ, scale σ); mean exp(μ + σ²/2).

        log p(x) = -½ ((log x - μ) / σ)² - log x - log σ - ½ log 2π, x > 0

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch], > 0
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 14.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.positive
    reparametrized_params = ("loc", "scale")

    def sample(self, key, sample_shape=()):
        return np.exp(self.loc + self.scale * random.normal(key, self.shape(sample_shape), self.dtype))

    def log_prob_inside(self, value):
        y = np.log(value)
        z = (y - self.loc) * (1.0 / self.scale)              # one division for a shared scale
        return -0.5 * z * z - y - (np.log(self.scale) + HALF_LOG_2PI)

    @property
    def mean(self):
        return np.exp(self.loc + 0.5 * self.scale * self.scale)

    @property
    def variance(self):
        s2 = self.scale * self.scale
        return np.expm1(s2) * np.exp(2.0 * self.loc + s2)

    @property
    def mode(self):
        return np.exp(self.loc - self.scale * self.scale)

    def entropy(self):
        return np.log(self.scale) + self.loc + (HALF_LOG_2PI + 0.5)

    def cdf(self, value):
        return above(value, 0.0, lambda x: special.ndtr((np.log(x) - self.loc) / self.scale), 0.0)

    def log_cdf(self, value):
        return above(value, 0.0, lambda x: special.log_ndtr((np.log(x) - self.loc) / self.scale), -math.inf)

    def log_survival(self, value):
        return above(value, 0.0, lambda x: special.log_ndtr((self.loc - np.log(x)) / self.scale), 0.0)

    def icdf(self, q):
        return np.exp(self.loc + self.scale * special.ndtri(q))

    def isf(self, q):
        return np.exp(self.loc - self.scale * special.ndtri(q))

    def icdf_exp(self, log_q):
        return np.exp(self.loc + self.scale * special.ndtri_exp(log_q))

    def isf_exp(self, log_q):
        return np.exp(self.loc - self.scale * special.ndtri_exp(log_q))
