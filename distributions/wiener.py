"""The time at which a Brownian motion with drift first leaves an interval, and the end at which it does."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.ops.elementwise import stop_gradient
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param

_IMAGES, _OTHERS, _WAVES = _numpy.arange(7), _numpy.array([1, -1, 2, -2, 3, -3]), _numpy.arange(1, 7)
_SWITCH = 0.35                                               # of t / alpha²: series in exp(-1 / t) below, exp(-t) above


def log_driftless(u, w):
    """The log-density of the time at which a Brownian motion without drift leaves (0, 1) at the end at distance w."""
    small = u < _SWITCH
    early, late = np.where(small, u, 0.1), np.where(small, 1.0, u)
    # the leading term, and the others divided by it
    k, start = np.asarray(_OTHERS, u.dtype), w[..., None]
    rest = np.sum((1.0 + 2.0 * k / start) * np.exp(-2.0 * k * (start + k) / early[..., None]), -1)
    before = np.log(w) - 0.5 * w * w / early - 1.5 * np.log(early) - 0.5 * math.log(2 * math.pi) + np.log1p(rest)
    k = np.asarray(_WAVES, u.dtype)
    fade = np.exp((-0.5 * math.pi ** 2) * (np.square(k) - 1.0) * late[..., None])
    waves = np.sum(k * fade * np.sin((k * math.pi) * start), -1)
    after = math.log(math.pi) - (0.5 * math.pi ** 2) * late + np.log(waves)
    return np.where(small, before, after)


class Wiener(Distribution):
    """Wiener(alpha a, tau, beta b, delta v): when a Brownian motion with drift v from a b leaves (0, a), tau later.

        p(± t) = exp(v r - v² s / 2) / a² Σₖ ((r / a) + 2k) exp(-a² ((r / a) + 2k)² / 2s) / √(2π (s / a²)³),
        s = |t| - tau > 0;  r = a (1 - b) for + (the upper end), and -v in place of v with r = a b for - (the lower)

    alpha, tau, beta, delta : float[*batch], alpha > 0, tau >= 0, 0 < beta < 1          sample : float[*shape, *batch]
    A value is the time, with the sign of the end that was reached: with the sign + it is the density of first passages
    through the upper end, which integrates to their probability; both signs together integrate to 1. Draws are by
    inversion, and jump from one end to the other, so they have no derivative; moments are those of times with signs.
    Source: Navarro & Fuss (2009), "Fast and accurate calculations for first-passage times in Wiener diffusion models",
    eq. 1, 5, 6; distribution function: Blurton, Kesselmeier & Gondan (2012), "Fast and accurate calculations for
    cumulative first-passage time distributions in Wiener diffusion models".
    """
    alpha: ArrayLike = param(constraints.positive)
    tau: ArrayLike = param(constraints.nonnegative)
    beta: ArrayLike = param(constraints.open_interval(0.0, 1.0))
    delta: ArrayLike = param(constraints.real)
    support = constraints.real

    def sample(self, key, sample_shape=()):
        tiny = float(np.finfo(self.dtype).epsneg)
        u = np.clip(random.uniform(key, self.shape(sample_shape), self.dtype), tiny, 1.0 - tiny)
        return stop_gradient(self.icdf(u))

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
        return log_driftless(u, w) + v * w - 0.5 * v * v * u - 2.0 * np.log(self.alpha)

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
        """P(the end at distance w is reached before s), for a = 1; the terms of each series along a last axis."""
        small = s < _SWITCH
        early, late = np.where(small, np.maximum(s, 1e-12), 0.1)[..., None], np.where(small, 1.0, s)[..., None]
        distance, drift = w[..., None], v[..., None]
        odd = np.asarray(_IMAGES % 2, s.dtype)
        r = np.asarray(_IMAGES, s.dtype) + (odd + (1.0 - 2.0 * odd) * distance)
        r = np.concatenate([r, -r], -1)                      # exp(-v r) Φ((v s - r) / √s), and with r for -r and -Φ
        side = np.where(r > 0, early * drift, -early * drift)
        terms = np.exp(drift * (distance - r) + special.log_ndtr((side - np.abs(r)) / np.sqrt(early)))
        before = np.sum(terms * np.concatenate([1.0 - 2.0 * odd] * 2, -1), -1)
        k = np.asarray(_WAVES, s.dtype)
        rate = drift * drift + np.square(k * math.pi)
        waves = k * np.sin((k * math.pi) * distance) * np.exp(drift * distance - 0.5 * rate * late) / rate
        after = share - (2 * math.pi) * np.sum(waves, -1)
        return np.where(small, np.where(s > 0, before, 0.0), after)

    def cdf(self, value):
        """P(X <= value), of times with signs: for negative values what the lower end gets later than |value|."""
        value = np.asarray(value)
        s, w, v = self._side(value)
        s, w, v = np.broadcast_arrays(s / (self.alpha * self.alpha), w, v)
        up, below = value > 0, self._share(False)
        passed = self._passed(s, w, v, np.where(up, self._share(True), below))
        return below + np.where(up, passed, -passed)

    def _times(self, up):
        """The probability of the upper (or the lower) end, and E S and E S² of the time S to it, given that end.

        From E exp(-c S) = exp(…) sinh(z u) / sinh(a u) with u² = v² + 2 c, z the distance from the other end.
        """
        a = self.alpha
        z = a * (self.beta if up else 1.0 - self.beta)
        (at_a, slope_a), (at_z, slope_z) = _less_pole(a * self.delta), _less_pole(z * self.delta)
        mean = a * a * at_a - z * z * at_z
        return self._share(up), mean, mean * mean - (a ** 4 * slope_a - z ** 4 * slope_z)

    @property
    def mean(self):
        """That of the times with signs."""
        (up, up_time, _), (down, down_time, _) = self._times(True), self._times(False)
        return up * (up_time + self.tau) - down * (down_time + self.tau)

    @property
    def variance(self):
        """That of the times with signs."""
        (up, up_time, up_square), (down, down_time, down_square) = self._times(True), self._times(False)
        # given the end, and between the ends
        within = up * (up_square - np.square(up_time)) + down * (down_square - np.square(down_time))
        return within + up * down * np.square(up_time + down_time + 2.0 * self.tau)


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
_COTH = tuple(4 ** k * b / math.factorial(2 * k) for k, b in enumerate(_BERNOULLI, 1))       # y coth y = 1 + Σ cₖ y²ᵏ


def _less_pole(y):
    """C = (y coth y - 1) / y² and C'(y) / y, by the series near 0."""
    near = np.abs(y) < 0.5
    small, large = np.where(near, y, 0.0), np.where(near, 1.0, np.abs(y))
    square = small * small
    series = slope = 0.0
    for k in range(len(_COTH) - 1, -1, -1):
        series = series * square + _COTH[k]
        slope = slope * square + 2 * (k + 1) * _COTH[k + 1] if k + 1 < len(_COTH) else 0.0
    coth = 1.0 / np.tanh(large)
    far = (large * coth - 1.0) / (large * large)
    sinh = 2.0 * np.exp(-large) / -np.expm1(-2.0 * large)                                     # 1 / sinh y
    far_slope = (coth / large - sinh * sinh - 2.0 * far) / (large * large)
    return np.where(near, series, far), np.where(near, slope, far_slope)
