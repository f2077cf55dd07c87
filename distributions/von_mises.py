"""The von Mises distribution on the circle."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param


class VonMises(Distribution):
    """VonMises(loc m, concentration k) on the angles from -π to π; uniform for k = 0.

        log p(x) = k (cos(x - m) - 1) - log(2π exp(-k) I₀(k))

    loc, concentration : float[*batch], concentration >= 0          sample : float[*shape, *batch], in [-π, π]
    Derivatives of draws are those of expectations of periodic functions. `mean` is the direction of E exp(i X),
    `variance` 1 - |E exp(i X)|. Source: Mardia & Jupp (2000), Directional Statistics, §3.5.4.
    """
    loc: ArrayLike = param(constraints.real)
    concentration: ArrayLike = param(constraints.nonnegative)
    support = constraints.circular
    reparametrized_params = ("loc", "concentration")
    finite_outside = True

    def sample(self, key, sample_shape=()):
        x = random.von_mises(key, self.loc, self.concentration, self.shape(sample_shape), self.dtype)
        return np.clip(x, -math.pi, math.pi)

    def log_prob_inside(self, value):
        k = self.concentration
        half = np.sin(0.5 * (np.asarray(value) - self.loc))
        return (-2.0 * k) * (half * half) - (np.log(special.i0e(k)) + math.log(2 * math.pi))

    @property
    def mean(self):
        turned = self.loc + math.pi
        return np.broadcast_to(turned - 2 * math.pi * np.floor(turned / (2 * math.pi)) - math.pi, self.batch_shape)

    @property
    def variance(self):
        k = self.concentration
        return np.broadcast_to(1.0 - special.i1e(k) / special.i0e(k), self.batch_shape)

    @property
    def mode(self):
        return self.mean

    def entropy(self):
        k = self.concentration
        log_norm = np.log(special.i0e(k)) + math.log(2 * math.pi)
        return np.broadcast_to(log_norm + k * (1.0 - special.i1e(k) / special.i0e(k)), self.batch_shape)

    def cdf(self, value):
        k, value = self.concentration, np.clip(value, -math.pi, math.pi)
        start = special.von_mises_cdf(-math.pi - self.loc, k)
        return np.clip(special.von_mises_cdf(value - self.loc, k) - start, 0.0, 1.0)

    def log_survival(self, value):
        """log P(X > value)."""
        return np.log1p(-self.cdf(value))
