"""The Dirichlet distribution."""
from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .exponential_family import ExponentialFamily
from .record import ArrayLike, param


class Dirichlet(ExponentialFamily):
    """Dirichlet(concentration a) on the simplex of n numbers; mean a / Σ a.

        log p(x) = Σ (aᵢ - 1) log xᵢ + log Γ(Σ a) - Σ log Γ(aᵢ), all xᵢ > 0

    concentration : float[*batch, n], > 0          sample : float[*shape, *batch, n], >= 0, sum 1
    Source: Kotz, Balakrishnan & Johnson (2000), Continuous Multivariate Distributions 1, ch. 49.

    >>> float(Dirichlet([1.0, 1.0, 1.0]).log_prob([0.2, 0.3, 0.5]))
    0.6931472
    """
    concentration: ArrayLike = param(constraints.independent(constraints.positive, 1))
    support = constraints.simplex
    reparametrized_params = ("concentration",)
    natural_dims = (1,)

    @property
    def event_shape(self):
        return self.concentration.shape[-1:]

    def sample(self, key, sample_shape=()):
        return random.dirichlet(key, self.concentration, (*sample_shape, *self.batch_shape), self.dtype)

    def _log_norm(self):
        """The logarithm of the integral of the kernel."""
        a = self.concentration
        return np.sum(special.gammaln(a), -1) - special.gammaln(np.sum(a, -1))

    def log_prob_inside(self, value):
        return np.sum((self.concentration - 1.0) * np.log(value), -1) - self._log_norm()

    def log_prob(self, value):
        value = np.asarray(value)
        ok = np.logical_and(self.support(value), np.all(value > 0, -1))
        return self._guarded(value, self.support, ok)

    @property
    def natural_params(self):
        return (self.concentration - 1.0,)

    def log_normalizer(self, natural):
        return np.sum(special.gammaln(natural + 1.0), -1) - special.gammaln(np.sum(natural + 1.0, -1))

    def sufficient_statistics(self, value):
        return (np.log(value),)

    @property
    def mean(self):
        return self.concentration / np.sum(self.concentration, -1, keepdims=True)

    @property
    def variance(self):
        total = np.sum(self.concentration, -1, keepdims=True)
        m = self.concentration / total
        return m * (1.0 - m) / (total + 1.0)

    @property
    def mode(self):
        """Where all concentrations are above 1; else nan."""
        a = self.concentration
        inner = np.all(a > 1, -1, keepdims=True)
        total = np.sum(a, -1, keepdims=True) - a.shape[-1]
        return np.where(inner, (a - 1.0) / np.where(inner, total, 1.0), np.nan)

    def entropy(self):
        a = self.concentration
        total = np.sum(a, -1)
        return (self._log_norm() + (total - a.shape[-1]) * special.digamma(total)
                - np.sum((a - 1.0) * special.digamma(a), -1))
