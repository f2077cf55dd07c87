"""The low-rank metric of draws and gradients: a diagonal, and the few directions in which it is wrong.

With draws x and scores g, scaled by the diagonal s² = √(Var x / Var g) that the Fisher divergence gives, the covariance
Σ nearest to both is their geometric mean, the Σ with Σ Cov(g) Σ = Cov(x). Only its eigenvalues far from 1 are kept: the
metric is S (I + V (Λ - I) Vᵀ) S. Source: Seyboldt, Carlson & Carpenter (2026), arXiv:2603.18845, section 3.
"""
import numpy as np

from .metrics import LowRank

RIDGE = 1e-5                       # what is added to the two covariances, in units of the scaled problem
CUTOFF = 2.0                       # eigenvalues between 1 / CUTOFF and CUTOFF count as 1
LEAST, GREATEST = 1e-20, 1e20


def low_rank(draws, grads, rank):
    """The metric of a window.   draws, grads : float[n, d], n > 2          rank : the number of directions at most

    Runs on the host. The cost is that of an eigenvalue problem of size min(d, 2 n).
    """
    x, g = np.asarray(draws, float), np.asarray(grads, float)
    n, d = x.shape
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.sqrt(np.sqrt(x.var(0, ddof=1) / g.var(0, ddof=1)))
    scale = np.where(np.isfinite(scale), np.clip(scale, LEAST, GREATEST), 1.0)
    x, g = (x - x.mean(0)) / scale, (g - g.mean(0)) * scale
    basis = np.eye(d) if d <= 2 * n else np.linalg.qr(np.concatenate([x, g]).T)[0]
    covariances = [(y @ basis).T @ (y @ basis) / (n - 1) + RIDGE * np.eye(basis.shape[1]) for y in (x, g)]
    values, vectors = np.linalg.eigh(geometric_mean(*covariances))
    far = np.argsort(-np.abs(np.log(values)))[:rank]
    far = far[np.abs(np.log(values[far])) > np.log(CUTOFF)]
    out = np.zeros((d, rank)), np.ones(rank)
    out[0][:, :len(far)], out[1][:len(far)] = basis @ vectors[:, far], values[far]
    return LowRank(scale, *out)


def geometric_mean(a, b):
    """The symmetric positive definite Σ with Σ b Σ = a."""
    values, vectors = np.linalg.eigh(b)
    root = (vectors * np.sqrt(values)) @ vectors.T
    inverse_root = (vectors / np.sqrt(values)) @ vectors.T
    values, vectors = np.linalg.eigh(root @ a @ root)
    middle = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    out = inverse_root @ middle @ inverse_root
    return 0.5 * (out + out.T)
