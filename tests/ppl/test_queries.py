"""Densities and spaces: joint, of each site, of each observation, of batches of values; there and back."""
import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import config, grad, jit, random, scan, vmap
from chainrule.engine.errors import ShapeError
from chainrule.inference import (
    Predictive,
    compute_log_prior,
    compute_log_probs,
    constrain,
    constrain_fn,
    get_transforms,
    log_density,
    log_likelihood,
    potential_energy,
    transform_fn,
    unconstrain,
    unconstrain_fn,
)
from chainrule.ppl import SiteError
from chainrule.ppl.handlers import lift, scope, seed, substitute, trace
from tests.ppl.rows import nested

X = 0.35
CASES = [("plain", ()), ("observed", ()), ("vectors", ()), ("plates", ()), ("chain", ()), ("lanes", ()), ("choice", ()),
         ("plain", ("vmap",)), ("plain", ("scan", "vmap")), ("plain", ("vmap", "scan")), ("plain", ("cond", "scan")),
         ("vectors", ("scan",)), ("plates", ("vmap",)), ("chain", ("vmap", "cond")), ("lanes", ("scan", "jit")),
         ("plain", ("custom_jvp",)), ("plain", ("checkpoint", "vmap")), ("choice", ("scan", "vmap"))]


def rows(cases):
    return pytest.mark.parametrize("name, transforms", cases, ids=["-".join((m, *t)) for m, t in cases])


@pytest.fixture
def eager():
    with config(disable_jit=True):
        yield


def open_values(model, number):
    tr = trace(seed(model, number)).get_trace(X)
    return {k: np.asarray(s["value"]) for k, s in tr.items() if s["type"] == "sample" and not s["is_observed"]}


def stacked(values):
    return {k: np.stack([v[k] for v in values]) for k in values[0]}


# ---- batches of values ----

@rows(CASES)
def test_a_batch_of_values_is_the_loop_over_it(name, transforms, eager):
    row = nested(name, transforms)
    values = [open_values(row.model, i) for i in range(6)]
    expected = [row.score(X, {**values_at(row.model, i), **v}) for i, v in enumerate(values)]
    batch = stacked(values)
    total, tr = log_density(row.model, (X,), {}, batch, batch_ndims=1)
    np.testing.assert_allclose(total, expected, rtol=1e-12)
    by_chain = {k: v.reshape(2, 3, *v.shape[1:]) for k, v in batch.items()}
    grouped = log_density(row.model, (X,), {}, by_chain, batch_ndims=2)[0]
    np.testing.assert_allclose(grouped, np.reshape(expected, (2, 3)), rtol=1e-12)
    for k, s in tr.items():
        alone = trace(seed(row.model, 0)).get_trace(X)[k]["value"]
        assert s["value"].shape == (6, *alone.shape), k


def values_at(model, number):
    tr = trace(seed(model, number)).get_trace(X)
    return {k: np.asarray(s["value"]) for k, s in tr.items() if s["type"] == "sample"}


def hierarchy(y=None):
    mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    tau = cr.sample("tau", dist.HalfNormal(1.0))
    with cr.plate("i", 3):
        theta = cr.sample("theta", dist.Normal(mu, tau))
        cr.sample("y", dist.Normal(theta, 1.0), obs=y)
    cr.deterministic("spread", theta - mu)


Y = np.array([0.1, -0.4, 1.2])
ONE = {"mu": 0.5, "tau": 0.8, "theta": np.array([0.1, 0.2, 0.3])}


def test_which_values_are_batches_depends_on_the_model():
    """Three values of theta are one point; three of mu are three points, which share theta and tau."""
    total, tr = log_density(hierarchy, (Y,), {}, {**ONE, "mu": [0.0, 0.5, 1.0]}, batch_ndims=1)
    expected = [float(log_density(hierarchy, (Y,), {}, {**ONE, "mu": m})[0]) for m in (0.0, 0.5, 1.0)]
    np.testing.assert_allclose(total, expected, rtol=1e-13)
    assert {k: s["value"].shape for k, s in tr.items()} == {
        "mu": (3,), "tau": (3,), "theta": (3, 3), "y": (3, 3), "spread": (3, 3)}
    slope = grad(lambda m: cnp.sum(log_density(hierarchy, (Y,), {}, {**ONE, "mu": m}, batch_ndims=1)[0]))(np.zeros(2))
    alone = grad(lambda m: log_density(hierarchy, (Y,), {}, {**ONE, "mu": m})[0])(0.0)
    np.testing.assert_allclose(slope, [alone, alone], rtol=1e-13)


def test_a_batch_of_params():
    def model(y):
        with cr.plate("i", 3):
            cr.sample("y", dist.Normal(cr.param("loc", 0.0), 1.0), obs=y)

    found = log_density(model, (Y,), {}, {"loc": [0.0, 2.0]}, batch_ndims=1)[0]
    np.testing.assert_allclose(found, [log_density(model, (Y,), {}, {"loc": m})[0] for m in (0.0, 2.0)], rtol=1e-13)


@pytest.mark.parametrize("values, text", [
    ({**ONE, "theta": np.zeros((2, 2, 3))}, r"'theta'.*shape \(2, 2, 3\).*site has shape \(3,\).*\(…, 3\)"),
    ({**ONE, "mu": np.zeros(2), "tau": np.ones(4)}, r"leading axes differ.*\(2,\).*\(4,\)"),
    (ONE, "no value has batch axes"),
])
def test_values_that_are_no_batch(values, text):
    with pytest.raises(ShapeError, match=text):
        log_density(hierarchy, (Y,), {}, values, batch_ndims=1)


# ---- by site, by observation ----

@rows(CASES)
def test_the_terms_add_up_to_the_density(name, transforms, eager):
    row = nested(name, transforms)
    values = open_values(row.model, 1)
    total, tr = log_density(row.model, (X,), {}, values)
    sums, again = compute_log_probs(row.model, (X,), {}, values)
    assert list(sums) == [k for k, s in tr.items() if s["type"] in ("sample", "factor")] and list(again) == list(tr)
    assert all(v.shape == () for v in sums.values())
    points, _ = compute_log_probs(row.model, (X,), {}, values, sum_log_prob=False)
    for k, v in points.items():
        if tr[k]["type"] == "sample":
            assert v.shape == tr[k]["fn"].batch_shape
        assert float(cnp.sum(v)) == pytest.approx(float(sums[k]), rel=1e-12)
    assert float(sum(sums.values())) == pytest.approx(float(total), rel=1e-12)
    many, _ = compute_log_probs(row.model, (X,), {}, {k: np.stack([v, v]) for k, v in values.items()}, batch_ndims=1)
    for k, v in many.items():
        np.testing.assert_allclose(v, [sums[k], sums[k]], rtol=1e-12)


# ---- unconstrained space ----

CONTINUOUS = [c for c in CASES if c[0] not in ("observed", "choice")]


@rows(CONTINUOUS)
def test_there_and_back(name, transforms, eager):
    model = nested(name, transforms).model
    values = open_values(model, 2)
    z = unconstrain_fn(model, (X,), {}, values)
    back = constrain_fn(model, (X,), {}, z)
    assert set(z) == set(back) == set(values)
    for k in values:
        np.testing.assert_allclose(back[k], values[k], rtol=1e-12, atol=1e-14, err_msg=k)
    log_dets = [cnp.sum(t.log_abs_det_jacobian(z[k], t(z[k])))
                for k, t in get_transforms(model, (X,), {}, values).items()]
    density = float(log_density(model, (X,), {}, values)[0])
    assert float(potential_energy(model, (X,), {}, z)) == pytest.approx(-density - float(sum(log_dets)), rel=1e-10)


def test_spaces_of_batches():
    batch = {"mu": np.zeros((2, 4)), "tau": 0.5, "theta": np.arange(24.0).reshape(2, 4, 3)}
    z = unconstrain(hierarchy, (Y,), {}, batch, batch_ndims=2)
    assert {k: v.shape for k, v in z.items()} == {"mu": (2, 4), "tau": (2, 4), "theta": (2, 4, 3)}
    back = constrain(hierarchy, (Y,), {}, z, return_deterministic=True, batch_ndims=2)
    np.testing.assert_allclose(back["tau"], np.full((2, 4), 0.5), rtol=1e-15)
    np.testing.assert_array_equal(back["spread"], batch["theta"])
    energies = potential_energy(hierarchy, (Y,), {}, z, batch_ndims=2)
    one = potential_energy(hierarchy, (Y,), {}, {k: v[1, 2] for k, v in z.items()})
    np.testing.assert_allclose(energies[1, 2], one, rtol=1e-14)


def test_params_are_transformed_and_have_no_density():
    def model():
        s = cr.param("s", 1.0, constraint=dist.constraints.positive)
        cr.sample("x", dist.Normal(0.0, s))

    at = constrain_fn(model, (), {}, {"s": 1.0, "x": 0.2})
    assert float(at["s"]) == pytest.approx(np.e) and float(at["x"]) == 0.2
    assert float(unconstrain_fn(model, (), {}, at)["s"]) == pytest.approx(1.0)
    energy = potential_energy(model, (), {}, {"s": 1.0, "x": 0.2})
    assert float(energy) == pytest.approx(-float(dist.Normal(0.0, np.e).log_prob(0.2)))


def test_a_transform_is_applied_by_name():
    transforms = get_transforms(hierarchy, (Y,), {}, ONE)
    z = transform_fn(transforms, {**ONE, "other": 3.0}, invert=True)
    assert float(z["tau"]) == pytest.approx(np.log(0.8)) and z["other"] == 3.0
    assert float(transform_fn(transforms, z)["tau"]) == pytest.approx(0.8)


def test_a_missing_value_is_named():
    with pytest.raises(SiteError, match=r"'theta' has no value(.|\n)*mu, tau(.|\n)*test_queries.py:\d+, in hierarchy"):
        potential_energy(hierarchy, (Y,), {}, {"mu": 0.0, "tau": 0.0})
    with pytest.raises(SiteError, match=r"'k' is discrete(.|\n)*no unconstrained form"):
        potential_energy(lambda: cr.sample("k", dist.Poisson(1.0)), (), {}, {"k": 1})
    with pytest.raises(NotImplementedError, match="enum=True"):
        potential_energy(hierarchy, (Y,), {}, {}, enum=True)


# ---- once ----

def test_the_function_runs_once_for_all_queries_of_one_set_of_types():
    calls = []

    def model(y=None):
        calls.append(1)
        hierarchy(y)

    z = {"mu": 0.0, "tau": 0.0, "theta": np.zeros(3)}
    potential = jit(lambda z, y: potential_energy(model, (y,), {}, z))
    for y in (Y, Y + 1.0, 2.0 * Y):
        potential(z, y)
        potential_energy(model, (y,), {}, z)
        constrain_fn(model, (y,), {}, z, True), unconstrain_fn(model, (y,), {}, ONE)
        log_density(model, (y,), {}, {**ONE, "mu": [0.0, 1.0]}, batch_ndims=1)
        log_likelihood(model, {k: np.stack([v, v]) for k, v in ONE.items()}, y)
    assert len(calls) == 1


# ---- a model is a value ----

def test_a_model_is_mapped_over_data_sets():
    many = np.stack([Y, Y + 1.0, -Y])
    found = vmap(lambda y: log_density(hierarchy, (y,), {}, ONE)[0])(many)
    np.testing.assert_allclose(found, [log_density(hierarchy, (y,), {}, ONE)[0] for y in many], rtol=1e-13)
    energies = vmap(lambda y: potential_energy(hierarchy, (y,), {}, ONE))(many)
    np.testing.assert_allclose(energies, [potential_energy(hierarchy, (y,), {}, ONE) for y in many], rtol=1e-13)


def regression(x, y=None):
    b = cr.sample("b", dist.Normal(0.0, 1.0))
    with cr.plate("i", len(x)):
        cr.sample("y", dist.Normal(b * x, 1.0), obs=y)


def test_predictions_are_mapped_over_data_sets_and_keys():
    xs, keys = np.array([[1.0, 2.0], [3.0, -4.0]]), random.split(random.key(5), 2)
    samples = {"b": np.linspace(-1.0, 1.0, 5)}

    def predict(key, x):
        return Predictive(regression, samples)(key, x)["y"]

    found = vmap(predict)(keys, xs)
    assert found.shape == (2, 5, 2)
    for i in range(2):
        np.testing.assert_allclose(found[i], predict(keys[i], xs[i]), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(jit(predict)(keys[0], xs[0]), found[0], rtol=1e-13, atol=1e-14)
    terms = vmap(lambda x, y: log_likelihood(regression, samples, x, y)["y"])(xs, xs)
    np.testing.assert_allclose(terms[1], log_likelihood(regression, samples, xs[1], xs[1])["y"], rtol=1e-13)


def test_a_model_is_used_in_another_one_under_a_scope():
    def pair(x, y=None):
        for side in ("left", "right"):
            scope(regression, prefix=side)(x, y)

    x, y = np.array([1.0, 2.0]), np.array([0.3, 0.4])
    values = {"left/b": 0.2, "right/b": -0.7}
    parts = [float(log_density(regression, (x, y), {}, {"b": b})[0]) for b in values.values()]
    assert float(log_density(pair, (x, y), {}, values)[0]) == pytest.approx(sum(parts), rel=1e-13)
    drawn = Predictive(pair, num_samples=4)(1, x)
    assert {k: v.shape for k, v in drawn.items()} == {
        "left/b": (4,), "left/y": (4, 2), "right/b": (4,), "right/y": (4, 2)}
    assert not np.any(np.asarray(drawn["left/b"]) == np.asarray(drawn["right/b"]))
    prior = compute_log_prior(pair, {k: drawn[k] for k in values}, x, y)
    assert set(prior) == set(values)


def test_a_handled_model_is_a_model():
    def with_param(y):
        mu = cr.param("mu", 0.0)
        cr.sample("y", dist.Normal(mu, 1.0), obs=y)

    lifted = lift(with_param, {"mu": dist.Normal(1.0, 1.0)})
    z = {"mu": np.array([0.0, 2.0])}
    expected = [-float(dist.Normal(1.0, 1.0).log_prob(m) + dist.Normal(m, 1.0).log_prob(0.5)) for m in z["mu"]]
    np.testing.assert_allclose(potential_energy(lifted, (0.5,), {}, z, batch_ndims=1), expected, rtol=1e-13)
    fixed = substitute(hierarchy, data={"tau": 2.0})
    assert set(Predictive(fixed, num_samples=2)(0)) == {"mu", "tau", "theta", "y", "spread"}
    assert np.asarray(Predictive(fixed, num_samples=2)(0)["tau"]).tolist() == [2.0, 2.0]


def test_a_batch_goes_through_a_compiled_scan():
    def walk(y):
        s = cr.sample("s", dist.HalfNormal(1.0))

        def step(x, y):
            x = cr.sample("x", dist.Normal(x, s))
            cr.sample("y", dist.Normal(x, 1.0), obs=y)
            return x, None
        scan(step, 0.0, y)

    values = {"s": np.array([0.5, 1.0]), "x": np.array([[0.1, 0.2, 0.3], [1.0, 2.0, 3.0]])}
    found = jit(lambda v, y: log_density(walk, (y,), {}, v, batch_ndims=1)[0])(values, Y)
    expected = [log_density(walk, (Y,), {}, {k: v[i] for k, v in values.items()})[0] for i in range(2)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
