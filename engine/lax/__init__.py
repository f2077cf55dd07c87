"""JAX's `lax` by its names: control flow, and the operations that NumPy has no name or another meaning for."""
from ..avals import broadcast_shapes
from ..control import cond, fori_loop, scan, switch, while_loop
from ..control.collective import (
    all_gather,
    all_to_all,
    axis_index,
    axis_size,
    pmax,
    pmean,
    pmin,
    ppermute,
    psum,
    psum_scatter,
)
from ..ops.complexes import conj, imag, real
from ..ops.dynamic import dynamic_slice, dynamic_update_slice
from ..ops.elementwise import (
    abs,
    add,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    cbrt,
    ceil,
    cos,
    cosh,
    eq,
    exp,
    expm1,
    floor,
    ge,
    gt,
    integer_pow,
    le,
    log,
    log1p,
    lt,
    mul,
    ne,
    neg,
    nextafter,
    reciprocal,
    rsqrt,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    stop_gradient,
    sub,
    tan,
    tanh,
)
from ..ops.elementwise import arccos as acos
from ..ops.elementwise import arccosh as acosh
from ..ops.elementwise import arcsin as asin
from ..ops.elementwise import arcsinh as asinh
from ..ops.elementwise import arctan as atan
from ..ops.elementwise import arctan2 as atan2
from ..ops.elementwise import arctanh as atanh
from ..ops.elementwise import bitcast as bitcast_convert_type
from ..ops.elementwise import expit as logistic
from ..ops.elementwise import fmod as rem
from ..ops.elementwise import invert as bitwise_not
from ..ops.elementwise import isfinite as is_finite
from ..ops.elementwise import left_shift as shift_left
from ..ops.elementwise import maximum as max
from ..ops.elementwise import minimum as min
from ..ops.elementwise import popcount as population_count
from ..scipy.special import betainc, digamma, erf, erfc, polygamma, zeta
from ..scipy.special import erfinv as erf_inv
from ..scipy.special import gammainc as igamma
from ..scipy.special import gammaincc as igammac
from ..scipy.special import gammaln as lgamma
from ..scipy.special import i0e as bessel_i0e
from ..scipy.special import i1e as bessel_i1e
from .arrays import (
    broadcast,
    broadcast_in_dim,
    broadcast_to_rank,
    broadcasted_iota,
    collapse,
    concatenate,
    convert_element_type,
    dynamic_index_in_dim,
    dynamic_slice_in_dim,
    dynamic_update_index_in_dim,
    dynamic_update_slice_in_dim,
    expand_dims,
    full,
    full_like,
    index_in_dim,
    index_take,
    iota,
    pad,
    reshape,
    rev,
    slice,
    slice_in_dim,
    split,
    squeeze,
    transpose,
)
from .control import associative_scan, map
from .convolution import (
    ConvDimensionNumbers,
    conv,
    conv_dimension_numbers,
    conv_general_dilated,
    conv_general_dilated_patches,
    conv_transpose,
    conv_with_general_padding,
    padtype_to_pads,
)
from .elementary import (
    RoundingMethod,
    clamp,
    clz,
    complex,
    div,
    exp2,
    igamma_grad_a,
    optimization_barrier,
    pow,
    random_gamma_grad,
    reduce_precision,
    round,
    select,
    select_n,
    shift_right_arithmetic,
    shift_right_logical,
)
from .fourier import FftType, fft
from .indexing import (
    GatherDimensionNumbers,
    GatherScatterMode,
    ScatterDimensionNumbers,
    gather,
    scatter,
    scatter_add,
    scatter_max,
    scatter_min,
    scatter_mul,
    scatter_sub,
)
from .products import Precision, batch_matmul, dot, dot_general
from .reductions import (
    argmax,
    argmin,
    cumlogsumexp,
    cummax,
    cummin,
    cumprod,
    cumsum,
    reduce,
    reduce_and,
    reduce_max,
    reduce_min,
    reduce_or,
    reduce_prod,
    reduce_sum,
    reduce_window,
    reduce_xor,
    sort,
    sort_key_val,
    top_k,
)

__all__ = [name for name in dir() if not name.startswith("_")
           and name not in ("arrays", "control", "convolution", "elementary", "fourier", "indexing", "products",
                        "reductions")]
