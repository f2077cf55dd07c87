"""The Kolmogorov distribution: the largest distance of a Brownian bridge from 0."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .location_scale import Scale
from .quantile import inverse_cdf
from .record import ArrayLike, param

_SWITCH = 0.9                                # of z: series in exp(-1 / z²) below, in exp(-z²) above
_ROOT = math.sqrt(2 * math.pi)
_RATE = math.pi ** 2 / 8


def _safe(z):
    """Whether z is small, and z for each of the two series, harmless where the other is meant."""
    small = z < _SWITCH
    return small, np.where(small, z, 0.5), np.where(small, 1.0, z)


def _log_density(z):
    small, a, b = _safe(z)
    rate = _RATE / np.square(a)
    first = 2.0 * rate - 1.0
    rest = sum((2.0 * n * n * rate - 1.0) / first * np.exp((1 - n * n) * rate) for n in (3, 5, 7))
    low = np.log(_ROOT * first) - 2.0 * np.log(a) - rate + np.log1p(rest)
    square = 2.0 * b * b
    high = np.log(8.0 * b) - square + np.log1p(sum((-1) ** (n - 1) * n * n * np.exp((1 - n * n) * square)
                                                   for n in range(2, 6)))
    return np.where(small, low, high)


def _log_tails(z):
    """log P(Z <= z) for small z and log P(Z > z) for others; whether z is small."""
    small, a, b = _safe(z)
    rate = _RATE / np.square(np.maximum(a, float(np.finfo(a.dtype).tiny) ** 0.5))
    low = math.log(_ROOT) - np.log(a) - rate + np.log1p(sum(np.exp((1 - n * n) * rate) for n in (3, 5, 7)))
    square = 2.0 * b * b
    high = math.log(2) - square + np.log1p(sum((-1) ** (n - 1) * np.exp((1 - n * n) * square) for n in range(2, 6)))
    return np.where(small, low, high), small


def _unit_cdf(z):
    tail, small = _log_tails(z)
    return np.where(small, np.exp(tail), -np.expm1(np.where(small, -1.0, tail)))


def _solve(q):
    """The quantile, from the leading terms of the series by Newton's method on the logarithm of the smaller tail."""
    small = q < 0.6072                       # P(Z <= 0.9)
    log_p = np.log(np.where(small, q, 0.5))
    low = 0.6 + 0.0 * log_p
    for _ in range(4):
        low = np.sqrt(_RATE / (math.log(_ROOT) - np.log(low) - log_p))
    log_s = np.log1p(-np.where(small, 0.7, q))
    z = np.where(small, low, np.sqrt(0.5 * (math.log(2) - log_s)))
    target = np.where(small, log_p, log_s)
    for _ in range(4):
        tail, below = _log_tails(z)
        other = below != small               # near the switch z may lie on the other side of it
        tail = np.where(other, special.log1mexp(np.where(other, -tail, 1.0)), tail)
        step = (tail - target) * np.exp(tail - _log_density(z))
        z = np.maximum(np.where(small, z - step, z + step), 0.5 * z)
    return z


class Kolmogorov(Scale):
    """Kolmogorov(scale s) on the positive numbers: s max |B(t)| for a Brownian bridge B on (0, 1).

        P(X > x) = 2 Σ (-1)ⁿ⁻¹ exp(-2 n² z²),  z = x / s;  mean s √(π/2) log 2, variance s² (π²/12 - (π/2) log² 2)

    scale : float[*batch], > 0          sample : float[*shape, *batch], > 0, by inversion
    With s = 1/√n the distribution, for large n, of the largest distance of the empirical distribution function of n
    draws from their true one. For small z by the theta function's other series, in exp(-π² / 8z²).
    Source: Kolmogorov (1933), "Sulla determinazione empirica di una legge di distribuzione"; Marsaglia, Tsang & Wang
    (2003), "Evaluating Kolmogorov's distribution".

    >>> round(float(Kolmogorov(1.0).log_survival(1.3581)), 4)          # log 0.05
    -2.9957
    """
    scale: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("scale",)

    def _draw(self, key, shape):
        tiny = float(np.finfo(self.dtype).epsneg)
        return self._icdf(np.clip(random.uniform(key, shape, self.dtype), tiny, 1.0 - tiny))

    def _log_density(self, z):
        return _log_density(z)

    def _mean(self):
        return math.sqrt(0.5 * math.pi) * math.log(2)

    def _variance(self):
        return math.pi ** 2 / 12 - 0.5 * math.pi * math.log(2) ** 2

    def _mode(self):
        return 0.735467907916572

    def _cdf(self, z):
        return np.where(z > 0, _unit_cdf(np.where(z > 0, z, 1.0)), 0.0)

    def _log_cdf(self, z):
        return self._log_tail(z, True)

    def _log_survival(self, z):
        return self._log_tail(z, False)

    def _log_tail(self, z, lower):
        inside = z > 0
        tail, small = _log_tails(np.where(inside, z, 1.0))
        wanted = small if lower else np.logical_not(small)
        other = special.log1mexp(np.where(wanted, 1.0, -tail))
        return np.where(inside, np.where(wanted, tail, other), -math.inf if lower else 0.0)

    def _icdf(self, q):
        return inverse_cdf(_unit_cdf, q, 0.0, math.inf, solve=_solve)
