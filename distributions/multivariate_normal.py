"""The multivariate normal distribution."""
from ..engine import numpy as np
from ..engine import random
from ..engine.array import Array
from ..engine.avals import broadcast_shapes
from ..engine.errors import ParameterError
from ..engine.numpy.linalg import cholesky
from ..engine.scipy.linalg import solve_triangular
from . import constraints
from .location_scale import Centered
from .normal import HALF_LOG_2PI
from .record import ArrayLike, param


def whiten(scale_tril, x):
    """L⁻¹ x, batch axes broadcast.   scale_tril : [*batch, n, n], x : [*shape, n] -> [*shape with batch, n]"""
    if x.ndim == 1 and scale_tril.ndim == 2:
        return solve_triangular(scale_tril, x, lower=True)
    if scale_tril.ndim == 2:                             # one factor: all right-hand sides in one solve
        n = x.shape[-1]
        flat = x.reshape((-1, n))
        return solve_triangular(scale_tril, flat.T, lower=True).T.reshape(x.shape)
    shape = broadcast_shapes(scale_tril.shape[:-2], x.shape[:-1])
    factor = np.broadcast_to(scale_tril, (*shape, *scale_tril.shape[-2:]))
    return solve_triangular(factor, np.broadcast_to(x, (*shape, x.shape[-1]))[..., None], lower=True)[..., 0]


def log_diagonal_sum(triangle):
    """Σ log of the diagonal: half the log-determinant of L L'."""
    return np.sum(np.log(np.diagonal(triangle, 0, -2, -1)), -1)


def factor_of(family, validate_args=None, **given):
    """The lower triangular L with Σ = L L', from the one matrix that is given, by its name: scale_tril is L itself,
    precision_matrix or rate_matrix Σ⁻¹, any other Σ."""
    named = {name: value for name, value in given.items() if value is not None}
    if len(named) != 1:
        names = list(given)
        raise ParameterError(f"{family} takes exactly one of {', '.join(names[:-1])} and {names[-1]}; "
                             f"got {' and '.join(named) or 'none of them'}.")
    (name, matrix), = named.items()
    matrix = np.asarray(matrix)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise ParameterError(f"{family}: {name} must be a square matrix; got shape {matrix.shape}.")
    if "_tril" in name or name.endswith("_cholesky"):
        return matrix
    factor = inverse_factor(matrix) if name in ("precision_matrix", "rate_matrix") else cholesky(matrix)
    known = type(matrix) is Array and type(factor) is Array and validate_args is not False
    if known and not bool(np.all(constraints.positive_definite(matrix))):
        raise ParameterError(f"{family}: {name} must be {constraints.positive_definite.words}.")
    return factor


def inverse_factor(matrix):
    """The lower triangular L with L L' = matrix⁻¹: with J the flip and J matrix J = R R', L = J R⁻' J."""
    flipped = np.flip(cholesky(np.flip(matrix, (-2, -1))), (-2, -1))
    eye = np.broadcast_to(np.eye(matrix.shape[-1], dtype=flipped.dtype), matrix.shape)
    return solve_triangular(np.swapaxes(flipped, -1, -2), eye, lower=True)


def fitting_loc(family, loc, factor):
    """The loc as a vector for the factor's n; a number stands for n equal ones."""
    n = factor.shape[-1]
    loc = np.asarray(loc)
    if loc.ndim == 0:
        return np.broadcast_to(loc, (n,))
    if loc.shape[-1] != n:
        raise ParameterError(f"{family}: loc of shape {loc.shape} and a matrix of shape {factor.shape} do not fit; "
                             f"the last axis of loc must have size {n}.")
    return loc


class MultivariateNormal(Centered):
    """MultivariateNormal(loc μ, one of covariance_matrix Σ, precision_matrix Σ⁻¹, scale_tril L with Σ = L L').

        log p(x) = -½ |L⁻¹ (x - μ)|² - Σ log Lᵢᵢ - (n/2) log 2π

    loc : float[*batch, n]     the matrices : float[*batch, n, n]          sample : float[*shape, *batch, n]
    Source: Kotz, Balakrishnan & Johnson (2000), Continuous Multivariate Distributions 1, ch. 45.

    >>> float(MultivariateNormal([0.0, 0.0], covariance_matrix=[[1.0, 0.0], [0.0, 4.0]]).log_prob([0.0, 0.0]))
    -2.5310242
    """
    loc: ArrayLike = param(constraints.real_vector)
    scale_tril: ArrayLike = param(constraints.lower_cholesky)
    support = constraints.real_vector
    reparametrized_params = ("loc", "scale_tril")

    def __init__(self, loc=0.0, covariance_matrix=None, precision_matrix=None, scale_tril=None, *, validate_args=None):
        factor = factor_of("MultivariateNormal", validate_args, covariance_matrix=covariance_matrix,
                           precision_matrix=precision_matrix, scale_tril=scale_tril)
        super().__init__(fitting_loc("MultivariateNormal", loc, factor), factor, validate_args=validate_args)

    @property
    def event_shape(self):
        return self.scale_tril.shape[-1:]

    def sample(self, key, sample_shape=()):
        z = random.normal(key, self.shape(sample_shape), self.dtype)
        factor = self.scale_tril
        return self.loc + (np.matmul(z, factor.T) if factor.ndim == 2 else np.matvec(factor, z))

    def log_prob_inside(self, value):
        z = whiten(self.scale_tril, value - self.loc)
        const = log_diagonal_sum(self.scale_tril) + HALF_LOG_2PI * self.scale_tril.shape[-1]
        return -0.5 * np.sum(z * z, -1) - const

    @property
    def covariance_matrix(self):
        """Σ = L L'."""
        return np.matmul(self.scale_tril, np.swapaxes(self.scale_tril, -1, -2))

    @property
    def precision_matrix(self):
        """Σ⁻¹ = L⁻' L⁻¹."""
        n = self.scale_tril.shape[-1]
        eye = np.broadcast_to(np.eye(n, dtype=self.dtype), self.scale_tril.shape)
        inverse = solve_triangular(self.scale_tril, eye, lower=True)
        return np.matmul(np.swapaxes(inverse, -1, -2), inverse)

    @property
    def variance(self):
        return np.broadcast_to(np.sum(self.scale_tril * self.scale_tril, -1), self.shape())

    def entropy(self):
        n = self.scale_tril.shape[-1]
        return np.broadcast_to(log_diagonal_sum(self.scale_tril) + n * (HALF_LOG_2PI + 0.5), self.batch_shape)
