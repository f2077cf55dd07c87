"""Any distribution of one number, restricted to an interval.

    Truncated(base, low, high)          X given low <= X <= high; either bound may be left out

Draws go through the quantile function of the smaller tail, so that they and log_prob hold far out.
"""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.array import Array
from ..engine.avals import broadcast_shapes
from ..engine.errors import ParameterError, ShapeError
from ..engine.scipy import special
from . import constraints
from .bounded import Bounded, adopt_bounds, integers_between, tightest
from .bounds import bounds_of
from .distribution import _DEFAULTS, Distribution, shape_of
from .intervals import known, log_interval, sides, tail
from .record import ArrayLike, child, param
from .truncated_moments import cross_entropy, moments


class Truncated(Bounded):
    """X ~ base, given that low <= X <= high: continuous or discrete, with one bound or with both.

        log p(x) = log p_base(x) - log P(low <= X <= high)

    base_dist : a distribution of one number with log_cdf and log_survival
    low, high : float[*batch], low < high; None (or infinite) for no bound (also lower, upper)
    sample : [*shape, *batch]
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

    def __init__(self, base_dist, low=None, high=None, *, lower=None, upper=None, validate_args=None):
        low, high = (lower if low is None else low), (upper if high is None else high)
        self._bind((base_dist, low, high), {})
        if base_dist.event_shape:
            raise ShapeError(f"Truncated: {type(base_dist).__name__} has events of shape {base_dist.event_shape}; only "
                             "distributions of one number can be truncated.")
        adopt_bounds(self, validate_args)
        if _DEFAULTS["validate_args"] if validate_args is None else validate_args:
            self._check_overlap()

    def _check_overlap(self):
        """An error where a bound leaves none of the values of the base."""
        first, last = (np.asarray(end) for end in bounds_of(self.base_dist.support))
        for name, x, end, word, empty in (("low", self.low, last, "below", np.greater_equal),
                                          ("high", self.high, first, "above", np.less_equal)):
            if x is None or type(x) is not Array or type(end) is not Array:
                continue
            if self.is_discrete:
                empty = np.greater if name == "low" else np.less
            if bool(np.any(empty(x, end))):
                raise ParameterError(f"Truncated({name}={x.tolist()}): {name} must be {word} {end.tolist()}, where the "
                                     f"values of {type(self.base_dist).__name__} end; nothing is left between.")

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
        low, high = tightest(bounds_of(base), self._ends, self.is_discrete)
        if self.is_discrete:
            return integers_between(base, low, high)
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

    def entropy(self):
        """log P(low <= X <= high) - E log p_base(X), where that is known from the moments; a sum for counts."""
        if self.is_discrete:
            return super().entropy()
        found = moments(self.base_dist, *self._ends)
        found = None if found is None else cross_entropy(self.base_dist, *found)
        if found is None:
            raise self._absent("entropy")
        return np.broadcast_to(found + self._log_mass(), self.batch_shape)

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


TruncatedDistribution = Truncated
