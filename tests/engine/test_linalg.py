"""Matrices: against NumPy and SciPy, on both sides of the size where LAPACK takes over, singular ones, derivatives."""
import numpy as np
import pytest
import scipy.linalg

import chainrule.engine.numpy as cnp
import chainrule.engine.scipy.linalg as csl
from chainrule.engine import grad, hessian, jit, vmap, while_loop
from chainrule.engine.errors import ShapeError
from chainrule.engine.ops.linalg import cholesky
from tests.engine.laws import close

RNG = np.random.default_rng(1)
SIZES = pytest.mark.parametrize("n", [0, 1, 2, 7, 20, 21, 64, 65, 130])


def matrix(n, *batch):
    return RNG.normal(size=(*batch, n, n))


def spd(n, *batch):
    a = matrix(n, *batch)
    return a @ np.swapaxes(a, -1, -2) + n * np.eye(n)


@SIZES
def test_factors_and_solves_are_right_at_every_size(n):
    s, a, y = spd(n), matrix(n) + 2 * np.eye(n), RNG.normal(size=(n, 2))
    for run in (lambda f: f, jit):
        lower = np.asarray(run(csl.cholesky)(s)).T
        close(lower @ lower.T, s, 1e-13)
        close(a @ np.asarray(run(cnp.linalg.solve)(a, y)), y, 1e-11)
        close(np.asarray(run(cnp.linalg.inv)(a)) @ a, np.eye(n), 1e-11)
        sign, log_det = run(lambda a: tuple(cnp.linalg.slogdet(a)))(a)
        close((sign, log_det), tuple(np.asarray(v) for v in np.linalg.slogdet(a)), 1e-12)


@SIZES
@pytest.mark.parametrize("trans", [0, 1])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("unit", [False, True])
def test_triangular_solves_read_one_triangle(n, trans, lower, unit):
    a = matrix(n) / max(n, 1) + 2 * np.eye(n)
    hidden = (np.triu if lower else np.tril)(np.full((n, n), np.nan), 1 if lower else -1)
    y = RNG.normal(size=n)
    t = (np.tril if lower else np.triu)(a)
    t = t - np.diag(np.diag(t)) + np.eye(n) if unit else t
    expected = np.linalg.solve(t.T if trans else t, y)
    for run in (lambda f: f, jit):
        f = run(lambda a, y: csl.solve_triangular(a, y, trans=trans, lower=lower, unit_diagonal=unit))
        close(f(np.where(np.isnan(hidden), 7.0, a), y), expected, 1e-12)


def test_leading_axes_broadcast():
    a, y = matrix(3, 4, 1), RNG.normal(size=(5, 3, 2))
    close(cnp.linalg.solve(a, y), np.linalg.solve(a, y), 1e-11)
    assert cnp.linalg.solve(a, y[0]).shape == (4, 1, 3, 2) and cnp.linalg.solve(a, np.ones(3)).shape == (4, 1, 3)
    s = spd(3, 2)
    close(csl.cho_solve(csl.cho_factor(s), y[:2]), np.linalg.solve(s, y[:2]), 1e-12)


def test_cholesky_solves_are_scipys():
    s, y = spd(4), RNG.normal(size=4)
    for lower in (False, True):
        close(csl.cho_solve(csl.cho_factor(s, lower), y), scipy.linalg.cho_solve(scipy.linalg.cho_factor(s, lower), y),
              1e-13)
    close(csl.solve(s, y, assume_a="pos"), np.linalg.solve(s, y), 1e-13)
    close(cnp.linalg.cholesky(s, upper=True), np.linalg.cholesky(s).T, 1e-13)


@pytest.mark.parametrize("n", [3, 70])
def test_a_matrix_that_is_not_positive_definite_gives_nan_in_its_lane_alone(n):
    s = np.stack([np.eye(n), -np.eye(n), np.diag(np.r_[np.ones(n - 1), -1.0])])
    for f in (cholesky, jit(cholesky)):
        out = np.asarray(f(s))
        assert np.array_equal(out[0], np.eye(n)) and not np.triu(out[1], 1).any()
        for bad in out[1:]:
            assert np.isnan(bad[np.tril_indices(n)]).all()


@pytest.mark.parametrize("n", [4, 40])
def test_a_singular_matrix_has_determinant_zero(n):
    a = np.ones((n, n))
    for run in (lambda f: f, jit):
        assert float(run(cnp.linalg.det)(a)) == 0.0
        sign, log_det = run(lambda a: tuple(cnp.linalg.slogdet(a)))(a)
        assert float(sign) == 0.0 and float(log_det) == -np.inf
        assert not np.isfinite(np.asarray(run(cnp.linalg.solve)(a, np.arange(float(n))))).all()


def test_pivots_keep_small_leading_elements_harmless():
    a = np.array([[1e-20, 1.0], [1.0, 1.0]])
    close(jit(cnp.linalg.solve)(a, np.array([1.0, 2.0])), np.array([1.0, 1.0]), 1e-15)
    close(jit(cnp.linalg.det)(a[::-1].copy()), np.asarray(1.0), 1e-15)


def test_norms_are_numpys():
    x = RNG.normal(size=(3, 4, 5))
    for ord in (None, 1, 2, 3, 0, np.inf, -np.inf, 2.5):
        close(cnp.linalg.norm(x, ord, 1), np.linalg.norm(x, ord, 1), 1e-14)
    for ord in (None, "fro", 1, -1, np.inf, -np.inf):
        close(cnp.linalg.norm(x, ord, (0, 2)), np.linalg.norm(x, ord, (0, 2)), 1e-14)
        close(cnp.linalg.norm(x, ord, (2, 1), True), np.linalg.norm(x, ord, (2, 1), True), 1e-14)
    close(cnp.linalg.norm(x), np.linalg.norm(x), 1e-14)
    a = matrix(3)
    for n in (0, 1, 5, -2):
        close(cnp.linalg.matrix_power(a, n), np.linalg.matrix_power(a, n), 1e-11)


def test_the_gradient_of_a_gaussian_log_density_is_exact():
    """d/dS of -log|S|/2 - y'S⁻¹y/2 is (uu' - S⁻¹)/2 with u = S⁻¹y, by the Cholesky factor and by LU."""
    s, y = spd(5), RNG.normal(size=5)

    def by_cholesky(s):
        factor = cholesky(s)
        z = csl.solve_triangular(factor, y, lower=True)
        return -cnp.log(cnp.diagonal(factor)).sum() - 0.5 * (z @ z)

    def by_lu(s):
        return -0.5 * cnp.linalg.slogdet(s).logabsdet - 0.5 * (y @ cnp.linalg.solve(s, y))

    inverse = np.linalg.inv(s)
    u = inverse @ y
    for f in (by_cholesky, by_lu, jit(by_cholesky), jit(by_lu)):
        close(grad(f)(s), (np.outer(u, u) - inverse) / 2, 1e-12)
    g = hessian(lambda t: by_cholesky(s + t * np.eye(5)))(0.0)
    close(g, hessian(lambda t: by_lu(s + t * np.eye(5)))(0.0), 1e-11)
    many = np.stack([s, 2 * s])
    close(vmap(grad(by_cholesky))(many)[1], np.asarray(grad(by_cholesky)(2 * s)), 1e-12)


def test_small_factors_work_inside_loops():
    s = spd(3)

    def step(state):
        i, x = state
        return i + 1, cnp.linalg.solve(s, cholesky(s) @ x)
    _, found = jit(lambda x: while_loop(lambda c: c[0] < 3, step, (0, x)))(np.ones(3))
    expected = np.linalg.matrix_power(np.linalg.solve(s, np.linalg.cholesky(s)), 3) @ np.ones(3)
    close(found, expected, 1e-12)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ShapeError, match=r"\(2, 3\)"):
        cnp.linalg.cholesky(np.ones((2, 3)))
    with pytest.raises(ShapeError, match="right side"):
        cnp.linalg.solve(np.eye(3), np.ones(4))
    with pytest.raises(ShapeError, match="axes"):
        cnp.linalg.norm(np.ones((2, 2, 2)), 2)
