"""The incomplete gamma functions P(a, x) and Q(a, x) = 1 - P and their logarithms, with derivatives in both arguments.

How they are computed stands in gamma_regions.py. In x all derivatives are those of the density.
"""
import numpy as np

from ..core import Primitive
from ..errors import TransformError
from ..lazy import scipy_special
from .elementwise import bitwise_and, exp, log, where
from .formula import numpy_impl, xla_lower
from .gamma_regions import density_formula, gammainc_formula
from .gammas import digamma, polygamma
from .structural import elementwise, elementwise_batch, promote_inexact

ORDERS = 3


# ---- the density ----

def _front_slopes(in_shape, in_place):
    """Of xᵃ e⁻ˣ / Γ(a + 1) with an inner x; 0 where that is 0 or infinite."""
    def rule(slope):
        def jvp(t, y, a, x, *, log):
            inside = bitwise_and(x > 0, x < np.inf)
            slope_there = slope(a, where(inside, x, np.ones((), x.dtype)))
            return t * where(inside, slope_there if log else y * slope_there, np.zeros((), x.dtype))
        return jvp
    return rule(in_shape), rule(in_place)


gamma_front_p = Primitive(
    "gamma_front",                                       # xᵃ e⁻ˣ / Γ(a + 1), or its logarithm
    shape=elementwise,
    impl=lambda a, x, *, log: numpy_impl(density_formula(log))(a, x),
    lower=lambda b, a, x, *, log: xla_lower(density_formula(log))(b, a, x),
    jvp=_front_slopes(lambda a, x: log(x) - digamma(a) - 1 / a, lambda a, x: a / x - 1),
    batch=elementwise_batch,
)


def shape_factor(order, a, x):
    """∂ᵏp/∂aᵏ / p for the density p = xᵃ⁻¹ e⁻ˣ / Γ(a)."""
    if order == 0:
        return np.ones((), x.dtype)
    slope = log(x) - digamma(a)
    if order == 1:
        return slope
    if order == 2:
        return slope * slope - polygamma(1, a)
    raise TransformError("gammainc is differentiated at most three times in its first argument.")


# ---- P and Q ----

def _impl(a, x, *, upper, order):
    if order == 0:
        f = scipy_special.gammaincc if upper else scipy_special.gammainc
        return np.asarray(f(a, x, dtype=float)).astype(a.dtype)
    return numpy_impl(gammainc_formula(upper, order))(a, x)


def _density_jvp(t, y, a, x, *, upper, order):
    """∂ₓ ∂ₐᵏ P = ∂ₐᵏ p."""
    inside = x > 0
    safe = where(inside, x, np.ones((), x.dtype))
    p = gamma_front_p.bind(a, safe, log=False) * (a / safe)
    edge = where(a == 1, np.ones((), x.dtype), where(a < 1, np.full((), np.inf, x.dtype), np.zeros((), x.dtype)))
    p = where(inside, p, edge if order == 0 else np.zeros((), x.dtype))
    if order:
        p = p * shape_factor(order, a, safe)
    return -(t * p) if upper else t * p


def _order_jvp(t, y, a, x, *, upper, order):
    if order == ORDERS:
        raise TransformError("gammainc is differentiated at most three times in its first argument.")
    return t * gammainc_p.bind(a, x, upper=upper, order=order + 1)


gammainc_p = Primitive(
    "gammainc",                                          # ∂ᵏ/∂aᵏ of P(a, x), or of Q(a, x) with `upper`; k = order
    shape=elementwise,
    impl=_impl,
    lower=lambda b, a, x, *, upper, order: xla_lower(gammainc_formula(upper, order))(b, a, x),
    jvp=(_order_jvp, _density_jvp),
    batch=elementwise_batch,
)


# ---- their logarithms ----

def _log_impl(a, x, *, upper, order):
    """From SciPy's P and Q, but for what is too small for them."""
    if order:
        return numpy_impl(gammainc_formula(upper, order, True))(a, x)
    p, q = (np.asarray(f(a, x, dtype=float)) for f in (scipy_special.gammainc, scipy_special.gammaincc))
    part, rest = (q, p) if upper else (p, q)
    out = np.where(part < 0.5, np.log(part), np.log1p(-rest))
    lost_there = (part < 1e-290) & (a > 0) & (x > 0)
    if lost_there.any():
        out = np.where(lost_there, numpy_impl(gammainc_formula(upper, 0, True))(*np.broadcast_arrays(a, x)), out)
    return np.asarray(out).astype(a.dtype)


def _log_order_jvp(t, y, a, x, *, upper, order):
    if order == ORDERS - 1:
        raise TransformError("log_gammainc is differentiated at most twice in its first argument.")
    return t * log_gammainc_p.bind(a, x, upper=upper, order=order + 1)


def _log_density_jvp(t, y, a, x, *, upper, order):
    """∂ₓ log P = p / P, and its derivative in a."""
    value = y if order == 0 else log_gammainc_p.bind(a, x, upper=upper, order=0)
    inside = bitwise_and(x > 0, x < np.inf)
    safe = where(inside, x, np.ones((), x.dtype))
    ratio = exp(gamma_front_p.bind(a, safe, log=True) - value) * (a / safe)
    if order == 1:
        ratio = ratio * (log(safe) - digamma(a) - y)
    if order > 1:
        raise TransformError("log_gammainc is differentiated at most twice in its first argument.")
    edge = np.full((), -1.0 if upper else 0.0, x.dtype)  # the hazard at ∞
    start = np.full((), 0.0 if upper else np.inf, x.dtype)
    return t * where(inside, -ratio if upper else ratio, where(x > 0, edge, start))


log_gammainc_p = Primitive(
    "log_gammainc",                                      # ∂ᵏ/∂aᵏ of log P(a, x), or of log Q(a, x) with `upper`
    shape=elementwise,
    impl=_log_impl,
    lower=lambda b, a, x, *, upper, order: xla_lower(gammainc_formula(upper, order, True))(b, a, x),
    jvp=(_log_order_jvp, _log_density_jvp),
    batch=elementwise_batch,
)


def gammainc(a, x):
    """P(a, x) = ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt / Γ(a).   a > 0, x >= 0; differentiable in both.   DLMF 8.2.4

    >>> float(gammainc(1.0, 1.0)).__round__(6)
    0.632121
    """
    return gammainc_p.bind(*promote_inexact(a, x), upper=False, order=0)


def gammaincc(a, x):
    """Q(a, x) = 1 - P(a, x), accurate where that is small.   DLMF 8.2.4"""
    return gammainc_p.bind(*promote_inexact(a, x), upper=True, order=0)


def log_gammainc(a, x):
    """log P(a, x), where P itself may be too small for a float.   a > 0, x >= 0

    >>> float(log_gammainc(100.0, 1e-5)).__round__(3)
    -1515.032
    """
    return log_gammainc_p.bind(*promote_inexact(a, x), upper=False, order=0)


def log_gammaincc(a, x):
    """log Q(a, x), where Q itself may be too small for a float.   a > 0, x >= 0"""
    return log_gammainc_p.bind(*promote_inexact(a, x), upper=True, order=0)
