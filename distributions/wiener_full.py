"""First passages of a Brownian motion whose drift, starting point and delay vary from one trial to the next."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, param
from .wiener import Wiener, log_driftless


def _rule(n):
    """Nodes in (0, 1) and the logarithms of their weights: Gauss and Legendre's rule."""
    x, w = _numpy.polynomial.legendre.leggauss(n)
    return 0.5 * (x + 1), _numpy.log(0.5 * w)


def _squared(x, log_weight):
    """The rule for ∫ f(y) dy with y = x²: closer together near 0, where first passages from a near end come."""
    return x * x, log_weight + _numpy.log(2 * x)


_STARTS, _LOG_START = _rule(28)
_DELAYS, _LOG_DELAY = _squared(*_rule(64))
_TIMES, _LOG_TIME = _squared(*_rule(120))
_LONGEST, _SOONEST = 7.0, 1e-6                               # of t / alpha²: the share of what is later is exp(-34)


class WienerFull(Distribution):
    """WienerFull(alpha a, tau, beta b, delta v, sv, sw, st0): Wiener with another drift, start and delay in each trial.

        p(± t) = E p(± t; a, T, B, V),  V ~ Normal(v, sv²), B ~ Uniform(b - sw/2, b + sw/2), T ~ Uniform(tau, tau + st0)

    alpha, tau, beta, delta, sv, sw, st0 : float[*batch], alpha > 0, tau, sv, st0 >= 0, 0 < beta < 1,
    0 <= sw < 2 min(beta, 1 - beta)          sample : float[*shape, *batch]
    A value is the time, with the sign of the end that was reached, as for Wiener, which this is for sv = sw = st0 = 0.
    The mean over V is exact; those over B and T are by Gauss and Legendre's rules with 28 and 64 points, to 1e-9 while
    no start is within a tenth of an end and st0 below 2 a². Names and order are Stan's. Draws are Wiener's, given V,
    B and T.
    Source: Henrich, Hartmann, Pratz, Voss & Klauer (2023), "The seven-parameter diffusion model: an implementation in
    Stan for Bayesian analyses"; mean over the drift: Tuerlinckx (2004), "The efficient computation of the cumulative
    distribution and probability density functions in the diffusion model".

    >>> d = WienerFull(1.0, 0.2, 0.5, 0.7, sv=0.3, sw=0.1, st0=0.1)
    >>> round(float(d.log_prob(0.5)), 6)
    0.200373
    """
    alpha: ArrayLike = param(constraints.positive)
    tau: ArrayLike = param(constraints.nonnegative)
    beta: ArrayLike = param(constraints.open_interval(0.0, 1.0))
    delta: ArrayLike = param(constraints.real)
    sv: ArrayLike = param(constraints.nonnegative, default=0.0)
    sw: ArrayLike = param(lambda self: constraints.half_open_interval(
        0.0, 2.0 * np.minimum(self.beta, 1.0 - self.beta)), default=0.0)
    st0: ArrayLike = param(constraints.nonnegative, default=0.0)
    support = constraints.real

    def sample(self, key, sample_shape=()):
        first, second, third, last = random.split(key, 4)
        shape, d = self.shape(sample_shape), self.dtype
        drift = self.delta + self.sv * random.normal(first, shape, d)
        start = self.beta + self.sw * (random.uniform(second, shape, d) - 0.5)
        delay = self.tau + self.st0 * random.uniform(third, shape, d)
        return Wiener(self.alpha, delay, start, drift, validate_args=False).sample(last)

    def _log_passage(self, s, up):
        """The log-density of the time s [*shape, n] to the upper end where `up` [*shape], else to the lower one."""
        parameters = (self.alpha, self.beta, self.delta, self.sv, self.sw)
        a, b, v, sv, sw = (x[..., None, None] for x in parameters)
        up = up[..., None, None]
        starts = b + sw * (np.asarray(_STARTS, s.dtype) - 0.5)
        w = np.where(up, 1.0 - starts, starts)
        u = s[..., None] / (a * a)
        u, w = np.broadcast_arrays(u, w)
        v, spread = np.where(up, v, -v) * a, np.square(sv * a)
        wide = 1.0 + spread * u
        drifted = (2.0 * v * w - v * v * u + spread * w * w) / (2.0 * wide) - 0.5 * np.log(wide)
        terms = log_driftless(u, w) + drifted + np.asarray(_LOG_START, s.dtype)
        return special.logsumexp(terms, -1) - 2.0 * np.log(a[..., 0])

    def _delays(self, high):
        """The times [*shape, n] of a rule over those that the delay leaves, high at most, and their ends."""
        low = np.maximum(high - self.st0, 0.0)
        return low[..., None] + (high - low)[..., None] * np.asarray(_DELAYS, high.dtype), low

    def log_prob(self, value):
        value = np.asarray(value)
        ok = np.abs(value) > self.tau
        safe = np.where(ok, value, self.tau + self.alpha + self.st0)
        return np.where(ok, self.log_prob_inside(safe), -math.inf)

    def log_prob_inside(self, value):
        value = np.asarray(value)
        high = np.abs(value) - self.tau + np.zeros(self.batch_shape, self.dtype)
        s, low = self._delays(high)
        total = special.logsumexp(self._log_passage(s, value > 0) + np.asarray(_LOG_DELAY, s.dtype), -1)
        cut = self.st0 > high                                # some delays are longer than the time
        return total + np.where(cut, np.log(high / np.where(cut, self.st0, 1.0)), 0.0)

    def _passed(self, high, up):
        """P(the end is reached, at a time <= tau + high): all of those before high - st0, and a part of the others."""
        high = np.minimum(high, _LONGEST * np.square(self.alpha) + self.st0)
        s, low = self._delays(high)
        times = low[..., None] * np.asarray(_TIMES, low.dtype)
        log_p = self._log_passage(np.maximum(times, _SOONEST * np.square(self.alpha)[..., None]), up)
        whole = low * np.sum(np.exp(log_p + np.asarray(_LOG_TIME, low.dtype)), -1)
        delayed = self.st0 > 0
        share = np.minimum((high - low) / np.where(delayed, self.st0, 1.0), 1.0)
        late = np.exp(self._log_passage(s, up) + np.asarray(_LOG_DELAY, s.dtype)) * (1.0 - np.asarray(_DELAYS, s.dtype))
        return whole + np.where(delayed, np.sum(late, -1) * (high - low) * share, 0.0)

    def cdf(self, value):
        """P(X <= value), of times with signs: for negative values what the lower end gets later than |value|."""
        value = np.asarray(value)
        high = np.maximum(np.abs(value) - self.tau + np.zeros(self.batch_shape, self.dtype), 0.0)
        up = np.broadcast_to(value > 0, high.shape)
        passed = np.where(high > 0, self._passed(np.maximum(high, _SOONEST * np.square(self.alpha)), up), 0.0)
        forever = np.full_like(high, math.inf)
        below = self._passed(forever, np.zeros_like(up))
        return below + np.where(up, passed, -passed)
