"""Bijections onto sets of vectors: the sphere, the ball of the 1-norm, sums of zero."""
import math

from ...engine import numpy as np
from ...engine.numpy.linalg import norm
from ...engine.ops.elementwise import softplus
from .. import constraints
from ..record import static
from .base import Transform, biject_to


class L1BallTransform(Transform):
    """Numbers onto the vectors whose absolute values sum to less than 1: tanh of each, times what is left of the 1.

        yₖ = tanh(xₖ) rₖ, rₖ = Π_{j<k} (1 - |tanh(xⱼ)|)          log |dy/dx| = Σₖ log(1 - tanh(xₖ)²) + log rₖ
    """
    domain, codomain = constraints.real_vector, constraints.l1_ball

    def __call__(self, x):
        x = np.asarray(x)
        return np.tanh(x) * np.exp(self._log_left(x))

    def _inverse(self, y):
        y = np.asarray(y)
        size = np.abs(y)
        left = 1.0 - np.cumsum(size, -1)                             # after piece k: r - |y|
        return np.arcsinh(y / np.sqrt(left * (left + 2.0 * size)))   # arctanh(y / r), which keeps its digits near 1

    def _log_left(self, x):
        taken = math.log(2) - softplus(2.0 * np.abs(x))              # log(1 - |tanh(x)|)
        return np.cumsum(taken, -1) - taken

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        a = np.abs(x)
        return np.sum(2.0 * (math.log(2) - a - softplus(-2.0 * a)) + self._log_left(x), -1)


class StereographicTransform(Transform):
    """d numbers onto the sphere in d + 1 dimensions without the point (0, …, 0, -1); x = 0 gives (0, …, 0, 1).

        y = (2 x, 1 - |x|²) / (1 + |x|²)          log-det with respect to surface area: d log(2 / (1 + |x|²))

    A vector divided by its length is no bijection (it has one dimension too many), and angles leave out a half of a
    great sphere, at which a sampler's path ends. This leaves out one point, and is smooth everywhere else. A uniform
    direction becomes a multivariate t with d degrees of freedom.
    """
    domain, codomain = constraints.real_vector, constraints.sphere

    def __call__(self, x):
        x = np.asarray(x)
        square = np.sum(x * x, -1, keepdims=True)
        return np.concatenate([2.0 * x, 1.0 - square], -1) / (1.0 + square)

    def _inverse(self, y):
        y = np.asarray(y)
        side, last = y[..., :-1], y[..., -1:]
        north = last > 0                                             # 1 + last = |side|² / (1 - last): no cancellation
        far = np.sum(side * side, -1, keepdims=True) / (1.0 - np.where(north, 0.0, last))
        return side / np.where(north, 1.0 + last, far)

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return x.shape[-1] * (math.log(2) - np.log1p(np.sum(x * x, -1)))

    def forward_shape(self, shape):
        return (*shape[:-1], shape[-1] + 1)

    def inverse_shape(self, shape):
        return (*shape[:-1], shape[-1] - 1)


class NormalizeTransform(Transform):
    """y = x / ‖x‖ₚ, which is not a bijection: `inv` gives y itself, one of the x that lead there.

    p : the order of the norm, 2 unless given
    """
    p: float = static(default=2)
    domain = constraints.real_vector

    @property
    def codomain(self):
        return constraints.sphere if self.p == 2 else constraints.real_vector

    def __call__(self, x):
        x = np.asarray(x)
        return x / norm(x, self.p, axis=-1, keepdims=True)

    def _inverse(self, y):
        return y

    def log_abs_det_jacobian(self, x, y):
        raise NotImplementedError("NormalizeTransform loses the length of the vector and has no log-det.\n"
                                  "Use StereographicTransform, which is a bijection onto the sphere.")


class ZeroSumTransform(Transform):
    """Arrays onto arrays with one more element along each of the last `transform_ndims` axes, summing to 0 along these.

    Distances stay as they are, so the log-det, with respect to area in the plane of zero sums, is 0. For one axis, with
    n elements of sum s:    y = (x, t - s / √(n+1)) - t,  t = s / (√(n+1) + n + 1)
    Source: Seyboldt, Carlson & Carpenter (2024), the sum-to-zero constraint (Stan Reference Manual).
    """
    transform_ndims: int = static(default=1)

    @property
    def domain(self):
        return constraints.independent(constraints.real, self.transform_ndims)

    @property
    def codomain(self):
        return constraints.zero_sum(self.transform_ndims)

    def __call__(self, x):
        x = np.asarray(x)
        for axis in range(-self.transform_ndims, 0):
            n = x.shape[axis] + 1
            total = np.sum(x, axis, keepdims=True)
            t = total / (math.sqrt(n) + n)
            x = np.concatenate([x, t - total / math.sqrt(n)], axis) - t
        return x

    def _inverse(self, y):
        y = np.asarray(y)
        for axis in range(-self.transform_ndims, 0):
            n = y.shape[axis]
            after = (slice(None),) * (-axis - 1)
            total = -math.sqrt(n) * y[(..., slice(n - 1, n), *after)]
            y = y[(..., slice(0, n - 1), *after)] + total / (math.sqrt(n) + n)
        return y

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.zeros(x.shape[:x.ndim - self.transform_ndims], x.dtype)

    def forward_shape(self, shape):
        n = len(shape) - self.transform_ndims
        return (*shape[:n], *[k + 1 for k in shape[n:]])

    def inverse_shape(self, shape):
        n = len(shape) - self.transform_ndims
        return (*shape[:n], *[k - 1 for k in shape[n:]])


biject_to.register(constraints.l1_ball, lambda c: L1BallTransform())
biject_to.register(constraints.sphere, lambda c: StereographicTransform())
biject_to.register(constraints.ZeroSum, lambda c: ZeroSumTransform(c.event_dim))
