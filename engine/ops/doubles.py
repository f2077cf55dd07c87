"""Sums and products of two floats as a pair, the rounded result and what was lost (Dekker 1971, Knuth 1969)."""
from .formula import lost


def two_sum(x, y):
    total = x + y
    return total, lost(x, y, total)


def two_product(m, x, y):
    product = x * y
    xh, yh = m.head(x), m.head(y)
    xl, yl = x - xh, y - yh
    return product, ((xh * yh - product) + xh * yl + xl * yh) + xl * yl


def pair_product(m, x, y):
    """Of two pairs."""
    product, rest = two_product(m, x[0], y[0])
    return product, rest + (x[0] * y[1] + x[1] * y[0])


def pair_quotient(m, x, y):
    """Of two pairs."""
    ratio = x[0] / y[0]
    back, rest = two_product(m, ratio, y[0])
    return ratio, (((x[0] - back) - rest) + x[1] - ratio * y[1]) / y[0]
