"""The evidence lower bound with the model's own discrete sites summed out, plate by plate.

Model sites that are discrete, of few values, and not in the guide, are summed out of the model's density:

    E_q[log Σ_k p(k, z, x) - log q(z)]

The model runs side by side for each joint value that gives all indices of a plate the same one. A site's terms at its
index follow, and with them the sum over the site, index by index; a sum over plates inside of another is left by their
product over the inner plate's indices (tensor variable elimination). Steps of a loop and lanes of a vmap are no plates:
a site in one has a value for each joint value of its steps.
Source: Obermeyer et al. (2019), "Tensor variable elimination for plated factor graphs", section 3.
"""
import itertools
import math
from functools import partial
from typing import NamedTuple

import numpy as onp

from ...distributions import Masked, Vmapped
from ...distributions.wrappers import Wrapper
from ...engine import numpy as np
from ...engine import random, vmap
from ...engine.array import Array
from ...engine.nn import logsumexp
from .enumeration import MOST, expectation, in_branch
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
    of the sites' numbers of values, at most 4096, whatever the sizes of their plates; steps of a loop and lanes of a
    vmap multiply (`dist.HiddenMarkovModel` has the forward algorithm for chains).
    Raises SiteError for sites that cannot be summed so: in a branch, under a mask in their distribution, or with values
    that depend on data or other sites.
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
    """A site that is summed out."""
    name: str
    values: onp.ndarray        # [joint values of lanes, *shape]
    plates: frozenset          # of (name, dim)


def planned(pair):
    """[Summed] of a model, for the sites that its guide lacks; kept with the model's program."""
    key = ("summed", pair.guide)
    if key not in pair.model.cache:
        known = {k for k, s in pair.guide.outline(pair.guide_data).items() if s.kind == "sample"}
        found = pair.model.on_types(pair.data, lambda sites: [
            _summed(s) for s in sites.values() if s.kind == "sample" and not s.observed and s.name not in known
            and s.fn.is_discrete and all(f.has_enumerate_support for f in families(s.fn))])
        if math.prod(len(s.values) for s in found) > MOST:
            sizes = ", ".join(f"{s.name} {len(s.values)}" for s in found)
            raise ValueError(f"TraceEnum_ELBO sums over {math.prod(len(s.values) for s in found)} joint values of "
                             f"{sizes}; at most {MOST} are.\nGive the guide some of the sites.")
        _check(found, sites_of(pair.model, pair.data))
        pair.model.cache[key] = found
    return pair.model.cache[key]


def _summed(s):
    if in_branch(s.fn):
        raise s.error(f"TraceEnum_ELBO: site {s.name!r} stands in a branch of a cond, which may not be taken.\n"
                      "Draw it in front of the cond, or give it a site in the guide.")
    values = s.fn.enumerate_support(expand=False)
    if not isinstance(values, Array) or _masked(s.fn):
        raise s.error(f"TraceEnum_ELBO: site {s.name!r} has a mask in its distribution, or values that depend on data "
                      "or other sites.\nGive it a site in the guide, or use handlers.mask.")
    values, event, batch = onp.asarray(values), tuple(s.fn.event_shape), tuple(s.fn.batch_shape)
    values = values.reshape((len(values), *event))
    plates = frozenset((f.name, f.dim) for f in s.plates if f.dim is not None)
    same = {len(batch) + dim for _, dim in plates}                   # axes along which one value stands
    free = tuple(1 if axis in same else n for axis, n in enumerate(batch))
    count = len(values) ** math.prod(free)
    if count > MOST:
        raise s.error(f"TraceEnum_ELBO: site {s.name!r} has {count} joint values, of its steps or lanes; at most "
                      f"{MOST} are summed over.\nFor a chain take dist.HiddenMarkovModel; for rows, a plate.")
    rows = onp.array(list(itertools.product(range(len(values)), repeat=math.prod(free))), int)
    made = values[rows].reshape((len(rows), *free, *event))
    return Summed(s.name, onp.broadcast_to(made, (len(rows), *batch, *event)), plates)


def _masked(fn):
    while isinstance(fn, (Wrapper, Vmapped)):
        if isinstance(fn, Masked):
            return True
        fn = fn.base_dist
    return False


def _check(found, structure):
    """Raise ValueError where a term depends on a site in another way than index by index."""
    for s in found:
        for name, parents in structure.parents.items():
            if s.name in parents and not s.plates <= structure.link(s.name, name):
                lost = ", ".join(sorted(p for p, _ in s.plates - structure.link(s.name, name)))
                raise ValueError(f"TraceEnum_ELBO: site {name!r} depends on {s.name!r}, which is summed out, and not "
                                 f"index by index of the plate {lost}.\nPut {name!r} into the plate, or give "
                                 f"{s.name!r} a site in the guide.")


class _Term(NamedTuple):
    value: Array               # [a number of values, or 1, for each site; *batch], scaled
    sites: frozenset           # names
    plates: frozenset


def marginal(pair, plan, key, params, guide):
    """log Σ_k p(k, z, x) at the guide's z: a number."""
    values, straight = given(guide), straight_sites(guide)
    if not plan:
        return total(pair.at(key, params, guide))
    sizes, structure = [len(s.values) for s in plan], sites_of(pair.model, pair.data)
    grid = onp.indices(sizes).reshape(len(sizes), -1)

    def one(index):
        forced = {s.name: np.asarray(s.values)[i] for s, i in zip(plan, index)}
        sites = pair.model.record(AtValues(key, params, {**values, **forced}, pair.constrained, straight), pair.data)
        pair.check_names(guide, sites)
        out = {}
        for name, s in sites.items():
            if s.scored:
                out[name] = s.log_prob(), np.asarray(1.0 if s.scale is None else s.scale), _counted(s, plan)
        return out

    made = vmap(one)(tuple(np.asarray(row) for row in grid))
    terms, scales = [], {}
    for name, (value, scale, counted) in made.items():
        on = frozenset(s.name for s in plan if s.name == name or s.name in structure.parents[name])
        value = value if counted is None else value + counted
        terms.append(_Term(_spread(value, plan, sizes, on), on, structure.plates[name]))
        if name in {s.name for s in plan}:
            scales[name] = scale[0]
    return _eliminated(terms, plan, scales)


def _counted(s, plan):
    """0 at the first value and -inf at others where a summed site is masked, so that it counts once; else None."""
    for k in plan:
        if k.name == s.name and s.mask is not None:
            first = s.value == np.asarray(k.values[0])
            first = np.all(first, tuple(range(first.ndim - len(s.fn.event_shape), first.ndim)))
            return np.where(np.logical_or(s.mask, first), 0.0, -np.inf)
    return None


def _spread(value, plan, sizes, on):
    """Terms [joint values, *batch] with an axis for each site, of one where they do not depend on it."""
    value = np.reshape(value, (*sizes, *value.shape[1:]))
    for axis, s in enumerate(plan):
        if s.name not in on:
            value = value[(slice(None),) * axis + (slice(0, 1),)]
    return value


def _eliminated(terms, plan, scales):
    """The log of the sum over all sites of the product of all terms."""
    done = sum((np.sum(t.value) for t in terms if not t.sites), np.zeros(()))
    terms, left = [t for t in terms if t.sites], list(plan)
    while left:
        deepest = max((s.plates for s in left), key=len)
        mine = [s for s in left if s.plates == deepest]
        names = {s.name for s in mine}
        terms = [_reduced(t, left, len(plan)) for t in terms]
        hit, terms = [t for t in terms if t.sites & names], [t for t in terms if not t.sites & names]
        if any(t.plates != deepest for t in hit):
            raise ValueError(f"TraceEnum_ELBO cannot sum out {', '.join(sorted(names))}: a term that depends on it "
                             "also depends on sites of other plates.\nGive the guide one of the sites.")
        scale = scales[mine[0].name]
        value = _added([t.value for t in hit], len(plan)) / scale
        axes = tuple(i for i, s in enumerate(plan) if s.name in names)
        value = logsumexp(value, axes, keepdims=True) * scale
        left = [s for s in left if s.name not in names]
        sites = frozenset().union(*[t.sites for t in hit]) - names
        if sites:
            terms.append(_Term(value, sites, deepest))
        else:
            done = done + np.sum(value)
    return done


def _reduced(t, left, depth):
    """A term with its product taken over loops, lanes, and the plates that none of its sites stands in."""
    own = frozenset().union(*[s.plates for s in left if s.name in t.sites])
    kept = {t.value.ndim + dim for _, dim in own}
    gone = tuple(axis for axis in range(depth, t.value.ndim) if axis not in kept)
    return _Term(np.sum(t.value, gone, keepdims=True) if gone else t.value, t.sites, own)


def _added(values, depth):
    """The sum of terms whose batches are aligned on the right."""
    rank = max(v.ndim for v in values)
    return sum(np.reshape(v, (*v.shape[:depth], *(1,) * (rank - v.ndim), *v.shape[depth:])) for v in values)
