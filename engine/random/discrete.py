"""Discrete draws without rejection, and draws from given values: randint, bernoulli, categorical, choice,
permutation."""
import math

import numpy as np

from ..avals import canonical_axis, is_inexact, to_inexact_dtype
from ..errors import DtypeError, ShapeError
from ..numpy.picking import take
from ..numpy.picking import take_along_axis as take_along
from ..numpy.reductions import argmax
from ..numpy.sorting import searchsorted
from ..ops.elementwise import (
    bitcast,
    bitwise_and,
    ceil,
    ge,
    gt,
    le,
    log,
    log1p,
    lt,
    maximum,
    minimum,
    right_shift,
    stop_gradient,
    sub,
    where,
)
from ..ops.reduce import cumsum
from ..ops.shaping import slice_axis
from ..ops.sort import argsort
from ..ops.structural import asvalue, broadcast_to, cast, moveaxis, reshape
from .bits import float_dtype, open_unit_draw, shape_of, unit_draw
from .continuous import fits, gumbel_draw, parameters
from .generators import places
from .keys import single

_INT, _U64 = np.dtype("int64"), np.dtype("uint64")


def int_dtype(dtype):
    """The integer dtype of a draw: int64 for None and for `int`."""
    d = _INT if dtype is None or dtype is int else np.dtype(dtype)
    if d.kind not in "iu":
        raise DtypeError(f"the draw is of integers; dtype {d} is not one.\nAsk for an integer dtype and cast the draw.")
    return d


def randint(key, shape, minval, maxval, dtype=None):
    """Integers in [minval, maxval).   minval, maxval : int, broadcast to shape -> int[*shape]

    ⌊w n / 2ᵏ⌋ of a random word w of k bits and the number n of values, so a probability differs from 1/n by less than
    n / 2ᵏ of it: k = 128 for dtypes of 64 bits, 64 for narrower ones. Where maxval <= minval the result is minval.

    >>> from chainrule.engine import random
    >>> bool((random.randint(random.key(0), (100,), 0, 3) < 3).all())
    True
    """
    shape, dtype = shape_of(shape), int_dtype(dtype)
    return randint_draw(single(key, "randint"), shape, minval, maxval, dtype)


def randint_draw(stream, shape, minval, maxval, dtype):
    """Integers in [minval, maxval) of a stream."""
    wide = _U64 if dtype == _U64 else _INT
    low, high = (broadcast_to(_integer(v, wide), shape) for v in (minval, maxval))
    span = where(gt(high, low), sub(_unsigned(high), _unsigned(low)), np.uint64(1))
    if dtype.itemsize == 8:                              # w n / 2¹²⁸ by parts
        first, second = stream.pairs(np.uint32(0), places(shape), _U64)
        low_part, carry = first * span, _high_product(second, span)
        offset = _high_product(first, span) + cast(lt(low_part + carry, carry), _U64)
    else:
        offset = _high_product(stream.words(shape, _U64), span)
    out = _unsigned(low) + offset                        # wraps round, as two's complement does
    return cast(out if wide == _U64 else bitcast(out, _INT), dtype)


def _high_product(x, y):
    """The upper 64 bits of the product of two words."""
    half, mask = np.uint64(32), np.uint64(0xFFFFFFFF)
    x0, x1, y0, y1 = x & mask, right_shift(x, half), y & mask, right_shift(y, half)
    middle = x1 * y0 + right_shift(x0 * y0, half)
    other = x0 * y1 + (middle & mask)
    return x1 * y1 + right_shift(middle, half) + right_shift(other, half)


def _integer(v, dtype):
    if isinstance(v, (int, np.integer)):
        info = np.iinfo(dtype)
        return asvalue(np.asarray(min(max(int(v), info.min), info.max), dtype))
    v = asvalue(v)
    if v.dtype.kind not in "iu":
        raise DtypeError(f"the bounds of randint are integers; got {v.aval!r}.")
    return cast(v, dtype)


def _unsigned(x):
    return x if x.dtype == _U64 else bitcast(x, _U64)


def bernoulli(key, p=0.5, shape=None):
    """True with probability p, in steps of 2⁻⁵² (2⁻²³ for p of float32 or narrower).   p : float[*batch] ->
    bool[*shape]"""
    p = asvalue(p)
    dtype = to_inexact_dtype(p.dtype)
    dtype = dtype if dtype.itemsize >= 4 else np.dtype("float32")
    shape, (p,) = parameters("bernoulli", shape, dtype, p)
    return lt(unit_draw(single(key, "bernoulli"), shape, dtype), p)


def rademacher(key, shape=(), dtype=None):
    """-1 or 1, equally likely.   -> int[*shape]"""
    dtype = _INT if dtype is None or dtype is int else np.dtype(dtype)
    bit = cast(single(key, "rademacher").words(shape_of(shape), np.dtype("uint32")) & np.uint32(1), _INT)
    return cast(bit * 2 - 1, dtype)


def geometric(key, p, shape=None, dtype=None):
    """The number of trials up to the first success: ⌈log u / log(1 - p)⌉.   p : float[*batch], in (0, 1] ->
    int[*shape], >= 1

    Numbers that the dtype does not hold become its largest, as all do for p = 0; -1 where p is not in [0, 1].
    """
    dtype = int_dtype(dtype)
    shape, (p,) = parameters("geometric", shape, np.dtype("float64"), stop_gradient(asvalue(p)))
    u = open_unit_draw(single(key, "geometric"), shape, p.dtype)
    return integers(maximum(ceil(log(u) / log1p(-p)), 1.0), bitwise_and(ge(p, 0), le(p, 1)), dtype)


def integers(k, valid, dtype):
    """Counts in an integer dtype: -1 (or the largest number, of an unsigned dtype) where the parameters are not valid;
    no more than the dtype holds."""
    top = np.iinfo(dtype).max
    largest = float(top) if int(float(top)) <= top else float(np.nextafter(float(top), 0))
    out = cast(minimum(where(valid, k, np.zeros(())), largest), dtype)
    return where(valid, where(gt(k, largest), np.asarray(top, dtype), out), np.asarray(-1).astype(dtype))


def categorical(key, logits, axis=-1, shape=None, replace=True):
    """Indices along `axis`, with probabilities proportional to exp(logits): the largest of logits + Gumbel noise.

    logits : float[*batch, n] (n at `axis`)     shape : that of the result, to which *batch broadcasts -> int[*shape]

    Without replacement, the axes of `shape` before those of *batch are one draw of different indices for each place of
    *batch, which leave one after the other, as from an urn (the largest ones of one noise; Efraimidis & Spirakis 2006).

    >>> from chainrule.engine import random
    >>> import chainrule.engine.numpy as np
    >>> int(random.categorical(random.key(0), np.array([-np.inf, 0.0])))
    1
    """
    logits = asvalue(logits)
    dtype = to_inexact_dtype(logits.dtype)
    dtype = dtype if dtype.itemsize >= 4 else np.dtype("float32")
    logits = moveaxis(cast(logits, dtype), canonical_axis(axis, logits.ndim), -1)
    batch, n = logits.shape[:-1], logits.shape[-1]
    if n < 1:
        raise ShapeError("categorical draws out of no categories.")
    shape = batch if shape is None else shape_of(shape)
    if not fits(batch, shape):
        raise ShapeError(f"categorical draws shape {shape}, to which logits of batch shape {batch} do not broadcast.\n"
                         f"`shape` is that of the whole result: (*shape, {', '.join(map(str, batch))}).")
    stream = single(key, "categorical")
    if replace:
        return argmax(gumbel_draw(stream, (*shape, n), dtype) + logits, axis=-1)
    lead = len(shape) - len(batch)
    count = math.prod(shape[:lead])
    if count > n:
        raise ShapeError(f"categorical draws {count} different indices out of {n}.")
    order = argsort(-(gumbel_draw(stream, (*shape[lead:], n), dtype) + logits), len(batch))
    return reshape(moveaxis(slice_axis(order, 0, count, len(batch)), -1, 0), shape)


def permutation_of(stream, n):
    """A random order of n things: the order of n random words."""
    return argsort(stream.words((n,), _U64), 0)


def permutation(key, x, axis=0, independent=False):
    """x in random order along an axis; an integer stands for arange(x). With `independent`, each line has its own
    order.

    >>> from chainrule.engine import random
    >>> sorted(random.permutation(random.key(0), 4).tolist())
    [0, 1, 2, 3]
    """
    stream = single(key, "permutation")
    if isinstance(x, (int, np.integer)):
        return permutation_of(stream, int(x))
    x = asvalue(x)
    axis = canonical_axis(axis, x.ndim)
    if independent:
        order = argsort(stream.words(x.shape, _U64), axis)
        return take_along(x, order, axis)
    return take(x, permutation_of(stream, x.shape[axis]), axis)


def choice(key, a, shape=(), replace=True, p=None, axis=0):
    """Elements of a (or of arange(a)) along an axis, with or without replacement.   p : float[n], weights that sum to 1

    Without replacement and with weights, elements leave one after the other, as from an urn (the largest of
    log p + Gumbel noise; Efraimidis & Spirakis 2006).

    >>> from chainrule.engine import random
    >>> random.choice(random.key(0), 5, (3,), replace=False).shape
    (3,)
    """
    shape = shape_of(shape)
    if isinstance(a, (int, np.integer)):
        n = int(a)
    else:
        a = asvalue(a)
        axis = canonical_axis(axis, a.ndim)
        n = a.shape[axis]
    count = math.prod(shape)
    if n < 1 and count:
        raise ShapeError("choice from no elements.")
    if not replace and count > n:
        raise ShapeError(f"choice of {count} elements out of {n} without replacement: there are not so many.\n"
                         "Ask for fewer, or let elements come again with replace=True.")
    stream = single(key, "choice")
    if p is None:
        index = (randint_draw(stream, (count,), 0, n, _INT) if replace
                 else slice_axis(permutation_of(stream, n), 0, count, 0))
    else:
        index = _weighted(stream, p, n, count, replace)
    index = reshape(index, shape)
    if isinstance(a, (int, np.integer)):
        return index
    return take(a, index, axis)


def _weighted(stream, p, n, count, replace):
    p = asvalue(p)
    dtype = float_dtype(p.dtype if is_inexact(p.dtype) else None)
    p = cast(p, dtype)
    if p.shape != (n,):
        raise ShapeError(f"choice out of {n} elements takes {n} weights; p has shape {p.shape}.")
    if not replace:
        return slice_axis(argsort(-(log(p) + gumbel_draw(stream, (n,), dtype)), 0), 0, count, 0)
    total = cumsum(p, 0)
    u = unit_draw(stream, (count,), dtype) * slice_axis(total, n - 1, n, 0)
    return minimum(searchsorted(total, u, side="right"), n - 1)


__all__ = ["bernoulli", "categorical", "choice", "geometric", "permutation", "rademacher", "randint"]
