"""The typed program that tracing records: a jaxpr, in A-normal form.

A `Jaxpr` has input variables, equations and outputs. It holds no arrays: constants that a function
closes over are its first inputs, and only scalars stand in it as literals. `check` is the executable
specification of what a well-formed program is; `str(jaxpr)` prints one.
"""
import numpy as np

from .avals import Aval
from .errors import describe_location


class Var:
    """A variable; its identity is its name."""
    __slots__ = ("aval",)

    def __init__(self, aval):
        self.aval = aval


class Literal:
    """A scalar written into the program."""
    __slots__ = ("value", "aval")

    def __init__(self, value):
        self.value = np.asarray(value)
        self.aval = Aval(self.value.shape, self.value.dtype)


class Eqn:
    """`outs = prim[params] inputs`; `source` is the user's (code, line)."""
    __slots__ = ("prim", "inputs", "params", "outs", "source", "effects", "scope")

    def __init__(self, prim, inputs, params, outs, source=None, scope=""):
        self.prim, self.inputs, self.params, self.outs = prim, inputs, params, outs
        self.source, self.scope = source, scope
        self.effects = prim.effects(params)


class Jaxpr:
    """inputs (constants first), equations, outputs. `cache` holds what was derived from this program."""
    __slots__ = ("invars", "eqns", "outs", "effects", "name", "cache", "__weakref__")

    def __init__(self, invars, eqns, outs, name="main"):
        self.invars, self.eqns, self.outs, self.name = list(invars), list(eqns), list(outs), name
        self.effects = frozenset().union(*[e.effects for e in self.eqns])
        self.cache = {}

    @property
    def in_avals(self):
        return [v.aval for v in self.invars]

    @property
    def out_avals(self):
        return [v.aval for v in self.outs]

    def to_text(self, source=False):
        """The program as text; with `source`, each equation with the user's line that it comes from."""
        return to_text(self, source=source)

    def __str__(self):
        return to_text(self)

    __repr__ = __str__


def dead_code_elimination(jaxpr):
    """The same program without equations that nothing uses; equations with effects stay."""
    live = {v for v in jaxpr.outs if type(v) is Var}
    kept = []
    for eqn in reversed(jaxpr.eqns):
        if eqn.effects or any(v in live for v in eqn.outs):
            kept.append(eqn)
            live.update([v for v in eqn.inputs if type(v) is Var])
    kept.reverse()
    return Jaxpr(jaxpr.invars, kept, jaxpr.outs, jaxpr.name)


def all_eqns(jaxpr):
    """The equations of a program and of the programs inside it."""
    for eqn in jaxpr.eqns:
        yield eqn
        for inner in eqn.prim.programs(eqn.params):
            yield from all_eqns(inner)


# ---- the checker ----

def check(jaxpr):
    """Raise `AssertionError` if the program is not well formed: every variable is bound once and before
    it is read, and every equation's outputs have the types that its primitive's shape rule gives."""
    bound = set()
    for v in jaxpr.invars:
        assert type(v) is Var and v not in bound, "an input is bound twice"
        bound.add(v)
    for eqn in jaxpr.eqns:
        where = f"{eqn.prim.name} ({describe_location(eqn.source)})"
        for v in eqn.inputs:
            assert type(v) is Literal or v in bound, f"{where} reads a variable that is not bound"
        made = eqn.prim.out_avals([v.aval for v in eqn.inputs], eqn.params)
        assert len(made) == len(eqn.outs), f"{where}: {len(eqn.outs)} outputs, its shape rule gives {len(made)}"
        for v, aval in zip(eqn.outs, made):
            assert v not in bound, f"{where} binds a variable twice"
            assert v.aval == aval, f"{where}: output is {v.aval}, its shape rule gives {aval}"
            bound.add(v)
        for inner in eqn.prim.programs(eqn.params):
            check(inner)
    for v in jaxpr.outs:
        assert type(v) is Literal or v in bound, "an output is not bound"


# ---- the printer ----

def letters(i):
    """The i-th name: a, …, z, aa, ab, …"""
    name = ""
    i += 1
    while i:
        i, r = divmod(i - 1, 26)
        name = chr(97 + r) + name
    return name


def to_text(jaxpr, *, source=False, indent=""):
    """The program as text: `{ lambda a:f64[3] . let b:f64[3] = sin a in (b) }`, one equation a line."""
    names: dict = {}

    def name(v):
        if type(v) is Literal:
            return f"{v.value.item()!r}:{v.aval!r}"
        if v not in names:
            names[v] = letters(len(names))
        return names[v]

    def binder(v):
        return f"{name(v)}:{v.aval!r}"

    pad = indent + "    "
    lines = [f"{{ lambda {' '.join(binder(v) for v in jaxpr.invars)} . let"]
    for eqn in jaxpr.eqns:
        left = " ".join(binder(v) for v in eqn.outs)
        params = _params_text(eqn, pad, source)
        right = " ".join([eqn.prim.name + params, *[name(v) for v in eqn.inputs]])
        note = f"    # {describe_location(eqn.source)}" if source and eqn.source else ""
        lines.append(f"{pad}{left} = {right}{note}")
    lines.append(f"{indent}  in ({', '.join(name(v) for v in jaxpr.outs)}) }}")
    return "\n".join(lines)


def _params_text(eqn, pad, source):
    shown = {k: v for k, v in eqn.params.items() if v is not None and v != ()}
    if not shown:
        return ""
    parts = []
    for k, v in shown.items():
        if isinstance(v, Jaxpr):
            v = to_text(v, source=source, indent=pad + "  ")
        elif isinstance(v, tuple) and v and all(isinstance(x, Jaxpr) for x in v):
            v = "(" + " ".join(to_text(x, source=source, indent=pad + "  ") for x in v) + ")"
        parts.append(f"{k}={v}")
    return f"[{', '.join(parts)}]"
