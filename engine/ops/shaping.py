"""Cutting and joining: slice, pad, concatenate, reverse."""
import numpy as np

from ..avals import Aval, promote_types
from ..core import Primitive
from ..errors import ShapeError
from . import structural
from .elementwise import where
from .structural import asvalue, broadcast_to, cast, full, linear, moveaxis, reshape

_INT = np.dtype("int64")


# ---- concatenate ----

def _concatenate_shape(*avals, axis):
    first = avals[0]
    for a in avals[1:]:
        if a.ndim != first.ndim or any(i != axis and m != n for i, (m, n) in enumerate(zip(a.shape, first.shape))):
            raise ShapeError(f"arrays joined along axis {axis} must agree in all other axes; got shapes "
                             f"{[x.shape for x in avals]}.")
    shape = list(first.shape)
    shape[axis] = sum(a.shape[axis] for a in avals)
    return Aval(tuple(shape), first.dtype)


concatenate_p = Primitive(
    "concatenate",
    shape=_concatenate_shape,
    impl=lambda *xs, axis: np.concatenate(xs, axis),
    lower=lambda b, *xs, axis: b.op("stablehlo.concatenate", xs, b.out[0], f"dimension = {axis} : i64"),
)


@concatenate_p.define("jvp")
def _(xs, ts, *, axis):
    y = concatenate_p.bind(*xs, axis=axis)
    d = next(t.dtype for t in ts if t is not None)
    parts = [full(x.shape, 0, d) if t is None else t for x, t in zip(xs, ts)]
    return y, concatenate_p.bind(*parts, axis=axis)


@concatenate_p.define("transpose")
def _(c, *xs, axis):
    out, at = [], 0
    for x in xs:
        n = x.shape[axis]
        out.append(slice_axis(c, at, at + n, axis) if isinstance(x, Aval) else None)
        at += n
    return out


@concatenate_p.define("batch")
def _(b, mine, *xs, axis):
    xs = [x if m else broadcast_to(x, (b.size, *x.shape)) for x, m in zip(xs, mine)]
    return b.bind(*xs, axis=axis + 1)


def concatenate(xs, axis=0):
    """Join arrays along an existing axis."""
    xs = [asvalue(x) for x in xs]
    d = promote_types(*[x.dtype for x in xs])
    return concatenate_p.bind(*[cast(x, d) for x in xs], axis=axis % xs[0].ndim)


# ---- static slices ----

def _slice_key(starts, limits, strides):
    return tuple(slice(a, z, s) for a, z, s in zip(starts, limits, strides))


def _slice_shape(a, *, starts, limits, strides):
    return Aval(tuple([max(0, -(-(z - s) // k)) for s, z, k in zip(starts, limits, strides)]), a.dtype)


slice_p = linear(Primitive(
    "slice",
    shape=_slice_shape,
    impl=lambda x, *, starts, limits, strides: x[_slice_key(starts, limits, strides)],
    lower=lambda b, x, *, starts, limits, strides: b.slice(x, starts, limits, strides),
    batch=lambda b, mine, x, *, starts, limits, strides: b.bind(
        x, starts=(0, *starts), limits=(b.size, *limits), strides=(1, *strides)),
))


@slice_p.define("transpose")
def _(c, x, *, starts, limits, strides):
    high = [n - s - (k * (m - 1) + 1 if m else 0) for n, s, k, m in zip(x.shape, starts, strides, c.shape)]
    low = [s if m else n for s, m, n in zip(starts, c.shape, x.shape)]
    high = [h if m else 0 for h, m in zip(high, c.shape)]
    return [pad_p.bind(c, np.zeros((), c.dtype), low=tuple(low), high=tuple(high),
                       interior=tuple([k - 1 for k in strides]))]


def slice_axis(x, start, stop, axis, stride=1):
    """x[start:stop:stride] along one axis, with start and stop in range."""
    starts, limits, strides = [0] * x.ndim, list(x.shape), [1] * x.ndim
    starts[axis], limits[axis], strides[axis] = start, stop, stride
    return static_slice(x, starts, limits, strides)


def static_slice(x, starts, limits, strides):
    """x[start:limit:stride, …] with positive strides and bounds in range."""
    if all(s == 0 and z == n and k == 1 for s, z, k, n in zip(starts, limits, strides, x.shape)):
        return x
    return slice_p.bind(x, starts=tuple(starts), limits=tuple(limits), strides=tuple(strides))


# ---- pad ----

def padded(x, value, low, high, interior):
    """x among elements of `value`: some before and after each axis, some between neighbours; less than 0 cuts."""
    sizes = _padded_sizes(x.shape, low, high, interior)
    into, source = [], []
    for n, size, lo, k in zip(x.shape, sizes, low, interior):
        first = max(0, -(lo // (k + 1)))                 # the first element that stays, and where it goes
        last = max(first, min(n, (size - lo + k) // (k + 1)))
        into.append(slice(lo + first * (k + 1), lo + (last - 1) * (k + 1) + 1 if last > first else 0, k + 1)
                    if last > first else slice(0, 0))
        source.append(slice(first, last))
    out = np.full(sizes, value, x.dtype)
    out[tuple(into)] = x[tuple(source)]
    return out


def _padded_sizes(shape, low, high, interior):
    return tuple([max(0, lo + hi + n + max(n - 1, 0) * k) for n, lo, hi, k in zip(shape, low, high, interior)])


pad_p = Primitive(
    "pad",                                               # with `interior` elements between neighbours
    shape=lambda a, v, *, low, high, interior: Aval(_padded_sizes(a.shape, low, high, interior), a.dtype),
    impl=padded,
    lower=lambda b, x, v, *, low, high, interior: b.op(
        "stablehlo.pad", [x, v], b.out[0],
        f"edge_padding_low = array<i64{_listed(low)}>, edge_padding_high = array<i64{_listed(high)}>, "
        f"interior_padding = array<i64{_listed(interior)}>"),
)


def _listed(ns):
    return (": " + ", ".join(map(str, ns))) if ns else ""


@pad_p.define("jvp")
def _(xs, ts, *, low, high, interior):
    x, v = xs
    tx, tv = ts
    params = dict(low=low, high=high, interior=interior)
    y = pad_p.bind(x, v, **params)
    tx = full(x.shape, 0, tv.dtype) if tx is None else tx
    tv = np.zeros((), tx.dtype) if tv is None else tv
    return y, pad_p.bind(tx, tv, **params)


@pad_p.define("transpose")
def _(c, x, v, *, low, high, interior):
    whole, zero = c, np.zeros((), c.dtype)
    if min((*low, *high), default=0) < 0:                # the elements that were cut off have the cotangent 0
        whole = pad_p.bind(c, zero, low=tuple([max(0, -n) for n in low]), high=tuple([max(0, -n) for n in high]),
                           interior=(0,) * c.ndim)
    starts = tuple([max(0, n) for n in low])
    limits = tuple([n - max(0, h) for n, h in zip(whole.shape, high)])
    cx = slice_p.bind(whole, starts=starts, limits=limits, strides=tuple([k + 1 for k in interior]))
    cv = None
    if isinstance(v, Aval):
        axes = tuple(range(c.ndim))
        cv = structural.reduce_sum(c, axes) - structural.reduce_sum(cx, axes)
    return [cx if isinstance(x, Aval) else None, cv]


@pad_p.define("batch")
def _(b, mine, x, v, *, low, high, interior):
    if mine[1]:                                          # a padding value per lane: pad with 0, then choose
        x = x if mine[0] else broadcast_to(x, (b.size, *x.shape))
        params = dict(low=(0, *low), high=(0, *high), interior=(0, *interior))
        inside = pad_p.bind(full(x.shape, True, bool), np.zeros((), bool), **params)
        padded = pad_p.bind(x, np.zeros((), x.dtype), **params)
        from_value = broadcast_to(reshape(v, (b.size, *(1,) * (padded.ndim - 1))), padded.shape)
        return where(inside, padded, from_value)
    return b.bind(x, v, low=(0, *low), high=(0, *high), interior=(0, *interior))


def pad(x, widths, value=0, interior=None):
    """x with `widths[i] = (low, high)` elements of `value` put around axis i."""
    x = asvalue(x)
    return pad_p.bind(x, cast(value, x.dtype), low=tuple(w[0] for w in widths), high=tuple(w[1] for w in widths),
                      interior=tuple(interior or (0,) * x.ndim))


# ---- reverse ----

reverse_p = linear(Primitive(
    "reverse",
    shape=lambda a, *, axes: a,
    impl=lambda x, *, axes: np.flip(x, axes),
    lower=lambda b, x, *, axes: b.op("stablehlo.reverse", [x], x.aval, f"dimensions = array<i64{_listed(axes)}>"),
    transpose=(lambda c, x, *, axes: reverse_p.bind(c, axes=axes),),
    batch=lambda b, mine, x, *, axes: b.bind(x, axes=tuple([a + 1 for a in axes])),
))


def reverse(x, axes):
    """x with the order of the elements along `axes` turned round."""
    return reverse_p.bind(x, axes=tuple(axes)) if axes else x


def split_axis(x, sizes, axis):
    """x cut along an axis into pieces of these sizes."""
    out, at = [], 0
    for n in sizes:
        out.append(slice_axis(x, at, at + n, axis))
        at += n
    return out


def unstack(x, axis=0):
    """The slices of x along an axis, that axis removed."""
    x = moveaxis(x, axis, 0)
    return [reshape(slice_axis(x, i, i + 1, 0), x.shape[1:]) for i in range(x.shape[0])]
