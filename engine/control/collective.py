"""Collectives over a named axis: psum, pmean, pmax, pmin, all_gather, all_to_all, psum_scatter, ppermute, axis_index.

`vmap(f, axis_name="i")` names its axis, `pmap` and `shard_map` name axes of devices. A collective
has an effect, so that it
is handed down until it meets the interpreter of its axis, through jit and scan too. There it is an operation on the
lanes;
in the program of one of several devices it is lowered as XLA's own collective.
"""
import numpy as np

from ..avals import Aval
from ..core import Primitive, enclosing
from ..errors import TransformError
from ..interpreters.batch import spread_lane
from ..ops.elementwise import eq, where
from ..ops.index import gather_nd
from ..ops.reduce import reduce_max_p, reduce_min_p
from ..ops.structural import asvalue, cast, iota, moveaxis, reduce_sum, reshape
from ..tree import map as tree_map

_INT = np.dtype("int64")


def axis_size(axis_name):
    """The number of lanes, or devices, of a named axis; of a tuple of names their product."""
    if isinstance(axis_name, (tuple, list)):
        return int(np.prod([axis_size(n) for n in axis_name], dtype=int))
    for trace in enclosing():
        size = trace.axis_size(axis_name)
        if size is not None:
            return size
    raise _unbound(axis_name)


def _unbound(axis_name):
    names = [n for t in enclosing() for n in t.axis_names()]
    return TransformError(f"there is no axis named {axis_name!r} here; the named axes are: {names or '(none)'}.\n"
                          f"Name one with vmap(f, axis_name={axis_name!r}), pmap or shard_map.")


def _no_axis(args, params):
    raise _unbound(params["axis_name"])


def _collective(name, on_lanes, *, lower, shape=None, other=None, jvp=None, transpose=None, spread=True):
    """A collective of one operand.

    lower(b, x, groups, **params) : the same among devices; each row of `groups` is of devices that talk to one another
    on_lanes(x, size, **params) : what it does to [lanes, …]; one value for all lanes if `spread`, else one for each
    other(**params) : the parameters when the operand has got a leading axis that is not the collective's
    """
    prim = Primitive(name, multiple=True, effect="axis", eager=_no_axis,
                     shape=lambda a, **params: [shape(a, **params) if shape else a],
                     lower=lambda b, x, *, axis_name, **params: [lower(b, x, b.manual.groups(axis_name), **params)])

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


# ---- among devices ----

def _numbers(rows):
    rows = np.asarray(rows)
    text = ", ".join(["[" + ", ".join([str(int(i)) for i in row]) + "]" for row in rows])
    return f"dense<[{text}]> : tensor<{'x'.join(map(str, rows.shape))}xi64>"


def _attributes(b, groups, more="", ids=True):
    b.channels += 1
    channel = f"channel_handle = #stablehlo.channel_handle<handle = {b.channels}, type = 1>"
    return ", ".join([*([more] if more else []), f"replica_groups = {_numbers(groups)}", channel,
                      *(["use_global_device_ids"] if ids else [])])


def _reduced(op, name="all_reduce", more=""):
    def lower(b, x, groups):
        one = Aval((), x.dtype)
        with b.region([one, one]) as (p, q):
            b.give_back([b.op(f"stablehlo.{op}", [p, q], one)])
        attributes = _attributes(b, groups, more)
        shape = x.shape if name == "all_reduce" else (x.shape[0] // groups.shape[1], *x.shape[1:])
        return b.emit(Aval(shape, x.dtype), f'"stablehlo.{name}"({x.name}) <{{{attributes}}}> ({{\n{b.closed}\n}}) : '
                                            f"({x.type}) -> {b.type_text(Aval(shape, x.dtype))}")
    return lower


def _lower_gather(b, x, groups, *, axis):
    n = groups.shape[1]
    row = b.reshape(x, (1, *x.shape))
    every = b.op("stablehlo.all_gather", [row], Aval((n, *x.shape), x.dtype),
                 _attributes(b, groups, "all_gather_dim = 0 : i64"))
    return b.transpose(every, [*range(1, axis + 1), 0, *range(axis + 1, len(x.shape) + 1)])


def _lower_permute(b, x, groups, *, perm):
    b.channels += 1
    if not perm:
        return b.like(x, 0)
    pairs = _numbers([(row[s], row[d]) for row in groups for s, d in perm])
    return b.op("stablehlo.collective_permute", [x], x.aval, f"source_target_pairs = {pairs}, channel_handle = "
                                                             f"#stablehlo.channel_handle<handle = {b.channels}, "
                                                             f"type = 1>")


def _lower_exchange(b, x, groups, *, split, concat):
    n = groups.shape[1]
    x = b.transpose(x, [split, *[i for i in range(len(x.shape)) if i != split]])
    every = b.op("stablehlo.all_to_all", [x], x.aval,
                 _attributes(b, groups, f"split_dimension = 0 : i64, concat_dimension = 0 : i64, split_count = {n} "
                                        f": i64",
                             False))
    return b.transpose(every, [*range(1, concat + 1), 0, *range(concat + 1, len(x.shape))])


def _lower_index(b, *, axis_name):
    return [b.manual.index[axis_name]]


# ---- the collectives ----

def _scattered(a, *, axis_name):
    return Aval((a.shape[0] // axis_size(axis_name), *a.shape[1:]), a.dtype)


def _exchanged(x, size, *, split, concat):
    """Lane j gets part j of axis `split` of every lane, in the lanes' order along a new axis `concat`."""
    return moveaxis(moveaxis(x, split + 1, 0), 1, concat + 1)


def _exchanged_aval(a, *, axis_name, split, concat):
    rest = a.shape[:split] + a.shape[split + 1:]
    return Aval((*rest[:concat], a.shape[split], *rest[concat:]), a.dtype)


psum_p = _collective("psum", lambda x, size: reduce_sum(x, (0,)), lower=_reduced("add"), transpose=lambda c, x,
                     *, axis_name: psum_p.bind(c, axis_name=axis_name)[0])
pmax_p = _collective("pmax", lambda x, size: reduce_max_p.bind(x, axes=(0,)), lower=_reduced("maximum"), jvp=_winner)
pmin_p = _collective("pmin", lambda x, size: reduce_min_p.bind(x, axes=(0,)), lower=_reduced("minimum"), jvp=_winner)
all_gather_p = _collective(
    "all_gather", lambda x, size, *, axis: moveaxis(x, 0, axis), lower=_lower_gather, shape=_gathered,
    other=lambda *, axis: {"axis": axis + 1},
    transpose=lambda c, x, *, axis_name, axis: _scatter(c, axis_name, axis))
psum_scatter_p = _collective(                            # lane i keeps rows i n / size to (i + 1) n / size of the sum
    "psum_scatter", lambda x, size: _rows_of_lanes(reduce_sum(x, (0,)), size), shape=_scattered, spread=False,
    lower=_reduced("add", "reduce_scatter", "scatter_dimension = 0 : i64"),
    transpose=lambda c, x, *, axis_name: reshape(all_gather_p.bind(c, axis_name=axis_name, axis=0)[0], x.shape))
all_to_all_p = _collective(
    "all_to_all", _exchanged, shape=_exchanged_aval, spread=False, lower=_lower_exchange,
    other=lambda *, split, concat: {"split": split + 1, "concat": concat + 1},
    transpose=lambda c, x, *, axis_name, split, concat: all_to_all_p.bind(c, axis_name=axis_name, split=concat,
                                                                          concat=split)[0])
ppermute_p = _collective(
    "ppermute", _permuted, spread=False, lower=_lower_permute,
    transpose=lambda c, x, *, axis_name, perm: ppermute_p.bind(c, axis_name=axis_name,
                                                               perm=tuple((d, s) for s, d in perm))[0])

axis_index_p = Primitive(
    "axis_index",
    multiple=True,
    effect="axis",
    eager=_no_axis,
    shape=lambda *, axis_name: [Aval((), _INT)],
    lower=_lower_index,
    jvp=lambda xs, ts, *, axis_name: (axis_index_p.bind(axis_name=axis_name), [None]),
    batch=lambda b, mine, *, axis_name: ([iota(b.size)], [True]) if b.name == axis_name
    else (axis_index_p.bind(axis_name=axis_name), [False]),
)


def _rows_of_lanes(x, size):
    return reshape(x, (size, x.shape[0] // size, *x.shape[1:]))


def _scatter(x, axis_name, axis):
    """This lane's part of the sum over the lanes, of an axis that holds one entry for each; the axis goes."""
    first = moveaxis(x, axis, 0)
    return reshape(psum_scatter_p.bind(first, axis_name=axis_name)[0], first.shape[1:])


def _names(axis_name):
    return tuple(axis_name) if isinstance(axis_name, (tuple, list)) else (axis_name,)


def _over(prim, v, axis_name, **params):
    """A collective over one axis after the other, the last first."""
    for n in reversed(_names(axis_name)):
        v = prim.bind(v, axis_name=n, **params)[0]
    return v


# ---- as users call them: over trees; axis_name is a name or a tuple of names ----

def psum(x, axis_name):
    """The sum over the lanes of a named axis, for each leaf of x.

    >>> from chainrule.engine import vmap
    >>> vmap(lambda x: psum(x, "i"), axis_name="i")([1.0, 2.0, 3.0]).tolist()
    [6.0, 6.0, 6.0]
    """
    return tree_map(lambda v: _over(psum_p, asvalue(v), axis_name), x)


def pmean(x, axis_name):
    """The mean over the lanes."""
    n = axis_size(axis_name)
    return tree_map(lambda v: v / n, psum(x, axis_name))


def pmax(x, axis_name):
    """The largest over the lanes."""
    return tree_map(lambda v: _over(pmax_p, asvalue(v), axis_name), x)


def pmin(x, axis_name):
    """The smallest over the lanes."""
    return tree_map(lambda v: _over(pmin_p, asvalue(v), axis_name), x)


def all_gather(x, axis_name, *, axis=0, tiled=False):
    """The values of all lanes, stacked along a new axis (or joined along an existing one if `tiled`)."""
    n = axis_size(axis_name)

    def one(v):
        v = asvalue(v)
        place = axis % (v.ndim + (not tiled))
        out = _over(all_gather_p, v, axis_name, axis=place)
        if tiled:
            return reshape(out, (*v.shape[:place], n * v.shape[place], *v.shape[place + 1:]))
        return reshape(out, (*v.shape[:place], n, *v.shape[place:]))
    return tree_map(one, x)


def ppermute(x, axis_name, perm):
    """Lane dst gets the value of lane src for each (src, dst) in perm; lanes that get nothing get zeros."""
    perm = tuple((int(s), int(d)) for s, d in perm)
    return tree_map(lambda v: ppermute_p.bind(asvalue(v), axis_name=axis_name, perm=perm)[0], x)


def axis_index(axis_name):
    """The number of this lane, 0, 1, …; of several axes that in row-major order."""
    names = _names(axis_name)
    index = axis_index_p.bind(axis_name=names[0])[0]
    for n in names[1:]:
        index = index * axis_size(n) + axis_index_p.bind(axis_name=n)[0]
    return index


def psum_scatter(x, axis_name, *, scatter_dimension=0, tiled=False):
    """The sum over the lanes, of which each lane keeps its part of an axis: one entry of it, and the axis goes; with
    `tiled` a block, and the axis stays."""
    n = axis_size(axis_name)

    def one(v):
        v = asvalue(v)
        size = v.shape[scatter_dimension]
        if size % n or (not tiled and size != n):
            raise TransformError(f"psum_scatter over {n} lanes: axis {scatter_dimension} of shape {v.shape} has "
                                 f"size {size}; it must be "
                                 + (f"a multiple of {n}." if tiled else f"{n}."))
        out = moveaxis(v, scatter_dimension, 0)
        for name in _names(axis_name):
            out = psum_scatter_p.bind(out, axis_name=name)[0]
        return moveaxis(out, 0, scatter_dimension) if tiled else reshape(out, out.shape[1:])
    return tree_map(one, x)


def all_to_all(x, axis_name, split_axis, concat_axis, *, tiled=False):
    """Lane i's part j of split_axis goes to lane j, which stacks the parts along a new axis, concat_axis.

    tiled : the parts are blocks of split_axis, and they are joined along the axis concat_axis, which is there
    """
    n = axis_size(axis_name)

    def one(v):
        v = asvalue(v)
        split, size = split_axis % v.ndim, v.shape[split_axis]
        if size % n or (not tiled and size != n):
            raise TransformError(f"all_to_all over {n} lanes: axis {split_axis} of shape {v.shape} must have "
                                 + (f"a size that is a multiple of {n}." if tiled else f"size {n}."))
        concat = concat_axis % v.ndim
        if not tiled:
            return all_to_all_p.bind(v, axis_name=axis_name, split=split, concat=concat)[0]
        v = reshape(v, (*v.shape[:split], n, size // n, *v.shape[split + 1:]))
        out = all_to_all_p.bind(v, axis_name=axis_name, split=split, concat=concat)[0]
        return reshape(out, (*out.shape[:concat], out.shape[concat] * out.shape[concat + 1], *out.shape[concat + 2:]))
    return tree_map(one, x)
