"""Rejection, for a whole array at a time.

One loop: every turn proposes for all elements, from the words of the turn, and an element keeps the first proposal that
it accepts. So what an element gets depends on the key and its own place and parameters, not on its neighbours. With a
share r of proposals refused, n elements need about log n / log(1 / r) turns.
"""
import numpy as np

from ..control.loops import while_loop
from ..ops.elementwise import bitwise_and, eq, invert, log, lt, maximum, where
from ..ops.reduce import reduce_or_p
from ..ops.structural import asvalue, broadcast_to
from .bits import word_of

TURNS = 1000                                             # a parameter that is nan must not wait for ever


def rejection(stream, active, propose, dtype):
    """Proposals until all `active` elements have accepted one; 0 elsewhere.

    propose : (words, words) -> (values, accepted), from two arrays of independent words of the dtype's width
    """
    shape = active.shape
    axes = tuple(range(len(shape)))

    def body(state):
        i, waiting, values = state
        proposal, accepted = propose(*stream.pairs(i, shape, word_of(dtype)))
        values = where(waiting, proposal, values)
        return i + 1, bitwise_and(waiting, invert(accepted)), values

    def waits(state):
        i, waiting, _ = state
        some = reduce_or_p.bind(waiting, axes=axes) if axes else waiting
        return bitwise_and(some, i < TURNS)

    start = (asvalue(np.int64(0)), active, broadcast_to(asvalue(np.zeros((), dtype)), shape))
    return while_loop(waits, body, start)[2]


# ---- the logarithms of factorials and of probabilities, without differences of large numbers ----

_SERIES = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)       # DLMF 5.11.1
_HALF_LOG_2PI = 0.9189385332046727


def log_factorial_rest(k):
    """log k! - (k log k - k) for k >= 0, 0 at 0; float64. Stirling's series, at k + 8 for small k."""
    few = lt(k, 16.0)
    n = where(few, k + 8, k)
    rest = _SERIES[-1]
    square = 1 / (n * n)
    for c in _SERIES[-2::-1]:
        rest = rest * square + c
    rest = rest / n + 0.5 * log(n) + _HALF_LOG_2PI
    small = where(few, k, np.zeros(()))
    rising = small + 1
    for j in range(2, 9):
        rising = rising * (small + j)
    positive = where(eq(small, 0), np.ones(()), small)
    return where(few, rest + (n * log(n) - n) - log(rising) - (small * log(positive) - small), rest)


def deviance(k, mean):
    """k log(k / mean) + mean - k for k >= 0, mean > 0, without cancellation near k = mean.

    With v = (k - mean) / (k + mean): (k - mean) v + 2 k (v³/3 + v⁵/5 + …).
    Source: Loader (2000), "Fast and accurate computation of binomial probabilities", section 3.
    """
    gap = k - mean
    v = gap / (k + mean)
    square = v * v
    series = 1 / 17
    for n in range(15, 1, -2):
        series = series * square + 1 / n
    near = gap * v + 2 * k * v * square * series
    ratio = where(eq(k, 0), np.ones(()), k / mean)
    return where(lt(square, 0.01), near, k * log(ratio) - gap)


def log_binomial(k, n, mean, rest_mean):
    """The log of the binomial probability of k in n, given the means of k and of n - k."""
    m = n - k
    return (log_factorial_rest(n) - log_factorial_rest(k) - log_factorial_rest(m)
            - deviance(k, mean) - deviance(m, rest_mean))


def inversion(u, start, following, limit):
    """The smallest k with F(k) >= u, by adding up probabilities: p(0) = start, p(k) = following(k, p(k - 1))."""
    axes = tuple(range(u.ndim))

    def waits(state):
        i, _, _, rest = state
        some = rest > 0.0
        some = reduce_or_p.bind(some, axes=axes) if axes else some
        return bitwise_and(some, i < limit)

    def body(state):
        i, k, p, rest = state
        go = rest > 0.0
        k = where(go, k + 1, k)
        p = where(go, following(k, p), p)
        return i + 1, k, p, rest - where(go, maximum(p, 1e-17), np.zeros(()))      # rounding must not ask for more

    zero = broadcast_to(asvalue(np.zeros(())), u.shape)
    return while_loop(waits, body, (asvalue(np.int64(0)), zero, start, u - start))[1]
