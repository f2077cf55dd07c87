"""log |Γ|, ψ = Γ'/Γ, Γ and 1/Γ, to a few units in the last place.

Three ranges of x > 0: polynomials on intervals of length 1 around the zeros of log Γ and ψ (with the zeros as factors,
so that the relative error stays small there), to which smaller arguments are moved by Γ(x+1) = x Γ(x); beyond,
Stirling's series, made economical by interpolation. Negative arguments are reflected (DLMF 5.5.3, 5.5.4).
"""
import math

import numpy as np

from ..array import Array
from ..lazy import scipy_special
from .elementwise import _floating, _unary, bitwise_and, eq, floor, where
from .formula import SPECIAL, numpy_impl, polynomial, reciprocal
from .gamma_tables import (
    COTANGENT,
    DIGAMMA_FAR,
    DIGAMMA_NEAR,
    DIGAMMA_ZERO,
    GAMMA_FAR,
    GAMMA_NEAR,
    LGAMMA_FAR,
    LGAMMA_NEAR,
    SINE,
)
from .polygamma import polygamma_p
from .readings import xla_lower
from .structural import asvalue, cast, promote_inexact
from .zeta import zeta

_SHIFT = 0.5 * math.log(2 * math.pi) - 0.5               # of (x - 1/2) (log x - 1) in Stirling's series


def _patched(whole, wrong, formula):
    """A primitive's impl: SciPy's function by name, and the formula at the places where that loses digits."""
    precise = numpy_impl(formula)

    def impl(x):
        out = np.asarray(getattr(scipy_special, whole)(x)).astype(x.dtype, copy=False)
        bad = wrong(x)
        if x.ndim == 0:
            return precise(x) if bad else out
        if bad.any():
            out[bad] = precise(x[bad])
        return out
    return impl


# ---- log Γ ----

def _lgamma_near(m, x):
    """log Γ(x) for 1/2 < x < 7/2."""
    low, high = x < 1.5, x >= 2.5
    s = x - m.where(low, 1.0, m.where(high, 3.0, 2.0))
    log = m.log(m.where(low, x, m.where(high, x - 1.0, 1.0)))
    return s * polynomial(s, m.table(LGAMMA_NEAR)) + m.where(low, -log, log)


def lgamma_parts(m, x):
    """(v, w) with log |Γ(x)| = v, or for x <= -1/2 -(v + log w), as Γ(x) Γ(-x) = -π / (x sin πx)."""
    y = m.abs(x)
    far, tiny, low, high = y >= 3.5, y < 0.5, y < 1.5, y >= 2.5
    s = m.where(tiny, x, y - m.where(low, 1.0, m.where(high, 3.0, 2.0)))
    factor = m.where(tiny, y * (x + 1.0), m.where(low, y, m.where(high, y - 1.0, 1.0)))
    log = m.log(m.where(far, y, factor))
    near = s * polynomial(s, m.table(LGAMMA_NEAR)) + m.where(low, -log, log)
    inverse = reciprocal(y)
    large = (y - 0.5) * (log - 1.0) + (polynomial(inverse * inverse, m.table(LGAMMA_FAR)) * inverse + _SHIFT)
    r = m.abs(y - m.round(y))
    return m.where(far, large, near), y * (r * polynomial(r * r, m.table(SINE)))


def lgamma_formula(m, x):
    out, mirror = lgamma_parts(m, x)
    return m.where(x <= -0.5, m.where(x <= -math.inf, x, -(out + m.log(mirror))), out)


_lgamma_patched = _patched("gammaln", lambda x: (x > 0.5) & (x < 2.5), _lgamma_near)


def _lgamma_impl(x):
    """For one positive number without SciPy, which a hyperparameter need not import: Python's where it is accurate."""
    if x.ndim or not 0 < x < np.inf:
        return _lgamma_patched(x)
    if 0.1 < x < 7:
        return numpy_impl(_lgamma_near if 0.5 < x < 3.5 else lgamma_formula)(x)
    return np.asarray(math.lgamma(x)).astype(x.dtype)


# ---- ψ ----

def turned_cotangent(m, y):
    """π cot πy; nan at the integers."""
    r = y - m.round(y)
    return m.where(m.abs(r) > 0.0, 1.0 / r - r * polynomial(r * r, m.table(COTANGENT)), math.nan)


def _digamma(m, x):
    y = m.abs(x)
    negative, low, near = x < 0.0, y < 1.0, y < 2.0
    s = y - m.where(low, 0.5, 1.5)
    zero, rest = m.table(DIGAMMA_ZERO)
    zero = y - m.where(low, zero - 1.0, zero) - rest
    close = zero * polynomial(s, m.table(DIGAMMA_NEAR))
    inverse = reciprocal(y)
    square = inverse * inverse
    large = m.log(y) - (inverse * 0.5 + square * polynomial(square, m.table(DIGAMMA_FAR)))
    cotangent = turned_cotangent(m, y)                   # ψ(x) = ψ(-x) - 1/x - π cot πx; ψ(y) = ψ(y + 1) - 1/y
    poles = m.where(low, cotangent, cotangent + inverse)
    return m.where(near, close, large) + m.where(negative, poles, m.where(low, -(1.0 / x), 0.0))


# ---- Γ ----

_SCALED = [math.sqrt(2 * math.pi) * c for c in GAMMA_FAR[8]]



def small_gamma(m, x, inverted=False):
    """Γ(x), or 1/Γ(x), for 0 < x < 3.5 alone."""
    tiny, low, high = x < 0.5, x < 1.5, x >= 2.5
    s = m.where(tiny, x, x - m.where(low, 1.0, m.where(high, 3.0, 2.0)))
    near, factor = polynomial(s, m.table(GAMMA_NEAR)), m.where(tiny, x * (x + 1.0), m.where(low, x, 1.0))
    near = m.where(high, near * (x - 1.0), near)
    return factor / near if inverted else near / factor


def gamma_formula(inverted):
    """Γ(x), or 1/Γ(x)."""
    def f(m, x):
        y = m.abs(x)
        negative, tiny, low, high, far = x <= -0.5, y < 0.5, y < 1.5, y >= 2.5, y >= 3.5
        s = m.where(tiny, x, y - m.where(low, 1.0, m.where(high, 3.0, 2.0)))
        near, factor = polynomial(s, m.table(GAMMA_NEAR)), m.where(tiny, x * (x + 1.0), y)
        z = m.where(far, m.where(y > 200.0, 200.0, y), 3.5)
        split = z > 120.0                                # where zᶻ would be too large, as a square
        power = m.pow(z, m.where(split, z * 0.5 - 0.25, z - 0.5))
        large = power * (m.exp(-z) * polynomial(1.0 / z, _SCALED)) * m.where(split, power, 1.0)
        whole = m.round(y)
        r, half = y - whole, whole * 0.5
        sine = r * polynomial(r * r, m.table(SINE)) * y  # y sin(πy) / π, up to a sign
        sine = m.where(m.floor(half) < half, sine, -sine)
        close = m.where(high, near * (y - 1.0), near)
        if inverted:
            out = m.where(far, 1.0 / large, m.where(low, factor / near, 1.0 / close))
            mirrored = m.where(far, large, m.where(low, near / factor, close)) * sine
            return m.where(negative, m.where(m.abs(r) > 0.0, mirrored, r), out)
        out = m.where(far, large, m.where(low, near / factor, close))
        return m.where(negative, m.where(m.abs(r) > 0.0, 1.0 / (out * sine), math.nan), out)
    return f


def _rgamma_slope(t, y, x):
    """-ψ(x) / Γ(x), and (-1)ⁿ n! at x = -n."""
    pole = bitwise_and(x <= 0, eq(x, floor(x)))
    minus = where(pole, -x, np.ones((), x.dtype))
    half = minus * 0.5
    at_pole = gamma(minus + 1) * where(eq(half, floor(half)), np.ones((), x.dtype), np.full((), -1, x.dtype))
    return t * where(pole, at_pole, -y * digamma(where(pole, np.ones((), x.dtype), x)))


SPECIAL.update(lgamma=lgamma_formula, digamma=_digamma)
lgamma_p = _unary("lgamma", _lgamma_impl, xla_lower(lgamma_formula, narrow=True), lambda t, y, x: t * digamma(x))
digamma_p = _unary("digamma", _patched("psi", lambda x: x < 0, _digamma), xla_lower(_digamma, narrow=True),
                   lambda t, y, x: t * polygamma_p.bind(x, n=1))
gamma_p = _unary("gamma", _patched("gamma", lambda x: np.abs(x) > 6, gamma_formula(False)),
                 xla_lower(gamma_formula(False)), lambda t, y, x: t * (y * digamma(x)))
rgamma_p = _unary("rgamma", _patched("rgamma", lambda x: np.abs(x) > 6, gamma_formula(True)),
                  xla_lower(gamma_formula(True)), _rgamma_slope)

lgamma = _floating(lgamma_p, "log |Γ(x)|.   DLMF 5.2")
digamma = _floating(digamma_p, "ψ(x) = Γ'(x) / Γ(x).   DLMF 5.2")
gamma = _floating(gamma_p, "Γ(x); nan at the negative integers.")
rgamma = _floating(rgamma_p, "1 / Γ(x), which has no poles.")


def polygamma(n, x):
    """ψ⁽ⁿ⁾(x), the n-th derivative of digamma.   n : int[*batch], >= 0; if an array, x > 0      x : float[*batch]

    DLMF 5.15; an order given as a number is quicker than an array of them.
    """
    x = promote_inexact(x)[0]
    if isinstance(n, (int, np.integer)) or (isinstance(n, (Array, np.ndarray)) and n.ndim == 0):
        n = int(n)
        return polygamma_p.bind(x, n=n) if n else digamma(x)
    n = cast(asvalue(n), x.dtype)
    zero, half = eq(n, 0), n * 0.5
    order = where(zero, np.ones((), x.dtype), n)
    size = gamma(order + 1) * zeta(order + 1, x)
    return where(zero, digamma(x), where(eq(half, floor(half)), -size, size))
