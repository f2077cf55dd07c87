"""Markov chains: over a finite set by a matrix, and of any step by a function that gives the next distribution."""
import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.api import vmap
from ..engine.array import Array
from ..engine.avals import broadcast_shapes
from ..engine.control import scan
from ..engine.errors import ParameterError, ShapeError
from ..engine.numpy.linalg import solve
from ..engine.scipy import special
from . import constraints
from .categorical import CategoricalProbs, pick
from .distribution import Distribution
from .record import child, static


def as_categorical(family, name, x, validate_args=None):
    """Probabilities as a Categorical; a Categorical as it is. Errors name the parameter of the family."""
    if isinstance(x, Distribution):
        if not hasattr(x, "num_classes"):
            raise ParameterError(f"{family}: {name} must be probabilities or a Categorical; got {type(x).__name__}.")
        return x
    p = np.asarray(x)
    if type(p) is Array and validate_args is not False:
        ok = _numpy.asarray(constraints.simplex(p))
        if not ok.all():
            at = tuple(int(i) for i in _numpy.argwhere(~ok)[0])
            place = f"[{', '.join(map(str, at))}]" if at else ""
            raise ParameterError(f"{family}({name}=...): {name} must be {constraints.simplex.words}; "
                                 f"{name}{place} is {_numpy.asarray(p)[at].tolist()}.")
    return CategoricalProbs(p, validate_args=False)


def log_probabilities(categorical):
    """The logarithms of its probabilities, normalised; a probability 0 has the derivative 0.   ->  float[*batch, k]"""
    if type(categorical) is CategoricalProbs:
        p = categorical.probs
        return np.where(p > 0, np.log(np.where(p > 0, p, 1.0)), -np.inf)
    return special.log_softmax(categorical.logits, -1)


class DiscreteMarkovChain(Distribution):
    """x₀ ~ initial, xₜ ~ transition[xₜ₋₁]:  log p(x) = log initial(x₀) + Σ log P[xₜ₋₁, xₜ].

    initial : probabilities float[*batch, k], or a Categorical
    transition : float[k, k], each row with sum 1, or float[*batch, T - 1 or 1, k, k], or a Categorical of such a shape
    num_steps : T, the length of a path, with x₀          sample : int[*shape, *batch, T], in [0, k)

    >>> chain = DiscreteMarkovChain([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], 3)
    >>> float(np.exp(chain.log_prob([0, 0, 1]))).__round__(6)
    0.045
    """
    initial: Distribution = child()
    transition: Distribution = child()
    num_steps: int = static()
    is_discrete = True

    def __init__(self, initial, transition, num_steps, *, validate_args=None):
        family = type(self).__name__
        initial = as_categorical(family, "initial", initial, validate_args)
        transition = as_categorical(family, "transition", transition, validate_args)
        check_chain(family, initial, transition, num_steps)
        self._bind((initial, transition, num_steps), {})

    @property
    def num_states(self):
        """k, the number of states."""
        return self.initial.num_classes

    @property
    def batch_shape(self):
        return broadcast_shapes(self.initial.batch_shape, self.transition.batch_shape[:-2])

    @property
    def event_shape(self):
        return (self.num_steps,)

    @property
    def dtype(self):
        return self.initial.dtype

    @property
    def support(self):
        return constraints.independent(constraints.integer_interval(0, self.num_states - 1), 1)

    def log_initial(self):
        """log P(x₀), float[*batch, k]."""
        return log_probabilities(self.initial)

    def log_transition(self):
        """log P(xₜ | xₜ₋₁), time first: float[T - 1 or 1, *batch, k, k]."""
        logs = log_probabilities(self.transition)
        return logs[None] if logs.ndim == 2 else np.moveaxis(logs, -3, 0)

    def steps(self, step, start, xs=()):
        """scan of step(state, P, x) -> state, y over the T - 1 transitions, P the log-probabilities of each."""
        p, n = self.log_transition(), self.num_steps - 1
        if p.shape[0] == 1:
            return scan(lambda state, x: step(state, p[0], x), start, xs, length=n)
        return scan(lambda state, px: step(state, *px), start, (p, xs), length=n)

    def sample(self, key, sample_shape=()):
        lead, k = (*sample_shape, *self.batch_shape), self.num_states
        noise = random.gumbel(key, (self.num_steps, *lead, k), self.dtype)

        def step(state, p, g):
            row = np.take(p, state, 0) if p.ndim == 2 else pick_rows(p, state)
            new = np.argmax(row + g, -1)
            return new, new
        first = np.argmax(self.log_initial() + noise[0], -1)
        rest = self.steps(step, first, noise[1:])[1]
        return np.moveaxis(np.concatenate([first[None], rest], 0), 0, -1)

    def log_prob_inside(self, value):
        x = np.astype(value, np.int64)
        check_length("DiscreteMarkovChain", x, x.ndim - 1, self.num_steps)
        k, p = self.num_states, self.log_transition()
        first = pick(self.log_initial(), x[..., 0])
        pairs = x[..., :-1] * k + x[..., 1:]
        if p.shape[0] == 1 and p.ndim == 3:
            return first + np.sum(np.take(p.reshape(-1), pairs, 0), -1)
        table = np.moveaxis(p, 0, -3)
        table = table.reshape((*table.shape[:-2], k * k))
        return first + np.sum(pick(table, pairs), -1)

    def marginals(self):
        """P(xₜ = i) for each t, float[*batch, T, k]."""
        start = np.broadcast_to(np.exp(self.log_initial()), (*self.batch_shape, self.num_states))

        def step(state, p, _):
            new = np.matmul(state[..., None, :], np.exp(p))[..., 0, :]
            return new, new
        rest = self.steps(step, start)[1]
        return np.moveaxis(np.concatenate([start[None], rest], 0), 0, -2)

    def entropy(self):
        """H(x₀) + Σ P(xₜ₋₁ = i) H(P[i, ·]), by the chain rule."""
        p = self.marginals()
        logs = np.moveaxis(self.log_transition(), 0, -3)
        rows = -np.sum(np.where(logs > -np.inf, np.exp(logs) * np.where(logs > -np.inf, logs, 0.0), 0.0), -1)
        first = np.sum(special.entr(p[..., 0, :]), -1)
        return first + np.sum(p[..., :-1, :] * rows, (-1, -2))

    def stationary(self):
        """The distribution that one step of the (first) transition leaves as it is, float[*batch, k].

        It solves π (I - P + 1 1') = 1', which has one solution where the chain has one recurrent class.
        """
        p = np.exp(self.log_transition()[0])
        k = self.num_states
        matrix = np.swapaxes(np.eye(k, dtype=p.dtype) - p + 1.0, -1, -2)
        return solve(matrix, np.ones((*p.shape[:-2], k, 1), p.dtype))[..., 0]


def check_chain(family, initial, transition, num_steps):
    """Shapes that fit each other, or an error."""
    if not isinstance(num_steps, int) or num_steps < 1:
        raise ParameterError(f"{family}: num_steps must be a whole number > 0, as a Python int; got {num_steps!r}.")
    k, shape = initial.num_classes, (*transition.batch_shape, transition.num_classes)
    if len(shape) < 2 or shape[-2:] != (k, k):
        raise ShapeError(f"{family}: initial has {k} states, so transition must have shape [{k}, {k}] or "
                         f"[..., T - 1, {k}, {k}]; it has shape {shape}.")
    if len(shape) > 2 and shape[-3] not in (1, num_steps - 1):
        raise ShapeError(f"{family}: a path of {num_steps} steps has {num_steps - 1} transitions; the time axis of "
                         f"transition, of shape {shape}, has size {shape[-3]}.")


def check_length(family, value, axis, num_steps):
    """The axis of time of a value has num_steps places, or an error."""
    if value.ndim <= axis or axis < 0 or value.shape[axis] != num_steps:
        raise ShapeError(f"{family}: a value has {num_steps} steps along its time axis; got shape {value.shape}.")


def pick_rows(p, state):
    """p[..., state, :] with the batch axes of both broadcast.   p : [*batch, k, k], state : int[*shape, *batch]"""
    shape = broadcast_shapes(p.shape[:-2], state.shape)
    index = np.broadcast_to(state, shape)[..., None, None]
    return np.take_along_axis(np.broadcast_to(p, (*shape, *p.shape[-2:])), index, -2)[..., 0, :]


class MarkovChain(Distribution):
    """x₀ ~ initial_dist, xₜ ~ transition_fn(xₜ₋₁):  log p(x) = log p(x₀) + Σ log p(xₜ | xₜ₋₁), all steps at once.

    initial_dist : a distribution; its batch shape is that of the chain
    transition_fn : xₜ₋₁ -> the distribution of xₜ; with `inputs`, (xₜ₋₁, inputs[t - 1]) ->; then `args` follow. It is
    part of the type, so parameters that are to be differentiated or vmapped together with the distribution go to args
    num_steps : T, the length of a path, with x₀     inputs : a tree of arrays with leading axis T - 1
    sample : [*shape, *batch, T, *event]

    >>> from chainrule.distributions import Normal
    >>> walk = MarkovChain(Normal(0.0, 1.0), lambda x, drift: Normal(x + drift, 1.0), 3, args=(0.5,))
    >>> float(walk.log_prob([0.0, 0.5, 1.0])).__round__(6)
    -2.756816
    """
    initial_dist: Distribution = child()
    transition_fn: object = static()
    num_steps: int = static()
    inputs: object = child(default=None)
    args: tuple = child(default=())

    def __init__(self, initial_dist, transition_fn, num_steps, inputs=None, args=(), *, validate_args=None):
        if not isinstance(num_steps, int) or num_steps < 1:
            raise ParameterError(f"MarkovChain: num_steps must be a whole number > 0, as a Python int; "
                                 f"got {num_steps!r}.")
        self._bind((initial_dist, transition_fn, num_steps, inputs, tuple(args)), {})

    @property
    def batch_shape(self):
        return self.initial_dist.batch_shape

    @property
    def event_shape(self):
        return (self.num_steps, *self.initial_dist.event_shape)

    @property
    def dtype(self):
        return self.initial_dist.dtype

    @property
    def support(self):
        return constraints.independent(self.initial_dist.support, 1)

    @property
    def is_discrete(self):
        return self.initial_dist.is_discrete

    @property
    def reparametrized_params(self):
        return self.initial_dist.reparametrized_params

    def _next(self, x, u):
        return self.transition_fn(x, *(() if self.inputs is None else (u,)), *self.args)

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        x = self.initial_dist.sample(first, sample_shape)
        lead = x.shape[:x.ndim - self.initial_dist.event_dim]

        def step(x, ku):
            k, u = ku
            new = np.astype(self._next(x, u).expand(lead).sample(k), x.dtype)
            return new, new
        rest = scan(step, x, (random.split(second, self.num_steps - 1), self.inputs))[1] if self.num_steps > 1 else None
        path = x[None] if rest is None else np.concatenate([x[None], rest], 0)
        return np.moveaxis(path, 0, len(lead))

    def log_prob(self, value):
        value = np.asarray(value)
        check_length("MarkovChain", value, value.ndim - self.event_dim, self.num_steps)
        x = np.moveaxis(value, value.ndim - self.event_dim, 0)
        first = self.initial_dist.log_prob(x[0])
        if self.num_steps == 1:
            return first
        steps = vmap(lambda x, y, u: self._next(x, u).log_prob(y))(x[:-1], x[1:], self.inputs)
        return first + np.sum(steps, 0)
