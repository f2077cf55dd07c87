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
from .applying import apply_along_axis, apply_over_axes, vectorize
from .counting import bincount, count_nonzero, histogram, histogram2d, histogram_bin_edges, histogramdd
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
    triu,
    zeros,
    zeros_like,
)
from .diagonals import (
    diag,
    diag_indices,
    diag_indices_from,
    diagflat,
    diagonal,
    fill_diagonal,
    mask_indices,
    tril_indices,
    tril_indices_from,
    triu_indices,
    triu_indices_from,
    vander,
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
)
from .host import (
    array2string,
    array_repr,
    array_str,
    asanyarray,
    asarray_chkfinite,
    ascontiguousarray,
    base_repr,
    binary_repr,
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
    printoptions,
    save,
    savetxt,
    savez,
    savez_compressed,
    set_printoptions,
    shares_memory,
)
from .index_tricks import (
    c_,
    fromfunction,
    index_exp,
    indices,
    isscalar,
    iterable,
    ix_,
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
from .products import dot, einsum, inner, kron, matmul, matvec, outer, tensordot, trace, vdot, vecdot, vecmat
from .reductions import (
    all,
    allclose,
    any,
    argmax,
    argmin,
    average,
    corrcoef,
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
    std,
    sum,
    trapezoid,
    unique,
    var,
)
from .repeating import delete, insert, repeat, resize, tile, trim_zeros
from .selecting import choose, piecewise, select, where
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

true_divide, pow, absolute, amax, amin, acos, acosh = divide, power, abs, max, min, arccos, arccosh
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

