"""Sets: the distinct elements of arrays, and what two arrays have in common.

How many elements a set has depends on the data. Where the arrays are known the result has that many; under `jit` give
`size=`: the result is cut to it, or filled up with `fill_value` (the smallest element unless given; counts with 0).
nan goes last; `equal_nan` decides whether all nans are one element. Complex numbers go by real, then imaginary part.
"""
from typing import NamedTuple

import numpy as _np

from ..array import Array
from ..avals import canonical_axis, is_inexact
from ..core import Tracer
from ..errors import ConcretizationError
from ..ops.complexes import imag, real
from ..ops.elementwise import bitwise_and, bitwise_or, eq, invert, isnan, lt, minimum, ne, where
from ..ops.index import gather_nd, scatter_nd, take_along
from ..ops.reduce import cumsum, reduce_and_p, reduce_or_p
from ..ops.shaping import concatenate, slice_axis
from ..ops.sort import argsort
from ..ops.structural import asvalue, broadcast_to, cast, full, iota, moveaxis, promote, reduce_sum, reshape
from .sorting import searchsorted

_INT = _np.dtype("int64")


class UniqueAll(NamedTuple):
    """What `unique_all` gives."""
    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(NamedTuple):
    """What `unique_counts` gives."""
    values: Array
    counts: Array


class UniqueInverse(NamedTuple):
    """What `unique_inverse` gives."""
    values: Array
    inverse_indices: Array


def _known(*xs, size=None):
    """The arrays in NumPy; None where one of them is traced (then `size` must be given) or a size is asked for."""
    if size is None and any([isinstance(x, Tracer) for x in xs]):
        try:
            return [x.concrete("the distinct elements") if isinstance(x, Tracer) else _np.asarray(x) for x in xs]
        except ConcretizationError as e:
            raise ConcretizationError("the number of distinct elements depends on the data, which are being traced.\n"
                                      "Give size=..., the length of the result; what is missing is filled up with "
                                      "fill_value.") from e
    return [_np.asarray(x) for x in xs] if size is None else None


# ---- one array ----

def unique(x, return_index=False, return_inverse=False, return_counts=False, axis=None, *, equal_nan=True, size=None,
           fill_value=None, sorted=True):
    """The distinct elements in order; of an `axis`, its distinct slices.

    x : number[...]
    return_index, return_inverse, return_counts : also the first place of each, the place of each element of x among
        them, and how often they occur
    size, fill_value : the length of the result, and what it is filled up with; needed under jit

    >>> unique([3, 1, 3, 2]).tolist(), unique([3, 1, 3], size=3, fill_value=0).tolist()
    ([1, 2, 3], [1, 3, 0])
    """
    x = asvalue(x)
    known = _known(x, size=size)
    if known is not None:
        out = _np.unique(known[0], return_index, return_inverse, return_counts, axis, equal_nan=equal_nan)
        return tuple([asvalue(v) for v in out]) if isinstance(out, tuple) else asvalue(out)
    if axis is None:
        rows, shape = reshape(x, (-1, 1)), x.shape
    else:
        axis = canonical_axis(axis, x.ndim)
        moved = moveaxis(x, axis, 0)
        rows, shape = reshape(moved, (moved.shape[0], -1 if moved.size else 0)), (x.shape[axis],)
    values, *rest = _distinct(rows, size, fill_value, equal_nan)
    if axis is None:
        values = reshape(values, (size,))
    else:
        values = moveaxis(reshape(values, (size, *moved.shape[1:])), 0, axis)
    chosen = [v for v, wanted in zip(rest, (return_index, return_inverse, return_counts)) if wanted]
    if return_inverse:
        chosen[int(return_index)] = reshape(chosen[int(return_index)], shape)
    return (values, *chosen) if chosen else values


def _keys(column):
    """Real columns that order as a column does."""
    return [real(column), imag(column)] if column.dtype.kind == "c" else [column]


def _distinct(rows, size, fill_value, equal_nan):
    """(distinct rows, first places, inverse, counts) of a matrix, `size` of them."""
    n, m = rows.shape
    columns = [reshape(slice_axis(rows, j, j + 1, 1), (n,)) for j in range(m)]
    order = iota(n)
    for key in [k for c in columns[::-1] for k in _keys(c)[::-1]]:       # stable, from the last key to the first
        order = take_along(order, argsort(take_along(key, order, 0), 0), 0)
    sorted_rows = gather_nd(rows, [order])
    after, before = slice_axis(sorted_rows, 1, n, 0), slice_axis(sorted_rows, 0, max(n - 1, 0), 0)
    same = eq(after, before)
    if equal_nan and is_inexact(rows.dtype):
        same = bitwise_or(same, bitwise_and(isnan(after), isnan(before)))
    first = concatenate([full((min(n, 1),), True, bool), invert(reduce_and_p.bind(same, axes=(1,)))], 0)
    place = cumsum(cast(first, _INT), 0) - 1                             # which distinct row each sorted row is
    inverse = scatter_nd(full((n,), 0, _INT), [order], place)
    counts = scatter_nd(full((size,), 0, _INT), [place], full((n,), 1, _INT), "add")
    index = scatter_nd(full((size,), n, _INT), [place], order, "min")    # rows past `size` are dropped
    if not n:
        filler = full((size, m), 0 if fill_value is None else fill_value, rows.dtype)
        return filler, full((size,), 0, _INT), inverse, counts
    valid = lt(index, n)
    index = where(valid, index, order[0])                # missing ones are the smallest element
    values = gather_nd(rows, [index])
    if fill_value is not None:
        values = where(reshape(valid, (size, 1)), values, cast(asvalue(fill_value), rows.dtype))
    return values, index, inverse, counts


def unique_all(x, /, *, size=None, fill_value=None):
    """(values, indices, inverse_indices, counts) of the distinct elements; each nan is one."""
    values, index, inverse, counts = unique(x, True, True, True, equal_nan=False, size=size, fill_value=fill_value)
    return UniqueAll(values, index, inverse, counts)


def unique_counts(x, /, *, size=None, fill_value=None):
    """(values, counts) of the distinct elements; each nan is one."""
    return UniqueCounts(*unique(x, return_counts=True, equal_nan=False, size=size, fill_value=fill_value))


def unique_inverse(x, /, *, size=None, fill_value=None):
    """(values, inverse_indices): x is values[inverse_indices]; each nan is one."""
    return UniqueInverse(*unique(x, return_inverse=True, equal_nan=False, size=size, fill_value=fill_value))


def unique_values(x, /, *, size=None, fill_value=None):
    """The distinct elements in order; each nan is one."""
    return unique(x, equal_nan=False, size=size, fill_value=fill_value)


# ---- two arrays ----

def isin(element, test_elements, assume_unique=False, invert=False, *, method="auto"):
    """Whether each element is among the test elements; nan never is.   -> bool[*element.shape]"""
    x, tests = (asvalue(v) for v in promote(asvalue(element), asvalue(test_elements)))
    tests = reshape(tests, (-1,))
    if not tests.shape[0]:
        return full(x.shape, bool(invert), bool)
    if x.dtype.kind == "c":
        found = reduce_or_p.bind(eq(reshape(x, (*x.shape, 1)), tests), axes=(x.ndim,))
    else:
        tests = take_along(tests, argsort(tests, 0), 0)
        place = minimum(searchsorted(tests, x), tests.shape[0] - 1)
        found = eq(gather_nd(tests, [place]), x)
    return ne(found, True) if invert else found


def _flat(x):
    return reshape(asvalue(x), (-1,))


def _two(a, b):
    a, b = (_flat(v) for v in promote(asvalue(a), asvalue(b)))
    return a, b


def _kept(x, keep, size, fill_value):
    """The elements of a sorted vector where `keep` holds, `size` of them."""
    place = where(keep, cumsum(cast(keep, _INT), 0) - 1, size)           # size: dropped by the scatter
    if fill_value is None:
        fill_value = _smallest(x, keep)
    start = broadcast_to(cast(asvalue(fill_value), x.dtype), (size,))
    return scatter_nd(start, [place], x)


def _smallest(x, keep):
    """The first element that is kept; 0 where there is none."""
    n = x.shape[0]
    if not n:
        return asvalue(_np.zeros((), x.dtype))
    first = cumsum(cast(keep, _INT), 0)
    at = bitwise_and(keep, eq(first, 1))
    return reduce_sum(where(at, x, _np.zeros((), x.dtype)), (0,))


def union1d(ar1, ar2, *, size=None, fill_value=None):
    """The distinct elements of either array, in order."""
    a, b = _two(ar1, ar2)
    return unique(concatenate([a, b], 0), size=size, fill_value=fill_value)


def intersect1d(ar1, ar2, assume_unique=False, return_indices=False, *, size=None, fill_value=None):
    """The distinct elements of both arrays, in order; with `return_indices` also their first places in each."""
    a, b = _two(ar1, ar2)
    known = _known(a, b, size=size)
    if known is not None:
        out = _np.intersect1d(*known, assume_unique=assume_unique, return_indices=return_indices)
        return tuple([asvalue(v) for v in out]) if return_indices else asvalue(out)
    va, ia, _, ca = _distinct(reshape(a, (-1, 1)), a.shape[0], None, True)
    va = reshape(va, (-1,))
    keep = bitwise_and(ne(ca, 0), isin(va, b))
    values = _kept(va, keep, size, fill_value)
    if not return_indices:
        return values
    vb, ib, _, cb = _distinct(reshape(b, (-1, 1)), b.shape[0], None, True)
    keep_b = bitwise_and(ne(cb, 0), isin(reshape(vb, (-1,)), a))
    return values, _kept(ia, keep, size, None), _kept(ib, keep_b, size, None)


def setdiff1d(ar1, ar2, assume_unique=False, *, size=None, fill_value=None):
    """The distinct elements of the first array that are not in the second, in order."""
    a, b = _two(ar1, ar2)
    known = _known(a, b, size=size)
    if known is not None:
        return asvalue(_np.setdiff1d(*known, assume_unique=assume_unique))
    values, _, _, counts = _distinct(reshape(a, (-1, 1)), a.shape[0], None, True)
    values = reshape(values, (-1,))
    return _kept(values, bitwise_and(ne(counts, 0), isin(values, b, invert=True)), size, fill_value)


def setxor1d(ar1, ar2, assume_unique=False, *, size=None, fill_value=None):
    """The distinct elements that are in one of the arrays only, in order."""
    a, b = _two(ar1, ar2)
    known = _known(a, b, size=size)
    if known is not None:
        return asvalue(_np.setxor1d(*known, assume_unique=assume_unique))
    both = concatenate([a, b], 0)
    values, _, _, counts = _distinct(reshape(both, (-1, 1)), both.shape[0], None, True)
    values = reshape(values, (-1,))
    one_only = ne(isin(values, a), isin(values, b))
    if is_inexact(values.dtype):
        one_only = bitwise_or(one_only, isnan(values))
    return _kept(values, bitwise_and(ne(counts, 0), one_only), size, fill_value)
