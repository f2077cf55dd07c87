"""Bits, and the two draws that everything else is made of: uniform and normal."""
import math
import operator

import numpy as np

from ..avals import default_float, is_inexact
from ..errors import DtypeError, ShapeError
from ..ops.elementwise import bitcast, bitwise_or, bitwise_xor, floor, left_shift, maximum, right_shift
from ..ops.random_bits import threefry2x32
from ..ops.special import ndtri_p
from ..ops.structural import asvalue, broadcast_to, cast, full, reshape
from .keys import counters, single

_U32, _U64 = np.dtype("uint32"), np.dtype("uint64")
_WORD = {np.dtype("float32"): (_U32, 23), np.dtype("float64"): (_U64, 52)}


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


def words_for(pair, shape, dtype):
    """Random words for two key words: word i is the cipher of i, so it does not depend on the shape around it."""
    n = math.prod(shape)
    if n == 0:
        return full(shape, 0, dtype)
    a, b = threefry2x32(*pair, *counters(n))
    out = bitwise_xor(a, b) if dtype.itemsize < 8 else bitwise_or(left_shift(cast(a, _U64), np.uint64(32)),
                                                                  cast(b, _U64))
    return reshape(cast(out, dtype), shape)


def bits(key, shape=(), dtype=None):
    """Random bits as unsigned integers (uint32 if no dtype is given).   -> uint[*shape]

    >>> from chainrule.engine import random
    >>> random.bits(random.key(0), (2,)).dtype
    dtype('uint32')
    """
    dtype = _U32 if dtype is None else np.dtype(dtype)
    if dtype.kind != "u":
        raise DtypeError(f"bits are unsigned integers; got dtype {dtype}.")
    return words_for(single(key, "bits"), shape_of(shape), dtype)


def unit(words, dtype):
    """Uniform numbers in [0, 1) out of words: the high bits as the fraction of a number in [1, 2)."""
    word, fraction = _WORD[dtype]
    pattern = word.type(np.ones((), dtype).view(word))   # the bits of 1.0
    high = right_shift(words, word.type(8 * word.itemsize - fraction))
    return bitcast(bitwise_or(high, pattern), dtype) - np.ones((), dtype)


def unit_draw(pair, shape, dtype):
    """Uniform numbers in [0, 1) for two key words."""
    if dtype in _WORD:
        return unit(words_for(pair, shape, _WORD[dtype][0]), dtype)
    steps = 2.0 ** (8 if dtype.name == "bfloat16" else 11)  # as many as the narrow type can tell apart
    return cast(floor(unit_draw(pair, shape, np.dtype("float32")) * steps) / steps, dtype)


def open_unit_draw(pair, shape, dtype):
    """Uniform numbers in (0, 1): the midpoints of the steps of `unit_draw`."""
    if dtype not in _WORD:
        return cast(open_unit_draw(pair, shape, np.dtype("float32")), dtype)
    return unit_draw(pair, shape, dtype) + np.asarray(0.5 * 2.0 ** -_WORD[dtype][1], dtype)


def uniform(key, shape=(), dtype=None, minval=0.0, maxval=1.0):
    """Uniform numbers in [minval, maxval).   minval, maxval : broadcast to shape -> float[*shape]

    >>> from chainrule.engine import random
    >>> bool((random.uniform(random.key(0), (5,)) < 1).all())
    True
    """
    shape, dtype = shape_of(shape), float_dtype(dtype)
    u = unit_draw(single(key, "uniform"), shape, dtype)
    if type(minval) in (int, float) and type(maxval) in (int, float) and (minval, maxval) == (0, 1):
        return u
    low, high = (broadcast_to(cast(asvalue(v), dtype), shape) for v in (minval, maxval))
    return maximum(low, u * (high - low) + low)


def normal_draw(pair, shape, dtype):
    """Standard normal numbers for two key words, by inversion (three times as quick compiled as √2 erfinv)."""
    if dtype not in _WORD:
        return cast(normal_draw(pair, shape, np.dtype("float32")), dtype)
    return ndtri_p.bind(open_unit_draw(pair, shape, dtype))


def normal(key, shape=(), dtype=None):
    """Standard normal numbers, by inversion.   -> float[*shape]

    >>> from chainrule.engine import random
    >>> random.normal(random.key(0), (2, 3)).shape
    (2, 3)
    """
    return normal_draw(single(key, "normal"), shape_of(shape), float_dtype(dtype))
