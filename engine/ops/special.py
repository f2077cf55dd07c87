"""The special functions that other parts of the engine draw on, from the files of their families."""
from .bessel import i0, i0e, i1, i1e
from .erf import erf, erfc, ndtr, ndtr_p
from .gammas import digamma, lgamma, polygamma
from .quantile import erfinv, ndtri, ndtri_p

__all__ = ["digamma", "erf", "erfc", "erfinv", "i0", "i0e", "i1", "i1e", "lgamma", "ndtr", "ndtr_p", "ndtri", "ndtri_p",
           "polygamma"]
