"""Bits, and the two draws that everything else is made of: uniform and normal."""
import functools
import inspect
import math
import operator

import numpy as np

from ..avals import default_float, is_inexact
from ..errors import DtypeError, ShapeError
from ..ops.complexes import complex_p
from ..ops.elementwise import (
    bitcast,
    bitwise_or,
    eq,
    floor,
    left_shift,
    maximum,
    minimum,
    nextafter,
    right_shift,
    where,
)
from ..ops.quantile import ndtri_p
from ..ops.structural import asvalue, broadcast_to, cast
from .keys import single

_U32, _U64, _F32 = np.dtype("uint32"), np.dtype("uint64"), np.dtype("float32")
_WORD = {_F32: (_U32, 23), np.dtype("float64"): (_U64, 52)}


def shape_of(shape):
    """A shape as a tuple of ints."""
    if isinstance(shape, (int, np.integer)):
        return (int(shape),)
    try:
        out = tuple([operator.index(n) for n in shape])
    except TypeError:
        raise ShapeError(f"a shape is a tuple of integers; got {shape!r}.") from None
    if any(n < 0 for n in out):
        raise ShapeError(f"a shape has no negative sizes; got {out}.")
    return out


def float_dtype(dtype):
    """The floating dtype of a draw: the default one for None and for `float`."""
    d = default_float() if dtype is None or dtype is float else np.dtype(dtype)
    if not is_inexact(d) or d.kind == "c":
        raise DtypeError(f"the draw is of real numbers; dtype {d} is not a real floating dtype.")
    return d


def bits(key, shape=(), dtype=None):
    """Random bits as unsigned integers (uint32 if no dtype is given).   -> uint[*shape]

    >>> from chainrule.engine import random
    >>> random.bits(random.key(0), (2,)).dtype
    dtype('uint32')
    """
    dtype = _U32 if dtype is None else np.dtype(dtype)
    if dtype.kind != "u":
        raise DtypeError(f"bits are unsigned integers; got dtype {dtype}.")
    return single(key, "bits").words(shape_of(shape), dtype)


def word_of(dtype):
    """The unsigned dtype of the words that a draw of a floating dtype is made of."""
    return _WORD[dtype][0]


def unit(words, dtype):
    """Uniform numbers in [0, 1) out of words: the high bits as the fraction of a number in [1, 2)."""
    word, fraction = _WORD[dtype]
    pattern = word.type(np.ones((), dtype).view(word))   # the bits of 1.0
    high = right_shift(words, word.type(8 * word.itemsize - fraction))
    return bitcast(bitwise_or(high, pattern), dtype) - np.ones((), dtype)


def open_unit(words, dtype):
    """Uniform numbers in (0, 1) out of words: midpoints of 2⁵² steps in float64, all 32 bits, fine near 0, in
    float32."""
    if words.dtype == _U64:
        return unit(words, dtype) + np.asarray(2.0 ** -53, dtype)
    return minimum(cast(words, dtype) * np.asarray(2.0 ** -32, dtype) + np.asarray(2.0 ** -33, dtype),
                   np.asarray(1 - 2.0 ** -24, dtype))


def signed_half(words, dtype):
    """(sign, h): -1 or 1 and a uniform number in (0, 1/2), for the draws of symmetric distributions."""
    one = words.dtype.type(1)
    negative = right_shift(words, words.dtype.type(8 * words.dtype.itemsize - 1))
    sign = where(eq(negative, one), np.asarray(-1, dtype), np.asarray(1, dtype))
    return sign, open_unit(left_shift(words, one), dtype) * np.asarray(0.5, dtype)


def normal_of(words, dtype):
    """Standard normal numbers out of words, by inversion (three times as quick compiled as √2 erfinv).

    float32 takes a sign and the lower half, whose 31 bits reach 6.3 deviations.
    """
    if words.dtype == _U64:
        return ndtri_p.bind(open_unit(words, dtype))
    sign, h = signed_half(words, dtype)
    return -(sign * ndtri_p.bind(h))


@functools.cache
def _tangent_polynomials(levels=9):
    """The numerator and denominator of tan(x)/x in x², highest power first: Lambert's fraction 1/(1 - x²/(3 - x²/(5 -
    …))), DLMF 4.25.1."""
    top, bottom = np.polynomial.Polynomial([1.0]), np.polynomial.Polynomial([2.0 * levels - 1])
    for k in range(levels - 1, 0, -1):
        top, bottom = bottom, (2 * k - 1) * bottom - np.polynomial.Polynomial([0.0, 1.0]) * top
    return [(p.coef[::-1] / bottom.coef[0]).tolist() for p in (top, bottom)]


def cotangent(h):
    """cot(π h) for h in (0, 1/2), from t = tan(π h / 2) as (1 - t²) / 2t; a ratio of polynomials is quicker than
    tan."""
    x = h * (math.pi / 2)
    square = x * x
    parts = []
    for coefficients in _tangent_polynomials():
        part = coefficients[0]
        for c in coefficients[1:]:
            part = part * square + c
        parts.append(part)
    t = x * (parts[0] / parts[1])
    return (1 - t) * (1 + t) / (2 * t)


def unit_draw(stream, shape, dtype):
    """Uniform numbers in [0, 1) of a stream."""
    return unit(stream.words(shape, word_of(dtype)), dtype)


def open_unit_draw(stream, shape, dtype):
    """Uniform numbers in (0, 1) of a stream."""
    return open_unit(stream.words(shape, word_of(dtype)), dtype)


def normal_draw(stream, shape, dtype):
    """Standard normal numbers of a stream."""
    return normal_of(stream.words(shape, word_of(dtype)), dtype)


def of_floats(f):
    """A sampler f that is given float32 or float64 as its dtype; half as wide numbers are rounded from float32."""
    place = list(inspect.signature(f).parameters).index("dtype")

    @functools.wraps(f)
    def draw(*args, **options):
        dtype = float_dtype(args[place] if len(args) > place else options.get("dtype"))
        options["dtype"] = dtype if dtype in _WORD else _F32
        out = f(*args[:place], *args[place + 1:], **options)
        return out if dtype in _WORD else cast(out, dtype)
    return draw


def uniform(key, shape=(), dtype=None, minval=0.0, maxval=1.0):
    """Uniform numbers in [minval, maxval).   minval, maxval : broadcast to shape -> float[*shape]

    >>> from chainrule.engine import random
    >>> bool((random.uniform(random.key(0), (5,)) < 1).all())
    True
    """
    shape, dtype = shape_of(shape), float_dtype(dtype)
    stream = single(key, "uniform")
    if dtype in _WORD:
        u = unit_draw(stream, shape, dtype)
    else:                                                # as many steps as the narrow type can tell apart
        steps = 2.0 ** (8 if dtype.name == "bfloat16" else 11)
        u = cast(floor(unit_draw(stream, shape, _F32) * steps) / steps, dtype)
    if type(minval) in (int, float) and type(maxval) in (int, float) and (minval, maxval) == (0, 1):
        return u
    low, high = (cast(asvalue(v), dtype) for v in (minval, maxval))
    last = maximum(low, nextafter(high, low))            # what rounding may not pass
    low, high, last = (broadcast_to(v, shape) for v in (low, high, last))
    return maximum(low, minimum(u * (high - low) + low, last))


def normal(key, shape=(), dtype=None):
    """Standard normal numbers, by inversion; of a complex dtype, both parts with variance 1/2.   -> float[*shape]

    >>> from chainrule.engine import random
    >>> random.normal(random.key(0), (2, 3)).shape
    (2, 3)
    """
    if dtype is not None and np.dtype(dtype).kind == "c":
        half = _F32 if np.dtype(dtype).itemsize == 8 else np.dtype("float64")
        stream = single(key, "normal")
        parts = [normal_draw(stream.inner(i), shape_of(shape), half) * np.asarray(0.5 ** 0.5, half) for i in (0, 1)]
        return complex_p.bind(*parts)
    return _real_normal(key, shape, dtype)


@of_floats
def _real_normal(key, shape, dtype):
    return normal_draw(single(key, "normal"), shape_of(shape), dtype)
