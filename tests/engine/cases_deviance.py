"""Rows for the parts of log densities that do not cancel; the references are the formulas in which large terms do."""
import numpy as np
import scipy.special as sp

from chainrule.engine.ops import deviance
from tests.engine.cases import Case

K, L = np.array([0.7, 3.2, 11.0, 40.0]), np.array([2.4, 2.9, 30.0, 4.0])
A, B = np.array([0.3, 6.0, 12.0, 55.0]), np.array([0.8, 5.0, 3.3, 4.1])
P = np.array([0.2, 0.55, 0.3, 0.99])


def entropy(*cells):
    return sum(c * np.log(c) for c in cells)


def binomial(k, l, p):
    return entropy(k, l) - entropy(k + l) - k * np.log(p) - l * np.log1p(-p)


def table(k, l, a, b):
    return entropy(k, l, a, b) + entropy(k + l + a + b) - entropy(k + l, a + b) - entropy(k + a, l + b)


def gamma(a, u, v):
    return a * np.log(u * v / a) - u * v + a - np.log(v)


def rest(x):
    return sp.gammaln(x + 1) - x * np.log(x) + x


def whole(a, k):
    """Another lane of whole numbers."""
    return a + k


def row(name, reference, *args, **options):
    return Case(getattr(deviance, name), name, reference, args=args, **{"ulps": 16, **options})


CASES = [
    row("poisson_deviance", lambda k, r: k * np.log(k / r) - k + r, K, A),
    row("binomial_deviance", binomial, K, L, P, ulps=32),
    row("odds_deviance", lambda k, l, u, v: binomial(k, l, u / (u + v)), K, L, A, B, ulps=32),
    row("table_deviance", table, K, L, A, B, ulps=256),      # the reference's error
    row("split_entropy", lambda k, l: entropy(k + l) - entropy(k, l), K, L),
    row("gamma_kernel", gamma, K, A, B),
    row("inverse_gamma_kernel", lambda a, b, x: gamma(a, b, 1 / x) - 2 * np.log(x), K, A, B),
    row("beta_kernel", lambda a, b, x: -binomial(a, b, x) - np.log(x) - np.log1p(-x), A, B, P, ulps=32),
    row("stirling_rest", rest, np.array([1e-3, 0.3, 1.0, 3.4, 3.6, 25.0]), ulps=128),
    Case(deviance.stirling_slope_p.bind, "stirling_slope", lambda x: sp.psi(x + 1) - np.log(x),
         args=(np.array([0.2, 1.0, 1.9, 2.1, 25.0]),), ulps=64),
    row("stirling_rest_of_counts", lambda k: rest(np.maximum(k, 1e-300)), np.array([0.0, 1.0, 2.0, 3.0, 4.0, 25.0]),
        order=0, lane=whole, ulps=128),
]
