"""Point mass, and factors that are no distribution of anything: Delta, Unit, ImproperUniform."""
import math

from ..engine import numpy as np
from ..engine.avals import broadcast_shapes
from ..engine.errors import ShapeError
from . import constraints
from .distribution import Distribution, shape_of
from .record import ArrayLike, child, param, static


class Delta(Distribution):
    """All mass at v:  log p(x) = log_density where x = v, else -inf.

    v : [*batch, *event], with event_dim event axes    log_density : float[*batch]    sample : [*shape, *batch, *event]

    >>> Delta(2.0).log_prob([2.0, 3.0])
    Array([  0., -inf])
    """
    v: ArrayLike = param(None, default=0.0)
    log_density: ArrayLike = param(constraints.real, default=0.0)
    event_ndims: int = static(default=0)
    reparametrized_params = ("v", "log_density")

    def __init__(self, v=0.0, log_density=0.0, event_dim=0, *, validate_args=None):
        v = np.asarray(v)
        if type(log_density) in (int, float) and v.dtype.kind == "f":
            log_density = np.asarray(log_density, v.dtype)
        super().__init__(v, log_density, event_dim, validate_args=validate_args)

    def _broadcast_parameters(self):
        s, n = shape_of(self.v), self.event_ndims
        if len(s) < n:
            raise ShapeError(f"Delta with event_dim={n}: v needs at least {n} dimensions; got shape {s}.")
        return broadcast_shapes(s[:len(s) - n], shape_of(self.log_density))

    @property
    def event_shape(self):
        s = shape_of(self.v)
        return s[len(s) - self.event_ndims:]

    @property
    def support(self):
        return constraints.independent(constraints.real, self.event_ndims) if self.event_ndims else constraints.real

    @property
    def is_discrete(self):
        return self.v.dtype.kind in "iub"

    def sample(self, key, sample_shape=()):
        return np.broadcast_to(self.v, self.shape(sample_shape))

    def log_prob(self, value):
        n = self.event_ndims
        same = np.asarray(value) == self.v
        same = np.all(same, tuple(range(same.ndim - n, same.ndim))) if n else same
        return np.where(same, self.log_density, -math.inf)

    @property
    def mean(self):
        return np.broadcast_to(self.v, self.shape())

    mode = mean

    @property
    def variance(self):
        return np.zeros_like(self.mean)

    def entropy(self):
        return np.broadcast_to(-self.log_density, self.batch_shape)


class Unit(Distribution):
    """Nothing, with a weight: values have no elements, and log p = log_factor.

    log_factor : float[*batch]          sample : float[*shape, *batch, 0]
    """
    log_factor: ArrayLike = param(constraints.real)
    support = constraints.real_vector

    @property
    def event_shape(self):
        return (0,)

    def sample(self, key, sample_shape=()):
        return np.zeros(self.shape(sample_shape), self.dtype)

    def log_prob(self, value):
        return np.broadcast_to(self.log_factor, broadcast_shapes(np.shape(value)[:-1], self.batch_shape))


class ImproperUniform(Distribution):
    """Density 1 everywhere on a set, which need not have a finite volume:  log p(x) = 0. It cannot be sampled from.

    support : the set     batch_shape, event_shape : the shape of values; the support's event axes are the last of them

    >>> float(ImproperUniform(constraints.positive, (), ()).log_prob(3.0))
    0.0
    """
    base_support: constraints.Constraint = child()
    batch: tuple = static(default=())
    event: tuple = static(default=())
    finite_outside = True

    def __init__(self, support, batch_shape=(), event_shape=(), *, validate_args=None):
        extra = len(event_shape) - support.event_dim
        if extra < 0:
            raise ShapeError(f"ImproperUniform: values of {type(support).__name__} have {support.event_dim} event "
                             f"axes; event_shape is {tuple(event_shape)}.")
        support = constraints.independent(support, extra) if extra else support
        self._bind((support, tuple(batch_shape), tuple(event_shape)), {})

    @property
    def support(self):
        return self.base_support

    @property
    def batch_shape(self):
        return self.batch

    @property
    def event_shape(self):
        return self.event

    def sample(self, key, sample_shape=()):
        raise NotImplementedError("ImproperUniform cannot be sampled from: its volume may be infinite.\n"
                                  "Give the site a value (initial, or conditioned on), or use a proper prior.")

    def log_prob_inside(self, value):
        lead = np.ndim(value) - len(self.event)
        return np.zeros(broadcast_shapes(np.shape(value)[:lead], self.batch))
