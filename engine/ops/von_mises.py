"""The distribution function of von Mises numbers, with derivatives in the angle and the concentration.

Below a concentration of 100 its Fourier series, summed backwards together with the recurrence of the ratios of Bessel
functions (Hill 1977, "Algorithm 518: incomplete Bessel function I₀"); above, incomplete moments of the normal number
2 √κ sin(x/2), whose density has the factor (1 - y²/4κ)^(-1/2).
"""
import functools
import math

from ..core import Primitive
from ..errors import TransformError
from .bessel import i0e, i1e
from .doubles import two_product
from .elementwise import cos, exp
from .formula import differentiated, numpy_impl, plain, xla_lower
from .structural import elementwise, elementwise_batch, promote_inexact

JOIN, TERMS, MOMENTS = 100.0, 90, 11
ORDERS = 2


def _last_sine(m, x):
    """sin(nx) for the last term n, whose angle is too large to be rounded."""
    angle, rest = two_product(m, x, x * 0.0 + float(TERMS))
    return m.sin(angle) + rest * m.cos(angle)


def _last_cosine(m, x):
    angle, rest = two_product(m, x, x * 0.0 + float(TERMS))
    return m.cos(angle) - rest * m.sin(angle)


def _fourier(m, x, kappa):
    """x / 2π + 1/2 + Σ I_k(κ) / I₀(κ) sin(kx) / kπ."""
    def step(k, r, v, s, c, kappa, sin, cos):
        r = kappa / (2.0 * k + kappa * r)                # I_k / I_{k-1}
        v = r * (s / k + v)
        return [k - 1.0, r, v, s * cos - c * sin, c * cos + s * sin, kappa, sin, cos]

    zero = x * 0.0
    start = zero + float(TERMS)
    sine = m.apply(_last_sine, (lambda m, y, x: _last_cosine(m, x) * float(TERMS),), x)
    cosine = m.apply(_last_cosine, (lambda m, y, x: _last_sine(m, x) * -float(TERMS),), x)
    state = [start, zero, zero, sine, cosine, kappa, m.sin(x), m.cos(x)]
    out = m.loop(lambda k, *rest: plain(k) > 0.5, step, state, TERMS)
    return x * (1 / (2 * math.pi)) + out[2] * (1 / math.pi) + 0.5


def _moments(m, x, kappa):
    """Σ cⱼ Mⱼ(y) / Σ cⱼ Mⱼ(∞), Mⱼ = ∫ t²ʲ φ(t) dt up to y, cⱼ = (2j)! / j!² / (16κ)ʲ."""
    y = m.sqrt(kappa) * m.sin(x * 0.5) * 2.0
    square, factor = y * y, 1.0 / (kappa * 16.0)
    density = m.exp(square * -0.5) * (1 / math.sqrt(2 * math.pi))
    moment, all_ = m.special("erfc", y * -math.sqrt(0.5)) * 0.5, 1.0
    total, whole, weight, power = moment, y * 0.0 + 1.0, y * 0.0 + 1.0, y
    for j in range(1, MOMENTS):
        moment = moment * float(2 * j - 1) - power * density
        all_ = all_ * (2 * j - 1)
        power = power * square
        weight = weight * factor * ((2 * j) * (2 * j - 1) / j**2)
        total, whole = total + weight * moment, whole + weight * all_
    return total / whole


def _cdf(m, x, kappa):
    px, pk = plain(x), plain(kappa)
    turns = m.round(px * (1 / (2 * math.pi)))
    x = x - turns * (2 * math.pi)
    ok = (pk >= 0.0) & (pk < math.inf)
    near = pk < JOIN
    low = _fourier(m, x, m.where(near & ok, kappa, 1.0))
    high = _moments(m, x, m.where(near | ~ok, JOIN, kappa))
    return m.where(ok, m.where(near, low, high) + turns, math.nan)


@functools.cache
def _formula(order):
    return differentiated(_cdf, (0, order))


def _in_angle(t, y, x, kappa, *, order):
    """The density exp(κ (cos x - 1)) / 2π exp(-κ) I₀(κ), and its derivative in κ."""
    p = exp(kappa * (cos(x) - 1)) / (i0e(kappa) * (2 * math.pi))
    if order == 1:
        p = p * (cos(x) - i1e(kappa) / i0e(kappa))
    if order > 1:
        raise TransformError("von_mises_cdf is differentiated at most twice in its concentration.")
    return t * p


def _in_concentration(t, y, x, kappa, *, order):
    if order == ORDERS:
        raise TransformError("von_mises_cdf is differentiated at most twice in its concentration.")
    return t * von_mises_cdf_p.bind(x, kappa, order=order + 1)


von_mises_cdf_p = Primitive(
    "von_mises_cdf",                                     # ∂ᵏ/∂κᵏ of it, k = order
    shape=elementwise,
    impl=lambda x, kappa, *, order: numpy_impl(_formula(order))(x, kappa),
    lower=lambda b, x, kappa, *, order: xla_lower(_formula(order))(b, x, kappa),
    jvp=(_in_angle, _in_concentration),
    batch=elementwise_batch,
)


def von_mises_cdf(x, kappa):
    """P(angle <= x) = ∫ exp(κ cos t) dt / 2π I₀(κ) from -π to x, plus 1 for each further turn; differentiable in both.

    x : float[*batch]        kappa : float[*batch], >= 0

    >>> float(von_mises_cdf(0.0, 2.0))
    0.5
    """
    return von_mises_cdf_p.bind(*promote_inexact(x, kappa), order=0)


def random_von_mises_grad(x, kappa):
    """dx/dκ of a von Mises number x at a fixed uniform, -(∂F/∂κ) / p(x; κ).   -π <= x <= π, κ >= 0

    Source: Figurnov, Mohamed & Mnih (2018), "Implicit reparameterization gradients", section 3.
    """
    x, kappa = promote_inexact(x, kappa)
    density = exp(kappa * (cos(x) - 1)) / (i0e(kappa) * (2 * math.pi))
    return -von_mises_cdf_p.bind(x, kappa, order=1) / density
