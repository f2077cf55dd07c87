"""Arrays that lie on 8 devices: what is computed on them is what is computed on one."""
import pickle
import re

import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import (
    Mesh,
    NamedSharding,
    P,
    SingleDeviceSharding,
    default_device,
    device_get,
    device_put,
    devices,
    grad,
    jit,
    make_array_from_callback,
    make_array_from_process_local_data,
    make_array_from_single_device_arrays,
    make_mesh,
    random,
    scan,
    visualize_sharding,
    vmap,
    with_sharding_constraint,
)
from chainrule.engine.errors import PlacementError, ShapeError, TransformError

MESH = make_mesh((4, 2), ("a", "b"))
A = onp.random.default_rng(0).normal(size=(8, 8))
SPECS = [P("a", "b"), P(("a", "b")), P(None, "a"), P("b"), P(), P(("b", "a"), None)]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_an_array_goes_out_and_comes_back(spec):
    s = NamedSharding(MESH, spec)
    x = device_put(A, s)
    assert x.sharding == s and x.devices() == set(devices()) and x.committed
    onp.testing.assert_array_equal(onp.asarray(x), A)
    onp.testing.assert_array_equal(device_get({"x": x})["x"], A)
    assert repr(x) == repr(np.asarray(A)) and x[3].tolist() == A[3].tolist()
    for shard in x.addressable_shards:
        assert shard.data.device == shard.device and shard.data.shape == s.shard_shape(A.shape)
        onp.testing.assert_array_equal(shard.data, A[shard.index])
    assert x.is_fully_replicated == (spec == P())
    back = pickle.loads(pickle.dumps(x))
    onp.testing.assert_array_equal(back, A)
    for other in SPECS:
        y = device_put(x, NamedSharding(MESH, other))
        onp.testing.assert_array_equal(y, A)
    assert device_put(x, devices()[5]).device == devices()[5]


OPERATIONS = {
    "add": lambda x: x + 1.5,
    "product": lambda x: x @ x.T,
    "sum": lambda x: x.sum(),
    "mean axis": lambda x: x.mean(0),
    "exp": np.exp,
    "transpose": lambda x: x.T,
    "reshape": lambda x: x.reshape(4, 16),
    "sort": lambda x: np.sort(x, axis=0),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "gather": lambda x: x[onp.array([3, 1, 0])],
    "max": lambda x: x.max(axis=1),
    "cholesky": lambda x: np.linalg.cholesky(x @ x.T + np.eye(8)),
    "solve": lambda x: np.linalg.solve(x, x[0]),
    "scan": lambda x: scan(lambda c, r: (c + r, np.sum(c)), np.zeros(8), x),
    "where": lambda x: np.where(x > 0, x, -1.0),
    "concatenate": lambda x: np.concatenate([x, x]),
    "any": lambda x: (x > 1).any(),
    "argmax": lambda x: x.argmax(),
    "draws": lambda x: x + random.normal(random.key(1), x.shape),
    "vmap": lambda x: vmap(np.linalg.norm)(x),
    "grad": lambda x: grad(lambda v: np.sum(np.sin(v @ v)))(x),
    "scatter": lambda x: x.at[2].add(1.0),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_that_on_one_device(name):
    f = OPERATIONS[name]
    want = jit(f)(A)
    for spec in (P("a", "b"), P(("a", "b"))):
        x = device_put(A, NamedSharding(MESH, spec))
        for got in (jit(f)(x), f(x)):
            for a, b in zip(_leaves(got), _leaves(want)):
                onp.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def _leaves(t):
    return t if isinstance(t, tuple) else (t,)


def test_results_stay_where_they_are_made():
    x = device_put(A, NamedSharding(MESH, P("a", "b")))
    for y in (x + 1, np.exp(x), jit(lambda v: v * 2)(x), x * onp.ones((8, 8)), (x @ x)):
        assert y.sharding == x.sharding
    assert x.T.sharding.spec == P("b", "a") and x.sum(0).sharding.spec == P("b")


def compiled(f, x):
    """The executable of a function of an array that lies on several devices."""
    from chainrule.engine.interpreters.evaluate import executable
    from chainrule.engine.interpreters.placing import where_to_run
    from chainrule.engine.staged import stage_function
    staged, leaves = stage_function(f, (x,), {})
    device, shardings, _ = where_to_run(staged.jaxpr, leaves)
    return executable(staged.jaxpr, device=device, shardings=shardings)


def test_no_device_ever_holds_the_whole():
    """Peak memory of the program of one device, as XLA planned it, is that of parts."""
    n = 1024
    x = make_array_from_callback((n, n), NamedSharding(MESH, P(("a", "b"))), lambda i: onp.ones((n, n))[i])
    double = jit(lambda v: np.sin(v) * 2)
    assert {s.data.nbytes for s in double(x).addressable_shards} == {8 * n * n // 8}
    planned = compiled(lambda v: np.sin(v) * 2, x).memory_stats()
    assert planned["argument_size_in_bytes"] == planned["output_size_in_bytes"] == n * n
    assert planned["temp_size_in_bytes"] < n * n


@pytest.mark.parametrize("shape", [(1000,), (1000, 2000)])
def test_a_sum_over_parts_takes_one_collective(shape):
    x = device_put(onp.ones(shape), NamedSharding(MESH, P(("a", "b"))))
    text = compiled(lambda v: np.sum(v * v, 0), x).optimized_hlo()
    assert len(re.findall(r"\ball-reduce\(", text)) == 1
    assert not re.findall(r"\b(all-gather|all-to-all|collective-permute)\(", text)


def test_jit_lays_out_arguments_and_results():
    rows, both = NamedSharding(MESH, P("a")), NamedSharding(MESH, P("a", "b"))
    f = jit(lambda x, y: (x @ y, x.sum()), in_shardings=(rows, None), out_shardings=(both, NamedSharding(MESH, P())))
    out, total = f(A, A)
    assert out.sharding == both and total.is_fully_replicated
    onp.testing.assert_allclose(out, A @ A, rtol=1e-12)
    with MESH:
        y = jit(lambda x: with_sharding_constraint(x * 2, P("b")))(A)
        assert y.sharding == NamedSharding(MESH, P("b"))
        assert jit(lambda x: x, out_shardings=P(None, "a"))(A).sharding.spec == P(None, "a")
    assert grad(lambda x: np.sum(with_sharding_constraint(x * x, both)))(A).shape == A.shape
    assert vmap(lambda r: with_sharding_constraint(r * 2, NamedSharding(MESH, P("a"))))(A).sharding.spec == P(None, "a")


def test_donation():
    x = device_put(A, NamedSharding(MESH, P("a", "b")))
    y = jit(lambda v: v + 1, donate_argnums=0)(x)
    onp.testing.assert_array_equal(y, A + 1)
    with pytest.raises(RuntimeError, match="given away"):
        onp.asarray(x)


def test_arrays_from_parts():
    s = NamedSharding(MESH, P("a", "b"))
    parts = [device_put(A[i], d) for d, i in s.devices_indices_map(A.shape).items()]
    onp.testing.assert_array_equal(make_array_from_single_device_arrays(A.shape, s, parts), A)
    onp.testing.assert_array_equal(make_array_from_process_local_data(s, A), A)
    asked = []
    made = make_array_from_callback(A.shape, NamedSharding(MESH, P("a")), lambda i: asked.append(i) or A[i])
    assert len(asked) == 4
    onp.testing.assert_array_equal(made, A)
    with pytest.raises(ShapeError, match=r"shape \(2, 2\); each part .* has shape \(2, 4\)"):
        make_array_from_single_device_arrays(A.shape, s, [device_put(A[:2, :2], d) for d in devices()])
    with pytest.raises(PlacementError, match="no part on cpu:7"):
        make_array_from_single_device_arrays(A.shape, s, parts[:-1])


def test_computation_follows_its_data():
    x = device_put(A, "cpu:3")
    assert x.device == devices()[3] and (x * 2).device == devices()[3] and jit(np.sin)(x).sharding == x.sharding
    assert isinstance(x.sharding, SingleDeviceSharding)
    with default_device("cpu:6"):
        assert jit(lambda v: v + 1)(1.0).device == devices()[6]
    with pytest.raises(PlacementError, match="lies on cpu:3, an argument .* lies on cpu:4"):
        x + device_put(A, devices()[4])
    with pytest.raises(PlacementError, match="lies on cpu:0, cpu:1, cpu:2, cpu:3 and 4 more"):
        jit(np.add)(device_put(A, NamedSharding(MESH, P("a"))), x)


def test_pictures():
    assert visualize_sharding((8, 8), NamedSharding(MESH, P("a", "b"))).count("cpu:") == 8
    assert "cpu:0,1" in visualize_sharding((8,), NamedSharding(MESH, P("a")))
    with pytest.raises(ValueError, match="one or two axes"):
        visualize_sharding((2, 2, 2), NamedSharding(MESH, P()))


def test_mistakes_are_named():
    with pytest.raises(ShapeError, match="axis 0 of an array of shape .6, 2. is cut into 4 parts"):
        device_put(onp.ones((6, 2)), NamedSharding(MESH, P("a")))
    with pytest.raises(TransformError, match="names 'z', which is not an axis"):
        NamedSharding(MESH, P("z"))
    with pytest.raises(TransformError, match="names an axis twice"):
        NamedSharding(MESH, P("a", "a"))
    with pytest.raises(TransformError, match="has 16 devices, and there are 8"):
        make_mesh((16,), ("i",))
    with pytest.raises(TransformError, match="one name"):
        Mesh(devices(), ("a", "b"))
    with pytest.raises(PlacementError, match="there is no device 'gpu:9'"):
        device_put(A, "gpu:9")
    with pytest.raises(PlacementError, match="there is no mesh"):
        device_put(A, P("a"))
    with pytest.raises(RuntimeError, match="too late"):
        from chainrule.engine import set_cpu_device_count
        set_cpu_device_count(2)
