"""Interpolation on a rectangular grid in any number of dimensions."""
import itertools

import numpy as _np

from ...array import Array
from ...errors import ShapeError
from ...numpy.interpolation import interval
from ...ops.elementwise import bitwise_or, gt, isnan, le, lt, where
from ...ops.index import gather_nd
from ...ops.structural import asvalue, broadcast_to, full, promote_inexact, reshape
from ...tree import register_pytree_node_class


@register_pytree_node_class
class RegularGridInterpolator:
    """The function through values on a grid, linear in each variable between its neighbours, or that of the nearest
    point.

    points : d × real[n_i], each ascending, n_i >= 2      values : number[n_1, …, n_d, …]      method : "linear",
    "nearest"      bounds_error : raise for places outside of the grid, where they are known; those that are traced get
    nan, since nothing can be raised for them      fill_value : the value outside with bounds_error=False; None goes on
    beyond the edge

    Called with places real[..., d], or d arrays that broadcast; differentiable in places, values and points. A tree, so
    that it can go through jit, grad and vmap.

    >>> f = RegularGridInterpolator(([0.0, 1.0], [0.0, 2.0]), [[0.0, 2.0], [10.0, 12.0]])
    >>> f([[0.5, 1.0]]).tolist()
    [6.0]
    """

    def __init__(self, points, values, method="linear", bounds_error=True, fill_value=_np.nan):
        if method not in ("linear", "nearest"):
            raise ShapeError(f'RegularGridInterpolator: method={method!r}; it is "linear" or "nearest".')
        values = promote_inexact(asvalue(values))[0]
        grid = tuple([promote_inexact(asvalue(p))[0] for p in points])
        if len(grid) > values.ndim or any(g.ndim != 1 or g.shape[0] != n or n < 2
                                          for g, n in zip(grid, values.shape)):
            raise ShapeError(f"RegularGridInterpolator: points of shapes {[g.shape for g in grid]} for values of shape "
                             f"{values.shape}: give one vector, as long as the axis and of 2 or more, for each axis.")
        for g in grid:
            if isinstance(g, Array) and not (_np.diff(g.value) > 0).all():
                raise ShapeError("RegularGridInterpolator: the points of an axis must be ascending.")
        self.grid, self.values = grid, values
        self.method, self.bounds_error, self.fill_value = method, bounds_error, fill_value

    def tree_flatten(self):
        return (self.grid, self.values), (self.method, self.bounds_error, self.fill_value)

    @classmethod
    def tree_unflatten(cls, facts, children):
        self = object.__new__(cls)
        self.grid, self.values = children
        self.method, self.bounds_error, self.fill_value = facts
        return self

    def __call__(self, xi, method=None):
        """The values at places xi, [...] + the axes of the values that are not on the grid."""
        method = self.method if method is None else method
        xs = self._places(xi)
        shape = xs[0].shape
        axes, outside = [], None
        for g, x in zip(self.grid, xs):
            i = interval(g, x)
            x0, x1 = gather_nd(g, [i]), gather_nd(g, [i + 1])
            t = (x - x0) / (x1 - x0)
            axes.append([(i, 1 - t), (i + 1, t)] if method == "linear" else [(where(le(t, 0.5), i, i + 1), None)])
            out = bitwise_or(lt(x, g[0]), gt(x, g[-1]))
            outside = out if outside is None else bitwise_or(outside, out)
        if self.bounds_error and isinstance(outside, Array) and outside.value.any():
            raise ShapeError(f"RegularGridInterpolator: {int(outside.value.sum())} of {outside.size} places are "
                             "outside of the grid.\nWith bounds_error=False they get fill_value, and with "
                             "fill_value=None the interpolation goes on.")
        rest = self.values.shape[len(self.grid):]
        lone = (1,) * len(rest)
        total = None
        for corner in itertools.product(*axes):
            part = gather_nd(self.values, [i for i, _ in corner])
            for _, weight in corner:
                part = part if weight is None else part * reshape(weight, (*shape, *lone))
            total = part if total is None else total + part
        bad, nothing = None, full((), _np.nan, total.dtype)
        for x in xs:                                     # nan stays nan, also for the nearest
            bad = isnan(x) if bad is None else bitwise_or(bad, isnan(x))
        if self.bounds_error or self.fill_value is not None:
            fill = nothing if self.bounds_error else _np.asarray(self.fill_value).astype(total.dtype)
            total = where(reshape(outside, (*shape, *lone)), fill, total)
        return where(reshape(bad, (*shape, *lone)), nothing, total)

    def _places(self, xi):
        d = len(self.grid)
        if isinstance(xi, tuple):
            xs = [promote_inexact(asvalue(x))[0] for x in xi]
            shape = _np.broadcast_shapes(*[x.shape for x in xs])
            xs = [broadcast_to(x, shape) for x in xs]
        else:
            xi = promote_inexact(asvalue(xi))[0]
            if d == 1 and (not xi.ndim or xi.shape[-1] != 1):
                xi = xi[..., None]
            xs = [xi[..., i] for i in range(xi.shape[-1])]
        if len(xs) != d:
            raise ShapeError(f"RegularGridInterpolator in {d} dimensions got places with {len(xs)} coordinates.")
        return xs


def interpn(points, values, xi, method="linear", bounds_error=True, fill_value=_np.nan):
    """RegularGridInterpolator(points, values, …)(xi)."""
    return RegularGridInterpolator(points, values, method, bounds_error, fill_value)(xi)
