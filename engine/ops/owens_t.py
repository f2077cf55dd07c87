"""Owen's T function, the probability of {X > h, 0 < Y < aX} for independent standard normal X and Y.

exp(-h²/2) stands before the integral (1/2π) ∫₀ᵃ exp(-h²x²/2)/(1 + x²) dx, whose integrand is positive and smooth: for
|a| <= 1 Gauss and Legendre's rule with 24 nodes on [0, min(a, 8.6/h)] leaves 2⁻⁵⁸ of it. Larger a go over to
(ah, 1/a) by Owen (1956), Ann. Math. Stat. 27, equation 2.3, written in upper tails. Patefield and Tandy (2000, J. Stat.
Soft. 5) choose among six methods instead; one method without branches is quicker for arrays.
"""
import math

from ..core import Primitive
from .elementwise import exp
from .erf import _ndtr, erf
from .readings import exp_square, numpy_impl, xla_lower
from .structural import elementwise, elementwise_batch, promote_inexact

# of Gauss and Legendre on [0, 1]
_NODES = (0.00240639000148932, 0.012635722014345251, 0.030862723998633622, 0.056792236497799485, 0.08999900701304854,
          0.12993790421072282, 0.17595317403151223, 0.22728926430558022, 0.2831032461869774, 0.3424786601519183,
          0.40444056626319186, 0.4679715535686972, 0.5320284464313028, 0.5955594337368082, 0.6575213398480817,
          0.7168967538130225, 0.7727107356944197, 0.8240468259684878, 0.8700620957892772, 0.9100009929869515,
          0.9432077635022005, 0.9691372760013663, 0.9873642779856547, 0.9975936099985107)
_WEIGHTS = (0.0061706148999936, 0.014265694314466832, 0.022138719408709904, 0.02964929245771839, 0.03667324070554015,
            0.04309508076597664, 0.04880932605205694, 0.05372213505798282, 0.0577528340268628, 0.060835236463901696,
            0.06291872817341415, 0.06396909767337608, 0.06396909767337608, 0.06291872817341415, 0.060835236463901696,
            0.0577528340268628, 0.05372213505798282, 0.04880932605205694, 0.04309508076597664, 0.03667324070554015,
            0.02964929245771839, 0.022138719408709904, 0.014265694314466832, 0.0061706148999936)


def _integral(m, h, a):
    """T(h, a) for h >= 0 and 0 <= a <= 1."""
    end = m.minimum(a, 8.6 / m.maximum(h, 1e-300))
    square = end * end
    rate = h * end
    rate = rate * rate * -0.5
    total = m.zeros_like(h)
    for x, w in zip(_NODES, _WEIGHTS):
        total = total + m.exp(rate * x ** 2) * w / (square * x ** 2 + 1.0)
    return exp_square(m, h, -0.5) * end * (total * (0.5 / math.pi))


def _owens_t(m, h, a):
    size, height = m.abs(a), m.minimum(m.abs(h), 1e4)
    over = size > 1.0
    slope = m.minimum(m.where(over, size, 1.0), 1e300)
    turned = height * slope
    value = _integral(m, m.where(over, turned, height), m.where(over, 1.0 / slope, size))
    p, q = _ndtr(m, -height), _ndtr(m, -turned)
    value = m.where(over, p * 0.5 + ((q * 0.5 - p * q) - value), value)
    return m.where(a < 0.0, -value, value)


owens_t_p = Primitive(
    "owens_t",
    shape=elementwise,
    uniform=True,
    impl=numpy_impl(_owens_t),
    lower=xla_lower(_owens_t),
    jvp=(lambda t, y, h, a: t * (-0.5 / math.sqrt(2 * math.pi) * exp(h * h * -0.5) * erf(a * h * math.sqrt(0.5))),
         lambda t, y, h, a: t * (exp(h * h * (a * a + 1) * -0.5) / ((a * a + 1) * (2 * math.pi)))),
    batch=elementwise_batch,
)


def owens_t(h, a):
    """T(h, a) = 1/2π ∫₀ᵃ exp(-h² (1 + x²)/2)/(1 + x²) dx.

    >>> float(owens_t(0.0, 1.0))
    0.125
    """
    return owens_t_p.bind(*promote_inexact(h, a))
