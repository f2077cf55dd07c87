"""The inverse Gaussian distribution, also called Wald's, and the normal mixture over it."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import stop_gradient
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .implicit import implicit
from .location_scale import LocationScale
from .quadrature import log_integral_outwards
from .ratios import scaled_exp1
from .record import ArrayLike, param

LOG_2PI = math.log(2 * math.pi)


class InverseGaussian(Distribution):
    """InverseGaussian(loc m, concentration k): when a Brownian motion with drift first reaches a level; mean m.

        log p(x) = ½ log k - 3/2 log x - ½ log 2π - k (x - m)² / (2 m² x), x > 0;  variance m³ / k

    loc, concentration : float[*batch], > 0          sample : float[*shape, *batch], > 0
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 15; distribution function
    there 15.26, here with erfcx; entropy: Mudholkar & Tian (2002), "An entropy characterization of the inverse
    Gaussian distribution". Draws: Michael, Schucany & Haas (1976), with the derivative of `implicit`.

    >>> float(InverseGaussian(1.0, 1.0).variance)
    1.0
    """
    loc: ArrayLike = param(constraints.positive)
    concentration: ArrayLike = param(constraints.positive)
    support = constraints.positive
    reparametrized_params = ("loc", "concentration")

    @classmethod
    def from_phi(cls, mu, phi, **kwargs):
        """With the ratio phi = concentration / mean."""
        mu = np.asarray(mu)
        return cls(mu, mu * phi, **kwargs)

    def sample(self, key, sample_shape=()):
        ratio = self.loc / self.concentration
        x = self.concentration * random.wald(key, ratio, self.shape(sample_shape), self.dtype)
        return implicit(self, stop_gradient(x))

    def log_prob_inside(self, value):
        m, k = self.loc, self.concentration
        off = (value - m) / m
        return 0.5 * (np.log(k) - LOG_2PI) - 1.5 * np.log(value) - (0.5 * k) * (off * off / value)

    @property
    def mean(self):
        return np.broadcast_to(self.loc, self.batch_shape)

    @property
    def variance(self):
        return self.loc ** 3 / self.concentration

    @property
    def mode(self):
        ratio = 1.5 * self.loc / self.concentration
        return self.loc / (np.hypot(1.0, ratio) + ratio)

    def entropy(self):
        m, k = self.loc, self.concentration
        return 0.5 * (LOG_2PI + 1.0 + 3.0 * np.log(m) - np.log(k)) - 1.5 * scaled_exp1(2.0 * k / m)

    def _parts(self, value):
        """√(k/x) (x/m - 1), and the logarithm of exp(2k/m) Φ(-√(k/x) (x/m + 1))."""
        value = np.maximum(value, float(np.finfo(self.dtype).tiny))
        root, ratio = np.sqrt(self.concentration / value), value / self.loc
        near, far = root * (ratio - 1.0), root * (ratio + 1.0)
        return near, np.log(0.5 * special.erfcx(far * math.sqrt(0.5))) - 0.5 * np.square(near)

    def cdf(self, value):
        return np.exp(self.log_cdf(value))

    def log_cdf(self, value):
        value = np.asarray(value)
        near, other = self._parts(value)
        return np.where(value > 0, np.logaddexp(special.log_ndtr(near), other), -math.inf)

    def log_survival(self, value):
        """log P(X > value)."""
        value = np.asarray(value)
        near, other = self._parts(value)
        whole = special.log_ndtr(-near)
        return np.where(value > 0, whole + special.log1mexp(whole - other), 0.0)


Wald = InverseGaussian


class NormalInverseGaussian(LocationScale):
    """NormalInverseGaussian(loc m, scale d, tailweight a, skewness b): m + b V + √V Z for an inverse Gaussian V.

        log p(x) = log(a d / π) + log K₁(a q) - log q + d g + b (x - m),  q² = d² + (x - m)²,  g² = a² - b²

    loc, scale, tailweight, skewness : float[*batch], scale > 0, |skewness| < tailweight
    sample : float[*shape, *batch]
    V has mean d / g and concentration d². Source: Barndorff-Nielsen (1997), "Normal inverse Gaussian distributions and
    stochastic volatility modelling", §2.
    """
    loc: ArrayLike = param(constraints.real)
    scale: ArrayLike = param(constraints.positive)
    tailweight: ArrayLike = param(constraints.positive)
    skewness: ArrayLike = param(lambda self: constraints.open_interval(-self.tailweight, self.tailweight))
    reparametrized_params = ("loc", "scale", "tailweight", "skewness")

    def _root(self):
        return np.sqrt((self.tailweight - self.skewness) * (self.tailweight + self.skewness))

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        v = InverseGaussian(np.broadcast_to(self.scale / self._root(), self.batch_shape), self.scale * self.scale,
                            validate_args=False).sample(first, sample_shape)
        return self.loc + self.skewness * v + np.sqrt(v) * random.normal(second, self.shape(sample_shape), self.dtype)

    def log_prob_inside(self, value):
        a, b, d = self.tailweight, self.skewness, self.scale
        off = np.asarray(value) - self.loc
        q = np.hypot(d, off)
        y = a * q
        inner = d * self._root() + b * off - y
        return np.log(special.k1e(y)) - np.log(q) + inner + (np.log(a * d) - math.log(math.pi))

    @property
    def mean(self):
        return self._wide(self.loc + self.scale * self.skewness / self._root())

    @property
    def variance(self):
        return self._wide(self.scale * np.square(self.tailweight) / self._root() ** 3)

    def _tails(self, value):
        """log P(X <= x) below about the mode, log P(X > x) above it: of the density from x on. Whether it is below."""
        value = np.asarray(value)
        off = value - self.loc
        q = np.hypot(off, self.scale)
        below = (off / q) * (self.tailweight + 1.5 / q) < self.skewness          # where the density rises
        x = np.broadcast_to(value, below.shape)
        sign = np.where(below, -np.ones_like(x), 1.0)[..., None]
        parts = [v[..., None] for v in np.broadcast_arrays(self.loc, self.scale, self.tailweight, self.skewness)]
        law = NormalInverseGaussian(*parts, validate_args=False)
        fall = self.tailweight - np.where(below, -self.skewness, self.skewness)
        scale = np.minimum(self.stddev + 0.0 * x, 4.0 / fall + np.sqrt(self.scale / fall))
        tail = log_integral_outwards(lambda y: law.log_prob_inside(x[..., None] + sign * y), stop_gradient(scale))
        return np.minimum(tail, -float(np.finfo(tail.dtype).tiny)), below

    def cdf(self, value):
        tail, below = self._tails(value)
        return np.where(below, np.exp(tail), -np.expm1(tail))

    def log_cdf(self, value):
        tail, below = self._tails(value)
        return np.where(below, tail, special.log1mexp(-tail))

    def log_survival(self, value):
        """log P(X > value)."""
        tail, below = self._tails(value)
        return np.where(below, special.log1mexp(-tail), tail)
