"""Sets of structured values: correlation matrices and their factors, unit vectors, arrays that sum to zero."""
import math

from ..engine import numpy as np
from .constraints import Constraint, lower_cholesky, positive_definite
from .record import static


def _slack(x):
    """How far rounding may take a sum of about n terms of size one."""
    return max(1e-6, 32 * x.shape[-1] * float(np.finfo(x.dtype).eps)) if x.dtype.kind == "f" else 0.0


class CorrCholesky(Constraint):
    """Lower triangular matrices with a positive diagonal and rows of length 1."""
    event_dim, words = 2, "a lower triangular matrix with a positive diagonal and rows of length 1"

    def check(self, x):
        unit = np.all(np.abs(np.sum(x * x, -1) - 1) <= _slack(x), -1)
        return np.logical_and(lower_cholesky.check(x), unit)

    def example(self, x):
        return np.eye(x.shape[-1], dtype=x.dtype)


class CorrMatrix(Constraint):
    """Symmetric positive definite matrices with a unit diagonal."""
    event_dim, words = 2, "a symmetric positive definite matrix with a diagonal of ones"

    def check(self, x):
        ones = np.all(np.abs(np.diagonal(x, 0, -2, -1) - 1) <= _slack(x), -1)
        return np.logical_and(positive_definite.check(x), ones)

    def example(self, x):
        return np.eye(x.shape[-1], dtype=x.dtype)


class Sphere(Constraint):
    """Vectors of length 1."""
    event_dim, words = 1, "a vector of length 1"

    def check(self, x):
        return np.abs(np.sum(x * x, -1) - 1) <= _slack(x)

    def example(self, x):
        return 1.0 / math.sqrt(x.shape[-1])


class L1Ball(Constraint):
    """Vectors whose absolute values sum to at most 1."""
    event_dim, words = 1, "a vector of numbers whose absolute values sum to at most 1"

    def check(self, x):
        return np.sum(np.abs(x), -1) <= 1 + _slack(x)

    def example(self, x):
        return 0.0


class ZeroSum(Constraint):
    """Arrays that sum to zero along each of the event's axes."""
    axes: int = static(default=1)

    @property
    def event_dim(self):
        return self.axes

    @property
    def words(self):
        return "an array that sums to zero along each of its axes"

    def check(self, x):
        event = tuple(range(-self.axes, 0))
        size = 1 + np.max(np.abs(x), event)
        ok = True
        for axis in event:
            sums = np.abs(np.sum(x, axis, keepdims=True))
            ok = np.logical_and(ok, np.max(sums, event) <= size * _slack(x))
        return ok

    def example(self, x):
        return 0.0


class LowerBounds(Constraint):
    """Numbers above n - 1, for the degrees of freedom of n × n matrices."""
    n: int = static()

    @property
    def words(self):
        return f"> {self.n - 1}, as the matrices are {self.n} × {self.n}"

    def check(self, x):
        return x > self.n - 1

    def example(self, x):
        return float(self.n)


corr_cholesky, corr_matrix, sphere, l1_ball, zero_sum = CorrCholesky(), CorrMatrix(), Sphere(), L1Ball(), ZeroSum
