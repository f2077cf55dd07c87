"""The logit of a beta number, and the ratio of two beta numbers."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import softplus
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param


class SigmoidBeta(Distribution):
    """SigmoidBeta(concentration1 a, concentration0 b) on the real line: the logit of a Beta(a, b) number.

        log p(x) = -a log(1 + exp(-x)) - b log(1 + exp x) - log B(a, b);  mean ψ(a) - ψ(b)

    concentration1, concentration0 : float[*batch], > 0          sample : float[*shape, *batch]
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, §23.10 (type IV logistic).
    """
    concentration1: ArrayLike = param(constraints.positive)
    concentration0: ArrayLike = param(constraints.positive)
    support = constraints.real
    reparametrized_params = ("concentration1", "concentration0")

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        shape, d = self.shape(sample_shape), self.dtype
        return (random.loggamma(first, self.concentration1, shape, d)
                - random.loggamma(second, self.concentration0, shape, d))

    def log_prob_inside(self, value):
        a, b, x = self.concentration1, self.concentration0, np.asarray(value)
        return a * x - (a + b) * softplus(x) - special.betaln(a, b)

    @property
    def mean(self):
        return special.digamma(self.concentration1) - special.digamma(self.concentration0)

    @property
    def variance(self):
        return special.polygamma(1, self.concentration1) + special.polygamma(1, self.concentration0)

    @property
    def mode(self):
        return np.log(self.concentration1 / self.concentration0)

    def entropy(self):
        a, b = self.concentration1, self.concentration0
        return (special.betaln(a, b) - a * special.digamma(a) - b * special.digamma(b)
                + (a + b) * special.digamma(a + b))

    def cdf(self, value):
        return special.betainc(self.concentration1, self.concentration0, special.expit(value))

    def log_cdf(self, value):
        return special.log_betainc(self.concentration1, self.concentration0, special.expit(value))

    def log_survival(self, value):
        """log P(X > value)."""
        return special.log_betainc(self.concentration0, self.concentration1, special.expit(-np.asarray(value)))

    def icdf(self, q):
        a, b, q = self.concentration1, self.concentration0, np.asarray(q)
        x, y = special.betaincinv(a, b, q), special.betaincinv(b, a, 1.0 - q)
        low = x < y                                                    # the smaller of the two is accurate
        return np.where(low, np.log(x) - np.log1p(-x), np.log1p(-y) - np.log(y))


# log y, log(1 - y) and the logarithm of the weight of the nodes y = 1 / (1 + exp(-π sinh t)) of tanh-sinh quadrature
_T = _numpy.linspace(-5.0, 5.0, 401)
_LOG_Y, _LOG_REST = -_numpy.logaddexp(0, -math.pi * _numpy.sinh(_T)), -_numpy.logaddexp(0, math.pi * _numpy.sinh(_T))
_LOG_WEIGHT = _numpy.log(math.pi * _numpy.cosh(_T) * (_T[1] - _T[0]))


def beta_quotient_tail(log_x, numerator, denominator, over, log=True):
    """log P(X <= x Y), or of X > x Y where `over`, for beta numbers X, Y with concentrations (a, b), (c, d); x <= 1.

    ∫ f(y; c, d) I(x y; a, b) dy by tanh-sinh quadrature. With log=False the probability itself, which is quicker.
    """
    (a, b), (c, d) = numerator, denominator
    log_x, over, a, b, c, d = np.broadcast_arrays(log_x, over, a, b, c, d)
    log_y, rest, weight = (np.asarray(v, log_x.dtype) for v in (_LOG_Y, _LOG_REST, _LOG_WEIGHT))
    gap = -np.expm1(log_x)[..., None]
    missing = np.exp(rest) + np.exp(log_y) * gap                                     # 1 - x y
    part, over = np.exp(log_x[..., None] + log_y), over[..., None]
    first, second = np.where(over, b[..., None], a[..., None]), np.where(over, a[..., None], b[..., None])
    at = np.where(over, missing, part)
    terms = (c[..., None] * log_y + d[..., None] * rest) + (weight - special.betaln(c, d)[..., None])
    if log:
        return np.minimum(special.logsumexp(terms + special.log_betainc(first, second, at), -1), 0.0)
    return np.minimum(np.sum(np.exp(terms) * special.betainc(first, second, at), -1), 1.0)


class BetaQuotient(Distribution):
    """BetaQuotient(a₁, b₁, a₀, b₀) on the positive numbers: X / Y for X ~ Beta(a₁, b₁), Y ~ Beta(a₀, b₀).

        p(x) = x^(a₁-1) / (B(a₁, b₁) B(a₀, b₀)) ∫ y^(a₁+a₀-1) (1 - y)^(b₀-1) (1 - x y)^(b₁-1) dy, x <= 1

    concentration1_numerator, concentration0_numerator, concentration1_denominator, concentration0_denominator :
        float[*batch], > 0          sample : float[*shape, *batch], > 0
    For x > 1 as the reciprocal; the integral, and that of the distribution function, by tanh-sinh quadrature, to 1e-12
    for concentrations up to a hundred.
    Source: Pham-Gia (2000), "Distributions of the ratios of independent beta variables and applications".
    """
    concentration1_numerator: ArrayLike = param(constraints.positive)
    concentration0_numerator: ArrayLike = param(constraints.positive)
    concentration1_denominator: ArrayLike = param(constraints.positive)
    concentration0_denominator: ArrayLike = param(constraints.positive)
    support = constraints.positive
    reparametrized_params = ("concentration1_numerator", "concentration0_numerator", "concentration1_denominator",
                             "concentration0_denominator")

    def _all(self):
        return (self.concentration1_numerator, self.concentration0_numerator, self.concentration1_denominator,
                self.concentration0_denominator)

    def sample(self, key, sample_shape=()):
        a, b, c, d = self._all()
        first, second = random.split(key)
        shape = self.shape(sample_shape)
        over, under = random.beta(first, a, b, shape, self.dtype), random.beta(second, c, d, shape, self.dtype)
        return np.maximum(over, float(np.finfo(self.dtype).tiny)) / np.maximum(under, float(np.finfo(self.dtype).tiny))

    def log_prob_inside(self, value):
        a, b, c, d = self._all()
        norm = special.betaln(a, b) + special.betaln(c, d)
        below = np.asarray(value) <= 1
        log_x = np.where(below, np.log(value), -np.log(value))
        first, power, other = np.where(below, a, c), np.where(below, b, d), np.where(below, d, b)
        log_y, rest, weight = (np.asarray(v, log_x.dtype) for v in (_LOG_Y, _LOG_REST, _LOG_WEIGHT))
        gap = -np.expm1(log_x)
        inner = np.logaddexp(rest, log_y + np.log(np.where(gap > 0, gap, 1.0))[..., None])      # log(1 - x y)
        inner = np.where(gap[..., None] > 0, inner, rest)
        terms = ((a + c)[..., None] * log_y + other[..., None] * rest + (power - 1.0)[..., None] * inner) + weight
        top = np.max(terms, -1, keepdims=True)
        total = np.log(np.sum(np.exp(terms - top), -1)) + top[..., 0]
        return total + (first - 1.0) * log_x - norm + np.where(below, 0.0, 2.0 * log_x)

    def _tail(self, value, over, log=True):
        """log P(X <= value), or of X > value where `over`; for values above 1 as that of the reciprocal."""
        a, b, c, d = self._all()
        value = np.asarray(value)
        inside = value > 0
        log_x = np.log(np.where(inside, value, 1.0))
        below = log_x <= 0
        first, second = [np.where(below, v, w) for v, w in ((a, c), (b, d))], [np.where(below, v, w)
                                                                              for v, w in ((c, a), (d, b))]
        tail = beta_quotient_tail(-np.abs(log_x), first, second, below == over, log)
        return np.where(inside, tail, (0.0 if over else -math.inf) if log else 0.0)

    def cdf(self, value):
        return self._tail(value, False, log=False)

    def log_cdf(self, value):
        return self._tail(value, False)

    def log_survival(self, value):
        """log P(X > value)."""
        return self._tail(value, True)

    def _moment(self, n):
        """E Xⁿ, infinite where the denominator's a₀ <= n."""
        a, b, c, d = self._all()
        safe = np.where(c > n, c, n + 1.0)
        log_moment = (special.betaln(a + n, b) - special.betaln(a, b)
                      + special.betaln(safe - n, d) - special.betaln(safe, d))
        return np.where(c > n, np.exp(log_moment), math.inf)

    @property
    def mean(self):
        return self._moment(1.0)

    @property
    def variance(self):
        second = self._moment(2.0)
        return second - np.where(np.isfinite(second), np.square(self._moment(1.0)), 0.0)
