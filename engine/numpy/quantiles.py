"""Quantiles, percentiles and medians, with nan as an answer or as no observation.

Source: R. J. Hyndman and Y. Fan, Sample quantiles in statistical packages, The American Statistician 50 (1996), whose
nine definitions have the names that NumPy gives them; and NumPy's four older ones.
"""

import numpy as _np

from ..avals import canonical_axes, is_inexact, to_inexact_dtype
from ..errors import DtypeError, ShapeError
from ..ops import reduce as rd
from ..ops import sort as so
from ..ops.elementwise import bitwise_and, bitwise_or, ceil, eq, floor, ge, isnan, lt, maximum, minimum, rint
from ..ops.elementwise import where as _where
from ..ops.index import take_along
from ..ops.structural import asvalue, broadcast_to, cast, promote_inexact, reduce_sum, reshape
from . import shapes as sh
from .direct import by_numpy, no_out
from .reductions import any, any_empty, flat_last
from .statistics import weights_like

_INT = _np.dtype("int64")
PLOTTING = {"interpolated_inverted_cdf": (0.0, 1.0), "hazen": (0.5, 0.5), "weibull": (0.0, 0.0),
            "median_unbiased": (1 / 3, 1 / 3), "normal_unbiased": (3 / 8, 3 / 8)}


def _inverted(n, q):
    """floor(n q) - 1 where n q is an integer, floor(n q) elsewhere. n q - 1 itself might be rounded in one step."""
    s = n * q
    low = floor(s)
    return _where(eq(s, low), low - 1, low), None


def _closest(n, q):
    """The even one of two order statistics (counted from 1) that are equally near to n q - 1/2."""
    twice = 2 * (n * q)
    f = floor(twice)
    low = floor((f + 1) / 2) - 2                         # floor(n q - 3/2)
    tie = bitwise_and(eq(twice, f), eq(f - 2 * floor(f / 2), 1))
    return _where(bitwise_and(tie, eq(low - 2 * floor(low / 2), 1)), low, low + 1), None


DISCRETE = {                                             # (n, q) -> the place of the order statistic
    "inverted_cdf": _inverted, "closest_observation": _closest,
    "lower": lambda n, q: (floor((n - 1) * q), None),
    "higher": lambda n, q: (ceil((n - 1) * q), None),
    "nearest": lambda n, q: (rint((n - 1) * q), None),
}


def _averaged(n, q):
    s = n * q
    low = floor(s)
    return low - 1, _where(eq(s, low), 0.5, 1.0)


def _midpoint(n, q):
    low = floor((n - 1) * q)
    return low, _where(eq((n - 1) * q, low), 0.0, 0.5)


def _between(place):
    def f(n, q):
        at = place(n, q)
        low = floor(at)
        return low, at - low
    return f


def _plotting(a, b):
    return _between(lambda n, q: n * q + (a + q * (1 - a - b)) - 1)


CONTINUOUS = {                                           # (n, q) -> (the place below, how far to the next one)
    "linear": _between(lambda n, q: (n - 1) * q), "averaged_inverted_cdf": _averaged, "midpoint": _midpoint,
    **{name: _plotting(*ab) for name, ab in PLOTTING.items()},
}


def _interpolated(a, b, t):
    """a + (b - a) t, from the nearer end; an infinite neighbour of weight 0 does not count."""
    gap = b - a
    y = _where(ge(t, 0.5), b - gap * (1 - t), a + gap * t)
    return _where(bitwise_or(eq(t, 0), eq(a, b)), a, _where(eq(t, 1), b, y))


def _at(ordered, place, last):
    """The order statistics at places, limited to 0 … last."""
    place = maximum(minimum(cast(place, _INT), last), _np.zeros((), _INT))
    return take_along(ordered, broadcast_to(place, (*ordered.shape[:-1], place.shape[-1])), ordered.ndim - 1)


def _quantile(a, q, axis, method, keepdims, weights, skip_nan):
    """Quantiles over axes. q : in [0, 1], its axes stand first in the result."""
    a = asvalue(a)
    if a.dtype.kind == "c":
        raise DtypeError("complex numbers have no order, so no quantiles; take their parts.")
    if method not in DISCRETE and method not in CONTINUOUS:
        raise DtypeError(f"method={method!r} of a quantile: there are {sorted([*DISCRETE, *CONTINUOUS])}.")
    axes = canonical_axes(axis, a.ndim)
    if any_empty(a, axes):
        raise ShapeError(f"a quantile over an empty axis of an array of shape {a.shape} has no value.")
    d = to_inexact_dtype(a.dtype) if isinstance(q, (int, float)) else promote_inexact(a, q)[0].dtype
    out_dtype = a.dtype if method in DISCRETE or weights is not None else d
    q = cast(asvalue(q), to_inexact_dtype(d))
    if not is_inexact(a.dtype):
        skip_nan = False
    shape, x = q.shape, flat_last(a, axes)
    q = reshape(q, (-1,))
    if weights is not None:
        y = _weighted(x, q, flat_last(broadcast_to(weights_like(a, axis, axes, weights), a.shape), axes), method,
                      skip_nan)
    else:
        x = cast(x, d) if method in CONTINUOUS else x
        ordered = so.sort(x, x.ndim - 1)
        n, last = x.shape[-1], x.shape[-1] - 1
        if skip_nan:
            n = reduce_sum(cast(eq(x, x), _INT), (x.ndim - 1,))[..., None]
            n, last = cast(n, q.dtype), n - 1
        low, part = (DISCRETE.get(method) or CONTINUOUS[method])(n, q)
        y = _at(ordered, low, last)
        if part is not None:
            # below 0 both neighbours are the first, so that the part does not matter
            y = _interpolated(y, _at(ordered, low + 1, last), cast(part, d))
    if is_inexact(x.dtype):
        unknown = isnan(x)
        unknown = rd.reduce_and_p.bind(unknown, axes=(x.ndim - 1,)) if skip_nan else any(unknown, -1)
        y = _where(unknown[..., None], _np.asarray(_np.nan, y.dtype), y)
    y = cast(sh.moveaxis(y, -1, 0), out_dtype)
    rest = [1 if i in axes else m for i, m in enumerate(a.shape)] if keepdims else y.shape[1:]
    return reshape(y, (*shape, *rest))


def _weighted(x, q, w, method, skip_nan):
    """The first of the sorted elements up to which the share of the weights is at least q."""
    if method != "inverted_cdf":
        raise DtypeError(f"weights go with method='inverted_cdf'; got {method!r}.")
    w = cast(w, _np.dtype("float64"))
    if skip_nan:
        w = _where(isnan(x), _np.zeros((), w.dtype), w)
    axis = x.ndim - 1
    order = so.argsort(x, axis)
    ordered, share = take_along(x, order, axis), rd.cumsum(take_along(w, order, axis), axis)
    share = cast(share / share[..., -1:], q.dtype)
    share = _where(eq(share, 0), _np.asarray(-1, share.dtype), share)
    below = lt(share[..., None, :], q[:, None])
    place = reduce_sum(cast(below, _INT), (below.ndim - 1,))
    return _at(ordered, place, x.shape[-1] - 1)


def _known(theirs, a, q, axis, method, keepdims, weights):
    """NumPy's answer for an array without nan that nothing traces."""
    if type(q) in (int, float) and weights is None:
        a = asvalue(a)
        if a.dtype.kind == "f" and a.size:
            return by_numpy(theirs, a, q, axis=canonical_axes(axis, a.ndim), method=method, keepdims=keepdims)
    return None


def quantile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    """Quantiles over axes; q in [0, 1] stands first in the result. nan where there is one.

    method : one of NumPy's thirteen; weights : of the shape of a or of its reduced axes, for 'inverted_cdf'
    """
    no_out(out)
    found = _known(_np.quantile, a, q, axis, method, keepdims, weights)
    return _quantile(a, q, axis, method, keepdims, weights, False) if found is None else found


def percentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    """Quantiles with q in percent."""
    no_out(out)
    return quantile(a, _share(q), axis, method=method, keepdims=keepdims, weights=weights)


def _share(q):
    return q / 100 if isinstance(q, (int, float)) else asvalue(q) / 100


def median(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    """The middle element, or the mean of the two middle ones."""
    no_out(out)
    a = asvalue(a)
    if a.dtype.kind == "f" and a.size:
        found = by_numpy(_np.median, a, axis=canonical_axes(axis, a.ndim), keepdims=keepdims)
        if found is not None:
            return found
    return _middle(a, axis, keepdims, False)


def _middle(a, axis, keepdims, skip_nan):
    """Both middle elements count by half, so that two infinities of one sign are their own mean."""
    a = asvalue(a)
    if any_empty(a, canonical_axes(axis, a.ndim)):
        return _np.nan * asvalue(a).sum(axis, keepdims=keepdims)
    return _quantile(a, 0.5, axis, "linear", keepdims, None, skip_nan)


def nanquantile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    """Quantiles of the elements that are not nan."""
    no_out(out)
    return _quantile(a, q, axis, method, keepdims, weights, True)


def nanpercentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *,
                  weights=None):
    """Percentiles of the elements that are not nan."""
    no_out(out)
    return _quantile(a, _share(q), axis, method, keepdims, weights, True)


def nanmedian(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    """The median of the elements that are not nan."""
    no_out(out)
    return _middle(a, axis, keepdims, True)
