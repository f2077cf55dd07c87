"""Integrals of positive functions over an interval, by logarithms: for distribution functions without a formula."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine.scipy import special

# tanh-sinh: y = low + (high - low) / (1 + exp(-π sinh t)); further towards low, where f may be singular
_T = _numpy.linspace(-5.0, 3.4, 101)
_LOG_LEFT = -_numpy.logaddexp(0, -math.pi * _numpy.sinh(_T))
_LOG_RIGHT = -_numpy.logaddexp(0, math.pi * _numpy.sinh(_T))
_LOG_WEIGHT = _LOG_LEFT + _LOG_RIGHT + _numpy.log(math.pi * _numpy.cosh(_T) * (_T[1] - _T[0]))
_LEFT, _RIGHT = _numpy.exp(_LOG_LEFT), _numpy.exp(_LOG_RIGHT)
_MILD = int(_numpy.searchsorted(_T, -3.4))                   # from here on for an end at which f is not singular
# exp-sinh: y = scale exp(½ π sinh t), for f that falls exponentially
_U = _numpy.linspace(-4.3, 3.1, 149)
_LOG_OUT = 0.5 * math.pi * _numpy.sinh(_U)
_LOG_OUT_WEIGHT = _LOG_OUT + _numpy.log(0.5 * math.pi * _numpy.cosh(_U) * (_U[1] - _U[0]))


def log_integral(log_f, low, high):
    """log ∫ f from low to high; f may be infinite at low, like y^-0.9.   low, high : float[*shape]

    log_f : of points float[*shape, n]
    Source: Takahasi & Mori (1974), "Double exponential formulas for numerical integration".
    """
    width = high - low
    y = low[..., None] + width[..., None] * np.asarray(_LEFT, width.dtype)
    return special.logsumexp(log_f(y) + np.asarray(_LOG_WEIGHT, width.dtype), -1) + np.log(width)


def log_integral_about(log_f, mode, left, right):
    """log ∫ f from mode - left to mode + right, in two pieces that meet at a peak.   mode, left, right : float[*shape]

    log_f : of points float[*shape, n] and their distances from the mode, which are not rounded as the points are
    """
    d = mode.dtype
    below, above, weight = (np.asarray(v, d) for v in (_LEFT, _RIGHT, _LOG_WEIGHT))
    mode, left, right = mode[..., None], left[..., None], right[..., None]
    tiny = float(np.finfo(d).tiny)                           # f may be singular at 0, which no point should round to
    low = log_f(np.maximum((mode - left) + left * below, tiny), -left * above) + weight
    step = right * below[_MILD:]
    high = log_f(mode + step, step) + weight[_MILD:]
    return special.logsumexp(np.concatenate([low + np.log(left), high + np.log(right)], -1), -1)


def log_integral_outwards(log_f, scale):
    """log ∫ f from 0 to infinity, where f falls exponentially, about as fast as exp(-y / scale).

    log_f : of points float[*shape, n]          scale : float[*shape]
    """
    out, weight = (np.asarray(v, scale.dtype) for v in (_numpy.exp(_LOG_OUT), _LOG_OUT_WEIGHT))
    return special.logsumexp(log_f(scale[..., None] * out) + weight, -1) + np.log(scale)
