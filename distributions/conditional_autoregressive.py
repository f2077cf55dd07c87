"""Normal fields on graphs, by the precision of each place given its neighbours: CAR and its intrinsic limit ICAR."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.array import Array
from ..engine.errors import ParameterError
from ..engine.numpy.linalg import cholesky, eigh, eigvalsh
from ..engine.scipy.linalg import solve_triangular
from . import constraints
from .distribution import Distribution, shape_of
from .location_scale import Centered
from .normal import HALF_LOG_2PI
from .record import ArrayLike, child, param, static


def _adjacency(family, w):
    """The matrix as an array, checked where it is known: square, symmetric, nonnegative, with a zero diagonal."""
    w = np.asarray(w.todense() if hasattr(w, "todense") else w)
    if w.ndim < 2 or w.shape[-1] != w.shape[-2]:
        raise ParameterError(f"{family}: adj_matrix must be a square matrix; got shape {w.shape}.")
    if type(w) is Array:
        m = w.value
        if not (_numpy.array_equal(m, _numpy.swapaxes(m, -1, -2)) and (m >= 0).all()
                and not _numpy.diagonal(m, 0, -2, -1).any() and (m.sum(-1) > 0).all()):
            raise ParameterError(f"{family}: adj_matrix must be symmetric and nonnegative with a diagonal of zeros, "
                                 "and each place must have a neighbour.")
    return np.astype(w, np.promote_types(w.dtype, np.float32)) if w.dtype.kind in "iub" else w


def _edges(family, w):
    """The pairs i < j that are joined, and their weights."""
    if type(w) is not Array or w.ndim != 2:
        raise ParameterError(f"{family}: edges can be listed for one known matrix only; got {w!r}.\n"
                             "Use is_sparse=False for matrices that are traced or have batch axes.")
    rows, columns = _numpy.nonzero(_numpy.triu(w.value))
    return np.asarray(rows), np.asarray(columns), np.asarray(w.value[rows, columns])


class CAR(Centered):
    """Conditional autoregression: N(μ, (τ (D - α W))⁻¹) for a graph's weights W, D the diagonal of their row sums.

        log p(x) = ½ n log τ + ½ Σ log dᵢ + ½ Σ log (1 - α λᵢ) - (n/2) log 2π - ½ τ y' (D - α W) y,  y = x - μ
        y' (D - α W) y = (1 - α) Σ dᵢ yᵢ² + α Σ_{edges} wᵢⱼ (yᵢ - yⱼ)²

    λ, the eigenvalues of D^-½ W D^-½, are found once, when the distribution is made.
    loc μ : float[*batch, n] or a number     correlation α : float[*batch], in (-1, 1)
    conditional_precision τ : float[*batch], > 0     adj_matrix W : float[*batch, n, n], symmetric, zero diagonal
    is_sparse : sum over the edges of one known W, at a cost that follows their number; `sample` factors a dense matrix
    Source: Jin, Carlin & Banerjee (2005), "Generalized hierarchical multivariate CAR models for areal data".
    """
    loc: ArrayLike = param(constraints.real_vector)
    correlation: ArrayLike = param(constraints.open_interval(-1, 1))
    conditional_precision: ArrayLike = param(constraints.positive)
    weights: tuple = child()                 # W; or i, j, wᵢⱼ of the edges
    degrees: ArrayLike = param(constraints.independent(constraints.positive, 1))
    eigenvalues: ArrayLike = param(constraints.real_vector)
    is_sparse: bool = static(default=False)
    support = constraints.real_vector
    reparametrized_params = ("loc", "correlation", "conditional_precision")

    def __init__(self, loc, correlation, conditional_precision, adj_matrix, *, is_sparse=False, validate_args=None):
        w = _adjacency("CAR", adj_matrix)
        d = np.sum(w, -1)
        root = 1.0 / np.sqrt(d)
        eigenvalues = eigvalsh(root[..., :, None] * w * root[..., None, :])
        loc, n = np.asarray(loc), w.shape[-1]
        loc = np.broadcast_to(loc, (n,)) if loc.ndim == 0 else loc
        if loc.shape[-1] != n:
            raise ParameterError(f"CAR: adj_matrix is for {n} places; loc has shape {loc.shape}.")
        weights = _edges("CAR", w) if is_sparse else (w,)
        super().__init__(loc, correlation, conditional_precision, weights, d, eigenvalues, bool(is_sparse),
                         validate_args=validate_args)

    @property
    def event_shape(self):
        return self.degrees.shape[-1:]

    def log_prob_inside(self, value):
        y, alpha, tau = value - self.loc, self.correlation, self.conditional_precision
        own = np.sum(self.degrees * y * y, -1)
        if self.is_sparse:
            i, j, w = self.weights
            joint = np.sum(w * np.square(np.take(y, i, -1) - np.take(y, j, -1)), -1)
            square = (1.0 - alpha) * own + alpha * joint
        else:
            square = own - alpha * np.sum(y * np.matvec(self.weights[0], y), -1)
        n = self.degrees.shape[-1]
        const = 0.5 * (n * np.log(tau) + np.sum(np.log(self.degrees), -1)
                       + np.sum(np.log1p(-alpha[..., None] * self.eigenvalues), -1)) - n * HALF_LOG_2PI
        return const - 0.5 * tau * square

    @property
    def adj_matrix(self):
        """W."""
        if not self.is_sparse:
            return self.weights[0]
        i, j, w = self.weights
        n = self.degrees.shape[-1]
        return np.zeros((n, n), w.dtype).at[i, j].set(w).at[j, i].set(w)

    @property
    def precision_matrix(self):
        """τ (D - α W)."""
        eye = np.eye(self.degrees.shape[-1], dtype=self.dtype)
        inner = self.degrees[..., None] * eye - self.correlation[..., None, None] * self.adj_matrix
        return self.conditional_precision[..., None, None] * inner

    def sample(self, key, sample_shape=()):
        z = random.normal(key, self.shape(sample_shape), self.dtype)[..., None]
        return self.loc + solve_triangular(cholesky(self.precision_matrix), z, trans=1, lower=True)[..., 0]

    @property
    def variance(self):
        factor = cholesky(self.precision_matrix)
        eye = np.broadcast_to(np.eye(factor.shape[-1], dtype=factor.dtype), factor.shape)
        return np.broadcast_to(np.sum(np.square(solve_triangular(factor, eye, lower=True)), -2), self.shape())


class ICAR(Distribution):
    """The limit α = 1 of CAR: differences along edges are normal with variance σ² / wᵢⱼ, and the mean of all, which
    they leave free, is held near 0.

        log p(x) = -½ Σ_{edges} wᵢⱼ (xᵢ - xⱼ)² / σ² - ½ (Σ xᵢ / (n s))² - (n-1) log σ - log s
                   + ½ Σ_{i≥2} log λᵢ - ½ log n - (n/2) log 2π,  λ the eigenvalues of the Laplacian D - W

    adj_matrix W : float[n, n], symmetric, zero diagonal, of a connected graph     scale σ : float[*batch], > 0
    zero_sum_stdev s : float[*batch], > 0, the standard deviation of the mean of all x
    sample : float[*shape, *batch, n]
    Source: Besag & Kooperberg (1995), "On conditional and intrinsic autoregressions"; Morris et al. (2019), "Bayesian
    hierarchical spatial models", for the soft constraint.
    """
    weights: tuple = child()                 # i, j, wᵢⱼ of the edges
    scale: ArrayLike = param(constraints.positive)
    zero_sum_stdev: ArrayLike = param(constraints.positive)
    eigenvalues: ArrayLike = child()
    eigenvectors: ArrayLike = child()
    support = constraints.real_vector
    reparametrized_params = ("scale", "zero_sum_stdev")

    def __init__(self, adj_matrix, scale=1.0, zero_sum_stdev=0.001, *, validate_args=None):
        w = _adjacency("ICAR", adj_matrix)
        edges = _edges("ICAR", w)
        values, vectors = eigh(np.sum(w, -1)[:, None] * np.eye(w.shape[-1], dtype=w.dtype) - w)
        if not bool(values[1] > 1e-9 * values[-1]):
            raise ParameterError("ICAR: the graph of adj_matrix must be connected: it falls into several parts, "
                                 "between which nothing is said.\nUse one ICAR for each part.")
        super().__init__(edges, scale, zero_sum_stdev, values[1:], vectors[:, 1:], validate_args=validate_args)

    @property
    def event_shape(self):
        return (shape_of(self.eigenvectors)[-2],)

    def log_prob_inside(self, value):
        i, j, w = self.weights
        n = self.eigenvectors.shape[-2]
        jumps = np.sum(w * np.square(np.take(value, i, -1) - np.take(value, j, -1)), -1)
        total = np.sum(value, -1) / (n * self.zero_sum_stdev)
        const = (0.5 * np.sum(np.log(self.eigenvalues), -1) - (n - 1) * np.log(self.scale)
                 - np.log(self.zero_sum_stdev) - 0.5 * math.log(n) - n * HALF_LOG_2PI)
        return const - 0.5 * (jumps / np.square(self.scale) + total * total)

    def sample(self, key, sample_shape=()):
        """Σ_{i≥2} vᵢ σ zᵢ / √λᵢ + s z₁, v the eigenvectors."""
        z = random.normal(key, self.shape(sample_shape), self.dtype)
        x = np.matvec(self.eigenvectors, self.scale[..., None] * z[..., 1:] / np.sqrt(self.eigenvalues))
        return x + self.zero_sum_stdev[..., None] * z[..., :1]

    @property
    def mean(self):
        return np.zeros(self.shape(), self.dtype)

    mode = mean

    @property
    def variance(self):
        spread = np.sum(np.square(self.eigenvectors) / self.eigenvalues, -1)
        return np.square(self.scale)[..., None] * spread + np.square(self.zero_sum_stdev)[..., None]
