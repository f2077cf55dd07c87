"""Minimisation and roots against SciPy and closed forms; line search; implicit derivatives; counts."""
import gc
import weakref
from functools import partial

import numpy as onp
import pytest
from scipy import optimize, stats

import chainrule.engine.numpy as np
from chainrule.engine import config, grad, hessian, jacfwd, jacrev, jit, value_and_grad, vmap
from chainrule.engine import stats as counts
from chainrule.engine.errors import ShapeError
from chainrule.engine.scipy.special import ndtr
from chainrule.inference.optim import descent, line_search, minimize, root, root_scalar

METHODS = ("BFGS", "L-BFGS")
TIGHT = {"gtol": 1e-9, "ftol": -1.0}


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def beale(x):
    return ((1.5 - x[0] + x[0] * x[1]) ** 2 + (2.25 - x[0] + x[0] * x[1] ** 2) ** 2
            + (2.625 - x[0] + x[0] * x[1] ** 3) ** 2)


def powell(x):
    return ((x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4)


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


PROBLEMS = {"rosenbrock, 2": (rosenbrock, [-1.2, 1.0]), "rosenbrock, 20": (rosenbrock, [-1.2, 1.0] * 10),
            "beale": (beale, [1.0, 1.0]), "powell": (powell, [3.0, -1.0, 0.0, 1.0]),
            "himmelblau": (himmelblau, [0.0, 0.0])}


def for_scipy(f):
    both = jit(value_and_grad(f))
    return lambda x: [onp.asarray(v) for v in both(np.asarray(x))]


def conditioned(d=30, ratio=1e4):
    """½ xᵀ A x - bᵀ x with eigenvalues from 1 to `ratio`."""
    rng = onp.random.default_rng(0)
    q = onp.linalg.qr(rng.normal(size=(d, d)))[0]
    return (q * onp.geomspace(1, ratio, d)) @ q.T, rng.normal(size=d)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_minimum_is_scipys(name, method):
    f, x0 = PROBLEMS[name]
    found = minimize(f, x0, method=method, options=TIGHT)
    reference = optimize.minimize(for_scipy(f), x0, jac=True, method="BFGS", options={"gtol": 1e-9})
    assert bool(found.success) and int(found.status) == 0
    assert onp.abs(found.jac).max() <= 1e-9
    tolerance = 1e-2 if name == "powell" else 1e-6                    # its Hessian is singular at the minimum
    onp.testing.assert_allclose(found.x, reference.x, atol=tolerance)
    assert int(found.nfev) < 2 * reference.nfev + 20


@pytest.mark.parametrize("method", METHODS)
def test_a_quadratic_of_condition_10_000(method):
    A, b = conditioned()
    found = minimize(lambda x, A, b: 0.5 * x @ A @ x - b @ x, onp.zeros(30), (A, b), method=method, options=TIGHT)
    assert bool(found.success)
    onp.testing.assert_allclose(found.x, onp.linalg.solve(A, b), atol=1e-8)


def test_bfgs_learns_the_inverse_hessian():
    found = minimize(rosenbrock, [-1.2, 1.0], options=TIGHT)
    onp.testing.assert_allclose(found.hess_inv, onp.linalg.inv(hessian(rosenbrock)(found.x)), rtol=0.05)
    assert minimize(rosenbrock, [-1.2, 1.0], method="L-BFGS").hess_inv is None


def test_a_thousand_variables():
    scale = onp.geomspace(1.0, 10.0, 1000)
    f = lambda x: np.sum(np.log(np.cosh(scale * (x - 1.0)))) + 0.5 * np.sum(x * x) * 1e-3
    found = minimize(f, onp.zeros(1000), method="L-BFGS")
    reference = optimize.minimize(for_scipy(f), onp.zeros(1000), jac=True, method="L-BFGS-B")
    assert bool(found.success) and float(found.fun) < reference.fun + 1e-4


def test_the_line_search_ends_in_a_strong_wolfe_step():
    """Over functions of one variable of many shapes and first steps from 10⁻⁶ to 10⁶ times the right one."""
    shapes = [lambda a: -a / (a ** 2 + 2.0), lambda a: (a + 0.004) ** 5 - 2 * (a + 0.004) ** 4,
              lambda a: np.exp(a) - 3.0 * a, lambda a: np.where(a < 2.0, -a + a ** 2 / 3, np.inf),
              lambda a: 0.5 * (a - 1.0) ** 2 + 1e8, lambda a: np.sqrt(1 + (a - 1) ** 2)]
    for f in shapes:
        at = value_and_grad(f)
        for first in onp.geomspace(1e-6, 1e6, 13):
            value, d = at(np.asarray(0.0))
            search, accepted, failed = line_search.begin(value, d, np.asarray(first)), False, False
            while not accepted and not failed:
                step = search.step
                search, accepted, failed = line_search.resolve(search, *at(step), 40)
            end, end_slope = at(step)
            assert bool(accepted) and not bool(failed)
            assert float(end) <= float(value + 1e-4 * step * d) + 1e-3 * (float(value) > 1e7)
            assert abs(float(end_slope)) <= 0.9 * abs(float(d))


def test_what_cannot_go_on_says_why():
    assert int(minimize(lambda x: np.log(x[0]), [-1.0]).status) == descent.NOT_FINITE
    unbounded = minimize(lambda x: -x[0], [0.0], options={"maxiter": 5})
    assert int(unbounded.status) in (descent.TOO_LONG, descent.STUCK) and not bool(unbounded.success)
    long = minimize(rosenbrock, [-1.2, 1.0], options={"maxiter": 5})
    assert int(long.status) == descent.TOO_LONG and int(long.nit) == 5
    kink = minimize(lambda x: np.where(x[0] < 0.7, 0.7 - x[0], 2.0 * x[0] - 1.4), [0.0], options={"gtol": 1e-3})
    assert int(kink.status) == descent.STUCK and abs(float(kink.x[0]) - 0.7) < 1e-6
    barrier = minimize(lambda x: x[0] - 1e-3 * np.log(x[0]) - 1e-3 * np.log(1.0 - x[0]), [0.5])    # nan outside (0, 1)
    assert bool(barrier.success) and float(barrier.x[0]) == pytest.approx(1e-3, rel=1e-2)


def test_trees_and_closed_over_values():
    target = np.asarray([1.0, 2.0])
    found = minimize(lambda p: np.sum((p["a"] - target) ** 2) + (p["b"] - 3.0) ** 2, {"a": [0.0, 0.0], "b": 0})
    onp.testing.assert_allclose([*found.x["a"], found.x["b"]], [1.0, 2.0, 3.0], atol=1e-5)
    assert found.jac["b"].shape == () and found.hess_inv.shape == (3, 3)


def test_single_precision():
    with config(default_float="float32"):
        found = minimize(rosenbrock, onp.asarray([-1.2, 1.0], "float32"), method="L-BFGS",
                         options={"gtol": 1e-3, "ftol": -1.0})
    assert found.x.dtype == onp.float32
    onp.testing.assert_allclose(found.x, 1.0, atol=1e-2)


def test_starts_side_by_side_are_those_alone():
    starts = onp.random.default_rng(0).normal(size=(6, 2)) * 2
    together = jit(vmap(lambda x: minimize(rosenbrock, x)))(starts)
    alone = [minimize(rosenbrock, x) for x in starts]
    assert [int(n) for n in together.nfev] == [int(r.nfev) for r in alone]
    onp.testing.assert_allclose(together.x, onp.stack([onp.asarray(r.x) for r in alone]), atol=1e-9)


def test_another_call_compiles_nothing_and_calls_nothing():
    calls = []

    def f(x, a):
        calls.append(1)
        return np.sum((x - a) ** 2)

    for solve in (lambda a: minimize(f, onp.zeros(3), (a,)), lambda a: minimize(f, onp.zeros(3), (a,), method="L-BFGS",
                                                                               tol=float(a[0]) * 1e-8)):
        solve(onp.ones(3))
        before = counts()
        again = solve(onp.full(3, 2.0))
        after = counts()
        assert (after.traces, after.compilations) == (before.traces, before.compilations)
        onp.testing.assert_allclose(again.x, 2.0, atol=1e-6)
    assert len(calls) == 1


def test_what_is_compiled_goes_with_the_function():
    f = lambda x: np.sum(x ** 2)
    minimize(f, onp.ones(2))
    root(g := lambda x: x - 1.0, onp.ones(2))
    alive = [weakref.ref(f), weakref.ref(g)]
    del f, g
    gc.collect()
    assert [r() for r in alive] == [None, None]


# ---- implicit derivatives ----

def ridge(x, y, penalty, X):
    return 0.5 * np.sum((X @ x - y) ** 2) + 0.5 * penalty * np.sum(x * x)


@pytest.mark.parametrize("method", METHODS)
def test_derivatives_of_a_minimum(method):
    rng = onp.random.default_rng(0)
    X, y = rng.normal(size=(8, 3)), rng.normal(size=8)
    solve = lambda y, penalty: minimize(ridge, onp.zeros(3), (y, penalty, X), method=method, options=TIGHT)
    exact = lambda y, penalty: np.linalg.solve(X.T @ X + penalty * onp.eye(3), X.T @ y)
    for jacobian in (jacfwd, jacrev):
        for i in (0, 1):
            onp.testing.assert_allclose(jacobian(lambda *a: solve(*a).x, argnums=i)(y, 0.7),
                                        jacobian(exact, argnums=i)(y, 0.7), atol=1e-7)
    second = lambda f: jacfwd(jacrev(f))(0.7)
    onp.testing.assert_allclose(second(lambda p: solve(y, p).x), second(lambda p: exact(y, p)), atol=1e-7)
    value = lambda p: 0.5 * np.sum((X @ exact(y, p) - y) ** 2) + 0.5 * p * np.sum(exact(y, p) ** 2)
    onp.testing.assert_allclose(grad(lambda p: solve(y, p).fun)(0.7), grad(value)(0.7), atol=1e-7)
    onp.testing.assert_allclose(jit(vmap(grad(lambda p: solve(y, p).x[0])))(onp.asarray([0.5, 0.7])),
                                [grad(lambda p: exact(y, p)[0])(p) for p in (0.5, 0.7)], atol=1e-7)


def test_derivatives_with_respect_to_what_is_closed_over_and_to_the_start():
    solve = lambda a: minimize(lambda x: np.cosh(x[0] - a ** 2), [0.5], options=TIGHT).x[0]
    assert float(grad(solve)(1.2)) == pytest.approx(2.4, abs=1e-7)
    assert grad(lambda x0: minimize(rosenbrock, x0).x[0])(np.asarray([0.5, 0.5])).tolist() == [0.0, 0.0]


def test_derivatives_are_differences_of_solutions():
    """Of a minimum that has no formula, and of a root of a system."""
    rng = onp.random.default_rng(3)
    X, a = rng.normal(size=(12, 3)), onp.asarray([0.3, -0.5, 0.8])
    minimum = lambda a, method: minimize(lambda x, a: np.sum(np.logaddexp(0.0, X @ x)) + np.sum(np.cosh(x - a)),
                                         onp.zeros(3), (a,), method=method, options=TIGHT).x
    system = lambda a, method: root(lambda x, a: x + 0.3 * np.sin(x[::-1]) * x - a ** 2 - a, onp.zeros(3), (a,),
                                    method=method).x
    for solve, method in ((minimum, "L-BFGS"), (system, "newton")):
        ends = [[onp.asarray(solve(a + h, method)) for h in sign * 1e-4 * onp.eye(3)] for sign in (1, -1)]
        found = jacrev(partial(solve, method=method))(a)
        onp.testing.assert_allclose(found, onp.subtract(*ends).T / 2e-4, atol=1e-5)


def test_integers_among_the_arguments_have_no_derivative():
    solve = lambda a, n: minimize(lambda x, a, n: np.sum((x - a * n) ** 2), [0.0], (a, n)).x[0]
    assert float(grad(solve)(2.0, onp.arange(3, 4)[0])) == pytest.approx(3.0, abs=1e-6)


# ---- roots ----

@pytest.mark.parametrize("method", ("newton", "broyden1"))
def test_roots_of_systems(method):
    def tridiagonal(x):                                               # Moré, Garbow & Hillstrom (1981), number 30
        before, after = np.concatenate([np.zeros(1), x[:-1]]), np.concatenate([x[1:], np.zeros(1)])
        return (3.0 - 2.0 * x) * x - before - 2.0 * after + 1.0

    found = root(tridiagonal, -onp.ones(8), method=method)
    assert bool(found.success) and onp.abs(found.fun).max() <= 1e-10
    reference = optimize.root(lambda x: onp.asarray(tridiagonal(np.asarray(x))), -onp.ones(8), tol=1e-13)
    onp.testing.assert_allclose(found.x, reference.x, atol=1e-8)
    assert int(found.njev) == 1 or method == "newton"
    flat = root(lambda x: x * x + 1.0, [0.3], method=method)
    assert not bool(flat.success) and int(flat.status) in (descent.STUCK, descent.TOO_LONG)
    assert int(root(lambda x: np.log(x), [-1.0], method=method).status) == descent.NOT_FINITE


def test_derivatives_of_a_root():
    def kepler(x, e, m):
        return {"equation": x["E"] - e * np.sin(x["E"]) - m}

    solve = lambda e, m: root(kepler, {"E": 1.0}, (e, m)).x["E"]
    E = float(solve(0.4, 1.3))
    onp.testing.assert_allclose(E - 0.4 * onp.sin(E), 1.3, atol=1e-10)
    expected = onp.sin(E) / (1 - 0.4 * onp.cos(E)), 1 / (1 - 0.4 * onp.cos(E))
    for d in (grad, jacfwd):
        onp.testing.assert_allclose([d(solve, argnums=i)(0.4, 1.3) for i in (0, 1)], expected, rtol=1e-9)
    before = counts()
    solve(0.5, 0.2)
    assert counts().compilations == before.compilations


@pytest.mark.parametrize("options", [dict(bracket=(-9.0, 50.0)), dict(bracket=(-9.0, 50.0), x0=3.0), dict(x0=2.2),
                                     dict(bracket=(-9.0, 50.0), method="newton")])
def test_roots_of_one_equation(options):
    """Quantiles of the normal distribution."""
    f = lambda x, mean, p: ndtr(x - mean) - p
    found = root_scalar(f, (2.5, 0.3), **options)
    normal = stats.norm(2.5)
    assert bool(found.success)
    onp.testing.assert_allclose(found.x, normal.ppf(0.3), rtol=1e-10)
    slope = grad(lambda p: root_scalar(f, (2.5, p), **options).x)(0.3)
    onp.testing.assert_allclose(slope, 1 / normal.pdf(normal.ppf(0.3)), rtol=1e-9)


def test_a_bracket_saves_newtons_method():
    f = lambda x: np.arctan(x - 1.0)                                  # without one it runs away from 5
    found = root_scalar(f, bracket=(-10.0, 20.0), x0=5.0)
    assert float(found.x) == pytest.approx(1.0, abs=1e-12)
    assert not bool(root_scalar(f, x0=5.0).success)
    lost = root_scalar(f, bracket=(2.0, 3.0))
    assert int(lost.status) == descent.NOT_FINITE and onp.isnan(lost.x)
    at_end = root_scalar(lambda x: x - 1.0, bracket=(1.0, 3.0))
    assert float(at_end.x) == pytest.approx(1.0, abs=1e-11)
    many = jit(vmap(lambda a: root_scalar(lambda x: x ** 3 - a, bracket=(0.0, 10.0)).x))(onp.asarray([1.0, 8.0, 27.0]))
    onp.testing.assert_allclose(many, [1.0, 2.0, 3.0], atol=1e-10)


def test_mistakes_are_named():
    for call, error, text in [
            (lambda: minimize(rosenbrock, [0.0, 0.0], method="Nelder-Mead"), ValueError, "choose one of 'BFGS'"),
            (lambda: minimize(rosenbrock, [0.0, 0.0], options={"eps": 1.0}), ValueError, "no option 'eps'"),
            (lambda: minimize(lambda x: x * 2.0, [0.0, 0.0]), ShapeError, "gives one real number"),
            (lambda: root(lambda x: x[:1], [0.0, 0.0]), ShapeError, "x0 has 2 numbers"),
            (lambda: root_scalar(lambda x: x), ValueError, "needs bracket"),
            (lambda: root_scalar(lambda x: np.stack([x, x]), x0=1.0), ShapeError, "of one number that gives one")]:
        with pytest.raises(error, match=text):
            call()
