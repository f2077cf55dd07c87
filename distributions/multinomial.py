"""Vectors of counts with a given sum: multinomial, its Dirichlet mixture, and one-hot vectors."""
import itertools

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .bernoulli import one_of
from .categorical import _LogitVector
from .counting import known, listed, log_multichoose, log_multinomial, the_same_for_all
from .distribution import Distribution
from .record import ArrayLike, param


def compositions(total, n):
    """All vectors of n counts that sum to total, int[C(total + n - 1, n - 1), n]: stars and bars."""
    bars = itertools.combinations(range(total + n - 1), n - 1)
    return _numpy.array([_numpy.diff((-1, *at, total + n - 1)) - 1 for at in bars], int).reshape((-1, n))


class _Counts(Distribution):
    """What the multinomial and its mixture share: the sum is `total_count`, the mean n times `_shares`.

    Constructors take `total_count_max` as other systems' do, and do not need it: draws are binomial numbers.
    """

    def __init__(self, *args, total_count_max=None, validate_args=None, **kwargs):
        super().__init__(*args, validate_args=validate_args, **kwargs)

    @property
    def support(self):
        return constraints.multinomial(self.total_count)

    is_discrete = True

    @property
    def event_shape(self):
        return self._vector.shape[-1:]

    @property
    def mean(self):
        return np.broadcast_to(self._trials * self._shares, self.shape())

    @property
    def _trials(self):
        """n as a real number, for each category."""
        return np.astype(self.total_count, self.dtype)[..., None]

    @property
    def has_enumerate_support(self):
        return known(self.total_count)

    def enumerate_support(self, expand=True):
        n = the_same_for_all(type(self).__name__, "total_count", self.total_count)
        return listed(compositions(n, *self.event_shape), self.batch_shape, expand)


class MultinomialBase(_Counts):
    """Counts of independent trials; a family has `probs` and a log_prob."""

    @property
    def _shares(self):
        return self.probs

    def sample(self, key, sample_shape=()):
        shape = self.shape(sample_shape)[:-1]
        p = self.probs
        p = p / np.sum(p, -1, keepdims=True)
        return random.multinomial(key, self.total_count, p, shape=shape, dtype=np.dtype("int64"))

    @property
    def variance(self):
        p = self.probs
        return np.broadcast_to(self._trials * p * (1.0 - p), self.shape())


class MultinomialLogits(MultinomialBase):
    """How n trials fall on categories of probabilities p = exp(η) / Σ exp η, by the logits η.

        log p(k) = log n! - Σ log kᵢ! + Σ kᵢ ηᵢ - n log Σ exp η

    logits : float[*batch, m]      total_count n : int[*batch], >= 0      sample : int[*shape, *batch, m], with sum n
    Source: Johnson, Kotz & Balakrishnan (1997), Discrete Multivariate Distributions, ch. 35.
    """
    logits: ArrayLike = param(_LogitVector())
    total_count: ArrayLike = param(constraints.nonnegative_integer, default=1)

    @property
    def _vector(self):
        return self.logits

    @property
    def probs(self):
        """The probability of each category."""
        return special.softmax(self.logits, axis=-1)

    def log_prob_inside(self, value):
        eta = self.logits
        k = np.astype(value, eta.dtype)
        used = np.where(k > 0, eta, 0.0)                 # a category that cannot be has logit -inf
        n = np.astype(self.total_count, eta.dtype)
        return np.sum(k * used, -1) - n * special.logsumexp(eta, axis=-1) + log_multinomial(k)


class MultinomialProbs(MultinomialBase):
    """How n trials fall on categories of probabilities pᵢ:  log p(k) = log n! - Σ log kᵢ! + Σ kᵢ log pᵢ.

    probs : float[*batch, m], nonnegative with sum 1      total_count n : int[*batch], >= 0
    sample : int[*shape, *batch, m], with sum n
    Source: Johnson, Kotz & Balakrishnan (1997), Discrete Multivariate Distributions, ch. 35.
    """
    probs: ArrayLike = param(constraints.simplex)
    total_count: ArrayLike = param(constraints.nonnegative_integer, default=1)

    @property
    def _vector(self):
        return self.probs

    @property
    def logits(self):
        """The logarithm of each probability."""
        return np.log(self.probs)

    def log_prob_inside(self, value):
        k = np.astype(value, self.probs.dtype)
        return np.sum(special.xlogy(k, self.probs), -1) + log_multinomial(k)


def Multinomial(total_count=1, probs=None, logits=None, *, total_count_max=None, validate_args=None):
    """Multinomial(n, probs=p) or Multinomial(n, logits=η): how n trials fall on the categories.

    total_count_max : not needed: draws are binomial numbers, whatever n is

    >>> float(Multinomial(2, probs=[0.5, 0.5]).log_prob([1, 1]))
    -0.6931472
    """
    one_of("Multinomial", probs, logits)
    if probs is not None:
        return MultinomialProbs(probs, total_count, validate_args=validate_args)
    return MultinomialLogits(logits, total_count, validate_args=validate_args)


class DirichletMultinomial(_Counts):
    """DirichletMultinomial(concentration a, total_count n): multinomial counts of Dirichlet(a) probabilities.

        log p(k) = Σ log C(aᵢ + kᵢ - 1, kᵢ) - log C(A + n - 1, n),  A = Σ aᵢ          mean n aᵢ / A

    concentration : float[*batch, m], > 0      total_count : int[*batch], >= 0
    sample : int[*shape, *batch, m], with sum n
    Source: Johnson, Kotz & Balakrishnan (1997), Discrete Multivariate Distributions, section 35.13.1.

    >>> DirichletMultinomial([1.0, 1.0], 3).mean.tolist()
    [1.5, 1.5]
    """
    concentration: ArrayLike = param(constraints.Independent(constraints.positive, 1))
    total_count: ArrayLike = param(constraints.nonnegative_integer, default=1)

    @property
    def _vector(self):
        return self.concentration

    @property
    def _shares(self):
        return self.concentration / np.sum(self.concentration, -1, keepdims=True)

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        shape = self.shape(sample_shape)
        p = random.dirichlet(first, np.astype(self.concentration, np.float64), shape[:-1])
        return random.multinomial(second, self.total_count, p, shape=shape[:-1], dtype=np.dtype("int64"))

    def log_prob_inside(self, value):
        a = self.concentration
        k, n = np.astype(value, a.dtype), np.astype(self.total_count, a.dtype)
        return np.sum(log_multichoose(a, k), -1) - log_multichoose(np.sum(a, -1), n)

    @property
    def variance(self):
        n, total = self._trials, np.sum(self.concentration, -1, keepdims=True)
        p = self._shares
        return np.broadcast_to(n * p * (1.0 - p) * ((total + n) / (total + 1.0)), self.shape())
