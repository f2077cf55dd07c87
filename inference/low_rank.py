"""The low-rank metric of draws and gradients: a diagonal, and the few directions in which it is wrong.

With draws x and scores g, scaled by the diagonal s² = √(Var x / Var g) that the Fisher divergence gives, the covariance
Σ nearest to both is their geometric mean, the Σ with Σ Cov(g) Σ = Cov(x). Only its eigenvalues far from their median m
are kept: the metric is S √m (I + V (Λ/m - I) Vᵀ) √m S. Source: Seyboldt, Carlson & Carpenter (2026), arXiv:2603.18845,
section 3; there m = 1, which spends the directions on the many eigenvalues below 1 that a few large ones bring about.
"""
from typing import NamedTuple

import numpy as onp

from ..engine import numpy as np
from ..engine.array import Array
from ..engine.avals import default_float
from .metrics import LowRank

RIDGE = 1e-5                       # what is added to the two covariances, in units of the scaled problem
CUTOFF = 2.0                       # eigenvalues within this factor of the median count as it
LEAST, GREATEST = 1e-20, 1e20


class Held(NamedTuple):
    """The estimator of a loop whose metric the host renews (`renewal`): between two stops it stays as it is."""
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


def low_rank(draws, grads, rank):
    """The metric of a window.   draws, grads : float[n, d], n > 2          rank : the number of directions at most

    Runs on the host. The cost is that of an eigenvalue problem of size min(d, 2 n).
    """
    x, g = onp.asarray(draws, float), onp.asarray(grads, float)
    n, d = x.shape
    with onp.errstate(divide="ignore", invalid="ignore"):
        scale = onp.sqrt(onp.sqrt(x.var(0, ddof=1) / g.var(0, ddof=1)))
    scale = onp.where(onp.isfinite(scale), onp.clip(scale, LEAST, GREATEST), 1.0)
    x, g = (x - x.mean(0)) / scale, (g - g.mean(0)) * scale
    basis = onp.eye(d) if d <= 2 * n else onp.linalg.qr(onp.concatenate([x, g]).T)[0]
    covariances = [(y @ basis).T @ (y @ basis) / (n - 1) + RIDGE * onp.eye(basis.shape[1]) for y in (x, g)]
    values, vectors = onp.linalg.eigh(geometric_mean(*covariances))
    values = onp.where(values > 0, values, 1.0)                           # rounding may leave one below zero
    middle = onp.median(onp.concatenate([values, onp.ones(d - len(values))]))
    values /= middle
    far = onp.argsort(-onp.abs(onp.log(values)))[:rank]
    far = far[onp.abs(onp.log(values[far])) > onp.log(CUTOFF)]
    out = onp.zeros((d, rank)), onp.ones(rank)
    out[0][:, :len(far)], out[1][:len(far)] = basis @ vectors[:, far], values[far]
    return LowRank(onp.sqrt(middle) * scale, *out)


def geometric_mean(a, b):
    """The symmetric positive definite Σ with Σ b Σ = a."""
    values, vectors = onp.linalg.eigh(b)
    root = (vectors * onp.sqrt(values)) @ vectors.T
    inverse_root = (vectors / onp.sqrt(values)) @ vectors.T
    values, vectors = onp.linalg.eigh(root @ a @ root)
    middle = (vectors * onp.sqrt(onp.maximum(values, 0.0))) @ vectors.T
    out = inverse_root @ middle @ inverse_root
    return 0.5 * (out + out.T)
