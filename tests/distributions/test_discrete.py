"""What is special to the discrete distributions: extreme numbers, quantiles, lists of values, sparse data, GLMs."""
import functools

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule.distributions as dist
from chainrule.distributions.counting import log_multichoose
from chainrule.engine import grad, hessian, jit, random, value_and_grad
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ChainruleError
from tests.distributions.cases import label, modules

DISCRETE = next(module for module in modules if module.__name__.endswith("cases_discrete")).CASES

# ---- far out: against mpmath with 60 digits ----


def log_gamma_sum(plus, minus):
    return sum(mpmath.loggamma(x) for x in plus) - sum(mpmath.loggamma(x) for x in minus)


def choose(n, k):
    return log_gamma_sum([n + 1], [k + 1, n - k + 1])


def beta(a, b):
    return log_gamma_sum([a, b], [a + b])


def negative_binomial(k, m, c):
    return log_gamma_sum([k + c], [c, k + 1]) - k * mpmath.log1p(c / m) - c * mpmath.log1p(m / c)


def binomial(k, n, p):
    return choose(n, k) + k * mpmath.log(p) + (n - k) * mpmath.log1p(-p)


def beta_binomial(k, a, b, n):
    return choose(n, k) + beta(k + a, n - k + b) - beta(a, b)


def beta_negative_binomial(k, a, b, n):
    return log_gamma_sum([n + k], [n, k + 1]) + beta(a + k, b + n) - beta(a, b)


def hypergeometric(x, N, k, n):
    return choose(k, x) + choose(N - k, n - x) - choose(N, n)


def discrete_weibull(k, q, b):
    return mpmath.log(q ** (k ** b) - q ** ((k + 1) ** b))


def skellam(k, a, b):
    return -(a + b) + k / 2 * mpmath.log(a / b) + mpmath.log(mpmath.besseli(abs(k), 2 * mpmath.sqrt(a * b)))


def zipf(k, s):
    return -s * mpmath.log(k) - mpmath.log(mpmath.zeta(s))


def generalized_poisson(k, mu, lam):
    rate = mu + lam * k
    return mpmath.log(mu) + (k - 1) * mpmath.log(rate) - rate - mpmath.loggamma(k + 1)


def poisson_log_normal(k, m, s):
    def f(z):
        return mpmath.exp(k * z - mpmath.exp(z) - (z - m) ** 2 / (2 * s * s) - mpmath.loggamma(k + 1))
    points = sorted({float(m + 12 * s * u) for u in np.linspace(-1, 1, 13)} | set(range(-10, 14, 3)))
    with mpmath.workdps(20):
        return mpmath.log(mpmath.quad(f, [p for p in points if p < 60]) / s / mpmath.sqrt(2 * mpmath.pi))


def log_normal_negative_binomial(k, r, m, s):
    def f(z):
        return mpmath.exp(k * z - (k + r) * mpmath.log1p(mpmath.exp(z)) - (z - m) ** 2 / (2 * s * s) + constant)
    constant = log_gamma_sum([k + r], [r, k + 1])
    turn = float(mpmath.log((k + 0.5) / (r + 0.5)))
    points = sorted({float(m + 13 * s * u) for u in np.linspace(-1, 1, 14)} | {turn + j for j in range(-10, 12, 2)})
    with mpmath.workdps(20):
        return mpmath.log(mpmath.quad(f, points) / s / mpmath.sqrt(2 * mpmath.pi))


# (family, formula, value, parameters, size: how large the terms are of which the result is a difference)
EXTREMES = [
    *[(dist.NegativeBinomial2, negative_binomial, k, p, size) for k, p, size in [
        (5, (3.0, 1e9), 1e2), (5, (3.0, 1e14), 1e2), (0, (3.0, 1e-8), 1), (7, (3.0, 1e-8), 10), (10**9, (1e9, 2.0), 10),
        (10**9, (1e9, 1e9), 1e9), (3, (1e-12, 0.5), 10), (1000, (1e12, 0.5), 10)]],
    *[(dist.BetaBinomial, beta_binomial, k, p, size) for k, p, size in [
        (3, (1e9, 1e9, 10), 1e2), (5 * 10**8, (1.0, 1.0, 10**9), 10), (5 * 10**8, (1e9, 1e9, 10**9), 1e9),
        (3, (1e-8, 2.0, 10), 10), (0, (1e-8, 1e-8, 10), 10)]],
    *[(lambda p, n: dist.Binomial(n, p), lambda k, p, n: binomial(k, n, p), k, p, size) for k, p, size in [
        (3, (1e-9, 10**9), 1e2), (10**6, (1e-3, 10**9), 1e7), (5 * 10**8, (0.5, 10**9), 1e9)]],
    *[(dist.HyperGeometric, hypergeometric, x, p, size) for x, p, size in [
        (3, (10**9, 100, 10**7), 1e8), (5 * 10**4, (10**9, 10**7, 5 * 10**6), 1e8)]],
    *[(dist.BetaNegativeBinomial, beta_negative_binomial, k, p, size) for k, p, size in [
        (3, (1e9, 1e9, 5.0), 1e2), (10**9, (2.0, 3.0, 4.0), 10), (3, (1e-8, 2.0, 3.0), 10), (5, (2.0, 3.0, 1e9), 1e2)]],
    *[(dist.DiscreteWeibull, discrete_weibull, k, p, 1) for k, p in [
        (100, (0.999999, 2.0)), (10**6, (0.5, 0.1)), (10**9, (0.5, 0.05)), (5, (1e-10, 3.0))]],
    *[(dist.Skellam, skellam, k, p, 1e2) for k, p in [(-50, (1e3, 1e3)), (3, (1e-8, 1e-8)), (100, (2.0, 3.0))]],
    *[(dist.Zipf, zipf, k, p, 1) for k, p in [(10**9, (1.0000001,)), (3, (50.0,)), (1, (1000.0,)), (10, (1.5,))]],
    *[(dist.GeneralizedPoisson, generalized_poisson, k, p, size) for k, p, size in [
        (10**6, (1.0, 0.999), 1e7), (0, (1e-9, 0.5), 1), (500, (1e3, 0.0), 1e4)]],
    *[(dist.PoissonLogNormal, poisson_log_normal, k, p, 1e3) for k, p in [
        (0, (0.0, 5.0)), (0, (-3.0, 4.0)), (1, (-8.0, 3.0)), (50, (2.0, 1.0)), (0, (-4.0, 0.6)), (1000, (3.0, 2.0))]],
    *[(dist.LogNormalNegativeBinomial, log_normal_negative_binomial, k, p, 1e3) for k, p in [
        (0, (2.0, 0.0, 5.0)), (50, (2.0, 1.0, 1.0)), (0, (0.01, 30.0, 8.0)), (5, (3.0, -30.0, 3.0)),
        (100, (100.0, 0.0, 0.01)), (1000, (1e4, -3.0, 0.5))]],
]


@pytest.mark.parametrize("family, formula, k, parameters, size", EXTREMES,
                         ids=[f"{row[1].__name__}-{i}" for i, row in enumerate(EXTREMES)])
def test_log_prob_is_accurate_for_extreme_parameters(family, formula, k, parameters, size):
    """Within 16 ulps of the result and of the terms that must cancel."""
    with mpmath.workdps(60):
        want = float(formula(mpmath.mpf(k), *[mpmath.mpf(p) for p in parameters]))
    got = float(family(*parameters).log_prob(k))
    assert abs(got - want) <= 16 * 2.3e-16 * max(abs(want), size)


def logistic(x):
    return 1 / (1 + mpmath.exp(-x))


def normal(x):
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


@pytest.mark.parametrize("family, f, far",
                         [(dist.OrderedLogistic, logistic, 800.0), (dist.OrderedProbit, normal, 30.0)],
                         ids=["logistic", "probit"])
def test_ordered_outcomes_far_from_the_predictor_keep_their_relative_accuracy(family, f, far):
    cuts = [-1.0, 0.0, 1.5]
    for eta in (-far, -3.0, 0.2, far):
        d = family(eta, cuts)
        with mpmath.workdps(800):
            ends = [mpmath.mpf(0), *[f(mpmath.mpf(c) - eta) for c in cuts], mpmath.mpf(1)]
            want = [float(mpmath.log(b - a)) for a, b in zip(ends, ends[1:])]
        np.testing.assert_allclose(np.asarray(d.log_prob(np.arange(4))), want, rtol=1e-14)
        np.testing.assert_allclose(np.asarray(d.log_probs()), want, rtol=1e-14)
        slope = grad(lambda eta, d=d: cnp.sum(family(eta, cuts).log_prob(np.arange(4))))(eta)
        assert np.isfinite(float(slope))


@pytest.mark.parametrize("dtype, bound", [(np.float64, 2e-14), (np.float32, 8e-6)], ids=["float64", "float32"])
def test_the_compiled_rising_factorial_is_accurate(dtype, bound):
    r, k = np.meshgrid(np.array([1e-12, 1e-3, 0.5, 1.0, 7.3, 100.0, 1e5, 1e9, 1e14], dtype),
                       np.array([0, 1, 2, 10, 300, 1e5, 1e9], dtype))
    with mpmath.workdps(50):
        want = np.vectorize(lambda r, k: float(log_gamma_sum([mpmath.mpf(float(r)) + float(k)],
                                                             [mpmath.mpf(float(r)), mpmath.mpf(float(k)) + 1])))(r, k)
    for got in (jit(log_multichoose)(r, k), log_multichoose(cnp.asarray(r), cnp.asarray(k))):
        assert np.max(np.abs(np.asarray(got) - want) / np.maximum(1, np.abs(want))) < bound


def test_a_sum_of_unlikely_events_is_accurate_and_certain_ones_have_derivatives():
    got = float(dist.PoissonBinomial(np.full(300, 1e-3)).log_prob(200))
    with mpmath.workdps(40):
        want = float(binomial(mpmath.mpf(200), 300, mpmath.mpf(1e-3)))
    np.testing.assert_allclose(got, want, rtol=1e-13)
    p = np.array([0.0, 1.0, 0.5, 1.0])
    np.testing.assert_allclose(float(dist.PoissonBinomial(p).log_prob(2)), np.log(0.5), rtol=1e-15)
    np.testing.assert_allclose(np.asarray(grad(lambda p: dist.PoissonBinomial(p).log_prob(2))(p)), [-1, 1, -2, 1],
                               rtol=1e-12)


# ---- quantiles ----

QUANTILES = [("poisson", lambda u: dist.Poisson(10.0 ** (6 * u - 1))), ("binomial", lambda u: dist.Binomial(400, u)),
             ("negative_binomial", lambda u: dist.NegativeBinomial2(10.0 ** (4 * u), 0.3)),
             ("geometric", lambda u: dist.Geometric(0.001 + 0.99 * u)),
             ("weibull", lambda u: dist.DiscreteWeibull(0.05 + 0.9 * u, 0.6)),
             ("uniform", lambda u: dist.DiscreteUniform(-3, int(50 * u)))]


@pytest.mark.parametrize("make", [row[1] for row in QUANTILES], ids=[row[0] for row in QUANTILES])
@given(u=st.floats(0.01, 0.99), q=st.floats(1e-6, 1 - 1e-6))
def test_a_quantile_is_the_first_value_whose_cdf_reaches_it(make, u, q):
    d = make(u)
    k = float(d.icdf(q))
    assert k == np.floor(k)
    assert float(d.cdf(k)) >= q * (1 - 1e-13)
    assert float(d.cdf(k - 1)) < q


def test_quantiles_compile_and_keep_to_the_ends():
    d = dist.Poisson([3.5, 1e6])
    q = np.array([[0.0], [0.001], [0.3], [0.999999]])
    want = np.asarray(d.icdf(q))
    np.testing.assert_array_equal(np.asarray(jit(lambda q: d.icdf(q))(q)), want)
    np.testing.assert_array_equal(want[:, 0], [0, 0, 2, 15])
    assert float(dist.Binomial(20, 0.3).icdf(1.0)) == 20


TAILED = [c for c in DISCRETE if not c.make().event_shape]


@pytest.mark.parametrize("case", TAILED, ids=label)
def test_both_tails_add_up_to_one(case):
    d = case.make()
    try:
        k = np.arange(case.smallest, case.smallest + 6)
        both = np.exp(np.asarray(d.log_cdf(k))) + np.exp(np.asarray(d.log_survival(k)))
    except NotImplementedError:
        return
    np.testing.assert_allclose(both, 1.0, rtol=1e-13)


# ---- lists of values ----

LISTED = [c for c in DISCRETE if c.discrete and c.make().has_enumerate_support]


@pytest.mark.parametrize("case", LISTED, ids=label)
def test_the_list_of_values_holds_all_of_the_support_once(case):
    for d in (case.make(i) for i in range(len(case.params))):
        try:
            values = d.enumerate_support()
        except ChainruleError as error:
            assert "the same for all" in str(error)
            continue
        assert values.shape[1:] == d.shape()
        short = d.enumerate_support(expand=False)
        assert short.shape == (len(values), *(1,) * len(d.batch_shape), *d.event_shape)
        assert len(np.unique(np.asarray(short).reshape((len(values), -1)), axis=0)) == len(values)
        np.testing.assert_allclose(np.exp(np.asarray(d.log_prob(values))).sum(0), np.ones(d.batch_shape), rtol=1e-12)


@pytest.mark.parametrize("case", DISCRETE, ids=label)
def test_the_mode_is_as_likely_as_any_other_value(case):
    if not case.discrete:
        return
    for d in (case.make(i) for i in range(len(case.params))):
        try:
            mode = d.mode
        except NotImplementedError:
            return
        law = case.check()
        values = law.values if d.event_shape else np.arange(case.smallest, case.largest + 1)
        values = np.asarray(values).reshape((len(values), *(1,) * len(d.batch_shape), *d.event_shape))
        assert mode.shape == d.shape()
        assert np.all(np.asarray(d.log_prob(mode)) >= np.asarray(d.log_prob(values)).max(0) - 1e-12)


@given(a=st.floats(0.2, 4.0), b=st.floats(0.2, 4.0), n=st.integers(0, 9))
def test_the_mode_of_a_beta_binomial_is_its_largest_mass(a, b, n):
    d = dist.BetaBinomial(a, b, n)
    assert float(d.log_prob(d.mode)) >= np.asarray(d.log_prob(np.arange(n + 1))).max() - 1e-12


# ---- constructors ----

def test_negative_binomials_of_all_parametrisations_agree():
    k = np.arange(6)
    want = np.asarray(dist.NegativeBinomial(3.0, probs=0.4).log_prob(k))
    same = [dist.NegativeBinomial(3.0, logits=np.log(0.4 / 0.6)), dist.NegativeBinomial(mean=2.0, concentration=3.0),
            dist.GammaPoisson(3.0, 1.5), dist.NegativeBinomial2.from_log_mean(np.log(2.0), 3.0),
            dist.NegativeBinomialProbs.from_stopping_probability(3.0, 0.6)]
    for d in same:
        np.testing.assert_allclose(np.asarray(d.log_prob(k)), want, rtol=1e-13)
        np.testing.assert_allclose([float(d.mean), float(d.variance)], [2.0, 10 / 3], rtol=1e-13)
    np.testing.assert_allclose(np.asarray(dist.BetaBinomial.from_mean(0.25, 4.0, 5).log_prob(k)),
                               np.asarray(dist.BetaBinomial(1.0, 3.0, 5).log_prob(k)))
    for wrong in (dict(mean=1.0), dict(probs=0.3), dict(total_count=2.0), dict(mean=1.0, concentration=2.0, probs=0.5)):
        with pytest.raises(ChainruleError, match="NegativeBinomial"):
            dist.NegativeBinomial(**wrong)


def test_zero_inflated_and_hurdle_negative_binomials_have_their_gate():
    k = np.arange(5)
    base = np.exp(np.asarray(dist.NegativeBinomial2(2.0, 3.0).log_prob(k)))
    inflated, hurdle = 0.7 * base + 0.3 * (k == 0), np.where(k == 0, 0.3, 0.7 * base / (1 - base[0]))
    for d, want in [(dist.ZeroInflatedNegativeBinomial2(2.0, 3.0, gate=0.3), inflated),
                    (dist.ZeroInflatedNegativeBinomial(3.0, probs=0.4, gate=0.3), inflated),
                    (dist.HurdleNegativeBinomial2(0.3, 2.0, 3.0), hurdle),
                    (dist.HurdleNegativeBinomial(0.3, 3.0, probs=0.4), hurdle)]:
        np.testing.assert_allclose(np.exp(np.asarray(d.log_prob(k))), want, rtol=1e-13)


def test_an_extended_count_that_cannot_be_has_no_mass():
    d = dist.ExtendedBinomial(0.3, [-2, 0, 3])
    np.testing.assert_array_equal(np.asarray(d.log_prob(0)) > -np.inf, [False, True, True])
    np.testing.assert_array_equal(np.asarray(d.log_prob(-1)), [-np.inf] * 3)
    slope = grad(lambda p: cnp.sum(dist.ExtendedBinomial(p, [-2, 0, 3]).mask([False, True, True]).log_prob(0)))(0.3)
    np.testing.assert_allclose(float(slope), -3 / 0.7, rtol=1e-12)


# ---- sparse counts, straight-through draws ----

@pytest.mark.parametrize("rate", [1.7, np.linspace(0.1, 2.0, 12).reshape((3, 4))], ids=["one", "each"])
def test_sparse_counts_have_the_same_log_prob_and_gradient(rate):
    k = np.zeros((3, 4), int)
    k[1, 2], k[2, 0] = 4, 1

    def total(rate, sparse):
        return cnp.sum(dist.Poisson(rate, is_sparse=sparse).log_prob(k) * np.arange(12.0).reshape((3, 4)))
    for f in (value_and_grad(total), lambda r, s: jit(value_and_grad(lambda r: total(r, s)))(r)):
        for got, want in zip(f(rate, True), f(rate, False)):
            np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-13)


def test_straight_through_draws_pass_the_derivative_of_the_probabilities_on():
    logits, w = np.array([0.3, -0.2, 1.0]), np.array([1.0, 5.0, -2.0])

    def drawn(logits):
        return cnp.sum(dist.OneHotCategoricalStraightThrough(logits).sample(random.key(3)) * w)
    want = grad(lambda v: cnp.sum(dist.OneHotCategoricalLogits(v).probs * w))(logits)
    np.testing.assert_allclose(np.asarray(grad(drawn)(logits)), np.asarray(want), rtol=1e-13)
    assert float(drawn(logits)) in w


# ---- generalized linear models ----

rng = np.random.default_rng(4)
X = rng.normal(size=(40, 3))
BETA, ALPHA, CUTS = rng.normal(size=3), 0.3, np.array([-1.0, 0.1, 0.9])
COUNTS, BITS, GRADES = rng.poisson(3.0, 40), rng.integers(0, 2, 40), rng.integers(0, 4, 40)
GLMS = {
    "bernoulli": (dist.BernoulliLogitGLM, lambda x, a, b: dist.BernoulliLogits(x @ b + a), (ALPHA, BETA), BITS),
    "binomial": (functools.partial(dist.BinomialLogitGLM, total_count=12),
                 lambda x, a, b: dist.BinomialLogits(x @ b + a, 12), (ALPHA, BETA), GRADES),
    "poisson": (dist.PoissonLogGLM, lambda x, a, b: dist.Poisson(cnp.exp(x @ b + a)), (ALPHA, BETA), COUNTS),
    "negative_binomial": (dist.NegBinomial2LogGLM,
                          lambda x, a, b, c: dist.NegativeBinomial2(cnp.exp(x @ b + a), c), (ALPHA, BETA, 2.5), COUNTS),
    "normal": (dist.NormalIdGLM, lambda x, a, b, s: dist.Normal(x @ b + a, s), (ALPHA, BETA, 1.7), X[:, 0] * 2),
    "offsets": (dist.PoissonLogGLM, lambda x, a, b: dist.PoissonLogRate(x @ b + a), (X[:, 1], BETA), COUNTS),
    "categorical": (dist.CategoricalLogitGLM, lambda x, a, b: dist.CategoricalLogits(x @ b + a),
                    (np.array([0.1, 0.0, -0.2, 0.4]), rng.normal(size=(3, 4))), GRADES),
    "ordered": (dist.OrderedLogisticGLM, lambda x, b, c: dist.OrderedLogistic(x @ b, c), (BETA, CUTS), GRADES),
}


@pytest.mark.parametrize("name", GLMS)
def test_a_glm_is_the_composed_model_in_value_and_gradient(name):
    family, composed, parameters, y = GLMS[name]
    got = value_and_grad(lambda p: family(X, *p).log_prob(y))(parameters)
    want = value_and_grad(lambda p: cnp.sum(composed(X, *p).log_prob(y)))(parameters)
    np.testing.assert_allclose(float(got[0]), float(want[0]), rtol=1e-13)
    for g, w in zip(got[1], want[1]):
        np.testing.assert_allclose(np.asarray(g), np.asarray(w), rtol=1e-11, atol=1e-12)
    assert family(X, *parameters).event_shape == (40,) and family(X, *parameters).batch_shape == ()


def test_the_gradient_of_a_logistic_glm_is_the_design_times_the_residuals():
    def f(beta):
        return dist.BernoulliLogitGLM(X, 0.0, beta).log_prob(BITS)
    mean = 1 / (1 + np.exp(-X @ BETA))
    np.testing.assert_allclose(np.asarray(grad(f)(BETA)), X.T @ (BITS - mean), rtol=1e-12, atol=1e-13)
    curved = -(X.T * (mean * (1 - mean))) @ X
    np.testing.assert_allclose(np.asarray(hessian(f)(BETA)), curved, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.asarray(hessian(f)(np.zeros(3))), -X.T @ X / 4, rtol=1e-12, atol=1e-12)
    text = jit(value_and_grad(f)).lower(BETA).as_text()
    assert text.count("stablehlo.exponential") == 1                # value and mean come of the same
    assert text.count("stablehlo.dot_general") == 2


def test_a_glm_far_out_has_finite_value_and_gradient():
    for scale in (1e3, -1e3):
        value, slope = value_and_grad(lambda b: dist.BernoulliLogitGLM(X, 0.0, b).log_prob(BITS))(scale * BETA)
        assert np.isfinite(float(value)) and np.all(np.isfinite(np.asarray(slope)))
