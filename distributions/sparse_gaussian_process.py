"""Gaussian processes seen through inducing points."""
from ..engine import numpy as np
from ..engine import random
from ..engine.errors import ParameterError
from ..engine.numpy.linalg import cholesky
from . import constraints
from .gaussian_process import Process, jittered, on_diagonal, solve_lower
from .kernels.kernel import as_points
from .multivariate_normal import MultivariateNormal, log_diagonal_sum, whiten
from .normal import HALF_LOG_2PI
from .record import ArrayLike, child, param, static

METHODS = ("vfe", "dtc", "fitc")


class SparseGaussianProcess(Process):
    """A Gaussian process with noise, through its values at m inducing points z: O(n m²) instead of O(n³).

        Q = k(x, z) k(z, z)⁻¹ k(z, x)
        dtc    log N(y | mean, Q + noise² I)
        vfe    that, less ½ Σ (k(x, x) - Q)ᵢᵢ / noiseᵢ²: a lower bound of the exact log density, sharp where z covers x
        fitc   log N(y | mean, Q + diag(k(x, x) - Q) + noise² I)

    inducing_points : float[m, d] or float[m]     noise : as in GaussianProcess, but > 0     method : one of the three
    With "vfe", log_prob is the bound and not a density; draws and moments are those of "dtc".
    Source: Titsias (2009), Variational learning of inducing variables in sparse Gaussian processes, eq. 9;
    Quiñonero-Candela & Rasmussen (2005), A unifying view of sparse approximate Gaussian process regression.
    """
    inducing_points: ArrayLike = child()
    noise: ArrayLike = param(constraints.positive, event_dim=1)
    method: str = static(default="vfe")
    reparametrized_params = ("loc", "noise")

    def __init__(self, kernel, x, inducing_points, mean=0.0, noise=1.0, method="vfe", jitter=None, *,
                 validate_args=None):
        if method not in METHODS:
            raise ParameterError(f"SparseGaussianProcess: method must be one of {', '.join(METHODS)}; got {method!r}.")
        self._place(kernel, x, mean, noise, jitter, inducing_points=np.asarray(inducing_points), method=method)
        self._adopt(validate_args is not False)

    def _low_rank(self):
        """L, the factor of k(z, z); A = L⁻¹ k(z, x), so that Q = A'A; the diagonals of k(x, x) - Q and of the rest."""
        z = as_points(self.inducing_points)
        factor = cholesky(jittered(self.kernel(z), self.jitter))
        a = solve_lower(factor, self.kernel(z, self.x))
        left = self.kernel.diag(self.x) - np.sum(a * a, 0)
        rest = self.noise * self.noise
        return factor, a, left, rest + np.maximum(left, 0.0) if self.method == "fitc" else rest

    @staticmethod
    def _inner(a, rest):
        """The factor of I + A Λ⁻¹ A', float[*batch, m, m], for the diagonal Λ."""
        scaled = a / np.sqrt(rest)[..., None, :]
        return cholesky(np.matmul(scaled, np.swapaxes(scaled, -1, -2)) + np.eye(a.shape[0], dtype=scaled.dtype))

    def log_prob_inside(self, value):
        _, a, left, rest = self._low_rank()
        inner = self._inner(a, rest)
        r = value - self.loc
        w = r / rest
        c = whiten(inner, np.matvec(a, w))               # Woodbury: r'(Q + Λ)⁻¹r = r'Λ⁻¹r - |c|²
        halves = 0.5 * np.sum(np.log(rest), -1) + log_diagonal_sum(inner) + HALF_LOG_2PI * self.event_shape[0]
        if self.method == "vfe":
            halves = halves + 0.5 * np.sum(left / rest, -1)
        return -0.5 * (np.sum(r * w, -1) - np.sum(c * c, -1)) - halves

    def sample(self, key, sample_shape=()):
        _, a, _, rest = self._low_rank()
        first, second = random.split(key)
        shape = self.shape(sample_shape)
        u = random.normal(first, (*shape[:-1], a.shape[0]), self.dtype)
        return self.loc + np.matmul(u, a) + np.sqrt(rest) * random.normal(second, shape, self.dtype)

    @property
    def variance(self):
        _, a, _, rest = self._low_rank()
        return np.broadcast_to(np.sum(a * a, 0) + rest, self.shape())

    @property
    def covariance_matrix(self):
        """Q + Λ, float[*batch, n, n]: noise, and for "fitc" what is left of the diagonal, in Λ."""
        _, a, _, rest = self._low_rank()
        return np.matmul(a.T, a) + on_diagonal(rest)

    def _posterior(self, y, x_new, mean):
        """The mean at the new points, and the arrays whose squares are taken from and added to the variance there."""
        factor, a, _, rest = self._low_rank()
        inner = self._inner(a, rest)
        c = whiten(inner, np.matvec(a, (np.asarray(y) - self.loc) / rest))
        minus = solve_lower(factor, self.kernel(as_points(self.inducing_points), x_new))
        plus = solve_lower(inner, minus)
        return self._mean_at(x_new, mean) + np.matmul(c[..., None, :], plus)[..., 0, :], minus, plus

    def condition(self, y, x_new, *, mean=None, noise=0.0):
        """The approximate distribution of f(x_new) + noise · ε given y, a MultivariateNormal."""
        x_new = np.asarray(x_new)
        loc, minus, plus = self._posterior(y, x_new, mean)
        covariance = self.kernel(x_new) - np.matmul(minus.T, minus) + np.matmul(np.swapaxes(plus, -1, -2), plus)
        v = np.broadcast_to(np.asarray(noise, covariance.dtype), covariance.shape[-1:])
        factor = cholesky(jittered(covariance, self.jitter) + on_diagonal(v * v))
        return MultivariateNormal(loc, scale_tril=factor, validate_args=False)

    def predict(self, y, x_new, *, mean=None):
        """The approximate mean and variance of f at each new point given y."""
        x_new = np.asarray(x_new)
        loc, minus, plus = self._posterior(y, x_new, mean)
        return loc, self.kernel.diag(x_new) - np.sum(minus * minus, 0) + np.sum(plus * plus, -2)
