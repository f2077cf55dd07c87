"""Two-part models: the value is 0 with a probability `gate`, and never 0 otherwise.

    HurdleDistribution(base, gate=g)      or gate_logits=log(g / (1 - g)); the base may be continuous
"""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.errors import ParameterError
from ..engine.ops.elementwise import softplus
from . import constraints
from .bounds import bounds_of
from .distribution import Distribution
from .gamma import Gamma
from .log_normal import LogNormal
from .negative_binomial import NegativeBinomial, NegativeBinomial2
from .poisson import Poisson
from .truncated import Truncated
from .zero_inflated import GateLogits, GateProbs, gated


class _Hurdle:
    """What both parametrisations share."""

    def __init__(self, base_dist, *args, validate_args=None, **kwargs):
        low = bounds_of(base_dist.support)[0]
        if isinstance(low, float | int) and low < 0:
            raise ParameterError(f"{type(self).__name__}: the values of {type(base_dist).__name__} must be "
                                 f"nonnegative; they are {base_dist.support.words}.\nTruncate it first: "
                                 f"{type(self).__name__}(Truncated(base, 0.0), ...).")
        super().__init__(base_dist, *args, validate_args=validate_args, **kwargs)

    @property
    def support(self):
        base = self.base_dist.support
        return base if self.is_discrete else constraints.nonnegative

    @property
    def has_enumerate_support(self):
        return False

    @property
    def _positive(self):
        """The distribution of the values that are not 0."""
        base = self.base_dist
        return Truncated(base, 1.0, validate_args=False) if self.is_discrete else base

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        x = self._positive.expand(self.batch_shape).sample(second, sample_shape)
        return np.where(self._open(first, sample_shape), np.zeros_like(x), x)

    def log_prob(self, value):
        value = np.asarray(value)
        zero = value == 0
        safe = np.where(zero, np.ones_like(value), value)
        log_p = self.base_dist.log_prob(safe) + self._log_rest(zero)
        if self.is_discrete:
            log_p = log_p - self.base_dist.log_survival(0)
        return np.where(zero, self._log_gate(zero), np.where(value > 0, log_p, -math.inf))

    def cdf(self, value):
        value = np.asarray(value)
        inner = self._positive.cdf(np.where(value > 0, value, np.ones_like(value)))
        positive = np.where(value > 0, inner, 0.0)
        return np.where(value >= 0, self.gate + (1.0 - self.gate) * positive, 0.0)

    def survival_function(self, value):
        value = np.asarray(value)
        inner = self._positive.survival_function(np.where(value > 0, value, np.ones_like(value)))
        return np.where(value >= 0, (1.0 - self.gate) * np.where(value > 0, inner, 1.0), 1.0)

    def icdf(self, q):
        """0 up to q = gate, then the quantile of the positive part."""
        if self.is_discrete:                             # of this cdf, to the last digit
            return Distribution.icdf(self, q)
        q = np.asarray(q)
        rest = (q - self.gate) / np.where(self.gate < 1, 1.0 - self.gate, 1.0)
        x = self._positive.icdf(np.where(rest > 0, rest, 0.5))
        return np.where(rest > 0, x, np.zeros_like(x))

    @property
    def _size(self):
        """The probability that the base is above 0."""
        return np.exp(self.base_dist.log_survival(0)) if self.is_discrete else 1.0

    @property
    def mean(self):
        return (1.0 - self.gate) * self.base_dist.mean / self._size

    @property
    def variance(self):
        base = self.base_dist
        return (1.0 - self.gate) * (base.variance + np.square(base.mean)) / self._size - np.square(self.mean)


class HurdleProbs(_Hurdle, GateProbs):
    """0 with probability g (gate), else a draw of the base given that it is not 0.

        p(0) = g,  p(x) = (1 - g) p_base(x) / P_base(X > 0) for x > 0; a density there for a continuous base

    base_dist : counts, or a continuous distribution of positive numbers       gate : float[*batch], in [0, 1]
    sample : [*shape, *batch], >= 0
    Source: Mullahy (1986), "Specification and testing of some modified count data models", J. Econometrics 33;
    Cragg (1971), "Some statistical models for limited dependent variables", Econometrica 39.
    """

    def _log_gate(self, zero):
        return np.log(np.where(zero, self.gate, 1.0))


class HurdleLogits(_Hurdle, GateLogits):
    """HurdleProbs with gate = 1 / (1 + exp(-gate_logits)).

    base_dist : counts, or a continuous distribution of positive numbers       gate_logits : float[*batch]
    """

    def _log_gate(self, zero):
        return -softplus(-self.gate_logits)


def HurdleDistribution(base_dist, gate=None, gate_logits=None, *, psi=None, validate_args=None):
    """0 with probability gate = 1 / (1 + exp(-gate_logits)), else base_dist given that it is not 0; see HurdleProbs.

    psi : 1 - gate, for this function and the others of this file

    >>> HurdleDistribution(Poisson(2.0), gate=0.5).prob([0, 1])
    Array([0.5       , 0.15651764])
    """
    return gated("HurdleDistribution", (HurdleProbs, HurdleLogits), base_dist, gate, gate_logits, psi, validate_args)


def HurdlePoisson(gate=None, rate=1.0, *, gate_logits=None, psi=None, validate_args=None):
    """0 with probability gate, else Poisson(rate) given that it is not 0."""
    return HurdleDistribution(Poisson(rate, validate_args=validate_args), gate, gate_logits, psi=psi,
                              validate_args=validate_args)


def HurdleGamma(gate=None, concentration=1.0, rate=1.0, *, gate_logits=None, psi=None, validate_args=None):
    """0 with probability gate, else Gamma(concentration, rate)."""
    return HurdleDistribution(Gamma(concentration, rate, validate_args=validate_args), gate, gate_logits, psi=psi,
                              validate_args=validate_args)


def HurdleLogNormal(gate=None, loc=0.0, scale=1.0, *, gate_logits=None, psi=None, validate_args=None):
    """0 with probability gate, else LogNormal(loc, scale)."""
    return HurdleDistribution(LogNormal(loc, scale, validate_args=validate_args), gate, gate_logits, psi=psi,
                              validate_args=validate_args)


def HurdleNegativeBinomial(total_count=None, probs=None, logits=None, *, gate=None, gate_logits=None, psi=None,
                           validate_args=None):
    """0 with probability gate, else NegativeBinomial(total_count, probs or logits) given that it is not 0."""
    return HurdleDistribution(NegativeBinomial(total_count, probs, logits, validate_args=validate_args), gate,
                              gate_logits, psi=psi, validate_args=validate_args)


def HurdleNegativeBinomial2(gate=None, mean=None, concentration=None, *, gate_logits=None, psi=None,
                            validate_args=None):
    """0 with probability gate, else NegativeBinomial2(mean, concentration) given that it is not 0."""
    missing = [name for name, x in (("mean", mean), ("concentration", concentration)) if x is None]
    if missing:
        raise ParameterError(f"HurdleNegativeBinomial2 needs a value for {' and '.join(missing)}.\n"
                             "Its parameters are gate, mean, concentration.")
    return HurdleDistribution(NegativeBinomial2(mean, concentration, validate_args=validate_args), gate, gate_logits,
                              psi=psi, validate_args=validate_args)
