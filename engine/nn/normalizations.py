"""Functions of whole axes: softmax and its relatives, standardize, one_hot."""
import math
import operator

import numpy as _np

from ..avals import canonical_axes, canonical_axis, default_float, is_inexact, to_inexact_dtype
from ..errors import ShapeError
from ..numpy.reductions import sum as _sum
from ..numpy.statistics import mean as _mean
from ..ops.elementwise import eq, exp, isfinite, log, maximum, rsqrt, stop_gradient, where
from ..ops.reduce import reduce_max_p
from ..ops.structural import asvalue, broadcast_to, cast, iota, reduce_sum, reshape
from ..scipy.special import logsumexp


def _float(x):
    x = asvalue(x)
    return cast(x, to_inexact_dtype(x.dtype))


def _shifted(x, axis, mask, initial):
    """(x less its maximum over the axes, -inf at masked places; the exponential of that; the sum of those)."""
    x = _float(x)
    axes = canonical_axes(axis, x.ndim)
    kept = tuple([1 if i in axes else n for i, n in enumerate(x.shape)])
    infinite = _np.asarray(-_np.inf, x.dtype)
    if mask is not None:
        mask = broadcast_to(asvalue(mask, bool), x.shape)
    seen = x if mask is None else where(mask, x, infinite)
    top = reshape(reduce_max_p.bind(stop_gradient(seen), axes=axes), kept) if axes else stop_gradient(seen)
    if initial is not None:
        top = maximum(top, cast(asvalue(initial), x.dtype))
    top = where(isfinite(top), top, _np.zeros((), x.dtype))
    low = x - top if mask is None else where(mask, x - top, infinite)
    e = exp(low)
    return low, e, reshape(reduce_sum(e, axes), kept)


def softmax(x, axis=-1, where=None, initial=None):  # noqa: F811
    """exp(x) / Σ exp(x) over the axes.   x : real[...]

    where : bool[...], broadcasts to x; elements left out get 0      initial : counts as a candidate for the maximum

    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """
    _, e, total = _shifted(x, axis, where, initial)
    return e / total


def log_softmax(x, axis=-1, where=None, initial=None):  # noqa: F811
    """x - log Σ exp(x) over the axes; -inf at elements left out by `where`."""
    low, _, total = _shifted(x, axis, where, initial)
    return low - log(total)


def logmeanexp(x, axis=None, where=None, keepdims=False):  # noqa: F811
    """log of the mean of exp(x) over the axes, of the elements that `where` leaves in.

    >>> float(logmeanexp([2.0, 2.0, 2.0]))
    2.0
    """
    x = _float(x)
    axes = canonical_axes(axis, x.ndim)
    if where is None:
        return logsumexp(x, axes, keepdims=keepdims) - math.log(math.prod([x.shape[a] for a in axes]))
    kept = broadcast_to(asvalue(where, bool), x.shape)
    return logsumexp(x, axes, keepdims=keepdims, where=kept) - log(
        _sum(cast(kept, x.dtype), axes, keepdims=keepdims))


def standardize(x, axis=-1, mean=None, variance=None, epsilon=1e-5, where=None):  # noqa: F811
    """(x - mean) / √(variance + ε), with mean and variance over the axes unless they are given."""
    x = _float(x)
    axes = canonical_axes(axis, x.ndim)
    if mean is None:
        mean = _mean(x, axes, keepdims=True, where=where)
    centered = x - mean
    if variance is None:
        variance = _mean(centered * centered, axes, keepdims=True, where=where)
    return centered * rsqrt(asvalue(variance) + epsilon)


def one_hot(x, num_classes, *, dtype=None, axis=-1):
    """1 at the place x[...] of a new axis, 0 elsewhere; only zeros where x is not one of 0 … num_classes - 1.

    x : int[...] -> float[..., num_classes]      axis : where the new axis stands in the result

    >>> one_hot([0, 2, 3], 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    x, n = asvalue(x), operator.index(num_classes)
    if n < 0:
        raise ShapeError(f"one_hot: num_classes={n}; it is not negative.")
    axis = canonical_axis(axis, x.ndim + 1)
    places = reshape(iota(n), [n if i == axis else 1 for i in range(x.ndim + 1)])
    x = reshape(x if is_inexact(x.dtype) else cast(x, _np.dtype("int64")), (*x.shape[:axis], 1, *x.shape[axis:]))
    return cast(eq(x, places), _np.dtype(dtype or default_float()))


__all__ = ["log_softmax", "logmeanexp", "logsumexp", "one_hot", "softmax", "standardize"]
