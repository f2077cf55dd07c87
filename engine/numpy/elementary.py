"""Element-wise functions made of the primitives: rounding, limits, signs, truth, closeness."""
import builtins
import math

import numpy as _np

from ..avals import is_inexact, promote_types
from ..errors import DtypeError
from ..ops.arithmetic import (
    copysign,
    exponent,
    floor_divide,
    gcd,
    ldexp,
    refuse,
    remainder,
)
from ..ops.complexes import imag, make_complex, real
from ..ops.elementwise import (
    abs,
    arctan2,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    eq,
    integer_pow,
    invert,
    isfinite,
    isnan,
    lt,
    maximum,
    minimum,
    mul,
    ne,
    nextafter,
    popcount,
    power,
    rint,
    sin,
    trunc,
)
from ..ops.elementwise import where as _where
from ..ops.structural import asvalue, cast, promote_inexact, promote_ufunc
from .direct import at_once, by_numpy, known, no_out

_BOOL = _np.dtype(bool)


def _values(xs):
    """Operands whose operators are ours: `-` of two NumPy arrays would be NumPy's, with its warnings."""
    return [asvalue(x) for x in xs]


# ---- limits and rounding ----

def clip(a, a_min=None, a_max=None, out=None, *, min=None, max=None):
    """a limited to [a_min, a_max]; either may be missing. `min` and `max` are other names of the two."""
    if min is not None or max is not None:
        if a_min is not None and min is not None or a_max is not None and max is not None:
            raise DtypeError("clip was given a limit twice: pass a_min and a_max, or min and max.")
        a_min, a_max = a_min if min is None else min, a_max if max is None else max
    no_out(out)
    a = asvalue(a)
    if is_inexact(a.dtype) and (a_min is not None or a_max is not None):
        found = by_numpy(_np.clip, a, a_min, a_max)
        if found is not None:
            return found
    a = a if a_min is None else maximum(a, a_min)
    return a if a_max is None else minimum(a, a_max)


def round(a, decimals=0, out=None):
    """a rounded to `decimals` places, to the left of the point where negative; halves go to the even digit."""
    no_out(out)
    a = asvalue(a)
    if a.dtype == _BOOL:
        return rint(a) if decimals == 0 else refuse("round", a.dtype, "numbers, to decimals other than 0")
    if not is_inexact(a.dtype):
        if decimals >= 0:
            return a
        factor = 10.0 ** -decimals
        return cast(rint(cast(a, _np.dtype("float64")) / factor) * factor, a.dtype)
    if decimals == 0:
        return rint(a)
    if (v := known(a)) is not None:
        return at_once(_np.round, v, decimals)
    factor = 10.0 ** builtins.abs(decimals)
    if a.dtype.kind == "c":
        return make_complex(round(real(a), decimals), round(imag(a), decimals))
    return rint(a * factor) / factor if decimals > 0 else rint(a / factor) * factor


def modf(x):
    """(the fraction, the integer part), both with the sign of x."""
    x = _real("modf", promote_ufunc(asvalue(x))[0])
    whole = trunc(x)
    fraction = copysign(_where(eq(abs(x), _np.inf), _np.zeros((), x.dtype), x - whole), x)
    return fraction, copysign(whole, x)


def frexp(x):
    """(m, n) with x = m 2**n and 0.5 <= |m| < 1; n is an integer."""
    x = _real("frexp", promote_ufunc(asvalue(x))[0])
    n = exponent(x)
    return ldexp(x, -n), n


def spacing(x):
    """The distance to the next number away from 0, with the sign of x."""
    x = _real("spacing", promote_ufunc(asvalue(x))[0])
    return nextafter(x, copysign(_np.asarray(_np.inf, x.dtype), x)) - x


def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    """x with nan and infinities replaced by numbers (0 and the largest)."""
    x = asvalue(x)
    if not is_inexact(x.dtype):
        return x
    if x.dtype.kind == "c":
        return make_complex(*[nan_to_num(part(x), copy, nan, posinf, neginf) for part in (real, imag)])
    found = by_numpy(_np.nan_to_num, x, True, nan, posinf, neginf) if x.dtype.kind == "f" else None
    if found is not None:
        return found
    largest = _np.array([_np.inf], x.dtype)
    largest = _np.nextafter(largest, -largest)[0]
    x = _where(isnan(x), cast(nan, x.dtype), x)
    x = _where(eq(x, _np.inf), cast(largest if posinf is None else posinf, x.dtype), x)
    return _where(eq(x, -_np.inf), cast(-largest if neginf is None else neginf, x.dtype), x)


# ---- quotients, powers, divisors ----

def divmod(x, y):
    """(x // y, x % y)."""
    return floor_divide(x, y), remainder(x, y)


def float_power(x, y):
    """x to the power y, computed in float64 at least."""
    x, y = _values([x, y])
    d = promote_types(x.dtype, y.dtype, _np.dtype("float64"))
    return power(cast(x, d), cast(y, d))


def lcm(x, y):
    """The least common multiple, of integers; 0 where one of them is 0."""
    g = gcd(x, y)
    x, y = (abs(cast(asvalue(v), g.dtype)) for v in (x, y))
    none = eq(g, _np.zeros((), g.dtype))
    return floor_divide(x, _where(none, _np.ones((), g.dtype), g)) * y


def heaviside(x, h0):
    """0 below 0, h0 at 0, 1 above; nan of nan."""
    x, h0 = _values(promote_ufunc(x, h0))
    _real("heaviside", x)
    step = _where(lt(x, 0), _np.zeros((), x.dtype), _np.ones((), x.dtype))
    return _where(isnan(x), x, _where(eq(x, 0), h0, step))


def bitwise_count(x):
    """The number of set bits of |x|."""
    x = asvalue(x)
    if x.dtype == _BOOL:
        return cast(x, _np.dtype("uint8"))
    if x.dtype.kind not in "iu":
        refuse("bitwise_count", x.dtype, "integers")
    return cast(popcount(abs(x)), _np.dtype("uint8"))


# ---- angles and signs ----

def _real(name, x):
    if x.dtype.kind == "c":
        refuse(name, x.dtype, "real numbers")
    return x


def positive(x):
    """x."""
    x = asvalue(x)
    return x if x.dtype != _BOOL else refuse("positive", x.dtype, "numbers")


def fabs(x):
    """|x| as a float."""
    return abs(_real("fabs", promote_ufunc(asvalue(x))[0]))


def sinc(x):
    """sin(πx) / (πx)."""
    x = asvalue(promote_inexact(x)[0])
    none = eq(x, 0)
    z = mul(_where(none, _np.ones((), x.dtype), x), math.pi)
    near = 1 - integer_pow(x * math.pi, 2) / 6           # its derivatives at 0, not those of a constant
    return _where(none, near, sin(z) / z)


def radians(x):
    """Degrees to radians."""
    return mul(_real("radians", promote_ufunc(asvalue(x))[0]), math.pi / 180)


def degrees(x):
    """Radians to degrees."""
    return mul(_real("degrees", promote_ufunc(asvalue(x))[0]), 180 / math.pi)


deg2rad, rad2deg = radians, degrees


def angle(z, deg=False):
    """The angle of a complex number, in (-π, π], or in degrees."""
    z = asvalue(z)
    out = arctan2(imag(z), real(z))
    return out * (180 / math.pi) if deg else out


def isinf(x):
    """True where x is infinite."""
    x = asvalue(x)
    if x.dtype.kind == "c":
        return bitwise_or(isinf(real(x)), isinf(imag(x)))
    return eq(abs(x), _np.inf) if is_inexact(x.dtype) else invert(isfinite(x))


def isposinf(x):
    """True where x is +inf."""
    return eq(_real("isposinf", asvalue(x)), _np.inf)


def isneginf(x):
    """True where x is -inf."""
    return eq(_real("isneginf", asvalue(x)), -_np.inf)


def isclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=False):
    """|a - b| <= atol + rtol |b|; equal infinities are close."""
    a, b = _values(promote_inexact(a, b))
    found = by_numpy(_np.isclose, a, b, rtol, atol, equal_nan)
    if found is not None:
        return found
    close = bitwise_and(abs(a - b) <= atol + rtol * abs(b), isfinite(b))
    close = bitwise_or(close, eq(a, b))
    return bitwise_or(close, bitwise_and(isnan(a), isnan(b))) if equal_nan else close


def _truth(x):
    x = asvalue(x)
    return x if x.dtype == _BOOL else ne(x, _np.zeros((), x.dtype))


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
