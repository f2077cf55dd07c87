"""x log y and the entropies made of it."""
import numpy as _np

from ...ops.elementwise import lt, where
from ...ops.log_special import xlog1py, xlogy
from ...ops.logarithms import kl_div, rel_entr
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
