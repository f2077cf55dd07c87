"""Running sums and products."""
from ..avals import canonical_axis
from ..errors import ShapeError
from ..ops import reduce as rd
from ..ops.shaping import concatenate
from ..ops.structural import asvalue, cast, full, reshape
from .direct import at_once, known, no_out
from .reductions import sum_dtype


def _along(x, axis):
    x = asvalue(x)
    return (reshape(x, (-1,)), 0) if axis is None else (x, canonical_axis(axis, x.ndim))


def cumsum(a, axis=None, dtype=None, out=None):
    """Running sums along an axis (of the flattened array unless given)."""
    no_out(out)
    if dtype is None and (v := known(a)) is not None:
        y = at_once(v.cumsum, axis)
        if y is not None:
            return y
    x, axis = _along(a, axis)
    return rd.cumsum(cast(x, sum_dtype(x, dtype)), axis)


def cumprod(a, axis=None, dtype=None, out=None):
    """Running products along an axis."""
    no_out(out)
    if dtype is None and (v := known(a)) is not None:
        y = at_once(v.cumprod, axis)
        if y is not None:
            return y
    x, axis = _along(a, axis)
    return rd.cumprod(cast(x, sum_dtype(x, dtype)), axis)


def _with_initial(f, first):
    def running(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
        no_out(out)
        x = asvalue(x)
        if axis is None:
            if x.ndim != 1:
                raise ShapeError(f"{running.__name__} of an array with {x.ndim} dimensions needs axis=.")
            axis = 0
        axis = canonical_axis(axis, x.ndim)
        y = f(x, axis, dtype)
        if include_initial:
            start = full([1 if i == axis else n for i, n in enumerate(y.shape)], first, y.dtype)
            y = concatenate([start, y], axis)
        return y
    return running


cumulative_sum, cumulative_prod = _with_initial(cumsum, 0), _with_initial(cumprod, 1)
for _f, _name, _what in ((cumulative_sum, "cumulative_sum", "sums"), (cumulative_prod, "cumulative_prod", "products")):
    _f.__name__ = _f.__qualname__ = _name
    _f.__doc__ = f"Running {_what} along an axis, with those of no elements before them if `include_initial`."
