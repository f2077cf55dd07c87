"""Special functions of log densities: x log y and log Φ."""
import math

import numpy as np

from ..core import Primitive
from .elementwise import _floating, _unary, div, eq, exp, log, log1p, lt, where
from .special import horner, scipy_impl
from .structural import elementwise, elementwise_batch, promote_inexact

_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


# ---- x log y ----

def _x_times_log(name, op, log_of, slope):
    """x · f(y), 0 where x is 0; df(y)/dy = slope."""
    def lower(b, x, y):
        product = b.elementwise("stablehlo.multiply", x, b.op(op, [y], y.aval))
        x = b.broadcast_to(x, product.shape)
        y = b.broadcast_to(y, product.shape)
        is_zero = b.op("stablehlo.and", [b.compare("EQ", x, b.like(x, 0)), b.compare("EQ", y, y)],
                       b.compare("EQ", y, y).aval)
        return b.select(is_zero, b.like(product, 0), product)

    return Primitive(
        name, shape=elementwise, uniform=True, impl=scipy_impl(name), lower=lower,
        jvp=(lambda t, out, x, y: t * log_of(y),
             lambda t, out, x, y: t * where(eq(x, 0), np.zeros((), x.dtype), div(x, slope(y)))),
        batch=elementwise_batch)


xlogy_p = _x_times_log("xlogy", "stablehlo.log", log, lambda y: y)
xlog1py_p = _x_times_log("xlog1py", "stablehlo.log_plus_one", log1p, lambda y: y + 1)


def xlogy(x, y):
    """x log y, 0 where x is 0. The derivative in y is 0 there too."""
    return xlogy_p.bind(*promote_inexact(x, y))


def xlog1py(x, y):
    """x log(1 + y), 0 where x is 0."""
    return xlog1py_p.bind(*promote_inexact(x, y))


# ---- log Φ ----

_MILLS = [1.0]                                           # Φ(x) ~ φ(x)/-x Σ (-1)ᵏ (2k-1)!! x⁻²ᵏ, DLMF 7.12.1
for _k in range(1, 11):
    _MILLS.append(-_MILLS[-1] * (2 * _k - 1))


def _far(dtype):
    return -20.0 if dtype == np.float64 else -10.0


def _lower_log_ndtr(b, x):
    """Three pieces: the expansion far to the left, log Φ(x) in the middle, log1p(-Φ(-x)) to the right."""
    def op(name, *xs):
        return b.elementwise("stablehlo." + name, *xs)

    def ndtr(v):
        return op("multiply", b.op("chlo.erfc", [op("multiply", v, b.like(v, -math.sqrt(0.5)))], v.aval),
                  b.like(v, 0.5))

    far = b.like(x, _far(x.dtype))
    left = op("minimum", x, far)
    inverse = op("divide", b.like(x, 1), left)
    series = horner(b, op("multiply", inverse, inverse), _MILLS[::-1])
    tail = op("subtract", op("subtract", op("multiply", op("multiply", left, left), b.like(x, -0.5)),
                             op("log", op("negate", left))), b.like(x, _LOG_SQRT_2PI))
    tail = op("add", tail, op("log", series))
    middle = op("log", ndtr(op("maximum", x, far)))
    right = b.op("stablehlo.log_plus_one", [op("negate", ndtr(op("negate", x)))], x.aval)
    out = b.select(b.compare("LT", x, far), tail, b.select(b.compare("GT", x, b.like(x, 1)), right, middle))
    return b.select(b.compare("NE", x, x), x, out)


def _log_ndtr_slope(t, y, x):
    """φ / Φ; far to the left -x over the expansion."""
    far = lt(x, _far(x.dtype))
    left = where(far, x, np.full((), -30.0, x.dtype))
    z = 1 / (left * left)
    series = np.asarray(_MILLS[-1], x.dtype)
    for c in _MILLS[-2::-1]:
        series = series * z + c
    middle = where(far, np.zeros((), x.dtype), x)
    return t * where(far, -left / series, exp(middle * middle * -0.5 - where(far, np.zeros((), x.dtype), y)
                                              - _LOG_SQRT_2PI))


log_ndtr_p = _unary("log_ndtr", scipy_impl("log_ndtr"), _lower_log_ndtr, _log_ndtr_slope)
log_ndtr = _floating(log_ndtr_p, "log Φ(x), accurate in both tails.")
