"""Negative binomial counts with log-normal noise."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import expit, softplus, stop_gradient
from ..engine.scipy import special
from . import constraints
from .counting import log_multichoose
from .distribution import Distribution
from .record import ArrayLike, param

_T = _numpy.linspace(-6.0, 6.0, 121)                     # the rule is the trapezoidal one in t, for z = z₀ + w sinh t
_NODES, _LOG_WEIGHTS = _numpy.sinh(_T), _numpy.log(_numpy.cosh(_T) * (_T[1] - _T[0]))


class LogNormalNegativeBinomial(Distribution):
    """NegativeBinomialLogits(total_count r, z) of log-odds z ~ Normal(logits m, multiplicative_noise_scale s).

        p(k) = C(k + r - 1, k) ∫ exp(k z - (k + r) log(1 + exp z)) N(z | m, s) dz
        mean r E₁, variance r E₁ + r E₂ + r² (E₂ - E₁²) for E₁ = exp(m + s²/2), E₂ = exp(2 m + 2 s²)

    By the trapezoidal rule with 121 points in sinh steps around the maximum of the integrand; see PoissonLogNormal, its
    limit as r grows. Relative errors stay below 1e-10 for s <= 10.

    total_count, logits, multiplicative_noise_scale : float[*batch], the first and last > 0
    sample : int[*shape, *batch], >= 0
    """
    total_count: ArrayLike = param(constraints.positive)
    logits: ArrayLike = param(constraints.real)
    multiplicative_noise_scale: ArrayLike = param(constraints.positive)
    support = constraints.nonnegative_integer

    def sample(self, key, sample_shape=()):
        first, second, third = random.split(key, 3)
        shape, d = self.shape(sample_shape), np.dtype("float64")
        odds = np.exp(self.logits + self.multiplicative_noise_scale * random.normal(first, shape, d))
        rate = random.gamma(second, np.astype(self.total_count, d), shape) * odds
        return random.poisson(third, np.minimum(rate, 1e300), shape)

    def _middle(self, k):
        """Where the points are densest, and how far apart: where the integrand is largest, and its width there; but
        where the likelihood turns, if that is elsewhere and both count."""
        r, m, s = self.total_count, self.logits, self.multiplicative_noise_scale
        turn = np.log((k + 0.5) / (r + 0.5))
        width = np.minimum(np.sqrt((k + r + 1.0) / ((k + 0.5) * (r + 0.5))), 1.0)
        square = s * s
        low, high = np.minimum(turn, m) - 2.0, np.maximum(turn, m) + 2.0
        low, high = np.maximum(low, m - square * r), np.minimum(high, m + square * k)
        z = np.clip(m, low, high)
        for _ in range(12):                              # Newton's steps for the maximum, kept in a bracket
            p = expit(z)
            slope = k - (k + r) * p - (z - m) / square
            low, high = np.where(slope > 0, z, low), np.where(slope > 0, high, z)
            step = z + slope / ((k + r) * p * (1.0 - p) + 1.0 / square)
            z = np.where(np.logical_and(step > low, step < high), step, 0.5 * (low + high))
        p = expit(z)
        apart = np.abs(z - turn)
        both = np.logical_and(apart > width, apart < 6.0 * s)
        return np.where(both, turn, z), np.where(both, width, 1.0 / np.sqrt((k + r) * p * (1.0 - p) + 1.0 / square))

    def log_prob_inside(self, value):
        r, m, s = self.total_count, self.logits, self.multiplicative_noise_scale
        k = np.astype(value, self.dtype)
        middle, width = (stop_gradient(v)[..., None] for v in self._middle(k))
        z = middle + width * np.asarray(_NODES, self.dtype)
        e = (z - m[..., None]) / s[..., None]
        n = (k + r)[..., None]
        terms = k[..., None] * z - n * softplus(z) - 0.5 * e * e + np.asarray(_LOG_WEIGHTS, self.dtype)
        rest = np.log(width[..., 0]) - np.log(s) - 0.5 * math.log(2 * math.pi)
        return special.logsumexp(terms, axis=-1) + log_multichoose(r, k) + rest

    @property
    def mean(self):
        return self.total_count * np.exp(self.logits + 0.5 * self.multiplicative_noise_scale ** 2)

    @property
    def variance(self):
        r, square = self.total_count, self.multiplicative_noise_scale ** 2
        first, second = np.exp(self.logits + 0.5 * square), np.exp(2.0 * (self.logits + square))
        return r * (first + second) + r * r * (first * first) * np.expm1(square)
