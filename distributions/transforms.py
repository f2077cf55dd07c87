"""Bijections between sets, with the logarithm of the volume they stretch by; and `biject_to`.

A transform t has t(x), t.inv(y) and t.log_abs_det_jacobian(x, y), for x in `domain` and y in `codomain`. Its log-det
has the batch shape that is left when the event axes of the domain are taken away.

    biject_to(constraint)    the transform from unconstrained numbers to a continuous set

    >>> from chainrule.distributions import biject_to, constraints
    >>> t = biject_to(constraints.positive)
    >>> float(t(0.0)), float(t.inv(1.0))
    (1.0, 0.0)
"""
import math

from ..engine import numpy as np
from ..engine.errors import MissingRule
from ..engine.ops.elementwise import expit, softplus
from . import constraints
from .constraints import Constraint
from .distribution import sum_rightmost
from .record import ArrayLike, Record, child, static


class Transform(Record):
    """Base of the transforms: write `__call__`, `_inverse`, `log_abs_det_jacobian`, `domain`, `codomain`."""

    @property
    def domain(self):
        """The set of the arguments."""
        return constraints.real

    @property
    def codomain(self):
        """The set of the results."""
        return constraints.real

    @property
    def sign(self):
        """1 where it increases, -1 where it decreases: what a distribution function needs to know."""
        raise NotImplementedError(f"{type(self).__name__} neither increases nor decreases throughout.")

    def __call__(self, x):
        raise NotImplementedError

    def _inverse(self, y):
        raise NotImplementedError

    @property
    def inv(self):
        """The inverse transform."""
        return Inverse(self)

    def log_abs_det_jacobian(self, x, y):
        """log |det dy/dx| at x, with y = t(x) given so that it need not be computed again."""
        raise NotImplementedError

    def forward_shape(self, shape):
        """The shape of t(x) for x of this shape."""
        return tuple(shape)

    def inverse_shape(self, shape):
        """The shape of t.inv(y) for y of this shape."""
        return tuple(shape)


class Inverse(Transform):
    """A transform run backwards."""
    base: Transform = child()

    @property
    def domain(self):
        return self.base.codomain

    @property
    def codomain(self):
        return self.base.domain

    @property
    def sign(self):
        return self.base.sign

    @property
    def inv(self):
        return self.base

    def __call__(self, x):
        return self.base._inverse(x)

    def _inverse(self, y):
        return self.base(y)

    def log_abs_det_jacobian(self, x, y):
        return -self.base.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape):
        return self.base.inverse_shape(shape)

    def inverse_shape(self, shape):
        return self.base.forward_shape(shape)


class IdentityTransform(Transform):
    """y = x"""
    sign = 1.0

    def __call__(self, x):
        return x

    def _inverse(self, y):
        return y

    def log_abs_det_jacobian(self, x, y):
        return np.zeros_like(x)


class ExpTransform(Transform):
    """y = exp(x), onto the positive numbers.   log dy/dx = x"""
    codomain, sign = constraints.positive, 1.0

    def __call__(self, x):
        return np.exp(x)

    def _inverse(self, y):
        return np.log(y)

    def log_abs_det_jacobian(self, x, y):
        return np.asarray(x)


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

    @property
    def _width(self):
        return np.asarray(self.high) - self.low

    def __call__(self, x):
        return self.low + self._width * expit(x)

    def _inverse(self, y):
        return np.log((y - self.low) / (self.high - y))

    def log_abs_det_jacobian(self, x, y):
        return np.log(self._width) + (x - 2.0 * softplus(x))


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
        flat = np.broadcast_to(np.log(np.abs(self.scale)), np.shape(x))
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
        return np.power(np.asarray(y), 1.0 / np.asarray(self.exponent))

    def log_abs_det_jacobian(self, x, y):
        return np.log(np.abs(self.exponent * y / x))


class AbsTransform(Transform):
    """y = |x|, which is not a bijection: `inv` gives the positive of the two."""
    codomain = constraints.nonnegative

    def __call__(self, x):
        return np.abs(x)

    def _inverse(self, y):
        return y


class ComposeTransform(Transform):
    """One transform after the other: parts[0] first."""
    parts: tuple = child()

    def __init__(self, parts):
        flat = [q for p in parts for q in (p.parts if type(p) is ComposeTransform else (p,))]
        super().__init__(tuple(flat))

    @property
    def domain(self):
        return _widened(self.parts[0].domain, self.parts, lambda p: p.domain.event_dim, lambda p: p.codomain.event_dim)

    @property
    def codomain(self):
        return _widened(self.parts[-1].codomain, self.parts[::-1],
                        lambda p: p.codomain.event_dim, lambda p: p.domain.event_dim)

    @property
    def sign(self):
        return math.prod(p.sign for p in self.parts)

    def __call__(self, x):
        for p in self.parts:
            x = p(x)
        return x

    def _inverse(self, y):
        for p in self.parts[::-1]:
            y = p._inverse(y)
        return y

    def log_abs_det_jacobian(self, x, y):
        total, dim = None, self.domain.event_dim
        for i, p in enumerate(self.parts):
            out = y if i == len(self.parts) - 1 else p(x)
            term = sum_rightmost(p.log_abs_det_jacobian(x, out), dim - p.domain.event_dim)
            total = term if total is None else total + term
            x, dim = out, dim + p.codomain.event_dim - p.domain.event_dim
        return total

    def forward_shape(self, shape):
        for p in self.parts:
            shape = p.forward_shape(shape)
        return shape

    def inverse_shape(self, shape):
        for p in self.parts[::-1]:
            shape = p.inverse_shape(shape)
        return shape


def _widened(constraint, parts, near, far):
    """The first part's set, independent along the axes that later parts need in one event."""
    need, shift = near(parts[0]), 0
    for p in parts:
        need = max(need, near(p) - shift)
        shift += far(p) - near(p)
    extra = need - constraint.event_dim
    return constraints.independent(constraint, extra) if extra else constraint


class IndependentTransform(Transform):
    """A transform whose last batch axes are part of one event: the log-det sums over them."""
    base: Transform = child()
    reinterpreted_batch_ndims: int = static()

    @property
    def domain(self):
        return constraints.independent(self.base.domain, self.reinterpreted_batch_ndims)

    @property
    def codomain(self):
        return constraints.independent(self.base.codomain, self.reinterpreted_batch_ndims)

    @property
    def sign(self):
        return self.base.sign

    def __call__(self, x):
        return self.base(x)

    def _inverse(self, y):
        return self.base._inverse(y)

    def log_abs_det_jacobian(self, x, y):
        return sum_rightmost(self.base.log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)

    def forward_shape(self, shape):
        return self.base.forward_shape(shape)

    def inverse_shape(self, shape):
        return self.base.inverse_shape(shape)


# ---- biject_to ----

class Registry:
    """Functions of a constraint, by its type; a type that is not there takes that of its nearest base class."""

    def __init__(self):
        self.table = {}

    def register(self, kind, make=None):
        """Make `make(constraint) -> Transform` the rule for a type (or that of a constraint); also a decorator."""
        if make is None:
            return lambda f: self.register(kind, f)
        self.table[kind if isinstance(kind, type) else type(kind)] = make
        return make

    def __call__(self, constraint):
        for kind in type(constraint).__mro__:
            make = self.table.get(kind)
            if make is not None:
                return make(constraint)
        what = "has integers" if constraint.is_discrete else "has no transform registered"
        raise MissingRule("there is no bijection from unconstrained numbers to "
                          f"{type(constraint).__name__}: it {what}.\n"
                          "Give it one: biject_to.register(MyConstraint, lambda constraint: MyTransform()).")


biject_to = Registry()
_IDENTITY, _EXP, _SIGMOID = IdentityTransform(), ExpTransform(), SigmoidTransform()

biject_to.register(constraints.real, lambda c: _IDENTITY)
biject_to.register(constraints.positive, lambda c: _EXP)                    # nonnegative with it
biject_to.register(constraints.unit_interval, lambda c: _SIGMOID)
biject_to.register(constraints.GreaterThan, lambda c: ComposeTransform(
    (_EXP, AffineTransform(c.lower_bound, 1.0, constraints.positive))))
biject_to.register(constraints.LessThan, lambda c: ComposeTransform(
    (_EXP, AffineTransform(c.upper_bound, -1.0, constraints.positive))))
biject_to.register(constraints.AffineImage, lambda c: ComposeTransform(
    (biject_to(c.base), AffineTransform(c.loc, c.scale, c.base))))
biject_to.register(constraints.Interval, lambda c: IntervalTransform(c.lower_bound, c.upper_bound))


@biject_to.register(constraints.Independent)
def _(constraint):
    base = biject_to(constraint.base)
    return IndependentTransform(base, constraint.reinterpreted_batch_ndims)


