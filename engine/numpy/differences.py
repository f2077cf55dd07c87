"""Differences of neighbours, and what is made of them: gradients, integrals, angles without jumps."""
import math

import numpy as _np

from ..avals import canonical_axes, canonical_axis, to_inexact_dtype
from ..errors import ShapeError
from ..ops.complexes import real
from ..ops.elementwise import abs, bitwise_and, eq, gt, lt, ne
from ..ops.elementwise import where as _where
from ..ops.reduce import cumsum
from ..ops.shaping import concatenate, slice_axis
from ..ops.structural import asvalue, broadcast_to, cast, promote, reduce_sum, reshape
from .direct import at_once, known
from .elementary import remainder


def _pairs(x, axis):
    """(all but the first, all but the last) along an axis"""
    n = x.shape[axis]
    return slice_axis(x, min(1, n), n, axis), slice_axis(x, 0, max(n - 1, 0), axis)


def _beside(value, a, axis):
    """A value to be put before or after a: a scalar stands for a slice."""
    value = asvalue(value)
    if value.ndim == 0:
        return broadcast_to(value, tuple([1 if i == axis else n for i, n in enumerate(a.shape)]))
    return value


def diff(a, n=1, axis=-1, prepend=None, append=None):
    """Differences of neighbours along an axis, n times, of a with `prepend` before and `append` after it."""
    if prepend is append is None and (v := known(a)) is not None:
        y = at_once(_np.diff, v, n, axis)
        if y is not None:
            return y
    a = asvalue(a)
    if n < 0:
        raise ShapeError(f"diff of order {n}: the order must be 0 or more.")
    if a.ndim == 0:
        raise ShapeError("diff of an array without dimensions: it has no neighbours.")
    if n == 0:
        return a
    axis = canonical_axis(axis, a.ndim)
    before = [] if prepend is None else [_beside(prepend, a, axis)]
    after = [] if append is None else [_beside(append, a, axis)]
    if before or after:
        a = concatenate([*before, a, *after], axis)
    for _ in range(n):
        upper, lower = _pairs(a, axis)
        a = ne(upper, lower) if a.dtype.kind == "b" else upper - lower
    return a


def ediff1d(ary, to_end=None, to_begin=None):
    """Differences of neighbours of the flattened array, with `to_begin` before and `to_end` after them."""
    a = reshape(asvalue(ary), (-1,))
    upper, lower = _pairs(a, 0)
    parts = [upper - lower]
    if to_begin is not None:
        parts.insert(0, cast(reshape(asvalue(to_begin), (-1,)), a.dtype))
    if to_end is not None:
        parts.append(cast(reshape(asvalue(to_end), (-1,)), a.dtype))
    return concatenate(parts, 0)


def _slope(f, axis, h, order):
    """Second-order differences inside, differences of `order` at the ends. h : a number, or positions along axis."""
    n = f.shape[axis]
    if n < order + 1:
        raise ShapeError(f"gradient along axis {axis} of an array of shape {f.shape} needs {order + 1} or more "
                         "elements there.")

    def at(low, high):
        return slice_axis(f, low, high, axis)

    def column(v):
        return reshape(v, [-1 if i == axis else 1 for i in range(f.ndim)])
    if h.ndim == 0:
        inner = (at(2, n) - at(0, n - 2)) / (2 * h)
        first, last = h, h
    else:
        d = cast(_pairs(h, 0)[0] - _pairs(h, 0)[1], to_inexact_dtype(h.dtype))
        left, right = slice_axis(d, 0, n - 2, 0), slice_axis(d, 1, n - 1, 0)
        weights = [column(w) for w in (-right / (left * (left + right)), (right - left) / (left * right),
                                       left / (right * (left + right)))]
        inner = weights[0] * at(0, n - 2) + weights[1] * at(1, n - 1) + weights[2] * at(2, n)
        first, last = d[0], d[-1]
    if order == 1:
        ends = [(at(1, 2) - at(0, 1)) / first, (at(n - 1, n) - at(n - 2, n - 1)) / last]
    elif h.ndim == 0:
        ends = [(-1.5 * at(0, 1) + 2.0 * at(1, 2) - 0.5 * at(2, 3)) / h,
                (0.5 * at(n - 3, n - 2) - 2.0 * at(n - 2, n - 1) + 1.5 * at(n - 1, n)) / h]
    else:
        a, b = d[0], d[1]
        ends = [-(2 * a + b) / (a * (a + b)) * at(0, 1) + (a + b) / (a * b) * at(1, 2) - a / (b * (a + b)) * at(2, 3)]
        a, b = d[-2], d[-1]
        ends.append(b / (a * (a + b)) * at(n - 3, n - 2) - (b + a) / (a * b) * at(n - 2, n - 1)
                    + (2 * b + a) / (b * (a + b)) * at(n - 1, n))
    return concatenate([cast(v, inner.dtype) for v in (ends[0], inner, ends[1])], axis)


def gradient(f, *varargs, axis=None, edge_order=1):
    """The slopes of sampled values along each axis (or those named), by central differences.

    varargs : one distance for all axes, or for each axis a distance or the positions of the samples
    edge_order : 1 or 2, the order of accuracy at the ends
    """
    f = asvalue(f)
    f = cast(f, to_inexact_dtype(f.dtype))
    axes = canonical_axes(None, f.ndim) if axis is None else tuple(
        [canonical_axis(a, f.ndim) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))])
    if edge_order not in (1, 2):
        raise ShapeError(f"edge_order is 1 or 2; got {edge_order}.")
    steps = [asvalue(v) for v in varargs or (1.0,)]
    if len(steps) == 1 and (steps[0].ndim == 0 or len(axes) == 1):
        steps = steps * len(axes)
    if len(steps) != len(axes):
        raise ShapeError(f"gradient got {len(steps)} distances for {len(axes)} axes: give one, or one for each axis.")
    for a, h in zip(axes, steps):
        if h.ndim > 1 or (h.ndim == 1 and h.shape[0] != f.shape[a]):
            raise ShapeError(f"the positions along axis {a} have shape {h.shape}; the array has {f.shape[a]} there.")
    d = real(f).dtype
    out = [_slope(f, a, cast(h, d), edge_order) for a, h in zip(axes, steps)]
    return out[0] if len(out) == 1 else tuple(out)


def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral by the trapezoidal rule, of values at x or dx apart."""
    y = asvalue(y)
    axis = canonical_axis(axis, y.ndim)
    if x is None:
        step = dx
    else:
        x = asvalue(x)
        step = diff(x) if x.ndim == 1 else diff(x, axis=axis)
        if x.ndim == 1:
            step = reshape(step, [-1 if i == axis else 1 for i in range(y.ndim)])
    upper, lower = _pairs(y, axis)
    area = step * (upper + lower) / 2.0
    return reduce_sum(area, (axis,))


def unwrap(p, discont=None, axis=-1, *, period=2 * math.pi):
    """p with whole periods added so that neighbours differ by at most half a period (or by `discont`)."""
    p = asvalue(p)
    axis = canonical_axis(axis, p.ndim)
    d = diff(p, axis=axis)
    p, _ = promote(p, period)
    d = cast(d, p.dtype)
    whole = p.dtype.kind in "iu"
    half = period // 2 if whole else period / 2
    low = -half
    small = remainder(d - low, _np.asarray(period, p.dtype)) + _np.asarray(low, p.dtype)
    if not whole or period % 2 == 0:
        small = _where(bitwise_and(eq(small, low), gt(d, 0)), _np.asarray(half, p.dtype), small)
    jump = _where(lt(abs(d), half if discont is None else max(discont, half)), _np.zeros((), p.dtype), small - d)
    first = slice_axis(p, 0, min(1, p.shape[axis]), axis)
    rest = slice_axis(p, min(1, p.shape[axis]), p.shape[axis], axis)
    return concatenate([first, rest + cumsum(jump, axis)], axis)
