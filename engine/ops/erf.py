"""erf and its kin: erfc, erfcx, erfi, Dawson's integral, and the normal distribution function with its logarithm.

All stand on three smooth functions: erf(x)/x near 0, (1 + 2x) erfcx(x) on the right half line (Shepherd and Laframboise
1981, Math. Comp. 36), and x D(x). What is small in a tail is a product with exp(-x²), never a difference.
"""
import math

import numpy as np

from .elementwise import _floating, _unary, exp, gt, minimum, where
from .elementwise import abs as abs_
from .formula import polynomial
from .readings import exp_square, numpy_impl, scipy_impl, xla_lower

_SQRT_PI = math.sqrt(math.pi)
_HALF_SQRT = math.sqrt(0.5)

# (1 + 2x) exp(x²) erfc(x) in t = (x - 3)/(x + 3), 0 <= x
_ERFCX_64 = (1.2530080582697296, -0.13562110612458123, -0.047562294353451176, 0.1296451587027649, -0.11927366341527554,
          0.06830802734383974, -0.023770514919609846, 0.0025293918181241806, 0.001888690372865711,
          -0.0007798322890919704, -0.00010515990906392902, 0.00012509943856881694, 4.9500234180295395e-06,
          -2.0100852729251828e-05, -7.332447173064987e-07, 3.4730449918834743e-06, 3.6059375955111935e-07,
          -6.175922646727533e-07, -1.4710961394997167e-07, 1.0280982449402661e-07, 4.72080673199222e-08,
          -1.3924844635302213e-08, -1.1887923223951075e-08, 1.2087504427200233e-09, 2.115962671989073e-09,
          -3.5596455016217064e-11, -1.963916858054108e-10)
# erf(x)/x in x² <= 1
_ERF_64 = (1.1283791670955126, -0.37612638903183754, 0.11283791670955126, -0.026866170645131218, 0.005223977625441674,
        -0.0008548327023403001, 0.00012055332978879483, -1.4925650236967501e-05, 1.6462110782018636e-06,
        -1.636576864883207e-07, 1.4806027146128752e-08, -1.2277734486795524e-09, 9.323723518153027e-11,
        -6.1967364287877e-12, 2.8067128195611264e-13)
# the two for float32
_ERFCX_32 = (1.253008058, -0.1356211059, -0.04756229258, 0.1296451356, -0.1192736926, 0.06830839969, -0.02377032915,
             0.002527115521, 0.001888102396, -0.0007731099389, -0.000104121541, 0.000114629957, 3.858826871e-06,
             -1.148164147e-05)
_ERF_32 = (1.128379167, -0.3761263889, 0.1128379131, -0.02686613324, 0.005223783477, -0.0008542637997,
           0.0001195656257, -1.390934002e-05, 1.058938064e-06)
_ERFCX, _ERF = {8: _ERFCX_64, 4: _ERFCX_32}, {8: _ERF_64, 4: _ERF_32}
# D(x)/x in x² <= 1
_DAWSN_1 = (1.0, -0.6666666666666666, 0.26666666666666666, -0.07619047619047599, 0.016931216931213824,
            -0.0030784030783741296, 0.0004736004734243968, -6.314672907853236e-05, 7.4290248677087405e-06,
            -7.819982421878819e-07, 7.446940154801641e-08, -6.468444710287807e-09, 5.12090538955675e-10,
            -3.525183826460939e-11, 1.6377979346188602e-12)
# x D(x) for 1 <= x <= 2.75, in t from -1 to 1
_DAWSN_3 = (0.6163588183992881, -0.09416825761966284, -0.023679643016650494, 0.09799718178951583,
            -0.06830182873029625, 0.0073085289504580125, 0.01692058327885813, -0.009796720904529991,
            0.00031680871640116064, 0.0017596504327673317, -0.0006312867822891043, -8.113649470488638e-05,
            0.00011006375438190946, -1.742716095508598e-05, -8.879762693661928e-06, 3.848546651168702e-06,
            1.1724952587471141e-07, -3.909551517510839e-07, 6.067044384853343e-08, 2.279011168856541e-08,
            -8.59489934299648e-09, -4.111561087274845e-10, 6.679265602356624e-10, -6.088805116517087e-11,
            -2.9150013019229906e-11, 5.622939952664489e-12)
# x D(x) for 2.75 <= x <= 5, in t from -1 to 1
_DAWSN_5 = (0.5186876046105092, -0.012345828778697207, 0.0065170981617816565, -0.003315126984639231,
            0.0017271392753276534, -0.000913845316387617, 0.0004535672172389286, -0.00017940567501509625,
            3.151100813487698e-05, 2.6238787406690203e-05, -3.173941397042388e-05, 1.8515401164816113e-05,
            -6.14892351180303e-06, 2.1831759120162466e-07, 1.0613032802034568e-06, -6.563353113889634e-07,
            1.785600832657886e-07, 1.2219856587984067e-08, -3.2510445144950264e-08, 1.3247337754443284e-08,
            -1.4404583173567799e-09, -1.1200446834480298e-09, 6.161425426870371e-10, -8.107752308894199e-11,
            -3.833866202954938e-11, 1.4045314341605781e-11, -6.194423896851239e-13)
# x D(x) in 1/x² <= 1/25
_DAWSN_FAR = (0.5, 0.2500000000000054, 0.3749999999803188, 0.9375000286623605, 3.2812279031289173, 14.77604458188248,
              77.93641597089898, 1252.9569991355334, -113526.34379037825, 14330986.109754145, -1329794725.7677197,
              95664146029.77007, -5348203622895.291, 232509448374870.5, -7818002349697061.0, 2.0088089807869258e+17,
              -3.8618106681848433e+18, 5.363615657697392e+19, -5.0703978044681676e+20, 2.9126483476186016e+21,
              -7.657502419582587e+21)


def _erfcx_right(m, x):
    """erfcx(x) for x >= 0."""
    return polynomial(1.0 - 6.0 / (x + 3.0), m.table(_ERFCX)) / (x * 2.0 + 1.0)


def _erfcx(m, x):
    right = _erfcx_right(m, m.abs(x))
    return m.where(x < 0.0, exp_square(m, x, 1.0) * 2.0 - right, right)


def _erf(m, x):
    size = m.abs(x)
    far = 1.0 - exp_square(m, x, -1.0) * _erfcx_right(m, size)
    near = m.where(size < 1.0, x, 1.0)
    return m.where(size < 1.0, near * polynomial(near * near, m.table(_ERF)), m.where(x < 0.0, -far, far))


def _erfc(m, x):
    far = exp_square(m, x, -1.0) * _erfcx_right(m, m.abs(x))
    inside = (x > -1.0) & (x < 0.5)
    near = m.where(inside, x, 0.0)
    return m.where(inside, 1.0 - near * polynomial(near * near, m.table(_ERF)), m.where(x < 0.0, 2.0 - far, far))


def _ndtr(m, x):
    far = exp_square(m, x, -0.5) * _erfcx_right(m, m.abs(x) * _HALF_SQRT) * 0.5
    inside = (x > -0.6) & (x < 1.0)
    z = m.where(inside, x, 0.0) * _HALF_SQRT
    return m.where(inside, z * polynomial(z * z, m.table(_ERF)) * 0.5 + 0.5, m.where(x < 0.0, far, 1.0 - far))


def _log_ndtr(m, x):
    """-x²/2 + log(erfcx(-x/√2)/2) to the left of -1; log Φ(x) up to 0, log1p(-Φ(-x)) beyond."""
    size = m.abs(x)
    half = _erfcx_right(m, size * _HALF_SQRT) * 0.5
    inside, left = size < 0.6, x < -1.0
    z = m.where(inside, size, 0.0) * -_HALF_SQRT
    p = m.where(inside, z * polynomial(z * z, m.table(_ERF)) * 0.5 + 0.5, exp_square(m, x, -0.5) * half)     # Φ(-|x|)
    log = m.log(m.where(left, half, m.where(x < 0.0, p, 0.5)))
    return m.where(left, x * x * -0.5 + log, m.where(x < 0.0, log, m.log1p(-p)))


def _dawsn(m, x):
    size = m.abs(x)
    near = m.where(size < 1.0, x, 0.0)
    safe = m.where(size < 1.0, 1.0, size)
    middle = m.where(size < 2.75, polynomial((safe - 1.875) * (1 / 0.875), _DAWSN_3),
                     polynomial((m.minimum(safe, 5.0) - 3.875) * (1 / 1.125), _DAWSN_5))
    inverse = 1.0 / m.maximum(safe, 5.0)
    far = m.where(size < 5.0, middle, polynomial(inverse * inverse, _DAWSN_FAR)) / safe
    return m.where(size < 1.0, near * polynomial(near * near, _DAWSN_1), m.where(x < 0.0, -far, far))


def _erfi(m, x):
    x = m.maximum(m.minimum(x, 40.0), -40.0)             # beyond 27 the result is infinite
    return exp_square(m, x, 1.0) * (_dawsn(m, x) * (2 / _SQRT_PI))


_TAIL = 8.0
_SERIES = [1.0]                                          # Σ (2k-1)!! zᵏ⁻¹, k >= 1: DLMF 7.12.1
for _k in range(2, 20):
    _SERIES.append(_SERIES[-1] * (2 * _k - 1))


def _slope(x, near, sign):
    """near(x), and where |x| > 8 its expansion ∓Σ (2k-1)!! zᵏ with z = ±1/(2x²), which has lost no digits."""
    far = gt(abs_(x) if sign > 0 else x, _TAIL)
    one = np.ones((), x.dtype)
    z = sign * 0.5 / where(far, x, one * _TAIL) ** 2
    series = z * polynomial(z, _SERIES)
    return where(far, -sign * series, near(where(far, one * 0, x)))


_DENSITY = 1 / math.sqrt(2 * math.pi)
erf_p = _unary("erf", scipy_impl("erf"), xla_lower(_erf, True), lambda t, y, x: t * (2 / _SQRT_PI * exp(-x * x)))
erfc_p = _unary("erfc", numpy_impl(_erfc), xla_lower(_erfc, True), lambda t, y, x: t * (-2 / _SQRT_PI * exp(-x * x)))
ndtr_p = _unary("ndtr", numpy_impl(_ndtr), xla_lower(_ndtr, True), lambda t, y, x: t * (_DENSITY * exp(x * x * -0.5)))
log_ndtr_p = _unary("log_ndtr", numpy_impl(_log_ndtr), xla_lower(_log_ndtr, True), lambda t, y, x: t * (
    2 * _DENSITY / erfcx(minimum(x, 37.0) * -_HALF_SQRT)))
erfcx_p = _unary("erfcx", numpy_impl(_erfcx), xla_lower(_erfcx), lambda t, y, x: t * (2 / _SQRT_PI * _slope(
    x, lambda v: _SQRT_PI * v * where(gt(x, _TAIL), np.zeros((), x.dtype), y) - 1, -1)))
dawsn_p = _unary("dawsn", numpy_impl(_dawsn), xla_lower(_dawsn),
                 lambda t, y, x: t * _slope(x, lambda v: 1 - 2 * v * y, 1))
erfi_p = _unary("erfi", numpy_impl(_erfi), xla_lower(_erfi), lambda t, y, x: t * (2 / _SQRT_PI * exp(x * x)))

erf = _floating(erf_p, "2/√π ∫₀ˣ exp(-t²) dt.")
erfc = _floating(erfc_p, "1 - erf(x), accurate where that is small.")
ndtr = _floating(ndtr_p, "Φ(x), the normal distribution function, accurate where it is small.")
log_ndtr = _floating(log_ndtr_p, "log Φ(x), accurate in both tails.")
erfcx = _floating(erfcx_p, "exp(x²) erfc(x), which neither underflows nor loses digits to the right.")
dawsn = _floating(dawsn_p, "D(x) = exp(-x²) ∫₀ˣ exp(t²) dt, Dawson's integral.")
erfi = _floating(erfi_p, "2/√π ∫₀ˣ exp(t²) dt = -i erf(ix).")
