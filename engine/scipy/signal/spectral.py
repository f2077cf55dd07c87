"""Spectra from segments: Welch's estimates, and the short-time Fourier transform with its inverse.

A segment of nperseg points begins every nperseg - noverlap points; its trend is taken away, it is tapered by a window,
filled up with zeros to nfft points and transformed.
Source: Welch (1967), IEEE Trans. Audio Electroacoust. 15(2); Griffin & Lim (1984) for the inverse.
"""
import numpy as _np

from ...avals import canonical_axis, default_float, to_inexact_dtype
from ...errors import ShapeError
from ...numpy import fft as _fft
from ...numpy.quantiles import median
from ...numpy.statistics import mean
from ...ops.complexes import conj, real
from ...ops.elementwise import abs, gt, sqrt, where
from ...ops.shaping import concatenate
from ...ops.structural import asvalue, cast, full, moveaxis, promote
from .filters import detrend as _detrend
from .filters import extended
from .windows import get_window


def _float(x):
    x = asvalue(x)
    return cast(x, to_inexact_dtype(x.dtype))


def _sizes(name, n, window, nperseg, noverlap, nfft):
    """(window as a vector, nperseg, noverlap, nfft), with SciPy's defaults."""
    if isinstance(window, (str, tuple, int, float)):
        nperseg = min(256 if nperseg is None else int(nperseg), n)
        w = get_window(window, nperseg)
    else:
        w = asvalue(window)
        if w.ndim != 1 or nperseg not in (None, w.shape[0]) or w.shape[0] > n:
            raise ShapeError(f"{name}: a window of shape {w.shape} for nperseg={nperseg} and {n} points: it is a "
                             "vector of nperseg points, not more than there are.")
        nperseg = w.shape[0]
    noverlap = nperseg // 2 if noverlap is None else int(noverlap)
    nfft = nperseg if nfft is None else int(nfft)
    if not 1 <= nperseg <= nfft or not 0 <= noverlap < nperseg:
        raise ShapeError(f"{name}: nperseg={nperseg}, noverlap={noverlap}, nfft={nfft}; 0 <= noverlap < nperseg <= "
                         "nfft must hold.")
    return w, nperseg, noverlap, nfft


def _transforms(x, w, nperseg, step, nfft, detrend, onesided):
    parts = x[..., _np.arange((x.shape[-1] - nperseg) // step + 1)[:, None] * step + _np.arange(nperseg)]
    if callable(detrend):
        parts = detrend(parts)
    elif detrend:
        parts = _detrend(parts, -1, detrend)
    return (_fft.rfft if onesided else _fft.fft)(parts * w, nfft)


def _frequencies(nfft, fs, onesided):
    return (_fft.rfftfreq if onesided else _fft.fftfreq)(nfft, 1 / fs)


def csd(x, y, fs=1.0, window="hann", nperseg=None, noverlap=None, nfft=None, detrend="constant",
        return_onesided=True, scaling="density", axis=-1, average="mean"):
    """(frequencies, the cross spectral density of x and y): the mean over segments of conj(X) Y.

    x, y : number[...], of one shape but for the axis      fs : the sampling frequency      scaling : "density" in
    units squared per frequency, "spectrum" in units squared      average : "mean" or "median" over the segments
    """
    x, y = promote(_float(x), _float(y))
    axis = canonical_axis(axis, x.ndim)
    x, y = moveaxis(x, axis, -1), moveaxis(y, axis, -1)
    n = max(x.shape[-1], y.shape[-1])
    x, y = (v if v.shape[-1] == n else concatenate([v, full((*v.shape[:-1], n - v.shape[-1]), 0, v.dtype)], v.ndim - 1)
            for v in (x, y))
    onesided = return_onesided and x.dtype.kind != "c"
    w, nperseg, noverlap, nfft = _sizes("csd", n, window, nperseg, noverlap, nfft)
    if scaling not in ("density", "spectrum") or average not in ("mean", "median"):
        raise ShapeError(f'csd: scaling={scaling!r}, average={average!r}; they are "density" or "spectrum", "mean" or '
                         '"median".')
    w = cast(w, real(x[..., :0]).dtype)
    scale = 1 / (fs * (w * w).sum()) if scaling == "density" else 1 / w.sum() ** 2
    parts = [_transforms(v, w, nperseg, nperseg - noverlap, nfft, detrend, onesided) for v in (x, y)]
    p = conj(parts[0]) * parts[1] * scale
    if onesided:                                         # the frequencies that stand for two
        double = _np.full(nfft // 2 + 1, 2.0)
        double[0] = 1.0
        if nfft % 2 == 0:
            double[-1] = 1.0
        p = p * double.astype(w.dtype)
    if p.shape[-2] > 1 and average == "median":
        bias = 1 + sum([1 / (k + 1) - 1 / k for k in range(2, p.shape[-2], 2)])
        p = (median(real(p), -2) + 1j * median(p.imag, -2)) / bias
    else:
        p = mean(p, -2)
    return _frequencies(nfft, fs, onesided), moveaxis(p, -1, axis)


def welch(x, fs=1.0, window="hann", nperseg=None, noverlap=None, nfft=None, detrend="constant", return_onesided=True,
          scaling="density", axis=-1, average="mean"):
    """(frequencies, the power spectral density of x): the mean over segments of |X|²; see csd."""
    x = _float(x)
    f, p = csd(x, x, fs, window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis, average)
    return f, real(p)


def periodogram(x, fs=1.0, window="boxcar", nfft=None, detrend="constant", return_onesided=True, scaling="density",
                axis=-1):
    """(frequencies, the power spectral density of x) from one segment: all of it."""
    x = _float(x)
    n = x.shape[canonical_axis(axis, x.ndim)]
    return welch(x, fs, window, n, 0, nfft, detrend, return_onesided, scaling, axis)


def coherence(x, y, fs=1.0, window="hann", nperseg=None, noverlap=None, nfft=None, detrend="constant", axis=-1):
    """(frequencies, |P_xy|² / (P_xx P_yy)), between 0 and 1."""
    options = (fs, window, nperseg, noverlap, nfft, detrend)
    f, px = welch(x, *options, axis=axis)
    _, py = welch(y, *options, axis=axis)
    _, p = csd(x, y, *options, axis=axis)
    return f, abs(p) ** 2 / px / py


def stft(x, fs=1.0, window="hann", nperseg=256, noverlap=None, nfft=None, detrend=False, return_onesided=True,
         boundary="zeros", padded=True, axis=-1, scaling="spectrum"):
    """(frequencies, times, the transform of each segment), frequencies where the axis was and segments last.

    boundary : how x goes on for half a segment at both ends: "zeros", "odd", "even", "constant" or None
    padded : zeros at the end, until the segments fit      scaling : "spectrum", or "psd" so that |Z|² is a density
    """
    x = _float(x)
    axis = canonical_axis(axis, x.ndim)
    x = moveaxis(x, axis, -1)
    w, nperseg, noverlap, nfft = _sizes("stft", x.shape[-1], window, nperseg, noverlap, nfft)
    step, onesided = nperseg - noverlap, return_onesided and x.dtype.kind != "c"
    if boundary is not None:
        x = extended(x, nperseg // 2, boundary)
    if padded:
        short = -(x.shape[-1] - nperseg) % step % nperseg
        x = concatenate([x, full((*x.shape[:-1], short), 0, x.dtype)], x.ndim - 1) if short else x
    w = cast(w, real(x[..., :0]).dtype)
    z = _transforms(x, w, nperseg, step, nfft, detrend, onesided) * _amplitude(w, fs, scaling, "stft")
    start = 0.0 if boundary is not None else nperseg / 2
    times = (start + step * _np.arange(z.shape[-2])) / fs
    z = moveaxis(z, -1, axis)                            # […, segments] with the frequencies at their axis
    return _frequencies(nfft, fs, onesided), asvalue(times.astype(default_float())), z


def _amplitude(w, fs, scaling, name):
    if scaling == "spectrum":
        return 1 / w.sum()
    if scaling == "psd":
        return 1 / sqrt(fs * (w * w).sum())
    raise ShapeError(f'{name}: scaling={scaling!r}; it is "spectrum" or "psd".')


def istft(Zxx, fs=1.0, window="hann", nperseg=None, noverlap=None, nfft=None, input_onesided=True, boundary=True,
          time_axis=-1, freq_axis=-2, scaling="spectrum"):
    """(times, the signal with this short-time Fourier transform), by overlapping and adding: the inverse of stft.

    boundary : whether stft put half a segment at both ends
    """
    z = asvalue(Zxx)
    a, b = canonical_axis(freq_axis, z.ndim), canonical_axis(time_axis, z.ndim)
    others = [i for i in range(z.ndim) if i not in (a, b)]
    z = z.transpose((*others, b, a))
    n = 2 * (z.shape[-1] - 1) if input_onesided else z.shape[-1]
    nperseg = n if nperseg is None else int(nperseg)
    if nfft is None:
        nfft = n + 1 if input_onesided and nperseg == n + 1 else n       # an odd number of points
    w, nperseg, noverlap, nfft = _sizes("istft", nperseg, window, nperseg, noverlap, nfft)
    step, count = nperseg - noverlap, z.shape[-2]
    parts = _fft.irfft(z, nfft) if input_onesided else _fft.ifft(z, nfft)
    parts = parts[..., :nperseg]
    w = cast(w, real(parts[..., :0]).dtype)
    parts = parts * (w / _amplitude(w, fs, scaling, "istft"))
    length = nperseg + (count - 1) * step
    place = _np.arange(count)[:, None] * step + _np.arange(nperseg)
    total = full((*parts.shape[:-2], length), 0, parts.dtype).at[..., place].add(parts)
    weight = full((length,), 0, w.dtype).at[place].add(w * w * _np.ones((count, 1), w.dtype))
    edge = nperseg // 2 if boundary else 0
    total, weight = total[..., edge:length - edge], weight[edge:length - edge]
    covered = gt(weight, 1e-10)
    out = total / where(covered, weight, _np.ones((), w.dtype))
    times = _np.arange(out.shape[-1]) / fs
    return asvalue(times.astype(default_float())), out
