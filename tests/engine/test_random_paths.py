"""Draws follow their parameters: pathwise derivatives against SciPy's quantile functions at a fixed u.

Central differences of fourth order of ppf(u; a) with steps of h = a / 500 have a relative error of about h⁴ and SciPy's
rounding divided by 1/500, so about 1e-10; RTOL is 1e-7.
"""
import numpy as np
import pytest
import scipy.special as sp
import scipy.stats as stats

import chainrule.engine.numpy as cnp
from chainrule.engine import grad, jit, jvp, random, vmap
from chainrule.engine.ops.paths import von_mises_slope

KEY = random.key(2024)
RTOL = 1e-7


def difference(f, a, h):
    """The derivative of f at a by four values."""
    return (8 * (f(a + h) - f(a - h)) - (f(a + 2 * h) - f(a - 2 * h))) / (12 * h)
