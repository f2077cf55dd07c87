"""Rows for the Bessel functions; the references are SciPy's."""
import numpy as np
import scipy.special as sp

from chainrule.engine.ops import bessel
from tests.engine.cases import Case


def row(name, *points, **options):
    """A row for a function that SciPy calls by the same name, at points on all its pieces."""
    return Case(getattr(bessel, name), name, getattr(sp, name), args=(np.array(points),), **options)


CASES = [
    row("k0", 0.3, 0.9, 1.4, 12.0, ulps=16),
    row("k1", 0.3, 0.9, 1.4, 12.0, ulps=16),
    row("k0e", 0.3, 0.9, 1.4, 90.0, ulps=16),
    row("k1e", 0.3, 0.9, 1.4, 90.0, ulps=16),
]
