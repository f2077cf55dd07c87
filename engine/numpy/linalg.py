"""numpy.linalg for arrays and tracers: what needs no eigenvalues. Matrices are the last two axes, the others are
batch."""
from typing import NamedTuple

import numpy as _np

from ..array import Array
from ..avals import broadcast_shapes, canonical_axes
from ..errors import ShapeError
from ..ops import lu as _lu
from ..ops.elementwise import abs, bitwise_and, exp, gt, integer_pow, lt, mul, ne, power, sign, sqrt, where
from ..ops.linalg import cholesky as _cholesky
from ..ops.linalg import mm, mT, square_matrix
from ..ops.reduce import reduce_max_p, reduce_min_p, reduce_prod_p
from ..ops.structural import asvalue, broadcast_to, cast, iota, promote_inexact, reduce_sum, reshape
from .diagonals import diagonal

__all__ = ["SlogdetResult", "cholesky", "det", "inv", "matrix_norm", "matrix_power", "matrix_transpose", "norm",
           "slogdet",
           "solve", "vector_norm"]

matrix_transpose = mT


class SlogdetResult(NamedTuple):
    """det = sign · exp(logabsdet)."""
    sign: Array
    logabsdet: Array


def cholesky(a, upper=False):
    """The triangular L with L L' = a (U with U' U = a for `upper`).   a : float[*batch, n, n], symmetric

    Both triangles are read, as (a + a') / 2. nan where the matrix is not positive definite.
    """
    factor = _cholesky(a)
    return mT(factor) if upper else factor


def solve(a, b):
    """x with a x = b.   a : float[*batch, n, n], b : float[n] or float[*batch, n, k]

    >>> solve([[2.0, 0.0], [0.0, 4.0]], [1.0, 1.0]).tolist()
    [0.5, 0.25]
    """
    a, b = promote_inexact(asvalue(a), asvalue(b))
    a = square_matrix(a, "solve")
    a, b, back = common_batch(a, b)
    return back(_lu.solve_matrices(a, b))


def common_batch(a, b):
    """(a, b, back): both with the same leading axes, b as matrices; `back` undoes that for a vector."""
    vector = b.ndim == 1
    if b.ndim == 0 or b.shape[0 if vector else -2] != a.shape[-1]:
        raise ShapeError(f"a matrix of shape {a.shape} and a right side of shape {b.shape}: the right side is [n] or "
                         f"[..., n, k] with n = {a.shape[-1]}.")
    b = reshape(b, (*b.shape, 1)) if vector else b
    lead = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = broadcast_to(a, (*lead, *a.shape[-2:])), broadcast_to(b, (*lead, *b.shape[-2:]))
    return a, b, (lambda x: reshape(x, x.shape[:-1])) if vector else (lambda x: x)


def inv(a):
    """The inverse.   float[*batch, n, n] -> float[*batch, n, n]; infinities or nan where there is none"""
    return _lu.inv(a)


def slogdet(a):
    """(sign, log |det|).   float[*batch, n, n] -> float[*batch] each; (0, -inf) for a singular matrix"""
    a = square_matrix(a, "slogdet")
    n = a.shape[-1]
    packed, order = _lu.factors(a)
    signs = reduce_prod_p.bind(sign(diagonal(packed, axis1=-2, axis2=-1)), axes=(a.ndim - 2,))
    first, second = reshape(order, (*order.shape, 1)), reshape(order, (*order.shape[:-1], 1, n))
    i = iota(n)
    swapped = bitwise_and(gt(first, second), lt(reshape(i, (n, 1)), i))   # pairs in the wrong order
    odd = reduce_sum(cast(swapped, _np.dtype("int32")), (a.ndim - 2, a.ndim - 1)) & _np.int32(1)
    return SlogdetResult(where(ne(odd, _np.int32(0)), -signs, signs), _lu.log_det_p.bind(a, packed))


def det(a):
    """The determinant.   float[*batch, n, n] -> float[*batch]

    >>> float(det([[1.0, 2.0], [3.0, 4.0]])).__round__(6)
    -2.0
    """
    signs, logs = slogdet(a)
    return signs * exp(logs)


def matrix_power(a, n):
    """a to an integer power, by repeated squaring."""
    a = square_matrix(a, "matrix_power")
    if n < 0:
        a, n = inv(a), -n
    i = iota(a.shape[-1])
    out = broadcast_to(cast(reshape(i, (-1, 1)) == i, a.dtype), a.shape)
    while n:
        out, a, n = mm(out, a) if n & 1 else out, mm(a, a) if n > 1 else a, n >> 1
    return out


def vector_norm(x, axis=None, keepdims=False, ord=2):
    """(Σ |x|^ord)^(1/ord) over the axes; the largest |x| for inf, the smallest for -inf, the number of non-zeros for
    0."""
    x = promote_inexact(asvalue(x))[0]
    axes = canonical_axes(axis, x.ndim)
    if ord == 2:
        out = sqrt(reduce_sum(mul(x, x), axes))
    elif ord in (_np.inf, -_np.inf):
        out = (reduce_max_p if ord > 0 else reduce_min_p).bind(abs(x), axes=axes)
    elif ord == 0:
        out = reduce_sum(cast(ne(x, 0), x.dtype), axes)
    elif ord == 1:
        out = reduce_sum(abs(x), axes)
    else:
        size = abs(x)
        out = power(reduce_sum(integer_pow(size, ord) if isinstance(ord, int) else power(size, float(ord)), axes),
                    1.0 / ord)
    return reshape(out, tuple(1 if i in axes else n for i, n in enumerate(x.shape))) if keepdims else out


def matrix_norm(x, keepdims=False, ord="fro"):
    """The Frobenius norm, or the largest column (1) or row (inf) sum of |x|, over the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)


def norm(x, ord=None, axis=None, keepdims=False):
    """The norm of vectors (one axis) or matrices (a pair of axes); without `ord` the root of the sum of squares.

    Matrix norms 2, -2 and 'nuc' need singular values and are not there.
    """
    x = promote_inexact(asvalue(x))[0]
    if axis is None:
        if ord is None:
            return vector_norm(x, None, keepdims)
        axis = tuple(range(x.ndim))
    if isinstance(axis, int) or len(axis) == 1:
        return vector_norm(x, axis, keepdims, 2 if ord is None else ord)
    rows, cols = (a % x.ndim for a in axis)
    if ord in (None, "fro"):
        return vector_norm(x, (rows, cols), keepdims)
    if ord not in (1, -1, _np.inf, -_np.inf):
        raise NotImplementedError(f"the matrix norm {ord!r} needs singular values; there are 'fro', 1, -1, inf and "
                                  "-inf.")
    along, over = (rows, cols) if ord in (1, -1) else (cols, rows)
    extreme = reduce_max_p if ord > 0 else reduce_min_p
    sums = vector_norm(x, along, True, 1)
    out = extreme.bind(sums, axes=tuple(sorted((along, over))))
    return reshape(out, tuple(1 if i in (rows, cols) else n for i, n in enumerate(x.shape))) if keepdims else out
