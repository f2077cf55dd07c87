"""pmap = vmap, on 8 devices: values, derivatives, nestings, and what is said of mistakes."""
import itertools

import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import checkpoint, custom_jvp, devices, grad, jit, lax, pmap, random, scan, tree, vmap, xla
from chainrule.engine.errors import ShapeError, TransformError

N = 8
X = onp.random.default_rng(0).normal(size=(N, 3))
M = onp.random.default_rng(1).normal(size=(N, N, 2))


@custom_jvp
def cube(x):
    return x ** 3


cube.defjvps(lambda t, y, x: t * 3 * x * x)
FUNCTIONS = {
    "arithmetic": lambda x: np.sin(x) * x + 1,
    "reduction": lambda x: np.sum(x * x),
    "matrix": lambda x: np.linalg.inv(np.outer(x, x) + 3 * np.eye(x.shape[0])),
    "scan": lambda x: scan(lambda c, v: (c * 0.5 + v, c), np.zeros(()), x),
    "branches": lambda x: lax.cond(x[0] > 0, np.sin, np.cos, x),
    "loop": lambda x: lax.fori_loop(0, 5, lambda i, v: v * 0.9 + i, x),
    "custom": lambda x: cube(x),
    "sort": lambda x: np.sort(x)[::-1],
    "jit inside": jit(lambda x: np.tanh(x) @ x),
    "draws": lambda x: random.normal(random.key(3), (4,)) * x[0],
    "tree": lambda x: {"a": x, "b": (x[0], 2.0)},
}


def same(a, b):
    a, b = (tree.leaves(t) for t in (a, b))
    assert len(a) == len(b)
    for x, y in zip(a, b):
        assert x.dtype == y.dtype
        onp.testing.assert_allclose(x, y, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_is_vmap(name):
    f = FUNCTIONS[name]
    out = pmap(f)(X)
    same(out, vmap(f)(X))
    assert all(len(leaf.devices()) == N for leaf in tree.leaves(out))


TRANSFORMS = {"jit": jit, "vmap": vmap, "checkpoint": checkpoint, "grad": lambda f: grad(lambda x: np.sum(f(x)))}
NESTINGS = [names for k in (2, 3) for names in itertools.permutations([*TRANSFORMS, "pmap"], k) if "pmap" in names]


@pytest.mark.parametrize("names", NESTINGS, ids=[" ".join(n) for n in NESTINGS])
def test_it_nests(names):
    def built(parallel):
        f = lambda x: np.sin(x) * np.sum(x) + x ** 2
        for n in reversed(names):
            f = parallel(f) if n == "pmap" else TRANSFORMS[n](f)
        return f
    same(built(pmap)(M), built(vmap)(M))


def test_axes_and_keywords():
    y = onp.arange(3.0)
    f = lambda x, y, *, scale: (x * scale, x + y)
    want = vmap(lambda x, y, s: f(x, y, scale=s), in_axes=(1, None, 0), out_axes=(1, 0))(X.T, y, X[:, 0])
    same(pmap(f, in_axes=(1, None), out_axes=(1, 0))(X.T, y, scale=X[:, 0]), want)
    assert pmap(lambda x: lax.psum(x, "i"), axis_name="i", out_axes=None)(X).shape == (3,)
    same(pmap(lambda x, n: x ** n, static_broadcasted_argnums=1)(X, 2), X ** 2)
    same(pmap(lambda x: x + lax.axis_index("i"), axis_name="i", in_axes=None, axis_size=4)(1.0), onp.arange(1.0, 5.0))


def test_it_runs_where_it_is_told_and_stays_there():
    chosen = devices()[:1:-1][:4]
    out = pmap(lambda x: x + 1, devices=chosen)(X[:4])
    assert [s.device for s in out.addressable_shards] == chosen
    again = pmap(lambda x: x * 2, devices=chosen)(out)
    assert again.devices() == set(chosen)
    same(again, (X[:4] + 1) * 2)


def test_it_is_traced_once_and_compiled_once():
    calls = []

    @pmap
    def f(x):
        calls.append(1)
        return x * 2
    f(X), f(X)
    before = xla.counters.compilations
    out = f(f(X))
    out = f(out)
    assert len(calls) == 1 and xla.counters.compilations <= before + 1       # results lie otherwise than NumPy's arrays
    same(out, X * 8)


def test_inside_of_itself_the_lanes_share_the_device():
    f = lambda x: lax.psum(x, "outer") + 10 * lax.psum(x, "inner") + lax.axis_index("inner")
    both = pmap(pmap(f, axis_name="inner"), axis_name="outer")
    same(both(X), vmap(vmap(f, axis_name="inner"), axis_name="outer")(X))


def test_given_memory_is_taken():
    x = pmap(lambda v: v + 0)(X)
    out = pmap(lambda v: v * 2, donate_argnums=0)(x)
    same(out, X * 2)
    with pytest.raises(RuntimeError, match="given away"):
        onp.asarray(x)


def test_results_that_nobody_keeps_do_no_harm():
    f = pmap(lambda x: lax.psum(x, "i"), axis_name="i")
    for _ in range(2000):
        f(X)
    same(f(X), onp.broadcast_to(X.sum(0), X.shape))


def test_mistakes_are_named():
    with pytest.raises(ShapeError, match=r"(?s)12 entries, and there are 8 devices.*pmap\(vmap\(f\)\)"):
        pmap(np.sin)(onp.ones((12, 2)))
    with pytest.raises(ShapeError, match="different sizes"):
        pmap(lambda x, y: x + y)(X, X[:4])
    with pytest.raises(TransformError, match="in_axes has 1 entries"):
        pmap(lambda x, y: x, in_axes=(0,))(X, X)
    with pytest.raises(TransformError, match="may differ from device to device"):
        pmap(lambda x: x, out_axes=None)(X)
    with pytest.raises(TransformError, match="no axis named 'j'"):
        pmap(lambda x: lax.psum(x, "j"), axis_name="i")(X)
