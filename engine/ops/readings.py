"""The readings of a formula (see formula.py) with the functions that polynomials in pieces need.

A table of coefficients stands beside each piece, lowest power first: the interpolation at the Chebyshev points of the
interval that is named there, of as many terms as leave 2⁻⁵⁷ of the function, computed with 400 bits.
"""
import numpy as np

from . import formula
from .formula import Expr

_HIGH = np.uint64(0xFFFFFFFFF8000000)                    # the sign, the exponent and 25 bits of a float64


_ARTANH = [2 / (2 * k + 3) for k in range(11)]           # (2 artanh(s) - 2s) / s³ in s² < 0.034


class Numpy(formula.Numpy):
    """The reading as NumPy arrays."""
    sin, cos, tan, floor, sign = map(staticmethod, (np.sin, np.cos, np.tan, np.floor, np.sign))
    minimum, maximum, expm1 = map(staticmethod, (np.minimum, np.maximum, np.expm1))

    @staticmethod
    def head(x):
        """x with its last 27 bits cleared: its square is a float64."""
        return (np.asarray(x).view(np.uint64) & _HIGH).view(np.float64)


NUMPY = Numpy()


class Xla(formula.Xla):
    """The reading as StableHLO."""

    def sin(self, x): return self._unary("stablehlo.sine", x)                       # noqa: E704
    def cos(self, x): return self._unary("stablehlo.cosine", x)                     # noqa: E704
    def tan(self, x): return self._unary("stablehlo.tan", x)                        # noqa: E704
    def floor(self, x): return self._unary("stablehlo.floor", x)                    # noqa: E704
    def sign(self, x): return self._unary("stablehlo.sign", x)                      # noqa: E704
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
        b, bits = self.b, np.dtype(np.uint64)
        like = formula.Aval(x.val.shape, bits)
        high = b.op("stablehlo.and", [b.op("stablehlo.bitcast_convert", [x.val], like),
                                      b.constant(_HIGH, bits, x.val.shape)], like)
        return Expr(b, b.op("stablehlo.bitcast_convert", [high], x.val.aval))


def numpy_impl(f):
    """The formula as a primitive's impl, computed in float64."""
    def impl(*xs):
        wide = np.broadcast_arrays(*[np.asarray(x, np.float64) for x in xs])
        return np.asarray(f(NUMPY, *wide)).astype(xs[0].dtype)
    return impl


def xla_lower(f):
    """The formula as a primitive's lowering, computed in float64."""
    def lower(b, *xs):
        shape = np.broadcast_shapes(*[x.shape for x in xs])
        out = f(Xla(b), *[Expr(b, b.convert(b.broadcast_to(x, shape), np.dtype(np.float64))) for x in xs])
        return b.convert(out.val, xs[0].dtype)
    return lower


def polynomial(x, coefficients):
    """Σ cₖ xᵏ by Horner's rule, lowest power first; at least two of them."""
    out = x * coefficients[-1] + coefficients[-2]
    for c in coefficients[-3::-1]:
        out = out * x + c
    return out


def exp_square(m, x, scale):
    """exp(scale · x²), which a rounded x² would lose digits of: x² = h² + (x - h)(x + h), h² exact."""
    x = m.minimum(m.abs(x), 100.0)
    h = m.head(x)
    d = (x - h) * (x + h) * scale
    return m.exp(h * h * scale) * (d * (d * (d * (1 / 6) + 0.5) + 1.0) + 1.0)
