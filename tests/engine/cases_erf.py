"""Rows for erf and its kin, and for the inverses; the references are SciPy's."""
import numpy as np
import scipy.special as sp

from chainrule.engine.ops import erf, quantile
from tests.engine.cases import Case


def row(module, name, *points, **options):
    """A row for a function that SciPy calls by the same name, at points on all its pieces."""
    return Case(getattr(module, name), name, getattr(sp, name), args=(np.array(points),), **options)


CASES = [
    row(erf, "erfcx", -3.0, -0.7, 0.4, 6.0, 30.0, ulps=16),
    row(erf, "dawsn", -12.0, -0.7, 0.4, 2.0, 4.0, 9.0, ulps=64),
    row(erf, "erfi", -3.0, -0.7, 0.4, 2.0, ulps=64),
    row(quantile, "erfcinv", 0.01, 0.05, 0.3, 1.2, 1.99, ulps=16),
    row(quantile, "ndtri_exp", -2000.0, -300.0, -9.0, -0.7, -0.01, ulps=16, dtypes=("float64",)),
]
