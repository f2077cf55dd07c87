"""The horseshoe distribution, a prior for sparse coefficients."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import stop_gradient
from . import constraints
from .location_scale import LocationScale
from .quadrature import log_integral_about
from .ratios import scaled_exp1
from .record import ArrayLike, param


class Horseshoe(LocationScale):
    """Horseshoe(scale s) on the real line: s L Z for a half-Cauchy L and a normal Z; infinite at 0, with Cauchy tails.

        log p(x) = log(exp(y) E₁(y)) - ½ log 2π³ - log s,  y = ½ (x / s)²

    scale : float[*batch], > 0          sample : float[*shape, *batch]
    The distribution function by quadrature over the normal number, to 1e-10.
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

    def _log_beyond(self, size, over):
        """log P(|Z| > size) = log (2/π) E arctan(|Y| / size), or of |Z| < size = that of size / |Y|, for a normal Y."""
        size = np.asarray(size)
        y = np.where(size > 0, size, 1.0)

        def log_f(z, _, y=y[..., None]):
            return np.log(np.arctan2(z, y) if over else np.arctan2(y, z)) - 0.5 * z * z
        knee = np.minimum(stop_gradient(y), 1.0)
        tail = log_integral_about(log_f, knee, knee, np.full_like(knee, 9.0))
        tail = tail + math.log(4 / math.pi / math.sqrt(2 * math.pi))
        return np.where(size > 0, np.minimum(tail, 0.0), 0.0 if over else -math.inf)

    def _cdf(self, z):
        half = 0.5 * np.exp(self._log_beyond(np.abs(z), False))
        return np.where(z < 0, 0.5 * np.exp(self._log_beyond(np.abs(z), True)), 0.5 + half)

    def _log_cdf(self, z):
        tail = self._log_beyond(np.abs(z), True) - math.log(2)
        return np.where(z < 0, tail, np.log1p(-np.exp(tail)))

    def _log_survival(self, z):
        return self._log_cdf(-z)
