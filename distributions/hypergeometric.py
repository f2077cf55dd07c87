"""The hypergeometric distribution: good ones in a sample without replacement."""
from ..engine import numpy as np
from ..engine import random
from . import constraints
from .counting import cdf_by_sum, known, listed, log_choose, the_same_for_all
from .distribution import Distribution
from .record import ArrayLike, param


def _part_of_whole(d):
    return constraints.integer_interval(0, d.N)


class HyperGeometric(Distribution):
    """HyperGeometric(N, k, n): the number of good ones among n drawn out of N, of which k are good.

        log p(x) = log C(k, x) + log C(N - k, n - x) - log C(N, n)        mean n k / N

    N, k, n : int[*batch], 0 <= k, n <= N          sample : int[*shape, *batch], in [max(0, n - N + k), min(k, n)]
    Source: Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, ch. 6.

    >>> float(HyperGeometric(10, 5, 4).mean)
    2.0
    """
    N: ArrayLike = param(constraints.nonnegative_integer)
    k: ArrayLike = param(_part_of_whole, is_discrete=True)
    n: ArrayLike = param(_part_of_whole, is_discrete=True)
    is_discrete = True

    def _ends(self):
        return np.maximum(self.n - (self.N - self.k), 0), np.minimum(self.k, self.n)

    @property
    def support(self):
        return constraints.integer_interval(*self._ends())

    def _numbers(self):
        return (np.astype(v, self.dtype) for v in (self.N, self.k, self.n))

    def sample(self, key, sample_shape=()):
        return random.hypergeometric(key, self.k, self.N - self.k, self.n, self.shape(sample_shape))

    def log_prob_inside(self, value):
        N, k, n = self._numbers()
        x = np.astype(value, self.dtype)
        return log_choose(k, x) + log_choose(N - k, n - x) - log_choose(N, n)

    @property
    def mean(self):
        N, k, n = self._numbers()
        return n * (k / np.maximum(N, 1.0))

    @property
    def variance(self):
        N, k, n = self._numbers()
        N, less = np.maximum(N, 1.0), np.maximum(N - 1.0, 1.0)
        return n * (k / N) * ((N - k) / N) * ((N - n) / less)

    @property
    def mode(self):
        N, k, n = self._numbers()
        return np.astype(np.floor((n + 1.0) * ((k + 1.0) / (N + 2.0))), np.int64)

    def cdf(self, value):
        """By adding up: the parameters must be known while tracing."""
        return cdf_by_sum(self, value, self._ends()[1], "N, k and n")

    @property
    def has_enumerate_support(self):
        return known(self.N, self.k, self.n)

    def enumerate_support(self, expand=True):
        low, high = (the_same_for_all("HyperGeometric", "the support", v) for v in self._ends())
        return listed(np.arange(low, high + 1), self.batch_shape, expand)
