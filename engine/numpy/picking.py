"""Reading and writing by index: take, put and their kin. What writes returns a new array.

Indices out of range: with mode "raise" (or none) those that are known raise IndexError; traced ones are moved to the
nearest place when they read and dropped when they write. "clip" moves all of them to the nearest place, "wrap" counts
round and round, "fill" (as in JAX) reads nan, or the fill value.
"""
import numpy as _np

from ..array import Array
from ..avals import broadcast_shapes, canonical_axis, is_inexact
from ..errors import DtypeError, ImmutableError, IndexOutOfRange, ShapeError
from ..ops import sort as so
from ..ops import structural as st
from ..ops.elementwise import add, bitwise_and, ge, lt, maximum, minimum, where
from ..ops.index import gather_nd, scatter_nd
from ..ops.reduce import cumsum
from ..ops.structural import asvalue, cast
from .diagonals import _new_only
from .reductions import truth
from .repeating import resize
from .shapes import moveaxis, several

_INT = _np.dtype("int64")
_MODES = (None, "raise", "clip", "wrap", "fill", "promise_in_bounds")


def _indices(i):
    """Integers; booleans count as 0 and 1, and an empty list as no index."""
    i = asvalue(_np.zeros(0, _INT) if isinstance(i, (list, tuple)) and len(i) == 0 else i)
    if i.dtype.kind not in "iub":
        raise DtypeError(f"indices are integers; got dtype {i.dtype}.")
    return i if i.dtype.kind != "b" else cast(i, _INT)


def placed(i, n, mode, what):
    """(indices counted from the front for an axis of size n, whether each is in range; None where all are)."""
    if mode not in _MODES:
        raise ShapeError(f"{what}: mode={mode!r} is none of {_MODES[1:]}.")
    i = _indices(i)
    if n == 0 and i.size:
        raise IndexOutOfRange(f"{what}: the axis is empty, so no index is in range.")
    if mode == "wrap":
        return cast(i, _INT) % n, None
    if isinstance(i, Array):
        v = i.value
        if mode == "clip":
            return asvalue(_np.clip(v, 0, n - 1).astype(_INT)), None
        bad = (v < -n) | (v >= n)
        if bad.any() and mode != "fill":
            raise IndexOutOfRange(f"{what}: index {v[bad].flat[0]} is out of range for an axis of size {n}.")
        if not bad.any():
            return asvalue(_np.where(v < 0, v + n, v).astype(_INT)) if v.size and v.min() < 0 else cast(i, _INT), None
    i = cast(i, _INT)
    if mode == "clip":
        return minimum(maximum(i, 0), n - 1), None
    i = where(lt(i, 0), add(i, n), i)
    return i, bitwise_and(ge(i, 0), lt(i, n)) if mode == "fill" else None


def _filled(out, inside, fill_value):
    """out with a fill value where an index was out of range."""
    if inside is None:
        return out
    if fill_value is None:
        kind = out.dtype.kind
        fill_value = (_np.nan if is_inexact(out.dtype) else True if kind == "b" else
                      _np.iinfo(out.dtype).max if kind == "u" else _np.iinfo(out.dtype).min)
    return where(inside, out, _np.asarray(fill_value).astype(out.dtype))


# ---- reading ----

def take(x, indices, axis=None, out=None, mode=None, unique_indices=False, indices_are_sorted=False, fill_value=None):
    """The elements (or slices) of x at these places along an axis (None: of the flattened array).

    indices : int[...]; its axes stand in place of `axis` in the result     mode : see above
    """
    x = asvalue(x)
    if axis is None:
        x, axis = st.reshape(x, (-1,)), 0
    axis = canonical_axis(axis, x.ndim)
    i, inside = placed(indices, x.shape[axis], mode, "take")
    y = gather_nd(moveaxis(x, axis, 0), [i])
    if inside is not None:
        y = _filled(y, st.reshape(inside, (*i.shape, *(1,) * (x.ndim - 1))), fill_value)
    return moveaxis(y, tuple(range(i.ndim)), tuple(range(axis, axis + i.ndim)))


def _along(x, indices, axis, mode, what):
    """(x, index arrays of all axes, whether they are in range, the axis)."""
    x, indices = asvalue(x), asvalue(indices)
    if indices.dtype.kind not in "iu":
        raise IndexOutOfRange(f"{what}: the indices must be integers; got dtype {indices.dtype}.")
    if axis is None:
        if indices.ndim != 1:
            raise ShapeError(f"{what} with axis=None takes a vector of indices; got shape {indices.shape}.")
        x, axis = st.reshape(x, (-1,)), 0
    axis = canonical_axis(axis, x.ndim)
    if indices.ndim != x.ndim:
        raise ShapeError(f"{what}: the indices must have as many axes as the array; got shapes {indices.shape} and "
                         f"{x.shape}.")
    i, inside = placed(indices, x.shape[axis], mode, what)
    index = [i if d == axis else _np.arange(n).reshape([-1 if k == d else 1 for k in range(x.ndim)])
             for d, n in enumerate(x.shape)]
    broadcast_shapes(*[v.shape for v in index])
    return x, index, inside


def take_along_axis(x, indices, axis=-1, mode=None, fill_value=None):
    """x at indices that vary along one axis; the other axes match, or broadcast. What argsort gives, sorts.

    x : [..., n, ...]     indices : int[..., k, ...] -> [..., k, ...]     mode : see above
    """
    x, index, inside = _along(x, indices, axis, mode, "take_along_axis")
    return _filled(gather_nd(x, index), inside, fill_value)


def compress(condition, x, axis=None, *, size=None, fill_value=0):
    """The slices of x along an axis (None: of the flattened array) where the condition holds.

    condition : bool[k], k at most the length of the axis. Where it is traced, `size` gives the number of slices: more
    are cut off, and what is missing is the fill value.
    """
    condition = asvalue(condition)
    if condition.ndim != 1:
        raise ShapeError(f"compress: the condition is a vector; got shape {condition.shape}.")
    x = asvalue(x)
    if axis is None:
        x, axis = st.reshape(x, (-1,)), 0
    axis = canonical_axis(axis, x.ndim)
    n, places = x.shape[axis], nonzero(condition, size=size, fill_value=condition.shape[0])[0]
    if size is None:
        return take(x, places, axis)
    if n == 0:
        return st.full([size if i == axis else m for i, m in enumerate(x.shape)], fill_value, x.dtype)
    inside = lt(places, min(n, condition.shape[0]))
    y = take(x, minimum(places, n - 1), axis)
    return where(st.reshape(inside, [-1 if i == axis else 1 for i in range(x.ndim)]), y,
                 _np.asarray(fill_value, x.dtype))


def extract(condition, x, *, size=None, fill_value=0):
    """The elements of x where the condition holds, as a vector; `size` as in `compress`."""
    return compress(st.reshape(asvalue(condition), (-1,)), x, size=size, fill_value=fill_value)


# ---- writing ----

def _write(x, index, values, inside):
    """x with values at index arrays; those that are not inside are dropped."""
    if inside is not None:
        index = [where(inside, index[0], -1), *index[1:]]
    return scatter_nd(x, index, values)


def put_along_axis(x, indices, values, axis, inplace=False, *, mode=None):
    """x with `values` at indices that vary along one axis, as in `take_along_axis`; a new array.

    values : broadcast to the shape of the places. Of several for one place the last counts.
    """
    _new_only("put_along_axis", inplace)
    shape = asvalue(x).shape
    x, index, inside = _along(x, indices, axis, mode, "put_along_axis")
    return st.reshape(_write(x, index, asvalue(values), inside), shape)


def put(x, indices, values, mode=None, *, inplace=False):
    """x with `values`, over and over, at places of the flattened array; a new array."""
    _new_only("put", inplace)
    x, values = asvalue(x), asvalue(values)
    i, inside = placed(indices, x.size, mode, "put")
    if i.size == 0 or values.size == 0:
        return x
    i, inside = st.reshape(i, (-1,)), inside if inside is None else st.reshape(inside, (-1,))
    return st.reshape(_write(st.reshape(x, (-1,)), [i], resize(values, i.shape), inside), x.shape)


def place(x, mask, vals, *, inplace=False):
    """x with its elements where the mask holds replaced, in their order, by those of `vals`, over and over; a new
    array."""
    _new_only("place", inplace)
    x, mask, vals = asvalue(x), truth(mask), cast(st.reshape(asvalue(vals), (-1,)), asvalue(x).dtype)
    if mask.size != x.size:
        raise ShapeError(f"place: the mask has shape {mask.shape}, the array {x.shape}.")
    if vals.size == 0:
        if isinstance(mask, Array) and not mask.value.any():
            return x
        raise ShapeError("place: there are no values to put in.")
    mask = st.reshape(mask, (-1,))
    turn = (cumsum(cast(mask, _INT), 0) - 1) % vals.size
    return st.reshape(where(mask, gather_nd(vals, [turn]), st.reshape(x, (-1,))), x.shape)


def putmask(x, mask, values, *, inplace=False):
    """x with values[k mod their number] at the k-th element where the mask holds; a new array."""
    _new_only("putmask", inplace)
    x, mask, values = asvalue(x), truth(mask), asvalue(values)
    if mask.size != x.size:
        raise ShapeError(f"putmask: the mask has shape {mask.shape}, the array {x.shape}.")
    if values.size == 0:
        return x
    return where(st.reshape(mask, x.shape), resize(cast(values, x.dtype), x.shape), x)


def copyto(dst, src, casting="same_kind", where=True):
    """Raises ImmutableError: an array cannot be written into."""
    raise ImmutableError("copyto writes into an array, and arrays are immutable.\nWrite dst = np.where(where, src, "
                         "dst), or dst = np.broadcast_to(src, dst.shape).astype(dst.dtype).")


# ---- the places that are not zero ----

def nonzero(x, *, size=None, fill_value=None):
    """The indices of the elements that are not zero, one array for each axis.

    size : the number of indices, needed where x is traced: more are cut off, and what is missing is `fill_value` (0; or
        one for each axis)

    >>> nonzero([0, 3, 0, 5])
    (Array([1, 3]),)
    """
    x = asvalue(x)
    if x.ndim == 0:
        raise ShapeError("nonzero takes an array with at least one axis; got a number. Use atleast_1d(x).nonzero().")
    if size is None:
        return tuple([Array(i) for i in _np.nonzero(x.concrete(
            "the number of nonzero elements (pass size=, as in np.nonzero(x, size=n), to fix it while tracing)"))])
    size = int(size)
    fills = tuple(fill_value) if several(fill_value) else (fill_value,) * x.ndim
    if len(fills) != x.ndim:
        raise ShapeError(f"nonzero: {len(fills)} fill values for {x.ndim} axes.")
    if x.size == 0:
        return tuple([st.full((size,), 0 if f is None else f, _INT) for f in fills])
    so_far = cumsum(cast(st.reshape(truth(x), (-1,)), _INT), 0)
    order = st.iota(size)
    flat = minimum(so.searchsorted_p.bind(so_far, order, side="right"), x.size - 1)
    inside = lt(order, so_far[-1])
    out = []
    for n, f in list(zip(x.shape, fills))[::-1]:
        out.append(where(inside, flat % n, 0 if f is None else cast(asvalue(f), _INT)))
        flat = flat // n
    return tuple(out[::-1])


def flatnonzero(x, *, size=None, fill_value=None):
    """The places of the elements of the flattened array that are not zero; `size` as in `nonzero`."""
    return nonzero(st.reshape(asvalue(x), (-1,)), size=size, fill_value=fill_value)[0]


def argwhere(x, *, size=None, fill_value=None):
    """The indices of the elements that are not zero, as the rows of a matrix; `size` as in `nonzero`."""
    x = asvalue(x)
    if x.ndim == 0:
        count = len(_np.argwhere(x.concrete("the number of nonzero elements"))) if size is None else int(size)
        return st.full((count, 0), 0, _INT)
    return st.stack_values(nonzero(x, size=size, fill_value=fill_value)).T
