"""The smallest and the largest number of a set: what a root search or a truncation starts from."""
import math

from ..engine import numpy as np
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
