"""The categorical distribution: one of n classes, by probabilities or by logits."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.avals import broadcast_shapes
from ..engine.scipy import special
from . import constraints
from .bernoulli import one_of
from .distribution import Distribution
from .record import ArrayLike, param


class _LogitVector(constraints.Constraint):
    """Vectors of numbers of which some are finite and none is +inf: -inf is a class that cannot be."""
    event_dim, words = 1, "a vector of numbers below infinity, not all of them -inf"

    def check(self, x):
        return np.logical_and(np.all(x < math.inf, -1), np.any(x > -math.inf, -1))

    def example(self, x):
        return 0.0


def pick(x, index):
    """x[..., index] with the batch axes of both broadcast.   x : [*batch, n], index : int[*shape, *batch]"""
    if x.ndim == 1:
        return np.take(x, index, 0)
    shape = broadcast_shapes(x.shape[:-1], index.shape)
    x = np.broadcast_to(x, (*shape, x.shape[-1]))
    index = np.broadcast_to(index, shape)
    return np.take_along_axis(x, index[..., None], -1)[..., 0]


class _Categorical(Distribution):
    """What both forms share."""
    is_discrete = True
    has_enumerate_support = True

    @property
    def num_classes(self):
        """n, the number of classes."""
        return self.__dict__[self._params[0].name].shape[-1]

    @property
    def support(self):
        return constraints.integer_interval(0, self.num_classes - 1)

    def sample(self, key, sample_shape=()):
        return random.categorical(key, self.logits, -1, self.shape(sample_shape))

    @property
    def mean(self):
        return np.full(self.batch_shape, math.nan, self.dtype)

    variance = mean

    @property
    def mode(self):
        return np.argmax(self.logits, -1)

    def entropy(self):
        p = self.probs
        return -np.sum(p * np.log(np.where(p > 0, p, 1.0)), -1)

    def cdf(self, value):
        """P(X <= value), in the order of the classes' numbers."""
        return self._cumulated(value, np.cumsum(self.probs, -1), 0.0, 1.0)

    def survival_function(self, value):
        """P(X > value)."""
        p = self.probs
        after = np.flip(np.cumsum(np.flip(p, -1), -1), -1) - p
        return self._cumulated(value, after, 1.0, 0.0)

    def _cumulated(self, value, table, below, beyond):
        k, last = np.floor(np.asarray(value)), self.num_classes - 1
        index = np.astype(np.clip(k, 0, last), np.int64)
        return np.where(k < 0, below, np.where(k >= last, beyond, pick(table, index)))

    def icdf(self, q):
        """The first class at which the cdf has reached q."""
        below = np.cumsum(self.probs, -1)[..., :-1] < np.asarray(q)[..., None]
        return np.sum(np.astype(below, np.int64), -1)

    def enumerate_support(self, expand=True):
        n = self.num_classes
        values = np.arange(n).reshape((n, *(1,) * len(self.batch_shape)))
        return np.broadcast_to(values, (n, *self.batch_shape)) if expand else values


class CategoricalLogits(_Categorical):
    """Class k with probability proportional to exp(ηₖ):  log p(k) = ηₖ - log Σ exp η.

    logits : float[*batch, n]          sample : int[*shape, *batch], in [0, n)
    """
    logits: ArrayLike = param(_LogitVector())

    @property
    def probs(self):
        """The probability of each class."""
        return np.exp(self.logits - special.logsumexp(self.logits, axis=-1, keepdims=True))

    def log_prob_inside(self, value):
        index = np.astype(value, np.int64)
        return pick(self.logits, index) - special.logsumexp(self.logits, axis=-1)


class CategoricalProbs(_Categorical):
    """Class k with probability pₖ:  log p(k) = log pₖ.

    probs : float[*batch, n], nonnegative with sum 1          sample : int[*shape, *batch], in [0, n)
    """
    probs: ArrayLike = param(constraints.simplex)

    @property
    def logits(self):
        """The logarithm of each probability."""
        return np.log(self.probs)

    def log_prob_inside(self, value):
        return np.log(pick(self.probs, np.astype(value, np.int64)))


def Categorical(probs=None, logits=None, *, validate_args=None):
    """Categorical(probs=p) or Categorical(logits=η): one of n classes, p = exp(η) / Σ exp(η).

    >>> float(Categorical(probs=[0.25, 0.75]).log_prob(0))
    -1.3862944
    """
    one_of("Categorical", probs, logits)
    if probs is not None:
        return CategoricalProbs(probs, validate_args=validate_args)
    return CategoricalLogits(logits, validate_args=validate_args)
