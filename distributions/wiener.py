"""The time at which a Brownian motion with drift first leaves an interval, and the end at which it does."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param

_SWITCH = 0.35                                               # of t / alpha²: series in exp(-1 / t) below, exp(-t) above


class Wiener(Distribution):
    """Wiener(alpha a, tau, beta b, delta v): when a Brownian motion with drift v from a b leaves (0, a), tau later.

        p(± t) = exp(v r - v² s / 2) / a² Σₖ ((r / a) + 2k) exp(-a² ((r / a) + 2k)² / 2s) / √(2π (s / a²)³),
        s = |t| - tau > 0;  r = a (1 - b) for + (the upper end), and -v in place of v with r = a b for - (the lower)

    alpha, tau, beta, delta : float[*batch], alpha > 0, tau >= 0, 0 < beta < 1          sample : float[*shape, *batch]
    A value is the time, with the sign of the end that was reached: with the sign + it is the density of first passages
    through the upper end, which integrates to their probability; both signs together integrate to 1. Draws are by
    inversion.
    Source: Navarro & Fuss (2009), "Fast and accurate calculations for first-passage times in Wiener diffusion models",
    eq. 1, 5, 6; distribution function: Blurton, Kesselmeier & Gondan (2012), "Fast and accurate calculations for
    cumulative first-passage time distributions in Wiener diffusion models".
    """
    alpha: ArrayLike = param(constraints.positive)
    tau: ArrayLike = param(constraints.nonnegative)
    beta: ArrayLike = param(constraints.open_interval(0.0, 1.0))
    delta: ArrayLike = param(constraints.real)
    support = constraints.real
    reparametrized_params = ("alpha", "tau", "beta", "delta")

    def sample(self, key, sample_shape=()):
        tiny = float(np.finfo(self.dtype).epsneg)
        return self.icdf(np.clip(random.uniform(key, self.shape(sample_shape), self.dtype), tiny, 1.0 - tiny))

    def _side(self, value):
        """(s, r / a, a v towards the end that was reached), with s >= 0."""
        up = np.asarray(value) > 0
        w = np.where(up, 1.0 - self.beta, self.beta)
        return np.maximum(np.abs(value) - self.tau, 0.0), w, np.where(up, self.delta, -self.delta) * self.alpha

    def log_prob(self, value):
        value = np.asarray(value)
        ok = np.abs(value) > self.tau
        safe = np.where(ok, value, self.tau + self.alpha)
        return np.where(ok, self.log_prob_inside(safe), -math.inf)

    def log_prob_inside(self, value):
        s, w, v = self._side(value)
        u = s / (self.alpha * self.alpha)
        small = u < _SWITCH
        early, late = np.where(small, u, 0.1), np.where(small, 1.0, u)
        # the leading term, and the others divided by it
        rest = 0.0
        for k in (1, -1, 2, -2, 3, -3):
            rest = rest + (1.0 + 2 * k / w) * np.exp(-2 * k * (w + k) / early)
        before = np.log(w) - 0.5 * w * w / early - 1.5 * np.log(early) - 0.5 * math.log(2 * math.pi) + np.log1p(rest)
        waves = sum(k * np.exp((-0.5 * math.pi ** 2) * (k * k - 1) * late) * np.sin((k * math.pi) * w)
                    for k in range(1, 7))
        after = math.log(math.pi) - (0.5 * math.pi ** 2) * late + np.log(waves)
        return np.where(small, before, after) + v * w - 0.5 * v * v * u - 2.0 * np.log(self.alpha)

    def _share(self, up):
        """The probability of reaching the upper (or the lower) end."""
        w = self.beta if up else 1.0 - self.beta             # the start, as seen from the other end
        v = (self.delta if up else -self.delta) * self.alpha
        still = v == 0
        v = np.where(still, 1.0, v)
        # (1 - exp(-2 v w)) / (1 - exp(-2 v)), with both exponents negative
        towards = np.expm1(-2.0 * np.abs(v) * w) / np.expm1(-2.0 * np.abs(v))
        against = (np.exp(-2.0 * np.abs(v) * (1.0 - w)) * towards)
        return np.where(still, w, np.where(v > 0, towards, against))

    def _passed(self, s, w, v, share):
        """P(the end at distance w is reached before s), for a = 1."""
        small = s < _SWITCH
        early, late = np.where(small, np.maximum(s, 1e-12), 0.1), np.where(small, 1.0, s)
        root = np.sqrt(early)
        total = 0.0
        for j in range(7):
            r = j + (w if j % 2 == 0 else 1.0 - w)
            term = (np.exp(v * (w - r) + special.log_ndtr((v * early - r) / root))
                    + np.exp(v * (w + r) + special.log_ndtr(-(v * early + r) / root)))
            total = total + (term if j % 2 == 0 else -term)
        after = 0.0
        for k in range(1, 7):
            rate = v * v + (k * math.pi) ** 2
            after = after + k * np.sin((k * math.pi) * w) * np.exp(v * w - 0.5 * rate * late) / rate
        return np.where(small, np.where(s > 0, total, 0.0), share - (2 * math.pi) * after)

    def cdf(self, value):
        """P(X <= value), of times with signs: for negative values what the lower end gets later than |value|."""
        value = np.asarray(value)
        square = self.alpha * self.alpha
        s = np.maximum(np.abs(value) - self.tau, 0.0) / square
        v = self.delta * self.alpha
        below, above = self._share(False), self._share(True)
        low = below - self._passed(s, self.beta, -v, below)
        high = below + self._passed(s, 1.0 - self.beta, v, above)
        return np.where(value < 0, low, high)
