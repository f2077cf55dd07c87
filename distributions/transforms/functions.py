"""Monotone functions of one number: tanh and its kin, elu, arcsinh, distribution functions."""
import math

from ...engine import numpy as np
from ...engine.nn import sigmoid
from ...engine.ops.elementwise import softplus
from .. import constraints
from ..record import ArrayLike, Record, child
from .base import Transform, beside
from .numbers import SoftplusTransform


class TanhTransform(Transform):
    """y = tanh(x), onto (-1, 1).   log dy/dx = 2 (log 2 - |x| - softplus(-2|x|))"""
    sign = 1.0

    @property
    def codomain(self):
        return constraints.interval(-1.0, 1.0)

    def __call__(self, x):
        return np.tanh(x)

    def _inverse(self, y):
        return np.arctanh(y)

    def log_abs_det_jacobian(self, x, y):
        a = np.abs(x)
        return 2.0 * (math.log(2) - a - softplus(-2.0 * a))


class SoftsignTransform(TanhTransform):
    """y = x / (1 + |x|), onto (-1, 1).   log dy/dx = -2 log(1 + |x|)"""

    def __call__(self, x):
        x = np.asarray(x)
        return x / (1.0 + np.abs(x))

    def _inverse(self, y):
        y = np.asarray(y)
        return y / (1.0 - np.abs(y))

    def log_abs_det_jacobian(self, x, y):
        return -2.0 * np.log1p(np.abs(x))


class ELUTransform(Transform):
    """y = x where x > 0, alpha (exp(x) - 1) elsewhere: onto (-alpha, ∞).   log dy/dx = x + log alpha there"""
    alpha: ArrayLike = child(default=1.0)
    sign = 1.0

    @property
    def codomain(self):
        return constraints.greater_than(-self.alpha)

    def __call__(self, x):
        x = np.asarray(x)
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))

    def _inverse(self, y):
        y = np.asarray(y)
        return np.where(y > 0, y, np.log1p(np.minimum(y, 0) / self.alpha))

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.where(x > 0, np.zeros_like(x), x + np.log(beside(self.alpha, x)))


class LeakyReLUTransform(Transform):
    """y = x where x >= 0, negative_slope x elsewhere.   log dy/dx = log negative_slope there

    negative_slope : float, > 0
    """
    negative_slope: ArrayLike = child(default=0.01)
    sign = 1.0

    def __call__(self, x):
        x = np.asarray(x)
        return np.where(x >= 0, x, self.negative_slope * x)

    def _inverse(self, y):
        y = np.asarray(y)
        return np.where(y >= 0, y, y / self.negative_slope)

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.where(x >= 0, np.zeros_like(x), np.log(beside(self.negative_slope, x)))


class Expm1Transform(Transform):
    """y = exp(x) - 1, onto (-1, ∞).   log dy/dx = x"""
    sign = 1.0

    @property
    def codomain(self):
        return constraints.greater_than(-1.0)

    def __call__(self, x):
        return np.expm1(x)

    def _inverse(self, y):
        return np.log1p(y)

    def log_abs_det_jacobian(self, x, y):
        return np.asarray(x)


class Log1pTransform(Transform):
    """y = log(1 + x), from (-1, ∞).   log dy/dx = -y"""
    sign = 1.0

    @property
    def domain(self):
        return constraints.greater_than(-1.0)

    def __call__(self, x):
        return np.log1p(x)

    def _inverse(self, y):
        return np.expm1(y)

    def log_abs_det_jacobian(self, x, y):
        return -np.asarray(y)


class ReciprocalTransform(Transform):
    """y = 1 / x on the positive numbers.   log |dy/dx| = -2 log x"""
    domain = codomain = constraints.positive
    sign = -1.0

    def __call__(self, x):
        return 1.0 / np.asarray(x)

    def _inverse(self, y):
        return 1.0 / np.asarray(y)

    def log_abs_det_jacobian(self, x, y):
        return -2.0 * np.log(np.abs(x))


class PositivePowerTransform(Transform):
    """y = sign(x) |x| ** exponent on all numbers, exponent > 0.   log dy/dx = log exponent + (exponent - 1) log |x|"""
    exponent: ArrayLike = child()
    sign = 1.0

    def __call__(self, x):
        return np.sign(x) * np.power(np.abs(x), self.exponent)

    def _inverse(self, y):
        return np.sign(y) * np.power(np.abs(y), 1.0 / beside(self.exponent, y))

    def log_abs_det_jacobian(self, x, y):
        e = beside(self.exponent, x)
        return np.log(e) + (e - 1.0) * np.log(np.abs(x))


class SinhArcsinhTransform(Transform):
    """y = c sinh(tailweight (arcsinh(x) + skewness)), c = 2 / sinh(tailweight arcsinh(2)); tailweight > 0.

    With w = tailweight (arcsinh(x) + skewness), log dy/dx = log(c tailweight) + log cosh(w) - log √(1 + x²).
    Source: Jones & Pewsey (2009), Biometrika 96, section 1; the factor c, which keeps y(2) = 2, is TFP's.
    """
    skewness: ArrayLike = child(default=0.0)
    tailweight: ArrayLike = child(default=1.0)
    sign = 1.0

    def _scale(self, x):
        return 2.0 / np.sinh(math.asinh(2.0) * beside(self.tailweight, x))

    def _angle(self, x):
        return self.tailweight * (np.arcsinh(x) + self.skewness)

    def __call__(self, x):
        return self._scale(x) * np.sinh(self._angle(x))

    def _inverse(self, y):
        return np.sinh(np.arcsinh(y / self._scale(y)) / self.tailweight - self.skewness)

    def log_abs_det_jacobian(self, x, y):
        w = np.abs(self._angle(x))
        log_cosh = w + np.log1p(np.exp(-2.0 * w)) - math.log(2)
        return np.log(self._scale(x) * self.tailweight) + log_cosh - np.log(np.hypot(1.0, x))


class SoftClipTransform(Transform):
    """Nearly the identity between two bounds, and softly bent to stay within them; a bound may be None.

        s(z) = c softplus(z / c), c = hinge_softness
        y = low + s(x - low);   y = high - s(high - x);   y = high - w / s(w) s(w - s(x - low)), w = high - low

    Source: TensorFlow Probability, `tfb.SoftClip`.
    """
    low: ArrayLike = child(default=None)
    high: ArrayLike = child(default=None)
    hinge_softness: ArrayLike = child(default=1.0)
    sign = 1.0

    @property
    def codomain(self):
        if self.high is None:
            return constraints.real if self.low is None else constraints.greater_than(self.low)
        return constraints.less_than(self.high) if self.low is None else constraints.interval(self.low, self.high)

    def _soft(self, z):
        return self.hinge_softness * softplus(z / self.hinge_softness)

    def _hard(self, s):
        return self.hinge_softness * _SOFTPLUS._inverse(s / self.hinge_softness)

    def _log_slope(self, z):
        return -softplus(-z / self.hinge_softness)

    def __call__(self, x):
        x = np.asarray(x)
        if self.high is None:
            return x if self.low is None else self.low + self._soft(x - self.low)
        if self.low is None:
            return self.high - self._soft(self.high - x)
        w = beside(self.high, x) - self.low
        return self.high - w / self._soft(w) * self._soft(w - self._soft(x - self.low))

    def _inverse(self, y):
        y = np.asarray(y)
        if self.high is None:
            return y if self.low is None else self.low + self._hard(y - self.low)
        if self.low is None:
            return self.high - self._hard(self.high - y)
        w = beside(self.high, y) - self.low
        return self.low + self._hard(w - self._hard((self.high - y) * (self._soft(w) / w)))

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        if self.high is None:
            return np.zeros_like(x) if self.low is None else self._log_slope(x - self.low)
        if self.low is None:
            return self._log_slope(self.high - x)
        w = beside(self.high, x) - self.low
        inner = self._log_slope(w - self._soft(x - self.low)) + self._log_slope(x - self.low)
        return inner + np.log(w / self._soft(w))


class CDFTransform(Transform):
    """y = F(x), the distribution function of a continuous distribution of one number, onto the unit interval.

    log dy/dx = log p(x). One class for TFP's NormalCDF, GumbelCDF, WeibullCDF, …: CDFTransform(Normal(0.0, 1.0)).
    """
    distribution: Record = child()
    codomain, sign = constraints.unit_interval, 1.0

    @property
    def domain(self):
        return self.distribution.support

    def __call__(self, x):
        return self.distribution.cdf(x)

    def _inverse(self, y):
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x, y):
        return self.distribution.log_prob(x)


CumulativeDistributionTransform = CDFTransform
_SOFTPLUS = SoftplusTransform()


class SoftfloorTransform(Transform):
    """A smooth staircase: floor(x) for a small temperature T, x for a large one; whole numbers stay where they are.

        u = x - floor(x),  y = floor(x) + (σ((u - ½) / T) - σ(-½ / T)) / (σ(½ / T) - σ(-½ / T))
        log dy/dx = log σ'((u - ½) / T) - log(T (σ(½ / T) - σ(-½ / T)))

    temperature : T, float[*batch] > 0          Source: TensorFlow Probability, `tfb.Softfloor`.
    """
    temperature: ArrayLike = child(default=1.0)
    sign = 1.0

    def _ends(self, x):
        """The temperature in x's dtype, σ(-½ / T), and σ(½ / T) - σ(-½ / T)."""
        T = beside(self.temperature, x)
        low = sigmoid(-0.5 / T)
        return T, low, 1.0 - 2.0 * low

    def __call__(self, x):
        x = np.asarray(x)
        whole = np.floor(x)
        T, low, width = self._ends(x)
        return whole + (sigmoid((x - whole - 0.5) / T) - low) / width

    def _inverse(self, y):
        y = np.asarray(y)
        whole = np.floor(y)
        T, low, width = self._ends(y)
        p = (y - whole) * width + low
        return whole + 0.5 + T * (np.log(p) - np.log1p(-p))

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        T, _, width = self._ends(x)
        z = (x - np.floor(x) - 0.5) / T
        return -softplus(z) - softplus(-z) - np.log(T * width)
