"""The options of the samplers: metrics, blocks, where adaptation begins."""
import numpy as np
import pytest

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random, stats
from chainrule.inference import MCMC, NUTS, SamplingError, diagnostics
from chainrule.inference.samplers import couplings
from chainrule.ppl.model import stage_model

COVARIANCE = np.array([[1.0, 0.95, 0.0], [0.95, 1.0, 0.0], [0.0, 0.0, 100.0]])


def correlated(covariance):
    cr.sample("ab", dist.MultivariateNormal(np.zeros(3), covariance))
    cr.sample("c", dist.Gamma(2.0, 1.0))


def fit(seed=0, **options):
    mcmc = MCMC(NUTS(correlated, **options), num_warmup=600, num_samples=800, num_chains=2, progress_bar=False)
    mcmc.run(random.key(seed), COVARIANCE)
    return mcmc


@pytest.mark.parametrize("dense_mass", [True, [("ab",)], [("ab", "c")]], ids=str)
def test_a_dense_metric_learns_the_covariance(dense_mass):
    mcmc = fit(dense_mass=dense_mass)
    x = np.asarray(mcmc.get_samples(group_by_chain=True)["ab"])
    assert np.all(np.abs(x.mean((0, 1)) / diagnostics.mcse_mean(x)) < 4.5)
    for c in mcmc.last_state:
        m = np.asarray(c.adaptation.params.metric.covariance)
        assert 0.85 < m[0, 1] / np.sqrt(m[0, 0] * m[1, 1]) < 0.99 and 40 < m[2, 2] < 200
        assert (m[0, 3] == 0.0) == (dense_mass == [("ab",)])
        root = np.asarray(c.adaptation.params.metric.root)
        np.testing.assert_allclose(root @ root.T @ m, np.eye(4), atol=1e-8)
    steps = lambda m: float(np.mean(np.asarray(m.get_extra_fields()["num_steps"])))
    assert steps(mcmc) < 0.7 * steps(fit())                      # the diagonal cannot see the correlation


def test_another_dense_fit_compiles_nothing():
    fit(dense_mass=True)
    before = stats().compilations
    fit(1, dense_mass=True)
    assert stats().compilations == before


def test_a_dense_metric_that_is_given_and_kept():
    m = np.eye(4) + 0.1
    mcmc = fit(dense_mass=True, inverse_mass_matrix=m, adapt_mass_matrix=False)
    np.testing.assert_array_equal(mcmc.last_state[0].adaptation.params.metric.covariance, m)


def test_blocks_are_places_of_the_unconstrained_parameters():
    program, data = stage_model(correlated, (COVARIANCE,))
    program.describe(data)
    out = couplings([("c",), "ab"], program.latents)
    expected = np.eye(4, dtype=bool)
    expected[:3, :3] = True
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("options, text", [
    (dict(dense_mass=[("ab", "d")]), "'d', which is no latent site"),
    (dict(dense_mass=[("ab",), ("ab", "c")]), "in two blocks"),
    (dict(dense_mass=True, inverse_mass_matrix=np.ones(4)), "shape"),
    (dict(dense_mass=True, inverse_mass_matrix=-np.eye(4)), "covariance"),
    (dict(dense_mass=[("ab",)], inverse_mass_matrix=np.eye(4) + 0.1), "blocks of dense_mass"),
    (dict(inverse_mass_matrix=np.eye(4)), "it is the diagonal, 4 positive numbers"),
])
def test_mistakes(options, text):
    with pytest.raises(SamplingError, match=text):
        fit(**options)


def test_methods_that_do_not_go_together():
    with pytest.raises(ValueError, match="diagonal metrics"):
        NUTS(correlated, dense_mass=True, adaptation="fisher")
    with pytest.raises(ValueError, match="choose one of"):
        NUTS(correlated, adaptation="none")


def test_trees_of_warm_up_may_have_a_limit_of_their_own():
    mcmc = MCMC(NUTS(correlated, max_tree_depth=(2, 6), step_size=0.02, adapt_step_size=False), num_warmup=40,
                num_samples=40, progress_bar=False, warn=False)
    mcmc.warmup(random.key(0), COVARIANCE, collect_warmup=True)
    before = np.asarray(mcmc.get_extra_fields()["num_steps"])
    mcmc.run(random.key(0), COVARIANCE)
    after = np.asarray(mcmc.get_extra_fields()["num_steps"])
    assert before.max() == 3 and after.max() == 63


def test_trees_of_warm_up_are_cut_short_by_their_own_limit(tmp_path):
    def model():
        cr.sample("x", dist.Normal(np.zeros(2), 1.0))

    mcmc = MCMC(NUTS(model, max_tree_depth=(2, 6), step_size=0.02, adapt_step_size=False), num_warmup=40,
                num_samples=40, progress_bar=False, warn=False, keep_warmup=True, store=tmp_path / "run")
    mcmc.run(random.key(0))
    groups = mcmc.to_arviz()
    for group, limit in (("warmup_sample_stats", 3), ("sample_stats", 63)):
        steps, reached = (groups[group][name].values for name in ("n_steps", "reached_max_treedepth"))
        assert reached.any() and np.array_equal(reached, steps == limit), group
    mcmc.store = None
    mcmc.warmup(random.key(0), collect_warmup=True)
    assert mcmc.to_arviz()["sample_stats"]["reached_max_treedepth"].values.any()


def test_a_limit_of_trees_that_is_none():
    with pytest.raises(ValueError, match="pair of them"):
        NUTS(correlated, max_tree_depth=(1, 2, 3))
