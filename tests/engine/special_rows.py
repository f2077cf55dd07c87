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

# ---- incomplete functions ----

def lower_gamma(a, x, digits=40):
    """P(a, x) by its series of positive terms."""
    with mp.workdps(digits):
        a, x = mp.mpf(a), mp.mpf(x)
        term = total = mp.mpf(1)
        n, least = 0, mp.mpf(10) ** -digits
        while term > total * least or n < x - a:
            n += 1
            term *= x / (a + n)
            total += term
        return mp.exp(a * mp.log(x) - x - mp.loggamma(a + 1)) * total


def upper_gamma(a, x):
    """Q = 1 - P, with as many digits more as Q has zeros."""
    zeros = int(max(0, (x - a - a * mp.log(x / a)) / 2.3)) if x > a else 0
    with mp.workdps(60 + zeros):
        return 1 - lower_gamma(a, x, 60 + zeros)


def lower_beta(a, b, x, complement=False):
    """I(a, b; x) by its series of positive terms on one side of the mean."""
    with mp.workdps(60):
        a, b, x = mp.mpf(a), mp.mpf(b), mp.mpf(x)
        left = x < a / (a + b)
        p, q, z = (a, b, x) if left else (b, a, 1 - x)
        term = total = mp.mpf(1)
        n = 0
        while term > total * mp.mpf(10) ** -60:
            term *= z * (p + q + n) / (p + 1 + n)
            total += term
            n += 1
        size = mp.loggamma(p + q) - mp.loggamma(p) - mp.loggamma(q)
        part = mp.exp(p * mp.log(z) + q * mp.log(1 - z) + size) * total / p
        return part if left != complement else 1 - part


def gamma_points(low, high, width):
    """Shapes of all sizes, and x some standard deviations from the mean."""
    def points(rng, n):
        a = 10 ** rng.uniform(low, high, n)
        return a, a * np.maximum(1 + width * rng.normal(size=n) / np.sqrt(a), 0.02)
    return points


def beta_points(low, high, width):
    def points(rng, n):
        a, b = 10 ** rng.uniform(low, high, n), 10 ** rng.uniform(low, high, n)
        mean = a / (a + b)
        x = mean + width * np.sqrt(mean * (1 - mean) / (a + b + 1)) * rng.normal(size=n)
        return a, b, np.where((x > 0.001) & (x < 0.999), x, np.clip(mean, 0.01, 0.99))
    return points


GAMMA_POINTS = both(pairs((-5, 0.5, -5, 1)), gamma_points(0, 1.5, 3), gamma_points(1.3, 3, 3),
                    gamma_points(1.3, 2.5, 15))
PATH_POINTS = both(gamma_points(-2, 1.3, 1.5), gamma_points(1.3, 3, 3))
ANGLES = both(lambda rng, n: (rng.uniform(-3, 3, n), 10 ** rng.uniform(-1, 3, n)))
BETA_POINTS = both(beta_points(0, 1.5, 3), beta_points(1, 3, 3), beta_points(1, 2.5, 8))
SCIPYS = "plain: SciPy's"


def gamma_path(a, x):
    """-(∂P/∂a) / p by a central difference in 90 digits."""
    with mp.workdps(90):
        a, x = mp.mpf(a), mp.mpf(x)
        h = a * mp.mpf(10) ** -25
        slope = (lower_gamma(a + h, x, 90) - lower_gamma(a - h, x, 90)) / (2 * h)
        return -slope / mp.exp((a - 1) * mp.log(x) - x - mp.loggamma(a))


def von_mises(x, kappa):
    """By quadrature."""
    with mp.workdps(25):
        half = mp.quad(lambda t: mp.exp(kappa * (mp.cos(t) - 1)), [0, min(abs(x), 4 / mp.sqrt(kappa + 1)), abs(x)])
        return mp.mpf(1) / 2 + mp.sign(x) * half / (2 * mp.pi * mp.besseli(0, kappa) * mp.exp(-kappa))


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
    polygamma_below_row(2, 6, 6, note="the cube of the cotangent"),
    polygamma_below_row(10, 24, 4, note="the power n + 1 of the cotangent"),
    Row("zeta", cs.zeta, mp.zeta, both(between(-0.5, 3), between(1, 60), near(1, 2, least=-6))),
    Row("zeta, x < 0", cs.zeta, mp.zeta, both(between(-3, 0), between(-30, 0), between(-255, 0)), 8, 4,
        note="powers of 2π and of 1 - x, and Γ"),
    Row("zeta(x, q)", cs.zeta, hurwitz, lambda rng, n: (1 + 10 ** rng.uniform(-3, 1.7, n), 10 ** rng.uniform(-2, 3, n)),
        count=60),
    Row("betaln", cs.betaln, log_beta, WIDE, size=one),
    Row("beta", cs.beta, mp.beta, pairs((-2, 1.5, -2, 1.5), (-1, 3, -1, 1)), 100, 4,
        note="three Γ, or exp of a large logarithm"),
    Row("digamma_rise", digamma_rise_p.bind, digamma_rise, WIDE),
    Row("gammainc", cs.gammainc, lower_gamma, GAMMA_POINTS, (3000, 8), 4, count=40, note=SCIPYS),
    Row("gammaincc", cs.gammaincc, upper_gamma, GAMMA_POINTS, (4000, 8), 4, count=40, note=SCIPYS),
    Row("log_gammainc", cs.log_gammainc, lambda a, x: mp.log(lower_gamma(a, x)), GAMMA_POINTS, (64, 12), 4, count=24,
        size=lambda a, x: 1, note=SCIPYS),
    Row("betainc", cs.betainc, lower_beta, BETA_POINTS, (2000, 12), 4, count=24, note=SCIPYS),
    Row("betaincc", cs.betaincc, lambda a, b, x: lower_beta(a, b, x, True), BETA_POINTS, (2000, 12), 4, count=24,
        note=SCIPYS),
    Row("betainc, small", cs.betainc, lower_beta, beta_points(-2, 0.5, 1), (64, 200), 4, count=15,
        note="1 - I where one shape is small and x near its end"),
    Row("random_gamma_grad", cs.random_gamma_grad, gamma_path, PATH_POINTS, 64, 4, count=12,
        note="tangents carried through the series and the fraction"),
    Row("von_mises_cdf", cs.von_mises_cdf, von_mises, ANGLES, 32, 4, count=20, size=lambda x, k: 0.5,
        note="90 rotations of (sin kx, cos kx)"),
]
