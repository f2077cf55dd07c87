"""Solving systems as scipy.linalg does: by factors, and for matrices with a pattern."""
import numpy as _np

from ..control.scan import scan as _scan
from ..errors import ShapeError
from ..numpy.linalg import common_batch
from ..numpy.linalg import lstsq as _lstsq
from ..numpy.linalg import solve as _solve
from ..ops.complexes import conj, real
from ..ops.elementwise import eq, mul, sqrt, where
from ..ops.linalg import cholesky as _cholesky
from ..ops.linalg import triangular_solve
from ..ops.lu import lu_order_p, rows_in_order
from ..ops.matrices import mH, mm, mT, square_matrix, symmetrized, triangle
from ..ops.shaping import pad, slice_axis
from ..ops.structural import asvalue, broadcast_to, iota, promote_inexact, reshape
from ..ops.tridiagonal import tridiagonal_solve as _tridiagonal_solve
from .special_matrices import toeplitz

__all__ = ["cho_factor", "cho_solve", "cholesky", "cholesky_update", "lstsq", "lu_solve", "solve", "solve_banded",
           "solve_toeplitz", "solve_triangular", "solveh_banded", "tridiagonal_solve"]


# ---- Cholesky ----

def cholesky(a, lower=False):
    """The triangular U with U* U = a, or L with L L* = a for `lower`.   a : inexact[*batch, n, n], Hermitian"""
    factor = _cholesky(a)
    return factor if lower else mH(factor)


def cho_factor(a, lower=False):
    """(factor, lower), for `cho_solve`."""
    return cholesky(a, lower), lower


def cho_solve(c_and_lower, b):
    """x with a x = b, from (factor, lower) of a.   b : inexact[n] or inexact[*batch, n, k]

    >>> cho_solve(cho_factor([[4.0, 0.0], [0.0, 2.0]]), [4.0, 4.0]).tolist()
    [1.0, 2.0]
    """
    c, lower = c_and_lower
    return solve_triangular(c, solve_triangular(c, b, trans=0 if lower else 2, lower=lower), trans=2 if lower else 0,
                            lower=lower)


def cholesky_update(L, x, downdate=False):
    """The lower factor of L L* + x x* (L L* - x x* for `downdate`), in O(n²).   L : inexact[n, n], x : inexact[n]

    nan where the result is not positive definite. One rotation a column (Golub & Van Loan, Matrix Computations, 6.5.4);
    differentiable in both arguments at the same cost.
    """
    L, x = promote_inexact(asvalue(L), asvalue(x))
    L = square_matrix(L, "cholesky_update", "L")
    n = L.shape[-1]
    if L.ndim != 2 or x.shape != (n,):
        raise ShapeError(f"cholesky_update takes `L` [n, n] and `x` [n]; got shapes {L.shape} and {x.shape}. Use vmap "
                         "for many.")
    sign = _np.asarray(-1 if downdate else 1, L.dtype)
    rows = asvalue(_np.arange(n))

    def step(x, inputs):
        j, column = inputs
        here = rows == j
        d, u = (where(here, v, _np.zeros((), v.dtype)).sum() for v in (column, x))
        size = real(mul(d, conj(d)) + sign * mul(u, conj(u)))
        r = sqrt(size).astype(L.dtype)
        new = (conj(d) * column + sign * conj(u) * x) / r
        left = (d * x - u * column) / r
        return (where(rows > j, left, _np.zeros((), L.dtype)),
                where(rows >= j, new, _np.zeros((), L.dtype)))
    _, columns = _scan(step, x, (rows, mT(triangle(L))))
    return mT(columns)


# ---- general systems ----

def solve_triangular(a, b, trans=0, lower=False, unit_diagonal=False):
    """x with a x = b for triangular a; the other triangle of a is not read.   b : inexact[n] or inexact[*batch, n, k]

    trans : 0 or 'N' for a, 1 or 'T' for its transpose, 2 or 'C' for its adjoint
    unit_diagonal : take the diagonal as ones
    """
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ValueError(f"trans is 0, 1 or 2 ('N', 'T', 'C'); got {trans!r}.")
    a, b = promote_inexact(asvalue(a), asvalue(b))
    a = square_matrix(a, "solve_triangular")
    a, b, back = common_batch(conj(a) if trans in (2, "C") else a, b)
    return back(triangular_solve(a, b, lower=bool(lower), trans=trans not in (0, "N"), unit=bool(unit_diagonal)))


def solve(a, b, lower=False, assume_a="gen", transposed=False):
    """x with a x = b (aᵀ x = b for `transposed`).   b : inexact[n] or inexact[*batch, n, k]

    assume_a : 'pos' by a Cholesky factor, 'diagonal', 'tridiagonal', 'lower triangular' and 'upper triangular' by what
    they say; 'gen', 'sym', 'her' and 'banded' by LU. Nothing is guessed from the numbers.
    """
    a, b = promote_inexact(asvalue(a), asvalue(b))
    a = square_matrix(a, "solve")
    if assume_a in ("pos", "positive definite"):
        return cho_solve(cho_factor(conj(a) if transposed else a, lower), b)
    if assume_a in ("lower triangular", "upper triangular"):
        return solve_triangular(a, b, trans=int(transposed), lower=assume_a == "lower triangular")
    a = mT(a) if transposed else a
    if assume_a in ("diagonal", "tridiagonal"):
        n = a.shape[-1]
        d = _diagonals(a, 1)
        _, b, back = common_batch(a, b)
        if assume_a == "diagonal":
            return back(b / d[1][..., :, None])
        return back(_tridiagonal_solve(*d, b)) if n else back(b)
    if assume_a not in ("gen", "general", "sym", "symmetric", "her", "hermitian", "banded"):
        raise ValueError("assume_a is 'gen', 'pos', 'sym', 'her', 'diagonal', 'tridiagonal', 'banded', 'lower "
                         f"triangular' or 'upper triangular'; got {assume_a!r}.")
    return _solve(a, b)


def _columns_from_diagonal(n):
    """j - i at [i, j]"""
    return iota(n) - reshape(iota(n), (n, 1))


def _diagonals(a, count):
    """(below, on, above) the diagonal, each [..., n]: a[i, i - 1], a[i, i], a[i, i + 1]."""
    away = _columns_from_diagonal(a.shape[-1])
    return [where(eq(away, k), a, _np.zeros((), a.dtype)).sum(axis=-1) for k in range(-count, count + 1)]


def lu_solve(lu_and_piv, b, trans=0):
    """x with a x = b from lu_factor(a); trans : 1 for the transpose, 2 for the adjoint.   b : [n] or [*batch, n, k]"""
    lu, piv = lu_and_piv
    lu, b = promote_inexact(asvalue(lu), asvalue(b))
    piv = asvalue(piv).astype(_np.int32)
    lu = square_matrix(lu, "lu_solve", "lu")
    order = lu_order_p.bind(piv, m=lu.shape[-1])
    factors = conj(lu) if trans == 2 else lu
    factors, b, back = common_batch(factors, b)
    order = broadcast_to(order, (*factors.shape[:-2], order.shape[-1]))
    if trans:
        y = triangular_solve(factors, triangular_solve(factors, b, lower=False, trans=True), trans=True, unit=True)
        return back(_rows_back(y, order))
    return back(triangular_solve(factors, triangular_solve(factors, rows_in_order(b, order), unit=True), lower=False))


def _rows_back(x, order):
    """y with y[order] = x."""
    exchange = asvalue(order)[..., None, :] == _np.arange(x.shape[-2], dtype=_np.int32)[:, None]
    return mm(exchange.astype(x.dtype), x)


def lstsq(a, b, cond=None):
    """(x, residuals, rank, s) as numpy.linalg.lstsq has them; singular values up to cond times the largest count as
    0."""
    return _lstsq(a, b, rcond=cond)


# ---- bands ----

def tridiagonal_solve(dl, d, du, b):
    """x with dl[i] x[i-1] + d[i] x[i] + du[i] x[i+1] = b[i], in O(n).   dl, d, du : inexact[*batch, n], b : inexact[n]
    or inexact[*batch, n, k]

    dl[0] and du[n-1] are not read; nan for a singular matrix.
    """
    dl, d, du, b = promote_inexact(*[asvalue(x) for x in (dl, d, du, b)])
    if b.ndim == 1:
        return _tridiagonal_solve(dl, d, du, b[:, None])[..., 0]
    return _tridiagonal_solve(dl, d, du, b)


def _from_bands(ab, low, up):
    """The matrix with a[i, j] = ab[up + i - j, j]."""
    away, total = _columns_from_diagonal(ab.shape[-1]), None
    for k in range(low + up + 1):
        part = where(eq(away, up - k), ab[..., k, None, :], _np.zeros((), ab.dtype))
        total = part if total is None else total + part
    return total


def solve_banded(l_and_u, ab, b):
    """x with a x = b for a banded a, a[i, j] = ab[u + i - j, j].   l_and_u : (bands below, bands above), ab :
    inexact[l + u + 1, n], b : inexact[n] or inexact[n, k]

    One band on either side is solved in O(n), more as a dense matrix.
    """
    low, up = l_and_u
    ab, b = promote_inexact(asvalue(ab), asvalue(b))
    if ab.ndim < 2 or ab.shape[-2] != low + up + 1:
        raise ShapeError(f"solve_banded with {low} bands below and {up} above takes `ab` [{low + up + 1}, n]; it has "
                         f"shape {ab.shape}.")
    if ab.shape[-1] != b.shape[0 if b.ndim == 1 else -2]:
        raise ShapeError(f"solve_banded: `ab` has {ab.shape[-1]} columns and `b` shape {b.shape}.")
    if (low, up) == (1, 1):
        return tridiagonal_solve(_shifted(ab[..., 2, :], 1), ab[..., 1, :], _shifted(ab[..., 0, :], -1), b)
    return _solve(_from_bands(ab, low, up), b)


def _shifted(x, k):
    """x moved by one place along the last axis, zeros coming in."""
    n, axis = x.shape[-1], x.ndim - 1
    kept = slice_axis(x, 0, n - 1, axis) if k > 0 else slice_axis(x, 1, n, axis)
    return pad(kept, [(0, 0)] * axis + [(1, 0) if k > 0 else (0, 1)])


def solveh_banded(ab, b, lower=False):
    """x with a x = b for a Hermitian positive definite a of which `ab` has the bands: ab[u + i - j, j] = a[i, j] above
    the diagonal, or ab[i - j, j] = a[i, j] below it for `lower`.   ab : inexact[u + 1, n], b : inexact[n] or [n, k]
    """
    ab, b = promote_inexact(asvalue(ab), asvalue(b))
    if ab.ndim < 2 or ab.shape[-1] != b.shape[0 if b.ndim == 1 else -2]:
        raise ShapeError(f"solveh_banded takes `ab` [bands, n] and `b` [n] or [n, k]; got shapes {ab.shape} and "
                         f"{b.shape}.")
    bands = ab.shape[-2] - 1
    half = _from_bands(ab, bands, 0) if lower else _from_bands(ab, 0, bands)
    off = triangle(half, bool(lower), k=-1)
    return cho_solve((_cholesky(symmetrized(half + mH(off))), True), b)


def solve_toeplitz(c_or_cr, b):
    """x with toeplitz(c, r) x = b.   c_or_cr : c, or (c, r); b : inexact[n] or inexact[n, k]

    By LU of the whole matrix, which is stable where Levinson's recursion is not.
    """
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    return _solve(toeplitz(c, r), b)
