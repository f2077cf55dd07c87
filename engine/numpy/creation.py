"""Making arrays. The keyword `order` makes no difference: arrays have no order in memory."""
import builtins
import math
import operator

import numpy as _np

from ..array import Array, Value
from ..avals import (
    PYTHON_SCALARS,
    as_dtype,
    broadcast_shapes,
    default_float,
    kind,
    promote_types,
    python_dtype,
)
from ..errors import ShapeError
from ..exchange import from_dlpack as _from_dlpack
from ..ops.elementwise import exp, floor, ge, le, log, where
from ..ops.structural import asvalue, broadcast_to, cast, full_p, iota_p, moveaxis, reshape
from ..sharding.place import on_device

_INT = _np.dtype("int64")


def _shape(shape):
    try:
        return (operator.index(shape),)
    except TypeError:
        return tuple(operator.index(n) for n in shape)


def array(x, dtype=None, *, copy=True, order=None, ndmin=0, device=None):
    """An array of anything array-like; Python floats become the default float. `order` makes no difference."""
    out = asvalue(x, dtype, copy)
    return on_device(reshape(out, (1,) * (ndmin - out.ndim) + out.shape) if out.ndim < ndmin else out, device)


def asarray(x, dtype=None, *, copy=None, order=None, device=None):
    """x as an array.

    copy : None shares the memory of a NumPy array that nobody can write to (it and those it is a view of are
        read-only) and copies any other; True copies; False shares the memory, so what is written to x later changes the
        array, and raises ValueError where x has no memory of this dtype
    """
    if not isinstance(x, Value) and hasattr(x, "__dlpack__") and not hasattr(x, "__array__"):
        x = _from_dlpack(x, copy)
    return on_device(asvalue(x, dtype, copy), device)


def from_dlpack(x, /, *, device=None, copy=None):
    """An array over the memory of x, of any library that exports DLPack on the host; bfloat16 and float8 too.

    copy : None shares the memory where the exporter can (what is written to x later changes the array); True copies;
        False raises BufferError where a copy would be needed
    """
    return on_device(x if isinstance(x, Value) else Array(_from_dlpack(x, copy)), device)


def full(shape, fill_value, dtype=None, *, order="C", device=None):
    """An array of one value."""
    on_device(None, device)
    if type(fill_value) in PYTHON_SCALARS or isinstance(fill_value, _np.generic):
        dtype = as_dtype(dtype) if dtype is not None else (
            python_dtype(fill_value) if type(fill_value) in PYTHON_SCALARS else fill_value.dtype)
        return full_p.bind(shape=_shape(shape), value=_np.asarray(fill_value, dtype).item(), dtype=dtype)
    return broadcast_to(asvalue(fill_value, dtype), _shape(shape))


def _constant(value, shape, dtype, device):
    on_device(None, device)
    return full_p.bind(shape=_shape(shape), value=value, dtype=default_float() if dtype is None else as_dtype(dtype))


def zeros(shape, dtype=None, *, order="C", device=None):
    """An array of zeros, of the default float unless a dtype is given."""
    return _constant(0, shape, dtype, device)


def ones(shape, dtype=None, *, order="C", device=None):
    """An array of ones."""
    return _constant(1, shape, dtype, device)


empty = zeros


def full_like(x, fill_value, dtype=None, shape=None, *, order="K", device=None):
    """An array of one value with the shape and dtype of x."""
    x = x if isinstance(x, Value) else asvalue(x)
    d = x.dtype if dtype is None else as_dtype(dtype)
    return cast(full(x.shape if shape is None else shape, fill_value, d, device=device), d)


def zeros_like(x, dtype=None, shape=None, *, order="K", device=None):
    """Zeros with the shape and dtype of x."""
    return full_like(x, 0, dtype, shape, device=device)


def ones_like(x, dtype=None, shape=None, *, order="K", device=None):
    """Ones with the shape and dtype of x."""
    return full_like(x, 1, dtype, shape, device=device)


empty_like = zeros_like


def arange(start, stop=None, step=1, dtype=None, *, device=None):
    """Numbers from start (0) up to stop, by step; the bounds are Python numbers."""
    on_device(None, device)
    start, stop = (0, start) if stop is None else (start, stop)
    start, stop, step = bounds = [v.item() if isinstance(v, (Value, _np.generic, _np.ndarray)) else v
                                  for v in (start, stop, step)]
    d = as_dtype(dtype) if dtype is not None else promote_types(*bounds)
    whole = all([isinstance(v, int) for v in bounds])
    n = builtins.max(0, -((start - stop) // step) if whole else math.ceil((stop - start) / step))
    if step == 1 and start == 0:
        return iota_p.bind(shape=(n,), axis=0, dtype=d)
    wide = _INT if whole and kind(d) == "u" else d       # the step may be negative
    out = iota_p.bind(shape=(n,), axis=0, dtype=wide)
    out = out * _np.asarray(step, wide) if step != 1 else out
    return cast(out + _np.asarray(start, wide) if start != 0 else out, d)


def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None):
    """num evenly spaced numbers from start to stop; to an integer dtype they are rounded down."""
    on_device(None, device)
    if type(start) in (int, float) and type(stop) in (int, float) and dtype is None and not retstep and axis == 0:
        return asvalue(_np.linspace(start, stop, num, endpoint), default_float())
    start, stop = asvalue(start), asvalue(stop)
    d = promote_types(start, stop, 1.0)
    start, stop = cast(start, d), cast(stop, d)
    parts = builtins.max(num - 1 if endpoint else num, 1)
    step = (stop - start) / parts
    place = reshape(iota_p.bind(shape=(num,), axis=0, dtype=_INT), (num, *(1,) * builtins.max(start.ndim, stop.ndim)))
    out = start + cast(place, d) * step
    if endpoint and num > 1:                             # the last one exactly
        out = where(ge(place, parts), stop, out)
    if dtype is not None:
        out = cast(floor(out) if kind(as_dtype(dtype)) in "iu" else out, as_dtype(dtype))
    if axis != 0:
        from_shapes = list(range(1, out.ndim))
        from_shapes.insert(axis % out.ndim, 0)
        out = out.transpose(tuple(from_shapes))
    return (out, step) if retstep else out


def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    """Numbers spaced evenly on a log scale: base ** linspace(start, stop, num)."""
    out = asvalue(base) ** linspace(start, stop, num, endpoint, axis=axis)
    return cast(out, as_dtype(dtype)) if dtype is not None else out


def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """num numbers from start to stop, each the one before it times the same factor.

    start, stop : number[...], not 0; real ones of one sign
    """
    start, stop = asvalue(start), asvalue(stop)
    d = promote_types(start, stop, 1.0)
    start, stop = cast(start, d), cast(stop, d)
    place = linspace(full(broadcast_shapes(start.shape, stop.shape), 0.0), 1.0, num, endpoint)
    out = start * exp(cast(place, d) * log(stop / start))
    if num:                                              # the first and, where it is one, the last exactly
        i = reshape(iota_p.bind(shape=(num,), axis=0, dtype=_INT), (num, *(1,) * (out.ndim - 1)))
        out = where(i == 0, start, out)
        out = where(i == num - 1, stop, out) if endpoint and num > 1 else out
    out = cast(out, as_dtype(dtype)) if dtype is not None else out
    return out if axis == 0 else moveaxis(out, 0, axis % out.ndim)


def _offset(k, n, m):
    """The number of a diagonal, moved to the next one outside of an n × m matrix if it is far from it."""
    return k if isinstance(k, Value) else builtins.max(-n, builtins.min(m, operator.index(k)))


def eye(n, m=None, k=0, dtype=None, *, order="C", device=None):
    """Ones on the k-th diagonal of an n × m matrix."""
    on_device(None, device)
    m = n if m is None else m
    i = iota_p.bind(shape=(n, m), axis=0, dtype=_INT)
    j = iota_p.bind(shape=(n, m), axis=1, dtype=_INT)
    return cast(i + _offset(k, n, m) == j, default_float() if dtype is None else as_dtype(dtype))


def identity(n, dtype=None):
    """The n × n identity matrix."""
    return eye(n, dtype=dtype)


def tri(n, m=None, k=0, dtype=None):
    """Ones at and below the k-th diagonal."""
    return tril(ones((n, n if m is None else m), dtype), k)


def _triangle(x, k, keep):
    x = asvalue(x)
    if x.ndim < 2:
        raise ShapeError(f"a triangle is taken of a matrix; got shape {x.shape}.")
    i = iota_p.bind(shape=x.shape[-2:], axis=0, dtype=_INT)
    j = iota_p.bind(shape=x.shape[-2:], axis=1, dtype=_INT)
    return where(keep(j, i + _offset(k, *x.shape[-2:])), x, _np.zeros((), x.dtype))


def tril(x, k=0):
    """x with zeros above its k-th diagonal."""
    return _triangle(x, k, le)


def triu(x, k=0):
    """x with zeros below its k-th diagonal."""
    return _triangle(x, k, ge)


def meshgrid(*xs, copy=True, sparse=False, indexing="xy"):
    """Coordinate arrays of a grid; `indexing` says whether the first runs along columns ("xy") or rows ("ij")."""
    if indexing not in ("xy", "ij"):
        raise ShapeError(f"meshgrid with indexing={indexing!r}: it is 'xy' or 'ij'.")
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
