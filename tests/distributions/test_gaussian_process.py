"""Gaussian processes against dense linear algebra in NumPy, and their approximations against the exact one.

Random comparisons have a false-alarm rate of 1e-6 per element: |z| < 4.9.
"""
import numpy as np
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
from chainrule.distributions import kernels as K
from chainrule.engine import grad, jit, random, tree, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ChainruleError

RNG = np.random.default_rng(0)
X = np.sort(RNG.uniform(0, 3, 8))
Y = np.sin(X) + 0.1 * RNG.normal(size=8)
NEW = np.linspace(-1, 4, 6)
KERNEL = K.Matern52(0.7, 2.0)
MEAN, NOISE = 0.3, 0.2
FULL = np.asarray(KERNEL(X)) + NOISE ** 2 * np.eye(8)
ACROSS, THERE = np.asarray(KERNEL(X, NEW)), np.asarray(KERNEL(NEW))
GP = dist.GaussianProcess(KERNEL, X, MEAN, NOISE, jitter=0.0)


def close(got, want, tol=1e-11):
    np.testing.assert_allclose(np.asarray(got), want, rtol=tol, atol=tol)


def test_the_posterior_is_the_conditional_of_the_joint_normal():
    want = MEAN + ACROSS.T @ np.linalg.solve(FULL, Y - MEAN)
    cov = THERE - ACROSS.T @ np.linalg.solve(FULL, ACROSS)
    law = GP.condition(Y, NEW)
    close(law.mean, want)
    close(law.covariance_matrix, cov)
    mean, variance = GP.predict(Y, NEW)
    close(mean, want)
    close(variance, np.diag(cov))
    close(GP.condition(Y, NEW, noise=0.5).covariance_matrix, cov + 0.25 * np.eye(6))
    old = GP.condition(Y)
    k = np.asarray(KERNEL(X))
    close(old.mean, MEAN + k @ np.linalg.solve(FULL, Y - MEAN))
    close(old.variance, np.diag(k - k @ np.linalg.solve(FULL, k)) + 1e-300, 1e-10)


def test_many_series_and_batches_of_means_and_noises():
    two = np.stack([Y, Y + 1])
    close(GP.predict(two, NEW)[0][1], np.asarray(GP.predict(Y + 1, NEW)[0]))
    d = dist.GaussianProcess(KERNEL, X, np.zeros((2, 8)), np.full((3, 1, 8), 0.1))
    assert d.batch_shape == (3, 2) and d.sample(random.key(0), (4,)).shape == (4, 3, 2, 8)
    assert d.condition(Y, NEW, mean=0.0).batch_shape == (3, 2)
    close(d.log_prob(Y), np.full((3, 2), float(dist.GaussianProcess(KERNEL, X, 0.0, 0.1).log_prob(Y))))


def test_a_mean_function_holds_at_new_points_and_a_mean_vector_must_be_told_them():
    d = dist.GaussianProcess(KERNEL, X, cnp.sin, NOISE, jitter=0.0)
    close(d.predict(Y, NEW)[0], np.sin(NEW) + ACROSS.T @ np.linalg.solve(FULL, Y - np.sin(X)))
    with pytest.raises(ChainruleError, match="mean=..."):
        dist.GaussianProcess(KERNEL, X, np.sin(X), NOISE).predict(Y, NEW)
    with pytest.raises(ChainruleError, match="noise has shape"):
        dist.GaussianProcess(KERNEL, X, 0.0, np.ones(3))


def test_hyperparameters_have_gradients_through_jit_and_vmap():
    def loss(lengthscale):
        return dist.GaussianProcess(K.RBF(lengthscale), X, noise=0.1).log_prob(Y)
    h = 1e-6
    slope = (float(loss(0.5 + h)) - float(loss(0.5 - h))) / (2 * h)
    assert float(jit(grad(loss))(0.5)) == pytest.approx(slope, rel=1e-6)
    close(vmap(loss)(np.array([0.5, 1.0])), [float(loss(0.5)), float(loss(1.0))])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_smooth_kernel_on_a_dense_grid_has_a_factor_in_either_precision(dtype):
    d = dist.GaussianProcess(K.RBF(dtype(0.3)), np.linspace(0, 1, 200, dtype=dtype))
    f = d.sample(random.key(1))
    assert f.dtype == dtype and np.all(np.isfinite(np.asarray(f))) and np.isfinite(float(d.log_prob(f)))


def test_a_latent_process_in_a_model_is_sampled_and_scored():
    def model(x, y):
        scale = cr.sample("scale", dist.HalfNormal(1.0))
        f = cr.sample("f", dist.GaussianProcess(K.RBF(0.5, scale), x))
        cr.sample("y", dist.Normal(f, 0.1), obs=y)
    f = np.zeros(8)
    got = cr.log_density(model, (X, Y), {}, {"scale": 0.7, "f": f})[0]
    want = (dist.HalfNormal(1.0).log_prob(0.7) + dist.GaussianProcess(K.RBF(0.5, 0.7), X).log_prob(f)
            + np.sum(stats.norm(f, 0.1).logpdf(Y)))
    assert float(got) == pytest.approx(float(want), rel=1e-10)


# ---- Student t ----

def test_predictions_of_the_student_t_process_are_ratios_of_joint_densities():
    d = dist.StudentTProcess(4.0, KERNEL, X, MEAN, NOISE, jitter=0.0)
    joint = np.block([[FULL, ACROSS[:, :1]], [ACROSS[:, :1].T, THERE[:1, :1]]])
    df, loc, scale = d.predict(Y, NEW[:1])
    for f in (-1.0, 0.4, 2.0):
        want = (stats.multivariate_t(np.full(9, MEAN), joint, 4.0).logpdf(np.append(Y, f))
                - stats.multivariate_t(np.full(8, MEAN), FULL, 4.0).logpdf(Y))
        assert stats.t(float(df), float(loc[0]), float(scale[0])).logpdf(f) == pytest.approx(want, rel=1e-9)


# ---- inducing points ----

Z = np.linspace(0, 3, 5)


def sparse(method, z=Z):
    return dist.SparseGaussianProcess(KERNEL, X, z, MEAN, NOISE, method, jitter=0.0)


@pytest.mark.parametrize("method", ["vfe", "dtc", "fitc"])
def test_sparse_processes_equal_their_dense_formulas(method):
    inner, across = np.asarray(KERNEL(Z)), np.asarray(KERNEL(Z, X))
    q = across.T @ np.linalg.solve(inner, across)
    left = np.diag(np.asarray(KERNEL(X))) - np.diag(q)
    rest = np.diag(NOISE ** 2 + (left if method == "fitc" else 0.0))
    want = stats.multivariate_normal(np.full(8, MEAN), q + rest).logpdf(Y)
    want -= 0.5 * left.sum() / NOISE ** 2 if method == "vfe" else 0.0
    d = sparse(method)
    close(d.log_prob(Y), want)
    close(d.covariance_matrix, q + rest)
    new = np.asarray(KERNEL(Z, NEW))
    core = np.linalg.inv(inner + across @ np.linalg.inv(rest) @ across.T)
    mean = MEAN + new.T @ core @ across @ np.linalg.solve(rest, Y - MEAN)
    cov = THERE - new.T @ np.linalg.solve(inner, new) + new.T @ core @ new
    law = d.condition(Y, NEW)
    close(law.mean, mean)
    close(law.covariance_matrix, cov)
    got = d.predict(Y, NEW)
    close(got[0], mean)
    close(got[1], np.diag(cov))
    slopes = grad(lambda d: d.log_prob(Y))(d)
    assert all(np.all(np.isfinite(np.asarray(g))) for g in tree.leaves(slopes))


def test_the_variational_bound_lies_below_the_exact_density_and_reaches_it():
    exact = float(GP.log_prob(Y))
    bounds = [float(sparse("vfe", np.linspace(0, 3, m)).log_prob(Y)) for m in (2, 4, 8, 16)]
    assert bounds == sorted(bounds) and bounds[-1] < exact + 1e-8
    for method in ("vfe", "dtc", "fitc"):
        close(sparse(method, X).log_prob(Y), exact, 1e-9)
    with pytest.raises(ChainruleError, match="method must be one of"):
        sparse("exact")


# ---- Hilbert space ----

@pytest.mark.parametrize("k, m, error", [(K.RBF(0.5, 2.0), 40, 1e-10), (K.Matern52(0.5), 200, 1e-5),
                                         (K.Matern32(0.5), 400, 1e-5), (K.Matern12(0.5), 1000, 5e-3)],
                         ids=["RBF", "Matern52", "Matern32", "Matern12"])
def test_the_basis_with_its_weights_gives_the_kernel(k, m, error):
    x = np.linspace(-1, 1, 7)
    phi, w = (np.asarray(v) for v in (dist.hsgp_basis(x, m, 4.5), dist.hsgp_weights(k, m, 4.5)))
    assert np.abs(phi * w ** 2 @ phi.T - np.asarray(k(x))).max() < error


def test_the_basis_of_a_plane_is_the_product_of_those_of_lines():
    x = np.stack([np.linspace(-1, 1, 7), np.linspace(0.5, -1, 7) ** 2], 1)
    k, m, box = K.RBF(np.array([0.5, 0.7])), (40, 30), np.array([4.0, 4.0])
    phi, w = np.asarray(dist.hsgp_basis(x, m, box)), np.asarray(dist.hsgp_weights(k, m, box))
    assert phi.shape == (7, 1200) and dist.hsgp_frequencies(m, box).shape == (1200, 2)
    assert np.abs(phi * w ** 2 @ phi.T - np.asarray(k(x))).max() < 1e-9


def test_the_periodic_basis_with_its_weights_gives_the_periodic_kernel():
    x, k = np.linspace(-1, 1, 7), K.Periodic(1.3, 0.6, 2.0)
    phi, w = np.asarray(dist.hsgp_periodic_basis(x, 20, 1.3)), np.asarray(dist.hsgp_periodic_weights(k, 20))
    np.testing.assert_allclose(phi * w ** 2 @ phi.T, np.asarray(k(x)), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("family", [K.ExpQuad, K.Matern52, K.Matern32], ids=lambda f: f.__name__)
def test_the_suggested_size_of_the_basis_is_enough_by_the_criterion_of_the_paper(family):
    """∫ |k(0, r) - k̃(0, r)| dr is about 0.01 ∫ k(0, r) dr over half the range, the level at which it was fitted."""
    m, box = dist.hsgp_parameters(1.0, 0.1, 0.3, family)
    r = np.linspace(0, 1, 201)
    for lengthscale in (0.1, 0.3):
        k = family(lengthscale)
        phi, w = np.asarray(dist.hsgp_basis(r, m, box)), np.asarray(dist.hsgp_weights(k, m, box))
        want = np.asarray(k(r[:1], r))[0]
        assert np.abs(phi[0] * w ** 2 @ phi.T - want).sum() < 0.02 * want.sum()
    with pytest.raises(ChainruleError, match="no rule"):
        dist.hsgp_parameters(1.0, 0.1, 0.3, K.Matern12)


def test_weights_are_differentiable_in_the_kernel():
    phi = dist.hsgp_basis(X - 1.5, 20, 3.0)
    beta = np.random.default_rng(2).normal(size=20)
    f = lambda s: cnp.sum(cnp.sin(phi @ (dist.hsgp_weights(K.Matern52(s), 20, 3.0) * beta)))  # noqa: E731
    h = 1e-6
    assert float(jit(grad(f))(0.6)) == pytest.approx((float(f(0.6 + h)) - float(f(0.6 - h))) / (2 * h), rel=1e-6)
