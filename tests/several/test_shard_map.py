"""shard_map on 8 devices: every collective is its meaning under vmap, and so are its derivatives."""
import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import P, grad, jit, jvp, lax, make_mesh, pmap, scan, shard_map, value_and_grad, vmap
from chainrule.engine.config import config
from chainrule.engine.errors import ShapeError, TransformError

N = 8
X = onp.random.default_rng(0).normal(size=(N, N, 3))
MESH = make_mesh((4, 2), ("a", "b"))

COLLECTIVES = {
    "psum": lambda x: lax.psum(x, "i"),
    "pmean": lambda x: lax.pmean(x, "i"),
    "pmax": lambda x: lax.pmax(x, "i"),
    "pmin": lambda x: lax.pmin(x, "i"),
    "all_gather": lambda x: lax.all_gather(x, "i"),
    "all_gather axis": lambda x: lax.all_gather(x, "i", axis=1),
    "all_gather tiled": lambda x: lax.all_gather(x, "i", axis=1, tiled=True),
    "all_to_all": lambda x: lax.all_to_all(x, "i", 0, 1),
    "all_to_all tiled": lambda x: lax.all_to_all(x, "i", 0, 1, tiled=True),
    "ppermute": lambda x: lax.ppermute(x, "i", [(i, (i + 3) % N) for i in range(N) if i != 2]),
    "psum_scatter": lambda x: lax.psum_scatter(x, "i"),
    "psum_scatter tiled": lambda x: lax.psum_scatter(x, "i", scatter_dimension=0, tiled=True),
    "axis_index": lambda x: x * (1 + lax.axis_index("i")),
    "axis_size": lambda x: x * lax.axis_size("i"),
    "in a scan": lambda x: scan(lambda c, _: (c * 0.1 + lax.psum(c, "i") / N, None), x, None, 3)[0],
    "in a branch": lambda x: lax.cond(lax.psum(x[0, 0], "i") > 0, lambda: lax.psum(x, "i"), lambda: -x),
}


def close(a, b):
    onp.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", COLLECTIVES)
def test_a_collective_and_its_derivatives_are_those_of_vmap(name):
    f = COLLECTIVES[name]
    devices, lanes = pmap(f, axis_name="i"), vmap(f, axis_name="i")
    close(devices(X), lanes(X))
    weights = onp.random.default_rng(1).normal(size=lanes(X).shape)
    total = lambda run: lambda x: np.sum(weights * run(x * x))
    close(grad(total(devices))(X), grad(total(lanes))(X))
    for a, b in zip(jvp(devices, (X,), (X[::-1],)), jvp(lanes, (X,), (X[::-1],))):
        close(a, b)
    inner = lambda x: np.sum(f(x) ** 2)                                       # the derivative inside of the map
    close(pmap(grad(inner), axis_name="i")(X), vmap(grad(inner), axis_name="i")(X))
    more = onp.stack([X, -X])
    close(vmap(devices)(more), vmap(lanes)(more))


def test_the_transpose_of_psum_both_ways():
    """d/dx of sum over devices of psum(x) is N for each x; of one psum'd result that all share it is 1."""
    x = onp.arange(1.0, N + 1)
    mesh = make_mesh((N,), ("i",))
    each = shard_map(lambda v: lax.psum(v, "i"), mesh=mesh, in_specs=P("i"), out_specs=P("i"), check_vma=False)
    close(grad(lambda v: np.sum(each(v)))(x), onp.full(N, float(N)))
    shared = shard_map(lambda v: lax.psum(v, "i"), mesh=mesh, in_specs=P("i"), out_specs=P())
    close(grad(lambda v: np.sum(shared(v)))(x), onp.ones(N))
    weight = shard_map(lambda w, v: lax.psum(w * np.sum(v), "i"), mesh=mesh, in_specs=(P(), P("i")), out_specs=P())
    close(grad(weight)(2.0, x), x.sum())
    close(grad(weight, 1)(2.0, x), onp.full(N, 2.0))
    inside = shard_map(grad(lambda v: lax.psum(np.sum(v * v), "i")), mesh=mesh, in_specs=P("i"), out_specs=P("i"))
    close(inside(x), 2 * N * x)                                               # each device's own loss is the sum


def regression(w, x, y):
    r = np.tanh(x @ w) - y
    return lax.psum(np.sum(r * r), ("a", "b"))


def test_a_loss_over_the_whole_mesh():
    rng = onp.random.default_rng(2)
    w, x, y = rng.normal(size=3), rng.normal(size=(16, 3)), rng.normal(size=16)
    loss = shard_map(regression, mesh=MESH, in_specs=(P(), P(("a", "b")), P(("a", "b"))), out_specs=P())
    whole = lambda w: np.sum((np.tanh(x @ w) - y) ** 2)
    for run in (value_and_grad(loss), jit(value_and_grad(loss))):
        value, slope = run(w, x, y)
        close(value, whole(w))
        close(slope, grad(whole)(w))
    close(grad(lambda w: loss(w, x, y) ** 2)(w), grad(lambda w: whole(w) ** 2)(w))
    hessian_vector = jvp(lambda w: grad(loss)(w, x, y), (w,), (w,))[1]
    close(hessian_vector, jvp(grad(whole), (w,), (w,))[1])


@pytest.mark.parametrize("ins, outs", [
    (P("a", "b"), P("a", "b")), (P(("a", "b")), P(None, ("a", "b"))), (P(("b", "a")), P(("b", "a"))), (P("b"), P("b")),
    (P(None, "a"), P(None, "a")), (P(), P("a", "b"))], ids=str)
def test_specs_of_every_kind_agree_with_lanes(ins, outs):
    x = onp.arange(16.0 * 16).reshape(16, 16)
    f = lambda v: v * 2 + lax.axis_index("a") + 10 * lax.axis_index(("a", "b"))
    run = shard_map(f, mesh=MESH, in_specs=ins, out_specs=outs, check_vma=False)
    with config(disable_jit=True):
        want = run(x)
    close(run(x), want)
    close(jit(run)(x), want)
    close(grad(lambda v: np.sum(run(v * v)))(x), onp.asarray(grad(lambda v: np.sum(jit(run)(v * v)))(x)))


def test_axes_left_to_xla():
    x = onp.arange(64.0).reshape(8, 8)
    run = shard_map(lambda v: lax.psum(v @ v.T, "a"), mesh=MESH, in_specs=P("a"), out_specs=P(), axis_names={"a"})
    parts = x.reshape(4, 2, 8)
    close(run(x), sum(p @ p.T for p in parts))


def test_mistakes_are_named():
    f = lambda x: x
    with pytest.raises(ShapeError, match=r"(?s)axis 0 of argument.*\(6, 2\), is cut into 4 parts.*not a multiple of 4"):
        shard_map(f, mesh=MESH, in_specs=P("a"), out_specs=P("a"))(onp.ones((6, 2)))
    with pytest.raises(TransformError, match="names 'c'; the axes of the map are"):
        shard_map(f, mesh=MESH, in_specs=P("c"), out_specs=P())(X)
    with pytest.raises(TransformError, match=r"(?s)may differ from device to device along 'a'.*psum\(x, 'a'\)"):
        shard_map(f, mesh=MESH, in_specs=P("a"), out_specs=P())(X)
    with pytest.raises(TransformError, match="has no mesh"):
        shard_map(f, in_specs=P("a"), out_specs=P())(X)
    with pytest.raises(TransformError, match="in_specs"):
        shard_map(f, mesh=MESH, in_specs=(P("a"), P()), out_specs=P())(X)


def test_what_differs_is_known_through_loops():
    """A carry that is summed in each step is the same on every device; one that is not may differ."""
    step = lambda c, x: (c + lax.psum(x, "a"), c)
    run = shard_map(lambda x: scan(step, np.zeros(3), x)[0], mesh=MESH, in_specs=P("a", None), out_specs=P())
    x = onp.arange(24.0).reshape(8, 3)
    close(run(x), x.sum(0))
    with pytest.raises(TransformError, match="may differ"):
        shard_map(lambda x: scan(lambda c, v: (c + v, c), np.zeros(3), x)[0], mesh=MESH, in_specs=P("a"),
                  out_specs=P())(x)
