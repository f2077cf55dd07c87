"""The generators behind keys: block ciphers in counter mode, with one set of uses.

A key of any generator is two words. Draws, `split`, `fold_in` and the inner keys and proposals of samplers each run the
cipher under a tag of their own, so none of them meets another's output. Word i of a draw is a function of the key and
of i alone.
"""
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..errors import ParameterError
from ..ops.elementwise import bitwise_or, bitwise_xor, left_shift, right_shift
from ..ops.random_bits import philox4x32, threefry2x32, unpack_words_p
from ..ops.shaping import slice_axis
from ..ops.structural import asvalue, cast, full, iota, reshape

_U32, _U64 = np.dtype("uint32"), np.dtype("uint64")
SPLIT, FOLD, INNER = np.uint32(0x3C6EF372), np.uint32(0xA54FF53A), np.uint32(0x510E527F)    # digits of √3, √5, √11
TURN = np.uint32(0x1F83D9AB)                                                                # of √19
_ZERO = np.uint32(0)


class Generator(NamedTuple):
    """A cipher and how its blocks are laid out."""
    name: str
    words: Callable          # (a, b, n, wide) -> n words of 32 or 64 bits
    blocks: Callable         # (a, b, tag, high, low) -> two words of 32 bits for each 64-bit counter
    pairs: Callable          # (a, b, turn, place, wide) -> two words for each place: the proposal of a turn of a loop


def counters(n):
    """The numbers 0 … n - 1 as (high words, low words)."""
    if n <= 2 ** 32:
        return asvalue(_ZERO), iota(n, _U32)
    i = iota(n, _U64)
    return cast(right_shift(i, np.uint64(32)), _U32), cast(i & np.uint64(0xFFFFFFFF), _U32)


def places(shape):
    """The numbers 0, 1, … as uint32[*shape]."""
    return reshape(iota(math.prod(shape), _U32), shape)


def packed(high, low):
    """One word of 64 bits out of two of 32."""
    return bitwise_or(left_shift(cast(high, _U64), np.uint64(32)), cast(low, _U64))


# ---- Threefry ----

def _threefry_words(a, b, n, wide):
    x, y = threefry2x32(a, b, *counters(n))
    return packed(x, y) if wide else bitwise_xor(x, y)


def _threefry_blocks(a, b, tag, high, low):
    return threefry2x32(bitwise_xor(a, tag), b, high, low)


def _threefry_pairs(a, b, turn, place, wide):
    a = bitwise_xor(a, TURN)
    if not wide:
        return threefry2x32(a, b, turn, place)
    twice = turn * np.uint32(2)
    return packed(*threefry2x32(a, b, twice, place)), packed(*threefry2x32(a, b, twice + np.uint32(1), place))


# ---- Philox: the counter is (low, high, tag, turn) ----

def _philox_words(a, b, n, wide):
    m = n if wide else (n + 1) // 2
    high, low = counters(m)
    x, y, _, _ = philox4x32(a, b, low, high, _ZERO, _ZERO)
    words = packed(y, x)
    return words if wide else slice_axis(reshape(unpack_words_p.bind(words), (2 * m,)), 0, n, 0)


def _philox_blocks(a, b, tag, high, low):
    return philox4x32(a, b, low, high, tag, _ZERO)[:2]


def _philox_pairs(a, b, turn, place, wide):
    x, y, z, w = philox4x32(a, b, place, _ZERO, TURN, turn)
    return (packed(y, x), packed(w, z)) if wide else (x, y)


GENERATORS = {g.name: g for g in (
    Generator("threefry2x32", _threefry_words, _threefry_blocks, _threefry_pairs),
    Generator("philox4x32", _philox_words, _philox_blocks, _philox_pairs),
)}
THREEFRY = "threefry2x32"


def generator(name):
    """The generator of that name; raises ParameterError with the list of them."""
    found = GENERATORS.get(name) if isinstance(name, str) else None
    if found is None:
        raise ParameterError(f"there is no random generator {name!r}.\n"
                             f"impl is one of {', '.join(map(repr, GENERATORS))}.")
    return found


class Stream(NamedTuple):
    """One key as samplers see it: the generator and the two words."""
    generator: Generator
    a: object
    b: object

    def words(self, shape, dtype):
        """Random unsigned integers: word i is the cipher of i, so it does not depend on the shape around it."""
        n = math.prod(shape)
        if n == 0:
            return full(shape, 0, dtype)
        return reshape(cast(self.generator.words(self.a, self.b, n, dtype.itemsize == 8), dtype), shape)

    def pairs(self, turn, place, dtype):
        """Two independent words (uint32 or uint64) for each turn and place, uint32, of a sampler's loop."""
        return self.generator.pairs(self.a, self.b, turn, place, dtype.itemsize == 8)

    def inner(self, i):
        """The stream of the i-th key that a sampler derives for itself."""
        return Stream(self.generator, *self.generator.blocks(self.a, self.b, INNER, _ZERO, cast(asvalue(i), _U32)))
