"""Directions: distributions on the unit sphere."""
import functools
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.control import while_loop
from ..engine.control.custom import custom_jvp
from ..engine.lax import stop_gradient
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .normal import HALF_LOG_2PI
from .record import ArrayLike, param, static


def log_area(n):
    """log of the area of the unit sphere in ℝⁿ: log 2 + (n/2) log π - log Γ(n/2)."""
    return math.log(2.0) + 0.5 * n * math.log(math.pi) - math.lgamma(0.5 * n)


def uniform_directions(key, shape, dtype):
    """Unit vectors of the last axis, uniform."""
    z = random.normal(key, shape, dtype)
    return z / np.sqrt(np.sum(z * z, -1, keepdims=True))


def around(key, mean_direction, gap, shape, dtype):
    """Unit vectors x [*shape] with 1 - μ'x = gap, and uniform direction across μ."""
    z = random.normal(key, shape, dtype)
    across = z - np.sum(z * mean_direction, -1, keepdims=True) * mean_direction
    across = across / np.sqrt(np.sum(across * across, -1, keepdims=True))
    gap = gap[..., None]
    return (1.0 - gap) * mean_direction + np.sqrt(gap * (2.0 - gap)) * across


@functools.partial(custom_jvp, nondiff_argnums=(1,))
def log_scaled_bessel(x, v):
    """log (Iᵥ(x) x⁻ᵛ e⁻ˣ), with derivative Iᵥ₊₁(x)/Iᵥ(x) - 1, in which nothing cancels near 0."""
    return special.log_ive(v, x) - v * np.log(x)


@log_scaled_bessel.defjvp
def _(v, primals, tangents):
    return log_scaled_bessel(primals[0], v), (special.iv_ratio(v, primals[0]) - 1.0) * tangents[0]


class SphericalUniform(Distribution):
    """The uniform distribution on the unit sphere of ℝⁿ:  log p(x) = log Γ(n/2) - log 2 - (n/2) log π

    dimension n : int, 2 or more          sample : float[*shape, n], of length 1
    """
    dimension: int = static()
    support = constraints.sphere

    @property
    def event_shape(self):
        return (self.dimension,)

    def sample(self, key, sample_shape=()):
        return uniform_directions(key, self.shape(sample_shape), self.dtype)

    def log_prob_inside(self, value):
        return np.sum(value * 0.0, -1) - log_area(self.dimension)

    @property
    def mean(self):
        return np.zeros(self.shape(), self.dtype)

    @property
    def variance(self):
        return np.full(self.shape(), 1.0 / self.dimension, self.dtype)

    def entropy(self):
        return np.full((), log_area(self.dimension), self.dtype)


class _Around(Distribution):
    """What distributions share whose density depends on μ'x alone."""
    mean_direction: ArrayLike = param(constraints.sphere)
    concentration: ArrayLike = param(constraints.nonnegative)
    support = constraints.sphere

    @property
    def event_shape(self):
        return self.mean_direction.shape[-1:]

    def _moments(self):
        """E t and (1 - E t²) / (n - 1) for t = μ'x."""
        raise NotImplementedError

    @property
    def mean(self):
        return np.broadcast_to(self._moments()[0][..., None] * self.mean_direction, self.shape())

    @property
    def variance(self):
        """var t along μ, (1 - E t²) / (n - 1) across it."""
        t, across = self._moments()
        along = 1.0 - (self.event_shape[0] - 1) * across - t * t
        square = np.square(self.mean_direction)
        return np.broadcast_to(along[..., None] * square + across[..., None] * (1.0 - square), self.shape())

    @property
    def mode(self):
        return np.broadcast_to(self.mean_direction, self.shape())


class VonMisesFisher(_Around):
    """Directions around μ:  log p(x) = κ μ'x + (n/2 - 1) log κ - (n/2) log 2π - log I_{n/2-1}(κ)

    mean_direction μ : float[*batch, n], of length 1     concentration κ : float[*batch], >= 0
    sample : float[*shape, *batch, n], of length 1; differentiable in κ for n = 2 and 3
    Source: Mardia & Jupp (2000), Directional Statistics, section 9.3.2; Wood (1994), "Simulation of the von Mises
    Fisher distribution".

    >>> float(VonMisesFisher([0.0, 0.0, 1.0], 2.0).log_prob([0.0, 0.0, 1.0]))
    -1.1262444
    """

    @property
    def reparametrized_params(self):
        """κ where the angle to μ has a differentiable draw."""
        return ("mean_direction", "concentration") if self.event_shape[0] <= 3 else ("mean_direction",)

    @property
    def _kappa(self):
        """κ, kept from 0 by a number too small to be seen."""
        return self.concentration + 1e-30

    def _log_norm(self):
        """log ∫ exp(κ (μ'x - 1))."""
        n = self.event_shape[0]
        return log_scaled_bessel(self._kappa, 0.5 * n - 1.0) + n * HALF_LOG_2PI

    def log_prob_inside(self, value):
        gap = value - self.mean_direction                # 1 - μ'x = ½ |x - μ|²
        return (-0.5 * self.concentration) * np.sum(gap * gap, -1) - self._log_norm()

    def _gap(self, key, shape):
        """Draws of 1 - μ'x."""
        n, kappa = self.event_shape[0], np.broadcast_to(np.astype(self._kappa, self.dtype), shape)
        if n == 2:
            s = np.sin(0.5 * random.von_mises(key, 0.0, kappa, shape, self.dtype))
            return 2.0 * s * s
        if n == 3:                                       # F(w) = (e^(κw) - e^-κ) / (e^κ - e^-κ)
            u = random.uniform(key, shape, self.dtype)
            small = kappa < 1e-3
            safe = np.where(small, 1.0, kappa)
            exact = -np.log1p(u * np.expm1(-2.0 * safe)) / safe
            return np.clip(np.where(small, 2.0 * u - 2.0 * kappa * u * (1.0 - u), exact), 0.0, 2.0)
        return self._rejected_gap(key, stop_gradient(kappa), n - 1.0)

    @staticmethod
    def _rejected_gap(key, kappa, m):
        """Wood's envelope: 1 - w = 2bz / (1 - (1-b) z), z ~ Beta(m/2, m/2), accepted where
        κ (w - v) + m log((1 - v w) / (1 - v²)) >= log u, b = m / (2κ + √(4κ² + m²)), v = (1-b)/(1+b).

        z = ½ + ½ √(1 - u^(2/(m-1))) cos 2πu', from Ulrich (1984), "Computer generation of distributions
        on the m-sphere".
        """
        b = m / (2.0 * kappa + np.sqrt(4.0 * kappa * kappa + m * m))
        best = 2.0 * b / (1.0 + b)                       # 1 - v

        def propose(state):
            turn, waiting, gap = state
            u = 1.0 - random.uniform(random.fold_in(key, turn), (3, *kappa.shape), kappa.dtype)
            z = 0.5 + 0.5 * np.sqrt(1.0 - u[0] ** (2.0 / (m - 1.0))) * np.cos(2.0 * math.pi * u[1])
            new = 2.0 * b * z / (1.0 - (1.0 - b) * z)
            odds = kappa * (best - new) + m * np.log((best + (1.0 - best) * new) / (best * (2.0 - best)))
            return turn + 1, np.logical_and(waiting, odds < np.log(u[2])), np.where(waiting, new, gap)
        start = (np.asarray(0), np.isfinite(kappa), kappa * 0.0)
        return while_loop(lambda s: np.logical_and(np.any(s[1]), s[0] < 1000), propose, start)[2]

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        gap = self._gap(first, (*sample_shape, *self.batch_shape))
        return around(second, self.mean_direction, gap, self.shape(sample_shape), self.dtype)

    def _moments(self):
        ratio = special.iv_ratio(0.5 * self.event_shape[0] - 1.0, self._kappa)   # I_{n/2} / I_{n/2-1}
        return ratio, ratio / self._kappa

    def entropy(self):
        h = self._log_norm() + self.concentration * (1.0 - self._moments()[0])
        return np.broadcast_to(h, self.batch_shape)


def VonMises3D(concentration, *, validate_args=None):
    """VonMisesFisher(c / |c|, |c|), by the one vector c, which is not 0.   concentration c : float[*batch, n]"""
    c = np.asarray(concentration)
    size = np.sqrt(np.sum(c * c, -1))
    return VonMisesFisher(c / size[..., None], size, validate_args=validate_args)


class PowerSpherical(_Around):
    """Directions around μ, with a simpler density and sampler than VonMisesFisher's:

        log p(x) = κ log(1 + μ'x) - (a + b) log 2 - b log π - log Γ(a) + log Γ(a + b),  b = (n-1)/2, a = b + κ

    mean_direction μ : float[*batch, n], of length 1     concentration κ : float[*batch], >= 0
    sample : float[*shape, *batch, n], of length 1
    Source: De Cao & Aziz (2020), "The power spherical distribution", equations 1 to 8.
    """
    reparametrized_params = ("mean_direction", "concentration")

    def _shapes(self):
        b = 0.5 * (self.event_shape[0] - 1)
        return self.concentration + b, b

    def _log_norm(self):
        """log ∫ (½ (1 + μ'x))^κ."""
        a, b = self._shapes()
        return special.betaln(a, b) + (2.0 * b * math.log(2.0) + b * math.log(math.pi) - math.lgamma(b))

    def log_prob_inside(self, value):
        both = 0.5 * (value + self.mean_direction)       # ½ (1 + μ'x) = |½ (x + μ)|²
        return special.xlogy(self.concentration, np.sum(both * both, -1)) - self._log_norm()

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        a, b = self._shapes()
        gap = 2.0 * random.beta(first, b, a, (*sample_shape, *self.batch_shape), self.dtype)
        return around(second, self.mean_direction, gap, self.shape(sample_shape), self.dtype)

    def _moments(self):
        a, b = self._shapes()
        total = a + b                                    # μ'x = 1 - 2 z, z ~ Beta(b, a)
        return (a - b) / total, 2.0 * a / (total * (total + 1.0))

    def entropy(self):
        a, b = self._shapes()
        spread = self.concentration * (special.digamma(a) - special.digamma(a + b))
        return np.broadcast_to(self._log_norm() - spread, self.batch_shape)
