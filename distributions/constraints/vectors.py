"""Sets of vectors: simplex, ordered vectors, spheres and balls, vectors that sum to zero."""
from ...engine import numpy as np
from ..record import static
from .base import Constraint, Independent, every, rounding


class _Simplex(Constraint):
    event_dim, words = 1, "a vector of nonnegative numbers that sum to 1"

    def check(self, x):
        return np.logical_and(every(x >= 0, 1), np.abs(np.sum(x, -1) - 1) <= rounding(x))

    def example(self, x):
        return 1.0 / x.shape[-1]


class _ColumnStochastic(Constraint):
    event_dim, words = 2, "a matrix of nonnegative numbers whose columns sum to 1"

    def check(self, x):
        return every(simplex.check(np.swapaxes(x, -1, -2)), 1)

    def example(self, x):
        return 1.0 / x.shape[-2]


class _OrderedVector(Constraint):
    event_dim, words = 1, "a vector of increasing numbers"

    def check(self, x):
        return every(x[..., 1:] > x[..., :-1], 1)

    def example(self, x):
        return np.arange(x.shape[-1], dtype=x.dtype)


class _PositiveOrderedVector(_OrderedVector):
    words = "a vector of positive increasing numbers"

    def check(self, x):
        return np.logical_and(super().check(x), x[..., 0] > 0)

    def example(self, x):
        return np.arange(1, x.shape[-1] + 1, dtype=x.dtype)


class PartiallyOrdered(Constraint):
    """The vectors with x[i] < x[j] for each pair (i, j) of `below`."""
    below: tuple = static()
    event_dim = 1

    def __init__(self, below):
        super().__init__(tuple((int(i), int(j)) for i, j in below))

    @property
    def words(self):
        return "a vector with " + ", ".join(f"x[{i}] < x[{j}]" for i, j in self.below)

    def check(self, x):
        low, high = [i for i, _ in self.below], [j for _, j in self.below]
        return every(x[..., low] < x[..., high], 1)

    def example(self, x):
        height = [0] * x.shape[-1]
        for _ in self.below:                                         # as often as the longest chain can need
            for i, j in self.below:
                height[j] = max(height[j], height[i] + 1)
        return np.asarray(height)


class _Sphere(Constraint):
    event_dim, words = 1, "a vector of length 1"

    def check(self, x):
        return np.abs(np.sum(x * x, -1) - 1) <= rounding(x)

    def example(self, x):
        return np.arange(x.shape[-1]) == x.shape[-1] - 1


class _L1Ball(Constraint):
    event_dim, words = 1, "a vector whose absolute values sum to at most 1"

    def check(self, x):
        return np.sum(np.abs(x), -1) <= 1 + rounding(x)

    def example(self, x):
        return 0.0


class ZeroSum(Constraint):
    """The arrays with `event_dim` axes that sum to zero along each of these."""
    event_dim: int = static(default=1)

    @property
    def words(self):
        return f"an array that sums to 0 along each of its last {self.event_dim} axes"

    def check(self, x):
        ok, n = True, self.event_dim
        for axis in range(-n, 0):
            size = rounding(x) * np.maximum(np.max(np.abs(x), axis), 1)
            ok = np.logical_and(ok, every(np.abs(np.sum(x, axis)) <= size, n - 1))
        return ok

    def example(self, x):
        return 0.0


class PositiveDefiniteCirculantVector(Constraint):
    """The first rows of symmetric positive definite circulant matrices: x[k] = x[n - k], real positive transform.

    size : n, which the bijection needs, for vectors of n and of n + 1 elements can have equally many free ones
    """
    size: int | None = static(default=None)
    event_dim, words = 1, "the first row of a symmetric positive definite circulant matrix"

    def check(self, x):
        slack = rounding(x) * np.max(np.abs(x), -1, keepdims=True)
        symmetric = every(np.abs(x[..., 1:] - np.flip(x[..., 1:], -1)) <= slack, 1)
        return np.logical_and(symmetric, every(np.real(np.fft.rfft(x)) > 0, 1))

    def example(self, x):
        return np.arange(x.shape[-1]) == 0


simplex, column_stochastic = _Simplex(), _ColumnStochastic()
row_stochastic = Independent(simplex, 1)
ordered_vector, positive_ordered_vector = _OrderedVector(), _PositiveOrderedVector()
sphere, l1_ball, zero_sum = _Sphere(), _L1Ball(), ZeroSum
partially_ordered = PartiallyOrdered
positive_definite_circulant_vector = PositiveDefiniteCirculantVector()
