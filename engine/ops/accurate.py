"""Lowerings of elementary functions where the compiler's own lose digits, signs of zero or infinities.

Each is a formula over `Expr`, so that it reads as in a book. float16 and bfloat16 are computed in float32. Errors,
against the same in 50 digits, are at most 4 units in the last place, except where a comment says more.
"""
import functools
import math

import numpy as np

from ..avals import Aval, roomy
from .formula import Expr, Xla

_F32, _F64 = np.dtype("float32"), np.dtype("float64")
LN2, LN10 = math.log(2.0), math.log(10.0)
LAYOUT = {                        # by bytes: bits of the mantissa, bias, log of the largest, integer of the same width
    8: (52, 1023, 709.0, np.dtype("int64")), 4: (23, 127, 88.0, np.dtype("int32")),
    2: (None, None, None, np.dtype("int16")), 1: (None, None, None, np.dtype("int8")),
}
LARGE = 4096                                             # elements from which a formula is quicker than a call for each
LOG10_2 = {8: (3.01029995663611771306e-01, 3.69423907715893078616e-13),
           4: (3.0102920532e-01, 7.9034151668e-07)}      # log10(2) in two parts; the first has a few zeros at its end


class Reading(Xla):
    """The reading of a formula as StableHLO, with what elementary functions need besides."""

    def where(self, c, x, y):
        """x where c holds, y elsewhere; one of them may be a number, and takes the dtype of the other."""
        dtype = next((v.val.dtype for v in (x, y) if isinstance(v, Expr)), _F64)
        x, y = (v.val if isinstance(v, Expr) else self.b.constant(v, dtype, c.val.shape) for v in (x, y))
        return Expr(self.b, self.b.select(c.val, x, y))

    def log(self, x):
        if x.val.dtype != _F64 or x.val.aval.size < LARGE:
            return Xla.log(self, x)
        return _log_edges(self, x, _log_of(*_split(self, x)))

    def one(self, op, x):
        return self._unary(op, x)

    def two(self, op, x, y):
        return x._do(op, y)

    def real(self, x): return self._part("stablehlo.real", x)           # noqa: E704
    def imag(self, x): return self._part("stablehlo.imag", x)           # noqa: E704

    def _part(self, op, x):
        return Expr(self.b, self.b.op(op, [x.val], Aval(x.val.shape, np.dtype(f"f{x.val.dtype.itemsize // 2}"))))

    def complex(self, re, im):
        return Expr(self.b, self.b.op("stablehlo.complex", [re.val, im.val],
                                      Aval(re.val.shape, np.dtype(f"c{2 * re.val.dtype.itemsize}"))))

    def convert(self, x, dtype):
        return Expr(self.b, self.b.convert(x.val, np.dtype(dtype)))

    def bits(self, x):
        """The bits of a float as a signed integer."""
        dtype = LAYOUT[x.val.dtype.itemsize][3]
        return Expr(self.b, self.b.op("stablehlo.bitcast_convert", [x.val], Aval(x.val.shape, dtype)))

    def reread(self, bits, dtype):
        """The bits read as another dtype of the same width."""
        return Expr(self.b, self.b.op("stablehlo.bitcast_convert", [bits.val], Aval(bits.val.shape, np.dtype(dtype))))

    def shift(self, bits, places):
        """bits · 2**places: to the right where places < 0, keeping the sign."""
        op = "shift_left" if places > 0 else "shift_right_arithmetic"
        return self.two(op, bits, Expr(self.b, self.b.like(bits.val, abs(places))))

    def copysign(self, x, y):
        """|x| with the sign of y."""
        low = np.iinfo(self.bits(x).val.dtype).max
        return self.reread((self.bits(x) & low) | (self.bits(y) & (-low - 1)), x.val.dtype)

    def power_of_two(self, n, dtype):
        """2**n of int32 n, where it is a normal number; 0 and inf below and above."""
        mantissa, bias, _, integer = LAYOUT[np.dtype(dtype).itemsize]
        n = self.where(n < -bias, -bias, n)
        n = self.where(n > bias + 1, bias + 1, n)
        return self.reread(self.shift(self.convert(n + bias, integer), mantissa), dtype)


def reading(f):
    """A lowering of a formula f(m, *operands), computed in float32 for narrower floats."""
    @functools.wraps(f)
    def lower(b, *xs, **params):
        m, narrow = Reading(b), xs[0].dtype
        wide, shape = roomy(narrow), np.broadcast_shapes(*[x.shape for x in xs])
        es = [Expr(b, b.broadcast_to(b.convert(x, wide) if x.dtype == narrow else x, shape)) for x in xs]
        out = f(m, *es, **params)
        return b.convert(out.val, narrow) if out.val.dtype == wide else out.val
    return lower


def _times(m, a, x):
    """a x where a = 0 wins over an infinite or unknown x."""
    return m.where(_equal(m, a, 0), a, a * x)


def _equal(m, x, y):
    return Expr(m.b, m.b.compare("EQ", x.val, x._other(y)))


def _both(m, x, f):
    """f of the real and of the imaginary part, as a complex number again."""
    re, im = f(m.real(x), m.imag(x))
    return m.complex(re, im)


# ---- exponentials and logarithms ----

@reading
def exp(m, x):
    """exp(x) (cos y + i sin y): infinities and zeros keep their signs."""
    if x.val.dtype.kind != "c":
        return m.exp(x)
    re, im = m.real(x), m.imag(x)
    limit = LAYOUT[re.val.dtype.itemsize][2]
    big = re > limit                                     # then in two steps: exp(x) alone would overflow
    e = m.exp(m.where(big, re * 0.5, re))
    rest = m.where(big, e, 1.0)
    c, s = m.one("stablehlo.cosine", im), m.one("stablehlo.sine", im)
    none = _equal(m, e, 0)
    return m.complex(m.where(none, 0.0, e * c * rest), m.where(none | _equal(m, s, 0), s * 0.0, e * s * rest))


LG = (6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
      1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01)
LN2_PARTS = (6.93147180369123816490e-01, 1.90821492927058770002e-10)
ROOT_HALF = 0x3FE6A09E667F3BCD                           # the bits of sqrt(1/2)


def _log_of(f, k):
    """k log(2) + log(1 + f) for 1 + f between sqrt(1/2) and sqrt(2), without branches, so that it is vectorised.

    k may be None for 0.
    log(1 + f) = f - f²/2 + s (f²/2 + R(s²)) with s = f / (2 + f). Source: FreeBSD's e_log.c, its method and constants.
    """
    s = f * (1.0 / (f + 2.0))                            # one loop: see formula.reciprocal
    z = s * s
    r = z * LG[6] + LG[5]
    for c in LG[4::-1]:
        r = r * z + c
    half = f * f * 0.5
    if k is None:
        return f - (half - s * (half + r * z))
    return k * LN2_PARTS[0] - ((half - (s * (half + r * z) + k * LN2_PARTS[1])) - f)


def _split(m, x):
    """(f, k) with x = 2**k (1 + f), 1 + f between sqrt(1/2) and sqrt(2), of positive normal float64."""
    bits = m.bits(x)
    one = 1023 << 52
    place = (bits - ROOT_HALF + one) & (0xFFF << 52)
    k = m.convert(m.convert(m.two("shift_right_logical", place, Expr(m.b, m.b.like(bits.val, 52))), "int32") - 1023,
                  x.val.dtype)
    return m.reread(bits - (place - one), x.val.dtype) - 1.0, k


def _log_edges(m, x, y):
    """y, the logarithm of x, where that is finite; -inf at 0, nan below, inf at inf."""
    edge = m.where(_equal(m, x, 0), -math.inf, m.where(_equal(m, x, math.inf), math.inf, math.nan))
    return m.where((x > 0.0) & (x < math.inf), y, edge)


@reading
def log(m, x):
    """The compiler's, which calls the C library for each float64; of large arrays `_log_of`, in a quarter of the time
    (it takes longer to compile)."""
    return m.log(x)


@reading
def log1p(m, x):
    """`_log_of` x itself where |x| is small, and of 1 + x, whose rounding then no longer counts, elsewhere."""
    if x.val.dtype.kind == "c" or x.val.dtype.itemsize == 4:
        return Xla.log1p(m, x)
    return _log1p(m, x)


def _log1p(m, x):
    u = x + 1.0
    small = (x > -0.29) & (x < 0.41)
    if x.val.aval.size < LARGE:
        y = m.where(small, _log_of(x, None), m.log(u))
    else:
        f, k = _split(m, u)
        y = _log_of(m.where(small, x, f), m.where(small, 0.0, k))
        y = m.where(small, y, _log_edges(m, u, y))
    return m.where(_equal(m, x, 0), x, y)                # the sign of a zero


@reading
def exp2(m, x):
    """2**n exp(r ln 2) with n the nearest integer: exact at integers."""
    if x.val.dtype.kind == "c":
        return Expr(m.b, exp(m.b, (x * LN2).val))
    dtype = x.val.dtype
    bias = LAYOUT[dtype.itemsize][1]
    n = m.one("stablehlo.round_nearest_even", x)
    inside = (x > -2.0 * bias - 60.0) & (x < 2.0 * bias)
    n, r = m.where(inside, n, 0.0), m.where(inside, x - n, x)
    k = m.convert(n, "int32")
    half = m.shift(k, -1)                                # 2**1024 overflows, 2**512 does not
    return m.exp(r * LN2) * m.power_of_two(half, dtype) * m.power_of_two(k - half, dtype)


def _fields(m, x):
    """(the exponent of x, whether x is a power of two), for positive normal numbers."""
    mantissa, bias, _, _ = LAYOUT[x.val.dtype.itemsize]
    bits = m.bits(x)
    return m.shift(bits, -mantissa) - bias, _equal(m, bits & ((1 << mantissa) - 1), 0)


@reading
def log2(m, x):
    """log(x) / log(2), and the exponent itself at powers of two."""
    if x.val.dtype.kind == "c":
        z = m.log(x)
        return _both(m, z, lambda re, im: (re * (1 / LN2), im * (1 / LN2)))
    k, power = _fields(m, x)
    return m.where(power & (x > 0.0) & (x < math.inf), m.convert(k, x.val.dtype), m.log(x) * (1 / LN2))


@reading
def log10(m, x):
    """k log10(2) + log(m) / log(10) for x = m 2**k; log10(2) in two parts, so that powers of ten are exact.

    Source: FreeBSD's e_log10.c, which states the method.
    """
    if x.val.dtype.kind == "c":
        z = m.log(x)
        return _both(m, z, lambda re, im: (re * (1 / LN10), im * (1 / LN10)))
    dtype = x.val.dtype
    mantissa, bias, _, integer = LAYOUT[dtype.itemsize]
    high, low = LOG10_2[dtype.itemsize]
    k, _ = _fields(m, x)
    below = m.convert(k < 0, integer)
    scaled = m.reread((m.bits(x) & ((1 << mantissa) - 1)) | m.shift(bias - below, mantissa), dtype)
    y = m.convert(k + below, dtype)
    out = (y * low + m.log(scaled) * (1 / LN10)) + y * high
    return m.where((x > 0.0) & (x < math.inf), out, m.log(x))


# ---- hyperbolic functions ----

def _sinh(m, x):
    """(e + e / (e + 1)) / 2 with e = expm1(|x|); near overflow e² / 2 with half of the argument."""
    a = m.abs(x)
    big = a > LAYOUT[x.val.dtype.itemsize][2]
    e = m.one("stablehlo.exponential_minus_one", m.where(big, a * 0.5, a))
    return m.copysign(m.where(big, e * 0.5 * e, (e + e / (e + 1.0)) * 0.5), x)


def _cosh(m, x):
    """(e + 1 / e) / 2 with e = exp(|x|); near overflow e² / 2 with half of the argument."""
    a = m.abs(x)
    big = a > LAYOUT[x.val.dtype.itemsize][2]
    e = m.exp(m.where(big, a * 0.5, a))
    return m.where(big, e * 0.5 * e, e * 0.5 + 0.5 / e)


def _circle(m, x):
    return m.one("stablehlo.cosine", x), m.one("stablehlo.sine", x)


@reading
def sinh(m, x):
    """sinh x cos y + i cosh x sin y."""
    if x.val.dtype.kind != "c":
        return _sinh(m, x)
    re, im = m.real(x), m.imag(x)
    c, s = _circle(m, im)
    return m.complex(_times(m, _sinh(m, re), c), _times(m, s, _cosh(m, re)))


@reading
def cosh(m, x):
    """cosh x cos y + i sinh x sin y."""
    if x.val.dtype.kind != "c":
        return _cosh(m, x)
    re, im = m.real(x), m.imag(x)
    c, s = _circle(m, im)
    return m.complex(_cosh(m, re) * c, _times(m, s, _times(m, _sinh(m, re), s * 0.0 + 1.0)))


@reading
def sin(m, x):
    """sin x cosh y + i cos x sinh y."""
    if x.val.dtype.kind != "c":
        return m.one("stablehlo.sine", x)
    re, im = m.real(x), m.imag(x)
    c, s = _circle(m, re)
    return m.complex(_times(m, s, _cosh(m, im)), _times(m, _sinh(m, im), c))


@reading
def cos(m, x):
    """cos x cosh y - i sin x sinh y."""
    if x.val.dtype.kind != "c":
        return m.one("stablehlo.cosine", x)
    re, im = m.real(x), m.imag(x)
    c, s = _circle(m, re)
    return m.complex(c * _cosh(m, im), -_times(m, s, _sinh(m, im)))


@reading
def arctanh(m, x):
    """log1p(2 a / (1 - a)) / 2 with a = |x|."""
    if x.val.dtype.kind == "c":
        return _signed("chlo.atanh", m, x, 1, 1)
    if x.val.dtype.itemsize == 4:
        return m.one("chlo.atanh", x)
    a = m.abs(x)
    return m.copysign(_log1p(m, (a + a) / (1.0 - a)) * 0.5, x)


# ---- branch cuts: which side of one a number lies on is told by the sign of a zero ----

def _signed(op, m, x, re_sign, im_sign):
    """The compiler's function; its parts get the signs of the parts of x (1) or the opposite (-1); 0: as it is."""
    z = m.one(op, x)
    re, im = m.real(z), m.imag(z)
    if re_sign:
        re = m.copysign(re, m.real(x))
    if im_sign:
        im = m.copysign(im, m.imag(x) if im_sign > 0 else -m.imag(x))
    return m.complex(re, im)


def signed(op, re_sign, im_sign):
    """The lowering of a function with branch cuts along the axes."""
    return reading(lambda m, x: m.one(op, x) if x.val.dtype.kind != "c" else _signed(op, m, x, re_sign, im_sign))


sqrt = signed("stablehlo.sqrt", 0, 1)
arcsin = signed("chlo.asin", 1, 1)
arccos = signed("chlo.acos", 0, -1)
arctan = signed("chlo.atan", 1, 1)
arcsinh = signed("chlo.asinh", 1, 1)
arccosh = signed("chlo.acosh", 0, 1)


# ---- two arguments ----

@reading
def hypot(m, x, y):
    """a sqrt(1 + (b / a)²) with a >= b the moduli; an infinity wins over nan."""
    x, y = m.abs(x), m.abs(y)
    a, b = m.two("maximum", x, y), m.two("minimum", x, y)
    r = b / m.where(_equal(m, a, 0), 1.0, a)
    return m.where(_equal(m, x, math.inf) | _equal(m, y, math.inf), math.inf, a * m.sqrt(r * r + 1.0))


def remainder_parts(m, x, y):
    """(fmod(x, y), whether its sign is not that of y)"""
    r = m.two("remainder", x, y)
    return r, ~_equal(m, r, 0) & Expr(m.b, m.b.compare("NE", (r < 0).val, (y < 0).val))


@reading
def remainder(m, x, y):
    """The remainder with the sign of y; of integers by 0 it is 0."""
    kind = x.val.dtype.kind
    if kind in "iu":
        none = _equal(m, y, 0)
        y = m.where(none, 1, y)
        r = m.two("remainder", x, y)
        if kind == "i":
            r, wrong = remainder_parts(m, x, y)
            r = m.where(wrong, r + y, r)
        return m.where(none, 0, r)
    r, wrong = remainder_parts(m, x, y)
    return m.where(wrong, r + y, m.where(_equal(m, r, 0), m.copysign(r, y), r))


@reading
def fmod(m, x, y):
    """The remainder with the sign of x; of integers by 0 it is 0."""
    if x.val.dtype.kind not in "iu":
        return m.two("remainder", x, y)
    none = _equal(m, y, 0)
    return m.where(none, 0, m.two("remainder", x, m.where(none, 1, y)))


@reading
def floor_divide(m, x, y):
    """(x - remainder) / y, which is an integer up to rounding; of integers by 0 it is 0."""
    kind = x.val.dtype.kind
    if kind in "iu":
        none = _equal(m, y, 0)
        y = m.where(none, 1, y)
        q = x / y
        if kind == "i":
            _, wrong = remainder_parts(m, x, y)
            q = m.where(wrong, q - 1, q)
        return m.where(none, 0, q)
    r, wrong = remainder_parts(m, x, y)
    q = (x - r) / y
    q = m.where(wrong, q - 1.0, q)
    n = m.one("stablehlo.floor", q)
    n = m.where(q - n > 0.5, n + 1.0, n)
    n = m.where(_equal(m, q, 0), m.copysign(q, x / y), n)
    return m.where(_equal(m, y, 0), x / y, n)


@reading
def gcd(m, x, y):
    """Euclid's algorithm on the moduli, as unsigned numbers, until all elements are done."""
    dtype = x.val.dtype
    if dtype.kind == "i":
        unsigned = np.dtype(f"u{dtype.itemsize}")
        x, y = m.reread(m.abs(x), unsigned), m.reread(m.abs(y), unsigned)

    def step(a, b):
        return [b, m.two("remainder", a, m.where(_equal(m, b, 0), 1, b))]
    return m.reread(m.loop(lambda a, b: ~_equal(m, b, 0), step, [x, y], 100)[0], dtype)


@reading
def ldexp(m, x, n):
    """x 2**n by four factors, each of which is a number."""
    dtype = x.val.dtype
    limit = 2 * LAYOUT[dtype.itemsize][1] + 2
    if n.val.dtype.itemsize > 1:
        n = m.where(n < -limit, -limit, n) if n.val.dtype.kind == "i" else n
        n = m.where(n > limit, limit, n)
    k = m.convert(n, "int32")
    quarter = m.shift(k, -2)
    factor = m.power_of_two(quarter, dtype)
    return x * factor * factor * factor * m.power_of_two(k - quarter * 3, dtype)


@reading
def power(m, x, y):
    """x to the power y: of integers by squaring, until all elements are done; of complex numbers exp(y log x)."""
    kind = x.val.dtype.kind
    if kind in "iu":
        one = Expr(m.b, m.b.like(x.val, 1))
        exponent = m.where(y < 0, 0, y) if kind == "i" else y

        def square(out, base, k):
            return [m.where(_equal(m, k & 1, 0), out, out * base), base * base, m.two("shift_right_logical", k, one)]
        out = m.loop(lambda out, base, k: ~_equal(m, k, 0), square, [one, x, exponent], 64)[0]
        if kind == "u":
            return out
        unit = m.where(_equal(m, y & 1, 0) | _equal(m, x, 1), 1, m.where(_equal(m, x, -1), one * -1, 0))
        return m.where(y < 0, m.where(_equal(m, m.abs(x), 1), unit, 0), out)      # 1 / x**n, without its fraction
    z = m.two("power", x, y)
    if kind != "c":
        return z
    none = _equal(m, m.real(x), 0) & _equal(m, m.imag(x), 0) & (m.real(y) > 0)
    return m.complex(m.where(none, 0.0, m.real(z)), m.where(none, 0.0, m.imag(z)))


@reading
def copysign(m, x, y):
    """The bits of x but the first, and the first of y."""
    return m.copysign(x, y)


def signbit(b, x):
    """Whether the first bit is set."""
    m = Reading(b)
    return (m.bits(Expr(b, b.convert(x, roomy(x.dtype)))) < 0).val


def exponent(b, x):
    """The n of x = m 2**n with 0.5 <= |m| < 1; 0 of zeros, infinities and nan."""
    m = Reading(b)
    e = Expr(b, b.convert(x, _F32) if x.dtype.itemsize <= 2 else x)
    mantissa, bias, _, integer = LAYOUT[e.val.dtype.itemsize]
    field = m.shift(m.bits(m.abs(e)), -mantissa)
    n = m.where(_equal(m, field, 0) | _equal(m, field, 2 * bias + 1), 0, field - (bias - 1))
    return b.convert(n.val, np.dtype("int32"))
