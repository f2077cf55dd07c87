"""Element-wise operations, each with NumPy broadcasting, in one dtype."""
import math

import numpy as np

from ..array import Value
from ..avals import Aval, broadcast_shapes, is_inexact, to_inexact_dtype
from ..core import Primitive
from ..errors import DtypeError
from . import shortcut
from .complexes import conj, real
from .structural import (
    align,
    asvalue,
    cast,
    elementwise,
    elementwise_batch,
    promote,
    promote_inexact,
    spread,
    unbroadcast,
)


def _unary(name, impl, lower, derivative=None):
    """An operation of one argument; derivative(t, y, x) is its jvp."""
    return Primitive(name, shape=elementwise, uniform=True, impl=impl, lower=lower,
                     jvp=(derivative,), batch=elementwise_batch)


def _floating(prim, doc):
    """The function that users call: integers become floats."""
    def slow(x):
        x = asvalue(x) if not isinstance(x, Value) else x
        d = to_inexact_dtype(x.dtype)
        return prim.bind(x if x.dtype == d else cast(x, d))
    f = shortcut.one(prim, slow, "fc")
    f.__name__ = f.__qualname__ = prim.name
    f.__doc__ = doc
    return f


def _keeping(prim, doc):
    """The function that users call: the dtype stays."""
    f = shortcut.one(prim, lambda x: prim.bind(x if isinstance(x, Value) else asvalue(x)))
    f.__name__ = f.__qualname__ = prim.name
    f.__doc__ = doc
    return f


def _chlo(name):
    return lambda b, x: b.op(f"chlo.{name}", [x], x.aval)


def _logistic(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e)).astype(x.dtype)


# ---- one argument ----

neg_p = Primitive("neg", shape=elementwise, uniform=True, impl=np.negative, lower="stablehlo.negate",
                  jvp=(lambda t, y, x: -t,), transpose=(lambda c, x: -c,), batch=elementwise_batch)
sign_p = _unary("sign", np.sign, "stablehlo.sign")
floor_p = _unary("floor", np.floor, "stablehlo.floor")
ceil_p = _unary("ceil", np.ceil, "stablehlo.ceil")
round_p = _unary("round", np.round, "stablehlo.round_nearest_even")
abs_p = Primitive(
    "abs",
    shape=lambda a: Aval(a.shape, np.dtype(f"f{a.dtype.itemsize // 2}")) if a.dtype.kind == "c" else a,
    impl=np.abs,
    lower=lambda b, x: b.op("stablehlo.abs", [x], b.out[0]),
    jvp=(lambda t, y, x: t * sign(x) if x.dtype.kind != "c" else real(t * conj(x)) / y,),
    batch=elementwise_batch,
)
exp_p = _unary("exp", np.exp, "stablehlo.exponential", lambda t, y, x: t * y)
expm1_p = _unary("expm1", np.expm1, "stablehlo.exponential_minus_one", lambda t, y, x: t * (y + 1))
log_p = _unary("log", np.log, "stablehlo.log", lambda t, y, x: t / x)
log1p_p = _unary("log1p", np.log1p, "stablehlo.log_plus_one", lambda t, y, x: t / (x + 1))
sqrt_p = _unary("sqrt", np.sqrt, "stablehlo.sqrt", lambda t, y, x: t / (y + y))
rsqrt_p = _unary("rsqrt", lambda x: 1 / np.sqrt(x), "stablehlo.rsqrt", lambda t, y, x: t * (y / x * -0.5))
cbrt_p = _unary("cbrt", np.cbrt, "stablehlo.cbrt", lambda t, y, x: t / (3 * y * y))
sin_p = _unary("sin", np.sin, "stablehlo.sine", lambda t, y, x: t * cos(x))
cos_p = _unary("cos", np.cos, "stablehlo.cosine", lambda t, y, x: -t * sin(x))
tan_p = _unary("tan", np.tan, "stablehlo.tan", lambda t, y, x: t * (1 + y * y))
asin_p = _unary("arcsin", np.arcsin, _chlo("asin"), lambda t, y, x: t * rsqrt((1 - x) * (1 + x)))
acos_p = _unary("arccos", np.arccos, _chlo("acos"), lambda t, y, x: -t * rsqrt((1 - x) * (1 + x)))
atan_p = _unary("arctan", np.arctan, _chlo("atan"), lambda t, y, x: t / (1 + x * x))
sinh_p = _unary("sinh", np.sinh, _chlo("sinh"), lambda t, y, x: t * cosh(x))
cosh_p = _unary("cosh", np.cosh, _chlo("cosh"), lambda t, y, x: t * sinh(x))
tanh_p = _unary("tanh", np.tanh, "stablehlo.tanh", lambda t, y, x: t * ((1 - y) * (1 + y)))
asinh_p = _unary("arcsinh", np.arcsinh, _chlo("asinh"), lambda t, y, x: t * rsqrt(x * x + 1))
acosh_p = _unary("arccosh", np.arccosh, _chlo("acosh"), lambda t, y, x: t * rsqrt((x - 1) * (x + 1)))
atanh_p = _unary("arctanh", np.arctanh, _chlo("atanh"), lambda t, y, x: t / ((1 - x) * (1 + x)))
logistic_p = _unary("expit", _logistic, lambda b, x: _lower_logistic(b, x), lambda t, y, x: t * (y * (1 - y)))
not_p = _unary("invert", np.invert, "stablehlo.not")


def _tail(b, x):
    """exp(-|x|), which softplus and the sigmoid share (the compiler finds it once)."""
    return b.op("stablehlo.exponential", [b.op("stablehlo.negate", [b.op("stablehlo.abs", [x], x.aval)], x.aval)],
                x.aval)


def _lower_logistic(b, x):
    """(1 or e) / (1 + e) with e = exp(-|x|)"""
    if x.dtype.kind == "c":
        return b.op("stablehlo.logistic", [x], x.aval)
    e, one = _tail(b, x), b.like(x, 1)
    top = b.select(b.compare("GE", x, b.like(x, 0)), one, e)
    return b.elementwise("stablehlo.divide", top, b.elementwise("stablehlo.add", one, e))


def _lower_softplus(b, x):
    """max(x, 0) + log1p(e), e = exp(-|x|) in (0, 1], by log1p(e) = 2 artanh(s), s = e / (2 + e) <= 1/3.

    The series s + s³/3 + s⁵/5 + … is a polynomial without branches, five times quicker than the compiler's log1p.
    """
    e = _tail(b, x)
    s = b.elementwise("stablehlo.divide", e, b.elementwise("stablehlo.add", b.like(x, 2), e))
    square = b.elementwise("stablehlo.multiply", s, s)
    terms = 17 if x.dtype.itemsize == 8 else 8
    series = b.like(x, 2 / (2 * terms + 1))
    for k in range(terms - 1, 0, -1):
        series = b.elementwise("stablehlo.add", b.like(x, 2 / (2 * k + 1)),
                               b.elementwise("stablehlo.multiply", series, square))
    rest = b.elementwise("stablehlo.multiply", b.elementwise("stablehlo.multiply", series, square), s)
    low = b.elementwise("stablehlo.add", b.elementwise("stablehlo.add", s, s), rest)
    return b.elementwise("stablehlo.add", b.elementwise("stablehlo.maximum", x, b.like(x, 0)), low)


softplus_p = _unary("softplus", lambda x: np.logaddexp(x, np.zeros((), x.dtype)), _lower_softplus,
                    lambda t, y, x: t * expit(x))
is_finite_p = Primitive(
    "isfinite",
    shape=lambda a: Aval(a.shape, np.dtype(bool)),
    impl=np.isfinite,
    lower=lambda b, x: b.op("stablehlo.is_finite", [x], b.out[0]),
    jvp=(None,),
    batch=elementwise_batch,
)


def _lower_integer_pow(b, x, *, n):
    """Repeated squaring."""
    out, base, k = None, x, abs(n)
    while k:
        if k & 1:
            out = base if out is None else b.elementwise("stablehlo.multiply", out, base)
        k >>= 1
        if k:
            base = b.elementwise("stablehlo.multiply", base, base)
    out = b.like(x, 1) if out is None else out
    return b.elementwise("stablehlo.divide", b.like(x, 1), out) if n < 0 else out


integer_pow_p = Primitive(
    "integer_pow",
    shape=lambda a, *, n: a,
    impl=lambda x, *, n: x * x if n == 2 else np.power(x, n) if n >= 0 else 1 / np.power(x, -n),
    lower=_lower_integer_pow,
    jvp=(lambda t, y, x, *, n: t * (n * integer_pow(x, n - 1)) if n else None,),
    batch=elementwise_batch,
)

popcount_p = _unary("popcount", lambda x: np.bitwise_count(x.astype(f"u{x.dtype.itemsize}")).astype(x.dtype),
                    "stablehlo.popcnt")

neg = _keeping(neg_p, "-x, element-wise.")
sign = _keeping(sign_p, "-1, 0 or 1 with the sign of x.")
abs = _keeping(abs_p, "|x|; the modulus of a complex number.")  # noqa: A001
exp = _floating(exp_p, "e to the power x.")
expm1 = _floating(expm1_p, "exp(x) - 1, accurate near 0.")
log = _floating(log_p, "The natural logarithm; nan below 0, -inf at 0.")
log1p = _floating(log1p_p, "log(1 + x), accurate near 0.")
sqrt = _floating(sqrt_p, "The square root; nan below 0.")
rsqrt = _floating(rsqrt_p, "1 / sqrt(x).")
cbrt = _floating(cbrt_p, "The real cube root.")
sin = _floating(sin_p, "The sine of x in radians.")
cos = _floating(cos_p, "The cosine of x in radians.")
tan = _floating(tan_p, "The tangent of x in radians.")
arcsin = _floating(asin_p, "The inverse sine, in [-π/2, π/2].")
arccos = _floating(acos_p, "The inverse cosine, in [0, π].")
arctan = _floating(atan_p, "The inverse tangent, in (-π/2, π/2).")
sinh = _floating(sinh_p, "The hyperbolic sine.")
cosh = _floating(cosh_p, "The hyperbolic cosine.")
tanh = _floating(tanh_p, "The hyperbolic tangent.")
arcsinh = _floating(asinh_p, "The inverse hyperbolic sine.")
arccosh = _floating(acosh_p, "The inverse hyperbolic cosine, x >= 1.")
arctanh = _floating(atanh_p, "The inverse hyperbolic tangent, |x| < 1.")
expit = _floating(logistic_p, "1 / (1 + exp(-x)), the logistic sigmoid.")
softplus = _floating(softplus_p, "log(1 + exp(x)), without overflow.")
isfinite = _floating(is_finite_p, "True where x is neither infinite nor nan.")
popcount = _keeping(popcount_p, "The number of set bits of an integer.")
invert = _keeping(not_p, "Bitwise not; logical not of booleans.")


def _rounding(prim, doc):
    def f(x):
        x = asvalue(x)
        return prim.bind(x) if is_inexact(x.dtype) else x
    f.__name__ = f.__qualname__ = prim.name
    f.__doc__ = doc
    return f


floor = _rounding(floor_p, "The largest integer not above x.")
ceil = _rounding(ceil_p, "The smallest integer not below x.")
rint = _rounding(round_p, "The nearest integer; halves go to the even one.")


def reciprocal(x):
    """1 / x."""
    return div(1.0, x)


def square(x):
    """x², with derivative 2x in one term."""
    return integer_pow_p.bind(asvalue(x), n=2)


def integer_pow(x, n):
    """x to a Python integer power, by repeated squaring."""
    x = asvalue(x)
    return x if n == 1 else integer_pow_p.bind(x, n=n)


# ---- two arguments ----

def _binary(name, impl, lower, da=None, db=None, ta=None, tb=None):
    return Primitive(name, shape=elementwise, uniform=True, impl=impl, lower=lower, jvp=(da, db),
                     transpose=(ta, tb) if ta else None, batch=elementwise_batch)


add_p = _binary("add", np.add, lambda b, x, y: b.elementwise("stablehlo.or" if x.dtype.kind == "b" else "stablehlo.add",
                                                             x, y),
                lambda t, y, a, b: spread(t, y), lambda t, y, a, b: spread(t, y),
                lambda c, a, b: unbroadcast(c, a), lambda c, a, b: unbroadcast(c, b))
sub_p = _binary("sub", np.subtract, "stablehlo.subtract",
                lambda t, y, a, b: spread(t, y), lambda t, y, a, b: spread(-t, y),
                lambda c, a, b: unbroadcast(c, a), lambda c, a, b: unbroadcast(-c, b))
mul_p = _binary("mul", np.multiply, lambda b, x, y: b.elementwise("stablehlo.and" if x.dtype.kind == "b"
                                                                  else "stablehlo.multiply", x, y),
                lambda t, y, a, b: t * b, lambda t, y, a, b: a * t,
                lambda c, a, b: unbroadcast(c * b, a), lambda c, a, b: unbroadcast(a * c, b))


def _div_impl(a, b):
    if a.dtype.kind in "iu":
        return np.where(b == 0, -1, np.trunc(np.divide(a, np.where(b == 0, 1, b)))).astype(a.dtype)
    return np.divide(a, b)


div_p = _binary("div", _div_impl, "stablehlo.divide",
                lambda t, y, a, b: t / b, lambda t, y, a, b: -t * (y / b),
                lambda c, a, b: unbroadcast(c / b, a), None)
rem_p = _binary("rem", np.fmod, "stablehlo.remainder",
                lambda t, y, a, b: spread(t, y), lambda t, y, a, b: -t * trunc(a / b))


def _ties(t, a, b, wins):
    """The tangent of the larger (or smaller) of two; half of it at a tie."""
    half = np.asarray(0.5, t.dtype)
    return t * where(wins(a, b), np.asarray(1, t.dtype), where(eq(a, b), half, np.asarray(0, t.dtype)))


max_p = _binary("maximum", np.maximum, "stablehlo.maximum",
                lambda t, y, a, b: _ties(t, a, b, gt), lambda t, y, a, b: _ties(t, b, a, gt))
min_p = _binary("minimum", np.minimum, "stablehlo.minimum",
                lambda t, y, a, b: _ties(t, a, b, lt), lambda t, y, a, b: _ties(t, b, a, lt))
pow_p = _binary("pow", np.power, "stablehlo.power",
                lambda t, y, a, b: t * where(eq(b, 0), np.asarray(0, t.dtype),
                                             b * pow_p.bind(*promote(a,
                                                                     where(eq(b, 0), np.asarray(1, t.dtype), b - 1)))),
                lambda t, y, a, b: t * where(eq(a, 0), np.asarray(0, t.dtype),
                                             log(where(eq(a, 0), np.asarray(1, t.dtype), a)) * y))
atan2_p = _binary("arctan2", np.arctan2, "stablehlo.atan2",
                  lambda t, y, a, b: t * (b / (a * a + b * b)), lambda t, y, a, b: -t * (a / (a * a + b * b)))
nextafter_p = _binary("nextafter", np.nextafter, lambda b, x, y: b.elementwise("chlo.next_after", x, y))
and_p = _binary("bitwise_and", np.bitwise_and, "stablehlo.and")
or_p = _binary("bitwise_or", np.bitwise_or, "stablehlo.or")
xor_p = _binary("bitwise_xor", np.bitwise_xor, "stablehlo.xor")


def _shift_impl(f, arithmetic=False):
    def impl(x, k):
        bits = 8 * x.dtype.itemsize
        safe = f(x, np.where(k >= bits, 0, k).astype(x.dtype))
        full = np.where(x < 0, -1, 0) if arithmetic else 0
        return np.where(k >= bits, full, safe).astype(x.dtype)
    return impl


shift_left_p = _binary("left_shift", _shift_impl(np.left_shift), "stablehlo.shift_left")
shift_right_p = _binary("right_shift", _shift_impl(np.right_shift, True), lambda b, x, k: b.elementwise(
    "stablehlo.shift_right_logical" if x.dtype.kind == "u" else "stablehlo.shift_right_arithmetic", x, k))


def _comparison(name, impl, direction):
    return Primitive(name, shape=lambda a, b: Aval(elementwise(a, b).shape, np.dtype(bool)), impl=impl, uniform=True,
                     lower=lambda b, x, y: b.compare(direction, x, y), jvp=(None, None), batch=elementwise_batch)


eq_p = _comparison("equal", np.equal, "EQ")
ne_p = _comparison("not_equal", np.not_equal, "NE")
lt_p = _comparison("less", np.less, "LT")
le_p = _comparison("less_equal", np.less_equal, "LE")
gt_p = _comparison("greater", np.greater, "GT")
ge_p = _comparison("greater_equal", np.greater_equal, "GE")


def _two(prim, doc, operands=promote):
    f = shortcut.two(prim, lambda x, y: prim.bind(*operands(x, y)), "biufc" if operands is promote else "fc")
    f.__name__ = f.__qualname__ = prim.name
    f.__doc__ = doc
    return f


add = _two(add_p, "x + y, with NumPy's broadcasting and promotion.")
sub = _two(sub_p, "x - y.")
mul = _two(mul_p, "x * y.")
div = _two(div_p, "x / y, in floating point.", promote_inexact)
maximum = _two(max_p, "The larger of the two; nan if either is. At a tie each gets half of the derivative.")
minimum = _two(min_p, "The smaller of the two; nan if either is.")
fmod = _two(rem_p, "The remainder with the sign of x.")
arctan2 = _two(atan2_p, "The angle of the point (y, x), in (-π, π].", promote_inexact)
nextafter = _two(nextafter_p, "The next number after x in the direction of y.", promote_inexact)
bitwise_and = _two(and_p, "Bitwise and.")
bitwise_or = _two(or_p, "Bitwise or.")
bitwise_xor = _two(xor_p, "Bitwise exclusive or.")
left_shift = _two(shift_left_p, "The bits of x moved left by y places.")
right_shift = _two(shift_right_p, "The bits of x moved right by y places, keeping the sign.")
eq = _two(eq_p, "x == y, element-wise.")
ne = _two(ne_p, "x != y, element-wise.")
lt = _two(lt_p, "x < y, element-wise.")
le = _two(le_p, "x <= y, element-wise.")
gt = _two(gt_p, "x > y, element-wise.")
ge = _two(ge_p, "x >= y, element-wise.")


def power(x, y):
    """x to the power y. A Python integer exponent is multiplied out."""
    if type(y) is int and isinstance(x, Value):
        if y >= 0 or is_inexact(x.dtype):
            return integer_pow(x, y)
        raise DtypeError("integers to negative integer powers are not integers; convert x to float first.")
    if type(y) is float and y == 0.5 and isinstance(x, Value) and is_inexact(x.dtype):
        return sqrt(x)
    x, y = promote(x, y)
    if not is_inexact(x.dtype):
        return _integer_power(x, y)
    return pow_p.bind(x, y)


def _integer_power(x, y):
    """Integer arrays to integer array powers, bit by bit of the exponent."""
    out = None
    for bit in range(6):
        factor = where(ne(bitwise_and(right_shift(y, np.asarray(bit, y.dtype)), np.asarray(1, y.dtype)), 0),
                       x, np.asarray(1, x.dtype))
        out = factor if out is None else out * factor
        x = x * x
    return out


def trunc(x):
    """The integer part."""
    x = asvalue(x)
    return where(lt(x, 0), ceil(x), floor(x)) if is_inexact(x.dtype) else x


# ---- three arguments ----

def _select_jvp(xs, ts):
    c, a, b = xs
    _, ta, tb = ts
    y = select_p.bind(c, a, b)
    d = ta.dtype if ta is not None else tb.dtype if tb is not None else None
    if d is None:
        return y, None
    zero = np.asarray(0, d)
    t = select_p.bind(c, zero if ta is None else ta, zero if tb is None else tb)
    return y, spread(t, y)


def _select_shape(c, a, b):
    if c.dtype != np.bool_ or a.dtype != b.dtype:
        raise DtypeError(f"where takes a bool and two arrays of one dtype; got {c!r}, {a!r}, {b!r}")
    return Aval(broadcast_shapes(c.shape, a.shape, b.shape), a.dtype)


def _lower_select(b, c, x, y):
    shape = b.out[0].shape
    return b.select(b.broadcast_to(c, shape), b.broadcast_to(x, shape), b.broadcast_to(y, shape))


select_p = Primitive(
    "where",
    shape=_select_shape,
    uniform=True,
    impl=np.where,
    lower=_lower_select,
    jvp=_select_jvp,
    transpose=(None, lambda g, c, a, b: unbroadcast(select_p.bind(c, g, np.asarray(0, g.dtype)), a),
               lambda g, c, a, b: unbroadcast(select_p.bind(c, np.asarray(0, g.dtype), g), b)),
    batch=lambda b, mine, *xs: b.bind(*align(mine, xs)),
)


def where(condition, x, y):
    """x where the condition holds, y elsewhere. Both are computed."""
    x, y = promote(x, y)
    c = condition if isinstance(condition, Value) else asvalue(condition)
    return select_p.bind(c if c.dtype == np.bool_ else ne(c, np.asarray(0, c.dtype)), x, y)


# ---- bits ----

def _bitcast_shape(a, *, dtype):
    """To a narrower type there is one more axis, over the parts; to a wider one the last axis is taken up."""
    old, new = a.dtype.itemsize, dtype.itemsize
    return Aval(a.shape if old == new else (*a.shape, old // new) if old > new else a.shape[:-1], dtype)


def _lower_bitcast(b, x, *, dtype):
    x = b.convert(x, np.dtype("uint8")) if x.dtype.kind == "b" else x
    if dtype.kind == "b":
        bits = b.op("stablehlo.bitcast_convert", [x], Aval(b.out[0].shape, np.dtype("uint8")))
        return b.convert(bits, dtype)
    return x if x.dtype == dtype else b.op("stablehlo.bitcast_convert", [x], b.out[0])


bitcast_p = Primitive(
    "bitcast",
    shape=_bitcast_shape,
    impl=lambda x, *, dtype: np.ascontiguousarray(x).reshape(-1).view(dtype).reshape(
        _bitcast_shape(Aval(x.shape, x.dtype), dtype=dtype).shape),
    lower=_lower_bitcast,
    jvp=(None,),
    batch=elementwise_batch,
)


def bitcast(x, dtype):
    """The bits of x read as another dtype. To a narrower one the parts are a last axis; to a wider one the last axis
    holds the parts, as many as are needed."""
    x, d = asvalue(x), np.dtype(dtype)
    old, new = x.dtype.itemsize, d.itemsize
    fits = old % new == 0 if old >= new else bool(x.shape) and x.shape[-1] * old == new
    if not fits or "c" in (x.dtype.kind, d.kind):
        raise DtypeError(f"bitcast from {x.dtype}{list(x.shape)} to {d}: the widths do not fit, or a dtype is complex.")
    return bitcast_p.bind(x, dtype=d)


def isnan(x):
    """True where x is nan."""
    x = asvalue(x)
    return ne(x, x)


def stop_gradient(x):
    """x itself, with derivative 0."""
    x = asvalue(x)
    return stop_gradient_p.bind(x) if is_inexact(x.dtype) else x


stop_gradient_p = Primitive(
    "stop_gradient",
    shape=elementwise, uniform=True,
    impl=lambda x: x,
    lower=lambda b, x: x,
    jvp=(None,),
    batch=elementwise_batch,
)

PI = math.pi
__all__ = [n for n in dir() if not n.startswith("_") and n not in ("np", "math", "Value", "PYTHON_SCALARS",
                                                                   "convert_p")]
