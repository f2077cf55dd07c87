"""Bijections onto sets of vectors and matrices: simplex, ordered vectors, triangular and positive definite matrices."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine.numpy.linalg import cholesky
from ..engine.ops.elementwise import softplus
from . import constraints
from .transforms import ComposeTransform, Transform, biject_to


class StickBreakingTransform(Transform):
    """d numbers onto the simplex of d + 1 by breaking pieces off a stick; x = 0 gives its centre.

        zₖ = 1 / (1 + exp(-uₖ)), uₖ = xₖ - log(d - k)          the part of what is left that piece k takes, k = 0 … d-1
        log yₖ = log zₖ + Σ_{j<k} log(1 - zⱼ),  log |dy/dx| = Σₖ uₖ - (d + 1 - k) softplus(uₖ)

    Source: Stan Reference Manual, section 'Unit simplex inverse transform'.
    """
    domain, codomain = constraints.real_vector, constraints.simplex

    def _logits(self, x):
        d = x.shape[-1]
        return x - _numpy.log(_numpy.arange(d, 0, -1)).astype(x.dtype)

    def __call__(self, x):
        u = self._logits(np.asarray(x))
        left = np.cumsum(softplus(u), -1)                    # -log of what is left after piece k
        return np.concatenate([np.exp(u - left), np.exp(-left[..., -1:])], -1)

    def _inverse(self, y):
        y = np.asarray(y)
        d = y.shape[-1] - 1
        left = np.flip(np.cumsum(np.flip(y, -1), -1), -1)[..., 1:]        # what is left after piece k
        return np.log(y[..., :-1]) - np.log(left) + _numpy.log(_numpy.arange(d, 0, -1)).astype(y.dtype)

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        u, d = self._logits(x), x.shape[-1]
        return np.sum(u - _numpy.arange(d + 1, 1, -1).astype(x.dtype) * softplus(u), -1)

    def forward_shape(self, shape):
        return (*shape[:-1], shape[-1] + 1)

    def inverse_shape(self, shape):
        return (*shape[:-1], shape[-1] - 1)


class OrderedTransform(Transform):
    """Numbers onto increasing ones: y₀ = x₀, yₖ = yₖ₋₁ + exp(xₖ).   log |dy/dx| = Σ_{k>0} xₖ"""
    domain, codomain = constraints.real_vector, constraints.ordered_vector

    def __call__(self, x):
        x = np.asarray(x)
        return np.cumsum(np.concatenate([x[..., :1], np.exp(x[..., 1:])], -1), -1)

    def _inverse(self, y):
        y = np.asarray(y)
        return np.concatenate([y[..., :1], np.log(y[..., 1:] - y[..., :-1])], -1)

    def log_abs_det_jacobian(self, x, y):
        return np.sum(np.asarray(x)[..., 1:], -1)


class PositiveOrderedTransform(Transform):
    """Numbers onto positive increasing ones: yₖ = Σ_{j<=k} exp(xⱼ).   log |dy/dx| = Σ xₖ"""
    domain, codomain = constraints.real_vector, constraints.positive_ordered_vector

    def __call__(self, x):
        return np.cumsum(np.exp(x), -1)

    def _inverse(self, y):
        y = np.asarray(y)
        return np.log(np.concatenate([y[..., :1], y[..., 1:] - y[..., :-1]], -1))

    def log_abs_det_jacobian(self, x, y):
        return np.sum(x, -1)


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


class LowerCholeskyTransform(Transform):
    """n(n+1)/2 numbers onto lower triangular matrices with a positive diagonal.

    The elements below the diagonal, by rows, then the logarithms of the diagonal. log |dy/dx| = Σ of the last n numbers
    """
    domain, codomain = constraints.real_vector, constraints.lower_cholesky

    def __call__(self, x):
        x = np.asarray(x)
        n = triangle_side(x.shape[-1])
        below = x.shape[-1] - n
        flat = np.concatenate([x[..., :below], np.exp(x[..., below:]), np.zeros((*x.shape[:-1], 1), x.dtype)], -1)
        return np.take(flat, _places(n), -1)

    def _inverse(self, y):
        y = np.asarray(y)
        rows, columns = _numpy.tril_indices(y.shape[-1], -1)
        return np.concatenate([y[..., rows, columns], np.log(np.diagonal(y, 0, -2, -1))], -1)

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.sum(x[..., x.shape[-1] - triangle_side(x.shape[-1]):], -1)

    def forward_shape(self, shape):
        n = triangle_side(shape[-1])
        return (*shape[:-1], n, n)

    def inverse_shape(self, shape):
        return (*shape[:-2], triangle_size(shape[-1]))


class CholeskyTransform(Transform):
    """The lower triangular y with y y' = x, for positive definite x.

    log |det dy/dx| over the lower triangles is -n log 2 - Σᵢ (n - i) log yᵢᵢ, i = 0 … n-1.
    Source: Muirhead (1982), Aspects of Multivariate Statistical Theory, theorem 2.1.9.
    """
    domain, codomain = constraints.positive_definite, constraints.lower_cholesky

    def __call__(self, x):
        return cholesky(x)

    def _inverse(self, y):
        return np.matmul(y, np.swapaxes(y, -1, -2))

    def log_abs_det_jacobian(self, x, y):
        y = np.asarray(y)
        n = y.shape[-1]
        powers = _numpy.arange(n, 0, -1).astype(y.dtype)
        return -np.sum(powers * np.log(np.diagonal(y, 0, -2, -1)), -1) - n * math.log(2)


biject_to.register(constraints.simplex, lambda c: StickBreakingTransform())
biject_to.register(constraints.ordered_vector, lambda c: OrderedTransform())
biject_to.register(constraints.positive_ordered_vector, lambda c: PositiveOrderedTransform())
biject_to.register(constraints.lower_cholesky, lambda c: LowerCholeskyTransform())
biject_to.register(constraints.positive_definite, lambda c: ComposeTransform(
    (LowerCholeskyTransform(), CholeskyTransform().inv)))
