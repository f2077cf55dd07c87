"""The discrete Fourier transform over trailing axes, of complex and of real arrays.

Definition: FFT(x)_k = Σ_j x_j exp(-2πi j k / n); the inverse has the other sign and the factor 1/n. RFFT keeps the
frequencies 0 … n // 2 of a real array, IRFFT takes those back to n real numbers.
"""
import math

import numpy as np

from ..avals import Aval
from ..core import Primitive
from ..errors import DtypeError, ShapeError
from .complexes import conj, real
from .shaping import pad_p
from .structural import linear

MOST_AXES = 3                                            # what one operation of XLA takes
KINDS = ("FFT", "IFFT", "RFFT", "IRFFT")
_INTO = {"FFT": "c", "IFFT": "c", "RFFT": "f", "IRFFT": "c"}


def frequencies(kind, lengths):
    """The sizes of the trailing axes on the side of the frequencies."""
    return (*lengths[:-1], lengths[-1] // 2 + 1) if kind in ("RFFT", "IRFFT") else tuple(lengths)


def _fft_shape(a, *, kind, lengths):
    k = len(lengths)
    if a.dtype.kind != _INTO[kind]:
        raise DtypeError(f"{kind} takes {'real' if _INTO[kind] == 'f' else 'complex'} numbers; got dtype {a.dtype}.")
    if not 1 <= k <= MOST_AXES:
        raise ShapeError(f"{kind} over {k} axes: one operation transforms 1 to {MOST_AXES} axes.")
    before, after = lengths, frequencies(kind, lengths)
    if kind == "IRFFT":
        before, after = after, before
    if a.shape[-k:] != tuple(before) or min(lengths) < 1:
        raise ShapeError(f"{kind} of lengths {lengths} takes trailing axes {tuple(before)}, each of 1 or more; "
                         f"got shape {a.shape}.")
    size, kinds = a.dtype.itemsize, a.dtype
    dtype = np.dtype(f"c{2 * size}") if kind == "RFFT" else np.dtype(f"f{size // 2}") if kind == "IRFFT" else kinds
    return Aval((*a.shape[:-k], *after), dtype)


_NUMPY = {("FFT", 1): np.fft.fft, ("IFFT", 1): np.fft.ifft, ("RFFT", 1): np.fft.rfft, ("IRFFT", 1): np.fft.irfft}


def _fft_impl(x, *, kind, lengths):
    if len(lengths) == 1:
        return _NUMPY[kind, 1](x, lengths[0])
    axes = tuple(range(-len(lengths), 0))
    return {"FFT": np.fft.fftn, "IFFT": np.fft.ifftn, "RFFT": np.fft.rfftn, "IRFFT": np.fft.irfftn}[kind](
        x, lengths, axes)


def _fft_transpose(c, x, *, kind, lengths):
    """The matrices of FFT and IFFT are symmetric. RFFT: zeros for the frequencies that were left out, then FFT.
    IRFFT: a frequency that stands for itself and its conjugate counts twice."""
    if kind in ("FFT", "IFFT"):
        return fft_p.bind(c, kind=kind, lengths=lengths)
    n, kept, lead = lengths[-1], lengths[-1] // 2 + 1, (0,) * (c.ndim - 1)
    if kind == "RFFT":
        whole = pad_p.bind(c, np.zeros((), c.dtype), low=(*lead, 0), high=(*lead, n - kept), interior=(*lead, 0))
        return real(fft_p.bind(whole, kind="FFT", lengths=lengths))
    weight = np.full(kept, 2 / math.prod(lengths), c.dtype)
    weight[0] /= 2
    if n % 2 == 0:
        weight[-1] /= 2
    return conj(fft_p.bind(c, kind="RFFT", lengths=lengths)) * weight


fft_p = linear(Primitive(
    "fft",                                               # kind: one of KINDS; lengths: sizes of the real side
    shape=_fft_shape,
    impl=_fft_impl,
    lower=lambda b, x, *, kind, lengths: b.op(
        "stablehlo.fft", [x], b.out[0], f"fft_type = #stablehlo<fft_type {kind}>, "
        f"fft_length = array<i64: {', '.join(map(str, lengths))}>"),
    transpose=(_fft_transpose,),
    batch=lambda b, mine, x, **params: b.bind(x, **params),
))


def fft(x, kind, lengths):
    """The transform of the last len(lengths) axes of x.   kind : "FFT", "IFFT", "RFFT" or "IRFFT" """
    return fft_p.bind(x, kind=kind, lengths=tuple(lengths))
