"""What distributions of counts share: binomial coefficients and lists of all values."""
import math

import numpy as _numpy

from ..engine import numpy as np
from ..engine.array import Array
from ..engine.errors import ParameterError
from ..engine.ops.deviance import split_entropy, stirling_rest, stirling_rest_of_counts
from ..engine.scipy import special
from . import constraints
from .categorical import pick
from .distribution import Distribution


def rest_of_choose(n, k):
    """log C(n, k) - n log n + k log k + (n - k) log(n - k), which is of the order of log n."""
    return stirling_rest_of_counts(n) - stirling_rest_of_counts(k) - stirling_rest_of_counts(n - k)


def rest_of_multichoose(r, k):
    """log C(r + k - 1, k) - (r + k) log(r + k) + r log r + k log k, which is of the order of log k."""
    n = r + k
    return np.log(r / n) + (stirling_rest(n) - stirling_rest(r)) - stirling_rest_of_counts(k)


def log_choose(n, k):
    """log C(n, k) for whole numbers 0 <= k <= n, without differences of large logarithms.   DLMF 1.2.6, 5.11.1"""
    return split_entropy(k, n - k) + rest_of_choose(n, k)


_SERIES = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)


def _stirling(x):
    """log Γ(x) - (x - ½) log x + x - ½ log 2π for x >= 8, and in float32 for x >= 4.   DLMF 5.11.1"""
    inverse = 1.0 / x
    square = inverse * inverse
    out = _SERIES[-1]
    for c in _SERIES[-2::-1]:
        out = out * square + c
    return out * inverse


def _product(x, n):
    """x (x + 1) … (x + n - 1)"""
    out = x
    for i in range(1, n):
        out = out * (x + float(i))
    return out


def log_multichoose(r, k):
    """log of Γ(r + k) / (Γ(r) k!) = C(r + k - 1, k) for r > 0, k >= 0, without differences of large logarithms.

    Stirling's series for each Γ at an argument larger by n = 8, with the large terms taken together, for z = r + n and
    m = k + n + 1:

        (z - ½) log(1 + k/z) + k log(1 + (r - 1)/m) + S(z + k) - S(z) + log(P(r) / P(r + k)) + (terms of k alone)

    The terms of data k leave a sampler's loop, and derivatives in r need no digamma function. Eagerly by betaln, one
    operation:  -log(r + k) - log B(r, k + 1).
    """
    if known(r, k):
        return -np.log(r + k) - special.betaln(r, k + 1.0)
    n, size = (8, 8) if r.dtype.itemsize > 4 else (4, 2)                     # size: as far as products do not overflow
    z, m = r + float(n), k + (n + 1.0)
    alone = (n + 1 - 0.5 * math.log(2 * math.pi)) - _stirling(m) - (n + 0.5) * np.log(m)
    out = (z - 0.5) * np.log1p(k / z) + k * np.log1p((r - 1.0) / m) + (_stirling(z + k) - _stirling(z))
    for i in range(0, n, size):
        out = out + np.log(_product(r + float(i), size) / _product(r + k + float(i), size))
        alone = alone + np.log(_product(k + (i + 1.0), size))
    return out + alone


def log_multinomial(k):
    """log of n! / Π kᵢ! for counts k[..., i] with sum n: a product of binomial coefficients."""
    total = np.cumsum(k, -1)[..., 1:]
    return np.sum(log_choose(total, k[..., 1:]), -1)


class UpToTotal(Distribution):
    """Base of counts in 0 … total_count."""

    @property
    def support(self):
        return constraints.integer_interval(0, self.total_count)

    is_discrete = True

    @property
    def _trials(self):
        """total_count as a real number."""
        return np.astype(self.total_count, self.dtype)

    @property
    def has_enumerate_support(self):
        return known(self.total_count)

    def enumerate_support(self, expand=True):
        n = the_same_for_all(type(self).__name__, "total_count", self.total_count)
        return listed(np.arange(n + 1), self.batch_shape, expand)


# ---- lists of values ----

def the_same_for_all(family, name, x):
    """The one number that a parameter is for all of the batch; an error where there are several."""
    found = _numpy.unique(x.concrete(f"the values of a {family}"))
    if found.size != 1:
        raise ParameterError(f"the values of a {family} can be listed only where {name} is the same for all; "
                             f"it is {found.tolist()}.")
    return int(found[0])


def known(*parameters):
    """Whether the numbers are known while tracing too."""
    return all(type(x) is Array for x in parameters)


def listed(values, batch_shape, expand):
    """Values [n, *event] with axes of the batch put between: of its sizes if `expand`, else of size 1."""
    values = np.asarray(values)
    n, *event = values.shape
    out = values.reshape((n, *(1,) * len(batch_shape), *event))
    return np.broadcast_to(out, (n, *batch_shape, *event)) if expand else out


def cdf_by_sum(d, value, largest, name):
    """P(X <= value) of counts by adding up their mass, up to the largest of `largest`, which must be known.

    value : float[*shape, *batch]      largest : int[*batch], the end of the support      name : that of the parameter
    """
    if not known(largest):
        raise ParameterError(f"{type(d).__name__}.cdf adds up all values, so {name} must be known while tracing.\n"
                             f"Close over {name} instead of passing it through jit or vmap.")
    n = int(_numpy.max(largest.value, initial=0))
    k = np.arange(n + 1).reshape((n + 1, *(1,) * len(d.batch_shape)))
    table = np.moveaxis(np.cumsum(np.exp(d.log_prob(k)), 0), 0, -1)
    value = np.floor(np.asarray(value))
    p = np.minimum(pick(table, np.astype(np.clip(value, 0, n), np.int64)), 1.0)
    return np.where(value < 0, 0.0, np.where(value >= largest, 1.0, p))
