"""Reductions, running reductions and sorting by JAX's names; reductions over windows.

A `computation` that is one of the known monoids (add, mul, max, min, and, or) by name or as a function is one
operation; any other associative function is applied to halves again and again.
"""
import operator

import numpy as _np

from .. import tree
from ..api import vmap
from ..avals import canonical_axes, canonical_axis
from ..errors import ShapeError
from ..numpy import elementary as _elementary
from ..ops import elementwise as ew
from ..ops import reduce as rd
from ..ops import sort as _sort
from ..ops import window as _window
from ..ops.index import take_along
from ..ops.shaping import concatenate as _concatenate
from ..ops.shaping import pad_p, reverse, slice_axis
from ..ops.structural import asvalue, broadcast_to, cast, moveaxis, reduce_sum_p, reshape, transpose
from .convolution import padtype_to_pads

_KNOWN = {**{name: name for name in _window.NEUTRAL},
          ew.add: "add", ew.mul: "mul", ew.maximum: "max", ew.minimum: "min", ew.bitwise_and: "and",
          ew.bitwise_or: "or", operator.add: "add", operator.mul: "mul", operator.and_: "and", operator.or_: "or",
          _elementary.logical_and: "and", _elementary.logical_or: "or", _np.add: "add", _np.multiply: "mul",
          _np.maximum: "max", _np.minimum: "min", _np.logical_and: "and", _np.logical_or: "or"}
_COMBINE = {"add": ew.add, "mul": ew.mul, "max": ew.maximum, "min": ew.minimum, "and": ew.bitwise_and,
            "or": ew.bitwise_or}


def _known(computation, dtype):
    """The name of a monoid, or None for another function."""
    try:
        name = _KNOWN.get(computation)
    except TypeError:
        name = None
    if name is None and not callable(computation):
        raise ShapeError(f"a reduction by {computation!r}: give a function of two scalars, or one of "
                         f"{', '.join(_window.NEUTRAL)}.")
    logical = computation in (_elementary.logical_and, _elementary.logical_or, _np.logical_and, _np.logical_or)
    return None if logical and dtype.kind != "b" else name


def _reducer(prim, doc):
    def f(operand, axes):
        x = asvalue(operand)
        axes = canonical_axes(tuple(axes), x.ndim)
        return prim.bind(x, axes=axes) if axes else x
    f.__name__ = f.__qualname__ = prim.name
    f.__doc__ = doc
    return f


reduce_sum = _reducer(reduce_sum_p, "The sum over axes, in x's dtype.")
reduce_prod = _reducer(rd.reduce_prod_p, "The product over axes, in x's dtype.")
reduce_max = _reducer(rd.reduce_max_p, "The largest element over axes; -inf (or the least integer) of none.")
reduce_min = _reducer(rd.reduce_min_p, "The smallest element over axes.")


def reduce_and(operand, axes):
    """Bitwise and of the elements over axes."""
    return _by_name(asvalue(operand), "and", canonical_axes(tuple(axes), operand.ndim))


def reduce_or(operand, axes):
    """Bitwise or of the elements over axes."""
    return _by_name(asvalue(operand), "or", canonical_axes(tuple(axes), operand.ndim))


def reduce_xor(operand, axes):
    """Bitwise exclusive or of the elements over axes."""
    x = asvalue(operand)
    return reduce(x, _np.zeros((), x.dtype), ew.bitwise_xor, axes)


def _by_name(x, how, axes):
    if not axes:
        return x
    if how in ("and", "or"):
        if x.dtype.kind == "b":
            return {"and": rd.reduce_and_p, "or": rd.reduce_or_p}[how].bind(x, axes=axes)
        start = _window.neutral(how, x.dtype)
        return _fold([x], [start], lambda a, b: [_COMBINE[how](a[0], b[0])], axes)[0]
    return {"add": reduce_sum_p, "mul": rd.reduce_prod_p, "max": rd.reduce_max_p,
            "min": rd.reduce_min_p}[how].bind(x, axes=axes)


def _fold(xs, starts, combine, axes):
    """Neighbours combined in pairs until one is left; combine takes and gives lists of equally shaped arrays."""
    order = [*axes, *[i for i in range(xs[0].ndim) if i not in axes]]
    rest = tuple([xs[0].shape[i] for i in order[len(axes):]])
    xs = [reshape(transpose(x, order), (-1, *rest)) if x.size else reshape(transpose(x, order), (0, *rest)) for x in xs]
    n = xs[0].shape[0]
    if n == 0:
        return [broadcast_to(asvalue(s), rest) for s in starts]
    while n > 1:
        even = n // 2 * 2
        made = combine([slice_axis(x, 0, even, 0, 2) for x in xs], [slice_axis(x, 1, even, 0, 2) for x in xs])
        xs = [_concatenate([m, slice_axis(x, even, n, 0)], 0) if n % 2 else m for m, x in zip(made, xs)]
        n = (n + 1) // 2
    return [reshape(x, rest) for x in xs]


def reduce(operands, init_values, computation, dimensions):
    """The operands reduced over axes, starting from init_values.

    computation : (tree of scalars, tree of scalars) -> tree of scalars, associative; or a monoid's name

    >>> float(reduce(asvalue([1.0, 2.0, 4.0]), 1.0, "mul", (0,)))
    8.0
    """
    xs, treedef = tree.flatten(operands)
    xs = [asvalue(x) for x in xs]
    starts = [cast(asvalue(s), x.dtype) for s, x in zip(tree.leaves(init_values), xs)]
    if len(tree.leaves(init_values)) != len(xs) or any(x.shape != xs[0].shape for x in xs):
        raise ShapeError(f"reduce takes operands of one shape and a start for each; got shapes {[x.shape for x in xs]} "
                         f"and {len(tree.leaves(init_values))} starts.")
    axes = canonical_axes(tuple(dimensions), xs[0].ndim)
    how = _known(computation, xs[0].dtype) if len(xs) == 1 else None
    if how is not None:
        return tree.unflatten(treedef, [_COMBINE[how](starts[0], _by_name(xs[0], how, axes))])

    def combine(a, b):
        """The function of scalars, over all elements at once."""
        shape = a[0].shape
        one = vmap(lambda p, q: [asvalue(v) for v in tree.leaves(computation(tree.unflatten(treedef, p),
                                                                             tree.unflatten(treedef, q)))])
        made = one([reshape(v, (-1,)) for v in a], [reshape(v, (-1,)) for v in b])
        return [reshape(cast(m, v.dtype), shape) for m, v in zip(made, a)]
    folded = _fold(xs, starts, combine, axes)
    if not folded[0].size or not xs[0].size:
        return tree.unflatten(treedef, folded)
    return tree.unflatten(treedef, combine([broadcast_to(s, v.shape) for s, v in zip(starts, folded)], folded))


def _window_sizes(x, window_dimensions, window_strides, padding, base_dilation, window_dilation):
    ones = (1,) * x.ndim
    window, strides = tuple(window_dimensions), tuple(window_strides or ones)
    base, gaps = tuple(base_dilation or ones), tuple(window_dilation or ones)
    if not len(window) == len(strides) == len(base) == len(gaps) == x.ndim:
        raise ShapeError(f"reduce_window over shape {x.shape} with window_dimensions={window}, window_strides="
                         f"{strides}, base_dilation={base}, window_dilation={gaps}: give one number for each axis.")
    if isinstance(padding, str):
        padding = padtype_to_pads([_window.dilated(n, b) for n, b in zip(x.shape, base)],
                                  [_window.dilated(k, g) for k, g in zip(window, gaps)], strides, padding)
    return dict(window=window, strides=strides, padding=tuple([tuple(p) for p in padding]), base_dilation=base,
                window_dilation=gaps)


def reduce_window(operand, init_value, computation, window_dimensions, window_strides=None, padding="VALID",
                  base_dilation=None, window_dilation=None):
    """x reduced over windows that move by window_strides; what is outside counts as init_value.

    computation : see `reduce`      padding : "VALID", "SAME", "SAME_LOWER" or (low, high) for each axis

    >>> reduce_window(asvalue([1.0, 2.0, 3.0, 4.0]), 0.0, "add", (2,), (2,)).tolist()
    [3.0, 7.0]
    """
    x = asvalue(operand)
    start = cast(asvalue(init_value), x.dtype)
    how = _known(computation, x.dtype)
    params = _window_sizes(x, window_dimensions, window_strides, padding, base_dilation, window_dilation)
    if how is not None and _is_neutral(init_value, how, x.dtype):
        return _window.reduce_window(x, how, **params)
    low, high = zip(*params["padding"]) if x.ndim else ((), ())
    x = pad_p.bind(x, start, low=tuple(low), high=tuple(high), interior=tuple([d - 1 for d in params["base_dilation"]]))
    params.update(padding=((0, 0),) * x.ndim, base_dilation=(1,) * x.ndim)
    if how is not None:
        return _COMBINE[how](start, _window.reduce_window(x, how, **params))
    return reduce(_window._patches(x, start, **params), start, computation, (0,))


def _is_neutral(value, how, dtype):
    known = getattr(value, "value", value)                # a Python number, a NumPy scalar, or an array that is known
    if not isinstance(known, (bool, int, float, complex, _np.generic, _np.ndarray)):
        return False
    return bool(_np.asarray(known).astype(dtype) == _window.neutral(how, dtype))


# ---- running reductions ----

def _running(prim, doc):
    def f(operand, axis=0, reverse=False):
        x = asvalue(operand)
        axis = canonical_axis(axis, x.ndim)
        return _flipped(prim.bind(_flipped(x, axis), axis=axis), axis) if reverse else prim.bind(x, axis=axis)
    f.__name__ = f.__qualname__ = prim.name
    f.__doc__ = doc + " With reverse=True from the end to the front."
    return f


def _flipped(x, axis):
    return reverse(x, (axis,))


cumsum = _running(rd.cumsum_p, "Running sums along an axis, in x's dtype.")
cumprod = _running(rd.cumprod_p, "Running products along an axis, in x's dtype.")
cummax = _running(rd.cummax_p, "Running maxima along an axis.")
cummin = _running(rd.cummin_p, "Running minima along an axis.")
cumlogsumexp = _running(rd.cumlogsumexp_p, "log of running sums of exp(x) along an axis.")


# ---- places and order ----

def _arg(prim, doc):
    def f(operand, axis, index_dtype="int64"):
        x = asvalue(operand)
        axis = canonical_axis(axis, x.ndim)
        if not x.shape[axis]:
            raise ShapeError(f"{prim.name} over the empty axis {axis} of shape {x.shape} has no value.")
        return cast(prim.bind(x, axis=axis), _np.dtype(index_dtype))
    f.__name__ = f.__qualname__ = prim.name
    f.__doc__ = doc
    return f


argmax = _arg(rd.argmax_p, "The first place of the largest element along an axis; nan counts as it.")
argmin = _arg(rd.argmin_p, "The first place of the smallest element along an axis; nan counts as it.")


def sort(operand, dimension=-1, is_stable=True, num_keys=1):
    """Arrays sorted along an axis, all in the order of the first num_keys of them; nan last.

    operand : an array, or a tuple of arrays of one shape, of which the first decides, then the second, …

    >>> [v.tolist() for v in sort((asvalue([2, 1, 2]), asvalue([5, 6, 4])), num_keys=2)]
    [[1, 2, 2], [6, 4, 5]]
    """
    many = isinstance(operand, (tuple, list))
    xs = [asvalue(x) for x in operand] if many else [asvalue(operand)]
    if any(x.shape != xs[0].shape for x in xs) or not 1 <= num_keys <= len(xs):
        raise ShapeError(f"sort of arrays of shapes {[x.shape for x in xs]} with num_keys={num_keys}: they have one "
                         f"shape, and 1 to {len(xs)} of them are keys.")
    axis = canonical_axis(dimension, xs[0].ndim)
    if not many:
        return _sort.sort(xs[0], axis)
    order = _sort.argsort(xs[num_keys - 1], axis)
    for key in xs[:num_keys - 1][::-1]:                   # stable, so from the last key to the first
        order = take_along(order, _sort.argsort(take_along(key, order, axis), axis), axis)
    return tuple([take_along(x, order, axis) for x in xs])


def sort_key_val(keys, values, dimension=-1, is_stable=True):
    """(keys sorted along an axis, values in the same order)."""
    return sort((keys, values), dimension, is_stable, 1)


def top_k(operand, k, *, axis=-1):
    """(the k largest elements along an axis, largest first; their places). Of equals the first; nan is largest.

    >>> [v.tolist() for v in top_k(asvalue([3.0, 9.0, 4.0]), 2)]
    [[9.0, 4.0], [1, 2]]
    """
    x, k = asvalue(operand), operator.index(k)
    axis = canonical_axis(axis, x.ndim)
    if not x.ndim or not 0 <= k <= x.shape[axis]:
        raise ShapeError(f"top_k of shape {x.shape} along axis {axis} with k={k}: 0 <= k <= size must hold.")
    x = moveaxis(x, axis, -1)
    at = _sort.top_k_p.bind(x, k=k)
    values = take_along(x, at, -1)
    return moveaxis(values, -1, axis), moveaxis(at, -1, axis)
