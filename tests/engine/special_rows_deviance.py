"""Rows of accuracy for the parts of log densities that do not cancel."""
import mpmath as mp
import numpy as np

from chainrule.engine import numpy as cnp
from chainrule.engine.ops import deviance
from tests.engine.accuracy import Row
from tests.engine.special_rows import both, one, spread


def term(x, y):
    return x * mp.log(x / y) if x else mp.mpf(0)


def rest(x):
    return mp.loggamma(x + 1) - x * mp.log(x) + x


def counts(rng, n):
    """Counts, and what is expected: half of them near each other, at up to three standard deviations."""
    k = np.rint(10 ** rng.uniform(0, 7, n))
    near = k * (1 + rng.uniform(-3, 3, n) / np.sqrt(k + 36))
    return k, np.where(rng.random(n) < 0.5, near, k * 10 ** rng.uniform(-3, 3, n))


def excess(x, y):
    return deviance.excess(x, y, y - x, 1 / x, cnp.log(y) - cnp.log(x))


ROWS = [
    Row("excess", excess, lambda x, y: term(x, y) - x + y, counts, 64, 32, size=lambda x, y: max(1, abs(term(x, y))),
        note="log x and log y are given apart, and rounded where they are 16"),
    Row("split_entropy", deviance.split_entropy, lambda k, l: -term(k, k + l) - term(l, k + l),
        lambda rng, n: (np.rint(10 ** rng.uniform(0, 7, n)), np.rint(10 ** rng.uniform(-1, 7, n)))),
    Row("stirling_rest", deviance.stirling_rest, rest, both(spread(1e-12, 10), spread(1, 1e9)), 8, 8, size=one,
        note="three logarithms below 3.5"),
    Row("stirling_slope", deviance.stirling_slope_p.bind, lambda x: mp.digamma(x + 1) - mp.log(x),
        spread(1e-6, 1e6), 16, 16, note="a difference of a logarithm and three reciprocals below 2"),
    Row("stirling_rest_of_counts", deviance.stirling_rest_of_counts, rest,
        lambda rng, n: (np.rint(10 ** rng.uniform(0, 9, n)),)),
]
