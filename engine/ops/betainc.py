"""The incomplete beta function I(a, b; x), its complement and their logarithms, with derivatives in all arguments.

How they are computed stands in beta_regions.py. In x all derivatives are those of the density.
"""
import numpy as np

from ..core import Primitive
from ..errors import TransformError
from ..lazy import scipy_special
from .beta_regions import betainc_formula, front_formula
from .betas import digamma_rise_p
from .elementwise import bitwise_and, exp, log, log1p, where
from .formula import numpy_impl, xla_lower
from .gammas import polygamma
from .structural import elementwise, elementwise_batch, promote_inexact


def _inside(x):
    """(0 < x < 1, x there and 1/2 elsewhere)"""
    inside = bitwise_and(x > 0, x < 1)
    return inside, where(inside, x, np.full((), 0.5, x.dtype))


# ---- the density ----

def _front_slope(slope):
    def jvp(t, y, a, b, x, *, log):
        inside, safe = _inside(x)
        d = slope(a, b, safe)
        return t * where(inside, d if log else y * d, np.zeros((), x.dtype))
    return jvp


beta_front_p = Primitive(
    "beta_front",                                        # xᵃ (1-x)ᵇ / B(a, b), or its logarithm
    shape=elementwise,
    impl=lambda a, b, x, *, log: numpy_impl(front_formula(log))(a, b, x),
    lower=lambda builder, a, b, x, *, log: xla_lower(front_formula(log))(builder, a, b, x),
    jvp=(_front_slope(lambda a, b, x: log(x) + digamma_rise_p.bind(a, b)),
         _front_slope(lambda a, b, x: log1p(-x) + digamma_rise_p.bind(b, a)),
         _front_slope(lambda a, b, x: a / x - b / (1 - x))),
    batch=elementwise_batch,
)


def _shape_factor(orders, a, b, x):
    """∂ⁱ⁺ʲ p / ∂aⁱ ∂bʲ / p for the density p."""
    i, j = orders
    if i + j == 0:
        return np.ones((), x.dtype)
    in_a = log(x) + digamma_rise_p.bind(a, b) if i else None
    in_b = log1p(-x) + digamma_rise_p.bind(b, a) if j else None
    if i + j == 1:
        return in_a if i else in_b
    bend = polygamma(1, a + b) - (polygamma(1, a) if i == 2 else polygamma(1, b) if j == 2 else 0)
    return (in_a if i else in_b) * (in_b if j else in_a) + bend


# ---- I and 1 - I ----

def _impl(a, b, x, *, upper, orders):
    if orders == (0, 0):
        f = scipy_special.betaincc if upper else scipy_special.betainc
        return np.asarray(f(a, b, x, dtype=float)).astype(a.dtype)           # its float32 loses digits
    return numpy_impl(betainc_formula(upper, orders))(a, b, x)


def _density_jvp(t, y, a, b, x, *, upper, orders):
    """∂ₓ I = xᵃ⁻¹ (1-x)ᵇ⁻¹ / B(a, b)."""
    inside, safe = _inside(x)
    p = beta_front_p.bind(a, b, safe, log=False) / (safe * (1 - safe))
    p = where(inside, p * _shape_factor(orders, a, b, safe), np.zeros((), x.dtype))
    return -(t * p) if upper else t * p


def _order_jvp(place):
    def jvp(t, y, a, b, x, *, upper, orders):
        if sum(orders) == 2:
            raise TransformError("betainc is differentiated at most twice in its first two arguments.")
        return t * betainc_p.bind(a, b, x, upper=upper, orders=_raised(orders, place))
    return jvp


def _raised(orders, place):
    return tuple([k + (i == place) for i, k in enumerate(orders)])


betainc_p = Primitive(
    # I, or 1 - I with `upper`, differentiated orders[0] times in a, orders[1] in b
    "betainc",
    shape=elementwise,
    impl=_impl,
    lower=lambda builder, *xs, upper, orders: xla_lower(betainc_formula(upper, orders))(builder, *xs),
    jvp=(_order_jvp(0), _order_jvp(1), _density_jvp),
    batch=elementwise_batch,
)


# ---- their logarithms ----

def _log_impl(a, b, x, *, upper, orders):
    """From SciPy's I and 1 - I, but for what is too small for them."""
    if orders != (0, 0):
        return numpy_impl(betainc_formula(upper, orders, True))(a, b, x)
    part, rest = (np.asarray(f(a, b, x, dtype=float)) for f in (scipy_special.betainc, scipy_special.betaincc))
    if upper:
        part, rest = rest, part
    out = np.where(part < 0.5, np.log(part), np.log1p(-rest))
    lost = (part < 1e-290) & (a > 0) & (b > 0) & (x > 0) & (x < 1)
    if lost.any():
        out = np.where(lost, numpy_impl(betainc_formula(upper, orders, True))(*np.broadcast_arrays(a, b, x)), out)
    return np.asarray(out).astype(a.dtype)


def _log_order_jvp(place):
    def jvp(t, y, a, b, x, *, upper, orders):
        if sum(orders) == 2:
            raise TransformError("log_betainc is differentiated at most twice in its first two arguments.")
        return t * log_betainc_p.bind(a, b, x, upper=upper, orders=_raised(orders, place))
    return jvp


def _log_density_jvp(t, y, a, b, x, *, upper, orders):
    """∂ₓ log I = p / I, and its first derivatives in a and b."""
    if sum(orders) > 1:
        raise TransformError("log_betainc is differentiated at most twice.")
    value = log_betainc_p.bind(a, b, x, upper=upper, orders=(0, 0)) if sum(orders) else y
    inside, safe = _inside(x)
    ratio = exp(beta_front_p.bind(a, b, safe, log=True) - value) / (safe * (1 - safe))
    if sum(orders):
        ratio = ratio * (_shape_factor(orders, a, b, safe) - y)
    ratio = where(inside, ratio, np.zeros((), x.dtype))
    return -(t * ratio) if upper else t * ratio


log_betainc_p = Primitive(
    "log_betainc",                                       # log I or log(1 - I), differentiated so often in a and b
    shape=elementwise,
    impl=_log_impl,
    lower=lambda builder, *xs, upper, orders: xla_lower(betainc_formula(upper, orders, True))(builder, *xs),
    jvp=(_log_order_jvp(0), _log_order_jvp(1), _log_density_jvp),
    batch=elementwise_batch,
)


def betainc(a, b, x):
    """I(a, b; x) = ∫₀ˣ tᵃ⁻¹ (1-t)ᵇ⁻¹ dt / B(a, b).   a, b > 0, 0 <= x <= 1; differentiable in all three.   DLMF 8.17

    >>> float(betainc(2.0, 1.0, 0.5))
    0.25
    """
    return betainc_p.bind(*promote_inexact(a, b, x), upper=False, orders=(0, 0))


def betaincc(a, b, x):
    """1 - I(a, b; x), accurate where that is small."""
    return betainc_p.bind(*promote_inexact(a, b, x), upper=True, orders=(0, 0))


def log_betainc(a, b, x):
    """log I(a, b; x), where I itself may be too small for a float.   a, b > 0, 0 <= x <= 1"""
    return log_betainc_p.bind(*promote_inexact(a, b, x), upper=False, orders=(0, 0))


def log_betaincc(a, b, x):
    """log(1 - I(a, b; x)), where 1 - I itself may be too small for a float."""
    return log_betainc_p.bind(*promote_inexact(a, b, x), upper=True, orders=(0, 0))
