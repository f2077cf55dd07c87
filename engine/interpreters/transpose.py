"""Reverse mode: walk a linear program backwards, pulling cotangents from its outputs to its inputs."""
from ..core import state
from ..errors import MissingRule
from ..ir import Literal, Var


def backward(jaxpr, known, cotangents):
    """Cotangents of the linear inputs of a program.

    known : one value per input, None for the inputs that are solved for (they are linear)
    cotangents : one per output, None for zero
    Returns a list like `known`, with cotangents (or None for zero) at the linear inputs.
    """
    env = {v: x for v, x in zip(jaxpr.invars, known) if x is not None}
    linear = {v for v, x in zip(jaxpr.invars, known) if x is None}
    backwards = []
    before = state.source
    try:
        for eqn in jaxpr.eqns:                        # the equations that need no tangent, forwards
            if any(v in linear for v in eqn.inputs if type(v) is Var):
                linear.update(eqn.outs)
                backwards.append(eqn)
                continue
            state.source = eqn.source
            out = eqn.prim.bind(*[_read(env, v) for v in eqn.inputs], **eqn.params)
            env.update(zip(eqn.outs, out if eqn.prim.multiple else [out]))
        cts: dict = {}
        for v, c in zip(jaxpr.outs, cotangents):
            if type(v) is Var and v in linear:
                _add(cts, v, c)
        for eqn in reversed(backwards):               # the linear ones, backwards
            state.source = eqn.source
            _pull(eqn, env, linear, cts)
    finally:
        state.source = before
    return [cts.get(v) if x is None else None for v, x in zip(jaxpr.invars, known)]


def _read(env, v):
    return v.value if type(v) is Literal else env[v]


def _add(cts, v, c):
    if c is not None:
        cts[v] = cts[v] + c if v in cts else c


def _pull(eqn, env, linear, cts):
    outs = [cts.pop(v, None) for v in eqn.outs]
    if all(c is None for c in outs):
        return
    mine = [type(v) is Var and v in linear for v in eqn.inputs]
    args = [v.aval if m else _read(env, v) for v, m in zip(eqn.inputs, mine)]
    rule = eqn.prim.rule("transpose")
    if callable(rule):
        pulled = rule(outs if eqn.prim.multiple else outs[0], *args, **eqn.params)
        for v, m, c in zip(eqn.inputs, mine, pulled):
            if m:
                _add(cts, v, c)
        return
    for v, m, pull in zip(eqn.inputs, mine, rule):
        if m:
            if pull is None:
                raise MissingRule(f"`{eqn.prim.name}` is not linear in one of its arguments that a derivative reached.")
            _add(cts, v, pull(outs[0], *args, **eqn.params))
