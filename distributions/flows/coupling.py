"""Coupling flows: some elements stay, and a network of these says what happens to the others: one pass both ways."""
from ...engine import numpy as np
from .. import constraints
from ..record import Record, child, static
from ..transforms.base import Transform
from ..transforms.splines import knots_of, spline_forward, spline_inverse
from .networks import Network


class _Coupling(Transform):
    """`kept` elements stay: the first ones, or the last ones if `flipped`. Write _move, _back and _slope."""
    network: Record = child()
    kept: int = static()
    flipped: bool = static(default=False)
    domain = codomain = constraints.real_vector

    def _cut(self, x):
        """(the elements that stay, the others)"""
        x = np.asarray(x)
        at = x.shape[-1] - self.kept if self.flipped else self.kept
        first, last = x[..., :at], x[..., at:]
        return (last, first) if self.flipped else (first, last)

    def _join(self, kept, moved):
        return np.concatenate([moved, kept] if self.flipped else [kept, moved], -1)

    def __call__(self, x):
        return self.forward_and_log_det(x)[0]

    def forward_and_log_det(self, x):
        kept, x = self._cut(x)
        y, slope = self._move(kept, x)
        return self._join(kept, y), np.sum(slope, -1)

    def _inverse(self, y):
        kept, y = self._cut(y)
        return self._join(kept, self._back(kept, y))

    def log_abs_det_jacobian(self, x, y):
        return self.forward_and_log_det(x)[1]

    def _numbers(self, kept, n):
        """What the network says: float[*batch, n, numbers of each element]."""
        out = self.network(kept)
        return out.reshape((*out.shape[:-1], n, out.shape[-1] // n))


def bounded(s, bound):
    """s, bent to stay within (-bound, bound)."""
    return bound * np.tanh(s / bound)


class AffineCouplingTransform(_Coupling):
    """y = exp(s(kept)) x + m(kept) for the elements that do not stay.   log |dy/dx| = Σ s

    network : float[*batch, kept] -> float[*batch, 2 moved], for each element m and s      bound : |s| stays below it
    Source: Dinh, Sohl-Dickstein & Bengio (2017), Density estimation using Real NVP, section 3.2.
    """
    bound: float = static(default=5.0)

    @classmethod
    def init(cls, key, dim, kept=None, flipped=False, hidden=(32, 32), scale=1e-2, bound=5.0):
        """A random one for vectors of `dim` elements, of which `kept` (half) stay."""
        kept = dim // 2 if kept is None else kept
        return cls(Network.init(key, kept, 2 * (dim - kept), hidden, scale=scale), kept, flipped, bound)

    def _affine(self, kept, n):
        numbers = self._numbers(kept, n)
        return numbers[..., 0], bounded(numbers[..., 1], self.bound)

    def _move(self, kept, x):
        m, s = self._affine(kept, x.shape[-1])
        return np.exp(s) * x + m, s

    def _back(self, kept, y):
        m, s = self._affine(kept, y.shape[-1])
        return (y - m) * np.exp(-s)


class SplineCouplingTransform(_Coupling):
    """A rational quadratic spline on [-bound, bound] for each element that does not stay; the identity outside.

    network : float[*batch, kept] -> float[*batch, (3 bins - 1) moved]
    Source: Durkan, Bekasov, Murray & Papamakarios (2019), Neural Spline Flows, section 3.
    """
    bins: int = static(default=8)
    bound: float = static(default=3.0)

    @classmethod
    def init(cls, key, dim, kept=None, flipped=False, hidden=(32, 32), scale=1e-2, bins=8, bound=3.0):
        """A random one for vectors of `dim` elements, of which `kept` (half) stay."""
        kept = dim // 2 if kept is None else kept
        network = Network.init(key, kept, (3 * bins - 1) * (dim - kept), hidden, scale=scale)
        return cls(network, kept, flipped, bins, bound)

    def _knots(self, kept, n):
        return knots_of(self._numbers(kept, n), self.bins, self.bound)

    def _move(self, kept, x):
        return spline_forward(x, *self._knots(kept, x.shape[-1]))

    def _back(self, kept, y):
        return spline_inverse(y, *self._knots(kept, y.shape[-1]))
