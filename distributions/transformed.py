"""The distribution of a function of a random variable."""
import math

from ..engine import numpy as np
from ..engine.array import Array
from ..engine.errors import ShapeError
from . import constraints
from .distribution import Distribution, sum_rightmost
from .record import child
from .transforms import ComposeTransform, Transform


class TransformedDistribution(Distribution):
    """The distribution of y = t(x) for x ~ base and a bijection t (one transform, or a sequence applied in order).

        log p(y) = log p_base(x) - log |det dy/dx|,  x = t⁻¹(y)

    The event grows to what the transform needs, taking batch axes of the base.

    >>> from chainrule.distributions import Normal, transforms
    >>> float(TransformedDistribution(Normal(0.0, 1.0), transforms.ExpTransform()).log_prob(1.0))
    -0.9189385
    """
    base_dist: Distribution = child()
    transform: Transform = child()

    def __init__(self, base_distribution, transforms, *, validate_args=None):
        t = transforms if isinstance(transforms, Transform) else ComposeTransform(tuple(transforms))
        shape, n = base_distribution.batch_shape + base_distribution.event_shape, t.domain.event_dim
        if len(shape) < n:
            raise ShapeError(f"{type(t).__name__} works on events with {n} axes; {type(base_distribution).__name__} "
                             f"has shape {shape}.\nGive it the batch axes that it lacks, e.g. with .expand([3]).")
        extra = n - len(base_distribution.event_shape)
        self._bind((base_distribution.to_event(extra) if extra > 0 else base_distribution, t), {})

    @property
    def batch_shape(self):
        return self.base_dist.batch_shape

    @property
    def event_shape(self):
        base = self.base_dist
        return self.transform.forward_shape(base.batch_shape + base.event_shape)[len(base.batch_shape):]

    @property
    def dtype(self):
        return self.base_dist.dtype

    @property
    def _lifted(self):
        """How many event axes of the base the transform does not look at."""
        return len(self.base_dist.event_shape) - self.transform.domain.event_dim

    @property
    def support(self):
        out, n = self.transform.codomain, self._lifted
        return constraints.independent(out, n) if n else out

    @property
    def reparametrized_params(self):
        return self.base_dist.reparametrized_params

    def sample(self, key, sample_shape=()):
        return self.transform(self.base_dist.sample(key, sample_shape))

    def log_prob_inside(self, value):
        x = self.transform._inverse(value)
        stretch = sum_rightmost(self.transform.log_abs_det_jacobian(x, value), self._lifted)
        return self.base_dist.log_prob(x) - stretch

    def cdf(self, value):
        """P(Y <= value), for a transform of one number that has a sign."""
        return self._tail(value, "cdf", "survival_function", 0.0, 1.0)

    def survival_function(self, value):
        """P(Y > value)."""
        return self._tail(value, "survival_function", "cdf", 1.0, 0.0)

    def log_cdf(self, value):
        """log P(Y <= value)."""
        return self._tail(value, "log_cdf", "log_survival", -math.inf, 0.0)

    def log_survival(self, value):
        """log P(Y > value)."""
        return self._tail(value, "log_survival", "log_cdf", 0.0, -math.inf)

    def _tail(self, value, rising, falling, below, beyond):
        """The base's function of the inverse of value: `rising` where the transform increases, else `falling`."""
        value, support = np.asarray(value), self.support
        member = support.example(value)                  # an interval: what is outside lies beyond any member
        ok = support(value)
        p = self._by_sign(rising, falling, self.transform._inverse(np.where(ok, value, member)))
        return np.where(ok, p, np.where(value > member, np.asarray(beyond, p.dtype), below))

    def _by_sign(self, rising, falling, x):
        sign = np.asarray(self.transform.sign)
        base = self.base_dist
        if type(sign) is Array and sign.ndim == 0:
            return getattr(base, rising if sign.item() > 0 else falling)(x)
        return np.where(sign > 0, getattr(base, rising)(x), getattr(base, falling)(x))

    def icdf(self, q):
        return self.transform(self._by_sign("icdf", "isf", q))

    def isf(self, q):
        return self.transform(self._by_sign("isf", "icdf", q))

    def icdf_exp(self, log_q):
        return self.transform(self._by_sign("icdf_exp", "isf_exp", log_q))

    def isf_exp(self, log_q):
        return self.transform(self._by_sign("isf_exp", "icdf_exp", log_q))
