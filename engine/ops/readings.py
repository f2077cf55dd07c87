"""The readings of a formula (see formula.py) with the functions that polynomials in pieces need.

A table of coefficients stands beside each piece, lowest power first: the interpolation at the Chebyshev points of the
interval that is named there, of as many terms as leave 2⁻⁵⁷ of the function, computed with 400 bits.
"""
import numpy as np

from ..lazy import scipy_special
from . import formula
from .accurate import Reading
from .formula import Expr, polynomial

_HIGH = np.uint64(0xFFFFFFFFF8000000)                    # the sign, the exponent and 25 bits of a float64
_HIGH_32 = np.uint32(0xFFFFF000)                         # and 11 bits of a float32


_ARTANH = [2 / (2 * k + 3) for k in range(11)]           # (2 artanh(s) - 2s) / s³ in s² < 0.034


class Numpy(formula.Numpy):
    """The reading as NumPy arrays."""
    sin, cos = staticmethod(np.sin), staticmethod(np.cos)
    minimum, maximum, expm1 = map(staticmethod, (np.minimum, np.maximum, np.expm1))

    @staticmethod
    def where(c, x, y):
        """x where c holds, y elsewhere; of single numbers one is taken, which is quicker than np.where."""
        return np.float64(x if c else y) if type(c) is np.bool_ else np.where(c, x, y)

    @staticmethod
    def head(x):
        """x with its last 27 bits cleared: its square is a float64."""
        return (np.asarray(x).view(np.uint64) & _HIGH).view(np.float64)


NUMPY = Numpy()


class Xla(Reading):
    """The reading as StableHLO, with the logarithm that is quick on large arrays."""
    where = formula.Xla.where                            # two numbers take the precision of the formula

    def sin(self, x): return self._unary("stablehlo.sine", x)                       # noqa: E704
    def cos(self, x): return self._unary("stablehlo.cosine", x)                     # noqa: E704
    def expm1(self, x): return self._unary("stablehlo.exponential_minus_one", x)    # noqa: E704
    def minimum(self, x, y): return x._do("minimum", y)                             # noqa: E704
    def maximum(self, x, y): return x._do("maximum", y)                             # noqa: E704

    def log1p(self, x):
        """2 artanh(s), s = x / (2 + x), where 1 + x would be rounded too coarsely for log(1 + x)."""
        near = (x > -0.3) & (x < 0.45)
        z = self.where(near, x, 0.0)
        s = z / (z + 2.0)
        square = s * s
        return self.where(near, s * square * polynomial(square, _ARTANH) + (s + s), self.log(x + 1.0))

    def head(self, x):
        b, mask = self.b, _HIGH if self.size == 8 else _HIGH_32
        bits = mask.dtype
        like = formula.Aval(x.val.shape, bits)
        high = b.op("stablehlo.and", [b.op("stablehlo.bitcast_convert", [x.val], like),
                                      b.constant(mask, bits, x.val.shape)], like)
        return Expr(b, b.op("stablehlo.bitcast_convert", [high], x.val.aval))


def numpy_impl(f):
    """The formula as a primitive's impl, computed in float64; of single numbers with NumPy's quicker scalars."""
    def impl(*xs):
        if all([x.ndim == 0 for x in xs]):
            return np.asarray(f(NUMPY, *[np.float64(x) for x in xs]), xs[0].dtype)
        wide = np.broadcast_arrays(*[np.asarray(x, np.float64) for x in xs])
        return np.asarray(f(NUMPY, *wide)).astype(xs[0].dtype)
    return impl


def xla_lower(f, narrow=False):
    """The formula as a primitive's lowering: formula.xla_lower with the reading above."""
    return formula.xla_lower(f, narrow, Xla)


def scipy_impl(name):
    """SciPy's function as a primitive's meaning, in the dtype of its last argument."""
    def impl(*xs):
        return np.asarray(getattr(scipy_special, name)(*xs)).astype(xs[-1].dtype)
    return impl


def exp_square(m, x, scale):
    """exp(scale · x²), which a rounded x² would lose digits of: x² = h² + (x - h)(x + h), h² exact."""
    x = m.minimum(m.abs(x), 100.0)
    h = m.head(x)
    d = (x - h) * (x + h) * scale
    return m.exp(h * h * scale) * (d * (d * (d * (d * (1 / 24) + 1 / 6) + 0.5) + 1.0) + 1.0)
