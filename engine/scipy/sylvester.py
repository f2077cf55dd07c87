"""Sylvester's equation, polar factors, and the loops over the columns of triangular matrices that functions of
matrices share."""
import numpy as np

from ..control.composed import composed
from ..control.loops import fori_loop
from ..core import Primitive
from ..errors import ShapeError, TransformError
from ..lazy import scipy_linalg
from ..ops.complexes import real
from ..ops.elementwise import eq, stop_gradient, where
from ..ops.linalg import triangular_solve
from ..ops.lu import inv
from ..ops.matrices import (
    all_lanes,
    complex_dtype,
    diagonal_of,
    identity_like,
    matrix,
    mH,
    mm,
    mT,
    square_matrix,
    symmetrized,
)
from ..ops.schur import schur_p
from ..ops.structural import asvalue, broadcast_to, cast, full, iota, promote_inexact, reduce_sum, reshape
from ..ops.svd import svd_p

__all__ = ["orthogonal_procrustes", "polar", "solve_continuous_lyapunov", "solve_discrete_lyapunov",
           "solve_sylvester"]


# ---- columns of triangular matrices ----

def for_each_column(n, step, init):
    """step(j, state) for each of n columns."""
    return fori_loop(0, n, step, init)


def column_of(a, j):
    """a[..., :, j] as [..., n, 1], for a traced j."""
    at = eq(iota(a.shape[-1]), j)
    return reduce_sum(where(at, a, np.zeros((), a.dtype)), (a.ndim - 1,))[..., :, None]


def with_column(a, column, j):
    return where(eq(iota(a.shape[-1]), j), column, a)


def above(column, j):
    """The rows before row j, zeros elsewhere."""
    n = column.shape[-2]
    return where(reshape(iota(n), (n, 1)) < j, column, np.zeros((), column.dtype))


def nonzero(d):
    return where(eq(d, np.zeros((), d.dtype)), np.ones((), d.dtype), d)


def shifted_solve(t, shift, right):
    """x with (T + shift) x = right for upper triangular T; a zero on the diagonal counts as 1."""
    d = diagonal_of(t)
    eye = identity_like(t)
    return triangular_solve(t + eye * (nonzero(d + shift) - d)[..., :, None], right, lower=False)


# ---- Sylvester ----

def _sylvester_impl(a, b, c):
    out = np.empty(c.shape, c.dtype)
    for i in np.ndindex(c.shape[:-2]) if c.size else ():
        try:
            out[i] = scipy_linalg.solve_sylvester(a[i], b[i], c[i])
        except (np.linalg.LinAlgError, ValueError):
            out[i] = np.nan
    return out


def _sylvester(a, b, c):
    """Bartels & Stewart (1972), with complex Schur forms: R Y + Y S = U* C V, column by column."""
    if not c.aval.size:
        return c
    kind = complex_dtype(c.dtype)
    r, u = schur_p.bind(cast(a, kind))
    s, v = schur_p.bind(cast(b, kind))
    f = mm(mm(mH(u), cast(c, kind)), v)
    shifts = diagonal_of(s)
    d = diagonal_of(r)
    eye = identity_like(r)

    def step(j, y):
        at = eq(iota(s.shape[-1]), j)
        shift = reduce_sum(where(at, shifts, np.zeros((), kind)), (shifts.ndim - 1,))[..., None]
        right = column_of(f, j) - mm(y, column_of(s, j))
        return with_column(y, triangular_solve(r + eye * (d * 0 + shift)[..., :, None], right, lower=False), j)
    y = for_each_column(s.shape[-1], step, full(c.shape, 0, kind))
    x = mm(mm(u, y), mH(v))
    return real(x) if c.dtype.kind != "c" else x


def _sylvester_jvp(xs, ts):
    """A dX + dX B = dC - dA X - X dB"""
    a, b, c = xs
    x = sylvester_p.bind(a, b, c)
    right = ts[2]
    for moved in ([mm(ts[0], x)] if ts[0] is not None else []) + ([mm(x, ts[1])] if ts[1] is not None else []):
        right = -moved if right is None else right - moved
    return x, sylvester_p.bind(a, b, right)


sylvester_p = Primitive(
    "sylvester",                                         # (a, b, c) -> x with a x + x b = c
    shape=lambda a, b, c: c,
    impl=_sylvester_impl,
    lower=composed(_sylvester),
    jvp=_sylvester_jvp,
    transpose=lambda g, a, b, c: [None, None, sylvester_p.bind(mT(a), mT(b), g)],
    batch=all_lanes,
)


def solve_sylvester(a, b, q):
    """x with a x + x b = q.   a : inexact[*batch, m, m], b : inexact[*batch, n, n], q : inexact[*batch, m, n]

    Unique unless an eigenvalue of a is minus one of b.
    """
    a, b, q = promote_inexact(asvalue(a), asvalue(b), asvalue(q))
    a, b, q = square_matrix(a, "solve_sylvester"), square_matrix(b, "solve_sylvester", "b"), matrix(
        q, "solve_sylvester", "q")
    if q.shape[-2:] != (a.shape[-1], b.shape[-1]):
        raise ShapeError(f"solve_sylvester: `q` is [..., m, n] for `a` [..., m, m] and `b` [..., n, n]; got shapes "
                         f"{a.shape}, {b.shape} and {q.shape}.")
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2], q.shape[:-2])
    return sylvester_p.bind(*[broadcast_to(x, (*lead, *x.shape[-2:])) for x in (a, b, q)])


def solve_continuous_lyapunov(a, q):
    """x with a x + x a* = q.   a, q : inexact[*batch, n, n]"""
    return solve_sylvester(a, mH(square_matrix(a, "solve_continuous_lyapunov")), q)


def solve_discrete_lyapunov(a, q):
    """x with a x a* - x + q = 0.   a, q : inexact[*batch, n, n]

    By Cayley's transform c = (a + 1)⁻¹ (a - 1), with which it is c x + x c* = -2 (a + 1)⁻¹ q (a + 1)⁻*; an eigenvalue
    -1 of a is therefore refused with infinities or nan, though the equation may have a solution.
    """
    a, q = promote_inexact(asvalue(a), asvalue(q))
    a = square_matrix(a, "solve_discrete_lyapunov")
    eye = identity_like(a)
    back = inv(a + eye)
    c = mm(back, a - eye)
    lead = np.broadcast_shapes(a.shape[:-2], q.shape[:-2])
    back, q = (broadcast_to(x, (*lead, *x.shape[-2:])) for x in (back, q))
    return solve_sylvester(c, mH(c), mm(mm(back, q), mH(back)) * np.asarray(-2, a.dtype))


# ---- polar ----

def _polar_jvp(xs, ts):
    """With P = U* A and X = U* dU, which is skew: X P + P X = U* dA - dA* U, and dU = U X + (1 - U U*) dA P⁻¹."""
    a, value = xs
    u = polar_p.bind(a, value)
    t = ts[0]
    if t is None:
        return u, None
    m, n = a.shape[-2:]
    if m < n:
        raise TransformError(f"polar of a matrix of shape {a.shape} with side='right' has no derivative, because P is "
                             "singular.\nWrite side='left', where it is not.")
    p = symmetrized(mm(mH(u), a))
    along = mm(mH(u), t)
    du = mm(u, sylvester_p.bind(p, p, along - mH(along)))
    if m > n:
        du = du + mm(t - mm(u, along), inv(p))
    return u, du


polar_p = Primitive(
    "polar",                                             # (a, its unitary factor) -> that, with its derivative
    shape=lambda a, value: value,
    impl=lambda a, value: value,
    lower=lambda b, a, value: value,
    jvp=_polar_jvp,
    batch=all_lanes,
)


def polar(a, side="right"):
    """(U, P) with a = U P (P U for side='left'), U of orthonormal columns (rows), P Hermitian, no eigenvalue negative.

    a : inexact[*batch, m, n]   The derivative exists where a has full rank.
    """
    a = matrix(a, "polar")
    if side not in ("left", "right"):
        raise ValueError(f"side is 'left' or 'right'; got {side!r}.")
    work = a if side == "right" else mH(a)
    u, _, vh = svd_p.bind(stop_gradient(work), full_matrices=False, vectors=True)
    u = polar_p.bind(work, mm(u, vh))
    p = symmetrized(mm(mH(u), work))
    return (u, p) if side == "right" else (mH(u), p)


def orthogonal_procrustes(A, B):
    """(R, scale): the orthogonal R with the least |A R - B|, and the sum of the singular values of A* B.   A, B :
    inexact[*batch, m, n]"""
    A, B = promote_inexact(asvalue(A), asvalue(B))
    if A.ndim < 2 or A.shape != B.shape:
        raise ShapeError(f"orthogonal_procrustes takes matrices of one shape; `A` and `B` have shapes {A.shape} and "
                         f"{B.shape}.")
    between = mm(mH(matrix(A, "orthogonal_procrustes", "A")), B)
    s = svd_p.bind(between, full_matrices=False, vectors=False)[0]
    return polar(between)[0], reduce_sum(s, (s.ndim - 1,))
