"""One of n classes as a vector with a single 1, and relaxations of it that have derivatives."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import expit, log, softplus, stop_gradient
from ..engine.scipy import special
from . import constraints
from .bernoulli import one_of
from .categorical import _LogitVector
from .counting import listed
from .distribution import Distribution
from .multinomial import CountsWithSum
from .record import ArrayLike, param


class _OneHot(constraints.Constraint):
    event_dim, is_discrete, words = 1, True, "a vector of one 1 and otherwise 0"

    def check(self, x):
        return CountsWithSum(1).check(x)

    def example(self, x):
        return np.astype(np.arange(x.shape[-1]) == 0, x.dtype)


one_hot = _OneHot()


class _OneHotCategorical(Distribution):
    """What both forms share; each has `probs`, `logits`."""
    support = one_hot
    has_enumerate_support = True

    @property
    def event_shape(self):
        return self.__dict__[self._params[0].name].shape[-1:]

    def sample(self, key, sample_shape=()):
        index = random.categorical(key, self.logits, -1, self.shape(sample_shape)[:-1])
        return self._places(index, np.int64)

    def _places(self, index, dtype):
        return np.astype(index[..., None] == np.arange(*self.event_shape), dtype)

    @property
    def mean(self):
        return self.probs

    @property
    def variance(self):
        return self.probs * (1.0 - self.probs)

    @property
    def mode(self):
        return self._places(np.argmax(self.logits, -1), np.int64)

    def entropy(self):
        return np.sum(special.entr(self.probs), -1)

    def enumerate_support(self, expand=True):
        return listed(np.eye(*self.event_shape, dtype=np.int64), self.batch_shape, expand)


class OneHotCategoricalLogits(_OneHotCategorical):
    """The unit vector of class i with probability exp(ηᵢ) / Σ exp η:  log p(x) = Σ xᵢ ηᵢ - log Σ exp η.

    logits : float[*batch, n]          sample : int[*shape, *batch, n], 0 or 1
    """
    logits: ArrayLike = param(_LogitVector())

    @property
    def probs(self):
        """The probability of each class."""
        return special.softmax(self.logits, axis=-1)

    def log_prob_inside(self, value):
        eta = self.logits
        return np.sum(np.where(np.asarray(value) != 0, eta, 0.0), -1) - special.logsumexp(eta, axis=-1)


class OneHotCategoricalProbs(_OneHotCategorical):
    """The unit vector of class i with probability pᵢ:  log p(x) = log Σ xᵢ pᵢ.

    probs : float[*batch, n], nonnegative with sum 1          sample : int[*shape, *batch, n], 0 or 1
    """
    probs: ArrayLike = param(constraints.simplex)

    @property
    def logits(self):
        """The logarithm of each probability."""
        return np.log(self.probs)

    def log_prob_inside(self, value):
        return np.log(np.sum(np.where(np.asarray(value) != 0, self.probs, 0.0), -1))


class OneHotCategoricalStraightThrough(OneHotCategoricalLogits):
    """OneHotCategoricalLogits whose draws are floating and pass derivatives on as if they were `probs`.

    logits : float[*batch, n]          sample : float[*shape, *batch, n], 0 or 1
    Source: Bengio, Léonard & Courville (2013), "Estimating or propagating gradients through stochastic
    neurons", section 4.
    """
    reparametrized_params = ("logits",)

    def sample(self, key, sample_shape=()):
        p = self.probs
        return stop_gradient(np.astype(super().sample(key, sample_shape), p.dtype)) + (p - stop_gradient(p))


def OneHotCategorical(probs=None, logits=None, *, validate_args=None):
    """OneHotCategorical(probs=p) or OneHotCategorical(logits=η): one of n classes, as a unit vector.

    >>> OneHotCategorical(probs=[0.25, 0.75]).mode.tolist()
    [0, 1]
    """
    one_of("OneHotCategorical", probs, logits)
    if probs is not None:
        return OneHotCategoricalProbs(probs, validate_args=validate_args)
    return OneHotCategoricalLogits(logits, validate_args=validate_args)


class RelaxedBernoulliLogits(Distribution):
    """RelaxedBernoulliLogits(temperature t, logits η): expit((η + L) / t) for a logistic number L, in (0, 1).

        log p(x) = log t + z - 2 log(1 + exp z) - log x - log(1 - x),  z = η - t logit(x)

    Bernoulli as t goes to 0.

    temperature, logits : float[*batch], temperature > 0          sample : float[*shape, *batch], in (0, 1)
    Source: Maddison, Mnih & Teh (2017), "The concrete distribution", appendix B.
    """
    temperature: ArrayLike = param(constraints.positive)
    logits: ArrayLike = param(constraints.real)
    support = constraints.open_interval(0.0, 1.0)
    reparametrized_params = ("temperature", "logits")

    @property
    def probs(self):
        """The probability that the draw is above one half."""
        return expit(self.logits)

    def sample(self, key, sample_shape=()):
        noise = random.logistic(key, self.shape(sample_shape), self.dtype)
        tiny = float(np.finfo(self.dtype).eps) * 0.5
        return np.clip(expit((self.logits + noise) / self.temperature), tiny, 1.0 - tiny)

    def log_prob_inside(self, value):
        t = self.temperature
        z = self.logits - t * (np.log(value) - np.log1p(-value))
        return log(t) + z - 2.0 * softplus(z) - np.log(value) - np.log1p(-value)

    def cdf(self, value):
        value = np.asarray(value)
        safe = np.clip(value, 0.0, 1.0)
        return expit(self.temperature * (np.log(safe) - np.log1p(-safe)) - self.logits)

    def icdf(self, q):
        q = np.asarray(q)
        return expit((self.logits + np.log(q) - np.log1p(-q)) / self.temperature)


def RelaxedBernoulli(temperature, probs=None, logits=None, *, validate_args=None):
    """RelaxedBernoulli(t, probs=p) or RelaxedBernoulli(t, logits=η): a continuous stand-in for Bernoulli."""
    one_of("RelaxedBernoulli", probs, logits)
    if logits is None:
        probs = np.asarray(probs)
        logits = np.log(probs) - np.log1p(-probs)
    return RelaxedBernoulliLogits(temperature, logits, validate_args=validate_args)


class RelaxedOneHotCategorical(Distribution):
    """RelaxedOneHotCategorical(temperature t, logits η): softmax((η + G) / t) for Gumbel numbers G, on the simplex.

        log p(x) = log Γ(n) + (n - 1) log t + Σ (ηᵢ - (t + 1) log xᵢ) - n log Σ exp(ηᵢ - t log xᵢ)

    A density with respect to all but one of the n elements. One-hot as t goes to 0.

    temperature : float[*batch], > 0      logits : float[*batch, n]      sample : float[*shape, *batch, n], > 0, sum 1
    Source: Maddison, Mnih & Teh (2017), "The concrete distribution", eq. 10.
    """
    temperature: ArrayLike = param(constraints.positive)
    logits: ArrayLike = param(constraints.real_vector)
    support = constraints.simplex
    reparametrized_params = ("temperature", "logits")

    @property
    def event_shape(self):
        return self.logits.shape[-1:]

    def sample(self, key, sample_shape=()):
        noise = random.gumbel(key, self.shape(sample_shape), self.dtype)
        return special.softmax((self.logits + noise) / self.temperature[..., None], axis=-1)

    def log_prob_inside(self, value):
        n, t = self.event_shape[0], self.temperature
        log_x = np.log(value)
        each = self.logits - t[..., None] * log_x
        return (math.lgamma(n) + (n - 1) * np.log(t) + np.sum(each - log_x, -1)
                - n * special.logsumexp(each, axis=-1))
