"""Rows for matrices: small ones run through our own loops, those above the thresholds through LAPACK."""
import numpy as np

import chainrule.engine.numpy as cnp
from chainrule.engine.ops.determinant import adjugate
from chainrule.engine.ops.elementwise import stop_gradient
from chainrule.engine.ops.linalg import cholesky, triangular_solve
from chainrule.engine.ops.lu import lu_p, lu_sign_p, solve_matrices
from chainrule.engine.ops.matrices import scale
from chainrule.engine.ops.qr import geqrf_p, ormqr_p
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


def symmetric(a):
    return a + np.swapaxes(a, -1, -2)


def symmetric_own(a):
    return a + cnp.swapaxes(a, -1, -2)


def parts(z):
    return cnp.real(z), cnp.imag(z)


TALL, WIDE = RNG.normal(size=(4, 3)), RNG.normal(size=(2, 3, 4))
DECOMPOSITIONS = [
    Case(lambda a: tuple(cnp.linalg.qr(a)), "qr", lambda a: tuple(np.linalg.qr(a)), args=(TALL,), ulps=64),
    Case(lambda a: tuple(cnp.linalg.qr(a)), "qr", lambda a: tuple(np.linalg.qr(a)), args=(WIDE,), ulps=64, order=1,
         name="qr-wide-batch"),
    Case(lambda a: tuple(cnp.linalg.qr(a, "complete")), "qr", lambda a: tuple(np.linalg.qr(a, "complete")),
         args=(TALL,), ulps=64, order=0, name="qr-complete"),
    Case(lambda a: cnp.linalg.qr(a, "raw"), "geqrf", lambda a: np.linalg.qr(a, "raw"), args=(TALL,), ulps=64, order=0),
    Case(lambda a, c: ormqr_p.bind(*geqrf_p.bind(a), cnp.asarray(c), left=True, adjoint=True), "ormqr",
         lambda a, c: np.linalg.qr(a, "complete")[0].T @ c, args=(TALL, RNG.normal(size=(4, 2))), ulps=64, order=0),
    Case(lambda a: tuple(cnp.linalg.eigh(symmetric_own(a))), "eigh",
         lambda a: tuple(np.linalg.eigh(symmetric(a))), args=(A3,), ulps=64),
    Case(lambda a: cnp.linalg.eigvalsh(symmetric_own(a)), "eigh", lambda a: np.linalg.eigvalsh(symmetric(a)),
         args=(A2,), ulps=64, order=1, name="eigvalsh-batch"),
    Case(lambda a: parts(cnp.linalg.eigvals(a)), "eig", lambda a: parts_numpy(np.linalg.eigvals(a)), args=(A3,),
         ulps=128),
    Case(lambda a: parts(cnp.linalg.eig(a + 4 * np.diag([0, 1, 2]).astype(a.dtype)).eigenvectors ** 2), "eig",
         lambda a: parts_numpy(np.linalg.eig(a + 4 * np.diag([0, 1, 2])).eigenvectors ** 2), args=(A3,), ulps=512,
         name="eig-vectors"),
    Case(cnp.linalg.svdvals, "svd", lambda a: np.linalg.svd(a, compute_uv=False), args=(WIDE,), ulps=64),
    Case(lambda a: tuple(cnp.linalg.svd(a, full_matrices=False)), "svd",
         lambda a: tuple(np.linalg.svd(a, full_matrices=False)), args=(TALL,), ulps=64, name="svd-vectors"),
    Case(lambda a: tuple(cnp.linalg.svd(a)), "svd", lambda a: tuple(np.linalg.svd(a)), args=(TALL,), ulps=64, order=0,
         name="svd-full"),
    Case(lambda a, y: cnp.linalg.lstsq(a, y)[0], "lstsq", lambda a, y: np.linalg.lstsq(a, y)[0],
         args=(TALL, RNG.normal(size=4)), ulps=64),
    Case(cnp.linalg.pinv, "lstsq", np.linalg.pinv, args=(WIDE,), ulps=64, order=1, name="pinv-batch"),
    Case(lambda a: adjugate(cnp.asarray(a)), "adjugate", lambda a: np.linalg.det(a) * np.linalg.inv(a), args=(A3,),
         ulps=128),
    Case(lambda t, f: scale(cnp.asarray(t), cnp.asarray(f)), "scale", lambda t, f: t * f, args=(A3, A3[::-1])),
    Case(cnp.linalg.norm, "root", np.linalg.norm, args=(A3,)),
    Case(lambda a: lu_sign_p.bind(*lu_p.bind(stop_gradient(a))[:2]), "lu_sign", lambda a: np.sign(np.linalg.det(a)),
         args=(A2,), order=0),
    Case(cnp.linalg.det, "det", np.linalg.det, args=(RNG.normal(size=(4, 4)),), ulps=64),
    Case(lambda a: lu_p.bind(cnp.asarray(a))[0], "lu", args=(TALL,), ulps=64, name="lu-packed"),
]


def parts_numpy(z):
    return z.real, z.imag


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
    *DECOMPOSITIONS,
]
