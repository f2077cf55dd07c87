"""Sorting, and searching in what is sorted."""
import numpy as _np

from ..array import Array
from ..avals import canonical_axis
from ..core import Tracer
from ..errors import ShapeError
from ..ops import sort as ops
from ..ops.elementwise import sub, where
from ..ops.index import take_along
from ..ops.shaping import concatenate, reverse, slice_axis
from ..ops.structural import asvalue, cast, promote, reshape
from .direct import at_once, known

_KINDS = (None, "quicksort", "mergesort", "heapsort", "stable")
_INT = _np.dtype("int64")


def _along(x, axis):
    x = asvalue(x)
    return (reshape(x, (-1,)), 0) if axis is None else (x, canonical_axis(axis, x.ndim))


def _check(name, kind, order, stable):
    if order is not None:
        raise ShapeError(f"{name}: order={order!r} names fields of a structured array; arrays here have none.")
    if kind not in _KINDS:
        raise ShapeError(f"{name}: kind={kind!r} is none of {_KINDS[1:]}.")
    if kind is not None and stable is not None:
        raise ShapeError(f"{name} takes kind or stable, not both; got kind={kind!r} and stable={stable!r}.")


def sort(a, axis=-1, kind=None, order=None, *, stable=None, descending=False):
    """`a` in order along an axis (None: of the flattened array); nan last, or first if descending.

    a : number[...]. Complex numbers go by their real parts, then by their imaginary ones. `kind` and `stable` change
    nothing: equal elements cannot be told apart, except that -0 stands before 0 in compiled code.
    """
    _check("sort", kind, order, stable)
    if not descending and (v := known(a)) is not None and v.ndim:
        found = at_once(_np.sort, v, axis)
        if found is not None:
            return found
    x, axis = _along(a, axis)
    out = ops.sort(x, axis)
    return reverse(out, (axis,)) if descending else out


def argsort(a, axis=-1, kind=None, order=None, *, stable=None, descending=False):
    """The indices that sort `a` along an axis.   a : number[...] -> int64[...]

    Equal elements keep their order whatever `kind` and `stable` say, also if descending.
    """
    _check("argsort", kind, order, stable)
    x, axis = _along(a, axis)
    if descending:                                       # turned round twice, so that equal elements keep their order
        return sub(x.shape[axis] - 1, reverse(ops.argsort(reverse(x, (axis,)), axis), (axis,)))
    return ops.argsort(x, axis)


def sort_complex(a):
    """`a` in order along its last axis, as complex numbers.   a : number[..., n] -> complex[..., n]"""
    x = asvalue(a)
    if x.dtype.kind != "c":
        narrow = x.dtype in (_np.dtype(t) for t in ("int8", "uint8", "int16", "uint16"))
        x = cast(x, _np.dtype("complex64" if narrow else "complex128"))
    return sort(x)


def lexsort(keys, axis=-1):
    """The indices that sort by the last key, then by the one before it, and so on.   keys : k × number[...]"""
    keys = [asvalue(k) for k in keys]
    if not keys:
        raise ShapeError("lexsort needs at least one key.")
    if len({k.shape for k in keys}) > 1:
        raise ShapeError(f"the keys of lexsort must have one shape; got {[k.shape for k in keys]}.")
    if keys[0].ndim == 0:
        return asvalue(_np.asarray(0, _INT))
    axis = canonical_axis(axis, keys[0].ndim)
    order = ops.argsort(keys[0], axis)
    for k in keys[1:]:
        order = take_along(order, ops.argsort(take_along(k, order, axis), axis), axis)
    return order


def _places(kth, n):
    if isinstance(kth, Tracer):
        kth = kth.concrete("the place of a partition")
    for k in _np.ravel(_np.asarray(kth)).tolist():
        if not -n <= k < n:
            raise ShapeError(f"kth={k} is out of range for an axis of size {n}.")


def partition(a, kth, axis=-1, kind="introselect", order=None):
    """`a` with what belongs at the places kth in sorted order there, smaller elements before, larger ones after.

    Both sides are in order here; NumPy leaves them in any.
    """
    x, axis = _along(a, axis)
    _places(kth, x.shape[axis])
    return ops.sort(x, axis)


def argpartition(a, kth, axis=-1, kind="introselect", order=None):
    """The indices of `partition`."""
    x, axis = _along(a, axis)
    _places(kth, x.shape[axis])
    return ops.argsort(x, axis)


_METHODS = ("scan", "scan_unrolled", "sort", "compare_all")


def searchsorted(a, v, side="left", sorter=None, *, method="scan"):
    """The places in the sorted vector a before which the elements of v would go.   -> int64[*v.shape]

    a : number[n], in ascending order (or in that order after a[sorter]), nan last     v : number[...]
    side : "left" gives the first such place, a[i-1] < v <= a[i]; "right" the last, a[i-1] <= v < a[i].
    method : "sort" merges a and v; the others of JAX's names are all the same binary search.
    """
    if side not in ("left", "right"):
        raise ShapeError(f"searchsorted: side={side!r} is neither 'left' nor 'right'.")
    if method not in _METHODS:
        raise ShapeError(f"searchsorted: method={method!r} is none of {_METHODS}.")
    a, v = (asvalue(x) for x in promote(asvalue(a), asvalue(v)))
    if a.ndim != 1:
        raise ShapeError(f"searchsorted looks in a vector; a has shape {a.shape}.")
    if sorter is not None:
        a = take_along(a, cast(asvalue(sorter), _INT), 0)
    if method == "sort" or a.dtype.kind == "c":
        return _merged(a, v, side)
    return reshape(ops.searchsorted_p.bind(a, reshape(v, (-1,)), side=side), v.shape)


def _merged(a, v, side):
    """The rank of each v among a and v together, less its rank among v alone."""
    q = reshape(v, (-1,))
    n, m = a.shape[0], q.shape[0]
    parts = [q, a] if side == "left" else [a, q]         # a stable sort: of equal elements the first part goes first
    rank = ops.argsort(ops.argsort(concatenate(parts), 0), 0)
    mine = slice_axis(rank, 0, m, 0) if side == "left" else slice_axis(rank, n, n + m, 0)
    return reshape(mine - ops.argsort(ops.argsort(q, 0), 0), v.shape)


def digitize(x, bins, right=False, *, method="scan"):
    """The index of the bin that each element falls into: bins[i-1] <= x < bins[i] (right: bins[i-1] < x <= bins[i]).

    Of descending bins it is bins[i-1] > x >= bins[i] (right: bins[i-1] >= x > bins[i]).
    x : real[...]     bins : real[n], ascending or descending -> int64[*x.shape], 0 … n     method : of `searchsorted`
    """
    x, bins = asvalue(x), asvalue(bins)
    if x.dtype.kind == "c":
        raise ShapeError("digitize takes real numbers; x is complex.")
    if bins.ndim != 1:
        raise ShapeError(f"the bins of digitize are a vector; got shape {bins.shape}.")
    n = bins.shape[0]
    side = "left" if right else "right"

    def rising():
        return searchsorted(bins, x, side, method=method)

    def falling():
        return n - searchsorted(reverse(bins, (0,)), x, side, method=method)
    if n < 2:
        return rising()
    if isinstance(bins, Array):
        known = bins.value
        if not (_np.all(known[1:] >= known[:-1]) or _np.all(known[1:] <= known[:-1])):
            raise ShapeError("the bins of digitize must go up or down all the way.")
        return rising() if known[0] <= known[-1] else falling()
    return where(bins[0] <= bins[-1], rising(), falling())
