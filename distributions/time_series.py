"""Series of numbers by state space models: ARMA, and sums of components (level, trend, season, cycle, regression)."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine.errors import ParameterError
from ..engine.numpy.linalg import solve
from ..engine.scipy.linalg import block_diag
from . import constraints
from .distribution import Distribution
from .record import ArrayLike, Record, child, param, static
from .state_space import LinearGaussianStateSpace


class StationaryVector(constraints.Constraint):
    """Coefficients φ of a stationary autoregression: the roots of 1 - φ₁ z - … - φₚ zᵖ lie outside the unit circle.

    That is so when all partial autocorrelations lie in (-1, 1); Durbin and Levinson's recursion backwards gives them.
    """
    event_dim, words = 1, "the coefficients of a stationary autoregression"

    def check(self, x):
        ok = np.all(np.isfinite(x), -1)
        for k in range(x.shape[-1], 0, -1):
            last, rest = x[..., k - 1:k], x[..., :k - 1]
            ok = np.logical_and(ok, np.abs(last[..., 0]) < 1)
            x = (rest + last * np.flip(rest, -1)) / (1 - last * last)
        return ok

    def example(self, x):
        return 0.0


class Series(Distribution):
    """Base of the distributions of float[*batch, T] that are state space models: write `model`."""
    num_steps: int = static()
    parallel: bool = static(default=False)
    support = constraints.real_vector

    def model(self):
        """The LinearGaussianStateSpace, whose observations are float[T, 1]."""
        raise NotImplementedError

    @property
    def event_shape(self):
        return (self.num_steps,)

    def sample(self, key, sample_shape=()):
        return self.model().sample(key, sample_shape)[..., 0]

    def log_prob_inside(self, value):
        return self.model().log_prob_inside(np.asarray(value)[..., None])

    @property
    def mean(self):
        return self.model().mean[..., 0]

    @property
    def mode(self):
        return self.model().mean[..., 0]

    @property
    def variance(self):
        return self.model().variance[..., 0]

    def smooth(self, value):
        """Moments of the states given all observations: see LinearGaussianStateSpace.smooth."""
        return self.model().smooth(np.asarray(value)[..., None])

    def posterior_sample(self, key, value, sample_shape=()):
        """Paths of the states given all observations: see LinearGaussianStateSpace.posterior_sample."""
        return self.model().posterior_sample(key, np.asarray(value)[..., None], sample_shape)


class ARMA(Series):
    """yₜ = loc + uₜ,  uₜ = Σ φᵢ uₜ₋ᵢ + eₜ + Σ θⱼ eₜ₋ⱼ,  e ~ N(0, scale²), from its stationary distribution on.

    ar φ : float[*batch, p], stationary     ma θ : float[*batch, q]     scale, loc : float[*batch], scale > 0
    num_steps : T          sample : float[*shape, *batch, T]
    Source: Harvey (1993), Time Series Models, §4.4 (the state space form); Gardner, Harvey & Phillips (1980), AS 154.

    >>> float(ARMA([0.5], [0.4], 1.0, num_steps=2).variance[0]).__round__(6)
    2.08
    """
    ar: ArrayLike = param(StationaryVector())
    ma: ArrayLike = param(constraints.real_vector)
    scale: ArrayLike = param(constraints.positive, default=1.0)
    loc: ArrayLike = param(constraints.real, default=0.0)
    num_steps: int = static()
    parallel: bool = static(default=False)
    reparametrized_params = ("ar", "ma", "scale", "loc")

    def __init__(self, ar, ma, scale=1.0, loc=0.0, num_steps=None, parallel=False, *, validate_args=None):
        if not isinstance(num_steps, int) or num_steps < 1:
            raise ParameterError(f"ARMA: num_steps must be a whole number > 0, as a Python int; got {num_steps!r}.")
        super().__init__(ar, ma, scale, loc, num_steps, bool(parallel), validate_args=validate_args)

    def model(self):
        F, H, noise = arma_matrices(self.ar, self.ma)
        Q = (self.scale * self.scale)[..., None, None] * noise
        zero = np.zeros((1, 1), F.dtype)
        return LinearGaussianStateSpace(
            (np.zeros(F.shape[-1], F.dtype), stationary_covariance(F, Q)), F[..., None, :, :], Q[..., None, :, :], H,
            zero, self.num_steps, observation_offset=self.loc[..., None, None], parallel=self.parallel,
            validate_args=False)


def arma_matrices(ar, ma):
    """F, H and the covariance of unit noise in Harvey's form, with max(p, q + 1) states."""
    p, q = ar.shape[-1], ma.shape[-1]
    r = max(p, q + 1)
    lead = np.broadcast_shapes(ar.shape[:-1], ma.shape[:-1])

    def padded(x, n):
        k = x.shape[-1]
        return np.concatenate([np.broadcast_to(x, (*lead, k)), np.zeros((*lead, n - k), x.dtype)], -1)
    shift = np.broadcast_to(np.eye(r, r, 1, dtype=ar.dtype)[:, 1:], (*lead, r, r - 1))
    F = np.concatenate([padded(ar, r)[..., None], shift], -1)
    loading = np.concatenate([np.ones((*lead, 1), ma.dtype), padded(ma, r - 1)], -1)
    return F, np.eye(1, r, dtype=ar.dtype), loading[..., :, None] * loading[..., None, :]


def stationary_covariance(F, Q):
    """P = F P F' + Q, as a linear system for its elements.   F, Q : float[*batch, n, n]"""
    n = F.shape[-1]
    squared = F[..., :, None, :, None] * F[..., None, :, None, :]            # F ⊗ F
    system = np.eye(n * n, dtype=F.dtype) - squared.reshape((*F.shape[:-2], n * n, n * n))
    lead = np.broadcast_shapes(F.shape[:-2], Q.shape[:-2])
    system = np.broadcast_to(system, (*lead, n * n, n * n))
    p = solve(system, np.broadcast_to(Q, (*lead, n, n)).reshape((*lead, n * n, 1))).reshape((*lead, n, n))
    return 0.5 * (p + np.swapaxes(p, -1, -2))


class Component(Record):
    """A part of a structural time series: hidden states of its own, and what they add to the series. Parts add up.

    transition_matrix F, transition_covariance Q : float[n, n]     observation : float[n], or float[T, n] along time
    initial_mean : float[n]     initial_covariance : float[n, n]
    """
    transition_matrix: ArrayLike = child()
    transition_covariance: ArrayLike = child()
    observation: ArrayLike = child()
    initial_mean: ArrayLike = child()
    initial_covariance: ArrayLike = child()

    def __add__(self, other):
        rows = [self.observation, other.observation]
        lead = np.broadcast_shapes(*[row.shape[:-1] for row in rows])
        return Component(block_diag(self.transition_matrix, other.transition_matrix),
                         block_diag(self.transition_covariance, other.transition_covariance),
                         np.concatenate([np.broadcast_to(row, (*lead, row.shape[-1])) for row in rows], -1),
                         np.concatenate([self.initial_mean, other.initial_mean], -1),
                         block_diag(self.initial_covariance, other.initial_covariance))


def _component(F, variances, row, mean, scale):
    """A component with independent noises and independent first states."""
    F = np.asarray(F)
    n = F.shape[-1]

    def diagonal(v):
        return np.broadcast_to(np.asarray(v), (n,))[:, None] * np.eye(n)
    return Component(F, diagonal(variances), np.asarray(row), np.broadcast_to(np.asarray(mean), (n,)) + np.zeros(n),
                     diagonal(np.square(np.asarray(scale))))


def local_level(scale, initial_mean=0.0, initial_scale=10.0):
    """A random walk with steps N(0, scale²)."""
    return _component([[1.0]], np.square(np.asarray(scale)), [1.0], initial_mean, initial_scale)


def local_linear_trend(level_scale, slope_scale, initial_mean=(0.0, 0.0), initial_scale=(10.0, 1.0)):
    """A random walk whose drift is a random walk."""
    variances = np.stack([np.square(np.asarray(level_scale)), np.square(np.asarray(slope_scale))])
    return _component([[1.0, 1.0], [0.0, 1.0]], variances, [1.0, 0.0], initial_mean, initial_scale)


def seasonal(period, scale, initial_scale=1.0):
    """Effects of the seasons, which sum to noise N(0, scale²) over a period of a whole number of steps.

    Source: Durbin & Koopman (2012), §3.2.2.
    """
    n = period - 1
    F = _numpy.eye(n, k=-1)
    F[0] = -1.0
    first = np.asarray(_numpy.eye(1, n)[0])
    return _component(F, first * np.square(np.asarray(scale)), first, 0.0, initial_scale)


def cycle(period, damping, scale, initial_scale=1.0):
    """A wave of any period, whose amplitude shrinks by `damping` and whose noise is N(0, scale²).

    Source: Harvey (1989), Forecasting, Structural Time Series Models and the Kalman Filter, eq. 2.3.38.
    """
    angle = 2 * math.pi / np.asarray(period)
    c, s = np.cos(angle), np.sin(angle)
    F = np.asarray(damping) * np.stack([np.stack([c, s]), np.stack([-s, c])])
    return _component(F, np.square(np.asarray(scale)), [1.0, 0.0], 0.0, initial_scale)


def regression(x, initial_scale=10.0, scale=0.0):
    """x @ β for covariates x, float[T, k], with β ~ N(0, initial_scale²) that walks by N(0, scale²) a step."""
    x = np.asarray(x)
    return _component(_numpy.eye(x.shape[-1]), np.square(np.asarray(scale)), x, 0.0, initial_scale)


def autoregressive(ar, scale, ma=()):
    """A stationary ARMA process."""
    F, H, noise = arma_matrices(np.asarray(ar), np.asarray(ma, float))
    Q = np.square(np.asarray(scale)) * noise
    return Component(F, Q, H[0], np.zeros(F.shape[-1]), stationary_covariance(F, Q))


class StructuralTimeSeries(Series):
    """A sum of components, observed with noise N(0, scale²).   sample : float[*shape, T]

    >>> parts = local_level(0.1) + seasonal(4, 0.1)
    >>> StructuralTimeSeries(parts, scale=0.5, num_steps=8).event_shape
    (8,)
    """
    component: Component = child()
    scale: ArrayLike = param(constraints.nonnegative)
    num_steps: int = static()
    parallel: bool = static(default=False)

    def model(self):
        c = self.component
        row = c.observation
        H = row[None] if row.ndim == 1 else row[:, None, :]
        return LinearGaussianStateSpace((c.initial_mean, c.initial_covariance), c.transition_matrix,
                                        c.transition_covariance, H, (self.scale * self.scale)[..., None, None, None],
                                        self.num_steps, parallel=self.parallel, validate_args=False)
