"""Gather and scatter, in NumPy's terms.

gather(x, i) is x[i[..., 0], i[..., 1], …]: the last axis of i holds one index for each of the leading k axes of
x; the result has shape [*i.shape[:-1], *x.shape[k:]]. Indices are not negative; those out of range are clipped by a
gather and dropped by a scatter. (The front end turns negative indices round and, where the indices are
known, raises IndexError as NumPy does.)
"""
import functools
import math

import numpy as np

from ..array import Array
from ..avals import Aval
from ..core import REGISTRY, Primitive
from ..errors import TransformError
from .elementwise import abs, eq, maximum, minimum, where
from .shaping import concatenate_p
from .structural import (
    asvalue,
    broadcast_to,
    cast,
    elementwise,
    elementwise_batch,
    full,
    iota,
    moveaxis,
    reduce_sum,
    reshape,
    zeros_like_aval,
)

_INT = np.dtype("int64")


def _clipped(i, shape):
    return tuple(np.clip(i[..., k], 0, shape[k] - 1) for k in range(i.shape[-1]))


def _lower_gather(b, x, i):
    if b.out[0].size == 0:
        return b.constant(0, x.dtype, b.out[0].shape)
    return _gather_op(b, x, i, b.out[0])


def _gather_op(b, x, i, out):
    """stablehlo.gather of the rows of x at indices [..., k]."""
    k, batch = i.shape[-1], len(i.shape) - 1
    rest = x.shape[k:]
    sizes = ", ".join(map(str, (1,) * k + rest))
    offset = ", ".join(str(batch + d) for d in range(len(rest)))
    mapped = ", ".join(map(str, range(k)))
    numbers = (f"offset_dims = [{offset}], collapsed_slice_dims = [{mapped}], start_index_map = [{mapped}], "
               f"index_vector_dim = {batch}")
    return b.op("stablehlo.gather", [x, i], out,
                f"dimension_numbers = #stablehlo.gather<{numbers}>, slice_sizes = array<i64: {sizes}>, "
                "indices_are_sorted = false")


gather_p = Primitive(
    "gather",
    shape=lambda x, i: Aval(i.shape[:-1] + x.shape[i.shape[-1]:], x.dtype),
    impl=lambda x, i: x[_clipped(i, x.shape)] if i.shape[-1] else np.broadcast_to(x, i.shape[:-1] + x.shape),
    lower=_lower_gather,
    jvp=(lambda t, y, x, i: gather_p.bind(t, i), None),
    transpose=(lambda c, x, i: scatter_p.bind(zeros_like_aval(x), i, c, how="near"), None),
)


def clipped(i, shape):
    """Indices moved to the nearest place in range; the same array where all are known to be in range."""
    last = np.asarray(shape[:i.shape[-1]], i.dtype) - 1
    if type(i) is Array and np.all((i.value >= 0) & (i.value <= last)):
        return i
    return minimum(maximum(i, np.zeros((), i.dtype)), last if len(last) != 1 else last[0])


def inside(i, shape):
    """Whether the place that each row of the indices names is in range; None where all are known to be."""
    near = clipped(i, shape)
    return None if near is i else eq(reduce_sum(abs(i - near), (i.ndim - 1,)), np.zeros((), i.dtype))


@gather_p.define("batch")
def _(b, mine, x, i):
    if mine == [True, False]:                            # the batch axis moves behind the indexed axes
        k = i.shape[-1]
        return moveaxis(b.bind(moveaxis(x, 0, k), i), i.ndim - 1, 0)
    if mine == [False, True]:
        return b.bind(x, i)
    return b.bind(x, with_lane(i, b.size))


def with_lane(i, size):
    """Batched indices [B, …, k] as indices [B, …, k + 1] into a batched operand."""
    lane = broadcast_to(reshape(iota(size, i.dtype), (size, *(1,) * (i.ndim - 1))), (*i.shape[:-1], 1))
    return concatenate_p.bind(lane, i, axis=i.ndim - 1)


# ---- scatter ----

LANES = 4                                                # arrays in which many updates are added up
SETS = ("set", "put")                                    # put: a set whose places are known to differ
ADDS = ("add", "near")                                   # near: to the nearest place in range, where gather reads
_COMBINE = {"add": np.add, "near": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}
_COMBINE_HLO = {"add": "stablehlo.add", "near": "stablehlo.add", "mul": "stablehlo.multiply",
                "min": "stablehlo.minimum", "max": "stablehlo.maximum"}


def _count(i):
    """The number of places that indices name."""
    return math.prod(i.shape[:-1])


def _scatter_impl(x, i, u, *, how):
    out = np.array(x)
    k = i.shape[-1]
    rows, updates = i.reshape(_count(i), k), np.reshape(u, (_count(i), *x.shape[k:]))
    if how == "near":
        rows = np.stack(_clipped(rows, x.shape), axis=1) if k else rows
    ok = np.all((rows >= 0) & (rows < np.asarray(x.shape[:k], rows.dtype)), axis=1)
    index = tuple(rows[ok].T)
    if how in SETS:
        out[index] = updates[ok]
    else:
        ufunc = np.logical_or if how in ADDS and x.dtype.kind == "b" else _COMBINE[how]
        ufunc.at(out, index, updates[ok])
    return out


def _combining(how, dtype):
    """The operation that makes an old and a new value one; None where the new one stays."""
    return None if how in SETS else "stablehlo.or" if dtype.kind == "b" and how in ADDS else _COMBINE_HLO[how]


def _lower_scatter(b, x, i, u, *, how):
    """A loop over the updates: on the host it stays inside an outlined loop, which XLA's own scatter does not. On other
    devices XLA's own.

    Many numbers are added up in a few arrays at once: a number waits for the one before it at the same place.
    """
    k, n = i.shape[-1], _count(i)
    rest = x.shape[k:]
    if n == 0 or x.aval.size == 0:
        return x
    i, u = b.reshape(i, (n, k)), b.reshape(u, (n, *rest))
    if b.platform != "cpu" and n > 1 and k:
        return _lower_scatter_at_once(b, x, i, u, how)

    combine = _combining(how, x.dtype)

    def one(t, x, i, u):
        row = b.dynamic_slice(i, [t, b.constant(0, _INT)], (1, k))
        at = [b.convert(b.reshape(b.slice(row, (0, j), (1, j + 1)), ()), _INT) for j in range(k)]
        inside = None
        for a, size in zip(at, x.shape) if how != "near" else ():         # a slice begins at the nearest place in range
            ok = b.op("stablehlo.and", [b.compare("GE", a, b.constant(0, _INT)),
                                        b.compare("LT", a, b.constant(size, _INT))],
                      Aval((), np.dtype(bool)))
            inside = ok if inside is None else b.op("stablehlo.and", [inside, ok], ok.aval)
        zero = b.constant(0, _INT)
        starts = at + [zero] * len(rest)
        old = b.dynamic_slice(x, starts, (1,) * k + rest)
        new = b.reshape(b.dynamic_slice(u, [t] + [zero] * len(rest), (1, *rest)), (1,) * k + rest)
        if combine is not None:
            new = b.elementwise(combine, old, new)
        if inside is not None:
            new = b.select(b.broadcast_to(inside, new.shape), new, old)
        return b.dynamic_update_slice(x, new, starts)

    if n == 1:
        return one(b.constant(0, _INT), x, i, u)
    lanes = LANES if how in ADDS and x.aval.is_float and n >= LANES * x.aval.size else 1
    sums = [x] + [b.constant(-0.0, x.dtype, x.shape)] * (lanes - 1)

    def turn(t, *rest):
        sums, (i, u) = rest[:lanes], rest[lanes:]
        at = [t] + [b.elementwise("stablehlo.add", t, b.constant(j, _INT)) for j in range(1, lanes)]
        return [b.elementwise("stablehlo.add", t, b.constant(lanes, _INT)),
                *[one(t, x, i, u) for t, x in zip(at, sums)], i, u]
    whole = n - n % lanes
    sums = b.while_loop([b.constant(0, _INT), *sums, i, u],
                        lambda t, *_: b.compare("LT", t, b.constant(whole, _INT)), turn)[1:1 + lanes]
    sums[1:1 + n - whole] = [one(b.constant(t, _INT), x, i, u) for t, x in zip(range(whole, n), sums[1:])]
    return functools.reduce(lambda x, y: b.elementwise("stablehlo.add", x, y), sums)


def _lower_scatter_at_once(b, x, i, u, how):
    """All updates at once, in any order; of those of a "set" that meet, only the last one stays."""
    if how == "near":
        last = b.broadcast(b.literal(np.array(x.shape[:i.shape[-1]], i.dtype) - 1), i.shape, [1])
        i = b.elementwise("stablehlo.maximum", b.elementwise("stablehlo.minimum", i, last), b.like(i, 0))
    if how == "set":
        k, n = i.shape[-1], i.shape[0]
        order = b.op("stablehlo.iota", [], Aval((n,), _INT), "iota_dimension = 0 : i64")
        last = _scatter_op(b, b.constant(-1, _INT, x.shape[:k]), i, order, "stablehlo.maximum", False)
        stays = b.broadcast(b.compare("EQ", _gather_op(b, last, i, order.aval), order), i.shape, [0])
        i = b.select(stays, i, b.like(i, -1))            # a place out of range: dropped
    return _scatter_op(b, x, i, u, _combining(how, x.dtype), how in SETS)


def _scatter_op(b, x, i, u, combine, unique):
    """stablehlo.scatter of rows of indices [n, k]; None combines to the new value."""
    k = i.shape[-1]
    axes = ", ".join(map(str, range(k)))
    window = ", ".join(map(str, range(1, 1 + len(x.shape) - k)))
    scalar = Aval((), x.dtype)
    with b.region([scalar, scalar]) as (old, new):
        b.give_back([new if combine is None else b.op(combine, [old, new], scalar)])
    return b.op_with_region(
        "stablehlo.scatter", [x, i, u], x.aval,
        f"scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [{window}], inserted_window_dims = "
        f"[{axes}], scatter_dims_to_operand_dims = [{axes}], index_vector_dim = 1>, indices_are_sorted = false, "
        f"unique_indices = {'true' if unique else 'false'}")


scatter_p = Primitive(
    "scatter",                                           # how: SETS, ADDS, mul, min, max; later updates come later
    shape=lambda x, i, u, *, how: x,
    impl=_scatter_impl,
    lower=_lower_scatter,
)


@scatter_p.define("jvp")
def _(xs, ts, *, how):
    x, i, u = xs
    tx, _, tu = ts
    y = scatter_p.bind(x, i, u, how=how)
    if tx is None and tu is None:
        return y, None
    d = (tx if tx is not None else tu).dtype
    tx_full = full(x.shape, 0, d) if tx is None else tx
    tu_full = full(u.shape, 0, d) if tu is None else tu
    if how in (*SETS, *ADDS):
        return y, scatter_p.bind(tx_full, i, tu_full, how=how)
    if how == "mul":
        if tu is not None:
            return y, _scatter_mul_tangent(x, i, u, y, tx_full, tu)
        return y, scatter_p.bind(tx, i, u, how="mul")
    kept = cast(eq(x, y), d)                             # min, max: the mean over the places that attain it
    won = cast(eq(u, gather_p.bind(y, i)), d)
    total = scatter_p.bind(tx_full * kept, i, tu_full * won, how="add")
    return y, total / scatter_p.bind(kept, i, won, how="add")


_PAIRS = 256                                             # so many updates are compared in pairs, at most


def _first_order_only(xs, ts):
    if ts[0] is None:
        return first_order_p.bind(xs[0]), None
    raise TransformError(
        f"the second derivative of x.at[...].multiply(values) is known for at most {_PAIRS} values; there are more.\n"
        "Multiply in several calls, or add logarithms: x * np.exp(np.zeros_like(x).at[...].add(np.log(values))).")


first_order_p = Primitive("first_order", shape=elementwise, impl=lambda x: x, lower=lambda b, x: x,
                          jvp=_first_order_only, batch=elementwise_batch)


def _scatter_mul_tangent(x, i, u, y, tx, tu):
    """d(x ∏u): for each update, the product of x and the other updates of its place.

    Few updates are compared in pairs, which is right at every order. For many, the factors that are zero are counted
    apart, so that no division by zero occurs: right at first order, and refused beyond."""
    k, n = i.shape[-1], _count(i)
    if n <= _PAIRS:
        rows, updates = reshape(i, (n, k)), reshape(u, (n, *u.shape[i.ndim - 1:]))
        rest = updates.shape[1:]
        others = gather_p.bind(x, rows)
        if n > 1:
            equal = cast(eq(reshape(rows, (n, 1, k)), reshape(rows, (1, n, k))), _INT)
            met = eq(reduce_sum(equal, (2,)) - k * np.eye(n, dtype=_INT), k)
            factors = where(reshape(met, (n, n, *(1,) * len(rest))), reshape(updates, (1, n, *rest)),
                            np.asarray(1, u.dtype))
            others = others * REGISTRY["reduce_prod"].bind(factors, axes=(1,))
        return scatter_p.bind(scatter_p.bind(tx, i, u, how="mul"), i, tu * reshape(others, u.shape), how="add")
    is_zero = eq(u, 0)
    safe = where(is_zero, np.asarray(1, u.dtype), u)
    zeros = scatter_p.bind(full(x.shape, 0, u.dtype), i, cast(is_zero, u.dtype), how="add")
    rest = scatter_p.bind(x, i, safe, how="mul")
    here, count = gather_p.bind(rest, i), gather_p.bind(zeros, i)
    others = where(is_zero, where(eq(count, 1), here, 0.0), where(eq(count, 0), here / safe, 0.0))
    others = first_order_p.bind(others)
    return scatter_p.bind(scatter_p.bind(tx, i, u, how="mul"), i, tu * others, how="add")


@scatter_p.define("transpose")
def _(c, x, i, u, *, how):
    if how == "mul":                                     # linear in x alone
        return [scatter_p.bind(c, i, u, how="mul"), None, None]
    cx, cu = None, None
    if isinstance(x, Aval):
        cx = c if how in ADDS else scatter_p.bind(c, i, full(i.shape[:-1] + c.shape[i.shape[-1]:], 0, c.dtype),
                                                   how=how)
    if isinstance(u, Aval):
        cu = gather_p.bind(c, i)
        kept = inside(i, c.shape) if how in ("add", "put") else None
        if kept is not None:                             # what was dropped has no derivative
            cu = where(reshape(kept, (*kept.shape, *(1,) * (c.ndim - i.shape[-1]))), cu, np.asarray(0, c.dtype))
        if how == "set":                                 # only the last of several updates to one place counts
            order = iota_like(i)
            last = gather_p.bind(scatter_p.bind(full(c.shape[:i.shape[-1]], -1, _INT), i, order, how="set"), i)
            keep = reshape(eq(last, order), (*order.shape, *(1,) * (c.ndim - i.shape[-1])))
            cu = where(keep, cu, np.asarray(0, c.dtype))
    return [cx, None, cu]


def iota_like(i):
    """0, 1, 2, … in the shape of the indices."""
    shape = i.shape[:-1]
    return reshape(iota(_count(i)), shape)


@scatter_p.define("batch")
def _(b, mine, x, i, u, *, how):
    x = x if mine[0] else broadcast_to(x, (b.size, *x.shape))
    i = i if mine[1] else broadcast_to(i, (b.size, *i.shape))
    u = u if mine[2] else broadcast_to(u, (b.size, *u.shape))
    if how == "set" and _count(i) == b.size:             # one update a lane
        how = "put"
    return b.bind(x, with_lane(i, b.size), u, how=how)


# ---- as functions ----

def stack_index(index):
    """Index arrays, broadcast together, as one array with a last axis."""
    index = [cast(asvalue(i), _INT) for i in index]
    shape = np.broadcast_shapes(*[i.shape for i in index])
    parts = [reshape(broadcast_to(i, shape), (*shape, 1)) for i in index]
    return parts[0] if len(parts) == 1 else concatenate_p.bind(*parts, axis=len(shape))


def gather_nd(x, index):
    """x[index[0], index[1], …] for index arrays that broadcast together."""
    return gather_p.bind(x, stack_index(index))


def scatter_nd(x, index, update, how="set"):
    """x with x[index[0], …] set to, or combined with, `update`."""
    i = stack_index(index)
    shape = i.shape[:-1] + x.shape[i.shape[-1]:]
    return scatter_p.bind(x, i, broadcast_to(cast(asvalue(update), x.dtype), shape), how=how)


def take_along(x, i, axis):
    """NumPy's take_along_axis for i of x's rank."""
    axis = axis % x.ndim
    index = []
    for d in range(x.ndim):
        if d == axis:
            index.append(i)
        else:
            n = i.shape[d]
            place = reshape(iota(n), [-1 if k == d else 1 for k in range(x.ndim)])
            index.append(place if x.shape[d] == n else place * 0)
    return gather_nd(x, index)
