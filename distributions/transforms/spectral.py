"""Discrete Fourier, cosine and Haar transforms, and what they make of circulant matrices."""
import functools
import math

import numpy as _numpy

from ...engine import numpy as np
from ...engine import scipy
from ...engine.errors import MissingRule, ShapeError
from .. import constraints
from ..record import static
from .base import Transform, biject_to
from .shapes import complex_of


class _Axis(Transform):
    """An orthogonal map along one axis, counted from the last one (-1): log-det 0."""
    dim: int = static(default=-1)

    def __init__(self, dim, *more):
        if dim >= 0:
            raise ShapeError(f"{type(self).__name__}: dim={dim}; it counts event axes from the last one: dim=-1.")
        super().__init__(dim, *more)

    @property
    def domain(self):
        return constraints.independent(constraints.real, -self.dim)

    @property
    def codomain(self):
        return constraints.independent(constraints.real, -self.dim)

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.zeros(x.shape[:x.ndim + self.dim], x.dtype)


class DiscreteCosineTransform(_Axis):
    """The orthonormal discrete cosine transform (DCT-II) along an axis, times a power of the frequency.

    dim : the axis, negative
    smooth s : coefficient k is times (k + ½)^s / g, g the geometric mean of these numbers, so the log-det stays 0. For
        s = 1 a path of independent steps becomes independent numbers of about one size.
    """
    smooth: float = static(default=0.0)

    def __init__(self, dim=-1, smooth=0.0):
        super().__init__(dim, float(smooth))

    def _weight(self, like):
        """(k + ½)^s / g, along the axis."""
        logs = self.smooth * _numpy.log(_numpy.arange(like.shape[self.dim]) + 0.5)
        return np.asarray(_numpy.exp(logs - logs.mean()), like.dtype).reshape((-1, *(1,) * (-self.dim - 1)))

    def __call__(self, x):
        y = scipy.fft.dct(x, axis=self.dim, norm="ortho")
        return y * self._weight(y) if self.smooth else y

    def _inverse(self, y):
        y = np.asarray(y)
        return scipy.fft.idct(y / self._weight(y) if self.smooth else y, axis=self.dim, norm="ortho")


class HaarTransform(_Axis):
    """The orthonormal Haar wavelet transform along an axis of any length, the coarsest coefficients first.

    Each level takes the sums and the differences of neighbours, both / √2, and goes on with the sums; an odd one out
    stays as it is. With `flip` the axis is reversed first.   dim : the axis, negative
    Source: Mallat (2009), A Wavelet Tour of Signal Processing, section 7.3.
    """

    flip: bool = static(default=False)

    def __init__(self, dim=-1, flip=False):
        super().__init__(dim, bool(flip))

    def __call__(self, x):
        x, details = np.moveaxis(np.asarray(x), self.dim, -1), []
        x = np.flip(x, -1) if self.flip else x
        while x.shape[-1] > 1:
            even, odd = x[..., :-1:2], x[..., 1::2]
            left = x[..., 2 * odd.shape[-1]:]
            details.append((even - odd) * _HALF)
            x = np.concatenate([(even + odd) * _HALF, left], -1)
        return np.moveaxis(np.concatenate([x, *details[::-1]], -1), -1, self.dim)

    def _inverse(self, y):
        y = np.moveaxis(np.asarray(y), self.dim, -1)
        sizes = [y.shape[-1]]
        while sizes[-1] > 1:
            sizes.append((sizes[-1] + 1) // 2)
        x, at = y[..., :1], 1
        for n in sizes[-2::-1]:
            k = n // 2
            detail, coarse, left = y[..., at:at + k], x[..., :k], x[..., k:]
            pairs = np.stack([(coarse + detail) * _HALF, (coarse - detail) * _HALF], -1)
            x, at = np.concatenate([pairs.reshape((*pairs.shape[:-2], 2 * k)), left], -1), at + k
        return np.moveaxis(np.flip(x, -1) if self.flip else x, -1, self.dim)


class RealFastFourierTransform(Transform):
    """The Fourier transform of real arrays over their last axes: one half of the complex coefficients.

    transform_shape : the shape of these axes, which the inverse needs; transform_ndims : how many (1)
    log |dy/dx| = ½ (N log N - (N - s) log 2), over the real and imaginary parts that are free: N elements, s of the
    coefficients real (those at frequency 0 or a half along every axis)
    """
    transform_shape: tuple | None = static(default=None)
    transform_ndims: int = static(default=1)

    def __init__(self, transform_shape=None, transform_ndims=1):
        shape = (transform_shape,) if isinstance(transform_shape, int) else transform_shape
        super().__init__(None if shape is None else tuple(shape), transform_ndims if shape is None else len(shape))

    @property
    def domain(self):
        return constraints.independent(constraints.real, self.transform_ndims)

    @property
    def codomain(self):
        return constraints.independent(constraints.complex, self.transform_ndims)

    @property
    def _axes(self):
        return tuple(range(-self.transform_ndims, 0))

    @property
    def _known(self):
        if self.transform_shape is None:
            raise ShapeError("RealFastFourierTransform: the inverse needs transform_shape=..., for an even and an odd "
                             "length have equally many coefficients.")
        return self.transform_shape

    def __call__(self, x):
        return np.fft.rfftn(x, axes=self._axes)

    def _inverse(self, y):
        return np.fft.irfftn(y, self._known, axes=self._axes)

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        at = x.ndim - self.transform_ndims
        size = math.prod(x.shape[at:])
        real = math.prod(2 - n % 2 for n in x.shape[at:])
        stretch = 0.5 * (size * math.log(size) - (size - real) * math.log(2))
        return np.full(x.shape[:at], stretch, x.dtype)

    def forward_shape(self, shape):
        return (*shape[:-1], shape[-1] // 2 + 1)

    def inverse_shape(self, shape):
        return (*shape[:len(shape) - self.transform_ndims], *self._known)


class PackRealFastFourierCoefficientsTransform(Transform):
    """n real numbers into the n // 2 + 1 complex coefficients of the Fourier transform of n real numbers.

    The real parts come first, then the imaginary parts but the first (and the last if n is even), which are 0.
    log |dy/dx| = 0, over the parts that are free.

    transform_shape : (n,), which the inverse needs
    """
    transform_shape: tuple | None = static(default=None)
    domain = constraints.real_vector

    def __init__(self, transform_shape=None):
        shape = (transform_shape,) if isinstance(transform_shape, int) else transform_shape
        super().__init__(None if shape is None else tuple(shape))

    @property
    def codomain(self):
        return constraints.independent(constraints.complex, 1)

    def __call__(self, x):
        x = np.asarray(x)
        n = x.shape[-1]
        reals = n // 2 + 1
        none = np.zeros((*x.shape[:-1], 1), x.dtype)
        imaginary = np.concatenate([none, x[..., reals:], *([none] if n % 2 == 0 else [])], -1)
        return complex_of(x[..., :reals], imaginary)

    def _inverse(self, y):
        y = np.asarray(y)
        n = self._size
        return np.concatenate([np.real(y), np.imag(y)[..., 1:1 + n - y.shape[-1]]], -1)

    @property
    def _size(self):
        if self.transform_shape is None:
            raise ShapeError("PackRealFastFourierCoefficientsTransform: the inverse needs transform_shape=(n,).")
        return self.transform_shape[-1]

    def log_abs_det_jacobian(self, x, y):
        x = np.asarray(x)
        return np.zeros(x.shape[:-1], x.dtype)

    def forward_shape(self, shape):
        return (*shape[:-1], shape[-1] // 2 + 1)

    def inverse_shape(self, shape):
        return (*shape[:-1], self._size)


class CirculantTransform(Transform):
    """Logarithms of eigenvalues onto the first row of a symmetric positive definite circulant matrix of n rows.

        y = irfft(exp(x)), x : float[*batch, n // 2 + 1]
        log-det = Σ x + a constant of n, over the first n // 2 + 1 elements of y
    """
    size: int = static()
    domain = constraints.real_vector

    @property
    def codomain(self):
        return constraints.PositiveDefiniteCirculantVector(self.size)

    def __call__(self, x):
        return np.fft.irfft(np.exp(x), self.size)

    def _inverse(self, y):
        return np.log(np.real(np.fft.rfft(y)))

    def log_abs_det_jacobian(self, x, y):
        return np.sum(x, -1) + _circulant_stretch(self.size)

    def forward_shape(self, shape):
        return (*shape[:-1], self.size)

    def inverse_shape(self, shape):
        return (*shape[:-1], self.size // 2 + 1)


@functools.cache
def _circulant_stretch(n):
    """log |det| of the linear map from the free eigenvalues to the free elements."""
    k = n // 2 + 1
    return float(_numpy.linalg.slogdet(_numpy.fft.irfft(_numpy.eye(k), n)[:, :k])[1])


_HALF = math.sqrt(0.5)


@biject_to.register(constraints.PositiveDefiniteCirculantVector)
def _(constraint):
    if constraint.size is None:
        raise MissingRule("vectors of n and of n + 1 elements can have equally many free ones, so the bijection onto "
                          "circulant vectors needs n.\nWrite constraints.PositiveDefiniteCirculantVector(n).")
    return CirculantTransform(constraint.size)
