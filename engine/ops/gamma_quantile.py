"""How gamma numbers move with their shape at a fixed uniform, and the inverses of P(a, x) and Q(a, x).

The derivative is that of an implicit function: with P(a, x) = u fixed, dx/da = -(∂P/∂a) / p (Figurnov, Mohamed & Mnih
2018, "Implicit reparameterization gradients").
"""
import functools
import math

import numpy as np

from ..core import Primitive
from ..errors import TransformError
from ..lazy import scipy_special
from .elementwise import bitwise_and, exp, log, where
from .formula import numpy_impl, xla_lower
from .gamma_regions import density_formula, front, gammainc_formula, pair
from .gammainc import ORDERS, gamma_front_p, shape_factor
from .gammas import digamma, lgamma_formula
from .structural import elementwise, elementwise_batch, promote_inexact, spread

# ---- ∂P/∂a over the density ----

@functools.cache
def _ratio_formula(order):
    """∂ᵏP/∂aᵏ / (x p), for which both are small in the tails."""
    numerator = gammainc_formula(False, order)

    def f(m, a, x):
        return numerator(m, a, x) / (a * density_formula(False)(m, a, x))
    return f


def _ratio_in_shape(t, y, a, x, *, order):
    if order == ORDERS:
        raise TransformError("the path of a gamma number is differentiated at most twice more.")
    return t * (gamma_ratio_p.bind(a, x, order=order + 1) - y * (log(x) - digamma(a)))


gamma_ratio_p = Primitive(
    "gamma_ratio",                                       # ∂ᵏP/∂aᵏ / (x p), k = order
    shape=elementwise,
    impl=lambda a, x, *, order: numpy_impl(_ratio_formula(order))(a, x),
    lower=lambda b, a, x, *, order: xla_lower(_ratio_formula(order))(b, a, x),
    jvp=(_ratio_in_shape, lambda t, y, a, x, *, order: t * ((shape_factor(order, a, x) - y * (a - x)) / x)),
    batch=elementwise_batch,
)


def log_gamma_slope(a, log_x):
    """d log x / da along P(a, x) = const, for a gamma(a) number x: -(∂P/∂a) / (x p(x; a)).

    Below x = e⁻⁴⁰ the limit is used: there P = xᵃ / Γ(a+1), so the slope is (ψ(a+1) - log x) / a.
    """
    tiny = log_x < -40.0
    slope = -gamma_ratio_p.bind(a, exp(where(tiny, np.zeros((), a.dtype), log_x)), order=1)
    return where(tiny, (digamma(a + 1) - log_x) / a, slope)


def random_gamma_grad(a, x):
    """dx/da of a gamma(a) number x at a fixed uniform, -(∂P(a, x)/∂a) / p(x; a).   a > 0, x >= 0

    Source: Figurnov, Mohamed & Mnih (2018), "Implicit reparameterization gradients", section 3.
    """
    a, x = promote_inexact(a, x)
    inside = bitwise_and(x > 0, x < np.inf)
    safe = where(inside, x, np.ones((), x.dtype))
    return where(inside, safe * log_gamma_slope(a, log(safe)), where(x > 0, x, x * 0))


gamma_path_p = Primitive(
    "gamma_path",                                        # (log x, a) -> log x, which moves with a as a draw does
    shape=elementwise,
    impl=lambda x, a: np.array(np.broadcast_to(x, np.broadcast_shapes(np.shape(x), np.shape(a)))),
    lower=lambda b, x, a: b.broadcast_to(x, b.out[0].shape),
    jvp=(lambda t, y, x, a: spread(t, y), lambda t, y, x, a: t * log_gamma_slope(a, y)),
    batch=elementwise_batch,
)


# ---- the inverses ----

def normal_guess(m, log_p):
    """-Φ⁻¹(p) for p <= 1/2 to three digits.   Abramowitz & Stegun 26.2.23"""
    t = m.sqrt(-2.0 * log_p)
    return t - (t * (t * 0.010328 + 0.802853) + 2.515517) / (t * (t * (t * 0.001308 + 0.189269) + 1.432788) + 1.0)


def _inverse(upper):
    """Halley's method for the logarithm of the smaller of P and Q as a function of log x, which is concave."""
    def f(m, a, p):
        ok = (a > 0.0) & (a < 1e300) & (p > 0.0) & (p < 1.0)
        a, p = m.where(ok, a, 1.0), m.where(ok, p, 0.5)
        own = p <= 0.5
        target = m.where(own, m.log(p), m.log1p(-p))
        right = own if upper else ~own                   # where it is Q that is solved for
        log_lower = m.where(right, m.log1p(-m.exp(target)), target)
        # for small x P = xᵃ / Γ(a+1); else Wilson & Hilferty's cube
        start = (log_lower + lgamma_formula(m, a + 1.0)) / a
        z = normal_guess(m, target)
        root = 1.0 - 1.0 / (a * 9.0) + m.where(right, z, -z) / (m.sqrt(a) * 3.0)
        cube = (root > 0.1) & (start > m.log((a + 1.0) * 0.2))
        guess = m.where(cube, m.log(a) + m.log(m.where(cube, root, 1.0)) * 3.0, start)
        small = guess < -40.0
        sign = m.where(right, -1.0, a * 0.0 + 1.0)

        def step(x, change, a, target, sign):
            lower, higher = pair(m, a, x, True)
            value = m.where(sign > 0.0, lower, higher)
            slope = sign * m.exp(front(m, a, x, True) - value) * a
            newton = (value - target) / slope
            bend = 1.0 - newton * (a - x - slope) * 0.5
            change = newton / m.where(bend < 0.5, 0.5, m.where(bend > 2.0, 2.0, bend))
            change = m.where(change > 3.0, 3.0, m.where(change < -3.0, -3.0, change))
            return [x * m.exp(-change), change, a, target, sign]

        x = m.where(small, 1.0, m.exp(m.where(small, 0.0, guess)))
        out = m.loop(lambda x, change, *rest: m.abs(change) > 1e-6, step,
                     [x, m.where(small | ~ok, 0.0, a * 0.0 + 1.0), a, target, sign], 60)
        return m.where(ok, m.where(small, m.exp(guess), out[0]), math.nan)

    def whole(m, a, p):
        out = f(m, a, p)
        none, all_ = (math.inf, 0.0) if upper else (0.0, math.inf)
        out = m.where((a > 0.0) & ~(p > 0.0) & ~(p < 0.0) & (p < 1.0), none, out)
        return m.where((a > 0.0) & ~(p > 1.0) & ~(p < 1.0) & (p > 0.0), all_, out)
    return whole


def _inverse_jvp(t, x, a, p, *, upper):
    """dx/dp = 1 / p(x)."""
    inside = bitwise_and(x > 0, x < np.inf)
    safe = where(inside, x, np.ones((), x.dtype))
    slope = where(inside, safe / (a * gamma_front_p.bind(a, safe, log=False)), np.full((), np.inf, x.dtype))
    return t * -slope if upper else t * slope


gammaincinv_p = Primitive(
    "gammaincinv",                                       # x with P(a, x) = p, or Q(a, x) = p with `upper`
    shape=elementwise,
    uniform=True,
    impl=lambda a, p, *, upper: np.asarray((scipy_special.gammainccinv if upper else scipy_special.gammaincinv)(
        a, p, dtype=float)).astype(a.dtype),
    lower=lambda b, a, p, *, upper: xla_lower(_inverse(upper))(b, a, p),
    jvp=(lambda t, x, a, p, *, upper: t * random_gamma_grad(a, x), _inverse_jvp),
    batch=elementwise_batch,
)


def gammaincinv(a, p):
    """x with P(a, x) = p, the quantile function of gamma numbers.   a > 0, 0 <= p <= 1; differentiable in both

    >>> float(gammaincinv(1.0, 0.5)).__round__(6)
    0.693147
    """
    return gammaincinv_p.bind(*promote_inexact(a, p), upper=False)


def gammainccinv(a, q):
    """x with Q(a, x) = q, for small q too.   a > 0, 0 <= q <= 1; differentiable in both"""
    return gammaincinv_p.bind(*promote_inexact(a, q), upper=True)
