"""Shapes: arrays with their elements arranged differently."""
import operator

import numpy as _np

from ..array import Array
from ..avals import broadcast_shapes as _broadcast_shapes
from ..avals import canonical_axes, canonical_axis
from ..core import Tracer
from ..errors import ShapeError
from ..ops import shaping
from ..ops import structural as st
from ..ops.dynamic import dynamic_slice
from ..ops.shortcut import plain
from ..ops.structural import asvalue
from ..ops.structural import broadcast_to as _broadcast_to


def shape(a):
    """The sizes of the axes, as a tuple."""
    return asvalue(a).shape


def ndim(a):
    """The number of axes."""
    return asvalue(a).ndim


def size(a, axis=None):
    """The number of elements, or the length of an axis (the product of the lengths of several)."""
    x, n = asvalue(a), 1
    for a in canonical_axes(axis, x.ndim):
        n *= x.shape[a]
    return n


def several(v):
    """Whether v is a sequence or an array with axes, not one number. Its items may be traced."""
    return v.ndim > 0 if hasattr(v, "ndim") else hasattr(v, "__len__")


def sizes(s):
    """A shape as a tuple of Python integers; one integer is the shape of a vector."""
    return (operator.index(s),) if not several(s) else tuple([operator.index(n) for n in s])


def axes_of(axis, ndim, what="axis"):
    """Axes in the order given, counted from the front; each is named once."""
    axes = [canonical_axis(a, ndim, what) for a in (axis if several(axis) else (axis,))]
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{what}={axis}: an axis is named twice.")
    return axes


# ---- reshape ----

_ORDERS = ("C", "F", "A", "K")


def _order(order, allowed):
    if order not in allowed:
        raise ShapeError(f"order={order!r} is none of {', '.join(allowed)}.")
    return order == "F"


def reshape(a, shape, order="C", copy=None):
    """`a` with another shape of the same size; one size may be -1.

    order : "C" reads and writes the last axis fastest, "F" the first one. Arrays are stored in C order, so "A" is "C".
    """
    if order == "C" and (v := plain(a)) is not None and type(shape) in (tuple, int) and v.size:
        try:
            return Array(v.reshape(shape))
        except (TypeError, ValueError):                  # said in our words below
            pass
    x, new = asvalue(a), sizes(shape)
    if min(new, default=0) < -1:
        raise ShapeError(f"an array of shape {x.shape} cannot be reshaped to {new}: a size is negative.")
    if -1 in new and 0 in new:
        raise ShapeError(f"an array of shape {x.shape} cannot be reshaped to {new}: beside a 0, -1 could be anything.")
    if not _order(order, "CFA"):
        return st.reshape(x, new)
    return transpose(st.reshape(transpose(x), new[::-1]))


def ravel(a, order="C"):
    """`a` as a vector, its last axis running fastest (order="F": the first one)."""
    x = asvalue(a)
    return st.reshape(transpose(x) if _order(order, _ORDERS) else x, (-1,))


flatten = ravel


def squeeze(a, axis=None):
    """`a` without axes of size one: all of them, or those named."""
    x = asvalue(a)
    if not x.ndim and axis in (0, -1):                   # of a number, an axis of length one is meant, as in NumPy
        return x
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else axes_of(axis, x.ndim)
    bad = [i for i in axes if x.shape[i] != 1]
    if bad:
        raise ShapeError(f"squeeze of axis {bad[0]} of shape {x.shape}: its size is not 1.")
    return st.reshape(x, [n for i, n in enumerate(x.shape) if i not in axes])


def expand_dims(a, axis=0):
    """`a` with axes of size one at these places of the result."""
    x = asvalue(a)
    n = x.ndim + (len(axis) if several(axis) else 1)
    places, kept = axes_of(axis, n), iter(x.shape)
    return st.reshape(x, [1 if i in places else next(kept) for i in range(n)])


def _at_least(xs, shape_of):
    out = tuple([st.reshape(x, shape_of(x)) for x in map(asvalue, xs)])
    return out[0] if len(out) == 1 else out


def atleast_1d(*xs):
    """Arrays with at least one axis."""
    return _at_least(xs, lambda x: x.shape or (1,))


def atleast_2d(*xs):
    """Arrays with at least two axes, new ones in front."""
    return _at_least(xs, lambda x: (1,) * (2 - x.ndim) + x.shape)


def atleast_3d(*xs):
    """Arrays with at least three axes: a vector of n is 1 × n × 1, an m × n matrix is m × n × 1."""
    return _at_least(xs, lambda x: {0: (1, 1, 1), 1: (1, *x.shape, 1), 2: (*x.shape, 1)}.get(x.ndim, x.shape))


# ---- the order of axes ----

def transpose(a, axes=None):
    """`a` with its axes in another order: axis i of the result is axis axes[i] of `a` (reversed unless given)."""
    if axes is None and (v := plain(a)) is not None:
        return Array(v.T)
    x = asvalue(a)
    if axes is None:
        return st.transpose(x, range(x.ndim)[::-1])
    axes = axes_of(axes, x.ndim, "axes")
    if len(axes) != x.ndim:
        raise ShapeError(f"transpose of shape {x.shape} with axes {tuple(axes)}: name each axis once.")
    return st.transpose(x, axes)


permute_dims = transpose


def matrix_transpose(x):
    """x with its last two axes exchanged."""
    x = asvalue(x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose takes a matrix; got shape {x.shape}.")
    return swapaxes(x, -1, -2)


def swapaxes(a, axis1, axis2):
    """`a` with two axes exchanged."""
    x = asvalue(a)
    a, b = canonical_axis(axis1, x.ndim, "axis1"), canonical_axis(axis2, x.ndim, "axis2")
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    return st.transpose(x, order)


def moveaxis(a, source, destination):
    """`a` with the axes `source` moved to the places `destination`; the others keep their order."""
    x = asvalue(a)
    source, destination = axes_of(source, x.ndim, "source"), axes_of(destination, x.ndim, "destination")
    if len(source) != len(destination):
        raise ShapeError(f"moveaxis of {len(source)} axes to {len(destination)} places: there must be as many.")
    order = [i for i in range(x.ndim) if i not in source]
    for d, s in sorted(zip(destination, source)):
        order.insert(d, s)
    return st.transpose(x, order)


def rollaxis(a, axis, start=0):
    """`a` with one axis moved to stand before the axis that is at `start` now; `moveaxis` says it more plainly."""
    x = asvalue(a)
    axis, before = canonical_axis(axis, x.ndim), operator.index(start)
    if not -x.ndim <= before <= x.ndim:
        raise ShapeError(f"rollaxis: start={start} is out of range for an array with {x.ndim} dimensions.")
    before += x.ndim * (before < 0)
    return moveaxis(x, axis, before - (axis < before))


# ---- broadcasting ----

def broadcast_shapes(*shapes):
    """The shape that arrays of these shapes broadcast to."""
    return _broadcast_shapes(*[sizes(s) for s in shapes])


def broadcast_to(array, shape):
    """`array` repeated to a shape, by NumPy's broadcasting."""
    return _broadcast_to(asvalue(array), sizes(shape))


def broadcast_arrays(*xs):
    """The arrays, broadcast together, as a tuple."""
    xs = [asvalue(x) for x in xs]
    s = _broadcast_shapes(*[x.shape for x in xs])
    return tuple([_broadcast_to(x, s) for x in xs])


# ---- turning round ----

def flip(m, axis=None):
    """`m` with the order along axes turned round (all of them unless given)."""
    x = asvalue(m)
    return shaping.reverse(x, canonical_axes(axis, x.ndim))


def fliplr(m):
    """`m` with its columns turned round."""
    return flip(_with_axes(m, 2, "fliplr"), 1)


def flipud(m):
    """`m` with its rows turned round."""
    return flip(_with_axes(m, 1, "flipud"), 0)


def _with_axes(x, least, what):
    x = asvalue(x)
    if x.ndim < least:
        raise ShapeError(f"{what} takes an array with at least {least} axes; got shape {x.shape}.")
    return x


def rot90(m, k=1, axes=(0, 1)):
    """`m` turned by 90 degrees k times, from the first of two axes towards the second."""
    x, k = _with_axes(m, 2, "rot90"), operator.index(k) % 4
    if len(axes) != 2:
        raise ShapeError(f"rot90 turns in a plane of two axes; got axes={axes}.")
    a, b = axes_of(axes, x.ndim, "axes")
    if k == 0:
        return x
    if k == 2:
        return flip(x, (a, b))
    return swapaxes(flip(x, b), a, b) if k == 1 else flip(swapaxes(x, a, b), b)


def roll(a, shift, axis=None):
    """`a` with elements moved on by `shift` places along axes; what leaves at the end enters at the front.

    shift : int, or as many as there are axes; may be traced     axis : None rolls the flattened array
    """
    x = asvalue(a)
    if axis is None:
        return st.reshape(roll(st.reshape(x, (-1,)), shift, 0), x.shape)
    shifts = list(shift) if several(shift) else [shift]
    axes = [canonical_axis(a, x.ndim) for a in (axis if several(axis) else (axis,))]
    if len(shifts) != len(axes) and 1 not in (len(shifts), len(axes)):
        raise ShapeError(f"roll: {len(shifts)} shifts for {len(axes)} axes.")
    n = max(len(shifts), len(axes)) if shifts and axes else 0
    for s, a in zip(shifts * n if len(shifts) == 1 else shifts, axes * n if len(axes) == 1 else axes):
        x = _roll(x, s, a)
    return x


def _roll(x, s, axis):
    n = x.shape[axis]
    if n <= 1:
        return x
    if isinstance(s, Tracer):
        if s.dtype.kind not in "iub":
            raise ShapeError(f"roll: a shift is an integer; got {s.aval!r}.")
        s = st.cast(s, _np.dtype("int64"))
        starts = [(-s) % n if i == axis else 0 for i in range(x.ndim)]
        return dynamic_slice(shaping.concatenate([x, x], axis), starts, x.shape)
    s = operator.index(s) % n
    if s == 0:
        return x
    return shaping.concatenate([shaping.slice_axis(x, n - s, n, axis), shaping.slice_axis(x, 0, n - s, axis)], axis)
