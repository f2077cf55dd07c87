"""What nothing uses goes: equations, and the carries, constants and outputs that loops and branches do not need."""
from ..ir import Jaxpr, Var
from .walk import remade


def dead_code(jaxpr):
    """The program without what its outputs and effects do not need; its own inputs and outputs stay."""
    return _live(jaxpr, [True] * len(jaxpr.outs))


def _live(jaxpr, wanted):
    """The program with the outputs that are wanted."""
    outs = [v for v, w in zip(jaxpr.outs, wanted) if w]
    live = {v for v in outs if type(v) is Var}
    kept = []
    for old in reversed(jaxpr.eqns):
        used = [v in live for v in old.outs]
        if not old.effects and not any(used):
            continue
        rule = _RULES.get(old.prim.name) if old.prim.inner else None
        eqn = old if rule is None else rule(old, used)
        kept.append(eqn)
        live.update([v for v in eqn.inputs if type(v) is Var])
    kept.reverse()
    same = len(outs) == len(jaxpr.outs) and len(kept) == len(jaxpr.eqns)
    if same and all([a is b for a, b in zip(kept, jaxpr.eqns)]):
        return jaxpr
    return Jaxpr(jaxpr.invars, kept, outs, jaxpr.name)


def _reads(jaxpr):
    """One bool for each input: whether it is read."""
    used = {v for e in jaxpr.eqns for v in e.inputs}
    used.update(jaxpr.outs)
    return [v in used for v in jaxpr.invars]


def _only(xs, marks):
    return [x for x, m in zip(xs, marks) if m]


def _with_inputs(jaxpr, marks):
    return jaxpr if all(marks) else Jaxpr(_only(jaxpr.invars, marks), jaxpr.eqns, jaxpr.outs, jaxpr.name)


def _new(eqn, inputs, outs, **params):
    """The equation, itself where nothing is new."""
    if (len(inputs) == len(eqn.inputs) and len(outs) == len(eqn.outs)
            and all([eqn.params[k] is v or eqn.params[k] == v for k, v in params.items()])):
        return eqn
    return remade(eqn, inputs, {**eqn.params, **params}, outs)


def _jit(eqn, used):
    body = _live(eqn.params["jaxpr"], used)
    marks = _reads(body)
    return _new(eqn, _only(eqn.inputs, marks), _only(eqn.outs, used), jaxpr=_with_inputs(body, marks))


def _body_only(eqn, used):
    """A call whose rules know how many arguments and results there are."""
    return _new(eqn, eqn.inputs, eqn.outs, jaxpr=dead_code(eqn.params["jaxpr"]))


def _scan(eqn, used):
    n_consts, n_carry, body = eqn.params["n_consts"], eqn.params["n_carry"], eqn.params["jaxpr"]
    carry, ys = used[:n_carry], used[n_carry:]
    while True:                                          # a carry lives when it is used, or read by one that lives
        new = _live(body, carry + ys)
        reads = _reads(new)
        more = [c or r for c, r in zip(carry, reads[n_consts:])]
        if more == carry:
            break
        carry = more
    marks = reads[:n_consts] + carry + reads[n_consts + n_carry:]
    return _new(eqn, _only(eqn.inputs, marks), _only(eqn.outs, carry + ys), jaxpr=_with_inputs(new, marks),
                n_consts=sum(reads[:n_consts]), n_carry=sum(carry))


def _while(eqn, used):
    n_cond, n_body, body = eqn.params["n_cond"], eqn.params["n_body"], eqn.params["body"]
    cond = dead_code(eqn.params["cond"])
    tested = _reads(cond)
    carry = [u or t for u, t in zip(used, tested[n_cond:])]
    while True:
        new = _live(body, carry)
        reads = _reads(new)
        more = [c or r for c, r in zip(carry, reads[n_body:])]
        if more == carry:
            break
        carry = more
    cond_marks, body_marks = tested[:n_cond] + carry, reads[:n_body] + carry
    inputs = _only(eqn.inputs, tested[:n_cond] + reads[:n_body] + carry)
    return _new(eqn, inputs, _only(eqn.outs, carry), cond=_with_inputs(cond, cond_marks),
                body=_with_inputs(new, body_marks), n_cond=sum(tested[:n_cond]), n_body=sum(reads[:n_body]))


def _switch(eqn, used):
    branches = [_live(b, used) for b in eqn.params["branches"]]
    marks = [any(column) for column in zip(*[_reads(b) for b in branches])]
    return _new(eqn, eqn.inputs[:1] + _only(eqn.inputs[1:], marks), _only(eqn.outs, used),
                branches=tuple([_with_inputs(b, marks) for b in branches]))


_RULES = {"jit": _jit, "scan": _scan, "while": _while, "switch": _switch,
          "custom_jvp": _body_only, "custom_vjp": _body_only, "checkpoint": _body_only}
