"""The triangular distribution."""
from ..engine import numpy as np
from ..engine import random
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param


class Triangular(Distribution):
    """Triangular(low a, high b, peak c): a density of two straight lines; mean (a + b + c) / 3.

        p(x) = 2 (x - a) / ((b - a) (c - a)), x < c;  2 (b - x) / ((b - a) (b - c)), x > c;  2 / (b - a), x = c

    low, high, peak : float[*batch], low < high, low <= peak <= high          sample : float[*shape, *batch]
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, §26.9.
    """
    low: ArrayLike = param(constraints.real, default=0.0)
    high: ArrayLike = param(lambda self: constraints.greater_than(self.low), default=1.0)
    peak: ArrayLike = param(lambda self: constraints.interval(self.low, self.high), default=0.5)
    reparametrized_params = ("low", "high", "peak")

    @property
    def support(self):
        return constraints.interval(self.low, self.high)

    def sample(self, key, sample_shape=()):
        return random.triangular(key, self.low, self.peak, self.high, self.shape(sample_shape), self.dtype)

    def _height(self, value):
        """The density divided by that at the peak, whose two sides differ by what they are measured from."""
        left, right = value < self.peak, value > self.peak
        run = np.where(left, value - self.low, self.high - value)
        whole = np.where(left, self.peak - self.low, self.high - self.peak)
        beside = np.logical_or(left, right)
        return np.where(beside, run, 1.0) / np.where(beside, whole, 1.0)

    def log_prob_inside(self, value):
        return np.log(2.0 * self._height(np.asarray(value)) / (self.high - self.low))

    def log_prob(self, value):
        value = np.asarray(value)
        inside = np.logical_and(value > self.low, value < self.high)
        return self._guarded(value, _Inside(self), np.logical_or(inside, value == self.peak))

    @property
    def mean(self):
        return (self.low + self.high + self.peak) / 3.0

    @property
    def variance(self):
        width = self.high - self.low
        return (width * width - (self.peak - self.low) * (self.high - self.peak)) / 18.0

    @property
    def mode(self):
        return np.broadcast_to(self.peak, self.batch_shape)

    def entropy(self):
        return np.broadcast_to(np.log(self.high - self.low) - 0.1931471805599453, self.batch_shape)

    def _tail(self, value):
        """What lies beyond the value on its own side of the peak; whether that is the left side."""
        value = np.clip(value, self.low, self.high)
        left = value <= self.peak
        run = np.where(left, value - self.low, self.high - value)
        whole = np.where(left, self.peak - self.low, self.high - self.peak)
        return run * run / (np.where(whole > 0, whole, 1.0) * (self.high - self.low)), left

    def cdf(self, value):
        tail, left = self._tail(value)
        return np.where(left, tail, 1.0 - tail)

    def log_survival(self, value):
        """log P(X > value)."""
        tail, left = self._tail(value)
        return np.where(left, np.log1p(-tail), np.log(tail))

    def icdf(self, q):
        q, width = np.asarray(q), self.high - self.low
        rise, fall = self.peak - self.low, self.high - self.peak
        return np.where(q * width < rise, self.low + np.sqrt(q * width * rise),
                        self.high - np.sqrt((1.0 - q) * width * fall))


class _Inside:
    """What `_guarded` asks of a support, with an example where the density is positive."""
    everything, event_dim = False, 0

    def __init__(self, law):
        self.law = law

    def example(self, value):
        return self.law.peak
