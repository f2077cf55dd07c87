"""Running means and variances (Welford), of vectors: of each entry, or of all pairs."""
from typing import NamedTuple

from ..engine import numpy as np
from ..engine.array import Array
from ..engine.avals import default_float


class Running(NamedTuple):
    """Count, mean, and the sum of squared deviations: float[d], or of products of deviations: float[d, d]."""
    count: Array               # type: ignore[assignment]  # tuple.count
    mean: Array
    squares: Array

    def add(self, x):
        """With one more vector."""
        n = self.count + 1.0
        off = x - self.mean
        mean = self.mean + off / n
        more = x - mean
        more = off * more if self.squares.ndim == 1 else off[:, None] * more[None, :]
        return Running(n, mean, self.squares + more)

    def covariance(self):
        """Variances, or the covariance matrix; nan before the second vector."""
        return self.squares / (self.count - 1.0)

    def where(self, condition, other):
        """self where the condition holds, else the other."""
        return Running(*[np.where(condition, a, b) for a, b in zip(self, other)])

    def cleared(self):
        """As before the first vector."""
        return Running(*[np.zeros_like(x) for x in self])


def running(d, dense=False):
    """Before the first vector."""
    t = default_float()
    return Running(np.zeros((), t), np.zeros(d, t), np.zeros((d, d) if dense else d, t))
