"""Formulas for the incomplete beta function I(a, b; x), 1 - I, their logarithms, and the density.

The even part of a continued fraction (DLMF 8.17.22), summed by Steed's method, on the side of the mean where it
converges in about √max(a, b) turns. The front factor xᵃ (1-x)ᵇ / B(a, b) comes from powers of (a+b) x/a and
(a+b) (1-x)/b, whose rounding is corrected to first order, or near the mean from an exponent in two floats. All in
float64.
"""
import functools
import math

from .betas import digamma_rise_formula
from .doubles import pair_product, pair_quotient, two_sum
from .formula import converging, differentiated, plain, polynomial
from .gamma_regions import pair_exponent, stirling
from .gamma_tables import GAMMA_FAR
from .gammas import small_gamma

LIMIT = 3000
_SQRT_2PI = math.sqrt(2 * math.pi)


# ---- x^a (1 - x)^b / B(a, b) ----

def _bases(m, a, b, x):
    """(a+b) x and (a+b) (1-x), pairs of floats."""
    whole, zero = two_sum(a, b), a * 0.0
    return pair_product(m, whole, (x, zero)), pair_product(m, whole, two_sum(zero + 1.0, -x))


def _near(m, a, b, x):
    """Where both (a+b) x / a and (a+b) (1-x) / b are near 1 and a and b are large."""
    n = a + b
    u, v = n * x, n * (1.0 - x)
    return (a >= 20.0) & (b >= 20.0) & (u > a * 0.35) & (u < a * 2.2) & (v > b * 0.35) & (v < b * 2.2)


def _exponent(m, a, b, x):
    """-log of ((a+b) x / a)ᵃ ((a+b) (1-x) / b)ᵇ in two floats; the linear terms of the two halves cancel."""
    first, second = _bases(m, a, b, x)
    one, other = pair_exponent(m, a, first), pair_exponent(m, b, second)
    total, rest = two_sum(one[0], other[0])
    return total, rest + (one[1] + other[1])


def _near_factor(m, a, b):
    """√(ab / 2π(a+b)) Γ*(a+b) / Γ*(a) Γ*(b)"""
    n = a + b
    return m.exp(stirling(m, n) - stirling(m, a) - stirling(m, b)) * m.sqrt(a / n * b) * (1 / _SQRT_2PI)


def _power(m, large, together, base, a):
    """(base / a, or base) to the power a, whether that is too large or small, its first-order correction, and the
    factor 1 / Γ(a) without its power and exponential."""
    zero = a * 0.0
    divisor = m.where(large, a, 1.0)
    ratio = pair_quotient(m, base, (divisor, zero))
    far = m.abs(a * m.log(ratio[0])) > 690.0
    z = m.where(large, a, 3.5)
    s = m.where(large, 1.0, a)
    small = small_gamma(m, s, True) * m.where(together, m.exp(-s), 1.0)
    factor = m.where(large, m.sqrt(z) / (polynomial(1.0 / z, GAMMA_FAR[8]) * _SQRT_2PI), small)
    return ratio[0], far, a * (ratio[1] / ratio[0]), factor


def _front_far(m, a, b, x, log):
    n = a + b
    together = n >= 3.5
    first, second = _bases(m, a, b, x)
    zero = a * 0.0
    first = m.where(together, first[0], x), m.where(together, first[1], 0.0)
    rest, lost_there = two_sum(zero + 1.0, -x)
    second = m.where(together, second[0], rest), m.where(together, second[1], lost_there)
    u, far_u, off_u, factor_u = _power(m, a >= 3.5, together, first, a)
    v, far_v, off_v, factor_v = _power(m, b >= 3.5, together, second, b)
    z = m.where(together, n, 3.5)
    whole = m.where(together, polynomial(1.0 / z, GAMMA_FAR[8]) * _SQRT_2PI / m.sqrt(z),
                    small_gamma(m, m.where(together, 1.0, n)))
    if log:
        return a * m.log(u) + b * m.log(v) + m.log(factor_u) + m.log(factor_v) + m.log(whole)
    far = far_u | far_v
    share = m.where(far, 0.25, 1.0)                      # a root, where the factors are too large or small
    part = m.pow(u, a * share) * m.pow(v, b * share)
    part = m.where(a * m.log(u) + b * m.log(v) < -750.0, 0.0, part)        # where the roots over- and underflow too
    square = part * part
    return m.where(far, square * square, part) * m.exp(off_u + off_v) * (factor_u * factor_v * whole)


def _front(log):
    def f(m, a, b, x):
        near = _near(m, a, b, x)
        sa, sb, sx = m.where(near, a, 30.0), m.where(near, b, 30.0), m.where(near, x, 0.5)
        high, low = _exponent(m, sa, sb, sx)
        factor = _near_factor(m, sa, sb)
        close = m.log(factor) - high - low if log else m.exp(-high) * (1.0 - low) * factor
        away = _front_far(m, m.where(near, 1.0, a), m.where(near, 1.0, b), m.where(near, 0.5, x), log)
        return m.where(near, close, away)
    return f


def rise(m, a, b):
    """ψ(a + b) - ψ(a)."""
    def trigamma(m, x):
        return m.special("trigamma", x)
    return m.apply(digamma_rise_formula, (lambda m, y, a, b: trigamma(m, a + b) - trigamma(m, a),
                                          lambda m, y, a, b: trigamma(m, a + b)), a, b)


def front(m, a, b, x, log):
    """xᵃ (1-x)ᵇ / B(a, b), or its logarithm."""
    def scaled(slope):
        return slope if log else lambda m, y, a, b, x: y * slope(m, y, a, b, x)
    slopes = (lambda m, y, a, b, x: m.log(x) + rise(m, a, b), lambda m, y, a, b, x: m.log1p(-x) + rise(m, b, a),
              lambda m, y, a, b, x: a / x - b / (1.0 - x))
    return m.apply(_front(log), tuple(map(scaled, slopes)), a, b, x)


def front_formula(log):
    """The front factor with its limits, 0 at x = 0 and 1."""
    def f(m, a, b, x):
        inside = (a > 0.0) & (b > 0.0) & (x > 0.0) & (x < 1.0)
        out = _front(log)(m, m.where(inside, a, 1.0), m.where(inside, b, 1.0), m.where(inside, x, 0.5))
        return m.where(inside, out, -math.inf if log else 0.0)
    return f


# ---- the fraction ----

def _gap(m, a, b, x):
    """a - (a + b) x, whose digits decide those of the fraction."""
    product, rest = pair_product(m, two_sum(a, b), (x, a * 0.0))
    total, lost_there = two_sum(a, -product)
    return total + (lost_there - rest)


def _turn(k, d, h, change, a, b, x, gap):
    """The even part of the fraction; the sum grows by -(coefficient d d') times the last change."""
    k = k + 1.0
    below = a + (k * 2.0 - 1.0)
    ratio = k * (b - k) * x / below
    coefficient = (a + (k - 1.0)) * (a + b + (k - 1.0)) * x / below * ratio
    new = 1.0 / (k + ratio + (a + k) * (gap + 1.0 + k * (2.0 - x)) / (below + 2.0) + coefficient * d)
    change = -(coefficient * d * new * change)
    return [k, new, h + change, change, a, b, x, gap]


def pair(m, a, b, x, log):
    """I and 1 - I, or their logarithms, for finite a, b > 0 and 0 < x < 1."""
    pa, pb, px = plain(a), plain(b), plain(x)
    # the side of the mean, unless the other one is much smaller, of which 1 - it would lose the digits
    swap = px > (pa + 1.0) / (pa + pb + 2.0)
    swap = swap & ~((pb < 0.5) & (pb <= pa) & (px < 0.95))
    swap = swap | ((pa < 0.5) & (pa < pb) & (px > 0.05))
    size = front(m, a, b, x, log)
    gap = m.apply(_gap, (lambda m, y, a, b, x: 1.0 - x, lambda m, y, a, b, x: -x, lambda m, y, a, b, x: -(a + b)),
                  a, b, x)
    p, q, z = m.where(swap, b, a), m.where(swap, a, b), m.where(swap, 1.0 - x, x)
    gap = m.where(swap, -gap, gap)
    d = (p + 1.0) / (p * (gap + 1.0))
    out = m.loop(lambda k, d, h, change, *rest: converging(m, change, h, 1e-17), _turn,
                 [a * 0.0, d, d, d, p, q, z, gap], LIMIT)
    part = size + m.log(out[2]) if log else size * out[2]
    rest = m.log1p(-m.exp(m.where(plain(part) < 0.0, part, -1.0))) if log else 1.0 - part
    return m.where(swap, rest, part), m.where(swap, part, rest)


def _betainc(upper, log):
    """0 at x = 0, 1 at x = 1, or the other way round; nan outside of a, b > 0 and 0 <= x <= 1."""
    one, zero = (0.0, 1.0) if upper else (1.0, 0.0)
    if log:
        one, zero = (0.0 if v else -math.inf for v in (one, zero))

    def f(m, a, b, x):
        pa, pb, px = plain(a), plain(b), plain(x)
        ok = (pa > 0.0) & (pb > 0.0) & (px > 0.0) & (px < 1.0) & (pa < 1e300) & (pb < 1e300)
        out = pair(m, m.where(ok, a, 1.0), m.where(ok, b, 1.0), m.where(ok, x, 0.5), log)[upper]
        out = m.where(ok, out, 0.0)
        positive = (pa > 0.0) & (pb > 0.0)
        out = m.where(positive & (px <= 0.0), zero, out)
        out = m.where(positive & (px >= 1.0), one, out)
        out = m.where((pa <= 0.0) & (pb > 0.0), one, out)
        out = m.where((pb <= 0.0) & (pa > 0.0), zero, out)
        bad = (px < 0.0) | (px > 1.0) | (pa < 0.0) | (pb < 0.0) | ((pa <= 0.0) & (pb <= 0.0)) | ~(pa + pb + px >= 0.0)
        return m.where(bad, math.nan, out)
    return f


@functools.cache
def betainc_formula(upper, orders, log=False):
    """I, or 1 - I with `upper`, or their logarithms, differentiated orders[0] times in a, orders[1] in b."""
    return differentiated(_betainc(upper, log), (*orders, 0))
