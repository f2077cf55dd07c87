"""Counting: elements that are not zero, how often values occur, histograms."""
import builtins
import operator

import numpy as _np

from ..array import Array
from ..avals import canonical_axes, default_float, promote_types, to_inexact_dtype
from ..errors import DtypeError, ShapeError
from ..ops import sort as so
from ..ops import structural as st
from ..ops.elementwise import bitwise_and, eq, ge, le, where
from ..ops.index import scatter_nd
from ..ops.reduce import reduce_max_p, reduce_min_p
from ..ops.shaping import slice_axis
from ..ops.structural import asvalue, cast, promote, reduce_sum
from .creation import linspace
from .reductions import truth
from .repeating import known

_INT = _np.dtype("int64")


def count_nonzero(a, axis=None, *, keepdims=False):
    """The number of elements that are not zero, over axes (all of them unless given)."""
    x = asvalue(a)
    axes = canonical_axes(None if not x.ndim and axis in (0, -1) else axis, x.ndim)
    out = reduce_sum(cast(truth(x), _INT), axes)
    return st.reshape(out, [1 if i in axes else n for i, n in enumerate(x.shape)]) if keepdims else out


def bincount(x, weights=None, minlength=0, *, length=None):
    """How often each of the integers 0, 1, 2, … occurs, or the sum of the weights of its occurrences.

    x : int[n], not negative     weights : real[n]
    length : the length of the result, needed where x is traced; integers outside of it do not count
    """
    x = asvalue(_np.zeros(0, _INT) if isinstance(x, (list, tuple)) and not len(x) else x)
    if x.dtype.kind not in "iub" or x.dtype == _np.dtype("uint64"):
        raise DtypeError(f"bincount counts integers; got dtype {x.dtype}.")
    if x.ndim != 1:
        raise ShapeError(f"bincount takes a vector; got shape {x.shape}.")
    minlength = operator.index(minlength)
    if minlength < 0:
        raise ShapeError(f"bincount: minlength={minlength} is negative.")
    if isinstance(x, Array) and x.size and x.value.min() < 0:
        raise ShapeError("bincount: there are negative integers.")
    if length is None:
        values = known(x, "the integers that bincount counts", "Pass length=, the length of the result.")
        length = max(int(values.max()) + 1 if values.size else 0, minlength)
    w = asvalue(1 if weights is None else weights)
    if weights is not None:
        if w.dtype.kind == "c":
            raise DtypeError("bincount: the weights are complex; count real and imaginary parts apart.")
        if w.shape != x.shape:
            raise ShapeError(f"bincount: weights of shape {w.shape} for integers of shape {x.shape}.")
        w = cast(w, promote_types(w.dtype, default_float()))
    return _tally(cast(x, _INT), w, length)


def _tally(i, w, length):
    return scatter_nd(st.full((length,), 0, w.dtype), [i], st.broadcast_to(w, i.shape), "add")


# ---- histograms ----

def histogram_bin_edges(a, bins=10, range=None, weights=None):
    """The edges of the bins of `histogram`: k + 1 evenly spaced numbers for k bins, or those given.

    bins : int; real[k + 1]; or the name of a rule that looks at the values, which must be known: auto, fd, doane,
        scott, stone, rice, sturges, sqrt
    range : (low, high); the least and the largest element unless given
    """
    a = _values(a)
    if isinstance(bins, str):
        values = known(a, "the values of a histogram", "Pass a number of bins, or their edges, instead of a rule.")
        if weights is not None:
            raise DtypeError(f"histogram: the rule {bins!r} does not know of weights.")
        try:
            return asvalue(_np.histogram_bin_edges(values, bins, range))
        except ValueError as e:
            raise ShapeError(f"histogram: {e}") from None
    if _one(bins):
        return _even_edges(a, bins, range)
    edges = asvalue(bins)
    if edges.ndim != 1:
        raise ShapeError(f"the edges of a histogram's bins are a vector; got shape {edges.shape}.")
    if isinstance(edges, Array) and (edges.value[:-1] > edges.value[1:]).any():
        raise ShapeError("the edges of a histogram's bins must not go down.")
    return edges


def _one(x):
    """Whether x is one number, not a sequence of them."""
    return x.ndim == 0 if hasattr(x, "ndim") else not isinstance(x, (list, tuple))


def _values(a):
    a = st.reshape(asvalue(a), (-1,))
    if a.dtype.kind == "c":
        raise DtypeError("a histogram is of real numbers; got complex ones.")
    return cast(a, _np.dtype("uint8")) if a.dtype.kind == "b" else a


def _even_edges(a, bins, range):
    try:
        k = operator.index(bins)
    except TypeError:
        raise DtypeError(f"histogram: bins is an integer, edges, or the name of a rule; got {bins!r}.") from None
    if k < 1:
        raise ShapeError(f"histogram: the number of bins must be positive; got {k}.")
    if range is not None:
        ends = tuple(range)
        d = promote_types(*ends, a.dtype)
        low, high = (asvalue(v) for v in ends)
        if isinstance(low, Array) and isinstance(high, Array) and not low.value <= high.value:
            raise ShapeError(f"histogram: range={(float(low), float(high))} goes down.")
    elif a.size == 0:
        low, high, d = asvalue(0), asvalue(1), a.dtype
    else:
        d = a.dtype
        low, high = reduce_min_p.bind(a, axes=(0,)), reduce_max_p.bind(a, axes=(0,))
    if isinstance(low, Array) and isinstance(high, Array) and not _np.isfinite([low.value, high.value]).all():
        raise ShapeError(f"histogram: the range of values, {float(low)} to {float(high)}, is not finite; pass range=.")
    d = to_inexact_dtype(d)
    low, high = promote(low, high)
    same = eq(low, high)
    low, high = where(same, low - 0.5, low), where(same, high + 0.5, high)
    return linspace(low, high, k + 1, dtype=d)


def _bins_of(a, edges):
    """The bin of each value, -1 outside of all; the last bin has its right edge."""
    k = edges.shape[0] - 1
    x, e = (asvalue(v) for v in promote(a, edges))
    i = so.searchsorted_p.bind(e, x, side="right") - 1
    inside = bitwise_and(ge(x, e[0]), le(x, e[k]))
    return where(inside, where(eq(x, e[k]), k - 1, i), -1)


def histogram(a, bins=10, range=None, density=None, weights=None):
    """(the number of values, or the sum of their weights, in each bin; the edges of the bins).

    A bin has its left edge and not its right one, but for the last, which has both. density : divide by the width of
    the bin and by the total, so that the integral is 1.     bins, range : as in `histogram_bin_edges`
    """
    shape, a = asvalue(a).shape, _values(a)
    if weights is not None:
        weights = asvalue(weights)
        if weights.shape != shape:
            raise ShapeError(f"histogram: weights of shape {weights.shape} for values of shape {shape}.")
        weights = st.reshape(weights, (-1,))
    edges = histogram_bin_edges(a, bins, range, weights)
    k = edges.shape[0] - 1
    if weights is None:
        counts = _tally(_bins_of(a, edges), asvalue(1), k)
    else:
        wide = weights if weights.dtype.kind != "f" else cast(weights, promote_types(weights.dtype, default_float()))
        counts = cast(_tally(_bins_of(a, edges), wide, k), weights.dtype)
    if density:
        width = slice_axis(edges, 1, k + 1, 0) - slice_axis(edges, 0, k, 0)
        width = cast(width, promote_types(width.dtype, default_float()))
        counts = counts / width / reduce_sum(counts, (0,))
    return counts, edges


def histogramdd(sample, bins=10, range=None, density=None, weights=None):
    """(the histogram of points over a grid of bins, the edges of the bins along each axis).

    sample : real[n, d], or d vectors     bins : one number, or a number or the edges for each axis
    range : one (low, high), or None, for each axis     density, weights : as in `histogram`
    """
    if isinstance(sample, (list, tuple)):
        columns = [asvalue(c) for c in sample]
        if not all([c.ndim == 1 for c in columns]):
            columns = list(st.stack_values(sample).T) if columns and columns[0].ndim == 1 else columns
    else:
        x = asvalue(sample)
        x = st.reshape(x, (-1, 1)) if x.ndim == 1 else x
        if x.ndim != 2:
            raise ShapeError(f"histogramdd takes points as the rows of a matrix; got shape {x.shape}.")
        columns = [x[:, i] for i in builtins.range(x.shape[1])]
    columns = [_values(c) for c in columns]
    d, n = len(columns), columns[0].size
    bins = [bins] * d if _one(bins) else list(bins)
    ranges = [None] * d if range is None else list(range)
    if len(bins) != d or len(ranges) != d:
        raise ShapeError(f"histogramdd: {d} axes take {d} bins and ranges; got {len(bins)} and {len(ranges)}.")
    edges = [histogram_bin_edges(c, b, r) for c, b, r in zip(columns, bins, ranges)]
    sizes = [e.shape[0] - 1 for e in edges]
    flat, inside = asvalue(0), asvalue(True)
    for c, e, k in zip(columns, edges, sizes):
        i = _bins_of(c, e)
        flat, inside = flat * k + i, bitwise_and(inside, ge(i, 0))
    w = asvalue(1.0 if weights is None else weights)
    w = cast(w, promote_types(w.dtype, default_float()))
    if weights is not None and w.shape != (n,):
        raise ShapeError(f"histogramdd: weights of shape {w.shape} for {n} points.")
    total = 1
    for k in sizes:
        total *= k
    counts = st.reshape(_tally(where(inside, flat, -1), w, total), tuple(sizes))
    if density:
        whole = reduce_sum(counts, tuple(builtins.range(d)))
        for i, (e, k) in enumerate(zip(edges, sizes)):
            width = slice_axis(e, 1, k + 1, 0) - slice_axis(e, 0, k, 0)
            counts = counts / st.reshape(width, [-1 if j == i else 1 for j in builtins.range(d)])
        counts = counts / whole
    return counts, edges


def histogram2d(x, y, bins=10, range=None, density=None, weights=None):
    """(the histogram of the points (x, y), the edges along x, the edges along y); as `histogramdd` of two vectors.

    bins : a number or edges for both, or a pair of such
    """
    x, y = asvalue(x), asvalue(y)
    if x.shape != y.shape:
        raise ShapeError(f"histogram2d: x has shape {x.shape}, y {y.shape}.")
    if not _one(bins) and len(bins) > 2:
        bins = [bins, bins]
    counts, edges = histogramdd([x, y], bins, range, density, weights)
    return counts, edges[0], edges[1]
