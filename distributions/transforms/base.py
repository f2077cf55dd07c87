"""The base of the transforms, how they are composed, and the table `biject_to`."""
import math

from ...engine import numpy as np
from ...engine.errors import MissingRule
from .. import constraints
from ..distribution import sum_rightmost
from ..record import Record, child, static


def beside(number, x):
    """A parameter as an array; a Python number takes the dtype of x, so that float32 stays float32."""
    plain = isinstance(number, (int, float)) and np.asarray(x).dtype.kind == "f"
    return np.asarray(number, np.asarray(x).dtype) if plain else np.asarray(number)


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

    def forward_and_log_det(self, x):
        """(t(x), log |det dy/dx| there); one pass where the two share a computation, such as a network's."""
        y = self(x)
        return y, self.log_abs_det_jacobian(x, y)

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
    """y = x, on events with `ndims` axes."""
    ndims: int = static(default=0)
    sign = 1.0

    @property
    def domain(self):
        return constraints.independent(constraints.real, self.ndims) if self.ndims else constraints.real

    @property
    def codomain(self):
        return self.domain

    def __call__(self, x):
        return x

    def _inverse(self, y):
        return y

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.zeros(x.shape[:x.ndim - self.ndims], x.dtype)


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
        return self._along(x, y)[1]

    def forward_and_log_det(self, x):
        return self._along(x, None)

    def _along(self, x, y):
        """(t(x), the log-determinant), all parts but the last in one pass; the last too where y is None."""
        total, dim = None, self.domain.event_dim
        for i, p in enumerate(self.parts):
            if y is None or i < len(self.parts) - 1:
                out, term = p.forward_and_log_det(x)
            else:
                out, term = y, p.log_abs_det_jacobian(x, y)
            term = sum_rightmost(term, dim - p.domain.event_dim)
            total = term if total is None else total + term
            x, dim = out, dim + p.codomain.event_dim - p.domain.event_dim
        return x, total

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
