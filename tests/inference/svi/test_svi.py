"""SVI: states, runs, restarts, counts, errors."""
import io
import pickle

import numpy as onp
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.distributions import constraints
from chainrule.engine import jit, nn, random, scan, stats, vmap
from chainrule.inference import SVI, Predictive, Trace_ELBO, TraceGraph_ELBO, psis_diagnostic
from chainrule.inference.autoguide import AutoDelta, AutoNormal
from chainrule.inference.optim import Adam, Minimize, adam
from chainrule.inference.svi.fit import Bar
from chainrule.ppl.sites import SiteError

Y = onp.array([1.0, 2.0, 4.0])
CALLS = {"model": 0, "guide": 0}


def model(y):
    CALLS["model"] += 1
    mu = cr.sample("mu", dist.Normal(0.0, 10.0))
    with cr.plate("i", len(y)):
        cr.sample("y", dist.Normal(mu, cr.param("sd", 2.0, constraint=constraints.positive)), obs=y)


def guide(y):
    CALLS["guide"] += 1
    cr.sample("mu", dist.Normal(cr.param("loc", 0.0), cr.param("scale", 1.0, constraint=constraints.positive)))


def make(loss=None, **kwargs):
    return SVI(model, guide, Adam(0.05), loss, **kwargs)


@pytest.fixture(scope="module")
def fitted():
    svi = make()
    return svi, svi.run(random.key(0), 1500, Y, progress_bar=False)


def test_a_fit_finds_the_posterior_and_the_model_s_params(fitted):
    _, result = fitted
    sd = Y.std(ddof=1)                                   # that of the marginal likelihood, as the prior is wide
    assert float(result.params["loc"]) == pytest.approx(Y.mean(), abs=0.3)
    assert float(result.params["sd"]) == pytest.approx(sd, abs=0.4)
    assert float(result.params["scale"]) == pytest.approx(float(result.params["sd"]) / 3 ** 0.5, abs=0.15)
    assert result.losses.shape == (1500,) and bool(np.all(np.isfinite(result.losses)))
    assert onp.asarray(result.losses)[-300:].mean() < onp.asarray(result.losses)[:50].mean()


def test_one_compilation_a_fit_and_none_for_data_of_the_same_shapes():
    svi = make()
    svi.init(random.key(0), Y)                           # what is eager may be compiled before
    calls, before = dict(CALLS), stats()
    svi.run(random.key(0), 300, Y, progress_bar=False)
    first = stats()
    svi.run(random.key(1), 2000, Y + 1.0, progress_bar=False)
    second = stats()
    assert first.compilations - before.compilations <= 1
    assert (second.compilations, second.traces) == (first.compilations, first.traces)
    assert CALLS == calls


def test_a_model_with_a_loop_compiles_its_start_and_its_steps_once():
    def model(y):
        def step(x, y):
            x = cr.sample("x", dist.Normal(0.9 * x, 1.0))
            cr.sample("y", dist.Normal(x, 1.0), obs=y)
            return x, None
        scan(step, 0.0, y)

    svi = SVI(model, AutoNormal(model), Adam(0.05))
    before = stats()
    svi.run(random.key(0), 20, Y, progress_bar=False)
    first = stats()
    svi.run(random.key(1), 30, Y + 1.0, progress_bar=False)
    second = stats()
    assert first.compilations - before.compilations <= 2
    assert (second.compilations, second.traces) == (first.compilations, first.traces)


def test_a_state_can_be_stored_and_resumed(fitted):
    svi, _ = fitted
    state = svi.run(random.key(0), 50, Y, progress_bar=False).state
    again = pickle.loads(pickle.dumps(state))
    a, b = (svi.run(random.key(1), 50, Y, progress_bar=False, init_state=s).losses.tolist() for s in (state, again))
    assert a == b


def test_batches_of_an_iterator_are_fitted_one_by_one():
    rng = onp.random.default_rng(0)
    data = rng.normal(3.0, 1.0, (40, 5))

    def model(y):
        mu = cr.sample("mu", dist.Normal(0.0, 10.0))
        with cr.plate("row", 200, subsample_size=5):
            cr.sample("y", dist.Normal(mu, 1.0), obs=y)

    def guide(y):
        cr.sample("mu", dist.Normal(cr.param("loc", 0.0), np.exp(cr.param("log_scale", -2.0))))

    svi = SVI(model, guide, Adam(0.03))
    once = svi.run_batches(random.key(0), (row for row in data), progress_bar=False)
    assert once.losses.shape == (40,)
    before = stats().compilations
    result = svi.run_batches(random.key(0), [(row,) for row in data], 600, progress_bar=False)
    assert result.losses.shape == (600,) and stats().compilations == before
    assert onp.array_equal(result.losses[:40], once.losses)
    assert float(result.params["loc"]) == pytest.approx(data.mean(), abs=0.2)
    state = svi.init(random.key(0), data[0])
    assert float(svi.update(state, data[0])[1]) == pytest.approx(float(once.losses[0]), rel=1e-12)
    with pytest.raises(ValueError, match="gave 40 batches, and num_steps is 50"):
        svi.run_batches(random.key(0), iter(data), 50, progress_bar=False)


def test_the_python_of_model_and_guide_runs_once():
    seen = []

    def model(y):
        seen.append("model")
        cr.sample("y", dist.Normal(cr.sample("z", dist.Normal(0.0, 1.0)), 1.0), obs=y)

    def guide(y):
        seen.append("guide")
        cr.sample("z", dist.Normal(cr.param("m", 0.0), 1.0))

    svi = SVI(model, guide, Adam(0.1), Trace_ELBO())
    state = svi.init(random.key(0), 1.0)
    state, _ = svi.update(state, 1.0)
    svi.update(state, 2.0)
    svi.evaluate(state, 2.0)
    svi.run(random.key(0), 10, 3.0, progress_bar=False)
    assert sorted(seen) == ["guide", "model"]


def test_a_run_is_the_same_however_it_is_cut(fitted):
    svi, result = fitted
    half = svi.run(random.key(0), 700, Y, progress_bar=False)
    rest = svi.run(random.key(9), 800, Y, progress_bar=False, init_state=half.state)
    assert onp.array_equal(onp.concatenate([half.losses, rest.losses]), result.losses)
    assert {k: v.tolist() for k, v in rest.params.items()} == {k: v.tolist() for k, v in result.params.items()}


def test_update_evaluate_and_run_are_one_function(fitted):
    svi, result = fitted
    state = svi.init(random.key(0), Y)
    for i in range(3):
        expected = svi.evaluate(state, Y)
        state, loss = svi.update(state, Y)
        assert float(loss) == pytest.approx(float(expected), rel=1e-12)
        assert float(loss) == pytest.approx(float(result.losses[i]), rel=1e-10)
    inside, _ = jit(lambda s, y: svi.update(s, y))(svi.init(random.key(0), Y), Y)
    outside, _ = svi.update(svi.init(random.key(0), Y), Y)
    assert float(svi.get_params(inside)["loc"]) == pytest.approx(float(svi.get_params(outside)["loc"]), rel=1e-12)


def test_forward_mode_gives_the_same_step():
    svi = make()
    state = svi.init(random.key(0), Y)
    a, b = (svi.get_params(svi.update(state, Y, forward_mode_differentiation=f)[0]) for f in (False, True))
    assert {k: round(float(v), 12) for k, v in a.items()} == {k: round(float(v), 12) for k, v in b.items()}


def test_params_go_to_unconstrained_space_and_back():
    svi = make()
    first = {"loc": onp.array(0.5), "scale": onp.array(0.25), "sd": onp.array(3.0)}
    state = svi.init(random.key(0), Y, init_params=first)
    assert {k: float(v) for k, v in svi.get_params(state).items()} == pytest.approx({k: float(v)
                                                                                   for k, v in first.items()})
    assert float(svi.optim.get_params(state.optim_state)["sd"]) == pytest.approx(onp.log(3.0))


def test_several_keys_give_several_fits_side_by_side(fitted):
    svi, result = fitted
    both = svi.run(random.split(random.key(3), 2), 200, Y, progress_bar=False)
    assert both.losses.shape == (2, 200) and both.params["loc"].shape == (2,)
    alone = svi.run(random.split(random.key(3), 2)[1], 200, Y, progress_bar=False)
    assert onp.allclose(alone.losses, both.losses[1], rtol=1e-9)


def test_the_best_of_several_restarts_is_given():
    def two_modes():
        z = cr.sample("z", dist.Normal(0.0, 10.0))
        cr.factor("hills", np.logaddexp(-0.5 * (z - 4.0) ** 2, 5.0 - 0.5 * (z + 4.0) ** 2))

    def start(key):
        return 6.0 * np.sign(random.normal(key))

    def guide():
        cr.sample("z", dist.Normal(cr.param("m", start), 0.3))

    svi = SVI(two_modes, guide, Adam(0.05), Trace_ELBO())
    found = [float(svi.run(random.key(i), 300, progress_bar=False).params["m"]) for i in range(6)]
    assert {round(m / 4.0) for m in found} == {-1, 1}
    best = svi.run(random.key(0), 300, progress_bar=False, num_restarts=8)       # all of them wrong: 1 in 256
    assert float(best.params["m"]) == pytest.approx(-4.0, abs=0.5) and best.losses.shape == (300,)


def test_a_run_stops_when_the_loss_has_settled():
    result = make().run(random.key(0), 20_000, Y, progress_bar=False, tol=1e-3, window=200)
    n = len(result.losses)
    assert 400 <= n < 20_000 and n % 200 == 0


def test_running_averages_travel_with_the_state():
    def model():
        cr.sample("k", dist.Bernoulli(0.9))

    def guide():
        cr.sample("k", dist.Bernoulli(logits=cr.param("logit", 0.0)))

    svi = SVI(model, guide, Adam(0.05), TraceGraph_ELBO())
    state = svi.init(random.key(0))
    new, _ = svi.update(state)
    assert float(state.mutable_state["k"].weight) == 0.0 < float(new.mutable_state["k"].weight)
    result = svi.run(random.key(0), 800, progress_bar=False)
    assert float(result.params["logit"]) == pytest.approx(onp.log(9.0), abs=0.7)


def test_a_step_that_is_not_finite_is_left_out():
    def model(scale):
        cr.sample("z", dist.Normal(0.0, 1.0))
        cr.factor("bad", scale)

    def guide(scale):
        cr.sample("z", dist.Normal(cr.param("m", 1.0), 1.0))

    svi = SVI(model, guide, Adam(0.1), Trace_ELBO())
    state = svi.init(random.key(0), 0.0)
    after, loss = svi.stable_update(state, float("nan"))
    assert onp.isnan(float(loss)) and float(svi.get_params(after)["m"]) == 1.0
    assert random.key_data(after.rng_key).tolist() != random.key_data(state.rng_key).tolist()
    after, _ = svi.stable_update(state, 0.0)
    assert float(svi.get_params(after)["m"]) != 1.0


def test_predictive_draws_from_a_fitted_guide(fitted):
    _, result = fitted
    draws = Predictive(model, guide=guide, params=result.params, num_samples=500, return_sites=["mu", "y"])(
        random.key(1), Y)
    mean = onp.asarray(draws["mu"]).mean()
    error = float(result.params["scale"]) / 500 ** 0.5
    assert abs(mean - float(result.params["loc"])) < 4.5 * error


def test_k_hat_tells_a_guide_that_misses_from_one_that_fits(fitted):
    _, result = fitted
    before = stats().compilations
    good = psis_diagnostic(random.key(0), result.params, model, guide, Y)
    narrow = psis_diagnostic(random.key(0), {**result.params, "scale": 0.1 * result.params["scale"]}, model, guide, Y,
                             num_particles=4000)
    assert good < 0.5 and narrow > 0.7 and stats().compilations - before <= 1
    assert psis_diagnostic(random.key(0), result.params, model, guide, Y, num_particles=2000) < 0.5


def test_a_guide_that_reads_the_data_is_fitted_in_parts():
    def model(x):
        with cr.plate("i", len(x), subsample_size=16) as i:
            z = cr.sample("z", dist.Normal(0.0, 1.0))
            cr.sample("x", dist.Normal(z, 1.0), obs=x[i])

    def guide(x):
        net = cr.module("net", nn.Dense(1), (1,))
        with cr.plate("i", len(x), subsample_size=16) as i:
            loc = vmap(net)(x[i][:, None])[:, 0]
            cr.sample("z", dist.Normal(loc, np.exp(cr.param("log_scale", 0.0))))

    x = 1.0 + onp.sqrt(2.0) * onp.random.default_rng(0).normal(size=64)
    result = SVI(model, guide, Adam(0.01)).run(random.key(0), 2500, x, progress_bar=False)
    weight, bias = (float(result.params[f"net/{k}"].item()) for k in ("kernel", "bias"))
    assert (weight, bias) == pytest.approx((0.5, 0.0), abs=0.06)           # the posterior's mean is x / 2
    assert float(np.exp(result.params["log_scale"])) == pytest.approx(0.5 ** 0.5, abs=0.05)


def test_fits_can_be_mapped_over_data():
    svi = make()

    def fit(key, y):
        state = svi.init(key, y)
        for _ in range(2):
            state, loss = svi.update(state, y)
        return loss

    losses = vmap(fit)(random.split(random.key(0), 2), np.stack([Y, Y + 10.0]))
    alone = fit(random.split(random.key(0), 2)[1], Y + 10.0)
    assert float(losses[1]) == pytest.approx(float(alone), rel=1e-9)


def test_the_bar_shows_the_loss(monkeypatch):
    file = io.StringIO()
    monkeypatch.setattr("chainrule.inference.svi.fit.DELAY", -1.0)
    with Bar(True, 10, file) as bar:
        bar.show(5, onp.array([2.0, 3.0]))
    assert "5/10" in file.getvalue() and "loss 2.5" in file.getvalue()


def test_optimisers_of_both_forms_take_the_same_steps():
    states = [SVI(model, guide, optim).run(random.key(0), 5, Y, progress_bar=False) for optim in (Adam(0.1), adam(0.1))]
    a, b = ({k: float(v) for k, v in s.params.items()} for s in states)
    assert a == pytest.approx(b)


def test_an_optimiser_that_asks_for_values_itself_gets_them():
    def model(y):
        mu = cr.sample("mu", dist.Normal(0.0, 1.0))
        with cr.plate("i", 3):
            cr.sample("y", dist.Normal(mu, 1.0), obs=y)

    svi = SVI(model, AutoDelta(model), Minimize())
    state, loss = svi.update(svi.init(random.key(0), Y), Y)
    assert float(svi.get_params(state)["mu_auto_loc"]) == pytest.approx(Y.sum() / 4)
    assert float(loss) == pytest.approx(float(svi.evaluate(state, Y)))


# ---- errors ----

def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match="SVI takes an optimiser"):
        SVI(model, guide, 0.1, Trace_ELBO())
    with pytest.raises(TypeError, match="SVI takes an objective"):
        SVI(model, guide, Adam(0.1), "elbo")
    with pytest.raises(TypeError, match="SVI takes a guide"):
        SVI(model, None, Adam(0.1))
    with pytest.raises(ValueError, match="num_steps"):
        make().run(random.key(0), 0, Y)
    with pytest.raises(SiteError, match="init_params has a value for 'lok'"):
        make().init(random.key(0), Y, init_params={"lok": 1.0})


def test_a_start_without_a_finite_density_is_blamed_on_its_site():
    def model():
        cr.sample("z", dist.Normal(0.0, 1.0))
        cr.factor("nowhere", -np.inf)

    def guide():
        cr.sample("z", dist.Normal(cr.param("m", 0.0), 1.0))

    with pytest.raises(SiteError, match="the log-density of site 'nowhere' was not finite in 100 draws"):
        SVI(model, guide, Adam(0.1)).init(random.key(0))


def test_a_param_of_integers_cannot_be_optimised():
    def guide():
        cr.sample("z", dist.Normal(1.0 * cr.param("m", 1), 1.0))

    with pytest.raises(SiteError, match="param 'm' starts at"):
        SVI(lambda: cr.sample("z", dist.Normal(0.0, 1.0)), guide, Adam(0.1)).init(random.key(0))
