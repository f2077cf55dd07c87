"""What statements other than `sample` take their values from, in the form of distributions whose density is 1.

    Parameter     the start of a param: an array, or what a function makes of a key
    Subsample     the indices of a subsampled plate
    Words         the words of a key
"""
import numpy as onp

from ..distributions import Distribution, constraints
from ..distributions.record import child, static
from ..engine import numpy as np
from ..engine import random


class Source(Distribution):
    """Base. `value_dtype` is the dtype of its values; nothing of it is ever a float parameter."""
    finite_outside = True

    batch_shape = property(lambda self: ())
    has_rsample = property(lambda self: False)

    def log_prob_inside(self, value):
        return np.zeros(np.shape(value)[:np.ndim(value) - self.event_dim])


class Parameter(Source):
    """A point of a set, started from a given value, or from init(key)."""
    base_support: constraints.Constraint = child()
    start_shape: tuple = static(default=())
    value_dtype: object = static(default=None)
    init: object = static(default=None)

    def __init__(self, support, shape, dtype, init=None, *, validate_args=None):
        self._bind((support, tuple(shape), onp.dtype(dtype), init), {})

    support = property(lambda self: self.base_support)
    event_shape = property(lambda self: self.start_shape)
    is_discrete = property(lambda self: False)

    def sample(self, key, sample_shape=()):
        return np.asarray(self.init(key))


class Subsample(Source):
    """`count` different indices out of 0, …, size - 1, in a random order."""
    size: int = static(default=0)
    count: int = static(default=0)
    value_dtype = onp.dtype("int64")

    def __init__(self, size, count, *, validate_args=None):
        self._bind((size, count), {})

    support = property(lambda self: constraints.independent(constraints.integer_interval(0, self.size - 1), 1))
    event_shape = property(lambda self: (self.count,))
    is_discrete = property(lambda self: True)

    def sample(self, key, sample_shape=()):
        return random.permutation(key, self.size)[:self.count]


class Words(Source):
    """The two words of a key."""
    value_dtype = onp.dtype("uint32")
    support = property(lambda self: constraints.independent(constraints.nonnegative_integer, 1))
    event_shape = property(lambda self: (2,))
    is_discrete = property(lambda self: True)

    def __init__(self, *, validate_args=None):
        self._bind((), {})

    def sample(self, key, sample_shape=()):
        return random.key_data(key)
