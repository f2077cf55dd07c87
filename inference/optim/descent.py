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
    return cond(np.logical_or(accepted, failed), lambda s: _next(s, accepted, x, value, grad, limits, curvature),
                lambda s: s, state)


def _next(state, accepted, x, value, grad, limits, curvature):
    """Set out from x, if it is accepted, with what was learnt from the step.

    If not, the search found nothing: from where it began along the steepest direction; after that one, stop.
    """
    starting = state.iterations < 0
    x, value, grad = [np.where(accepted, new, old) for new, old in
                      ((x, state.x), (value, state.value), (grad, state.grad))]
    memory = curvature.update(state.memory, x - state.x, grad - state.grad)
    toward = -curvature.times(memory, grad)
    slope = np.sum(toward * grad)
    learnt = np.logical_and(np.logical_and(accepted, np.logical_not(starting)), slope < 0.0)       # false of nan
    learnt = np.logical_and(learnt, np.isfinite(slope))
    size = np.sqrt(np.sum(grad * grad))
    direction = np.where(learnt, toward, -grad)
    step = np.where(learnt, 1.0, 1.0 / np.maximum(size, 1.0))            # of length 1 at most along -g
    search = line_search.begin(value, np.where(learnt, slope, -size * size), np.astype(step, x.dtype))
    status = _status(state, accepted, value, grad, limits)
    return State(x, value, grad, direction, search, _choose(learnt, memory, curvature.init(x)),
                 np.logical_not(learnt), np.astype(status, "int32"), state.iterations + np.astype(accepted, "int32"),
                 state.evaluations)


def _status(state, accepted, value, grad, limits):
    """Whether to stop at the next iterate, and why."""
    scale = np.maximum(np.maximum(np.abs(value), np.abs(state.value)), 1.0)
    small = np.logical_and(state.iterations >= 0, state.value - value <= limits.ftol * scale)
    done = np.logical_or(np.max(np.abs(grad)) <= limits.gtol, small)
    finite = np.logical_and(np.isfinite(value), np.all(np.isfinite(grad)))
    ended = np.where(state.iterations + 1 >= limits.maxiter, TOO_LONG, RUNNING)
    ended = np.where(finite, np.where(done, CONVERGED, ended), NOT_FINITE)
    return np.where(accepted, ended, np.where(state.steepest, STUCK, RUNNING))


def _choose(condition, a, b):
    return tree.map(lambda x, y: np.where(condition, x, y), a, b)
