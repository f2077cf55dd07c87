"""Student's t distribution of vectors."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
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
        ratio = special.betaln(0.5 * df, 0.5 * n) - math.lgamma(0.5 * n)         # log Γ(ν/2) - log Γ((ν + n)/2)
        return log_diagonal_sum(self.scale_tril) + (0.5 * n) * np.log(df * math.pi) + ratio

    def log_prob_inside(self, value):
        z = whiten(self.scale_tril, value - self.loc)
        power = -0.5 * (self.df + self.scale_tril.shape[-1])
        return power * np.log1p(np.sum(z * z, -1) / self.df) - self._log_norm()

    @property
    def mean(self):
        """Where df is above 1; else nan."""
        return np.where((self.df > 1)[..., None], np.broadcast_to(self.loc, self.shape()), math.nan)

    @property
    def mode(self):
        return np.broadcast_to(self.loc, self.shape())

    def _inflation(self):
        """ν / (ν - 2)."""
        df = self.df
        safe = np.where(df > 2, df, 3.0)
        return np.where(df > 2, safe / (safe - 2.0), np.where(df > 1, np.asarray(math.inf, df.dtype), math.nan))

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
