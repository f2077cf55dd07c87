"""A linear recursion driven by normal vectors, seen without noise."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.control import scan
from ..engine.errors import ShapeError
from . import constraints
from .distribution import Distribution
from .multivariate_normal import factor_of, log_diagonal_sum, whiten
from .normal import HALF_LOG_2PI
from .random_walk import checked_steps
from .record import ArrayLike, param, static
from .transforms import RecursiveLinearTransform


class GaussianStateSpace(Distribution):
    """xₜ = A xₜ₋₁ + L εₜ, t = 1 … T, from a known x₀, with standard normal vectors εₜ; mean Aᵗ x₀.

        log p(x) = Σ log N(xₜ - A xₜ₋₁; 0, L L')

    num_steps T : int     transition_matrix A : float[*batch, n, n]     initial_value x₀ : float[*batch, n], default 0
    one of covariance_matrix Σ = L L', precision_matrix Σ⁻¹, scale_tril L : float[*batch, n, n]
    sample : float[*shape, *batch, T, n]
    LinearGaussianStateSpace is for states that are seen with noise.
    Source: Durbin & Koopman (2012), Time Series Analysis by State Space Methods, 2nd ed., §3.1.

    >>> GaussianStateSpace(2, [[0.5]], scale_tril=[[1.0]]).variance.tolist()
    [[1.0], [1.25]]
    """
    num_steps: int = static()
    transition_matrix: ArrayLike = param(constraints.real_matrix)
    scale_tril: ArrayLike = param(constraints.lower_cholesky)
    initial_value: ArrayLike = param(constraints.real_vector)
    support = constraints.real_matrix
    reparametrized_params = ("transition_matrix", "scale_tril", "initial_value")

    def __init__(self, num_steps, transition_matrix, covariance_matrix=None, precision_matrix=None, scale_tril=None,
                 initial_value=None, *, validate_args=None):
        name, matrix = type(self).__name__, np.asarray(transition_matrix)
        factor = factor_of(name, validate_args, covariance_matrix=covariance_matrix, precision_matrix=precision_matrix,
                           scale_tril=scale_tril)
        n = factor.shape[-1]
        first = np.zeros(n, factor.dtype) if initial_value is None else np.asarray(initial_value)
        if matrix.shape[-2:] != (n, n) or first.shape[-1:] != (n,):
            raise ShapeError(f"{name}: transition_matrix has shape {matrix.shape}, the noise {factor.shape} and "
                             f"initial_value {first.shape}; they must be (..., {n}, {n}) twice and (..., {n}).")
        super().__init__(checked_steps(name, num_steps), matrix, factor, first, validate_args=validate_args)

    @property
    def event_shape(self):
        return (self.num_steps, self.scale_tril.shape[-1])

    @property
    def _path(self):
        """From all L εₜ to all xₜ."""
        return RecursiveLinearTransform(self.transition_matrix, self.initial_value)

    def sample(self, key, sample_shape=()):
        z = random.normal(key, self.shape(sample_shape), self.dtype)
        return self._path(np.matmul(z, np.swapaxes(self.scale_tril, -1, -2)))

    def log_prob_inside(self, value):
        z = whiten(self.scale_tril[..., None, :, :], self._path._inverse(value))
        return -0.5 * np.sum(z * z, (-1, -2)) - self._log_norm()

    def _log_norm(self):
        return self.num_steps * log_diagonal_sum(self.scale_tril) + math.prod(self.event_shape) * HALF_LOG_2PI

    @property
    def mean(self):
        return self._path(np.zeros(self.shape(), self.dtype))

    mode = mean

    @property
    def variance(self):
        """The diagonal of Σ Aᵏ Σ A'ᵏ over k < t."""
        start = np.broadcast_to(self.scale_tril, (*self.batch_shape, *self.scale_tril.shape[-2:]))

        def step(factor, _):
            return np.matmul(self.transition_matrix, factor), np.sum(factor * factor, -1)
        return np.cumsum(np.moveaxis(scan(step, start, None, self.num_steps)[1], 0, -2), -2)

    def entropy(self):
        return np.broadcast_to(self._log_norm() + 0.5 * math.prod(self.event_shape), self.batch_shape)
