"""Adaptation of the metric on draws and gradients: the diagonal that minimises the Fisher divergence.

For draws x with scores g = ∇ log p(x), the diagonal of M⁻¹ nearest to the target is

    variance_i = √(Var(x_i) / Var(g_i))

which for a normal target is exact whatever the draws are, so that few of them suffice (Seyboldt, Carlson & Carpenter
2026, arXiv:2603.18845). The estimate is renewed at every transition from a window of draws that moves on: the near
window makes the metric, the far one begins later and takes its place when it is full.
"""
from typing import NamedTuple

from ..engine import numpy as np
from ..engine.array import Array
from .metrics import Diagonal
from .running import Running, running

EARLY, LATE = 10, 80               # the size of a window, in the first part of warm-up and after it
LEAST, GREATEST = 1e-20, 1e20      # of a variance
ENOUGH = 3                         # draws, before the first estimate


class Fisher(NamedTuple):
    """Draws and gradients of two windows."""
    near_draws: Running
    near_grads: Running
    far_draws: Running
    far_grads: Running
    early_end: Array           # the transition that ends the first part
    end: Array                 # the last transition that changes the metric
    adapt: Array               # bool[]
    from_grad: Array           # bool[]: whether the first metric is that of the first gradient

    def first(self, metric, grad):
        """The metric of the first transitions: variances 1 / |g|, which puts a normal target on its scale."""
        return metric_where(self.from_grad, Diagonal(_bounded(1.0 / np.abs(grad))), metric)

    def accept(self, transition, draw):
        """The acceptance probability that the step size is adapted to: after the early part the symmetric one, which
        counts energy gained as much as energy lost."""
        return np.where(transition < self.early_end, draw.accept_prob, draw.symmetric_accept)

    def update(self, metric, transition, draw):
        """(self, metric, whether the step size starts again) after a transition."""
        inside = np.logical_and(self.adapt, transition <= self.end)
        use = np.logical_and(inside, np.logical_not(draw.diverging))
        grow = lambda s, x: s.add(x).where(use, s)
        near_x, near_g = grow(self.near_draws, draw.position), grow(self.near_grads, draw.grad)
        far_x, far_g = grow(self.far_draws, draw.position), grow(self.far_grads, draw.grad)
        early = transition < self.early_end
        size = np.where(early, EARLY, LATE)
        room = np.logical_or(early, transition + size <= self.end)
        full = np.logical_and(inside, np.logical_and(far_x.count >= size, room))
        near_x, near_g = far_x.where(full, near_x), far_g.where(full, near_g)
        far_x, far_g = far_x.cleared().where(full, far_x), far_g.cleared().where(full, far_g)
        known = np.logical_and(inside, near_x.count >= ENOUGH)
        variance = _bounded(np.sqrt(near_x.covariance() / near_g.covariance()))
        new = metric_where(known, Diagonal(variance), metric)
        first = np.logical_and(use, transition == EARLY)
        return self._replace(near_draws=near_x, near_grads=near_g, far_draws=far_x, far_grads=far_g), new, first


def metric_where(condition, new, old):
    """The new diagonal metric where the condition holds and its number is one."""
    ok = np.logical_and(condition, np.isfinite(new.variance))
    return Diagonal(np.where(ok, new.variance, old.variance))


def _bounded(x):
    return np.clip(x, LEAST, GREATEST)


def init(d, num_warmup, metric=None, couples=None, adapt_metric=True):
    """Before the first transition. The first 30 % of warm-up are its early part, the last 15 % leave the metric."""
    n, empty = int(num_warmup), running(d)
    adapt = bool(adapt_metric) and n > 0
    return Fisher(empty, empty, empty, empty, np.asarray(int(0.3 * n)), np.asarray(n - int(0.15 * n)),
                  np.asarray(adapt), np.asarray(adapt and metric is None))
