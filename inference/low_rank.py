"""The low-rank metric of draws and gradients: a diagonal, and the few directions in which it is wrong.

With draws x and scores g, scaled by the diagonal s² = √(Var x / Var g) that the Fisher divergence gives, the covariance
Σ nearest to both is their geometric mean, the Σ with Σ Cov(g) Σ = Cov(x). Only its eigenvalues far from their median m
are kept: the metric is S √m (I + V (Λ/m - I) Vᵀ) √m S. Source: Seyboldt, Carlson & Carpenter (2026), arXiv:2603.18845,
section 3; there m = 1, which spends the directions on the many eigenvalues below 1 that a few large ones bring about.
"""
import math
from typing import NamedTuple

from ..engine import numpy as np
from ..engine.array import Array
from ..engine.avals import default_float
from .metrics import LowRank

RIDGE = 1e-5                       # what is added to the two covariances, in units of the scaled problem
CUTOFF = 2.0                       # eigenvalues within this factor of the median count as it
LEAST, GREATEST = 1e-20, 1e20


class Held(NamedTuple):
    """The estimator of a loop outside of which the metric is renewed (`renewal`): up to there it stays as it is."""
    early_end: Array               # the transition that ends the first part of warm-up
    from_grad: Array               # bool[]: whether the first metric is that of the first gradient

    def first(self, metric, grad):
        """The metric of the first transitions: variances 1 / |g|, which puts a normal target on its scale."""
        scale = np.sqrt(1.0 / np.abs(grad))
        ok = np.logical_and(self.from_grad, np.isfinite(scale))
        return metric._replace(scale=np.where(ok, np.clip(scale, LEAST, GREATEST), metric.scale))

    def accept(self, transition, draw):
        """The acceptance probability that the step size is adapted to: after the early part the symmetric one."""
        return np.where(transition < self.early_end, draw.accept_prob, draw.symmetric_accept)

    def update(self, metric, transition, draw):
        """(self, metric, whether the step size starts again)"""
        return self, metric, np.asarray(False)


def init(d, num_warmup, metric=None, couples=None, adapt_metric=True):
    """Before the first transition."""
    n = int(num_warmup)
    return Held(np.asarray(int(0.3 * n)), np.asarray(bool(adapt_metric) and n > 0 and metric is None))


def with_room(variance, rank):
    """A diagonal metric with room for so many directions, and none yet."""
    t = default_float()
    return LowRank(np.astype(np.sqrt(variance), t), np.zeros((len(variance), rank), t), np.ones(rank, t))


def low_rank(draws, grads, use, rank):
    """The metric of a window.   draws, grads : float[n, d]          use : bool[n], the rows that count, three or more

    rank : the number of directions at most          The cost is that of eigenvalue problems of size min(d, 2 n).
    """
    n, d = draws.shape
    float_type = draws.dtype
    w = np.astype(use, float_type)[:, None]
    count = np.maximum(np.sum(w), 2.0)
    centred = lambda y: w * (y - np.sum(w * y, 0) / count)
    x, g = centred(draws), centred(np.where(use[:, None], grads, 0.0))
    ratio = np.sum(x * x, 0) / np.maximum(np.sum(g * g, 0), LEAST)
    scale = np.sqrt(np.sqrt(ratio))
    scale = np.where(np.logical_and(ratio > 0.0, np.isfinite(ratio)), np.clip(scale, LEAST, GREATEST), 1.0)
    x, g = x / scale, g * scale
    if d > 2 * n:                                                         # all that is known lies in the span of 2 n
        basis, _ = np.linalg.qr(np.concatenate([x, g]).T)
        x, g = x @ basis, g @ basis
    size = x.shape[1]
    a, b = (y.T @ y / (count - 1.0) + RIDGE * np.eye(size, dtype=float_type) for y in (x, g))
    values, vectors = np.linalg.eigh(geometric_mean(a, b))
    values = np.where(values > 0.0, values, 1.0)                          # rounding may leave one below zero
    middle = np.median(np.concatenate([values, np.ones(d - size, float_type)]))
    off = np.abs(np.log(values / middle))
    far = np.argsort(-off)[:rank]
    counts = off[far] > math.log(CUTOFF)
    directions = np.where(counts, vectors[:, far], 0.0)
    directions = directions if d == size else basis @ directions
    missing = rank - len(far)
    return LowRank(np.sqrt(middle) * scale,
                   np.concatenate([directions, np.zeros((d, missing), float_type)], axis=1),
                   np.concatenate([np.where(counts, values[far] / middle, 1.0), np.ones(missing, float_type)]))


def geometric_mean(a, b):
    """The symmetric positive definite Σ with Σ b Σ = a."""
    values, vectors = np.linalg.eigh(b)
    root = (vectors * np.sqrt(values)) @ vectors.T
    inverse_root = (vectors / np.sqrt(values)) @ vectors.T
    values, vectors = np.linalg.eigh(root @ a @ root)
    middle = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    out = inverse_root @ middle @ inverse_root
    return 0.5 * (out + out.T)
