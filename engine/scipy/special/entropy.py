"""x log y and the entropies made of it."""
import numpy as _np

from ...ops.elementwise import bitwise_and, eq, log, lt, where
from ...ops.log_special import xlog1py, xlogy
from ...ops.structural import promote_inexact

__all__ = ["entr", "kl_div", "rel_entr", "xlog1py", "xlogy"]


def entr(x):
    """-x log x: 0 at 0, -inf below.

    >>> float(entr(0.0))
    0.0
    """
    x = promote_inexact(x)[0]
    below = lt(x, 0)
    return where(below, _np.full((), -_np.inf, x.dtype), -xlogy(where(below, _np.ones((), x.dtype), x), x))


def rel_entr(x, y):
    """x log(x / y): 0 where x = 0 and y >= 0, inf outside of x, y > 0."""
    x, y = promote_inexact(x, y)
    both = bitwise_and(x > 0, y > 0)
    one = _np.ones((), x.dtype)
    sx, sy = where(both, x, one), where(both, y, one)
    edge = where(bitwise_and(eq(x, 0), y >= 0), _np.zeros((), x.dtype), _np.full((), _np.inf, x.dtype))
    return where(both, sx * (log(sx) - log(sy)), edge)


def kl_div(x, y):
    """x log(x / y) - x + y."""
    x, y = promote_inexact(x, y)
    return rel_entr(x, y) - x + y
