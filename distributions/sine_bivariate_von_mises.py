"""Pairs of angles that depend on one another, and skewed angles."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.control import while_loop
from ..engine.errors import ParameterError
from ..engine.lax import stop_gradient
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, child, param

_NODES = 256


def wrapped(x):
    """The angle between -π and π that x is, up to whole turns."""
    turned = x + math.pi
    return np.clip(turned - 2 * math.pi * np.floor(turned / (2 * math.pi)) - math.pi, -math.pi, math.pi)


class SineBivariateVonMises(Distribution):
    """Two angles φ, ψ on the torus, the sine model.

        p(φ, ψ) ∝ exp(k₁ cos(φ-μ) + k₂ cos(ψ-ν) + λ sin(φ-μ) sin(ψ-ν)),  one mode where λ² < k₁ k₂

    Given φ, ψ is von Mises with concentration a(φ) = √(k₂² + λ² sin²(φ-μ)); so the normaliser is 2π ∫ exp(k₁ cos φ)
    I₀(a(φ)) dφ, by the trapezoidal rule, which converges geometrically for a periodic function: 256 nodes give rounding
    error up to concentrations of about 700 (with one mode, where the nodes are gathered around it, about 10⁵).
    phi_loc μ, psi_loc ν, phi_concentration k₁ > 0, psi_concentration k₂ > 0, correlation λ : float[*batch]
    weighted_correlation : λ / √(k₁ k₂), in place of correlation          sample : float[*shape, *batch, 2]
    Source: Singh, Hnizdo & Demchuk (2002), "Probabilistic model for two dependent circular variables"; the sampler
    is that of Kent, Ganeiber & Mardia (2018), "A new unified approach for the simulation of a wide class of
    directional distributions", with a tangent at the mode.
    """
    phi_loc: ArrayLike = param(constraints.real)
    psi_loc: ArrayLike = param(constraints.real)
    phi_concentration: ArrayLike = param(constraints.positive)
    psi_concentration: ArrayLike = param(constraints.positive)
    correlation: ArrayLike = param(constraints.real)
    support = constraints.independent(constraints.interval(-math.pi, math.pi), 1)
    reparametrized_params = ("phi_loc", "psi_loc")
    event_shape = (2,)

    def __init__(self, phi_loc, psi_loc, phi_concentration, psi_concentration, correlation=None,
                 weighted_correlation=None, *, validate_args=None):
        if (correlation is None) == (weighted_correlation is None):
            raise ParameterError("SineBivariateVonMises takes exactly one of correlation and weighted_correlation.")
        if correlation is None:
            correlation = np.asarray(weighted_correlation) * np.sqrt(np.asarray(phi_concentration) * psi_concentration)
        super().__init__(phi_loc, psi_loc, phi_concentration, psi_concentration, correlation,
                         validate_args=validate_args)

    def _log_norm(self):
        """log ∫∫ exp(k₁ (cos φ - 1) + k₂ (cos ψ - 1) + λ sin φ sin ψ) dφ dψ."""
        k1, k2, lam = (v[..., None] for v in (self.phi_concentration, self.psi_concentration, self.correlation))
        # nodes φ with tan(φ/2) = s tan(θ/2), θ evenly spaced: a periodic change of variables
        s = stop_gradient(np.where(lam * lam < k1 * k2, (1.0 + k1) ** -0.25, 1.0))
        theta = (_numpy.arange(_NODES) + 0.5) * (math.pi / _NODES)       # the integrand is even: half of the circle
        cos, sin = (f(0.5 * theta).astype(self.dtype) for f in (_numpy.cos, _numpy.sin))
        sin = s * sin
        size = cos * cos + sin * sin
        half = sin * sin / size                          # sin²(φ/2);  dφ/dθ = s / size
        square = 4.0 * half * (1.0 - half)               # sin² φ
        a = np.sqrt(k2 * k2 + lam * lam * square)
        more = lam * lam * square / (a + k2)             # a - k₂
        logs = more - 2.0 * k1 * half + np.log(special.i0e(a)) + np.log(s / size)
        return special.logsumexp(logs, -1) + math.log(4.0 * math.pi * math.pi / _NODES)

    def log_prob_inside(self, value):
        first, second = value[..., 0] - self.phi_loc, value[..., 1] - self.psi_loc
        p, q = np.sin(0.5 * first), np.sin(0.5 * second)
        return (-2.0 * (self.phi_concentration * p * p + self.psi_concentration * q * q)
                + self.correlation * np.sin(first) * np.sin(second) - self._log_norm())

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        shape, dtype = (*sample_shape, *self.batch_shape), self.dtype
        k1, k2, lam = (np.broadcast_to(np.astype(stop_gradient(v), dtype), shape) for v in
                       (self.phi_concentration, self.psi_concentration, self.correlation))
        phi = self._draw_phi(first, k1, k2, lam)
        tilt = lam * np.sin(phi)
        psi = random.von_mises(second, np.arctan2(tilt, k2), np.sqrt(k2 * k2 + tilt * tilt), shape, dtype)
        return np.stack([wrapped(phi + self.phi_loc), wrapped(psi + self.psi_loc)], -1)

    @staticmethod
    def _draw_phi(key, k1, k2, lam):
        """Draws of φ - μ by rejection.

        With a² = k₂² + λ² sin² φ: I₀(a) <= e^(a - a₁) I₀ₑ(k₂) e^a₁, a <= a₀ + λ² (sin² φ - sin² φ₀) / 2a₀ and cos φ <=
        (cos² φ + c₀²) / 2c₀ at the mode φ₀, c₀ = cos φ₀. So log p is at most a constant less C sin² φ, C = k₁/2c₀ -
        λ²/2a₀ >= 0, which lies below that of an angular central Gaussian, -log(1 + w sin² φ), up to a constant.
        """
        square = lam * lam
        at = k1 * k1 * (k2 * k2 + square) / np.where(square > 0, square * (square + k1 * k1), 1.0)
        c0 = np.sqrt(np.where(square > k1 * k2, np.minimum(at, 1.0), 1.0))
        a0 = np.sqrt(k2 * k2 + square * (1.0 - c0 * c0))
        c = np.maximum(0.5 * k1 / c0 - 0.5 * square / a0, 0.0)

        def log_kernel(cos, sin_square):
            a = np.sqrt(k2 * k2 + square * sin_square)
            return k1 * (cos - c0) + a - a0 + np.log(special.i0e(a) / special.i0e(k2))
        w = 2.0 * c / (1.0 + 1.0 / (np.sqrt(1.0 + c * c) + c))
        some = c > 0                                     # -C s + log(1 + w s) is largest at s = 1/C - 1/w
        peak = np.where(some, np.clip(1.0 / np.where(some, c, 1.0) - 1.0 / np.where(some, w, 1.0), 0.0, 1.0), 0.0)
        shift = c * (1.0 - c0 * c0)                      # the bound is exactly log p at sin² φ₀
        top = np.log1p(w * peak) - c * peak + shift

        def propose(state):
            turn, waiting, phi = state
            u = 1.0 - random.uniform(random.fold_in(key, turn), (2, *k1.shape), k1.dtype)
            angle = 2.0 * math.pi * u[0]
            x, y = np.cos(angle), np.sin(angle) / np.sqrt(1.0 + w)       # of an angular central Gaussian
            length = np.sqrt(x * x + y * y)
            cos, sin = x / length, y / length
            log_accept = log_kernel(cos, sin * sin) + np.log1p(w * sin * sin) - top
            refused = np.log(u[1]) >= log_accept
            return turn + 1, np.logical_and(waiting, refused), np.where(waiting, np.arctan2(sin, cos), phi)
        start = (np.asarray(0), np.isfinite(k1 + k2 + lam), k1 * 0.0)
        return while_loop(lambda s: np.logical_and(np.any(s[1]), s[0] < 100000), propose, start)[2]

    @property
    def mean(self):
        """The direction of the mean of (cos, sin) of each angle."""
        both = np.broadcast_arrays(self.phi_loc, self.psi_loc)
        return np.broadcast_to(wrapped(np.stack(both, -1)), self.shape())


class SineSkewed(Distribution):
    """A distribution of angles that is symmetric about its mean μ, skewed:  p(x) = p_base(x) (1 + Σ sᵢ sin(xᵢ - μᵢ))

    base_dist : a distribution of d angles in [-π, π] with p(μ + x) = p(μ - x), event shape (d,)
    skewness s : float[*batch, d], Σ |sᵢ| <= 1
    Source: Ameijeiras-Alonso & Ley (2022), "Sine-skewed toroidal distributions and their application in protein
    bioinformatics", equation 2.
    """
    base_dist: Distribution = child()
    skewness: ArrayLike = param(constraints.l1_ball)

    def __init__(self, base_dist, skewness, *, validate_args=None):
        skewness = np.asarray(skewness)
        if len(base_dist.event_shape) != 1 or skewness.shape[-1:] != base_dist.event_shape:
            raise ParameterError(f"SineSkewed: skewness of shape {skewness.shape} must have one number for each of the "
                                 f"angles of base_dist, whose event shape is {base_dist.event_shape}.")
        super().__init__(base_dist, skewness, validate_args=validate_args)

    def _broadcast_parameters(self):
        return np.broadcast_shapes(super()._broadcast_parameters(), self.base_dist.batch_shape)

    @property
    def event_shape(self):
        return self.base_dist.event_shape

    @property
    def support(self):
        return self.base_dist.support

    @property
    def dtype(self):
        return self.base_dist.dtype

    def sample(self, key, sample_shape=()):
        """y or its reflection 2μ - y: y with probability ½ (1 + Σ sᵢ sin(yᵢ - μᵢ))."""
        first, second = random.split(key)
        y = self.base_dist.expand(self.batch_shape).sample(first, sample_shape)
        u = random.uniform(second, y.shape[:-1], y.dtype)
        away = y - self.base_dist.mean
        keep = 2.0 * u < 1.0 + np.sum(self.skewness * np.sin(away), -1)
        return wrapped(self.base_dist.mean + np.where(keep[..., None], away, -away))

    def log_prob_inside(self, value):
        tilt = np.sum(self.skewness * np.sin(value - self.base_dist.mean), -1)
        return self.base_dist.log_prob(value) + np.log1p(tilt)
