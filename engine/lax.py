"""Structured control flow and the operations that NumPy has no name for, under the names that JAX users know."""
from .avals import broadcast_shapes
from .control import cond, fori_loop, scan, switch, while_loop
from .ops.elementwise import bitcast as bitcast_convert_type
from .ops.elementwise import rsqrt, stop_gradient
from .ops.shaping import dynamic_slice, dynamic_update_slice
from .ops.structural import asvalue, cast


def map(f, xs):  # noqa: A001 (the field's name)
    """f applied to each slice of xs along the leading axis, one after the other; results stacked.

    >>> map(lambda x: x * x, [1.0, 2.0, 3.0]).tolist()
    [1.0, 4.0, 9.0]
    """
    return scan(lambda _, x: ((), f(x)), (), xs)[1]


def convert_element_type(x, dtype):
    """x with another dtype."""
    return cast(asvalue(x), dtype)


def dynamic_index_in_dim(x, index, axis=0, keepdims=True):
    """The slice of x at a (traced) index of one axis."""
    x = asvalue(x)
    starts, sizes = [0] * x.ndim, list(x.shape)
    starts[axis], sizes[axis] = index, 1
    out = dynamic_slice(x, starts, sizes)
    return out if keepdims else out.squeeze(axis)


__all__ = ["bitcast_convert_type", "broadcast_shapes", "cond", "convert_element_type", "dynamic_index_in_dim", "dynamic_slice",
           "dynamic_update_slice", "fori_loop", "map", "rsqrt", "scan", "stop_gradient", "switch", "while_loop"]
