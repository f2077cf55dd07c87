"""MCMC end to end: posteriors, reproducibility, refits, what comes out, and what bad input is told."""
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import time

import numpy as onp
import pandas as pd
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import cond, config, grad, random, scan, stats, tree, vmap
from chainrule.inference import MCMC, NUTS, SamplingError, diagnostics, potential_energy
from tests.inference.targets import COUNTY, EFFECTS, ERRORS, FLOOR, MODELS, RADON, eight_schools, radon, z_score

ROOT = pathlib.Path(__file__).resolve().parents[2]


def fit(model, *args, seed=0, warmup=200, draws=100, chains=2, kernel=None, run=None, **options):
    mcmc = MCMC(NUTS(model, **(kernel or {})), num_warmup=warmup, num_samples=draws, num_chains=chains,
                progress_bar=False, **options)
    mcmc.run(random.key(seed), *args, **(run or {}))
    return mcmc


def samples(*args, **kwargs):
    return {k: onp.asarray(v) for k, v in fit(*args, **kwargs).get_samples(group_by_chain=True).items()}


def assert_same(a, b):
    assert a.keys() == b.keys() and all(onp.array_equal(a[k], b[k]) for k in a)


# ---- posteriors ----

@pytest.mark.parametrize("name", MODELS)
def test_posterior(name):
    """Four chains of 2,000 draws against exact or reference moments. False alarms: 7 · 10⁻⁶ a number (4.5 sd)."""
    target = MODELS[name]
    x = samples(target.model, *target.args, chains=4, warmup=1000, draws=2000)
    for site, (mean, sd, mean_error, sd_error) in target.moments.items():
        assert diagnostics.rhat(x[site]).max() < 1.01
        assert onp.max(abs(z_score(x[site], mean, mean_error))) < 4.5, site
        difference = x[site].std((0, 1)) - sd
        assert onp.max(abs(difference) / onp.hypot(diagnostics.mcse_sd(x[site]), sd_error)) < 4.5, site
    for site, (function, expectation) in target.functions.items():
        assert onp.max(abs(z_score(function(x[site]), expectation))) < 4.5, site


def test_chains_side_by_side_have_the_same_posterior():
    target = MODELS["varying intercepts"]
    x = samples(target.model, *target.args, chains=8, warmup=300, draws=400, chain_method="vectorized")
    for site, (mean, _, _, _) in target.moments.items():
        assert diagnostics.rhat(x[site]).max() < 1.02
        assert onp.max(abs(z_score(x[site], mean))) < 4.5, site


# ---- the same draws ----

def test_sequential_and_parallel_runs_are_the_same_bit_for_bit():
    a = samples(eight_schools, ERRORS, EFFECTS, chains=3, chain_method="sequential")
    assert_same(a, samples(eight_schools, ERRORS, EFFECTS, chains=3, chain_method="parallel"))


def test_the_key_and_the_number_of_a_chain_make_its_draws():
    a = samples(eight_schools, ERRORS, EFFECTS, chains=3)
    assert_same({k: v[:1] for k, v in a.items()}, samples(eight_schools, ERRORS, EFFECTS, chains=1))
    assert_same({k: v[:, :40] for k, v in a.items()}, samples(eight_schools, ERRORS, EFFECTS, chains=3, draws=40))
    b = samples(eight_schools, ERRORS, EFFECTS, chains=3, seed=1)
    assert not any(onp.any(a["mu"][i] == b["mu"][j]) for i in range(3) for j in range(3))
    assert not onp.any(a["mu"][0] == a["mu"][1])


def test_side_by_side_the_first_transitions_are_the_same_up_to_rounding():
    options = dict(warmup=0, draws=5, chains=3, kernel={"step_size": 0.1})
    a = samples(eight_schools, ERRORS, EFFECTS, **options)
    b = samples(eight_schools, ERRORS, EFFECTS, **options, chain_method="vectorized")
    for k in a:
        onp.testing.assert_allclose(a[k], b[k], rtol=1e-8, atol=1e-9)


# ---- staged once, compiled once ----

def test_another_run_on_data_of_the_same_shapes_compiles_nothing():
    calls = []

    def model(x, y=None):
        calls.append(1)
        b = cr.sample("b", dist.Normal(0.0, 1.0))
        cr.sample("y", dist.Normal(b * x, 1.0), obs=y)

    x, y = onp.arange(5.0), onp.arange(5.0)
    first = fit(model, x, run={"y": y})
    before = stats()
    second = fit(model, x + 1.0, run={"y": -y}, warmup=50, seed=3, chains=4)
    after = stats()
    assert (after.traces, after.compilations) == (before.traces, before.compilations)
    assert len(calls) == 1
    first.get_samples(), second.get_samples()
    first.to_arviz()
    assert len(calls) == 1
    assert float(first.get_samples()["b"].mean()) > 0.5 > -0.5 > float(second.get_samples()["b"].mean())


def test_a_setting_of_one_block_holds_in_all_threads():
    def model():
        cr.sample("x", dist.Normal(0.0, 1.0))

    with config(default_float="float32"):
        before = stats()
        mcmc = fit(model, chains=4)
        after = stats()
        assert mcmc.get_samples()["x"].dtype == onp.float32
    assert after.compilations + after.disk_cache_hits - before.compilations - before.disk_cache_hits <= 1


# ---- what comes out ----

def test_shapes_and_grouping():
    mcmc = fit(eight_schools, ERRORS, EFFECTS, chains=3, draws=20)
    grouped, flat = mcmc.get_samples(group_by_chain=True), mcmc.get_samples()
    assert {k: v.shape for k, v in grouped.items()} == {"mu": (3, 20), "tau": (3, 20), "z": (3, 20, 8),
                                                        "theta": (3, 20, 8)}
    for k in flat:
        assert onp.array_equal(onp.asarray(flat[k]), onp.asarray(grouped[k]).reshape(60, *grouped[k].shape[2:]))
    x = {k: onp.asarray(v) for k, v in grouped.items()}
    onp.testing.assert_allclose(x["theta"], x["mu"][..., None] + x["tau"][..., None] * x["z"], rtol=1e-12)
    assert x["tau"].min() > 0


def test_one_chain():
    mcmc = fit(eight_schools, ERRORS, EFFECTS, chains=1, draws=20)
    assert mcmc.get_samples(group_by_chain=True)["z"].shape == (1, 20, 8)
    assert mcmc.get_samples()["z"].shape == (20, 8)


def test_thinning_keeps_every_nth_draw():
    all_draws = samples(eight_schools, ERRORS, EFFECTS, draws=50)
    thinned = samples(eight_schools, ERRORS, EFFECTS, draws=50, thinning=3)
    assert_same({k: v[:, 2::3] for k, v in all_draws.items()}, thinned)


def test_extra_fields():
    mcmc = fit(eight_schools, ERRORS, EFFECTS, draws=30, run={"extra_fields": ("num_steps", "adapt_state.step_size")})
    grouped, flat = mcmc.get_extra_fields(group_by_chain=True), mcmc.get_extra_fields()
    assert set(grouped) == {"potential_energy", "energy", "accept_prob", "num_steps", "tree_depth", "diverging",
                            "step_size", "max_energy_error", "adapt_state.step_size"}
    assert all(v.shape == (2, 30) and flat[k].shape == (60,) for k, v in grouped.items())
    x = {k: onp.asarray(v) for k, v in grouped.items()}
    assert x["diverging"].dtype == bool and x["num_steps"].dtype.kind == x["tree_depth"].dtype.kind == "i"
    assert onp.all(x["num_steps"] < 2 ** x["tree_depth"]) and onp.all(x["num_steps"] >= 2 ** (x["tree_depth"] - 1))
    assert onp.all(x["energy"] > x["potential_energy"]) and onp.all((x["accept_prob"] > 0) & (x["accept_prob"] <= 1))
    assert onp.array_equal(x["adapt_state.step_size"], x["step_size"])


def test_fields_that_follow_from_others():
    asked = ("i", "z", "z.tau", "z_grad", "mean_accept_prob", "trajectory_length", "adapt_state.inverse_mass_matrix",
             "~z.theta", "~z.mu")
    mcmc = fit(eight_schools, ERRORS, EFFECTS, draws=30, thinning=3, run={"extra_fields": asked})
    x = tree.map(onp.asarray, mcmc.get_extra_fields(group_by_chain=True))
    assert set(mcmc.get_samples()) == {"tau", "z"}
    tau = onp.asarray(mcmc.get_samples(group_by_chain=True)["tau"])
    onp.testing.assert_allclose(onp.exp(x["z.tau"]), tau, rtol=1e-12)
    assert onp.array_equal(x["z"]["tau"], x["z.tau"]) and {k: v.shape for k, v in x["z"].items()} == {
        "mu": (2, 10), "tau": (2, 10), "z": (2, 10, 8)}
    potential = lambda z: potential_energy(eight_schools, (ERRORS, EFFECTS), {}, z)
    want = grad(potential)({k: np.asarray(v[1, 4]) for k, v in x["z"].items()})
    for k in want:
        onp.testing.assert_allclose(x["z_grad"][k][1, 4], onp.asarray(want[k]), rtol=1e-8, atol=1e-12)
    assert x["i"][0].tolist() == list(range(203, 233, 3))
    onp.testing.assert_allclose(x["mean_accept_prob"][:, -1], x["accept_prob"].mean(1))
    onp.testing.assert_allclose(x["trajectory_length"], x["num_steps"] * x["step_size"])
    metric = x["adapt_state.inverse_mass_matrix"]
    assert metric.shape == (2, 10, 10)
    onp.testing.assert_array_equal(metric[1, 3], onp.asarray(mcmc.last_state[1].adaptation.params.metric.variance))
    flat = mcmc.get_extra_fields()
    assert flat["z"]["z"].shape == (20, 8) and flat["adapt_state.inverse_mass_matrix"].shape == (20, 10)


def test_the_potential_energy_is_the_models():
    mcmc = fit(eight_schools, ERRORS, EFFECTS, draws=10, chains=1)
    x = {k: onp.asarray(v) for k, v in mcmc.get_samples().items()}
    potential = onp.asarray(mcmc.get_extra_fields()["potential_energy"])
    for i in range(10):
        values = {k: x[k][i] for k in ("mu", "tau", "z")}
        joint, _ = cr.log_density(eight_schools, (ERRORS, EFFECTS), {}, values)
        onp.testing.assert_allclose(-potential[i], float(joint) + onp.log(x["tau"][i]), rtol=1e-10)


def test_print_summary(capsys):
    mcmc = fit(eight_schools, ERRORS, EFFECTS, draws=50)
    mcmc.print_summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["mean", "std", "median", "5.0%", "95.0%", "ess_bulk", "ess_tail", "r_hat"]
    assert [line.split()[0] for line in lines[1:-1]] == ["mu", "tau", *[f"z[{i}]" for i in range(8)]]
    assert lines[-1].startswith("Number of divergences: ")
    mcmc.print_summary(prob=0.5, exclude_deterministic=False)
    text = capsys.readouterr().out
    assert "theta[7]" in text and "25.0%" in text


def test_arviz_has_the_names_of_the_plates():
    data = fit(eight_schools, ERRORS, EFFECTS, draws=20).to_arviz(coords={"school": list("ABCDEFGH")})
    assert data["posterior"]["theta"].dims == ("chain", "draw", "school")
    assert data["posterior"]["mu"].dims == ("chain", "draw")
    assert data["posterior"]["theta"].sel(school="C").shape == (2, 20)
    assert data["observed_data"]["y"].dims == ("school",)
    onp.testing.assert_array_equal(data["observed_data"]["y"].values, EFFECTS)
    s = data["sample_stats"]
    assert {"lp", "energy", "acceptance_rate", "n_steps", "tree_depth", "diverging", "step_size", "max_energy_error",
            "reached_max_treedepth"} <= set(s.data_vars)
    assert s["diverging"].dtype == bool and not s["reached_max_treedepth"].any()


def test_the_counts_of_a_run():
    mcmc = fit(eight_schools, ERRORS, EFFECTS, chains=2, warmup=0, draws=20, kernel={"step_size": 0.2})
    steps = int(onp.asarray(mcmc.get_extra_fields()["num_steps"]).sum())
    assert steps < mcmc.gradients <= steps + 20 and mcmc.seconds > 0 and not mcmc.interrupted
    assert len(mcmc.last_state) == 2 and int(mcmc.last_state[0].machine.transition) == 20


# ---- kinds of models and of data ----

def test_sites_in_scan_cond_and_vmap():
    """A random walk whose steps are sites of a scan, a branch on data, independent sites by vmap."""
    def model(big, y):
        def step(x, t):
            x = cr.sample("x", dist.Normal(x, 0.5))
            return x, x

        _, xs = scan(step, 0.0, np.arange(4.0))
        shift = cond(big > 0, lambda: cr.sample("shift", dist.Normal(5.0, 0.1)),
                     lambda: cr.sample("shift", dist.Normal(-5.0, 0.1)))
        w = vmap(lambda scale: cr.sample("w", dist.Normal(0.0, scale)))(np.asarray([1.0, 2.0, 3.0]))
        cr.deterministic("total", np.sum(w))
        cr.sample("y", dist.Normal(xs + shift, 0.1), obs=y)

    x = samples(model, 1.0, onp.array([5.0, 5.5, 6.0, 6.5]), warmup=500, draws=500)
    assert x["x"].shape == (2, 500, 4) and x["w"].shape == (2, 500, 3)
    assert abs(x["shift"].mean() - 5.0) < 0.1 and abs(x["x"][..., 3].mean() - 1.5) < 0.2
    onp.testing.assert_allclose(x["w"].std((0, 1)), [1, 2, 3], rtol=0.2)
    low = samples(model, -1.0, onp.array([-5.0, -4.5, -4.0, -3.5]), warmup=500, draws=500)
    assert abs(low["shift"].mean() + 5.0) < 0.1


@pytest.mark.parametrize("convert", [onp.asarray, np.asarray, pd.Series, lambda x: x.tolist()],
                         ids=["numpy", "array", "pandas", "list"])
def test_data_come_as_arrays_series_or_lists(convert):
    expected = samples(eight_schools, ERRORS, EFFECTS, draws=20)
    assert_same(expected, samples(eight_schools, convert(ERRORS), convert(EFFECTS), draws=20))


@pytest.mark.parametrize("convert", [onp.asarray, pd.Series], ids=["numpy", "pandas"])
def test_integer_covariates_are_data(convert):
    expected = samples(radon, COUNTY, FLOOR, RADON, draws=20)
    before = stats().compilations
    assert_same(expected, samples(radon, convert(COUNTY), convert(FLOOR), convert(RADON), draws=20))
    assert stats().compilations == before
    assert not onp.array_equal(expected["mu"], samples(radon, COUNTY[::-1].copy(), FLOOR, RADON, draws=20)["mu"])


def test_a_number_is_data_and_a_count_is_fixed():
    def model(n, scale, y):
        with cr.plate("i", n):
            x = cr.sample("x", dist.Normal(0.0, scale))
        cr.sample("y", dist.Normal(np.sum(x), 1.0), obs=y)

    assert samples(model, 3, 2.0, onp.asarray(1.5))["x"].shape[2:] == (3,)
    before = stats().compilations
    samples(model, 3, 0.5, onp.asarray(-1.5))
    assert stats().compilations == before


# ---- options and bad input ----

def one_site():
    cr.sample("x", dist.Normal(0.0, 1.0))


def test_options_of_the_kernel():
    mcmc = fit(one_site, kernel=dict(adapt_step_size=False, step_size=0.7))
    assert set(onp.asarray(mcmc.get_extra_fields()["step_size"])) == {0.7}
    mcmc = fit(one_site, kernel=dict(adapt_mass_matrix=False, inverse_mass_matrix=onp.array([4.0])))
    assert float(mcmc.last_state[0].adaptation.params.metric.variance[0]) == 4.0
    mcmc = fit(one_site, kernel=dict(max_tree_depth=1))
    assert set(onp.asarray(mcmc.get_extra_fields()["num_steps"])) == {1}
    NUTS(one_site, dense_mass=False, init_strategy=None, find_heuristic_step_size=False, regularize_mass_matrix=True)
    MCMC(NUTS(one_site), num_warmup=1, num_samples=1, jit_model_args=True, postprocess_fn=None, progress_rate=None)


@pytest.mark.parametrize("options, error, text", [
    (dict(init_strategy="median"), TypeError, "init_strategy is a function"),
    (dict(potential_fn=print), NotImplementedError, "potential_fn"),
    (dict(trajectory_length=6.0), NotImplementedError, "max_tree_depth"),
    (dict(find_heuristic_step_size=True), NotImplementedError, "find_heuristic_step_size"),
    (dict(target_acceptance=0.9), TypeError, "no option 'target_acceptance'"),
    (dict(target_accept_prob=1.0), ValueError, "target_accept_prob"),
    (dict(step_size=0.0), ValueError, "step_size"),
    (dict(step_size=float("nan")), ValueError, "step_size"),
    (dict(max_tree_depth=0), ValueError, "max_tree_depth"),
    (dict(max_tree_depth=2.5), ValueError, "max_tree_depth"),
    (dict(init_radius=-1.0), ValueError, "init_radius"),
])
def test_bad_options_of_the_kernel(options, error, text):
    with pytest.raises(error, match=text):
        NUTS(one_site, **options)


@pytest.mark.parametrize("options, error, text", [
    (dict(num_samples=0), ValueError, "num_samples"), (dict(num_warmup=-1), ValueError, "num_warmup"),
    (dict(num_chains=1.5), ValueError, "num_chains"), (dict(num_samples="10"), ValueError, "num_samples"),
    (dict(thinning=0), ValueError, "thinning"), (dict(thinning=11), ValueError, "keeps none"),
    (dict(chain_method="serial"), ValueError, "'vectorized'"),
    (dict(postprocess_fn=print), NotImplementedError, "postprocess_fn"),
    (dict(draws=10), TypeError, "no option 'draws'"),
])
def test_bad_options_of_the_run(options, error, text):
    with pytest.raises(error, match=text):
        MCMC(NUTS(one_site), **{"num_warmup": 10, "num_samples": 10, **options})


def test_what_is_not_a_model_or_a_kernel():
    with pytest.raises(TypeError, match="takes a model"):
        NUTS(3)
    with pytest.raises(TypeError, match=r"such as NUTS\(model\)"):
        MCMC(one_site, num_warmup=1, num_samples=1)


@pytest.mark.parametrize("key", [None, 1.5, "0", onp.arange(3.0), True, random.split(random.key(0))],
                         ids=["None", "float", "str", "array", "bool", "keys"])
def test_what_is_not_a_key(key):
    with pytest.raises(TypeError, match=r"run takes a key first, random.key\(0\)"):
        MCMC(NUTS(one_site), num_warmup=1, num_samples=1).run(key)


def test_keys_may_be_seeds_or_words():
    def draws(key):
        mcmc = MCMC(NUTS(one_site), num_warmup=10, num_samples=10, progress_bar=False)
        mcmc.run(key)
        return onp.asarray(mcmc.get_samples()["x"])

    expected = draws(random.key(7))
    for key in (7, onp.int64(7), onp.array([0, 7], onp.uint32)):
        assert onp.array_equal(draws(key), expected)


def test_results_before_a_run():
    mcmc = MCMC(NUTS(one_site), num_warmup=1, num_samples=1)
    for ask in (mcmc.get_samples, mcmc.get_extra_fields, mcmc.print_summary, mcmc.to_arviz, lambda: mcmc.last_state):
        with pytest.raises(RuntimeError, match="call run first"):
            ask()


def test_a_run_that_fails_leaves_no_draws_of_the_one_before():
    def model(x):
        cr.sample("x", dist.Normal(x, 1.0))

    mcmc = fit(model, 1.0)
    with pytest.raises(SamplingError):
        mcmc.run(random.key(0), onp.nan)
    with pytest.raises(RuntimeError, match="call run first"):
        mcmc.get_samples()


def test_a_model_without_latent_sites():
    with pytest.raises(SamplingError, match="nothing_open has no latent sites"):
        def nothing_open():
            cr.sample("y", dist.Normal(0.0, 1.0), obs=1.0)
        fit(nothing_open)


def test_a_discrete_latent_site():
    def model():
        cr.sample("count", dist.Poisson(3.0))

    with pytest.raises(SamplingError, match=r"'count' is discrete(.|\n)*test_mcmc.py:\d+, in model"):
        fit(model)


@pytest.mark.parametrize("method", ["parallel", "vectorized"])
def test_no_finite_start_names_the_site_and_its_line(method):
    def model(scale):
        cr.sample("fine", dist.Normal(0.0, 1.0))
        cr.sample("broken", dist.Normal(0.0, scale))

    text = r"chain 0(.|\n)*not finite(.|\n)*'broken'(.|\n)*test_mcmc.py:\d+, in model"
    with pytest.raises(SamplingError, match=text) as e:
        fit(model, onp.nan, chain_method=method)
    assert "'fine'" not in str(e.value)


@pytest.mark.parametrize("given, text", [
    ({"mu": 0.0}, "no value for site 'tau'"), ({"mu": 0.0, "tau": 0.0, "z": onp.zeros(7)}, r"'z'.*\(7,\).*\(8,\)"),
    ({"mu": 0.0, "tau": 0.0, "z": onp.zeros((3, 8))}, r"\(3, 8\).*\(2, 8\)"),
    ({"mu": 0.0, "tau": 0.0, "z": onp.zeros(8), "nu": 1.0}, "'nu'.*no latent site"),
])
def test_bad_init_params(given, text):
    with pytest.raises(SamplingError, match=text):
        fit(eight_schools, ERRORS, EFFECTS, run={"init_params": given})


def test_init_params():
    given = {"mu": onp.array([3.0, -3.0]), "tau": onp.array([0.1, 0.2]), "z": onp.zeros((2, 8))}
    options = dict(warmup=0, draws=1, kernel=dict(step_size=1e-9, max_tree_depth=1))
    x = samples(eight_schools, ERRORS, EFFECTS, run={"init_params": given}, **options)
    onp.testing.assert_allclose(x["mu"][:, 0], [3, -3], atol=1e-6)
    onp.testing.assert_allclose(x["tau"][:, 0], onp.exp([0.1, 0.2]), atol=1e-6)
    given = {"mu": 1.0, "tau": 0.0, "z": onp.zeros(8)}
    x = samples(eight_schools, ERRORS, EFFECTS, run={"init_params": given}, **options)
    onp.testing.assert_allclose(x["mu"][:, 0], [1, 1], atol=1e-6)


@pytest.mark.parametrize("m, text", [(onp.ones(3), r"shape \(3,\).* 10 positive"), (onp.eye(10), "diagonal"),
                                     (-onp.ones(10), "not positive")])
def test_a_bad_inverse_mass_matrix(m, text):
    with pytest.raises(SamplingError, match=text):
        fit(eight_schools, ERRORS, EFFECTS, kernel={"inverse_mass_matrix": m})


@pytest.mark.parametrize("name, text", [
    ("momentum", "no field 'momentum'; there are potential_energy"), ("z.y", "'z.y' names no latent site; they are"),
    ("~z.y", "'~z.y' names no latent site"), ("r", "'r' is not kept. The momentum"), ("rng_key", "not kept"),
])
def test_an_unknown_extra_field(name, text):
    with pytest.raises(ValueError, match=text):
        fit(one_site, run={"extra_fields": (name,)})


# ---- interrupts ----

SLOW = """
    import sys, threading, time, numpy as onp
    import chainrule as cr, chainrule.distributions as dist, chainrule.engine.numpy as np
    from chainrule.engine import random
    from chainrule.inference import MCMC, NUTS

    def model(A, y):
        x = cr.sample("x", dist.Normal(np.zeros(300), 1.0))
        cr.sample("y", dist.Normal(A @ x, 100.0), obs=y)

    mcmc = MCMC(NUTS(model), num_warmup={warmup}, num_samples=1_000_000, num_chains={chains}, progress_bar={bar})

    def say():                                           # when enough chains have come far enough
        while mcmc._job is None or sorted(mcmc._job.tape.done)[-min(2, {chains})] < {far}:
            time.sleep(0.05)
        print("ready", flush=True)
    threading.Thread(target=say, daemon=True).start()
    try:
        mcmc.run(random.key(0), onp.random.default_rng(0).normal(size=(300, 300)), onp.zeros(300))
    except KeyboardInterrupt as e:
        print("raised", e)
        try:
            mcmc.get_samples()
        except RuntimeError as e:
            print(e)
    else:
        print(mcmc.interrupted, mcmc.get_samples(group_by_chain=True)["x"].shape, bool(onp.all(
            onp.isfinite(onp.asarray(mcmc.get_samples()["x"])))))
        mcmc.to_arviz()
"""


def interrupted(tmp_path, far, warmup=20, chains=3, bar=False):
    script = tmp_path / "slow.py"
    script.write_text(textwrap.dedent(SLOW).format(warmup=warmup, chains=chains, bar=bar, far=far))
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen([sys.executable, str(script)], env=env, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    assert process.stdout.readline() == "ready\n"
    time.sleep(1.0)                                      # the bar is drawn after half a second
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=60)
    finally:
        process.kill()


@pytest.mark.slow
def test_an_interrupt_keeps_the_draws_and_says_how_many(tmp_path):
    out, err = interrupted(tmp_path, 30, bar=True)
    held, shape = out.split(" ", 1)
    assert held == "True" and out.rstrip().endswith("True"), err
    chains, draws, size = [int(n) for n in shape[shape.index("(") + 1:shape.index(")")].split(",")]
    assert chains in (2, 3) and draws > 0 and size == 300
    assert f"interrupted: {draws} of 1000000 draws are kept of each of {chains} chains (of 3)." in err
    assert "chain 0" in err and "sampling" in err


@pytest.mark.slow
def test_an_interrupt_in_warm_up_is_raised(tmp_path):
    out, _ = interrupted(tmp_path, 3, warmup=1_000_000, chains=1)
    assert "raised interrupted in warm-up" in out and "call run first" in out
