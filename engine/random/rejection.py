"""Rejection, for a whole array at a time.

A turn proposes for many elements, and an element keeps the first proposal that it accepts. Its proposals are
made of words for its place and the number of the proposal, so what it gets depends on the key, its place and its
parameters, not on its neighbours or on how the elements are gone through.
"""
import math

import numpy as np

from ..array import Array
from ..control.loops import while_loop
from ..ops.elementwise import bitwise_and, bitwise_or, eq, invert, log, lt, maximum, minimum, where
from ..ops.index import gather_nd
from ..ops.reduce import reduce_or_p
from ..ops.shaping import concatenate, slice_axis
from ..ops.structural import asvalue, broadcast_to, cast, full, reshape
from .bits import word_of
from .generators import places

TURNS = 1000                                             # a parameter that is nan must not wait for ever
LARGE = 4096
ROWS = 8
_ONE = np.uint32(1)


def rejection(stream, active, propose, dtype, *parameters):
    """Proposals until all `active` elements have accepted one; 0 elsewhere.

    propose : (word, word, *parameters) -> (values, accepted), from independent words of the dtype's width
    parameters : arrays of the shape of `active`

    Large arrays are columns of 8 elements, one at a time, so that the work follows the number of refused proposals and
    not the unluckiest element: about 8 / (1 - r) + 10 turns for an eighth of the elements, r the share of refusals.
    """
    if known_empty(active):
        return full(active.shape, 0, dtype)
    if active.size < LARGE:
        return _all_at_once(stream, active, propose, dtype, parameters)
    columns = -(-active.size // ROWS)
    rest = ROWS * columns - active.size

    def table(x):
        x = reshape(x, (active.size,))
        return concatenate([x, broadcast_to(slice_axis(x, 0, 1, 0), (rest,))]) if rest else x

    values = _by_columns(stream, table(active), propose, dtype, [table(p) for p in parameters], columns)
    return reshape(slice_axis(reshape(values, (ROWS * columns,)), 0, active.size, 0), active.shape)


def known_empty(active):
    """Whether a mask is known, while tracing too, to hold nowhere: its loop needs no compiling then."""
    return type(active) is Array and not active.value.any()


def _loop(values, waits, body, state):
    """while_loop; where all values that it depends on are known, turn by turn, without a program made of it first."""
    if not all(type(v) is Array for v in values):
        return while_loop(waits, body, state)
    while waits(state):
        state = body(state)
    return state


def _any(x):
    return reduce_or_p.bind(x, axes=tuple(range(x.ndim))) if x.ndim else x


def _all_at_once(stream, active, propose, dtype, parameters):
    place = places(active.shape)

    def body(state):
        turn, waiting, values = state
        proposal, accepted = propose(*stream.pairs(turn, place, word_of(dtype)), *parameters)
        values = where(waiting, proposal, values)
        return turn + _ONE, bitwise_and(waiting, invert(accepted)), values

    start = (asvalue(np.uint32(0)), active, full(active.shape, 0, dtype))
    return _loop([stream.a, stream.b, active, *parameters],
                 lambda state: bitwise_and(_any(state[1]), state[0] < np.uint32(TURNS)), body, start)[2]


def _by_columns(stream, active, propose, dtype, parameters, columns):
    rows, column = reshape(places((ROWS,)), (ROWS, 1)), places((columns,))

    def body(state):
        turn, row, count, values = state                 # of each column: where it is, and its tries there
        busy = lt(row, np.uint32(ROWS))
        place = minimum(row, np.uint32(ROWS - 1)) * np.uint32(columns) + column
        index = (cast(place, np.dtype("int64")),)
        wanted = gather_nd(active, index)
        proposal, accepted = propose(*stream.pairs(count, place, word_of(dtype)), *[gather_nd(p, index)
                                                                                    for p in parameters])
        values = where(bitwise_and(eq(rows, row), wanted), proposal, values)
        done = bitwise_or(accepted, invert(wanted))
        row = where(bitwise_and(busy, done), row + _ONE, row)
        return turn + _ONE, row, where(done, np.uint32(0), count + _ONE), values

    def waits(state):
        turn, row, _, _ = state
        return bitwise_and(bitwise_and(some, turn < np.uint32(ROWS * TURNS)), _any(lt(row, np.uint32(ROWS))))

    some, zero = _any(active), full((columns,), 0, np.dtype("uint32"))
    start = (asvalue(np.uint32(0)), zero, zero, full((ROWS, columns), 0, dtype))
    return _loop([stream.a, stream.b, active, *parameters], waits, body, start)[3]


# ---- the logarithms of factorials and of probabilities, without differences of large numbers ----

_SERIES = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)   # DLMF 5.11.1
_FIRST = [math.lgamma(k + 1) - (k * math.log(k) - k if k else 0) for k in range(6)]
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def log_factorial_rest(k):
    """log k! - (k log k - k) for integers k >= 0 in float64: the first six, then Stirling's series."""
    n = maximum(k, 6.0)
    square = 1 / (n * n)
    rest = _SERIES[-1]
    for c in _SERIES[-2::-1]:
        rest = rest * square + c
    out = rest / n + 0.5 * log(n) + _HALF_LOG_2PI
    for i, value in enumerate(_FIRST):
        out = where(eq(k, float(i)), np.full((), value), out)
    return out


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


def inversion(u, active, start, following, limit):
    """The smallest k with F(k) >= u, by adding up probabilities: p(0) = start, p(k) = following(k, p(k - 1)); 0 where
    not active, and start is 1."""
    if known_empty(active):
        return full(u.shape, 0, u.dtype)

    def waits(state):
        i, _, _, rest = state
        return bitwise_and(_any(rest > 0.0), i < limit)

    def body(state):
        i, k, p, rest = state
        go = rest > 0.0
        k = where(go, k + 1, k)
        p = where(go, following(k, p), p)
        return i + 1, k, p, rest - where(go, maximum(p, 1e-17), np.zeros(()))      # rounding must not ask for more

    zero = full(u.shape, 0, u.dtype)
    return _loop([u, active, start], waits, body, (asvalue(np.int64(0)), zero, start, u - start))[1]
