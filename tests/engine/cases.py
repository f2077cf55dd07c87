"""One row for each primitive: a function that uses it, what NumPy says it is, and where to try it.

`test_contract.py` checks every promise of the engine on every row. A row stands in `CASES` here, or in
`CASES` of a file `cases_*.py` beside this one.
"""
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import chainrule.engine.numpy as cnp
from chainrule.engine import cond, jit, scan, switch, while_loop
from chainrule.engine.ops import dynamic, index, shaping, structural
from chainrule.engine.ops import elementwise as ew
from chainrule.engine.ops.dot import dot_general
from chainrule.engine.ops.reduce import cumlogsumexp_p, cummax_p, cummin_p


@dataclass(frozen=True)
class Case:
    """A function of arrays, and the points at which the promises are tried.

    fn : takes arrays, gives an array or a pytree of arrays, all of the dtype of its floating arguments
    covers : the name of the primitive (or names) that the row is for
    reference : the same in NumPy, in float64; None where there is no other formula
    args : the arguments; or `domain`, one (low, high) for each, from which arrays of `shape` are drawn
    order : how many derivatives exist (2, 1 or 0); `wrt` : positions of the arguments that have them (all floating
    ones)
    reverse : False where only forward mode goes through
    ulps : how far compiled and plain results, and reference and result, may be apart, in units of the last place of
        the largest element of the result
    dtypes : the floating dtypes to try
    lane : (argument, k) -> the argument of the k-th vmap lane, where moving its elements round leaves the domain
    batch : False where vmap needs the argument's value
    """
    fn: Callable
    covers: str | tuple = ()
    reference: Callable | None = None
    args: tuple = ()
    domain: tuple = ()
    shape: tuple = (3,)
    order: int = 2
    wrt: tuple | None = None
    reverse: bool = True
    ulps: float = 8
    dtypes: tuple = ("float64", "float32")
    lane: Callable | None = None
    batch: bool = True
    name: str = ""

    @property
    def covered(self):
        return (self.covers,) if isinstance(self.covers, str) else tuple(self.covers)

    @property
    def id(self):
        return self.name or "-".join(self.covered) or getattr(self.fn, "__name__", "case")

    def arguments(self, dtype="float64"):
        """The arguments as NumPy arrays; the floating ones in `dtype`."""
        args = self.args
        if self.domain:
            rng = np.random.default_rng(7)
            args = tuple(rng.uniform(low, high, self.shape) for low, high in self.domain)
        args = [np.asarray(a) for a in args]
        return [a.astype(dtype) if a.dtype.kind == "f" else a for a in args]

    def lanes(self, position, dtype="float64", size=3):
        """Arguments for `size` lanes of vmap along a new axis 0, at one position."""
        a = self.arguments(dtype)[position]
        return np.stack([(self.lane or other)(a, k) for k in range(size)])

    def floating(self):
        """The positions of the arguments that have derivatives."""
        if self.wrt is not None:
            return list(self.wrt)
        return [i for i, a in enumerate(self.arguments()) if a.dtype.kind == "f"]


def other(a, k):
    """Another argument in the same domain: elements moved round; a scalar changed a little."""
    if a.ndim:
        return np.roll(a.reshape(-1), k).reshape(a.shape)
    if a.dtype.kind == "b":
        return np.asarray(bool(a) ^ bool(k % 2))
    if a.dtype.kind in "iu":
        return np.asarray(a - k if a >= k else a + k, a.dtype)
    return np.asarray(a * (1 + 0.05 * k), a.dtype)


def row(primitive, reference=None, *domain, fn=None, **options):
    """A row for an element-wise primitive that NumPy calls by the same name."""
    return Case(fn or getattr(cnp, primitive), primitive, reference or getattr(np, primitive), domain=domain, **options)


FLAT = ((-2.7, 2.7),)                                    # no integer, so steps have the derivative 0 here
RNG = np.random.default_rng(3)
V = np.array([0.3, -1.2, 2.5, 0.7])
M = RNG.normal(size=(2, 3))
W = RNG.normal(size=(3, 4))
T = RNG.normal(size=(2, 3, 4))
INTS = np.array([5, -3, 0, 12, -7])
BITS = np.array([1, 3, 0, 2, 4])
UNSIGNED = np.array([5, 200, 0, 12, 255], np.uint8)
BOOLS = np.array([True, False, True, True, False])
OTHERS = np.array([True, True, False, True, False])
F = ("float64",)                                         # rows of integers: one dtype is enough

ELEMENTWISE = [
    row("exp", None, (-3, 3)),
    row("expm1", None, (-1, 1)),
    row("log", None, (0.2, 4)),
    row("log1p", None, (-0.6, 3)),
    row("sqrt", None, (0.2, 4)),
    row("rsqrt", lambda x: 1 / np.sqrt(x), (0.2, 4), fn=ew.rsqrt),
    row("cbrt", None, (0.2, 4)),
    row("sin", None, (-3, 3)),
    row("cos", None, (-3, 3)),
    row("tan", None, (-1, 1)),
    row("arcsin", None, (-0.8, 0.8)),
    row("arccos", None, (-0.8, 0.8)),
    row("arctan", None, (-3, 3)),
    row("sinh", None, (-2, 2)),
    row("cosh", None, (-2, 2)),
    row("tanh", None, (-2, 2)),
    row("arcsinh", None, (-3, 3)),
    row("arccosh", None, (1.3, 4)),
    row("arctanh", None, (-0.8, 0.8)),
    row("expit", lambda x: 1 / (1 + np.exp(-x)), (-4, 4), fn=ew.expit),
    row("softplus", lambda x: np.log1p(np.exp(x)), (-4, 4), fn=ew.softplus),
    Case(lambda x: -x, "neg", np.negative, domain=((-3, 3),)),
    row("abs", None, *FLAT),
    row("sign", None, *FLAT),
    row("floor", None, *FLAT),
    row("ceil", None, *FLAT),
    Case(cnp.rint, "round", np.rint, domain=FLAT),
    row("isfinite", None, *FLAT, order=0),
    row("invert", None, args=(INTS,), dtypes=F),
    row("invert", None, args=(BOOLS,), dtypes=F, name="invert-bool"),
    Case(lambda x: x ** 5, "integer_pow", lambda x: x ** 5, domain=((-2, 2),)),
    Case(lambda x: x ** -3, "integer_pow", lambda x: x ** -3.0, domain=((0.5, 2),), name="integer_pow-negative"),
    Case(lambda x: x ** 3, "integer_pow", lambda x: x ** 3, args=(INTS,), name="integer_pow-int", dtypes=F),
    Case(lambda x, y: x + y, "add", np.add, domain=((-2, 2), (-2, 2))),
    Case(lambda x, y: x + y, "add", np.add, args=(V[:3], M), name="add-broadcast"),
    Case(lambda x, y: x + y, "add", np.add, args=(BOOLS, OTHERS), name="add-bool", dtypes=F),
    Case(lambda x, y: x - y, "sub", np.subtract, domain=((-2, 2), (-2, 2))),
    Case(lambda x, y: x - y, "sub", np.subtract, args=(M, M[:, :1]), name="sub-broadcast"),
    Case(lambda x, y: x * y, "mul", np.multiply, domain=((-2, 2), (-2, 2))),
    Case(lambda x, y: x * y, "mul", np.multiply, args=(M[:1], V[:3, None]), name="mul-broadcast"),
    Case(lambda x, y: x * y, "mul", np.multiply, args=(BOOLS, OTHERS), name="mul-bool", dtypes=F),
    Case(lambda x, y: x / y, "div", np.divide, domain=((-2, 2), (0.5, 2))),
    Case(lambda x, y: ew.div_p.bind(x, y), "div", lambda x, y: np.trunc(x / y).astype(int),
         args=(INTS, np.array([2, 2, 3, -5, -2])), dtypes=F, name="div-int"),
    row("rem", np.fmod, (1.1, 3.9), (0.6, 0.9), fn=cnp.fmod, lane=lambda a, k: a),
    row("maximum", None, (-2, 2), (-2, 2)),
    row("minimum", None, (-2, 2), (-2, 2)),
    Case(lambda x, y: x ** y, "pow", np.power, domain=((0.3, 2), (-2, 2))),
    row("arctan2", None, (0.5, 2), (-2, 2)),
    row("nextafter", None, (-2, 2), (-2, 2), order=0),
    row("bitwise_and", None, args=(INTS, BITS), dtypes=F),
    row("bitwise_or", None, args=(INTS, BITS), dtypes=F),
    row("bitwise_xor", None, args=(INTS, BITS), dtypes=F),
    row("bitwise_xor", None, args=(BOOLS, OTHERS), dtypes=F, name="bitwise_xor-bool"),
    row("left_shift", None, args=(INTS, BITS), dtypes=F),
    row("right_shift", None, args=(INTS, BITS), dtypes=F),
    row("right_shift", None, args=(UNSIGNED, BITS.astype(np.uint8)), dtypes=F, name="right_shift-unsigned"),
    Case(ew.popcount, "popcount", np.bitwise_count, args=(UNSIGNED,), dtypes=F),
    Case(ew.popcount, "popcount", lambda x: np.bitwise_count(x.view(np.uint64)).astype(int), args=(INTS,), dtypes=F,
         name="popcount-of-negative-numbers"),
    row("equal", None, args=(INTS, BITS), dtypes=F),
    row("not_equal", None, args=(INTS, BITS), dtypes=F),
    row("less", None, args=(V, V[::-1]), order=0),
    row("less_equal", None, args=(INTS, BITS), dtypes=F),
    row("greater", None, args=(UNSIGNED, BITS.astype(np.uint8)), dtypes=F),
    row("greater_equal", None, args=(V, V[::-1]), order=0),
    Case(cnp.where, "where", np.where, args=(V > 0, V, V[::-1] * 2)),
    Case(cnp.where, "where", np.where, args=(np.asarray(True), M, V[:3]), name="where-broadcast"),
    Case(lambda x: ew.bitcast(x, {8: np.int64, 4: np.int32}[x.dtype.itemsize]), "bitcast",
         lambda x: x.view(np.int64), args=(V,), dtypes=F, order=0),
    Case(lambda x: index.first_order_p.bind(x), "first_order", lambda x: x, args=(V,), order=0),
    Case(lambda x: x * ew.stop_gradient(x), "stop_gradient", lambda x: x * x, args=(V,), order=0),
]

STRUCTURE = [
    Case(lambda x: x.astype(np.float32).astype(x.dtype), "convert", lambda x: x.astype(np.float32).astype(x.dtype),
         args=(np.array([0.5, -1.25, 3.0]),), order=0, name="convert-float"),
    Case(lambda x, y: x.astype(y.dtype) * y, "convert", lambda x, y: x * y, args=(INTS, np.arange(5.) + 0.5)),
    Case(lambda x: x.astype(bool), "convert", lambda x: x.astype(bool), args=(INTS,), name="convert-bool", dtypes=F),
    Case(lambda x: cnp.broadcast_to(x, (2, 4, 3)), "broadcast", lambda x: np.broadcast_to(x, (2, 4, 3)),
         args=(M[:, None],)),
    Case(lambda x: structural.broadcast_p.bind(x, shape=(2, 5, 3), dims=(0, 2)), "broadcast",
         lambda x: np.broadcast_to(x[:, None], (2, 5, 3)), args=(M,), name="broadcast-inside"),
    Case(lambda x: x.reshape(3, -1), "reshape", lambda x: x.reshape(3, -1), args=(T,)),
    Case(lambda x: x.reshape(()), "reshape", lambda x: x.reshape(()), args=(V[:1],), name="reshape-scalar"),
    Case(lambda x: cnp.transpose(x, (2, 0, 1)), "transpose", lambda x: np.transpose(x, (2, 0, 1)), args=(T,)),
    Case(lambda x: structural.stored_p.bind(cnp.transpose(x, (2, 0, 1))), "stored",
         lambda x: np.transpose(x, (2, 0, 1)), args=(T,)),
    Case(lambda x: cnp.sum(x, (0, 2)), "reduce_sum", lambda x: np.sum(x, (0, 2)), args=(T,)),
    Case(lambda x: cnp.sum(x), "reduce_sum", lambda x: np.sum(x), args=(INTS,), name="reduce_sum-int", dtypes=F),
    Case(lambda x: cnp.full((2, 3), 1.5, x.dtype) * x, "full", lambda x: np.full((2, 3), 1.5) * x, args=(V[:3],)),
    Case(lambda x: cnp.arange(3, dtype=x.dtype) * x, "iota", lambda x: np.arange(3.) * x, args=(V[:3],)),
]

SHAPING = [
    Case(lambda x, y: cnp.concatenate([x, y, x], 1), "concatenate", lambda x, y: np.concatenate([x, y, x], 1),
         args=(M, M[:, :1])),
    Case(lambda x: x[:, 1:3, ::2], "slice", lambda x: x[:, 1:3, ::2], args=(T,)),
    Case(lambda x: shaping.slice_axis(x, 1, 4, 0, 2), "slice", lambda x: x[1:4:2], args=(V,), name="slice-strides"),
    Case(lambda x: x[2:2], "slice", lambda x: x[2:2], args=(V,), name="slice-empty"),
    Case(lambda x, v: shaping.pad(x, [(1, 0), (2, 1)], v), "pad",
         lambda x, v: np.pad(x, [(1, 0), (2, 1)], constant_values=v), args=(M, np.asarray(0.5))),
    Case(lambda x: shaping.pad(x, [(1, 2)], interior=(1,)), "pad",
         lambda x: np.array([0, x[0], 0, x[1], 0, x[2], 0, x[3], 0, 0]), args=(V,), name="pad-interior"),
    Case(lambda x: cnp.flip(x, (0, 2)), "reverse", lambda x: np.flip(x, (0, 2)), args=(T,)),
    Case(lambda x, i: dynamic.dynamic_slice(x, (i, 1), (1, 2)), "dynamic_slice", lambda x, i: x[i:i + 1, 1:3],
         args=(M, np.asarray(1))),
    Case(lambda x, i: dynamic.dynamic_slice(x, (i,), (3,)), "dynamic_slice", lambda x, i: x[1:4],
         args=(V, np.asarray(3)), name="dynamic_slice-clipped"),
    Case(lambda x, u, i: dynamic.dynamic_update_slice(x, u, (0, i)), "dynamic_update_slice",
         lambda x, u, i: np.stack([np.r_[x[0, :1], u[0]], x[1]]), args=(M, M[:1, :2] + 3, np.asarray(1))),
]

REDUCTIONS = [
    Case(lambda x: cnp.max(x, (0, 2)), "reduce_max", lambda x: np.max(x, (0, 2)), args=(T,)),
    Case(lambda x: cnp.max(x), "reduce_max", np.max, args=(UNSIGNED,), name="reduce_max-unsigned", dtypes=F),
    Case(lambda x: cnp.min(x, 1), "reduce_min", lambda x: np.min(x, 1), args=(T,)),
    Case(lambda x: cnp.min(x), "reduce_min", np.min, args=(INTS,), name="reduce_min-int", dtypes=F),
    Case(lambda x: cnp.prod(x, (0, 2)), "reduce_prod", lambda x: np.prod(x, (0, 2)), args=(T,)),
    Case(lambda x: cnp.prod(x), "reduce_prod", np.prod, args=(np.array([0.0, 2.0, 3.0]),), lane=lambda a, k: a,
         name="reduce_prod-with-a-zero"),
    Case(lambda x: cnp.all(x, 0), "reduce_and", lambda x: np.all(x, 0), args=(np.stack([BOOLS, OTHERS]),), dtypes=F),
    Case(lambda x: cnp.any(x, 1), "reduce_or", lambda x: np.any(x, 1), args=(np.stack([BOOLS, OTHERS]),), dtypes=F),
    Case(lambda x: cnp.argmax(x, 1), "argmax", lambda x: np.argmax(x, 1), args=(T,), order=0),
    Case(lambda x: cnp.argmax(x), "argmax", np.argmax, args=(np.array([1., 3., np.nan, 3., np.nan]),), order=0, wrt=(),
         name="argmax-nan"),
    Case(lambda x: cnp.argmin(x, 0), "argmin", lambda x: np.argmin(x, 0), args=(T,), order=0),
    Case(lambda x: cnp.argmin(x), "argmin", np.argmin, args=(np.array([3, 1, 1, 5]),), dtypes=F, name="argmin-tie"),
    Case(lambda x: cnp.cumsum(x, 1), "cumsum", lambda x: np.cumsum(x, 1), args=(T,)),
    Case(lambda x: cnp.cumprod(x, 1), "cumprod", lambda x: np.cumprod(x, 1), args=(T,)),
    Case(lambda x: cnp.cumprod(x), "cumprod", np.cumprod, args=(np.array([2.0, 0.0, 3.0, -1.0, 0.0]),),
         lane=lambda a, k: a,
         name="cumprod-with-zeros"),
    Case(lambda x: cummax_p.bind(x, axis=1), "cummax", lambda x: np.maximum.accumulate(x, 1), args=(T,)),
    Case(lambda x: cummin_p.bind(x, axis=0), "cummin", lambda x: np.minimum.accumulate(x, 0), args=(T,)),
    Case(lambda x: cumlogsumexp_p.bind(x, axis=0), "cumlogsumexp", lambda x: np.logaddexp.accumulate(x, 0), args=(W,)),
]

ROWS = np.array([2, 0, 2])
INDEX = [
    Case(lambda x, i: x[i], "gather", lambda x, i: x[i], args=(W, ROWS)),
    Case(lambda x, i, j: index.gather_nd(x, [i, j]), "gather", lambda x, i, j: x[i, j],
         args=(W, ROWS, np.array([[0], [3]])), name="gather-two-axes"),
    Case(lambda x, i: index.gather_nd(x, [i]), "gather", lambda x, i: x[np.clip(i, 0, 3)], args=(V, np.array([1, 9])),
         name="gather-clipped"),
    Case(lambda x, u, i: index.scatter_nd(x, [i], u), "scatter", lambda x, u, i: np.stack([u[0], x[1], u[1]]),
         args=(W, W[:2] + 3, np.array([0, 2])), lane=lambda a, k: a[..., ::-1] if k % 2 else a, name="scatter-set"),
    Case(lambda x, u, i: index.scatter_nd(x, [i], u), "scatter", lambda x, u, i: np.array([x[0], u[1], u[2], x[3]]),
         args=(V, np.array([5., 6., 7.]), np.array([1, 1, 2])), name="scatter-set-the-last-counts"),
    Case(lambda x, u, i: index.scatter_nd(x, [i], u, "add"), "scatter",
         lambda x, u, i: x + np.array([u[2], 0, u[0] + u[1], 0]),
         args=(V, np.array([5., 6., 7.]), np.array([2, 2, 0])), name="scatter-add"),
    Case(lambda x, u, i: index.scatter_nd(x, [i], u, "mul"), "scatter",
         lambda x, u, i: x * np.array([u[2], 1, u[0] * u[1], 1]),
         args=(V, np.array([5., 6., 7.]), np.array([2, 2, 0])), name="scatter-mul"),
    Case(lambda x, u, i: index.scatter_nd(x, [i], u, "mul"), "scatter",
         lambda x, u, i: x * np.array([u[2], 1, u[0] * u[1], 1]),
         args=(V, np.array([0., 6., 7.]), np.array([2, 2, 0])), name="scatter-mul-zero", lane=lambda a, k: a,
         # a second zero-crossing factor is not followed: see At.multiply
         order=1),
    Case(lambda x, u, i: index.scatter_nd(x, [i], u, "min"), "scatter",
         lambda x, u, i: np.minimum(x, np.array([u[2], 9, min(u[:2]), 9])),
         args=(V, np.array([5., -6., -7.]), np.array([2, 2, 0])), name="scatter-min"),
    Case(lambda x, u, i: index.scatter_nd(x, [i], u, "max"), "scatter",
         lambda x, u, i: np.maximum(x, np.array([u[2], -9, max(u[:2]), -9])),
         args=(V, np.array([5., -6., 7.]), np.array([2, 2, 0])), name="scatter-max"),
    Case(lambda x, u, i: index.scatter_nd(x, [i], u, "add"), "scatter", lambda x, u, i: x + np.array([0, u[1], 0, 0]),
         args=(V, np.array([5., 6.]), np.array([9, 1])), name="scatter-out-of-range"),
    Case(lambda x, u, i: index.scatter_nd(x, [i], u, "near"), "scatter",
         lambda x, u, i: x + np.array([u[2], u[1], 0, u[0]]),
         args=(V, np.array([5., 6., 7.]), np.array([9, 1, -3])), name="scatter-near"),
    Case(lambda x, u, i: index.scatter_nd(x, [i], u, "near"), "scatter",
         lambda x, u, i: x + np.array([u[1] + u[2], u[0]]), args=(W[:2, :1], W[:1, :3].T, np.array([7, 0, -1])),
         name="scatter-near-rows"),
]

DOT = [
    Case(cnp.matmul, "dot_general", np.matmul, args=(M, W), ulps=16),
    Case(lambda a, b: dot_general(a, b, ((2, 0), (0, 2)), ((1,), (1,))), "dot_general",
         lambda a, b: np.einsum("abc,cba->b", a, b), args=(T, T.transpose(2, 1, 0) + 1), ulps=16,
         name="dot_general-batch"),
    Case(lambda a, b: dot_general(a, b, ((1,), (2,)), ((), ())), "dot_general",
         lambda a, b: np.einsum("abc,deb->acde", a, b), args=(T, RNG.normal(size=(2, 2, 3))), ulps=16,
         name="dot_general-free"),
    Case(lambda a, b: cnp.matmul(a, b), "dot_general", np.matmul, args=(INTS, BITS), dtypes=F, name="dot_general-int"),
]


def _decay(x, y):
    return scan(lambda c, r: (c * 0.9 + cnp.sin(r) * y, c * r), x, cnp.stack([x, y, x * y]))


def _decay_numpy(x, y):
    c, ys = x, []
    for r in (x, y, x * y):
        c, ys = c * 0.9 + np.sin(r) * y, [*ys, c * r]
    return c, np.stack(ys)


def _newton(x):
    return while_loop(lambda s: s[0] < 4, lambda s: (s[0] + 1, 0.5 * (s[1] + x / s[1])), (0, x))[1]


def _newton_numpy(x):
    y = x
    for _ in range(4):
        y = 0.5 * (y + x / y)
    return y


def _until_large(x):
    return while_loop(lambda v: cnp.sum(v) < 10, lambda v: v * 1.5 + 0.1, x)


def _until_large_numpy(x):
    while np.sum(x) < 10:
        x = x * 1.5 + 0.1
    return x


CONTROL = [
    Case(lambda x, y: jit(lambda a: cnp.sin(a) * y)(x) + y, "jit", lambda x, y: np.sin(x) * y + y, args=(V, V[::-1])),
    Case(_decay, "scan", _decay_numpy, args=(V, V[::-1] + 0.1)),
    Case(lambda x: scan(lambda c, r: (c + r * c, (c, r)), 1.0, x, reverse=True), "scan",
         lambda x: (np.prod(1 + x), (np.cumprod(np.r_[1, 1 + x[:0:-1]])[::-1], x)), args=(V,), name="scan-reverse"),
    Case(lambda p, x: cond(p, lambda a: a * a, lambda a: cnp.sin(a), x), "switch",
         lambda p, x: x * x if p else np.sin(x), args=(np.asarray(True), V), name="cond"),
    Case(lambda i, x, y: switch(i, [lambda a: a * y, cnp.cos, lambda a: a + 1], x), "switch",
         lambda i, x, y: [x * y, np.cos(x), x + 1][i], args=(np.asarray(0), V, V[::-1])),
    Case(_newton, "while", _newton_numpy, args=(V * V + 1,), reverse=False),
    Case(_until_large, "while", _until_large_numpy, args=(V * V,), reverse=False, name="while-until",
         lane=lambda a, k: a * (1 + k)),
]

CASES = [*ELEMENTWISE, *STRUCTURE, *SHAPING, *REDUCTIONS, *INDEX, *DOT, *CONTROL]
