"""The geometric distribution, by its probability or by its log-odds."""
from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import expit, softplus
from ..engine.scipy import special
from . import constraints
from .bernoulli import one_of
from .distribution import Distribution
from .record import ArrayLike, param


class _Geometric(Distribution):
    """What both forms share; each has `probs`, `_log_failure` and a log_prob."""
    support = constraints.nonnegative_integer

    def sample(self, key, sample_shape=()):
        return random.geometric(key, self.probs, self.shape(sample_shape)) - 1

    @property
    def variance(self):
        return self.mean / self.probs

    @property
    def mode(self):
        return np.zeros(self.batch_shape, np.int64)

    def cdf(self, value):
        return -np.expm1(self.log_survival(value))

    def log_cdf(self, value):
        return special.log1mexp(-self.log_survival(value))

    def log_survival(self, value):
        trials = np.floor(np.astype(np.asarray(value), self.dtype)) + 1.0
        return np.maximum(trials, 0.0) * self._log_failure()

    def icdf(self, q):
        q = np.asarray(q, self.dtype)
        k = np.maximum(np.ceil(np.log1p(-q) / self._log_failure()) - 1.0, 0.0)
        k = np.where(self.cdf(k) < q, k + 1.0, k)                            # as cdf rounds
        k = np.where(np.logical_and(k > 0, self.cdf(k - 1.0) >= q), k - 1.0, k)
        return np.astype(np.minimum(k, 2.0 ** 53), np.int64)


class GeometricLogits(_Geometric):
    """Failures before the first success of log-odds η:  log p(k) = -log(1 + exp(-η)) - k log(1 + exp η).

    logits : float[*batch]          sample : int[*shape, *batch], >= 0
    Source: Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, section 5.2.
    """
    logits: ArrayLike = param(constraints.real)

    @property
    def probs(self):
        """The probability of success."""
        return expit(self.logits)

    def _log_failure(self):
        return -softplus(self.logits)

    def log_prob_inside(self, value):
        return -softplus(-self.logits) - np.astype(value, self.logits.dtype) * softplus(self.logits)

    @property
    def mean(self):
        return np.exp(-self.logits)

    def entropy(self):
        return softplus(-self.logits) + np.exp(-self.logits) * softplus(self.logits)


class GeometricProbs(_Geometric):
    """Failures before the first success of probability p:  log p(k) = log p + k log(1 - p).

    probs : float[*batch], in [0, 1]          sample : int[*shape, *batch], >= 0
    Source: Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, section 5.2.
    """
    probs: ArrayLike = param(constraints.unit_interval)

    @property
    def logits(self):
        """The log-odds of success."""
        return np.log(self.probs) - np.log1p(-self.probs)

    def _log_failure(self):
        return np.log1p(-self.probs)

    def log_prob_inside(self, value):
        return np.log(self.probs) + special.xlog1py(np.astype(value, self.probs.dtype), -self.probs)

    @property
    def mean(self):
        return (1.0 - self.probs) / self.probs

    def entropy(self):
        p = self.probs
        return -np.log(p) - special.xlog1py(1.0 - p, -p) / p


def Geometric(probs=None, logits=None, *, validate_args=None):
    """Geometric(probs=p) or Geometric(logits=η): the number of failures before the first success, 0, 1, 2, …

    (In other systems it is the number of trials, one more.)

    >>> float(Geometric(0.5).mean)
    1.0
    """
    one_of("Geometric", probs, logits)
    if probs is not None:
        return GeometricProbs(probs, validate_args=validate_args)
    return GeometricLogits(logits, validate_args=validate_args)
