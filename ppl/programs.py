"""Handlers through programs: what happens at a jit, checkpoint, scan, cond, switch or while whose program has sites.

Written once, for the three things that a handler may need: put values in by name (sliced along a scan's steps), take
values out by name (stacked along a scan, joined over branches), and thread a state (a running total). The handler's
copy runs inside the staged program; what it closes over becomes an operand of the program by itself.
"""
from functools import partial
from typing import Any, NamedTuple

import numpy as onp

from ..engine import numpy as np
from ..engine import tree
from ..engine.avals import Aval, is_inexact
from ..engine.control.call import jit_p
from ..engine.control.cond import join, switch_p
from ..engine.control.loops import while_p
from ..engine.control.remat import remat_p
from ..engine.control.scan import scan_p
from ..engine.core import aval_of, world
from ..engine.interpreters.batch import LaneLoop
from ..engine.interpreters.stage import eval_jaxpr
from ..engine.interpreters.stage import stage as stage_program
from ..engine.ir import Var
from .sites import Arrays, Facts, Frame, Site, SiteError, site_p
from .stacked import feasible, stack
from .stacked import join as join_sites


class Place(NamedTuple):
    """Where a site stands in an equation's programs."""
    facts: Facts
    lanes: tuple               # sizes of the axes that come from a vmap around the equation
    is_open: bool              # it has no value yet


def site_names(prim, params):
    """{name: Place} of the sites in an equation's programs, inner ones included."""
    return {place.facts.name: place for program in prim.programs(params) for place in _places(program, 0, ())}


def _places(program, depth, frames):
    """depth: the number of loops inside of the equation so far; frames: (frame, its depth) of the loops over lanes."""
    for eqn in program.eqns:
        if eqn.prim is site_p:
            facts = eqn.params["facts"]
            lanes = [f.size for f in facts.plates if f.loops > depth] + [f.size for f, d in frames if f.loops > d]
            yield Place(facts, tuple(lanes), _is_open(eqn))
        elif eqn.prim.inner:
            frame = lane_frame(eqn.params) if eqn.prim is scan_p else None
            more = (*frames, (frame, depth)) if frame else frames
            for inner in eqn.prim.programs(eqn.params):
                yield from _places(inner, depth + (eqn.prim is scan_p), more)


def _is_open(eqn):
    """Whether a site's equation has no value among its operands."""
    return eqn.params["structure"].children[Arrays._fields.index("value")].num_leaves == 0


def lane_frame(params):
    """The frame of a scan that runs over the lanes of a vmap, else None."""
    name = params["jaxpr"].name
    return Frame(name.axis, None, params["length"], name.loops) if isinstance(name, LaneLoop) else None


def through_program(handler, prim, args, params):
    """Run a handler through an equation with programs inside; returns the equation's results."""
    rule, places = RULES.get(prim), site_names(prim, params)
    handler.meets(places)
    if rule is None:
        facts = next(iter(places.values())).facts
        raise SiteError(f"site {facts.name!r} stands in a function that goes through `{prim.name}`, which handlers "
                        "cannot see into.\nTake the sample statement out of that function.", facts.source)
    return rule(handler, args, params)


def _run(handler, index, values, carried, program, args):
    """One run of a program under the handler's copy: (results, carried, what was taken)."""
    inner = handler.enter(index)
    inner.put(values)
    inner.carry(carried)
    with world(inner):
        out = eval_jaxpr(program, args)
    return out, inner.carried(), inner.taken()


def _types(values):
    return [aval_of(np.asarray(v)) for v in values]


class Taken:
    """How to make sites of what came out of a program."""

    def __init__(self, facts, rebuild):
        self.facts, self.rebuild = facts, rebuild

    def sites(self, made):
        """The sites, in the order in which they were met."""
        return [self.rebuild(made[name], facts) for name, facts in self.facts.items()]


# ---- jit, checkpoint ----

def _call(prim, handler, args, params):
    info = {}
    carried_leaves, carried_tree = tree.flatten(handler.carried())
    n = len(carried_leaves)

    def body(*flat):
        out, carried, taken = _run(handler, None, {}, tree.unflatten(carried_tree, flat[:n]), params["jaxpr"], flat[n:])
        arrays, info["facts"] = taken or ({}, {})
        leaves, info["tree"] = tree.flatten(arrays)
        return out + tree.leaves(carried) + leaves

    program, consts, _ = stage_program(body, _types([*carried_leaves, *args]), params["jaxpr"].name)
    out = prim.bind(*consts, *carried_leaves, *args, **{**params, "jaxpr": program})
    k = len(params["jaxpr"].outs)
    handler.carry(tree.unflatten(carried_tree, out[k:k + n]))
    handler.absorb(tree.unflatten(info["tree"], out[k + n:]), Taken(info["facts"], lambda a, f: Site(a, f)))
    return out[:k]


# ---- scan ----

def _scan(handler, args, params):
    jaxpr, n_consts, n_carry, length = params["jaxpr"], params["n_consts"], params["n_carry"], params["length"]
    consts, init, xs = args[:n_consts], args[n_consts:n_consts + n_carry], args[n_consts + n_carry:]
    _check_params(jaxpr, [False] * n_consts + [True] * (len(jaxpr.invars) - n_consts))
    places = site_names(scan_p, params)
    values = _sliced(handler, places, length)
    value_leaves, value_tree = tree.flatten(values)
    carried_leaves, carried_tree = tree.flatten(handler.carried())
    steps = np.arange(length)
    n, v, info = len(carried_leaves), len(value_leaves), {}

    def body(*flat):
        carried, carry = flat[:n], flat[n:n + n_carry]
        step, given, x = flat[n + n_carry], flat[n + n_carry + 1:n + n_carry + 1 + v], flat[n + n_carry + 1 + v:]
        given, carried = tree.unflatten(value_tree, given), tree.unflatten(carried_tree, carried)
        out, carried, taken = _run(handler, step, given, carried, jaxpr, [*consts, *carry, *x])
        out = [_carried(o, aval_of(c), places) for o, c in zip(out, carry)] + out[n_carry:]
        arrays, info["facts"] = taken or ({}, {})
        leaves, info["tree"] = tree.flatten(arrays)
        return tree.leaves(carried) + out + leaves

    rows = [steps, *value_leaves, *xs]
    types = _types([*carried_leaves, *init]) + [Aval(a.shape[1:], a.dtype) for a in _types(rows)]
    program, more, _ = stage_program(body, types, jaxpr.name)
    out = scan_p.bind(*more, *carried_leaves, *init, *rows, jaxpr=program, n_consts=len(more), n_carry=n + n_carry,
                      length=length, reverse=params["reverse"])
    k = n + len(jaxpr.outs)
    frame = lane_frame(params)
    handler.carry(tree.unflatten(carried_tree, out[:n]))
    handler.absorb(tree.unflatten(info["tree"], out[k:]), Taken(info["facts"], lambda a, f: stack(a, f, length, frame)))
    return out[n:k]


def _carried(x, aval, places):
    """What a scan carries on, in the type that it began with."""
    x = np.asarray(x)
    if x.dtype == aval.dtype:
        return x
    if is_inexact(x.dtype) and not is_inexact(aval.dtype):
        name, place = next(iter(places.items()))
        raise SiteError(f"a scan with the site {name!r} carries an {aval.dtype} on, and with the values that its sites "
                        f"are given it would be {x.dtype}.\nCarry a floating-point number: write 1.0 * value.",
                        place.facts.source)
    return np.astype(x, aval.dtype)


def _sliced(handler, places, length):
    """The values for a scan's sites, one slice for each step."""
    values = {}
    for name, value in handler.puts(set(places)).items():
        facts, lanes, _ = places[name]
        if facts.kind == "param":                        # the same at each step
            continue
        value, k = np.asarray(value), len(lanes)
        if value.ndim <= k or value.shape[k] != length:
            raise SiteError(f"site {name!r} stands in a scan of {length} steps, and the value given for it has shape "
                            f"{value.shape}.\n{f'Axis {k}' if k else 'Its leading axis'} runs over the steps: pass "
                            f"shape ({', '.join(map(str, (*lanes, length)))}, ...).", facts.source)
        values[name] = np.moveaxis(value, k, 0) if k else value
    return values


def _check_params(jaxpr, moving):
    """Raise SiteError where the start of a param depends on inputs that change from step to step (`moving`)."""
    known = {v: m for v, m in zip(jaxpr.invars, moving)}
    for eqn in jaxpr.eqns:
        marks = [type(v) is Var and known.get(v, False) for v in eqn.inputs]
        if eqn.prim is site_p and eqn.params["facts"].kind == "param" and any(marks):
            facts = eqn.params["facts"]
            raise SiteError(f"param {facts.name!r} stands in a loop, and its start depends on the step.\n"
                            "A parameter is one for all steps: make its start outside of the loop.", facts.source)
        for inner in eqn.prim.programs(eqn.params) if eqn.prim.inner else ():
            if len(inner.invars) == len(marks):
                _check_params(inner, marks)
        known.update(dict.fromkeys(eqn.outs, any(marks)))


# ---- cond and switch ----

def _switch(handler, args, params):
    index, *xs = args
    branches = params["branches"]
    carried_leaves, carried_tree = tree.flatten(handler.carried())
    given = handler.puts(set(site_names(switch_p, params)))      # operands: values for a branch not taken need not fit
    given = {name: np.asarray(value) for name, value in given.items()}
    n, v = len(carried_leaves), len(given)
    operands = [*carried_leaves, *given.values(), *xs]
    takens, staged = [], []
    for program in branches:
        def body(*flat, program=program):
            carried = tree.unflatten(carried_tree, flat[:n])
            out, carried, taken = _run(handler, None, dict(zip(given, flat[n:])), carried, program, flat[n + v:])
            arrays, facts = taken or ({}, {})
            takens.append((tree.map(aval_of, arrays), facts))        # types: a traced value must not outlive its trace
            return tree.leaves(carried) + out + tree.leaves(arrays)
        staged.append(stage_program(body, _types(operands), program.name)[:2])
    k = n + len(branches[0].outs)
    types = [[v.aval for v in program.outs[k:]] for program, _ in staged]
    rows = [arrays for arrays, _ in takens]
    joined, consts = join([_padded(program, c, k, rows, i) for i, (program, c) in enumerate(staged)])
    out = switch_p.bind(index, *consts, *operands, branches=joined)
    handler.carry(tree.unflatten(carried_tree, out[:n]))
    made, at = [], k
    for (arrays, _), t in zip(takens, types):
        made.append(tree.unflatten(tree.structure(arrays), out[at:at + len(t)]))
        at += len(t)
    facts = {name: f for _, fs in takens for name, f in fs.items()}
    picked = np.clip(index, 0, len(branches) - 1)
    handler.absorb({name: [m.get(name) for m in made] for name in facts},
                   Taken(facts, lambda arrays, f: join_sites(picked, arrays, f)))
    return out[n:k]


def _padded(program, consts, k, takens, mine):
    """A branch whose taken sites stand in a row with stand-ins for those of the other branches."""
    def run(*args):
        out = eval_jaxpr(program, args)
        rest = [out[k:] if i == mine else tree.leaves(_stand_in(arrays)) for i, arrays in enumerate(takens)]
        return out[:k] + [x for row in rest for x in row]
    made, more, _ = stage_program(run, program.in_avals, program.name)
    return made, list(more) + list(consts)


def _stand_in(arrays):
    """Arrays of the types of taken sites: zeros, with parameters that their distributions allow."""
    zeros = tree.map(lambda x: np.zeros(x.shape, x.dtype), arrays)
    return {name: a._replace(fn=feasible(a.fn)) for name, a in zeros.items()}


# ---- while ----

def _while(handler, args, params):
    cond, body, n_cond, n_body = params["cond"], params["body"], params["n_cond"], params["n_body"]
    places = site_names(while_p, params)
    first = next(iter(places.values())).facts
    if cond.effects:
        raise SiteError(f"site {first.name!r} stands in the condition of a while_loop; put it into the body.",
                        first.source)
    for name in handler.puts({n for n, place in places.items() if place.facts.kind != "param"}):
        raise SiteError(f"site {name!r} stands in a while_loop, whose number of steps is not known, so it cannot be "
                        "given values.\nUse scan or fori_loop with a fixed number of steps.", places[name].facts.source)
    cc, bc, init = args[:n_cond], args[n_cond:n_cond + n_body], args[n_cond + n_body:]
    carried_leaves, carried_tree = tree.flatten(handler.carried())
    n = len(carried_leaves)

    def step(*flat):
        index, carried, state = flat[0], flat[1:1 + n], flat[1 + n:]
        out, carried, taken = _run(handler, index, {}, tree.unflatten(carried_tree, carried), body, [*bc, *state])
        if taken and taken[0]:
            name = next(iter(taken[0]))
            raise SiteError(f"site {name!r} stands in a while_loop, whose number of steps is not known, so it cannot "
                            "be recorded.\nUse scan or fori_loop with a fixed number of steps, or hide the site with "
                            "block.", places[name].facts.source)
        return [index + 1, *tree.leaves(carried), *out]

    def test(*flat):
        return eval_jaxpr(cond, [*cc, *flat[1 + n:]])

    start = [onp.asarray(0), *carried_leaves, *init]
    new_body, more_b, _ = stage_program(step, _types(start), "body")
    new_cond, more_c, _ = stage_program(test, _types(start), "cond")
    out = while_p.bind(*more_c, *more_b, *start, cond=new_cond, body=new_body, n_cond=len(more_c), n_body=len(more_b))
    handler.carry(tree.unflatten(carried_tree, out[1:1 + n]))
    return out[1 + n:]


RULES: dict[Any, Any] = {jit_p: partial(_call, jit_p), remat_p: partial(_call, remat_p), scan_p: _scan,
                         switch_p: _switch, while_p: _while}
