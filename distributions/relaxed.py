"""Continuous relaxations of discrete choices, with a temperature: at 0 they are the choices themselves."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import expit, softplus
from ..engine.scipy import special
from . import constraints
from .bernoulli import one_of
from .distribution import Distribution, between, shape_of
from .record import ArrayLike, param


class RelaxedBernoulliLogits(Distribution):
    """1 / (1 + exp(-(η + L) / τ)) for a standard logistic number L: a Bernoulli of log-odds η made smooth.

        log p(x) = log τ + z - 2 log(1 + exp z) - log x(1 - x),  z = τ log(x / (1 - x)) - η

    temperature τ, logits η : float[*batch], τ > 0          sample : float[*shape, *batch], in (0, 1)
    Source: Maddison, Mnih & Teh (2017), "The concrete distribution", section 3.3 and appendix B.
    """
    temperature: ArrayLike = param(constraints.positive)
    logits: ArrayLike = param(constraints.real)
    support = constraints.unit_interval
    reparametrized_params = ("temperature", "logits")

    @property
    def probs(self):
        """The probability that a draw is above one half."""
        return expit(self.logits)

    def sample(self, key, sample_shape=()):
        d = self.dtype
        x = expit((self.logits + random.logistic(key, self.shape(sample_shape), d)) / self.temperature)
        return np.clip(x, float(np.finfo(d).tiny), 1.0 - float(np.finfo(d).epsneg))

    def _z(self, x):
        return self.temperature * (np.log(x) - np.log1p(-x)) - self.logits

    def log_prob_inside(self, value):
        z = self._z(value)
        return z - 2.0 * softplus(z) - np.log(value) - np.log1p(-value) + np.log(self.temperature)

    def log_prob(self, value):
        value = np.asarray(value)
        return self._guarded(value, self.support, np.logical_and(value > 0, value < 1))

    def cdf(self, value):
        return between(value, 0.0, 1.0, lambda x: expit(self._z(x)), 0.0, 1.0)

    def survival_function(self, value):
        return between(value, 0.0, 1.0, lambda x: expit(-self._z(x)), 1.0, 0.0)

    def log_cdf(self, value):
        return between(value, 0.0, 1.0, lambda x: -softplus(-self._z(x)), -math.inf, 0.0)

    def log_survival(self, value):
        return between(value, 0.0, 1.0, lambda x: -softplus(self._z(x)), 0.0, -math.inf)

    def icdf(self, q):
        q = np.asarray(q)
        return expit((self.logits + np.log(q) - np.log1p(-q)) / self.temperature)

    def isf(self, q):
        q = np.asarray(q)
        return expit((self.logits + np.log1p(-q) - np.log(q)) / self.temperature)


def RelaxedBernoulli(temperature, probs=None, logits=None, *, validate_args=None):
    """A Bernoulli made smooth, by its probability or its log-odds; see RelaxedBernoulliLogits.

    >>> float(RelaxedBernoulli(0.5, probs=0.5).log_prob(0.5))
    -0.6931472
    """
    one_of("RelaxedBernoulli", probs, logits)
    if logits is None:
        probs = np.asarray(probs)
        logits = np.log(probs) - np.log1p(-probs)
    return RelaxedBernoulliLogits(temperature, logits, validate_args=validate_args)


class RelaxedOneHotCategoricalLogits(Distribution):
    """softmax((η + G) / τ) for n standard Gumbel numbers G: the concrete (Gumbel-softmax) distribution.

        log p(x) = log Γ(n) + (n - 1) log τ + Σ (ηₖ - (τ + 1) log xₖ) - n log Σ exp(ηₖ - τ log xₖ)

    temperature τ : float[*batch], > 0      logits η : float[*batch, n]      sample : float[*shape, *batch, n], sum 1
    Source: Maddison, Mnih & Teh (2017), "The concrete distribution", section 3.1.
    """
    temperature: ArrayLike = param(constraints.positive)
    logits: ArrayLike = param(constraints.real_vector)
    support = constraints.simplex
    reparametrized_params = ("temperature", "logits")

    @property
    def event_shape(self):
        return shape_of(self.logits)[-1:]

    @property
    def probs(self):
        """The probability that a draw's largest element is this one: [*batch, n]."""
        return special.softmax(self.logits, -1)

    def sample(self, key, sample_shape=()):
        noise = random.gumbel(key, self.shape(sample_shape), self.dtype)
        x = special.softmax((self.logits + noise) / self.temperature[..., None], -1)
        return np.maximum(x, float(np.finfo(x.dtype).tiny))

    def log_prob_inside(self, value):
        n, t = shape_of(self.logits)[-1], self.temperature
        log_x = np.log(value)
        scores = self.logits - t[..., None] * log_x
        return (math.lgamma(n) + (n - 1) * np.log(t) + np.sum(scores - log_x, -1)
                - n * special.logsumexp(scores, axis=-1))

    def log_prob(self, value):
        value = np.asarray(value)
        return self._guarded(value, self.support, np.logical_and(self.support(value), np.all(value > 0, -1)))


def RelaxedOneHotCategorical(temperature, probs=None, logits=None, *, validate_args=None):
    """A one-hot categorical made smooth, by probabilities or logits; see RelaxedOneHotCategoricalLogits.

    >>> float(RelaxedOneHotCategorical(1.0, probs=[0.5, 0.5]).log_prob([0.5, 0.5]))
    0.0
    """
    one_of("RelaxedOneHotCategorical", probs, logits)
    logits = np.log(np.asarray(probs)) if logits is None else logits
    return RelaxedOneHotCategoricalLogits(temperature, logits, validate_args=validate_args)
