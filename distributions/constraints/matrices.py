"""Sets of matrices: triangular, symmetric, positive definite, correlations."""
from ...engine import numpy as np
from ...engine.numpy.linalg import cholesky, eigvalsh
from .base import Constraint, every, rounding


class _Matrix(Constraint):
    """Square matrices, of which the identity is one."""
    event_dim, words = 2, "a square matrix"

    def example(self, x):
        return np.eye(x.shape[-1], dtype=x.dtype)


class _Square(_Matrix):
    @property
    def everything(self):
        return False

    def check(self, x):
        return np.logical_and(every(np.isfinite(x), 2), x.shape[-1] == x.shape[-2])


class _Symmetric(_Matrix):
    words = "a symmetric matrix"

    def check(self, x):
        slack = 1e-6 * np.max(np.abs(x), (-1, -2), keepdims=True)
        return every(np.abs(x - np.swapaxes(x, -1, -2)) <= slack, 2)


class _PositiveDefinite(_Symmetric):
    words = "a symmetric positive definite matrix"

    def check(self, x):
        return np.logical_and(super().check(x), every(np.isfinite(cholesky(x)), 2))


class _PositiveSemidefinite(_PositiveDefinite):
    words = "a symmetric positive semidefinite matrix"

    def check(self, x):
        least = np.min(eigvalsh(x), -1)
        return np.logical_and(_Symmetric.check(self, x), least >= -rounding(x) * np.max(np.abs(x), (-1, -2)))


class _CorrMatrix(_PositiveDefinite):
    words = "a positive definite matrix with a diagonal of ones"

    def check(self, x):
        return np.logical_and(super().check(x), every(np.abs(_diagonal(x) - 1) <= rounding(x), 1))


class _LowerTriangular(_Matrix):
    words = "a lower triangular matrix"

    def check(self, x):
        return every(np.tril(x) == x, 2)


class _UnitLowerCholesky(_LowerTriangular):
    words = "a lower triangular matrix with a diagonal of ones"

    def check(self, x):
        return np.logical_and(super().check(x), every(_diagonal(x) == 1, 1))


class _LowerCholesky(_LowerTriangular):
    words = "a lower triangular matrix with a positive diagonal"

    def check(self, x):
        return np.logical_and(super().check(x), every(_diagonal(x) > 0, 1))


class _SoftplusLowerCholesky(_LowerCholesky):
    """Lower triangular matrices with a positive diagonal, which is reached by softplus."""


class _ScaledUnitLowerCholesky(_LowerCholesky):
    """Lower triangular matrices with a positive diagonal, as diag(d) L with a diagonal of ones in L."""


class _CorrCholesky(_LowerCholesky):
    words = "a lower triangular matrix with a positive diagonal and rows of length 1"

    def check(self, x):
        return np.logical_and(super().check(x), every(np.abs(np.sum(x * x, -1) - 1) <= rounding(x), 1))


def _diagonal(x):
    return np.diagonal(x, 0, -2, -1)


square, symmetric = _Square(), _Symmetric()
positive_definite, positive_semidefinite, corr_matrix = _PositiveDefinite(), _PositiveSemidefinite(), _CorrMatrix()
lower_triangular, lower_cholesky, unit_lower_cholesky = _LowerTriangular(), _LowerCholesky(), _UnitLowerCholesky()
softplus_lower_cholesky, scaled_unit_lower_cholesky = _SoftplusLowerCholesky(), _ScaledUnitLowerCholesky()
corr_cholesky = _CorrCholesky()
