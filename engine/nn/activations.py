"""Functions that neural networks put between their layers, element by element.

Where a function has a corner the derivative there is that of the constant side: relu'(0) = 0, relu6'(6) = 0. nan goes
through all of them.
"""
import math

import numpy as _np

from ..avals import canonical_axis, to_inexact_dtype
from ..errors import ShapeError
from ..ops.elementwise import abs, expit, expm1, ge, gt, le, lt, sqrt, tanh, where
from ..ops.elementwise import softplus as _softplus
from ..ops.shaping import slice_axis
from ..ops.structural import asvalue, cast, promote_inexact
from ..scipy.special import erfc, log1mexp

# with these selu keeps mean 0 and variance 1
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def _float(x):
    x = asvalue(x)
    return cast(x, to_inexact_dtype(x.dtype))


def _number(value, x):
    return _np.asarray(value, x.dtype)


def identity(x):
    """x."""
    return asvalue(x)


def relu(x):
    """max(x, 0).

    >>> relu([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    x = asvalue(x)
    return where(le(x, 0), _number(0, x), x)


def relu6(x):
    """min(max(x, 0), 6)."""
    x = asvalue(x)
    return where(le(x, 0), _number(0, x), where(ge(x, 6), _number(6, x), x))


def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return expit(x)


def softplus(x):
    """log(1 + exp(x)), without overflow."""
    return _softplus(x)


def sparse_plus(x):
    """0 up to -1, (x + 1)² / 4 between -1 and 1, x from there; to sparsemax what softplus is to softmax."""
    x = _float(x)
    return where(le(x, -1), _number(0, x), where(ge(x, 1), x, (x + 1) * (x + 1) / 4))


def sparse_sigmoid(x):
    """The derivative of sparse_plus: 0 up to -1, (x + 1) / 2, 1 from 1 on."""
    x = _float(x)
    return where(le(x, -1), _number(0, x), where(ge(x, 1), _number(1, x), (x + 1) / 2))


def soft_sign(x):
    """x / (1 + |x|)."""
    x = _float(x)
    return x / (1 + abs(x))


def silu(x):
    """x sigmoid(x): Hendrycks & Gimpel (2016), Elfwing et al. (2017)."""
    x = _float(x)
    return x * expit(x)


swish = silu


def mish(x):
    """x tanh(softplus(x)): Misra (2019)."""
    x = _float(x)
    return x * tanh(_softplus(x))


def log_sigmoid(x):
    """log(1 / (1 + exp(-x))), without overflow."""
    return -_softplus(-_float(x))


def elu(x, alpha=1.0):
    """x where positive, α (exp(x) - 1) elsewhere: Clevert et al. (2015)."""
    x = _float(x)
    positive = gt(x, 0)
    return where(positive, x, alpha * expm1(where(positive, _number(0, x), x)))


def celu(x, alpha=1.0):
    """x where positive, α (exp(x / α) - 1) elsewhere, smooth for every α: Barron (2017)."""
    x, alpha = promote_inexact(asvalue(x), alpha)
    positive = gt(x, 0)
    return where(positive, x, alpha * expm1(where(positive, _number(0, x), x) / alpha))


def selu(x):
    """1.0507 elu(x, 1.67326): Klambauer et al. (2017), Self-normalizing neural networks."""
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


def gelu(x, approximate=True):
    """x Φ(x), Φ the normal distribution function: Hendrycks & Gimpel (2016).

    approximate : x / 2 (1 + tanh(√(2/π) (x + 0.044715 x³))), within 5e-4; False for the function itself
    """
    x = _float(x)
    if approximate:
        return x * (0.5 * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x)))))
    return 0.5 * x * erfc(-x * math.sqrt(0.5))


def glu(x, axis=-1):
    """a sigmoid(b) of the two halves of an axis: Dauphin et al. (2017).   x : real[…, 2 n, …] -> real[…, n, …]"""
    x = _float(x)
    axis = canonical_axis(axis, x.ndim)
    n = x.shape[axis]
    if n % 2:
        raise ShapeError(f"glu cuts an axis into two halves; axis {axis} of shape {x.shape} has the odd size {n}.")
    return slice_axis(x, 0, n // 2, axis) * expit(slice_axis(x, n // 2, n, axis))


def leaky_relu(x, negative_slope=0.01):
    """x where it is not negative, negative_slope x elsewhere."""
    x = _float(x)
    return where(ge(x, 0), x, negative_slope * x)


def hard_tanh(x):
    """min(max(x, -1), 1)."""
    x = asvalue(x)
    return where(gt(x, 1), _number(1, x), where(lt(x, -1), _number(-1, x), x))


def hard_sigmoid(x):
    """relu6(x + 3) / 6."""
    return relu6(_float(x) + 3) / 6


def hard_silu(x):
    """x hard_sigmoid(x)."""
    x = _float(x)
    return x * hard_sigmoid(x)


hard_swish = hard_silu


def squareplus(x, b=4):
    """(x + √(x² + b)) / 2, and b / 2 (√(x² + b) - x)⁻¹ where x is negative, so that small values keep their digits."""
    x, b = promote_inexact(asvalue(x), b)
    root = sqrt(x * x + b)
    negative = lt(x, 0)
    safe = where(negative, root - x, _number(1, x))
    return where(negative, 0.5 * b / safe, 0.5 * (x + root))


__all__ = ["celu", "elu", "gelu", "glu", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "identity",
           "leaky_relu", "log1mexp", "log_sigmoid", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_sign",
           "softplus", "sparse_plus", "sparse_sigmoid", "squareplus", "swish", "tanh"]
