"""The inverses of the normal distribution function and of erf, in p, in 1 - p and in log p.

One core: rational functions of p - 1/2 in the centre and of √(-log p) in the tail (Wichura 1988, algorithm AS 241,
PPND16), with both given by the caller, who knows them exactly. Below log p = -729 the expansion of log Φ is inverted.
"""
import math

from .elementwise import _floating, _unary, exp
from .erf import erfcx
from .readings import numpy_impl, polynomial, xla_lower
from .special import _CENTRE, _MIDDLE, _TAIL

_SQRT_PI, _HALF_SQRT = math.sqrt(math.pi), math.sqrt(0.5)
_LN2, _LN2_REST = math.log(2), 2.3190468138462996e-17    # log 2 and what float64 leaves of it
_MILLS = [(-1) ** k * math.prod(range(1, 2 * k, 2)) for k in range(9)]       # x Φ(-x)/φ(x) in 1/x², DLMF 7.12.1


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


erfcinv_p = _unary("erfcinv", numpy_impl(_erfcinv), xla_lower(_erfcinv),
                   lambda t, y, x: t * (-_SQRT_PI / 2 * exp(y * y)))
ndtri_exp_p = _unary("ndtri_exp", numpy_impl(_ndtri_exp), xla_lower(_ndtri_exp),
                     lambda t, x, y: t * (_SQRT_PI * _HALF_SQRT * erfcx(x * -_HALF_SQRT)))

erfcinv = _floating(erfcinv_p, "The inverse of erfc, on (0, 2), accurate for small x.")
ndtri_exp = _floating(ndtri_exp_p, "The inverse of log_ndtr: Φ⁻¹(exp y), y <= 0, where exp y underflows and where it "
                                   "is near 1.")
