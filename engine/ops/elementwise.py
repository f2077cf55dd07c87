"""Element-wise operations, each with NumPy broadcasting, in one dtype."""
import math

import numpy as np

from ..array import Array, Value
from ..avals import Aval, broadcast_shapes, is_inexact, kind, to_inexact_dtype, to_ufunc_dtype
from ..core import Primitive
from ..errors import DtypeError
from ..lazy import scipy_special
from . import accurate, lowerings, shortcut
from .complexes import conj, imag, make_complex, real
from .infinities import mended, modulus
from .structural import (
    align,
    asvalue,
    cast,
    elementwise,
    elementwise_batch,
    promote,
    promote_inexact,
    promote_ufunc,
    spread,
    unbroadcast,
)


def _only(kinds, advice):
    """A shape rule that takes these kinds of dtypes alone."""
    def shape(*avals):
        out = elementwise(*avals)
        if kind(out.dtype) not in kinds:
            raise DtypeError(f"this operation has no meaning for {out.dtype}.\n{advice}")
        return out
    return shape


_arithmetic = _only("iufc", "Booleans have no `-`: write x ^ y, ~x, or x.astype(int).")
_bitwise = _only("biu", "Bits are for booleans and integers: compare, round or convert first, e.g. x > 0.")
_INT8 = np.dtype("int8")


def _unary(name, impl, lower, derivative=None):
    """An operation of one argument; derivative(t, y, x) is its jvp."""
    return Primitive(name, shape=elementwise, uniform=True, impl=impl, lower=lower,
                     jvp=(derivative,), batch=elementwise_batch)


def _floating(prim, doc, floating=to_inexact_dtype):
    """The function that users call: integers become floats."""
    def slow(x):
        x = asvalue(x) if not isinstance(x, Value) else x
        d = floating(x.dtype)
        return prim.bind(x if x.dtype == d else cast(x, d))
    f = shortcut.one(prim.impl, slow, "fc")
    f.__name__ = f.__qualname__ = prim.name
    f.__doc__ = doc
    return f


def _ufunc(prim, doc):
    """The same, where small integers become small floats."""
    return _floating(prim, doc, to_ufunc_dtype)


def _keeping(prim, doc):
    """The function that users call: the dtype stays."""
    f = shortcut.one(prim.impl, lambda x: prim.bind(x if isinstance(x, Value) else asvalue(x)))
    f.__name__ = f.__qualname__ = prim.name
    f.__doc__ = doc
    return f


def _chlo(name):
    return lambda b, x: b.op(f"chlo.{name}", [x], x.aval)


def _logistic(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e)).astype(x.dtype)


# ---- one argument ----

def _near_zero(name):
    """NumPy's function of real numbers, SciPy's of complex ones, where NumPy's loses the digits of small parts."""
    return lambda x: getattr(np if x.dtype.kind != "c" else scipy_special, name)(x)


def _expm1(x):
    """exp(x) - 1. SciPy has nan for some complex numbers where the array API has not (see `infinities`)."""
    y = _near_zero("expm1")(x)
    if x.dtype.kind == "c":
        y, a, b = np.asarray(y), x.real, x.imag
        wild, none = ~np.isfinite(b) & np.isinf(a), a < 0
        y.real[...] = np.where(wild, np.where(none, -1, np.inf), y.real)
        y.imag[...] = np.where(b == 0, b, np.where(wild & none, 0, y.imag))
    return y


def _sign_jvp(t, y, x):
    """0 of real numbers; of complex ones i y times the change of the angle."""
    if x.dtype.kind != "c":
        return None
    r = abs(x)
    return y * (1j * imag(conj(y) * t) / where(eq(r, 0), np.ones((), r.dtype), r))


neg_p = Primitive("neg", shape=_arithmetic, uniform=True, impl=np.negative, lower="stablehlo.negate",
                  jvp=(lambda t, y, x: -t,), transpose=(lambda c, x: -c,), batch=elementwise_batch)
sign_p = _unary("sign", np.sign, lowerings.sign, _sign_jvp)
floor_p = _unary("floor", np.floor, "stablehlo.floor")
ceil_p = _unary("ceil", np.ceil, "stablehlo.ceil")
round_p = _unary("round", np.round, "stablehlo.round_nearest_even")
abs_p = Primitive(
    "abs",
    shape=lambda a: Aval(a.shape, np.dtype(f"f{a.dtype.itemsize // 2}")) if a.dtype.kind == "c" else a,
    impl=np.abs,
    lower=lambda b, x: modulus(b, x) if x.dtype.kind == "c" else x if kind(x.dtype) in "ub" else b.op(
        "stablehlo.abs", [x], b.out[0]),
    jvp=(lambda t, y, x: t * sign(x) if x.dtype.kind != "c" else real(t * conj(sign(x))),),
    batch=elementwise_batch,
)
exp_p = _unary("exp", np.exp, mended("exp", accurate.exp), lambda t, y, x: t * y)
expm1_p = _unary("expm1", _expm1, mended("expm1", "stablehlo.exponential_minus_one"), lambda t, y, x: t * (y + 1))
log_p = _unary("log", np.log, mended("log", accurate.log), lambda t, y, x: t / x)
log1p_p = _unary("log1p", _near_zero("log1p"), mended("log1p", accurate.log1p), lambda t, y, x: t / (x + 1))
sqrt_p = _unary("sqrt", np.sqrt, mended("sqrt", accurate.sqrt), lambda t, y, x: t / (y + y))
rsqrt_p = _unary("rsqrt", lambda x: 1 / np.sqrt(x), "stablehlo.rsqrt", lambda t, y, x: t * (y / x * -0.5))
cbrt_p = _unary("cbrt", np.cbrt, "stablehlo.cbrt", lambda t, y, x: t / (3 * y * y))
sin_p = _unary("sin", np.sin, mended("sin", accurate.sin), lambda t, y, x: t * cos(x))
cos_p = _unary("cos", np.cos, mended("cos", accurate.cos), lambda t, y, x: -t * sin(x))
tan_p = _unary("tan", np.tan, mended("tan", "stablehlo.tan"), lambda t, y, x: t * (1 + y * y))
asin_p = _unary("arcsin", np.arcsin, mended("arcsin", accurate.arcsin), lambda t, y, x: t * rsqrt((1 - x) * (1 + x)))
acos_p = _unary("arccos", np.arccos, mended("arccos", accurate.arccos), lambda t, y, x: -t * rsqrt((1 - x) * (1 + x)))
atan_p = _unary("arctan", np.arctan, mended("arctan", accurate.arctan), lambda t, y, x: t / (1 + x * x))
sinh_p = _unary("sinh", np.sinh, mended("sinh", accurate.sinh), lambda t, y, x: t * cosh(x))
cosh_p = _unary("cosh", np.cosh, mended("cosh", accurate.cosh), lambda t, y, x: t * sinh(x))
tanh_p = _unary("tanh", np.tanh, mended("tanh", "stablehlo.tanh"), lambda t, y, x: t * ((1 - y) * (1 + y)))
asinh_p = _unary("arcsinh", np.arcsinh, mended("arcsinh", accurate.arcsinh), lambda t, y, x: t * rsqrt(x * x + 1))
acosh_p = _unary("arccosh", np.arccosh, mended("arccosh", accurate.arccosh),
                 lambda t, y, x: t * rsqrt((x - 1) * (x + 1)))
atanh_p = _unary("arctanh", np.arctanh, mended("arctanh", accurate.arctanh), lambda t, y, x: t / ((1 - x) * (1 + x)))
logistic_p = _unary("expit", _logistic, lowerings.logistic, lambda t, y, x: t * (y * (1 - y)))
not_p = Primitive("invert", shape=_bitwise, uniform=True, impl=np.invert, lower="stablehlo.not", jvp=(None,),
                  batch=elementwise_batch)


softplus_p = _unary("softplus", lambda x: np.logaddexp(x, np.zeros((), x.dtype)), lowerings.softplus,
                    lambda t, y, x: t * expit(x))
is_finite_p = Primitive(
    "isfinite",
    shape=lambda a: Aval(a.shape, np.dtype(bool)),
    impl=np.isfinite,
    lower=lowerings.is_finite,
    jvp=(None,),
    batch=elementwise_batch,
)


integer_pow_p = Primitive(
    "integer_pow",
    shape=lambda a, *, n: a,
    impl=lambda x, *, n: x * x if n == 2 else np.power(x, n) if n >= 0 else 1 / np.power(x, -n),
    lower=lowerings.integer_pow,
    jvp=(lambda t, y, x, *, n: t * (n * integer_pow(x, n - 1)) if n else None,),
    batch=elementwise_batch,
)

popcount_p = _unary("popcount", lambda x: np.bitwise_count(x.astype(f"u{x.dtype.itemsize}")).astype(x.dtype),
                    "stablehlo.popcnt")

neg = _keeping(neg_p, "-x, element-wise.")
sign = _keeping(sign_p, "-1, 0 or 1 with the sign of x.")
abs = _keeping(abs_p, "|x|; the modulus of a complex number.")  # noqa: A001
exp = _ufunc(exp_p, "e to the power x.")
expm1 = _ufunc(expm1_p, "exp(x) - 1, accurate near 0.")
log = _ufunc(log_p, "The natural logarithm; nan below 0, -inf at 0.")
log1p = _ufunc(log1p_p, "log(1 + x), accurate near 0.")
sqrt = _ufunc(sqrt_p, "The square root; nan below 0.")
rsqrt = _floating(rsqrt_p, "1 / sqrt(x).")
cbrt = _ufunc(cbrt_p, "The real cube root.")
sin = _ufunc(sin_p, "The sine of x in radians.")
cos = _ufunc(cos_p, "The cosine of x in radians.")
tan = _ufunc(tan_p, "The tangent of x in radians.")
arcsin = _ufunc(asin_p, "The inverse sine, in [-π/2, π/2].")
arccos = _ufunc(acos_p, "The inverse cosine, in [0, π].")
arctan = _ufunc(atan_p, "The inverse tangent, in (-π/2, π/2).")
sinh = _ufunc(sinh_p, "The hyperbolic sine.")
cosh = _ufunc(cosh_p, "The hyperbolic cosine.")
tanh = _ufunc(tanh_p, "The hyperbolic tangent.")
arcsinh = _ufunc(asinh_p, "The inverse hyperbolic sine.")
arccosh = _ufunc(acosh_p, "The inverse hyperbolic cosine, x >= 1.")
arctanh = _ufunc(atanh_p, "The inverse hyperbolic tangent, |x| < 1.")
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


def rint(x):
    """The nearest integer, as a float; halves go to the even one."""
    x = asvalue(x)
    d = to_ufunc_dtype(x.dtype)
    if d.kind == "c":
        return make_complex(round_p.bind(real(x)), round_p.bind(imag(x)))
    return round_p.bind(x if x.dtype == d else cast(x, d))


def reciprocal(x):
    """1 / x, in floating point: that of an integer is no integer, where NumPy would give 0."""
    return div(1.0, x)


def _square(x):
    x = x if isinstance(x, Value) else asvalue(x)
    return integer_pow_p.bind(x if x.dtype.kind != "b" else cast(x, _INT8), n=2)


square = shortcut.one(lambda x: x * x, _square, "iufc")
square.__name__ = square.__qualname__ = "square"
square.__doc__ = "x², with derivative 2x in one term."


def integer_pow(x, n):
    """x to a Python integer power, by repeated squaring."""
    x = asvalue(x)
    return x if n == 1 else integer_pow_p.bind(x, n=n)


# ---- two arguments ----

def _binary(name, impl, lower, da=None, db=None, ta=None, tb=None, shape=elementwise):
    return Primitive(name, shape=shape, uniform=True, impl=impl, lower=lower, jvp=(da, db),
                     transpose=(ta, tb) if ta else None, batch=elementwise_batch)


add_p = _binary("add", np.add, lambda b, x, y: b.elementwise("stablehlo.or" if x.dtype.kind == "b" else "stablehlo.add",
                                                             x, y),
                lambda t, y, a, b: spread(t, y), lambda t, y, a, b: spread(t, y),
                lambda c, a, b: unbroadcast(c, a), lambda c, a, b: unbroadcast(c, b))
sub_p = _binary("sub", np.subtract, "stablehlo.subtract",
                lambda t, y, a, b: spread(t, y), lambda t, y, a, b: spread(-t, y),
                lambda c, a, b: unbroadcast(c, a), lambda c, a, b: unbroadcast(-c, b), _arithmetic)
mul_p = _binary("mul", np.multiply, lambda b, x, y: b.elementwise("stablehlo.and" if x.dtype.kind == "b"
                                                                  else "stablehlo.multiply", x, y),
                lambda t, y, a, b: t * b, lambda t, y, a, b: a * t,
                lambda c, a, b: unbroadcast(c * b, a), lambda c, a, b: unbroadcast(a * c, b))


def _div_impl(a, b):
    if a.dtype.kind in "iu":
        none = np.equal(b, 0)
        b = np.where(none, np.ones((), b.dtype), b)
        return np.where(none, np.asarray(-1).astype(a.dtype), (a - np.fmod(a, b)) // b)
    return np.divide(a, b)


div_p = _binary("div", _div_impl, "stablehlo.divide",
                lambda t, y, a, b: t / b, lambda t, y, a, b: -t * (y / b),
                lambda c, a, b: unbroadcast(c / b, a), None)
rem_p = _binary("rem", np.fmod, accurate.fmod,
                lambda t, y, a, b: spread(t, y), lambda t, y, a, b: -t * trunc(a / b))


def _ties(t, a, b, wins):
    """The tangent of the larger (or smaller) of two; half of it at a tie."""
    half = np.asarray(0.5, t.dtype)
    return t * where(wins(a, b), np.asarray(1, t.dtype), where(eq(a, b), half, np.asarray(0, t.dtype)))


max_p = _binary("maximum", np.maximum, lowerings.extreme("stablehlo.maximum", "GE"),
                lambda t, y, a, b: _ties(t, a, b, gt), lambda t, y, a, b: _ties(t, b, a, gt))
min_p = _binary("minimum", np.minimum, lowerings.extreme("stablehlo.minimum", "LE"),
                lambda t, y, a, b: _ties(t, a, b, lt), lambda t, y, a, b: _ties(t, b, a, lt))
pow_p = _binary("pow", np.power, accurate.power,
                lambda t, y, a, b: t * where(eq(b, 0), np.asarray(0, t.dtype),
                                             b * pow_p.bind(*promote(a,
                                                                     where(eq(b, 0), np.asarray(1, t.dtype), b - 1)))),
                lambda t, y, a, b: t * where(eq(a, 0), np.asarray(0, t.dtype),
                                             log(where(eq(a, 0), np.asarray(1, t.dtype), a)) * y))
atan2_p = _binary("arctan2", np.arctan2, "stablehlo.atan2",
                  lambda t, y, a, b: t * (b / (a * a + b * b)), lambda t, y, a, b: -t * (a / (a * a + b * b)))
nextafter_p = _binary("nextafter", np.nextafter, lambda b, x, y: b.elementwise("chlo.next_after", x, y))
and_p = _binary("bitwise_and", np.bitwise_and, "stablehlo.and", shape=_bitwise)
or_p = _binary("bitwise_or", np.bitwise_or, "stablehlo.or", shape=_bitwise)
xor_p = _binary("bitwise_xor", np.bitwise_xor, "stablehlo.xor", shape=_bitwise)


shift_left_p = _binary("left_shift", np.left_shift, "stablehlo.shift_left", shape=_bitwise)
shift_right_p = _binary("right_shift", np.right_shift, lambda b, x, k: b.elementwise(
    "stablehlo.shift_right_logical" if x.dtype.kind == "u" else "stablehlo.shift_right_arithmetic", x, k),
                       shape=_bitwise)


def _comparison(name, impl, direction):
    return Primitive(name, shape=lambda a, b: Aval(elementwise(a, b).shape, np.dtype(bool)), impl=impl, uniform=True,
                     lower=lambda b, x, y: lowerings.compare(b, direction, x, y), jvp=(None, None),
                     batch=elementwise_batch)


eq_p = _comparison("equal", np.equal, "EQ")
ne_p = _comparison("not_equal", np.not_equal, "NE")
lt_p = _comparison("less", np.less, "LT")
le_p = _comparison("less_equal", np.less_equal, "LE")
gt_p = _comparison("greater", np.greater, "GT")
ge_p = _comparison("greater_equal", np.greater_equal, "GE")


def promote_numbers(x, y):
    """Like `promote`; booleans become small integers, as where NumPy counts with them."""
    x, y = promote(x, y)
    return (cast(x, _INT8), cast(y, _INT8)) if x.dtype.kind == "b" else (x, y)


KINDS = {promote: "biufc", promote_numbers: "iufc"}       # the dtypes that stay as they are


def _two(prim, doc, operands=promote):
    f = shortcut.two(prim.impl, lambda x, y: prim.bind(*operands(x, y)), KINDS.get(operands, "fc"))
    f.__name__ = f.__qualname__ = prim.name
    f.__doc__ = doc
    return f


add = _two(add_p, "x + y, with NumPy's broadcasting and promotion.")
sub = _two(sub_p, "x - y.")
mul = _two(mul_p, "x * y.")
div = _two(div_p, "x / y, in floating point.", promote_inexact)
maximum = _two(max_p, "The larger of the two; nan if either is. At a tie each gets half of the derivative.")
minimum = _two(min_p, "The smaller of the two; nan if either is.")
fmod = _two(rem_p, "The remainder with the sign of x; of integers by zero it is 0.", promote_numbers)
arctan2 = _two(atan2_p, "The angle of the point (y, x), in (-π, π].", promote_ufunc)
nextafter = _two(nextafter_p, "The next number after x in the direction of y.", promote_ufunc)
bitwise_and = _two(and_p, "Bitwise and.")
bitwise_or = _two(or_p, "Bitwise or.")
bitwise_xor = _two(xor_p, "Bitwise exclusive or.")
left_shift = _two(shift_left_p, "The bits of x moved left by y places.", promote_numbers)
right_shift = _two(shift_right_p, "The bits of x moved right by y places, keeping the sign.", promote_numbers)
eq = _two(eq_p, "x == y, element-wise.")
ne = _two(ne_p, "x != y, element-wise.")
lt = _two(lt_p, "x < y, element-wise.")
le = _two(le_p, "x <= y, element-wise.")
gt = _two(gt_p, "x > y, element-wise.")
ge = _two(ge_p, "x >= y, element-wise.")


_power = shortcut.two(pow_p.impl, lambda x, y: pow_p.bind(*promote_numbers(x, y)), "fc")


def power(x, y):
    """x to the power y. A Python integer exponent is multiplied out; integers have no negative integer powers."""
    if type(y) is int and isinstance(x, Value) and x.dtype.kind != "b":
        if y == 2:
            return square(x)
        if y >= 0 or is_inexact(x.dtype):
            return integer_pow(x, y)
        raise DtypeError("integers to negative integer powers are not integers; convert x to float first.")
    if type(y) is float and y == 0.5 and isinstance(x, Value) and is_inexact(x.dtype):
        return sqrt(x)
    return _power(x, y)


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
    known = shortcut.pair(x, y)
    if known is not None and (c := shortcut.plain(condition)) is not None and c.dtype == np.bool_:
        return Array(np.asarray(np.where(c, *known)))
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
    if (v := shortcut.plain(x)) is not None and v.dtype.kind != "V":
        return Array(np.asarray(np.not_equal(v, v)))
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
