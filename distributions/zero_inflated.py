"""Counts with more zeros than a family gives: with a probability `gate` the value is 0, else it is the base's.

    ZeroInflatedDistribution(base, gate=g)      or gate_logits=log(g / (1 - g))
"""
from ..engine import numpy as np
from ..engine import random
from ..engine.avals import broadcast_shapes
from ..engine.errors import ParameterError, ShapeError
from ..engine.ops.elementwise import expit, softplus
from . import constraints
from .binomial import Binomial
from .distribution import Distribution, shape_of
from .negative_binomial import NegativeBinomial, NegativeBinomial2
from .poisson import Poisson
from .record import ArrayLike, child, param
from .wrappers import Wrapper


class Gated(Wrapper):
    """Base of distributions with a gate for the value 0; each has `gate`, and its logarithms."""
    base_dist: Distribution = child()

    def __init__(self, base_dist, *args, validate_args=None, **kwargs):
        if base_dist.event_shape:
            raise ShapeError(f"{type(self).__name__}: {type(base_dist).__name__} has events of shape "
                             f"{base_dist.event_shape}; only distributions of one number can have a gate.")
        super().__init__(base_dist, *args, validate_args=validate_args, **kwargs)

    @property
    def batch_shape(self):
        return broadcast_shapes(self.base_dist.batch_shape, shape_of(self.__dict__[self._params[0].name]))

    @property
    def reparametrized_params(self):
        return ()

    @property
    def has_rsample(self):
        return False

    def _open(self, key, sample_shape):
        return random.bernoulli(key, self.gate, self.shape(sample_shape))


class GateProbs(Gated):
    """What the forms with a probability share."""
    gate: ArrayLike = param(constraints.unit_interval)

    def _log_rest(self, zero):
        """log(1 - gate), where it counts: where the value is not 0."""
        return np.log1p(-np.where(zero, 0.0, self.gate))


class GateLogits(Gated):
    """What the forms with log-odds share."""
    gate_logits: ArrayLike = param(constraints.real)

    @property
    def gate(self):
        """The probability of the gate's zero."""
        return expit(self.gate_logits)

    def _log_rest(self, zero):
        return -softplus(self.gate_logits)


class _Inflated:
    """What both parametrisations share."""

    def __init__(self, base_dist, *args, validate_args=None, **kwargs):
        if not base_dist.is_discrete:
            raise ParameterError(f"{type(self).__name__}: {type(base_dist).__name__} is continuous, so a 0 tells "
                                 "where it came from.\nWrite HurdleDistribution(base, gate=g), whose zeros are the "
                                 "gate's alone.")
        super().__init__(base_dist, *args, validate_args=validate_args, **kwargs)

    @property
    def has_enumerate_support(self):
        return self.base_dist.has_enumerate_support

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        x = self.base_dist.expand(self.batch_shape).sample(second, sample_shape)
        return np.where(self._open(first, sample_shape), np.zeros_like(x), x)

    def log_prob(self, value):
        value = np.asarray(value)
        zero, log_p = value == 0, self.base_dist.log_prob(value)
        return np.where(zero, self._log_zero(np.where(zero, log_p, 0.0)), self._log_rest(zero) + log_p)

    def cdf(self, value):
        value = np.asarray(value)
        return np.where(value >= 0, self.gate, 0.0) + (1.0 - self.gate) * self.base_dist.cdf(value)

    def survival_function(self, value):
        value = np.asarray(value)
        return np.where(value >= 0, 0.0, self.gate) + (1.0 - self.gate) * self.base_dist.survival_function(value)

    @property
    def mean(self):
        return (1.0 - self.gate) * self.base_dist.mean

    @property
    def variance(self):
        """(1 - g) (v + g m²) with the base's mean m and variance v."""
        g, m = self.gate, self.base_dist.mean
        return (1.0 - g) * (self.base_dist.variance + g * m * m)

    def enumerate_support(self, expand=True):
        values = self.base_dist.enumerate_support(expand=False)
        values = values.reshape((values.shape[0], *(1,) * len(self.batch_shape)))
        return np.broadcast_to(values, (values.shape[0], *self.batch_shape)) if expand else values


class ZeroInflatedProbs(_Inflated, GateProbs):
    """0 with probability g (gate), else a draw of the base, which may be 0 too.

        p(0) = g + (1 - g) p_base(0),  p(k) = (1 - g) p_base(k) for other k

    base_dist : a distribution of counts     gate : float[*batch], in [0, 1]     sample : int[*shape, *batch]
    Source: Lambert (1992), "Zero-inflated Poisson regression", Technometrics 34, section 1.
    """

    def _log_zero(self, log_p):
        return np.log(self.gate + (1.0 - self.gate) * np.exp(log_p))


class ZeroInflatedLogits(_Inflated, GateLogits):
    """ZeroInflatedProbs with gate = 1 / (1 + exp(-gate_logits)).

    base_dist : a distribution of counts     gate_logits : float[*batch]     sample : int[*shape, *batch]
    """

    def _log_zero(self, log_p):
        return np.logaddexp(self.gate_logits, log_p) - softplus(self.gate_logits)


def gated(family, forms, base_dist, gate, gate_logits, psi, validate_args):
    """The first of two forms, by gate = 1 - psi, or the second, by gate_logits; one of the three must be given."""
    given = [name for name, x in (("gate", gate), ("gate_logits", gate_logits), ("psi", psi)) if x is not None]
    if len(given) != 1:
        raise ParameterError(f"{family} takes one of gate, gate_logits and psi; got {' and '.join(given) or 'none'}.\n"
                             "Write gate=g, the probability of a zero, gate_logits=log(g / (1 - g)), or psi = 1 - g.")
    if gate_logits is not None:
        return forms[1](base_dist, gate_logits, validate_args=validate_args)
    return forms[0](base_dist, 1.0 - np.asarray(psi) if gate is None else gate, validate_args=validate_args)


def ZeroInflatedDistribution(base_dist, gate=None, gate_logits=None, *, psi=None, validate_args=None):
    """0 with probability gate = 1 / (1 + exp(-gate_logits)), else a draw of base_dist; see ZeroInflatedProbs.

    psi : 1 - gate, for this function and the others of this file

    >>> round(float(ZeroInflatedDistribution(Poisson(2.0), gate=0.5).prob(0)), 6)
    0.567668
    """
    return gated("ZeroInflatedDistribution", (ZeroInflatedProbs, ZeroInflatedLogits), base_dist, gate, gate_logits, psi,
                 validate_args)


def ZeroInflatedPoisson(gate=None, rate=1.0, *, gate_logits=None, psi=None, validate_args=None):
    """0 with probability gate, else Poisson(rate)."""
    return ZeroInflatedDistribution(Poisson(rate, validate_args=validate_args), gate, gate_logits, psi=psi,
                                    validate_args=validate_args)


def ZeroInflatedBinomial(total_count=1, probs=None, logits=None, *, gate=None, gate_logits=None, psi=None,
                         validate_args=None):
    """0 with probability gate, else Binomial(total_count, probs or logits)."""
    return ZeroInflatedDistribution(Binomial(total_count, probs, logits, validate_args=validate_args), gate,
                                    gate_logits, psi=psi, validate_args=validate_args)


def ZeroInflatedNegativeBinomial(total_count=None, probs=None, logits=None, *, gate=None, gate_logits=None, psi=None,
                                 validate_args=None):
    """0 with probability gate, else NegativeBinomial(total_count, probs or logits)."""
    return ZeroInflatedDistribution(NegativeBinomial(total_count, probs, logits, validate_args=validate_args), gate,
                                    gate_logits, psi=psi, validate_args=validate_args)


def ZeroInflatedNegativeBinomial2(mean, concentration, *, gate=None, gate_logits=None, psi=None, validate_args=None):
    """0 with probability gate, else NegativeBinomial2(mean, concentration)."""
    return ZeroInflatedDistribution(NegativeBinomial2(mean, concentration, validate_args=validate_args), gate,
                                    gate_logits, psi=psi, validate_args=validate_args)
