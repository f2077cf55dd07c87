"""What the passes share: going into inner programs, and giving variables other names."""
import functools

from ..ir import Eqn, Jaxpr, Var


def deep(rewrite):
    """A pass out of a rewrite of one level: the programs inside come first, each object of them once."""
    @functools.wraps(rewrite)
    def run(jaxpr, memo=None):
        memo = {} if memo is None else memo
        found = memo.get(id(jaxpr))
        if found is None:
            made = rewrite(inside(jaxpr, lambda inner: run(inner, memo)))
            found = memo[id(jaxpr)] = made, jaxpr            # the program is held, so that its id stays its own
        return found[0]
    return run


def inside(jaxpr, f):
    """The program with f applied to each program in the parameters of its equations; itself if that changes nothing."""
    changed, eqns = False, []
    for eqn in jaxpr.eqns:
        if eqn.prim.inner:
            new = {}
            for name in eqn.prim.inner:
                old = eqn.params[name]
                made = tuple([f(p) for p in old]) if isinstance(old, tuple) else None if old is None else f(old)
                if made is not old and not (isinstance(old, tuple) and all([a is b for a, b in zip(old, made)])):
                    new[name] = made
            if new:
                eqn = remade(eqn, eqn.inputs, {**eqn.params, **new}, eqn.outs)
                changed = True
        eqns.append(eqn)
    return Jaxpr(jaxpr.invars, eqns, jaxpr.outs, jaxpr.name) if changed else jaxpr


def remade(eqn, inputs, params, outs):
    """An equation of the same primitive, line and scope."""
    return Eqn(eqn.prim, inputs, params, outs, eqn.source, eqn.scope)


def read(env, v):
    """What stands for v now."""
    return env.get(v, v) if type(v) is Var else v


def renamed(eqn, env):
    """The equation with its inputs read from env; itself if that changes nothing."""
    for v in eqn.inputs:
        if type(v) is Var and v in env:
            return remade(eqn, [read(env, w) for w in eqn.inputs], eqn.params, eqn.outs)
    return eqn


def copied(eqns, env, scope=""):
    """The equations with fresh outputs; env (changed) maps their variables to what stands for them.

    `scope` is for those that have none.
    """
    out = []
    for eqn in eqns:
        fresh = [Var(v.aval) for v in eqn.outs]
        out.append(Eqn(eqn.prim, [read(env, v) for v in eqn.inputs], eqn.params, fresh, eqn.source,
                       eqn.scope or scope))
        env.update(zip(eqn.outs, fresh))
    return out
