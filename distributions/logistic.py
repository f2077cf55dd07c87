"""The logistic distribution."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import expit, softplus
from ..engine.scipy import special
from . import constraints
from .location_scale import Centered
from .record import ArrayLike, param


class Logistic(Centered):
    """Logistic(loc m, scale s) on the real line; mean m, variance (π s)² / 3.

        log p(x) = z - 2 log(1 + exp z) - log s,  z = (x - m) / s

    loc, scale : float[*batch], scale > 0          sample : float[*shape, *batch]
    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 23.
    """
    loc: ArrayLike = param(constraints.real, default=0.0)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    support = constraints.real
    reparametrized_params = ("loc", "scale")
    symmetric = True

    def sample(self, key, sample_shape=()):
        return self.loc + self.scale * random.logistic(key, self.shape(sample_shape), self.dtype)

    def log_prob_inside(self, value):
        z = (value - self.loc) * (1.0 / self.scale)          # one division for a shared scale
        return z - 2.0 * softplus(z) - np.log(self.scale)

    @property
    def variance(self):
        return np.broadcast_to(self.scale * self.scale * (math.pi ** 2 / 3), self.batch_shape)

    def entropy(self):
        return np.broadcast_to(np.log(self.scale) + 2.0, self.batch_shape)

    def cdf(self, value):
        return expit((np.asarray(value) - self.loc) / self.scale)

    def log_cdf(self, value):
        return -softplus((self.loc - np.asarray(value)) / self.scale)

    def icdf(self, q):
        q = np.asarray(q)
        return self.loc + self.scale * (np.log(q) - np.log1p(-q))

    def log_survival(self, value):
        return -softplus((np.asarray(value) - self.loc) / self.scale)

    def isf(self, q):
        q = np.asarray(q)
        return self.loc - self.scale * (np.log(q) - np.log1p(-q))

    def icdf_exp(self, log_q):
        log_q = np.asarray(log_q)
        return self.loc + self.scale * (log_q - special.log1mexp(-log_q))

    def isf_exp(self, log_q):
        log_q = np.asarray(log_q)
        return self.loc - self.scale * (log_q - special.log1mexp(-log_q))
