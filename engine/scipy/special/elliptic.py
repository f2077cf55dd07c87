"""The arithmetic-geometric mean and the complete elliptic integrals, which are made of it (DLMF 19.8.1, 5 and 6).

They are compositions of square roots, so all derivatives exist where the functions are smooth.
"""
import math as _math

import numpy as _np

from ...ops.elementwise import bitwise_or, eq, le, maximum, minimum, sqrt, where
from ...ops.structural import promote_inexact

__all__ = ["agm", "ellipe", "ellipk", "ellipkm1"]

_TURNS = 13                                              # enough for numbers in the ratio 1e-300


def _mean(a, b, m=None):
    """(agm(a, b), Σ 2ⁿ⁻¹ cₙ²), c₀² = m."""
    total = None if m is None else m * 0.5
    for n in range(_TURNS):
        c = (a - b) * 0.5
        a, b = (a + b) * 0.5, sqrt(a * b)
        total = None if m is None else total + 2.0 ** n * (c * c)
    return a, total


def _one(x):
    return _np.ones((), x.dtype)


def agm(a, b):
    """The common limit of a, b -> (a + b)/2, √(ab).   a, b >= 0, nan below

    >>> float(agm(24.0, 6.0)).__round__(12)
    13.458171481726
    """
    a, b = promote_inexact(a, b)
    high, low = maximum(a, b), minimum(a, b)
    none = le(low, 0)
    safe = where(none, _one(a), high)
    value = safe * _mean(_one(a), where(none, _one(a), low) / safe)[0]
    return where(none, where(eq(low, 0), _np.zeros((), a.dtype), _np.full((), _np.nan, a.dtype)), value)


def ellipkm1(p):
    """K(1 - p), accurate near p = 0, where it is infinite.   p >= 0, nan below"""
    p = promote_inexact(p)[0]
    zero = eq(p, 0)
    mean = _mean(_one(p), sqrt(where(zero, _one(p), p)))[0]
    return where(zero, _np.full((), _np.inf, p.dtype), (_math.pi / 2) / mean)


def ellipk(m):
    """K(m) = ∫₀^{π/2} (1 - m sin²t)^{-1/2} dt, the complete elliptic integral of the first kind.   m <= 1"""
    return ellipkm1(1 - promote_inexact(m)[0])


def ellipe(m):
    """E(m) = ∫₀^{π/2} (1 - m sin²t)^{1/2} dt, the complete elliptic integral of the second kind.   m <= 1"""
    m = promote_inexact(m)[0]
    end = bitwise_or(eq(m, 1), eq(m, -_np.inf))
    safe = where(end, _np.zeros((), m.dtype), m)
    mean, total = _mean(_one(m), sqrt(1 - safe), safe)
    return where(end, where(eq(m, 1), _one(m), _np.full((), _np.inf, m.dtype)), (_math.pi / 2) / mean * (1 - total))
