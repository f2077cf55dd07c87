"""Relatives of the Laplace distribution: with two rates, with a rounded peak, or with both."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .location_scale import LocationScale
from .ratios import log_normal_times_exponential
from .record import ArrayLike, param


class _TwoSided(Distribution):
    """loc - l E + r F for exponential E and F, where (l, r) are `_sides()`."""
    support = constraints.real

    def _sides(self):
        raise NotImplementedError

    def sample(self, key, sample_shape=()):
        left, right = self._sides()
        e = random.exponential(key, (2, *self.shape(sample_shape)), self.dtype)
        return self.loc + (right * e[1] - left * e[0])

    def log_prob_inside(self, value):
        left, right = self._sides()
        off = np.asarray(value) - self.loc
        return -np.where(off < 0, -off / left, off / right) - np.log(left + right)

    def _wide(self, x):
        return np.broadcast_to(x, self.batch_shape)

    @property
    def mean(self):
        left, right = self._sides()
        return self.loc + (right - left)

    @property
    def variance(self):
        left, right = self._sides()
        return self._wide(left * left + right * right)

    @property
    def mode(self):
        return self._wide(self.loc)

    def entropy(self):
        left, right = self._sides()
        return self._wide(1.0 + np.log(left + right))

    def _tails(self, value):
        """The logarithms of what lies beyond value on its own side of loc; whether that side is the left one."""
        left, right = self._sides()
        off, total = np.asarray(value) - self.loc, left + right
        below = off < 0
        return np.where(below, off / left + np.log(left / total), -off / right + np.log(right / total)), below

    def cdf(self, value):
        tail, below = self._tails(value)
        p = np.exp(tail)
        return np.where(below, p, 1.0 - p)

    def log_cdf(self, value):
        tail, below = self._tails(value)
        return np.where(below, tail, np.log1p(-np.exp(np.where(below, -1.0, tail))))

    def log_survival(self, value):
        """log P(X > value)."""
        tail, below = self._tails(value)
        return np.where(below, np.log1p(-np.exp(np.where(below, tail, -1.0))), tail)

    def icdf(self, q):
        left, right = self._sides()
        q, total = np.asarray(q), left + right
        below = q * total < left
        return self.loc + np.where(below, left * np.log(np.where(below, q, 1.0) * (total / left)),
                                   -right * np.log(np.where(below, 1.0, 1.0 - q) * (total / right)))


class AsymmetricLaplace(_TwoSided):
    """AsymmetricLaplace(loc m, scale s, asymmetry k): exponential with mean l = s k below m and r = s / k above.

        log p(x) = -(m - x) / l - log(l + r), x < m;  -(x - m) / r - log(l + r), x >= m

    loc, scale, asymmetry : float[*batch], scale > 0, asymmetry > 0          sample : float[*shape, *batch]
    Source: Kotz, Kozubowski & Podgórski (2001), The Laplace Distribution and Generalizations, §3.1.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    asymmetry: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("loc", "scale", "asymmetry")

    def _sides(self):
        return self.scale * self.asymmetry, self.scale / self.asymmetry


class AsymmetricLaplaceQuantile(_TwoSided):
    """AsymmetricLaplaceQuantile(loc m, scale s, quantile q), of which m is the q-quantile.

        log p(x) = log(q (1 - q) / s) - (x - m) (q - [x < m]) / s

    loc, scale, quantile : float[*batch], scale > 0, 0 < quantile < 1          sample : float[*shape, *batch]
    Source: Yu & Moyeed (2001), "Bayesian quantile regression", eq. 3.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    quantile: ArrayLike = param(constraints.open_interval(0.0, 1.0), default=0.5)
    reparametrized_params = ("loc", "scale", "quantile")

    @classmethod
    def from_skew(cls, mu, sigma, tau, **kwargs):
        """The skew double exponential of location mu, scale sigma and skewness tau, in (0, 1)."""
        return cls(mu, 0.5 * np.asarray(sigma), tau, **kwargs)

    def _sides(self):
        return self.scale / (1.0 - self.quantile), self.scale / self.quantile


class SoftLaplace(LocationScale):
    """SoftLaplace(loc m, scale s), the hyperbolic secant law: Laplace tails and a smooth peak; variance (π s / 2)².

        log p(x) = log(2/π) - log(exp z + exp -z) - log s,  z = (x - m) / s

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch]
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, §23.11.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("loc", "scale")
    symmetric = True

    def _draw(self, key, shape):
        # the logarithm of the ratio of two normal numbers' sizes, which is that of tan of a uniform angle
        return np.log(np.abs(random.cauchy(key, shape, self.dtype)))

    def _log_density(self, z):
        size = np.abs(z)
        return math.log(2 / math.pi) - size - np.log1p(np.exp(-2.0 * size))

    def _mean(self):
        return 0.0

    _mode = _mean

    def _variance(self):
        return math.pi ** 2 / 4

    def _entropy(self):
        return math.log(2 * math.pi)

    def _cdf(self, z):
        return (2 / math.pi) * np.arctan(np.exp(z))

    def _log_cdf(self, z):
        size = np.abs(z)
        t = np.exp(-size)
        tail = (2 / math.pi) * np.arctan(t)
        small = math.log(2 / math.pi) - size + np.log1p(-t * t / 3.0)
        low = np.where(t < 1e-4, small, np.log(np.where(t < 1e-4, 0.5, tail)))
        return np.where(z < 0, low, np.log1p(-np.where(z < 0, 0.0, tail)))

    def _log_survival(self, z):
        return self._log_cdf(-z)

    def _icdf(self, q):
        return np.log(np.tan((0.5 * math.pi) * q))


class SoftAsymmetricLaplace(Distribution):
    """SoftAsymmetricLaplace(loc m, scale s, asymmetry k, softness h): m - s k E + s / k F + s h Z.

        p(x) = (g(-z, h/k) + g(z, h k)) / (s k + s / k),  g(z, r) = exp(r²/2 - r z) Φ(z - r),  z = (x - m) / (s h)

    loc, scale, asymmetry, softness : float[*batch], all but loc > 0          sample : float[*shape, *batch]
    E and F are exponential, Z normal. Source: Reed & Jorgensen (2004), "The double Pareto-lognormal
    distribution", eq. 9.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    asymmetry: ArrayLike = param(constraints.positive, default=1.0)
    softness: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.real
    reparametrized_params = ("loc", "scale", "asymmetry", "softness")

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        e = random.exponential(first, (2, *self.shape(sample_shape)), self.dtype)
        z = random.normal(second, self.shape(sample_shape), self.dtype)
        return self.loc + self.scale * (e[1] / self.asymmetry - e[0] * self.asymmetry + self.softness * z)

    def log_prob_inside(self, value):
        k, h = self.asymmetry, self.softness
        z = (np.asarray(value) - self.loc) / (self.scale * h)
        both = np.logaddexp(log_normal_times_exponential(-z, h / k), log_normal_times_exponential(z, h * k))
        return both - np.log(self.scale * (k + 1.0 / k))

    def _log_below(self, sign, k):
        """log P(sign (X - m) <= sign (x - m)), of a mixture of sums with the upward and the downward exponential."""
        h = self.softness
        up = -np.log1p(k * k)                                          # log of (s / k) / (s k + s / k)

        def at(value):
            z = sign * ((np.asarray(value) - self.loc) / (self.scale * h))
            whole = special.log_ndtr(z)
            raised = whole + special.log1mexp(np.maximum(whole - log_normal_times_exponential(z, h * k), 0.0))
            lowered = np.logaddexp(whole, log_normal_times_exponential(-z, h / k))
            return np.logaddexp(up + raised, up + 2.0 * np.log(k) + lowered)
        return at

    def cdf(self, value):
        return np.exp(self.log_cdf(value))

    def log_cdf(self, value):
        return self._log_below(1.0, self.asymmetry)(value)

    def log_survival(self, value):
        """log P(X > value)."""
        return self._log_below(-1.0, 1.0 / self.asymmetry)(value)

    @property
    def mean(self):
        mean = self.loc + self.scale * (1.0 / self.asymmetry - self.asymmetry)
        return np.broadcast_to(mean, self.batch_shape)

    @property
    def variance(self):
        k = self.asymmetry
        return np.broadcast_to(self.scale ** 2 * (k * k + 1.0 / (k * k) + self.softness ** 2), self.batch_shape)
