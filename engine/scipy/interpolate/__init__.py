"""SciPy's interpolation: on a grid in any number of dimensions, by cubic pieces, and by B-splines."""
from .bspline import BSpline, make_interp_spline
from .cubic import Akima1DInterpolator, CubicSpline, PchipInterpolator
from .grid import RegularGridInterpolator, interpn
from .piecewise import CubicHermiteSpline, PPoly

__all__ = ["Akima1DInterpolator", "BSpline", "CubicHermiteSpline", "CubicSpline", "PPoly", "PchipInterpolator",
           "RegularGridInterpolator", "interpn", "make_interp_spline"]
