"""Sorting and binary search.

Compiled, a sort is one of plain integers, which XLA runs several times as fast as one with a comparison of our own: a
floating number becomes the integer whose order is that of the numbers (its bits, the lower ones turned round for
negative numbers). A stable argsort is a radix sort with 32-bit digits: each pass sorts (digit, place) as one 64-bit
integer. nan goes last, and -0 equals 0, as in NumPy (in `sort`, -0 comes before 0).
"""
import math

import numpy as np

from ..avals import Aval, is_inexact, kind
from ..core import Primitive
from .index import take_along
from .structural import asvalue, broadcast_to, moveaxis, reshape

_INT = np.dtype("int64")
_LOW = 0xFFFFFFFF


# ---- integers in the order of numbers ----

def _iota(b, shape, axis, dtype=_INT):
    return b.op("stablehlo.iota", [], Aval(shape, dtype), f"iota_dimension = {axis} : i64")


def _turned(b, k):
    """The map between the bits of a float, as a signed integer, and its place in the order: its own inverse."""
    return b.select(b.compare("LT", k, b.like(k, 0)),
                    b.elementwise("stablehlo.xor", k, b.like(k, np.iinfo(k.dtype).max)), k)


def _wider(dtype):
    """A dtype that orders the values of a narrow one of ml_dtypes; any other dtype itself."""
    if dtype.itemsize > 1 or dtype.kind in "biu":
        return dtype
    return np.dtype({"f": "float32", "i": "int8", "u": "uint8"}[kind(dtype)])


def _order(b, x, one_zero):
    """An integer array in the order of x; `one_zero` gives -0 and 0 the same integer."""
    x = b.convert(x, _wider(x.dtype))
    if x.dtype.kind == "b":
        return b.convert(x, np.dtype("uint8"))
    if not is_inexact(x.dtype):
        return x
    d = np.dtype(f"i{x.dtype.itemsize}")
    bits = b.op("stablehlo.bitcast_convert", [x], Aval(x.shape, d))
    if one_zero:
        bits = b.select(b.compare("EQ", bits, b.like(bits, np.iinfo(d).min)), b.like(bits, 0), bits)
    nan = np.asarray(np.nan, x.dtype).view(d) & np.iinfo(d).max
    return b.select(b.compare("NE", x, x), b.like(bits, nan), _turned(b, bits))


def _sorted(b, k, axis):
    """Integers in order."""
    one = Aval((), k.dtype)
    with b.region([one, one]) as (v, w):
        b.give_back([b.compare("LT", v, w)])
    return b.op_with_region("stablehlo.sort", [k], k.aval, f"dimension = {axis} : i64, is_stable = false")


def _numpys(x):
    """x in a dtype that NumPy itself can order with nan last: those of ml_dtypes in a wider one."""
    return x if x.dtype.kind in "biufc" and x.dtype.isbuiltin == 1 else x.astype(
        np.float32 if is_inexact(x.dtype) else _wider(x.dtype))


# ---- sort ----

def _lower_sort(b, x, *, axis):
    if x.shape[axis] <= 1 or x.aval.size == 0:
        return x
    wide = _wider(x.dtype)
    k = _sorted(b, _order(b, x, one_zero=False), axis)
    if is_inexact(wide):
        k = b.op("stablehlo.bitcast_convert", [_turned(b, k)], Aval(x.shape, wide))
    return b.convert(k, x.dtype)


sort_p = Primitive(
    "sort",                                              # of real numbers; nan last
    shape=lambda a, *, axis: a,
    impl=lambda x, *, axis: np.sort(_numpys(x), axis=axis).astype(x.dtype, copy=False),
    lower=_lower_sort,
    batch=lambda b, mine, x, *, axis: b.bind(x, axis=axis + 1),
)


@sort_p.define("jvp")
def _(xs, ts, *, axis):
    i = argsort(xs[0], axis)
    return take_along(xs[0], i, axis), take_along(ts[0], i, axis)


def sort(x, axis):
    """x sorted along an axis, nan last; complex numbers by their real parts, then their imaginary ones. Its derivative
    follows the elements."""
    x = asvalue(x)
    return take_along(x, argsort(x, axis), axis) if x.dtype.kind == "c" else sort_p.bind(x, axis=axis)


# ---- argsort ----

def _digits(b, k):
    """Integers as 64-bit ones from -2³¹ to 2³¹ - 1, the least significant first."""
    if k.dtype.itemsize < 8:
        wide = b.convert(k, _INT)
        return [b.elementwise("stablehlo.subtract", wide, b.like(wide, 1 << 31))] if k.dtype.kind == "u" else [wide]
    if k.dtype.kind == "u":
        k = b.op("stablehlo.bitcast_convert", [b.elementwise("stablehlo.xor", k, b.like(k, 1 << 63))],
                 Aval(k.shape, _INT))
    low = b.elementwise("stablehlo.subtract", b.elementwise("stablehlo.and", k, b.like(k, _LOW)), b.like(k, 1 << 31))
    return [low, b.elementwise("stablehlo.shift_right_arithmetic", k, b.like(k, 32))]


def _argsort_digits(b, x):
    if x.dtype.kind != "c":
        return _digits(b, _order(b, x, one_zero=True))
    part = Aval(x.shape, np.dtype(f"f{x.dtype.itemsize // 2}"))
    re, im = b.op("stablehlo.real", [x], part), b.op("stablehlo.imag", [x], part)
    bad_re, bad_im = (b.convert(b.compare("NE", v, v), _INT) for v in (re, im))
    group = b.elementwise("stablehlo.add", b.elementwise("stablehlo.add", bad_re, bad_re), bad_im)
    return [*_digits(b, _order(b, im, one_zero=True)), *_digits(b, _order(b, re, one_zero=True)), group]


def _pick_rows(b, x, i):
    """x[r, i[r, k]] for matrices."""
    rows, n = x.shape
    flat = b.elementwise("stablehlo.add", i, b.elementwise("stablehlo.multiply", _iota(b, (rows, n), 0), b.like(i, n)))
    numbers = ("offset_dims = [], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2")
    return b.op("stablehlo.gather", [b.reshape(x, (rows * n,)), b.reshape(flat, (rows, n, 1))], x.aval,
                f"dimension_numbers = #stablehlo.gather<{numbers}>, slice_sizes = array<i64: 1>, "
                "indices_are_sorted = false")


def lower_argsort(b, x, *, axis):
    shape, n = x.shape, x.shape[axis]
    if n <= 1 or x.aval.size == 0:
        return b.constant(0, _INT, shape)
    order = [i for i in range(len(shape)) if i != axis] + [axis]
    moved = b.transpose(x, order) if axis != len(shape) - 1 else x
    rows = b.reshape(moved, (x.aval.size // n, n))
    place = None
    for d in _argsort_digits(b, rows):
        d = d if place is None else _pick_rows(b, d, place)
        packed = b.elementwise("stablehlo.or", b.elementwise("stablehlo.shift_left", d, b.like(d, 32)),
                               _iota(b, rows.shape, 1))
        q = b.elementwise("stablehlo.and", _sorted(b, packed, 1), b.like(d, _LOW))
        place = q if place is None else _pick_rows(b, place, q)
    out = b.reshape(place, moved.shape)
    return b.transpose(out, np.argsort(order).tolist()) if axis != len(shape) - 1 else out


argsort_p = Primitive(
    "argsort",                                           # stable; nan last
    shape=lambda a, *, axis: Aval(a.shape, _INT),
    impl=lambda x, *, axis: np.argsort(_numpys(x), axis=axis, kind="stable"),
    lower=lower_argsort,
    jvp=(None,),
    batch=lambda b, mine, x, *, axis: b.bind(x, axis=axis + 1),
)


def argsort(x, axis):
    """The indices that sort x along an axis, stably, nan last."""
    return argsort_p.bind(asvalue(x), axis=axis)


# ---- binary search ----

def _search_impl(a, v, *, side):
    a, v = _numpys(a), _numpys(v)
    if a.ndim == 1:
        return np.searchsorted(a, v, side)
    out = np.empty(v.shape, _INT)
    for r in np.ndindex(*v.shape[:-1]):
        out[r] = np.searchsorted(a[r], v[r], side)
    return out


def _before(b, x, y, or_equal):
    """x < y (or x <= y) in the order that has nan last."""
    if not is_inexact(x.dtype):
        return b.compare("LE" if or_equal else "LT", x, y)
    if or_equal:                                         # not y < x
        less = _before(b, y, x, False)
        return b.op("stablehlo.not", [less], less.aval)
    number, nan = b.compare("EQ", x, x), b.compare("NE", y, y)
    last = b.elementwise("stablehlo.and", number, nan)
    return b.elementwise("stablehlo.or", b.compare("LT", x, y), last)


def _lower_search(b, a, v, *, side):
    """The number of elements of a before v: step by step, each halving what is left to look at."""
    n, rows = a.shape[-1], math.prod(a.shape[:-1])
    if n == 0 or v.aval.size == 0:
        return b.constant(0, _INT, v.shape)
    a, q = b.reshape(a, (rows, n)), b.reshape(v, (rows, v.aval.size // rows))
    flat = b.reshape(a, (rows * n,))
    start = b.elementwise("stablehlo.multiply", _iota(b, q.shape, 0), b.constant(n, _INT, q.shape))
    numbers = "offset_dims = [], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2"

    def step(low, half):
        at = b.elementwise("stablehlo.add", low, b.elementwise("stablehlo.subtract", half, b.constant(1, _INT)))
        seen = b.op("stablehlo.gather", [flat, b.reshape(at, (*q.shape, 1))], q.aval,
                    f"dimension_numbers = #stablehlo.gather<{numbers}>, slice_sizes = array<i64: 1>, "
                    "indices_are_sorted = false")
        return b.select(_before(b, seen, q, side == "right"), b.elementwise("stablehlo.add", low, half), low)

    def body(left, low):
        half = b.op("stablehlo.shift_right_logical", [left, b.constant(1, _INT)], left.aval)
        return [b.elementwise("stablehlo.subtract", left, half), step(low, half)]
    _, low = b.while_loop([b.constant(n, _INT), start], lambda left, low: b.compare("GT", left, b.constant(1, _INT)),
                          lambda left, low: body(left, low))
    low = step(low, b.constant(1, _INT))
    return b.reshape(b.elementwise("stablehlo.subtract", low, start), v.shape)


searchsorted_p = Primitive(
    "searchsorted",                                      # rows of a, sorted, and of v: the leading axes agree
    shape=lambda a, v, *, side: Aval(v.shape, _INT),
    impl=_search_impl,
    lower=_lower_search,
    jvp=(None, None),
)


@searchsorted_p.define("batch")
def _(b, mine, a, v, *, side):
    if not mine[0]:                                      # more queries of the same rows
        out = b.bind(a, reshape(moveaxis(v, 0, -2), (*v.shape[1:-1], b.size * v.shape[-1])), side=side)
        return moveaxis(reshape(out, (*v.shape[1:-1], b.size, v.shape[-1])), -2, 0)
    return b.bind(a, v if mine[1] else broadcast_to(v, (b.size, *v.shape)), side=side)


# ---- the largest ----

def _top_k_impl(x, *, k):
    last_first = np.argsort(np.flip(x, -1), axis=-1, kind="stable")
    return (x.shape[-1] - 1 - np.flip(last_first, -1))[..., :k].astype(_INT)


def _lower_top_k(b, x, *, k):
    """XLA has a quick way for float32, in the order of the bits: so first one nan for all nans, one zero for both.
    Wider numbers are sorted, last element first, so that of equal ones the first stands behind."""
    axis, out = len(x.shape) - 1, Aval((*x.shape[:-1], k), _INT)
    if x.dtype.itemsize > 2 and x.dtype != np.float32:
        order = lower_argsort(b, _reversed(b, x, axis), axis=axis)
        n = x.shape[-1]
        last = b.slice(order, (0,) * axis + (n - k,), order.shape)
        return b.elementwise("stablehlo.subtract", b.constant(n - 1, _INT, out.shape), _reversed(b, last, axis))
    x = b.convert(x, np.dtype("float32"))
    x = b.select(b.compare("NE", x, x), b.like(x, np.nan), b.select(b.compare("EQ", x, b.like(x, 0)), b.like(x, 0), x))
    avals = [Aval(out.shape, x.dtype), Aval(out.shape, np.dtype("int32"))]
    made = b.emit_many(avals, f'"chlo.top_k"({x.name}) <{{k = {k} : i64}}> : ({x.type}) -> '
                              f"({b.type_text(avals[0])}, {b.type_text(avals[1])})")
    return b.convert(made[1], _INT)


def _reversed(b, x, axis):
    return b.op("stablehlo.reverse", [x], x.aval, f"dimensions = array<i64: {axis}>")


top_k_p = Primitive(
    "top_k",                                             # places of the k largest along the last axis; nan is largest
    shape=lambda a, *, k: Aval((*a.shape[:-1], k), _INT),
    impl=_top_k_impl,
    lower=_lower_top_k,
    jvp=(None,),
    batch=lambda b, mine, x, *, k: b.bind(x, k=k),
)
