"""What a quasi-Newton method remembers of the curvature: all of the inverse Hessian (BFGS), or the last steps (L-BFGS).

Each is a record of pure functions. A step s with a change of gradient y is remembered where sᵀy > ε yᵀy.
"""
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from ...engine import fori_loop
from ...engine import numpy as np


class Curvature(NamedTuple):
    """How curvature is remembered."""
    init: Callable             # x -> memory
    update: Callable           # (memory, s, y) -> memory
    times: Callable            # (memory, g) -> H g, H being the inverse Hessian's estimate


class Steps(NamedTuple):
    """The last steps, oldest first; zeros where there were none."""
    s: Any                     # float[size, d]
    y: Any                     # float[size, d]
    rho: Any                   # float[size]: 1 / sᵀy, 0 where there was no step
    scale: Any                 # float[]: sᵀy / yᵀy of the last


class Dense(NamedTuple):
    """The inverse Hessian's estimate."""
    matrix: Any                # float[d, d]
    fresh: Any                 # bool[]: nothing was learnt yet


def usable(s, y):
    """bool[]: whether a step tells of positive curvature."""
    return np.sum(s * y) > np.finfo(s.dtype).eps * np.sum(y * y)


def limited(size):
    """The curvature of the last `size` steps.   Source: Nocedal & Wright (2006), algorithm 7.4."""
    def init(x):
        zeros = np.zeros((size, *x.shape), x.dtype)
        return Steps(zeros, zeros, np.zeros((size,), x.dtype), np.ones((), x.dtype))

    return Curvature(init, remember, partial(_two_loops, size))


def remember(memory, s, y):
    """The steps with one more, the oldest dropped."""
    ok = usable(s, y)
    inner = np.where(ok, np.sum(s * y), 1.0)
    push = lambda old, new: np.where(ok, np.concatenate([old[1:], new[None]]), old)
    return Steps(push(memory.s, s), push(memory.y, y), push(memory.rho, 1.0 / inner),
                 np.where(ok, inner / np.where(ok, np.sum(y * y), 1.0), memory.scale))


def _two_loops(size, memory, g):
    """H g by the two-loop recursion; steps that were not made have ρ = 0 and change nothing."""
    def newest_first(k, carry):
        q, alphas = carry
        i = size - 1 - k
        alpha = memory.rho[i] * np.sum(memory.s[i] * q)
        return q - alpha * memory.y[i], alphas.at[i].set(alpha)

    def oldest_first(i, carry):
        r, alphas = carry
        beta = memory.rho[i] * np.sum(memory.y[i] * r)
        return r + (alphas[i] - beta) * memory.s[i], alphas

    q, alphas = fori_loop(0, size, newest_first, (g, np.zeros_like(memory.rho)))
    return fori_loop(0, size, oldest_first, (memory.scale * q, alphas))[0]


def _first(x):
    return Dense(np.eye(x.shape[0], dtype=x.dtype), np.asarray(True))


def _updated(memory, s, y):
    """H ← (I - ρ s yᵀ) H (I - ρ y sᵀ) + ρ s sᵀ; before the first, H is scaled to sᵀy / yᵀy."""
    ok = usable(s, y)
    inner, square = np.where(ok, np.sum(s * y), 1.0), np.where(ok, np.sum(y * y), 1.0)
    h = memory.matrix * np.where(memory.fresh, inner / square, 1.0)
    hy = h @ y
    outer = lambda a, b: a[:, None] * b[None, :]
    new = h + outer(s, s) * ((1.0 + np.sum(y * hy) / inner) / inner) - (outer(hy, s) + outer(s, hy)) / inner
    return Dense(np.where(ok, new, memory.matrix), np.logical_and(memory.fresh, np.logical_not(ok)))


dense = Curvature(_first, _updated, lambda memory, g: memory.matrix @ g)      # Nocedal & Wright (2006), 6.17 and 6.20
