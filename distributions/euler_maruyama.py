"""Stochastic differential equations on a grid of times."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.avals import broadcast_shapes
from ..engine.control import scan
from ..engine.errors import ParameterError
from . import constraints
from .distribution import Distribution, sum_rightmost
from .normal import HALF_LOG_2PI
from .record import ArrayLike, child, param, static


class EulerMaruyama(Distribution):
    """A stochastic differential equation dx = f(x, t) dt + g(x, t) dW on a grid of times, by the Euler-Maruyama scheme.

        x₀ ~ init_dist,  xₖ₊₁ = xₖ + f(xₖ, tₖ) Δₖ + g(xₖ, tₖ) √Δₖ εₖ
        log p(x) = log p_init(x₀) + Σ log N(xₖ₊₁; xₖ + f Δₖ, g² Δₖ)

    t : float[n], increasing          sample : float[*shape, *batch, n, *event] for init_dist of this batch and event
    sde_fn : (x, t, *sde_args) -> f, g for many x and t at once, which broadcast; it closes over no traced numbers
    sde_args : a pytree of arrays, further arguments of sde_fn, through which derivatives go
    Source: Kloeden & Platen (1992), Numerical Solution of Stochastic Differential Equations, section 9.1.
    """
    t: ArrayLike = param(constraints.ordered_vector)
    sde_fn: object = static()
    init_dist: Distribution = child()
    sde_args: tuple = child(default=())

    def __init__(self, t, sde_fn, init_dist, sde_args=(), *, validate_args=None):
        super().__init__(t, sde_fn, init_dist, tuple(sde_args), validate_args=validate_args)

    def _broadcast_parameters(self):
        if len(self.t.shape) != 1:
            raise ParameterError(f"EulerMaruyama: t must be one vector of times; got shape {self.t.shape}.")
        return self.init_dist.batch_shape

    @property
    def event_shape(self):
        return (self.t.shape[-1], *self.init_dist.event_shape)

    @property
    def dtype(self):
        return self.init_dist.dtype

    @property
    def support(self):
        return constraints.independent(constraints.real, self.event_dim)

    @property
    def reparametrized_params(self):
        return self.init_dist.reparametrized_params

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        start = self.init_dist.sample(first, sample_shape)
        gaps = self.t[1:] - self.t[:-1]
        noise = random.normal(second, (gaps.shape[0], *start.shape), self.dtype)

        def step(x, inputs):
            t, gap, e = inputs
            f, g = self.sde_fn(x, t, *self.sde_args)
            x = x + f * gap + g * np.sqrt(gap) * e
            return x, x
        _, later = scan(step, start, (self.t[:-1], gaps, noise))
        return np.moveaxis(np.concatenate([start[None], later], 0), 0, -self.event_dim)

    def log_prob_inside(self, value):
        lead = broadcast_shapes(value.shape[:value.ndim - self.event_dim], self.batch_shape)
        x = np.moveaxis(np.broadcast_to(value, (*lead, *self.event_shape)), -self.event_dim, 0)
        inner, ones = self.event_dim - 1, (1,) * (x.ndim - 1)
        f, g = self.sde_fn(x[:-1], self.t[:-1].reshape((-1, *ones)), *self.sde_args)
        gaps = (self.t[1:] - self.t[:-1]).reshape((-1, *ones))
        scale = np.broadcast_to(g * np.sqrt(gaps), x[1:].shape)
        z = (x[1:] - x[:-1] - f * gaps) / scale
        each = sum_rightmost(-0.5 * z * z - np.log(scale), inner)
        const = HALF_LOG_2PI * (self.t.shape[-1] - 1) * math.prod(self.init_dist.event_shape)
        return self.init_dist.log_prob(x[0]) + np.sum(each, 0) - const
