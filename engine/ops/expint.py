"""The exponential integrals Ei, E₁ and Eₙ.

Near 0 the logarithm is split off, in Ei together with the zero at 0.3725 (Cody and Thacher 1969, Math. Comp. 23);
elsewhere x exp(∓x) times the function is a polynomial in pieces. Eₙ is a power series for x <= 1 (DLMF 8.19.8) and a
continued fraction beyond (8.19.17).
"""
import math

import numpy as np

from ..core import Primitive
from ..errors import TransformError
from .elementwise import _floating, _unary, eq, exp, where
from .formula import polynomial
from .readings import numpy_impl, xla_lower
from .structural import asvalue, cast, elementwise, elementwise_batch, promote_inexact

_ROOT, _ROOT_REST = 0.3725074107813666, 1.3140183414386028e-17      # the zero of Ei, in two parts

# E₁(x) + log x in x <= 1
_E1 = (-0.5772156649015329, 1.0, -0.25, 0.0555555555555555, -0.010416666666665724, 0.0016666666666578947,
       -0.00023148148142813386, 2.8344670979202316e-05, -3.100197755740747e-06, 3.0619104191701273e-07,
       -2.7555182530381918e-08, 2.2751144030409994e-09, -1.7215779721722843e-10, 1.1409953056948934e-11,
       -5.158054777851381e-13)
# x exp(x) E₁(x) in t = 4/(1 + x) - 1, x >= 1
_E1_FAR = (0.7862512207659554, -0.19333984408509594, 0.01002278763116913, -0.007472514925030047, 0.001521878610714295,
           -0.0008216339968149819, 0.00028788525802690544, -0.00014509701161798038, 6.51860982173558e-05,
           -3.36087461401597e-05, 1.709861996279185e-05, -9.22593401680128e-06, 5.046704988317421e-06,
           -2.871821505862126e-06, 1.6551532063500388e-06, -8.324198212843076e-07, 4.7423883539472773e-07,
           -9.506285836444915e-07, 6.792869011900606e-07, 1.954646653828992e-06, -1.5273189350322319e-06,
           -5.568335882961277e-06, 4.289782708275621e-06, 1.1117351032857625e-05, -8.578760591383356e-06,
           -1.722373684135258e-05, 1.3281936977948146e-05, 2.0185206402406635e-05, -1.55619088521921e-05,
           -1.767521883935458e-05, 1.3620679286646145e-05, 1.1195255647785502e-05, -8.623015910025876e-06,
           -4.858324536247614e-06, 3.7396580082077154e-06, 1.29493828236567e-06, -9.959752467528912e-07,
           -1.610516955765576e-07, 1.2371617412598804e-07)
# (Ei(x) - log(x/r)) / (x - r), r the zero, for x <= 6; x exp(-x) Ei(x) up to 12, 24, 48; each in t from -1 to 1
_EI = (2.986772243435986, 3.8535675550242976, 3.434770585137441, 2.321720096290807, 1.26645768150805,
       0.5800776053970588, 0.22925545808420017, 0.07974156050117809, 0.024780457940573368, 0.0069618361322455295,
       0.0017851254524644405, 0.0004210737592068845, 9.197223533183093e-05, 1.8706970235171657e-05,
       3.5604150540240223e-06, 6.367638426877605e-07, 1.074113349062698e-07, 1.714739969946709e-08,
       2.597573227110029e-09, 3.7284264006836596e-10, 5.129847213573324e-11, 7.383085342518905e-12,
       9.231206270641244e-13)
_EI_12 = (1.152759208708925, -0.07402455655713283, 0.03465723048123686, -0.013833181682329998, 0.004016108921826119,
          -0.0004462508009951521, -0.0003470592417985568, 0.00029512294229713055, -0.00014106943380047895,
          5.0805263450815124e-05, -1.4682705399388032e-05, 3.390088218760429e-06, -5.656562790464769e-07,
          2.9303707252796174e-08, 2.5756521557364458e-08, -1.4544767217300627e-08, 5.352692278540428e-09,
          -1.6646234394018744e-09, 4.804924168100881e-10, -1.3032138607629062e-10, 2.9843550655990646e-11,
          -7.823848599254097e-12, 3.900223698295205e-12, -1.0813551101834336e-12)
_EI_24 = (1.063087279324784, -0.024161249507109784, 0.009396469196545304, -0.0037294908546335144,
          0.0015175834927818167, -0.0006328205480423611, 0.00026758617226159393, -0.0001122646987356369,
          4.536815541932267e-05, -1.7059840586065574e-05, 5.711565520098712e-06, -1.571309436919514e-06,
          2.701968147978826e-07, 4.0823173184780304e-08, -6.774669215788742e-08, 4.122894254613612e-08,
          -1.9037058717401664e-08, 7.46513034004737e-09, -2.5646986174521403e-09, 7.909645027406515e-10,
          -2.316077190666348e-10, 5.975535729013856e-11, -8.203352672695923e-12, -3.1427350687327053e-13)
_EI_48 = (1.0294662764409768, -0.010439891811396006, 0.003706797986422437, -0.001319202640097632,
          0.0004706770405532034, -0.00016839819335826497, 6.043351376478738e-05, -2.1761702125791393e-05,
          7.866221792319425e-06, -2.855818724995333e-06, 1.042045712633081e-06, -3.8249298190131425e-07,
          1.413911899810241e-07, -5.270084751460101e-08, 1.9835681895856814e-08, -7.552902667465984e-09,
          2.9016012555603825e-09, -1.1132916685720873e-09, 4.367810579869394e-10, -1.8268358836496024e-10,
          6.840678455537824e-11, -1.8069199459338682e-11, 7.971346186383967e-12, -5.929371565558158e-12,
          1.710719953897978e-12)
# x exp(-x) Ei(x) in t = 96/x - 1, x >= 48
_EI_FAR = (1.0106407605200176, 0.010872249401677997, 0.00023921691801802715, 8.080245428290232e-06,
           3.7277226603007834e-07, 2.204108509509743e-08, 1.605149865540121e-09, 1.401374349263078e-10,
           1.4387330646368472e-11, 1.712144423233514e-12, 2.3189173451157464e-13, 3.579586709014402e-14,
           7.502333222029546e-15, 1.5530673640836133e-15)


def _exp1(m, x):
    near = m.where(x < 1.0, x, 1.0)
    far = m.maximum(x, 1.0)
    large = polynomial(4.0 / (far + 1.0) - 1.0, _E1_FAR) * (m.exp(-far) / far)
    return m.where(x < 0.0, np.nan, m.where(x < 1.0, polynomial(near, _E1) - m.log(near), large))


def _expi(m, x):
    left = -_exp1(m, m.where(x < 0.0, -x, 1.0))
    v = m.minimum(m.where(x < 0.0, 1.0, x), 6.0)
    rest, d = polynomial(v * (1 / 3) - 1.0, _EI), v - _ROOT
    close = m.abs(d) < 0.15
    logarithm = m.where(close, m.log1p(m.where(close, d, 0.0) * (1 / _ROOT)), m.log(v * (1 / _ROOT)))
    near = (logarithm + d * rest) - (rest * _ROOT_REST + _ROOT_REST / _ROOT)
    f = m.minimum(m.maximum(x, 6.0), 1e4)
    factor = m.where(f < 12.0, polynomial((m.minimum(f, 12.0) - 9.0) * (1 / 3), _EI_12),
                     m.where(f < 24.0, polynomial((m.minimum(f, 24.0) - 18.0) * (1 / 6), _EI_24),
                             m.where(f < 48.0, polynomial((m.minimum(f, 48.0) - 36.0) * (1 / 12), _EI_48),
                                     polynomial(96.0 / m.maximum(f, 48.0) - 1.0, _EI_FAR))))
    half = m.exp(f * 0.5)
    return m.where(x < 0.0, left, m.where(x < 6.0, near, factor * half / f * half))


exp1_p = _unary("exp1", numpy_impl(_exp1), xla_lower(_exp1), lambda t, y, x: -t * (exp(-x) / x))
expi_p = _unary("expi", numpy_impl(_expi), xla_lower(_expi), lambda t, y, x: t * (exp(x) / x))
exp1 = _floating(exp1_p, "E₁(x) = ∫ₓ^∞ exp(-t)/t dt; inf at 0, nan below.")
expi = _floating(expi_p, "Ei(x) = ∫₋∞ˣ exp(t)/t dt, the principal value; -inf at 0.")


# ---- Eₙ ----

_TERMS = 23                                              # of the series, for x <= 1
_EULER = 0.5772156649015329
_TURNS = 90                                              # of the fraction, whose error at x is exp(-4 √(turns · x))
_TINY = 1e-300


def _expn(m, n, x):
    """Eₙ(x), n >= 2 an integer and x >= 0."""
    last = n - 1.0
    v = m.where(x < 1.0, m.maximum(x, _TINY), 1.0)
    # Σ (-x)ᵏ / (k! (n-1-k)) without k = n-1, where ψ(n) - log x stands
    total, power = 1.0 / last, m.zeros_like(x) + 1.0
    factor = m.zeros_like(x)                             # (-x)ⁿ⁻¹ / (n-1)!
    psi = m.zeros_like(x) - _EULER                       # ψ(n), exact for n <= 23; beyond, the factor is below 2⁻⁵⁷
    for k in range(1, _TERMS):
        power = power * v * (-1.0 / k)
        here = m.abs(last - float(k)) < 0.5
        psi = psi + m.where(last > k - 0.5, 1.0 / k, 0.0)
        factor = m.where(here, power, factor)
        total = total + m.where(here, 0.0, power / m.where(here, 1.0, last - float(k)))
    series = total + factor * (psi - m.log(v))
    # exp(-x) / (x+n - n/(x+n+2 - 2(n+1)/(x+n+4 - …))), from the end, where no error grows
    f = m.where(x < 1.0, 1.0, m.minimum(x, 1e300))
    rest = m.zeros_like(x)
    for k in range(_TURNS, 0, -1):
        rest = (n + (k - 1.0)) * float(k) / ((f + n) + 2.0 * k - rest)
    fraction = 1.0 / (f + n - rest)
    return m.where(x < 1.0, series, fraction * m.exp(-f))


def _expn_all(m, n, x):
    """With E₀(x) = exp(-x)/x and E₁; nan for negative or broken n and for negative x."""
    low, bad = n < 1.5, (n < 0.0) | ~(m.floor(n) >= n) | ~(x >= 0.0)
    high = _expn(m, m.where(low, 2.0, n), m.where(bad, 1.0, x))
    at_low = m.where(n < 0.5, m.exp(-x) / x, _exp1(m, m.where(bad, 1.0, x)))
    return m.where(bad, math.nan, m.where(low, at_low, high))


def _no_order(t, y, n, x):
    raise TransformError("expn has no derivative with respect to its order n.\nKeep it constant (stop_gradient).")


def _before(y, n, x):
    """Eₙ₋₁(x), given Eₙ(x) for n = 0 (DLMF 8.19.12)."""
    zero = eq(n, 0)
    return where(zero, (exp(-x) + y) / x, expn_p.bind(where(zero, n, n - 1), x))


expn_p = Primitive(
    "expn",                                              # n as a float of x's dtype
    shape=elementwise,
    uniform=True,
    impl=numpy_impl(_expn_all),
    lower=xla_lower(_expn_all),
    jvp=(_no_order, lambda t, y, n, x: -t * _before(y, n, x)),
    batch=elementwise_batch,
)


def expn(n, x):
    """Eₙ(x) = ∫₁^∞ exp(-xt)/tⁿ dt.   n : int[*batch], >= 0      x : float[*batch], >= 0

    >>> float(expn(2, 0.0))
    1.0
    """
    x = promote_inexact(x)[0]
    return expn_p.bind(cast(asvalue(n), x.dtype), x)
