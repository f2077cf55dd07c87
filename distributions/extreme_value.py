"""Extremes of many numbers: the Gumbel, Weibull and Fréchet distributions, and the Gompertz law of mortality."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .location_scale import LocationScale, Scale
from .ratios import scaled_exp1
from .record import ArrayLike, param

EULER = 0.5772156649015329


class Gumbel(LocationScale):
    """Gumbel(loc m, scale s) on the real line, the limit of maxima; mean m + γ s, variance (π s)² / 6.

        log p(x) = -z - exp(-z) - log s,  z = (x - m) / s

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch]
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 22.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("loc", "scale")

    def _draw(self, key, shape):
        return random.gumbel(key, shape, self.dtype)

    def log_prob_inside(self, value):
        z = (self.loc - value) * (1.0 / self.scale)          # one division for a shared scale
        return z - np.exp(z) - np.log(self.scale)

    def _mean(self):
        return EULER

    def _variance(self):
        return math.pi ** 2 / 6

    def _mode(self):
        return 0.0

    def _entropy(self):
        return 1 + EULER

    def _cdf(self, z):
        return np.exp(-np.exp(-z))

    def _log_cdf(self, z):
        return -np.exp(-z)

    def _log_survival(self, z):
        return special.log1mexp(np.exp(-z))

    def _icdf(self, q):
        return -np.log(-np.log(q))


class Weibull(Scale):
    """Weibull(scale s, concentration k) on the positive numbers: s E^(1/k) for an exponential E.

        log p(x) = log(k / s) + (k - 1) l - exp(k l),  l = log(x / s)

    scale, concentration : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 21.
    """
    scale: ArrayLike = param(constraints.positive)
    concentration: ArrayLike = param(constraints.positive)
    reparametrized_params = ("scale", "concentration")

    def _draw(self, key, shape):
        return random.weibull_min(key, 1.0, self.concentration, shape, self.dtype)

    def log_prob_inside(self, value):
        k, l = self.concentration, np.log(value * (1.0 / self.scale))
        return (k - 1.0) * l - np.exp(k * l) + np.log(k / self.scale)

    def _log_moment(self, n):
        return special.gammaln(1.0 + n / self.concentration)

    def _mean(self):
        return np.exp(self._log_moment(1.0))

    def _variance(self):
        one, two = self._log_moment(1.0), self._log_moment(2.0)
        return np.exp(2.0 * one) * np.expm1(two - 2.0 * one)

    def _mode(self):
        k = self.concentration
        inner = k > 1
        safe = np.where(inner, k, 2.0)
        return np.where(inner, np.exp(np.log1p(-1.0 / safe) / safe), 0.0)

    def _entropy(self):
        k = self.concentration
        return EULER * (1.0 - 1.0 / k) - np.log(k) + 1.0

    def _power(self, z):
        return np.exp(self.concentration * np.log(z))

    def _cdf(self, z):
        return -np.expm1(-self._power(z))

    def _log_cdf(self, z):
        return special.log1mexp(self._power(z))

    def _log_survival(self, z):
        return -self._power(z)

    def _icdf(self, q):
        return np.exp(np.log(-np.log1p(-q)) / self.concentration)


class Frechet(Scale):
    """Frechet(scale s, concentration k) on the positive numbers: s E^(-1/k) for an exponential E.

        log p(x) = log(k / s) - (k + 1) l - exp(-k l),  l = log(x / s)

    scale, concentration : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Kotz & Nadarajah (2000), Extreme Value Distributions, §1.2.
    """
    scale: ArrayLike = param(constraints.positive)
    concentration: ArrayLike = param(constraints.positive)
    reparametrized_params = ("scale", "concentration")

    def _draw(self, key, shape):
        return np.exp(random.gumbel(key, shape, self.dtype) / self.concentration)

    def log_prob_inside(self, value):
        k, l = self.concentration, np.log(value * (1.0 / self.scale))
        return np.log(k / self.scale) - (k + 1.0) * l - np.exp(-k * l)

    def _log_moment(self, n):
        return special.gammaln(1.0 - n / np.where(self.concentration > n, self.concentration, n + 1.0))

    def _mean(self):
        return np.where(self.concentration > 1, np.exp(self._log_moment(1.0)), math.inf)

    def _variance(self):
        one, two = self._log_moment(1.0), self._log_moment(2.0)
        return np.where(self.concentration > 2, np.exp(2.0 * one) * np.expm1(two - 2.0 * one), math.inf)

    def _mode(self):
        k = self.concentration
        return np.exp(-np.log1p(1.0 / k) / k)

    def _entropy(self):
        k = self.concentration
        return 1.0 + EULER * (1.0 + 1.0 / k) - np.log(k)

    def _power(self, z):
        return np.exp(-self.concentration * np.log(z))

    def _cdf(self, z):
        return np.exp(-self._power(z))

    def _log_cdf(self, z):
        return -self._power(z)

    def _log_survival(self, z):
        return special.log1mexp(self._power(z))

    def _icdf(self, q):
        return np.exp(-np.log(-np.log(q)) / self.concentration)


class Gompertz(Scale):
    """Gompertz(concentration c, rate b) on the positive numbers, with the hazard b c exp(b x).

        log p(x) = log(b c) + b x - c (exp(b x) - 1)

    concentration, rate : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, §22.8; mean: Lenart (2014),
    "The moments of the Gompertz distribution and maximum likelihood estimation of its parameters", eq. 3.
    """
    concentration: ArrayLike = param(constraints.positive)
    rate: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("concentration", "rate")

    def _standard(self, value):
        return np.asarray(value) * self.rate

    def _reached(self, value):
        return np.maximum(np.asarray(value), 0.0) * self.rate

    def _placed(self, z):
        return z / self.rate

    def _draw(self, key, shape):
        return np.log1p(random.exponential(key, shape, self.dtype) / self.concentration)

    def log_prob_inside(self, value):
        c, z = self.concentration, self._standard(value)
        return z - c * np.expm1(z) + np.log(c * self.rate)

    def _mean(self):
        return scaled_exp1(self.concentration)

    @property
    def variance(self):
        raise self._absent("variance")

    def _mode(self):
        return np.maximum(-np.log(self.concentration), 0.0)

    def entropy(self):
        c = self.concentration
        return self._wide(1.0 - scaled_exp1(c) - np.log(c * self.rate))

    def _cdf(self, z):
        return -np.expm1(-self.concentration * np.expm1(z))

    def _log_cdf(self, z):
        return special.log1mexp(self.concentration * np.expm1(z))

    def _log_survival(self, z):
        return -self.concentration * np.expm1(z)

    def _icdf(self, q):
        return np.log1p(-np.log1p(-q) / self.concentration)
