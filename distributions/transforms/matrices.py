"""Bijections between sets of matrices: Cholesky factors, inverses, and products."""
import math

import numpy as _numpy

from ...engine import numpy as np
from ...engine.numpy.linalg import cholesky, qr
from ...engine.scipy.linalg import solve_triangular
from .. import constraints
from .base import ComposeTransform, IdentityTransform, Transform, biject_to
from .triangles import CorrCholeskyTransform, LowerCholeskyTransform, diagonal


def _times_transpose(y):
    y = np.asarray(y)
    return np.matmul(y, np.swapaxes(y, -1, -2))


def _inverse_triangle(x):
    x = np.asarray(x)
    eye = np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)
    return solve_triangular(x, eye, lower=True)


class CholeskyTransform(Transform):
    """The lower triangular y with y y' = x, for positive definite x.

    log |det dy/dx| over the lower triangles is -n log 2 - Σᵢ (n - i) log yᵢᵢ, i = 0 … n-1.
    Source: Muirhead (1982), Aspects of Multivariate Statistical Theory, theorem 2.1.9.
    """
    domain, codomain = constraints.positive_definite, constraints.lower_cholesky

    def __call__(self, x):
        return cholesky(x)

    def _inverse(self, y):
        return _times_transpose(y)

    def log_abs_det_jacobian(self, x, y):
        return -_squaring(np.asarray(y))


def _squaring(y):
    """log |det d(y y')/dy| for lower triangular y."""
    n = y.shape[-1]
    powers = _numpy.arange(n, 0, -1).astype(y.dtype)
    return np.sum(powers * np.log(diagonal(y)), -1) + n * math.log(2)


class CholeskyOuterProductTransform(Transform):
    """y = x x', for lower triangular x with a positive diagonal: `CholeskyTransform` backwards."""
    domain, codomain = constraints.lower_cholesky, constraints.positive_definite

    def __call__(self, x):
        return _times_transpose(x)

    def _inverse(self, y):
        return cholesky(y)

    def log_abs_det_jacobian(self, x, y):
        return _squaring(np.asarray(x))


class CorrMatrixCholeskyTransform(CholeskyTransform):
    """The lower triangular y with y y' = x, for a correlation matrix x.

    log |det dy/dx| over the elements below the diagonals is -Σᵢ (n - 1 - i) log yᵢᵢ, i = 0 … n-1.
    Source: Stan Reference Manual, 'Correlation matrix transform'.
    """
    domain, codomain = constraints.corr_matrix, constraints.corr_cholesky

    def log_abs_det_jacobian(self, x, y):
        y = np.asarray(y)
        return -np.sum(_numpy.arange(y.shape[-1] - 1, -1, -1).astype(y.dtype) * np.log(diagonal(y)), -1)


class MatrixInverseTriLTransform(Transform):
    """y = x⁻¹ for lower triangular x without zeros on the diagonal.   log |dy/dx| = -(n + 1) Σ log |xᵢᵢ|"""
    domain = codomain = constraints.lower_triangular

    def __call__(self, x):
        return _inverse_triangle(x)

    def _inverse(self, y):
        return _inverse_triangle(y)

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return -(x.shape[-1] + 1) * np.sum(np.log(np.abs(diagonal(x))), -1)


class CholeskyToInvCholeskyTransform(Transform):
    """The Cholesky factor of (x x')⁻¹, from that of x x'; it undoes itself.

    With J the reversal of rows, a QR decomposition of x'J gives J x x' J = r'r without forming it, and y = J r⁻¹ J.
    log |dy/dx| = Σᵢ (n - i) (log xᵢᵢ - log yᵢᵢ) - 2 (n + 1) Σᵢ log xᵢᵢ, by Muirhead (1982), section 2.1.
    """
    domain = codomain = constraints.lower_cholesky

    def __call__(self, x):
        x = np.asarray(x)
        r = qr(np.flip(np.swapaxes(x, -1, -2), -1))[1]
        r = r * np.sign(diagonal(r))[..., None]
        return _inverse_triangle(np.flip(r, (-1, -2)))

    def _inverse(self, y):
        return self(y)

    def log_abs_det_jacobian(self, x, y):
        x, y = np.asarray(x), np.asarray(y)
        n, log = x.shape[-1], np.log(diagonal(x))
        powers = _numpy.arange(n, 0, -1).astype(x.dtype)
        return np.sum(powers * (log - np.log(diagonal(y))) - (2.0 * n + 2.0) * log, -1)


biject_to.register(constraints.positive_definite, lambda c: ComposeTransform(           # semidefinite with it
    (LowerCholeskyTransform(), CholeskyOuterProductTransform())))
biject_to.register(constraints.corr_matrix, lambda c: ComposeTransform(
    (CorrCholeskyTransform(), CorrMatrixCholeskyTransform().inv)))
biject_to.register(constraints.square, lambda c: IdentityTransform(2))
