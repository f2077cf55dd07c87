"""Integrals of elementary functions: sine and cosine integrals, their hyperbolic kin, Fresnel's, and the dilogarithm.

Near 0 a power series, with the logarithm and the first zero split off where there are any; far out the auxiliary
functions f and g of DLMF 6.2.17 and 7.2.10 times sine and cosine.
"""
import math

import numpy as np

from .elementwise import _floating, _unary, cos, cosh, log1p, sin, sinh, where
from .elementwise import abs as abs_
from .expint import _exp1, _expi
from .formula import polynomial
from .readings import numpy_impl, xla_lower

_CI_ROOT, _CI_REST = 0.6165054856207163, -4.209920321433186e-17
_CHI_ROOT, _CHI_REST = 0.5238225713898644, -2.6671382575502846e-17

# Si(x)/x and (Ci(x) - log(x/r)) / (x² - r²), r the first zero, in x² <= 6.25
_SI = (1.0, -0.05555555555555555, 0.0016666666666666668, -2.8344671201814057e-05, 3.0619243582206375e-07,
       -2.2774643986749856e-09, 1.2353110642822898e-11, -5.0981091208563994e-14, 1.6537975299339252e-16,
       -4.3265066888880277e-19, 9.305158411902616e-22, -1.5877517004673165e-24)
_CI = (-0.2460741137876754, 0.01032913175886613, -0.00023030713252296953, 3.089749541206051e-06,
       -2.7491313945179077e-08, 1.7366199240189447e-10, -8.182048617402484e-13, 2.983878213146454e-15,
       -8.66952864565019e-18, 2.0535695685890608e-20, -4.035778803048764e-23, 6.363591276216418e-26)
# x f(x) and x² g(x) in t = 10/(2.5 + x) - 1, x >= 2.5
_SICI_F = (0.9697638998861035, -0.0701341614910891, -0.04857332840125803, -0.007643161916981601,
           0.0008020299604050578, -0.0004029814480422884, -8.839027501634412e-05, 5.5571577307269955e-05,
           -2.8466696943837092e-05, 5.646774769652409e-06, 1.018509763103112e-06, -2.149133485913271e-06,
           1.4009562578954344e-06, -6.334278660930286e-07, 1.6606962296917468e-07, 2.5986332056969155e-08,
           -5.496389560235276e-08, 4.6725574381986826e-08, -6.545974141296028e-08, 4.35602216059373e-08,
           3.32561120198783e-08, -3.6897399789349674e-08, -3.2810232160753415e-08, 3.252190089283546e-08,
           2.1731112217197062e-08, -2.2616774776519414e-08, -5.333903009959821e-09, 7.335673265119663e-09,
           2.7910728756099526e-10, -8.426460020758897e-10)
_SICI_G = (0.9171632787677866, -0.17806123483851954, -0.09681023074295231, 0.007584849289213897, 0.006627280888803045,
           -0.0026102212582917008, 0.0004419164900137982, 0.0002118571662855976, -0.00020146799291912714,
           9.563138398409316e-05, -2.432484810372451e-05, -3.921063053102343e-06, 9.543544158521741e-06,
           -7.140966932270004e-06, 3.6646298034059277e-06, -1.25380977653482e-06, 6.149236324830445e-08,
           3.389754242679191e-07, -3.9123887321961673e-07, 3.103482732749242e-07, -1.1170814451289222e-07,
           -4.328023351305507e-08, -6.76726327194897e-08, 1.7211268619253713e-07, 7.482509737842582e-08,
           -2.5085671741972384e-07, -2.0217584638151475e-08, 2.127569709463448e-07, -4.866003141648951e-09,
           -1.3874651725791694e-07, 2.4636514807272653e-08, 5.365345595557687e-08, -1.7287324843604653e-08,
           -8.518177328201354e-09, 3.6480730242054946e-09)
# Shi(x)/x and (Chi(x) - log(x/r)) / (x² - r²) in x² <= 4
_SHI = (1.0, 0.05555555555555555, 0.0016666666666666668, 2.834467120181405e-05, 3.0619243582208185e-07,
        2.2774643986573914e-09, 1.2353110657609587e-11, 5.098108506098662e-14, 1.653817803000221e-16,
        4.323044247506732e-19, 9.6976269970425e-22)
_CHI = (0.2528757224905795, 0.010480416874324244, 0.00023233422357854934, 3.10777298325319e-06, 2.76051174333083e-08,
        1.7419801847259086e-10, 8.201592763097682e-13, 2.9895555977616904e-15, 8.683056806809453e-18,
        2.0548312546397053e-20, 4.19629364164233e-23)
# S(x)/x³ and C(x)/x in t = 2 (x/1.6)⁴ - 1, x <= 1.6
_FRESNEL_S = (0.288939362640846, -0.17613565013954474, 0.0501329525923023, -0.0076292787449018, 0.0007142320312442512,
              -4.5168950886222963e-05, 2.0578118582021085e-06, -7.074441231591924e-08, 1.9005637160981803e-09,
              -4.10024144969521e-11, 7.260215645911067e-13, -1.0741411318927959e-14, 1.3482383409394901e-16,
              -1.452773658812721e-18)
_FRESNEL_C = (0.44345811214457076, -0.3498350978515388, 0.1664430599115466, -0.03562664664995552,
              0.004287818385201313, -0.00033077607764282177, 1.7764277351419312e-05, -7.02832015416403e-07,
              2.1346450716406152e-08, -5.135328119489232e-10, 1.0029390681449081e-11, -1.622112911249621e-13,
              2.209463418156988e-15, -2.567253759744819e-17)
# πx f(x) and π²x³ g(x) in t = 2 (1.6/x)² - 1, x >= 1.6
_FRESNEL_F = (0.9895994512842753, -0.0189100624365262, -0.006373469819872076, 0.002055427817100407,
              -0.0002703043285293091, -7.900696183073448e-05, 7.476102340422563e-05, -3.2697658182681414e-05,
              8.544072636603187e-06, 3.3656540097189137e-07, -2.1490875337515896e-06, 1.6910338203559038e-06,
              -9.111572712338469e-07, 3.6447088480350605e-07, -7.722609854020802e-08, -5.423394338631736e-08,
              7.595039751327858e-08, -1.1673059911899811e-08, -2.933391867418673e-09, -8.766518990530124e-08,
              7.148691551379562e-08, 8.834477145071992e-08, -8.551152375711807e-08, -7.486072992609478e-08,
              7.344941592403798e-08, 4.329994443452601e-08, -4.453998256481686e-08, -1.1941823814544562e-08,
              1.4296991572622925e-08, 1.0874352975555143e-09, -1.7717623390425514e-09)
_FRESNEL_G = (0.9517793264112228, -0.08222406658906688, -0.019534782196707182, 0.012225560091469894,
              -0.003222808579105033, 2.805570041865028e-05, 0.0005141262159844572, -0.00035375969958223056,
              0.0001513053453459793, -3.65871933066498e-05, -7.907763331011166e-06, 1.702774981156049e-05,
              -1.3432957488234496e-05, 7.668293940161863e-06, -3.2957999994302016e-06, 7.86290722338427e-07,
              3.498501983795464e-07, -6.005885329873117e-07, 4.266758312159443e-07, -4.4346275238879586e-07,
              6.027812225896371e-07, -1.4341930725088517e-08, -7.541900813324814e-07, -8.252885597326877e-08,
              1.2059877920522375e-06, 2.2725116090664525e-08, -1.4449930783076132e-06, 1.6942099680607758e-07,
              1.1819286358863074e-06, -2.4580056674742545e-07, -6.787182796024936e-07, 2.0655064395271022e-07,
              2.349619808956023e-07, -9.371594676183609e-08, -3.521564652765e-08, 1.6841919435200956e-08)
# Li₂(w)/w in |w| <= 1/2
_DILOG = (1.0, 0.25, 0.1111111111111114, 0.06250000000000026, 0.03999999999992735, 0.0277777777777094,
          0.020408163272706586, 0.015625000006964984, 0.012345678620071982, 0.009999999630819968,
          0.008264475224742215, 0.006944456127937038, 0.005916906238437058, 0.005101802238547703,
          0.0044479405267501045, 0.003909539736034675, 0.0034268430086772748, 0.0030550272783744933,
          0.0029921777280382997, 0.002708941100080044, 0.0012458137377980804, 0.001105035367397442,
          0.005036423787788005, 0.004694583689074954, -0.004420875122296842, -0.004180203098515801,
          0.007316288151195722, 0.006858419738802706)


# ---- Si, Ci, Shi, Chi ----

def _si(m, x):
    size = m.minimum(m.abs(x), 1e300)
    near, far = m.where(size < 2.5, x, 0.0), m.maximum(size, 2.5)
    t = 10.0 / (far + 2.5) - 1.0
    out = (math.pi / 2 - polynomial(t, _SICI_F) / far * m.cos(far)) - polynomial(t, _SICI_G) / far / far * m.sin(far)
    return m.where(size < 2.5, near * polynomial(near * near, _SI), m.where(x < 0.0, -out, out))


def _with_logarithm(m, v, table, root, rest):
    """log(v/r) + (v² - r²) p(v²), whose zero is r = root + rest."""
    d = v - root
    close = m.abs(d) < 0.2
    logarithm = m.where(close, m.log1p(m.where(close, d, 0.0) * (1 / root)), m.log(v * (1 / root)))
    p = polynomial(v * v, table)
    return (logarithm + d * ((v + root) * p)) - (p * (2 * root * rest) + rest / root)


def _ci(m, x):
    size = m.minimum(m.abs(x), 1e300)
    near = _with_logarithm(m, m.where(size < 2.5, size, 1.0), _CI, _CI_ROOT, _CI_REST)
    far = m.maximum(size, 2.5)
    t = 10.0 / (far + 2.5) - 1.0
    out = polynomial(t, _SICI_F) / far * m.sin(far) - polynomial(t, _SICI_G) / far / far * m.cos(far)
    return m.where(size < 2.5, near, out)


def _shi(m, x):
    size = m.abs(x)
    near, far = m.where(size < 2.0, x, 0.0), m.maximum(size, 2.0)
    out = (_expi(m, far) + _exp1(m, far)) * 0.5
    return m.where(size < 2.0, near * polynomial(near * near, _SHI), m.where(x < 0.0, -out, out))


def _chi(m, x):
    size = m.abs(x)
    near = _with_logarithm(m, m.where(size < 2.0, size, 1.0), _CHI, _CHI_ROOT, _CHI_REST)
    far = m.maximum(size, 2.0)
    return m.where(size < 2.0, near, (_expi(m, far) - _exp1(m, far)) * 0.5)


def _over_x(f, x, sign):
    """f(x)/x for f = sin (sign -1) or sinh (1): the power series for |x| < 1/2, of which derivatives are exact."""
    near = abs_(x) < 0.5
    v, far = where(near, x, np.zeros((), x.dtype)), where(near, np.ones((), x.dtype), x)
    return where(near, polynomial(v * v, [sign ** k / math.factorial(2 * k + 1) for k in range(9)]), f(far) / far)


si_p = _unary("si", numpy_impl(_si), xla_lower(_si), lambda t, y, x: t * _over_x(sin, x, -1))
ci_p = _unary("ci", numpy_impl(_ci), xla_lower(_ci), lambda t, y, x: t * (cos(x) / x))
shi_p = _unary("shi", numpy_impl(_shi), xla_lower(_shi), lambda t, y, x: t * _over_x(sinh, x, 1))
chi_p = _unary("chi", numpy_impl(_chi), xla_lower(_chi), lambda t, y, x: t * (cosh(x) / x))
_sinint, _cosint, _sinhint, _coshint = (_floating(p, "") for p in (si_p, ci_p, shi_p, chi_p))


# ---- Fresnel's integrals ----

def _mod4(m, x):
    return x - m.floor(x * 0.25) * 4.0


def _angle(m, x):
    """π/2 (x² modulo 4), from the exact square of x in three parts."""
    h = m.head(x)
    rest = x - h
    return (_mod4(m, h * h) + _mod4(m, h * rest * 2.0) + _mod4(m, rest * rest)) * (math.pi / 2)


def _fresnel(cosine):
    near_table = _FRESNEL_C if cosine else _FRESNEL_S

    def f(m, x):
        size = m.minimum(m.abs(x), 1e17)
        near = m.where(size < 1.6, x, 0.0)
        square = near * near
        small = near * polynomial(square * square * (2 / 1.6 ** 4) - 1.0, near_table)
        small = small if cosine else small * square
        far = m.maximum(size, 1.6)
        z = 1.0 / (far * far)
        t = z * (2 * 1.6 ** 2) - 1.0
        f, g = polynomial(t, _FRESNEL_F) / (far * math.pi), polynomial(t, _FRESNEL_G) * z / (far * math.pi ** 2)
        angle = _angle(m, far)
        s, c = m.sin(angle), m.cos(angle)
        out = (f * s + 0.5) - g * c if cosine else (0.5 - f * c) - g * s
        return m.where(size < 1.6, small, m.where(x < 0.0, -out, out))
    return f


_HALF_PI = math.pi / 2
fresnel_s_p = _unary("fresnel_s", numpy_impl(_fresnel(False)), xla_lower(_fresnel(False)),
                     lambda t, y, x: t * sin(_HALF_PI * (x * x)))
fresnel_c_p = _unary("fresnel_c", numpy_impl(_fresnel(True)), xla_lower(_fresnel(True)),
                     lambda t, y, x: t * cos(_HALF_PI * (x * x)))
_fresnel_s, _fresnel_c = _floating(fresnel_s_p, ""), _floating(fresnel_c_p, "")


# ---- the dilogarithm ----

def _spence(m, z):
    """Li₂(1 - z) by its series for 1/2 <= z <= 3/2; z -> 1/z above, z -> 1 - z below (DLMF 25.12.4, 25.12.6)."""
    above = z > 1.5
    u = m.where(above, 1.0 / m.where(above, z, 1.0), m.maximum(z, 0.0))
    below = u < 0.5
    w = m.where(below, u, 1.0 - u)
    direct = w * polynomial(w, _DILOG)
    low = m.where(below & (u > 0.0), u, 0.25)
    product = m.where(u > 0.0, m.log(low) * m.log1p(-low), 0.0)
    out = m.where(below, (math.pi ** 2 / 6 - product) - direct, direct)
    logarithm = m.log(m.where(above, z, 1.0))
    out = m.where(above, -out - logarithm * logarithm * 0.5, out)
    return m.where(z < 0.0, np.nan, m.where(z > 1e308, -np.inf, out))


def _spence_slope(z):
    """log(z) / (1 - z), -1 at z = 1: a power series there, of which derivatives are exact."""
    w = z - 1
    near = abs_(w) < 1e-3
    v, far = where(near, w, np.zeros((), z.dtype)), where(near, np.ones((), z.dtype), w)
    return -where(near, polynomial(v, [(-1) ** k / (k + 1) for k in range(8)]), log1p(far) / far)


spence_p = _unary("spence", numpy_impl(_spence), xla_lower(_spence), lambda t, y, z: t * _spence_slope(z))
spence = _floating(spence_p, "∫₁ᶻ log(t)/(1 - t) dt = Li₂(1 - z), z >= 0.")


def sici(x):
    """(Si(x), Ci(x)): ∫₀ˣ sin(t)/t dt, and γ + log |x| + ∫₀ˣ (cos(t) - 1)/t dt."""
    return _sinint(x), _cosint(x)


def shichi(x):
    """(Shi(x), Chi(x)): ∫₀ˣ sinh(t)/t dt, and γ + log |x| + ∫₀ˣ (cosh(t) - 1)/t dt."""
    return _sinhint(x), _coshint(x)


def fresnel(x):
    """(S(x), C(x)): ∫₀ˣ sin(πt²/2) dt and ∫₀ˣ cos(πt²/2) dt.

    >>> [float(v).__round__(4) for v in fresnel(1.0)]
    [0.4383, 0.7799]
    """
    return _fresnel_s(x), _fresnel_c(x)
