"""Rows for the special functions; the references are SciPy's."""
import mpmath as mp
import numpy as np
import scipy.special as sp

import chainrule.engine.scipy.special as cs
from chainrule.engine.ops.betainc import beta_front_p
from chainrule.engine.ops.betas import digamma_rise_p
from chainrule.engine.ops.gamma_quantile import gamma_path_p
from chainrule.engine.ops.gammainc import gamma_front_p
from tests.engine.cases import Case


def row(primitive, *domain, name=None, **options):
    """A row for a function that SciPy calls by the same name."""
    f = name or primitive
    return Case(getattr(cs, f), primitive, getattr(sp, f), domain=domain, name=name or "", **options)


X = np.array([0.3, 1.7, 4.0, 25.0])
A = np.array([0.6, 2.5, 3.0, 24.0])
ONE = ("float64",)                   # the others are computed in float64 and rounded: see test_special.py

CASES = [
    row("erf", (-2, 2)),
    row("erfc", (-2, 2)),
    row("erfinv", (-0.9, 0.9), ulps=64),
    row("lgamma", (0.3, 5), name="gammaln", ulps=64),
    row("digamma", (0.3, 5), ulps=64),
    Case(lambda x: cs.polygamma(1, x), "polygamma", lambda x: sp.polygamma(1, x), domain=((0.3, 5),), ulps=64),
    Case(lambda x: cs.polygamma(2, x), "polygamma", lambda x: sp.polygamma(2, x), domain=((0.3, 5),), ulps=64,
         name="polygamma-2"),
    Case(lambda x: cs.polygamma(4, x), "polygamma", lambda x: sp.polygamma(4, x), domain=((0.6, 5),),
         name="polygamma-4"),
    row("zeta", (1.5, 6), (0.5, 5)),
    Case(cs.zeta, "riemann_zeta", sp.zeta, args=(np.array([1.4, 2.6, 7.0, 0.3, 1.7]),), name="riemann_zeta"),
    row("rgamma", (-2.7, 4)),
    Case(cs.gammaln, "lgamma", sp.gammaln, domain=((-2.9, -2.1),), name="lgamma-negative"),
    Case(cs.digamma, "digamma", sp.digamma, domain=((-2.9, -2.1),), name="digamma-negative", ulps=64),
    row("ndtr", (-3, 3)),
    row("ndtri", (0.05, 0.95), ulps=32),
    row("log_ndtr", (-6, 3), ulps=16),
    Case(cs.log_ndtr, "log_ndtr", sp.log_ndtr, args=(np.array([-60.0, -25.0, -15.0, 7.0]),), name="log_ndtr-tails",
         ulps=16,
         lane=lambda a, k: a),
    row("i0e", (-3, 3), ulps=32),
    row("i1e", (-3, 3), ulps=32),
    Case(lambda x: cs.i1e(x) + cs.i0e(x), ("i0e", "i1e"), lambda x: sp.i1e(x) + sp.i0e(x),
         args=(np.array([-50.0, 19.0, 21.0]),),
         ulps=32, name="i0e-i1e-far"),
    row("xlogy", (0.5, 2), (0.5, 2)),
    row("xlog1py", (0.5, 2), (-0.5, 2)),
    row("gamma", (0.5, 4), ulps=128),
    row("betaln", (0.5, 9), (0.5, 9)),
    Case(cs.betaln, "betaln", np.vectorize(lambda a, b: float(mp.log(abs(mp.beta(a, b))))),
         args=(np.array([-1.3, 0.4, 2e3]), np.array([2.6, 700.0, 4.0])),
         name="betaln-far", lane=lambda a, k: a * (1 + 0.01 * k)),
    row("beta", (0.5, 9), (0.5, 9), ulps=16),
    Case(digamma_rise_p.bind, "digamma_rise", lambda a, b: sp.psi(a + b) - sp.psi(a), domain=((0.5, 9), (0.5, 9)),
         ulps=16),
    row("gammainc", (0.5, 4), (0.5, 4), ulps=64),
    Case(cs.gammainc, "gammainc", sp.gammainc, args=(A, X), name="gammainc-regions", ulps=64, order=0, dtypes=ONE),
    Case(cs.gammaincc, "gammainc", sp.gammaincc, args=(A, X), name="gammaincc", ulps=64, order=0, dtypes=ONE),
    row("betainc", (0.5, 4), (0.5, 4), (0.1, 0.9), ulps=64, dtypes=ONE),
    Case(cs.betainc, "betainc", sp.betainc, args=(np.array([30.0, 2.0]), np.array([25.0, 40.0]), np.array([0.5, 0.1])),
         name="betainc-large", ulps=64, order=0, dtypes=ONE, lane=lambda a, k: a * (1 + 0.05 * k)),
    # derivatives without compilation, which is long: see test_special_families.py
    row("gammaincinv", (0.5, 4), (0.1, 0.9), order=0, ulps=64, dtypes=ONE),
    row("gammaincinv", (0.5, 4), (0.1, 0.9), name="gammainccinv", order=0, ulps=64, dtypes=ONE),
    row("betaincinv", (0.5, 4), (0.5, 4), (0.1, 0.9), order=0, ulps=64, dtypes=ONE),
    row("betaincinv", (0.5, 4), (0.5, 4), (0.1, 0.9), name="betainccinv", order=0, ulps=64, dtypes=ONE),
    Case(cs.log_gammainc, "log_gammainc", lambda a, x: np.log(sp.gammainc(a, x)), domain=((0.5, 4), (0.5, 4)), ulps=64,
         order=1, dtypes=ONE),
    Case(cs.log_gammaincc, "log_gammainc", lambda a, x: np.log(sp.gammaincc(a, x)), args=(A, X), ulps=64, order=0,
         dtypes=ONE, name="log_gammaincc"),
    Case(cs.log_betainc, "log_betainc", lambda a, b, x: np.log(sp.betainc(a, b, x)),
         domain=((0.5, 4), (0.5, 4), (0.1, 0.9)), ulps=64, order=0, dtypes=ONE),
    Case(lambda a, x: gamma_front_p.bind(a, x, log=False), "gamma_front",
         lambda a, x: np.exp(a * np.log(x) - x - sp.gammaln(a + 1)), domain=((0.5, 9), (0.5, 9)), ulps=32),
    Case(lambda a, x: gamma_front_p.bind(a, x, log=True), "gamma_front",
         lambda a, x: a * np.log(x) - x - sp.gammaln(a + 1), domain=((0.5, 9), (0.5, 9)), ulps=32,
         name="log_gamma_front"),
    Case(lambda a, b, x: beta_front_p.bind(a, b, x, log=False), "beta_front",
         lambda a, b, x: x**a * (1 - x) ** b / sp.beta(a, b), domain=((0.5, 9), (0.5, 9), (0.1, 0.9)), ulps=64),
    Case(lambda a, b, x: beta_front_p.bind(a, b, x, log=True), "beta_front",
         lambda a, b, x: a * np.log(x) + b * np.log1p(-x) - sp.betaln(a, b),
         domain=((0.5, 9), (0.5, 9), (0.1, 0.9)), ulps=64, name="log_beta_front"),
    Case(cs.random_gamma_grad, "gamma_ratio", None, domain=((0.5, 4), (0.5, 4)), order=0, ulps=64, dtypes=ONE),
    Case(cs.von_mises_cdf, "von_mises_cdf", None, args=(np.array([-2.0, 0.3, 1.2]), np.array([0.7, 6.0, 150.0])),
         ulps=64, lane=lambda a, k: a * (1 + 0.05 * k)),
    # its derivative is that of a draw, which no function of (x, a) has: see test_random.py; here only the form
    Case(lambda x, a: gamma_path_p.bind(x, a) * 0 + x * a, "gamma_path", lambda x, a: x * a,
         domain=((0.5, 2), (0.5, 2))),
]
