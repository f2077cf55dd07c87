"""The modified Bessel functions of real order, in logarithms, with derivatives in the order too.

A primitive has the logarithm and the ratio to the next order as its two results: the ratio is what the derivative in x
is made of (DLMF 10.29.2). The derivatives in the order are those of the formulas.
"""
import functools

import numpy as np

from ..core import Primitive
from ..errors import TransformError
from .bessel_debye import base_of, i_pair, k_pair
from .elementwise import abs as abs_
from .elementwise import eq, exp, where
from .formula import Derivative, Dual, Expr, plain
from .readings import NUMPY, Xla
from .structural import align, elementwise, promote_inexact

_F64 = np.dtype(np.float64)
_ORDERS = 2


def _with_limits(pair):
    """The two results, with their limits at x = 0 and ∞; nan for negative x or v."""
    first = pair is i_pair

    def f(m, v, x):
        pv, px = plain(v), plain(x)
        ok = (pv >= 0.0) & (pv < 1e15) & (px > 1e-307) & (px < 1e290)
        outs = pair(m, m.where(ok, v, 1.0), m.where(ok, x, 1.0))
        bad = ~(pv >= 0.0) | ~(px >= 0.0) | (pv >= 1e15)
        at_zero = (base_of(m).where(pv > 0.0, -np.inf, 0.0), 0.0) if first else (np.inf, np.inf)
        for out, low, high in zip(outs, at_zero, (-np.inf, 1.0)):
            out = m.where((px <= 1e-307) & ~bad, low, out)
            yield m.where(bad, np.nan, m.where((px >= 1e290) & ~bad, high, out))
    return f


@functools.cache
def _in_order(pair, times):
    """The results differentiated so often in the order."""
    if times == 0:
        return _with_limits(pair)
    inner = _in_order(pair, times - 1)

    def f(m, v, x):
        one = m.zeros_like(v) + 1.0
        for out in inner(Derivative(m), Dual(v, one), Dual(x)):
            yield m.zeros_like(out.v) if out.t is None else out.t
    return f


def _impl(pair):
    def impl(v, x, *, order):
        wide = np.broadcast_arrays(np.asarray(v, _F64), np.asarray(x, _F64))
        return [np.asarray(out).astype(v.dtype) for out in _in_order(pair, order)(NUMPY, *wide)]
    return impl


def _lower(pair):
    def lower(b, v, x, *, order):
        shape = np.broadcast_shapes(v.shape, x.shape)
        wide = [Expr(b, b.convert(b.broadcast_to(a, shape), _F64)) for a in (v, x)]
        return [b.convert(out.val, v.dtype) for out in _in_order(pair, order)(Xla(b), *wide)]
    return lower


def _quotient(v, x):
    """v/x, 0 where v is."""
    zero = eq(v, 0)
    return where(zero, np.zeros((), x.dtype), v / where(zero, np.ones((), x.dtype), x))


def _slopes(prim, sign, ys, v, x, order):
    """The derivatives in x. With R = I(v+1)/I(v): (log ive)' = R + v/x - 1, R' = 1 - R² - (2v + 1)/x R; with that of K
    the signs of all but v/x are the others. `order`: how often they are differentiated in v."""
    log_slope = ys[1] * sign
    if order == 0:
        r = ys[1]
        return (log_slope - sign) + _quotient(v, x), sign * (1 - r * r) - (2 * v + 1) / x * r
    if order > 1:
        raise TransformError(f"{prim.name} is differentiated in x before it is, more than once, in its order.")
    r, dr = prim.bind(v, x, order=0)[1], ys[1]
    return log_slope + 1 / x, -2 * sign * r * dr - ((2 * v + 1) * dr + 2 * r) / x


def _primitive(name, pair, sign):
    prim = Primitive(
        name,                                            # order: how often it is differentiated in v
        multiple=True,
        shape=lambda v, x, *, order: [elementwise(v, x)] * 2,
        impl=_impl(pair),
        lower=_lower(pair),
        batch=lambda b, mine, *xs, order: (b.bind(*align(mine, xs), order=order), [True, True]),
    )

    @prim.define("jvp")
    def jvp(xs, ts, *, order):
        v, x = xs
        ys, out = prim.bind(v, x, order=order), [None, None]
        if ts[1] is not None:
            out = [ts[1] * s for s in _slopes(prim, sign, ys, v, x, order)]
        if ts[0] is not None:
            if order == _ORDERS:
                raise TransformError(f"{name} is differentiated at most {_ORDERS} times in its order.")
            out = [ts[0] * d if o is None else o + ts[0] * d for o, d in zip(out, prim.bind(v, x, order=order + 1))]
        return ys, out
    return prim


bessel_i_p = _primitive("bessel_i", i_pair, 1.0)
bessel_k_p = _primitive("bessel_k", k_pair, -1.0)


def log_ive(v, x):
    """log(exp(-x) Iᵥ(x)), the modified Bessel function of the first kind where it over- or underflows.

    v : float[*batch], >= 0      x : float[*batch], >= 0      Both have derivatives, v at most two.

    >>> float(log_ive(1000.0, 1.0)).__round__(3)
    -6606.275
    """
    return bessel_i_p.bind(*promote_inexact(v, x), order=0)[0]


def log_kve(v, x):
    """log(exp(x) Kᵥ(x)), the modified Bessel function of the second kind.   v : any      x >= 0"""
    return bessel_k_p.bind(*_even(v, x), order=0)[0]


def iv_ratio(v, x):
    """Iᵥ₊₁(x)/Iᵥ(x): with v = d/2 - 1 the mean length of a von Mises-Fisher vector in d dimensions.   v, x >= 0"""
    return bessel_i_p.bind(*promote_inexact(v, x), order=0)[1]


def kv_ratio(v, x):
    """Kᵥ₊₁(x)/Kᵥ(x).   v, x >= 0"""
    return bessel_k_p.bind(*promote_inexact(v, x), order=0)[1]


def _even(v, x):
    v, x = promote_inexact(v, x)
    return abs_(v), x


def ive(v, x):
    """exp(-x) Iᵥ(x); the error is that of its logarithm.   v, x >= 0"""
    return exp(log_ive(v, x))


def iv(v, x):
    """Iᵥ(x), the modified Bessel function of the first kind, of real order.   v, x >= 0"""
    v, x = promote_inexact(v, x)
    return exp(log_ive(v, x) + x)


def kve(v, x):
    """exp(x) Kᵥ(x); the error is that of its logarithm.   v : any      x >= 0"""
    return exp(log_kve(v, x))


def kv(v, x):
    """Kᵥ(x), the modified Bessel function of the second kind, of real order.   v : any      x >= 0"""
    v, x = promote_inexact(v, x)
    return exp(log_kve(v, x) - x)
