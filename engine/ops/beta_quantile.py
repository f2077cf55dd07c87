"""How beta numbers move with their shapes at a fixed uniform, and the inverses of I(a, b; x) and 1 - I."""
import math

import numpy as np

from ..core import Primitive
from ..lazy import scipy_special
from .beta_regions import front, pair
from .betainc import beta_front_p, betainc_p
from .betas import betaln_formula
from .elementwise import bitwise_and, where
from .formula import xla_lower
from .gamma_quantile import normal_guess
from .structural import elementwise, elementwise_batch, promote_inexact


def _spread(a, b, x):
    """1 / p(x), the reciprocal of the density, as (0 < x < 1, x there, x (1-x) B / xᵃ (1-x)ᵇ)."""
    inside = bitwise_and(x > 0, x < 1)
    safe = where(inside, x, np.full((), 0.5, x.dtype))
    return inside, safe, safe * (1 - safe) / beta_front_p.bind(a, b, safe, log=False)


def _path(a, b, x, orders):
    inside, safe, size = _spread(a, b, x)
    slope = betainc_p.bind(a, b, safe, upper=False, orders=orders) * size
    return where(inside, -slope, np.zeros((), x.dtype))


def random_beta_grad(a, b, x):
    """(dx/da, dx/db) of a beta(a, b) number x at a fixed uniform, -(∂I/∂a, ∂I/∂b) / p(x).   a, b > 0, 0 <= x <= 1

    Source: Figurnov, Mohamed & Mnih (2018), "Implicit reparameterization gradients", section 3.
    """
    a, b, x = promote_inexact(a, b, x)
    return _path(a, b, x, (1, 0)), _path(a, b, x, (0, 1))


def _guess(m, a, b, log_lower, log_upper):
    """log(x / (1 - x)) by Abramowitz & Stegun 26.5.22, or where a shape is below 1 by the ends' power laws; where that
    is exact."""
    small = (a < 1.0) | (b < 1.0)
    sa, sb = m.where(small, 2.0, a), m.where(small, 2.0, b)
    left = log_lower < log_upper
    z = normal_guess(m, m.where(left, log_lower, log_upper))
    z = m.where(left, z, -z)
    ra, rb = 1.0 / (sa * 2.0 - 1.0), 1.0 / (sb * 2.0 - 1.0)
    bend, mean = (z * z - 3.0) * (1 / 6), 2.0 / (ra + rb)
    inner = m.where(mean + bend > 0.0, mean + bend, 0.0)
    w = z * m.sqrt(inner) / mean - (rb - ra) * (bend + 5 / 6 - 2.0 / (mean * 3.0))
    central = m.log(sa / sb) - w * 2.0
    size = betaln_formula(m, a, b)
    low, high = (log_lower + m.log(a) + size) / a, (log_upper + m.log(b) + size) / b     # log x, log(1 - x) at the ends
    first = low < high
    end = m.where(first, low, high)
    end = m.where(end > -0.05, -0.05, end)
    odds = end - m.log1p(-m.exp(end))
    tiny = low < -40.0 - m.log1p(b)                      # there the power law is all there is
    return m.where(tiny, low, m.where(small, m.where(first, odds, -odds), central)), tiny


def _inverse(upper):
    """Halley's method for the logarithm of the smaller of I and 1 - I as a function of log(x / (1 - x))."""
    def f(m, a, b, p):
        ok = (a > 0.0) & (b > 0.0) & (a < 1e300) & (b < 1e300) & (p > 0.0) & (p < 1.0)
        a, b, p = m.where(ok, a, 1.0), m.where(ok, b, 1.0), m.where(ok, p, 0.5)
        own = p <= 0.5
        log_p, log_q = m.log(p), m.log1p(-p)
        target = m.where(own, log_p, log_q)
        right = own if upper else ~own                   # where it is 1 - I that is solved for
        sign = m.where(right, -1.0, a * 0.0 + 1.0)
        guess, done = _guess(m, a, b, log_q if upper else log_p, log_p if upper else log_q)

        def step(v, change, a, b, target, sign):
            x = 1.0 / (m.exp(-v) + 1.0)
            lower, higher = pair(m, a, b, x, True)
            value = m.where(sign > 0.0, lower, higher)
            slope = sign * m.exp(front(m, a, b, x, True) - value)
            newton = (value - target) / slope
            bend = 1.0 - newton * (a * (1.0 - x) - b * x - slope) * 0.5
            change = newton / m.where(bend < 0.5, 0.5, m.where(bend > 2.0, 2.0, bend))
            change = m.where(change > 3.0, 3.0, m.where(change < -3.0, -3.0, change))
            v = v - change
            return [m.where(v > 36.0, 36.0, v), m.where(v > 36.0, 0.0, change), a, b, target, sign]

        out = m.loop(lambda v, change, *rest: m.abs(change) > 1e-7, step,
                     [m.where(done, 0.0, m.where(guess > 36.0, 36.0, guess)),
                      m.where(done | ~ok, 0.0, a * 0.0 + 1.0), a, b, target, sign], 80)
        v = m.where(done, guess, out[0])
        e = m.exp(-m.abs(v))
        x = m.where(v < 0.0, e, 1.0) / (e + 1.0)
        return m.where(ok, x, math.nan)

    def whole(m, a, b, p):
        out = f(m, a, b, p)
        shapes = (a > 0.0) & (b > 0.0)
        none, all_ = (1.0, 0.0) if upper else (0.0, 1.0)
        out = m.where(shapes & (p <= 0.0) & (p >= 0.0), none, out)
        return m.where(shapes & (p <= 1.0) & (p >= 1.0), all_, out)
    return whole


def _inverse_jvp(t, x, a, b, p, *, upper):
    """dx/dp = 1 / p(x)."""
    inside, _, size = _spread(a, b, x)
    slope = where(inside, size, np.full((), np.inf, x.dtype))
    return t * -slope if upper else t * slope


betaincinv_p = Primitive(
    "betaincinv",                                        # x with I(a, b; x) = p, or 1 - I = p with `upper`
    shape=elementwise,
    uniform=True,
    impl=lambda a, b, p, *, upper: np.asarray((scipy_special.betainccinv if upper else scipy_special.betaincinv)(
        a, b, p, dtype=float)).astype(a.dtype),
    lower=lambda builder, *xs, upper: xla_lower(_inverse(upper))(builder, *xs),
    jvp=(lambda t, x, a, b, p, *, upper: t * _path(a, b, x, (1, 0)),
         lambda t, x, a, b, p, *, upper: t * _path(a, b, x, (0, 1)), _inverse_jvp),
    batch=elementwise_batch,
)


def betaincinv(a, b, p):
    """x with I(a, b; x) = p, the quantile function of beta numbers.   a, b > 0, 0 <= p <= 1; differentiable in all

    >>> float(betaincinv(2.0, 1.0, 0.25))
    0.5
    """
    return betaincinv_p.bind(*promote_inexact(a, b, p), upper=False)


def betainccinv(a, b, q):
    """x with 1 - I(a, b; x) = q, for small q too.   a, b > 0, 0 <= q <= 1; differentiable in all"""
    return betaincinv_p.bind(*promote_inexact(a, b, q), upper=True)
