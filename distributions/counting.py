"""What distributions of counts share: binomial coefficients, lists of all values, and quantiles by bisection."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import tree
from ..engine.array import Array
from ..engine.avals import broadcast_shapes
from ..engine.control import while_loop
from ..engine.errors import ParameterError
from ..engine.ops.elementwise import stop_gradient
from ..engine.scipy import special


def log_choose(n, k):
    """log C(n, k) = -log(n + 1) - log B(k + 1, n - k + 1) for 0 <= k <= n, without differences of large logarithms.

    DLMF 1.2.6, 5.12.1
    """
    return -np.log1p(n) - special.betaln(k + 1.0, n - k + 1.0)


_SERIES = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)


def _stirling(x):
    """log Γ(x) - (x - ½) log x + x - ½ log 2π for x >= 8, and in float32 for x >= 4.   DLMF 5.11.1"""
    inverse = 1.0 / x
    square = inverse * inverse
    out = _SERIES[-1]
    for c in _SERIES[-2::-1]:
        out = out * square + c
    return out * inverse


def _product(x, n):
    """x (x + 1) … (x + n - 1)"""
    out = x
    for i in range(1, n):
        out = out * (x + float(i))
    return out


def log_multichoose(r, k):
    """log of Γ(r + k) / (Γ(r) k!) = C(r + k - 1, k) for r > 0, k >= 0, without differences of large logarithms.

    Stirling's series for each Γ at an argument larger by n = 8, with the large terms taken together, for z = r + n and
    m = k + n + 1:

        (z - ½) log(1 + k/z) + k log(1 + (r - 1)/m) + S(z + k) - S(z) + log(P(r) / P(r + k)) + (terms of k alone)

    The terms of data k leave a sampler's loop, and derivatives in r need no digamma function. Eagerly by betaln, one
    operation:  -log(r + k) - log B(r, k + 1).
    """
    if known(r, k):
        return -np.log(r + k) - special.betaln(r, k + 1.0)
    n, size = (8, 8) if r.dtype.itemsize > 4 else (4, 2)                     # size: as far as products do not overflow
    z, m = r + float(n), k + (n + 1.0)
    alone = (n + 1 - 0.5 * math.log(2 * math.pi)) - _stirling(m) - (n + 0.5) * np.log(m)
    out = (z - 0.5) * np.log1p(k / z) + k * np.log1p((r - 1.0) / m) + (_stirling(z + k) - _stirling(z))
    for i in range(0, n, size):
        out = out + np.log(_product(r + float(i), size) / _product(r + k + float(i), size))
        alone = alone + np.log(_product(k + (i + 1.0), size))
    return out + alone


def log_multinomial(k):
    """log of n! / Π kᵢ! for counts k[..., i] with sum n: a product of binomial coefficients."""
    total = np.cumsum(k, -1)[..., 1:]
    return np.sum(log_choose(total, k[..., 1:]), -1)


# ---- lists of values ----

def the_same_for_all(family, name, x):
    """The one number that a parameter is for all of the batch; an error where there are several."""
    found = _numpy.unique(x.concrete(f"the values of a {family}"))
    if found.size != 1:
        raise ParameterError(f"the values of a {family} can be listed only where {name} is the same for all; "
                             f"it is {found.tolist()}.")
    return int(found[0])


def known(*parameters):
    """Whether the numbers are known while tracing too."""
    return all(type(x) is Array for x in parameters)


def listed(values, batch_shape, expand):
    """Values [n, *event] with axes of the batch put between: of its sizes if `expand`, else of size 1."""
    values = np.asarray(values)
    n, *event = values.shape
    out = values.reshape((n, *(1,) * len(batch_shape), *event))
    return np.broadcast_to(out, (n, *batch_shape, *event)) if expand else out


# ---- quantiles ----

def integer_quantile(d, q, first=0, last=math.inf):
    """The smallest integer k in [first, last] with d.cdf(k) >= q: float[*batch]; nan where q is not in [0, 1].

    Up to the rounding of the cdf: q is taken to be 64 ulps smaller, so that the quantile of cdf(k) is k. Steps that
    double, from where a normal distribution of the same mean and variance has it, then bisection: all elements at once,
    until the last one is done. No derivatives.
    """
    d = tree.map(stop_gradient, d)
    q = stop_gradient(np.asarray(q, d.dtype))
    shape = broadcast_shapes(q.shape, d.batch_shape)
    q = np.broadcast_to(q, shape)
    valid = np.logical_and(q >= 0, q <= 1)
    end = np.logical_and(q >= 1, np.isinf(np.asarray(last, q.dtype)))
    slack = 1.0 - 64.0 * float(_numpy.finfo(q.dtype).eps)
    wanted = np.where(np.logical_and(np.logical_and(valid, q > 0), np.logical_not(end)), q * slack, 0.5)
    first, last = (np.broadcast_to(np.asarray(v, q.dtype), shape) for v in (first, last))
    spread, inside = d.stddev, np.clip(wanted, 1e-9, 1.0 - 1e-6)
    guess = np.floor(d.mean + spread * special.ndtri(inside))
    guess = np.clip(np.where(np.isfinite(guess), guess, first), first, last)
    step = np.broadcast_to(np.where(np.isfinite(spread), np.ceil(0.25 * spread), 0.0) + 1.0, shape)

    def unfinished(state):
        low, high, below, above, _ = state
        wide = high - low > np.maximum(1.0, np.spacing(high))
        return np.any(np.logical_or(wide, np.logical_not(np.logical_and(below, above))))

    def narrow(state):
        """One cdf: at an end that is not yet known to be on its side, which moves away if it is not, or between."""
        low, high, below, above, step = state
        both = np.logical_and(below, above)
        probe = np.where(below, np.where(above, np.floor(0.5 * (low + high)), high), low)
        reached = d.cdf(probe) >= wanted
        new_low = np.where(reached, np.where(below, low, np.maximum(low - step, first - 1.0)), probe)
        new_high = np.where(reached, probe, np.where(both, high, np.where(below, np.minimum(high + step, last), high)))
        new_below = np.logical_or(np.logical_not(reached), np.logical_or(below, new_low < first))
        new_above = np.logical_or(reached, np.logical_or(above, new_high >= last))
        return new_low, new_high, new_below, new_above, np.where(both, step, 2.0 * step)

    low, high = np.maximum(guess - step, first - 1.0), np.minimum(guess + step, last)
    start = low, high, low < first, high >= last, step
    high = _repeat(unfinished, narrow, start)[1]
    return np.where(valid, np.where(end, math.inf, np.where(q > 0, high, first)), math.nan)


def _repeat(condition, body, state):
    """while_loop, which is Python's own where all numbers are known: nothing is compiled then."""
    if not known(*state, condition(state)):
        return while_loop(condition, body, state)
    while condition(state):
        state = body(state)
    return state
