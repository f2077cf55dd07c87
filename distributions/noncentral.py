"""The noncentral χ² distribution."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param

_TERMS = 18


class NoncentralChi2(Distribution):
    """NoncentralChi2(df k, noncentrality l) on the positive numbers: Chi2(k + 2 J) with J ~ Poisson(l / 2).

        log p(x) = -½ (√x - √l)² + (k/4 - ½) log(x / l) - log 2 + log(exp(-y) I_{k/2-1}(y)),  y = √(l x)

    df, noncentrality : float[*batch], df > 0, noncentrality >= 0          sample : float[*shape, *batch], > 0
    For whole k the sum of k squares of normal numbers whose means have squares that sum to l; mean k + l, variance
    2 k + 4 l. Draws carry no derivative. For y < 2 by the series of ₀F₁(k/2; y²/4), else with I_{v} = I_{v+2} +
    2 (v + 1) I_{v+1} / y. Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 29.
    """
    df: ArrayLike = param(constraints.positive)
    noncentrality: ArrayLike = param(constraints.nonnegative)
    support = constraints.positive

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        shape, d = self.shape(sample_shape), self.dtype
        j = np.astype(random.poisson(first, 0.5 * self.noncentrality, shape), d)
        return 2.0 * random.gamma(second, 0.5 * self.df + j, shape, d)

    def log_prob_inside(self, value):
        half, l = 0.5 * self.df, self.noncentrality
        x = np.asarray(value)
        quarter = 0.25 * l * x                               # (y / 2)²
        near = quarter < 1
        t = np.where(near, quarter, 0.0)
        series = 1.0
        for n in range(_TERMS, 0, -1):
            series = 1.0 + t / (n * (half + (n - 1.0))) * series
        small = np.log(series) - 0.5 * l - 0.5 * x + (half - 1.0) * (np.log(x) - math.log(2)) - special.gammaln(half)
        y = 2.0 * np.sqrt(np.where(near, 1.0, quarter))
        far_l = np.where(near, 1.0, l)
        bessel = np.logaddexp(special.log_ive(half + 1.0, y), np.log(2.0 * half / y) + special.log_ive(half, y))
        gap = np.sqrt(x) - np.sqrt(far_l)
        large = -0.5 * gap * gap + (0.5 * half - 0.5) * (np.log(x) - np.log(far_l)) + bessel
        return np.where(near, small, large) - math.log(2)

    @property
    def mean(self):
        return self.df + self.noncentrality

    @property
    def variance(self):
        return 2.0 * self.df + 4.0 * self.noncentrality
