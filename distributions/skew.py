"""Normal and Student t distributions made skew by a hidden truncation or by unequal tails, and the Moyal law."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .location_scale import LocationScale
from .quadrature import log_integral
from .ratios import log_normal_times_exponential
from .record import ArrayLike, param

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
EULER = 0.5772156649015329


class SkewNormal(LocationScale):
    """SkewNormal(loc m, scale s, slant a): skew to the right for a > 0, Normal(m, s) for a = 0.

        log p(x) = log 2 + log φ(z) + log Φ(a z) - log s,  z = (x - m) / s

    loc, scale, slant : float[*batch], scale > 0          sample : float[*shape, *batch]
    Source: Azzalini & Capitanio (2014), The Skew-Normal and Related Families, ch. 2.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    slant: ArrayLike = param(constraints.real, default=0.0)
    reparametrized_params = ("loc", "scale", "slant")

    def _draw(self, key, shape):
        z = random.normal(key, (2, *shape), self.dtype)
        return (self.slant * np.abs(z[0]) + z[1]) / np.hypot(1.0, self.slant)

    def _log_density(self, z):
        return special.log_ndtr(self.slant * z) - 0.5 * np.square(z) + (math.log(2) - HALF_LOG_2PI)

    def _delta(self):
        return self.slant / np.hypot(1.0, self.slant)

    def _mean(self):
        return self._delta() * math.sqrt(2 / math.pi)

    def _variance(self):
        return 1.0 - np.square(self._delta()) * (2 / math.pi)

    def _cdf(self, z):
        return special.ndtr(z) - 2.0 * special.owens_t(z, self.slant)

    def _log_cdf(self, z):
        return self._log_below(z, self.slant)

    def _log_survival(self, z):
        return self._log_below(-z, -self.slant)

    @staticmethod
    def _log_below(z, slant):
        """log P(Z <= z): by an integral of the density where the difference in the distribution function cancels."""
        z, slant = np.broadcast_arrays(z, slant)
        tail = np.logical_and(z < 0, slant > 0)
        low, a = np.where(tail, z, -1.0), slant[..., None]
        far = 80.0 / (1.0 + np.square(slant))                # at the lower end the density is exp(-40) of that at z
        reach = far / (np.sqrt(np.square(low) + far) - low)
        below = log_integral(lambda y: special.log_ndtr(a * y) - 0.5 * np.square(y), low - reach, low)
        high = np.where(tail, 0.0, z)
        whole = special.ndtr(high) - 2.0 * special.owens_t(high, slant)
        return np.where(tail, below + (math.log(2) - HALF_LOG_2PI), np.log(np.where(tail, 1.0, whole)))


class SkewStudentT(LocationScale):
    """SkewStudentT(a, b, loc m, scale s): tails like |x|^(-2a - 1) below and x^(-2b - 1) above.

        log p(x) = (a + ½) log(1 + z/r) + (b + ½) log(1 - z/r) - (a + b - 1) log 2 - log B(a, b) - ½ log c - log s,
        z = (x - m) / s,  c = a + b,  r = √(c + z²)

    a, b, loc, scale : float[*batch], all but loc > 0; t with 2a degrees of freedom for a = b
    sample : float[*shape, *batch], √c sinh(½ (log G - log H)) for gamma numbers G, H of shapes a, b
    Source: Jones & Faddy (2003), "A skew extension of the t-distribution, with applications", eq. 1.
    """
    a: ArrayLike = param(constraints.positive)
    b: ArrayLike = param(constraints.positive)
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("a", "b", "loc", "scale")

    def _draw(self, key, shape):
        first, second = random.split(key)
        g = random.loggamma(first, self.a, shape, self.dtype)
        h = random.loggamma(second, self.b, shape, self.dtype)
        return np.sqrt(self.a + self.b) * np.sinh(0.5 * (g - h))

    def _sides(self, z):
        """log(1 + z/r) and log(1 - z/r), without cancellation; log(1 + |z|/r) = -log(1 - |z|/r) + log(c / r²)."""
        c = self.a + self.b
        r = np.hypot(np.sqrt(c), z)
        log_r = np.log(r)
        large = np.log(r + np.abs(z)) - log_r
        small = np.log(c) - 2.0 * log_r - large
        right = z > 0
        return np.where(right, large, small), np.where(right, small, large)

    def _log_density(self, z):
        a, b = self.a, self.b
        plus, minus = self._sides(z)
        norm = (a + b - 1.0) * math.log(2) + special.betaln(a, b) + 0.5 * np.log(a + b)
        return (a + 0.5) * plus + (b + 0.5) * minus - norm

    def _mean(self):
        a, b = self.a, self.b
        inner = np.logical_and(a > 0.5, b > 0.5)
        a, b = np.where(inner, a, 1.0), np.where(inner, b, 1.0)
        ratio = special.gammaln(a - 0.5) - special.gammaln(a) + special.gammaln(b - 0.5) - special.gammaln(b)
        return np.where(inner, 0.5 * (a - b) * np.sqrt(a + b) * np.exp(ratio), math.nan)

    def _variance(self):
        a, b = self.a, self.b
        inner = np.logical_and(a > 1, b > 1)
        x, y = np.where(inner, a, 2.0), np.where(inner, b, 2.0)
        second = 0.25 * (x + y) * (np.square(x - y) + x + y - 2.0) / ((x - 1.0) * (y - 1.0))
        heavy = np.where(np.logical_and(a > 0.5, b > 0.5), np.full_like(second, math.inf), math.nan)
        return np.where(inner, second - np.where(inner, np.square(self._mean()), 0.0), heavy)

    def _mode(self):
        a, b = self.a, self.b
        return (a - b) * np.sqrt((a + b) / ((2.0 * a + 1.0) * (2.0 * b + 1.0)))

    def _cdf(self, z):
        plus, _ = self._sides(z)
        return special.betainc(self.a, self.b, 0.5 * np.exp(plus))

    def _log_cdf(self, z):
        plus, _ = self._sides(z)
        return special.log_betainc(self.a, self.b, 0.5 * np.exp(plus))

    def _log_survival(self, z):
        _, minus = self._sides(z)
        return special.log_betainc(self.b, self.a, 0.5 * np.exp(minus))

    def _icdf(self, q):
        a, b = self.a, self.b
        x, y = special.betaincinv(a, b, q), special.betaincinv(b, a, 1.0 - q)       # the smaller is accurate
        low = x < y
        small = np.where(low, x, y)
        z = np.sqrt(a + b) * (0.5 - small) / np.sqrt(small * (1.0 - small))
        return np.where(low, -z, z)


class ExGaussian(LocationScale):
    """ExGaussian(loc m, scale s, rate b): the sum of Normal(m, s) and Exponential(b); variance s² + 1/b².

        log p(x) = log b + r²/2 - r z + log Φ(z - r),  z = (x - m) / s,  r = b s

    loc, scale, rate : float[*batch], scale > 0, rate > 0          sample : float[*shape, *batch]
    Source: Grushka (1972), "Characterization of exponentially modified Gaussian peaks in chromatography".
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    rate: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("loc", "scale", "rate")

    @classmethod
    def from_mean(cls, mu, sigma, nu, **kwargs):
        """With the mean nu of the exponential in place of its rate."""
        return cls(mu, sigma, 1.0 / np.asarray(nu), **kwargs)

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        shape = self.shape(sample_shape)
        z = random.normal(first, shape, self.dtype)
        return self.loc + self.scale * z + random.exponential(second, shape, self.dtype) / self.rate

    def log_prob_inside(self, value):
        return self._sum(self._standard(value)) + np.log(self.rate)

    def _sum(self, z):
        return log_normal_times_exponential(z, self.rate * self.scale)

    @property
    def mean(self):
        return self._wide(self.loc + 1.0 / self.rate)

    @property
    def variance(self):
        return self._wide(self.scale * self.scale + 1.0 / (self.rate * self.rate))

    def _cdf(self, z):
        return np.exp(self._log_cdf(z))

    def _log_cdf(self, z):
        whole = special.log_ndtr(z)
        return whole + special.log1mexp(whole - self._sum(z))

    def _log_survival(self, z):
        return np.logaddexp(special.log_ndtr(-z), self._sum(z))


class Moyal(LocationScale):
    """Moyal(loc m, scale s): m - s log Z² for a normal Z; mean m + s (γ + log 2), variance (π s)² / 2.

        log p(x) = -½ (z + exp(-z)) - ½ log 2π - log s,  z = (x - m) / s

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch]
    Source: Walck (2007), Handbook on Statistical Distributions for Experimentalists, ch. 26.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("loc", "scale")

    def _draw(self, key, shape):
        return -2.0 * np.log(np.abs(random.normal(key, shape, self.dtype)))

    def _log_density(self, z):
        return -0.5 * (z + np.exp(-z)) - HALF_LOG_2PI

    def _mean(self):
        return EULER + math.log(2)

    def _variance(self):
        return math.pi ** 2 / 2

    def _mode(self):
        return 0.0

    def _entropy(self):
        return 0.5 * (1 + EULER + math.log(4 * math.pi))

    def _cdf(self, z):
        return special.erfc(np.exp(-0.5 * z) * math.sqrt(0.5))

    def _log_cdf(self, z):
        return math.log(2) + special.log_ndtr(-np.exp(-0.5 * z))

    def _log_survival(self, z):
        return np.log(special.erf(np.exp(-0.5 * z) * math.sqrt(0.5)))

    def _icdf(self, q):
        return -2.0 * np.log(-special.ndtri(0.5 * q))
