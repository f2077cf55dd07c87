"""Student's t distribution."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .cauchy import log1p_squared
from .distribution import Distribution
from .quantile import inverse_cdf
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
    symmetric = True

    @classmethod
    def from_precision(cls, df, loc, precision, **kwargs):
        """With 1 / scale² in place of the scale."""
        return cls(df, loc, 1.0 / np.sqrt(np.asarray(precision)), **kwargs)

    def sample(self, key, sample_shape=()):
        return self.loc + self.scale * random.t(key, self.df, self.shape(sample_shape), self.dtype)

    def _log_norm(self):
        """½ log ν + log B(ν/2, ½): the logarithm of the integral of the kernel, at scale 1."""
        return 0.5 * np.log(self.df) + special.betaln(0.5 * self.df, 0.5)

    def log_prob_inside(self, value):
        z = (value - self.loc) * (1.0 / (self.scale * np.sqrt(self.df)))     # one division for a shared scale
        return (-0.5 * (self.df + 1.0)) * log1p_squared(z) - (np.log(self.scale) + self._log_norm())

    @property
    def mean(self):
        return np.broadcast_to(np.where(self.df > 1, self.loc, math.nan), self.batch_shape)

    @property
    def variance(self):
        df = self.df
        safe = np.where(df > 2, df, 3.0)
        v = np.where(df > 2, safe / (safe - 2.0), np.where(df > 1, np.asarray(math.inf, df.dtype), math.nan))
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
        return special.stdtr(self.df, z)

    def survival_function(self, value):
        return special.stdtr(self.df, (self.loc - np.asarray(value)) / self.scale)

    def log_cdf(self, value):
        return self._log_tail((np.asarray(value) - self.loc) / self.scale)

    def log_survival(self, value):
        return self._log_tail((self.loc - np.asarray(value)) / self.scale)

    def _log_tail(self, z):
        """log P(X <= z) at loc 0 and scale 1. Near 0 it is the logarithm of a number that is not small."""
        far = z < -1.0
        w = np.where(far, z, -2.0)
        square, half = w * w, 0.5 * self.df
        near = square < self.df                        # the smaller of the two parts of 1 is not rounded
        u, v = np.where(near, square, 1.0), np.where(near, 1.0, square)
        log_tail = np.where(near, special.log_betaincc(0.5, half, u / (self.df + u)),
                            special.log_betainc(half, 0.5, self.df / (self.df + v)))
        return np.where(far, log_tail - math.log(2), np.log(special.stdtr(self.df, np.where(far, 0.0, z))))

    def icdf(self, q):
        return self.loc + self.scale * self._quantile(np.asarray(q))

    def isf(self, q):
        return self.loc - self.scale * self._quantile(np.asarray(q))

    def _quantile(self, q):
        return inverse_cdf(_stdtr, q, -math.inf, math.inf, self.df, solve=_solve)


def _stdtr(z, df):
    """P(X <= z) for Student's t with df degrees of freedom, its argument first."""
    return special.stdtr(df, z)


def _solve(q, df):
    """The quantile through that of x = ν / (ν + z²), a beta number; near the median through that of 1 - x."""
    p = 2.0 * np.minimum(q, 1.0 - q)
    half, far = 0.5 * df, p < 0.5
    x = special.betaincinv(half, 0.5, np.where(far, p, 0.25))
    w = special.betainccinv(0.5, half, np.where(far, 0.75, p))
    size = np.sqrt(df * np.where(far, (1.0 - x) / x, w / (1.0 - w)))
    return np.where(q < 0.5, -size, size)
