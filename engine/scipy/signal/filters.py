"""Linear filters along an axis, and the removal of trends."""
import numpy as _np

from ...avals import canonical_axis, to_inexact_dtype
from ...control import scan
from ...errors import ShapeError
from ...numpy.linalg import solve
from ...ops.conv import conv_p
from ...ops.shaping import concatenate, reverse, slice_axis
from ...ops.structural import asvalue, broadcast_to, cast, full, moveaxis, promote_inexact, reduce_sum, reshape


def _coefficients(name, b, a, x):
    b, a, x = promote_inexact(asvalue(b), asvalue(a), asvalue(x))
    if b.ndim != 1 or a.ndim != 1 or not b.size or not a.size or not x.ndim:
        raise ShapeError(f"{name} takes vectors b and a, not empty, and x with an axis; got shapes {b.shape}, "
                         f"{a.shape} and {x.shape}.")
    n = max(b.shape[0], a.shape[0])
    first = a[0]
    return b / first, a / first, x, n


def lfilter(b, a, x, axis=-1, zi=None):
    """a_0 y[k] = Σ_j b_j x[k - j] - Σ_{j>0} a_j y[k - j] along an axis.

    b, a : number[n_b], number[n_a]      x : number[...]      zi : the state before the first place, of x's shape with
    max(n_a, n_b) - 1 places along the axis; then (y, the state after the last place) is given back

    With n_a = 1 one convolution; otherwise a scan, in the transposed direct form II.
    Source: Oppenheim & Schafer, Discrete-time signal processing, section 6.3.3.

    >>> lfilter([1.0], [1.0, -0.5], [1.0, 0.0, 0.0]).tolist()
    [1.0, 0.5, 0.25]
    """
    b, a, x, n = _coefficients("lfilter", b, a, x)
    axis = canonical_axis(axis, x.ndim)
    x = moveaxis(x, axis, 0)
    rest = x.shape[1:]
    if a.shape[0] == 1 and zi is None:
        return moveaxis(_convolved(b, x), 0, axis)
    b, a = (concatenate([v, full((n - v.shape[0],), 0, v.dtype)]) if v.shape[0] < n else v for v in (b, a))
    if zi is None:
        state = full((n - 1, *rest), 0, x.dtype)
    else:
        state = broadcast_to(moveaxis(cast(asvalue(zi), x.dtype), axis, 0), (n - 1, *rest))
    lead = (n - 1, *(1,) * len(rest))
    later_b, later_a, none = reshape(b[1:], lead), reshape(a[1:], lead), full((1, *rest), 0, x.dtype)

    def step(z, v):
        y = b[0] * v + (z[0] if n > 1 else 0)
        moved = concatenate([slice_axis(z, 1, n - 1, 0), none]) if n > 1 else z
        return moved + later_b * v - later_a * y, y
    last, y = scan(step, state, x)
    y = moveaxis(y, 0, axis)
    return y if zi is None else (y, moveaxis(last, 0, axis))


def _convolved(b, x):
    """The filter b without feedback along axis 0: each column is a batch of its own."""
    n, rest, m = x.shape[0], x.shape[1:], b.shape[0]
    rows = moveaxis(x, 0, -1)
    y = conv_p.bind(reshape(rows, (rows.size // max(n, 1), 1, n)), reshape(reverse(b, (0,)), (1, 1, m)), strides=(1,),
                    padding=((m - 1, 0),), lhs_dilation=(1,), rhs_dilation=(1,), groups=1)
    return moveaxis(reshape(y, (*rest, n)), -1, 0)


def lfilter_zi(b, a):
    """The state in which lfilter answers a signal of ones without a transient: (1 - Aᵀ) z = B."""
    b, a, _, n = _coefficients("lfilter_zi", b, a, asvalue([0.0]))
    b, a = (concatenate([v, full((n - v.shape[0],), 0, v.dtype)]) if v.shape[0] < n else v for v in (b, a))
    if n == 1:
        return full((0,), 0, b.dtype)
    companion = _np.eye(n - 1, k=1)
    first = concatenate([reshape(-a[1:], (n - 1, 1)), full((n - 1, n - 2), 0, a.dtype)], 1)
    return solve(_np.eye(n - 1) - (first + companion), b[1:] - a[1:] * b[0])


def filtfilt(b, a, x, axis=-1, padtype="odd", padlen=None):
    """lfilter forwards and then backwards, so that no phase is shifted.

    padtype : how x goes on beyond its ends for padlen places: "odd", "even", "constant" or None
    Source: Gustafsson (1996) for the problem; the padded form is SciPy's default.
    """
    b, a, x, n = _coefficients("filtfilt", b, a, x)
    axis = canonical_axis(axis, x.ndim)
    edge = 0 if padtype is None else 3 * n if padlen is None else int(padlen)
    if edge and x.shape[axis] <= edge:
        raise ShapeError(f"filtfilt: axis {axis} of shape {x.shape} must have more than padlen={edge} places.")
    x = moveaxis(x, axis, -1)
    long = extended(x, edge, padtype)
    zi = lfilter_zi(b, a)
    y, _ = lfilter(b, a, long, zi=zi * long[..., :1])
    y = y[..., ::-1]
    y, _ = lfilter(b, a, y, zi=zi * y[..., :1])
    y = y[..., ::-1]
    return moveaxis(y[..., edge:edge + x.shape[-1]], -1, axis)


def extended(x, edge, kind):
    """x with `edge` places more at both ends of the last axis: "odd", "even", "constant" or "zeros"."""
    if not edge:
        return x
    n = x.shape[-1]
    if kind in ("odd", "even"):
        left, right = x[..., edge:0:-1], x[..., n - 2:n - edge - 2:-1] if n - edge - 2 >= 0 else x[..., n - 2::-1]
        if kind == "odd":
            left, right = 2 * x[..., :1] - left, 2 * x[..., -1:] - right
    elif kind in ("constant", "zeros"):
        shape = (*x.shape[:-1], edge)
        left = broadcast_to(x[..., :1], shape) if kind == "constant" else full(shape, 0, x.dtype)
        right = broadcast_to(x[..., -1:], shape) if kind == "constant" else left
    else:
        raise ShapeError(f'an extension by {kind!r}: it is "odd", "even", "constant" or "zeros".')
    return concatenate([left, x, right], x.ndim - 1)


def sosfilt(sos, x, axis=-1, zi=None):
    """lfilter by sections of second order, one after the other.   sos : real[sections, 6], rows b_0 b_1 b_2 a_0 a_1 a_2

    zi : [sections, …], x's shape with 2 places along the axis; then (y, the last states) is given back
    """
    sos, y = promote_inexact(asvalue(sos), asvalue(x))
    if sos.ndim != 2 or sos.shape[1] != 6:
        raise ShapeError(f"sosfilt takes sos [sections, 6]; got shape {sos.shape}.")
    states = []
    for i in range(sos.shape[0]):
        if zi is None:
            y = lfilter(sos[i, :3], sos[i, 3:], y, axis)
        else:
            y, state = lfilter(sos[i, :3], sos[i, 3:], y, axis, asvalue(zi)[i])
            states.append(reshape(state, (1, *state.shape)))
    return y if zi is None else (y, concatenate(states))


def detrend(data, axis=-1, type="linear", bp=0):
    """data less its mean, or less the line of least squares through it, along an axis.

    type : "constant" or "linear"      bp : places (Python integers) at which a new line begins

    >>> detrend([1.0, 2.0, 4.0]).round(9).tolist()
    [0.166666667, -0.333333333, 0.166666667]
    """
    x = asvalue(data)
    x = cast(x, to_inexact_dtype(x.dtype))
    axis = canonical_axis(axis, x.ndim)
    if type not in ("constant", "linear", "l", "c"):
        raise ShapeError(f'detrend: type={type!r}; it is "linear" or "constant".')
    x = moveaxis(x, axis, -1)
    n, last = x.shape[-1], (x.ndim - 1,)
    if type[0] == "c":
        return moveaxis(x - reshape(reduce_sum(x, last), (*x.shape[:-1], 1)) / n, -1, axis)
    cuts = sorted({0, n, *_np.atleast_1d(bp).tolist()})
    if cuts[0] < 0 or cuts[-1] > n:
        raise ShapeError(f"detrend: the break points {bp} must be places of an axis of {n}.")
    parts = []
    for start, stop in zip(cuts[:-1], cuts[1:]):
        y, m = x[..., start:stop], stop - start
        y = y - reshape(reduce_sum(y, last), (*x.shape[:-1], 1)) / m
        if m > 1:
            t = (_np.arange(m) - (m - 1) / 2).astype(y.dtype)
            y = y - reshape(reduce_sum(y * t, last), (*x.shape[:-1], 1)) * (t / (t @ t))
        parts.append(y)
    return moveaxis(concatenate(parts, x.ndim - 1), -1, axis)
