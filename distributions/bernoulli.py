"""The Bernoulli distribution, by its probability or by its log-odds."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.errors import ParameterError
from ..engine.ops.elementwise import expit, softplus
from . import constraints
from .distribution import Distribution, safe_log
from .record import ArrayLike, param


def one_of(family, probs, logits):
    """Raises ParameterError unless exactly one of the two was given."""
    if (probs is None) == (logits is None):
        given = "neither" if probs is None else "both"
        raise ParameterError(f"{family} takes either probs or logits; got {given}.\n"
                             f"Write {family}(probs=p), or {family}(logits=log(p / (1 - p))).")


class _Bernoulli(Distribution):
    """What both forms share; each has `probs`, `logits` and a log_prob."""
    support = constraints.boolean
    has_enumerate_support = True

    def sample(self, key, sample_shape=()):
        return np.astype(random.bernoulli(key, self.probs, self.shape(sample_shape)), np.int64)

    @property
    def mean(self):
        return self.probs

    @property
    def variance(self):
        return self.probs * (1.0 - self.probs)

    @property
    def mode(self):
        return np.astype(self.probs > 0.5, np.int64)

    def cdf(self, value):
        value = np.asarray(value)
        return np.where(value < 0, 0.0, np.where(value < 1, 1.0 - self.probs, 1.0))

    def log_cdf(self, value):
        value = np.asarray(value)
        return np.where(value < 0, -math.inf, np.where(value < 1, self._log_probs(0), 0.0))

    def survival_function(self, value):
        value = np.asarray(value)
        return np.where(value < 0, 1.0, np.where(value < 1, self.probs, 0.0))

    def log_survival(self, value):
        value = np.asarray(value)
        return np.where(value < 0, 0.0, np.where(value < 1, self._log_probs(1), -math.inf))

    def _log_probs(self, value):
        return self.log_prob_inside(np.asarray(value))

    def icdf(self, q):
        return np.astype(np.asarray(q) > 1.0 - self.probs, np.int64)

    def isf(self, q):
        return np.astype(np.asarray(q) < self.probs, np.int64)

    def enumerate_support(self, expand=True):
        values = np.arange(2).reshape((2, *(1,) * len(self.batch_shape)))
        return np.broadcast_to(values, (2, *self.batch_shape)) if expand else values


class BernoulliLogits(_Bernoulli):
    """1 with log-odds η, else 0:  log p(y) = y η - log(1 + exp η).

    logits : float[*batch]          sample : int[*shape, *batch], 0 or 1
    Source: McCullagh & Nelder (1989), Generalized Linear Models, ch. 4.
    """
    logits: ArrayLike = param(constraints.real)
    finite_outside = True

    @property
    def probs(self):
        """The probability of 1."""
        return expit(self.logits)

    def log_prob_inside(self, value):
        return np.astype(value, self.logits.dtype) * self.logits - softplus(self.logits)

    def entropy(self):
        return softplus(self.logits) - self.probs * self.logits


class BernoulliProbs(_Bernoulli):
    """1 with probability p, else 0:  log p(y) = log p where y = 1, log(1 - p) where y = 0.

    probs : float[*batch], in [0, 1]          sample : int[*shape, *batch], 0 or 1
    """
    probs: ArrayLike = param(constraints.unit_interval)

    @property
    def logits(self):
        """The log-odds of 1."""
        return np.log(self.probs) - np.log1p(-self.probs)

    def log_prob_inside(self, value):
        """With two logarithms for each chance, or one for each value, whichever are fewer."""
        one, p = np.asarray(value) != 0, self.probs
        if 2 * p.size > one.size:
            return np.log(np.where(one, p, 1.0 - p))
        return np.where(one, safe_log(p), safe_log(1.0 - p))

    def entropy(self):
        p = self.probs
        q = np.stack([p, 1.0 - p])
        return -np.sum(q * np.log(np.where(q > 0, q, 1.0)), 0)


def Bernoulli(probs=None, logits=None, *, validate_args=None):
    """Bernoulli(probs=p) or Bernoulli(logits=η): 1 with probability p = 1 / (1 + exp(-η)), else 0.

    >>> float(Bernoulli(logits=0.0).log_prob(1))
    -0.6931472
    """
    one_of("Bernoulli", probs, logits)
    if probs is not None:
        return BernoulliProbs(probs, validate_args=validate_args)
    return BernoulliLogits(logits, validate_args=validate_args)
