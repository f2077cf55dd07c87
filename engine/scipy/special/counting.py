"""Factorials and binomial coefficients of real numbers."""
import numpy as _np

from ...ops.betas import beta, betaln
from ...ops.elementwise import bitwise_and, bitwise_or, eq, exp, floor, lt, rint, stop_gradient, where
from ...ops.gammas import gamma, lgamma, rgamma
from ...ops.structural import promote_inexact
from .gammas import gammasgn

__all__ = ["binom", "comb", "factorial", "poch"]


def _rounded(y, whole):
    """y, rounded where it is a whole number that a float holds; the derivative stays."""
    near = bitwise_and(whole, y < 2.0 / _np.finfo(y.dtype).eps / 64)
    return y + where(near, stop_gradient(rint(y) - y), _np.zeros((), y.dtype))


def factorial(n):
    """n! = Γ(n + 1).

    >>> factorial(5).item()
    120.0
    """
    n = promote_inexact(n)[0]
    return _rounded(gamma(n + 1), bitwise_and(eq(n, floor(n)), n >= 0))


def binom(n, k):
    """The binomial coefficient Γ(n+1) / Γ(k+1) Γ(n-k+1) of real numbers.   DLMF 1.2.6

    >>> binom(5, 2).item()
    10.0
    """
    n, k = promote_inexact(n, k)
    whole = bitwise_and(bitwise_and(eq(n, floor(n)), eq(k, floor(k))), n >= 0)
    outside = bitwise_and(whole, bitwise_or(lt(k, 0), k > n))
    zero = _np.zeros((), n.dtype)
    n, k = where(outside, zero, n), where(outside, zero, k)
    return where(outside, zero, _rounded(1 / ((n + 1) * beta(n - k + 1, k + 1)), whole))


def comb(N, k):
    """The number of ways to choose k of N things; 0 outside of 0 <= k <= N."""
    n, k = promote_inexact(N, k)
    inside = bitwise_and(bitwise_and(k >= 0, k <= n), n >= 0)
    zero = _np.zeros((), n.dtype)
    return where(inside, binom(where(inside, n, zero), where(inside, k, zero)), zero)


def poch(z, m):
    """Pochhammer's symbol (z)_m = Γ(z + m) / Γ(z).   DLMF 5.2.5; through logarithms where a Γ is beyond 1e250

    >>> poch(3, 2).item()
    12.0
    """
    z, m = promote_inexact(z, m)
    one = _np.ones((), z.dtype)
    half = m * 0.5
    mirror = bitwise_and(lt(z, 0), bitwise_and(eq(m, floor(m)), m >= 0))          # (-1)ᵐ (1 - z - m)_m
    sign = where(bitwise_and(mirror, half != floor(half)), -one, one)
    z = where(mirror, 1 - z - m, z)
    top, limit = z + m, 145.0 if z.dtype.itemsize == 8 else 30.0
    small = bitwise_and(top < limit, z < limit)
    near = gamma(where(small, top, one)) * rgamma(where(small, z, one))
    positive = bitwise_and(z > 0, m > 0)
    far = where(positive, lgamma(where(positive, m, one)) - betaln(where(positive, z, one), where(positive, m, one)),
                lgamma(top) - lgamma(z))
    safe = where(small, _np.zeros((), z.dtype), far)
    out = sign * where(small, near, gammasgn(top) * gammasgn(z) * exp(safe))
    return where(eq(m, 0), one, out)
