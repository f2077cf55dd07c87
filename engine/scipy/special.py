"""SciPy's special functions, with its names and argument orders, for arrays and tracers."""
import math

import numpy as _np

from ..avals import canonical_axes
from ..numpy.shapes import expand_dims
from ..ops.betainc import betainc_p
from ..ops.elementwise import (
    abs,
    bitwise_and,
    eq,
    exp,
    expit,
    floor,
    isfinite,
    log,
    log1p,
    lt,
    sign,
    softplus,
    stop_gradient,
    where,
)
from ..ops.gammainc import gammainc_p
from ..ops.log_special import gamma, log_ndtr, xlog1py, xlogy
from ..ops.reduce import reduce_max_p
from ..ops.special import digamma, erf, erfc, erfinv, i0, i0e, i1, i1e, lgamma, ndtr, ndtri, polygamma, zeta
from ..ops.structural import broadcast_to, promote_inexact, reduce_sum, reshape

gammaln, psi = lgamma, digamma

__all__ = ["beta", "betainc", "betaln", "digamma", "entr", "erf", "erfc", "erfcinv", "erfinv", "expit", "factorial",
           "gamma",
           "gammainc", "gammaincc", "gammaln", "gammasgn", "i0", "i0e", "i1", "i1e", "kl_div", "log_expit", "log_ndtr",
           "log_softmax", "logit", "logsumexp", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "rel_entr",
           "softmax",
           "xlog1py", "xlogy", "zeta"]


# ---- gamma and beta ----

def gammainc(a, x):
    """P(a, x) = ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt / Γ(a).   a > 0, x >= 0; differentiable in both

    >>> float(gammainc(1.0, 1.0)).__round__(6)
    0.632121
    """
    return gammainc_p.bind(*promote_inexact(a, x), upper=False, order=0)


def gammaincc(a, x):
    """Q(a, x) = 1 - P(a, x), accurate where that is small."""
    return gammainc_p.bind(*promote_inexact(a, x), upper=True, order=0)


def betainc(a, b, x):
    """I(a, b; x) = ∫₀ˣ tᵃ⁻¹ (1-t)ᵇ⁻¹ dt / B(a, b).   a, b > 0, 0 <= x <= 1; differentiable in all three"""
    return betainc_p.bind(*promote_inexact(a, b, x), orders=(0, 0))


def betaln(a, b):
    """log |B(a, b)| = log |Γ(a) Γ(b) / Γ(a + b)|."""
    a, b = promote_inexact(a, b)
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def beta(a, b):
    """B(a, b) = Γ(a) Γ(b) / Γ(a + b)."""
    a, b = promote_inexact(a, b)
    return gammasgn(a) * gammasgn(b) * gammasgn(a + b) * exp(betaln(a, b))


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


# ---- probability ----

def logit(x):
    """log(x / (1 - x)).   0 <= x <= 1"""
    x = promote_inexact(x)[0]
    return log(x) - log1p(-x)


def log_expit(x):
    """log(1 / (1 + exp(-x))), without overflow."""
    return -softplus(-promote_inexact(x)[0])


def erfcinv(x):
    """The inverse of erfc, accurate for small x.   0 < x < 2"""
    return ndtri(promote_inexact(x)[0] * 0.5) * -math.sqrt(0.5)


def entr(x):
    """-x log x: 0 at 0, -inf below.

    >>> float(entr(0.0))
    0.0
    """
    x = promote_inexact(x)[0]
    below = lt(x, 0)
    return where(below, _np.full((), -_np.inf, x.dtype), -xlogy(where(below, _np.ones((), x.dtype), x), x))


def rel_entr(x, y):
    """x log(x / y): 0 where x = 0 and y >= 0, inf outside of x, y > 0."""
    x, y = promote_inexact(x, y)
    both = bitwise_and(x > 0, y > 0)
    one = _np.ones((), x.dtype)
    sx, sy = where(both, x, one), where(both, y, one)
    edge = where(bitwise_and(eq(x, 0), y >= 0), _np.zeros((), x.dtype), _np.full((), _np.inf, x.dtype))
    return where(both, sx * (log(sx) - log(sy)), edge)


def kl_div(x, y):
    """x log(x / y) - x + y."""
    x, y = promote_inexact(x, y)
    return rel_entr(x, y) - x + y


# ---- sums of exponentials ----

def logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False):
    """log Σ b exp(a) over the axes, without overflow; -inf for an empty sum.

    a, b : float, broadcast together; where b is 0 the term is 0, whatever a is
    With return_sign, the pair (log |Σ|, sign); otherwise a negative sum gives nan.

    >>> float(logsumexp([1000.0, 1000.0])).__round__(4)
    1000.6931
    """
    if b is None:
        a = promote_inexact(a)[0]
    else:
        a, b = promote_inexact(a, b)
        shape = _np.broadcast_shapes(a.shape, b.shape)
        a, b = broadcast_to(a, shape), broadcast_to(b, shape)
        a = where(eq(b, 0), _np.full((), -_np.inf, a.dtype), a)
    axes = canonical_axes(axis, a.ndim)
    kept = tuple([1 if i in axes else n for i, n in enumerate(a.shape)])
    top = reshape(reduce_max_p.bind(a, axes=axes), kept) if axes else a
    top = stop_gradient(where(isfinite(top), top, _np.zeros((), a.dtype)))
    terms = exp(a - top)
    if b is not None:
        terms = terms * b
    total = reshape(reduce_sum(terms, axes), kept)
    signs = sign(total) if b is not None or return_sign else None
    out = log(abs(total) if return_sign else total) + top
    if not keepdims:
        short = tuple([n for i, n in enumerate(a.shape) if i not in axes])
        out, signs = reshape(out, short), None if signs is None else reshape(signs, short)
    return (out, signs) if return_sign else out


def softmax(x, axis=None):
    """exp(x) / Σ exp(x) over the axes (all of them for None)."""
    x = promote_inexact(x)[0]
    return exp(log_softmax(x, axis))


def log_softmax(x, axis=None):
    """x - log Σ exp(x) over the axes (all of them for None)."""
    x = promote_inexact(x)[0]
    return x - logsumexp(x, axis, keepdims=True)
