"""Slices at computed places: dynamic_slice and dynamic_update_slice. Starts are clipped so that the slice fits."""
import numpy as np

from ..avals import Aval
from ..core import Primitive
from .elementwise import maximum, minimum
from .index import gather_nd, scatter_nd
from .structural import asvalue, broadcast_to, cast, full, iota, reshape, zeros_like_aval

_INT = np.dtype("int64")


def _clip_starts(starts, shape, sizes):
    return [int(min(max(int(s), 0), n - m)) for s, n, m in zip(starts, shape, sizes)]


dynamic_slice_p = Primitive(
    "dynamic_slice",                                     # starts are clipped so that the slice fits
    shape=lambda a, *starts, sizes: Aval(sizes, a.dtype),
    impl=lambda x, *starts, sizes: x[tuple(slice(s, s + n) for s, n in zip(_clip_starts(starts, x.shape, sizes),
                                                                           sizes))],
    lower=lambda b, x, *starts, sizes: b.dynamic_slice(x, starts, sizes),
)


@dynamic_slice_p.define("jvp")
def _(xs, ts, *, sizes):
    y = dynamic_slice_p.bind(*xs, sizes=sizes)
    return y, None if ts[0] is None else dynamic_slice_p.bind(ts[0], *xs[1:], sizes=sizes)


@dynamic_slice_p.define("transpose")
def _(c, x, *starts, sizes):
    return [dynamic_update_slice_p.bind(zeros_like_aval(x), c, *starts), *[None] * len(starts)]


@dynamic_slice_p.define("batch")
def _(b, mine, x, *starts, sizes):
    if not any(mine[1:]):
        return b.bind(x, np.zeros((), starts[0].dtype) if starts else 0, *starts, sizes=(b.size, *sizes))
    x = x if mine[0] else broadcast_to(x, (b.size, *x.shape))
    lane = iota(b.size)
    index = _grid(lane, starts, mine[1:], x.shape[1:], sizes)
    return gather_nd(x, index)


def _grid(lane, starts, mine, shape, sizes):
    """Index arrays [B, *sizes] of every element of each lane's slice."""
    rank = 1 + len(sizes)
    out = [reshape(lane, (-1, *(1,) * (rank - 1)))]
    for i, (s, m, n, k) in enumerate(zip(starts, mine, shape, sizes)):
        s = minimum(maximum(cast(s, _INT), 0), n - k)
        s = reshape(s, (-1, *(1,) * (rank - 1))) if m else s
        step = reshape(iota(k), [-1 if j == i + 1 else 1 for j in range(rank)])
        out.append(s + step)
    return out


def dynamic_slice(x, starts, sizes):
    """The block of shape `sizes` at `starts` (clipped so that it fits)."""
    x = asvalue(x)
    return dynamic_slice_p.bind(x, *_starts(starts), sizes=tuple(sizes))


def _starts(starts):
    return [np.asarray(s, _INT) if isinstance(s, (int, np.integer)) else cast(asvalue(s), _INT) for s in starts]


def _update_impl(x, u, *starts):
    out = np.array(x)
    out[tuple(slice(s, s + n) for s, n in zip(_clip_starts(starts, x.shape, u.shape), u.shape))] = u
    return out


dynamic_update_slice_p = Primitive(
    "dynamic_update_slice",
    shape=lambda a, u, *starts: a,
    impl=_update_impl,
    lower=lambda b, x, u, *starts: b.dynamic_update_slice(x, u, starts),
)


@dynamic_update_slice_p.define("jvp")
def _(xs, ts):
    x, u, *starts = xs
    tx, tu = ts[:2]
    y = dynamic_update_slice_p.bind(x, u, *starts)
    if tx is None and tu is None:
        return y, None
    d = (tx if tx is not None else tu).dtype
    tx = full(x.shape, 0, d) if tx is None else tx
    tu = full(u.shape, 0, d) if tu is None else tu
    return y, dynamic_update_slice_p.bind(tx, tu, *starts)


@dynamic_update_slice_p.define("transpose")
def _(c, x, u, *starts):
    cx = dynamic_update_slice_p.bind(c, full(u.shape, 0, c.dtype), *starts) if isinstance(x, Aval) else None
    cu = dynamic_slice_p.bind(c, *starts, sizes=u.shape) if isinstance(u, Aval) else None
    return [cx, cu, *[None] * len(starts)]


@dynamic_update_slice_p.define("batch")
def _(b, mine, x, u, *starts):
    x = x if mine[0] else broadcast_to(x, (b.size, *x.shape))
    u = u if mine[1] else broadcast_to(u, (b.size, *u.shape))
    if not any(mine[2:]):
        return b.bind(x, u, np.zeros((), starts[0].dtype) if starts else 0, *starts)
    return scatter_nd(x, _grid(iota(b.size), starts, mine[2:], x.shape[1:], u.shape[1:]), u)


def dynamic_update_slice(x, update, starts):
    """x with the block at `starts` (clipped so that it fits) replaced by `update`."""
    x = asvalue(x)
    return dynamic_update_slice_p.bind(x, cast(asvalue(update), x.dtype), *_starts(starts))
