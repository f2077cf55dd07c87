"""Means and variances that are integrals or recurrences: limits, extreme parameters, derivatives.

Draws use fixed keys; each random comparison has a false-alarm rate of 1e-6.
"""
import mpmath as mp
import numpy as np
import pytest
from scipy import stats

import chainrule.distributions as dist
from chainrule.engine import grad, jit, random
from chainrule.engine.errors import ChainruleError

KEY = random.key(5)


@pytest.mark.parametrize("loc, scale", [(-3.0, 2.0), (1.0, 3.0), (1.0, 3.01), (2.0, 10.0), (-8.0, 1.5), (0.0, 100.0)])
def test_the_moments_of_the_logit_normal_are_integrals(loc, scale):
    d = dist.LogitNormal(loc, scale)
    places = sorted({-12, -6, -3, 0, 3, 6, 12, *[(k - loc) / scale for k in (-9, -3, 0, 3, 9)
                                                  if abs((k - loc) / scale) < 12]})
    def f(z):
        return 1 / (1 + mp.exp(-(loc + scale * z)))
    with mp.workdps(25):
        mean = mp.quad(lambda z: mp.npdf(z) * f(z), places)
        variance = mp.quad(lambda z: mp.npdf(z) * (f(z) - mean) ** 2, places)
    np.testing.assert_allclose(float(d.mean), float(mean), rtol=1e-14)
    np.testing.assert_allclose(float(d.variance), float(variance), rtol=1e-13)
    np.testing.assert_allclose(float(dist.LogitNormal(-loc, scale).mean), float(1 - mean), rtol=1e-14)


def test_the_moments_of_the_logit_normal_have_derivatives():
    def total(m, s):
        return dist.LogitNormal(m, s).mean + dist.LogitNormal(m, s).variance
    for at in ((0.4, 0.7), (-2.0, 5.0)):
        got = grad(lambda p: total(*p))(at)
        h = 1e-5
        want = [float(total(at[0] + h, at[1]) - total(at[0] - h, at[1])) / (2 * h),
                float(total(at[0], at[1] + h) - total(at[0], at[1] - h)) / (2 * h)]
        np.testing.assert_allclose([float(v) for v in got], want, rtol=1e-8)


@pytest.mark.parametrize("tailweight", [0.1, 1.0, 4.0, 20.0])
def test_the_moments_of_sinh_arcsinh_are_those_of_bessel_functions(tailweight):
    """For tailweight 1 and skewness 0 it is the normal."""
    d = dist.SinhArcsinh(0.0, 1.0, 0.3, tailweight)
    with mp.workdps(30):
        t, g = mp.mpf(tailweight), mp.mpf(0.3)
        def p(q):
            return mp.exp(0.25) / mp.sqrt(8 * mp.pi) * (mp.besselk((q + 1) / 2, 0.25) + mp.besselk((q - 1) / 2, 0.25))
        unit = 2 / mp.sinh(t * mp.asinh(2))
        mean = unit * mp.sinh(t * g) * p(t)
        variance = unit ** 2 * (mp.cosh(2 * t * g) * p(2 * t) - 1) / 2 - mean ** 2
    np.testing.assert_allclose([float(d.mean), float(d.variance)], [float(mean), float(variance)], rtol=1e-13)
    np.testing.assert_allclose(float(dist.SinhArcsinh(0.0, 1.0).variance), 1.0, rtol=1e-14)
    assert float(dist.SinhArcsinh(0.5, 1.0).mean) == 0.5


@pytest.mark.parametrize("delta", [0.0, 1e-9, 0.3, 0.7, -2.0, 40.0])
def test_the_moments_of_first_passages_have_their_known_sums(delta):
    """E S = (z - a P(lower)) / v from optional stopping (z (a - z) for v = 0), with z = a b the start; the variance
    given the ends from Wald's identity for the square, E (B(S) - v S)² = E S."""
    a, b = 1.4, 0.35
    d = dist.Wiener(a, 0.0, b, delta)
    (up, up_time, up_square), (down, down_time, down_square) = d._times(True), d._times(False)
    time = float(up * up_time + down * down_time)
    z = a * b
    moved = float(up) * a - z                                        # E B(S) - z
    np.testing.assert_allclose(delta * time, moved, rtol=1e-12, atol=1e-12)
    # E (B(S) - z - v S)² = E S
    square = float(up) * ((a - z) ** 2 - 2 * delta * (a - z) * float(up_time) + delta ** 2 * float(up_square))
    square += float(down) * (z ** 2 + 2 * delta * z * float(down_time) + delta ** 2 * float(down_square))
    np.testing.assert_allclose(square, time, rtol=1e-10)
    if delta == 0:
        np.testing.assert_allclose(time, z * (a - z), rtol=1e-14)


def test_the_moments_of_first_passages_are_those_of_draws():
    d = dist.Wiener([1.4, 2.0], 0.2, [0.35, 0.8], [0.0, -1.0])
    x = np.asarray(d.sample(KEY, (4000,)))
    mean, variance = np.asarray(d.mean), np.asarray(d.variance)
    assert np.all(np.abs(x.mean(0) - mean) < 4.9 * np.sqrt(variance / 4000))
    square = (x - mean) ** 2
    assert np.all(np.abs(square.mean(0) - variance) < 4.9 * square.std(0) / np.sqrt(4000))
    np.testing.assert_allclose(np.asarray(jit(lambda d: d.variance)(d)), variance, rtol=1e-12)


def test_the_moments_of_an_autoregression_follow_from_those_of_its_first_values():
    cov = np.array([[1.0, 0.8], [0.8, 2.0]])
    d = dist.AR([0.5, -0.3], 0.7, 0.1, num_steps=3, init_dist=dist.MultivariateNormal([0.0, 1.0], cov))
    step = np.array([[0.0, 1.0], [-0.3, 0.5]])                        # of the window (xₜ₋₁, xₜ)
    mean, window, at = [0.0, 1.0], cov, np.array([0.0, 1.0])
    variance = [1.0, 2.0]
    for _ in range(3):
        at = step @ at + [0.0, 0.1]
        window = step @ window @ step.T + np.diag([0.0, 0.49])
        mean, variance = [*mean, at[1]], [*variance, window[1, 1]]
    np.testing.assert_allclose(np.asarray(d.mean), mean, rtol=1e-13)
    np.testing.assert_allclose(np.asarray(d.variance), variance, rtol=1e-13)
    batch = dist.AR([[0.5, -0.3], [0.1, 0.2]], [0.7, 1.0], num_steps=4, init_dist=dist.Normal(1.0, 1.5))
    one = dist.AR([0.1, 0.2], 1.0, num_steps=4, init_dist=dist.Normal(1.0, 1.5))
    np.testing.assert_allclose(np.asarray(batch.mean)[1], np.asarray(one.mean), rtol=1e-13)
    np.testing.assert_allclose(np.asarray(batch.variance)[1], np.asarray(one.variance), rtol=1e-13)
    assert np.all(np.isfinite(np.asarray(grad(lambda d: d.variance.sum())(batch).coefs)))


def test_the_variance_of_an_autoregression_needs_the_covariance_of_its_first_values():
    first = dist.Dirichlet([1.0, 2.0])
    d = dist.AR([0.5, -0.3], num_steps=3, init_dist=first)
    assert np.asarray(d.mean).shape == (5,)
    with pytest.raises((NotImplementedError, ChainruleError), match="variance"):
        np.asarray(d.variance)


def test_the_moments_of_the_studentized_range():
    """Of two numbers it is √2 |T| for Student's T; of any, those of draws."""
    d = dist.StudentizedRange(2.0, [3.0, 5.0, 60.0])
    t = stats.t([3.0, 5.0, 60.0])
    mean = np.sqrt(2) * np.array([t.dist(df).expect(np.abs, lb=0) * 2 for df in (3.0, 5.0, 60.0)])
    np.testing.assert_allclose(np.asarray(d.mean), mean, rtol=1e-7)
    np.testing.assert_allclose(np.asarray(d.variance), 2 * t.var() - mean ** 2, rtol=1e-7)
    for k in (1.5, 10.0, 1000.0):
        d = dist.StudentizedRange(k, 9.0)
        x = np.asarray(d.sample(KEY, (4000,)))
        mean, variance = float(d.mean), float(d.variance)
        assert abs(x.mean() - mean) < 4.9 * np.sqrt(variance / 4000)
        square = (x - mean) ** 2
        assert abs(square.mean() - variance) < 4.9 * square.std() / np.sqrt(4000)
    assert np.isinf(float(dist.StudentizedRange(3.0, 1.0).mean))
    assert np.isinf(float(dist.StudentizedRange(3.0, 2.0).variance))
