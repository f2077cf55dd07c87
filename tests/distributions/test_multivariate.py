"""What the contract does not say of multivariate, directional and time-series distributions.

Draws use fixed keys. Each random comparison has a false-alarm rate of 1e-6: |z| < 4.9, p > 1e-6.
"""
import math

import mpmath
import numpy as np
import pytest
from scipy import special, stats

import chainrule.distributions as dist
from chainrule.distributions import biject_to, constraints
from chainrule.distributions.projected_normal import log_half_line_moment
from chainrule.engine import grad, jit, jvp, random, tree, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ChainruleError
from tests.distributions.cases import label, rows
from tests.distributions.cases_multivariate import DIRECTION
from tests.distributions.structured_laws import FACTOR, GRAPH, LOC, MATRIX

Z, P = 4.9, 1e-6
KEY = random.key(31)


# ---- the density against draws ----

@pytest.mark.parametrize("case, i", rows(lambda case: hasattr(case, "structured")), ids=label)
def test_the_density_is_normalised_and_is_that_of_the_draws(case, i):
    """E q(x) / p(x) = 1 over draws x of p, for a density q with lighter tails: in unconstrained coordinates a normal
    one with half of the draws' covariance; on a sphere (1 + m'x) / area, m the mode; on a torus
    Π (1 + cos (xᵢ - mᵢ))³ / 5π."""
    d, n = case.make(i), 3000
    draws = d.sample(random.key(7), (n,))
    log_p = np.asarray(d.log_prob(draws))
    if d.support == constraints.sphere:
        if np.max(np.asarray(d.concentration)) > 5:
            return                                       # q is no part of so narrow a density
        log_area = float(dist.SphericalUniform(d.event_shape[0]).entropy())
        log_q = np.log1p(np.sum(np.asarray(d.mode) * draws, -1)) - log_area
    elif "VonMises" in case.name or case.name == "SineSkewed":
        away = np.asarray(draws) - np.asarray(getattr(d, "base_dist", d).mean)
        log_q = 3 * np.sum(np.log1p(np.cos(away)), -1) - 2 * math.log(5 * math.pi)
    else:
        t = biject_to(d.support)
        u = t.inv(draws)
        log_p = log_p + np.asarray(t.log_abs_det_jacobian(u, draws))
        size = np.shape(u)[1 + len(d.batch_shape):]
        u = np.asarray(u).reshape((n, *d.batch_shape, math.prod(size)))
        log_q = np.empty(log_p.shape)
        for at in np.ndindex(d.batch_shape):
            v = u[(slice(None), *at)]
            cov = np.atleast_2d(np.cov(v.T))
            log_q[(slice(None), *at)] = stats.multivariate_normal(v.mean(0), 0.5 * cov).logpdf(v)
    ratio = np.exp(log_q - log_p)
    z = (ratio.mean(0) - 1) / (ratio.std(0) / math.sqrt(n))
    assert np.all(np.abs(z) < Z)
    assert np.all(ratio.std(0) < 4)                      # so that the error above is one: 4 / √3000 = 0.07


NO_BATCH = ("ICAR", "EulerMaruyama")                     # one graph, one grid of times


@pytest.mark.parametrize("case, i", rows(lambda case: hasattr(case, "structured") and case.name not in NO_BATCH,
                                         every=False), ids=label)
def test_leading_axes_of_parameters_are_a_batch(case, i):
    d = case.make(i)
    x = np.asarray(d.sample(KEY, (3,)))
    both = tree.map(lambda v: cnp.stack([v, v]) if v.dtype.kind == "f" else v, d)
    assert both.batch_shape == (2, *d.batch_shape) and both.event_shape == d.event_shape
    assert both.sample(KEY, (3,)).shape == (3, 2, *d.shape())
    log_p = np.asarray(d.log_prob(x))
    np.testing.assert_allclose(np.asarray(both.log_prob(np.stack([x, x], 1))), np.stack([log_p, log_p], 1), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(both.log_prob(x[0])), np.stack([log_p[0]] * 2), rtol=1e-12)
    for moment in ("mean", "variance", "mode"):
        try:
            want = np.asarray(getattr(d, moment))
        except NotImplementedError:
            continue
        np.testing.assert_allclose(np.asarray(getattr(both, moment)), np.stack([want, want]), rtol=1e-12)


# ---- normal vectors ----

def test_the_forms_of_a_multivariate_normal_agree():
    precision = np.linalg.inv(MATRIX)
    x = np.random.default_rng(0).normal(size=(3, 3))
    forms = [dist.MultivariateNormal(LOC, covariance_matrix=MATRIX), dist.MultivariateNormal(LOC, scale_tril=FACTOR),
             dist.MultivariateNormal(LOC, precision_matrix=precision)]
    for d in forms:
        np.testing.assert_allclose(np.asarray(d.log_prob(x)), stats.multivariate_normal(LOC, MATRIX).logpdf(x),
                                   rtol=1e-12)
        np.testing.assert_allclose(np.asarray(d.covariance_matrix), MATRIX, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(np.asarray(d.precision_matrix), precision, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(float(d.entropy()), stats.multivariate_normal(LOC, MATRIX).entropy(), rtol=1e-13)
    low = dist.LowRankMultivariateNormal(LOC, FACTOR[:, :2], [0.5, 1.0, 2.0])
    np.testing.assert_allclose(np.asarray(low.precision_matrix), np.linalg.inv(low.covariance_matrix), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(low.scale_tril @ low.scale_tril.T), np.asarray(low.covariance_matrix))


def test_a_low_rank_normal_keeps_its_digits_where_the_factor_is_large():
    """x'(I + w w')⁻¹x for x = c w is c² |w|² / (1 + |w|²): nearly equal terms by Woodbury's formula."""
    w = 1e6 * np.array([1.0, 2.0, -1.0])
    d = dist.LowRankMultivariateNormal(0.0, w[:, None], [1.0, 1.0, 1.0])
    size = w @ w
    want = -0.5 * (4 * size / (1 + size)) - 0.5 * math.log1p(size) - 1.5 * math.log(2 * math.pi)
    np.testing.assert_allclose(float(d.log_prob(2 * w)), want, rtol=1e-12)


def test_car_by_edges_is_car_by_the_matrix():
    x = np.random.default_rng(0).normal(size=(3, 4))
    dense, sparse = [dist.CAR(0.2, 0.7, 2.0, GRAPH, is_sparse=s) for s in (False, True)]
    np.testing.assert_allclose(np.asarray(sparse.log_prob(x)), np.asarray(dense.log_prob(x)), rtol=1e-12)
    np.testing.assert_array_equal(np.asarray(sparse.adj_matrix), GRAPH)
    np.testing.assert_allclose(np.asarray(sparse.precision_matrix), 2.0 * (np.diag(GRAPH.sum(1)) - 0.7 * GRAPH))
    traced = jit(lambda w: dist.CAR(0.2, 0.7, 2.0, w).log_prob(x))(GRAPH)
    np.testing.assert_allclose(np.asarray(traced), np.asarray(dense.log_prob(x)), rtol=1e-12)


def test_transported_draws_carry_the_derivative_of_expectations():
    """E (b'x)² = b'L L'b: its derivative along T is 2 (b'L)(b'T); the estimate has less variance than by L z."""
    b, t = np.array([1.0, -0.5, 2.0]), np.tril(np.arange(1.0, 10.0).reshape(3, 3))
    got = []
    for family in (dist.OMTMultivariateNormal, dist.MultivariateNormal):
        def f(factor, family=family):
            return (family(0.0, scale_tril=factor).sample(KEY, (4000,)) @ b) ** 2
        got.append(np.asarray(jvp(f, (FACTOR,), (t,))[1]))
        want = 2 * (b @ FACTOR) @ (b @ t)
        assert abs(got[-1].mean() - want) < Z * got[-1].std() / math.sqrt(4000)
    assert got[0].std() < got[1].std()


def test_missing_values_are_integrated_out():
    x = np.array([[0.3, np.nan, -0.2], [np.nan, np.nan, np.nan], [0.1, 0.2, 0.3]])
    d = dist.NanMaskedMultivariateNormal(LOC, MATRIX)
    keep = [0, 2]
    want = [stats.multivariate_normal(LOC[keep], MATRIX[np.ix_(keep, keep)]).logpdf(x[0, keep]), 0.0,
            stats.multivariate_normal(LOC, MATRIX).logpdf(x[2])]
    np.testing.assert_allclose(np.asarray(d.log_prob(x)), want, rtol=1e-12)
    slopes = grad(lambda c: cnp.sum(dist.NanMaskedMultivariateNormal(LOC, c, validate_args=False).log_prob(x)))(MATRIX)
    assert np.all(np.isfinite(np.asarray(slopes)))
    one = dist.NanMaskedNormal(0.5, 2.0)
    np.testing.assert_allclose(np.asarray(one.log_prob([np.nan, 1.0])), [0.0, stats.norm(0.5, 2.0).logpdf(1.0)])
    assert math.isfinite(float(grad(lambda s: cnp.sum(dist.NanMaskedNormal(0.5, s).log_prob([np.nan, 1.0])))(2.0)))


# ---- correlations and covariances ----

def test_both_samplers_of_correlations_draw_one_law():
    draws = [np.asarray(dist.LKJ(4, 0.7, method).sample(KEY, (2000,))) for method in ("onion", "cvine")]
    dets = [np.linalg.slogdet(x)[1] for x in draws]
    assert stats.ks_2samp(*dets).pvalue > P
    np.testing.assert_array_equal(np.diagonal(draws[0], 0, 1, 2), np.ones((2000, 4)))


def test_entropies_of_correlations_are_means_of_log_prob():
    for family in (dist.LKJ, dist.LKJCholesky):
        d = family(4, 1.7)
        logs = np.asarray(d.log_prob(d.sample(KEY, (2000,))))
        assert abs(logs.mean() + float(d.entropy())) < Z * logs.std() / math.sqrt(2000)
    d = dist.LKJ(4, 1.7)
    x = np.asarray(d.sample(KEY, (4000,)))
    below = np.tril_indices(4, -1)
    square = x[(slice(None), *below)] ** 2
    error = square.std(0) / math.sqrt(4000)
    assert np.all(np.abs(square.mean(0) - np.asarray(d.variance)[below]) < Z * error)


def test_the_entropy_of_an_inverse_wishart_matrix_is_the_mean_of_log_prob():
    d = dist.InverseWishart(12.0, MATRIX)
    logs = stats.invwishart(12.0, MATRIX).logpdf(np.moveaxis(np.asarray(d.sample(KEY, (4000,))), 0, -1))
    assert abs(logs.mean() + float(d.entropy())) < Z * logs.std() / math.sqrt(4000)


def test_draws_of_correlations_and_covariances_carry_derivatives():
    """d E log |X| / dη by draws, against the derivative of its formula by digammas."""
    def log_det(eta):
        x = dist.LKJCholesky(3, eta).sample(KEY, (4000,))
        return 2 * cnp.sum(cnp.log(cnp.diagonal(x, 0, -2, -1)), -1)
    got = np.asarray(jvp(log_det, (1.5,), (1.0,))[1])
    eta, i = 1.5, np.array([2, 3])
    want = np.sum(special.polygamma(1, eta + (3 - i) / 2) - special.polygamma(1, eta + 1.0))
    assert abs(got.mean() - want) < Z * got.std() / math.sqrt(4000)

    def log_det_wishart(nu):
        x = dist.WishartCholesky(nu, scale_tril=FACTOR).sample(KEY, (4000,))
        return 2 * cnp.sum(cnp.log(cnp.diagonal(x, 0, -2, -1)), -1)
    got = np.asarray(jvp(log_det_wishart, (4.5,), (1.0,))[1])
    want = np.sum(special.polygamma(1, (4.5 - np.arange(3)) / 2)) / 2
    assert abs(got.mean() - want) < Z * got.std() / math.sqrt(4000)


def test_matrices_of_size_one_are_numbers():
    x = np.array([[[0.4]], [[3.0]]])
    w = dist.Wishart(3.5, [[2.0]])
    np.testing.assert_allclose(np.asarray(w.log_prob(x)), stats.gamma(1.75, scale=4.0).logpdf(x[:, 0, 0]), rtol=1e-13)
    w = dist.InverseWishart(3.5, [[2.0]])
    np.testing.assert_allclose(np.asarray(w.log_prob(x)), stats.invgamma(1.75, scale=1.0).logpdf(x[:, 0, 0]),
                               rtol=1e-13)
    wide = dist.Wishart(4.0, rate_matrix=np.linalg.inv(MATRIX))
    np.testing.assert_allclose(np.asarray(wide.scale_matrix), MATRIX, rtol=1e-12)


# ---- directions ----

def test_the_uniform_law_on_a_sphere():
    d = dist.SphericalUniform(3)
    x = np.asarray(d.sample(KEY, (2000,)))
    assert np.all(np.asarray(d.support(x))) and d.event_shape == (3,) and d.batch_shape == ()
    assert stats.kstest(x[:, 0], stats.uniform(-1, 2).cdf).pvalue > P               # Archimedes
    np.testing.assert_allclose(np.asarray(d.log_prob(x[:2])), -math.log(4 * math.pi), rtol=1e-15)
    assert float(d.log_prob([1.0, 1.0, 1.0])) == -math.inf
    np.testing.assert_allclose(float(d.entropy()), math.log(4 * math.pi), rtol=1e-15)
    np.testing.assert_allclose(np.asarray(d.variance), 1 / 3)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_von_mises_fisher_at_the_ends_of_its_concentrations(n):
    mu = np.asarray(DIRECTION[n])
    uniform = float(dist.SphericalUniform(n).log_prob(mu))
    np.testing.assert_allclose(float(dist.VonMisesFisher(mu, 0.0).log_prob(mu)), uniform, rtol=1e-14)
    np.testing.assert_allclose(float(grad(lambda k: dist.VonMisesFisher(mu, k).log_prob(mu))(0.0)), 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.asarray(dist.VonMisesFisher(mu, 0.0).variance), 1 / n, rtol=1e-12)
    # narrow: κ |x - μ|² is χ² with n - 1 degrees of freedom, up to 1/κ
    kappa = 1e10
    x = np.asarray(dist.VonMisesFisher(mu, kappa).sample(KEY, (1000,)))
    assert stats.kstest(kappa * ((x - mu) ** 2).sum(-1), stats.chi2(n - 1).cdf).pvalue > P
    want = 0.5 * (n - 1) * math.log(kappa / (2 * math.pi))                          # a normal density, up to 1/κ
    np.testing.assert_allclose(float(dist.VonMisesFisher(mu, kappa).log_prob(mu)), want, rtol=1e-9)
    flat = np.asarray(dist.VonMisesFisher(mu, 0.0).sample(KEY, (1000,)) @ mu)
    assert stats.kstest(0.5 * (1 + flat), stats.beta((n - 1) / 2, (n - 1) / 2).cdf).pvalue > P


@pytest.mark.parametrize("n", [2, 3])
def test_draws_of_directions_carry_the_derivative_of_the_mean(n):
    mu = np.asarray(DIRECTION[n])

    def ratio(k):
        return special.ive(n / 2, k) / special.ive(n / 2 - 1, k)
    got = np.asarray(jvp(lambda k: dist.VonMisesFisher(mu, k).sample(KEY, (4000,)) @ mu, (1.5,), (1.0,))[1])
    want = (ratio(1.5 + 1e-5) - ratio(1.5 - 1e-5)) / 2e-5
    assert abs(got.mean() - want) < Z * got.std() / math.sqrt(4000)


def test_entropies_of_directions_are_means_of_log_prob():
    for d in (dist.PowerSpherical(DIRECTION[5], 3.0), dist.PowerSpherical(DIRECTION[2], 20.0),
              dist.VonMisesFisher(DIRECTION[5], 3.0)):
        logs = np.asarray(d.log_prob(d.sample(KEY, (4000,))))
        assert abs(logs.mean() + float(d.entropy())) < Z * logs.std() / math.sqrt(4000)


@pytest.mark.parametrize("k", [1, 2, 5, 9])
def test_half_line_moments_equal_their_recurrence_in_eighty_digits(k):
    """1e-11 relative: backward recurrence just below its join at -1 is good to 1e-12."""
    mpmath.mp.dps = 80
    for t in (-1e3, -40.0, -5.0, -1.01, -1.0, 0.0, 2.0, 30.0):
        x = mpmath.mpf(t)
        m = [mpmath.ncdf(x), mpmath.npdf(x) + x * mpmath.ncdf(x)]                   # in digits that may be lost
        for j in range(2, k + 1):
            m.append(x * m[-1] + (j - 1) * m[-2])
        want = mpmath.log(m[k])
        np.testing.assert_allclose(float(log_half_line_moment(t, k)), float(want), rtol=1e-11)
    t = np.array([-20.0, -3.0, -0.5, 4.0])
    one, two = grad(lambda t: log_half_line_moment(t, k)), 1e-5
    want = np.asarray(log_half_line_moment(t + two, k) - log_half_line_moment(t - two, k)) / (2 * two)
    np.testing.assert_allclose(np.asarray(vmap(one)(t)), want, rtol=1e-8)
    want = np.asarray(vmap(one)(t + two) - vmap(one)(t - two)) / (2 * two)
    np.testing.assert_allclose(np.asarray(vmap(grad(one))(t)), want, rtol=1e-6)


@pytest.mark.parametrize("k1, k2, weight", [
    (0.1, 0.2, 0.0), (20.0, 3.0, 0.9), (300.0, 500.0, 0.5), (400.0, 300.0, 1.4)])
def test_the_normaliser_of_the_sine_model_equals_its_series(k1, k2, weight):
    d = dist.SineBivariateVonMises(0.0, 0.0, k1, k2, weighted_correlation=weight)
    mpmath.mp.dps = 30
    ratio = mpmath.mpf(weight) ** 2 / 4
    series = mpmath.fsum(mpmath.binomial(2 * m, m) * ratio ** m * mpmath.besseli(m, k1) * mpmath.besseli(m, k2)
                         for m in range(250))
    want = float(mpmath.log(4 * mpmath.pi ** 2 * series) - k1 - k2)
    got = -float(d.log_prob([0.0, 0.0]))
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def test_the_sine_model_is_drawn_where_it_has_two_modes():
    d = dist.SineBivariateVonMises(0.0, 0.0, 40.0, 30.0, correlation=60.0)
    x = np.asarray(d.sample(KEY, (2000,)))
    at = np.linspace(-math.pi, math.pi, 20001)
    a = np.sqrt(30.0 ** 2 + (60.0 * np.sin(at)) ** 2)
    density = np.exp(40.0 * np.cos(at) + a - 120.0) * special.i0e(a)
    cdf = np.cumsum(density) / density.sum()
    assert stats.kstest(x[:, 0], lambda v: np.interp(v, at, cdf)).pvalue > P
    both = np.mean(np.sign(x[:, 0]) == np.sign(x[:, 1]))
    assert both > 0.99                                   # the modes are at equal signs


# ---- extreme parameters ----

def test_normalisers_keep_their_digits_for_large_parameters():
    """Differences of log Γ at 1e10 would lose eleven digits."""
    x = np.array([0.3, -1.0, 0.5])
    near = float(dist.MultivariateStudentT(1e12, LOC, FACTOR).log_prob(x))
    np.testing.assert_allclose(near, stats.multivariate_normal(LOC, MATRIX).logpdf(x), rtol=1e-10)
    mpmath.mp.dps = 40
    eta = mpmath.mpf(10) ** 10
    want = -sum(mpmath.mpf(k) / 2 * mpmath.log(mpmath.pi) + mpmath.loggamma(eta + mpmath.mpf(3 - k) / 2)
                - mpmath.loggamma(eta + mpmath.mpf(3) / 2) for k in (1, 2, 3))
    np.testing.assert_allclose(float(dist.LKJCholesky(4, 1e10).log_prob(np.eye(4))), float(want), rtol=1e-13)
    a = eta + 2
    want = mpmath.loggamma(a + 2) - mpmath.loggamma(a) - 4 * mpmath.log(2) - 2 * mpmath.log(mpmath.pi)
    got = dist.PowerSpherical(DIRECTION[5], 1e10).log_prob(np.asarray(DIRECTION[5]))
    np.testing.assert_allclose(float(got), float(want), rtol=1e-13)
    loc, (a, b) = np.zeros((2, 3)), (np.eye(2), np.eye(3))
    y = np.array([[0.3, -1.0, 0.5], [0.2, 0.1, -0.4]])
    scaled = dist.MatrixT(1e12, loc, 1e6 * a, b).log_prob(y)                         # Σ = ν I: nearly normal
    np.testing.assert_allclose(float(scaled), stats.norm.logpdf(y).sum(), rtol=1e-9)


# ---- series ----

def test_an_autoregression_of_order_one_with_coefficient_one_is_a_random_walk():
    d = dist.AR([1.0], 0.7, 0.2, num_steps=4, init_dist=dist.Normal(0.2, 0.7))
    walk = dist.GaussianRandomWalk(0.7, 5, 0.2)
    x = np.asarray(walk.sample(KEY, (3,)))
    np.testing.assert_allclose(np.asarray(d.log_prob(x)), np.asarray(walk.log_prob(x)), rtol=1e-12)
    assert d.ar_order == 1
    batch = dist.AR([[0.5, -0.3], [0.1, 0.2]], [0.7, 1.0], num_steps=3)
    assert batch.log_prob(batch.sample(KEY, (4,))).shape == (4, 2) and batch.event_shape == (5,)


def test_derivatives_go_through_the_arguments_of_an_equation():
    def total(rate):
        d = dist.EulerMaruyama([0.0, 0.5, 1.0], lambda x, t, r: (-r * x, 0.5 + 0.0 * t), dist.Normal(1.0, 0.1), (rate,))
        return d.log_prob([1.0, 0.7, 0.6])
    want = (float(total(1.5 + 1e-5)) - float(total(1.5 - 1e-5))) / 2e-5
    np.testing.assert_allclose(float(jit(grad(total))(1.5)), want, rtol=1e-7)
    d = dist.EulerMaruyama([0.0, 0.5, 1.0], lambda x, t: (-x * (1 + t), 0.3 + 0.0 * x),
                           dist.MultivariateNormal([0.0, 1.0], np.eye(2)))
    x = d.sample(KEY, (4,))
    assert x.shape == (4, 3, 2) and d.log_prob(x).shape == (4,)


@pytest.mark.slow
def test_a_markov_field_is_a_marginal_of_one_normal_vector():
    """Observations as a marginal of (z₀ … zₙ, x₁ … xₙ), by its dense precision matrix."""
    rng, n, d = np.random.default_rng(3), 3, 2
    factors = []
    for size in (d, 2 * d, d + 1):
        a = rng.normal(size=(size, size))
        factors.append((rng.normal(size=size), a @ a.T + 0.5 * size * np.eye(size)))
    field = dist.GaussianMRF(*[dist.MultivariateNormal(*f) for f in factors], n)
    size = (n + 1) * d + n
    precision, info = np.zeros((size, size)), np.zeros(size)

    def add(at, loc, cov):
        precision[np.ix_(at, at)] += np.linalg.inv(cov)
        info[at] += np.linalg.solve(cov, loc)
    z = [list(range(t * d, (t + 1) * d)) for t in range(n + 1)]
    add(z[0], *factors[0])
    for t in range(n):
        add(z[t] + z[t + 1], *factors[1])
        add(z[t + 1] + [(n + 1) * d + t], *factors[2])
    cov = np.linalg.inv(precision)
    mean, cov = (cov @ info)[-n:], cov[-n:, -n:]
    x = np.asarray(field.sample(KEY, (1500,)))
    assert x.shape == (1500, n, 1) and field.event_shape == (n, 1) and field.batch_shape == ()
    law = stats.multivariate_normal(mean, cov)
    log_prob = jit(lambda field, x: field.log_prob(x))
    np.testing.assert_allclose(np.asarray(log_prob(field, x[:5])), law.logpdf(x[:5, :, 0]), rtol=1e-11)
    white = np.linalg.solve(np.linalg.cholesky(cov), (x[:, :, 0] - mean).T)
    assert stats.kstest((white ** 2).sum(0), stats.chi2(n).cdf).pvalue > P
    assert all(stats.kstest(row, stats.norm.cdf).pvalue > P for row in white)
    slope = grad(lambda x: cnp.sum(field.log_prob(x)))(x[0])
    np.testing.assert_allclose(np.asarray(slope)[:, 0], -np.linalg.solve(cov, x[0, :, 0] - mean), rtol=1e-10)
    with pytest.raises(ChainruleError, match="transition_dist must be of 4"):
        dist.GaussianMRF(field.initial_dist, field.initial_dist, field.observation_dist, 3)


# ---- copulas, errors ----

def test_a_copula_keeps_its_digits_in_the_tails():
    """Normal marginal distributions make it a normal vector; at 30 standard deviations Φ rounds to 0 and to 1."""
    c = np.array([[1.0, 0.5], [0.5, 1.0]])
    d = dist.GaussianCopula(dist.Normal([0.0, 0.0], 1.0), c)
    for x in ([30.0, -30.0], [12.0, 12.0], [-25.0, 0.3]):
        np.testing.assert_allclose(float(d.log_prob(x)), stats.multivariate_normal([0, 0], c).logpdf(x), rtol=1e-10)


def test_draws_of_a_copula_move_with_its_correlation_and_its_marginals():
    def draw(r, a):
        one, zero = 1.0 + 0.0 * r, 0.0 * r
        factor = cnp.stack([cnp.stack([one, zero]), cnp.stack([r, cnp.sqrt(1.0 - r * r)])])
        d = dist.GaussianCopulaBeta(cnp.stack([a, a + 1.0]), [1.5, 4.0], correlation_cholesky=factor)
        return d.sample(KEY, (5,))
    for dr, da in ((1.0, 0.0), (0.0, 1.0)):
        h = 1e-5
        want = np.asarray(draw(0.5 + h * dr, 2.0 + h * da) - draw(0.5 - h * dr, 2.0 - h * da)) / (2 * h)
        got = np.asarray(jvp(draw, (0.5, 2.0), (dr, da))[1])
        np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("make, words", [
    (lambda: dist.LKJ(1), "dimension must be an integer of 2 or more"),
    (lambda: dist.LKJCholesky(3, 1.0, "vine"), "sample_method must be"),
    (lambda: dist.Wishart(5.0), "exactly one of scale_matrix, rate_matrix and scale_tril"),
    (lambda: dist.Wishart(5.0, [[1.0, 2.0], [2.0, 1.0]]), "scale_matrix must be a symmetric positive definite"),
    (lambda: dist.MultivariateStudentT(3.0, [0.0] * 3, np.eye(2)), "last axis of loc must have size 2"),
    (lambda: dist.LowRankMultivariateNormal([0.0], np.ones((3, 1)), [1.0, 1.0]), r"cov_factor must be \[..., n, k\]"),
    (lambda: dist.CirculantNormal([0.0] * 4, covariance_rfft=[1.0, 1.0]), "2 eigenvalues are for vectors"),
    (lambda: dist.KroneckerNormal([0.0] * 5, covs=[np.eye(2), np.eye(3)]), r"sizes \[2, 3\] are for vectors of 6"),
    (lambda: dist.ZeroSumNormal(1.0, ()), "event_shape must have axes"),
    (lambda: dist.CAR(0.0, 0.5, 1.0, np.ones((3, 3))), "adj_matrix must be symmetric"),
    (lambda: dist.ICAR(np.kron(np.eye(2), [[0.0, 1.0], [1.0, 0.0]])), "must be connected"),
    (lambda: dist.GaussianCopula(dist.Normal([0.0] * 3, 1.0), np.eye(2)), r"batch shape \[..., 2\]; it is \(3,\)"),
    (lambda: dist.LKJCholeskyCov(3, 1.0, dist.Exponential([1.0, 1.0])), "must give 3 standard deviations"),
    (lambda: dist.AR([0.1, 0.2], num_steps=0), "num_steps must be"),
    (lambda: dist.AR([0.1, 0.2], num_steps=3, init_dist=dist.Normal([0.0] * 3, 1.0)), "must give the first 2 values"),
    (lambda: dist.RandomWalk(dist.Normal(0.0, 1.0), dist.MultivariateNormal([0.0], np.eye(1)), 2), "must be equal"),
    (lambda: dist.LeftTruncatedGamma(dist.Normal()), "truncates a Gamma; got Normal"),
    (lambda: dist.SineBivariateVonMises(0.0, 0.0, 1.0, 1.0), "exactly one of correlation"),
    (lambda: dist.SineSkewed(dist.Normal([0.0, 0.0], 1.0).to_event(1), [0.1]), "one number for each"),
    (lambda: dist.SineSkewed(dist.SineBivariateVonMises(0.0, 0.0, 1.0, 1.0, 0.0), [0.7, 0.7]), "skewness must be"),
], ids=lambda v: v.split()[0] if isinstance(v, str) else "")
def test_a_wrong_construction_is_told(make, words):
    with pytest.raises(ChainruleError, match=words):
        make()
