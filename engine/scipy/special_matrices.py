"""Matrices with a pattern: Toeplitz, circulant, Hankel, companion, Hilbert, Pascal, Hadamard, DFT, blocks."""
import math

import numpy as _np

from ..errors import ShapeError
from ..ops.elementwise import mul
from ..ops.index import gather_p
from ..ops.shaping import concatenate, pad, reverse, slice_axis
from ..ops.structural import asvalue, broadcast_to, cast, promote, promote_inexact, reshape

__all__ = ["block_diag", "circulant", "companion", "dft", "hadamard", "hankel", "hilbert", "invhilbert", "khatri_rao",
           "pascal", "toeplitz"]


def _vector(x, what, name):
    x = asvalue(x)
    if x.ndim == 0:
        raise ShapeError(f"{what} takes vectors [..., n]; `{name}` is a scalar.")
    return x


def picked(x, index):
    """x[..., index] for a NumPy array of indices."""
    last = x.ndim - 1
    front = x.transpose((last, *range(last)))
    out = gather_p.bind(front, asvalue(_np.asarray(index, _np.int64)[..., None]))
    return out.transpose((*range(index.ndim, out.ndim), *range(index.ndim)))


def toeplitz(c, r=None):
    """t_ij = c[i - j] below and on the diagonal, r[j - i] above it; r is c* if not given.   c : [*batch, m], r :
    [*batch, n]

    >>> toeplitz([1, 2, 3]).tolist()
    [[1, 2, 3], [2, 1, 2], [3, 2, 1]]
    """
    c = _vector(c, "toeplitz", "c")
    r = c.conj() if r is None else _vector(r, "toeplitz", "r")
    c, r = promote(c, r)
    m, n = c.shape[-1], r.shape[-1]
    lead = _np.broadcast_shapes(c.shape[:-1], r.shape[:-1])
    c, r = broadcast_to(c, (*lead, m)), broadcast_to(r, (*lead, n))
    if not m or not n:
        return reshape(slice_axis(c, 0, 0, c.ndim - 1), (*lead, m, n))
    axis = len(lead)
    values = concatenate([reverse(c, (axis,)), slice_axis(r, 1, n, axis)], axis)
    return picked(values, (m - 1) - _np.arange(m)[:, None] + _np.arange(n))


def circulant(c):
    """c_ij = c[(i - j) mod n].   [*batch, n] -> [*batch, n, n]"""
    c = _vector(c, "circulant", "c")
    i = _np.arange(c.shape[-1])
    return picked(c, (i[:, None] - i) % max(1, c.shape[-1]))


def hankel(c, r=None):
    """h_ij = c[i + j], continued by r[1:], which is 0 if not given.   c : [m], r : [n]"""
    c = _vector(c, "hankel", "c")
    r = c * 0 if r is None else _vector(r, "hankel", "r")
    c, r = promote(c, r)
    m, n, axis = c.shape[-1], r.shape[-1], c.ndim - 1
    if not m or not n:
        return reshape(slice_axis(c, 0, 0, axis), (*c.shape[:-1], m, n))
    values = concatenate([c, slice_axis(r, 1, n, r.ndim - 1)], axis)
    return picked(values, _np.arange(m)[:, None] + _np.arange(n))


def companion(a):
    """The companion matrix of the polynomial a[0] xⁿ + … + a[n].   [*batch, n + 1] -> [*batch, n, n]"""
    a = promote_inexact(_vector(a, "companion", "a"))[0]
    n = a.shape[-1] - 1
    if n < 1:
        raise ShapeError(f"companion takes the coefficients of a polynomial of degree 1 or more; `a` has shape "
                         f"{a.shape}.")
    axis = a.ndim - 1
    first = reshape(-slice_axis(a, 1, n + 1, axis) / slice_axis(a, 0, 1, axis), (*a.shape[:-1], 1, n))
    shift = broadcast_to(asvalue(_np.eye(n - 1, n, dtype=a.dtype)), (*a.shape[:-1], n - 1, n))
    return concatenate([first, shift], axis)


def block_diag(*arrs):
    """The matrices along the diagonal, zeros elsewhere. Vectors are rows; leading axes broadcast."""
    arrs = [asvalue(x) for x in arrs] or [asvalue(_np.zeros((1, 0)))]
    arrs = [reshape(x, (*(1,) * (2 - x.ndim), *x.shape)) if x.ndim < 2 else x for x in promote(*arrs)]
    lead = _np.broadcast_shapes(*[x.shape[:-2] for x in arrs])
    width, before, rows = sum(x.shape[-1] for x in arrs), 0, []
    for x in arrs:
        x = broadcast_to(x, (*lead, *x.shape[-2:]))
        rows.append(pad(x, [(0, 0)] * (x.ndim - 1) + [(before, width - before - x.shape[-1])]))
        before += x.shape[-1]
    return rows[0] if len(rows) == 1 else concatenate(rows, len(lead))


def khatri_rao(a, b):
    """Kronecker products column by column.   [*batch, m, k], [*batch, n, k] -> [*batch, m n, k]"""
    a, b = promote(asvalue(a), asvalue(b))
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise ShapeError(f"khatri_rao takes matrices with as many columns; `a` and `b` have shapes {a.shape} and "
                         f"{b.shape}.")
    out = mul(a[..., :, None, :], b[..., None, :, :])
    return reshape(out, (*out.shape[:-3], out.shape[-3] * out.shape[-2], out.shape[-1]))


def hilbert(n):
    """h_ij = 1 / (i + j + 1)."""
    i = _np.arange(n)
    return asvalue(1.0 / (i[:, None] + i + 1))


def from_integers(rows, exact, what):
    """int64 where exact (object integers do not exist here), else float64."""
    if exact and any(abs(v) >= 2 ** 63 for row in rows for v in row):
        raise ValueError(f"{what} of this size has elements beyond int64; write exact=False.")
    return asvalue(_np.array([[v if exact else float(v) for v in row] for row in rows],
                             _np.int64 if exact else _np.float64).reshape(len(rows), len(rows)))


def invhilbert(n, exact=False):
    """The inverse of hilbert(n), each element rounded once (integers for exact)."""
    def element(i, j):
        size = (i + j + 1) * math.comb(n + i, n - j - 1) * math.comb(n + j, n - i - 1) * math.comb(i + j, i) ** 2
        return size if (i + j) % 2 == 0 else -size
    return from_integers([[element(i, j) for j in range(n)] for i in range(n)], exact, "invhilbert")


def pascal(n, kind="symmetric", exact=True):
    """Binomial coefficients: p_ij = C(i + j, i) if symmetric, C(i, j) if lower, C(j, i) if upper."""
    if kind not in ("symmetric", "lower", "upper"):
        raise ValueError(f"kind is 'symmetric', 'lower' or 'upper'; got {kind!r}.")
    element = {"symmetric": lambda i, j: math.comb(i + j, i), "lower": math.comb,
               "upper": lambda i, j: math.comb(j, i)}[kind]
    return from_integers([[element(i, j) for j in range(n)] for i in range(n)], exact, "pascal")


def hadamard(n, dtype=int):
    """Hadamard's matrix of ±1 with orthogonal rows, n a power of two (Sylvester's construction)."""
    if n < 1 or n & (n - 1):
        raise ValueError(f"hadamard takes a power of two; got n={n}.")
    i = _np.arange(n)
    return cast(asvalue(1 - 2 * (_np.bitwise_count(i[:, None] & i) & 1).astype(_np.int64)), _np.dtype(dtype))


def dft(n, scale=None):
    """The matrix of the discrete Fourier transform, exp(-2πi j k / n); scale : None, 'sqrtn' or 'n'."""
    if scale not in (None, "sqrtn", "n"):
        raise ValueError(f"scale is None, 'sqrtn' or 'n'; got {scale!r}.")
    i = _np.arange(n)
    out = _np.exp(-2j * _np.pi * ((i[:, None] * i) % max(n, 1)) / max(n, 1))
    return asvalue(out / {None: 1, "sqrtn": _np.sqrt(n), "n": n}[scale])
