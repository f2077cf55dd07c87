"""scipy.linalg for arrays and tracers: Cholesky and triangular solves, systems, determinants."""
from ..numpy.linalg import common_batch, det, inv, norm
from ..numpy.linalg import solve as _solve
from ..ops.linalg import cholesky as _cholesky
from ..ops.linalg import mT, square_matrix, triangular_solve
from ..ops.structural import asvalue, promote_inexact

__all__ = ["cho_factor", "cho_solve", "cholesky", "det", "inv", "norm", "solve", "solve_triangular"]


def cholesky(a, lower=False):
    """The triangular U with U' U = a, or L with L L' = a for `lower`.   a : float[*batch, n, n], symmetric"""
    factor = _cholesky(a)
    return factor if lower else mT(factor)


def cho_factor(a, lower=False):
    """(factor, lower), for `cho_solve`."""
    return cholesky(a, lower), lower


def cho_solve(c_and_lower, b):
    """x with a x = b, from (factor, lower) of a.   b : float[n] or float[*batch, n, k]

    >>> cho_solve(cho_factor([[4.0, 0.0], [0.0, 2.0]]), [4.0, 4.0]).tolist()
    [1.0, 2.0]
    """
    c, lower = c_and_lower
    return solve_triangular(c, solve_triangular(c, b, trans=0 if lower else 1, lower=lower), trans=1 if lower else 0,
                            lower=lower)


def solve_triangular(a, b, trans=0, lower=False, unit_diagonal=False):
    """x with a x = b for triangular a; the other triangle of a is not read.   b : float[n] or float[*batch, n, k]

    trans : 0 or 'N' for a, 1 or 'T' (2 or 'C') for its transpose        unit_diagonal : take the diagonal as ones
    """
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ValueError(f"trans is 0, 1 or 2 ('N', 'T', 'C'); got {trans!r}.")
    a, b = promote_inexact(asvalue(a), asvalue(b))
    a = square_matrix(a, "solve_triangular")
    a, b, back = common_batch(a, b)
    return back(triangular_solve(a, b, lower=bool(lower), trans=trans not in (0, "N"), unit=bool(unit_diagonal)))


def solve(a, b, lower=False, assume_a="gen"):
    """x with a x = b; by a Cholesky factor for assume_a='pos'.   b : float[n] or float[*batch, n, k]"""
    return cho_solve(cho_factor(a, lower), b) if assume_a == "pos" else _solve(a, b)
