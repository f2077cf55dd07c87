"""Handlers through functions with a derivative by hand (custom_jvp, custom_vjp).

The function is run under the handler once for its sites, whose densities are differentiated as usual. Its results come
from the function again, with the sites' values given, so that the rule by hand is what differentiates them in its
arguments. A rule that calls the function meets its sites again: they get the same values and are not seen outside.
In the sites' values, which the rule knows nothing of, the function's own program is differentiated.
"""
from functools import partial

from ...engine import jvp, tree, vjp
from ...engine import numpy as np
from ...engine.avals import is_inexact
from ...engine.control.custom import custom_jvp_p, custom_vjp_p
from ...engine.core import aval_of, world
from ...engine.interpreters.stage import eval_jaxpr, stage
from ...engine.lax import stop_gradient
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


class _Given:
    """A function's program with the values of its sites given: operands are its constants, the values, its arguments.

    counts : of constants, values and arguments
    """

    def __init__(self, jaxpr, structure, counts):
        self.jaxpr, self.structure, self.counts = jaxpr, structure, counts

    def split(self, xs):
        """(constants, values, arguments)"""
        n, m, _ = self.counts
        return list(xs[:n]), list(xs[n:n + m]), list(xs[n + m:])

    def under(self, values):
        """The world in which the sites have these values."""
        return world(_Answer(tree.unflatten(self.structure, values)).fresh())

    def run(self, *xs):
        consts, values, args = self.split(xs)
        with self.under(values):
            return eval_jaxpr(self.jaxpr, [*consts, *args])

    def of_values(self, xs):
        """(the results that have derivatives as a function of the values that have them, those values, their places)"""
        consts, values, args = self.split(xs)
        places = [i for i, v in enumerate(values) if is_inexact(v.dtype)]

        def f(*moving):
            given = list(values)
            for i, v in zip(places, moving):
                given[i] = v
            return [y for y in self.run(*consts, *given, *args) if is_inexact(y.dtype)]
        return f, [values[i] for i in places], places


def _wrapped_jvp(params, given):
    def rule(xs, ts):
        _, values, args = given.split(xs)
        _, t_values, t_args = given.split(ts)
        with given.under(values):
            ys, tys = params["rule"](args, t_args)
        f, moving, places = given.of_values(xs)
        if not moving:
            return ys, tys
        more = iter(jvp(f, moving, [t_values[i] for i in places])[1])
        return ys, [t + next(more) if is_inexact(y.dtype) else t for y, t in zip(ys, tys)]
    return {"rule": rule}


def _wrapped_vjp(params, given):
    size = sum(given.counts)

    def fwd(xs):
        _, values, args = given.split(xs)
        with given.under(values):
            ys, residuals = params["fwd"](args)
        return ys, [*xs, *residuals]

    def bwd(saved, cs):
        xs, residuals = saved[:size], saved[size:]
        consts, values, _ = given.split(xs)
        with given.under(values):
            cts = list(params["bwd"](residuals, cs))
        f, moving, places = given.of_values(xs)
        of_values = [None] * len(values)
        if moving:
            floats = [c for c, v in zip(cs, given.jaxpr.outs) if is_inexact(v.aval.dtype)]
            for i, c in zip(places, vjp(f, *moving)[1](floats)):
                of_values[i] = c
        return [*[None] * len(consts), *of_values, *cts]
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
    given = _Given(jaxpr, structure, (n, len(values), len(args) - n))
    operands = [*map(stop_gradient, args[:n]), *values, *args[n:]]       # the rule may see constants, not move them

    def clean(*flat):
        return given.run(*flat[:n], *flat[2 * n:])

    program, more, _ = stage(clean, [aval_of(np.asarray(x)) for x in [*args[:n], *operands]], jaxpr.name)
    out = prim.bind(*more, *args[:n], *operands, **{**params, "jaxpr": program, "n_consts": n + len(more),
                                                    **wrapped(params, given)})
    handler.carry(inner.carried())
    arrays, facts = inner.taken() or ({}, {})
    handler.absorb(arrays, Taken(facts, Site))
    return out


RULES[custom_jvp_p] = partial(_by_hand, custom_jvp_p, _wrapped_jvp)
RULES[custom_vjp_p] = partial(_by_hand, custom_vjp_p, _wrapped_vjp)
