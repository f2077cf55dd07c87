"""Monotone rational quadratic splines: flexible bijections of an interval onto itself."""
import math

from ...engine import numpy as np
from ...engine.ops.elementwise import softplus
from ...engine.scipy.special import softmax
from ..record import ArrayLike, child
from .base import Transform

_UNIT_SLOPE = math.log(math.expm1(1.0))                  # softplus of it is 1


def _bin(x, knots, *tables):
    """The two ends of the bin that x is in (of the nearest one if none), in the knots and in each table."""
    right = x[..., None] >= knots[..., 1:-1]
    one = np.ones((*right.shape[:-1], 1), bool)
    here = np.logical_and(np.concatenate([one, right], -1), np.logical_not(np.concatenate([right, ~one], -1)))
    return [np.sum(np.where(here, table[..., part], 0.0), -1) for table in (knots, *tables)
            for part in (slice(None, -1), slice(1, None))]


def spline_forward(x, xs, ys, slopes):
    """(y, log dy/dx) of the spline through the knots, and of the identity (or a shift) outside of them.

    x : float[*batch]      xs, ys, slopes : float[*batch, k + 1], increasing, increasing, positive
    Source: Durkan, Bekasov, Murray & Papamakarios (2019), Neural Spline Flows, section 3.1, equations 4 and 5.
    """
    x = np.asarray(x)
    x0, x1, y0, y1, d0, d1 = _bin(x, xs, ys, slopes)
    inside = np.logical_and(x >= xs[..., 0], x <= xs[..., -1])
    width, height = x1 - x0, y1 - y0
    s = height / width
    u = np.where(inside, (x - x0) / width, 0.5)
    v = 1.0 - u
    below = s + (d1 + d0 - 2.0 * s) * u * v
    y = y0 + height * (s * u * u + d0 * u * v) / below
    slope = 2.0 * np.log(s) + np.log(d1 * u * u + 2.0 * s * u * v + d0 * v * v) - 2.0 * np.log(below)
    shift = np.where(x > xs[..., -1], ys[..., -1] - xs[..., -1], ys[..., 0] - xs[..., 0])
    return np.where(inside, y, x + shift), np.where(inside, slope, 0.0)


def spline_inverse(y, xs, ys, slopes):
    """The x that the spline takes to y: the root of a quadratic equation (equations 6 to 8 there)."""
    y = np.asarray(y)
    y0, y1, x0, x1, d0, d1 = _bin(y, ys, xs, slopes)
    inside = np.logical_and(y >= ys[..., 0], y <= ys[..., -1])
    width, height = x1 - x0, y1 - y0
    s = height / width
    rise = np.where(inside, y - y0, 0.5 * height)
    bend = rise * (d1 + d0 - 2.0 * s)
    a, b, c = height * (s - d0) + bend, height * d0 - bend, -s * rise
    root = 2.0 * c / (-b - np.sqrt(np.maximum(b * b - 4.0 * a * c, 0.0)))
    shift = np.where(y > ys[..., -1], ys[..., -1] - xs[..., -1], ys[..., 0] - xs[..., 0])
    return np.where(inside, x0 + root * width, y - shift)


def knots_of(numbers, bins, bound, least=1e-3):
    """The knots of a spline on [-bound, bound] with slope 1 at its ends, from 3 bins - 1 free numbers.

    All zeros give the identity. No bin is narrower than `least` of the whole, and no slope is below `least`.
    """
    def cumulative(z):
        share = least + (1.0 - least * bins) * softmax(z, -1)
        inner = np.cumsum(share[..., :-1], -1)
        ends = np.zeros((*share.shape[:-1], 1), share.dtype)
        return bound * (2.0 * np.concatenate([ends, inner, ends + 1.0], -1) - 1.0)
    slopes = (1.0 - least) * softplus(numbers[..., 2 * bins:] + _UNIT_SLOPE) + least
    one = np.ones((*slopes.shape[:-1], 1), slopes.dtype)
    return (cumulative(numbers[..., :bins]), cumulative(numbers[..., bins:2 * bins]),
            np.concatenate([one, slopes, one], -1))


class RationalQuadraticSplineTransform(Transform):
    """A monotone piecewise rational quadratic function through given knots, with slope 1 outside of them.

    bin_widths, bin_heights : float[*batch, k], positive      knot_slopes : float[*batch, k - 1], positive, inner knots
    range_min : where the first knot stands, on both axes
    Source: Durkan, Bekasov, Murray & Papamakarios (2019), Neural Spline Flows, section 3.1.
    """
    bin_widths: ArrayLike = child()
    bin_heights: ArrayLike = child()
    knot_slopes: ArrayLike = child()
    range_min: ArrayLike = child(default=-1.0)
    sign = 1.0

    @property
    def _knots(self):
        slopes = np.asarray(self.knot_slopes)
        one = np.ones((*slopes.shape[:-1], 1), slopes.dtype)
        return self._ends(self.bin_widths), self._ends(self.bin_heights), np.concatenate([one, slopes, one], -1)

    def _ends(self, sizes):
        sizes = np.asarray(sizes)
        start = np.zeros((*sizes.shape[:-1], 1), sizes.dtype)
        low = self.range_min if isinstance(self.range_min, float) else np.asarray(self.range_min)[..., None]
        return low + np.concatenate([start, np.cumsum(sizes, -1)], -1)

    def __call__(self, x):
        return spline_forward(x, *self._knots)[0]

    def _inverse(self, y):
        return spline_inverse(y, *self._knots)

    def log_abs_det_jacobian(self, x, y):
        return spline_forward(x, *self._knots)[1]
