"""Where a chain starts: strategies, the search for a valid point, and what is said when there is none."""
import re

import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.distributions import biject_to
from chainrule.engine import cond, config, grad, jit, random, scan, vmap
from chainrule.inference import (
    StartError,
    find_valid_initial_params,
    init_to_feasible,
    init_to_mean,
    init_to_median,
    init_to_sample,
    init_to_uniform,
    init_to_value,
    initialize_model,
    potential_energy,
)
from chainrule.ppl import SiteError
from tests.ppl.rows import nested

KEY = random.key(11)
STRATEGIES = {"uniform": init_to_uniform, "median": init_to_median, "mean": init_to_mean, "sample": init_to_sample,
              "feasible": init_to_feasible, "value": init_to_value}
DISTRIBUTIONS = {
    "normal": dist.Normal(np.array([1.0, -2.0]), 3.0), "positive": dist.Gamma(np.array([2.0, 5.0, 9.0]), 0.5),
    "interval": dist.Uniform(-1.0, np.array([3.0, 5.0])), "simplex": dist.Dirichlet(np.array([1.0, 2.0, 3.0])),
    "no mean": dist.HalfCauchy(np.ones(2)), "some means": dist.Pareto(1.0, np.array([0.5, 4.0])),
    "correlations": dist.LKJCholesky(3, 1.0), "ordered": dist.TransformedDistribution(
        dist.Normal(np.zeros(3), 1.0).to_event(1), dist.transforms.OrderedTransform()),
    "no sampler": dist.ImproperUniform(dist.constraints.positive, (), (2,)),
    "plates": dist.Normal(0.0, 1.0).expand((2, 3)), "vectors": dist.MultivariateNormal(np.zeros(2), np.eye(2)),
}


def at(name, strategy, key=KEY):
    return strategy({"name": "x", "fn": DISTRIBUTIONS[name], "kwargs": {"rng_key": key}})


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if s != "value"])
def test_a_strategy_gives_a_point_of_the_support(name, strategy):
    fn = DISTRIBUTIONS[name]
    x = at(name, STRATEGIES[strategy])
    assert x.shape == fn.shape()
    assert np.asarray(fn.support(x)).all()
    z = biject_to(fn.support)._inverse(x)
    assert np.isfinite(np.asarray(z)).all()
    np.testing.assert_array_equal(x, at(name, STRATEGIES[strategy]()))
    differs = not np.array_equal(np.asarray(x), np.asarray(at(name, STRATEGIES[strategy], random.key(12))))
    random_one = strategy in ("uniform", "median", "sample") or strategy == "mean" and name in (
        "no mean", "some means", "correlations", "ordered", "no sampler")
    assert differs == random_one


def test_what_the_strategies_give():
    """500 sites each; false alarms: 7 · 10⁻⁶ a number (4.5 sd)."""
    fn = dist.LogNormal(np.zeros(500), 1.0)
    site = {"name": "x", "fn": fn, "kwargs": {"rng_key": KEY}}
    z = {k: np.log(np.asarray(STRATEGIES[k](site))) for k in ("uniform", "median", "mean", "sample", "feasible")}
    assert np.abs(z["uniform"]).max() < 2.0 and abs(z["uniform"].std() - 2 / 3 ** 0.5) < 4.5 * 0.024
    assert np.abs(np.log(np.asarray(init_to_uniform(radius=0.1)(site)))).max() < 0.1
    assert abs(z["sample"].std() - 1.0) < 4.5 / 1000 ** 0.5 and abs(z["sample"].mean()) < 4.5 / 500 ** 0.5
    spread = [np.log(np.asarray(init_to_median(num_samples=n)(site))).std() for n in (1, 15, 101)]
    for n, s in zip((15, 101), spread[1:]):              # the sd of a median is sqrt(π / (2 n + π - 2)), nearly
        assert s == pytest.approx((np.pi / (2 * n + np.pi - 2)) ** 0.5, rel=0.2)
    assert spread[1] == z["median"].std() and spread[0] > 0.8
    np.testing.assert_allclose(z["mean"], 0.5, rtol=1e-12)
    np.testing.assert_array_equal(z["feasible"], 0.0)
    assert init_to_value(site, values={"x": 3.0}) == 3.0 and init_to_value(values={"y": 3.0})(site) is None


# ---- in a model ----

def hierarchy(y, scale=1.0):
    mu = cr.sample("mu", dist.Normal(5.0, 1.0))
    tau = cr.sample("tau", dist.HalfNormal(1.0))
    with cr.plate("i", 3):
        theta = cr.sample("theta", dist.Normal(mu, tau))
    cr.sample("y", dist.Normal(theta, scale), obs=y)
    cr.deterministic("twice", 2.0 * mu)


Y = np.array([0.1, -0.4, 1.2])
NESTED = [("plain", ()), ("vectors", ("vmap",)), ("chain", ()), ("lanes", ("scan",)), ("plain", ("cond", "vmap")),
          ("plates", ("scan", "jit")), ("plain", ("checkpoint",))]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name, transforms", NESTED, ids=["-".join((m, *t)) for m, t in NESTED])
def test_every_strategy_goes_through_every_transformation(name, transforms, strategy):
    model = nested(name, transforms).model
    with config(disable_jit=True):
        info = initialize_model(KEY, model, init_strategy=STRATEGIES[strategy], model_args=(0.35,))
        z, energy, slope = info.param_info
        assert float(energy) == pytest.approx(float(potential_energy(model, (0.35,), {}, z)), rel=1e-12)
        assert float(info.potential_fn(z)) == float(energy)
        expected = grad(lambda z: potential_energy(model, (0.35,), {}, z))(z)
        for k in z:
            np.testing.assert_allclose(slope[k], expected[k], rtol=1e-9, atol=1e-12)
        values = info.postprocess_fn(z)
        for k, s in info.model_trace.items():
            if s["type"] in ("sample", "deterministic") and not s["is_observed"]:
                np.testing.assert_allclose(values[k], s["value"], rtol=1e-12)


def test_values_by_name_are_taken_in_loops_and_lanes():
    def model():
        s = cr.sample("s", dist.HalfNormal(1.0))
        scan(lambda c, _: (cr.sample("x", dist.Normal(c, s)), None), 0.0, None, length=3)
        vmap(lambda i: cr.sample("u", dist.Gamma(2.0, 1.0 + i)))(np.arange(2.0))
        jit(lambda s: cond(s > 0, lambda: cr.sample("c", dist.Normal(0.0, 1.0)), lambda: 0.0))(s)

    given = {"x": np.array([1.0, 2.0, 3.0]), "u": np.array([0.5, 1.5]), "c": 4.0}
    info = initialize_model(KEY, model, init_strategy=init_to_value(values=given))
    found = info.postprocess_fn(info.param_info.z)
    for k, v in given.items():
        np.testing.assert_allclose(found[k], v, rtol=1e-14)
    other = initialize_model(KEY, model)
    assert float(found["s"]) == float(other.postprocess_fn(other.param_info.z)["s"])     # the rest is uniform


def test_a_start_does_not_depend_on_other_sites():
    def longer(y):
        with cr.handlers.scale(scale=0.5):
            cr.sample("first", dist.Normal(0.0, 1.0))
        hierarchy(y)

    for strategy in (init_to_uniform, init_to_sample):
        a = find_valid_initial_params(KEY, hierarchy, init_strategy=strategy, model_args=(Y,))[0].z
        b = find_valid_initial_params(KEY, longer, init_strategy=strategy, model_args=(Y,))[0].z
        for k in ("mu", "tau"):
            np.testing.assert_array_equal(a[k], b[k])


def test_a_strategy_of_ones_own():
    def by_name(site):
        assert site["type"] == "sample" and not site["is_observed"]
        return {"mu": 1.5, "theta": random.normal(site["kwargs"]["rng_key"], (3,)) + 100.0}.get(site["name"])

    z = initialize_model(KEY, hierarchy, init_strategy=by_name, model_args=(Y,)).param_info.z
    assert float(z["mu"]) == 1.5 and np.asarray(z["theta"]).min() > 90.0 and abs(float(z["tau"])) <= 2.0


def test_several_keys_are_several_starts():
    keys = random.split(KEY, 3)
    info = initialize_model(keys, hierarchy, model_args=(Y,), init_strategy=init_to_sample)
    z, energy, slope = info.param_info
    assert z["theta"].shape == slope["theta"].shape == (3, 3) and energy.shape == (3,)
    one = initialize_model(keys[1], hierarchy, model_args=(Y,), init_strategy=init_to_sample).param_info
    np.testing.assert_array_equal(z["theta"][1], one.z["theta"])
    np.testing.assert_array_equal(energy[1], one.potential_energy)


def test_the_functions_may_take_new_data():
    calls = []

    def counted(y):
        calls.append(1)
        hierarchy(y)

    info = initialize_model(KEY, counted, model_args=(Y,), dynamic_args=True)
    z = info.param_info.z
    for y in (Y, Y + 1.0):
        np.testing.assert_array_equal(info.potential_fn(y)(z), potential_energy(hierarchy, (y,), {}, z))
        assert float(info.postprocess_fn(y)(z)["twice"]) == 2.0 * float(z["mu"])
    assert len(calls) == 1


def test_forward_mode_gives_the_same_gradient():
    a = initialize_model(KEY, hierarchy, model_args=(Y,)).param_info
    b = initialize_model(KEY, hierarchy, model_args=(Y,), forward_mode_differentiation=True).param_info
    for k in a.z:
        np.testing.assert_allclose(a.z_grad[k], b.z_grad[k], rtol=1e-12)


# ---- the search ----

def half_of_it():
    """Valid where x > 0, so at half of the points."""
    x = cr.sample("x", dist.Normal(0.0, 1.0))
    cr.factor("f", cnp.log(x))


@pytest.mark.parametrize("strategy", ["uniform", "sample", "median"])
def test_a_point_that_will_not_do_is_replaced(strategy):
    found = [find_valid_initial_params(i, half_of_it, init_strategy=STRATEGIES[strategy]) for i in range(12)]
    assert all(bool(ok) and float(info.z["x"]) > 0 for info, ok in found)     # by chance without a search: 2⁻¹²


def test_the_search_is_compiled_and_mapped():
    keys = random.split(KEY, 8)
    infos, ok = jit(lambda k: find_valid_initial_params(k, half_of_it))(keys)
    assert np.asarray(ok).all() and (np.asarray(infos.z["x"]) > 0).all()
    expected = [find_valid_initial_params(k, half_of_it)[0].z["x"] for k in keys]
    np.testing.assert_allclose(infos.z["x"], expected, rtol=1e-14)
    many = np.stack([Y, Y + 1.0])
    energies = vmap(lambda y: initialize_model(KEY, hierarchy, model_args=(y,)).param_info.potential_energy)(many)
    expected = [initialize_model(KEY, hierarchy, model_args=(y,)).param_info.potential_energy for y in many]
    np.testing.assert_allclose(energies, expected, rtol=1e-12)


def test_a_strategy_that_repeats_itself_is_asked_twice():
    asked = []

    def fixed(site):
        asked.append(site["name"])
        return -1.0

    assert not find_valid_initial_params(KEY, half_of_it, init_strategy=fixed)[1]
    assert asked == ["x", "x"]


def test_the_gradient_may_be_left_out_of_the_check():
    def steep():
        x = cr.sample("x", dist.Normal(0.0, 1.0))
        cr.factor("f", cnp.sqrt(cnp.maximum(x - x, 0.0)))

    assert not find_valid_initial_params(KEY, steep)[1]
    assert find_valid_initial_params(KEY, steep, validate_grad=False)[1]


# ---- no valid initial parameters: who is to blame ----

def no_parameter(y, scale):
    mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    cr.sample("y", dist.Normal(mu, scale), obs=y)


def out_of_reach():
    x = cr.sample("x", dist.Normal(0.0, 1.0))
    cr.sample("fine", dist.Normal(x, 1.0), obs=0.0)
    with cr.plate("i", 2):
        cr.sample("far", dist.Uniform(x, x + 1.0), obs=np.array([0.5, 50.0]))


def steep_site():
    x = cr.sample("x", dist.Normal(np.zeros(2), 1.0))
    cr.sample("y", dist.Normal(cnp.sqrt(cnp.abs(x - x)), 1.0), obs=0.0)


def overflowing():
    x = cr.sample("x", dist.HalfNormal(1.0))
    cr.factor("penalty", -cnp.exp(cnp.exp(x + 10.0)))


def many_sites():
    for i in range(8):
        cr.sample(f"x{i}", dist.Normal(0.0, 1.0))
        cr.factor(f"f{i}", cnp.asarray(np.inf))


NO_START = {
    "a parameter that is nan": (no_parameter, (Y, np.array([1.0, np.nan, 2.0])), {}),
    "data that no parameter allows": (out_of_reach, (), {}),
    "a gradient that is nan": (steep_site, (), {}),
    "a factor that overflows": (overflowing, (), {}),
    "many sites to blame": (many_sites, (), {}),
    "a start that is not valid": (half_of_it, (), {"init_strategy": init_to_value(values={"x": -2.0})}),
}


@pytest.mark.parametrize("name", NO_START)
def test_no_valid_start_names_the_guilty_sites(name, golden):
    model, args, options = NO_START[name]
    with pytest.raises(StartError) as e:
        initialize_model(KEY, model, model_args=args, **options)
    golden(f"ppl/no_start_{name.replace(' ', '_')}.txt", re.sub(r"(\w+\.py):\d+", r"\1:NN", str(e.value)))


@pytest.mark.parametrize("values, text", [
    ({"tau": -1.0}, r"'tau': the start that init_strategy gives has the value -1.0, outside of the support"),
    ({"theta": np.zeros(4)}, r"'theta': the start that init_strategy gives has shape \(4,\)"),
    ({"mu": np.zeros(2)}, r"'mu': the start that init_strategy gives has shape \(2,\), and the site has shape \(\)"),
])
def test_values_that_are_no_start(values, text):
    with pytest.raises(SiteError, match=text):
        initialize_model(KEY, hierarchy, model_args=(Y,), init_strategy=init_to_value(values=values))


def test_what_cannot_start():
    with pytest.raises(SiteError, match=r"'k' is discrete(.|\n)*test_starts.py:\d+"):
        initialize_model(KEY, lambda: cr.sample("k", dist.Poisson(1.0)))
    with pytest.raises(SiteError, match="'y': obs has the value -1.0"):
        initialize_model(KEY, lambda y: cr.sample("y", dist.Exponential(1.0), obs=y), model_args=(-1.0,))
    with pytest.raises(TypeError, match="such as init_to_median; got a str"):
        initialize_model(KEY, hierarchy, model_args=(Y,), init_strategy="median")
    with pytest.raises(TypeError, match="initialize_model takes a key first"):
        initialize_model(0.5, hierarchy, model_args=(Y,))
