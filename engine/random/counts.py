"""Numbers of events: Poisson, binomial and what is made of them, hypergeometric, Zipf.

Where few events are expected by adding up probabilities, else by rejection; all in float64.
"""
import numpy as np

from ..control.scan import scan
from ..errors import ShapeError
from ..ops.elementwise import (
    abs,
    bitwise_and,
    bitwise_or,
    eq,
    exp,
    floor,
    ge,
    gt,
    invert,
    isfinite,
    le,
    log,
    log1p,
    lt,
    maximum,
    minimum,
    sqrt,
    stop_gradient,
    where,
)
from ..ops.reduce import cumsum
from ..ops.shaping import reverse
from ..ops.structural import asvalue, broadcast_to, cast, moveaxis
from .bits import float_dtype, open_unit, open_unit_draw
from .continuous import parameters
from .discrete import int_dtype, integers
from .gammas import gamma_draw
from .keys import single
from .rejection import deviance, inversion, log_binomial, log_factorial_rest, rejection

_F64 = np.dtype("float64")
_ZERO, _ONE = np.zeros(()), np.ones(())
FEW = 10.0                                               # the mean from which on draws are by rejection
_STEPS = 150                                             # no more events than this come with a mean of FEW


def _fixed(what, shape, *values):
    """Parameters as float64, without derivatives."""
    return parameters(what, shape, _F64, *[stop_gradient(asvalue(v)) for v in values])


def _count_dtype(dtype):
    """The dtype of counts that may be of either kind: the default float for None."""
    return int_dtype(dtype) if dtype is not None and np.dtype(dtype).kind in "iu" else float_dtype(dtype)


def _floats(k, valid, dtype):
    """Counts in a floating dtype, nan where the parameters are not valid; or in an integer one."""
    if dtype.kind in "iu":
        return integers(k, valid, dtype)
    return cast(where(valid, k, np.full((), np.nan)), dtype)


# ---- Poisson ----

def poisson_draw(stream, lam):
    """Poisson numbers as float64 for rates >= 0 and finite; 0 elsewhere.

    Hörmann (1993), "The transformed rejection method for generating Poisson random variables", algorithm PTRS.
    """
    valid = bitwise_and(ge(lam, 0), isfinite(lam))
    big = bitwise_and(valid, ge(lam, FEW))
    rate = where(big, lam, np.full((), FEW))

    def propose(first, second, rate, b):
        u, v = open_unit(first, _F64) - 0.5, open_unit(second, _F64)
        us = 0.5 - abs(u)
        a = -0.059 + 0.02483 * b
        inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
        k = floor((2 * a / us + b) * u + rate + 0.43)
        outside = bitwise_or(lt(k, 0), bitwise_and(lt(us, 0.013), gt(v, us)))
        kept = maximum(k, 0.0)
        inside = le(log(v * inverse_alpha / (a / (us * us) + b)), -log_factorial_rest(kept) - deviance(kept, rate))
        return k, bitwise_and(invert(outside), inside)

    large = rejection(stream, big, propose, _F64, rate, 0.931 + 2.53 * sqrt(rate))
    few = bitwise_and(valid, invert(big))
    low = where(few, lam, _ZERO)
    small = inversion(open_unit_draw(stream, lam.shape, _F64), few, exp(-low), lambda k, p: p * low / k, _STEPS)
    return where(big, large, small)


def poisson(key, lam, shape=None, dtype=None):
    """Poisson numbers.   lam : float[*batch], >= 0 -> int[*shape]; -1 where lam is not a finite number >= 0

    From a rate of 10 by transformed rejection (Hörmann 1993, algorithm PTRS), with probabilities that keep their
    accuracy at any rate (Loader 2000); below by inversion.

    >>> from chainrule.engine import random
    >>> int(random.poisson(random.key(0), 0.0))
    0
    """
    dtype = int_dtype(dtype)
    shape, (lam,) = _fixed("poisson", shape, lam)
    valid = bitwise_and(ge(lam, 0), isfinite(lam))
    return integers(poisson_draw(single(key, "poisson"), lam), valid, dtype)


def negative_binomial(key, n, p, shape=None, dtype=None):
    """The number of failures before the n-th success: Poisson numbers with rates (1 - p) / p times gamma(n) numbers.

    n : float[*batch], > 0      p : float[*batch], in (0, 1] -> int[*shape]; -1 where they are not

    >>> from chainrule.engine import random
    >>> int(random.negative_binomial(random.key(0), 3, 1.0))
    0
    """
    dtype = int_dtype(dtype)
    shape, (n, p) = _fixed("negative_binomial", shape, n, p)
    stream = single(key, "negative_binomial")
    valid = bitwise_and(bitwise_and(gt(n, 0), isfinite(n)), bitwise_and(gt(p, 0), le(p, 1)))
    p = where(valid, p, _ONE)
    rate = gamma_draw(stream.inner(0), where(valid, n, _ONE), _F64, logarithm=False) * ((1 - p) / p)
    return integers(poisson_draw(stream.inner(1), minimum(rate, 1e300)), valid, dtype)


# ---- binomial ----

def binomial_draw(stream, n, p):
    """(numbers of successes as float64, where the parameters are valid)."""
    valid = bitwise_and(bitwise_and(ge(n, 0), isfinite(n)), bitwise_and(ge(p, 0), le(p, 1)))
    n = floor(n)
    flip = gt(p, 0.5)
    q = where(flip, 1 - p, p)
    big = bitwise_and(valid, ge(n * q, FEW))
    large = _binomial_large(stream, big, where(big, n, np.full((), 20.0)), where(big, q, np.full((), 0.5)))
    few = bitwise_and(valid, invert(big))
    small_n, small_q = where(few, n, _ZERO), where(few, q, _ZERO)
    odds = small_q / (1 - small_q)
    small = inversion(open_unit_draw(stream, n.shape, _F64), few, exp(small_n * log1p(-small_q)),
                      lambda k, pk: pk * (maximum(small_n - k + 1, 0.0) / k) * odds, _STEPS)
    k = where(big, large, minimum(small, small_n))
    return where(flip, n - k, k), valid


def _binomial_large(stream, active, n, p):
    """Hörmann (1993), "The generation of binomial random variates", algorithm BTRS."""
    spread = sqrt(n * p * (1 - p))
    mean, rest = n * p, n * (1 - p)
    at_mode = log_binomial(floor((n + 1) * p), n, mean, rest)

    def propose(first, second, n, p, mean, rest, spread, at_mode):
        u, v = open_unit(first, _F64) - 0.5, open_unit(second, _F64)
        us = 0.5 - abs(u)
        b = 1.15 + 2.53 * spread
        a = -0.0873 + 0.0248 * b + 0.01 * p
        alpha = (2.83 + 5.1 / b) * spread
        k = floor((2 * a / us + b) * u + mean + 0.5)
        outside = bitwise_or(lt(k, 0), gt(k, n))
        kept = minimum(maximum(k, 0.0), n)
        inside = le(log(v * alpha / (a / (us * us) + b)), log_binomial(kept, n, mean, rest) - at_mode)
        return k, bitwise_and(invert(outside), inside)

    return rejection(stream, active, propose, _F64, n, p, mean, rest, spread, at_mode)


def binomial(key, n, p, shape=None, dtype=None):
    """The number of successes in n trials.   n : >= 0, p : in [0, 1] -> float[*shape]; nan where they are not

    Where n min(p, 1 - p) >= 10 by transformed rejection (Hörmann 1993, algorithm BTRS), below by inversion. dtype may
    be an integer one, with -1 for nan.

    >>> from chainrule.engine import random
    >>> random.binomial(random.key(0), 7, np.array([0.0, 1.0])).tolist()
    [0.0, 7.0]
    """
    dtype = _count_dtype(dtype)
    shape, (n, p) = _fixed("binomial", shape, n, p)
    return _floats(*binomial_draw(single(key, "binomial"), n, p), dtype)


def multinomial(key, n, p, *, shape=None, dtype=None):
    """How n trials fall on categories: binomial numbers of what is left, one category after the other.

    n : [*batch], >= 0      p : float[*batch, k], >= 0, sums to 1 -> float[*shape, k]; shape is that without k

    >>> from chainrule.engine import random
    >>> float(random.multinomial(random.key(0), 10, np.array([0.2, 0.8])).sum())
    10.0
    """
    dtype = _count_dtype(dtype)
    n, p = (cast(stop_gradient(asvalue(v)), _F64) for v in (n, p))
    if p.ndim < 1:
        raise ShapeError("multinomial takes probabilities p [..., k]; got a number.")
    shape, (n, _) = parameters("multinomial", shape, _F64, n, p[..., 0] if p.shape[-1] else np.zeros(p.shape[:-1]))
    stream = single(key, "multinomial")
    p = moveaxis(broadcast_to(p, (*shape, p.shape[-1])), -1, 0)
    tail = reverse(cumsum(reverse(p, (0,)), 0), (0,))    # what is left, this category included
    share = where(gt(tail, 0), minimum(p / where(gt(tail, 0), tail, _ONE), 1.0), where(eq(tail, 0), _ZERO, tail))

    def step(carry, row):
        i, left, fine = carry
        k, valid = binomial_draw(stream.inner(i), left, row)
        fine = bitwise_and(fine, valid)
        k = where(fine, k, _ZERO)
        return (i + np.uint32(1), left - k, fine), k

    start = (asvalue(np.uint32(0)), n, broadcast_to(asvalue(np.ones((), bool)), shape))
    (_, _, fine), counts = scan(step, start, share)
    return _floats(moveaxis(counts, 0, -1), broadcast_to(fine[..., None], (*shape, p.shape[0])), dtype)


# ---- hypergeometric ----

def hypergeometric(key, ngood, nbad, nsample, shape=None, dtype=None):
    """The number of good ones in a sample without replacement.   ngood, nbad, nsample : int[*batch], >= 0 ->
    int[*shape]

    -1 where they are not, or where the sample is larger than the whole. By ratio of uniforms (Stadlober 1990, "The
    ratio of uniforms approach for generating discrete random variates", algorithm HRUA), by inversion where fewer than
    10 good ones are expected.

    >>> from chainrule.engine import random
    >>> int(random.hypergeometric(random.key(0), 3, 0, 2))
    2
    """
    dtype = int_dtype(dtype)
    shape, (good, bad, size) = _fixed("hypergeometric", shape, ngood, nbad, nsample)
    good, bad, size = floor(good), floor(bad), floor(size)
    valid = bitwise_and(bitwise_and(ge(good, 0), ge(bad, 0)), bitwise_and(ge(size, 0), le(size, good + bad)))
    good, bad, size = (where(valid, v, _ONE) for v in (good, bad, size))
    # the case with a sample of at most half, and no more good ones than bad ones, where counts begin at 0
    total = good + bad
    less, more, n = minimum(good, bad), maximum(good, bad), minimum(size, total - size)
    k = _hypergeometric_draw(single(key, "hypergeometric"), less, more, n)
    k = where(gt(good, bad), n - k, k)
    return integers(where(gt(size, total - size), good - k, k), valid, dtype)


def _hypergeometric_draw(stream, good, bad, n):
    total = good + bad
    share = n / total
    big = ge(good * share, FEW)
    few = invert(big)

    def logarithm(k, good, bad, n, share):
        """The log of the probability of k, up to the same constant."""
        return (log_binomial(k, good, good * share, good * (1 - share))
                + log_binomial(n - k, bad, bad * share, bad * (1 - share)))

    g, m, s, r = (where(big, v, np.full((), w)) for v, w in ((good, 40.0), (bad, 40.0), (n, 40.0), (share, 0.5)))
    mean = s * g / (g + m)
    spread = sqrt(mean * (m / (g + m)) * ((g + m - s) / (g + m - 1)) + 0.5)
    width = 2 * (2 / np.e) ** 0.5 * spread + (3 - 2 * (3 / np.e) ** 0.5)
    at_mode = logarithm(floor((s + 1) * (g + 1) / (g + m + 2)), g, m, s, r)

    def propose(first, second, g, m, s, r, mean, width, at_mode):
        u, v = open_unit(first, _F64), open_unit(second, _F64)
        k = floor(mean + 0.5 + width * (v - 0.5) / u)
        kept = minimum(maximum(k, 0.0), minimum(s, g))
        return k, bitwise_and(eq(k, kept), le(2 * log(u), logarithm(kept, g, m, s, r) - at_mode))

    large = rejection(stream, big, propose, _F64, g, m, s, r, mean, width, at_mode)
    g, m, s, r = (where(few, v, w) for v, w in ((good, _ZERO), (bad, _ONE), (n, _ZERO), (share, _ZERO)))
    none = exp(log_binomial(s, m, m * r, m * (1 - r)) - log_binomial(s, g + m, (g + m) * r, (g + m) * (1 - r))
               + g * log1p(-r))
    small = inversion(open_unit_draw(stream, good.shape, _F64), few, none,
                      lambda k, p: p * (maximum(g - k + 1, 0.0) * maximum(s - k + 1, 0.0) / (k * (m - s + k))), _STEPS)
    return where(big, large, minimum(small, minimum(g, s)))


# ---- Zipf ----

def zipf(key, a, shape=None, dtype=None):
    """Numbers k >= 1 with probability k^-a / ζ(a).   a : float[*batch], > 1 -> int[*shape]; -1 where it is not

    Source: Hörmann & Derflinger (1996), "Rejection-inversion to generate variates from monotone discrete
    distributions", section 3.

    >>> from chainrule.engine import random
    >>> int(random.zipf(random.key(0), 200.0))
    1
    """
    dtype = int_dtype(dtype)
    shape, (a,) = _fixed("zipf", shape, a)
    valid = bitwise_and(gt(a, 1), isfinite(a))
    b = where(valid, a, np.full((), 2.0)) - 1

    def propose(first, second, b, top):
        t = open_unit(first, _F64) * top                 # (a - 1) times the area to the right of x
        x = exp(minimum(-log(t) / b, 700.0))
        k = floor(x + 0.5)
        return k, le(t, exp(-b * log(k + 0.5)) + b * exp(-(b + 1) * log(k)))

    return integers(rejection(single(key, "zipf"), valid, propose, _F64, b, exp(-b * np.log(1.5)) + b), valid, dtype)


__all__ = ["binomial", "hypergeometric", "multinomial", "negative_binomial", "poisson", "zipf"]
