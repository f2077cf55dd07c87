"""Gaussian processes as linear models: f(x) ≈ φ(x) @ (√S · β), β ~ N(0, I), with a basis that has no parameters.

    phi = hsgp_basis(x, m=30, L=1.5 * half_range)                  # outside of the model: [n, 30]
    weights = hsgp_weights(kernel, m=30, L=1.5 * half_range)       # inside: [30], differentiable in the kernel
    f = phi @ (weights * beta)                                     # O(n m), with beta standard normal

The points must lie within (-L, L): subtract their midpoint first. `hsgp_periodic_*` are the same for the kernel
Periodic, without a box.

Source: Riutort-Mayol, Bürkner, Andersen, Solin & Vehtari (2022), Practical Hilbert space approximate Bayesian Gaussian
processes for probabilistic programming, §3 and appendices A, B.
"""
import itertools
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine.errors import ParameterError, ShapeError
from .kernels.kernel import as_points
from .kernels.stationary import ExpQuad, Matern32, Matern52


def _orders(m, d):
    """The numbers of basis functions in each of d dimensions, and all combinations of orders from 1: int[M, d]."""
    m = (m,) * d if isinstance(m, int) else tuple(m)
    if len(m) != d or any(k < 1 for k in m):
        raise ShapeError(f"m must be a whole number > 0 for each of the {d} dimensions; got {m}.")
    return _numpy.array(list(itertools.product(*[range(1, k + 1) for k in m])))


def _dimensions(m, L):
    return max(1 if isinstance(m, int) else len(m), np.size(L))


def hsgp_frequencies(m, L):
    """√λ: the frequencies π j / 2 L of the basis functions, for all combinations of orders j.

    m : int, or one for each dimension     L : float[] or float[d], > 0     ->  float[Π m, d]
    """
    d = _dimensions(m, L)
    return _orders(m, d) * (0.5 * math.pi / np.broadcast_to(np.asarray(L), (d,)))


def hsgp_basis(x, m, L):
    """φⱼ(x) = Π √(1/L) sin(√λⱼ (x + L)), the eigenfunctions of the Laplacian on the box (-L, L).

    x : float[n, d] or float[n], in the box     m : int, or one for each dimension     L : float[] or float[d], > 0
    ->  float[n, Π m]

    >>> hsgp_basis([0.0], 3, 1.0).round(6).tolist()
    [[1.0, 0.0, -1.0]]
    """
    x = as_points(x)
    d = x.shape[-1]
    orders, box = _orders(m, d), np.broadcast_to(np.asarray(L), (d,))
    highest = orders.max(0)
    out = None
    for i in range(d):                                   # sines of each dimension once, then their products
        waves = np.sin((x[:, i, None] + box[i]) * (_numpy.arange(1, highest[i] + 1) * (0.5 * math.pi) / box[i]))
        part = np.take(waves / np.sqrt(box[i]), orders[:, i] - 1, 1)
        out = part if out is None else out * part
    return out


def hsgp_weights(kernel, m, L):
    """√S(√λ): the prior standard deviation of each coefficient.   ->  float[Π m]

    >>> from chainrule.distributions.kernels import ExpQuad
    >>> (hsgp_basis([0.1], 20, 3.0) @ hsgp_weights(ExpQuad(), 20, 3.0) ** 2).shape
    (1,)
    """
    return np.sqrt(kernel.spectral_density(hsgp_frequencies(m, L)))


def hsgp_periodic_basis(x, m, period):
    """cos(2πj x/T) for j = 0 … m - 1 and then sin(2πj x/T) for j = 1 … m - 1.   x : float[n]  ->  float[n, 2m - 1]"""
    x = np.asarray(x)
    if x.ndim != 1:
        raise ShapeError(f"the periodic basis is one of points on a line, float[n]; got shape {x.shape}.")
    angle = x[:, None] * (2 * math.pi / np.asarray(period)) * _numpy.arange(m)
    return np.concatenate([np.cos(angle), np.sin(angle[:, 1:])], 1)


def hsgp_periodic_weights(kernel, m):
    """The prior standard deviation of each coefficient of that basis, for a kernel Periodic.   ->  float[2m - 1]"""
    q = np.sqrt(kernel.fourier_variances(m))
    return np.concatenate([q, q[1:]])


_RULES = {ExpQuad: (3.2, 1.75), Matern52: (4.1, 2.65), Matern32: (4.5, 3.42)}


def hsgp_parameters(half_range, shortest_lengthscale, longest_lengthscale, kernel=ExpQuad):
    """(m, L) that suffice for one dimension: enough functions for the shortest lengthscale, a box for the longest.

    L = half_range · max(1.2, a ℓ/S),  m = ⌈b L/ℓ⌉, (a, b) by kernel: ExpQuad, Matern52 or Matern32. The rule keeps the
    error of the covariance with the middle at about a hundredth; near the ends a longer box is better.
    Source: Riutort-Mayol et al. (2022), §4.2, eqs. 19-24.
    """
    if kernel not in _RULES:
        raise ParameterError(f"there is no rule for {getattr(kernel, '__name__', kernel)}; take ExpQuad, Matern52 or "
                             "Matern32, or choose m and L by looking at draws.")
    wide, many = _RULES[kernel]
    factor = max(1.2, wide * longest_lengthscale / half_range)
    return math.ceil(many * factor * half_range / shortest_lengthscale), factor * half_range
