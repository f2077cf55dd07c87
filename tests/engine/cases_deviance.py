"""Rows for the parts of log densities that do not cancel; the references are the formulas in which large terms do."""
import numpy as np
import scipy.special as sp

from chainrule.engine import numpy as cnp
from chainrule.engine.ops import deviance
from tests.engine.cases import Case

K, L = np.array([0.7, 3.2, 11.0, 40.0]), np.array([2.4, 2.9, 12.0, 4.0])


def excess(x, y):
    return deviance.excess(x, y, y - x, 1 / x, cnp.log(y) - cnp.log(x))


def rest(x):
    return sp.gammaln(x + 1) - x * np.log(x) + x


CASES = [
    Case(excess, "excess", lambda x, y: x * np.log(x / y) - x + y, args=(K, L), ulps=16),
    Case(lambda x, y: x * y + deviance.product_rest(x, y), "product_rest", lambda x, y: x * y, args=(K, L)),
    Case(deviance.split_entropy, "split_entropy",
         lambda k, l: (k + l) * np.log(k + l) - k * np.log(k) - l * np.log(l), args=(K, L), ulps=16),
    Case(deviance.stirling_rest, "stirling_rest", rest, args=(np.array([1e-3, 0.3, 1.0, 3.4, 3.6, 25.0]),), ulps=128),
    Case(deviance.stirling_slope_p.bind, "stirling_slope", lambda x: sp.psi(x + 1) - np.log(x),
         args=(np.array([0.2, 1.0, 1.9, 2.1, 25.0]),), ulps=64),
    Case(deviance.stirling_rest_of_counts, "stirling_rest_of_counts", lambda k: rest(np.maximum(k, 1e-300)),
         args=(np.array([0.0, 1.0, 2.0, 3.0, 4.0, 25.0]),), order=0, lane=lambda a, k: a + k, ulps=128),
]
