"""The distribution of a weighted sample: mass on each of the values that were seen."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.avals import broadcast_shapes
from ..engine.errors import ShapeError
from ..engine.scipy import special
from . import constraints
from .categorical import _LogitVector
from .distribution import Distribution, shape_of
from .record import ArrayLike, param


class Empirical(Distribution):
    """One of n values, each with its weight:  log p(x) = log Σ wᵢ [x = xᵢ],  w = softmax(log_weights).

    samples : [*batch, n, *event]      log_weights : float[*batch, n], all equal unless given; -inf is no weight
    sample : [*shape, *batch, *event]      log_prob is -inf at values that are not among the samples

    >>> d = Empirical([1.0, 2.0, 2.0])
    >>> round(float(d.mean), 6), d.prob([2.0, 3.0])
    (1.666667, Array([0.66666667, 0.        ]))
    """
    samples: ArrayLike = param(None)
    log_weights: ArrayLike = param(_LogitVector())

    def __init__(self, samples, log_weights=None, *, validate_args=None):
        samples = np.asarray(samples)
        log_weights = np.zeros(samples.shape[:1]) if log_weights is None else log_weights
        shape = np.shape(log_weights)
        if not shape or shape != samples.shape[:len(shape)] or not shape[-1]:
            raise ShapeError(f"Empirical: samples [*batch, n, *event] and log_weights [*batch, n], with n >= 1, have "
                             f"shapes {samples.shape} and {shape}.")
        super().__init__(samples, log_weights, validate_args=validate_args)

    def _broadcast_parameters(self):
        return shape_of(self.log_weights)[:-1]

    @property
    def event_shape(self):
        return shape_of(self.samples)[len(shape_of(self.log_weights)):]

    @property
    def sample_size(self):
        """n, the number of values."""
        return shape_of(self.log_weights)[-1]

    @property
    def support(self):
        n = len(self.event_shape)
        return constraints.independent(constraints.real, n) if n else constraints.real

    @property
    def is_discrete(self):
        return self.samples.dtype.kind in "iub"

    @property
    def has_enumerate_support(self):
        return not self.event_shape

    def enumerate_support(self, expand=True):
        """The samples, each as often as it was seen."""
        return np.moveaxis(self.samples, len(self.batch_shape), 0)

    def sample(self, key, sample_shape=()):
        k = random.categorical(key, self.log_weights, -1, (*sample_shape, *self.batch_shape))
        n = len(self.event_shape)
        shape = (*k.shape, self.sample_size, *self.event_shape)
        index = k.reshape((*k.shape, 1, *(1,) * n))
        index = np.broadcast_to(index, (*k.shape, 1, *self.event_shape))
        return np.squeeze(np.take_along_axis(np.broadcast_to(self.samples, shape), index, len(k.shape)), len(k.shape))

    @property
    def _log_w(self):
        return special.log_softmax(self.log_weights, -1)

    def _wide(self, value):
        """value with an axis for the samples before its event."""
        value, n = np.asarray(value), len(self.event_shape)
        at = value.ndim - n
        return value.reshape((*value.shape[:at], 1, *value.shape[at:]))

    def log_prob(self, value):
        n = len(self.event_shape)
        same = self._wide(value) == self.samples
        same = np.all(same, tuple(range(same.ndim - n, same.ndim))) if n else same
        log_w = np.broadcast_to(self._log_w, broadcast_shapes(same.shape, shape_of(self.log_weights)))
        seen = np.any(same, -1)
        terms = np.where(same, log_w, np.where(seen[..., None], -math.inf, 0.0))
        return np.where(seen, special.logsumexp(terms, axis=-1), -math.inf)

    @property
    def _weights(self):
        w, n = np.exp(self._log_w), len(self.event_shape)
        return w.reshape((*w.shape, *(1,) * n)) if n else w

    @property
    def mean(self):
        return np.sum(self._weights * self.samples, len(self.batch_shape))

    @property
    def variance(self):
        at = len(self.batch_shape)
        off = self.samples - np.expand_dims(self.mean, at)
        return np.sum(self._weights * np.square(off), at)

    def entropy(self):
        """The entropy of the weights, where no two samples are equal."""
        log_w = self._log_w
        p = np.exp(log_w)
        return -np.sum(p * np.where(p > 0, log_w, 0.0), -1)

    def cdf(self, value):
        """Σ wᵢ [xᵢ <= value], for samples that are numbers."""
        if self.event_shape:
            raise self._absent("cdf")
        return np.sum(np.where(self.samples <= self._wide(value), np.exp(self._log_w), 0.0), -1)

    def icdf(self, q):
        """The smallest sample at which the cdf has reached q."""
        if self.event_shape:
            raise self._absent("icdf")
        order = np.argsort(self.samples, -1)
        x = np.take_along_axis(self.samples, order, -1)
        p = np.cumsum(np.take_along_axis(np.exp(self._log_w), order, -1), -1)
        k = np.sum(np.astype(p[..., :-1] < self._wide(q), np.int64), -1)
        x = np.broadcast_to(x, (*k.shape, self.sample_size))
        return np.take_along_axis(x, k[..., None], -1)[..., 0]
