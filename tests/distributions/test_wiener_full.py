"""First passages with variability between trials, against means of those without by plain quadrature.

Draws use fixed keys; the false-alarm rate of each comparison is 1e-6.
"""
import numpy as np
import pytest
from scipy import stats

import chainrule.distributions as dist
from chainrule.engine import grad, jit, jvp, random, tree
from chainrule.engine.errors import ChainruleError

KEY = random.key(31)
NAMES = ("alpha", "tau", "beta", "delta", "sv", "sw", "st0")
ROWS = [(1.0, 0.2, 0.5, 0.7, 0.3, 0.1, 0.1), (2.0, 0.3, 0.4, -1.0, 1.5, 0.4, 0.3), (0.8, 0.0, 0.6, 3.0, 2.0, 0.2, 1.0)]


def log_density(x, alpha, tau, beta, delta, sv, sw, st0):
    """The trapezoidal rule over the drift, Gauss and Legendre's over start and delay (as far as it is below |x|)."""
    z, (u, w) = np.linspace(-8.6, 8.6, 241), np.polynomial.legendre.leggauss(64)
    longest = min(st0, abs(x) - tau)
    root = 0.5 * (u + 1)                                             # of the part of the delay that is left
    delay = abs(x) - (abs(x) - tau - longest + longest * root ** 2)
    p = dist.Wiener(alpha, delay, (beta + 0.5 * sw * u)[:, None], (delta + sv * z)[:, None, None]).prob(x)
    weights = stats.norm.pdf(z) * (z[1] - z[0]), 0.5 * w, w * root * longest / st0
    return np.log(np.einsum("i,j,k,ijk", *weights, np.asarray(p)))


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_the_density_is_the_mean_over_drift_start_and_delay(row):
    d = dist.WienerFull(*row)
    x = row[1] + np.array([0.06, 0.3, 0.9, 2.0])
    x = np.concatenate([x, -x])
    np.testing.assert_allclose(np.asarray(d.log_prob(x)), [log_density(v, *row) for v in x], rtol=2e-9, atol=2e-9)
    np.testing.assert_array_equal(np.asarray(d.log_prob([row[1], -row[1], 0.0])), [-np.inf] * 3)
    slopes = grad(lambda x: d.log_prob(x).sum())(np.array([row[1], 0.0, 3.0]))
    assert np.all(np.isfinite(np.asarray(slopes)))


def test_without_variability_it_is_the_plain_law():
    x = np.array([-3.0, -0.5, -0.25, 0.21, 0.3, 1.0, 4.0])
    full, plain = dist.WienerFull(1.5, 0.2, 0.4, 0.7), dist.Wiener(1.5, 0.2, 0.4, 0.7)
    np.testing.assert_allclose(np.asarray(full.log_prob(x)), np.asarray(plain.log_prob(x)), rtol=1e-13)
    np.testing.assert_allclose(np.asarray(full.cdf(x)), np.asarray(plain.cdf(x)), atol=1e-11)
    slopes = grad(lambda d: d.log_prob(x).sum())(full)
    assert np.all(np.isfinite([float(getattr(slopes, name)) for name in NAMES]))


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_the_distribution_function_has_the_density_as_its_slope_and_ends_at_1(row):
    d = dist.WienerFull(*row)
    x = np.array([-1.5, -0.7, 0.5, 0.9, 2.5])
    slope = jvp(d.cdf, (x,), (np.ones(5),))[1]
    np.testing.assert_allclose(np.asarray(slope), np.asarray(d.prob(x)), rtol=1e-7)
    np.testing.assert_allclose(np.asarray(d.cdf([-40.0, 40.0])), [0.0, 1.0], atol=1e-9)
    near, far = np.asarray(d.cdf([-1e-9, 1e-9]))
    np.testing.assert_allclose(near, far, rtol=1e-12)
    np.testing.assert_allclose(np.asarray(d.icdf(d.cdf(x))), x, rtol=1e-7)


def test_draws_follow_the_law():
    d = dist.WienerFull(*ROWS[1])
    x = np.asarray(d.sample(KEY, (3000,)))
    grid = np.concatenate([-np.geomspace(30, 0.3, 150), np.geomspace(0.3, 30, 150)])
    table = np.asarray(d.cdf(grid))
    assert stats.kstest(x, lambda v: np.interp(v, grid, table)).pvalue > 1e-6


def test_draws_jump_between_the_ends_and_have_no_derivative():
    """As alpha grows, draws go from -tau to tau: a pathwise derivative would miss what they cross."""
    for d in (dist.Wiener(*ROWS[0][:4]), dist.WienerFull(*ROWS[0])):
        assert not d.has_rsample
        moved = grad(lambda d: d.sample(KEY, (5,)).sum())(d)
        assert all(float(v) == 0.0 for v in tree.leaves(moved))


def test_batches_single_precision_derivatives_and_compiled_values():
    d = dist.WienerFull([1.0, 1.5], 0.2, [[0.5], [0.4], [0.6]], 0.7, 0.3, 0.1, 0.1)
    assert d.batch_shape == (3, 2) and d.sample(KEY, (4,)).shape == (4, 3, 2)
    x = np.array([0.6, -0.8])
    want = np.asarray(d.log_prob(x))
    assert want.shape == (3, 2) and np.asarray(d.cdf(x)).shape == (3, 2)
    np.testing.assert_allclose(np.asarray(jit(lambda d: d.log_prob(x))(d)), want, rtol=1e-11)
    one = dist.WienerFull(1.5, 0.2, 0.6, 0.7, 0.3, 0.1, 0.1)
    np.testing.assert_allclose(want[2, 1], float(one.log_prob(-0.8)), rtol=1e-13)
    single = tree.map(lambda v: v.astype(np.float32), one)
    for name in ("log_prob", "cdf", "log_cdf"):
        got = getattr(single, name)(np.float32(0.6))
        assert got.dtype == np.float32
        np.testing.assert_allclose(float(got), float(getattr(one, name)(0.6)), rtol=1e-4)
    assert single.sample(KEY).dtype == np.float32
    slopes, at = grad(lambda d: d.log_prob(0.6))(one), {name: float(getattr(one, name)) for name in NAMES}
    for name in NAMES:
        up, down = (float(dist.WienerFull(**{**at, name: at[name] + h}).log_prob(0.6)) for h in (1e-5, -1e-5))
        np.testing.assert_allclose(float(getattr(slopes, name)), (up - down) / 2e-5, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name, bad", [("alpha", 0.0), ("tau", -1.0), ("beta", 1.0), ("sv", -0.1), ("sw", 0.9),
                                       ("st0", -0.1)])
def test_a_bad_parameter_is_named(name, bad):
    with pytest.raises(ChainruleError, match=rf"{name}.* must be"):
        dist.WienerFull(**{**dict(zip(NAMES, ROWS[1])), name: bad})
