"""Rows of NumPy's functions that read, write and choose by index or mask, of diagonals and of index tricks."""
import numpy as np

from tests.engine.numpy_rows import call, calls

RNG = np.random.default_rng(22)
V, M, S, T = RNG.normal(size=5), RNG.normal(size=(3, 4)), RNG.normal(size=(4, 4)), RNG.normal(size=(2, 3, 4))
Q, TALL = RNG.normal(size=(3, 3, 3)), RNG.normal(size=(7, 3))
I = np.array([5, -3, 0, 12, -7])
K = np.array([1, 3, 0, 2, 4])
A = np.array([[2, 0], [1, 1]])
B = np.array([True, False, True, True, False])
B2 = M > 0
C = (RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4)))
E, E0, X = np.zeros((0, 3)), np.zeros(0), np.asarray(2.5)
F32 = M.astype("float32")


def copied(name):
    """NumPy's in-place function as one that returns a new array."""
    def f(x, *args, **kwargs):
        out = np.array(x)
        getattr(np, name)(out, *args, **kwargs)
        return out
    return f


def writes(name, *examples, **options):
    return calls(name, *examples, **{"numpy": copied(name), "ulps": 0, "grad": (0,)} | options)


def reads(name, *examples, **options):
    return calls(name, *examples, **{"ulps": 0, "grad": (0,)} | options)


ORDER = np.argsort(M, 1)
READING = [
    reads("take", call(V, K), call(V, 3), call(V, -5), call(M, A), call(M, A, 0), call(M, A, 1), call(T, A, -2),
          call(M, 1, axis=1), call(V, [0, -1]), call(V, []), call(V, 5), call(V, [0, 7]), call(V, -6),
          call(V, [True, False]), call(V, np.array([3, -9, 12]), mode="clip"), call(V, [3, -9, 12], mode="wrap"),
          call(M, [[5], [-1]], 1, mode="wrap"), call(V, 1, mode="raise"), call(V, 1, mode="odd"), call(E, 0, 1),
          call(E, 0, 0), call(E, [], 0), call(M, 0, 2), call(3, 0), call([1, 2, 3], K % 3), call(C, A, 0), call(X, 0),
          call(X, 0, 0), call(X, [0, 0], -1), call(X, 0, 1),
          call(M, np.uint8([1, 2]), 0), call(I, K.astype("int8")), call(B, K), call(F32, 1, np.int64(0)), traced=(0,)),
    reads("take", call(V, K), call(M, A, 0), call(T, A, -2), call(V, np.array([3, -9, 12]), mode="clip"),
          call(V, np.array([3, -9, 12]), mode="wrap"), label="traced"),
    reads("take_along_axis", call(M, ORDER, 1), call(M, np.argsort(M, 0), 0), call(M, np.array([[0], [-1], [2]]), 1),
          call(M, np.array([[0, 3]]), 1), call(M, K, None), call(T, np.argsort(T, 1), -2), call(M, ORDER),
          call(M, np.array([[4], [0], [0]]), 1), call(M, np.array([[-5], [0], [0]]), 1), call(M, K, 1),
          call(M, ORDER, 2),
          call(M, M, 1), call(M[:1], ORDER, 1), call(M, ORDER[:2], 1), call(E, np.zeros((0, 2), int), 1),
          call(I, K, 0), call(C, ORDER, 1), call(M, A, None), call(M, B2, 1), call(M, ORDER.astype("uint8"), -1)),
    reads("compress", call(B, V), call([True, False, True], M, 0), call([False, True], M, 1), call(B2.ravel(), M),
          call([1, 0, 2], M, axis=0), call(B, M, 1), call(B2, M), call([], V), call(B, I), call([True] * 6, V),
          call([True] * 5 + [False], V), call([True, False], M, axis=-1), call([True], X, 0), compiled=False,
          grad=(1,)),
    reads("extract", call(B2, M), call(B, V), call(M > 9, M), call([1, 0, 1], [4, 5, 6]), call(B, I), compiled=False,
          grad=()),
    *[calls(name, *[call(x) for x in (I, V, B, M, B2, T > 0, C, E, E0, [0, 3, 0], X, 0, np.array([np.nan, 0.0]))],
            compiled=False) for name in ("nonzero", "flatnonzero", "argwhere")],
]
WRITING = [
    writes("put_along_axis", call(M, ORDER[:, :1], 9.0, 1), call(M, ORDER, S[:3], 1), call(M, K, V, None),
           call(M, np.array([[0], [-1], [2]]), np.array([[1.0], [2.0], [3.0]]), 1), call(I, K, 3.7, 0),
           call(M, np.array([[4], [0], [0]]), 1.0, 1), call(M, K, 1.0, 1), call(M, np.argmax(M, 0)[None], 0.0, 0),
           call(T, np.argsort(T, 1)[:, :1], np.zeros((2, 1, 4)), 1), grad=(0, 2)),
    writes("put", call(V, [0, 2], [1.0, 2.0]), call(V, [0, 2, 3], [1, 2]), call(V, 1, 9.0), call(M, [5, -1], 3.0),
           call(V, [1, 9], 1), call(V, [1, 9], 1, mode="clip"), call(V, [1, 9], 1, mode="wrap"),
           call(V, [-9], 2, "clip"),
           call(V, [0], [1, 2, 3]), call(V, [], []), call(V, [1, 1], [3, 4]), call(I, [2], 7.9), call(V, K, V[::-1]),
           call(M, A, [1.0, 2.0]), call(V, [1], []), call(V, -6, 1), grad=(0, 2)),
    writes("place", call(V, B, [1.0, 2.0]), call(M, B2, V), call(V, B, 3), call(V, B, [1, 2, 3, 4, 5]), call(V, B, []),
           call(I, B, [7, 8]), call(M, B2.astype(int), [[1.0], [2.0]]), call(M, B, 1),
           call(V, V > 0, V), grad=(0, 2)),
    writes("place", call(V, np.zeros(5, bool), []), traced=(0,), label="nothing"),
    writes("putmask", call(V, B, [1.0, 2.0]), call(M, B2, V), call(V, B, 3), call(V, B, V[::-1]), call(I, B, 7),
           call(M, B2, S[:3]), call(M, B, 1), call(M, B2.astype(int), 2.5), call(V, V > 0, [1.0, 2, 3]), grad=(0, 2)),
    writes("fill_diagonal", call(S, 5.0), call(M, [1, 2]), call(TALL, 3.0), call(TALL, 3.0, wrap=True),
          call(M, 1, True),
           call(Q, 4), call(TALL, V, True), call(V, 1), call(T, 1), call(I.reshape(1, 5), 2.7),
           call(M, [[7, 8], [9, 1]]),
           call(TALL.T, 2, True), call(S, V[:4]), call(np.zeros((0, 0)), 1), grad=(0, 1)),
]
CHOOSING = [
    reads("where", call(B, V, V[::-1]), call(B, I, 0.5), call(B2, M, V[:4]), call(B2), call(B), call(V, 1, 2),
          call(True, V, 2), call(B, V), call(X, M, 1), call(B, np.float32(2), 3), call(B, 1, 2.5), call(B, 1j, V),
          call([1, 0], [1, 2], [3.5, 4]), call(B2, M, V), call(B, True, 2), call(I, I, I.astype("int8")), call(0),
          call(E0, E0, 1), compiled=False, grad=(1, 2)),
    reads("where", call(B, V, V[::-1]), call(B2, M, V[:4]), call(X, M, 1), call(B, V, 2.0), call(V, V, I),
          grad=(1, 2), label="traced"),
    reads("select", call([V > 1, V < 0], [V, V * 2]), call([V > 1, V < 0], [V, 2], 7), call([B], [I], 0.5),
          call([], []),
          call([B2, ~B2], [M, V[:4]]), call([B], [V, V]), call([I], [V]), call([B, B], [1, 2.5]), call([B], [1], 1j),
          call([True], [V], 3), call([B, np.array(True)], [V, I], np.float32(2)), grad=(), compiled=False),
    reads("choose", call(A, [M[:2, :2], S[:2, :2], np.ones((2, 2))]), call(K, [V, -V, 1, 2, 3]), call(1, [V, I]),
          call([0, 1], np.arange(4).reshape(2, 2)), call(K, [V, I]), call(K, [V, -V], mode="clip"),
          call(K - 2, [V, 2 * V, 3 * V], mode="wrap"), call(K - 2, [V, I], mode="clip"), call(V, [V, V]),
          call(B, [V, I]),
          call(A, [1, 2.5, 3]), call(K, []), call(K, [V, I], mode="odd"), grad=()),
    reads("piecewise", call(V, [V < 0, V >= 0], [-1, 1]), call(V, [V < 0, V >= 0], [np.negative, lambda x: 2 * x]),
          call(V, [V < 0], [1, 2]), call(V, V < 0, [1, 2]), call(V, [V < 0], [1]), call(V, [V < 1, V < 0], [1, 2, 3]),
          call(I, [I > 0], [2.7, -1]), call(X, [True, False], [3, 4]), call(X, True, [3]), call(V, [V < 0], [1, 2, 3]),
          call(M, [M > 0], [lambda x, a, b=0: x * a + b, 0], 2, b=3), call(V, np.stack([V < 0, V > 1]), [5, 6]),
          call(2.0, [False], [lambda x: x, 9]), grad=(), compiled=False),
]
DIAGONALS = [
    reads("diagonal", *[call(x, k) for x in (S, M, M.T, C) for k in (-5, -1, 0, 1, 3, 7)], call(T, 1, 1, 2),
          call(T, 0, 2, 0), call(T, -1, -1, 0), call(V), call(M, 0, 0, 0), call(M, 0, 0, 2), call(E), call(T),
          call(M, np.int64(1)), call([[1, 2], [3, 4]])),
    reads("diag", *[call(x, k) for x in (V, M, I) for k in (-2, 0, 1, 9)], call(T), call(X), call([1, 2]), call(E0),
          call(B), call(C, -1), call(E0, 2)),
    reads("diagflat", call(V), call(M, 1), call(X), call(3, -1), call([[1, 2], [3, 4]], 2), call(B)),
    reads("vander", call(V), call(V, 3), call(V, 3, increasing=True), call(V, N=0), call(V, 1), call(I), call(I, 4),
          call(M), call(C[0], 3), call(E0), call([1, 2, 3], increasing=True), call(B, 3), call(F32[0], 3),
          call(I.astype("int8"), 3), call(V, -1), ulps=4),
    *[calls(name, call(3), call(3, 1), call(4, -1, 2), call(0), call(2, 0, 5),
          compiled=False) for name in ("tril_indices",
                                                                                          "triu_indices")],
    *[calls(name, call(S), call(M, 1), call(M.T, k=-1), call(V), call(T)) for name in ("tril_indices_from",
                                                                                    "triu_indices_from")],
    calls("diag_indices", call(3), call(3, 3), call(0), call(2, ndim=1), compiled=False),
    calls("diag_indices_from", call(S), call(Q), call(M), call(V)),
    calls("mask_indices", call(3, np.triu), call(3, np.tril, 1), call(3, lambda m, k: m * 0), compiled=False),
]
TRICKS = [
    calls("indices", call((2, 3)), call((2, 3), dtype="float32"), call((2, 3), sparse=True), call(()),
          call((0, 2)), call([2, 2], np.int32), call((2,), sparse=True), compiled=False),
    calls("ix_", call([0, 2], [1, 3]), call(K), call(B, K), call([True, False], [2]), call(A), call([], [1]), call(),
          call(np.array([], bool)), compiled=False),
    calls("unravel_index", call(5, (2, 3)), call([1, 3], (2, 3)), call(A, (3, 4, 5)), call([5, 6], (2, 3)),
          call(-1, (2, 3)), call(1.5, (2, 3)), call(K, 7), call(K, (5, 6), "F"), call(0, ()), call([], (2,)),
          call(K, (5, 6), order="Q"), call(K.astype("uint8"), (2, 3)), call(K, (0,))),
    calls("ravel_multi_index", call((K, K), (5, 6)), call((1, 2), (3, 4)), call((K, 2), (5, 6), order="F"),
          call((K, K), (3, 6)), call((K, K - 1), (3, 6), mode="clip"), call((K, K - 1), (3, 6), mode="wrap"),
          call((K, K - 1), (3, 6), mode=("clip", "wrap")), call((K,), (5, 6)), call((K, -1), (5, 6)),
          call((K, V), (5, 6)), call(np.stack([K, K]), (5, 6)), call((A, A), (3, 3)), compiled=False),
    calls("fromfunction", call(lambda i, j: i + 2 * j, (2, 3)), call(lambda i: i, (4,), dtype=int),
          call(lambda i, j, a: i * a, (2, 2), a=3), compiled=False),
]
ROWS = [*READING, *WRITING, *CHOOSING, *DIAGONALS, *TRICKS]
