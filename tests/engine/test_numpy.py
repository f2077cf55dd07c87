"""Every public function of `chainrule.engine.numpy` against NumPy: values, dtypes and shapes, also compiled.

A row is (name, arguments, keyword arguments). Values agree to 1e-13 of the largest element.
"""
import itertools
import types

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import Array, config, jit, vmap
from chainrule.engine.avals import NARROW
from chainrule.engine.errors import ConcretizationError, DtypeError, ShapeError
from tests.engine.laws import close, leaves

RNG = np.random.default_rng(5)
V, U = np.array([0.3, -1.2, 2.5, 0.7, -0.1]), np.array([1.5, 0.2, -0.4, 2.0, 0.7])
P = np.abs(V) + 0.2
Q = V / 3
M, N = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))
S = RNG.normal(size=(4, 4))
T = RNG.normal(size=(2, 3, 4))
I, J = np.array([5, -3, 0, 12, -7]), np.array([2, 2, 3, -5, -2])
K = np.array([1, 3, 0, 2, 4])
B, C = np.array([True, False, True, True, False]), np.array([True, True, False, True, False])
X = np.array([1.0, np.nan, -np.inf, np.inf, -0.0])
F32 = V.astype(np.float32)


def row(name, *args, **kwargs):
    return name, args, kwargs


def unary(names, *inputs):
    return [row(name, x) for name in names.split() for x in inputs]


ELEMENTWISE = [
    *unary("exp exp2 expm1 sin cos tan sinh cosh tanh arcsinh arctan cbrt", V, F32, K),
    *unary("sqrt log log2 log10 log1p", P, P.astype(np.float32), K + 1),
    *unary("arcsin arccos arctanh", Q), *unary("arccosh", P + 1),
    *unary("asin acos atanh", Q), *unary("acosh", P + 1), *unary("asinh atan", V),
    *unary("abs absolute negative positive sign square", V, F32, I),
    *unary("reciprocal fabs", P), *unary("fabs", I),
    *unary("floor ceil trunc fix rint round", V, F32, np.array([0.5, 1.5, -2.5, 2.5])),
    *unary("round floor ceil trunc", I),
    row("round", V, 1), row("round", np.array([0.125, 2.675]), decimals=2),
    *unary("isfinite isinf isnan isposinf isneginf signbit", X), *unary("isfinite isinf isnan", I),
    *unary("signbit", I, V),
    *unary("invert bitwise_not bitwise_invert", I, B), *unary("logical_not", B, I, V),
    *unary("bitwise_count", I, np.uint8([3, 255])), *unary("degrees rad2deg radians deg2rad sinc", V),
    *unary("sinc", np.array([0.0, 1.0, 0.5])),
    *unary("real imag conj conjugate angle", V), *unary("nan_to_num", X, I),
    row("nan_to_num", X, nan=1.0, posinf=2.0, neginf=3.0),
]
PAIRS = [
    *[row(name, *xy) for name in "add subtract multiply maximum minimum".split()
      for xy in ((V, U), (I, V), (F32, 2), (I, K), (M, V[:4]))],
    *[row(name, *xy) for name in "divide true_divide".split() for xy in ((V, U), (I, K + 1), (F32, 2), (I, 2.0))],
    *[row(name, *xy) for name in "arctan2 atan2 hypot logaddexp logaddexp2 nextafter copysign".split()
      for xy in ((V, U), (V, 2.0), (F32, U.astype(np.float32)))],
    row("logaddexp", np.array([-np.inf, np.inf, -np.inf, 800.0]), np.array([-np.inf, np.inf, 1.0, 800.0])),
    *[row(name, *xy) for name in "floor_divide remainder mod fmod divmod".split()
      for xy in ((V, U), (I, J), (V, -0.4), (I, 3))],
    row("floor_divide", I, 0 * I), row("remainder", np.uint8([7, 200]), np.uint8([3, 9])),
    row("floor_divide", np.uint8([7, 200]), np.uint8([3, 9])),
    row("power", P, U), row("pow", P, U), row("power", V, 2), row("power", I, 3), row("power", I, K),
    row("power", 2.0, V), row("power", F32, 3),
    *[row(name, *xy) for name in "bitwise_and bitwise_or bitwise_xor".split() for xy in ((I, J), (B, C), (I, 6))],
    *[row(name, I, K) for name in "left_shift right_shift bitwise_left_shift bitwise_right_shift".split()],
    *[row(name, *xy) for name in "equal not_equal less less_equal greater greater_equal".split()
      for xy in ((V, U), (I, K), (I, 0.5), (B, C))],
    *[row(name, *xy) for name in "logical_and logical_or logical_xor".split() for xy in ((B, C), (I, V))],
    row("isclose", V, V + 1e-9), row("isclose", X, X), row("isclose", X, X, equal_nan=True), row("clip", V, -0.5, 1.0),
    row("clip", I, -3, 3),
    row("clip", V, None, 0.5), row("clip", V, 0.0, None), row("where", B, V, U), row("where", B, I, 0.5),
    row("where", B),
    row("cross", RNG.normal(size=(2, 3)), np.array([1.0, 2.0, 3.0])), row("cross", V[:3], U[:3]),
]
CREATION = [
    row("array", [1, 2]), row("array", [[1.0, 2.0]]), row("array", V, np.float32), row("array", 3.0, ndmin=2),
    row("array", [True, False]),
    row("asarray", V), row("asarray", 2), row("astype", V, np.int32), row("astype", I, bool), row("zeros", 3),
    row("zeros", (2, 3), np.int32),
    row("ones", (2,)), row("full", (2, 3), 1.5), row("full", 2, 7), row("full", (2, 5), V), row("full", 2, True),
    row("zeros_like", I),
    row("ones_like", V, np.float32), row("full_like", I, 2.7), row("full_like", V, 3, shape=(2,)), row("eye", 3),
    row("eye", 2, 3, 1, dtype=int),
    row("identity", 3), row("arange", 5), row("arange", 2, 8, 3), row("arange", 1.0, 2.0, 0.25),
    row("arange", 5, 0, -2), row("arange", 3.0),
    row("arange", 3, dtype=np.float32), row("linspace", 0, 1, 5), row("linspace", 2.0, -1.0, 4, endpoint=False),
    row("linspace", 0, 1, 1),
    row("linspace", V, U, 3), row("linspace", V, U, 3, axis=1), row("linspace", 0, 3, 4, retstep=True),
    row("linspace", 0, 10, 3, dtype=int),
    row("logspace", 0, 2, 5), row("logspace", 0, 2, 3, base=2.0), row("logspace", V, U, 3, axis=1),
    row("geomspace", 1, 1000, 4), row("geomspace", -8, -1, 4), row("geomspace", P, P + 1, 3, axis=-1),
    row("geomspace", 2, 2, 1), row("geomspace", 1, 16, 5, endpoint=False), row("eye", 2, k=10 ** 30),
    row("tril", S, 10), row("triu", S, -10), row("tri", 3), row("tri", 2, 4, 1), row("tril", S),
    row("triu", T, 1), row("tril", S, -1),
    row("tril_indices", 3), row("triu_indices", 3, 1, 4), row("meshgrid", V, P[:2]),
    row("meshgrid", V, P[:2], K, indexing="ij"),
    row("meshgrid", V, U[:2], sparse=True), row("empty_like", I[:0]), row("empty", (0, 3)),
]
SHAPES = [
    row("shape", T), row("ndim", T), row("size", T), row("size", T, 1), row("reshape", T, (4, -1)),
    row("reshape", T, -1), row("ravel", T),
    row("transpose", T), row("transpose", T, (2, 0, 1)), row("permute_dims", T, (1, 2, 0)), row("matrix_transpose", T),
    row("swapaxes", T, 0, -1),
    row("moveaxis", T, 0, -1), row("moveaxis", T, (0, 1), (2, 0)), row("expand_dims", M, 1),
    row("expand_dims", M, (0, -1)),
    row("squeeze", M[None, :, None]), row("squeeze", M[None, :, None], 0), row("broadcast_to", V, (2, 5)),
    row("broadcast_arrays", V, M[:, :1]),
    row("broadcast_shapes", (3, 1), (2,)), row("concatenate", [M, M[:1]]), row("concatenate", [M, T], None),
    row("concat", [V, I]),
    row("concatenate", [M, M[:, :1]], axis=-1), row("stack", [V, U]), row("stack", [V, I], -1),
    row("unstack", M, axis=1), row("atleast_1d", 2.0),
    row("atleast_2d", V), row("atleast_3d", M), row("atleast_1d", V, 2), row("vstack", [V, U]), row("hstack", [V, U]),
    row("hstack", [M, M]),
    row("column_stack", [V, U]), row("append", V, U), row("append", M, M, axis=0), row("split", V[:4], 2),
    row("split", M, [1, 3], axis=1),
    row("flip", M), row("flip", T, (0, 2)), row("fliplr", M), row("flipud", M), row("rot90", M),
    row("rot90", T, 3, (1, 2)), row("roll", V, 2),
    row("roll", M, -1, 1), row("roll", M, (1, 2), (0, 1)), row("roll", M, 5), row("tile", V, 2),
    row("tile", M, (2, 1, 3)), row("repeat", V, 2),
    row("repeat", M, 3, 1), row("repeat", V, K), row("pad", V, 2), row("pad", M, ((1, 0), (2, 1)), constant_values=1.5),
    *[row("pad", V, (2, 3), mode) for mode in ("edge", "reflect", "symmetric", "wrap")], row("diagonal", S, 1),
    row("diagonal", T, -1, 1, 2),
    row("diag", V), row("diag", S, -1), row("diag", V, 2), row("diag", V, -1), row("diag", M, 1), row("diagflat", M),
    row("take", V, K),
    row("take", M, np.array([[2, -1], [0, 1]]), axis=0), row("take", M, 1, axis=1),
    row("take_along_axis", M, np.argsort(M, 1), 1),
    row("take_along_axis", M, np.array([[0], [-1], [2]]), axis=1), row("nonzero", I), row("nonzero", M > 0),
    row("flatnonzero", I),
    row("delete", V, 1), row("delete", M, [0, 2], axis=1), row("insert", V, 2, 9.0), row("insert", M, 1, V[:4], axis=0),
    row("insert", V, -1, 3.0),
]
REDUCTIONS = [
    *[row(name, T, **kwargs) for name in "sum prod max min amax amin mean std var ptp median".split()
      for kwargs in ({}, {"axis": 1}, {"axis": (0, -1)}, {"axis": 0, "keepdims": True})],
    *[row(name, x) for name in "sum prod max min mean std var cumsum cumprod median".split()
      for x in (I, F32, K.astype(np.uint8))],
    row("sum", B), row("mean", B), row("cumsum", B), row("sum", V, where=B), row("sum", V, initial=2.0),
    row("sum", I, dtype=np.float32), row("mean", V, where=B),
    row("max", V, where=B, initial=-9.0), row("min", V, initial=-9.0), row("max", X), row("min", X[:3]),
    row("sum", np.zeros((0, 3)), 0), row("prod", np.zeros(0)),
    row("var", T, 1, ddof=1), row("std", M, ddof=1), row("var", V, correction=1),
    *[row(name, T > 0, **kw) for name in ("all", "any") for kw in ({}, {"axis": 1},
                                                                   {"axis": (0, 2), "keepdims": True})],
    row("all", I), row("any", V), row("count_nonzero", I), row("count_nonzero", T > 0, 1),
    *[row(name, T, **kw) for name in ("argmax", "argmin") for kw in ({}, {"axis": 1}, {"axis": -1, "keepdims": True})],
    row("argmax", X), row("argmin", I), row("cumsum", T, 1), row("cumprod", M, -1), row("cumsum", M), row("sort", V),
    row("sort", T, 1), row("sort", X), row("sort", M, None),
    row("argsort", I), row("argsort", T, 0), row("argsort", X), row("searchsorted", np.sort(V), U),
    row("searchsorted", np.sort(I), I, side="right"), row("searchsorted", np.sort(V), 0.3),
    row("quantile", V, 0.3), row("quantile", M, [0.0, 0.25, 1.0], axis=1),
    row("quantile", T, 0.6, axis=(0, 2), keepdims=True), row("percentile", M, 30, axis=0), row("quantile", X, 0.5),
    row("average", V), row("average", V, weights=P), row("average", M, axis=1, weights=P[:4]), row("diff", V),
    row("diff", M, 2, 0), row("cov", M), row("cov", V, U), row("cov", M, ddof=0),
    row("cov", V), row("corrcoef", M), row("corrcoef", V, U), row("trapezoid", V),
    row("trapezoid", M, np.arange(4.0) ** 2, axis=1), row("trapezoid", M, dx=0.5, axis=0),
    *[row(name, x) for name in "nansum nanmean nanmax nanmin".split() for x in (np.array([1.0, np.nan, 3.0]),)],
    row("nansum", np.where(M > 1, np.nan, M), 1), row("nanmean", np.where(M > 1, np.nan, M), 0),
    row("array_equal", V, V), row("array_equal", V, U), row("array_equal", V, M), row("allclose", V, V + 1e-9),
    row("allclose", V, U), row("unique", np.array([3, 1, 3])),
    row("unique", np.array([3, 1, 3]), return_counts=True), row("unique", np.array([3, 1, 3]), return_index=True,
                                                                return_inverse=True), row("bincount", K),
                                                                row("bincount", K, minlength=7),
                                                                row("bincount", K, weights=V),
]
PRODUCTS = [
    *[row("matmul", a, b) for a, b in ((M, N), (V, U), (M, N[:, 0]), (V[:3], M), (T, N), (T, T.swapaxes(1, 2)),
                                       (T, V[:4]), (I, K), (M, T.swapaxes(1, 2)), (V[:3], T))],
    *[row("dot", a, b) for a, b in ((M, N), (V, U), (2.0, V), (T, N), (M, T.swapaxes(1, 2)))], row("vdot", M, M),
    row("inner", V, U), row("inner", M, T), row("inner", 2.0, V),
    row("vecdot", M, M), row("vecdot", T, M), row("vecdot", M, M, axis=0), row("matvec", T, V[:4]),
    row("vecmat", V[:3], T), row("outer", V, U), row("outer", M, V), row("kron", M, N), row("trace", S),
    row("trace", T, 1, 1, 2),
    row("tensordot", M, N, 1), row("tensordot", T, T, ([0, 2], [0, 2])), row("tensordot", T, M, ([1, 2], [0, 1])),
    row("tensordot", V, U, 0), row("tensordot", T, N, (2, 0)),
    *[row("einsum", s, *xs) for s, xs in (("ij,jk->ik", (M, N)), ("ij,jk", (M, N)), ("ii->i", (S,)), ("ii", (S,)),
                                          ("ij->", (M,)), ("abc,ab->c", (T, T[..., 0])), ("...j,jk->...k", (T, N)),
                                          ("...j,...j->...", (T, M)), ("i,j,k->kij", (V, U, P)),
      ("ij,kj,lj->ikl", (M, M, M)), ("abc->cab", (T,)), ("ab,bc,cd->ad", (M, N, N.T)),
      ("aab->b", (RNG.normal(size=(3, 3, 2)),)), ("i,i->i", (V, U)), ("ij,ij->j", (M, M)), ("b...,b...->...", (T, T)))],
]
SIGNALS = [
    *[row(name, a, b, mode) for name in ("convolve", "correlate") for mode in ("full", "same", "valid")
      for a, b in ((V, U[:2]), (U[:2], V), (I, K[:3]), (V + 1j, U[:4] * 1j))],
    row("interp", U, np.sort(V), P), row("interp", U * 3, np.sort(V), P, left=-1.0, right=7.0),
    row("interp", U, V, P, period=1.7), row("interp", U, np.sort(V), P + 1j * V), row("interp", 0.3, V[:1], P[:1]),
    *[row(name, n) for name in ("bartlett", "blackman", "hamming", "hanning") for n in (0, 1, 6)],
    *[row("kaiser", n, 3.5) for n in (0, 1, 6)],
]
OTHER = [row("result_type", np.float32, 1.0), row("result_type", np.int8, np.uint8), row("result_type", 1, 2.0),
         *SIGNALS]
ROWS = [*ELEMENTWISE, *PAIRS, *CREATION, *SHAPES, *REDUCTIONS, *PRODUCTS, *OTHER]
NEWER = {"matvec", "vecmat", "unstack"}                  # came to NumPy after 2.0
TYPES = ("bool_ bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128 "
         "dtype generic number inexact integer signedinteger unsignedinteger floating complexfloating e euler_gamma "
         "inf nan newaxis pi half single double csingle cdouble byte ubyte short ushort intc uintc int_ uint intp "
         "uintp long ulong").split()
STANDARD = set("astype can_cast finfo iinfo isdtype issubdtype promote_types from_dlpack intersect1d isin setdiff1d "
               "longlong ulonglong setxor1d union1d unique_all unique_counts unique_inverse unique_values".split())
ALONE = {"einsum_path", "flatten", "ndarray"} | set(NARROW) | STANDARD  # below, test_array_api.py, test_sets.py
NOT_COMPILED = {"unique", "shape", "ndim", "size", "broadcast_shapes", "result_type", "nonzero", "flatnonzero"}


def label(case):
    return "-".join([case[0], *[str(a.dtype) if isinstance(a, np.ndarray) else type(a).__name__ for a in case[1]]])


def public():
    return {name for name, v in vars(cnp).items() if not name.startswith("_") and not isinstance(v, types.ModuleType)}


def agree(found, expected):
    found, expected = leaves(found), leaves(expected)
    assert [f.shape for f in found] == [e.shape for e in expected]
    assert [f.dtype for f in found] == [e.dtype for e in expected]
    close(found, expected, 1e-5 if any(e.dtype == np.float32 for e in expected) else 1e-13)


def as_lists(out):
    """NumPy gives tuples where we give lists, and the other way round."""
    return [as_lists(v) for v in out] if isinstance(out, (tuple, list)) else out


def in_numpy(name, args, kwargs):
    if not hasattr(np, name) and name in NEWER:
        pytest.skip(f"this NumPy has no {name}")
    with np.errstate(all="ignore"):
        return getattr(np, {"fix": "trunc"}.get(name, name))(*args, **kwargs)       # newer NumPy warns of fix


@pytest.mark.parametrize("case", ROWS, ids=label)
def test_a_function_is_numpys(case):
    name, args, kwargs = case
    expected = in_numpy(*case)
    found = getattr(cnp, name)(*args, **kwargs)
    if name == "result_type":
        assert found == expected
        return
    agree(as_lists(found), as_lists(expected))


def traced_positions(name, args, kwargs):
    """The arguments that may be traced: arrays of numbers (not shapes, axes, or counts)."""
    known = {"repeat": (0,), "bincount": (), "insert": (0,), "delete": (0,),
             "where": (0, 1, 2) if len(args) > 1 else (), "isclose": (0, 1),
             "full": (1,)}
    return [i for i in known.get(name, range(len(args))) if isinstance(args[i], np.ndarray)]


@pytest.mark.parametrize("case", [c for c in ROWS if c[0] not in NOT_COMPILED and traced_positions(*c)], ids=label)
def test_a_function_is_the_same_under_vmap_and_with_traced_arguments(case):
    name, args, kwargs = case
    places = traced_positions(*case)

    def f(*chosen):
        full = list(args)
        for i, x in zip(places, chosen):
            full[i] = x
        return as_lists(getattr(cnp, name)(*full, **kwargs))
    # staged, then evaluated by NumPy: XLA is test_contract's matter
    with config(disable_jit=True):
        agree(jit(f)(*[args[i] for i in places]), as_lists(getattr(cnp, name)(*args, **kwargs)))


def test_constants_and_types_are_numpys():
    for name in TYPES:
        ours, theirs = getattr(cnp, name), getattr(np, name)
        assert ours is theirs or ours == theirs or (ours != ours and theirs != theirs)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_cross_product_of_plane_vectors_is_that_in_the_plane_z_0():
    x, y = np.array([[1.0, 2.0], [-0.5, 3.0]]), np.array([[0.3, -1.0], [2.0, 0.7]])
    flat = [np.concatenate([v, np.zeros((2, 1))], -1) for v in (x, y)]
    expected = np.cross(*flat)
    np.testing.assert_array_equal(np.asarray(cnp.cross(x, y)), expected[:, 2])
    np.testing.assert_array_equal(np.asarray(jit(cnp.cross)(x, flat[1])), expected)
    np.testing.assert_array_equal(np.asarray(vmap(cnp.cross)(flat[0], y)), expected)


def test_flatten_is_ravel_and_ndarray_is_the_class_of_arrays():
    assert cnp.flatten is cnp.ravel and cnp.ndarray is Array


DTYPES = [np.dtype(d) for d in "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 "
                               "complex64 complex128".split()]
SCALARS = [True, 2, 1.5, 1.5j]


@pytest.mark.parametrize("d", DTYPES, ids=str)
def test_all_pairs_of_dtypes_promote_as_in_numpy(d):
    for other in DTYPES:
        a, b = np.ones(2, d), np.ones(2, other)
        assert cnp.result_type(a, b) == np.result_type(a, b)
        found = (cnp.asarray(a) * cnp.asarray(b)).dtype
        assert found == (a * b).dtype, other
    for scalar in SCALARS:
        assert cnp.result_type(cnp.ones(2, d), scalar) == np.result_type(np.ones(2, d), scalar), scalar
        assert (cnp.ones(2, d) * scalar).dtype == (np.ones(2, d) * scalar).dtype, scalar
        assert (scalar + cnp.ones((), d)).dtype == (scalar + np.ones(1, d)).dtype, scalar


@pytest.mark.parametrize("x,y", list(itertools.product(SCALARS[:3], repeat=2)))
def test_python_scalars_alone_promote_as_in_numpy(x, y):
    assert cnp.add(x, y).dtype == np.result_type(type(x), type(y))


def test_the_default_float_may_be_float32():
    with config(default_float="float32"):
        assert cnp.zeros(2).dtype == cnp.asarray(1.0).dtype == cnp.asarray([1.0]).dtype == np.float32
        assert cnp.sin(1).dtype == (cnp.arange(3) * 1.5).dtype == (cnp.arange(3) / 2).dtype == np.float32
        assert cnp.linspace(0, 1, 3).dtype == cnp.mean(cnp.arange(3)).dtype == np.float32
        assert jit(lambda x: x * 2.5 + cnp.eye(1))(1.0).dtype == np.float32


def test_what_is_not_a_number_is_no_array():
    for bad in ("a", ["a"], {"a": 1}, np.array(["x"]), np.array([1, "b"], object), [[1], [1, 2]]):
        with pytest.raises(DtypeError):
            cnp.asarray(bad)


@pytest.mark.parametrize("f", [
    lambda: cnp.ones(3) + cnp.ones(4), lambda: cnp.matmul(M, M), lambda: cnp.matmul(2.0, M),
    lambda: cnp.reshape(V, (2, 3)),
    lambda: cnp.reshape(V, (-1, -1)), lambda: cnp.concatenate([M, N]), lambda: cnp.stack([V, M]), lambda: cnp.sum(V, 1),
    lambda: cnp.sum(M, (0, 0)),
    lambda: cnp.max(np.zeros(0)), lambda: cnp.squeeze(M, 0), lambda: cnp.broadcast_to(V, (2, 4)),
    lambda: cnp.transpose(M, (0, 0)),
    lambda: cnp.einsum("ij,jk->ik", M, M), lambda: cnp.einsum("ij->i", V), lambda: cnp.split(V, 2),
    lambda: cnp.dot(M, M), lambda: cnp.concatenate([]),
    lambda: cnp.tril(V), lambda: cnp.diag(T), lambda: cnp.tensordot(M, M, 1), lambda: cnp.concatenate([V, M]),
    lambda: cnp.inner(V, V[:3])])
def test_shapes_that_do_not_fit_raise(f):
    with pytest.raises(ShapeError):
        f()


@pytest.mark.parametrize("f", [cnp.unique, cnp.nonzero, cnp.bincount, lambda x: cnp.where(x),
                               lambda x: cnp.repeat(V, x), lambda x: cnp.arange(x[0])])
def test_a_size_that_depends_on_traced_values_raises(f):
    with pytest.raises(ConcretizationError):
        jit(f)(K)
