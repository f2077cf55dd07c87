"""The Bessel functions J and Y of integer orders, by their recurrence (DLMF 10.6.1).

It goes up from orders 0 and 1 for Y, and for J where x >= n; elsewhere the ratios Jₖ/Jₖ₋₁ come down from an order so
high that nothing of its start is left (Gautschi 1967, SIAM Review 9), and multiply the larger of J₀ and J₁.
"""
import functools
import math

import numpy as np

from ..core import Primitive
from ..errors import ParameterError
from .bessel_j import _j, _y, j0, j1, y0, y1
from .readings import numpy_impl, xla_lower
from .structural import elementwise, elementwise_batch, promote_inexact


def _up(m, n, x, before, now):
    """The function of order n from those of 0 and 1."""
    def turn(k, before, now):
        return [k + 1.0, now, k * 2.0 / x * now - before]
    one = m.zeros_like(x) + 1.0
    return m.loop(lambda k, before, now: k < float(n), turn, [one, before, now], n)[2]


def _jn(n):
    first = n + 10 + math.isqrt(160 * n)

    def f(m, x):
        size = m.abs(x)
        above = size >= float(n)
        far = m.where(above, size, float(n))
        high = _up(m, n, far, _j(0)(m, far), _j(1)(m, far))
        v = m.where(above, 1.0, size)
        start, later = _j(0)(m, v), _j(1)(m, v)
        from_one = m.abs(later) > m.abs(start)

        def turn(k, ratio, product):
            ratio = v / (k * 2.0 - v * ratio)
            used = (k <= float(n)) & ((k > 1.5) | ~from_one)
            return [k - 1.0, ratio, m.where(used, product * ratio, product)]

        zero = m.zeros_like(v)
        state = [zero + float(first), zero, zero + 1.0]
        product = m.loop(lambda k, ratio, product: k > 0.5, turn, state, first)[2]
        out = m.where(above, high, product * m.where(from_one, later, start))
        known = (x < 0.0) | (x >= 0.0)                   # |x| >= 0 would be compiled as true, for nan too
        out = m.where(size < np.inf, out, m.where(known, 0.0, np.nan))
        return m.where(x < 0.0, -out, out) if n % 2 else out
    return f


def _yn(n):
    def f(m, x):
        safe = m.where(x > 0.0, x, 1.0)
        out = _up(m, n, safe, _y(0)(m, safe), _y(1)(m, safe))
        out = m.where(out > -np.inf, out, -np.inf)       # ∞ - ∞ near 0
        out = m.where(x > 0.0, out, m.where(x < 0.0, np.nan, m.where(x <= 0.0, -np.inf, np.nan)))
        return m.where(x < np.inf, out, m.where(x > 0.0, 0.0, np.nan))
    return f


@functools.cache
def _rules(formula, n):
    f = formula(n)
    return numpy_impl(f), xla_lower(f)


def _primitive(name, formula, function):
    return Primitive(
        name,
        shape=elementwise,
        uniform=True,
        impl=lambda x, *, n: _rules(formula, n)[0](x),
        lower=lambda b, x, *, n: _rules(formula, n)[1](b, x),
        jvp=(lambda t, y, x, *, n: t * ((function(n - 1, x) - function(n + 1, x)) * 0.5),),
        batch=elementwise_batch,
    )


def _of_order(n, x, prim, zero, one):
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise ParameterError(f"the order of {prim.name} is a Python integer; got {n!r}.\n"
                             "For modified functions of real order write iv or kv.")
    x = promote_inexact(x)[0]
    size = abs(int(n))
    out = zero(x) if size == 0 else one(x) if size == 1 else prim.bind(x, n=size)
    return -out if n < 0 and size % 2 else out


def jn(n, x):
    """Jₙ(x), the Bessel function of the first kind.   n : a Python integer      x : float[*batch]

    >>> float(jn(2, 1.0)).__round__(12)
    0.114903484932
    """
    return _of_order(n, x, jn_p, j0, j1)


def yn(n, x):
    """Yₙ(x), the Bessel function of the second kind.   n : a Python integer      x : float[*batch], > 0; -inf at 0"""
    return _of_order(n, x, yn_p, y0, y1)


jn_p = _primitive("jn", _jn, jn)
yn_p = _primitive("yn", _yn, yn)
