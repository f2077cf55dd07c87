"""The forms of a metric, and the low-rank estimate."""
import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import jit, vmap
from chainrule.inference.low_rank import geometric_mean, low_rank
from chainrule.inference.metrics import Diagonal, LowRank, dense

RNG = np.random.default_rng(0)
A = RNG.normal(size=(6, 6))
COVARIANCE = A @ A.T + 0.1 * np.eye(6)
V, _ = np.linalg.qr(RNG.normal(size=(6, 3)))
S = np.exp(RNG.normal(size=6))
VALUES = np.array([9.0, 0.2, 1.0])
LOW = S[:, None] * (np.eye(6) + V @ np.diag(VALUES - 1.0) @ V.T) * S
METRICS = {
    "diagonal": (Diagonal(cnp.asarray(S)), np.diag(S)),
    "dense": (dense(cnp.asarray(COVARIANCE)), COVARIANCE),
    "low rank": (LowRank(cnp.asarray(S), cnp.asarray(V), cnp.asarray(VALUES)), LOW),
}


@pytest.mark.parametrize("name", METRICS)
def test_velocity_and_momentum(name):
    metric, inverse = METRICS[name]
    p = RNG.normal(size=6)
    np.testing.assert_allclose(metric.velocity(p), inverse @ p, rtol=1e-11)
    root = np.asarray(vmap(metric.momentum)(np.eye(6))).T              # its columns are the images of unit vectors
    np.testing.assert_allclose(root @ root.T, np.linalg.inv(inverse), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(jit(lambda m, p: m.velocity(p))(metric, p), metric.velocity(p), rtol=1e-12)


def test_the_geometric_mean():
    b = RNG.normal(size=(6, 6))
    b = b @ b.T + 0.2 * np.eye(6)
    m = geometric_mean(COVARIANCE, b)
    np.testing.assert_allclose(m @ b @ m, COVARIANCE, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(geometric_mean(COVARIANCE, np.linalg.inv(COVARIANCE)), COVARIANCE, rtol=1e-8)


@pytest.mark.parametrize("d, n", [(6, 40), (60, 20)])
def test_a_normal_target_of_low_rank_is_found(d, n):
    """Scores of a normal are -Σ⁻¹ x: what is left lies between the cutoffs, 2² apart, or is missed by few draws."""
    rng = np.random.default_rng(1)
    v, _ = np.linalg.qr(rng.normal(size=(d, 2)))
    covariance = np.eye(d) + v @ np.diag([99.0, -0.9]) @ v.T
    x = rng.normal(size=(n, d)) @ np.linalg.cholesky(covariance).T
    metric = low_rank(x, -x @ np.linalg.inv(covariance), np.ones(len(x), bool), 4)
    assert isinstance(metric, LowRank) and metric.vectors.shape == (d, 4)
    inverse = np.asarray(vmap(LowRank(*map(cnp.asarray, metric)).velocity)(np.eye(d)))
    ratio = np.linalg.eigvals(np.linalg.solve(covariance, inverse)).real
    assert ratio.max() / ratio.min() < (4.0 if d == 6 else 100.0)      # the condition number left, of 1,000


def test_a_constant_coordinate_is_left_alone():
    x = np.column_stack([np.zeros(20), RNG.normal(size=20)])
    metric = low_rank(x, -x, np.ones(len(x), bool), 1)
    np.testing.assert_allclose(metric.scale, np.ones(2), rtol=1e-12)
