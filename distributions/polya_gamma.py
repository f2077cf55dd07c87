"""The Pólya-gamma distribution, with which logistic likelihoods become normal ones."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import stop_gradient
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .quadrature import log_integral, log_integral_outwards
from .record import ArrayLike, param, static

_TERMS = 16                                                  # gamma numbers drawn; what is left is one more
_CENTRES = (_numpy.arange(1, _TERMS + 1) - 0.5) ** 2
_NODES, _REACH = 60, 5.0
_ALTERNATE = tuple((-1) ** n * (2 * n + 1) for n in range(1, 5))


def _tangent_ratio(w):
    """r coth r with r² = w > -π²/4, and its derivative in w."""
    near, up = np.abs(w) < 0.01, w > 0
    r = np.sqrt(np.where(near, 1.0, np.abs(w)))
    t = np.where(up, np.tanh(r), np.tan(np.minimum(r, 1.5707)))
    ratio = r / t
    change = ratio - ratio * ratio
    slope = (np.where(up, change, -change) + r * r) / (2.0 * r * r)
    series = 1.0 + w * (1 / 3 + w * (-1 / 45 + w * (2 / 945 - w / 4725)))
    series_slope = 1 / 3 + w * (-2 / 45 + w * (6 / 945 - 4 * w / 4725))
    return np.where(near, series, ratio), np.where(near, series_slope, slope)


def _log_cosh_root(u, v):
    """log |cosh √w| and its argument, for w = u + i v off the cut u < -π²/4."""
    size = np.hypot(u, v)
    long = np.sqrt(0.5 * (size + np.abs(u)))
    short = 0.5 * v / np.where(long > 0, long, 1.0)
    a, b = np.where(u > 0, long, short), np.where(u > 0, short, long)        # √w = a + i b with a, b >= 0
    fade = np.exp(-2.0 * a)
    real, imaginary = 1.0 + fade * np.cos(2.0 * b), -fade * np.sin(2.0 * b)
    return a + np.log(np.hypot(real, imaginary)) - math.log(2), b + np.arctan2(imaginary, real)


def _log_density(x, h):
    """log p(x; h, 0), by the inverse of the Laplace transform cosh(√(s/2))^-h.

    With s = 2 w the integral of exp(2 w x - h log cosh √w) along the parabola w₀ + i η - c η² through the saddle point
    w₀, where (√w) coth √w = h / 4x; η = d sinh t, so that the trapezoidal rule converges geometrically.
    """
    y = 0.25 * h / x
    fixed_y = stop_gradient(y)
    cut = math.pi ** 2 / 4
    w = np.where(fixed_y > 1, fixed_y * fixed_y - fixed_y, 2.0 * fixed_y - cut)
    for _ in range(5):
        value, slope = _tangent_ratio(w)
        w = np.maximum(w - (value - fixed_y) / slope, 0.25 * (w + cut) - cut)
    value, slope = _tangent_ratio(w)
    room = w + cut
    bend = slope / np.square(value)                          # -d/dw of tanh √w / √w
    d = np.minimum(room, 2.0 / np.sqrt(0.5 * stop_gradient(h) * bend))
    t = np.asarray(_numpy.arange(_NODES) * (_REACH / _NODES), x.dtype)
    step = _REACH / _NODES
    w, d, room = w[..., None], d[..., None], room[..., None]
    eta = d * np.sinh(t)
    c = 1.0 / (3.0 * room)
    off = -c * eta * eta
    log_0, _ = _log_cosh_root(w, 0.0 * w)
    log_size, angle = _log_cosh_root(w + off, eta)
    log_size, angle, log_0 = stop_gradient(log_size), stop_gradient(angle), stop_gradient(log_0)
    off, eta, jacobian = stop_gradient(off), stop_gradient(eta), stop_gradient(d * np.cosh(t))
    x, h = x[..., None], h[..., None]
    size = np.exp(2.0 * off * x - h * (log_size - log_0)) * jacobian
    turn = 2.0 * eta * x - h * angle
    # dw / i = (1 + 2 i c η) dη
    terms = size * (np.cos(turn) - 2.0 * stop_gradient(c * eta) * np.sin(turn))
    total = (np.sum(terms, -1) - 0.5 * terms[..., 0]) * (2 * step / math.pi)
    return np.log(total) + stop_gradient(w[..., 0]) * 2.0 * x[..., 0] - h[..., 0] * log_0[..., 0]


class PolyaGamma(Distribution):
    """PolyaGamma(h, z) on the positive numbers: (1/2π²) Σ gₖ / ((k - ½)² + z²/4π²) for gamma numbers gₖ of shape h.

        E exp(-s X) = (cosh(z/2) / cosh √(z²/4 + s/2))^h;  mean h tanh(z/2) / 2z

    h, z : float[*batch], h > 0          sample : float[*shape, *batch], > 0
    The density is the inverse of that transform, by quadrature through its saddle point, to 1e-12 for h >= 1 and 1e-7
    for h = 0.1; at the far ends by the leading terms there; the distribution function is its integral. Draws are the
    first 16 terms of the sum, and one gamma number with the mean and variance of the others.
    Source: Polson, Scott & Windle (2013), "Bayesian inference for logistic models using Pólya-gamma latent variables".
    """
    h: ArrayLike = param(constraints.positive, default=1.0)
    z: ArrayLike = param(constraints.real, default=0.0)
    support = constraints.positive
    reparametrized_params = ("h", "z")

    def sample(self, key, sample_shape=()):
        shape, d = self.shape(sample_shape), self.dtype
        first, second = random.split(key)
        tilt = np.square(self.z / (2 * math.pi))
        weights = 1.0 / (np.asarray(_CENTRES, d) + tilt[..., None])
        g = random.gamma(first, self.h[..., None], (*shape, _TERMS), d)
        # what is left of the mean and the variance of the sum
        mean = 2 * math.pi ** 2 * self._mean_ratio() - np.sum(weights, -1)
        square = 4 * math.pi ** 4 * self._variance_ratio() - np.sum(weights * weights, -1)
        mean = np.maximum(mean, float(np.finfo(d).eps))
        square = np.maximum(square, float(np.finfo(d).eps) * mean)
        rest = random.gamma(second, self.h * mean * mean / square, shape, d) * (square / mean)
        return (np.sum(weights * g, -1) + rest) * (1 / (2 * math.pi ** 2))

    def log_prob_inside(self, value):
        value = np.asarray(value)
        shape = np.broadcast_shapes(value.shape, self.batch_shape)
        x, h = np.broadcast_to(value, shape), np.broadcast_to(self.h, shape)
        half = 0.5 * np.abs(self.z)
        log_cosh = half + np.log1p(np.exp(-2.0 * half)) - math.log(2)
        start, end = x < 0.0125, x > 250.0 * h
        middle = _log_density(np.where(np.logical_or(start, end), 0.25 * h, x), h)
        first = ((h - 1.0) * math.log(2) + np.log(h) - 0.5 * math.log(2 * math.pi) - 1.5 * np.log(x)
                 - h * (0.125 * h / x))
        safe = np.where(end, x, 250.0 * h)
        last = (h * math.log(math.pi) + math.log(2) + (h - 1.0) * np.log(2.0 * safe) - special.gammaln(h)
                - (0.5 * math.pi ** 2) * safe + np.log1p((h / safe) * ((1.0 - h) * (0.5 / math.pi ** 2))))
        untilted = np.where(start, first, np.where(end, last, middle))
        return untilted + self.h * log_cosh - 2.0 * half * half * x

    def _tails(self, value):
        """log P(X <= x) below the mean, log P(X > x) above it, by integrals of the density; whether it is below."""
        value = np.asarray(value)
        inside = value > 0
        x = np.where(inside, value, self.mean)
        below = x < self.mean
        shape = below.shape
        x = np.broadcast_to(x, shape)[..., None]
        law = PolyaGamma(*(np.broadcast_to(v, shape)[..., None] for v in (self.h, self.z)), validate_args=False)
        low = np.where(below, x[..., 0], self.mean)
        down = log_integral(law.log_prob_inside, np.zeros_like(low), low)
        fall = stop_gradient(2.0 * (1.0 + self.h) / (math.pi ** 2 + np.square(self.z)))      # as exp(-(π² + z²) x / 2)
        up = log_integral_outwards(lambda y: law.log_prob_inside(x + y), np.broadcast_to(fall, shape))
        tail = np.minimum(np.where(below, down, up), -float(np.finfo(self.dtype).tiny))
        return np.where(inside, tail, -math.inf), np.logical_or(below, np.logical_not(inside))

    def cdf(self, value):
        tail, below = self._tails(value)
        return np.where(below, np.exp(tail), -np.expm1(tail))

    def log_cdf(self, value):
        tail, below = self._tails(value)
        return np.where(below, tail, special.log1mexp(np.where(below, 1.0, -tail)))

    def log_survival(self, value):
        """log P(X > value)."""
        tail, below = self._tails(value)
        return np.where(below, special.log1mexp(-tail), tail)

    def _mean_ratio(self):
        """The mean for h = 1: tanh(z/2) / 2z."""
        z = np.abs(self.z)
        near = z < 0.1
        small, large = np.where(near, self.z, 0.0), np.where(near, 1.0, z)
        s = small * small
        series = 1 / 4 + s * (-1 / 48 + s * (1 / 480 + s * (-17 / 80640 + s * (31 / 1451520 - s * 691 / 319334400))))
        return np.where(near, series, 0.5 * np.tanh(0.5 * large) / large)

    def _variance_ratio(self):
        """The variance for h = 1: (sinh z - z) / (4 z³ cosh²(z/2)) = -(1/z) d/dz of the mean."""
        z = np.abs(self.z)
        near = z < 0.5
        small, large = np.where(near, self.z, 0.0), np.where(near, 1.0, z)
        s = small * small
        series = 0.0
        for c in _VARIANCE[::-1]:
            series = series * s + c
        fade = np.exp(-large)
        closed = (1.0 - fade * fade - 2.0 * large * fade) / (2.0 * large ** 3 * np.square(1.0 + fade))
        return np.where(near, series, closed)

    @property
    def mean(self):
        return np.broadcast_to(self.h * self._mean_ratio(), self.batch_shape)

    @property
    def variance(self):
        return np.broadcast_to(self.h * self._variance_ratio(), self.batch_shape)


# tanh(z/2) / 2z = Σ tₖ z²ᵏ, with tₖ = 4 (4ᵏ⁺¹ - 1) B₂ₖ₊₂ / (4 (2k + 2)!); the variance is -Σ 2k tₖ z²ᵏ⁻²
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
_VARIANCE = tuple(-2 * k * (4 ** (k + 1) - 1) * _BERNOULLI[k] / math.factorial(2 * k + 2)
                  for k in range(1, len(_BERNOULLI)))


class TruncatedPolyaGamma(Distribution):
    """TruncatedPolyaGamma(batch_shape): PolyaGamma(1, 0) given that it is at most 2.5 (which it is, but for 6e-6).

        p(x) ∝ Σ (-1)ⁿ (2n + 1) exp(-(2n + 1)² / 8x) / √(2π x³) ∝ Σ (-1)ⁿ (2n + 1) exp(-(2n + 1)² π² x / 2)

    sample : float[*shape, *batch_shape], in (0, 2.5), by inversion
    Source: Devroye (2009), "On exact simulation algorithms for some distributions related to Jacobi theta functions".
    """
    batch_shape: tuple = static(default=())
    support = constraints.interval(0.0, 2.5)

    def __init__(self, batch_shape=(), *, validate_args=None):
        super().__init__(tuple(batch_shape), validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        return self.icdf(random.uniform(key, self.shape(sample_shape), self.dtype))

    def log_prob(self, value):
        value = np.asarray(value)
        ok = np.logical_and(value > 0, value <= 2.5)
        return np.broadcast_to(self._guarded(value, self.support, ok),
                               np.broadcast_shapes(value.shape, self.batch_shape))

    def log_prob_inside(self, value):
        x = np.asarray(value)
        low = x < 0.16
        a, b = np.where(low, x, 0.1), np.where(low, 0.2, x)
        left = -0.125 / a - 1.5 * np.log(a) - 0.5 * math.log(2 * math.pi) + np.log1p(self._series(-0.125 / a))
        right = (-0.5 * math.pi ** 2) * b + math.log(2 * math.pi) + np.log1p(self._series((-0.5 * math.pi ** 2) * b))
        return np.broadcast_to(np.where(low, left, right) - _LOG_INSIDE,
                               np.broadcast_shapes(x.shape, self.batch_shape))

    @staticmethod
    def _series(y, ratios=_ALTERNATE):
        """Σ cₙ exp(((2n + 1)² - 1) y) over n >= 1."""
        return sum(c * np.exp((4 * n * (n + 1)) * y) for n, c in enumerate(ratios, 1))

    def _tails(self, x):
        """P(X <= x) for small x and P(X > x) for others, of PolyaGamma(1, 0); whether x is small."""
        low = x < 0.16
        a, b = np.where(low, x, 0.1), np.where(low, 0.2, x)
        root = math.sqrt(0.125) / np.sqrt(np.maximum(a, float(np.finfo(self.dtype).tiny)))
        below = 2.0 * sum((-1) ** n * special.erfc((2 * n + 1) * root) for n in range(4))
        y = (-0.5 * math.pi ** 2) * b
        over = (4 / math.pi) * np.exp(y) * (1.0 + self._series(y, [(-1) ** n / (2 * n + 1) for n in range(1, 5)]))
        return below, over, low

    def cdf(self, value):
        value = np.clip(value, 0.0, 2.5)
        below, over, low = self._tails(value)
        p = np.where(low, below, 1.0 - over) * (1 / _INSIDE)
        return np.broadcast_to(np.minimum(p, 1.0), np.broadcast_shapes(np.shape(value), self.batch_shape))

    def log_survival(self, value):
        """log P(X > value)."""
        return np.log1p(-self.cdf(value))

    def icdf(self, q):
        """By the first terms of the series, and two steps of Newton's method."""
        p = np.asarray(q) * _INSIDE
        small = p < 0.2                                       # P(X <= 0.16) is about a half
        first = 0.25 / np.square(special.ndtri(0.25 * np.where(small, p, 0.1)))
        last = (-2 / math.pi ** 2) * np.log((math.pi / 4) * (1.0 - np.where(small, 0.5, p)))
        x = np.where(small, first, last)
        for _ in range(3):
            below, over, low = self._tails(x)
            gap = np.where(low, below - p, (1.0 - p) - over)
            x = x - gap * np.exp(-self.log_prob_inside(x) - _LOG_INSIDE)
        return np.clip(np.where(p > 0, x, 0.0), float(np.finfo(self.dtype).tiny), 2.5)


_OUTSIDE = 4 / math.pi * math.exp(-1.25 * math.pi ** 2) * (1 - math.exp(-10 * math.pi ** 2) / 3)
_INSIDE, _LOG_INSIDE = 1 - _OUTSIDE, math.log1p(-_OUTSIDE)
