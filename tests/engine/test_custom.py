"""custom_jvp, custom_vjp and custom_gradient under every transformation."""
import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import (
    checkpoint,
    cond,
    custom_gradient,
    custom_jvp,
    custom_vjp,
    grad,
    hessian,
    jacfwd,
    jit,
    jvp,
    linearize,
    scan,
    vmap,
)
from chainrule.engine.errors import TransformError


@custom_jvp
def doubled(x, y):
    return np.sin(x) * y


@doubled.defjvp
def _(primals, tangents):
    (x, y), (tx, ty) = primals, tangents
    return doubled(x, y), 2.0 * np.cos(x) * y * tx + np.sin(x) * ty


@custom_vjp
def tripled(x, y):
    return np.sin(x) * y


tripled.defvjp(lambda x, y: (tripled(x, y), (x, y)),
               lambda r, c: (3.0 * c * np.cos(r[0]) * r[1], c * np.sin(r[0])))

X, Y = onp.array([0.3, -1.2, 2.0]), 1.7
FACTORS = [(doubled, 2.0), (tripled, 3.0)]


@pytest.mark.parametrize("f, k", FACTORS)
@pytest.mark.parametrize("wrap", [lambda g: g, jit, lambda g: grad_of_jit(g)], ids=["eager", "jit", "inner jit"])
def test_the_rule_is_used_by_grad(f, k, wrap):
    g = grad(f, (0, 1)) if wrap(f) is f else jit(grad(f, (0, 1))) if wrap is jit else grad(jit(f), (0, 1))
    dx, dy = g(X[0], Y)
    onp.testing.assert_allclose([dx, dy], [k * onp.cos(X[0]) * Y, onp.sin(X[0])], rtol=1e-14)


def grad_of_jit(g):
    return jit(g)


@pytest.mark.parametrize("f, k", FACTORS)
def test_vmap_of_grad_and_grad_of_vmap(f, k):
    each = vmap(grad(f), (0, None))(X, Y)
    onp.testing.assert_allclose(each, k * onp.cos(X) * Y, rtol=1e-14)
    dx, dy = grad(lambda x, y: np.sum(vmap(f, (0, None))(x, y)), (0, 1))(X, Y)
    onp.testing.assert_allclose(dx, each, rtol=1e-14)
    onp.testing.assert_allclose(dy, onp.sin(X).sum(), rtol=1e-14)


@pytest.mark.parametrize("f, k", FACTORS)
def test_the_rule_is_used_inside_of_scan(f, k):
    def run(x):
        return scan(lambda c, _: (f(c, 1.1), None), x, None, 3)[0]
    x, slope = 0.4, 1.0
    for _ in range(3):
        slope, x = slope * k * onp.cos(x) * 1.1, onp.sin(x) * 1.1
    assert float(grad(run)(0.4)) == pytest.approx(slope, rel=1e-13)
    assert float(jit(grad(run))(0.4)) == pytest.approx(slope, rel=1e-13)


def test_a_second_derivative_differentiates_the_rule():
    assert float(grad(grad(doubled))(0.3, Y)) == pytest.approx(-2.0 * 2.0 * onp.sin(0.3) * Y / 2.0, rel=1e-14)
    assert float(grad(grad(tripled))(0.3, Y)) == pytest.approx(-3.0 * onp.sin(0.3) * Y, rel=1e-14)
    assert float(hessian(tripled)(0.3, Y)) == pytest.approx(-3.0 * onp.sin(0.3) * Y, rel=1e-14)


def test_forward_mode_of_custom_vjp_differentiates_the_function_itself():
    onp.testing.assert_allclose(jvp(tripled, (0.3, Y), (1.0, 0.0))[1], onp.cos(0.3) * Y, rtol=1e-14)
    columns = jacfwd(lambda x: vmap(tripled, (0, None))(x, Y))(X)
    onp.testing.assert_allclose(columns, onp.diag(onp.cos(X) * Y), rtol=1e-14)
    onp.testing.assert_allclose(linearize(lambda x: tripled(x, Y), 0.3)[1](1.0), onp.cos(0.3) * Y, rtol=1e-14)


def test_nondiff_arguments_stay_python_values():
    @custom_jvp
    def power(n, x):
        return x ** n
    power = custom_jvp(power.fun, nondiff_argnums=(0,))
    power.defjvp(lambda n, p, t: (power(n, *p), n * p[0] ** (n - 1) * t[0] * 10.0))
    assert float(grad(power, 1)(3, 2.0)) == 120.0
    clipped = custom_vjp(lambda limit, x: x * 1.0, nondiff_argnums=(0,))
    clipped.defvjp(lambda limit, x: (x * 1.0, None), lambda limit, r, c: (np.clip(c, -limit, limit),))
    assert float(grad(lambda x: 100.0 * clipped(2.5, x))(1.0)) == 2.5


def test_trees_go_in_and_out():
    f = custom_vjp(lambda p: {"s": p["a"] * p["b"]})
    f.defvjp(lambda p: (f(p), p), lambda p, c: ({"a": c["s"] * p["b"] * 5.0, "b": None and c["s"]} if False else
                                                {"a": c["s"] * p["b"] * 5.0, "b": c["s"] * p["a"]},))
    g = grad(lambda p: f(p)["s"])({"a": 2.0, "b": 3.0})
    assert (float(g["a"]), float(g["b"])) == (15.0, 2.0)


def test_custom_gradient_under_jit_and_vmap():
    f = custom_gradient(lambda x: (x * x, lambda c: 3.0 * c * np.sin(x)))
    onp.testing.assert_allclose(vmap(grad(f))(X), 3.0 * onp.sin(X), rtol=1e-14)
    onp.testing.assert_allclose(jit(vmap(grad(f)))(X), 3.0 * onp.sin(X), rtol=1e-14)


def test_defjvps_adds_the_parts():
    f = custom_jvp(lambda x, y: x * y)
    f.defjvps(lambda t, out, x, y: t * y, None)
    assert [float(v) for v in grad(f, (0, 1))(2.0, 3.0)] == [3.0, 0.0]


def test_errors_name_the_function():
    lonely = custom_jvp(lambda x: x)
    with pytest.raises(TransformError, match="custom_jvp without a rule"):
        grad(lonely)(1.0)
    wrong = custom_vjp(lambda x, y: x * y)
    wrong.defvjp(lambda x, y: (x * y, ()), lambda r, c: (c,))
    with pytest.raises(TransformError, match="1 cotangents for 2 arguments"):
        grad(wrong)(1.0, 2.0)

    def closes_over(x):
        inner = custom_jvp(lambda y: x * y)
        inner.defjvp(lambda p, t: (inner(*p), t[0]))
        return inner(2.0)
    with pytest.raises(TransformError, match="closes over"):
        grad(closes_over)(1.0)


@pytest.mark.parametrize("inner", [
    lambda x: scan(lambda c, r: (np.sin(c * r), None), x, x)[0],
    lambda x: checkpoint(lambda y: np.sin(y) * y)(x),
    lambda x: cond(x[0] > 0, lambda y: np.sin(y) * y, lambda y: y, x),
    lambda x: jit(lambda x: scan(lambda c, r: (c * c + r, None), x, x)[0])(x),
], ids=["scan", "checkpoint", "cond", "scan in jit"])
def test_grad_goes_through_a_rule_that_differentiates_a_program(inner):
    """The rule's loop carries primal values and tangents together."""
    ruled = custom_jvp(inner)
    ruled.defjvp(lambda primals, tangents: jvp(inner, primals, tangents))
    for wrap in (lambda f: f, jit, lambda f: lambda x: vmap(f)(x[None])[0]):
        onp.testing.assert_allclose(wrap(grad(lambda x: np.sum(ruled(x))))(X),
                                    jacfwd(lambda x: np.sum(inner(x)))(X), rtol=1e-13)
    onp.testing.assert_allclose(hessian(lambda x: np.sum(ruled(x)))(X), hessian(lambda x: np.sum(inner(x)))(X),
                                rtol=1e-12, atol=1e-14)
