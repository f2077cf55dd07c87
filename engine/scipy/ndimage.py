"""SciPy's interpolation of images at any places: map_coordinates of order 0 and 1."""
import itertools

import numpy as _np

from ..avals import broadcast_shapes, is_inexact, to_inexact_dtype
from ..errors import ShapeError
from ..ops.elementwise import bitwise_and, bitwise_or, eq, floor, gt, le, lt, maximum, minimum, trunc, where
from ..ops.elementwise import sign as _sign
from ..ops.index import gather_nd
from ..ops.structural import asvalue, broadcast_to, cast, full

__all__ = ["map_coordinates"]

_INT = _np.dtype("int64")


def _remainder(i, n):
    """i modulo n > 0, from 0 to n - 1, of floats."""
    return i - floor(i / n) * n


def _clipped(i, n):
    return minimum(maximum(i, 0), n - 1)


def _mirrored(i, n):
    """… 2 1 | 0 1 2 … n-1 | n-2 …, of period 2 (n - 1)."""
    if n == 1:
        return i * 0
    i = _remainder(i, 2 * (n - 1))
    return where(gt(i, n - 1), 2 * (n - 1) - i, i)


def _reflected(i, n):
    """… 1 0 | 0 1 … n-1 | n-1 …, of period 2 n."""
    i = _remainder(i, 2 * n)
    return where(gt(i, n - 1), 2 * n - 1 - i, i)


_PLACES = {"constant": _clipped, "grid-constant": _clipped, "nearest": _clipped, "mirror": _mirrored,
           "reflect": _reflected, "grid-mirror": _reflected, "grid-wrap": _remainder, "wrap": _clipped}


def map_coordinates(input, coordinates, order=1, mode="constant", cval=0.0):
    """The image at any places, by the nearest element (order 0) or linearly in each axis (order 1).

    input : number[n_1, …, n_d]      coordinates : d × real[...], or real[d, ...]; differentiable in both for order 1
    mode : what stands outside. "constant": cval beyond the outer elements; "grid-constant": the image among elements
    cval; "nearest": the outer element; "mirror": about it; "reflect" ("grid-mirror"): about the edge half a place
    further; "grid-wrap": the image again; "wrap": the same with the outer elements on each other

    >>> map_coordinates([0.0, 10.0, 20.0], [[0.5, 1.25]]).tolist()
    [5.0, 12.5]
    """
    image = asvalue(input)
    places = [asvalue(c) for c in coordinates] if isinstance(coordinates, (tuple, list)) else list(
        asvalue(coordinates))
    if len(places) != image.ndim or not image.ndim:
        raise ShapeError(f"map_coordinates of an image with {image.ndim} axes takes as many coordinates; got "
                         f"{len(places)}.")
    if order not in (0, 1):
        raise ShapeError(f"map_coordinates: order={order!r}; it is 0 (nearest) or 1 (linear).")
    if mode not in _PLACES:
        raise ShapeError(f"map_coordinates: mode={mode!r}; it is one of {', '.join(_PLACES)}.")
    shape = broadcast_shapes(*[p.shape for p in places])
    real = to_inexact_dtype(image.dtype)
    real = _np.dtype(f"f{real.itemsize // 2}") if real.kind == "c" else real
    axes, outside = [], None
    for n, x in zip(image.shape, places):
        x = cast(x, to_inexact_dtype(x.dtype))
        if mode == "wrap" and n > 1:
            turned = _remainder(x, n - 1)
            x = where(lt(x, 0), where(eq(turned, 0), n - 1.0, turned), where(gt(x, n - 1), turned, x))
        axes.append(_neighbours(x, n, order, mode, real))
        if mode == "constant":
            out = bitwise_or(lt(x, 0), gt(x, n - 1))
            outside = out if outside is None else bitwise_or(outside, out)
    total = None
    for corner in itertools.product(*axes):
        index, weights, inside = zip(*corner)
        value = broadcast_to(gather_nd(image, [cast(i, _INT) for i in index]), shape)
        value = value if is_inexact(image.dtype) else cast(value, real)
        known = None
        for i in inside:
            known = i if known is None else known if i is None else bitwise_and(known, i)
        if known is not None:
            value = where(known, value, _np.asarray(cval).astype(value.dtype))
        for w in weights:
            value = value if w is None else value * w
        total = value if total is None else total + value
    if outside is not None:
        total = where(outside, full((), cval, total.dtype), total)
    if is_inexact(image.dtype):
        return total
    return cast(trunc(total + 0.5 * _sign(total)), image.dtype)


def _neighbours(x, n, order, mode, real):
    """(place, weight, whether it is in the image) of the elements that x lies between."""
    low = floor(x + 0.5) if order == 0 else floor(x)
    found = []
    for i, weight in ([(low, None)] if order == 0 else [(low, 1 - (x - low)), (low + 1, x - low)]):
        inside = bitwise_and(le(0, i), le(i, n - 1)) if mode == "grid-constant" else None
        found.append((_PLACES[mode](i, n), None if weight is None else cast(weight, real), inside))
    return found
