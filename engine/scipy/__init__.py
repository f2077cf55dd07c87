"""SciPy's functions for arrays and tracers: `scipy.special` and `scipy.linalg`."""
from . import linalg, special

__all__ = ["linalg", "special"]
