"""What is special to the continuous families: far tails, modes, survival, limits, other parameters, and the rows that
have none in the table.

Draws use fixed keys; each random comparison has a false-alarm rate of 1e-6.
"""
import math

import mpmath as mp
import numpy as np
import pytest
from scipy import special, stats

import chainrule.distributions as dist
from chainrule.distributions.ratios import log1p_ratio, log_exprel, scaled_exp1, tilted_cdf, tilted_icdf, tilted_mean
from chainrule.engine import grad, jit, jvp, random, tree
from chainrule.engine import numpy as cnp
from tests.distributions.cases import modules

KEY = random.key(7)
OURS = [case for module in modules if module.__name__.endswith(("cases_continuous", "cases_transformed_normal",
                                                                                    "cases_noncentral"))
        for case in module.CASES]


def M(x):
    return mp.mpf(float(x))


def normal_tail(t):
    return mp.erfc(t / mp.sqrt(2)) / 2


def lambert_w(x, d):
    """With u found from x = u exp(d u²/2)."""
    u = mp.findroot(lambda u: mp.log(u) + d * u * u / 2 - mp.log(x), 6)
    return -u * u / 2 - mp.log(2 * mp.pi) / 2 - d * u * u / 2 - mp.log(1 + d * u * u)


# law, x, log p(x) by another formula in fifty digits
FAR = [
    (dist.Gumbel(0.5, 2.0), 1e6, lambda x: -(x - 0.5) / 2 - mp.log(2)),
    (dist.Weibull(2.0, 0.3), 1e-30, lambda x: mp.log(0.15) - M(0.7) * mp.log(x / 2) - (x / 2) ** M(0.3)),
    (dist.GeneralizedExtremeValue(0.0, 1.0, 1e-9), 30.0,
     lambda x: -(1 + 1 / M(1e-9)) * mp.log1p(M(1e-9) * x) - mp.exp(-x)),
    (dist.GeneralizedPareto(0.0, 1.0, 0.5), 1e12, lambda x: -3 * mp.log(1 + x / 2)),
    (dist.SoftLaplace(0.0, 1.0), -5e3, lambda x: mp.log(2 / mp.pi) + x),
    (dist.SoftAsymmetricLaplace(0.0, 1.0, 1.0, 0.01), 500.0,
     lambda x: M(0.01) ** 2 / 2 - x - mp.log(2)),
    (dist.SkewNormal(0.0, 1.0, 3.0), -40.0,
     lambda x: mp.log(2 * mp.npdf(x) * normal_tail(-3 * x))),
    (dist.SkewStudentT(2.0, 3.0), -1e8, lambda x: 2.5 * mp.log1p(x / mp.sqrt(5 + x * x)) + 3.5
     * mp.log1p(-x / mp.sqrt(5 + x * x)) - mp.log(16 * mp.beta(2, 3) * mp.sqrt(5))),
    (dist.ExGaussian(0.0, 1.0, 1e3), 50.0, lambda x: mp.log(1000) + 500000 - 1000 * x
     + mp.log(normal_tail(1000 - x))),
    (dist.ExGaussian(0.0, 1.0, 0.5), -60.0, lambda x: mp.log(0.5) + M(0.125) - x / 2 + mp.log(normal_tail(0.5 - x))),
    (dist.InverseGaussian(1e4, 1.0), 1e-4, lambda x: -mp.log(2 * mp.pi * x ** 3) / 2 - (x - 10 ** 4) ** 2
     / (2 * mp.mpf(10) ** 8 * x)),
    (dist.NormalInverseGaussian(0.0, 1.0, 2.0, 1.9), 2000.0,
     lambda x: mp.log(2 * mp.besselk(1, 2 * mp.sqrt(1 + x * x)) / (mp.pi * mp.sqrt(1 + x * x)))
     + mp.sqrt(4 - M(1.9) ** 2) + M(1.9) * x),
    (dist.Rice(300.0, 0.1), 250.0, lambda x: mp.log(x * 100) - (x - 300) ** 2 * 50
     + mp.log(mp.besseli(0, x * 30000) * mp.exp(-x * 30000))),
    (dist.HalfStudentT(3.0, 1.0), 1e15, lambda x: mp.log(12 * mp.sqrt(3) / mp.pi) - 4 * mp.log(x)),
    (dist.VonMises(0.0, 1e6), 0.01, lambda x: 10 ** 6 * (mp.cos(x) - 1)
     - mp.log(2 * mp.pi * mp.besseli(0, 10 ** 6) * mp.exp(-10 ** 6))),
    (dist.Kumaraswamy(50.0, 0.01), 1 - 2.0 ** -20, lambda x: mp.log(M(50.0) * M(0.01)) + 49 * mp.log(x)
     - (1 - M(0.01)) * mp.log(1 - x ** 50)),
    (dist.ContinuousBernoulli(2000.0), 0.25, lambda x: 2000 * x - 2000 + mp.log(2000)),
    (dist.DoublyTruncatedPowerLaw(-3000.0, 1.0, 2.0), 1.5, lambda x: -3000 * mp.log(x) + mp.log(2999)),
    (dist.LambertWNormal(0.0, 1.0, 0.5), 1e8, lambda x: lambert_w(x, M(0.5))),
    (dist.GammaGamma(2.0, 3.0, 1.0), 1e20, lambda x: mp.log(12) - 4 * mp.log(x)),
    (dist.NoncentralChi2(1.0, 1e4), 5000.0,
     lambda x: mp.log(mp.exp(-(x + 10 ** 4) / 2) * mp.cosh(100 * mp.sqrt(x)) / mp.sqrt(2 * mp.pi * x))),
    (dist.Horseshoe(1.0), 1e3, lambda x: mp.log(mp.exp(x * x / 2) * mp.e1(x * x / 2) / mp.sqrt(2 * mp.pi ** 3))),
    (dist.PolyaGamma(1.0, 0.0), 60.0, lambda x: mp.log(2 * mp.pi) - mp.pi ** 2 * x / 2),
    (dist.PolyaGamma(40.0, 0.0), 2.0, lambda x: polya_gamma(x, 40)),
    (dist.BetaQuotient(2.0, 3.0, 1.5, 2.5), 1e-12, lambda x: mp.log(mp.beta(3.5, 2.5) * x / mp.beta(2, 3)
                                                                    / mp.beta(1.5, 2.5))),
    (dist.SigmoidBeta(2.0, 3.0), -700.0, lambda x: 2 * x - mp.log(mp.beta(2, 3))),
]


def polya_gamma(x, h):
    total = sum((-1) ** n * mp.rf(h, n) / mp.factorial(n) * (2 * n + h) * mp.exp(-(2 * n + h) ** 2 / (8 * x))
                for n in range(200))
    return mp.log(2 ** (h - 1) * total / mp.sqrt(2 * mp.pi * x ** 3))


@pytest.mark.parametrize("i", range(len(FAR)), ids=[type(law).__name__ + str(i) for i, (law, _, _) in enumerate(FAR)])
def test_log_prob_is_accurate_far_out_in_both_precisions(i):
    law, x, formula = FAR[i]
    with mp.workdps(50):
        for dtype, rtol in ((np.float64, 2e-13), (np.float32, 2e-6)):
            d = tree.map(lambda v, dtype=dtype: v.astype(dtype), law)
            at = np.asarray(x, dtype)
            if dtype == np.float32:                          # the formula is for the parameters of the row
                exact = all(float(v) == float(w) for v, w in zip(tree.leaves(d), tree.leaves(law)))
                if not exact or float(at) != x:
                    continue
            want = float(formula(M(x)))
            np.testing.assert_allclose(float(d.log_prob(at)), want, rtol=rtol)
            assert np.isfinite(float(grad(lambda v, d=d: d.log_prob(v))(at)))


# ---- laws of every row ----

def each(keep=lambda case: True):
    chosen = [c for c in OURS if keep(c)]
    return pytest.mark.parametrize("case", chosen, ids=[c.name for c in chosen])


def has(method):
    def keep(case):
        try:
            value = getattr(case.make(), method)
            return bool(np.all(np.isfinite(np.asarray(value(0.5) if callable(value) else value))))
        except NotImplementedError:
            return False
    return keep


@each(has("mode"))
def test_the_density_is_largest_at_the_mode(case):
    d, law = case.make(1 % len(case.params)), case.check(1 % len(case.params))
    mode = np.asarray(d.mode)
    size = np.asarray(law.ppf(0.75)) - np.asarray(law.ppf(0.25))
    at = np.asarray(d.log_prob(mode))
    if case.name == "DoubleSidedMaxwell":
        return
    for step in (1e-3, 0.1, 1.0):
        for sign in (-1, 1):
            beside = np.asarray(d.log_prob(mode + sign * step * size))
            assert np.all((beside <= at + 1e-12) | ~np.isfinite(at))


@each(has("cdf"))
def test_cdf_and_survival_are_complements_and_log_cdf_is_their_logarithm(case):
    d, law = case.make(), case.check()
    x = np.asarray(law.ppf(np.linspace(0.01, 0.99, 9)))
    p, q = np.asarray(d.cdf(x)), np.exp(np.asarray(d.log_survival(x)))
    np.testing.assert_allclose(p + q, 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.asarray(d.log_cdf(x)), np.log(p), rtol=1e-11, atol=1e-14)


@each(lambda case: hasattr(case.check(), "logsf") and has("cdf")(case))
def test_upper_tails_equal_the_reference(case):
    d, law = case.make(), case.check()
    x = law.isf(np.array([1e-3, 1e-9]))
    x = x[np.asarray(d.support(x)) & np.isfinite(law.logsf(x))]
    want = law.logsf(x)
    keep = np.abs(np.exp(want) / np.maximum(law.sf(x), 1e-300) - 1) < 1e-6        # where SciPy agrees with itself
    # x itself is rounded: the hazard times its last digit
    slack = np.exp(law.logpdf(x) - want) * np.abs(x) * 1e-15 + 1e-8 * np.abs(want)
    assert np.all(np.abs(np.asarray(d.log_survival(x)) - want)[keep] <= slack[keep] + 2e-7 * np.abs(want[keep]))


@each()
def test_every_property_keeps_single_precision_and_the_batch_shape(case):
    d = tree.map(lambda v: v.astype(np.float32), case.make(1 % len(case.params)))
    x = np.asarray(case.check(1 % len(case.params)).ppf(0.4), np.float32)
    for name in ("mean", "variance", "mode", "entropy", "cdf", "log_cdf", "log_survival"):
        try:
            value = getattr(d, name, None)
            value = value(*(() if name == "entropy" else (x,))) if callable(value) else value
        except NotImplementedError:
            continue
        assert value is None or value.dtype == np.float32 and value.shape == d.batch_shape, name


# ---- limits, and functions near their removable singularities ----

def test_shapes_of_zero_are_the_limits():
    x = np.array([0.1, 1.0, 7.0])
    for xi in (0.0, 1e-9, -1e-9):
        np.testing.assert_allclose(np.asarray(dist.GeneralizedExtremeValue(0.0, 1.0, xi).log_prob(x)),
                                   np.asarray(dist.Gumbel(0.0, 1.0).log_prob(x)), rtol=1e-7)
        np.testing.assert_allclose(np.asarray(dist.GeneralizedPareto(0.0, 1.0, xi).log_prob(x)), -x, rtol=1e-7)
        got = dist.GeneralizedExtremeValue(0.0, 1.0, xi)
        np.testing.assert_allclose([float(got.mean), float(got.variance)], stats.gumbel_r.stats(), rtol=1e-7)
        slope = grad(lambda v: dist.GeneralizedExtremeValue(0.0, 1.0, v).log_prob(2.0))(xi)
        want = -2.0 + 2.0 * (1 - math.exp(-2.0))                       # -w + (1 - e^-w) z²/2
        np.testing.assert_allclose(float(slope), want, rtol=1e-7)
    np.testing.assert_allclose(np.asarray(dist.DoublyTruncatedPowerLaw(-1.0, 0.5, 9.0).log_prob(x[1:])),
                               np.asarray(dist.LogUniform(0.5, 9.0).log_prob(x[1:])), rtol=1e-14)
    np.testing.assert_allclose(np.asarray(dist.ContinuousBernoulli(0.0).log_prob([0.1, 0.7])), 0.0, atol=1e-16)
    np.testing.assert_allclose(np.asarray(dist.LambertWNormal(0.0, 1.0, 0.0).log_prob(x)),
                               np.asarray(dist.Normal(0.0, 1.0).log_prob(x)), rtol=1e-14)
    np.testing.assert_allclose(np.asarray(dist.NoncentralChi2(3.0, 0.0).log_prob(x)),
                               np.asarray(dist.Chi2(3.0).log_prob(x)), rtol=1e-13)


def test_functions_near_a_singularity_keep_their_digits():
    y = np.array([-0.999, -0.11, -0.09, -1e-5, -1e-12, 1e-300, 1e-8, 0.05, 0.0999, 0.1001, 3.0, 1e20])
    with mp.workdps(60):
        want = [float(mp.log1p(M(v)) / M(v)) for v in y]
        np.testing.assert_allclose(np.asarray(log1p_ratio(y)), want, rtol=4e-16)
        z = np.array([-800.0, -3.0, -1e-9, 1e-9, 0.4, 700.0, 5e4])
        np.testing.assert_allclose(np.asarray(log_exprel(z)), [float(mp.log(mp.expm1(M(v)) / M(v))) for v in z],
                                   rtol=4e-15, atol=2e-16)
        np.testing.assert_allclose(np.asarray(tilted_mean(z)), [float(1 / (1 - mp.exp(-M(v))) - 1 / M(v)) for v in z],
                                   rtol=2e-15)
        x = np.array([1e-10, 0.5, 39.9, 40.1, 1e3, 1e10])
        np.testing.assert_allclose(np.asarray(scaled_exp1(x)), [float(mp.exp(M(v)) * mp.e1(M(v))) for v in x],
                                   rtol=1e-14)
    for tilt in (-3e3, -2.0, 1e-10, 0.0, 0.7, 1e3):
        q = np.linspace(0.0, 1.0, 9)
        np.testing.assert_allclose(np.asarray(tilted_cdf(tilted_icdf(q, tilt), tilt)), q, rtol=1e-12, atol=1e-15)


# ---- other parameters ----

SAME = [
    (dist.AsymmetricLaplaceQuantile.from_skew(0.5, 2.0, 0.3), dist.AsymmetricLaplaceQuantile(0.5, 1.0, 0.3)),
    (dist.BetaProportion.from_mean_sd(0.3, 0.2), dist.Beta(0.3 * 4.25, 0.7 * 4.25)),
    (dist.ContinuousBernoulli.from_probs(0.8), dist.ContinuousBernoulli(math.log(4.0))),
    (dist.ExGaussian.from_mean(0.5, 2.0, 4.0), dist.ExGaussian(0.5, 2.0, 0.25)),
    (dist.GeneralizedPareto.from_lomax(0.0, 2.0, 4.0), dist.GeneralizedPareto(0.0, 0.5, 0.25)),
    (dist.InverseGaussian.from_phi(2.0, 3.0), dist.Wald(2.0, 6.0)),
    (dist.LogLogistic.from_logistic(0.5, 0.25), dist.TransformedDistribution(
        dist.Logistic(0.5, 0.25), dist.transforms.ExpTransform())),
    (dist.Gamma.from_mean_sd(1.5, 0.5), dist.Gamma(9.0, 6.0)),
    (dist.Beta.from_mean_sd(0.3, 0.2), dist.BetaProportion(0.3, 4.25)),
    (dist.Normal.from_precision(0.5, 4.0), dist.Normal(0.5, 0.5)),
    (dist.StudentT.from_precision(3.0, 0.5, 4.0), dist.StudentT(3.0, 0.5, 0.5)),
    (dist.LogLogistic(2.0, 3.0), dist.Dagum(1.0, 3.0, 2.0)),
    (dist.Chi(2.0), dist.Rayleigh(1.0)),
    (dist.LowerTruncatedPowerLaw(-3.0, 0.1), dist.Pareto(0.1, 2.0)),
    (dist.AffineBeta(2.0, 3.0, 0.0, 1.0), dist.Beta(2.0, 3.0)),
    (dist.SkewStudentT(2.0, 2.0), dist.StudentT(4.0)),
    (dist.Interpolated([0.0, 0.5, 1.0], [0.0, 7.0, 0.0]), dist.Triangular(0.0, 1.0, 0.5)),
]


@pytest.mark.parametrize("a, b", SAME, ids=[f"{type(a).__name__}{i}" for i, (a, _) in enumerate(SAME)])
def test_two_names_of_one_law_agree(a, b):
    x = np.array([0.2, 0.4, 0.6])
    np.testing.assert_allclose(np.asarray(a.log_prob(x)), np.asarray(b.log_prob(x)), rtol=1e-12)


# ---- the families without a row ----

def test_truncated_polya_gamma_is_polya_gamma_given_that_it_is_small():
    d = dist.TruncatedPolyaGamma((2,))
    assert d.batch_shape == (2,) and d.sample(KEY, (3,)).shape == (3, 2)
    x = np.linspace(0.01, 2.49, 40)
    with mp.workdps(60):
        above = float(4 / mp.pi * mp.nsum(lambda n: (-1) ** int(n) / (2 * n + 1)
                                          * mp.exp(-(2 * n + 1) ** 2 * mp.pi ** 2 * M(2.5) / 2), [0, mp.inf]))
        want = [float(polya_gamma(M(v), 1)) - math.log1p(-above) for v in x]
    np.testing.assert_allclose(np.asarray(dist.TruncatedPolyaGamma().log_prob(x)), want, rtol=1e-13)
    np.testing.assert_allclose(np.asarray(jit(lambda x: dist.TruncatedPolyaGamma().log_prob(x))(x)), want, rtol=1e-13)
    assert np.all(np.asarray(d.log_prob([0.0, 2.6])) == -np.inf)
    np.testing.assert_allclose(np.asarray(dist.TruncatedPolyaGamma().icdf(dist.TruncatedPolyaGamma().cdf(x))), x,
                               rtol=1e-8)
    drawn = np.asarray(dist.TruncatedPolyaGamma().sample(KEY, (4000,)))
    assert stats.kstest(drawn, lambda v: np.asarray(dist.TruncatedPolyaGamma().cdf(v))).pvalue > 1e-6


def test_polya_gamma_has_one_density_where_its_formulas_meet():
    for h in (0.7, 3.5):
        for x in (0.0125, 250.0 * h):
            low, high = (float(dist.PolyaGamma(h).log_prob(v)) for v in (x * (1 - 1e-12), x * (1 + 1e-12)))
            np.testing.assert_allclose(low, high, rtol=1e-9)


def test_horseshoe_draws_are_normal_given_a_half_cauchy_scale():
    d = dist.Horseshoe([1.0, 3.0])
    x = np.asarray(d.sample(KEY, (3000,)))
    u, w = np.polynomial.legendre.leggauss(200)
    scales = np.tan(math.pi / 4 * (u + 1))                             # half-Cauchy quantiles

    def cdf(v):
        return 0.5 * np.sum(w * special.ndtr(v[:, None] / scales), -1)
    for i, s in enumerate((1.0, 3.0)):
        assert stats.kstest(x[:, i] / s, cdf).pvalue > 1e-6
    v = np.array([0.3, -2.0])
    mixture = 0.5 * np.sum(w * stats.norm.pdf(v[:, None], 0, scales), -1)
    np.testing.assert_allclose(np.asarray(dist.Horseshoe(1.0).log_prob(v)), np.log(mixture), rtol=2e-2)
    assert dist.Horseshoe(np.float32(2.0)).log_prob(np.float32(1.0)).dtype == np.float32


STABLE = [(1.5, 0.5), (0.8, -0.6), (1.0, 0.0), (1.0, 0.7), (1.95, 0.9), (0.6, 0.9)]


def stable_transform(t, stability, skew, scale, loc):
    """E exp(i t X), t > 0."""
    s = scale * t
    lean = (np.tan(np.pi * stability / 2) * (s ** (1 - stability) - 1) if stability != 1
            else 2 / np.pi * np.log(s))
    return np.exp(-s ** stability * (1 + 1j * skew * lean) + 1j * loc * t)


@pytest.mark.parametrize("stability, skew", STABLE)
def test_stable_draws_and_their_derivatives_have_the_characteristic_function(stability, skew):
    n, t = 6000, np.array([0.3, 1.0])
    params = dict(stability=stability, skew=skew, scale=2.0, loc=0.5)

    def wave(**changed):
        x = dist.Stable(**{**params, **changed}, validate_args=False).sample(KEY, (n, 1)) * t
        return cnp.stack([cnp.cos(x), cnp.sin(x)])

    def compare(draws, want):
        draws = np.asarray(draws)
        z = (draws.mean(1) - [want.real, want.imag]) / (draws.std(1) / math.sqrt(n))
        assert np.all(np.abs(z) < 4.9)
    compare(wave(), stable_transform(t, **params))
    for name, value in params.items():
        h = 1e-3 if name == "stability" else 1e-5            # not through the other formula at 1, which cancels
        slope = (stable_transform(t, **{**params, name: value + h})
                 - stable_transform(t, **{**params, name: value - h})) / (2 * h)
        compare(jvp(lambda v, name=name: wave(**{name: v}), (value,), (1.0,))[1], slope)


@pytest.mark.parametrize("stability, skew, x, want", [
    (2.0, 0.0, 1.3, -1.6880121234846455), (1.5, 0.5, -4.0, -5.000305745321344), (1.2, -0.9, 3.0, -5.566110582318679),
    (0.8, 0.3, 0.2, -1.271704171829384), (1.9, 1.0, 8.0, -7.459297341486475), (0.5, 1.0, 0.5, -1.8604695287002526),
    (1.999, 0.0, 5.0, -7.490292619956948)])
def test_the_stable_density_is_the_inverse_of_the_characteristic_function(stability, skew, x, want):
    """The wanted numbers are Re ∫ exp(-i t x) φ(t) dt / π by mpmath's quadrature with thirty digits."""
    np.testing.assert_allclose(float(dist.Stable(stability, skew).log_prob(x)), want, rtol=1e-12)
    single = dist.Stable(*np.float32([stability, skew, 1.0, 0.0])).log_prob(np.float32(x))
    assert single.dtype == np.float32
    np.testing.assert_allclose(float(single), want, rtol=1e-4)


def test_the_stable_density_has_known_members_and_derivatives():
    x = np.array([0.1, 1.0, 30.0])
    np.testing.assert_allclose(np.asarray(dist.Stable(0.5, 1.0).log_prob(x)),
                               np.asarray(dist.Levy(-1.0, 1.0).log_prob(x)), rtol=1e-11)
    np.testing.assert_allclose(np.asarray(dist.Stable(1.0, 0.0).log_prob(x)), np.asarray(dist.Cauchy().log_prob(x)),
                               rtol=1e-6)
    for i, value in enumerate((1.5, 0.5, 2.0, 0.3)):
        def at(v, i=i):
            return dist.Stable(*[v if j == i else w for j, w in enumerate((1.5, 0.5, 2.0, 0.3))]).log_prob(1.7)
        want = (float(at(value + 1e-4)) - float(at(value - 1e-4))) / 2e-4
        np.testing.assert_allclose(float(grad(at)(value)), want, rtol=1e-6)
    got = jit(lambda d, x: d.log_prob(x))(dist.Stable([1.5, 0.7], 0.5), 1.0)
    np.testing.assert_allclose(np.asarray(got), np.asarray(dist.Stable([1.5, 0.7], 0.5).log_prob(1.0)), rtol=1e-9)


def test_the_lower_tail_of_the_skew_normal_does_not_cancel():
    """The wanted numbers are log ∫ 2 φ(t) Φ(3 t) dt by mpmath's quadrature with forty digits."""
    d, mirror = dist.SkewNormal(0.0, 1.0, 3.0), dist.SkewNormal(0.0, 1.0, -3.0)
    x, want = np.array([-20.0, -3.0, -0.01]), [-2010.5381688868217, -51.77641966434414, -2.317954928658785]
    np.testing.assert_allclose(np.asarray(d.log_cdf(x)), want, rtol=1e-13)
    np.testing.assert_allclose(np.asarray(mirror.log_survival(-x)), want, rtol=1e-13)
