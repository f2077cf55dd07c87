"""Student's t distribution."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param


class StudentT(Distribution):
    """StudentT(df ν, loc m, scale s) on the real line; mean m where ν > 1, variance s² ν / (ν - 2) where ν > 2.

        log p(x) = -½ (ν + 1) log(1 + z²/ν) - log s - ½ log ν - log B(ν/2, ½),  z = (x - m) / s

    df, loc, scale : float[*batch], df > 0, scale > 0          sample : float[*shape, *batch]
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 28.

    >>> float(StudentT(1.0).log_prob(0.0))
    -1.1447299
    """
    df: ArrayLike = param(constraints.positive)
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.real
    reparametrized_params = ("df", "loc", "scale")

    def sample(self, key, sample_shape=()):
        return self.loc + self.scale * random.t(key, self.df, self.shape(sample_shape), self.dtype)

    def _log_norm(self):
        """½ log ν + log B(ν/2, ½): the logarithm of the integral of the kernel, at scale 1."""
        half = 0.5 * self.df
        return special.gammaln(half) - special.gammaln(half + 0.5) + 0.5 * np.log(self.df) + 0.5 * math.log(math.pi)

    def log_prob_inside(self, value):
        z = (value - self.loc) / self.scale
        return (-0.5 * (self.df + 1.0)) * np.log1p(z * z / self.df) - (np.log(self.scale) + self._log_norm())

    @property
    def mean(self):
        return np.broadcast_to(np.where(self.df > 1, self.loc, math.nan), self.batch_shape)

    @property
    def variance(self):
        df = self.df
        safe = np.where(df > 2, df, 3.0)
        v = np.where(df > 2, safe / (safe - 2.0), np.where(df > 1, math.inf, math.nan))
        return np.broadcast_to(self.scale * self.scale * v, self.batch_shape)

    @property
    def mode(self):
        return np.broadcast_to(self.loc, self.batch_shape)

    def entropy(self):
        half = 0.5 * self.df
        spread = (half + 0.5) * (special.digamma(half + 0.5) - special.digamma(half))
        return np.broadcast_to(spread + self._log_norm() + np.log(self.scale), self.batch_shape)

    def cdf(self, value):
        z = (np.asarray(value) - self.loc) / self.scale
        tail = 0.5 * special.betainc(0.5 * self.df, 0.5, self.df / (self.df + z * z))
        return np.where(z > 0, 1.0 - tail, tail)
