"""Slice sampling: a point under the density's graph, uniform on the part of a line that lies above its height.

A transition draws a height y uniformly below the density, finds an interval around the position whose ends lie outside
of {density > y} by stepping out, and draws from it until a point lies inside, shrinking the interval by each that does
not. `step` does so along each coordinate in turn, `hit_and_run` along random directions. There is no step size to get
right: a width that is off costs evaluations of the density, and no gradient is needed.

Each turn of the loop is one evaluation, so the density stands once in the program.
Source: Neal (2003), Annals of Statistics 31, figures 3 and 5 and section 5.
"""
from typing import NamedTuple

import numpy as onp

from ..engine import numpy as np
from ..engine import while_loop
from ..engine.array import Array
from ..engine.tree import map as tree_map
from .base import Params, below, flattened, normal, seed_of, spread, uniform
from .rwm import State, init

MAX_SHRINKS = 200                  # then the transition stays where it is; 2⁻²⁰⁰ of an interval is no interval

__all__ = ["Info", "Interval", "Params", "State", "around", "hit_and_run", "init", "narrowed", "place", "step"]


class Info(NamedTuple):
    """Facts of a transition."""
    logdensity: Array              # float[], at the new position
    num_steps: Array               # int[], evaluations of the density
    step_size: Array               # float[], the width


class Interval(NamedTuple):
    """That of a slice along a line around x, or of many, side by side, as arrays."""
    stage: Array                   # int[]: 0 the left end steps out, 1 the right end does, 2 the interval shrinks
    height: Array                  # float[], log y
    left: Array                    # float[], in widths from x
    right: Array
    left_steps: Array              # int[], that the left end may still take
    right_steps: Array
    shrinks: Array                 # int[]


def around(logdensity, u, max_steps):
    """The first interval, and the height.   u : three uniform numbers"""
    left_steps, left, none = below(u[2], max_steps), -u[1], np.zeros(logdensity.shape, int)
    return Interval(none, logdensity + np.log(u[0]), left, left + 1.0, left_steps, max_steps - 1 - left_steps, none)


def place(s, u):
    """Where on the line to look next, in widths: at an end, or at a uniform place inside."""
    return np.where(s.stage == 0, s.left, np.where(s.stage == 1, s.right, s.left + u * (s.right - s.left)))


def narrowed(s, t, logdensity):
    """(the interval after the density was seen at t, whether t is the new position, whether the interval grew)"""
    inside = np.logical_and(logdensity > s.height, logdensity < np.inf)
    out = lambda side, steps: np.logical_and(np.logical_and(s.stage == side, inside), steps > 0)
    go_left, go_right, shrinking = out(0, s.left_steps), out(1, s.right_steps), s.stage == 2
    grew = np.logical_or(go_left, go_right)
    shrink = lambda side: np.logical_and(np.logical_and(shrinking, np.logical_not(inside)), side)
    count = lambda c: np.astype(c, int)
    s = s._replace(
        stage=np.where(grew, s.stage, np.minimum(s.stage + 1, 2)),
        left=np.where(shrink(t < 0), t, np.where(go_left, s.left - 1.0, s.left)),
        right=np.where(shrink(t >= 0), t, np.where(go_right, s.right + 1.0, s.right)),
        left_steps=s.left_steps - count(go_left), right_steps=s.right_steps - count(go_right),
        shrinks=s.shrinks + count(shrinking))
    return s, np.logical_and(shrinking, inside), grew


class _Search(NamedTuple):
    """Between two evaluations."""
    move: Array                    # int[], lines done
    evaluations: Array             # int[]
    x: Array                       # float[d]
    logdensity: Array              # float[]
    interval: Interval


def step(key, state, logdensity_fn, params, *, max_steps=10):
    """(State, Info) of one transition: each coordinate in turn.

    params.step_size : the width of the first interval, in standard deviations of params.metric. With a dense metric the
        lines are the columns of a root of its covariance.
    max_steps : the greatest size of an interval that steps out, in widths

    >>> from chainrule.engine import random
    >>> from chainrule.inference import metrics, slices
    >>> logdensity = lambda x: -0.5 * np.sum(x ** 2)
    >>> params = slices.Params(2.0, metrics.Diagonal(np.ones(3)))
    >>> state, info = slices.step(random.key(0), slices.init(np.zeros(3), logdensity), logdensity, params)
    >>> info.num_steps >= 9
    Array(True)
    """
    def direction(seed, move, x):
        return np.astype(np.arange(x.shape[0]) == move, x.dtype)
    return _transition(key, state, logdensity_fn, params, direction, None, max_steps)


def hit_and_run(key, state, logdensity_fn, params, *, directions=1, max_steps=10):
    """(State, Info) of one transition: that many random directions, uniform where the metric is the identity.

    params, max_steps : as those of `step`
    """
    def direction(seed, move, x):
        z = normal(seed, move * 4 + 3, x)
        return z / np.sqrt(np.sum(z * z))
    return _transition(key, state, logdensity_fn, params, direction, directions, max_steps)


def _transition(key, state, logdensity_fn, params, direction, moves, max_steps):
    x, unravel, f = flattened(state.position, logdensity_fn)
    seed, moves = seed_of(key), x.shape[0] if moves is None else moves
    width = np.asarray(params.step_size, x.dtype)

    def begin(s, move):
        u = [uniform(seed, move * 4 + purpose, x.dtype) for purpose in range(3)]
        return s._replace(move=move, interval=around(s.logdensity, u, max_steps))

    def evaluate(s):
        t = place(s.interval, uniform(seed, s.evaluations + _EVALUATION, x.dtype))
        y = s.x + t * width * spread(params.metric, direction(seed, s.move, x))
        logdensity = f(y)
        interval, found, _ = narrowed(s.interval, t, logdensity)
        s = _Search(s.move, s.evaluations + 1, np.where(found, y, s.x), np.where(found, logdensity, s.logdensity),
                    interval)
        done = np.logical_or(found, interval.shrinks >= MAX_SHRINKS)
        return tree_map(lambda a, b: np.where(done, a, b), begin(s, s.move + 1), s)

    nought = np.asarray(0)
    start = begin(_Search(nought, nought, x, state.logdensity, None), nought)
    end = while_loop(lambda s: s.move < moves, evaluate, start)
    return State(unravel(end.x), end.logdensity), Info(end.logdensity, end.evaluations, width)


_EVALUATION = onp.int64(1) << onp.int64(32)
