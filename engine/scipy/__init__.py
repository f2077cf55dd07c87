"""SciPy's functions for arrays and tracers, in modules with SciPy's names."""
from . import fft, integrate, interpolate, linalg, ndimage, signal, special

__all__ = ["fft", "integrate", "interpolate", "linalg", "ndimage", "signal", "special"]
