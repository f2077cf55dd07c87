"""Hidden Markov models with finitely many states, summed out by the forward algorithm.

All sums run in log space. Sequential recursions cost O(T k²) in T steps; with `parallel=True` they are products of
k × k matrices in the semiring (logsumexp, +), bracketed as a tree of O(log T) steps, for a device with many cores:
O(T k³) for log_prob, O(T log T k³) for all prefixes.

Source: Rabiner (1989), A tutorial on hidden Markov models, §III; Hassan, Särkkä & García-Fernández (2021), Temporal
parallelization of inference in hidden Markov models, §§III-V; Scott (2002), Bayesian methods for hidden Markov models.
"""
from ..engine import numpy as np
from ..engine import random, tree
from ..engine.avals import broadcast_shapes
from ..engine.control import scan
from ..engine.errors import ShapeError
from ..engine.ops.elementwise import stop_gradient
from . import constraints
from .categorical import CategoricalLogits
from .distribution import Distribution
from .markov_chain import DiscreteMarkovChain, as_categorical, check_chain, check_length
from .prefix import running_products
from .record import child, static


def log_sum(a, axis):
    """log Σ exp(a), where the sum of nothing but -inf is -inf with derivative 0 (states that cannot be reached)."""
    top = stop_gradient(np.max(a, axis, keepdims=True))
    top = np.where(top > -np.inf, top, 0.0)
    total = np.sum(np.exp(a - top), axis)
    some = total > 0
    return np.where(some, np.log(np.where(some, total, 1.0)) + top.reshape(total.shape), -np.inf)


def log_product(a, b):
    """log(exp(a) @ exp(b)).   float[..., k, k]"""
    return log_sum(a[..., :, :, None] + b[..., None, :, :], -2)


def max_product(a, b):
    """maxⱼ(aᵢⱼ + bⱼₖ).   float[..., k, k]"""
    return np.max(a[..., :, :, None] + b[..., None, :, :], -2)


def product_of_all(product, x):
    """x₀ · x₁ · … along the first axis, as a tree of pairs: O(n) products in O(log n) steps."""
    while x.shape[0] > 1:
        n = x.shape[0]
        pairs = product(x[0:n - 1:2], x[1:n:2])
        x = np.concatenate([pairs, x[n - 1:]], 0) if n % 2 else pairs
    return x[0]


class HiddenMarkovModel(Distribution):
    """Observations yₜ ~ observation_dist[zₜ] of a hidden chain z₀ ~ initial, zₜ ~ transition[zₜ₋₁].

        p(y) = Σ over all z of p(z) Π p(yₜ | zₜ)

    initial : probabilities float[*batch, k], or a Categorical
    transition : float[k, k], each row with sum 1, or float[*batch, T - 1 or 1, k, k], or a Categorical of such a shape
    observation_dist : a distribution with batch shape [k], or [*batch, T or 1, k] where it changes with time or batch
    num_steps : T     parallel : bracket products as a tree, see the module
    mask : bool[*batch, T], where yₜ is observed; elsewhere it may be anything     sample : [*shape, *batch, T, *event]

    >>> from chainrule.distributions import Normal
    >>> hmm = HiddenMarkovModel([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], Normal([0.0, 3.0], 1.0), num_steps=4)
    >>> hmm.posterior_mode([0.1, -0.3, 2.8, 3.3]).tolist()
    [0, 0, 1, 1]
    """
    initial: Distribution = child()
    transition: Distribution = child()
    observation_dist: Distribution = child()
    num_steps: int = static()
    parallel: bool = static(default=False)

    def __init__(self, initial, transition, observation_dist, num_steps, parallel=False, mask=None, *,
                 validate_args=None):
        initial = as_categorical("HiddenMarkovModel", "initial", initial, validate_args)
        transition = as_categorical("HiddenMarkovModel", "transition", transition, validate_args)
        check_chain("HiddenMarkovModel", initial, transition, num_steps)
        if mask is not None:
            observation_dist = observation_dist.mask(np.asarray(mask)[..., None])
        shape, k = observation_dist.batch_shape, initial.num_classes
        if not shape or shape[-1] != k or (len(shape) > 1 and shape[-2] not in (1, num_steps)):
            raise ShapeError(f"HiddenMarkovModel: observation_dist must have batch shape ({k},), one for each state, "
                             f"or (..., {num_steps} or 1, {k}); it has batch shape {shape}.")
        self._bind((initial, transition, observation_dist, num_steps, bool(parallel)), {})

    @property
    def chain(self):
        """The prior of the hidden states, a DiscreteMarkovChain."""
        return DiscreteMarkovChain(self.initial, self.transition, self.num_steps)

    @property
    def num_states(self):
        """k, the number of hidden states."""
        return self.initial.num_classes

    @property
    def batch_shape(self):
        return broadcast_shapes(self.initial.batch_shape, self.transition.batch_shape[:-2],
                                self.observation_dist.batch_shape[:-2])

    @property
    def event_shape(self):
        return (self.num_steps, *self.observation_dist.event_shape)

    @property
    def dtype(self):
        return self.observation_dist.dtype

    @property
    def support(self):
        """That of the observations in the first state: all states must have the same."""
        one = tree.map(lambda x: x[..., 0] if np.ndim(x) else x, self.observation_dist.support)
        return constraints.independent(one, 1)

    @property
    def is_discrete(self):
        return self.observation_dist.is_discrete

    # ---- the law of the observations ----

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        lead = (*sample_shape, *self.batch_shape)
        chain = self.chain
        states = chain.sample(first, lead[:len(lead) - len(chain.batch_shape)])
        every = self.observation_dist.expand((*self.batch_shape, self.num_steps, self.num_states))
        x = every.sample(second, sample_shape)                               # one for each state, of which one is taken
        at = x.ndim - len(self.observation_dist.event_shape) - 1
        index = states.reshape((*states.shape, *(1,) * (x.ndim - at)))
        return np.squeeze(np.take_along_axis(x, index, at), at)

    def log_prob(self, value):
        likelihood = self._log_likelihood(value)
        if self.parallel and self.num_steps > 1:
            first, steps = self._matrices(likelihood)
            return log_sum(first[..., :, None] + product_of_all(log_product, steps), (-1, -2))
        return log_sum(self._forward(likelihood, every=False), -1)

    @property
    def mean(self):
        return self._expected(self.observation_dist.mean)

    @property
    def variance(self):
        d = self.observation_dist
        mean = self.mean
        return self._expected(d.variance + d.mean * d.mean) - mean * mean

    def _expected(self, x):
        """Σ P(zₜ = i) xᵢ.   x : [k, *event] or [*batch, T or 1, k, *event]  ->  [*batch, T, *event]"""
        p, event = self.chain.marginals(), len(self.observation_dist.event_shape)
        x = np.broadcast_to(x, (*self.batch_shape, self.num_steps, self.num_states, *x.shape[x.ndim - event:]))
        return np.sum(x * p.reshape((*p.shape, *(1,) * event)), x.ndim - event - 1)

    # ---- the states, given observations ----

    def filter(self, value):
        """P(zₜ | y₀ … yₜ) for each t: a Categorical of batch shape [*shape, *batch, T]."""
        return CategoricalLogits(np.moveaxis(self._forward(self._log_likelihood(value)), 0, -2), validate_args=False)

    def posterior_marginals(self, value):
        """P(zₜ | y) for each t, by forward and backward sums: a Categorical of batch shape [*shape, *batch, T]."""
        likelihood = self._log_likelihood(value)
        both = self._forward(likelihood) + self._backward(likelihood)
        return CategoricalLogits(np.moveaxis(both, 0, -2), validate_args=False)

    def posterior_pairs(self, value):
        """P(zₜ₋₁ = i, zₜ = j | y) for t >= 1, the expected transitions: float[*shape, *batch, T - 1, k, k]."""
        likelihood = self._log_likelihood(value)
        steps = self._transitions(likelihood.ndim + 1) + (likelihood + self._backward(likelihood))[1:, ..., None, :]
        joint = self._forward(likelihood)[:-1, ..., :, None] + steps
        return np.moveaxis(np.exp(joint - log_sum(joint.reshape((*joint.shape[:-2], -1)), -1)[..., None, None]), 0, -3)

    def posterior_mode(self, value):
        """The most probable path of states, int[*shape, *batch, T], by Viterbi's algorithm."""
        best = self._forward(self._log_likelihood(value), largest=True)
        maps = np.argmax(best[:-1, ..., :, None] + self._transitions(best.ndim + 1), -2)
        return self._trace_back(np.argmax(best[-1], -1), maps)

    def posterior_sample(self, key, value, sample_shape=()):
        """Paths of states from P(z | y), int[*sample_shape, *shape, *batch, T]: forward sums, then draws backwards."""
        forward = self._forward(self._log_likelihood(value))
        noise = random.gumbel(key, (forward.shape[0], *sample_shape, *forward.shape[1:]), forward.dtype)
        forward = forward.reshape((forward.shape[0], *(1,) * len(sample_shape), *forward.shape[1:])) + noise
        steps = forward[:-1, ..., :, None] + self._transitions(forward.ndim + 1)
        maps = np.argmax(steps, -2)                                          # zₜ for each state zₜ₊₁ that may come
        return self._trace_back(np.argmax(forward[-1], -1), maps)

    # ---- recursions: time is the first axis ----

    def _log_likelihood(self, value):
        """log p(yₜ | zₜ = i), float[T, *shape, *batch, k]."""
        value = np.asarray(value)
        at = value.ndim - len(self.observation_dist.event_shape)
        check_length("HiddenMarkovModel", value, at - 1, self.num_steps)
        each = self.observation_dist.log_prob(np.expand_dims(value, at))
        lead = broadcast_shapes(each.shape[:-2], self.batch_shape)
        return np.moveaxis(np.broadcast_to(each, (*lead, *each.shape[-2:])), -2, 0)

    def _matrices(self, likelihood):
        """log p(y₀, z₀ = i), and log p(yₜ, zₜ = j | zₜ₋₁ = i) for t >= 1: float[T - 1, *lead, k, k]."""
        p = self._transitions(likelihood.ndim + 1)
        return self.chain.log_initial() + likelihood[0], p + likelihood[1:, ..., None, :]

    def _transitions(self, n):
        """log P(zₜ | zₜ₋₁) with n axes, time first."""
        p = self.chain.log_transition()
        return p.reshape((p.shape[0], *(1,) * (n - p.ndim), *p.shape[1:]))

    def _forward(self, likelihood, every=True, largest=False):
        """log p(y₀ … yₜ, zₜ = i) for each t, float[T, *lead, k]; the largest term instead of the sum for Viterbi."""
        total = np.max if largest else log_sum
        first = self.chain.log_initial() + likelihood[0]
        if self.num_steps == 1:
            return first[None] if every else first
        if self.parallel:
            first, steps = self._matrices(likelihood)
            products = running_products(max_product if largest else log_product, steps)
            return np.concatenate([first[None], total(first[..., :, None] + products, -2)], 0)

        def step(state, p, x):
            new = total(state[..., :, None] + p, -2) + x
            return new, new if every else None
        last, rest = self.chain.steps(step, first, likelihood[1:])
        return np.concatenate([first[None], rest], 0) if every else last

    def _backward(self, likelihood):
        """log p(yₜ₊₁ … | zₜ = i) for each t, float[T, *lead, k]."""
        last = np.zeros_like(likelihood[:1])
        if self.num_steps == 1:
            return last
        steps = self._matrices(likelihood)[1]
        if self.parallel:
            products = running_products(log_product, steps, reverse=True)
            return np.concatenate([log_sum(products, -1), last], 0)

        def step(state, matrix):
            new = log_sum(matrix + state[..., None, :], -1)
            return new, new
        return np.concatenate([scan(step, last[0], steps, reverse=True)[1], last], 0)

    def _trace_back(self, last, maps):
        """The path that ends in `last` and goes backwards through the maps, int[T - 1, *lead, k]."""
        if self.num_steps == 1:
            return last[..., None]
        if self.parallel:                                                    # maps are composed as a tree
            joined = running_products(lambda early, late: np.take_along_axis(early, late, -1), maps, reverse=True)
            rest = np.take_along_axis(joined, np.broadcast_to(last[None, ..., None], (*maps.shape[:-1], 1)), -1)[..., 0]
        else:
            def step(state, table):
                new = np.take_along_axis(table, state[..., None], -1)[..., 0]
                return new, new
            rest = scan(step, last, maps, reverse=True)[1]
        return np.moveaxis(np.concatenate([rest, last[None]], 0), 0, -1)
