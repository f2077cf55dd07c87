"""Continuous distributions drawn by inversion or by a formula: one uniform or normal number each."""
import math

import numpy as np

from ..avals import broadcast_shapes
from ..errors import ShapeError
from ..numpy.products import matvec
from ..ops.elementwise import abs, exp, log, log1p, maximum, minimum, nextafter, sign, sqrt, tan, where
from ..ops.linalg import cholesky
from ..ops.special import ndtr, ndtri
from ..ops.structural import asvalue, broadcast_to, cast
from .bits import float_dtype, normal_draw, open_unit_draw, shape_of, unit_draw
from .keys import single


def fits(batch, shape):
    """Whether arrays of shape `batch` broadcast to exactly `shape`."""
    return len(batch) <= len(shape) and all(m in (1, n) for m, n in zip(batch[::-1], shape[::-1]))


def parameters(what, shape, dtype, *values):
    """(shape, values) of the parameters in one dtype, broadcast to the shape of the draw (to each other's for None)."""
    values = [cast(asvalue(v), dtype) for v in values]
    common = broadcast_shapes(*[v.shape for v in values])
    if shape is None:
        return common, [broadcast_to(v, common) for v in values]
    shape = shape_of(shape)
    if not fits(common, shape):
        raise ShapeError(f"{what} draws shape {shape}, to which parameters of shape {common} do not broadcast.\n"
                         f"`shape` is that of the whole result: (*shape, {', '.join(map(str, common))}).")
    return shape, [broadcast_to(v, shape) for v in values]


def truncated_normal(key, lower, upper, shape=None, dtype=None):
    """Standard normal numbers given that they lie in (lower, upper).   lower, upper : float[*batch] -> float[*shape]

    By inversion, on the side of 0 where the distribution function is small, so both tails keep their accuracy.

    >>> from chainrule.engine import random
    >>> bool(random.truncated_normal(random.key(0), 9.0, 10.0) > 9)
    True
    """
    dtype = float_dtype(dtype)
    shape, (low, high) = parameters("truncated_normal", shape, dtype, lower, upper)
    u = open_unit_draw(single(key, "truncated_normal"), shape, dtype)
    flip = low + high > 0
    a, b = where(flip, -high, low), where(flip, -low, high)
    fa, fb = ndtr(a), ndtr(b)
    x = ndtri(fa + u * (fb - fa))
    x = where(flip, -x, x)
    infinite = np.asarray(np.inf, dtype)
    return maximum(nextafter(low, infinite), minimum(nextafter(high, -infinite), x))


def exponential(key, shape=(), dtype=None):
    """Exponential numbers of rate 1: -log(1 - u).   -> float[*shape], >= 0"""
    return _exponential(single(key, "exponential"), shape_of(shape), float_dtype(dtype))


def _exponential(pair, shape, dtype):
    return -log1p(-unit_draw(pair, shape, dtype))


def cauchy(key, shape=(), dtype=None):
    """Cauchy numbers: tan(π (u - 1/2)).   -> float[*shape]"""
    dtype = float_dtype(dtype)
    return tan((open_unit_draw(single(key, "cauchy"), shape_of(shape), dtype) - 0.5) * math.pi)


def laplace(key, shape=(), dtype=None):
    """Laplace numbers of scale 1: sign(v) · -log(1 - |v|), v uniform in (-1, 1).   -> float[*shape]"""
    dtype = float_dtype(dtype)
    v = open_unit_draw(single(key, "laplace"), shape_of(shape), dtype) * 2 - 1
    return -sign(v) * log1p(-abs(v))


def logistic(key, shape=(), dtype=None):
    """Logistic numbers: log(u / (1 - u)).   -> float[*shape]"""
    u = open_unit_draw(single(key, "logistic"), shape_of(shape), float_dtype(dtype))
    return log(u) - log1p(-u)


def gumbel(key, shape=(), dtype=None):
    """Gumbel numbers: -log(-log u).   -> float[*shape]"""
    return gumbel_draw(single(key, "gumbel"), shape_of(shape), float_dtype(dtype))


def gumbel_draw(pair, shape, dtype):
    """Gumbel numbers for two key words."""
    return -log(-log(open_unit_draw(pair, shape, dtype)))


def pareto(key, b, shape=None, dtype=None):
    """Pareto numbers on [1, ∞) with P(X > x) = x^-b.   b : float[*batch] -> float[*shape]"""
    dtype = float_dtype(dtype)
    shape, (b,) = parameters("pareto", shape, dtype, b)
    return exp(_exponential(single(key, "pareto"), shape, dtype) / b)


def weibull_min(key, scale, concentration, shape=None, dtype=None):
    """Weibull numbers: scale · (-log(1 - u))^(1/concentration).   -> float[*shape], >= 0"""
    dtype = float_dtype(dtype)
    shape, (scale, concentration) = parameters("weibull_min", shape, dtype, scale, concentration)
    e = -log(open_unit_draw(single(key, "weibull_min"), shape, dtype))
    return scale * exp(log(e) / concentration)


def rayleigh(key, scale, shape=None, dtype=None):
    """Rayleigh numbers: scale · sqrt(-2 log(1 - u)).   -> float[*shape], >= 0"""
    dtype = float_dtype(dtype)
    shape, (scale,) = parameters("rayleigh", shape, dtype, scale)
    return scale * sqrt(_exponential(single(key, "rayleigh"), shape, dtype) * 2)


def triangular(key, left, mode, right, shape=None, dtype=None):
    """Numbers with the triangular density on [left, right] and its top at mode.   -> float[*shape]"""
    dtype = float_dtype(dtype)
    shape, (left, mode, right) = parameters("triangular", shape, dtype, left, mode, right)
    u = unit_draw(single(key, "triangular"), shape, dtype)
    width = right - left
    rising = u * width < mode - left
    x = where(rising, u * (mode - left), (1 - u) * (right - mode)) * width
    return where(rising, left + sqrt(x), right - sqrt(x))


def lognormal(key, sigma=1.0, shape=None, dtype=None):
    """exp(sigma · z), z standard normal.   sigma : float[*batch] -> float[*shape]"""
    dtype = float_dtype(dtype)
    shape, (sigma,) = parameters("lognormal", shape, dtype, sigma)
    return exp(sigma * normal_draw(single(key, "lognormal"), shape, dtype))


def multivariate_normal(key, mean, cov, shape=None, dtype=None, method="cholesky"):
    """mean + L z with L L' = cov.   mean : float[*batch, d], cov : float[*batch, d, d] -> float[*shape, d]

    shape : that of the draws without d; by default *batch
    """
    dtype = float_dtype(dtype)
    if method != "cholesky":
        raise ValueError(f"multivariate_normal draws by the Cholesky factor; method={method!r} is not there.")
    mean, cov = cast(asvalue(mean), dtype), cast(asvalue(cov), dtype)
    if mean.ndim < 1 or cov.ndim < 2 or cov.shape[-2:] != (mean.shape[-1],) * 2:
        raise ShapeError("multivariate_normal takes a mean [..., d] and a covariance [..., d, d]; got shapes "
                         f"{mean.shape} and {cov.shape}.")
    batch = broadcast_shapes(mean.shape[:-1], cov.shape[:-2])
    shape = batch if shape is None else shape_of(shape)
    if not fits(batch, shape):
        raise ShapeError(f"multivariate_normal draws shape {shape}, to which the batch shape {batch} does not "
                         "broadcast.")
    z = normal_draw(single(key, "multivariate_normal"), (*shape, mean.shape[-1]), dtype)
    return mean + matvec(cholesky(cov), z)


__all__ = ["cauchy", "exponential", "gumbel", "laplace", "logistic", "lognormal", "multivariate_normal", "pareto",
           "rayleigh",
           "triangular", "truncated_normal", "weibull_min"]
