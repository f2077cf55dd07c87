"""Counting and comparing: elements that are not zero, how often values occur, whether arrays are equal."""
import numpy as _np

from ..avals import canonical_axes
from ..ops import structural as st
from ..ops.elementwise import ne
from ..ops.index import scatter_nd
from ..ops.reduce import reduce_and_p
from ..ops.structural import asvalue, cast, reduce_sum, reshape

_INT = _np.dtype("int64")


def count_nonzero(x, axis=None, keepdims=False):
    """The number of elements that are not zero."""
    x = asvalue(x)
    axes = canonical_axes(axis, x.ndim)
    out = reduce_sum(cast(ne(x, _np.zeros((), x.dtype)), _INT), axes)
    return reshape(out, [1 if i in axes else n for i, n in enumerate(x.shape)]) if keepdims else out


def bincount(x, weights=None, minlength=0, length=None):
    """How often each integer occurs (or its weights' sum); `length` fixes the size where x is traced."""
    x = asvalue(x)
    if length is None:
        known = x.concrete("the largest element")
        length = max(int(known.max()) + 1 if known.size else 0, minlength)
    w = asvalue(1 if weights is None else weights)
    start = st.full((length,), 0, w.dtype)
    return scatter_nd(start, [x], st.broadcast_to(w, x.shape), "add")


def array_equal(a, b):
    """Whether two arrays have one shape and equal elements."""
    a, b = asvalue(a), asvalue(b)
    return reduce_and_p.bind(a == b, axes=tuple(range(a.ndim))) if a.shape == b.shape else asvalue(False)
