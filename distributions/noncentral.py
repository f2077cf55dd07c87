"""The noncentral χ² distribution."""
import math

from ..engine import custom_jvp, random
from ..engine import numpy as np
from ..engine.ops.elementwise import stop_gradient
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .quadrature import log_integral
from .record import ArrayLike, param

_TERMS = 18
_REACH = 13.0                                                # of √x: what lies further out is rounded away


def _log_density(x, half, l):
    quarter = 0.25 * l * x                                   # (y / 2)²
    near = quarter < 1
    t = np.where(near, quarter, 0.0)
    series = 1.0
    for n in range(_TERMS, 0, -1):
        series = 1.0 + t / (n * (half + (n - 1.0))) * series
    small = np.log(series) - 0.5 * l - 0.5 * x + (half - 1.0) * (np.log(x) - math.log(2)) - special.gammaln(half)
    y = 2.0 * np.sqrt(np.where(near, 1.0, quarter))
    far_l = np.where(near, 1.0, l)
    bessel = np.logaddexp(special.log_ive(half + 1.0, y), np.log(2.0 * half / y) + special.log_ive(half, y))
    gap = np.sqrt(x) - np.sqrt(far_l)
    large = -0.5 * gap * gap + (0.5 * half - 0.5) * (np.log(x) - np.log(far_l)) + bessel
    return np.where(near, small, large) - math.log(2)


@custom_jvp
def _moved(x, half, l):
    """x, draws of which the noncentrality moves: dx/dl = p(x; k + 2, l) / p(x; k, l), as ∂F/∂l = -p(x; k + 2, l)."""
    return 1.0 * x


@_moved.defjvp
def _(primals, tangents):
    x, half, l = primals
    return 1.0 * x, tangents[0] + np.exp(_log_density(x, half + 1.0, l) - _log_density(x, half, l)) * tangents[2]


class NoncentralChi2(Distribution):
    """NoncentralChi2(df k, noncentrality l) on the positive numbers: Chi2(k + 2 J) with J ~ Poisson(l / 2).

        log p(x) = -½ (√x - √l)² + (k/4 - ½) log(x / l) - log 2 + log(exp(-y) I_{k/2-1}(y)),  y = √(l x)

    df, noncentrality : float[*batch], df > 0, noncentrality >= 0          sample : float[*shape, *batch], > 0
    For whole k the sum of k squares of normal numbers whose means have squares that sum to l; mean k + l, variance
    2 k + 4 l. For y < 2 by the series of ₀F₁(k/2; y²/4), else with I_{v} = I_{v+2} +
    2 (v + 1) I_{v+1} / y. Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 29.
    """
    df: ArrayLike = param(constraints.positive)
    noncentrality: ArrayLike = param(constraints.nonnegative)
    support = constraints.positive
    reparametrized_params = ("df", "noncentrality")

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        shape, d = self.shape(sample_shape), self.dtype
        j = np.astype(random.poisson(first, 0.5 * self.noncentrality, shape), d)
        x = 2.0 * random.gamma(second, 0.5 * self.df + j, shape, d)          # with its derivative in df, given j
        return _moved(x, stop_gradient(0.5 * self.df), self.noncentrality)

    def log_prob_inside(self, value):
        return _log_density(np.asarray(value), 0.5 * self.df, self.noncentrality)

    def _tails(self, value):
        """log P(X <= x) for x below the mean and log P(X > x) above it, by integrals over √x; whether it is below."""
        shape = np.broadcast_shapes(np.shape(value), self.batch_shape)
        inside = np.asarray(value) > 0
        x, half, l = (np.broadcast_to(v, shape)
                      for v in (np.where(inside, value, 1.0), 0.5 * self.df, self.noncentrality))
        below = x < 2.0 * half + l
        root = np.sqrt(x)
        low = np.where(below, np.maximum(root - _REACH, 0.0), root)
        high = np.where(below, root, root + _REACH)
        half, l = half[..., None], l[..., None]

        def log_f(y):
            return _log_density(y * y, half, l) + math.log(2) + np.log(y)
        tail = log_integral(log_f, low, high)
        return np.where(inside, tail, -math.inf), np.logical_or(below, np.logical_not(inside))

    def cdf(self, value):
        return np.exp(self.log_cdf(value))

    def log_cdf(self, value):
        tail, below = self._tails(value)
        return np.where(below, tail, np.log(np.maximum(-np.expm1(np.where(below, -1.0, tail)), 0.0)))

    def log_survival(self, value):
        """log P(X > value)."""
        tail, below = self._tails(value)
        return np.where(below, np.log(-np.expm1(np.where(below, tail, -1.0))), np.minimum(tail, 0.0))

    @property
    def mean(self):
        return self.df + self.noncentrality

    @property
    def variance(self):
        return 2.0 * self.df + 4.0 * self.noncentrality
