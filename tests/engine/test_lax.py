"""map with batches, associative_scan and linear_transpose."""
import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import ShapeDtype, grad, jit, lax, linear_transpose, vmap


@pytest.mark.parametrize("batch_size", [None, 1, 3, 4, 7, 10, 20])
def test_map_in_batches_is_map(batch_size):
    xs = {"a": onp.linspace(-1, 1, 10), "b": onp.arange(20.0).reshape(10, 2)}
    f = lambda x: (np.sin(x["a"]) * x["b"], x["a"])
    got, want = lax.map(f, xs, batch_size=batch_size), vmap(f)(xs)
    for g, w in zip(got, want):
        onp.testing.assert_allclose(g, w, rtol=1e-15)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 16, 33])
@pytest.mark.parametrize("reverse", [False, True])
def test_associative_scan_runs_an_operation_along(n, reverse):
    x = onp.random.default_rng(n).normal(size=(3, n))
    want = onp.cumprod(x[:, ::-1], 1)[:, ::-1] if reverse else onp.cumprod(x, 1)
    for run in (lambda v: lax.associative_scan(lambda a, b: a * b, v, reverse=reverse, axis=1),):
        onp.testing.assert_allclose(run(x), want, rtol=1e-12)
        onp.testing.assert_allclose(jit(run)(x), want, rtol=1e-12)


def test_associative_scan_of_a_linear_recurrence_and_its_derivative():
    a, b = onp.linspace(0.5, 1.5, 6), onp.linspace(-1, 1, 6)

    def last(a):
        pairs = lax.associative_scan(lambda p, q: (p[0] * q[0], p[1] * q[0] + q[1]), (a, np.asarray(b)))
        return pairs[1][-1]

    def loop(a):
        y = 0.0
        for i in range(6):
            y = a[i] * y + b[i]
        return y
    assert float(last(np.asarray(a))) == pytest.approx(float(loop(a)), rel=1e-14)
    onp.testing.assert_allclose(grad(last)(a), grad(loop)(np.asarray(a)), rtol=1e-12)


def test_linear_transpose_is_the_adjoint():
    m = onp.arange(6.0).reshape(2, 3)
    turn = linear_transpose(lambda x: m @ x + 2 * np.sum(x), ShapeDtype((3,), float))
    c = onp.array([1.0, -2.0])
    onp.testing.assert_allclose(turn(c)[0], m.T @ c + 2 * c.sum(), rtol=1e-15)
