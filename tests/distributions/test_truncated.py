"""Truncated distributions: far tails, bounds, moments, and derivatives of draws. The rest is in test_contract.py."""
import math

import mpmath
import numpy as np
import pytest
from scipy import stats

import chainrule.distributions as dist
from chainrule.distributions import Truncated
from chainrule.engine import grad, jit, jvp, random, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ChainruleError
from tests.distributions.cases import CASES, label

KEY = random.key(7)
INTERVALS = [(30.0, 31.0), (30.0, math.inf), (-31.0, -30.0), (-1.0, 1e-3), (5.0, 5.01), (100.0, math.inf),
             (-math.inf, -40.0), (-3.0, 9.0)]


def normal_mass(low, high):
    """P(low < X < high) for a standard normal X, to sixty digits."""
    low, high = mpmath.mpf(low), mpmath.mpf(high)
    if low > 0:
        return mpmath.ncdf(-low) - mpmath.ncdf(-high)
    return mpmath.ncdf(high) - mpmath.ncdf(low)


def inner_points(low, high):
    if math.isinf(high):
        return low + np.array([0.001, 0.01, 0.2])
    if math.isinf(low):
        return high - np.array([0.001, 0.01, 0.2])
    return low + (high - low) * np.array([0.001, 0.1, 0.9])


@pytest.mark.parametrize("low, high", INTERVALS)
def test_log_prob_and_its_slopes_in_the_bounds_are_accurate_far_out(low, high):
    with mpmath.workdps(60):
        mass = normal_mass(low, high)
        for x in inner_points(low, high):
            want = mpmath.log(mpmath.npdf(mpmath.mpf(float(x))) / mass)
            size = 1 + x * x / 2                         # the rounding of the two logarithms that are subtracted
            d = Truncated(dist.Normal(0.0, 1.0), low, high)
            assert abs(float(d.log_prob(x)) - float(want)) < 4e-16 * size + 1e-13 / float(min(high - low, 1.0)) * 1e-2
            for i, (end, sign) in enumerate(((low, 1), (high, -1))):
                if math.isfinite(end):
                    got = grad(lambda *b, x=x: Truncated(dist.Normal(0.0, 1.0), *b).log_prob(x), argnums=i)(low, high)
                    want = sign * mpmath.npdf(mpmath.mpf(end)) / mass
                    np.testing.assert_allclose(float(got), float(want), rtol=1e-12)


@pytest.mark.parametrize("low, high", INTERVALS)
def test_draws_and_quantiles_far_out_follow_the_law(low, high):
    d = Truncated(dist.Normal(0.0, 1.0), low, high)
    q = np.array([0.01, 0.3, 0.99])
    x = np.asarray(d.icdf(q))
    with mpmath.workdps(60):
        mass = normal_mass(low, high)
        want = [float(normal_mass(low, float(v)) / mass) for v in x]
    np.testing.assert_allclose(want, q, rtol=1e-9)
    np.testing.assert_allclose(np.asarray(d.cdf(x)), q, rtol=1e-9)
    np.testing.assert_allclose(np.asarray(d.survival_function(x)), 1 - q, rtol=1e-9)
    np.testing.assert_allclose(np.asarray(d.isf(1 - q)), x, rtol=1e-12)
    u = np.asarray(d.cdf(d.sample(KEY, (1000,))))
    assert stats.kstest(u, "uniform").pvalue > 1e-6      # false alarms: 1e-6 a row


@pytest.mark.parametrize("low, high", [*INTERVALS, (0.0, 1e-5), (2.0, 10.5), (4.9, 12.0), (20.0, 20.5)])
def test_moments_of_a_truncated_normal_are_accurate(low, high):
    with mpmath.workdps(30):
        ends = [mpmath.mpf(max(low, high - 60 if math.isfinite(high) else low)),
                mpmath.mpf(min(high, low + 60 if math.isfinite(low) else high))]
        at = sorted({*ends, *[ends[0] + (ends[1] - ends[0]) * k / 12 for k in range(13)]})
        peak = min(abs(e) for e in ends) if ends[0] * ends[1] > 0 else mpmath.mpf(0)

        def weight(x):
            return mpmath.exp((peak - x) * (peak + x) / 2)
        total = mpmath.quad(weight, at)
        mean = mpmath.quad(lambda x: x * weight(x), at) / total
        variance = mpmath.quad(lambda x: (x - mean) ** 2 * weight(x), at) / total
    d = Truncated(dist.Normal(1.0, 2.0), 1.0 + 2.0 * low, 1.0 + 2.0 * high)
    np.testing.assert_allclose(float(d.mean), float(1 + 2 * mean), rtol=1e-13)
    np.testing.assert_allclose(float(d.variance), float(4 * variance), rtol=1e-9)


@pytest.mark.parametrize("base, low, high", [
    (dist.Gamma(2.5, 3.0), 0.3, 0.8), (dist.Gamma(2.5, 3.0), None, 0.8), (dist.Gamma(2.5, 3.0), 40.0, None),
    (dist.Exponential(2.0), 0.3, 4.0), (dist.HalfNormal(1.5), 0.7, 3.0), (dist.Uniform(-1.0, 2.0), 0.0, 5.0),
], ids=str)
def test_moments_of_other_families_are_integrals(base, low, high):
    d = Truncated(base, low, high)
    nodes, weights = np.polynomial.legendre.leggauss(120)
    first, last = float(d.icdf(1e-14)), float(d.isf(1e-14))
    x = first + (last - first) * 0.5 * (1 + nodes)
    p = np.asarray(d.prob(x)) * weights
    mean = (x * p).sum() / p.sum()
    np.testing.assert_allclose(float(d.mean), mean, rtol=1e-9)
    np.testing.assert_allclose(float(d.variance), ((x - mean) ** 2 * p).sum() / p.sum(), rtol=1e-7)
    if not isinstance(base, dist.Gamma):
        np.testing.assert_allclose(float(d.entropy()), -(p * np.asarray(d.log_prob(x))).sum() / p.sum(), rtol=1e-7)


BASES = {
    "Gamma": (lambda t: dist.Gamma(t, 1.5), 2.0), "Beta": (lambda t: dist.Beta(t, 3.0), 2.0),
    "Normal": (lambda t: dist.Normal(t, 1.0), 0.3), "LogNormal": (lambda t: dist.LogNormal(0.0, t), 0.8),
    "Cauchy": (lambda t: dist.Cauchy(0.0, t), 3.0),
}
BOUNDS = {"Gamma": (0.5, 60.0), "Beta": (0.1, 0.9), "Normal": (-1.0, 30.0), "LogNormal": (0.2, 50.0),
          "Cauchy": (-2.0, 40.0)}


@pytest.mark.parametrize("name, which", [(name, which) for name in BASES for which in ("left", "right", "both", "far")
                                         if name not in ("Gamma", "Beta") or which in ("both", "far")])
def test_draws_move_with_the_parameters_as_quantiles_do(name, which):
    make, at = BASES[name]
    low, high = BOUNDS[name]
    middle = 0.5 if name == "Beta" else 1.5
    bounds = {"left": (low, None), "right": (None, middle), "both": (low, middle),
              "far": (middle if name == "Beta" else high, None)}[which]

    def draw(t):
        return Truncated(make(t), *bounds).sample(KEY, (4,))
    x, slope = jvp(draw, (at,), (1.0,))
    h = 1e-5
    want = (np.asarray(draw(at + h)) - np.asarray(draw(at - h))) / (2 * h)
    assert np.all(np.asarray(make(at).support(x)))
    np.testing.assert_allclose(np.asarray(slope), want, rtol=2e-5, atol=2e-8)
    back = grad(lambda t: cnp.sum(draw(t)))(at)
    np.testing.assert_allclose(float(back), np.asarray(slope).sum(), rtol=1e-9)


@pytest.mark.parametrize("name", BASES)
def test_derivatives_are_finite_at_and_beyond_the_bounds(name):
    make, at = BASES[name]
    low, high = BOUNDS[name]
    x = np.array([-1e3, low - 0.05, low, 0.5 * (low + high), high, high + 0.05, 1e3, 0.0])
    for ends in ((low, None), (None, high), (low, high)):
        for f in ("log_prob", "log_cdf", "log_survival"):
            def total(t, x, ends=ends, f=f):
                return cnp.sum(getattr(Truncated(make(t), *ends), f)(x))
            for slope in grad(total, argnums=(0, 1))(at, x):
                assert np.all(np.isfinite(np.asarray(slope))), (ends, f)


def single(case):
    return hasattr(case.check(), "ppf") and hasattr(case.check(), "cdf") and np.shape(case.check().ppf(0.5)) == ()


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if single(case)], ids=label)
def test_any_distribution_with_a_distribution_function_can_be_truncated(case):
    d, law, step = case.make(), case.check(), 1 if case.discrete else 0
    low, high = float(law.ppf(0.2)), float(law.ppf(0.8))
    try:
        d.cdf(low)
    except NotImplementedError:
        return
    cut = Truncated(d, low, high)
    x = law.ppf(np.array([0.25, 0.4, 0.6, 0.75]))
    mass = law.cdf(np.array(high)) - law.cdf(np.array(low - step))
    np.testing.assert_allclose(np.asarray(cut.log_prob(x)), np.asarray(d.log_prob(x)) - np.log(mass), rtol=1e-9,
                               atol=1e-9)
    drawn = np.asarray(cut.sample(KEY, (100,)))
    assert low <= drawn.min() and drawn.max() <= high
    if not case.discrete:
        np.testing.assert_allclose(np.asarray(cut.cdf(cut.icdf([0.1, 0.5, 0.9]))), [0.1, 0.5, 0.9], rtol=1e-8)


def test_infinite_bounds_are_none():
    base = dist.Normal(0.0, 1.0)
    assert Truncated(base, -math.inf, 2.0).low is None and Truncated(base, 0.0, math.inf).high is None
    mixed = Truncated(base, np.array([-math.inf, 0.0]), np.array([1.0, math.inf]))
    apart = [Truncated(base, None, 1.0), Truncated(base, 0.0, None)]
    np.testing.assert_allclose(np.asarray(mixed.log_prob(0.5)), [float(d.log_prob(0.5)) for d in apart], rtol=1e-14)
    slope = grad(lambda m: cnp.sum(Truncated(dist.Normal(m, 1.0), mixed.low, mixed.high).log_prob(0.5)))(0.2)
    want = sum(float(grad(lambda m, d=d: Truncated(dist.Normal(m, 1.0), d.low, d.high).log_prob(0.5))(0.2))
               for d in apart)
    np.testing.assert_allclose(float(slope), want, rtol=1e-13)
    assert np.all(np.isfinite(np.asarray(mixed.sample(KEY, (3,)))))


def test_truncating_twice_is_truncating_once():
    twice = Truncated(Truncated(dist.Gamma(2.0, 1.0), 0.5, 9.0), 1.0, 4.0)
    once = Truncated(dist.Gamma(2.0, 1.0), 1.0, 4.0)
    x = np.array([0.7, 1.2, 3.9, 5.0])
    np.testing.assert_allclose(np.asarray(twice.log_prob(x)), np.asarray(once.log_prob(x)), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(twice.sample(KEY, (5,))), np.asarray(once.sample(KEY, (5,))), rtol=1e-9)


def test_counts_can_be_truncated_far_out():
    d = Truncated(dist.Poisson(3.0), 100)
    np.testing.assert_allclose(float(d.log_prob(100)), stats.poisson(3).logpmf(100) - stats.poisson(3).logsf(99),
                               rtol=1e-11)
    assert np.asarray(d.sample(KEY, (50,))).min() >= 100
    k = np.arange(100, 140)
    p = np.asarray(d.prob(k))
    np.testing.assert_allclose(p.sum(), 1.0, rtol=1e-12)
    np.testing.assert_allclose(float(d.mean), (k * p).sum(), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(Truncated(dist.Poisson(3.0), 1.2, 4.9).enumerate_support()), [2, 3, 4])
    np.testing.assert_allclose(float(Truncated(dist.Binomial(9, 0.4), 2, 5).mean),
                               (np.arange(2, 6) * stats.binom(9, 0.4).pmf(np.arange(2, 6))).sum()
                               / stats.binom(9, 0.4).pmf(np.arange(2, 6)).sum(), rtol=1e-12)


def test_the_mode_is_at_the_nearest_bound():
    assert float(Truncated(dist.Normal(0.0, 1.0), 2.0, 3.0).mode) == 2.0
    assert float(Truncated(dist.Normal(0.0, 1.0), -2.0, 3.0).mode) == 0.0
    assert int(Truncated(dist.Poisson(2.5), 4).mode) == 4


def test_single_precision_and_compiled_draws_stay_between_the_bounds():
    d = dist.TruncatedNormal(np.float32(0.0), np.float32(1.0), low=np.float32(8.0), high=np.float32(8.5))
    x = np.asarray(jit(lambda d, key: d.sample(key, (2000,)))(d, KEY))
    assert x.dtype == np.float32 and x.min() >= 8 and x.max() <= 8.5 and np.all(np.isfinite(np.asarray(d.log_prob(x))))


def test_lanes_may_have_their_own_bounds():
    lows = np.array([-1.0, 0.5, 30.0])
    got = vmap(lambda low: Truncated(dist.Normal(0.0, 1.0), low).log_prob(31.0))(lows)
    want = [float(Truncated(dist.Normal(0.0, 1.0), low).log_prob(31.0)) for low in lows]
    np.testing.assert_allclose(np.asarray(got), want, rtol=1e-13)


def test_the_usual_names_make_truncated_distributions():
    n = dist.Normal(0.0, 1.0)
    for d, low, high in ((dist.LeftTruncatedDistribution(n, 0.5), 0.5, None),
                         (dist.RightTruncatedDistribution(n, 0.5), None, 0.5),
                         (dist.TwoSidedTruncatedDistribution(n, -1.0, 0.5), -1.0, 0.5),
                         (dist.TruncatedNormal(0.0, 1.0, low=-1.0), -1.0, None),
                         (dist.TruncatedDistribution(n, -1.0, 0.5), -1.0, 0.5)):
        np.testing.assert_allclose(np.asarray(d.log_prob(0.5)), np.asarray(Truncated(n, low, high).log_prob(0.5)))
    assert type(dist.TruncatedCauchy(low=0.0).base_dist) is dist.Cauchy


def test_a_truncation_that_leaves_nothing_is_refused():
    with pytest.raises(ChainruleError, match="only distributions of one number can be truncated"):
        Truncated(dist.Dirichlet([1.0, 2.0]), 0.0)
    for base, bounds, message in ((dist.Exponential(1.0), (None, -1.0), r"high must be above 0.0"),
                                  (dist.Beta(2.0, 3.0), (1.0, None), r"low must be below 1.0"),
                                  (dist.Binomial(5, 0.3), (6, None), r"low must be below 5"),
                                  (dist.Uniform([0.0, 3.0], 4.0), (None, 2.0), r"high must be above \[0.0, 3.0\]")):
        with pytest.raises(ChainruleError, match=message):
            Truncated(base, *bounds)
    assert float(Truncated(dist.Binomial(5, 0.3), 5).prob(5)) == pytest.approx(1.0, abs=1e-14)
    assert Truncated(dist.Exponential(1.0), high=-1.0, validate_args=False).high == -1.0
