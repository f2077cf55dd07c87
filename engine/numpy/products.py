"""Products of arrays: dot, matmul, tensordot and their kin. `dtype` (or preferred_element_type) is that in which a
product is computed."""
import operator

import numpy as _np

from ..avals import canonical_axis
from ..errors import ShapeError
from ..ops import shortcut
from ..ops.complexes import conj
from ..ops.dot import dot_general
from ..ops.elementwise import mul
from ..ops.structural import asvalue, broadcast_to, cast, moveaxis, promote, reduce_sum, reshape
from .diagonals import diagonal
from .direct import at_once
from .einsum import einsum as einsum
from .einsum import einsum_path as einsum_path


def _two(a, b, dtype=None):
    a, b = promote(asvalue(a), asvalue(b))
    return (a, b) if dtype is None else (cast(a, _np.dtype(dtype)), cast(b, _np.dtype(dtype)))


def matmul(a, b, /, *, dtype=None, preferred_element_type=None):
    """The matrix product over the last axis of a and the last but one of b; leading axes broadcast."""
    if dtype is None and preferred_element_type is None and (known := shortcut.pair(a, b)) is not None:
        found = at_once(_np.matmul, *known)
        if found is not None:
            return found
    a, b = _two(a, b, dtype if dtype is not None else preferred_element_type)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"matmul takes vectors and matrices; got shapes {a.shape} and {b.shape}. Use * for scalars.")
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ShapeError(f"matmul of shapes {a.shape} and {b.shape}: the sizes {a.shape[-1]} and "
                         f"{b.shape[-2 if b.ndim > 1 else 0]} that are summed over differ.")
    if b.ndim == 1:
        return dot_general(a, b, ((a.ndim - 1,), (0,)))
    if a.ndim == 1:
        return dot_general(a, b, ((0,), (b.ndim - 2,)))
    if b.ndim == 2:
        return dot_general(a, b, ((a.ndim - 1,), (0,)))
    lead = _np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = broadcast_to(a, (*lead, *a.shape[-2:])), broadcast_to(b, (*lead, *b.shape[-2:]))
    n = len(lead)
    return dot_general(a, b, ((n + 1,), (n,)), (tuple(range(n)), tuple(range(n))))


def dot(a, b, *, preferred_element_type=None):
    """NumPy's dot: the last axis of a with the last but one of b; for scalars a product."""
    a, b = _two(a, b, preferred_element_type)
    if a.ndim == 0 or b.ndim == 0:
        return mul(a, b)
    return dot_general(a, b, ((a.ndim - 1,), (max(b.ndim - 2, 0),)))


def vdot(a, b, *, preferred_element_type=None):
    """The sum of the products of all elements, those of a conjugated."""
    a, b = _two(a, b, preferred_element_type)
    return dot_general(reshape(conj(a), (-1,)), reshape(b, (-1,)), ((0,), (0,)))


def inner(a, b, *, preferred_element_type=None):
    """The sum of products over the last axes."""
    a, b = _two(a, b, preferred_element_type)
    if a.ndim == 0 or b.ndim == 0:
        return mul(a, b)
    return dot_general(a, b, ((a.ndim - 1,), (b.ndim - 1,)))


def vecdot(x1, x2, /, *, axis=-1, dtype=None, preferred_element_type=None):
    """The sum of products over one axis, x1 conjugated, others broadcast."""
    a, b = _two(x1, x2, dtype if dtype is not None else preferred_element_type)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"vecdot takes vectors; got shapes {a.shape} and {b.shape}. Use * for scalars.")
    a, b = (moveaxis(x, canonical_axis(axis, x.ndim), -1) for x in (a, b))
    if a.shape[-1] != b.shape[-1]:
        raise ShapeError(f"vecdot of shapes {x1.shape} and {x2.shape} along axis {axis}: the sizes {a.shape[-1]} and "
                         f"{b.shape[-1]} differ.")
    lead = _np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
    n, axes = len(lead), tuple(range(len(lead)))
    a, b = broadcast_to(a, (*lead, a.shape[-1])), broadcast_to(b, (*lead, b.shape[-1]))
    return dot_general(conj(a), b, ((n,), (n,)), (axes, axes))


def matvec(x1, x2, /, *, dtype=None):
    """Matrices times vectors, leading axes broadcast.   x1 : [*batch, m, n], x2 : [*batch, n]"""
    x2 = asvalue(x2)
    if x2.ndim == 0:
        raise ShapeError("matvec takes vectors [..., n]; `x2` is a scalar.")
    out = matmul(x1, x2[..., None], dtype=dtype)
    return reshape(out, out.shape[:-1])


def vecmat(x1, x2, /, *, dtype=None):
    """Vectors, conjugated, times matrices; leading axes broadcast.   x1 : [*batch, n], x2 : [*batch, n, m]"""
    x1 = asvalue(x1)
    if x1.ndim == 0:
        raise ShapeError("vecmat takes vectors [..., n]; `x1` is a scalar.")
    out = matmul(conj(x1)[..., None, :], x2, dtype=dtype)
    return reshape(out, (*out.shape[:-2], out.shape[-1]))


def outer(a, b):
    """a_i b_j of the flattened arguments."""
    a, b = _two(a, b)
    return mul(reshape(a, (-1, 1)), reshape(b, (1, -1)))


def kron(a, b):
    """The Kronecker product: blocks a[i, …] b. The shorter shape gets leading ones.   [m, …], [n, …] -> [m n, …]"""
    a, b = _two(a, b)
    rank = max(a.ndim, b.ndim)
    a = reshape(a, (*(1,) * (rank - a.ndim), *a.shape))
    b = reshape(b, (*(1,) * (rank - b.ndim), *b.shape))
    wide = mul(reshape(a, [k for n in a.shape for k in (n, 1)]), reshape(b, [k for n in b.shape for k in (1, n)]))
    return reshape(wide, [m * n for m, n in zip(a.shape, b.shape)])


def trace(a, offset=0, axis1=0, axis2=1, dtype=None):
    """The sum of a diagonal; integers narrower than int64 and booleans are summed as int64 (uint64)."""
    d = diagonal(a, offset, axis1, axis2)
    if dtype is None and d.dtype.kind in "biu":
        dtype = _np.dtype("uint64" if d.dtype.kind == "u" else "int64")
    d = d if dtype is None else cast(d, _np.dtype(dtype))
    return reduce_sum(d, (d.ndim - 1,))


def tensordot(a, b, axes=2, *, preferred_element_type=None):
    """The sum of products over `axes`: a number of axes, or a pair of lists of axes."""
    a, b = _two(a, b, preferred_element_type)
    if isinstance(axes, (int, _np.integer)):
        count = operator.index(axes)
        if not 0 <= count <= min(a.ndim, b.ndim):
            raise ShapeError(f"tensordot over {count} axes of arrays of shapes {a.shape} and {b.shape}.")
        ca, cb = tuple(range(a.ndim - count, a.ndim)), tuple(range(count))
    else:
        ca, cb = (tuple(canonical_axis(i, x.ndim) for i in ([v] if isinstance(v, (int, _np.integer)) else v))
                  for v, x in zip(axes, (a, b)))
        if len(ca) != len(cb):
            raise ShapeError(f"tensordot: axes={axes!r} names {len(ca)} axes of a and {len(cb)} of b.")
    return dot_general(a, b, (ca, cb))
