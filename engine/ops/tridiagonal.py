"""Tridiagonal systems, by elimination with row exchanges in O(n)."""
import numpy as np

from ..avals import Aval
from ..core import Primitive
from ..errors import ShapeError
from .lapack import lapack, lower_spoiled, scipy_lapack
from .matrices import (
    I32,
    all_lanes,
    columns_to_lanes,
    lanes_to_columns,
)
from .shaping import concatenate_p, slice_axis
from .structural import broadcast_to, full


def _shape(dl, d, du, y):
    if not dl.shape == d.shape == du.shape == y.shape[:-1]:
        raise ShapeError(f"tridiagonal_solve takes dl, d, du [..., n] and b [..., n, k]; got {dl!r}, {d!r}, {du!r} and "
                         f"{y!r}.")
    return y


def _impl(dl, d, du, y):
    out = np.array(y)
    if y.size:
        gtsv = scipy_lapack("gtsv", d.dtype)
        for i in np.ndindex(d.shape[:-1]):
            if d.shape[-1] == 1:
                out[i] = y[i] / d[i]
                continue
            *_, x, info = gtsv(dl[i][1:], d[i], du[i][:-1], y[i])
            out[i] = x if info == 0 else np.nan
    return out


def _lower(b, dl, d, du, y):
    if not y.aval.size:
        return y
    if d.shape[-1] == 1:
        return b.elementwise("stablehlo.divide", y, b.broadcast(d, y.shape, range(len(d.shape))))
    info = Aval(d.shape[:-1], I32)
    out = lapack(b, "gtsv", [dl, d, du, y], [dl.aval, d.aval, du.aval, y.aval, info])
    return lower_spoiled(b, [out[3]], b.constant(False, bool, info.shape), out[4])[0]


def _move(x, k, axis):
    """x shifted by k = ±1 along an axis; a zero comes in."""
    n = x.shape[axis]
    zero = full([1 if i == axis % x.ndim else m for i, m in enumerate(x.shape)], 0, x.dtype)
    parts = [zero, slice_axis(x, 0, n - 1, axis)] if k > 0 else [slice_axis(x, 1, n, axis), zero]
    return concatenate_p.bind(*parts, axis=axis % x.ndim)


def product(dl, d, du, x):
    """The tridiagonal matrix times x: any of the diagonals may be None."""
    n, total = x.shape[-2], None
    for diagonal, k in ((dl, 1), (d, 0), (du, -1)):
        if diagonal is not None and n:
            term = diagonal[..., :, None] * (_move(x, k, x.ndim - 2) if k else x)
            total = term if total is None else total + term
    return x if total is None else total


def _jvp(xs, ts):
    dl, d, du, y = xs
    x = tridiagonal_solve_p.bind(*xs)
    if not x.aval.size:
        return x, x
    right = ts[3]
    if any(t is not None for t in ts[:3]):
        moved = product(*ts[:3], x)
        right = -moved if right is None else right - moved
    return x, tridiagonal_solve_p.bind(dl, d, du, right)


def _transpose(c, dl, d, du, y):
    if not d.size:
        return [None, None, None, c]
    return [None, None, None, tridiagonal_solve_p.bind(_move(du, 1, d.ndim - 1), d, _move(dl, -1, d.ndim - 1), c)]


tridiagonal_solve_p = Primitive(
    "tridiagonal_solve",                                 # row i of the matrix is dl[i], d[i], du[i]
    shape=_shape,
    impl=_impl,
    lower=_lower,
    jvp=_jvp,
    transpose=_transpose,
)


@tridiagonal_solve_p.define("batch")
def _(b, mine, dl, d, du, y):
    if mine == [False, False, False, True]:              # one matrix: the lanes become columns
        return columns_to_lanes(b.bind(dl, d, du, lanes_to_columns(y)), y.shape)
    return all_lanes(b, mine, dl, d, du, y)


def tridiagonal_solve(dl, d, du, b):
    """x with dl[i] x[i-1] + d[i] x[i] + du[i] x[i+1] = b[i].   dl, d, du : inexact[*batch, n], b : inexact[*batch, n,
    k]

    dl[0] and du[n-1] are not read; nan for a singular matrix.
    """
    lead = np.broadcast_shapes(dl.shape[:-1], d.shape[:-1], du.shape[:-1], b.shape[:-2])
    dl, d, du = (broadcast_to(x, (*lead, x.shape[-1])) for x in (dl, d, du))
    return tridiagonal_solve_p.bind(dl, d, du, broadcast_to(b, (*lead, *b.shape[-2:])))
