"""SciPy's Fourier transforms: those of `numpy.fft`, and the cosine and sine transforms of types 1 to 4.

The definitions, `norm` and `orthogonalize` are SciPy's. Types 2 and 3 are one real FFT of n points of the
rearranged signal; type 1 is one of the even (odd) extension, type 4 one of 2 n points.
Source: Makhoul (1980), A fast cosine transform in one and two dimensions, IEEE ASSP 28(1), section II.
"""
import functools
import math
import operator

import numpy as _np

from ..avals import canonical_axis, to_inexact_dtype
from ..errors import ShapeError
from ..numpy.fft import (
    _norm,
    _sized,
    fft,
    fft2,
    fftfreq,
    fftn,
    fftshift,
    hfft,
    ifft,
    ifft2,
    ifftn,
    ifftshift,
    ihfft,
    irfft,
    irfft2,
    irfftn,
    rfft,
    rfft2,
    rfftfreq,
    rfftn,
)
from ..ops.complexes import complex_p, conj, imag, real
from ..ops.shaping import concatenate, reverse, slice_axis
from ..ops.structural import asvalue, cast, full, moveaxis

__all__ = ["dct", "dctn", "dst", "dstn", "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn",
           "idct", "idctn", "idst", "idstn", "ifft", "ifft2", "ifftn", "ifftshift", "ihfft", "ihfft2", "ihfftn",
           "irfft", "irfft2", "irfftn", "next_fast_len", "rfft", "rfft2", "rfftfreq", "rfftn"]

_INVERSE = {1: 1, 2: 3, 3: 2, 4: 4}
_OTHER_SIDE = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


# ---- over the last axis of a real array, without a scale ----

def _turn(n, x, quarter):
    """exp(-iπ k / quarter) for k = 0 … n - 1, in the complex dtype of x."""
    k = _np.arange(n)
    return _np.exp(-1j * _np.pi * k / quarter).astype(f"c{2 * x.dtype.itemsize}")


def _part(x, start, stop, stride=1):
    return slice_axis(x, start, stop, x.ndim - 1, stride)


def _back(x):
    return reverse(x, (x.ndim - 1,))


def _joined(*parts):
    return concatenate(parts, parts[0].ndim - 1)


def _signs(n, dtype):
    return (1 - 2 * (_np.arange(n) % 2)).astype(dtype)


def _dct1(x):
    """x_0 + (-1)^k x_{n-1} + 2 Σ x_j cos(π j k / (n - 1))"""
    n = x.shape[-1]
    return real(rfft(_joined(x, _back(_part(x, 1, n - 1)))))


def _dct2(x):
    """2 Σ x_j cos(π k (2 j + 1) / 2 n): the FFT of the even places and then the odd ones backwards, turned."""
    n = x.shape[-1]
    v = rfft(_joined(_part(x, 0, n, 2), _back(_part(x, 1, n, 2)))) if n > 1 else rfft(x)
    turned = v * _turn(n // 2 + 1, x, 2 * n)
    return _joined(real(turned) * 2, _back(imag(_part(turned, 1, (n + 1) // 2))) * -2)


def _dct3(y):
    """y_0 + 2 Σ y_j cos(π j (2 k + 1) / 2 n): the steps of _dct2 backwards."""
    n = y.shape[-1]
    half = n // 2 + 1
    zero = full((*y.shape[:-1], 1), 0, y.dtype)
    low, high = _part(y, 0, half), _joined(zero, _back(_part(y, n - half + 1, n)))
    v = irfft(complex_p.bind(low, -high) * _np.conj(_turn(half, y, 2 * n)), n) * n
    even = (n + 1) // 2
    if n == 1:
        return v
    first, second = _part(v, 0, even), _back(_part(v, even, n))
    if n % 2:
        second = _joined(second, zero)
    return _part(_woven(first, second), 0, n)


def _woven(a, b):
    """a_0, b_0, a_1, b_1, …"""
    pairs = concatenate([a[..., None], b[..., None]], a.ndim)
    return pairs.reshape((*a.shape[:-1], 2 * a.shape[-1]))


def _dct4(x):
    """2 Σ x_j cos(π (2 j + 1)(2 k + 1) / 4 n)"""
    n = x.shape[-1]
    v = _part(fft(complex_p.bind(x, _np.zeros((), x.dtype)) * _turn(n, x, 2 * n), 2 * n), 0, n)
    k = _np.arange(n)
    return real(v * (2 * _np.exp(-1j * _np.pi * (2 * k + 1) / (4 * n))).astype(v.dtype))


def _dst1(x):
    """2 Σ x_j sin(π (j + 1)(k + 1) / (n + 1))"""
    n = x.shape[-1]
    zero = full((*x.shape[:-1], 1), 0, x.dtype)
    return -imag(_part(rfft(_joined(zero, x, zero, -_back(x))), 1, n + 1))


def _dst2(x):
    return _back(_dct2(x * _signs(x.shape[-1], x.dtype)))


def _dst3(x):
    return _dct3(_back(x)) * _signs(x.shape[-1], x.dtype)


def _dst4(x):
    return _dct4(_back(x)) * _signs(x.shape[-1], x.dtype)


_PLAIN = {("dct", 1): _dct1, ("dct", 2): _dct2, ("dct", 3): _dct3, ("dct", 4): _dct4,
          ("dst", 1): _dst1, ("dst", 2): _dst2, ("dst", 3): _dst3, ("dst", 4): _dst4}


def _weighed(x, places, factor):
    """The last axis with a factor at some places."""
    weight = _np.ones(x.shape[-1], x.dtype)
    weight[places] = factor
    return x * weight


def _last(x, name, kind, norm, orthogonalize):
    """A transform of the last axis of a real array, scaled."""
    n = x.shape[-1]
    period = 2 * (n + (kind == 1) * (-1 if name == "dct" else 1))
    if period < 1:
        raise ShapeError(f"{name} of type 1 takes at least 2 points; got {n}.")
    ends = ([0, -1] if kind == 1 else [0]) if name == "dct" else [-1]
    weighed = orthogonalize and (kind in (2, 3) or (kind, name) == (1, "dct"))
    if weighed and kind != 2:
        x = _weighed(x, ends, math.sqrt(2))
    y = _PLAIN[name, kind](x)
    if weighed and kind != 3:
        y = _weighed(y, ends, math.sqrt(0.5))
    return y if norm == "backward" else y / (period if norm == "forward" else math.sqrt(period))


def _checked(name, type, x, inverse, norm, orthogonalize):
    if type not in _INVERSE:
        raise ShapeError(f"{name}: type={type!r}; the types are 1, 2, 3 and 4.")
    norm = _norm(norm)
    orthogonalize = norm == "ortho" if orthogonalize is None else orthogonalize
    x = asvalue(x)
    x = cast(x, _np.dtype("float32") if x.dtype.itemsize < 4 and x.dtype.kind == "f" else to_inexact_dtype(x.dtype))
    return x, _INVERSE[type] if inverse else type, _OTHER_SIDE[norm] if inverse else norm, orthogonalize


def _along(x, axis, n, *how):
    if n is not None and operator.index(n) < 1:
        raise ShapeError(f"{how[0]} with n={n}: at least 1 point is needed.")
    x = x if n is None else _sized(x, axis, operator.index(n))
    if x.shape[axis] < 1:
        raise ShapeError(f"{how[0]} over axis {axis} of shape {x.shape}: at least 1 point is needed.")
    x = moveaxis(x, axis, -1)
    y = complex_p.bind(_last(real(x), *how), _last(imag(x), *how)) if x.dtype.kind == "c" else _last(x, *how)
    return moveaxis(y, -1, axis)


# ---- spectra that are real ----

def hfftn(x, s=None, axes=None, norm=None):
    """hfft over the last of the axes, after fft over the others: a real spectrum of a Hermitian signal.

    s : the number of points of each axis; the last one is that of the result
    """
    return irfftn(conj(asvalue(x)), s, axes, _OTHER_SIDE[_norm(norm)])


def ihfftn(x, s=None, axes=None, norm=None):
    """The inverse of hfftn."""
    return conj(rfftn(x, s, axes, _OTHER_SIDE[_norm(norm)]))


def hfft2(x, s=None, axes=(-2, -1), norm=None):
    """hfftn over the last two axes."""
    return hfftn(x, s, axes, norm)


def ihfft2(x, s=None, axes=(-2, -1), norm=None):
    """ihfftn over the last two axes."""
    return ihfftn(x, s, axes, norm)


def _one(name, inverse, doc):
    def f(x, type=2, n=None, axis=-1, norm=None, *, orthogonalize=None):
        x, kind, norm, orthogonalize = _checked(name, type, x, inverse, norm, orthogonalize)
        return _along(x, canonical_axis(axis, x.ndim), n, name, kind, norm, orthogonalize)
    f.__name__ = f.__qualname__ = "i" * inverse + name
    f.__doc__ = doc
    return f


def _several(name, inverse, doc):
    def f(x, type=2, s=None, axes=None, norm=None, *, orthogonalize=None):
        x, kind, norm, orthogonalize = _checked(name, type, x, inverse, norm, orthogonalize)
        s = (s,) if isinstance(s, int) else s
        axes = (axes,) if isinstance(axes, int) else axes
        if axes is None:
            axes = range(x.ndim) if s is None else range(-len(s), 0)
        axes = [canonical_axis(a, x.ndim) for a in axes]
        if s is not None and len(s) != len(axes):
            raise ShapeError(f"{name}n: s has {len(s)} sizes for {len(axes)} axes; give one for each.")
        for a, n in zip(axes, s if s is not None else [None] * len(axes)):
            x = _along(x, a, n, name, kind, norm, orthogonalize)
        return x
    f.__name__ = f.__qualname__ = "i" * inverse + name + "n"
    f.__doc__ = doc
    return f


dct = _one("dct", False, """The cosine transform along an axis; type 2: y_k = 2 Σ_j x_j cos(π k (2 j + 1) / 2 n).

    x : array[…, m, …]   n : the number of points, to which the axis is cut or filled up with zeros

    >>> dct([1.0, 1.0], norm="ortho").round(12).tolist()
    [1.414213562373, 0.0]
    """)
idct = _one("dct", True, "The inverse of dct with the same type, norm and orthogonalize.")
dst = _one("dst", False, "The sine transform along an axis; type 2: y_k = 2 Σ_j x_j sin(π (k + 1)(2 j + 1) / 2 n).")
idst = _one("dst", True, "The inverse of dst with the same type, norm and orthogonalize.")
dctn = _several("dct", False, "dct over several axes (all unless given), s[i] points along axes[i].")
idctn = _several("dct", True, "The inverse of dctn.")
dstn = _several("dst", False, "dst over several axes (all unless given), s[i] points along axes[i].")
idstn = _several("dst", True, "The inverse of dstn.")


@functools.lru_cache(1024)
def next_fast_len(target, real=False):
    """The smallest size not below `target` with no prime factor above 11 (above 5 with real=True).

    >>> next_fast_len(13), next_fast_len(13, real=True)
    (14, 15)
    """
    n = operator.index(target)
    if n < 0:
        raise ShapeError(f"next_fast_len of {n}: a size is not negative.")
    while n > 1 and not _smooth(n, (2, 3, 5) if real else (2, 3, 5, 7, 11)):
        n += 1
    return n


def _smooth(n, primes):
    for p in primes:
        while n % p == 0:
            n //= p
    return n == 1
