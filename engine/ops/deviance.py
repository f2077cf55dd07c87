"""The parts of log densities that do not cancel: excesses, and what Stirling's formula leaves of log x!.

A log density of counts or of a gamma or beta number is a small difference of large terms where the density is large. It
is also minus a sum of excesses D(x, y) = x log(x/y) - x + y >= 0 of what is seen over what is expected, and a remainder
of log x!, neither of which is larger than the result. With e = y - x and t = e / x

    D(x, y) = x (t - log(1 + t)) = e t P(t),  P(t) = 1/2 - t/3 + t²/4 - …,  where |t| is small; elsewhere e - x log(y/x)

so that all digits are there when those of e are, and near y = x no logarithm and no division is taken of a pair: 1/x,
log x and log y belong to one of the two, and leave a loop when that is data.

Source: Loader (2000), "Fast and accurate computation of binomial probabilities"; Dekker (1971) for the products.
"""
import math

import numpy as np

from ..core import Primitive
from .betas import log1p_unit
from .doubles import two_product
from .elementwise import _unary, eq, log, minimum, where
from .formula import polynomial, reciprocal
from .gamma_tables import DIGAMMA_FAR, LGAMMA_FAR
from .polygamma import polygamma_p
from .readings import numpy_impl, xla_lower
from .structural import elementwise, elementwise_batch, promote_inexact

_HALF_LOG = 0.5 * math.log(2 * math.pi)
_NEAR = {8: (0.0, 0.2), 4: (0.25, 0.75)}                 # the middle and half the width of where P is taken
_SAFE = {8: 1e290, 4: 1e30}                              # up to which a product splits without overflow
_LARGE = {"float64": 1e308, "float32": 1e38, "bfloat16": 1e38, "float16": 6e4}
# P on [-0.2, 0.2], and in float32, where the other form has few digits to lose, on [-0.5, 1]
_EXCESS = {
    8: [0.5, -0.3333333333333332, 0.2499999999999999, -0.2000000000001254, 0.1666666666667859, -0.14285714281333,
        0.12499999995834724, -0.1111111179741475, 0.10000000652457372, -0.0909085218993629, 0.08333279239819014,
        -0.07694975400120498, 0.07145393129795885, -0.06595872544489528, 0.06182705943822503, -0.06864097383501613,
        0.06488632424686833],
    4: [0.50000000026, -0.33333333467, 0.24999991827, -0.19999976262, 0.16667076776, -0.14286910165, 0.1249285798,
        -0.1108634031, 0.10046983212, -0.093316901706, 0.083214962305, -0.066068918667, 0.059880423668,
        -0.082545444038, 0.10399599443, -0.082402599838, 0.03547614446, -0.0063843374754],
}


# ---- excesses ----

def _excess(m, x, y, e, inverse, log_ratio):
    t = e * inverse
    near = e * (t * polynomial(t, m.table(_EXCESS)))
    middle, width = m.table(_NEAR)
    return m.where(m.abs(t - middle) < width, near, m.where(x > 0.0, e - x * log_ratio, e))


def _product_rest(m, x, y):
    product, rest = two_product(m, x, y)
    return m.where(product < m.table(_SAFE), rest, 0.0)


def _product_rest_lower(b, x, y):
    """0 in double precision.

    There a compiler makes one rounding of a product and the subtraction after it. Where it does not, what is lost of
    D(x, y) is √x roundings of 1, which is 1e-12 for x = 4e7.
    """
    if x.dtype.itemsize > 4:
        return b.like(b.broadcast_to(x, np.broadcast_shapes(x.shape, y.shape)), 0)
    return _REST(b, x, y)


_REST = xla_lower(_product_rest, True)


def _product_rest_impl(x, y):
    if x.dtype.itemsize > 4:
        return numpy_impl(_product_rest)(x, y)
    rest = x.astype(np.float64) * y.astype(np.float64) - x * y
    return np.asarray(np.where(np.isfinite(rest), rest, 0.0), x.dtype)


def _entropy(m, k, l):
    """small log(n / small) + large log(1 + small / large), of which neither loses digits."""
    first = k < l
    small, large = m.where(first, k, l), m.where(first, l, k)
    some = small > 0.0
    log = m.log(m.where(some, k + l, 1.0) / m.where(some, small, 1.0))
    return small * log + large * log1p_unit(m, small / m.where(some, large, 1.0))


# ---- log x! ----

def _stirling(m, x):
    """log Γ(x) - (x - ½) log x + x - ½ log 2π for x >= 3.5."""
    inverse = reciprocal(x)
    return inverse * polynomial(inverse * inverse, m.table(LGAMMA_FAR))


_WHOLE = [math.log(math.factorial(k)) - (k * math.log(k) if k else 0.0) + k for k in range(4)]


def _rest_of_counts(m, k):
    """A table below 4, Stirling's series from there on."""
    far = k > 3.5
    x = m.where(far, k, 4.0)
    small = m.where(k < 0.5, _WHOLE[0], m.where(k < 1.5, _WHOLE[1], m.where(k < 2.5, _WHOLE[2], _WHOLE[3] + k * 0.0)))
    return m.where(far, m.log(x) * 0.5 + (_stirling(m, x) + _HALF_LOG), small)


def _rest(m, x):
    """Stirling's series from 3.5 on; below, at z = x + 4, and x! = z! / ((x + 1) … (x + 4))."""
    near, some = x < 3.5, x > 0.0
    z = m.where(near, x + 4.0, x)
    w = m.where(near, x, 0.0)
    ratio = z * z / ((w + 1.0) * (w + 2.0)) * (z / (w + 3.0))            # z⁴ / ((x + 1) … (x + 4))
    shift = m.where(some & near, x * m.log(z / m.where(some, x, 1.0)), 0.0) - 4.0
    return m.log(m.where(near, z * ratio * ratio, z)) * 0.5 + (_stirling(m, z) + _HALF_LOG) + m.where(near, shift, 0.0)


def _rest_slope(m, x):
    """ψ(x + 1) - log x by the series at infinity of ψ; below 2 at z = x + 3."""
    near = x < 2.0
    z = m.where(near, x + 3.0, x)
    inverse = reciprocal(z)
    square = inverse * inverse
    shift = m.log(z / m.where(near, x, 1.0)) - 1.0 / (x + 1.0) - 1.0 / (x + 2.0) - inverse
    return inverse * 0.5 - square * polynomial(square, m.table(DIGAMMA_FAR)) + m.where(near, shift, 0.0)


# ---- primitives ----

def _some(k):
    """k, and 1 for 0: derivatives in counts take log 0 for 0, here and in the remainder of log k!, where it cancels."""
    return where(k > 0, k, np.ones((), k.dtype))


def _slope_of_counts(k):
    return where(k > 0, stirling_slope_p.bind(_some(k)), np.full((), -np.euler_gamma, k.dtype))


def _share(x, y, e):
    """e / y, the derivative in e: 1 where x is 0 or y infinite."""
    one, largest = np.ones((), y.dtype), np.full((), _LARGE[y.dtype.name], y.dtype)
    return where(eq(x, 0), one, minimum(e, largest) / minimum(y, largest))


def _primitive(name, f, *slopes, impl=None, lower=None):
    """Element-wise, with the derivative slopes[i](*xs) in argument i, or none."""
    def rule(slope):
        return slope and (lambda t, y, *xs: t * slope(*xs))
    return Primitive(name, shape=elementwise, uniform=True, impl=impl or numpy_impl(f),
                     lower=lower or xla_lower(f, True),
                     jvp=tuple(rule(slope) for slope in slopes), batch=elementwise_batch)


def _excess_impl(x, y, e, inverse, log_ratio):
    """In double precision, the logarithm of a float32 too."""
    if x.dtype.itemsize < 8:
        wide = np.where(e > 0, np.log1p(np.maximum(e, 0) / x.astype(np.float64)), np.log(y / x.astype(np.float64)))
        log_ratio = np.where(np.isfinite(wide), wide, log_ratio)
    return numpy_impl(_excess)(x, y, e, inverse, log_ratio).astype(x.dtype)


excess_p = _primitive("excess", _excess, lambda x, y, e, inverse, log_ratio: _share(x, y, e) - log_ratio, None,
                      lambda x, y, e, inverse, log_ratio: _share(x, y, e), None, None, impl=_excess_impl)
product_rest_p = _primitive("product_rest", _product_rest, None, None, impl=_product_rest_impl,
                            lower=_product_rest_lower)
split_entropy_p = _primitive("split_entropy", _entropy, lambda k, l: log(_some(k + l) / _some(k)),
                             lambda k, l: log(_some(k + l) / _some(l)))
stirling_slope_p = _unary("stirling_slope", numpy_impl(_rest_slope), xla_lower(_rest_slope, True),
                          lambda t, y, x: t * (polygamma_p.bind(x + 1, n=1) - 1 / x))
stirling_rest_p = _unary("stirling_rest", numpy_impl(_rest), xla_lower(_rest, True),
                         lambda t, y, x: t * stirling_slope_p.bind(x))
stirling_rest_of_counts_p = _unary("stirling_rest_of_counts", numpy_impl(_rest_of_counts),
                                   xla_lower(_rest_of_counts, True), lambda t, y, x: t * _slope_of_counts(x))


# ---- functions ----

def excess(x, y, e, inverse, log_ratio):
    """x log(x / y) - x + y for x, y >= 0: y where x is 0.

    e : y - x      inverse : 1 / x      log_ratio : log(y / x), which counts where the two are far from each other

    Differentiated in x and e alone, which the others follow from.

    >>> float(excess(1e8, 1e8 + 1.0, 1.0, 1e-8, 1e-8)).__round__(15)
    5e-09
    """
    return excess_p.bind(*promote_inexact(x, y, e, inverse, log_ratio))


def product_rest(x, y):
    """x y minus its rounded value, exactly, for x, y >= 0; it has no derivative."""
    return product_rest_p.bind(*promote_inexact(x, y))


def split_entropy(k, l):
    """k log(n / k) + l log(n / l), n = k + l, for k, l >= 0: the large part of log C(n, k)."""
    return split_entropy_p.bind(*promote_inexact(k, l))


def stirling_rest(x):
    """log Γ(x + 1) - x log x + x for x >= 0, which is near ½ log 2πx where x is large.   DLMF 5.11.1"""
    return stirling_rest_p.bind(*promote_inexact(x))


def stirling_rest_of_counts(k):
    """`stirling_rest` of whole numbers, in a third of the time."""
    return stirling_rest_of_counts_p.bind(*promote_inexact(k))
