"""The call of a compiled program: what `jit` binds."""
from ..config import config
from ..core import OPEN_EFFECTS, Primitive, world
from ..interpreters.batch import batch_jaxpr
from ..interpreters.evaluate import ROOT, run_compiled
from ..interpreters.jvp import jvp_jaxpr
from ..interpreters.linearize import linearize_jaxpr
from ..interpreters.stage import eval_jaxpr, stage
from ..interpreters.transpose import backward


def _eager(args, params):
    jaxpr = params["jaxpr"]
    if jaxpr.effects & OPEN_EFFECTS or config.disable_jit:
        with world(ROOT):
            return eval_jaxpr(jaxpr, args)
    return run_compiled(jaxpr, args)


jit_p = Primitive(
    "jit",
    multiple=True,
    handled=True,
    inner=("jaxpr",),
    eager=_eager,
    shape=lambda *avals, jaxpr: jaxpr.out_avals,
    impl=lambda *xs, jaxpr: eval_jaxpr(jaxpr, xs),
    lower=lambda b, *xs, jaxpr: b.program(jaxpr, xs),
)


@jit_p.define("jvp")
def _(xs, ts, *, jaxpr):
    wanted = [t is not None for t in ts]
    pushed, consts, marks = jvp_jaxpr(jaxpr, wanted, [False] * len(jaxpr.outs))
    out = jit_p.bind(*consts, *xs, *[t for t in ts if t is not None], jaxpr=pushed)
    return spread_marks(out, marks)


def spread_marks(out, marks):
    """(outputs, tangents) from outputs followed by the tangents that are marked."""
    n = len(marks)
    tangents = iter(out[n:])
    return out[:n], [next(tangents) if m else None for m in marks]


@jit_p.define("linearize")
def _(linear, xs, ts, *, jaxpr):
    wanted = [t is not None for t in ts]
    known, consts, lin, marks, _ = linearize_jaxpr(jaxpr, wanted)
    out = jit_p.bind(*consts, *xs, jaxpr=known)
    n = len(marks)
    tangents = iter(jit_p.bind(*out[n:], *[t for t in ts if t is not None], jaxpr=lin) if any(marks) else ())
    return out[:n], [next(tangents) if m else None for m in marks]


def transpose_jaxpr(jaxpr, known, given):
    """(program, consts, marks) from the known inputs and the `given` cotangents of the outputs to the cotangents of the
    other inputs, those that are not zero (`marks`). Kept with the program."""
    key = ("transpose", tuple(known), tuple(given))
    found = jaxpr.cache.get(key)
    if found is None:
        info = {}

        def run(*args):
            it = iter(args)
            values = [next(it) if k else None for k in known]
            cts = backward(jaxpr, values, [next(it) if g else None for g in given])
            info["marks"] = [c is not None for c in cts]
            return [c for c in cts if c is not None]

        avals = [v.aval for v, k in zip(jaxpr.invars, known) if k] + [v.aval for v, g in zip(jaxpr.outs, given) if g]
        made, consts, pure = stage(run, avals, jaxpr.name)
        found = made, consts, info["marks"]
        if pure:
            jaxpr.cache[key] = found
    return found


@jit_p.define("transpose")
def _(cs, *xs, jaxpr):
    known = [not is_aval(x) for x in xs]
    pulled, consts, marks = transpose_jaxpr(jaxpr, known, [c is not None for c in cs])
    out = iter(jit_p.bind(*consts, *[x for x, k in zip(xs, known) if k], *[c for c in cs if c is not None],
                          jaxpr=pulled))
    return [next(out) if m else None for m in marks]


def is_aval(x):
    """Whether an operand of a transpose rule is solved for."""
    return type(x).__name__ == "Aval"


@jit_p.define("batch")
def _(b, mine, *xs, jaxpr):
    batched, consts, marks = batch_jaxpr(jaxpr, b.size, mine, [False] * len(jaxpr.outs), b.name)
    return b.bind(*consts, *xs, jaxpr=batched), marks
