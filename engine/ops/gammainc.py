"""The incomplete gamma functions P(a, x) and Q(a, x) = 1 - P, with derivatives in both arguments.

Three regions: a power series for x below a, a continued fraction above, and Temme's uniform expansion where a is large
and x near it. All in float64.
Sources: DLMF 8.7.1, 8.9.2, 8.12; Temme (1979), "The asymptotic expansion of the incomplete gamma functions"; Gil,
Segura & Temme (2012), "Efficient and accurate algorithms for the computation and inversion of the incomplete gamma
function ratios", section 3.
"""
import functools
import math

import numpy as np

from ..core import Primitive
from ..errors import TransformError
from ..lazy import scipy_special
from .elementwise import exp, log, where
from .formula import converging, differentiated, numpy_impl, plain, polynomial, xla_lower
from .gammas import digamma, lgamma, polygamma
from .structural import elementwise, elementwise_batch, spread

_EPS = 1e-17
LIMIT = 400                                              # turns; enough for a < 20 at any x, and far from a above it
_STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156]      # DLMF 5.11.1
_ATANH = [1 / (2 * k + 3) for k in range(28)]
ORDERS = 3


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


def _temme(m, a, x, upper):
    """Q = erfc(η √(a/2)) / 2 + R with R = exp(-a η²/2) / √(2πa) Σ βₙ ηⁿ; the β by a recursion downwards."""
    mu = (x - a) / a
    r2 = (mu / (mu + 2.0)) * (mu / (mu + 2.0))
    # (μ - log(1+μ)) / μ²
    half_square = (1.0 - 2.0 * mu / ((mu + 2.0) * (mu + 2.0)) * polynomial(r2, _ATANH)) / (mu + 2.0)
    eta = mu * m.sqrt(2.0 * half_square)
    inverse = 1.0 / a
    gamma_star = m.exp(inverse * polynomial(inverse * inverse, _STIRLING))
    f = _temme_coefficients()
    after, after2 = a * 0.0, a * 0.0                     # β of the two indices above
    total = a * 0.0
    for n in range(len(f) - 1, 0, -1):                   # β[n-1] = f[n] / Γ* + (n + 1) / a β[n+1]
        beta = f[n] / gamma_star + after2 * inverse * float(n + 1)
        after, after2 = beta, after
        total = total * eta + beta
    z = eta * m.sqrt(a * 0.5)
    rest = m.exp(-(z * z)) / m.sqrt(a * (2 * math.pi)) * total
    return m.special("erfc", z) * 0.5 + rest if upper else m.special("erfc", -z) * 0.5 - rest


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
    """1/(x+1-a - 1(1-a)/(x+3-a - 2(2-a)/(x+5-a - …))) by Lentz's method: Q = xᵃ e⁻ˣ / Γ(a) times this."""
    b = x + 1.0 - a
    d = 1.0 / b
    change = m.where(active, a * 0.0 + 1.0, a * 0.0)

    def step(i, b, c, d, h, change, a):
        i = i + 1.0
        an = i * (a - i)
        b = b + 2.0
        d = 1.0 / (an * d + b)
        c = b + an / c
        new = h * (d * c)
        return [i, b, c, d, new, new - h, a]

    out = m.loop(lambda i, b, c, d, h, change, a: converging(m, change, h, 4e-16),
                 step, [a * 0.0, b, a * 0.0 + 1e300, d, d, change, a], LIMIT)
    return out[4]


def _gammainc(upper):
    def f(m, a, x):
        pa, px = plain(a), plain(x)
        ok = (pa > 0.0) & (px > 0.0) & (px < 1e300) & (pa < 1e300)
        a, x = m.where(ok, a, 1.0), m.where(ok, x, 1.0)
        pa, px = plain(a), plain(x)
        uniform = (pa >= 20.0) & (px > pa * 0.35) & (px < pa * 2.2)
        below = ~uniform & (px < pa + 1.0)
        above = ~uniform & ~below
        # each region gets harmless operands outside of itself
        ta, tx = m.where(uniform, a, 30.0), m.where(uniform, x, 30.0)
        near = _temme(m, ta, tx, upper)
        sa, sx = m.where(below, a, 1.0), m.where(below, x, 1.0)
        low = m.exp(sa * m.log(sx) - sx - m.special("lgamma", sa + 1.0)) * _series(m, sa, sx, below)
        fa, fx = m.where(above, a, 1.0), m.where(above, x, 3.0)
        high = m.exp(fa * m.log(fx) - fx - m.special("lgamma", fa)) * _fraction(m, fa, fx, above)
        if upper:
            low = 1.0 - low
        else:
            high = 1.0 - high
        out = m.where(uniform, near, m.where(below, low, high))
        return m.where(ok, out, 0.0)                     # `_at_limits` puts the limits in
    return f


def _at_limits(upper):
    """P is 0 at x = 0, 1 at x = ∞ and at a = 0, 0 at a = ∞; nan for negative arguments and where there is no limit."""
    f = _gammainc(upper)

    def whole(m, a, x):
        out = f(m, a, x)
        pa, px = plain(a), plain(x)
        one, zero = (0.0, 1.0) if upper else (1.0, 0.0)
        out = m.where((pa > 0.0) & (px <= 0.0), zero, out)
        out = m.where((pa >= 1e300) & (px < 1e300), zero, out)
        out = m.where((pa < 1e300) & (px >= 1e300), one, out)
        out = m.where((pa <= 0.0) & (px > 0.0), one, out)
        bad = (pa < 0.0) | (px < 0.0) | ~(pa + px >= 0.0)
        bad = bad | ((pa <= 0.0) & (px <= 0.0)) | ((pa >= 1e300) & (px >= 1e300))
        return m.where(bad, math.nan, out)
    return whole


@functools.cache
def _formula(upper, order):
    return differentiated(_at_limits(upper), (order, 0))


def _impl(a, x, *, upper, order):
    if order == 0:
        f = scipy_special.gammaincc if upper else scipy_special.gammainc
        return np.asarray(f(a, x)).astype(a.dtype)
    return numpy_impl(_formula(upper, order))(a, x)


def _density_jvp(t, y, a, x, *, upper, order):
    """∂ₓ ∂ₐᵏ P = ∂ₐᵏ p with p = xᵃ⁻¹ e⁻ˣ / Γ(a), so ∂ₐ p = p L, L = log x - ψ(a)."""
    inside = x > 0
    safe = where(inside, x, np.ones((), x.dtype))
    p = exp((a - 1) * log(safe) - safe - lgamma(a))
    edge = where(a == 1, np.ones((), x.dtype), where(a < 1, np.full((), np.inf, x.dtype), np.zeros((), x.dtype)))
    p = where(inside, p, edge if order == 0 else np.zeros((), x.dtype))
    if order:
        slope = log(safe) - digamma(a)
        p = p * (slope if order == 1 else slope * slope - polygamma(1, a))
    if order > 2:
        raise TransformError("gammainc is differentiated at most three times in its first argument.")
    return -(t * p) if upper else t * p


def _order_jvp(t, y, a, x, *, upper, order):
    if order == ORDERS:
        raise TransformError("gammainc is differentiated at most three times in its first argument.")
    return t * gammainc_p.bind(a, x, upper=upper, order=order + 1)


gammainc_p = Primitive(
    "gammainc",                                          # ∂ᵏ/∂aᵏ of P(a, x), or of Q(a, x) with `upper`; k = order
    shape=elementwise,
    impl=_impl,
    lower=lambda b, a, x, *, upper, order: xla_lower(_formula(upper, order))(b, a, x),
    jvp=(_order_jvp, _density_jvp),
    batch=elementwise_batch,
)


# ---- the path of a gamma draw ----

def log_gamma_slope(a, log_x):
    """d log x / da along P(a, x) = const, for a gamma(a) number x: -(∂P/∂a) / (x p(x; a)).

    Below x = e⁻⁴⁰ the limit is used: there P = xᵃ / Γ(a+1), so the slope is (ψ(a+1) - log x) / a.
    """
    tiny = log_x < -40.0
    safe = where(tiny, np.zeros((), a.dtype), log_x)
    slope = -gammainc_p.bind(a, exp(safe), upper=False, order=1) / exp(a * safe - exp(safe) - lgamma(a))
    return where(tiny, (digamma(a + 1) - log_x) / a, slope)


gamma_path_p = Primitive(
    "gamma_path",                                        # (log x, a) -> log x, which moves with a as a draw does
    shape=elementwise,
    impl=lambda x, a: np.array(np.broadcast_to(x, np.broadcast_shapes(np.shape(x), np.shape(a)))),
    lower=lambda b, x, a: b.broadcast_to(x, b.out[0].shape),
    jvp=(lambda t, y, x, a: spread(t, y), lambda t, y, x, a: t * log_gamma_slope(a, y)),
    batch=elementwise_batch,
)
