"""The groups of an export that follow from the run: densities, data, unconstrained draws, prior and predictions."""
import numpy as np
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
from chainrule.inference import MCMC, NUTS, Predictive
from chainrule.inference.arviz import _arviz, to_arviz
from chainrule.ppl.model import stage_model

az = _arviz()
LINE = int(az.__version__.split(".")[0])
X, Y = np.linspace(-1.0, 1.0, 6), np.array([-2.0, -1.0, 0.5, 0.5, 1.0, 2.5])
CALLS = []


def model(x, groups, y, n, noise=1.0):
    CALLS.append(1)
    slope = cr.sample("slope", dist.Normal(0.0, 2.0))
    scale = cr.sample("scale", dist.HalfNormal(2.0))
    weights = cr.sample("weights", dist.Dirichlet(np.ones(3)))
    with cr.plate("group", 2, coords=["a", "b"]):
        level = cr.sample("level", dist.Normal(0.0, scale))
    with cr.plate("row", n):
        mean = cr.deterministic("mean", slope * x + level[groups["index"]] * weights[0])
        cr.sample("y", dist.Normal(mean, noise), obs=y)


INDEX = np.array([0, 1] * 3)


@pytest.fixture(scope="module")
def mcmc():
    mcmc = MCMC(NUTS(model), num_warmup=100, num_samples=30, num_chains=2, progress_bar=False)
    mcmc.run(0, X, {"index": INDEX, "sizes": [3.0, 3.0]}, y=Y, n=6, noise=0.5)
    return mcmc


@pytest.fixture(scope="module")
def data(mcmc):
    calls = len(CALLS)
    data = mcmc.to_arviz(log_likelihood=True, log_prior=True, unconstrained_posterior=True)
    assert len(CALLS) == calls                       # the model's Python is not run for it
    return data


def groups_of(data):
    return set(data.children) if LINE else set(data._groups_all)


def test_the_log_likelihood_is_that_of_each_observation(mcmc, data):
    x = {k: np.asarray(v) for k, v in mcmc.get_samples(group_by_chain=True).items()}
    got = data["log_likelihood"]["y"]
    assert got.dims == ("chain", "draw", "row")
    np.testing.assert_allclose(got.values, stats.norm.logpdf(Y, x["mean"], 0.5), rtol=1e-10)


def test_the_log_prior_is_that_of_each_site(mcmc, data):
    x = {k: np.asarray(v) for k, v in mcmc.get_samples(group_by_chain=True).items()}
    prior = data["log_prior"]
    assert set(prior.data_vars) == {"slope", "scale", "weights", "level"}
    np.testing.assert_allclose(prior["scale"].values, stats.halfnorm.logpdf(x["scale"], scale=2.0), rtol=1e-10)
    np.testing.assert_allclose(prior["weights"].values, np.full((2, 30), np.log(2.0)), rtol=1e-10)
    assert prior["level"].dims == ("chain", "draw", "group") and prior["level"]["group"].values.tolist() == ["a", "b"]
    np.testing.assert_allclose(prior["level"].values, stats.norm.logpdf(x["level"], 0.0, x["scale"][..., None]),
                               rtol=1e-10)


def test_unconstrained_draws_are_those_of_the_sampler(mcmc, data):
    free, posterior = data["unconstrained_posterior"], data["posterior"]
    assert set(free.data_vars) == {"slope", "scale", "weights", "level"}
    np.testing.assert_allclose(np.exp(free["scale"].values), posterior["scale"].values, rtol=1e-12)
    np.testing.assert_array_equal(free["level"].values, posterior["level"].values)
    assert free["level"].dims == ("chain", "draw", "group")
    assert free["weights"].shape == (2, 30, 2) and posterior["weights"].shape == (2, 30, 3)
    lp = -np.asarray(mcmc.get_extra_fields(group_by_chain=True)["potential_energy"])
    np.testing.assert_array_equal(data["sample_stats"]["lp"].values, lp)


def test_constant_data_are_the_arguments_that_are_not_observed(data):
    constant = data["constant_data"]
    assert set(constant.data_vars) == {"x", "groups_index", "groups_sizes", "noise"}
    np.testing.assert_array_equal(constant["x"].values, X)
    np.testing.assert_array_equal(constant["groups_index"].values, INDEX)
    assert float(constant["noise"]) == 0.5 and constant["noise"].dims == ()
    assert set(data["observed_data"].data_vars) == {"y"}


def test_nothing_is_computed_unasked_and_what_was_given_comes_first(mcmc):
    assert groups_of(mcmc.to_arviz(constant_data={})) == {"posterior", "sample_stats", "observed_data"}
    given = mcmc.to_arviz(log_likelihood={"y": np.zeros((60, 6))}, constant_data={"other": X})
    assert (given["log_likelihood"]["y"].values == 0).all() and given["log_likelihood"]["y"].shape == (2, 30, 6)
    assert set(given["constant_data"].data_vars) == {"other"}


@pytest.mark.filterwarnings("ignore:Estimated shape parameter")         # of 60 draws
def test_arviz_compares_models_by_the_log_likelihood(data):
    loo = az.loo(data)
    assert np.isfinite(loo.elpd_loo if LINE == 0 else loo.elpd)


def test_what_predictive_drew_finds_its_groups(mcmc):
    arguments = (X, {"index": INDEX, "sizes": [3.0, 3.0]})
    prior = Predictive(model, num_samples=20)(1, *arguments, y=None, n=6)
    seen = Predictive(model, mcmc.get_samples())(2, *arguments, y=None, n=6)
    new = Predictive(model, mcmc.get_samples())(3, X[:4], {"index": INDEX[:4], "sizes": [3.0, 3.0]}, y=None, n=4)
    data = mcmc.to_arviz(prior=prior, posterior_predictive={"y": seen["y"]}, predictions={"y": new["y"]},
                         predictions_constant_data={"x": X[:4]}, coords={"row": list("ABCDEF")})
    assert set(data["prior"].data_vars) == {"slope", "scale", "weights", "level", "mean"}
    assert data["prior_predictive"]["y"].shape == (1, 20, 6)
    assert data["posterior_predictive"]["y"].shape == (2, 30, 6)
    assert data["predictions"]["y"].dims == ("chain", "draw", "row") and data["predictions"]["y"].shape == (2, 30, 4)
    assert data["predictions"]["row"].values.tolist() == [0, 1, 2, 3]
    assert data["posterior_predictive"]["row"].values.tolist() == list("ABCDEF")
    assert data["predictions_constant_data"]["x"].shape == (4,)


def test_names_that_two_things_have():
    """y is observed standardised: the raw y takes its axes; row and mu are names of an axis and of another shape."""
    def model(y, row, mu):
        m = cr.sample("mu", dist.Normal(mu[0], 1.0))
        with cr.plate("row", len(y)):
            cr.sample("y", dist.Normal(m + row, 1.0), obs=(y - 1.0) / 2.0)

    mcmc = MCMC(NUTS(model), num_warmup=20, num_samples=10, progress_bar=False)
    mcmc.run(0, Y, X, np.zeros(2))
    constant = mcmc.to_arviz()["constant_data"]
    assert set(constant.data_vars) == {"y", "row_data", "mu_data"}
    assert constant["y"].dims == ("row",) and constant["row_data"].dims == ("row_data_dim_0",)
    np.testing.assert_array_equal(constant["y"].values, Y)


class Fit:
    def model(self, a, /, b, *rest, c):
        cr.sample("x", dist.Normal(a + b + sum(rest) + c[0][1], 1.0))


def test_data_are_named_by_the_models_parameters():
    one = 1.0
    for model, names in ((Fit().model, ["a", "b", "argument_2", "argument_3", "c_0_0", "c_0_1"]),
                         (cr.handlers.reparam(Fit().model, config={}), None)):
        program, data = stage_model(model, (one, one, one, one), {"c": ((one, one), 3)})
        assert program.data_names == (names or program.data_names) and len(program.data_names) == len(data)
    program, _ = stage_model(lambda c, y=None: cr.sample("x", dist.Normal(c, 1.0)), (), {"y": [1.0], "c": 2.0})
    assert program.data_names == ["c", "y"]


def test_an_export_by_hand_has_the_same_rules():
    draws = np.random.default_rng(0).normal(size=(2, 5, 3))
    data = to_arviz(posterior={"w": draws}, unconstrained_posterior={"w": draws[..., :2], "v": draws},
                    log_prior={"w": draws[..., 0]}, predictions={"w": draws[..., :1]}, dims={"w": ["side"]},
                    coords={"side": list("abc")})
    assert data["unconstrained_posterior"]["w"].dims == ("chain", "draw", "w_dim_0")
    assert data["log_prior"]["w"].dims == ("chain", "draw")
    assert data["predictions"]["side"].values.tolist() == [0]
    assert data["posterior"]["side"].values.tolist() == list("abc")
