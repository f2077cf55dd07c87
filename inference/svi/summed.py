"""The evidence lower bound with the model's own discrete sites summed out, plate by plate.

Model sites that are discrete, of few values, and not in the guide, are summed out of the model's density:

    E_q[log Σ_k p(k, z, x) - log q(z)]

The model runs side by side for each joint value that gives all indices of a plate the same one. A site's terms at its
index follow, and with them the sum over the site, index by index; a sum over plates inside of another is left by their
product over the inner plate's indices (tensor variable elimination). A scan is a plate to sites that its carry does not
hand on, and chains have the forward algorithm (`chains`). Other loops and lanes of a vmap are no plates: a site in one
has a value for each joint value of its steps.
Source: Obermeyer et al. (2019), "Tensor variable elimination for plated factor graphs", section 3.
"""
import itertools
import math
from functools import partial
from typing import Any, NamedTuple

import numpy as onp

from ...distributions import Masked, Vmapped
from ...distributions.wrappers import Wrapper
from ...engine import numpy as np
from ...engine import random, vmap
from ...engine.array import Array
from ...engine.nn import logsumexp
from ...ppl.stacked import Branched
from .chains import alternating, forward, loops_of
from .enumeration import MOST, expectation, listed, once
from .estimators import families, total, with_score
from .objectives import Objective, mean_of_others
from .particles import AtValues, given, straight_sites
from .structure import sites_of


class TraceEnum_ELBO(Objective):
    """The evidence lower bound, negated, with discrete sites of the model that the guide lacks summed out of it.

    num_particles : draws of the guide for one estimate
    max_plate_nesting : taken for NumPyro's sake; plates are known from the program
    Sites of the model with finitely many values and without a site in the guide are summed out, whether or not their
    statement says infer={"enumerate": "parallel"}; what depends on a site in a plate must stand in the plate, too, and
    depend on it index by index. Sites of the guide are summed as in `Trace_ELBO`, where they say so. Cost: the product
    of the sites' numbers of values, at most 4096, whatever the sizes of their plates and the lengths of scans. The
    states of a Markov chain in a scan, outside of plates, count twice. Joint values of all steps or lanes multiply for
    other sites in loops: chains of a higher order, or in plates or a vmap, and in scans in scans.
    Raises SiteError for sites that cannot be summed so: with a mask in their distribution or in a branch, or with
    values that depend on data, other sites, or the branch.
    Source: Obermeyer et al. (2019), "Tensor variable elimination for plated factor graphs".

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import random
    >>> def model(y):
    ...     with cr.plate("i", len(y)):
    ...         k = cr.sample("k", dist.Bernoulli(0.25))
    ...         cr.sample("y", dist.Normal(4.0 * k, 1.0), obs=y)
    >>> loss = TraceEnum_ELBO().loss(random.key(0), {}, model, lambda y: None, [0.0, 4.0])
    >>> mixture = dist.MixtureSameFamily(dist.Categorical([0.75, 0.25]), dist.Normal([0.0, 4.0], 1.0))
    >>> bool(abs(loss + mixture.log_prob([0.0, 4.0]).sum()) < 1e-12)
    True
    """
    sums_model = True

    def __init__(self, num_particles=1, max_plate_nesting=None, vectorize_particles=True):
        super().__init__(num_particles, vectorize_particles)

    def estimate(self, key, params, pair, state):
        plan = planned(pair)

        def one(key):
            mine, others = random.split(key)
            return expectation(pair, params, mine, lambda guide, model: model - total(guide),
                               at=partial(marginal, pair, plan, others, params))

        elbo, log_q = self.over_particles(one, key)
        if log_q is not None:
            elbo = with_score(elbo, log_q, mean_of_others(elbo))
        return -np.mean(elbo), state


class Summed(NamedTuple):
    """A site that is summed out, or the sites of one chain, which are."""
    values: dict               # {site: [joint values, *shape]}
    plates: frozenset          # of (name, dim), and the mark of a scan that is one
    chain: Any = None          # its `Loop`

    @property
    def count(self):
        """The number of joint values."""
        return len(next(iter(self.values.values())))


class Plan(NamedTuple):
    """What is summed out of a model, and how."""
    groups: list               # of Summed
    loops: list                # of Loop


def planned(pair):
    """The `Plan` for a model and a guide; kept with the model's program."""
    key = ("summed", pair.guide)
    if key not in pair.model.cache:
        pair.model.cache[key] = _planned(pair)
    return pair.model.cache[key]


def _planned(pair):
    known = {k for k, s in pair.guide.outline(pair.guide_data).items() if s.kind == "sample"}
    structure = sites_of(pair.model, pair.data)

    def take(sites):
        mine = [s for s in sites.values() if s.kind == "sample" and not s.observed and s.name not in known
                and s.fn.is_discrete and all(f.has_enumerate_support for f in families(s.fn))]
        loops = [_of_its_own(loop, structure) for loop in loops_of(pair.model, [s.name for s in mine])]
        chains = [_chain(loop, [s for s in mine if s.name in loop.carried]) for loop in loops]
        done = {k for c in chains if c for k in c.values}
        free = {k: loop.mark for loop in loops for k in loop.free}
        rest = [_summed(s, free.get(s.name)) for s in mine if s.name not in done]
        return Plan([c for c in chains if c] + rest, loops)

    plan = pair.model.on_types(pair.data, take)
    counts = {"+".join(g.values): g.count for g in plan.groups}
    if math.prod(counts.values()) > MOST:
        raise ValueError(f"TraceEnum_ELBO sums over {math.prod(counts.values())} joint values of "
                         f"{', '.join(f'{k} {n}' for k, n in counts.items())}; at most {MOST} are.\n"
                         "Give the guide some of the sites.")
    _check(plan, structure)
    return plan


def _of_its_own(loop, structure):
    """The loop without those of its sites that terms behind it depend on."""
    behind = set().union(*[parents for name, parents in structure.parents.items() if name not in loop.sites])
    alone = not loop.carried & behind
    return loop._replace(carried=loop.carried if alone else frozenset(), free=loop.free - behind)


def _listed(s):
    values = listed(s.fn)
    if values is None or _masked(s.fn):
        raise s.error(f"TraceEnum_ELBO: site {s.name!r} has a mask in its distribution, or values that depend on data "
                      "or other sites or the branch.\nGive it a site in the guide, or use handlers.mask.")
    return values


def _chain(loop, sites):
    """The `Summed` of the carried sites of a scan; None where there are none, or some stand in plates or lanes."""
    if not sites or any(tuple(s.fn.batch_shape) != (loop.length,) for s in sites):
        return None
    values = [_listed(s) for s in sites]
    states = alternating(math.prod(map(len, values)), loop)
    digits = onp.unravel_index(states, tuple(map(len, values)))
    return Summed({s.name: v[d] for s, v, d in zip(sites, values, digits)}, frozenset([loop.mark]), loop)


def _summed(s, mark):
    """A site by itself; mark : that of the scan that is as a plate to it, or None"""
    values, event, batch = _listed(s), tuple(s.fn.event_shape), tuple(s.fn.batch_shape)
    plates = frozenset((f.name, f.dim) for f in s.plates if f.dim is not None)
    same = {len(batch) + dim for _, dim in plates} | ({0} if mark else set())    # axes along which one value stands
    free = tuple(1 if axis in same else n for axis, n in enumerate(batch))
    count = len(values) ** math.prod(free)
    if count > MOST:
        raise s.error(f"TraceEnum_ELBO: site {s.name!r} has {count} joint values, of its steps or lanes; at most "
                      f"{MOST} are summed over.\nFor chains in plates take dist.HiddenMarkovModel; for rows, a plate.")
    rows = onp.array(list(itertools.product(range(len(values)), repeat=math.prod(free))), int)
    made = onp.broadcast_to(values[rows].reshape((len(rows), *free, *event)), (len(rows), *batch, *event))
    return Summed({s.name: made}, plates | ({mark} if mark else set()))


def _masked(fn):
    if isinstance(fn, Branched):
        return any(m is not None for m in fn.masks) or any(map(_masked, fn.fns))
    return isinstance(fn, Masked) or isinstance(fn, (Wrapper, Vmapped)) and _masked(fn.base_dist)


def _check(plan, structure):
    """Raise ValueError where a term depends on a site in another way than index by index."""
    marks = {name: loop for loop in plan.loops for name in loop.sites}
    for group in plan.groups:
        for site in group.values:
            for name in [k for k, parents in structure.parents.items() if site in parents]:
                link = structure.link(site, name) | ({marks[name].mark} if name in marks else set())
                if not group.plates <= link:
                    lost = ", ".join(sorted(p for p, _ in group.plates - link))
                    raise ValueError(f"TraceEnum_ELBO: site {name!r} depends on {site!r}, which is summed out, and not "
                                     f"index by index of the plate {lost}.\nPut {name!r} into the plate, or give "
                                     f"{site!r} a site in the guide.")


class _Term(NamedTuple):
    value: Array               # [a number of values, or 1, for each group; *batch], scaled
    groups: frozenset          # numbers
    plates: frozenset


def marginal(pair, plan, key, params, guide):
    """log Σ_k p(k, z, x) at the guide's z: a number."""
    groups, values, straight = plan.groups, given(guide), straight_sites(guide)
    if not groups:
        return total(pair.at(key, params, guide))
    sizes, structure = [g.count for g in groups], sites_of(pair.model, pair.data)
    grid = onp.indices(sizes).reshape(len(sizes), -1)
    firsts = {name: x[0] for g in groups for name, x in g.values.items()}

    def one(index):
        forced = {name: np.asarray(x)[i] for g, i in zip(groups, index) for name, x in g.values.items()}
        sites = pair.model.record(AtValues(key, params, {**values, **forced}, pair.constrained, straight), pair.data)
        pair.check_names(guide, sites)
        out = {}
        for name, s in sites.items():
            if s.scored:
                rest = None if name not in forced else once(s.fn, forced[name], firsts[name],
                                                            True if s.mask is None else s.mask)
                out[name] = s.log_prob(), np.asarray(1.0 if s.scale is None else s.scale), rest
        return out

    made = vmap(one)(tuple(np.asarray(row) for row in grid))
    marks, terms, scales = {k: loop.mark for loop in plan.loops for k in loop.sites}, [], {}
    for name, (value, scale, rest) in made.items():
        on = frozenset(i for i, g in enumerate(groups) if set(g.values) & (structure.parents[name] | {name}))
        value = value if rest is None else value + rest
        plates = structure.plates[name] | ({marks[name]} if name in marks else set())
        terms.append(_Term(_spread(value, sizes, on), on, plates))
        scales.update((i, scale[0]) for i, g in enumerate(groups) if name in g.values)
    return _eliminated(terms, groups, scales)


def _spread(value, sizes, on):
    """Terms [joint values, *batch] with an axis for each group, of one where they do not depend on it."""
    value = np.reshape(value, (*sizes, *value.shape[1:]))
    for axis in range(len(sizes)):
        if axis not in on:
            value = value[(slice(None),) * axis + (slice(0, 1),)]
    return value


def _eliminated(terms, groups, scales):
    """The log of the sum over all groups' values of the product of all terms."""
    done = sum((np.sum(t.value) for t in terms if not t.groups), np.zeros(()))
    terms, left, depth = [t for t in terms if t.groups], set(range(len(groups))), len(groups)
    while left:
        deepest = max((groups[i].plates for i in sorted(left)), key=len)
        mine = [i for i in sorted(left) if groups[i].plates == deepest]
        mine = [i for i in mine if groups[i].chain is None] or mine      # a chain goes after what hangs on its steps
        terms = [_reduced(t, groups, depth) for t in terms]
        hit, terms = [t for t in terms if t.groups & set(mine)], [t for t in terms if not t.groups & set(mine)]
        if any(t.plates != deepest for t in hit):
            names = ", ".join(sorted(k for i in mine for k in groups[i].values))
            raise ValueError(f"TraceEnum_ELBO cannot sum out {names}: a term that depends on it also depends on sites "
                             "of other plates.\nGive the guide one of the sites.")
        stepped, chain = any(dim is None for _, dim in deepest), groups[mine[0]].chain
        value = _added([t.value for t in hit], depth, stepped)
        scale = scales[mine[0]]
        if stepped and scale.ndim:                       # [steps, …], of a chain one for all
            scale = scale[(0,) * scale.ndim] if chain else np.reshape(
                scale, (scale.shape[0], *(1,) * (value.ndim - depth - scale.ndim), *scale.shape[1:]))
        value = value / scale
        if chain is None:
            value = logsumexp(value, tuple(mine), keepdims=True)
        else:
            value = forward(value, mine[0], depth, chain)
        value, left = value * scale, left - set(mine)
        on = frozenset().union(*[t.groups for t in hit]) - set(mine)
        if on:
            terms.append(_Term(value, on, deepest))
        else:
            done = done + np.sum(value)
    return done


def _reduced(t, groups, depth):
    """A term with its product taken over loops, lanes, and the plates that none of its groups stands in."""
    own = frozenset().union(*[groups[i].plates for i in t.groups])
    kept = {depth if dim is None else t.value.ndim + dim for _, dim in own}
    gone = tuple(axis for axis in range(depth, t.value.ndim) if axis not in kept)
    return _Term(np.sum(t.value, gone, keepdims=True) if gone else t.value, t.groups, own)


def _added(values, depth, stepped):
    """The sum of terms whose batches are aligned on the right; `stepped`: but for their first axis, that of a scan."""
    rank, at = max(v.ndim for v in values), depth + stepped
    return sum(np.reshape(v, (*v.shape[:at], *(1,) * (rank - v.ndim), *v.shape[at:])) for v in values)
