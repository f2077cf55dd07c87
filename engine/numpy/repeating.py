"""Elements repeated, put in and taken out: tile, repeat, resize, insert, delete, trim_zeros."""
import math
import operator

import numpy as _np

from ..array import Value
from ..avals import canonical_axis
from ..core import Tracer
from ..errors import ConcretizationError, DtypeError, IndexOutOfRange, ShapeError
from ..ops import shaping
from ..ops import sort as so
from ..ops import structural as st
from ..ops.elementwise import add, lt, minimum, sub, where
from ..ops.index import gather_nd, scatter_nd
from ..ops.reduce import cumsum
from ..ops.structural import asvalue, cast
from ..ops.structural import broadcast_to as _broadcast_to
from .joining import concatenate
from .shapes import axes_of, moveaxis, sizes

_INT = _np.dtype("int64")


def flat(x, axis):
    """(x, axis from the front); of a number, an axis 0 of length one is meant, as in NumPy."""
    x = asvalue(x)
    if axis is None or not x.ndim:
        x, axis = st.reshape(x, (-1,)), 0 if axis is None else axis
    return x, canonical_axis(axis, x.ndim)


def pick(x, index, axis):
    """x at the places of an index vector that are known to be in range, along one axis."""
    if axis == 0:
        return gather_nd(x, [index])
    return moveaxis(gather_nd(moveaxis(x, axis, 0), [index]), 0, axis)


# ---- repeating ----

def tile(A, reps):
    """`A` laid out `reps` times along its axes (an integer: along the last one)."""
    x, reps = asvalue(A), sizes(reps)
    n = max(x.ndim, len(reps))
    reps = (1,) * (n - len(reps)) + reps
    s = (1,) * (n - x.ndim) + x.shape
    wide = st.reshape(x, [v for m in s for v in (1, m)])
    wide = _broadcast_to(wide, tuple(v for m, r in zip(s, reps) for v in (r, m)))
    return st.reshape(wide, [m * r for m, r in zip(s, reps)])


def repeat(a, repeats, axis=None, *, total_repeat_length=None):
    """Each element along an axis (None: of the flattened array) repeated.

    repeats : int, or int[n], one for each element
    total_repeat_length : the length of the result, needed where `repeats` is traced. What is too long is cut off; what
        is too short is filled up with the last element.

    >>> repeat([1, 2, 3], [2, 0, 1])
    Array([1, 1, 3])
    """
    x, axis = flat(a, axis)
    n = x.shape[axis]
    traced = isinstance(repeats, Tracer)
    if traced and total_repeat_length is None:
        repeats, traced = known(repeats, "the numbers of repeats", "Pass total_repeat_length=, the length of the "
                                 "result, or keep `repeats` out of the traced arguments."), False
    counts = asvalue(_np.zeros(0, _INT) if isinstance(repeats, (list, tuple)) and not len(repeats) else repeats)
    if counts.dtype.kind not in "iub":
        raise DtypeError(f"repeats are integers; got dtype {counts.dtype}.")
    if counts.ndim > 1 or (counts.ndim == 1 and counts.shape[0] not in (1, n)):
        raise ShapeError(f"repeat takes one number, or one for each of {n} elements; got shape {counts.shape}.")
    if not traced and counts.size and counts.concrete("repeats").min() < 0:
        raise ShapeError("repeats cannot be negative.")
    if total_repeat_length is None and counts.size == 1:
        k = int(counts.concrete("repeats").reshape(()))
        wide = _broadcast_to(st.reshape(x, (*x.shape[:axis + 1], 1, *x.shape[axis + 1:])),
                             (*x.shape[:axis + 1], k, *x.shape[axis + 1:]))
        return st.reshape(wide, (*x.shape[:axis], n * k, *x.shape[axis + 1:]))
    if total_repeat_length is None:
        return pick(x, _np.repeat(_np.arange(n), counts.concrete("repeats")), axis)
    total = operator.index(total_repeat_length)
    if n == 0 and total:
        raise ShapeError("an empty axis has no element to repeat.")
    ends = cumsum(cast(_broadcast_to(counts, (n,)), _INT), 0)
    index = so.searchsorted_p.bind(ends, st.iota(total), side="right")
    return pick(x, minimum(index, max(n - 1, 0)), axis)


def known(x, what, advice):
    """The numbers of a value, or an error that says what to do while tracing."""
    try:
        return x.concrete(what) if isinstance(x, Value) else _np.asarray(x)
    except ConcretizationError:
        raise ConcretizationError(f"{what} must be known while tracing, because the shape of the result depends on "
                                  f"them.\n{advice}") from None


def resize(a, new_shape):
    """`a` in another shape of any size: its elements again and again until it is full; zeros if `a` has none."""
    x, new = asvalue(a), sizes(new_shape)
    if min(new, default=0) < 0:
        raise ShapeError(f"resize to {new}: a size is negative.")
    total = math.prod(new)
    if x.size == 0:
        return st.full(new, 0, x.dtype)
    flat = st.reshape(x, (-1,))
    if total > x.size:
        flat = tile(flat, -(-total // x.size))
    return st.reshape(shaping.slice_axis(flat, 0, total, 0), new)


def trim_zeros(filt, trim="fb", axis=None):
    """`filt` without the zeros at its ends: of each axis, or of those named. "f" trims the front, "b" the back.

    The values must be known: the shape of the result depends on them.
    """
    x = asvalue(filt)
    ends = trim.lower()
    if ends not in ("f", "b", "fb", "bf"):
        raise ShapeError(f"trim_zeros: trim={trim!r} is none of 'f', 'b', 'fb'.")
    axes = range(x.ndim) if axis is None else axes_of(axis, x.ndim)
    places = _np.argwhere(known(x, "the places of the zeros", "Trim outside of the transformation."))
    for a in axes:
        start, stop = (int(places[:, a].min()), int(places[:, a].max()) + 1) if len(places) else (x.shape[a], 0)
        start, stop = start if "f" in ends else 0, stop if "b" in ends else x.shape[a]
        x = shaping.slice_axis(x, start, max(start, stop), a)
    return x


# ---- taking out ----

def delete(arr, obj, axis=None, *, assume_unique_indices=False):
    """`arr` without the elements at the places `obj` along an axis (None: of the flattened array).

    obj : int, slice, int[k] or bool[n] (True is taken out); may be traced if it is one integer, or if no place stands
        in it twice and assume_unique_indices says so
    """
    x, axis = (st.reshape(asvalue(arr), (-1,)), 0) if axis is None else (asvalue(arr), axis)
    axis = canonical_axis(axis, x.ndim)
    n = x.shape[axis]
    if isinstance(obj, Tracer) and obj.dtype.kind != "b" and (obj.ndim == 0 or assume_unique_indices):
        places = cast(st.reshape(obj, (-1,)), _INT)
        places = so.sort(where(lt(places, 0), add(places, n), places), 0)
        left = st.iota(max(n - places.shape[0], 0))      # the j-th kept element has passed those places p_k - k <= j
        passed = so.searchsorted_p.bind(sub(places, st.iota(places.shape[0])), left, side="right")
        return pick(x, add(left, passed), axis)
    if isinstance(obj, slice):
        gone = _np.arange(n)[obj]
    else:
        gone = known(obj, "the places of what is deleted", "With assume_unique_indices=True an array of different "
                      "places may be traced; for a mask write np.where(mask, fill, x).")
        gone = _np.asarray(gone, _INT) if gone.size == 0 and not isinstance(obj, (Value, _np.ndarray)) else gone
        if gone.dtype.kind == "b":
            if gone.shape != (n,):
                raise ShapeError(f"delete: a mask of shape {gone.shape} for an axis of size {n}.")
            gone = _np.flatnonzero(gone)
    gone = _checked(gone, n, n, axis, "delete").reshape(-1)
    keep = _np.ones(n, bool)
    keep[gone] = False
    return pick(x, _np.flatnonzero(keep), axis)


def _checked(i, n, last, axis, what):
    """Known places, counted from the front."""
    if i.dtype.kind not in "iu":
        raise IndexOutOfRange(f"{what}: places are integers; got dtype {i.dtype}.")
    bad = i[(i < -n) | (i >= last)]
    if bad.size:
        raise IndexOutOfRange(f"{what}: index {bad.flat[0]} is out of range for axis {axis} with size {n}.")
    return _np.where(i < 0, i + n, i).astype(_INT)


# ---- putting in ----

def insert(arr, obj, values, axis=None):
    """`arr` with values put in before the places `obj` along an axis (None: of the flattened array).

    obj : int, slice, int[k] or bool[n]; integers may be traced
    values : broadcast to k slices of `arr`; before one place (an int) any number of slices
    """
    x = asvalue(arr)
    if axis is None:
        x, axis = st.reshape(x, (-1,)), 0
    axis = canonical_axis(axis, x.ndim)
    n, values = x.shape[axis], cast(asvalue(values), x.dtype)
    if isinstance(obj, slice):
        places = _np.arange(n)[obj]
    elif isinstance(obj, Tracer) and obj.dtype.kind in "iu":
        places = cast(obj, _INT)
        places = where(lt(places, 0), add(places, n), places)
    else:
        places = known(obj, "the places of a mask", "Pass places, whose number is known.")
        places = _np.asarray(places, _INT) if places.size == 0 and not isinstance(obj, (Value, _np.ndarray)) else places
        if places.dtype.kind == "b":
            if places.ndim != 1:
                raise ShapeError(f"insert: a mask is a vector; got shape {places.shape}.")
            places = _np.flatnonzero(places)
        places = _checked(places, n, n + 1, axis, "insert")
    if places.ndim > 1:
        raise ShapeError(f"insert: the places are one integer or a vector; got shape {places.shape}.")
    if places.size == 1:
        values = st.reshape(values, (1,) * (x.ndim - values.ndim) + values.shape)
        values = moveaxis(values, 0, axis) if places.ndim == 0 else values
        count = values.shape[axis] if values.ndim == x.ndim else 1
        places = _np.reshape(places, ()) if isinstance(places, _np.ndarray) else st.reshape(places, ())
        places = _broadcast_to(asvalue(places), (count,))
    count = places.shape[0]
    values = _broadcast_to(values, tuple([count if k == axis else m for k, m in enumerate(x.shape)]))
    if isinstance(places, Tracer):
        order = so.argsort(places, 0)
        new = add(gather_nd(places, [order]), st.iota(count))       # where the inserted ones stand in the result
        old = add(st.iota(n), so.searchsorted_p.bind(gather_nd(places, [order]), st.iota(n), side="right"))
        index = scatter_nd(st.full((n + count,), 0, _INT), [new], add(order, n))
        index = scatter_nd(index, [old], st.iota(n))
    else:
        places = _np.asarray(places)
        order = _np.argsort(places, kind="stable")
        new = _np.empty(count, _INT)
        new[order] = places[order] + _np.arange(count)
        index, kept = _np.empty(n + count, _INT), _np.ones(n + count, bool)
        index[new], kept[new] = n + _np.arange(count), False
        index[kept] = _np.arange(n)
    return pick(concatenate([x, values], axis), index, axis)
