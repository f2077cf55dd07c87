"""NumPy's functions for arrays and tracers: `import chainrule.engine.numpy as np`."""
import numpy as _numpy

from ..array import Array as ndarray
from ..avals import promote_types as _promote_types
from ..ops.complexes import conj, imag, real
from ..ops.elementwise import (
    abs,
    add,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    cbrt,
    ceil,
    cos,
    cosh,
    exp,
    expm1,
    floor,
    fmod,
    invert,
    isfinite,
    isnan,
    left_shift,
    log,
    log1p,
    maximum,
    minimum,
    nextafter,
    power,
    reciprocal,
    right_shift,
    rint,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    tan,
    tanh,
    trunc,
)
from ..ops.elementwise import div as divide
from ..ops.elementwise import eq as equal
from ..ops.elementwise import ge as greater_equal
from ..ops.elementwise import gt as greater
from ..ops.elementwise import le as less_equal
from ..ops.elementwise import lt as less
from ..ops.elementwise import mul as multiply
from ..ops.elementwise import ne as not_equal
from ..ops.elementwise import neg as negative
from ..ops.elementwise import sub as subtract
from . import linalg
from .creation import (
    arange,
    array,
    asarray,
    astype,
    empty,
    empty_like,
    eye,
    full,
    full_like,
    identity,
    linspace,
    logspace,
    meshgrid,
    ones,
    ones_like,
    tri,
    tril,
    tril_indices,
    triu,
    triu_indices,
    zeros,
    zeros_like,
)
from .elementary import (
    angle,
    bitwise_count,
    clip,
    copysign,
    cross,
    deg2rad,
    degrees,
    divmod,
    exp2,
    fabs,
    floor_divide,
    hypot,
    isclose,
    isinf,
    isneginf,
    isposinf,
    log2,
    log10,
    logaddexp,
    logaddexp2,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    nan_to_num,
    positive,
    rad2deg,
    radians,
    remainder,
    round,
    signbit,
    sinc,
    where,
)
from .products import (
    dot,
    einsum,
    einsum_path,
    inner,
    kron,
    matmul,
    matvec,
    outer,
    tensordot,
    trace,
    vdot,
    vecdot,
    vecmat,
)
from .reductions import (
    all,
    allclose,
    any,
    argmax,
    argmin,
    argsort,
    array_equal,
    average,
    bincount,
    corrcoef,
    count_nonzero,
    cov,
    cumprod,
    cumsum,
    diff,
    max,
    mean,
    median,
    min,
    nanmax,
    nanmean,
    nanmin,
    nansum,
    percentile,
    prod,
    ptp,
    quantile,
    searchsorted,
    sort,
    std,
    sum,
    trapezoid,
    unique,
    var,
)
from .shapes import (
    append,
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_arrays,
    broadcast_shapes,
    broadcast_to,
    column_stack,
    concatenate,
    delete,
    diag,
    diagflat,
    diagonal,
    expand_dims,
    flatnonzero,
    flatten,
    flip,
    fliplr,
    flipud,
    hstack,
    insert,
    matrix_transpose,
    moveaxis,
    ndim,
    nonzero,
    pad,
    permute_dims,
    ravel,
    repeat,
    reshape,
    roll,
    rot90,
    shape,
    size,
    split,
    squeeze,
    stack,
    swapaxes,
    take,
    take_along_axis,
    tile,
    transpose,
    unstack,
    vstack,
)

true_divide, pow, absolute, concat, amax, amin, acos, acosh = divide, power, abs, concatenate, max, min, arccos, arccosh
asin, asinh, atan, atan2, atanh, conjugate = arcsin, arcsinh, arctan, arctan2, arctanh, conj
bitwise_not = bitwise_invert = invert
bitwise_left_shift, bitwise_right_shift, fix, mod = left_shift, right_shift, trunc, remainder

e, euler_gamma, inf, nan, newaxis, pi = _numpy.e, _numpy.euler_gamma, _numpy.inf, _numpy.nan, None, _numpy.pi
bool_ = bool = _numpy.bool_
int8, int16, int32, int64 = _numpy.int8, _numpy.int16, _numpy.int32, _numpy.int64
uint8, uint16, uint32, uint64 = _numpy.uint8, _numpy.uint16, _numpy.uint32, _numpy.uint64
float16, float32, float64 = _numpy.float16, _numpy.float32, _numpy.float64
complex64, complex128 = _numpy.complex64, _numpy.complex128
dtype, finfo, iinfo, issubdtype, floating, integer = (_numpy.dtype, _numpy.finfo, _numpy.iinfo, _numpy.issubdtype,
                                                      _numpy.floating, _numpy.integer)


def result_type(*xs):
    """The dtype that the arguments promote to, as NumPy 2 has it."""
    from_values = [x if isinstance(x, _numpy.dtype) else _numpy.dtype(x) if isinstance(x, type)
                   and issubclass(x, _numpy.generic)
                   else x for x in xs]
    return _promote_types(*from_values)

