"""Convolution and correlation of arrays in any number of dimensions, directly or by FFT."""
import math

from ...avals import broadcast_shapes, canonical_axes, is_inexact, to_inexact_dtype
from ...errors import ShapeError
from ...numpy.fft import fftn, ifftn, irfftn, rfftn
from ...numpy.padding import pad as _pad
from ...ops.complexes import conj
from ...ops.conv import conv_p
from ...ops.shaping import reverse, static_slice
from ...ops.structural import asvalue, cast, promote, reshape
from ..fft import next_fast_len

_MODES = ("full", "same", "valid")


def _two(name, in1, in2, mode):
    x, w = promote(asvalue(in1), asvalue(in2))
    if mode not in _MODES:
        raise ShapeError(f'{name}: mode={mode!r}; it is "full", "same" or "valid".')
    if x.ndim != w.ndim:
        raise ShapeError(f"{name} takes arrays with equally many axes; got shapes {x.shape} and {w.shape}.")
    return x, w


def _fits(name, x, w, axes):
    """Whether the second array is to change places with the first, in mode "valid"."""
    if all(x.shape[a] >= w.shape[a] for a in axes):
        return False
    if all(x.shape[a] <= w.shape[a] for a in axes):
        return True
    raise ShapeError(f'{name} with mode="valid": one array must be as large as the other in every axis; got shapes '
                     f"{x.shape} and {w.shape}.")


def _direct(x, w, mode, low_of):
    """Σ_k x[s + k - low] w[k], with the padding of the mode; `low_of` gives it for "same"."""
    pads = []
    for m in w.shape:
        low = {"valid": 0, "full": m - 1}.get(mode) if mode != "same" else low_of(m)
        pads.append((low, m - 1 - low if mode == "same" else low))
    ones = (1,) * x.ndim
    out = conv_p.bind(reshape(x, (1, 1, *x.shape)), reshape(w, (1, 1, *w.shape)), strides=ones, padding=tuple(pads),
                      lhs_dilation=ones, rhs_dilation=ones, groups=1)
    return reshape(out, out.shape[2:])


def _worth_fft(x, w, mode):
    """Whether the transforms of the full size take less than the products, by the count of both."""
    if not is_inexact(x.dtype) or not x.size or not w.size:
        return False
    size = math.prod([n + m - 1 for n, m in zip(x.shape, w.shape)])
    return x.size * w.size > 30 * size * math.log2(size + 1)


def convolve(in1, in2, mode="full", method="auto"):
    """Σ_j in1[j] in2[k - j], in all axes.

    in1, in2 : number[...], with equally many axes      mode : "full"; "same", of in1's shape; "valid", without edges
    method : "direct", "fft", or "auto" for the quicker; the FFT's error is relative to the largest element

    >>> convolve([[1.0, 2.0]], [[1.0, 1.0]]).tolist()
    [[1.0, 3.0, 2.0]]
    """
    x, w = _two("convolve", in1, in2, mode)
    if method not in ("auto", "direct", "fft"):
        raise ShapeError(f'convolve: method={method!r}; it is "auto", "direct" or "fft".')
    axes = tuple(range(x.ndim))
    swapped = mode == "valid" and _fits("convolve", x, w, axes)
    if not x.ndim:
        return x * w
    if method == "fft" or method == "auto" and _worth_fft(x, w, mode):
        out = fftconvolve(x, w, mode)
        return out if is_inexact(x.dtype) else cast(out.round(), x.dtype)
    x, w = (w, x) if swapped else (x, w)
    return _direct(x, reverse(w, axes), mode, lambda m: m // 2)


def correlate(in1, in2, mode="full", method="auto"):
    """Σ_j in1[k + j] conj(in2[j]), in all axes; see convolve."""
    x, w = _two("correlate", in1, in2, mode)
    axes = tuple(range(x.ndim))
    w = conj(w)
    if method not in ("auto", "direct", "fft"):
        raise ShapeError(f'correlate: method={method!r}; it is "auto", "direct" or "fft".')
    swapped = mode == "valid" and _fits("correlate", x, w, axes)
    if method == "fft" or method == "auto" and _worth_fft(x, w, mode):
        return convolve(x, reverse(w, axes), mode, method)
    if not x.ndim:
        return x * w
    if swapped:
        return reverse(_direct(w, x, mode, None), axes)
    return _direct(x, w, mode, lambda m: m - 1 - (m - 1) // 2)


# ---- by FFT ----

def fftconvolve(in1, in2, mode="full", axes=None):
    """convolve by FFT, along some axes (all unless given); the other axes broadcast.

    The error is a few ulps of the largest element of the result, not of each.
    """
    x, w = _two("fftconvolve", in1, in2, mode)
    x, w = (cast(v, to_inexact_dtype(v.dtype)) for v in (x, w))
    axes = tuple([a for a in canonical_axes(axes, x.ndim) if x.shape[a] != 1 and w.shape[a] != 1])
    others = [i for i in range(x.ndim) if i not in axes]
    broadcast_shapes(*[tuple([v.shape[i] for i in others]) for v in (x, w)])
    if mode == "valid" and _fits("fftconvolve", x, w, axes):
        x, w = w, x
    if not axes:
        out = x * w
        return out if mode != "same" else _middle(out, x.shape)
    full = [x.shape[a] + w.shape[a] - 1 for a in axes]
    if min(full) < 1 or not x.size or not w.size:
        raise ShapeError(f"fftconvolve takes arrays that are not empty; got shapes {x.shape} and {w.shape}.")
    sizes = [next_fast_len(n, x.dtype.kind != "c") for n in full]
    forth, back = (fftn, ifftn) if x.dtype.kind == "c" else (rfftn, irfftn)
    out = back(forth(x, sizes, axes) * forth(w, sizes, axes), sizes, axes)
    out = static_slice(out, [0] * out.ndim, [full[axes.index(i)] if i in axes else n for i, n in enumerate(out.shape)],
                       [1] * out.ndim)
    if mode == "full":
        return out
    return _middle(out, x.shape if mode == "same" else
                   [x.shape[i] - w.shape[i] + 1 if i in axes else n for i, n in enumerate(out.shape)])


def _middle(x, shape):
    """The middle part, of this shape."""
    starts = [(n - m) // 2 for n, m in zip(x.shape, shape)]
    return static_slice(x, starts, [a + m for a, m in zip(starts, shape)], [1] * x.ndim)


def oaconvolve(in1, in2, mode="full", axes=None):
    """fftconvolve: one transform of the whole, where SciPy adds overlapping blocks."""
    return fftconvolve(in1, in2, mode, axes)


# ---- two dimensions with a boundary ----

_BOUNDARIES = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}


def _extended(name, x, w, mode, boundary, fillvalue, low_of):
    """x with what stands outside of it, as far as the mode looks."""
    if boundary not in _BOUNDARIES:
        raise ShapeError(f'{name}: boundary={boundary!r}; it is "fill", "wrap" or "symm".')
    if x.ndim != 2:
        raise ShapeError(f"{name} takes matrices; got shape {x.shape}. `convolve` and `correlate` take all shapes.")
    if mode == "valid":
        return x
    pads = [(m - 1, m - 1) if mode == "full" else (low_of(m), m - 1 - low_of(m)) for m in w.shape]
    if boundary == "fill":
        return _pad(x, pads, constant_values=cast(asvalue(fillvalue), x.dtype))
    return _pad(x, pads, mode=_BOUNDARIES[boundary])


def convolve2d(in1, in2, mode="full", boundary="fill", fillvalue=0):
    """convolve of matrices.   boundary : "fill" with fillvalue, "wrap" round, or "symm", mirrored about the edge"""
    x, w = _two("convolve2d", in1, in2, mode)
    if mode == "valid" and _fits("convolve2d", x, w, (0, 1)):
        x, w = w, x
    x = _extended("convolve2d", x, w, mode, boundary, fillvalue, lambda m: m // 2)
    return _direct(x, reverse(w, (0, 1)), "valid", None)


def correlate2d(in1, in2, mode="full", boundary="fill", fillvalue=0):
    """correlate of matrices; see convolve2d."""
    x, w = _two("correlate2d", in1, in2, mode)
    w = conj(w)
    if mode == "valid" and _fits("correlate2d", x, w, (0, 1)):
        return reverse(_direct(w, x, "valid", None), (0, 1))
    x = _extended("correlate2d", x, w, mode, boundary, fillvalue, lambda m: (m - 1) // 2)
    return _direct(x, w, "valid", None)
