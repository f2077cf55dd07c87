"""Log densities of counts, gamma and beta numbers as minus their deviance: sums of excesses that do not cancel.

`excess` of the engine does the work (its file says how); here are the differences e = expected - seen of each family.
The rounding errors of products are put back into e, which would have too few digits without them.

Source: Loader (2000), "Fast and accurate computation of binomial probabilities".
"""
from ..engine import numpy as np
from ..engine.control.custom import custom_jvp
from ..engine.ops.deviance import excess, product_rest, stirling_rest


def log_count(k):
    """log k, and 0 for k = 0."""
    return np.log(np.where(k > 0, k, 1.0))


def product_less(u, v, x):
    """u v - x for positive numbers, with what rounding took from the product."""
    return (u * v - x) + product_rest(u, v)


def _cell(x, y, e, log_y):
    """The excess of x > 0 over y, e = y - x."""
    return excess(x, y, e, 1.0 / x, log_y - np.log(x))


def _count(k, y, e, log_y):
    """The excess of a count k, which may be 0."""
    return excess(k, y, e, 1.0 / k, log_y - log_count(k))


def poisson_deviance(k, r):
    """k log(k / r) - k + r for counts k and r > 0."""
    return _count(k, r, r - k, np.log(r))


def binomial_deviance(k, l, p, log_p, log_q):
    """k log(k / n p) + l log(l / n q), n = k + l, q = 1 - p, for k, l >= 0.

    The difference is taken where less is expected, which fewer digits are rounded away of.
    """
    n, q, low = k + l, 1.0 - p, p < 0.5
    less = np.where(low, p, q)
    part, log_n = n - k, log_count(n)
    lost = (k - (n - part)) + (l - part)                 # what rounding took from n
    e = product_less(n, less, np.where(low, k, l)) + lost * less
    e = np.where(low, e, -e)
    return _count(k, n * p, e, log_n + log_p) + _count(l, n * q, -e, log_n + log_q)


def odds_deviance(k, l, u, v, e=None):
    """`binomial_deviance` for p = u / (u + v), u, v > 0.   e : n p - k where that is known better"""
    total, n = u + v, k + l
    if e is None: e = (l * u - k * v + _rest(l, u, k, v)) / total
    scale, log_n = n / total, np.log(n) - np.log(total)
    return _count(k, scale * u, e, log_n + np.log(u)) + _cell(l, scale * v, -e, log_n + np.log(v))


def table_deviance(k, l, a, b):
    """Σ x log(x / E) over the four cells of the table with rows (k, l), counts, and (a, b), positive numbers.

    E = row · column / total.
    """
    n, c, first, second = k + l, a + b, k + a, l + b
    total = n + c
    e = (l * a - k * b + _rest(l, a, k, b)) / total
    log_n, log_c, log_total = log_count(n), np.log(c), np.log(total)
    above, below, first, second = np.log(first) - log_total, np.log(second) - log_total, first / total, second / total
    return (_count(k, n * first, e, log_n + above) + _count(l, n * second, -e, log_n + below)
            + (_cell(a, c * first, -e, log_c + above) + _cell(b, c * second, e, log_c + below)))


def _rest(a, b, c, d):
    """What rounding took from a b - c d."""
    return product_rest(a, b) - product_rest(c, d)


# ---- densities ----

@custom_jvp
def gamma_kernel(a, u, v):
    """a log(y / a) - y + a - log v for y = u v."""
    log_v = np.log(v)
    return -_cell(a, u * v, product_less(u, v, a), np.log(u) + log_v) - log_v


@gamma_kernel.defjvp
def _(primals, tangents):
    a, u, v = primals
    da, du, dv = tangents
    slope = da * (np.log(u) + np.log(v) - np.log(a)) + du * (a / u - v) + dv * ((a - 1.0) / v - u)
    return gamma_kernel(a, u, v), slope


@custom_jvp
def beta_kernel(a, b, x):
    """a log(n x / a) + b log(n q / b) - log x - log q, n = a + b, q = 1 - x."""
    log_x, log_q = np.log(x), np.log1p(-x)
    return -binomial_deviance(a, b, x, log_x, log_q) - (log_x + log_q)


@beta_kernel.defjvp
def _(primals, tangents):
    a, b, x = primals
    da, db, dx = tangents
    log_n = np.log(a + b)
    slope = (da * (log_n - np.log(a) + np.log(x)) + db * (log_n - np.log(b) + np.log1p(-x))
             + dx * ((a - 1.0) / x - (b - 1.0) / (1.0 - x)))
    return beta_kernel(a, b, x), slope


def inverse_gamma_kernel(a, b, x):
    """a log(b / (a x)) - b / x + a - log x."""
    inverse, log_x = 1.0 / x, np.log(x)
    return -_cell(a, b * inverse, product_less(a, x, b) * -inverse, np.log(b) - log_x) - log_x


def log_gamma_unit(a):
    """a log a - a - log Γ(a), which a gamma number has for its norm when the large terms are in the deviance."""
    return np.log(a) - stirling_rest(a)


def log_beta_unit(a, b):
    """a log(a/n) + b log(b/n) - log B(a, b), n = a + b: the norm of a beta number when the rest is in the deviance."""
    n = a + b
    return np.log(a * (b / n)) + (stirling_rest(n) - stirling_rest(a) - stirling_rest(b))
