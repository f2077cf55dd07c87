"""Roots of increasing functions, for the inverses that have no formula."""
from ...engine import jvp, lax
from ...engine import numpy as np


def increasing_root(f, low, high, steps=64):
    """x with f(x) = 0, element by element, for increasing f with a root in [low, high].

    Bisection, then one step of Newton's, which polishes the root and carries the derivatives with respect to whatever
    f closes over (the implicit function theorem).
    """
    def fixed(x):
        return lax.stop_gradient(f(lax.stop_gradient(x)))

    def halve(_, ends):
        low, high = ends
        middle = 0.5 * (low + high)
        above = fixed(middle) > 0
        return np.where(above, low, middle), np.where(above, middle, high)
    low, high = lax.stop_gradient(low), lax.stop_gradient(high)
    low, high = lax.fori_loop(0, steps, halve, (low, high))
    x = lax.stop_gradient(0.5 * (low + high))
    value, slope = jvp(f, (x,), (np.ones_like(x),))
    return x - value / slope
