"""Sums of exponentials, and the logistic function with its logarithm and inverse."""
import numpy as _np

from ...avals import canonical_axes
from ...ops.complexes import real
from ...ops.elementwise import abs, div, eq, exp, expit, isfinite, log, sign, softplus, stop_gradient
from ...ops.elementwise import where as _where
from ...ops.logarithms import log1mexp, logit
from ...ops.reduce import reduce_max_p
from ...ops.structural import asvalue, broadcast_to, promote_inexact, reduce_sum, reshape

__all__ = ["expit", "log1mexp", "log_expit", "log_softmax", "logit", "logsumexp", "softmax", "softplus"]


def log_expit(x):
    """log(1 / (1 + exp(-x))), without overflow."""
    return -softplus(-promote_inexact(x)[0])


def _largest(a, axes):
    """The largest (real part) over the axes, which stay with size 1; 0 where it is not finite. Without derivative."""
    kept = tuple([1 if i in axes else n for i, n in enumerate(a.shape)])
    a = real(a) if a.dtype.kind == "c" else a
    top = reshape(reduce_max_p.bind(a, axes=axes), kept) if axes else a
    return stop_gradient(_where(isfinite(top), top, _np.zeros((), a.dtype))), kept


def logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False, where=None):
    """log Σ b exp(a) over the axes, without overflow; -inf for an empty sum.

    a, b : float or complex, broadcast together; where b is 0 the term is 0, whatever a is
    where : bool, broadcast with a; False leaves a term out
    With return_sign, the pair (log |Σ|, Σ/|Σ|); otherwise a negative real sum gives nan.

    >>> float(logsumexp([1000.0, 1000.0])).__round__(4)
    1000.6931
    """
    a, *others = promote_inexact(a) if b is None else promote_inexact(a, b)
    chosen = None if where is None else asvalue(where)
    shape = _np.broadcast_shapes(a.shape, *[v.shape for v in others], *([] if chosen is None else [chosen.shape]))
    a = broadcast_to(a, shape)
    nothing = _np.full((), -_np.inf, a.dtype)
    if b is not None:
        b = broadcast_to(others[0], shape)
        a = _where(eq(b, 0), nothing, a)
    if chosen is not None:
        a = _where(chosen, a, nothing)
    axes = canonical_axes(axis, a.ndim)
    top, kept = _largest(a, axes)
    terms = exp(a - top)
    total = reshape(reduce_sum(terms if b is None else terms * b, axes), kept)
    signs = None
    if return_sign and a.dtype.kind == "c":
        size = abs(total)
        signs = div(total, _where(eq(size, 0), _np.ones((), size.dtype), size))
    elif return_sign:
        signs = sign(total)
    out = log(abs(total) if return_sign else total) + top
    if not keepdims:
        short = tuple([n for i, n in enumerate(a.shape) if i not in axes])
        out, signs = reshape(out, short), None if signs is None else reshape(signs, short)
    return (out, signs) if return_sign else out


def softmax(x, axis=None):
    """exp(x) / Σ exp(x) over the axes (all of them for None)."""
    x = promote_inexact(x)[0]
    axes = canonical_axes(axis, x.ndim)
    top, kept = _largest(x, axes)
    terms = exp(x - top)
    return terms / reshape(reduce_sum(terms, axes), kept)


def log_softmax(x, axis=None):
    """x - log Σ exp(x) over the axes (all of them for None)."""
    x = promote_inexact(x)[0]
    top, kept = _largest(x, axes := canonical_axes(axis, x.ndim))
    shifted = x - top
    return shifted - log(reshape(reduce_sum(exp(shifted), axes), kept))
