"""Rows for erf and its kin, exponential and other integrals, Lambert's W and Owen's T; the references are SciPy's."""
import numpy as np
import scipy.special as sp

from chainrule.engine.ops import erf, expint, hypergeometric, integrals, lambertw, logarithms, owens_t, quantile
from tests.engine.cases import Case

ONE = ("float64",)                   # the other is computed in float64 and rounded


def row(module, function, *points, **options):
    """A row for a function that SciPy calls by the same name, at points on all its pieces."""
    options = {"reference": getattr(sp, function), **options}
    return Case(getattr(module, function), function, args=(np.array(points),), **options)


def pair(f, reference, covers, *points):
    """A row for a function with two results."""
    return Case(f, covers, reference, args=(np.array(points),), ulps=64)


def entropies(name, x, y):
    return Case(getattr(logarithms, name), name, getattr(sp, name), args=(x, y), ulps=16)


CASES = [
    row(erf, "erfcx", -3.0, -0.7, 0.4, 6.0, 30.0, ulps=16),
    row(erf, "erfcx", 9.0, 12.0, 30.0, ulps=16, name="erfcx-far"),
    row(erf, "dawsn", 9.0, 12.0, 30.0, ulps=256, name="dawsn-far"),        # SciPy's error
    row(erf, "dawsn", -12.0, -0.7, 0.4, 2.0, 4.0, 9.0, ulps=64),
    row(erf, "erfi", -3.0, -0.7, 0.4, 2.0, ulps=64),
    row(quantile, "erfcinv", 0.01, 0.05, 0.3, 1.2, 1.99, ulps=16),
    row(logarithms, "logit", 0.1, 0.3, 0.5, 0.6, 0.9),
    Case(logarithms.log1mexp, "log1mexp", lambda x: np.log(-np.expm1(-x)), args=(np.array([0.2, 0.6, 0.8, 5.0]),),
         ulps=16),
    entropies("rel_entr", np.array([0.3, 1.5, 2.0]), np.array([0.4, 1.5, 0.1])),
    entropies("kl_div", np.array([0.3, 1.5, 2.0]), np.array([0.4, 1.5, 0.1])),
    row(expint, "exp1", 0.2, 0.9, 1.3, 20.0),
    row(expint, "expi", -3.0, -0.5, 0.2, 0.36, 2.0, 5.0, ulps=64),
    row(expint, "expi", 7.0, 11.0, name="expi-12", ulps=64),
    row(expint, "expi", 13.0, 14.0, name="expi-24", ulps=64),
    row(expint, "expi", 47.0, 49.0, name="expi-far", ulps=2048),           # SciPy's error
    Case(lambda x: expint.expn(np.array([0, 1, 2, 3, 9, 30]), x), "expn",
         lambda x: sp.expn(np.array([0, 1, 2, 3, 9, 30]), x), args=(np.array([1.2, 0.5, 0.4, 3.0, 0.9, 0.7]),), ulps=64,
         lane=lambda a, k: a * (1 + 0.05 * k)),
    pair(integrals.sici, sp.sici, ("si", "ci"), 0.2, 0.7, 2.4, 3.0, 20.0),
    pair(integrals.shichi, sp.shichi, ("shi", "chi"), 0.2, 0.7, 1.9, 2.5),
    pair(integrals.fresnel, sp.fresnel, ("fresnel_s", "fresnel_c"), -0.7, 0.3, 1.5, 1.7, 3.0),
    row(integrals, "spence", 0.2, 0.49, 0.7, 1.0, 1.4, 3.0, 30.0, ulps=16),
    row(lambertw, "lambertw", -0.36, -0.3, -0.2, 0.1, 2.0, 50.0, ulps=16, reference=lambda z: sp.lambertw(z).real),
    Case(lambda z: lambertw.lambertw(z, -1), "lambertw", lambda z: sp.lambertw(z, -1).real, name="lambertw-1",
         args=(np.array([-0.36, -0.3, -0.2, -0.1]),), ulps=64),
    Case(owens_t.owens_t, "owens_t", sp.owens_t, args=(np.array([0.3, -1.2, 2.0, 0.1]),
                                                      np.array([0.5, 1.5, -0.9, -4.0])), ulps=64),
    row(quantile, "ndtri_exp", -2000.0, -300.0, -9.0, -0.7, -0.01, ulps=16, dtypes=("float64",)),
    Case(lambda x: hypergeometric.hyp0f1(1.7, x), "hyp0f1", lambda x: sp.hyp0f1(1.7, x),
         args=(np.array([-3.0, 0.5, 40.0]),), ulps=64, dtypes=ONE),
    Case(lambda x: hypergeometric.hyp1f1(1.3, 2.7, x), "hyp1f1", lambda x: sp.hyp1f1(1.3, 2.7, x),
         args=(np.array([-100.0, -3.0, 0.5, 4.0]),), ulps=64, dtypes=ONE),
    Case(lambda x: hypergeometric.hyp2f1(1.3, 0.7, 2.7, x), "hyp2f1", lambda x: sp.hyp2f1(1.3, 0.7, 2.7, x),
         args=(np.array([-9.0, -0.3, 0.5, 0.9]),), ulps=64, dtypes=ONE),
]
