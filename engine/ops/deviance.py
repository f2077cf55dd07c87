"""The parts of log densities that do not cancel: deviances, and what Stirling's formula leaves of log x!.

A log density of counts or of a gamma or beta number is a small difference of large terms where the density is large. It
is also minus a deviance D(x, y) = x log(x/y) - x + y >= 0 of what is seen from what is expected, and a remainder of
log x!, neither of which is larger than the result. Near x = y

    D(x, y) = s (d + 2 x s² Σ s²ᵏ / (2k + 3)),  d = x - y,  s = d / (x + y)

in which d is all that can lose digits: the y that is a product is taken with its rounding error.

Source: Loader (2000), "Fast and accurate computation of binomial probabilities"; Dekker (1971) for the products.
"""
import math

import numpy as np

from ..core import Primitive
from .betas import log1p_unit
from .doubles import two_product
from .elementwise import _unary, bitwise_and, eq, log, where
from .formula import lost, polynomial, reciprocal
from .gamma_tables import DIGAMMA_FAR, LGAMMA_FAR
from .polygamma import polygamma_p
from .readings import numpy_impl, xla_lower
from .structural import elementwise, elementwise_batch, promote_inexact

_HALF_LOG = 0.5 * math.log(2 * math.pi)
_SERIES = {8: [1 / (2 * k + 3) for k in range(11)], 4: [1 / (2 * k + 3) for k in range(8)]}
_NEAR = {8: 0.2, 4: 1 / 3}                               # the |s| up to which the series is taken
_SCALE = {8: 2.0 ** 600, 4: 2.0 ** 60}                   # quotients of numbers below 1 / scale may overflow
_SAFE = {8: 1e290, 4: 1e30}                              # up to which a product splits without overflow


# ---- the deviance of one cell ----

def _cell(m, x, y, d, log_ratio):
    """D(x, y) for d = x - y; log_ratio = log(x / y) counts where the two are far from each other."""
    total = x + y
    s = d * (1.0 / total)
    square = s * s
    near = s * (x * square * (polynomial(square, m.table(_SERIES)) * 2.0) + d)
    return m.where(m.abs(d) < total * m.table(_NEAR), near, x * log_ratio - d)


def _log_ratio(m, x, y):
    """log(x / y) of counts x >= 0, 0 where x = 0."""
    scale = m.table(_SCALE)
    tiny, some = y < 1.0 / scale, x > 0.0
    ratio = m.where(some, x, y) / m.where(tiny, y * scale, y)
    return m.where(some, m.log(ratio) + m.where(tiny, math.log(scale), 0.0), 0.0)


def _product(m, x, y):
    """x y for positive numbers, and what rounding took from it."""
    product, rest = two_product(m, x, y)
    return product, m.where(product < m.table(_SAFE), rest, 0.0)


def _poisson(m, k, r):
    return _cell(m, k, r, k - r, _log_ratio(m, k, r))


def _binomial(m, k, l, p):
    n, q = k + l, 1.0 - p
    y, rest = _product(m, n, p)
    d, z = ((k - y) - rest) - lost(k, l, n) * p, n * q
    return _cell(m, k, y, d, _log_ratio(m, k, y)) + _cell(m, l, z, -d, _log_ratio(m, l, z))


def _odds(m, k, l, u, v):
    n, total = k + l, u + v
    (kv, rest), (lu, other) = _product(m, k, v), _product(m, l, u)
    d, y, z = ((kv - lu) + (rest - other)) / total, n * (u / total), n * (v / total)
    return _cell(m, k, y, d, _log_ratio(m, k, y)) + _cell(m, l, z, -d, _log_ratio(m, l, z))


def _table(m, k, l, a, b):
    n, c, first, second = k + l, a + b, k + a, l + b
    total = n + c
    (kb, rest), (la, other) = _product(m, k, b), _product(m, l, a)
    d = ((kb - la) + (rest - other)) / total
    out = None
    for cell, row, column, difference in ((k, n, first, d), (l, n, second, -d), (a, c, first, -d), (b, c, second, d)):
        expected = row * (column / total)
        part = _cell(m, cell, expected, difference, _log_ratio(m, cell, expected))
        out = part if out is None else out + part
    return out


def _entropy(m, k, l):
    """small log(n / small) + large log(1 + small / large), of which neither loses digits."""
    first = k < l
    small, large = m.where(first, k, l), m.where(first, l, k)
    some = small > 0.0
    log = m.log(m.where(some, k + l, 1.0) / m.where(some, small, 1.0))
    return small * log + large * log1p_unit(m, small / m.where(some, large, 1.0))


# ---- gamma and beta densities ----

def _two_logs(m, ratio, x, base):
    """log(c x) and log x from one logarithm, where ratio = c x has not left the range, given base = log c."""
    scale = m.table(_SCALE)
    inside = (ratio > 1.0 / scale) & (ratio < scale)
    y = m.log(m.where(inside, ratio, x)) + m.where(inside, 0.0, base)
    return y, y - base


def _gamma(m, a, u, v):
    y, rest = _product(m, u, v)
    log_ratio, log_v = _two_logs(m, y * (1.0 / a), v, m.log(u) - m.log(a))
    return -_cell(m, a, y, (a - y) - rest, -log_ratio) - log_v


def _inverse_gamma(m, a, b, x):
    """s = (a x - b) / (a x + b), since y = b / x is no sum of parts."""
    w, rest = _product(m, a, x)
    log_ratio, log_x = _two_logs(m, w * (1.0 / b), x, m.log(a) - m.log(b))
    difference = (w - b) + rest
    total = w + b
    s, d = difference * (1.0 / total), difference * (1.0 / x)
    square = s * s
    near = s * (a * square * (polynomial(square, m.table(_SERIES)) * 2.0) + d)
    return -m.where(m.abs(difference) < total * m.table(_NEAR), near, a * log_ratio - d) - log_x


def _beta(m, a, b, x):
    n, q = a + b, 1.0 - x
    y, rest = _product(m, n, x)
    d, log_n, log_x, log_q = ((a - y) - rest) - lost(a, b, n) * x, m.log(n), m.log(x), m.log(q)
    cells = (_cell(m, a, y, d, (m.log(a) - log_n) - log_x) + _cell(m, b, n * q, -d, (m.log(b) - log_n) - log_q))
    return -cells - log_x - log_q


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

def _over(x, y):
    """x / y, 0 where both are 0."""
    return x / where(bitwise_and(eq(x, 0), eq(y, 0)), np.ones((), y.dtype), y)


def _some(k):
    """k, and 1 for 0: derivatives in counts take log 0 for 0, here and in the remainder of log k!, where it cancels."""
    return where(k > 0, k, np.ones((), k.dtype))


def _slope_of_counts(k):
    return where(k > 0, stirling_slope_p.bind(_some(k)), np.full((), -np.euler_gamma, k.dtype))


def _primitive(name, f, *slopes):
    """Element-wise, with the derivative slopes[i](*xs) in argument i."""
    def rule(slope):
        return lambda t, y, *xs: t * slope(*xs)
    return Primitive(name, shape=elementwise, uniform=True, impl=numpy_impl(f), lower=xla_lower(f, True),
                     jvp=tuple(rule(slope) for slope in slopes), batch=elementwise_batch)


poisson_deviance_p = _primitive("poisson_deviance", _poisson, lambda k, r: log(_some(k) / r),
                                 lambda k, r: (r - k) / r)
binomial_deviance_p = _primitive(
    "binomial_deviance", _binomial, lambda k, l, p: log(_some(k) / _some(k + l) / p),
    lambda k, l, p: log(_some(l) / _some(k + l) / (1 - p)),
    lambda k, l, p: _over(l, 1 - p) - _over(k, p))
odds_deviance_p = _primitive(
    "odds_deviance", _odds, lambda k, l, u, v: log(_some(k) / (k + l) * ((u + v) / u)),
    lambda k, l, u, v: log(l / (k + l) * ((u + v) / v)),
    lambda k, l, u, v: (l - k * (v / u)) / (u + v), lambda k, l, u, v: (k - l * (u / v)) / (u + v))


def _log_table(cell, row, column, total):
    return log(_some(cell) / _some(row) * (total / column))


table_deviance_p = _primitive(
    "table_deviance", _table, lambda k, l, a, b: _log_table(k, k + l, k + a, (k + l) + (a + b)),
    lambda k, l, a, b: _log_table(l, k + l, l + b, (k + l) + (a + b)),
    lambda k, l, a, b: _log_table(a, a + b, k + a, (k + l) + (a + b)),
    lambda k, l, a, b: _log_table(b, a + b, l + b, (k + l) + (a + b)))
split_entropy_p = _primitive("split_entropy", _entropy, lambda k, l: log(_some(k + l) / _some(k)),
                              lambda k, l: log(_some(k + l) / _some(l)))
gamma_kernel_p = _primitive("gamma_kernel", _gamma, lambda a, u, v: log(u / a) + log(v), lambda a, u, v: a / u - v,
                            lambda a, u, v: (a - 1) / v - u)
inverse_gamma_kernel_p = _primitive(
    "inverse_gamma_kernel", _inverse_gamma, lambda a, b, x: log(b / a) - log(x), lambda a, b, x: a / b - 1 / x,
    lambda a, b, x: (b / x - (a + 1)) / x)
beta_kernel_p = _primitive(
    "beta_kernel", _beta, lambda a, b, x: log((a + b) / a) + log(x), lambda a, b, x: log((a + b) / b * (1 - x)),
    lambda a, b, x: (a - 1) / x - (b - 1) / (1 - x))
stirling_slope_p = _unary("stirling_slope", numpy_impl(_rest_slope), xla_lower(_rest_slope, True),
                          lambda t, y, x: t * (polygamma_p.bind(x + 1, n=1) - 1 / x))
stirling_rest_p = _unary("stirling_rest", numpy_impl(_rest), xla_lower(_rest, True),
                         lambda t, y, x: t * stirling_slope_p.bind(x))
stirling_rest_of_counts_p = _unary("stirling_rest_of_counts", numpy_impl(_rest_of_counts),
                                   xla_lower(_rest_of_counts, True), lambda t, y, x: t * _slope_of_counts(x))


# ---- functions ----

def poisson_deviance(k, r):
    """k log(k / r) - k + r for k >= 0, r > 0: r where k is 0.

    >>> float(poisson_deviance(1e8, 1e8 + 1.0)).__round__(15)
    5e-09
    """
    return poisson_deviance_p.bind(*promote_inexact(k, r))


def binomial_deviance(k, l, p):
    """k log(k / n p) + l log(l / n (1 - p)), n = k + l, for k, l >= 0 and p in [0, 1]."""
    return binomial_deviance_p.bind(*promote_inexact(k, l, p))


def odds_deviance(k, l, u, v):
    """`binomial_deviance` for p = u / (u + v), u, v > 0."""
    return odds_deviance_p.bind(*promote_inexact(k, l, u, v))


def split_entropy(k, l):
    """k log(n / k) + l log(n / l), n = k + l, for k, l >= 0: the large part of log C(n, k)."""
    return split_entropy_p.bind(*promote_inexact(k, l))


def table_deviance(k, l, a, b):
    """Σ x log(x / E) over the four cells of the table with rows (k, l) and (a, b), E = row · column / total.

    k, l >= 0; a, b > 0
    """
    return table_deviance_p.bind(*promote_inexact(k, l, a, b))


def gamma_kernel(a, u, v):
    """a log(u v / a) - u v + a - log v for positive numbers."""
    return gamma_kernel_p.bind(*promote_inexact(a, u, v))


def inverse_gamma_kernel(a, b, x):
    """a log(b / (a x)) - b / x + a - log x for positive numbers."""
    return inverse_gamma_kernel_p.bind(*promote_inexact(a, b, x))


def beta_kernel(a, b, x):
    """-binomial_deviance(a, b, x) - log x - log(1 - x) for a, b > 0 and 0 < x < 1."""
    return beta_kernel_p.bind(*promote_inexact(a, b, x))


def stirling_rest(x):
    """log Γ(x + 1) - x log x + x for x >= 0, which is near ½ log 2πx where x is large.   DLMF 5.11.1"""
    return stirling_rest_p.bind(*promote_inexact(x))


def stirling_rest_of_counts(k):
    """`stirling_rest` of whole numbers, in a third of the time."""
    return stirling_rest_of_counts_p.bind(*promote_inexact(k))
