"""Values that move along a path: what a draw is, and how it follows its parameters.

A draw x of a distribution function F(x; a) moves with a so that F stays as it is: dx/da = -(∂F/∂a) / p(x; a) (Figurnov,
Mohamed & Mnih 2018, "Implicit reparameterization gradients").
"""
import functools

import numpy as np

from ..core import Primitive
from .bessel import i0e, i1e
from .betainc import betainc_p
from .betas import betaln, digamma_rise_p
from .elementwise import abs, arcsin, exp, log, lt, maximum, sin, softplus, sqrt, where
from .structural import cast, elementwise, elementwise_batch, reduce_sum, reshape, spread

_F64 = np.dtype("float64")


def _first(x, _):
    return np.array(np.broadcast_to(x, np.broadcast_shapes(np.shape(x), np.shape(_))))


def _lower_first(b, x, _):
    return b.broadcast_to(x, b.out[0].shape)


known_exp_p = Primitive(
    "known_exp",                                         # (x, l) -> x, known to be exp(l), whose derivative it has in l
    shape=elementwise,
    impl=_first,
    lower=_lower_first,
    jvp=(None, lambda t, y, x, l: spread(t * y, y)),     # noqa: E741
    batch=elementwise_batch,
)


# ---- the von Mises distribution ----

@functools.cache
def _nodes(n=32):
    """Gauss-Legendre nodes and weights on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(n)
    return (x + 1) / 2, w / 2


# 1 - I₁(k)/I₀(k) in powers of 1/k (the quotient of DLMF 10.40.1)
_GAP = (1 / 2, 1 / 8, 1 / 8, 25 / 128, 13 / 32, 1073 / 1024)


def _resultant_gap(kappa):
    """1 - I₁(κ) / I₀(κ), without cancellation for large κ."""
    far = kappa > 200.0
    inverse = 1 / where(far, kappa, np.full((), 200.0))
    series = _GAP[-1]
    for c in _GAP[-2::-1]:
        series = series * inverse + c
    near = where(far, np.ones(()), kappa)
    return where(far, series * inverse, 1 - i1e(near) / i0e(near))


def von_mises_slope(kappa, theta):
    """dθ/dκ along F(θ; κ) = const for density exp(κ cos θ) / (2π I₀(κ)) on [-π, π].

    ∫₀^θ (A - cos t) exp(κ (cos t - cos θ)) dt with A = I₁/I₀, which is 0 over [0, π], so in the tail minus the integral
    from θ on, as far as the integrand is above e⁻⁴⁰ of its start; 32 nodes of Gauss and Legendre.
    """
    dtype = theta.dtype
    kappa, theta = cast(kappa, _F64), cast(theta, _F64)
    half = sin(theta * 0.5)
    height = half * half                                 # (1 - cos θ) / 2
    central = lt(2 * kappa * height, 1.5)
    side = where(theta < 0, np.full((), -1.0), np.ones(()))
    short = kappa * (1 - height) > 20.0
    end = height + 20 / where(short, kappa, np.full((), 100.0))
    end = side * where(short, 2 * arcsin(sqrt(where(short, end, np.full((), 0.5)))), np.full((), np.pi))
    start, stop = where(central, np.zeros(()), theta), where(central, theta, end)
    gap = _resultant_gap(kappa)
    nodes, weights = _nodes()
    start, width, kappa, gap, height = (reshape(v, (*v.shape, 1)) for v in (start, stop - start, kappa, gap, height))
    rise = sin((start + width * nodes) * 0.5)
    rise = rise * rise
    values = (2 * rise - gap) * exp(2 * kappa * (height - rise)) * weights
    total = reduce_sum(values * width, (values.ndim - 1,))
    return cast(where(central, total, -total), dtype)


von_mises_path_p = Primitive(
    "von_mises_path",                                    # (θ, κ) -> θ, which moves with κ as a draw does
    shape=elementwise,
    impl=_first,
    lower=_lower_first,
    jvp=(lambda t, y, x, k: spread(t, y), lambda t, y, x, k: t * von_mises_slope(k, y)),
    batch=elementwise_batch,
)


# ---- the beta distribution ----

def _beta_slopes(a, b, y):
    """(∂y/∂a, ∂y/∂b) along I(a, b; x) = const with y = log(x / (1 - x)) <= 0: -∂I B(a, b) / (xᵃ (1 - x)ᵇ).

    Where x and b x are below e⁻⁴⁰, I = xᵃ / (a B(a, b)), so a y - log a - log B stays.
    """
    log_x = -softplus(-y)
    tiny = lt(log_x + maximum(log(b), 0.0), -40.0)
    safe = where(tiny, np.full((), -1.0, y.dtype), log_x)
    rest = -softplus(where(tiny, np.zeros((), y.dtype), y))                         # log(1 - x)
    scale = -exp(betaln(a, b) - a * safe - b * rest)
    x = exp(safe)
    near = [scale * betainc_p.bind(a, b, x, upper=False, orders=orders) for orders in ((1, 0), (0, 1))]
    far = [(1 / a - digamma_rise_p.bind(a, b) - y) / a, -digamma_rise_p.bind(b, a) / a]
    return [where(tiny, f, n) for f, n in zip(far, near)]


def beta_slopes(a, b, y):
    """(∂y/∂a, ∂y/∂b) of y = log(x / (1 - x)) for a beta(a, b) number x at fixed I(a, b; x)."""
    dtype, (a, b, y) = y.dtype, [cast(v, _F64) for v in (a, b, y)]
    left = y < 0
    p, q = where(left, a, b), where(left, b, a)
    in_p, in_q = _beta_slopes(p, q, -abs(y))
    return cast(where(left, in_p, -in_q), dtype), cast(where(left, in_q, -in_p), dtype)


beta_path_p = Primitive(
    "beta_path",                                         # (log(x / (1 - x)), a, b) -> the same, moving as a draw does
    shape=elementwise,
    impl=lambda y, a, b: np.array(np.broadcast_to(y, np.broadcast_shapes(np.shape(y), np.shape(a), np.shape(b)))),
    lower=lambda b, y, *_: b.broadcast_to(y, b.out[0].shape),
    jvp=(lambda t, out, y, a, b: spread(t, out), lambda t, out, y, a, b: t * beta_slopes(a, b, out)[0],
         lambda t, out, y, a, b: t * beta_slopes(a, b, out)[1]),
    batch=elementwise_batch,
)
