"""Random correlation matrices, and covariance matrices with a prior of their standard deviations."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.errors import ParameterError
from ..engine.numpy.linalg import cholesky
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .multivariate_normal import log_diagonal_sum
from .record import ArrayLike, child, param, static


class _Correlations(Distribution):
    """What the matrix and its factor share."""
    dimension: int = static()
    concentration: ArrayLike = param(constraints.positive, default=1.0)
    sample_method: str = static(default="onion")
    reparametrized_params = ("concentration",)

    def __init__(self, dimension, concentration=1.0, sample_method="onion", *, validate_args=None):
        if not isinstance(dimension, (int, _numpy.integer)) or dimension < 2:
            raise ParameterError(f"{type(self).__name__}: dimension must be an integer of 2 or more; got {dimension}.")
        if sample_method not in ("onion", "cvine"):
            raise ParameterError(f"{type(self).__name__}: sample_method must be 'onion' or 'cvine'; "
                                 f"got {sample_method!r}.")
        super().__init__(int(dimension), concentration, sample_method, validate_args=validate_args)

    @property
    def event_shape(self):
        return (self.dimension, self.dimension)

    def _log_norm(self):
        """log ∫ |C|^(η-1) over the correlation matrices: Π_k π^(k/2) Γ(η + (n-1-k)/2) / Γ(η + (n-1)/2), k = 1 … n-1."""
        n = self.dimension
        k = np.arange(1, n, dtype=self.dtype)
        ratios = np.sum(special.betaln(self.concentration[..., None] + 0.5 * (n - 1 - k), 0.5 * k), -1)
        return ratios + sum(0.5 * i * math.log(math.pi) - math.lgamma(0.5 * i) for i in range(1, n))

    def _draw(self, key, sample_shape):
        draw = self._onion if self.sample_method == "onion" else self._cvine
        return draw(key, (*sample_shape, *self.batch_shape))

    def _onion(self, key, shape):
        """Row i is (z₁ … zᵢ₋₁, √2g) divided by its length, g ~ Gamma(η + (n-i)/2): its first i-1 numbers have density
        (1 - |w|²)^(η - 1 + (n-i)/2), i.e. a uniform direction and a length² that is Beta((i-1)/2, η + (n-i)/2)."""
        n = self.dimension
        first, second = random.split(key)
        shapes = self.concentration[..., None] + 0.5 * np.arange(n - 1, -1, -1, dtype=self.dtype)
        last = np.sqrt(2.0 * random.gamma(first, shapes, (*shape, n), self.dtype))
        below = np.tril(random.normal(second, (*shape, n, n), self.dtype), -1)
        length = np.sqrt(np.sum(below * below, -1) + last * last)
        return below / length[..., None] + (last / length)[..., None] * np.eye(n, dtype=self.dtype)

    def _cvine(self, key, shape):
        """Partial correlations pᵢⱼ = 2 B - 1, B ~ Beta(b, b) with b = η + (n-1-j)/2 in column j = 1 … n-1, then
        Lᵢⱼ = pᵢⱼ Π_{k<j} √(1 - pᵢₖ²)."""
        n = self.dimension
        b = self.concentration[..., None] + 0.5 * np.arange(n - 2, -1, -1, dtype=self.dtype)
        draws = random.beta(key, b[..., None, :], b[..., None, :], (*shape, n, n - 1), self.dtype)
        below = np.tril(np.ones((n, n - 1), self.dtype), -1)
        p = (2.0 * draws - 1.0) * below
        left = np.where(below > 0, 4.0 * draws * (1.0 - draws), 1.0)
        left = np.sqrt(np.cumprod(left, -1))
        one = np.ones((*shape, n, 1), self.dtype)
        left = np.concatenate([one, left], -1)           # what the row has left before each column
        wide = np.concatenate([p, np.zeros_like(one)], -1) + np.eye(n, dtype=p.dtype)
        return wide * left

    def _mean_log_diagonals(self):
        """E log Lᵢᵢ for i = 2 … n, from Lᵢᵢ² ~ Beta(η + (n-i)/2, (i-1)/2)."""
        n, eta = self.dimension, self.concentration[..., None]
        a = eta + 0.5 * np.arange(n - 2, -1, -1, dtype=self.dtype)
        return 0.5 * (special.digamma(a) - special.digamma(eta + 0.5 * (n - 1)))


class LKJCholesky(_Correlations):
    """The Cholesky factor L of a correlation matrix with density proportional to |L L'|^(η - 1).

        log p(L) = Σ_{i=2}^n (n - i + 2η - 2) log Lᵢᵢ - log Z     over the elements below the diagonal
        log Z = Σ_{k<n} (k/2) log π + log Γ(η + (n-1-k)/2) - log Γ(η + (n-1)/2)

    dimension n : int     concentration η : float[*batch], > 0; 1 is uniform, larger ones prefer small correlations
    sample_method : 'onion' or 'cvine'          sample : float[*shape, *batch, n, n], lower triangular
    Source: Lewandowski, Kurowicka & Joe (2009), "Generating random correlation matrices based on vines and extended
    onion method", sections 2.4, 3.2 and equation 16.

    >>> float(LKJCholesky(2, 1.0).log_prob([[1.0, 0.0], [0.6, 0.8]]))          # the correlation is uniform on [-1, 1]
    -0.6931472
    """
    support = constraints.corr_cholesky

    def sample(self, key, sample_shape=()):
        return self._draw(key, sample_shape)

    def log_prob_inside(self, value):
        n = self.dimension
        logs = np.log(np.diagonal(value, 0, -2, -1)[..., 1:])
        powers = np.arange(n - 2, -1, -1, dtype=self.dtype) + 2.0 * (self.concentration[..., None] - 1.0)
        return np.sum(powers * logs, -1) - self._log_norm()

    def entropy(self):
        n = self.dimension
        powers = np.arange(n - 2, -1, -1, dtype=self.dtype) + 2.0 * (self.concentration[..., None] - 1.0)
        return self._log_norm() - np.sum(powers * self._mean_log_diagonals(), -1)


class LKJ(_Correlations):
    """Correlation matrices C with density |C|^(η - 1) / Z over the elements below the diagonal; see LKJCholesky.

    dimension n : int     concentration η : float[*batch], > 0     sample : float[*shape, *batch, n, n]
    """
    support = constraints.corr_matrix

    def sample(self, key, sample_shape=()):
        factor = self._draw(key, sample_shape)
        c = np.matmul(factor, np.swapaxes(factor, -1, -2))
        eye = np.eye(self.dimension, dtype=self.dtype)
        return c * (1.0 - eye) + eye                     # ones on the diagonal, without rounding

    def log_prob_inside(self, value):
        return 2.0 * (self.concentration - 1.0) * log_diagonal_sum(cholesky(value)) - self._log_norm()

    @property
    def mean(self):
        return np.broadcast_to(np.eye(self.dimension, dtype=self.dtype), self.shape())

    @property
    def variance(self):
        """1 / (2η + n - 1) off the diagonal."""
        off = 1.0 - np.eye(self.dimension, dtype=self.dtype)
        return off / (2.0 * self.concentration + (self.dimension - 1.0))[..., None, None]

    def entropy(self):
        return self._log_norm() - 2.0 * (self.concentration - 1.0) * np.sum(self._mean_log_diagonals(), -1)


class LKJCholeskyCov(Distribution):
    """L = diag(s) C with C ~ LKJCholesky(n, η), standard deviations s ~ sd_dist: a prior of a covariance's factor.

        log p(L) = log LKJ(C) + log p(s) + Σ log Cᵢᵢ - Σ (i-1) log sᵢ,  s the lengths of the rows, C = L / s

    dimension n : int     concentration η : float[*batch], > 0
    sd_dist : a distribution of positive numbers (n independent ones are taken) or of vectors of n of them
    sample : float[*shape, *batch, n, n], lower triangular with a positive diagonal
    Source: the rows in polar coordinates; Lewandowski, Kurowicka & Joe (2009) for C.
    """
    dimension: int = static()
    concentration: ArrayLike = param(constraints.positive)
    sd_dist: Distribution = child()
    sample_method: str = static(default="onion")
    support = constraints.lower_cholesky

    def __init__(self, dimension, concentration, sd_dist, sample_method="onion", *, validate_args=None):
        LKJCholesky(dimension, 1.0, sample_method)       # its checks
        if not sd_dist.event_shape:
            lead = sd_dist.batch_shape
            if lead[-1:] != (dimension,):
                sd_dist = sd_dist.expand((*lead[:-1], dimension)) if lead[-1:] == (1,) or not lead else sd_dist
            sd_dist = sd_dist.to_event(1) if sd_dist.batch_shape else sd_dist
        if sd_dist.event_shape != (dimension,):
            raise ParameterError(f"LKJCholeskyCov: sd_dist must give {dimension} standard deviations; it has batch "
                                 f"shape {sd_dist.batch_shape} and event shape {sd_dist.event_shape}.")
        super().__init__(dimension, concentration, sd_dist, sample_method, validate_args=validate_args)

    def _broadcast_parameters(self):
        return np.broadcast_shapes(super()._broadcast_parameters(), self.sd_dist.batch_shape)

    @property
    def event_shape(self):
        return (self.dimension, self.dimension)

    @property
    def reparametrized_params(self):
        """The concentration, where the standard deviations are differentiable too."""
        return ("concentration",) if self.sd_dist.has_rsample else ()

    def _correlations(self):
        return LKJCholesky(self.dimension, self.concentration, self.sample_method, validate_args=False)

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        lead = (*sample_shape, *self.batch_shape)
        sd = self.sd_dist.expand(self.batch_shape).sample(first, sample_shape)
        factor = self._correlations().expand(self.batch_shape).sample(second, sample_shape)
        return np.broadcast_to(sd, (*lead, self.dimension))[..., None] * factor

    def log_prob_inside(self, value):
        sd = np.sqrt(np.sum(value * value, -1))
        c = value / sd[..., None]
        turns = np.arange(self.dimension, dtype=self.dtype)
        return (self._correlations().log_prob_inside(c) + self.sd_dist.log_prob(sd) + log_diagonal_sum(c)
                - np.sum(turns * np.log(sd), -1))
