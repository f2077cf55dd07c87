"""The Plackett-Luce distribution of rankings."""
from ..engine import numpy as np
from ..engine import random
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param


class _Permutation(constraints.Constraint):
    event_dim, is_discrete, words = 1, True, "a permutation of 0 … n - 1"

    def check(self, x):
        return np.all(np.sort(x, -1) == np.arange(x.shape[-1]), -1)

    def example(self, x):
        return np.arange(x.shape[-1], dtype=x.dtype)


permutation = _Permutation()


class PlackettLuce(Distribution):
    """PlackettLuce(scores w): a ranking of n things, the next drawn among those left in proportion to the scores.

        log p(π) = Σᵢ (log w_πᵢ - log Σ_{j >= i} w_πⱼ)

    scores : float[*batch, n], > 0          sample : int[*shape, *batch, n], a permutation, the first thing first
    Source: Plackett (1975), "The analysis of permutations", Applied Statistics 24.

    >>> PlackettLuce([1.0, 3.0, 2.0]).mode.tolist()
    [1, 2, 0]
    """
    scores: ArrayLike = param(constraints.Independent(constraints.positive, 1))
    support = permutation

    @property
    def event_shape(self):
        return self.scores.shape[-1:]

    def sample(self, key, sample_shape=()):
        """The order of log w + Gumbel noise (Yellott 1977)."""
        noise = random.gumbel(key, self.shape(sample_shape), np.dtype("float64"))
        return np.argsort(-(np.log(self.scores) + noise), -1)

    def log_prob_inside(self, value):
        index = np.astype(value, np.int64)
        shape = np.broadcast_shapes(index.shape, self.scores.shape)
        w = np.take_along_axis(np.broadcast_to(self.scores, shape), np.broadcast_to(index, shape), -1)
        left = np.flip(np.cumsum(np.flip(w, -1), -1), -1)
        return np.sum(np.log(w) - np.log(left), -1)

    @property
    def mode(self):
        return np.argsort(-self.scores, -1)
