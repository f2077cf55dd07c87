"""The horseshoe distribution, a prior for sparse coefficients."""
import math

from ..engine import numpy as np
from ..engine import random
from . import constraints
from .location_scale import LocationScale
from .ratios import scaled_exp1
from .record import ArrayLike, param


class Horseshoe(LocationScale):
    """Horseshoe(scale s) on the real line: s L Z for a half-Cauchy L and a normal Z; infinite at 0, with Cauchy tails.

        log p(x) = log(exp(y) E₁(y)) - ½ log 2π³ - log s,  y = ½ (x / s)²

    scale : float[*batch], > 0          sample : float[*shape, *batch]
    Source: Carvalho, Polson & Scott (2010), "The horseshoe estimator for sparse signals", theorem 1.
    """
    scale: ArrayLike = param(constraints.positive, default=1.0)
    loc = 0.0
    reparametrized_params = ("scale",)

    def _standard(self, value):
        return np.asarray(value) / self.scale

    def _placed(self, z):
        return self.scale * z

    def _draw(self, key, shape):
        first, second = random.split(key)
        return random.normal(first, shape, self.dtype) * np.abs(random.cauchy(second, shape, self.dtype))

    def _log_density(self, z):
        return np.log(scaled_exp1(0.5 * np.square(z))) - 0.5 * math.log(2 * math.pi ** 3)

    def _mode(self):
        return 0.0
