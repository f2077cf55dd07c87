"""Sums, products, extremes, truth of all or any, and where the extremes are."""
import builtins
import math

import numpy as _np

from ..avals import canonical_axes, canonical_axis
from ..errors import ShapeError
from ..ops import reduce as rd
from ..ops.elementwise import maximum, minimum, ne
from ..ops.elementwise import where as _where
from ..ops.index import take_along
from ..ops.structural import asvalue, broadcast_to, cast, reduce_sum, reshape, transpose
from .direct import at_once, known, no_out
from .elementary import isclose

_INT, _UINT, _BOOL = _np.dtype("int64"), _np.dtype("uint64"), _np.dtype(bool)


# ---- what reductions share ----

def kept(x, axes, keepdims, out):
    """The result of a reduction of x over axes, with them as ones where they are kept."""
    return reshape(out, [1 if i in axes else n for i, n in enumerate(x.shape)]) if keepdims else out


def masked(x, where, fill):
    """x with `fill` where the mask does not hold."""
    if where is None or where is True:
        return x
    return broadcast_to(_where(where, x, cast(fill, x.dtype)), x.shape)


def sum_dtype(x, dtype):
    """The dtype of a sum or product: integers and booleans get 64 bits."""
    if dtype is not None:
        return _np.dtype(dtype)
    kind = x.dtype.kind
    return x.dtype if kind in "fcV" else _UINT if kind == "u" else _INT


def count(x, axes, where):
    """How many elements a reduction over axes takes in."""
    if where is None or where is True:
        return math.prod([x.shape[a] for a in axes])
    return reduce_sum(cast(broadcast_to(asvalue(where), x.shape), _INT), axes)


def any_empty(x, axes):
    """Whether a reduction over these axes has nothing to reduce."""
    return builtins.any(x.shape[a] == 0 for a in axes)


def flat_last(x, axes):
    """x with the reduced axes merged into one, the last: (the other axes..., their product)."""
    rest = [i for i in range(x.ndim) if i not in axes]
    lead = tuple([x.shape[i] for i in rest])
    return reshape(transpose(x, (*rest, *axes)), (*lead, math.prod([x.shape[a] for a in axes])))


# ---- sums and products ----

def sum(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None):
    """The sum over axes (all of them unless given), of the elements where `where` holds, plus `initial`."""
    no_out(out)
    if dtype is initial is where is None and (v := known(a)) is not None:
        y = at_once(_np.add.reduce, v, axis, None, None, keepdims)
        if y is not None:
            return y
    a = asvalue(a)
    x = masked(cast(a, sum_dtype(a, dtype)), where, 0)
    axes = canonical_axes(axis, x.ndim)
    y = kept(x, axes, keepdims, reduce_sum(x, axes))
    return y if initial is None else y + cast(initial, y.dtype)


def prod(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None):
    """The product over axes, of the elements where `where` holds, times `initial`."""
    no_out(out)
    if dtype is initial is where is None and (v := known(a)) is not None:
        y = at_once(_np.multiply.reduce, v, axis, None, None, keepdims)
        if y is not None:
            return y
    a = asvalue(a)
    x = masked(cast(a, sum_dtype(a, dtype)), where, 1)
    axes = canonical_axes(axis, x.ndim)
    y = kept(x, axes, keepdims, rd.reduce_prod_p.bind(x, axes=axes) if axes else x)
    return y if initial is None else y * cast(initial, y.dtype)


# ---- extremes ----

def _complex_extreme(x, axes, place):
    """By the real parts, then by the imaginary ones: the element at its place."""
    x = flat_last(x, axes)
    at = place.bind(x, axis=x.ndim - 1)
    return reshape(take_along(x, reshape(at, (*at.shape, 1)), x.ndim - 1), at.shape)


def _extreme(prim, place, larger, name):
    better = getattr(_np, larger.__name__)

    def f(a, axis=None, out=None, keepdims=False, initial=None, where=None):
        no_out(out)
        if initial is where is None and (v := known(a)) is not None:
            y = at_once(better.reduce, v, axis, None, None, keepdims)
            if y is not None:
                return y
        x = asvalue(a)
        axes = canonical_axes(axis, x.ndim)
        if where is not None and where is not True:
            if initial is None:
                raise ShapeError(f"{name} with where= needs initial=, its value where nothing is left.")
            x = masked(x, where, cast(asvalue(initial), x.dtype))
        elif initial is None and any_empty(x, axes):
            raise ShapeError(f"{name} over an empty axis of shape {x.shape} has no value.")
        if not axes:
            y = x
        elif x.dtype.kind == "c" and x.size:
            y = _complex_extreme(x, axes, place)
        else:
            y = prim.bind(x, axes=axes)
        y = kept(x, axes, keepdims, y)
        return y if initial is None else larger(y, cast(asvalue(initial), y.dtype))
    f.__name__ = f.__qualname__ = name
    f.__doc__ = f"The {'largest' if name == 'max' else 'smallest'} element over axes; nan if there is one."
    return f


max = _extreme(rd.reduce_max_p, rd.argmax_p, maximum, "max")
min = _extreme(rd.reduce_min_p, rd.argmin_p, minimum, "min")


def ptp(a, axis=None, out=None, keepdims=False):
    """max - min."""
    no_out(out)
    a = asvalue(a)
    return max(a, axis, None, keepdims) - min(a, axis, None, keepdims)


def _arg(prim):
    theirs = getattr(_np, prim.name)

    def f(a, axis=None, out=None, *, keepdims=False):
        no_out(out)
        if not keepdims and (v := known(a)) is not None:
            y = at_once(theirs, v, axis)
            if y is not None:
                return y
        x = asvalue(a)
        flat = reshape(x, (-1,)) if axis is None else x
        axis = 0 if axis is None else canonical_axis(axis, x.ndim)
        if flat.shape[axis] == 0:
            raise ShapeError(f"{prim.name} over an empty axis of shape {x.shape} has no value.")
        y = prim.bind(flat, axis=axis)
        if not keepdims:
            return y
        return reshape(y, (1,) * x.ndim) if flat is not x else kept(x, (axis,), True, y)
    f.__name__ = f.__qualname__ = prim.name
    which = "largest" if prim.name == "argmax" else "smallest"
    f.__doc__ = f"The first index of the {which} element; nan counts as it."
    return f


argmax, argmin = _arg(rd.argmax_p), _arg(rd.argmin_p)


# ---- truth ----

def truth(x):
    """x as booleans."""
    x = asvalue(x)
    return x if x.dtype == _BOOL else ne(x, _np.zeros((), x.dtype))


def all(a, axis=None, out=None, keepdims=False, *, where=None):
    """Whether all elements are true (of those where `where` holds)."""
    no_out(out)
    if where is None and (v := known(a)) is not None:
        y = at_once(_np.logical_and.reduce, v, axis, None, None, keepdims)
        if y is not None:
            return y
    x = masked(truth(a), where, True)
    axes = canonical_axes(axis, x.ndim)
    return kept(x, axes, keepdims, rd.reduce_and_p.bind(x, axes=axes))


def any(a, axis=None, out=None, keepdims=False, *, where=None):
    """Whether any element is true (of those where `where` holds)."""
    no_out(out)
    if where is None and (v := known(a)) is not None:
        y = at_once(_np.logical_or.reduce, v, axis, None, None, keepdims)
        if y is not None:
            return y
    x = masked(truth(a), where, False)
    axes = canonical_axes(axis, x.ndim)
    return kept(x, axes, keepdims, rd.reduce_or_p.bind(x, axes=axes))


def allclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether all elements are close; see isclose."""
    return all(isclose(a, b, rtol, atol, equal_nan))
