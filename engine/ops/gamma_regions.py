"""Formulas for the incomplete gamma functions P(a, x) and Q(a, x) = 1 - P, their logarithms, and their density.

Three regions: a power series for x below a, a continued fraction above, and Temme's uniform expansion where a is large
and x near it; Q for small a and x by its own series. The exponent a log(x/a) + a - x, whose error is what is lost in
the tails, is kept in two floats, or left to a power of x/a. All in float64.
Sources: DLMF 8.7.1, 8.9.2, 8.12; Temme (1979), "The asymptotic expansion of the incomplete gamma functions"; Gil,
Segura & Temme (2012), "Efficient and accurate algorithms for the computation and inversion of the incomplete gamma
function ratios", sections 2 and 3.
"""
import functools
import math

from .doubles import pair_product, pair_quotient, two_product, two_sum
from .formula import converging, differentiated, lost, plain, polynomial
from .gamma_tables import ATANH_WIDE, ERFCX, EXPM1, GAMMA_FAR, LGAMMA_FAR, LGAMMA_NEAR
from .gammas import small_gamma

_EPS = 1e-17
LIMIT = 400                                              # turns; enough for a < 20 at any x, and far from a above it
_SQRT_2PI = math.sqrt(2 * math.pi)


# ---- x^a exp(-x) / Γ(a + 1) ----

def stirling(m, a):
    """log Γ(a) - (a - 1/2) log a + a - log √2π for a >= 3.5."""
    inverse = 1.0 / a
    return inverse * polynomial(inverse * inverse, LGAMMA_FAR[8])


def _front(m, a, x):
    """By a power of x/a (of x for small a), whose base is corrected to first order for its rounding."""
    large = a >= 3.5
    divisor = m.where(large, a, 1.0)
    base = x / divisor
    back, rest = two_product(m, base, divisor)
    off = m.where(large, ((x - back) - rest) / x, 0.0)   # of the base, relative
    start = m.where(large, a, 0.0)
    gap = start - x
    power = a * m.log(base)
    far = (m.abs(power) > 690.0) | (gap < -690.0)
    share = m.where(far, 0.25, 1.0)                      # a root, where the factors are too large or small
    part = m.pow(base, a * share) * m.exp(gap * share)
    square = part * part
    part = m.where(far, square * square, part) * m.exp(a * off + lost(start, -x, gap))
    part = m.where(power + gap < -750.0, 0.0, part)      # where the root overflows too
    z = m.where(large, a, 3.5)
    small = small_gamma(m, m.where(large, 1.0, a), True) / a
    return part * m.where(large, 1.0 / (m.sqrt(z) * (polynomial(1.0 / z, GAMMA_FAR[8]) * _SQRT_2PI)), small)


def _log_front(m, a, x):
    large = a >= 3.5
    z = m.where(large, a, 3.5)
    far = z * m.log(x / z) + (z - x) - m.log(z) * 0.5 - (stirling(m, z) + math.log(_SQRT_2PI))
    s = m.where(large, 1.0, a)
    return m.where(large, far, s * m.log(x) - x - m.special("lgamma", s) - m.log(s))


def _in_shape(m, y, a, x):
    """d log front / da"""
    return m.log(x) - m.special("digamma", a) - 1.0 / a


def _in_place(m, y, a, x):
    return a / x - 1.0


def front(m, a, x, log):
    """xᵃ e⁻ˣ / Γ(a + 1), or its logarithm."""
    if log:
        return m.apply(_log_front, (_in_shape, _in_place), a, x)
    return m.apply(_front, (lambda m, y, a, x: y * _in_shape(m, y, a, x), lambda m, y, a, x: y * _in_place(m, y, a, x)),
                   a, x)


# ---- Temme's expansion ----

@functools.cache
def _temme_coefficients(n=30):
    """The Taylor coefficients of η / (λ - 1) in η, where η²/2 = λ - 1 - log λ, from μ μ' = η (1 + μ), μ = λ - 1."""
    m = [0.0, 1.0]
    for k in range(2, n + 2):
        rest = sum(m[i] * (k + 1 - i) * m[k + 1 - i] for i in range(2, k))
        m.append((m[k - 1] - rest) / (k + 1))
    f = [1.0]
    for k in range(1, n + 1):
        f.append(-sum(m[j + 1] * f[k - j] for j in range(1, k + 1)))
    return f


def pair_exponent(m, a, x):
    """x - a - a log(x/a) in two floats, for a pair x: d²/s - 2a r³ (1/3 + r²/5 + …), d = x - a, s = x + a, r = d/s."""
    d, s = two_sum(x[0], -a), two_sum(x[0], a)
    d, s = (d[0], d[1] + x[1]), (s[0], s[1] + x[1])
    r = pair_quotient(m, d, s)
    first = pair_product(m, d, r)
    square = pair_product(m, r, r)
    third = two_sum(a * 0.0 + 1 / 3, square[0] * polynomial(square[0], ATANH_WIDE))
    third = third[0], third[1] + (1.850371707708594e-17 + square[1] * 0.2)
    cube = pair_product(m, pair_product(m, (a * 2.0, a * 0.0), r), square)
    second = pair_product(m, cube, third)
    total, rest = two_sum(first[0], -second[0])
    return total, rest + (first[1] - second[1])


def _decay(m, a, x):
    high, low = pair_exponent(m, a, (x, a * 0.0))
    return m.exp(-high) * (1.0 - low)


def _minus_exponent(m, a, x):
    high, low = pair_exponent(m, a, (x, a * 0.0))
    return -high - low


def _log_ratio(m, y, a, x):
    return m.log(x / a)


def _erfcx(m, z):
    """exp(z²) erfc(z) for z >= 0."""
    return polynomial((z - 4.0) / (z + 4.0), ERFCX) / (z * 2.0 + 1.0)


def _temme(m, a, x, log):
    """The smaller of P and Q or its logarithm: exp(-E) (erfcx √E / 2 ± S), E = a η²/2, S = Σ βₙ ηⁿ / √(2πa).

    The β by a recursion downwards. P for x < a.
    """
    mu = (x - a) / a
    r = mu / (mu + 2.0)
    r2 = r * r
    # (μ - log(1+μ)) / μ²
    half_square = (1.0 - 2.0 * mu / ((mu + 2.0) * (mu + 2.0)) * (r2 * polynomial(r2, ATANH_WIDE) + 1 / 3)) / (mu + 2.0)
    eta = mu * m.sqrt(2.0 * half_square)
    inverse = 1.0 / a
    gamma_star = m.exp(stirling(m, a))
    f = _temme_coefficients()
    after, after2 = a * 0.0, a * 0.0                     # β of the two indices above
    total = a * 0.0
    for n in range(len(f) - 1, 0, -1):                   # β[n-1] = f[n] / Γ* + (n + 1) / a β[n+1]
        beta = f[n] / gamma_star + after2 * inverse * float(n + 1)
        after, after2 = beta, after
        total = total * eta + beta
    rest = total / m.sqrt(a * (2 * math.pi))
    z = m.abs(eta) * m.sqrt(a * 0.5)
    centre = m.apply(_erfcx, (lambda m, y, z: z * y * 2.0 - 2 / math.sqrt(math.pi),), z) * 0.5
    inner = centre + m.where(plain(mu) < 0.0, -rest, rest)
    if log:
        return m.apply(_minus_exponent, (_log_ratio, _in_place), a, x) + m.log(inner)
    slopes = (lambda m, y, a, x: y * _log_ratio(m, y, a, x), lambda m, y, a, x: y * _in_place(m, y, a, x))
    return m.apply(_decay, slopes, a, x) * inner


# ---- the series and the fraction ----

def _series(m, a, x, active):
    """Σ xⁿ / (a+1)ₙ: P = xᵃ e⁻ˣ / Γ(a+1) times this."""
    one = a * 0.0 + 1.0
    term = m.where(active, one, a * 0.0)
    _, _, total, _, _ = m.loop(
        lambda n, term, total, a, x: converging(m, term, total, _EPS),
        lambda n, term, total, a, x: _series_step(n, term, total, a, x),
        [a * 0.0, term, one, a, x], LIMIT)
    return total


def _series_step(n, term, total, a, x):
    n = n + 1.0
    term = term * x / (a + n)
    return [n, term, total + term, a, x]


def _fraction(m, a, x, active):
    """1/(x+1-a - 1(1-a)/(x+3-a - 2(2-a)/(x+5-a - …))) as a sum, by Steed's method: Q = xᵃ e⁻ˣ / Γ(a) times this."""
    b = x + 1.0 - a
    d = 1.0 / b

    def step(i, b, d, h, change, a):
        i = i + 1.0
        an = i * (a - i)
        b = b + 2.0
        new = 1.0 / (an * d + b)
        change = -(an * d * new * change)
        return [i, b, new, h + change, change, a]

    out = m.loop(lambda i, b, d, h, change, a: converging(m, change, h, _EPS), step,
                 [a * 0.0, b, d, d, m.where(active, d, a * 0.0), a], LIMIT)
    return out[3]


def _upper_series(m, a, x, active):
    """Q = 1 - xᵃ / Γ(1+a) (1 + a Σ (-x)ⁿ / (n! (a+n))), n >= 1, for small x and a."""
    zero = a * 0.0
    out = m.loop(lambda n, power, term, total, a, x: converging(m, term, total, _EPS),
                 lambda n, power, term, total, a, x: _upper_step(n, power, total, a, x),
                 [zero, zero + 1.0, m.where(active, zero + 1.0, zero), zero, a, x], 60)
    total = out[3]
    w = a * m.log(x) - a * polynomial(a, LGAMMA_NEAR[8]) + m.log1p(a)
    rise = w * polynomial(w, EXPM1)
    return -rise - (rise + 1.0) * a * total


def _upper_step(n, power, total, a, x):
    n = n + 1.0
    power = -(power * x / n)
    term = power / (a + n)
    return [n, power, term, total + term, a, x]


def pair(m, a, x, log):
    """P and Q, or their logarithms, for finite a, x > 0."""
    pa, px = plain(a), plain(x)
    uniform = near_mean(pa, px)
    # where both are small 1 - P would lose the digits of Q
    tiny = (pa < 0.5) & (px < 1.1) & (pa < px * 0.9 + 0.1) & (pa * m.log(px) > -0.6)
    below = ~uniform & ~tiny & ((px < pa) | (px < 1.1))
    above = ~uniform & ~tiny & ~below
    # each region gets harmless operands outside of itself
    tail = _temme(m, m.where(uniform, a, 30.0), m.where(uniform, x, 30.0), log)
    size = front(m, m.where(uniform, 1.0, a), m.where(uniform, 1.0, x), log)
    low = _series(m, m.where(below, a, 1.0), m.where(below, x, 1.0), below)
    ha = m.where(above, a, 1.0)
    sums = m.where(below, low, _fraction(m, ha, m.where(above, x, 3.0), above) * ha)
    small = _upper_series(m, m.where(tiny, a, 0.1), m.where(tiny, x, 0.5), tiny)
    part = m.where(uniform, tail, size + m.log(sums) if log else size * sums)
    part = m.where(tiny, m.log(small) if log else small, part)
    rest = m.log1p(-m.exp(m.where(plain(part) < 0.0, part, -1.0))) if log else 1.0 - part
    down = below | (uniform & (px < pa))                 # where P is the one that was computed
    return m.where(down, part, rest), m.where(down, rest, part)


def near_mean(a, x):
    """Where Temme's expansion serves."""
    return (a >= 20.0) & (x > a * 0.35) & (x < a * 2.2)


def _gammainc(upper, log):
    """P is 0 at x = 0, 1 at x = ∞ and at a = 0, 0 at a = ∞; nan for negative arguments and where there is no limit."""
    one, zero = (0.0, 1.0) if upper else (1.0, 0.0)
    if log:
        one, zero = (0.0 if v else -math.inf for v in (one, zero))

    def f(m, a, x):
        pa, px = plain(a), plain(x)
        ok = (pa > 0.0) & (px > 0.0) & (px < 1e300) & (pa < 1e300)
        out = pair(m, m.where(ok, a, 1.0), m.where(ok, x, 1.0), log)[upper]
        out = m.where(ok, out, 0.0)
        out = m.where((pa > 0.0) & (px <= 0.0), zero, out)
        out = m.where((pa >= 1e300) & (px < 1e300), zero, out)
        out = m.where((pa < 1e300) & (px >= 1e300), one, out)
        out = m.where((pa <= 0.0) & (px > 0.0), one, out)
        bad = (pa < 0.0) | (px < 0.0) | ~(pa + px >= 0.0)
        bad = bad | ((pa <= 0.0) & (px <= 0.0)) | ((pa >= 1e300) & (px >= 1e300))
        return m.where(bad, math.nan, out)
    return f


@functools.cache
def gammainc_formula(upper, order, log=False):
    """∂ᵏ/∂aᵏ of P, or of Q with `upper`, or of their logarithms; k = order."""
    return differentiated(_gammainc(upper, log), (order, 0))


# ---- the density ----

def density_formula(log):
    """xᵃ e⁻ˣ / Γ(a + 1), near the mean too, where a may be huge; 0 at x = 0 and ∞."""
    def f(m, a, x):
        inside = (a > 0.0) & (x > 0.0) & (x < math.inf)
        a, x = m.where(inside, a, 1.0), m.where(inside, x, 1.0)
        uniform = near_mean(a, x)
        ua, ux = m.where(uniform, a, 30.0), m.where(uniform, x, 30.0)
        far = front(m, m.where(uniform, 1.0, a), m.where(uniform, 1.0, x), log)
        if log:
            near = _minus_exponent(m, ua, ux) - (stirling(m, ua) + m.log(ua) * 0.5 + math.log(_SQRT_2PI))
        else:
            near = _decay(m, ua, ux) / (m.sqrt(ua) * _SQRT_2PI * m.exp(stirling(m, ua)))
        return m.where(inside, m.where(uniform, near, far), -math.inf if log else 0.0)
    return f
