"""Rows for the Bessel functions; the references are SciPy's."""
import numpy as np
import scipy.special as sp

from chainrule.engine.ops import bessel, bessel_j, bessel_n
from chainrule.engine.ops import bessel_order as order
from tests.engine.cases import Case


def row(module, name, *points, **options):
    """A row for a function that SciPy calls by the same name, at points on all its pieces."""
    return Case(getattr(module, name), name, getattr(sp, name), args=(np.array(points),), **options)


V = np.array([0.0, 0.5, 2.3, 7.0, 22.5])
X = np.array([0.4, 3.0, 1.7, 40.0, 9.0])
ONE = ("float64",)                   # the other is computed in float64 and rounded


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
    Case(lambda x: (bessel_n.jn(3, x), bessel_n.yn(2, x)), ("jn", "yn"), lambda x: (sp.jv(3, x), sp.yn(2, x)),
         args=(np.array([0.7, 2.5, 4.0, 20.0]),), ulps=32, dtypes=ONE),
    Case(lambda x: (order.log_ive(V, x), order.iv_ratio(V, x)), "bessel_i",
         lambda x: (np.log(sp.ive(V, x)), sp.ive(V + 1, x) / sp.ive(V, x)), args=(X,), ulps=64, dtypes=ONE, order=1,
         lane=lambda a, k: a * (1 + 0.05 * k)),
    Case(lambda x: (order.log_kve(V, x), order.kv_ratio(V, x)), "bessel_k",
         lambda x: (np.log(sp.kve(V, x)), sp.kve(V + 1, x) / sp.kve(V, x)), args=(X,), ulps=64, dtypes=ONE, order=1,
         lane=lambda a, k: a * (1 + 0.05 * k)),
]
