"""Generalized Poisson counts, and the difference of two Poisson counts."""
from ..engine import numpy as np
from ..engine import random
from ..engine.control import while_loop
from ..engine.scipy import special
from . import constraints
from .counting import cdf_by_sum
from .distribution import Distribution
from .noncentral import NoncentralChi2
from .record import ArrayLike, param


class GeneralizedPoisson(Distribution):
    """GeneralizedPoisson(mu μ, lam λ): all the offspring of Poisson(μ) ancestors, Poisson(λ) children each.

        log p(k) = log μ + (k - 1) log(μ + λ k) - (μ + λ k) - log k!      mean μ / (1 - λ), variance μ / (1 - λ)³

    The form with λ < 0, which other systems allow, does not sum to one, and is refused.

    mu : float[*batch], > 0      lam : float[*batch], in [0, 1)          sample : int[*shape, *batch], >= 0
    Source: Consul & Famoye (2006), Lagrangian Probability Distributions, ch. 9.

    >>> float(GeneralizedPoisson(2.0, 0.5).mean)
    4.0
    """
    mu: ArrayLike = param(constraints.positive)
    lam: ArrayLike = param(constraints.unit_interval)
    support = constraints.nonnegative_integer

    def sample(self, key, sample_shape=()):
        """One generation after the other, until all families have died out."""
        shape = self.shape(sample_shape)
        first, rest = random.split(key)
        lam = np.astype(self.lam, np.float64)
        start = np.astype(random.poisson(first, self.mu, shape), np.float64)

        def generation(state):
            i, alive, total = state
            born = np.astype(random.poisson(random.fold_in(rest, i), lam * alive, shape), np.float64)
            return i + 1, born, total + born

        _, _, total = while_loop(lambda s: np.any(s[1] > 0), generation, (np.asarray(0, np.uint32), start, start))
        return np.astype(total, np.int64)

    def log_prob_inside(self, value):
        k = np.astype(value, self.dtype)
        rate = self.mu + self.lam * k
        return np.log(self.mu) + (k - 1.0) * np.log(rate) - rate - special.gammaln(k + 1.0)

    def cdf(self, value):
        """By adding up: the value must be known while tracing."""
        value = np.asarray(value)
        return cdf_by_sum(self, value, np.floor(np.maximum(value, 0.0)) + 1.0, "value")

    @property
    def mean(self):
        return self.mu / (1.0 - self.lam)

    @property
    def variance(self):
        return self.mu / (1.0 - self.lam) ** 3


class Skellam(Distribution):
    """Skellam(rate1 a, rate2 b): the difference of two Poisson counts of rates a and b; mean a - b, variance a + b.

        log p(k) = -(√a - √b)² + ½ k log(a / b) + log(exp(-x) I_|k|(x)),  x = 2 √(a b)

    rate1, rate2 : float[*batch], > 0          sample : int[*shape, *batch]
    The distribution function is that of a noncentral χ² number.
    Source: Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, section 4.12.3; Johnson (1959), "On an
    extension of the connexion between Poisson and χ² distributions".

    >>> float(Skellam(3.0, 1.0).mean)
    2.0
    """
    rate1: ArrayLike = param(constraints.positive)
    rate2: ArrayLike = param(constraints.positive)
    support = constraints.integer

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        shape = self.shape(sample_shape)
        return random.poisson(first, self.rate1, shape) - random.poisson(second, self.rate2, shape)

    def log_prob_inside(self, value):
        k = np.astype(value, self.dtype)
        a, b = np.sqrt(self.rate1), np.sqrt(self.rate2)
        return 0.5 * k * np.log(self.rate1 / self.rate2) - (a - b) ** 2 + special.log_ive(np.abs(k), 2.0 * a * b)

    def _chi2(self, value):
        """For k >= 0, P(X <= k) = P(C > x), else P(C <= x), for a noncentral χ² number C: (k >= 0, its law, x)."""
        k = np.floor(np.astype(np.asarray(value), self.dtype))
        up = k >= 0
        law = NoncentralChi2(np.where(up, 2.0 * (k + 1.0), -2.0 * k), 2.0 * np.where(up, self.rate2, self.rate1),
                             validate_args=False)
        return up, law, 2.0 * np.where(up, self.rate1, self.rate2)

    def cdf(self, value):
        return np.exp(self.log_cdf(value))

    def log_cdf(self, value):
        up, law, x = self._chi2(value)
        return np.where(up, law.log_survival(x), law.log_cdf(x))

    def log_survival(self, value):
        """log P(X > value)."""
        up, law, x = self._chi2(value)
        return np.where(up, law.log_cdf(x), law.log_survival(x))

    @property
    def mean(self):
        return self.rate1 - self.rate2

    @property
    def variance(self):
        return self.rate1 + self.rate2
