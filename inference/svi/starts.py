"""Where a fit starts: the params of guide and model as their statements say, at draws with finite log-densities.

A draw is evaluated on the host, operation by operation, which needs no compilation; models and guides with loops or
branches, which are compiled one by one there, are compiled as a whole, once.
"""
from functools import partial

import numpy as onp

from ...distributions import biject_to
from ...engine import numpy as np
from ...engine import random, vmap
from ...engine.avals import is_inexact
from ...engine.control.cond import switch_p
from ...engine.control.loops import while_p
from ...engine.control.scan import scan_p
from ...engine.core import Tracer
from ...ppl.sites import SiteError

MAX_TRIES = 100


def first_params(pair, key, init_params, compiled):
    """({name: unconstrained value}, {name: set}) of the params of a guide and a model.

    init_params : {name: value} of those that start elsewhere
    compiled : f -> f compiled, for the pair's programs; f takes a pair
    """
    init_params = {k: np.asarray(x) for k, x in init_params.items()}
    looping = any(map(has_loops, (pair.model.jaxpr, pair.guide.jaxpr)))
    if looping:
        attempt = compiled(_attempt)
    else:
        attempt = lambda *rest: _attempt(pair, *rest)
    for number in range(MAX_TRIES):
        params, supports, finite = attempt(random.fold_in(key, number), init_params)
        bad = [name for name, ok in finite.items() if not isinstance(ok, Tracer) and not onp.asarray(ok)]
        if not bad:
            break
    else:
        site = {**pair.guide.outline(pair.guide_data), **pair.model.outline(pair.data)}[bad[0]]
        raise SiteError(f"the log-density of site {bad[0]!r} was not finite in {MAX_TRIES} draws of the guide at its "
                        "first params.\nStart elsewhere (init_params, or the guide's init_loc_fn), or check the data.",
                        site.source)
    unknown = [name for name in init_params if name not in params]
    if unknown:
        raise SiteError(f"init_params has a value for {unknown[0]!r}, and model and guide have no param of that name.\n"
                        f"Their params are: {', '.join(params) or '(none)'}.")
    return params, supports


def particle_params(pair, keys, init_params, compiled):
    """({name: [n, *shape]} unconstrained, {name: set}) of n draws of the params' starts, each finite.

    keys : [n]          Other arguments are those of `first_params`, which this is for many.
    """
    first, supports = first_params(pair, keys[0], init_params, compiled)
    shared = {k: np.asarray(x) for k, x in init_params.items()}

    def attempts(pair, keys, numbers, shared):
        def one(key, number):
            params, _, finite = _attempt(pair, random.fold_in(key, number), shared)
            return params, np.all(np.stack([np.asarray(1.0), *[np.astype(x, float) for x in finite.values()]]) > 0)
        return vmap(one)(keys, numbers)

    run = compiled(attempts) if any(map(has_loops, (pair.model.jaxpr, pair.guide.jaxpr))) else partial(attempts, pair)
    n, numbers = keys.shape[0], onp.zeros(keys.shape[0], int)
    for _ in range(MAX_TRIES):
        params, ok = run(keys, np.asarray(numbers), shared)
        if isinstance(ok, Tracer) or onp.all(ok):
            return params, supports
        numbers = numbers + ~onp.asarray(ok)
    raise SiteError(f"of {n} draws of the guide at its first params, not all had a finite log-density in {MAX_TRIES} "
                    "tries.\nStart elsewhere (init_params, or the guide's init_loc_fn), or check the data.")


def has_loops(jaxpr):
    """Whether a program has a loop or a branch in it."""
    return any(e.prim in (scan_p, while_p, switch_p) or e.prim.inner and any(map(has_loops, e.prim.programs(e.params)))
               for e in jaxpr.eqns)


def _attempt(pair, key, init_params):
    """(params in unconstrained space, their sets, {site: whether its log-density is finite}) of one draw."""
    guide, model = pair._replace(constrained=True).draw(key, init_params, {})
    found, finite = {}, {}
    for name, site in [*guide.items(), *model.items()]:
        if site.scored:
            finite[name] = np.isfinite(np.sum(site.log_prob()))
        if site.kind != "param" or name in found:
            continue
        if not is_inexact(site.value.dtype):
            raise site.error(f"param {name!r} starts at {site.value!r:.60}, of dtype {site.value.dtype}: it cannot be "
                             "optimised.\nStart it at floating-point numbers.")
        found[name] = site
    z = {name: biject_to(s.fn.support)._inverse(np.asarray(s.value)) for name, s in found.items()}
    return z, {name: s.fn.support for name, s in found.items()}, finite
