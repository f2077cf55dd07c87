"""Values of which only a bound is known: clipped draws, and observations that are censored one by one.

    Censored(base, lower, upper)                  clip(X, lower, upper): the bounds have mass
    LeftCensoredDistribution(base, censored)      a censored value says X <= value; RightCensoredDistribution X > value
    IntervalCensoredDistribution(base, left_censored, right_censored)       a value is a pair of bounds
"""
import math

from ..engine import numpy as np
from ..engine.avals import broadcast_shapes
from ..engine.errors import ShapeError
from . import constraints
from .bounded import Bounded, adopt_bounds, integers_between, tightest
from .bounds import bounds_of
from .distribution import Distribution, shape_of
from .intervals import log_interval, tail
from .record import ArrayLike, child, param
from .truncated_moments import moments
from .wrappers import Wrapper


def _single(name, base_dist):
    if base_dist.event_shape:
        raise ShapeError(f"{name}: {type(base_dist).__name__} has events of shape {base_dist.event_shape}; only "
                         "distributions of one number can be censored.")


class Censored(Bounded):
    """clip(X, lower, upper) for X ~ base: what an instrument with a limited range shows.

        log p(lower) = log P(X <= lower),  log p(upper) = log P(X >= upper),  log p(x) = log p_base(x) between

    base_dist : a distribution of one number with log_cdf and log_survival
    lower, upper : float[*batch], lower < upper; None (or infinite) for no bound      sample : [*shape, *batch]
    A draw is differentiable where draws of the base are. For a continuous base log p mixes masses and densities.
    Source: Tobin (1958), "Estimation of relationships for limited dependent variables", Econometrica 26.

    >>> from chainrule.distributions import Normal
    >>> Censored(Normal(0.0, 1.0), lower=0.0).log_prob([0.0, 1.0])
    Array([-0.69314718, -1.41893853])
    """
    base_dist: Distribution = child()
    lower: ArrayLike = param(constraints.less_than(math.inf), default=None)
    upper: ArrayLike = param(lambda self: constraints.greater_than(-math.inf if self.lower is None else self.lower),
                             default=None)

    def __init__(self, base_dist, lower=None, upper=None, *, validate_args=None):
        _single("Censored", base_dist)
        self._bind((base_dist, lower, upper), {})
        adopt_bounds(self, validate_args)

    @property
    def batch_shape(self):
        return broadcast_shapes(self.base_dist.batch_shape, shape_of(self.lower), shape_of(self.upper))

    @property
    def reparametrized_params(self):
        return (*self.base_dist.reparametrized_params, "lower", "upper") if self.base_dist.has_rsample else ()

    @property
    def support(self):
        base = self.base_dist.support
        first = None if self.lower is None else self.lower - 1 if self.is_discrete else self.lower
        low, high = tightest(bounds_of(base), (first, self.upper), self.is_discrete)
        if self.is_discrete:
            return integers_between(base, low, high)
        if high is None:
            return base if low is None else constraints.greater_than_eq(low)
        return constraints.less_than_eq(high) if low is None else constraints.interval(low, high)

    def _clip(self, x):
        x = x if self.lower is None else np.maximum(x, np.astype(self.lower, x.dtype))
        return x if self.upper is None else np.minimum(x, np.astype(self.upper, x.dtype))

    def sample(self, key, sample_shape=()):
        return self._clip(self.base_dist.expand(self.batch_shape).sample(key, sample_shape))

    def _log_ends(self):
        """log P(X <= lower) and log P(X >= upper)."""
        base, step = self.base_dist, 1 if self.is_discrete else 0
        return (None if self.lower is None else tail(base, "log_cdf", self.lower),
                None if self.upper is None else tail(base, "log_survival", self.upper - step))

    def log_prob(self, value):
        value = np.asarray(value)
        low, high = self._log_ends()
        out = self.base_dist.log_prob(value)
        if low is not None:
            out = np.where(value > self.lower, out, np.where(value == self.lower, low, -math.inf))
        if high is not None:
            out = np.where(value < self.upper, out, np.where(value == self.upper, high, -math.inf))
        return out

    def cdf(self, value):
        return self._between(value, self.base_dist.cdf, 0.0, 1.0)

    def log_cdf(self, value):
        return self._between(value, self.base_dist.log_cdf, -math.inf, 0.0)

    def survival_function(self, value):
        return self._between(value, self.base_dist.survival_function, 1.0, 0.0)

    def log_survival(self, value):
        return self._between(value, self.base_dist.log_survival, 0.0, -math.inf)

    def _between(self, value, f, below, beyond):
        """f(value) where lower <= value < upper, constants elsewhere."""
        value = np.asarray(value)
        out = f(value)
        out = out if self.lower is None else np.where(value >= self.lower, out, below)
        return out if self.upper is None else np.where(value < self.upper, out, beyond)

    def icdf(self, q):
        return self._clip(self.base_dist.icdf(q))

    def isf(self, q):
        return self._clip(self.base_dist.isf(q))

    def icdf_exp(self, log_q):
        return self._clip(self.base_dist.icdf_exp(log_q))

    def isf_exp(self, log_q):
        return self._clip(self.base_dist.isf_exp(log_q))

    def _moments(self):
        """From those of the base between the bounds, which have the rest of the mass."""
        low, high = self.lower, (None if self.upper is None else self.upper - 1 if self.is_discrete else self.upper)
        found = moments(self.base_dist, low, high)
        if found is None:
            return self._sums()
        mean, variance = found
        parts = [(np.exp(log_interval(self.base_dist, low, high)), mean, variance)]
        parts += [(np.exp(log_p), np.astype(end, mean.dtype), 0.0)
                  for log_p, end in zip(self._log_ends(), (self.lower, self.upper)) if log_p is not None]
        mean = sum(p * m for p, m, _ in parts)
        return mean, sum(p * (v + np.square(m - mean)) for p, m, v in parts)


class _Observed(Wrapper):
    """What the two kinds of one-sided censoring share: `censored` says of which values only a bound is known."""
    base_dist: Distribution = child()
    censored: ArrayLike = param(constraints.boolean, default=False)

    def __init__(self, base_dist, censored=False, *, validate_args=None):
        _single(type(self).__name__, base_dist)
        super().__init__(base_dist, censored, validate_args=validate_args)

    @property
    def batch_shape(self):
        return broadcast_shapes(self.base_dist.batch_shape, shape_of(self.censored))

    def sample(self, key, sample_shape=()):
        """Draws of the base: what would be seen without censoring."""
        return self.base_dist.expand(self.batch_shape).sample(key, sample_shape)

    def _known_ends(self):
        return None                                      # log_prob is a likelihood: its sum is not 1

    def _either(self, value, log_tail):
        return np.where(self.censored == 1, log_tail(np.asarray(value)), self.base_dist.log_prob(value))


class LeftCensoredDistribution(_Observed):
    """Observations of X ~ base, of which the censored ones say X <= value only.

        log p(x) = log P(X <= x) where censored, else log p_base(x)

    base_dist : a distribution of one number      censored : bool[*batch]
    Source: Klein & Moeschberger (2003), Survival Analysis, 2nd ed., §3.5.

    >>> from chainrule.distributions import Exponential
    >>> round(float(LeftCensoredDistribution(Exponential(1.0), True).log_prob(1.0)), 6)
    -0.458675
    """

    def log_prob(self, value):
        return self._either(value, self.base_dist.log_cdf)


class RightCensoredDistribution(_Observed):
    """Observations of X ~ base, of which the censored ones say X > value only.

        log p(x) = log P(X > x) where censored, else log p_base(x)

    base_dist : a distribution of one number      censored : bool[*batch]
    Source: Klein & Moeschberger (2003), Survival Analysis, 2nd ed., §3.5.

    >>> from chainrule.distributions import Exponential
    >>> RightCensoredDistribution(Exponential(2.0), [False, True]).log_prob([1.0, 1.0])
    Array([-1.30685282, -2.        ])
    """

    def log_prob(self, value):
        return self._either(value, self.base_dist.log_survival)


class IntervalCensoredDistribution(Wrapper):
    """Observations of X ~ base by two bounds, value = (l, u), and which of them count.

        log p(l, u) = log P(l < X <= u)     where neither is censored; log p_base(l) where l = u
                      log P(X <= u)         where left_censored        (l is not looked at)
                      log P(X > l)          where right_censored       (u is not looked at)
                      log (P(X <= l) + P(X > u))      where both are: X is outside

    base_dist : a distribution of one number      left_censored, right_censored : bool[*batch]
    value : [*shape, *batch, 2]      sample : [*shape, *batch, 2], a draw of the base twice
    Source: Klein & Moeschberger (2003), Survival Analysis, 2nd ed., §3.5.

    >>> from chainrule.distributions import Exponential
    >>> d = IntervalCensoredDistribution(Exponential(1.0), [False, False, True], [False, True, False])
    >>> d.prob([[1.0, 2.0], [1.0, 0.0], [0.0, 2.0]])
    Array([0.23254416, 0.36787944, 0.86466472])
    """
    base_dist: Distribution = child()
    left_censored: ArrayLike = param(constraints.boolean, default=False)
    right_censored: ArrayLike = param(constraints.boolean, default=False)

    def __init__(self, base_dist, left_censored=False, right_censored=False, *, validate_args=None):
        _single(type(self).__name__, base_dist)
        super().__init__(base_dist, left_censored, right_censored, validate_args=validate_args)

    @property
    def batch_shape(self):
        return broadcast_shapes(self.base_dist.batch_shape, shape_of(self.left_censored),
                                shape_of(self.right_censored))

    @property
    def event_shape(self):
        return (2,)

    @property
    def support(self):
        return constraints.independent(self.base_dist.support, 1)

    def sample(self, key, sample_shape=()):
        x = self.base_dist.expand(self.batch_shape).sample(key, sample_shape)
        return np.stack([x, x], -1)

    def log_prob(self, value):
        value, base = np.asarray(value), self.base_dist
        low, high = value[..., 0], value[..., 1]
        left, right = self.left_censored == 1, self.right_censored == 1
        neither = np.logical_not(np.logical_or(left, right))
        point = np.logical_and(neither, low == high)
        wide = np.logical_and(neither, low < high)
        member = np.asarray(base.support.example(low), low.dtype)
        first = np.where(np.logical_and(left, np.logical_not(right)), member, low)
        last = np.where(np.logical_and(right, np.logical_not(left)), member, high)
        a, b = np.where(wide, first, member), np.where(wide, last, member + 1.0)
        below, above = base.log_cdf(np.where(left, np.where(right, first, last), member)), base.log_survival(
            np.where(right, np.where(left, last, first), member))
        one = np.where(left, np.where(right, np.logaddexp(below, above), below), above)
        inside = np.where(point, base.log_prob(first), np.where(wide, log_interval(base, a, b), -math.inf))
        return np.where(neither, inside, one)
