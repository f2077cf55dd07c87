"""A continuous distribution rounded up to integers."""
import math

from ..engine import numpy as np
from ..engine.avals import broadcast_shapes
from ..engine.errors import ShapeError
from . import constraints
from .bounded import Bounded, adopt_bounds, integers_between
from .bounds import bounds_of
from .distribution import Distribution, shape_of
from .intervals import log_interval, tail
from .record import ArrayLike, child, param


class QuantizedDistribution(Bounded):
    """ceil(X) for X ~ base, with what lies beyond `low` or `high` put on them.

        p(k) = P(k - 1 < X <= k),  p(low) = P(X <= low),  p(high) = P(X > high - 1)

    distribution : of one continuous number, with log_cdf and log_survival
    low, high : whole numbers[*batch], low < high; None for no bound          sample : int[*shape, *batch]
    Source: Salimans et al. (2017), "PixelCNN++", section 2.1.

    >>> from chainrule.distributions import Uniform
    >>> QuantizedDistribution(Uniform(0.0, 4.0), low=2).prob([2, 3, 4])
    Array([0.5 , 0.25, 0.25])
    """
    base_dist: Distribution = child()
    low: ArrayLike = param(constraints.less_than(math.inf), default=None)
    high: ArrayLike = param(lambda self: constraints.greater_than(-math.inf if self.low is None else self.low),
                            default=None)
    is_discrete = True
    reparametrized_params = ()
    has_rsample = False

    def __init__(self, distribution, low=None, high=None, *, validate_args=None):
        if distribution.event_shape or distribution.is_discrete:
            raise ShapeError(f"QuantizedDistribution takes a distribution of one continuous number; got "
                             f"{type(distribution).__name__} with events of shape {distribution.event_shape}.")
        self._bind((distribution, low, high), {})
        adopt_bounds(self, validate_args)

    @property
    def batch_shape(self):
        return broadcast_shapes(self.base_dist.batch_shape, shape_of(self.low), shape_of(self.high))

    @property
    def support(self):
        low, high = bounds_of(self.base_dist.support)
        low = self.low if self.low is not None else None if low == -math.inf else np.floor(low) + 1.0
        high = self.high if self.high is not None else None if high == math.inf else np.ceil(high)
        if low is None and high is None:
            return constraints.integer
        return integers_between(None, low, high)

    def sample(self, key, sample_shape=()):
        return self._round(self.base_dist.expand(self.batch_shape).sample(key, sample_shape))

    def _round(self, x):
        x = np.ceil(x)
        x = x if self.low is None else np.maximum(x, self.low)
        return np.astype(x if self.high is None else np.minimum(x, self.high), np.int64)

    def log_prob_inside(self, value):
        base = self.base_dist
        x = np.astype(value, self.dtype)
        low = x - 1.0 if self.low is None else np.where(x <= self.low, -math.inf, x - 1.0)
        high = x if self.high is None else np.where(x >= self.high, math.inf, x)
        return log_interval(base, low, high)

    def _edge(self, value, f, below, beyond):
        x = np.floor(np.astype(np.asarray(value), self.dtype))
        out = tail(self.base_dist, f, x)
        out = out if self.low is None else np.where(x >= self.low, out, below)
        return out if self.high is None else np.where(x < self.high, out, beyond)

    def log_cdf(self, value):
        return self._edge(value, "log_cdf", -math.inf, 0.0)

    def log_survival(self, value):
        return self._edge(value, "log_survival", 0.0, -math.inf)

    def cdf(self, value):
        return np.exp(self.log_cdf(value))
