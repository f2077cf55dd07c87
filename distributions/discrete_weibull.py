"""The discrete Weibull distribution: whole parts of Weibull numbers."""
from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param


class DiscreteWeibull(Distribution):
    """DiscreteWeibull(q, beta β) on the counts:  P(X >= k) = q^(k^β).

        log p(k) = k^β log q + log(1 - q^((k+1)^β - k^β))

    q : float[*batch], in (0, 1)      beta : float[*batch], > 0          sample : int[*shape, *batch], >= 0
    Source: Nakagawa & Osaki (1975), "The discrete Weibull distribution", IEEE Trans. Reliability 24.

    >>> float(DiscreteWeibull(0.5, 1.0).cdf(0))
    0.5
    """
    q: ArrayLike = param(constraints.open_interval(0.0, 1.0))
    beta: ArrayLike = param(constraints.positive)
    support = constraints.nonnegative_integer

    def sample(self, key, sample_shape=()):
        """The whole part of (E / -log q)^(1/β) for an exponential number E."""
        e = random.exponential(key, self.shape(sample_shape), np.dtype("float64"))
        x = np.floor((e / -np.log(self.q)) ** (1.0 / self.beta))
        return np.astype(np.minimum(x, 2.0 ** 62), np.int64)

    def _power(self, k):
        """(k^β, (k + 1)^β - k^β) for k >= 0; the difference without cancellation."""
        some = k > 0
        safe = np.where(some, k, 1.0)
        power = safe ** self.beta
        return (np.where(some, power, 0.0),
                np.where(some, power * np.expm1(self.beta * np.log1p(1.0 / safe)), 1.0))

    def log_prob_inside(self, value):
        power, rise = self._power(np.astype(value, self.dtype))
        log_q = np.log(self.q)
        return power * log_q + special.log1mexp(-rise * log_q)

    def log_survival(self, value):
        trials = np.floor(np.astype(np.asarray(value), self.dtype)) + 1.0
        return np.maximum(trials, 0.0) ** self.beta * np.log(self.q)

    def cdf(self, value):
        return -np.expm1(self.log_survival(value))

    def log_cdf(self, value):
        return special.log1mexp(-self.log_survival(value))

    def icdf(self, q):
        q = np.asarray(q, self.dtype)
        k = np.maximum(np.ceil((np.log1p(-q) / np.log(self.q)) ** (1.0 / self.beta)) - 1.0, 0.0)
        k = np.where(self.cdf(k) < q, k + 1.0, k)                            # as cdf rounds
        k = np.where(np.logical_and(k > 0, self.cdf(k - 1.0) >= q), k - 1.0, k)
        return np.astype(np.minimum(k, 2.0 ** 53), np.int64)
