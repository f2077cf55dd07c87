"""Rows of accuracy for the functions of the gamma, beta and zeta families."""
import mpmath as mp
import numpy as np

import chainrule.engine.scipy.special as cs
from tests.engine.accuracy import Row


def spread(low, high):
    """Numbers of all sizes between two positive ones."""
    return lambda rng, n: (10 ** rng.uniform(np.log10(low), np.log10(high), n),)


def between(low, high):
    return lambda rng, n: (rng.uniform(low, high, n),)


def near(*places):
    """Numbers at all distances from given ones, on both sides."""
    def points(rng, n):
        return (rng.choice(places, n) + rng.choice([-1, 1], n) * 10 ** rng.uniform(-14, -0.5, n),)
    return points


def both(*samplers):
    """Points of several samplers in turn."""
    def points(rng, n):
        parts = [s(rng, n // len(samplers) + (i < n % len(samplers))) for i, s in enumerate(samplers)]
        return tuple(np.concatenate(columns) for columns in zip(*parts))
    return points


def log_abs_gamma(x):
    return mp.log(abs(mp.gamma(x))) if x < 0 else mp.loggamma(x)


ROWS = [
    Row("gammaln", cs.gammaln, mp.loggamma, both(spread(1e-300, 1e-2), spread(1e-2, 1e3), spread(1e3, 1e300)),
        1e5, 1e5, note="near 1 and 2"),
]
