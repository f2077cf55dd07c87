"""KL divergences of families on the real line and on the circle.

Those to a normal, a Laplace or a Gumbel distribution follow from E x, E x², E |x - m| or E exp(-x/s) and the entropy.
"""
import math

from ...engine import numpy as np
from ...engine.scipy import special
from ..beta import Beta
from ..cauchy import Cauchy, HalfCauchy
from ..chi import Chi, Chi2, Maxwell, Rayleigh
from ..exponential import Exponential, Laplace
from ..extreme_value import Gumbel, Weibull
from ..gamma import Gamma
from ..kl import kl_divergence
from ..log_normal import LogNormal
from ..logistic import Logistic
from ..normal import HALF_LOG_2PI, HalfNormal, Normal
from ..power_law import LogUniform, Pareto
from ..skew import Moyal
from ..student_t import StudentT
from ..triangular import Triangular
from ..uniform import Uniform
from ..unit_interval import EULER, ContinuousBernoulli, Kumaraswamy, LogitNormal
from ..von_mises import VonMises
from .generalized_gamma import form

WITH_VARIANCE = [Laplace, Gumbel, Logistic, Moyal, StudentT, Uniform, Triangular, Beta, Kumaraswamy,
                 ContinuousBernoulli, Gamma, Exponential, Chi2, Chi, HalfNormal, Rayleigh, Maxwell, Weibull, LogNormal,
                 LogUniform, Pareto]


@kl_divergence.register_all([LogNormal], [LogNormal])
@kl_divergence.register_all([LogitNormal], [LogitNormal])
@kl_divergence.register(Normal, Normal)
def _(p, q):
    ratio, off = p.scale / q.scale, (p.loc - q.loc) / q.scale
    return 0.5 * ((ratio - 1.0) * (ratio + 1.0) + off * off) - np.log(ratio)


@kl_divergence.register_all(WITH_VARIANCE, [Normal])
def _(p, q):
    off = p.mean - q.loc
    known = np.isfinite(off)                             # no mean: the tails of p are too heavy
    square = np.where(known, (p.variance + np.square(np.where(known, off, 0.0))) / np.square(q.scale), np.inf)
    return 0.5 * square + (np.log(q.scale) + HALF_LOG_2PI) - p.entropy()


@kl_divergence.register(Laplace, Laplace)
def _(p, q):
    """Gil, Alajaji & Linder (2013), table 2."""
    ratio, far = p.scale / q.scale, np.abs(p.loc - q.loc)
    return far / q.scale + ratio * np.exp(-far / p.scale) - 1.0 - np.log(ratio)


@kl_divergence.register(Normal, Laplace)
def _(p, q):
    """E |x - m| is the mean of a folded normal number."""
    z = (p.loc - q.loc) / p.scale
    size = p.scale * (math.sqrt(2 / math.pi) * np.exp(-0.5 * z * z) + z * special.erf(z * math.sqrt(0.5)))
    return size / q.scale + np.log(2.0 * q.scale) - p.entropy()


@kl_divergence.register(Logistic, Laplace)
def _(p, q):
    """E |x - m| = 2 s log(2 cosh((loc - m) / 2s))."""
    z = np.abs(p.loc - q.loc) / p.scale
    size = p.scale * (z + 2.0 * np.log1p(np.exp(-z)))
    return size / q.scale + np.log(2.0 * q.scale) - p.entropy()


@kl_divergence.register(Uniform, Laplace)
def _(p, q):
    a, b = p.low - q.loc, p.high - q.loc
    return 0.5 * (b * np.abs(b) - a * np.abs(a)) / ((b - a) * q.scale) + np.log(2.0 * q.scale) - p.entropy()


@kl_divergence.register(Gumbel, Gumbel)
def _(p, q):
    """Bauckhage (2013), "Computing the Kullback-Leibler divergence between two Gumbel distributions"."""
    ratio, off = p.scale / q.scale, (p.loc - q.loc) / q.scale
    return EULER * (ratio - 1.0) + off + np.exp(special.gammaln(1.0 + ratio) - off) - 1.0 - np.log(ratio)


def _to_gumbel(p, q, log_mean):
    """E log q from log E exp(-x / s)."""
    mean = (p.mean - q.loc) / q.scale
    return mean + np.exp(q.loc / q.scale + log_mean) + np.log(q.scale) - p.entropy()


@kl_divergence.register(Normal, Gumbel)
def _(p, q):
    return _to_gumbel(p, q, -p.loc / q.scale + 0.5 * np.square(p.scale / q.scale))


@kl_divergence.register_all([Gamma, Exponential, Chi2], [Gumbel])
def _(p, q):
    a, log_c, _ = form(p)
    return _to_gumbel(p, q, -a * np.log1p(np.exp(log_c) / q.scale))


@kl_divergence.register(Uniform, Gumbel)
def _(p, q):
    width = (p.high - p.low) / q.scale
    return _to_gumbel(p, q, -p.low / q.scale + np.log(special.exprel(-width)))


@kl_divergence.register(Moyal, Moyal)
def _(p, q):
    """exp(-z) is the square of a standard normal number; its power r has mean 2ʳ Γ(r + ½) / √π."""
    ratio, off = p.scale / q.scale, (p.loc - q.loc) / q.scale
    power = np.exp(ratio * math.log(2) + special.gammaln(ratio + 0.5) - 0.5 * math.log(math.pi) - off)
    return 0.5 * ((EULER + math.log(2)) * (ratio - 1.0) + off + power - 1.0) - np.log(ratio)


@kl_divergence.register(Cauchy, Cauchy)
def _(p, q):
    """log(1 + ((s - t)² + (m - n)²) / 4 s t): Chyzak & Nielsen (2019), "A closed-form formula for the Kullback-Leibler
    divergence between Cauchy distributions"."""
    return _from_cauchy(p.scale, q.scale, p.loc - q.loc)


@kl_divergence.register(HalfCauchy, HalfCauchy)
def _(p, q):
    return _from_cauchy(p.scale, q.scale, 0.0)


def _from_cauchy(s, t, off):
    gap, root = s - t, 2.0 * np.sqrt(s) * np.sqrt(t)
    return np.log1p(np.square(gap / root) + np.square(off / root))


@kl_divergence.register(Uniform, Uniform)
def _(p, q):
    inside = np.logical_and(q.low <= p.low, p.high <= q.high)
    return np.where(inside, np.log((q.high - q.low) / (p.high - p.low)), np.inf)


@kl_divergence.register(VonMises, VonMises)
def _(p, q):
    """log I₀(k₂) - log I₀(k₁) + A (k₁ - k₂ cos(m₁ - m₂)),  A = I₁(k₁) / I₀(k₁), with exp(-k) I₀ for I₀."""
    k, j = p.concentration, q.concentration
    ratio = special.i1e(k) / special.i0e(k)
    half = np.sin(0.5 * (p.loc - q.loc))
    norms = np.log(special.i0e(j)) - np.log(special.i0e(k))
    return norms + (j - k) * (1.0 - ratio) + 2.0 * j * ratio * half * half
