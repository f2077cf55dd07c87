"""scipy.linalg: values against SciPy, plain and compiled, real and complex; residuals where a factor is not unique.

Unique values agree to 1e-11 of the largest element (functions of matrices to 1e-9: they lose the condition number of
the eigenvectors, 10² to 10³ here).
"""
import numpy as np
import pytest
import scipy.linalg

import chainrule.engine.numpy as cnp
import chainrule.engine.scipy.linalg as csl
from chainrule.engine import jit, vmap

RNG = np.random.default_rng(55)
KINDS = pytest.mark.parametrize("kind", ["real", "complex"])


def matrix(shape, kind="real"):
    a = RNG.normal(size=shape)
    return a + 1j * RNG.normal(size=shape) if kind == "complex" else a


def adjoint(a):
    return np.conj(np.swapaxes(a, -1, -2))


def arrays(out):
    return [np.asarray(x) for x in (out if isinstance(out, (tuple, list)) else (out,))]


def agree(f, reference, *args, rtol=1e-11, compiled=True):
    expected = arrays(reference(*args))
    for run in (lambda f: f, jit)[:1 + compiled]:
        found = arrays(run(f)(*args))
        assert len(found) == len(expected)
        for x, e in zip(found, expected):
            assert x.shape == e.shape
            np.testing.assert_allclose(x, e, rtol=0, atol=rtol * max(1.0, np.abs(e).max(initial=0)))


def dense(ab, low, up):
    n = ab.shape[1]
    return sum(np.diag(ab[up - k, max(k, 0):n + min(k, 0)], k) for k in range(-low, up + 1))


A, B, C = {}, {}, {}
for k in ("real", "complex"):
    A[k], B[k], C[k] = matrix((5, 5), k), matrix((5, 5), k), matrix((5, 3), k)


def spd(a):
    return a @ adjoint(a) + 5 * np.eye(len(a))


FUNCTIONS = {
    "expm": (csl.expm, scipy.linalg.expm),
    "expm of a large matrix": (lambda a: csl.expm(6 * a), lambda a: scipy.linalg.expm(6 * a)),
    "expm of a small matrix": (lambda a: csl.expm(1e-8 * a), lambda a: scipy.linalg.expm(1e-8 * a)),
    "sqrtm": (csl.sqrtm, lambda a: scipy.linalg.sqrtm(a.astype(complex))),
    "logm": (csl.logm, lambda a: scipy.linalg.logm(a.astype(complex))),
    "funm": (lambda a: csl.funm(a, cnp.sin), lambda a: scipy.linalg.sinm(a)),
    "polar": (csl.polar, scipy.linalg.polar),
    "polar, left": (lambda a: csl.polar(a, "left"), lambda a: scipy.linalg.polar(a, "left")),
}


@KINDS
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_matrices_are_scipys(name, kind):
    agree(*FUNCTIONS[name], A[kind], rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("f, inverse", [(csl.sqrtm, lambda x: x @ x), (csl.logm, csl.expm)], ids=["sqrtm", "logm"])
@pytest.mark.parametrize("n", [1, 2, 12])
def test_the_inverse_function_undoes_it(f, inverse, n):
    a = matrix((3, n, n)) + 2 * np.sqrt(n) * np.eye(n)
    for run in (lambda f: f, jit):
        found = np.asarray(inverse(run(f)(a)))
        assert np.abs(found - a).max() <= 1e3 * n * np.finfo(float).eps * np.abs(a).max()


def test_nilpotent_zero_and_defective_matrices():
    n = np.array([[0.0, 1.0], [0.0, 0.0]])
    for run in (lambda f: f, jit):
        np.testing.assert_allclose(run(csl.expm)(n), [[1, 1], [0, 1]], rtol=1e-15)
        np.testing.assert_allclose(run(csl.expm)(np.zeros((2, 2))), np.eye(2), rtol=1e-15)
        np.testing.assert_allclose(run(csl.logm)(np.eye(2) + n), n, rtol=0, atol=1e-15)
        np.testing.assert_allclose(run(csl.sqrtm)(np.eye(2) + n), np.eye(2) + n / 2, rtol=0, atol=1e-15)
        np.testing.assert_array_equal(run(csl.sqrtm)(np.zeros((2, 2))), np.zeros((2, 2)))
        assert np.isnan(np.asarray(run(csl.expm)(np.full((2, 2), np.nan)))).all()
        assert np.isnan(np.asarray(run(csl.logm)(np.full((2, 2), np.inf)))).all()


@KINDS
def test_sylvesters_equation(kind):
    agree(csl.solve_sylvester, scipy.linalg.solve_sylvester, A[kind], spd(B[kind])[:3, :3], C[kind], rtol=1e-10)
    x = csl.solve_sylvester(np.stack([A[kind], 2 * A[kind]]), spd(B[kind])[:3, :3], C[kind])
    np.testing.assert_allclose(2 * A[kind] @ np.asarray(x)[1] + np.asarray(x)[1] @ spd(B[kind])[:3, :3], C[kind],
                               rtol=0, atol=1e-12 * np.abs(spd(B[kind])).max() * np.abs(x).max())


@KINDS
@pytest.mark.parametrize("type", [1, 2, 3])
def test_generalized_eigenvalues(kind, type):
    a, b = A[kind] + adjoint(A[kind]), spd(B[kind])
    expected = scipy.linalg.eigh(a, b, type=type, eigvals_only=True)
    for run in (lambda f: f, jit):
        w, v = arrays(run(lambda a, b: csl.eigh(a, b, type=type))(a, b))
        np.testing.assert_allclose(w, expected, rtol=0, atol=1e-11 * np.abs(expected).max())
        left, right = {1: (a @ v, b @ v), 2: (a @ b @ v, v), 3: (b @ a @ v, v)}[type]
        np.testing.assert_allclose(left, right * w, rtol=0, atol=1e-11 * np.abs(left).max())
    np.testing.assert_allclose(csl.eigh(a, b, type=type, subset_by_index=(1, 2))[0], expected[1:3],
                               rtol=0, atol=1e-11 * np.abs(expected).max())


def test_tridiagonal_eigenvalues():
    d, e = RNG.normal(size=6), RNG.normal(size=5)
    agree(lambda d, e: csl.eigh_tridiagonal(d, e)[0], lambda d, e: scipy.linalg.eigh_tridiagonal(d, e)[0], d, e)
    agree(lambda d, e: csl.eigh_tridiagonal(d, e, True, "i", (1, 3)),
          lambda d, e: scipy.linalg.eigh_tridiagonal(d, e, True, "i", (1, 3)), d, e)


@KINDS
@pytest.mark.parametrize("shape", [(5, 5), (5, 3), (3, 5), (30, 24)])
def test_lu_is_scipys(kind, shape):
    a = matrix(shape, kind)
    agree(csl.lu_factor, scipy.linalg.lu_factor, a)
    for options in ({}, {"permute_l": True}, {"p_indices": True}):
        agree(lambda a, options=options: csl.lu(a, **options),
              lambda a, options=options: scipy.linalg.lu(a, **options), a)


@KINDS
def test_solves_from_factors(kind):
    a, c = A[kind], C[kind]
    for trans in (0, 1, 2):
        agree(lambda a, c, t=trans: csl.lu_solve(csl.lu_factor(a), c, t),
              lambda a, c, t=trans: scipy.linalg.lu_solve(scipy.linalg.lu_factor(a), c, t), a, c, rtol=1e-10)
        agree(lambda a, c, t=trans: csl.solve_triangular(a, c, t, lower=True),
              lambda a, c, t=trans: scipy.linalg.solve_triangular(a, c, t, lower=True), spd(a), c, rtol=1e-10)
    for lower in (False, True):
        agree(lambda a, c, low=lower: csl.cho_solve(csl.cho_factor(a, low), c),
              lambda a, c: np.linalg.solve(a, c), spd(a), c)


SHAPED = {"gen": lambda a: a, "pos": spd, "her": spd, "diagonal": lambda a: np.diag(np.diag(a)),
          "tridiagonal": lambda a: np.tril(np.triu(a, -1), 1) + 5 * np.eye(5),
          "upper triangular": lambda a: np.triu(a) + 3 * np.eye(5), "banded": lambda a: a,
          "lower triangular": lambda a: np.tril(a) + 3 * np.eye(5)}


@KINDS
@pytest.mark.parametrize("name", SHAPED)
def test_systems_of_a_shape(name, kind):
    a = SHAPED[name](A[kind])
    for transposed in (False, True):
        agree(lambda a, c, t=transposed: csl.solve(a, c, assume_a=name, transposed=t),
              lambda a, c, t=transposed: np.linalg.solve(a.T if t else a, c), a, C[kind], rtol=1e-10,
              compiled=not transposed)
    np.testing.assert_allclose(csl.solve(a, C[kind][:, 0], assume_a=name), np.linalg.solve(a, C[kind][:, 0]), rtol=1e-9)


@KINDS
@pytest.mark.parametrize("low, up", [(1, 1), (2, 1), (0, 2), (0, 0)])
def test_banded_systems(low, up, kind):
    ab = matrix((low + up + 1, 6), kind)
    ab[up] += 6
    b = matrix((6, 2), kind)
    agree(lambda ab, b: csl.solve_banded((low, up), ab, b), lambda ab, b: np.linalg.solve(dense(ab, low, up), b), ab, b)
    if low == 0 and kind == "real":
        agree(csl.solveh_banded, scipy.linalg.solveh_banded, ab, b[:, 0])
        agree(lambda ab, b: csl.solveh_banded(ab[::-1], b, lower=True),
              lambda ab, b: scipy.linalg.solveh_banded(ab[::-1], b, lower=True), np.fliplr(ab), b, compiled=False)


@KINDS
@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_tridiagonal_systems(n, kind):
    dl, d, du = matrix((3, n), kind)
    y = matrix((n, 2), kind)
    a = np.diag(d) + np.diag(dl[1:], -1) + np.diag(du[:-1], 1)
    for run in (lambda f: f, jit):
        x = np.asarray(run(csl.tridiagonal_solve)(dl, d, du, y))
        assert np.abs(a @ x - y).max() <= 100 * np.finfo(float).eps * np.abs(a).max() * np.abs(x).max()
    lanes = np.asarray(vmap(csl.tridiagonal_solve, (None, None, None, 0))(dl, d, du, np.stack([y, 2 * y])))
    np.testing.assert_allclose(lanes[1], 2 * x, rtol=1e-13)


def test_a_singular_tridiagonal_system_gives_nan():
    for run in (lambda f: f, jit):
        assert np.isnan(np.asarray(run(csl.tridiagonal_solve)(np.ones(2), np.ones(2), np.ones(2), np.ones(2)))).all()


@KINDS
def test_an_update_of_a_factor_is_the_factor_of_the_update(kind):
    a, x = spd(A[kind]), matrix((5,), kind)
    lower = np.linalg.cholesky(a)
    for run in (lambda f: f, jit):
        up = np.asarray(run(csl.cholesky_update)(lower, x))
        np.testing.assert_allclose(up, np.linalg.cholesky(a + np.outer(x, x.conj())), rtol=1e-12, atol=1e-13)
        down = np.asarray(run(lambda lower, x: csl.cholesky_update(lower, x, downdate=True))(up, x))
        np.testing.assert_allclose(down, lower, rtol=1e-11, atol=1e-12)
    assert np.isnan(np.asarray(csl.cholesky_update(np.eye(5), np.full(5, 2.0), downdate=True))).any()


@KINDS
def test_schur_and_hessenberg_forms(kind):
    a = np.stack([A[kind], B[kind]])
    for run in (lambda f: f, jit):
        for output in ("real", "complex"):
            t, z = arrays(run(lambda a, o=output: csl.schur(a, o))(a))
            np.testing.assert_allclose(z @ t @ adjoint(z), a, rtol=0, atol=1e-13)
            assert not np.tril(t, -1 if output == "complex" else -2).any()
        t, z = arrays(run(lambda a: csl.rsf2csf(*csl.schur(a)))(a))
        np.testing.assert_allclose(z @ t @ adjoint(z), a, rtol=0, atol=1e-13)
        assert not np.tril(t, -1).any()
        h, q = arrays(run(lambda a: csl.hessenberg(a, True))(a))
        np.testing.assert_allclose(q @ h @ adjoint(q), a, rtol=0, atol=1e-13)
        assert not np.tril(h, -2).any()
        np.testing.assert_allclose(h, np.stack([scipy.linalg.hessenberg(x) for x in a]), rtol=0, atol=1e-13)


@KINDS
@pytest.mark.parametrize("shape", [(5, 5), (5, 3), (3, 5)])
def test_qr_is_scipys(kind, shape):
    a, c = matrix(shape, kind), matrix((min(shape), 2), kind)
    for mode in ("full", "economic"):
        for pivoting in (False, True):
            agree(lambda a, m=mode, p=pivoting: csl.qr(a, m, p),
                  lambda a, m=mode, p=pivoting: scipy.linalg.qr(a, mode=m, pivoting=p), a, compiled=pivoting)
    agree(lambda a: csl.qr(a, "r"), lambda a: scipy.linalg.qr(a, mode="r"), a, compiled=False)
    agree(lambda a: [*csl.qr(a, "raw")[0], csl.qr(a, "raw")[1]],
          lambda a: [*scipy.linalg.qr(a, mode="raw")[0], scipy.linalg.qr(a, mode="raw")[1]], a, compiled=False)
    agree(lambda a, c: csl.qr_multiply(a, c, "left"), lambda a, c: scipy.linalg.qr_multiply(a, c, "left"), a, c,
          compiled=False)


def test_subspaces_have_the_size_of_the_rank():
    a = matrix((4, 2)) @ matrix((2, 5))
    null, range_ = np.asarray(csl.null_space(a)), np.asarray(csl.orth(a))
    assert null.shape == (5, 3) and range_.shape == (4, 2)
    np.testing.assert_allclose(a @ null, np.zeros((4, 3)), rtol=0, atol=1e-13)
    np.testing.assert_allclose(range_ @ (range_.T @ a), a, rtol=0, atol=1e-13)


v5, w3 = matrix((5,), "complex"), matrix((3,), "complex")
PATTERNS = {
    "toeplitz": ((v5,), (v5, w3)), "circulant": ((v5,),), "hankel": ((v5,), (v5, w3)), "companion": ((v5,),),
    "block_diag": ((A["real"], C["real"], w3.real),), "khatri_rao": ((A["real"], B["real"]),),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_matrices_with_a_pattern_are_scipys(name):
    for args in PATTERNS[name]:
        if name == "hankel" and len(args) == 2:
            args = (args[0], np.r_[args[0][-1], args[1][1:]])
        agree(getattr(csl, name), getattr(scipy.linalg, name), *args)
    if name in ("toeplitz", "circulant"):
        many = np.stack([v5, 2 * v5])
        np.testing.assert_array_equal(np.asarray(getattr(csl, name)(many))[1],
                                      np.asarray(vmap(getattr(csl, name))(many))[1])


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_named_matrices_are_scipys(n):
    for name in ("hilbert", "invhilbert", "dft"):
        np.testing.assert_allclose(getattr(csl, name)(n), getattr(scipy.linalg, name)(n), rtol=1e-14, atol=1e-14)
    assert np.array_equal(csl.invhilbert(n, exact=True), scipy.linalg.invhilbert(n, exact=True))
    for kind in ("symmetric", "lower", "upper"):
        assert np.array_equal(csl.pascal(n, kind), scipy.linalg.pascal(n, kind))
    np.testing.assert_allclose(csl.dft(n, "sqrtn"), scipy.linalg.dft(n, "sqrtn"), rtol=1e-13, atol=1e-14)
    if n != 5:
        assert np.array_equal(csl.hadamard(n), scipy.linalg.hadamard(n))
    agree(csl.solve_toeplitz, scipy.linalg.solve_toeplitz, np.arange(n, 0, -1.0) + n * np.eye(n)[0], np.ones(n))


TRIGONOMETRY = ["sinm", "cosm", "tanm", "sinhm", "coshm", "tanhm"]


@KINDS
@pytest.mark.parametrize("name", TRIGONOMETRY)
def test_trigonometry_of_matrices_is_scipys(name, kind):
    agree(getattr(csl, name), getattr(scipy.linalg, name), A[kind] / 4, rtol=1e-10, compiled=False)


def test_real_powers_of_matrices():
    a = spd(A["real"])
    for t in (0.5, -1.25, 2, -1):
        agree(lambda a, t=t: csl.fractional_matrix_power(a, t),
              lambda a, t=t: scipy.linalg.fractional_matrix_power(a, t), a, rtol=1e-10, compiled=False)
    for run in (lambda f: f, jit):
        found = run(lambda a: csl.fractional_matrix_power(a, 0.5))(a)
        np.testing.assert_allclose(found, csl.sqrtm(a), rtol=1e-11, atol=1e-12)


@KINDS
def test_lyapunovs_equations_and_procrustes(kind):
    a, q = A[kind] / 6, C[kind] @ adjoint(C[kind])
    agree(csl.solve_continuous_lyapunov, scipy.linalg.solve_continuous_lyapunov, spd(a), q, rtol=1e-10)
    agree(csl.solve_discrete_lyapunov, scipy.linalg.solve_discrete_lyapunov, a, q, rtol=1e-10)
    agree(csl.orthogonal_procrustes, scipy.linalg.orthogonal_procrustes, A[kind], B[kind], rtol=1e-10)


@pytest.mark.parametrize("n", [1, 2, 3, 6, 7])
def test_more_matrices_with_a_pattern_are_scipys(n):
    a = RNG.normal(size=n)
    agree(csl.fiedler, scipy.linalg.fiedler, a)
    agree(csl.fiedler_companion, scipy.linalg.fiedler_companion, RNG.normal(size=n + 1))
    agree(csl.leslie, lambda f, s: np.diag(s, -1) + f * np.eye(n)[:1].T, a, a[1:])
    for mode in ("full", "same", "valid"):
        for k in (1, 4, 9):
            agree(lambda a, k=k, m=mode: csl.convolution_matrix(a, k, m),
                  lambda a, k=k, m=mode: scipy.linalg.convolution_matrix(a, k, m), a, compiled=False)
    for full in (False, True):
        np.testing.assert_allclose(csl.helmert(n, full), scipy.linalg.helmert(n, full), rtol=1e-14, atol=1e-15)
    for kind in ("symmetric", "lower", "upper"):
        assert np.array_equal(csl.invpascal(n, kind), scipy.linalg.invpascal(n, kind))
    for shape in ((n, n), (n, n + 2), (n + 1, n)):
        agree(lambda s, shape=shape: csl.diagsvd(s, *shape), lambda s, shape=shape: scipy.linalg.diagsvd(s, *shape), a,
              compiled=False)
