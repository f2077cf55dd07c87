"""Bijections of numbers onto half lines and intervals: exp, softplus, sigmoid, affine maps, powers."""
import math

from ...engine import numpy as np
from ...engine import tree
from ...engine.errors import MissingRule
from ...engine.ops.elementwise import expit, softplus
from .. import constraints
from ..constraints import Constraint
from ..distribution import sum_rightmost
from ..record import ArrayLike, child
from .base import ComposeTransform, IdentityTransform, IndependentTransform, Transform, beside, biject_to


class ExpTransform(Transform):
    """y = exp(x), from a set of numbers (all of them) or of increasing vectors onto its image.   log dy/dx = x"""
    domain: Constraint = child(default=constraints.real)
    sign = 1.0

    @property
    def codomain(self):
        return _exponential(self.domain)

    def __call__(self, x):
        return np.exp(x)

    def _inverse(self, y):
        return np.log(y)

    def log_abs_det_jacobian(self, x, y):
        return sum_rightmost(np.asarray(x), self.domain.event_dim)


def _exponential(domain):
    """The set of exp(x) for x in a set."""
    for known, image in ((constraints.real, constraints.positive), (constraints.positive, constraints.GreaterThan(1.0)),
                         (constraints.nonnegative, constraints.GreaterThanEq(1.0)),
                         (constraints.ordered_vector, constraints.positive_ordered_vector)):
        if domain == known:
            return image
    if type(domain) is constraints.Independent:
        return constraints.independent(_exponential(domain.base), domain.reinterpreted_batch_ndims)
    if isinstance(domain, (constraints.GreaterThan, constraints.Interval)):
        return tree.map(np.exp, domain)
    raise MissingRule(f"ExpTransform: the image of {type(domain).__name__}, {domain.words}, is not known here.")


class SoftplusTransform(Transform):
    """y = log(1 + exp(x)), onto the positive numbers.   log dy/dx = -softplus(-x)"""
    codomain, sign = constraints.positive, 1.0

    def __call__(self, x):
        return softplus(x)

    def _inverse(self, y):
        return np.log(-np.expm1(-y)) + y

    def log_abs_det_jacobian(self, x, y):
        return -softplus(-x)


class SigmoidTransform(Transform):
    """y = 1 / (1 + exp(-x)), onto (0, 1).   log dy/dx = x - 2 softplus(x)

    Where rounding would give 1, the result is the largest number below it.
    """
    codomain, sign = constraints.unit_interval, 1.0

    def __call__(self, x):
        y = expit(x)
        return np.where(y < 1.0, y, 1.0 - float(np.finfo(y.dtype).epsneg))

    def _inverse(self, y):
        return np.log(y) - np.log1p(-y)

    def log_abs_det_jacobian(self, x, y):
        return x - 2.0 * softplus(x)


class IntervalTransform(Transform):
    """y = low + (high - low) / (1 + exp(-x)), onto (low, high).   log dy/dx = log(high - low) + x - 2 softplus(x)"""
    low: ArrayLike = child()
    high: ArrayLike = child()
    sign = 1.0

    @property
    def codomain(self):
        return constraints.interval(self.low, self.high)

    def _width(self, x):
        return beside(self.high, x) - self.low

    def __call__(self, x):
        return self.low + self._width(x) * expit(x)

    def _inverse(self, y):
        return np.log((y - self.low) / (self.high - y))

    def log_abs_det_jacobian(self, x, y):
        return np.log(self._width(x)) + (x - 2.0 * softplus(x))


class OpenIntervalTransform(IntervalTransform):
    """`IntervalTransform`, but where rounding would give a bound it is the nearest number inside."""

    @property
    def codomain(self):
        return constraints.open_interval(self.low, self.high)

    def __call__(self, x):
        low, high = beside(self.low, x), beside(self.high, x)
        y = super().__call__(x)
        return np.minimum(np.maximum(y, np.nextafter(low, high)), np.nextafter(high, low))


class AffineTransform(Transform):
    """y = loc + scale x, scale != 0.   log |dy/dx| = log |scale|"""
    loc: ArrayLike = child()
    scale: ArrayLike = child()
    domain: Constraint = child(default=constraints.real)

    @property
    def codomain(self):
        if self.domain.everything:
            return self.domain
        if type(self.scale) is float and self.domain == constraints.positive:
            return constraints.greater_than(self.loc) if self.scale > 0 else constraints.less_than(self.loc)
        return constraints.AffineImage(self.domain, self.loc, self.scale)

    @property
    def sign(self):
        return np.sign(self.scale)

    def __call__(self, x):
        return self.loc + self.scale * np.asarray(x)

    def _inverse(self, y):
        return (np.asarray(y) - self.loc) / self.scale

    def log_abs_det_jacobian(self, x, y):
        flat = np.broadcast_to(np.log(np.abs(beside(self.scale, x))), np.shape(x))
        return sum_rightmost(flat, self.domain.event_dim)


class PowerTransform(Transform):
    """y = x ** exponent on the positive numbers, exponent != 0.   log |dy/dx| = log |exponent y / x|"""
    exponent: ArrayLike = child()
    domain = codomain = constraints.positive

    @property
    def sign(self):
        return np.sign(self.exponent)

    def __call__(self, x):
        return np.power(np.asarray(x), self.exponent)

    def _inverse(self, y):
        return np.power(np.asarray(y), 1.0 / beside(self.exponent, y))

    def log_abs_det_jacobian(self, x, y):
        return np.log(np.abs(self.exponent * y / x))


class AbsTransform(Transform):
    """y = |x|, which is not a bijection: `inv` gives the positive of the two."""
    codomain = constraints.nonnegative

    def __call__(self, x):
        return np.abs(x)

    def _inverse(self, y):
        return y


_IDENTITY, _EXP, _SIGMOID = IdentityTransform(), ExpTransform(), SigmoidTransform()

biject_to.register(constraints.real, lambda c: _IDENTITY)
biject_to.register(constraints.positive, lambda c: _EXP)                    # nonnegative with it
biject_to.register(constraints.softplus_positive, lambda c: SoftplusTransform())
biject_to.register(constraints.circular, lambda c: IntervalTransform(-math.pi, math.pi))
biject_to.register(constraints.unit_interval, lambda c: _SIGMOID)
biject_to.register(constraints.GreaterThan, lambda c: ComposeTransform(
    (_EXP, AffineTransform(c.lower_bound, 1.0, constraints.positive))))
biject_to.register(constraints.LessThan, lambda c: ComposeTransform(
    (_EXP, AffineTransform(c.upper_bound, -1.0, constraints.positive))))
biject_to.register(constraints.AffineImage, lambda c: ComposeTransform(
    (biject_to(c.base), AffineTransform(c.loc, c.scale, c.base))))
biject_to.register(constraints.Interval, lambda c: IntervalTransform(c.lower_bound, c.upper_bound))
biject_to.register(constraints.OpenInterval, lambda c: OpenIntervalTransform(c.lower_bound, c.upper_bound))
biject_to.register(constraints.HalfOpenInterval, lambda c: OpenIntervalTransform(c.lower_bound, c.upper_bound))


@biject_to.register(constraints.Independent)
def _(constraint):
    base = biject_to(constraint.base)
    return IndependentTransform(base, constraint.reinterpreted_batch_ndims)
