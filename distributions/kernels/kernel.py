"""The base class of covariance functions, and how they combine.

A kernel is a frozen pytree whose leaves are its parameters. Called with points it gives the matrix of covariances:

    k(x)      [n, n], the covariances of the values at the points x with themselves
    k(x, y)   [n, m], between the values at x and those at y
    k.diag(x) [n], the variances

    k1 + k2    k1 * k2    2.0 * k    k + 0.1    k ** 2    k.warp(f)    k.periodic(T)    RBF(2.0, active_dims=(0, 2))

Points are float[n, d], or float[n] for d = 1. A kernel reads the coordinates `active_dims` (all of them unless told).
Parameters are numbers, or vectors with one element a coordinate (automatic relevance determination); independent copies
with other parameters are made by vmap. Source: Rasmussen & Williams (2006), Gaussian Processes for Machine Learning,
chapter 4, which gives the formulas.
"""
from typing import ClassVar

from ...engine import numpy as np
from ...engine.avals import promote_types, to_inexact_dtype
from ...engine.errors import ParameterError, ShapeError
from .. import constraints
from ..distribution import Distribution
from ..record import ArrayLike, Record, child, param, static


def as_points(x):
    """float[n] and float[n, d] as [n, d]."""
    x = np.asarray(x)
    if x.ndim == 1:
        return x[:, None]
    if x.ndim != 2:
        raise ShapeError(f"a kernel takes points of shape [n, d], or [n] for one dimension; got shape {x.shape}.")
    return x


class Kernel(Record):
    """Base of the covariance functions: write `matrix` and `diagonal`; see the module."""
    active_dims: ClassVar[tuple | None] = None           # a field of every kernel, its last
    _reals: ClassVar[tuple] = ()

    def __init_subclass__(cls, **kwargs):
        cls.active_dims = static(default=None)
        super().__init_subclass__(**kwargs)
        cls._reals = tuple(f for f in cls._fields if f.kind == "param")

    def __init__(self, *args, **kwargs):
        self._bind(args, kwargs)
        values = self.__dict__
        arrays = [values[f.name] for f in self._reals if not isinstance(values[f.name], (int, float))]
        like = promote_types(1.0, *[np.asarray(x) for x in arrays]) if arrays else None      # of the plain numbers
        for f in self._reals:
            x = np.asarray(values[f.name], like if isinstance(values[f.name], (int, float)) else None)
            if x.dtype.kind in "iub":
                x = np.astype(x, to_inexact_dtype(x.dtype))
            values[f.name] = x
            if hasattr(x, "value"):                      # an array whose numbers are known
                self._check(f, f.constraint, x)
        dims = values["active_dims"]
        if dims is not None:
            values["active_dims"] = (int(dims),) if isinstance(dims, int) else tuple(int(i) for i in dims)

    _check = Distribution._check

    def __call__(self, x, y=None):
        return self.covariance(as_points(x), None if y is None else as_points(y))

    def diag(self, x):
        """The variance of the value at each point.   x : float[n, d] or float[n]  ->  float[n]"""
        return self.diagonal(self._selected(as_points(x)))

    def covariance(self, x, y=None):
        """[n, m] for points [n, d] and [m, d]; y None stands for the very values at x."""
        return self.matrix(self._selected(x), None if y is None else self._selected(y))

    def matrix(self, x, y):
        """What a kernel writes: `covariance`, of the coordinates it reads."""
        raise NotImplementedError

    def diagonal(self, x):
        """What a kernel writes: the variances at the points, of the coordinates it reads."""
        raise NotImplementedError

    def _selected(self, x):
        dims = self.active_dims
        return x if dims is None else np.take(x, np.asarray(dims), -1)

    def spectral_density(self, omega):
        """S(ω) with k(r) = (2π)⁻ᵈ ∫ S(ω) exp(i ω'r) dω, for a stationary kernel.   omega : float[n, d] -> float[n]"""
        raise NotImplementedError(f"{type(self).__name__} has no spectral density in closed form here.\n"
                                  "ExpQuad, the Matérn kernels, and sums and multiples of them have one.")

    # ---- algebra ----

    def __add__(self, other):
        return Sum(self, as_kernel(other))

    def __radd__(self, other):
        return Sum(as_kernel(other), self)

    def __mul__(self, other):
        return Product(self, other) if isinstance(other, Kernel) else Scaled(self, other)

    __rmul__ = __mul__

    def __pow__(self, power):
        return Power(self, power)

    def warp(self, function, *args):
        """The kernel of function(x, *args): points [n, d] -> [n, e]; arrays among args are parameters."""
        return Warped(self, function, args)

    def modulate(self, function, *args):
        """f(x) k(x, y) f(y) for f = function(x, *args), points [n, d] -> [n]; arrays among args are parameters."""
        return Modulated(self, function, args)

    def periodic(self, period):
        """The kernel of (sin 2πx/T, cos 2πx/T): periodic in each coordinate, whatever the kernel."""
        return self.warp(_on_circle, np.asarray(period))


def as_kernel(x):
    """A kernel as it is, a number as the constant kernel."""
    return x if isinstance(x, Kernel) else Constant(x)


def _on_circle(x, period):
    angle = x * (2 * np.pi / period)
    return np.concatenate([np.sin(angle), np.cos(angle)], -1)


class Constant(Kernel):
    """k(x, y) = variance: one random number, the same at all points."""
    variance: ArrayLike = param(constraints.nonnegative, default=1.0)

    def matrix(self, x, y):
        return np.broadcast_to(self.variance, (len(x), len(x if y is None else y)))

    def diagonal(self, x):
        return np.broadcast_to(self.variance, (len(x),))


class WhiteNoise(Kernel):
    """k(x, x) = variance · I, and k(x, y) = 0: noise of its own in each value, also where points coincide."""
    variance: ArrayLike = param(constraints.nonnegative, default=1.0)

    def matrix(self, x, y):
        return self.variance * (np.eye(len(x), dtype=self.variance.dtype) if y is None
                                else np.zeros((len(x), len(y)), self.variance.dtype))

    def diagonal(self, x):
        return np.broadcast_to(self.variance, (len(x),))


class Sum(Kernel):
    """k₁ + k₂: the sum of independent processes."""
    first: Kernel = child()
    second: Kernel = child()

    def matrix(self, x, y):
        return self.first.covariance(x, y) + self.second.covariance(x, y)

    def diagonal(self, x):
        return self.first.diag(x) + self.second.diag(x)

    def spectral_density(self, omega):
        return self.first.spectral_density(omega) + self.second.spectral_density(omega)


class Product(Kernel):
    """k₁ k₂: the product of independent processes (its covariance)."""
    first: Kernel = child()
    second: Kernel = child()

    def matrix(self, x, y):
        return self.first.covariance(x, y) * self.second.covariance(x, y)

    def diagonal(self, x):
        return self.first.diag(x) * self.second.diag(x)


class Scaled(Kernel):
    """variance · k."""
    kernel: Kernel = child()
    variance: ArrayLike = param(constraints.nonnegative)

    def matrix(self, x, y):
        return self.variance * self.kernel.covariance(x, y)

    def diagonal(self, x):
        return self.variance * self.kernel.diag(x)

    def spectral_density(self, omega):
        return self.variance * self.kernel.spectral_density(omega)


class Power(Kernel):
    """kⁿ, element by element, for a whole number n > 0 (others need not give a covariance)."""
    kernel: Kernel = child()
    exponent: int = static()

    def __init__(self, kernel, exponent, active_dims=None):
        if not isinstance(exponent, int) or exponent < 1:
            raise ParameterError(f"a kernel may be raised to a whole power > 0, as a Python int; got {exponent!r}.")
        super().__init__(kernel, exponent, active_dims)

    def matrix(self, x, y):
        return self.kernel.covariance(x, y) ** self.exponent

    def diagonal(self, x):
        return self.kernel.diag(x) ** self.exponent


class Warped(Kernel):
    """k(f(x, *args), f(y, *args)). `function` is part of the type: parameters must come through args."""
    kernel: Kernel = child()
    function: object = static()
    args: tuple = child(default=())

    def matrix(self, x, y):
        return self.kernel.covariance(self._warped(x), None if y is None else self._warped(y))

    def diagonal(self, x):
        return self.kernel.diag(self._warped(x))

    def _warped(self, x):
        return as_points(self.function(x, *self.args))


class Modulated(Kernel):
    """f(x, *args) k(x, y) f(y, *args): a process times a function, whose size may change over the space."""
    kernel: Kernel = child()
    function: object = static()
    args: tuple = child(default=())

    def matrix(self, x, y):
        a = self._factor(x)
        return a[:, None] * self.kernel.covariance(x, y) * (a if y is None else self._factor(y))

    def diagonal(self, x):
        a = self._factor(x)
        return a * self.kernel.diag(x) * a

    def _factor(self, x):
        return np.asarray(self.function(x, *self.args)).reshape((len(x),))
