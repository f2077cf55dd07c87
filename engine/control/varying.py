"""Along which axes of a mesh the values of one device's program may differ from device to device."""
from ..ir import Literal

SAME = frozenset(["psum", "pmax", "pmin", "all_gather"])                # after it the devices agree
OTHER = frozenset(["ppermute", "all_to_all", "psum_scatter", "axis_index"])
CALLS = frozenset(["jit", "checkpoint", "custom_jvp", "custom_vjp"])
_NONE: frozenset = frozenset()


def varying(jaxpr, given):
    """For each output the set of axes along which it may differ, from that of each input."""
    env = dict(zip(jaxpr.invars, given))

    def read(v):
        return _NONE if type(v) is Literal else env.get(v, _NONE)

    for e in jaxpr.eqns:
        env.update(zip(e.outs, _through(e, [read(v) for v in e.inputs])))
    return [read(v) for v in jaxpr.outs]


def _through(e, given):
    every = frozenset().union(*given)
    name, params = e.prim.name, e.params
    if name in SAME:
        return [every - {params["axis_name"]}] * len(e.outs)
    if name in OTHER:
        return [every | {params["axis_name"]}] * len(e.outs)
    if name in CALLS and len(params["jaxpr"].invars) == len(given):
        return varying(params["jaxpr"], given)[:len(e.outs)]
    if name == "scan":
        k, n = params["n_consts"], params["n_carry"]
        carry = given[k:k + n]
        while True:
            out = varying(params["jaxpr"], [*given[:k], *carry, *given[k + n:]])
            new = [a | b for a, b in zip(carry, out)]
            if new == carry:
                return [*carry, *out[n:]]
            carry = new
    if name == "while":
        k, m = params["n_cond"], params["n_body"]
        carry = given[k + m:]
        while True:
            turns = varying(params["cond"], [*given[:k], *carry])[0]     # a device that stops sooner has other values
            new = [a | b | turns for a, b in zip(carry, varying(params["body"], [*given[k:k + m], *carry]))]
            if new == carry:
                return carry
            carry = new
    if name == "switch":
        branches = [varying(p, given[1:]) for p in params["branches"]]
        return [frozenset().union(given[0], *parts) for parts in zip(*branches)]
    inside = frozenset().union(*[_own(p) for p in e.prim.programs(params)]) if e.prim.inner else _NONE
    return [every | inside] * len(e.outs)


def _own(jaxpr):
    """Axes that a program reads of itself, whatever it is given."""
    out = _NONE
    for e in jaxpr.eqns:
        if e.prim.name in OTHER:
            out |= {e.params["axis_name"]}
        for p in e.prim.programs(e.params):
            out |= _own(p)
    return out
