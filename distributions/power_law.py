"""Densities proportional to a power of x, from a least value or between two: Pareto and its relatives."""
import math

from ..engine import numpy as np
from ..engine import random
from . import constraints
from .distribution import Distribution
from .ratios import log_exprel, tilted_cdf, tilted_icdf
from .record import ArrayLike, param


class _PowerTail(Distribution):
    """least · exp(E / b) for an exponential E, where (least, b) are `_tail()`."""

    def _tail(self):
        raise NotImplementedError

    @property
    def support(self):
        return constraints.greater_than_eq(self._tail()[0])

    def sample(self, key, sample_shape=()):
        least, b = self._tail()
        return np.maximum(least * np.exp(random.exponential(key, self.shape(sample_shape), self.dtype) / b), least)

    def log_prob_inside(self, value):
        least, b = self._tail()
        return np.log(b / least) - (b + 1.0) * np.log(value / least)

    def _moment(self, n):
        _, b = self._tail()
        return np.where(b > n, b / np.where(b > n, b - n, 1.0), math.inf)

    def _wide(self, x):
        return np.broadcast_to(x, self.batch_shape)

    @property
    def mean(self):
        return self._wide(self._tail()[0] * self._moment(1.0))

    @property
    def variance(self):
        least, b = self._tail()
        safe = np.where(b > 2, b, 3.0)
        v = np.square(least / (safe - 1.0)) * safe / (safe - 2.0)
        return self._wide(np.where(b > 2, v, math.inf))

    @property
    def mode(self):
        return self._wide(self._tail()[0])

    def entropy(self):
        least, b = self._tail()
        return self._wide(np.log(least / b) + 1.0 + 1.0 / b)

    def cdf(self, value):
        return -np.expm1(self.log_survival(value))

    def log_cdf(self, value):
        return np.log(self.cdf(value))

    def log_survival(self, value):
        """log P(X > value)."""
        least, b = self._tail()
        return -b * np.log(np.maximum(value, least) / least)

    def icdf(self, q):
        least, b = self._tail()
        return least * np.exp(-np.log1p(-np.asarray(q)) / b)


class Pareto(_PowerTail):
    """Pareto(scale s, alpha b) on the numbers from s on: P(X > x) = (s / x)^b; mean s b / (b - 1) where b > 1.

        log p(x) = log(b / s) - (b + 1) log(x / s), x >= s

    scale, alpha : float[*batch], > 0          sample : float[*shape, *batch], >= scale
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 20.
    """
    scale: ArrayLike = param(constraints.positive)
    alpha: ArrayLike = param(constraints.positive)
    reparametrized_params = ("scale", "alpha")

    def _tail(self):
        return self.scale, self.alpha


class LowerTruncatedPowerLaw(_PowerTail):
    """LowerTruncatedPowerLaw(alpha a, low l): a density proportional to x^a from l on, for a < -1.

        log p(x) = log((-1 - a) / l) + a log(x / l), x >= l

    alpha, low : float[*batch], alpha < -1, low > 0          sample : float[*shape, *batch], >= low
    Source: Clauset, Shalizi & Newman (2009), "Power-law distributions in empirical data", §2.
    """
    alpha: ArrayLike = param(constraints.less_than(-1.0))
    low: ArrayLike = param(constraints.positive)
    reparametrized_params = ("alpha", "low")

    def _tail(self):
        return self.low, -1.0 - self.alpha


class _LogInterval(Distribution):
    """low · exp(L T) with L = log(high / low) and T in (0, 1) of a density exp(y T), where y is `_tilt()`."""

    def _tilt(self):
        """y / L and y."""
        raise NotImplementedError

    @property
    def support(self):
        return constraints.interval(self.low, self.high)

    def _width(self):
        return np.log(self.high / self.low)

    def sample(self, key, sample_shape=()):
        return np.clip(self.icdf(random.uniform(key, self.shape(sample_shape), self.dtype)), self.low, self.high)

    def log_prob_inside(self, value):
        slope, y = self._tilt()
        return (slope - 1.0) * np.log(value / self.low) - (np.log(self.low * self._width()) + log_exprel(y))

    def _raw(self, n):
        """E Xⁿ."""
        _, y = self._tilt()
        return self.low ** n * np.exp(log_exprel(y + n * self._width()) - log_exprel(y))

    @property
    def mean(self):
        return self._raw(1)

    @property
    def variance(self):
        return self._raw(2) - np.square(self._raw(1))

    @property
    def mode(self):
        slope, _ = self._tilt()
        return np.broadcast_to(np.where(slope > 1, self.high, self.low), self.batch_shape)

    def _place(self, value):
        return np.log(np.clip(value, self.low, self.high) / self.low) / self._width()

    def cdf(self, value):
        return tilted_cdf(self._place(value), self._tilt()[1])

    def log_survival(self, value):
        """log P(X > value)."""
        return np.log(tilted_cdf(1.0 - self._place(value), -self._tilt()[1]))

    def icdf(self, q):
        return self.low * np.exp(self._width() * tilted_icdf(np.asarray(q), self._tilt()[1]))


class DoublyTruncatedPowerLaw(_LogInterval):
    """DoublyTruncatedPowerLaw(alpha a, low l, high h): a density proportional to x^a from l to h, for any a.

        log p(x) = a log x - log ∫ t^a dt over [l, h], l <= x <= h

    alpha, low, high : float[*batch], 0 < low < high          sample : float[*shape, *batch], in [low, high]
    Source: Clauset, Shalizi & Newman (2009), "Power-law distributions in empirical data", §2; here smooth through
    a = -1 by (exp(y) - 1) / y with y = (1 + a) log(h / l).
    """
    alpha: ArrayLike = param(constraints.real)
    low: ArrayLike = param(constraints.positive)
    high: ArrayLike = param(lambda self: constraints.greater_than(self.low))
    reparametrized_params = ("alpha", "low", "high")

    def _tilt(self):
        slope = 1.0 + self.alpha
        return slope, slope * self._width()


class LogUniform(_LogInterval):
    """LogUniform(low a, high b): log X is uniform on [log a, log b]; mean (b - a) / log(b / a).

        log p(x) = -log x - log log(b / a), a <= x <= b

    low, high : float[*batch], 0 < low < high          sample : float[*shape, *batch], in [low, high]
    Source: Hamming (1970), "On the distribution of numbers".
    """
    low: ArrayLike = param(constraints.positive)
    high: ArrayLike = param(lambda self: constraints.greater_than(self.low))
    reparametrized_params = ("low", "high")

    def _tilt(self):
        zero = np.zeros((), self.dtype)
        return zero, zero

    def log_prob_inside(self, value):
        return -np.log(value) - np.log(self._width())

    def _raw(self, n):
        return (self.high ** n - self.low ** n) / (n * self._width())

    def entropy(self):
        return 0.5 * np.log(self.low * self.high) + np.log(self._width())

    def cdf(self, value):
        return self._place(value)

    def log_survival(self, value):
        """log P(X > value)."""
        return np.log(np.log(self.high / np.clip(value, self.low, self.high)) / self._width())

    def icdf(self, q):
        return self.low * np.exp(self._width() * np.asarray(q))
