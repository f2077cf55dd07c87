"""SciPy's rules of integration for sampled functions."""
import numpy as _np

from ..avals import canonical_axis
from ..errors import ShapeError
from ..numpy.differences import trapezoid as _trapezoid
from ..ops.elementwise import eq, where
from ..ops.reduce import cumsum
from ..ops.shaping import concatenate, slice_axis
from ..ops.structural import asvalue, broadcast_to, moveaxis, promote_inexact, reduce_sum, reshape

__all__ = ["cumulative_simpson", "cumulative_trapezoid", "simpson", "trapezoid"]


def trapezoid(y, x=None, dx=1.0, axis=-1):
    """Σ (y_i + y_{i+1}) / 2 (x_{i+1} - x_i) along an axis.   x : of y's shape or a vector; dx : the spacing without x
    """
    return _trapezoid(y, x, dx, axis)


def _samples(name, y, x, dx, axis):
    """(y with the axis last, the spacings as an array that broadcasts to it, or a scalar)."""
    y = promote_inexact(asvalue(y))[0]
    axis = canonical_axis(axis, y.ndim)
    if x is None:
        y, dx = promote_inexact(y, asvalue(dx))
        return moveaxis(y, axis, -1), dx, axis
    y, x = promote_inexact(y, asvalue(x))
    if x.ndim == 1:
        x = reshape(x, [-1 if i == axis else 1 for i in range(y.ndim)])
    if x.ndim != y.ndim or x.shape[axis] != y.shape[axis]:
        raise ShapeError(f"{name}: x of shape {x.shape} for y of shape {y.shape}: it has y's shape, or is a vector "
                         f"along axis {axis}.")
    y, x = moveaxis(y, axis, -1), moveaxis(x, axis, -1)
    return y, x[..., 1:] - x[..., :-1], axis


def cumulative_trapezoid(y, x=None, dx=1.0, axis=-1, initial=None):
    """Running integrals by the trapezoidal rule, one fewer than samples; `initial` (0) is put in front.

    >>> cumulative_trapezoid([0.0, 1.0, 2.0], initial=0).tolist()
    [0.0, 0.5, 2.0]
    """
    y, h, axis = _samples("cumulative_trapezoid", y, x, dx, axis)
    if not y.shape[-1]:
        raise ShapeError(f"cumulative_trapezoid of no samples: y has shape {y.shape}.")
    return _led(cumsum((y[..., 1:] + y[..., :-1]) * (h * 0.5), y.ndim - 1), initial, axis)


def _led(out, initial, axis):
    if initial is not None:
        first = broadcast_to(asvalue(initial, out.dtype), (*out.shape[:-1], 1))
        out = concatenate([first, out], out.ndim - 1)
    return moveaxis(out, -1, axis)


def _at(h, start, stop):
    """Every second spacing; a common one stays."""
    return slice_axis(h, start, stop, h.ndim - 1, 2) if h.ndim else h


def _ratio(a, b):
    """a / b, and 0 for b = 0 as in SciPy."""
    none = eq(b, 0)
    return where(none, _np.zeros((), a.dtype), a / where(none, _np.ones((), b.dtype), b))


def simpson(y, x=None, dx=1.0, axis=-1):
    """The integral by Simpson's rule for any spacing; for an even number of samples the last interval gets the parabola
    through the last three.

    Source: Cartwright (2017), Simpson's rule cumulative integration with MS Excel and irregularly-spaced data.

    >>> float(simpson([0.0, 1.0, 4.0]).round(12))
    2.666666666667
    """
    y, h, axis = _samples("simpson", y, x, dx, axis)
    n = y.shape[-1]
    if n == 0:
        raise ShapeError(f"simpson of no samples: y has shape {y.shape}.")
    if n <= 2:
        return reduce_sum((y[..., 1:] + y[..., :-1]) * (h * 0.5), (y.ndim - 1,))
    m = n if n % 2 else n - 1                            # samples of the whole parabolas
    h0, h1 = _at(h, 0, m - 1), _at(h, 1, m - 1)
    both = h0 + h1
    parts = (both / 6) * (slice_axis(y, 0, m - 2, y.ndim - 1, 2) * (2 - _ratio(h1, h0))
                          + slice_axis(y, 1, m - 1, y.ndim - 1, 2) * (both * _ratio(both, h0 * h1))
                          + slice_axis(y, 2, m, y.ndim - 1, 2) * (2 - _ratio(h0, h1)))
    out = reduce_sum(parts, (y.ndim - 1,))
    if n % 2:
        return out
    a, b = (h[..., -2], h[..., -1]) if h.ndim else (h, h)
    alpha = _ratio(2 * b * b + 3 * a * b, 6 * (a + b))
    beta = _ratio(b * b + 3 * a * b, 6 * a)
    eta = _ratio(b * b * b, 6 * a * (a + b))
    return out + alpha * y[..., -1] + beta * y[..., -2] - eta * y[..., -3]


def cumulative_simpson(y, *, x=None, dx=1.0, axis=-1, initial=None):
    """Running integrals by parabolas through three neighbours, each on the interval to its left and its right in turn.

    Source: Cartwright (2017), equations 8 and 10.
    """
    y, h, axis = _samples("cumulative_simpson", y, x, dx, axis)
    n, last = y.shape[-1], y.ndim - 1
    if n < 3:
        return _led(cumsum((y[..., 1:] + y[..., :-1]) * (h * 0.5), last), initial, axis)
    h = broadcast_to(h, (*y.shape[:-1], n - 1))
    first = _first_halves(y, h)                          # ∫ over the left of the two intervals of each parabola
    second = _first_halves(y[..., ::-1], h[..., ::-1])[..., ::-1]
    pieces = [first[..., 0::2], second[..., 0::2]]
    even = (n - 1) // 2 * 2
    woven = concatenate([p[..., :even // 2, None] for p in pieces], last + 1).reshape((*y.shape[:-1], even))
    if n % 2 == 0:
        woven = concatenate([woven, second[..., -1:]], last)
    return _led(cumsum(woven, last), initial, axis)


def _first_halves(y, h):
    """The integral over [x_i, x_{i+1}] of the parabola through the samples i, i + 1, i + 2."""
    a, b = h[..., :-1], h[..., 1:]
    r, q = a / (a + b), a / b
    return a / 6 * ((3 - r) * y[..., :-2] + (3 + q * r + r) * y[..., 1:-1] - q * r * y[..., 2:])
