"""Windows of M points for tapering, and `get_window`, which names them. M and the parameters are Python numbers.

sym=True : the same forwards and backwards, for filters; False : one period of a periodic function, for spectra.
"""
import numpy as _np

from ...avals import default_float
from ...errors import ShapeError
from ...lazy import scipy_special
from ...ops.structural import asvalue


def _made(formula):
    """The window from its formula over 0 … m - 1: a periodic one is the symmetric one of a point more, cut."""
    def window(M, *args, sym=True):
        M = int(M)
        if M < 0:
            raise ShapeError(f"a window of {M} points: the number is not negative.")
        m = M if sym else M + 1
        w = _np.ones(m) if M <= 1 else _np.asarray(formula(_np.arange(m), m, *args), float)
        return asvalue(w[:M].astype(default_float()))
    return window


def _cosines(*weights):
    """Σ_k (-1)^k a_k cos(2π k n / (m - 1))"""
    def formula(n, m):
        return sum([(-1) ** k * a * _np.cos(2 * _np.pi * k * n / (m - 1)) for k, a in enumerate(weights)])
    return _made(formula)


def _tukey(n, m, alpha):
    if alpha <= 0:
        return _np.ones(m)
    place = _np.minimum(n, m - 1 - n) / (m - 1)
    alpha = min(alpha, 1.0)
    return _np.where(place < alpha / 2, 0.5 * (1 - _np.cos(2 * _np.pi * place / alpha)), 1.0)


def _triang(n, m):
    k = _np.minimum(n + 1, m - n)
    return 2 * k / (m + 1) if m % 2 else (2 * k - 1) / m


_boxcar, _bartlett = _made(lambda n, m: _np.ones(m)), _made(lambda n, m: 1 - _np.abs(2 * n / (m - 1) - 1))
_triangle, _cosine = _made(_triang), _made(lambda n, m: _np.sin(_np.pi / m * (n + 0.5)))
_gauss = _made(lambda n, m, std: _np.exp(-0.5 * ((n - (m - 1) / 2) / std) ** 2))
_kaiser = _made(lambda n, m, beta: scipy_special.i0(
    beta * _np.sqrt(_np.maximum(0, 1 - (2 * n / (m - 1) - 1) ** 2))) / scipy_special.i0(beta))
_tapered = _made(_tukey)
_hann, _hamming = _cosines(0.5, 0.5), _cosines(0.54, 0.46)
_blackman, _nuttall = _cosines(0.42, 0.5, 0.08), _cosines(0.3635819, 0.4891775, 0.1365995, 0.0106411)
_harris = _cosines(0.35875, 0.48829, 0.14128, 0.01168)
_flattop = _cosines(0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368)


def boxcar(M, sym=True):
    """1."""
    return _boxcar(M, sym=sym)


def triang(M, sym=True):
    """A triangle whose feet are outside of the window."""
    return _triangle(M, sym=sym)


def bartlett(M, sym=True):
    """A triangle that is 0 at the ends."""
    return _bartlett(M, sym=sym)


def cosine(M, sym=True):
    """sin(π (n + 1/2) / M)."""
    return _cosine(M, sym=sym)


def hann(M, sym=True):
    """0.5 - 0.5 cos(2π n / (M - 1)).

    >>> hann(4, sym=False).round(12).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    return _hann(M, sym=sym)


def hamming(M, sym=True):
    """0.54 - 0.46 cos(2π n / (M - 1))."""
    return _hamming(M, sym=sym)


def blackman(M, sym=True):
    """0.42 - 0.5 cos(x) + 0.08 cos(2 x), x = 2π n / (M - 1)."""
    return _blackman(M, sym=sym)


def nuttall(M, sym=True):
    """Four cosines with the least side lobes by Nuttall (1981), table II."""
    return _nuttall(M, sym=sym)


def blackmanharris(M, sym=True):
    """Four cosines by Harris (1978), with side lobes of -92 dB."""
    return _harris(M, sym=sym)


def flattop(M, sym=True):
    """Five cosines with a flat top in frequency."""
    return _flattop(M, sym=sym)


def gaussian(M, std, sym=True):
    """exp(-((n - (M - 1) / 2) / std)² / 2)."""
    return _gauss(M, std, sym=sym)


def kaiser(M, beta, sym=True):
    """I₀(β √(1 - (2 n / (M - 1) - 1)²)) / I₀(β)."""
    return _kaiser(M, beta, sym=sym)


def tukey(M, alpha=0.5, sym=True):
    """1 in the middle, and half a cosine over the share alpha / 2 at each end."""
    return _tapered(M, alpha, sym=sym)


_BY_NAME = {f.__name__: f for f in (boxcar, triang, bartlett, cosine, hann, hamming, blackman, nuttall, blackmanharris,
                                    flattop, gaussian, kaiser, tukey)}
_BY_NAME.update(box=boxcar, ones=boxcar, rect=boxcar, rectangular=boxcar, triangle=triang, han=hann, hanning=hann,
                gauss=gaussian, gaus=gaussian, tuk=tukey)
_NEED = {"gaussian", "kaiser"}                           # windows with a parameter that has no default


def get_window(window, Nx, fftbins=True):
    """The window by its name, by (name, parameter), or, for a number, the Kaiser window of that β.

    fftbins : one period of a periodic function, as spectra want it; False for a symmetric one
    """
    if isinstance(window, (int, float)):
        window = ("kaiser", window)
    name, *args = (window,) if isinstance(window, str) else window
    if name not in _BY_NAME or _BY_NAME[name].__name__ in _NEED and not args:
        raise ShapeError(f"get_window: window={window!r}; it is one of {', '.join(sorted(_BY_NAME))}, with a parameter "
                         "for gaussian and kaiser, as in ('kaiser', 8.6).")
    return _BY_NAME[name](Nx, *args, sym=not fftbins)
