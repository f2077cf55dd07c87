"""Vectors and angles: several numbers that belong together."""
import math

import numpy as np

from ..avals import broadcast_shapes
from ..errors import ShapeError
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
    minimum,
    sqrt,
    stop_gradient,
    where,
)
from ..ops.linalg import cholesky
from ..ops.paths import von_mises_path_p
from ..ops.structural import asvalue, cast, reduce_sum, reshape
from .bits import cotangent, normal_draw, of_floats, open_unit, open_unit_draw, shape_of, signed_half
from .continuous import fits, parameters
from .gammas import generalized_normal_draw
from .keys import single
from .rejection import rejection


@of_floats
def multivariate_normal(key, mean, cov, shape=None, dtype=None, method="cholesky"):
    """mean + L z with L L' = cov.   mean : float[*batch, d], cov : float[*batch, d, d] -> float[*shape, d]

    shape : that of the draws without d; by default *batch
    """
    if method != "cholesky":
        raise ValueError(f"multivariate_normal draws by the Cholesky factor; method={method!r} is not there.")
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
    return mean + matvec(cholesky(cov), z)


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


__all__ = ["ball", "multivariate_normal", "von_mises"]
