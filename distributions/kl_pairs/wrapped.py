"""KL divergences of point masses and of distributions made of others."""
from ...engine import numpy as np
from ...engine import tree
from ...engine.array import Array
from ..delta import Delta
from ..distribution import Distribution, sum_rightmost
from ..kl import absent, kl_divergence
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


def same(x, y):
    """Whether two pytrees are known to be equal: of one structure, with the same or equal leaves."""
    a, a_form = tree.flatten(x)
    b, b_form = tree.flatten(y)
    return a_form == b_form and all(u is v or _equal(u, v) for u, v in zip(a, b))


def _equal(u, v):
    plain = (Array, int, float)
    return isinstance(u, plain) and isinstance(v, plain) and np.shape(u) == np.shape(v) and bool(np.all(u == v))


@kl_divergence.register(TransformedDistribution, TransformedDistribution)
def _(p, q):
    """That of the bases, for one and the same bijection."""
    if not same(p.transform, q.transform):
        raise absent(p, q)
    return kl_divergence(p.base_dist, q.base_dist)
