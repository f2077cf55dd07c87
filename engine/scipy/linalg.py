"""scipy.linalg for arrays and tracers. Matrices are the last two axes, the others are batch; what SciPy refuses (a
singular matrix, a nan) gives nan or infinities, as in chainrule.engine.numpy.linalg."""
import numpy as _np

from ..errors import ShapeError
from ..numpy import linalg as _linalg
from ..numpy.linalg import LinAlgError, det, inv, norm, svdvals
from ..ops.complexes import conj
from ..ops.eigen import eig_p, eigh_p
from ..ops.elementwise import eq, stop_gradient, where
from ..ops.linalg import cholesky as _cholesky
from ..ops.linalg import triangular_solve
from ..ops.lu import lu_p
from ..ops.matrices import complex_dtype, identity_like, matrix, mH, mm, mT, square_matrix, symmetrized, triangle
from ..ops.qr import geqrf_p, ormqr_p, qr_p
from ..ops.schur import column_order_p, hessenberg_p, schur_p
from ..ops.shaping import pad, slice_axis
from ..ops.structural import asvalue, cast, iota, promote_inexact, reshape
from ..ops.svd import svd_p
from .matrix_functions import expm, expm_frechet, funm, logm, sqrtm
from .matrix_trigonometry import coshm, cosm, fractional_matrix_power, sinhm, sinm, tanhm, tanm
from .more_matrices import (
    convolution_matrix,
    diagsvd,
    fiedler,
    fiedler_companion,
    helmert,
    invpascal,
    leslie,
)
from .special_matrices import (
    block_diag,
    circulant,
    companion,
    dft,
    hadamard,
    hankel,
    hilbert,
    invhilbert,
    khatri_rao,
    pascal,
    toeplitz,
)
from .sylvester import (
    orthogonal_procrustes,
    polar,
    solve_continuous_lyapunov,
    solve_discrete_lyapunov,
    solve_sylvester,
)
from .systems import (
    cho_factor,
    cho_solve,
    cholesky,
    cholesky_update,
    lstsq,
    lu_solve,
    solve,
    solve_banded,
    solve_toeplitz,
    solve_triangular,
    solveh_banded,
    tridiagonal_solve,
)

__all__ = ["LinAlgError", "block_diag", "cho_factor", "cho_solve", "cholesky", "cholesky_update", "circulant",
           "companion", "convolution_matrix", "coshm", "cosm", "det", "dft", "diagsvd", "eig", "eigh",
           "eigh_tridiagonal", "eigvals", "eigvalsh", "expm", "expm_frechet", "fiedler", "fiedler_companion",
           "fractional_matrix_power", "funm", "hadamard", "hankel", "helmert", "hessenberg", "hilbert", "inv",
           "invhilbert", "invpascal", "khatri_rao", "leslie", "logm", "lstsq", "lu", "lu_factor", "lu_solve", "norm",
           "null_space", "orth", "orthogonal_procrustes", "pascal", "pinv", "polar", "qr", "qr_multiply", "rsf2csf",
           "schur", "sinhm", "sinm", "solve", "solve_banded", "solve_continuous_lyapunov", "solve_discrete_lyapunov",
           "solve_sylvester", "solve_toeplitz", "solve_triangular", "solveh_banded", "sqrtm", "svd", "svdvals",
           "tanhm", "tanm", "toeplitz", "tridiagonal_solve"]


# ---- eigenvalues ----

def eigh(a, b=None, *, lower=True, eigvals_only=False, type=1, subset_by_index=None):
    """(w, v) with a v = b v w, w ascending; w alone for eigvals_only.   a, b : inexact[*batch, n, n], Hermitian, b
    positive definite

    type : 2 for a b v = v w, 3 for b a v = v w       subset_by_index : (first, last) to keep
    Both matrices are read as (a + a*) / 2, so that `lower` changes nothing.
    """
    if type not in (1, 2, 3):
        raise ValueError(f"type is 1, 2 or 3; got {type!r}.")
    a = symmetrized(square_matrix(a, "eigh"))
    factor = None
    if b is not None:
        a, b = promote_inexact(a, asvalue(b))
        factor = _cholesky(square_matrix(b, "eigh", "b"))
        if factor.shape != a.shape:
            raise ShapeError(f"eigh takes `a` and `b` of one shape; got {a.shape} and {factor.shape}.")
        if type == 1:
            half = triangular_solve(factor, a)
            a = mH(triangular_solve(factor, mH(half)))
        else:
            a = mm(mm(mH(factor), a), factor)
        a = symmetrized(a)
    out = eigh_p.bind(a, lower=True, vectors=not eigvals_only)
    if subset_by_index is not None:
        first, last = subset_by_index
        out = [slice_axis(x, first, last + 1, x.ndim - 1) for x in out]
    if eigvals_only:
        return out[0]
    w, v = out
    if factor is not None:
        v = mm(factor, v) if type == 3 else triangular_solve(conj(factor), v, trans=True)
    return w, v


def eigvalsh(a, b=None, *, lower=True, type=1, subset_by_index=None):
    """The eigenvalues of eigh alone."""
    return eigh(a, b, lower=lower, eigvals_only=True, type=type, subset_by_index=subset_by_index)


def eig(a, b=None, left=False, right=True):
    """w (and right vectors of norm 1) with a v = v w, complex; with b, a v = b v w for b that is not singular."""
    if left:
        raise ValueError("eig gives right eigenvectors; the left ones of a are the right ones of its adjoint: "
                         "eig(a.conj().T).")
    a = square_matrix(a, "eig")
    if b is not None:
        a = _linalg.solve(b, a)
    out = eig_p.bind(a, vectors=bool(right))
    return tuple(out) if right else out[0]


def eigvals(a, b=None):
    """The eigenvalues of eig alone."""
    return eig(a, b, right=False)


def eigh_tridiagonal(d, e, eigvals_only=False, select="a", select_range=None):
    """(w, v) of the symmetric tridiagonal matrix with diagonal d and off-diagonal e, by that matrix.

    d : float[*batch, n], e : float[*batch, n - 1]
    select : 'a' for all eigenvalues, 'i' for those with indices in select_range = (first, last)
    """
    d, e = promote_inexact(asvalue(d), asvalue(e))
    n = d.shape[-1] if d.ndim else 0
    if not d.ndim or e.shape != (*d.shape[:-1], max(n - 1, 0)):
        raise ShapeError(f"eigh_tridiagonal takes `d` [..., n] and `e` [..., n - 1]; got shapes {d.shape} and "
                         f"{e.shape}.")
    if select not in ("a", "i"):
        raise ValueError(f"select is 'a' or 'i' (the number of eigenvalues in an interval is not known before); got "
                         f"{select!r}.")
    away = reshape(iota(n), (n, 1)) - iota(n)
    lead = [(0, 0)] * (d.ndim - 1)
    below = pad(e, [*lead, (0, 1)])[..., None, :] if n else e[..., None, :]
    a = where(eq(away, 0), d[..., None, :], where(eq(away, 1), below, _np.zeros((), d.dtype)))
    a = a + mT(triangle(a, k=-1))
    return eigh(a, eigvals_only=eigvals_only, subset_by_index=select_range if select == "i" else None)


# ---- factors ----

def svd(a, full_matrices=True, compute_uv=True):
    """(U, s, Vh) with a = U diag(s) Vh; s alone without compute_uv. See numpy.linalg.svd."""
    return _linalg.svd(a, full_matrices, compute_uv)


def pinv(a, *, atol=None, rtol=None, return_rank=False):
    """The Moore-Penrose inverse; singular values up to rtol times the largest count as 0. With return_rank also the
    rank."""
    if atol is not None:
        raise ValueError("pinv has a relative cutoff only: pass rtol instead of atol.")
    a = matrix(a, "pinv")
    out = _linalg.pinv(a, rtol=rtol)
    return (out, _linalg.matrix_rank(a, rtol=rtol)) if return_rank else out


def lu_factor(a):
    """(packed factors, pivots) of a, for lu_solve: row i was exchanged with row pivots[i].   a : inexact[*batch, m,
    n]"""
    packed, pivots, _ = lu_p.bind(matrix(a, "lu_factor"))
    return packed, pivots


def lu(a, permute_l=False, p_indices=False):
    """(P, L, U) with a = P L U, unit lower L and upper U.   a : inexact[*batch, m, n]

    permute_l : (P L, U)       p_indices : p with a = L[p] U instead of P
    """
    a = matrix(a, "lu")
    m, n = a.shape[-2:]
    k = min(m, n)
    packed, _, order = lu_p.bind(a)
    eye = identity_like(packed, m)[..., :, :k]
    low = triangle(packed[..., :, :k], k=-1) + eye
    up = triangle(packed[..., :k, :], lower=False)
    at = eq(asvalue(order)[..., None, :], _np.arange(m, dtype=_np.int32)[:, None])      # at[i, j]: row i of a is L's j
    if permute_l:
        return mm(cast(at, a.dtype), low), up
    if p_indices:
        index = where(at, _np.arange(m, dtype=_np.int32), _np.int32(0)).sum(axis=-1)
        return cast(index, _np.dtype("int32")), low, up
    return cast(at, a.dtype), low, up


def qr(a, mode="full", pivoting=False):
    """a = Q R, or a[:, p] = Q R with pivoting, which makes |r_ii| fall.   a : inexact[*batch, m, n]

    mode : 'full' for Q [m, m], 'economic' for Q [m, min(m, n)], 'r' for R alone, 'raw' for ((packed, tau), R)
    """
    if mode not in ("full", "economic", "r", "raw"):
        raise ValueError(f"mode is 'full', 'economic', 'r' or 'raw'; got {mode!r}.")
    a = matrix(a, "qr")
    rest = ()
    if pivoting:
        order = column_order_p.bind(stop_gradient(a))
        exchange = eq(asvalue(order)[..., None, :], _np.arange(a.shape[-1], dtype=_np.int32)[:, None])
        a, rest = mm(a, cast(exchange, a.dtype)), (order,)
    if mode == "raw":
        packed, tau = geqrf_p.bind(a)
        return ((packed, tau), triangle(packed, lower=False)[..., :min(a.shape[-2:]), :], *rest)
    q, r = qr_p.bind(a, full=mode == "full")
    if mode != "r":
        return (q, r, *rest)
    q, r = qr_p.bind(a, full=False)
    extra = a.shape[-2] - r.shape[-2]
    r = pad(r, [(0, 0)] * (a.ndim - 2) + [(0, extra), (0, 0)]) if extra else r
    return (r, *rest)


def qr_multiply(a, c, mode="right", pivoting=False, conjugate=False):
    """(c Q, R) for mode 'right', (Q c, R) for 'left', with Q [m, k] of qr(a, 'economic'); conjugate : Q's conjugate"""
    if mode not in ("left", "right"):
        raise ValueError(f"mode is 'left' or 'right'; got {mode!r}.")
    q, *rest = qr(a, "economic", pivoting)
    q = conj(q) if conjugate else q
    return (_linalg.matmul(q, c) if mode == "left" else _linalg.matmul(c, q), *rest)


# ---- forms without a derivative ----

def schur(a, output="real"):
    """(T, Z) with a = Z T Z*: T is upper triangular for output='complex' or a complex a, else with 2 x 2 blocks.

    a : inexact[*batch, n, n]   The order of the eigenvalues is LAPACK's. No derivative.
    """
    if output not in ("real", "complex", "r", "c"):
        raise ValueError(f"output is 'real' or 'complex'; got {output!r}.")
    a = square_matrix(a, "schur")
    return tuple(schur_p.bind(cast(a, complex_dtype(a.dtype)) if output[0] == "c" else a))


def rsf2csf(T, Z):
    """The complex Schur form of Z T Z*, from a real one."""
    T, Z = promote_inexact(asvalue(T), asvalue(Z))
    kind = complex_dtype(T.dtype)
    t, z = schur_p.bind(cast(square_matrix(T, "rsf2csf", "T"), kind))
    return t, mm(cast(Z, kind), z)


def hessenberg(a, calc_q=False):
    """H with a = Q H Q*, zero below the second diagonal; (H, Q) for calc_q.   a : inexact[*batch, n, n]; no
    derivative"""
    a = square_matrix(a, "hessenberg")
    n = a.shape[-1]
    packed, tau = hessenberg_p.bind(a)
    h = triangle(packed, lower=False, k=1) if n > 2 else packed
    if not calc_q:
        return h
    if n < 2:
        return h, identity_like(a)
    inner = packed[..., 1:, :-1]
    q = ormqr_p.bind(inner, tau, identity_like(inner), left=True, adjoint=False)
    return h, _with_corner(q)


def _with_corner(q):
    """[[1, 0], [0, q]]"""
    lead = [(0, 0)] * (q.ndim - 2)
    wide = pad(q, [*lead, (1, 0), (1, 0)])
    corner = _np.zeros(wide.shape[-2:], wide.dtype)
    corner[0, 0] = 1
    return wide + corner


# ---- subspaces: their size is a number of the data ----

def null_space(A, rcond=None):
    """An orthonormal basis of the x with A x = 0, from singular values up to rcond times the largest.   eagerly only

    A : inexact[m, n]   rcond : max(m, n) eps if not given
    """
    A = matrix(A, "null_space", "A")
    _, s, vh = svd_p.bind(A, full_matrices=True, vectors=True)
    return mH(vh[int(_rank(A, s, rcond)):, :])


def orth(A, rcond=None):
    """An orthonormal basis of the range of A, as null_space has it.   eagerly only"""
    A = matrix(A, "orth", "A")
    u, s, _ = svd_p.bind(A, full_matrices=False, vectors=True)
    return u[:, :int(_rank(A, s, rcond))]


def _rank(A, s, rcond):
    if A.ndim != 2:
        raise ShapeError(f"a subspace of a single matrix [m, n] was expected; got shape {A.shape}.")
    cut = max(A.shape) * _np.finfo(s.dtype).eps if rcond is None else rcond
    return (s > (s.max() if s.shape[0] else 0.0) * cut).sum()
