"""Linear systems: LU factors with partial pivoting, solves and log determinants that reuse them."""
import numpy as np

from ..avals import Aval
from ..core import Primitive
from ..errors import ShapeError
from ..lazy import scipy_linalg
from .elementwise import stop_gradient
from .linalg import (
    _I32,
    Small,
    columns_to_lanes,
    flat_batch,
    lanes_to_columns,
    lapack,
    lower_triangular_solve,
    mm,
    mT,
    square_matrix,
    triangular_solve_p,
)
from .structural import broadcast_to, iota, reduce_sum, reshape

# exchanging rows without a gather costs n² a column: LAPACK sooner
SMALL_LU = 20


# ---- the factors ----

def _lu_impl(a):
    """Packed factors, and the order of the rows: a[order] = L U."""
    n = a.shape[-1]
    packed, order = np.empty(a.shape, a.dtype), np.empty(a.shape[:-1], _I32)
    for i in np.ndindex(a.shape[:-2]):
        if n:
            packed[i], order[i] = _lu_one(a[i])
    return [packed, order]


def _lu_one(a):
    (getrf,) = scipy_linalg.get_lapack_funcs(("getrf",), (a,))
    packed, pivots, _ = getrf(a)
    order = np.arange(len(a), dtype=_I32)
    for j, p in enumerate(pivots):
        order[[j, p]] = order[[p, j]]
    return packed, order


def _lower_lu(b, a):
    if not a.aval.size:
        return [a, b.constant(0, _I32, a.shape[:-1])]
    n = a.shape[-1]
    if n > SMALL_LU:
        return _large_lu(b, a)
    packed, order = _small_lu(b, flat_batch(b, a))
    return [b.reshape(packed, a.shape), b.reshape(order, a.shape[:-1])]


def _large_lu(b, a):
    s, n = Small(b), a.shape[-1]
    packed, pivots, _ = lapack(b, "getrf", [a], [a.aval, Aval(a.shape[:-1], _I32), Aval(a.shape[:-2], _I32)])
    pivots = b.reshape(pivots, (int(np.prod(a.shape[:-2], dtype=np.int64)), n, 1))
    order = s.place(pivots.shape, 1)
    index = s.place((1, n, 1), 1)

    def body(j, pivots, order):
        p = s.op("subtract", s.row(pivots, j), b.constant(1, _I32))
        return [pivots, _swap(s, order, index, j, p)]

    order = s.count(n, body, [pivots, order])[1]
    return [packed, b.reshape(order, a.shape[:-1])]


def _swap(s, x, index, j, p):
    """Rows j and p (one for each batch element) exchanged, without a gather."""
    b = s.b
    at_p = b.compare("EQ", index, p)
    row_j = s.row(x, j)
    zero = b.constant(0, x.dtype, (1, 1, 1))
    row_p = b.reduce("stablehlo.add", s.select(at_p, x, zero), 0, [1])
    row_p = b.reshape(row_p, (x.shape[0], 1, x.shape[2]))
    out = s.select(at_p, row_j, x)
    return s.select(b.compare("EQ", index, b.broadcast(j, (1, 1, 1), [])), row_p, out)


def _small_lu(b, a):
    """Elimination column by column, each with its largest element as the pivot."""
    s, (batch, n, _) = Small(b), a.shape
    rows, cols = s.place((1, n, 1), 1), s.place((1, 1, n), 2)

    def body(j, a, order):
        here = b.broadcast(j, (1, 1, 1), [])
        column = s.column(a, j)
        size = b.op("stablehlo.abs", [column], column.aval)
        size = s.select(b.compare("GE", rows, here), size, b.constant(-1, a.dtype, (1, 1, 1)))
        top = b.reshape(b.reduce("stablehlo.maximum", size, -1, [1]), (batch, 1, 1))
        candidates = s.select(b.compare("EQ", size, top), rows, b.constant(n, _I32, (1, 1, 1)))
        p = b.reshape(b.reduce("stablehlo.minimum", candidates, n, [1]), (batch, 1, 1))
        p = s.select(b.compare("LT", p, b.constant(n, _I32, (1, 1, 1))), p, here)       # a column of nan: no exchange
        a, order = _swap(s, a, rows, j, p), _swap(s, order, rows, j, p)
        pivot_row, column = s.row(a, j), s.column(a, j)
        pivot = s.column(pivot_row, j)
        zero = b.constant(0, a.dtype, (1, 1, 1))
        usable = s.select(b.compare("EQ", pivot, zero), b.constant(1, a.dtype, (1, 1, 1)), pivot)
        below = b.compare("GT", rows, here)
        factor = s.select(below, s.op("divide", column, usable), zero)
        a = s.op("subtract", a, s.op("multiply", factor, s.select(b.compare("GT", cols, here), pivot_row, zero)))
        return [s.put(a, s.select(below, factor, column), None, j), order]

    return s.count(n, body, [a, s.place((batch, n, 1), 1)])


lu_p = Primitive(
    "lu",                                                # -> packed factors, int32 order of the rows
    multiple=True,
    shape=lambda a: [a, Aval(a.shape[:-1], _I32)],
    impl=_lu_impl,
    lower=_lower_lu,
    batch=lambda b, mine, a: (b.bind(a), [True, True]),
)


# ---- solving with them ----

def _permuted(y, order, back):
    index = np.argsort(order, -1) if back else order
    return np.take_along_axis(y, index[..., None].astype(np.int64), -2)


def _lu_solve_impl(a, packed, order, y, *, trans):
    lo, up = dict(lower=True, trans=trans, unit=True), dict(lower=False, trans=trans, unit=False)
    if trans:
        return _permuted(triangular_solve_p.impl(packed, triangular_solve_p.impl(packed, y, **up), **lo), order, True)
    return triangular_solve_p.impl(packed, triangular_solve_p.impl(packed, _permuted(y, order, False), **lo), **up)


def _lower_lu_solve(b, a, packed, order, y, *, trans):
    if not y.aval.size:
        return y
    s, n = Small(b), a.shape[-1]
    batch = int(np.prod(a.shape[:-2], dtype=np.int64))
    order = b.reshape(order, (batch, 1, n) if trans else (batch, n, 1))
    place = s.place((1, n, 1) if trans else (1, 1, n), 1 if trans else 2)
    exchange = b.convert(b.compare("EQ", order, place), y.dtype)         # the permutation as a matrix

    def permute(v):
        return b.reshape(s.product(exchange, flat_batch(b, v)), v.shape)

    lo, up = dict(lower=True, trans=trans, unit=True), dict(lower=False, trans=trans, unit=False)
    if trans:
        return permute(lower_triangular_solve(b, packed, lower_triangular_solve(b, packed, y, **up), **lo))
    return lower_triangular_solve(b, packed, lower_triangular_solve(b, packed, permute(y), **lo), **up)


lu_solve_p = Primitive(
    # (a, its factors, y) -> x with a x = y, or a' x = y with `trans`
    "lu_solve",
    shape=lambda a, packed, order, y, *, trans: y,
    impl=_lu_solve_impl,
    lower=_lower_lu_solve,
    jvp=(lambda t, x, a, packed, order, y, *, trans: -lu_solve_p.bind(a, packed, order, mm(mT(t) if trans else t, x),
                                                                      trans=trans),
         None, None,                                     # the factors are constants: a carries the derivative
         lambda t, x, a, packed, order, y, *, trans: lu_solve_p.bind(a, packed, order, t, trans=trans)),
    transpose=(None, None, None,
               lambda c, a, packed, order, y, *, trans: lu_solve_p.bind(a, packed, order, c, trans=not trans)),
)


@lu_solve_p.define("batch")
def _(b, mine, *xs, trans):
    if mine == [False, False, False, True]:              # one matrix: the lanes become columns
        return columns_to_lanes(b.bind(*xs[:3], lanes_to_columns(xs[3]), trans=trans), xs[3].shape)
    return b.bind(*[x if m else broadcast_to(x, (b.size, *x.shape)) for x, m in zip(xs, mine)], trans=trans)


# ---- log |det| ----

def _log_det_impl(a, packed):
    return np.sum(np.log(np.abs(np.diagonal(packed, axis1=-2, axis2=-1))), -1, dtype=a.dtype)


def _lower_log_det(b, a, packed):
    i, j = (b.op("stablehlo.iota", [], Aval(a.shape, _I32), f"iota_dimension = {len(a.shape) - k} : i64")
            for k in (2, 1))
    size = b.op("stablehlo.log", [b.op("stablehlo.abs", [packed], a.aval)], a.aval)
    n = len(a.shape)
    return b.reduce("stablehlo.add", b.select(b.compare("EQ", i, j), size, b.like(a, 0)), 0, [n - 2, n - 1])


def _log_det_jvp(xs, ts):
    """tr(A⁻¹ T)"""
    a, packed = xs
    y = log_det_p.bind(a, packed)
    if ts[0] is None:
        return y, None
    inverse = inv(a)
    return y, reduce_sum(mT(inverse) * ts[0], (a.ndim - 2, a.ndim - 1))


log_det_p = Primitive(
    "log_det",                                           # (a, its packed factors) -> log |det a|
    shape=lambda a, packed: Aval(a.shape[:-2], a.dtype),
    impl=_log_det_impl,
    lower=_lower_log_det,
    jvp=_log_det_jvp,
    batch=lambda b, mine, *xs: b.bind(*[x if m else broadcast_to(x, (b.size, *x.shape)) for x, m in zip(xs, mine)]),
)


def factors(a):
    """(packed, order) of a, as constants."""
    return lu_p.bind(stop_gradient(a))


def solve_matrices(a, y, trans=False):
    """x with a x = y for matrices y.   a : float[*batch, n, n], y : float[*batch, n, k]"""
    if a.shape[-1] != y.shape[-2] or a.shape[:-2] != y.shape[:-2]:
        raise ShapeError(f"solve takes [..., n, n] and [..., n, k]; got shapes {a.shape} and {y.shape}.")
    packed, order = factors(a)
    return lu_solve_p.bind(a, packed, order, y, trans=trans)


def inv(a):
    """The inverse matrices."""
    a = square_matrix(a, "inv")
    n = a.shape[-1]
    eye = (reshape(iota(n), (n, 1)) == iota(n)).astype(a.dtype)
    return solve_matrices(a, broadcast_to(eye, a.shape))
