"""Autoregressive flows: what happens to element i is said by a network of the elements before it.

One way is one pass of the network, the other as many passes as there are elements.
"""
from ...engine import numpy as np
from ...engine.control import scan
from .. import constraints
from ..record import Record, child, static
from ..transforms.base import Transform
from ..transforms.splines import knots_of, spline_forward, spline_inverse
from .coupling import bounded
from .networks import AutoregressiveNetwork


def passes(step, start, n):
    """step applied n times: after pass k the first k elements in the network's order are right."""
    first = step(start)                                       # which also settles the dtype
    return scan(lambda x, _: (step(x), ()), first, None, length=n - 1)[0] if n > 1 else first


class _Affine(Transform):
    network: Record = child()
    bound: float = static(default=5.0)
    domain = codomain = constraints.real_vector

    @classmethod
    def init(cls, key, dim, hidden=(32, 32), scale=1e-2, order=None, bound=5.0):
        """A random one for vectors of `dim` elements; scale and order as for `AutoregressiveNetwork`."""
        return cls(AutoregressiveNetwork.init(key, dim, 2, hidden, scale=scale, order=order), bound)

    def _affine(self, x):
        numbers = self.network(x)
        return numbers[..., 0], bounded(numbers[..., 1], self.bound)


class InverseAutoregressiveTransform(_Affine):
    """yᵢ = exp(s(x_{<i})) xᵢ + m(x_{<i}).   log |dy/dx| = Σ s

    Drawing is one pass of the network, the inverse one pass an element.
    network : float[*batch, n] -> float[*batch, n, 2], m and s      bound : |s| stays below it
    Source: Kingma et al. (2016), Improving Variational Inference with Inverse Autoregressive Flow, section 3.
    """

    def __call__(self, x):
        return self.forward_and_log_det(x)[0]

    def forward_and_log_det(self, x):
        m, s = self._affine(x)
        return np.exp(s) * np.asarray(x) + m, np.sum(s, -1)

    def _inverse(self, y):
        def step(x):
            m, s = self._affine(x)
            return (y - m) * np.exp(-s)
        y = np.asarray(y)
        return passes(step, y, y.shape[-1])

    def log_abs_det_jacobian(self, x, y):
        return np.sum(self._affine(x)[1], -1)


class MaskedAutoregressiveTransform(_Affine):
    """yᵢ = exp(s(y_{<i})) xᵢ + m(y_{<i}).   log |dy/dx| = Σ s

    The density of a given y is one pass of the network, drawing one pass an element.
    network : float[*batch, n] -> float[*batch, n, 2], m and s      bound : |s| stays below it
    Source: Papamakarios, Pavlakou & Murray (2017), Masked Autoregressive Flow, section 3.
    """

    def __call__(self, x):
        def step(y):
            m, s = self._affine(y)
            return np.exp(s) * x + m
        x = np.asarray(x)
        return passes(step, x, x.shape[-1])

    def _inverse(self, y):
        m, s = self._affine(y)
        return (np.asarray(y) - m) * np.exp(-s)

    def log_abs_det_jacobian(self, x, y):
        return np.sum(self._affine(y)[1], -1)


class SplineAutoregressiveTransform(Transform):
    """yᵢ = a rational quadratic spline of xᵢ on [-bound, bound], with knots that depend on x_{<i}.

    network : float[*batch, n] -> float[*batch, n, 3 bins - 1]
    Source: Durkan, Bekasov, Murray & Papamakarios (2019), Neural Spline Flows, section 3.
    """
    network: Record = child()
    bins: int = static(default=8)
    bound: float = static(default=3.0)
    domain = codomain = constraints.real_vector

    @classmethod
    def init(cls, key, dim, hidden=(32, 32), scale=1e-2, order=None, bins=8, bound=3.0):
        """A random one for vectors of `dim` elements; scale and order as for `AutoregressiveNetwork`."""
        return cls(AutoregressiveNetwork.init(key, dim, 3 * bins - 1, hidden, scale=scale, order=order), bins, bound)

    def _knots(self, x):
        return knots_of(self.network(x), self.bins, self.bound)

    def __call__(self, x):
        return self.forward_and_log_det(x)[0]

    def forward_and_log_det(self, x):
        y, slope = spline_forward(x, *self._knots(x))
        return y, np.sum(slope, -1)

    def _inverse(self, y):
        y = np.asarray(y)
        return passes(lambda x: spline_inverse(y, *self._knots(x)), y, y.shape[-1])

    def log_abs_det_jacobian(self, x, y):
        return self.forward_and_log_det(x)[1]
