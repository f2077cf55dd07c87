"""The noncentral F and beta distributions: mixtures of their central ones by a Poisson number."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import stop_gradient
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution, between
from .noncentral import NoncentralChi2
from .record import ArrayLike, param

_TERMS, _WIDTH = 128, 9.0


def _window(peak):
    """Places j = 0, h, 2h, … or about a large peak [..., terms], and their spacing h.

    The terms are smooth in j, and not narrower than those of a Poisson number: where their width is of many integers
    a sum over every h-th place, times h, is the sum over all, by Poisson's summation formula.
    """
    reach = _WIDTH * (np.sqrt(peak) + 1.0)
    step = np.maximum(1.0, 2.0 * reach / _TERMS)
    first = np.where(step > 1, np.maximum(peak - reach, 0.0), np.floor(np.maximum(peak - 0.5 * _TERMS, 0.0)))
    return first[..., None] + step[..., None] * np.asarray(_numpy.arange(_TERMS), peak.dtype), step


def _log_poisson(j, rate):
    """log of r^j exp(-r) / Γ(j + 1), for a rate that may be 0: what is added leaves the slope there finite."""
    return j * np.log(rate + float(np.finfo(rate.dtype).tiny)) - rate - special.gammaln(j + 1.0)


def _peak(a, b, z):
    """About where z^j Γ(a + b + j) / (Γ(a + j) j!) is largest: z (a + b + j) = j (a + j)."""
    off = z - a
    root = np.sqrt(off * off + 4.0 * z * (a + b))
    return np.where(off > 0, 0.5 * (off + root), 2.0 * z * (a + b) / np.where(off > 0, 1.0, root - off))


def _broadcast(value, *parameters):
    shape = np.broadcast_shapes(value.shape, *[p.shape for p in parameters])
    return [np.broadcast_to(v, shape) for v in (value, *parameters)]


def _log_density(log_x, log_rest, a, b, rate):
    """log Σ Poisson(j; rate) x^(a + j - 1) (1 - x)^(b - 1) / B(a + j, b) at x, given log x and log(1 - x)."""
    log_x, log_rest, a, b, rate = _broadcast(log_x, log_rest, a, b, rate)
    j, step = _window(stop_gradient(_peak(a, b, rate * np.exp(log_x))))
    terms = (_log_poisson(j, rate[..., None]) + j * log_x[..., None]
             - special.betaln(a[..., None] + j, b[..., None]))
    return special.logsumexp(terms, -1) + np.log(step) + (a - 1.0) * log_x + (b - 1.0) * log_rest


def _log_tails(x, rest, a, b, rate):
    """log P(X <= x) below the mean or so, log P(X > x) above it; whether it is below. rest = 1 - x, both positive."""
    x, rest, a, b, rate = _broadcast(x, rest, a, b, rate)
    below = x * (a + b + rate) < a + rate
    j, step = _window(stop_gradient(_peak(a, b, rate * x)))
    a, b, x, rest = a[..., None] + j, b[..., None], x[..., None], rest[..., None]
    low = below[..., None]
    tail = special.log_betainc(np.where(low, a, b), np.where(low, b, a), np.where(low, x, rest))
    total = special.logsumexp(_log_poisson(j, rate[..., None]) + tail, -1) + np.log(step)
    return np.minimum(total, -float(np.finfo(total.dtype).tiny)), below


class _Noncentral(Distribution):
    """Base: X = x(B) for B = G / (G + H), 2G ~ NoncentralChi2(2a, nc), 2H ~ Chi2(2b); `_law` is (a, b), `_parts` of a
    value are B and 1 - B."""

    def _law(self):
        raise NotImplementedError

    def _parts(self, value):
        raise NotImplementedError

    def _draws(self, key, sample_shape):
        """2G and 2H."""
        first, second = random.split(key)
        (a, b), shape, d = self._law(), self.shape(sample_shape), self.dtype
        above = NoncentralChi2(2.0 * a, self.nc, validate_args=False).expand(self.batch_shape)
        return above.sample(first, sample_shape), 2.0 * random.gamma(second, b, shape, d)

    def _ends(self):
        """The ends of the support."""
        return 0.0, math.inf

    def _by_tails(self, value, pick, first, last):
        def f(value):
            tail, below = _log_tails(*self._parts(value), *self._law(), 0.5 * self.nc)
            return pick(tail, below)
        return between(value, *self._ends(), f, first, last)

    def cdf(self, value):
        return self._by_tails(value, lambda tail, below: np.where(below, np.exp(tail), -np.expm1(tail)), 0.0, 1.0)

    def log_cdf(self, value):
        return self._by_tails(value, lambda tail, below: np.where(below, tail, special.log1mexp(-tail)), -math.inf, 0.0)

    def log_survival(self, value):
        """log P(X > value)."""
        return self._by_tails(value, lambda tail, below: np.where(below, special.log1mexp(-tail), tail), 0.0, -math.inf)


class NoncentralF(_Noncentral):
    """NoncentralF(df1 m, df2 n, nc l) on the positive numbers: the ratio (X / m) / (V / n) of mean squares, where
    X ~ NoncentralChi2(m, l), V ~ Chi2(n).

        p(x) = Σ Poisson(j; l/2) y^(m/2 + j - 1) (1 + y)^(-(m + n)/2 - j) (m / n) / B(m/2 + j, n/2),  y = m x / n

    df1, df2, nc : float[*batch], df1, df2 > 0, nc >= 0          sample : float[*shape, *batch], > 0
    The mean is n (m + l) / (m (n - 2)), for n > 2. Sums over j about their largest term, in steps where they are wide.
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 30.

    >>> round(float(NoncentralF(2.0, 6.0, 2.0).mean), 12)
    3.0
    """
    df1: ArrayLike = param(constraints.positive)
    df2: ArrayLike = param(constraints.positive)
    nc: ArrayLike = param(constraints.nonnegative)
    support = constraints.positive
    reparametrized_params = ("df1", "df2", "nc")

    def _law(self):
        return 0.5 * self.df1, 0.5 * self.df2

    def _parts(self, value):
        y = value * (self.df1 / self.df2)
        return y / (1.0 + y), 1.0 / (1.0 + y)

    def sample(self, key, sample_shape=()):
        above, below = self._draws(key, sample_shape)
        tiny = float(np.finfo(self.dtype).tiny)
        return np.maximum(above, tiny) / np.maximum(below, tiny) * (self.df2 / self.df1)

    def log_prob_inside(self, value):
        log_y = np.log(value) + (np.log(self.df1) - np.log(self.df2))
        log_rest = -np.logaddexp(0.0, log_y)
        return (_log_density(log_y + log_rest, log_rest, *self._law(), 0.5 * self.nc)
                + 2.0 * log_rest + (np.log(self.df1) - np.log(self.df2)))

    @property
    def mean(self):
        m, n = self.df1, np.where(self.df2 > 2, self.df2, 3.0)
        return np.where(self.df2 > 2, (n / m) * ((m + self.nc) / (n - 2.0)), math.inf)

    @property
    def variance(self):
        m, n, l = self.df1, np.where(self.df2 > 4, self.df2, 5.0), self.nc
        v = 2.0 * np.square(n / (m * (n - 2.0))) * (np.square(m + l) + (m + 2.0 * l) * (n - 2.0)) / (n - 4.0)
        return np.where(self.df2 > 4, v, np.where(self.df2 > 2, np.full_like(v, math.inf), math.nan))


class NoncentralBeta(_Noncentral):
    """NoncentralBeta(concentration1 a, concentration0 b, nc l) on the unit interval: X / (X + V) for
    X ~ NoncentralChi2(2a, l), V ~ Chi2(2b).

        p(x) = Σ Poisson(j; l/2) x^(a + j - 1) (1 - x)^(b - 1) / B(a + j, b), 0 < x < 1

    concentration1, concentration0, nc : float[*batch], > 0, > 0, >= 0          sample : float[*shape, *batch]
    Beta(a + J, b) for J ~ Poisson(l / 2). Sums over j about their largest term, in steps where they are wide.
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, §30.7.

    >>> round(float(NoncentralBeta(1.0, 1.0, 0.0).mean), 12)
    0.5
    """
    concentration1: ArrayLike = param(constraints.positive)
    concentration0: ArrayLike = param(constraints.positive)
    nc: ArrayLike = param(constraints.nonnegative)
    support = constraints.unit_interval
    reparametrized_params = ("concentration1", "concentration0", "nc")

    def _law(self):
        return self.concentration1, self.concentration0

    def _parts(self, value):
        return value, 1.0 - value

    def _ends(self):
        return 0.0, 1.0

    def sample(self, key, sample_shape=()):
        above, below = self._draws(key, sample_shape)
        d = self.dtype
        above = np.maximum(above, float(np.finfo(d).tiny))
        return np.clip(above / (above + below), float(np.finfo(d).tiny), 1.0 - float(np.finfo(d).epsneg))

    def log_prob(self, value):
        value = np.asarray(value)
        return self._guarded(value, self.support, np.logical_and(value > 0, value < 1))

    def log_prob_inside(self, value):
        value = np.asarray(value)
        return _log_density(np.log(value), np.log1p(-value), *self._law(), 0.5 * self.nc)

    def _mixed(self):
        """Weights of the Poisson number, the means a + j / (a + b + j) and the concentrations a + b + j, given it."""
        a, b, rate = np.broadcast_arrays(self.concentration1, self.concentration0, 0.5 * self.nc)
        j, step = _window(stop_gradient(rate))
        a, b = a[..., None] + j, b[..., None]
        return np.exp(_log_poisson(j, rate[..., None])) * step[..., None], a / (a + b), a + b

    @property
    def mean(self):
        weight, mean, _ = self._mixed()
        return np.sum(weight * mean, -1)

    @property
    def variance(self):
        weight, mean, total = self._mixed()
        middle = np.sum(weight * mean, -1, keepdims=True)
        return np.sum(weight * (mean * (1.0 - mean) / (total + 1.0) + np.square(mean - middle)), -1)
