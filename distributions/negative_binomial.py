"""The negative binomial distribution: Poisson counts whose rate is a gamma number, in each of its parametrisations."""
import math
import operator

from ..engine import numpy as np
from ..engine import random
from ..engine.errors import ParameterError
from ..engine.ops.elementwise import expit, softplus
from ..engine.scipy import special
from . import constraints
from .bernoulli import one_of
from .counting import log_multichoose, rest_of_multichoose
from .deviance import binomial_deviance, odds_deviance
from .distribution import Distribution, above
from .quantile import inverse_cdf_integer
from .record import ArrayLike, param


class _NegativeBinomial(Distribution):
    """What all forms share. Each has the shape r as `_shape`, `_odds`, and `_logs`: log p and log(1 - p), where p is
    the probability of what is counted and 1 - p that of what is waited for r times."""
    support = constraints.nonnegative_integer

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        shape = self.shape(sample_shape)
        rate = random.gamma(first, np.astype(self._shape, np.float64), shape) * self._odds
        return random.poisson(second, np.minimum(rate, 1e300), shape)

    def log_prob_inside(self, value):
        r = self._shape
        k = np.astype(value, r.dtype)
        log_p, log_q = self._logs()
        return log_multichoose(r, k) + k * log_p + r * log_q

    @property
    def mean(self):
        return self._shape * self._odds

    @property
    def variance(self):
        return self.mean * (1.0 + self._odds)

    @property
    def mode(self):
        return np.astype(np.floor(np.maximum(self._shape - 1.0, 0.0) * self._odds), np.int64)

    def _counted(self, value, f, below):
        """f(r, k + 1, 1 - p) where k, the value rounded down, is not negative."""
        k = np.floor(np.astype(np.asarray(value), self.dtype))
        return above(k, -0.5, lambda k: f(self._shape, k + 1.0, np.exp(self._logs()[1])), below)

    def cdf(self, value):
        return self._counted(value, special.betainc, 0.0)

    def survival_function(self, value):
        return self._counted(value, special.betaincc, 1.0)

    def log_cdf(self, value):
        return self._counted(value, special.log_betainc, -math.inf)

    def log_survival(self, value):
        return self._counted(value, special.log_betaincc, 0.0)

    def isf(self, q):
        return inverse_cdf_integer(self.survival_function, q, 0, upper_tail=True)


class NegativeBinomialProbs(_NegativeBinomial):
    """NegativeBinomialProbs(total_count r, probs p): the successes before the r-th failure; r need not be whole.

        log p(k) = log Γ(k + r) - log Γ(r) - log k! + k log p + r log(1 - p)        mean r p / (1 - p)

    total_count : float[*batch], > 0      probs : float[*batch], in [0, 1)      sample : int[*shape, *batch], >= 0
    Source: Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, ch. 5.
    """
    total_count: ArrayLike = param(constraints.positive)
    probs: ArrayLike = param(constraints.unit_interval)

    _shape = property(operator.attrgetter("total_count"))

    @property
    def _odds(self):
        return self.probs / (1.0 - self.probs)

    def _logs(self):
        return np.log(self.probs), np.log1p(-self.probs)

    def log_prob_inside(self, value):
        r, p = self.total_count, self.probs
        k = np.astype(value, r.dtype)
        return rest_of_multichoose(r, k) - binomial_deviance(k, r, p, *self._logs())

    @classmethod
    def from_stopping_probability(cls, n, p, *, validate_args=None):
        """By the probability p of what is waited for n times, as SciPy and PyMC have it: probs = 1 - p."""
        return cls(n, 1.0 - np.asarray(p), validate_args=validate_args)


class NegativeBinomialLogits(_NegativeBinomial):
    """NegativeBinomialLogits(total_count r, logits η): the same with p = 1 / (1 + exp(-η)); mean r exp η.

        log p(k) = log Γ(k + r) - log Γ(r) - log k! - k log(1 + exp(-η)) - r log(1 + exp η)

    total_count : float[*batch], > 0      logits : float[*batch]      sample : int[*shape, *batch], >= 0
    """
    total_count: ArrayLike = param(constraints.positive)
    logits: ArrayLike = param(constraints.real)

    @property
    def probs(self):
        """The probability of a success, of which there are k."""
        return expit(self.logits)

    _shape = property(operator.attrgetter("total_count"))

    @property
    def _odds(self):
        return np.exp(self.logits)

    def _logs(self):
        return -softplus(-self.logits), -softplus(self.logits)


class NegativeBinomial2(_NegativeBinomial):
    """NegativeBinomial2(mean m, concentration c) on the counts; variance m + m² / c, Poisson(m) as c grows.

        log p(k) = log Γ(k + c) - log Γ(c) - log k! - k log(1 + c / m) - c log(1 + m / c)

    mean, concentration : float[*batch], > 0          sample : int[*shape, *batch], >= 0
    Source: Cameron & Trivedi (2013), Regression Analysis of Count Data, 2nd ed., section 3.3.1 (NB2).

    >>> float(NegativeBinomial2(3.0, 2.0).variance)
    7.5
    """
    mean: ArrayLike = param(constraints.positive)
    concentration: ArrayLike = param(constraints.positive)

    _shape = property(operator.attrgetter("concentration"))

    @property
    def _odds(self):
        return self.mean / self.concentration

    def _logs(self):
        return -np.log1p(self.concentration / self.mean), -np.log1p(self.mean / self.concentration)

    def log_prob_inside(self, value):
        k, c = np.astype(value, self.dtype), self.concentration
        m = self.mean
        return rest_of_multichoose(c, k) - odds_deviance(k, c, m, c, (m - k) * (c / (m + c)))

    @staticmethod
    def from_log_mean(log_mean, concentration, *, validate_args=None):
        """The same by the logarithm of its mean, which may be far out: a NegativeBinomial2Log."""
        return NegativeBinomial2Log(log_mean, concentration, validate_args=validate_args)


class NegativeBinomial2Log(_NegativeBinomial):
    """NegativeBinomial2Log(log_mean η, concentration c): NegativeBinomial2 of mean exp η, without its exponential.

        log p(k) = log Γ(k + c) - log Γ(c) - log k! + k z - (k + c) log(1 + exp z),  z = η - log c

    log_mean : float[*batch]      concentration : float[*batch], > 0      sample : int[*shape, *batch], >= 0
    """
    log_mean: ArrayLike = param(constraints.real)
    concentration: ArrayLike = param(constraints.positive)

    _shape = property(operator.attrgetter("concentration"))

    @property
    def _odds(self):
        return np.exp(self.log_mean - np.log(self.concentration))

    def _logs(self):
        z = self.log_mean - np.log(self.concentration)
        return -softplus(-z), -softplus(z)


class GammaPoisson(_NegativeBinomial):
    """GammaPoisson(concentration a, rate b): Poisson counts of a Gamma(a, b) rate; mean a / b.

        log p(k) = log Γ(k + a) - log Γ(a) - log k! - k log(1 + b) - a log(1 + 1 / b)

    concentration, rate : float[*batch], > 0          sample : int[*shape, *batch], >= 0
    Source: Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 2.6.
    """
    concentration: ArrayLike = param(constraints.positive)
    rate: ArrayLike = param(constraints.positive, default=1.0)

    _shape = property(operator.attrgetter("concentration"))

    @property
    def _odds(self):
        return 1.0 / self.rate

    def _logs(self):
        return -np.log1p(self.rate), -np.log1p(1.0 / self.rate)

    def log_prob_inside(self, value):
        k, a = np.astype(value, self.dtype), self.concentration
        return rest_of_multichoose(a, k) - odds_deviance(k, a, np.ones((), self.dtype), self.rate)


def NegativeBinomial(total_count=None, probs=None, logits=None, *, mean=None, concentration=None, validate_args=None):
    """NegativeBinomial(r, probs=p), NegativeBinomial(r, logits=η), or NegativeBinomial(mean=m, concentration=c).

    p is the probability of what is counted; other systems give 1 - p, that of what is waited for.

    >>> float(NegativeBinomial(3.0, probs=0.5).mean)
    3.0
    """
    if mean is not None or concentration is not None:
        others = (total_count, probs, logits)
        if mean is None or concentration is None or any(v is not None for v in others):
            raise ParameterError("NegativeBinomial takes mean and concentration together, and nothing else with them.\n"
                                 "Write NegativeBinomial(mean=m, concentration=c) or NegativeBinomial(r, probs=p).")
        return NegativeBinomial2(mean, concentration, validate_args=validate_args)
    if total_count is None:
        raise ParameterError("NegativeBinomial needs a value for 'total_count'.\n"
                             "Write NegativeBinomial(r, probs=p) or NegativeBinomial(mean=m, concentration=c).")
    one_of("NegativeBinomial", probs, logits)
    if probs is not None:
        return NegativeBinomialProbs(total_count, probs, validate_args=validate_args)
    return NegativeBinomialLogits(total_count, logits, validate_args=validate_args)
