"""Pathfinder: its covariances against BFGS written out, draws against SciPy, exact posteriors, modes, counts."""
import numpy as onp
import pytest
from scipy import stats as sp

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import jit, random, stats, vmap
from chainrule.inference import init_to_value, multipathfinder, path_normal, pathfinder
from chainrule.inference.importance import effective_draws, resampled, smoothed
from tests.inference.targets import (
    COUNTY,
    EFFECTS,
    EIGHT_SCHOOLS,
    ERRORS,
    FLOOR,
    RADON,
    VARYING_INTERCEPTS,
    eight_schools,
    radon,
)


def steps(d, n, seed=0):
    """Steps and changes of the gradient of a quadratic function."""
    rng = onp.random.default_rng(seed)
    root = rng.normal(size=(d, d))
    hessian = root @ root.T + onp.eye(d)
    s = rng.normal(size=(n, d))
    return hessian, s, s @ hessian


@pytest.mark.parametrize("d, n", [(6, 3), (6, 0), (3, 5), (2, 9), (1, 4), (20, 2)])
def test_the_covariance_is_that_of_bfgs_and_the_draws_are_its(d, n):
    """H ← (I - ρ s yᵀ) H (I - ρ y sᵀ) + ρ s sᵀ from diag(α), over the last five steps."""
    _, s, y = steps(d, n)
    memory, alpha = path_normal.start(np.zeros(d), 5), onp.ones(d)
    for a, b in zip(s, y):
        memory = path_normal.learn(memory, np.asarray(a), np.asarray(b))
        tall, inner, wide = b @ (alpha * b), a @ b, a @ (a / alpha)                # Gilbert & Lemaréchal
        alpha = 1 / (tall / (inner * alpha) + b ** 2 / inner - tall * a ** 2 / (inner * wide * alpha ** 2))
    onp.testing.assert_allclose(memory.alpha, alpha, rtol=1e-10)
    h = onp.diag(alpha)
    for a, b in zip(s[-5:], y[-5:]):
        left = onp.eye(d) - onp.outer(a, b) / (a @ b)
        h = left @ h @ left.T + onp.outer(a, a) / (a @ b)
    beta, gamma = path_normal.pieces(memory)
    onp.testing.assert_allclose(onp.diag(alpha) + beta @ gamma @ onp.asarray(beta).T, h, rtol=1e-7, atol=1e-9)

    rng = onp.random.default_rng(1)
    x, g = rng.normal(size=(2, d))
    normal = path_normal.normal_at(memory, np.asarray(x), np.asarray(g))
    onp.testing.assert_allclose(normal.mean, x + h @ g, rtol=1e-7, atol=1e-9)
    root = vmap(lambda u: path_normal.draw(normal, u)[0] - normal.mean)(onp.eye(d))
    onp.testing.assert_allclose(onp.asarray(root).T @ root, h, rtol=1e-6, atol=1e-9)
    u = rng.normal(size=(7, d))
    z, log_q = vmap(lambda v: path_normal.draw(normal, v))(u)
    onp.testing.assert_allclose(log_q, sp.multivariate_normal(x + h @ g, (h + h.T) / 2).logpdf(z), rtol=1e-6)
    onp.testing.assert_allclose(vmap(lambda q: path_normal.log_prob(normal, q))(z), log_q, rtol=1e-6)


def test_a_step_of_negative_curvature_is_not_learnt():
    memory = path_normal.start(np.zeros(2), 3)
    same = path_normal.learn(memory, np.asarray([1.0, 0.0]), np.asarray([-1.0, 0.5]))
    assert all(onp.array_equal(a, b) for a, b in zip(memory, same))


def test_one_normal_variable_is_exact():
    def model(y):
        mu = cr.sample("mu", dist.Normal(0.0, 1.0))
        cr.sample("y", dist.Normal(mu, 0.1), obs=y)

    found = pathfinder(model, 3.0, maxcor=3)
    evidence = sp.norm(0, 1.01 ** 0.5).logpdf(3.0)
    onp.testing.assert_allclose(found.log_density - found.log_approximation, evidence, atol=1e-6)
    assert float(found.elbo[0]) == pytest.approx(evidence, abs=1e-6) and float(found.ess) == pytest.approx(1000)


def test_draws_of_several_paths_have_the_moments_of_a_normal_posterior():
    """In standard errors that the importance weights allow (5 sd of a mean over `ess` draws)."""
    found = multipathfinder(radon, COUNTY, FLOOR, RADON, num_samples=20_000, num_paths=8, num_draws_per_path=5000)
    ess = float(found.ess)
    assert ess > 5000 and found.elbo.shape == (8,) and int(found.gradients) > 8 * 10
    assert onp.all(onp.asarray(found.elbo) < -17.0)                                # log evidence: -17.79
    for site, (mean, sd, *_) in VARYING_INTERCEPTS.moments.items():
        x = onp.asarray(found.samples[site])
        assert x.shape[0] == 20_000
        assert onp.all(abs(x.mean(0) - mean) < 5 * sd * (1 / ess + 1 / 20_000) ** 0.5), site
        assert onp.all(abs(x.std(0) / sd - 1) < 0.1), site
    one = pathfinder(radon, COUNTY, FLOOR, RADON, num_samples=500)
    assert one.samples["alpha"].shape == (500, 6) and one.elbo.shape == (1,)
    assert list(one.unconstrained) == ["mu", "slope", "alpha"]


@pytest.mark.slow
def test_several_paths_weigh_the_modes():
    """Weights 0.3 and 0.7. One path finds one of them."""
    def model():
        x = cr.sample("x", dist.ImproperUniform(dist.constraints.real, (), ()))
        cr.factor("wells", np.logaddexp(np.log(0.3) - 2.0 * (x + 3.0) ** 2, np.log(0.7) - 2.0 * (x - 3.0) ** 2))

    one = pathfinder(model, rng_key=1)
    signs = onp.sign(onp.asarray(one.samples["x"]))
    assert onp.all(signs == signs[0])
    found = multipathfinder(model, rng_key=1, num_paths=2, num_samples=4000, init_strategy=init_to_value(
        values={"x": 0.0}))                                        # both paths start at one point: one mode
    assert onp.unique(onp.sign(onp.asarray(found.samples["x"]))).size == 1
    for i in range(3):                                             # 0.3, however many of the paths end there
        found = multipathfinder(model, rng_key=i, num_paths=16, num_draws_per_path=250, num_samples=4000)
        left = (onp.asarray(found.samples["x"]) < 0).mean()
        assert abs(left - 0.3) < 5 * (0.3 * 0.7 * (1 / float(found.ess) + 1 / 4000)) ** 0.5


@pytest.mark.slow
def test_eight_schools_roughly():
    """Posteriordb's means, to a standard deviation; the posterior of tau is far from normal."""
    found = multipathfinder(eight_schools, ERRORS, EFFECTS, num_paths=20, num_samples=4000)
    for site, (mean, sd, *_) in EIGHT_SCHOOLS.moments.items():
        assert abs(float(found.samples[site].mean()) - mean) < sd, site
    assert found.samples["theta"].shape == (4000, 8)


def test_the_key_makes_the_draws():
    a, b, c = [multipathfinder(radon, COUNTY, FLOOR, RADON, rng_key=k, num_paths=2, num_samples=50,
                               num_draws_per_path=50).samples["mu"] for k in (0, random.key(0), 1)]
    assert onp.array_equal(a, b) and not onp.any(onp.isin(a, c))


def test_another_call_compiles_nothing_and_runs_no_model():
    calls = []

    def model(y):
        calls.append(1)
        s = cr.sample("s", dist.HalfNormal(2.0))
        cr.sample("y", dist.Normal(0.0, s), obs=y)

    y = onp.arange(1.0, 5.0)
    for fit in (pathfinder, multipathfinder):
        fit(model, y)
        before = stats()
        found = fit(model, 2 * y, rng_key=3, maxiter=50, gtol=1e-6)
        after = stats()
        assert (after.traces, after.compilations) == (before.traces, before.compilations)
        assert onp.asarray(found.samples["s"]).min() > 0
    assert len(calls) == 1


@pytest.mark.slow
def test_many_data_sets_as_one_program():
    def model(y):
        mu = cr.sample("mu", dist.Normal(0.0, 1.0))
        cr.sample("y", dist.Normal(mu, 0.5), obs=y)

    ys = onp.array([-1.0, 0.0, 2.0])
    run = jit(vmap(lambda k, y: multipathfinder(model, y, rng_key=k, num_paths=2, num_samples=400).samples["mu"]))
    found = onp.asarray(run(random.split(random.key(0), 3), ys))
    assert found.shape == (3, 400)
    assert onp.all(abs(found.mean(1) - 0.8 * ys) < 5 * 0.2 ** 0.5 / 20 * 2 ** 0.5)


def test_starts_at_which_the_density_is_not_finite_are_replaced():
    def model():
        x = cr.sample("x", dist.Normal(0.0, 1.0))
        cr.factor("wall", np.where(x > 1.5, 0.0, -np.inf) - 4.0 * (x - 3.0) ** 2)  # an eighth of the starts will do

    found = pathfinder(model, rng_key=0)
    assert abs(float(found.samples["x"].mean()) - 24 / 9) < 0.1
    found = multipathfinder(model, rng_key=0, num_paths=16)                        # lost ones count for nothing
    assert int(onp.isneginf(onp.asarray(found.elbo)).sum()) > 4
    assert abs(float(found.samples["x"].mean()) - 24 / 9) < 5 / 3 * (2 / 1000) ** 0.5 and float(found.khat) < 0.7
    assert onp.asarray(found.samples["x"]).min() > 1.5
    with pytest.raises(ValueError, match="num_elbo_draws must be a positive integer; got 0"):
        pathfinder(model, num_elbo_draws=0)


# ---- weights ----

def test_resampling_follows_the_weights():
    """A χ² test of 20,000 draws; false alarms: 10⁻⁶."""
    w = onp.array([0.1, 0.0, 0.2, 0.3, 0.4])
    with onp.errstate(divide="ignore"):
        chosen = onp.asarray(resampled(random.key(0), np.asarray(onp.log(w) + 1000.0), 20_000))
    counts = onp.bincount(chosen, minlength=5)
    assert counts[1] == 0
    chi = ((counts - 20_000 * w)[w > 0] ** 2 / (20_000 * w[w > 0])).sum()
    assert sp.chi2(3).sf(chi) > 1e-6


def test_khat_says_whether_the_approximation_will_do():
    def model(scale):                                              # heavy tails: no normal distribution covers them
        cr.sample("x", dist.Cauchy(np.zeros(3), scale).to_event(1))

    good = multipathfinder(radon, COUNTY, FLOOR, RADON)
    assert float(good.khat) < 0.7 and float(pathfinder(radon, COUNTY, FLOOR, RADON).khat) < 0.7
    assert float(multipathfinder(model, 1.0).khat) > 0.7
    inside = jit(lambda k: multipathfinder(radon, COUNTY, FLOOR, RADON, rng_key=k).khat)(random.key(0))
    assert float(inside) == pytest.approx(float(good.khat), abs=1e-6)


def test_smoothing_bounds_the_largest_weight():
    w = np.asarray(onp.concatenate([onp.random.default_rng(0).normal(size=999), [30.0]]))
    log_weights, khat = smoothed(np.where(np.arange(1000) == 3, np.nan, w))
    assert float(khat) > 0.7 and float(log_weights.max()) < -0.0 and float(log_weights[3]) == -onp.inf
    assert float(np.exp(log_weights).sum()) == pytest.approx(1.0)


def test_how_many_draws_weights_are_worth():
    assert float(effective_draws(np.zeros(10) - 700.0)) == pytest.approx(10)
    assert float(effective_draws(np.asarray([0.0, -np.inf, np.nan]))) == pytest.approx(1)
    assert float(effective_draws(np.asarray([-np.inf]))) == 0.0
