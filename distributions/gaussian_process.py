"""Gaussian processes at a finite set of points: the exact one, and the Student-t process of the same form."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.errors import ParameterError, ShapeError
from ..engine.numpy.linalg import cholesky
from ..engine.scipy.linalg import solve_triangular
from ..engine.scipy.special import gammaln
from . import constraints
from .distribution import Distribution
from .kernels.kernel import Kernel, as_points
from .multivariate_normal import MultivariateNormal, log_diagonal_sum, whiten
from .record import ArrayLike, child, param, static


def jittered(matrix, jitter):
    """The matrix with jitter · (mean of its diagonal) added to its diagonal; by default 1e-8, in float32 1e-5."""
    if jitter is None:
        jitter = 1e-5 if matrix.dtype == _numpy.float32 else 1e-8
    size = np.mean(np.diagonal(matrix, 0, -2, -1), -1)
    return matrix + (jitter * size)[..., None, None] * np.eye(matrix.shape[-1], dtype=matrix.dtype)


def on_diagonal(v):
    """float[*batch, n] -> float[*batch, n, n], zero elsewhere."""
    return v[..., None] * np.eye(v.shape[-1], dtype=v.dtype)


def solve_lower(factor, b):
    """L⁻¹ B for B float[n, k] and L float[*batch, n, n]."""
    if factor.ndim > 2 and b.ndim == 2:
        b = np.broadcast_to(b, (*factor.shape[:-2], *b.shape))
    return solve_triangular(factor, b, lower=True)


class Process(Distribution):
    """What processes at points share: the points, the mean and the noise.

    kernel : a Kernel     x : float[n, d] or float[n]
    noise : a standard deviation, float[] or float[*batch, n], >= 0
    mean : a number, float[*batch, n], or a function of x (part of the type, so without parameters inside)
    """
    kernel: Kernel = child()
    x: ArrayLike = child()
    loc: ArrayLike = param(constraints.real_vector)
    noise: ArrayLike = param(constraints.nonnegative, event_dim=1)
    mean_function: object = static()
    constant_mean: bool = static()
    jitter: float | None = static()
    support = constraints.real_vector

    def _place(self, kernel, x, mean, noise, jitter, **others):
        """Set the fields from the arguments of a constructor."""
        x = np.asarray(x)
        n, like = len(as_points(x)), kernel.diag(x).dtype
        function = mean if callable(mean) else None
        loc = np.asarray(function(x)) if function else np.asarray(mean, like if _plain(mean) else None)
        noise = np.asarray(noise, like if _plain(noise) else None)
        for name, value in (("mean", loc), ("noise", noise)):
            if value.ndim and value.shape[-1] != n:
                raise ShapeError(f"{type(self).__name__}: {name} has shape {value.shape}; its last axis must be the "
                                 f"{n} points of x.")
        constant = not function and loc.ndim == 0
        loc, noise = (v if v.ndim else np.broadcast_to(v, (n,)) for v in (loc, noise))
        self._bind((), dict(kernel=kernel, x=x, loc=loc, noise=noise, mean_function=function, constant_mean=constant,
                            jitter=jitter, **others))

    @property
    def event_shape(self):
        return self.loc.shape[-1:]

    @property
    def mean(self):
        return np.broadcast_to(self.loc, self.shape())

    @property
    def mode(self):
        return np.broadcast_to(self.loc, self.shape())

    def _mean_at(self, x_new, mean):
        """The mean at new points: as it is told, or as it was given for the old ones."""
        if mean is not None:
            return np.asarray(mean)
        if self.mean_function is not None:
            return self.mean_function(x_new)
        if self.constant_mean:
            return self.loc[..., :1]
        raise ParameterError(f"{type(self).__name__}: its mean is a vector, so the mean at new points is not known.\n"
                             "Give it: condition(y, x_new, mean=...).")

    def _factor(self):
        """L, with L L' = k(x) + noise²."""
        return cholesky(self._covariance())

    def _covariance(self):
        return jittered(self.kernel(self.x), self.jitter) + on_diagonal(self.noise * self.noise)

    def _parts(self, y, x_new, mean):
        """What predictions need: L⁻¹(y - mean), L⁻¹ k(x, x_new) as float[*batch, n, m], the mean at x_new."""
        factor = self._factor()
        residual = whiten(factor, np.asarray(y) - self.loc)
        if x_new is None:
            return residual, solve_lower(factor, self.kernel(self.x, self.x)), self.loc
        x_new = np.asarray(x_new)
        return residual, solve_lower(factor, self.kernel(self.x, x_new)), self._mean_at(x_new, mean)

    def _prior_at(self, x_new):
        return self.kernel(self.x, self.x) if x_new is None else self.kernel(x_new)


def _plain(x):
    return isinstance(x, (int, float))


def conditional(prior, mean, across, residual):
    """Mean and covariance of values with covariance `prior`, given those of which `residual` is the whitened rest."""
    loc = mean + np.matmul(residual[..., None, :], across)[..., 0, :]
    return loc, prior - np.matmul(np.swapaxes(across, -1, -2), across)


class GaussianProcess(Process):
    """The values y = f(x) + noise · ε of a Gaussian process f: normal with covariance k(x, x) + noise² I.

        log p(y) = log N(y | m(x), k(x, x) + diag(noise²))

    kernel : a Kernel     x : float[n, d] or float[n]
    noise : a standard deviation, float[] or float[*batch, n], >= 0
    mean : a number, float[*batch, n], or a function of x; its parameters cannot be inside a function, so give the
    vector where it has any     jitter : added to the diagonal, as a part of its mean (1e-8; 1e-5 in float32)
    Source: Rasmussen & Williams (2006), Gaussian Processes for Machine Learning, eqs. 2.22-2.30.

    >>> from chainrule.distributions.kernels import ExpQuad
    >>> gp = GaussianProcess(ExpQuad(), [0.0, 1.0], noise=0.1)
    >>> mean, variance = gp.predict([1.0, 1.0], [0.5])
    >>> mean.round(4).tolist(), variance.round(4).tolist()
    ([1.0918], [0.0365])
    """
    reparametrized_params = ("loc", "noise")

    def __init__(self, kernel, x, mean=0.0, noise=0.0, jitter=None, *, validate_args=None):
        self._place(kernel, x, mean, noise, jitter)
        self._adopt(validate_args is not False)

    def _law(self):
        return MultivariateNormal(self.loc, scale_tril=self._factor(), validate_args=False)

    def sample(self, key, sample_shape=()):
        return self._law().sample(key, sample_shape)

    def log_prob_inside(self, value):
        return self._law().log_prob_inside(value)

    @property
    def covariance_matrix(self):
        """k(x, x) + noise² I, float[*batch, n, n]."""
        return self._covariance()

    @property
    def variance(self):
        return np.broadcast_to(np.diagonal(self.covariance_matrix, 0, -2, -1), self.shape())

    def entropy(self):
        return self._law().entropy()

    def condition(self, y, x_new=None, *, mean=None, noise=0.0):
        """The distribution of f(x_new) + noise · ε given y, a MultivariateNormal; of f at the old points for None.

        y : float[*shape, n]     x_new : float[m, d] or float[m]     mean : the prior mean there, where it must be told
        """
        residual, across, at = self._parts(y, x_new, mean)
        loc, covariance = conditional(self._prior_at(x_new), at, across, residual)
        v = np.broadcast_to(np.asarray(noise, covariance.dtype), covariance.shape[-1:])
        covariance = jittered(covariance, self.jitter) + on_diagonal(v * v)
        return MultivariateNormal(loc, scale_tril=cholesky(covariance), validate_args=False)

    def predict(self, y, x_new, *, mean=None):
        """The mean and the variance of f at each new point given y.   -> float[*shape, m], float[*batch, m]"""
        residual, across, at = self._parts(y, x_new, mean)
        loc = at + np.matmul(residual[..., None, :], across)[..., 0, :]
        return loc, self.kernel.diag(x_new) - np.sum(across * across, -2)


class StudentTProcess(Process):
    """A Gaussian process whose scale is random: values are multivariate t with df ν and scale matrix k + noise² I.

        log p(y) = log Γ((ν + n)/2) - log Γ(ν/2) - (n/2) log νπ - Σ log Lᵢᵢ - (ν + n)/2 log(1 + |L⁻¹(y - m)|²/ν)

    df : float[*batch], > 0; the others are those of GaussianProcess
    Source: Shah, Wilson & Ghahramani (2014), Student-t processes as alternatives to Gaussian processes.
    """
    df: ArrayLike = param(constraints.positive)

    def __init__(self, df, kernel, x, mean=0.0, noise=0.0, jitter=None, *, validate_args=None):
        self._place(kernel, x, mean, noise, jitter, df=df)
        self._adopt(validate_args is not False)

    reparametrized_params = ("loc", "noise", "df")

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        z = random.normal(first, self.shape(sample_shape), self.dtype)
        half = random.gamma(second, 0.5 * self.df, (*sample_shape, *self.batch_shape), self.dtype)
        return self.loc + np.matvec(self._factor(), z) * np.sqrt(0.5 * self.df / half)[..., None]

    def log_prob_inside(self, value):
        factor, df, n = self._factor(), self.df, self.event_shape[0]
        z = whiten(factor, value - self.loc)
        constant = (gammaln(0.5 * (df + n)) - gammaln(0.5 * df) - 0.5 * n * np.log(df * math.pi)
                    - log_diagonal_sum(factor))
        return constant - 0.5 * (df + n) * np.log1p(np.sum(z * z, -1) / df)

    @property
    def mean(self):
        return np.where((self.df > 1)[..., None], np.broadcast_to(self.loc, self.shape()), math.nan)

    @property
    def variance(self):
        scale = np.diagonal(self._covariance(), 0, -2, -1)
        df = self.df[..., None]
        least = np.where(df > 1, np.asarray(math.inf, df.dtype), math.nan)
        return np.broadcast_to(np.where(df > 2, scale * df / np.where(df > 2, df - 2, 1.0), least), self.shape())

    def predict(self, y, x_new, *, mean=None):
        """Degrees of freedom, location and scale of the Student-t law of f at each new point given y."""
        residual, across, at = self._parts(y, x_new, mean)
        n = self.event_shape[0]
        loc = at + np.matmul(residual[..., None, :], across)[..., 0, :]
        grown = (self.df + np.sum(residual * residual, -1)) / (self.df + n)
        variance = self.kernel.diag(x_new) - np.sum(across * across, -2)
        return self.df + n, loc, np.sqrt(grown[..., None] * np.maximum(variance, 0.0))
