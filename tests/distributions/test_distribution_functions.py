"""Distribution functions that are integrals or sums: the two tails meet, and each is accurate where it is small."""
import mpmath as mp
import numpy as np
import pytest

import chainrule.distributions as dist
from chainrule.engine import grad, jit, jvp
from chainrule.engine.errors import ParameterError

TWO_TAILS = [                           # law, where it turns from one tail to the other, the tolerance
    *[(dist.NormalInverseGaussian(0.5, d, a, b), None, 1e-11) for a, b, d in [
        (1.0, 0.99, 1.0), (1.5, 0.5, 2.0), (100.0, 20.0, 50.0), (0.5, 0.1, 1e-3), (30.0, 0.0, 0.01)]],
    *[(dist.PolyaGamma(h, z), "mean", tolerance) for h, z, tolerance in [
        (1.0, 0.0, 1e-11), (5.5, 3.0, 1e-11), (40.0, 0.5, 1e-10), (1.0, 20.0, 1e-11), (0.3, 0.0, 1e-5)]],
    *[(dist.BetaQuotient(*c), 1.0, 1e-12) for c in [
        (2.0, 3.0, 1.5, 2.5), (0.5, 0.7, 0.3, 4.0), (60.0, 30.0, 80.0, 20.0)]],
    (dist.Horseshoe(2.0), 0.0, 1e-10),
    *[(dist.NoncentralT(df, nc), nc, 1e-10) for df, nc in [(3.0, 1.0), (0.6, -2.0), (1e4, 3.0), (8.0, 12.0)]],
    *[(dist.NoncentralBeta(a, b, nc), (a + nc / 2) / (a + b + nc / 2), 1e-11) for a, b, nc in [
        (0.3, 0.4, 1.0), (2.0, 3.0, 40.0), (2.0, 900.0, 2000.0)]],
]


def turning(law):
    """By bisection: where the density of a normal inverse Gaussian number ceases to rise, about."""
    off = np.sinh(np.linspace(-20, 20, 400_001)) * float(law.scale)
    q = np.hypot(off, float(law.scale))
    rises = (off / q) * (float(law.tailweight) + 1.5 / q) < float(law.skewness)
    return float(law.loc) + 0.5 * (off[rises][-1] + off[~rises][0])


@pytest.mark.parametrize("law, at, tolerance", TWO_TAILS, ids=[f"{type(row[0]).__name__}{i}"
                                                               for i, row in enumerate(TWO_TAILS)])
def test_the_two_tails_meet_with_the_density_as_their_slope(law, at, tolerance):
    """What lies below comes from one integral and what lies above from another; together they are all."""
    at = turning(law) if at is None else float(law.mean) if at == "mean" else at
    spread = float(np.exp(-law.log_prob(at + 1e-3))) if np.isfinite(float(law.log_prob(at + 1e-3))) else 1.0
    step = 1e-4 * spread
    below, above = at - step, at + step
    jump = float(law.cdf(above)) - float(law.cdf(below))
    v, w = np.polynomial.legendre.leggauss(40)
    v, w = 0.5 * (v + 1), 0.5 * w
    density = sum(step * np.sum(4 * w * v ** 3 * np.asarray(law.prob(at + s * step * v ** 4))) for s in (-1, 1))
    np.testing.assert_allclose(jump, density, rtol=1e-6, atol=tolerance)
    for x in (at - 0.3 * spread, at + 0.3 * spread):
        if bool(law.support(x)):
            slope = float(jvp(law.cdf, (x,), (1.0,))[1])
            np.testing.assert_allclose(slope, float(law.prob(x)), rtol=max(1e-7, 10 * tolerance))


@pytest.mark.parametrize("size", [1e-3, 0.7, 5.0, 1e4])
def test_horseshoe_tails_are_those_of_a_ratio_of_normal_numbers(size):
    d = dist.Horseshoe(1.0)
    with mp.workdps(20):
        above = mp.quad(lambda z: mp.exp(-z * z / 2) * mp.atan(z / size), [0, 1e-3, 0.03, 1, 2, 4, 8, 12])
        want = float(mp.log(above * 2 / mp.pi / mp.sqrt(2 * mp.pi)))
    np.testing.assert_allclose(float(d.log_survival(size)), want, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(float(d.log_cdf(-size)), want, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(float(d.cdf(size)), -np.expm1(want), rtol=1e-9)
    np.testing.assert_allclose(float(d.icdf(d.cdf(size))), size, rtol=1e-6 if size < 1e3 else 1e-3)
    np.testing.assert_allclose(float(jit(d.log_cdf)(-size)), want, rtol=1e-10, atol=1e-10)


def test_horseshoe_distribution_function_at_its_peak():
    d = dist.Horseshoe([1.0, 3.0])
    np.testing.assert_array_equal(np.asarray(d.cdf(0.0)), [0.5, 0.5])
    np.testing.assert_array_equal(np.asarray(d.icdf(0.5)), [0.0, 0.0])
    assert np.all(np.isfinite(np.asarray(grad(lambda d: d.cdf(1.0).sum())(d).scale)))
    assert dist.Horseshoe(np.float32(2.0)).log_cdf(np.float32(1.0)).dtype == np.float32


@pytest.mark.parametrize("law, k", [
    (dist.Skellam(1e3, 1e3), np.arange(-3000, 3000)), (dist.Skellam(0.01, 30.0), np.arange(-400, 30)),
    (dist.BetaNegativeBinomial(20.0, 25.0, 100.0), np.arange(20_000)),
    (dist.BetaNegativeBinomial(0.5, 12.0, 0.7), np.arange(40_000)),
    (dist.GeneralizedPoisson(3.0, 0.6), np.arange(2000))], ids=lambda x: type(x).__name__)
def test_tails_of_counts_are_sums(law, k):
    """The sums are of terms whose logarithms are rounded at the size of k log k."""
    p = np.asarray(law.prob(k))
    below, above = np.cumsum(p), np.cumsum(p[::-1])[::-1] - p
    keep = np.searchsorted(below, [1e-280, 1e-30, 1e-3, 0.2, 0.7, 0.999])
    keep = keep[keep < len(k)]
    np.testing.assert_allclose(np.asarray(law.log_cdf(k[keep])), np.log(below[keep]), rtol=1e-9, atol=1e-12)
    far = len(k) - 1 - np.searchsorted(above[::-1], [1e-8, 1e-3, 0.2])
    far = far[far >= 0]
    np.testing.assert_allclose(np.asarray(law.log_survival(k[far])), np.log(above[far]), rtol=1e-7, atol=1e-12)
    q = np.array([1e-3, 0.31, 0.97])
    np.testing.assert_array_equal(np.asarray(law.icdf(q)), k[np.searchsorted(below, q)])


def test_a_sum_over_counts_that_are_not_known_is_refused():
    d = dist.GeneralizedPoisson(3.0, 0.6)
    np.testing.assert_allclose(float(jit(lambda d: d.cdf(4))(d)), float(d.cdf(4)), rtol=1e-12)
    with pytest.raises(ParameterError, match="value must be known"):
        jit(d.cdf)(4)
