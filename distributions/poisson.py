"""The Poisson distribution, by its rate or by the logarithm of the rate."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.array import Array
from ..engine.ops.deviance import stirling_rest_of_counts
from ..engine.scipy import special
from . import constraints
from .deviance import poisson_deviance
from .distribution import above
from .exponential_family import ExponentialFamily
from .quantile import inverse_cdf_integer
from .record import ArrayLike, param, static


class _Poisson(ExponentialFamily):
    """What both forms share; each has `rate`."""
    support = constraints.nonnegative_integer

    def sample(self, key, sample_shape=()):
        return random.poisson(key, self.rate, self.shape(sample_shape))

    @property
    def natural_params(self):
        return (np.log(self.rate),)

    def log_normalizer(self, natural):
        return np.exp(natural)

    def sufficient_statistics(self, value):
        return (value,)

    @property
    def mean_log_carrier(self):
        """-E log x! has no closed form, and so neither has the entropy."""
        raise self._absent("entropy")

    @property
    def mean(self):
        return self.rate

    @property
    def variance(self):
        return self.rate

    @property
    def mode(self):
        return np.astype(np.floor(self.rate), np.int64)

    def cdf(self, value):
        return self._counted(value, special.gammaincc, 0.0)

    def survival_function(self, value):
        return self._counted(value, special.gammainc, 1.0)

    def log_cdf(self, value):
        return self._counted(value, special.log_gammaincc, -math.inf)

    def log_survival(self, value):
        return self._counted(value, special.log_gammainc, 0.0)

    def _counted(self, value, f, below):
        """f(k + 1, rate) where k, the value rounded down, is not negative."""
        k = np.floor(np.astype(np.asarray(value), self.rate.dtype))
        return above(k, -0.5, lambda k: f(k + 1.0, self.rate), below)

    def icdf(self, q):
        return inverse_cdf_integer(self.cdf, q, 0)

    def isf(self, q):
        return inverse_cdf_integer(self.survival_function, q, 0, upper_tail=True)


class Poisson(_Poisson):
    """Poisson(rate r) on the counts; mean r, variance r.

        log p(k) = k log r - r - log k! = -D(k, r) - R(k),  D = k log(k/r) - k + r,  R = log k! - k log k + k

    In the second form nothing cancels, however large the counts.

    rate : float[*batch], > 0          sample : int[*shape, *batch], >= 0
    is_sparse : most counts are 0; of values that are known while tracing, only the others cost a logarithm
    Source: Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, ch. 4; Loader (2000), "Fast and accurate
    computation of binomial probabilities", section 3.

    >>> float(Poisson(1.0).log_prob(0))
    -1.0
    """
    rate: ArrayLike = param(constraints.positive)
    is_sparse: bool = static(default=False)

    def log_prob_inside(self, value):
        k = np.astype(value, self.rate.dtype)
        if self.is_sparse and type(k) is Array and k.ndim and k.shape == np.broadcast_shapes(k.shape, self.rate.shape):
            return self._sparse(k)
        return -(poisson_deviance(k, self.rate) + stirling_rest_of_counts(k))

    def _sparse(self, k):
        """-r where k is 0."""
        at = _numpy.nonzero(k.value)
        some = np.asarray(k.value[at])
        rate = self.rate if self.rate.ndim == 0 else np.broadcast_to(self.rate, k.shape)
        terms = -(poisson_deviance(some, rate[at] if rate.ndim else rate) + stirling_rest_of_counts(some))
        return np.broadcast_to(-self.rate, k.shape).at[at].set(terms)

    @staticmethod
    def from_log_rate(log_rate, *, validate_args=None):
        """The distribution of rate exp(log_rate), whose log_prob takes no logarithm: a PoissonLogRate."""
        return PoissonLogRate(log_rate, validate_args=validate_args)


class PoissonLogRate(_Poisson):
    """PoissonLogRate(log_rate η): Poisson of rate exp η:  log p(k) = k η - exp η - log k!.

    log_rate : float[*batch]          sample : int[*shape, *batch], >= 0
    Source: McCullagh & Nelder (1989), Generalized Linear Models, ch. 6.
    """
    log_rate: ArrayLike = param(constraints.real)

    @property
    def rate(self):
        """The rate exp η."""
        return np.exp(self.log_rate)

    def log_prob_inside(self, value):
        k = np.astype(value, self.log_rate.dtype)
        return k * self.log_rate - np.exp(self.log_rate) - special.gammaln(k + 1.0)
