"""Summed sites in a scan: which of them its carry hands on, and the sum over those that it does, step by step.

A site that no step hands on stands in the scan as in a plate. Of one that is handed on to the next step alone (a Markov
chain), the terms of a step follow from its value there and at the step before. Runs of the model with alternating
values a, b, a, b, … for all pairs (a, b) have all of them, and the sum over all paths is made of these, step by step
(the forward algorithm), at the price of as many runs as there are pairs, however long the scan.
Source: Rabiner (1989), "A tutorial on hidden Markov models", section III.
"""
from typing import NamedTuple

import numpy as onp

from ...engine import numpy as np
from ...engine import scan, tree
from ...engine.control.scan import scan_p
from ...engine.ir import Var
from ...engine.nn import logsumexp
from ...ppl.programs import lane_frame, site_names
from ...ppl.sites import site_p

LOWEST = -1e30                         # in place of the logarithm of 0, whose derivative is none


class Loop(NamedTuple):
    """A scan of the model's program, as the sum over its sites needs it."""
    mark: tuple                # (name, None): stands among the plates of what it goes around
    length: int
    reverse: bool
    sites: frozenset           # all names in it
    carried: frozenset         # summed ones that a step hands on to the next
    free: frozenset            # summed ones that no step hands on


def loops_of(program, names):
    """[Loop] of the scans in a program that have some of the summed sites, `names`, as statements of their bodies.

    Carried sites are left out of `carried` where more than the next step depends on them.
    """
    out = []
    for number, eqn in enumerate(program.jaxpr.eqns):
        if eqn.prim is not scan_p or lane_frame(eqn.params) is not None:
            continue
        body = eqn.params["jaxpr"]
        mine = {e.params["facts"].name for e in body.eqns if e.prim is site_p} & set(names)
        if mine:
            handed, markov = _handed_on(body, eqn.params["n_consts"], eqn.params["n_carry"], mine)
            out.append(Loop((f"scan {number}", None), eqn.params["length"], bool(eqn.params["reverse"]),
                            frozenset(site_names(scan_p, eqn.params)), frozenset(handed if markov else ()),
                            frozenset(mine - handed)))
    return out


def _handed_on(body, n_consts, n_carry, names):
    """(the sites that the carry depends on, whether it depends on those of this step alone)"""
    known = {v: {i} for i, v in enumerate(body.invars[n_consts:n_consts + n_carry])}
    of = lambda v: known.get(v, set()) if isinstance(v, Var) else set()
    for e in body.eqns:
        found = set().union(*map(of, e.inputs))
        if e.prim is site_p:
            facts = e.params["facts"]
            value = tree.leaves(tree.unflatten(e.params["structure"], e.inputs).value)
            found = {facts.name} if facts.name in names else set().union(*map(of, value))
        known.update((v, found) for v in e.outs)
    outs = [of(v) for v in body.outs[:n_carry]]
    hot = {i for i, x in enumerate(outs) if x & names}
    while more := {i for i, x in enumerate(outs) if x & hot} - hot:
        hot |= more
    return set().union(*outs) & names, not any(x & hot for x in outs)


def alternating(values, loop):
    """[states², length]: the state at each step of runs a, b, a, b, …, run a · states + b.   values : states, int"""
    steps = onp.arange(loop.length)
    steps = steps[::-1] if loop.reverse else steps
    a, b = onp.divmod(onp.arange(values * values), values)
    return onp.where(steps % 2 == 0, a[:, None], b[:, None])


def forward(terms, axis, step_axis, loop):
    """The log of the sum over all paths, of terms with an axis of runs and one of steps, which become 1 long.

    terms : the sum of a step's terms, in runs as `alternating` has them
    """
    n = int(round(terms.shape[axis] ** 0.5))
    x = np.moveaxis(np.moveaxis(terms, step_axis, 0), axis if axis > step_axis else axis + 1, -1)
    x = np.maximum(np.reshape(x, (*x.shape[:-1], n, n)), LOWEST)
    x = x[::-1] if loop.reverse else x
    even = np.reshape(np.arange(loop.length) % 2 == 0, (loop.length, *(1,) * (x.ndim - 1)))
    x = np.where(even, np.swapaxes(x, -1, -2), x)                        # [step, …, before, now]

    def step(before, pair):
        return logsumexp(before[..., :, None] + pair, -2), None

    last, _ = scan(step, x[0][..., 0, :], x[1:])
    out = logsumexp(last, -1)[..., None]                                 # the runs' axis, at the end
    out = np.moveaxis(out, -1, axis if axis < step_axis else axis - 1)
    return np.expand_dims(out, step_axis)
