"""Series of numbers by state space models: ARMA, and sums of components (level, trend, season, cycle, regression)."""
from ..engine import numpy as np
from ..engine.errors import ParameterError
from . import constraints
from .components import Component, arma_matrices, stationary_covariance
from .distribution import Distribution
from .record import ArrayLike, child, param, static
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
    """Base of the distributions of float[*batch, T] that are state space models: write `model` and `event_shape`."""
    support = constraints.real_vector

    def model(self):
        """The LinearGaussianStateSpace, whose observations are float[T, 1]."""
        raise NotImplementedError

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
    num_steps: int = static()
    scale: ArrayLike = param(constraints.positive, default=1.0)
    loc: ArrayLike = param(constraints.real, default=0.0)
    parallel: bool = static(default=False)
    reparametrized_params = ("ar", "ma", "scale", "loc")

    def __init__(self, ar, ma, scale=1.0, loc=0.0, num_steps=None, parallel=False, *, validate_args=None):
        if not isinstance(num_steps, int) or num_steps < 1:
            raise ParameterError(f"ARMA: num_steps must be a whole number > 0, as a Python int; got {num_steps!r}.")
        super().__init__(ar, ma, num_steps, scale, loc, bool(parallel), validate_args=validate_args)

    @property
    def event_shape(self):
        return (self.num_steps,)

    def model(self):
        F, H, noise = arma_matrices(self.ar, self.ma)
        Q = (self.scale * self.scale)[..., None, None] * noise
        zero = np.zeros((1, 1), F.dtype)
        return LinearGaussianStateSpace(
            (np.zeros(F.shape[-1], F.dtype), stationary_covariance(F, Q)), F[..., None, :, :], Q[..., None, :, :], H,
            zero, self.num_steps, observation_offset=self.loc[..., None, None], parallel=self.parallel,
            validate_args=False)


class StructuralTimeSeries(Series):
    """A sum of components, observed with noise N(0, scale²).   sample : float[*shape, T]

    >>> from chainrule.distributions.components import local_level, seasonal
    >>> parts = local_level(0.1) + seasonal(4, 0.1)
    >>> StructuralTimeSeries(parts, scale=0.5, num_steps=8).event_shape
    (8,)
    """
    component: Component = child()
    scale: ArrayLike = param(constraints.nonnegative)
    num_steps: int = static()
    parallel: bool = static(default=False)

    @property
    def event_shape(self):
        return (self.num_steps,)

    def model(self):
        c = self.component
        row = c.observation
        H = row[None] if row.ndim == 1 else row[:, None, :]
        return LinearGaussianStateSpace((c.initial_mean, c.initial_covariance), c.transition_matrix,
                                        c.transition_covariance, H, (self.scale * self.scale)[..., None, None, None],
                                        self.num_steps, parallel=self.parallel, validate_args=False)
