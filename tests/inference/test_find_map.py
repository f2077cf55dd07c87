"""find_MAP and Laplace's approximation: exact where the posterior is normal, closed forms elsewhere, mistakes."""
import numpy as onp
import pytest
from scipy import optimize
from scipy import stats as sp

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import cond, jit, random, scan, stats, vmap
from chainrule.inference import ApproximationError, find_MAP, fit_laplace, init_to_value
from tests.inference.targets import COUNTY, FLOOR, RADON, VARYING_INTERCEPTS, radon


def conjugate():
    """One site on each kind of support, whose modes are known."""
    cr.sample("gamma", dist.Gamma(3.0, 2.0))
    cr.sample("beta", dist.Beta(2.0, 3.0))
    cr.sample("simplex", dist.Dirichlet(onp.array([2.0, 3.0, 4.0])))
    cr.sample("normal", dist.Normal(onp.array([1.0, -2.0]), 3.0).to_event(1))
    cr.deterministic("twice", 2.0)


def test_the_mode_of_the_values_and_that_of_the_unconstrained_forms():
    found = find_MAP(conjugate)
    onp.testing.assert_allclose(found["gamma"], 2 / 2, atol=1e-5)              # (a - 1) / b
    onp.testing.assert_allclose(found["beta"], 1 / 3, atol=1e-5)               # (a - 1) / (a + b - 2)
    onp.testing.assert_allclose(found["simplex"], onp.array([1, 2, 3]) / 6, atol=1e-5)
    onp.testing.assert_allclose(found["normal"], [1.0, -2.0], atol=1e-4)
    assert float(found["twice"]) == 2.0
    found = find_MAP(conjugate, jacobian=True)
    onp.testing.assert_allclose(found["gamma"], 3 / 2, atol=1e-5)              # a / b
    onp.testing.assert_allclose(found["beta"], 2 / 5, atol=1e-5)               # a / (a + b)


def test_the_mode_of_a_normal_posterior_is_its_mean():
    for options in ({}, {"jacobian": True}, {"num_starts": 1}, {"init_strategy": init_to_value(values={"mu": 3.0})}):
        found = find_MAP(radon, COUNTY, FLOOR, RADON, rng_key=random.key(1), **options)
        for site, (mean, *_) in VARYING_INTERCEPTS.moments.items():
            onp.testing.assert_allclose(found[site], mean, atol=1e-5)


def test_bounds_against_scipy():
    """A regression with a scale; SciPy holds it above 0."""
    rng = onp.random.default_rng(0)
    x = rng.normal(size=30)
    y = 1.0 + 2.0 * x + 0.5 * rng.normal(size=30)

    def model(x, y):
        a = cr.sample("a", dist.Normal(0.0, 1.0))
        b = cr.sample("b", dist.Normal(0.0, 1.0))
        s = cr.sample("s", dist.HalfNormal(0.1))
        with cr.plate("row", 30):
            cr.sample("y", dist.Normal(a + b * x, s), obs=y)

    def negative(p):
        a, b, s = p
        return -(sp.norm.logpdf([a, b]).sum() + sp.halfnorm.logpdf(s, scale=0.1)
                 + sp.norm.logpdf(y, a + b * x, s).sum())

    reference = optimize.minimize(negative, [0.0, 0.0, 1.0], bounds=[(None, None)] * 2 + [(1e-6, None)], tol=1e-12)
    values, raw = find_MAP(model, x, y=y, return_raw=True)
    onp.testing.assert_allclose([values["a"], values["b"], values["s"]], reference.x, atol=1e-4)
    assert float(raw.fun) == pytest.approx(reference.fun, abs=1e-8) and bool(raw.success)
    onp.testing.assert_allclose(raw.x["s"], onp.log(float(values["s"])), atol=1e-9)
    assert set(raw.jac) == {"a", "b", "s"} and max(abs(float(g)) for g in raw.jac.values()) < 1e-6


def test_sites_in_loops_and_branches():
    """A random walk observed with noise, in a scan; a scale in a branch."""
    y = onp.array([0.5, 1.0, 0.2])

    def model(y):
        s = cond(np.sum(y) > 0.0, lambda: cr.sample("s", dist.Gamma(3.0, 1.0)), lambda: cr.sample("s", dist.Gamma(9.0)))

        def step(before, obs):
            x = cr.sample("x", dist.Normal(before, 1.0))
            cr.sample("y", dist.Normal(x, 0.5), obs=obs)
            return x, None

        scan(step, 0.0, y)
        return s

    found = find_MAP(model, y)
    precision = onp.array([[2.0, -1, 0], [-1, 2, -1], [0, -1, 1]]) + 4 * onp.eye(3)
    onp.testing.assert_allclose(found["x"], onp.linalg.solve(precision, 4 * y), atol=1e-5)
    assert float(found["s"]) == pytest.approx(2.0, abs=1e-5)


def two_modes():
    x = cr.sample("x", dist.Normal(0.0, 10.0))
    cr.factor("wells", np.logaddexp(np.log(0.3) - 2.0 * (x + 3.0) ** 2, np.log(0.7) - 2.0 * (x - 3.0) ** 2))


def test_restarts_find_the_higher_mode():
    one = [float(find_MAP(two_modes, rng_key=i, num_starts=1)["x"]) for i in range(8)]
    several = [float(find_MAP(two_modes, rng_key=i, num_starts=16)["x"]) for i in range(8)]
    assert min(one) < -2.9 and onp.allclose(several, 2.993, atol=0.01)          # all starts left of 0: 2⁻¹⁶


def test_another_call_compiles_nothing_and_runs_no_model():
    calls = []

    def model(y):
        calls.append(1)
        mu = cr.sample("mu", dist.Normal(0.0, 1.0))
        cr.sample("y", dist.Normal(mu, 1.0), obs=y)

    for fit, value in ((find_MAP, lambda r: r["mu"]), (fit_laplace, lambda r: r.mean[0])):
        fit(model, 1.0)
        before = stats()
        again = fit(model, 3.0, rng_key=5, tol=1e-8, maxiter=500)
        after = stats()
        assert (after.traces, after.compilations) == (before.traces, before.compilations)
        assert float(value(again)) == pytest.approx(1.5, abs=1e-6)
    assert len(calls) == 1


@pytest.mark.slow
def test_many_data_sets_as_one_program():
    ys = onp.array([[0.0, 1.0], [4.0, 5.0], [9.0, 9.0]])

    def model(y):
        mu = cr.sample("mu", dist.Normal(0.0, 10.0))
        with cr.plate("row", 2):
            cr.sample("y", dist.Normal(mu, 1.0), obs=y)

    expected = ys.sum(1) / 2.01
    found = jit(vmap(lambda k, y: find_MAP(model, y, rng_key=k)))(random.split(random.key(0), 3), ys)
    onp.testing.assert_allclose(found["mu"], expected, atol=1e-5)
    fitted = jit(vmap(lambda k, y: fit_laplace(model, y, rng_key=k, num_samples=10)))(random.split(random.key(0), 3),
                                                                                     ys)
    onp.testing.assert_allclose(fitted.mean[:, 0], expected, atol=1e-5)
    assert fitted.samples["mu"].shape == (3, 10)


# ---- Laplace ----

def test_a_normal_posterior_is_laplaces():
    """Moments, evidence and densities exactly; draws in standard errors (4.5 sd: 7 · 10⁻⁶ false alarms a number)."""
    n = 20_000
    fitted = fit_laplace(radon, COUNTY, FLOOR, RADON, num_samples=n)
    sd = onp.sqrt(onp.diag(fitted.covariance))
    at = {"mu": 0, "slope": 1, "alpha": slice(2, 8)}
    for site, (mean, deviation, *_) in VARYING_INTERCEPTS.moments.items():
        onp.testing.assert_allclose(fitted.mode[site], mean, atol=1e-5)
        onp.testing.assert_allclose(sd[at[site]], deviation, rtol=1e-6)
        x = onp.asarray(fitted.samples[site])
        assert onp.all(abs(x.mean(0) - mean) < 4.5 * deviation / n ** 0.5)
        assert onp.all(abs(x.std(0) / deviation - 1) < 4.5 / (2 * n) ** 0.5)
    correlation = onp.corrcoef(onp.asarray(fitted.samples["mu"]), onp.asarray(fitted.samples["alpha"])[:, 5])[0, 1]
    expected = onp.asarray(fitted.covariance)[0, 7] / sd[0] / sd[7]
    assert abs(correlation - expected) < 4.5 * (1 - expected ** 2) / n ** 0.5
    log_weights = onp.asarray(fitted.log_density - fitted.log_approximation)
    onp.testing.assert_allclose(log_weights, float(fitted.log_evidence), atol=1e-8)
    assert float(fitted.khat) < 0.7
    A = onp.zeros((16, 8))
    A[:, 1], A[onp.arange(16), 2 + COUNTY] = FLOOR, 1.0
    prior = onp.diag([4.0, 1.0] + [0.64] * 6)
    prior[2:, 2:] += 4.0
    prior[0, 2:] = prior[2:, 0] = 4.0
    evidence = sp.multivariate_normal(onp.zeros(16), A @ prior @ A.T + 0.25 * onp.eye(16)).logpdf(RADON)
    assert float(fitted.log_evidence) == pytest.approx(evidence, abs=1e-8)


def test_draws_lie_in_the_supports_and_their_density_is_the_normals():
    fitted = fit_laplace(conjugate, num_samples=200)
    x = {k: onp.asarray(v) for k, v in fitted.samples.items()}
    assert x["gamma"].min() > 0 and 0 < x["beta"].min() < x["beta"].max() < 1 and x["twice"].shape == (200,)
    onp.testing.assert_allclose(x["simplex"].sum(-1), 1.0)
    z = onp.column_stack([onp.asarray(v).reshape(200, -1) for v in fitted.unconstrained.values()])
    assert list(fitted.unconstrained) == ["gamma", "beta", "simplex", "normal"] and z.shape == (200, 6)
    normal = sp.multivariate_normal(onp.asarray(fitted.mean), onp.asarray(fitted.covariance))
    onp.testing.assert_allclose(fitted.log_approximation, normal.logpdf(z), rtol=1e-8)
    onp.testing.assert_allclose(z[:, 0], onp.log(x["gamma"]), atol=1e-9)
    assert float(fitted.covariance[0, 0]) == pytest.approx(1 / 3, rel=1e-4)     # log gamma: curvature a at log(a / b)


# ---- mistakes ----

def test_what_cannot_be_is_named():
    def discrete():
        cr.sample("k", dist.Poisson(3.0))

    def nothing():
        cr.sample("y", dist.Normal(0.0, 1.0), obs=0.0)

    def nowhere():
        x = cr.sample("x", dist.Normal(0.0, 1.0))
        cr.factor("wall", np.log(x - 100.0))

    def flat():
        cr.sample("x", dist.Normal(0.0, 1.0))
        cr.sample("level", dist.ImproperUniform(dist.constraints.real, (), ()))

    for call, text in [(lambda: find_MAP(discrete), "site 'k' is discrete"),
                       (lambda: fit_laplace(nothing), "nothing has no latent sites"),
                       (lambda: find_MAP(nowhere), "(?s)no start was found in 20 rounds.*wall"),
                       (lambda: find_MAP(nowhere, init_strategy=init_to_value(values={"x": 0.5})),
                        "(?s)no start was found in 1 rounds.*wall"),
                       (lambda: fit_laplace(flat), "does not curve down along level")]:
        with pytest.raises(ApproximationError, match=text):
            call()
    with pytest.raises(ValueError, match="number of starts must be a positive integer; got 0"):
        find_MAP(two_modes, num_starts=0)


def test_a_density_without_a_maximum_gives_a_warning():
    def model(y):
        tau = cr.sample("tau", dist.HalfCauchy(5.0))
        with cr.plate("school", 3):
            theta = cr.sample("theta", dist.Normal(0.0, tau))                   # theta = 0, tau → 0: no bound
            cr.sample("y", dist.Normal(theta, 10.0), obs=y)

    with pytest.warns(RuntimeWarning, match="find_MAP did not reach a maximum"):
        find_MAP(model, onp.array([1.0, 2.0, -1.0]))
