"""Rows of accuracy for the functions of the gamma, beta and zeta families."""
import mpmath as mp
import numpy as np

import chainrule.engine.scipy.special as cs
from chainrule.engine.ops.betas import digamma_rise_p
from tests.engine.accuracy import Row


def spread(low, high):
    """Numbers of all sizes between two positive ones."""
    return lambda rng, n: (10 ** rng.uniform(np.log10(low), np.log10(high), n),)


def between(low, high):
    return lambda rng, n: (rng.uniform(low, high, n),)


def near(*places, least=-14):
    """Numbers at all distances from 10^least to 1/3 from given ones, on both sides."""
    def points(rng, n):
        return (rng.choice(places, n) + rng.choice([-1, 1], n) * 10 ** rng.uniform(least, -0.5, n),)
    return points


def both(*samplers):
    """Points of several samplers in turn."""
    def points(rng, n):
        parts = [s(rng, n // len(samplers) + (i < n % len(samplers))) for i, s in enumerate(samplers)]
        return tuple(np.concatenate(columns) for columns in zip(*parts))
    return points


def pairs(*boxes):
    """Pairs of numbers of all sizes; a box is the four exponents of ten (a from, a to, b from, b to)."""
    def box(low, high, low2, high2):
        return lambda rng, n: (10 ** rng.uniform(low, high, n), 10 ** rng.uniform(low2, high2, n))
    return both(*[box(*b) for b in boxes])


def one(*xs):
    return 1


# ---- the truth ----

def log_gamma(x):
    return mp.log(abs(mp.gamma(x))) if x < 0 else mp.loggamma(x)


def log_beta(a, b):
    with mp.workdps(50 + 2 * int(max(0, mp.log10(a), mp.log10(b)))):
        return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def digamma_rise(a, b):
    with mp.workdps(60 + 2 * int(abs(mp.log10(a)) + abs(mp.log10(b)))):
        return mp.digamma(a + b) - mp.digamma(a)


def polygamma_below(n):
    """ψ⁽ⁿ⁾ for x < 0."""
    def oracle(x):
        with mp.workdps(60):
            return (-1) ** n * mp.polygamma(n, 1 - x) - mp.pi * mp.diff(lambda t: mp.cot(mp.pi * t), x, n)
    return oracle


def hurwitz(s, q):
    with mp.workdps(40 + int(s * abs(mp.log10(q)))):
        return mp.zeta(s, q)


def polygamma_row(n, **options):
    return Row(f"polygamma {n}", lambda x: cs.polygamma(n, x), lambda x: mp.polygamma(n, x),
               both(spread(1e-4, 1e4), between(0, 50), between(0, 4)), **options)


def polygamma_below_row(n, *bounds, **options):
    return Row(f"polygamma {n}, x < 0", lambda x: cs.polygamma(n, x), polygamma_below(n),
               both(between(-1, 0), between(-30, 0), near(-1, -2, -5, least=-4)), *bounds,
               size=lambda x: mp.pi ** (n + 1) * mp.factorial(n), count=45, **options)


POSITIVE = both(spread(1e-300, 1e-2), spread(1e-2, 1e3), between(0, 5), spread(1e3, 1e300))
NEGATIVE = both(between(-1, 0), between(-30, 0), between(-1000, 0), near(-1, -2, -5, -20, least=-5))
WIDE = pairs((-2, 3, -2, 3), (-8, 1, -2, 1), (-1, 12, -1, 12), (-1, 1.5, -1, 1.5), (0.3, 0.8, 0.3, 0.8))

ROWS = [
    Row("gammaln", cs.gammaln, mp.loggamma, both(POSITIVE, near(1, 2))),
    Row("gammaln, x < 0", cs.gammaln, log_gamma, NEGATIVE, size=one),                  # absolute below 1: many zeros
    Row("digamma", cs.digamma, mp.digamma, both(POSITIVE, near(1.4616321449683623))),
    Row("digamma, x < 0", cs.digamma, mp.digamma, NEGATIVE, size=lambda x: 1 + mp.log(1 - x)),
    Row("gamma", cs.gamma, mp.gamma, both(between(-170, 171), between(-10, 10), between(-3, 5), spread(1e-300, 1))),
    Row("rgamma", cs.rgamma, mp.rgamma, both(between(-170, 171), between(-10, 10), between(-3, 5), spread(1e-300, 1))),
    polygamma_row(1),
    polygamma_row(2),
    polygamma_row(3, count=50),
    polygamma_row(10, count=30),
    polygamma_below_row(1),
    polygamma_below_row(2),
    polygamma_below_row(10, 16, 4, note="the power n + 1 of the cotangent"),
    Row("zeta", cs.zeta, mp.zeta, both(between(-0.5, 3), between(1, 60), near(1, 2, least=-6))),
    Row("zeta, x < 0", cs.zeta, mp.zeta, both(between(-3, 0), between(-30, 0), between(-255, 0)), 8, 4,
        note="powers of 2π and of 1 - x, and Γ"),
    Row("zeta(x, q)", cs.zeta, hurwitz, lambda rng, n: (1 + 10 ** rng.uniform(-3, 1.7, n), 10 ** rng.uniform(-2, 3, n)),
        count=60),
    Row("betaln", cs.betaln, log_beta, WIDE, size=one),
    Row("beta", cs.beta, mp.beta, pairs((-2, 1.5, -2, 1.5), (-1, 3, -1, 1)), 100, 4,
        note="three Γ, or exp of a large logarithm"),
    Row("digamma_rise", digamma_rise_p.bind, digamma_rise, WIDE),
]
