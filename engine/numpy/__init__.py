"""NumPy's functions for arrays and tracers: `import chainrule.engine.numpy as np`."""
import numpy as _numpy

from ..array import Array as ndarray
from ..ops.arithmetic import (
    copysign,
    exp2,
    floor_divide,
    fmax,
    fmin,
    gcd,
    hypot,
    ldexp,
    log2,
    log10,
    logaddexp,
    logaddexp2,
    remainder,
    signbit,
)
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
from . import emath, fft, linalg
from .counting import array_equal, bincount, count_nonzero
from .creation import (
    arange,
    array,
    asarray,
    empty,
    empty_like,
    eye,
    from_dlpack,
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
from .cross import cross
from .cumulative import cumprod, cumsum, cumulative_prod, cumulative_sum
from .differences import diff, ediff1d, gradient, trapezoid, unwrap
from .dtypes import (
    astype,
    bfloat16,
    bool_,
    can_cast,
    complex64,
    complex128,
    complexfloating,
    dtype,
    finfo,
    float4_e2m1fn,
    float8_e3m4,
    float8_e4m3,
    float8_e4m3b11fnuz,
    float8_e4m3fn,
    float8_e4m3fnuz,
    float8_e5m2,
    float8_e5m2fnuz,
    float8_e8m0fnu,
    float16,
    float32,
    float64,
    floating,
    generic,
    iinfo,
    inexact,
    int2,
    int4,
    int8,
    int16,
    int32,
    int64,
    integer,
    isdtype,
    issubdtype,
    number,
    promote_types,
    result_type,
    signedinteger,
    uint2,
    uint4,
    uint8,
    uint16,
    uint32,
    uint64,
    unsignedinteger,
)
from .elementary import (
    angle,
    bitwise_count,
    clip,
    deg2rad,
    degrees,
    divmod,
    fabs,
    float_power,
    frexp,
    heaviside,
    isclose,
    isinf,
    isneginf,
    isposinf,
    lcm,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    modf,
    nan_to_num,
    positive,
    rad2deg,
    radians,
    real_if_close,
    round,
    sinc,
    spacing,
    where,
)
from .inspection import API_VERSION as __array_api_version__
from .inspection import __array_namespace_info__
from .nan_reductions import (
    nanargmax,
    nanargmin,
    nancumprod,
    nancumsum,
    nanmax,
    nanmean,
    nanmin,
    nanprod,
    nanstd,
    nansum,
    nanvar,
)
from .polynomial import poly, polyadd, polyder, polydiv, polyfit, polyint, polymul, polysub, polyval, roots
from .products import dot, einsum, inner, kron, matmul, matvec, outer, tensordot, trace, vdot, vecdot, vecmat
from .quantiles import median, nanmedian, nanpercentile, nanquantile, percentile, quantile
from .reductions import all, allclose, any, argmax, argmin, max, min, prod, ptp, sum
from .sets import (
    intersect1d,
    isin,
    setdiff1d,
    setxor1d,
    union1d,
    unique,
    unique_all,
    unique_counts,
    unique_inverse,
    unique_values,
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
from .sorting import argsort, searchsorted, sort
from .statistics import average, corrcoef, cov, mean, std, var
from .ufunc import frompyfunc, ufunc
from .windows import bartlett, blackman, hamming, hanning, kaiser

true_divide, pow, absolute, concat, amax, amin, acos, acosh = divide, power, abs, concatenate, max, min, arccos, arccosh
asin, asinh, atan, atan2, atanh, conjugate = arcsin, arcsinh, arctan, arctan2, arctanh, conj
bitwise_not = bitwise_invert = invert
bitwise_left_shift, bitwise_right_shift, fix, mod = left_shift, right_shift, trunc, remainder
around = round

e, euler_gamma, inf, nan, newaxis, pi = _numpy.e, _numpy.euler_gamma, _numpy.inf, _numpy.nan, None, _numpy.pi
bool = bool_
