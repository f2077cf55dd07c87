"""Derivatives of ψ = Γ'/Γ of a fixed order: those of order 1 and 2 as polynomials, others by Hurwitz' zeta function.

ψ⁽ⁿ⁾(x) = (-1)ⁿ⁺¹ n! ζ(n+1, x) (DLMF 25.11.12), reflected below 0 (DLMF 5.15.6).
"""
import functools
import math

import numpy as np

from ..core import Primitive
from ..lazy import scipy_special
from .formula import SPECIAL, numpy_impl, polynomial, xla_lower
from .gamma_tables import COTANGENT, TETRAGAMMA_FAR, TETRAGAMMA_NEAR, TRIGAMMA_FAR, TRIGAMMA_NEAR
from .structural import elementwise, elementwise_batch
from .zeta import hurwitz


def _trigamma(m, x):
    """ψ'(x) for x > 0."""
    low, near = x < 1.0, x < 2.0
    s = m.where(low, x - 0.5, x - 1.5)
    inverse = 1.0 / x
    square = inverse * inverse
    close = polynomial(s, m.table(TRIGAMMA_NEAR)) + m.where(low, square, 0.0)
    far = inverse + square * (inverse * polynomial(square, m.table(TRIGAMMA_FAR)) + 0.5)
    return m.where(near, close, far)


def _tetragamma(m, x):
    """-ψ''(x) for x > 0."""
    low, near = x < 1.0, x < 2.0
    s = m.where(low, x - 0.5, x - 1.5)
    inverse = 1.0 / x
    square = inverse * inverse
    close = polynomial(s, m.table(TETRAGAMMA_NEAR)) + m.where(low, square * inverse * 2.0, 0.0)
    far = square * ((inverse + 1.0) + square * polynomial(square, m.table(TETRAGAMMA_FAR)))
    return m.where(near, close, far)


@functools.cache
def _cotangent(n):
    """dⁿ/dzⁿ cot z as a polynomial in c = cot z, lowest power first: P' = -(1 + c²) dP/dc."""
    p = [0, 1]
    for _ in range(n):
        slope = [k * a for k, a in enumerate(p)][1:]
        p = [-(slope[k] if k < len(slope) else 0) - (slope[k - 2] if k >= 2 else 0) for k in range(len(slope) + 2)]
    return p


def _mirror(m, n, y):
    """-π dⁿ/dxⁿ cot πx at x = -y, where all the powers of the cotangent have one sign.   y > 0, not an integer"""
    r = m.round(y) - y
    c = 1.0 / r - r * polynomial(r * r, m.table(COTANGENT))                     # π cot πx
    p = [-float(v) * math.pi ** (n + 1 - k) for k, v in enumerate(_cotangent(n))]
    out = polynomial(c * c, p[(n + 1) % 2::2])
    return out * c if (n + 1) % 2 else out


@functools.cache
def _formula(n):
    def size(m, x):
        """|ψ⁽ⁿ⁾| for x > 0."""
        if n <= 2:
            return (_trigamma if n == 1 else _tetragamma)(m, x)
        return hurwitz(m, float(n + 1), x) * float(math.factorial(n))

    def f(m, x):
        negative = x < 0.0
        y = m.where(negative, -x, 0.5)
        pole = ~(m.abs(y - m.round(y)) > 0.0)
        above = size(m, m.where(negative, y + 1.0, x))
        out = above if n % 2 else -above
        below = _mirror(m, n, m.where(pole, 0.5, y))
        out = m.where(negative, below - above, out)
        infinite = math.inf if n % 2 else -math.inf
        return m.where((negative & pole) | ((x <= 0.0) & ~negative), infinite, out)
    return f


def _impl(x, *, n):
    """SciPy's ζ where it is good, which is quicker on small arrays."""
    if n > 2 or np.any(x <= 0):
        return numpy_impl(_formula(n))(x)
    size = scipy_special.zeta(n + 1.0, x.astype(float)) * math.factorial(n)
    return np.asarray(size if n % 2 else -size).astype(x.dtype)


SPECIAL.update(trigamma=_trigamma, tetragamma=lambda m, x: -_tetragamma(m, x))
polygamma_p = Primitive(
    "polygamma",                                         # ψ⁽ⁿ⁾(x), n >= 1
    shape=elementwise,
    uniform=True,
    impl=_impl,
    lower=lambda b, x, *, n: xla_lower(_formula(n), narrow=n <= 2)(b, x),
    jvp=(lambda t, y, x, *, n: t * polygamma_p.bind(x, n=n + 1),),
    batch=elementwise_batch,
)
