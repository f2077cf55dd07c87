"""Diagnostics against ArviZ, against closed forms, and on chains whose effective sample size is known."""
import numpy as np
import pytest

from chainrule.inference import diagnostics
from chainrule.inference.arviz import _arviz
from chainrule.inference.diagnostics import sites

az = _arviz()


def autoregressive(rho, shape, seed):
    """Stationary chains xₜ = ρ xₜ₋₁ + noise of variance 1: autocorrelation ρᵏ, so τ = (1 + ρ) / (1 - ρ)."""
    x = np.random.default_rng(seed).normal(size=shape)
    x[:, 0] /= np.sqrt(1 - rho**2)
    for t in range(1, shape[1]):
        x[:, t] += rho * x[:, t - 1]
    return x


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


DRAWS = {
    "independent": normal(4, 500, 3),
    "correlated": autoregressive(0.9, (4, 400, 2, 2), seed=1),
    "very correlated": autoregressive(0.995, (3, 301), seed=2),
    "antithetic": autoregressive(-0.7, (4, 400, 3), seed=3),
    "very antithetic": autoregressive(-0.98, (2, 200, 3), seed=4),
    "apart": normal(4, 250, 2, seed=5) + np.arange(4.).reshape(4, 1, 1),
    "of different scales": normal(4, 250, 2, seed=6) * np.arange(1., 5.).reshape(4, 1, 1),
    "drifting": np.cumsum(normal(4, 250, seed=7), axis=1),
    "heavy tails": np.random.default_rng(8).standard_cauchy(size=(4, 300, 3)),
    "one chain": autoregressive(0.5, (1, 500, 3), seed=9),
    "odd number of draws": autoregressive(0.5, (3, 333, 2), seed=10),
    "four draws": normal(4, 4, 5, seed=11),
    "five draws": normal(3, 5, 5, seed=12),
    "seven draws": normal(3, 7, 5, seed=13),
    "twelve draws": autoregressive(0.5, (2, 12, 5), seed=14),
    "too few draws": normal(4, 3, 5, seed=15),
    "many chains": normal(50, 20, 2, seed=16),
    "far from zero": 1e6 + normal(4, 200, 2, seed=17),
    "small": 1e-6 * normal(4, 200, 2, seed=18),
    "ties": np.random.default_rng(19).poisson(3, size=(4, 250, 3)).astype(float),
    "coins": np.random.default_rng(20).integers(2, size=(4, 250, 3)).astype(float),
    "balanced coins": np.random.default_rng(22).permuted(np.tile([0., 1.], (4, 100)), axis=1),     # |x - median| = 1/2
    "rare": (np.random.default_rng(21).random((4, 250, 3)) < 0.02).astype(float),
}
PAIRS = {
    "rhat": (diagnostics.rhat, lambda x: az.rhat(x, method="rank")),
    "split_rhat": (diagnostics.split_rhat, lambda x: az.rhat(x, method="split")),
    "gelman_rubin": (diagnostics.gelman_rubin, lambda x: az.rhat(x, method="identity")),
    "ess_bulk": (diagnostics.ess_bulk, lambda x: az.ess(x, method="bulk")),
    "ess_tail": (diagnostics.ess_tail, lambda x: az.ess(x, method="tail", prob=(0.05, 0.95))),
    "ess_mean": (diagnostics.ess_mean, lambda x: az.ess(x, method="mean")),
    "ess_sd": (diagnostics.ess_sd, lambda x: az.ess(x, method="sd")),
    "ess_quantile": (lambda x: diagnostics.ess_quantile(x, 0.3), lambda x: az.ess(x, method="quantile", prob=0.3)),
    "mcse_mean": (diagnostics.mcse_mean, lambda x: az.mcse(x, method="mean")),
    "mcse_sd": (diagnostics.mcse_sd, lambda x: az.mcse(x, method="sd")),
    "mcse_quantile": (lambda x: diagnostics.mcse_quantile(x, 0.3), lambda x: az.mcse(x, method="quantile", prob=0.3)),
}
OURS_ALONE = {("one chain", "split_rhat"),        # ArviZ wants two chains, and two halves are enough: tested below
              ("too few draws", "gelman_rubin")}  # ArviZ wants four draws to split, and here nothing is split
EVERY = {**{name: ours for name, (ours, _) in PAIRS.items()},
         "effective_sample_size": diagnostics.effective_sample_size}


def each_site(oracle, x):
    """The oracle of every site [chains, draws] by itself."""
    out = np.full(x.shape[2:], np.nan)
    with np.errstate(all="ignore"):
        for index in np.ndindex(out.shape):
            out[index] = oracle(np.ascontiguousarray(x[(slice(None), slice(None), *index)]))
    return out


@pytest.mark.parametrize("draws", DRAWS)
@pytest.mark.parametrize("name", PAIRS)
def test_a_diagnostic_equals_that_of_arviz(name, draws):
    ours, theirs = PAIRS[name]
    x = DRAWS[draws]
    got, want = ours(x), each_site(theirs, x)
    assert got.shape == x.shape[2:]
    if (draws, name) in OURS_ALONE:
        assert np.isnan(want).all() and np.isfinite(got).all()
    else:
        np.testing.assert_allclose(got, want, rtol=1e-8, atol=0)
        undefined = draws == "too few draws" or draws == "one chain" and name in {"rhat", "gelman_rubin"}
        assert np.isnan(got).all() if undefined else np.isfinite(got).all()


@pytest.mark.parametrize("prob", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("draws", ["correlated", "antithetic", "odd number of draws", "twelve draws"])
def test_any_quantile_equals_that_of_arviz(draws, prob):
    x = DRAWS[draws]
    np.testing.assert_allclose(diagnostics.ess_quantile(x, prob),
                               each_site(lambda x: az.ess(x, method="quantile", prob=prob), x), rtol=1e-8)
    np.testing.assert_allclose(diagnostics.mcse_quantile(x, prob),
                               each_site(lambda x: az.mcse(x, method="quantile", prob=prob), x), rtol=1e-8)


@pytest.mark.parametrize("name", EVERY)
def test_blocks_of_sites_do_not_change_a_result(name, monkeypatch):
    x = DRAWS["correlated"]
    whole = EVERY[name](x)
    monkeypatch.setattr(sites, "BLOCK", 3 * x.shape[0] * x.shape[1])
    np.testing.assert_array_equal(EVERY[name](x), whole)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, "constant"])
@pytest.mark.parametrize("name", EVERY)
def test_a_site_that_is_constant_or_not_finite_has_no_answer_and_no_effect_on_others(name, bad):
    x = normal(4, 100, 3, seed=30)
    alone = EVERY[name](x[:, :, 2])
    x[:, :, 0] = 0.1
    if bad != "constant":
        x[2, 50, 0] = bad
    got = EVERY[name](x)
    assert np.isnan(got[0]) and np.isfinite(got[1])
    assert got[2] == alone


@pytest.mark.parametrize("name", EVERY)
def test_the_unit_of_measurement_does_not_matter(name):
    x = DRAWS["correlated"]
    unit = 2.0**-60                               # a power of two: no rounding, so ranks and sums stay as they are
    expected = EVERY[name](x) * (unit if name.startswith("mcse") else 1)
    np.testing.assert_allclose(EVERY[name](x * unit), expected, rtol=1e-12)


def test_integers_booleans_and_single_precision_are_read_as_float64():
    counts = DRAWS["ties"]
    for dtype in (np.int32, np.float32):
        np.testing.assert_array_equal(diagnostics.ess_bulk(counts.astype(dtype)), diagnostics.ess_bulk(counts))
    coins = DRAWS["coins"]
    np.testing.assert_array_equal(diagnostics.rhat(coins.astype(bool)), diagnostics.rhat(coins))


def test_no_sites_give_no_results():
    assert diagnostics.ess_bulk(np.zeros((4, 100, 0, 2))).shape == (0, 2)


def test_draws_without_a_chain_axis_are_refused():
    with pytest.raises(ValueError, match=r"\(100,\).*\n.*x\[None\]"):
        diagnostics.rhat(np.zeros(100))


@pytest.mark.parametrize("measure", [diagnostics.ess_quantile, diagnostics.mcse_quantile])
def test_a_probability_outside_0_and_1_is_refused(measure):
    with pytest.raises(ValueError, match="prob=5 is not a probability"):
        measure(DRAWS["independent"], 5)


# ---- chains whose answer is known ----

@pytest.mark.parametrize("name", ["ess_bulk", "ess_mean", "ess_sd", "ess_tail"])
def test_independent_draws_are_worth_their_number(name):
    """The mean of 400 estimates is within 4 standard errors (false alarm 6e-5) of n, and 3% for the bias of a truncated
    sum; ESS_tail is the smaller of two, so it is allowed 15% less."""
    got = EVERY[name](normal(4, 1000, 400, seed=31)) / 4000
    low = 0.82 if name == "ess_tail" else 0.97
    error = 4 * got.std(ddof=1) / 20
    assert low - error < got.mean() < 1.03 + error


@pytest.mark.parametrize("rho", [-0.5, 0.5, 0.8])
def test_an_autoregressive_chain_is_worth_its_closed_form(rho):
    """ESS = S (1 - ρ) / (1 + ρ); the mean of 200 estimates, to 4 standard errors (false alarm 6e-5) and 3% of bias."""
    got = diagnostics.ess_mean(autoregressive(rho, (4, 2000, 200), seed=32)) / (8000 * (1 - rho) / (1 + rho))
    assert abs(got.mean() - 1) < 0.03 + 4 * got.std(ddof=1) / np.sqrt(200)


def test_the_error_of_a_mean_is_the_spread_of_means():
    """The sd of 500 means against the mean of 500 estimates; the sd of an sd is 1/√1000 = 3.2%, 4 of them 6e-5."""
    x = autoregressive(0.6, (4, 1000, 500), seed=33)
    ratio = x.mean((0, 1)).std(ddof=1) / diagnostics.mcse_mean(x).mean()
    assert abs(ratio - 1) < 4 / np.sqrt(1000) + 0.02


def test_split_rhat_of_one_chain_compares_its_halves():
    x = DRAWS["one chain"]
    halves = np.concatenate([x[:, :250], x[:, 250:]])
    np.testing.assert_allclose(diagnostics.split_rhat(x), diagnostics.gelman_rubin(halves), rtol=1e-12)


def test_autocovariance_is_its_defining_sum():
    x = normal(3, 40, 2, seed=34)
    d = x - x.mean(1, keepdims=True)
    sums = np.stack([(d[:, :40 - k] * d[:, k:]).sum(1) for k in range(40)], axis=1)
    np.testing.assert_allclose(diagnostics.autocovariance(x, axis=1), sums / 40, atol=1e-14)
    unbiased = sums / np.arange(40, 0, -1)[:, None]
    np.testing.assert_allclose(diagnostics.autocovariance(x, axis=1, bias=False), unbiased, atol=1e-13)
    correlation = unbiased / unbiased[:, :1]
    np.testing.assert_allclose(diagnostics.autocorrelation(x, axis=1, bias=False), correlation, atol=1e-12)
    assert np.isnan(diagnostics.autocorrelation(np.full(5, 0.1))).all()


def test_effective_sample_size_is_that_of_numpyro():
    """The number in NumPyro's own test; and its formula written out, for one chain, where ρₖ = cₖ / c₀."""
    x = np.arange(1000.).reshape(100, 10)
    assert diagnostics.effective_sample_size(x, bias=False) == pytest.approx(52.64, abs=0.01)
    x = autoregressive(0.7, (1, 301), seed=35)
    rho = diagnostics.autocorrelation(x[0])[:300]
    pairs = rho[::2] + rho[1::2]
    later = np.minimum.accumulate(np.clip(pairs[1:], 0, None))
    assert diagnostics.effective_sample_size(x) == pytest.approx(301 / (-1 + 2 * (pairs[0] + later.sum())), rel=1e-10)


@pytest.mark.parametrize("prob", [0.5, 0.9, 0.95])
def test_hpdi_is_the_narrowest_interval(prob):
    x = np.random.default_rng(36).gamma(2., size=(200, 3))
    got = diagnostics.hpdi(x, prob)
    assert got.shape == (2, 3)
    held = int(prob * 200)
    for column, (low, high) in zip(np.sort(x.T), got.T):
        widths = [column[i + held] - column[i] for i in range(200 - held)]
        assert high - low == min(widths) and {low, high} <= set(column)
    np.testing.assert_array_equal(diagnostics.hpdi(x.T, prob, axis=1), got.T)
    assert diagnostics.hpdi(x.T, prob, axis=-1).shape == (3, 2)


def test_hpdi_of_everything_is_the_range_and_of_nothing_an_error():
    x = normal(50, seed=37)
    np.testing.assert_array_equal(diagnostics.hpdi(x, 1), [x.min(), x.max()])
    x[3] = np.nan
    assert np.isnan(diagnostics.hpdi(x)).all()
    with pytest.raises(ValueError, match="prob=90 is no probability mass"):
        diagnostics.hpdi(x, 90)
    with pytest.raises(ValueError, match="no draws along axis 0"):
        diagnostics.hpdi(np.zeros((0, 2)))


def test_bfmi_is_2_for_independent_energies_and_small_for_a_walk():
    """von Neumann's ratio has mean 2 and sd 2 / √n; 8 chains of 5000 within 5 of them (false alarm 5e-6)."""
    got = diagnostics.bfmi(normal(8, 5000, seed=38))
    assert got.shape == (8,) and (abs(got - 2) < 5 * np.sqrt(4 / 5000)).all()
    assert (diagnostics.bfmi(np.cumsum(normal(2, 1000, seed=39), axis=1)) < 0.3).all()
    energy = normal(2, 50, seed=40)
    want = [(np.diff(e)**2).mean() / e.var(ddof=1) for e in energy]
    np.testing.assert_allclose(diagnostics.bfmi(energy), want)
    assert np.isnan(diagnostics.bfmi(np.ones((2, 10)))).all()


@pytest.mark.parametrize("sizes", [(4, 3, 10), (6, 1, 5), (5, 4, 1), (2, 2, 300)])
def test_nested_rhat_is_its_definition(sizes):
    """Equations 15 to 18 of Margossian et al. (2024), written out with loops."""
    groups, chains, draws = sizes
    x = normal(groups, chains, draws, 2, seed=50) + 0.3 * normal(groups, 1, 1, 2, seed=51)
    for site in range(2):
        means, within = [], []
        for group in x[..., site]:
            means.append(np.mean([np.mean(chain) for chain in group]))
            inner = np.mean([np.var(chain, ddof=1) for chain in group]) if draws > 1 else 0.0
            within.append(inner + (np.var([np.mean(chain) for chain in group], ddof=1) if chains > 1 else 0.0))
        want = np.sqrt(1 + np.var(means, ddof=1) / np.mean(within))
        flat = x.reshape(groups * chains, draws, 2)
        assert diagnostics.nested_rhat(flat, groups)[site] == pytest.approx(want, rel=1e-12)
        order = np.random.default_rng(52).permutation(groups * chains)
        names = np.repeat(np.arange(groups) * 7 + 3, chains)[order]
        assert diagnostics.nested_rhat(flat[order], names)[site] == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("superchains", [1, 0, 3, 9, [0, 0, 0, 1], [0, 1], np.zeros(4, int)])
def test_chains_that_do_not_fall_into_groups_of_one_size(superchains):
    with pytest.raises(ValueError, match="divide 4 chains into two groups or more"):
        diagnostics.nested_rhat(normal(4, 10), superchains)


def test_nested_rhat_of_single_chains_of_single_draws_has_no_answer():
    assert np.isnan(diagnostics.nested_rhat(normal(4, 1), 4))


def test_divergences_by_site_is_a_standardised_difference_and_knows_no_units():
    x = normal(2, 400, 3, seed=53)
    diverging = x[..., 1] < -1.5
    got = diagnostics.divergences_by_site({"x": x, "one": x[..., 1]}, diverging)
    others = x[..., 1][~diverging]
    want = (x[..., 1][diverging].mean() - others.mean()) / others.std(ddof=1)
    assert got["x"].shape == (3,) and got["one"] == pytest.approx(got["x"][1])
    assert got["one"] == pytest.approx(want, rel=0.05)                                 # scores for values
    assert (abs(got["x"][[0, 2]]) < 4.5 / np.sqrt(diverging.sum())).all()              # false alarm 1e-5
    again = diagnostics.divergences_by_site({"x": np.exp(x), "y": -x}, diverging)
    np.testing.assert_allclose(again["x"], got["x"])
    np.testing.assert_allclose(again["y"], -got["x"])


def test_divergences_by_site_without_an_answer():
    x = normal(2, 10, 2, seed=54)
    for diverging in (np.zeros((2, 10), bool), np.ones((2, 10), bool)):
        assert np.isnan(diagnostics.divergences_by_site({"x": x}, diverging)["x"]).all()
    with pytest.raises(ValueError, match=r"samples\['x'\] has shape \(2, 10, 2\), and diverging \(20,\)"):
        diagnostics.divergences_by_site({"x": x}, np.zeros(20, bool))
    assert diagnostics.e_bfmi is diagnostics.ebfmi is diagnostics.bfmi


# ---- the table ----

def test_summary_holds_each_statistic_by_its_name():
    x = DRAWS["correlated"]
    got = diagnostics.summary({"x": x}, prob=0.8)["x"]
    flat = x.reshape(-1, 2, 2)
    low, high = diagnostics.hpdi(flat, 0.8)
    want = {"mean": flat.mean(0), "std": flat.std(0, ddof=1), "median": np.median(flat, 0), "10.0%": low, "90.0%": high,
            "ess_bulk": diagnostics.ess_bulk(x), "ess_tail": diagnostics.ess_tail(x), "r_hat": diagnostics.rhat(x)}
    assert list(got) == list(want)
    for column in want:
        np.testing.assert_allclose(got[column], want[column], rtol=1e-12)


def test_summary_without_chains_takes_all_draws_for_one():
    x = DRAWS["one chain"]
    got, want = diagnostics.summary({"x": x[0]}, group_by_chain=False)["x"], diagnostics.summary({"x": x})["x"]
    for column in want:
        np.testing.assert_array_equal(got[column], want[column])
    np.testing.assert_array_equal(got["ess_bulk"], diagnostics.ess_bulk(x))


def test_r_hat_in_a_summary_of_one_chain_compares_its_halves():
    x = normal(1, 400, 2, seed=45)
    x[:, 200:, 1] += 3
    still, moved = diagnostics.summary({"x": x})["x"]["r_hat"]
    assert still < 1.02 and moved > 1.5


def test_summary_names_what_has_no_name():
    assert list(diagnostics.summary(DRAWS["four draws"])) == ["Param:0"]
    assert list(diagnostics.summary([DRAWS["four draws"], DRAWS["ties"]])) == ["Param:0", "Param:1"]


def test_summary_of_bad_draws_is_silent():
    x = normal(4, 100, 3, seed=41)
    x[0, 0, 0], x[1, 1, 1], x[:, :, 2] = np.nan, np.inf, 7
    got = diagnostics.summary({"x": x, "single": np.ones((1, 1))})
    assert np.isnan(got["x"]["r_hat"]).all() and np.isnan(got["x"]["ess_tail"]).all()
    assert got["x"]["mean"][2] == 7 and got["x"]["std"][2] == 0
    assert got["single"]["mean"] == 1 and np.isnan(got["single"]["std"])


def test_print_summary_aligns_one_row_for_each_number(capsys):
    matrix = normal(4, 100, 2, 2, seed=42) * 1e-3
    matrix[3] += 3e-3                             # an r_hat that is not 1
    big = 1e9 * normal(4, 100, 1, seed=44)
    diagnostics.print_summary({"mu": normal(4, 100, seed=43), "a_matrix": matrix, "big": big})
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["mean", "std", "median", "5.0%", "95.0%", "ess_bulk", "ess_tail", "r_hat"]
    assert [row.split()[0] for row in rows] == ["mu", *(f"a_matrix[{i},{j}]" for i in (0, 1) for j in (0, 1)), "big[0]"]
    assert {len(row) for row in rows} == {len(header)}
    first = [float(cell) for cell in rows[1].split()[1:]]
    want = [column[0, 0] for column in diagnostics.summary({"a": matrix})["a"].values()]
    want[5:7] = np.round(want[5:7])               # the effective sample sizes are shown whole
    np.testing.assert_allclose(first, want, rtol=0.01)
