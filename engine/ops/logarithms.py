"""Logarithms of ratios and differences whose naive forms cancel: logit, log(1 - exp(-x)), relative entropies."""
import math

import numpy as np

from ..core import Primitive
from .elementwise import _floating, _unary, bitwise_and, eq, expm1, log, log1p, where
from .formula import polynomial
from .readings import numpy_impl, xla_lower
from .structural import elementwise, elementwise_batch, promote_inexact

_ARTANH = [1 / (2 * k + 3) for k in range(16)]           # (artanh(s) - s) / s³ in s² <= 1/9


def _logit(m, x):
    near = m.abs(x - 0.5) < 0.25
    v = m.where(near, x, 0.5)
    return m.where(near, m.log1p((v - 0.5) * 2.0 / (1.0 - v)), m.log(x / (1.0 - x)))


def _log1mexp(m, x):
    """Mächler (2012), Accurately computing log(1 - exp(-|a|)), equation 7."""
    near = x < math.log(2)
    v = m.where(near, x, 1.0)
    return m.where(near, m.log(-m.expm1(-v)), m.log1p(-m.exp(-m.where(near, 1.0, x))))


logit_p = _unary("logit", numpy_impl(_logit), xla_lower(_logit, True), lambda t, y, x: t / (x * (1 - x)))
log1mexp_p = _unary("log1mexp", numpy_impl(_log1mexp), xla_lower(_log1mexp, True), lambda t, y, x: t / expm1(x))
logit = _floating(logit_p, "log(x / (1 - x)), accurate near 1/2; -inf at 0, inf at 1, nan outside.")
log1mexp = _floating(log1mexp_p, "log(1 - exp(-x)), accurate near 0 and far out; -inf at 0, nan below.")


# ---- relative entropies ----

def _log_ratio(m, x, y):
    """log(x/y) of positive numbers."""
    r = x / y
    near, plain = (r > 0.5) & (r < 2.0), (r > 1e-30) & (r < 1e30)
    v = m.where(near, (x - y) / y, 0.0)
    return m.where(near, m.log1p(v), m.where(plain, m.log(m.where(plain, r, 1.0)), m.log(x) - m.log(y)))


def _entropy(inside):
    """inside(m, x, y) for x, y > 0; its limits at x = 0 <= y; inf elsewhere."""
    def f(m, x, y):
        both, edge = (x > 0.0) & (y > 0.0), (x >= 0.0) & (x <= 0.0) & (y >= 0.0)
        out = inside(m, m.where(both, x, 1.0), m.where(both, y, 1.0))
        at_edge = 0.0 if inside is _rel_entr else y
        out = m.where(both, out, m.where(edge, at_edge, np.inf))
        return m.where((x >= -np.inf) & (y >= -np.inf), out, np.nan)
    return f


def _rel_entr(m, x, y):
    return x * _log_ratio(m, x, y)


def _kl_div(m, x, y):
    """With s = (x - y)/(x + y) and log(x/y) = 2 artanh s it is (x + y) s² (1 + (1 + s) (artanh(s) - s) / s²)."""
    total = x + y
    s = (x - y) / total
    near = m.abs(s) < 1 / 3
    v = m.where(near, s, 0.0)
    square = v * v
    close = total * square * ((v + 1.0) * v * polynomial(square, _ARTANH) + 1.0)
    return m.where(near, close, x * _log_ratio(m, x, y) - x + y)


def _pair(name, f, dx, dy):
    return Primitive(name, shape=elementwise, uniform=True, impl=numpy_impl(f), lower=xla_lower(f, True),
                     jvp=(dx, dy), batch=elementwise_batch)


def _log_of(x, y):
    """log(x/y), from the accurate side where the two are close."""
    near = bitwise_and(x < 2 * y, y < 2 * x)
    one = np.ones((), x.dtype)
    v = where(near, (x - y) / where(near, y, one), one)
    far = where(near, one, x), where(near, one, y)
    return where(near, log1p(v), log(far[0]) - log(far[1]))


def _divisor(x, y):
    """y, and 1 where both are 0."""
    return where(bitwise_and(eq(x, 0), eq(y, 0)), np.ones((), y.dtype), y)


rel_entr_p = _pair("rel_entr", _entropy(_rel_entr), lambda t, out, x, y: t * (_log_of(x, y) + 1),
                   lambda t, out, x, y: -t * (x / _divisor(x, y)))
kl_div_p = _pair("kl_div", _entropy(_kl_div), lambda t, out, x, y: t * _log_of(x, y),
                 lambda t, out, x, y: t * ((_divisor(x, y) - x) / _divisor(x, y)))


def rel_entr(x, y):
    """x log(x / y): 0 where x = 0 and y >= 0, inf outside of x, y > 0."""
    return rel_entr_p.bind(*promote_inexact(x, y))


def kl_div(x, y):
    """x log(x / y) - x + y, without cancellation where x and y are close.

    >>> float(kl_div(1.0, 1.0 + 1e-10)).__round__(24)
    5e-21
    """
    return kl_div_p.bind(*promote_inexact(x, y))
