"""Normal distributions of values of which some are missing: nan counts as not observed, and is integrated out."""
from ..engine import numpy as np
from ..engine.numpy.linalg import cholesky
from . import constraints
from .constraints.numbers import _Real
from .multivariate_normal import MultivariateNormal, log_diagonal_sum, whiten
from .normal import HALF_LOG_2PI, Normal


class _RealOrMissing(_Real):
    """Finite numbers and nan."""
    words = "finite, or nan where it is missing"

    def check(self, x):
        return np.logical_not(np.isinf(x))


real_or_missing = _RealOrMissing()


class NanMaskedNormal(Normal):
    """Normal(loc, scale) whose log_prob is 0 at nan.

    >>> NanMaskedNormal(0.0, 1.0).log_prob([0.0, float("nan")]).tolist()
    [-0.9189385332046727, 0.0]
    """
    support = real_or_missing

    def log_prob(self, value):
        value = np.asarray(value)
        seen = value == value
        return np.where(seen, super().log_prob(np.where(seen, value, self.loc)), 0.0)

    log_prob_inside = log_prob


class NanMaskedMultivariateNormal(MultivariateNormal):
    """MultivariateNormal whose log_prob is that of the elements that are not nan: their marginal distribution.

    With rows and columns of the missing elements in Σ replaced by those of I, and the missing x - μ by 0, the quadratic
    form and the determinant are those of the others.

    >>> d = NanMaskedMultivariateNormal([0.0, 0.0], covariance_matrix=[[1.0, 0.5], [0.5, 1.0]])
    >>> round(float(d.log_prob([0.0, float("nan")])), 6)
    -0.918939
    """
    support = constraints.independent(real_or_missing, 1)

    def log_prob(self, value):
        value = np.asarray(value)
        seen = value == value
        x = np.where(seen, value, self.loc) - self.loc
        both = np.logical_and(seen[..., :, None], seen[..., None, :])
        n = self.scale_tril.shape[-1]
        factor = cholesky(np.where(both, self.covariance_matrix, np.eye(n, dtype=self.dtype)))
        z = whiten(factor, x)
        count = np.sum(np.astype(seen, self.dtype), -1)
        return -0.5 * np.sum(z * z, -1) - log_diagonal_sum(factor) - HALF_LOG_2PI * count

    log_prob_inside = log_prob
