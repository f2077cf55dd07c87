"""SciPy's functions for arrays and tracers, in modules with SciPy's names. Each is imported when it is first used."""
from ..lazy import on_demand

__all__ = ["fft", "integrate", "interpolate", "linalg", "ndimage", "signal", "special"]
__getattr__ = on_demand(__name__, __all__)
