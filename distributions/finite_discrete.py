"""Any finite set of real values, each with its probability."""
from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .bernoulli import one_of
from .categorical import _LogitVector, pick
from .counting import listed
from .distribution import Distribution
from .record import ArrayLike, child, param


class OneOf(constraints.Constraint):
    """The numbers of a vector, or of one for each batch element."""
    values: ArrayLike = child()
    is_discrete = True

    @property
    def words(self):
        return f"one of {self.values}"

    def check(self, x):
        return np.any(x[..., None] == self.values, -1)

    def example(self, x):
        return np.asarray(self.values)[..., 0]


class _FiniteDiscrete(Distribution):
    """What both forms share; each has `probs` and `logits`."""

    @property
    def support(self):
        return OneOf(self.outcomes)

    is_discrete = True

    def sample(self, key, sample_shape=()):
        return pick(self.outcomes, random.categorical(key, self.logits, -1, self.shape(sample_shape)))

    def _index(self, value):
        """Which outcome a value is: the nearest, so that rounding (and a derivative in the outcomes) does no harm."""
        return np.argmin(np.abs(np.asarray(value)[..., None] - self.outcomes), -1)

    @property
    def mean(self):
        return np.sum(self.probs * self.outcomes, -1)

    @property
    def variance(self):
        p = self.probs
        gap = self.outcomes - np.sum(p * self.outcomes, -1, keepdims=True)
        return np.sum(p * gap * gap, -1)

    @property
    def mode(self):
        return pick(self.outcomes, np.argmax(self.logits, -1))

    def entropy(self):
        return np.sum(special.entr(self.probs), -1)

    def cdf(self, value):
        below = self.outcomes <= np.asarray(value)[..., None]
        return np.minimum(np.sum(np.where(below, self.probs, 0.0), -1), 1.0)

    @property
    def has_enumerate_support(self):
        return self.outcomes.ndim == 1

    def enumerate_support(self, expand=True):
        return listed(self.outcomes, self.batch_shape, expand)


class FiniteDiscreteLogits(_FiniteDiscrete):
    """Value xᵢ with probability exp(ηᵢ) / Σ exp η.

    outcomes : float[*batch, n], increasing      logits : float[*batch, n]
    sample : float[*shape, *batch], one of outcomes
    """
    outcomes: ArrayLike = param(constraints.ordered_vector)
    logits: ArrayLike = param(_LogitVector())

    @property
    def probs(self):
        """The probability of each outcome."""
        return special.softmax(self.logits, axis=-1)

    def log_prob_inside(self, value):
        return pick(self.logits, self._index(value)) - special.logsumexp(self.logits, axis=-1)


class FiniteDiscreteProbs(_FiniteDiscrete):
    """Value xᵢ with probability pᵢ.

    outcomes : float[*batch, n], increasing      probs : float[*batch, n], nonnegative with sum 1
    sample : float[*shape, *batch], one of outcomes
    """
    outcomes: ArrayLike = param(constraints.ordered_vector)
    probs: ArrayLike = param(constraints.simplex)

    @property
    def logits(self):
        """The logarithm of each probability."""
        return np.log(self.probs)

    def log_prob_inside(self, value):
        return np.log(pick(self.probs, self._index(value)))


def FiniteDiscrete(outcomes, probs=None, logits=None, *, validate_args=None):
    """FiniteDiscrete(x, probs=p) or FiniteDiscrete(x, logits=η): the number xᵢ with probability pᵢ.

    >>> float(FiniteDiscrete([-1.0, 3.0], probs=[0.5, 0.5]).mean)
    1.0
    """
    one_of("FiniteDiscrete", probs, logits)
    if probs is not None:
        return FiniteDiscreteProbs(outcomes, probs, validate_args=validate_args)
    return FiniteDiscreteLogits(outcomes, logits, validate_args=validate_args)
