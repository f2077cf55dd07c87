"""What a staged model's values depend on, read off its program; nothing of the user's is run again.

`walk` goes once through the equations and notes for each value a `Fact`: the sites that it comes from, its numbers
where they follow from known data alone, and the interval that it ranges over where that is known exactly. Programs
inside (jit, scan, cond, switch, while, checkpoint, custom derivatives) are entered; a loop's carry is followed until
nothing changes.

Sharp edges: dependence is by dataflow, so `0 * a` depends on a. A branch's sites depend on what chose the branch.
"""
from typing import Any, NamedTuple

import numpy as onp

from ...engine import numpy as np
from ...engine import tree
from ...engine.control.cond import switch_p
from ...engine.control.loops import while_p
from ...engine.control.scan import scan_p
from ...engine.core import state, world
from ...engine.ir import Literal
from ..programs import lane_frame
from ..sites import Arrays, Frame, site_p
from .images import KEEPING, image_of_operation, image_of_support

NOTHING: frozenset = frozenset()


class Fact:
    """What is known of one value.

    origins : names of the latent, deterministic and param sites that it depends on
    number : the array itself, where it follows from known data         image : see `images`; None where not known
    name : the site whose value it is, broadcast at most, or None
    rows : of one step's row of known data: the data of all steps
    """
    __slots__ = ("origins", "number", "image", "name", "rows")

    def __init__(self, origins=NOTHING, number=None, image=None, name=None, rows=None):
        self.origins, self.number, self.image, self.name, self.rows = origins, number, image, name, rows


class Box(NamedTuple):
    """A plate, vmap or loop around a site: what it is, its label, and a key that tells it from others."""
    key: tuple
    label: str
    frame: Frame


class Node:
    """A site as the program has it; one of a branch may be met more than once, each time with another distribution.

    parents : the sites that it depends on          lagged : those of them that it depends on by a loop's carry alone
    types : Arrays whose leaves are types           inputs : Arrays whose leaves are Facts
    """

    def __init__(self, facts, boxes):
        self.facts, self.boxes = facts, boxes
        self.direct, self.late, self.types, self.inputs = {}, {}, [], []

    name = property(lambda self: self.facts.name)
    kind = property(lambda self: self.facts.kind)
    observed = property(lambda self: self.facts.observed or self.facts.kind == "factor")
    parents = property(lambda self: frozenset(self.direct) | frozenset(self.late))
    lagged = property(lambda self: frozenset(self.late) - frozenset(self.direct))
    fn = property(lambda self: self.types[0].fn, doc="The distribution, with types in place of arrays.")

    @property
    def latent(self):
        """Whether it is random and not observed."""
        return self.kind == "sample" and not self.facts.observed


def walk(program, data, numbers=False):
    """{name: Node} of a ModelProgram's sites, in their order. With `numbers`, what is known is computed on the way."""
    walker = Walker(numbers)
    known = [Fact(number=np.asarray(x)) if numbers else Fact() for x in [*program.consts, *data]]
    with world(state.root):
        walker.run(program.jaxpr, known)
    return walker.nodes


class Walker:
    """One walk: the sites so far, and where it is."""

    def __init__(self, numbers):
        self.numbers, self.nodes = numbers, {}
        self.boxes, self.control, self.is_late = (), NOTHING, False

    def run(self, program, facts):
        """The facts of a program's results."""
        env = dict(zip(program.invars, facts))
        for eqn in program.eqns:
            ins = [self.literal(v) if type(v) is Literal else env[v] for v in eqn.inputs]
            env.update(zip(eqn.outs, self.equation(eqn, ins)))
        return [self.literal(v) if type(v) is Literal else env[v] for v in program.outs]

    def literal(self, v):
        return Fact(number=np.asarray(v.value)) if self.numbers else Fact()

    def equation(self, eqn, ins):
        if eqn.prim is site_p:
            return self.site(eqn, ins)
        rule = RULES.get(eqn.prim)
        if rule is not None:
            return rule(self, eqn.params, ins)
        programs = list(eqn.prim.programs(eqn.params)) if eqn.prim.inner else []
        if len(programs) == 1 and len(programs[0].invars) == len(ins):
            return self.run(programs[0], ins)
        joined = Fact(_union(ins))
        for program in programs:
            self.run(program, [joined] * len(program.invars))
        if self.numbers and not programs and not eqn.effects and all(f.number is not None for f in ins):
            return self.evaluated(eqn, ins)
        image = image_of_operation(eqn, ins) if self.numbers and len(eqn.outs) == 1 else None
        name = ins[0].name if eqn.prim.name in KEEPING else None
        return [Fact(joined.origins, image=image, name=name) for _ in eqn.outs]

    def evaluated(self, eqn, ins):
        out = eqn.prim.bind(*[f.number for f in ins], **eqn.params)
        return [Fact(number=y) for y in (out if eqn.prim.multiple else [out])]

    def inside(self, program, facts, box=None, control=NOTHING, late=False):
        """`run` within a loop (its box) or a branch (what it was chosen by)."""
        before = self.boxes, self.control, self.is_late
        self.boxes = self.boxes if box is None else (*self.boxes, box)
        self.control, self.is_late = self.control | control, self.is_late or late
        try:
            return self.run(program, facts)
        finally:
            self.boxes, self.control, self.is_late = before

    # ---- sites ----

    def site(self, eqn, ins):
        facts, structure = eqn.params["facts"], eqn.params["structure"]
        given = tree.unflatten(structure, ins)
        node = self.nodes.get(facts.name)
        if node is None:
            node = self.nodes[facts.name] = Node(facts, (*self.boxes, *map(_box_of, _outermost_first(facts.plates))))
        if not self.is_late:
            node.types.append(tree.unflatten(structure, [v.aval for v in eqn.inputs]))
            node.inputs.append(given)
        parts = [given.fn, given.mask, given.scale]
        if facts.kind in ("deterministic", "factor") or facts.observed:
            parts.append(given.value)
        found = NOTHING if facts.kind == "param" else _union(tree.leaves(parts)) | self.control
        (node.late if self.is_late else node.direct).update(dict.fromkeys(found))
        return [self.value_of(node, given), Fact(), Fact()]

    def value_of(self, node, given):
        facts = node.facts
        if facts.kind == "deterministic":
            return Fact(frozenset([facts.name]), given.value.number, given.value.image, facts.name)
        if facts.kind == "factor" or facts.kind == "sample" and facts.observed:
            return given.value
        if facts.kind in ("plate", "prng_key"):
            return Fact()
        image = image_of_support(node, given.fn) if self.numbers else None
        return Fact(frozenset([facts.name]), image=image, name=facts.name)

    # ---- programs inside ----

    def scan(self, params, ins):
        jaxpr, n, k = params["jaxpr"], params["n_consts"], params["n_carry"]
        frame = lane_frame(params)
        box = _box_of(frame) if frame else Box(("scan", id(jaxpr)), f"scan ({params['length']} steps)",
                                               Frame(None, None, params["length"]))
        rows = [Fact(f.origins, image=f.image, rows=f.number) for f in ins[n + k:]]
        carry, ys = self.until_same(jaxpr, ins[:n], ins[n:n + k], rows, box, NOTHING)
        return [*carry, *[Fact(y.origins, image=y.image) for y in ys]]

    def until_same(self, program, consts, init, rows, box, control, late=False):
        """(facts of the carry, of the other results) of a loop."""
        carry = [Fact(f.origins) for f in init]
        while True:
            outs = self.inside(program, [*consts, *carry, *rows], box, control, late)
            more = [Fact(c.origins | o.origins) for c, o in zip(carry, outs)]
            if all(a.origins == b.origins for a, b in zip(more, carry)):
                return carry, outs[len(carry):]
            carry, late = more, True

    def switch(self, params, ins):
        index, *xs = ins
        rows = [self.inside(program, xs, control=index.origins) for program in params["branches"]]
        return [Fact(_union(column) | index.origins) for column in zip(*rows)]

    def while_loop(self, params, ins):
        n, k = params["n_cond"], params["n_body"]
        cc, bc, init = ins[:n], ins[n:n + k], ins[n + k:]
        box = Box(("while", id(params["body"])), "while", Frame(None, None, 0))
        carry, control, late = [Fact(f.origins) for f in init], NOTHING, False
        while True:
            carry, _ = self.until_same(params["body"], bc, carry, [], box, control, late)
            test, late = self.inside(params["cond"], [*cc, *carry], box)[0].origins, True
            if test <= control:
                return [Fact(f.origins | control) for f in carry]
            control |= test
            carry = [Fact(f.origins | control) for f in carry]


RULES: dict[Any, Any] = {scan_p: Walker.scan, switch_p: Walker.switch, while_p: Walker.while_loop}


def _union(facts):
    return NOTHING.union(*[f.origins for f in facts])


def _outermost_first(frames):
    plates = [f for f in frames if f.dim is not None]
    return [*[f for f in frames if f.dim is None], *reversed(plates)]


def _box_of(frame):
    if frame.dim is not None:
        label = f"{frame.name} ({frame.size} of {frame.full})" if frame.full else f"{frame.name} ({frame.size})"
        return Box(("plate", frame.name), label, frame)
    kind = "vmap" if frame.name is None else f"{frame.name}, vmap"
    return Box(("vmap", frame.name, frame.size), f"{kind} ({frame.size})", frame)


def shape_of(x):
    """The shape of a type."""
    return tuple(onp.shape(x) if not hasattr(x, "shape") else x.shape)


def batch_of(node):
    """The shape of a site's terms inside of its loops."""
    types: Arrays = node.types[0]
    return shape_of(types.value) if types.fn is None else tuple(types.fn.batch_shape)
