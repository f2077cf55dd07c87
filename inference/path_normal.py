"""Normal approximations along a descent: what Pathfinder makes of the steps and gradients of L-BFGS.

    Σ = diag(α) + β γ βᵀ,   β = [diag(α) Y, S],   γ = [[0, -R⁻¹], [-R⁻ᵀ, R⁻ᵀ (E + Yᵀ diag(α) Y) R⁻¹]]

is the inverse Hessian of -log p that BFGS has after the last J steps, from diag(α): S and Y : float[d, J] are the steps
and the changes of the gradient of -log p, R the upper triangle of SᵀY, E its diagonal.
Source: Zhang, Carpenter, Gelman & Vehtari (2022), Pathfinder: parallel quasi-Newton variational inference, JMLR
23(306), algorithms 3 and 4; Byrd, Nocedal & Schnabel (1994), theorem 2.2; Gilbert & Lemaréchal (1989) for α.
"""
from typing import Any, NamedTuple

import numpy as onp

from ..engine import numpy as np
from ..engine.scipy.linalg import solve_triangular
from .optim.curvature import usable

LOG_2PI = float(onp.log(2 * onp.pi))


class Memory(NamedTuple):
    """The last J steps, oldest first (zeros where there were none), and the diagonal."""
    alpha: Any                 # float[d]
    s: Any                     # float[J, d]
    y: Any                     # float[J, d]


class Normal(NamedTuple):
    """A normal distribution of covariance √α (I - Q Qᵀ + Q L Lᵀ Qᵀ) √α."""
    mean: Any                  # float[d]
    root: Any                  # float[d]: √α
    q: Any                     # float[d, k], orthonormal columns
    factor: Any                # float[k, k]: L, lower triangular
    log_det: Any               # float[]: ½ log det Σ


def start(x, size):
    """Before the first step, α = 1."""
    zeros = np.zeros((size, *x.shape), x.dtype)
    return Memory(np.ones_like(x), zeros, zeros)


def learn(memory, s, y):
    """The memory after a step s with a change y of the gradient, if it tells of positive curvature."""
    ok = usable(s, y)
    alpha = memory.alpha
    a, c = np.sum(y * alpha * y), np.sum(s * s / alpha)
    b, c = np.where(ok, np.sum(s * y), 1.0), np.where(c > 0.0, c, 1.0)
    new = 1.0 / (a / (b * alpha) + y * y / b - a * s * s / (b * c * alpha * alpha))
    ok = np.logical_and(ok, np.all(np.logical_and(new > 0.0, np.isfinite(new))))
    push = lambda old, row: np.where(ok, np.concatenate([old[1:], row[None]]), old)
    return Memory(np.where(ok, new, alpha), push(memory.s, s), push(memory.y, y))


def pieces(memory):
    """(β, γ): float[d, 2 J], float[2 J, 2 J]"""
    alpha, s, y = memory
    size = s.shape[0]
    products = s @ y.T
    diagonal = np.diagonal(products)
    used = diagonal > 0.0                                            # a step that was not made has a zero row
    r = np.triu(products) + np.diag(np.where(used, 0.0, 1.0))
    inverse = solve_triangular(r, np.eye(size, dtype=alpha.dtype))
    corner = inverse.T @ (np.diag(diagonal) + (y * alpha) @ y.T) @ inverse
    gamma = np.concatenate([np.concatenate([np.zeros_like(inverse), -inverse], axis=1),
                            np.concatenate([-inverse.T, corner], axis=1)])
    return np.concatenate([y * alpha, s]).T, gamma


def normal_at(memory, x, grad):
    """The `Normal` at a point x with gradient grad of log p: mean x + Σ grad."""
    beta, gamma = pieces(memory)
    root = np.sqrt(memory.alpha)
    q, r = np.linalg.qr(beta / root[:, None])
    inner = r @ gamma @ r.T
    factor = np.linalg.cholesky(np.eye(inner.shape[0], dtype=x.dtype) + 0.5 * (inner + inner.T))
    mean = x + memory.alpha * grad + beta @ (gamma @ (beta.T @ grad))
    return Normal(mean, root, q, factor, np.sum(np.log(root)) + np.sum(np.log(np.diagonal(factor))))


def draw(normal, u):
    """(z, log q(z)) of standard normal numbers u : float[d]."""
    inside = normal.q.T @ u
    z = normal.mean + normal.root * (u + normal.q @ (normal.factor @ inside - inside))
    return z, -normal.log_det - 0.5 * np.sum(u * u) - 0.5 * u.shape[0] * LOG_2PI


def log_prob(normal, z):
    """log q(z).   z : float[d]"""
    v = (z - normal.mean) / normal.root
    inside = normal.q.T @ v
    whitened = solve_triangular(normal.factor, inside, lower=True)
    square = np.sum(v * v) - np.sum(inside * inside) + np.sum(whitened * whitened)
    return -normal.log_det - 0.5 * square - 0.5 * z.shape[0] * LOG_2PI
