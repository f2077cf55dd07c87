"""Normal arrays whose covariance is a Kronecker product: the matrix normal, and vectors over a grid."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.avals import broadcast_shapes, promote_types
from ..engine.errors import ParameterError
from ..engine.numpy.linalg import cholesky, eigh
from ..engine.scipy.linalg import solve_triangular
from . import constraints
from .distribution import Distribution, shape_of
from .multivariate_normal import log_diagonal_sum
from .normal import HALF_LOG_2PI
from .record import ArrayLike, child, param


class MatrixNormal(Distribution):
    """M + A Z B' with Z standard normal: rows have covariance A A', columns B B'.

        log p(x) = -½ |A⁻¹ (x - M) B'⁻¹|² - p Σ log Aᵢᵢ - n Σ log Bᵢᵢ - (np/2) log 2π

    loc M : float[*batch, n, p]     scale_tril_row A : float[*batch, n, n]     scale_tril_column B : float[*batch, p, p]
    sample : float[*shape, *batch, n, p]
    Source: Gupta & Nagar (1999), Matrix Variate Distributions, section 2.2.
    """
    loc: ArrayLike = param(constraints.real_matrix)
    scale_tril_row: ArrayLike = param(constraints.lower_cholesky)
    scale_tril_column: ArrayLike = param(constraints.lower_cholesky)
    support = constraints.real_matrix
    reparametrized_params = ("loc", "scale_tril_row", "scale_tril_column")

    @property
    def event_shape(self):
        return self.loc.shape[-2:]

    def sample(self, key, sample_shape=()):
        z = random.normal(key, self.shape(sample_shape), self.dtype)
        return self.loc + np.matmul(np.matmul(self.scale_tril_row, z), np.swapaxes(self.scale_tril_column, -1, -2))

    def _half_log_det(self):
        n, p = self.event_shape
        return p * log_diagonal_sum(self.scale_tril_row) + n * log_diagonal_sum(self.scale_tril_column)

    def log_prob_inside(self, value):
        n, p = self.event_shape
        y = solve_triangular(self.scale_tril_row, value - self.loc, lower=True)
        y = solve_triangular(self.scale_tril_column, np.swapaxes(y, -1, -2), lower=True)
        return -0.5 * np.sum(y * y, (-2, -1)) - (self._half_log_det() + n * p * HALF_LOG_2PI)

    @property
    def mean(self):
        return np.broadcast_to(self.loc, self.shape())

    mode = mean

    @property
    def variance(self):
        rows = np.sum(self.scale_tril_row * self.scale_tril_row, -1)[..., :, None]
        columns = np.sum(self.scale_tril_column * self.scale_tril_column, -1)[..., None, :]
        return np.broadcast_to(rows * columns, self.shape())

    def entropy(self):
        n, p = self.event_shape
        return np.broadcast_to(self._half_log_det() + n * p * (HALF_LOG_2PI + 0.5), self.batch_shape)


class KroneckerNormal(Distribution):
    """Normal vectors with covariance K₁ ⊗ K₂ ⊗ … + σ² I, never formed: n³ for each factor alone.

        without σ: whitened by L₁⁻¹ ⊗ L₂⁻¹ ⊗ …, Kᵢ = Lᵢ Lᵢ'
        with σ:    rotated by Q₁' ⊗ Q₂' ⊗ …, Kᵢ = Qᵢ Λᵢ Qᵢ', then divided by √(Λ₁ ⊗ Λ₂ ⊗ … + σ²)

    loc : float[*batch, n₁ n₂ …], a number for equal ones       sigma : float[*batch], > 0
    one of covs : list of Kᵢ;  chols : list of Lᵢ (without σ);  evds : list of (Λᵢ, Qᵢ)
    Source: Saatçi (2011), "Scalable inference for structured Gaussian process models", chapter 5.
    """
    loc: ArrayLike = param(constraints.real_vector)
    sigma: ArrayLike = param(constraints.positive)
    factors: tuple = child()                 # Lᵢ or Qᵢ
    spectra: tuple = child()                 # Λᵢ, empty with Lᵢ
    support = constraints.real_vector

    def __init__(self, loc=0.0, covs=None, chols=None, evds=None, sigma=None, *, validate_args=None):
        if sum(given is not None for given in (covs, chols, evds)) != 1:
            raise ParameterError("KroneckerNormal takes exactly one of covs, chols and evds.")
        covs = [np.asarray(m) for m in covs] if covs is not None else covs
        if evds is None and sigma is None:
            factors, spectra = [cholesky(m) for m in covs] if covs is not None else chols, ()
        else:
            if chols is not None:
                covs = [np.matmul(m, np.swapaxes(m, -1, -2)) for m in map(np.asarray, chols)]
            evds = [tuple(eigh(m)) for m in covs] if evds is None else evds
            spectra, factors = zip(*evds)
            sigma = 0.0 if sigma is None else sigma
        factors, spectra = tuple(map(np.asarray, factors)), tuple(map(np.asarray, spectra))
        n, loc = math.prod(m.shape[-1] for m in factors), np.asarray(loc)
        loc = np.broadcast_to(loc, (n,)) if loc.ndim == 0 else loc
        if loc.shape[-1] != n:
            raise ParameterError(f"KroneckerNormal: factors of sizes {[m.shape[-1] for m in factors]} are for vectors "
                                 f"of {n}; loc has shape {loc.shape}.")
        noisy = sigma is not None
        super().__init__(loc, sigma if noisy else 1.0, factors, spectra, validate_args=validate_args)

    def _broadcast_parameters(self):
        lead = super()._broadcast_parameters()
        return broadcast_shapes(lead, *[shape_of(m)[:-2] for m in self.factors])

    @property
    def event_shape(self):
        return self.loc.shape[-1:]

    @property
    def reparametrized_params(self):
        """loc and sigma; the factors too, which are no single parameter."""
        return ("loc", "sigma") if self.spectra else ("loc",)

    @property
    def dtype(self):
        return promote_types(super().dtype, *self.factors)

    def _along_axes(self, x, f):
        """f(factor, y) on y [..., nᵢ, rest] for each factor's axis of x [..., n₁ n₂ …]."""
        sizes = [m.shape[-1] for m in self.factors]
        total = x.shape[-1]
        for m, n in zip(self.factors, sizes):            # the front axis is worked on, then goes to the back
            y = f(m, x.reshape((*x.shape[:-1], n, total // n)))
            x = np.swapaxes(y, -1, -2)
            x = x.reshape((*x.shape[:-2], total))
        return x

    def _scales(self):
        """√(Λ₁ ⊗ Λ₂ ⊗ … + σ²)."""
        product = self.spectra[0]
        for values in self.spectra[1:]:
            product = product[..., :, None] * values[..., None, :]
            product = product.reshape((*product.shape[:-2], -1))
        return np.sqrt(product + np.square(self.sigma)[..., None])

    def sample(self, key, sample_shape=()):
        z = random.normal(key, self.shape(sample_shape), self.dtype)
        z = z * self._scales() if self.spectra else z
        return self.loc + self._along_axes(z, np.matmul)

    def _half_log_det(self):
        if self.spectra:
            return np.sum(np.log(self._scales()), -1)
        n = self.loc.shape[-1]
        return sum((n // m.shape[-1]) * log_diagonal_sum(m) for m in self.factors)

    def log_prob_inside(self, value):
        x = value - self.loc
        if self.spectra:
            z = self._along_axes(x, lambda q, y: np.matmul(np.swapaxes(q, -1, -2), y)) / self._scales()
        else:
            z = self._along_axes(x, lambda m, y: solve_triangular(m, y, lower=True))
        return -0.5 * np.sum(z * z, -1) - (self._half_log_det() + self.loc.shape[-1] * HALF_LOG_2PI)

    @property
    def mean(self):
        return np.broadcast_to(self.loc, self.shape())

    mode = mean

    @property
    def variance(self):
        squares = [m * m * (v[..., None, :] if self.spectra else 1.0)
                   for m, v in zip(self.factors, self.spectra or self.factors)]
        rows = [np.sum(s, -1) for s in squares]
        product = rows[0]
        for values in rows[1:]:
            product = product[..., :, None] * values[..., None, :]
            product = product.reshape((*product.shape[:-2], -1))
        noise = np.square(self.sigma)[..., None] if self.spectra else 0.0
        return np.broadcast_to(product + noise, self.shape())

    def entropy(self):
        n = self.loc.shape[-1]
        return np.broadcast_to(self._half_log_det() + n * (HALF_LOG_2PI + 0.5), self.batch_shape)
