"""The error function, the normal distribution function, their logarithms and inverses."""
from ...ops.erf import dawsn, erf, erfc, erfcx, erfi, log_ndtr, ndtr
from ...ops.owens_t import owens_t
from ...ops.quantile import erfcinv, erfinv, ndtri, ndtri_exp

__all__ = ["dawsn", "erf", "erfc", "erfcinv", "erfcx", "erfi", "erfinv", "log_ndtr", "ndtr", "ndtri", "ndtri_exp",
           "owens_t"]
