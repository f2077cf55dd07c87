"""Staging: run a function on types and record what depends on them as a `Jaxpr`.

Closed-over arrays and tracers of outer interpreters become the first inputs of the program. An operation
that touches none of the staged values is passed to the world below, where it is computed once.
"""
import gc
import inspect

import numpy as np

from ..array import Array, Value
from ..config import config
from ..core import Trace, Tracer, aval_of, source_line, state, world
from ..errors import LeakedTracerError
from ..ir import Eqn, Jaxpr, Literal, Var, check, dead_code_elimination


class Stage(Trace):
    """Records equations. With `linear`, only what depends on its inputs, effects or not."""
    __slots__ = ("eqns", "invars", "captured", "linear", "impure")

    def __init__(self, linear=False, parent=None):
        super().__init__(parent)
        self.eqns, self.invars, self.captured = [], [], {}
        self.linear, self.impure = linear, False

    def input(self, aval):
        """A new input of the program."""
        var = Var(aval)
        self.invars.append(var)
        return StageTracer(self, var)

    def atom(self, x):
        """The variable or literal that stands for x in the program."""
        if type(x) is StageTracer and x.trace is self:
            return x.var
        if isinstance(x, Tracer):
            return self.capture(x)
        if type(x) is Array:
            return Literal(x.value) if x.ndim == 0 else self.capture(x)
        if getattr(x, "ndim", 0) == 0:
            return Literal(x)
        return self.capture(x)

    def capture(self, x):
        """A closed-over value: an input of the program, or made again if it has a recipe."""
        found = self.captured.get(id(x))
        if found is not None:
            return found[0]
        var = Var(aval_of(x))
        recipe = x.recipe if type(x) is Array else None
        if recipe is not None:
            self.eqns.append(Eqn(recipe[0], [], recipe[1], [var]))
        # a copy: the program must not follow later changes
        value = x if isinstance(x, Value) else Array(np.array(x))
        self.captured[id(x)] = (var, value, recipe is None, x)
        return var

    def process(self, prim, args, params):
        for a in args:
            if type(a) is StageTracer and a.trace is self:
                break
        else:
            if self.linear or not prim.effects(params):
                return prim.bind(*args, **params)
        inputs = [self.atom(a) for a in args]
        avals = [v.aval for v in inputs]
        outs = [Var(a) for a in prim.out_avals(avals, params)]
        self.eqns.append(Eqn(prim, inputs, params, outs, source_line(), state.scope))
        if prim.multiple:
            return [StageTracer(self, v) for v in outs]
        return StageTracer(self, outs[0])

    def finish(self, outs, name="main", keep_unused=False):
        """(program, closed-over values): the values are the program's first inputs."""
        atoms = [self.atom(x) for x in outs]
        captured = [(v, x) for v, x, is_input, _ in self.captured.values() if is_input]
        jaxpr = dead_code_elimination(Jaxpr([], self.eqns, atoms, name))
        used = {v for e in jaxpr.eqns for v in e.inputs} | set(jaxpr.outs)
        captured = [(v, x) for v, x in captured if v in used]
        jaxpr.invars = [v for v, _ in captured] + self.invars
        if config.check_programs:
            check(jaxpr)
        self.captured = {}
        return jaxpr, [x for _, x in captured]


class StageTracer(Tracer):
    __slots__ = ("var",)

    def __init__(self, trace, var):
        self.trace, self.var, self.aval = trace, var, var.aval

    def trace_name(self):
        return "jit, scan, cond or while_loop"


def stage(fun, in_avals, name="main"):
    """(jaxpr, consts, pure) of `fun(*values) -> list of values`; jaxpr's inputs are consts, then in_avals.

    `pure` is False when the program was read off a number of an outer transformation, so it must not be kept.
    """
    trace = Stage()
    inputs = [trace.input(a) for a in in_avals]
    with world(trace):
        outs = fun(*inputs)
    jaxpr, consts = trace.finish(outs, name)
    if config.check_leaks:
        del outs, inputs
        _check_leaks(trace, fun)
    return jaxpr, consts, not (trace.impure or any(isinstance(c, Tracer) for c in consts))


def _check_leaks(trace, fun):
    """Raise when somebody still holds a tracer of a finished staging."""
    gc.collect()
    held = [t for t in gc.get_referrers(trace) if type(t) is StageTracer]
    if held:
        holders = [type(h).__name__ for h in gc.get_referrers(held[0]) if h is not held and not inspect.isframe(h)]
        raise LeakedTracerError(
            f"a traced value of type {held[0].aval!r} is still held after "
            f"{getattr(fun, '__qualname__', 'the function')} was staged (by a "
            f"{', a '.join(holders) or 'closure'}).\nReturn it from the function instead of storing it.")


def mark_impure(owner):
    """Every staging between here and the interpreter `owner` depends on a number, not only on types."""
    trace = state.trace
    while trace is not owner and trace is not trace.parent:
        if isinstance(trace, Stage):
            trace.impure = True
        trace = trace.parent


def eval_jaxpr(jaxpr, args, edit=None):
    """Run a program in the current world; returns the list of outputs.

    edit : (eqn, its inputs) -> those it takes instead
    """
    env = dict(zip(jaxpr.invars, args))
    before = state.source, state.scope
    try:
        for eqn in jaxpr.eqns:
            state.source, state.scope = eqn.source, eqn.scope or before[1]
            inputs = [v.value if type(v) is Literal else env[v] for v in eqn.inputs]
            if edit is not None:
                inputs = edit(eqn, inputs)
            out = eqn.prim.bind(*inputs, **eqn.params)
            if eqn.prim.multiple:
                env.update(zip(eqn.outs, out))
            else:
                env[eqn.outs[0]] = out
    finally:
        state.source, state.scope = before
    return [v.value if type(v) is Literal else env[v] for v in jaxpr.outs]
