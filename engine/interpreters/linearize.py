"""Linearize: one pass that computes the primal values and records the tangent program.

It is `Jvp` over `Stage(linear)`: operations on primal values touch nothing of the linear program, so
they fall through to the world below, and what is recorded is linear, with the primal values it needs
(the residuals) closed over.
"""
from ..core import Tracer, aval_of, world
from ..ir import Jaxpr
from .jvp import Jvp, zero_tangent
from .stage import Stage, eval_jaxpr, stage


def linearize_flat(fun, primals, wanted):
    """(outs, linear program, residuals, marks) of `fun(*values) -> list`.

    `wanted` says which primals have tangents; the linear program takes residuals, then those tangents, and
    gives the tangents of the outputs marked in `marks`.
    """
    linear = Stage(linear=True)
    trace = Jvp(parent=linear, linear=linear)
    args = [trace.dual(x, linear.input(aval_of(x))) if w else x for x, w in zip(primals, wanted)]
    with world(trace):
        outs = fun(*args)
    pairs = [trace.split(o) for o in outs]
    marks = [t is not None for _, t in pairs]
    jaxpr, residuals = linear.finish([t for _, t in pairs if t is not None], "linear")
    return [p for p, _ in pairs], jaxpr, residuals, marks


def linearize_jaxpr(jaxpr, wanted):
    """Split the derivative of a program (kept with it).

    Returns (known, consts, linear, marks, n): known takes consts and the inputs and gives the outputs and n residuals;
    linear takes the residuals and the tangents of the `wanted` inputs, and gives the tangents of the outputs in
    `marks`.
    """
    key = ("linearize", tuple(wanted))
    found = jaxpr.cache.get(key)
    if found is None:
        info = {}

        def run(*args):
            outs, info["linear"], residuals, info["marks"] = linearize_flat(
                lambda *a: eval_jaxpr(jaxpr, a), args, wanted)
            return outs + residuals

        known, consts, pure = stage(run, jaxpr.in_avals, jaxpr.name)
        n = len(info["linear"].invars) - sum(wanted)
        found = known, consts, info["linear"], info["marks"], n
        if pure:
            jaxpr.cache[key] = found
    return found


def linearize_body(fun, consts, avals, wanted, instantiate):
    """Linearize the body of a loop whose constants are values of the outer world.

    fun(consts, *values) -> list; consts are (value, has tangent); `wanted` marks the values that have tangents, and
    `instantiate` the outputs whose tangent is wanted even if zero. Work on constants alone is done outside the loop.
    Returns (known, known consts, linear, marks, outer): known gives the outputs and then the residuals made anew in
    each step; linear takes those, the residuals `outer` from outside of the loop, the tangents of the constants and of
    the values.
    """
    inner = Stage()
    xs = [inner.input(a) for a in avals]
    with world(inner):
        linear = Stage(linear=True)
        trace = Jvp(parent=linear, linear=linear)
        duals = [trace.dual(c, linear.input(aval_of(c))) if has else c for c, has in consts]
        args = [trace.dual(x, linear.input(x.aval)) if w else x for x, w in zip(xs, wanted)]
        with world(trace):
            outs = fun(duals, *args)
        pairs = [trace.split(o) for o in outs]
        marks = [t is not None or i for (_, t), i in zip(pairs, instantiate)]
        tangents = [zero_tangent(p) if t is None else t for (p, t), m in zip(pairs, marks) if m]
        lin, residuals = linear.finish(tangents, "linear")
    inside = [depends_on(r, inner) for r in residuals]
    n = len(residuals)
    order = [v for v, i in zip(lin.invars, inside) if i] + [v for v, i in zip(lin.invars, inside) if not i]
    lin = Jaxpr(order + lin.invars[n:], lin.eqns, lin.outs, lin.name)
    known, known_consts = inner.finish([p for p, _ in pairs] + [r for r, i in zip(residuals, inside) if i], "known")
    return known, known_consts, lin, marks, [r for r, i in zip(residuals, inside) if not i]


def depends_on(x, trace):
    """Whether x is a tracer of `trace`."""
    return isinstance(x, Tracer) and x.trace is trace
