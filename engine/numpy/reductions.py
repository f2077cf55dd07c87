"""Sums, means, extremes, running sums, quantiles."""
import builtins

import numpy as _np

from ..avals import canonical_axes, canonical_axis, to_inexact_dtype
from ..errors import ShapeError
from ..indexing import getitem
from ..ops import reduce as rd
from ..ops import structural as st
from ..ops.elementwise import bitwise_and, floor, isnan, lt, ne, sqrt
from ..ops.elementwise import where as _where
from ..ops.shaping import slice_axis
from ..ops.structural import asvalue, cast, reduce_sum, reshape
from . import shapes as sh
from .diagonals import diagonal
from .elementary import isclose
from .joining import concatenate
from .products import matmul

_INT = _np.dtype("int64")


def _kept(x, axes, keepdims, out):
    return reshape(out, [1 if i in axes else n for i, n in enumerate(x.shape)]) if keepdims else out


def _masked(x, where, fill):
    return x if where is None else _where(where, x, _np.asarray(fill, x.dtype))


def _sum_dtype(x, dtype):
    if dtype is not None:
        return _np.dtype(dtype)
    if x.dtype.kind == "b" or (x.dtype.kind == "i" and x.dtype.itemsize < 8):
        return _INT
    return _np.dtype("uint64") if x.dtype.kind == "u" else x.dtype


def sum(x, axis=None, dtype=None, keepdims=False, where=None, initial=None):
    """The sum over axes (all of them unless given)."""
    x = asvalue(x)
    x = _masked(cast(x, _sum_dtype(x, dtype)), where, 0)
    axes = canonical_axes(axis, x.ndim)
    out = _kept(x, axes, keepdims, reduce_sum(x, axes))
    return out if initial is None else out + initial


def prod(x, axis=None, dtype=None, keepdims=False, where=None):
    """The product over axes."""
    x = asvalue(x)
    x = _masked(cast(x, _sum_dtype(x, dtype)), where, 1)
    axes = canonical_axes(axis, x.ndim)
    return _kept(x, axes, keepdims, rd.reduce_prod_p.bind(x, axes=axes) if axes else x)


def _count(x, axes, where):
    if where is None:
        n = 1
        for a in axes:
            n *= x.shape[a]
        return n
    w = st.broadcast_to(asvalue(where), x.shape)
    return sum(w, axes, keepdims=False)


def mean(x, axis=None, dtype=None, keepdims=False, where=None):
    """The mean over axes."""
    x = asvalue(x)
    x = cast(x, _np.dtype(dtype) if dtype is not None else to_inexact_dtype(x.dtype))
    axes = canonical_axes(axis, x.ndim)
    out = sum(x, axes, where=where) / _count(x, axes, where)
    return _kept(x, axes, keepdims, out)


def var(x, axis=None, dtype=None, ddof=0, keepdims=False, correction=None):
    """The variance over axes: squared deviations summed, over n - ddof."""
    x = asvalue(x)
    x = cast(x, _np.dtype(dtype) if dtype is not None else to_inexact_dtype(x.dtype))
    axes = canonical_axes(axis, x.ndim)
    off = x - mean(x, axes, keepdims=True)
    n = _count(x, axes, None) - (ddof if correction is None else correction)
    return _kept(x, axes, keepdims, reduce_sum(off * off, axes) / n)


def std(x, axis=None, dtype=None, ddof=0, keepdims=False, correction=None):
    """The square root of the variance."""
    return sqrt(var(x, axis, dtype, ddof, keepdims, correction))


def _extreme(prim, name):
    def f(x, axis=None, keepdims=False, where=None, initial=None):
        x = asvalue(x)
        axes = canonical_axes(axis, x.ndim)
        if where is not None:
            x = _masked(x, where, rd._extreme(x.dtype, name == "max") if initial is None else initial)
        elif initial is None and any_empty(x, axes):
            raise ShapeError(f"{name} over an empty axis of shape {x.shape} has no value.")
        out = prim.bind(x, axes=axes) if axes else x
        if initial is not None:
            out = _where(lt(out, initial) if name == "max" else lt(initial, out), cast(initial, out.dtype), out)
        return _kept(x, axes, keepdims, out)
    f.__name__ = f.__qualname__ = name
    f.__doc__ = f"The {'largest' if name == 'max' else 'smallest'} element over axes; nan if there is one."
    return f


def any_empty(x, axes):
    """Whether a reduction over these axes has nothing to reduce."""
    return builtins.any(x.shape[a] == 0 for a in axes)


max = _extreme(rd.reduce_max_p, "max")
min = _extreme(rd.reduce_min_p, "min")


def ptp(x, axis=None, keepdims=False):
    """max - min."""
    return max(x, axis, keepdims) - min(x, axis, keepdims)


def _bool(x):
    x = asvalue(x)
    return x if x.dtype == _np.bool_ else ne(x, _np.zeros((), x.dtype))


def all(x, axis=None, keepdims=False):
    """Whether all elements are true."""
    x = _bool(x)
    axes = canonical_axes(axis, x.ndim)
    return _kept(x, axes, keepdims, rd.reduce_and_p.bind(x, axes=axes))


def any(x, axis=None, keepdims=False):
    """Whether any element is true."""
    x = _bool(x)
    axes = canonical_axes(axis, x.ndim)
    return _kept(x, axes, keepdims, rd.reduce_or_p.bind(x, axes=axes))


def _arg(prim):
    def f(x, axis=None, keepdims=False):
        x = asvalue(x)
        if axis is None:
            out = prim.bind(sh.ravel(x), axis=0)
            return reshape(out, (1,) * x.ndim) if keepdims else out
        axis = canonical_axis(axis, x.ndim)
        return _kept(x, (axis,), keepdims, prim.bind(x, axis=axis))
    f.__name__ = f.__qualname__ = prim.name
    which = "largest" if prim.name == "argmax" else "smallest"
    f.__doc__ = f"The first index of the {which} element; nan counts as it."
    return f


argmax, argmin = _arg(rd.argmax_p), _arg(rd.argmin_p)


def _along(x, axis):
    x = asvalue(x)
    return (sh.ravel(x), 0) if axis is None else (x, canonical_axis(axis, x.ndim))


def cumsum(x, axis=None, dtype=None):
    """Running sums along an axis (of the flattened array unless given)."""
    x, axis = _along(x, axis)
    return rd.cumsum(cast(x, _sum_dtype(x, dtype)), axis)


def cumprod(x, axis=None, dtype=None):
    """Running products along an axis."""
    x, axis = _along(x, axis)
    return rd.cumprod(cast(x, _sum_dtype(x, dtype)), axis)


def median(x, axis=None, keepdims=False):
    """The middle element, or the mean of the two middle ones."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


def quantile(x, q, axis=None, method="linear", keepdims=False):
    """Quantiles by linear interpolation between order statistics; q in [0, 1] stands first in the result."""
    if method != "linear":
        raise ShapeError(f"quantile with method={method!r}: only 'linear' is known.")
    x = asvalue(x)
    x = cast(x, to_inexact_dtype(x.dtype))
    axes = canonical_axes(axis, x.ndim)
    rest = [i for i in range(x.ndim) if i not in axes]
    flat = reshape(st.transpose(x, (*rest, *axes)), (*[x.shape[i] for i in rest], -1))
    ordered = rd.sort(flat, flat.ndim - 1)
    q = cast(asvalue(q), x.dtype)
    n = flat.shape[-1]
    place = q * (n - 1)
    low = cast(floor(place), _INT)
    low = _where(lt(low, 0), 0, _where(lt(n - 1, low), n - 1, low))
    high = _where(lt(n - 1, low + 1), n - 1, low + 1)
    weight = place - cast(low, x.dtype)
    a, b = getitem(ordered, (..., low)), getitem(ordered, (..., high))
    out = a + (b - a) * weight
    out = _where(any(isnan(flat), -1)[(..., *(None,) * q.ndim)], _np.asarray(_np.nan, x.dtype), out)
    out = sh.moveaxis(out, tuple(range(len(rest), out.ndim)), tuple(range(q.ndim))) if q.ndim else out
    if keepdims:
        out = reshape(out, (*q.shape, *[1 if i in axes else m for i, m in enumerate(x.shape)]))
    return out


def percentile(x, q, axis=None, method="linear", keepdims=False):
    """Quantiles with q in percent."""
    return quantile(x, asvalue(q) / 100.0, axis, method, keepdims)


def average(x, axis=None, weights=None):
    """The weighted mean."""
    if weights is None:
        return mean(x, axis)
    x, w = st.promote_inexact(asvalue(x), asvalue(weights))
    if w.ndim == 1 and x.ndim > 1 and axis is not None:
        w = reshape(w, [-1 if i == canonical_axis(axis, x.ndim) else 1 for i in range(x.ndim)])
    return sum(x * w, axis) / sum(st.broadcast_to(w, x.shape), axis)


def diff(x, n=1, axis=-1):
    """Differences of neighbours along an axis, n times."""
    x = asvalue(x)
    axis = canonical_axis(axis, x.ndim)
    for _ in range(n):
        m = x.shape[axis]
        x = slice_axis(x, 1, m, axis) - slice_axis(x, 0, builtins.max(m - 1, 0), axis)
    return x


def cov(x, y=None, rowvar=True, ddof=1):
    """The covariance matrix of variables in rows."""
    x = sh.atleast_2d(x)
    x = x if rowvar else sh.transpose(x)
    x = x if y is None else concatenate([x, sh.atleast_2d(y)], 0)
    x = cast(x, to_inexact_dtype(x.dtype))
    off = x - mean(x, 1, keepdims=True)
    return sh.squeeze(matmul(off, sh.transpose(off)) / (x.shape[1] - ddof))


def corrcoef(x, y=None):
    """The correlation matrix of variables in rows."""
    c = cov(x, y)
    d = sqrt(diagonal(c))
    return c / d[:, None] / d[None, :]


def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral by the trapezoidal rule."""
    y = sh.moveaxis(y, axis, -1)
    step = dx if x is None else diff(asvalue(x))
    return sum((y[..., 1:] + y[..., :-1]) * step, -1) * 0.5


def nansum(x, axis=None, keepdims=False):
    """The sum of the elements that are not nan."""
    x = asvalue(x)
    return sum(_where(isnan(x), _np.zeros((), x.dtype), x), axis, keepdims=keepdims)


def nanmean(x, axis=None, keepdims=False):
    """The mean of the elements that are not nan."""
    x = asvalue(x)
    return nansum(x, axis, keepdims) / sum(bitwise_and(x == x, True), axis, keepdims=keepdims)


def nanmax(x, axis=None, keepdims=False):
    """The largest of the elements that are not nan."""
    x = asvalue(x)
    return max(_where(isnan(x), _np.asarray(-_np.inf, x.dtype), x), axis, keepdims)


def nanmin(x, axis=None, keepdims=False):
    """The smallest of the elements that are not nan."""
    x = asvalue(x)
    return min(_where(isnan(x), _np.asarray(_np.inf, x.dtype), x), axis, keepdims)


def allclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether all elements are close; see isclose."""
    return all(isclose(a, b, rtol, atol, equal_nan))
