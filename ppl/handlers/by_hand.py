"""Handlers through functions with a derivative by hand (custom_jvp, custom_vjp).

The function is run under the handler once for its sites, whose densities are differentiated as usual. Its results come
from the function again, with the sites' values given, so that the rule by hand is what differentiates them. A rule that
calls the function meets its sites again: they get the same values and are not seen outside.
"""
from functools import partial

from ...engine import numpy as np
from ...engine import tree
from ...engine.control.custom import custom_jvp_p, custom_vjp_p
from ...engine.core import aval_of, world
from ...engine.interpreters.stage import eval_jaxpr, stage
from ..programs import RULES, Taken
from ..sites import Site, closed
from .base import Handler
from .recording import trace


class _Values(trace):
    """Record keys too."""
    kinds = (*trace.kinds, "prng_key")


class _Answer(Handler):
    """Answer every site with the value that it had, without handing it down."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def puts(self, names):
        return {k: v for k, v in self.values.items() if k in names}

    def put(self, values):
        self.values = {**self.values, **values}

    def site(self, site):
        return closed(site.value if site.kind == "factor" else self.values[site.name])


def _wrapped_jvp(params, under, m):
    def rule(xs, ts):
        with under(xs[:m]):
            return params["rule"](xs[m:], ts[m:])
    return {"rule": rule}


def _wrapped_vjp(params, under, m):
    def fwd(args):
        with under(args[:m]):
            ys, residuals = params["fwd"](args[m:])
        return ys, [*args[:m], *residuals]

    def bwd(residuals, cs):
        with under(residuals[:m]):
            return [None] * m + list(params["bwd"](residuals[m:], cs))
    return {"fwd": fwd, "bwd": bwd}


def _by_hand(prim, wrapped, handler, args, params):
    jaxpr, n = params["jaxpr"], params["n_consts"]
    inner = handler.enter(None)
    inner.carry(handler.carried())
    with world(inner):
        seen = _Values().fresh()
        with world(seen):
            eval_jaxpr(jaxpr, args)
    values, structure = tree.flatten({k: s.value for k, s in seen.sites.items() if s.kind != "factor"})
    values = [np.asarray(v) for v in values]
    m = len(values)

    def under(given):
        return world(_Answer(tree.unflatten(structure, list(given))).fresh())

    def clean(*flat):
        with under(flat[n:n + m]):
            return eval_jaxpr(jaxpr, [*flat[:n], *flat[n + m:]])

    operands = [*args[:n], *values, *args[n:]]
    program, more, _ = stage(clean, [aval_of(np.asarray(x)) for x in operands], jaxpr.name)
    out = prim.bind(*more, *operands, **{**params, "jaxpr": program, "n_consts": n + len(more),
                                         **wrapped(params, under, m)})
    handler.carry(inner.carried())
    arrays, facts = inner.taken() or ({}, {})
    handler.absorb(arrays, Taken(facts, Site))
    return out


RULES[custom_jvp_p] = partial(_by_hand, custom_jvp_p, _wrapped_jvp)
RULES[custom_vjp_p] = partial(_by_hand, custom_vjp_p, _wrapped_vjp)
