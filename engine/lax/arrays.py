"""Shapes, slices and blocks of arrays by JAX's names: static and computed slices, padding, iota."""
import math
import operator

import numpy as _np

from ..avals import canonical_axes, canonical_axis
from ..errors import ShapeError
from ..numpy import creation as _creation
from ..numpy import shapes as _shapes
from ..ops import structural as st
from ..ops.dynamic import dynamic_slice, dynamic_update_slice
from ..ops.elementwise import lt, where
from ..ops.index import gather_nd
from ..ops.shaping import concatenate as _concatenate
from ..ops.shaping import pad_p, reverse, slice_axis, split_axis, static_slice
from ..ops.structural import asvalue, broadcast_p, cast

_slice = slice


def full(shape, fill_value, dtype=None):
    """An array of one value."""
    return _creation.full(shape, fill_value, dtype)


def full_like(x, fill_value, dtype=None, shape=None):
    """An array of one value with the shape and dtype of x."""
    return _creation.full_like(x, fill_value, dtype, shape)


def iota(dtype, size):
    """0, 1, …, size - 1."""
    return st.iota(operator.index(size), dtype)


def broadcasted_iota(dtype, shape, dimension):
    """An array of a shape that counts 0, 1, … along one axis."""
    shape = tuple([operator.index(n) for n in shape])
    return st.iota_p.bind(shape=shape, axis=canonical_axis(dimension, len(shape)), dtype=_np.dtype(dtype))


def convert_element_type(x, dtype):
    """x with another dtype."""
    return cast(asvalue(x), _np.dtype(dtype))


def broadcast(operand, sizes):
    """x repeated along new leading axes of these sizes."""
    x = asvalue(operand)
    return st.broadcast_to(x, (*sizes, *x.shape))


def broadcast_in_dim(operand, shape, broadcast_dimensions):
    """Axis i of x becomes axis broadcast_dimensions[i] of the result; along the others x is repeated."""
    x, shape, dims = asvalue(operand), tuple(shape), tuple(broadcast_dimensions)
    if (len(dims) != x.ndim or list(dims) != sorted(set(dims)) or any(not 0 <= d < len(shape) for d in dims)
            or any(n not in (1, shape[d]) for n, d in zip(x.shape, dims))):
        raise ShapeError(f"broadcast_in_dim of shape {x.shape} to {shape} with axes {dims}: name one axis, rising, for "
                         "each axis of x, of x's size unless that is 1.")
    return broadcast_p.bind(x, shape=shape, dims=dims)


def broadcast_to_rank(x, rank):
    """x with leading axes of size 1, up to a rank."""
    x = asvalue(x)
    return st.reshape(x, (1,) * (rank - x.ndim) + x.shape)


def reshape(operand, new_sizes, dimensions=None):
    """x with another shape of the same size, its axes taken in the order `dimensions`."""
    x = asvalue(operand)
    return st.reshape(x if dimensions is None else st.transpose(x, dimensions), tuple(new_sizes))


def collapse(operand, start_dimension, stop_dimension=None):
    """The axes from start to stop (excluded) as one."""
    x = asvalue(operand)
    stop = x.ndim if stop_dimension is None else stop_dimension + x.ndim * (stop_dimension < 0)
    start = canonical_axis(start_dimension, x.ndim)
    return st.reshape(x, (*x.shape[:start], math.prod(x.shape[start:stop]), *x.shape[stop:]))


def squeeze(array, dimensions):
    """x without these axes, whose sizes are 1."""
    return _shapes.squeeze(array, tuple(dimensions))


def expand_dims(array, dimensions):
    """x with axes of size 1 at these places of the result."""
    return _shapes.expand_dims(array, tuple(dimensions))


def transpose(operand, permutation):
    """Axis i of the result is axis permutation[i] of x."""
    return _shapes.transpose(operand, permutation)


def rev(operand, dimensions):
    """x with the order along these axes turned round."""
    x = asvalue(operand)
    return reverse(x, canonical_axes(tuple(dimensions), x.ndim))


def concatenate(operands, dimension):
    """The arrays joined along an axis."""
    return _concatenate(operands, dimension)


def pad(operand, padding_value, padding_config):
    """x among copies of a value.   padding_config : (low, high, interior) for each axis; less than 0 cuts

    >>> pad(asvalue([1.0, 2.0]), 0.0, [(1, 0, 1)]).tolist()
    [0.0, 1.0, 0.0, 2.0]
    """
    x = asvalue(operand)
    if len(padding_config) != x.ndim or any(k < 0 for _, _, k in padding_config):
        raise ShapeError(f"pad of shape {x.shape} with {list(padding_config)}: give (low, high, interior) for each "
                         "axis, interior not negative.")
    sizes = [lo + hi + n + max(n - 1, 0) * k for n, (lo, hi, k) in zip(x.shape, padding_config)]
    if min(sizes, default=0) < 0:
        raise ShapeError(f"pad of shape {x.shape} with {list(padding_config)} would give the shape {tuple(sizes)}.")
    low, high, interior = zip(*padding_config) if x.ndim else ((), (), ())
    return pad_p.bind(x, cast(padding_value, x.dtype), low=tuple(low), high=tuple(high), interior=tuple(interior))


def split(operand, sizes, axis=0):
    """x cut along an axis into pieces of these sizes."""
    x = asvalue(operand)
    axis = canonical_axis(axis, x.ndim)
    if sum(sizes) != x.shape[axis] or min(sizes, default=0) < 0:
        raise ShapeError(f"split of shape {x.shape} along axis {axis} into sizes {tuple(sizes)}: they must add up to "
                         f"{x.shape[axis]}.")
    return split_axis(x, sizes, axis)


# ---- slices ----

def slice(operand, start_indices, limit_indices, strides=None):  # noqa: A001 (the field's name)
    """x[start:limit:stride, …]; 0 <= start <= limit <= size."""
    x = asvalue(operand)
    strides = (1,) * x.ndim if strides is None else tuple(strides)
    if not len(start_indices) == len(limit_indices) == len(strides) == x.ndim:
        raise ShapeError(f"slice of shape {x.shape}: give a start, a limit and a stride for each of {x.ndim} axes.")
    for n, lo, hi, s in zip(x.shape, start_indices, limit_indices, strides):
        if not (0 <= lo <= hi <= n and s > 0):
            raise ShapeError(f"slice of shape {x.shape} from {tuple(start_indices)} to {tuple(limit_indices)} by "
                             f"{strides}: 0 <= start <= limit <= size and stride > 0 must hold.")
    return static_slice(x, start_indices, limit_indices, strides)


def slice_in_dim(operand, start_index, limit_index, stride=1, axis=0):
    """x[start:limit:stride] along one axis; negative places count from the end."""
    x = asvalue(operand)
    axis = canonical_axis(axis, x.ndim)
    start, stop, _ = _slice(start_index, limit_index).indices(x.shape[axis])
    return slice_axis(x, start, max(start, stop), axis, operator.index(stride))


def index_in_dim(operand, index, axis=0, keepdims=True):
    """The slice of x at a Python index of one axis."""
    x = asvalue(operand)
    axis = canonical_axis(axis, x.ndim)
    i = operator.index(index)
    if not -x.shape[axis] <= i < x.shape[axis]:
        raise ShapeError(f"index {i} is out of range for axis {axis} of shape {x.shape}.")
    out = slice_axis(x, i % x.shape[axis], i % x.shape[axis] + 1, axis)
    return out if keepdims else st.reshape(out, [n for k, n in enumerate(out.shape) if k != axis])


def index_take(src, idxs, axes):
    """The elements at index arrays for some axes; those axes are replaced by one in front."""
    x = asvalue(src)
    axes = [canonical_axis(a, x.ndim) for a in axes]
    return gather_nd(st.transpose(x, [*axes, *[i for i in range(x.ndim) if i not in axes]]), list(idxs))


def _starts(x, index, axis):
    """Starts of a block: 0, and along one axis the index, where less than 0 counts from the end."""
    n, starts = x.shape[axis], [0] * x.ndim
    if isinstance(index, (int, _np.integer)):
        starts[axis] = index + n if index < 0 else index
    else:
        index = asvalue(index)
        starts[axis] = index if index.dtype.kind == "u" else where(lt(index, 0), index + n, index)
    return starts


def dynamic_slice_in_dim(operand, start_index, slice_size, axis=0):
    """slice_size elements from a (traced) start along one axis; the start is clipped so that they fit."""
    x = asvalue(operand)
    axis = canonical_axis(axis, x.ndim)
    sizes = [operator.index(slice_size) if i == axis else n for i, n in enumerate(x.shape)]
    if sizes[axis] > x.shape[axis]:
        raise ShapeError(f"a slice of {slice_size} along axis {axis} of shape {x.shape} does not fit.")
    return dynamic_slice(x, _starts(x, start_index, axis), sizes)


def dynamic_index_in_dim(operand, index, axis=0, keepdims=True):
    """The slice of x at a (traced) index of one axis."""
    x = asvalue(operand)
    axis = canonical_axis(axis, x.ndim)
    out = dynamic_slice_in_dim(x, index, 1, axis)
    return out if keepdims else st.reshape(out, [n for k, n in enumerate(out.shape) if k != axis])


def dynamic_update_slice_in_dim(operand, update, start_index, axis):
    """x with a block along one axis, from a (traced) start, replaced by `update`."""
    x = asvalue(operand)
    return dynamic_update_slice(x, update, _starts(x, start_index, canonical_axis(axis, x.ndim)))


def dynamic_update_index_in_dim(operand, update, index, axis):
    """x with its slice at a (traced) index of one axis replaced; `update` may lack that axis."""
    x, update = asvalue(operand), asvalue(update)
    axis = canonical_axis(axis, x.ndim)
    if update.ndim < x.ndim:
        update = st.reshape(update, (*update.shape[:axis], 1, *update.shape[axis:]))
    return dynamic_update_slice_in_dim(x, update, index, axis)
