"""Gamma numbers and what is made of them, with pathwise derivatives in their parameters."""
import numpy as np

from ..errors import ShapeError
from ..ops.elementwise import (
    bitwise_and,
    bitwise_or,
    eq,
    exp,
    expit,
    isfinite,
    log,
    log1p,
    lt,
    sqrt,
    stop_gradient,
    where,
)
from ..ops.gamma_quantile import gamma_path_p
from ..ops.paths import beta_path_p, known_exp_p
from ..ops.reduce import reduce_max_p
from ..ops.structural import asvalue, broadcast_to, cast, reduce_sum, reshape
from .bits import normal_draw, normal_of, of_floats, open_unit, open_unit_draw, shape_of, signed_half, word_of
from .continuous import parameters
from .keys import single
from .rejection import rejection

# from here on every proposal is taken: those refused would be z⁴ / (108 a) of them, less than the rounding
_LARGE = {np.dtype("float32"): 1e4, np.dtype("float64"): 1e8}


def gamma_draw(stream, a, dtype, logarithm=True):
    """Gamma(a) numbers, or their logarithms, with the pathwise derivative in a.

    Marsaglia & Tsang (2000): d (1 + c z)³ with d = a - 1/3, c = 1/√(9 d); for a < 1 a draw of a + 1 times u^(1/a).
    """
    fixed = stop_gradient(a)
    valid = bitwise_and(fixed > 0, isfinite(fixed))
    one = np.ones((), dtype)
    safe = where(valid, fixed, one)
    boost = safe < 1
    d = where(boost, safe + 1, safe) - 1 / 3
    c = 1 / sqrt(9 * d)

    def propose(first, second, d, c):
        z = normal_of(first, dtype)
        y = c * z
        inside = y > -1
        log_t = log1p(where(inside, y, one))
        # z²/2 + d (1 - v + log v) with v = (1 + y)³ and d y² = z²/9
        bound = d * (y * y * (1.5 - y) - 3 * (y - log_t))
        accepted = bitwise_or(d > _LARGE[dtype], lt(log(open_unit(second, dtype)), bound))
        return y, bitwise_and(inside, accepted)

    y = rejection(stream, valid, propose, dtype, d, c)
    lower = log(open_unit_draw(stream, a.shape, dtype)) / safe
    zero = np.zeros((), dtype)
    lower = where(boost, lower, zero)
    edge = where(eq(fixed, 0), np.asarray(-np.inf, dtype),
                 where(eq(fixed, np.inf), np.asarray(np.inf, dtype), np.asarray(np.nan, dtype)))
    log_x = gamma_path_p.bind(where(valid, log(d) + 3 * log1p(y) + lower, edge), a)
    if logarithm:
        return log_x
    t = 1 + y
    return known_exp_p.bind(where(valid, d * (t * t * t) * exp(lower), exp(edge)), log_x)


@of_floats
def loggamma(key, a, shape=None, dtype=None):
    """The logarithm of gamma numbers, which does not underflow for small a.   a : float[*batch], > 0 ->
    float[*shape]"""
    shape, (a,) = parameters("loggamma", shape, dtype, a)
    return gamma_draw(single(key, "loggamma"), a, dtype)


@of_floats
def gamma(key, a, shape=None, dtype=None):
    """Gamma numbers of rate 1: density x^(a-1) e^-x / Γ(a).   a : float[*batch], > 0 -> float[*shape], > 0

    Differentiable in a: dx/da = -(∂P(a, x)/∂a) / p(x; a), P the distribution function (Figurnov et al. 2018).
    0 at a = 0, inf at a = inf, nan where a is not a number >= 0.
    Source: Marsaglia & Tsang (2000), "A simple method for generating gamma variables".

    >>> from chainrule.engine import random
    >>> random.gamma(random.key(0), 2.0, (3,)).shape
    (3,)
    """
    shape, (a,) = parameters("gamma", shape, dtype, a)
    return gamma_draw(single(key, "gamma"), a, dtype, logarithm=False)


@of_floats
def chisquare(key, df, shape=None, dtype=None):
    """χ² numbers: twice a gamma number of df / 2.   df : float[*batch], > 0 -> float[*shape], > 0"""
    shape, (df,) = parameters("chisquare", shape, dtype, df)
    return 2 * gamma_draw(single(key, "chisquare"), df / 2, dtype, logarithm=False)


@of_floats
def t(key, df, shape=None, dtype=None):
    """Student t numbers: a normal number over sqrt(χ²(df) / df).   df : float[*batch], > 0 -> float[*shape]

    Normal numbers for df = inf. Differentiable in df, through the gamma number.
    """
    shape, (df,) = parameters("t", shape, dtype, df)
    stream = single(key, "t")
    half = df / 2
    finite = isfinite(half)
    half = where(finite, half, np.ones((), dtype))
    scale = exp(0.5 * (log(half) - gamma_draw(stream.inner(1), half, dtype)))
    return normal_draw(stream.inner(0), shape, dtype) * where(finite, scale, where(eq(df, np.inf), np.ones((), dtype),
                                                                                  np.asarray(np.nan, dtype)))


@of_floats
def f(key, dfnum, dfden, shape=None, dtype=None):
    """F numbers: (χ²(dfnum) / dfnum) / (χ²(dfden) / dfden).   dfnum, dfden : float[*batch], > 0 -> float[*shape], > 0

    >>> from chainrule.engine import random
    >>> bool(random.f(random.key(0), 3.0, 5.0) > 0)
    True
    """
    shape, (n, m) = parameters("f", shape, dtype, dfnum, dfden)
    stream = single(key, "f")
    n, m = n / 2, m / 2
    top, bottom = (gamma_draw(stream.inner(i), v, dtype) - log(v) for i, v in enumerate((n, m)))
    return exp(top - bottom)


@of_floats
def beta(key, a, b, shape=None, dtype=None):
    """Beta numbers: x / (x + y) of two gamma numbers.   a, b : float[*batch], > 0 -> float[*shape], in [0, 1]

    Differentiable in both: dx/da = -(∂I/∂a) / p(x; a, b), I the distribution function, which varies less than the
    derivatives through the gamma numbers do.
    """
    shape, (a, b) = parameters("beta", shape, dtype, a, b)
    stream = single(key, "beta")
    fixed = [stop_gradient(v) for v in (a, b)]
    log_x, log_y = (gamma_draw(stream.inner(i), v, dtype) for i, v in enumerate(fixed))
    return expit(beta_path_p.bind(log_x - log_y, a, b))


@of_floats
def dirichlet(key, alpha, shape=None, dtype=None):
    """Dirichlet vectors: gamma numbers over their sum, in logarithms.   alpha : float[*batch, n], > 0 ->
    float[*shape, n]

    shape : that of the draws without n; by default *batch

    Differentiable in alpha, through the gamma numbers. For tiny alpha all but one of them may underflow.
    """
    alpha = cast(asvalue(alpha), dtype)
    if alpha.ndim < 1:
        raise ShapeError("dirichlet takes concentrations alpha [..., n]; got a number.")
    if alpha.shape[-1] < 1:
        raise ShapeError(f"dirichlet takes at least one concentration; got alpha of shape {alpha.shape}.")
    shape = alpha.shape[:-1] if shape is None else shape_of(shape)
    _, (alpha,) = parameters("dirichlet", (*shape, alpha.shape[-1]), dtype, alpha)
    log_g = gamma_draw(single(key, "dirichlet"), alpha, dtype)
    last = (log_g.ndim - 1,)
    weights = exp(log_g - reshape(stop_gradient(reduce_max_p.bind(log_g, axes=last)), (*shape, 1)))
    return weights / reshape(reduce_sum(weights, last), (*shape, 1))


def generalized_normal_draw(stream, p, shape, dtype):
    """Generalized normal numbers of a stream: a sign and gamma(1/p)^(1/p)."""
    power = broadcast_to(1 / p, shape)
    sign, _ = signed_half(stream.words(shape, word_of(dtype)), dtype)
    return sign * exp(gamma_draw(stream.inner(1), power, dtype) * power)


@of_floats
def generalized_normal(key, p, shape=None, dtype=None):
    """Numbers with density exp(-|x|ᵖ) / (2 Γ(1 + 1/p)).   p : float[*batch], > 0 -> float[*shape]"""
    shape, (p,) = parameters("generalized_normal", shape, dtype, p)
    return generalized_normal_draw(single(key, "generalized_normal"), p, shape, dtype)


__all__ = ["beta", "chisquare", "dirichlet", "f", "gamma", "generalized_normal", "loggamma", "t"]
