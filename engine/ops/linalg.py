"""Cholesky factors and triangular solves, batched over leading axes.

Small matrices are lowered to loops of vector operations, which XLA can keep inside of an enclosing loop's native
function; large ones call LAPACK.
"""
import numpy as np

from ..avals import Aval
from ..core import Primitive
from ..errors import ShapeError
from ..lazy import scipy_linalg
from .lapack import lapack
from .matrices import (
    I32,
    Small,
    all_lanes,
    columns_to_lanes,
    flat_batch,
    lanes_to_columns,
    mH,
    mm,
    mT,
    real_dtype,
    square_matrix,
    symmetrized,
    triangle,
)

SMALL = 64                                               # up to this size: our own loops


# ---- Cholesky ----

def _cholesky_impl(a):
    if not a.size:
        return np.array(a)
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        out = np.empty(a.shape, a.dtype)
        for i in np.ndindex(a.shape[:-2]):
            try:
                out[i] = np.linalg.cholesky(a[i])
            except np.linalg.LinAlgError:
                out[i] = np.tril(np.full(a.shape[-2:], np.nan, a.dtype))
        return out


def _lower_cholesky(b, a):
    n = a.shape[-1]
    if not a.aval.size:
        return a
    if n > SMALL or b.platform != "cpu":
        factor, info = lapack(b, "potrf", [a], [a.aval, Aval(a.shape[:-2], I32)], uplo="76 : ui8")
        bad = b.compare("NE", info, b.like(info, 0))
        bad = b.broadcast(bad, a.shape, range(len(bad.shape)))
    else:
        factor = b.reshape(_small_cholesky(b, flat_batch(b, a)), a.shape)
        last = b.slice(factor, [0] * (len(a.shape) - 2) + [n - 1, n - 1], a.shape)      # a nan stays to the end
        bad = b.broadcast_to(b.compare("NE", last, last), a.shape)
    i, j = (b.op("stablehlo.iota", [], Aval(a.shape, I32), f"iota_dimension = {len(a.shape) - k} : i64")
            for k in (2, 1))
    factor = b.select(bad, b.like(a, np.nan), factor)
    return b.select(b.compare("GE", i, j), factor, b.like(a, 0))


def _small_cholesky(b, a):
    """Column j is (A[:, j] - L L[j, :]*) over the square root of its own element j."""
    s, (_, n, _) = Small(b), a.shape
    index = s.place((1, n, 1), 1)

    def body(j, a, out):
        v = s.op("subtract", s.column(a, j), s.product(out, b.reshape(s.conj(s.row(out, j)), (a.shape[0], n, 1))))
        pivot = b.op("stablehlo.sqrt", [s.real(s.row(v, j))], Aval((a.shape[0], 1, 1), real_dtype(a.dtype)))
        pivot = b.convert(pivot, a.dtype)
        column = s.select(b.compare("GE", index, b.broadcast(j, (1, 1, 1), [])), s.op("divide", v, pivot),
                          b.constant(0, a.dtype, (1, 1, 1)))
        return [a, s.put(out, column, None, j)]

    return s.count(n, body, [a, b.like(a, 0)])[1]


cholesky_p = Primitive(
    "cholesky",                                          # of a Hermitian matrix; nan where it is not positive definite
    shape=lambda a: a,
    impl=_cholesky_impl,
    lower=_lower_cholesky,
    jvp=(lambda t, y, a: mm(y, _half(_inverse_sandwich(y, t))),),
    batch=lambda b, mine, a: b.bind(a),
)


def _inverse_sandwich(factor, t):
    """L⁻¹ T L⁻*"""
    left = triangular_solve(factor, t)
    return mH(triangular_solve(factor, mH(left)))


def _half(x):
    """The lower triangle with half of the diagonal."""
    return triangle(x, k=-1) + triangle(triangle(x), lower=False) * np.asarray(0.5, x.dtype)


def cholesky(a, symmetrize_input=True):
    """The lower triangular L with L L* = a.   a : inexact[*batch, n, n], Hermitian -> inexact[*batch, n, n]

    nan where the matrix is not positive definite.

    >>> cholesky([[4.0, 2.0], [2.0, 2.0]]).tolist()
    [[2.0, 0.0], [1.0, 1.0]]
    """
    a = square_matrix(a, "cholesky")
    return cholesky_p.bind(symmetrized(a) if symmetrize_input else a)


# ---- triangular solve ----

def _solve_impl(a, y, *, lower, trans, unit):
    n = a.shape[-1]
    if a.ndim == 2 and n > 16 and (unit or np.all(np.diagonal(a))):
        return scipy_linalg.solve_triangular(a, y, trans=int(trans), lower=lower, unit_diagonal=unit,
                                             check_finite=False)
    a = np.swapaxes(a, -1, -2) if trans else a
    out = np.zeros(y.shape, y.dtype)
    for i in (range(n) if lower != trans else range(n - 1, -1, -1)):
        known = slice(0, i) if lower != trans else slice(i + 1, n)
        rest = y[..., i:i + 1, :] - a[..., i:i + 1, known] @ out[..., known, :]
        out[..., i:i + 1, :] = rest if unit else rest / a[..., i:i + 1, i:i + 1]
    return out


def lower_triangular_solve(b, a, y, *, lower, trans, unit):
    """The builder's triangular solve."""
    n = a.shape[-1]
    if not y.aval.size:
        return y
    if n > SMALL or b.platform != "cpu":
        return lapack(b, "trsm", [a, y], [y.aval], side="76 : ui8", uplo=f"{76 if lower else 85} : ui8",
                      trans_x=f"{84 if trans else 78} : ui8", diag=f"{85 if unit else 78} : ui8")[0]
    s, shape = Small(b), y.shape
    a, y = flat_batch(b, a), flat_batch(b, y)
    forward = lower != trans

    def body(k, a, y, out):
        i = k if forward else s.op("subtract", b.constant(n - 1, I32), k)
        line = b.reshape(s.column(a, i), (a.shape[0], 1, n)) if trans else s.row(a, i)
        index = s.place((1, 1, n), 2)
        here = b.broadcast(i, (1, 1, 1), [])
        # `out` is 0 in the rows to come, but a may be anything in its other triangle, nan included
        line_known = s.select(b.compare("LT" if forward else "GT", index, here), line,
                              b.constant(0, a.dtype, (1, 1, 1)))
        rest = s.op("subtract", s.row(y, i), s.product(line_known, out))
        if not unit:
            rest = s.op("divide", rest, s.column(s.row(a, i), i))
        return [a, y, s.put(out, rest, i, None)]

    return b.reshape(s.count(n, body, [a, y, b.like(y, 0)])[2], shape)


def _matrix_tangent(t, x, a, y, *, lower, trans, unit):
    """-A⁻¹ (tri(T) X)"""
    t = triangle(t, lower, -1 if unit else 0)
    return -triangular_solve_p.bind(a, mm(mT(t) if trans else t, x), lower=lower, trans=trans, unit=unit)


def _solve_shape(a, y, *, lower, trans, unit):
    if a.shape[-1] != y.shape[-2] or a.shape[:-2] != y.shape[:-2] or a.dtype != y.dtype:
        raise ShapeError(f"a triangular solve takes [..., n, n] and [..., n, k] of one dtype; got {a!r} and {y!r}.")
    return y


triangular_solve_p = Primitive(
    "triangular_solve",                                  # a x = y, or a' x = y with `trans`
    shape=_solve_shape,
    impl=_solve_impl,
    lower=lower_triangular_solve,
    jvp=(_matrix_tangent, lambda t, x, a, y, **params: triangular_solve_p.bind(a, t, **params)),
    transpose=(None, lambda c, a, y, *, lower, trans, unit: triangular_solve_p.bind(a, c, lower=lower, trans=not trans,
                                                                                    unit=unit)),
)


@triangular_solve_p.define("batch")
def _(b, mine, a, y, **params):
    if mine == [False, True]:                            # one matrix: the lanes become columns
        return columns_to_lanes(b.bind(a, lanes_to_columns(y), **params), y.shape)
    return all_lanes(b, mine, a, y, **params)


def triangular_solve(a, y, lower=True, trans=False, unit=False):
    """x with a x = y (a' x = y with `trans`) for matrices y.   a : inexact[*batch, n, n], y : inexact[*batch, n, k]"""
    return triangular_solve_p.bind(a, y, lower=lower, trans=trans, unit=unit)
