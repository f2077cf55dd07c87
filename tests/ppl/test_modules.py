"""module and random_module: the weights of networks as params and as random variables."""
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import grad, hessian, jit, nn, random, scan, vmap
from chainrule.ppl import SiteError
from chainrule.ppl.handlers import lift, scope, seed, substitute, trace
from chainrule.ppl.handlers.giving import address
from chainrule.ppl.model import stage_model

X = np.random.default_rng(0).normal(size=(6, 3))
NET = nn.serial(nn.Dense(4), nn.Tanh, nn.Dense(2))
NAMES = ["net/0/bias", "net/0/kernel", "net/2/bias", "net/2/kernel"]


def model(x):
    return cr.module("net", NET, x.shape)(x)


def by_hand(v, x):
    return np.tanh(x @ v["net/0/kernel"] + v["net/0/bias"]) @ v["net/2/kernel"] + v["net/2/bias"]


def values_of(tr):
    return {k: np.asarray(s["value"]) for k, s in tr.items()}


def test_each_array_of_weights_is_a_param():
    tr = trace(seed(model, 0)).get_trace(X)
    assert list(tr) == NAMES and {s["type"] for s in tr.values()} == {"param"}
    np.testing.assert_allclose(seed(model, 0)(X), by_hand(values_of(tr), X), rtol=1e-12)
    np.testing.assert_allclose(jit(seed(model, 0))(X), by_hand(values_of(tr), X), rtol=1e-12)


def test_a_weight_starts_as_init_draws_it_from_the_key_of_its_site():
    tr = trace(seed(model, 0)).get_trace(X)
    for name in NAMES:
        key = random.key(0)
        for part in address(name):
            key = random.fold_in(key, part)
        layer, leaf = name.split("/")[1:]
        np.testing.assert_array_equal(tr[name]["value"], NET[0](key, X.shape)[1][int(layer)][leaf])


def test_params_that_are_given_need_no_key():
    drawn = values_of(trace(seed(model, 0)).get_trace(X))
    given = {k: 0.1 * np.arange(v.size).reshape(v.shape) for k, v in drawn.items()}
    np.testing.assert_allclose(substitute(model, data=given)(X), by_hand(given, X), rtol=1e-12)
    with pytest.raises(SiteError, match="net/0/bias"):
        model(X)
    slope = grad(lambda b: cnp.sum(substitute(model, data={**given, "net/2/bias": b})(X)))(given["net/2/bias"])
    np.testing.assert_allclose(slope, [6.0, 6.0])


def test_init_runs_once_for_each_run_of_the_model():
    calls = []

    def init(key, shape):
        calls.append(1)
        return NET[0](key, shape)
    program, data = stage_model(lambda x: cr.module("net", (init, NET[1]), x.shape)(x), (X,))
    assert len(calls) == 1
    assert list(program.record(seed(rng_seed=0), data)) == NAMES and len(calls) == 1


def test_a_module_is_the_same_in_every_lane_and_step_and_a_random_one_is_not():
    one = trace(seed(lambda: vmap(model)(np.stack([X, X])), 0)).get_trace()
    assert one["net/0/kernel"]["value"].shape == (3, 4)

    steps = trace(seed(lambda: scan(lambda c, x: (c, model(x)), 0.0, np.stack([X, X])), 0)).get_trace()
    for name in NAMES:
        np.testing.assert_array_equal(one[name]["value"], steps[name]["value"])
    ys = seed(lambda: scan(lambda c, x: (c, model(x)), 0.0, np.stack([X, X]))[1], 0)()
    np.testing.assert_allclose(ys, np.stack([by_hand(values_of(one), X)] * 2), rtol=1e-12)

    def random_model(x):
        return cr.random_module("net", NET, dist.Normal(0.0, 1.0), x.shape)(x)
    tr = trace(seed(lambda: vmap(random_model)(np.stack([X, X])), 0)).get_trace()
    w = np.asarray(tr["net/0/kernel"]["value"])
    assert w.shape == (2, 3, 4) and not np.isclose(w[0], w[1]).any()
    assert tr["net/0/kernel"]["fn"].shape() == (2, 3, 4)


def test_handlers_see_the_weights_by_name():
    names = list(trace(seed(scope(model, prefix="a"), 0)).get_trace(X))
    assert names == ["a/" + k for k in NAMES]
    lifted = trace(seed(lift(model, {"net/0/kernel": dist.Normal(0.0, 2.0)}), 0)).get_trace(X)
    assert [s["type"] for s in lifted.values()] == ["param", "sample", "param", "param"]


# ---- random weights ----

PRIORS = {
    "one": (dist.Normal(0.0, 2.0), {k: (0.0, 2.0) for k in NAMES}),
    "by last name": ({"kernel": dist.Normal(0.0, 2.0), "bias": dist.Normal(1.0, 1.0)},
                     {k: (0.0, 2.0) if "kernel" in k else (1.0, 1.0) for k in NAMES}),
    "the longest path counts": ({"kernel": dist.Normal(0.0, 2.0), "2/kernel": dist.Normal(0.0, 5.0)},
                                {"net/0/kernel": (0.0, 2.0), "net/2/kernel": (0.0, 5.0)}),
    "with dots": ({"2.kernel": dist.Normal(0.0, 5.0)}, {"net/2/kernel": (0.0, 5.0)}),
    "a function": (lambda path, shape: dist.Normal(0.0, shape[0] ** -0.5) if path.endswith("kernel") else None,
                   {"net/0/kernel": (0.0, 3 ** -0.5), "net/2/kernel": (0.0, 0.5)}),
    "an array": ({"0/kernel": dist.Normal(np.zeros(4), np.arange(1.0, 5.0))},
                 {"net/0/kernel": (0.0, np.arange(1.0, 5.0))}),
    "vectors": ({"0/kernel": dist.MultivariateNormal(np.zeros(4), 4.0 * np.eye(4))}, {"net/0/kernel": (0.0, 2.0)}),
}


@pytest.mark.parametrize("name", PRIORS)
def test_the_density_of_the_weights_is_their_priors(name):
    prior, expected = PRIORS[name]

    def random_model(x):
        return cr.random_module("net", NET, prior, x.shape)(x)
    tr = trace(seed(random_model, 0)).get_trace(X)
    assert list(tr) == NAMES
    assert {k for k, s in tr.items() if s["type"] == "sample"} == set(expected)
    v = values_of(tr)
    np.testing.assert_allclose(seed(random_model, 0)(X), by_hand(v, X), rtol=1e-12)
    want = sum(stats.norm(*expected[k]).logpdf(v[k]).sum() for k in expected)
    assert float(cr.log_density(random_model, (X,), {}, v)[0]) == pytest.approx(want, rel=1e-12)
    for k in expected:
        assert tr[k]["fn"].batch_shape == () and tr[k]["fn"].event_shape == v[k].shape


def test_a_linear_network_has_the_posterior_of_linear_regression():
    y = np.array([0.3, -1.0, 0.7, 2.0, 0.1, -0.4])

    def regression(x, y):
        net = cr.random_module("net", nn.Dense(1), {"kernel": dist.Normal(0.0, 2.0), "bias": dist.Normal(0.0, 5.0)},
                               x.shape)
        cr.sample("y", dist.Normal(net(x)[:, 0], 0.5), obs=y)

    def logp(z):
        return cr.log_density(regression, (X, y), {}, {"net/kernel": z[:3, None], "net/bias": z[3:]})[0]
    design = np.column_stack([X, np.ones(6)])
    precision = design.T @ design / 0.25 + np.diag([1 / 4] * 3 + [1 / 25])
    np.testing.assert_allclose(-np.asarray(hessian(logp)(np.zeros(4))), precision, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(grad(logp)(np.zeros(4)), design.T @ y / 0.25, rtol=1e-10)


# ---- other forms ----

class Pair(NamedTuple):
    init: Any
    apply: Any


class Flat:
    """A network whose params are one array."""
    def init(self, key, x):
        return random.normal(key, x.shape[-1:])

    def apply(self, params, x, power=1):
        return cnp.matmul(x, params) ** power


@pytest.mark.parametrize("net, shape, names", [
    (Pair(lambda key, x: {"linear": {"w": random.normal(key, x.shape[-1:])}}, lambda p, x: x @ p["linear"]["w"]),
     (-1, 3), ["net/linear/w"]),
    (Flat(), X.shape, ["net"]),
    (Pair(lambda key: {"w": random.normal(key, (3,))}, lambda p, x: x @ p["w"]), None, ["net/w"]),
])
def test_an_object_with_init_and_apply(net, shape, names):
    tr = trace(seed(lambda: cr.module("net", net, shape)(X), 0)).get_trace()
    assert list(tr) == names
    np.testing.assert_allclose(seed(lambda: cr.module("net", net, shape)(X), 0)(),
                               X @ np.asarray(tr[names[0]]["value"]), rtol=1e-12)


def test_options_of_apply_and_keys_pass_through():
    drop = nn.serial(nn.Dense(50), nn.Dropout(0.5))

    def dropped(x):
        net = cr.module("net", drop, x.shape)
        return net(x), net(x, key=cr.prng_key())
    whole, part = seed(dropped, 0)(X)
    part = np.asarray(part)
    assert 0 < (part == 0).mean() < 1
    np.testing.assert_allclose(part[part != 0], 2 * np.asarray(whole)[part != 0])
    flat = seed(lambda: cr.module("net", Flat(), X.shape)(X, power=2), 0)()
    np.testing.assert_allclose(flat, np.asarray(seed(lambda: cr.module("net", Flat(), X.shape)(X), 0)()) ** 2)


def in_a_plate():
    with cr.plate("i", 2):
        cr.random_module("net", NET, dist.Normal(0.0, 1.0), X.shape)


MISTAKES = [
    (lambda: cr.module("net", NET), "input_shape is missing"),
    (lambda: cr.module("net", np.tanh, X.shape), r"\(init, apply\)"),
    (lambda: cr.module(NET, "net", X.shape), "a string"),
    (in_a_plate, "plate 'i'"),
    (lambda: cr.random_module("net", NET, {"weight": dist.Normal(0.0, 1.0)}, X.shape),
     "'weight' fits no weight.*0/kernel"),
    (lambda: cr.random_module("net", NET, 3.0, X.shape), "got float"),
    (lambda: cr.random_module("net", NET, {"bias": 1.0}, X.shape), "'net/0/bias'.*got float"),
    (lambda: cr.random_module("net", NET, dist.Normal(np.zeros(3), 1.0), X.shape), r"\(4,\).*\(3,\)"),
    (lambda: cr.random_module("net", NET, dist.Dirichlet(np.ones(3)), X.shape), r"\(4,\).*\(3,\)"),
]


@pytest.mark.parametrize("f, words", MISTAKES)
def test_a_mistake_names_the_module_and_the_line(f, words):
    with pytest.raises(SiteError, match=words) as caught:
        seed(f, 0)()
    assert "test_modules.py" in str(caught.value)
