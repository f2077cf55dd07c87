"""Bumps and distributions of test statistics: far tails and large noncentralities by other formulas, and limits."""
import mpmath as mp
import numpy as np
import pytest

import chainrule.distributions as dist
from chainrule.engine import grad, jit


def M(x):
    return mp.mpf(float(x))


def chi_over_root_df(df):
    """The density of S, for which df S² is a χ² number."""
    log_norm = mp.log(2) + df / 2 * mp.log(df / 2) - mp.loggamma(df / 2)
    return lambda s: mp.exp(log_norm + (df - 1) * mp.log(s) - df * s * s / 2)


def noncentral_t(df, nc, t):
    """p(t), P(T <= t) and P(T > t) as integrals over S, cut at its spread and at where (t S - nc) is of size 1."""
    df, nc, t = M(df), M(nc), M(t)
    f, root = chi_over_root_df(df), 1 / mp.sqrt(df)
    centres = [mp.mpf(1), nc / t, (t * nc + mp.sqrt((t * nc) ** 2 + 4 * df * (df + t * t))) / (2 * (df + t * t))]
    places = {c + k * w for c in centres for w in (root, 1 / abs(t)) for k in (-12, -6, -3, -1, 0, 1, 3, 6, 12, 40)}
    places = [mp.mpf(0), *sorted(p for p in places if p > 0)]
    def normal(y):
        return mp.erfc(-y / mp.sqrt(2)) / 2
    return (mp.quad(lambda s: f(s) * s * mp.exp(-(t * s - nc) ** 2 / 2) / mp.sqrt(2 * mp.pi), places),
            mp.quad(lambda s: f(s) * normal(t * s - nc), places), mp.quad(lambda s: f(s) * normal(nc - t * s), places))


@pytest.mark.parametrize("df, nc, t", [(3.0, 1.0, -2.0), (3.0, 1.0, 40.0), (0.5, -2.0, 2.0), (50.0, 10.0, 14.0),
                                       (50.0, 10.0, 0.5), (1e4, 3.0, 8.0), (4.0, 30.0, 60.0)])
def test_the_noncentral_t_density_and_tails_are_integrals_over_the_scale(df, nc, t):
    d = dist.NoncentralT(df, nc)
    with mp.workdps(30):
        p, below, above = (float(mp.log(v)) for v in noncentral_t(df, nc, t))
    np.testing.assert_allclose(float(d.log_prob(t)), p, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(float(d.log_cdf(t)), below, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(float(d.log_survival(t)), above, rtol=1e-9, atol=1e-12)


def test_the_noncentral_t_for_nc_0_is_students_t():
    x = np.array([-1e10, -3.0, 0.0, 0.7, 40.0])
    for df in (0.3, 4.0, 1e6, 1e15):
        a, b = dist.NoncentralT(df, 0.0), dist.StudentT(df)
        np.testing.assert_allclose(np.asarray(a.log_prob(x)), np.asarray(b.log_prob(x)), rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(np.asarray(a.log_cdf(x)), np.asarray(b.log_cdf(x)), rtol=2e-10, atol=2e-10)


def noncentral_beta(a, b, nc, x):
    a, b, rate, x = M(a), M(b), M(nc) / 2, M(x)
    return (mp.log(mp.hyp1f1(a + b, a, rate * x)) - rate + (a - 1) * mp.log(x) + (b - 1) * mp.log(1 - x)
            - mp.log(mp.beta(a, b)))


@pytest.mark.parametrize("a, b, nc, x", [(1.5, 2.5, 2.0, 1e-8), (0.2, 0.3, 0.5, 0.9), (2.0, 3.0, 300.0, 0.5),
                                         (2.0, 3.0, 5000.0, 0.999), (3.0, 1e4, 100.0, 1e-4)])
def test_the_noncentral_beta_density_is_a_confluent_function_for_large_noncentralities_too(a, b, nc, x):
    """The Poisson weights lose the digits of nc log nc."""
    with mp.workdps(40):
        want = float(noncentral_beta(a, b, nc, x))
    got = dist.NoncentralBeta(a, b, nc).log_prob(x)
    np.testing.assert_allclose(float(got), want, rtol=1e-14, atol=1e-14 + 1e-15 * nc)
    odds = x / (1 - x) * b / a
    np.testing.assert_allclose(float(dist.NoncentralF(2 * a, 2 * b, nc).log_prob(odds)),
                               want + 2 * np.log1p(-x) + np.log(a / b), rtol=1e-12, atol=1e-14 + 1e-15 * nc)


@pytest.mark.parametrize("nc", [3.0, 60.0, 4000.0])
def test_the_tails_of_the_noncentral_beta_are_sums_over_poisson_numbers(nc):
    a, b = 2.5, 3.5
    d, j = dist.NoncentralBeta(a, b, nc), np.arange(int(4 * nc) + 60)
    middle = (a + nc / 2) / (a + b + nc / 2)
    x = (1.0 - np.array([1.8, 1.0, 0.2]) * (1.0 - middle))[:, None]
    weight = np.asarray(dist.Poisson(nc / 2).prob(j))
    for log_tail, terms in ((d.log_cdf, dist.Beta(a + j, b).cdf(x)),
                            (d.log_survival, dist.Beta(a + j, b).survival_function(x))):
        np.testing.assert_allclose(np.asarray(log_tail(x[:, 0])), np.log((weight * np.asarray(terms)).sum(1)),
                                   rtol=1e-10, atol=1e-14 + 1e-15 * nc)


def test_noncentral_f_and_beta_for_nc_0_are_the_central_ones():
    x = np.array([1e-6, 0.2, 0.9])
    for family, first, second, b in ((dist.NoncentralF, 3.0, 5.0, dist.FisherSnedecor(3.0, 5.0)),
                                     (dist.NoncentralBeta, 1.5, 0.7, dist.Beta(1.5, 0.7))):
        a = family(first, second, 0.0)
        for name in ("log_prob", "log_cdf", "log_survival"):
            np.testing.assert_allclose(np.asarray(getattr(a, name)(x)), np.asarray(getattr(b, name)(x)), rtol=1e-13,
                                       atol=1e-16)
        slope, h = float(grad(lambda d: d.log_prob(0.2))(a).nc), 1e-6
        ahead = float(family(first, second, h).log_prob(0.2))
        np.testing.assert_allclose(slope, (ahead - float(a.log_prob(0.2))) / h, rtol=1e-5)


@pytest.mark.parametrize("z", [0.02, 0.3, 0.8999, 0.9001, 3.0, 8.0])
def test_kolmogorov_tails_and_density_are_theta_functions(z):
    d = dist.Kolmogorov(1.0)
    with mp.workdps(120):
        n = mp.pi ** 2 / (8 * M(z) ** 2)
        below = mp.sqrt(2 * mp.pi) / M(z) * sum(mp.exp(-(2 * k - 1) ** 2 * n) for k in range(1, 99))
        above = 2 * sum((-1) ** (k - 1) * mp.exp(-2 * (k * M(z)) ** 2) for k in range(1, 400))
        slope = mp.sqrt(2 * mp.pi) / M(z) ** 2 * sum(((2 * k - 1) ** 2 * 2 * n - 1) * mp.exp(-(2 * k - 1) ** 2 * n)
                                                     for k in range(1, 99))
        assert abs(below + above - 1) < 1e-30 or z < 0.1
        above = 1 - below if z < 0.1 else above
        want = [float(mp.log(v)) for v in (below, above, slope)]
    got = [float(f(z)) for f in (d.log_cdf, d.log_survival, d.log_prob)]
    np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-300)
    np.testing.assert_allclose([float(jit(f)(z)) for f in (d.log_cdf, d.log_survival, d.log_prob)], got, rtol=1e-12)


def test_quantiles_of_bumps_near_their_ends_invert_the_distribution_function():
    q = np.array([1e-12, 1e-3, 0.4999, 0.5, 0.9])
    for family in (dist.Epanechnikov, dist.Biweight, dist.Triweight, dist.Semicircle, dist.Cosine):
        d = family()
        np.testing.assert_allclose(np.asarray(d.cdf(d.icdf(q))), q, rtol=1e-8)
        np.testing.assert_allclose(np.asarray(d.survival_function(-np.asarray(d.icdf(q)))), q, rtol=1e-8)
        assert np.isneginf(float(d.log_cdf(-1.0))) and float(d.log_survival(-1.0)) == 0.0
        assert np.all(np.isfinite(np.asarray(grad(lambda x, d=d: d.log_prob(x).sum())(np.array([-1.0, 1.0, 2.0])))))
