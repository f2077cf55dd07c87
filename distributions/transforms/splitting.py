"""One array into a list of its pieces."""
from ...engine import numpy as np
from ...engine.errors import ShapeError
from .. import constraints
from ..constraints.base import checked_axis, cut
from ..record import static
from .base import Transform


class SplitTransform(Transform):
    """One axis of an array cut into pieces: a list of arrays, as `numpy.split` gives.   log |dy/dx| = 0

    num_or_size_splits : how many pieces of one size, or the size of each      dim : the axis, from the last one (-1)

    >>> [piece.tolist() for piece in SplitTransform([1, 2])([1.0, 2.0, 3.0])]
    [[1.0], [2.0, 3.0]]
    """
    sizes: object = static()
    dim: int = static(default=-1)
    codomain = constraints.dependent

    def __init__(self, num_or_size_splits, dim=-1):
        checked_axis("SplitTransform", dim)
        count = isinstance(num_or_size_splits, int)
        super().__init__(num_or_size_splits if count else tuple(int(n) for n in num_or_size_splits), dim)

    @property
    def domain(self):
        return constraints.independent(constraints.real, -self.dim)

    def __call__(self, x):
        x = np.asarray(x)
        return cut(x, self._sizes(x.shape), self.dim)

    def _sizes(self, shape):
        if not isinstance(self.sizes, int):
            return self.sizes
        n = shape[self.dim] if len(shape) >= -self.dim else 0
        if n % self.sizes:
            raise ShapeError(f"SplitTransform: {n} elements along axis {self.dim} of shape {tuple(shape)} are no "
                             f"{self.sizes} pieces of one size; give their sizes.")
        return (n // self.sizes,) * self.sizes

    def _inverse(self, y):
        return np.concatenate(list(y), self.dim)

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.zeros(x.shape[:x.ndim + self.dim], x.dtype)

    def forward_shape(self, shape):
        """The shape of each piece, in a list."""
        at = len(shape) + self.dim
        return [(*shape[:at], n, *shape[at + 1:]) for n in self._sizes(shape)]

    def inverse_shape(self, shape):
        """Of the shapes of the pieces."""
        first, at = tuple(shape[0]), len(shape[0]) + self.dim
        return (*first[:at], sum(each[at] for each in shape), *first[at + 1:])
