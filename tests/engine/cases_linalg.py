"""Rows for matrices: small ones run through our own loops, those above the thresholds through LAPACK."""
import numpy as np

import chainrule.engine.numpy as cnp
from chainrule.engine.ops.linalg import cholesky, triangular_solve
from chainrule.engine.ops.lu import solve_matrices
from tests.engine.cases import Case

RNG = np.random.default_rng(5)
A3 = RNG.normal(size=(3, 3))
A2 = RNG.normal(size=(2, 3, 3))
Y3 = RNG.normal(size=(3, 2))
Y2 = RNG.normal(size=(2, 3, 2))
BIG = RNG.normal(size=(66, 66)) / 8
BIG_Y = RNG.normal(size=(66, 1))


def other_triangle(a, lower):
    return np.tril(a) if lower else np.triu(a)



def spd(a):
    return a @ cnp.swapaxes(a, -1, -2) + 2 * np.eye(a.shape[-1], dtype=a.dtype)


def spd_numpy(a):
    return a @ np.swapaxes(a, -1, -2) + 2 * np.eye(a.shape[-1])


def dominant(a):
    return a + 3 * np.eye(a.shape[-1], dtype=a.dtype)


def triangular(lower, trans, unit, name, *args, **options):
    def reference(a, y):
        t = other_triangle(dominant(a), lower)
        t = t - t * np.eye(len(t)) + np.eye(len(t)) if unit else t
        return np.linalg.solve(t.T if trans else t, y)
    return Case(lambda a, y: triangular_solve(dominant(a), y, lower=lower, trans=trans, unit=unit), "triangular_solve",
                reference, args=args, name=name, ulps=64, **options)


CASES = [
    Case(lambda a: cholesky(spd(a)), "cholesky", lambda a: np.linalg.cholesky(spd_numpy(a)), args=(A3,), ulps=32),
    Case(lambda a: cholesky(spd(a)), "cholesky", lambda a: np.linalg.cholesky(spd_numpy(a)), args=(A2,), ulps=32,
         name="cholesky-batch"),
    Case(lambda a: cholesky(spd(a)), "cholesky", lambda a: np.linalg.cholesky(spd_numpy(a)), args=(BIG,), ulps=128,
         order=1,
         name="cholesky-lapack"),
    triangular(True, False, False, "triangular_solve", A3, Y3),
    triangular(False, False, False, "triangular_solve-upper", A3, Y3),
    triangular(True, True, True, "triangular_solve-transposed-unit", A3, Y3),
    triangular(False, True, False, "triangular_solve-lapack", BIG, BIG_Y, order=1),
    Case(lambda a, y: triangular_solve(dominant(a), y), "triangular_solve",
         lambda a, y: np.linalg.solve(np.tril(dominant(a)), y),
         args=(A2, Y2), ulps=64, name="triangular_solve-batch"),
    Case(cnp.linalg.solve, ("lu", "lu_solve"), np.linalg.solve, args=(A3, Y3), ulps=256),
    Case(cnp.linalg.solve, ("lu", "lu_solve"), np.linalg.solve, args=(A2, Y2), ulps=256, order=1,
         name="lu_solve-batch"),
    Case(lambda a, y: solve_matrices(dominant(a), y, trans=True), "lu_solve",
         lambda a, y: np.linalg.solve(dominant(a).T, y),
         args=(A3, Y3), ulps=64, name="lu_solve-transposed"),
    Case(lambda a, y: cnp.linalg.solve(dominant(a), y), ("lu", "lu_solve"),
         lambda a, y: np.linalg.solve(dominant(a), y),
         args=(BIG, BIG_Y), ulps=128, order=1, dtypes=("float64",), name="lu_solve-lapack"),
    Case(lambda a: tuple(cnp.linalg.slogdet(a)), "log_det", lambda a: tuple(np.linalg.slogdet(a)), args=(A2,), ulps=64),
]
