"""Hidden Markov models that make a transition before their first observation, against sums and dense covariances."""
import itertools

import numpy as np
import pytest
from scipy import stats

import chainrule.distributions as dist
import chainrule.engine.numpy as cnp
from chainrule.engine import grad, jit, random, tree, vmap
from chainrule.engine.errors import ParameterError, ShapeError

RNG = np.random.default_rng(0)
T = 4


def normal(n):
    a = RNG.normal(size=(n, n))
    return dist.MultivariateNormal(RNG.normal(size=n), covariance_matrix=a @ a.T + np.eye(n))


F, H = 0.5 * RNG.normal(size=(2, 2)), RNG.normal(size=(2, 3))
INITIAL, MOVE, SEE = normal(2), normal(2), normal(3)
ARGS = (INITIAL, F, MOVE, H, SEE, T)


def dense(F=F):
    """Mean [3 T] and covariance [3 T, 3 T] of the observations; F may change with time."""
    F = np.broadcast_to(F, (T, 2, 2))
    m, p = np.asarray(INITIAL.mean), np.asarray(INITIAL.covariance_matrix)
    means, covariances = [], []
    for f in F:
        m, p = m @ f + np.asarray(MOVE.mean), f.T @ p @ f + np.asarray(MOVE.covariance_matrix)
        means.append(m), covariances.append(p)
    out = np.zeros((T, 3, T, 3))
    for a, b in itertools.combinations_with_replacement(range(T), 2):
        c = covariances[a]
        for f in F[a + 1:b + 1]:
            c = c @ f
        out[a, :, b] = H.T @ c @ H + (np.asarray(SEE.covariance_matrix) if a == b else 0.0)
        out[b, :, a] = out[a, :, b].T
    return (np.array(means) @ H + np.asarray(SEE.mean)).ravel(), out.reshape(3 * T, 3 * T)


def test_a_gaussian_model_is_a_large_normal():
    hmm, (mean, covariance) = dist.GaussianHMM(*ARGS), dense()
    y = np.asarray(hmm.sample(random.key(0), (5,)))
    np.testing.assert_allclose(hmm.log_prob(y), stats.multivariate_normal(mean, covariance).logpdf(y.reshape(5, -1)),
                               rtol=1e-11)
    many = np.asarray(hmm.sample(random.key(1), (40_000,))).reshape(40_000, -1)
    z = (many.mean(0) - mean) / np.sqrt(np.diag(covariance) / 40_000)
    assert np.abs(z).max() < 4.5                                     # false alarm: 8e-5, and the key is fixed
    np.testing.assert_allclose(np.cov(many.T), covariance, atol=0.12 * np.diag(covariance).max())


def test_matrices_that_change_with_time():
    changing = F * np.arange(1.0, T + 1.0)[:, None, None] / T
    hmm, (mean, covariance) = dist.GaussianHMM(INITIAL, changing, MOVE, H, SEE), dense(changing)
    assert hmm.event_shape == (T, 3)
    y = RNG.normal(size=(T, 3))
    assert float(hmm.log_prob(y)) == pytest.approx(stats.multivariate_normal(mean, covariance).logpdf(y.ravel()),
                                                   rel=1e-11)


def test_a_gamma_of_scales_is_a_large_student_t():
    hmm, (mean, covariance) = dist.GammaGaussianHMM(dist.Gamma(2.5, 1.5), *ARGS), dense()
    y = np.asarray(hmm.sample(random.key(0), (3,)))
    t = stats.multivariate_t(mean, covariance * 1.5 / 2.5, df=5)
    np.testing.assert_allclose(hmm.log_prob(y), t.logpdf(y.reshape(3, -1)), rtol=1e-11)
    np.testing.assert_allclose(jit(lambda h, y: h.log_prob(y))(hmm, y), hmm.log_prob(y), rtol=1e-11)
    many = np.asarray(hmm.sample(random.key(1), (20_000,))).reshape(20_000, -1)
    distance = np.einsum("ni,ij,nj->n", many - mean, np.linalg.inv(covariance * 1.5 / 2.5), many - mean)
    assert stats.kstest(distance / 12, stats.f(12, 5).cdf).pvalue > 1e-4


def test_a_discrete_model_is_a_sum_over_paths():
    initial, transition = RNG.normal(size=3), RNG.normal(size=(T, 3, 3))
    loc = np.array([0.0, 1.0, 3.0])
    hmm = dist.DiscreteHMM(initial, transition, dist.Normal(loc, 0.7))
    y = np.array([0.2, 2.5, 0.7, 1.1])
    start, move = np.exp(initial) / np.exp(initial).sum(), np.exp(transition) / np.exp(transition).sum(-1,
                                                                                                     keepdims=True)
    total = 0.0
    for path in itertools.product(range(3), repeat=T + 1):
        p = start[path[0]]
        for t in range(T):
            p *= move[t, path[t], path[t + 1]] * stats.norm.pdf(y[t], loc[path[t + 1]], 0.7)
        total += p
    assert float(hmm.log_prob(y)) == pytest.approx(np.log(total), rel=1e-12)
    still = dist.DiscreteHMM(initial, transition[0], dist.Normal(loc, 0.7), duration=T)
    repeated = dist.DiscreteHMM(initial, np.broadcast_to(transition[0], (T, 3, 3)), dist.Normal(loc, 0.7))
    assert float(still.log_prob(y)) == pytest.approx(float(repeated.log_prob(y)), rel=1e-12)
    assert still.sample(random.key(0), (2,)).shape == (2, T)


def test_independent_models_side_by_side():
    one = dist.MultivariateNormal(np.zeros(1), covariance_matrix=np.eye(1))
    matrices = np.array([0.3, 0.9]).reshape(2, 1, 1, 1)
    both = dist.IndependentHMM(dist.GaussianHMM(one, matrices, one, np.eye(1), one, duration=T))
    y = both.sample(random.key(0), (3,))
    assert y.shape == (3, T, 2) and both.batch_shape == ()
    parts = [dist.GaussianHMM(one, m[0], one, np.eye(1), one, duration=T).log_prob(y[..., i:i + 1])
             for i, m in enumerate(matrices)]
    np.testing.assert_allclose(both.log_prob(y), parts[0] + parts[1], rtol=1e-12)


def test_noise_of_any_law():
    t = dist.MultivariateStudentT(3.0, np.zeros(2), np.eye(2))
    hmm = dist.LinearHMM(t, F, t, H, SEE, T)
    assert hmm.sample(random.key(0), (2, 5)).shape == (2, 5, T, 3)
    normal = dist.LinearHMM(*ARGS).sample(random.key(1), (20_000,))
    mean, covariance = dense()
    z = (np.asarray(normal).reshape(20_000, -1).mean(0) - mean) / np.sqrt(np.diag(covariance) / 20_000)
    assert np.abs(z).max() < 4.5
    with pytest.raises(NotImplementedError, match="GaussianHMM"):
        hmm.log_prob(np.zeros((T, 3)))


def test_an_observed_path():
    path = dist.GaussianStateSpace(T, F, SEE.covariance_matrix[:2, :2])
    z = np.asarray(path.sample(random.key(0)))
    e = z - np.concatenate([np.zeros((1, 2)), z[:-1]]) @ F.T
    q = np.asarray(SEE.covariance_matrix)[:2, :2]
    expected = stats.multivariate_normal(np.zeros(2), q).logpdf(e).sum()
    assert float(path.log_prob(z)) == pytest.approx(expected, rel=1e-12)
    many = np.asarray(path.sample(random.key(1), (40_000,)))
    np.testing.assert_allclose(many.var(0), path.variance, rtol=0.05)
    assert np.abs(many.mean(0) / np.sqrt(np.asarray(path.variance) / 40_000)).max() < 4.5
    slope = grad(lambda f: dist.GaussianStateSpace(T, f, q).log_prob(z))(F)
    h = 1e-6
    up, down = F.copy(), F.copy()
    up[0, 1] += h
    down[0, 1] -= h
    at = lambda f: float(dist.GaussianStateSpace(T, f, q).log_prob(z))
    by_hand = (at(up) - at(down)) / (2 * h)
    assert float(slope[0, 1]) == pytest.approx(by_hand, rel=1e-6)


@pytest.mark.parametrize("d", [dist.GaussianHMM(*ARGS), dist.GammaGaussianHMM(dist.Gamma(2.0, 1.0), *ARGS),
                               dist.GaussianStateSpace(T, F, np.eye(2))], ids=lambda d: type(d).__name__)
def test_they_are_pytrees_that_map(d):
    leaves, structure = tree.flatten(d)
    again = tree.unflatten(structure, leaves)
    y = d.sample(random.key(3), (2,))
    np.testing.assert_array_equal(again.log_prob(y), d.log_prob(y))
    np.testing.assert_allclose(vmap(d.log_prob)(y), d.log_prob(y), rtol=1e-12)
    assert np.all(np.isfinite(np.asarray(grad(lambda y: cnp.sum(d.log_prob(y)))(y))))


@pytest.mark.parametrize("make, error, text", [
    (lambda: dist.GaussianHMM(INITIAL, F, MOVE, H, SEE), ShapeError, "duration=T"),
    (lambda: dist.GaussianHMM(INITIAL, np.stack([F] * 3), MOVE, H, SEE, 4), ShapeError, "one number of steps"),
    (lambda: dist.GaussianHMM(dist.Normal(0.0, 1.0), F, MOVE, H, SEE, 4), ParameterError, "initial_dist must be"),
    (lambda: dist.GammaGaussianHMM(dist.Beta(1.0, 1.0), *ARGS), ParameterError, "must be a Gamma"),
    (lambda: dist.IndependentHMM(dist.GaussianHMM(*ARGS)), ShapeError, "batch shape"),
    (lambda: dist.DiscreteHMM(np.zeros(2), np.zeros((2, 2)), dist.Normal(np.zeros(2), 1.0)), ShapeError, "duration=T"),
    (lambda: dist.GaussianStateSpace(3, F), ParameterError, "one of covariance_matrix"),
    (lambda: dist.GaussianStateSpace(3, F, np.eye(3)), ShapeError, "transition_matrix has shape"),
])
def test_mistakes(make, error, text):
    with pytest.raises(error, match=text):
        make()
