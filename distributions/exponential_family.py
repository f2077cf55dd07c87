"""Exponential families: what follows from their natural parameters and the normaliser."""
from typing import ClassVar

from ..engine import numpy as np
from ..engine.api import grad
from .distribution import Distribution, sum_rightmost


class ExponentialFamily(Distribution):
    """Base of families whose density is that of an exponential family in the same sufficient statistics.

        log p(x) = Σᵢ <ηᵢ, Tᵢ(x)> - A(η) + log h(x)          E Tᵢ(x) = ∂A/∂ηᵢ

    A family writes `natural_params`, `log_normalizer` and `sufficient_statistics`, and `mean_log_carrier` where h is
    not 1. From these come, where it has no formula of its own,

        entropy              A(η) - <η, ∇A(η)> - E log h(x)
        kl_divergence        A(η') - A(η) - <η' - η, ∇A(η)> to another member of the same class: the Bregman divergence

    h must not depend on parameters, or only on those that are the same in both.
    Source: Wainwright & Jordan (2008), "Graphical models, exponential families, and variational inference", section 3;
    Nielsen & Nock (2010), "Entropies and cross-entropies of exponential families".

    >>> from chainrule.distributions import Gamma
    >>> [float(x) for x in Gamma(2.0, 4.0).natural_params], float(Gamma(2.0, 4.0).expected_statistics[1])
    ([1.0, -4.0], 0.5)
    """
    natural_dims: ClassVar[tuple] = ()           # how many event axes each natural parameter has; none unless told

    @property
    def natural_params(self):
        """η, a tuple of arrays [*batch, *event of the parameter] that broadcast to the batch shape."""
        raise NotImplementedError(f"{type(self).__name__} has no natural_params.")

    def log_normalizer(self, *natural_params):
        """A(η), of the natural parameters it is given: float[*batch]."""
        raise NotImplementedError(f"{type(self).__name__} has no log_normalizer.")

    def sufficient_statistics(self, value):
        """T(x), a tuple as natural_params."""
        raise NotImplementedError(f"{type(self).__name__} has no sufficient_statistics.")

    @property
    def mean_log_carrier(self):
        """E log h(x), float[*batch] or a number."""
        return 0.0

    @property
    def _natural(self):
        """The natural parameters, all of the whole batch shape, and how many event axes each has."""
        given = self.natural_params
        dims = self.natural_dims or (0,) * len(given)
        return tuple(np.broadcast_to(x, (*self.batch_shape, *x.shape[x.ndim - n:])) for x, n in zip(given, dims)), dims

    @property
    def expected_statistics(self):
        """E T(x) = ∇A(η), a tuple as natural_params."""
        natural, _ = self._natural
        return grad(lambda *eta: np.sum(self.log_normalizer(*eta)), argnums=tuple(range(len(natural))))(*natural)

    def entropy(self):
        natural, dims = self._natural
        return self.log_normalizer(*natural) - inner(natural, self.expected_statistics, dims) - self.mean_log_carrier


def inner(a, b, dims):
    """Σᵢ <aᵢ, bᵢ> of tuples of arrays, the last dims[i] axes of which are summed over."""
    return sum(sum_rightmost(x * y, n) for x, y, n in zip(a, b, dims))
