"""The diagnostics as array functions: those of `diagnostics`, under jit and vmap."""
import numpy as np
import pytest

from chainrule.engine import config, jit, stats, vmap
from chainrule.inference import diagnostics
from chainrule.inference.diagnostics import compiled
from tests.inference.test_diagnostics import DRAWS

NAMES = ["rhat", "ess_bulk", "ess_tail", "ess_mean", "mcse_mean"]
QUICK = {"correlated", "antithetic", "one chain", "balanced coins", "rare", "five draws", "too few draws"}


@jit
def every(x):
    return {name: getattr(compiled, name)(x) for name in NAMES}


@pytest.mark.parametrize("draws", [d if d in QUICK else pytest.param(d, marks=pytest.mark.slow) for d in DRAWS])
def test_they_are_those_of_the_host(draws):
    got = every(DRAWS[draws])
    for name in NAMES:
        want = getattr(diagnostics, name)(DRAWS[draws])
        np.testing.assert_allclose(np.asarray(got[name]), want, rtol=1e-10, err_msg=name)


def test_a_site_without_an_answer_is_nan_and_has_no_effect_on_others():
    x = np.random.default_rng(0).normal(size=(4, 100, 4))
    x[:, :, 0], x[2, 50, 1], x[2, 50, 2] = 0.1, np.nan, np.inf
    for name, got in every(x).items():
        np.testing.assert_allclose(np.asarray(got), getattr(diagnostics, name)(x), rtol=1e-10, err_msg=name)
        assert np.isnan(got[:3]).all() and np.isfinite(got[3])


def test_a_batch_of_fits_is_one_program():
    x = np.random.default_rng(1).normal(size=(5, 2, 40, 3)).cumsum(2)
    f = jit(vmap(compiled.ess_bulk))
    got = np.asarray(f(x))
    np.testing.assert_allclose(got, [diagnostics.ess_bulk(each) for each in x], rtol=1e-10)
    before = stats().compilations
    f(x + 1.0)
    assert stats().compilations == before


def test_counts_and_single_precision():
    counts = DRAWS["ties"].astype(int)
    np.testing.assert_allclose(np.asarray(compiled.ess_bulk(counts)), diagnostics.ess_bulk(counts), rtol=1e-10)
    single = DRAWS["correlated"].astype(np.float32)
    got = compiled.ess_bulk(single)
    assert got.dtype == np.float32
    np.testing.assert_allclose(np.asarray(got), diagnostics.ess_bulk(single), rtol=1e-3)
    with config(default_float="float32"):
        assert compiled.rhat(counts).dtype == np.float32


def test_all_sites_at_once():
    samples = {"x": DRAWS["correlated"], "n": DRAWS["correlated"][..., 0].astype(int),
               "z": DRAWS["correlated"] * 1j, "none": np.zeros((4, 400, 0))}
    rhats, ess = jit(compiled.of_sites)(samples)
    assert set(rhats) == set(ess) == set(samples)
    for name in ("x", "n", "none"):
        np.testing.assert_allclose(np.asarray(rhats[name]), diagnostics.rhat(samples[name]), rtol=1e-10)
        np.testing.assert_allclose(np.asarray(ess[name]), diagnostics.ess_bulk(samples[name]), rtol=1e-10)
    assert np.isnan(rhats["z"]).all() and rhats["z"].shape == (2, 2)
    one, _ = compiled.of_sites({"x": DRAWS["one chain"]})
    np.testing.assert_allclose(np.asarray(one["x"]), diagnostics.summary({"x": DRAWS["one chain"]})["x"]["r_hat"],
                               rtol=1e-10)


def test_draws_without_a_chain_axis_and_no_probability():
    with pytest.raises(ValueError, match=r"\(100,\).*\n.*x\[None\]"):
        compiled.rhat(np.zeros(100))
    with pytest.raises(ValueError, match="not probabilities"):
        compiled.ess_tail(np.zeros((2, 10)), prob=(5, 95))
