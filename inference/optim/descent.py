"""Quasi-Newton descent as one flat loop: each turn evaluates the function and its gradient once.

A turn looks at x + a p, either a step of the line search or, where the search is done, the next iterate. So compile
time is that of one gradient, and mapped over starts no lane waits for another's search.
"""
from typing import Any, NamedTuple

from ...engine import cond, tree, value_and_grad, while_loop
from ...engine import numpy as np
from . import line_search

RUNNING, CONVERGED, TOO_LONG, STUCK, NOT_FINITE = -1, 0, 1, 2, 3       # those from 0 on are SciPy's numbers
MAX_TRIES = 30                 # evaluations in one line search


class Limits(NamedTuple):
    """When to stop; arrays, so that others need no new program."""
    gtol: Any                  # the largest element of the gradient
    ftol: Any                  # the decrease of f relative to max(|f|, 1); negative for never
    maxiter: Any               # iterations


class State(NamedTuple):
    """Where a descent is."""
    x: Any
    value: Any
    grad: Any
    direction: Any
    search: line_search.Search
    memory: Any
    steepest: Any              # bool[]: the direction is the steepest, nothing being known of the curvature
    status: Any                # int32[]
    iterations: Any            # int32[]: -1 before the start was looked at
    evaluations: Any           # int32[]


def descend(f, x0, limits, curvature, *, max_tries=MAX_TRIES):
    """The state in which a descent from x0 : float[d] ends.   f : float[d] -> float[]

    curvature : a record of curvature.py        max_tries : evaluations in one line search
    """
    return while_loop(running, lambda s: turn(f, s, limits, curvature, max_tries), begin(x0, curvature))


def running(state):
    """bool[]: whether the descent goes on."""
    return state.status == RUNNING


def begin(x0, curvature):
    """Before the first look, which is at x0 itself."""
    zero, count = np.zeros((), x0.dtype), np.zeros((), "int32")
    none = np.zeros_like(x0)
    return State(x0, zero, none, none, line_search.begin(zero, zero, zero), curvature.init(x0), np.asarray(True),
                 count + RUNNING, count - 1, count)


def turn(f, state, limits, curvature, max_tries=MAX_TRIES):
    """The state after one evaluation of f and its gradient."""
    x = state.x + state.search.step * state.direction
    value, grad = value_and_grad(f)(x)
    return after(state, x, value, grad, limits, curvature, max_tries)


def after(state, x, value, grad, limits, curvature, max_tries):
    """The state after a look at x."""
    starting = state.iterations < 0
    search, accepted, failed = line_search.resolve(state.search, value, np.sum(grad * state.direction), max_tries)
    accepted = np.logical_or(starting, accepted)
    state = state._replace(search=search, evaluations=state.evaluations + 1)
    state = cond(accepted, lambda s: _arrive(s, x, value, grad, limits, curvature), lambda s: s, state)
    return cond(np.logical_and(failed, np.logical_not(accepted)), lambda s: _stuck(s, curvature), lambda s: s, state)


def _arrive(state, x, value, grad, limits, curvature):
    """x is the next iterate: learn from the step, and set out again."""
    starting = state.iterations < 0
    memory = curvature.update(state.memory, x - state.x, grad - state.grad)
    toward = -curvature.times(memory, grad)
    sound = np.logical_and(np.sum(toward * grad) < 0.0, np.all(np.isfinite(toward)))
    steepest = np.logical_or(starting, np.logical_not(sound))
    memory = _choose(steepest, curvature.init(x), memory)
    iterations = state.iterations + 1
    scale = np.maximum(np.maximum(np.abs(value), np.abs(state.value)), 1.0)
    small = np.logical_and(np.logical_not(starting), state.value - value <= limits.ftol * scale)
    done = np.logical_or(np.max(np.abs(grad)) <= limits.gtol, small)
    finite = np.logical_and(np.isfinite(value), np.all(np.isfinite(grad)))
    status = np.where(iterations >= limits.maxiter, TOO_LONG, RUNNING)
    status = np.where(finite, np.where(done, CONVERGED, status), NOT_FINITE)
    return _set_out(state._replace(x=x, value=value, grad=grad, memory=memory, iterations=iterations,
                                   status=np.astype(status, "int32")), toward, steepest)


def _set_out(state, toward, steepest):
    """Begin the search along a direction, or along -g with a first step of length 1 at most."""
    size = np.sqrt(np.sum(state.grad * state.grad))
    direction = np.where(steepest, -state.grad, toward)
    step = np.where(steepest, 1.0 / np.maximum(size, 1.0), 1.0)
    search = line_search.begin(state.value, np.sum(direction * state.grad), np.astype(step, state.x.dtype))
    return state._replace(direction=direction, steepest=steepest, search=search)


def _stuck(state, curvature):
    """The search found nothing: forget the curvature and try the steepest direction; after that one, stop."""
    status = np.astype(np.where(state.steepest, STUCK, RUNNING), "int32")
    return _set_out(state._replace(memory=curvature.init(state.x), status=status), state.direction, np.asarray(True))


def _choose(condition, a, b):
    return tree.map(lambda x, y: np.where(condition, x, y), a, b)
