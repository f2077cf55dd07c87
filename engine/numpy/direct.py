"""Calls on concrete arrays that NumPy answers in one step.

A function made of many operations would dispatch each of them; where nothing is being traced, NumPy's own function is
the same and quicker. The composition stands behind it, for tracers, and for the errors in our words.
"""
from functools import partial

import numpy as np

from ..array import Array
from ..config import config
from ..core import quietly, state
from ..errors import ImmutableError


def by_numpy(theirs, *args, **options):
    """theirs(*args, **options) as an array, or None where an argument is traced or NumPy refuses it."""
    if state.trace is not state.root or config.debug_nans:
        return None
    values = []
    for x in args:
        if type(x) is Array:
            x = x.value
        elif not isinstance(x, (int, float, complex, np.ndarray, np.generic)) and x is not None:
            return None
        values.append(x)
    try:
        out = quietly(partial(theirs, **options) if options else theirs, *values)
    except (TypeError, ValueError, IndexError):
        return None
    return Array(out if type(out) is np.ndarray else np.asarray(out))


def no_out(out):
    """Raise where a result was to be written into an array."""
    if out is not None:
        raise ImmutableError("out= was given, and arrays are immutable: no function writes its result into one.\n"
                             "Write y = f(x): it returns a new array.")
