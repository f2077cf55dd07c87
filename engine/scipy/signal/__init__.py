"""SciPy's signal processing: convolution and correlation, filters along an axis, trends."""
from .convolution import convolve, convolve2d, correlate, correlate2d, fftconvolve, oaconvolve
from .filters import detrend, filtfilt, lfilter, lfilter_zi, sosfilt

__all__ = ["convolve", "convolve2d", "correlate", "correlate2d", "detrend", "fftconvolve", "filtfilt", "lfilter",
           "lfilter_zi", "oaconvolve", "sosfilt"]
