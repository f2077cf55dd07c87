"""Element-wise functions of real numbers beyond the operators: other bases, remainders, signs, scales, divisors.

Each is one primitive, so that a call on arrays is one call of NumPy, and knows which dtypes it is for.
"""
import numpy as np

from ..array import Value
from ..avals import Aval, is_inexact, kind, to_ufunc_dtype
from ..core import Primitive
from ..errors import DtypeError
from . import accurate, lowerings, shortcut
from .elementwise import (
    _binary,
    _ties,
    _unary,
    eq,
    expit,
    floor,
    isnan,
    lt,
    max_p,
    min_p,
    promote_numbers,
    where,
)
from .infinities import mended
from .structural import asvalue, cast, elementwise, elementwise_batch, promote, promote_ufunc, spread, unbroadcast

_INT32, _BOOL = np.dtype("int32"), np.dtype(bool)


# ---- which dtypes a function takes ----

def refuse(name, dtype, kinds):
    """Raise for an operand of a dtype that the function has no meaning for."""
    raise DtypeError(f"{name} takes {kinds}; it got {dtype}.\nConvert the argument first, e.g. x.astype(...), or take "
                     "its real part.")


def _one(prim, doc, kinds="biuf", inexact=True):
    def slow(x):
        x = x if isinstance(x, Value) else asvalue(x)
        d = x.dtype
        if kind(d) not in kinds:
            refuse(prim.name, d, "real numbers")
        if inexact:
            d = to_ufunc_dtype(d)
            x = x if x.dtype == d else cast(x, d)
        return prim.bind(x)
    f = shortcut.one(prim.impl, slow, "fc" if "c" in kinds else "f")
    f.__name__ = f.__qualname__ = prim.name
    f.__doc__ = doc
    return f


def _pair(prim, doc, operands, refused="c"):
    def slow(x, y):
        x, y = operands(x, y)
        if x.dtype.kind in refused:
            refuse(prim.name, x.dtype, "integers" if "f" in refused else "real numbers")
        return prim.bind(x, y)
    plain = "iu" if "f" in refused else "iuf" if operands is promote_numbers else "f"
    f = shortcut.two(prim.impl, slow, plain)
    f.__name__ = f.__qualname__ = prim.name
    f.__doc__ = doc
    return f


# ---- other bases ----

exp2_p = _unary("exp2", np.exp2, accurate.exp2, lambda t, y, x: t * (y * accurate.LN2))
log2_p = _unary("log2", np.log2, mended("log2", accurate.log2), lambda t, y, x: t / (x * accurate.LN2))
log10_p = _unary("log10", np.log10, mended("log10", accurate.log10), lambda t, y, x: t / (x * accurate.LN10))


def _share(x, y):
    """exp(x) / (exp(x) + exp(y)); one half of two infinities of one sign."""
    return where(eq(x, y), np.asarray(0.5, x.dtype), expit(x - y))


def _lower_logaddexp(base_two):
    """max + log(1 + exp(min - max)), or the same in base two; see `lowerings.softplus`."""
    def lower(b, x, y):
        shape, dtype = np.broadcast_shapes(x.shape, y.shape), x.dtype
        wide = np.dtype("float32") if dtype.itemsize <= 2 else dtype
        x, y = (b.broadcast_to(b.convert(v, wide), shape) for v in (x, y))
        top, low = b.elementwise("stablehlo.maximum", x, y), b.elementwise("stablehlo.minimum", x, y)
        same = b.compare("EQ", x, y)                     # equal infinities among them
        gap = b.select(same, b.like(x, 0), b.elementwise("stablehlo.subtract", low, top))
        rest = lowerings.softplus(b, gap, accurate.exp2(b, gap) if base_two else None)
        if base_two:
            rest = b.elementwise("stablehlo.multiply", rest, b.like(rest, 1 / accurate.LN2))
            rest = b.select(same, b.like(rest, 1), rest)
        return b.convert(b.elementwise("stablehlo.add", top, rest), dtype)
    return lower


logaddexp_p = _binary("logaddexp", np.logaddexp, _lower_logaddexp(False),
                      lambda t, z, x, y: t * _share(x, y), lambda t, z, x, y: t * _share(y, x))
logaddexp2_p = _binary("logaddexp2", np.logaddexp2, _lower_logaddexp(True),
                       lambda t, z, x, y: t * _share(x * accurate.LN2, y * accurate.LN2),
                       lambda t, z, x, y: t * _share(y * accurate.LN2, x * accurate.LN2))


# ---- lengths and signs ----

def _cosine(t, z, x):
    """t x / z, and 0 at the origin"""
    return t * (x / where(eq(z, 0), np.ones((), z.dtype), z))


hypot_p = _binary("hypot", np.hypot, accurate.hypot,
                  lambda t, z, x, y: _cosine(t, z, x), lambda t, z, x, y: _cosine(t, z, y))
signbit_p = Primitive(
    "signbit",
    uniform=True,
    shape=lambda a: Aval(a.shape, _BOOL),
    impl=np.signbit,
    lower=lambda b, x: accurate.signbit(b, x) if is_inexact(x.dtype) else b.compare("LT", x, b.like(x, 0)),
    jvp=(None,),
    batch=elementwise_batch,
)
copysign_p = _binary("copysign", np.copysign, accurate.copysign,
                     lambda t, z, x, y: t * where(eq(signbit(x), signbit(y)), np.ones((), t.dtype),
                                                  np.asarray(-1, t.dtype)))


# ---- the larger number, where nan is no number ----

def _lower_number(op):
    def lower(b, x, y):
        shape = np.broadcast_shapes(x.shape, y.shape)
        x, y = b.broadcast_to(x, shape), b.broadcast_to(y, shape)
        best = b.elementwise(op, x, y)
        if x.dtype.kind in "iub":
            return best
        best = b.select(b.compare("NE", y, y), x, best)
        return b.select(b.compare("NE", x, x), y, best)
    return lower


def _wins(t, a, b, better):
    """`_ties` where a number is better than nan."""
    one, none = np.ones((), t.dtype), np.zeros((), t.dtype)
    return where(isnan(a), none, where(isnan(b), one, _ties(one, a, b, better))) * t


fmax_p = _binary("fmax", np.fmax, _lower_number("stablehlo.maximum"),
                 lambda t, y, a, b: _wins(t, a, b, lambda p, q: lt(q, p)),
                 lambda t, y, a, b: _wins(t, b, a, lambda p, q: lt(q, p)))
fmin_p = _binary("fmin", np.fmin, _lower_number("stablehlo.minimum"),
                 lambda t, y, a, b: _wins(t, a, b, lt), lambda t, y, a, b: _wins(t, b, a, lt))


# ---- quotients and remainders ----

floor_divide_p = _binary("floor_divide", np.floor_divide, accurate.floor_divide)
remainder_p = _binary("remainder", np.remainder, accurate.remainder,
                      lambda t, y, a, b: spread(t, y), lambda t, y, a, b: -t * floor(a / b))
gcd_p = _binary("gcd", np.gcd, accurate.gcd)


# ---- mantissa and exponent ----


ldexp_p = Primitive(
    "ldexp",
    uniform=True,
    shape=lambda a, n: Aval(elementwise(a, Aval(n.shape, a.dtype)).shape, a.dtype),
    impl=lambda x, n: np.ldexp(x, np.clip(n, -9999, 9999).astype(_INT32)).astype(x.dtype),
    lower=accurate.ldexp,
    jvp=(lambda t, y, x, n: ldexp_p.bind(t, n), None),
    transpose=(lambda c, x, n: unbroadcast(ldexp_p.bind(c, n), x), None),
    batch=elementwise_batch,
)
exponent_p = Primitive(
    "exponent",
    uniform=True,
    shape=lambda a: Aval(a.shape, _INT32),
    impl=lambda x: np.where(np.isfinite(x), np.frexp(x)[1], 0).astype(_INT32),
    lower=accurate.exponent,
    jvp=(None,),
    batch=elementwise_batch,
)

exp2 = _one(exp2_p, "2 to the power x; exact at integers.", "biufc")
log2 = _one(log2_p, "The logarithm to base 2; exact at powers of 2.", "biufc")
log10 = _one(log10_p, "The logarithm to base 10; exact at powers of 10.", "biufc")
signbit = _one(signbit_p, "True where the sign of x is negative, -0.0 included.", inexact=False)
logaddexp = _pair(logaddexp_p, "log(exp(x) + exp(y)), without overflow.", promote_ufunc)
logaddexp2 = _pair(logaddexp2_p, "log2(2**x + 2**y), without overflow.", promote_ufunc)
hypot = _pair(hypot_p, "sqrt(x² + y²), without overflow; its derivative at the origin is 0.", promote_ufunc)
copysign = _pair(copysign_p, "|x| with the sign of y.", promote_ufunc)
floor_divide = _pair(floor_divide_p, "The largest integer not above x / y; an integer over zero gives 0.",
                     promote_numbers)
remainder = _pair(remainder_p, "x - y floor(x / y): the remainder with the sign of y.", promote_numbers)
gcd = _pair(gcd_p, "The greatest common divisor, of integers.", promote, "bfcV")
exponent = _one(exponent_p, "The n of x = m 2**n with 0.5 <= |m| < 1.")


def _number(prim, extreme, name, doc):
    def slow(x, y):
        x, y = promote(x, y)
        return prim.bind(x, y) if x.dtype.kind != "c" else where(isnan(y), x, where(isnan(x), y, extreme.bind(x, y)))
    f = shortcut.two(prim.impl, slow, "biuf")
    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f


fmax = _number(fmax_p, max_p, "fmax", "The larger of the two; the other one where one is nan.")
fmin = _number(fmin_p, min_p, "fmin", "The smaller of the two; the other one where one is nan.")


def ldexp(x, n):
    """x 2**n.   x : float[...]; n : int[...]"""
    x, n = asvalue(x), asvalue(n)
    x = cast(x, to_ufunc_dtype(x.dtype))
    if n.dtype.kind not in "iu" or x.dtype.kind == "c":
        refuse("ldexp", n.dtype if n.dtype.kind not in "iu" else x.dtype, "a real number and an integer exponent")
    return ldexp_p.bind(x, n)
