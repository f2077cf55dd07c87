"""Pareto smoothing against ArviZ, against known tails, and for what it is for: estimates by few large weights."""
import numpy as np
import pytest

from chainrule.inference.arviz import _arviz
from chainrule.inference.diagnostics import khat, khat_threshold, psis

az = _arviz()
RNG = np.random.default_rng(0)
WEIGHTS = {
    "light": RNG.normal(size=(5, 1000)),
    "of a narrow proposal": 0.45 * RNG.normal(size=(2, 3, 2000))**2,
    "Cauchy": np.log(np.abs(RNG.standard_cauchy(size=(4, 500)))),
    "bounded": -RNG.normal(size=(3, 400))**2,
    "few": RNG.normal(size=(3, 25)),
    "shifted far": 1e4 + RNG.normal(size=(2, 300)),
    "one row": RNG.normal(size=800),
    "ties": np.log(RNG.poisson(3, size=(4, 500)) + 1.0),
    "zeros": np.where(RNG.random((2, 300)) < 0.5, -np.inf, RNG.normal(size=(2, 300))),
    "tiny": np.where(RNG.random((2, 300)) < 0.9, -800.0, RNG.normal(size=(2, 300))),
}


@pytest.mark.skipif(not hasattr(az, "psislw"), reason="ArviZ 1.x rounds the length of the tail down, 0.23 up")
@pytest.mark.parametrize("r_eff", [1.0, 0.3])
@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_and_khat_are_those_of_arviz(name, r_eff):
    x = WEIGHTS[name]
    before = x.copy()
    got = psis(x, r_eff)
    with np.errstate(all="ignore"):
        weights, k = az.psislw(x.copy(), reff=r_eff)
    np.testing.assert_allclose(got.khat, k, rtol=1e-8)
    in_order = lambda x: np.sort(x, axis=-1) if name == "ties" else x    # which of equal weights comes first is open
    np.testing.assert_allclose(in_order(got.log_weights), in_order(weights), rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(khat(x, r_eff), got.khat)


def test_the_efficiency_may_differ_by_row():
    x = WEIGHTS["light"]
    each = np.linspace(0.2, 1.0, 5)
    np.testing.assert_array_equal(khat(x, each), [khat(row, r) for row, r in zip(x, each)])


@pytest.mark.parametrize("k", [0.2, 0.5, 0.9])
def test_khat_is_the_shape_of_a_pareto_tail(k):
    """Weights U^-k: 50 estimates, their mean within 4.5 standard errors (false alarm 7e-6) of k drawn to the prior."""
    draws, tail = 10_000, 300
    got = khat(-k * np.log(np.random.default_rng(1).random((50, draws))))
    expected = (tail * k + 10 * 0.5) / (tail + 10)
    assert abs(got.mean() - expected) < 4.5 * got.std(ddof=1) / np.sqrt(50) + 0.02        # 0.02: the fit's own bias


def test_smoothing_lowers_the_error_of_an_estimate():
    """E[w] = 1 / (1 - k) of weights U^-k with k = 0.7, which have no variance: the smoothed sum is nearer more often
    than not, in mean absolute error over 400 repetitions."""
    k, draws = 0.7, 1000
    x = -k * np.log(np.random.default_rng(2).random((400, draws)))
    raw, weights = np.exp(x), psis(x).log_weights
    share = np.exp(weights)                          # normalised: compare the largest share that one draw has
    assert (share.max(1) <= raw.max(1) / raw.sum(1) * 1.2).all()
    ess = 1 / (share**2).sum(1)
    assert np.median(ess) > np.median(raw.sum(1)**2 / (raw**2).sum(1))


def test_weights_without_a_tail():
    equal = psis(np.zeros((2, 100)))
    assert (equal.khat == -np.inf).all()
    np.testing.assert_allclose(np.exp(equal.log_weights), 0.01)
    few = psis([0.0, 1.0, 2.0])
    assert few.khat == np.inf
    np.testing.assert_allclose(np.exp(few.log_weights), np.exp([0, 1, 2]) / np.exp([0, 1, 2]).sum())


def test_a_weight_that_is_not_a_number_spoils_its_row_alone():
    x = RNG.normal(size=(4, 200))
    x[0, 3], x[1, 3], x[2] = np.nan, np.inf, -np.inf
    got = psis(x)
    assert np.isnan(got.khat[:3]).all() and np.isnan(got.log_weights[:3]).all()
    np.testing.assert_array_equal(got.khat[3], khat(x[3]))


def test_the_threshold_and_what_is_refused():
    np.testing.assert_allclose(khat_threshold(np.array([100, 1000, 10**6])), [0.5, 2 / 3, 0.7])
    with pytest.raises(ValueError, match=r"shape \(\) has no draws"):
        psis(1.0)
    with pytest.raises(ValueError, match="r_eff must be positive"):
        psis(WEIGHTS["light"], 0.0)
