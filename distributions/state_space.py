"""Linear-Gaussian state space models: the distribution of a series of observations, by Kalman's filter."""
import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.array import Array
from ..engine.errors import ParameterError, ShapeError
from . import constraints, kalman
from .distribution import Distribution
from .kalman import System, apply, over_time, sandwich
from .record import ArrayLike, param, static


def semidefinite_factor(a):
    """A lower L with L L' = A for a positive semidefinite A, column by column: zero columns where nothing is left.

    a : float[*batch, n, n]
    """
    n, rest, columns = a.shape[-1], a, []
    slack = 8 * n * float(np.finfo(a.dtype).eps)
    for j in range(n):
        pivot = rest[..., j, j]
        some = pivot > slack * a[..., j, j]
        scale = np.where(some, 1 / np.sqrt(np.where(some, pivot, 1.0)), 0.0)
        column = rest[..., :, j] * scale[..., None] * (_numpy.arange(n) >= j)
        columns.append(column)
        rest = rest - column[..., :, None] * column[..., None, :]
    return np.stack(columns, -1)


def _matrices(name, x):
    """A matrix as [1, n, m], matrices that change with time as [..., T, n, m]."""
    x = np.asarray(x)
    if x.ndim < 2:
        raise ShapeError(f"LinearGaussianStateSpace: {name} must be a matrix, or matrices [..., time, n, m]; it has "
                         f"shape {x.shape}.")
    return x[None] if x.ndim == 2 else x


def _time_first(x, dims):
    """[*batch, T, *dims] with the time axis in front."""
    return np.moveaxis(x, x.ndim - dims - 1, 0)


class LinearGaussianStateSpace(Distribution):
    """yₜ = H xₜ + d + N(0, R) of hidden states x₀ ~ initial, xₜ₊₁ = F xₜ + b + N(0, Q), for t = 0 … T - 1.

    initial : a MultivariateNormal, or the pair (mean float[n], covariance float[n, n])
    transition_matrix F, transition_covariance Q : float[n, n], or float[*batch, T - 1 or 1, n, n]
    observation_matrix H : float[m, n], or float[*batch, T or 1, m, n]
    observation_covariance R : float[m, m], or float[*batch, T or 1, m, m]
    transition_offset b, observation_offset d : a number, a vector, or vectors along time
    num_steps : T     parallel : log_prob, filter and smooth as a tree of products, O(log T) steps
    missing : whether nan in a value is a missing observation. By default that is so for values whose numbers are known,
    and where they are traced no value is missing          sample : float[*shape, *batch, T, m]

    The covariances may be singular, as long as those of the observations given the past are not.
    Source: Durbin & Koopman (2012), Time Series Analysis by State Space Methods, chapter 4; see `kalman`.

    >>> level = LinearGaussianStateSpace(([0.0], [[1.0]]), [[1.0]], [[0.1]], [[1.0]], [[0.5]], num_steps=3)
    >>> mean, covariance = level.smooth([[0.2], [np.nan], [0.4]])
    >>> mean[:, 0].round(4).tolist()
    [0.2194, 0.2452, 0.271]
    """
    initial_mean: ArrayLike = param(constraints.real_vector)
    initial_covariance: ArrayLike = param(constraints.positive_semidefinite)
    transition_matrix: ArrayLike = param(constraints.real, event_dim=3)
    transition_covariance: ArrayLike = param(constraints.positive_semidefinite, event_dim=3)
    observation_matrix: ArrayLike = param(constraints.real, event_dim=3)
    observation_covariance: ArrayLike = param(constraints.positive_semidefinite, event_dim=3)
    transition_offset: ArrayLike = param(constraints.real, event_dim=2)
    observation_offset: ArrayLike = param(constraints.real, event_dim=2)
    num_steps: int = static()
    parallel: bool = static(default=False)
    missing: bool | None = static(default=None)
    support = constraints.real_matrix
    reparametrized_params = ("initial_mean", "initial_covariance", "transition_matrix", "transition_covariance",
                             "observation_matrix", "observation_covariance", "transition_offset", "observation_offset")

    def __init__(self, initial, transition_matrix, transition_covariance, observation_matrix, observation_covariance,
                 num_steps, transition_offset=0.0, observation_offset=0.0, parallel=False, missing=None, *,
                 validate_args=None):
        if not isinstance(num_steps, int) or num_steps < 1:
            raise ParameterError("LinearGaussianStateSpace: num_steps must be a whole number > 0, as a Python int; "
                                 f"got {num_steps!r}.")
        if isinstance(initial, Distribution):
            initial = initial.mean, initial.covariance_matrix
        mean, covariance = (np.asarray(x) for x in initial)
        F, Q = (_matrices("transition_matrix", transition_matrix),
                _matrices("transition_covariance", transition_covariance))
        H, R = (_matrices("observation_matrix", observation_matrix),
                _matrices("observation_covariance", observation_covariance))
        n, m = F.shape[-1], H.shape[-2]
        vectors = [np.asarray(x, F.dtype if isinstance(x, (int, float)) else None)
                   for x in (transition_offset, observation_offset)]
        vectors = [np.broadcast_to(x, (1, size)) if x.ndim < 2 else x for x, size in zip(vectors, (n, m))]
        self._bind((mean, covariance, F, Q, H, R, *vectors, num_steps, bool(parallel), missing), {})
        self._check_shapes(n, m)
        self._adopt(validate_args is not False)

    def _check_shapes(self, n, m):
        T = self.num_steps
        wanted = {"initial_mean": (None, (n,)), "initial_covariance": (None, (n, n)),
                  "transition_matrix": (T - 1, (n, n)), "transition_covariance": (T - 1, (n, n)),
                  "observation_matrix": (T, (m, n)), "observation_covariance": (T, (m, m)),
                  "transition_offset": (T - 1, (n,)), "observation_offset": (T, (m,))}
        for name, (time, shape) in wanted.items():
            have = self.__dict__[name].shape
            k = len(shape)
            if have[len(have) - k:] != shape or time is not None and have[-k - 1] not in (1, time):
                along = "" if time is None else f" or (..., {time}, {', '.join(map(str, shape))})"
                raise ShapeError(f"LinearGaussianStateSpace: with {n} states and {m} values at each of {T} steps, "
                                 f"{name} must have shape {shape}{along}; it has shape {have}.")

    @property
    def event_shape(self):
        return (self.num_steps, self.observation_matrix.shape[-2])

    # ---- the law of the observations ----

    def sample(self, key, sample_shape=()):
        return self._draw(key, sample_shape)[1]

    def _draw(self, key, sample_shape):
        """States [T, *lead, n], time first, and observations [*lead, T, m]."""
        first, second, third = random.split(key, 3)
        lead, n, T = (*sample_shape, *self.batch_shape), self.initial_mean.shape[-1], self.num_steps
        d, (F, b, Q, H, R) = self.observation_offset, self._arrays()
        start = self.initial_mean + apply(semidefinite_factor(self.initial_covariance),
                                          random.normal(first, (*lead, n), self.dtype))
        noise = random.normal(second, (T, *lead, n), self.dtype)
        factor = semidefinite_factor(Q)

        def step(x, F, b, factor, e):
            return apply(F, x) + b + apply(factor, e), x
        states = over_time(step, start, (F, b, factor, noise), T)[1]
        e = random.normal(third, (T, *lead, R.shape[-1]), self.dtype)
        values = self._along(H, apply, states) + self._along(semidefinite_factor(R), apply, e)
        return states, np.moveaxis(values, 0, -2) + d

    @staticmethod
    def _along(matrices, f, x):
        """f(matrices, x) with time first in both, other batch axes aligned from the right."""
        extra = x.ndim - (matrices.ndim - 1)
        if extra > 0:
            matrices = matrices.reshape((matrices.shape[0], *(1,) * extra, *matrices.shape[1:]))
        return f(matrices, x)

    def log_prob_inside(self, value):
        return kalman.log_likelihood(self._system(value), self.num_steps, self.parallel)

    def _arrays(self):
        """F, b, Q, H, R with time first; where the first three change, one more is put after the last."""
        F, Q = _time_first(self.transition_matrix, 2), _time_first(self.transition_covariance, 2)
        b = _time_first(self.transition_offset, 1)
        F, b, Q = (x if x.shape[0] == 1 else np.concatenate([x, x[-1:]], 0) for x in (F, b, Q))
        return F, b, Q, _time_first(self.observation_matrix, 2), _time_first(self.observation_covariance, 2)

    def _system(self, value):
        """The arrays of `kalman` for these observations."""
        value = np.asarray(value)
        if value.shape[-2:] != self.event_shape:
            raise ShapeError(f"LinearGaussianStateSpace: a value is [{self.num_steps} steps, {self.event_shape[1]} "
                             f"numbers]; got shape {value.shape}.")
        F, b, Q, H, R = self._arrays()
        v = _time_first(value - self.observation_offset, 1)
        m = v.shape[-1]
        known = type(value) is Array
        if self.missing is False or (self.missing is None and not (known and bool(_numpy.isnan(value.value).any()))):
            count = np.full((1,), m, v.dtype)
            return self._aligned(System(self.initial_mean, self.initial_covariance, F, b, Q, H, R, v, count))
        seen = np.logical_not(np.isnan(v))                                    # [T, *lead, m]
        w = np.astype(seen, v.dtype)
        eye = np.eye(m, dtype=v.dtype)
        H = self._along(H, lambda H, w: w[..., None] * H, w)
        R = self._along(R, lambda R, w: w[..., None] * R * w[..., None, :] + (1 - w)[..., None] * eye, w)
        v = np.where(seen, v, 0.0)
        return self._aligned(System(self.initial_mean, self.initial_covariance, F, b, Q, H, R, v, np.sum(w, -1)))

    def _aligned(self, system):
        """Batch axes between time and the rest in all arrays that have fewer of them than the observations."""
        lead = max(system.v.ndim - 2, len(self.batch_shape))
        dims = dict(F=2, b=1, Q=2, H=2, R=2, v=1, seen=0)

        def align(x, k):
            return x.reshape((x.shape[0], *(1,) * (lead + k + 1 - x.ndim), *x.shape[1:]))
        return system._replace(**{name: align(getattr(system, name), k) for name, k in dims.items()})

    def _moments(self):
        """Means and covariances of the states, time first."""
        F, b, Q, _, _ = self._arrays()
        n = self.initial_mean.shape[-1]

        def step(state, F, b, Q):
            mean, p = state
            return (apply(F, mean) + b, sandwich(F, p) + Q), state
        lead = self.batch_shape
        start = np.broadcast_to(self.initial_mean, (*lead, n)), np.broadcast_to(self.initial_covariance, (*lead, n, n))
        return over_time(step, start, (F, b, Q), self.num_steps)[1]

    @property
    def mean(self):
        H = _time_first(self.observation_matrix, 2)
        mean = np.moveaxis(self._along(H, apply, self._moments()[0]), 0, -2)
        return np.broadcast_to(mean + self.observation_offset, self.shape())

    mode = mean

    @property
    def variance(self):
        p = self._moments()[1]
        H = self._along(_time_first(self.observation_matrix, 2), lambda H, p: H, p[..., 0])
        spread = np.sum(np.matmul(H, p) * H, -1)
        return np.broadcast_to(np.moveaxis(spread, 0, -2) + np.diagonal(self.observation_covariance, 0, -2, -1),
                               self.shape())

    # ---- the states, given observations ----

    def filter(self, value):
        """Moments of xₜ given y₀ … yₜ, and given y₀ … yₜ₋₁, time first: a `kalman.Filtered`."""
        run = kalman.filter_in_parallel if self.parallel else kalman.filter_in_sequence
        return run(self._system(value), self.num_steps)

    def smooth(self, value):
        """Mean float[*shape, *batch, T, n] and covariance float[…, T, n, n] of each xₜ given all observations."""
        mean, p = kalman.smooth(self._system(value), self.num_steps, self.parallel)
        return np.moveaxis(mean, 0, -2), np.moveaxis(p, 0, -3)

    def posterior_sample(self, key, value, sample_shape=()):
        """Paths of states given all observations, float[*sample_shape, *shape, *batch, T, n].

        A draw from the prior, moved by the smoothed mean of what its observations lack.
        Source: Durbin & Koopman (2002), A simple and efficient simulation smoother, Biometrika 89(3).
        """
        value = np.asarray(value)
        lead = value.shape[:value.ndim - 2 - len(self.batch_shape)]
        states, drawn = self._draw(key, (*sample_shape, *lead))
        centred = self._system(value - drawn + self.observation_offset)
        centred = centred._replace(initial_mean=np.zeros_like(self.initial_mean), b=np.zeros_like(centred.b))
        mean, _ = kalman.smooth(centred, self.num_steps, self.parallel)
        return np.moveaxis(states + mean, 0, -2)

    def forecast(self, value, num_steps):
        """The distribution of the next observations given these, where nothing changes with time: a model like this
        one that starts from the filtered state.   value : float[T, m]
        """
        for name in ("transition_matrix", "transition_covariance", "observation_matrix", "observation_covariance",
                     "transition_offset", "observation_offset"):
            if self.__dict__[name].shape[-2 if name.endswith("offset") else -3] != 1:
                raise ParameterError(f"LinearGaussianStateSpace.forecast: {name} changes with time, so what follows is "
                                     "not known.\nMake a longer model, and give it nan for the observations to come.")
        f = self.filter(value)
        F, Q, b = self.transition_matrix[..., 0, :, :], self.transition_covariance[..., 0, :, :], self.transition_offset
        start = apply(F, f.mean[-1]) + b[..., 0, :], sandwich(F, f.covariance[-1]) + Q
        return LinearGaussianStateSpace(start, self.transition_matrix, self.transition_covariance,
                                        self.observation_matrix, self.observation_covariance, num_steps,
                                        self.transition_offset, self.observation_offset, self.parallel, self.missing,
                                        validate_args=False)
