"""Normal arrays whose sums along given axes are zero."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.errors import ParameterError
from . import constraints
from .distribution import Distribution
from .normal import HALF_LOG_2PI
from .record import ArrayLike, param, static


class ZeroSumNormal(Distribution):
    """Independent normal numbers given that they sum to zero along each of the event's axes.

        log p(x) = -½ Σ x²/σ² - m log σ - (m/2) log 2π,  m = Π (nₐ - 1)
        covariance σ² (I - 11'/n) for one axis: a Kronecker product of these for several

    The density is with respect to area in the subspace (of dimension m), where orthonormal coordinates are N(0, σ²).
    scale σ : float[*batch], > 0     event_shape : a tuple of sizes      sample : float[*shape, *batch, *event_shape]
    Source: the normal distribution in orthonormal coordinates of the subspace; Fraser (1951), "Normal samples with
    linear constraints and given variances".
    """
    scale: ArrayLike = param(constraints.positive)
    sizes: tuple = static()
    reparametrized_params = ("scale",)

    def __init__(self, scale, event_shape, *, validate_args=None):
        event_shape = (event_shape,) if isinstance(event_shape, int) else tuple(event_shape)
        if not event_shape or min(event_shape) < 1:
            raise ParameterError(f"ZeroSumNormal: event_shape must have axes of size 1 or more; got {event_shape}.")
        super().__init__(scale, event_shape, validate_args=validate_args)

    @property
    def event_shape(self):
        return self.sizes

    @property
    def support(self):
        return constraints.zero_sum(len(self.sizes))

    @property
    def _rank(self):
        return math.prod(n - 1 for n in self.sizes)

    def _each(self, x):
        """x [*batch] with an axis of size 1 for each axis of the event."""
        return x.reshape(x.shape + (1,) * len(self.sizes))

    def sample(self, key, sample_shape=()):
        z = random.normal(key, self.shape(sample_shape), self.dtype)
        for axis in range(-len(self.sizes), 0):
            z = z - np.mean(z, axis, keepdims=True)
        return self._each(self.scale) * z

    def log_prob_inside(self, value):
        z = value / self._each(self.scale)
        square = np.sum(z * z, tuple(range(-len(self.sizes), 0)))
        return -0.5 * square - self._rank * (np.log(self.scale) + HALF_LOG_2PI)

    @property
    def mean(self):
        return np.zeros(self.shape(), self.dtype)

    mode = mean

    @property
    def variance(self):
        part = math.prod(1 - 1 / n for n in self.sizes)
        return np.broadcast_to(self._each(np.square(self.scale) * part), self.shape())

    def entropy(self):
        return self._rank * (np.log(self.scale) + HALF_LOG_2PI + 0.5)
