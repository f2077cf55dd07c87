"""Any distribution of one number, restricted to an interval.

    Truncated(base, low, high)          X given low <= X <= high; either bound may be left out

Probabilities of intervals are differences of log_cdf on the left of the median and of log_survival on the right of it,
so that they hold far out in either tail. Draws go through the quantile function of the same tail.
"""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.array import Array
from ..engine.avals import broadcast_shapes
from ..engine.errors import ShapeError
from ..engine.scipy import special
from . import constraints
from .bounds import bounds_of
from .distribution import _DEFAULTS, Distribution, shape_of
from .record import ArrayLike, child, param
from .truncated_moments import moments
from .wrappers import Wrapper


class _AtMost(constraints.LessThanEq):
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
        if d.is_discrete and x is not None and known(x, _isfinite):
            values[f.name] = np.astype(towards(x), np.int64)         # no numbers to differentiate by
    return d.batch_shape                                 # an error where the shapes do not broadcast


def known(x, test):
    """Whether `test` holds for all numbers of x, as far as that is known."""
    return type(x) is Array and bool(test(x.value).all())


def tail(base, name, x):
    """base.log_cdf(x), or log_survival: also at infinite x, where their derivatives are 0."""
    f = getattr(base, name)
    if x.dtype.kind in "iu" or known(x, _isfinite):
        return f(x)
    finite = np.isfinite(x)
    low, high = (-math.inf, 0.0) if name == "log_cdf" else (0.0, -math.inf)
    safe = np.where(finite, x, np.asarray(base.support.example(x), x.dtype))
    return np.where(x == math.inf, high, np.where(x == -math.inf, low, f(safe)))


def _isfinite(x):
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


class Bounded(Wrapper):
    """What distributions with a lower and an upper bound share: if they are discrete and both bounds are known, a list
    of their values, and moments that are sums over it."""

    @property
    def has_enumerate_support(self):
        if not self.is_discrete:
            return False
        ends = bounds_of(self.support) if self._concrete else (None,)
        return all(known(np.asarray(end), lambda v: _isfinite(v) & (v == v.flat[0])) for end in ends)

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


class Truncated(Bounded):
    """X ~ base, given that low <= X <= high: continuous or discrete, with one bound or with both.

        log p(x) = log p_base(x) - log P(low <= X <= high)

    base_dist : a distribution of one number with log_cdf and log_survival
    low, high : float[*batch], low < high; None (or infinite) for no bound        sample : [*shape, *batch]
    Draws are quantiles of uniform numbers, with the derivatives that the quantiles have.
    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, §10.1 and §13.10.

    >>> from chainrule.distributions import Normal
    >>> round(float(Truncated(Normal(0.0, 1.0), 30.0, 31.0).log_prob(30.0)), 4)
    3.4023
    """
    base_dist: Distribution = child()
    low: ArrayLike = param(constraints.less_than(math.inf), default=None)
    high: ArrayLike = param(lambda self: constraints.greater_than(-math.inf if self.low is None else self.low) if not
                            self.is_discrete else
                            constraints.greater_than_eq(-math.inf if self.low is None else self.low), default=None)

    def __init__(self, base_dist, low=None, high=None, *, validate_args=None):
        self._bind((base_dist, low, high), {})
        if base_dist.event_shape:
            raise ShapeError(f"Truncated: {type(base_dist).__name__} has events of shape {base_dist.event_shape}; only "
                             "distributions of one number can be truncated.")
        adopt_bounds(self, validate_args)

    @property
    def batch_shape(self):
        return broadcast_shapes(self.base_dist.batch_shape, shape_of(self.low), shape_of(self.high))

    @property
    def reparametrized_params(self):
        return (*self.base_dist.reparametrized_params, "low", "high") if self.base_dist.has_rsample else ()

    @property
    def has_rsample(self):
        return self.base_dist.has_rsample

    @property
    def _ends(self):
        """The bounds as `log_interval` takes them, its lower one not included."""
        if not self.is_discrete:
            return self.low, self.high
        return (None if self.low is None else np.ceil(self.low) - 1), None if self.high is None else np.floor(self.high)

    @property
    def support(self):
        base = self.base_dist.support
        low, high = _tightest(bounds_of(base), self._ends, self.is_discrete)
        if self.is_discrete:
            return _integers(base, low, high)
        if high is None:
            return base if low is None else constraints.greater_than_eq(low)
        return constraints.less_than_eq(high) if low is None else constraints.interval(low, high)

    def sample(self, key, sample_shape=()):
        u = random.uniform(key, self.shape(sample_shape), self.dtype)
        u = np.maximum(u, float(np.finfo(u.dtype).tiny))
        return self._quantile(np.log(u), np.log1p(-u))

    def _log_mass(self):
        return log_interval(self.base_dist, *self._ends)

    def log_prob_inside(self, value):
        return self.base_dist.log_prob_inside(value) - self._log_mass()

    def log_prob(self, value):
        value = np.asarray(value)
        ok = True if self.low is None else value >= self.low
        if self.high is not None:
            ok = np.logical_and(ok, value <= self.high)
        out = self.base_dist.log_prob(value) - self._log_mass()
        return out if ok is True or known(ok, lambda ok: ok) else np.where(ok, out, -math.inf)

    def _inner(self, value, f, below, beyond):
        """f(value) strictly between the bounds, and constants outside."""
        value, (low, high) = np.asarray(value), self._ends
        value = np.floor(value) if self.is_discrete else value
        low, high = -math.inf if low is None else low, math.inf if high is None else high
        ok = np.logical_and(value > low, value < high)
        member = self.support.example(value)
        inner = f(np.where(ok, value, member))
        return np.where(ok, inner, np.where(value > low, np.full_like(inner, beyond), below))

    def log_cdf(self, value):
        low = self._ends[0]
        return self._inner(value, lambda x: log_interval(self.base_dist, low, x) - self._log_mass(), -math.inf, 0.0)

    def log_survival(self, value):
        high = self._ends[1]
        return self._inner(value, lambda x: log_interval(self.base_dist, x, high) - self._log_mass(), 0.0, -math.inf)

    def cdf(self, value):
        return np.exp(self.log_cdf(value))

    def icdf(self, q):
        if self.is_discrete:                             # of this cdf, to the last digit
            return Distribution.icdf(self, q)
        q = np.asarray(q)
        return self._quantile(np.log(q), np.log1p(-q))

    def isf(self, q):
        q = np.asarray(q)
        return self._quantile(np.log1p(-q), np.log(q))

    def icdf_exp(self, log_q):
        return self._quantile(np.asarray(log_q), special.log1mexp(-np.asarray(log_q)))

    def isf_exp(self, log_q):
        return self._quantile(special.log1mexp(-np.asarray(log_q)), np.asarray(log_q))

    def _quantile(self, log_q, log_p):
        """The quantile at q = 1 - p, through the smaller tail of the base, and put between the bounds."""
        base, (low, high) = self.base_dist, self._ends
        if low is None and high is None:
            return base.icdf_exp(log_q)
        if high is None:
            x = base.isf_exp(tail(base, "log_survival", low) + log_p)
        elif low is None:
            x = base.icdf_exp(tail(base, "log_cdf", high) + log_q)
        else:
            x = self._between(low, high, log_q, log_p)
        if low is not None:
            x = np.maximum(x, np.astype(low + 1, x.dtype) if self.is_discrete else low)
        return x if high is None else np.minimum(x, np.astype(high, x.dtype))

    def _between(self, low, high, log_q, log_p):
        base = self.base_dist
        right, la, lb = sides(base, low, high)
        log_far, log_near = np.where(right, log_q, log_p), np.where(right, log_p, log_q)
        target = np.logaddexp(la + log_far, lb + log_near)
        if base.symmetric:
            x = base.icdf_exp(target)
            return np.where(right, 2.0 * base.loc - x, x)
        if known(right, lambda r: r):
            return base.isf_exp(target)
        if known(right, lambda r: ~r):
            return base.icdf_exp(target)
        return np.where(right, base.isf_exp(np.where(right, target, -0.5)),
                        base.icdf_exp(np.where(right, -0.5, target)))

    def _moments(self):
        found = moments(self.base_dist, *self._ends)
        return self._sums() if found is None else found

    @property
    def mode(self):
        """The mode of a base with a single one, moved to the nearest bound where it lies outside."""
        x = self.base_dist.mode
        low, high = self._ends
        if low is not None:
            x = np.maximum(x, np.astype(low + 1, x.dtype) if self.is_discrete else low)
        x = x if high is None else np.minimum(x, np.astype(high, x.dtype))
        return np.broadcast_to(x, self.batch_shape)


def _tightest(outer, ends, discrete):
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


def _integers(base, low, high):
    if high is None:
        return base if low is None else constraints.integer_greater_than(np.asarray(low) - 1)
    return _AtMost(high) if low is None else constraints.integer_interval(low, high)


TruncatedDistribution = Truncated
