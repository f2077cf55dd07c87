"""Joining arrays, and cutting them into parts."""
import operator

import numpy as _np

from ..array import Value
from ..avals import as_dtype, canonical_axis, promote_types
from ..errors import DtypeError, ShapeError
from ..ops import shaping, shortcut
from ..ops import structural as st
from ..ops.structural import asvalue, cast
from .direct import at_once
from .shapes import atleast_1d, atleast_2d, atleast_3d, ravel, several

# ---- joining ----

def _arrays(xs, what):
    """The arrays of a list or tuple, or along the first axis of one array."""
    if isinstance(xs, (Value, _np.ndarray)):
        if not xs.shape:
            raise ShapeError(f"{what} takes a sequence of arrays; got one number.")
        return list(shaping.unstack(asvalue(xs)))
    if not hasattr(xs, "__len__") or isinstance(xs, (str, bytes)):
        raise DtypeError(f"{what} takes a list or tuple of arrays; got {type(xs).__name__}.")
    if not len(xs):
        raise ShapeError(f"{what} needs at least one array.")
    return [asvalue(x) for x in xs]


def _at_once(f, arrays, axis, dtype, casting):
    """NumPy's result for known arrays of one dtype, or None."""
    if dtype is not None or casting != "same_kind" or not isinstance(arrays, (list, tuple)) or not arrays:
        return None
    values = [shortcut.plain(x) for x in arrays]
    if any([v is None for v in values]) or len({v.dtype for v in values}) > 1:
        return None
    return at_once(f, values, axis)


def _join(xs, axis, dtype, casting):
    d = promote_types(*[x.dtype for x in xs]) if dtype is None else as_dtype(dtype)
    for x in xs:
        if (dtype is not None or casting != "same_kind") and not _np.can_cast(x.dtype, d, casting):
            raise DtypeError(f"an array of dtype {x.dtype} cannot become {d} with casting={casting!r}.\n"
                             "Convert it first with .astype, or pass casting='unsafe'.")
    xs = [cast(x, d) for x in xs]
    return xs[0] if len(xs) == 1 else shaping.concatenate_p.bind(*xs, axis=axis)


def concatenate(arrays, axis=0, *, dtype=None, casting="same_kind"):
    """Arrays joined along an existing axis (None: flattened, end to end).

    arrays : their shapes agree but for that axis     dtype : of the result, as far as `casting` lets them become it
    """
    found = _at_once(_np.concatenate, arrays, axis, dtype, casting)
    if found is not None:
        return found
    xs = _arrays(arrays, "concatenate")
    if axis is None:
        xs, axis = [st.reshape(x, (-1,)) for x in xs], 0
    if any([x.ndim == 0 for x in xs]):
        raise ShapeError("concatenate joins arrays along an axis, and a number has none. Use stack or hstack.")
    axis = canonical_axis(axis, xs[0].ndim)
    if len(xs) > 1 and len({x.ndim for x in xs}) > 1:
        raise ShapeError(f"concatenate takes arrays with as many axes each; got shapes {[x.shape for x in xs]}.")
    return _join(xs, axis, dtype, casting)


concat = concatenate


def stack(arrays, axis=0, *, dtype=None, casting="same_kind"):
    """Arrays of one shape joined along a new axis, which stands at `axis` of the result."""
    found = _at_once(_np.stack, arrays, axis, dtype, casting)
    if found is not None:
        return found
    xs = _arrays(arrays, "stack")
    shapes = {x.shape for x in xs}
    if len(shapes) > 1:
        raise ShapeError(f"stack needs arrays of one shape; got {sorted(shapes)}.")
    s = xs[0].shape
    axis = canonical_axis(axis, len(s) + 1)
    s = (*s[:axis], 1, *s[axis:])
    return _join([st.reshape(x, s) for x in xs], axis, dtype, casting)


def vstack(tup, *, dtype=None, casting="same_kind"):
    """Arrays joined along the first axis; a vector is a row."""
    return concatenate([atleast_2d(x) for x in _arrays(tup, "vstack")], 0, dtype=dtype, casting=casting)


def hstack(tup, *, dtype=None, casting="same_kind"):
    """Arrays joined along the second axis; vectors end to end."""
    xs = [atleast_1d(x) for x in _arrays(tup, "hstack")]
    return concatenate(xs, 0 if xs[0].ndim == 1 else 1, dtype=dtype, casting=casting)


def dstack(tup, *, dtype=None, casting="same_kind"):
    """Arrays joined along the third axis; matrices in layers."""
    return concatenate([atleast_3d(x) for x in _arrays(tup, "dstack")], 2, dtype=dtype, casting=casting)


def column_stack(tup):
    """Vectors, and matrices, side by side as the columns of a matrix."""
    xs = _arrays(tup, "column_stack")
    return concatenate([x if x.ndim > 1 else st.reshape(x, (-1, 1)) for x in xs], 1)


def block(arrays):
    """An array of blocks: of nested lists, the innermost are joined along the last axis, those around them along the
    last but one, and so on.

    >>> block([[1, 2], [3, 4]])
    Array([[1, 2],
           [3, 4]])
    """
    depth = _depth(arrays)
    parts = []

    def collect(v):
        if isinstance(v, list):
            for w in v:
                collect(w)
        else:
            parts.append(asvalue(v))
    collect(arrays)
    ndim, d = max([depth, *[p.ndim for p in parts]]), promote_types(*[p.dtype for p in parts])
    values = iter([cast(st.reshape(p, (1,) * (ndim - p.ndim) + p.shape), d) for p in parts])

    def join(v, level):
        if not isinstance(v, list):
            return next(values)
        return concatenate([join(w, level + 1) for w in v], ndim - depth + level)
    return join(arrays, 0)


def _depth(v):
    """How deep lists are nested; the same everywhere."""
    if isinstance(v, tuple):
        raise DtypeError("block takes nested lists of arrays; got a tuple.")
    if not isinstance(v, list):
        return 0
    if not v:
        raise ShapeError("block: a list is empty.")
    depths = {_depth(w) for w in v}
    if len(depths) > 1:
        raise ShapeError(f"block: lists are nested {sorted(depths)} deep in one list; they must be equally deep.")
    return 1 + depths.pop()


def append(arr, values, axis=None):
    """`arr` with values after it, along an axis (None: both flattened)."""
    if axis is None:
        return concatenate([ravel(arr), ravel(values)], 0)
    return concatenate([arr, values], axis)


# ---- cutting ----

def _cut(x, places, axis):
    n = x.shape[axis]
    bounds = [0, *places, n]
    out = []
    for a, z in zip(bounds, bounds[1:]):
        start, stop, _ = slice(a, None if z is None else z).indices(n)
        out.append(shaping.slice_axis(x, start, max(start, stop), axis))
    return out


def array_split(ary, indices_or_sections, axis=0):
    """`ary` cut along an axis into so many parts (the first ones longer by one, if need be), or before these places."""
    x = asvalue(ary)
    axis = canonical_axis(axis, x.ndim)
    if x.ndim == 0:
        raise ShapeError("a number has no axis to be split along.")
    if several(indices_or_sections):
        return _cut(x, [operator.index(i) for i in indices_or_sections], axis)
    k = operator.index(indices_or_sections)
    if k <= 0:
        raise ShapeError(f"the number of parts must be positive; got {k}.")
    short, longer = divmod(x.shape[axis], k)
    return _cut(x, [i * short + min(i, longer) for i in range(1, k)], axis)


def split(ary, indices_or_sections, axis=0):
    """`ary` cut along an axis into so many equal parts, or before these places."""
    x = asvalue(ary)
    if not several(indices_or_sections) and x.ndim:
        n, k = x.shape[canonical_axis(axis, x.ndim)], operator.index(indices_or_sections)
        if k > 0 and n % k:
            raise ShapeError(f"split of an axis of size {n} into {k} equal parts.\nUse array_split for unequal parts.")
    return array_split(x, indices_or_sections, axis)


def vsplit(ary, indices_or_sections):
    """`ary` cut along its first axis, as by `split`."""
    return split(_at_least(ary, 2, "vsplit"), indices_or_sections, 0)


def hsplit(ary, indices_or_sections):
    """`ary` cut along its second axis (a vector along its only one), as by `split`."""
    x = _at_least(ary, 1, "hsplit")
    return split(x, indices_or_sections, 1 if x.ndim > 1 else 0)


def dsplit(ary, indices_or_sections):
    """`ary` cut along its third axis, as by `split`."""
    return split(_at_least(ary, 3, "dsplit"), indices_or_sections, 2)


def _at_least(x, least, what):
    x = asvalue(x)
    if x.ndim < least:
        raise ShapeError(f"{what} takes an array with at least {least} axes; got shape {x.shape}.")
    return x


def unstack(x, axis=0):
    """The slices of x along an axis, as a tuple."""
    x = _at_least(x, 1, "unstack")
    return tuple(shaping.unstack(x, canonical_axis(axis, x.ndim)))
