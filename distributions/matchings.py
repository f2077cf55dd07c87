"""Random matchings of sources with destinations, one to one or two to one, by the weights of the pairs.

The normaliser is the sum over all matchings, a permanent. It is exact by a sum over sets: the first i sources fill some
of the places of the destinations, and how they are filled is all that the others must know. There are 2ⁿ (or 3ⁿ) ways,
so that about 16 (or 10) destinations are the end of it; beyond, `bp_iters` gives Bethe's approximation.
"""
import functools
import itertools
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.control import scan
from ..engine.errors import ParameterError, ShapeError
from ..engine.scipy import special
from . import constraints
from .counting import listed
from .distribution import Distribution
from .record import ArrayLike, param, static

MOST_STATES = 200_000


class Matching(constraints.Constraint):
    """Vectors in which each of the integers 0 … n - 1 stands `capacity` times."""
    capacity: int = static()
    event_dim, is_discrete = 1, True

    @property
    def words(self):
        return f"a vector in which each of 0 … n - 1 stands {('once', 'twice')[self.capacity - 1]}"

    def check(self, x):
        places = np.arange(x.shape[-1]) // self.capacity
        return np.all(np.sort(x, -1) == places, -1)

    def example(self, x):
        return np.arange(x.shape[-1]) // self.capacity


@functools.cache
def fillings(n, capacity):
    """How i sources can fill n destinations, for i = 1, 2, …: arrays (before, last), each [sources, states, n].

    before : int, where among the states of i - 1, if the last source went to a destination
    last : bool, whether it can have gone there; states that fill up the array can have come from state 0
    """
    if (capacity + 1) ** n > MOST_STATES:
        raise ParameterError(f"matchings with {n} destinations: an exact sum goes over {capacity + 1}^{n} sets, more "
                             f"than {MOST_STATES}.\nGive bp_iters=20 for an approximate normaliser; of so many there "
                             "are no draws and no mode.")
    by_total = [[] for _ in range(n * capacity + 1)]
    for state in itertools.product(range(capacity + 1), repeat=n):
        by_total[sum(state)].append(state)
    most = max(map(len, by_total))
    before = _numpy.zeros((n * capacity, most, n), _numpy.int32)
    last = _numpy.zeros((n * capacity, most, n), bool)
    last[:, :, 0] = True
    for i, (earlier, now) in enumerate(itertools.pairwise(by_total)):
        place = {state: k for k, state in enumerate(earlier)}
        last[i, :len(now)] = _numpy.array(now) > 0
        before[i, :len(now)] = [[place.get((*s[:d], s[d] - 1, *s[d + 1:]), 0) for d in range(n)] for s in now]
    return before, last


def filled(logits, capacity, total):
    """log Σ (or max) over the ways to come to a state: that of all sources, [*batch], and those of the sources before
    each, [sources, *batch, states]."""
    before, last = fillings(logits.shape[-1], capacity)

    def step(sums, each):
        before, last, row = each
        terms = np.take(sums, before, -1) + row[..., None, :]
        return total(np.where(last, terms, -math.inf), -1), sums
    start = np.zeros((*logits.shape[:-2], before.shape[1]), logits.dtype)
    sums, earlier = scan(step, start, (before, last, np.moveaxis(logits, -2, 0)))
    return sums[..., 0], earlier


def log_sum(x, axis):
    return special.logsumexp(x, axis=axis)


def others(z):
    """Along the last axis, Σ over the elements before each, and Σ over those after it; nothing cancels."""
    zero = np.zeros_like(z[..., :1])
    before = np.concatenate([zero, np.cumsum(z[..., :-1], -1)], -1)
    after = np.concatenate([np.flip(np.cumsum(np.flip(z[..., 1:], -1), -1), -1), zero], -1)
    return before, after


def _pairs(z):
    """Σ over pairs of elements that precede each, along the last axis."""
    before, _ = others(z)
    return np.concatenate([np.zeros_like(z[..., :1]), np.cumsum((z * before)[..., :-1], -1)], -1)


def node(a, capacity):
    """A node of which `capacity` edges are taken, each with the factor exp(a): the message to each edge, log Σ over
    choices with it / Σ without it, and the logarithm of the sum over all choices.   a : float[*batch, edges]"""
    tiny = float(np.finfo(a.dtype).tiny)
    shift = np.max(a, -1, keepdims=True)
    z = np.exp(a - shift)
    before, after = others(z)
    one = before + after
    if capacity == 1:
        return -np.log(np.maximum(one, tiny)) - shift, np.log(np.sum(z, -1)) + shift[..., 0]
    two = _pairs(z) + before * after + np.flip(_pairs(np.flip(z, -1)), -1)
    message = np.log(np.maximum(one, tiny)) - np.log(np.maximum(two, tiny)) - shift
    return message, np.log(np.sum(z * before, -1)) + 2.0 * shift[..., 0]


def bethe(logits, capacity, iterations):
    """Bethe's approximation of the logarithm of the normaliser, by belief propagation.

    The product of the nodes' sums over that of the edges' (Vontobel 2013, lemmas 29 and 31), at messages that
    are passed `iterations` times between sources and destinations.
    """
    def passed(to_source, _):
        to_destination = node(logits + to_source, 1)[0] + logits
        back = node(np.swapaxes(to_destination, -1, -2), capacity)[0]
        return np.swapaxes(back, -1, -2), None
    to_source = scan(passed, np.zeros_like(logits), length=iterations)[0]
    message, sources = node(logits + to_source, 1)
    to_destination = message + logits
    destinations = node(np.swapaxes(to_destination, -1, -2), capacity)[1]
    edges = np.logaddexp(to_destination + to_source, 0.0)
    return np.sum(sources, -1) + np.sum(destinations, -1) - np.sum(edges, (-1, -2))


def arrangements(counts):
    """All vectors in which the integer k stands counts[k] times, in order."""
    if not any(counts):
        yield ()
    for k, count in enumerate(counts):
        if count:
            for rest in arrangements((*counts[:k], count - 1, *counts[k + 1:])):
                yield k, *rest


class _Matching(Distribution):
    """What both kinds of matchings share."""
    logits: ArrayLike = param(constraints.real_matrix)
    bp_iters: int | None = static(default=None)
    capacity = 1

    def __init__(self, logits, bp_iters=None, *, validate_args=None):
        family, shape = type(self).__name__, np.shape(logits)
        if len(shape) < 2 or shape[-2] != self.capacity * shape[-1] or not shape[-1]:
            sources = "2 n" if self.capacity == 2 else "n"
            raise ShapeError(f"{family}: logits must have shape [..., {sources}, n], a row for each source; "
                             f"it has shape {shape}.")
        if bp_iters is not None and (not isinstance(bp_iters, int) or bp_iters < 1):
            raise ParameterError(f"{family}: bp_iters must be None or a whole number > 0; got {bp_iters!r}.")
        super().__init__(logits, bp_iters, validate_args=validate_args)

    @property
    def support(self):
        return Matching(self.capacity)

    @property
    def event_shape(self):
        return self.logits.shape[-2:-1]

    @property
    def log_partition_function(self):
        """The logarithm of the sum over all matchings, float[*batch]; with bp_iters, its approximation."""
        if self.bp_iters is not None:
            return bethe(self.logits, self.capacity, self.bp_iters)
        return filled(self.logits, self.capacity, log_sum)[0]

    def log_prob_inside(self, value):
        index = np.astype(value, np.int64)[..., None]
        shape = np.broadcast_shapes(index.shape[:-1], self.logits.shape[:-1])
        logits = np.broadcast_to(self.logits, (*shape, self.logits.shape[-1]))
        taken = np.take_along_axis(logits, np.broadcast_to(index, (*shape, 1)), -1)[..., 0]
        return np.sum(taken, -1) - self.log_partition_function

    def sample(self, key, sample_shape=()):
        """Exact draws, from the last source to the first, also where the normaliser is approximate."""
        noise = random.gumbel(key, (*self.shape(sample_shape), self.logits.shape[-1]), self.dtype)
        return self._traced(log_sum, noise)

    @property
    def mode(self):
        return self._traced(np.max, np.zeros_like(self.logits))

    def _traced(self, total, noise):
        """The matching that is found from the last source to the first: the largest of terms + noise each time."""
        before, last = fillings(self.logits.shape[-1], self.capacity)
        _, sums = filled(self.logits, self.capacity, total)

        def step(state, each):
            before, last, sums, row, noise = each
            earlier = np.take(before, state, 0)                              # int[*lead, n]: states of those before
            terms = np.take_along_axis(np.broadcast_to(sums, (*state.shape, sums.shape[-1])), earlier, -1)
            pick = np.argmax(np.where(np.take(last, state, 0), terms + row + noise, -math.inf), -1)
            return np.take_along_axis(earlier, pick[..., None], -1)[..., 0], pick
        rows, noises = np.moveaxis(self.logits, -2, 0), np.moveaxis(noise, -2, 0)
        start = np.zeros(noise.shape[:-2], before.dtype)
        chosen = scan(step, start, (before, last, sums, rows, noises), reverse=True)[1]
        return np.moveaxis(chosen, 0, -1)

    @property
    def has_enumerate_support(self):
        return True

    def enumerate_support(self, expand=True):
        values = list(arrangements((self.capacity,) * self.logits.shape[-1]))
        return listed(values, self.batch_shape, expand)


class OneOneMatching(_Matching):
    """A matching of n sources with n destinations, each with one:  log p(x) = Σₛ logits[s, xₛ] - log Z.

    logits : float[*batch, n, n]      sample : int[*shape, *batch, n], a permutation: the destination of each source
    bp_iters : None for the exact Z, in time n 2ⁿ; or how often messages are passed for Bethe's approximation, which is
    at most Z and at least Z / 2^(n / 2)
    Source: Vontobel (2013), "The Bethe permanent of a nonnegative matrix", IEEE Trans. Inf. Theory 59;
    Anari & Rezaei (2019), "A tight analysis of Bethe approximation for permanent".

    >>> d = OneOneMatching([[0.0, 1.0], [0.0, 0.0]])
    >>> d.mode.tolist(), float(d.log_prob([1, 0])).__round__(6)
    ([1, 0], -0.313262)
    """


class OneTwoMatching(_Matching):
    """A matching of 2n sources with n destinations, each of which takes two:  log p(x) = Σₛ logits[s, xₛ] - log Z.

    logits : float[*batch, 2n, n]      sample : int[*shape, *batch, 2n], the destination of each source
    bp_iters : None for the exact Z, in time n² 3ⁿ; or how often messages are passed for Bethe's approximation
    Source: as for `OneOneMatching`, with pairs at the destinations.

    >>> float(OneTwoMatching(np.zeros((4, 2))).prob([0, 1, 1, 0])).__round__(6)
    0.166667
    """
    capacity = 2
