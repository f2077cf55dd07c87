"""B-splines: evaluation, the matrix of all basis functions for regressions, interpolation."""
import operator

import numpy as _np

from ...errors import ShapeError
from ...numpy.linalg import solve
from ...ops.arithmetic import remainder
from ...ops.elementwise import bitwise_or, eq, gt, lt, maximum, minimum, where
from ...ops.index import gather_nd
from ...ops.shaping import concatenate
from ...ops.sort import searchsorted_p
from ...ops.structural import asvalue, cast, full, iota, moveaxis, promote, promote_inexact, reshape
from ...tree import register_pytree_node_class
from .piecewise import _placed, samples


def _ratio(a, b):
    """a / b, and 0 for b = 0: knots that coincide."""
    none = eq(b, 0)
    return where(none, full((), 0, b.dtype), a / where(none, full((), 1, b.dtype), b))


def _span(t, x, k, n):
    """The i with t[i] <= x < t[i + 1], from k to n - 1."""
    t, q = promote(t, reshape(x, (-1,)))
    place = reshape(searchsorted_p.bind(t, q, side="right"), x.shape) - 1
    return maximum(minimum(place, n - 1), k)


def _nonzero_basis(t, x, k, span):
    """The k + 1 basis functions that are not 0 at x, as a list of arrays of x's shape.

    Source: de Boor, A practical guide to splines, chapter X, algorithm BSPLVB.
    """
    values = [full(x.shape, 1, x.dtype)]
    for j in range(1, k + 1):
        saved, row = full(x.shape, 0, x.dtype), []
        for r in range(j):
            right = gather_nd(t, [span + (r + 1)])
            left = gather_nd(t, [span + (r + 1 - j)])
            term = _ratio(values[r], right - left)
            row.append(saved + (right - x) * term)
            saved = (x - left) * term
        values = [*row, saved]
    return values


def _checked(t, k):
    t, k = promote_inexact(asvalue(t))[0], operator.index(k)
    if k < 0 or t.ndim != 1 or t.shape[0] < 2 * k + 2:
        raise ShapeError(f"a B-spline of degree k={k} takes a vector of at least {2 * k + 2} knots, k >= 0; got shape "
                         f"{t.shape}.")
    return t, k


def design_matrix(x, t, k, extrapolate=False):
    """B[i, j], the j-th B-spline of degree k over the knots t at x[i]: a regression on splines is y ≈ B c.

    x : real[m]      t : real[n + k + 1], ascending -> real[m, n], dense; nan in the rows of places outside of
    t[k] … t[n], unless extrapolate

    >>> design_matrix([0.5], [0.0, 0.0, 1.0, 1.0], 1).tolist()
    [[0.5, 0.5]]
    """
    t, k = _checked(t, k)
    t, x = promote_inexact(t, asvalue(x))
    n = t.shape[0] - k - 1
    span = _span(t, x, k, n)
    column, total = iota(n), None
    for r, value in enumerate(_nonzero_basis(t, x, k, span)):
        at = eq(reshape(span - k + r, (*x.shape, 1)), column)
        part = where(at, reshape(value, (*x.shape, 1)), full((), 0, x.dtype))
        total = part if total is None else total + part
    if extrapolate:
        return total
    outside = reshape(bitwise_or(lt(x, t[k]), gt(x, t[n])), (*x.shape, 1))
    return where(outside, full((), _np.nan, x.dtype), total)


@register_pytree_node_class
class BSpline:
    """Σ_j c_j B_j(x), the B_j of degree k over the knots t.   t : real[n + k + 1], ascending; c : n or more along axis

    extrapolate : True goes on with the outer pieces, False gives nan outside of t[k] … t[n], "periodic" begins again
    A tree, so that it can go through jit, grad and vmap; differentiable in the places, in c and in t.

    >>> BSpline([0.0, 0.0, 1.0, 2.0, 2.0], [1.0, 3.0, 2.0], 1)([0.5, 1.5]).tolist()
    [2.0, 2.5]
    """
    design_matrix = staticmethod(design_matrix)

    def __init__(self, t, c, k, extrapolate=True, axis=0):
        self.t, self.k = _checked(t, k)
        c = promote_inexact(asvalue(c))[0]
        self.axis = axis % max(c.ndim, 1)
        self.c = moveaxis(c, self.axis, 0) if self.axis else c
        if self.c.shape[0] < self.t.shape[0] - self.k - 1:
            raise ShapeError(f"BSpline: {self.t.shape[0]} knots of degree {self.k} need "
                             f"{self.t.shape[0] - self.k - 1} coefficients; got {self.c.shape[0]}.")
        self.extrapolate = extrapolate

    def tree_flatten(self):
        return (self.t, self.c), (self.k, self.extrapolate, self.axis)

    @classmethod
    def tree_unflatten(cls, facts, children):
        self = object.__new__(cls)
        self.t, self.c = children
        self.k, self.extrapolate, self.axis = facts
        return self

    def __call__(self, x, nu=0, extrapolate=None):
        """The value, or the nu-th derivative, at places x."""
        if nu:
            return self.derivative(nu)(x, 0, extrapolate)
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        t, x = promote_inexact(self.t, asvalue(x))
        k, n = self.k, t.shape[0] - self.k - 1
        first, last = t[k], t[n]
        if isinstance(extrapolate, str):
            x = first + remainder(x - first, last - first)
        span = _span(t, x, k, n)
        lone, total = (1,) * (self.c.ndim - 1), None
        for r, value in enumerate(_nonzero_basis(t, x, k, span)):
            part = gather_nd(self.c, [span - k + r]) * reshape(value, (*x.shape, *lone))
            total = part if total is None else total + part
        if not extrapolate:
            outside = reshape(bitwise_or(lt(x, first), gt(x, last)), (*x.shape, *lone))
            total = where(outside, full((), _np.nan, total.dtype), total)
        return _placed(total, x.ndim, self.axis)

    def derivative(self, nu=1):
        """The BSpline that is the nu-th derivative."""
        out = self
        for _ in range(nu):
            t, c, k = out.t, out.c, out.k
            n = t.shape[0] - k - 1
            if k == 0:
                c = c * 0
            else:
                gap = reshape(t[k + 1:n + k] - t[1:n], (-1, *(1,) * (c.ndim - 1)))
                c, t, k = _ratio((c[1:n] - c[:n - 1]) * k, gap), t[1:-1], k - 1
            made = object.__new__(BSpline)
            made.t, made.c, made.k, made.extrapolate, made.axis = t, c, k, out.extrapolate, out.axis
            out = made
        return out


def make_interp_spline(x, y, k=3, t=None, axis=0):
    """The BSpline of degree k through y at x, not-a-knot at the ends.   x : real[n], ascending; y : n places along axis

    t : the knots, n + k + 1 of them, where they are given. The coefficients solve the dense system of the design
    matrix.
    """
    x, y, axis = samples("make_interp_spline", x, y, axis, k + 1)
    n = x.shape[0]
    if t is None:
        if k % 2:
            inner = x[(k + 1) // 2:n - (k + 1) // 2] if k > 1 else x[1:-1]
        else:
            inner = ((x[1:] + x[:-1]) * 0.5)[k // 2:n - 1 - k // 2]
        ends = (1,) * (k + 1)
        t = concatenate([x[:1] * _np.ones(ends and k + 1, x.dtype), inner, x[-1:] * _np.ones(k + 1, x.dtype)])
    t = cast(asvalue(t), x.dtype)
    if t.shape != (n + k + 1,):
        raise ShapeError(f"make_interp_spline: {n} places of degree {k} take {n + k + 1} knots; got shape {t.shape}.")
    matrix = design_matrix(x, t, k, extrapolate=True)
    c = reshape(solve(cast(matrix, y.dtype), reshape(y, (n, -1))), y.shape)
    return BSpline(t, moveaxis(c, 0, axis) if axis else c, k, axis=axis)
