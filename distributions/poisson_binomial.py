"""The number of successes in trials of different probabilities."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.control import scan
from . import constraints
from .categorical import pick
from .counting import listed
from .distribution import Distribution
from .record import ArrayLike, param


class PoissonBinomial(Distribution):
    """PoissonBinomial(probs p): successes in n independent trials of probabilities p₁ … pₙ.

        p_i(k) = (1 - pᵢ) p_{i-1}(k) + pᵢ p_{i-1}(k - 1): n steps over all k at once, in logarithms

    probs : float[*batch, n], in [0, 1]          sample : int[*shape, *batch], in [0, n]
    Source: Barlow & Heidtmann (1984), "Computing k-out-of-n system reliability", IEEE Trans. Reliability 33.

    >>> float(PoissonBinomial([0.5, 0.25]).mean)
    0.75
    """
    probs: ArrayLike = param(constraints.Independent(constraints.unit_interval, 1))
    has_enumerate_support = True
    is_discrete = True

    @property
    def support(self):
        return constraints.integer_interval(0, self.probs.shape[-1])

    def sample(self, key, sample_shape=()):
        shape = (*self.shape(sample_shape), self.probs.shape[-1])
        return np.sum(np.astype(random.bernoulli(key, self.probs, shape), np.int64), -1)

    def log_probs(self):
        """The log-probability of each number of successes: [*batch, n + 1]."""
        p = np.moveaxis(self.probs, -1, 0)
        n, *batch = p.shape
        tiny = float(_numpy.finfo(p.dtype).tiny)         # in place of 0, whose logarithm has no derivative
        log_p = np.log(np.where(p > 0, p, tiny))
        log_q = np.where(p < 1, np.log1p(-np.where(p < 1, p, 0.5)), math.log(tiny))
        never = np.full((*batch, 1), -1e30, p.dtype)

        def trial(f, logs):
            hit, miss = logs
            moved = np.concatenate([never, f[..., :-1]], -1)
            return np.logaddexp(f + miss[..., None], moved + hit[..., None]), None

        start = np.concatenate([np.zeros((*batch, 1), p.dtype), np.full((*batch, n), -1e30, p.dtype)], -1)
        return scan(trial, start, (log_p, log_q))[0]

    def log_prob_inside(self, value):
        return pick(self.log_probs(), np.astype(value, np.int64))

    @property
    def mean(self):
        return np.sum(self.probs, -1)

    @property
    def variance(self):
        return np.sum(self.probs * (1.0 - self.probs), -1)

    @property
    def mode(self):
        return np.argmax(self.log_probs(), -1)

    def cdf(self, value):
        n = self.probs.shape[-1]
        k = np.floor(np.asarray(value))
        p = pick(np.cumsum(np.exp(self.log_probs()), -1), np.astype(np.clip(k, 0, n), np.int64))
        return np.where(k < 0, 0.0, np.where(k >= n, 1.0, np.minimum(p, 1.0)))

    def enumerate_support(self, expand=True):
        return listed(np.arange(self.probs.shape[-1] + 1), self.batch_shape, expand)
