"""log Γ, Γ, its ratios and derivatives, and the incomplete gamma functions."""
import math

import numpy as _np

from ...numpy.shapes import expand_dims
from ...ops.elementwise import bitwise_and, eq, floor, lt, where
from ...ops.gammainc import gammainc_p
from ...ops.log_special import gamma
from ...ops.special import digamma, lgamma, polygamma
from ...ops.structural import promote_inexact, reduce_sum

gammaln, psi = lgamma, digamma

__all__ = ["digamma", "factorial", "gamma", "gammainc", "gammaincc", "gammaln", "gammasgn", "multigammaln", "polygamma",
           "psi"]


def gammainc(a, x):
    """P(a, x) = ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt / Γ(a).   a > 0, x >= 0; differentiable in both

    >>> float(gammainc(1.0, 1.0)).__round__(6)
    0.632121
    """
    return gammainc_p.bind(*promote_inexact(a, x), upper=False, order=0)


def gammaincc(a, x):
    """Q(a, x) = 1 - P(a, x), accurate where that is small."""
    return gammainc_p.bind(*promote_inexact(a, x), upper=True, order=0)


def gammasgn(x):
    """The sign of Γ(x)."""
    x = promote_inexact(x)[0]
    half = floor(x) * 0.5
    odd = bitwise_and(lt(x, 0), half != floor(half))
    out = where(odd, _np.full((), -1, x.dtype), _np.ones((), x.dtype))
    return where(bitwise_and(lt(x, 0), eq(x, floor(x))), _np.full((), _np.nan, x.dtype), out)


def factorial(n):
    """n! = Γ(n + 1)."""
    return gamma(promote_inexact(n)[0] + 1)


def multigammaln(a, d):
    """log Γ_d(a) = d (d - 1) / 4 log π + Σ log Γ(a - j / 2), j = 0 … d - 1.   a > (d - 1) / 2"""
    a = promote_inexact(a)[0]
    steps = _np.arange(d, dtype=a.dtype) * 0.5
    each = lgamma(expand_dims(a, -1) - steps)
    return reduce_sum(each, (a.ndim,)) + d * (d - 1) / 4 * math.log(math.pi)
