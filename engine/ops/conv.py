"""Convolution of arrays with channels, in one layout: x [batch, in, *space], w [out, in / groups, *window].

y[n, o, s] = Σ_{c, k} x̂[n, c, strides·s + rhs_dilation·k - low] w[o, c, k], where x̂ is x with lhs_dilation - 1 zeros
between neighbours and zeros outside, and the sum runs over the channels c of the group of o. As in neural networks
the window is not turned round. Both transposes are convolutions again; other layouts and batch groups are
transposes and reshapes around this one (see engine/lax/convolution.py).
"""
import math

import numpy as np

from ..avals import Aval
from ..core import Primitive
from ..errors import DtypeError, ShapeError
from .channelwise import MOST_TERMS, is_long, is_short, lower_long, lower_short
from .shaping import padded, reverse
from .structural import full, moveaxis, reshape, transpose


def dilated(n, d):
    """The length of n places with d - 1 places put between neighbours."""
    return (n - 1) * d + 1 if n else 0


def _conv_shape(x, w, *, strides, padding, lhs_dilation, rhs_dilation, groups):
    if x.dtype != w.dtype:
        raise DtypeError(f"a convolution takes one dtype; got {x.dtype} and {w.dtype}.")
    if x.ndim != w.ndim or x.ndim < 2:
        raise ShapeError("a convolution takes [batch, channels, *space] and [out, channels, *window] with equally "
                         f"many axes; got shapes {x.shape} and {w.shape}.")
    if x.shape[1] != w.shape[1] * groups or w.shape[0] % groups:
        raise ShapeError(f"a convolution of {x.shape[1]} channels in {groups} group(s) with windows [out, channels, …] "
                         f"of shape {w.shape}: they need {x.shape[1] // groups} channels, and the number of results, "
                         f"{w.shape[0]}, must be a multiple of the groups.")
    space = []
    for n, k, s, (low, high), a, b in zip(x.shape[2:], w.shape[2:], strides, padding, lhs_dilation, rhs_dilation):
        room = dilated(n, a) + low + high
        space.append(max(0, (room - dilated(k, b)) // s + 1) if room > 0 else 0)
    return Aval((x.shape[0], w.shape[0], *space), x.dtype)


def spread_out(x, padding, dilation, fill=0):
    """x with its trailing axes dilated and padded."""
    if all(p == (0, 0) for p in padding) and all(d == 1 for d in dilation):
        return x
    lead = (0,) * (x.ndim - len(padding))
    return padded(x, fill, (*lead, *[p[0] for p in padding]), (*lead, *[p[1] for p in padding]),
                  (*lead, *[d - 1 for d in dilation]))


def windows(x, shape, window, strides, dilation):
    """A view [..., *shape, *window] of the trailing axes of x."""
    lead, steps = x.ndim - len(shape), x.strides[x.ndim - len(shape):]
    return np.lib.stride_tricks.as_strided(
        x, (*x.shape[:lead], *shape, *window),
        (*x.strides[:lead], *[t * s for t, s in zip(steps, strides)], *[t * d for t, d in zip(steps, dilation)]),
        writeable=False)


def _conv_impl(x, w, *, strides, padding, lhs_dilation, rhs_dilation, groups):
    out = _conv_shape(Aval(x.shape, x.dtype), Aval(w.shape, w.dtype), strides=strides, padding=padding,
                      lhs_dilation=lhs_dilation, rhs_dilation=rhs_dilation, groups=groups)
    if out.size == 0 or w.size == 0:
        return np.zeros(out.shape, out.dtype)
    x = spread_out(np.asarray(x), padding, lhs_dilation)
    n, space, k = x.shape[0], out.shape[2:], len(strides)
    if k == 1 and n == groups == w.shape[0] == w.shape[1] == 1 and strides == rhs_dilation == (1,):
        return np.convolve(x[0, 0], w[0, 0, ::-1], "valid")[None, None].astype(x.dtype)
    if w.shape[1] == 1 and w.shape[0] == groups and w[0, 0].size <= MOST_TERMS:
        return _shifted_sum(x, np.asarray(w), out.shape, strides, rhs_dilation)
    view = windows(x, space, w.shape[2:], strides, rhs_dilation)
    order = [0, 1, *range(2 + k, 2 + 2 * k), *range(2, 2 + k)]
    columns = view.transpose(order).reshape(n, groups, -1, math.prod(space))
    rows = np.asarray(w).reshape(groups, w.shape[0] // groups, -1)
    if x.dtype.kind == "b":
        rows, columns = rows.astype(int), columns.astype(int)
    return np.matmul(rows, columns).reshape(out.shape).astype(x.dtype, copy=False)


def _shifted_sum(x, w, shape, strides, rhs_dilation):
    """One channel a group and few places: no columns need be written."""
    total = np.zeros(shape, x.dtype)
    for place in np.ndindex(*w.shape[2:]):
        key = tuple(slice(p * d, p * d + (m - 1) * s + 1, s) for p, d, m, s in zip(place, rhs_dilation, shape[2:],
                                                                                   strides))
        total += x[(..., *key)] * w[(slice(None), 0, *place)].reshape(-1, *(1,) * len(place))
    return total


def _lower_conv(b, x, w, *, strides, padding, lhs_dilation, rhs_dilation, groups):
    if 0 in (b.out[0].size, x.aval.size, w.aval.size):
        return b.constant(0, x.dtype, b.out[0].shape)
    if is_long(x, w, strides, rhs_dilation, groups, b.out[0]):
        return lower_long(b, x, w, padding, lhs_dilation)
    if is_short(x, w, groups, b.out[0]):
        return lower_short(b, x, w, strides, padding, lhs_dilation, rhs_dilation)
    space = ", ".join(map(str, range(len(strides))))

    def listed(ns, kind="i64"):
        return f"array<{kind}: {', '.join(map(str, ns))}>" if ns else f"array<{kind}>"
    pads = ", ".join([f"[{low}, {high}]" for low, high in padding])
    pads = f"dense<{f'[{pads}]' if pads else ''}> : tensor<{len(padding)}x2xi64>"
    sep = ", " if space else ""
    precision = "" if b.precision == "DEFAULT" else \
        f", precision_config = [{', '.join([f'#stablehlo<precision {b.precision}>'] * 2)}]"
    return b.op(
        "stablehlo.convolution", [x, w], b.out[0],
        f"window_strides = {listed(strides)}, padding = {pads}, lhs_dilation = {listed(lhs_dilation)}, rhs_dilation = "
        f"{listed(rhs_dilation)}, dimension_numbers = #stablehlo.conv<[b, f{sep}{space}]x[o, i{sep}{space}]->"
        f"[b, f{sep}{space}]>, feature_group_count = {groups} : i64, batch_group_count = 1 : i64{precision}")


def _swapped(w, groups):
    """[groups * out, in, …] as [groups * in, out, …]."""
    o, i, *window = w.shape
    w = reshape(w, (groups, o // groups, i, *window))
    return reshape(transpose(w, (0, 2, 1, *range(3, w.ndim))), (groups * i, o // groups, *window))


def _grouped(x, groups):
    """[groups * batch, in, …] as [batch, groups * in, …]."""
    n, i, *space = x.shape
    x = reshape(x, (groups, n // groups, i, *space))
    return reshape(transpose(x, (1, 0, *range(2, x.ndim))), (n // groups, groups * i, *space))


def _merged(x):
    """The two leading axes as one."""
    return reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))


def _flipped(w):
    return reverse(w, tuple(range(2, w.ndim)))


def _x_cotangent(c, x, w, *, strides, padding, lhs_dilation, rhs_dilation, groups):
    """c, dilated by the strides, convolved with the window turned round: pad so that the sizes of x come out."""
    if not c.size:
        return full(x.shape, 0, c.dtype)
    back = []
    for n, k, m, s, (low, _), a, b in zip(x.shape[2:], w.shape[2:], c.shape[2:], strides, padding, lhs_dilation,
                                          rhs_dilation):
        first = dilated(k, b) - 1 - low
        back.append((first, dilated(n, a) + dilated(k, b) - 1 - dilated(m, s) - first))
    return conv_p.bind(c, _swapped(_flipped(w), groups), strides=lhs_dilation, padding=tuple(back),
                       lhs_dilation=strides, rhs_dilation=rhs_dilation, groups=groups)


def _w_cotangent(c, x, w, *, strides, padding, lhs_dilation, rhs_dilation, groups):
    """x convolved with c as the window, summed over the batch: batch and channels change places."""
    if not c.size:
        return full(w.shape, 0, c.dtype)
    reach = [(low, dilated(m, s) + dilated(k, b) - 1 - dilated(n, a) - low)
             for n, k, m, s, (low, _), a, b in zip(x.shape[2:], w.shape[2:], c.shape[2:], strides, padding,
                                                   lhs_dilation, rhs_dilation)]
    turned = (1, 0, *range(2, x.ndim))
    out = conv_p.bind(_grouped(transpose(x, turned), groups), transpose(c, turned), strides=rhs_dilation,
                      padding=tuple(reach), lhs_dilation=lhs_dilation, rhs_dilation=strides, groups=groups)
    return transpose(out, turned)


conv_p = Primitive(
    "conv",
    shape=_conv_shape,
    impl=_conv_impl,
    lower=_lower_conv,
    jvp=(lambda t, y, x, w, **params: conv_p.bind(t, w, **params),
         lambda t, y, x, w, **params: conv_p.bind(x, t, **params)),
    transpose=(_x_cotangent, _w_cotangent),
)


@conv_p.define("batch")
def _(b, mine, x, w, *, groups, **params):
    """Lanes of x join its batch; lanes of w its results; lanes of both are groups."""
    if mine == [True, False]:
        y = b.bind(_merged(x), w, groups=groups, **params)
        return reshape(y, (*x.shape[:2], *y.shape[1:]))
    _, o, i, *window = w.shape
    if mine == [False, True]:
        w = moveaxis(reshape(w, (b.size, groups, o // groups, i, *window)), 0, 1)
        y = b.bind(x, reshape(w, (b.size * o, i, *window)), groups=groups, **params)
        y = reshape(y, (y.shape[0], groups, b.size, o // groups, *y.shape[2:]))
        y = moveaxis(y, 2, 0)
        return reshape(y, (b.size, y.shape[1], o, *y.shape[4:]))
    x = _grouped(_merged(x), b.size)
    y = b.bind(x, reshape(w, (b.size * o, i, *window)), groups=b.size * groups, **params)
    return moveaxis(reshape(y, (y.shape[0], b.size, o, *y.shape[2:])), 1, 0)
