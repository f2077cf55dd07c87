"""Vectors with given marginal distributions and the dependence of a normal vector."""
from ..engine import numpy as np
from ..engine import random
from ..engine.avals import broadcast_shapes
from ..engine.errors import ParameterError
from ..engine.scipy import special
from . import constraints
from .beta import Beta
from .distribution import Distribution
from .multivariate_normal import factor_of, log_diagonal_sum, whiten
from .record import ArrayLike, child, param


class GaussianCopula(Distribution):
    """xᵢ = Fᵢ⁻¹(Φ(zᵢ)) for z ~ N(0, C): marginal distributions Fᵢ, joined as a normal vector is.

        log p(x) = Σ log fᵢ(xᵢ) - ½ (|L⁻¹ z|² - |z|²) - Σ log Lᵢᵢ,  zᵢ = Φ⁻¹(Fᵢ(xᵢ)), C = L L'

    marginal_dist : a distribution of numbers with cdf and icdf, of batch shape [*batch, n]
    one of correlation_matrix C and correlation_cholesky L : float[*batch, n, n]       sample : float[*shape, *batch, n]
    Source: Song (2000), "Multivariate dispersion models generated from Gaussian copula", section 2.
    """
    marginal_dist: Distribution = child()
    correlation_cholesky: ArrayLike = param(constraints.corr_cholesky)

    def __init__(self, marginal_dist, correlation_matrix=None, correlation_cholesky=None, *, validate_args=None):
        factor = factor_of("GaussianCopula", validate_args, correlation_matrix=correlation_matrix,
                           correlation_cholesky=correlation_cholesky)
        n = factor.shape[-1]
        if marginal_dist.event_shape:
            raise ParameterError(f"GaussianCopula: marginal_dist must be of numbers, with batch shape [..., {n}]; its "
                                 f"event shape is {marginal_dist.event_shape}.")
        if marginal_dist.batch_shape[-1:] != (n,):
            lead = marginal_dist.batch_shape
            if lead[-1:] not in ((), (1,)):
                raise ParameterError(f"GaussianCopula: a correlation of {n} numbers needs marginal_dist of batch shape "
                                     f"[..., {n}]; it is {lead}.")
            marginal_dist = marginal_dist.expand((*lead[:-1], n))
        super().__init__(marginal_dist, factor, validate_args=validate_args)

    def _broadcast_parameters(self):
        return broadcast_shapes(super()._broadcast_parameters(), self.marginal_dist.batch_shape[:-1])

    @property
    def event_shape(self):
        return self.correlation_cholesky.shape[-1:]

    @property
    def support(self):
        return constraints.independent(self.marginal_dist.support, 1)

    @property
    def reparametrized_params(self):
        """The factor; and through the quantiles the parameters of the marginal distributions."""
        return () if self.marginal_dist.is_discrete else ("correlation_cholesky",)

    @property
    def dtype(self):
        return self.marginal_dist.dtype

    @property
    def correlation_matrix(self):
        """C = L L'."""
        return np.matmul(self.correlation_cholesky, np.swapaxes(self.correlation_cholesky, -1, -2))

    def sample(self, key, sample_shape=()):
        z = np.matvec(self.correlation_cholesky, random.normal(key, self.shape(sample_shape), self.dtype))
        return self.marginal_dist.icdf(np.clip(special.ndtr(z), 0.0, 1.0 - float(np.finfo(z.dtype).epsneg)))

    def _normal_scores(self, value):
        """Φ⁻¹(Fᵢ(xᵢ)), from the logarithm of the nearer tail."""
        below, above = self.marginal_dist.log_cdf(value), self.marginal_dist.log_survival(value)
        upper = above < below
        z = special.ndtri_exp(np.maximum(np.where(upper, above, below), -1e30))
        return np.where(upper, -z, z)

    def log_prob_inside(self, value):
        z = self._normal_scores(value)
        y = whiten(self.correlation_cholesky, z)
        return (np.sum(self.marginal_dist.log_prob(value) + 0.5 * (z * z - y * y), -1)
                - log_diagonal_sum(self.correlation_cholesky))

    @property
    def mean(self):
        return np.broadcast_to(self.marginal_dist.mean, self.shape())

    @property
    def variance(self):
        return np.broadcast_to(self.marginal_dist.variance, self.shape())


class GaussianCopulaBeta(GaussianCopula):
    """GaussianCopula(Beta(concentration1, concentration0), …): vectors of numbers in [0, 1].

    concentration1, concentration0 : float[*batch, n], > 0
    """
    support = constraints.independent(constraints.unit_interval, 1)

    def __init__(self, concentration1, concentration0, correlation_matrix=None, correlation_cholesky=None, *,
                 validate_args=None):
        super().__init__(Beta(concentration1, concentration0, validate_args=validate_args), correlation_matrix,
                         correlation_cholesky, validate_args=validate_args)

    @property
    def concentration1(self):
        """The first parameter of the marginal distributions."""
        return self.marginal_dist.concentration1

    @property
    def concentration0(self):
        """The second parameter of the marginal distributions."""
        return self.marginal_dist.concentration0
