"""The warnings after a run: each problem alone, with its numbers and names, and none where there is none."""
import re
import warnings

import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random
from chainrule.inference import MCMC, NUTS, SamplingWarning, advice
from tests.inference.targets import EFFECTS, ERRORS, eight_schools


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


GOOD = {"mu": normal(4, 500), "z": normal(4, 500, 2, 3, seed=1)}
STATS = {"diverging": np.zeros((4, 500), bool), "energy": normal(4, 500, seed=2),
         "reached_max_treedepth": np.zeros((4, 500), bool)}


def only(draws=GOOD, stats=STATS, **options):
    (text,) = advice.problems(draws, stats, max_tree_depth=10, target_accept_prob=0.8, **options)
    return text


def test_good_draws_give_no_warning():
    """False alarm: with these draws fixed, none; R-hat of 7 parameters of 2,000 independent draws is about 1.002."""
    assert advice.problems(GOOD, STATS, max_tree_depth=10, target_accept_prob=0.8) == []
    assert advice.problems(GOOD, {}) == []                            # a kernel without these facts
    assert advice.problems({"x": np.zeros((2, 1))}, {}) == []         # too few draws to say anything


def test_divergences_name_the_sites_that_stand_out():
    diverging = GOOD["z"][..., 1, 2] < -1.8
    text = only(stats={**STATS, "diverging": diverging})
    n = diverging.sum()
    assert f"{n} of 2000 transitions ({100 * n / 2000:.2g}%) diverged" in text
    assert re.search(r"they have low 'z\[1,2\]' \(-2\.\d sd\)\.", text) and "'mu'" not in text
    assert "LocScaleReparam" in text and "target_accept_prob, which is 0.8." in text


def test_divergences_are_placed_on_the_scale_of_the_model():
    diverging = GOOD["mu"] < -1.8
    text = only(stats={**STATS, "diverging": diverging}, values=lambda: {"upper": -GOOD["mu"], "z": GOOD["z"]})
    assert "high 'upper' (+2." in text


def test_divergences_anywhere_name_no_site():
    diverging = np.random.default_rng(3).random((4, 500)) < 0.02
    text = only(stats={**STATS, "diverging": diverging})
    assert "sd)" not in text and "Write sites whose scale is drawn too non-centred" in text


def test_chains_that_disagree():
    z = GOOD["z"].copy()
    z[3, :, 0, 1] += 0.5
    text, ess = advice.problems({**GOOD, "z": z}, STATS)
    assert text.startswith("R-hat is above 1.01 for 1 of 7 parameters: 'z[0,1]' (1.0")
    assert "the chains disagree, or drift. Take more num_warmup and num_samples." in text
    assert "for 1 of 7 parameters: 'z[0,1]'" in ess


def test_the_halves_of_one_chain():
    x = normal(1, 500, seed=4)
    x[:, 250:] += 1.5
    text = advice.problems({"x": x}, {})[0]
    assert "R-hat is above 1.01 for the parameter: 'x' (1." in text and "the halves of the chain disagree" in text


def test_too_few_draws_say_how_many_would_do():
    x = {"x": normal(4, 60, seed=5)}
    texts = advice.problems(x, {})
    (text,) = [t for t in texts if t.startswith("The effective")]
    worth = int(text.split("'x' (")[1].split(")")[0])
    needed = int(text.split("About ")[1].split(" draws of each chain")[0].replace(",", ""))
    assert "is below 400 for the parameter" in text and worth < 400
    assert 400 / worth * 60 * 0.98 <= needed <= 400 / worth * 60 * 1.15


def test_strong_correlation_wants_another_model_and_not_more_draws():
    walk = {"x": np.cumsum(normal(4, 500, seed=6), axis=1)}
    text = [t for t in advice.problems(walk, {}) if t.startswith("The effective")][0]
    assert "dense_mass" in text and "draws of each chain" not in text


def test_many_short_chains_need_no_hundred_draws_each():
    """200 chains of 20 draws are worth 4,000, which is plenty, though 100 for each chain would be 20,000."""
    assert not [t for t in advice.problems({"x": normal(200, 20, seed=7)}, {}) if t.startswith("The effective")]


def test_energies_that_momenta_do_not_reach():
    energy = STATS["energy"].copy()
    energy[2] = np.cumsum(normal(500, seed=8))
    text = only(stats={**STATS, "energy": energy})
    assert text.startswith("E-BFMI is below 0.3 in 1 of 4 chains, 0.0")


def test_trees_that_were_cut_short():
    reached = np.zeros((4, 500), bool)
    reached[0, :19] = True
    assert advice.problems(GOOD, {**STATS, "reached_max_treedepth": reached}, max_tree_depth=6) == []       # below 1%
    reached[1, :21] = True
    text = only(stats={**STATS, "reached_max_treedepth": reached})
    assert text.startswith("40 of 2000 transitions (2%) were cut short at max_tree_depth=10, 1,023 steps")


def test_a_chain_that_never_moved_is_said_once():
    still = {k: x.copy() for k, x in GOOD.items()}
    for x in still.values():
        x[1] = x[1, 0]
    assert only(still).startswith("chain 1 never moved: no proposal was accepted.")


def test_of_very_many_parameters_some_are_looked_at(monkeypatch):
    monkeypatch.setattr(advice, "MOST", 2000 * 3)
    z = GOOD["z"] + 2.0 * np.arange(4)[:, None, None, None]
    text = advice.problems({**GOOD, "z": z}, STATS)[0]
    assert "for 2 of 3 parameters looked at (of 7): " in text
    assert "'z[0,2]'" in text and "'z[1,2]'" in text                   # parameters 0, 3 and 6


# ---- after a run ----

def run(**options):
    mcmc = MCMC(NUTS(eight_schools), num_warmup=200, num_samples=30, num_chains=2, progress_bar=False, **options)
    mcmc.run(random.key(0), ERRORS, EFFECTS)
    return mcmc


def test_a_run_warns_at_the_line_that_runs_it():
    with pytest.warns(SamplingWarning, match="The effective sample size is below 200 for 10 of 10 parameters") as found:
        run()
    assert {w.filename for w in found} == {__file__}


def test_a_run_can_be_told_not_to_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(warn=False)


def test_a_centred_model_tells_on_its_scale():
    """With this key: the divergences of the centred form of eight schools lie at small tau, and are told by that."""
    def centred():
        mu, tau = cr.sample("mu", dist.Normal(0.0, 5.0)), cr.sample("tau", dist.HalfCauchy(5.0))
        with cr.plate("school", 8):
            theta = cr.sample("theta", dist.Normal(mu, tau))
            cr.sample("y", dist.Normal(theta, ERRORS), obs=EFFECTS)

    mcmc = MCMC(NUTS(centred), num_warmup=500, num_samples=1000, num_chains=4, progress_bar=False)
    with pytest.warns(SamplingWarning, match=r"diverged(.|\n)*they have low 'tau' \(-1.\d sd\)."):
        mcmc.run(random.key(0))
