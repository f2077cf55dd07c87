"""Special functions with one argument: erf and its kin, the normal distribution function, Bessel functions."""
import functools
import math

import numpy as np

from ..lazy import scipy_special
from .elementwise import _chlo, _floating, _unary, abs, eq, exp, sign, where
from .gammas import digamma, lgamma, polygamma  # noqa: F401

_SQRT_PI = math.sqrt(math.pi)


def scipy_impl(name):
    """SciPy's function as a primitive's meaning, in the dtype of its first argument."""
    def impl(*xs):
        return np.asarray(getattr(scipy_special, name)(*xs)).astype(xs[-1].dtype)
    return impl


erf_p = _unary("erf", scipy_impl("erf"), _chlo("erf"), lambda t, y, x: t * (2 / _SQRT_PI * exp(-x * x)))
erfc_p = _unary("erfc", scipy_impl("erfc"), _chlo("erfc"), lambda t, y, x: t * (-2 / _SQRT_PI * exp(-x * x)))
erfinv_p = _unary("erfinv", scipy_impl("erfinv"), _chlo("erf_inv"), lambda t, y, x: t * (_SQRT_PI / 2 * exp(y * y)))

erf = _floating(erf_p, "2/√π ∫₀ˣ exp(-t²) dt.")
erfc = _floating(erfc_p, "1 - erf(x), accurate where that is small.")
erfinv = _floating(erfinv_p, "The inverse of erf, on (-1, 1).")


# ---- the normal distribution function and its inverse ----

_HALF_SQRT = math.sqrt(0.5)
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


def horner(b, x, coefficients):
    """A polynomial in the builder's operations, highest power first."""
    out = b.like(x, coefficients[0])
    for c in coefficients[1:]:
        out = b.elementwise("stablehlo.add", b.elementwise("stablehlo.multiply", out, x), b.like(x, c))
    return out


def _lower_ndtri(b, p):
    """Rational functions of p - 1/2 in the centre, and of sqrt(-log p) in the tails."""
    def op(name, *xs):
        return b.elementwise("stablehlo." + name, *xs)

    def ratio(x, pair):
        return op("divide", horner(b, x, pair[0]), horner(b, x, pair[1]))

    q = op("subtract", p, b.like(p, 0.5))
    centre = op("multiply", q, ratio(op("subtract", b.like(p, 0.180625), op("multiply", q, q)), _CENTRE))
    low = op("minimum", p, op("subtract", b.like(p, 1), p))
    r = op("sqrt", op("negate", op("log", low)))
    near = b.compare("LE", r, b.like(p, 5))
    finite = op("minimum", r, b.like(p, 40))             # at p = 0 the ratio of infinities would be nan
    tail = b.select(near, ratio(op("subtract", r, b.like(p, 1.6)), _MIDDLE),
                    ratio(op("subtract", finite, b.like(p, 5)), _TAIL))
    tail = b.select(b.compare("GT", r, b.like(p, 40)), r, tail)
    tail = b.select(b.compare("LT", q, b.like(p, 0)), op("negate", tail), tail)
    return b.select(b.compare("LE", op("abs", q), b.like(p, 0.425)), centre, tail)


def _lower_ndtr(b, x):
    """erfc(-x/√2) / 2"""
    z = b.elementwise("stablehlo.multiply", x, b.like(x, -_HALF_SQRT))
    return b.elementwise("stablehlo.multiply", b.op("chlo.erfc", [z], x.aval), b.like(x, 0.5))


_DENSITY = 1 / math.sqrt(2 * math.pi)
ndtr_p = _unary("ndtr", scipy_impl("ndtr"), _lower_ndtr, lambda t, y, x: t * (_DENSITY * exp(x * x * -0.5)))
ndtri_p = _unary("ndtri", scipy_impl("ndtri"), _lower_ndtri, lambda t, y, p: t * (exp(y * y * 0.5) / _DENSITY))
ndtr = _floating(ndtr_p, "Φ(x), the normal distribution function.")
ndtri = _floating(ndtri_p, "The inverse of ndtr, accurate in the lower tail; -inf at 0, inf at 1, nan outside.")


# ---- modified Bessel functions ----

_JOIN = 20.0                                             # power series below, expansion at infinity above


@functools.cache
def _bessel_coefficients(order):
    """Lowest power first: of (x/20)² in Iₙ(x) / (x/2)ⁿ (DLMF 10.25.2), and of 20/x in √(2πx) e⁻ˣ Iₙ(x) (10.40.1)."""
    power, term = [], 1.0
    for k in range(60):
        power.append(term)
        term *= (_JOIN / 2) ** 2 / ((k + 1) * (k + 1 + order))
    far, term = [], 1.0
    for k in range(26):
        far.append(term)
        term *= -(4 * order ** 2 - (2 * k + 1) ** 2) / (8 * _JOIN * (k + 1))
    return power, far


def _lower_bessel(order):
    def lower(b, x):
        def op(name, *xs):
            return b.elementwise("stablehlo." + name, *xs)
        power, far = _bessel_coefficients(order)
        size = op("abs", x)
        near = op("minimum", size, b.like(x, _JOIN))
        scaled = op("divide", near, b.like(x, _JOIN))
        small = op("multiply", op("exponential", op("negate", near)), horner(b, op("multiply", scaled, scaled),
                                                                             power[::-1]))
        if order:
            small = op("multiply", small, op("multiply", near, b.like(x, 0.5)))
        away = op("maximum", size, b.like(x, _JOIN))
        large = op("divide", horner(b, op("divide", b.like(x, _JOIN), away), far[::-1]),
                   op("sqrt", op("multiply", away, b.like(x, 2 * math.pi))))
        out = b.select(b.compare("LT", size, b.like(x, _JOIN)), small, large)
        out = op("multiply", out, op("sign", x)) if order else out
        return b.select(b.compare("NE", x, x), x, out)
    return lower


def _i1e_slope(t, y, x):
    """I₀ - I₁ (sign x + 1/x), scaled; 1/2 at 0."""
    at_zero = eq(x, 0)
    safe = where(at_zero, np.ones((), x.dtype), x)
    return t * where(at_zero, np.asarray(0.5, x.dtype), i0e(x) - y * (sign(safe) + 1 / safe))


i0e_p = _unary("i0e", scipy_impl("i0e"), _lower_bessel(0), lambda t, y, x: t * (i1e(x) - sign(x) * y))
i1e_p = _unary("i1e", scipy_impl("i1e"), _lower_bessel(1), _i1e_slope)
i0e = _floating(i0e_p, "exp(-|x|) I₀(x), the modified Bessel function of order 0, scaled.")
i1e = _floating(i1e_p, "exp(-|x|) I₁(x), the modified Bessel function of order 1, scaled.")


def i0(x):
    """The modified Bessel function of order 0."""
    return exp(abs(x)) * i0e(x)


def i1(x):
    """The modified Bessel function of order 1."""
    return exp(abs(x)) * i1e(x)
