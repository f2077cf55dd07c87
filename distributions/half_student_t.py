"""The positive half of Student's t distribution."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .location_scale import Scale
from .ratios import log1p_square
from .record import ArrayLike, param


class HalfStudentT(Scale):
    """HalfStudentT(df k, scale s) on the nonnegative numbers: s |T| for a Student t number T with k degrees of freedom.

        log p(x) = log 2 - ½ (k + 1) log(1 + z²/k) - ½ log k - log B(k/2, ½) - log s,  z = x / s >= 0

    df, scale : float[*batch], > 0          sample : float[*shape, *batch], >= 0
    Source: Gelman (2006), Prior distributions for variance parameters in hierarchical models, §3.2.
    """
    df: ArrayLike = param(constraints.positive)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.nonnegative
    reparametrized_params = ("df", "scale")
    finite_outside = True

    def _draw(self, key, shape):
        return np.abs(random.t(key, self.df, shape, self.dtype))

    def _log_norm(self):
        return special.betaln(0.5 * self.df, 0.5) + 0.5 * np.log(self.df) - math.log(2)

    def _log_density(self, z):
        return (-0.5 * (self.df + 1.0)) * log1p_square(z / np.sqrt(self.df)) - self._log_norm()

    def _mean(self):
        k = np.where(self.df > 1, self.df, 2.0)
        return np.where(self.df > 1, np.exp(-self._log_norm()) * k / (k - 1.0), math.inf)

    def _variance(self):
        k = np.where(self.df > 2, self.df, 3.0)
        return np.where(self.df > 2, k / (k - 2.0) - np.where(self.df > 2, np.square(self._mean()), 0.0), math.inf)

    def _mode(self):
        return 0.0

    def _entropy(self):
        half = 0.5 * self.df
        return (half + 0.5) * (special.digamma(half + 0.5) - special.digamma(half)) + self._log_norm()

    def _part(self, z):
        """k / (k + z²), the argument of the incomplete beta function."""
        return np.exp(-log1p_square(z / np.sqrt(self.df)))

    def _cdf(self, z):
        return special.betaincc(0.5 * self.df, 0.5, self._part(z))

    def _log_cdf(self, z):
        return special.log_betaincc(0.5 * self.df, 0.5, self._part(z))

    def _log_survival(self, z):
        return special.log_betainc(0.5 * self.df, 0.5, self._part(z))

    def _icdf(self, q):
        y, w = special.betaincinv(0.5, 0.5 * self.df, q), special.betaincinv(0.5 * self.df, 0.5, 1.0 - q)
        low = y < w                                                    # z²/k = y / w with y + w = 1
        return np.sqrt(self.df * np.where(low, y / (1.0 - y), (1.0 - w) / w))
