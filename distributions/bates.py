"""The mean of uniform numbers."""
from ..engine import numpy as np
from ..engine import random
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param, static


class Bates(Distribution):
    """Bates(total_count n, low a, high b): the mean of n numbers uniform on [a, b]; variance (b - a)² / 12n.

        p(x) = n / (b - a) Bₙ(t),  t = n (x - a) / (b - a), with the cardinal B-spline
        Bₘ(t) = (t Bₘ₋₁(t) + (m - t) Bₘ₋₁(t - 1)) / (m - 1), B₁ = 1 on [0, 1)

    total_count : an int >= 1      low, high : float[*batch], low < high      sample : float[*shape, *batch]
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, §26.9; the recurrence of de Boor
    (1972), "On calculating with B-splines", has only positive terms.
    """
    total_count: int = static()
    low: ArrayLike = param(constraints.real, default=0.0)
    high: ArrayLike = param(lambda self: constraints.greater_than(self.low), default=1.0)
    reparametrized_params = ("low", "high")

    @property
    def support(self):
        return constraints.interval(self.low, self.high)

    def sample(self, key, sample_shape=()):
        u = random.uniform(key, (self.total_count, *self.shape(sample_shape)), self.dtype)
        return self.low + (self.high - self.low) * np.mean(u, 0)

    def _splines(self, value, order):
        """B_order(t - j) for j = 0 … n, along a last axis."""
        n = self.total_count
        t = n * ((np.asarray(value) - self.low) / (self.high - self.low))
        places = t[..., None] - np.arange(n + 1, dtype=t.dtype)
        spline = np.astype(np.logical_and(places >= 0, places < 1), t.dtype)
        for m in range(2, order + 1):
            shifted = np.concatenate([spline[..., 1:], np.zeros_like(spline[..., :1])], -1)
            spline = (places * spline + (m - places) * shifted) / (m - 1)
        return spline

    def log_prob(self, value):
        value = np.asarray(value)
        inside = np.logical_and(value > self.low, value < self.high)
        return self._guarded(value, self.support, inside)

    def log_prob_inside(self, value):
        return np.log(self._splines(value, self.total_count)[..., 0] * (self.total_count / (self.high - self.low)))

    @property
    def mean(self):
        return 0.5 * (self.low + self.high)

    @property
    def variance(self):
        return np.square(self.high - self.low) * (1 / (12 * self.total_count))

    @property
    def mode(self):
        return self.mean

    def cdf(self, value):
        """By ∫ Bₙ = Σ Bₙ₊₁(t - j), over j >= 0."""
        inside = np.clip(value, self.low, self.high)
        p = np.sum(self._splines(inside, self.total_count + 1), -1)
        return np.where(inside < self.high, p, 1.0)

    def log_survival(self, value):
        """log P(X > value): the distribution function of the mirror image."""
        return np.log(self.cdf(self.low + self.high - np.asarray(value)))
