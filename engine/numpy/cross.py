"""The cross product."""
import warnings

from ..avals import broadcast_shapes
from ..errors import ShapeError
from ..indexing import getitem
from ..ops.structural import asvalue, broadcast_to, moveaxis, promote, stack_values


def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """a × b of vectors with three components along an axis; of plane vectors the third component alone.

    a, b : [..., 3] or [..., 2], the vectors along `axisa` and `axisb`; those of the result are along `axisc`, and
    `axis` names all three.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = promote(asvalue(a), asvalue(b))
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"cross takes vectors; got arrays of shapes {a.shape} and {b.shape}.")
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    n, m = a.shape[-1], b.shape[-1]
    if n not in (2, 3) or m not in (2, 3):
        raise ShapeError(f"cross takes vectors with two or three components; got {n} and {m}, of arrays of shapes "
                         f"{a.shape} and {b.shape}.\nName the axis of the components with axis=.")
    if n == 2 or m == 2:
        warnings.warn("cross of vectors with two components is deprecated in NumPy; give them a third one, 0.",
                      DeprecationWarning, stacklevel=2)
    x, y = [[getitem(v, (..., i)) for i in range(v.shape[-1])] for v in (a, b)]
    third = x[0] * y[1] - x[1] * y[0]
    if n == m == 2:
        return third
    zero = (x[0] * y[0]) * 0
    first = (x[1] * y[2] if m == 3 else zero) - (x[2] * y[1] if n == 3 else zero)
    second = (x[2] * y[0] if n == 3 else zero) - (x[0] * y[2] if m == 3 else zero)
    shape = broadcast_shapes(first.shape, third.shape)
    parts = stack_values([broadcast_to(p, shape) for p in (first, second, third)])
    return moveaxis(parts, 0, axisc)
