"""Operations on numbers that stand in the program are done now, in NumPy."""
import numpy as np

from ..ir import Jaxpr, Literal
from .walk import deep, read, renamed

NEVER = frozenset(["pure_callback", "optimization_barrier"])             # to be run, or to be left where it is


@deep
def fold(jaxpr):
    """The program without the equations whose operands are numbers and whose results are."""
    env, eqns = {}, []
    for eqn in jaxpr.eqns:
        eqn = renamed(eqn, env) if env else eqn
        found = _value(eqn)
        if found is None:
            eqns.append(eqn)
        else:
            env.update(zip(eqn.outs, found))
    if not env:
        return jaxpr
    return Jaxpr(jaxpr.invars, eqns, [read(env, v) for v in jaxpr.outs], jaxpr.name)


def _value(eqn):
    for v in eqn.inputs:
        if type(v) is not Literal:
            return None
    prim = eqn.prim
    if prim.impl is None or prim.inner or eqn.effects or prim.name in NEVER or any([v.aval.shape for v in eqn.outs]):
        return None
    try:
        with np.errstate(all="ignore"):
            out = prim.impl(*[v.value for v in eqn.inputs], **eqn.params)
    except (ArithmeticError, LookupError, TypeError, ValueError):        # then it is raised, if ever, where it runs
        return None
    out = out if prim.multiple else [out]
    return [Literal(np.asarray(x, v.aval.dtype)) for x, v in zip(out, eqn.outs)]
