"""A line search for the strong Wolfe conditions, one evaluation at a time.

With φ(a) = f(x + a p), φ'(0) < 0, it looks for a step a with

    φ(a) <= φ(0) + c₁ a φ'(0)   and   |φ'(a)| <= c₂ |φ'(0)|,   c₁ = 1e-4, c₂ = 0.9

by keeping an interval from `low`, the best step so far, to `high`, between which such a step lies; high is infinite
until a step has gone too far. The state machine asks for φ and φ' at `step`, so that the gradient stands in one place
of the loop around it, and mapped over starts no lane waits for the search of another.

Where rounding hides the decrease, |φ(a) - φ(0)| <= noise, φ'(a) <= (2 c₁ - 1) φ'(0) stands for the first condition.
Source: Nocedal & Wright (2006), Numerical optimization, algorithms 3.5 and 3.6, interpolation 3.59; Hager & Zhang
(2005), A new conjugate gradient method with guaranteed descent, section 4, for the approximate condition.
"""
from typing import Any, NamedTuple

import numpy as onp

from ...engine import numpy as np

DECREASE, CURVATURE = 1e-4, 0.9
GROW = 4.0                     # how much further the next step goes while none has gone too far
MARGIN = 0.1                   # the share of the interval that is kept clear at either end


class Trial(NamedTuple):
    """A step with φ and φ' there."""
    step: Any
    value: Any
    slope: Any


class Search(NamedTuple):
    """Where a line search is."""
    start: Trial               # at step 0
    low: Trial
    high: Trial
    step: Any                  # where to look next
    tries: Any                 # int32[]: evaluations made
    last: Any                  # bool[]: the next evaluation is at the best step that was found, and is taken


def begin(value, slope, step):
    """A search from φ(0) and φ'(0), whose first look is at `step`."""
    start = Trial(np.zeros_like(step), value, slope)
    return Search(start, start, Trial(*[np.full_like(step, np.inf)] * 3), step, np.zeros((), "int32"),
                  np.asarray(False))


def resolve(search, value, slope, max_tries):
    """(search, accepted, failed) after a look at search.step; failed where max_tries looks found nothing lower."""
    start, low, high = search.start, search.low, search.high
    here = Trial(search.step, value, slope)
    noise = 1e3 * np.finfo(value.dtype).eps * np.abs(start.value)
    finite = np.logical_and(np.isfinite(value), np.isfinite(slope))
    enough = np.logical_or(
        value <= start.value + DECREASE * here.step * start.slope,
        np.logical_and(np.abs(value - start.value) <= noise, slope <= (2 * DECREASE - 1) * start.slope))
    good = np.logical_and(finite, np.logical_and(enough, value <= low.value + noise))
    flat = np.abs(slope) <= -CURVATURE * start.slope
    tries = search.tries + 1
    exhausted = tries >= max_tries
    enough = np.logical_or(flat, np.logical_and(exhausted, value < start.value))
    accepted = np.logical_or(search.last, np.logical_and(good, enough))
    past = np.sign(high.step - low.step) * slope >= 0.0          # the minimum lies between low and here
    high = _pick(good, _pick(past, low, high), here)
    low = _pick(good, here, low)
    step = np.where(np.isfinite(high.step), _between(low, high), GROW * here.step)
    step = np.where(exhausted, low.step, step)
    helps = np.logical_or(accepted, low.value < start.value)
    failed = np.logical_and(exhausted, np.logical_not(helps))
    return Search(start, low, high, step, tries, exhausted), accepted, failed


def _pick(condition, a, b):
    return Trial(*[np.where(condition, x, y) for x, y in zip(a, b)])


def _between(low, high):
    """The minimum of the cubic through both ends, held off them; nearer to low where high is not finite."""
    width = high.step - low.step
    bounded = np.where(np.isfinite(width), width, 1.0)
    a = low.slope + high.slope - 3.0 * (high.value - low.value) / np.where(bounded == 0.0, 1.0, bounded)
    inside = a * a - low.slope * high.slope
    b = np.sign(width) * np.sqrt(np.maximum(inside, 0.0))
    share = 1.0 - (high.slope + b - a) / (high.slope - low.slope + 2.0 * b)
    usable = np.logical_and(np.isfinite(share), inside >= 0.0)
    share = np.where(usable, np.clip(share, MARGIN, 1.0 - MARGIN),
                     np.where(np.isfinite(high.value), 0.5, onp.asarray(2 * MARGIN, low.step.dtype)))
    return low.step + share * bounded
