"""log_prob where its terms overflow or cancel, float32 included, against other formulas in float64."""
import numpy as np
import pytest
from scipy import stats

import chainrule.distributions as dist
from chainrule.engine import grad, jit

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
