"""Binomial families on all integers: any total_count and any value, with -inf where they do not go together."""
from ..engine import numpy as np
from . import constraints
from .beta_binomial import BetaBinomial
from .binomial import BinomialProbs
from .record import ArrayLike, param


def _log_prob(d, plain, value):
    """-inf where value is not in [0, n]; `plain` has n = 0 in place of negative ones."""
    value = np.asarray(value)
    ok = constraints.integer_interval(0, d.total_count)(value)
    return plain._guarded(value, plain.support, ok)


class ExtendedBinomial(BinomialProbs):
    """Binomial whose total_count n may be any integer, negative ones too, and whose support is all integers.

    log p(k) is that of BinomialProbs for k in [0, n], else -inf. For models that compute n or k from other numbers.

    probs : float[*batch], in [0, 1]      total_count : int[*batch]      sample : int[*shape, *batch]
    """
    probs: ArrayLike = param(constraints.unit_interval)
    total_count: ArrayLike = param(constraints.integer, default=1)
    support = constraints.integer

    def _plain(self):
        return BinomialProbs(self.probs, np.maximum(self.total_count, 0), validate_args=False)

    def log_prob(self, value):
        return _log_prob(self, self._plain(), value)

    def sample(self, key, sample_shape=()):
        return self._plain().sample(key, sample_shape)


class ExtendedBetaBinomial(BetaBinomial):
    """BetaBinomial whose total_count n may be any integer, negative ones too, and whose support is all integers.

    log p(k) is that of BetaBinomial for k in [0, n], else -inf.

    concentration1, concentration0 : float[*batch], > 0      total_count : int[*batch]      sample : int[*shape, *batch]
    """
    concentration1: ArrayLike = param(constraints.positive)
    concentration0: ArrayLike = param(constraints.positive)
    total_count: ArrayLike = param(constraints.integer, default=1)
    support = constraints.integer

    def _plain(self):
        return BetaBinomial(self.concentration1, self.concentration0, np.maximum(self.total_count, 0),
                            validate_args=False)

    def log_prob(self, value):
        return _log_prob(self, self._plain(), value)

    def sample(self, key, sample_shape=()):
        return self._plain().sample(key, sample_shape)
