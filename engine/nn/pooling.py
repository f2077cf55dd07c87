"""Pooling: the largest, smallest or mean element of windows, with channels last as in Flax."""
import numpy as _np

from ..avals import to_inexact_dtype
from ..errors import ShapeError
from ..lax import reduce_window
from ..ops.structural import asvalue, cast
from ..ops.structural import full as _full
from ..ops.window import neutral


def pool(inputs, init, reduce_fn, window_shape, strides=None, padding="VALID"):
    """A reduction over windows of the axes between the batch axes and the last one, the channels.

    inputs : array[…, *space, channels]      window_shape : one size for each axis of space; strides : 1 unless given
    padding : "VALID", "SAME" or a pair for each axis of space      reduce_fn : see lax.reduce_window
    """
    x, window = asvalue(inputs), tuple(window_shape)
    strides = (1,) * len(window) if strides is None else tuple(strides)
    if len(strides) != len(window) or len(window) + 1 > x.ndim:
        raise ShapeError(f"pooling of shape {x.shape} with window_shape={window} and strides={strides}: both have one "
                         "number for each axis of space, and the last axis has the channels.")
    lead = (1,) * (x.ndim - 1 - len(window))
    if not isinstance(padding, str):
        if len(padding) != len(window):
            raise ShapeError(f"pooling: padding={padding}; give a pair for each of {len(window)} axes of space.")
        padding = ((0, 0),) * len(lead) + tuple([tuple(p) for p in padding]) + ((0, 0),)
    return reduce_window(x, init, reduce_fn, (*lead, *window, 1), (*lead, *strides, 1), padding)


def max_pool(inputs, window_shape, strides=None, padding="VALID"):
    """The largest element of each window; of equals the first has the derivative.

    >>> max_pool([[[1.0], [3.0], [2.0], [0.0]]], (2,), (2,)).tolist()
    [[[3.0], [2.0]]]
    """
    x = asvalue(inputs)
    return pool(x, neutral("max", x.dtype), "max", window_shape, strides, padding)


def min_pool(inputs, window_shape, strides=None, padding="VALID"):
    """The smallest element of each window."""
    x = asvalue(inputs)
    return pool(x, neutral("min", x.dtype), "min", window_shape, strides, padding)


def avg_pool(inputs, window_shape, strides=None, padding="VALID", count_include_pad=True):
    """The mean of each window; of its places inside the array with count_include_pad=False."""
    x = asvalue(inputs)
    x = cast(x, to_inexact_dtype(x.dtype))
    total = pool(x, 0.0, "add", window_shape, strides, padding)
    if count_include_pad:
        return total / _np.asarray(_np.prod(window_shape), x.dtype)
    ones = _full(x.shape, 1, x.dtype)
    return total / pool(ones, 0.0, "add", window_shape, strides, padding)
