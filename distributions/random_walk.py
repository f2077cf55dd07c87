"""Random walks: of normal numbers, and with steps from any distribution."""
from ..engine import numpy as np
from ..engine import random
from ..engine.avals import broadcast_shapes
from ..engine.errors import ParameterError
from . import constraints
from .distribution import Distribution
from .multivariate_normal import MultivariateNormal
from .multivariate_student_t import MultivariateStudentT
from .normal import HALF_LOG_2PI
from .record import ArrayLike, child, param, static


def checked_steps(family, num_steps):
    """num_steps, if it is a positive integer."""
    if not isinstance(num_steps, int) or num_steps < 1:
        raise ParameterError(f"{family}: num_steps must be an integer of 1 or more; got {num_steps}.")
    return num_steps


class GaussianRandomWalk(Distribution):
    """x₁ = d + s ε₁, xₜ = xₜ₋₁ + d + s εₜ with standard normal ε; mean t d, variance t s².

        log p(x) = Σ log N(xₜ - xₜ₋₁; d, s²),  x₀ = 0

    scale s : float[*batch], > 0     drift d : float[*batch]     num_steps n : int     sample : float[*shape, *batch, n]
    RandomWalk is for a walk that starts from a distribution of its own.
    """
    scale: ArrayLike = param(constraints.positive, default=1.0)
    num_steps: int = static(default=1)
    drift: ArrayLike = param(constraints.real, default=0.0)
    support = constraints.real_vector
    reparametrized_params = ("scale", "drift")

    def __init__(self, scale=1.0, num_steps=1, drift=0.0, *, validate_args=None):
        super().__init__(scale, checked_steps("GaussianRandomWalk", num_steps), drift, validate_args=validate_args)

    @property
    def event_shape(self):
        return (self.num_steps,)

    def sample(self, key, sample_shape=()):
        e = random.normal(key, self.shape(sample_shape), self.dtype)
        return np.cumsum(self.drift[..., None] + self.scale[..., None] * e, -1)

    def log_prob_inside(self, value):
        first = np.zeros((*value.shape[:-1], 1), value.dtype)
        steps = value - np.concatenate([first, value[..., :-1]], -1)
        z = (steps - self.drift[..., None]) / self.scale[..., None]
        return -0.5 * np.sum(z * z, -1) - self.num_steps * (np.log(self.scale) + HALF_LOG_2PI)

    def _times(self):
        return np.arange(1, self.num_steps + 1, dtype=self.dtype)

    @property
    def mean(self):
        return np.broadcast_to(self.drift[..., None] * self._times(), self.shape())

    mode = mean

    @property
    def variance(self):
        return np.broadcast_to(np.square(self.scale)[..., None] * self._times(), self.shape())

    def entropy(self):
        return np.broadcast_to(self.num_steps * (np.log(self.scale) + HALF_LOG_2PI + 0.5), self.batch_shape)


class RandomWalk(Distribution):
    """x₀ ~ init_dist, xₜ = xₜ₋₁ + eₜ with independent eₜ ~ innovation_dist, t = 1 … n.

        log p(x) = log p_init(x₀) + Σ log p_innovation(xₜ - xₜ₋₁)

    The two have one event shape; their batch shapes broadcast.     sample : float[*shape, *batch, n + 1, *event]
    """
    init_dist: Distribution = child()
    innovation_dist: Distribution = child()
    num_steps: int = static()

    def __init__(self, init_dist, innovation_dist, num_steps, *, validate_args=None):
        if init_dist.event_shape != innovation_dist.event_shape:
            raise ParameterError(f"RandomWalk: the event shapes of init_dist {init_dist.event_shape} and of "
                                 f"innovation_dist {innovation_dist.event_shape} must be equal.")
        self._bind((init_dist, innovation_dist, checked_steps("RandomWalk", num_steps)), {})

    @property
    def batch_shape(self):
        return broadcast_shapes(self.init_dist.batch_shape, self.innovation_dist.batch_shape)

    @property
    def event_shape(self):
        return (self.num_steps + 1, *self.innovation_dist.event_shape)

    @property
    def dtype(self):
        return self.innovation_dist.dtype

    @property
    def support(self):
        return constraints.independent(constraints.real, self.event_dim)

    @property
    def reparametrized_params(self):
        both = self.init_dist.has_rsample and self.innovation_dist.has_rsample
        return self.innovation_dist.reparametrized_params if both else ()

    @property
    def _axis(self):
        """The axis of time."""
        return -self.event_dim

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        start = self.init_dist.expand(self.batch_shape).sample(first, sample_shape)
        steps = self.innovation_dist.expand(self.batch_shape).sample(second, (self.num_steps, *sample_shape))
        steps = np.moveaxis(steps, 0, self._axis)
        return np.cumsum(np.concatenate([np.expand_dims(start, self._axis), steps], self._axis), self._axis)

    def log_prob_inside(self, value):
        lead = broadcast_shapes(value.shape[:value.ndim - self.event_dim], self.batch_shape)
        x = np.moveaxis(np.broadcast_to(value, (*lead, *self.event_shape)), self._axis, 0)
        steps = self.innovation_dist.log_prob(x[1:] - x[:-1])
        return self.init_dist.log_prob(x[0]) + np.sum(steps, 0)

    def _by_time(self, first, each):
        """first + t · each, with time as the first event axis."""
        axis = self._axis
        t = np.arange(self.num_steps + 1, dtype=self.dtype).reshape((-1, *(1,) * (-axis - 1)))
        return np.broadcast_to(np.expand_dims(first, axis) + t * np.expand_dims(each, axis), self.shape())

    @property
    def mean(self):
        return self._by_time(self.init_dist.mean, self.innovation_dist.mean)

    @property
    def variance(self):
        return self._by_time(self.init_dist.variance, self.innovation_dist.variance)

    def entropy(self):
        h = self.init_dist.entropy() + self.num_steps * self.innovation_dist.entropy()
        return np.broadcast_to(h, self.batch_shape)


def MvGaussianRandomWalk(loc=0.0, covariance_matrix=None, precision_matrix=None, scale_tril=None, *, num_steps,
                         init_dist, validate_args=None):
    """A RandomWalk of vectors whose steps are MultivariateNormal(loc, …), from x₀ ~ init_dist."""
    steps = MultivariateNormal(loc, covariance_matrix, precision_matrix, scale_tril, validate_args=validate_args)
    return RandomWalk(init_dist, steps, num_steps)


def MvStudentTRandomWalk(df, loc=0.0, scale_tril=None, *, scale_matrix=None, num_steps, init_dist, validate_args=None):
    """A RandomWalk of vectors whose steps are MultivariateStudentT(df, loc, …), from x₀ ~ init_dist."""
    steps = MultivariateStudentT(df, loc, scale_tril, scale_matrix=scale_matrix, validate_args=validate_args)
    return RandomWalk(init_dist, steps, num_steps)
