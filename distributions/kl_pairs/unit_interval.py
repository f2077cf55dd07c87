"""KL divergences of families on the unit interval."""
import math

from ...engine import numpy as np
from ...engine.lax import stop_gradient
from ...engine.scipy import special
from ..beta import Beta
from ..beta_interval import BetaProportion
from ..exponential import Exponential
from ..kl import kl_divergence
from ..ratios import log_exprel
from ..sigmoid_beta import SigmoidBeta
from ..uniform import Uniform
from ..unit_interval import ContinuousBernoulli, Kumaraswamy
from .positive import moments

STEP = 0.0625
POINTS = [STEP * i for i in range(-96, 97)]                                  # from -6 to 6
WIDE = [STEP * i for i in range(-192, 193)]                                  # from -12 to 12


def _shapes(d):
    return d._shapes() if isinstance(d, BetaProportion) else (d.concentration1, d.concentration0)


@kl_divergence.register(SigmoidBeta, SigmoidBeta)                            # both variables transformed alike
@kl_divergence.register_all([Beta, BetaProportion], [Beta, BetaProportion])
def _(p, q):
    (a, b), (c, d) = _shapes(p), _shapes(q)
    return (special.betaln(c, d) - special.betaln(a, b) + (a - c) * special.digamma(a) + (b - d) * special.digamma(b)
            + (c + d - a - b) * special.digamma(a + b))


def mean_log_miss(p, power):
    """E log(1 - x^c) for x ~ Kumaraswamy(a, b).   power c : float[*batch], > 0

    With x = (1 - exp(-e/b))^(1/a) for an exponential e, ∫ log(1 - x^c) exp(-e) de by the trapezoidal rule in t,
    e = exp(t - exp(-t)), where both ends fall doubly exponentially: Takahasi & Mori (1974), "Double exponential
    formulas for numerical integration".
    """
    t = np.asarray(POINTS, p.dtype)
    shrink = np.exp(-t)
    e = np.exp(t - shrink)
    weight = STEP * np.exp(-e) * e * (1.0 + shrink)
    a, b, c = (np.asarray(x)[..., None] for x in (p.concentration1, p.concentration0, power))
    e = np.maximum(e, float(np.finfo(p.dtype).tiny))
    log_x = special.log1mexp(e / b) / a
    return np.sum(weight * special.log1mexp(-c * np.minimum(log_x, -float(np.finfo(p.dtype).tiny))), -1)


@kl_divergence.register(Kumaraswamy, Kumaraswamy)
def _(p, q):
    c, d = q.concentration1, q.concentration0
    log_q = np.log(c * d) + (c - 1.0) * moments(p).mean_log() + (d - 1.0) * mean_log_miss(p, c)
    return -p.entropy() - log_q


@kl_divergence.register(Kumaraswamy, Beta)
def _(p, q):
    c, d = q.concentration1, q.concentration0
    miss = mean_log_miss(p, np.ones((), p.dtype))
    log_q = (c - 1.0) * moments(p).mean_log() + (d - 1.0) * miss - special.betaln(c, d)
    return -p.entropy() - log_q


def mean_log_rest(a, b, c):
    """E log(1 - x^c) for x ~ Beta(a, b), to ten digits.   a, b, c : float[*batch], > 0

    E log(1 - x) = ψ(b) - ψ(a + b); what is left, log((1 - x^c) / (1 - x)), lies between 0 and log c. Its mean is by the
    trapezoidal rule in t over y = log(x / (1 - x)) = m + s sinh t, where the density falls doubly exponentially; m and
    s follow its middle.
    """
    t, tiny = np.asarray(WIDE, a.dtype), float(np.finfo(a.dtype).tiny)
    middle = stop_gradient(np.log((a + 1.0) / (b + 1.0)))[..., None]
    width = stop_gradient(np.minimum(1.0, np.sqrt(1.0 / a + 1.0 / b)))[..., None]
    y = middle + width * np.sinh(t)
    log_x, log_rest = -special.softplus(-y), -special.softplus(y)
    weight = STEP * width * np.cosh(t) * np.exp(a[..., None] * log_x + b[..., None] * log_rest
                                                - special.betaln(a, b)[..., None])
    y = np.minimum(y, -0.9 * math.log(tiny))                                 # further up it is log c
    gap = special.log1mexp(c[..., None] * special.softplus(-y)) + special.softplus(y)
    return special.digamma(b) - special.digamma(a + b) + np.sum(weight * gap, -1)


@kl_divergence.register(Beta, Kumaraswamy)
def _(p, q):
    c, d = q.concentration1, q.concentration0
    miss = mean_log_rest(*np.broadcast_arrays(p.concentration1, p.concentration0, c))
    return -p.entropy() - (np.log(c * d) + (c - 1.0) * moments(p).mean_log() + (d - 1.0) * miss)


@kl_divergence.register(ContinuousBernoulli, ContinuousBernoulli)
def _(p, q):
    y, z = p.logits, q.logits
    return log_exprel(z) - log_exprel(y) + (y - z) * p.mean


@kl_divergence.register(ContinuousBernoulli, Exponential)
def _(p, q):
    return q.rate * p.mean - np.log(q.rate) - p.entropy()


@kl_divergence.register_all([Beta, Kumaraswamy], [ContinuousBernoulli])
def _(p, q):
    return log_exprel(q.logits) - q.logits * p.mean - p.entropy()


def _within_unit(p, x):
    """x where a uniform p lies in the unit interval, else infinity."""
    return np.where(np.logical_and(p.low >= 0, p.high <= 1), x, np.inf)


@kl_divergence.register(Uniform, ContinuousBernoulli)
def _(p, q):
    return _within_unit(p, log_exprel(q.logits) - q.logits * p.mean - p.entropy())


@kl_divergence.register(Uniform, Beta)
def _(p, q):
    """E log x and E log(1 - x) from x log x - x."""
    low, high = np.clip(p.low, 0.0, 1.0), np.clip(p.high, 0.0, 1.0)

    def mean_log(a, b):
        return (special.xlogy(b, b) - special.xlogy(a, a)) / np.where(b > a, b - a, 1.0) - 1.0
    c, d = q.concentration1, q.concentration0
    log_q = (c - 1.0) * mean_log(low, high) + (d - 1.0) * mean_log(1.0 - high, 1.0 - low) - special.betaln(c, d)
    return _within_unit(p, -log_q - p.entropy())


@kl_divergence.register_all([Beta, Kumaraswamy, ContinuousBernoulli], [Uniform])
def _(p, q):
    inside = np.logical_and(q.low <= 0, q.high >= 1)
    return np.where(inside, np.log(q.high - q.low) - p.entropy(), np.inf)
