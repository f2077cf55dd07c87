"""np.pad, in all its modes."""
import numpy as _np

from ..api import vmap
from ..avals import broadcast_shapes, canonical_axis, is_inexact, kind, to_inexact_dtype
from ..errors import DtypeError, ShapeError
from ..ops import shaping
from ..ops import structural as st
from ..ops.elementwise import floor, rint
from ..ops.shaping import concatenate, slice_axis
from ..ops.structural import asvalue, cast
from . import reductions
from .quantiles import median
from .repeating import pick
from .shapes import moveaxis
from .statistics import mean

_KEYWORDS = {"constant": ("constant_values",), "linear_ramp": ("end_values",), "maximum": ("stat_length",),
             "mean": ("stat_length",), "median": ("stat_length",), "minimum": ("stat_length",), "edge": (),
             "wrap": (), "empty": (), "reflect": ("reflect_type",), "symmetric": ("reflect_type",)}
_STATISTICS = {"maximum": reductions.max, "mean": mean, "median": median, "minimum": reductions.min}
_INDEXED = ("edge", "reflect", "symmetric", "wrap")


def pad(array, pad_width, mode="constant", **kwargs):
    """`array` with elements put around it.

    pad_width : n for both ends of every axis, (before, after), one such pair for each axis, or {axis: n or pair}
    mode : constant (constant_values=0), edge, linear_ramp (end_values=0), maximum, mean, median, minimum (stat_length=
        how many elements from the edge; None, all), reflect, symmetric (reflect_type="even" or "odd"), wrap, empty
        (zeros), or a function (vector, (before, after), axis, kwargs) -> vector that is applied along each axis to
        vectors with zeros at their ends
    The values of a keyword are given like pad_width: one, a pair, or a pair for each axis.

    >>> pad([1, 2, 3], 2, "reflect", reflect_type="odd")
    Array([-1,  0,  1,  2,  3,  4,  5])
    """
    x = asvalue(array)
    widths = _widths(pad_width, x.ndim)
    if callable(mode):
        return _by_function(x, widths, mode, kwargs)
    if mode not in _KEYWORDS:
        raise ShapeError(f"pad: mode={mode!r} is none of {', '.join(sorted(_KEYWORDS))}, and no function.")
    strange = set(kwargs) - set(_KEYWORDS[mode])
    if strange:
        raise ShapeError(f"pad: mode {mode!r} does not take {sorted(strange)}; it takes {_KEYWORDS[mode] or 'none'}.")
    if mode in ("constant", "empty"):
        return _constant(x, widths, kwargs.get("constant_values", 0))
    empty = [i for i, (n, w) in enumerate(zip(x.shape, widths)) if n == 0 and any(w)]
    if empty:
        raise ShapeError(f"pad: axis {empty[0]} is empty, so mode {mode!r} has nothing to continue; use 'constant'.")
    if mode in _INDEXED:
        odd = kwargs.get("reflect_type", "even")
        if odd not in ("even", "odd"):
            raise ShapeError(f"pad: reflect_type={odd!r} is neither 'even' nor 'odd'.")
        if odd == "odd" and x.dtype.kind == "b":
            raise DtypeError("pad: an odd reflection subtracts, which booleans do not.\nConvert them: x.astype(int).")
        for axis, ends in enumerate(widths):
            x = _continued(x, axis, *ends, mode, odd == "odd") if any(ends) else x
        return x
    if mode == "linear_ramp":
        values = _pairs(asvalue(kwargs.get("end_values", 0)), x.ndim, "end_values")
        for axis, (low, high) in enumerate(widths):
            if low or high:
                ends = [_ramp(x, axis, n, values[axis, k], k == 1) for k, n in enumerate((low, high))]
                x = concatenate([ends[0], x, ends[1]], axis)
        return x
    lengths = kwargs.get("stat_length")
    lengths = _np.broadcast_to(_np.asarray(lengths, object), (x.ndim, 2)) if lengths is None else _counts(
        lengths, x.ndim, "stat_length")
    for axis, ends in enumerate(widths):
        if any(ends):
            x = _statistic(x, axis, ends, lengths[axis], mode)
    return x


def _counts(v, ndim, what):
    v = _np.asarray(v)
    if v.dtype.kind not in "iu":
        raise DtypeError(f"pad: {what} is made of integers; got dtype {v.dtype}.")
    if v.size and v.min() < 0:
        raise ShapeError(f"pad: {what}={v.tolist()} holds a negative number.")
    try:
        return _np.broadcast_to(v, (ndim, 2)).tolist()
    except ValueError:
        raise ShapeError(f"pad: {what} of shape {v.shape} does not broadcast to {(ndim, 2)}: give one number, a pair, "
                         "or a pair for each axis.") from None


def _widths(width, ndim):
    if not isinstance(width, dict):
        return _counts(width, ndim, "pad_width")
    out = [[0, 0] for _ in range(ndim)]
    for axis, w in width.items():
        out[canonical_axis(axis, ndim)] = _counts(w, 1, "pad_width")[0]
    return out


def _pairs(v, ndim, what):
    """Values as an array [ndim, 2]."""
    if v.ndim > 2 or broadcast_shapes(v.shape, (ndim, 2)) != (ndim, 2):
        raise ShapeError(f"pad: {what} of shape {v.shape} does not broadcast to {(ndim, 2)}.")
    return st.broadcast_to(v, (ndim, 2))


def _constant(x, widths, value):
    value = asvalue(value)
    if value.dtype.kind == "c" and x.dtype.kind != "c":
        raise DtypeError(f"pad: a complex constant does not fit an array of dtype {x.dtype}.")
    value = cast(value, x.dtype)
    if value.ndim == 0:
        return shaping.pad(x, widths, value)
    pairs = _pairs(value, x.ndim, "constant_values")
    for axis, ends in enumerate(widths):
        for k in range(2):
            if ends[k]:
                w = [(0, 0)] * x.ndim
                w[axis] = (ends[0], 0) if k == 0 else (0, ends[1])
                x = shaping.pad(x, w, pairs[axis, k])
    return x


def _continued(x, axis, low, high, mode, odd):
    """x along one axis by its own elements. Odd reflections have period 2 T: f(p + 2 T) = f(p) + 2 (f(end) - f(0))."""
    n = x.shape[axis]
    if not odd or n == 1 or mode not in ("reflect", "symmetric"):
        mode = "edge" if n == 1 else mode
        return pick(x, _np.pad(_np.arange(n), (low, high), mode=mode), axis)
    period = n - 1 if mode == "reflect" else n
    turns, r = _np.divmod(_np.arange(-low, n + high), 2 * period)
    back = r >= n                                        # on the way back: 2 f(end) - f(mirrored)
    mirrored = 2 * period - r - (mode == "symmetric")
    y = pick(x, _np.where(back, mirrored, r), axis)
    first, last = slice_axis(x, 0, 1, axis), slice_axis(x, n - 1, n, axis)
    shape = [-1 if i == axis else 1 for i in range(x.ndim)]

    def along(v):
        return _np.asarray(v).astype(x.dtype).reshape(shape)
    return along(_np.where(back, -1, 1)) * y + along(2 * back) * last + along(2 * turns) * (last - first)


def _ramp(x, axis, count, end, after):
    """`count` elements from the edge to `end`."""
    n = x.shape[axis]
    edge = slice_axis(x, n - 1, n, axis) if after else slice_axis(x, 0, 1, axis)
    d = to_inexact_dtype(x.dtype)
    place = _np.arange(count).reshape([-1 if i == axis else 1 for i in range(x.ndim)]).astype(d)
    start = cast(end, d)
    out = start + place * ((cast(edge, d) - start) / max(count, 1))
    out = shaping.reverse(out, (axis,)) if after else out
    return cast(floor(out) if kind(x.dtype) in "iu" else out, x.dtype)


def _statistic(x, axis, ends, lengths, mode):
    n, parts = x.shape[axis], []
    for k in range(2):
        m = n if lengths[k] is None else min(lengths[k], n)
        if m == 0 and mode in ("maximum", "minimum"):
            raise ShapeError("pad: a stat_length of 0 has no maximum or minimum.")
        near = slice_axis(x, 0, m, axis) if k == 0 else slice_axis(x, n - m, n, axis)
        f = _STATISTICS[mode]
        v = f(near, axis=axis, keepdims=True)
        v = cast(rint(v) if kind(x.dtype) in "iu" and is_inexact(v.dtype) else v, x.dtype)
        parts.append(st.broadcast_to(v, tuple([ends[k] if i == axis else s for i, s in enumerate(x.shape)])))
    return concatenate([parts[0], x, parts[1]], axis)


def _by_function(x, widths, function, kwargs):
    x = shaping.pad(x, widths)
    for axis in range(x.ndim):
        moved = moveaxis(x, axis, -1)
        rows = st.reshape(moved, (-1, moved.shape[-1]))

        def one(row, axis=axis):
            out = function(row, tuple(widths[axis]), axis, kwargs)
            if out is None:
                raise DtypeError("pad: the function must return the padded vector; arrays are immutable, so it cannot "
                                 "change the one that it gets.")
            return asvalue(out)
        rows = vmap(one)(rows)
        if rows.shape[1:] != moved.shape[-1:]:
            raise ShapeError(f"pad: the function gave shape {rows.shape[1:]} for a vector of {moved.shape[-1:]}.")
        x = moveaxis(st.reshape(cast(rows, x.dtype), moved.shape), -1, axis)
    return x
