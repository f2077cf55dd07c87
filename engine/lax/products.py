"""Products of arrays over shared axes, by JAX's names."""
import enum

import numpy as _np

from ..avals import canonical_axis
from ..errors import ShapeError
from ..ops import dot as _dot
from ..ops.structural import asvalue, cast, promote


class Precision(enum.Enum):
    """Accepted where JAX has it; products here are always of full precision."""
    DEFAULT = 0
    HIGH = 1
    HIGHEST = 2


def dot_general(lhs, rhs, dimension_numbers, precision=None, preferred_element_type=None):
    """Σ over contracted axes, element by element over batch axes.

    dimension_numbers : ((contracted of lhs, of rhs), (batch of lhs, of rhs)); the result has axes: batch, rest of lhs,
    rest of rhs
    """
    a, b = promote(asvalue(lhs), asvalue(rhs))
    if preferred_element_type is not None:
        a, b = cast(a, _np.dtype(preferred_element_type)), cast(b, _np.dtype(preferred_element_type))
    (ca, cb), (ba, bb) = dimension_numbers
    return _dot.dot_general(a, b, ([canonical_axis(i, a.ndim) for i in ca], [canonical_axis(i, b.ndim) for i in cb]),
                            (ba, bb))


def dot(lhs, rhs, precision=None, preferred_element_type=None):
    """The product of vectors and matrices: the last axis of lhs with the first of rhs."""
    a, b = asvalue(lhs), asvalue(rhs)
    if not (1 <= a.ndim <= 2 and 1 <= b.ndim <= 2):
        raise ShapeError(f"dot takes vectors and matrices; got shapes {a.shape} and {b.shape}.\n"
                         "Use dot_general or np.matmul.")
    return dot_general(a, b, (((a.ndim - 1,), (0,)), ((), ())), precision, preferred_element_type)


def batch_matmul(lhs, rhs, precision=None):
    """The products of matrices in the last two axes, element by element over the others."""
    a, b = asvalue(lhs), asvalue(rhs)
    if a.ndim < 2 or a.ndim != b.ndim or a.shape[:-2] != b.shape[:-2]:
        raise ShapeError(f"batch_matmul takes stacks of matrices with equal leading axes; got shapes {a.shape} and "
                         f"{b.shape}.")
    lead = tuple(range(a.ndim - 2))
    return dot_general(a, b, (((a.ndim - 1,), (a.ndim - 2,)), (lead, lead)), precision)
