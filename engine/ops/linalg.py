"""Cholesky factors and triangular solves, batched over leading axes.

Small matrices are lowered to loops of vector operations, which XLA can keep inside of an enclosing loop's native
function; large ones call LAPACK.
"""
import numpy as np

from ..avals import Aval
from ..core import Primitive
from ..errors import DtypeError, ShapeError
from ..lazy import scipy_linalg
from .dot import dot_general
from .elementwise import where
from .structural import asvalue, broadcast_to, iota, moveaxis, promote_inexact, reshape, transpose

SMALL = 64                                               # up to this size: our own loops
_I32 = np.dtype("int32")


# ---- matrices as values ----

def square_matrix(a, what):
    """a as a float value [..., n, n]; raises ShapeError."""
    a = promote_inexact(asvalue(a))[0]
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"{what} takes square matrices [..., n, n]; got shape {a.shape}.")
    if a.dtype.kind == "c":
        raise DtypeError(f"{what} takes real matrices; got dtype {a.dtype}.")
    return a


def mT(a):
    """The matrices transposed."""
    n = a.ndim
    return transpose(a, (*range(n - 2), n - 1, n - 2))


def mm(a, b):
    """Matrix products, one for each index of the leading axes."""
    lead = tuple(range(a.ndim - 2))
    return dot_general(a, b, ((a.ndim - 1,), (b.ndim - 2,)), (lead, lead))


def symmetrized(a):
    """(A + A') / 2: so that the derivative treats both triangles alike."""
    return (a + mT(a)) * np.asarray(0.5, a.dtype)


def triangle(a, lower=True, k=0):
    """The lower (or upper) triangle, zeros elsewhere; without the diagonal for k = -1."""
    n, m = a.shape[-2:]
    i, j = reshape(iota(n), (n, 1)), iota(m)
    return where(i + k >= j if lower else j + k >= i, a, np.zeros((), a.dtype))


def lapack(b, target, operands, outs, **attributes):
    """A call of LAPACK: matrices column by column, leading axes are batch; attributes are (text of the value)."""
    rank = len(operands[0].shape)

    def layout(aval):
        n = len(aval.shape)
        order = [n - 2, n - 1, *range(n - 3, -1, -1)] if n == rank else range(n - 1, -1, -1)
        return f"dense<[{', '.join(map(str, order))}]> : tensor<{n}xindex>" if n else "dense<> : tensor<0xindex>"

    prefix = "d" if operands[0].dtype == np.float64 else "s"
    config = ", ".join(f"{k} = {v}" for k, v in attributes.items())
    return b.emit_many(outs, f'"stablehlo.custom_call"({", ".join(v.name for v in operands)}) '
                             f'{{call_target_name = "lapack_{prefix}{target}_ffi", api_version = 4 : i32, '
                             f'backend_config = {{{config}}}, operand_layouts = '
                             f'[{", ".join(layout(v.aval) for v in operands)}], '
                             f'result_layouts = [{", ".join(layout(a) for a in outs)}]}} : '
                             f'({", ".join(v.type for v in operands)}) -> ({", ".join(b.type_text(a) for a in outs)})')


class Small:
    """The builder's operations on [batch, n, k] values, for our own loops."""

    def __init__(self, b):
        self.b = b

    def op(self, name, *xs):
        return self.b.elementwise("stablehlo." + name, *xs)

    def place(self, shape, axis):
        """The index along an axis."""
        return self.b.op("stablehlo.iota", [], Aval(tuple(shape), _I32), f"iota_dimension = {axis} : i64")

    def column(self, x, j):
        """x[:, :, j] as [batch, n, 1]"""
        zero = self.b.constant(0, _I32)
        return self.b.dynamic_slice(x, [zero, zero, j], (x.shape[0], x.shape[1], 1))

    def row(self, x, i):
        """x[:, i, :] as [batch, 1, k]"""
        zero = self.b.constant(0, _I32)
        return self.b.dynamic_slice(x, [zero, i, zero], (x.shape[0], 1, x.shape[2]))

    def put(self, x, part, i, j):
        """x with a block at row i, column j (None for 0)"""
        zero = self.b.constant(0, _I32)
        return self.b.dynamic_update_slice(x, part, [zero, zero if i is None else i, zero if j is None else j])

    def product(self, x, y):
        """Matrix products over the batch."""
        b, out = self.b, Aval((x.shape[0], x.shape[1], y.shape[2]), x.dtype)
        if x.shape[0] == 1:                              # without a batch axis XLA has a quick kernel for vectors
            x, y = b.reshape(x, x.shape[1:]), b.reshape(y, y.shape[1:])
            flat = Aval(out.shape[1:], out.dtype)
            made = b.emit(flat, f"stablehlo.dot_general {x.name}, {y.name}, contracting_dims = [1] x [0] : "
                                f"({x.type}, {y.type}) -> {b.type_text(flat)}")
            return b.reshape(made, out.shape)
        return b.emit(out, f"stablehlo.dot_general {x.name}, {y.name}, batching_dims = [0] x [0], contracting_dims = "
                           f"[2] x [1] : ({x.type}, {y.type}) -> {b.type_text(out)}")

    def select(self, c, x, y):
        shape = np.broadcast_shapes(c.shape, x.shape, y.shape)
        return self.b.select(*[self.b.broadcast_to(v, shape) for v in (c, x, y)])

    def count(self, n, body, state):
        """for i in range(n): state = body(i, *state)"""
        b = self.b
        out = b.while_loop([b.constant(0, _I32), *state], lambda i, *_: b.compare("LT", i, b.constant(n, _I32)),
                           lambda i, *s: [self.op("add", i, b.constant(1, _I32)), *body(i, *s)])
        return out[1:]


def flat_batch(b, x):
    """[*batch, n, k] as [batch, n, k]"""
    return b.reshape(x, (int(np.prod(x.shape[:-2], dtype=np.int64)), *x.shape[-2:]))


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
    if n > SMALL:
        factor, info = lapack(b, "potrf", [a], [a.aval, Aval(a.shape[:-2], _I32)], uplo="76 : ui8")
        bad = b.compare("NE", info, b.like(info, 0))
        bad = b.broadcast(bad, a.shape, range(len(bad.shape)))
    else:
        factor = b.reshape(_small_cholesky(b, flat_batch(b, a)), a.shape)
        last = b.slice(factor, [0] * (len(a.shape) - 2) + [n - 1, n - 1], a.shape)      # a nan stays to the end
        bad = b.broadcast_to(b.compare("NE", last, last), a.shape)
    i, j = (b.op("stablehlo.iota", [], Aval(a.shape, _I32), f"iota_dimension = {len(a.shape) - k} : i64")
            for k in (2, 1))
    factor = b.select(bad, b.like(a, np.nan), factor)
    return b.select(b.compare("GE", i, j), factor, b.like(a, 0))


def _small_cholesky(b, a):
    """Column j is (A[:, j] - L L[j, :]') over the square root of its own element j."""
    s, (_, n, _) = Small(b), a.shape
    index = s.place((1, n, 1), 1)

    def body(j, a, out):
        v = s.op("subtract", s.column(a, j), s.product(out, b.reshape(s.row(out, j), (a.shape[0], n, 1))))
        pivot = b.op("stablehlo.sqrt", [s.row(v, j)], Aval((a.shape[0], 1, 1), a.dtype))
        column = s.select(b.compare("GE", index, b.broadcast(j, (1, 1, 1), [])), s.op("divide", v, pivot),
                          b.constant(0, a.dtype, (1, 1, 1)))
        return [a, s.put(out, column, None, j)]

    return s.count(n, body, [a, b.like(a, 0)])[1]


cholesky_p = Primitive(
    "cholesky",                                          # of a symmetric matrix; nan where it is not positive definite
    shape=lambda a: a,
    impl=_cholesky_impl,
    lower=_lower_cholesky,
    jvp=(lambda t, y, a: mm(y, _half(_inverse_sandwich(y, t))),),
    batch=lambda b, mine, a: b.bind(a),
)


def _inverse_sandwich(factor, t):
    """L⁻¹ T L⁻ᵀ"""
    left = triangular_solve(factor, t)
    return mT(triangular_solve(factor, mT(left)))


def _half(x):
    """The lower triangle with half of the diagonal."""
    return triangle(x, k=-1) + triangle(triangle(x), lower=False) * np.asarray(0.5, x.dtype)


def cholesky(a, symmetrize_input=True):
    """The lower triangular L with L L' = a.   a : float[*batch, n, n], symmetric -> float[*batch, n, n]

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
    if n > SMALL:
        return lapack(b, "trsm", [a, y], [y.aval], side="76 : ui8", uplo=f"{76 if lower else 85} : ui8",
                      trans_x=f"{84 if trans else 78} : ui8", diag=f"{85 if unit else 78} : ui8")[0]
    s, shape = Small(b), y.shape
    a, y = flat_batch(b, a), flat_batch(b, y)
    forward = lower != trans

    def body(k, a, y, out):
        i = k if forward else s.op("subtract", b.constant(n - 1, _I32), k)
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
    a = a if mine[0] else broadcast_to(a, (b.size, *a.shape))
    y = y if mine[1] else broadcast_to(y, (b.size, *y.shape))
    return b.bind(a, y, **params)


def lanes_to_columns(y):
    """[lanes, ..., n, k] as [..., n, k * lanes]"""
    y = moveaxis(y, 0, -1)
    return reshape(y, (*y.shape[:-2], y.shape[-2] * y.shape[-1]))


def columns_to_lanes(x, shape):
    """The way back, to `shape`."""
    return moveaxis(reshape(x, (*shape[1:], shape[0])), -1, 0)


def triangular_solve(a, y, lower=True, trans=False, unit=False):
    """x with a x = y (a' x = y with `trans`) for matrices y.   a : float[*batch, n, n], y : float[*batch, n, k]"""
    return triangular_solve_p.bind(a, y, lower=lower, trans=trans, unit=unit)
