"""Rows of NumPy's functions that sort, search, count and ask, and of those that apply functions."""
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.engine.numpy_rows import ANY, BOOL, COMPLEX, EDGES, FLOATS, INTS, Arr, Row, call, calls, reduction

RNG = np.random.default_rng(23)
V, U, M, T = RNG.normal(size=5), RNG.normal(size=40), RNG.normal(size=(3, 4)), RNG.normal(size=(2, 3, 4))
I, K = np.array([5, -3, 0, 12, -7]), np.array([1, 3, 0, 2, 4, 1, 1])
N = np.array([2.0, np.nan, -0.0, 0.0, -np.inf, np.inf, 1.0, np.nan])
C = np.array([1 + 2j, 1 - 2j, np.nan, 1 + np.nan * 1j, -3, 1 + 2j])
B = np.array([True, False, True, True, False])
S = np.sort(U)
E, E0, X = np.zeros((0, 3)), np.zeros(0), np.asarray(2.5)
DIGITS = RNG.integers(0, 3, (4, 6))
F32 = M.astype("float32")
BYTES = RNG.integers(0, 256, (2, 3)).astype("uint8")

VALUES = Arr((*FLOATS, *INTS, "bool", *COMPLEX), -3, 3, EDGES)
REALS = Arr((*FLOATS, *INTS), -3, 3, EDGES)


def sorting(name, spec, options, **row):
    """A row for a function along one axis: axis, and further keywords, drawn."""
    @st.composite
    def draw_all(draw, smooth):
        shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=7))
        dtype = "float64" if smooth else draw(st.sampled_from(spec.dtypes))
        x = spec.sample(dtype, shape, draw(st.integers(0, 2 ** 16)), smooth)
        kwargs = {"axis": draw(st.sampled_from([None, *range(-len(shape), len(shape))]))}
        for key, values in options.items():
            if draw(st.booleans()):
                kwargs[key] = draw(st.sampled_from(values))
        return (x,), kwargs
    return Row(name, lambda smooth: draw_all(smooth), **row)


def stable(f):
    """NumPy's argsort made stable, as ours always is."""
    def g(x, axis=-1, kind=None, order=None, **kwargs):
        return f(x, axis, "stable", order)
    return g


def searching():
    """Sorted vectors of any dtype, and what to look for among their elements and beside them."""
    @st.composite
    def draw_all(draw):
        dtype, seed = draw(st.sampled_from(VALUES.dtypes)), draw(st.integers(0, 2 ** 16))
        n = draw(st.sampled_from([0, 1, 2, 5, 17, 40]))
        a = np.sort(VALUES.sample(dtype, (n,), seed))
        v = VALUES.sample(dtype, draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=5)), seed + 1)
        kwargs = {"side": draw(st.sampled_from(["left", "right"]))} if draw(st.booleans()) else {}
        return (a, v), kwargs
    return Row("searchsorted", lambda smooth: draw_all(), traced=(1,))


SORTING = [
    sorting("sort", VALUES, {"kind": [None, "quicksort", "mergesort", "heapsort", "stable"]}, grad=(0,)),
    sorting("argsort", VALUES, {"kind": ["stable", "mergesort"]}, numpy=stable(np.argsort)),
    calls("sort", call(N), call(C), call(N, kind="stable"), call(M, 2), call(M, kind="bubble"), call(X), call(X, None),
          call(V, order="name"), call([3, 1, 2]), call(E), call(E, 0), call(T, axis=np.int64(1)), call(V, stable=True),
          call(V, kind="stable", stable=True), label="given"),
    calls("argsort", call(C), call(N, kind="stable"), call(M, 2), call(X, None), call(E, 0), call([3, 1, 2]),
          call(DIGITS, 0, stable=True), call(V, kind="odd"), label="given"),
    calls("sort_complex", call(V), call(C), call(M), call(I), call(F32), call(I.astype("int8")), call([2, 1]),
          call(I.astype("uint16"))),
    calls("lexsort", call((DIGITS[0], DIGITS[1])), call(DIGITS), call((DIGITS, DIGITS[::-1])), call((DIGITS,), 0),
          call((V, I)), call((I, B)), call([V]), call((DIGITS, DIGITS[::-1]), axis=0), call((V, M)), call([]),
          call((N, N[::-1])), call(DIGITS, 1), call(np.stack([DIGITS, DIGITS]), 1), traced=(0,)),
    searching(),
    calls("searchsorted", call(S, U), call(V, 0.5, sorter=np.argsort(V)), call(V, U, "right", np.argsort(V)),
          call(S, 0.3), call(N[np.argsort(N)], N), call(M, 1.0), call(I, 3, side="middle"), call([1, 2, 3], [2.5, 0]),
          call(np.uint8([1, 5]), -1), call(np.int8([1, 5]), 3), call(S.astype("float32"), U), call([1, 2], [[1], [2]]),
          label="given"),
    calls("digitize", call(V, [-1.0, 0, 1]), call(V, np.array([-1.0, 0, 1]), right=True), call(V, [1.0, 0, -1]),
          call(V, [1.0, 0, -1], True), call(M, S), call(I, [0, 1, 5, 12]), call(I, [0, 5, 12], True), call(V, []),
          call(V, [0.5]), call(V, [0, 2, 1]), call(0.5, [0, 1]), call(N, [-1, 0, 1]), call(V, M), call(C, [0, 1]),
          call(np.array([0.0, 1, 2]), np.array([0.0, 1, 1, 2])),
          *[call(DIGITS, [2, 1, 1, 0], r) for r in (False, True)],
          *[call(DIGITS, [0, 0, 1, 2], r) for r in (False, True)],
          traced=(0, 1)),
]
COUNTING = [
    reduction("count_nonzero", ANY(), axes=True, min_side=0, grad=()),
    reduction("count_nonzero", BOOL(), grad=(), label="bool"),
    calls("count_nonzero", call(X, 0), call(X, -1), call(X, 1), label="number"),
    calls("bincount", call(K), call(K, minlength=8), call(K, V[[0, 1, 2, 3, 4, 0, 1]]), call(K, np.arange(7)),
          call(np.array([], int)), call([]), call(E0), call([1, -1]), call(V), call(DIGITS), call(K, V), call([True]),
          call(K.astype("uint8")), call(K, None, 3), call(K, minlength=-1), call(K, np.arange(7) * 1j),
          call(K, np.arange(7, dtype="float32")), compiled=False),
    calls("histogram", call(U), call(U, 5), call(U, [-2, -1, 0, 3]), call(U, 4, (-1, 1)), call(U, 5, density=True),
          call(U, 5, weights=S), call(U, 3, weights=np.arange(40)), call(U, 3, weights=U.astype("float32")),
          call(I), call(I, 4), call(E0), call(M, 3, (0, 1)), call(U, [0, 1, 0.5]), call(U, 0),
          call(U, 2.5), call(U, 3, (1, 0)), call(N), call(N, 3, (-1, 2)), call(B, 2), call(U, 5, weights=V), call(C),
          call(K, bins=np.arange(6)), call(F32, 3), call(F32, 3, (-1, 2)), call(F32, 3, (np.float64(-1), 2)),
          call(U, 3, weights=S * 1j),
          call(U, [[1, 2]]), call(U, [1.0]), call(I.astype("uint8"), 3), traced=(0,)),
    calls("histogram", call(np.zeros(3)), compiled=False, label="an edge between equal numbers"),
    calls("histogram_bin_edges", *[call(U, b) for b in ("auto", "fd", "doane", "scott", "stone", "rice", "sturges",
                                                        "sqrt", "none", 3)], call(I, "auto"), call(U, "fd", (-1, 1)),
          call(U, 4, weights=S), call(U, "auto", weights=S), call(U, [1, 2, 5]), compiled=False),
    calls("histogram2d", call(U, S), call(U, S, 3), call(U, S, [2, 3]), call(U, S, [[-1, 0, 1], 4]),
          call(U, S, 3, [[-1, 1], [0, 2]]), call(U, S, [-1, 0, 1, 2]), call(U, S, 3, density=True),
          call(U, S, 2, weights=S), call(U, V), call(U, S, np.array([-1.0, 0.5, 2])), call(U, S, [4]), traced=(0, 1)),
    calls("histogramdd", call(np.stack([U, S, U[::-1]], 1), 3), call((U, S), (2, 3)), call([U, S], 2, density=True),
          call(U, 3), call(np.stack([U, S], 1), 2, weights=S), call(np.stack([U, S], 1), 2, [(-1, 1), None]),
          call(np.stack([U, S], 1), [[-1, 0, 1], [-2.0, 2.0]]), call((U, S), (2, 3, 4)), call(T, 2),
          call((U, S), 2, weights=V), traced=(0,)),
]
ASKING = [
    *[calls(name, *[call(x) for x in (V, I, C, B, X, 1.0, 2j, [1, 2j], E0)]) for name in ("iscomplex", "isreal")],
    *[calls(name, *[call(x) for x in (V, I, C, B, 1.0, 2j, [1, 2j])]) for name in ("iscomplexobj", "isrealobj")],
    calls("real_if_close", call(C), call(V + 1e-15j), call(V + 1e-5j), call(V + 1e-5j, 1e12), call(V),
          call(V + 1e-5j, 1e-4),
          compiled=False),
    calls("array_equal", call(V, V), call(V, U), call(V, V + 1), call(N, N), call(N, N, equal_nan=True), call(I, V),
          call(C, C, True), call([1, 2], (1, 2)), call(M, M[:1]), call(E0, E0), call(X, 2.5), call(B, B, True)),
    calls("array_equiv", call(V, V), call(M, M[:1]), call(np.ones((2, 3)), 1), call(V, U), call(N, N), call(X, 2.5)),
    calls("common_type", call(V), call(I), call(F32), call(F32, I), call(F32, C), call(F32.astype("float16")), call(B),
          call(V, C), numpy=lambda *xs: np.dtype(np.common_type(*xs)).type, compiled=False),
    calls("min_scalar_type", call(10), call(-1), call(300), call(1e50), call(1.5), call(3.1j), call(V), call(True),
          call(np.int64(3)), compiled=False),
    *[calls(name, *[call(x) for x in (V, M, I, C, B, 3, 2.5, X)])
      for name in ("copy", "asanyarray", "ascontiguousarray", "asfortranarray", "require")],
    calls("require", call(V, "float32", "C"), call(I, float, ["C", "A"]), label="dtype"),
    calls("packbits", *[call(x, a, o) for x in (B, DIGITS > 0, DIGITS, np.arange(16) % 3, np.zeros((0, 3), bool), T > 0)
                        for a in (None, 0, -1) for o in ("big", "little")], call(V), call(B, 1), call(B, 0, "odd"),
          call(True), call([[1, 0, 1]])),
    calls("unpackbits", *[call(x, a, n, o) for x in (BYTES, BYTES[0]) for a in (None, 0, -1)
                          for n in (None, 0, 5, 20, -3) for o in ("big", "little")], call(I), call(BYTES, 2),
          call(BYTES, 0, -99), call(BYTES, bitorder="odd"), call(np.uint8(3)), call(np.uint8(3), 0),
          call(BYTES[:0]), call(BYTES[:0], 0)),
    calls("mintypecode", call(["d", "f"]), call("dF"), compiled=False),
    calls("asarray_chkfinite", call(V), call(N), call(I), call(C), call([1.0, np.inf]), call(V, "float32"),
          compiled=False),
    calls("iterable", call(V), call(X), call(3), call([1]), call("ab"), compiled=False),
    calls("isscalar", call(3), call(2.5), call("a"), call(np.float64(1)), call([1]), call(V), call(1j), compiled=False),
    calls("base_repr", call(5), call(-255, 16), call(7, 3, 4), call(5, 99), compiled=False),
    calls("binary_repr", call(5), call(-3, 6), call(3, 8), compiled=False),
    *[calls(name, *[call(x) for x in (V, M, I, C, B, F32, E0, E)], call(V, precision=2), compiled=False)
      for name in ("array_repr", "array_str", "array2string")],
    calls("format_float_positional", call(1.5), call(1e20, trim="-"), compiled=False),
    calls("format_float_scientific", call(1.5), call(123456.0, precision=2), compiled=False),
    calls("fromiter", call((1, 2, 3), int), call((1.5, 2), "float32", 2), call((1,), int, 3), compiled=False),
    calls("frombuffer", call(b"\0\1\2\3", "uint8"), call(b"\0\1\2\3", "uint16", 1, 2), call(b"\0\1\2", "uint16"),
          compiled=False),
    calls("fromstring", call("1 2 3", sep=" "), call("1,2", "int32", sep=","), compiled=False),
]


def spread(row):
    return row.max() - row.min()


APPLYING = [
    calls("apply_along_axis", *[call(f, a, T) for a in (-1, 0, 1, 3) for f in (spread, lambda r: r * 2)],
          call(lambda r: r[:, None] * r, 1, M), call(lambda r, a, b=1: (r * a + b).sum(), 0, M, 2, b=3),
          call(spread, 0, X),
          call(spread, 0, V), call(spread, 1, E), call(spread, 0, np.zeros((3, 0))), grad=(2,)),
    calls("apply_over_axes", *[call(f, x, a) for x in (T, M) for a in (0, (0, 1), [-1], (0, 2))
                               for f in (lambda x, axis: x.sum(axis), lambda x, axis: x.max(axis, keepdims=True))],
          call(lambda x, axis: x.sum(), T, 0), grad=(1,)),
]
ROWS = [*SORTING, *COUNTING, *ASKING, *APPLYING]
ELSEWHERE = {name: "test_numpy_host.py" for name in (
    "partition argpartition vectorize errstate load save savez savez_compressed loadtxt savetxt genfromtxt fromfile "
    "may_share_memory shares_memory ndenumerate ndindex set_printoptions get_printoptions printoptions copyto").split()}
