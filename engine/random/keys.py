"""Typed keys: where randomness comes from, as a value.

A key is never used up by itself: the same key gives the same draws. Derive new ones with `split` (a fixed number)
or `fold_in` (one for each step or name). A key knows its generator: `key(seed, impl="philox4x32")`.
"""
import math
import operator

import numpy as np

from ..array import Value
from ..errors import DtypeError, ShapeError
from ..indexing import getitem
from ..ops.elementwise import bitcast, bitwise_and, eq, invert, right_shift
from ..ops.shaping import concatenate_p
from ..ops.structural import asvalue, cast, reshape
from ..tree import register_pytree_node_class
from .generators import FOLD, SPLIT, THREEFRY, Stream, counters, generator

_U32, _U64 = np.dtype("uint32"), np.dtype("uint64")


class KeyType(str):
    """The dtype of keys: `key<threefry2x32>`."""
    __slots__ = ()
    kind, names = "V", None

    @property
    def name(self):
        return str(self)


@register_pytree_node_class
class Key:
    """An array of keys. `.shape` is that of the array: () for one key; index it, iterate over it, vmap over it.

    data : uint32[*shape, 2], the words behind the keys

    >>> split(key(0), 3).shape
    (3,)
    """
    __slots__ = ("data", "impl")

    def __init__(self, data, impl=THREEFRY):
        self.data, self.impl = data, impl

    def tree_flatten(self):
        """The words as the one child; the generator's name is structure."""
        return (self.data,), self.impl

    @classmethod
    def tree_unflatten(cls, impl, children):
        """A key around anything: transformations put marks of their own there."""
        return cls(children[0], impl)

    @property
    def dtype(self):
        return KeyType(f"key<{self.impl}>")

    @property
    def shape(self):
        return tuple(self.data.shape[:-1])

    @property
    def ndim(self):
        return len(self.data.shape) - 1

    @property
    def size(self):
        return self.data.size // 2

    def reshape(self, *shape):
        """The keys in another shape."""
        shape = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        shape = tuple([self.size // -math.prod(shape) if n == -1 else n for n in shape])
        return Key(reshape(self.data, (*shape, 2)), self.impl)

    def __len__(self):
        if not self.shape:
            raise TypeError("len() of a single key")
        return self.shape[0]

    def __getitem__(self, index):
        index = index if isinstance(index, tuple) else (index,)
        if sum(i is not None and i is not Ellipsis for i in index) > self.ndim:
            raise IndexError(f"keys of shape {self.shape} have {self.ndim} axes to index; got {len(index)} indices.")
        if any(i is Ellipsis for i in index):
            index = (*index, slice(None))
        return Key(getitem(self.data, index), self.impl)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __eq__(self, other):
        """Where the words are equal, as bool[*shape]; keys of two generators differ."""
        if not isinstance(other, Key):
            return NotImplemented
        same = eq(self.data, other.data)
        same = bitwise_and(getitem(same, (..., 0)), getitem(same, (..., 1)))
        return same if self.impl == other.impl else bitwise_and(same, np.zeros((), bool))

    def __ne__(self, other):
        same = self.__eq__(other)
        return same if same is NotImplemented else invert(same)

    __hash__ = None          # type: ignore[assignment]  # equality is element-wise, as that of arrays

    def __repr__(self):
        if isinstance(self.data, Value):
            return f"Key({self.impl}, shape={self.shape}, data={self.data!r})"
        return f"Key({self.data!r})"


def words(k, what="a random function"):
    """(data uint32[..., 2], name of the generator) of a key; raises DtypeError for what is not one."""
    if isinstance(k, Key):
        return k.data, k.impl
    if getattr(k, "dtype", None) == _U32 and k.shape and k.shape[-1] == 2:
        return asvalue(k), THREEFRY
    shown = getattr(k, "aval", None) or type(k).__name__
    raise DtypeError(f"{what} takes a key as its first argument; got {shown}.\n"
                     "Make one with random.key(seed), and several with random.split(key, n).")


def single(k, what):
    """The stream of one key; raises ShapeError for an array of keys."""
    data, impl = words(k, what)
    if data.ndim != 1:
        raise ShapeError(f"{what} takes one key; got keys of shape {data.shape[:-1]}.\n"
                         f"Draw for each of them with vmap: vmap({what})(keys).")
    return Stream(generator(impl), *_halves(data))


def _halves(data):
    """The two words of each key."""
    return getitem(data, (..., 0)), getitem(data, (..., 1))


def _pair(a, b):
    """Two arrays of words as the last axis of one."""
    return concatenate_p.bind(reshape(a, (*a.shape, 1)), reshape(b, (*b.shape, 1)), axis=a.ndim)


def key(seed, impl=THREEFRY):
    """The key of an integer seed: its 64 bits as two words (negative numbers in two's complement).   int -> Key[]

    seed : a Python integer in [-2⁶³, 2⁶⁴), or an integer array, traced or not, which gives an array of keys
    impl : "threefry2x32", or "philox4x32", which needs wide multiplications in place of rotations

    >>> key(0)
    Key(threefry2x32, shape=(), data=Array([0, 0], dtype=uint32))
    """
    impl = generator(impl).name
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        n = operator.index(seed)
        if not -2 ** 63 <= n < 2 ** 64:
            raise DtypeError(f"a seed has 64 bits; got {n}, which needs {n.bit_length()}.\n"
                             "Use a smaller number, or fold_in the rest of it.")
        n &= 2 ** 64 - 1
        return Key(asvalue(np.array([n >> 32, n & 0xFFFFFFFF], _U32)), impl)
    seed = asvalue(seed)
    if seed.dtype.kind not in "iu":
        raise DtypeError(f"a seed is an integer; got {seed.aval!r}.")
    if seed.dtype.kind == "i":
        seed = bitcast(cast(seed, np.dtype("int64")), _U64)
    seed = cast(seed, _U64)
    return Key(_pair(cast(right_shift(seed, np.uint64(32)), _U32), cast(seed & np.uint64(0xFFFFFFFF), _U32)), impl)


PRNGKey = key


def key_data(k):
    """The words behind keys.   Key[*shape] -> uint32[*shape, 2]"""
    return words(k, "key_data")[0]


def key_impl(k):
    """The name of the generator of keys.

    >>> key_impl(key(0, impl="philox4x32"))
    'philox4x32'
    """
    return words(k, "key_impl")[1]


def wrap_key_data(data, impl=THREEFRY):
    """Keys around words.   uint32[*shape, 2] -> Key[*shape]"""
    data = asvalue(data)
    if data.dtype != _U32 or not data.shape or data.shape[-1] != 2:
        raise DtypeError(f"the data of keys is uint32[..., 2]; got {data.aval!r}.")
    return Key(data, generator(impl).name)


def clone(k):
    """The same keys again: a name for the intention to repeat draws.   Key[*shape] -> Key[*shape]"""
    return Key(*words(k, "clone"))


def split(k, num=2):
    """New keys out of one: the cipher applied to 0, 1, …   Key[], n or shape -> Key[n] or Key[*shape]

    >>> a, b = split(key(0))
    """
    shape = (num,) if isinstance(num, (int, np.integer)) else tuple(num)
    stream = single(k, "split")
    a, b = stream.generator.blocks(stream.a, stream.b, SPLIT, *counters(math.prod(shape)))
    return Key(reshape(_pair(a, b), (*shape, 2)), stream.generator.name)


def fold_in(k, data):
    """A new key out of a key and an integer: the cipher applied to the integer's 64 bits.   Key[], int -> Key[]"""
    folded = key(data).data
    if folded.ndim != 1:
        raise ShapeError(f"fold_in takes one integer; got an array of shape {folded.shape[:-1]}.\nUse vmap.")
    stream = single(k, "fold_in")
    return Key(_pair(*stream.generator.blocks(stream.a, stream.b, FOLD, *_halves(folded))), stream.generator.name)
