"""The probability of an interval, for any distribution of one number, far out in either tail.

Probabilities are differences of log_cdf on the left of the median and of log_survival on the right of it.
"""
import math

from ..engine import numpy as np
from ..engine.array import Array
from ..engine.avals import broadcast_shapes
from ..engine.scipy import special


def known(x, test):
    """Whether `test` holds for all numbers of x, as far as that is known."""
    return type(x) is Array and bool(test(x.value).all())


def tail(base, name, x):
    """base.log_cdf(x), or log_survival: also at infinite x, where their derivatives are 0."""
    f = getattr(base, name)
    if x.dtype.kind in "iu" or known(x, is_finite):
        return f(x)
    finite = np.isfinite(x)
    low, high = (-math.inf, 0.0) if name == "log_cdf" else (0.0, -math.inf)
    safe = np.where(finite, x, np.asarray(base.support.example(x), x.dtype))
    return np.where(x == math.inf, high, np.where(x == -math.inf, low, f(safe)))


def is_finite(x):
    return abs(x) < math.inf


def sides(base, low, high):
    """(right, la, lb): the logarithms of the probabilities at the two bounds, of the smaller tail: P(X <= low) and
    P(X <= high), or where `right` holds P(X > high) and P(X > low). Always la <= lb."""
    if base.symmetric:
        right = low + high > 2.0 * base.loc
        a = np.where(right, 2.0 * base.loc - high, low)
        b = np.where(right, 2.0 * base.loc - low, high)
        la, lb = _both(base, "log_cdf", a, b)
        return right, la, lb
    below, until = _both(base, "log_cdf", low, high)
    above, beyond = _both(base, "log_survival", low, high)
    right = above < below
    return right, np.where(right, beyond, below), np.where(right, above, until)


def _both(base, name, low, high):
    """The tail at two points, by one call."""
    shape = broadcast_shapes(low.shape, high.shape)
    shape = (*(1,) * (len(base.batch_shape) - len(shape)), *shape)
    ends = tail(base, name, np.stack([np.broadcast_to(low, shape), np.broadcast_to(high, shape)]))
    return ends[0], ends[1]


def log_interval(base, low, high):
    """log P(low < X <= high) of the distribution `base`; None for a bound that is not there.

    Narrow intervals lose digits as any difference does: about ε / P(low < X <= high) relative to the smaller tail.
    """
    if low is None:
        return 0.0 if high is None else tail(base, "log_cdf", high)
    if high is None:
        return tail(base, "log_survival", low)
    _, la, lb = sides(base, low, high)
    return lb + special.log1mexp(lb - la)
