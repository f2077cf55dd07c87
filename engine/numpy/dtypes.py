"""Data types: the dtypes and their kinds, what they can hold, and how they combine.

The narrow types of ml_dtypes are members beside NumPy's: bfloat16, float8_e4m3fn and its kin, int4, … Promotion is
NumPy 2's, and with narrow types:

- integers and Python numbers take the narrow float that they meet: int32 with bfloat16 is bfloat16;
- a narrow float gives way to a wider one that holds it: bfloat16 with float32 is float32, float8 with bfloat16 is
  bfloat16; of bfloat16 and float16 neither holds the other, so they are float32;
- two different floats of one width have no common type: convert one of them;
- int4 and uint4 go to the narrowest integer type that holds both.

float8_e8m0fnu and float4_e2m1fn, which can hold few numbers, are for storage: convert before computing with them.

With `config.default_float == "float32"` integers become float32, not float64, where they must be floating.
"""
import ml_dtypes
import numpy as _np

from ..array import Value
from ..avals import NARROW_DTYPES, PYTHON_SCALARS, as_dtype, is_inexact, limits
from ..avals import kind as _kind
from ..avals import promote_types as _promote
from ..errors import DtypeError
from ..ops.structural import asvalue, cast
from ..sharding.place import on_device

generic, number, inexact = _np.generic, _np.number, _np.inexact
integer, signedinteger, unsignedinteger = _np.integer, _np.signedinteger, _np.unsignedinteger
floating, complexfloating = _np.floating, _np.complexfloating
dtype, bool_ = _np.dtype, _np.bool_
int8, int16, int32, int64 = _np.int8, _np.int16, _np.int32, _np.int64
uint8, uint16, uint32, uint64 = _np.uint8, _np.uint16, _np.uint32, _np.uint64
float16, float32, float64 = _np.float16, _np.float32, _np.float64
complex64, complex128 = _np.complex64, _np.complex128
half, single, double, csingle, cdouble = float16, float32, float64, complex64, complex128
byte, ubyte, short, ushort, intc, uintc = int8, uint8, int16, uint16, int32, uint32
int_, uint, intp, uintp, long, ulong, longlong, ulonglong = int64, uint64, int64, uint64, int64, uint64, int64, uint64
bfloat16 = ml_dtypes.bfloat16
float8_e3m4, float8_e4m3, float8_e4m3fn = ml_dtypes.float8_e3m4, ml_dtypes.float8_e4m3, ml_dtypes.float8_e4m3fn
float8_e4m3fnuz, float8_e4m3b11fnuz = ml_dtypes.float8_e4m3fnuz, ml_dtypes.float8_e4m3b11fnuz
float8_e5m2, float8_e5m2fnuz = ml_dtypes.float8_e5m2, ml_dtypes.float8_e5m2fnuz
float8_e8m0fnu, float4_e2m1fn = ml_dtypes.float8_e8m0fnu, ml_dtypes.float4_e2m1fn
int4, uint4 = ml_dtypes.int4, ml_dtypes.uint4

_KINDS = {"bool": "b", "signed integer": "i", "unsigned integer": "u", "integral": "iu", "real floating": "f",
          "complex floating": "c", "numeric": "iufc"}
_PARENT = {"i": signedinteger, "u": unsignedinteger, "f": floating}
_TREE = frozenset([generic, number, inexact, integer, signedinteger, unsignedinteger, floating, complexfloating])


def _dtype_of(x):
    """The dtype of an array, a dtype or what names one."""
    return x.dtype if isinstance(x, (Value, _np.ndarray, _np.generic)) else as_dtype(x)


class finfo:
    """The limits of a floating dtype, or of the parts of a complex one, as Python numbers.

    bits, eps, max, min, smallest_normal, dtype as the array API has them; epsneg, tiny, smallest_subnormal, resolution,
    precision, nmant, nexp, machep, negep, minexp, maxexp as NumPy has them
    """
    __slots__ = ("bits", "dtype", "eps", "epsneg", "machep", "max", "maxexp", "min", "minexp", "negep", "nexp", "nmant",
                 "precision", "resolution", "smallest_normal", "smallest_subnormal", "tiny")

    def __init__(self, type):
        d = _dtype_of(type)
        if not is_inexact(d):
            raise DtypeError(f"finfo of {d}: it is for floating dtypes; write iinfo for integers.")
        d = _np.dtype(f"f{d.itemsize // 2}") if d.kind == "c" else d
        info = limits(d)
        self.dtype = d
        for name in self.__slots__:
            if name != "dtype":
                value = getattr(info, name)
                setattr(self, name, int(value) if isinstance(value, (int, _np.integer)) else float(value))

    def __repr__(self):
        return f"finfo(dtype={self.dtype}, bits={self.bits}, eps={self.eps:g}, min={self.min:g}, max={self.max:g})"


class iinfo:
    """The limits of an integer dtype: bits, min, max and the dtype."""
    __slots__ = ("bits", "dtype", "max", "min")

    def __init__(self, type):
        d = _dtype_of(type)
        if _kind(d) not in "iu":
            raise DtypeError(f"iinfo of {d}: it is for integer dtypes; write finfo for floating ones.")
        info = limits(d)
        self.dtype, self.bits, self.min, self.max = d, int(info.bits), int(info.min), int(info.max)

    def __repr__(self):
        return f"iinfo(dtype={self.dtype}, bits={self.bits}, min={self.min}, max={self.max})"


def isdtype(dtype, kind):
    """Whether a dtype is of a kind: a dtype, a name of the array API ("real floating", …), or a tuple of those."""
    d = as_dtype(dtype)
    if isinstance(kind, tuple):
        return any([isdtype(d, k) for k in kind])
    if isinstance(kind, str):
        if kind not in _KINDS:
            raise DtypeError(f"isdtype with kind {kind!r}: choose of {list(_KINDS)}, a dtype, or a tuple of those.")
        return _kind(d) in _KINDS[kind]
    return d == as_dtype(kind)


def issubdtype(arg1, arg2):
    """Whether a dtype stands below another, or below a kind such as np.floating, in NumPy's tree."""
    if arg1 in _TREE:
        return _np.issubdtype(arg1, arg2)
    d, above = as_dtype(arg1), arg2 if arg2 in _TREE else as_dtype(arg2)
    if d in NARROW_DTYPES:
        return issubclass(_PARENT[_kind(d)], above) if above in _TREE else d == above
    return bool(_np.issubdtype(d, above))


def can_cast(from_, to, casting="safe"):
    """Whether values of one dtype may be converted to another under a rule of NumPy's; "safe" keeps every value.

    from_ : an array or a dtype
    """
    if type(from_) in PYTHON_SCALARS:
        raise DtypeError(f"can_cast of the Python number {from_!r}, which has no dtype of its own.\n"
                         "Pass a dtype or an array.")
    return bool(_np.can_cast(_dtype_of(from_), as_dtype(to), casting))


def result_type(*arrays_and_dtypes):
    """The dtype that arrays, dtypes and Python numbers promote to; Python numbers are weak."""
    if not arrays_and_dtypes:
        raise DtypeError("result_type needs at least one array, dtype or number.")
    return _promote(*[as_dtype(x) if isinstance(x, (type, str, _np.dtype)) else x if type(x) in PYTHON_SCALARS
                      else asvalue(x) for x in arrays_and_dtypes])


def promote_types(type1, type2):
    """The dtype that two dtypes promote to."""
    return _promote(as_dtype(type1), as_dtype(type2))


def astype(x, dtype, copy=True, *, device=None):
    """x with another dtype. Arrays are immutable, so `copy` makes no difference.

    Raises DtypeError for complex numbers to real ones, which would lose the imaginary part: write np.real(x).
    """
    x, d = asvalue(x), as_dtype(dtype)
    if x.dtype.kind == "c" and d.kind not in "cb":
        raise DtypeError(f"astype from {x.dtype} to {d} would drop the imaginary part.\n"
                         "Write np.real(x).astype(...) for the real part, np.abs(x) for the modulus.")
    return on_device(cast(x, d), device)
