"""The Rice distribution."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param


class Rice(Distribution):
    """Rice(nu n, sigma s) on the positive numbers: the distance from 0 of a point normal about one at distance n.

        log p(x) = log(x / s²) - (x - n)² / 2s² + log(exp(-y) I₀(y)),  y = x n / s²

    nu, sigma : float[*batch], nu >= 0, sigma > 0          sample : float[*shape, *batch], > 0
    Source: Rice (1945), "Mathematical analysis of random noise", eq. 3.10-11; moments 4.2-3.
    """
    nu: ArrayLike = param(constraints.nonnegative)
    sigma: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.positive
    reparametrized_params = ("nu", "sigma")

    def sample(self, key, sample_shape=()):
        z = random.normal(key, (2, *self.shape(sample_shape)), self.dtype)
        return np.hypot(self.nu + self.sigma * z[0], self.sigma * z[1])

    def log_prob_inside(self, value):
        z, b = value / self.sigma, self.nu / self.sigma
        return np.log(z) - 0.5 * np.square(z - b) + np.log(special.i0e(z * b)) - np.log(self.sigma)

    @property
    def mean(self):
        t = 0.25 * np.square(self.nu / self.sigma)
        shape = (1.0 + 2.0 * t) * special.i0e(t) + 2.0 * t * special.i1e(t)
        return self.sigma * (math.sqrt(math.pi / 2) * shape)

    @property
    def variance(self):
        return 2.0 * np.square(self.sigma) + np.square(self.nu) - np.square(self.mean)
