"""Block neural autoregressive flow: a network that is itself increasing in each input."""
import functools

import numpy as _numpy

from ...engine import numpy as np
from ...engine import random
from ...engine.control import scan
from ...engine.nn import initializers, logsumexp
from ...engine.ops.elementwise import softplus
from .. import constraints
from ..record import ArrayLike, child, static
from ..transforms.base import Transform
from ..transforms.triangles import log_sech_squared
from .roots import increasing_root


class BlockNeuralAutoregressiveTransform(Transform):
    """f(x) = W_L tanh(… tanh(W₁ x + b₁) …) + b_L with block triangular W, positive in the blocks on the diagonal.

        y = g f(x) + (1 - g) x          log |dy/dx| = Σᵢ log(g ∂fᵢ/∂xᵢ + 1 - g), g = 1 / (1 + exp(-gate))

    The inverse has no formula: it goes through the elements one by one, bisecting.
    weights : float[n aₗ, n aₗ₊₁] a layer, with a = 1, the hidden factors, 1; on the diagonal blocks exp(weights)
    scales, biases : float[n aₗ₊₁] a layer; the logarithm of the length of each unit's weights, and what is added
    Source: De Cao, Titov & Aziz (2019), Block Neural Autoregressive Flow, section 3.
    """
    weights: tuple = child()
    scales: tuple = child()
    biases: tuple = child()
    gate: ArrayLike = child()
    dim: int = static()
    domain = codomain = constraints.real_vector

    @classmethod
    def init(cls, key, dim, hidden_factors=(8, 8)):
        """A random one for vectors of `dim` elements, with so many hidden units a layer for each of them."""
        factors = (1, *hidden_factors, 1)
        draw = initializers.glorot_uniform()
        keys = random.split(key, (len(factors) - 1, 2))
        sizes = [(dim * a, dim * b) for a, b in zip(factors, factors[1:])]
        weights = tuple(draw(k[0], size) for k, size in zip(keys, sizes))
        scales = tuple(np.log(random.uniform(k[1], (m,), minval=0.2, maxval=1.0)) for k, (_, m) in zip(keys, sizes))
        return cls(weights, scales, tuple(np.zeros((m,)) for _, m in sizes), np.zeros(()), dim)

    def _layers(self):
        """For each layer: its weights, its bias, and the logarithm of its diagonal blocks, float[n, a, b]."""
        n = self.dim
        for raw, scale, bias in zip(self.weights, self.scales, self.biases):
            raw = np.asarray(raw)
            block, earlier = _blocks(n, *raw.shape)
            w = np.where(block, np.exp(np.where(block, raw, 0.0)), raw * earlier.astype(raw.dtype))
            shrink = scale - 0.5 * np.log(np.sum(w * w, 0))
            a, b = raw.shape[0] // n, raw.shape[1] // n
            at = _numpy.arange(n)
            yield w * np.exp(shrink), bias, (raw + shrink).reshape((n, a, n, b))[at, :, at, :]

    def _run(self, x, slopes=True):
        """f(x), and log ∂fᵢ/∂xᵢ."""
        x, n, log = np.asarray(x), self.dim, None
        for i, (w, bias, own) in enumerate(self._layers()):
            if i:
                if slopes:
                    log = log + log_sech_squared(x).reshape((*x.shape[:-1], n, -1))
                x = np.tanh(x)
            x = np.matmul(x, w) + bias
            if slopes:
                log = own[:, 0, :] if log is None else logsumexp(log[..., None] + own, -2)
        return x, log[..., 0] if slopes else None

    def __call__(self, x):
        g = self._share
        return g * self._run(x, slopes=False)[0] + (1.0 - g) * np.asarray(x)

    @property
    def _share(self):
        return 1.0 / (1.0 + np.exp(-np.asarray(self.gate)))

    def _inverse(self, y):
        y = np.asarray(y)
        start = np.zeros_like(self(y))
        rest = 1.0 - self._share                                                     # the slope is at least that

        def step(x, here):
            def excess(z):
                return np.sum((self(x + z[..., None] * here) - y) * here, -1)
            off = np.abs(excess(np.zeros_like(x[..., 0]))) / rest
            return x + increasing_root(excess, -off, off)[..., None] * here, ()
        return scan(step, start, np.eye(self.dim, dtype=start.dtype))[0]

    def forward_and_log_det(self, x):
        g, (f, slope) = self._share, self._run(x)
        log_det = np.sum(np.logaddexp(slope - softplus(-self.gate), -softplus(self.gate)), -1)
        return g * f + (1.0 - g) * np.asarray(x), log_det

    def log_abs_det_jacobian(self, x, y):
        return self.forward_and_log_det(x)[1]


@functools.cache
def _blocks(n, inputs, outputs):
    """Which weights lie in the blocks on the diagonal, and which in those of earlier inputs."""
    row, column = _numpy.arange(inputs) // (inputs // n), _numpy.arange(outputs) // (outputs // n)
    return row[:, None] == column[None, :], row[:, None] < column[None, :]
