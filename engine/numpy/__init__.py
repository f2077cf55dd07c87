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
from ..ops.bessel import i0
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
from .applying import apply_along_axis, apply_over_axes, vectorize
from .convolution import convolve, correlate
from .counting import bincount, count_nonzero, histogram, histogram2d, histogram_bin_edges, histogramdd
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
    geomspace,
    identity,
    linspace,
    logspace,
    meshgrid,
    ones,
    ones_like,
    tri,
    tril,
    triu,
    zeros,
    zeros_like,
)
from .cross import cross
from .cumulative import cumprod, cumsum, cumulative_prod, cumulative_sum
from .diagonals import (
    diag,
    diag_indices,
    diag_indices_from,
    diagflat,
    diagonal,
    fill_diagonal,
    tril_indices,
    tril_indices_from,
    triu_indices,
    triu_indices_from,
    vander,
)
from .differences import diff, ediff1d, gradient, trapezoid, unwrap
from .dtypes import (
    astype,
    bfloat16,
    bool_,
    byte,
    can_cast,
    cdouble,
    complex64,
    complex128,
    complexfloating,
    csingle,
    double,
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
    half,
    iinfo,
    inexact,
    int4,
    int8,
    int16,
    int32,
    int64,
    int_,
    intc,
    integer,
    intp,
    isdtype,
    issubdtype,
    long,
    longlong,
    number,
    promote_types,
    result_type,
    short,
    signedinteger,
    single,
    ubyte,
    uint,
    uint4,
    uint8,
    uint16,
    uint32,
    uint64,
    uintc,
    uintp,
    ulong,
    ulonglong,
    unsignedinteger,
    ushort,
)
from .einsum import einsum, einsum_path
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
    round,
    sinc,
    spacing,
)
from .host import (
    array2string,
    array_repr,
    array_str,
    asanyarray,
    asarray_chkfinite,
    ascontiguousarray,
    asfortranarray,
    base_repr,
    binary_repr,
    copy,
    errstate,
    format_float_positional,
    format_float_scientific,
    frombuffer,
    fromfile,
    fromiter,
    fromstring,
    genfromtxt,
    get_printoptions,
    load,
    loadtxt,
    may_share_memory,
    mintypecode,
    printoptions,
    require,
    save,
    savetxt,
    savez,
    savez_compressed,
    set_printoptions,
    shares_memory,
)
from .index_tricks import (
    broadcast,
    c_,
    fromfunction,
    index_exp,
    indices,
    isscalar,
    iterable,
    ix_,
    mask_indices,
    mgrid,
    ndenumerate,
    ndindex,
    ogrid,
    r_,
    ravel_multi_index,
    s_,
    unravel_index,
)
from .inquiring import (
    array_equal,
    array_equiv,
    common_type,
    iscomplex,
    iscomplexobj,
    isreal,
    isrealobj,
    min_scalar_type,
    real_if_close,
)
from .inspection import API_VERSION as __array_api_version__
from .inspection import __array_namespace_info__
from .interpolation import interp
from .joining import (
    append,
    array_split,
    block,
    column_stack,
    concat,
    concatenate,
    dsplit,
    dstack,
    hsplit,
    hstack,
    split,
    stack,
    unstack,
    vsplit,
    vstack,
)
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
from .packing import packbits, unpackbits
from .padding import pad
from .picking import (
    argwhere,
    compress,
    copyto,
    extract,
    flatnonzero,
    nonzero,
    place,
    put,
    put_along_axis,
    putmask,
    take,
    take_along_axis,
)
from .polynomials import poly, polyadd, polyder, polydiv, polyfit, polyint, polymul, polysub, polyval, roots
from .products import dot, inner, kron, matmul, matvec, outer, tensordot, trace, vdot, vecdot, vecmat
from .quantiles import median, nanmedian, nanpercentile, nanquantile, percentile, quantile
from .reductions import all, allclose, any, argmax, argmin, max, min, prod, ptp, sum
from .repeating import delete, insert, repeat, resize, tile, trim_zeros
from .selecting import choose, piecewise, select, where
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
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_arrays,
    broadcast_shapes,
    broadcast_to,
    expand_dims,
    flatten,
    flip,
    fliplr,
    flipud,
    matrix_transpose,
    moveaxis,
    ndim,
    permute_dims,
    ravel,
    reshape,
    roll,
    rollaxis,
    rot90,
    shape,
    size,
    squeeze,
    swapaxes,
    transpose,
)
from .sorting import argpartition, argsort, digitize, lexsort, partition, searchsorted, sort, sort_complex
from .statistics import average, corrcoef, cov, mean, std, var
from .ufunc import frompyfunc, ufunc
from .windows import bartlett, blackman, hamming, hanning, kaiser

true_divide, pow, absolute, amax, amin, acos, acosh = divide, power, abs, max, min, arccos, arccosh
asin, asinh, atan, atan2, atanh, conjugate = arcsin, arcsinh, arctan, arctan2, arctanh, conj
bitwise_not = bitwise_invert = invert
bitwise_left_shift, bitwise_right_shift, fix, mod = left_shift, right_shift, trunc, remainder
around = round

e, euler_gamma, inf, nan, newaxis, pi = _numpy.e, _numpy.euler_gamma, _numpy.inf, _numpy.nan, None, _numpy.pi
bool = bool_
