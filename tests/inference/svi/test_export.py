"""Draws of a fitted guide: in the original space, for ArviZ, and the plot of the losses."""
import numpy as onp
import pytest
from scipy import stats as sp

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import random, stats
from chainrule.inference import SVI, Trace_ELBO, TraceEnum_ELBO
from chainrule.inference.autoguide import AutoDelta, AutoLaplaceApproximation, AutoMultivariateNormal, AutoNormal
from chainrule.inference.optim import Adagrad, Adam
from chainrule.inference.stein import SVGD, RBFKernel, SteinVI

X, Y = onp.array([1.0, 2.0, 3.0]), onp.array([0.5, 1.5, 2.0])


def model(x, y):
    slope = cr.sample("slope", dist.HalfNormal(1.0))
    with cr.plate("part", 2, coords=["left", "right"]):
        cr.sample("b", dist.Normal(0.0, 1.0))
    cr.deterministic("twice", 2.0 * slope)
    sd = cr.param("sd", 1.5, constraint=dist.constraints.positive)
    with cr.plate("row", 3):
        cr.sample("y", dist.Normal(slope * x, sd), obs=y)


@pytest.fixture(scope="module")
def fitted():
    svi = SVI(model, AutoMultivariateNormal(model), Adam(0.02), Trace_ELBO(4))
    return svi, svi.run(random.key(0), 500, X, Y, progress_bar=False)


def test_draws_are_those_of_the_guide_in_the_sites_supports(fitted):
    svi, result = fitted
    drawn = svi.get_samples(random.key(1), result.params, X, Y, num_samples=2000)
    assert {k: v.shape for k, v in drawn.items()} == {"slope": (2000,), "b": (2000, 2), "twice": (2000,)}
    assert onp.allclose(drawn["twice"], 2.0 * drawn["slope"]) and (onp.asarray(drawn["slope"]) > 0).all()
    posterior = svi.guide.get_posterior(result.params)
    z = (onp.log(drawn["slope"]) - float(posterior.mean[0])) / float(posterior.variance[0]) ** 0.5
    assert sp.kstest(z, "norm").pvalue > 1e-4                            # a false alarm in 10,000
    before = stats().compilations
    again = svi.get_samples(random.key(1), result.params, X, Y + 1.0, num_samples=700)
    assert stats().compilations == before and onp.array_equal(again["b"], drawn["b"][:700])


def test_arviz_gets_all_groups_with_the_plates_names(fitted):
    svi, result = fitted
    made = svi.to_arviz(random.key(1), result.params, X, Y, num_samples=300, log_likelihood=True, log_prior=True,
                        posterior_predictive=True)
    assert made["posterior"]["b"].dims == ("chain", "draw", "part") and made["posterior"]["b"].shape == (1, 300, 2)
    assert made["posterior"]["b"].coords["part"].values.tolist() == ["left", "right"]
    for group in ("log_likelihood", "posterior_predictive", "observed_data"):
        assert made[group]["y"].dims[-1] == "row"
    assert made["constant_data"]["x"].values.tolist() == X.tolist()
    slope, sd = made["posterior"]["slope"].values[0], float(result.params["sd"])
    term = sp.norm.logpdf(Y, slope[:, None] * X, sd)                     # the model's param is the fitted one
    assert onp.allclose(made["log_likelihood"]["y"].values[0], term)
    prior = made["log_prior"]["slope"].values[0] + made["log_prior"]["b"].values[0].sum(-1)
    assert onp.allclose(made["sample_stats"]["lp"].values[0], term.sum(1) + prior)
    z = onp.concatenate([onp.log(slope)[:, None], made["posterior"]["b"].values[0]], 1)
    log_q = onp.asarray(svi.guide.get_posterior(result.params).log_prob(z)) - onp.log(slope)
    assert onp.allclose(made["sample_stats"]["log_weight"].values[0], term.sum(1) + prior - log_q)
    spread = (made["posterior_predictive"]["y"].values[0] - slope[:, None] * X) / sd
    assert sp.kstest(spread.ravel(), "norm").pvalue > 1e-4
    assert made.posterior.attrs["inference_library"] == "chainrule"


def test_guides_that_are_a_posterior_after_the_fit_alone_draw_from_it():
    guide = AutoLaplaceApproximation(model)
    svi = SVI(model, guide, Adam(0.05))
    params = svi.run(random.key(0), 400, X, Y, progress_bar=False).params
    drawn = svi.get_samples(random.key(1), params, X, Y, num_samples=200)
    assert drawn["twice"].shape == (200,) and onp.asarray(drawn["slope"]).std() > 0.01
    assert "sample_stats" not in svi.to_arviz(random.key(1), params, X, Y, num_samples=20).groups()


def test_a_subsampled_plate_s_draws_are_those_of_the_whole():
    def model(y):
        with cr.plate("i", 4, subsample_size=2) as i:
            z = cr.sample("z", dist.Normal(0.0, 1.0))
            cr.sample("y", dist.Normal(z, 1.0), obs=y[i])

    def by_hand(y):
        with cr.plate("i", 4, subsample_size=2):
            cr.sample("z", dist.Normal(cr.param("m", np.zeros(4), event_dim=0), 1.0))

    svi, y = SVI(model, AutoNormal(model), Adam(0.05)), onp.arange(4.0)
    params = svi.run(random.key(0), 50, y, progress_bar=False).params
    assert svi.get_samples(random.key(1), params, y, num_samples=5)["z"].shape == (5, 4)
    with pytest.raises(ValueError, match="a guide written by hand draws for a part of it alone"):
        SVI(model, by_hand, Adam(0.05)).get_samples(random.key(1), {"m": np.zeros(4)}, y)


def test_mixtures_and_points_give_draws_too():
    def model():
        cr.sample("z", dist.Gamma(3.0, 1.0))

    svgd = SVGD(model, Adagrad(0.5), RBFKernel(), num_stein_particles=7)
    params = svgd.run(random.key(0), 30, progress_bar=False).params
    drawn = svgd.get_samples(random.key(1), params, num_samples=14)["z"]
    assert onp.array_equal(drawn, onp.tile(svgd.samples(params)["z"], 2))
    stein = SteinVI(model, AutoNormal(model, init_scale=1e-6), Adam(0.0), RBFKernel(), 3, 1)
    params = stein.run(random.key(0), 1, progress_bar=False).params
    z = onp.log(stein.get_samples(random.key(1), params, num_samples=200)["z"])
    near = abs(z[:, None] - onp.asarray(params["z_auto_loc"])).argmin(1)
    assert set(near) == {0, 1, 2} and stein.to_arviz(random.key(1), params)["posterior"]["z"].shape == (1, 1000)


def test_sites_that_are_summed_out_are_left_out():
    def model():
        a = cr.sample("a", dist.Normal(0.0, 1.0))
        k = cr.sample("k", dist.Bernoulli(0.3))
        cr.sample("y", dist.Normal(a + k, 1.0), obs=1.0)

    def guide():
        cr.sample("a", dist.Normal(cr.param("m", 0.0), 1.0))

    svi = SVI(model, guide, Adam(0.05), TraceEnum_ELBO())
    assert list(svi.get_samples(random.key(0), {"m": 0.5}, num_samples=3)) == ["a"]
    assert list(svi.to_arviz(random.key(0), {"m": 0.5}, num_samples=3)["posterior"].data_vars) == ["a"]
    with pytest.raises(ValueError, match="site 'k' is summed out and has no draws"):
        svi.to_arviz(random.key(0), {"m": 0.5}, log_likelihood=True)


def test_losses_are_drawn_with_their_mean():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    svi = SVI(model, AutoDelta(model), Adam(0.05))
    result = svi.run(random.key(0), 100, X, Y, progress_bar=False, num_restarts=2)
    noisy, mean = result.plot(window=10).lines
    assert onp.array_equal(noisy.get_ydata(), result.losses)
    assert mean.get_ydata()[0] == pytest.approx(float(result.losses[:10].mean())) and len(mean.get_ydata()) == 91
    assert len(result.restarts.plot().lines) == 4
    with pytest.raises(ValueError, match="window must lie between 1 and"):
        result.plot(window=101)
    matplotlib.pyplot.close("all")
    with pytest.raises(ValueError, match="num_samples must be"):
        svi.get_samples(random.key(0), result.params, X, Y, num_samples=0)
