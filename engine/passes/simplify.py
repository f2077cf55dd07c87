"""Operations that do nothing, and pairs of movements that are one."""
from ..ir import Jaxpr, Literal, Var
from .walk import deep, read, remade, renamed


@deep
def simplify(jaxpr):
    """The program without x * 1, x / 1, x - 0, integer x + 0, and conversions and broadcasts to the type that x has.

    A transpose of a transpose, a reshape of a reshape and a negation of a negation become one operation or none.
    Values stay equal to the last bit.
    """
    env, eqns, made_by, changed = {}, [], {}, False
    for old in jaxpr.eqns:
        eqn = renamed(old, env) if env else old
        rule = _RULES.get(eqn.prim.name)
        if rule is not None:
            new = rule(eqn, made_by)
            if isinstance(new, Var):
                env[old.outs[0]] = new
                continue
            if new is not None:
                eqn = new
            made_by[eqn.outs[0]] = eqn
        changed = changed or eqn is not old
        eqns.append(eqn)
    if not env and not changed:
        return jaxpr
    return Jaxpr(jaxpr.invars, eqns, [read(env, v) for v in jaxpr.outs], jaxpr.name)


def _same_type(eqn, v):
    return v if type(v) is Var and v.aval is eqn.outs[0].aval else None


def _is(v, number):
    return type(v) is Literal and v.aval.dtype.kind in "iuf" and v.value == number


def _mul(eqn, made_by):
    x, y = eqn.inputs
    return _same_type(eqn, x) if _is(y, 1) else _same_type(eqn, y) if _is(x, 1) else None


def _add(eqn, made_by):
    x, y = eqn.inputs
    if eqn.outs[0].aval.is_float:                        # -0.0 + 0.0 is 0.0
        return None
    return _same_type(eqn, x) if _is(y, 0) else _same_type(eqn, y) if _is(x, 0) else None


def _sub(eqn, made_by):
    x, y = eqn.inputs
    return _same_type(eqn, x) if _is(y, 0) and not str(y.value).startswith("-") else None


def _div(eqn, made_by):
    return _same_type(eqn, eqn.inputs[0]) if _is(eqn.inputs[1], 1) else None


def _to_own_type(eqn, made_by):
    return _same_type(eqn, eqn.inputs[0])


def _neg(eqn, made_by):
    before = made_by.get(eqn.inputs[0])
    return _same_type(eqn, before.inputs[0]) if before is not None and before.prim is eqn.prim else None


def _reshape(eqn, made_by):
    before = made_by.get(eqn.inputs[0])
    if before is not None and before.prim is eqn.prim:
        eqn = remade(eqn, before.inputs, eqn.params, eqn.outs)
        return _same_type(eqn, eqn.inputs[0]) or eqn
    return _same_type(eqn, eqn.inputs[0])


def _transpose(eqn, made_by):
    before = made_by.get(eqn.inputs[0])
    if before is None or before.prim is not eqn.prim:
        return None
    order = tuple([before.params["permutation"][p] for p in eqn.params["permutation"]])
    if order == tuple(range(len(order))):
        return _same_type(eqn, before.inputs[0])
    return remade(eqn, before.inputs, {"permutation": order}, eqn.outs)


_RULES = {"mul": _mul, "add": _add, "sub": _sub, "div": _div, "convert": _to_own_type, "broadcast": _to_own_type,
          "neg": _neg, "reshape": _reshape, "transpose": _transpose}
