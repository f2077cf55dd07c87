"""Quantiles by root finding, for distributions whose distribution function has no inverse in closed form.

    inverse_cdf(cdf, q, lower, upper)              x with cdf(x) = q, for continuous distributions
    inverse_log_cdf(log_cdf, log_q, lower, upper)  the same by logarithms, in tails where cdf(x) underflows
    inverse_cdf_integer(cdf, q, lower, upper)      the smallest integer k with cdf(k) >= q

Both work on all elements at once and end when all have converged; on known numbers they run in NumPy. The derivative of
`inverse_cdf` is that of the implicit function: at F(x; θ) = q, dx = (dq - ∂F/∂θ dθ) / p(x), whatever found x.
"""
import math
import numbers

import numpy as _numpy

from ..engine import jvp, tree
from ..engine import numpy as np
from ..engine.array import Array
from ..engine.avals import broadcast_shapes, is_inexact, promote_types
from ..engine.control import while_loop
from ..engine.control.custom import custom_jvp
from ..engine.lax import stop_gradient
from .record import Record

_STEPS = 400


def inverse_cdf(cdf, q, lower=-math.inf, upper=math.inf, *args, solve=None):
    """x in [lower, upper] with cdf(x, *args) = q; `lower` for q = 0, `upper` for q = 1, nan for q outside of [0, 1].

    cdf : an increasing function, elementwise in x; a method of a distribution, or a function of x and pytrees `args`.
        Derivatives are taken in q and in the distribution (or `args`); the function closes over no traced numbers
    q : float[*shape, *batch]          lower, upper : the ends of the support, float[*batch]; may be infinite
    solve : (q, *args) -> x where there is a formula for it, which then needs no derivatives
    Source: Chandrupatla (1997), "A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear
    function without using derivatives", Advances in Engineering Software 28, on the log-odds of q; the derivative is
    Figurnov, Mohamed & Mnih (2018), "Implicit reparameterization gradients", section 3.

    >>> from chainrule.distributions import Exponential
    >>> round(float(inverse_cdf(Exponential(2.0).cdf, 0.5, 0.0)), 6)
    0.346574
    """
    cdf, args = _unbound(cdf, args)
    q = _floating(q, args)
    inside = np.logical_and(q > 0, q < 1)
    whole = type(inside) is Array and inside.value.all()
    safe = q if whole else np.where(inside, q, 0.5)

    def search(q, lower, upper, args):
        if solve is not None:
            return solve(q, *args)
        target = np.log(q) - np.log1p(-q)

        def f(x):
            p = cdf(x, *args)
            return np.log(p) - np.log1p(-np.minimum(p, 1.0)) - target
        return find_root(f, lower, upper, q)
    x = _implicit(search, cdf)(safe, lower, upper, args)
    return x if whole else np.where(inside, x, np.where(q == 0, lower, np.where(q == 1, upper, math.nan)))


def inverse_log_cdf(log_cdf, log_q, lower=-math.inf, upper=math.inf, *args, upper_tail=False):
    """x with log_cdf(x, *args) = log_q, for probabilities that may be too small for a float.

    log_cdf : as `cdf` of `inverse_cdf`; with `upper_tail` a decreasing function, log P(X > x)
    log_q : float[*shape, *batch], <= 0; at -inf and 0 the result is an end of the support

    >>> from chainrule.distributions import Gamma
    >>> float(inverse_log_cdf(Gamma(1.0, 1.0).log_survival, -5000.0, 0.0, upper_tail=True))
    5000.0
    """
    log_cdf, args = _unbound(log_cdf, args)
    log_q = _floating(log_q, args)
    inside = np.logical_and(log_q > -math.inf, log_q < 0)
    whole = type(inside) is Array and inside.value.all()
    safe = log_q if whole else np.where(inside, log_q, -1.0)
    sign = -1.0 if upper_tail else 1.0

    def search(log_q, lower, upper, args):
        return find_root(lambda x: sign * (log_cdf(x, *args) - log_q), lower, upper, log_q)
    x = _implicit(search, log_cdf)(safe, lower, upper, args)
    first, last = (upper, lower) if upper_tail else (lower, upper)
    return x if whole else np.where(inside, x, np.where(log_q < 0, first, np.where(log_q == 0, last, math.nan)))


def implicit_draw(cdf, x, *args):
    """x, with the derivative in `args` that it has as the quantile of a fixed probability: -∂F/∂θ / p(x).

    cdf : as for `inverse_cdf`, for draws whose own way of being made has no derivative, or not that of the quantile
    x : draws from the distribution, float[*shape, *batch]
    """
    cdf, args = _unbound(cdf, args)
    return _implicit(lambda q, x, _, args: x, cdf)(np.zeros_like(x), stop_gradient(x), 0.0, args)


def _floating(q, args):
    q = np.asarray(q)
    if is_inexact(q.dtype):
        return q
    return np.astype(q, promote_types(1.0, *[x for x in tree.leaves(args) if is_inexact(np.asarray(x).dtype)]))


def _unbound(cdf, args):
    """The function of x and pytrees that `cdf` is: a bound method's distribution becomes an argument."""
    owner = getattr(cdf, "__self__", None)
    if not isinstance(owner, Record):
        return cdf, args
    name = cdf.__name__
    return (lambda x, owner, *args: getattr(owner, name)(x, *args)), (owner, *args)


def _implicit(search, cdf):
    """search(q, lower, upper, args) with the derivative of the x at which cdf(x, *args) = q."""
    @custom_jvp
    def inverse(q, lower, upper, args):
        return search(q, lower, upper, args)

    @inverse.defjvp
    def _(primals, tangents):
        q, _, _, args = primals
        t_q, _, _, t_args = tangents
        x = inverse(*primals)
        slope = jvp(lambda x: cdf(x, *args), (x,), (np.ones_like(x),))[1]
        ok = np.logical_and(slope != 0, np.isfinite(slope))
        moved = t_q - _tangent(cdf, x, args, t_args)
        return x, np.where(ok, moved, 0.0) / np.where(ok, slope, 1.0)

    return inverse


def _tangent(cdf, x, args, t_args):
    """The derivative of cdf(x, *args) along the tangent of args, of which only floating leaves move."""
    leaves, treedef = tree.flatten(args)
    ts = tree.leaves(t_args)
    moving = [i for i, leaf in enumerate(leaves) if is_inexact(np.asarray(leaf).dtype)]
    if not moving:
        return 0.0

    def f(*some):
        new = list(leaves)
        for i, leaf in zip(moving, some):
            new[i] = leaf
        return cdf(x, *tree.unflatten(treedef, new))
    return jvp(f, tuple(leaves[i] for i in moving), tuple(ts[i] for i in moving))[1]


def repeat(test, body, state):
    """`body` again and again while `test` holds for any element: in Python on known numbers, else a while_loop."""
    def go(state):
        return np.any(test(*state))

    first = go(state)
    if type(first) is not Array:
        return while_loop(go, lambda state: tuple(body(*state)), state)
    while bool(first):
        state = tuple(body(*state))
        first = go(state)
    return state


def _known(bound):
    return isinstance(bound, numbers.Number)


def _finite(bound):
    """Whether a bound is finite, as a Python bool where that is known."""
    return math.isfinite(bound) if _known(bound) else np.isfinite(bound)


def _origin(lower, upper):
    """The point that distances are counted from: an end of the support that is finite, or 0."""
    if _known(lower) and _known(upper):
        return lower if math.isfinite(lower) else upper if math.isfinite(upper) else 0.0
    return np.where(_finite(lower), lower, np.where(_finite(upper), upper, 0.0))


def _middle(a, b):
    """A point between a and b: their mean, or where one is many times the other, one between their exponents."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    small, large = np.where(low >= 0, low, -high), np.where(low >= 0, high, -low)         # sizes, on one side of 0
    apart = np.logical_and(np.logical_or(low >= 0, high <= 0), large > 16.0 * small)
    size = np.where(small > 0, np.sqrt(np.where(apart, small, 1.0)) * np.sqrt(np.where(apart, large, 1.0)),
                    large * (1 / 16))
    return np.where(apart, np.where(low >= 0, size, -size), a + 0.5 * (b - a))


def find_root(f, lower, upper, like):
    """x in [lower, upper] with f(x) = 0 for an increasing f, which may be infinite at the ends; no derivatives.

    like : an array with the dtype, and a shape that the result's broadcasts from
    The distances t = x - origin are what is bracketed, so that roots close to a finite end are found well.
    """
    dtype = like.dtype
    origin = np.asarray(_origin(lower, upper), dtype)

    def g(t):
        return f(origin + t)

    shape = broadcast_shapes(np.shape(g(np.ones_like(origin))), like.shape, np.shape(lower), np.shape(upper))
    finite_low, finite_high = _finite(lower), _finite(upper)
    zero = np.zeros(shape, dtype)
    low = zero + np.astype(np.where(finite_low, np.where(finite_low, lower, 0.0) - origin, -1.0), dtype)
    high = zero + np.astype(np.where(finite_high, np.where(finite_high, upper, 0.0) - origin, 1.0), dtype)
    largest = float(np.finfo(dtype).max)
    if not (_known(lower) and finite_low):
        low, high, *_ = repeat(lambda low, high, grow, out: out,
                               lambda low, high, grow, out: _wider(g, low, high, grow, out, -1.0, largest),
                               (low, high, zero + 2.0, np.logical_and(np.logical_not(finite_low), g(low) > 0)))
    if not (_known(upper) and finite_high):
        high, low, *_ = repeat(lambda high, low, grow, out: out,
                               lambda high, low, grow, out: _wider(g, high, low, grow, out, 1.0, largest),
                               (high, low, zero + 2.0, np.logical_and(np.logical_not(finite_high), g(high) < 0)))
    return origin + _chandrupatla(g, low, high, dtype)


def _wider(f, end, other, grow, out, sign, largest):
    """Move an end of the bracket outwards where the root lies beyond it, faster and faster."""
    new = np.where(out, np.clip(end * grow, -largest, largest), end)
    beyond = np.logical_and(out, sign * f(new) < 0)
    return (new, np.where(out, end, other), np.minimum(grow * grow, 1e30),
            np.logical_and(beyond, np.abs(new) < largest))


def _chandrupatla(f, low, high, dtype):
    """The root of an increasing f between low and high; f may be -inf and inf at the ends."""
    eps, tiny = 2 * float(np.finfo(dtype).eps), 4 * float(np.finfo(dtype).tiny)

    def test(x1, x2, x3, f1, f2, f3, t, going, n):
        return np.logical_and(going, n < _STEPS)

    def body(x1, x2, x3, f1, f2, f3, x, going, n):
        new = f(x)
        new = np.where(np.isnan(new), f1, new)
        same = (new > 0) == (f1 > 0)
        x3, f3 = np.where(going, np.where(same, x1, x2), x3), np.where(going, np.where(same, f1, f2), f3)
        x2, f2 = np.where(np.logical_and(going, ~same), x1, x2), np.where(np.logical_and(going, ~same), f1, f2)
        x1, f1 = np.where(going, x, x1), np.where(going, new, f1)
        best = np.where(np.abs(f1) < np.abs(f2), x1, x2)
        width = x2 - x1
        near = np.abs(best) * eps + tiny
        going = np.logical_and(going, np.logical_and(np.abs(width) > 2 * near, f1 != 0))
        xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
        smooth = np.logical_and(phi * phi < xi, (1 - phi) ** 2 < 1 - xi)
        t = f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / width * f1 / (f3 - f1) * f2 / (f3 - f2)
        smooth = np.logical_and(smooth, np.isfinite(t))
        least = np.minimum(near / np.abs(width), 0.5)
        step = x1 + np.clip(np.where(smooth, t, 0.5), least, 1 - least) * width
        return x1, x2, x3, f1, f2, f3, np.where(smooth, step, _middle(x1, x2)), going, n + 1

    ends = np.full_like(low, math.inf)
    state = (low, high, low, -ends, ends, -ends, _middle(low, high), low < high, np.zeros_like(low))
    x1, x2, _, f1, f2, *_ = repeat(test, body, state)
    return np.where(np.abs(f1) < np.abs(f2), x1, x2)


# ---- integers ----

def inverse_cdf_integer(cdf, q, lower=0, upper=math.inf, *args, upper_tail=False):
    """The smallest integer k in [lower, upper] with cdf(k, *args) >= q; `lower` for q = 0.

    With `upper_tail`, cdf is P(X > k) and k the smallest with cdf(k, *args) <= q.

    cdf : as for `inverse_cdf`     q : float[*shape, *batch], in [0, 1]; where q is not reached, as for q = 1 and an
        infinite support, the largest integer that a float counts up to (2⁵³ of float64)
    Doubling steps from `lower` (from 0 where that is -inf) until the answer is passed, then bisection.

    >>> from chainrule.distributions import Poisson
    >>> inverse_cdf_integer(Poisson(3.0).cdf, [0.1, 0.9])
    Array([1, 5])
    """
    cdf, args = _unbound(cdf, args)
    q = np.asarray(q)
    d = q.dtype if is_inexact(q.dtype) else _numpy.dtype("float64")
    q, args = stop_gradient(q), tree.map(stop_gradient, args)
    most = 2.0 / float(np.finfo(d).eps)
    shape = broadcast_shapes(np.shape(cdf(np.zeros(np.shape(lower), d), *args)), q.shape, np.shape(lower),
                             np.shape(upper))
    zero = np.zeros(shape, d)
    least = zero + np.clip(np.asarray(lower, d), -most, most)
    last = zero + np.clip(np.asarray(upper, d), -most, most)
    start = np.clip(zero, least, last) if not (_known(lower) and math.isfinite(lower)) else least

    def short(k):
        return cdf(k, *args) > q if upper_tail else cdf(k, *args) < q

    below = short(start)
    low, high = np.where(below, start, start - 1.0), start             # low is too small or unknown, high is enough
    low, high, _, _ = repeat(
        lambda low, high, step, out: out,
        lambda low, high, step, out: _up(short, low, high, step, out, last),
        (low, np.where(below, np.minimum(start + 1.0, last), high), zero + 2.0,
         np.logical_and(below, np.logical_and(short(np.minimum(start + 1.0, last)), start + 1.0 < last))))
    if not (_known(lower) and math.isfinite(lower)):
        down = np.logical_and(~below, start > least)
        low, high, _, _ = repeat(
            lambda low, high, step, out: out,
            lambda low, high, step, out: _down(short, low, high, step, out, least),
            (low, high, zero + 1.0, down))
    low, high = repeat(lambda low, high: high - low > 1.0, lambda low, high: _halved(short, low, high), (low, high))
    return np.astype(high, np.int64)


def _up(short, low, high, step, out, last):
    new = np.where(out, np.minimum(high + step, last), high)
    more = np.logical_and(out, short(new))
    return np.where(out, high, low), new, step * 2.0, np.logical_and(more, new < last)


def _down(short, low, high, step, out, least):
    new = np.where(out, np.maximum(high - step, least - 1.0), high)
    enough = np.logical_and(~short(np.maximum(new, least)), new >= least)
    high = np.where(np.logical_and(out, enough), new, high)
    return np.where(out, new, low), high, step * 2.0, np.logical_and(out, enough)


def _halved(short, low, high):
    middle = np.floor(0.5 * (low + high))
    less = np.logical_and(short(middle), high - low > 1.0)
    return np.where(less, middle, low), np.where(np.logical_or(less, high - low <= 1.0), high, middle)
