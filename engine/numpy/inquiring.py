"""Questions about arrays: are they complex, equal, of which type."""
import numpy as _np

from ..avals import broadcast_shapes, default_float, is_inexact, promote_types
from ..errors import DtypeError, ShapeError
from ..ops.complexes import imag, real
from ..ops.elementwise import bitwise_and, bitwise_or, eq, ne
from ..ops.reduce import reduce_and_p
from ..ops.structural import asvalue, promote
from ..ops.structural import full as _full


def iscomplex(x):
    """Whether each element has an imaginary part that is not zero."""
    x = asvalue(x)
    return ne(imag(x), _np.zeros((), imag(x).dtype)) if x.dtype.kind == "c" else _full(x.shape, False, bool)


def isreal(x):
    """Whether each element has no imaginary part, or one that is zero."""
    x = asvalue(x)
    return eq(imag(x), _np.zeros((), imag(x).dtype)) if x.dtype.kind == "c" else _full(x.shape, True, bool)


def iscomplexobj(x):
    """Whether the dtype is complex."""
    return asvalue(x).dtype.kind == "c"


def isrealobj(x):
    """Whether the dtype is not complex."""
    return not iscomplexobj(x)


def real_if_close(a, tol=100):
    """The real part, if all imaginary parts are within `tol` machine epsilons of zero (tol <= 1: within tol), else a
    itself. The values must be known, because the dtype of the result depends on them."""
    a = asvalue(a)
    if a.dtype.kind != "c":
        return a
    tol = tol * _np.finfo(a.dtype).eps if tol > 1 else tol
    small = (abs(a.concrete("whether the imaginary parts are small").imag) < tol).all()
    return real(a) if small else a


def _all(x):
    return reduce_and_p.bind(x, axes=tuple(range(x.ndim)))


def _equal(a, b, equal_nan):
    a, b = [asvalue(v) for v in promote(a, b)]
    same = eq(a, b)
    if equal_nan and is_inexact(a.dtype):
        same = bitwise_or(same, bitwise_and(ne(a, a), ne(b, b)))
    return _all(same)


def array_equal(a1, a2, equal_nan=False):
    """Whether two arrays have one shape and equal elements; with equal_nan, a nan equals a nan."""
    a, b = asvalue(a1), asvalue(a2)
    return _equal(a, b, equal_nan) if a.shape == b.shape else asvalue(False)


def array_equiv(a1, a2):
    """Whether two arrays broadcast together and are equal then."""
    a, b = asvalue(a1), asvalue(a2)
    try:
        broadcast_shapes(a.shape, b.shape)
    except ShapeError:
        return asvalue(False)
    return _equal(a, b, False)


def common_type(*arrays):
    """The floating type that all arrays fit into: float64 for integers."""
    out = _np.dtype("float16")
    for a in arrays:
        d = asvalue(a).dtype
        if d.kind not in "iufc" and not is_inexact(d):
            raise DtypeError(f"common_type takes arrays of numbers; got dtype {d}.")
        out = promote_types(out, default_float() if d.kind in "iu" else d)
    return out.type


def min_scalar_type(a):
    """For a number, the smallest dtype that holds it; for an array, its dtype."""
    x = asvalue(a)
    return _np.min_scalar_type(x.concrete("its size")) if x.ndim == 0 else x.dtype
