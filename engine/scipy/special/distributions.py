"""Distribution functions of the gamma, beta and von Mises families by SciPy's names, and their complements.

Each is an incomplete gamma or beta function, accurate where it is small. k is rounded down.
"""
import numpy as _np

from ...ops.betainc import betainc, betaincc
from ...ops.betas import betaln
from ...ops.elementwise import bitwise_and, eq, exp, floor, lt, sqrt, where
from ...ops.gammainc import gammainc, gammaincc
from ...ops.structural import promote_inexact
from ...ops.von_mises import random_von_mises_grad, von_mises_cdf

__all__ = ["bdtr", "bdtrc", "chdtr", "chdtrc", "fdtr", "fdtrc", "gdtr", "gdtrc", "nbdtr", "nbdtrc", "pdtr", "pdtrc",
           "random_von_mises_grad", "stdtr", "von_mises_cdf"]


def _counted(k, n, p, f, low, high):
    """f(k+1, n-k, p) for 0 <= k < n."""
    k, n, p = promote_inexact(k, n, p)
    k = floor(k)
    inside = bitwise_and(k >= 0, k < n)
    safe_k, safe_n = where(inside, k, _np.zeros((), k.dtype)), where(inside, n, _np.ones((), k.dtype))
    ends = where(lt(k, 0), _np.full((), low, k.dtype), where(k >= n, _np.full((), high, k.dtype), k + n + p))
    return where(inside, f(safe_k + 1, safe_n - safe_k, p), ends)


def bdtr(k, n, p):
    """P(X <= k) for a binomial(n, p) number.   0 <= p <= 1"""
    return _counted(k, n, p, betaincc, 0.0, 1.0)


def bdtrc(k, n, p):
    """P(X > k) for a binomial(n, p) number.   0 <= p <= 1"""
    return _counted(k, n, p, betainc, 1.0, 0.0)


def nbdtr(k, n, p):
    """P(X <= k) for the number X of failures before the n-th success.   k >= 0, n > 0, 0 <= p <= 1"""
    k, n, p = promote_inexact(k, n, p)
    return betainc(n, floor(k) + 1, p)


def nbdtrc(k, n, p):
    """P(X > k) for the number X of failures before the n-th success."""
    k, n, p = promote_inexact(k, n, p)
    return betaincc(n, floor(k) + 1, p)


def pdtr(k, m):
    """P(X <= k) for a Poisson(m) number.   k >= 0, m >= 0"""
    k, m = promote_inexact(k, m)
    return gammaincc(floor(k) + 1, m)


def pdtrc(k, m):
    """P(X > k) for a Poisson(m) number."""
    k, m = promote_inexact(k, m)
    return gammainc(floor(k) + 1, m)


def chdtr(v, x):
    """P(X <= x) for a χ² number with v degrees of freedom.   v > 0, x >= 0"""
    v, x = promote_inexact(v, x)
    return gammainc(v * 0.5, x * 0.5)


def chdtrc(v, x):
    """P(X > x) for a χ² number with v degrees of freedom."""
    v, x = promote_inexact(v, x)
    return gammaincc(v * 0.5, x * 0.5)


def gdtr(a, b, x):
    """P(X <= x) for a gamma number of rate a and shape b."""
    a, b, x = promote_inexact(a, b, x)
    return gammainc(b, a * x)


def gdtrc(a, b, x):
    """P(X > x) for a gamma number of rate a and shape b."""
    a, b, x = promote_inexact(a, b, x)
    return gammaincc(b, a * x)


def fdtr(dfn, dfd, x):
    """P(X <= x) for an F number.   dfn, dfd > 0, x >= 0"""
    m, n, x = promote_inexact(dfn, dfd, x)
    return _ratio(m * 0.5, n * 0.5, m * x, n, betainc, betaincc)


def fdtrc(dfn, dfd, x):
    """P(X > x) for an F number."""
    m, n, x = promote_inexact(dfn, dfd, x)
    return _ratio(m * 0.5, n * 0.5, m * x, n, betaincc, betainc)


def _ratio(a, b, u, v, f, g):
    """f(a, b, u/(u+v)), or the same as g(b, a, v/(u+v)) where that argument is the smaller one."""
    low = u < v
    one = _np.ones((), u.dtype)
    near = f(a, b, where(low, u, one) / (where(low, u, one) + v))
    return where(low, near, g(b, a, v / (where(low, one, u) + v)))


def stdtr(df, t):
    """P(X <= t) for Student's t with df degrees of freedom.   df > 0

    >>> float(stdtr(1.0, 1.0)).__round__(6)
    0.75
    """
    df, t = promote_inexact(df, t)
    half, middle = df * 0.5, eq(t, 0)
    safe = where(middle, _np.ones((), t.dtype), t)
    tail = _ratio(_np.full((), 0.5, t.dtype), half, safe * safe, df, betaincc, betainc) * 0.5
    at_zero = exp(-betaln(_np.full((), 0.5, t.dtype), half)) / sqrt(df) * t + 0.5
    return where(middle, at_zero, where(lt(t, 0), tail, 1 - tail))
