"""Gradient transformations: pairs of pure functions that turn gradients into updates, and how they are put together.

    optimiser = chain(clip_by_global_norm(1.0), scale_by_adam(), scale(-1e-3))
    state = optimiser.init(params)
    updates, state = optimiser.update(gradients, state, params)
    params = apply_updates(params, updates)

Parameters, gradients and updates are trees of arrays of one structure; a state is a tree of arrays, so that it can be
compiled, mapped over seeds, saved and carried through a loop. Names and argument orders are Optax's.
"""
from collections.abc import Callable
from typing import Any, NamedTuple

from ...engine import numpy as np
from ...engine import tree


class GradientTransformation(NamedTuple):
    """A pair of pure functions.

    init : params -> state        update : (updates, state, params=None) -> (updates, state)
    """
    init: Callable
    update: Callable


class EmptyState(NamedTuple):
    """The state of a transformation that remembers nothing."""


class ScaleByScheduleState(NamedTuple):
    """How many updates were made."""
    count: Any                 # int32[]


def stateless(transform):
    """The transformation that applies transform(updates, params) and remembers nothing.

    >>> double = stateless(lambda updates, params: tree.map(lambda g: 2.0 * g, updates))
    >>> double.update({"w": np.asarray(3.0)}, double.init(None))[0]
    {'w': Array(6.)}
    """
    return GradientTransformation(lambda params: EmptyState(),
                                  lambda updates, state, params=None: (transform(updates, params), state))


def identity():
    """Leaves gradients as they are."""
    return stateless(lambda updates, params: updates)


def set_to_zero():
    """Zeros in place of the gradients: the parameters stay as they are."""
    return stateless(lambda updates, params: tree.map(np.zeros_like, updates))


def chain(*transformations):
    """One transformation after the other; the state is the tuple of their states.

    >>> twice = chain(scale(2.0), scale(3.0))
    >>> twice.update(np.asarray([1.0, 2.0]), twice.init(np.zeros(2)))[0].tolist()
    [6.0, 12.0]
    """
    def init(params):
        return tuple([t.init(params) for t in transformations])

    def update(updates, state, params=None):
        if len(state) != len(transformations):
            raise ValueError(f"a chain of {len(transformations)} transformations got a state of {len(state)} parts.\n"
                             "Make the state with the chain's own init.")
        made = []
        for t, s in zip(transformations, state):
            updates, s = t.update(updates, s, params)
            made.append(s)
        return updates, tuple(made)

    return GradientTransformation(init, update)


def scale(step_size):
    """Every update times a number; a negative one descends."""
    return stateless(lambda updates, params: tree.map(lambda g: times(step_size, g), updates))


def scale_by_schedule(step_size_fn):
    """Every update times step_size_fn(n), n = 0, 1, … being the number of updates before."""
    def update(updates, state, params=None):
        size = step_size_fn(state.count)
        return tree.map(lambda g: times(size, g), updates), ScaleByScheduleState(increment(state.count))

    return GradientTransformation(lambda params: ScaleByScheduleState(np.zeros((), "int32")), update)


def scale_by_learning_rate(learning_rate, *, flip_sign=True):
    """Every update times -learning_rate: a number, or a schedule (a function of the number of updates before)."""
    sign = -1.0 if flip_sign else 1.0
    if callable(learning_rate):
        return scale_by_schedule(lambda count: sign * learning_rate(count))
    return scale(sign * learning_rate)


def apply_updates(params, updates):
    """params + updates, each parameter in its own dtype.

    >>> apply_updates({"w": np.asarray([1.0, 2.0])}, {"w": np.asarray([0.5, -0.5])})
    {'w': Array([1.5, 1.5])}
    """
    def add(p, u):
        p = np.asarray(p)
        return np.astype(p + u, p.dtype)

    return tree.map(add, params, updates)


def times(size, g):
    """size · g in the dtype of g."""
    return np.astype(np.asarray(size), np.asarray(g).dtype) * g


def increment(count):
    """count + 1; at the largest number of its dtype it stays there."""
    return np.where(count < np.iinfo(count.dtype).max, count + 1, count)


def need_params(params, what):
    """Raise where a transformation that looks at the parameters was not given them."""
    if params is None:
        raise ValueError(f"{what} needs the parameters: call update(gradients, state, params).")
