"""Student's t distribution of vectors, and of matrices."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.numpy.linalg import cholesky
from ..engine.scipy import special
from ..engine.scipy.linalg import solve_triangular
from . import constraints
from .distribution import Distribution
from .multivariate_normal import factor_of, fitting_loc, log_diagonal_sum, whiten
from .record import ArrayLike, param


class MultivariateStudentT(Distribution):
    """MultivariateStudentT(df ν, loc μ, one of scale_tril L and scale_matrix Σ = L L'); covariance Σ ν / (ν - 2).

        log p(x) = -½ (ν + n) log(1 + |L⁻¹ (x - μ)|² / ν) - Σ log Lᵢᵢ - (n/2) log νπ - log Γ(ν/2) + log Γ((ν + n)/2)

    df : float[*batch], > 0     loc : float[*batch, n]     the matrix : float[*batch, n, n]
    sample : float[*shape, *batch, n]
    Source: Kotz & Nadarajah (2004), Multivariate t Distributions and Their Applications, section 1.1.

    >>> float(MultivariateStudentT(1.0, [0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]).log_prob([0.0, 0.0]))
    -1.837877
    """
    df: ArrayLike = param(constraints.positive)
    loc: ArrayLike = param(constraints.real_vector)
    scale_tril: ArrayLike = param(constraints.lower_cholesky)
    support = constraints.real_vector
    reparametrized_params = ("df", "loc", "scale_tril")

    def __init__(self, df, loc=0.0, scale_tril=None, *, scale_matrix=None, precision_matrix=None, validate_args=None):
        factor = factor_of("MultivariateStudentT", validate_args, scale_tril=scale_tril, scale_matrix=scale_matrix,
                           precision_matrix=precision_matrix)
        loc = fitting_loc("MultivariateStudentT", loc, factor)
        super().__init__(df, loc, factor, validate_args=validate_args)

    @property
    def event_shape(self):
        return self.scale_tril.shape[-1:]

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        z = random.normal(first, self.shape(sample_shape), self.dtype)
        g = random.gamma(second, 0.5 * self.df, (*sample_shape, *self.batch_shape), self.dtype)
        return self.loc + np.matvec(self.scale_tril, z) * np.sqrt(0.5 * self.df / g)[..., None]

    def _log_norm(self):
        """The logarithm of the integral of the kernel."""
        df, n = self.df, self.scale_tril.shape[-1]
        half = 0.5 * df
        return (log_diagonal_sum(self.scale_tril) + (0.5 * n) * np.log(df * math.pi)
                + special.gammaln(half) - special.gammaln(half + 0.5 * n))

    def log_prob_inside(self, value):
        z = whiten(self.scale_tril, value - self.loc)
        power = -0.5 * (self.df + self.scale_tril.shape[-1])
        return power * np.log1p(np.sum(z * z, -1) / self.df) - self._log_norm()

    @property
    def mean(self):
        """Where df is above 1; else nan."""
        return np.broadcast_to(np.where(self.df > 1, 0.0, math.nan)[..., None] + self.loc, self.shape())

    @property
    def mode(self):
        return np.broadcast_to(self.loc, self.shape())

    def _inflation(self):
        """ν / (ν - 2)."""
        df = self.df
        safe = np.where(df > 2, df, 3.0)
        return np.where(df > 2, safe / (safe - 2.0), np.where(df > 1, math.inf, math.nan))

    @property
    def variance(self):
        return np.broadcast_to(np.sum(self.scale_tril * self.scale_tril, -1) * self._inflation()[..., None],
                               self.shape())

    @property
    def covariance_matrix(self):
        """Σ ν / (ν - 2), where ν is above 2."""
        return np.matmul(self.scale_tril, np.swapaxes(self.scale_tril, -1, -2)) * self._inflation()[..., None, None]

    def entropy(self):
        half, n = 0.5 * self.df, self.scale_tril.shape[-1]
        spread = (half + 0.5 * n) * (special.digamma(half + 0.5 * n) - special.digamma(half))
        return np.broadcast_to(spread + self._log_norm(), self.batch_shape)


class MatrixT(Distribution):
    """M + X with density ∝ |I + Σ⁻¹ X Ω⁻¹ X'|^(-(ν + n + p - 1)/2), Σ = A A' of rows, Ω = B B' of columns.

        log p = log Γₙ((ν+n+p-1)/2) - log Γₙ((ν+n-1)/2) - (np/2) log π - p Σ log Aᵢᵢ - n Σ log Bᵢᵢ
                - (ν+n+p-1)/2 log |I + Y Y'|,  Y = A⁻¹ (x - M) B'⁻¹

    df ν : float[*batch], > 0        loc M : float[*batch, n, p]        sample : float[*shape, *batch, n, p]
    scale_tril_row A : float[*batch, n, n]        scale_tril_column B : float[*batch, p, p]
    Source: Gupta & Nagar (1999), Matrix Variate Distributions, section 4.2.
    """
    df: ArrayLike = param(constraints.positive)
    loc: ArrayLike = param(constraints.real_matrix)
    scale_tril_row: ArrayLike = param(constraints.lower_cholesky)
    scale_tril_column: ArrayLike = param(constraints.lower_cholesky)
    support = constraints.real_matrix
    reparametrized_params = ("df", "loc", "scale_tril_row", "scale_tril_column")

    @property
    def event_shape(self):
        return self.loc.shape[-2:]

    def sample(self, key, sample_shape=()):
        """A (T'⁻¹) Z B' with T T' ~ Wishart(ν + n - 1, I)."""
        first, second = random.split(key)
        n = self.event_shape[0]
        z = random.normal(first, self.shape(sample_shape), self.dtype)
        t = bartlett(second, self.df + (n - 1), n, (*sample_shape, *self.batch_shape), self.dtype)
        y = solve_triangular(t, z, trans=1, lower=True)
        return self.loc + np.matmul(np.matmul(self.scale_tril_row, y), np.swapaxes(self.scale_tril_column, -1, -2))

    def log_prob_inside(self, value):
        n, p = self.event_shape
        y = solve_triangular(self.scale_tril_row, value - self.loc, lower=True)
        y = solve_triangular(self.scale_tril_column, np.swapaxes(y, -1, -2), lower=True)       # p × n
        gram = np.matmul(y, np.swapaxes(y, -1, -2)) if p <= n else np.matmul(np.swapaxes(y, -1, -2), y)
        m = min(n, p)                            # |I + Y Y'| = |I + Y' Y|, Γₙ(a)/Γₙ(a - p/2) = Γₚ(a)/Γₚ(a - n/2)
        top = 0.5 * (self.df + (n + p - 1))
        const = (special.multigammaln(top, m) - special.multigammaln(top - 0.5 * max(n, p), m)
                 - (0.5 * n * p * math.log(math.pi)) - p * log_diagonal_sum(self.scale_tril_row)
                 - n * log_diagonal_sum(self.scale_tril_column))
        eye = np.eye(m, dtype=gram.dtype)
        return const - 2.0 * top * log_diagonal_sum(cholesky(eye + gram))

    @property
    def mean(self):
        """Where df is above 1; else nan."""
        return np.broadcast_to(np.where(self.df > 1, 0.0, math.nan)[..., None, None] + self.loc, self.shape())

    @property
    def mode(self):
        return np.broadcast_to(self.loc, self.shape())

    @property
    def variance(self):
        """Σᵢᵢ Ωⱼⱼ / (ν - 2)."""
        df = self.df
        safe = np.where(df > 2, df, 3.0)
        v = np.where(df > 2, 1.0 / (safe - 2.0), np.where(df > 1, math.inf, math.nan))[..., None, None]
        rows = np.sum(self.scale_tril_row * self.scale_tril_row, -1)[..., :, None]
        columns = np.sum(self.scale_tril_column * self.scale_tril_column, -1)[..., None, :]
        return np.broadcast_to(rows * columns * v, self.shape())


def bartlett(key, df, n, shape, dtype):
    """Lower triangular T [*shape, n, n] with T T' ~ Wishart(df, I): Tᵢᵢ² ~ χ²(df - i), normal numbers below.

    df : float[*batch], > n - 1          Source: Anderson (2003), Multivariate Statistical Analysis, corollary 7.2.1.
    """
    first, second = random.split(key)
    half = 0.5 * (df[..., None] - np.arange(n, dtype=dtype))
    diagonal = np.sqrt(2.0 * random.gamma(first, half, (*shape, n), dtype))
    below = random.normal(second, (*shape, n, n), dtype)
    return np.tril(below, -1) + diagonal[..., None] * np.eye(n, dtype=dtype)
