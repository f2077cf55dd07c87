"""Kernels of the inner product of points, and those that are neither of this nor of the distance."""
import math

from ...engine import numpy as np
from .. import constraints
from ..record import ArrayLike, child, param, static
from .kernel import Kernel
from .stationary import safe_sqrt, squared_distances


class Polynomial(Kernel):
    """(variance · Σ (xᵢ - cᵢ)(yᵢ - cᵢ) + offset)^degree, for a whole degree > 0.

    variance : float[] or float[d], >= 0     offset : float[], >= 0     center : float[] or float[d]
    """
    degree: int = static(default=2)
    offset: ArrayLike = param(constraints.nonnegative, default=1.0)
    variance: ArrayLike = param(constraints.nonnegative, default=1.0)
    center: ArrayLike = param(constraints.real, default=0.0)

    def matrix(self, x, y):
        x = x - self.center
        y = x if y is None else y - self.center
        return (np.matmul(x * self.variance, y.T) + self.offset) ** self.degree

    def diagonal(self, x):
        x = x - self.center
        return (np.sum(x * x * self.variance, -1) + self.offset) ** self.degree


class Linear(Kernel):
    """variance · Σ (xᵢ - cᵢ)(yᵢ - cᵢ): straight lines through c.   variance, center : float[] or float[d]"""
    variance: ArrayLike = param(constraints.nonnegative, default=1.0)
    center: ArrayLike = param(constraints.real, default=0.0)

    def matrix(self, x, y):
        x = x - self.center
        return np.matmul(x * self.variance, (x if y is None else y - self.center).T)

    def diagonal(self, x):
        x = x - self.center
        return np.sum(x * x * self.variance, -1)


class ArcCosine(Kernel):
    """(variance / π) |a|ⁿ |b|ⁿ Jₙ(θ), θ the angle between a = (√w x, √b) and b alike: a wide one-layer network.

        J₀ = π - θ      J₁ = sin θ + (π - θ) cos θ      J₂ = 3 sin θ cos θ + (π - θ)(1 + 2 cos² θ)

    order n : 0 (steps), 1 (ReLU), 2     weight_variance w : float[] or float[d]     bias_variance b : float[], > 0
    Source: Cho & Saul (2009), Kernel methods for deep learning, eqs. 3-6.
    """
    order: int = static(default=1)
    variance: ArrayLike = param(constraints.nonnegative, default=1.0)
    weight_variance: ArrayLike = param(constraints.positive, default=1.0)
    bias_variance: ArrayLike = param(constraints.positive, default=1.0)

    def matrix(self, x, y):
        y = x if y is None else y
        aa = self._inner(x)[:, None]
        norms = np.sqrt(aa) * np.sqrt(self._inner(y))
        gap = y[None, :, :] - x[:, None, :]                                      # b - a, which is exact where they meet
        ad = np.sum(x[:, None, :] * gap * self.weight_variance, -1)
        dd = np.sum(gap * gap * self.weight_variance, -1)
        sine = safe_sqrt(np.maximum(aa * dd - ad * ad, 0.0)) / norms             # arccos has no slope at 1
        cosine = (aa + ad) / norms
        rest = math.pi - np.arctan2(sine, cosine)
        if self.order == 0:
            j = rest
        elif self.order == 1:
            j = sine + rest * cosine
        else:
            j = 3 * sine * cosine + rest * (1 + 2 * cosine * cosine)
        return self.variance / math.pi * norms ** self.order * j

    def diagonal(self, x):
        return self.variance * self._inner(x) ** self.order * (1, 1, 3)[self.order]

    def _inner(self, x):
        return np.sum(x * x * self.weight_variance, -1) + self.bias_variance


class Gibbs(Kernel):
    """variance · Π √(2 ℓ(x) ℓ(y) / (ℓ(x)² + ℓ(y)²)) exp(-Σ (xᵢ - yᵢ)² / (ℓ(x)² + ℓ(y)²)): a lengthscale that varies.

    lengthscale : function of points [n, d] (and args) that gives positive numbers [n]; its parameters are `args`
    Source: Rasmussen & Williams (2006), eq. 4.32.
    """
    lengthscale: object = static()
    args: tuple = child(default=())
    variance: ArrayLike = param(constraints.nonnegative, default=1.0)

    def matrix(self, x, y):
        y = x if y is None else y
        a, b = (np.asarray(self.lengthscale(z, *self.args)).reshape((-1, 1)) for z in (x, y))
        total = a * a + (b * b).T
        height = (2 * a * b.T / total) ** (x.shape[-1] / 2)
        return self.variance * height * np.exp(-squared_distances(x, y) / total)

    def diagonal(self, x):
        return np.broadcast_to(self.variance, (len(x),))


class Coregion(Kernel):
    """B[x, y] for integer points, with B = W W' + diag(κ): the covariance of several outputs. Use active_dims and *.

    W : float[p, r]     kappa : float[p], > 0
    Source: Álvarez, Rosasco & Lawrence (2012), Kernels for vector-valued functions, §4.2.
    """
    W: ArrayLike = param(constraints.real, event_dim=2)
    kappa: ArrayLike = param(constraints.nonnegative, default=0.0)

    @property
    def coregionalization_matrix(self):
        """B, float[p, p]."""
        w = self.W
        kappa = np.broadcast_to(self.kappa, w.shape[:1])
        return np.matmul(w, w.T) + kappa[:, None] * np.eye(len(w), dtype=w.dtype)

    def matrix(self, x, y):
        i = np.astype(x[:, 0], int)
        j = i if y is None else np.astype(y[:, 0], int)
        return self.coregionalization_matrix[i[:, None], j]

    def diagonal(self, x):
        return np.take(np.diagonal(self.coregionalization_matrix), np.astype(x[:, 0], int), 0)
