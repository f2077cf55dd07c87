"""Short cuts for plain numbers: an element-wise operation on arrays that are known, at the root, is its NumPy meaning.

`Primitive.bind` would end there too, by way of promotion, the interpreter and its checks, which take ten times as long
as NumPy's own call on a small array. What a short cut does not know (tracers, recipes, buffers, dtypes that differ) it
leaves to the function that it wraps.
"""
import numpy as np

from ..array import Array
from ..config import config
from ..core import quietly, state

_ARRAY = np.ndarray
_WEAK = {"i": (int,), "u": (int,), "f": (float, int), "c": (float, int)}     # Python numbers that take a dtype's kind


def at_rest(x):
    """Whether x is an array of known numbers and nothing is traced, so that NumPy may take it."""
    return (type(x) is Array and x.recipe is None and x._sharding is None and state.trace is state.root
            and not config.debug_nans)


def plain(x):
    """The NumPy array behind x where it is at rest and in this memory, else None."""
    return x._value if at_rest(x) else None


def pair(x, y):
    """The arrays of one of NumPy's own dtypes behind x and y (one of them may be a Python number), or None."""
    a, b = plain(x), plain(y)
    if a is not None and b is None and type(y) in _WEAK.get(a.dtype.kind, ()):
        b = np.asarray(y, a.dtype)
    elif b is not None and a is None and type(x) in _WEAK.get(b.dtype.kind, ()):
        a = np.asarray(x, b.dtype)
    return (a, b) if a is not None and b is not None and a.dtype is b.dtype and a.dtype.isbuiltin == 1 else None


def one(impl, otherwise, kinds="biufc"):
    """f(x), for dtypes of these kinds by `impl` at once."""
    def f(x, /):
        if type(x) is Array and x.recipe is None and state.trace is state.root:
            v = x._value
            if v is not None and v.dtype.kind in kinds and not config.debug_nans:
                out = quietly(impl, v)
                return Array(out if type(out) is _ARRAY else np.asarray(out))
        return otherwise(x)
    return f


def two(impl, otherwise, kinds="biufc"):
    """f(x, y) for two arrays of one dtype, or an array and a Python number that takes its dtype."""
    def f(x, y, /):
        if state.trace is state.root:
            a = x._value if type(x) is Array and x.recipe is None else None
            b = y._value if type(y) is Array and y.recipe is None else None
            if a is not None:
                if b is None and type(y) in _WEAK.get(a.dtype.kind, ()):
                    b = np.asarray(y, a.dtype)
            elif b is not None and type(x) in _WEAK.get(b.dtype.kind, ()):
                a = np.asarray(x, b.dtype)
            if a is not None and b is not None and a.dtype is b.dtype and a.dtype.kind in kinds \
                    and not config.debug_nans:
                out = quietly(impl, a, b)
                return Array(out if type(out) is _ARRAY else np.asarray(out))
        return otherwise(x, y)
    return f
