"""checkpoint changes no value; it changes what is kept for the way back."""
import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import checkpoint, checkpoint_policies, grad, hessian, jit, jvp, make_jaxpr, scan, vjp, vmap

W = onp.linspace(-1.0, 1.0, 9).reshape(3, 3)
X = onp.array([0.2, -0.4, 1.1])


def plain(x):
    return np.sum(np.tanh(np.exp(np.sin(x)) @ W) ** 2)


POLICIES = [None, checkpoint_policies.nothing_saveable, checkpoint_policies.everything_saveable,
            checkpoint_policies.dots_saveable, checkpoint_policies.save_only_these("sin", "tanh")]


@pytest.mark.parametrize("policy", POLICIES)
def test_values_and_derivatives_stay_the_same(policy):
    f = checkpoint(plain, policy=policy)
    same = dict(rtol=1e-13, atol=1e-15)
    onp.testing.assert_allclose(f(X), plain(X), **same)
    for g in (grad(f), jit(grad(f)), grad(jit(f)), grad(lambda x: f(x) * 1.0)):
        onp.testing.assert_allclose(g(X), grad(plain)(X), **same)
    onp.testing.assert_allclose(hessian(f)(X), hessian(plain)(X), rtol=1e-12, atol=1e-14)
    onp.testing.assert_allclose(jvp(f, (X,), (X,))[1], jvp(plain, (X,), (X,))[1], **same)
    both = onp.stack([X, 2 * X])
    onp.testing.assert_allclose(vmap(grad(f))(both), vmap(grad(plain))(both), **same)
    onp.testing.assert_allclose(grad(lambda v: np.sum(vmap(f)(v)))(both), vmap(grad(plain))(both), **same)


def test_inside_of_scan():
    def run(step):
        return lambda x: scan(lambda c, w: (step(c) * w, c), x, np.asarray(X))[0]
    step = lambda c: np.sin(np.exp(-c * c))
    for wrap in (lambda f: f, jit):
        onp.testing.assert_allclose(wrap(grad(run(checkpoint(step))))(0.3), grad(run(step))(0.3), rtol=1e-13)


def _sines(program):
    return sum((e.prim.name == "sin") + sum(_sines(p) for p in e.prim.programs(e.params)) for e in program.eqns)


def test_the_function_is_computed_again_on_the_way_back():
    f = lambda x: np.sin(np.sin(np.sin(x)))
    assert _sines(make_jaxpr(grad(f))(1.0)) < _sines(make_jaxpr(lambda x: both(checkpoint(f), x))(1.0))
    text = str(make_jaxpr(grad(checkpoint(f)))(1.0))
    assert "optimization_barrier" in text


def both(f, x):
    y, pull = vjp(f, x)
    return y, pull(1.0)


def test_fewer_bytes_are_kept():
    def deep(f):
        return lambda x: scan(lambda c, _: (f(c), None), x, None, 50)[0].sum()
    step = lambda c: np.sin(np.cos(np.sin(np.cos(np.sin(c)))))
    x = onp.linspace(0.0, 1.0, 10_000)
    kept = [jit(grad(deep(f))).lower(x).compile().memory_analysis()["temp_size_in_bytes"]
            for f in (step, checkpoint(step))]
    assert kept[1] < 0.5 * kept[0]
