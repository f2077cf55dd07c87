"""obs_mask: observations of which a part is missing."""
import itertools
import math

import numpy as np
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.distributions import missing_part, observed_part
from chainrule.engine import grad, hessian, jit, random, vmap
from chainrule.inference import MCMC, NUTS, Predictive
from chainrule.ppl.handlers import condition, seed, trace, uncondition
from chainrule.ppl.model import check_data, stage_model

LOC = np.array([0.5, -1.0, 0.2])
MATRIX = np.array([[1.0, 0.5, 0.2], [0.5, 2.0, 0.3], [0.2, 0.3, 1.5]])
FACTOR = np.linalg.cholesky(MATRIX)
Y = np.array([[0.3, np.nan, 1.2], [np.nan, 1.0, np.nan], [np.nan, np.nan, np.nan], [0.1, 0.2, 0.3]])
SEEN = ~np.isnan(Y)


def gaussian(model, *args):
    """{site: (mean, covariance)} of the posterior of a model whose log-density is quadratic."""
    shapes = {k: s["value"].shape for k, s in trace(seed(model, 0)).get_trace(*args).items()
              if s["type"] == "sample" and not s["is_observed"]}
    sizes = [math.prod(s) for s in shapes.values()]

    def logp(z):
        parts = cnp.split(z, np.cumsum(sizes)[:-1].tolist())
        values = {k: cnp.reshape(p, shape) for (k, shape), p in zip(shapes.items(), parts)}
        return cr.log_density(model, args, {}, values)[0]
    z = np.zeros(sum(sizes))
    curvature = -np.asarray(hessian(logp)(z))
    assert np.linalg.eigvalsh(curvature)[0] > 1e-3           # no flat direction
    cov = np.linalg.inv(curvature)
    mean = cov @ np.asarray(grad(logp)(z))
    at = np.split(np.arange(len(z)), np.cumsum(sizes)[:-1])
    return {k: (mean[i], cov[np.ix_(i, i)]) for k, i in zip(shapes, at)}


def test_the_posterior_is_that_of_the_observed_entries():
    """Normal observations: the posterior of their mean, and the predictive distribution of the missing ones."""
    y, seen = np.array([0.4, 99.0, 1.7, np.nan]), np.array([True, False, True, False])

    def model(y, seen):
        mu = cr.sample("mu", dist.Normal(1.0, 2.0))
        with cr.plate("i", 4):
            cr.sample("y", dist.Normal(mu, 0.5), obs=y, obs_mask=seen)
    precision = 1 / 4 + 2 / 0.25
    mean = (1 / 4 + (0.4 + 1.7) / 0.25) / precision
    made = gaussian(model, y, seen)
    np.testing.assert_allclose(made["mu"][0], [mean], rtol=1e-10)
    np.testing.assert_allclose(made["mu"][1], [[1 / precision]], rtol=1e-10)
    np.testing.assert_allclose(made["y_unobserved"][0], np.where(seen, 0.0, mean), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(np.diag(made["y_unobserved"][1]), np.where(seen, 1.0, 0.25 + 1 / precision), rtol=1e-10)
    tr = trace(seed(model, 0)).get_trace(y, seen)
    np.testing.assert_array_equal(tr["y"]["value"], np.where(seen, y, tr["y_unobserved"]["value"]))
    assert tr["y"]["type"] == "deterministic" and tr["y_observed"]["is_observed"]


def test_the_posterior_of_partly_missing_vectors_is_that_of_the_observed_elements():
    def model(y, seen):
        mu = cr.sample("mu", dist.Normal(0.0, 2.0).expand((3,)).to_event(1))
        with cr.plate("i", 4):
            cr.sample("y", dist.MultivariateNormal(mu, MATRIX), obs=y, obs_mask=seen)
    precision, weighted = np.eye(3) / 4.0, np.zeros(3)
    for y, seen in zip(Y, SEEN):
        at = np.flatnonzero(seen)
        inverse = np.linalg.inv(MATRIX[np.ix_(at, at)])
        precision[np.ix_(at, at)] += inverse
        weighted[at] += inverse @ y[at]
    cov = np.linalg.inv(precision)
    made = gaussian(model, Y, SEEN)
    np.testing.assert_allclose(made["mu"][0], cov @ weighted, rtol=1e-9)
    np.testing.assert_allclose(made["mu"][1], cov, rtol=1e-9, atol=1e-12)
    nothing = made["y_unobserved"][0].reshape(4, 3)[2]       # a vector of which nothing is known
    np.testing.assert_allclose(nothing, cov @ weighted, rtol=1e-9)


VECTORS = {
    "normal": dist.MultivariateNormal(LOC, MATRIX),
    "low rank": dist.LowRankMultivariateNormal(LOC, np.ones((3, 1)), np.array([1.0, 2.0, 0.5])),
    "circulant": dist.CirculantNormal(LOC, np.array([2.0, 0.5, 0.5])),
    "process": dist.GaussianProcess(dist.kernels.ExpQuad(), np.arange(3.0), noise=0.3),
    "t": dist.MultivariateStudentT(4.0, LOC, FACTOR),
    "t process": dist.StudentTProcess(5.0, dist.kernels.ExpQuad(), np.arange(3.0), noise=0.3),
    "independent": dist.StudentT(4.0, LOC, 2.0).to_event(1),
    "expanded": dist.MultivariateStudentT(4.0, LOC, FACTOR).expand((4,)),
    "expanded to an event": dist.MultivariateNormal(LOC, MATRIX).expand((4,)).to_event(1),
    "masked": dist.MultivariateNormal(LOC, MATRIX).mask(np.array([True, False, True, True])),
}


def _masked(name, lp):
    """The sum over elements, where the vector counts; over all vectors, where they are one event."""
    lp = lp.sum(-1) * (VECTORS["masked"].mask_array if name == "masked" else 1.0)
    return lp.sum() if name == "expanded to an event" else lp


@pytest.mark.parametrize("name", VECTORS)
def test_the_observed_elements_and_the_missing_ones_given_them_make_the_whole(name):
    """log p(x) = log p(x observed) + log p(x missing | x observed), for each pattern of what is observed."""
    d = VECTORS[name]
    x = np.random.default_rng(0).normal(size=(4, 3))
    first = observed_part(d, SEEN).log_prob(np.where(SEEN, x, np.nan))
    second = missing_part(d, SEEN, np.where(SEEN, x, np.nan))
    assert second.batch_shape == np.shape(first)
    np.testing.assert_allclose(first + observed_part(second, ~SEEN).log_prob(x), d.log_prob(x), rtol=1e-10)
    aside = observed_part(second, SEEN)                      # the places that are not missing: no parameter, no value
    if name not in ("t", "t process", "expanded"):
        np.testing.assert_allclose(aside.log_prob(x), _masked(name, stats.norm.logpdf(x) * SEEN), rtol=1e-10)
    slope = grad(lambda x: cnp.sum(observed_part(d, SEEN).log_prob(cnp.where(SEEN, x, np.nan))))(x)
    assert np.isfinite(np.asarray(slope)).all() and not np.asarray(slope)[~SEEN].any()


EVENTS = {"normal": dist.Normal(LOC, 0.1), "gamma": dist.Gamma(np.array([1.0, 2.0, 3.0]), 4.0),
          "uniform": dist.Uniform(np.array([-1.0, 0.0, 3.0]), 4.0), "simplex": dist.Dirichlet(2.0 * np.ones((3, 4))),
          "half normals": dist.HalfNormal(np.ones((3, 2))).to_event(1)}


@pytest.mark.parametrize("name", EVENTS)
def test_observed_events_are_set_aside_as_standard_normal_numbers(name):
    """In unconstrained space, by density and by draws; false alarm of the KS test: 1e-4."""
    d, seen = EVENTS[name], np.array([True, False, True])
    made, transform = dist.WhereMissing(d, seen), dist.biject_to(d.support)
    z = np.random.default_rng(0).normal(size=transform.inverse_shape(d.shape()))
    x = transform(z)
    got = np.asarray(made.log_prob(x) + transform.log_abs_det_jacobian(z, x))
    aside = stats.norm.logpdf(z).reshape(3, -1).sum(-1)
    want = np.where(seen, aside, d.log_prob(x) + transform.log_abs_det_jacobian(z, x))
    np.testing.assert_allclose(got, want, rtol=1e-9)
    draws = np.asarray(transform.inv(made.sample(random.key(0), (2000,))))
    assert stats.kstest(draws[:, seen].ravel(), "norm").pvalue > 1e-4
    mean = np.asarray(transform(draws)).mean(0)[1]
    np.testing.assert_allclose(mean, d.mean[1], atol=6 * float(np.max(d.stddev)) / 44)
    assert not d.support.everything or np.isfinite(np.asarray(made.log_prob(x))).all()
    slope = grad(lambda x: cnp.sum(made.log_prob(x)))(x)
    assert np.isfinite(np.asarray(slope)).all()


def test_the_marginal_of_t_is_scipys():
    d = observed_part(dist.MultivariateStudentT(4.0, LOC, FACTOR), SEEN[:1])
    at = [0, 2]
    want = stats.multivariate_t(LOC[at], MATRIX[np.ix_(at, at)], df=4.0).logpdf(Y[0, at])
    assert float(d.log_prob(Y[:1])[0]) == pytest.approx(want, rel=1e-12)


def test_missing_elements_are_drawn_from_their_conditional_distribution():
    """Their mean and covariance given the observed ones; false alarm: six z-tests at 4 standard errors, 4e-4."""
    n, at, u = 20_000, [0, 2], 1

    def model():
        return cr.sample("y", dist.MultivariateNormal(LOC, MATRIX), obs=np.broadcast_to(Y[0], (n, 3)), obs_mask=SEEN[0])
    y = np.asarray(seed(model, 0)())
    assert (y[:, at] == Y[0, at]).all()
    w = np.linalg.solve(MATRIX[np.ix_(at, at)], MATRIX[at, u])
    mean, variance = LOC[u] + w @ (Y[0, at] - LOC[at]), MATRIX[u, u] - w @ MATRIX[at, u]
    assert abs(y[:, u].mean() - mean) < 4 * math.sqrt(variance / n)
    assert abs(y[:, u].var() / variance - 1) < 4 * math.sqrt(2 / n)
    drawn = trace(seed(uncondition(model), 0)).get_trace()   # the observed elements drawn too: the whole distribution
    y = np.asarray(drawn["y"]["value"])
    assert not (y[:, 0] == Y[0, 0]).any()
    errors = (np.cov(y.T) - MATRIX) / np.sqrt((MATRIX ** 2 + np.outer(np.diag(MATRIX), np.diag(MATRIX))) / n)
    assert np.abs(errors[np.triu_indices(3)]).max() < 4


@pytest.mark.parametrize("nothing", [np.nan, -7.0, 1e300])
def test_what_stands_under_the_mask_has_no_effect(nothing):
    y, seen = np.array([2.0, nothing, 0.0]), np.array([True, False, True])

    def model(y):
        rate = cr.sample("rate", dist.Gamma(2.0, 1.0))
        with cr.plate("i", 3):
            return cr.sample("y", dist.Poisson(rate), obs=y, obs_mask=seen)

    def logp(rate):
        return cr.log_density(model, (y,), {}, {"rate": rate, "y_unobserved": np.array([1, 2, 3])})[0]
    want = stats.gamma(2.0).logpdf(1.5) + stats.poisson(1.5).logpmf([2, 0, 1, 2, 3]).sum()
    assert float(logp(1.5)) == pytest.approx(want, rel=1e-12)
    assert float(grad(logp)(1.5)) == pytest.approx(1 / 1.5 - 1.0 + (2 + 1 + 2 + 3) / 1.5 - 5, rel=1e-10)


@pytest.mark.parametrize("nothing", [np.nan, -7.0])
def test_data_are_checked_where_they_are_observed(nothing):
    def model(y, seen):
        cr.sample("y", dist.Exponential(1.0), obs=y, obs_mask=seen)

    def checked(y, seen):
        program, data = stage_model(model, (np.array(y), np.array(seen)))
        program.describe(data)
        assert [v.name for v in program.latents] == ["y_unobserved"]
        check_data(program, data)
    checked([2.0, nothing], [True, False])
    with pytest.raises(cr.ppl.SiteError, match=r"index \[1\]"):
        checked([2.0, nothing], [False, True])


def test_summing_over_missing_discrete_values_leaves_the_observed_ones():
    y, seen = np.array([1, 0, 1]), np.array([True, False, True])

    def model(p):
        return cr.sample("y", dist.Bernoulli(p), obs=y, obs_mask=seen)
    for p in (0.2, 0.7):
        lps = [float(cr.log_density(model, (p,), {}, {"y_unobserved": np.array(v)})[0])
               for v in itertools.product([0, 1], repeat=3)]
        assert np.logaddexp.reduce(lps) == pytest.approx(2 * math.log(p), rel=1e-12)


def test_masks_that_differ_by_lane_and_are_traced():
    d = dist.MultivariateNormal(LOC, MATRIX)

    def lane(y, seen, u):
        return cr.log_density(lambda: cr.sample("y", d, obs=y, obs_mask=seen), (), {}, {"y_unobserved": u})[0]
    u = np.random.default_rng(1).normal(size=(4, 3))
    together = jit(lambda y, seen, u: cr.log_density(
        lambda: cr.sample("y", d, obs=y, obs_mask=seen), (), {}, {"y_unobserved": u})[0])(Y, SEEN, u)
    lanes = vmap(lane)(Y, SEEN, u)
    np.testing.assert_allclose(lanes, [float(lane(*row)) for row in zip(Y, SEEN, u)], rtol=1e-12)
    assert float(together) == pytest.approx(float(np.sum(np.asarray(lanes))), rel=1e-12)


def test_without_observations_the_whole_is_drawn():
    d = dist.MultivariateNormal(LOC, MATRIX)

    def model(y=None):
        return cr.sample("y", d, obs=y, obs_mask=SEEN[0])
    tr = trace(seed(model, 0)).get_trace()
    assert not tr["y_observed"]["is_observed"]
    lp = d.log_prob(tr["y_observed"]["value"])
    want = lp + missing_part(d, SEEN[0], tr["y_observed"]["value"]).log_prob(tr["y_unobserved"]["value"])
    values = {k: tr[k]["value"] for k in ("y_observed", "y_unobserved")}
    assert float(cr.log_density(model, (), {}, values)[0]) == pytest.approx(float(want), rel=1e-12)
    given = trace(condition(model, {"y_observed": LOC})).get_trace
    with pytest.raises(cr.ppl.SiteError, match="y_unobserved"):
        given()
    one = cr.handlers.seed(lambda: cr.sample("y", d, rng_key=random.key(1), obs=Y[0], obs_mask=SEEN[0]), 0)()
    assert np.isfinite(np.asarray(one)).all()


def test_nan_is_an_observation_for_the_families_that_take_it_so():
    def model():
        cr.sample("a", dist.NanMaskedNormal(0.5, 2.0), obs=np.array([0.1, np.nan]))
        cr.sample("b", dist.NanMaskedMultivariateNormal(LOC, MATRIX), obs=Y)
    want = stats.norm(0.5, 2.0).logpdf(0.1) + np.sum(observed_part(VECTORS["normal"], SEEN).log_prob(Y).tolist())
    assert float(cr.log_density(model)[0]) == pytest.approx(want, rel=1e-12)
    with pytest.raises(cr.ppl.SiteError, match="finite, or nan"):
        cr.log_density(lambda: cr.sample("a", dist.NanMaskedNormal(0.5, 2.0), obs=np.inf))


@pytest.mark.slow
def test_the_sampler_finds_the_posterior_of_data_with_gaps():
    """Posterior mean within 4 Monte Carlo standard errors (false alarm 6e-5); data and mask are arguments."""
    y, seen = np.array([0.4, np.nan, 1.7, np.nan]), np.array([True, False, True, False])

    def model(y, seen):
        mu = cr.sample("mu", dist.Normal(1.0, 2.0))
        with cr.plate("i", 4):
            cr.sample("y", dist.Normal(mu, 0.5), obs=y, obs_mask=seen)
    mcmc = MCMC(NUTS(model), num_warmup=500, num_samples=2000, num_chains=2, progress_bar=False)
    mcmc.run(random.key(0), y, seen)
    samples = mcmc.get_samples()
    precision = 1 / 4 + 2 / 0.25
    mean = (1 / 4 + (0.4 + 1.7) / 0.25) / precision
    assert abs(np.mean(np.asarray(samples["mu"])) - mean) < 4 * math.sqrt(1 / precision / 1000)
    assert (np.asarray(samples["y"])[:, seen] == y[seen]).all()
    drawn = Predictive(model, {k: samples[k] for k in ("mu", "y_unobserved")})(random.key(1), y, seen)
    np.testing.assert_allclose(drawn["y"], samples["y"])
