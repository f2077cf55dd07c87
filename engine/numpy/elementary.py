"""Element-wise functions made of the primitives."""
import builtins
import math

import numpy as _np

from ..avals import is_inexact
from ..indexing import getitem
from ..ops.complexes import imag, real
from ..ops.elementwise import (
    abs,
    arctan2,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    div_p,
    exp,
    floor,
    fmod,
    invert,
    isfinite,
    isnan,
    log,
    lt,
    maximum,
    minimum,
    mul,
    ne,
    popcount,
    rint,
    sin,
    softplus,
    sqrt,
    sub,
)
from ..ops.elementwise import where as _where
from ..ops.structural import asvalue, cast, promote, promote_inexact, stack_values


def _values(xs):
    """Operands whose operators are ours: `-` of two NumPy arrays would be NumPy's, with its warnings."""
    return [asvalue(x) for x in xs]


def clip(x, min=None, max=None):
    """x limited to [min, max]."""
    x = asvalue(x)
    x = x if min is None else maximum(x, min)
    return x if max is None else minimum(x, max)


def floor_divide(x, y):
    """The largest integer not above x / y; division of an integer by zero gives 0 as in NumPy."""
    x, y = _values(promote(x, y))
    if is_inexact(x.dtype):
        return floor(x / y)
    q = div_p.bind(x, y)
    off = bitwise_and(ne(fmod(x, y), 0), ne(lt(x, 0), lt(y, 0)))
    return _where(ne(y, 0), q - cast(off, q.dtype), _np.zeros((), q.dtype))


def remainder(x, y):
    """x - y * floor(x / y): the remainder with the sign of y."""
    x, y = _values(promote(x, y))
    r = fmod(x, y)
    wrong = bitwise_and(ne(r, 0), ne(lt(r, 0), lt(y, 0)))
    return _where(wrong, r + y, r)


def divmod(x, y):
    """(x // y, x % y)."""
    return floor_divide(x, y), remainder(x, y)


def positive(x):
    """x."""
    return asvalue(x)


def fabs(x):
    """|x| as a float."""
    return abs(promote_inexact(x)[0])


def round(x, decimals=0):
    """x rounded to `decimals` places; halves go to the even digit."""
    x = asvalue(x)
    if not is_inexact(x.dtype):
        return x
    if decimals == 0:
        return rint(x)
    factor = 10.0 ** decimals
    return rint(x * factor) / factor


def exp2(x):
    """2 to the power x."""
    return exp(mul(x, math.log(2.0)))


def log2(x):
    """The logarithm to base 2."""
    return log(x) / math.log(2.0)


def log10(x):
    """The logarithm to base 10."""
    return log(x) / math.log(10.0)


def logaddexp(x, y):
    """log(exp(x) + exp(y)), without overflow."""
    x, y = _values(promote_inexact(x, y))
    top = maximum(x, y)
    gap = sub(minimum(x, y), top)
    same = x == y                                        # infinities of one sign among them
    return _where(same, x + math.log(2.0), top + softplus(_where(same, _np.zeros((), x.dtype), gap)))


def logaddexp2(x, y):
    """log2(2**x + 2**y)."""
    c = math.log(2.0)
    return logaddexp(mul(x, c), mul(y, c)) / c


def hypot(x, y):
    """sqrt(x² + y²), without overflow."""
    x, y = _values(promote_inexact(x, y))
    a, b = maximum(abs(x), abs(y)), minimum(abs(x), abs(y))
    r = b / _where(a == 0, _np.ones((), a.dtype), a)
    return a * sqrt(1 + r * r)


def sinc(x):
    """sin(πx) / (πx)."""
    x = asvalue(promote_inexact(x)[0])
    z = mul(_where(x == 0, _np.ones((), x.dtype), x), math.pi)
    return _where(x == 0, _np.ones((), x.dtype), sin(z) / z)


def radians(x):
    """Degrees to radians."""
    return mul(promote_inexact(x)[0], math.pi / 180)


def degrees(x):
    """Radians to degrees."""
    return mul(promote_inexact(x)[0], 180 / math.pi)


deg2rad, rad2deg = radians, degrees


def isinf(x):
    """True where x is infinite."""
    x = asvalue(x)
    return abs(x) == _np.inf if is_inexact(x.dtype) else invert(isfinite(x))


def isposinf(x):
    """True where x is +inf."""
    return asvalue(x) == _np.inf


def isneginf(x):
    """True where x is -inf."""
    return asvalue(x) == -_np.inf


def isclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=False):
    """|a - b| <= atol + rtol |b|; equal infinities are close."""
    a, b = _values(promote_inexact(a, b))
    close = bitwise_and(abs(a - b) <= atol + rtol * abs(b), isfinite(b))
    close = bitwise_or(close, a == b)
    return bitwise_or(close, bitwise_and(isnan(a), isnan(b))) if equal_nan else close


def signbit(x):
    """True where the sign of x is negative."""
    x = asvalue(x)
    return bitwise_or(lt(x, 0), lt(1 / x, 0)) if is_inexact(x.dtype) else lt(x, 0)


def copysign(x, y):
    """|x| with the sign of y."""
    x, y = _values(promote_inexact(x, y))
    return _where(signbit(y), -abs(x), abs(x))


def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    """x with nan and infinities replaced by numbers (0 and the largest)."""
    x = asvalue(x)
    if not is_inexact(x.dtype):
        return x
    info = _np.finfo(x.dtype)
    x = _where(isnan(x), _np.asarray(nan, x.dtype), x)
    x = _where(x == _np.inf, _np.asarray(info.max if posinf is None else posinf, x.dtype), x)
    return _where(x == -_np.inf, _np.asarray(info.min if neginf is None else neginf, x.dtype), x)


def _truth(x):
    x = asvalue(x)
    return x if x.dtype == _np.bool_ else ne(x, _np.zeros((), x.dtype))


def logical_and(x, y):
    """True where both are."""
    return bitwise_and(_truth(x), _truth(y))


def logical_or(x, y):
    """True where either is."""
    return bitwise_or(_truth(x), _truth(y))


def logical_xor(x, y):
    """True where exactly one is."""
    return bitwise_xor(_truth(x), _truth(y))


def logical_not(x):
    """True where x is not."""
    return invert(_truth(x))


def angle(x):
    """The angle of a complex number, in (-π, π]."""
    return arctan2(imag(x), real(x))


def cross(a, b, axis=-1):
    """The cross product of vectors with three components (the last axis)."""
    a, b = _values(promote(a, b))
    a0, a1, a2 = (getitem(a, (..., i)) for i in builtins.range(3))
    b0, b1, b2 = (getitem(b, (..., i)) for i in builtins.range(3))
    parts = [a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0]
    out = stack_values(parts)
    return out.transpose((*builtins.range(1, out.ndim), 0))


def bitwise_count(x):
    """The number of set bits of |x|."""
    return cast(popcount(abs(asvalue(x))), _np.dtype("uint8"))
