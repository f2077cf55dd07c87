"""Rows of accuracy for erf and its kin, the inverses, Owen's T, and logarithms of ratios and differences."""
import mpmath as mp
import numpy as np

import chainrule.engine.scipy.special as cs
from tests.engine.accuracy import Row
from tests.engine.special_rows import between, both, near, spread


def minus(points):
    return lambda rng, n: tuple(-x for x in points(rng, n))


def less(points, by=1):
    """by - x"""
    return lambda rng, n: tuple(by - x for x in points(rng, n))


def two(first, second):
    return lambda rng, n: (first(rng, n)[0], second(rng, n)[0])


def close_pairs(rng, n):
    """Positive pairs, half of them near each other."""
    x = 10 ** rng.uniform(-3, 3, n)
    small = rng.choice([-1, 1], n) * 10 ** rng.uniform(-6, -0.5, n)
    step = np.where(rng.random(n) < 0.5, rng.uniform(-0.9, 3, n), small)
    return x, x * (1 + step)


ALL = both(between(-6, 6), minus(spread(1e-8, 1)), spread(1e-8, 1), spread(1, 26))
INSIDE = both(spread(1e-30, 0.5), between(0.01, 0.99), less(spread(1e-6, 0.5)), near(0.5, least=-5))


# ---- the truth ----

def ndtr(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def log_ndtr(x):
    return mp.log(ndtr(x)) if x < 0 else mp.log1p(-ndtr(-x))


def erfcx(x):
    return mp.exp(x * x) * mp.erfc(x) if x < 1e6 else (1 - 1 / (2 * x * x)) / (x * mp.sqrt(mp.pi))


def inverse_normal(log_p):
    """Φ⁻¹(exp(log_p)) by Newton's iteration on log Φ, which is concave; on the side where it is negative."""
    if log_p > -mp.log(2):
        return -inverse_normal(mp.log(-mp.expm1(log_p)))
    x = -mp.sqrt(-2 * log_p)
    for _ in range(60):
        step = (log_ndtr(x) - log_p) * ndtr(x) / mp.npdf(x)
        x -= step
        if abs(step) <= abs(x) * mp.mpf(10) ** -27:
            break
    return x


def ndtri(p):
    return inverse_normal(mp.log(p)) if p <= 0.5 else -inverse_normal(mp.log1p(-p))


def erfinv(x):
    return mp.sign(x) * -inverse_normal(mp.log1p(-abs(x)) - mp.log(2)) / mp.sqrt(2)


def erfcinv(x):
    return -ndtri(x / 2) / mp.sqrt(2)


def owens_t(h, a):
    end = min(abs(a), 14 / abs(h))
    integral = mp.quad(lambda x: mp.exp(-h * h * x * x / 2) / (1 + x * x), mp.linspace(0, end, 6))
    return mp.sign(a) * mp.exp(-h * h / 2) * integral / (2 * mp.pi)


ROWS = [
    Row("erf", cs.erf, mp.erf, ALL),
    Row("erfc", cs.erfc, mp.erfc, ALL),
    Row("erfcx", cs.erfcx, erfcx, both(ALL, spread(1, 1e15), minus(spread(1, 26)))),
    Row("erfi", cs.erfi, mp.erfi, both(ALL, minus(spread(1, 26))), 5, note="three factors, each to an ulp and a half"),
    Row("dawsn", cs.dawsn, lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x), both(ALL, minus(spread(1, 30)))),
    Row("ndtr", cs.ndtr, ndtr, both(ALL, minus(spread(1, 37)))),
    Row("log_ndtr", cs.log_ndtr, log_ndtr, both(ALL, minus(spread(1, 3000))), 5, 5, note="Φ and a logarithm"),
    Row("ndtri", cs.ndtri, ndtri, INSIDE, 5, 5, note="polynomials of degree 7 with coefficients that grow"),
    Row("ndtri_exp", cs.ndtri_exp, inverse_normal, minus(both(spread(1e-25, 1), between(0.4, 1), spread(1, 5e3))), 7,
        note="as ndtri"),
    Row("erfinv", cs.erfinv, erfinv, less(INSIDE, 0.75), 5, 5, note="as ndtri"),
    Row("erfcinv", cs.erfcinv, erfcinv, both(INSIDE, less(spread(1e-6, 1), 2)), 6, 5, note="as ndtri"),
    Row("owens_t", cs.owens_t, owens_t,
        two(both(between(-6, 6), spread(1e-3, 20)), both(spread(1e-4, 1), between(-3, 3))), count=40),
    Row("logit", cs.logit, lambda x: mp.log(x) - mp.log1p(-x), INSIDE),
    Row("log1mexp", cs.log1mexp, lambda x: mp.log(-mp.expm1(-x)) if x < 1 else mp.log1p(-mp.exp(-x)),
        both(spread(1e-30, 80), between(0.3, 2))),
    Row("rel_entr", cs.rel_entr, lambda x, y: x * mp.log(x / y), close_pairs),
    Row("kl_div", cs.kl_div, lambda x, y: x * mp.log(x / y) - x + y, close_pairs, 8, 8,
        note="x log(x/y) - x + y where x and y are not close"),
    Row("xlog1py", cs.xlog1py, lambda x, y: x * mp.log1p(y), two(spread(1e-3, 1e3), both(between(-0.9, 3), near(0)))),
]
