"""Sets of integers, and of vectors of integers."""
from ...engine import numpy as np
from ..record import ArrayLike, child
from .base import Constraint, every, inclusive, whole


class _Boolean(Constraint):
    is_discrete, words = True, "0 or 1"

    def check(self, x):
        return x == x if x.dtype.kind == "b" else np.logical_or(x == 0, x == 1)

    def example(self, x):
        return 0


class _Integer(Constraint):
    is_discrete, words = True, "an integer"

    def check(self, x):
        return x == x if whole(x) is True else np.logical_and(np.isfinite(x), whole(x))

    def example(self, x):
        return 0


class _NonnegativeInteger(Constraint):
    is_discrete, words, least = True, "a nonnegative integer", 0

    def check(self, x):
        integer = whole(x)
        return x >= self.least if integer is True else np.logical_and(x >= self.least, integer)

    def example(self, x):
        return self.least


class _PositiveInteger(_NonnegativeInteger):
    words, least = "a positive integer", 1


class IntegerGreaterThan(Constraint):
    """The integers n > lower_bound."""
    lower_bound: ArrayLike = child()
    is_discrete = True

    @property
    def words(self):
        return f"an integer > {self.lower_bound}"

    def check(self, x):
        return np.logical_and(x > self.lower_bound, whole(x))

    def example(self, x):
        return self.lower_bound + 1


class IntegerInterval(Constraint):
    """The integers lower_bound <= n <= upper_bound."""
    lower_bound: ArrayLike = child()
    upper_bound: ArrayLike = child()
    is_discrete = True

    @property
    def words(self):
        return f"an integer in [{self.lower_bound}, {self.upper_bound}]"

    def check(self, x):
        integer, inside = whole(x), inclusive(x, self.lower_bound, self.upper_bound)
        return inside if integer is True else np.logical_and(inside, integer)

    def example(self, x):
        return self.lower_bound


class _OneHot(Constraint):
    event_dim, is_discrete, words = 1, True, "a vector with one 1 and else zeros"

    def check(self, x):
        return np.logical_and(every(np.logical_or(x == 0, x == 1), 1), np.sum(x, -1) == 1)

    def example(self, x):
        return np.arange(x.shape[-1]) == 0


class Multinomial(Constraint):
    """The vectors of nonnegative integers that sum to upper_bound, int[*batch]."""
    upper_bound: ArrayLike = child()
    event_dim, is_discrete = 1, True

    @property
    def words(self):
        return f"a vector of nonnegative integers that sum to {self.upper_bound}"

    def check(self, x):
        return np.logical_and(every(nonnegative_integer.check(x), 1), np.sum(x, -1) == self.upper_bound)

    def example(self, x):
        return np.asarray(self.upper_bound)[..., None] * (np.arange(x.shape[-1]) == 0)


boolean, integer = _Boolean(), _Integer()
nonnegative_integer, positive_integer = _NonnegativeInteger(), _PositiveInteger()
integer_interval, integer_greater_than = IntegerInterval, IntegerGreaterThan
one_hot, multinomial = _OneHot(), Multinomial
