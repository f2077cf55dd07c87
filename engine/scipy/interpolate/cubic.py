"""Cubic interpolation of values alone: splines, and the local rules of Fritsch & Butland and of Akima."""
import numpy as _np

from ...errors import ShapeError
from ...numpy.linalg import solve
from ...ops.elementwise import abs, bitwise_and, bitwise_or, eq, gt, ne, sign, where
from ...ops.reduce import reduce_max_p
from ...ops.shaping import concatenate
from ...ops.structural import asvalue, broadcast_to, cast, full, reshape
from ...ops.tridiagonal import tridiagonal_solve
from ...tree import register_pytree_node_class
from .piecewise import PPoly, hermite, samples


def _column(v, like):
    return reshape(v, (-1, *(1,) * (like.ndim - 1)))


# ---- splines ----

_KNOWN = ("not-a-knot", "natural", "clamped", "periodic")


def _conditions(bc_type, rest):
    """(order, value) of the derivative at both ends, or "not-a-knot"."""
    if isinstance(bc_type, str):
        bc_type = (bc_type, bc_type)
    out = []
    for bc in bc_type:
        if isinstance(bc, str) and bc in _KNOWN:
            bc = {"natural": (2, 0.0), "clamped": (1, 0.0)}.get(bc, bc)
        elif isinstance(bc, str) or len(bc) != 2 or bc[0] not in (1, 2):
            raise ShapeError(f"CubicSpline: bc_type={bc!r}; it is one of {', '.join(_KNOWN)}, or (order, value) of the "
                             "first or second derivative, for both ends or for each.")
        out.append(bc)
    if "periodic" in out and out != ["periodic", "periodic"]:
        raise ShapeError('CubicSpline: "periodic" is a condition for both ends.')
    return out


def _end_row(h, slope, bc, dtype):
    """(diagonal, neighbour, right side) of the equation at an end; h and slope count from that end."""
    if bc == "not-a-knot":
        both = h[0] + h[1]
        right = ((h[0] + 2 * both) * h[1] * slope[0] + h[0] * h[0] * slope[1]) / both
        return h[1], both, right
    order, value = bc
    value = broadcast_to(asvalue(value, dtype), slope.shape[1:])
    one = full((), 1, h.dtype)
    if order == 1:
        return one, one * 0, value
    return 2 * one, one, 3 * slope[0] - 0.5 * value * h[0]


def _slopes(x, y, bc_type):
    """The slopes at x of the spline through y [n, …]: two continuous derivatives, and a condition at each end.

    Source: de Boor, A practical guide to splines, chapter IV.
    """
    n, h = x.shape[0], x[1:] - x[:-1]
    slope = (y[1:] - y[:-1]) / _column(h, y)
    start, end = _conditions(bc_type, y.shape[1:])
    if start == "periodic":
        return _periodic_slopes(h, slope)
    if n == 2:                                           # no inner place: not-a-knot is the straight line
        start, end = ((1, slope[0]) if bc == "not-a-knot" else bc for bc in (start, end))
    elif n == 3 and start == end == "not-a-knot":        # one parabola
        curve = (slope[1] - slope[0]) / (h[0] + h[1])
        return concatenate([reshape(v, (1, *v.shape)) for v in (
            slope[0] - curve * h[0], slope[0] + curve * h[0], slope[1] + curve * h[1])])
    first, beside_first, right_first = _end_row(h, slope, start, y.dtype)
    back_h, back_slope = -h[::-1], slope[::-1]           # the same from the other end: all signs of h turned
    last, beside_last, right_last = _end_row(back_h, back_slope, end, y.dtype)
    a, b = h[:-1], h[1:]
    right = 3 * (_column(b, y) * slope[:-1] + _column(a, y) * slope[1:])
    diagonal = _joined(first, 2 * (a + b), last)
    above = _joined(beside_first, a, full((), 0, x.dtype))
    below = _joined(full((), 0, x.dtype), b, beside_last)
    right = concatenate([reshape(right_first, (1, *y.shape[1:])), right, reshape(right_last, (1, *y.shape[1:]))])
    rows = [cast(v, y.dtype) for v in (below, diagonal, above)]
    return reshape(tridiagonal_solve(*rows, reshape(right, (n, -1))), y.shape)


def _joined(first, middle, last):
    return concatenate([reshape(first, (1,)), middle, reshape(last, (1,))])


def _periodic_slopes(h, slope):
    """The equations of all places go round; the last place is the first."""
    m = h.shape[0]
    before_h = concatenate([h[-1:], h[:-1]])
    before = concatenate([slope[-1:], slope[:-1]])
    eye = _np.eye(m, dtype=h.dtype)
    left, right = _np.roll(eye, -1, 1), _np.roll(eye, 1, 1)
    matrix = (2 * (before_h + h))[:, None] * eye + h[:, None] * left + before_h[:, None] * right
    side = 3 * (_column(h, slope) * before + _column(before_h, slope) * slope)
    d = reshape(solve(cast(matrix, side.dtype), reshape(side, (m, -1))), slope.shape)
    return concatenate([d, d[:1]])


@register_pytree_node_class
class CubicSpline(PPoly):
    """The cubic pieces through y with two continuous derivatives.   x : real[n], ascending; y : n places along axis

    bc_type : "not-a-knot" (the outer two pieces are one), "natural" (no second derivative at the ends), "clamped" (no
    first), "periodic", or (order, value) of a derivative; for both ends, or a pair

    >>> float(CubicSpline([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 8.0, 27.0])(1.5).round(12))
    3.375
    """

    def __init__(self, x, y, axis=0, bc_type="not-a-knot", extrapolate=None):
        x, y, axis = samples("CubicSpline", x, y, axis)
        if extrapolate is None and isinstance(bc_type, str) and bc_type == "periodic":
            extrapolate = "periodic"
        super().__init__(hermite(x, y, _slopes(x, y, bc_type)), x, extrapolate, axis)


# ---- local rules ----

def _monotone_end(h0, h1, m0, m1):
    """The three-point slope at an end, kept within what leaves the piece monotone."""
    d = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    zero = full((), 0, d.dtype)
    d = where(ne(sign(d), sign(m0)), zero, d)
    return where(bitwise_and(ne(sign(m0), sign(m1)), gt(abs(d), 3 * abs(m0))), 3 * m0, d)


@register_pytree_node_class
class PchipInterpolator(PPoly):
    """Cubic pieces that are monotone where y is: slopes are harmonic means of the neighbouring ones.

    x : real[n], ascending; y : n places along axis. Source: Fritsch & Butland (1984), equations 5 and 6.
    """

    def __init__(self, x, y, axis=0, extrapolate=None):
        x, y, axis = samples("PchipInterpolator", x, y, axis)
        super().__init__(hermite(x, y, self._rule(x, y)), x, extrapolate, axis)

    @staticmethod
    def _rule(x, y):
        h = _column(x[1:] - x[:-1], y)
        m = (y[1:] - y[:-1]) / h
        if x.shape[0] == 2:
            return concatenate([m, m])
        a, b, u, v = h[:-1], h[1:], m[:-1], m[1:]
        flat = bitwise_or(ne(sign(u), sign(v)), bitwise_or(eq(u, 0), eq(v, 0)))
        one = full((), 1, y.dtype)
        u, v = where(flat, one, u), where(flat, one, v)
        w, z = 2 * b + a, b + 2 * a
        inner = where(flat, full((), 0, y.dtype), (w + z) / (w / u + z / v))
        ends = [_monotone_end(h[0], h[1], m[0], m[1]), _monotone_end(h[-1], h[-2], m[-1], m[-2])]
        return concatenate([reshape(ends[0], (1, *y.shape[1:])), inner, reshape(ends[1], (1, *y.shape[1:]))])


@register_pytree_node_class
class Akima1DInterpolator(PPoly):
    """Cubic pieces whose slopes are means of neighbouring ones, weighed so that a flat piece stays flat.

    method : "akima" or "makima", which has less overshoot. Source: Akima (1970), J. ACM 17, equation 1.
    """

    def __init__(self, x, y, axis=0, *, method="akima", extrapolate=None):
        if method not in ("akima", "makima"):
            raise ShapeError(f'Akima1DInterpolator: method={method!r}; it is "akima" or "makima".')
        x, y, axis = samples("Akima1DInterpolator", x, y, axis)
        c = hermite(x, y, self._rule(x, y, method))
        super().__init__(c, x, False if extrapolate is None else extrapolate, axis)

    @staticmethod
    def _rule(x, y, method):
        inner = (y[1:] - y[:-1]) / _column(x[1:] - x[:-1], y)
        if x.shape[0] == 2:
            return concatenate([inner, inner])
        left = 2 * inner[:1] - inner[1:2]
        right = 2 * inner[-1:] - inner[-2:-1]
        m = concatenate([2 * left - inner[:1], left, inner, right, 2 * right - inner[-1:]])
        jump = abs(m[1:] - m[:-1])
        if method == "makima":
            jump = jump + abs(m[1:] + m[:-1]) * 0.5
        one, two = jump[2:], jump[:-2]
        both = one + two
        top = reduce_max_p.bind(both, axes=tuple(range(both.ndim)))
        weighed = gt(both, 1e-9 * top)
        safe = where(weighed, both, full((), 1, both.dtype))
        mean = 0.5 * (m[3:] + m[:-3])
        return where(weighed, m[1:-2] + two / safe * (m[2:-1] - m[1:-2]), mean)
