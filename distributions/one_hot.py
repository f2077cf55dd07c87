"""One of n classes as a vector with a single 1."""
from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import stop_gradient
from ..engine.scipy import special
from . import constraints
from .bernoulli import one_of
from .categorical import _LogitVector
from .counting import listed
from .distribution import Distribution
from .record import ArrayLike, param


class _OneHotCategorical(Distribution):
    """What both forms share; each has `probs`, `logits`."""
    support = constraints.one_hot
    has_enumerate_support = True

    @property
    def event_shape(self):
        return self.__dict__[self._params[0].name].shape[-1:]

    def sample(self, key, sample_shape=()):
        index = random.categorical(key, self.logits, -1, self.shape(sample_shape)[:-1])
        return self._places(index, np.int64)

    def _places(self, index, dtype):
        return np.astype(index[..., None] == np.arange(*self.event_shape), dtype)

    @property
    def mean(self):
        return self.probs

    @property
    def variance(self):
        return self.probs * (1.0 - self.probs)

    @property
    def mode(self):
        return self._places(np.argmax(self.logits, -1), np.int64)

    def entropy(self):
        return np.sum(special.entr(self.probs), -1)

    def enumerate_support(self, expand=True):
        return listed(np.eye(*self.event_shape, dtype=np.int64), self.batch_shape, expand)


class OneHotCategoricalLogits(_OneHotCategorical):
    """The unit vector of class i with probability exp(ηᵢ) / Σ exp η:  log p(x) = Σ xᵢ ηᵢ - log Σ exp η.

    logits : float[*batch, n]          sample : int[*shape, *batch, n], 0 or 1
    """
    logits: ArrayLike = param(_LogitVector())

    @property
    def probs(self):
        """The probability of each class."""
        return special.softmax(self.logits, axis=-1)

    def log_prob_inside(self, value):
        eta = self.logits
        return np.sum(np.where(np.asarray(value) != 0, eta, 0.0), -1) - special.logsumexp(eta, axis=-1)


class OneHotCategoricalProbs(_OneHotCategorical):
    """The unit vector of class i with probability pᵢ:  log p(x) = log Σ xᵢ pᵢ.

    probs : float[*batch, n], nonnegative with sum 1          sample : int[*shape, *batch, n], 0 or 1
    """
    probs: ArrayLike = param(constraints.simplex)

    @property
    def logits(self):
        """The logarithm of each probability."""
        return np.log(self.probs)

    def log_prob_inside(self, value):
        return np.log(np.sum(np.where(np.asarray(value) != 0, self.probs, 0.0), -1))


class OneHotCategoricalStraightThrough(OneHotCategoricalLogits):
    """OneHotCategoricalLogits whose draws are floating and pass derivatives on as if they were `probs`.

    logits : float[*batch, n]          sample : float[*shape, *batch, n], 0 or 1
    Source: Bengio, Léonard & Courville (2013), "Estimating or propagating gradients through stochastic
    neurons", section 4.
    """
    reparametrized_params = ("logits",)

    def sample(self, key, sample_shape=()):
        p = self.probs
        return stop_gradient(np.astype(super().sample(key, sample_shape), p.dtype)) + (p - stop_gradient(p))


def OneHotCategorical(probs=None, logits=None, *, validate_args=None):
    """OneHotCategorical(probs=p) or OneHotCategorical(logits=η): one of n classes, as a unit vector.

    >>> OneHotCategorical(probs=[0.25, 0.75]).mode.tolist()
    [0, 1]
    """
    one_of("OneHotCategorical", probs, logits)
    if probs is not None:
        return OneHotCategoricalProbs(probs, validate_args=validate_args)
    return OneHotCategoricalLogits(logits, validate_args=validate_args)
