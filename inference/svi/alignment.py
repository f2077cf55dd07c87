"""Whether what a site is made of depends on another site's plate index by index, read off a program.

With each value goes, for each site that it comes from, the axis along which each of the site's plates runs in it. Where
an operation does not keep an axis apart (a sum over it, a loop's carry, an operation not known here), it is forgotten,
and what follows depends on all indices. So what is said to be index by index is.
"""
import math

from ...distributions import Vmapped
from ...distributions.wrappers import Expanded, Independent
from ...engine import tree
from ...engine.core import aval_of, state, world
from ...ppl.inspect.walk import Fact, Walker, batch_of, shape_of
from ...ppl.sites import site_p


class Along(Fact):
    """A fact with axes.   axes : {site: {plate: axis of the value}}"""
    __slots__ = ("axes",)

    def __init__(self, origins, axes):
        super().__init__(origins)
        self.axes = axes


def axes_of(fact, site):
    """{plate: axis} of a site's plates in a value."""
    return getattr(fact, "axes", {}).get(site, {})


def _ends(types, n, given):
    """For each array of a site the number of its last axes that are no batch axes; None where that is not known."""
    event = 0 if types.fn is None else len(types.fn.event_shape)
    own = [] if types.fn is None else _parameter_ends(types.fn)
    weights = [0] * len(tree.leaves((types.mask, types.scale)))
    rest = [event] * len(tree.leaves(types.value if given else None)) + weights
    return [None] * n if own is None else own + rest


def _parameter_ends(fn):
    """The same for the arrays of a distribution; None where one of them is not known."""
    if isinstance(fn, Independent):
        base = _parameter_ends(fn.base_dist)
        return base and [n + fn.reinterpreted_batch_ndims for n in base]
    if type(fn) in (Expanded, Vmapped):
        return _parameter_ends(fn.base_dist)
    ends = [f.event_dim for f in fn._params if getattr(fn, f.name) is not None]
    return ends if len(ends) == len(tree.leaves(fn)) else None


def plates_of(facts):
    """The plates around a site, as (name, dim); those of vmap and scan left out."""
    return frozenset((f.name, f.dim) for f in facts.plates if f.dim is not None)


class Aligner(Walker):
    """A walk that notes, for each site, along which plates it depends on which site in another way than by index.

    mixed : {site: {(site that it depends on, plate)}}
    Deterministic sites are seen through.
    """

    def __init__(self):
        super().__init__(numbers=False)
        self.mixed = {}

    def equation(self, eqn, ins):
        out = super().equation(eqn, ins)
        if eqn.prim is site_p or eqn.prim.inner or len(out) != 1 or not any(type(f) is Along for f in ins):
            return out
        avals = [aval_of(v.value) if not hasattr(v, "aval") else v.aval for v in eqn.inputs]
        axes = {name: _common([_moved(eqn, i, a, axes_of(f, name)) for i, (a, f) in enumerate(zip(avals, ins))
                               if name in f.origins]) for name in out[0].origins}
        return [Along(out[0].origins, axes)]

    def site(self, eqn, ins):
        facts, structure = eqn.params["facts"], eqn.params["structure"]
        out = super().site(eqn, ins)
        types = tree.unflatten(structure, [v.aval for v in eqn.inputs])
        batch = shape_of(types.value) if types.fn is None else tuple(types.fn.batch_shape)
        given = facts.observed or facts.kind == "factor"
        leaves = tree.leaves((types.fn, types.value if given else None, types.mask, types.scale))
        ends = _ends(types, len(leaves), given)
        fact = tree.unflatten(structure, ins)
        known = tree.leaves((fact.fn, fact.value if given else None, fact.mask, fact.scale))
        mixed = self.mixed.setdefault(facts.name, set())
        for plate in plates_of(facts):
            mixed.update((name, plate) for name in self.control)
            for aval, f, end in zip(leaves, known, ends):
                places = {len(batch) + plate[1]} if shape_of(aval)[:len(batch)] == batch else set()
                if end is not None:                      # axes that are missing in front are those of other plates
                    places.add(len(shape_of(aval)) - end + plate[1])
                mixed.update((name, plate) for name in f.origins if axes_of(f, name).get(plate) not in places)
        return out

    def value_of(self, node, given):
        if node.kind == "deterministic":
            return given.value
        out = super().value_of(node, given)
        if not node.latent or not node.types:
            return out
        depth = len(batch_of(node))
        return Along(out.origins, {node.name: {plate: depth + plate[1] for plate in plates_of(node.facts)}})


def aligned(program, data):
    """({name: Node}, `Aligner.mixed`) of a program."""
    walker = Aligner()
    with world(state.root):
        walker.run(program.jaxpr, [Fact() for _ in [*program.consts, *data]])
    return walker.nodes, walker.mixed


def _common(rows):
    """The axes on which all agree."""
    return {plate: axis for plate, axis in rows[0].items() if all(r.get(plate) == axis for r in rows[1:])}


def _moved(eqn, i, aval, axes):
    """Where the axes of input i stand in the result."""
    found = {plate: _axis(eqn, i, tuple(aval.shape), axis) for plate, axis in axes.items()}
    return {plate: axis for plate, axis in found.items() if axis is not None}


def _axis(eqn, i, shape, axis):
    """The axis of the result that is axis `axis` of input i, or None."""
    name, params, out = eqn.prim.name, eqn.params, tuple(eqn.outs[0].aval.shape)
    if name == "broadcast":
        return params["dims"][axis] if out[params["dims"][axis]] == shape[axis] else None
    if eqn.prim.uniform or name in ("abs", "isfinite", "integer_pow"):
        at = axis + len(out) - len(shape)
        return at if out[at] == shape[axis] else None
    if name == "reshape":
        before, size = math.prod(shape[:axis]), shape[axis]
        return next((b for b, n in enumerate(out) if n == size > 1 and math.prod(out[:b]) == before), None)
    if name == "transpose":
        return tuple(params["permutation"]).index(axis)
    if name == "slice":
        return axis if out[axis] == shape[axis] and params["strides"][axis] == 1 else None
    if name == "gather":                                 # out: the indices' axes, then those of x that they leave whole
        return axis if i == 1 and axis < len(shape) - 1 else None
    if name.startswith("reduce_") and "axes" in params or name in ("argmax", "argmin"):
        gone = params["axes"] if "axes" in params else (params["axis"],)
        return None if axis in gone else axis - sum(a < axis for a in gone)
    if name in ("concatenate", "cumsum", "cumprod", "cummax", "cummin"):
        return axis if axis != params["axis"] else None
    return None
