"""The error function, the normal distribution function, their logarithms and inverses."""
import math

from ...ops.log_special import log_ndtr
from ...ops.special import erf, erfc, erfinv, ndtr, ndtri
from ...ops.structural import promote_inexact

__all__ = ["erf", "erfc", "erfcinv", "erfinv", "log_ndtr", "ndtr", "ndtri"]


def erfcinv(x):
    """The inverse of erfc, accurate for small x.   0 < x < 2"""
    return ndtri(promote_inexact(x)[0] * 0.5) * -math.sqrt(0.5)
