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
from .diagonals import new_only
from .reductions import truth
from .repeating import flat, known, resize
from .shapes import moveaxis, several

_INT = _np.dtype("int64")
_SIZE = ("Pass size=, the number of places (what is missing is fill_value); or keep the shape, with "
         "np.where(condition, x, fill).")
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
        low, high = (v.min(), v.max()) if v.size else (0, -1)
        if -n <= low and high < n:
            return asvalue(_np.where(v < 0, v + n, v).astype(_INT)) if low < 0 else cast(i, _INT), None
        if mode != "fill":
            bad = low if low < -n else high
            raise IndexOutOfRange(f"{what}: index {bad} is out of range for an axis of size {n}.")
    i = cast(i, _INT)
    if mode == "clip":
        return minimum(maximum(i, 0), n - 1), None
    i = where(lt(i, 0), add(i, n), i)
    return i, bitwise_and(ge(i, 0), lt(i, n)) if mode == "fill" else None


def no_out(out, name):
    """Refuse to write into an array."""
    if out is not None:
        raise ImmutableError(f"{name}(..., out=): arrays are immutable, so nothing can be written into one.\n"
                             f"Use the array that {name} returns.")


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

def take(a, indices, axis=None, out=None, mode=None, unique_indices=False, indices_are_sorted=False, fill_value=None):
    """The elements (or slices) of `a` at these places along an axis (None: of the flattened array).

    indices : int[...]; its axes stand in place of `axis` in the result     mode : see above
    """
    no_out(out, "take")
    x, axis = flat(a, axis)
    i, inside = placed(indices, x.shape[axis], mode, "take")
    y = gather_nd(moveaxis(x, axis, 0) if axis else x, [i])
    if inside is not None:
        y = _filled(y, st.reshape(inside, (*i.shape, *(1,) * (x.ndim - 1))), fill_value)
    return moveaxis(y, tuple(range(i.ndim)), tuple(range(axis, axis + i.ndim))) if axis else y


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


def take_along_axis(arr, indices, axis=-1, mode=None, fill_value=None):
    """`arr` at indices that vary along one axis; the other axes match, or broadcast. What argsort gives, sorts.

    arr : [..., n, ...]     indices : int[..., k, ...] -> [..., k, ...]     mode : see above
    """
    x, index, inside = _along(arr, indices, axis, mode, "take_along_axis")
    return _filled(gather_nd(x, index), inside, fill_value)


def compress(condition, a, axis=None, *, size=None, fill_value=0):
    """The slices of `a` along an axis (None: of the flattened array) where the condition holds.

    condition : bool[k], k at most the length of the axis. Where it is traced, `size` gives the number of slices: more
    are cut off, and what is missing is the fill value.
    """
    condition = asvalue(condition)
    if condition.ndim != 1:
        raise ShapeError(f"compress: the condition is a vector; got shape {condition.shape}.")
    x, axis = flat(a, axis)
    n, places = x.shape[axis], nonzero(condition, size=size, fill_value=condition.shape[0])[0]
    if size is None:
        return take(x, places, axis)
    if n == 0:
        return st.full([size if i == axis else m for i, m in enumerate(x.shape)], fill_value, x.dtype)
    inside = lt(places, min(n, condition.shape[0]))
    y = take(x, minimum(places, n - 1), axis)
    return where(st.reshape(inside, [-1 if i == axis else 1 for i in range(x.ndim)]), y,
                 _np.asarray(fill_value, x.dtype))


def extract(condition, arr, *, size=None, fill_value=0):
    """The elements of `arr` where the condition holds, as a vector; `size` as in `compress`."""
    return compress(st.reshape(asvalue(condition), (-1,)), arr, size=size, fill_value=fill_value)


# ---- writing ----

def _write(x, index, values, inside):
    """x with values at index arrays; those that are not inside are dropped."""
    if inside is not None:
        index = [where(inside, index[0], -1), *index[1:]]
    return scatter_nd(x, index, values)


def put_along_axis(arr, indices, values, axis, inplace=False, *, mode=None):
    """`arr` with `values` at indices that vary along one axis, as in `take_along_axis`; a new array.

    values : broadcast to the shape of the places. Of several for one place the last counts.
    """
    new_only("put_along_axis", inplace)
    shape = asvalue(arr).shape
    x, index, inside = _along(arr, indices, axis, mode, "put_along_axis")
    return st.reshape(_write(x, index, asvalue(values), inside), shape)


def put(a, ind, v, mode=None, *, inplace=False):
    """`a` with ``v``, over and over, at places of the flattened array; a new array."""
    new_only("put", inplace)
    x, values = asvalue(a), asvalue(v)
    i, inside = placed(ind, x.size, mode, "put")
    if i.size == 0 or values.size == 0:
        return x
    i, inside = st.reshape(i, (-1,)), inside if inside is None else st.reshape(inside, (-1,))
    return st.reshape(_write(st.reshape(x, (-1,)), [i], resize(values, i.shape), inside), x.shape)


def place(arr, mask, vals, *, inplace=False):
    """`arr` with its elements where the mask holds replaced, in their order, by those of `vals`, over and over; a new
    array."""
    new_only("place", inplace)
    x, mask, vals = asvalue(arr), truth(mask), cast(st.reshape(asvalue(vals), (-1,)), asvalue(arr).dtype)
    if mask.size != x.size:
        raise ShapeError(f"place: the mask has shape {mask.shape}, the array {x.shape}.")
    if vals.size == 0:
        if isinstance(mask, Array) and not mask.value.any():
            return x
        raise ShapeError("place: there are no values to put in.")
    mask = st.reshape(mask, (-1,))
    turn = (cumsum(cast(mask, _INT), 0) - 1) % vals.size
    return st.reshape(where(mask, gather_nd(vals, [turn]), st.reshape(x, (-1,))), x.shape)


def putmask(a, mask, values, *, inplace=False):
    """`a` with values[k mod their number] at the k-th element where the mask holds; a new array."""
    new_only("putmask", inplace)
    x, mask, values = asvalue(a), truth(mask), asvalue(values)
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

def nonzero(a, *, size=None, fill_value=None):
    """The indices of the elements that are not zero, one array for each axis.

    size : the number of indices, needed where `a` is traced: more are cut off, and what is missing is `fill_value`
        (0; or one for each axis)

    >>> nonzero([0, 3, 0, 5])
    (Array([1, 3]),)
    """
    x = asvalue(a)
    if x.ndim == 0:
        raise ShapeError("nonzero takes an array with at least one axis; got a number. Use atleast_1d(x).nonzero().")
    if size is None:
        return tuple([Array(i) for i in _np.nonzero(known(x, "the places of the elements that are not zero", _SIZE))])
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


def flatnonzero(a, *, size=None, fill_value=None):
    """The places of the elements of the flattened array that are not zero; `size` as in `nonzero`."""
    return nonzero(st.reshape(asvalue(a), (-1,)), size=size, fill_value=fill_value)[0]


def argwhere(a, *, size=None, fill_value=None):
    """The indices of the elements that are not zero, as the rows of a matrix; `size` as in `nonzero`."""
    x = asvalue(a)
    if x.ndim == 0:
        count = len(_np.argwhere(known(x, "whether a number is zero", _SIZE))) if size is None else int(size)
        return st.full((count, 0), 0, _INT)
    return st.stack_values(nonzero(x, size=size, fill_value=fill_value)).T
