"""Logarithms, mixtures and ratios of gamma numbers: ExpGamma, ExpInverseGamma, GammaGamma, FisherSnedecor."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .deviance import log_beta_unit, odds_deviance
from .distribution import Distribution
from .record import ArrayLike, param


class _LogGamma(Distribution):
    """± (log G - u) for a gamma number G of shape `concentration`, with the sign `_sign` and u = `_log_unit()`."""
    support = constraints.real
    _sign = 1.0

    def _log_unit(self):
        raise NotImplementedError

    def sample(self, key, sample_shape=()):
        g = random.loggamma(key, self.concentration, self.shape(sample_shape), self.dtype)
        return self._sign * (g - self._log_unit())

    def _y(self, value):
        return self._sign * np.asarray(value) + self._log_unit()

    def log_prob_inside(self, value):
        a, y = self.concentration, self._y(value)
        return a * y - np.exp(y) - special.gammaln(a)

    @property
    def mean(self):
        return self._sign * (special.digamma(self.concentration) - self._log_unit())

    @property
    def variance(self):
        return np.broadcast_to(special.polygamma(1, self.concentration), self.batch_shape)

    @property
    def mode(self):
        return self._sign * (np.log(self.concentration) - self._log_unit())

    def entropy(self):
        a = self.concentration
        return np.broadcast_to(special.gammaln(a) + a - a * special.digamma(a), self.batch_shape)


class ExpGamma(_LogGamma):
    """ExpGamma(concentration a, rate b) on the real line: log X for X ~ Gamma(a, b); mean ψ(a) - log b.

        log p(x) = a y - exp(y) - log Γ(a),  y = x + log b

    concentration, rate : float[*batch], > 0          sample : float[*shape, *batch], also where X would underflow
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, §22.4 (log-gamma).
    """
    concentration: ArrayLike = param(constraints.positive)
    rate: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("concentration", "rate")

    def _log_unit(self):
        return np.log(self.rate)

    def cdf(self, value):
        return special.gammainc(self.concentration, np.exp(self._y(value)))

    def log_cdf(self, value):
        return special.log_gammainc(self.concentration, np.exp(self._y(value)))

    def log_survival(self, value):
        """log P(X > value)."""
        return special.log_gammaincc(self.concentration, np.exp(self._y(value)))

    def icdf(self, q):
        return np.log(special.gammaincinv(self.concentration, np.asarray(q))) - self._log_unit()


class ExpInverseGamma(_LogGamma):
    """ExpInverseGamma(concentration a, scale b) on the real line: log X for X ~ InverseGamma(a, b).

        log p(x) = a y - exp(y) - log Γ(a),  y = log b - x

    concentration, scale : float[*batch], > 0          sample : float[*shape, *batch]
    Source: as ExpGamma, of which it is the negative.
    """
    concentration: ArrayLike = param(constraints.positive)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("concentration", "scale")
    _sign = -1.0

    def _log_unit(self):
        return np.log(self.scale)

    def cdf(self, value):
        return special.gammaincc(self.concentration, np.exp(self._y(value)))

    def log_cdf(self, value):
        return special.log_gammaincc(self.concentration, np.exp(self._y(value)))

    def log_survival(self, value):
        """log P(X > value)."""
        return special.log_gammainc(self.concentration, np.exp(self._y(value)))

    def icdf(self, q):
        return self._log_unit() - np.log(special.gammainccinv(self.concentration, np.asarray(q)))


class _BetaPrime(Distribution):
    """r G / H for gamma numbers G, H of shapes a, c, where a, c, r are `_law()`."""
    support = constraints.positive

    def _law(self):
        raise NotImplementedError

    def sample(self, key, sample_shape=()):
        a, c, r = self._law()
        first, second = random.split(key)
        shape = self.shape(sample_shape)
        g, h = (random.loggamma(k, v, shape, self.dtype) for k, v in ((first, a), (second, c)))
        return r * np.exp(g - h)

    def log_prob_inside(self, value):
        a, c, r = self._law()
        return log_beta_unit(a, c) - odds_deviance(a, c, value, r) - np.log(value)

    def _wide(self, x):
        return np.broadcast_to(x, self.batch_shape)

    @property
    def mean(self):
        a, c, r = self._law()
        return self._wide(np.where(c > 1, r * a / np.where(c > 1, c - 1.0, 1.0), math.inf))

    @property
    def variance(self):
        a, c, r = self._law()
        d = np.where(c > 2, c, 3.0)
        return self._wide(np.where(c > 2, r * r * a * (a + d - 1.0) / ((d - 2.0) * np.square(d - 1.0)), math.inf))

    @property
    def mode(self):
        a, c, r = self._law()
        return self._wide(r * np.maximum(a - 1.0, 0.0) / (c + 1.0))

    def entropy(self):
        a, c, r = self._law()
        return self._wide(special.betaln(a, c) + (1.0 - a) * special.digamma(a) - (1.0 + c) * special.digamma(c)
                          + (a + c) * special.digamma(a + c) + np.log(r))

    def _parts(self, value):
        """y / (1 + y) and 1 / (1 + y)."""
        y = np.maximum(value, 0.0) / self._law()[2]
        return y / (1.0 + y), 1.0 / (1.0 + y)

    def cdf(self, value):
        a, c, _ = self._law()
        low, high = self._parts(value)
        half = low < 0.5
        return np.where(half, special.betainc(a, c, np.where(half, low, 0.5)),
                        special.betaincc(c, a, np.where(half, 0.5, high)))

    def log_cdf(self, value):
        a, c, _ = self._law()
        return special.log_betainc(a, c, self._parts(value)[0])

    def log_survival(self, value):
        """log P(X > value)."""
        a, c, _ = self._law()
        return special.log_betainc(c, a, self._parts(value)[1])

    def icdf(self, q):
        a, c, r = self._law()
        q = np.asarray(q)
        low, high = special.betaincinv(a, c, q), special.betaincinv(c, a, 1.0 - q)
        small = low < high                                             # the smaller of the two is accurate
        return r * np.where(small, low / (1.0 - low), (1.0 - high) / high)


class GammaGamma(_BetaPrime):
    """GammaGamma(concentration a, mixing_concentration c, mixing_rate r): Gamma(a, B) with B ~ Gamma(c, r).

        log p(x) = (a - 1) log(x / r) - (a + c) log(1 + x / r) - log B(a, c) - log r;  mean a r / (c - 1) where c > 1

    concentration, mixing_concentration, mixing_rate : float[*batch], > 0       sample : float[*shape, *batch], > 0
    Source: Fader & Hardie (2013), "The gamma-gamma model of monetary value".
    """
    concentration: ArrayLike = param(constraints.positive)
    mixing_concentration: ArrayLike = param(constraints.positive)
    mixing_rate: ArrayLike = param(constraints.positive)
    reparametrized_params = ("concentration", "mixing_concentration", "mixing_rate")

    def _law(self):
        return self.concentration, self.mixing_concentration, self.mixing_rate


class FisherSnedecor(_BetaPrime):
    """FisherSnedecor(df1 m, df2 n) on the positive numbers: the ratio of two mean squares; mean n / (n - 2).

        log p(x) = (m/2 - 1) log y - ½ (m + n) log(1 + y) - log B(m/2, n/2) + log(m / n),  y = m x / n

    df1, df2 : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 27.
    """
    df1: ArrayLike = param(constraints.positive)
    df2: ArrayLike = param(constraints.positive)
    reparametrized_params = ("df1", "df2")

    def _law(self):
        return 0.5 * self.df1, 0.5 * self.df2, self.df2 / self.df1
