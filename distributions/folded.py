"""The distribution of the absolute value of a random number."""
import math

from ..engine import numpy as np
from ..engine.errors import ShapeError
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution, safe_log
from .normal import Normal
from .record import child
from .wrappers import Wrapper


class FoldedDistribution(Wrapper):
    """|X| for X ~ base, a distribution of one continuous number.

        log p(x) = log(p_base(x) + p_base(-x)), x >= 0

    base_dist : its support is the real line or an interval         sample : [*shape, *batch], >= 0
    Source: Leone, Nelson & Nottingham (1961), "The folded normal distribution", Technometrics 3.

    >>> from chainrule.distributions import Normal
    >>> float(FoldedDistribution(Normal(0.0, 1.0)).log_prob(0.0))
    -0.2257913
    """
    base_dist: Distribution = child()
    support = constraints.nonnegative

    def __init__(self, base_dist, *, validate_args=None):
        if base_dist.event_shape or base_dist.is_discrete:
            raise ShapeError(f"FoldedDistribution takes a distribution of one continuous number; "
                             f"{type(base_dist).__name__} has events of shape {base_dist.event_shape} in the set "
                             f"{base_dist.support.words}.")
        self._bind((base_dist,), {})

    def sample(self, key, sample_shape=()):
        return np.abs(self.base_dist.sample(key, sample_shape))

    def log_prob_inside(self, value):
        value = np.asarray(value)
        base = self.base_dist
        if base.symmetric and type(base) is Normal:      # one exponential: log φ(z - m) + log(1 + exp(-2 m z))
            ratio = -2.0 * np.abs(base.loc * value) / np.square(base.scale)
            return base.log_prob(np.where(base.loc < 0, -value, value)) + np.log1p(np.exp(ratio))
        here, there = base.log_prob(value), base.log_prob(-value)
        top = np.maximum(here, there)
        ok = top > -math.inf
        top = np.where(ok, top, 0.0)
        return np.where(ok, top + np.log1p(np.exp(-np.abs(np.where(ok, here - there, 0.0)))), -math.inf)

    def cdf(self, value):
        value = np.maximum(np.asarray(value), 0.0)
        return self.base_dist.cdf(value) - self.base_dist.cdf(-value)

    def survival_function(self, value):
        value = np.maximum(np.asarray(value), 0.0)
        return self.base_dist.survival_function(value) + self.base_dist.cdf(-value)

    def log_survival(self, value):
        value = np.maximum(np.asarray(value), 0.0)
        return np.logaddexp(self.base_dist.log_survival(value), self.base_dist.log_cdf(-value))

    def log_cdf(self, value):
        return safe_log(self.cdf(value))

    @property
    def mean(self):
        """E|X|, where the base is normal: σ √(2/π) exp(-μ²/2σ²) + μ erf(μ / √2 σ)."""
        base = self.base_dist
        if type(base) is not Normal:
            raise self._absent("mean")
        z = base.loc / base.scale
        return (base.scale * (math.sqrt(2 / math.pi) * np.exp(-0.5 * z * z))
                + base.loc * special.erf(z * math.sqrt(0.5)))

    @property
    def variance(self):
        base = self.base_dist
        return base.variance + np.square(base.mean) - np.square(self.mean)
