"""Sorting, and searching in what is sorted."""
from ..avals import canonical_axis
from ..ops import reduce as rd
from ..ops.elementwise import lt
from ..ops.shaping import reverse
from ..ops.structural import asvalue, promote, reduce_sum, reshape


def _along(x, axis):
    x = asvalue(x)
    return (reshape(x, (-1,)), 0) if axis is None else (x, canonical_axis(axis, x.ndim))


def sort(x, axis=-1, descending=False):
    """x sorted along an axis; nan last."""
    x, axis = _along(x, axis)
    out = rd.sort(x, axis)
    return reverse(out, (axis,)) if descending else out


def argsort(x, axis=-1, descending=False, stable=True):
    """The indices that sort x along an axis; equal elements keep their order."""
    x, axis = _along(x, axis)
    return rd.argsort(-x if descending else x, axis)


def searchsorted(a, v, side="left", sorter=None):
    """Where elements v would go in the sorted vector a: the number of elements below (or not above) each."""
    a, v = promote(asvalue(a), asvalue(v))
    below = lt(a, v[..., None]) if side == "left" else a <= v[..., None]
    return reduce_sum(below.astype("int64"), (below.ndim - 1,))
