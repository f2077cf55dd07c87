"""Shapes: joining, cutting, repeating and rearranging arrays."""
import operator

import numpy as _np

from ..avals import broadcast_shapes, canonical_axes, canonical_axis
from ..errors import ShapeError
from ..indexing import getitem
from ..ops import shaping
from ..ops import structural as st
from ..ops.elementwise import lt, where
from ..ops.index import take_along
from ..ops.structural import asvalue, cast
from ..ops.structural import broadcast_to as _broadcast_to


def shape(x):
    """The shape of an array."""
    return asvalue(x).shape


def ndim(x):
    """The number of axes."""
    return asvalue(x).ndim


def size(x, axis=None):
    """The number of elements, or the length of an axis."""
    x = asvalue(x)
    return x.size if axis is None else x.shape[axis]


def _shape_of(s):
    return (operator.index(s),) if isinstance(s, (int, _np.integer)) else tuple(operator.index(n) for n in s)


def reshape(x, shape=None, order="C", copy=None):
    """x with another shape of the same size; one size may be -1."""
    if order != "C":
        raise ShapeError(f"reshape with order={order!r}: only C order is known. Transpose first.")
    return st.reshape(asvalue(x), _shape_of(shape))


def ravel(x, order="C"):
    """x as a vector."""
    return st.reshape(asvalue(x), (-1,))


flatten = ravel


def transpose(x, axes=None):
    """x with its axes in another order (reversed unless given)."""
    x = asvalue(x)
    axes = range(x.ndim)[::-1] if axes is None else axes
    axes = tuple(canonical_axis(a, x.ndim) for a in axes)
    if sorted(axes) != list(range(x.ndim)):
        raise ShapeError(f"transpose of shape {x.shape} with axes {axes}: name each axis once.")
    return st.transpose(x, axes)


permute_dims = transpose


def matrix_transpose(x):
    """x with its last two axes exchanged."""
    return swapaxes(x, -1, -2)


def swapaxes(x, axis1, axis2):
    """x with two axes exchanged."""
    x = asvalue(x)
    a, b = canonical_axis(axis1, x.ndim), canonical_axis(axis2, x.ndim)
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    return st.transpose(x, order)


def moveaxis(x, source, destination):
    """x with axes moved to other places."""
    x = asvalue(x)
    source = [source] if isinstance(source, int) else list(source)
    destination = [destination] if isinstance(destination, int) else list(destination)
    source = [canonical_axis(a, x.ndim) for a in source]
    destination = [canonical_axis(a, x.ndim) for a in destination]
    order = [i for i in range(x.ndim) if i not in source]
    for d, s in sorted(zip(destination, source)):
        order.insert(d, s)
    return st.transpose(x, order)


def expand_dims(x, axis):
    """x with axes of size one put at these places of the result."""
    x = asvalue(x)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    n = x.ndim + len(axes)
    places = {canonical_axis(a, n) for a in axes}
    sizes = iter(x.shape)
    return st.reshape(x, [1 if i in places else next(sizes) for i in range(n)])


def squeeze(x, axis=None):
    """x without axes of size one."""
    x = asvalue(x)
    axes = tuple(i for i, n in enumerate(x.shape) if n == 1) if axis is None else canonical_axes(axis, x.ndim)
    bad = [i for i in axes if x.shape[i] != 1]
    if bad:
        raise ShapeError(f"squeeze of axis {bad[0]} of shape {x.shape}: its size is not 1.")
    return st.reshape(x, [n for i, n in enumerate(x.shape) if i not in axes])


def broadcast_to(x, shape):
    """x repeated to a shape, by NumPy's broadcasting."""
    return _broadcast_to(asvalue(x), _shape_of(shape))


def broadcast_arrays(*xs):
    """The arrays, broadcast together."""
    xs = [asvalue(x) for x in xs]
    s = broadcast_shapes(*[x.shape for x in xs])
    return [_broadcast_to(x, s) for x in xs]


def concatenate(xs, axis=0, dtype=None):
    """Arrays joined along an existing axis; None flattens them first."""
    xs = [asvalue(x) for x in xs]
    if not xs:
        raise ShapeError("concatenate needs at least one array.")
    if axis is None:
        xs, axis = [ravel(x) for x in xs], 0
    out = shaping.concatenate(xs, canonical_axis(axis, xs[0].ndim))
    return out if dtype is None else cast(out, _np.dtype(dtype))


def stack(xs, axis=0, dtype=None):
    """Arrays of one shape joined along a new axis."""
    xs = [asvalue(x) for x in xs]
    shapes = {x.shape for x in xs}
    if len(shapes) > 1:
        raise ShapeError(f"stack needs arrays of one shape; got {sorted(shapes)}.")
    return concatenate([expand_dims(x, canonical_axis(axis, x.ndim + 1)) for x in xs],
                       canonical_axis(axis, xs[0].ndim + 1), dtype)


def unstack(x, axis=0):
    """The slices of x along an axis, as a tuple."""
    x = asvalue(x)
    return tuple(shaping.unstack(x, canonical_axis(axis, x.ndim)))


def atleast_1d(*xs):
    """Arrays with at least one axis."""
    out = [x if x.ndim >= 1 else st.reshape(x, (1,)) for x in map(asvalue, xs)]
    return out[0] if len(out) == 1 else out


def atleast_2d(*xs):
    """Arrays with at least two axes."""
    out = [x if x.ndim >= 2 else st.reshape(x, (1, -1)) for x in map(asvalue, xs)]
    return out[0] if len(out) == 1 else out


def atleast_3d(*xs):
    """Arrays with at least three axes."""
    out = []
    for x in map(asvalue, xs):
        s = {0: (1, 1, 1), 1: (1, -1, 1), 2: (*x.shape, 1)}.get(x.ndim, x.shape)
        out.append(st.reshape(x, s))
    return out[0] if len(out) == 1 else out


def vstack(xs):
    """Arrays joined as rows."""
    return concatenate([atleast_2d(x) for x in xs], 0)


def hstack(xs):
    """Arrays joined as columns (vectors end to end)."""
    xs = [atleast_1d(x) for x in xs]
    return concatenate(xs, 0 if xs[0].ndim == 1 else 1)


def column_stack(xs):
    """Vectors as the columns of a matrix."""
    xs = [asvalue(x) for x in xs]
    return concatenate([x if x.ndim > 1 else st.reshape(x, (-1, 1)) for x in xs], 1)


def append(x, values, axis=None):
    """x with values after it."""
    return concatenate([x, values], axis)


def split(x, indices_or_sections, axis=0):
    """x cut into equal parts, or at these places."""
    x = asvalue(x)
    axis = canonical_axis(axis, x.ndim)
    n = x.shape[axis]
    if isinstance(indices_or_sections, (int, _np.integer)):
        k = int(indices_or_sections)
        if n % k:
            raise ShapeError(f"split of an axis of size {n} into {k} equal parts.")
        cuts = list(range(0, n + 1, n // k))
    else:
        cuts = [0, *[operator.index(i) for i in indices_or_sections], n]
    return [shaping.slice_axis(x, a, max(a, z), axis) for a, z in zip(cuts, cuts[1:])]


def flip(x, axis=None):
    """x with the order along axes turned round."""
    x = asvalue(x)
    return shaping.reverse(x, canonical_axes(axis, x.ndim))


def fliplr(x):
    """x with its columns turned round."""
    return flip(x, 1)


def flipud(x):
    """x with its rows turned round."""
    return flip(x, 0)


def rot90(x, k=1, axes=(0, 1)):
    """x turned by 90 degrees, k times."""
    x = asvalue(x)
    for _ in range(k % 4):
        x = flip(swapaxes(x, *axes), axes[0])
    return x


def roll(x, shift, axis=None):
    """x with elements moved round by `shift` places (Python integers)."""
    x = asvalue(x)
    if axis is None:
        return st.reshape(roll(ravel(x), shift, 0), x.shape)
    shifts = shift if isinstance(shift, (tuple, list)) else (shift,)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    for s, a in zip(shifts, axes):
        a = canonical_axis(a, x.ndim)
        n = x.shape[a]
        s = operator.index(s) % n if n else 0
        if s:
            x = shaping.concatenate([shaping.slice_axis(x, n - s, n, a), shaping.slice_axis(x, 0, n - s, a)], a)
    return x


def tile(x, reps):
    """x repeated `reps` times along its axes."""
    x = asvalue(x)
    reps = _shape_of(reps)
    n = max(x.ndim, len(reps))
    reps = (1,) * (n - len(reps)) + reps
    s = (1,) * (n - x.ndim) + x.shape
    wide = st.reshape(x, [v for m in s for v in (1, m)])
    wide = _broadcast_to(wide, tuple(v for m, r in zip(s, reps) for v in (r, m)))
    return st.reshape(wide, [m * r for m, r in zip(s, reps)])


def repeat(x, repeats, axis=None, total_repeat_length=None):
    """Each element repeated; `repeats` is known while tracing."""
    x = asvalue(x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = canonical_axis(axis, x.ndim)
    counts = _np.asarray(repeats)
    index = _np.repeat(_np.arange(x.shape[axis]), counts)
    return take(x, index, axis)


def pad(x, pad_width, mode="constant", constant_values=0):
    """x with elements put around it; mode constant, edge, reflect, symmetric or wrap."""
    x = asvalue(x)
    widths = _np.broadcast_to(_np.asarray(pad_width), (x.ndim, 2)).tolist()
    if mode == "constant":
        return shaping.pad(x, widths, constant_values)
    for axis, (low, high) in enumerate(widths):
        index = _np.pad(_np.arange(x.shape[axis]), (low, high), mode=mode)
        x = take(x, index, axis)
    return x


def diagonal(x, offset=0, axis1=0, axis2=1):
    """The elements of a diagonal, as the last axis."""
    x = moveaxis(asvalue(x), (axis1, axis2), (-2, -1))
    n, m = x.shape[-2:]
    k = max(0, min(n + min(offset, 0), m - max(offset, 0)))
    i = _np.arange(k)
    return getitem(x, (..., i + max(-offset, 0), i + max(offset, 0)))


def diag(x, k=0):
    """A diagonal matrix of a vector, or the diagonal of a matrix."""
    x = asvalue(x)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ShapeError(f"diag takes a vector or a matrix; got shape {x.shape}.")
    n = x.shape[0] + abs(k)
    i = st.iota_p.bind(shape=(n, n), axis=0, dtype=_np.dtype("int64"))
    j = st.iota_p.bind(shape=(n, n), axis=1, dtype=_np.dtype("int64"))
    row = shaping.pad(x, [(max(-0, k), 0)] if k > 0 else [(0, -k)]) if k else x
    return where(i + k == j, _broadcast_to(row, (n, n)), _np.zeros((), x.dtype))


def diagflat(x, k=0):
    """A diagonal matrix of the flattened elements."""
    return diag(ravel(x), k)


def take(x, indices, axis=None, mode=None):
    """Elements of x along an axis, at these indices."""
    x = asvalue(x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = canonical_axis(axis, x.ndim)
    index = indices if isinstance(indices, (int, _np.integer)) else asvalue(indices)
    return getitem(x, (slice(None),) * axis + (index,))


def take_along_axis(x, indices, axis=-1):
    """x at indices that vary along one axis and match in the others."""
    x, indices = asvalue(x), cast(asvalue(indices), _np.dtype("int64"))
    axis = canonical_axis(axis, x.ndim)
    indices = where(lt(indices, 0), indices + x.shape[axis], indices)
    lead = broadcast_shapes(tuple(1 if i == axis else n for i, n in enumerate(x.shape)),
                            tuple(1 if i == axis else n for i, n in enumerate(indices.shape)))
    indices = _broadcast_to(indices, tuple(indices.shape[axis] if i == axis else n for i, n in enumerate(lead)))
    return take_along(x, indices, axis)


def nonzero(x):
    """The indices of the elements that are not zero (known while tracing)."""
    return tuple(asvalue(i) for i in _np.nonzero(_np.asarray(x)))


def flatnonzero(x):
    """The flat indices of the elements that are not zero."""
    return nonzero(ravel(x))[0]


def delete(x, obj, axis=None):
    """x without the elements at these (known) indices."""
    x = asvalue(x)
    if axis is None:
        x, axis = ravel(x), 0
    keep = _np.delete(_np.arange(x.shape[axis]), obj)
    return take(x, keep, axis)


def insert(x, obj, values, axis=None):
    """x with values put before one index."""
    x = asvalue(x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = canonical_axis(axis, x.ndim)
    i = operator.index(obj) + (x.shape[axis] if obj < 0 else 0)
    values = asvalue(values)
    want = tuple((values.shape[axis] if values.ndim == x.ndim else 1) if k == axis else n for k,
                 n in enumerate(x.shape))
    head, tail = split(x, [i], axis)
    return concatenate([head, _broadcast_to(cast(values, x.dtype), want), tail], axis)
