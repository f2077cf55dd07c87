"""The Lévy distribution: the reciprocal of the square of a normal number."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .location_scale import LocationScale
from .record import ArrayLike, param

EULER = 0.5772156649015329


class Levy(LocationScale):
    """Levy(loc m, scale s) on the numbers above m: m + s / Z² for a normal Z; it has no finite mean.

        log p(x) = -½ / z - 3/2 log z - ½ log 2π - log s,  z = (x - m) / s > 0

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch], > loc
    Source: Samorodnitsky & Taqqu (1994), Stable Non-Gaussian Random Processes, §1.1, eq. 1.1.15.
    """
    loc: ArrayLike = param(constraints.real)
    scale: ArrayLike = param(constraints.positive)
    reparametrized_params = ("loc", "scale")

    @property
    def support(self):
        return constraints.greater_than(self.loc)

    def _draw(self, key, shape):
        return 1.0 / np.square(random.normal(key, shape, self.dtype))

    def _log_density(self, z):
        return -0.5 / z - 1.5 * np.log(z) - 0.5 * math.log(2 * math.pi)

    @property
    def mean(self):
        return np.full(self.batch_shape, math.inf, self.dtype)

    variance = mean

    def _mode(self):
        return 1 / 3

    def _entropy(self):
        return 0.5 * (1 + 3 * EULER + math.log(16 * math.pi))

    def _root(self, value):
        """1 / √z, infinite up to loc."""
        return 1.0 / np.sqrt(np.maximum(self._standard(value), 0.0))

    def cdf(self, value):
        return special.erfc(self._root(value) * math.sqrt(0.5))

    def log_cdf(self, value):
        return math.log(2) + special.log_ndtr(-self._root(value))

    def log_survival(self, value):
        """log P(X > value)."""
        return np.log(special.erf(self._root(value) * math.sqrt(0.5)))

    def _icdf(self, q):
        return 1.0 / np.square(special.ndtri(0.5 * q))
