"""log_prob where its terms overflow or cancel, float32 included, against other formulas in float64."""
import mpmath as mp
import numpy as np
import pytest
from scipy import special, stats

import chainrule.distributions as dist
from chainrule.engine import grad, jit
from chainrule.engine import numpy as cnp

EXTREME = np.array([0.0, 1e-30, 1.0, 40.0, 1e10, 1e18, 1e25, -1e30], np.float32)


@pytest.mark.parametrize("compile_it", [False, True], ids=["plain", "compiled"])
@pytest.mark.parametrize("make, want", [
    (lambda s: dist.Cauchy(0.0 * s, s), lambda x: stats.cauchy.logpdf(x, 0.0, 0.5)),
    (lambda s: dist.HalfCauchy(s), lambda x: stats.halfcauchy.logpdf(np.abs(x), 0.0, 0.5)),
    (lambda s: dist.StudentT(3.0 + 0.0 * s, 0.0 * s, s), lambda x: stats.t.logpdf(x, 3.0, 0.0, 0.5)),
], ids=["Cauchy", "HalfCauchy", "StudentT"])
def test_heavy_tails_do_not_overflow_in_single_precision(make, want, compile_it):
    """A few roundings, each of 2⁻²⁴ of the result."""
    d = make(np.float32(0.5))
    x = np.abs(EXTREME) if isinstance(d, dist.HalfCauchy) else EXTREME
    got = (jit(d.log_prob) if compile_it else d.log_prob)(x)
    assert got.dtype == np.float32
    np.testing.assert_allclose(np.asarray(got), want(x.astype(float)), rtol=1e-6)
    slope = grad(lambda x: d.log_prob(x).sum())(x)
    assert np.all(np.isfinite(np.asarray(slope)))


@pytest.mark.parametrize("dtype, error", [(np.float64, 1e-14), (np.float32, 2e-6)])
def test_a_t_distribution_of_many_degrees_of_freedom_is_normal(dtype, error):
    """They differ by (z⁴ - 2 z² - 1) / 4ν, 4e-14 at most here."""
    x = np.array([-3.0, 0.0, 0.1, 2.0], dtype)
    got = dist.StudentT(dtype(1e15), dtype(0.0), dtype(1.0)).log_prob(x)
    np.testing.assert_allclose(np.asarray(got), stats.norm.logpdf(x.astype(float)), rtol=error)
    got = dist.StudentT(dtype(1e15), dtype(0.0), dtype(1.0)).log_cdf(x)
    np.testing.assert_allclose(np.asarray(got), stats.norm.logcdf(x.astype(float)), rtol=3 * error)


def test_large_counts_do_not_cancel_in_single_precision():
    """The result is rounded at √k 2⁻²⁴ at worst, since t is of the order of 1/√k where the mass is."""
    rate = np.array([1e-3, 0.5, 7.0, 40.0, 1e3, 1e6], np.float32)[:, None]
    k = np.array([0, 1, 7, 8, 40, 1000, 999_000, 1_000_000, 1_002_000])
    want = stats.poisson.logpmf(k, rate.astype(float))
    for f in (lambda r: dist.Poisson(r).log_prob(k), jit(lambda r: dist.Poisson(r).log_prob(k))):
        got = np.asarray(f(rate))
        assert got.dtype == np.float32
        assert np.max(np.abs(got - want) / np.maximum(1.0, np.abs(want))) < 3e-4


def test_the_slope_of_large_counts_is_right_in_single_precision():
    rate = np.float32(1e3)
    k = np.array([0, 3, 8, 900, 1000, 1200])
    got = [float(grad(lambda r, n=n: dist.Poisson(r).log_prob(n))(rate)) for n in k]
    np.testing.assert_allclose(got, k / 1e3 - 1.0, rtol=1e-5, atol=2e-6)


def _gamma(x, a, b):
    return a * mp.log(b) + (a - 1) * mp.log(x) - b * x - mp.loggamma(a)


def _log_choose(n, k):
    return mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)


def _binomial(k, n, p):
    return _log_choose(n, k) + k * mp.log(p) + (n - k) * mp.log1p(-p)


def _beta(x, a, b):
    return (a - 1) * mp.log(x) + (b - 1) * mp.log1p(-x) - _log_beta(a, b)


def _log_beta(a, b):
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def _negative_binomial(k, r, p):
    return _log_choose(k + r - 1, k) + k * mp.log(p) + r * mp.log1p(-p)


def _beta_binomial(k, a, b, n):
    return _log_choose(n, k) + _log_beta(k + a, n - k + b) - _log_beta(a, b)


def _beta_prime(x, a, c, r):
    return (a - 1) * mp.log(x / r) - (a + c) * mp.log1p(x / r) - _log_beta(a, c) - mp.log(r)


AWAY = (-5.0, -1.0, 0.0, 1e-3, 0.5, 3.0)                 # in standard deviations from the mean
LARGE = (10.0, 1e3, 1e5, 1e7)
NEAR_THE_MODE = {                                        # family, formula, (parameters, mean, standard deviation) …
    "Gamma": (dist.Gamma, _gamma, [((a, b), a / b, a ** 0.5 / b) for a in LARGE for b in (0.7, 1e3)]),
    "InverseGamma": (dist.InverseGamma, lambda x, a, b: _gamma(1 / x, a, b) - 2 * mp.log(x),
                     [((a, b), b / a, 0.3 * b * a ** -1.5) for a in LARGE for b in (0.7, 1e3)]),
    "Chi2": (dist.Chi2, lambda x, k: _gamma(x, k / 2, mp.mpf(0.5)), [((a,), a, a ** 0.5) for a in LARGE]),
    "Chi": (dist.Chi, lambda x, k: _gamma(x * x, k / 2, mp.mpf(0.5)) + mp.log(2 * x),
            [((a,), a ** 0.5, 0.5) for a in LARGE]),
    "InvChi2": (dist.InvChi2, lambda x, k: _gamma(1 / x, k / 2, mp.mpf(0.5)) - 2 * mp.log(x),
                [((a,), 1 / a, 0.3 * a ** -1.5) for a in LARGE]),
    "Beta": (dist.Beta, _beta, [((a, b), a / (a + b), (a * b) ** 0.5 * (a + b) ** -1.5) for a in LARGE for b in LARGE]),
    "FisherSnedecor": (dist.FisherSnedecor, lambda x, a, b: _beta_prime(x, a / 2, b / 2, b / a),
                       [((a, a), 1.0, 0.2 * a ** -0.5) for a in LARGE]),
    "Poisson": (dist.Poisson, lambda k, r: k * mp.log(r) - r - mp.loggamma(k + 1),
                [((a,), a, a ** 0.5) for a in LARGE]),
    "Binomial": (lambda n, p: dist.Binomial(n, probs=p), _binomial,
                 [((int(n), p), n * p, (n * p * (1 - p)) ** 0.5) for n in LARGE for p in (0.1, 0.5, 0.9)]),
    "NegativeBinomialProbs": (dist.NegativeBinomialProbs, _negative_binomial,
                              [((a, p), a * p / (1 - p), (a * p) ** 0.5 / (1 - p)) for a in LARGE for p in (0.1, 0.5)]),
    "NegativeBinomial2": (dist.NegativeBinomial2, lambda k, m, c: _negative_binomial(k, c, m / (m + c)),
                          [((m, c), m, (m + m * m / c) ** 0.5 / 5) for m in LARGE for c in (1e3, 1e7)]),
    "GammaPoisson": (dist.GammaPoisson, lambda k, a, b: _negative_binomial(k, a, 1 / (1 + b)),
                     [((a, b), a / b, (a + a / b) ** 0.5 / b) for a in LARGE for b in (0.7, 1.5)]),
    "BetaBinomial": (dist.BetaBinomial, _beta_binomial,
                     [((a, b, int(n)), n * a / (a + b), n * (a * b) ** 0.5 * (a + b) ** -1.5)
                      for a in LARGE for b in LARGE[:2] for n in (1e3, 1e6)]),
}


@pytest.mark.parametrize("dtype, most", [(np.float64, 1e-12), (np.float32, 1e-5)], ids=["float64", "float32"])
@pytest.mark.parametrize("name", NEAR_THE_MODE)
def test_large_terms_do_not_cancel_near_the_mode(name, dtype, most):
    """The error is relative to max(1, |log p|); the terms of the plain formulas are up to 1e8 times larger."""
    family, formula, rows = NEAR_THE_MODE[name]
    points = [(x, p) for p, mean, sd in rows for t in AWAY if (x := mean + t * sd) > 0]
    x, columns = np.array([x for x, _ in points]), [np.array(c) for c in zip(*[p for _, p in points])]
    columns = [c if c.dtype.kind == "i" else c.astype(dtype) for c in columns]
    counts = family(*columns).is_discrete
    x = np.rint(x).astype(int) if counts else x.astype(dtype)
    ends = {"Binomial": columns[0], "BetaBinomial": columns[-1], "Beta": 0.9999}
    ok = x <= ends.get(name, np.inf)
    assert ok.sum() > 0.7 * ok.size
    x, columns = x[ok], [c[ok] for c in columns]
    with mp.workdps(60):
        want = [formula(*(mp.mpf(v.item()) for v in point)) for point in zip(x, *columns)]
    for f in (lambda x, *p: family(*p).log_prob(x), jit(lambda x, *p: family(*p).log_prob(x))):
        got = f(x, *columns)
        assert got.dtype == dtype
        errors = [float(abs(g - w) / max(1, abs(w))) for g, w in zip(np.asarray(got).tolist(), want)]
        assert max(errors) < most, (max(errors), [c[int(np.argmax(errors))] for c in (x, *columns)])


GRADIENTS = {                                            # family, parameters, values where the density is large
    "Gamma": (dist.Gamma, (2e5, 3.0), [6e4, 2e5 / 3, 7e4]),
    "InverseGamma": (dist.InverseGamma, (2e5, 3.0), [1.4e-5, 1.5e-5, 1.6e-5]),
    "Chi": (dist.Chi, (1e6,), [999.0, 1e3, 1001.0]),
    "Beta": (dist.Beta, (2e4, 3e4), [0.39, 0.4, 0.41]),
    "FisherSnedecor": (dist.FisherSnedecor, (2e4, 3e4), [0.99, 1.0, 1.01]),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_slopes_are_those_of_the_log_density(name):
    """Against central differences, both in the logarithm of the argument. A step of 1e-5 leaves 2e-11 of the third
    derivative, which is about the first parameter, and 1e-12 / 1e-5 of rounding."""
    family, parameters, values = GRADIENTS[name]
    for x in values:
        point = (x, *parameters)

        def f(*point):
            return family(*point[1:]).log_prob(point[0])
        for i, got in enumerate(grad(f, argnums=tuple(range(len(point))))(*point)):
            h = point[i] * 1e-5
            up, down = ([v + s * h * (j == i) for j, v in enumerate(point)] for s in (1, -1))
            want = (float(f(*up)) - float(f(*down))) / (2 * h)
            np.testing.assert_allclose(float(got) * point[i], want * point[i], rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("make, x, want", [
    (lambda p: dist.Binomial(5, probs=p), 0, lambda p: -5 / (1 - p)),
    (lambda p: dist.Binomial(5, probs=p), 5, lambda p: 5 / p),
    (lambda r: dist.Poisson(r), 0, lambda r: -1.0),
    (lambda p: dist.NegativeBinomialProbs(3.0, p), 0, lambda p: -3 / (1 - p)),
    (lambda m: dist.NegativeBinomial2(m, 2.0), 0, lambda m: -2 / (m + 2)),
], ids=["Binomial", "Binomial, all", "Poisson", "NegativeBinomialProbs", "NegativeBinomial2"])
def test_slopes_at_the_ends_of_the_counts(make, x, want):
    for p in (1e-30, 0.3, 1 - 2.0 ** -52):
        np.testing.assert_allclose(float(grad(lambda p: make(p).log_prob(x))(p)), want(p), rtol=1e-12)


def test_a_chance_of_nothing_or_all_has_its_limits():
    k = np.array([0, 1, 4, 5])
    np.testing.assert_array_equal(np.exp(np.asarray(dist.Binomial(5, probs=0.0).log_prob(k))), [1, 0, 0, 0])
    np.testing.assert_array_equal(np.exp(np.asarray(dist.Binomial(5, probs=1.0).log_prob(k))), [0, 0, 0, 1])
    assert float(grad(lambda p: dist.Binomial(5, probs=p).log_prob(0))(0.0)) == -5.0
    assert float(dist.NegativeBinomialProbs(3.0, 0.0).log_prob(0)) == 0.0


@pytest.mark.parametrize("make, want", [
    (lambda: dist.Poisson(0.7), lambda k: np.log(0.7) - special.psi(k + 1)),
    (lambda: dist.Binomial(5, probs=0.3), lambda k: np.log(0.3 / 0.7) - special.psi(k + 1) + special.psi(6 - k)),
    (lambda: dist.Binomial(5, logits=0.3), lambda k: 0.3 - special.psi(k + 1) + special.psi(6 - k)),
    (lambda: dist.NegativeBinomial2(0.7, 2.0), lambda k: np.log(0.7 / 2.7) - special.psi(k + 1) + special.psi(k + 2)),
    (lambda: dist.BetaBinomial(2.0, 3.0, 5), lambda k: special.psi(k + 2) - special.psi(8 - k) - special.psi(k + 1)
     + special.psi(6 - k)),
], ids=["Poisson", "Binomial, probs", "Binomial, logits", "NegativeBinomial2", "BetaBinomial"])
def test_slopes_in_the_counts_themselves_are_finite(make, want):
    """As relaxations of counts ask for them; at 0 and at the total too."""
    for k in (0.0, 1.0, 5.0):
        np.testing.assert_allclose(float(grad(make().log_prob_inside)(k)), want(k), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype, error", [("float16", 4e-3), ("bfloat16", 4e-2)])
def test_half_precision_goes_through(dtype, error):
    r = cnp.astype(cnp.asarray(3.0), dtype)
    half = cnp.astype(cnp.asarray(0.5), dtype)
    for f, want, slope in ((lambda r: dist.Poisson(r).log_prob(2), stats.poisson.logpmf(2, 3), -1 / 3),
                           (lambda r: dist.Gamma(r, half).log_prob(half), stats.gamma.logpdf(0.5, 3, scale=2),
                            np.log(0.25) - special.psi(3)),
                           (lambda r: dist.Beta(r, half).log_prob(half), stats.beta.logpdf(0.5, 3, 0.5),
                            np.log(0.5) + special.psi(3.5) - special.psi(3))):
        for g in (f, jit(f)):
            assert g(r).dtype == dtype
            np.testing.assert_allclose(float(g(r)), want, rtol=error, atol=error)
        np.testing.assert_allclose(float(grad(f)(r)), slope, rtol=error, atol=error)
