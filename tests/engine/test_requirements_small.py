"""Promises of the engine that need a few lines each and belong to no one file: costs, orders, purity, memory, names."""
import gc
import inspect

import mpmath
import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import (
    checkpoint,
    debug,
    fori_loop,
    grad,
    hessian,
    jacfwd,
    jit,
    jvp,
    make_jaxpr,
    pure_callback,
    scan,
    stats,
    value_and_grad,
    vjp,
    vmap,
)
from chainrule.engine.core import Trace, Tracer
from chainrule.engine.errors import LeakedTracerError
from tests.engine.laws import close

X = np.array([0.5, -1.0, 2.0])


def flops(f, *args):
    """XLA's count for one run of f: operations of floating-point arithmetic and elementary functions."""
    cost = jit(f).lower(*args).compile().cost_analysis()
    return cost["flops"] + cost.get("transcendentals", 0.0)


def counted(jaxpr):
    """Equations of a program and of the programs inside of it."""
    inner = [p for e in jaxpr.eqns for v in e.params.values() for p in (v if isinstance(v, tuple) else (v,))]
    return len(jaxpr.eqns) + sum(counted(p) for p in inner if hasattr(p, "eqns"))


def log_density(x):
    return -0.5 * cnp.sum(cnp.log1p(cnp.exp(cnp.sin(x))) * x ** 2) - cnp.sum(cnp.log(1.0 + x * x))


def rosenbrock(p):
    return cnp.sum(100.0 * (p[1:] - p[:-1] ** 2) ** 2 + (1.0 - p[:-1]) ** 2)


# ---- values ----

def test_the_damped_sine_gives_numpys_numbers():
    def program(np):
        x = np.linspace(0, 4 * np.pi, 100)
        y = np.exp(-0.1 * x) * np.sin(x)
        return np.where(y > 0, y, 0.0), np.mean(y), np.dot(x, y)
    close(program(cnp), program(np), 1e-13)


def test_no_transformed_call_changes_an_argument():
    def f(x):
        return cnp.sum(x.at[0].set(5.0) * cnp.sort(x)) if isinstance(x, Tracer) else cnp.sum(cnp.asarray(x) ** 2)
    def along(f):
        return lambda v: jvp(f, (v,), (v,))

    def back(f):
        return lambda v: vjp(f, v)[1](1.0)
    for wrap in (jit, grad, value_and_grad, hessian, checkpoint, vmap, along, back):
        x, lanes = X.copy(), np.stack([X, X])
        wrap(f)(lanes if wrap is vmap else x)
        assert np.array_equal(x, X) and np.array_equal(lanes, np.stack([X, X]))


def test_repeated_calls_are_equal_to_the_bit():
    for f in (log_density, jit(log_density), grad(log_density), jit(grad(log_density))):
        assert len({np.asarray(f(X)).tobytes() for _ in range(5)}) == 1


def test_naming_a_subexpression_changes_nothing():
    helper = jit(lambda x: cnp.sin(x) * x)

    def named(x):
        y = helper(x)
        return (y + y * y).sum()

    def written_out(x):
        return (cnp.sin(x) * x + cnp.sin(x) * x * (cnp.sin(x) * x)).sum()
    for wrap in (jit, lambda f: jit(grad(f)), lambda f: jit(hessian(f))):
        close(wrap(named)(X), wrap(written_out)(X), 1e-14)


def test_derivatives_are_exact_to_the_last_digits():
    def f(x, m):
        return m.exp(m.sin(x)) * m.log(1 + x * x) / m.sqrt(x)
    with mpmath.workdps(50):
        exact = float(mpmath.diff(lambda x: f(x, mpmath), mpmath.mpf("1.3")))
        exact_second = float(mpmath.diff(lambda x: f(x, mpmath), mpmath.mpf("1.3"), 2))
    complex_step = f(1.3 + 1e-200j, np).imag / 1e-200
    found = float(grad(lambda x: f(x, cnp))(1.3))
    assert abs(found / exact - 1) < 2e-15 and abs(found / complex_step - 1) < 4e-15
    assert abs(float(grad(grad(lambda x: f(x, cnp)))(1.3)) / exact_second - 1) < 1e-14


def test_finite_differences_have_a_best_step_and_stay_worse():
    exact, errors = np.cos(0.7), {}
    for k in range(1, 16):
        errors[k] = abs((np.sin(0.7 + 10.0 ** -k) - np.sin(0.7)) / 10.0 ** -k - exact)
    best = min(errors, key=errors.get)
    assert 6 <= best <= 9 and errors[1] > 1e-3 and errors[15] > 1e-3
    assert abs(float(grad(cnp.sin)(0.7)) - exact) < 1e-15 < errors[best]


CLOSED = {                                               # function, its nth derivative at x
    "sin": (cnp.sin, lambda n, x: np.sin(x + n * np.pi / 2)),
    "exp": (lambda x: cnp.exp(2 * x), lambda n, x: 2.0 ** n * np.exp(2 * x)),
    "log": (cnp.log, lambda n, x: (-1.0) ** (n - 1) * float(mpmath.factorial(n - 1)) / x ** n),
    "reciprocal": (lambda x: 1 / x, lambda n, x: (-1.0) ** n * float(mpmath.factorial(n)) / x ** (n + 1)),
    "sqrt": (cnp.sqrt, lambda n, x: float(mpmath.ff(0.5, n)) * x ** (0.5 - n)),
    "power": (lambda x: x ** 7, lambda n, x: float(mpmath.ff(7, n)) * x ** (7 - n)),
    "tanh": (cnp.tanh, lambda n, x: float(mpmath.diff(mpmath.tanh, x, n))),
}


@pytest.mark.parametrize("name", CLOSED)
def test_derivatives_to_the_sixth_order(name):
    f, closed = CLOSED[name]
    for n in range(1, 7):
        f = grad(f)
        close(f(0.7), closed(n, 0.7), 1e-10)


def test_grad_follows_python_recursion():
    def power(x, n):
        return 1.0 if n == 0 else x * power(x, n - 1)
    assert float(grad(power)(2.0, 5)) == 80.0 and float(jit(grad(power), static_argnums=1)(2.0, 5)) == 80.0


# ---- costs ----

@pytest.mark.parametrize("n", [10, 100, 1000])
def test_a_gradient_costs_at_most_four_functions(n):
    matrix = np.random.default_rng(0).normal(size=(n, n))
    for f in (log_density, rosenbrock, lambda x: cnp.sum(cnp.tanh(matrix @ x)),
              lambda x: cnp.sum(cnp.log1p(x ** 2)) - cnp.sum((matrix @ x) ** 2)):
        x = np.linspace(0.1, 1.0, n)
        assert flops(value_and_grad(f), x) <= 4 * flops(f, x)


def test_a_jacobian_by_columns_costs_n_and_a_gradient_does_not():
    def ratio(way, n):
        return flops(way(log_density), np.linspace(0.1, 1.0, n)) / flops(log_density, np.linspace(0.1, 1.0, n))
    assert ratio(jacfwd, 100) > 5 * ratio(jacfwd, 10)
    assert ratio(grad, 1000) < 1.5 * ratio(grad, 10)


def test_a_compiled_gradient_calls_no_python_of_the_user():
    calls = []
    f = jit(grad(lambda x: calls.append(1) or cnp.sin(x)))
    f(0.5)
    calls.clear()
    before = stats()
    f(0.6)
    assert not calls and stats().executions - before.executions == 1 and stats().traces == before.traces


def test_a_whole_function_is_one_executable():
    f = jit(lambda x: (cnp.sin(x).sum(), log_density(x), grad(rosenbrock)(x)))
    f(X)
    before = stats()
    f(X + 1)
    assert stats().executions - before.executions == 1


def selu(x, alpha=1.67, lmbda=1.05):
    return lmbda * cnp.where(x > 0, x, alpha * cnp.exp(x) - alpha)


def test_default_arguments_stay_defaults():
    close(jit(selu)(X), 1.05 * np.where(X > 0, X, 1.67 * np.exp(X) - 1.67), 1e-14)
    close(jit(selu)(X, alpha=1.0), 1.05 * np.where(X > 0, X, np.exp(X) - 1.0), 1e-14)


def test_element_wise_operations_become_one_kernel_without_temporaries():
    compiled = jit(selu).lower(np.ones(10_000)).compile()
    entry = compiled.as_text().partition("ENTRY ")[2]
    assert entry.count(" fusion(") == 1
    assert compiled.memory_analysis()["temp_size_in_bytes"] == 0
    assert jit(lambda x: selu(cnp.sin(selu(x)) + 1.0)).lower(
        np.ones(10_000)).compile().memory_analysis()["temp_size_in_bytes"] == 0


def test_a_loop_of_gradient_descent_is_one_program():
    rng = np.random.default_rng(0)
    channel, signal = rng.normal(size=(20, 4)), rng.normal(size=4)

    @jit
    def estimate(y, h):
        slope = grad(lambda x: cnp.sum((y - h @ x) ** 2))
        return fori_loop(0, 2000, lambda i, x: x - 0.01 * slope(x), cnp.zeros(4))
    close(estimate(channel @ signal, channel), signal, 1e-10)


def test_gradient_descent_goes_down_rosenbrocks_valley():
    @jit
    def run(p):
        return fori_loop(0, 50_000, lambda i, p: p - 1e-3 * grad(rosenbrock)(p), p)
    close(run(np.array([-1.2, 1.0])), np.ones(2), 1e-6)


def test_an_outer_problem_differentiates_through_the_inner_optimiser():
    def inner(ridge):                                    # min (w-3)² + ridge w²: w = 3 / (1 + ridge)
        slope = grad(lambda w: (w - 3.0) ** 2 + ridge * w ** 2)
        return scan(lambda w, _: (w - 0.1 * slope(w), None), 0.0, None, length=200)[0]

    def outer(ridge):
        return (inner(ridge) - 2.0) ** 2
    close(inner(0.8), 3.0 / 1.8, 1e-12)
    close(jit(grad(outer))(0.8), 2 * (3 / 1.8 - 2) * -3 / 1.8 ** 2, 1e-10)
    best = jit(lambda r: scan(lambda r, _: (r - 0.1 * grad(outer)(r), None), r, None, length=100)[0])(0.8)
    close(best, 0.5, 1e-6)


def test_programs_of_nth_derivatives_grow_like_a_polynomial():
    f, sizes = lambda x: cnp.sin(x) * cnp.exp(x * x), []
    for _ in range(6):
        f = grad(f)
        sizes.append(counted(jit(f).lower(0.5).jaxpr))
    ratios = [b / a for a, b in zip(sizes, sizes[1:])]
    assert ratios[-1] < 2.5 and ratios[-1] <= ratios[0] + 0.5, sizes


def test_derivatives_write_no_zeros():
    program = make_jaxpr(grad(lambda x: cnp.sum(x[0] * cnp.sin(x[1]) + x[2])))((X, X, X))
    assert "zeros" not in str(program) and "0.0" not in str(program)


def test_the_text_does_not_grow_with_a_closed_over_array():
    def size(n):
        data = np.random.default_rng(0).normal(size=n)
        return len(jit(lambda x: cnp.sum(x * data)).lower(1.0).as_text())
    assert size(1_000_000) - size(1000) < 100


# ---- composition ----

def test_per_example_gradients_compile_in_one_line():
    def loss(w, x, y):
        return (cnp.tanh(w @ x) - y) ** 2
    rng = np.random.default_rng(1)
    w, xs, ys = rng.normal(size=3), rng.normal(size=(5, 3)), rng.normal(size=5)
    found = jit(vmap(grad(loss), in_axes=(None, 0, 0)))(w, xs, ys)
    close(found, np.stack([grad(loss)(w, x, y) for x, y in zip(xs, ys)]), 1e-13)
    assert "while" not in str(make_jaxpr(vmap(grad(loss), in_axes=(None, 0, 0)))(w, xs, ys))


def test_the_gradient_of_lanes_is_the_lanes_of_the_gradient():
    close(grad(lambda x: vmap(lambda v: cnp.sin(v) * v)(x).sum())(X), vmap(grad(lambda v: cnp.sin(v) * v))(X), 1e-15)


def test_lanes_of_matrix_vector_products():
    rng = np.random.default_rng(2)
    a, x = rng.normal(size=(4, 2, 3)), rng.normal(size=(4, 3))
    close(vmap(cnp.matmul)(a, x), np.einsum("bmn,bn->bm", a, x), 1e-14)
    predict_batch = vmap(lambda w, x: w @ x, in_axes=(None, 0))
    assert predict_batch(x[0], x).shape == (4,)
    assert [e.prim.name for e in make_jaxpr(predict_batch)(x[0], x).eqns] == ["dot_general"]


def test_eight_transformations_deep():
    wraps = [jit, lambda f: vmap(f, axis_size=1, in_axes=None), checkpoint, jit,
             lambda f: lambda x: jvp(f, (x,), (1.0,))[1], lambda f: grad(lambda x: f(x).sum()), checkpoint, jit]
    f = cnp.sin
    for wrap in wraps: f = wrap(f)
    close(f(0.7), -np.sin(0.7), 1e-14)
    g = cnp.sin
    for _ in range(8): g = jit(grad(g))
    close(g(0.7), np.sin(0.7), 1e-12)


def test_one_function_under_every_strategy():
    def f(x):
        return cnp.sum(x * cnp.sin(x))
    expected = np.sum(X * np.sin(X))
    close([f(X), jit(f)(X), checkpoint(f)(X), vmap(f)(X[None])[0], value_and_grad(f)(X)[0], jvp(f, (X,), (X,))[0]],
          [expected] * 6, 1e-15)


def test_names_and_signatures_are_kept():
    def loss(w, x, *, scale=1.0):
        """The loss."""
        return cnp.sum(w * x) * scale
    for wrap in (jit, grad, vmap, value_and_grad, checkpoint):
        assert wrap(loss).__wrapped__ is loss and wrap(loss).__doc__ == "The loss."
        assert inspect.signature(wrap(loss)) == inspect.signature(loss)


# ---- effects, memory, threads ----

def test_a_leak_is_found_wherever_the_value_is_kept():
    class Box:
        value = None
    box, table = Box(), {}

    def default(x, kept=[]):  # noqa: B006
        kept.append(x)
        return kept[0] * 1.0
    jit(lambda x: setattr(box, "value", x) or x)(1.0)
    jit(lambda x: table.update(x=x) or x)(1.0)
    jit(default)(1.0)
    for use in (lambda: box.value + 1, lambda: table["x"] * 2, lambda: default(2.0)):
        with pytest.raises(LeakedTracerError):
            use()


def test_a_callback_may_transform_functions():
    def inside(x):
        return np.asarray(jit(grad(lambda v: cnp.sum(v ** 3)))(np.asarray(x)))
    for f in (lambda x: pure_callback(inside, X, x), jit(lambda x: pure_callback(inside, X, x))):
        close(f(X), 3 * X ** 2)


def test_a_print_in_a_recomputed_function_comes_once(capfd):
    @checkpoint
    def f(x):
        debug.print("here {x}", x=x)
        return cnp.sin(x) * x
    jit(grad(f))(0.5).block_until_ready()
    assert capfd.readouterr().out.count("here") == 1


@pytest.mark.slow
def test_many_traces_leave_nothing_behind():
    def alive():
        gc.collect()
        return sum(isinstance(o, (Trace, Tracer)) for o in gc.get_objects())

    def traces(n):
        for k in range(n):
            make_jaxpr(lambda x, k=k: cnp.sin(x) * k)(1.0)
            grad(lambda x, k=k: x * k)(1.0)
    traces(10)
    before = alive()
    traces(1000)
    assert alive() <= before + 5


def test_staging_needs_no_collector():
    def alive():
        return sum(isinstance(o, Trace | Tracer) for o in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = alive()
        for k in range(20): make_jaxpr(lambda x, k=k: cnp.sin(x) * k)(X)
        left = alive() - before
    finally:
        gc.enable()
    assert left <= 5
