"""The Bessel functions J and Y of orders 0 and 1.

Up to 5 a power series with the first zero split off (and the logarithm of Y, with its zero); beyond, the phase and
amplitude form √(2/πx) (P cos χ - Q sin χ), χ = x - (n/2 + 1/4) π (DLMF 10.17.3), with P and x Q polynomials in 1/x².
Near the zeros that are not split off the error is that of the amplitude √(2/πx).
"""
import math

import numpy as np

from .bessel import _over
from .elementwise import _floating, _unary
from .formula import polynomial
from .readings import numpy_impl, xla_lower

_JOIN, _END = 5.0, 1e300                                 # beyond the end the functions are below 1e-150
_J_ROOT = ((2.404825557695773, -1.176691651530894e-16), (3.8317059702075125, -1.5269184090088067e-16))
_Y_ROOT = ((0.8935769662791675, 2.6596231539720385e-17), (2.197141326031017, -4.8259835876454966e-17))

# J₀(x)/(x² - r²), J₁(x)/(x (x² - r²)), (Y₀(x) - 2/π log(x/s) J₀(x)) / (x² - s²) and x (Y₁(x) - …) / (x² - s²)
# in t = 2x²/25 - 1, r and s the first zeros
_J0 = (-0.05728080421634534, 0.07436630462755323, -0.03277786210789048, 0.0073758943041960165, -0.0010134053469850017,
       9.414473580700135e-05, -6.319318618323799e-06, 3.211562351656348e-07, -1.2795360165467605e-08,
       4.10569126491266e-10, -1.0840785987858085e-11, 2.397233294995e-13, -4.504988472426785e-15,
       7.289086908797623e-17, -1.0247843159034098e-18)
_J1 = (-0.01587595431164548, 0.013090777521810029, -0.004240225993395717, 0.0007552540432951285,
       -8.592956232073762e-05, 6.814683895178348e-06, -3.991381169521697e-07, 1.7995159919477946e-08,
       -6.443130987407829e-10, 1.8773820373349458e-11, -4.540045818265696e-13, 9.260767006661193e-15,
       -1.615111780157618e-16, 2.4377326942569336e-18, -3.211886258873469e-20)
_Y0 = (0.04369395865345562, -0.08232444048547904, 0.043384163108311995, -0.010937413263231737, 0.001630887684677608,
       -0.00016139930236278314, 1.1402137314266576e-05, -6.047467152253385e-07, 2.498938617370707e-08,
       -8.277113318097905e-10, 2.247640636672534e-11, -5.096236223421841e-13, 9.795773457097693e-15,
       -1.6167825708474529e-16, 2.3178206351012686e-18, -2.9100150502213434e-20)
_Y1 = (0.17298478880663093, -0.0628056068748724, -0.05922375910120821, 0.035354692634762715, -0.008150603950801034,
       0.0010836111174126434, -9.582296150086878e-05, 6.09544135818013e-06, -2.935314287498818e-07,
       1.1098242427798795e-08, -3.3867205457354423e-10, 8.524118225782511e-12, -1.800904817185736e-13,
       3.2405391505316983e-15, -5.0307006832514676e-17, 6.799137459295096e-19)
# P of order 0 and 1, x Q of order 0 and 1, in t = 50/x² - 1, x >= 5
_P0 = (0.9986347659091991, -0.0013274931272003324, 3.49173058123235e-05, -2.4599633255626353e-06,
       2.9759006198814616e-07, -5.0864251336242376e-08, 1.1058694645395798e-08, -2.8711174517114804e-09,
       8.54333353527064e-10, -2.826933790146138e-10, 1.0222481695617527e-10, -4.171359959161613e-11,
       1.7662104054893337e-11, -3.905191859591994e-12, 1.2301824392475191e-12, -5.48124433789587e-12,
       3.2112251221807147e-12, 2.212266137520626e-12, -1.4100304551624328e-12, -9.362306733713465e-13,
       5.682684156147412e-13)
_P1 = (1.0022906462560661, 0.0022414632139171197, -4.5782806531033735e-05, 2.9786211094498147e-06,
       -3.466718727773931e-07, 5.7916602664568055e-08, -1.240311769426231e-08, 3.185563668348202e-09,
       -9.40207832322745e-10, 3.0914867218285957e-10, -1.1121841492323424e-10, 4.513251147397199e-11,
       -1.90330076859151e-11, 4.275483656948167e-12, -1.3623592537943857e-12, 5.80318129482217e-12,
       -3.392929117964213e-12, -2.3277547509690364e-12, 1.4826945801821902e-12, 9.88566081106912e-13,
       -5.992923727675507e-13)
_Q0 = (-0.12361496352611864, 0.0013142139729102346, -6.338715442540966e-05, 6.239113170815735e-06,
       -9.409875203581585e-07, 1.8870294786314215e-07, -4.63979856123555e-08, 1.3296934736360734e-08,
       -4.2942855461912505e-09, 1.5258744858315523e-09, -5.866947098515765e-10, 2.438587952360623e-10,
       -1.0663244144919144e-10, 3.960590148815955e-11, -1.7152476195823825e-11, 2.790755278384472e-11,
       -1.7089734275727756e-11, -1.9362624892821986e-11, 1.358909410556129e-11, 2.01072202410092e-11,
       -1.3540306589308429e-11, -9.41741324101906e-12, 6.393443832221997e-12, 2.3965350143310864e-12,
       -1.6031922218679855e-12)
_Q1 = (0.3730474331740802, -0.0018648496218413005, 7.898094177981672e-05, -7.369927948880607e-06,
       1.0798853788425984e-06, -2.1266738116230132e-07, 5.164166241580384e-08, -1.4664562759348017e-08,
       4.702225576301384e-09, -1.661953165269273e-09, 6.386145710593022e-10, -2.619513968106264e-10,
       1.050476212684586e-10, -4.6093574250883545e-11, 4.166373940168337e-11, -2.3614060194991713e-11,
       -1.9029480081634983e-11, 1.3633978111231898e-11, 2.4853703760401125e-11, -1.6408035733800553e-11,
       -1.1918281857629639e-11, 7.983543496962815e-12, 3.3207752699412695e-12, -2.183683436309388e-12)


def _far(m, x, order, second):
    """J, or Y (`second`), for x >= 5."""
    z = 1.0 / (x * x)
    p, q = polynomial(z * 50.0 - 1.0, _P1 if order else _P0), polynomial(z * 50.0 - 1.0, _Q1 if order else _Q0) / x
    s, c = m.sin(x), m.cos(x)
    # cos χ and sin χ times √2
    cosine, sine = (s - c, -(s + c)) if order else (c + s, s - c)
    wave = p * sine + q * cosine if second else p * cosine - q * sine
    return wave * m.sqrt(1.0 / (x * math.pi))


def _square_less(v, root):
    """v² - (root[0] + root[1])²"""
    return (v - root[0]) * (v + root[0]) - 2 * root[0] * root[1]


def _near_j(v, order):
    even = _square_less(v, _J_ROOT[order]) * polynomial(v * v * 0.08 - 1.0, _J1 if order else _J0)
    return even * v if order else even


def _j(order):
    def f(m, x):
        size = m.minimum(m.abs(x), _END)
        near = _near_j(m.minimum(size, _JOIN), order)
        out = m.where(size < _JOIN, near, _far(m, m.maximum(size, _JOIN), order, False))
        out = m.where(size < _END, out, size * 0.0)
        return m.where(x < 0.0, -out, out) if order else out
    return f


def _y(order):
    root, rest = _Y_ROOT[order]

    def f(m, x):
        v = m.minimum(m.where(x < 0.0, 1.0, x), _JOIN)
        d = v - root
        close = m.abs(d) < 0.28 * root
        logarithm = m.where(close, m.log1p(m.where(close, d, 0.0) * (1 / root)), m.log(v * (1 / root)))
        logarithm = logarithm - rest / root
        j = _near_j(v, order)
        smooth = _square_less(v, _Y_ROOT[order]) * polynomial(v * v * 0.08 - 1.0, _Y1 if order else _Y0)
        if order:
            smooth = smooth / v
            j = m.where(v > 0.0, j * logarithm, 0.0)
        else:
            j = j * logarithm
        near = j * (2 / math.pi) + smooth
        out = m.where(x < _JOIN, near, _far(m, m.minimum(m.maximum(x, _JOIN), _END), order, True))
        return m.where(x < 0.0, np.nan, m.where(x < _END, out, m.minimum(x, _END) * 0.0))
    return f


j0_p = _unary("j0", numpy_impl(_j(0)), xla_lower(_j(0)), lambda t, y, x: -t * j1(x))
j1_p = _unary("j1", numpy_impl(_j(1)), xla_lower(_j(1)), lambda t, y, x: t * (j0(x) - _over(y, x, 0.5)))
y0_p = _unary("y0", numpy_impl(_y(0)), xla_lower(_y(0)), lambda t, y, x: -t * y1(x))
y1_p = _unary("y1", numpy_impl(_y(1)), xla_lower(_y(1)), lambda t, y, x: t * (y0(x) - y / x))

j0 = _floating(j0_p, "J₀(x), the Bessel function of the first kind.")
j1 = _floating(j1_p, "J₁(x), the Bessel function of the first kind.")
y0 = _floating(y0_p, "Y₀(x), the Bessel function of the second kind; -inf at 0, nan below.")
y1 = _floating(y1_p, "Y₁(x), the Bessel function of the second kind; -inf at 0, nan below.")
