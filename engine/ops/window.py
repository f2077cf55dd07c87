"""Reductions over windows that move over an array: running sums, extremes and products, as in pooling.

A window of shape `window` (with window_dilation - 1 places left out between its places) stands at every
strides-th place of the array, which has base_dilation - 1 neutral elements between neighbours and `padding` of them
outside.
"""
import numpy as np

from ..avals import Aval, kind
from ..core import Primitive
from ..errors import ShapeError
from .conv import dilated, spread_out, windows
from .elementwise import ge, where
from .index import gather_nd
from .reduce import _extreme, _prod_jvp
from .shaping import concatenate, pad_p, slice_p
from .structural import full, iota, reshape

_INT = np.dtype("int64")
NEUTRAL = {"add": lambda d: 0, "mul": lambda d: 1, "max": lambda d: _extreme(d, True),
           "min": lambda d: _extreme(d, False), "and": lambda d: -1 if d.kind != "b" else True, "or": lambda d: 0}
_REDUCE = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum, "and": np.bitwise_and,
           "or": np.bitwise_or}
_HLO = {"add": "add", "mul": "multiply", "max": "maximum", "min": "minimum", "and": "and", "or": "or"}


def neutral(how, dtype):
    """The element that changes nothing, in the dtype."""
    value = NEUTRAL[how](dtype)
    return np.asarray(value).astype(dtype)


def _places(n, k, stride, pad, base, gap):
    room = dilated(n, base) + pad[0] + pad[1]
    return max(0, (room - dilated(k, gap)) // stride + 1) if room > 0 else 0


def _window_shape(a, *, how, window, strides, padding, base_dilation, window_dilation):
    if len(window) != a.ndim:
        raise ShapeError(f"a window of shape {window} over an array of shape {a.shape}: give one size for each axis.")
    return Aval(tuple([_places(*each) for each in zip(a.shape, window, strides, padding, base_dilation,
                                                      window_dilation)]), a.dtype)


def _window_impl(x, *, how, window, strides, padding, base_dilation, window_dilation):
    shape = _window_shape(Aval(x.shape, x.dtype), how=how, window=window, strides=strides, padding=padding,
                          base_dilation=base_dilation, window_dilation=window_dilation).shape
    start = neutral(how, x.dtype)
    if 0 in shape or 0 in window:
        return np.full(shape, start, x.dtype)
    view = windows(spread_out(np.asarray(x), padding, base_dilation, start), shape, window, strides, window_dilation)
    axes = tuple(range(x.ndim, 2 * x.ndim))
    return np.asarray(_REDUCE[how].reduce(view, axes, dtype=x.dtype)).astype(x.dtype)


def _attributes(window, strides, padding, base_dilation, window_dilation):
    def listed(ns):
        return f"array<i64: {', '.join(map(str, ns))}>" if ns else "array<i64>"
    pads = ", ".join([f"[{low}, {high}]" for low, high in padding])
    return (f"window_dimensions = {listed(window)}, window_strides = {listed(strides)}, base_dilations = "
            f"{listed(base_dilation)}, window_dilations = {listed(window_dilation)}, padding = "
            f"dense<{f'[{pads}]' if pads else ''}> : tensor<{len(padding)}x2xi64>")


def _lower_window(b, x, *, how, **params):
    start, scalar = b.constant(neutral(how, x.dtype), x.dtype), Aval((), x.dtype)
    op = {"add": "or", "mul": "and"}.get(how, how) if x.dtype.kind == "b" else how
    with b.region([scalar, scalar]) as (v, w):
        b.give_back([b.elementwise(f"stablehlo.{_HLO[op]}", v, w)])
    return b.emit(b.out[0], f'"stablehlo.reduce_window"({x.name}, {start.name}) <{{{_attributes(**params)}}}> '
                            f"({{\n{b.closed}\n}}) : ({x.type}, {start.type}) -> {b.type_text(b.out[0])}")


def _patches(x, fill, window, strides, padding, base_dilation, window_dilation):
    """[number of places of a window, *out]: what stands at each place of all the windows."""
    low, high = zip(*padding) if padding else ((), ())
    x = pad_p.bind(x, fill, low=tuple(low), high=tuple(high), interior=tuple([d - 1 for d in base_dilation]))
    out = [max(0, (n - dilated(k, g)) // s + 1) for n, k, s, g in zip(x.shape, window, strides, window_dilation)]
    parts = []
    for place in np.ndindex(*window):
        first = tuple([p * g for p, g in zip(place, window_dilation)])
        limits = tuple([f + (m - 1) * s + 1 if m else f for f, m, s in zip(first, out, strides)])
        part = slice_p.bind(x, starts=first, limits=limits, strides=strides)
        parts.append(reshape(part, (1, *part.shape)))
    return concatenate(parts, 0) if parts else full((0, *out), 0, x.dtype)


def _window_jvp(xs, ts, *, how, **params):
    (x,), (t,) = xs, ts
    y = window_p.bind(x, how=how, **params)
    if how == "add":
        return y, window_p.bind(t, how=how, **params)
    if how == "mul":
        ones, zero = np.ones((), x.dtype), np.zeros((), t.dtype)
        return y, _prod_jvp(_patches(t, zero, **params), y, _patches(x, ones, **params), axes=(0,))
    if how not in ("max", "min"):
        return y, None
    at = window_winner_p.bind(x, how=how, **params)      # the tangent of the first of the winners
    return y, where(ge(at, 0), gather_nd(reshape(t, (-1,)), [at]), np.zeros((), t.dtype))


def _window_transpose(c, x, *, how, window, strides, padding, base_dilation, window_dilation):
    """Sums again: c, dilated by the strides, with the padding that gives the sizes of x."""
    back = []
    for n, k, m, s, (low, _), a, g in zip(x.shape, window, c.shape, strides, padding, base_dilation, window_dilation):
        first = dilated(k, g) - 1 - low
        back.append((first, dilated(n, a) + dilated(k, g) - 1 - dilated(m, s) - first))
    return window_p.bind(c, how=how, window=window, strides=base_dilation, padding=tuple(back), base_dilation=strides,
                         window_dilation=window_dilation)


def _with_lane(window, strides, padding, base_dilation, window_dilation):
    return dict(window=(1, *window), strides=(1, *strides), padding=((0, 0), *padding),
                base_dilation=(1, *base_dilation), window_dilation=(1, *window_dilation))


window_p = Primitive(
    "reduce_window",                                     # how: a name of NEUTRAL
    shape=_window_shape,
    impl=_window_impl,
    lower=_lower_window,
    jvp=_window_jvp,
    transpose=(_window_transpose,),
    batch=lambda b, mine, x, *, how, **params: b.bind(x, how=how, **_with_lane(**params)),
)


# ---- the place of the extreme ----

def _winner_impl(x, *, how, window, strides, padding, base_dilation, window_dilation):
    flat = np.arange(x.size, dtype=_INT).reshape(x.shape)
    params = dict(window=window, strides=strides, padding=padding, base_dilation=base_dilation,
                  window_dilation=window_dilation)
    shape = _window_shape(Aval(x.shape, x.dtype), how=how, **params).shape
    if 0 in shape or 0 in window:
        return np.full(shape, -1, _INT)
    values = windows(spread_out(x, padding, base_dilation, neutral(how, x.dtype)), shape, window, strides,
                     window_dilation).reshape(*shape, -1)
    places = windows(spread_out(flat, padding, base_dilation, -1), shape, window, strides,
                     window_dilation).reshape(*shape, -1)
    best = (np.max if how == "max" else np.min)(values, -1, keepdims=True)
    wins = (values == best) | (np.isnan(best) & np.isnan(values)) if kind(x.dtype) == "f" else values == best
    out = np.min(np.where(wins & (places >= 0), places, x.size), -1)
    return np.where(out == x.size, -1, out).astype(_INT)


def _lower_winner(b, x, *, how, **params):
    """Pairs (value, place in the flat array): the better value, then the place inside, then the first place."""
    flat = b.op("stablehlo.iota", [], Aval((x.aval.size,), _INT), "iota_dimension = 0 : i64")
    place = b.reshape(flat, x.shape)
    start, none = b.constant(neutral(how, x.dtype), x.dtype), b.constant(-1, _INT)
    sx, si, flag = Aval((), x.dtype), Aval((), _INT), Aval((), np.dtype(bool))

    def both(p, q):
        return b.op("stablehlo.and", [p, q], flag)

    def either(p, q):
        return b.op("stablehlo.or", [p, q], flag)
    with b.region([sx, si, sx, si]) as (v, i, w, j):
        better, same = b.compare("GT" if how == "max" else "LT", w, v), b.compare("EQ", v, w)
        if kind(x.dtype) == "f":
            nan_v, nan_w = b.compare("NE", v, v), b.compare("NE", w, w)
            better = either(better, both(nan_w, b.compare("EQ", v, v)))
            same = either(same, both(nan_v, nan_w))
        zero = b.constant(0, _INT)
        earlier = either(b.compare("LT", i, zero), b.compare("LT", j, i))
        take = either(better, both(both(same, b.compare("GE", j, zero)), earlier))
        b.give_back([b.select(take, w, v), b.select(take, j, i)])
    out = [Aval(b.out[0].shape, x.dtype), b.out[0]]
    made = b.emit_many(out, f'"stablehlo.reduce_window"({x.name}, {place.name}, {start.name}, {none.name}) '
                            f"<{{{_attributes(**params)}}}> ({{\n{b.closed}\n}}) : ({x.type}, {place.type}, "
                            f"{start.type}, {none.type}) -> ({b.type_text(out[0])}, {b.type_text(out[1])})")
    return made[1]


window_winner_p = Primitive(
    "window_winner",                                     # the place, in the flat array, of the first extreme; or -1
    shape=lambda a, **params: Aval(_window_shape(a, **params).shape, _INT),
    impl=_winner_impl,
    lower=_lower_winner,
    jvp=(None,),
)


@window_winner_p.define("batch")
def _(b, mine, x, *, how, **params):
    """Places are counted within a lane."""
    out = b.bind(x, how=how, **_with_lane(**params))
    size = int(np.prod(x.shape[1:], dtype=int))
    lane = reshape(iota(b.size), (b.size, *(1,) * (out.ndim - 1)))
    return where(ge(out, 0), out - lane * size, out)


def reduce_window(x, how, window, strides, padding, base_dilation, window_dilation):
    """x reduced over windows.   how : "add", "mul", "max", "min", "and" or "or" """
    return window_p.bind(x, how=how, window=tuple(window), strides=tuple(strides), padding=tuple(map(tuple, padding)),
                         base_dilation=tuple(base_dilation), window_dilation=tuple(window_dilation))
