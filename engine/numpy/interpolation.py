"""Piecewise linear interpolation of one variable."""
import numpy as _np

from ..errors import DtypeError, ShapeError
from ..ops.arithmetic import remainder
from ..ops.complexes import complex_p, imag, real
from ..ops.elementwise import eq, gt, isnan, lt, maximum, minimum, where
from ..ops.index import gather_nd
from ..ops.shaping import concatenate
from ..ops.sort import argsort, searchsorted_p
from ..ops.structural import asvalue, cast, full, promote, promote_inexact, reshape
from .direct import by_numpy


def interval(grid, x):
    """The i with grid[i] <= x < grid[i + 1], from 0 to n - 2: the first or last interval for what is outside.

    grid : real[n], ascending, n >= 2      x : real[...] -> int64[...]
    """
    place = reshape(searchsorted_p.bind(*promote(grid, reshape(x, (-1,))), side="right"), x.shape) - 1
    return maximum(minimum(place, grid.shape[0] - 2), 0)


def _periodic(x, xp, fp, period):
    """The points within one period, in order, with one more at either end."""
    period = asvalue(period)
    if period.ndim == 0 and hasattr(period, "value") and period.value == 0:
        raise ShapeError("interp: the period must not be 0.")
    period = cast(abs(period), x.dtype)
    x, xp = remainder(x, period), remainder(xp, period)
    order = argsort(xp, 0)
    xp, fp = gather_nd(xp, [order]), gather_nd(fp, [order])
    return x, concatenate([xp[-1:] - period, xp, xp[:1] + period]), concatenate([fp[-1:], fp, fp[:1]])


def interp(x, xp, fp, left=None, right=None, period=None):
    """The piecewise linear function through the points (xp, fp), at x; differentiable in x, xp and fp.

    x : real[...]      xp : real[n], ascending      fp : real[n] or complex[n]
    left, right : the values before xp[0] and after xp[-1]; those of the first and last point unless given
    period : x and xp are taken modulo this, xp need not be ascending, left and right have no effect

    Where x meets a point the derivative is that of the interval to the right. Of float32 arguments the result is
    float32 (NumPy's is always float64).

    >>> interp(2.5, [1.0, 2.0, 3.0], [3.0, 2.0, 0.0]).tolist()
    1.0
    """
    x, xp = promote_inexact(asvalue(x), asvalue(xp))
    fp = promote_inexact(asvalue(fp))[0]
    if xp.dtype.kind == "c":
        raise DtypeError("interp takes real x and xp; the values fp may be complex.")
    if xp.ndim != 1 or fp.shape != xp.shape or not xp.size:
        raise ShapeError(f"interp takes xp and fp as vectors of one length, not empty; got shapes {xp.shape} and "
                         f"{fp.shape}.")
    if fp.dtype.kind != "c":
        x, xp, fp = promote(x, xp, fp)
    if period != 0 if isinstance(period, (int, float)) else period is None:
        found = by_numpy(_np.interp, x, xp, fp, left, right, period)
        if found is not None:
            return cast(found, fp.dtype)
    if period is not None:
        x, xp, fp = _periodic(x, xp, fp, period)
    if fp.dtype.kind == "c":                             # part by part
        ends = [(part(left), part(right)) for part in (_real, _imag)]
        return complex_p.bind(*[interp(x, xp, part, *end) for part, end in zip((real(fp), imag(fp)), ends)])
    first, last = (fp[0] if left is None or period is not None else cast(asvalue(left), fp.dtype),
                   fp[-1] if right is None or period is not None else cast(asvalue(right), fp.dtype))
    inside = _between(x, xp, fp) if xp.shape[0] > 1 else fp[0]
    return where(lt(x, xp[0]), first, where(gt(x, xp[-1]), last, inside))


def _real(end):
    return end if end is None else real(end)


def _imag(end):
    return end if end is None else imag(end)


def _between(x, xp, fp):
    """From the left end of the interval, or from the right one where that gives no number, as NumPy does."""
    i = interval(xp, x)
    x0, x1, y0, y1 = gather_nd(xp, [i]), gather_nd(xp, [i + 1]), gather_nd(fp, [i]), gather_nd(fp, [i + 1])
    slope = (y1 - y0) / where(eq(x1, x0), _np.ones((), x.dtype), x1 - x0)
    from_left, from_right = slope * (x - x0) + y0, slope * (x - x1) + y1
    out = where(eq(x, x1), from_right, from_left)        # both ends exactly
    at_end = where(eq(x, x1), y1, where(eq(x, x0), y0, where(eq(y0, y1), y0, full((), _np.nan, fp.dtype))))
    return where(isnan(out), where(isnan(from_right), at_end, from_right), out)
