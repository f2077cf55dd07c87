"""Weights of a truncated Dirichlet process, by breaking a stick."""
from ..engine import numpy as np
from ..engine import random
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param, static


class StickBreakingWeights(Distribution):
    """wₖ = vₖ Π_{j<k} (1 - vⱼ) with vₖ ~ Beta(1, α), k = 1 … K, and the rest of the stick last: K + 1 weights.

        log p(w) = K log α + (α - 1) log w_{K+1} - Σ_{k=1}^{K-1} log (w_{k+1} + … + w_{K+1})

    concentration α : float[*batch], > 0     num_sticks K : int     sample : float[*shape, *batch, K + 1], sum 1
    Source: Ishwaran & James (2001), "Gibbs sampling methods for stick-breaking priors", section 2.
    """
    concentration: ArrayLike = param(constraints.positive)
    num_sticks: int = static()
    support = constraints.simplex
    reparametrized_params = ("concentration",)

    @property
    def event_shape(self):
        return (self.num_sticks + 1,)

    def sample(self, key, sample_shape=()):
        """1 - v = U^(1/α), so what is left after k pieces is exp(-Eₖ/α) for sums Eₖ of k exponential numbers."""
        shape = (*sample_shape, *self.batch_shape, self.num_sticks)
        e = random.exponential(key, shape, self.dtype) / self.concentration[..., None]
        left = np.exp(-np.cumsum(e, -1))                                 # after pieces 1 … K
        before = np.concatenate([np.ones_like(left[..., :1]), left[..., :-1]], -1)
        return np.concatenate([-before * np.expm1(-e), left[..., -1:]], -1)

    def log_prob_inside(self, value):
        a, k = self.concentration, self.num_sticks
        left = np.flip(np.cumsum(np.flip(value, -1), -1), -1)[..., 1:k]
        return (a - 1.0) * np.log(value[..., -1]) - np.sum(np.log(left), -1) + k * np.log(a)

    def log_prob(self, value):
        value = np.asarray(value)
        ok = np.logical_and(self.support(value), value[..., -1] > 0)
        return self._guarded(value, self.support, ok)

    def _powers(self, part):
        """part^0 … part^(K-1), part : float[*batch]."""
        return part[..., None] ** np.arange(self.num_sticks, dtype=self.dtype)

    def _moment(self, first, left):
        """E of a power of each weight: first leftᵏ⁻¹ for k = 1 … K, then leftᴷ."""
        return np.concatenate([first[..., None] * self._powers(left), (left ** self.num_sticks)[..., None]], -1)

    @property
    def mean(self):
        a = self.concentration
        return self._moment(1.0 / (1.0 + a), a / (1.0 + a))

    @property
    def variance(self):
        a = self.concentration
        square = self._moment(2.0 / ((1.0 + a) * (2.0 + a)), a / (2.0 + a))
        return square - np.square(self.mean)
