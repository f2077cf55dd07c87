"""Kingman's coalescent: the times at which lineages, sampled at given times, meet their common ancestors."""
import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.control import scan
from ..engine.errors import ShapeError
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, child, param
from .transforms import Transform, biject_to


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
    """Numbers z onto coalescent times, going back by exp(z) from where the next coalescence can be at the latest.

        y₁ = l₂ - exp(z₁), yᵢ = min(yᵢ₋₁, lᵢ₊₁) - exp(zᵢ) for the leaves l₁ >= l₂ >= …;  the result is y in reverse
        log |dy/dz| = Σ zᵢ
    """
    leaf_times: ArrayLike = child()
    domain = constraints.real_vector

    @property
    def codomain(self):
        return CoalescentConstraint(self.leaf_times)

    def __call__(self, x):
        """yᵢ = min over j <= i of (lⱼ₊₁ - the steps j … i): running minima of leaves moved by earlier steps."""
        step = np.exp(x)
        total = np.cumsum(step, -1)
        moved = self.codomain.starts() + (total - step)
        return np.flip(np.minimum.accumulate(moved, -1) - total, -1)

    def _inverse(self, y):
        back, starts = np.flip(y, -1), self.codomain.starts()
        before = np.concatenate([np.full_like(back[..., :1], _numpy.inf), back[..., :-1]], -1)
        return np.log(np.minimum(before, starts) - back)

    def log_abs_det_jacobian(self, x, y):
        return np.sum(x, -1)


@biject_to.register(CoalescentConstraint)
def _(constraint):
    return CoalescentTransform(constraint.leaf_times)


def events(leaf_times, value):
    """Leaves and coalescences from the latest to the earliest.

    ->  their times, how many lineages there are below each (earlier), and which are coalescences: [*lead, 2n - 1]
    """
    lead = np.broadcast_shapes(leaf_times.shape[:-1], value.shape[:-1])
    leaves, value = (np.broadcast_to(x, (*lead, x.shape[-1])) for x in (leaf_times, value))
    times = np.concatenate([leaves, value], -1)
    order = np.argsort(-times, -1)
    coalesces = order >= leaves.shape[-1]
    lineages = np.cumsum(np.where(coalesces, -1, 1), -1)
    return np.take_along_axis(times, order, -1), np.astype(lineages, times.dtype), coalesces


def checked_leaves(family, leaf_times):
    """An error where there are no two leaves."""
    shape = np.shape(leaf_times)
    if not shape or shape[-1] < 2:
        raise ShapeError(f"{family}: leaf_times must have shape [..., n] with n >= 2; it has shape {shape}.")
    return leaf_times


class _Coalescent(Distribution):
    """What both rates share: the leaves."""
    leaf_times: ArrayLike = param(constraints.real_vector)

    @property
    def support(self):
        return CoalescentConstraint(self.leaf_times)

    @property
    def event_shape(self):
        return (self.leaf_times.shape[-1] - 1,)


class CoalescentTimes(_Coalescent):
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
    rate: ArrayLike = param(constraints.positive, default=1.0)
    reparametrized_params = ("leaf_times", "rate")

    def __init__(self, leaf_times, rate=1.0, *, validate_args=None):
        super().__init__(checked_leaves("CoalescentTimes", leaf_times), rate, validate_args=validate_args)

    def log_prob_inside(self, value):
        times, k, coalesces = events(self.leaf_times, np.asarray(value))
        exposure = np.sum(0.5 * (k * (k - 1.0))[..., :-1] * (times[..., :-1] - times[..., 1:]), -1)
        before = np.where(coalesces, 0.5 * (k + 1.0) * np.maximum(k, 1.0), 1.0)
        return np.sum(np.log(before), -1) + self.event_shape[0] * np.log(self.rate) - self.rate * exposure

    def sample(self, key, sample_shape=()):
        """Back in time, event by event: an exponential number is used up at the rate of all pairs, until it is gone (a
        coalescence) or the next leaf comes. So draws are continuous in leaf_times and rate."""
        lead, n = (*sample_shape, *self.batch_shape), self.leaf_times.shape[-1]
        leaves = np.broadcast_to(np.flip(np.sort(self.leaf_times, -1), -1), (*lead, n))
        fresh = random.exponential(key, (*lead, n), self.dtype)
        rate = np.broadcast_to(self.rate, lead)

        def at(x, i):
            return np.take_along_axis(x, np.minimum(i, n - 1)[..., None], -1)[..., 0]

        def step(state, _):
            t, left, begun, met = state
            k = np.astype(begun - met, self.dtype)
            hazard = rate * (0.5 * k * (k - 1.0))
            more = begun < n
            leaf = np.where(more, at(leaves, begun), t)
            then = t - left / np.where(hazard > 0, hazard, 1.0)
            meets = np.logical_and(hazard > 0, np.logical_or(then > leaf, np.logical_not(more)))
            left = np.where(meets, at(fresh, met + 1), left - hazard * (t - leaf))
            t = np.where(meets, then, leaf)
            return (t, left, begun + np.where(meets, 0, 1), met + np.where(meets, 1, 0)), np.where(meets, t, _numpy.inf)
        start = leaves[..., 0], fresh[..., 0], np.ones(lead, np.int64), np.zeros(lead, np.int64)
        times = scan(step, start, length=2 * n - 2)[1]
        return np.sort(np.moveaxis(times, 0, -1), -1)[..., :n - 1]


class CoalescentTimesWithRate(_Coalescent):
    """`CoalescentTimes` with a rate that changes: rate_grid[i] from i to i + 1, and the ends' beyond.

    It is the coalescent of rate 1 in the time τ(t) = ∫ rate, for which log p(x) = log p(τ(x)) + Σ log rate(xᵢ).

    leaf_times : float[*batch, n], the times of sampling, in any order      rate_grid : float[*batch, T], > 0
    sample : float[*shape, *batch, n - 1], increasing: the root first
    Source: Popinga, Vaughan, Stadler & Drummond (2015), "Inferring epidemiological dynamics with Bayesian coalescent
    inference", Genetics 199, equations 7 and 8.

    >>> float(CoalescentTimesWithRate([2.0, 2.0], [1.0, 3.0]).log_prob([0.5])).__round__(6)
    -3.5
    """
    rate_grid: ArrayLike = param(constraints.independent(constraints.positive, 1))
    reparametrized_params = ("leaf_times", "rate_grid")

    def __init__(self, leaf_times, rate_grid, *, validate_args=None):
        super().__init__(checked_leaves("CoalescentTimesWithRate", leaf_times), rate_grid, validate_args=validate_args)

    def _cell(self, index):
        """rate_grid and the integral up to where a cell begins, for cells index, int[*lead, m]."""
        rates = self.rate_grid
        total = np.cumsum(rates, -1) - rates
        shape = np.broadcast_shapes(index.shape[:-1], rates.shape[:-1])
        index = np.broadcast_to(index, (*shape, index.shape[-1]))
        return [np.take_along_axis(np.broadcast_to(x, (*shape, x.shape[-1])), index, -1) for x in (rates, total)]

    def _scaled(self, t):
        """τ(t) and the rate at t."""
        t = np.asarray(t)
        cell = np.clip(np.floor(t), 0, self.rate_grid.shape[-1] - 1)
        rate, total = self._cell(np.astype(cell, np.int64))
        return total + rate * (t - cell), rate

    @property
    def _steady(self):
        return CoalescentTimes(self._scaled(self.leaf_times)[0], np.ones((), self.dtype), validate_args=False)

    def log_prob_inside(self, value):
        time, rate = self._scaled(value)
        return self._steady.log_prob_inside(time) + np.sum(np.log(rate), -1)

    def sample(self, key, sample_shape=()):
        time = self._steady.sample(key, sample_shape)
        ends = np.cumsum(self.rate_grid, -1)[..., :-1]
        cell = np.sum(np.astype(ends[..., None, :] <= time[..., None], np.int64), -1)
        rate, total = self._cell(cell)
        return np.astype(cell, time.dtype) + (time - total) / rate
