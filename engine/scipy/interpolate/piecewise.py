"""Piecewise polynomials, and the cubic ones that follow from values and slopes."""
import math

import numpy as _np

from ...array import Array
from ...avals import canonical_axis
from ...errors import ShapeError
from ...numpy.interpolation import interval
from ...ops.arithmetic import remainder
from ...ops.elementwise import bitwise_or, gt, lt, where
from ...ops.index import gather_nd
from ...ops.reduce import cumsum
from ...ops.shaping import concatenate, slice_axis
from ...ops.structural import asvalue, broadcast_to, full, moveaxis, promote_inexact, reshape, transpose
from ...tree import register_pytree_node_class


@register_pytree_node_class
class PPoly:
    """Polynomials in pieces: Σ_j c[j, i] (x - x_i)^(k-j) for x_i <= x < x_{i+1}.

    c : number[k + 1, m, …]      x : real[m + 1], ascending      extrapolate : True goes on with the outer pieces, False
    gives nan outside, "periodic" begins again      axis : where the axes of the places stand in the result

    A tree, so that it can go through jit, grad and vmap; differentiable in the places, in c and in x.

    >>> PPoly([[1.0], [0.0]], [0.0, 2.0])(0.5).tolist()
    0.5
    """

    def __init__(self, c, x, extrapolate=None, axis=0):
        c, x = promote_inexact(asvalue(c))[0], promote_inexact(asvalue(x))[0]
        if c.ndim < 2 or x.ndim != 1 or c.shape[1] != x.shape[0] - 1 or not c.shape[1]:
            raise ShapeError(f"PPoly takes c [k + 1, m, …] and x [m + 1], m >= 1; got shapes {c.shape} and {x.shape}.")
        self.c, self.x, self.extrapolate, self.axis = c, x, True if extrapolate is None else extrapolate, axis

    def tree_flatten(self):
        return (self.c, self.x), (self.extrapolate, self.axis)

    @classmethod
    def tree_unflatten(cls, facts, children):
        self = object.__new__(cls)
        self.c, self.x = children
        self.extrapolate, self.axis = facts
        return self

    def __call__(self, x, nu=0, extrapolate=None):
        """The value, or the nu-th derivative (the -nu-th antiderivative), at places x."""
        if nu:
            return (self.derivative(nu) if nu > 0 else self.antiderivative(-nu))(x, 0, extrapolate)
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        x = promote_inexact(asvalue(x))[0]
        first, last = self.x[0], self.x[-1]
        if extrapolate == "periodic":
            x = first + remainder(x - first, last - first)
        i = interval(self.x, x)
        lone = (1,) * (self.c.ndim - 2)
        s = reshape(x - gather_nd(self.x, [i]), (*x.shape, *lone))
        c = gather_nd(moveaxis(self.c, 1, 0), [i])       # [..., k + 1, rest]
        k = self.c.shape[0]
        parts = [reshape(slice_axis(c, j, j + 1, x.ndim), (*x.shape, *self.c.shape[2:])) for j in range(k)]
        y = parts[0]
        for part in parts[1:]:
            y = y * s + part
        if extrapolate is False or extrapolate == 0 and not isinstance(extrapolate, str):
            outside = reshape(bitwise_or(lt(x, first), gt(x, last)), (*x.shape, *lone))
            y = where(outside, full((), _np.nan, y.dtype), y)
        return _placed(y, x.ndim, self.axis)

    def derivative(self, nu=1):
        """The PPoly that is the nu-th derivative."""
        if nu < 0:
            return self.antiderivative(-nu)
        k = self.c.shape[0] - 1
        if nu > k:
            return PPoly(self.c[:1] * 0, self.x, self.extrapolate, self.axis)
        factors = _np.array([math.perm(j, nu) for j in range(k, nu - 1, -1)], self.x.dtype)
        c = self.c[:k + 1 - nu] * factors.reshape(-1, *(1,) * (self.c.ndim - 1))
        return PPoly(c, self.x, self.extrapolate, self.axis)

    def antiderivative(self, nu=1):
        """The PPoly that is a nu-th antiderivative, continuous and 0 at the first place."""
        if nu <= 0:
            return self.derivative(-nu)
        k = self.c.shape[0]
        factors = _np.array([1 / j for j in range(k, 0, -1)], self.x.dtype).reshape(-1, *(1,) * (self.c.ndim - 1))
        c = self.c * factors
        h = reshape(self.x[1:] - self.x[:-1], (-1, *(1,) * (self.c.ndim - 2)))
        whole = c[0]
        for j in range(1, k):
            whole = whole * h + c[j]
        whole = whole * h                                # the integral over each piece
        starts = concatenate([whole[:1] * 0, cumsum(whole, 0)[:-1]])
        out = PPoly(concatenate([c, reshape(starts, (1, *starts.shape))]), self.x, self.extrapolate, self.axis)
        if out.extrapolate == "periodic":
            out.extrapolate = False
        return out.antiderivative(nu - 1)

    def integrate(self, a, b, extrapolate=None):
        """The integral from a to b."""
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        if extrapolate == "periodic":
            raise ShapeError("integrate of a periodic function: integrate over its period and add.")
        whole = self.antiderivative()
        return whole(b, 0, extrapolate) - whole(a, 0, extrapolate)


def _placed(y, places, axis):
    """The leading axes, of the places, moved behind `axis` others."""
    if not axis:
        return y
    return transpose(y, [*range(places, places + axis), *range(places), *range(places + axis, y.ndim)])


def samples(name, x, y, axis, least=2):
    """(x, y with its axis in front, the axis), checked."""
    x, y = promote_inexact(asvalue(x), asvalue(y))
    if x.dtype.kind == "c":
        raise ShapeError(f"{name}: x must be real.")
    axis = canonical_axis(axis, y.ndim)
    if x.ndim != 1 or y.shape[axis] != x.shape[0] or x.shape[0] < least:
        raise ShapeError(f"{name} takes x [n] and y with n places along axis {axis}, n >= {least}; got shapes "
                         f"{x.shape} and {y.shape}.")
    if isinstance(x, Array) and not (_np.diff(x.value) > 0).all():
        raise ShapeError(f"{name}: x must be ascending, without repetition.")
    return x, moveaxis(y, axis, 0), axis


def hermite(x, y, d):
    """c of the cubic pieces with values y and slopes d, both [n, …], at x."""
    h = reshape(x[1:] - x[:-1], (-1, *(1,) * (y.ndim - 1)))
    slope = (y[1:] - y[:-1]) / h
    t = (d[:-1] + d[1:] - 2 * slope) / h
    rows = [t / h, (slope - d[:-1]) / h - t, d[:-1], y[:-1]]
    return concatenate([reshape(broadcast_to(r, y[1:].shape), (1, *y[1:].shape)) for r in rows])


class CubicHermiteSpline(PPoly):
    """The cubic pieces through values y with slopes dydx at x.   x : real[n], ascending; y, dydx : n places along axis

    >>> float(CubicHermiteSpline([0.0, 1.0], [0.0, 1.0], [0.0, 0.0])(0.5))
    0.5
    """

    def __init__(self, x, y, dydx, axis=0, extrapolate=None):
        x, y, place = samples("CubicHermiteSpline", x, y, axis)
        y, d = promote_inexact(y, moveaxis(asvalue(dydx), axis, 0))
        if d.shape != y.shape:
            raise ShapeError(f"CubicHermiteSpline: dydx must have y's shape; got {d.shape} and {y.shape}.")
        super().__init__(hermite(x, y, d), x, extrapolate, place)


register_pytree_node_class(CubicHermiteSpline)
