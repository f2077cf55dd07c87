"""Sets of real and complex numbers: half lines, intervals, the circle."""
import math

from ...engine import numpy as np
from ..record import ArrayLike, child
from .base import AffineImage, Constraint, Independent, inclusive


class _Real(Constraint):
    words, everything = "finite", True

    def check(self, x):
        return np.isfinite(x)

    def example(self, x):
        return 0.0


class _Complex(_Real):
    words = "a finite complex number"


class _Positive(Constraint):
    words = "positive"

    def check(self, x):
        return x > 0

    def example(self, x):
        return 1.0


class _SoftplusPositive(_Positive):
    """The positive numbers, reached by softplus instead of exp."""


class _Nonnegative(_Positive):
    words = "nonnegative"

    def check(self, x):
        return x >= 0


class _UnitInterval(Constraint):
    words = "in [0, 1]"

    def check(self, x):
        return inclusive(x, 0, 1)

    def example(self, x):
        return 0.5


class GreaterThan(Constraint):
    """The numbers x > lower_bound."""
    lower_bound: ArrayLike = child()
    relation = ">"

    @property
    def words(self):
        return f"{self.relation} {self.lower_bound}"

    def check(self, x):
        return x > self.lower_bound

    def example(self, x):
        return self.lower_bound + 1.0


class GreaterThanEq(GreaterThan):
    """The numbers x >= lower_bound."""
    relation = ">="

    def check(self, x):
        return x >= self.lower_bound


class LessThan(Constraint):
    """The numbers x < upper_bound."""
    upper_bound: ArrayLike = child()
    relation = "<"

    @property
    def words(self):
        return f"{self.relation} {self.upper_bound}"

    def check(self, x):
        return x < self.upper_bound

    def example(self, x):
        return self.upper_bound - 1.0


class LessThanEq(LessThan):
    """The numbers x <= upper_bound."""
    relation = "<="

    def check(self, x):
        return x <= self.upper_bound


class Interval(Constraint):
    """The numbers lower_bound <= x <= upper_bound."""
    lower_bound: ArrayLike = child()
    upper_bound: ArrayLike = child()

    @property
    def words(self):
        return f"in [{self.lower_bound}, {self.upper_bound}]"

    def check(self, x):
        return inclusive(x, self.lower_bound, self.upper_bound)

    def example(self, x):
        return (np.asarray(self.lower_bound) + self.upper_bound) * 0.5


class OpenInterval(Interval):
    """The numbers lower_bound < x < upper_bound."""

    @property
    def words(self):
        return f"in ({self.lower_bound}, {self.upper_bound})"

    def check(self, x):
        return np.logical_and(x > self.lower_bound, x < self.upper_bound)


class HalfOpenInterval(Interval):
    """The numbers lower_bound <= x < upper_bound."""

    @property
    def words(self):
        return f"in [{self.lower_bound}, {self.upper_bound})"

    def check(self, x):
        return np.logical_and(x >= self.lower_bound, x < self.upper_bound)


class _Circular(Constraint):
    """Angles: the numbers of [-π, π], whose ends are one point of the circle."""
    words = "an angle in [-pi, pi]"

    def check(self, x):
        return np.abs(x) <= math.pi

    def example(self, x):
        return 0.0


def offset_multiplier(offset, multiplier):
    """The real numbers, reached by x = offset + multiplier z: Stan's `<offset=, multiplier=>`."""
    return AffineImage(real, offset, multiplier)


real, positive, nonnegative, unit_interval = _Real(), _Positive(), _Nonnegative(), _UnitInterval()
complex, softplus_positive, circular = _Complex(), _SoftplusPositive(), _Circular()  # noqa: A001 (the set's name)
greater_than, greater_than_eq, less_than, less_than_eq = GreaterThan, GreaterThanEq, LessThan, LessThanEq
interval, open_interval, half_open_interval = Interval, OpenInterval, HalfOpenInterval
negative = LessThan(0.0)
real_vector, real_matrix = Independent(real, 1), Independent(real, 2)
