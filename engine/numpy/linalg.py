"""numpy.linalg for arrays and tracers. Matrices are the last two axes, the others are batch.

A matrix that NumPy refuses (singular, not positive definite, with nan in it) gives nan or infinities here, eagerly as
in compiled code, which cannot raise; the dtypes are float32, float64, complex64 and complex128.
"""
import math as _math
import operator as _operator
from typing import NamedTuple

import numpy as _np

from ..array import Array
from ..avals import broadcast_shapes
from ..errors import ShapeError
from ..ops import lu as _lu
from ..ops.complexes import conj
from ..ops.determinant import det as _det
from ..ops.determinant import sign_and_log as _sign_and_log
from ..ops.eigen import eig_p, eigh_p
from ..ops.elementwise import integer_pow
from ..ops.linalg import cholesky as _cholesky
from ..ops.matrices import identity_like, matrix, mH, mm, mT, square_matrix, symmetrized, triangle
from ..ops.qr import geqrf_p, qr_p
from ..ops.reduce import reduce_max_p
from ..ops.structural import asvalue, broadcast_to, moveaxis, promote, promote_inexact, reduce_sum, reshape
from ..ops.svd import lstsq_p, svd_p
from .cross import cross as _cross
from .diagonals import diagonal as _diagonal
from .direct import at_once, by_numpy, known
from .norms import cond, matrix_norm, matrix_rank, norm, svdvals, vector_norm
from .products import matmul, tensordot, vecdot
from .products import outer as _outer
from .products import trace as _trace

__all__ = ["EigResult", "EighResult", "LinAlgError", "QRResult", "SVDResult", "SlogdetResult", "cholesky", "cond",
           "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "lstsq", "matmul", "matrix_norm",
           "matrix_power", "matrix_rank", "matrix_transpose", "multi_dot", "norm", "outer", "pinv", "qr", "slogdet",
           "solve", "svd", "svdvals", "tensordot", "tensorinv", "tensorsolve", "trace", "vecdot", "vector_norm"]

LinAlgError = _np.linalg.LinAlgError


class SlogdetResult(NamedTuple):
    """det = sign · exp(logabsdet)."""
    sign: Array
    logabsdet: Array


class EighResult(NamedTuple):
    """A V = V diag(eigenvalues), ascending."""
    eigenvalues: Array
    eigenvectors: Array


class EigResult(NamedTuple):
    """A V = V diag(eigenvalues), both complex."""
    eigenvalues: Array
    eigenvectors: Array


class QRResult(NamedTuple):
    """A = Q R."""
    Q: Array
    R: Array


class SVDResult(NamedTuple):
    """A = U diag(S) Vh."""
    U: Array
    S: Array
    Vh: Array


# ---- shapes and sums ----

def matrix_transpose(x, /):
    """The matrices transposed.   [*batch, m, n] -> [*batch, n, m]"""
    x = asvalue(x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose takes matrices [..., m, n]; `x` has shape {x.shape}.")
    return mT(x)


def diagonal(x, /, *, offset=0):
    """The diagonals of matrices.   [*batch, m, n] -> [*batch, k]"""
    return _diagonal(x, offset, -2, -1)


def trace(x, /, *, offset=0, dtype=None):
    """The sums of the diagonals of matrices.   [*batch, m, n] -> [*batch]"""
    return _trace(x, offset, -2, -1, dtype)


def outer(x1, x2, /):
    """x1_i x2_j of two vectors."""
    x1, x2 = asvalue(x1), asvalue(x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ShapeError(f"linalg.outer takes two vectors; got shapes {x1.shape} and {x2.shape}. numpy.outer flattens.")
    return _outer(x1, x2)


def cross(x1, x2, /, *, axis=-1):
    """The cross product of vectors of three elements along an axis."""
    x1, x2 = asvalue(x1), asvalue(x2)
    axis = _operator.index(axis)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ShapeError(f"linalg.cross takes vectors of 3 elements along axis {axis}; got shapes {x1.shape} and "
                         f"{x2.shape}.")
    return moveaxis(_cross(moveaxis(x1, axis, -1), moveaxis(x2, axis, -1)), -1, axis)


# ---- factors ----

def cholesky(a, /, *, upper=False):
    """The triangular L with L L* = a (U with U* U = a for `upper`).   a : inexact[*batch, n, n], Hermitian

    Both triangles are read, as (a + a*) / 2. nan where the matrix is not positive definite.
    """
    if not upper and (v := known(a)) is not None and v.ndim > 1:
        found = at_once(_hermitian_cholesky, v)
        if found is not None:
            return found
    factor = _cholesky(a)
    return mH(factor) if upper else factor


def _hermitian_cholesky(v):
    """NumPy's factor of (v + v*) / 2."""
    return _np.linalg.cholesky((v + _np.swapaxes(v.conj(), -1, -2)) * 0.5)


def qr(a, mode="reduced"):
    """a = Q R with orthonormal columns of Q and upper triangular R.   a : inexact[*batch, m, n]

    mode : 'reduced' for Q [m, k] and R [k, n] with k = min(m, n); 'complete' for Q [m, m]; 'r' for R alone; 'raw' for
    LAPACK's reflections, transposed, and their factors. The signs are LAPACK's. The derivative exists where the first k
    columns are independent; for 'complete' only if m <= n.
    """
    a = matrix(a, "qr")
    if mode == "raw":
        packed, tau = geqrf_p.bind(a)
        return mT(packed), tau
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"mode is 'reduced', 'complete', 'r' or 'raw'; got {mode!r}.")
    q, r = qr_p.bind(a, full=mode == "complete")
    return r if mode == "r" else QRResult(q, r)


def svd(a, full_matrices=True, compute_uv=True, hermitian=False):
    """a = U diag(S) Vh, S descending.   a : inexact[*batch, m, n]; S alone without compute_uv

    full_matrices : U [m, m] and Vh [n, n], else their first min(m, n) columns and rows. `hermitian` reads a as (a + a*)
    / 2. Derivatives: of S everywhere that it is smooth; of U and Vh where singular values differ and full_matrices is
    False (or m = n).
    """
    a = matrix(a, "svd")
    if hermitian:
        a = symmetrized(square_matrix(a, "svd with hermitian=True"))
    out = svd_p.bind(a, full_matrices=bool(full_matrices and compute_uv), vectors=bool(compute_uv))
    return SVDResult(*out) if compute_uv else out[0]


# ---- eigenvalues ----

def _hermitian(a, what, UPLO):
    a = square_matrix(a, what)
    if UPLO is None:
        return symmetrized(a), True
    if UPLO not in ("L", "U", "l", "u"):
        raise ValueError(f"UPLO is 'L' or 'U'; got {UPLO!r}.")
    lower = UPLO in "Ll"
    part = triangle(a, lower)
    off = triangle(a, lower, k=-1)
    diagonal_part = part - off
    return off + mH(off) + (diagonal_part + conj(diagonal_part)) * _np.asarray(0.5, a.dtype), lower


def eigh(a, UPLO=None):
    """Eigenvalues, ascending, and orthonormal eigenvectors of Hermitian matrices.   a : inexact[*batch, n, n]

    UPLO : 'L' or 'U' reads that triangle alone; without it a is read as (a + a*) / 2, whose derivative is Hermitian.
    A sum Σ g(w) has its derivative where eigenvalues coincide too; the vectors of such eigenvalues have none, and get
    infinities or nan.

    >>> eigh([[2.0, 1.0], [1.0, 2.0]]).eigenvalues.tolist()
    [1.0, 3.0]
    """
    a, lower = _hermitian(a, "eigh", UPLO)
    return EighResult(*eigh_p.bind(a, lower=lower, vectors=True))


def eigvalsh(a, UPLO=None):
    """The eigenvalues of Hermitian matrices, ascending.   inexact[*batch, n, n] -> float[*batch, n]; UPLO as in
    eigh."""
    a, lower = _hermitian(a, "eigvalsh", UPLO)
    return eigh_p.bind(a, lower=lower, vectors=False)[0]


def eig(a):
    """Eigenvalues and eigenvectors of norm 1 of square matrices, complex always.   a : inexact[*batch, n, n]

    The largest element of a vector is real, and the order is LAPACK's. Derivatives exist where the eigenvalues differ.
    """
    return EigResult(*eig_p.bind(square_matrix(a, "eig"), vectors=True))


def eigvals(a):
    """The eigenvalues of square matrices.   inexact[*batch, n, n] -> complex[*batch, n]"""
    return eig_p.bind(square_matrix(a, "eigvals"), vectors=False)[0]


# ---- systems ----

def solve(a, b):
    """x with a x = b.   a : inexact[*batch, n, n], b : [n] or [*batch, n, k]

    A right side of one axis is a vector, any other is matrices, as in NumPy 2.

    >>> solve([[2.0, 0.0], [0.0, 4.0]], [1.0, 1.0]).tolist()
    [0.5, 0.25]
    """
    a, b = promote_inexact(asvalue(a), asvalue(b))
    found = by_numpy(_np.linalg.solve, a, b)
    if found is not None:
        return found
    a = square_matrix(a, "solve")
    a, b, back = common_batch(a, b)
    return back(_lu.solve_matrices(a, b))


def common_batch(a, b):
    """(a, b, back): both with the same leading axes, b as matrices; `back` undoes that for a vector."""
    vector = b.ndim == 1
    if b.ndim == 0 or b.shape[0 if vector else -2] != a.shape[-2]:
        raise ShapeError(f"a matrix of shape {a.shape} and a right side of shape {b.shape}: the right side is [n] or "
                         f"[..., n, k] with n = {a.shape[-2]}.")
    b = reshape(b, (*b.shape, 1)) if vector else b
    lead = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = broadcast_to(a, (*lead, *a.shape[-2:])), broadcast_to(b, (*lead, *b.shape[-2:]))
    return a, b, (lambda x: reshape(x, x.shape[:-1])) if vector else (lambda x: x)


def inv(a):
    """The inverse.   inexact[*batch, n, n] -> the same; infinities or nan where there is none"""
    found = by_numpy(_np.linalg.inv, a)
    return _lu.inv(a) if found is None else found


def pinv(a, rcond=None, hermitian=False, *, rtol=None):
    """The Moore-Penrose inverse.   inexact[*batch, m, n] -> inexact[*batch, n, m]

    Singular values of rtol (or rcond) times the largest or less count as 0; by default max(m, n) eps. The derivative is
    that along changes that keep the rank. `hermitian` changes nothing but is accepted.
    """
    a = matrix(a, "pinv")
    return lstsq_p.bind(a, identity_like(a, a.shape[-2]), rcond=_cutoff(a, rcond if rtol is None else rtol))


def _cutoff(a, rcond):
    return float(max(a.shape[-2:]) * _np.finfo(a.dtype).eps if rcond is None else rcond)


def lstsq(a, b, rcond=None):
    """(x, residuals, rank, s): the shortest x with the least |a x - b|.   a : inexact[*batch, m, n], b : [m] or
    [*batch, m, k]

    residuals : Σ |b - a x|² for each column if m > n (whatever the rank), else empty; s : the singular values of a,
    those up to rcond times the largest count as 0.
    """
    a, b = promote_inexact(asvalue(a), asvalue(b))
    a = matrix(a, "lstsq")
    a, b, back = common_batch(a, b)
    rcond = _cutoff(a, rcond)
    x = lstsq_p.bind(a, b, rcond=rcond)
    rest = b - mm(a, x)
    m, n = a.shape[-2:]
    square = integer_pow(rest.real, 2) + integer_pow(rest.imag, 2) if a.dtype.kind == "c" else integer_pow(rest, 2)
    residuals = reduce_sum(square, (a.ndim - 2,)) if m > n else asvalue(_np.zeros((*a.shape[:-2], 0), square.dtype))
    s = svdvals(a)
    top = reduce_max_p.bind(s, axes=(s.ndim - 1,)) if s.shape[-1] else reduce_sum(s, (s.ndim - 1,))
    return back(x), residuals, matrix_rank(a, tol=top * _np.asarray(rcond, s.dtype)), s


# ---- determinants and powers ----

def slogdet(a):
    """(sign, log |det|).   inexact[*batch, n, n] -> [*batch] each; (0, -inf) for a singular matrix"""
    return SlogdetResult(*_sign_and_log(square_matrix(a, "slogdet")))


def det(a):
    """The determinant.   inexact[*batch, n, n] -> inexact[*batch]

    The derivative is adj(a)ᵀ, right for singular matrices too.

    >>> float(det([[1.0, 2.0], [3.0, 4.0]]))
    -2.0
    """
    a = square_matrix(a, "det")
    found = by_numpy(_np.linalg.det, a)
    return _det(a) if found is None else found


def matrix_power(a, n):
    """a to an integer power, by repeated squaring."""
    a, n = asvalue(a), _operator.index(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"matrix_power takes square matrices [..., n, n]; `a` has shape {a.shape}.")
    if n < 0:
        a, n = inv(a), -n
    out = None
    while n:
        if n & 1:
            out = a if out is None else mm(out, a)
        n >>= 1
        a = mm(a, a) if n else a
    return identity_like(a) if out is None else out


def multi_dot(arrays):
    """The product of two or more matrices, in the order of the fewest multiplications; the first and last may be
    vectors."""
    arrays = list(promote(*[asvalue(x) for x in arrays]))
    if len(arrays) < 2:
        raise ShapeError(f"multi_dot takes at least two arrays; got {len(arrays)}.")
    bad = [x.shape for i, x in enumerate(arrays) if x.ndim != 2 and (x.ndim != 1 or i not in (0, len(arrays) - 1))]
    if bad:
        raise ShapeError(f"multi_dot takes matrices, and vectors at its ends; got shapes {[x.shape for x in arrays]}.")
    front, back = arrays[0].ndim == 1, arrays[-1].ndim == 1
    arrays[0] = arrays[0][None, :] if front else arrays[0]
    arrays[-1] = arrays[-1][:, None] if back else arrays[-1]
    out = _chain(arrays)
    out = out[0] if front else out
    return out[..., 0] if back else out


def _chain(arrays):
    """Matrix chain ordering (Cormen et al., Introduction to Algorithms, section 14.2)."""
    count = len(arrays)
    sizes = [arrays[0].shape[0], *[x.shape[1] for x in arrays]]
    cost, cut = {(i, i): 0 for i in range(count)}, {}
    for width in range(1, count):
        for i in range(count - width):
            j = i + width
            cost[i, j], cut[i, j] = min((cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                                        for k in range(i, j))

    def product(i, j):
        return arrays[i] if i == j else matmul(product(i, cut[i, j]), product(cut[i, j] + 1, j))
    return product(0, count - 1)


def tensorsolve(a, b, axes=None):
    """x with tensordot(a, x, x.ndim) = b.   axes : those of a to move to its end first"""
    a, b = promote_inexact(asvalue(a), asvalue(b))
    if axes is not None:
        axes = [_operator.index(i) % a.ndim for i in axes]
        a = a.transpose((*[i for i in range(a.ndim) if i not in axes], *axes))
    shape = a.shape[b.ndim:]
    size = _math.prod(shape)
    if size != b.size or a.size != size * size:
        raise ShapeError(f"tensorsolve: the axes of `a` after the first {b.ndim} have the size of those before them "
                         f"and of `b`; got shapes {a.shape} and {b.shape}.")
    return reshape(solve(reshape(a, (size, size)), reshape(b, (-1,))), shape)


def tensorinv(a, ind=2):
    """The inverse of tensordot(a, ·, ind).   a : [*first, *last], sizes equal, `ind` first axes"""
    a = promote_inexact(asvalue(a))[0]
    if ind <= 0:
        raise ValueError(f"ind is a positive number of axes; got {ind}.")
    size = _math.prod(a.shape[ind:])
    if size != _math.prod(a.shape[:ind]):
        raise ShapeError(f"tensorinv: the first {ind} axes of `a` and the others have one size; got shape {a.shape}.")
    return reshape(inv(reshape(a, (size, size))), (*a.shape[ind:], *a.shape[:ind]))
