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
from ..ops.elementwise import bitcast, ceil, gt, log, log1p, lt, maximum, minimum, rem_p, sub, where
from ..ops.reduce import argsort, cumsum
from ..ops.shaping import slice_axis
from ..ops.structural import asvalue, broadcast_to, cast, moveaxis, reshape
from .bits import float_dtype, open_unit_draw, shape_of, unit_draw, words_for
from .continuous import fits, gumbel_draw, parameters
from .keys import single

_INT, _U64 = np.dtype("int64"), np.dtype("uint64")


def int_dtype(dtype):
    """The integer dtype of a draw: int64 for None and for `int`."""
    d = _INT if dtype is None or dtype is int else np.dtype(dtype)
    if d.kind not in "iu":
        raise DtypeError(f"the draw is of integers; dtype {d} is not one.")
    return d


def randint(key, shape, minval, maxval, dtype=None):
    """Integers in [minval, maxval), equally likely up to a relative (maxval - minval) / 2⁶⁴.   -> int[*shape]

    minval, maxval : int, broadcast to shape. Where maxval <= minval the result is minval.

    >>> from chainrule.engine import random
    >>> bool((random.randint(random.key(0), (100,), 0, 3) < 3).all())
    True
    """
    shape, dtype = shape_of(shape), int_dtype(dtype)
    pair = single(key, "randint")
    wide = _U64 if dtype == _U64 else _INT
    low, high = (broadcast_to(_integer(v, wide), shape) for v in (minval, maxval))
    span = sub(_unsigned(high), _unsigned(low))
    span = where(gt(high, low), span, np.uint64(1))
    offset = rem_p.bind(words_for(pair, shape, _U64), span)
    out = _unsigned(low) + offset                        # wraps round, as two's complement does
    return cast(out if wide == _U64 else bitcast(out, _INT), dtype)


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
    """True with probability p.   p : float[*batch] -> bool[*shape]"""
    p = asvalue(p)
    dtype = to_inexact_dtype(p.dtype)
    shape, (p,) = parameters("bernoulli", shape, dtype, p)
    return lt(unit_draw(single(key, "bernoulli"), shape, dtype), p)


def rademacher(key, shape=(), dtype=None):
    """-1 or 1, equally likely.   -> int[*shape]"""
    dtype = _INT if dtype is None or dtype is int else np.dtype(dtype)
    bit = cast(words_for(single(key, "rademacher"), shape_of(shape), np.dtype("uint32")) & np.uint32(1), _INT)
    return cast(bit * 2 - 1, dtype)


def geometric(key, p, shape=None, dtype=None):
    """The number of trials up to the first success: ceil(log u / log(1 - p)).   p : float[*batch] -> int[*shape], >=
    1"""
    dtype = int_dtype(dtype)
    floating = to_inexact_dtype(asvalue(p).dtype)
    shape, (p,) = parameters("geometric", shape, floating, p)
    u = open_unit_draw(single(key, "geometric"), shape, floating)
    return cast(maximum(ceil(log(u) / log1p(-p)), np.ones((), floating)), dtype)


def categorical(key, logits, axis=-1, shape=None):
    """Indices along `axis`, with probabilities proportional to exp(logits): the largest of logits + Gumbel noise.

    logits : float[*batch, n] (n at `axis`)     shape : that of the result, to which *batch broadcasts -> int[*shape]

    >>> from chainrule.engine import random
    >>> import chainrule.engine.numpy as np
    >>> int(random.categorical(random.key(0), np.array([-np.inf, 0.0])))
    1
    """
    logits = asvalue(logits)
    dtype = to_inexact_dtype(logits.dtype)
    logits = moveaxis(cast(logits, dtype), canonical_axis(axis, logits.ndim), -1)
    batch, n = logits.shape[:-1], logits.shape[-1]
    shape = batch if shape is None else shape_of(shape)
    if not fits(batch, shape):
        raise ShapeError(f"categorical draws shape {shape}, to which logits of batch shape {batch} do not broadcast.\n"
                         f"`shape` is that of the whole result: (*shape, {', '.join(map(str, batch))}).")
    noise = gumbel_draw(single(key, "categorical"), (*shape, n), dtype)
    return argmax(noise + logits, axis=-1)


def permutation_of(pair, n):
    """A random order of n things: the order of n random words."""
    return argsort(words_for(pair, (n,), _U64), 0)


def permutation(key, x, axis=0, independent=False):
    """x in random order along an axis; an integer stands for arange(x). With `independent`, each line has its own
    order.

    >>> from chainrule.engine import random
    >>> sorted(random.permutation(random.key(0), 4).tolist())
    [0, 1, 2, 3]
    """
    pair = single(key, "permutation")
    if isinstance(x, (int, np.integer)):
        return permutation_of(pair, int(x))
    x = asvalue(x)
    axis = canonical_axis(axis, x.ndim)
    if independent:
        order = argsort(words_for(pair, x.shape, _U64), axis)
        return take_along(x, order, axis)
    return take(x, permutation_of(pair, x.shape[axis]), axis)


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
        raise ShapeError(f"choice of {count} elements out of {n} without replacement.")
    pair = single(key, "choice")
    if p is None:
        index = randint(key, (count,), 0, n) if replace else slice_axis(permutation_of(pair, n), 0, count, 0)
    else:
        index = _weighted(pair, p, n, count, replace)
    index = reshape(index, shape)
    if isinstance(a, (int, np.integer)):
        return index
    return take(a, index, axis)


def _weighted(pair, p, n, count, replace):
    p = asvalue(p)
    dtype = float_dtype(p.dtype if is_inexact(p.dtype) else None)
    p = cast(p, dtype)
    if p.shape != (n,):
        raise ShapeError(f"choice out of {n} elements takes {n} weights; p has shape {p.shape}.")
    if not replace:
        return slice_axis(argsort(-(log(p) + gumbel_draw(pair, (n,), dtype)), 0), 0, count, 0)
    total = cumsum(p, 0)
    u = unit_draw(pair, (count,), dtype) * slice_axis(total, n - 1, n, 0)
    return minimum(searchsorted(total, u, side="right"), n - 1)


__all__ = ["bernoulli", "categorical", "choice", "geometric", "permutation", "rademacher", "randint"]
