"""Arrays with a border of a given value."""
import numpy as _numpy

from ...engine import numpy as np
from ...engine.errors import ShapeError
from .. import constraints
from ..constraints.base import every
from ..record import ArrayLike, child, static
from .base import Transform, biject_to


class Padded(constraints.Constraint):
    """Arrays whose first and last elements along the last axes, as many as `paddings` says, have a given value.

    paddings : (before, after) for each of the last axes      value : that of the border
    """
    paddings: tuple = static()
    value: ArrayLike = child()

    @property
    def event_dim(self):
        return len(self.paddings)

    @property
    def words(self):
        return f"an array whose border of {self.paddings} elements is {self.value}"

    def border(self, shape):
        """Which elements of an event are the border: bool[*event]."""
        inside = _numpy.ones(inner_shape(shape, self.paddings)[len(shape) - self.event_dim:], bool)
        return ~_numpy.pad(inside, self.paddings)

    def check(self, x):
        return every(np.where(self.border(x.shape), x == self.value, np.isfinite(x)), self.event_dim)

    def example(self, x):
        return np.where(self.border(x.shape), self.value, 0.0)


class PadTransform(Transform):
    """x with a border of constant_values around its last axes; `inv` takes the border away.   log |dy/dx| = 0

    paddings : (before, after) for each of the last axes, one element after the last axis unless given
    constant_values : a number
    The log-det is that of the elements that are free.

    >>> PadTransform([(1, 2)], 9.0)([1.0, 2.0]).tolist()
    [9.0, 1.0, 2.0, 9.0, 9.0]
    """
    paddings: tuple = static()
    constant_values: ArrayLike = child()

    def __init__(self, paddings=((0, 1),), constant_values=0.0):
        pairs = [tuple(p) if isinstance(p, list | tuple) else (p,) for p in paddings]
        if not pairs or any(len(p) != 2 or min(p) < 0 for p in pairs):
            raise ShapeError(f"PadTransform: paddings must be pairs (before, after) of numbers >= 0, one for each of "
                             f"the last axes; got {paddings!r}.")
        super().__init__(tuple((int(a), int(b)) for a, b in pairs), constant_values)

    @property
    def domain(self):
        return constraints.independent(constraints.real, len(self.paddings))

    @property
    def codomain(self):
        return Padded(self.paddings, self.constant_values)

    def __call__(self, x):
        x = np.asarray(x)
        value = np.asarray(self.constant_values, x.dtype)
        if value.ndim:
            raise ShapeError(f"PadTransform: constant_values must be one number; it has shape {value.shape}.")
        return np.pad(x, [(0, 0)] * (x.ndim - len(self.paddings)) + list(self.paddings), constant_values=value)

    def _inverse(self, y):
        y = np.asarray(y)
        inner = inner_shape(y.shape, self.paddings)[y.ndim - len(self.paddings):]
        return y[(..., *[slice(a, a + n) for (a, _), n in zip(self.paddings, inner)])]

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.zeros(x.shape[:x.ndim - len(self.paddings)], x.dtype)

    def forward_shape(self, shape):
        at = len(shape) - len(self.paddings)
        return (*shape[:at], *[n + a + b for n, (a, b) in zip(shape[at:], self.paddings)])

    def inverse_shape(self, shape):
        return inner_shape(shape, self.paddings)


def inner_shape(shape, paddings):
    """The shape without the border."""
    at = len(shape) - len(paddings)
    inner = tuple(n - a - b for n, (a, b) in zip(shape[max(at, 0):], paddings))
    if at < 0 or min(inner) < 0:
        raise ShapeError(f"a border of {paddings} elements does not fit into an array of shape {tuple(shape)}.")
    return (*shape[:at], *inner)


biject_to.register(Padded, lambda c: PadTransform(c.paddings, c.value))
