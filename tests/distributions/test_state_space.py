"""State space models against the dense joint normal of all states and observations.

Random comparisons have a false-alarm rate of 1e-6 per element: |z| < 4.9.
"""
import dataclasses

import numpy as np
import pytest
from scipy import linalg, signal, stats

import chainrule.distributions as dist
from chainrule.distributions import components as c
from chainrule.distributions import kernels
from chainrule.distributions.time_series import StationaryVector
from chainrule.engine import grad, jit, random, tree, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ChainruleError

N, M, T, Z = 3, 2, 6, 4.9


@dataclasses.dataclass
class Dense:
    """The arrays of a model, and the joint normal that follows from them."""
    initial: tuple
    matrices: tuple                      # F, Q, H, R as they are given
    offsets: tuple
    mean: np.ndarray                     # of all states
    cov: np.ndarray
    y_mean: np.ndarray
    y_cov: np.ndarray
    observe: np.ndarray

    def model(self, parallel=False, **options):
        return dist.LinearGaussianStateSpace(self.initial, *self.matrices, T, *self.offsets, parallel, **options)

    def log_prob(self, y):
        y, seen = y.ravel(), ~np.isnan(y.ravel())
        return stats.multivariate_normal(self.y_mean[seen], self.y_cov[np.ix_(seen, seen)]).logpdf(y[seen])

    def posterior(self, y, upto=T):
        y = np.where(np.arange(T)[:, None] < upto, y, np.nan).ravel()
        seen = ~np.isnan(y)
        across, s = (self.cov @ self.observe.T)[:, seen], self.y_cov[np.ix_(seen, seen)]
        gain = np.linalg.solve(s, across.T).T
        cov = self.cov - gain @ across.T
        blocks = np.stack([cov[t:t + N, t:t + N] for t in range(0, T * N, N)])
        return (self.mean + gain @ (y - self.y_mean)[seen]).reshape(T, N), blocks, cov


def dense(changing, singular):
    rng = np.random.default_rng(1)

    def positive(n):
        a = rng.normal(size=(n, n))
        return a @ a.T + 0.1 * np.eye(n)
    m0, p0 = rng.normal(size=N), positive(N)
    F, Q = 0.5 * rng.normal(size=(T - 1, N, N)), np.stack([positive(N) for _ in range(T - 1)])
    H, R = rng.normal(size=(T, M, N)), np.stack([positive(M) for _ in range(T)])
    b, d = rng.normal(size=(T - 1, N)), rng.normal(size=(T, M))
    if not changing:
        F, Q, H, R, b, d = (np.repeat(x[:1], len(x), 0) for x in (F, Q, H, R, b, d))
    if singular:                                          # a state without noise, and observations without noise
        Q[:, -1], Q[:, :, -1], R[:] = 0.0, 0.0, 0.0
    mean, a = [m0], np.zeros((T, N, T * N))
    a[0, :, :N] = np.eye(N)
    for t in range(1, T):
        mean.append(F[t - 1] @ mean[-1] + b[t - 1])
        a[t] = F[t - 1] @ a[t - 1]
        a[t, :, t * N:(t + 1) * N] += np.eye(N)
    a = a.reshape(T * N, T * N)
    cov, observe = a @ linalg.block_diag(p0, *Q) @ a.T, linalg.block_diag(*H)
    arrays = [x if changing else x[0] for x in (F, Q, H, R, b, d)]
    return Dense((m0, p0), tuple(arrays[:4]), tuple(arrays[4:]), np.concatenate(mean), cov,
                 np.concatenate([h @ m + o for h, m, o in zip(H, mean, d)]),
                 observe @ cov @ observe.T + linalg.block_diag(*R), observe)


MODELS = {f"{'changing' if c else 'constant'} {'singular' if s else 'regular'}": dense(c, s)
          for c in (False, True) for s in (False, True)}
models = pytest.mark.parametrize("law", MODELS.values(), ids=MODELS)
both_ways = pytest.mark.parametrize("parallel", [False, True], ids=["sequence", "parallel"])
REGULAR = MODELS["changing regular"]


def series(law):
    """Complete observations, and the same with some missing."""
    y = np.random.default_rng(2).multivariate_normal(law.y_mean, law.y_cov).reshape(T, M)
    holes = y.copy()
    holes[2], holes[4, 0] = np.nan, np.nan
    return y, holes


@models
@both_ways
def test_log_prob_is_that_of_the_joint_normal(law, parallel):
    d = law.model(parallel)
    y, holes = series(law)
    want = [law.log_prob(y), law.log_prob(holes)]
    np.testing.assert_allclose([float(d.log_prob(y)), float(d.log_prob(holes))], want, rtol=1e-11)
    np.testing.assert_allclose(np.asarray(d.log_prob(np.stack([y, holes]))), want, rtol=1e-11)
    np.testing.assert_allclose(np.asarray(d.mean).ravel(), law.y_mean, rtol=1e-12)
    np.testing.assert_allclose(np.asarray(d.variance).ravel(), np.diag(law.y_cov), rtol=1e-12)


@models
@both_ways
def test_filter_and_smoother_give_the_conditionals_of_the_joint_normal(law, parallel):
    d = law.model(parallel)
    for y in series(law):
        mean, cov = d.smooth(y)
        want = law.posterior(y)
        np.testing.assert_allclose(np.asarray(mean), want[0], rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(np.asarray(cov), want[1], rtol=1e-9, atol=1e-11)
        f = d.filter(y)
        for t in range(T):
            want = law.posterior(y, t + 1)
            np.testing.assert_allclose(np.asarray(f.mean[t]), want[0][t], rtol=1e-9, atol=1e-11)
            np.testing.assert_allclose(np.asarray(f.covariance[t]), want[1][t], rtol=1e-9, atol=1e-11)


@models
def test_draws_have_the_moments_of_the_law(law):
    d, n = law.model(), 3000
    x = np.asarray(d.sample(random.key(0), (n,))).reshape(n, -1)
    check_moments(x, law.y_mean, law.y_cov)


@models
@both_ways
def test_posterior_draws_have_the_moments_of_the_posterior(law, parallel):
    _, holes = series(law)
    x = np.asarray(law.model(parallel).posterior_sample(random.key(2), holes, (3000,))).reshape(3000, -1)
    mean, _, cov = law.posterior(holes)
    check_moments(x, mean.ravel(), cov)


def check_moments(x, mean, cov):
    """Means and covariances within Z standard errors; Var(sᵢⱼ) = (cᵢᵢ cⱼⱼ + cᵢⱼ²) / n for a normal law."""
    var = np.maximum(np.diag(cov), 1e-14)
    assert np.all(np.abs(x.mean(0) - mean) < Z * np.sqrt(var / len(x)) + 1e-7)
    assert np.all(np.abs(np.cov(x.T) - cov) < Z * np.sqrt((np.outer(var, var) + cov ** 2) / len(x)) + 1e-7)


@both_ways
def test_gradients_are_finite_differences(parallel):
    d, (_, holes) = REGULAR.model(parallel), series(REGULAR)
    leaves, treedef = tree.flatten(d)
    f = jit(lambda leaves: tree.unflatten(treedef, leaves).log_prob(holes))
    slopes = grad(f)(leaves)
    for i, (leaf, g) in enumerate(zip(leaves, slopes)):
        e = np.random.default_rng(3).normal(size=leaf.shape)
        e = e + np.swapaxes(e, -1, -2) if i in (1, 3, 5) else e
        up, down = (float(f([*leaves[:i], leaf + h * e, *leaves[i + 1:]])) for h in (1e-6, -1e-6))
        np.testing.assert_allclose(np.sum(np.asarray(g) * e), (up - down) / 2e-6, rtol=1e-6, atol=1e-6)


@both_ways
def test_traced_values_with_nan_are_missing_when_it_is_said(parallel):
    _, holes = series(REGULAR)
    d = REGULAR.model(parallel, missing=True)
    assert float(jit(lambda y: d.log_prob(y))(holes)) == pytest.approx(REGULAR.log_prob(holes), rel=1e-11)
    assert np.isnan(float(jit(lambda y: REGULAR.model(parallel).log_prob(y))(holes)))
    np.testing.assert_allclose(np.asarray(vmap(d.log_prob)(holes[None])), [REGULAR.log_prob(holes)], rtol=1e-11)


@both_ways
def test_batch_axes_stand_before_time(parallel):
    law = MODELS["constant regular"]
    F, Q, H, R = law.matrices
    m0, p0 = law.initial
    d = dist.LinearGaussianStateSpace((np.stack([m0, m0 + 1]), p0), F, Q, H, np.stack([R, 2 * R, 3 * R])[:, None, None],
                                      T, *law.offsets, parallel=parallel)
    y, _ = series(law)
    assert d.batch_shape == (3, 2) and d.mean.shape == d.variance.shape == (3, 2, T, M)
    assert d.sample(random.key(0), (4,)).shape == (4, 3, 2, T, M)
    got = np.asarray(d.log_prob(y))
    for i in range(3):
        for j in range(2):
            one = dist.LinearGaussianStateSpace((m0 + j, p0), F, Q, H, (i + 1) * R, T, *law.offsets)
            assert got[i, j] == pytest.approx(float(one.log_prob(y)), rel=1e-12)
    assert d.smooth(np.stack([y] * 4)[:, None, None])[0].shape == (4, 3, 2, T, N)


def test_the_forecast_is_the_law_of_what_follows():
    law = MODELS["constant regular"]
    y, _ = series(law)
    longer = dist.LinearGaussianStateSpace(law.initial, *law.matrices, T + 2, *law.offsets)
    seen = np.concatenate([y, np.full((2, M), np.nan)])
    states, covs = longer.smooth(seen)
    H, R = law.matrices[2:]
    ahead = law.model().forecast(y, 2)
    np.testing.assert_allclose(np.asarray(ahead.mean), np.asarray(states)[T:] @ H.T + law.offsets[1], rtol=1e-10)
    want = np.stack([np.diag(H @ np.asarray(covs)[T + t] @ H.T + R) for t in range(2)])
    np.testing.assert_allclose(np.asarray(ahead.variance), want, rtol=1e-10)
    with pytest.raises(ChainruleError, match="changes with time"):
        REGULAR.model().forecast(y, 2)


def test_one_step_and_float32():
    for parallel in (False, True):
        d = dist.LinearGaussianStateSpace(dist.MultivariateNormal(np.zeros(1), np.eye(1)), [[0.5]], [[1.0]], [[2.0]],
                                          [[0.5]], 1, parallel=parallel)
        assert float(d.log_prob([[0.3]])) == pytest.approx(stats.norm(0, np.sqrt(4.5)).logpdf(0.3), rel=1e-13)
        assert float(d.smooth([[0.3]])[0][0, 0]) == pytest.approx(0.3 * 2 / 4.5, rel=1e-13)
        d = tree.map(lambda x: x.astype(np.float32), REGULAR.model(parallel))
        y = series(REGULAR)[0].astype(np.float32)
        assert d.log_prob(y).dtype == d.sample(random.key(0)).dtype == np.float32
        assert float(d.log_prob(y)) == pytest.approx(REGULAR.log_prob(y), rel=1e-4)


def test_long_series_with_small_noise_keep_covariances_positive():
    """A random walk observed almost exactly, where P - K S K' would lose all digits: the steady state is known."""
    n, r = 500, 1e-12
    d = dist.LinearGaussianStateSpace(([0.0], [[1e6]]), [[1.0]], [[1.0]], [[1.0]], [[r]], n)
    p = np.asarray(d.filter(np.zeros((n, 1))).covariance)[-1, 0, 0]
    before = (1 + np.sqrt(1 + 4 * r)) / 2
    assert p == pytest.approx(before * r / (before + r), rel=1e-9)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ChainruleError, match="transition_matrix must be a matrix"):
        dist.LinearGaussianStateSpace(([0.0], [[1.0]]), 1.0, [[1.0]], [[1.0]], [[1.0]], 3)
    with pytest.raises(ChainruleError, match=r"a value is \[6 steps, 2 numbers\]; got shape \(5, 2\)"):
        REGULAR.model().log_prob(np.zeros((5, 2)))
    with pytest.raises(ChainruleError, match=r"observation_covariance must have shape \(1, 1\)"):
        dist.LinearGaussianStateSpace(([0.0], [[1.0]]), [[1.0]], [[1.0]], [[1.0]], np.eye(2), 3)


# ---- series of numbers ----

def autocovariance(ar, ma, scale, n):
    """By the impulse response, which SciPy's filter gives."""
    response = signal.lfilter(np.r_[1.0, ma], np.r_[1.0, -np.asarray(ar)], np.eye(1, 4000)[0])
    g = [scale ** 2 * (response[:len(response) - k] @ response[k:]) for k in range(n)]
    return linalg.toeplitz(g)


@pytest.mark.parametrize("ar, ma", [([0.5, -0.3], []), ([], [0.3, 0.2]), ([0.4, 0.2, -0.1], [0.5]),
                                    ([0.3], [0.5, 0.2])], ids=["AR(2)", "MA(2)", "ARMA(3, 1)", "ARMA(1, 2)"])
@both_ways
def test_an_arma_process_has_the_autocovariance_of_its_impulse_response(ar, ma, parallel):
    d = dist.ARMA(np.array(ar, float), np.array(ma, float), 0.7, 0.2, 8, parallel)
    cov = autocovariance(ar, ma, 0.7, 8)
    y = np.random.default_rng(0).normal(size=8)
    assert float(d.log_prob(y)) == pytest.approx(stats.multivariate_normal(np.full(8, 0.2), cov).logpdf(y), rel=1e-11)
    np.testing.assert_allclose(np.asarray(d.variance), np.diag(cov), rtol=1e-11)
    if not parallel:
        check_moments(np.asarray(d.sample(random.key(0), (3000,))), np.full(8, 0.2), cov)


def test_the_check_of_stationarity_is_that_of_the_roots():
    rng = np.random.default_rng(0)
    check = StationaryVector()
    for p in (1, 2, 3, 5):
        ar = rng.normal(size=(200, p)) * 0.6
        want = [np.all(np.abs(np.roots(np.r_[1.0, -a])) < 1) for a in ar]
        assert 0 < sum(want) < 200
        np.testing.assert_array_equal(np.asarray(check(ar)), want)


def test_components_add_up():
    """A sum of parts is the sum of independent series: means and covariances add."""
    x = np.random.default_rng(0).normal(size=(9, 2))
    parts = [c.local_level(0.3, 1.0), c.local_linear_trend(0.1, 0.05), c.seasonal(4, 0.1), c.cycle(7.3, 0.9, 0.2),
             c.regression(x), c.autoregressive([0.5, -0.2], 0.3, [0.4])]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    d = dist.StructuralTimeSeries(whole, 0.5, 9)
    each = [dist.StructuralTimeSeries(part, 0.0, 9) for part in parts]
    np.testing.assert_allclose(np.asarray(d.mean), sum(np.asarray(e.mean) for e in each), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(d.variance), 0.25 + sum(np.asarray(e.variance) for e in each), rtol=1e-12)
    y = d.sample(random.key(0))
    other = dist.StructuralTimeSeries(whole, 0.5, 9, parallel=True)
    assert float(d.log_prob(y)) == pytest.approx(float(other.log_prob(y)), rel=1e-10)
    assert d.smooth(y)[0].shape == (9, 12) == d.posterior_sample(random.key(1), y).shape


@pytest.mark.parametrize("order, kernel", [(0.5, kernels.Matern12), (1.5, kernels.Matern32), (2.5, kernels.Matern52)])
def test_a_matern_process_is_the_gaussian_process_with_that_kernel(order, kernel):
    t = np.array([0.0, 0.3, 0.35, 1.0, 2.4, 2.5])
    y = np.sin(2 * t)
    d = dist.StructuralTimeSeries(c.matern_process(t, 0.7, 1.3, order), 0.2, 6)
    gp = dist.GaussianProcess(kernel(0.7, 1.3), t, noise=0.2, jitter=0.0)
    assert float(d.log_prob(y)) == pytest.approx(float(gp.log_prob(y)), rel=1e-11)
    np.testing.assert_allclose(np.asarray(d.smooth(y)[0])[:, 0], np.asarray(gp.predict(y, t)[0]), rtol=1e-9)
    both = dist.StructuralTimeSeries(c.matern_process(t, 0.7, 1.3, order) + c.local_level(0.1), 0.2, 6)
    np.testing.assert_allclose(np.asarray(both.variance), 1.3 + 0.04 + 100 + 0.01 * np.arange(6), rtol=1e-12)


def test_parts_have_the_variances_that_they_say():
    level = dist.StructuralTimeSeries(c.local_level(0.3, 1.0, 2.0), 0.5, 4)
    np.testing.assert_allclose(np.asarray(level.variance), 4 + 0.25 + 0.09 * np.arange(4), rtol=1e-13)
    season = dist.StructuralTimeSeries(c.seasonal(4, 0.0), 0.0, 9)
    x = np.asarray(season.sample(random.key(0)))
    np.testing.assert_allclose(np.convolve(x, np.ones(4), "valid"), 0.0, atol=1e-12)
    wave = dist.StructuralTimeSeries(c.cycle(5.0, 1.0, 0.0), 0.0, 11)
    x = np.asarray(wave.sample(random.key(0)))
    np.testing.assert_allclose(x[5:], x[:6], atol=1e-12)
    covariates = np.random.default_rng(0).normal(size=(6, 2))
    lines = dist.StructuralTimeSeries(c.regression(covariates, 3.0), 0.5, 6)
    np.testing.assert_allclose(np.asarray(lines.variance), 0.25 + 9 * (covariates ** 2).sum(1), rtol=1e-13)


def test_the_scale_of_a_part_has_a_gradient():
    y = np.random.default_rng(0).normal(size=8).cumsum()

    def f(s):
        return dist.StructuralTimeSeries(c.local_level(s) + c.seasonal(4, 0.5 * s), 0.5, 8).log_prob(y)
    h = 1e-6
    got = jit(grad(f))(0.3)
    assert float(got) == pytest.approx((float(f(0.3 + h)) - float(f(0.3 - h))) / (2 * h), rel=1e-6)
    assert cnp.ndim(got) == 0


def test_a_covariance_that_is_none_is_named():
    with pytest.raises(ChainruleError, match="transition_covariance must be a symmetric positive semidefinite matrix"):
        dist.LinearGaussianStateSpace(([0.0], [[1.0]]), [[1.0]], [[-1.0]], [[1.0]], [[1.0]], 3)
    with pytest.raises(ChainruleError, match="num_steps must be a whole number"):
        dist.LinearGaussianStateSpace(([0.0], [[1.0]]), [[1.0]], [[1.0]], [[1.0]], [[1.0]], 3.0)
