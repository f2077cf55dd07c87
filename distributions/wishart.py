"""Wishart matrices and their inverses, as matrices and as Cholesky factors."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.numpy.linalg import cholesky
from ..engine.scipy import special
from ..engine.scipy.linalg import solve_triangular
from . import constraints
from .distribution import Distribution
from .multivariate_normal import factor_of, log_diagonal_sum
from .record import ArrayLike, param


def bartlett(key, df, n, shape, dtype):
    """Lower triangular T [*shape, n, n] with T T' ~ Wishart(df, I): Tᵢᵢ² ~ χ²(df - i), normal numbers below.

    df : float[*batch], > n - 1          Source: Anderson (2003), Multivariate Statistical Analysis, corollary 7.2.1.
    """
    first, second = random.split(key)
    half = 0.5 * (df[..., None] - np.arange(n, dtype=dtype))
    diagonal = np.sqrt(2.0 * random.gamma(first, half, (*shape, n), dtype))
    below = random.normal(second, (*shape, n, n), dtype)
    return np.tril(below, -1) + diagonal[..., None] * np.eye(n, dtype=dtype)


def _gram(factor):
    return np.matmul(factor, np.swapaxes(factor, -1, -2))


class _Wishart(Distribution):
    """What the four share: degrees of freedom ν and the factor L of the p × p scale matrix V = L L'."""
    concentration: ArrayLike = param(lambda self: constraints.greater_than(self.scale_tril.shape[-1] - 1))
    scale_tril: ArrayLike = param(constraints.lower_cholesky)
    reparametrized_params = ("concentration", "scale_tril")

    def __init__(self, concentration, scale_matrix=None, rate_matrix=None, scale_tril=None, *, validate_args=None):
        factor = factor_of(type(self).__name__, validate_args, scale_matrix=scale_matrix, rate_matrix=rate_matrix,
                           scale_tril=scale_tril)
        super().__init__(concentration, factor, validate_args=validate_args)

    @property
    def event_shape(self):
        return self.scale_tril.shape[-2:]

    @property
    def scale_matrix(self):
        """V = L L'."""
        return _gram(self.scale_tril)

    def _bartlett(self, key, sample_shape):
        n = self.scale_tril.shape[-1]
        return bartlett(key, self.concentration, n, (*sample_shape, *self.batch_shape), self.dtype)

    def _log_norm(self, sign):
        """(ν p / 2) log 2 + log Γₚ(ν/2) + sign · (ν/2) log |V|"""
        nu, p = self.concentration, self.scale_tril.shape[-1]
        return (nu * (0.5 * p * math.log(2)) + special.multigammaln(0.5 * nu, p)
                + sign * nu * log_diagonal_sum(self.scale_tril))

    def _wishart(self, factor):
        """The log density of a Wishart matrix with this Cholesky factor A: tr V⁻¹ A A' = |L⁻¹ A|²."""
        nu, p = self.concentration, self.scale_tril.shape[-1]
        z = solve_triangular(self.scale_tril, factor, lower=True)
        return (nu - (p + 1.0)) * log_diagonal_sum(factor) - 0.5 * np.sum(z * z, (-2, -1)) - self._log_norm(1.0)

    def _inverse_wishart(self, factor):
        """The log density of an inverse Wishart matrix with this Cholesky factor A: tr V (A A')⁻¹ = |A⁻¹ L|²."""
        nu, p = self.concentration, self.scale_tril.shape[-1]
        z = solve_triangular(factor, self.scale_tril, lower=True)
        return -(nu + (p + 1.0)) * log_diagonal_sum(factor) - 0.5 * np.sum(z * z, (-2, -1)) - self._log_norm(-1.0)

    def _draw_inverse(self, key, sample_shape):
        """A = L U'⁻¹, lower triangular, for upper triangular U, U U' ~ Wishart(ν, I): A A' = (L'⁻¹ U U' L⁻¹)⁻¹."""
        upper = np.flip(self._bartlett(key, sample_shape), (-2, -1))
        right = np.broadcast_to(np.swapaxes(self.scale_tril, -1, -2), upper.shape)
        return np.swapaxes(solve_triangular(upper, right), -1, -2)


def _log_stretch(factor):
    """log |d(A A') / dA| over the lower triangles: p log 2 + Σ (p - i + 1) log Aᵢᵢ, i = 1 … p."""
    n = factor.shape[-1]
    powers = np.arange(n, 0, -1, dtype=factor.dtype)
    return n * math.log(2) + np.sum(powers * np.log(np.diagonal(factor, 0, -2, -1)), -1)


class Wishart(_Wishart):
    """Wishart(ν, V) on the positive definite p × p matrices; mean ν V.

        log p(X) = ½ (ν - p - 1) log |X| - ½ tr V⁻¹X - (νp/2) log 2 - (ν/2) log |V| - log Γₚ(ν/2)

    concentration ν : float[*batch], > p - 1          sample : float[*shape, *batch, p, p]
    one of scale_matrix V, rate_matrix V⁻¹, scale_tril L with V = L L' : float[*batch, p, p]
    Source: Anderson (2003), Multivariate Statistical Analysis, section 7.2.
    """
    support = constraints.positive_definite

    def sample(self, key, sample_shape=()):
        return _gram(np.matmul(self.scale_tril, self._bartlett(key, sample_shape)))

    def log_prob_inside(self, value):
        return self._wishart(cholesky(value))

    @property
    def mean(self):
        return self.concentration[..., None, None] * self.scale_matrix

    @property
    def variance(self):
        """ν (Vᵢⱼ² + Vᵢᵢ Vⱼⱼ)."""
        v = self.scale_matrix
        d = np.diagonal(v, 0, -2, -1)
        return self.concentration[..., None, None] * (v * v + d[..., :, None] * d[..., None, :])

    @property
    def mode(self):
        """(ν - p - 1) V, where ν is p + 1 or more; else nan."""
        nu = self.concentration - (self.scale_tril.shape[-1] + 1.0)
        return np.where(nu >= 0, nu, math.nan)[..., None, None] * self.scale_matrix

    def entropy(self):
        nu, p = self.concentration, self.scale_tril.shape[-1]
        halves = 0.5 * (nu[..., None] - np.arange(p, dtype=self.dtype))
        mean_log_det = np.sum(special.digamma(halves), -1) + p * math.log(2) + 2.0 * log_diagonal_sum(self.scale_tril)
        return self._log_norm(1.0) - 0.5 * (nu - (p + 1.0)) * mean_log_det + 0.5 * nu * p


class WishartCholesky(_Wishart):
    """The Cholesky factor of a Wishart matrix: log p(A) = log Wishart(A A') + p log 2 + Σ (p - i + 1) log Aᵢᵢ.

    Parameters as Wishart's.          sample : float[*shape, *batch, p, p], lower triangular
    Source: Muirhead (1982), Aspects of Multivariate Statistical Theory, theorems 2.1.9 and 3.2.14.
    """
    support = constraints.lower_cholesky

    def sample(self, key, sample_shape=()):
        return np.matmul(self.scale_tril, self._bartlett(key, sample_shape))

    def log_prob_inside(self, value):
        return self._wishart(value) + _log_stretch(value)


class InverseWishart(_Wishart):
    """InverseWishart(ν, Ψ): X with X⁻¹ ~ Wishart(ν, Ψ⁻¹); mean Ψ / (ν - p - 1).

        log p(X) = (ν/2) log |Ψ| - ½ (ν + p + 1) log |X| - ½ tr ΨX⁻¹ - (νp/2) log 2 - log Γₚ(ν/2)

    concentration ν : float[*batch], > p - 1          sample : float[*shape, *batch, p, p], positive definite
    one of scale_matrix Ψ, rate_matrix Ψ⁻¹, scale_tril L with Ψ = L L' : float[*batch, p, p]
    Source: Anderson (2003), Multivariate Statistical Analysis, section 7.7.
    """
    support = constraints.positive_definite

    def sample(self, key, sample_shape=()):
        return _gram(self._draw_inverse(key, sample_shape))

    def log_prob_inside(self, value):
        return self._inverse_wishart(cholesky(value))

    @property
    def mean(self):
        """Where ν is above p + 1; else nan."""
        nu = self.concentration - (self.scale_tril.shape[-1] + 1.0)
        return self.scale_matrix / np.where(nu > 0, nu, math.nan)[..., None, None]

    @property
    def variance(self):
        """((ν-p+1) Ψᵢⱼ² + (ν-p-1) Ψᵢᵢ Ψⱼⱼ) / ((ν-p) (ν-p-1)² (ν-p-3)), where ν is above p + 3; else nan."""
        c, v = (self.concentration - self.scale_tril.shape[-1])[..., None, None], self.scale_matrix
        c = np.where(c > 3, c, math.nan)
        d = np.diagonal(v, 0, -2, -1)
        return (((c + 1.0) * v * v + (c - 1.0) * d[..., :, None] * d[..., None, :])
                / (c * np.square(c - 1.0) * (c - 3.0)))

    @property
    def mode(self):
        return self.scale_matrix / (self.concentration + (self.scale_tril.shape[-1] + 1.0))[..., None, None]

    def entropy(self):
        nu, p = self.concentration, self.scale_tril.shape[-1]
        halves = 0.5 * (nu[..., None] - np.arange(p, dtype=self.dtype))
        mean_log_det = 2.0 * log_diagonal_sum(self.scale_tril) - p * math.log(2) - np.sum(special.digamma(halves), -1)
        return self._log_norm(-1.0) + 0.5 * (nu + (p + 1.0)) * mean_log_det + 0.5 * nu * p


class InverseWishartCholesky(_Wishart):
    """The Cholesky factor of an inverse Wishart matrix, with the same parameters.

        log p(A) = log InverseWishart(A A') + p log 2 + Σ (p - i + 1) log Aᵢᵢ
    """
    support = constraints.lower_cholesky

    def sample(self, key, sample_shape=()):
        return self._draw_inverse(key, sample_shape)

    def log_prob_inside(self, value):
        return self._inverse_wishart(value) + _log_stretch(value)
