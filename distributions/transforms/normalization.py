"""Batch normalisation as a bijection, with the moments held in the transform."""
from ...engine import numpy as np
from ..record import ArrayLike, child, static
from .base import beside
from .linear import _Vector


class BatchNormTransform(_Vector):
    """y = (x - beta) / gamma √(variance + epsilon) + mean: `inv` normalises data by given moments.

        log |dy/dx| = Σ (½ log(variance + epsilon) - log |gamma|)

    mean, variance : float[n], the moments of y      gamma, beta : float[n] or numbers, those of x; gamma not 0
    A flow that ends in it sees data of mean beta and standard deviation gamma. There is no hidden state: `of_batch`
    gives the transform for a batch, with which one trains, and `updated` the one with running moments, for afterwards.
    Source: Dinh, Sohl-Dickstein & Bengio (2017), "Density estimation using Real NVP", section 3.7.

    >>> t = BatchNormTransform([0.0, 0.0], [1.0, 1.0]).of_batch([[1.0, 2.0], [3.0, 6.0]])
    >>> t.mean.tolist(), t.variance.tolist()
    ([2.0, 4.0], [1.0, 4.0])
    """
    mean: ArrayLike = child()
    variance: ArrayLike = child()
    gamma: ArrayLike = child(default=1.0)
    beta: ArrayLike = child(default=0.0)
    epsilon: float = static(default=1e-5)

    def of_batch(self, y):
        """With the moments of a batch of data, y : float[*batch, n], over all but the last axis."""
        y = np.asarray(y)
        axes = tuple(range(y.ndim - 1))
        return BatchNormTransform(np.mean(y, axes), np.var(y, axes), self.gamma, self.beta, self.epsilon)

    def updated(self, y, momentum=0.1):
        """With running moments: the share `momentum` of those of a batch, the rest of those that were."""
        new = self.of_batch(y)
        mean = (1.0 - momentum) * np.asarray(self.mean) + momentum * new.mean
        variance = (1.0 - momentum) * np.asarray(self.variance) + momentum * new.variance
        return BatchNormTransform(mean, variance, self.gamma, self.beta, self.epsilon)

    def _scale(self, x):
        return np.sqrt(beside(self.variance, x) + self.epsilon) / beside(self.gamma, x)

    def __call__(self, x):
        x = np.asarray(x)
        return (x - beside(self.beta, x)) * self._scale(x) + beside(self.mean, x)

    def _inverse(self, y):
        y = np.asarray(y)
        return (y - beside(self.mean, y)) / self._scale(y) + beside(self.beta, y)

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.sum(np.broadcast_to(np.log(np.abs(self._scale(x))), x.shape), -1)
