"""Calls on concrete arrays that NumPy answers in one step.

A function made of many operations would dispatch each of them; where nothing is being traced, NumPy's own function is
the same and quicker. The composition stands behind it, for tracers, and for the errors in our words.
"""
from functools import partial

import numpy as np

from ..array import Array
from ..avals import NARROW_DTYPES
from ..config import config
from ..core import quietly, state
from ..errors import ImmutableError
from ..ops.shortcut import at_rest


def known(a):
    """The NumPy array behind a, of one of NumPy's own dtypes, where nothing is traced; None elsewhere."""
    v = a.value if at_rest(a) else None
    return v if v is not None and v.dtype.kind in "fciub" else None


def at_once(f, *args):
    """f(*args) as an array, or None where NumPy refuses it."""
    try:
        out = quietly(f, *args)
    except (TypeError, ValueError, IndexError):
        return None                                      # the composition says why, in our words
    return Array(out if type(out) is np.ndarray else np.asarray(out))


def by_numpy(theirs, *args, **options):
    """theirs(*args, **options) as an array, or None where an argument is traced or NumPy refuses it."""
    if state.trace is not state.root or config.debug_nans:
        return None
    values = []
    for x in args:
        if type(x) is Array:
            if x._sharding is not None:                  # it was put on a device: the operation runs there
                return None
            x = x.value
            if x.dtype in NARROW_DTYPES:                 # NumPy does not always give results in them
                return None
        elif not isinstance(x, (int, float, complex, np.ndarray, np.generic)) and x is not None:
            return None
        values.append(x)
    return at_once(partial(theirs, **options) if options else theirs, *values)


def no_out(out):
    """Raise where a result was to be written into an array."""
    if out is not None:
        raise ImmutableError("out= was given, and arrays are immutable: no function writes its result into one.\n"
                             "Write y = f(x): it returns a new array.")
