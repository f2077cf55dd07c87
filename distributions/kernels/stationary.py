"""Kernels of the distance between points: ExpQuad, Matérn, RationalQuadratic, and others.

Each is a function of s = Σ ((xᵢ - yᵢ) / ℓᵢ)², and has derivatives without nan where points coincide; the Matérn
kernels are written so that derivatives through s = 0 are the true ones wherever they exist.
"""
import math
from typing import ClassVar

from ...engine import numpy as np
from ...engine.control.custom import custom_jvp
from .. import constraints
from ..record import ArrayLike, param
from .kernel import Kernel

_EXPANDED = 16                                           # more coordinates than this: |a|² - 2 a'b + |b|²


def squared_distances(x, y=None):
    """Σ (xᵢ - yᵢ)² between all pairs, y being x for None.   x : float[n, d], y : float[m, d]  ->  float[n, m], >= 0"""
    same = y is None
    y = x if same else y
    if x.shape[-1] == 1:
        gap = x - y[:, 0]
        return gap * gap
    if x.shape[-1] <= _EXPANDED:                         # no cancellation, at the price of an array [n, m, d]
        gap = x[:, None, :] - y[None, :, :]
        return np.sum(gap * gap, -1)
    centre = np.mean(y, 0)                               # the terms that cancel are as small as can be
    x, y = x - centre, y - centre
    s = np.maximum(np.sum(x * x, -1)[:, None] + np.sum(y * y, -1) - 2 * np.matmul(x, y.T), 0.0)
    return s * (1.0 - np.eye(len(x), dtype=s.dtype)) if same else s


def safe_sqrt(s):
    """√s for s >= 0, whose derivative at 0 is 0."""
    some = s > 0
    return np.where(some, np.sqrt(np.where(some, s, 1.0)), 0.0)


@custom_jvp
def matern12(s):
    """exp(-√s), with derivative 0 at 0."""
    return np.exp(-np.sqrt(s))


@custom_jvp
def matern32(s):
    """(1 + √(3s)) exp(-√(3s))."""
    r = np.sqrt(3 * s)
    return (1 + r) * np.exp(-r)


@custom_jvp
def matern52(s):
    """(1 + √(5s) + 5s/3) exp(-√(5s))."""
    r = np.sqrt(5 * s)
    return (1 + r + r * r / 3) * np.exp(-r)


@matern12.defjvp
def _(primals, tangents):
    r = safe_sqrt(primals[0])
    value = np.exp(-r)
    return value, tangents[0] * np.where(r > 0, -0.5 * value / np.where(r > 0, r, 1.0), 0.0)


@matern32.defjvp
def _(primals, tangents):
    s, = primals
    return matern32(s), tangents[0] * (-1.5 * matern12(3 * s))


@matern52.defjvp
def _(primals, tangents):
    s, = primals
    return matern52(s), tangents[0] * (-5 / 6 * matern32(5 / 3 * s))


class Stationary(Kernel):
    """variance · f(s): write `of_squared_distance`, which is f, with f(0) = 1."""
    lengthscale: ArrayLike = param(constraints.positive, default=1.0)
    variance: ArrayLike = param(constraints.nonnegative, default=1.0)

    def of_squared_distance(self, s):
        """f(s), float[n, m] -> float[n, m]."""
        raise NotImplementedError

    def matrix(self, x, y):
        x = x / self.lengthscale
        s = squared_distances(x, None if y is None else y / self.lengthscale)
        return self.variance * self.of_squared_distance(s)

    def diagonal(self, x):
        return np.broadcast_to(self.variance, (len(x),))

    def _frequencies(self, omega):
        """Σ (ℓᵢ ωᵢ)², Π ℓᵢ and d, for spectral densities."""
        omega = self._selected(omega)
        d = omega.shape[-1]
        scaled = omega * self.lengthscale
        return np.sum(scaled * scaled, -1), np.prod(np.broadcast_to(self.lengthscale, (d,))), d


class ExpQuad(Stationary):
    """variance · exp(-s / 2), s = Σ ((xᵢ - yᵢ) / ℓᵢ)²; also called RBF and SquaredExponential.

    >>> ExpQuad(lengthscale=2.0)([0.0, 2.0]).round(4).tolist()
    [[1.0, 0.6065], [0.6065, 1.0]]
    """

    def of_squared_distance(self, s):
        return np.exp(-0.5 * s)

    def spectral_density(self, omega):
        q, volume, d = self._frequencies(omega)
        return self.variance * volume * (2 * math.pi) ** (d / 2) * np.exp(-0.5 * q)


class Matern(Stationary):
    """Base of the Matérn kernels of order ν.   Spectral density: Rasmussen & Williams (2006), eq. 4.15."""
    order: ClassVar[float] = 0.5

    def spectral_density(self, omega):
        q, volume, d = self._frequencies(omega)
        nu = self.order
        log_constant = (d * math.log(2) + d / 2 * math.log(math.pi) + math.lgamma(nu + d / 2) - math.lgamma(nu)
                        + nu * math.log(2 * nu))
        return self.variance * volume * math.exp(log_constant) * (2 * nu + q) ** -(nu + d / 2)


class Matern12(Matern):
    """variance · exp(-√s), s = Σ ((xᵢ - yᵢ) / ℓᵢ)²; also called Exponential: paths of Ornstein-Uhlenbeck processes."""

    def of_squared_distance(self, s):
        return matern12(s)


class Matern32(Matern):
    """variance · (1 + r) exp(-r), r = √(3s): paths have one derivative."""
    order: ClassVar[float] = 1.5

    def of_squared_distance(self, s):
        return matern32(s)


class Matern52(Matern):
    """variance · (1 + r + r²/3) exp(-r), r = √(5s): paths have two derivatives."""
    order: ClassVar[float] = 2.5

    def of_squared_distance(self, s):
        return matern52(s)


class RationalQuadratic(Stationary):
    """variance · (1 + s / 2α)^-α: a mixture of ExpQuad kernels over lengthscales."""
    lengthscale: ArrayLike = param(constraints.positive, default=1.0)
    alpha: ArrayLike = param(constraints.positive, default=1.0)
    variance: ArrayLike = param(constraints.nonnegative, default=1.0)

    def of_squared_distance(self, s):
        return np.exp(-self.alpha * np.log1p(s / (2 * self.alpha)))


class PoweredExponential(Stationary):
    """variance · exp(-s^(p/2)), 0 < p <= 2: Matern12 at p = 1, and ExpQuad with ℓ/√2 at p = 2."""
    lengthscale: ArrayLike = param(constraints.positive, default=1.0)
    power: ArrayLike = param(constraints.interval(0.0, 2.0), default=1.0)
    variance: ArrayLike = param(constraints.nonnegative, default=1.0)

    def of_squared_distance(self, s):
        some = s > 0
        return np.exp(-np.where(some, np.exp(0.5 * self.power * np.log(np.where(some, s, 1.0))), 0.0))


class GeneralCauchy(Stationary):
    """variance · (1 + s^(p/2))^(-β/p), 0 < p <= 2, β > 0: roughness p and long memory β, apart from each other.

    Source: Gneiting & Schlather (2004), Stochastic models that separate fractal dimension and the Hurst effect.
    """
    lengthscale: ArrayLike = param(constraints.positive, default=1.0)
    power: ArrayLike = param(constraints.interval(0.0, 2.0), default=1.0)
    beta: ArrayLike = param(constraints.positive, default=1.0)
    variance: ArrayLike = param(constraints.nonnegative, default=1.0)

    def of_squared_distance(self, s):
        some = s > 0
        raised = np.where(some, np.exp(0.5 * self.power * np.log(np.where(some, s, 1.0))), 0.0)
        return np.exp(-self.beta / self.power * np.log1p(raised))
