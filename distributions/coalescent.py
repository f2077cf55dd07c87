"""Kingman's coalescent: the times at which lineages, sampled at given times, meet their common ancestors."""
import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.control import scan
from ..engine.errors import ShapeError
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, child, param
from .transforms import ComposeTransform, Transform, biject_to


class CoalescentConstraint(constraints.Constraint):
    """Increasing vectors of the n - 1 times at which n lineages, which begin at leaf_times, can coalesce.

    Going back in time, the i-th coalescence is not later than the one before it, nor than the time by which there are
    i + 1 leaves.          leaf_times : float[*batch, n], in any order
    """
    leaf_times: ArrayLike = child()
    event_dim = 1
    words = "a vector of increasing times, with at least two lineages before each coalescence"

    def starts(self):
        """The latest time of each coalescence, going back: the leaves after the latest one, float[*batch, n - 1]."""
        return np.flip(np.sort(self.leaf_times, -1), -1)[..., 1:]

    def check(self, x):
        back = np.flip(x, -1)
        return np.logical_and(np.all(x[..., 1:] >= x[..., :-1], -1), np.all(back <= self.starts(), -1))

    def example(self, x):
        n = x.shape[-1]
        return np.min(self.leaf_times, -1, keepdims=True) - np.arange(n, 0, -1, dtype=x.dtype)


class CoalescentTransform(Transform):
    """Numbers z onto coalescent times: exp(zᵢ) is how long the i-th coalescence is waited for, in pairs times time.

        exp(zᵢ) = ∫ C(k(t), 2) dt from the i-th coalescence, going back from the latest leaf, to the one before it
        log |dx/dz| = Σ (zᵢ - log C(kᵢ, 2))

    A density of coalescent times jumps where a coalescence and a leaf change places. In z it does not.
    """
    leaf_times: ArrayLike = child()
    domain = constraints.real_vector

    @property
    def codomain(self):
        return CoalescentConstraint(self.leaf_times)

    def __call__(self, x):
        return coalesced(self.leaf_times, np.exp(x))

    def _inverse(self, y):
        times, pairs, coalesces = events(self.leaf_times, np.asarray(y))
        used = np.cumsum(pairs[..., :-1] * (times[..., :-1] - times[..., 1:]), -1)
        places = _numpy.arange(1, times.shape[-1])
        at = np.sort(np.where(coalesces[..., 1:], places, times.shape[-1]), -1)[..., :y.shape[-1]] - 1
        used = np.take_along_axis(used, at, -1)
        return np.log(np.concatenate([used[..., :1], used[..., 1:] - used[..., :-1]], -1))

    def log_abs_det_jacobian(self, x, y):
        return np.sum(x, -1) - log_pairs(*events(self.leaf_times, np.asarray(y))[1:])


@biject_to.register(CoalescentConstraint)
def _(constraint):
    return CoalescentTransform(constraint.leaf_times)


def events(leaf_times, value):
    """Leaves and coalescences from the latest to the earliest.

    ->  their times, the pairs of lineages between each and the next, and which are coalescences: [*lead, 2n - 1]
    """
    lead = np.broadcast_shapes(leaf_times.shape[:-1], value.shape[:-1])
    leaves, value = (np.broadcast_to(x, (*lead, x.shape[-1])) for x in (leaf_times, value))
    times = np.concatenate([leaves, value], -1)
    order = np.argsort(-times, -1)
    coalesces = order >= leaves.shape[-1]
    k = np.astype(np.cumsum(np.where(coalesces, -1, 1), -1), times.dtype)
    return np.take_along_axis(times, order, -1), 0.5 * k * (k - 1.0), coalesces


def log_pairs(pairs, coalesces):
    """Σ log C(kᵢ, 2) over the coalescences, kᵢ the lineages that there were for each, by the pairs that it left."""
    before = np.concatenate([pairs[..., :1], pairs[..., :-1]], -1)
    return np.sum(np.log(np.where(coalesces, np.maximum(before, 1.0), 1.0)), -1)


def coalesced(leaf_times, waits):
    """The times, increasing, at which lineages coalesce, going back, if each coalescence takes its share of `waits`,
    float[*lead, n - 1], in pairs times time; the latest coalescence has the first.

    Event by event a share is used up at the rate of all pairs, until it is gone (a coalescence) or the next leaf comes.
    """
    lead, n = np.broadcast_shapes(leaf_times.shape[:-1], waits.shape[:-1]), leaf_times.shape[-1]
    leaves = np.broadcast_to(np.flip(np.sort(leaf_times, -1), -1), (*lead, n))
    waits = np.broadcast_to(waits, (*lead, n - 1))

    def at(x, i):
        return np.take_along_axis(x, np.minimum(i, x.shape[-1] - 1)[..., None], -1)[..., 0]

    def step(state, _):
        t, left, begun, met = state
        k = np.astype(begun - met, waits.dtype)
        pairs, more = 0.5 * k * (k - 1.0), begun < n
        leaf = np.where(more, at(leaves, begun), t)
        then = t - left / np.where(pairs > 0, pairs, 1.0)
        meets = np.logical_and(pairs > 0, np.logical_or(then > leaf, np.logical_not(more)))
        left = np.where(meets, at(waits, met + 1), left - pairs * (t - leaf))
        t = np.where(meets, then, leaf)
        return (t, left, begun + np.where(meets, 0, 1), met + np.where(meets, 1, 0)), np.where(meets, t, _numpy.inf)
    start = leaves[..., 0], waits[..., 0], np.ones(lead, np.int64), np.zeros(lead, np.int64)
    times = scan(step, start, length=2 * n - 2)[1]
    return np.sort(np.moveaxis(times, 0, -1), -1)[..., :n - 1]


class GridTime(Transform):
    """The time τ(t) = ∫ rate from 0 to t, element by element: the rate is rate_grid[i] from i to i + 1, and the ends'
    beyond.          rate_grid : float[*batch, T], > 0      t : float[*shape, *batch, m]
    """
    rate_grid: ArrayLike = child()
    domain = codomain = constraints.real_vector

    def _cell(self, index):
        """The rate of each cell, and τ where it begins: index, int[*lead, m]."""
        rates = self.rate_grid
        shape = np.broadcast_shapes(index.shape[:-1], rates.shape[:-1])
        index = np.broadcast_to(index, (*shape, index.shape[-1]))
        return [np.take_along_axis(np.broadcast_to(x, (*shape, x.shape[-1])), index, -1)
                for x in (rates, np.cumsum(rates, -1) - rates)]

    def _cell_of(self, t):
        return np.clip(np.floor(t), 0, self.rate_grid.shape[-1] - 1)

    def __call__(self, x):
        cell = self._cell_of(x)
        rate, begin = self._cell(np.astype(cell, np.int64))
        return begin + rate * (x - cell)

    def _inverse(self, y):
        ends = np.cumsum(self.rate_grid, -1)[..., :-1]
        cell = np.sum(np.astype(ends[..., None, :] <= y[..., None], np.int64), -1)
        rate, begin = self._cell(cell)
        return np.astype(cell, y.dtype) + (y - begin) / rate

    def log_abs_det_jacobian(self, x, y):
        return np.sum(np.log(self._cell(np.astype(self._cell_of(x), np.int64))[0]), -1)


class GridCoalescentConstraint(CoalescentConstraint):
    """The same set, from which one comes to unconstrained numbers by way of `GridTime`, so that nothing jumps."""
    rate_grid: ArrayLike = child()


@biject_to.register(GridCoalescentConstraint)
def _(constraint):
    time = GridTime(constraint.rate_grid)
    return ComposeTransform([CoalescentTransform(time(constraint.leaf_times)), time.inv])


def checked_leaves(family, leaf_times):
    """An error where there are no two leaves."""
    shape = np.shape(leaf_times)
    if not shape or shape[-1] < 2:
        raise ShapeError(f"{family}: leaf_times must have shape [..., n] with n >= 2; it has shape {shape}.")
    return leaf_times


class CoalescentTimes(Distribution):
    """The times at which n lineages coalesce, going back in time from when they were sampled.

        each of the k (k - 1) / 2 pairs of k lineages meets at the given rate
        log p(x) = Σᵢ log(rate C(kᵢ, 2)) - ∫ rate C(k(t), 2) dt,  kᵢ the lineages just after xᵢ

    leaf_times : float[*batch, n], the times of sampling, in any order      rate : float[*batch], > 0
    sample : float[*shape, *batch, n - 1], increasing: the root first
    Source: Kingman (1982), "The coalescent", Stochastic Processes and their Applications 13; for leaves of different
    times, Rodrigo & Felsenstein (1999).

    >>> float(CoalescentTimes([0.0, 0.0]).log_prob([-2.0]))
    -2.0
    """
    leaf_times: ArrayLike = param(constraints.real_vector)
    rate: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("leaf_times", "rate")

    def __init__(self, leaf_times, rate=1.0, *, validate_args=None):
        super().__init__(checked_leaves("CoalescentTimes", leaf_times), rate, validate_args=validate_args)

    @property
    def support(self):
        return CoalescentConstraint(self.leaf_times)

    @property
    def event_shape(self):
        return (self.leaf_times.shape[-1] - 1,)

    def log_prob_inside(self, value):
        times, pairs, coalesces = events(self.leaf_times, np.asarray(value))
        exposure = np.sum(pairs[..., :-1] * (times[..., :-1] - times[..., 1:]), -1)
        return log_pairs(pairs, coalesces) + self.event_shape[0] * np.log(self.rate) - self.rate * exposure

    def sample(self, key, sample_shape=()):
        waits = random.exponential(key, self.shape(sample_shape), self.dtype) / self.rate[..., None]
        return coalesced(self.leaf_times, waits)


class CoalescentTimesWithRate(Distribution):
    """`CoalescentTimes` with a rate that changes: rate_grid[i] from i to i + 1, and the ends' beyond.

    It is the coalescent of rate 1 in the time τ(t) = ∫ rate, for which log p(x) = log p(τ(x)) + Σ log rate(xᵢ).

    leaf_times : float[*batch, n], the times of sampling, in any order      rate_grid : float[*batch, T], > 0
    sample : float[*shape, *batch, n - 1], increasing: the root first
    Source: Popinga, Vaughan, Stadler & Drummond (2015), "Inferring epidemiological dynamics with Bayesian coalescent
    inference", Genetics 199, equations 7 and 8.

    >>> float(CoalescentTimesWithRate([2.0, 2.0], [1.0, 3.0]).log_prob([0.5])).__round__(6)
    -3.5
    """
    leaf_times: ArrayLike = param(constraints.real_vector)
    rate_grid: ArrayLike = param(constraints.independent(constraints.positive, 1))
    reparametrized_params = ("leaf_times", "rate_grid")

    def __init__(self, leaf_times, rate_grid, *, validate_args=None):
        super().__init__(checked_leaves("CoalescentTimesWithRate", leaf_times), rate_grid, validate_args=validate_args)

    @property
    def support(self):
        return GridCoalescentConstraint(self.leaf_times, self.rate_grid)

    @property
    def event_shape(self):
        return (self.leaf_times.shape[-1] - 1,)

    @property
    def _steady(self):
        """The coalescent of rate 1 in the time τ."""
        leaves = GridTime(self.rate_grid)(self.leaf_times)
        return CoalescentTimes(leaves, np.ones((), self.dtype), validate_args=False)

    def log_prob_inside(self, value):
        time = GridTime(self.rate_grid)
        scaled = time(np.asarray(value))
        return self._steady.log_prob_inside(scaled) + time.log_abs_det_jacobian(value, scaled)

    def sample(self, key, sample_shape=()):
        return GridTime(self.rate_grid).inv(self._steady.sample(key, sample_shape))
