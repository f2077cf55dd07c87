"""Windows of M points for tapering: bartlett, blackman, hamming, hanning, kaiser. M is a Python number."""
import numpy as _np

from ..avals import default_float
from ..core import Tracer
from ..ops.bessel import i0
from ..ops.structural import asvalue, cast


def _window(name, doc):
    constant = getattr(_np, name)

    def f(M):
        return asvalue(constant(M).astype(default_float()))
    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f


bartlett = _window("bartlett", "The triangle 1 - |2 n / (M - 1) - 1|, n = 0 … M - 1.")
blackman = _window("blackman", "0.42 - 0.5 cos(2π n / (M - 1)) + 0.08 cos(4π n / (M - 1)), n = 0 … M - 1.")
hamming = _window("hamming", "0.54 - 0.46 cos(2π n / (M - 1)), n = 0 … M - 1.")
hanning = _window("hanning", """0.5 - 0.5 cos(2π n / (M - 1)), n = 0 … M - 1.

    >>> hanning(3).tolist()
    [0.0, 1.0, 0.0]
    """)


def kaiser(M, beta):
    """I₀(β √(1 - (2 n / (M - 1) - 1)²)) / I₀(β), n = 0 … M - 1; differentiable in β.   beta : real[]"""
    if not isinstance(beta, Tracer):
        return asvalue(_np.kaiser(M, _np.asarray(beta)).astype(default_float()))
    n = _np.arange(0, M)
    place = _np.ones(n.shape) if M == 1 else 1 - (2 * n / (M - 1) - 1) ** 2
    return cast(i0(beta * _np.sqrt(_np.maximum(place, 0))) / i0(beta), default_float())
