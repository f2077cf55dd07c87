"""Hurwitz' zeta function ζ(s, q) and Riemann's ζ(s), with derivatives in s and q.

Euler and Maclaurin's summation formula (DLMF 25.11.5): ten terms of the series, unless q is large, then the integral
and Bernoulli numbers. Riemann's function is (s - 1) ζ(s), which is entire, as a polynomial between 0 and 2; below 0 it
is reflected (DLMF 25.4.1).
"""
import functools
import math

import numpy as np

from ..core import Primitive
from ..errors import TransformError
from ..lazy import scipy_special
from .formula import differentiated, lost, numpy_impl, plain, polynomial, xla_lower
from .gamma_tables import GAMMA_FAR, GAMMA_NEAR, SINE, ZETA
from .structural import elementwise, elementwise_batch, promote_inexact

TERMS = 10
# B₂ₖ / (2k)!, DLMF 24.2
_BERNOULLI = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600,
              -3617 / 10670622842880000, 43867 / 5109094217170944000, -174611 / 802857662698291200000,
              77683 / 14101100039391805440000, -236364091 / 1693824136731743669452800000]
ORDERS = 2


def _power(m, a, error, s):
    """(a + error)^-s for a tiny error."""
    p = m.pow(a, -s)
    return p - p * (s / a * error)


def hurwitz(m, s, q):
    """ζ(s, q) for s > 1, q > 0.   s : a value or a number"""
    pq = plain(q)
    direct = pq > plain(s) + 10.0
    a = q + float(TERMS)
    error = m.where(direct, 0.0, lost(q, float(TERMS), a))
    a = m.where(direct, q, a)
    inverse = 1.0 / a
    square = inverse * inverse
    term = s * inverse
    rest = term * _BERNOULLI[0]
    for k, c in enumerate(_BERNOULLI[1:], 1):
        term = term * ((s + (2.0 * k - 1.0)) * (s + 2.0 * k) * square)
        rest = rest + term * c
    below = s - 1.0
    tail = _power(m, a, error, below) * (1.0 / below + (rest + 0.5) * inverse)
    total = tail                                         # the small terms first
    for k in range(TERMS - 1, 0, -1):
        a = q + float(k)
        total = total + _power(m, a, lost(q, float(k), a), s)
    return m.where(direct, tail, total + m.pow(q, -s))


def _whole(m, s, q):
    """With its limits: ∞ at s = 1 and q = 0, nan for s < 1 and q < 0."""
    ps, pq = plain(s), plain(q)
    inside = (ps > 1.0) & (pq > 0.0) & (ps < math.inf) & (pq < math.inf)
    out = m.where(inside, hurwitz(m, m.where(inside, s, 2.0), m.where(inside, q, 1.0)), 0.0)
    out = m.where((ps >= math.inf) & (pq <= 1.0), m.where(pq < 1.0, math.inf, 1.0 + pq * 0.0), out)
    out = m.where((ps <= 1.0) | (pq <= 0.0), math.inf, out)
    return m.where((ps < 1.0) | (pq < 0.0) | ~(ps + pq > -math.inf), math.nan, out)


_BASE = 0.9367973043891066, -6.593970544467685e-18       # 16 / 2πe in two parts
_TURN = 2 * math.pi, 2.4492935982947064e-16              # 2π in two parts


_SCALED = [math.sqrt(2 * math.pi) / 4 * c for c in GAMMA_FAR[8]]


def _scaled_gamma(m, y):
    """Γ(y) (2π)^-y for y >= 1."""
    near = plain(y) < 3.5
    z = m.where(near, y, 1.5)
    low, high = plain(z) < 1.5, plain(z) >= 2.5
    part = m.where(low, z - 1.0, m.where(high, z - 3.0, z - 2.0))
    close = polynomial(part, m.table(GAMMA_NEAR)) * m.where(high, z - 1.0, m.where(low, 1.0 / z, 1.0))
    close = close * m.pow(z * 0.0 + _TURN[0], -z) * (1.0 - z * (_TURN[1] / _TURN[0]))
    z = m.where(near, 10.0, y)
    split = plain(z) > 200.0                             # where the power would be too large, as a square
    share = m.where(split, z * 0.5, z)
    part = m.pow(z * 0.0625, m.where(split, share - 0.25, share - 0.5)) * m.pow(z * 0.0 + _BASE[0], share)
    part = part * m.where(split, part, 1.0)
    away = part * (polynomial(1.0 / z, _SCALED) * (1.0 + z * (_BASE[1] / _BASE[0])))
    return m.where(near, close, away)


def _riemann(m, s):
    """ζ(s) = 2 (2π)^-y sin(πs/2) Γ(y) ζ(y), y = 1 - s, to the left of the polynomial."""
    below, far = plain(s) < -0.5, plain(s) > 2.0
    t = m.where(below | far, -1.0, s - 1.0)
    close = polynomial(t, m.table(ZETA)) / t
    y = m.where(below, 1.0 - s, m.where(far, s, 2.0))
    y = m.where(plain(y) > 400.0, 400.0, y)
    away = hurwitz(m, y, y * 0.0 + 1.0)
    half = m.where(below, s, -1.0) * 0.5
    whole = m.round(half)
    r, odd = half - whole, plain(whole) * 0.5
    sine = r * polynomial(r * r, m.table(SINE)) * math.pi
    sine = m.where(m.floor(odd) < odd, -sine, sine)
    off = lost(m.where(below, -s, -1.0), 1.0, m.where(below, y, 2.0))
    turned = m.where(below, y, 2.0)
    mirrored = sine * 2.0 * _scaled_gamma(m, turned) * away * (m.log(turned * (1 / _TURN[0])) * off + 1.0)
    mirrored = m.where((plain(y) >= 400.0) & ~(m.abs(plain(r)) > 0.0), 0.0, mirrored)
    return m.where(below, mirrored, m.where(far, away, close))


# ---- the primitives ----

@functools.cache
def _formula(order):
    return differentiated(_whole, (order, 0))


def _impl(s, q, *, order):
    if order:
        return numpy_impl(_formula(order))(s, q)
    out = np.asarray(scipy_special.zeta(s, q))
    far = (s == np.inf) & (q > 1)                        # where SciPy has nan
    return np.asarray(np.where(far, 0, out) if np.any(far) else out).astype(s.dtype)


def _in_exponent(t, y, s, q, *, order):
    if order == ORDERS:
        raise TransformError("zeta is differentiated at most twice in its exponent.")
    return t * zeta_p.bind(s, q, order=order + 1)


def _in_start(t, y, s, q, *, order):
    """∂ζ/∂q = -s ζ(s + 1, q), and its derivatives in s."""
    after = s + 1
    slope = -s * zeta_p.bind(after, q, order=order)
    return t * (slope - order * zeta_p.bind(after, q, order=order - 1) if order else slope)


zeta_p = Primitive(
    "zeta",                                              # ∂ᵏ/∂sᵏ ζ(s, q), k = order
    shape=elementwise,
    uniform=True,
    impl=_impl,
    lower=lambda b, s, q, *, order: xla_lower(_formula(order))(b, s, q),
    jvp=(_in_exponent, _in_start),
    batch=elementwise_batch,
)


@functools.cache
def _riemann_formula(order):
    return differentiated(_riemann, (order,))


def _riemann_slope(t, y, s, *, order):
    if order == ORDERS:
        raise TransformError("zeta is differentiated at most twice.")
    return t * riemann_p.bind(s, order=order + 1)


riemann_p = Primitive(
    "riemann_zeta",                                      # the derivative of this order
    shape=elementwise,
    uniform=True,
    impl=lambda s, *, order: numpy_impl(_riemann_formula(order))(s),
    lower=lambda b, s, *, order: xla_lower(_riemann_formula(order))(b, s),
    jvp=(_riemann_slope,),
    batch=elementwise_batch,
)


def zeta(x, q=None):
    """Hurwitz' zeta function Σ (k + q)^-x, k = 0, 1, …; Riemann's, continued to all x, without q. DLMF 25.2, 25.11

    x : float[*batch], > 1 if there is a q        q : float[*batch], > 0

    >>> float(zeta(2.0)).__round__(6)
    1.644934
    """
    if q is None:
        return riemann_p.bind(promote_inexact(x)[0], order=0)
    return zeta_p.bind(*promote_inexact(x, q), order=0)
