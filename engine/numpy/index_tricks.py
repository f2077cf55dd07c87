"""Index tricks: grids, ranges written as slices, and flat indices."""
import math

import numpy as _np

from ..array import Array, Value
from ..avals import PYTHON_SCALARS, as_dtype, promote_types
from ..core import Tracer
from ..errors import DtypeError, ShapeError
from ..ops import structural as st
from ..ops.structural import asvalue, cast
from .joining import concatenate
from .picking import nonzero, placed
from .repeating import known
from .shapes import broadcast_arrays, moveaxis, sizes

_INT = _np.dtype("int64")


# ---- grids ----

def indices(dimensions, dtype=int, sparse=False):
    """The indices of an array of these sizes: [n axes, *sizes], or if sparse a tuple of arrays that broadcast."""
    s, d = sizes(dimensions), as_dtype(dtype)
    n = len(s)
    if sparse:
        return tuple([st.reshape(st.iota(m, d), [m if k == i else 1 for k in range(n)]) for i, m in enumerate(s)])
    if not n:
        return st.full((0,), 0, d)
    return st.stack_values([st.iota_p.bind(shape=s, axis=i, dtype=d) for i in range(n)])


def ix_(*args):
    """Index arrays of a grid: x[ix_(rows, columns)] is the part of x in these rows and columns.

    args : vectors of integers, or of booleans that are known
    """
    out = []
    for k, a in enumerate(args):
        a = asvalue(_np.zeros(0, _INT) if isinstance(a, (list, tuple)) and not len(a) else a)
        if a.ndim != 1:
            raise ShapeError(f"ix_ takes vectors; argument {k} has shape {a.shape}.")
        if a.dtype.kind == "b":
            a = Array(_np.flatnonzero(known(a, "the places of a mask", "Pass indices, whose number is known.")))
        out.append(st.reshape(a, [-1 if i == k else 1 for i in range(len(args))]))
    return tuple(out)


def mask_indices(n, mask_func, k=0, *, size=None):
    """The indices of what mask_func(matrix, k), such as `triu`, keeps of an n × n matrix of ones.

    size : the number of indices, needed where k is traced, as in `nonzero`
    """
    kept = asvalue(mask_func(st.full((n, n), 1, _INT), k))
    return nonzero(kept, size=size)


class Grid:
    """What `mgrid` and `ogrid` are: a grid of the ranges that slices name; a step of n·1j means n points, both ends
    among them."""

    def __init__(self, sparse):
        self.sparse = sparse

    def __getitem__(self, key):
        found = (_np.ogrid if self.sparse else _np.mgrid)[_known(key)]
        return tuple([asvalue(v) for v in found]) if isinstance(found, (list, tuple)) else asvalue(found)

    def __len__(self):
        return 0


def _known(key):
    """Slices with numbers for bounds."""
    if isinstance(key, tuple):
        return tuple([_known(k) for k in key])
    return slice(*[v.concrete("the bounds of a range").item() if isinstance(v, Value) else v
                   for v in (key.start, key.stop, key.step)])


mgrid, ogrid = Grid(False), Grid(True)


# ---- r_ and c_ ----

class Join:
    """What `r_` and `c_` are: arrays, numbers and ranges written as slices, joined along an axis.

    A first string "axis,ndmin,place" says along which axis, how many axes each part has at least, and where among them
    the axes of a part with fewer stand; "r" and "c" make matrices of one row or one column.
    """

    def __init__(self, axis, ndmin=1, place=-1):
        self.axis, self.ndmin, self.place = axis, ndmin, place

    def __getitem__(self, key):
        axis, ndmin, place, matrix = self.axis, self.ndmin, self.place, None
        parts = []
        for k, item in enumerate(key if isinstance(key, tuple) else (key,)):
            if isinstance(item, str):
                if k:
                    raise ShapeError("r_ and c_: a string stands first.")
                if item in ("r", "c"):
                    matrix = item
                    continue
                numbers = [int(v) for v in item.split(",")]
                axis, ndmin, place = numbers + [axis, ndmin, place][len(numbers):]
                continue
            fresh = isinstance(item, slice)
            v = _range(item) if fresh else item
            v = asvalue(v) if isinstance(v, (list, tuple, _np.ndarray, _np.generic)) else v
            parts.append((v, 1 if fresh else v.ndim if isinstance(v, Value) else 0))
        if matrix is not None:
            ndmin = max(ndmin, 1)
        values = [self._raised(asvalue(v), ndmin, place, n) for v, n in parts]
        if not values:
            raise ShapeError("r_ and c_ need something to join.")
        d = promote_types(*[p if type(p) in PYTHON_SCALARS else v.dtype for (p, _), v in zip(parts, values)])
        out = concatenate([cast(v, d) for v in values], axis)
        if matrix is not None and out.ndim == 1:
            return st.reshape(out, (1, -1) if matrix == "r" else (-1, 1))
        return out

    @staticmethod
    def _raised(x, ndmin, place, ndim):
        """x with at least ndmin axes; its own ones begin at `place` among them."""
        if ndim == 0:
            return st.reshape(x, (1,) * max(ndmin, 1))
        if ndim >= ndmin:
            return x
        x = st.reshape(x, (1,) * (ndmin - ndim) + x.shape)
        first = place + (ndmin - ndim + 1 if place < 0 else 0)
        return moveaxis(x, tuple(range(ndmin - ndim, ndmin)), tuple(range(first, first + ndim)))

    def __len__(self):
        return 0


def _range(s):
    return asvalue(_np.r_[_known(s)])


r_, c_ = Join(0), Join(-1, 2, 0)


class Index:
    """What `s_` and `index_exp` are: the index that stands between the brackets."""

    def __init__(self, as_tuple):
        self.as_tuple = as_tuple

    def __getitem__(self, key):
        return (key,) if self.as_tuple and not isinstance(key, tuple) else key


s_, index_exp = Index(False), Index(True)


# ---- flat indices ----

def _column_major(order, what):
    if order not in ("C", "F"):
        raise ShapeError(f"{what}: order={order!r} is neither 'C' nor 'F'.")
    return order == "F"


def unravel_index(indices, shape, order="C"):
    """Places of a flattened array of this shape as a tuple of indices, one array for each axis.

    indices : int[...]; negative ones count from the end if they are traced, and are an error if they are known
    """
    s, flat = sizes(shape), asvalue(indices)
    backwards = not _column_major(order, "unravel_index")
    if flat.dtype.kind not in "iu":
        raise DtypeError(f"unravel_index: indices are integers; got dtype {flat.dtype}.")
    total = 1
    for n in s:
        total *= n
    if isinstance(flat, Array):
        bad = (flat.value < 0) | (flat.value >= total)
        if bad.any():
            raise ShapeError(f"unravel_index: index {flat.value[bad].flat[0]} is out of range for an array of shape "
                             f"{s}.")
    flat, _ = placed(flat, total, "clip", "unravel_index") if not isinstance(flat, Tracer) else (
        _turned(cast(flat, _INT), total), None)
    out = []
    for n in (s[::-1] if backwards else s):
        out.append(flat % n)
        flat = flat // n
    return tuple(out[::-1] if backwards else out)


def _turned(flat, total):
    return placed(flat + total * (flat < 0), total, "clip", "unravel_index")[0]


def ravel_multi_index(multi_index, dims, mode="raise", order="C"):
    """The places in a flattened array of shape `dims` of the elements at these indices.

    multi_index : one int[...] for each axis     mode : "raise" (known indices out of range are an error), "clip" or
    "wrap", or one of them for each axis
    """
    s, index = sizes(dims), [asvalue(i) for i in multi_index]
    if len(index) != len(s):
        raise ShapeError(f"ravel_multi_index: {len(index)} indices for {len(s)} axes.")
    modes = (mode,) * len(s) if isinstance(mode, str) else tuple(mode)
    flat, stride = None, 1
    pairs = list(zip(index, s, modes))
    for i, n, m in pairs if _column_major(order, "ravel_multi_index") else pairs[::-1]:
        if i.dtype.kind not in "iu":
            raise DtypeError(f"ravel_multi_index: indices are integers; got dtype {i.dtype}.")
        if m == "raise" and isinstance(i, Array) and ((i.value < 0) | (i.value >= n)).any():
            raise ShapeError(f"ravel_multi_index: an index is out of range for an axis of size {n}.")
        at, _ = placed(i, n, "clip" if m == "raise" else m, "ravel_multi_index")
        flat = at * stride if flat is None else flat + at * stride
        stride *= n
    return flat


# ---- walking over elements ----

ndindex = _np.ndindex


def ndenumerate(arr):
    """Pairs (index, element) of all elements, the last axis running fastest."""
    x = asvalue(arr)
    for index in _np.ndindex(*x.shape):
        yield index, x.value[index] if isinstance(x, Array) else x[index]


class broadcast:
    """Arrays as they broadcast together: their common shape, and, when it is iterated over, the tuples of elements that
    belong together."""

    def __init__(self, *args):
        self.arrays = broadcast_arrays(*args)
        self.shape = self.arrays[0].shape if args else ()
        self.ndim = self.nd = len(self.shape)
        self.size, self.numiter = math.prod(self.shape), len(args)

    def __iter__(self):
        return zip(*[(v for _, v in ndenumerate(x)) for x in self.arrays])


def iterable(y):
    """Whether one can iterate over y."""
    return y.ndim > 0 if isinstance(y, Value) else _np.iterable(y)


def fromfunction(function, shape, *, dtype=float, **kwargs):
    """function(i, j, …) of the index arrays of an array of this shape."""
    found = indices(shape, dtype=dtype)
    return function(*[found[i] for i in range(len(sizes(shape)))], **kwargs)


def isscalar(element):
    """Whether `element` is a number: Python's, NumPy's, or an array of ours without axes."""
    return element.ndim == 0 if isinstance(element, Value) else _np.isscalar(element)
