"""Beta distributions under other parameters and on other intervals: BetaProportion, AffineBeta, PERT."""
from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param


class _BetaInterval(Distribution):
    """low + width B for B ~ Beta(a, b), where (a, b) are `_shapes()` and (low, width) are `_place()`."""

    def _shapes(self):
        raise NotImplementedError

    def _place(self):
        return np.zeros((), self.dtype), np.ones((), self.dtype)

    @property
    def support(self):
        low, width = self._place()
        return constraints.interval(low, low + width)

    def sample(self, key, sample_shape=()):
        (a, b), (low, width) = self._shapes(), self._place()
        x = low + width * random.beta(key, a, b, self.shape(sample_shape), self.dtype)
        low, high = np.asarray(low, self.dtype), np.asarray(low + width, self.dtype)
        least = np.maximum(np.nextafter(low, high), low + width * float(np.finfo(self.dtype).tiny))
        return np.clip(x, least, np.nextafter(high, low))

    def _parts(self, value):
        """The parts of the interval below and above the value."""
        low, width = self._place()
        return (value - low) / width, (low + width - value) / width

    def log_prob_inside(self, value):
        (a, b), (_, width) = self._shapes(), self._place()
        below, above = self._parts(value)
        return (a - 1.0) * np.log(below) + (b - 1.0) * np.log(above) - (special.betaln(a, b) + np.log(width))

    def log_prob(self, value):
        value = np.asarray(value)
        below, above = self._parts(value)
        return self._guarded(value, self.support, np.logical_and(below > 0, above > 0))

    def _wide(self, x):
        low, width = self._place()
        return np.broadcast_to(low + width * x, self.batch_shape)

    @property
    def mean(self):
        a, b = self._shapes()
        return self._wide(a / (a + b))

    @property
    def variance(self):
        (a, b), (_, width) = self._shapes(), self._place()
        total = a + b
        return np.broadcast_to(width * width * a * b / (total * total * (total + 1.0)), self.batch_shape)

    @property
    def mode(self):
        """Where both concentrations are above 1; else nan (an end, or no single point)."""
        a, b = self._shapes()
        inner = np.logical_and(a > 1, b > 1)
        return self._wide(np.where(inner, (a - 1.0) / np.where(inner, a + b - 2.0, 1.0), np.nan))

    def entropy(self):
        (a, b), (_, width) = self._shapes(), self._place()
        total = a + b
        h = (special.betaln(a, b) - (a - 1.0) * special.digamma(a) - (b - 1.0) * special.digamma(b)
             + (total - 2.0) * special.digamma(total) + np.log(width))
        return np.broadcast_to(h, self.batch_shape)

    def _clipped(self, value):
        return [np.clip(part, 0.0, 1.0) for part in self._parts(np.asarray(value))]

    def cdf(self, value):
        return special.betainc(*self._shapes(), self._clipped(value)[0])

    def log_cdf(self, value):
        return special.log_betainc(*self._shapes(), self._clipped(value)[0])

    def log_survival(self, value):
        """log P(X > value)."""
        a, b = self._shapes()
        return special.log_betainc(b, a, self._clipped(value)[1])

    def icdf(self, q):
        low, width = self._place()
        return low + width * special.betaincinv(*self._shapes(), np.asarray(q))


class BetaProportion(_BetaInterval):
    """BetaProportion(mean m, concentration k): Beta(m k, (1 - m) k) on the unit interval; variance m (1 - m) / (k + 1).

    mean, concentration : float[*batch], 0 < mean < 1, concentration > 0      sample : float[*shape, *batch], in (0, 1)
    Source: Ferrari & Cribari-Neto (2004), "Beta regression for modelling rates and proportions", eq. 4.
    """
    mean: ArrayLike = param(constraints.open_interval(0.0, 1.0))
    concentration: ArrayLike = param(constraints.positive)
    support = constraints.unit_interval
    reparametrized_params = ("mean", "concentration")

    def _adopt(self, validate):
        super()._adopt(validate)
        self.__dict__["mean"] = np.broadcast_to(self.mean, self.batch_shape)      # the mean of each batch element

    @classmethod
    def from_mean_sd(cls, mean, stddev, **kwargs):
        """With the standard deviation, below √(mean (1 - mean))."""
        mean = np.asarray(mean)
        return cls(mean, mean * (1.0 - mean) / np.square(np.asarray(stddev)) - 1.0, **kwargs)

    def _shapes(self):
        return self.mean * self.concentration, (1.0 - self.mean) * self.concentration

    def _parts(self, value):
        return value, 1.0 - value


class AffineBeta(_BetaInterval):
    """AffineBeta(concentration1 a, concentration0 b, loc m, scale s): m + s B on [m, m + s] for B ~ Beta(a, b).

        log p(x) = (a - 1) log u + (b - 1) log(1 - u) - log B(a, b) - log s,  u = (x - m) / s

    concentration1, concentration0, loc, scale : float[*batch], all but loc > 0       sample : float[*shape, *batch]
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, §25.1.
    """
    concentration1: ArrayLike = param(constraints.positive)
    concentration0: ArrayLike = param(constraints.positive)
    loc: ArrayLike = param(constraints.real)
    scale: ArrayLike = param(constraints.positive)
    reparametrized_params = ("concentration1", "concentration0", "loc", "scale")

    def _shapes(self):
        return self.concentration1, self.concentration0

    def _place(self):
        return self.loc, self.scale


class PERT(_BetaInterval):
    """PERT(low, peak, high, temperature t): a beta on [low, high] with its mode at peak, the sharper the larger t.

        a = 1 + t (peak - low) / (high - low),  b = 1 + t (high - peak) / (high - low)

    low, peak, high, temperature : float[*batch], low < peak < high, temperature > 0     sample : float[*shape, *batch]
    Source: Malcolm et al. (1959), "Application of a technique for research and development program evaluation".
    """
    low: ArrayLike = param(constraints.real)
    peak: ArrayLike = param(lambda self: constraints.greater_than(self.low))
    high: ArrayLike = param(lambda self: constraints.greater_than(self.peak))
    temperature: ArrayLike = param(constraints.positive, default=4.0)
    reparametrized_params = ("low", "peak", "high", "temperature")

    def _shapes(self):
        per = self.temperature / (self.high - self.low)
        return 1.0 + per * (self.peak - self.low), 1.0 + per * (self.high - self.peak)

    def _place(self):
        return self.low, self.high - self.low

    @property
    def mode(self):
        return np.broadcast_to(self.peak, self.batch_shape)
