"""Bumps on an interval about a location: Epanechnikov, Biweight, Triweight, Semicircle, and the raised Cosine."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .location_scale import LocationScale
from .quantile import inverse_cdf
from .record import ArrayLike, param


class _Bump(LocationScale):
    """Base: a density that is symmetric about loc, highest there, and 0 at loc - scale, loc + scale and beyond."""
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("loc", "scale")
    symmetric = True

    @property
    def support(self):
        return constraints.interval(self.loc - self.scale, self.loc + self.scale)

    def log_prob(self, value):
        value = np.asarray(value)
        return self._guarded(value, self.support, np.abs(self._standard(value)) < 1)

    def _reached(self, value):
        return np.clip(self._standard(value), -1.0, 1.0)

    def _mean(self):
        return 0.0

    _mode = _mean

    def _tail(self, t):
        """P(Z <= t - 1) for 0 <= t <= 1."""
        raise NotImplementedError

    def _sides(self, z):
        """What lies beyond z on its own side of 0; whether that is the left side."""
        return self._tail(1.0 - np.abs(z)), z < 0

    def _cdf(self, z):
        tail, left = self._sides(z)
        return np.where(left, tail, 1.0 - tail)

    def _log_cdf(self, z):
        tail, left = self._sides(z)
        ok = np.logical_and(left, tail > 0)
        return np.where(left, np.where(ok, np.log(np.where(ok, tail, 1.0)), -math.inf),
                        np.log1p(-np.where(left, 0.0, tail)))

    def _log_survival(self, z):
        return self._log_cdf(-z)


class _Power(_Bump):
    """Base: p(z) = c (1 - z²)ᵏ, so that (1 + z) / 2 is a Beta(k + 1, k + 1) number."""
    _k = 1.0

    def _log_density(self, z):
        z = np.abs(z)
        return self._k * (np.log1p(-z) + np.log1p(z)) - self._log_norm()

    def _log_norm(self):
        """log of ∫ (1 - z²)ᵏ dz = 2²ᵏ⁺¹ B(k + 1, k + 1)."""
        k = self._k
        return (2 * k + 1) * math.log(2) + 2 * math.lgamma(k + 1) - math.lgamma(2 * k + 2)

    def _draw(self, key, shape):
        d = self.dtype
        a = np.asarray(self._k + 1.0, d)
        edge = 1.0 - float(np.finfo(d).epsneg)
        return np.clip(2.0 * random.beta(key, a, a, shape, d) - 1.0, -edge, edge)

    def _variance(self):
        return 1 / (2 * self._k + 3)

    def _entropy(self):
        """log c⁻¹ - k E log(1 - Z²), with E log(1 - Z²) = 2 log 2 + 2 ψ(k + 1) - 2 ψ(2k + 2)."""
        k = self._k
        spread = 2.0 * (special.digamma(k + 1.0) - special.digamma(2.0 * k + 2.0)) + 2 * math.log(2)
        return self._log_norm() - k * np.astype(spread, self.dtype)

    def _tail(self, t):
        return special.betainc(self._k + 1.0, self._k + 1.0, 0.5 * t)

    def _icdf(self, q):
        a = np.asarray(self._k + 1.0, q.dtype)
        low = q < 0.5
        z = 2.0 * special.betaincinv(a, a, np.where(low, q, 1.0 - q)) - 1.0
        return np.where(low, z, -z)


class Epanechnikov(_Power):
    """Epanechnikov(loc m, scale s) on [m - s, m + s]: a parabola; mean m, variance s² / 5.

        p(x) = 3/4 (1 - z²) / s,  z = (x - m) / s

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch]
    Source: Epanechnikov (1969), "Non-parametric estimation of a multivariate probability density".

    >>> float(Epanechnikov(0.0, 1.0).prob(0.0))
    0.75
    """


class Biweight(_Power):
    """Biweight(loc m, scale s) on [m - s, m + s]; mean m, variance s² / 7.

        p(x) = 15/16 (1 - z²)² / s,  z = (x - m) / s

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch]
    Source: Silverman (1986), Density Estimation for Statistics and Data Analysis, table 3.1.

    >>> float(Biweight(0.0, 1.0).prob(0.0))
    0.9375
    """
    _k = 2.0


class Triweight(_Power):
    """Triweight(loc m, scale s) on [m - s, m + s]; mean m, variance s² / 9.

        p(x) = 35/32 (1 - z²)³ / s,  z = (x - m) / s

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch]
    Source: Wand & Jones (1995), Kernel Smoothing, §2.7.

    >>> float(Triweight(0.0, 1.0).prob(0.0))
    1.09375
    """
    _k = 3.0


class Semicircle(_Power):
    """Semicircle(loc m, scale s) on [m - s, m + s]: half an ellipse; mean m, variance s² / 4.

        p(x) = 2/π √(1 - z²) / s,  z = (x - m) / s

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch]
    Of eigenvalues of large symmetric random matrices. A draw is a coordinate of a point of the disc.
    Source: Wigner (1955), "Characteristic vectors of bordered matrices with infinite dimensions".

    >>> round(float(Semicircle(0.0, 2.0).variance), 12)
    1.0
    """
    _k = 0.5

    def _draw(self, key, shape):
        first, second = random.split(key)
        d = self.dtype
        edge = 1.0 - float(np.finfo(d).epsneg)
        z = np.sqrt(random.uniform(first, shape, d)) * np.cos(math.pi * random.uniform(second, shape, d))
        return np.clip(z, -edge, edge)


class Cosine(_Bump):
    """Cosine(loc m, scale s) on [m - s, m + s]: one period of a cosine, raised; mean m, variance s² (1/3 - 2/π²).

        p(x) = (1 + cos π z) / 2 s,  z = (x - m) / s;  P(X <= x) = (1 + z + sin(π z) / π) / 2

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch], by inversion
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, §23.11 (raised cosine).

    >>> float(Cosine(0.0, 1.0).prob(0.0))
    1.0
    """

    def _log_density(self, z):
        return 2.0 * np.log(np.sin((0.5 * math.pi) * (1.0 - np.abs(z))))      # 1 + cos π z = 2 sin² ½π(1 - |z|)

    def _draw(self, key, shape):
        tiny = float(np.finfo(self.dtype).epsneg)
        return self._icdf(np.clip(random.uniform(key, shape, self.dtype), tiny, 1.0 - tiny))

    def _variance(self):
        return 1 / 3 - 2 / math.pi ** 2

    def _entropy(self):
        return 2 * math.log(2) - 1.0

    def _tail(self, t):
        return (0.5 / math.pi) * _less_sine(math.pi * t)

    def _icdf(self, q):
        low = q < 0.5
        z = inverse_cdf(_tail_of_cosine, np.where(low, q, 1.0 - q), -1.0, 1.0, solve=_solve_cosine)
        return np.where(low, z, -z)


def _less_sine(y):
    """y - sin y, for small y by its series.   0 <= y <= π"""
    near = y < 1
    small = np.where(near, y, 0.0)
    square = small * small
    series = 0.0
    for n in range(8, 0, -1):
        series = (1.0 - series) * square / ((2 * n) * (2 * n + 1))
    return np.where(near, small * series, y - np.sin(y))


def _tail_of_cosine(z):
    return (0.5 / math.pi) * _less_sine(math.pi * (1.0 + z))


def _solve_cosine(q):
    """z <= 0 with y - sin y = 2 π q, y = π (1 + z): the series of the inverse, then Newton's method."""
    m = (2 * math.pi) * q
    s = np.cbrt(6.0 * m)
    y = s * (1.0 + s * s * (1 / 60 + s * s / 1400))
    for _ in range(4):
        half = np.sin(0.5 * y)
        ok = half > 0
        y = np.clip(y - np.where(ok, (_less_sine(y) - m) / np.where(ok, 2.0 * half * half, 1.0), 0.0), 0.0, math.pi)
    return y * (1 / math.pi) - 1.0
