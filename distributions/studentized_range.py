"""The studentized range: of the largest difference of means, over an estimate of their standard deviation."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import stop_gradient
from ..engine.scipy import special
from . import constraints
from .counting import known
from .distribution import Distribution, between
from .noncentral_t import DROP, REACH, log_ratio_less, log_scale_norm, mean_inverse_scale, tail_room
from .quadrature import log_integral_about
from .record import ArrayLike, param

_FOLDS, _NODES, _PLACES, _CUTS = 32, 56, 24, 20
_FAR = 8.6                                                   # standard deviations, beyond which exp(-½ z²) rounds away
_AT_ONCE = 256                                               # numbers; more of them one piece after the other
_LEGENDRE = _numpy.polynomial.legendre.leggauss(96)


def _log_between(y, half):
    """log of Φ(y + h) - Φ(y - h), by the tail that both are in; for small h log(2 h φ(y)) + h² (y² - 1) / 6."""
    y, near = np.abs(y), half < 1e-3
    h = np.where(near, 1.0, half)
    outer, inner = special.log_ndtr(-(y + h)), special.log_ndtr(h - y)
    small = np.log(2.0 * np.where(near, half, 1.0)) - 0.5 * (y * y + math.log(2 * math.pi))
    return np.where(near, small + half * half * (y * y - 1.0) * (1 / 6), inner + special.log1mexp(inner - outer))


def _spread(w, power, own):
    """The standard deviation of exp(-½ own y²) (Φ(y + w/2) - Φ(y - w/2))^power at y = 0, where it is largest."""
    half = 0.5 * w
    slope = w * np.exp(-0.5 * half * half - _log_between(0.0 * w, half)) * (1 / math.sqrt(2 * math.pi))
    return stop_gradient(1.0 / np.sqrt(own + power * slope))


def _log_range_density(w, k):
    """log of k (k - 1) ∫ φ(y - w/2) φ(y + w/2) (Φ(y + w/2) - Φ(y - w/2))^(k - 2) dy, by the trapezoidal rule."""
    sigma = _spread(w, np.maximum(k - 2.0, 0.0), 2.0)
    i = np.asarray(_numpy.arange(_FOLDS), w.dtype)
    step = sigma * (_FAR / _FOLDS)
    y = step[..., None] * i
    terms = (k[..., None] - 2.0) * _log_between(y, 0.5 * w[..., None]) - y * y
    terms = terms + np.asarray(_numpy.where(_numpy.arange(_FOLDS) > 0, math.log(2), 0.0), w.dtype)
    total = special.logsumexp(terms, -1) + np.log(step)
    return total + np.log(k * (k - 1.0)) - 0.25 * w * w - math.log(2 * math.pi)


def _log_range_cdf(w, k):
    """log of k ∫ φ(z) (Φ(z + w) - Φ(z))^(k - 1) dz, which is P(W <= w)."""
    half, power = 0.5 * w, k - 1.0
    sigma = _spread(w, power, 1.0)                           # and the peak lies between y = 0 and ½ w σ², y = z + ½ w
    end = _FAR * sigma + stop_gradient(half) * sigma * sigma
    y = _between(-_FAR * sigma, end)
    half, power = half[..., None], power[..., None]
    terms = power * _log_between(y, half) - 0.5 * np.square(y - half)
    return _summed(terms, k, _FAR * sigma + end)


def _log_range_survival(w, k):
    """log P(W > w): the same integral of what Φ(-z)^(k - 1), of the smallest number, has over it."""
    half, power = 0.5 * w, k - 1.0
    fixed = stop_gradient(half)
    reach = np.maximum(0.72 * _FAR, 9.0 - fixed)             # above: exp(-y²) about y = 0, and no more than φ(z)
    top = special.ndtri(-np.expm1(-39.0 / stop_gradient(power))) + fixed                  # where Φ(-z)^(k - 1) is 1e-17
    end = np.clip(top, 1.0 - reach, reach)
    y = _between(-reach, end)
    half, power = half[..., None], power[..., None]
    z = y - half
    over = special.log_ndtr(-z)
    share = np.exp(np.minimum(special.log_ndtr(-(y + half)) - over, -float(np.finfo(w.dtype).eps)))
    missing = -np.expm1(power * np.log1p(-share))            # the part in which the largest number lies beyond z + w
    terms = np.log(np.maximum(missing, float(np.finfo(w.dtype).tiny))) + power * over - 0.5 * z * z
    return _summed(terms, k, reach + end)


def _between(low, high):
    t = np.asarray((_numpy.arange(_NODES) + 0.5) / _NODES, low.dtype)
    return low[..., None] + (high - low)[..., None] * t


def _summed(terms, k, width):
    total = special.logsumexp(terms, -1) + np.log(width * (1 / _NODES))
    return np.minimum(total + np.log(k) - 0.5 * math.log(2 * math.pi), 0.0)


def _over_scale(log_g, q, k, df, power):
    """log E S^power exp(log_g(q S, k)), where df S² is a χ² number and log_g is concave.

    The peak is found among places between where it would be if log_g fell like -¼ w² and if it rose like (k - 1) log w.
    """
    shape = np.broadcast_shapes(q.shape, k.shape, df.shape)
    q, k, df = (np.broadcast_to(v, shape) for v in (q, k, df))
    if math.prod(shape) > _AT_ONCE and known(q, k, df):      # compiled, the sums take no memory for their terms
        flat = [v.ravel() for v in (q, k, df)]
        parts = [_over_scale(log_g, *[v[i:i + _AT_ONCE] for v in flat], power)
                 for i in range(0, math.prod(shape), _AT_ONCE)]
        return np.concatenate(parts).reshape(shape)
    v, kk, n = stop_gradient(q)[..., None], stop_gradient(k)[..., None], stop_gradient(df)[..., None]
    low = -0.5 * np.log1p(0.5 * v * v / n)
    step = (0.5 * np.log1p((kk + power) / n) - low) * (1 / (_PLACES - 1))
    u = low + step * np.asarray(_numpy.arange(_PLACES), q.dtype)
    def height(u):
        g = log_g(v * np.exp(u), np.broadcast_to(kk, u.shape))
        return n * (u - 0.5 * np.expm1(2.0 * u)) + power * u + stop_gradient(g)
    heights = height(u)
    best = np.argmax(heights, -1)[..., None]
    mode, top = np.exp(low + step * np.astype(best, q.dtype)), np.max(heights, -1, keepdims=True)

    def reach(far, sign):
        """The smallest of far, 0.6 far, 0.6² far, … from the mode at which the integrand has sunk by DROP."""
        d = far * np.asarray(0.6 ** _numpy.arange(_CUTS), q.dtype)
        s = np.maximum(mode + sign * d, float(np.finfo(q.dtype).tiny))
        return np.min(np.where(top - height(np.log(s)) >= DROP, d, far), -1)
    left = reach(mode, -1.0)
    right = reach(np.minimum(REACH / np.sqrt(n), mode * tail_room(n)) + mode * np.expm1(step), 1.0)
    mode = mode[..., 0]
    q, k, df = q[..., None], k[..., None], df[..., None]

    def log_f(s, _):
        x = s - 1.0
        g = log_g(q * s, np.broadcast_to(k, s.shape))
        return df * (log_ratio_less(s, x) - 0.5 * x * x) + (power - 1.0) * np.log(s) + g
    return log_integral_about(log_f, mode, left, right) - log_scale_norm(df[..., 0])


class StudentizedRange(Distribution):
    """StudentizedRange(k, df ν) on the positive numbers: (max Zᵢ - min Zᵢ) / √(V / ν) of k normal numbers, V ~ Chi2(ν).

        P(X <= x) = E k ∫ φ(z) (Φ(z + x S) - Φ(z))^(k - 1) dz,  S = √(V / ν)

    k, df : float[*batch], k > 1, df > 0          sample : float[*shape, *batch], > 0
    k need not be whole. By quadrature, the inner integral by the trapezoidal rule and that over S about its peak: one
    number takes ten thousand evaluations of Φ, milliseconds; many are taken in pieces. Draws are those of the smallest
    and the largest number.
    Source: Lund & Lund (1983), "Algorithm AS 190: probabilities and upper quantiles for the studentized range"; the
    density is the derivative, with the even form of the inner integral.

    >>> round(float(StudentizedRange(3.0, 10.0).survival_function(3.877676)), 6)
    0.05
    """
    k: ArrayLike = param(constraints.greater_than(1.0))
    df: ArrayLike = param(constraints.positive)
    support = constraints.positive
    reparametrized_params = ("k", "df")

    def sample(self, key, sample_shape=()):
        first, second, third = random.split(key, 3)
        shape, d = self.shape(sample_shape), self.dtype
        tiny = float(np.finfo(d).tiny)
        least = -np.expm1(-random.exponential(first, shape, d) / self.k)                  # of k uniform ones
        gap = -np.expm1(-random.exponential(second, shape, d) / (self.k - 1.0))          # of the largest from 1
        width = -special.ndtri(np.maximum((1.0 - least) * gap, tiny)) - special.ndtri(np.maximum(least, tiny))
        scale = np.sqrt(0.5 * self.df) * np.exp(-0.5 * random.loggamma(third, 0.5 * self.df, shape, d))
        return np.maximum(width, tiny) * scale

    def log_prob_inside(self, value):
        return _over_scale(_log_range_density, np.asarray(value), self.k, self.df, 1.0)

    def _tail(self, value, upper):
        return _over_scale(_log_range_survival if upper else _log_range_cdf, value, self.k, self.df, 0.0)

    def _either(self, value, pick, first, last):
        def f(value):
            return pick(*[np.minimum(self._tail(value, upper), -float(np.finfo(self.dtype).tiny))
                          for upper in (False, True)])
        return between(value, 0.0, math.inf, f, first, last)

    def cdf(self, value):
        return self._either(value, lambda low, high: np.where(low < high, np.exp(low), -np.expm1(high)), 0.0, 1.0)

    def log_cdf(self, value):
        return self._either(value, lambda low, high: np.where(low < high, low, special.log1mexp(-high)), -math.inf, 0.0)

    def log_survival(self, value):
        """log P(X > value)."""
        return self._either(value, lambda low, high: np.where(low < high, special.log1mexp(-low), high), 0.0, -math.inf)

    def _range_moments(self):
        """E W = ∫ P(W > w) dw and E W² = 2 ∫ w P(W > w) dw, of the range of k normal numbers."""
        nodes, weights = (np.asarray(v, self.dtype) for v in _LEGENDRE)
        top = np.sqrt(39.0 + 2.0 * np.log(self.k))           # half of where k² exp(-w² / 4) is 1e-17
        w = top[..., None] * (1.0 + nodes)
        tail = np.exp(_log_range_survival(w, np.broadcast_to(self.k[..., None], w.shape))) * weights
        return top * np.sum(tail, -1), 2.0 * top * np.sum(w * tail, -1)

    @property
    def mean(self):
        """E W E 1/S, for df > 1."""
        ok = self.df > 1
        return np.where(ok, self._range_moments()[0] * mean_inverse_scale(np.where(ok, self.df, 2.0)), math.inf)

    @property
    def variance(self):
        """E W² df / (df - 2) less the square of the mean, for df > 2."""
        ok = self.df > 2
        df = np.where(ok, self.df, 3.0)
        first, second = self._range_moments()
        v = second * (df / (df - 2.0)) - np.square(first * mean_inverse_scale(df))
        return np.where(ok, v, np.where(self.df > 1, np.full_like(v, math.inf), math.nan))
