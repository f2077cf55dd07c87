"""Derivatives as users call them: argument numbers, auxiliary results, nesting, integers, zeros and orders."""
import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import (
    cond,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacrev,
    jit,
    jvp,
    linearize,
    make_jaxpr,
    scan,
    value_and_grad,
    vjp,
    vmap,
    while_loop,
)
from chainrule.engine.errors import ConcretizationError, ShapeError, TransformError, TreeError
from chainrule.engine.ops.elementwise import stop_gradient
from tests.engine.laws import close, slope

A = np.random.default_rng(2).normal(size=(3, 3))
X = np.array([0.5, -1.0, 2.0])


# ---- perturbation confusion ----

def test_an_inner_derivative_does_not_see_the_outer_variable():
    assert float(grad(lambda x: x * grad(lambda y: x)(2.0))(1.0)) == 0.0
    assert float(grad(lambda x: x * grad(lambda y: x + y)(1.0))(3.0)) == 1.0
    assert float(jvp(lambda x: x * jvp(lambda y: x * y, (2.0,), (1.0,))[1], (3.0,), (1.0,))[1]) == 6.0


def test_tangents_of_two_levels_stay_apart_through_a_product():
    def f(x):
        return jvp(lambda y: grad(lambda z: x * y * z)(1.0) * y, (x,), (1.0,))[1]
    assert float(f(3.0)) == 18.0                         # d/dy x y² = 2xy at y = x
    assert float(grad(f)(3.0)) == 12.0


@pytest.mark.parametrize("wrap", [lambda f: f, jit, lambda f: lambda x: scan(lambda c, _: (f(c), None), x, None,
                                                                             length=1)[0]])
def test_levels_stay_apart_through_programs(wrap):
    def f(x):
        return x * grad(wrap(lambda y: x * y * y))(x)    # 2x³
    assert float(grad(wrap(f))(2.0)) == 24.0
    assert float(grad(grad(wrap(f)))(2.0)) == 24.0


# ---- arguments and results ----

def test_argnums_choose_the_arguments_and_shape_the_gradient():
    def f(a, b, c):
        return (a * b["x"]).sum() * c
    args = (X, {"x": X + 1}, 2.0)
    close(grad(f)(*args), 2 * (X + 1))
    close(grad(f, 1)(*args), {"x": 2 * X})
    close(grad(f, (2, 0))(*args), ((X * (X + 1)).sum(), 2 * (X + 1)))
    close(grad(f, -1)(*args), (X * (X + 1)).sum())
    close(grad(f, (1,))(*args), ({"x": 2 * X},))
    value, (g,) = value_and_grad(f, (2,))(*args)
    close([value, g], [2 * (X * (X + 1)).sum(), (X * (X + 1)).sum()])


def test_has_aux_hands_out_what_else_was_computed():
    def f(x):
        return (x ** 2).sum(), {"twice": 2 * x, "count": cnp.arange(2), "none": None}
    g, aux = grad(f, has_aux=True)(X)
    close(g, 2 * X)
    close(aux["twice"], 2 * X)
    assert aux["count"].tolist() == [0, 1] and aux["none"] is None
    (value, aux), g = value_and_grad(f, has_aux=True)(X)
    close([value, aux["twice"], g], [(X ** 2).sum(), 2 * X, 2 * X])
    value, pull, aux = vjp(f, X, has_aux=True)
    close(pull(3.0)[0], 6 * X)
    g, aux = jit(grad(f, has_aux=True))(X)
    close([g, aux["twice"]], [2 * X, 2 * X])
    jac, aux = jacrev(lambda x: (x * x, x[0]), has_aux=True)(X)
    close([jac, aux], [np.diag(2 * X), X[0]])
    jac, aux = jacfwd(lambda x: (x * x, x[0]), has_aux=True)(X)
    close([jac, aux], [np.diag(2 * X), X[0]])


def test_an_outer_derivative_goes_through_the_auxiliary_result_too():
    def f(x):
        y, aux = value_and_grad(lambda v: (v ** 2, v ** 3), has_aux=True)(x)[0]
        return y + aux
    assert float(grad(f)(2.0)) == 16.0


def test_keyword_arguments_are_passed_on():
    assert float(grad(lambda x, *, scale: scale * x ** 2)(3.0, scale=2.0)) == 12.0


def test_gradients_keep_the_dtype_of_their_argument():
    a, b = grad(lambda x, y: (x * y).sum(), (0, 1))(X.astype(np.float32), X)
    assert (a.dtype, b.dtype) == (np.float32, np.float64)
    assert grad(lambda x: x.astype(np.float64).sum() * 2)(X.astype(np.float32)).dtype == np.float32


def test_integers_have_no_tangent_and_get_zeros():
    y, t = jvp(lambda x, n: x * n, (2.0, 3), (1.0, None))
    assert (float(y), float(t)) == (6.0, 3.0)
    tree = {"x": X, "n": np.arange(3), "flag": np.array([True, False, True])}
    value, pull = vjp(lambda d: (d["x"] * d["n"] * d["flag"]).sum(), tree)
    (g,) = pull(1.0)
    close(g["x"], np.arange(3) * tree["flag"])
    assert g["n"].tolist() == [0, 0, 0] and g["n"].shape == g["flag"].shape == (3,)
    assert float(jvp(lambda x: cnp.floor(x).astype(int), (2.5,), (1.0,))[1]) == 0.0


def test_a_result_that_does_not_depend_on_the_argument_has_the_derivative_zero():
    assert grad(lambda x: 3.0 + 0 * cnp.sum(cnp.ones(2)))(X).tolist() == [0.0, 0.0, 0.0]
    assert jvp(lambda x: cnp.ones(2), (X,), (X,))[1].tolist() == [0.0, 0.0]
    assert grad(lambda x: cnp.sum(stop_gradient(x) * 2))(X).tolist() == [0.0, 0.0, 0.0]
    y, push = linearize(lambda x: (x, 2.0), X)
    assert float(push(X)[1]) == 0.0


def test_an_argument_that_is_not_used_gets_zeros_of_its_type():
    a, b = grad(lambda x, y: x.sum(), (0, 1))(X, np.ones((2, 2), np.float32))
    assert b.shape == (2, 2) and b.dtype == np.float32 and not b.any()


# ---- orders ----

@pytest.mark.parametrize("order", range(5))
def test_derivatives_of_every_order(order):
    f = cnp.sin
    for _ in range(order):
        f = grad(f)
    close(f(0.7), [np.sin, np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin][order](0.7), 1e-14)


def quartic(x):
    return (x @ A @ x) ** 2 + cnp.sum(cnp.sin(x))


def test_the_hessian_is_the_same_by_every_way():
    h = hessian(quartic)(X)
    for ways in (jacrev(jacrev(quartic)), jacfwd(jacfwd(quartic)), jacrev(jacfwd(quartic)), jit(hessian(quartic)),
                 jacfwd(grad(quartic))):
        close(ways(X), h, 1e-12)
    close(h, h.T, 1e-12)
    close(np.asarray(h) @ X, slope(grad(quartic), [X], [X])[0], 1e-8)
    close(hvp(quartic, (X,), (X,)), np.asarray(h) @ X, 1e-12)


def test_jacobians_have_the_shape_of_the_result_and_then_of_the_argument():
    def f(x, y):
        return {"a": cnp.outer(x, y), "b": x.sum() * y}
    y = np.array([1.0, 2.0])
    for jac in (jacfwd, jacrev):
        out = jac(f, (0, 1))(X, y)
        assert out["a"][0].shape == (3, 2, 3) and out["a"][1].shape == (3, 2, 2) and out["b"][0].shape == (2, 3)
        close(out["a"][0], np.einsum("ik,j->ijk", np.eye(3), y))
        close(out["b"][1], np.eye(2) * X.sum())
        close(jac(f, 1)(X, y)["a"], np.einsum("i,jk->ijk", X, np.eye(2)))
        close(jac(lambda d: d["u"] * d["v"])({"u": X, "v": X + 1}), {"u": np.diag(X + 1), "v": np.diag(X)})


def test_linearize_does_the_primal_work_once():
    calls = []
    y, push = linearize(lambda x: calls.append(1) or cnp.sin(x) * x, X)
    for k in range(3):
        close(push(X * k), (np.cos(X) * X + np.sin(X)) * X * k)
    assert len(calls) == 1
    close(jit(push)(X), push(X))
    close(vmap(push)(np.eye(3)), np.diag(np.cos(X) * X + np.sin(X)))


def test_a_pullback_may_be_used_many_times_and_transformed():
    y, pull = vjp(lambda x: x ** 2, X)
    close(pull(np.ones(3))[0], 2 * X)
    close(vmap(pull)(np.eye(3))[0], np.diag(2 * X))
    close(jit(lambda c: pull(c)[0])(X), 2 * X * X)


# ---- closures ----

def test_a_value_closed_over_by_a_scan_has_its_derivative():
    def f(w):
        return scan(lambda c, x: (cnp.tanh(w @ c + x), c.sum()), X, A)[0].sum()
    close((grad(f)(A) * A.T).sum(), slope(f, [A], [A.T])[0], 1e-9)
    close(jit(grad(f))(A), grad(f)(A), 1e-12)


def test_values_closed_over_at_two_levels_of_scan_have_their_derivatives():
    def f(w, b):
        def outer(c, x):
            d = c * b
            def inner(e, y):
                return e * w + d * y + x, e * b
            e, ys = scan(inner, c, X)
            return e * 0.1 + ys.sum(), d
        c, ds = scan(outer, 0.5, X)
        return c + ds.sum()
    for which, t in (((0, 1), (1.0, 0.0)), ((0, 1), (0.0, 1.0))):
        g = grad(f, which)(0.3, 0.7)
        close(float(g[0]) * t[0] + float(g[1]) * t[1], slope(f, [0.3, 0.7], t)[0], 1e-9)
    close(jvp(grad(f), (0.3, 0.7), (1.0, 0.0))[1], slope(grad(f), [0.3, 0.7], (1.0, 0.0))[0], 1e-7)


def test_values_closed_over_by_branches_have_their_derivatives():
    def f(x, y, p):
        return cond(p, lambda a: a * y + x, lambda a: a * x * x, 3.0)
    assert [float(g) for g in grad(f, (0, 1))(2.0, 5.0, True)] == [1.0, 3.0]
    assert [float(g) for g in jit(grad(f, (0, 1)))(2.0, 5.0, False)] == [12.0, 0.0]
    close(vmap(grad(f, (0, 1)), (None, None, 0))(2.0, 5.0, np.array([True, False])),
          (np.array([1.0, 12.0]), np.array([3.0, 0.0])))


# ---- where, ties, edges ----

def test_where_passes_the_derivative_to_the_chosen_side():
    close(grad(lambda x: cnp.where(x > 0, x ** 2, -x).sum())(X), np.where(X > 0, 2 * X, -1.0))
    close(grad(lambda x: cnp.where(x[:, None] > 0, x, 2.0).sum())(X), np.full(3, (X > 0).sum()))


def test_the_double_where_keeps_infinities_out():
    def safe_log(x):
        return cnp.where(x > 0, cnp.log(cnp.where(x > 0, x, 1.0)), 0.0)
    close(grad(lambda x: safe_log(x).sum())(np.array([0.0, 2.0, -1.0])), np.array([0.0, 0.5, 0.0]))


def test_ties_share_the_derivative():
    close(grad(lambda x: cnp.max(x))(np.array([1.0, 3.0, 3.0])), np.array([0.0, 0.5, 0.5]))
    close(grad(lambda x: cnp.maximum(x, 1.0))(1.0), 0.5)
    close(grad(lambda x: cnp.minimum(x[0], x[1]))(np.array([2.0, 2.0])), np.array([0.5, 0.5]))


@pytest.mark.parametrize("f,x,slope_there", [
    (lambda x: x ** 2, 0.0, 0.0), (lambda x: x ** 3, 0.0, 0.0), (lambda x: x ** 0, 0.0, 0.0),
    (lambda x: x ** 1, 0.0, 1.0), (lambda x: x ** 2.0, 0.0, 0.0),
    (lambda x: cnp.power(x, cnp.asarray(0.0)), 0.0, 0.0), (lambda x: cnp.prod(cnp.stack([x, 2.0, 3.0])), 0.0, 6.0),
    (lambda x: cnp.abs(x), 0.0, 0.0),
    (lambda x: cnp.sinc(x), 0.0, 0.0), (lambda x: cnp.logaddexp(x, -np.inf), 1.0, 1.0),
    (lambda x: cnp.hypot(x, 0.0), 2.0, 1.0), (lambda x: cnp.logaddexp(x, x), 1.0, 1.0)])
def test_derivatives_at_edges(f, x, slope_there):
    assert float(grad(f)(x)) == slope_there
    assert float(jvp(f, (x,), (1.0,))[1]) == slope_there


# ---- programs ----

def test_the_derivative_program_of_a_sum_of_squares_is_short():
    assert len(make_jaxpr(grad(lambda x: (x * x).sum()))(X).eqns) <= 5


def test_a_matrix_that_does_not_change_in_a_loop_is_not_stored_for_each_step():
    program = make_jaxpr(grad(lambda x: scan(lambda c, _: (cnp.tanh(A @ c), None), x, None, length=50)[0].sum()))(X)
    assert "[50,3,3]" not in str(program) and "f64[50,3]" in str(program)


# ---- errors ----

@pytest.mark.parametrize("call,error,words", [
    (lambda: grad(lambda x: x * 2)(X), TransformError, r"gave f64\[3\]"),
    (lambda: grad(lambda x: (x, x))(1.0), TransformError, "has_aux"),
    (lambda: grad(lambda x: x.astype(int))(1.0), TransformError, r"i64\[\]"),
    (lambda: grad(lambda x: x)(1), TransformError, "argument 0 has dtype int64"),
    (lambda: grad(lambda d: d["a"])({"a": 3}), TransformError, r"argument 0\['a'\] has dtype int64"),
    (lambda: grad(lambda x: x)(1j), TransformError, "complex"),
    (lambda: grad(lambda x: x, 1)(1.0), TransformError, "argnums=1.*1 positional"),
    (lambda: grad(lambda x: x, has_aux=True)(1.0), TreeError, "pair"),
    (lambda: grad(lambda x: (x, 1, 2), has_aux=True)(1.0), TreeError, "pair"),
    (lambda: jvp(lambda x: x, (X,), (np.ones(2),)), ShapeError, r"tangent 0.*\(2,\).*\(3,\)"),
    (lambda: jvp(lambda x: x, (X,), (X, X)), TreeError, "tangents"),
    (lambda: vjp(lambda x: x, X)[1](np.ones(2)), ShapeError, r"cotangent has shape \(2,\)"),
    (lambda: vjp(lambda x: (x, x), X)[1](X), TreeError, "cotangent"),
    (lambda: jacrev(lambda x: x, 1)(X), TransformError, "argnums=1"),
    (lambda: grad(lambda x: while_loop(lambda v: v < 9, lambda v: v * 2, x))(1.0), TransformError, "while_loop"),
])
def test_what_cannot_be_differentiated_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()



def test_a_function_of_numpy_does_not_lose_the_derivative_silently():
    for f in (np.tanh, lambda x: np.asarray(x) * 2.0):
        with pytest.raises(ConcretizationError, match="no derivative"):
            grad(f)(0.3)
    assert grad(np.sum)(0.3) == 1.0                      # NumPy asks the value for its own sum
