"""Differences of powers and cosines from 1, the transformations of Box and Cox, and Huber's losses."""
import math as _math

import numpy as _np

from ...ops.elementwise import abs, bitwise_and, bitwise_or, eq, exp, expm1, log, log1p, lt, power, sin, sqrt, where
from ...ops.formula import polynomial
from ...ops.structural import promote_inexact

__all__ = ["boxcox", "boxcox1p", "cosm1", "exprel", "huber", "inv_boxcox", "inv_boxcox1p", "powm1", "pseudo_huber"]

_EXPREL = [1 / _math.factorial(k + 1) for k in range(16)]
_LOGREL = [(-1) ** k / (k + 1) for k in range(8)]


def _one(x):
    return _np.ones((), x.dtype)


def _zero(x):
    return _np.zeros((), x.dtype)


def _piece(x, limit, series, outside):
    """A power series for |x| < limit, so that derivatives at 0 are exact, and outside(x) elsewhere."""
    near = lt(abs(x), limit)
    return where(near, polynomial(where(near, x, _zero(x)), series), outside(where(near, _one(x), x)))


def exprel(x):
    """(exp(x) - 1)/x, 1 at 0.

    >>> float(exprel(0.0))
    1.0
    """
    return _piece(promote_inexact(x)[0], 0.7, _EXPREL, lambda v: expm1(v) / where(eq(v, _np.inf), _one(v), v))


def _logrel(x):
    """log(1 + x)/x, 1 at 0."""
    return _piece(x, 1e-3, _LOGREL, lambda v: log1p(v) / v)


def cosm1(x):
    """cos(x) - 1 = -2 sin²(x/2), accurate near 0."""
    s = sin(promote_inexact(x)[0] * 0.5)
    return -2 * (s * s)


def powm1(x, y):
    """x**y - 1, accurate where the power is near 1."""
    x, y = promote_inexact(x, y)
    positive = x > 0
    product = y * log(where(positive, x, _one(x)))
    near = bitwise_and(positive, lt(abs(product), 0.5))
    return where(near, expm1(where(near, product, _zero(x))), power(where(near, _one(x), x), y) - 1)


def _boxcox(logarithm, lmbda):
    """logarithm · exprel(λ · logarithm); -1/λ or -inf where the logarithm is that of 0."""
    end = eq(logarithm, -_np.inf)
    v = where(end, _zero(lmbda), logarithm)
    limit = where(lmbda > 0, -1 / where(lmbda > 0, lmbda, _one(lmbda)), _np.full((), -_np.inf, lmbda.dtype))
    return where(end, limit, v * exprel(lmbda * v))


def boxcox(x, lmbda):
    """(x**λ - 1)/λ, log x for λ = 0.   x >= 0; smooth in both"""
    x, lmbda = promote_inexact(x, lmbda)
    return _boxcox(log(x), lmbda)


def boxcox1p(x, lmbda):
    """((1 + x)**λ - 1)/λ, log(1 + x) for λ = 0.   x >= -1"""
    x, lmbda = promote_inexact(x, lmbda)
    return _boxcox(log1p(x), lmbda)


def inv_boxcox(y, lmbda):
    """The inverse of boxcox in x: (1 + λy)**(1/λ), exp y for λ = 0."""
    y, lmbda = promote_inexact(y, lmbda)
    return exp(y * _logrel(lmbda * y))


def inv_boxcox1p(y, lmbda):
    """The inverse of boxcox1p in x: (1 + λy)**(1/λ) - 1, accurate near 0."""
    y, lmbda = promote_inexact(y, lmbda)
    return expm1(y * _logrel(lmbda * y))


def huber(delta, r):
    """r²/2 for |r| <= δ, δ (|r| - δ/2) beyond; inf for δ < 0."""
    delta, r = promote_inexact(delta, r)
    size = abs(r)
    value = where(size <= delta, r * r * 0.5, delta * (size - delta * 0.5))
    return where(lt(delta, 0), _np.full((), _np.inf, r.dtype), value)


def pseudo_huber(delta, r):
    """δ² (√(1 + (r/δ)²) - 1), a smooth huber; 0 for δ = 0 or r = 0, inf for δ < 0."""
    delta, r = promote_inexact(delta, r)
    none = bitwise_or(eq(delta, 0), lt(delta, 0))
    ratio = r / where(none, _one(r), delta)
    value = r * r / (sqrt(1 + ratio * ratio) + 1)
    value = where(eq(delta, 0), _zero(r), value)
    return where(lt(delta, 0), _np.full((), _np.inf, r.dtype), value)
