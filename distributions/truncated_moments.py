"""Means and variances of truncated distributions, for the families that have formulas.

    moments(base, low, high)                    (mean, variance) of X ~ base given low < X <= high, or None
    cross_entropy(base, mean, variance)         -E log p_base(X) where X has these moments, or None
"""
import functools

import numpy as _numpy

from ..engine import numpy as np
from ..engine.scipy import special
from .exponential import Exponential
from .gamma import Gamma
from .normal import HALF_LOG_2PI, HalfNormal, Normal
from .poisson import Poisson
from .uniform import Uniform

_NODES, _WEIGHTS = _numpy.polynomial.legendre.leggauss(40)
_LOG_2 = 0.6931471805599453
_FAR = 25.0                                              # standard deviations, from where the tail's series is exact
_MEAN, _VARIANCE = (1, 1, -2, 10, -74, 706, -8162), (0, 1, -6, 50, -518, 6354, -89782)       # in 1/a²


def moments(base, low, high):
    """(mean, variance) of X ~ base given low < X <= high (None for no bound), or None where there is no formula."""
    if low is None and high is None:
        return base.mean, base.variance
    rule = _RULES.get(type(base))
    return None if rule is None else rule(base, low, high)


def cross_entropy(base, mean, variance):
    """-E log p(X), p the density of the base, where X has this mean and variance; None where they do not tell it."""
    if type(base) in (Normal, HalfNormal):
        off = mean - base.loc if type(base) is Normal else mean
        fold = 0.0 if type(base) is Normal else _LOG_2
        return np.log(base.scale) + (HALF_LOG_2PI - fold) + 0.5 * (variance + np.square(off)) / np.square(base.scale)
    if type(base) is Exponential:
        return base.rate * mean - np.log(base.rate)
    return np.log(base.high - base.low) + 0.0 * mean if type(base) is Uniform else None


def _log_mass(base, low, high):
    """log P(low < X <= high) for two bounds, infinite ones included."""
    below, above = base.log_cdf(low), base.log_survival(low)
    right = above < below
    big = np.where(right, above, base.log_cdf(high))
    return big + special.log1mexp(big - np.where(right, base.log_survival(high), below))


def _normal(base, low, high):
    """Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, §10.1; beyond 25 standard deviations
    the series of Mills' ratio (DLMF 7.12.1), and Gauss-Legendre sums on intervals that the formula loses digits on."""
    m, s = base.loc, base.scale
    if low is None:
        mean, variance = _normal_tail((m - high) / s)
        return m - s * mean, s * s * variance
    if high is None:
        mean, variance = _normal_tail((low - m) / s)
        return m + s * mean, s * s * variance
    a, b = (low - m) / s, (high - m) / s
    flip = a + b < 0
    a, b = np.where(flip, -b, a), np.where(flip, -a, b)  # now the interval reaches farther to the right
    width = b - a
    narrow = np.logical_and(width < 8.0, width * (1.0 + np.maximum(a, 0.0)) < 40.0)
    nodes, weights = (np.asarray(x.astype(width.dtype)).reshape((-1, *(1,) * width.ndim)) for x in (_NODES, _WEIGHTS))
    half = 0.5 * np.where(narrow, width, 1.0)
    step = half * (1.0 + nodes)                          # distances from a
    p = weights * np.exp(-step * (np.where(narrow, a, 0.0) + 0.5 * step))
    total = np.sum(p, 0)
    off = np.sum(step * p, 0) / total
    spread = np.sum(np.square(step - off) * p, 0) / total
    wide = np.where(narrow, 40.0, width)
    log_z = special.log_ndtr(-a) + special.log1mexp(special.log_ndtr(-a) - special.log_ndtr(-(a + wide)))
    first = np.exp(-0.5 * a * a - HALF_LOG_2PI - log_z)
    last = np.exp(-0.5 * np.square(a + wide) - HALF_LOG_2PI - log_z)
    mean, variance = _normal_tail(np.where(a > 5.0, a, 5.0))
    gap = first - last
    both = 1.0 + a * first - (a + wide) * last - gap * gap
    far = np.logical_and(a > 5.0, a * width > 30.0)      # the upper bound is out of reach
    mu = np.where(narrow, a + off, np.where(far, mean, gap))
    var = np.where(narrow, spread, np.where(far, variance, both))
    return m + s * np.where(flip, -mu, mu), s * s * var


def _normal_tail(a):
    """Mean and variance of a standard normal number given that it is above a."""
    far = a > _FAR
    near = np.where(far, 0.0, a)
    hazard = np.exp(-0.5 * near * near - HALF_LOG_2PI - special.log_ndtr(-near))
    t = 1.0 / np.where(far, a * a, 1e4)
    mean, variance = (functools.reduce(lambda y, c: y * t + float(c), series[::-1]) for series in (_MEAN, _VARIANCE))
    return np.where(far, a * mean, hazard), np.where(far, variance, 1.0 - hazard * (hazard - near))


def _half_normal(base, low, high):
    low = np.zeros_like(base.scale) if low is None else np.maximum(low, 0.0)
    return _normal(Normal(np.zeros_like(base.scale), base.scale, validate_args=False), low, high)


def _gamma(base, low, high):
    """E Xᵏ = E_all Xᵏ · P_{a+k}(low, high) / P_a(low, high)."""
    a, rate = base.concentration, base.rate

    def mass(k):
        raised = Gamma(a + k, rate, validate_args=False)
        return raised.log_cdf(high) if low is None else raised.log_survival(low) if high is None else \
            _log_mass(raised, low, high)
    zero = mass(0.0)
    mean = a / rate * np.exp(mass(1.0) - zero)
    return mean, a * (a + 1.0) / (rate * rate) * np.exp(mass(2.0) - zero) - mean * mean


def _exponential(base, low, high):
    return _gamma(Gamma(np.ones_like(base.rate), base.rate, validate_args=False), low, high)


def _uniform(base, low, high):
    low = base.low if low is None else np.maximum(low, base.low)
    high = base.high if high is None else np.minimum(high, base.high)
    return 0.5 * (low + high), np.square(high - low) * (1 / 12)


def _poisson(base, low, high):
    """E X(X-1)…(X-k+1) = rateᵏ P(low - k < X <= high - k) / P(low < X <= high)."""
    rate = base.rate

    def mass(k):
        return base.log_cdf(high - k) if low is None else base.log_survival(low - k) if high is None else \
            _log_mass(base, low - k, high - k)
    zero = mass(0.0)
    mean = rate * np.exp(mass(1.0) - zero)
    return mean, rate * rate * np.exp(mass(2.0) - zero) + mean - mean * mean


_RULES = {Normal: _normal, HalfNormal: _half_normal, Gamma: _gamma, Exponential: _exponential, Uniform: _uniform,
          Poisson: _poisson}
