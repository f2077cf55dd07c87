"""Rows for functions of matrices, Sylvester's equation, tridiagonal systems, and the forms without a derivative."""
import numpy as np
import scipy.linalg

import chainrule.engine.numpy as cnp
import chainrule.engine.scipy.linalg as csl
from chainrule.engine.ops.elementwise import stop_gradient
from chainrule.engine.ops.lu import lu_order_p
from chainrule.engine.ops.schur import column_order_p, hessenberg_p
from chainrule.engine.scipy.matrix_functions import logm_frechet_p, parlett_p
from tests.engine.cases import Case

RNG = np.random.default_rng(8)
A3, B3, C3 = (RNG.normal(size=(3, 3)) for _ in range(3))
B2 = RNG.normal(size=(2, 2))
UPPER = np.triu(A3) + np.diag([0.0, 3.0, 6.0])
BANDS = RNG.normal(size=(3, 4))


def parts(z):
    return cnp.real(z), cnp.imag(z)


def parts_numpy(z):
    return z.real, z.imag


def near_identity(a):
    """A matrix whose eigenvalues are far from the negative numbers."""
    return a @ a.swapaxes(-1, -2) + 2 * np.eye(a.shape[-1], dtype=a.dtype)


def complex_of(a):
    return cnp.asarray(a).astype("complex128" if a.dtype == np.float64 else "complex64")


def exchanges(a):
    """The pivots of a, as constants: they are piecewise constant."""
    return csl.lu_factor(stop_gradient(a))[1]


def tridiagonal(dl, d, du):
    return np.diag(d + 4) + np.diag(dl[1:], -1) + np.diag(du[:-1], 1)


CASES = [
    Case(csl.expm, "expm", scipy.linalg.expm, args=(A3,), ulps=64),
    Case(csl.expm, "expm", scipy.linalg.expm, args=(RNG.normal(size=(2, 3, 3)) * np.array([1e-3, 9]).reshape(2, 1, 1),),
         ulps=2048, order=0, dtypes=("float64",), name="expm-batch"),
    Case(lambda a, e: csl.expm_frechet(a, e)[1], "expm_frechet",
         lambda a, e: scipy.linalg.expm_frechet(a, e)[1], args=(A3, B3), ulps=128, order=1,
         dtypes=("float64",)),
    Case(lambda a: parts(csl.sqrtm(near_identity(a))), "sqrtm",
         lambda a: parts_numpy(scipy.linalg.sqrtm(near_identity(a)).astype(complex)), args=(A3,), ulps=256, order=1,
         dtypes=("float64",)),
    Case(lambda a: parts(csl.logm(near_identity(a))), "logm",
         lambda a: parts_numpy(scipy.linalg.logm(near_identity(a)).astype(complex)), args=(A3,), ulps=256, order=1,
         dtypes=("float64",)),
    Case(lambda a, e: parts(logm_frechet_p.bind(complex_of(near_identity(a)), complex_of(e))), "logm_frechet",
         args=(A3, B3), ulps=512, order=0, batch=False, dtypes=("float64",)),
    Case(csl.solve_sylvester, "sylvester", scipy.linalg.solve_sylvester,
         args=(near_identity(A3), near_identity(B2), RNG.normal(size=(3, 2))), ulps=128, order=1,
         dtypes=("float64",)),
    Case(lambda a: csl.polar(a), "polar", lambda a: scipy.linalg.polar(a), args=(RNG.normal(size=(4, 3)),), ulps=64,
         order=1),
    Case(csl.tridiagonal_solve, "tridiagonal_solve",
         lambda dl, d, du, b: np.linalg.solve(tridiagonal(dl, d - 4, du), b),
         args=(BANDS[0], BANDS[1] + 4, BANDS[2], RNG.normal(size=(4, 2))), ulps=32),
    Case(lambda a: csl.schur(near_identity(a)), "schur", lambda a: scipy.linalg.schur(near_identity(a)), args=(A3,),
         order=0, ulps=64),
    Case(lambda a: tuple(hessenberg_p.bind(cnp.asarray(a)))[0], "hessenberg", args=(RNG.normal(size=(4, 4)),), order=0,
         ulps=64),
    Case(lambda a: column_order_p.bind(cnp.asarray(a)), "column_order",
         lambda a: scipy.linalg.qr(a, pivoting=True)[2].astype(np.int32), args=(A3,), order=0),
    Case(lambda a: lu_order_p.bind(exchanges(a), m=3), "lu_order",
         lambda a: np.argmax(scipy.linalg.lu(a)[0], axis=0).astype(np.int32), args=(A3,), order=0),
    Case(lambda t: parts(parlett_p.bind(complex_of(t), complex_of(cnp.exp(cnp.diagonal(t))))), "parlett",
         lambda t: parts_numpy(scipy.linalg.expm(t).astype(complex)), args=(UPPER,), order=0, ulps=256,
         lane=lambda a, k: a * (1 + k)),
]
