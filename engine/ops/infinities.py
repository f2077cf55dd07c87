"""Complex functions where a part of the argument is infinite or unknown, as the array API and C99's annex G have them.

The compiler's formulas give nan for most of these, such as sqrt(nan + i inf), which is inf + i inf. A rule gets the
parts of the argument, a + ib, and those of the compiler's result, and gives the parts mended.
"""
import math

import numpy as np

from ..avals import Aval
from .accurate import Reading, _equal
from .formula import Expr


class Parts(Reading):
    """A reading of parts, with what the rules ask about them."""

    def unknown(self, v):
        """Where v is nan."""
        return ~_equal(self, v, v)

    def infinite(self, v):
        """Where v is inf or -inf."""
        return _equal(self, self.abs(v), math.inf)

    def wild(self, v):
        """Where v is infinite or nan."""
        return self.unknown(v) | self.infinite(v)

    def zero(self, v):
        """Where v is 0."""
        return _equal(self, v, 0)


def _exp(m, a, b, re, im):
    return m.where(m.wild(b) & (a > 0.0) & m.infinite(a), math.inf, re), m.where(m.wild(b) & (a < 0.0) & m.infinite(a),
                                                                                 0.0, im)


def _expm1(m, a, b, re, im):
    wild = m.wild(b) & m.infinite(a)
    re = m.where(wild, m.where(a < 0.0, m.zeros_like(a) - 1.0, m.zeros_like(a) + math.inf), re)
    return re, m.where(m.zero(b), b, m.where(wild & (a < 0.0), 0.0, im))


def _log(m, a, b, re, im):
    return m.where(m.infinite(a) | m.infinite(b), math.inf, re), im


def _sqrt(m, a, b, re, im):
    known = m.infinite(b)
    re = m.where(known | m.unknown(b) & _equal(m, a, math.inf), math.inf, re)
    return re, m.where(known, b, m.where(m.unknown(b) & _equal(m, a, -math.inf), math.inf, im))


def _sinh(m, a, b, re, im):
    return m.where(m.infinite(a) & m.wild(b), a, re), im


def _cosh(m, a, b, re, im):
    return m.where(m.infinite(a) & m.wild(b), math.inf, re), m.where(m.zero(a) & m.wild(b), 0.0, im)


def _tanh(m, a, b, re, im):
    return m.where(m.zero(a) & m.wild(b), a, re), im


def _arcsinh(m, a, b, re, im):
    return re, m.where(m.zero(b) & m.unknown(a), b, im)


def _arctanh(m, a, b, re, im):
    none = m.unknown(b) & (m.zero(a) | m.infinite(a)) | m.unknown(a) & m.infinite(b)
    lost = m.unknown(b) | m.unknown(a) & ~m.infinite(b)
    return m.where(none, 0.0, re), m.where(lost, math.nan, im)


def _arccos(m, a, b, re, im):
    return m.where(m.zero(a) & m.unknown(b), math.pi / 2, re), im


def _arccosh(m, a, b, re, im):
    return re, m.where(m.zero(a) & m.unknown(b), math.pi / 2, im)


def _turned(rule):
    """The rule of f(z) = -i g(iz) from that of g: sin from sinh, arctan from arctanh, … (parts change places)."""
    def turned(m, a, b, re, im):
        im, re = rule(m, b, a, im, re)
        return re, im
    return turned


def _cos(m, a, b, re, im):
    return _cosh(m, b, a, re, im)


RULES = {"exp": _exp, "expm1": _expm1, "log": _log, "log1p": _log, "log2": _log, "log10": _log, "sqrt": _sqrt,
         "sinh": _sinh, "cosh": _cosh, "tanh": _tanh, "sin": _turned(_sinh), "cos": _cos, "tan": _turned(_tanh),
         "arcsinh": _arcsinh, "arcsin": _turned(_arcsinh), "arccos": _arccos, "arccosh": _arccosh,
         "arctanh": _arctanh, "arctan": _turned(_arctanh)}


def _parts(b, x):
    part = Aval(x.shape, np.dtype(f"f{x.dtype.itemsize // 2}"))
    return [Expr(b, b.op(f"stablehlo.{name}", [x], part)) for name in ("real", "imag")]


def mended(name, lower):
    """The lowering with the results of complex arguments mended by the rule of this name."""
    rule = RULES[name]

    def both(b, x):
        y = b.elementwise(lower, x) if isinstance(lower, str) else lower(b, x)
        if x.dtype.kind != "c":
            return y
        m = Parts(b)
        re, im = rule(m, *_parts(b, x), *_parts(b, y))
        return m.complex(re, im).val
    return both


def modulus(b, x):
    """|x| of complex numbers: infinite where a part is, also if the other is nan."""
    y = b.op("stablehlo.abs", [x], b.out[0])
    m = Parts(b)
    re, im = _parts(b, x)
    return m.where(m.infinite(re) | m.infinite(im), math.inf, Expr(b, y)).val
