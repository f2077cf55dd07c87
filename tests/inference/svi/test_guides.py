"""Automatic guides: their densities, what they find, and what they say after a fit.

Whatever the params, E_q[p(z, x) / q(z)] = p(x). A guide's draws and density are tested by this, at 4.5 standard errors
(a false alarm in 150,000), on models whose evidence is known.
"""
import numpy as onp
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import make_jaxpr, random, scan, vmap
from chainrule.inference import SVI, Predictive, Trace_ELBO, init_to_feasible, init_to_value
from chainrule.inference.autoguide import (
    AutoBNAFNormal,
    AutoDAIS,
    AutoDelta,
    AutoDiagonalNormal,
    AutoGuideList,
    AutoIAFNormal,
    AutoLaplaceApproximation,
    AutoLowRankMultivariateNormal,
    AutoMultivariateNormal,
    AutoNormal,
    AutoSplineCoupling,
)
from chainrule.inference.optim import Adam, exponential_decay
from chainrule.inference.reparam import LocScaleReparam, NeuTraReparam
from chainrule.ppl.handlers import block, reparam, seed, trace
from chainrule.ppl.sites import SiteError

Y = onp.array([1.0, -0.5, 0.7])


def linear(y):
    """y = b + a + noise: all normal, so that the posterior and the evidence are known."""
    a = cr.sample("a", dist.Normal(0.0, 1.0))
    with cr.plate("i", 3):
        b = cr.sample("b", dist.Normal(a, 0.8))
        cr.sample("y", dist.Normal(b, 1.0), obs=y)


PRIOR = onp.block([[onp.ones((1, 1)), onp.ones((1, 3))], [onp.ones((3, 1)), 1.0 + 0.64 * onp.eye(3)]])
EVIDENCE = stats.multivariate_normal(onp.zeros(3), PRIOR[1:, 1:] + onp.eye(3)).logpdf(Y)
GAIN = PRIOR[:, 1:] @ onp.linalg.inv(PRIOR[1:, 1:] + onp.eye(3))
MEAN, COVARIANCE = GAIN @ Y, PRIOR - GAIN @ PRIOR[1:, :]

GUIDES = [(AutoNormal, {}), (AutoDiagonalNormal, {}), (AutoMultivariateNormal, {}),
          (AutoLowRankMultivariateNormal, {"rank": 2}), (AutoIAFNormal, {"num_flows": 2}),
          (AutoBNAFNormal, {"hidden_factors": (3,)}), (AutoSplineCoupling, {"hidden_dims": (8,), "num_flows": 2}),
          (AutoDAIS, {"K": 3, "eta_init": 0.08}), (AutoDAIS, {"K": 2, "base_dist": "cholesky"})]


def wide(cls, model, scale=1.0, **options):
    return cls(model, init_loc_fn=init_to_feasible, init_scale=scale, **options)


def shaken(params, size=0.1):
    """Params moved away from where they start, in unconstrained space."""
    return {k: v + size * random.normal(random.fold_in(random.key(1), i), v.shape)
            for i, (k, v) in enumerate(sorted(params.items()))}


def assert_evidence(model, guide, log_evidence, *args, n=4000, size=0.1):
    svi = SVI(model, guide, Adam(0.01), Trace_ELBO())
    state = svi.init(random.key(0), *args)
    pair, params = svi.pair(args, {}), shaken(svi.optim.get_params(state.optim_state), size)
    losses = vmap(lambda key: svi.loss.estimate(key, params, pair, None)[0])(random.split(random.key(2), n))
    ratio = onp.exp(-onp.asarray(losses) - log_evidence)
    assert ratio.std() > 0
    assert abs(ratio.mean() - 1.0) < 4.5 * ratio.std(ddof=1) / n ** 0.5, (ratio.mean(), ratio.std())


@pytest.mark.parametrize("cls, options", GUIDES, ids=lambda x: getattr(x, "__name__", None))
def test_draws_have_the_density_that_the_guide_says(cls, options):
    assert_evidence(linear, wide(cls, linear, **options), EVIDENCE, Y)


def test_constrained_sites_in_scans_and_plates_have_their_densities():
    def model(y):
        high = cr.sample("high", dist.Uniform(1.0, 2.0))
        cr.sample("u", dist.Uniform(0.0, high))                          # its support depends on another site
        with cr.plate("i", 2):
            cr.sample("p", dist.Dirichlet(np.ones(3)))

        def step(x, y):
            x = cr.sample("x", dist.Normal(0.5 * x, 1.0))
            return x, None
        scan(step, 0.0, y)
        with cr.plate("i", 2):
            cr.sample("t", dist.Gamma(3.0, 1.0))

    for cls in (AutoNormal, AutoDiagonalNormal):
        assert_evidence(model, wide(cls, model), 0.0, Y)


def test_the_set_of_an_improper_site_may_depend_on_another_one():
    """The area of a triangle; what cannot be drawn has a value of some kind, which says nothing of the set."""
    def model():
        x = cr.sample("x", dist.ImproperUniform(dist.constraints.unit_interval, (), ()))
        cr.sample("y", dist.ImproperUniform(dist.constraints.interval(0.0, 1.0 - x), (), ()))

    assert_evidence(model, wide(AutoDiagonalNormal, model), onp.log(0.5))


def test_a_subsampled_plate_has_params_for_the_whole():
    def model(y):
        m = cr.sample("m", dist.Normal(0.0, 1.0))
        with cr.plate("i", len(y), subsample_size=2):
            z = cr.sample("z", dist.LogNormal(m, 1.0))
            cr.sample("y", dist.Normal(z, 1.0), obs=cr.subsample(y, event_dim=0))

    guide = AutoNormal(model)
    svi = SVI(model, guide, Adam(0.03), Trace_ELBO())
    result = svi.run(random.key(0), 1500, onp.array([0.0, 2.0, 6.0, 9.0]), progress_bar=False)
    median = onp.asarray(guide.median(result.params)["z"])
    assert median.shape == (4,) and (onp.diff(median) > 0).all()
    with pytest.raises(SiteError, match="site 'z' stands in a subsampled plate"):
        SVI(model, AutoDiagonalNormal(model), Adam(0.1)).init(random.key(0), Y)


# ---- fits ----

def test_a_full_normal_finds_a_normal_posterior_exactly():
    guide = AutoMultivariateNormal(linear)
    svi = SVI(linear, guide, Adam(0.03), Trace_ELBO(num_particles=20))
    state = svi.run(random.key(0), 1200, Y, progress_bar=False).state
    slow = SVI(linear, guide, Adam(0.001), Trace_ELBO(num_particles=200))
    params = slow.run(random.key(1), 1500, Y, progress_bar=False, init_params=svi.get_params(state)).params
    posterior = guide.get_posterior(params)
    assert onp.allclose(posterior.mean, MEAN, atol=0.02)
    assert onp.allclose(posterior.covariance_matrix, COVARIANCE, atol=0.03)
    best = slow.evaluate(slow.init(random.key(2), Y, init_params=params), Y)
    assert float(best) == pytest.approx(-EVIDENCE, abs=0.01)


def test_a_low_rank_normal_of_enough_directions_finds_it_too():
    guide = AutoLowRankMultivariateNormal(linear, rank=4)
    rate = exponential_decay(0.05, 1500, 0.01)
    svi = SVI(linear, guide, Adam(rate), Trace_ELBO(num_particles=20))
    result = svi.run(random.key(0), 1500, Y, progress_bar=False)
    posterior = guide.get_posterior(result.params)
    assert onp.allclose(posterior.mean, MEAN, atol=0.02)
    assert onp.allclose(posterior.covariance_matrix, COVARIANCE, atol=0.03)
    assert onp.asarray(result.losses)[-500:].mean() == pytest.approx(-EVIDENCE, abs=0.005)


def test_at_the_posterior_the_bound_is_the_evidence_without_noise():
    root, s = onp.linalg.cholesky(COVARIANCE), onp.sqrt(0.5 * onp.linalg.eigvalsh(COVARIANCE)[0])
    factor = onp.linalg.cholesky(COVARIANCE - s ** 2 * onp.eye(4)) / s           # the covariance is s² (1 + F Fᵀ)
    exact = {AutoMultivariateNormal: {"auto_scale_tril": root},
             AutoLowRankMultivariateNormal: {"auto_cov_factor": factor, "auto_scale": onp.full(4, s)}}
    for cls, more in exact.items():
        guide = cls(linear, **({"rank": 4} if "auto_scale" in more else {}))
        assert onp.allclose(guide.get_posterior({"auto_loc": MEAN, **more}).covariance_matrix, COVARIANCE, atol=1e-12)
        for key in random.split(random.key(0), 3):
            loss = Trace_ELBO().loss(key, {"auto_loc": MEAN, **more}, linear, guide, Y)
            assert float(loss) == pytest.approx(-EVIDENCE, abs=1e-10)


def test_laplace_is_exact_for_a_normal_posterior():
    guide = AutoLaplaceApproximation(linear)
    params = SVI(linear, guide, Adam(0.05)).run(random.key(0), 800, Y, progress_bar=False).params
    posterior = guide.get_posterior(params)
    assert onp.allclose(posterior.mean, MEAN, atol=1e-4)
    assert onp.allclose(posterior.covariance_matrix, COVARIANCE, atol=1e-10)
    draws = guide.sample_posterior(random.key(1), params, sample_shape=(2000,))
    assert draws["b"].shape == (2000, 3)
    assert abs(onp.asarray(draws["a"]).mean() - MEAN[0]) < 4.5 * (COVARIANCE[0, 0] / 2000) ** 0.5


def test_laplace_knows_the_model_s_params():
    def model(y):
        mu = cr.sample("mu", dist.Normal(0.0, 1.0))
        with cr.plate("i", 3):
            cr.sample("y", dist.Normal(mu, cr.param("sd", 1.0, constraint=dist.constraints.positive)), obs=y)

    guide = AutoLaplaceApproximation(model)
    seed(guide, 0)(Y)
    precision = 1.0 / guide.get_posterior({"auto_loc": [0.0], "sd": 0.5}).covariance_matrix
    assert precision.item() == pytest.approx(1.0 + 3.0 / 0.25)


def test_a_learnt_reparameterisation_is_fitted_with_the_guide():
    model = reparam(linear, {"b": LocScaleReparam(None)})
    guide = AutoNormal(model)
    svi = SVI(model, guide, Adam(0.03), Trace_ELBO(num_particles=4))
    result = svi.run(random.key(0), 1000, Y, progress_bar=False)
    centred = SVI(linear, AutoNormal(linear), Adam(0.03), Trace_ELBO(num_particles=4))
    plain = centred.run(random.key(0), 1000, Y, progress_bar=False)
    assert abs(float(result.params["b_centered"]) - 0.5) > 0.05
    assert result.losses[-300:].mean() < plain.losses[-300:].mean() - 0.02
    draws = Predictive(model, guide=guide, params=result.params, num_samples=5, return_sites=["b"])(random.key(0), Y)
    assert draws["b"].shape == (5, 3)


def test_a_point_guide_finds_the_mode_in_the_model_s_space():
    def model(y):
        rate = cr.sample("rate", dist.Gamma(3.0, 2.0))
        with cr.plate("i", 3):
            cr.sample("y", dist.Exponential(rate), obs=y)

    guide = AutoDelta(model)
    y = onp.array([0.5, 1.0, 0.2])
    params = SVI(model, guide, Adam(0.05)).run(random.key(0), 800, y, progress_bar=False).params
    mode = (3.0 + 3 - 1) / (2.0 + y.sum())                                # of Gamma(3 + n, 2 + Σ y)
    assert float(guide.median(params)["rate"]) == pytest.approx(mode, abs=1e-5)
    assert float(params["rate_auto_loc"]) == pytest.approx(mode, abs=1e-5)
    assert guide.sample_posterior(random.key(0), params, sample_shape=(2,))["rate"].shape == (2,)


@pytest.mark.slow
@pytest.mark.parametrize("cls", [AutoIAFNormal, AutoSplineCoupling, AutoDAIS], ids=lambda c: c.__name__)
def test_richer_guides_come_nearer_to_a_curved_posterior(cls):
    def funnel():
        v = cr.sample("v", dist.Normal(0.0, 1.5))
        cr.sample("x", dist.Normal(0.0, np.exp(0.5 * v)))

    def loss(guide):
        svi = SVI(funnel, guide, Adam(0.005), Trace_ELBO(num_particles=10))
        return onp.asarray(svi.run(random.key(0), 4000, progress_bar=False).losses)[-1000:].mean()

    assert loss(cls(funnel)) < loss(AutoDiagonalNormal(funnel)) - 0.03     # the divergence; 0 at the posterior


# ---- what they say ----

def test_quantiles_and_medians_are_those_of_the_draws():
    def model():
        cr.sample("s", dist.HalfNormal(1.0))
        cr.sample("p", dist.Beta(2.0, 2.0))

    params = {"s_auto_loc": 0.3, "s_auto_scale": 0.5, "p_auto_loc": -0.2, "p_auto_scale": 0.8}
    joint = {"auto_loc": [0.3, -0.2], "auto_scale": [0.5, 0.8]}
    for guide, values in ((AutoNormal(model), params), (AutoDiagonalNormal(model), joint)):
        seed(guide, 0)()
        q = guide.quantiles(values, [0.1, 0.5, 0.9])
        assert q["s"].tolist() == pytest.approx(onp.exp(0.3 + 0.5 * stats.norm.ppf([0.1, 0.5, 0.9])))
        assert float(guide.median(values)["p"]) == pytest.approx(1 / (1 + onp.exp(0.2)))
        draws = guide.sample_posterior(random.key(0), values, sample_shape=(40, 50))["p"]
        below = (onp.asarray(draws) < float(q["p"][0])).mean()
        assert draws.shape == (40, 50) and abs(below - 0.1) < 4.5 * (0.09 / 2000) ** 0.5


@pytest.mark.parametrize("cls", [AutoDiagonalNormal, AutoMultivariateNormal, AutoLowRankMultivariateNormal,
                                 AutoIAFNormal, AutoSplineCoupling, AutoBNAFNormal], ids=lambda c: c.__name__)
def test_the_transform_takes_normal_numbers_to_the_posterior(cls):
    guide = cls(linear)
    svi = SVI(linear, guide, Adam(0.01))
    params = svi.get_params(svi.init(random.key(0), Y))
    t, z = guide.get_transform(params), onp.array([0.3, -1.0, 0.5, 0.1])
    x = t(z)
    base = float(guide.get_base_dist().log_prob(z))
    assert float(guide.get_posterior(params).log_prob(x)) == pytest.approx(
        base - float(t.log_abs_det_jacobian(z, x)), abs=1e-6)


def test_a_step_of_a_flow_evaluates_each_network_once():
    """Draws and log-determinants share it: two flows have two networks of three layers each."""
    guide = AutoIAFNormal(linear, num_flows=2)
    svi = SVI(linear, guide, Adam(0.01))
    state = svi.init(random.key(0), Y)
    made = str(make_jaxpr(lambda s: svi.loss.estimate(s.rng_key, svi.optim.get_params(s.optim_state),
                                                      svi.pair((Y,), {}), None)[0])(state))
    assert made.count(" = dot_general") == 6


def test_a_fitted_guide_straightens_a_model_for_other_samplers():
    guide = AutoMultivariateNormal(linear)
    svi = SVI(linear, guide, Adam(0.01))
    params = svi.get_params(svi.init(random.key(0), Y))
    exact = {**params, "auto_loc": MEAN, "auto_scale_tril": onp.linalg.cholesky(COVARIANCE)}
    neutra = NeuTraReparam(guide, exact)
    model = neutra.reparam(linear)
    z = onp.array([[0.0, 0.0, 0.0, 0.0], [0.5, -1.0, 2.0, 0.3]])
    density = onp.array([float(cr.log_density(model, (Y,), {}, {"auto_shared_latent": row})[0]) for row in z])
    assert onp.ptp(density + 0.5 * (z ** 2).sum(1)) < 1e-9                 # N(0, I), up to a constant
    assert neutra.transform_sample(onp.zeros(4))["b"].tolist() == pytest.approx(MEAN[1:])


def test_predictions_need_no_data():
    def model(y=None):
        mu = cr.sample("mu", dist.Normal(0.0, 1.0))
        with cr.plate("i", 3):
            cr.sample("y", dist.Normal(mu, 1.0), obs=y)

    guide = AutoNormal(model)
    params = SVI(model, guide, Adam(0.05)).run(random.key(0), 50, Y, progress_bar=False).params
    draws = Predictive(model, guide=guide, params=params, num_samples=7)(random.key(0))
    assert draws["y"].shape == (7, 3)


def test_guides_are_joined():
    guide = AutoGuideList(linear)
    guide.append(AutoNormal(block(seed(linear, 0), hide=["b"])))
    guide.append(AutoDelta(block(seed(linear, 0), expose=["b"])))
    svi = SVI(linear, guide, Adam(0.05))
    params = svi.run(random.key(0), 300, Y, progress_bar=False).params
    assert set(params) == {"a_auto_loc", "a_auto_scale", "b_auto_loc"}
    assert {k: v.shape for k, v in guide.median(params).items()} == {"a": (), "b": (3,)}
    assert guide.sample_posterior(random.key(0), params, sample_shape=(2,))["a"].shape == (2,)


def test_names_are_those_that_people_know():
    names = {AutoNormal: ["a_auto_loc", "a_auto_scale", "a", "b_auto_loc", "b_auto_scale", "b"],
             AutoMultivariateNormal: ["auto_loc", "auto_scale_tril", "_auto_latent", "a", "b"],
             AutoLowRankMultivariateNormal: ["auto_loc", "auto_cov_factor", "auto_scale", "_auto_latent", "a", "b"]}
    for cls, expected in names.items():
        assert list(trace(seed(cls(linear), 0)).get_trace(Y)) == expected


def test_starts_are_those_of_the_strategy_and_differ_with_the_key():
    guide = AutoNormal(linear, init_loc_fn=init_to_value(values={"a": 1.5, "b": onp.arange(3.0)}))
    svi = SVI(linear, guide, Adam(0.1))
    assert svi.get_params(svi.init(random.key(0), Y))["b_auto_loc"].tolist() == [0.0, 1.0, 2.0]
    svi = SVI(linear, AutoNormal(linear), Adam(0.1))
    a, b = (float(svi.get_params(svi.init(random.key(i), Y))["a_auto_loc"]) for i in (0, 1))
    assert a != b


def test_models_without_a_place_for_them_are_refused():
    def coin():
        cr.sample("k", dist.Bernoulli(0.5))

    with pytest.raises(SiteError, match="site 'k' is discrete and not observed"):
        SVI(coin, AutoNormal(coin), Adam(0.1)).init(random.key(0))
    with pytest.raises(SiteError, match="has no latent site"):
        seed(AutoNormal(lambda: cr.sample("y", dist.Normal(0.0, 1.0), obs=0.0)), 0)()
    with pytest.raises(SiteError, match="needs at least 2 latent numbers"):
        seed(AutoIAFNormal(lambda: cr.sample("z", dist.Normal(0.0, 1.0))), 0)()
    with pytest.raises(RuntimeError, match="has not met its model's data yet"):
        AutoNormal(linear).median({})
    with pytest.raises(ValueError, match="init_scale must be positive"):
        AutoNormal(linear, init_scale=0.0)
