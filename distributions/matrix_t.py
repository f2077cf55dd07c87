"""The matrix t distribution."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.numpy.linalg import cholesky
from ..engine.scipy import special
from ..engine.scipy.linalg import solve_triangular
from . import constraints
from .matrix_normal import MatrixVariate
from .record import ArrayLike, param
from .wishart import bartlett


class MatrixT(MatrixVariate):
    """M + X with density ∝ |I + Σ⁻¹ X Ω⁻¹ X'|^(-(ν + n + p - 1)/2), Σ = A A' of rows, Ω = B B' of columns.

        log p = log Γₙ((ν+n+p-1)/2) - log Γₙ((ν+n-1)/2) - (np/2) log π - p Σ log Aᵢᵢ - n Σ log Bᵢᵢ
                - (ν+n+p-1)/2 log |I + Y Y'|,  Y = A⁻¹ (x - M) B'⁻¹

    df ν : float[*batch], > 0        loc M : float[*batch, n, p]        sample : float[*shape, *batch, n, p]
    scale_tril_row A : float[*batch, n, n]        scale_tril_column B : float[*batch, p, p]
    row_covariance, column_covariance : Σ and Ω, in place of A and B
    Source: Gupta & Nagar (1999), Matrix Variate Distributions, section 4.2.
    """
    df: ArrayLike = param(constraints.positive)
    loc: ArrayLike = param(constraints.real_matrix)
    scale_tril_row: ArrayLike = param(constraints.lower_cholesky)
    scale_tril_column: ArrayLike = param(constraints.lower_cholesky)
    support = constraints.real_matrix
    reparametrized_params = ("df", "loc", "scale_tril_row", "scale_tril_column")

    def __init__(self, df, loc, scale_tril_row=None, scale_tril_column=None, *, row_covariance=None,
                 column_covariance=None, validate_args=None):
        made = self._made(loc, (scale_tril_row, row_covariance), (scale_tril_column, column_covariance), validate_args)
        super().__init__(df, *made, validate_args=validate_args)

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
        y = self._whitened(value)
        gram = np.matmul(y, np.swapaxes(y, -1, -2)) if p <= n else np.matmul(np.swapaxes(y, -1, -2), y)
        below = np.tril(cholesky(np.eye(min(n, p), dtype=gram.dtype) + gram), -1)        # |I + Y Y'| = |I + Y' Y|
        pivots = np.diagonal(gram, 0, -2, -1) - np.sum(below * below, -1)               # Lᵢᵢ² - 1, which may be small
        return -0.5 * (self.df + (n + p - 1.0)) * np.sum(np.log1p(pivots), -1) - self._log_norm()

    def _log_norm(self):
        """Of the m = min(n, p) factors of Γₘ(a)/Γₘ(a - M/2), M = max(n, p), each by a beta function."""
        n, p = self.event_shape
        m, half = min(n, p), 0.5 * max(n, p)
        low = 0.5 * (self.df[..., None] + np.arange(m - 1, -1, -1, dtype=self.dtype))
        ratios = np.sum(special.betaln(low, half), -1) - m * math.lgamma(half)
        return ratios + 0.5 * n * p * math.log(math.pi) + self._half_log_det()

    @property
    def mean(self):
        """Where df is above 1; else nan."""
        return np.where((self.df > 1)[..., None, None], np.broadcast_to(self.loc, self.shape()), math.nan)

    @property
    def variance(self):
        """Σᵢᵢ Ωⱼⱼ / (ν - 2)."""
        df = self.df
        safe = np.where(df > 2, df, 3.0)
        v = np.where(df > 2, 1.0 / (safe - 2.0), np.where(df > 1, np.asarray(math.inf, df.dtype), math.nan))
        return np.broadcast_to(self._squares() * v[..., None, None], self.shape())
