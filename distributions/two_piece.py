"""Two halves of a normal or Student t density, of different widths, joined at the mode."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import stop_gradient
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .half_student_t import HalfStudentT
from .implicit import implicit
from .normal import HalfNormal
from .record import ArrayLike, param


class _TwoPiece(Distribution):
    """m - l Y with probability l / (l + r), else m + r Y, for l = s / g, r = s g and Y of the law `_half()`."""
    support = constraints.real

    def _half(self):
        raise NotImplementedError

    def _size(self, key, shape):
        """Draws of |Z|."""
        raise NotImplementedError

    def _upper(self, p):
        """y with P(Y > y) = p."""
        raise NotImplementedError

    def _sides(self):
        return self.scale / self.skewness, self.scale * self.skewness

    def _wide(self, x):
        return np.broadcast_to(x, self.batch_shape)

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        shape = self.shape(sample_shape)
        left, right = self._sides()
        below = random.uniform(first, shape, self.dtype) * (left + right) < left
        return implicit(self, stop_gradient(self.loc + np.where(below, -left, right) * self._size(second, shape)))

    def _scaled(self, value):
        left, right = self._sides()
        off = np.asarray(value) - self.loc
        return np.abs(off) / np.where(off < 0, left, right), off < 0

    def log_prob_inside(self, value):
        left, right = self._sides()
        return self._half().log_prob_inside(self._scaled(value)[0]) - np.log(left + right)

    @property
    def mean(self):
        left, right = self._sides()
        return self._wide(self.loc + (right - left) * self._half().mean)

    @property
    def variance(self):
        left, right = self._sides()
        half = self._half()
        first, second = half.mean, half.variance + np.square(half.mean)
        return self._wide((left * left - left * right + right * right) * second - np.square((right - left) * first))

    @property
    def mode(self):
        return self._wide(self.loc)

    def entropy(self):
        left, right = self._sides()
        return self._wide(self._half().entropy() + np.log(left + right))

    def _tail(self, value):
        """log of what lies beyond the value on its own side of the mode; whether that is the left side."""
        left, right = self._sides()
        y, below = self._scaled(value)
        return self._log_half_survival(y) + np.log(np.where(below, left, right) / (left + right)), below

    def cdf(self, value):
        tail, below = self._tail(value)
        return np.where(below, np.exp(tail), -np.expm1(tail))

    def log_cdf(self, value):
        tail, below = self._tail(value)
        return np.where(below, tail, np.log1p(-np.exp(tail)))

    def log_survival(self, value):
        """log P(X > value)."""
        tail, below = self._tail(value)
        return np.where(below, np.log1p(-np.exp(tail)), tail)

    def icdf(self, q):
        left, right = self._sides()
        q, total = np.asarray(q), left + right
        below = q * total < left
        p = np.where(below, q, 1.0 - q) * total / np.where(below, left, right)
        return self.loc + np.where(below, -left, right) * self._upper(np.minimum(p, 1.0))


class TwoPieceNormal(_TwoPiece):
    """TwoPieceNormal(loc m, scale s, skewness g): normal of width s / g below the mode m, and s g above it.

        log p(x) = log 2 + log φ(y) - log(s (g + 1/g)),  y = |x - m| / (s / g if x < m else s g)

    loc, scale, skewness : float[*batch], scale > 0, skewness > 0          sample : float[*shape, *batch]
    Source: Fernández & Steel (1998), "On Bayesian modeling of fat tails and skewness", eq. 1.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    skewness: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("loc", "scale", "skewness")

    def _half(self):
        return HalfNormal(np.ones((), self.dtype), validate_args=False)

    def _size(self, key, shape):
        return np.abs(random.normal(key, shape, self.dtype))

    def _upper(self, p):
        return -special.ndtri(0.5 * p)

    def _log_half_survival(self, y):
        return special.log_ndtr(-y) + math.log(2)


class TwoPieceStudentT(_TwoPiece):
    """TwoPieceStudentT(df k, loc m, scale s, skewness g): Student t of width s / g below the mode m, and s g above it.

        log p(x) = log 2 + log t(y; k) - log(s (g + 1/g)),  y = |x - m| / (s / g if x < m else s g)

    df, loc, scale, skewness : float[*batch], all but loc > 0          sample : float[*shape, *batch]
    Source: Fernández & Steel (1998), "On Bayesian modeling of fat tails and skewness", eq. 1.
    """
    df: ArrayLike = param(constraints.positive)
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    skewness: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("df", "loc", "scale", "skewness")

    def _half(self):
        return HalfStudentT(self.df, np.ones((), self.dtype), validate_args=False)

    def _size(self, key, shape):
        return np.abs(random.t(key, self.df, shape, self.dtype))

    def _upper(self, p):
        return self._half().icdf(1.0 - p)

    def _log_half_survival(self, y):
        return self._half().log_survival(y)
