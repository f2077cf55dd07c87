"""Logarithms and exponentials of logistic numbers: LogLogistic, Dagum, SkewLogistic."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import softplus
from ..engine.scipy import special
from . import constraints
from .location_scale import LocationScale, Scale
from .record import ArrayLike, param

EULER = 0.5772156649015329


class LogLogistic(Scale):
    """LogLogistic(scale s, concentration k) on the positive numbers: P(X <= x) = 1 / (1 + (x / s)^-k).

        log p(x) = log(k / s) + (k - 1) l - 2 log(1 + exp(k l)),  l = log(x / s)

    scale, concentration : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, §23.10.
    """
    scale: ArrayLike = param(constraints.positive)
    concentration: ArrayLike = param(constraints.positive)
    reparametrized_params = ("scale", "concentration")

    @classmethod
    def from_logistic(cls, loc, scale, **kwargs):
        """The exponential of Logistic(loc, scale)."""
        return cls(np.exp(np.asarray(loc)), 1.0 / np.asarray(scale), **kwargs)

    def _draw(self, key, shape):
        return np.exp(random.logistic(key, shape, self.dtype) / self.concentration)

    def log_prob_inside(self, value):
        k, l = self.concentration, np.log(value / self.scale)
        return (k - 1.0) * l - 2.0 * softplus(k * l) + np.log(k / self.scale)

    def _moment(self, n):
        """E Zⁿ = t / sin t with t = π n / k, where n < k."""
        t = math.pi * n / np.where(self.concentration > n, self.concentration, 2.0 * n)
        return np.where(self.concentration > n, t / np.sin(t), math.inf)

    def _mean(self):
        return self._moment(1.0)

    def _variance(self):
        heavy = self.concentration <= 2
        return self._moment(2.0) - np.where(heavy, 0.0, np.square(self._moment(1.0)))

    def _mode(self):
        k = np.maximum(self.concentration, 1.0)
        return np.exp(np.log((k - 1.0) / (k + 1.0)) / k)

    def _entropy(self):
        return 2.0 - np.log(self.concentration)

    def _logit(self, z):
        return self.concentration * np.log(z)

    def _cdf(self, z):
        return special.expit(self._logit(z))

    def _log_cdf(self, z):
        return -softplus(-self._logit(z))

    def _log_survival(self, z):
        return -softplus(self._logit(z))

    def _icdf(self, q):
        return np.exp((np.log(q) - np.log1p(-q)) / self.concentration)


class Dagum(Scale):
    """Dagum(concentration c, sharpness a, scale s) on the positive numbers: P(X <= x) = (1 + (x / s)^-a)^-c.

        log p(x) = log(a c / s) + (a c - 1) l - (c + 1) log(1 + exp(a l)),  l = log(x / s)

    concentration, sharpness, scale : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Kleiber (2008), "A guide to the Dagum distributions".
    """
    concentration: ArrayLike = param(constraints.positive)
    sharpness: ArrayLike = param(constraints.positive)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("concentration", "sharpness", "scale")

    def _draw(self, key, shape):
        return np.exp(_skew_draw(key, self.concentration, shape, self.dtype) / self.sharpness)

    def log_prob_inside(self, value):
        a, c, l = self.sharpness, self.concentration, np.log(value / self.scale)
        y = a * l
        return c * y - l - (c + 1.0) * softplus(y) + np.log(a * c / self.scale)

    def _log_moment(self, n):
        a, c = np.where(self.sharpness > n, self.sharpness, n + 1.0), self.concentration
        return special.gammaln(c + n / a) + special.gammaln(1.0 - n / a) - special.gammaln(c)

    def _mean(self):
        return np.where(self.sharpness > 1, np.exp(self._log_moment(1.0)), math.inf)

    def _variance(self):
        one, two = self._log_moment(1.0), self._log_moment(2.0)
        return np.where(self.sharpness > 2, np.exp(2.0 * one) * np.expm1(two - 2.0 * one), math.inf)

    def _mode(self):
        a = self.sharpness
        return np.exp(np.log(np.maximum(a * self.concentration - 1.0, 0.0) / (a + 1.0)) / a)

    def _entropy(self):
        a, c = self.sharpness, self.concentration
        mean = special.digamma(c) + EULER                              # of a log(x / s)
        return (c + 1.0) * (mean + 1.0 / c) - (c - 1.0 / a) * mean - np.log(a * c)

    def _log_cdf(self, z):
        return -self.concentration * softplus(-self.sharpness * np.log(z))

    def _cdf(self, z):
        return np.exp(self._log_cdf(z))

    def _log_survival(self, z):
        return special.log1mexp(-self._log_cdf(z))

    def _icdf(self, q):
        return np.exp(_skew_quantile(-np.log(q) / self.concentration) / self.sharpness)


def _skew_quantile(e):
    """z with log(1 + exp(-z)) = e: -log(exp e - 1)."""
    return -(e + special.log1mexp(e))


def _skew_draw(key, c, shape, dtype):
    """Numbers z with P(Z <= z) = (1 + exp(-z))^-c."""
    return _skew_quantile(random.exponential(key, shape, dtype) / c)


class SkewLogistic(LocationScale):
    """SkewLogistic(loc m, scale s, asymmetry c): P(X <= x) = (1 + exp(-z))^-c, Logistic(m, s) for c = 1.

        log p(x) = log c - z - (c + 1) log(1 + exp(-z)) - log s,  z = (x - m) / s

    loc, scale, asymmetry : float[*batch], scale > 0, asymmetry > 0          sample : float[*shape, *batch]
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, §23.10 (type I).
    """
    loc: ArrayLike = param(constraints.real)
    scale: ArrayLike = param(constraints.positive)
    asymmetry: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("loc", "scale", "asymmetry")

    def _draw(self, key, shape):
        return _skew_draw(key, self.asymmetry, shape, self.dtype)

    def _log_density(self, z):
        c = self.asymmetry
        return np.log(c) + c * z - (c + 1.0) * softplus(z)

    def _mean(self):
        return special.digamma(self.asymmetry) + EULER

    def _variance(self):
        return special.polygamma(1, self.asymmetry) + math.pi ** 2 / 6

    def _mode(self):
        return np.log(self.asymmetry)

    def _entropy(self):
        c = self.asymmetry
        mean = special.digamma(c) + EULER
        return mean + (c + 1.0) / c - np.log(c)

    def _log_cdf(self, z):
        return -self.asymmetry * softplus(-z)

    def _cdf(self, z):
        return np.exp(self._log_cdf(z))

    def _log_survival(self, z):
        return special.log1mexp(self.asymmetry * softplus(-z))

    def _icdf(self, q):
        return _skew_quantile(-np.log(q) / self.asymmetry)
