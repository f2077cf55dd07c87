"""Random partitions of n things: the Chinese restaurant process."""
import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.control import scan
from ..engine.errors import ParameterError
from . import constraints
from .counting import listed
from .distribution import Distribution
from .record import ArrayLike, param, static


class _Appearance(constraints.Constraint):
    event_dim, is_discrete, words = 1, True, "a vector of integers, each at most 1 above those before it, from 0 on"

    def check(self, x):
        highest = np.maximum.accumulate(x, -1)
        allowed = np.concatenate([np.zeros_like(x[..., :1]), highest[..., :-1] + 1], -1)
        return np.all(np.logical_and(np.logical_and(x >= 0, x <= allowed), np.floor(x) == x), -1)

    def example(self, x):
        return 0


in_order_of_appearance = _Appearance()


def partitions(n):
    """All partitions of n things, as the cluster of each in order of appearance: int[Bell(n), n]."""
    rows = [[0]]
    for _ in range(n - 1):
        rows = [[*row, k] for row in rows for k in range(max(row) + 2)]
    return _numpy.array(rows)


class ChineseRestaurantProcess(Distribution):
    """A partition of n things into clusters, by clusters in order of appearance: 0 for the first thing, and for any
    other the cluster of an earlier thing, or the next number. It is the partition that n draws from a Dirichlet
    process, or with a discount from a Pitman-Yor process, make by being equal.

        P(xᵢ = k | x₀ … xᵢ₋₁) = (mₖ - d) / (θ + i) for a cluster of mₖ things, (θ + K d) / (θ + i) for a new one after K
        log p(x) = Σ_{0<k<K} log(θ + k d) + Σ_clusters Σ_{0<j<m} log(j - d) - Σ_{0<i<n} log(θ + i)

    The probability depends on the sizes alone (the exchangeable partition probability function).

    concentration θ : float[*batch], > -d     size n : int, > 0     discount d : float[*batch], in [0, 1)
    sample : int[*shape, *batch, n]
    Source: Pitman (2006), Combinatorial Stochastic Processes, equation 3.6.

    >>> float(ChineseRestaurantProcess(1.0, 3).prob([0, 0, 1])).__round__(6)
    0.166667
    """
    concentration: ArrayLike = param(lambda self: constraints.greater_than(-self.discount))
    size: int = static()
    discount: ArrayLike = param(constraints.half_open_interval(0.0, 1.0), default=0.0)
    support = in_order_of_appearance
    has_enumerate_support = True

    def __init__(self, concentration, size, discount=0.0, *, validate_args=None):
        super().__init__(concentration, checked_size("ChineseRestaurantProcess", "size", size), discount,
                         validate_args=validate_args)

    @property
    def event_shape(self):
        return (self.size,)

    def sample(self, key, sample_shape=()):
        lead, n = (*sample_shape, *self.batch_shape), self.size
        theta, d = self.concentration[..., None], self.discount[..., None]
        u = random.uniform(key, (n, *lead, 1), self.dtype)
        clusters = _numpy.arange(n)

        def step(counts, u):
            used = np.sum(counts > 0, -1, keepdims=True)
            weights = np.where(counts > 0, counts - d, np.where(clusters == used, np.maximum(theta + used * d, 0.0),
                                                                0.0))
            weights = np.where(used > 0, weights, clusters == 0)
            total = np.cumsum(weights, -1)
            k = np.sum(total <= u * total[..., -1:], -1, keepdims=True)
            k = np.minimum(k, np.minimum(used, n - 1))                    # rounding must not open a second new cluster
            return counts + (clusters == k), k[..., 0]
        return np.moveaxis(scan(step, np.zeros((*lead, n), self.dtype), u)[1], 0, -1)

    def log_prob_inside(self, value):
        n, dtype = self.size, self.dtype
        theta, d = self.concentration[..., None], self.discount[..., None]
        i = _numpy.arange(1, n, dtype=dtype)
        earlier = np.astype(ranks(np.asarray(value)), dtype)
        opened = np.sum(earlier == 0, -1, keepdims=True)
        joined = np.where(earlier > 0, np.log(np.maximum(earlier, 1.0) - d), 0.0)
        return (np.sum(np.where(i < opened, np.log(theta + i * d), 0.0), -1) + np.sum(joined, -1)
                - np.sum(np.log(theta + i), -1))

    def enumerate_support(self, expand=True):
        return listed(partitions(self.size), self.batch_shape, expand)

    @property
    def mean_clusters(self):
        """The expected number of clusters: K grows by one with probability (θ + K d) / (θ + i)."""
        theta, d = self.concentration, self.discount
        total = np.ones(self.batch_shape, self.dtype)
        for i in range(1, self.size):
            total = total + (theta + total * d) / (theta + i)
        return total


def ranks(x):
    """For each thing, in another order, how many earlier ones are in its cluster: x, int[*lead, n], sorted."""
    x = np.sort(x, -1)
    places = np.broadcast_to(_numpy.arange(x.shape[-1]), x.shape)
    begins = np.concatenate([np.ones_like(x[..., :1], np.bool_), x[..., 1:] != x[..., :-1]], -1)
    return places - np.maximum.accumulate(np.where(begins, places, 0), -1)


def checked_size(family, name, n):
    """n, if it is a whole number > 0."""
    if not isinstance(n, int | _numpy.integer) or n < 1:
        raise ParameterError(f"{family}: {name} must be a whole number > 0, as a Python int; got {n!r}.")
    return int(n)
