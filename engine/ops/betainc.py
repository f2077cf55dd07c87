"""The incomplete beta function I(a, b; x), the distribution function of beta numbers, with derivatives in all
arguments.

A continued fraction (DLMF 8.17.22) by Lentz's method, on the side of the mean where it converges in about √max(a, b)
turns; its derivatives in a and b are the same algorithm carried through with tangents. All in float64.
"""
import functools
import math

import numpy as np

from ..core import Primitive
from ..errors import TransformError
from ..lazy import scipy_special
from .elementwise import bitwise_and, exp, log, log1p, where
from .formula import converging, differentiated, numpy_impl, plain, polynomial, xla_lower
from .gammas import digamma, lgamma, polygamma
from .structural import elementwise, elementwise_batch

LIMIT = 3000
_STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156]      # DLMF 5.11.1
_ATANH = [1 / (2 * k + 3) for k in range(28)]


def _deviation(m, mu):
    """μ - log(1 + μ), without cancellation for small μ."""
    near = (plain(mu) < 1.0) & (plain(mu) > -0.5)
    u = m.where(near, mu, 0.0)
    r = u / (u + 2.0)
    close = u * r - 2.0 * r * r * r * polynomial(r * r, _ATANH)
    v = m.where(near, 1.0, mu)
    return m.where(near, close, v - m.log1p(v))


def _stirling(v):
    """log Γ(v) - (v - 1/2) log v + v - log √2π, for v > 20."""
    return polynomial(1.0 / (v * v), _STIRLING) / v


def _log_ratio(m, a, b):
    """log Γ(a + b) - log Γ(a) - log Γ(b); where one is large, without the difference of large numbers."""
    more = plain(a) > plain(b)
    small, big = m.where(more, b, a), m.where(more, a, b)
    far = plain(big) > 20.0
    n = m.where(far, big, 30.0)
    step = (n - 0.5) * m.log1p(small / n) + small * m.log(n + small) - small + _stirling(n + small) - _stirling(n)
    n = m.where(far, 1.0, big)
    return m.where(far, step, m.special("lgamma", n + small) - m.special("lgamma", n)) - m.special("lgamma", small)


def _front(m, a, b, x):
    """xᵃ (1-x)ᵇ / B(a, b); for large a and b by Stirling's series around the mean a/(a+b)."""
    large = (plain(a) > 20.0) & (plain(b) > 20.0)
    s, t = m.where(large, 1.0, a), m.where(large, 1.0, b)
    direct = m.exp(s * m.log(x) + t * m.log1p(-x) + _log_ratio(m, s, t))
    s, t = m.where(large, a, 30.0), m.where(large, b, 30.0)
    n = s + t
    off = x * n - s
    exponent = s * _deviation(m, off / s) + t * _deviation(m, -off / t)
    spread = m.exp(_stirling(n) - _stirling(s) - _stirling(t) - exponent) * m.sqrt(s / n * t * (1 / (2 * math.pi)))
    return m.where(large, spread, direct)


def _turn(k, c, d, h, change, a, b, x):
    """Two steps of the fraction."""
    k = k + 1.0
    even = k * (b - k) * x / ((a - 1.0 + k * 2.0) * (a + k * 2.0))
    d = 1.0 / (even * d + 1.0)
    c = even / c + 1.0
    middle = h * (d * c)
    odd = -((a + k) * (a + b + k) * x / ((a + k * 2.0) * (a + 1.0 + k * 2.0)))
    d = 1.0 / (odd * d + 1.0)
    c = odd / c + 1.0
    new = middle * (d * c)
    return [k, c, d, new, new - h, a, b, x]


def _betainc(m, a, b, x):
    pa, pb, px = plain(a), plain(b), plain(x)
    ok = (pa > 0.0) & (pb > 0.0) & (px > 0.0) & (px < 1.0) & (pa < 1e300) & (pb < 1e300)
    a, b, x = m.where(ok, a, 1.0), m.where(ok, b, 1.0), m.where(ok, x, 0.5)
    pa, pb, px = plain(a), plain(b), plain(x)
    swap = px > (pa + 1.0) / (pa + pb + 2.0)
    front = _front(m, a, b, x)
    p, q, z = m.where(swap, b, a), m.where(swap, a, b), m.where(swap, 1.0 - x, x)
    one, zero = a * 0.0 + 1.0, a * 0.0
    d = 1.0 / (1.0 - (p + q) * z / (p + 1.0))
    out = m.loop(lambda k, c, d, h, change, *rest: converging(m, change, h, 4e-16), _turn,
                 [zero, one, d, d, m.where(ok, one, zero), p, q, z], LIMIT)
    part = front * out[3] / p
    return m.where(ok, m.where(swap, 1.0 - part, part), 0.0)


def _whole(m, a, b, x):
    """With the limits: 0 at x = 0, 1 at x = 1; nan outside of a, b > 0 and 0 <= x <= 1."""
    out = _betainc(m, a, b, x)
    pa, pb, px = plain(a), plain(b), plain(x)
    positive = (pa > 0.0) & (pb > 0.0)
    out = m.where(positive & (px <= 0.0), 0.0, out)
    out = m.where(positive & (px >= 1.0), 1.0, out)
    out = m.where((pa <= 0.0) & (pb > 0.0), 1.0, out)
    out = m.where((pb <= 0.0) & (pa > 0.0), 0.0, out)
    bad = (px < 0.0) | (px > 1.0) | (pa < 0.0) | (pb < 0.0) | ((pa <= 0.0) & (pb <= 0.0)) | ~(pa + pb + px >= 0.0)
    return m.where(bad, math.nan, out)


@functools.cache
def _formula(orders):
    return differentiated(_whole, (*orders, 0))


def _impl(a, b, x, *, orders):
    if orders == (0, 0):
        return np.asarray(scipy_special.betainc(a, b, x)).astype(a.dtype)
    return numpy_impl(_formula(orders))(a, b, x)


def _density_jvp(t, y, a, b, x, *, orders):
    """∂ₓ I = xᵃ⁻¹ (1-x)ᵇ⁻¹ / B(a, b), whose logarithmic derivatives in a and b multiply it for orders above (0, 0)."""
    inside = bitwise_and(x > 0, x < 1)
    safe = where(inside, x, np.full((), 0.5, x.dtype))
    p = exp((a - 1) * log(safe) + (b - 1) * log1p(-safe) + lgamma(a + b) - lgamma(a) - lgamma(b))
    i, j = orders
    both = digamma(a + b)
    in_a, in_b = log(safe) - digamma(a) + both, log1p(-safe) - digamma(b) + both
    if (i, j) == (1, 0):
        p = p * in_a
    elif (i, j) == (0, 1):
        p = p * in_b
    elif i + j == 2:
        bend = polygamma(1, a + b)
        p = p * ((in_a if i else in_b) * (in_b if j else in_a) + bend - (polygamma(1, a) if i == 2 else polygamma(1, b)
                                                                         if j == 2 else 0))
    return t * where(inside, p, np.zeros((), x.dtype))


def _order_jvp(place):
    def jvp(t, y, a, b, x, *, orders):
        if sum(orders) == 2:
            raise TransformError("betainc is differentiated at most twice in its first two arguments.")
        return t * betainc_p.bind(a, b, x, orders=tuple(k + (i == place) for i, k in enumerate(orders)))
    return jvp


betainc_p = Primitive(
    # I(a, b; x), differentiated orders[0] times in a, orders[1] in b
    "betainc",
    shape=elementwise,
    impl=_impl,
    lower=lambda b, *xs, orders: xla_lower(_formula(orders))(b, *xs),
    jvp=(_order_jvp(0), _order_jvp(1), _density_jvp),
    batch=elementwise_batch,
)
