"""Calls are replaced by what they call."""
from ..ir import Jaxpr, Literal
from .walk import copied, deep, read, renamed

CALLS = frozenset(["jit", "custom_jvp", "custom_vjp", "checkpoint"])     # one program, whose inputs are the equation's


@deep
def inline(jaxpr):
    """The program with the bodies of its calls in their places, and the branch of a `switch` whose index is known."""
    if not any([_called(eqn) for eqn in jaxpr.eqns]):
        return jaxpr
    env, eqns = {}, []
    for eqn in jaxpr.eqns:
        eqn = renamed(eqn, env)
        called = _called(eqn)
        if called is None:
            eqns.append(eqn)
            continue
        body, args = called
        inner = dict(zip(body.invars, args))
        eqns.extend(copied(body.eqns, inner, eqn.scope))
        env.update(zip(eqn.outs, [read(inner, v) for v in body.outs]))
    return Jaxpr(jaxpr.invars, eqns, [read(env, v) for v in jaxpr.outs], jaxpr.name)


def _called(eqn):
    """(program, its arguments) of a call, or None."""
    if eqn.prim.name in CALLS:
        return eqn.params["jaxpr"], eqn.inputs
    if eqn.prim.name == "switch" and type(eqn.inputs[0]) is Literal:
        branches = eqn.params["branches"]
        return branches[min(max(int(eqn.inputs[0].value), 0), len(branches) - 1)], eqn.inputs[1:]
    return None
