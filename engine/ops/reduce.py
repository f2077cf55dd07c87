"""Reductions other than the sum, arg-reductions and running reductions."""
import numpy as np

from ..avals import Aval, has_infinity, kind, limits
from ..core import Primitive
from . import lowerings
from .elementwise import eq, exp, isfinite, log, mul, stop_gradient, where
from .index import take_along
from .shaping import concatenate, reverse, slice_axis
from .structural import (
    _without,
    broadcast_p,
    cast,
    full,
    iota_p,
    linear,
    reduce_sum,
    reshape,
    transpose,
)

_INT = np.dtype("int64")


def _extreme(dtype, low):
    """The starting value of a maximum (low) or minimum."""
    if dtype.kind == "b":
        return not low
    if has_infinity(dtype):
        return -np.inf if low else np.inf
    return limits(dtype).min if low else limits(dtype).max


def _reduction(name, impl, op, start, jvp=None):
    return Primitive(
        name,
        shape=lambda a, *, axes: Aval(_without(a.shape, axes), a.dtype),
        impl=lambda x, *, axes: impl(x, axis=axes),
        lower=lambda b, x, *, axes: lowerings.reduce(b, op(x.dtype), x, start(x.dtype), axes),
        jvp=(jvp,),
        batch=lambda b, mine, x, *, axes: b.bind(x, axes=tuple([a + 1 for a in axes])),
    )


def _expand(y, x, axes):
    return broadcast_p.bind(y, shape=x.shape, dims=tuple([i for i in range(x.ndim) if i not in axes]))


def _winner_jvp(t, y, x, *, axes):
    """The mean of the tangents at the places that attain the extreme."""
    at = cast(eq(x, _expand(y, x, axes)), t.dtype)
    return reduce_sum(t * at, axes) / reduce_sum(at, axes)


def _prod_jvp(t, y, x, *, axes):
    """Σ t_i ∏_{j≠i} x_j, by running products from both sides, so zeros are no trouble."""
    order = [i for i in range(x.ndim) if i not in axes] + list(axes)
    lead = tuple([x.shape[i] for i in order[:x.ndim - len(axes)]])
    flat = reshape(transpose(x, order), (*lead, -1))
    t = reshape(transpose(t, order), (*lead, -1))
    axis = len(lead)
    one = full((*lead, 1), 1, x.dtype)
    n = flat.shape[axis]
    before = concatenate([one, cumprod(slice_axis(flat, 0, n - 1, axis), axis)], axis)
    after = concatenate([reverse(cumprod(reverse(slice_axis(flat, 1, n, axis), (axis,)), axis), (axis,)), one], axis)
    return reduce_sum(t * before * after, (axis,))


reduce_max_p = _reduction("reduce_max", lambda x, axis: np.max(x, axis=axis, initial=_extreme(x.dtype, True)),
                          lambda d: "stablehlo.or" if d.kind == "b" else "stablehlo.maximum",
                          lambda d: _extreme(d, True), _winner_jvp)
reduce_min_p = _reduction("reduce_min", lambda x, axis: np.min(x, axis=axis, initial=_extreme(x.dtype, False)),
                          lambda d: "stablehlo.and" if d.kind == "b" else "stablehlo.minimum",
                          lambda d: _extreme(d, False), _winner_jvp)
reduce_prod_p = _reduction("reduce_prod", lambda x, axis: np.prod(x, axis=axis, dtype=x.dtype),
                           lambda d: "stablehlo.multiply", lambda d: 1, _prod_jvp)
reduce_and_p = _reduction("reduce_and", np.all, lambda d: "stablehlo.and", lambda d: True)
reduce_or_p = _reduction("reduce_or", np.any, lambda d: "stablehlo.or", lambda d: False)


# ---- argmax, argmin: the first place; nan wins ----

def _lower_arg(direction):
    def lower(b, x, *, axis):
        index = b.op("stablehlo.iota", [], Aval(x.shape, _INT), f"iota_dimension = {axis} : i64")
        start = b.constant(_extreme(x.dtype, direction == "GT"), x.dtype)
        zero = b.constant(0, _INT)
        scalar_x, scalar_i = Aval((), x.dtype), Aval((), _INT)
        with b.region([scalar_x, scalar_i, scalar_x, scalar_i]) as (v, i, w, j):
            better = b.compare(direction, w, v)
            if kind(x.dtype) == "f":                     # nan beats everything but an earlier nan
                nan_w, nan_v = b.compare("NE", w, w), b.compare("NE", v, v)
                one = np.dtype(bool)
                only = b.op("stablehlo.and", [nan_w, b.op("stablehlo.not", [nan_v], nan_v.aval)], Aval((), one))
                either = b.op("stablehlo.and", [better, b.op("stablehlo.not", [nan_v], nan_v.aval)], Aval((), one))
                better = b.op("stablehlo.or", [either, only], Aval((), one))
                same = b.op("stablehlo.or", [b.compare("EQ", v, w), b.op("stablehlo.and", [nan_w, nan_v],
                                                                         Aval((), one))],
                            Aval((), one))
            else:
                same = b.compare("EQ", v, w)
            earlier = b.op("stablehlo.and", [same, b.compare("LT", j, i)], Aval((), np.dtype(bool)))
            take = b.op("stablehlo.or", [better, earlier], Aval((), np.dtype(bool)))
            b.give_back([b.select(take, w, v), b.select(take, j, i)])
        out = [Aval(_without(x.shape, (axis,)), x.dtype), b.out[0]]
        made = b.emit_many(out, f'"stablehlo.reduce"({x.name}, {index.name}, {start.name}, {zero.name}) '
                                f'<{{dimensions = array<i64: {axis}>}}> ({{\n{b.closed}\n}}) : ({x.type}, '
                                f'{index.type}, '
                                f'{start.type}, {zero.type}) -> ({b.type_text(out[0])}, {b.type_text(out[1])})')
        return made[1]
    return lower


def _arg(name, impl, direction):
    return Primitive(
        name,
        shape=lambda a, *, axis: Aval(_without(a.shape, (axis,)), _INT),
        impl=lambda x, *, axis: impl(x, axis=axis).astype(_INT),
        lower=_lower_arg(direction),
        jvp=(None,),
        batch=lambda b, mine, x, *, axis: b.bind(x, axis=axis + 1),
    )


argmax_p = _arg("argmax", np.argmax, "GT")
argmin_p = _arg("argmin", np.argmin, "LT")


# ---- running reductions ----

def _lower_running(op, start):
    """A loop over the axis; XLA compiles it to a few nanoseconds a step."""
    def lower(b, x, *, axis):
        n, i64 = x.shape[axis], _INT
        if x.aval.size == 0:
            return x
        sizes = [1 if i == axis else m for i, m in enumerate(x.shape)]
        zero = b.constant(0, i64)
        carry = b.constant(start(x.dtype), x.dtype, sizes)

        def at(i):
            z = b.constant(0, i64)
            return [i if k == axis else z for k in range(len(x.shape))]

        def body(i, acc, out, xs):
            acc = op(b, acc, b.dynamic_slice(xs, at(i), sizes))
            return [b.elementwise("stablehlo.add", i, b.constant(1, i64)), acc, b.dynamic_update_slice(out, acc, at(i)),
                    xs]

        made = b.while_loop([zero, carry, b.constant(0, x.dtype, x.shape), x],
                            lambda i, *_: b.compare("LT", i, b.constant(n, i64)), body)
        return made[2]
    return lower


def _running(name, impl, op, start):
    return Primitive(
        name,
        shape=lambda a, *, axis: a,
        impl=lambda x, *, axis: impl(x, axis=axis).astype(x.dtype),
        lower=_lower_running(op, start),
        batch=lambda b, mine, x, *, axis: b.bind(x, axis=axis + 1),
    )


def _plain(op):
    return lambda b, x, y: b.elementwise(op, x, y)


def _lower_logaddexp(b, x, y):
    """max + log1p(exp(-|x - y|)), with -inf + -inf kept."""
    top = b.elementwise("stablehlo.maximum", x, y)
    low = b.elementwise("stablehlo.minimum", x, y)
    gap = b.elementwise("stablehlo.subtract", low, top)
    tail = b.op("stablehlo.log_plus_one", [b.op("stablehlo.exponential", [gap], x.aval)], x.aval)
    return b.select(b.compare("EQ", low, top), b.elementwise("stablehlo.add", top, b.like(x, np.log(2.0))),
                    b.elementwise("stablehlo.add", top, tail))


cumsum_p = linear(_running("cumsum", np.cumsum, _plain("stablehlo.add"), lambda d: 0))
cumprod_p = _running("cumprod", np.cumprod, _plain("stablehlo.multiply"), lambda d: 1)
cummax_p = _running("cummax", np.maximum.accumulate, _plain("stablehlo.maximum"), lambda d: _extreme(d, True))
cummin_p = _running("cummin", np.minimum.accumulate, _plain("stablehlo.minimum"), lambda d: _extreme(d, False))
cumlogsumexp_p = _running("cumlogsumexp", np.logaddexp.accumulate, _lower_logaddexp, lambda d: -np.inf)
cumsum_p.transpose = (lambda c, x, *, axis: reverse(cumsum_p.bind(reverse(c, (axis,)), axis=axis), (axis,)),)


@cumprod_p.define("jvp")
def _(xs, ts, *, axis):
    """Pairs (y, t) combine as (y y', t y' + y t'); running them by doubling needs no division, so zeros are no
    trouble."""
    y, t, n, step = xs[0], ts[0], xs[0].shape[axis], 1
    while step < n:
        def shifted(v, first, step=step):
            lead = full([step if i == axis else m for i, m in enumerate(v.shape)], first, v.dtype)
            return concatenate([lead, slice_axis(v, 0, n - step, axis)], axis)
        before, t_before = shifted(y, 1), shifted(t, 0)
        t = t * before + y * t_before
        y = y * before
        step *= 2
    return cumprod_p.bind(xs[0], axis=axis), t


def _running_extreme_jvp(prim):
    def jvp(xs, ts, *, axis):
        """The tangent of the place that holds the extreme so far (the latest of equals)."""
        x, t = xs[0], ts[0]
        y = prim.bind(x, axis=axis)
        place = iota_p.bind(shape=x.shape, axis=axis, dtype=_INT)
        at = cummax_p.bind(where(eq(x, y), place, np.asarray(0, _INT)), axis=axis)
        return y, take_along(t, at, axis)
    return jvp


cummax_p.jvp, cummin_p.jvp = _running_extreme_jvp(cummax_p), _running_extreme_jvp(cummin_p)


@cumlogsumexp_p.define("jvp")
def _(xs, ts, *, axis):
    x, t = xs[0], ts[0]
    y = cumlogsumexp_p.bind(x, axis=axis)
    top = reduce_max_p.bind(x, axes=(axis,))
    shift = where(eq(top, -np.inf), np.zeros((), x.dtype), top)
    weight = exp(x - _expand(shift, x, (axis,)))
    return y, cumsum_p.bind(mul(t, weight), axis=axis) / exp(y - _expand(shift, x, (axis,)))


def cumsum(x, axis):
    """Running sums along one axis."""
    return cumsum_p.bind(x, axis=axis)


def cumprod(x, axis):
    """Running products along one axis."""
    return cumprod_p.bind(x, axis=axis) if x.shape[axis] else x


# ---- log-sum-exp ----

def logsumexp_of(x, axes):
    """log Σ exp(x), shifted by the maximum; -inf where all are -inf."""
    from_top = reduce_max_p.bind(x, axes=axes)
    shift = where(isfinite(from_top), from_top, np.zeros((), x.dtype))
    shift = stop_gradient(shift)
    return log(reduce_sum(exp(x - _expand(shift, x, axes)), axes)) + shift

