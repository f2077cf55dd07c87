"""Families on the unit interval: Kumaraswamy, logit-normal, continuous Bernoulli."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .ratios import log_exprel, tilted_cdf, tilted_icdf, tilted_mean, tilted_variance
from .record import ArrayLike, param

EULER = 0.5772156649015329
_STEP, _WIDE_STEP = 0.16, 0.4                                # of trapezoidal rules over a normal and a logistic number
_NORMAL, _LOGISTIC = _STEP * _numpy.arange(-68, 69), _WIDE_STEP * _numpy.arange(-100, 101)


class _UnitInterval(Distribution):
    """Base of the families with a density on 0 < x < 1."""
    support = constraints.unit_interval

    def log_prob(self, value):
        value = np.asarray(value)
        return self._guarded(value, self.support, np.logical_and(value > 0, value < 1))

    def _inner(self, x):
        """x moved off the ends, where rounding has put it there."""
        d = self.dtype
        return np.clip(x, float(np.finfo(d).tiny), 1.0 - float(np.finfo(d).epsneg))

    def _wide(self, x):
        return np.broadcast_to(x, self.batch_shape)


class Kumaraswamy(_UnitInterval):
    """Kumaraswamy(concentration1 a, concentration0 b): P(X <= x) = 1 - (1 - x^a)^b, 0 < x < 1.

        log p(x) = log(a b) + (a - 1) log x + (b - 1) log(1 - x^a)

    concentration1, concentration0 : float[*batch], > 0          sample : float[*shape, *batch], in (0, 1)
    Source: Jones (2009), "Kumaraswamy's distribution: a beta-type distribution with some tractability advantages".
    """
    concentration1: ArrayLike = param(constraints.positive)
    concentration0: ArrayLike = param(constraints.positive)
    reparametrized_params = ("concentration1", "concentration0")

    def sample(self, key, sample_shape=()):
        e = random.exponential(key, self.shape(sample_shape), self.dtype)
        return self._inner(np.exp(special.log1mexp(e / self.concentration0) / self.concentration1))

    def log_prob_inside(self, value):
        a, b = self.concentration1, self.concentration0
        log_x = np.log(value)
        return (a - 1.0) * log_x + (b - 1.0) * special.log1mexp(-a * log_x) + np.log(a * b)

    def _moment(self, n):
        a, b = self.concentration1, self.concentration0
        return b * np.exp(special.betaln(1.0 + n / a, b))

    @property
    def mean(self):
        return self._moment(1.0)

    @property
    def variance(self):
        return self._moment(2.0) - np.square(self._moment(1.0))

    @property
    def mode(self):
        """Where both concentrations are above 1; else nan (an end, or no single point)."""
        a, b = self.concentration1, self.concentration0
        inner = np.logical_and(a > 1, b > 1)
        a, b = np.where(inner, a, 2.0), np.where(inner, b, 2.0)
        return np.where(inner, np.exp(np.log((a - 1.0) / (a * b - 1.0)) / a), np.nan)

    def entropy(self):
        a, b = self.concentration1, self.concentration0
        return (1.0 - 1.0 / b) + (1.0 - 1.0 / a) * (special.digamma(b + 1.0) + EULER) - np.log(a * b)

    def _log_miss(self, value):
        """log(1 - x^a)."""
        return special.log1mexp(-self.concentration1 * np.log(np.clip(value, 0.0, 1.0)))

    def cdf(self, value):
        return -np.expm1(self.log_survival(value))

    def log_cdf(self, value):
        return special.log1mexp(-self.log_survival(value))

    def log_survival(self, value):
        """log P(X > value)."""
        return self.concentration0 * self._log_miss(value)

    def icdf(self, q):
        miss = -np.log1p(-np.asarray(q)) / self.concentration0
        return np.exp(special.log1mexp(miss) / self.concentration1)


class LogitNormal(_UnitInterval):
    """LogitNormal(loc m, scale s): log(X / (1 - X)) is Normal(m, s).

        log p(x) = -½ z² - log x - log(1 - x) - log s - ½ log 2π,  z = (log x - log(1 - x) - m) / s

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch], in (0, 1)
    Mean and variance have no closed form: by the trapezoidal rule, to the last digits of 1. With a logistic number L,
    E X = P(L <= m + s Z) is an integral over Z, or for s > 3 over L.
    Source: Aitchison & Shen (1980), "Logistic-normal distributions: some properties and uses".
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("loc", "scale")

    def sample(self, key, sample_shape=()):
        z = random.normal(key, self.shape(sample_shape), self.dtype)
        return self._inner(special.expit(self.loc + self.scale * z))

    def log_prob_inside(self, value):
        a, b = np.log(value), np.log1p(-np.asarray(value))
        z = (a - b - self.loc) / self.scale
        return -0.5 * np.square(z) - (a + b) - (np.log(self.scale) + 0.5 * math.log(2 * math.pi))

    @property
    def median(self):
        """The value with P(X <= median) = 1/2."""
        return self._wide(special.expit(self.loc))

    def _moments(self):
        """E X for -|m| in place of m, and the variance."""
        m, s = np.broadcast_arrays(-np.abs(self.loc), self.scale)
        narrow = s <= 3
        z, u = np.asarray(_NORMAL, self.dtype), np.asarray(_LOGISTIC, self.dtype)
        weight = np.exp(-0.5 * z * z) * (_STEP / math.sqrt(2 * math.pi))
        x = special.expit(m[..., None] + np.where(narrow, s, 1.0)[..., None] * z)
        near = np.sum(weight * x, -1)
        spread = np.sum(weight * np.square(x - near[..., None]), -1)
        s = np.where(narrow, 4.0, s)[..., None]
        y = (m[..., None] - u) / s
        weight = special.expit(u) * special.expit(-u) * _WIDE_STEP
        far = np.sum(weight * special.ndtr(y), -1)
        both = np.sum(weight * np.exp(-0.5 * y * y) / s, -1) * (1 / math.sqrt(2 * math.pi))          # E X (1 - X)
        return np.where(narrow, near, far), np.where(narrow, spread, np.maximum(far * (1.0 - far) - both, 0.0))

    @property
    def mean(self):
        mean = self._moments()[0]
        return np.where(self.loc > 0, 1.0 - mean, mean)

    @property
    def variance(self):
        return self._moments()[1]

    def _z(self, value):
        value = np.clip(value, 0.0, 1.0)
        return (np.log(value) - np.log1p(-value) - self.loc) / self.scale

    def cdf(self, value):
        return special.ndtr(self._z(value))

    def log_cdf(self, value):
        return special.log_ndtr(self._z(value))

    def log_survival(self, value):
        """log P(X > value)."""
        return special.log_ndtr(-self._z(value))

    def icdf(self, q):
        return special.expit(self.loc + self.scale * special.ndtri(q))


class ContinuousBernoulli(_UnitInterval):
    """ContinuousBernoulli(logits y): the density exp(y x) on the unit interval, uniform for y = 0.

        log p(x) = y x - log((exp y - 1) / y), 0 <= x <= 1

    logits : float[*batch]; or `from_probs(p)` with y = log(p / (1 - p))        sample : float[*shape, *batch]
    Source: Loaiza-Ganem & Cunningham (2019), "The continuous Bernoulli: fixing a pervasive error in VAEs".
    """
    logits: ArrayLike = param(constraints.real)
    reparametrized_params = ("logits",)
    finite_outside = True

    @classmethod
    def from_probs(cls, probs, **kwargs):
        """With the probability of the Bernoulli likelihood, in (0, 1)."""
        return cls(special.logit(np.asarray(probs)), **kwargs)

    def sample(self, key, sample_shape=()):
        return tilted_icdf(random.uniform(key, self.shape(sample_shape), self.dtype), self.logits)

    def log_prob(self, value):
        return Distribution.log_prob(self, value)

    def log_prob_inside(self, value):
        return self.logits * value - log_exprel(self.logits)

    @property
    def mean(self):
        return tilted_mean(self.logits)

    @property
    def variance(self):
        return tilted_variance(self.logits)

    @property
    def mode(self):
        """The end where the density is larger; nan where it is uniform."""
        y = self.logits
        return np.where(y == 0, np.nan, np.astype(y > 0, y.dtype))

    def entropy(self):
        return log_exprel(self.logits) - self.logits * tilted_mean(self.logits)

    def cdf(self, value):
        return tilted_cdf(np.clip(value, 0.0, 1.0), self.logits)

    def log_survival(self, value):
        """log P(X > value)."""
        return np.log(tilted_cdf(1.0 - np.clip(value, 0.0, 1.0), -self.logits))

    def icdf(self, q):
        return tilted_icdf(np.asarray(q), self.logits)
