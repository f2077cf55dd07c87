"""Rows of NumPy's functions of shapes: reshaping, moving axes, turning round, joining, cutting, repeating, padding."""
import numpy as np

from tests.engine.numpy_rows import call, calls

RNG = np.random.default_rng(21)
V, U = RNG.normal(size=5), RNG.normal(size=5)
M = RNG.normal(size=(3, 4))
S = RNG.normal(size=(4, 4))
T = RNG.normal(size=(2, 3, 4))
Q = RNG.normal(size=(3, 3, 3))
I = np.array([5, -3, 0, 12, -7])
C = (RNG.normal(size=(2, 3)) + 1j * RNG.normal(size=(2, 3))).astype("complex64")
B = np.array([[True, False, True], [False, False, True]])
E = np.zeros((0, 3))
E0 = np.zeros(0)
X = np.asarray(2.5)
F32 = M.astype("float32")
SAMPLES = (V, M, T, I, C, B, E, F32)
L = [[1, 2, 3], [4, 5, 6]]


def moves(name, *examples, **options):
    """A row for a function that only moves elements of its first argument."""
    return calls(name, *examples, **{"grad": (0,), "traced": (0,), "ulps": 0} | options)


def on_all(*args, **kwargs):
    """One call for each sample array, for a number and for lists."""
    return [call(x, *args, **kwargs) for x in (*SAMPLES, X, 3.0, 2, L)]


RESHAPING = [
    moves("reshape", *[call(T, s, **k) for s in ((4, 6), (-1, 2), -1, 24, (2, 2, 2, 3), np.int64(24), [3, 8],
                                                 np.array([6, 4]), (5, 5), (-1, -1), (0, -1))
                       for k in ({}, {"order": "F"}, {"order": "A"}, {"order": "C"})],
          call(E, (3, 0)), call(E, (-1,)), call(E, (0, 7)), call(E, (0, -1)), call(X, ()), call(X, (1, 1)),
          call(V[:1], ()), call(L, 6),
          call(3, (1,)), call(C, (3, 2), order="F"), call(T, 24, copy=True), call(T, 24, order="Z")),
    moves("ravel", *on_all(), *[call(T, order=o) for o in "CFAK"], call(L, "F"), call(T, "Q")),
    moves("squeeze", *on_all(), call(M[None, :, None]), call(M[None, :, None], 0), call(M[None, :, None], (0, -2)),
          call(M[None], -3), call(M, 0), call(M[None], (0, 0)), call(X, ()), call(X, 0), call(X, -1), call(X, 1),
          call(M[None], 5)),
    moves("expand_dims", *on_all(0), call(M, -1), call(M, (0, -1)), call(M, [1, 2]), call(X, (0, 1)), call(M, (0, 0)),
          call(M, 4), call(M, -4), call(M, (2, -1)), call(M, np.int64(1)), call(M, ())),
    *[moves(f"atleast_{n}d", *on_all(), call(X, V), call(), call(V, 2, M)) for n in (1, 2, 3)],
    moves("transpose", *on_all(), call(T, (2, 0, 1)), call(T, [0, -1, 1]), call(T, (0, 0, 1)), call(T, (0, 1)),
          call(T, (0, 1, 3)), call(V, (0,)), call(V, 0), call(X, ()), call(T, np.array([1, 0, 2]))),
    moves("permute_dims", call(T, (2, 0, 1)), call(T), call(T, (1, 0, -1))),
    moves("matrix_transpose", *on_all(), grad=(0,)),
    moves("swapaxes", *on_all(0, -1), call(T, 0, 2), call(T, -3, 1), call(T, 1, 3), call(T, np.int64(0), 1)),
    moves("moveaxis", *on_all(0, -1), call(T, (0, 1), (2, 0)), call(T, [0, 1], [-1, -2]), call(T, (0, 0), (1, 2)),
          call(T, (0, 1), (1, 1)), call(T, (0, 1), (2,)), call(T, 3, 0), call(T, (), ())),
    moves("rollaxis", *[call(T, a, s) for a in range(-3, 3) for s in range(-3, 4)], call(T, 3), call(T, 0, 4),
          call(T, 2), call(M, 1)),
    moves("broadcast_to", call(V, (2, 5)), call(M[:, None], (2, 3, 7, 4)), call(X, (2, 2)), call(3, 4), call(V, 5),
          call(V, (5, 2)), call(M, 4), call(E, (2, 0, 3)), call(X, ()), call([1, 2], (2, 2)), call(V[:1], (0,))),
    moves("broadcast_arrays", call(V, M[:, :1]), call(V), call(V, 2), call(), call(M, V), call(E, M[:1, :3]),
          call([1, 2], [[3], [4]]), grad=(0, 1), traced=None),
    calls("broadcast_shapes", call((3, 1), (2,)), call(3, (2, 1)), call(), call((0,), (1,)), call((2,), (3,)),
          call((np.int64(2),), 2), compiled=False),
    calls("shape", *on_all()), calls("ndim", *on_all()),
    calls("size", *on_all(), call(T, 1), call(T, -1), call(T, (0, 2)), call(T, 3)),
]
TURNING = [
    moves("flip", *on_all(), call(T, 0), call(T, (0, -1)), call(T, 3), call(T, (0, 0)), call(T, ()), call(V, -1)),
    moves("fliplr", *on_all()), moves("flipud", *on_all()),
    moves("rot90", *[call(M, k) for k in (-3, -1, 0, 1, 2, 3, 4, np.int64(5))], call(T, 1, (1, 2)), call(T, 3, (2, 0)),
          call(T, 2, (0, 1)), call(V), call(M, 1, (0, 0)), call(M, 1, (0, 2)), call(M, 1, (0, 1, 2)), call(L),
          call(T, 1, (0, -1)), call(M, 1, (1, 0))),
    moves("roll", *on_all(2), call(V, -7), call(M, 1, 0), call(M, -1, -1), call(M, (1, 2), (0, 1)), call(M, 1, (0, 1)),
          call(M, (1, 2), 0), call(M, (1, 2), None), call(M, (1, 2), (0, 0)), call(M, np.int64(5), np.int64(1)),
          call(M, np.array([1, 2]), (0, 1)), call(M, 1, 2), call(M, (1, 2, 3), (0, 1)), call(E, 1, 0)),
    moves("roll", call(M, np.asarray(2)), call(M, np.asarray(-1), 1), call(V, np.asarray(7)), traced=None,
          label="traced shift"),
]
JOINING = [
    moves("concatenate", call([M, M[:1]]), call((M, F32, B[:, :1].repeat(4, 1))), call([M, T], None),
          call([M, M[:, :1]], axis=-1), call([V, I]), call([V, 2]), call([1, 2]), call([]), call(M), call([M, V]),
          call([M, M[:, :2]]), call([M, M], 2), call([[1, 2], [3.5]]), call([V, I], dtype="float32"),
          call([V, I], dtype=int), call([V, I], dtype=int, casting="unsafe"), call([C, B], 0), call([E, E]),
          call([V], 0), call([X, 2], None), call(T, 1), call([[True], [1]]), call(3), grad=(0,)),
    moves("concat", call([V, I]), call(T, -1)),
    moves("stack", call([V, U]), call([V, I], -1), call([V, U], 1), call([V, M]), call([]), call(T, 1), call([1, 2.5]),
          call([V, U], 2), call([V, I], dtype="float32"), call([V, U], dtype=int), call([X, X]), call([L, L], 1),
          call([V, I], axis=np.int64(0)), call([V, U], casting="no"), grad=(0,)),
    *[moves(f"{name}stack", call([V, U]), call([M, M]), call([M, V[:4]]), call([V, M]), call([1, 2]), call([X, V]),
            call([T, T]), call(T), call(M), call([]), call([[1], [2]]), call([E, E]), call((V,)), call([B, C]),
            grad=(0,)) for name in "vhd"],
    *[moves(f"{name}stack", call([V, I], dtype="float32"), call([V, I], dtype=int), call([V, I], casting="no"),
            grad=(), compiled=False, label="dtype") for name in "vh"],
    moves("column_stack", call([V, U]), call([M, V[:3]]), call([V, V[:2]]), call([1, 2]), call(M), call([I, V]),
          call([])),
    calls("block", call([[S, np.ones((4, 1))], [np.zeros((1, 4)), 2]]), call([V, I]), call(V), call([1, 2, 3]), call(3),
          call([[1, 2], [3]]), call([[V], [V]]), call([[V], U]), call([]), call([[]]), call([[[1]], [[2]]]),
          call([T, T]), call([[T], [T]]), call((1, 2)), call([[M, M], [M, M]]), call([B, C])),
    moves("append", call(V, U), call(M, M, axis=0), call(M, M[:, :1], -1), call(M, V, 0), call(M, V), call(3, 4),
          call(I, V), call([1], [[2]]), call(M, M, 2), call(E, [[1, 2, 3]], 0), grad=(0, 1), traced=None),
]
CUTTING = [
    *[moves(name, *[call(x, k, a) for x in (V, M, T, I) for k in (1, 2, 3, [1, 3], [2, 2], [-1], [9], [], [3, 1],
                                                                   np.array([1, 2]), 0, -1)
                    for a in (0, -1)], call(M, 2, 2), call(X, 1), call(E, 3, 1), call(E, 2))
      for name in ("split", "array_split")],
    *[moves(name, call(T, 2), call(T, [1]), call(M, 2), call(V, 5), call(X, 1), call(np.stack([T, T]), 2))
      for name in ("vsplit", "hsplit", "dsplit")],
    moves("unstack", *[call(T, axis=a) for a in (-1, 0, 1, 2, 3)], call(V), call(X), call(E), call(E, axis=1)),
]
REPEATING = [
    moves("tile", *on_all(2), call(M, (2, 1, 3)), call(T, (2,)), call(M, ()), call(M, 0), call(M, (1, 0)),
          call(V, np.int64(2)), call(V, [2, 2]), call(X, (2, 3)), call(V, np.array([2, 1]))),
    moves("repeat", *on_all(2), call(M, 3, 1), call(M, 0, 0), call(V, [0, 1, 2, 0, 3]), call(M, [1, 2, 3], 0),
          call(M, [2], 1), call(M, [1, 2], 0), call(V, -1), call(V, [[1]]), call(M, 2, 2), call(3, 2), call(X, 2, 0),
          call(X, [2], -1), call(X, 2, 1),
          call(M, np.array([0, 2, 1]), axis=-2), call(E, 2, 1), call(V, np.int64(2)), call(E0, []), traced=(0,)),
    moves("resize", *on_all((2, 7)), call(V, 3), call(V, 12), call(V, ()), call(V, (0,)), call(E, (2, 2)), call(M, -1),
          call(M, np.int64(4)), call(V, (2, 0))),
    moves("trim_zeros", call(np.array([0, 0, 1, 2, 0, 3, 0])), call(np.array([0, 1.5, 0]), "f"),
          call(np.array([0, 1.5, 0]), "b"),
          call(np.zeros(3)), call(np.zeros(3), "f"), call(np.zeros((2, 3)), "b", 1), call(E0), call(np.pad(M, 2)),
          call(np.pad(M, 2), axis=0), call(np.pad(M, 2), "f", (0, 1)),
          call(np.pad(M, 2), "BF", -1), call(V), call(V, "x"), call(B), call(np.pad(M, 1), axis=2), call(M, axis=()),
          grad=(), compiled=False),
    moves("insert", call(V, 2, 9.0), call(V, -1, 3), call(V, 5, 1), call(V, 6, 1), call(V, -6, 1), call(M, 1, V[:4], 0),
          call(M, 1, 7, axis=1), call(M, 1, [1, 2, 3], axis=1), call(M, [1], [[1], [2], [3]], axis=1),
          call(M, [1], [1, 2, 3], axis=1), call(M, 1, [[1, 2, 3], [4, 5, 6]], axis=1), call(M, 2, 5.5),
          call(V, [0, 2, 2], [1, 2, 3]), call(V, [2, 0, 5], 8), call(V, slice(1, 4), 0),
          call(V, slice(0, 5, 2), [1, 2, 3]),
          call(V, [0, 2], [1, 2, 3]), call(V, [], 3), call(V, np.array([True, False, True, False, False]), 7),
          call(M, [0, 3], V[:3, None], axis=1), call(I, 1, 2.7), call(V, [-1, 1], [1, 2]), call(V, np.array([1, 9]), 1),
          call(V, 1.5, 2), call(M, [[1]], 2), call(M, 0, 1, 2), call(T, 1, M[:2], axis=1), call(3, 0, 4),
          call(V, slice(9, 1), 1), call(E0, 0, [1, 2]), call(V, np.array(2), 4), call(L, [1, 1], [8, 9]),
          traced=(0, 2), grad=(0, 2)),
    moves("delete", call(V, 1), call(V, -1), call(V, 5), call(V, -6), call(M, [0, 2], axis=1), call(M, [0, 0, -1], 1),
          call(M, 5), call(V, slice(1, 3)), call(V, slice(None, None, -2)), call(V, slice(9, 1)), call(V, []),
          call(V, [True, False, True, False, False]), call(V, np.array([True, False])), call(T, 1, 1),
          call(T, [0], -1), call(X, 0, 0),
          call(M, 1, 2), call(V, 1.5), call(V, np.array([1, 7])), call(L, 0, 0), call(I, np.array([[0, 1]])),
          call(V, np.int64(2)), traced=(0,)),
]
WIDTHS = (2, (1, 3), ((1, 2),), np.int64(1), [2, 0], 0)
PADDING = [
    calls("pad", *[call(x, w, m) for x in (V, M, I, F32) for w in WIDTHS
                   for m in ("edge", "reflect", "symmetric", "wrap", "maximum", "minimum", "mean", "median",
                             "linear_ramp", "constant")], traced=(0,), grad=(0,)),
    calls("pad", *[call(x, w, m, reflect_type="odd") for x in (V, M, I) for w in (2, (1, 3), 13, ((7, 9),))
                   for m in ("reflect", "symmetric")],
          *[call(x, w, m) for x in (V, I, M[:1]) for w in (9, (13, 2))
            for m in ("reflect", "symmetric", "wrap", "edge")],
          grad=(0,), traced=(0,), ulps=16, label="far"),
    calls("pad", call(M, ((1, 0), (2, 1)), constant_values=1.5), call(M, 1, constant_values=((1, 2), (3, 4))),
          call(M, 1, constant_values=(1, 2)), call(I, 1, constant_values=2.7), call(B, 1),
          call(C, 1, constant_values=1j),
          call(M, 2, "linear_ramp", end_values=((1, 2), (3, 4))), call(I, (3, 2), "linear_ramp", end_values=(-5, 9)),
          call(B, 4, "linear_ramp", end_values=3),
          *[call(x, 2, m, stat_length=s) for x in (V, M, I, B) for m in ("maximum", "minimum", "mean", "median")
            for s in (1, 2, (2, 3), 9, None)],
          call(M, {0: 1, -1: (2, 0)}), call(M, {1: 2}, "edge"), call(M, {5: 1}), call(X, 0), call(E, 1),
          call(E, ((0, 0), (1, 1)), "edge"), call(E, 1, "edge"), call(V, -1), call(V, 1.5), call(V, 1, "nothing"),
          call(V, 1, "edge", constant_values=3), call(V, (1, 2, 3)), call(M, ((1, 2), (3, 4), (5, 6))),
          call(V, 1, "maximum", stat_length=0), call(V, 1, "maximum", stat_length=-1), call(L, 1, "wrap"),
          call(3, 0), grad=(0,), label="options"),
    calls("pad", call(V, 2, "empty"), call(M, 1, "empty"), ulps=None, label="empty"),
]
ROWS = [*RESHAPING, *TURNING, *JOINING, *CUTTING, *REPEATING, *PADDING]
