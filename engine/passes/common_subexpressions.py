"""What is computed twice is computed once."""
from ..ir import Jaxpr, Var
from .walk import deep, read, renamed

NEVER = frozenset(["optimization_barrier"])              # it keeps what is computed again apart from the first time


@deep
def common_subexpressions(jaxpr):
    """The program with each equation dropped that repeats one before: equal primitive, inputs and parameters."""
    env, eqns, known = {}, [], {}
    for eqn in jaxpr.eqns:
        if env:
            eqn = renamed(eqn, env)
        if eqn.effects or eqn.prim.name in NEVER:
            eqns.append(eqn)
            continue
        params = eqn.params
        key = (eqn.prim, *[v if type(v) is Var else (v.aval, v.value.tobytes()) for v in eqn.inputs])
        if params:
            key += tuple([(k, repr(v) if type(v) is float or type(v) is complex else v) for k, v in params.items()])
        try:
            found = known.setdefault(key, eqn)
        except TypeError:                                # a parameter that cannot be compared
            found = eqn
        if found is eqn:
            eqns.append(eqn)
        else:
            env.update(zip(eqn.outs, found.outs))
    if not env:
        return jaxpr
    return Jaxpr(jaxpr.invars, eqns, [read(env, v) for v in jaxpr.outs], jaxpr.name)
