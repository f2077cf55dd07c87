"""The beta function, its logarithm, and ψ(a + b) - ψ(a), without the differences of large numbers.

Where an argument is large: Stirling's series for all three Γ at once, in which the large terms are taken together
(DLMF 5.11.1, 5.12.1).
"""
import math

import numpy as np

from ..core import Primitive
from ..lazy import scipy_special
from .formula import lost, numpy_impl, polynomial, reciprocal
from .gamma_tables import ATANH, DIGAMMA_FAR, LGAMMA_FAR
from .gammas import gamma_formula, lgamma_parts, turned_cotangent
from .polygamma import polygamma_p
from .readings import xla_lower
from .structural import elementwise, elementwise_batch, promote_inexact

_HALF_LOG = 0.5 * math.log(2 * math.pi)


def log1p_unit(m, t):
    """log(1 + t) = 2 artanh(t / (2 + t)) for 0 <= t <= 1, as a polynomial."""
    r = t * (1.0 / (t + 2.0))
    square = r * r
    return r * square * polynomial(square, m.table(ATANH)) + (r + r)


def _stirling(m, x):
    """log Γ(x) - (x - 1/2) log x + x - log √2π for x >= 3.5."""
    inverse = reciprocal(x)
    return inverse * polynomial(inverse * inverse, m.table(LGAMMA_FAR))


def _ordered(m, a, b):
    """(smaller, larger)"""
    swap = a > b
    return m.where(swap, b, a), m.where(swap, a, b)


def _betaln_large(m, p, q, lgamma):
    """log B(p, q) for 0 < p <= q, q >= 3.5, given log Γ(p)."""
    total = p + q
    near = log1p_unit(m, p / q)
    both = p >= 3.5
    tail = _stirling(m, q) - _stirling(m, total)
    z = m.where(both, p, 3.5)
    log = m.log(m.where(both, total / p, total))
    large = (_stirling(m, z) + tail + _HALF_LOG) - (p - 0.5) * log - (q * near + m.log(q) * 0.5)
    small = lgamma + (tail + (p - p * log)) - (q - 0.5) * near
    out = m.where(both, large, small)
    return m.where(q >= math.inf, -math.inf, out)


def betaln_formula(m, a, b):
    p, q = _ordered(m, a, b)
    vp, wp = lgamma_parts(m, p)
    vq, wq = lgamma_parts(m, q)
    total = p + q
    vt, wt = lgamma_parts(m, total)
    np, nq, nt = p <= -0.5, q <= -0.5, total <= -0.5
    sums = m.where(np, -vp, vp) + m.where(nq, -vq, vq) - m.where(nt, -vt, vt)
    sums = sums - m.log(m.where(np, wp, 1.0) * m.where(nq, wq, 1.0) / m.where(nt, wt, 1.0))
    usual = (p > 0.0) & (q >= 3.5)
    large = _betaln_large(m, m.where(usual, p, 1.0), m.where(usual, q, 3.5), vp)
    return m.where(usual, large, sums)


def _betaln_impl(a, b):
    """SciPy's where that is good: small positive arguments, and negative ones."""
    a, b = np.broadcast_arrays(a, b)
    out = np.asarray(scipy_special.betaln(a, b)).astype(a.dtype, copy=False)
    bad = (np.minimum(a, b) > 0) & (np.maximum(a, b) >= 3.5)
    if bad.any():
        a, b = a[bad].astype(float), b[bad].astype(float)
        p, q = np.minimum(a, b), np.maximum(a, b)
        good = numpy_impl(lambda m, p, q: _betaln_large(m, p, q, scipy_special.gammaln(p)))(p, q)
        if not out.ndim:
            return good.astype(out.dtype).reshape(())
        out[bad] = good
    return out


def _beta(m, a, b):
    """Γ(a) Γ(b) / Γ(a + b) where that does not overflow, and exp(log B) elsewhere."""
    total = a + b
    small = (m.abs(a) < 150.0) & (m.abs(b) < 150.0) & (m.abs(total) < 150.0)
    sa, sb, st = m.where(small, a, 1.0), m.where(small, b, 1.0), m.where(small, total, 2.0)
    gamma, inverse = gamma_formula(False), gamma_formula(True)
    off = m.where(small & (total > 1.0), lost(a, b, total), 0.0)    # of the rounded sum
    product = gamma(m, sa) * inverse(m, st) * gamma(m, sb) * (1.0 - off * m.log(m.where(total > 1.0, st, 1.0)))
    positive = (a > 0.0) & (b > 0.0)
    away = m.exp(betaln_formula(m, m.where(positive, a, 1.0), m.where(positive, b, 1.0)))
    return m.where(small, product, m.where(positive, away, math.nan))


# ---- ψ(a + b) - ψ(a) ----

def _divided(coefficients, x, y):
    """(F(x) - F(y)) / (x - y) for F(x) = x Σ cₖ xᵏ, by Horner's rule."""
    value = x * 0.0 + coefficients[-1]
    slope = x * 0.0
    for c in [*coefficients[-2::-1], 0.0]:
        slope = slope * x + value
        value = value * y + c
    return slope


def digamma_rise_formula(m, a, b):
    """Σ b / ((a+k) (a+b+k)), k = 0, 1, then the difference of the expansions at infinity, term by term.

    Of |a| and |a + b|, with what reflection adds for the negative ones.
    """
    whole = a + b
    start, end = m.abs(a), m.abs(whole)
    step = m.where((a > 0.0) & (whole > 0.0), b, end - start)
    low = (start < 2.0) | (end < 2.0)
    first = m.where(low, step / (start * end) + step / ((start + 1.0) * (end + 1.0)), 0.0)
    poles = m.where(whole < 0.0, 1.0 / end + turned_cotangent(m, end), 0.0)
    poles = poles - m.where(a < 0.0, 1.0 / start + turned_cotangent(m, start), 0.0)
    start, end = m.where(low, start + 2.0, start), m.where(low, end + 2.0, end)
    ratio = step / start
    unit = (ratio >= 0.0) & (ratio < 1.0)
    log = m.where(unit, log1p_unit(m, m.where(unit, ratio, 0.0)), m.log(m.where(unit, 1.0, end / start)))
    inverse, other = 1.0 / start, 1.0 / end
    product = inverse * other
    squares = step * product * (inverse + other)         # 1/a² - 1/(a+b)²
    rest = _divided(m.table(DIGAMMA_FAR), inverse * inverse, other * other)
    return first + (log + step * product * 0.5 + squares * rest) + poles


digamma_rise_p = Primitive(
    "digamma_rise",                                      # ψ(a + b) - ψ(a)
    shape=elementwise,
    uniform=True,
    impl=numpy_impl(digamma_rise_formula),
    lower=xla_lower(digamma_rise_formula, narrow=True),
    jvp=(lambda t, y, a, b: t * (polygamma_p.bind(a + b, n=1) - polygamma_p.bind(a, n=1)),
         lambda t, y, a, b: t * polygamma_p.bind(a + b, n=1)),
    batch=elementwise_batch,
)
betaln_p = Primitive(
    "betaln",
    shape=elementwise,
    uniform=True,
    impl=_betaln_impl,
    lower=xla_lower(betaln_formula, narrow=True),
    jvp=(lambda t, y, a, b: t * -digamma_rise_p.bind(a, b), lambda t, y, a, b: t * -digamma_rise_p.bind(b, a)),
    batch=elementwise_batch,
)
beta_p = Primitive(
    "beta",
    shape=elementwise,
    uniform=True,
    impl=numpy_impl(_beta),
    lower=xla_lower(_beta),
    jvp=(lambda t, y, a, b: t * (-y * digamma_rise_p.bind(a, b)),
         lambda t, y, a, b: t * (-y * digamma_rise_p.bind(b, a))),
    batch=elementwise_batch,
)


def betaln(a, b):
    """log |B(a, b)| = log |Γ(a) Γ(b) / Γ(a + b)|, accurate for large arguments too.   DLMF 5.12.1, 5.11.1"""
    return betaln_p.bind(*promote_inexact(a, b))


def beta(a, b):
    """B(a, b) = Γ(a) Γ(b) / Γ(a + b).   DLMF 5.12"""
    return beta_p.bind(*promote_inexact(a, b))
