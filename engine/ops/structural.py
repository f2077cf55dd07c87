"""Shape operations that every other family stands on: convert, broadcast, reshape, transpose, sum.

Also how operands come together: `promote` gives two operands one dtype, `asvalue` makes a value of
anything NumPy can read, `unbroadcast` sums a cotangent back to the shape that was broadcast.
"""
import math

import numpy as np

from ..array import Array, Value
from ..avals import (
    NARROW_DTYPES,
    PYTHON_SCALARS,
    Aval,
    as_dtype,
    broadcast_shapes,
    is_inexact,
    promote_types,
    python_dtype,
    to_inexact_dtype,
    to_ufunc_dtype,
)
from ..config import config
from ..core import REGISTRY, Primitive
from ..errors import DtypeError, ShapeError
from . import lowerings

_NARROW_INPUT = {np.dtype("float64"): np.dtype("float32"), np.dtype("complex128"): np.dtype("complex64")}


# ---- operands ----

def asvalue(x, dtype=None, copy=None):
    """An Array or tracer of anything array-like; Python floats get the default dtype.

    copy : None shares the memory of a NumPy array that nobody can write to and copies others, True copies, False shares
        (what is written to x later changes the array) and raises ValueError where x has no memory of that dtype
    """
    if isinstance(x, Value):
        return x if dtype is None else cast(x, as_dtype(dtype))
    if type(x) in PYTHON_SCALARS:
        if copy is False:
            raise ValueError(f"copy=False: the number {x!r} has no memory to share.")
        return Array(np.asarray(x, python_dtype(x) if dtype is None else as_dtype(dtype)))
    if isinstance(x, (list, tuple)) and any(isinstance(v, Value) for v in _flat(x)):
        return stack_values(x, dtype)
    if hasattr(x, "__array_value__"):
        return asvalue(x.__array_value__(), dtype)
    dtype = None if dtype is None else as_dtype(dtype)
    try:
        a = np.array(x, dtype=dtype) if copy or copy is None and _writeable(x) else _shared(x, dtype, copy)
    except (TypeError, ValueError) as e:
        if copy is False:
            raise
        raise DtypeError(f"an array was expected, got {type(x).__name__} ({e}).\n"
                         "Pass numbers, nested lists of numbers, or arrays.") from None
    if a.dtype.kind in "OUSMmV" and a.dtype not in NARROW_DTYPES:
        raise DtypeError(f"an array of numbers was expected, got {type(x).__name__} of dtype {a.dtype}.\n"
                         "Convert it first, e.g. codes of a categorical column with pandas' .cat.codes.")
    if dtype is None and config.default_float == "float32":
        a = a.astype(_NARROW_INPUT.get(a.dtype, a.dtype), copy=False)
    return Array(a)


def _writeable(x):
    """Whether x is anything else than a NumPy array without a way to write to it."""
    while type(x) is np.ndarray and not x.flags.writeable:
        x = x.base
    return x is not None                                 # owners other than NumPy may change what they own


def _shared(x, dtype, copy):
    """A NumPy array over the memory of x; with copy=False, ValueError where that cannot be."""
    a = np.asarray(x)
    if copy is False and a is not x and a.base is None:
        raise ValueError(f"copy=False: an object of type {type(x).__name__} has no memory to share.")
    if dtype is None or a.dtype == dtype:
        return a.view()
    if copy is False:
        raise ValueError(f"copy=False: the memory holds {a.dtype}, not {dtype}.")
    return a.astype(dtype)


def _flat(x):
    for v in x:
        if isinstance(v, (list, tuple)):
            yield from _flat(v)
        else:
            yield v


def stack_values(x, dtype=None):
    """A nested list with arrays or tracers in it, as one value."""
    parts = [asvalue(v) for v in x]
    dtype = as_dtype(dtype) if dtype is not None else promote_types(*[
        p if isinstance(v, (Value, list, tuple)) else v for p, v in zip(parts, x)])
    shapes = {p.shape for p in parts}
    if len(shapes) > 1:
        raise ShapeError(f"the items of a list must have one shape to make an array; got {sorted(shapes)}.")
    shape = (1, *parts[0].shape)
    return REGISTRY["concatenate"].bind(*[reshape(cast(p, dtype), shape) for p in parts], axis=0)


def cast(x, dtype):
    """x with another dtype; concrete operands are converted now."""
    if isinstance(x, Value):
        return x if x.dtype == dtype else convert_p.bind(x, dtype=dtype)
    if type(x) in PYTHON_SCALARS or isinstance(x, (np.ndarray, np.generic)):
        return np.asarray(x, dtype)
    return asvalue(x, dtype)


def promote(*xs):
    """The operands with one dtype, as NumPy 2 promotes; Python scalars stay scalars of that dtype."""
    d = getattr(xs[0], "dtype", None)
    if d is not None:
        for x in xs:
            if getattr(x, "dtype", None) is not d or not isinstance(x, (Value, np.ndarray, np.generic)):
                break
        else:
            return xs
    xs = [x if type(x) in PYTHON_SCALARS or isinstance(x, (Value, np.ndarray, np.generic)) else asvalue(x) for x in xs]
    d = promote_types(*xs)
    return [cast(x, d) for x in xs]


def promote_inexact(*xs):
    """Like `promote`, to a floating dtype."""
    xs = promote(*xs)
    d = to_inexact_dtype(xs[0].dtype)
    return xs if xs[0].dtype == d else [cast(x, d) for x in xs]


def promote_ufunc(*xs):
    """Like `promote`, to the floating dtype that NumPy's universal functions compute in."""
    ys = promote(*xs)
    if is_inexact(ys[0].dtype):
        return ys
    d = promote_types(*[to_ufunc_dtype(x.dtype) for x in xs if hasattr(x, "dtype")] or [to_inexact_dtype(ys[0].dtype)])
    return [cast(y, d) for y in ys]


# ---- rules that families share ----

def elementwise(*avals, **params):
    """The shape rule of element-wise operations: NumPy broadcasting, one dtype."""
    first = avals[0]
    if len(avals) == 1:
        return first
    for a in avals[1:]:
        if a.dtype != first.dtype:
            raise DtypeError(f"an element-wise operation got dtypes {[str(x.dtype) for x in avals]}; it takes one.")
    return Aval(broadcast_shapes(*[a.shape for a in avals]), first.dtype)


def elementwise_batch(b, mine, *xs, **params):
    """Line the batch axes up at the front of a common rank."""
    return b.bind(*align(mine, xs), **params)


def align(mine, xs):
    """Batched operands with ones put after the batch axis, so that broadcasting pairs the other axes."""
    rank = max([np.ndim(x) - m if not isinstance(x, Value) else x.ndim - m for x, m in zip(xs, mine)])
    return [reshape(x, (x.shape[0], *(1,) * (rank + 1 - x.ndim), *x.shape[1:])) if m and x.ndim <= rank else x
            for x, m in zip(xs, mine)]


def unbroadcast(c, aval):
    """Sum a cotangent over the axes along which a value of type `aval` was broadcast."""
    shape = aval.shape
    if c.shape == shape:
        return c
    lead = len(c.shape) - len(shape)
    axes = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1 and c.shape[i + lead] != 1)
    return reshape(reduce_sum(c, axes), shape)


def spread(t, y):
    """A tangent broadcast to the shape of the output."""
    return t if t.shape == y.shape else broadcast_to(t, y.shape)


def linear(prim):
    """Give a linear operation of one argument its derivative: itself."""
    prim.jvp = (lambda t, y, x, **params: prim.bind(t, **params),)
    return prim


# ---- convert ----

def _convert_impl(x, *, dtype):
    x = np.asarray(x)
    return (x.real if x.dtype.kind == "c" and dtype.kind != "c" else x).astype(dtype)


convert_p = Primitive(
    "convert",
    uniform=True,
    shape=lambda a, *, dtype: Aval(a.shape, dtype),
    impl=_convert_impl,
    lower=lambda b, x, *, dtype: b.convert(x, dtype) if not (x.dtype.kind == "c" and dtype.kind != "c")
    else b.convert(b.op("stablehlo.real", [x], Aval(x.shape, np.dtype(f"f{x.dtype.itemsize // 2}"))), dtype),
    jvp=(lambda t, y, x, *, dtype: convert_p.bind(t, dtype=dtype) if is_inexact(dtype) else None,),
    transpose=(lambda c, x, *, dtype: cast(c, x.dtype),),
    batch=lambda b, mine, x, *, dtype: b.bind(x, dtype=dtype),
)


# ---- broadcast, reshape, transpose ----

broadcast_p = linear(Primitive(
    "broadcast",                                         # axis i of x becomes axis dims[i] of the result
    uniform=True,
    shape=lambda a, *, shape, dims: Aval(shape, a.dtype),
    impl=lambda x, *, shape, dims: np.broadcast_to(
        np.reshape(x, [np.shape(x)[dims.index(i)] if i in dims else 1 for i in range(len(shape))]), shape),
    lower=lambda b, x, *, shape, dims: b.broadcast(x, shape, dims),
    transpose=(lambda c, x, *, shape, dims: unbroadcast(
        reduce_sum(c, tuple([i for i in range(len(shape)) if i not in dims])), x),),
    batch=lambda b, mine, x, *, shape, dims: b.bind(
        x, shape=(b.size, *shape), dims=(0, *[d + 1 for d in dims])),
))


def broadcast_to(x, shape):
    """NumPy's broadcast_to, for values."""
    shape = tuple(shape)
    if x.shape == shape:
        return x
    if broadcast_shapes(x.shape, shape) != shape:
        raise ShapeError(f"an array of shape {x.shape} cannot be broadcast to {shape}.")
    offset = len(shape) - len(x.shape)
    return broadcast_p.bind(x, shape=shape, dims=tuple(range(offset, len(shape))))


reshape_p = linear(Primitive(
    "reshape",
    shape=lambda a, *, shape: Aval(shape, a.dtype),
    impl=lambda x, *, shape: np.reshape(x, shape),
    lower=lambda b, x, *, shape: b.reshape(x, shape),
    transpose=(lambda c, x, *, shape: reshape(c, x.shape),),
    batch=lambda b, mine, x, *, shape: b.bind(x, shape=(b.size, *shape)),
))


def reshape(x, shape):
    """x with another shape of the same size; one size may be -1."""
    shape = tuple(shape)
    if x.shape == shape:
        return x
    if -1 in shape:
        rest = math.prod([n for n in shape if n != -1])
        if shape.count(-1) > 1 or (rest == 0 and x.size) or (rest and x.size % rest):
            raise ShapeError(f"an array of shape {x.shape} (size {x.size}) cannot be reshaped to {shape}.")
        shape = tuple([(x.size // rest if rest else 0) if n == -1 else n for n in shape])
    if math.prod(shape) != x.size:
        raise ShapeError(f"an array of shape {x.shape} (size {x.size}) cannot be reshaped to {shape} "
                         f"(size {math.prod(shape)}).")
    return reshape_p.bind(x, shape=shape)


transpose_p = linear(Primitive(
    "transpose",
    shape=lambda a, *, permutation: Aval(tuple([a.shape[p] for p in permutation]), a.dtype),
    impl=lambda x, *, permutation: np.transpose(x, permutation),
    lower=lambda b, x, *, permutation: b.transpose(x, permutation),
    transpose=(lambda c, x, *, permutation: transpose(c, tuple(np.argsort(permutation).tolist())),),
    batch=lambda b, mine, x, *, permutation: b.bind(x, permutation=(0, *[p + 1 for p in permutation])),
))

stored_p = linear(Primitive(
    "stored",                                            # x, written to memory in this order of its axes
    shape=lambda a: a,
    impl=np.ascontiguousarray,
    lower=lambda b, x: b.emit(x.aval, f"stablehlo.optimization_barrier {x.name} : {x.type}"),
    transpose=(lambda c, x: c,),
    batch=elementwise_batch,
))


def transpose(x, permutation):
    """Axis i of the result is axis permutation[i] of x."""
    permutation = tuple(permutation)
    return x if permutation == tuple(range(len(permutation))) else transpose_p.bind(x, permutation=permutation)


def moveaxis(x, source, destination):
    """One axis moved to another place."""
    n = x.ndim
    source, destination = source % n, destination % n
    if source == destination:
        return x
    order = [i for i in range(n) if i != source]
    order.insert(destination, source)
    return transpose(x, order)


# ---- sum ----

def _without(shape, axes):
    return tuple([n for i, n in enumerate(shape) if i not in axes])


def _sum_impl(x, *, axes):
    d = x.dtype
    if d.itemsize < 4 and d in NARROW_DTYPES:           # as compiled: the sum is rounded once, at its end
        return np.add.reduce(x, axis=axes, dtype=np.float32 if is_inexact(d) else np.int64).astype(d)
    return np.add.reduce(x, axis=axes, dtype=d)


reduce_sum_p = linear(Primitive(
    "reduce_sum",
    shape=lambda a, *, axes: Aval(_without(a.shape, axes), a.dtype),
    impl=_sum_impl,
    lower=lambda b, x, *, axes: lowerings.reduce(b, "stablehlo.add", x, 0, axes),
    transpose=(lambda c, x, *, axes: broadcast_p.bind(
        c, shape=x.shape, dims=tuple([i for i in range(x.ndim) if i not in axes])),),
    batch=lambda b, mine, x, *, axes: b.bind(x, axes=tuple([a + 1 for a in axes])),
))


def reduce_sum(x, axes):
    """The sum over a tuple of non-negative axes."""
    return reduce_sum_p.bind(x, axes=axes) if axes else x


# ---- arrays out of nothing ----

full_p = Primitive(
    "full",
    shape=lambda *, shape, value, dtype: Aval(shape, dtype),
    impl=lambda *, shape, value, dtype: np.full(shape, value, dtype),
    lower=lambda b, *, shape, value, dtype: b.constant(value, dtype, shape),
)

iota_p = Primitive(
    "iota",                                              # 0, 1, 2, … along one axis
    shape=lambda *, shape, axis, dtype: Aval(shape, dtype),
    impl=lambda *, shape, axis, dtype: np.broadcast_to(
        np.arange(shape[axis], dtype=dtype).reshape([-1 if i == axis else 1 for i in range(len(shape))]), shape),
    lower=lambda b, *, shape, axis, dtype: b.op("stablehlo.iota", [], Aval(shape, dtype),
                                                f"iota_dimension = {axis} : i64"),
)


def full(shape, value, dtype):
    """An array with every element equal to a Python scalar."""
    return full_p.bind(shape=tuple(shape), value=value, dtype=np.dtype(dtype))


def iota(n, dtype="int64"):
    """0, 1, …, n - 1."""
    return iota_p.bind(shape=(n,), axis=0, dtype=np.dtype(dtype))


def zeros_like_aval(a):
    """Zeros of a type."""
    return full(a.shape, 0, a.dtype)
