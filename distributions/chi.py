"""Lengths of normal vectors and their squares: Chi2, Chi, Rayleigh, Maxwell, and the reciprocals."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .deviance import gamma_kernel, inverse_gamma_kernel, log_gamma_unit
from .distribution import Distribution
from .location_scale import LocationScale, Scale
from .record import ArrayLike, param

EULER = 0.5772156649015329
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


class Chi2(Distribution):
    """Chi2(df k) on the positive numbers: the sum of k squares of normal numbers; mean k, variance 2k.

        log p(x) = (k/2 - 1) log x - x/2 - (k/2) log 2 - log Γ(k/2)

    df : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 18.
    """
    df: ArrayLike = param(constraints.positive)
    support = constraints.positive
    reparametrized_params = ("df",)

    def sample(self, key, sample_shape=()):
        return random.chisquare(key, self.df, self.shape(sample_shape), self.dtype)

    def log_prob_inside(self, value):
        half = 0.5 * self.df
        return gamma_kernel(half, np.full((), 0.5, self.dtype), value) + log_gamma_unit(half)

    @property
    def mean(self):
        return self.df

    @property
    def variance(self):
        return 2.0 * self.df

    @property
    def mode(self):
        return np.maximum(self.df - 2.0, 0.0)

    def entropy(self):
        half = 0.5 * self.df
        return half + math.log(2) + special.gammaln(half) + (1.0 - half) * special.digamma(half)

    def _half(self, value):
        return 0.5 * self.df, 0.5 * np.maximum(value, 0.0)

    def cdf(self, value):
        return special.gammainc(*self._half(value))

    def log_cdf(self, value):
        return special.log_gammainc(*self._half(value))

    def log_survival(self, value):
        """log P(X > value)."""
        return special.log_gammaincc(*self._half(value))

    def icdf(self, q):
        return 2.0 * special.gammaincinv(0.5 * self.df, np.asarray(q))


class _Length(Scale):
    """scale times the length of a normal vector with `_size()` elements."""

    def _size(self):
        raise NotImplementedError

    def _half_square(self, z):
        return 0.5 * self._size(), 0.5 * np.square(z)

    def _cdf(self, z):
        return special.gammainc(*self._half_square(z))

    def _log_cdf(self, z):
        return special.log_gammainc(*self._half_square(z))

    def _log_survival(self, z):
        return special.log_gammaincc(*self._half_square(z))

    def _icdf(self, q):
        return np.sqrt(2.0 * special.gammaincinv(0.5 * self._size(), q))


class Chi(_Length):
    """Chi(df k) on the positive numbers: the length of a vector of k normal numbers.

        log p(x) = (k - 1) log x - x²/2 - (k/2 - 1) log 2 - log Γ(k/2)

    df : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, §18.3.
    """
    df: ArrayLike = param(constraints.positive)
    scale = 1.0
    reparametrized_params = ("df",)

    def _size(self):
        return self.df

    def _draw(self, key, shape):
        return math.sqrt(2) * np.exp(0.5 * random.loggamma(key, 0.5 * self.df, shape, self.dtype))

    def log_prob_inside(self, value):
        k = self.df
        half = 0.5 * k
        return gamma_kernel(half, 0.5 * np.asarray(value), value) + (log_gamma_unit(half) + math.log(2))

    def _mean(self):
        half = 0.5 * self.df
        return math.sqrt(2) * np.exp(special.gammaln(half + 0.5) - special.gammaln(half))

    def _variance(self):
        return self.df - np.square(self._mean())

    def _mode(self):
        return np.sqrt(np.maximum(self.df - 1.0, 0.0))

    def entropy(self):
        k = self.df
        return special.gammaln(0.5 * k) + 0.5 * (k - math.log(2) - (k - 1.0) * special.digamma(0.5 * k))


class Rayleigh(_Length):
    """Rayleigh(scale s) on the positive numbers: the length of a normal vector in the plane; mean s √(π/2).

        log p(x) = log z - ½ z² - log s,  z = x / s

    scale : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, §18.10.
    """
    scale: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("scale",)

    def _draw(self, key, shape):
        return np.sqrt(2.0 * random.exponential(key, shape, self.dtype))

    def _log_density(self, z):
        return np.log(z) - 0.5 * np.square(z)

    def _mean(self):
        return math.sqrt(math.pi / 2)

    def _variance(self):
        return 2 - math.pi / 2

    def _mode(self):
        return 1.0

    def _entropy(self):
        return 1 + 0.5 * EULER - 0.5 * math.log(2)

    def _cdf(self, z):
        return -np.expm1(-0.5 * np.square(z))

    def _log_cdf(self, z):
        return special.log1mexp(0.5 * np.square(z))

    def _log_survival(self, z):
        return -0.5 * np.square(z)

    def _icdf(self, q):
        return np.sqrt(-2.0 * np.log1p(-q))


class Maxwell(_Length):
    """Maxwell(scale s) on the positive numbers: the length of a normal vector in space; mean 2 s √(2/π).

        log p(x) = 2 log z - ½ z² + ½ log(2/π) - log s,  z = x / s

    scale : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, §18.3.
    """
    scale: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("scale",)

    def _size(self):
        return np.asarray(3.0, self.dtype)

    def _draw(self, key, shape):
        return random.maxwell(key, shape, self.dtype)

    def _log_density(self, z):
        return 2.0 * np.log(z) - 0.5 * np.square(z) + 0.5 * math.log(2 / math.pi)

    def _mean(self):
        return 2 * math.sqrt(2 / math.pi)

    def _variance(self):
        return 3 - 8 / math.pi

    def _mode(self):
        return math.sqrt(2)

    def _entropy(self):
        return HALF_LOG_2PI + EULER - 0.5


class DoubleSidedMaxwell(LocationScale):
    """DoubleSidedMaxwell(loc m, scale s): m ± s M with equal chances, for a Maxwell number M; mean m, variance 3 s².

        log p(x) = 2 log |z| - ½ z² - ½ log 2π - log s,  z = (x - m) / s

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch]
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, §18.3.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("loc", "scale")

    def _draw(self, key, shape):
        return random.double_sided_maxwell(key, 0.0, 1.0, shape, self.dtype)

    def _log_density(self, z):
        zero = z == 0                                        # the density is 0 there: no slope rather than nan
        safe = np.where(zero, 1.0, z)
        return np.where(zero, -math.inf, np.log(safe * safe) - 0.5 * np.square(safe) - HALF_LOG_2PI)

    def _mean(self):
        return 0.0

    def _variance(self):
        return 3.0

    def _entropy(self):
        return HALF_LOG_2PI + EULER - 0.5 + math.log(2)

    def _log_cdf(self, z):
        below = z < 0
        half, square = np.asarray(1.5, self.dtype), 0.5 * np.square(z)
        beyond = np.where(below, special.log_gammaincc(half, square) - math.log(2), 0.0)
        return np.where(below, beyond, np.log1p(-0.5 * special.gammaincc(half, square)))

    def _cdf(self, z):
        tail = 0.5 * special.gammaincc(np.asarray(1.5, self.dtype), 0.5 * np.square(z))
        return np.where(z < 0, tail, 1.0 - tail)

    def _log_survival(self, z):
        return self._log_cdf(-z)

    def _icdf(self, q):
        low = q < 0.5
        tail = 2.0 * np.where(low, q, 1.0 - q)
        size = np.sqrt(2.0 * special.gammainccinv(np.asarray(1.5, self.dtype), tail))
        return np.where(low, -size, size)


class _Reciprocal(Distribution):
    """c / X for X ~ Chi2(df), where c is `_numerator()`."""
    support = constraints.positive

    def _numerator(self):
        raise NotImplementedError

    def sample(self, key, sample_shape=()):
        return self._numerator() / random.chisquare(key, self.df, self.shape(sample_shape), self.dtype)

    def log_prob_inside(self, value):
        half, c = 0.5 * self.df, 0.5 * self._numerator()
        return inverse_gamma_kernel(half, c, value) + log_gamma_unit(half)

    def _wide(self, x):
        return np.broadcast_to(x, self.batch_shape)

    @property
    def mean(self):
        df = self.df
        return self._wide(np.where(df > 2, self._numerator() / np.where(df > 2, df - 2.0, 1.0), math.inf))

    @property
    def variance(self):
        df = np.where(self.df > 4, self.df, 5.0)
        v = 2.0 * np.square(self._numerator() / (df - 2.0)) / (df - 4.0)
        return self._wide(np.where(self.df > 4, v, math.inf))

    @property
    def mode(self):
        return self._wide(self._numerator() / (self.df + 2.0))

    def entropy(self):
        half = 0.5 * self.df
        h = half + np.log(0.5 * self._numerator()) + special.gammaln(half) - (1.0 + half) * special.digamma(half)
        return self._wide(h)

    def _half(self, value):
        return 0.5 * self.df, 0.5 * self._numerator() / np.maximum(value, 0.0)

    def cdf(self, value):
        return special.gammaincc(*self._half(value))

    def log_cdf(self, value):
        return special.log_gammaincc(*self._half(value))

    def log_survival(self, value):
        """log P(X > value)."""
        return special.log_gammainc(*self._half(value))

    def icdf(self, q):
        return 0.5 * self._numerator() / special.gammainccinv(0.5 * self.df, np.asarray(q))


class InvChi2(_Reciprocal):
    """InvChi2(df k) on the positive numbers: 1 / X for X ~ Chi2(k); mean 1 / (k - 2) where k > 2.

        log p(x) = -(k/2) log 2 - (k/2 + 1) log x - ½ / x - log Γ(k/2)

    df : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., appendix A.
    """
    df: ArrayLike = param(constraints.positive)
    reparametrized_params = ("df",)

    def _numerator(self):
        return np.ones((), self.dtype)


class ScaledInvChi2(_Reciprocal):
    """ScaledInvChi2(df k, scale s) on the positive numbers: k s² / X for X ~ Chi2(k); mean k s² / (k - 2).

        log p(x) = (k/2) log(k s² / 2) - (k/2 + 1) log x - k s² / 2x - log Γ(k/2)

    df, scale : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., appendix A.
    """
    df: ArrayLike = param(constraints.positive)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("df", "scale")

    def _numerator(self):
        return self.df * self.scale * self.scale
