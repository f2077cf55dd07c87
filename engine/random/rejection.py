"""Distributions drawn by rejection: gamma and what is made of it, Poisson, binomial.

Each is one loop over the whole array: every turn proposes for all elements, with the key folded with the turn's
number, and an element keeps the first proposal it accepts. So what an element gets depends on the key and its own
place and parameters, not on its neighbours.
"""
import numpy as np

from ..avals import default_float
from ..control.loops import while_loop
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
from ..ops.gamma_quantile import gamma_path_p
from ..ops.gammas import lgamma
from ..ops.reduce import logsumexp_of, reduce_or_p
from ..ops.structural import asvalue, broadcast_to, cast, reshape
from .bits import float_dtype, normal_draw, open_unit_draw, shape_of
from .continuous import parameters
from .discrete import int_dtype
from .keys import inner, single

_U32 = np.dtype("uint32")


def _turn_key(pair, i):
    """The words of the key for turn i of a loop."""
    return inner(pair, 1, cast(i, _U32))


def _sub(pair, i):
    """The words of the i-th key derived from one."""
    return inner(pair, 0, asvalue(np.uint32(i)))


def _rejection(pair, active, propose, dtype):
    """Proposals until all `active` elements have accepted one.   propose(pair) -> (values, accepted)"""
    shape = active.shape
    axes = tuple(range(len(shape)))

    def body(state):
        i, waiting, values = state
        proposal, accepted = propose(_turn_key(pair, i))
        values = where(waiting, proposal, values)
        return i + 1, bitwise_and(waiting, invert(accepted)), values

    def waits(state):
        i, waiting, _ = state
        some = reduce_or_p.bind(waiting, axes=axes) if axes else waiting
        return bitwise_and(some, i < 1000)               # a parameter that is nan must not wait for ever

    start = (asvalue(np.int64(0)), active, broadcast_to(asvalue(np.zeros((), dtype)), shape))
    return while_loop(waits, body, start)[2]


# ---- gamma ----

def _log_gamma_draw(pair, a, dtype):
    """log of a gamma(a) number, with the pathwise derivative in a.

    Marsaglia & Tsang (2000): d (1 + z / sqrt(9 d))³ with d = a - 1/3; for a < 1 a draw of a + 1 times u^(1/a).
    """
    shape = a.shape
    fixed = stop_gradient(a)
    boost = fixed < 1
    d = where(boost, fixed + 1, fixed) - 1 / 3
    c = 1 / sqrt(9 * d)
    main, extra = _sub(pair, 0), _sub(pair, 1)

    def propose(turn):
        z = normal_draw(_sub(turn, 0), shape, dtype)
        u = open_unit_draw(_sub(turn, 1), shape, dtype)
        v = 1 + c * z
        positive = v > 0
        log_v = 3 * log(where(positive, v, np.ones((), dtype)))
        accepted = log(u) < 0.5 * z * z + d * (1 - exp(log_v) + log_v)
        return log_v, bitwise_and(positive, accepted)

    valid = bitwise_and(fixed > 0, isfinite(fixed))
    log_v = _rejection(main, valid, propose, dtype)
    log_x = log(d) + log_v
    u = open_unit_draw(extra, shape, dtype)
    log_x = where(boost, log_x + log(u) / where(boost, fixed, np.ones((), dtype)), log_x)
    edge = where(eq(fixed, 0), np.asarray(-np.inf, dtype), where(eq(fixed, np.inf), np.asarray(np.inf, dtype),
                                                                 np.asarray(np.nan, dtype)))
    return gamma_path_p.bind(where(valid, log_x, edge), a)


def loggamma(key, a, shape=None, dtype=None):
    """The logarithm of gamma numbers, which does not underflow for small a.   a : float[*batch], > 0 ->
    float[*shape]"""
    dtype = float_dtype(dtype)
    shape, (a,) = parameters("loggamma", shape, dtype, a)
    return _log_gamma_draw(single(key, "loggamma"), a, dtype)


def gamma(key, a, shape=None, dtype=None):
    """Gamma numbers of rate 1: density x^(a-1) e^-x / Γ(a).   a : float[*batch], > 0 -> float[*shape], > 0

    Differentiable in a: dx/da = -(∂P(a, x)/∂a) / p(x; a), P the distribution function (Figurnov et al. 2018).
    Source: Marsaglia & Tsang (2000), "A simple method for generating gamma variables".

    >>> from chainrule.engine import random
    >>> random.gamma(random.key(0), 2.0, (3,)).shape
    (3,)
    """
    dtype = float_dtype(dtype)
    shape, (a,) = parameters("gamma", shape, dtype, a)
    return exp(_log_gamma_draw(single(key, "gamma"), a, dtype))


def chisquare(key, df, shape=None, dtype=None):
    """χ² numbers: twice a gamma number of df / 2.   df : float[*batch], > 0 -> float[*shape], > 0"""
    dtype = float_dtype(dtype)
    shape, (df,) = parameters("chisquare", shape, dtype, df)
    return 2 * exp(_log_gamma_draw(single(key, "chisquare"), df / 2, dtype))


def t(key, df, shape=None, dtype=None):
    """Student t numbers: a normal number over sqrt(χ²(df) / df).   df : float[*batch], > 0 -> float[*shape]"""
    dtype = float_dtype(dtype)
    shape, (df,) = parameters("t", shape, dtype, df)
    pair = single(key, "t")
    half = df / 2
    log_g = _log_gamma_draw(_sub(pair, 1), half, dtype)
    return normal_draw(_sub(pair, 0), shape, dtype) * exp(0.5 * (log(half) - log_g))


def beta(key, a, b, shape=None, dtype=None):
    """Beta numbers: x / (x + y) of two gamma numbers.   a, b : float[*batch], > 0 -> float[*shape], in [0, 1]"""
    dtype = float_dtype(dtype)
    shape, (a, b) = parameters("beta", shape, dtype, a, b)
    pair = single(key, "beta")
    gap = _log_gamma_draw(_sub(pair, 1), b, dtype) - _log_gamma_draw(_sub(pair, 0), a, dtype)
    return 1 / (1 + exp(gap))


def dirichlet(key, alpha, shape=None, dtype=None):
    """Dirichlet vectors: gamma numbers over their sum.   alpha : float[*batch, n], > 0 -> float[*shape, n]

    shape : that of the draws without n; by default *batch
    """
    dtype = float_dtype(dtype)
    alpha = cast(asvalue(alpha), dtype)
    shape = alpha.shape[:-1] if shape is None else shape_of(shape)
    _, (alpha,) = parameters("dirichlet", (*shape, alpha.shape[-1]), dtype, alpha)
    log_g = _log_gamma_draw(single(key, "dirichlet"), alpha, dtype)
    axis = log_g.ndim - 1
    total = logsumexp_of(log_g, (axis,))
    return exp(log_g - reshape(total, (*total.shape, 1)))


# ---- Poisson ----

def poisson(key, lam, shape=None, dtype=None):
    """Poisson numbers.   lam : float[*batch], >= 0 -> int[*shape]; -1 where lam is not a number >= 0

    From a rate of 10 by transformed rejection (Hörmann 1993, "The transformed rejection method for generating Poisson
    random variables", algorithm PTRS), below by inversion. float32 parameters are computed with in float64.
    """
    dtype = int_dtype(dtype)
    f = np.dtype("float64")
    shape, (lam,) = parameters("poisson", shape, f, stop_gradient(asvalue(lam)))
    pair = single(key, "poisson")
    valid = bitwise_and(ge(lam, 0), isfinite(lam))
    big = bitwise_and(valid, ge(lam, 10))
    rate = where(big, lam, np.full((), 10.0))
    b = 0.931 + 2.53 * sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2)
    log_rate = log(rate)

    def propose(turn):
        u = open_unit_draw(_sub(turn, 0), shape, f) - 0.5
        v = open_unit_draw(_sub(turn, 1), shape, f)
        us = 0.5 - abs(u)
        k = floor((2 * a / us + b) * u + rate + 0.43)
        quick = bitwise_and(ge(us, 0.07), le(v, v_r))
        outside = bitwise_or(lt(k, 0), bitwise_and(lt(us, 0.013), gt(v, us)))
        kept = maximum(k, 0.0)
        exact = le(log(v * inverse_alpha / (a / (us * us) + b)), kept * log_rate - rate - lgamma(kept + 1))
        return k, bitwise_or(quick, bitwise_and(invert(outside), exact))

    large = _rejection(_sub(pair, 0), big, propose, f)
    low = where(big, np.zeros(()), where(valid, lam, np.zeros(())))
    small = _inversion(open_unit_draw(_sub(pair, 1), shape, f), exp(-low), lambda k, p: p * low / k, 150)
    return _finish(where(big, large, small), valid, dtype)


def _inversion(u, start, following, limit):
    """The smallest k with F(k) >= u, by adding up probabilities: p(0) = start, p(k) = following(k, p(k - 1))."""
    axes = tuple(range(u.ndim))

    def waits(state):
        i, _, _, rest = state
        some = gt(rest, 0.0)
        some = reduce_or_p.bind(some, axes=axes) if axes else some
        return bitwise_and(some, i < limit)

    def body(state):
        i, k, p, rest = state
        go = gt(rest, 0.0)
        k = where(go, k + 1, k)
        p = following(maximum(k, 1.0), p)
        return i + 1, k, p, rest - where(go, p, np.zeros(()))

    zero = broadcast_to(asvalue(np.zeros(())), u.shape)
    return while_loop(waits, body, (asvalue(np.int64(0)), zero, start, u - start))[1]


def _finish(k, valid, dtype):
    k = where(valid, k, np.full((), -1.0))
    top = float(np.iinfo(dtype).max)
    return cast(minimum(k, top), dtype)


# ---- binomial ----

def binomial(key, n, p, shape=None, dtype=None):
    """The number of successes in n trials.   n : >= 0, p : in [0, 1] -> float[*shape]; nan where they are not

    Where n min(p, 1 - p) >= 10 by transformed rejection (Hörmann 1993, "The generation of binomial random variates",
    algorithm BTRS), below by inversion.
    """
    dtype = default_float() if dtype is None or dtype is float else np.dtype(dtype)
    f = np.dtype("float64")
    shape, (n, p) = parameters("binomial", shape, f, stop_gradient(asvalue(n)), stop_gradient(asvalue(p)))
    pair = single(key, "binomial")
    valid = bitwise_and(bitwise_and(ge(n, 0), isfinite(n)), bitwise_and(ge(p, 0), le(p, 1)))
    n = floor(n)
    flip = gt(p, 0.5)
    q = where(flip, 1 - p, p)
    big = bitwise_and(valid, ge(n * q, 10))
    large = _binomial_large(_sub(pair, 0), big, where(big, n, np.full((), 20.0)), where(big, q, np.full((), 0.5)))
    small_n = where(bitwise_and(valid, invert(big)), n, np.zeros(()))
    small_q = where(bitwise_and(valid, invert(big)), q, np.zeros(()))
    odds = small_q / (1 - small_q)
    small = _inversion(open_unit_draw(_sub(pair, 1), shape, f), exp(small_n * log1p(-small_q)),
                       lambda k, pk: pk * (maximum(small_n - k + 1, 0.0) / k) * odds, 150)
    k = where(big, large, minimum(small, small_n))
    k = where(flip, n - k, k)
    return cast(where(valid, k, np.full((), np.nan)), dtype)


def _binomial_large(pair, active, n, p):
    spread = sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    v_r = 0.92 - 4.2 / b
    alpha = (2.83 + 5.1 / b) * spread
    log_odds = log(p) - log1p(-p)
    m = floor((n + 1) * p)
    at_mode = lgamma(m + 1) + lgamma(n - m + 1)

    def propose(turn):
        u = open_unit_draw(_sub(turn, 0), n.shape, n.dtype) - 0.5
        v = open_unit_draw(_sub(turn, 1), n.shape, n.dtype)
        us = 0.5 - abs(u)
        k = floor((2 * a / us + b) * u + c)
        quick = bitwise_and(ge(us, 0.07), le(v, v_r))
        outside = bitwise_or(lt(k, 0), gt(k, n))
        kept = minimum(maximum(k, 0.0), n)
        ratio = at_mode - lgamma(kept + 1) - lgamma(n - kept + 1) + (kept - m) * log_odds
        exact = le(log(v * alpha / (a / (us * us) + b)), ratio)
        return k, bitwise_or(quick, bitwise_and(invert(outside), exact))

    return _rejection(pair, active, propose, n.dtype)


__all__ = ["beta", "binomial", "chisquare", "dirichlet", "gamma", "loggamma", "poisson", "t"]
