"""Laws of the root searches behind quantiles, and of the tails that all families have."""
import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from scipy import special, stats

import chainrule.distributions as dist
from chainrule.distributions import inverse_cdf, inverse_cdf_integer, inverse_log_cdf
from chainrule.distributions.implicit import implicit
from chainrule.engine import grad, jit, jvp, random, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.scipy import special as ours

Q = np.array([1e-300, 1e-20, 1e-3, 0.1, 0.5, 0.9, 0.999])
SETS = {                                                 # name: distribution, SciPy's, the ends of the support
    "line": (dist.Normal(3.0, 2.0), stats.norm(3, 2), -math.inf, math.inf),
    "far": (dist.Normal(1e6, 1e-3), stats.norm(1e6, 1e-3), -math.inf, math.inf),
    "heavy": (dist.Cauchy(0.5, 1.0), stats.cauchy(0.5, 1.0), -math.inf, math.inf),
    "half line": (dist.Gamma(2.0, 3.0), stats.gamma(2.0, 0, 1 / 3), 0.0, math.inf),
    "steep": (dist.Gamma(0.02, 1.0), stats.gamma(0.02), 0.0, math.inf),
    "interval": (dist.Beta(0.7, 3.0), stats.beta(0.7, 3.0), 0.0, 1.0),
}


@pytest.mark.parametrize("name", SETS)
def test_the_search_undoes_the_distribution_function(name):
    d, law, low, high = SETS[name]
    q = Q[law.ppf(Q) > -1e290] if name != "steep" else Q[3:]
    x = np.asarray(inverse_cdf(d.cdf, q, low, high))
    np.testing.assert_allclose(x, law.ppf(q), rtol=5e-13, atol=1e-15)
    if name in ("line", "far", "heavy"):
        compiled = np.asarray(jit(lambda d, q: inverse_cdf(d.cdf, q, low, high))(d, q))
        np.testing.assert_allclose(compiled, x, rtol=5e-13, atol=1e-15)


@pytest.mark.parametrize("name", SETS)
def test_a_search_looks_at_few_points(name):
    d, law, low, high = SETS[name]
    for q in (1e-3, 0.2, 0.8, 0.999):
        seen = []

        def cdf(x, d, seen=seen):
            seen.append(x)
            return d.cdf(x)
        inverse_cdf(cdf, q, low, high, d)
        assert len(seen) < (130 if name == "steep" else 60)


def test_the_search_ends_at_the_ends_of_the_support():
    d = dist.Exponential(2.0)
    for f in (inverse_cdf, jit(inverse_cdf, static_argnums=(0, 2, 3))):
        np.testing.assert_array_equal(np.asarray(f(d.cdf, np.array([0.0, 1.0, -0.1, 1.1]), 0.0, math.inf)),
                                      [0.0, math.inf, math.nan, math.nan])
    slope = grad(lambda d: cnp.sum(cnp.where(cnp.array([True, False]), 1.0, 0.0)
                                   * inverse_cdf(d.cdf, np.array([0.0, 0.5]), 0.0)))(d)
    assert float(slope.rate) == 0.0


def test_the_derivatives_of_a_search_are_those_of_the_implicit_function():
    def searched(a, q):
        return cnp.sum(inverse_cdf(dist.Gamma(a, 3.0).cdf, q, 0.0))

    def known(a, q):
        return cnp.sum(ours.gammaincinv(a, q)) / 3.0
    for args in ((2.0, 0.3), (0.7, 0.9)):
        got, want = grad(searched, argnums=(0, 1))(*args), grad(known, argnums=(0, 1))(*args)
        np.testing.assert_allclose([float(g) for g in got], [float(g) for g in want], rtol=1e-12)
    compiled = jit(grad(lambda m: inverse_cdf(dist.Normal(m, 2.0).cdf, 0.3)))(1.0)
    np.testing.assert_allclose(float(compiled), 1.0, rtol=1e-14)
    second = grad(grad(lambda q: inverse_cdf(dist.Exponential(2.0).cdf, q, 0.0)))(0.3)
    np.testing.assert_allclose(float(second), 0.5 / 0.7 ** 2, rtol=1e-12)
    lanes = vmap(grad(lambda r: inverse_cdf(dist.Exponential(r).cdf, 0.3, 0.0)))(np.array([1.0, 2.0]))
    np.testing.assert_allclose(np.asarray(lanes), np.log(0.7) / np.array([1.0, 4.0]), rtol=1e-12)


def test_probabilities_that_underflow_have_quantiles():
    log_q = np.array([-1.0, -800.0, -1e5])
    np.testing.assert_allclose(np.asarray(inverse_log_cdf(dist.Exponential(2.0).log_survival, log_q, 0.0,
                                                          upper_tail=True)), log_q / -2.0, rtol=1e-14)
    np.testing.assert_allclose(np.asarray(inverse_log_cdf(dist.Normal(1.0, 2.0).log_cdf, log_q)),
                               1.0 + 2.0 * np.asarray(ours.ndtri_exp(log_q)), rtol=1e-13)
    d = dist.Gamma(3.0, 2.0)
    np.testing.assert_allclose(np.asarray(d.log_survival(d.isf_exp(log_q))), log_q, rtol=1e-13)
    np.testing.assert_allclose(np.asarray(d.log_cdf(d.icdf_exp(log_q[:2]))), log_q[:2], rtol=1e-13)


COUNTS = {
    "few": (dist.Poisson(3.0), 0, math.inf),
    "many": (dist.Poisson(1e6), 0, math.inf),
    "bounded": (dist.Binomial(40, 0.3), 0, 40),
    "both signs": (dist.QuantizedDistribution(dist.Normal(-70.0, 9.0)), -math.inf, math.inf),
}


@pytest.mark.parametrize("name", COUNTS)
@given(q=st.floats(1e-6, 1 - 1e-6))
def test_an_integer_quantile_is_the_smallest_that_reaches_q(name, q):
    d, low, high = COUNTS[name]
    k = int(inverse_cdf_integer(d.cdf, q, low, high))
    assert float(d.cdf(k)) >= q
    assert k == low or float(d.cdf(k - 1)) < q


def test_integer_quantiles_from_the_upper_tail_and_at_the_ends():
    d = dist.Poisson(3.0)
    q = np.array([1e-30, 1e-3, 0.5])
    k = np.asarray(inverse_cdf_integer(d.survival_function, q, upper_tail=True))
    assert np.all(stats.poisson(3).sf(k) <= q) and np.all(stats.poisson(3).sf(k - 1) > q)
    assert int(inverse_cdf_integer(d.cdf, 0.0)) == 0
    assert int(inverse_cdf_integer(dist.Binomial(40, 0.3).cdf, 1.0, 0, 40)) == 40
    compiled = jit(lambda d, q: inverse_cdf_integer(d.cdf, q))(d, np.array([0.01, 0.5, 0.999]))
    np.testing.assert_array_equal(np.asarray(compiled), stats.poisson(3).ppf([0.01, 0.5, 0.999]))


def test_a_draw_gets_the_derivative_of_its_quantile():
    x = dist.Gamma(2.0, 3.0).sample(random.key(1), (5,))
    got = jvp(lambda a: implicit(dist.Gamma(a, 3.0), x), (2.0,), (1.0,))[1]
    want = jvp(lambda a: ours.gammaincinv(a, special.gammainc(2.0, 3.0 * np.asarray(x))) / 3.0, (2.0,), (1.0,))[1]
    np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-9)


# ---- the tails of the families ----

TAILS = {
    "Normal": (dist.Normal(0.5, 2.0), stats.norm(0.5, 2.0)),
    "HalfNormal": (dist.HalfNormal(2.0), stats.halfnorm(0, 2.0)),
    "LogNormal": (dist.LogNormal(0.5, 2.0), stats.lognorm(2.0, 0, math.exp(0.5))),
    "Exponential": (dist.Exponential(2.0), stats.expon(0, 0.5)),
    "Laplace": (dist.Laplace(0.5, 2.0), stats.laplace(0.5, 2.0)),
    "Logistic": (dist.Logistic(0.5, 2.0), stats.logistic(0.5, 2.0)),
    "Cauchy": (dist.Cauchy(0.5, 2.0), stats.cauchy(0.5, 2.0)),
    "HalfCauchy": (dist.HalfCauchy(2.0), stats.halfcauchy(0, 2.0)),
    "StudentT": (dist.StudentT(4.5, 0.5, 2.0), stats.t(4.5, 0.5, 2.0)),
    "Gamma": (dist.Gamma(2.5, 3.0), stats.gamma(2.5, 0, 1 / 3)),
    "InverseGamma": (dist.InverseGamma(2.5, 3.0), stats.invgamma(2.5, 0, 3.0)),
    "Beta": (dist.Beta(2.0, 3.5), stats.beta(2.0, 3.5)),
    "Uniform": (dist.Uniform(-1.0, 2.0), stats.uniform(-1, 3)),
    "TransformedDistribution": (dist.TransformedDistribution(dist.Normal(0.5, 2.0), dist.transforms.ExpTransform()),
                                stats.lognorm(2.0, 0, math.exp(0.5))),
}


@pytest.mark.parametrize("name", TAILS)
def test_both_tails_are_accurate(name):
    d, law = TAILS[name]
    q = np.array([1e-12, 1e-4, 0.2, 0.5])
    q = q[1:] if name == "Uniform" else q                # whose numbers near 2 are too far apart
    low, high = np.asarray(d.icdf(q)), np.asarray(d.isf(q))
    for f, theirs, x in (("cdf", law.cdf, low), ("survival_function", law.sf, high)):
        np.testing.assert_allclose(theirs(x), q, rtol=2e-11)
        np.testing.assert_allclose(np.asarray(getattr(d, f)(x)), q, rtol=2e-11)
    for f, x in (("log_cdf", low), ("log_survival", high)):
        np.testing.assert_allclose(np.asarray(getattr(d, f)(x)), np.log(q), rtol=2e-12)
    for f, want in (("icdf_exp", low), ("isf_exp", high)):
        np.testing.assert_allclose(np.asarray(getattr(d, f)(np.log(q))), want, rtol=1e-11)
    np.testing.assert_array_equal(np.asarray(d.log_survival_function(high)), np.asarray(d.log_survival(high)))
    np.testing.assert_array_equal(np.asarray(d.quantile(q)), np.asarray(d.icdf(q)))
    np.testing.assert_allclose(np.asarray(d.prob(low)), law.pdf(low), rtol=1e-11)


@pytest.mark.parametrize("name", TAILS)
def test_logarithms_of_tails_have_finite_derivatives_everywhere(name):
    d, _ = TAILS[name]
    x = np.array([-50.0, -1.0, 0.0, 0.5, 1.0, 3.0, 50.0, 1e5])
    for f in ("log_cdf", "log_survival"):
        assert np.all(np.isfinite(np.asarray(grad(lambda x, f=f: cnp.sum(getattr(d, f)(x)))(x)))), f


@pytest.mark.parametrize("d, law", [
    (dist.Poisson(2.5), stats.poisson(2.5)), (dist.Binomial(7, 0.3), stats.binom(7, 0.3)),
    (dist.Binomial(7, logits=0.3), stats.binom(7, special.expit(0.3))), (dist.Bernoulli(0.3), stats.bernoulli(0.3)),
    (dist.Bernoulli(logits=0.3), stats.bernoulli(special.expit(0.3))),
    (dist.Categorical([0.2, 0.5, 0.3]), stats.rv_discrete(values=([0, 1, 2], [0.2, 0.5, 0.3]))),
], ids=["Poisson", "BinomialProbs", "BinomialLogits", "BernoulliProbs", "BernoulliLogits", "Categorical"])
def test_tails_of_counts_are_accurate(d, law):
    k = np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 5.0])
    with np.errstate(divide="ignore"):
        for ours_, theirs in (("cdf", "cdf"), ("log_cdf", "logcdf"), ("survival_function", "sf"),
                              ("log_survival", "logsf")):
            want = getattr(law, theirs)(k)
            np.testing.assert_allclose(np.asarray(getattr(d, ours_)(k)), want, rtol=1e-12, atol=1e-15)
    q = np.array([1e-9, 0.25, 0.6, 0.999])
    np.testing.assert_array_equal(np.asarray(d.icdf(q)), law.ppf(q))
    np.testing.assert_array_equal(np.asarray(d.isf(q)), law.isf(q))
