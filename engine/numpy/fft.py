"""NumPy's discrete Fourier transforms: `np.fft`.

y_k = Σ_j x_j exp(-2πi j k / n). `norm` says where the factor 1/n goes: "backward" (the default) into the inverse,
"forward" into the transform, "ortho" 1/√n into both. float32 gives complex64, integers the default precision.
"""
import math
import operator

import numpy as _np

from ..array import Value
from ..avals import canonical_axis, default_float, is_inexact
from ..errors import DtypeError, ShapeError
from ..ops import fft as _fft
from ..ops.complexes import conj as _conj
from ..ops.shaping import pad as _pad
from ..ops.shaping import slice_axis as _slice_axis
from ..ops.structural import asvalue, cast, iota
from ..ops.structural import transpose as _transpose
from ..sharding.place import on_device
from .direct import by_numpy, no_out
from .shapes import roll as _roll

_NORMS = {None: "backward", "backward": "backward", "ortho": "ortho", "forward": "forward"}
_SWAPPED = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def _norm(norm, table=_NORMS):
    if norm not in table:
        raise ShapeError(f'norm={norm!r}: it is "backward", "ortho" or "forward".')
    return table[norm]


def _operand(x, kind, name):
    x = x if isinstance(x, Value) else asvalue(x)
    d = x.dtype
    if kind == "RFFT":
        if d.kind == "c":
            raise DtypeError(f"{name} takes real numbers; got dtype {d}.\nUse {name.replace('r', '', 1)} for complex "
                             "ones, or take x.real.")
        wanted = d if d.kind == "f" and d.itemsize >= 4 else _np.dtype("float32") if is_inexact(d) else default_float()
    elif d.kind == "c":
        return x
    elif is_inexact(d):
        wanted = _np.dtype("complex128" if d.itemsize == 8 else "complex64")
    else:
        wanted = _np.dtype(f"c{2 * default_float().itemsize}")
    return x if d == wanted else cast(x, wanted)


def _sized(x, axis, n):
    """x cut, or filled up with zeros, to size n along an axis."""
    m = x.shape[axis]
    if m == n:
        return x
    if m > n:
        return _slice_axis(x, 0, n, axis)
    return _pad(x, [(0, n - m if i == axis else 0) for i in range(x.ndim)])


def _scale(kind, norm, lengths):
    """The factor that takes the built-in scaling (1/n in inverses) to the one that was asked for."""
    n = math.prod(lengths)
    inverse = kind in ("IFFT", "IRFFT")
    if norm == "ortho":
        return math.sqrt(n) if inverse else 1 / math.sqrt(n)
    return (n if inverse else 1 / n) if norm == "forward" else 1


def _lengths(x, kind, axes, s, name):
    """The sizes of the real side: those given, or those of x."""
    sizes = [x.shape[a] for a in axes]
    if kind == "IRFFT" and axes:
        sizes[-1] = 2 * (sizes[-1] - 1)
    if s is not None:
        sizes = [own if n is None else x.shape[a] if n == -1 else operator.index(n)
                 for n, own, a in zip(s, sizes, axes)]
    for n, a in zip(sizes, axes):
        if n < 1:
            raise ShapeError(f"{name} over axis {a} of shape {x.shape} with n={n}: at least 1 point is needed.")
    return tuple(sizes)


def _transformed(x, kind, axes, lengths):
    """The transform over distinct axes, by operations over at most three trailing axes each."""
    inner = _fft.frequencies(kind, lengths) if kind == "IRFFT" else lengths
    for a, n in zip(axes, inner):
        x = _sized(x, a, n)
    groups = [slice(max(0, i - _fft.MOST_AXES), i) for i in range(len(axes), 0, -_fft.MOST_AXES)]
    plain = "IFFT" if kind in ("IFFT", "IRFFT") else "FFT"
    steps = [(kind if g.stop == len(axes) else plain, axes[g], lengths[g]) for g in groups]
    for each, group, sizes in (steps[::-1] if kind == "IRFFT" else steps):
        order = [i for i in range(x.ndim) if i not in group] + list(group)
        x = _fft.fft(_transpose(x, order), each, sizes)
        x = _transpose(x, [order.index(i) for i in range(x.ndim)])
    return x


def _one(kind, name, doc):
    theirs = getattr(_np.fft, name)

    def f(a, n=None, axis=-1, norm=None, out=None):
        no_out(out)
        norm = _norm(norm)
        x = _operand(a, kind, name)
        found = by_numpy(theirs, x, n=n, axis=axis, norm=norm)
        if found is not None:
            return found
        if not x.ndim:
            raise ShapeError(f"{name} takes an array with at least one axis; got a scalar.")
        axes = (canonical_axis(axis, x.ndim),)
        lengths = _lengths(x, kind, axes, None if n is None else (n,), name)
        out, scale = _transformed(x, kind, axes, lengths), _scale(kind, norm, lengths)
        return out if scale == 1 else out * scale
    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f


def _several(kind, name, default, doc):
    def f(a, s=None, axes=default, norm=None, out=None):
        no_out(out)
        norm = _norm(norm)
        x = _operand(a, kind, name)
        if axes is None:
            axes = range(x.ndim) if s is None else range(-len(s), 0)
        axes = tuple([canonical_axis(i, x.ndim) for i in axes])
        if s is not None and len(s) != len(axes):
            raise ShapeError(f"{name}: s has {len(s)} sizes for {len(axes)} axes {axes}; give one for each.")
        if not axes:
            if kind in ("RFFT", "IRFFT"):
                raise ShapeError(f"{name} takes at least one axis.")
            return x
        lengths = _lengths(x, kind, axes, s, name)
        if len(set(axes)) != len(axes):                  # an axis named again is transformed again
            return _again(x, kind, axes, lengths, norm)
        out, scale = _transformed(x, kind, axes, lengths), _scale(kind, norm, lengths)
        return out if scale == 1 else out * scale
    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f


def _again(x, kind, axes, lengths, norm):
    """The transforms over axes that repeat, one after the other, in NumPy's order."""
    steps = [({"RFFT": fft, "IRFFT": ifft, "FFT": fft, "IFFT": ifft}[kind], a, n) for a, n in zip(axes, lengths)]
    steps[-1] = ({"RFFT": rfft, "IRFFT": irfft}.get(kind, steps[-1][0]), *steps[-1][1:])
    for f, a, n in (steps if kind == "IRFFT" else steps[::-1]):
        x = f(x, n, a, norm)
    return x


fft = _one("FFT", "fft", """The discrete Fourier transform along an axis.

    a : array[…, m, …]      n : the number of points, to which the axis is cut or filled up with zeros

    >>> fft([1.0, 0.0, 0.0, 0.0]).real.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """)
ifft = _one("IFFT", "ifft", "The inverse of fft: x_j = 1/n Σ_k y_k exp(2πi j k / n).")
rfft = _one("RFFT", "rfft", "The frequencies 0 … n // 2 of a real array; the others are their conjugates.")
irfft = _one("IRFFT", "irfft", """The n real numbers with these frequencies; the inverse of rfft.

    n : 2 (m - 1) for m frequencies unless given; give it where it is odd
    """)
fft2 = _several("FFT", "fft2", (-2, -1), "fftn over the last two axes.")
ifft2 = _several("IFFT", "ifft2", (-2, -1), "ifftn over the last two axes.")
rfft2 = _several("RFFT", "rfft2", (-2, -1), "rfftn over the last two axes.")
irfft2 = _several("IRFFT", "irfft2", (-2, -1), "irfftn over the last two axes.")
fftn = _several("FFT", "fftn", None, """The transform over several axes (all unless given).

    s : the number of points of each axis; -1 for that of a
    """)
ifftn = _several("IFFT", "ifftn", None, "The inverse of fftn.")
rfftn = _several("RFFT", "rfftn", None, "rfft over the last of the axes, then fft over the others.")
irfftn = _several("IRFFT", "irfftn", None, "The inverse of rfftn; s[-1] is the number of real points.")


def hfft(a, n=None, axis=-1, norm=None, out=None):
    """The real spectrum of n points, of a signal with Hermitian symmetry whose first n // 2 + 1 points are given."""
    no_out(out)
    return irfft(_conj(asvalue(a)), n, axis, _norm(norm, _SWAPPED))


def ihfft(a, n=None, axis=-1, norm=None, out=None):
    """The inverse of hfft."""
    no_out(out)
    return _conj(rfft(a, n, axis, _norm(norm, _SWAPPED)))


def _count(n, name):
    n = operator.index(n)
    if n < 1:
        raise ShapeError(f"{name}: n={n} points; at least 1 is needed.")
    return n


def fftfreq(n, d=1.0, dtype=None, *, device=None):
    """The frequencies of fft's output, 0, 1, …, -2, -1 over n d.   d : the spacing of the samples"""
    n = _count(n, "fftfreq")
    d = d if isinstance(d, Value) else float(d)
    k = _np.r_[0:(n - 1) // 2 + 1, -(n // 2):0]
    out = cast(asvalue(k), default_float()) * (1.0 / (n * d))
    return on_device(out if dtype is None else cast(out, _np.dtype(dtype)), device)


def rfftfreq(n, d=1.0, dtype=None, *, device=None):
    """The frequencies of rfft's output, 0, 1, …, n // 2 over n d."""
    n = _count(n, "rfftfreq")
    d = d if isinstance(d, Value) else float(d)
    out = iota(n // 2 + 1, default_float()) * (1.0 / (n * d))
    return on_device(out if dtype is None else cast(out, _np.dtype(dtype)), device)


def _shifted(x, axes, direction):
    x = asvalue(x)
    axes = range(x.ndim) if axes is None else axes if isinstance(axes, (tuple, list)) else (axes,)
    axes = tuple([canonical_axis(a, x.ndim) for a in axes])
    shifts = tuple([x.shape[a] // 2 if direction > 0 else -(x.shape[a] // 2) for a in axes])
    return _roll(x, shifts, axes) if axes else x


def fftshift(x, axes=None):
    """x with the zero frequency moved to the middle of each axis."""
    return _shifted(x, axes, 1)


def ifftshift(x, axes=None):
    """The inverse of fftshift."""
    return _shifted(x, axes, -1)
