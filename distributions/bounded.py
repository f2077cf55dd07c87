"""What distributions with a lower and an upper bound have in common: checked bounds, supports, sums over integers."""
import math

from ..engine import numpy as np
from ..engine.array import Array
from . import constraints
from .bounds import bounds_of
from .distribution import _DEFAULTS
from .intervals import is_finite, known
from .wrappers import Wrapper


class AtMost(constraints.LessThanEq):
    """The integers n <= upper_bound."""
    is_discrete = True

    @property
    def words(self):
        return f"an integer <= {self.upper_bound}"

    def check(self, x):
        return np.logical_and(super().check(x), np.floor(x) == x)


def adopt_bounds(d, validate_args):
    """Make the bounds of a new distribution arrays, or None where they are infinite, and check them."""
    values, dtype = d.__dict__, d.base_dist.dtype
    for f in d._params:
        x = values[f.name]
        x = np.asarray(x, dtype) if type(x) in (int, float) else None if x is None else np.asarray(x)
        if x is not None and known(x, lambda v, sign=-1 if f.name in ("low", "lower") else 1: v == sign * math.inf):
            x = None
        values[f.name] = x
    d._adopt(_DEFAULTS["validate_args"] if validate_args is None else validate_args)
    for f, towards in zip(d._params, (np.ceil, np.floor)):
        x = values[f.name]
        if d.is_discrete and x is not None and known(x, is_finite):
            values[f.name] = np.astype(towards(x), np.int64)         # no numbers to differentiate by
    return d.batch_shape                                 # an error where the shapes do not broadcast


class Bounded(Wrapper):
    """What distributions with a lower and an upper bound share: if they are discrete and both bounds are known, a list
    of their values, and moments that are sums over it."""

    @property
    def has_enumerate_support(self):
        if not self.is_discrete:
            return False
        ends = bounds_of(self.support) if self._concrete else (None,)
        return all(known(np.asarray(end), lambda v: is_finite(v) & (v == v.flat[0])) for end in ends)

    @property
    def _concrete(self):
        return all(x is None or type(x) is Array for x in (self.__dict__[f.name] for f in self._params))

    def enumerate_support(self, expand=True):
        if not self.has_enumerate_support:
            raise self._absent("enumerable support")
        low, high = (int(np.asarray(end).value.flat[0]) for end in bounds_of(self.support))
        values = np.arange(low, high + 1).reshape((high + 1 - low, *(1,) * len(self.batch_shape)))
        return np.broadcast_to(values, (high + 1 - low, *self.batch_shape)) if expand else values

    def _sums(self):
        """(mean, variance) as sums over the values."""
        if not self.has_enumerate_support:
            raise self._absent("mean or variance")
        x = self.enumerate_support()
        p = self.prob(x)
        x = np.astype(x, p.dtype)
        mean = np.sum(x * p, 0)
        return mean, np.sum(np.square(x - mean) * p, 0)

    def _moments(self):
        return self._sums()

    @property
    def mean(self):
        """The mean, where the base has a formula for it or there are finitely many values."""
        return np.broadcast_to(self._moments()[0], self.batch_shape)

    @property
    def variance(self):
        """The variance, where the base has a formula for it or there are finitely many values."""
        return np.broadcast_to(self._moments()[1], self.batch_shape)


def tightest(outer, ends, discrete):
    """The bounds of both sets, None for none."""
    low, high = ends
    low = low + 1 if discrete and low is not None else low
    first, last = outer
    if low is None:
        low = None if _open(first) else first
    elif not _open(first):
        low = np.maximum(low, first)
    if high is None:
        high = None if _open(last) else last
    elif not _open(last):
        high = np.minimum(high, last)
    return low, high


def _open(bound):
    return isinstance(bound, float | int) and not math.isfinite(bound)


def integers_between(base, low, high):
    if high is None:
        return base if low is None else constraints.integer_greater_than(np.asarray(low) - 1)
    return AtMost(high) if low is None else constraints.integer_interval(low, high)
