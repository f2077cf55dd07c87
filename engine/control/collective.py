"""Collectives over a named axis: psum, pmean, pmax, pmin, all_gather, all_to_all, psum_scatter, ppermute, axis_index.

`vmap(f, axis_name="i")` names its axis. A collective has an effect, so that it is handed down until it meets the
interpreter of its axis, through jit and scan too; there it is an operation on the lanes.
"""
import numpy as np

from ..avals import Aval
from ..core import Primitive, enclosing
from ..errors import TransformError
from ..interpreters.batch import Batch, spread_lane
from ..ops.dynamic import dynamic_slice
from ..ops.elementwise import eq, where
from ..ops.index import gather_nd
from ..ops.reduce import reduce_max_p, reduce_min_p
from ..ops.structural import asvalue, cast, iota, moveaxis, reduce_sum, reshape
from ..tree import map as tree_map

_INT = np.dtype("int64")


def axis_size(axis_name):
    """The number of lanes of a named axis."""
    for trace in enclosing():
        if isinstance(trace, Batch) and trace.name == axis_name:
            return trace.size
    raise _unbound(axis_name)


def _unbound(axis_name):
    names = [t.name for t in enclosing() if isinstance(t, Batch) and t.name is not None]
    return TransformError(f"there is no axis named {axis_name!r} here; the named axes are: {names or '(none)'}.\n"
                          f"Name one with vmap(f, axis_name={axis_name!r}).")


def _no_axis(args, params):
    raise _unbound(params["axis_name"])


def _collective(name, on_lanes, *, shape=None, other=None, jvp=None, transpose=None, spread=True):
    """A collective of one operand.

    on_lanes(x, size, **params) : what it does to [lanes, …]; one value for all lanes if `spread`, else one for each
    other(**params) : the parameters when the operand has got a leading axis that is not the collective's
    """
    prim = Primitive(name, multiple=True, effect="axis", eager=_no_axis,
                     shape=lambda a, **params: [shape(a, **params) if shape else a])

    def batch(b, mine, x, *, axis_name, **params):
        if b.name != axis_name:
            params = other(**params) if other and mine[0] else params
            return prim.bind(x, axis_name=axis_name, **params), [mine[0]]
        out = on_lanes(x if mine[0] else spread_lane(x, b.size), b.size, **params)
        return [spread_lane(out, b.size) if spread else out], [True]

    def push(xs, ts, **params):
        y = prim.bind(*xs, **params)
        if ts[0] is None:
            return y, [None]
        return y, [jvp(ts[0], y[0], xs[0], **params)] if jvp else prim.bind(ts[0], **params)

    prim.batch, prim.jvp = batch, push
    prim.transpose = (lambda cs, x, **params: [transpose(cs[0], x, **params)]) if transpose else None
    return prim


def _winner(t, y, x, *, axis_name):
    """The mean of the tangents of the lanes that hold the extreme."""
    at = cast(eq(x, y), t.dtype)
    return psum(t * at, axis_name) / psum(at, axis_name)


def _gathered(a, *, axis_name, axis):
    return Aval((*a.shape[:axis], axis_size(axis_name), *a.shape[axis:]), a.dtype)


def _permuted(x, size, *, perm):
    """Lane dst gets the value of lane src for each pair (src, dst); the others get zeros."""
    source = np.full(size, -1)
    for src, dst in perm:
        if source[dst] != -1:
            raise TransformError(f"ppermute: lane {dst} is the destination of two lanes in {list(perm)}.")
        source[dst] = src
    got = gather_nd(x, [asvalue(np.maximum(source, 0))])
    return where(asvalue((source >= 0).reshape(-1, *(1,) * (x.ndim - 1))), got, np.zeros((), x.dtype))


psum_p = _collective("psum", lambda x, size: reduce_sum(x, (0,)), transpose=lambda c, x,
                     *, axis_name: psum_p.bind(c, axis_name=axis_name)[0])
pmax_p = _collective("pmax", lambda x, size: reduce_max_p.bind(x, axes=(0,)), jvp=_winner)
pmin_p = _collective("pmin", lambda x, size: reduce_min_p.bind(x, axes=(0,)), jvp=_winner)
all_gather_p = _collective(
    "all_gather", lambda x, size, *, axis: moveaxis(x, 0, axis), shape=_gathered,
    other=lambda *, axis: {"axis": axis + 1},
    transpose=lambda c, x, *, axis_name, axis: _own_slice(psum_p.bind(c, axis_name=axis_name)[0], axis_name, axis))
ppermute_p = _collective(
    "ppermute", _permuted, spread=False,
    transpose=lambda c, x, *, axis_name, perm: ppermute_p.bind(c, axis_name=axis_name,
                                                               perm=tuple((d, s) for s, d in perm))[0])

axis_index_p = Primitive(
    "axis_index",
    multiple=True,
    effect="axis",
    eager=_no_axis,
    shape=lambda *, axis_name: [Aval((), _INT)],
    jvp=lambda xs, ts, *, axis_name: (axis_index_p.bind(axis_name=axis_name), [None]),
    batch=lambda b, mine, *, axis_name: ([iota(b.size)], [True]) if b.name == axis_name
    else (axis_index_p.bind(axis_name=axis_name), [False]),
)


def _own_slice(x, axis_name, axis, size=1):
    """This lane's part of an axis that holds one part for each lane."""
    starts, sizes = [0] * x.ndim, list(x.shape)
    starts[axis], sizes[axis] = axis_index(axis_name) * size, size
    out = dynamic_slice(x, starts, sizes)
    return reshape(out, x.shape[:axis] + x.shape[axis + 1:]) if size == 1 else out


# ---- as users call them: over trees ----

def psum(x, axis_name):
    """The sum over the lanes of a named axis, for each leaf of x.

    >>> from chainrule.engine import vmap
    >>> vmap(lambda x: psum(x, "i"), axis_name="i")([1.0, 2.0, 3.0]).tolist()
    [6.0, 6.0, 6.0]
    """
    return tree_map(lambda v: psum_p.bind(asvalue(v), axis_name=axis_name)[0], x)


def pmean(x, axis_name):
    """The mean over the lanes."""
    n = axis_size(axis_name)
    return tree_map(lambda v: v / n, psum(x, axis_name))


def pmax(x, axis_name):
    """The largest over the lanes."""
    return tree_map(lambda v: pmax_p.bind(asvalue(v), axis_name=axis_name)[0], x)


def pmin(x, axis_name):
    """The smallest over the lanes."""
    return tree_map(lambda v: pmin_p.bind(asvalue(v), axis_name=axis_name)[0], x)


def all_gather(x, axis_name, *, axis=0, tiled=False):
    """The values of all lanes, stacked along a new axis (or joined along an existing one if `tiled`)."""
    def one(v):
        v = asvalue(v)
        place = axis % (v.ndim + (not tiled))
        out = all_gather_p.bind(v, axis_name=axis_name, axis=place)[0]
        return reshape(out, (*v.shape[:place], -1, *v.shape[place + 1:])) if tiled else out
    return tree_map(one, x)


def ppermute(x, axis_name, perm):
    """Lane dst gets the value of lane src for each (src, dst) in perm; lanes that get nothing get zeros."""
    perm = tuple((int(s), int(d)) for s, d in perm)
    return tree_map(lambda v: ppermute_p.bind(asvalue(v), axis_name=axis_name, perm=perm)[0], x)


def axis_index(axis_name):
    """The number of this lane, 0, 1, …"""
    return axis_index_p.bind(axis_name=axis_name)[0]


def psum_scatter(x, axis_name, *, scatter_dimension=0, tiled=False):
    """The sum over the lanes, of which each lane keeps its part of an axis."""
    n = axis_size(axis_name)

    def one(v):
        total = psum_p.bind(asvalue(v), axis_name=axis_name)[0]
        size = total.shape[scatter_dimension]
        if size % n or (not tiled and size != n):
            raise TransformError(f"psum_scatter over {n} lanes: axis {scatter_dimension} of shape {total.shape} has "
                                 f"size {size}; it must be "
                                 + (f"a multiple of {n}." if tiled else f"{n}."))
        if tiled and size == n:
            part = _own_slice(total, axis_name, scatter_dimension)
            return reshape(part, (*part.shape[:scatter_dimension], 1, *part.shape[scatter_dimension:]))
        return _own_slice(total, axis_name, scatter_dimension, size // n)
    return tree_map(one, x)


def all_to_all(x, axis_name, split_axis, concat_axis):
    """Lane i's part j of split_axis goes to lane j, which stacks the parts along concat_axis."""
    n = axis_size(axis_name)

    def one(v):
        v = asvalue(v)
        if v.shape[split_axis] != n:
            raise TransformError(f"all_to_all over {n} lanes: axis {split_axis} of shape {v.shape} must have size {n}.")
        every = all_gather_p.bind(v, axis_name=axis_name, axis=0)[0]
        return moveaxis(_own_slice(every, axis_name, split_axis % v.ndim + 1), 0, concat_axis)
    return tree_map(one, x)
