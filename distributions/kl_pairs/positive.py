"""KL divergences of families on the positive numbers from what is known of log X and of the powers of X.

    KL(p ‖ q) = -H(p) - E_p log q(x),  log q(x) linear in log x, (log x)² and a power of x
"""
import math

from ...engine import numpy as np
from ...engine.scipy import special
from ..beta import Beta
from ..inverse_gaussian import InverseGaussian
from ..kl import kl_divergence
from ..log_normal import LogNormal
from ..normal import HALF_LOG_2PI
from ..power_law import LogUniform, Pareto
from ..ratios import log_exprel
from ..uniform import Uniform
from ..unit_interval import EULER, Kumaraswamy
from .generalized_gamma import FORMS, form, gamma_moment, log_size


class _PowerOfGamma:
    """log X and the powers of X = c G^(1/t)."""

    def __init__(self, d):
        self.a, self.log_c, self.t = form(d)

    def mean_log(self):
        return self.log_c + special.digamma(self.a) / self.t

    def variance_log(self):
        return special.polygamma(1, self.a) / (self.t * self.t)

    def log_power(self, n):
        return n * self.log_c + gamma_moment(self.a, n / self.t)


class _LogNormal:
    def __init__(self, d):
        self.loc, self.variance = d.loc, d.scale * d.scale

    def mean_log(self):
        return self.loc

    def variance_log(self):
        return self.variance

    def log_power(self, n):
        return n * self.loc + 0.5 * n * n * self.variance


class _Beta:
    def __init__(self, d):
        self.a, self.b = d.concentration1, d.concentration0

    def mean_log(self):
        return special.digamma(self.a) - special.digamma(self.a + self.b)

    def variance_log(self):
        return special.polygamma(1, self.a) - special.polygamma(1, self.a + self.b)

    def log_power(self, n):
        ok = self.a + n > 0
        top = special.betaln(np.where(ok, self.a + n, 1.0), self.b)
        return np.where(ok, top - special.betaln(self.a, self.b), np.inf)


class _Kumaraswamy:
    """X^a is Beta(1, b)."""

    def __init__(self, d):
        self.a, self.b = d.concentration1, d.concentration0

    def mean_log(self):
        return -(special.digamma(self.b + 1.0) + EULER) / self.a

    def variance_log(self):
        return (math.pi ** 2 / 6 - special.polygamma(1, self.b + 1.0)) / (self.a * self.a)

    def log_power(self, n):
        ok = 1.0 + n / self.a > 0
        return np.where(ok, np.log(self.b) + special.betaln(np.where(ok, 1.0 + n / self.a, 1.0), self.b), np.inf)


class _Pareto:
    def __init__(self, d):
        self.log_least, self.b = np.log(d.scale), d.alpha

    def mean_log(self):
        return self.log_least + 1.0 / self.b

    def variance_log(self):
        return 1.0 / (self.b * self.b)

    def log_power(self, n):
        share = n / self.b
        ok = share < 1
        return np.where(ok, n * self.log_least - np.log1p(-np.where(ok, share, 0.0)), np.inf)


class _LogUniform:
    def __init__(self, d):
        self.low, self.high = np.log(d.low), np.log(d.high)

    def mean_log(self):
        return 0.5 * (self.low + self.high)

    def variance_log(self):
        return np.square(self.high - self.low) / 12.0

    def log_power(self, n):
        return n * self.low + log_exprel(n * (self.high - self.low))


class _Uniform:
    """For 0 <= low; what it says of others is not used."""

    def __init__(self, d):
        self.low, self.high = np.where(d.low >= 0, d.low, 0.0), np.where(d.low >= 0, d.high, 1.0)

    def _mean(self, f):
        return (f(self.high) - f(self.low)) / (self.high - self.low)

    def mean_log(self):
        return self._mean(lambda x: special.xlogy(x, x)) - 1.0

    def variance_log(self):
        def second(x):
            log_x = np.log(np.where(x > 0, x, 1.0))
            return x * (log_x * log_x - 2.0 * log_x + 2.0)
        return self._mean(second) - np.square(self.mean_log())

    def log_power(self, n):
        """From ∫ exp((n + 1) v) dv over v = log x where low > 0, else highⁿ / (n + 1)."""
        off = self.low > 0
        low, m = np.log(np.where(off, self.low, 1.0)), n + np.ones((), self.low.dtype)
        gap = np.where(off, np.log(self.high) - low, 1.0)
        inner = m * low + np.log(gap) + log_exprel(m * gap) - np.log(self.high - self.low)
        from_zero = np.where(m > 0, n * np.log(self.high) - np.log(np.where(m > 0, m, 1.0)), np.inf)
        return np.where(off, inner, from_zero)


MOMENTS = {**dict.fromkeys(FORMS, _PowerOfGamma), LogNormal: _LogNormal, Beta: _Beta, Kumaraswamy: _Kumaraswamy,
           Pareto: _Pareto, LogUniform: _LogUniform, Uniform: _Uniform}


def moments(d):
    """What is known of log X and of the powers of X."""
    return next(MOMENTS[family] for family in type(d).__mro__ if family in MOMENTS)(d)


def _where_positive(p, x):
    """x, and infinity where a uniform p has negative values."""
    return np.where(p.low >= 0, x, np.inf) if isinstance(p, Uniform) else x


@kl_divergence.register_all([family for family in MOMENTS if family not in FORMS], FORMS)
def _(p, q):
    m, (b, log_d, u) = moments(p), form(q)
    mean = m.mean_log()
    log_q = log_size(u) - special.gammaln(b) + b * u * (mean - log_d) - mean
    return _where_positive(p, np.exp(m.log_power(u) - u * log_d) - log_q - p.entropy())


@kl_divergence.register_all([family for family in MOMENTS if family is not LogNormal], [LogNormal])
def _(p, q):
    m = moments(p)
    mean = m.mean_log()
    square = (np.square(mean - q.loc) + m.variance_log()) / np.square(q.scale)
    return _where_positive(p, mean + np.log(q.scale) + HALF_LOG_2PI + 0.5 * square - p.entropy())


@kl_divergence.register_all(MOMENTS, [InverseGaussian])
def _(p, q):
    """Of log x, x and 1/x: (x - m)² / (m² x) = x/m² - 2/m + 1/x."""
    s, m, k = moments(p), q.loc, q.concentration
    square = np.exp(s.log_power(1)) / (m * m) - 2.0 / m + np.exp(s.log_power(-1))
    rest = HALF_LOG_2PI - 0.5 * np.log(k) + 1.5 * s.mean_log()
    return _where_positive(p, rest + 0.5 * k * square - p.entropy())


@kl_divergence.register(InverseGaussian, InverseGaussian)
def _(p, q):
    m, k, n, j = p.loc, p.concentration, q.loc, q.concentration
    ratio, off = j / k, (m - n) / n
    return 0.5 * (ratio - 1.0 - np.log(ratio) + j * off * off / m)


@kl_divergence.register(Pareto, Pareto)
def _(p, q):
    ratio = q.alpha / p.alpha
    value = ratio - 1.0 - np.log(ratio) + q.alpha * np.log(p.scale / q.scale)
    return np.where(p.scale >= q.scale, value, np.inf)


@kl_divergence.register_all([Uniform, LogUniform], [Pareto])
def _(p, q):
    rest = (q.alpha + 1.0) * moments(p).mean_log() - np.log(q.alpha) - q.alpha * np.log(q.scale)
    return np.where(p.low >= q.scale, rest - p.entropy(), np.inf)


@kl_divergence.register(LogUniform, Uniform)
def _(p, q):
    inside = np.logical_and(q.low <= p.low, p.high <= q.high)
    return np.where(inside, np.log(q.high - q.low) - p.entropy(), np.inf)


@kl_divergence.register_all([Uniform, LogUniform], [LogUniform])
def _(p, q):
    rest = moments(p).mean_log() + np.log(np.log(q.high / q.low)) - p.entropy()
    return np.where(np.logical_and(q.low <= p.low, p.high <= q.high), rest, np.inf)
