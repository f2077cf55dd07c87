"""The binomial distribution, by the probability of success or by its log-odds."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import expit, softplus
from ..engine.scipy import special
from . import constraints
from .bernoulli import one_of
from .counting import UpToTotal, log_choose, rest_of_choose
from .deviance import binomial_deviance
from .quantile import inverse_cdf_integer
from .record import ArrayLike, param


class _Binomial(UpToTotal):
    """What both forms share; each has `probs`, `logits`, `total_count` and a log_prob."""

    def sample(self, key, sample_shape=()):
        return random.binomial(key, self.total_count, self.probs, self.shape(sample_shape), np.dtype("int64"))

    @property
    def mean(self):
        return self._trials * self.probs

    @property
    def variance(self):
        return self.mean * (1.0 - self.probs)

    @property
    def mode(self):
        n = self.total_count
        return np.minimum(np.astype(np.floor((n + 1) * self.probs), np.int64), np.astype(n, np.int64))

    def cdf(self, value):
        return self._counted(value, special.betaincc, 0.0, 1.0)

    def survival_function(self, value):
        return self._counted(value, special.betainc, 1.0, 0.0)

    def log_cdf(self, value):
        return self._counted(value, special.log_betaincc, -math.inf, 0.0)

    def log_survival(self, value):
        return self._counted(value, special.log_betainc, 0.0, -math.inf)

    def _counted(self, value, f, below, beyond):
        """f(k + 1, n - k, p) for k, the value rounded down, in [0, n)."""
        d = self.dtype
        k, n = np.floor(np.astype(np.asarray(value), d)), self._trials
        inside = np.logical_and(k >= 0, k < n)
        safe = np.where(inside, k, 0.0)
        p = f(safe + 1.0, np.where(inside, n - safe, 1.0), self.probs)
        return np.where(inside, p, np.where(k < 0, np.asarray(below, d), beyond))

    def icdf(self, q):
        return inverse_cdf_integer(self.cdf, q, 0, self.total_count)

    def isf(self, q):
        return inverse_cdf_integer(self.survival_function, q, 0, self.total_count, upper_tail=True)


class BinomialLogits(_Binomial):
    """Successes in n trials of log-odds η:  log p(k) = log C(n, k) + k η - n log(1 + exp η).

    logits : float[*batch]     total_count n : int[*batch], >= 0          sample : int[*shape, *batch], in [0, n]
    Source: McCullagh & Nelder (1989), Generalized Linear Models, ch. 4.
    """
    logits: ArrayLike = param(constraints.real)
    total_count: ArrayLike = param(constraints.nonnegative_integer, default=1)

    @property
    def probs(self):
        """The probability of success."""
        return expit(self.logits)

    def log_prob_inside(self, value):
        d = self.logits.dtype
        k, n = np.astype(value, d), np.astype(self.total_count, d)
        return k * self.logits - n * softplus(self.logits) + log_choose(n, k)


class BinomialProbs(_Binomial):
    """Successes in n trials of probability p:  log p(k) = log C(n, k) + k log p + (n - k) log(1 - p).

    probs : float[*batch], in [0, 1]     total_count n : int[*batch], >= 0     sample : int[*shape, *batch], in [0, n]
    Source: Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, ch. 3.
    """
    probs: ArrayLike = param(constraints.unit_interval)
    total_count: ArrayLike = param(constraints.nonnegative_integer, default=1)

    @property
    def logits(self):
        """The log-odds of success."""
        return np.log(self.probs) - np.log1p(-self.probs)

    def log_prob_inside(self, value):
        d = self.probs.dtype
        k, n = np.astype(value, d), np.astype(self.total_count, d)
        p = self.probs
        return rest_of_choose(n, k) - binomial_deviance(k, n - k, p, np.log(p), np.log1p(-p))


def Binomial(total_count=1, probs=None, logits=None, *, validate_args=None):
    """Binomial(n, probs=p) or Binomial(n, logits=η): the number of successes in n trials.

    >>> float(Binomial(2, probs=0.5).log_prob(1))
    -0.6931472
    """
    one_of("Binomial", probs, logits)
    if probs is not None:
        return BinomialProbs(probs, total_count, validate_args=validate_args)
    return BinomialLogits(logits, total_count, validate_args=validate_args)
