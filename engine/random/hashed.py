"""Cheap draws for the inner loops of samplers: a 64-bit hash of (seed, counter, place) instead of the block cipher."""
import math

import numpy as np

from ..avals import default_float
from ..ops.quantile import ndtri_p
from ..ops.random_bits import hash_bits
from ..ops.structural import cast, iota, reshape
from .bits import _WORD, shape_of, unit

_U64 = np.dtype("uint64")


def _hash_words(seed, counter, shape):
    """hash_bits of the seed hashed with the counter, at the places 0, 1, … of the shape."""
    n = math.prod(shape)
    return reshape(hash_bits(hash_bits(seed, counter), iota(n, _U64)), shape)


def _open_unit(seed, counter, shape, dtype):
    word, fraction = _WORD[dtype]
    words = cast(_hash_words(seed, counter, shape) >> np.uint64(64 - 8 * word.itemsize), word)
    return unit(words, dtype) + np.asarray(0.5 * 2.0 ** -fraction, dtype)


def hash_uniform(seed, counter, shape=(), dtype=None):
    """Uniform numbers in (0, 1) for a seed and a counter.   uint64[], uint64[] -> float[*shape]"""
    return _open_unit(seed, counter, shape_of(shape), default_float() if dtype is None else np.dtype(dtype))


def hash_normal(seed, counter, shape=(), dtype=None):
    """Standard normal numbers for a seed and a counter.   uint64[], uint64[] -> float[*shape]"""
    return ndtri_p.bind(hash_uniform(seed, counter, shape, dtype))
