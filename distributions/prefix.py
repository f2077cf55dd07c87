"""Running products of an associative operation, as one loop body over log₂ n levels."""
import numpy as _numpy

from ..engine import numpy as np
from ..engine import tree
from ..engine.control import scan


def running_products(product, x, reverse=False):
    """x₀, x₀·x₁, x₀·x₁·x₂, … along the first axes; with `reverse`, …, xₙ₋₂·xₙ₋₁, xₙ₋₁.

    product : (earlier, later) -> tree, for all places at once      x : a tree of arrays [n, …]
    All levels have the same shapes, so the product is compiled once, however long the series: a product of matrices
    with factorisations inside takes XLA seconds.
    Source: Hillis & Steele (1986), Data parallel algorithms, CACM 29(12).
    """
    n = tree.leaves(x)[0].shape[0]
    levels = _numpy.array([2 ** i for i in range((n - 1).bit_length())])
    places = _numpy.arange(n)

    def level(x, step):
        far = places + step if reverse else places - step
        inside = far < n if reverse else far >= 0
        others = tree.map(lambda v: np.take(v, np.clip(far, 0, n - 1), 0), x)
        joined = product(x, others) if reverse else product(others, x)
        return tree.map(lambda new, v: np.where(inside.reshape((n,) + (1,) * (v.ndim - 1)), new, v), joined, x), None
    return scan(level, x, levels)[0] if n > 1 else x
