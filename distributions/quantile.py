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
from ..engine.core import Tracer
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
        return find_root(f, lower, upper, q, *_frame(cdf, q, lower, upper, args))
    x = _implicit(search, cdf)(safe, lower, upper, args)
    return x if whole else np.where(q == 0, lower, np.where(q == 1, upper, np.where(inside, x, math.nan)))


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
        return find_root(lambda x: sign * (log_cdf(x, *args) - log_q), lower, upper, log_q,
                         *_frame(log_cdf, log_q, lower, upper, args))
    x = _implicit(search, log_cdf)(safe, lower, upper, args)
    first, last = (upper, lower) if upper_tail else (lower, upper)
    return x if whole else np.where(log_q == -math.inf, first, np.where(log_q == 0, last,
                                                                        np.where(inside, x, math.nan)))


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


def _frame(cdf, q, lower, upper, args):
    """The shape of the result, and whether all that it depends on is known."""
    owner = args[0] if args else None
    shape = getattr(owner, "batch_shape", None) if isinstance(owner, Record) else None
    if shape is None:
        shape = np.shape(cdf(np.ones(np.shape(lower), q.dtype), *args))
    known = not any(isinstance(x, Tracer) for x in tree.leaves((q, lower, upper, args)))
    return broadcast_shapes(shape, q.shape, np.shape(lower), np.shape(upper)), known


def repeat(test, body, state, known):
    """`body` again and again while `test` holds for any element: in Python for known numbers, else as a while_loop."""
    def go(state):
        return np.any(test(*state))

    if not known:
        return while_loop(go, lambda state: tuple(body(*state)), state)
    while bool(go(state)):
        state = tuple(body(*state))
    return state


def _origin(lower, upper):
    """The point that distances are counted from: an end of the support that is finite, or 0."""
    if isinstance(lower, numbers.Number) and isinstance(upper, numbers.Number):
        return lower if math.isfinite(lower) else upper if math.isfinite(upper) else 0.0
    return np.where(np.isfinite(lower), lower, np.where(np.isfinite(upper), upper, 0.0))


def _apart(low, high, grow):
    """A point between low and high that does not look at function values: their mean, or where one is many times the
    other, one between their exponents; beyond the finite one by `grow` where the other is infinite."""
    small, large = np.where(low >= 0, low, -high), np.where(low >= 0, high, -low)         # sizes, on one side of 0
    wide = np.logical_and(np.logical_or(low >= 0, high <= 0), large > 16.0 * small)
    size = np.where(small > 0, np.sqrt(np.where(small > 0, small, 1.0)) * np.sqrt(large), large / (16.0 * grow))
    inner = np.where(wide, np.where(low >= 0, size, -size), low + 0.5 * (high - low))
    return np.where(high == math.inf, np.where(low == -math.inf, 0.0, low + grow),
                    np.where(low == -math.inf, high - grow, inner))


def find_root(f, lower, upper, like, shape, known):
    """x in [lower, upper] with f(x) = 0 for an increasing f, which may be infinite at the ends; no derivatives.

    like : an array with the dtype of the result, whose shape is `shape`       known : whether nothing is traced
    Distances t = x - origin from an end that is finite are what is bracketed, so that roots close to it are found well.
    The bracket starts as the whole set: one evaluation of f at each step moves one of its ends.
    """
    dtype = like.dtype
    eps, tiny = 2 * float(np.finfo(dtype).eps), 4 * float(np.finfo(dtype).tiny)
    origin = np.asarray(_origin(lower, upper), dtype)
    zero = np.zeros(shape, dtype)
    low, high = zero + (np.asarray(lower, dtype) - origin), zero + (np.asarray(upper, dtype) - origin)

    def test(x1, x2, x3, f1, f2, f3, x, going, grow, n):
        return np.logical_and(going, n < _STEPS)

    def body(x1, x2, x3, f1, f2, f3, x, going, grow, n):
        new = f(origin + x)
        new = np.where(np.isnan(new), f1, new)
        same = (new > 0) == (f1 > 0)
        x3, f3 = np.where(going, np.where(same, x1, x2), x3), np.where(going, np.where(same, f1, f2), f3)
        turn = np.logical_and(going, np.logical_not(same))
        x2, f2 = np.where(turn, x1, x2), np.where(turn, f1, f2)
        x1, f1 = np.where(going, x, x1), np.where(going, new, f1)
        near = np.minimum(np.abs(x1), np.abs(x2)) * eps + tiny
        width = x2 - x1
        going = np.logical_and(going, np.logical_and(np.abs(width) > 2 * near, f1 != 0))
        xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
        smooth = np.logical_and(phi * phi < xi, (1 - phi) ** 2 < 1 - xi)
        t = f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / width * f1 / (f3 - f1) * f2 / (f3 - f2)
        least = np.minimum(near / np.abs(width), 0.5)
        step = x1 + np.clip(t, least, 1 - least) * width
        smooth = np.logical_and(smooth, np.isfinite(step))
        low, high = np.minimum(x1, x2), np.maximum(x1, x2)
        return (x1, x2, x3, f1, f2, f3, np.where(smooth, step, _apart(low, high, grow)), going,
                np.minimum(2.0 * grow * grow, 1e30), n + 1)

    ends, one = zero + math.inf, zero + 1.0
    start = np.where(np.logical_and(low == 0, high == math.inf), one,
                     np.where(np.logical_and(high == 0, low == -math.inf), -one, _apart(low, high, one)))
    state = (low, high, low, -ends, ends, -ends, start, low < high, one, zero)
    x1, x2, _, f1, f2, *_ = repeat(test, body, state, known)
    return origin + np.where(np.abs(f1) <= np.abs(f2), x1, x2)


# ---- integers ----

def inverse_cdf_integer(cdf, q, lower=0, upper=math.inf, *args, upper_tail=False):
    """The smallest integer k in [lower, upper] with cdf(k, *args) >= q; `lower` for q = 0.

    With `upper_tail`, cdf is P(X > k) and k the smallest with cdf(k, *args) <= q.

    cdf : as for `inverse_cdf`, or its logarithm with that of q     q : float[*shape, *batch], in [0, 1]; where it is
        not reached the result is the largest integer that a float counts up to (2⁵³ of float64)
    Doubling steps from a finite end (from 0 where there is none) until the answer is passed, then bisection.

    >>> from chainrule.distributions import Poisson
    >>> inverse_cdf_integer(Poisson(3.0).cdf, [0.1, 0.9])
    Array([1, 5])
    """
    cdf, args = _unbound(cdf, args)
    q = np.asarray(q)
    d = q.dtype if is_inexact(q.dtype) else _numpy.dtype("float64")
    q, args = stop_gradient(q), tree.map(stop_gradient, args)
    most = 2.0 / float(np.finfo(d).eps)
    shape, known = _frame(cdf, q, lower, upper, args)
    zero = np.zeros(shape, d)

    def going(low, high, step):
        return high - low > 1.0

    def body(low, high, step):
        k = np.where(high == math.inf, np.where(low == -math.inf, 0.0, low + step),
                     np.where(low == -math.inf, high - step, np.floor(0.5 * (low + high))))
        p = cdf(k, *args)
        short = np.logical_and(p > q if upper_tail else p < q, k < most)
        more = high - low > 1.0
        low = np.where(np.logical_and(more, short), k, low)
        high = np.where(np.logical_and(more, np.logical_not(short)), np.maximum(k, -most), high)
        return np.where(high <= -most, high - 1.0, low), high, step * 2.0

    low, high = zero + (np.asarray(lower, d) - 1.0), zero + np.asarray(upper, d)
    k = repeat(going, body, (low, high, zero + 1.0), known)[1]
    if not (isinstance(upper, float) and upper == math.inf):
        k = np.where(np.logical_and(q == (0.0 if upper_tail else 1.0), high < math.inf), high, k)
    return np.astype(k, np.int64)
