"""The hypergeometric functions ₀F₁, ₁F₁ and ₂F₁ of real arguments, with derivatives in the last one.

Power series, after Kummer's transformation (DLMF 13.2.39) or Pfaff's (15.8.1) where x < 0, so that for parameters
b > a > 0 all terms are positive; elsewhere the error is that of the largest term. Far out ₁F₁ is its expansion at
infinity (13.7.2), and ₂F₁ is continued from 1/2 towards 1 by Taylor series of its differential equation (15.10.1), each
of which halves the distance from 1; at 1 it is Gauss' sum (15.4.20).
"""
import numpy as np

from ..core import Primitive
from ..errors import TransformError
from .gammas import gamma_formula
from .readings import numpy_impl, scipy_impl, xla_lower
from .structural import elementwise, elementwise_batch, promote_inexact

_EPS = 2.0 ** -54
_SERIES, _FAR, _STEPS = 3000, 80, 4000                   # turns of the loops, at most
_GAMMA, _RGAMMA = gamma_formula(False), gamma_formula(True)


def _sum(m, start, ratio, limit, weighted=False):
    """Σ tₖ with t₀ = start, tₖ₊₁ = tₖ ratio(k), and with `weighted` also Σ k tₖ."""
    zero = m.zeros_like(start)

    def going(k, term, total, moment):
        return m.abs(term) * (k + 1.0 if weighted else 1.0) > (m.abs(total) + m.abs(moment)) * _EPS

    def turn(k, term, total, moment):
        term = term * ratio(k)
        return [k + 1.0, term, total + term, moment + term * (k + 1.0) if weighted else moment]

    _, _, total, moment = m.loop(going, turn, [zero, start, start, zero], limit)
    return (total, moment) if weighted else total


# ---- confluent ----

def _hyp1f1(m, a, b, x):
    left = x < 0.0
    y = m.abs(x)
    upper = m.where(left, b - a, a)
    whole = (upper <= 0.0) & (m.floor(upper) >= upper)   # a polynomial
    far = ~whole & (y > (m.abs(upper) + 1.0) * (m.abs(b - upper) + 1.0) * 3.0 + 50.0)
    bad = ~(y < 1400.0) & ~far
    v = m.where(far | bad, 1.0, y)
    half = m.exp(m.where(left, v * -0.5, 0.0))           # the series times exp(-y) for x < 0, half of it before the sum
    series = _sum(m, half, lambda k: (upper + k) / ((b + k) * (k + 1.0)) * v, _SERIES) * half
    z = m.where(far, y, 1e4)
    top, near = m.where(far, upper, 1.0), m.where(far, b, 1.0)
    tail = _sum(m, m.zeros_like(z) + 1.0, lambda k: (near - top + k) * (1.0 - top + k) / ((k + 1.0) * z), _FAR)
    scale = _GAMMA(m, near) * _RGAMMA(m, top) * m.pow(z, top - near)
    large = scale * tail * m.where(left, 1.0, m.exp(z * 0.5))
    large = large * m.where(left, 1.0, m.exp(z * 0.5))
    return m.where(bad, np.nan, m.where(far, large, series))


def _hyp0f1(m, b, x):
    ok = (x > -30.0) & (x < 1e5)
    v = m.where(ok, x, 1.0)
    return m.where(ok, _sum(m, m.zeros_like(v) + 1.0, lambda k: v / ((b + k) * (k + 1.0)), _SERIES), np.nan)


# ---- Gauss' ----

def _continued(m, a, b, c, value, slope, away):
    """F at 1 - away from F and F' at 1/2, for away < 1/2."""
    excess, both = c - a - b - 1.0, a + b + 1.0

    def step(d, value, slope):
        """The state at the start of a Taylor series at 1 - d: its length, two terms, their sum and that of n tₙ."""
        h = m.maximum(d * 0.5, away) - d                 # minus the length
        first = slope * -h
        return [d, -h, m.zeros_like(d), value, first, value + first, first]

    def going(d, h, n, now, later, total, moment):
        return d > away

    def turn(d, h, n, now, later, total, moment):
        inside = (n + a) * (n + b) * now * h - (n + 1.0) * (n * (d * 2.0 - 1.0) + excess + both * d) * later
        term = inside * h / ((n + 2.0) * (n + 1.0) * ((1.0 - d) * d))
        total, moment = total + term, moment + term * (n + 2.0)
        done = m.abs(term) * (n + 2.0) + m.abs(later) * (n + 1.0) <= (m.abs(total) + m.abs(moment)) * _EPS
        reached = d - h
        fresh = step(m.where(reached > away, reached, away), total, moment / h)
        same = [d, h, n + 1.0, later, term, total, moment]
        return [m.where(done, f, s) for f, s in zip(fresh, same)]

    start = step(m.zeros_like(away) + 0.5, value, slope)
    return m.loop(going, turn, start, _STEPS)[5]


def _hyp2f1(m, a, b, c, x):
    left = x < 0.0
    polynomial_in_b = (b <= 0.0) & (m.floor(b) >= b)
    a, b = m.where(polynomial_in_b, b, a), m.where(polynomial_in_b, a, b)
    ok = x < 1.0
    v = m.where(ok, x, 0.25)
    away = m.where(left, 1.0 / (1.0 - m.minimum(v, 0.0)), 1.0 - v)       # 1 - z, exactly
    z = m.where(left, -v * away, v)
    upper = m.where(left, c - b, b)
    direct = z <= 0.6
    total, moment = _sum(m, m.zeros_like(z) + 1.0, lambda k: (a + k) * (upper + k) / ((c + k) * (k + 1.0))
                         * m.where(direct, z, 0.5), _SERIES, True)
    beyond = _continued(m, a, upper, c, total, moment * 2.0, m.where(direct, 0.5, away))
    out = m.where(direct, total, beyond) * m.where(left, m.pow(away, a), 1.0)
    s = c - a - b
    fine = s > 0.0
    gauss = _GAMMA(m, c) * _GAMMA(m, m.where(fine, s, 1.0)) * _RGAMMA(m, c - a) * _RGAMMA(m, c - b)
    at_one = m.where(fine, gauss, np.inf)
    return m.where(ok, out, m.where((x <= 1.0) & (s >= -np.inf), at_one, np.nan))


# ---- the primitives ----

def _constant(name, argument):
    def jvp(t, y, *xs):
        raise TransformError(f"{name} has no derivative with respect to {argument}.\nKeep it constant (stop_gradient).")
    return jvp


def _primitive(name, f, parameters, slope, impl=None):
    return Primitive(name, shape=elementwise, uniform=True, impl=impl or numpy_impl(f), lower=xla_lower(f),
                     jvp=(*[_constant(name, p) for p in parameters], slope), batch=elementwise_batch)


hyp0f1_p = _primitive("hyp0f1", _hyp0f1, "b", lambda t, y, b, x: t * (hyp0f1(b + 1, x) / b))
hyp1f1_p = _primitive("hyp1f1", _hyp1f1, "ab", lambda t, y, a, b, x: t * (hyp1f1(a + 1, b + 1, x) * (a / b)))
hyp2f1_p = _primitive("hyp2f1", _hyp2f1, "abc", lambda t, y, a, b, c, x: t * (
    hyp2f1(a + 1, b + 1, c + 1, x) * (a * b / c)), scipy_impl("hyp2f1"))


def hyp0f1(b, x):
    """₀F₁(b; x) = Σ xᵏ / ((b)ₖ k!).   -30 < x < 1e5, nan outside; differentiable in x"""
    return hyp0f1_p.bind(*promote_inexact(b, x))


def hyp1f1(a, b, x):
    """Kummer's M(a, b, x) = Σ (a)ₖ xᵏ / ((b)ₖ k!).   differentiable in x

    |x| < 1400, or far out with |x| > 50 + 3 (1 + |a|)(1 + |b - a|); nan elsewhere.

    >>> round(float(hyp1f1(1.0, 2.0, 1.0)), 12)                           # (e - 1)/1
    1.718281828459
    """
    return hyp1f1_p.bind(*promote_inexact(a, b, x))


def hyp2f1(a, b, c, x):
    """Gauss' F(a, b; c; x) = Σ (a)ₖ (b)ₖ xᵏ / ((c)ₖ k!).   x <= 1, nan beyond; differentiable in x

    >>> round(float(hyp2f1(1.0, 1.0, 2.0, -1.0)), 12)                     # log 2
    0.69314718056
    """
    return hyp2f1_p.bind(*promote_inexact(a, b, c, x))
