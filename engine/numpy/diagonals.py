"""Diagonals, and the indices of diagonals and triangles."""
import operator

import numpy as _np

from ..array import Array
from ..avals import promote_types
from ..errors import ShapeError
from ..indexing import update
from ..ops import shaping
from ..ops import structural as st
from ..ops.elementwise import where
from ..ops.index import gather_nd
from ..ops.reduce import cumprod
from ..ops.structural import asvalue, cast
from ..ops.structural import broadcast_to as _broadcast_to
from .joining import concatenate
from .repeating import resize
from .shapes import axes_of, moveaxis

_INT = _np.dtype("int64")


def diagonal(a, offset=0, axis1=0, axis2=1):
    """The elements a[..., i, i + offset] of two axes, as the last axis."""
    x, offset = asvalue(a), operator.index(offset)
    if x.ndim < 2:
        raise ShapeError(f"diagonal takes an array with at least two axes; got shape {x.shape}.")
    a, b = axes_of((axis1, axis2), x.ndim, "axis1, axis2")
    n, m = x.shape[a], x.shape[b]
    k = max(0, min(n + min(offset, 0), m - max(offset, 0)))
    i = _np.arange(k)
    first = moveaxis(x, (a, b), (0, 1))
    return moveaxis(gather_nd(first, [i + max(-offset, 0), i + max(offset, 0)]), 0, -1)


def diag(v, k=0):
    """A matrix with the vector `v` on its k-th diagonal, or the k-th diagonal of the matrix `v`."""
    x, k = asvalue(v), operator.index(k)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ShapeError(f"diag takes a vector or a matrix; got shape {x.shape}.")
    n = x.shape[0] + abs(k)
    i = st.iota_p.bind(shape=(n, n), axis=0, dtype=_INT)
    j = st.iota_p.bind(shape=(n, n), axis=1, dtype=_INT)
    row = shaping.pad(x, [(k, 0) if k > 0 else (0, -k)]) if k else x
    return where(i + k == j, _broadcast_to(row, (n, n)), _np.zeros((), x.dtype))


def diagflat(v, k=0):
    """A matrix with the elements of `v` on its k-th diagonal."""
    return diag(st.reshape(asvalue(v), (-1,)), k)


def fill_diagonal(a, val, wrap=False, *, inplace=False):
    """`a` with its diagonal a[i, i, …, i] replaced by the elements of `val`, over and over; a new array.

    wrap : of a tall matrix, begin anew in the corner one row after the diagonal has ended
    """
    new_only("fill_diagonal", inplace)
    x, val = asvalue(a), asvalue(val)
    if x.ndim < 2:
        raise ShapeError(f"fill_diagonal takes an array with at least two axes; got shape {x.shape}.")
    if x.ndim > 2 and len(set(x.shape)) > 1:
        raise ShapeError(f"fill_diagonal: with more than two axes all must have one length; got shape {x.shape}.")
    step, stop = x.shape[1] + 1, x.size
    if x.ndim > 2:
        step = 1 + sum([x.shape[0] ** i for i in range(1, x.ndim)])
    elif not wrap:
        stop = min(x.size, x.shape[1] * x.shape[1])
    count = len(range(0, stop, step))
    if count == 0:
        return x
    flat = update(st.reshape(x, (-1,)), slice(0, stop, step), resize(val, (count,)), "set")
    return st.reshape(flat, x.shape)


def new_only(name, inplace):
    if inplace:
        raise ShapeError(f"{name}(..., inplace=True): arrays are immutable. Use the array that {name} returns.")


# ---- indices ----

def diag_indices(n, ndim=2):
    """The indices of the diagonal of an array with `ndim` axes of length n."""
    return (Array(_np.arange(operator.index(n))),) * operator.index(ndim)


def diag_indices_from(arr):
    """The indices of the diagonal of `arr`, whose axes have one length."""
    x = asvalue(arr)
    if x.ndim < 2:
        raise ShapeError(f"diag_indices_from takes an array with at least two axes; got shape {x.shape}.")
    if len(set(x.shape)) > 1:
        raise ShapeError(f"diag_indices_from takes an array whose axes have one length; got shape {x.shape}.")
    return diag_indices(x.shape[0], x.ndim)


def _pair(indices):
    return tuple([Array(v) for v in indices])


def tril_indices(n, k=0, m=None):
    """The indices of the lower triangle of an n × m matrix, up to its k-th diagonal, as a pair of arrays."""
    return _pair(_np.tril_indices(n, k, m))


def triu_indices(n, k=0, m=None):
    """The indices of the upper triangle of an n × m matrix, from its k-th diagonal on, as a pair of arrays."""
    return _pair(_np.triu_indices(n, k, m))


def _matrix_shape(x, name):
    x = asvalue(x)
    if x.ndim != 2:
        raise ShapeError(f"{name} takes a matrix; got shape {x.shape}.")
    return x.shape


def tril_indices_from(arr, k=0):
    """The indices of the lower triangle of the matrix `arr`."""
    n, m = _matrix_shape(arr, "tril_indices_from")
    return tril_indices(n, k, m)


def triu_indices_from(arr, k=0):
    """The indices of the upper triangle of the matrix `arr`."""
    n, m = _matrix_shape(arr, "triu_indices_from")
    return triu_indices(n, k, m)


def vander(x, N=None, increasing=False):
    """The Vandermonde matrix, whose columns are the powers of x, the highest first (the lowest if increasing).

    x : number[n] -> [n, N]
    """
    x = asvalue(x)
    if x.ndim != 1:
        raise ShapeError(f"vander takes a vector; got shape {x.shape}.")
    n = x.shape[0]
    columns = n if N is None else operator.index(N)
    if columns < 0:
        raise ShapeError(f"vander: the number of columns cannot be {columns}.")
    d = promote_types(x.dtype, _INT)
    x = cast(x, d)
    parts = [st.full((n, min(columns, 1)), 1, d)]
    if columns > 1:
        parts.append(cumprod(_broadcast_to(st.reshape(x, (n, 1)), (n, columns - 1)), 1))
    out = concatenate(parts, 1)
    return out if increasing else shaping.reverse(out, (1,))
