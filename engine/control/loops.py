"""while_loop and fori_loop."""
import numpy as np

from ..core import Primitive, aval_of
from ..errors import DtypeError, TransformError
from ..interpreters.batch import batch_jaxpr, spread_lane
from ..interpreters.jvp import jvp_jaxpr, zero_tangent
from ..interpreters.stage import eval_jaxpr, stage
from ..ir import Jaxpr, Var
from ..ops.elementwise import where
from ..ops.index import scatter_p
from ..ops.reduce import reduce_or_p
from ..ops.structural import asvalue, cast, reshape
from ..tree import flatten, unflatten
from .body import eager_loop, split, stage_loop_body
from .scan import scan


def _impl(*xs, cond, body, n_cond, n_body):
    cond_consts, body_consts, state = split(xs, n_cond, n_body)
    while bool(eval_jaxpr(cond, cond_consts + state)[0]):
        state = eval_jaxpr(body, body_consts + state)
    return state


def _lower(b, *xs, cond, body, n_cond, n_body):
    def test(*vals):
        cc, _, state = split(vals, n_cond, n_body)
        return b.program(cond, cc + state)[0]

    def step(*vals):
        cc, bc, state = split(vals, n_cond, n_body)
        return cc + bc + b.program(body, bc + state)

    return b.while_loop(list(xs), test, step)[n_cond + n_body:]


while_p = Primitive(
    "while",
    multiple=True,
    handled=True,
    inner=("cond", "body"),
    shape=lambda *avals, cond, body, n_cond, n_body: list(avals[n_cond + n_body:]),
    impl=_impl,
    lower=_lower,
)
while_p.eager = eager_loop(while_p)


@while_p.define("jvp")
def _(xs, ts, *, cond, body, n_cond, n_body):
    cc, bc, init = split(xs, n_cond, n_body)
    _, tbc, tinit = split(ts, n_cond, n_body)
    const_marks = [t is not None for t in tbc]
    marks = [t is not None for t in tinit]
    while True:                                          # carries become marked until nothing changes
        pushed, consts, out = jvp_jaxpr(body, const_marks + marks, marks)
        if out == marks:
            break
        marks = [a or c for a, c in zip(marks, out)]
    tinit = [zero_tangent(x) if t is None else t for x, t, m in zip(init, tinit, marks) if m]
    n, k = len(init), len(consts)
    tconsts = [t for t in tbc if t is not None]
    nb = len(bc)

    def step(*args):
        const, prim_consts, tangent_consts, state, tangents = split(args, k, nb, len(tconsts), n)
        return eval_jaxpr(pushed, const + prim_consts + state + tangent_consts + tangents)

    all_consts = [*consts, *bc, *tconsts]
    avals = [aval_of(asvalue(v)) for v in [*all_consts, *init, *tinit]]
    new_body, more, _ = stage(step, avals, "body")
    new_cond = Jaxpr(cond.invars + [Var(aval_of(asvalue(t))) for t in tinit], cond.eqns, cond.outs, "cond")
    out = while_p.bind(*cc, *more, *all_consts, *init, *tinit, cond=new_cond, body=new_body, n_cond=n_cond,
                       n_body=len(more) + len(all_consts))
    tangents = iter(out[n:])
    return out[:n], [next(tangents) if m else None for m in marks]


@while_p.define("linearize")
def _(linear, xs, ts, **params):
    n = params["n_cond"] + params["n_body"]
    if any(t is not None for t in ts[n:]) or any(t is not None for t in ts[params["n_cond"]:n]) and \
            any(a.is_float for a in params["body"].out_avals):
        raise TransformError(
            "reverse-mode differentiation (grad, vjp) does not go through a while_loop: the number of steps, and so "
            "the memory for what the way back needs, is not known.\n"
            "Use scan or fori_loop with a fixed number of steps, or forward mode (jvp).")
    return while_p.bind(*xs, **params), [None] * (len(xs) - n)


@while_p.define("batch")
def _(b, mine, *xs, cond, body, n_cond, n_body):
    cc, bc, init = split(xs, n_cond, n_body)
    mcc, mbc, marks = split(mine, n_cond, n_body)
    while True:
        _, _, out = batch_jaxpr(body, b.size, mbc + marks, marks, b.name)
        _, _, (lanes_differ,) = batch_jaxpr(cond, b.size, mcc + marks, [False], b.name)
        new = [m or o or lanes_differ for m, o in zip(marks, out)]
        if new == marks:
            break
        marks = new
    body_b, body_consts, _ = batch_jaxpr(body, b.size, mbc + marks, marks, b.name)
    cond_b, cond_consts, (lanes_differ,) = batch_jaxpr(cond, b.size, mcc + marks, [False], b.name)
    init = [x if m else spread_lane(x, b.size) if w else x for x, m, w in zip(init, mine[n_cond + n_body:], marks)]
    cc, bc = [*cond_consts, *cc], [*body_consts, *bc]
    if lanes_differ:                                     # run until no lane goes on; finished lanes stay as they are
        inner_cond, inner_body, plain_cc, plain_bc = cond_b, body_b, len(cc), len(bc)
        writes = _writes(inner_body, len(bc))
        held = {id(eqn) for found in writes for eqn in found}

        def some(*args):
            return [reduce_or_p.bind(eval_jaxpr(inner_cond, args)[0], axes=(0,))]

        def frozen(*args):
            c, k, state = split(args, plain_cc, plain_bc)
            go = eval_jaxpr(inner_cond, c + state)[0]
            per_lane = lambda x: reshape(go, (b.size, *(1,) * (len(aval_of(x).shape) - 1)))

            def hold(eqn, inputs):
                if id(eqn) not in held:
                    return inputs
                x, i, u = inputs
                return x, where(per_lane(i), i, np.asarray(-1, i.dtype)), u

            new = eval_jaxpr(inner_body, k + state, hold)
            return [n if w else where(per_lane(n), n, s) for n, s, w in zip(new, state, writes)]

        state_avals = [aval_of(asvalue(x)) for x in init]
        cond_b, more_c, _ = stage(some, [aval_of(asvalue(x)) for x in cc] + state_avals, "cond")
        body_b, more_b, _ = stage(frozen, [aval_of(asvalue(x)) for x in cc + bc] + state_avals, "body")
        cc, bc = [*more_c, *cc], [*more_b, *cc, *bc]
    return b.bind(*cc, *bc, *init, cond=cond_b, body=body_b, n_cond=len(cc), n_body=len(bc)), marks


def _writes(body, n_consts):
    """For each part of the state that the body of lanes does nothing to but write into it: the scatters that do.

    A finished lane writes nowhere, so that a large part is not copied at each turn to choose between old and new; a
    scatter to the nearest place always writes.
    """
    made = {eqn.outs[0]: eqn for eqn in body.eqns if eqn.prim is scatter_p and eqn.params["how"] != "near"}
    out = []
    for start, end in zip(body.invars[n_consts:], body.outs):
        found = []
        while type(end) is Var and end in made:
            found.append(made[end])
            end = made[end].inputs[0]
        out.append(found if end is start else [])
    return out


# ---- as users call them ----

def while_loop(cond_fun, body_fun, init):
    """body_fun applied to `init` again and again, as long as cond_fun holds.

    cond_fun : carry -> bool[]      body_fun : carry -> carry of the same structure and types
    Forward mode differentiates it, reverse mode does not (see `scan`).
    Raises TreeError or DtypeError when the carry changes, naming where.

    >>> int(while_loop(lambda x: x < 100, lambda x: x * 2, 1))
    128
    """
    leaves, treedef = flatten(init)
    jaxpr, consts, values, _ = stage_loop_body(body_fun, treedef, leaves, [], "body of while_loop")

    def test(*args):
        out = asvalue(cond_fun(unflatten(treedef, args)))
        if out.shape != () or out.dtype != np.bool_:
            raise DtypeError(f"the condition of while_loop must give one bool; it gave {out.aval!r}.")
        return [out]

    cond, cond_consts, _ = stage(test, [v.aval for v in values], "cond")
    out = while_p.bind(*cond_consts, *consts, *values, cond=cond, body=jaxpr, n_cond=len(cond_consts),
                       n_body=len(consts))
    return unflatten(treedef, out)


def fori_loop(lower, upper, body_fun, init):
    """for i in range(lower, upper): init = body_fun(i, init).

    With Python bounds it is a `scan`, which grad goes through; with traced bounds a `while_loop`.

    >>> int(fori_loop(0, 5, lambda i, x: x + i, 0))
    10
    """
    if all(isinstance(n, (int, np.integer)) for n in (lower, upper)):
        n = max(0, int(upper) - int(lower))

        def step(carry, _):
            i, x = carry
            return (i + 1, body_fun(i, x)), None

        (_, out), _ = scan(step, (np.asarray(int(lower), np.int64), init), None, length=n)
        return out
    low, high = cast(asvalue(lower), np.dtype("int64")), cast(asvalue(upper), np.dtype("int64"))
    _, out, _ = while_loop(lambda s: s[0] < s[2], lambda s: (s[0] + 1, body_fun(s[0], s[1]), s[2]), (low, init, high))
    return out
