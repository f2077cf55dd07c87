"""Distributions made of one other: `to_event`, `expand`, `mask`.

    Independent(base, n)      the last n batch axes are part of the event; log_prob sums over them
    Expanded(base, shape)     independent copies; parameters are not copied
    Masked(base, mask)        log_prob is 0 where the mask is false
"""
from ..engine import numpy as np
from ..engine.avals import broadcast_shapes
from ..engine.errors import ParameterError, ShapeError
from . import constraints
from .distribution import WRAPPERS, Distribution, sum_rightmost
from .record import ArrayLike, child, param, static


class Wrapper(Distribution):
    """Base of the wrappers: hands every property to the base distribution."""
    base_dist: Distribution = child()

    @property
    def batch_shape(self):
        return self.base_dist.batch_shape

    @property
    def event_shape(self):
        return self.base_dist.event_shape

    @property
    def support(self):
        return self.base_dist.support

    @property
    def is_discrete(self):
        return self.base_dist.is_discrete

    @property
    def dtype(self):
        return self.base_dist.dtype

    @property
    def reparametrized_params(self):
        return self.base_dist.reparametrized_params

    @property
    def has_rsample(self):
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self):
        return self.base_dist.has_enumerate_support


class Independent(Wrapper):
    """The base with its last n batch axes made event axes: log p(x) = Σ log p(xᵢ) over them.

    >>> from chainrule.distributions import Normal
    >>> d = Normal([0.0, 1.0], 1.0).to_event(1)
    >>> d.batch_shape, d.event_shape
    ((), (2,))
    """
    base_dist: Distribution = child()
    reinterpreted_batch_ndims: int = static()

    def __init__(self, base_dist, reinterpreted_batch_ndims, *, validate_args=None):
        if not 0 <= reinterpreted_batch_ndims <= len(base_dist.batch_shape):
            raise ShapeError(f"to_event({reinterpreted_batch_ndims}) of {type(base_dist).__name__}: its batch shape "
                             f"{base_dist.batch_shape} has {len(base_dist.batch_shape)} axes.")
        if type(base_dist) is Independent:
            base_dist, reinterpreted_batch_ndims = (base_dist.base_dist,
                                                    base_dist.reinterpreted_batch_ndims + reinterpreted_batch_ndims)
        self._bind((base_dist, reinterpreted_batch_ndims), {})

    @property
    def batch_shape(self):
        shape = self.base_dist.batch_shape
        return shape[:len(shape) - self.reinterpreted_batch_ndims]

    @property
    def event_shape(self):
        shape = self.base_dist.batch_shape
        return shape[len(shape) - self.reinterpreted_batch_ndims:] + self.base_dist.event_shape

    @property
    def support(self):
        return constraints.Independent(self.base_dist.support, self.reinterpreted_batch_ndims)

    @property
    def has_enumerate_support(self):
        return False

    def sample(self, key, sample_shape=()):
        return self.base_dist.sample(key, sample_shape)

    def log_prob(self, value):
        return self._sum(self.base_dist.log_prob(value))

    def log_prob_inside(self, value):
        return self._sum(self.base_dist.log_prob_inside(value))

    def _sum(self, x):
        """The sum over the event; x is first broadcast where a value had fewer axes than the event."""
        n = self.reinterpreted_batch_ndims
        want = self.base_dist.batch_shape
        if x.shape[x.ndim - len(want):] != want:
            x = np.broadcast_to(x, broadcast_shapes(x.shape, want))
        return sum_rightmost(x, n)

    @property
    def mean(self):
        return self.base_dist.mean

    @property
    def variance(self):
        return self.base_dist.variance

    @property
    def mode(self):
        return self.base_dist.mode

    def entropy(self):
        return self._sum(self.base_dist.entropy())


class Expanded(Wrapper):
    """Independent copies of the base, with a larger batch shape."""
    base_dist: Distribution = child()
    expanded_shape: tuple = static()

    def __init__(self, base_dist, batch_shape, *, validate_args=None):
        batch_shape = tuple(batch_shape)
        if type(base_dist) is Expanded and _fits(base_dist.base_dist.batch_shape, batch_shape):
            base_dist = base_dist.base_dist
        if not _fits(base_dist.batch_shape, batch_shape):
            raise ShapeError(f"{type(base_dist).__name__} with batch shape {base_dist.batch_shape} cannot be expanded "
                             f"to {batch_shape}.")
        self._bind((base_dist, batch_shape), {})

    @property
    def batch_shape(self):
        return self.expanded_shape

    def sample(self, key, sample_shape=()):
        """One draw of the base for each copy: the axes that are new are drawn first, then moved to their places."""
        base = self.base_dist.batch_shape
        lead = len(self.batch_shape) - len(base)
        stretched = [i for i, n in enumerate(base) if n != self.batch_shape[lead + i]]
        first = (*sample_shape, *self.batch_shape[:lead])
        x = self.base_dist.sample(key, (*first, *[self.batch_shape[lead + i] for i in stretched]))
        if stretched:
            k, n = len(first), len(stretched)
            for j, i in enumerate(stretched):             # axis k + j takes the place of the axis of size 1
                x = np.swapaxes(x, k + j, k + n + i)
            x = x.reshape(self.shape(sample_shape))
        return x

    def log_prob(self, value):
        return self._spread(self.base_dist.log_prob(value))

    def log_prob_inside(self, value):
        return self._spread(self.base_dist.log_prob_inside(value))

    def _spread(self, x, tail=()):
        """x broadcast to the batch shape."""
        want = (*self.batch_shape, *tail)
        if x.shape[max(x.ndim - len(want), 0):] == want:
            return x
        return np.broadcast_to(x, broadcast_shapes(x.shape, want))

    @property
    def mean(self):
        return self._spread(self.base_dist.mean, self.event_shape)

    @property
    def variance(self):
        return self._spread(self.base_dist.variance, self.event_shape)

    @property
    def mode(self):
        return self._spread(self.base_dist.mode, self.event_shape)

    def entropy(self):
        return self._spread(self.base_dist.entropy())

    def cdf(self, value):
        return self._spread(self.base_dist.cdf(value))

    def log_cdf(self, value):
        return self._spread(self.base_dist.log_cdf(value))

    def survival_function(self, value):
        return self._spread(self.base_dist.survival_function(value))

    def log_survival(self, value):
        return self._spread(self.base_dist.log_survival(value))

    def icdf(self, q):
        return self._spread(self.base_dist.icdf(q))

    def isf(self, q):
        return self._spread(self.base_dist.isf(q))

    def icdf_exp(self, log_q):
        return self._spread(self.base_dist.icdf_exp(log_q))

    def isf_exp(self, log_q):
        return self._spread(self.base_dist.isf_exp(log_q))

    def enumerate_support(self, expand=True):
        values = self.base_dist.enumerate_support(expand=False)
        n = values.shape[0]
        values = values.reshape((n, *(1,) * len(self.batch_shape), *self.event_shape))
        return np.broadcast_to(values, (n, *self.batch_shape, *self.event_shape)) if expand else values


def _fits(small, large):
    """Whether shape `small` broadcasts to exactly `large`."""
    return len(small) <= len(large) and all(a in (1, b) for a, b in zip(small[::-1], large[::-1]))


class Masked(Wrapper):
    """The base, whose log_prob counts where the mask is true and is 0 elsewhere; draws are those of the base."""
    base_dist: Distribution = child()
    mask_array: ArrayLike = param(constraints.boolean)

    def __init__(self, base_dist, mask, *, validate_args=None):
        self._bind((base_dist, mask), {})
        self._adopt(validate=False)
        if self.mask_array.dtype.kind != "b":
            raise ParameterError(f"the mask of {type(base_dist).__name__} must be boolean; it is "
                                 f"{self.mask_array.dtype}.")
        try:
            broadcast_shapes(self.mask_array.shape, base_dist.batch_shape)
        except ShapeError:
            raise ShapeError(f"{type(base_dist).__name__} with batch shape {tuple(base_dist.batch_shape)}: a mask of "
                             f"shape {self.mask_array.shape} does not broadcast with it.") from None

    @property
    def batch_shape(self):
        return broadcast_shapes(getattr(self.mask_array, "shape", ()), self.base_dist.batch_shape)

    def sample(self, key, sample_shape=()):
        base = self.base_dist
        return base.expand(self.batch_shape).sample(key, sample_shape)

    def log_prob(self, value):
        return self._masked(value, self.base_dist.log_prob)

    def log_prob_inside(self, value):
        return self._masked(value, self.base_dist.log_prob_inside)

    def _masked(self, value, log_prob):
        value, mask, support = np.asarray(value), self.mask_array, self.base_dist.support
        wide = mask.reshape(mask.shape + (1,) * support.event_dim) if support.event_dim else mask
        safe = np.where(wide, value, support.example(value))       # a nan under the mask must not reach the derivative
        return np.where(mask, log_prob(safe), 0.0)

    def _wide(self, x):
        return np.broadcast_to(x, self.shape())

    @property
    def mean(self):
        return self._wide(self.base_dist.mean)

    @property
    def variance(self):
        return self._wide(self.base_dist.variance)

    @property
    def mode(self):
        return self._wide(self.base_dist.mode)

    def entropy(self):
        return np.broadcast_to(self.base_dist.entropy(), self.batch_shape)

    def cdf(self, value):
        return self.base_dist.cdf(value)

    def log_cdf(self, value):
        return self.base_dist.log_cdf(value)

    def survival_function(self, value):
        return self.base_dist.survival_function(value)

    def log_survival(self, value):
        return self.base_dist.log_survival(value)

    def icdf(self, q):
        return self.base_dist.icdf(q)

    def isf(self, q):
        return self.base_dist.isf(q)

    def icdf_exp(self, log_q):
        return self.base_dist.icdf_exp(log_q)

    def isf_exp(self, log_q):
        return self.base_dist.isf_exp(log_q)

    def enumerate_support(self, expand=True):
        return self.base_dist.enumerate_support(expand)


ExpandedDistribution, MaskedDistribution = Expanded, Masked      # their names in other systems
WRAPPERS.update(expand=Expanded, to_event=Independent, mask=Masked)


ExpandedDistribution, MaskedDistribution = Expanded, Masked          # NumPyro's names
