"""Draws follow their parameters: pathwise derivatives against SciPy's quantile functions at a fixed u.

Central differences of fourth order of ppf(u; a) with steps of h = a / 500 have a relative error of about h⁴ and SciPy's
rounding divided by 1/500, so about 1e-10; RTOL is 1e-7.
"""
import numpy as np
import pytest
import scipy.special as sp
import scipy.stats as stats

import chainrule.engine.numpy as cnp
from chainrule.engine import grad, jit, jvp, random, vmap
from chainrule.engine.ops.paths import beta_slopes, von_mises_slope

KEY = random.key(2024)
RTOL = 1e-7


def difference(f, a, h):
    """The derivative of f at a by four values."""
    return (8 * (f(a + h) - f(a - h)) - (f(a + 2 * h) - f(a - 2 * h))) / (12 * h)


# ---- gamma numbers and what is made of them ----

SHAPES = (1e-3, 0.03, 0.3, 0.999, 1.0, 2.0, 19.9, 20.1, 300.0, 1e4, 1e5)


@pytest.mark.parametrize("a", SHAPES)
def test_a_gamma_draw_moves_along_its_quantile(a):
    x, slope = jvp(lambda a: random.gamma(KEY, a, (8,)), (a,), (1.0,))
    y, log_slope = jvp(lambda a: random.loggamma(KEY, a, (8,)), (a,), (1.0,))
    x, slope = np.asarray(x), np.asarray(slope)
    some = x > 1e-200
    u = sp.gammainc(a, x)
    expected = difference(lambda a: np.log(sp.gammaincinv(a, u[some])), a, a / 500)
    np.testing.assert_allclose(slope[some], (x * np.asarray(log_slope))[some], rtol=1e-12)
    np.testing.assert_allclose(np.asarray(log_slope)[some], expected, rtol=RTOL)
    # far to the left P = x^a / Γ(a + 1), so d log x / da = (ψ(a + 1) - log x) / a
    far = np.asarray(y) < -60
    np.testing.assert_allclose(np.asarray(log_slope)[far], ((sp.psi(a + 1) - np.asarray(y)) / a)[far], rtol=1e-12)
    assert np.isfinite(slope).all() and np.isfinite(np.asarray(log_slope)).all()


@pytest.mark.parametrize("v", [0.02, 1.0, 7.0, 2e4])
def test_a_chisquare_draw_moves_along_its_quantile(v):
    x, slope = jvp(lambda v: random.chisquare(KEY, v, (8,)), (v,), (1.0,))
    u = stats.chi2.cdf(x, v)
    some = np.asarray(x) > 1e-200
    expected = difference(lambda v: np.log(stats.chi2.ppf(u[some], v)), v, v / 500)
    np.testing.assert_allclose((np.asarray(slope) / np.asarray(x))[some], expected, rtol=RTOL)


def test_the_second_derivative_of_a_gamma_draw_is_that_of_its_quantile():
    a, h = 2.5, 1e-3
    for f, ppf in ((random.gamma, sp.gammaincinv), (random.loggamma, lambda a, p: np.log(sp.gammaincinv(a, p)))):
        def draw(a, f=f):
            return f(KEY, a, (6,))
        first = jvp(draw, (a,), (1.0,))
        second = jvp(lambda a, draw=draw: jvp(draw, (a,), (1.0,))[1], (a,), (1.0,))[1]
        x = np.asarray(first[0]) if f is random.gamma else np.exp(np.asarray(first[0]))
        p = sp.gammainc(a, x)
        q = [ppf(a + s * h, p) for s in (-1, 0, 1)]
        np.testing.assert_allclose(second, (q[0] - 2 * q[1] + q[2]) / h ** 2, rtol=1e-4, atol=1e-7)


@pytest.mark.slow
def test_a_compiled_gradient_is_the_plain_one_and_float32_is_near_it():
    g = lambda a: cnp.sum(random.gamma(KEY, a))          # noqa: E731
    a = np.array([0.3, 2.0, 40.0])
    np.testing.assert_allclose(jit(grad(g))(a), grad(g)(a), rtol=1e-11)
    x, slope = jvp(lambda a: random.gamma(KEY, a), (a.astype(np.float32),), (np.ones(3, np.float32),))
    u = sp.gammainc(a, np.asarray(x).astype(float))
    expected = difference(lambda a: sp.gammaincinv(a, u), a, a / 500)
    np.testing.assert_allclose(slope, expected, rtol=2e-5)


@pytest.mark.parametrize("a", [1e-3, 0.1, 0.999, 2.0, 50.0, 1e5])
def test_a_beta_draw_moves_along_its_quantile(a):
    """In log(x), the draws between 1e-200 and 0.9; for the others in b, where 1 - x has that role."""
    for b in (1e-2, 1.5, 300.0, 1e5):
        for wrt in (0, 1):
            draw = lambda *p: random.beta(KEY, *p, (8,))             # noqa: E731
            x, slope = map(np.asarray, jvp(draw, (a, b), (1.0 - wrt, 1.0 * wrt)))
            some = (x > 1e-200) & (x < 0.9)
            u = sp.betainc(a, b, x[some])
            h = (a, b)[wrt] / 500
            expected = difference(lambda v: np.log(sp.betaincinv(*((v, b) if wrt == 0 else (a, v)), u)),       # noqa: B023
                                  (a, b)[wrt], h)
            np.testing.assert_allclose(slope[some] / x[some], expected, rtol=RTOL, atol=1e-13 / h)
            assert np.isfinite(slope).all()


def test_beta_slopes_are_mirror_images_and_reach_far_into_the_tails():
    """log(x / (1 - x)) moves with a as its negative does with b; far out I = xᵃ / (a B(a, b))."""
    y, a, b = np.array([-800.0, -41.0, -39.0, -1.0, 2.0, 50.0, 900.0]), np.full(7, 0.02), np.full(7, 0.3)
    in_a, in_b = map(np.asarray, beta_slopes(a, b, y))
    other_b, other_a = map(np.asarray, beta_slopes(b, a, -y))
    np.testing.assert_allclose(in_a, -other_a, rtol=1e-12)
    np.testing.assert_allclose(in_b, -other_b, rtol=1e-12)
    far = (sp.psi(a) + 1 / a - sp.psi(a + b) - y) / a, (sp.psi(b) - sp.psi(a + b)) / a
    np.testing.assert_allclose(np.array([in_a, in_b])[:, :3], np.array(far)[:, :3], rtol=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("a, b", [(2.0, 3.0), (0.1, 0.2), (30.0, 0.5)])
def test_means_of_gradients_of_beta_numbers_are_the_gradient_of_the_mean(a, b):
    """d E[x] / da = E[dx / da], to five standard errors (false alarm: 6e-7 each)."""
    for wrt, exact in ((0, b / (a + b) ** 2), (1, -a / (a + b) ** 2)):
        slopes = np.asarray(jvp(lambda *p: random.beta(KEY, *p, (20_000,)), (a, b), (1.0 - wrt, 1.0 * wrt))[1])
        assert abs(slopes.mean() - exact) < 5 * slopes.std() / slopes.size ** 0.5


@pytest.mark.slow
def test_gradients_of_dirichlet_t_and_f_numbers_have_the_right_mean():
    """As above."""
    def check(f, at, exact):
        slopes = np.asarray(jvp(f, (at,), (1.0,))[1])
        assert abs(slopes.mean() - exact) < 5 * slopes.std() / slopes.size ** 0.5

    def student(v):                                      # E|t|
        return 2 * v ** 0.5 * sp.gamma((v + 1) / 2) / (np.pi ** 0.5 * sp.gamma(v / 2) * (v - 1))
    n = (20_000,)
    check(lambda a: random.dirichlet(KEY, cnp.stack([a, 1.0, 2.0]), n)[..., 0], 1.5, 3 / 4.5 ** 2)
    check(lambda a: random.dirichlet(KEY, cnp.stack([a, 1.0, 2.0]), n)[..., 2], 1.5, -2 / 4.5 ** 2)
    check(lambda v: abs(random.t(KEY, v, n)), 5.0, difference(student, 5.0, 1e-3))
    check(lambda v: random.f(KEY, 4.0, v, n), 9.0, -2 / 49)                          # v / (v - 2)
    check(lambda p: cnp.abs(random.generalized_normal(KEY, p, n)), 1.5,
          difference(lambda p: sp.gamma(2 / p) / sp.gamma(1 / p), 1.5, 1e-3))


# ---- von Mises ----

@pytest.mark.parametrize("kappa", [0.05, 0.5, 3.0, 40.0])
def test_a_von_mises_draw_moves_along_its_quantile(kappa):
    """SciPy's distribution function is a series good to 1e-14, so the quotient of the two differences is to 1e-8."""
    x, slope = jvp(lambda k: random.von_mises(KEY, 0.0, k, (12,)), (kappa,), (1.0,))
    x = np.asarray(x)
    expected = -difference(lambda k: stats.vonmises.cdf(x, k), kappa, kappa / 100) / stats.vonmises.pdf(x, kappa)
    np.testing.assert_allclose(slope, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kappa", [150.0, 250.0, 1e4, 1e7])
def test_a_concentrated_von_mises_draw_moves_as_its_expansion_says(kappa):
    """With x = z/√κ + z³/(24 κ^1.5) + z/(8 κ^1.5) + … for normal z (Hill 1976), dx/dκ = -x/2κ (1 + (x² + 1/κ) / 12 …)
    up to O(κ⁻²)."""
    x, slope = jvp(lambda k: random.von_mises(KEY, 0.0, k, (12,)), (kappa,), (1.0,))
    x = np.asarray(x)
    z = x * kappa ** 0.5
    np.testing.assert_allclose(np.asarray(slope) / (-x / (2 * kappa)), 1 + (z * z + 3) / (12 * kappa),
                               rtol=20 / kappa ** 2 + 1e-12)


def test_the_slope_of_a_von_mises_quantile_solves_its_equation():
    """∂/∂x (p dx/dκ) = -∂p/∂κ = (A - cos x) p with A = I₁/I₀, by differences over the whole circle, and is odd."""
    x = np.linspace(-3.0, 3.0, 41)
    for kappa in (0.01, 1.0, 30.0, 199.0, 201.0):
        p = lambda x: np.exp(kappa * (np.cos(x) - 1))                                # noqa: B023, E731
        flow = lambda x: p(x) * np.asarray(von_mises_slope(np.full(x.shape, kappa), x))        # noqa: B023, E731
        expected = (sp.i1e(kappa) / sp.i0e(kappa) - np.cos(x)) * p(x)
        np.testing.assert_allclose(difference(flow, x, 1e-3 / (1 + kappa) ** 0.5), expected, atol=1e-8)
        np.testing.assert_allclose(flow(-x), -flow(x), rtol=1e-12, atol=1e-300)


@pytest.mark.slow
def test_a_von_mises_draw_turns_with_its_location_and_compiles():
    f = lambda m, k: random.von_mises(KEY, m, k, (5,))   # noqa: E731
    x, slope = jvp(lambda m: f(m, 2.0), (0.3,), (1.0,))
    np.testing.assert_allclose(slope, np.ones(5))
    plain = jvp(lambda k: f(0.3, k), (2.0,), (1.0,))
    np.testing.assert_allclose(jit(lambda k: jvp(lambda k: f(0.3, k), (k,), (1.0,)))(2.0), plain, rtol=1e-10)


# ---- formulas of one uniform or normal number ----

QUANTILES = {
    "uniform": (lambda a, b: random.uniform(KEY, (6,), None, a, b), (-1.0, 2.0), lambda u, a, b: a + (b - a) * u,
                lambda x, a, b: (x - a) / (b - a)),
    "truncated_normal": (lambda a, b: random.truncated_normal(KEY, a, b, (6,)), (-0.5, 2.0), stats.truncnorm.ppf,
                         stats.truncnorm.cdf),
    "truncated_normal-far": (lambda a: random.truncated_normal(KEY, a, np.inf, (6,)), (25.0,),
                             lambda q, a: -sp.ndtri_exp(q + sp.log_ndtr(-a)),
                             lambda x, a: sp.log_ndtr(-x) - sp.log_ndtr(-a)),
    "pareto": (lambda b: random.pareto(KEY, b, (6,)), (2.5,), stats.pareto.ppf, stats.pareto.cdf),
    "weibull_min": (lambda s, c: random.weibull_min(KEY, s, c, (6,)), (2.0, 1.5),
                    lambda u, s, c: stats.weibull_min.ppf(u, c, scale=s),
                    lambda x, s, c: stats.weibull_min.cdf(x, c, scale=s)),
    "rayleigh": (lambda s: random.rayleigh(KEY, s, (6,)), (2.0,), lambda u, s: stats.rayleigh.ppf(u, scale=s),
                 lambda x, s: stats.rayleigh.cdf(x, scale=s)),
    "lognormal": (lambda s: random.lognormal(KEY, s, (6,)), (0.5,), stats.lognorm.ppf, stats.lognorm.cdf),
    "triangular": (lambda a, m, b: random.triangular(KEY, a, m, b, (6,)), (-1.0, 0.25, 1.5),
                   lambda u, a, m, b: stats.triang.ppf(u, (m - a) / (b - a), a, b - a),
                   lambda x, a, m, b: stats.triang.cdf(x, (m - a) / (b - a), a, b - a)),
}


@pytest.mark.parametrize("name", QUANTILES)
def test_draws_by_a_formula_move_along_their_quantiles(name):
    f, at, ppf, cdf = QUANTILES[name]
    for i in range(len(at)):
        x, slope = jvp(f, at, tuple([float(i == k) for k in range(len(at))]))
        u = cdf(np.asarray(x), *at)
        expected = difference(lambda a: ppf(u, *at[:i], a, *at[i + 1:]), at[i], 1e-3)        # noqa: B023
        np.testing.assert_allclose(slope, expected, rtol=RTOL, atol=1e-9)


def test_a_multivariate_normal_draw_moves_with_its_covariance():
    a, h = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[0.3, 0.1], [0.1, -0.2]])
    f = lambda s: np.asarray(random.multivariate_normal(KEY, np.ones(2), a + s * h, (3,)))     # noqa: E731
    slope = jvp(lambda s: random.multivariate_normal(KEY, np.ones(2), a + s * h, (3,)), (0.0,), (1.0,))[1]
    np.testing.assert_allclose(slope, difference(f, 0.0, 1e-3), rtol=1e-9, atol=1e-10)


def test_counts_have_no_derivative():
    assert float(jvp(lambda m: random.binomial(KEY, 10.0, m), (0.3,), (1.0,))[1]) == 0
    lanes = vmap(lambda k: grad(lambda p: random.binomial(k, 10.0, p) * p)(0.3))(random.split(KEY, 3))
    np.testing.assert_array_equal(lanes, vmap(lambda k: random.binomial(k, 10.0, 0.3))(random.split(KEY, 3)))
