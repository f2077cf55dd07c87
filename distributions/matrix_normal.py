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
from .location_scale import Centered
from .multivariate_normal import factor_of, log_diagonal_sum
from .normal import HALF_LOG_2PI
from .record import ArrayLike, child, param


class MatrixVariate(Distribution):
    """Base of distributions of n × p matrices with a factor for the rows and one for the columns.

    Each is given as scale_tril_row or row_covariance = A A', scale_tril_column or column_covariance = B B'.
    """

    def _made(self, loc, rows, columns, validate_args):
        """loc and both factors, checked to fit."""
        family, loc = type(self).__name__, np.asarray(loc)
        a = factor_of(family, validate_args, scale_tril_row=rows[0], row_covariance=rows[1])
        b = factor_of(family, validate_args, scale_tril_column=columns[0], column_covariance=columns[1])
        n, p = a.shape[-1], b.shape[-1]
        loc = np.broadcast_to(loc, (n, p)) if loc.ndim == 0 else loc
        if loc.shape[-2:] != (n, p):
            raise ParameterError(f"{family}: factors of {n} rows and {p} columns are for matrices of shape ({n}, {p}); "
                                 f"loc has shape {loc.shape}.")
        return loc, a, b

    @property
    def event_shape(self):
        return self.loc.shape[-2:]

    def _whitened(self, value):
        """B⁻¹ (x - M)' A'⁻¹, p × n."""
        y = solve_triangular(self.scale_tril_row, value - self.loc, lower=True)
        return solve_triangular(self.scale_tril_column, np.swapaxes(y, -1, -2), lower=True)

    def _half_log_det(self):
        """p Σ log Aᵢᵢ + n Σ log Bᵢᵢ."""
        n, p = self.event_shape
        return p * log_diagonal_sum(self.scale_tril_row) + n * log_diagonal_sum(self.scale_tril_column)

    def _squares(self):
        """(A A')ᵢᵢ (B B')ⱼⱼ."""
        rows = np.sum(self.scale_tril_row * self.scale_tril_row, -1)[..., :, None]
        return rows * np.sum(self.scale_tril_column * self.scale_tril_column, -1)[..., None, :]

    @property
    def mode(self):
        return np.broadcast_to(self.loc, self.shape())


class MatrixNormal(MatrixVariate):
    """M + A Z B' with Z standard normal: rows have covariance A A', columns B B'.

        log p(x) = -½ |A⁻¹ (x - M) B'⁻¹|² - p Σ log Aᵢᵢ - n Σ log Bᵢᵢ - (np/2) log 2π

    loc M : float[*batch, n, p]     scale_tril_row A : float[*batch, n, n]     scale_tril_column B : float[*batch, p, p]
    row_covariance, column_covariance : A A', B B', in place of A and B
    sample : float[*shape, *batch, n, p]
    Source: Gupta & Nagar (1999), Matrix Variate Distributions, section 2.2.
    """
    loc: ArrayLike = param(constraints.real_matrix)
    scale_tril_row: ArrayLike = param(constraints.lower_cholesky)
    scale_tril_column: ArrayLike = param(constraints.lower_cholesky)
    support = constraints.real_matrix
    reparametrized_params = ("loc", "scale_tril_row", "scale_tril_column")

    def __init__(self, loc, scale_tril_row=None, scale_tril_column=None, *, row_covariance=None,
                 column_covariance=None, validate_args=None):
        made = self._made(loc, (scale_tril_row, row_covariance), (scale_tril_column, column_covariance), validate_args)
        super().__init__(*made, validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        z = random.normal(key, self.shape(sample_shape), self.dtype)
        return self.loc + np.matmul(np.matmul(self.scale_tril_row, z), np.swapaxes(self.scale_tril_column, -1, -2))

    def log_prob_inside(self, value):
        n, p = self.event_shape
        y = self._whitened(value)
        return -0.5 * np.sum(y * y, (-2, -1)) - (self._half_log_det() + n * p * HALF_LOG_2PI)

    @property
    def mean(self):
        return np.broadcast_to(self.loc, self.shape())

    @property
    def variance(self):
        return np.broadcast_to(self._squares(), self.shape())

    def entropy(self):
        n, p = self.event_shape
        return np.broadcast_to(self._half_log_det() + n * p * (HALF_LOG_2PI + 0.5), self.batch_shape)


class KroneckerNormal(Centered):
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
