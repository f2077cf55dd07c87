"""Where NUTS starts: every strategy, in every layout, and what is said when none of its points will do."""
import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import random
from chainrule.inference import (
    MCMC,
    NUTS,
    SamplingError,
    find_valid_initial_params,
    fit,
    init_to_feasible,
    init_to_mean,
    init_to_median,
    init_to_pathfinder,
    init_to_sample,
    init_to_uniform,
    init_to_value,
)

STRATEGIES = {"uniform": init_to_uniform(radius=0.5), "median": init_to_median, "few": init_to_median(num_samples=3),
              "mean": init_to_mean, "sample": init_to_sample(), "feasible": init_to_feasible,
              "value": init_to_value(values={"mu": 7.0})}
Y = np.array([0.1, -0.4, 1.2])


def hierarchy(y):
    mu = cr.sample("mu", dist.Normal(5.0, 1.0))
    tau = cr.sample("tau", dist.HalfNormal(1.0))
    with cr.plate("i", 3):
        theta = cr.sample("theta", dist.Normal(mu, tau))
    cr.sample("y", dist.Normal(theta, 1.0), obs=y)


def half_of_it():
    """Valid where x > 0, so at half of the points."""
    x = cr.sample("x", dist.Normal(0.0, 1.0))
    cr.factor("f", cnp.log(x))


def starts(model, *args, strategy, chains=3, method="parallel", seed=0, **run):
    """The points at which chains start: a step of next to no length away."""
    kernel = NUTS(model, init_strategy=strategy, step_size=1e-9, max_tree_depth=1, adapt_step_size=False)
    mcmc = MCMC(kernel, num_warmup=0, num_samples=1, num_chains=chains, chain_method=method, progress_bar=False)
    mcmc.run(random.key(seed), *args, **run)
    return {k: np.asarray(v)[:, 0] for k, v in mcmc.get_samples(group_by_chain=True).items()}


@pytest.mark.parametrize("name", STRATEGIES)
def test_chains_start_where_the_strategy_says(name):
    x = starts(hierarchy, Y, strategy=STRATEGIES[name])
    if name == "uniform":
        assert np.abs(x["mu"]).max() < 0.5 and np.abs(np.log(x["tau"])).max() < 0.5
        assert len(set(x["mu"])) == 3
        return
    for c in range(3):
        key = random.fold_in(random.key(0), c)
        z = find_valid_initial_params(key, hierarchy, init_strategy=STRATEGIES[name], model_args=(Y,))[0].z
        np.testing.assert_allclose(x["mu"][c], z["mu"], atol=1e-6)
        np.testing.assert_allclose(x["tau"][c], np.exp(z["tau"]), atol=1e-6)
        np.testing.assert_allclose(x["theta"][c], z["theta"], atol=1e-6)
    expected = {"mean": 5.0, "feasible": 0.0, "value": 7.0}
    if name in expected:
        np.testing.assert_allclose(x["mu"], expected[name], atol=1e-6)


@pytest.mark.parametrize("name", ["median", "sample"])
def test_the_layout_of_a_run_does_not_change_its_starts(name):
    parallel = starts(half_of_it, strategy=STRATEGIES[name], chains=6)
    assert (parallel["x"] > 0).all()                     # by chance without a search: 2⁻⁶
    for method in ("sequential", "vectorized"):
        again = starts(half_of_it, strategy=STRATEGIES[name], chains=6, method=method)
        np.testing.assert_allclose(again["x"], parallel["x"], rtol=1e-12)
    fewer = starts(half_of_it, strategy=STRATEGIES[name], chains=2)
    np.testing.assert_array_equal(fewer["x"], parallel["x"][:2])


def test_init_to_uniform_is_the_default_and_takes_a_radius():
    expected = starts(hierarchy, Y, strategy=None)
    for strategy in (init_to_uniform, init_to_uniform()):
        assert all(np.array_equal(v, expected[k]) for k, v in starts(hierarchy, Y, strategy=strategy).items())
    assert NUTS(hierarchy, init_strategy=init_to_uniform(radius=0.25)).init_radius == 0.25
    assert NUTS(hierarchy, init_strategy=init_to_uniform(radius=0.0), init_radius=3.0).init_radius == 0.0
    assert NUTS(hierarchy, init_radius=3.0).init_radius == 3.0


def test_init_params_go_before_the_strategy():
    given = {"mu": 1.0, "tau": 0.0, "theta": np.zeros(3)}
    x = starts(hierarchy, Y, strategy=init_to_median, init_params=given)
    np.testing.assert_allclose(x["mu"], 1.0, atol=1e-6)


def test_a_run_from_the_median_has_the_posterior():
    """Normal(0, 1) prior, one observation 1 with sd 1: Normal(1/2, 1/2). False alarms: 7 · 10⁻⁶ (4.5 sd at ess 400)."""
    def model(y):
        mu = cr.sample("mu", dist.Normal(0.0, 1.0))
        cr.sample("y", dist.Normal(mu, 1.0), obs=y)

    mcmc = MCMC(NUTS(model, init_strategy=init_to_median), num_warmup=200, num_samples=1000, num_chains=2,
                progress_bar=False)
    mcmc.run(random.key(1), 1.0)
    mu = np.asarray(mcmc.get_samples()["mu"])
    assert abs(mu.mean() - 0.5) < 4.5 * 0.5 ** 0.5 / 400 ** 0.5


@pytest.mark.parametrize("method", ["parallel", "vectorized"])
@pytest.mark.parametrize("strategy", [init_to_uniform, init_to_sample, init_to_value(values={"x": -2.0})],
                         ids=["uniform", "sample", "value"])
def test_no_valid_start_names_the_guilty_site(strategy, method):
    def never():
        x = cr.sample("x", dist.Normal(0.0, 1.0))
        cr.sample("fine", dist.Normal(x, 1.0), obs=0.0)
        cr.factor("broken", cnp.log(-1.0 - x ** 2))

    text = r"chain \d: no start(.|\n)*'broken' \(a factor, shape \(\)\): value nan; log-density nan(.|\n)*starts.py:\d"
    with pytest.raises(SamplingError, match=text) as e:
        starts(never, strategy=strategy, method=method)
    assert "'fine'" not in str(e.value)


def test_init_params_that_will_not_do():
    with pytest.raises(SamplingError, match=r"chain 1: the start given by init_params will not do(.|\n)*'f'.*nan"):
        starts(half_of_it, strategy=init_to_median, chains=2, init_params={"x": np.array([1.0, -1.0])})


# ---- Pathfinder ----

def far_off():
    """500 standard deviations from where uniform starts are; correlated 0.9."""
    covariance = 0.01 * np.array([[1.0, 0.9], [0.9, 1.0]])
    cr.sample("x", dist.MultivariateNormal(np.array([50.0, -50.0]), covariance))
    cr.sample("s", dist.LogNormal(3.0, 0.1))


def test_a_path_ends_in_the_posterior_in_every_layout():
    """A path to a normal target ends at it, and the start is a draw. False alarms: 2 · 10⁻⁶ (5.5 sd, 12 numbers)."""
    x = starts(far_off, strategy=init_to_pathfinder, chains=4)
    z = np.concatenate([(x["x"] - [50.0, -50.0]) / 0.1, (np.log(x["s"])[:, None] - 3.0) / 0.1], axis=1)
    assert np.abs(z).max() < 5.5 and len(set(z[:, 0])) == 4
    assert abs((z[:, 0] - z[:, 1]) / 0.2 ** 0.5).max() < 5.5              # the correlation too
    for method in ("sequential", "vectorized"):
        again = starts(far_off, strategy=init_to_pathfinder, chains=4, method=method)
        np.testing.assert_allclose(again["x"], x["x"], rtol=1e-9)
    kernel = NUTS(far_off, init_strategy=init_to_pathfinder, step_size=1e-9, max_tree_depth=1, adapt_step_size=False)
    one = fit(kernel, random.key(0), num_warmup=0, num_samples=1, num_chains=4)
    np.testing.assert_allclose(np.asarray(one.samples["x"])[:, 0], x["x"], rtol=1e-9)
    mcmc = MCMC(kernel, num_warmup=0, num_samples=1, num_chains=4, progress_bar=False, warn=False)
    mcmc.run(random.key(0))
    assert mcmc.gradients == int(np.asarray(one.gradients).sum()) > 4 * 2 + 4 * 5       # those of the paths too


def test_a_path_that_has_nowhere_to_go():
    with pytest.raises(SamplingError, match=r"no start was found(.|\n)*'f'"):
        starts(lambda: cr.factor("f", cnp.log(-1.0 - cr.sample("x", dist.Normal(0.0, 1.0)) ** 2)), chains=1,
               strategy=init_to_pathfinder)
    with pytest.raises(SamplingError, match="'k' is discrete"):
        starts(lambda: cr.sample("k", dist.Poisson(1.0)), strategy=init_to_pathfinder)
    with pytest.raises(SamplingError, match="no latent sites"):
        starts(lambda: cr.sample("y", dist.Normal(0.0, 1.0), obs=1.0), strategy=init_to_pathfinder)
    with pytest.raises(TypeError, match="for a whole model"):
        init_to_pathfinder({"name": "x"})
