"""Collectives over an axis named by vmap: against what they mean on the stacked values."""
import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import grad, jit, lax, scan, vmap
from chainrule.engine.errors import TransformError

X = onp.array([1.0, 2.0, 4.0, 7.0])
M = onp.arange(16.0).reshape(4, 4) ** 1.5

ROWS = [
    ("psum", lambda x: lax.psum(x, "i"), lambda x: onp.broadcast_to(x.sum(0), x.shape)),
    ("pmean", lambda x: lax.pmean(x, "i"), lambda x: onp.broadcast_to(x.mean(0), x.shape)),
    ("pmax", lambda x: lax.pmax(x, "i"), lambda x: onp.broadcast_to(x.max(0), x.shape)),
    ("pmin", lambda x: lax.pmin(x, "i"), lambda x: onp.broadcast_to(x.min(0), x.shape)),
    ("all_gather", lambda x: lax.all_gather(x, "i"), lambda x: onp.broadcast_to(x, (4, *x.shape))),
    ("ppermute", lambda x: lax.ppermute(x, "i", [(0, 1), (1, 2), (3, 0)]),
     lambda x: onp.stack([x[3], x[0], x[1], 0 * x[0]])),
    ("axis_index", lambda x: x * 0 + lax.axis_index("i"),
     lambda x: x * 0 + onp.arange(4.0).reshape(4, *(1,) * (x.ndim - 1))),
]
MATRIX_ROWS = [
    ("psum_scatter", lambda x: lax.psum_scatter(x, "i"), lambda x: x.sum(0)),
    ("psum_scatter tiled", lambda x: lax.psum_scatter(x, "i", tiled=True), lambda x: x.sum(0)[:, None]),
    ("all_to_all", lambda x: lax.all_to_all(x, "i", 0, 0), lambda x: x.T),
    ("all_gather tiled", lambda x: lax.all_gather(x, "i", tiled=True),
     lambda x: onp.broadcast_to(x.reshape(-1), (4, 16))),
]


@pytest.mark.parametrize("name, f, meaning", ROWS + MATRIX_ROWS, ids=[r[0] for r in ROWS + MATRIX_ROWS])
def test_a_collective_is_its_meaning_on_the_stack(name, f, meaning):
    for x in (X, M) if (name, f, meaning) in ROWS else (M,):
        for run in (vmap(f, axis_name="i"), jit(vmap(f, axis_name="i")), vmap(jit(f), axis_name="i")):
            onp.testing.assert_allclose(run(x), meaning(x), rtol=1e-15)


@pytest.mark.parametrize("name, f, meaning", ROWS, ids=[r[0] for r in ROWS])
def test_inside_of_another_axis(name, f, meaning):
    inner = vmap(vmap(f, axis_name="i"), axis_name="j")
    onp.testing.assert_allclose(inner(M), onp.stack([meaning(row) for row in M]), rtol=1e-15)
    outer = vmap(vmap(f, axis_name="j"), axis_name="i")
    onp.testing.assert_allclose(outer(M), onp.moveaxis(onp.stack([meaning(c) for c in M.T]), 0, 1), rtol=1e-15)


@pytest.mark.parametrize("name, f, meaning", ROWS[:-1], ids=[r[0] for r in ROWS[:-1]])
def test_derivatives_are_those_of_the_meaning(name, f, meaning):
    weights = onp.random.default_rng(0).normal(size=meaning(X).shape)

    def total(x):
        return np.sum(weights * vmap(lambda v: f(v * v), axis_name="i")(x))

    step = 1e-6
    want = [(total(X + step * e) - total(X - step * e)) / (2 * step) for e in onp.eye(4)]
    onp.testing.assert_allclose(grad(total)(X), want, rtol=1e-6, atol=1e-6)
    onp.testing.assert_allclose(jit(grad(total))(X), want, rtol=1e-6, atol=1e-6)


def test_grad_inside_of_the_axis_sums_over_the_lanes_cotangents():
    onp.testing.assert_allclose(vmap(grad(lambda y: lax.psum(y * y, "i")), axis_name="i")(X), 8 * X)


def test_collectives_go_through_scan_and_trees():
    out = vmap(lambda x: scan(lambda c, _: (c + lax.psum(c, "i"), None), x, None, 2)[0], axis_name="i")(X)
    once = X + X.sum()
    onp.testing.assert_allclose(out, once + once.sum())
    tree = vmap(lambda x: lax.psum({"a": x, "b": (x * x,)}, "i"), axis_name="i")(X)
    assert float(tree["b"][0][0]) == (X * X).sum()


def test_an_unknown_axis_is_named():
    with pytest.raises(TransformError, match="no axis named 'k'.*the named axes are"):
        vmap(lambda x: lax.psum(x, "k"), axis_name="i")(X)


def test_a_function_staged_for_one_size_is_staged_again_for_another():
    f = jit(lambda x: lax.psum(x, "i") + lax.axis_size("i"))
    assert vmap(f, axis_name="i")(X).tolist() == [18.0] * 4
    assert vmap(f, axis_name="i")(X[:2]).tolist() == [5.0] * 2
