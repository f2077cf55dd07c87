"""Parts of structural time series: hidden states of their own, which add up.

    from chainrule.distributions import components as c
    parts = c.local_linear_trend(0.1, 0.01) + c.seasonal(12, 0.05) + c.regression(x)
    StructuralTimeSeries(parts, scale=0.3, num_steps=120)
"""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine.errors import ParameterError
from ..engine.numpy.linalg import solve
from ..engine.scipy.linalg import block_diag
from .record import ArrayLike, Record, child


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

    transition_matrix F, transition_covariance Q : float[n, n], or float[T - 1, n, n] along time
    observation : float[n], or float[T, n] along time
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


def matern_process(times, lengthscale=1.0, variance=1.0, order=1.5):
    """A Gaussian process with a Matérn kernel at increasing times, float[T], exactly and in O(T).

    order : 0.5, 1.5 or 2.5
    Source: Hartikainen & Särkkä (2010), Kalman filtering and smoothing solutions to temporal Gaussian process
    regression models, §4; the transition is exp(A t) of their eq. 12, written out.
    """
    if order not in (0.5, 1.5, 2.5):
        raise ParameterError(f"matern_process: order must be 0.5, 1.5 or 2.5; got {order}.")
    t = np.diff(np.asarray(times))
    rate = math.sqrt(2 * order) / np.asarray(lengthscale)
    t, rate = np.broadcast_arrays(t, rate)
    u = rate * t
    zero, r = np.zeros_like(u), rate[:1]
    if order == 0.5:
        rows, stationary = [[zero + 1]], [[1.0]]
    elif order == 1.5:
        rows, stationary = [[1 + u, t], [-rate * u, 1 - u]], [[1.0, 0.0], [0.0, r[0] ** 2]]
    else:
        rows = [[1 + u + u * u / 2, t * (1 + u), t * t / 2], [-rate * u * u / 2, 1 + u - u * u, t * (1 - u / 2)],
                [rate * rate * u * (u / 2 - 1), rate * u * (u - 3), 1 - 2 * u + u * u / 2]]
        k = r[0] ** 2 / 3
        stationary = [[1.0, 0.0, -k], [0.0, k, 0.0], [-k, 0.0, r[0] ** 4]]
    F = np.stack([np.stack(row, -1) for row in rows], -2) * np.exp(-u)[:, None, None]
    P = np.asarray(variance) * np.stack([np.stack([np.asarray(v, u.dtype) for v in row]) for row in stationary])
    n = P.shape[-1]
    return Component(F, P - np.matmul(np.matmul(F, P), np.swapaxes(F, -1, -2)), np.eye(1, n, dtype=u.dtype)[0],
                     np.zeros(n, u.dtype), P)
