"""Censored, folded, quantized and empirical distributions: what test_contract.py does not ask."""
import math

import numpy as np
import pytest
from scipy import integrate, stats

import chainrule.distributions as dist
from chainrule.distributions import Censored, IntervalCensoredDistribution
from chainrule.engine import grad, jit, jvp, random, tree, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ChainruleError

KEY = random.key(8)


@pytest.mark.parametrize("lower, upper", [(0.0, 2.0), (None, 1.0), (-0.3, None), (20.0, 21.0), (None, None)])
def test_censored_masses_and_densities_add_to_one(lower, upper):
    d = Censored(dist.Normal(0.5, 1.0), lower, upper)
    low, high = -9.0 if lower is None else lower, 9.5 if upper is None else upper
    total = integrate.quad(lambda x: float(d.prob(x)), low + 1e-9, high - 1e-9)[0] if low < 9 else 0.0
    total += sum(float(d.prob(end)) for end in (lower, upper) if end is not None)
    np.testing.assert_allclose(total, 1.0, rtol=1e-7)
    assert float(d.log_prob(low - 1)) == -math.inf or lower is None
    x = np.asarray(d.sample(KEY, (4000,)))
    assert np.all(np.asarray(d.support(x)))
    mean, sd = float(d.mean), math.sqrt(float(d.variance))
    assert abs(x.mean() - mean) <= 4.9 * sd / math.sqrt(4000) + 1e-12          # false alarms: 1e-6
    assert abs(x.var() - sd * sd) <= 4.9 * sd * sd * math.sqrt(3 / 4000) + 1e-12


def test_a_censored_distribution_function_jumps_at_the_bounds():
    d = Censored(dist.Normal(0.5, 1.0), 0.0, 2.0)
    law = stats.norm(0.5, 1.0)
    x = np.array([-0.1, 0.0, 1.0, 2.0, 3.0])
    np.testing.assert_allclose(np.asarray(d.cdf(x)), [0.0, law.cdf(0.0), law.cdf(1.0), 1.0, 1.0])
    np.testing.assert_allclose(np.asarray(d.log_survival(x)), [0.0, law.logsf(0.0), law.logsf(1.0), -np.inf, -np.inf])
    np.testing.assert_allclose(np.asarray(d.icdf([0.01, 0.5, 0.99])), [0.0, 0.5, 2.0])
    np.testing.assert_allclose(np.asarray(d.log_prob([0.0, 2.0])), [law.logcdf(0.0), law.logsf(2.0)])


def test_censored_draws_are_clipped_draws_with_their_derivatives():
    def draw(m):
        return Censored(dist.Normal(m, 1.0), 0.0, 2.0).sample(KEY, (50,))
    x, slope = jvp(draw, (0.5,), (1.0,))
    x = np.asarray(x)
    np.testing.assert_array_equal(x, np.clip(np.asarray(dist.Normal(0.5, 1.0).sample(KEY, (50,))), 0.0, 2.0))
    np.testing.assert_array_equal(np.asarray(slope), ((x > 0) & (x < 2)).astype(float))
    d = Censored(dist.Normal(0.5, 1.0), 0.0, 2.0)
    slopes = grad(lambda d, x: cnp.sum(cnp.where(cnp.isfinite(d.log_prob(x)), d.log_prob(x), 0.0)), argnums=(0, 1))(
        d, np.array([-1.0, 0.0, 1.0, 2.0, 3.0]))
    assert all(np.all(np.isfinite(np.asarray(s))) for s in tree.leaves(slopes))


def test_one_sided_censoring_by_value():
    x, flags = np.array([0.5, 1.5, 2.5]), np.array([True, False, True])
    law = stats.gamma(2.0, 0, 1 / 3)
    base = dist.Gamma(2.0, 3.0)
    left, right = dist.LeftCensoredDistribution(base, flags), dist.RightCensoredDistribution(base, flags)
    np.testing.assert_allclose(np.asarray(left.log_prob(x)), np.where(flags, law.logcdf(x), law.logpdf(x)), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(right.log_prob(x)), np.where(flags, law.logsf(x), law.logpdf(x)), rtol=1e-12)
    assert right.batch_shape == (3,) and right.sample(KEY, (2,)).shape == (2, 3)
    far = dist.RightCensoredDistribution(dist.Exponential(1.0), True)
    assert float(far.log_prob(5000.0)) == -5000.0                              # 1 - cdf has long been 0
    with pytest.raises(NotImplementedError):
        dist.RightCensoredDistribution(dist.Bernoulli(0.3), True).entropy()
    masked = dist.Binomial(3, 0.3).mask(np.array([True, False]))
    np.testing.assert_allclose(np.asarray(masked.entropy()), stats.binom(3, 0.3).entropy())
    got = vmap(lambda f: dist.RightCensoredDistribution(base, f).log_prob(1.0))(flags)
    np.testing.assert_allclose(np.asarray(got), np.where(flags, law.logsf(1.0), law.logpdf(1.0)), rtol=1e-12)


def test_interval_censoring_by_value():
    law = stats.norm(0.5, 2.0)
    left, right = np.array([0, 0, 1, 1, 0, 0]), np.array([0, 1, 0, 1, 0, 0])
    value = np.array([[1.0, 2.0], [1.0, np.nan], [np.nan, 2.0], [1.0, 2.0], [1.0, 1.0], [2.0, 1.0]])
    want = [np.log(law.cdf(2) - law.cdf(1)), law.logsf(1), law.logcdf(2), np.log(law.cdf(1) + law.sf(2)), law.logpdf(1),
            -np.inf]

    def make(m):
        return IntervalCensoredDistribution(dist.Normal(m, 2.0), left, right)
    np.testing.assert_allclose(np.asarray(make(0.5).log_prob(value)), want, rtol=1e-13)
    np.testing.assert_allclose(np.asarray(jit(lambda m: make(m).log_prob(value))(0.5)), want, rtol=1e-13)
    h = 1e-6
    slope = grad(lambda m: cnp.sum(make(m).log_prob(value)[:5]))(0.5)
    both = [np.asarray(make(0.5 + s * h).log_prob(value))[:5].sum() for s in (1, -1)]
    np.testing.assert_allclose(float(slope), (both[0] - both[1]) / (2 * h), rtol=1e-7)
    assert make(0.5).event_shape == (2,) and make(0.5).sample(KEY).shape == (6, 2)
    far = IntervalCensoredDistribution(dist.Normal(0.0, 1.0))
    np.testing.assert_allclose(float(far.log_prob([40.0, 41.0])), stats.norm.logsf(40.0), rtol=1e-13)


def test_folding_any_distribution_adds_both_sides():
    x = np.array([0.0, 0.4, 1.7])
    for base, law in ((dist.Cauchy(0.5, 1.0), stats.cauchy(0.5, 1.0)), (dist.Uniform(-1.0, 2.0), stats.uniform(-1, 3))):
        d = dist.FoldedDistribution(base)
        np.testing.assert_allclose(np.asarray(d.prob(x)), law.pdf(x) + law.pdf(-x), rtol=1e-13)
        np.testing.assert_allclose(np.asarray(d.cdf(x)), law.cdf(x) - law.cdf(-x), rtol=1e-13, atol=1e-16)
        np.testing.assert_allclose(np.asarray(d.log_survival(x)), np.log(law.sf(x) + law.cdf(-x)), rtol=1e-12,
                                   atol=1e-15)
        np.testing.assert_allclose(np.asarray(d.cdf(d.icdf([0.1, 0.7]))), [0.1, 0.7], rtol=1e-12)
    slopes = grad(lambda x: cnp.sum(dist.FoldedDistribution(dist.Uniform(1.0, 2.0)).log_prob(x)))(x)
    assert np.all(np.isfinite(np.asarray(slopes)))
    far = dist.FoldedDistribution(dist.Normal(40.0, 1.0))
    np.testing.assert_allclose(float(far.log_prob(40.0)), stats.norm.logpdf(0.0), rtol=1e-15)
    with pytest.raises(ChainruleError, match="one continuous number"):
        dist.FoldedDistribution(dist.Poisson(3.0))


def test_rounding_up_keeps_far_masses():
    d = dist.QuantizedDistribution(dist.Normal(0.0, 1.0))
    k = np.array([-30, -3, 0, 1, 30])
    want = [stats.norm.logcdf(-30), np.log(stats.norm.cdf(-3) - stats.norm.cdf(-4)), math.log(stats.norm.sf(0)
            - stats.norm.sf(1)), math.log(stats.norm.cdf(1) - 0.5), stats.norm.logsf(29)]
    np.testing.assert_allclose(np.asarray(d.log_prob(k)), want, rtol=1e-12)
    assert float(d.log_prob(0.5)) == -math.inf
    one = dist.QuantizedDistribution(dist.Exponential(0.5))                    # a geometric distribution
    np.testing.assert_allclose(np.asarray(one.prob([1, 2, 5])), stats.geom(-np.expm1(-0.5)).pmf([1, 2, 5]), rtol=1e-9)


# ---- samples ----

def test_an_empirical_distribution_is_its_samples():
    values, weights = np.array([[1.0, 2.0, 2.0], [3.0, 1.0, 0.0]]), np.array([[0.2, 0.3, 0.5], [0.1, 0.2, 0.7]])
    d = dist.Empirical(values, np.log(weights))
    mean = (weights * values).sum(-1)
    np.testing.assert_allclose(np.asarray(d.mean), mean)
    np.testing.assert_allclose(np.asarray(d.variance), (weights * (values - mean[:, None]) ** 2).sum(-1))
    np.testing.assert_allclose(np.asarray(d.prob([2.0, 5.0])), [0.8, 0.0])
    np.testing.assert_allclose(np.asarray(d.cdf([1.5, 1.0])), [0.2, 0.9])
    np.testing.assert_allclose(np.asarray(d.icdf([0.1, 0.95])), [1.0, 3.0])
    x = np.asarray(d.sample(KEY, (3000,)))
    for lane, value, p in ((0, 2.0, 0.8), (1, 0.0, 0.7)):
        z = (x[:, lane] == value).mean() - p
        assert abs(z) < 4.9 * math.sqrt(p * (1 - p) / 3000)                     # false alarms: 1e-6
    slope = grad(lambda w: cnp.sum(dist.Empirical(values[0], w).log_prob([2.0, 7.0])))(np.zeros(3))
    np.testing.assert_allclose(np.asarray(slope), [-1 / 3, 1 / 6, 1 / 6])


def test_empirical_events_are_vectors_where_weights_say_so():
    points = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [3.0, 4.0]])
    d = dist.Empirical(points)
    assert d.batch_shape == () and d.event_shape == (2,) and d.sample_size == 4
    np.testing.assert_allclose(np.asarray(d.prob([[3.0, 4.0], [3.0, 5.0]])), [0.5, 0.0])
    assert {tuple(v) for v in np.asarray(d.sample(KEY, (40,)))} == {(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)}
    counts = dist.Empirical(np.array([3, 1, 3]))
    assert counts.is_discrete and counts.sample(KEY).dtype == np.int64
    np.testing.assert_array_equal(np.asarray(counts.enumerate_support()), [3, 1, 3])
    with pytest.raises(ChainruleError, match="have shapes"):
        dist.Empirical(points, np.zeros(3))
