"""More matrices with a pattern: of polynomials, populations, convolutions and contrasts."""
import math

import numpy as _np

from ..errors import ShapeError
from ..ops.elementwise import abs
from ..ops.shaping import concatenate, pad, slice_axis
from ..ops.structural import asvalue, promote, promote_inexact
from .special_matrices import from_integers, picked, toeplitz

__all__ = ["convolution_matrix", "diagsvd", "fiedler", "fiedler_companion", "helmert", "invpascal", "leslie"]


def convolution_matrix(a, n, mode="full"):
    """The matrix M with M v = convolve(a, v, mode) for v of n elements.   a : [m]"""
    a = asvalue(a)
    if a.ndim != 1 or not a.shape[0] or n < 1:
        raise ShapeError(f"convolution_matrix takes a vector `a` and n >= 1; got shape {a.shape} and n={n}.")
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"mode is 'full', 'same' or 'valid'; got {mode!r}.")
    m = a.shape[0]
    column = pad(a, [(0, n - 1)])
    row = pad(slice_axis(a, 0, 1, 0), [(0, n - 1)])
    full = toeplitz(column, row)
    if mode == "full":
        return full
    size = max(m, n) if mode == "same" else max(m, n) - min(m, n) + 1
    first = (min(m, n) - 1) // 2 if mode == "same" else min(m, n) - 1
    return slice_axis(full, first, first + size, 0)


def diagsvd(s, M, N):
    """The matrix [M, N] with s on its diagonal, so that U @ diagsvd(s, M, N) @ Vh is the matrix again.   s : [min(M,
    N)]"""
    s = asvalue(s)
    if s.shape != (min(M, N),):
        raise ShapeError(f"diagsvd takes `s` [min(M, N)] = [{min(M, N)}]; got shape {s.shape}.")
    return s[None, :] * _np.eye(M, N, dtype=s.dtype) if N <= M else s[:, None] * _np.eye(M, N, dtype=s.dtype)


def fiedler(a):
    """|a_i - a_j|.   [*batch, n] -> [*batch, n, n]"""
    a = asvalue(a)
    if a.ndim == 0:
        raise ShapeError("fiedler takes vectors [..., n]; `a` is a scalar.")
    return abs(a[..., :, None] - a[..., None, :])


def fiedler_companion(a):
    """The pentadiagonal matrix whose eigenvalues are the roots of a[0] xⁿ + … + a[n].   [n + 1] -> [n, n]

    Fiedler (2003), "A note on companion matrices".
    """
    a = promote_inexact(asvalue(a))[0]
    if a.ndim != 1 or a.shape[0] < 2:
        raise ShapeError(f"fiedler_companion takes the coefficients of a polynomial of degree 1 or more; `a` has shape "
                         f"{a.shape}.")
    n = a.shape[0] - 1
    place = _np.zeros((n, n), _np.int64)                 # 0 for 0, 1 for 1, k + 1 for -a[k] / a[0]
    for i in range(n):
        if i % 2:
            place[i, max(i - 2, 0)] = 1
            continue
        entries = {max(i - 1, 0): i + 2, i + 1 if i else 1: i + 3, i + 2: 1}
        for column, value in entries.items():
            if column < n:
                place[i, column] = value
    values = concatenate([asvalue(_np.array([0, 1], a.dtype)), -slice_axis(a, 1, n + 1, 0) / a[0]], 0)
    return picked(values, place)


def helmert(n, full=False):
    """The orthogonal matrix of Helmert's contrasts, without its first row of 1/√n unless `full`."""
    i = _np.arange(n)
    low = _np.tril(_np.ones((n, n)), -1) - _np.diag(i)
    low[0] = 1
    scale = _np.sqrt(_np.r_[n, i[1:] * (i[1:] + 1.0)])
    out = low / scale[:, None]
    return asvalue(out if full else out[1:])


def invpascal(n, kind="symmetric", exact=True):
    """The inverse of pascal(n, kind)."""
    if kind not in ("symmetric", "lower", "upper"):
        raise ValueError(f"kind is 'symmetric', 'lower' or 'upper'; got {kind!r}.")
    sign = [[(-1) ** (i + j) for j in range(n)] for i in range(n)]
    element = {"lower": math.comb, "upper": lambda i, j: math.comb(j, i),
               "symmetric": lambda i, j: sum(math.comb(k, i) * math.comb(k, j) for k in range(max(i, j), n))}[kind]
    return from_integers([[sign[i][j] * element(i, j) for j in range(n)] for i in range(n)], exact, "invpascal")


def leslie(f, s):
    """A population's step: fecundities f in the first row, survivals s below the diagonal.   f : [n], s : [n - 1]"""
    f, s = promote(asvalue(f), asvalue(s))
    n = f.shape[0] if f.ndim == 1 else 0
    if not n or s.shape != (n - 1,):
        raise ShapeError(f"leslie takes `f` [n] and `s` [n - 1]; got shapes {f.shape} and {s.shape}.")
    below = s[:, None] * _np.eye(n - 1, n, dtype=s.dtype)
    return concatenate([f[None, :], below], 0)
