"""What a loop computes anew in each step, and always equal, moves out of it.

Reverse mode stacks what each step computed for the way back. What is equal in all steps is not stacked after this
pass: the first loop's result becomes a broadcast, and the second loop reads the one value as a constant.
"""
import numpy as np

from ..core import REGISTRY
from ..ir import Eqn, Jaxpr, Literal, Var
from .narrow import narrow
from .walk import copied, deep, read, remade

CHEAP = frozenset(["full", "iota", "broadcast", "reshape", "transpose", "convert", "slice"])     # to make again
NEVER = frozenset(["pure_callback", "optimization_barrier", "while"])    # a `while` might not end


@deep
def hoist(jaxpr):
    """The program with the equations of its loops' bodies that read constants alone in front of the loops.

    A carry that every step hands on unchanged becomes a constant first, and so does an input with equal rows.
    Cheap equations move only with what needs them. A constant matrix of few columns is transposed in front of the
    loop: see `narrow`.
    """
    env, rows, eqns, changed = {}, {}, [], False
    for old in jaxpr.eqns:
        name = old.prim.name
        if name == "broadcast" or name == "full":
            rows[old.outs[0]] = old
        if name != "while" and (name != "scan" or not old.params["length"]):
            eqns.append(old)
            continue
        eqn, before = _scan(old, env, rows) if name == "scan" else _while(old, env)
        changed = changed or eqn is not old
        eqns.extend([*before, eqn])
    if not changed:
        return jaxpr
    if env:
        eqns = [e if not any([v in env for v in e.inputs]) else
                remade(e, [read(env, v) for v in e.inputs], e.params, e.outs) for e in eqns]
    return Jaxpr(jaxpr.invars, eqns, [read(env, v) for v in jaxpr.outs], jaxpr.name)


def _parts(xs, marks):
    return [x for x, m in zip(xs, marks) if m], [x for x, m in zip(xs, marks) if not m]


def _scan(eqn, env, rows):
    """(the loop, equations to stand before it); env learns what stands for the outputs that went."""
    params, body, length = eqn.params, eqn.params["jaxpr"], eqn.params["length"]
    n, k = params["n_consts"], params["n_carry"]
    consts, carries, xs = body.invars[:n], body.invars[n:n + k], body.invars[n + k:]
    inputs, start, stacks = eqn.inputs[:n], eqn.inputs[n:n + k], eqn.inputs[n + k:]
    results, ys, outs, y_outs = body.outs[:k], body.outs[k:], eqn.outs[:k], eqn.outs[k:]

    before, row_of = [], [_row(rows.get(v), length) for v in stacks]         # inputs with equal rows
    equal = [r is not None for r in row_of]
    if any(equal):
        before.extend([e for r in row_of if r is not None for e in r[1]])
        consts, inputs = consts + _parts(xs, equal)[0], inputs + [r[0] for r in row_of if r is not None]
        xs, stacks = _parts(xs, equal)[1], _parts(stacks, equal)[1]

    fixed = [o is c for o, c in zip(results, carries)]                       # carries handed on unchanged
    if any(fixed):
        (gone, outs), (kept, start), (more, carries) = _parts(outs, fixed), _parts(start, fixed), _parts(carries, fixed)
        env.update(zip(gone, [read(env, v) for v in kept]))
        consts, inputs, results = consts + more, inputs + kept, _parts(results, fixed)[1]

    outside = dict(zip(consts, inputs))
    moved, added, rest = _move(body.eqns, outside, {v for v in ys if type(v) is Var})
    before.extend(moved)
    steady = [type(v) is Literal or v in outside for v in ys]                # outputs with equal rows
    for v, y, s in zip(y_outs, ys, steady):
        if s:
            aval = v.aval
            rows[v] = Eqn(REGISTRY["broadcast"], [read(outside, y)],
                          {"shape": aval.shape, "dims": tuple(range(1, aval.ndim))}, [v], eqn.source, eqn.scope)
            before.append(rows[v])
    if not added and not any(fixed) and not any(equal) and not any(steady):
        return eqn, []
    ys, y_outs = _parts(ys, steady)[1], _parts(y_outs, steady)[1]
    consts, inputs = consts + [v for v, _ in added], inputs + [x for _, x in added]
    new = Jaxpr(consts + carries + xs, rest, results + ys, body.name)
    params = {**params, "jaxpr": new, "n_consts": len(consts), "n_carry": len(carries)}
    return remade(eqn, inputs + start + stacks, params, outs + y_outs), before


def _row(made, length):
    """(one row, equations that make it) of an array whose rows are equal, or None."""
    if made is None or made.outs[0].aval.shape[:1] != (length,):
        return None
    aval, shape = made.outs[0].aval, made.outs[0].aval.shape[1:]
    if made.prim.name == "full":
        if not shape:
            return Literal(np.asarray(made.params["value"], aval.dtype)), []
        row = Var(type(aval)(shape, aval.dtype))
        return row, [remade(made, [], {**made.params, "shape": shape}, [row])]
    x = made.inputs[0]
    return (x, []) if x.aval.shape == shape and made.params["dims"] == tuple(range(1, aval.ndim)) else None


def _while(eqn, env):
    params, body, cond = eqn.params, eqn.params["body"], eqn.params["cond"]
    n, m = params["n_cond"], params["n_body"]
    state, tested, start, outs = body.invars[m:], cond.invars[n:], eqn.inputs[n + m:], eqn.outs
    cc, bc, cc_in, bc_in, results = cond.invars[:n], body.invars[:m], eqn.inputs[:n], eqn.inputs[n:n + m], body.outs
    fixed = [o is c for o, c in zip(results, state)]
    if any(fixed):
        (gone, outs), (kept, start) = _parts(outs, fixed), _parts(start, fixed)
        (more, state), (more_tested, tested) = _parts(state, fixed), _parts(tested, fixed)
        env.update(zip(gone, [read(env, v) for v in kept]))
        cc, bc, cc_in, bc_in = cc + more_tested, bc + more, cc_in + kept, bc_in + kept
        results = _parts(results, fixed)[1]
    before_c, added_c, rest_c = _move(cond.eqns, dict(zip(cc, cc_in)))
    before_b, added_b, rest_b = _move(body.eqns, dict(zip(bc, bc_in)))
    if not added_c and not added_b and not any(fixed):
        return eqn, []
    cc, cc_in = cc + [v for v, _ in added_c], cc_in + [x for _, x in added_c]
    bc, bc_in = bc + [v for v, _ in added_b], bc_in + [x for _, x in added_b]
    params = {**params, "cond": Jaxpr(cc + tested, rest_c, cond.outs, cond.name), "n_cond": len(cc),
              "body": Jaxpr(bc + state, rest_b, results, body.name), "n_body": len(bc)}
    return remade(eqn, cc_in + bc_in + start, params, outs), before_c + before_b


def _move(eqns, outside, wanted=()):
    """(equations for outside, [(variable of the body, its value outside)], equations that stay).

    outside : what the constants are called there; learns the names of what moves
    wanted : variables that are worth moving for their own sake
    """
    steady, constant, whole, rows = [], dict.fromkeys(outside), [], {}
    for eqn in eqns:
        if eqn.effects or eqn.prim.name in NEVER or not all([type(v) is Literal or v in constant for v in eqn.inputs]):
            made = narrow(eqn, constant, rows)
            steady.extend(made[:-1])
            whole.extend(made)
            continue
        steady.append(eqn)
        whole.append(eqn)
        constant.update(dict.fromkeys(eqn.outs, eqn))
    worth = set(wanted)
    for eqn in reversed(steady):                         # what is worth it, and what that needs
        if eqn.prim.name not in CHEAP or any([v in worth for v in eqn.outs]):
            worth.update(eqn.outs)
            worth.update([v for v in eqn.inputs if type(v) is Var])
    moved = [e for e in steady if any([v in worth for v in e.outs])]
    if not moved:
        return [], [], eqns
    before = copied(moved, outside)
    gone = {id(e) for e in moved if e.prim.name not in CHEAP}                # the cheap ones are made on both sides
    rest = [e for e in whole if id(e) not in gone]
    return before, [(v, outside[v]) for e in moved if id(e) in gone for v in e.outs], rest
