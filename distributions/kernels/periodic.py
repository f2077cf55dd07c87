"""Kernels that repeat: Periodic, Cosine and Circular."""
import math

from ...engine import numpy as np
from ...engine.scipy.special import ive
from .. import constraints
from ..record import ArrayLike, param
from .kernel import Kernel


class Periodic(Kernel):
    """variance · exp(-½ Σ sin²(π (xᵢ - yᵢ) / Tᵢ) / ℓᵢ²).

    period, lengthscale : float[] or float[d], > 0
    Source: Rasmussen & Williams (2006), eq. 4.31, with 2ℓ for their ℓ.
    """
    period: ArrayLike = param(constraints.positive, default=1.0)
    lengthscale: ArrayLike = param(constraints.positive, default=1.0)
    variance: ArrayLike = param(constraints.nonnegative, default=1.0)

    def matrix(self, x, y):
        y = x if y is None else y
        wave = np.sin((x[:, None, :] - y[None, :, :]) * (math.pi / self.period)) / self.lengthscale
        return self.variance * np.exp(-0.5 * np.sum(wave * wave, -1))

    def diagonal(self, x):
        return np.broadcast_to(self.variance, (len(x),))

    def fourier_variances(self, m):
        """q₀ … qₘ₋₁ with k(r) = Σ qⱼ cos(2πj r / T), one coordinate.

        qⱼ = variance · exp(-a) Iⱼ(a) (2 if j > 0), a = 1 / 4ℓ².
        Source: Solin & Särkkä (2014), Explicit link between periodic covariance functions and state space models, §3.
        """
        a = 0.25 / (self.lengthscale * self.lengthscale)
        j = np.arange(m, dtype=self.lengthscale.dtype)
        return self.variance * np.where(j > 0, np.asarray(2.0, j.dtype), 1.0) * ive(j, a)


class Cosine(Kernel):
    """variance · cos(2π Σ (xᵢ - yᵢ) / Tᵢ): one wave with a random amplitude and phase.

    period : float[] or float[d], > 0
    """
    period: ArrayLike = param(constraints.positive, default=1.0)
    variance: ArrayLike = param(constraints.nonnegative, default=1.0)

    def matrix(self, x, y):
        angle = np.sum(x * (2 * math.pi / self.period), -1)
        other = angle if y is None else np.sum(y * (2 * math.pi / self.period), -1)
        return self.variance * np.cos(angle[:, None] - other)

    def diagonal(self, x):
        return np.broadcast_to(self.variance, (len(x),))


class Circular(Kernel):
    """variance · (1 + τ t/c)(1 - t/c)^τ for the distance t <= c around a circle of circumference 2c, one coordinate.

    period 2c : float[], > 0     tau : float[], >= 4 (less does not give a covariance on the circle)
    Source: Padonou & Roustant (2016), Polar Gaussian processes and experimental designs in circular domains, §2.2.
    """
    period: ArrayLike = param(constraints.positive, default=1.0)
    tau: ArrayLike = param(constraints.greater_than_eq(4.0), default=4.0)
    variance: ArrayLike = param(constraints.nonnegative, default=1.0)

    def matrix(self, x, y):
        gap = x[:, :1] - (x if y is None else y)[:, 0]
        half = 0.5 * self.period
        t = np.abs(np.remainder(gap + half, self.period) - half) / half
        return self.variance * (1 + self.tau * t) * (1 - t) ** self.tau

    def diagonal(self, x):
        return np.broadcast_to(self.variance, (len(x),))
