"""Functions that go over to complex numbers where the real ones have no value: `sqrt(-1)` is `1j`.

The dtype of a result depends on the values here, so they must be known: under a transformation convert to complex
numbers first, and call the function of that name in `chainrule.engine.numpy`.
"""
import numpy as _np

from ..avals import to_inexact_dtype
from ..ops import arithmetic as ar
from ..ops import elementwise as ew
from ..ops.structural import asvalue, cast


def _widened(x, outside, what):
    """x, or x as complex numbers if one of the values lies outside of the real domain."""
    x = asvalue(x)
    if x.dtype.kind == "c" or not _np.any(outside(x.concrete(what))):
        return x
    return cast(x, _complex_of(x.dtype))


def _complex_of(dtype):
    """complex64 for float32 and integers that fit into it, complex128 for all others."""
    return _np.dtype("complex64" if dtype.name in ("float32", "int8", "int16", "uint8", "uint16") else "complex128")


def _negative(x):
    return x < 0


def _beyond_one(x):
    return _np.abs(x) > 1


def _of(f, outside):
    def g(x):
        return f(_widened(x, outside, f"whether {f.__name__} is real"))
    g.__name__ = g.__qualname__ = f.__name__
    g.__doc__ = f"{f.__name__}(x), complex where it is not real."
    return g


sqrt, log, log2, log10 = (_of(f, _negative) for f in (ew.sqrt, ew.log, ar.log2, ar.log10))
arccos, arcsin, arctanh = (_of(f, _beyond_one) for f in (ew.arccos, ew.arcsin, ew.arctanh))


def logn(n, x):
    """The logarithm to base n, complex where x or n is negative."""
    return log(x) / log(n)


def power(x, p):
    """x to the power p, complex where x is negative; of integers to negative integer powers it is a float."""
    x, p = asvalue(x), asvalue(p)
    if p.dtype.kind in "iu" and _np.any(p.concrete("whether an exponent is negative") < 0):
        p = cast(p, to_inexact_dtype(p.dtype))
    known = x.concrete("whether a base is negative")
    if x.dtype.kind != "c" and _np.any(known < 0):
        x = cast(x, _complex_of(x.dtype))
    return ew.power(x, p)
