"""The real branches of Lambert's W function, the solutions w of w exp(w) = z.

Near the branch point z = -1/e a polynomial in p = √(2 (1 + e z)) (DLMF 4.13.6 is its Taylor series). Elsewhere the
approximations of Winitzki (2003, LNCS 2667; branch 0) and Barry et al. (2000, Math. Comput. Simul. 53; branch -1), good
to 2%, and two turns of Fritsch's iteration of fourth order (1973, CACM 16, algorithm 443).
"""
import math

import numpy as np

from ..core import Primitive
from ..errors import ParameterError
from .elementwise import exp
from .formula import polynomial
from .readings import numpy_impl, xla_lower
from .structural import elementwise, elementwise_batch, promote_inexact

_BRANCH, _BRANCH_REST = 0.36787944117144233, -1.2428753672788363e-17        # 1/e and what float64 leaves of it

# W₀ and W₋₁ in t = p/0.375 - 1, p <= 0.75
_W0 = (-0.6651220510405156, 0.3004279532547436, -0.029675471861766046, 0.004028072603538003, -0.0006218205217930754,
       0.0001029394765221992, -1.780627419385381e-05, 3.1744074182592824e-06, -5.784984886606616e-07,
       1.0720437726291033e-07, -2.012996100569057e-08, 3.820237467103e-09, -7.313620628810651e-10,
       1.4105033746568467e-10, -2.7397901302054094e-11, 5.345821156278767e-12, -1.0270905880106156e-12,
       2.0211520768187898e-13, -4.9735555673979833e-14, 9.867973845594602e-15)
_W1 = (-1.4319298523751707, -0.5014574247662196, -0.0853700757281269, -0.019993649984012096, -0.005323698280317889,
       -0.0015196142545189709, -0.0004531163462299113, -0.00013921821271835113, -4.371848792709565e-05,
       -1.3958956433039644e-05, -4.5156445559842594e-06, -1.4762893294947116e-06, -4.868561355757059e-07,
       -1.6172471587425058e-07, -5.40586992004945e-08, -1.8183365343319267e-08, -6.139182266227094e-09,
       -2.056541789110234e-09, -6.995179920992266e-10, -2.6294301516177266e-10, -9.011334398794624e-11,
       -1.5725677761590608e-11, -5.368663835820532e-12, -7.377593185919398e-12, -2.555179560681617e-12)


def _turn(m, z, w):
    """One turn of Fritsch's iteration."""
    r, u = m.log(z / w) - w, w + 1.0
    q = u * (u + r * (2 / 3)) * 2.0
    return w * (r * (q - r) / (u * (q - r * 2.0)) + 1.0)


def _lambertw(branch):
    def f(m, z):
        # (z + a) + b would be compiled as z + (a + b)
        square = (z + _BRANCH) * (2 * math.e) + 2 * math.e * _BRANCH_REST
        near = square < 0.5625
        p = m.sqrt(m.where(near, m.maximum(square, 0.0), 0.5))
        close = polynomial(p * (1 / 0.375) - 1.0, _W1 if branch else _W0)
        if branch:
            v = m.where(near | (z > -1e-307), -0.2, z)
            s = -1.0 - m.log(-v)
            root = m.sqrt(s)
            inner = 0.3361 * math.sqrt(0.5) * root / (s * -0.0042 * m.exp(root * -0.0201) + 1.0)
            w = -1.0 - s - (1.0 - 1.0 / (inner + 1.0)) * (2 / 0.3361)
        else:
            tiny, far = m.abs(z) < 1e-300, z > 1.7976931348623157e308
            v = m.where(near | tiny | far, 1.0, z)
            s = m.log1p(v)
            w = s * (1.0 - m.log1p(s) / (s + 2.0))
        out = _turn(m, v, _turn(m, v, w))
        if branch:
            out = m.where(z > -1e-307, -np.inf, out)
            outside = (square < -1e-15) | (z > 0.0)
        else:
            out = m.where(tiny | far, z, out)
            outside = square < -1e-15
        return m.where(outside, np.nan, m.where(near, close, out))
    return f


_IMPL, _LOWER = ({k: make(_lambertw(k)) for k in (0, -1)} for make in (numpy_impl, xla_lower))
lambertw_p = Primitive(
    "lambertw",
    shape=elementwise,
    uniform=True,
    impl=lambda z, *, branch: _IMPL[branch](z),
    lower=lambda b, z, *, branch: _LOWER[branch](b, z),
    jvp=(lambda t, w, z, *, branch: t * (exp(-w) / (w + 1)),),
    batch=elementwise_batch,
)


def lambertw(z, k=0):
    """The real w with w exp(w) = z, of branch k: w >= -1 for k = 0, w <= -1 for k = -1; nan below -1/e.

    z : float[*batch]; for k = -1 also z <= 0     (SciPy's result is complex; this one has the dtype of z)

    >>> float(lambertw(0.0)), round(float(lambertw(2 * math.exp(2.0))), 12)
    (0.0, 2.0)
    """
    if k not in (0, -1):
        raise ParameterError(f"lambertw has the real branches k = 0 and k = -1; got k = {k!r}.")
    return lambertw_p.bind(promote_inexact(z)[0], branch=k)
