"""Convolution and correlation of vectors, as NumPy has them."""

import numpy as _np

from ..errors import ShapeError
from ..ops.complexes import conj
from ..ops.conv import conv_p
from ..ops.shaping import reverse
from ..ops.structural import asvalue, promote, reshape
from .direct import by_numpy

_MODES = ("full", "same", "valid")


def _sliding(x, w, mode):
    """Σ_k x[s + k - low] w[k] for len(x) >= len(w); "full" begins where one element of w is on x, "same" has x's
    length, "valid" the places where all of w is on x."""
    n, m = x.shape[0], w.shape[0]
    low = {"full": m - 1, "same": m // 2, "valid": 0}[mode]
    high = {"full": m - 1, "same": m - 1 - m // 2, "valid": 0}[mode]
    out = conv_p.bind(reshape(x, (1, 1, n)), reshape(w, (1, 1, m)), strides=(1,), padding=((low, high),),
                      lhs_dilation=(1,), rhs_dilation=(1,), groups=1)
    return reshape(out, (-1,))


def _vectors(name, a, v, mode):
    a, v = promote(asvalue(a), asvalue(v))
    a, v = (reshape(x, (1,)) if not x.ndim else x for x in (a, v))
    if a.ndim != 1 or v.ndim != 1 or not a.size or not v.size:
        raise ShapeError(f"{name} takes two vectors that are not empty; got shapes {a.shape} and {v.shape}.\n"
                         f"scipy.signal.{name} takes arrays with more axes.")
    if mode not in _MODES:
        raise ShapeError(f'{name}: mode={mode!r}; it is "full", "same" or "valid".')
    return a, v


def convolve(a, v, mode="full"):
    """Σ_j a_j v_{k-j}.   a : number[n], v : number[m], not empty

    mode : "full" gives all n + m - 1 places, "same" the middle max(n, m), "valid" those without an edge

    >>> convolve([1.0, 2.0, 3.0], [0.0, 1.0]).tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    found = by_numpy(_np.convolve, a, v, mode=mode) if mode in _MODES else None
    if found is not None:
        return found
    a, v = _vectors("convolve", a, v, mode)
    if v.shape[0] > a.shape[0]:
        a, v = v, a
    return _sliding(a, reverse(v, (0,)), mode)


def correlate(a, v, mode="valid"):
    """Σ_j a_{k+j} conj(v_j).   a : number[n], v : number[m], not empty

    >>> correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5]).tolist()
    [3.5]
    """
    found = by_numpy(_np.correlate, a, v, mode=mode) if mode in _MODES else None
    if found is not None:
        return found
    a, v = _vectors("correlate", a, v, mode)
    v = conj(v)
    if v.shape[0] > a.shape[0]:
        return reverse(_sliding(v, a, mode), (0,))
    return _sliding(a, v, mode)
