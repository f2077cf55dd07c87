"""Matrices as values (the last two axes; the others are batch), and the loops over small ones that lowerings share."""
import numpy as np

from ..avals import Aval
from ..core import Primitive
from ..errors import DtypeError, ShapeError
from .complexes import conj, lower_conj
from .dot import dot_general
from .elementwise import eq, where
from .structural import (
    align,
    asvalue,
    broadcast_to,
    elementwise,
    elementwise_batch,
    iota,
    moveaxis,
    promote_inexact,
    reduce_sum,
    reshape,
    transpose,
    unbroadcast,
)

I32 = np.dtype("int32")
PREFIX = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}


def real_dtype(dtype):
    """The dtype of the parts of a complex number; a real dtype itself."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def complex_dtype(dtype):
    """The complex dtype of the same precision."""
    return dtype if dtype.kind == "c" else np.dtype(f"c{2 * dtype.itemsize}")


# ---- matrices as values ----

def matrix(a, what, name="a"):
    """a as a floating value [..., m, n]; raises ShapeError or DtypeError."""
    a = promote_inexact(asvalue(a))[0]
    if a.ndim < 2:
        raise ShapeError(f"{what} takes matrices [..., m, n]; `{name}` has shape {a.shape}.")
    if a.dtype.name not in PREFIX:
        raise DtypeError(f"{what} works in float32, float64, complex64 and complex128; `{name}` has dtype {a.dtype}. "
                         f"Write {name}.astype('float32').")
    return a


def square_matrix(a, what, name="a"):
    """a as a floating value [..., n, n]; raises ShapeError or DtypeError."""
    a = promote_inexact(asvalue(a))[0]
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"{what} takes square matrices [..., n, n]; `{name}` has shape {a.shape}.")
    return matrix(a, what, name)


def mT(a):
    """The matrices transposed."""
    n = a.ndim
    return transpose(a, (*range(n - 2), n - 1, n - 2))


def mH(a):
    """The matrices conjugated and transposed."""
    return conj(mT(a))


def mm(a, b):
    """Matrix products, one for each index of the leading axes."""
    lead = tuple(range(a.ndim - 2))
    return dot_general(a, b, ((a.ndim - 1,), (b.ndim - 2,)), (lead, lead))


def symmetrized(a):
    """(A + A*) / 2: so that the derivative treats both triangles alike."""
    return (a + mH(a)) * np.asarray(0.5, a.dtype)


def triangle(a, lower=True, k=0):
    """The lower (or upper) triangle, zeros elsewhere; without the diagonal for k = -1."""
    n, m = a.shape[-2:]
    i, j = reshape(iota(n), (n, 1)), iota(m)
    return where(i + k >= j if lower else j + k >= i, a, np.zeros((), a.dtype))


def identity_like(a, n=None):
    """Identity matrices [*batch, n, n] of the dtype and batch of a; n is the last size of a."""
    n = a.shape[-1] if n is None else n
    return broadcast_to(eq(reshape(iota(n), (n, 1)), iota(n)).astype(a.dtype), (*a.shape[:-2], n, n))


def diagonal_of(a):
    """The elements a[..., i, i]."""
    k = min(a.shape[-2:])
    a = a[..., :k, :k]
    at = eq(reshape(iota(k), (k, 1)), iota(k))
    return reduce_sum(where(at, a, np.zeros((), a.dtype)), (a.ndim - 1,))


def adjoint_product(a, b):
    """A* B"""
    return mm(mH(a), b)


# ---- zero times anything ----

def _scale_impl(t, f):
    return np.where(t == 0, np.zeros((), t.dtype), t * f)


def _lower_scale(b, t, f):
    t, f = (b.broadcast_to(x, b.out[0].shape) for x in (t, f))
    zero = b.like(t, 0)
    return b.select(b.compare("EQ", t, zero), zero, b.elementwise("stablehlo.multiply", t, f))


scale_p = Primitive(
    "scale",                                             # t f, and 0 where t is 0 whatever f is: linear in t
    shape=elementwise,
    uniform=True,
    impl=_scale_impl,
    lower=_lower_scale,
    jvp=(lambda t, y, x, f: scale_p.bind(t, f), lambda t, y, x, f: scale_p.bind(x, t)),
    transpose=(lambda c, x, f: unbroadcast(scale_p.bind(c, f), x), lambda c, x, f: unbroadcast(scale_p.bind(x, c), f)),
    batch=lambda b, mine, *xs: b.bind(*align(mine, xs)),
)


def scale(t, f):
    """t f, and 0 where t is 0, even if f is infinite there; f is real or of t's dtype."""
    return scale_p.bind(t, f if f.dtype == t.dtype else f.astype(t.dtype))


def _half_inverse(y):
    """1 / (2 y), and 0 at 0"""
    zero = eq(y, np.zeros((), y.dtype))
    return where(zero, np.zeros((), y.dtype), 0.5 / where(zero, np.ones((), y.dtype), y))


root_p = Primitive(
    "root",                                              # the square root, with derivative 0 at 0
    shape=elementwise,
    uniform=True,
    impl=np.sqrt,
    lower="stablehlo.sqrt",
    jvp=(lambda t, y, x: t * _half_inverse(y),),
    batch=elementwise_batch,
)


# ---- NumPy, matrix by matrix ----

def each_matrix(f, a, outs):
    """f (of one or many matrices, giving a list) over the batch of a; nan for the matrices that it refuses.

    outs : (shape without the batch, dtype) of each result
    """
    try:
        return [np.asarray(x, dtype) for x, (_, dtype) in zip(f(a), outs)]
    except (np.linalg.LinAlgError, ValueError):
        made = [np.full((*a.shape[:-2], *shape), np.nan if dtype.kind in "fc" else 0, dtype) for shape, dtype in outs]
        for i in np.ndindex(a.shape[:-2]):
            try:
                for out, x in zip(made, f(a[i])):
                    out[i] = x
            except (np.linalg.LinAlgError, ValueError):
                continue
        return made


# ---- loops over small matrices ----

class Small:
    """The builder's operations on [batch, n, k] values, for our own loops."""

    def __init__(self, b):
        self.b = b

    def op(self, name, *xs):
        return self.b.elementwise("stablehlo." + name, *xs)

    def place(self, shape, axis):
        """The index along an axis."""
        return self.b.op("stablehlo.iota", [], Aval(tuple(shape), I32), f"iota_dimension = {axis} : i64")

    def column(self, x, j):
        """x[:, :, j] as [batch, n, 1]"""
        zero = self.b.constant(0, I32)
        return self.b.dynamic_slice(x, [zero, zero, j], (x.shape[0], x.shape[1], 1))

    def row(self, x, i):
        """x[:, i, :] as [batch, 1, k]"""
        zero = self.b.constant(0, I32)
        return self.b.dynamic_slice(x, [zero, i, zero], (x.shape[0], 1, x.shape[2]))

    def put(self, x, part, i, j):
        """x with a block at row i, column j (None for 0)"""
        zero = self.b.constant(0, I32)
        return self.b.dynamic_update_slice(x, part, [zero, zero if i is None else i, zero if j is None else j])

    def product(self, x, y):
        """Matrix products over the batch."""
        b, out = self.b, Aval((x.shape[0], x.shape[1], y.shape[2]), x.dtype)
        if x.shape[0] == 1:                              # without a batch axis XLA has a quick kernel for vectors
            x, y = b.reshape(x, x.shape[1:]), b.reshape(y, y.shape[1:])
            flat = Aval(out.shape[1:], out.dtype)
            made = b.emit(flat, f"stablehlo.dot_general {x.name}, {y.name}, contracting_dims = [1] x [0]"
                                f"{b.of_products} : ({x.type}, {y.type}) -> {b.type_text(flat)}")
            return b.reshape(made, out.shape)
        return b.emit(out, f"stablehlo.dot_general {x.name}, {y.name}, batching_dims = [0] x [0], contracting_dims = "
                           f"[2] x [1]{b.of_products} : ({x.type}, {y.type}) -> {b.type_text(out)}")

    def conj(self, x):
        return lower_conj(self.b, x) if x.dtype.kind == "c" else x

    def real(self, x):
        """The real part; of a real value itself."""
        return self.b.op("stablehlo.real", [x], Aval(x.shape, real_dtype(x.dtype))) if x.dtype.kind == "c" else x

    def select(self, c, x, y):
        shape = np.broadcast_shapes(c.shape, x.shape, y.shape)
        return self.b.select(*[self.b.broadcast_to(v, shape) for v in (c, x, y)])

    def count(self, n, body, state):
        """for i in range(n): state = body(i, *state)"""
        b = self.b
        out = b.while_loop([b.constant(0, I32), *state], lambda i, *_: b.compare("LT", i, b.constant(n, I32)),
                           lambda i, *s: [self.op("add", i, b.constant(1, I32)), *body(i, *s)])
        return out[1:]


def flat_batch(b, x):
    """[*batch, n, k] as [batch, n, k]"""
    return b.reshape(x, (int(np.prod(x.shape[:-2], dtype=np.int64)), *x.shape[-2:]))


# ---- lanes of vmap ----

def lanes_to_columns(y):
    """[lanes, ..., n, k] as [..., n, k * lanes]"""
    y = moveaxis(y, 0, -1)
    return reshape(y, (*y.shape[:-2], y.shape[-2] * y.shape[-1]))


def columns_to_lanes(x, shape):
    """The way back, to `shape`."""
    return moveaxis(reshape(x, (*shape[1:], shape[0])), -1, 0)


def all_lanes(b, mine, *xs, **params):
    """The batch rule of an operation on matrices: every operand gets the lanes."""
    return b.bind(*[x if m else broadcast_to(x, (b.size, *x.shape)) for x, m in zip(xs, mine)], **params)
