"""Rows of accuracy for the parts of log densities that do not cancel, where what is seen is near what is expected."""
import mpmath as mp
import numpy as np

from chainrule.engine.ops import deviance
from tests.engine.accuracy import Row
from tests.engine.special_rows import both, one, spread


def term(x, y):
    return x * mp.log(x / y) if x else mp.mpf(0)


def binomial(k, l, p):
    return term(k, (k + l) * p) + term(l, (k + l) * (1 - p))


def table(k, l, a, b):
    total = k + l + a + b
    cells = ((k, k + l, k + a), (l, k + l, l + b), (a, a + b, k + a), (b, a + b, l + b))
    return sum(term(cell, row * column / total) for cell, row, column in cells)


def gamma(a, u, v):
    return a * mp.log(u * v / a) - u * v + a - mp.log(v)


def rest(x):
    return mp.loggamma(x + 1) - x * mp.log(x) + x


def away(x, rng):
    """Numbers that are up to three standard deviations of a count, and at most half, from x."""
    return x * (1 + rng.uniform(-3, 3, len(x)) / np.sqrt(x + 36))


def counts(rng, n):
    k = np.rint(10 ** rng.uniform(0, 7, n))
    return k, away(k, rng)


def trials(rng, n):
    size, p = 10 ** rng.uniform(1, 7, n), rng.uniform(0.02, 0.98, n)
    k = np.rint(size * p)
    return k, np.rint(size) - k, np.clip(p + rng.uniform(-3, 3, n) * np.sqrt(p * (1 - p) / size), 0.01, 0.99)


def odds(rng, n):
    k, l, p = trials(rng, n)
    return k, away(l + 1, rng), p, 1 - p


def tables(rng, n):
    k, l, p = trials(rng, n)
    scale = 10 ** rng.uniform(-2, 2, n)
    return k, l, away((k + 1) * scale, rng), (l + 1) * scale


def gammas(rng, n):
    a, u = 10 ** rng.uniform(-3, 7, n), 10 ** rng.uniform(-3, 3, n)
    return a, u, away(a, rng) / u


def inverse_gammas(rng, n):
    a, u, v = gammas(rng, n)
    return a, u, 1 / v


def betas(rng, n):
    k, l, p = trials(rng, n)
    return k + 0.5, l + 0.5, p


NOTE = "against max(1, the result): a small difference of two cells, or of a cell and a logarithm"
ROWS = [
    Row("poisson_deviance", deviance.poisson_deviance, lambda k, r: term(k, r) - k + r, counts, 6, 6, size=one,
        note=NOTE),
    Row("binomial_deviance", deviance.binomial_deviance, binomial, trials, 12, 12, size=one, note=NOTE),
    Row("odds_deviance", deviance.odds_deviance, lambda k, l, u, v: binomial(k, l, u / (u + v)), odds, 12, 12, size=one,
        note=NOTE),
    Row("table_deviance", deviance.table_deviance, table, tables, 12, 12, size=one, note=NOTE),
    Row("split_entropy", deviance.split_entropy, lambda k, l: -term(k, k + l) - term(l, k + l),
        lambda rng, n: (np.rint(10 ** rng.uniform(0, 7, n)), np.rint(10 ** rng.uniform(-1, 7, n)))),
    Row("gamma_kernel", deviance.gamma_kernel, gamma, gammas, 12, 12, size=one, note=NOTE),
    Row("inverse_gamma_kernel", deviance.inverse_gamma_kernel, lambda a, b, x: gamma(a, b, 1 / x) - 2 * mp.log(x),
        inverse_gammas, 12, 12, size=one, note=NOTE),
    Row("beta_kernel", deviance.beta_kernel, lambda a, b, x: -binomial(a, b, x) - mp.log(x) - mp.log1p(-x), betas, 48,
        64, size=one, note=NOTE),
    Row("stirling_rest", deviance.stirling_rest, rest, both(spread(1e-12, 10), spread(1, 1e9)), 8, 8, size=one,
        note="three logarithms below 3.5"),
    Row("stirling_slope", deviance.stirling_slope_p.bind, lambda x: mp.digamma(x + 1) - mp.log(x),
        spread(1e-6, 1e6), 16, 16, note="a difference of a logarithm and three reciprocals below 2"),
    Row("stirling_rest_of_counts", deviance.stirling_rest_of_counts, rest,
        lambda rng, n: (np.rint(10 ** rng.uniform(0, 9, n)),)),
]
