"""A whole fit as a pure function."""
import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import jit, random, stats, vmap
from chainrule.inference import MCMC, NUTS, SamplingError, fit, init_to_median
from chainrule.inference.diagnostics import ess_bulk, mcse_mean, rhat


def regression(x, y):
    alpha = cr.sample("alpha", dist.Normal(0.0, 3.0))
    beta = cr.deterministic("twice", 2.0 * cr.sample("beta", dist.Normal(0.0, 3.0))) / 2.0
    sigma = cr.sample("sigma", dist.HalfNormal(2.0))
    with cr.plate("row", len(y)):
        cr.sample("y", dist.Normal(alpha + beta * x, sigma), obs=y)


RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 30))
SLOPES = np.linspace(-3.0, 3.0, 6)
Y = 1.0 + SLOPES[:, None] * X + 0.5 * RNG.normal(size=(6, 30))
OPTIONS = dict(num_warmup=150, num_samples=200, num_chains=2)


@jit
def many(keys, xs, ys):
    return vmap(lambda key, x, y: fit(NUTS(regression), key, x, y, **OPTIONS))(keys, xs, ys)


def test_many_fits_as_one_program():
    """Each data set's posterior by its own: against the fit of that data set alone by MCMC, whose draws it has."""
    keys = random.split(random.key(1), 6)
    done = many(keys, X, Y)
    assert done.samples["beta"].shape == (6, 2, 200) and not np.any(np.asarray(done.failed))
    beta = np.asarray(done.samples["beta"])
    for i in range(6):
        alone = MCMC(NUTS(regression), **OPTIONS, progress_bar=False)
        alone.run(keys[i], X[i], Y[i])
        draws = alone.get_samples(group_by_chain=True)
        np.testing.assert_allclose(beta[i, :, :3], np.asarray(draws["beta"])[:, :3], atol=0.02)     # rounding grows
        other = np.asarray(draws["beta"])
        error = np.hypot(mcse_mean(beta[i]), mcse_mean(other))
        assert abs(beta[i].mean() - other.mean()) < 4.5 * error
        np.testing.assert_allclose(np.asarray(done.samples["twice"])[i], 2.0 * beta[i], rtol=1e-12)
        np.testing.assert_allclose(done.rhat["beta"][i], rhat(beta[i]), rtol=1e-10)
        np.testing.assert_allclose(done.ess_bulk["beta"][i], ess_bulk(beta[i]), rtol=1e-10)
    assert np.all(np.abs(beta.mean((1, 2)) - SLOPES) < 0.5)
    assert len(np.unique(np.asarray(done.step_size))) == 12              # each chain has its own
    assert set(done.rhat) == set(done.ess_bulk) == set(done.samples)
    assert all(x.shape == (6,) for x in done.rhat.values())
    before = stats().compilations
    many(keys, X + 1.0, Y)
    assert stats().compilations == before


def test_no_chain_waits_for_anothers_tree():
    """Gradients issued: those of the chain that needs most, because all chains advance by one gradient together."""
    done = many(random.split(random.key(2), 6), X, Y)
    gradients, steps = np.asarray(done.gradients), np.asarray(done.stats["num_steps"])
    assert gradients.shape == (6, 2) and np.all(gradients > steps.sum(-1))
    assert gradients.max() < 1.6 * gradients.mean()


def test_a_strategy_and_its_failure():
    one = jit(lambda key, y: fit(NUTS(regression, init_strategy=init_to_median), key, X[0], y, **OPTIONS))
    good = one(random.key(0), Y[0])
    assert not np.any(np.asarray(good.failed))
    bad = one(random.key(0), np.full(30, np.nan))
    assert np.all(np.asarray(bad.failed))


def test_a_model_without_latent_sites():
    with pytest.raises(SamplingError, match="no latent sites"):
        fit(NUTS(lambda y: cr.sample("y", dist.Normal(0.0, 1.0), obs=y)), random.key(0), 0.5)
