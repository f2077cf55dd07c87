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

SMALL = 1024                         # a plate of which a part is drawn by shuffling it all


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
        if self.size >= SMALL and self.count ** 2 <= 64 * self.size:
            return distinct(key, self.size, self.count)
        return random.permutation(key, self.size)[:self.count]


def distinct(key, size, count):
    """`count` different indices below size in a random order, at a cost that does not grow with size.

    They are the first different ones of a few more independent draws. (Where those are too few, once in 10¹⁵ times or
    less, 0, 1, … fill up.)
    """
    more = count + int(count * count / size) + 8 * int(count ** 0.5) + 16
    value = np.concatenate([random.randint(key, (more,), 0, size), np.arange(count)])
    n = more + count
    found = np.sort(value * n + np.arange(n))                            # by value, then by place
    value, place = found // n, found % n
    again = np.concatenate([np.zeros((1,), bool), value[1:] == value[:-1]])
    return np.sort(np.where(again, n, place) * size + value)[:count] % size


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
