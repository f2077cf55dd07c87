"""KL divergences of point masses and of distributions made of others."""
import functools
import math
import operator

from ...engine import numpy as np
from ...engine import tree
from ...engine.array import Array
from ..delta import Delta
from ..distribution import Distribution, sum_rightmost
from ..kl import absent, kl_divergence
from ..rearranged import BatchReshape, Blockwise, Sample
from ..transformed import TransformedDistribution
from ..vmapped import Vmapped
from ..wrappers import Expanded, Independent, Masked


@kl_divergence.register(Delta, Distribution)
def _(p, q):
    return p.log_density - q.log_prob(p.v)


@kl_divergence.register(Independent, Independent)
def _(p, q):
    n, m = p.reinterpreted_batch_ndims, q.reinterpreted_batch_ndims
    k = min(n, m)
    return sum_rightmost(kl_divergence(p.base_dist.to_event(n - k), q.base_dist.to_event(m - k)), k)


@kl_divergence.register(Expanded, Expanded)
@kl_divergence.register(Expanded, Distribution)
def _(p, q):
    return kl_divergence(p.base_dist, q)


@kl_divergence.register(Distribution, Expanded)
def _(p, q):
    return kl_divergence(p, q.base_dist)


@kl_divergence.register(Masked, Masked)
def _(p, q):
    both = np.logical_and(p.mask_array, q.mask_array)
    return np.where(both, kl_divergence(p.base_dist, q.base_dist), 0.0)


@kl_divergence.register(Vmapped, Vmapped)
def _(p, q):
    """Lane by lane."""
    leaves, form = tree.flatten(q.lanes.base)
    axes = q.lanes.axes
    if p.lanes.size != q.lanes.size:
        raise absent(p, q)

    def one(lane, *moving):
        moving = iter(moving)
        return kl_divergence(lane, tree.unflatten(form, [next(moving) if m else x for x, m in zip(leaves, axes)]))

    marked = [x for x, m in zip(leaves, axes) if m]
    return p.lanes.each(one, *marked, places=(0,) * len(marked))


@kl_divergence.register(Sample, Sample)
def _(p, q):
    if p.draws != q.draws:
        raise absent(p, q)
    return math.prod(p.draws) * kl_divergence(p.base_dist, q.base_dist)


@kl_divergence.register(Blockwise, Blockwise)
def _(p, q):
    pairs = list(zip(p.distributions, q.distributions))
    if len(p.distributions) != len(q.distributions) or any(a.event_shape != b.event_shape for a, b in pairs):
        raise absent(p, q)
    return functools.reduce(operator.add, [kl_divergence(a, b) for a, b in pairs])


@kl_divergence.register(BatchReshape, BatchReshape)
def _(p, q):
    a, b = p.base_dist, q.base_dist
    if (a.batch_shape, p.batch_shape) != (b.batch_shape, q.batch_shape):
        raise absent(p, q)
    return kl_divergence(a, b).reshape(p.batch_shape)


def same(x, y):
    """Whether two pytrees are equal, True, False or a traced bool[]: one structure, the same or equal leaves."""
    a, a_form = tree.flatten(x)
    b, b_form = tree.flatten(y)
    if a_form != b_form or any(np.shape(u) != np.shape(v) for u, v in zip(a, b)):
        return False
    checks = [np.all(u == v) for u, v in zip(a, b) if u is not v]
    known = [bool(check) for check in checks if type(check) is Array]
    traced = [check for check in checks if type(check) is not Array]
    return functools.reduce(np.logical_and, traced) if traced and all(known) else all(known)


@kl_divergence.register(TransformedDistribution, TransformedDistribution)
def _(p, q):
    """That of the bases, for one and the same bijection (nan where it turns out not to be, if it is being traced)."""
    alike = same(p.transform, q.transform)
    if alike is False:
        raise absent(p, q)
    value = kl_divergence(p.base_dist, q.base_dist)
    return value if alike is True else np.where(alike, value, np.nan)
