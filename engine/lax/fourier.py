"""lax.fft: the discrete Fourier transform of trailing axes, by its kind."""
import enum

from ..errors import ShapeError
from ..ops import fft as _fft
from ..ops.structural import asvalue


class FftType(enum.Enum):
    """The kind of a transform: of complex numbers, its inverse, of real numbers, to real numbers."""
    FFT = "FFT"
    IFFT = "IFFT"
    RFFT = "RFFT"
    IRFFT = "IRFFT"


def fft(x, fft_type, fft_lengths):
    """The transform of the last len(fft_lengths) axes, at most three; for IRFFT the last length is that of the result.

    >>> fft(asvalue([1.0, 0.0, 0.0]), "rfft", (3,)).real.tolist()
    [1.0, 1.0]
    """
    kind = fft_type.value if isinstance(fft_type, FftType) else str(fft_type).upper()
    if kind not in _fft.KINDS:
        raise ShapeError(f"fft_type={fft_type!r}: it is one of {', '.join(_fft.KINDS)}.")
    x, lengths = asvalue(x), tuple([int(n) for n in fft_lengths])
    _fft.fft_p.out_avals([x.aval], dict(kind=kind, lengths=lengths))     # NumPy would cut or fill up
    return _fft.fft(x, kind, lengths)
