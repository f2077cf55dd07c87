"""Transforms that rearrange elements, or apply others to parts of an array: reshape, cat, stack, unpack, complex."""
import math

from ...engine import numpy as np
from ...engine.errors import ShapeError
from ...engine.ops.complexes import complex_p
from ...engine.ops.structural import asvalue
from .. import constraints
from ..constraints.base import checked_axis, checked_pieces, cut, slices
from ..distribution import sum_rightmost
from ..record import child, static
from .base import Transform, biject_to


class ReshapeTransform(Transform):
    """x : [*batch, *inverse_shape] -> [*batch, *forward_shape].   log |dy/dx| = 0"""
    target: tuple = static()
    source: tuple = static()

    def __init__(self, forward_shape, inverse_shape):
        target, source = tuple(forward_shape), tuple(inverse_shape)
        if math.prod(target) != math.prod(source):
            raise ShapeError(f"ReshapeTransform: forward_shape={target} has {math.prod(target)} elements, "
                             f"inverse_shape={source} has {math.prod(source)}.")
        super().__init__(target, source)

    @property
    def domain(self):
        return constraints.independent(constraints.real, len(self.source))

    @property
    def codomain(self):
        return constraints.independent(constraints.real, len(self.target))

    def __call__(self, x):
        return np.reshape(x, self.forward_shape(np.shape(x)))

    def _inverse(self, y):
        return np.reshape(y, self.inverse_shape(np.shape(y)))

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.zeros(x.shape[:x.ndim - len(self.source)], x.dtype)

    def forward_shape(self, shape):
        return _exchanged(shape, self.source, self.target)

    def inverse_shape(self, shape):
        return _exchanged(shape, self.target, self.source)


def _exchanged(shape, old, new):
    n = len(shape) - len(old)
    if n < 0 or tuple(shape[n:]) != old:
        raise ShapeError(f"ReshapeTransform: the last axes must have the shape {old}; got an array of shape {shape}.")
    return (*shape[:n], *new)


class CatTransform(Transform):
    """One axis of the event cut into pieces, each through a transform of its own, and joined again.

    parts : the transforms, in order      dim : the axis, counted from the last one (-1)
    lengths : the size of each piece of the argument; 1 each unless given
    """
    parts: tuple = child()
    dim: int = static(default=-1)
    lengths: tuple | None = static(default=None)

    def __init__(self, parts, dim=-1, lengths=None):
        super().__init__(*checked_pieces("CatTransform", parts, dim, lengths))

    @property
    def domain(self):
        return constraints.cat([t.domain for t in self.parts], self.dim, self.lengths)

    @property
    def codomain(self):
        return constraints.cat([t.codomain for t in self.parts], self.dim, self._out)

    @property
    def _out(self):
        """The sizes of the pieces of the result."""
        rest = (1,) * (self.domain.event_dim - 1)        # the other axes do not matter for the one that is cut
        at = len(rest) + 1 + self.dim
        return tuple(t.forward_shape((*rest[:at], n, *rest[at:]))[self.dim] for t, n in zip(self.parts, self.lengths))

    def __call__(self, x):
        pieces = cut(np.asarray(x), self.lengths, self.dim)
        return np.concatenate([t(p) for t, p in zip(self.parts, pieces)], self.dim)

    def _inverse(self, y):
        pieces = cut(np.asarray(y), self._out, self.dim)
        return np.concatenate([t._inverse(p) for t, p in zip(self.parts, pieces)], self.dim)

    def log_abs_det_jacobian(self, x, y):
        xs, ys = cut(np.asarray(x), self.lengths, self.dim), cut(np.asarray(y), self._out, self.dim)
        return _summed(self.parts, xs, ys, self.domain.event_dim)

    def forward_shape(self, shape):
        return self._moved(shape, self.lengths, self._out)

    def inverse_shape(self, shape):
        return self._moved(shape, self._out, self.lengths)

    def _moved(self, shape, old, new):
        if len(shape) < -self.dim or shape[self.dim] != sum(old):
            raise ShapeError(f"CatTransform: axis {self.dim} must have {sum(old)} elements; got shape {shape}.")
        at = len(shape) + self.dim
        return (*shape[:at], sum(new), *shape[at + 1:])


class StackTransform(Transform):
    """Slice i along one axis of the event goes through transform i.

    parts : the transforms      dim : the axis, counted from the last one (-1)
    """
    parts: tuple = child()
    dim: int = static(default=-1)

    def __init__(self, parts, dim=-1):
        checked_axis("StackTransform", dim)
        super().__init__(tuple(parts), dim)

    @property
    def domain(self):
        return constraints.stack([t.domain for t in self.parts], self.dim)

    @property
    def codomain(self):
        return constraints.stack([t.codomain for t in self.parts], self.dim)

    def __call__(self, x):
        return np.stack([t(p) for t, p in zip(self.parts, self._slices(x))], self.dim)

    def _inverse(self, y):
        return np.stack([t._inverse(p) for t, p in zip(self.parts, self._slices(y))], self.dim)

    def _slices(self, x):
        return slices(np.asarray(x), len(self.parts), self.dim)

    def log_abs_det_jacobian(self, x, y):
        return _summed(self.parts, self._slices(x), self._slices(y), self.domain.event_dim - 1)

    def forward_shape(self, shape):
        return self._moved(shape, self.parts[0].forward_shape)

    def inverse_shape(self, shape):
        return self._moved(shape, self.parts[0].inverse_shape)

    def _moved(self, shape, move):
        at = len(shape) + self.dim
        inner = move((*shape[:at], *shape[at + 1:]))
        at = len(inner) + 1 + self.dim
        return (*inner[:at], len(self.parts), *inner[at:])


def _summed(parts, xs, ys, event_dim):
    """The sum of the log-dets of the parts, each over the event axes that its transform does not look at."""
    total = None
    for t, x, y in zip(parts, xs, ys):
        term = sum_rightmost(t.log_abs_det_jacobian(x, y), event_dim - t.domain.event_dim)
        total = term if total is None else total + term
    return total


class UnpackTransform(Transform):
    """A vector into a tree of arrays, by the two functions given.   log |dy/dx| = 0

    unpack_fn : float[n] -> tree      pack_fn : tree -> float[n], needed by the inverse

        UnpackTransform(unravel, lambda params: ravel_pytree(params)[0])       with unravel = ravel_pytree(params)[1]
    """
    unpack_fn: object = static()
    pack_fn: object = static(default=None)
    domain, codomain = constraints.real_vector, constraints.dependent

    def __call__(self, x):
        return self.unpack_fn(x)

    def _inverse(self, y):
        if self.pack_fn is None:
            raise NotImplementedError("UnpackTransform without pack_fn has no inverse: give it pack_fn=....")
        return self.pack_fn(y)

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.zeros(x.shape[:-1], x.dtype)

    def forward_shape(self, shape):
        raise NotImplementedError("UnpackTransform makes a tree, which has no shape.")

    inverse_shape = forward_shape


def complex_of(x, y):
    """x + i y of two real arrays of one dtype and shape."""
    return complex_p.bind(asvalue(x), asvalue(y))


class ComplexTransform(Transform):
    """Two real numbers into one complex number: x[..., 0] + i x[..., 1].   log |dy/dx| = 0"""
    domain, codomain = constraints.real_vector, constraints.complex

    def __call__(self, x):
        x = np.asarray(x)
        return complex_of(x[..., 0], x[..., 1])

    def _inverse(self, y):
        return np.stack([np.real(y), np.imag(y)], -1)

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.zeros(x.shape[:-1], x.dtype)

    def forward_shape(self, shape):
        return tuple(shape[:-1])

    def inverse_shape(self, shape):
        return (*shape, 2)


@biject_to.register(constraints.Cat)
def _(constraint):
    parts, dim = [biject_to(c) for c in constraint.parts], constraint.dim
    rest = (1,) * (constraint.event_dim - 1)
    at = len(rest) + 1 + dim
    lengths = [t.inverse_shape((*rest[:at], n, *rest[at:]))[dim] for t, n in zip(parts, constraint.lengths)]
    return CatTransform(parts, dim, lengths)


biject_to.register(constraints.Stack, lambda c: StackTransform([biject_to(part) for part in c.parts], c.dim))
biject_to.register(constraints.complex, lambda c: ComplexTransform())
