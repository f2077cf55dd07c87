"""Guides of parts of a model index by index, and of annealed steps: their densities, by the law of `test_guides`."""
import numpy as onp
import pytest

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import random, vmap
from chainrule.inference import SVI, Trace_ELBO, init_to_feasible, init_to_value
from chainrule.inference.autoguide import (
    AutoBatchedLowRankMultivariateNormal,
    AutoBatchedMultivariateNormal,
    AutoDAIS,
    AutoNormal,
    AutoSemiDAIS,
    AutoSurrogateLikelihoodDAIS,
)
from chainrule.inference.optim import Adam
from chainrule.inference.svi.guides.dais import params_of
from chainrule.ppl.handlers import block, seed, substitute
from chainrule.ppl.model import stage_model
from chainrule.ppl.sites import SiteError
from tests.inference.svi.test_guides import EVIDENCE, Y, assert_evidence, linear

BATCHED = [AutoBatchedMultivariateNormal, AutoBatchedLowRankMultivariateNormal]
POSITIVE = dist.constraints.positive


def rows(y):
    """No data: the evidence is 1."""
    with cr.plate("i", 3):
        a = cr.sample("a", dist.Normal(0.0, 1.0))
        cr.sample("s", dist.LogNormal(0.3 * a, 0.5))
        cr.sample("p", dist.MultivariateNormal(np.zeros(2), np.eye(2)))


@pytest.mark.parametrize("cls", BATCHED, ids=lambda c: c.__name__)
def test_batched_normals_have_the_density_that_they_say(cls):
    guide = cls(rows, init_loc_fn=init_to_feasible, init_scale=0.8)
    assert_evidence(rows, guide, 0.0, Y)
    svi = SVI(rows, guide, Adam(0.01))
    params = svi.get_params(svi.init(random.key(0), Y))
    assert params["auto_loc"].shape == (3, 4)
    t, z = guide.get_transform(params), onp.random.default_rng(0).normal(size=(3, 4))
    x = t(z)
    assert float(guide.get_posterior(params).log_prob(x)) == pytest.approx(
        float(guide.get_base_dist().log_prob(z) - t.log_abs_det_jacobian(z, x)), abs=1e-9)
    assert {k: v.shape for k, v in guide.quantiles(params, [0.1, 0.9]).items()} == {"a": (2, 3), "s": (2, 3),
                                                                                    "p": (2, 3, 2)}
    assert guide.sample_posterior(random.key(0), params, sample_shape=(5,))["p"].shape == (5, 3, 2)


def test_batched_normals_find_correlations_within_an_index():
    def pairs(y):
        with cr.plate("i", 3):
            a = cr.sample("a", dist.Normal(0.0, 1.0))
            b = cr.sample("b", dist.Normal(a, 1.0))
            cr.sample("y", dist.Normal(b, 1.0), obs=y)

    guide = AutoBatchedMultivariateNormal(pairs)
    result = SVI(pairs, guide, Adam(0.03), Trace_ELBO(10)).run(random.key(0), 600, Y, progress_bar=False)
    posterior = guide.get_posterior(result.params).base_dist
    precision = onp.array([[2.0, -1.0], [-1.0, 2.0]])
    assert onp.allclose(posterior.mean, onp.linalg.solve(precision, onp.stack([0 * Y, Y])).T, atol=0.15)
    assert onp.allclose(posterior.covariance_matrix, onp.linalg.inv(precision)[None], atol=0.15)


def test_sites_without_the_batch_are_refused():
    for cls in BATCHED:
        with pytest.raises(SiteError, match="all sites must have the same 1 first batch axes"):
            seed(cls(linear), 0)(Y)
    with pytest.raises(ValueError, match="batch_ndim"):
        AutoBatchedMultivariateNormal(rows, batch_ndim=0)
    with pytest.raises(ValueError, match="rank"):
        AutoBatchedLowRankMultivariateNormal(rows, rank=0)


# ---- annealed steps ----

def by_hand(y):
    return {"a": cr.sample("a", dist.Normal(cr.param("m", 0.1), 0.8))}


def deep(y):
    """Local sites with events and a second plate; no data."""
    a = cr.sample("a", dist.Normal(0.0, 1.0))
    with cr.plate("i", 2, dim=-2):
        cr.sample("p", dist.Dirichlet(3.0 * np.ones((2, 1, 3)) + 0.3 * a * a))
        with cr.plate("j", 2, dim=-1):
            cr.sample("g", dist.Gamma(2.0, np.exp(0.2 * a)))


@pytest.mark.parametrize("model, globals_, evidence", [
    (linear, by_hand, EVIDENCE), (linear, "auto", EVIDENCE), (deep, by_hand, 0.0)], ids=["hand", "auto", "deep"])
def test_local_steps_have_the_density_that_they_say(model, globals_, evidence):
    if globals_ == "auto":
        globals_ = AutoNormal(block(seed(linear, 0), hide=["b"]), init_loc_fn=init_to_feasible, init_scale=1.0)
    guide = AutoSemiDAIS(model, None, globals_, K=3, eta_init=0.05, init_scale=1.0, init_loc_fn=init_to_feasible)
    assert_evidence(model, guide, evidence, Y)


@pytest.mark.slow
def test_a_part_of_a_plate_stands_for_the_whole():
    """The mean bounds of 6,000 draws each, by 4.5 standard errors."""
    y = onp.array([1.0, 2.0, 3.0, 0.5, 1.5, 2.5])

    def made(size):
        def model(y):
            m = cr.sample("m", dist.Normal(0.0, 1.0))
            with cr.plate("i", 6, subsample_size=size):
                z = cr.sample("z", dist.Gamma(3.0, np.exp(m)))
                sd = cr.param("sd", 1.0, constraint=POSITIVE)
                cr.sample("y", dist.Normal(z, sd), obs=cr.subsample(y, event_dim=0) if size else y)
        return model

    def globals_(y):
        return {"m": cr.sample("m", dist.Normal(cr.param("mm", 0.1), 0.5))}

    means, errors = [], []
    for size in (2, None):
        model = made(size)
        start = init_to_value(values={"m": 0.0, "z": onp.ones(size or 6)})
        svi = SVI(model, AutoSemiDAIS(model, None, globals_, K=3, eta_init=0.05, init_scale=0.5, init_loc_fn=start),
                  Adam(0.01))
        state, pair = svi.init(random.key(0), y), svi.pair((y,), {})
        params = svi.optim.get_params(state.optim_state)
        assert params["auto_z_0_loc"].shape == (6, 1)
        losses = onp.asarray(vmap(lambda key, svi=svi, pair=pair, params=params: svi.loss.estimate(
            key, params, pair, None)[0])(random.split(random.key(3), 6000)))
        means.append(losses.mean())
        errors.append(losses.std() / 6000 ** 0.5)
        result = svi.run(random.key(0), 300, y, progress_bar=False)
        assert result.losses[-50:].mean() < result.losses[:50].mean()
        assert svi.get_samples(random.key(1), result.params, y, num_samples=4)["z"].shape == (4, size or 6)
        if size:
            with substitute(data={"i": onp.array([5, 0])}):
                assert svi.guide.sample_posterior(random.key(0), result.params, y)["z"].shape == (2,)
    assert abs(means[0] - means[1]) < 4.5 * onp.hypot(*errors)


def surrogate():
    a = cr.sample("a", dist.Normal(0.0, 1.0))
    with cr.plate("i", 3):
        b = cr.sample("b", dist.Normal(a, 0.8))
        with cr.handlers.scale(scale=cr.param("weights", 0.5 * np.ones(3), constraint=POSITIVE)):
            cr.sample("y", dist.Normal(b, 1.0), obs=Y)


def test_steps_by_a_surrogate_have_their_density_and_fit_its_params():
    guide = AutoSurrogateLikelihoodDAIS(linear, surrogate, K=3, eta_init=0.08, init_scale=1.0,
                                        init_loc_fn=init_to_feasible)
    assert_evidence(linear, guide, EVIDENCE, Y)
    result = SVI(linear, guide, Adam(0.02)).run(random.key(0), 300, Y, progress_bar=False)
    assert result.params["weights"].shape == (3,) and abs(result.params["weights"] - 0.5).max() > 0.02
    assert guide.sample_posterior(random.key(0), result.params, sample_shape=(2,))["b"].shape == (2, 3)

    def other():
        cr.sample("a", dist.Normal(0.0, 1.0))
    with pytest.raises(SiteError, match="the surrogate must have the model's latent sites"):
        seed(AutoSurrogateLikelihoodDAIS(linear, other), 0)(Y)


def test_the_model_s_own_params_move_the_steps():
    def model():
        cr.sample("z", dist.Normal(cr.param("loc", lambda key: 2.0 + 0.0 * random.normal(key)), 1.0))

    program, data = stage_model(model)
    with substitute(data={"loc": 5.0}):
        assert float(params_of(program, data)["loc"]) == 5.0
    guide = AutoDAIS(model, K=4, eta_init=0.09, init_scale=0.5, init_loc_fn=init_to_value(values={"z": 0.0}))
    svi = SVI(model, guide, Adam(0.01))
    params = svi.get_params(svi.init(random.key(0)))
    assert float(params["loc"]) == 2.0 and not svi.get_params(svi.init(random.key(1)))["loc"].shape
    near, far = (onp.mean(guide.sample_posterior(random.key(0), {**params, "loc": at}, sample_shape=(200,))["z"])
                 for at in (0.0, 20.0))
    assert far > near + 0.2


def test_guides_of_plates_name_what_they_lack():
    with pytest.raises(SiteError, match="there is none for a plate"):
        seed(AutoSemiDAIS(linear, None, lambda y: {"a": cr.sample("a", dist.Normal(0.0, 1.0)),
                                                   "b": cr.sample("b", dist.Normal(np.zeros(3), 1.0))}), 0)(Y)
    with pytest.raises(SiteError, match="the sites a, b must stand in one plate; they have none in common"):
        seed(AutoSemiDAIS(linear), 0)(Y)
    with pytest.raises(NotImplementedError, match="has no local_guide"):
        AutoSemiDAIS(linear, None, by_hand, lambda: None)
    with pytest.raises(ValueError, match="eta_init must lie between"):
        AutoSemiDAIS(linear, None, by_hand, eta_init=1.0)
