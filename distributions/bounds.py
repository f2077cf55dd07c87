"""The smallest and the largest number of a set, and the smallest interval that holds several sets."""
import math

from ..engine import numpy as np
from ..engine.errors import ShapeError
from . import constraints

_FIXED = {"_Positive": (0.0, math.inf), "_SoftplusPositive": (0.0, math.inf), "_Circular": (-math.pi, math.pi),
          "_Nonnegative": (0.0, math.inf), "_UnitInterval": (0.0, 1.0), "_Boolean": (0, 1),
          "_NonnegativeInteger": (0, math.inf), "_PositiveInteger": (1, math.inf)}


def bounds_of(constraint):
    """(low, high) of a set of numbers: infinite where it has no bound, or none that is known here.

    >>> bounds_of(constraints.positive), bounds_of(constraints.integer_interval(0, 7))
    ((0.0, inf), (0, 7))
    """
    found = _FIXED.get(type(constraint).__name__)
    if found is not None:
        return found
    if isinstance(constraint, constraints.AffineImage):
        ends = [constraint.loc + np.asarray(constraint.scale) * end for end in bounds_of(constraint.base)]
        return np.minimum(*ends), np.maximum(*ends)
    if isinstance(constraint, constraints.Independent):
        return bounds_of(constraint.base)
    low, high = getattr(constraint, "lower_bound", -math.inf), getattr(constraint, "upper_bound", math.inf)
    return low + 1 if isinstance(constraint, constraints.IntegerGreaterThan) else low, high


def union(sets, axis, discrete):
    """One set that holds all members of the sets; `axis` of the bounds of a set runs over components."""
    first = sets[0]
    if all(s == first for s in sets[1:]) and (first.everything or not any(
            np.ndim(end) for end in bounds_of(first))):
        return first
    if any(s.event_dim for s in sets):
        raise ShapeError("the components of this mixture have different supports: "
                         + "; ".join(s.words for s in sets) + ".\nSay which set holds all values, with support=….")
    ends = [[end if axis is None or not np.ndim(end) else f(end, axis)
             for end, f in zip(bounds_of(s), (np.min, np.max))] for s in sets]
    low, high = ends[0]
    for a, b in ends[1:]:
        low, high = _pick(np.minimum, low, a, -math.inf), _pick(np.maximum, high, b, math.inf)
    open_low, open_high = _is(low, -math.inf), _is(high, math.inf)
    if discrete:
        if open_high:
            return constraints.integer_greater_than(np.asarray(low) - 1)
        return constraints.integer_interval(low, high)
    if open_low and open_high:
        return constraints.real
    if open_high:
        return constraints.nonnegative if _is(low, 0.0) else constraints.greater_than_eq(low)
    return constraints.less_than_eq(high) if open_low else constraints.interval(low, high)


def _is(x, number):
    return isinstance(x, float | int) and x == number


def _pick(f, a, b, unbounded):
    if _is(a, unbounded) or _is(b, unbounded):
        return unbounded
    return a if isinstance(a, float | int) and a == b and isinstance(b, float | int) else f(a, b)
