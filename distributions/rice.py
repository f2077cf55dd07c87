"""The Rice distribution."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .location_scale import Scale
from .quadrature import log_integral
from .record import ArrayLike, param

_REACH = 13.0                                                # what lies further out is rounded away


class Rice(Scale):
    """Rice(nu n, sigma s) on the positive numbers: the distance from 0 of a point normal about one at distance n.

        log p(x) = log(x / s²) - (x - n)² / 2s² + log(exp(-y) I₀(y)),  y = x n / s²

    nu, sigma : float[*batch], nu >= 0, sigma > 0          sample : float[*shape, *batch], > 0
    The distribution function (1 - Q₁, Marcum's Q) is an integral of the density over the shorter side.
    Source: Rice (1945), "Mathematical analysis of random noise", eq. 3.10-11; moments 4.2-3.
    """
    nu: ArrayLike = param(constraints.nonnegative)
    sigma: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.positive
    reparametrized_params = ("nu", "sigma")

    @property
    def scale(self):
        """The scale, as other families of positive numbers name it."""
        return self.sigma

    def _draw(self, key, shape):
        z = random.normal(key, (2, *shape), self.dtype)
        return np.hypot(self.nu / self.sigma + z[0], z[1])

    def _log_density(self, z):
        return self._log_rice(z, self.nu / self.sigma)

    @staticmethod
    def _log_rice(z, b):
        return np.log(z) - 0.5 * np.square(z - b) + np.log(special.i0e(z * b))

    def _mean(self):
        t = 0.25 * np.square(self.nu / self.sigma)
        return math.sqrt(math.pi / 2) * ((1.0 + 2.0 * t) * special.i0e(t) + 2.0 * t * special.i1e(t))

    def _variance(self):
        return 2.0 + np.square(self.nu / self.sigma) - np.square(self._mean())

    def _tails(self, z):
        """log P(Z <= z) for small z and log P(Z > z) for others; whether it is small."""
        shape = np.broadcast_shapes(z.shape, self.batch_shape)
        inside = z > 0
        z, b = np.broadcast_to(np.where(inside, z, 1.0), shape), np.broadcast_to(self.nu / self.sigma, shape)
        below = z <= np.maximum(b, 1.0)
        low = np.where(below, np.maximum(z - _REACH, 0.0), z)
        high = np.where(below, z, z + _REACH)
        tail = log_integral(lambda y: self._log_rice(y, b[..., None]), low, high)
        return np.where(inside, tail, -math.inf), np.logical_or(below, np.logical_not(inside))

    def _log_cdf(self, z):
        tail, below = self._tails(z)
        return np.where(below, tail, np.log(np.maximum(-np.expm1(np.where(below, -1.0, tail)), 0.0)))

    def _log_survival(self, z):
        tail, below = self._tails(z)
        return np.where(below, np.log(-np.expm1(np.where(below, tail, -1.0))), np.minimum(tail, 0.0))

    def _cdf(self, z):
        return np.exp(self._log_cdf(z))
