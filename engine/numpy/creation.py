"""Making arrays."""
import builtins
import math
import operator

import numpy as _np

from ..array import Value
from ..avals import PYTHON_SCALARS, default_float, promote_types, python_dtype
from ..errors import ShapeError
from ..ops.elementwise import ge, where
from ..ops.structural import asvalue, broadcast_to, cast, full_p, iota_p, reshape


def _shape(shape):
    try:
        return (operator.index(shape),)
    except TypeError:
        return tuple(operator.index(n) for n in shape)


def array(x, dtype=None, copy=True, ndmin=0):
    """An array of anything array-like; Python floats become the default float."""
    out = asvalue(x, dtype)
    return reshape(out, (1,) * (ndmin - out.ndim) + out.shape) if out.ndim < ndmin else out


def asarray(x, dtype=None, copy=None):
    """x as an array."""
    return asvalue(x, dtype)


def astype(x, dtype, copy=True):
    """x with another dtype."""
    return cast(asvalue(x), _np.dtype(dtype))


def full(shape, fill_value, dtype=None):
    """An array of one value."""
    if type(fill_value) in PYTHON_SCALARS or isinstance(fill_value, _np.generic):
        dtype = _np.dtype(dtype) if dtype is not None else (
            python_dtype(fill_value) if type(fill_value) in PYTHON_SCALARS else fill_value.dtype)
        return full_p.bind(shape=_shape(shape), value=_np.asarray(fill_value, dtype).item(), dtype=dtype)
    return broadcast_to(asvalue(fill_value, dtype), _shape(shape))


def zeros(shape, dtype=None):
    """An array of zeros, of the default float unless a dtype is given."""
    return full_p.bind(shape=_shape(shape), value=0, dtype=_np.dtype(dtype or default_float()))


def ones(shape, dtype=None):
    """An array of ones."""
    return full_p.bind(shape=_shape(shape), value=1, dtype=_np.dtype(dtype or default_float()))


empty = zeros


def full_like(x, fill_value, dtype=None, shape=None):
    """An array of one value with the shape and dtype of x."""
    x = asvalue(x)
    return cast(full(x.shape if shape is None else shape, fill_value, dtype or x.dtype), _np.dtype(dtype or x.dtype))


def zeros_like(x, dtype=None, shape=None):
    """Zeros with the shape and dtype of x."""
    return full_like(x, 0, dtype, shape)


def ones_like(x, dtype=None, shape=None):
    """Ones with the shape and dtype of x."""
    return full_like(x, 1, dtype, shape)


empty_like = zeros_like


def arange(start, stop=None, step=1, dtype=None):
    """Numbers from start (0) up to stop, by step; the bounds are Python numbers."""
    start, stop = (0, start) if stop is None else (start, stop)
    bounds = [v.item() if isinstance(v, (Value, _np.generic)) else v for v in (start, stop, step)]
    start, stop, step = bounds
    d = _np.dtype(dtype) if dtype is not None else promote_types(*bounds)
    n = builtins.max(0, math.ceil((stop - start) / step))
    out = iota_p.bind(shape=(n,), axis=0, dtype=d)
    if step != 1:
        out = out * _np.asarray(step, d)
    return out + _np.asarray(start, d) if start != 0 else out


def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """num evenly spaced numbers from start to stop."""
    start, stop = asvalue(start), asvalue(stop)
    d = promote_types(start, stop, 1.0)
    start, stop = cast(start, d), cast(stop, d)
    parts = builtins.max(num - 1 if endpoint else num, 1)
    step = (stop - start) / parts
    place = reshape(iota_p.bind(shape=(num,), axis=0, dtype=d), (num, *(1,) * builtins.max(start.ndim, stop.ndim)))
    out = start + place * step
    if endpoint and num > 1:                             # the last one exactly
        out = where(ge(place, parts), stop, out)
    out = cast(out, _np.dtype(dtype)) if dtype is not None else out
    if axis != 0:
        from_shapes = list(range(1, out.ndim))
        from_shapes.insert(axis % out.ndim, 0)
        out = out.transpose(tuple(from_shapes))
    return (out, step) if retstep else out


def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None):
    """Numbers spaced evenly on a log scale: base ** linspace(start, stop, num)."""
    out = base ** linspace(start, stop, num, endpoint)
    return cast(out, _np.dtype(dtype)) if dtype is not None else out


def eye(n, m=None, k=0, dtype=None):
    """Ones on the k-th diagonal of an n × m matrix."""
    m = n if m is None else m
    d = _np.dtype(dtype or default_float())
    i = iota_p.bind(shape=(n, m), axis=0, dtype=_np.dtype("int64"))
    j = iota_p.bind(shape=(n, m), axis=1, dtype=_np.dtype("int64"))
    return cast(i + k == j, d)


def identity(n, dtype=None):
    """The n × n identity matrix."""
    return eye(n, dtype=dtype)


def tri(n, m=None, k=0, dtype=None):
    """Ones at and below the k-th diagonal."""
    return tril(ones((n, n if m is None else m), dtype), k)


def _triangle(x, keep):
    x = asvalue(x)
    if x.ndim < 2:
        raise ShapeError(f"a triangle is taken of a matrix; got shape {x.shape}.")
    i = iota_p.bind(shape=x.shape[-2:], axis=0, dtype=_np.dtype("int64"))
    j = iota_p.bind(shape=x.shape[-2:], axis=1, dtype=_np.dtype("int64"))
    return where(keep(i, j), x, _np.zeros((), x.dtype))


def tril(x, k=0):
    """x with zeros above its k-th diagonal."""
    return _triangle(x, lambda i, j: j <= i + k)


def triu(x, k=0):
    """x with zeros below its k-th diagonal."""
    return _triangle(x, lambda i, j: j >= i + k)


def meshgrid(*xs, indexing="xy", sparse=False):
    """Coordinate arrays of a grid."""
    xs = [asvalue(x).reshape(-1) for x in xs]
    n = len(xs)
    order = list(range(n))
    if indexing == "xy" and n > 1:
        order[:2] = [1, 0]
    shape = [0] * n
    for x, at in zip(xs, order):
        shape[at] = x.shape[0]
    out = [reshape(x, [-1 if j == at else 1 for j in range(n)]) for x, at in zip(xs, order)]
    return out if sparse else [broadcast_to(x, tuple(shape)) for x in out]
