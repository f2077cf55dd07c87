"""Sums of exponentials, and the logistic function with its logarithm and inverse."""
import numpy as _np

from ...avals import canonical_axes
from ...ops.elementwise import abs, eq, exp, expit, isfinite, log, log1p, sign, softplus, stop_gradient, where
from ...ops.reduce import reduce_max_p
from ...ops.structural import broadcast_to, promote_inexact, reduce_sum, reshape

__all__ = ["expit", "log_expit", "log_softmax", "logit", "logsumexp", "softmax"]


def logit(x):
    """log(x / (1 - x)).   0 <= x <= 1"""
    x = promote_inexact(x)[0]
    return log(x) - log1p(-x)


def log_expit(x):
    """log(1 / (1 + exp(-x))), without overflow."""
    return -softplus(-promote_inexact(x)[0])


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
