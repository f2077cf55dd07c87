"""SciPy's functions for arrays and tracers, in modules with SciPy's names."""
from . import fft, linalg, special

__all__ = ["fft", "linalg", "special"]
