"""Random subsets whose members repel each other: determinantal point processes."""
import itertools

import numpy as _numpy

from ..engine import numpy as np
from ..engine import random
from ..engine.control import scan
from ..engine.numpy.linalg import eigh, slogdet
from . import constraints
from .counting import listed
from .distribution import Distribution
from .record import ArrayLike, param, static


class _Subset(constraints.Constraint):
    """Vectors of zeros and ones with at most `most` ones."""
    most: int = static()
    event_dim, is_discrete = 1, True

    @property
    def words(self):
        return f"a vector of zeros and at most {self.most} ones"

    def check(self, x):
        return np.logical_and(np.all(np.logical_or(x == 0, x == 1), -1), np.sum(x, -1) <= self.most)

    def example(self, x):
        return 0


class _Orthonormal(constraints.Constraint):
    event_dim, words = 2, "a matrix with orthonormal columns"

    def check(self, x):
        off = np.matmul(np.swapaxes(x, -1, -2), x) - np.eye(x.shape[-1], dtype=x.dtype)
        return np.all(np.abs(off) <= 1e-5, (-1, -2))

    def example(self, x):
        return np.eye(*x.shape[-2:], dtype=x.dtype)


def drawn_from_projection(key, basis, rank):
    """Which of n things are drawn, with P(all of a set of `rank` things) = det of the set's rows of a projection.

    basis : float[*lead, n, k], whose nonzero columns are orthonormal      rank : int[*lead, 1], how many these are
    Things are drawn one after the other, each in proportion to what the projection's diagonal has left after those
    before it: the pivots of its Cholesky factor (Hough et al. 2006, algorithm 18).  ->  bool[*lead, n]
    """
    *lead, n, k = basis.shape
    u = random.uniform(key, (k, *lead, 1), basis.dtype)
    things, columns = _numpy.arange(n), _numpy.arange(k)

    def step(state, tu):
        t, u = tu
        left, factor, drawn = state
        total = np.cumsum(left, -1)
        at = np.minimum(np.sum(total <= u * total[..., -1:], -1, keepdims=True), n - 1)
        here = at[..., None]
        pivot = np.take_along_axis(left, at, -1)
        active = np.logical_and(t < rank, pivot > 0)

        def row(x):
            return np.take_along_axis(x, np.broadcast_to(here, (*lead, 1, k)), -2)[..., 0, :]
        column = np.matvec(basis, row(basis)) - np.matvec(factor, row(factor))
        column = np.where(active, column / np.sqrt(np.where(active, pivot, 1.0)), 0.0)
        drawn = np.logical_or(drawn, np.logical_and(active, things == at))
        left = np.where(drawn, 0.0, np.maximum(left - column * column, 0.0))
        return (left, factor + column[..., None] * (columns == t), drawn), None
    start = np.sum(basis * basis, -1), np.zeros_like(basis), np.zeros((*lead, n), np.bool_)
    return scan(step, start, (columns, u))[0][2]


class DeterminantalPointProcess(Distribution):
    """A random subset of n points, by the eigenvectors V and eigenvalues λ of its kernel L = V diag(λ) V'.

        P(S) = det(L_S) / det(L + I) = det(L_S) / Π (1 + λᵢ)          L_S : the rows and columns of S

    Points of which L says that they are alike seldom come together. With m < n eigenvectors no subset is larger than m.

    eigenvalues : float[*batch, m], > 0      eigenvectors : float[*batch, n, m], with orthonormal columns
    sample : int[*shape, *batch, n], 1 for the points of the subset
    Source: Kulesza & Taskar (2012), "Determinantal point processes for machine learning", sections 2.1 to 2.4.

    >>> d = DeterminantalPointProcess.from_kernel([[1.0, 0.9], [0.9, 1.0]])
    >>> float(d.prob([1, 1]) / d.prob([1, 0])).__round__(6)
    0.19
    """
    eigenvalues: ArrayLike = param(constraints.independent(constraints.positive, 1))
    eigenvectors: ArrayLike = param(_Orthonormal())

    @classmethod
    def from_kernel(cls, kernel, **kwargs):
        """With the kernel L, a positive definite matrix float[*batch, n, n]."""
        return cls(*eigh(np.asarray(kernel)), **kwargs)

    @property
    def support(self):
        return _Subset(self.eigenvalues.shape[-1])

    @property
    def event_shape(self):
        return self.eigenvectors.shape[-2:-1]

    @property
    def kernel(self):
        """L, float[*batch, n, n]."""
        v = self.eigenvectors
        return np.matmul(v * self.eigenvalues[..., None, :], np.swapaxes(v, -1, -2))

    @property
    def marginal_kernel(self):
        """K = L (L + I)⁻¹, float[*batch, n, n]:  P(a set is part of the subset) = det of its rows and columns."""
        v, share = self.eigenvectors, self._shares
        return np.matmul(v * share[..., None, :], np.swapaxes(v, -1, -2))

    @property
    def _shares(self):
        return self.eigenvalues / (1.0 + self.eigenvalues)

    def sample(self, key, sample_shape=()):
        """Each eigenvector is taken with probability λ / (1 + λ), then points from the projection on those."""
        first, second = random.split(key)
        lead = (*sample_shape, *self.batch_shape)
        n, m = self.eigenvectors.shape[-2:]
        taken = random.uniform(first, (*lead, m), self.dtype) < self._shares
        basis = np.broadcast_to(self.eigenvectors, (*lead, n, m)) * taken[..., None, :]
        drawn = drawn_from_projection(second, basis, np.sum(taken, -1, keepdims=True))
        return np.astype(drawn, np.int64)

    def log_prob_inside(self, value):
        x = np.astype(value, self.dtype)
        inside = x[..., :, None] * x[..., None, :] * self.kernel
        rest = np.eye(x.shape[-1], dtype=x.dtype) * (1.0 - x)[..., None, :]
        return slogdet(inside + rest)[1] - np.sum(np.log1p(self.eigenvalues), -1)

    @property
    def mean(self):
        """The probability of each point."""
        return np.sum(np.square(self.eigenvectors) * self._shares[..., None, :], -1)

    @property
    def variance(self):
        p = self.mean
        return p * (1.0 - p)

    has_enumerate_support = True

    def enumerate_support(self, expand=True):
        n, m = self.eigenvectors.shape[-2:]
        subsets = [v for v in itertools.product((0, 1), repeat=n) if sum(v) <= m]
        return listed(subsets, self.batch_shape, expand)
