"""shard_map: a program written for one device's part of the arrays, run on every device of a mesh at once.

It is `vmap` with a device for each lane: a collective inside means what it means for the lanes of a `vmap` of that
name, and `on_lanes` is that meaning, which holds where the devices cannot be used: inside of another shard_map, on a
mesh of one device, with `config.disable_jit`, and while statements of a model inside have not met their handlers.

Derivatives. An argument that is not cut lies on every device, so its cotangents are summed over the devices; of a
result that is not cut each device gets its share, the cotangent over the number of devices. So `psum` is its own
transpose.
"""
import functools

import numpy as np

from .. import tree
from ..avals import Aval, is_inexact
from ..config import config
from ..core import OPEN_EFFECTS, Primitive, Trace, aval_of, state, world
from ..errors import ShapeError, TransformError
from ..interpreters.batch import batch_flat, batch_jaxpr, spread_lane
from ..interpreters.evaluate import run_compiled
from ..interpreters.jvp import jvp_jaxpr
from ..interpreters.linearize import linearize_jaxpr
from ..interpreters.lower import type_text
from ..interpreters.stage import eval_jaxpr, stage
from ..ir import Eqn, Jaxpr, Var
from ..ops.structural import asvalue, moveaxis, reshape, transpose
from ..passes import optimize
from ..sharding.mesh import Mesh
from ..sharding.specs import NamedSharding, P, PartitionSpec
from ..staged import as_result, name_of
from .call import is_aval, spread_marks, transpose_jaxpr
from .collective import psum_p
from .varying import varying

_INT = np.dtype("int64")


class Axes(Trace):
    """Names the axes of a mesh to a program of one device. Operations pass through it."""
    __slots__ = ("sizes", "context")
    transparent = True

    def __init__(self, mesh, manual):
        super().__init__()
        self.sizes = {n: mesh.shape[n] for n in manual}
        self.context = ("devices", tuple(self.sizes.items()))

    def axis_size(self, name):
        return self.sizes.get(name)

    def axis_names(self):
        return tuple(self.sizes)

    def process(self, prim, args, params):
        return prim.bind(*args, **params)


def free_axes(jaxpr):
    """The axes over which a program has collectives, but for those that a shard_map in it names; kept with it."""
    found = jaxpr.cache.get("free axes")
    if found is None:
        found = set()
        for e in jaxpr.eqns:
            if "axis" in e.prim.effect:
                found.add(e.params["axis_name"])
            for p in e.prim.programs(e.params):
                found |= free_axes(p) - set(e.params["manual"] if e.prim is shard_map_p else ())
        jaxpr.cache["free axes"] = found
    return found


class _ShardMap(Primitive):
    """jaxpr : the program of one device; mesh; manual : the axes that it is written for, of the others XLA takes care;
    ins, outs : a PartitionSpec for each input and result"""
    __slots__ = ()

    def effects(self, params):
        """Those of the program, but for the collectives over its own axes."""
        jaxpr = params["jaxpr"]
        if "axis" not in jaxpr.effects or free_axes(jaxpr) - set(params["manual"]):
            return jaxpr.effects
        return jaxpr.effects - {"axis"}

    def meshes(self, params):
        return (params["mesh"],)

    def wanted(self, params, avals):
        """For each operand the sharding that it is wanted in."""
        return [NamedSharding(params["mesh"], s) for s in params["ins"]]


def _eager(args, params):
    if config.disable_jit or params["mesh"].size == 1 or shard_map_p.effects(params) & OPEN_EFFECTS:
        return on_lanes(args, **params)
    avals = [aval_of(a) for a in args]
    jaxpr = params["jaxpr"]
    key = ("whole", params["mesh"], params["manual"], params["ins"], params["outs"])
    whole = jaxpr.cache.get(key)
    if whole is None:
        ins, outs = [Var(a) for a in avals], [Var(a) for a in shard_map_p.out_avals(avals, params)]
        whole = jaxpr.cache[key] = Jaxpr(ins, [Eqn(shard_map_p, ins, params, outs)], outs, jaxpr.name)
    return run_compiled(whole, [asvalue(a) for a in args])


def _size(mesh, names):
    return int(np.prod([mesh.shape[n] for n in names], dtype=int))


def local_aval(aval, spec, mesh):
    """The type of one device's part."""
    shape = [n // _size(mesh, names) for n, names in zip(aval.shape, spec.axes(aval.ndim))]
    return Aval(tuple(shape), aval.dtype)


def global_aval(aval, spec, mesh):
    """The type of the whole of which this is one device's part."""
    shape = [n * _size(mesh, names) for n, names in zip(aval.shape, spec.axes(aval.ndim))]
    return Aval(tuple(shape), aval.dtype)


def _shape(*avals, jaxpr, mesh, manual, ins, outs):
    return [global_aval(a, s, mesh) for a, s in zip(jaxpr.out_avals, outs)]


shard_map_p = _ShardMap(
    "shard_map",
    multiple=True,
    handled=True,
    inner=("jaxpr",),
    eager=_eager,
    shape=_shape,
    impl=lambda *xs, **params: on_lanes(xs, **params),
)


# ---- the meaning: lanes instead of devices ----

def on_lanes(args, *, jaxpr, mesh, manual, ins, outs):
    """The results by one vmap for each axis of the mesh."""
    axes = [n for n in mesh.axis_names if n in manual]

    def at(level, values):
        """(values, marks): the program under the axes from `level` on; marks say over which of them a value runs."""
        if level == len(axes):
            return eval_jaxpr(jaxpr, values)
        name = axes[level]
        mine = [any(name in names for names in s.axes()) for s in ins]
        made, marks = batch_flat(lambda *v: at(level + 1, v), mesh.shape[name], values, mine, name)
        return [v if m else spread_lane(v, mesh.shape[name]) for v, m in zip(made, marks)]

    made = at(0, [_lanes_first(asvalue(x), s, mesh, axes) for x, s in zip(args, ins)])
    return [_joined(asvalue(y), s, mesh, axes) for y, s in zip(made, outs)]


def _lanes_first(x, spec, mesh, axes):
    """The axes of the mesh that cut x, out of its own axes and to the front, in the mesh's order."""
    shape, names = [], []
    for n, cut in zip(x.shape, spec.axes(x.ndim)):
        shape += [*[mesh.shape[c] for c in cut], n // _size(mesh, cut)]
        names += [*cut, None]
    x = reshape(x, tuple(shape))
    order = [names.index(a) for a in axes if a in names]
    return _permuted(x, [*order, *[i for i, n in enumerate(names) if n is None]])


def _joined(y, spec, mesh, axes):
    """The inverse for results, which have every axis in front; of those that do not cut it the first lane counts."""
    cut = [n for names in spec.axes() for n in names]
    for i in reversed(range(len(axes))):
        if axes[i] not in cut:
            y = moveaxis(y, i, 0)[0] if y.shape[i] > 1 else reshape(y, y.shape[:i] + y.shape[i + 1:])
    axes = [a for a in axes if a in cut]
    own = y.shape[len(axes):]
    order, shape = [], []
    for i, (n, names) in enumerate(zip(own, spec.axes(len(own)))):
        order += [*[axes.index(c) for c in names], len(axes) + i]
        shape.append(n * _size(mesh, names))
    return reshape(_permuted(y, order), tuple(shape))


def _permuted(x, order):
    return x if list(order) == sorted(order) else transpose(x, tuple(order))


# ---- on devices ----

class Manual:
    """Where the program of one device is lowered: its mesh, and the number of the device along each axis."""
    __slots__ = ("mesh", "index")

    def __init__(self, mesh, index):
        self.mesh, self.index = mesh, index

    def groups(self, name):
        """The devices, by their numbers in the program, that talk to one another along an axis."""
        places = np.arange(self.mesh.size).reshape(self.mesh.devices.shape)
        i = self.mesh.axis_names.index(name)
        return np.moveaxis(places, i, -1).reshape(-1, places.shape[i])


@shard_map_p.define("lower")
def _(b, *xs, jaxpr, mesh, manual, ins, outs):
    params = dict(jaxpr=jaxpr, mesh=mesh, manual=manual, ins=ins, outs=outs)
    if mesh.size == 1 or b.manual is not None:
        return _lower_lanes(b, xs, params)
    axes = [n for n in mesh.axis_names if n in manual]
    numbers = [b.emit(Aval((mesh.shape[n],), _INT), f"stablehlo.iota dim = 0 : "
                                                    f"{type_text(Aval((mesh.shape[n],), _INT))}")
               for n in axes]
    operands = [*xs, *numbers]
    in_text = [b.sharding(mesh, s, len(x.shape)) for x, s in zip(xs, ins)] + [b.sharding(mesh, P(n), 1) for n in axes]
    with b.region([*jaxpr.in_avals, *[Aval((1,), _INT)] * len(axes)]) as args:
        b.manual = Manual(mesh, {n: b.reshape(a, ()) for n, a in zip(axes, args[len(xs):])})
        try:
            made = b.program(jaxpr, args[:len(xs)])
        finally:
            b.manual = None
        b.lines.append(f'"sdy.return"({", ".join([v.name for v in made])}) : '
                       f'({", ".join([v.type for v in made])}) -> ()')
    body = b.closed.split("\n", 1)[1]
    head = ", ".join([f"{a.name}: {a.type}" for a in args])
    avals = shard_map_p.out_avals([x.aval for x in xs], params)
    out_text = [b.sharding(mesh, s, a.ndim) for s, a in zip(outs, avals)]
    names = ", ".join([f'"{n}"' for n in axes])
    return b.emit_many(avals, f"sdy.manual_computation({', '.join([x.name for x in operands])}) "
                              f"in_shardings=[{', '.join(in_text)}] out_shardings=[{', '.join(out_text)}] "
                              f"manual_axes={{{names}}} ({head}) {{\n{body}\n}} : "
                              f"({', '.join([x.type for x in operands])}) -> "
                              f"({', '.join([type_text(a) for a in avals])})")


def _lower_lanes(b, xs, params):
    jaxpr = params["jaxpr"]
    key = ("lanes", params["mesh"], params["manual"], params["ins"], params["outs"])
    found = jaxpr.cache.get(key)
    if found is None:
        made, consts, _ = stage(lambda *v: on_lanes(v, **params), [x.aval for x in xs], jaxpr.name)
        found = jaxpr.cache[key] = optimize(made), consts
    return b.program(found[0], [*[b.literal(np.asarray(c)) for c in found[1]], *xs])


# ---- transformations ----

def _staged(fun, avals, name, mesh, manual):
    """(program, closed-over values) of the function of one device's part."""
    with world(Axes(mesh, manual)):
        return stage(fun, avals, name)[:2]


@shard_map_p.define("jvp")
def _(xs, ts, *, jaxpr, mesh, manual, ins, outs):
    wanted = [t is not None for t in ts]
    with world(Axes(mesh, manual)):
        pushed, consts, marks = jvp_jaxpr(jaxpr, wanted, [False] * len(jaxpr.outs))
    made = shard_map_p.bind(
        *consts, *xs, *[t for t in ts if t is not None], jaxpr=pushed, mesh=mesh, manual=manual,
        ins=(*[P()] * len(consts), *ins, *[s for s, w in zip(ins, wanted) if w]),
        outs=(*outs, *[s for s, m in zip(outs, marks) if m]))
    return spread_marks(made, marks)


@shard_map_p.define("linearize")
def _(linear, xs, ts, *, jaxpr, mesh, manual, ins, outs):
    wanted = [t is not None for t in ts]
    with world(Axes(mesh, manual)):
        known, consts, lin, marks, n = linearize_jaxpr(jaxpr, wanted)
    n_out = len(marks)
    kept = known.out_avals[n_out:]
    key = ("residuals", n_out)
    if key not in known.cache:
        def with_axis(*args):                            # a residual differs from device to device: one row for each
            made = eval_jaxpr(known, args)
            return made[:n_out] + [reshape(r, (1, *aval_of(r).shape)) for r in map(asvalue, made[n_out:])]

        def without(*args):
            return eval_jaxpr(lin, [*[reshape(r, r.shape[1:]) for r in args[:n]], *args[n:]])

        rows = [Aval((1, *a.shape), a.dtype) for a in kept]
        known.cache[key] = (_staged(with_axis, known.in_avals, known.name, mesh, manual),
                            _staged(without, rows + lin.in_avals[n:], lin.name, mesh, manual))
    (first, more), (second, again) = known.cache[key]
    row = P(tuple([a for a in mesh.axis_names if a in manual]))
    made = shard_map_p.bind(*more, *consts, *xs, jaxpr=first, mesh=mesh, manual=manual,
                            ins=(*[P()] * (len(more) + len(consts)), *ins), outs=(*outs, *[row] * n))
    tangents = iter(shard_map_p.bind(
        *again, *made[n_out:], *[t for t in ts if t is not None], jaxpr=second, mesh=mesh, manual=manual,
        ins=(*[P()] * len(again), *[row] * n, *[s for s, w in zip(ins, wanted) if w]),
        outs=tuple([s for s, m in zip(outs, marks) if m])) if any(marks) else ())
    return made[:n_out], [next(tangents) if m else None for m in marks]


def _missing(spec, mesh, manual):
    """The axes along which the devices hold copies."""
    cut = [n for names in spec.axes() for n in names]
    return [n for n in mesh.axis_names if n in manual and n not in cut]


def _share(c, n):
    return c / n if n > 1 and is_inexact(c.dtype) else c


@shard_map_p.define("transpose")
def _(cs, *xs, jaxpr, mesh, manual, ins, outs):
    known = [not is_aval(x) for x in xs]
    given = [c is not None for c in cs]
    with world(Axes(mesh, manual)):
        pulled, consts, marks = transpose_jaxpr(jaxpr, known, given)
    solved = [s for s, k, in zip(ins, known) if not k]
    wanted = [s for s, m in zip(solved, [m for m, k in zip(marks, known) if not k]) if m]
    n_known = len(consts) + sum(known)
    key = ("shares", tuple(outs), tuple(wanted))
    if key not in pulled.cache:
        def shares(*args):
            values, cts = args[:n_known], args[n_known:]
            given_specs = [s for s, g in zip(outs, given) if g]
            cts = [_share(c, _size(mesh, _missing(s, mesh, manual))) for c, s in zip(cts, given_specs)]
            made = eval_jaxpr(pulled, [*values, *cts])
            for n in mesh.axis_names:
                made = [psum_p.bind(c, axis_name=n)[0] if n in _missing(s, mesh, manual) else c
                        for c, s in zip(made, wanted)]
            return made
        pulled.cache[key] = _staged(shares, pulled.in_avals, pulled.name, mesh, manual)
    whole, more = pulled.cache[key]
    made = iter(shard_map_p.bind(
        *more, *consts, *[x for x, k in zip(xs, known) if k], *[c for c in cs if c is not None], jaxpr=whole, mesh=mesh,
        manual=manual, outs=tuple(wanted),
        ins=(*[P()] * (len(more) + len(consts)), *[s for s, k in zip(ins, known) if k],
             *[s for s, g in zip(outs, given) if g])))
    return [next(made) if m else None for m in marks]


@shard_map_p.define("batch")
def _(b, mine, *xs, jaxpr, mesh, manual, ins, outs):
    with world(Axes(mesh, manual)):
        batched, consts, marks = batch_jaxpr(jaxpr, b.size, mine, [False] * len(jaxpr.outs), b.name)
    made = b.bind(*consts, *xs, jaxpr=batched, mesh=mesh, manual=manual,
                  ins=(*[P()] * len(consts), *[P(None, *s) if m else s for s, m in zip(ins, mine)]),
                  outs=tuple([P(None, *s) if m else s for s, m in zip(outs, marks)]))
    return made, marks


# ---- as users call it ----

def _spec_leaf(s):
    return s is None or isinstance(s, PartitionSpec)


def _specs(given, whole, what, f):
    """One PartitionSpec for each leaf, from a prefix of the tree."""
    try:
        made = tree.broadcast(given, whole, is_leaf=_spec_leaf)
    except (TransformError, ValueError, TypeError) as e:
        raise TransformError(f"shard_map of {name_of(f)}: {what}, {given!r}, does not begin the tree "
                             f"{tree.structure(whole)}.\nGive one PartitionSpec for a whole tree, or a tree of them "
                             "with the same tuples and keys.") from e
    return [P() if s is None else s for s in tree.leaves(made, is_leaf=_spec_leaf)]


def shard_map(f=None, *, mesh=None, in_specs, out_specs, axis_names=None, check_vma=True):
    """f, a function of one device's parts, as a function of whole arrays that runs on every device of a mesh.

    mesh : a `Mesh`; the one of the `with` block when it is not given
    in_specs, out_specs : how the arguments are cut, and how the parts of the results are put together: a
        `PartitionSpec` for each leaf, or a prefix of the tree. An argument's axis that is not mentioned is whole on
        every device; a result's must be the same on every device, and the first one's is taken.
    axis_names : the axes that f is written for, all by default; over the others XLA spreads the work of f as
        it sees fit
    check_vma : raise TransformError for a result that may differ along an axis that its spec does not mention
    Inside, psum, pmean, pmax, pmin, all_gather, all_to_all, ppermute, psum_scatter and axis_index take the names of
    the axes.

    Raises ShapeError for an axis that cannot be cut evenly.

    >>> import chainrule.engine.numpy as np
    >>> from chainrule.engine import lax, make_mesh
    >>> mesh = make_mesh((1,), ("i",))
    >>> total = shard_map(lambda x: lax.psum(x.sum(), "i"), mesh=mesh, in_specs=P("i"), out_specs=P())
    >>> float(total(np.arange(4.0)))
    6.0
    """
    if f is None:
        return functools.partial(shard_map, mesh=mesh, in_specs=in_specs, out_specs=out_specs, axis_names=axis_names,
                                 check_vma=check_vma)

    @functools.wraps(f)
    def mapped(*args):
        over = mesh if mesh is not None else state.mesh
        if not isinstance(over, Mesh):
            raise TransformError(f"shard_map of {name_of(f)} has no mesh: give mesh=make_mesh(...), or call it in "
                                 "`with mesh:`.")
        manual = tuple([n for n in over.axis_names if axis_names is None or n in axis_names])
        given = tuple(in_specs) if isinstance(in_specs, list) else in_specs
        pairs, treedef = tree.flatten_with_path(args)
        leaves = [asvalue(x) for _, x in pairs]
        ins = _specs(given, args, "in_specs", f)
        for (path, _), x, s in zip(pairs, leaves, ins):
            _check(f, f"argument {tree.keystr(path)}", x.shape, s, over, manual)
        trees = []

        def flat(*values):
            out, out_tree = tree.flatten(f(*tree.unflatten(treedef, values)))
            trees.append(out_tree)
            return [as_result(o, f) for o in out]

        parts = [local_aval(x.aval, s, over) for x, s in zip(leaves, ins)]
        jaxpr, consts = _staged(flat, parts, name_of(f), over, manual)
        outs = _specs(out_specs, tree.unflatten(trees[0], list(range(len(jaxpr.outs)))), "out_specs", f)
        for i, (a, s) in enumerate(zip(jaxpr.out_avals, outs)):
            _check(f, f"result {i}", None, s, over, manual, a.ndim)
        ins = (*[P()] * len(consts), *ins)
        if check_vma:
            _check_copies(f, jaxpr, ins, outs, over, manual)
        facts = dict(jaxpr=jaxpr, mesh=over, manual=manual, ins=ins, outs=tuple(outs))
        if "site" in jaxpr.effects:                      # handlers are to see statements of every lane
            out = on_lanes([*consts, *leaves], **facts)
        else:
            out = shard_map_p.bind(*consts, *leaves, **facts)
        return tree.unflatten(trees[0], out)
    return mapped


def _check(f, what, shape, spec, mesh, manual, ndim=None):
    ndim = len(shape) if ndim is None else ndim
    for n in [n for names in spec.axes() for n in names]:
        if n not in manual:
            raise TransformError(f"shard_map of {name_of(f)}: the spec of {what}, {spec!r}, names {n!r}; the axes "
                                 f"of the map are {manual}.")
    if len(spec) > ndim:
        raise ShapeError(f"shard_map of {name_of(f)}: {what} has {ndim} axes, and its spec is {spec!r}.")
    if shape is not None:
        for i, (n, names) in enumerate(zip(shape, spec.axes(ndim))):
            k = _size(mesh, names)
            if n % k:
                raise ShapeError(f"shard_map of {name_of(f)}: axis {i} of {what}, of shape {tuple(shape)}, is cut "
                                 f"into {k} parts by {spec!r}, and {n} is not a multiple of {k}.\nPad it, or take a "
                                 "mesh that divides it.")


def _check_copies(f, jaxpr, ins, outs, mesh, manual):
    found = varying(jaxpr, [frozenset(n for names in s.axes() for n in names) for s in ins])
    for i, (axes, s) in enumerate(zip(found, outs)):
        over = [n for n in _missing(s, mesh, manual) if n in axes and mesh.shape[n] > 1]
        if over:
            raise TransformError(f"shard_map of {name_of(f)}: result {i} may differ from device to device along "
                                 f"{over[0]!r}, and its spec, {s!r}, does not say so: one device's would be taken.\n"
                                 f"Sum it over the axis (psum(x, {over[0]!r})), write the axis into out_specs, or "
                                 "pass check_vma=False when the devices' values are known to be equal.")
