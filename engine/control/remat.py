"""checkpoint (remat): forget what the way back needs, and compute it again there.

The known pass keeps the inputs (and what the policy wants saved); the tangent program holds one equation, whose
transpose linearizes the function again at the kept values and pulls the cotangents through.
"""
import functools

from ..core import Primitive, aval_of, world
from ..interpreters.batch import batch_jaxpr
from ..interpreters.jvp import Dual, Jvp, jvp_jaxpr, zero_tangent
from ..interpreters.stage import Stage, eval_jaxpr, stage
from ..interpreters.transpose import backward
from ..ir import Jaxpr, Literal
from ..ops.structural import asvalue
from ..tree import flatten, unflatten
from .call import jit_p, spread_marks
from .tangent import tangent_map

barrier_p = Primitive(
    "optimization_barrier",                              # the compiler may not look across it
    multiple=True,
    shape=lambda *avals: list(avals),
    impl=lambda *xs: list(xs),
    lower=lambda b, *xs: b.emit_many([x.aval for x in xs], "stablehlo.optimization_barrier "
                                                            f"{', '.join([x.name for x in xs])} : "
                                                            f"{', '.join([x.type for x in xs])}") if len(xs) > 1
    else [b.emit(xs[0].aval, f"stablehlo.optimization_barrier {xs[0].name} : {xs[0].type}")],
    jvp=lambda xs, ts: (barrier_p.bind(*xs), list(ts)),
    batch=lambda b, mine, *xs: (b.bind(*xs), mine),
)


remat_p = Primitive(
    "checkpoint",
    multiple=True,
    handled=True,
    inner=("jaxpr",),
    eager=lambda args, params: eval_jaxpr(params["jaxpr"], args),
    shape=lambda *avals, jaxpr, saved: jaxpr.out_avals,
    impl=lambda *xs, jaxpr, saved: eval_jaxpr(jaxpr, xs),
    lower=lambda b, *xs, jaxpr, saved: b.program(jaxpr, xs),
)


@remat_p.define("jvp")
def _(xs, ts, *, jaxpr, saved):
    made, consts, marks = jvp_jaxpr(jaxpr, [t is not None for t in ts], [False] * len(jaxpr.outs))
    return spread_marks(remat_p.bind(*consts, *xs, *[t for t in ts if t is not None], jaxpr=made, saved=None), marks)


@remat_p.define("batch")
def _(b, mine, *xs, jaxpr, saved):
    made, consts, marks = batch_jaxpr(jaxpr, b.size, mine, [False] * len(jaxpr.outs), b.name)
    return b.bind(*consts, *xs, jaxpr=made, saved=saved), marks


@remat_p.define("linearize")
def _(linear, xs, ts, *, jaxpr, saved):
    if jaxpr.effects:                                    # an effect must not happen a second time
        return jit_p.linearize(linear, xs, ts, jaxpr=jaxpr)
    keep = _saved_equations(jaxpr, saved)
    whole = Jaxpr(jaxpr.invars, jaxpr.eqns, [*jaxpr.outs, *[v for e in keep for v in e.outs]], jaxpr.name)
    out = remat_p.bind(*xs, jaxpr=whole, saved=None)
    n = len(jaxpr.outs)
    wanted = tuple(t is not None for t in ts)
    marks = jvp_jaxpr(jaxpr, wanted, [False] * n)[2]
    tangents = iter(again_p.bind(*out[n:], *xs, *[t for t in ts if t is not None], jaxpr=jaxpr, saved=saved,
                                 wanted=wanted,
                                 marks=tuple(marks)) if any(marks) else ())
    return out[:n], [next(tangents) if m else None for m in marks]


def _saved_equations(jaxpr, saved):
    return [] if saved is None else [e for e in jaxpr.eqns if saved(e)]


# ---- the tangent of a checkpointed function, in one equation ----

def _n_saved(jaxpr, saved):
    return sum(len(e.outs) for e in _saved_equations(jaxpr, saved))


again_p = tangent_map(
    "checkpoint_tangent",
    shape=lambda *avals, jaxpr, saved, wanted, marks: [a for a, m in zip(jaxpr.out_avals, marks) if m],
    derivative=lambda *, jaxpr, saved, wanted, marks: jvp_jaxpr(jaxpr, wanted, marks),
    n_unread=lambda *, jaxpr, saved, wanted, marks: _n_saved(jaxpr, saved),
)


@again_p.define("transpose")
def _(cs, *args, jaxpr, saved, wanted, marks):
    n_saved, n = _n_saved(jaxpr, saved), len(jaxpr.invars)
    values = barrier_p.bind(*args[:n_saved + n]) if n_saved + n else []
    kept, xs = values[:n_saved], values[n_saved:]
    keep = {id(e) for e in _saved_equations(jaxpr, saved)}
    linear = Stage(linear=True)
    trace = Jvp(parent=linear, linear=linear)
    duals = [trace.dual(x, linear.input(aval_of(x))) if w else x for x, w in zip(xs, wanted)]
    with world(trace):
        outs = _with_saved(trace, jaxpr, duals, keep, kept)
    pairs = [trace.split(o) for o in outs]
    program, residuals = linear.finish([zero_tangent(p) if t is None else t for (p, t), m in zip(pairs, marks) if m],
                                       "linear")
    cts = backward(program, [*residuals, *[None] * sum(wanted)], cs)[len(residuals):]
    return [None] * (n_saved + n) + list(cts)


def _with_saved(trace, jaxpr, args, keep, kept):
    """Run a program; the values of the equations in `keep` are those that were saved."""
    env, kept = dict(zip(jaxpr.invars, args)), iter(kept)
    for eqn in jaxpr.eqns:
        out = eqn.prim.bind(*[v.value if type(v) is Literal else env[v] for v in eqn.inputs], **eqn.params)
        outs = out if eqn.prim.multiple else [out]
        if id(eqn) in keep:
            outs = [Dual(trace, next(kept), o.tangent) if type(o) is Dual and o.trace is trace else next(kept)
                    for o in outs]
        env.update(zip(eqn.outs, outs))
    return [v.value if type(v) is Literal else env[v] for v in jaxpr.outs]


# ---- as users call it ----

class checkpoint_policies:
    """What `checkpoint` saves: predicates on equations."""

    @staticmethod
    def nothing_saveable(eqn):
        """Save nothing: everything is computed again (the default)."""
        return False

    @staticmethod
    def everything_saveable(eqn):
        """Save every value: nothing is computed again."""
        return True

    @staticmethod
    def dots_saveable(eqn):
        """Save the results of matrix products."""
        return eqn.prim.name == "dot_general"

    @staticmethod
    def save_only_these(*names):
        """Save the results of the primitives of these names."""
        return lambda eqn: eqn.prim.name in names


def checkpoint(fun=None, *, policy=None):
    """fun, with a derivative that keeps only the arguments and computes the rest again on the way back.

    policy : which intermediate values are kept after all; see checkpoint_policies

    >>> from chainrule.engine import grad
    >>> import chainrule.engine.numpy as np
    >>> float(grad(checkpoint(lambda x: np.sin(np.sin(x))))(0.0))
    1.0
    """
    if fun is None:
        return functools.partial(checkpoint, policy=policy)

    @functools.wraps(fun)
    def wrapped(*args, **kwargs):
        leaves, treedef = flatten((args, kwargs))
        leaves = [asvalue(x) for x in leaves]
        trees = []

        def run(*flat):
            a, k = unflatten(treedef, flat)
            out, tree = flatten(fun(*a, **k))
            trees.append(tree)
            return [asvalue(o) for o in out]

        jaxpr, consts, _ = stage(run, [x.aval for x in leaves], getattr(fun, "__name__", "checkpoint"))
        return unflatten(trees[0], remat_p.bind(*consts, *leaves, jaxpr=jaxpr, saved=policy))
    return wrapped


remat = checkpoint


