"""What is known of an array before it exists: `Aval(shape, dtype)`; and how dtypes promote.

Promotion is NumPy 2's: Python scalars are weak and take the dtype of the arrays they meet. The default float is
float64; `config.default_float` changes it to float32, and then a float64 arises only from a float64. The narrow types
of ml_dtypes (bfloat16, float8, int4, …) join in: see `engine/numpy/dtypes.py`.
"""
import functools
import operator

import ml_dtypes
import numpy as np

from .config import config
from .errors import AxisError, DtypeError, ShapeError

PYTHON_SCALARS = (bool, int, float, complex)
_SHORT = {"float64": "f64", "float32": "f32", "float16": "f16", "bfloat16": "bf16", "bool": "bool",
          "int64": "i64", "int32": "i32", "int16": "i16", "int8": "i8", "uint64": "u64", "uint32": "u32",
          "uint16": "u16", "uint8": "u8", "complex64": "c64", "complex128": "c128"}
_NARROW_NAMES = ("bfloat16 float8_e3m4 float8_e4m3 float8_e4m3b11fnuz float8_e4m3fn float8_e4m3fnuz float8_e5m2 "
                 "float8_e5m2fnuz float8_e8m0fnu float4_e2m1fn int4 uint4")
NARROW = {name: np.dtype(getattr(ml_dtypes, name)) for name in _NARROW_NAMES.split() if hasattr(ml_dtypes, name)}
NARROW_DTYPES = frozenset(NARROW.values())
_SHORT |= {name: name.replace("uint", "u").replace("int", "i").replace("float", "f") for name in NARROW
           if name != "bfloat16"}
_INTEGERS = frozenset([d for name, d in NARROW.items() if "int" in name])
_FLOATS = frozenset(NARROW.values()) - _INTEGERS


class Aval:
    """The type of an array: `Aval((3, 2), float32)` prints as `f32[3,2]`. Interned: equal types are one object."""
    __slots__ = ("shape", "dtype", "_hash", "__weakref__")
    _table: dict = {}

    def __new__(cls, shape, dtype):
        found = cls._table.get((shape, dtype))
        if found is None:
            made = object.__new__(cls)
            made.shape, made.dtype = tuple([operator.index(n) for n in shape]), np.dtype(dtype)
            made._hash = hash((made.shape, made.dtype))
            found = cls._table.setdefault((made.shape, made.dtype), made)        # one for all threads
            cls._table[(shape, dtype)] = found
        return found

    def __reduce__(self):
        return Aval, (self.shape, self.dtype)

    def __hash__(self):
        return self._hash

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        n = 1
        for m in self.shape:
            n *= m
        return n

    @property
    def is_float(self):
        """Real or complex floating: what has derivatives."""
        return is_inexact(self.dtype)

    def __repr__(self):
        return f"{_SHORT.get(self.dtype.name, self.dtype.name)}[{','.join(map(str, self.shape))}]"


@functools.lru_cache(None)
def is_inexact(dtype):
    """Real or complex floating, bfloat16 and float8 included."""
    return dtype.kind in "fc" or dtype in _FLOATS


@functools.lru_cache(None)
def kind(dtype):
    """NumPy's letter for a dtype's kind, b i u f c; the narrow types have theirs too (NumPy calls most of them V)."""
    return "f" if dtype in _FLOATS else dtype.name[0] if dtype in _INTEGERS else dtype.kind


@functools.lru_cache(None)
def limits(dtype):
    """The finfo or iinfo of a dtype, as NumPy or ml_dtypes has it."""
    source = ml_dtypes if dtype in _FLOATS or dtype in _INTEGERS else np
    return source.finfo(dtype) if is_inexact(dtype) else source.iinfo(dtype)


@functools.lru_cache(None)
def has_infinity(dtype):
    """Whether a dtype can hold infinity; some float8 types cannot."""
    return dtype.kind == "c" or kind(dtype) == "f" and bool(np.isinf(np.asarray(np.inf, dtype)))


@functools.lru_cache(None)
def roomy(dtype):
    """The dtype that formulas compute in: float32 for narrower floats, int8 and uint8 for int4 and uint4."""
    if dtype in _INTEGERS:
        return np.dtype(f"{kind(dtype)}1")
    return np.dtype("float32") if kind(dtype) == "f" and dtype.itemsize < 4 else dtype


def as_dtype(dtype):
    """Anything that names a dtype as one; Python's float and complex are the default ones."""
    if dtype is float:
        return default_float()
    return python_dtype(0j) if dtype is complex else np.dtype(dtype)


def default_float():
    """The dtype of Python floats and of new arrays."""
    return _DTYPES[config.default_float]


_DTYPES = {name: np.dtype(name) for name in ("float32", "float64")}
_INT, _BOOL = np.dtype("int64"), np.dtype("bool")
_HALVED = {np.dtype("float64"): np.dtype("float32"), np.dtype("complex128"): np.dtype("complex64")}


def python_dtype(x):
    """The dtype that a lone Python scalar gets."""
    if isinstance(x, bool):
        return _BOOL
    if isinstance(x, int):
        return _INT
    if isinstance(x, float):
        return default_float()
    return np.dtype("complex128") if config.default_float == "float64" else np.dtype("complex64")


@functools.lru_cache(4096)
def _promote(kinds, floats):
    """kinds: a tuple of dtypes and of Python scalar types."""
    dtypes = [k for k in kinds if isinstance(k, np.dtype)]
    weak = [k for k in kinds if not isinstance(k, np.dtype)]
    if not dtypes:
        widest = max(weak, key=PYTHON_SCALARS.index)
        return python_dtype(widest())
    try:
        if _INTEGERS.isdisjoint(dtypes) and _FLOATS.isdisjoint(dtypes):
            out = np.result_type(*dtypes, *[k() for k in weak])
        else:
            out = functools.reduce(_common, dtypes)
            out = functools.reduce(_meet_scalar, weak, out)
    except TypeError as e:
        raise DtypeError(f"these dtypes have no common type: {[str(d) for d in dtypes]} ({e})") from None
    if floats == "float32" and out in _HALVED and _HALVED.keys().isdisjoint(dtypes):
        out = _HALVED[out]                     # 64 bits that come from integers or a Python number, in 32-bit mode
    return out


def _common(a, b):
    """What two dtypes promote to, one of them perhaps narrow."""
    if a == b or kind(b) == "b":
        return a
    if kind(a) == "b":
        return b
    for x, y in ((a, b), (b, a)):
        if x in _FLOATS:
            if kind(y) in "iu":
                return x
            if y in _FLOATS and x.itemsize == y.itemsize:
                raise TypeError("convert one of them, e.g. with astype(np.bfloat16)")
            wide = np.result_type(np.float32, y) if y not in _FLOATS else y if y.itemsize > x.itemsize else x
            return y if kind(y) == "f" and y.itemsize > x.itemsize and np.can_cast(x, y) else wide
    for x, y in ((a, b), (b, a)):
        if x in _INTEGERS:
            if y in _INTEGERS:                           # int4 with uint4
                return np.dtype("int8")
            return y if kind(x) == "u" and y.kind == "i" else np.result_type(f"{kind(x)}1", y)
    return np.result_type(a, b)


def _meet_scalar(dtype, scalar):
    """What a dtype and the type of a Python scalar promote to."""
    if kind(dtype) == "b" or dtype.kind in "iufc" and dtype not in _FLOATS:
        return np.result_type(dtype, scalar())
    if scalar is complex:
        return np.dtype("complex64") if dtype in _FLOATS else np.dtype("complex128")
    return default_float() if scalar is float and dtype in _INTEGERS else dtype


def kind_of(x):
    """What promotion looks at: a dtype, or bool/int/float/complex for a Python scalar."""
    t = type(x)
    if t in PYTHON_SCALARS:
        return t
    d = getattr(x, "dtype", None)
    return d if d is not None else np.asarray(x).dtype


def promote_types(*xs):
    """The dtype that arrays, scalars and dtypes promote to, as NumPy 2 has it."""
    return _promote(tuple([x if isinstance(x, np.dtype) else kind_of(x) for x in xs]), config.default_float)


@functools.lru_cache(1024)
def _inexact(dtype, floats):
    return dtype if is_inexact(dtype) else _DTYPES[floats]


def to_inexact_dtype(dtype):
    """dtype itself if it is floating, else the default float (what `sin` of an integer gives)."""
    return _inexact(dtype, config.default_float)


_SMALL = {np.dtype(name): np.dtype(wide)
          for wide, names in (("float16", "bool int8 uint8"), ("float32", "int16 uint16")) for name in names.split()}


def to_ufunc_dtype(dtype):
    """dtype itself if it is floating, else the float that NumPy's universal functions compute in: int8 gives float16,
    int16 gives float32, and wider integers the default float."""
    return _SMALL.get(dtype) or _inexact(dtype, config.default_float)


@functools.lru_cache(4096)
def broadcast_shapes(*shapes):
    """The shape that NumPy broadcasting gives; raises `ShapeError` naming the shapes."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(f"shapes {' and '.join(map(str, shapes))} do not broadcast: going from the right, "
                         "two sizes must be equal or one of them 1.\n"
                         "Add a length-one axis (x[:, None]) or reshape one of them.") from None


def canonical_axis(axis, ndim, what="axis"):
    """A non-negative axis; raises `AxisError` when out of range."""
    a = operator.index(axis)
    if not -ndim <= a < ndim:
        raise AxisError(f"{what} {axis} is out of range for an array with {ndim} dimension{'s' * (ndim != 1)}.")
    return a % ndim if ndim else 0


def canonical_axes(axis, ndim):
    """A sorted tuple of non-negative axes; None means all."""
    if axis is None:
        return tuple(range(ndim))
    axes = tuple(canonical_axis(a, ndim) for a in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    if len(set(axes)) != len(axes):
        raise ShapeError(f"an axis is named twice in {axis}")
    return tuple(sorted(axes))
