"""A multivariate normal whose draws move with its scale along velocity fields that can be adapted."""
from ..engine import numpy as np
from ..engine import random
from ..engine.control.custom import custom_jvp
from ..engine.errors import ShapeError
from . import constraints
from .distribution import Distribution
from .multivariate_normal import MultivariateNormal, fitting_loc
from .record import ArrayLike, param


@custom_jvp
def turned(scale_tril, control_var, z):
    """L z, whose derivative in L along T is T z + L (M - M') z with M = T ∘ B'C.

    scale_tril L : float[*batch, n, n]     control_var (B, C) : float[*batch, 2, k, n]     z : float[*shape, *batch, n]
    """
    return np.matvec(scale_tril, z)


@turned.defjvp
def _(primals, tangents):
    """A rotation of z, however small, leaves its distribution alone: any antisymmetric matrix times z may be added."""
    (factor, control, z), (dt, _, dz) = primals, tangents
    b, c = control[..., 0, :, :], control[..., 1, :, :]
    m = np.tril(dt) * np.matmul(np.swapaxes(b, -1, -2), c)
    spin = np.matvec(m, z) - np.matvec(np.swapaxes(m, -1, -2), z)
    return np.matvec(factor, z), np.matvec(np.tril(dt), z) + np.matvec(factor, spin) + np.matvec(factor, dz)


class AVFMultivariateNormal(MultivariateNormal):
    """MultivariateNormal whose pathwise derivatives in the scale have an adaptive velocity field added.

    Draws and expectations of derivatives are those of MultivariateNormal for any control_var (B, C), also where the
    matrix B'C is not zero; the variance of the derivatives is not, so (B, C) is chosen to make the square of a
    gradient small:  grad(lambda v: sum(gradient(v) ** 2))(control_var).

    loc : float[*batch, n]     scale_tril L : float[*batch, n, n]     control_var : float[*batch, 2, k, n], any k >= 1
    Source: Jankowiak & Karaletsos (2019), "Pathwise derivatives for multivariate distributions", section 4.1.
    """
    control_var: ArrayLike = param(constraints.independent(constraints.real, 3))

    def __init__(self, loc, scale_tril, control_var, *, validate_args=None):
        scale_tril, shape = np.asarray(scale_tril), np.shape(control_var)
        n = scale_tril.shape[-1]
        if len(shape) < 3 or shape[-3] != 2 or shape[-1] != n:
            raise ShapeError(f"AVFMultivariateNormal: control_var must have shape [..., 2, k, {n}]; it has shape "
                             f"{shape}.")
        Distribution.__init__(self, fitting_loc("AVFMultivariateNormal", loc, scale_tril), scale_tril, control_var,
                              validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        z = random.normal(key, self.shape(sample_shape), self.dtype)
        return self.loc + turned(self.scale_tril, self.control_var, z)
