"""Rows for the Bessel functions; the references are SciPy's."""
import numpy as np
import scipy.special as sp

from chainrule.engine.ops import bessel, bessel_j
from tests.engine.cases import Case


def row(module, name, *points, **options):
    """A row for a function that SciPy calls by the same name, at points on all its pieces."""
    return Case(getattr(module, name), name, getattr(sp, name), args=(np.array(points),), **options)


CASES = [
    row(bessel, "k0", 0.3, 0.9, 1.4, 12.0, ulps=16),
    row(bessel, "k1", 0.3, 0.9, 1.4, 12.0, ulps=16),
    row(bessel, "k0e", 0.3, 0.9, 1.4, 90.0, ulps=16),
    row(bessel, "k1e", 0.3, 0.9, 1.4, 90.0, ulps=16),
    row(bessel_j, "j0", -3.0, 0.5, 2.5, 4.9, 6.0, 30.0, ulps=16),
    row(bessel_j, "j1", -3.0, 0.5, 2.5, 4.9, 6.0, 30.0, ulps=16),
    row(bessel_j, "y0", 0.5, 0.9, 2.5, 4.9, 6.0, 30.0, ulps=16),
    row(bessel_j, "y1", 0.5, 2.2, 2.5, 4.9, 6.0, 30.0, ulps=16),
]
