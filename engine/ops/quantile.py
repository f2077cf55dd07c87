"""The inverses of the normal distribution function and of erf, in p, in 1 - p and in log p.

One core: rational functions of p - 1/2 in the centre and of √(-log p) in the tail (Wichura 1988, algorithm AS 241,
PPND16), with both given by the caller, who knows them exactly. Below log p = -729 the expansion of log Φ is inverted.
"""
import math

from .elementwise import _floating, _unary, exp
from .erf import erfcx
from .formula import polynomial
from .readings import numpy_impl, scipy_impl, xla_lower

_SQRT_PI, _HALF_SQRT = math.sqrt(math.pi), math.sqrt(0.5)
_LN2, _LN2_REST = math.log(2), 2.3190468138462996e-17    # log 2 and what float64 leaves of it
_DENSITY = 1 / math.sqrt(2 * math.pi)
_MILLS = [(-1) ** k * math.prod(range(1, 2 * k, 2)) for k in range(9)]       # x Φ(-x)/φ(x) in 1/x², DLMF 7.12.1
# Wichura (1988), algorithm AS 241, PPND16: numerators and denominators, highest power first
_CENTRE = ([2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
            1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0],
           [5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
            5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0])
_MIDDLE = ([7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
            3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0],
           [1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
            6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0])
_TAIL = ([2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
          2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0],
         [2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
          1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0])


def _ratio(x, pair):
    top, bottom = pair
    return polynomial(x, top[::-1]) / polynomial(x, bottom[::-1])


def _centre(q):
    """Φ⁻¹(1/2 + q), |q| <= 0.425."""
    return q * _ratio(0.180625 - q * q, _CENTRE)


def _tail(m, r):
    """-Φ⁻¹(p) for p = exp(-r²) < 0.075, r < 27.5; ∞ at ∞."""
    near = r < 5.0
    size = m.where(near, _ratio(m.where(near, r, 5.0) - 1.6, _MIDDLE),
                   _ratio(m.minimum(m.where(near, 5.0, r), 40.0) - 5.0, _TAIL))
    return m.where(r > 40.0, r, size)


def _from(m, q, low):
    """Φ⁻¹(1/2 + q), where `low` is the smaller of p and 1 - p."""
    inside = m.abs(q) <= 0.425
    tail = _tail(m, m.sqrt(-m.log(m.where(inside, 0.05, low))))
    return m.where(inside, _centre(m.where(inside, q, 0.0)), m.where(q < 0.0, -tail, tail))


def _ndtri(m, p):
    return _from(m, p - 0.5, m.minimum(p, 1.0 - p))


def _erfinv(m, x):
    return _from(m, x * 0.5, 0.5 - m.abs(x) * 0.5) * _HALF_SQRT


def _erfcinv(m, x):
    return _from(m, 0.5 - x * 0.5, m.minimum(x, 2.0 - x) * 0.5) * _HALF_SQRT


def _far_left(m, size):
    """x with log Φ(-x) = -size, size > 700: x² = 2 (size - log(x √(2π)) + log(1 - 1/x² + …)), solved for x²."""
    square = size * 2.0 - m.log(size * (4 * math.pi))
    for _ in range(4):                                   # each turn divides the error by x² > 1400
        square = size * 2.0 - m.log(square * (2 * math.pi)) + m.log(polynomial(1.0 / square, _MILLS)) * 2.0
    return m.sqrt(square)


def _ndtri_exp(m, y):
    e = m.expm1(y + _LN2)
    q = (e + (e + 1.0) * _LN2_REST) * 0.5                # (y + a) + b would be compiled as y + (a + b)
    left = y < -_LN2
    minus_log = m.where(left, -y, -m.log(-m.expm1(m.where(left, -0.5, y))))
    inside = m.abs(q) <= 0.425
    far = minus_log > 720.0
    tail = _tail(m, m.sqrt(m.where(inside, 3.0, m.where(far, 700.0, minus_log))))
    beyond = minus_log > 1e300
    tail = m.where(far, _far_left(m, m.where(far & ~beyond, minus_log, 1e3)), tail)
    tail = m.where(beyond, m.sqrt(minus_log) * math.sqrt(2), tail)
    return m.where(inside, _centre(m.where(inside, q, 0.0)), m.where(left, -tail, tail))


ndtri_p = _unary("ndtri", scipy_impl("ndtri"), xla_lower(_ndtri, True),
                 lambda t, y, p: t * (exp(y * y * 0.5) / _DENSITY))
erfinv_p = _unary("erfinv", scipy_impl("erfinv"), xla_lower(_erfinv, True),
                  lambda t, y, x: t * (_SQRT_PI / 2 * exp(y * y)))
erfcinv_p = _unary("erfcinv", scipy_impl("erfcinv"), xla_lower(_erfcinv, True),
                   lambda t, y, x: t * (-_SQRT_PI / 2 * exp(y * y)))
ndtri_exp_p = _unary("ndtri_exp", numpy_impl(_ndtri_exp), xla_lower(_ndtri_exp),
                     lambda t, x, y: t * (_SQRT_PI * _HALF_SQRT * erfcx(x * -_HALF_SQRT)))

ndtri = _floating(ndtri_p, "The inverse of ndtr, accurate in the lower tail; -inf at 0, inf at 1, nan outside.")
erfinv = _floating(erfinv_p, "The inverse of erf, on (-1, 1).")
erfcinv = _floating(erfcinv_p, "The inverse of erfc, on (0, 2), accurate for small x.")
ndtri_exp = _floating(ndtri_exp_p, "The inverse of log_ndtr: Φ⁻¹(exp y), y <= 0, where exp y underflows and where it "
                                   "is near 1.")
