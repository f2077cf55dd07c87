"""Window functions, which fade a stretch of samples out at its ends."""
import numpy as _np

from ..avals import default_float
from ..ops.structural import asvalue


def _window(name, doc):
    theirs = getattr(_np, name)

    def f(M):
        return asvalue(_np.asarray(theirs(M), default_float()))
    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f


bartlett = _window("bartlett", "1 - |2 n / (M - 1) - 1| for n < M: a triangle.")
blackman = _window("blackman", "0.42 - 0.5 cos(2π n / (M - 1)) + 0.08 cos(4π n / (M - 1)) for n < M.")
hamming = _window("hamming", "0.54 - 0.46 cos(2π n / (M - 1)) for n < M.")
hanning = _window("hanning", "0.5 - 0.5 cos(2π n / (M - 1)) for n < M.")


def kaiser(M, beta):
    """I₀(β sqrt(1 - (2 n / (M - 1) - 1)²)) / I₀(β) for n < M.   beta : a number that is known"""
    return asvalue(_np.asarray(_np.kaiser(M, float(asvalue(beta).concrete("the shape of a window"))), default_float()))
