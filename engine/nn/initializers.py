"""Ways to draw the first weights of a neural network: each is a function (key, shape, dtype) -> array.

The names and arguments are those of `jax.nn.initializers`.
"""
import math

import numpy as _np

from .. import random
from ..avals import canonical_axis, default_float
from ..errors import DtypeError, ShapeError
from ..numpy import creation as _creation
from ..numpy import linalg as _linalg
from ..numpy.diagonals import diagonal
from ..ops.elementwise import lt, where
from ..ops.structural import asvalue, full, moveaxis, reshape, transpose

# the standard deviation of a standard normal number within (-2, 2)
_CUT = 0.87962566103423978


def _dtype(dtype):
    dtype = _np.dtype(dtype or default_float())
    if dtype.kind == "c":
        raise DtypeError(f"initializers draw real weights; got dtype {dtype}. Draw the two parts and add them.")
    return dtype


def zeros(key, shape, dtype=None):
    """Zeros; the key has no effect."""
    return _creation.zeros(shape, dtype)


def ones(key, shape, dtype=None):
    """Ones; the key has no effect."""
    return _creation.ones(shape, dtype)


def constant(value, dtype=None):
    """Weights that all have one value (or those of an array that broadcasts)."""
    default = dtype

    def init(key, shape, dtype=None):
        return _creation.full(shape, value, dtype or default or default_float())
    return init


def uniform(scale=1e-2, dtype=None):
    """Uniform numbers in [0, scale)."""
    default = dtype

    def init(key, shape, dtype=None):
        d = _dtype(dtype or default)
        return random.uniform(key, shape, d) * _np.asarray(scale, d)
    return init


def normal(stddev=1e-2, dtype=None):
    """Normal numbers of mean 0."""
    default = dtype

    def init(key, shape, dtype=None):
        d = _dtype(dtype or default)
        return random.normal(key, shape, d) * _np.asarray(stddev, d)
    return init


def truncated_normal(stddev=1e-2, dtype=None, lower=-2.0, upper=2.0):
    """stddev times standard normal numbers within (lower, upper)."""
    default = dtype

    def init(key, shape, dtype=None):
        d = _dtype(dtype or default)
        return random.truncated_normal(key, lower, upper, tuple(shape), d) * _np.asarray(stddev, d)
    return init


# ---- variance scaled by the size of a layer ----

def _fans(shape, in_axis, out_axis, batch_axis):
    """How many inputs each output has, and how many outputs each input."""
    if len(shape) < 2:
        raise ShapeError(f"weights of shape {tuple(shape)} have no inputs and outputs to count: 2 axes are needed, "
                         "in_axis and out_axis.")

    def size(axes):
        axes = axes if isinstance(axes, (tuple, list)) else (axes,)
        return math.prod([shape[canonical_axis(a, len(shape))] for a in axes])
    into, out, batch = size(in_axis), size(out_axis), size(batch_axis)
    field = math.prod(shape) / max(into * out * batch, 1)
    return into * field, out * field


def variance_scaling(scale, mode, distribution, in_axis=-2, out_axis=-1, batch_axis=(), dtype=None):
    """Weights of variance scale / n, with n the inputs ("fan_in"), the outputs ("fan_out"), their mean ("fan_avg") or
    their geometric mean ("fan_geo_avg").

    distribution : "normal", "truncated_normal" (within two standard deviations) or "uniform"
    in_axis, out_axis, batch_axis : an axis or several; the others are places of a window, which all count
    """
    default = dtype
    if mode not in ("fan_in", "fan_out", "fan_avg", "fan_geo_avg"):
        raise ShapeError(f'variance_scaling: mode={mode!r}; it is "fan_in", "fan_out", "fan_avg" or "fan_geo_avg".')
    if distribution not in ("normal", "truncated_normal", "uniform"):
        raise ShapeError(f'variance_scaling: distribution={distribution!r}; it is "normal", "truncated_normal" or '
                         '"uniform".')

    def init(key, shape, dtype=None):
        d = _dtype(dtype or default)
        fan_in, fan_out = _fans(shape, in_axis, out_axis, batch_axis)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2,
             "fan_geo_avg": math.sqrt(fan_in * fan_out)}[mode]
        variance = scale / max(n, 1e-300)
        if distribution == "uniform":
            bound = math.sqrt(3 * variance)
            return random.uniform(key, shape, d, -bound, bound)
        if distribution == "normal":
            return random.normal(key, shape, d) * _np.asarray(math.sqrt(variance), d)
        return random.truncated_normal(key, -2.0, 2.0, tuple(shape), d) * _np.asarray(math.sqrt(variance) / _CUT, d)
    return init


def _scaled(name, scale, mode, distribution, doc):
    def f(in_axis=-2, out_axis=-1, batch_axis=(), dtype=None):
        return variance_scaling(scale, mode, distribution, in_axis, out_axis, batch_axis, dtype)
    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f


glorot_uniform = _scaled("glorot_uniform", 1.0, "fan_avg", "uniform", "Variance 1 / mean(inputs, outputs), uniform: "
                         "Glorot & Bengio (2010), equation 16.")
glorot_normal = _scaled("glorot_normal", 1.0, "fan_avg", "truncated_normal",
                        "Variance 1 / mean(inputs, outputs), truncated normal: Glorot & Bengio (2010).")
lecun_uniform = _scaled("lecun_uniform", 1.0, "fan_in", "uniform", "Variance 1 / inputs, uniform: LeCun et al. (1998).")
lecun_normal = _scaled("lecun_normal", 1.0, "fan_in", "truncated_normal",
                       "Variance 1 / inputs, truncated normal: LeCun et al. (1998).")
he_uniform = _scaled("he_uniform", 2.0, "fan_in", "uniform", "Variance 2 / inputs, uniform: He et al. (2015).")
he_normal = _scaled("he_normal", 2.0, "fan_in", "truncated_normal",
                    "Variance 2 / inputs, truncated normal: He et al. (2015), equation 10.")
xavier_uniform, xavier_normal, kaiming_uniform, kaiming_normal = glorot_uniform, glorot_normal, he_uniform, he_normal


# ---- orthogonal ----

def orthogonal(scale=1.0, column_axis=-1, dtype=None):
    """Weights whose columns (or rows, where there are fewer) are orthonormal, uniform among those, times scale.

    column_axis : the axis of the columns; the others are taken together
    Source: Saxe et al. (2013); uniform by Mezzadri (2007), How to generate random matrices, section 5.
    """
    default = dtype

    def init(key, shape, dtype=None):
        d = _dtype(dtype or default)
        shape = tuple(shape)
        if len(shape) < 2:
            raise ShapeError(f"orthogonal weights need 2 axes or more; got shape {shape}.")
        axis = canonical_axis(column_axis, len(shape))
        rows = shape[axis]
        columns = math.prod(shape) // max(rows, 1)
        q, r = _linalg.qr(random.normal(key, (max(rows, columns), min(rows, columns)), d))
        q = q * where(lt(diagonal(r), 0), _np.asarray(-1, d), _np.asarray(1, d))
        q = transpose(q, (1, 0)) if rows < columns else q
        q = reshape(q, (rows, *[n for i, n in enumerate(shape) if i != axis]))
        return moveaxis(q, 0, axis) * _np.asarray(scale, d)
    return init


def delta_orthogonal(scale=1.0, column_axis=-1, dtype=None):
    """Windows of a convolution, [*window, in, out], out >= in, that are 0 but in the middle, and orthogonal there.

    Source: Xiao et al. (2018), algorithm 2.
    """
    default = dtype

    def init(key, shape, dtype=None):
        d, shape = _dtype(dtype or default), tuple(shape)
        if len(shape) not in (3, 4, 5) or shape[-1] < shape[-2]:
            raise ShapeError(f"delta_orthogonal takes shape [*window, in, out] with 1 to 3 axes of the window and "
                             f"out >= in; got {shape}.")
        matrix = orthogonal(scale, column_axis)(key, (shape[-1], shape[-1]), d)[:shape[-2]]
        middle = tuple([(n - 1) // 2 for n in shape[:-2]])
        return asvalue(full(shape, 0, d)).at[middle].set(matrix)
    return init


zeros_init, ones_init = zeros, ones
