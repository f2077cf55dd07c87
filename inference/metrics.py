"""Metrics: the covariance that the kinetic energy supposes, M⁻¹, in three forms.

    velocity(p) = M⁻¹ p          momentum(z) ~ N(0, M) for z ~ N(0, 1)

The kinetic energy is ½ pᵀ M⁻¹ p. A metric near the covariance of the target makes the trajectories go round all of its
directions at one speed (Neal 2011, Handbook of MCMC, section 5.4.1).
"""
from typing import NamedTuple

from ..engine import numpy as np
from ..engine.array import Array
from ..engine.scipy.linalg import solve_triangular


class Diagonal(NamedTuple):
    """M⁻¹ = diag(variance)."""
    variance: Array                # float[d]

    def velocity(self, p):
        """M⁻¹ p"""
        return self.variance * p

    def momentum(self, z):
        """M^½ z"""
        return z / np.sqrt(self.variance)

    def scaled(self, variance, condition):
        """With these variances where the condition holds."""
        return Diagonal(np.where(condition, variance, self.variance))


class Dense(NamedTuple):
    """M⁻¹ = covariance; `root` is a square root of M, root rootᵀ = M."""
    covariance: Array              # float[d, d]
    root: Array                    # float[d, d]

    def velocity(self, p):
        """M⁻¹ p"""
        return self.covariance @ p

    def momentum(self, z):
        """root z"""
        return self.root @ z


class LowRank(NamedTuple):
    """M⁻¹ = S (I + V (Λ - I) Vᵀ) S with S = diag(scale): a diagonal, and k directions with variances of their own.

    The columns of V are orthonormal, or zero where a direction is not used.
    """
    scale: Array                   # float[d]
    vectors: Array                 # float[d, k]
    values: Array                  # float[k], > 0

    def velocity(self, p):
        """M⁻¹ p"""
        x = self.scale * p
        return self.scale * (x + self.vectors @ ((self.values - 1.0) * (x @ self.vectors)))

    def momentum(self, z):
        """S⁻¹ (I + V (Λ^-½ - I) Vᵀ) z"""
        return (z + self.vectors @ ((self.values ** -0.5 - 1.0) * (z @ self.vectors))) / self.scale

    def scaled(self, variance, condition):
        """With these variances of the diagonal where the condition holds."""
        return self._replace(scale=np.where(condition, np.sqrt(variance), self.scale))


def dense(covariance):
    """The dense metric of a covariance: with M⁻¹ = L Lᵀ the root of M is L⁻ᵀ."""
    lower = np.linalg.cholesky(covariance)
    inverse = solve_triangular(lower, np.eye(lower.shape[-1], dtype=lower.dtype), lower=True)
    return Dense(covariance, np.swapaxes(inverse, -1, -2))
