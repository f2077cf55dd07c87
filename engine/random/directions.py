"""Vectors and angles: several numbers that belong together."""
import math

import numpy as np

from ..avals import broadcast_shapes
from ..errors import ParameterError, ShapeError
from ..numpy.linalg import eigh, qr, svd
from ..numpy.products import matvec
from ..ops.elementwise import (
    abs,
    arctan,
    bitwise_and,
    eq,
    exp,
    floor,
    ge,
    isfinite,
    le,
    log,
    maximum,
    minimum,
    sqrt,
    stop_gradient,
    where,
)
from ..ops.linalg import cholesky, mT
from ..ops.matrices import diagonal_of
from ..ops.paths import von_mises_path_p
from ..ops.structural import asvalue, cast, reduce_sum, reshape
from .bits import cotangent, normal, normal_draw, of_floats, open_unit, open_unit_draw, shape_of, signed_half
from .continuous import fits, parameters
from .gammas import generalized_normal_draw
from .keys import single
from .rejection import rejection


def _factor(cov, method):
    """L with L L' = cov; with eigenvalues or singular values also for singular matrices."""
    if method == "cholesky":
        return cholesky(cov)
    if method == "eigh":
        w, v = eigh(cov)
        return v * sqrt(maximum(w, 0.0))[..., None, :]
    u, s, _ = svd(cov, full_matrices=False, hermitian=True)
    return u * sqrt(s)[..., None, :]


@of_floats
def multivariate_normal(key, mean, cov, shape=None, dtype=None, method="cholesky"):
    """mean + L z with L L' = cov.   mean : float[*batch, d], cov : float[*batch, d, d] -> float[*shape, d]

    shape : that of the draws without d; by default *batch
    method : how L is found: "cholesky", or "eigh" or "svd", which take singular matrices too

    >>> from chainrule.engine import random
    >>> random.multivariate_normal(random.key(0), np.zeros(2), np.ones((2, 2)), (3,), method="eigh").shape
    (3, 2)
    """
    if method not in ("cholesky", "eigh", "svd"):
        raise ParameterError(f"the method of multivariate_normal is 'cholesky', 'eigh' or 'svd'; got {method!r}.")
    mean, cov = cast(asvalue(mean), dtype), cast(asvalue(cov), dtype)
    if mean.ndim < 1 or cov.ndim < 2 or cov.shape[-2:] != (mean.shape[-1],) * 2:
        raise ShapeError("multivariate_normal takes a mean [..., d] and a covariance [..., d, d]; got shapes "
                         f"{mean.shape} and {cov.shape}.")
    batch = broadcast_shapes(mean.shape[:-1], cov.shape[:-2])
    shape = batch if shape is None else shape_of(shape)
    if not fits(batch, shape):
        raise ShapeError(f"multivariate_normal draws shape {shape}, to which the batch shape {batch} does not "
                         "broadcast.")
    z = normal_draw(single(key, "multivariate_normal"), (*shape, mean.shape[-1]), dtype)
    return mean + matvec(_factor(cov, method), z)


def orthogonal(key, n, shape=(), dtype=None, m=None):
    """Orthogonal matrices, uniform in Haar's sense; unitary ones for a complex dtype.   -> float[*shape, n, m]

    m : the number of columns, n by default; the columns are orthonormal if m <= n, else the rows

    Q of the QR factors of normal numbers, with R's diagonal made positive (Mezzadri 2007, "How to generate random
    matrices from the classical compact groups").

    >>> from chainrule.engine import random
    >>> q = random.orthogonal(random.key(0), 3)
    >>> bool(abs(q @ q.T - np.eye(3)).max() < 1e-14)
    True
    """
    m = n if m is None else m
    z = normal(key, (*shape_of(shape), max(n, m), min(n, m)), dtype)
    narrow = z.dtype if z.dtype.itemsize == 2 else None
    q, r = qr(cast(z, np.dtype("float32")) if narrow else z)
    d = diagonal_of(r)
    size = abs(d)
    d = where(eq(size, 0), np.ones((), d.dtype), d / cast(where(eq(size, 0), np.ones((), size.dtype), size), d.dtype))
    q = q * d[..., None, :]
    q = cast(q, narrow) if narrow else q
    return mT(q) if n < m else q


@of_floats
def ball(key, d, p=2, shape=(), dtype=None):
    """Vectors uniform in the unit ball of the p-norm of ℝᵈ: x / (Σ|xᵢ|ᵖ + e)^(1/p), x generalized normal, e
    exponential.   -> float[*shape, d]

    Source: Barthe, Guédon, Mendelson & Naor (2005), "A probabilistic approach to the geometry of the lₚⁿ-ball".

    >>> from chainrule.engine import random
    >>> random.ball(random.key(0), 3).shape
    (3,)
    """
    stream, shape = single(key, "ball"), shape_of(shape)
    p = cast(asvalue(p), dtype)
    x = generalized_normal_draw(stream.inner(0), p, (*shape, d), dtype)
    e = -log(open_unit_draw(stream.inner(1), shape, dtype))
    size = exp(log(reduce_sum(exp(p * log(abs(x))), (len(shape),)) + e) / p)
    return x / reshape(size, (*shape, 1))


@of_floats
def von_mises(key, mu, kappa, shape=None, dtype=None):
    """Angles in [-π, π] with density exp(κ cos(x - μ)) / (2π I₀(κ)).   mu, kappa : float[*batch], kappa >= 0 ->
    float[*shape]

    Differentiable in both. By rejection from the wrapped Cauchy distribution (Best & Fisher 1979, "Efficient simulation
    of the von Mises distribution"), in tan(x/2), which keeps its accuracy for any kappa; nan where kappa is not one.

    >>> from chainrule.engine import random
    >>> bool(abs(random.von_mises(random.key(0), 0.0, 1e6)) < 0.01)
    True
    """
    shape, (mu, kappa) = parameters("von_mises", shape, dtype, mu, kappa)
    fixed = stop_gradient(kappa)
    valid = bitwise_and(ge(fixed, 0), isfinite(fixed))
    k = where(valid, fixed, np.ones((), dtype))
    # s = (1 + √(1 + 4κ²)) / 2κ is the best of the envelopes 1 / (s - cos x); offset = κ (s - 1)
    twice = minimum(2 * k, 1e15)
    offset = 0.5 * (1 + 1 / (sqrt(1 + twice * twice) + twice))
    spread = sqrt(offset / (2 * k + offset))             # √((s - 1) / (s + 1))

    def propose(first, second, k, offset, spread):
        sign, h = signed_half(first, dtype)
        y = spread * sign / cotangent(h)
        c = offset + 2 * k * (y * y / (1 + y * y))       # κ (s - cos x)
        return y, le(log(open_unit(second, dtype)), log(c) + 1 - c)

    x = 2 * arctan(rejection(single(key, "von_mises"), valid, propose, dtype, k, offset, spread))
    x = von_mises_path_p.bind(x, kappa) + mu
    x = x - 2 * math.pi * floor((x + math.pi) / (2 * math.pi))
    edge = where(eq(fixed, np.inf), mu, np.asarray(np.nan, dtype))
    return where(valid, x, edge)


__all__ = ["ball", "multivariate_normal", "orthogonal", "von_mises"]
