"""vmap: push a batch axis into each primitive. Inside, the batch axis is always axis 0."""
from contextlib import contextmanager

from ..avals import Aval
from ..core import OPEN_EFFECTS, REGISTRY, Trace, Tracer, aval_of, state, world
from .stage import eval_jaxpr, stage


class Batch(Trace):
    """One vmapped axis: its size and its name."""
    __slots__ = ("size", "name", "context")

    def __init__(self, size, name=None, parent=None):
        super().__init__(parent)
        self.size, self.name = size, name
        self.context = None if name is None else ("axis", name, size)

    def axis_size(self, name):
        return self.size if name is not None and name == self.name else None

    def axis_names(self):
        return () if self.name is None else (self.name,)

    def process(self, prim, args, params):
        mine = [type(a) is Batched and a.trace is self for a in args]
        if not any(mine) and not prim.effects(params) & OPEN_EFFECTS:
            return prim.bind(*args, **params)
        xs = [a.value if m else a for a, m in zip(args, mine)]
        out = prim.rule("batch")(Axis(prim, self.size, self.name), mine, *xs, **params)
        if prim.multiple:
            outs, marks = out
            return [Batched(self, o) if m else o for o, m in zip(outs, marks)]
        return Batched(self, out)


class Axis:
    """What a batch rule is told: the axis' size and name, and the primitive's own bind."""
    __slots__ = ("bind", "size", "name")

    def __init__(self, prim, size, name):
        self.bind, self.size, self.name = prim.bind, size, name


class Batched(Tracer):
    """A value with a hidden leading batch axis."""
    __slots__ = ("value",)

    def __init__(self, trace, value):
        self.trace, self.value = trace, value
        a = aval_of(value)
        self.aval = Aval(a.shape[1:], a.dtype)

    def trace_name(self):
        return "vmap"


def batch_flat(fun, size, args, mine, name=None):
    """(outs, marks) of `fun(*values) -> list`, args batched on axis 0 where `mine`."""
    trace = Batch(size, name)
    with world(trace):
        outs = fun(*[Batched(trace, x) if m else x for x, m in zip(args, mine)])
    marks = [type(o) is Batched and o.trace is trace for o in outs]
    return [o.value if m else o for o, m in zip(outs, marks)], marks


def batch_jaxpr(jaxpr, size, mine, force, name=None):
    """(program, consts, marks): the batched program; outputs in `force` are batched whether they need to be or not.

    Kept with the program."""
    key = ("batch", size, tuple(mine), tuple(force), name, state.loops)
    found = jaxpr.cache.get(key)
    if found is None:
        info = {}

        def run(*args):
            outs, marks = batch_flat(lambda *a: eval_jaxpr(jaxpr, a), size, args, mine, name)
            info["marks"] = [m or f for m, f in zip(marks, force)]
            return [spread_lane(o, size) if f and not m else o for o, m, f in zip(outs, marks, force)]

        avals = [Aval((size, *a.shape), a.dtype) if m else a for a, m in zip(jaxpr.in_avals, mine)]
        made, consts, pure = stage(run, avals, jaxpr.name)
        found = made, consts, info["marks"]
        if pure:
            jaxpr.cache[key] = found
    return found


@contextmanager
def inside_loop():
    """While the body of a scan is batched: an effect learns that the lanes' axis comes before the steps' (see ppl)."""
    state.loops += 1
    try:
        yield
    finally:
        state.loops -= 1


class LaneLoop(str):
    """The name of a loop's body that runs over the lanes of a vmap: `axis` is that axis' name, `loops` as in the
    state."""
    __slots__ = ("axis", "loops")

    def __new__(cls, axis, loops):
        made = super().__new__(cls, "lanes")
        made.axis, made.loops = axis, loops
        return made


def spread_lane(x, size):
    """An unbatched value repeated along a new leading axis."""
    a = aval_of(x)
    return REGISTRY["broadcast"].bind(x, shape=(size, *a.shape), dims=tuple(range(1, len(a.shape) + 1)))
