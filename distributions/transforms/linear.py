"""Linear maps of vectors: triangular, diagonal, orthogonal, exponentials of matrices, linear recursions."""
import numpy as _numpy

from ...engine import numpy as np
from ...engine import random
from ...engine.control import scan
from ...engine.errors import ParameterError
from ...engine.scipy.linalg import expm, solve_triangular
from .. import constraints
from ..record import ArrayLike, child, static
from .base import Transform, beside
from .triangles import diagonal


def _matvec(a, x):
    return np.matmul(a, np.asarray(x)[..., None])[..., 0]


def _solve(a, y, lower=True, unit=False):
    """a⁻¹ y for triangular a, with batch axes broadcast."""
    a, y = np.asarray(a), np.asarray(y)
    if a.ndim == 2 and y.ndim > 1:                                # one matrix for all: one solve with many sides
        flat = y.reshape((-1, y.shape[-1])).T
        return solve_triangular(a, flat, lower=lower, unit_diagonal=unit).T.reshape(y.shape)
    batch = np.broadcast_shapes(a.shape[:-2], y.shape[:-1])
    a, y = np.broadcast_to(a, (*batch, *a.shape[-2:])), np.broadcast_to(y, (*batch, y.shape[-1]))
    return solve_triangular(a, y[..., None], lower=lower, unit_diagonal=unit)[..., 0]


class _Vector(Transform):
    """A bijection of real vectors onto real vectors; `_stretch` is its log-det if that does not depend on x."""
    domain = codomain = constraints.real_vector

    def _stretch(self):
        return 0.0

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.broadcast_to(np.asarray(self._stretch(), x.dtype), np.shape(y)[:-1])


class ScaleMatvecDiagTransform(_Vector):
    """y = scale_diag x, element by element.   log |dy/dx| = Σ log |scale_diag|

    scale_diag : float[*batch, n], none of them 0
    """
    scale_diag: ArrayLike = child()

    def __call__(self, x):
        return self.scale_diag * np.asarray(x)

    def _inverse(self, y):
        return np.asarray(y) / self.scale_diag

    def _stretch(self):
        return np.sum(np.log(np.abs(self.scale_diag)), -1)


class ScaleMatvecTriLTransform(_Vector):
    """y = scale_tril x.   log |dy/dx| = Σ log |diagonal|

    scale_tril : float[*batch, n, n], lower triangular, no 0 on the diagonal
    """
    scale_tril: ArrayLike = child()

    def __call__(self, x):
        return _matvec(np.tril(self.scale_tril), x)

    def _inverse(self, y):
        return _solve(self.scale_tril, y)

    def _stretch(self):
        return np.sum(np.log(np.abs(diagonal(np.asarray(self.scale_tril)))), -1)


class LowerCholeskyAffine(_Vector):
    """y = loc + scale_tril x.   log |dy/dx| = Σ log diagonal

    loc : float[*batch, n]      scale_tril : float[*batch, n, n], lower triangular with a positive diagonal
    """
    loc: ArrayLike = child()
    scale_tril: ArrayLike = child()

    def __call__(self, x):
        return self.loc + _matvec(np.tril(self.scale_tril), x)

    def _inverse(self, y):
        return _solve(self.scale_tril, np.asarray(y) - self.loc)

    def _stretch(self):
        return np.sum(np.log(diagonal(np.asarray(self.scale_tril))), -1)


class ScaleMatvecLUTransform(_Vector):
    """y = P L U x, the pieces of an LU decomposition: O(n²) both ways.   log |dy/dx| = Σ log |diagonal of U|

    lower_upper : float[n, n], U on and above the diagonal, L below it (its diagonal of ones is not stored)
    permutation : (P z)[permutation[i]] = z[i]; known beforehand (part of the type, not a leaf)
    Source: Kingma & Dhariwal (2018), Glow, section 3.2.
    """
    lower_upper: ArrayLike = child()
    permutation: tuple = static()

    def __init__(self, lower_upper, permutation):
        super().__init__(lower_upper, _checked(permutation))

    def __call__(self, x):
        both = np.asarray(self.lower_upper)
        lower = np.tril(both, -1) + np.eye(both.shape[-1], dtype=both.dtype)
        return np.take(_matvec(lower, _matvec(np.triu(both), x)), _numpy.argsort(self.permutation), -1)

    def _inverse(self, y):
        both = np.asarray(self.lower_upper)
        z = _solve(both, np.take(np.asarray(y), _numpy.asarray(self.permutation), -1), lower=True, unit=True)
        return _solve(both, z, lower=False)

    def _stretch(self):
        return np.sum(np.log(np.abs(diagonal(np.asarray(self.lower_upper)))), -1)


class MatrixExponentialTransform(_Vector):
    """y = exp(weights) x, which is always invertible.   log |dy/dx| = trace(weights)

    weights : float[*batch, n, n]
    Source: Hoogeboom, Satorras, Tomczak & Welling (2020), The Convolution Exponential, section 3.
    """
    weights: ArrayLike = child()

    def __call__(self, x):
        return _matvec(expm(np.asarray(self.weights)), x)

    def _inverse(self, y):
        return _matvec(expm(-np.asarray(self.weights)), y)

    def _stretch(self):
        return np.sum(diagonal(np.asarray(self.weights)), -1)


class HouseholderTransform(_Vector):
    """y = Hₖ … H₁ x with the reflections H = I - 2 v v' / |v|²: an orthogonal map.   log |dy/dx| = 0

    directions : float[k, n], the vectors v, none of them 0
    Source: Tomczak & Welling (2016), Improving Variational Auto-Encoders using Householder Flow.
    """
    directions: ArrayLike = child()

    @classmethod
    def init(cls, key, dim, count=1):
        """`count` random reflections of vectors of `dim` elements."""
        return cls(random.normal(key, (count, dim)))

    def __call__(self, x):
        return self._reflect(x, range(self._count))

    def _inverse(self, y):
        return self._reflect(y, range(self._count)[::-1])

    @property
    def _count(self):
        return np.shape(self.directions)[-2]

    def _reflect(self, x, order):
        x, directions = np.asarray(x), np.asarray(self.directions)
        for i in order:
            v = directions[..., i, :]
            x = x - 2.0 * np.sum(v * x, -1, keepdims=True) / np.sum(v * v, -1, keepdims=True) * v
        return x


class CumsumTransform(Transform):
    """Running sums along an axis, counted from the last one (-1).   log |dy/dx| = 0"""
    axis: int = static(default=-1)

    @property
    def domain(self):
        return constraints.independent(constraints.real, -self.axis)

    @property
    def codomain(self):
        return constraints.independent(constraints.real, -self.axis)

    def __call__(self, x):
        return np.cumsum(x, self.axis)

    def _inverse(self, y):
        y = np.asarray(y)
        first = (..., slice(0, 1), *(slice(None),) * (-self.axis - 1))
        return np.concatenate([y[first], np.diff(y, axis=self.axis)], self.axis)

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.zeros(x.shape[:x.ndim + self.axis], x.dtype)


class RecursiveLinearTransform(Transform):
    """yₜ = A yₜ₋₁ + xₜ, the path of a linear recursion driven by x.   log |dy/dx| = 0

    x : float[*batch, time, n]
    transition_matrix : A, float[n, n] or float[*batch, n, n]      initial_value : y₋₁, float[*batch, n], 0 unless given
    """
    transition_matrix: ArrayLike = child()
    initial_value: ArrayLike | None = child(default=None)
    domain = codomain = constraints.real_matrix

    def __call__(self, x):
        matrix, first = np.asarray(self.transition_matrix), self._first(np.asarray(x))
        x = np.asarray(x, first.dtype)
        inputs = np.broadcast_to(x, (*first.shape[:-1], *x.shape[-2:]))

        def step(last, x):
            y = _matvec(matrix, last) + x
            return y, y
        return np.moveaxis(scan(step, first, np.moveaxis(inputs, -2, 0))[1], 0, -2)

    def _inverse(self, y):
        y = np.asarray(y)
        first = self._first(y)[..., None, :]
        earlier = np.broadcast_to(y[..., :-1, :], (*first.shape[:-2], y.shape[-2] - 1, y.shape[-1]))
        before = np.concatenate([first, earlier], -2)
        return y - np.matmul(before, np.swapaxes(np.asarray(self.transition_matrix), -1, -2))

    def _first(self, x):
        """y₋₁ with all the batch axes, of the dtype of the result."""
        matrix = np.asarray(self.transition_matrix)
        given = beside(0.0 if self.initial_value is None else self.initial_value, x)
        batch = np.broadcast_shapes(x.shape[:-2], matrix.shape[:-2], given.shape[:-1])
        return np.broadcast_to(np.asarray(given, np.result_type(x, matrix, given)), (*batch, matrix.shape[-1]))

    def log_abs_det_jacobian(self, x, y):
        y = np.asarray(y)
        return np.zeros(y.shape[:-2], y.dtype)


class PermuteTransform(_Vector):
    """y = x[permutation] along the last axis.   log |dy/dx| = 0

    permutation : each of 0 … n-1 once, known beforehand (part of the type, not a leaf)
    """
    permutation: tuple = static()

    def __init__(self, permutation):
        super().__init__(_checked(permutation))

    def __call__(self, x):
        return _taken(np.asarray(x), _numpy.asarray(self.permutation))

    def _inverse(self, y):
        return _taken(np.asarray(y), _numpy.argsort(self.permutation))


def _taken(x, at):
    """x[..., at]; the other way round without indices, whose transpose would be a loop over the elements."""
    return np.flip(x, -1) if _numpy.array_equal(at, _numpy.arange(len(at))[::-1]) else np.take(x, at, -1)


def _checked(permutation):
    """A permutation as a tuple, or an error."""
    at = _numpy.asarray(permutation)
    if at.ndim != 1 or not _numpy.array_equal(_numpy.sort(at), _numpy.arange(len(at))):
        raise ParameterError(f"permutation must have each of 0 … n-1 once, along one axis; got {at.tolist()}.")
    return tuple(at.tolist())
