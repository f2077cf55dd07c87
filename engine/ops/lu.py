"""Linear systems: LU factors with partial pivoting, and solves that reuse them."""
import numpy as np

from ..avals import Aval
from ..core import Primitive
from ..errors import ShapeError
from .elementwise import stop_gradient
from .lapack import lapack, library_call, lower_identity, scipy_lapack
from .linalg import lower_triangular_solve, triangular_solve, triangular_solve_p
from .matrices import (
    I32,
    Small,
    all_lanes,
    columns_to_lanes,
    flat_batch,
    identity_like,
    lanes_to_columns,
    mm,
    mT,
    real_dtype,
    square_matrix,
    triangle,
)
from .shaping import concatenate_p
from .structural import asvalue

# exchanging rows without a gather costs n² a column: LAPACK sooner
SMALL_LU = 20


# ---- the factors ----

def _lu_shape(a):
    m, n = a.shape[-2:]
    return [a, Aval((*a.shape[:-2], min(m, n)), I32), Aval(a.shape[:-1], I32)]


def _lu_impl(a):
    """Packed factors, the exchanges, and the order of the rows: a[order] = L U."""
    _, pivots, order = _lu_shape(Aval(a.shape, a.dtype))
    packed, pivots, order = np.empty(a.shape, a.dtype), np.zeros(pivots.shape, I32), np.empty(order.shape, I32)
    order[...] = np.arange(a.shape[-2])
    if a.size:
        for i in np.ndindex(a.shape[:-2]):
            packed[i], pivots[i], order[i] = _lu_one(a[i])
    return [packed, pivots, order]


def _lu_one(a):
    getrf = scipy_lapack("getrf", a.dtype)
    packed, pivots, _ = getrf(a)
    return packed, pivots, _exchanged(pivots, len(a))


def _exchanged(pivots, m):
    order = np.arange(m, dtype=I32)
    for j, p in enumerate(pivots):
        if 0 <= p < m:
            order[[j, p]] = order[[p, j]]
    return order


def _lower_lu(b, a):
    out = _lu_shape(a.aval)
    if not a.aval.size:
        order = b.op("stablehlo.iota", [], out[2], f"iota_dimension = {len(out[2].shape) - 1} : i64")
        return [a, b.constant(0, I32, out[1].shape), order]
    if max(a.shape[-2:]) > SMALL_LU or b.platform != "cpu":
        packed, pivots, _ = lapack(b, "getrf", [a], [a.aval, out[1], Aval(a.shape[:-2], I32)])
        pivots = b.elementwise("stablehlo.subtract", pivots, b.like(pivots, 1))
        return [packed, pivots, _lower_order(b, pivots, m=a.shape[-2])]
    made = _small_lu(b, flat_batch(b, a))
    return [b.reshape(x, o.shape) for x, o in zip(made, out)]


def _lower_order(b, pivots, *, m):
    """The order of m rows after the exchanges."""
    s, k, out = Small(b), pivots.shape[-1], Aval((*pivots.shape[:-1], m), I32)
    batch = int(np.prod(pivots.shape[:-1], dtype=np.int64))
    if not out.size or not k:
        return b.op("stablehlo.iota", [], out, f"iota_dimension = {len(out.shape) - 1} : i64")
    if b.platform == "cuda":
        return library_call(b, "cu_lu_pivots_to_permutation", [pivots], [out], {}, vectors=True)[0]
    order, index = s.place((batch, m, 1), 1), s.place((1, m, 1), 1)

    def body(j, pivots, order):
        return [pivots, _swap(s, order, index, j, s.row(pivots, j))]

    return b.reshape(s.count(k, body, [b.reshape(pivots, (batch, k, 1)), order])[1], out.shape)


lu_order_p = Primitive(
    "lu_order",                                          # row j was exchanged with row pivots[j] -> the order of m rows
    shape=lambda pivots, *, m: Aval((*pivots.shape[:-1], m), I32),
    impl=lambda pivots, *, m: np.array([_exchanged(p, m) for p in pivots.reshape(-1, pivots.shape[-1])], I32).reshape(
        *pivots.shape[:-1], m),
    lower=_lower_order,
    batch=lambda b, mine, pivots, *, m: b.bind(pivots, m=m),
)


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
    s, (batch, m, n) = Small(b), a.shape
    rows, cols = s.place((1, m, 1), 1), s.place((1, 1, n), 2)
    part = Aval((batch, m, 1), real_dtype(a.dtype))

    def body(j, a, pivots, order):
        here = b.broadcast(j, (1, 1, 1), [])
        column = s.column(a, j)
        size = b.op("stablehlo.abs", [s.real(column)], part)
        if a.dtype.kind == "c":                          # LAPACK's size of a complex pivot: |re| + |im|
            size = s.op("add", size, b.op("stablehlo.abs", [b.op("stablehlo.imag", [column], part)], part))
        size = s.select(b.compare("GE", rows, here), size, b.constant(-1, size.dtype, (1, 1, 1)))
        top = b.reshape(b.reduce("stablehlo.maximum", size, -1, [1]), (batch, 1, 1))
        candidates = s.select(b.compare("EQ", size, top), rows, b.constant(m, I32, (1, 1, 1)))
        p = b.reshape(b.reduce("stablehlo.minimum", candidates, m, [1]), (batch, 1, 1))
        p = s.select(b.compare("LT", p, b.constant(m, I32, (1, 1, 1))), p, here)       # a column of nan: no exchange
        a, order = _swap(s, a, rows, j, p), _swap(s, order, rows, j, p)
        pivot_row, column = s.row(a, j), s.column(a, j)
        pivot = s.column(pivot_row, j)
        zero = b.constant(0, a.dtype, (1, 1, 1))
        usable = s.select(b.compare("EQ", pivot, zero), b.constant(1, a.dtype, (1, 1, 1)), pivot)
        below = b.compare("GT", rows, here)
        factor = s.select(below, s.op("divide", column, usable), zero)
        a = s.op("subtract", a, s.op("multiply", factor, s.select(b.compare("GT", cols, here), pivot_row, zero)))
        return [s.put(a, s.select(below, factor, column), None, j), s.put(pivots, p, j, None), order]

    k = min(m, n)
    return s.count(k, body, [a, s.place((batch, k, 1), 1), s.place((batch, m, 1), 1)])


def _joined(axis, *parts):
    parts = [p for p in parts if p.shape[axis]]
    return concatenate_p.bind(*parts, axis=axis) if len(parts) > 1 else parts[0]


def _lu_jvp(xs, ts):
    """With P A = L U and X = L₁⁻¹ dA₁ U₁⁻¹ of the square part: dL₁ = L₁ tril(X, -1), dU₁ = triu(X) U₁; the rows or
    columns beyond it solve L dU + dL U = P dA."""
    (a,), (t,) = xs, ts
    packed, pivots, order = lu_p.bind(a)
    m, n = a.shape[-2:]
    k = min(m, n)
    if not a.aval.size:
        return [packed, pivots, order], [t, None, None]
    t = rows_in_order(t, order)
    top = packed[..., :k, :k]
    left = triangular_solve(top, t[..., :k, :k], unit=True)
    x = mT(triangular_solve(top, mT(left), lower=False, trans=True))
    unit_lower, upper = triangle(top, k=-1) + identity_like(top), triangle(top, lower=False)
    d_lower, d_upper = mm(unit_lower, triangle(x, k=-1)), mm(triangle(x, lower=False), upper)
    out = d_lower + d_upper
    if n > k:
        out = _joined(a.ndim - 1, out,
                      triangular_solve(top, t[..., :, k:] - mm(d_lower, packed[..., :, k:]), unit=True))
    if m > k:
        rest = t[..., k:, :] - mm(packed[..., k:, :], d_upper)
        out = _joined(a.ndim - 2, out, mT(triangular_solve(top, mT(rest), lower=False, trans=True)))
    return [packed, pivots, order], [out, None, None]


def rows_in_order(x, order):
    """x[..., order, :] with an order for each matrix: a product with the permutation matrix."""
    m = x.shape[-2]
    exchange = asvalue(order)[..., :, None] == np.arange(m, dtype=I32)
    return mm(exchange.astype(x.dtype), x)


lu_p = Primitive(
    "lu",                                                # -> packed factors, exchanges int32, order of the rows int32
    multiple=True,
    shape=_lu_shape,
    impl=_lu_impl,
    lower=_lower_lu,
    jvp=_lu_jvp,
    batch=lambda b, mine, a: (b.bind(a), [True, True, True]),
)


# ---- solving with them ----

def _permuted(y, order, back):
    index = np.argsort(order, -1) if back else order
    return np.take_along_axis(y, index[..., None].astype(np.int64), -2)


def _lu_solve_impl(a, packed, order, y, *, trans):
    if a.shape[-1] <= SMALL_LU:                          # quicker than two substitutions in Python
        try:
            return np.linalg.solve(np.swapaxes(a, -1, -2) if trans else a, y)
        except np.linalg.LinAlgError:
            pass
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
    return all_lanes(b, mine, *xs, trans=trans)


def factors(a):
    """(packed, order) of a, as constants."""
    packed, _, order = lu_p.bind(stop_gradient(a))
    return packed, order


# ---- the sign of the determinant ----

def _lu_sign_impl(packed, pivots):
    d = np.diagonal(packed, axis1=-2, axis2=-1)
    odd = np.sum(pivots != np.arange(pivots.shape[-1]), -1) % 2
    signs = np.prod(np.sign(d), -1) if packed.dtype.kind != "c" else np.all(d != 0, -1)
    return ((1 - 2 * odd) * signs).astype(packed.dtype)


def _lower_lu_sign(b, packed, pivots):
    n, flag = len(packed.shape), np.dtype(bool)
    one = lower_identity(b, packed.shape, flag)
    d = b.select(one, packed, b.like(packed, 1))
    if packed.dtype.kind == "c":
        d = b.convert(b.compare("NE", d, b.like(d, 0)), packed.dtype)
    else:
        d = b.op("stablehlo.sign", [d], d.aval)
    signs = b.reduce("stablehlo.multiply", d, 1, [n - 2, n - 1])
    place = b.op("stablehlo.iota", [], pivots.aval, f"iota_dimension = {n - 2} : i64")
    moved = b.convert(b.compare("NE", pivots, place), I32)
    count = b.reduce("stablehlo.add", moved, 0, [n - 2])
    odd = b.elementwise("stablehlo.and", count, b.like(count, 1))
    parity = b.elementwise("stablehlo.subtract", b.like(count, 1), b.elementwise("stablehlo.add", odd, odd))
    return b.elementwise("stablehlo.multiply", signs, b.convert(parity, packed.dtype))


lu_sign_p = Primitive(
    "lu_sign",                                           # (packed, exchanges) -> the sign of the determinant; complex:
    shape=lambda packed, pivots: Aval(packed.shape[:-2], packed.dtype),             # that of the exchanges, or 0
    impl=_lu_sign_impl,
    lower=_lower_lu_sign,
    jvp=(None, None),
    batch=all_lanes,
)


def solve_matrices(a, y, trans=False):
    """x with a x = y for matrices y.   a : inexact[*batch, n, n], y : inexact[*batch, n, k]"""
    if a.shape[-1] != y.shape[-2] or a.shape[:-2] != y.shape[:-2]:
        raise ShapeError(f"solve takes [..., n, n] and [..., n, k]; got shapes {a.shape} and {y.shape}.")
    packed, order = factors(a)
    return lu_solve_p.bind(a, packed, order, y, trans=trans)


def inv(a):
    """The inverse matrices."""
    a = square_matrix(a, "inv")
    return solve_matrices(a, identity_like(a))
