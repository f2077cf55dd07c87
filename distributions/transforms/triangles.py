"""Vectors onto triangular and symmetric matrices."""
import numpy as _numpy

from ...engine import numpy as np
from ...engine.ops.elementwise import softplus
from .. import constraints
from ..record import child
from .base import Transform, biject_to
from .numbers import SoftplusTransform


def triangle_size(n):
    """The number of elements in the lower triangle of an n × n matrix."""
    return n * (n + 1) // 2


def triangle_side(size):
    """n, where the lower triangle of an n × n matrix has `size` elements."""
    return round(((8 * size + 1) ** 0.5 - 1) / 2)


def _places(n):
    """For each element of an n × n matrix, its index in: those below the diagonal by rows, the diagonal, one zero."""
    at = _numpy.full((n, n), triangle_size(n))
    below = _numpy.tril_indices(n, -1)
    at[below] = _numpy.arange(len(below[0]))
    at[_numpy.arange(n), _numpy.arange(n)] = len(below[0]) + _numpy.arange(n)
    return at


def diagonal(y):
    """The diagonals of matrices."""
    return np.diagonal(y, 0, -2, -1)


def below_diagonal(y):
    """The elements below the diagonal, by rows."""
    rows, columns = _numpy.tril_indices(y.shape[-1], -1)
    return y[..., rows, columns]


def lower_matrix(below, diag):
    """The lower triangular matrix with these elements below its diagonal, by rows, and on it."""
    zero = np.zeros((*below.shape[:-1], 1), below.dtype)
    return np.take(np.concatenate([below, diag, zero], -1), _places(diag.shape[-1]), -1)


class LowerCholeskyTransform(Transform):
    """n(n+1)/2 numbers onto lower triangular matrices with a positive diagonal.

    The elements below the diagonal, by rows, then the logarithms of the diagonal. log |dy/dx| = Σ of the last n numbers
    """
    domain, codomain = constraints.real_vector, constraints.lower_cholesky

    def __call__(self, x):
        below, last = self._parts(x)
        return lower_matrix(below, np.exp(last))

    def _inverse(self, y):
        y = np.asarray(y)
        return np.concatenate([below_diagonal(y), np.log(diagonal(y))], -1)

    def log_abs_det_jacobian(self, x, y):
        return np.sum(self._parts(x)[1], -1)

    def _parts(self, x):
        x = np.asarray(x)
        below = x.shape[-1] - triangle_side(x.shape[-1])
        return x[..., :below], x[..., below:]

    def forward_shape(self, shape):
        n = triangle_side(shape[-1])
        return (*shape[:-1], n, n)

    def inverse_shape(self, shape):
        return (*shape[:-2], triangle_size(shape[-1]))


class SoftplusLowerCholeskyTransform(LowerCholeskyTransform):
    """n(n+1)/2 numbers onto lower triangular matrices; with softplus of the last n.   log-det Σ -softplus(-x)"""
    codomain = constraints.softplus_lower_cholesky

    def __call__(self, x):
        below, last = self._parts(x)
        return lower_matrix(below, softplus(last))

    def _inverse(self, y):
        y = np.asarray(y)
        return np.concatenate([below_diagonal(y), _POSITIVE._inverse(diagonal(y))], -1)

    def log_abs_det_jacobian(self, x, y):
        return -np.sum(softplus(-self._parts(x)[1]), -1)


class ScaledUnitLowerCholeskyTransform(LowerCholeskyTransform):
    """n(n+1)/2 numbers onto diag(d) L: L lower triangular with a diagonal of ones, d = softplus of the last n.

    log |dy/dx| = Σᵢ i log dᵢ - softplus(-xᵢ), i = 0 … n-1
    """
    codomain = constraints.scaled_unit_lower_cholesky

    def __call__(self, x):
        below, last = self._parts(x)
        return lower_matrix(below, np.ones_like(last)) * softplus(last)[..., None]

    def _inverse(self, y):
        y = np.asarray(y)
        d = diagonal(y)
        return np.concatenate([below_diagonal(y / d[..., None]), _POSITIVE._inverse(d)], -1)

    def log_abs_det_jacobian(self, x, y):
        last, d = self._parts(x)[1], diagonal(np.asarray(y))
        return np.sum(_numpy.arange(d.shape[-1]).astype(d.dtype) * np.log(d) - softplus(-last), -1)


class UnitLowerCholeskyTransform(Transform):
    """n(n-1)/2 numbers, by rows, below a diagonal of ones.   log |dy/dx| = 0"""
    domain = constraints.real_vector
    codomain: constraints.Constraint = constraints.unit_lower_cholesky

    def __call__(self, x):
        x = np.asarray(x)
        return lower_matrix(x, np.ones((*x.shape[:-1], triangle_side(x.shape[-1]) + 1), x.dtype))

    def _inverse(self, y):
        return below_diagonal(np.asarray(y))

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.zeros(x.shape[:-1], x.dtype)

    def forward_shape(self, shape):
        n = triangle_side(shape[-1]) + 1
        return (*shape[:-1], n, n)

    def inverse_shape(self, shape):
        return (*shape[:-2], triangle_size(shape[-1] - 1))


class CorrCholeskyTransform(UnitLowerCholeskyTransform):
    """n(n-1)/2 numbers, by rows, onto the Cholesky factors of correlation matrices; x = 0 gives the identity.

        tᵢⱼ = tanh(xᵢⱼ), the canonical partial correlations
        yᵢⱼ = tᵢⱼ √Π_{k<j} (1 - tᵢₖ²),  yᵢᵢ = √Π_{k<i} (1 - tᵢₖ²)
        log |dy/dx| = Σ_{i>j} (1 + (i - j - 1) / 2) log(1 - tᵢⱼ²), over the elements below the diagonal

    Source: Lewandowski, Kurowicka & Joe (2009), Journal of Multivariate Analysis 100, section 2; Stan Reference Manual,
    'Cholesky factors of correlation matrices'.
    """
    codomain = constraints.corr_cholesky

    def __call__(self, x):
        x = np.asarray(x)
        n = triangle_side(x.shape[-1]) + 1
        diag = (*x.shape[:-1], n)
        partial = lower_matrix(np.tanh(x), np.ones(diag, x.dtype))
        shrink = lower_matrix(log_sech_squared(x), np.zeros(diag, x.dtype))
        return partial * np.exp(0.5 * (np.cumsum(shrink, -1) - shrink))

    def _inverse(self, y):
        y = np.asarray(y)
        rest = np.flip(np.cumsum(np.flip(y * y, -1), -1), -1)
        after = below_diagonal(np.roll(rest, -1, -1))                        # Σ_{k>j} yᵢₖ²: 1 - t² keeps its digits
        return np.arcsinh(below_diagonal(y) / np.sqrt(after))

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        rows, columns = _numpy.tril_indices(triangle_side(x.shape[-1]) + 1, -1)
        return np.sum((0.5 * (rows - columns + 1)).astype(x.dtype) * log_sech_squared(x), -1)


CorrLCholeskyTransform = CorrCholeskyTransform


def log_sech_squared(x):
    """log(1 - tanh(x)²) = 2 (log 2 - |x| - softplus(-2|x|))"""
    a = np.abs(x)
    return 2.0 * (_LOG2 - a - softplus(-2.0 * a))


class SymmetricTransform(Transform):
    """n(n+1)/2 numbers onto symmetric matrices: those below the diagonal, by rows, then the diagonal.   log-det 0"""
    domain = constraints.real_vector
    codomain: constraints.Constraint = constraints.symmetric

    def __call__(self, x):
        x = np.asarray(x)
        places = _places(triangle_side(x.shape[-1]))
        return np.take(x, _numpy.minimum(places, places.T), -1)

    def _inverse(self, y):
        y = np.asarray(y)
        return np.concatenate([below_diagonal(y), diagonal(y)], -1)

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.zeros(x.shape[:-1], x.dtype)

    forward_shape, inverse_shape = LowerCholeskyTransform.forward_shape, LowerCholeskyTransform.inverse_shape


def _spiral(n):
    """For each element of the lower triangle, its index among n(n+1)/2 numbers in TFP's order."""
    m = triangle_size(n)
    order = _numpy.concatenate([_numpy.arange(n, m), _numpy.arange(m)[::-1]]).reshape((n, n))
    return _numpy.where(_numpy.tri(n, dtype=bool), order, m)


class FillTriangularTransform(SymmetricTransform):
    """n(n+1)/2 numbers into a lower triangle, in TFP's order: 0 … 5 become [[3, 0, 0], [5, 4, 0], [2, 1, 0]]."""
    codomain = constraints.lower_triangular

    def __call__(self, x):
        x = np.asarray(x)
        padded = np.concatenate([x, np.zeros((*x.shape[:-1], 1), x.dtype)], -1)
        return np.take(padded, _spiral(triangle_side(x.shape[-1])), -1)

    def _inverse(self, y):
        y = np.asarray(y)
        rows, columns = _spiral_places(y.shape[-1])
        return y[..., rows, columns]


def _spiral_places(n):
    """The row and the column of each of the n(n+1)/2 numbers."""
    at = _spiral(n).reshape(-1)
    places = _numpy.argsort(at, kind="stable")[:triangle_size(n)]
    return places // n, places % n


class FillScaleTriLTransform(FillTriangularTransform):
    """`FillTriangularTransform`, then `diag_bijector` (softplus) on the diagonal and diag_shift (1e-5) added there."""
    diag_bijector: Transform = child(default=SoftplusTransform())
    diag_shift: float = child(default=1e-5)
    codomain = constraints.lower_cholesky

    def __call__(self, x):
        y = super().__call__(x)
        return y + _on_diagonal(self.diag_bijector(diagonal(y)) + self.diag_shift - diagonal(y))

    def _inverse(self, y):
        y = np.asarray(y)
        d = diagonal(y)
        return super()._inverse(y + _on_diagonal(self.diag_bijector._inverse(d - self.diag_shift) - d))

    def log_abs_det_jacobian(self, x, y):
        x, d = np.asarray(x), diagonal(np.asarray(y)) - self.diag_shift
        rows, columns = _spiral_places(d.shape[-1])
        at = _numpy.flatnonzero(rows == columns)                # where the diagonal stands in x, and in which order
        return np.sum(self.diag_bijector.log_abs_det_jacobian(x[..., at], d[..., rows[at]]), -1)


def _on_diagonal(d):
    return d[..., None] * np.eye(d.shape[-1], dtype=d.dtype)


_POSITIVE, _LOG2 = SoftplusTransform(), float(_numpy.log(2.0))

biject_to.register(constraints.lower_cholesky, lambda c: LowerCholeskyTransform())
biject_to.register(constraints.softplus_lower_cholesky, lambda c: SoftplusLowerCholeskyTransform())
biject_to.register(constraints.scaled_unit_lower_cholesky, lambda c: ScaledUnitLowerCholeskyTransform())
biject_to.register(constraints.unit_lower_cholesky, lambda c: UnitLowerCholeskyTransform())
biject_to.register(constraints.corr_cholesky, lambda c: CorrCholeskyTransform())
biject_to.register(constraints.symmetric, lambda c: SymmetricTransform())
biject_to.register(constraints.lower_triangular, lambda c: FillTriangularTransform())
