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
_LEFT = _numpy.exp(_LOG_LEFT)


def log_integral(log_f, low, high):
    """log ∫ f from low to high; f may be infinite at low, like y^-0.9.   low, high : float[*shape]

    log_f : of points float[*shape, n]
    Source: Takahasi & Mori (1974), "Double exponential formulas for numerical integration".
    """
    width = high - low
    y = low[..., None] + width[..., None] * np.asarray(_LEFT, width.dtype)
    return special.logsumexp(log_f(y) + np.asarray(_LOG_WEIGHT, width.dtype), -1) + np.log(width)
