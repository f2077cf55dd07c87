"""Lowerings that take several operations of StableHLO: of element-wise operations and of sums."""
import functools
import math

import numpy as np

from ..avals import Aval, kind, roomy

SMALL = 256                                              # elements that larger arrays may be made of, row by row
# The coefficients of the polynomial r(z) nearest to (2 artanh(s) / s - 2) / z, z = s², for s up to 1/3: by Remez's
# exchange, so that the largest error of z r(z), over 2, is least: 2**-59.4 with ten of them, 2**-33.1 with five.
ARTANH = {8: (0.6666666666666631, 0.40000000000157243, 0.28571428547853833, 0.22222223969739383, 0.1818174392452495,
              0.15386559933043883, 0.13300973443956157, 0.12106087429583688, 0.08340096245074008, 0.17018585202268174),
          4: (0.6666667562272437, 0.3999887768072548, 0.28616886407968856, 0.214276411938551, 0.24300994810181764)}


def _tail(b, x):
    """exp(-|x|), which softplus and the sigmoid share (the compiler finds it once)."""
    return b.op("stablehlo.exponential", [b.op("stablehlo.negate", [b.op("stablehlo.abs", [x], x.aval)], x.aval)],
                x.aval)


def logistic(b, x):
    """(1 or e) / (1 + e) with e = exp(-|x|)"""
    if x.dtype.kind == "c":
        return b.op("stablehlo.logistic", [x], x.aval)
    e, one = _tail(b, x), b.like(x, 1)
    top = b.select(b.compare("GE", x, b.like(x, 0)), one, e)
    return b.elementwise("stablehlo.divide", top, b.elementwise("stablehlo.add", one, e))


def softplus(b, x, e=None):
    """max(x, 0) + log1p(e), e = exp(-|x|) in (0, 1], by log1p(e) = 2 artanh(s), s = e / (2 + e) <= 1/3.

    The rest of 2 artanh(s) is a polynomial without branches, many times quicker than the compiler's log1p.
    """
    e = _tail(b, x) if e is None else e
    below = b.elementwise("stablehlo.add", b.like(x, 2), e)
    one = b.elementwise("stablehlo.divide", b.like(x, 1), below)
    s = b.elementwise("stablehlo.multiply", e, one)      # one loop over the array: see formula.reciprocal
    square = b.elementwise("stablehlo.multiply", s, s)
    *lower, highest = ARTANH[max(x.dtype.itemsize, 4)]
    series = b.like(x, highest)
    for c in reversed(lower):
        series = b.elementwise("stablehlo.add", b.like(x, c), b.elementwise("stablehlo.multiply", series, square))
    rest = b.elementwise("stablehlo.multiply", series, square)
    if x.aval.size <= SMALL:                             # a division last: too dear for XLA to repeat it for each row
        top = b.elementwise("stablehlo.multiply", e, b.elementwise("stablehlo.add", b.like(x, 2), rest))
        low = b.elementwise("stablehlo.divide", top, below)
    else:
        low = b.elementwise("stablehlo.add", b.elementwise("stablehlo.add", s, s),
                            b.elementwise("stablehlo.multiply", rest, s))
    return b.elementwise("stablehlo.add", b.elementwise("stablehlo.maximum", x, b.like(x, 0)), low)


def sign(b, x):
    """-1, 0 or 1, and 0 of -0.0, which XLA's own would keep, in two thirds of its time."""
    if kind(x.dtype) == "u":
        return b.convert(b.convert(x, np.dtype(bool)), x.dtype)
    if kind(x.dtype) != "f":
        return b.op("stablehlo.sign", [x], x.aval)
    rest = b.elementwise("stablehlo.subtract", x, x)     # 0, or nan of nan
    rest = b.select(b.compare("LT", x, b.like(x, 0)), b.like(x, -1), rest)
    return b.select(b.compare("GT", x, b.like(x, 0)), b.like(x, 1), rest)


def is_finite(b, x):
    if x.dtype.kind != "c":
        return b.op("stablehlo.is_finite", [x], b.out[0])
    part = Aval(x.shape, np.dtype(f"f{x.dtype.itemsize // 2}"))
    return b.elementwise("stablehlo.and", *[b.op("stablehlo.is_finite", [b.op(f"stablehlo.{name}", [x], part)],
                                                 b.out[0]) for name in ("real", "imag")])


def integer_pow(b, x, *, n):
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


def compare(b, direction, x, y):
    """Complex numbers go by their real parts, and by the imaginary ones where those are equal."""
    if x.dtype.kind != "c" or direction in ("EQ", "NE"):
        return b.compare(direction, x, y)
    part = np.dtype(f"f{x.dtype.itemsize // 2}")
    (a, c), (d, e) = [[b.op(f"stablehlo.{name}", [v], Aval(v.shape, part)) for name in ("real", "imag")]
                      for v in (x, y)]
    tie = b.elementwise("stablehlo.and", b.compare("EQ", a, d), b.compare(direction, c, e))
    return b.elementwise("stablehlo.or", b.compare(direction[:1] + "T", a, d), tie)


def extreme(op, direction):
    def lower(b, x, y):
        if x.dtype.kind != "c":
            return b.elementwise(op, x, y)
        shape = np.broadcast_shapes(x.shape, y.shape)
        x, y = b.broadcast_to(x, shape), b.broadcast_to(y, shape)
        best = b.select(compare(b, direction, x, y), x, y)
        best = b.select(b.compare("NE", y, y), y, best)
        return b.select(b.compare("NE", x, x), x, best)
    return lower


# ---- reductions ----

MANY, FEW = 1024, 32                                     # elements in a row, rows that are added one by one
SHORT, LONG = 64, 8192                                   # elements of a row that is folded: above, and at most


def reduce(b, op, x, start, axes):
    """Fold `op` over axes. Halves are summed in float32.

    Rows of many elements are added row to row: the compiler would walk down each column, 30 times slower. One row is
    folded quarter on quarter on the host, by vector instructions and in one pass with what makes it: the compiler keeps
    the order of a sum of floats, so that each one waits for the one before.
    """
    dtype = x.dtype
    if roomy(dtype) != dtype and op in ("stablehlo.add", "stablehlo.multiply"):
        return b.convert(reduce(b, op, b.convert(x, roomy(dtype)), start, axes), dtype)
    first, last = (axes[0], axes[-1] + 1) if axes else (0, 0)
    n, row = math.prod(x.shape[first:last]), math.prod(x.shape[last:])
    if b.partitioned or len(axes) != last - first:
        return b.reduce(op, x, start, axes)
    if last == len(x.shape) and SHORT < n <= LONG and dtype.kind == "f" and b.platform == "cpu":
        return b.reshape(_folded(b, op, b.reshape(x, (math.prod(x.shape[:first]), n)), start), x.shape[:first])
    if not 2 <= n <= FEW * FEW or row < MANY or n * row < FEW * MANY:
        return b.reduce(op, x, start, axes)
    flat = b.reshape(x, (math.prod(x.shape[:first]), n, row))
    return b.reshape(_rows(b, op, flat), (*x.shape[:first], *x.shape[last:]))


def _folded(b, op, x, start):
    """`op` over axis 1 of two."""
    lead, n = x.shape
    rest = []
    while n > SHORT:
        part = n // 4
        quarters = [b.slice(x, (0, k * part), (lead, (k + 1) * part)) for k in range(4)]
        if n % 4:
            rest.append(b.reduce(op, b.slice(x, (0, 4 * part), (lead, n)), start, (1,)))
        x, n = functools.reduce(lambda x, y: b.elementwise(op, x, y), quarters), part
    return functools.reduce(lambda x, y: b.elementwise(op, x, y), [b.reduce(op, x, start, (1,)), *rest])


def _rows(b, op, x):
    """`op` over axis 1 of three."""
    lead, n, row = x.shape
    tall = -(-n // FEW)                                  # blocks of so many rows are folded into one block

    def block(low, high):
        return b.slice(x, (0, low, 0), (lead, high, row))
    whole = n // tall
    out = block(0, tall)
    for i in range(1, whole):
        out = b.elementwise(op, out, block(i * tall, (i + 1) * tall))
    out = _rows(b, op, out) if tall > 1 else out
    return out if whole * tall == n else b.elementwise(op, out, _rows(b, op, block(whole * tall, n)))
