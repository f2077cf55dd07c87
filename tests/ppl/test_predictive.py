"""Queries of many draws: each draw is a run of the model of its own, however the draws are grouped, cut or spread."""
import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import config, jit, random, scan, stats, vmap
from chainrule.engine.errors import ShapeError
from chainrule.inference import Predictive, compute_deterministics, compute_log_prior, log_likelihood
from chainrule.ppl import SiteError, log_density
from chainrule.ppl.handlers import seed, substitute, trace
from chainrule.ppl.model import stage_model
from chainrule.ppl.queries import draws

Y = np.array([0.3, -1.0, 2.0])


def model(y=None):
    mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    s = cr.sample("s", dist.HalfNormal(1.0))
    cr.deterministic("twice", 2.0 * mu)
    cr.factor("f", -mu ** 2)
    with cr.plate("i", 3):
        cr.sample("y", dist.Normal(mu, s), obs=y)


def loops(y=None):
    mu = cr.sample("mu", dist.Normal(0.0, 1.0))
    scan(lambda c, y: (c, cr.sample("y", dist.Normal(mu, 1.0), obs=y)), 0.0, y, length=3)
    vmap(lambda x: cr.sample("lane", dist.Normal(mu * x, 1.0)))(Y)


SAMPLES = {"mu": np.linspace(-1.0, 1.0, 6), "s": np.linspace(0.5, 2.0, 6)}
KEY = random.key(4)


def same(a, b):
    assert set(a) == set(b)
    for k in a:
        np.testing.assert_array_equal(np.asarray(a[k]), np.asarray(b[k]), err_msg=k)


def test_prior_draws_have_every_site():
    out = Predictive(model, num_samples=5)(KEY)
    assert {k: v.shape for k, v in out.items()} == {"mu": (5,), "s": (5,), "twice": (5,), "y": (5, 3)}
    np.testing.assert_array_equal(out["twice"], 2.0 * out["mu"])
    same(out, Predictive(model, num_samples=5)(4))


def test_a_draw_is_a_run_of_the_seeded_model():
    out = Predictive(model, SAMPLES)(KEY)
    for i in (0, 3):
        given = {k: v[i] for k, v in SAMPLES.items()}
        alone = trace(seed(substitute(model, data=given), random.fold_in(KEY, i))).get_trace()
        np.testing.assert_allclose(out["y"][i], alone["y"]["value"], rtol=1e-13)


def test_posterior_predictive_draws_leave_out_what_was_given():
    out = Predictive(model, SAMPLES)(KEY)
    assert set(out) == {"y", "twice"}
    np.testing.assert_array_equal(out["twice"], 2.0 * SAMPLES["mu"])
    with_twice = Predictive(model, {**SAMPLES, "twice": np.zeros(6)})(KEY)
    np.testing.assert_array_equal(with_twice["twice"], 2.0 * SAMPLES["mu"])
    assert set(Predictive(model, SAMPLES, return_sites=["mu", "y"])(KEY)) == {"mu", "y"}
    observed = Predictive(model, SAMPLES)(KEY, Y)
    assert set(observed) == {"twice"}
    asked = Predictive(model, SAMPLES, return_sites=["y"])(KEY, Y)
    np.testing.assert_array_equal(asked["y"], np.broadcast_to(Y, (6, 3)))


def regression(x, y=None):
    """One whose draws are a product of matrices when they stand side by side."""
    w = cr.sample("w", dist.Normal(np.zeros(5), 1.0))
    with cr.plate("i", 40):
        cr.sample("y", dist.Normal(cnp.matmul(x, w), 0.5), obs=y)


ROWS = {"model": (model, ()), "loops": (loops, ()),
        "regression": (regression, (np.random.default_rng(0).normal(size=(40, 5)),))}


@pytest.mark.parametrize("name", ROWS)
def test_the_layout_of_a_run_does_not_change_its_draws(name, monkeypatch):
    """Alone, cut into blocks, on threads, grouped by chain: the same bits."""
    program, args = ROWS[name]
    monkeypatch.setattr(draws, "HOST", (1 << 20, 4))
    whole = Predictive(program, num_samples=18)(KEY, *args)
    same(Predictive(program, num_samples=18, parallel=True)(KEY, *args), whole)
    for n in (1, 3, 4, 7):
        same(Predictive(program, num_samples=n)(KEY, *args), {k: v[:n] for k, v in whole.items()})
    given = {k: v for k, v in whole.items() if k in ("mu", "s", "w")}
    after = Predictive(program, given)(KEY, *args)
    same(after, {k: whole[k] for k in after})
    grouped = {k: np.asarray(v).reshape(3, 6, *v.shape[1:]) for k, v in given.items()}
    by_chain = Predictive(program, grouped, batch_ndims=2, parallel=True)(KEY, *args)
    same(by_chain, {k: np.asarray(v).reshape(3, 6, *v.shape[1:]) for k, v in after.items()})


@pytest.mark.parametrize("program", [model, loops], ids=lambda m: m.__name__)
def test_nor_does_the_width_of_a_block(program, monkeypatch):
    """Where no operation adds up across draws, as a product of matrices may in an order of its own."""
    whole = Predictive(program, num_samples=7)(KEY)
    for most in (1, 4):
        monkeypatch.setattr(draws, "HOST", (1 << 20, most))
        same(Predictive(program, num_samples=7)(KEY), whole)


def test_log_likelihoods_do_not_depend_on_the_layout_either(monkeypatch):
    monkeypatch.setattr(draws, "HOST", (1 << 20, 4))
    x, = ROWS["regression"][1]
    samples = {"w": np.random.default_rng(1).normal(size=(18, 5))}
    whole = log_likelihood(regression, samples, x, np.ones(40))
    same(log_likelihood(regression, samples, x, np.ones(40), parallel=True), whole)
    same(log_likelihood(regression, {"w": samples["w"][:3]}, x, np.ones(40)), {"y": whole["y"][:3]})


def test_memory_is_bounded_by_the_size_of_one_draw():
    """A model a hundred times as large has blocks a hundred times as narrow; the program makes that of a block."""
    def width_of(n):
        def wide(x):
            mu = cr.sample("mu", dist.Normal(0.0, 1.0))
            cr.sample("y", dist.Normal(mu * x, 1.0))
        program, data = stage_model(wide, (np.zeros(n),))
        over = draws.OverDraws(lambda number, given, shared: trace(seed(program, random.wrap_key_data(shared[0])))
                               .get_trace(*shared[1])["y"]["value"])
        shared = (np.zeros(2, np.uint32), data)
        return over.width({}, shared), draws._elements(over.staged({}, shared).jaxpr)

    for n in (10, 1000, 100_000, 10_000_000):
        width, size = width_of(n)
        assert size >= n and (width == 1 or width * size <= draws.HOST[0]) and width <= draws.HOST[1]
    assert width_of(10)[0] > width_of(1000)[0] > width_of(100_000)[0] == 1


def test_the_function_runs_once_for_the_types_of_its_data():
    calls = []

    def counted(x, y=None):
        calls.append(1)
        regression(x, y)

    x, = ROWS["regression"][1]
    for i in range(3):
        samples = {"w": np.full((i + 2, 5), 0.1)}
        Predictive(counted, samples)(i, x + i)
        Predictive(counted, num_samples=300)(i, x * i)
    assert len(calls) == 1
    before = stats()
    Predictive(counted, num_samples=1000)(7, x)
    assert stats().compilations == before.compilations and stats().traces == before.traces
    log_likelihood(counted, samples, x, np.ones(40))
    compute_log_prior(counted, samples, x, np.zeros(40))
    assert len(calls) == 2


def test_samples_grouped_by_chain_give_draws_grouped_by_chain():
    grouped = {k: v.reshape(2, 3) for k, v in SAMPLES.items()}
    out, flat = Predictive(model, grouped, batch_ndims=2)(KEY), Predictive(model, SAMPLES)(KEY)
    same(out, {k: np.asarray(v).reshape(2, 3, *v.shape[1:]) for k, v in flat.items()})


def test_the_sum_of_the_log_likelihood_is_the_density_of_the_data():
    terms = log_likelihood(model, SAMPLES, Y)
    assert {k: v.shape for k, v in terms.items()} == {"y": (6, 3)}
    for i in range(6):
        given = {k: v[i] for k, v in SAMPLES.items()}
        expected = dist.Normal(given["mu"], given["s"]).log_prob(Y)
        np.testing.assert_allclose(terms["y"][i], expected, rtol=1e-13)
        prior = dist.Normal(0.0, 1.0).log_prob(given["mu"]) + dist.HalfNormal(1.0).log_prob(given["s"])
        prior = prior - given["mu"] ** 2
        whole = log_density(model, (Y,), {}, given)[0]
        assert float(terms["y"][i].sum() + prior) == pytest.approx(float(whole), rel=1e-12)
    grouped = log_likelihood(model, {k: v.reshape(2, 3) for k, v in SAMPLES.items()}, Y, batch_ndims=2)
    np.testing.assert_array_equal(grouped["y"], np.asarray(terms["y"]).reshape(2, 3, 3))


def test_log_prior_and_likelihood_make_the_density():
    terms = {**compute_log_prior(model, SAMPLES, Y), **log_likelihood(model, SAMPLES, Y)}
    assert {k: v.shape for k, v in terms.items()} == {"mu": (6,), "s": (6,), "y": (6, 3)}
    total = terms["mu"] + terms["s"] + np.asarray(terms["y"]).sum(1) - SAMPLES["mu"] ** 2
    np.testing.assert_allclose(total, log_density(model, (Y,), {}, SAMPLES, batch_ndims=1)[0], rtol=1e-12)


# ---- deterministic sites ----

def test_deterministic_sites_of_given_draws():
    out = compute_deterministics(model, SAMPLES, Y)
    assert set(out) == {"twice"}
    np.testing.assert_array_equal(out["twice"], 2.0 * SAMPLES["mu"])
    alone = compute_deterministics(model, {"mu": SAMPLES["mu"].reshape(2, 3)}, batch_ndims=2)
    np.testing.assert_array_equal(alone["twice"], 2.0 * SAMPLES["mu"].reshape(2, 3))


def test_what_nothing_depends_on_needs_no_value():
    def walk(y=None):
        def step(x, y):
            x = cr.sample("x", dist.Normal(x, 1.0))
            cr.sample("y", dist.Normal(x, 1.0), obs=y)
            return x, cr.deterministic("square", x ** 2)
        last, _ = scan(step, 0.0, y, length=3)
        cr.deterministic("noise", cr.sample("e", dist.Normal(last, 1.0)))

    x = np.arange(6.0).reshape(2, 3)
    out = compute_deterministics(walk, {"x": x}, return_sites=["square"])
    np.testing.assert_array_equal(out["square"], x ** 2)
    with pytest.raises(SiteError, match=r"compute_deterministics: site '\w' has no value(.|\n)*given for: x"):
        compute_deterministics(walk, {"x": x})
    with pytest.raises(SiteError, match=r"log_likelihood: site 'x' has no value(.|\n)*test_predictive.py:\d+, in step"):
        log_likelihood(walk, {"e": np.zeros(2)}, np.zeros(3))
    with pytest.raises(ValueError, match="no site named 'cube'; its sites are: square, noise"):
        compute_deterministics(walk, {"x": x}, return_sites=["cube"])


def test_deterministic_sites_may_keep_their_values():
    given = {**SAMPLES, "twice": np.arange(6.0)}
    kept = Predictive(model, given, condition_deterministic=True)(KEY)
    np.testing.assert_array_equal(kept["twice"], given["twice"])
    for option in (None, False):
        anew = Predictive(model, given, condition_deterministic=option)(KEY)
        np.testing.assert_array_equal(anew["twice"], 2.0 * SAMPLES["mu"])


# ---- one draw; guides and params ----

def test_one_draw_has_no_axis():
    out = Predictive(model, {"mu": 0.5, "s": 2.0}, batch_ndims=0)(KEY)
    assert {k: v.shape for k, v in out.items()} == {"twice": (), "y": (3,)}
    first = Predictive(model, {"mu": [0.5], "s": [2.0]})(KEY)
    same(out, {k: v[0] for k, v in first.items()})
    assert log_likelihood(model, {"mu": 0.5, "s": 2.0}, Y, batch_ndims=0)["y"].shape == (3,)
    assert Predictive(model, num_samples=1, batch_ndims=0)(KEY)["mu"].shape == ()


def guide(y=None):
    at = cr.param("at", 0.0)
    cr.sample("mu", dist.Normal(at, cr.param("sd", 1.0, constraint=dist.constraints.positive)))
    z = cr.sample("z", dist.Normal(0.0, 1.0))
    cr.sample("s", dist.Delta(cnp.exp(z)))
    cr.sample("y", dist.Normal(0.0, 1.0))                # named like the data, of which it must not take the numbers


def test_draws_from_a_guide_with_its_params():
    params = {"at": 3.0, "sd": 0.01}
    out = Predictive(model, guide=guide, params=params, num_samples=500, return_sites=["mu", "s", "twice"])(KEY)
    assert {k: v.shape for k, v in out.items()} == {"mu": (500,), "s": (500,), "twice": (500,)}
    mu, log_s = np.asarray(out["mu"]), np.log(np.asarray(out["s"]))
    assert abs(mu.mean() - 3.0) < 4.5 * 0.01 / 500 ** 0.5 and abs(mu.std() - 0.01) < 4.5 * 0.01 / 1000 ** 0.5
    assert abs(log_s.mean()) < 4.5 / 500 ** 0.5          # false alarms: 7 · 10⁻⁶ each (4.5 sd)
    np.testing.assert_array_equal(out["twice"], 2.0 * out["mu"])
    assert set(Predictive(model, guide=guide, params=params, num_samples=2)(KEY)) == {"twice"}
    fixed = Predictive(model, {"mu": np.arange(4.0)}, guide=guide, params=params, return_sites=["mu", "s"])(KEY)
    np.testing.assert_array_equal(fixed["mu"], np.arange(4.0))
    np.testing.assert_array_equal(fixed["s"], out["s"][:4])


def test_the_functions_of_model_and_guide_run_once():
    calls = []

    def counted(f):
        def run(y=None):
            calls.append(f.__name__)
            f(y)
        return run

    one, two = counted(model), counted(guide)
    for i in range(3):
        Predictive(one, guide=two, params={"at": float(i)}, num_samples=2 + i)(i)
    assert sorted(calls) == ["guide", "model"]


@pytest.mark.usefixtures("few_objects")
def test_no_query_holds_a_traced_value():
    with config(check_leaks=True, check_programs=True):
        out = Predictive(loops, num_samples=3)(KEY)
        values = {k: v for k, v in out.items() if k != "y"}
        log_likelihood(loops, values, np.zeros(3)), compute_log_prior(loops, values, np.zeros(3))
        log_density(loops, (np.zeros(3),), {}, values, batch_ndims=1)
        jit(lambda y: log_density(loops, (y,), {}, values, batch_ndims=1)[0])(np.zeros(3))
        jit(lambda k: Predictive(loops, num_samples=3)(k))(KEY)


def test_model_and_guide_draw_one_part_of_a_plate():
    def local(y=None):
        with cr.plate("i", 100, subsample_size=4) as i:
            x = cr.sample("x", dist.Normal(cnp.asarray(i, float) * 1.0, 1e-6))
        cr.deterministic("indices", i)
        cr.deterministic("away", x - i)

    def global_guide(y=None):
        with cr.plate("i", 100, subsample_size=4) as i:
            cr.sample("x", dist.Delta(cnp.asarray(i, float) + 0.25))

    out = Predictive(local, guide=global_guide, num_samples=10)(KEY)
    np.testing.assert_array_equal(out["away"], np.full((10, 4), 0.25))
    assert len(np.unique(out["indices"])) > 10


def test_params_of_a_model_without_a_guide():
    def with_param():
        return cr.sample("x", dist.Normal(cr.param("loc", 0.0), 1e-9))
    out = Predictive(with_param, params={"loc": 7.0}, num_samples=2)(KEY)
    np.testing.assert_allclose(out["x"], [7.0, 7.0], atol=1e-6)
    assert set(Predictive(with_param, num_samples=2, return_sites=["loc"])(KEY)) == {"loc"}


def test_a_batch_of_params():
    params = {"at": np.array([0.0, 100.0, 200.0]), "sd": np.full(3, 0.1)}
    out = Predictive(model, guide=guide, params=params, num_samples=4, batch_ndims=1, return_sites=["mu", "y"])(KEY)
    assert {k: v.shape for k, v in out.items()} == {"mu": (4, 3), "y": (4, 3, 3)}
    assert np.abs(np.asarray(out["mu"]) - params["at"]).max() < 0.6
    assert len(np.unique(np.asarray(out["mu"]) - params["at"])) == 12        # a draw of its own for each
    with pytest.raises(ShapeError, match="batch_ndims=1.*leading axes"):
        Predictive(model, guide=guide, params={**params, "at": 0.0}, num_samples=4, batch_ndims=1)


def test_mistakes():
    with pytest.raises(NotImplementedError, match="infer_discrete"):
        Predictive(model, SAMPLES, infer_discrete=True)
    with pytest.raises(TypeError, match=r"return_sites is a list.*\['y'\]"):
        Predictive(model, SAMPLES, return_sites="y")
    with pytest.raises(ValueError, match="num_samples=7, and there are 6 draws"):
        Predictive(model, SAMPLES, num_samples=7)
    with pytest.raises(ValueError, match="integer of at least 1; got 0"):
        Predictive(model, num_samples=0)
    with pytest.raises(ShapeError, match=r"no draws.*\(0,\)"):
        Predictive(model, {"mu": np.zeros(0)})
    with pytest.raises(ShapeError, match=r"'mu' have shape \(\), and batch_ndims=1"):
        Predictive(model, {"mu": 0.5})
    with pytest.raises(TypeError, match="Predictive takes a key first"):
        Predictive(model, SAMPLES)(0.5)
    with pytest.raises(ShapeError, match="no draws in the posterior samples"):
        log_likelihood(model, {}, Y)
    with pytest.raises(ValueError, match="num_samples"):
        Predictive(model)
    with pytest.raises(ShapeError, match="different numbers of draws"):
        Predictive(model, {"mu": np.zeros(3), "s": np.zeros(4)})
    with pytest.raises(ValueError, match="no site named 'nu'.*mu, s"):
        Predictive(model, SAMPLES, return_sites=["nu"])(KEY)
