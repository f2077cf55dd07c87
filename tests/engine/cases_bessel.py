"""Rows for the Bessel functions; the references are SciPy's."""
import numpy as np
import scipy.special as sp

from chainrule.engine.ops import bessel, bessel_j
from chainrule.engine.ops import bessel_order as order
from tests.engine.cases import Case


def row(module, name, *points, **options):
    """A row for a function that SciPy calls by the same name, at points on all its pieces."""
    return Case(getattr(module, name), name, getattr(sp, name), args=(np.array(points),), **options)


V = np.array([0.0, 0.5, 2.3, 7.0, 22.5])
X = np.array([0.4, 3.0, 1.7, 40.0, 9.0])
ONE = ("float64",)                   # the other is computed in float64 and rounded


def of_order(name, reference, **options):
    """A row for a function of order and argument, differentiated in the argument."""
    return Case(getattr(order, name), name, reference, args=(V, X), ulps=64, dtypes=ONE, **options)


CASES = [
    row(bessel, "i0", -2.0, 0.0, 0.7, 7.9, 8.1, 12.0, ulps=16),
    row(bessel, "i1", -2.0, 0.0, 0.7, 7.9, 8.1, 12.0, ulps=16),
    row(bessel, "k0", 0.3, 0.9, 1.4, 12.0, ulps=16),
    row(bessel, "k1", 0.3, 0.9, 1.4, 12.0, ulps=16),
    row(bessel, "k0e", 0.3, 0.9, 1.4, 90.0, ulps=16),
    row(bessel, "k1e", 0.3, 0.9, 1.4, 90.0, ulps=16),
    row(bessel_j, "j0", -3.0, 0.5, 2.5, 4.9, 6.0, 30.0, ulps=16),
    row(bessel_j, "j1", -3.0, 0.5, 2.5, 4.9, 6.0, 30.0, ulps=16),
    row(bessel_j, "y0", 0.5, 0.9, 2.5, 4.9, 6.0, 30.0, ulps=16),
    row(bessel_j, "y1", 0.5, 2.2, 2.5, 4.9, 6.0, 30.0, ulps=16),
    of_order("log_ive", lambda v, x: np.log(sp.ive(v, x)), wrt=(1,)),
    of_order("log_kve", lambda v, x: np.log(sp.kve(v, x)), wrt=(1,)),
    of_order("iv_ratio", lambda v, x: sp.ive(v + 1, x) / sp.ive(v, x), wrt=(1,), order=1),
    of_order("kv_ratio", lambda v, x: sp.kve(v + 1, x) / sp.kve(v, x), wrt=(1,), order=1),
]
