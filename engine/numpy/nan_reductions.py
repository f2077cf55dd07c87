"""Reductions of the elements that are not nan."""
import numpy as _np

from ..avals import canonical_axes, canonical_axis, is_inexact
from ..ops import reduce as rd
from ..ops.elementwise import bitwise_and, isnan, lt, ne, sqrt
from ..ops.elementwise import where as _where
from ..ops.structural import asvalue, cast, reduce_sum
from .cumulative import cumprod, cumsum
from .direct import no_out
from .reductions import argmax, argmin, kept, max, min, prod, sum
from .statistics import mean, var


def _filled(a, value):
    """a with `value` where it is nan"""
    a = asvalue(a)
    return _where(isnan(a), _np.asarray(value, a.dtype), a) if is_inexact(a.dtype) else a


def _numbers(a, where):
    """The mask of the elements that count; None where all of them do."""
    if not is_inexact(a.dtype):
        return where
    known = ne(isnan(a), True)
    return known if where is None or where is True else bitwise_and(known, where)


def nansum(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None):
    """The sum of the elements that are not nan."""
    return sum(_filled(a, 0), axis, dtype, out, keepdims, initial, where)


def nanprod(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None):
    """The product of the elements that are not nan."""
    return prod(_filled(a, 1), axis, dtype, out, keepdims, initial, where)


def nancumsum(a, axis=None, dtype=None, out=None):
    """Running sums in which nan counts as 0."""
    return cumsum(_filled(a, 0), axis, dtype, out)


def nancumprod(a, axis=None, dtype=None, out=None):
    """Running products in which nan counts as 1."""
    return cumprod(_filled(a, 1), axis, dtype, out)


def nanmean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=None):
    """The mean of the elements that are not nan; nan where there are none."""
    a = asvalue(a)
    return mean(a, axis, dtype, out, keepdims, where=_numbers(a, where))


def nanvar(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=None, mean=None, correction=None):
    """The variance of the elements that are not nan; nan where there are ddof or fewer of them."""
    a = asvalue(a)
    mask = _numbers(a, where)
    y = var(a, axis, dtype, out, ddof, keepdims, where=mask, mean=mean, correction=correction)
    if mask is None or mask is True:
        return y
    axes = canonical_axes(axis, a.ndim)
    n = kept(a, axes, keepdims, reduce_sum(cast(mask, _np.dtype("int64")), axes))
    return _where(lt(ddof if correction is None else correction, n), y, _np.asarray(_np.nan, y.dtype))


def nanstd(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=None, mean=None, correction=None):
    """The square root of the variance of the elements that are not nan."""
    return sqrt(nanvar(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction))


def _extreme(f, name, start):
    def g(a, axis=None, out=None, keepdims=False, initial=None, where=None):
        a = asvalue(a)
        if not is_inexact(a.dtype):
            return f(a, axis, out, keepdims, initial, where)
        y = f(_filled(a, start), axis, out, keepdims, initial, where)
        known = _numbers(a, where)
        axes = canonical_axes(axis, a.ndim)
        some = kept(a, axes, keepdims, rd.reduce_or_p.bind(known, axes=axes))
        return y if initial is not None else _where(some, y, _np.asarray(_np.nan, y.dtype))
    g.__name__ = g.__qualname__ = "nan" + name
    g.__doc__ = (f"The {'largest' if name == 'max' else 'smallest'} of the elements that are not nan; nan where there "
                 "are none.")
    return g


nanmax, nanmin = _extreme(max, "max", -_np.inf), _extreme(min, "min", _np.inf)


def _place(f, name, start):
    def g(a, axis=None, out=None, *, keepdims=False):
        no_out(out)
        a = asvalue(a)
        y = f(_filled(a, start), axis, keepdims=keepdims)
        if not is_inexact(a.dtype):
            return y
        axes = canonical_axes(None if axis is None else canonical_axis(axis, a.ndim), a.ndim)
        none = kept(a, axes, keepdims, rd.reduce_and_p.bind(isnan(a), axes=axes))
        return _where(none, _np.asarray(-1, y.dtype), y)
    g.__name__ = g.__qualname__ = "nan" + name
    which = "largest" if name == "argmax" else "smallest"
    g.__doc__ = f"The first index of the {which} element that is not nan; -1 where all are nan."
    return g


nanargmax, nanargmin = _place(argmax, "argmax", -_np.inf), _place(argmin, "argmin", _np.inf)
