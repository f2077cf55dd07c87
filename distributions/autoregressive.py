"""Series whose next value depends on the last ones: autoregressions, and volatility that depends on the past."""
from ..engine import numpy as np
from ..engine import random
from ..engine.avals import broadcast_shapes
from ..engine.control import scan
from ..engine.errors import ParameterError
from . import constraints
from .distribution import Distribution
from .normal import HALF_LOG_2PI, Normal
from .random_walk import checked_steps
from .record import ArrayLike, child, param, static
from .wrappers import Independent


class AR(Distribution):
    """xₜ = c + Σₖ ρₖ xₜ₋ₖ + s εₜ with standard normal ε, for t = p … p + n - 1, after p values from init_dist.

        log p(x) = log p_init(x₀ … xₚ₋₁) + Σₜ log N(xₜ; c + Σₖ ρₖ xₜ₋ₖ, s²)

    coefs ρ : float[*batch, p]     scale s : float[*batch], > 0     constant c : float[*batch]     num_steps n : int
    init_dist : a distribution of numbers (p independent ones are taken) or of vectors of p; N(0, 100²) unless given
    sample : float[*shape, *batch, p + n]
    Source: Hamilton (1994), Time Series Analysis, section 5.3, the likelihood given the first p values.
    """
    coefs: ArrayLike = param(constraints.real_vector)
    scale: ArrayLike = param(constraints.positive)
    constant: ArrayLike = param(constraints.real)
    init_dist: Distribution = child()
    num_steps: int = static()
    support = constraints.real_vector

    def __init__(self, coefs, scale=1.0, constant=0.0, *, num_steps, init_dist=None, validate_args=None):
        p = np.asarray(coefs).shape[-1]
        init_dist = Normal(0.0, 100.0) if init_dist is None else init_dist
        if not init_dist.event_shape:
            lead = init_dist.batch_shape
            init_dist = init_dist.expand((*lead[:-1], p)).to_event(1) if lead[-1:] in ((), (1,), (p,)) else init_dist
        if init_dist.event_shape != (p,):
            raise ParameterError(f"AR: init_dist must give the first {p} values; it has batch shape "
                                 f"{init_dist.batch_shape} and event shape {init_dist.event_shape}.")
        super().__init__(coefs, scale, constant, init_dist, checked_steps("AR", num_steps), validate_args=validate_args)

    def _broadcast_parameters(self):
        return broadcast_shapes(super()._broadcast_parameters(), self.init_dist.batch_shape)

    @property
    def ar_order(self):
        """p, the number of values that the next one depends on."""
        return self.coefs.shape[-1]

    @property
    def event_shape(self):
        return (self.coefs.shape[-1] + self.num_steps,)

    @property
    def reparametrized_params(self):
        return ("coefs", "scale", "constant") if self.init_dist.has_rsample else ()

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        lead = (*sample_shape, *self.batch_shape)
        start = self.init_dist.expand(self.batch_shape).sample(first, sample_shape)
        noise = self.scale * random.normal(second, (self.num_steps, *lead), self.dtype) + self.constant
        coefs = np.flip(self.coefs, -1)                  # for values in the order of time

        def step(window, e):
            x = np.sum(coefs * window, -1) + e
            return np.concatenate([window[..., 1:], x[..., None]], -1), x
        _, later = scan(step, start, noise)
        return np.concatenate([start, np.moveaxis(later, 0, -1)], -1)

    def log_prob_inside(self, value):
        p, n = self.coefs.shape[-1], self.num_steps
        expected = self.constant[..., None]
        for k in range(p):
            expected = expected + self.coefs[..., k:k + 1] * value[..., p - 1 - k:p - 1 - k + n]
        z = (value[..., p:] - expected) / self.scale[..., None]
        return (self.init_dist.log_prob(value[..., :p])
                - 0.5 * np.sum(z * z, -1) - n * (np.log(self.scale) + HALF_LOG_2PI))

    def _run(self, start, inputs):
        """The values that follow the windows start [*batch, m, p] of m series: [n, *batch, m], inputs added."""
        coefs = np.flip(self.coefs, -1)[..., None, :]

        def step(window, e):
            x = np.sum(coefs * window, -1) + e
            return np.concatenate([window[..., 1:], x[..., None]], -1), x
        return scan(step, start, inputs)[1]

    @property
    def mean(self):
        lead = self.batch_shape
        start = np.broadcast_to(np.astype(self.init_dist.mean, self.dtype), (*lead, self.ar_order))
        inputs = np.broadcast_to(np.astype(self.constant, self.dtype), (self.num_steps, *lead))
        later = self._run(start[..., None, :], inputs[..., None])
        return np.concatenate([start, np.moveaxis(later[..., 0], 0, -1)], -1)

    @property
    def variance(self):
        """From the weights of the first p values and of each noise in every later value. The first values are
        independent, or init_dist has a covariance_matrix."""
        p, n, lead = self.ar_order, self.num_steps, self.batch_shape
        covariance = getattr(self.init_dist, "covariance_matrix", None)
        if covariance is None:
            if not (p == 1 or isinstance(self.init_dist, Independent)):
                raise self._absent("variance")
            covariance = self.init_dist.variance[..., None] * np.eye(p, dtype=self.dtype)
        covariance = np.broadcast_to(np.astype(covariance, self.dtype), (*lead, p, p))
        start = np.concatenate([np.eye(p, dtype=self.dtype), np.zeros((1, p), self.dtype)], 0)
        impulse = np.zeros((n, p + 1), self.dtype).at[0, p].set(1.0)
        weights = self._run(np.broadcast_to(start, (*lead, p + 1, p)),
                            np.broadcast_to(impulse.reshape((n, *(1,) * len(lead), p + 1)), (n, *lead, p + 1)))
        first, noise = weights[..., :p], np.cumsum(np.square(weights[..., p]), 0)
        later = np.sum((first[..., None, :] @ covariance)[..., 0, :] * first, -1) + np.square(self.scale) * noise
        return np.concatenate([np.diagonal(covariance, 0, -2, -1), np.moveaxis(later, 0, -1)], -1)

    def entropy(self):
        h = self.init_dist.entropy() + self.num_steps * (np.log(self.scale) + HALF_LOG_2PI + 0.5)
        return np.broadcast_to(h, self.batch_shape)


class GARCH11(Distribution):
    """yₜ = σₜ εₜ with σₜ² = ω + α yₜ₋₁² + β σₜ₋₁² and standard normal ε, t = 1 … n; σ₁ is given.

        log p(y) = Σ log N(yₜ; 0, σₜ²)

    omega ω, alpha_1 α, beta_1 β, initial_vol σ₁ : float[*batch], ω, σ₁ > 0, α, β >= 0          num_steps n : int
    sample : float[*shape, *batch, n]
    Source: Bollerslev (1986), "Generalized autoregressive conditional heteroskedasticity", equations 1 and 2.
    """
    omega: ArrayLike = param(constraints.positive)
    alpha_1: ArrayLike = param(constraints.nonnegative)
    beta_1: ArrayLike = param(constraints.nonnegative)
    initial_vol: ArrayLike = param(constraints.positive)
    num_steps: int = static()
    support = constraints.real_vector
    reparametrized_params = ("omega", "alpha_1", "beta_1", "initial_vol")

    def __init__(self, omega, alpha_1, beta_1, initial_vol, num_steps, *, validate_args=None):
        num_steps = checked_steps("GARCH11", num_steps)
        super().__init__(omega, alpha_1, beta_1, initial_vol, num_steps, validate_args=validate_args)

    @property
    def event_shape(self):
        return (self.num_steps,)

    def _next(self, variance, y):
        return self.omega + self.alpha_1 * y * y + self.beta_1 * variance

    def _start(self, lead):
        return np.broadcast_to(np.astype(np.square(self.initial_vol), self.dtype), lead)

    def sample(self, key, sample_shape=()):
        lead = (*sample_shape, *self.batch_shape)
        noise = random.normal(key, (self.num_steps, *lead), self.dtype)

        def step(variance, e):
            y = np.sqrt(variance) * e
            return self._next(variance, y), y
        _, y = scan(step, self._start(lead), noise)
        return np.moveaxis(y, 0, -1)

    def log_prob_inside(self, value):
        value = np.broadcast_to(value, (*broadcast_shapes(value.shape[:-1], self.batch_shape), self.num_steps))
        y = np.moveaxis(value, -1, 0)
        first = np.astype(self._start(y.shape[1:]), np.promote_types(self.dtype, value.dtype))
        _, later = scan(lambda variance, y: (self._next(variance, y),) * 2, first, y[:-1])
        variance = np.concatenate([first[None], later], 0)
        return -0.5 * np.sum(y * y / variance + np.log(variance), 0) - self.num_steps * HALF_LOG_2PI

    @property
    def mean(self):
        return np.zeros(self.shape(), self.dtype)

    @property
    def variance(self):
        """E σₜ² = u + (α + β)ᵗ⁻¹ (σ₁² - u), u = ω / (1 - α - β): here by its recurrence, which needs no division."""
        out = [self._start(self.batch_shape)]
        for _ in range(self.num_steps - 1):
            out.append(self.omega + (self.alpha_1 + self.beta_1) * out[-1])
        return np.stack(out, -1)
