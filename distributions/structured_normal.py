"""Normal vectors whose covariance has a structure: low rank and diagonal, or circulant."""
from ..engine import numpy as np
from ..engine import random
from ..engine.errors import ParameterError
from ..engine.numpy.linalg import cholesky
from ..engine.scipy.linalg import solve_triangular
from . import constraints
from .location_scale import Centered
from .multivariate_normal import fitting_loc, log_diagonal_sum
from .normal import HALF_LOG_2PI
from .record import ArrayLike, param


class LowRankMultivariateNormal(Centered):
    """Normal vectors with covariance W W' + diag(d), at a cost of n k² for W with k columns.

        log p(x) = -½ (Σ rᵢ²/dᵢ + |y|²) - Σ log Lᵢᵢ - ½ Σ log dᵢ - (n/2) log 2π
        L L' = I + W' D⁻¹ W,  y = (L L')⁻¹ W' D⁻¹ (x - μ),  r = x - μ - W y

    The quadratic form is the least value of a ridge regression on W: a sum of squares, so nothing cancels.
    loc : float[*batch, n]     cov_factor : float[*batch, n, k]     cov_diag : float[*batch, n], > 0
    Source: Woodbury's identity; Golub & Van Loan (2013), Matrix Computations, 4th ed., section 2.1.4.
    """
    loc: ArrayLike = param(constraints.real_vector)
    cov_factor: ArrayLike = param(constraints.real_matrix)
    cov_diag: ArrayLike = param(constraints.independent(constraints.positive, 1))
    support = constraints.real_vector
    reparametrized_params = ("loc", "cov_factor", "cov_diag")

    def __init__(self, loc, cov_factor, cov_diag, *, validate_args=None):
        cov_factor, cov_diag = np.asarray(cov_factor), np.asarray(cov_diag)
        if cov_factor.ndim < 2 or cov_diag.ndim < 1 or cov_factor.shape[-2] != cov_diag.shape[-1]:
            raise ParameterError("LowRankMultivariateNormal: cov_factor must be [..., n, k] and cov_diag [..., n]; got "
                                 f"shapes {cov_factor.shape} and {cov_diag.shape}.")
        loc = fitting_loc("LowRankMultivariateNormal", loc, cov_diag)
        super().__init__(loc, cov_factor, cov_diag, validate_args=validate_args)

    @property
    def event_shape(self):
        return self.cov_diag.shape[-1:]

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        k, lead = self.cov_factor.shape[-1], (*sample_shape, *self.batch_shape)
        z = random.normal(first, (*lead, k), self.dtype)
        e = random.normal(second, self.shape(sample_shape), self.dtype)
        return self.loc + np.matvec(self.cov_factor, z) + np.sqrt(self.cov_diag) * e

    def _capacitance(self):
        """D⁻¹ W and L."""
        w = self.cov_factor
        scaled = w / self.cov_diag[..., None]
        inner = np.matmul(np.swapaxes(w, -1, -2), scaled)
        return scaled, cholesky(inner + np.eye(w.shape[-1], dtype=inner.dtype))

    def _half_log_det(self, factor):
        return log_diagonal_sum(factor) + 0.5 * np.sum(np.log(self.cov_diag), -1)

    def log_prob_inside(self, value):
        scaled, factor = self._capacitance()
        x = value - self.loc
        y = np.vecmat(x, scaled)[..., None]
        y = solve_triangular(factor, solve_triangular(factor, y, lower=True), trans=1, lower=True)[..., 0]
        r = x - np.matvec(self.cov_factor, y)
        const = self._half_log_det(factor) + HALF_LOG_2PI * self.cov_diag.shape[-1]
        return -0.5 * (np.sum(r * r / self.cov_diag, -1) + np.sum(y * y, -1)) - const

    @property
    def covariance_matrix(self):
        """W W' + diag(d)."""
        w, n = self.cov_factor, self.cov_diag.shape[-1]
        return np.matmul(w, np.swapaxes(w, -1, -2)) + self.cov_diag[..., None] * np.eye(n, dtype=self.dtype)

    @property
    def precision_matrix(self):
        """The inverse of the covariance matrix."""
        scaled, factor = self._capacitance()
        half = solve_triangular(factor, np.swapaxes(scaled, -1, -2), lower=True)
        diagonal = (1.0 / self.cov_diag)[..., None] * np.eye(self.cov_diag.shape[-1], dtype=self.dtype)
        return diagonal - np.matmul(np.swapaxes(half, -1, -2), half)

    @property
    def scale_tril(self):
        """The Cholesky factor of the covariance matrix."""
        return cholesky(self.covariance_matrix)

    @property
    def variance(self):
        return np.broadcast_to(np.sum(self.cov_factor * self.cov_factor, -1) + self.cov_diag, self.shape())

    def entropy(self):
        half = self._half_log_det(self._capacitance()[1])
        return np.broadcast_to(half + self.cov_diag.shape[-1] * (HALF_LOG_2PI + 0.5), self.batch_shape)


class CirculantNormal(Centered):
    """Normal vectors on a ring: the covariance of xᵢ and xⱼ depends on i - j modulo n. A cost of n log n.

        log p(x) = -½ Σₖ |x̂ₖ|² / (n λₖ) - ½ Σₖ log λₖ - (n/2) log 2π,  x̂ the Fourier transform of x - μ

    loc : float[*batch, n]     one of
    covariance_row : float[*batch, n], the first row of the covariance matrix, with positive Fourier transform
    covariance_rfft λ : float[*batch, n // 2 + 1], > 0, its eigenvalues: the transform of real numbers of the row
    Source: Gray (2006), "Toeplitz and circulant matrices: a review", chapter 3.
    """
    loc: ArrayLike = param(constraints.real_vector)
    covariance_rfft: ArrayLike = param(constraints.independent(constraints.positive, 1))
    support = constraints.real_vector
    reparametrized_params = ("loc", "covariance_rfft")

    def __init__(self, loc, covariance_row=None, covariance_rfft=None, *, validate_args=None):
        if (covariance_row is None) == (covariance_rfft is None):
            raise ParameterError("CirculantNormal takes exactly one of covariance_row and covariance_rfft.")
        loc = np.asarray(loc)
        if covariance_row is not None:
            covariance_rfft = np.real(np.fft.rfft(np.asarray(covariance_row)))
            loc = np.broadcast_to(loc, np.asarray(covariance_row).shape[-1:]) if loc.ndim == 0 else loc
        size = np.asarray(covariance_rfft).shape[-1]
        if loc.ndim == 0 or loc.shape[-1] // 2 + 1 != size:
            raise ParameterError(f"CirculantNormal: {size} eigenvalues are for vectors of n with n // 2 + 1 = {size}; "
                                 f"loc has shape {loc.shape}.")
        super().__init__(loc, covariance_rfft, validate_args=validate_args)

    @property
    def event_shape(self):
        return self.loc.shape[-1:]

    def sample(self, key, sample_shape=()):
        n = self.loc.shape[-1]
        z = np.fft.rfft(random.normal(key, self.shape(sample_shape), self.dtype))
        return self.loc + np.fft.irfft(z * np.sqrt(self.covariance_rfft), n)

    def _counts(self):
        """How often each eigenvalue occurs."""
        n = self.loc.shape[-1]
        k = np.arange(n // 2 + 1)
        return np.astype(2 - (k == 0) - (2 * k == n), self.dtype)

    def log_prob_inside(self, value):
        n, counts = self.loc.shape[-1], self._counts()
        x = np.fft.rfft(value - self.loc)
        power = np.square(np.real(x)) + np.square(np.imag(x))
        const = 0.5 * np.sum(counts * np.log(self.covariance_rfft), -1) + n * HALF_LOG_2PI
        return (-0.5 / n) * np.sum(power * (counts / self.covariance_rfft), -1) - const

    @property
    def covariance_row(self):
        """The first row of the covariance matrix."""
        return np.fft.irfft(self.covariance_rfft, self.loc.shape[-1])

    @property
    def covariance_matrix(self):
        """The circulant matrix of the row."""
        n = self.loc.shape[-1]
        i = np.arange(n)
        return np.take(self.covariance_row, (i[:, None] - i) % n, -1)

    @property
    def variance(self):
        return np.broadcast_to(self.covariance_row[..., :1], self.shape())

    def entropy(self):
        half = 0.5 * np.sum(self._counts() * np.log(self.covariance_rfft), -1)
        return np.broadcast_to(half + self.loc.shape[-1] * (HALF_LOG_2PI + 0.5), self.batch_shape)
