"""log Γ, Γ, its ratios and derivatives, and the incomplete gamma functions."""
import math

import numpy as _np

from ...numpy.shapes import expand_dims
from ...ops.elementwise import bitwise_and, eq, floor, lt, where
from ...ops.gamma_quantile import gammainccinv, gammaincinv, random_gamma_grad
from ...ops.gammainc import gammainc, gammaincc, log_gammainc, log_gammaincc
from ...ops.gammas import digamma, gamma, lgamma, polygamma, rgamma
from ...ops.structural import promote_inexact, reduce_sum

gammaln, psi = lgamma, digamma

__all__ = ["digamma", "gamma", "gammainc", "gammaincc", "gammainccinv", "gammaincinv", "gammaln",
           "gammasgn", "log_gammainc", "log_gammaincc", "multigammaln", "polygamma", "psi", "random_gamma_grad",
           "rgamma"]


def gammasgn(x):
    """The sign of Γ(x)."""
    x = promote_inexact(x)[0]
    half = floor(x) * 0.5
    odd = bitwise_and(lt(x, 0), half != floor(half))
    out = where(odd, _np.full((), -1, x.dtype), _np.ones((), x.dtype))
    return where(bitwise_and(lt(x, 0), eq(x, floor(x))), _np.full((), _np.nan, x.dtype), out)


def multigammaln(a, d):
    """log Γ_d(a) = d (d - 1) / 4 log π + Σ log Γ(a - j / 2), j = 0 … d - 1.   a > (d - 1) / 2"""
    a = promote_inexact(a)[0]
    steps = _np.arange(d, dtype=a.dtype) * 0.5
    each = lgamma(expand_dims(a, -1) - steps)
    return reduce_sum(each, (a.ndim,)) + d * (d - 1) / 4 * math.log(math.pi)
