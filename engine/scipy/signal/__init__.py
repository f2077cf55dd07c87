"""SciPy's signal processing: convolution and correlation, filters along an axis, windows, spectra."""
from . import windows
from .convolution import convolve, convolve2d, correlate, correlate2d, fftconvolve, oaconvolve
from .filters import detrend, filtfilt, lfilter, lfilter_zi, sosfilt
from .spectral import coherence, csd, istft, periodogram, stft, welch
from .windows import get_window

__all__ = ["coherence", "convolve", "convolve2d", "correlate", "correlate2d", "csd", "detrend", "fftconvolve",
           "filtfilt", "get_window", "istft", "lfilter", "lfilter_zi", "oaconvolve", "periodogram", "sosfilt", "stft",
           "welch", "windows"]
