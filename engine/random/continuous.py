"""Continuous distributions drawn by inversion or by a formula: one uniform or normal number each."""
import math

import numpy as np

from ..avals import broadcast_shapes
from ..errors import ShapeError
from ..ops.elementwise import abs, exp, isfinite, log, log1p, lt, maximum, minimum, nextafter, sqrt, where
from ..ops.erf import log_ndtr
from ..ops.quantile import ndtri
from ..ops.structural import asvalue, broadcast_to, cast
from .bits import cotangent, normal_draw, of_floats, open_unit_draw, shape_of, signed_half, unit_draw, word_of
from .keys import single

_LOG_2PI = math.log(2 * math.pi)
_MILLS = (1.0, -1.0, 3.0, -15.0, 105.0, -945.0, 10395.0, -135135.0)


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


@of_floats
def truncated_normal(key, lower, upper, shape=None, dtype=None):
    """Standard normal numbers given that they lie in (lower, upper).   lower, upper : float[*batch] -> float[*shape]

    By inversion in logarithms, on the side of 0 where the distribution function is small, so that far tails keep their
    accuracy.

    >>> from chainrule.engine import random
    >>> bool(random.truncated_normal(random.key(0), 50.0, 51.0) > 50)
    True
    """
    shape, (low, high) = parameters("truncated_normal", shape, dtype, lower, upper)
    u = open_unit_draw(single(key, "truncated_normal"), shape, dtype)
    flip = low + high > 0
    a, b = where(flip, -high, low), where(flip, -low, high)
    log_b = log_ndtr(b)
    bounded = isfinite(a)                                # the derivatives at -∞ would be nan
    ratio = exp(log_ndtr(where(bounded, a, np.full((), -1.0, dtype))) - log_b)
    ratio = where(bounded, ratio, np.zeros((), dtype))
    x = _quantile_of_log(log_b + log(ratio + u * (1 - ratio)))
    x = where(flip, -x, x)
    infinite = np.asarray(np.inf, dtype)
    return maximum(nextafter(low, infinite), minimum(nextafter(high, -infinite), x))


def _quantile_of_log(y):
    """x with log Φ(x) = y. In the far tail by Newton's method on Φ(x) = φ(x) / -x (1 - 1/x² + 3/x⁴ - …), DLMF
    7.12.1."""
    limit = -200.0 if y.dtype == np.float64 else -60.0
    far = lt(y, limit)
    z = where(far, y, np.asarray(limit, y.dtype))
    x = -sqrt(-2 * z - log(-2 * z) - _LOG_2PI)
    for _ in range(3):
        square = 1 / (x * x)
        series = _MILLS[-1]
        for c in _MILLS[-2::-1]:
            series = series * square + c
        mills = series / -x
        x = x - (log(mills) - 0.5 * (x * x) - 0.5 * _LOG_2PI - z) * mills
    return where(far, x, ndtri(exp(where(far, np.full((), -1.0, y.dtype), y))))


@of_floats
def exponential(key, shape=(), dtype=None):
    """Exponential numbers of rate 1: -log u.   -> float[*shape], > 0"""
    return exponential_draw(single(key, "exponential"), shape_of(shape), dtype)


def exponential_draw(stream, shape, dtype):
    """Exponential numbers of a stream."""
    return -log(open_unit_draw(stream, shape, dtype))


def _signed(key, what, shape, dtype):
    return signed_half(single(key, what).words(shape_of(shape), word_of(dtype)), dtype)


@of_floats
def cauchy(key, shape=(), dtype=None):
    """Cauchy numbers: ±1 / tan(π h), h uniform in (0, 1/2).   -> float[*shape]"""
    sign, h = _signed(key, "cauchy", shape, dtype)
    return sign * cotangent(h)


@of_floats
def laplace(key, shape=(), dtype=None):
    """Laplace numbers of scale 1: ±log(2 h), h uniform in (0, 1/2).   -> float[*shape]"""
    sign, h = _signed(key, "laplace", shape, dtype)
    return -(sign * log(2 * h))


@of_floats
def logistic(key, shape=(), dtype=None):
    """Logistic numbers: ±log(h / (1 - h)), h uniform in (0, 1/2).   -> float[*shape]"""
    sign, h = _signed(key, "logistic", shape, dtype)
    return -(sign * (log(h) - log1p(-h)))


@of_floats
def gumbel(key, shape=(), dtype=None):
    """Gumbel numbers: -log(-log(1 - u)).   -> float[*shape]"""
    return gumbel_draw(single(key, "gumbel"), shape_of(shape), dtype)


def gumbel_draw(stream, shape, dtype):
    """Gumbel numbers of a stream. Large ones come from small u, which are fine, so that maxima are not tied."""
    return -log(-log1p(-open_unit_draw(stream, shape, dtype)))


@of_floats
def maxwell(key, shape=(), dtype=None):
    """Maxwell numbers, the lengths of standard normal vectors in space: √(2 e + z²).   -> float[*shape], > 0"""
    return _maxwell(single(key, "maxwell"), shape_of(shape), dtype)


def _maxwell(stream, shape, dtype):
    z = normal_draw(stream.inner(1), shape, dtype)
    return sqrt(2 * exponential_draw(stream.inner(0), shape, dtype) + z * z)


@of_floats
def double_sided_maxwell(key, loc, scale, shape=None, dtype=None):
    """loc ± scale · m, m a Maxwell number.   loc, scale : float[*batch] -> float[*shape]"""
    shape, (loc, scale) = parameters("double_sided_maxwell", shape, dtype, loc, scale)
    stream = single(key, "double_sided_maxwell")
    sign, _ = signed_half(stream.words(shape, word_of(dtype)), dtype)
    return loc + scale * (sign * _maxwell(stream, shape, dtype))


@of_floats
def wald(key, mean, shape=None, dtype=None):
    """Inverse Gaussian numbers with the given mean and scale 1.   mean : float[*batch], > 0 -> float[*shape], > 0

    Source: Michael, Schucany & Haas (1976), "Generating random variates using transformations with multiple roots"; the
    smaller root as 4 μ / (√(w + 4) + √w)² with w = μ z², without cancellation.
    """
    shape, (mean,) = parameters("wald", shape, dtype, mean)
    stream = single(key, "wald")
    z = abs(normal_draw(stream.inner(0), shape, dtype))
    u = open_unit_draw(stream.inner(1), shape, dtype)
    root = sqrt(mean) * z
    factor = 2 / (sqrt(root * root + 4) + root)
    factor = factor * factor                             # smaller root / mean, and mean / larger root
    return mean * where(u * (1 + factor) <= 1, factor, 1 / factor)


@of_floats
def pareto(key, b, shape=None, dtype=None):
    """Pareto numbers on [1, ∞) with P(X > x) = x^-b.   b : float[*batch] -> float[*shape]"""
    shape, (b,) = parameters("pareto", shape, dtype, b)
    return exp(exponential_draw(single(key, "pareto"), shape, dtype) / b)


@of_floats
def weibull_min(key, scale, concentration, shape=None, dtype=None):
    """Weibull numbers: scale · (-log(1 - u))^(1/concentration).   -> float[*shape], >= 0"""
    shape, (scale, concentration) = parameters("weibull_min", shape, dtype, scale, concentration)
    e = exponential_draw(single(key, "weibull_min"), shape, dtype)
    return scale * exp(log(e) / concentration)


@of_floats
def rayleigh(key, scale, shape=None, dtype=None):
    """Rayleigh numbers: scale · sqrt(-2 log(1 - u)).   -> float[*shape], >= 0"""
    shape, (scale,) = parameters("rayleigh", shape, dtype, scale)
    return scale * sqrt(exponential_draw(single(key, "rayleigh"), shape, dtype) * 2)


@of_floats
def triangular(key, left, mode, right, shape=None, dtype=None):
    """Numbers with the triangular density on [left, right] and its top at mode.   -> float[*shape]"""
    shape, (left, mode, right) = parameters("triangular", shape, dtype, left, mode, right)
    u = unit_draw(single(key, "triangular"), shape, dtype)
    width = right - left
    rising = u * width < mode - left
    x = where(rising, u * (mode - left), (1 - u) * (right - mode)) * width
    return where(rising, left + sqrt(x), right - sqrt(x))


@of_floats
def lognormal(key, sigma=1.0, shape=None, dtype=None):
    """exp(sigma · z), z standard normal.   sigma : float[*batch] -> float[*shape]"""
    shape, (sigma,) = parameters("lognormal", shape, dtype, sigma)
    return exp(sigma * normal_draw(single(key, "lognormal"), shape, dtype))


__all__ = ["cauchy", "double_sided_maxwell", "exponential", "gumbel", "laplace", "logistic", "lognormal", "maxwell",
           "pareto", "rayleigh", "triangular", "truncated_normal", "wald", "weibull_min"]
