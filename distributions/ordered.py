"""Ordered outcomes 0 … K of a predictor and K cutpoints: logistic, probit, stopping ratio, and counts of them.

    P(X <= k) = F(cₖ - η)          for a distribution function F: expit (logistic), Φ (probit)
"""
from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import softplus
from ..engine.scipy import special
from . import constraints
from .categorical import pick
from .counting import listed, log_multinomial
from .distribution import Distribution
from .multinomial import MultinomialBase
from .record import ArrayLike, param


def first_and_last(c, index):
    """(cutpoint below, cutpoint above, is lowest, is highest) of outcomes; an end that is not there is the other's.

    c : float[*batch, K]      index : int[*shape, *batch], in [0, K]
    """
    n = c.shape[-1]
    lowest, highest = index == 0, index == n
    return pick(c, np.maximum(index - 1, 0)), pick(c, np.minimum(index, n - 1)), lowest, highest


def log_widths(c):
    """log(1 - exp(cₖ₋₁ - cₖ)) for each outcome, 0 for the two at the ends.   c : float[*batch, K] -> [*batch, K + 1]"""
    zero = np.zeros((*c.shape[:-1], 1), c.dtype)
    return np.concatenate([zero, special.log1mexp(c[..., 1:] - c[..., :-1]), zero], -1)


def logistic_log_probs(predictor, c):
    """log(expit(cₖ - η) - expit(cₖ₋₁ - η)) for all outcomes: [*batch, K + 1]."""
    u = c - predictor[..., None]
    end = np.zeros((*u.shape[:-1], 1), u.dtype)
    return log_widths(c) - np.concatenate([softplus(-u), end], -1) - np.concatenate([end, softplus(u)], -1)


class _Ordered(Distribution):
    """What the families share; each has `log_probs`, the log-probability of every outcome."""
    has_enumerate_support = True
    is_discrete = True

    @property
    def support(self):
        return constraints.integer_interval(0, self.cutpoints.shape[-1])

    @property
    def probs(self):
        """The probability of each outcome: [*batch, K + 1]."""
        return np.exp(self.log_probs())

    def log_probs(self):
        """The log-probability of each outcome: [*batch, K + 1]."""
        n = self.cutpoints.shape[-1] + 1
        return np.moveaxis(self.log_prob_inside(np.arange(n).reshape((n, *(1,) * len(self.batch_shape)))), 0, -1)

    def sample(self, key, sample_shape=()):
        return random.categorical(key, self.log_probs(), -1, self.shape(sample_shape))

    def _cut(self, value, link):
        """F(cₖ - η) by F, the link, at the value rounded down: the distribution function of two of the families."""
        k, n = np.floor(np.asarray(value)), self.cutpoints.shape[-1]
        p = link(pick(self.cutpoints, np.astype(np.clip(k, 0, n - 1), np.int64)) - self.predictor)
        return np.where(k < 0, 0.0, np.where(k >= n, 1.0, p))

    @property
    def mean(self):
        p = self.probs
        return np.sum(p * np.arange(p.shape[-1], dtype=p.dtype), -1)

    @property
    def variance(self):
        p = self.probs
        k = np.arange(p.shape[-1], dtype=p.dtype)
        return np.sum(p * (k - np.sum(p * k, -1, keepdims=True)) ** 2, -1)

    @property
    def mode(self):
        return np.argmax(self.log_probs(), -1)

    def entropy(self):
        return np.sum(special.entr(self.probs), -1)

    def enumerate_support(self, expand=True):
        return listed(np.arange(self.cutpoints.shape[-1] + 1), self.batch_shape, expand)


class OrderedLogistic(_Ordered):
    """OrderedLogistic(predictor η, cutpoints c):  P(X <= k) = expit(cₖ - η), k = 0 … K.

        log p(k) = -log(1 + exp(-u)) - log(1 + exp l) + log(1 - exp(l - u)),  u = cₖ - η, l = cₖ₋₁ - η

    with c₋₁ = -∞ and c_K = ∞: accurate for outcomes far from where the predictor is.

    predictor : float[*batch]      cutpoints : float[*batch, K], increasing      sample : int[*shape, *batch], in [0, K]
    Source: McCullagh (1980), "Regression models for ordinal data", JRSS B 42.

    >>> OrderedLogistic(0.0, [0.0]).probs.tolist()
    [0.5, 0.5]
    """
    predictor: ArrayLike = param(constraints.real)
    cutpoints: ArrayLike = param(constraints.ordered_vector)

    def log_prob_inside(self, value):
        index = np.astype(value, np.int64)
        low, high, lowest, highest = first_and_last(self.cutpoints, index)
        upper = np.where(highest, 0.0, softplus(self.predictor - high))
        lower = np.where(lowest, 0.0, softplus(low - self.predictor))
        return pick(log_widths(self.cutpoints), index) - upper - lower

    def log_probs(self):
        return logistic_log_probs(self.predictor, self.cutpoints)

    def cdf(self, value):
        return self._cut(value, special.expit)


class OrderedProbit(_Ordered):
    """OrderedProbit(predictor η, cutpoints c):  P(X <= k) = Φ(cₖ - η), k = 0 … K.

        log p(k) = log(Φ(cₖ - η) - Φ(cₖ₋₁ - η)),  c₋₁ = -∞, c_K = ∞

    predictor : float[*batch]      cutpoints : float[*batch, K], increasing      sample : int[*shape, *batch], in [0, K]
    Source: McKelvey & Zavoina (1975), "A statistical model for the analysis of ordinal level dependent variables".
    """
    predictor: ArrayLike = param(constraints.real)
    cutpoints: ArrayLike = param(constraints.ordered_vector)

    def log_prob_inside(self, value):
        """The two ends are one Φ each, in the tail; between them a difference in the lower one of two tails."""
        low, high, lowest, highest = first_and_last(self.cutpoints, np.astype(value, np.int64))
        low, high = low - self.predictor, high - self.predictor
        between = np.logical_not(np.logical_or(lowest, highest))
        flip = np.logical_and(between, low + high > 0)
        b = np.where(highest, -low, np.where(flip, -low, high))
        a = np.where(between, np.where(flip, -high, low), b - 1.0)
        log_b = special.log_ndtr(b)
        return log_b + np.where(between, special.log1mexp(log_b - special.log_ndtr(a)), 0.0)

    def cdf(self, value):
        return self._cut(value, special.ndtr)


class StoppingRatioLogistic(_Ordered):
    """StoppingRatioLogistic(predictor η, cutpoints c):  P(X = k | X >= k) = expit(cₖ - η), k = 0 … K - 1.

        log p(k) = -log(1 + exp(η - cₖ)) - Σ log(1 + exp(cⱼ - η)) over j < k, without the first term for k = K

    predictor : float[*batch]      cutpoints : float[*batch, K]      sample : int[*shape, *batch], in [0, K]
    Source: Tutz (2012), Regression for Categorical Data, section 9.3.1.
    """
    predictor: ArrayLike = param(constraints.real)
    cutpoints: ArrayLike = param(constraints.real_vector)

    def log_probs(self):
        u = self.cutpoints - self.predictor[..., None]
        zero = np.zeros((*u.shape[:-1], 1), u.dtype)
        passed = np.concatenate([zero, np.cumsum(softplus(u), -1)], -1)
        return -passed - np.concatenate([softplus(-u), zero], -1)

    def log_prob_inside(self, value):
        return pick(self.log_probs(), np.astype(value, np.int64))


class OrderedMultinomial(MultinomialBase):
    """OrderedMultinomial(predictor η, cutpoints c, total_count n): counts of n draws of OrderedLogistic(η, c).

        log p(k) = log n! - Σ log kᵢ! + Σ kᵢ log pᵢ

    predictor : float[*batch]      cutpoints : float[*batch, K], increasing      total_count : int[*batch], >= 0
    sample : int[*shape, *batch, K + 1], with sum n
    """
    predictor: ArrayLike = param(constraints.real)
    cutpoints: ArrayLike = param(constraints.ordered_vector)
    total_count: ArrayLike = param(constraints.nonnegative_integer, default=1)

    @property
    def event_shape(self):
        return (self.cutpoints.shape[-1] + 1,)

    @property
    def probs(self):
        """The probability of each outcome: [*batch, K + 1]."""
        return np.exp(logistic_log_probs(self.predictor, self.cutpoints))

    def log_prob_inside(self, value):
        k = np.astype(value, self.dtype)
        return np.sum(k * logistic_log_probs(self.predictor, self.cutpoints), -1) + log_multinomial(k)
