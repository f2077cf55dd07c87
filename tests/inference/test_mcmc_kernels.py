"""The kernels beside NUTS through MCMC and `fit`: posteriors, reproducibility, what comes out, and mistakes."""
import numpy as onp
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import jit, random, stats, vmap
from chainrule.inference import (
    AIES,
    HMC,
    MALA,
    MCLMC,
    MCMC,
    NUTS,
    RWM,
    BarkerMH,
    ChEES,
    EllipticalSlice,
    EnsembleSliceSampler,
    SamplingError,
    Slice,
    diagnostics,
    fit,
    init_to_median,
    init_to_sample,
)
from tests.inference.targets import EFFECTS, EIGHT_SCHOOLS, ERRORS, VARYING_INTERCEPTS, eight_schools, z_score

pytestmark = pytest.mark.slow


def run(kernel, *args, seed=0, warmup=100, draws=50, chains=2, init_params=None, extra_fields=(), **options):
    mcmc = MCMC(kernel, num_warmup=warmup, num_samples=draws, num_chains=chains, progress_bar=False, **options)
    mcmc.run(random.key(seed), *args, init_params=init_params, extra_fields=extra_fields)
    return mcmc


def samples(*args, **options):
    return {k: onp.asarray(v) for k, v in run(*args, **options).get_samples(group_by_chain=True).items()}


def one_site():
    cr.sample("x", dist.Normal(0.0, 1.0))


def two_sites():
    cr.sample("x", dist.Normal(0.0, 1.0))
    cr.sample("y", dist.Gamma(2.0, 1.0))


# name: (kernel, its options, chains, warm-up, draws, bias in posterior standard deviations)
ROWS = {
    "HMC": (HMC, {}, 4, 500, 3000, 0.0),
    "HMC, multinomial": (HMC, dict(multinomial=True), 4, 500, 3000, 0.0),
    "HMC, number of steps": (HMC, dict(num_steps=5), 4, 500, 3000, 0.0),
    "HMC, dense": (HMC, dict(dense_mass=True), 4, 1000, 3000, 0.0),
    "MALA": (MALA, {}, 4, 2000, 20_000, 0.0),
    "BarkerMH": (BarkerMH, {}, 4, 2000, 20_000, 0.0),
    "RWM": (RWM, {}, 4, 4000, 60_000, 0.0),
    "Slice": (Slice, {}, 4, 500, 3000, 0.0),
    "Slice, directions": (Slice, dict(directions=10), 4, 500, 4000, 0.0),
    "EllipticalSlice": (EllipticalSlice, {}, 4, 2000, 20_000, 0.0),
    "MCLMC": (MCLMC, {}, 4, 1000, 6000, 0.06),
    "MCLMC, adjusted": (MCLMC, dict(adjusted=True), 4, 1000, 6000, 0.0),
    "EnsembleSliceSampler": (EnsembleSliceSampler, {}, 24, 500, 5000, 0.0),
    "AIES": (AIES, {}, 24, 4000, 12_000, 0.0),
    "AIES, stretch": (AIES, dict(moves={AIES.StretchMove(): 1.0}), 24, 4000, 16_000, 0.0),
    "ChEES": (ChEES, {}, 16, 500, 800, 0.0),
}


@pytest.mark.parametrize("name", ROWS)
def test_eight_schools(name):
    """Against posteriordb's reference moments. False alarms: 7 · 10⁻⁶ a number (4.5 sd)."""
    kernel, options, chains, warmup, draws, bias = ROWS[name]
    x = samples(kernel(eight_schools, **options), ERRORS, EFFECTS, chains=chains, warmup=warmup, draws=draws)
    for site, (mean, sd, mean_error, sd_error) in EIGHT_SCHOOLS.moments.items():
        assert diagnostics.rhat(x[site]).max() < (1.03 if kernel is AIES else 1.01), site
        assert abs(z_score(x[site], mean, onp.hypot(mean_error, bias * sd))) < 4.5, site
        difference = x[site].std((0, 1)) - sd
        error = onp.sqrt(diagnostics.mcse_sd(x[site]) ** 2 + sd_error ** 2 + (bias * sd) ** 2)
        assert abs(difference) / error < 4.5, site


@pytest.mark.parametrize("kernel, options", [(HMC, {}), (MALA, {}), (EllipticalSlice, {}), (MCLMC, {"adjusted": True})])
def test_chains_side_by_side_have_the_same_posterior(kernel, options):
    """False alarms: 7 · 10⁻⁶ a number (4.5 sd)."""
    target = VARYING_INTERCEPTS
    x = samples(kernel(target.model, **options), *target.args, chains=8, warmup=500, draws=2000,
                chain_method="vectorized")
    for site, (mean, _, _, _) in target.moments.items():
        assert onp.max(abs(z_score(x[site], mean))) < 4.5, site


def test_ellipses_of_the_prior_need_no_warm_up():
    """With the prior's own moments, and a posterior that is normal. False alarms: 7 · 10⁻⁶ a number (4.5 sd)."""
    def model(y):
        with cr.plate("i", 3):
            x = cr.sample("x", dist.Normal(1.0, 2.0))
            cr.sample("y", dist.Normal(x, 1.0), obs=y)

    y = onp.array([0.0, 2.0, 5.0])
    kernel = EllipticalSlice(model, mean=onp.ones(3), covariance=4.0 * onp.eye(3))
    x = samples(kernel, y, chains=4, warmup=50, draws=5000)["x"]
    assert onp.max(abs(z_score(x, 0.2 + 0.8 * y))) < 4.5
    assert onp.max(abs(z_score((x - 0.2 - 0.8 * y) ** 2, 0.8))) < 4.5


@pytest.mark.parametrize("kernel", [HMC, RWM, Slice, MCLMC])
def test_sequential_and_parallel_runs_are_the_same_bit_for_bit_and_chains_are_their_own(kernel):
    a = samples(kernel(eight_schools), ERRORS, EFFECTS, chains=3, chain_method="sequential")
    b = samples(kernel(eight_schools), ERRORS, EFFECTS, chains=3)
    c = samples(kernel(eight_schools), ERRORS, EFFECTS, chains=1)
    for k in a:
        assert onp.array_equal(a[k], b[k]) and onp.array_equal(a[k][:1], c[k])
    assert not onp.any(a["mu"][0] == a["mu"][1])


@pytest.mark.parametrize("kernel, chains", [(HMC, 2), (BarkerMH, 2), (EllipticalSlice, 2), (AIES, 20), (ChEES, 8)])
def test_another_run_on_data_of_the_same_shapes_compiles_nothing(kernel, chains):
    first = samples(kernel(eight_schools), ERRORS, EFFECTS, chains=chains)
    before = stats()
    second = samples(kernel(eight_schools), ERRORS, EFFECTS + 1.0, seed=3, warmup=30, draws=40, chains=chains)
    after = stats()
    assert (after.traces, after.compilations) == (before.traces, before.compilations)
    assert first["z"].shape == (chains, 50, 8) and second["z"].shape == (chains, 40, 8)


def test_facts_of_each_kernel(capsys):
    fields = lambda kernel, chains=2: {k: onp.asarray(v) for k, v in run(
        kernel, chains=chains).get_extra_fields(group_by_chain=True).items()}
    hmc = fields(HMC(two_sites, num_steps=4))
    assert set(hmc) == {"potential_energy", "energy", "accept_prob", "num_steps", "diverging", "step_size",
                        "max_energy_error"}
    assert set(hmc["num_steps"].ravel()) == {4} and hmc["diverging"].dtype == bool
    assert onp.all(hmc["energy"] >= hmc["potential_energy"])
    rwm = fields(RWM(two_sites))
    assert set(rwm) == {"potential_energy", "accept_prob", "accepted", "step_size"} and rwm["accepted"].dtype == bool
    chees = fields(ChEES(two_sites), 4)
    assert "trajectory_length" in chees and chees["num_steps"].shape == (4, 50)
    assert onp.all(chees["num_steps"] == chees["num_steps"][0])
    assert set(fields(AIES(two_sites), 6)) == {"potential_energy", "accept_prob", "accepted"}
    assert "energy_variance" in fields(MCLMC(two_sites))
    with pytest.raises(ValueError, match="no field 'tree_depth'; there are potential_energy, accept_prob"):
        run(RWM(two_sites), extra_fields=("tree_depth",))
    mcmc = run(RWM(two_sites))
    mcmc.print_summary()
    assert "divergences" not in capsys.readouterr().out
    data = mcmc.to_arviz()
    assert {"lp", "acceptance_rate", "step_size"} <= set(data["sample_stats"].data_vars)
    assert "reached_max_treedepth" not in data["sample_stats"]
    assert run(AIES(two_sites), chains=6).to_arviz()["posterior"]["x"].shape == (6, 50)


def test_the_gradients_of_a_run_are_counted():
    mcmc = run(HMC(two_sites, num_steps=7, adapt_step_size=False, step_size=0.1), warmup=10, draws=20, chains=3)
    assert mcmc.gradients == 3 * (30 * 7 + 1)
    assert run(AIES(two_sites), warmup=10, draws=20, chains=6).gradients == 6 * 31


@pytest.mark.parametrize("kernel, chains", [(HMC, 2), (RWM, 2), (AIES, 4), (ChEES, 2)])
def test_where_chains_start(kernel, chains):
    still = dict(warmup=0, draws=1, chains=chains)
    quiet = {HMC: dict(num_steps=1, step_size=1e-9), RWM: dict(step_size=1e-9), ChEES: dict(step_size=1e-9),
             AIES: dict(moves={AIES.DEMove(0.0, 0.0): 1.0})}[kernel]
    at = onp.arange(chains) / 10.0
    given = samples(kernel(two_sites, **quiet), init_params={"x": at, "y": at + 1.0}, **still)
    onp.testing.assert_allclose(given["x"][:, 0], at, atol=1e-6)
    onp.testing.assert_allclose(given["y"][:, 0], onp.exp(at + 1.0), atol=1e-6)
    median = samples(kernel(two_sites, init_strategy=init_to_median, **quiet), **still)
    assert onp.all(abs(median["x"]) < 1.5) and onp.all(abs(median["y"] - 1.68) < 1.5)


@pytest.mark.parametrize("method", ["parallel", "vectorized"])
@pytest.mark.parametrize("kernel, chains", [(HMC, 4), (AIES, 4)])
def test_a_start_of_a_strategy_that_will_not_do_is_replaced(kernel, chains, method):
    """By the strategy's next, for that chain alone: two of three draws of the prior will not do."""
    def model():
        x = cr.sample("x", dist.Uniform(0.0, 3.0))
        cr.factor("upper third", np.log(x - 2.0))

    quiet = dict(num_steps=1, step_size=1e-9) if kernel is HMC else dict(moves={AIES.DEMove(0.0, 0.0): 1.0})
    x = samples(kernel(model, init_strategy=init_to_sample, **quiet), warmup=0, draws=1, chains=chains, seed=1,
                chain_method=method)["x"][:, 0]
    assert onp.all(x > 2.0) and len(set(x.tolist())) == chains


@pytest.mark.parametrize("kernel, chains", [(HMC, 2), (Slice, 2), (AIES, 4), (EnsembleSliceSampler, 4),
                                             (ChEES, 4)])
def test_no_finite_start_names_the_site(kernel, chains):
    def model(scale):
        cr.sample("fine", dist.Normal(0.0, 1.0))
        cr.sample("broken", dist.Normal(0.0, scale))

    with pytest.raises(SamplingError, match=r"chain 0(.|\n)*not finite(.|\n)*'broken'"):
        run(kernel(model), onp.nan, chains=chains)


def test_fit_takes_other_kernels():
    """Its draws are MCMC's, up to rounding."""
    result = fit(HMC(two_sites, num_steps=3), random.key(0), num_warmup=20, num_samples=5, num_chains=2)
    x = samples(HMC(two_sites, num_steps=3), warmup=20, draws=5)
    onp.testing.assert_allclose(onp.asarray(result.samples["x"]), x["x"], rtol=1e-6)
    assert set(result.stats) == {"potential_energy", "energy", "accept_prob", "num_steps", "diverging"}


@pytest.mark.parametrize("kernel", [AIES, ChEES])
def test_fit_takes_chains_that_move_together(kernel):
    """As one ensemble, whose draws are MCMC's up to rounding; and mapped over keys, an ensemble each."""
    options = dict(num_warmup=20, num_samples=5, num_chains=6)
    many = jit(vmap(lambda seed: fit(kernel(two_sites), random.key(seed), **options)))(onp.arange(2))
    assert many.samples["x"].shape == (2, 6, 5) and many.gradients.shape == (2, 6) and not onp.any(many.failed)
    for seed in range(2):
        mcmc = MCMC(kernel(two_sites), **options, progress_bar=False, warn=False)
        mcmc.run(random.key(seed))
        onp.testing.assert_allclose(many.samples["x"][seed], mcmc.get_samples(True)["x"], rtol=1e-5)
    with pytest.raises(SamplingError, match="num_chains must be"):
        fit(kernel(two_sites), random.key(0), num_chains=1)


@pytest.mark.parametrize("make, error, text", [
    (lambda: HMC(3), TypeError, "HMC takes a model"),
    (lambda: HMC(one_site, trajectory_length=0.0), ValueError, "trajectory_length must be positive"),
    (lambda: HMC(one_site, num_steps=2.5), ValueError, "num_steps must be an integer of at least 1; got 2.5"),
    (lambda: HMC(one_site, jitter=1.5), ValueError, r"jitter must lie in \[0, 1\]"),
    (lambda: HMC(one_site, max_tree_depth=3), TypeError, "HMC has no option 'max_tree_depth'"),
    (lambda: HMC(one_site, find_heuristic_step_size=True), NotImplementedError, "find_heuristic_step_size"),
    (lambda: HMC(one_site, target_accept_prob=0.0), ValueError, "target_accept_prob must lie between 0 and 1"),
    (lambda: RWM(one_site, adaptation="fisher"), ValueError, "choose one of 'stan'"),
    (lambda: BarkerMH(one_site, dense_mass=True, adaptation="fisher"), ValueError, "for diagonal metrics"),
    (lambda: Slice(one_site, width=-1.0), ValueError, "width must be positive"),
    (lambda: Slice(one_site, max_steps=0), ValueError, "max_steps must be an integer"),
    (lambda: EllipticalSlice(one_site, mean=[0.0]), ValueError, "both mean and covariance"),
    (lambda: MCLMC(one_site, energy_variance=0.0), ValueError, "energy_variance must be positive"),
    (lambda: AIES(one_site, moves={"stretch": 1.0}), ValueError, "moves is a dict"),
    (lambda: AIES(one_site, moves={AIES.StretchMove(1.0): 1.0}), ValueError, "a > 1"),
    (lambda: EnsembleSliceSampler(one_site, moves={"kde": 1.0}), ValueError, "moves is a dict"),
    (lambda: run(EnsembleSliceSampler(two_sites), chains=5), SamplingError, "even and at least 4, .*got 5"),
    (lambda: ChEES(one_site, max_num_steps=0), ValueError, "max_num_steps"),
    (lambda: MCMC(HMC, num_warmup=1, num_samples=1), TypeError, r"such as NUTS\(model\)"),
    (lambda: run(MCLMC(one_site)), SamplingError, "two unconstrained parameters or more"),
    (lambda: run(ChEES(one_site), chains=1), SamplingError, "num_chains must be at least 2; got 1"),
    (lambda: run(AIES(two_sites), chains=5), SamplingError, "even and at least 4, .* 2 unconstrained .*got 5"),
    (lambda: run(AIES(eight_schools), ERRORS, EFFECTS, chains=18), SamplingError, "at least 20"),
    (lambda: run(EllipticalSlice(two_sites, mean=[0.0], covariance=[1.0])), SamplingError, r"shapes \(1,\) and \(1,\)"),
])
def test_mistakes(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_chains_in_vectorised_groups(monkeypatch):
    """Four chains on two cores, two in a program: the first draws are those of each chain alone, up to rounding."""
    monkeypatch.setattr("chainrule.inference.job.cores", lambda: 2)
    options = dict(warmup=5, draws=10, chains=4)
    x = samples(NUTS(one_site), **options, chain_method="mixed")["x"]
    onp.testing.assert_allclose(x, samples(NUTS(one_site), **options, chain_method="sequential")["x"], rtol=1e-6)
    assert len(set(x[:, -1].tolist())) == 4 and onp.all(onp.ptp(x, axis=1) > 0)


def test_a_model_of_one_site_needs_four_walkers():
    assert samples(AIES(one_site), chains=4)["x"].shape == (4, 50)


def test_nuts_is_a_kernel_among_them():
    assert NUTS(one_site).method.fields.index("tree_depth") > 0 and not NUTS(one_site).method.ensemble
