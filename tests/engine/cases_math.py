"""Rows for the primitives of engine/ops/arithmetic.py."""
import numpy as np

import chainrule.engine.numpy as cnp
from chainrule.engine.ops import arithmetic as ar
from tests.engine.cases import BITS, INTS, UNSIGNED, Case, F, V, row

GAPS = np.array([np.nan, 0.3, -1.2, np.nan, 2.5])
OTHER = np.array([np.nan, 1.3, -2.2, 0.7, np.nan])
WHOLE = np.array([0.75, -3.0, 1e-5, 640.0])
SMALL = np.array([2, 2, 3, -5, -2])

CASES = [
    row("exp2", None, (-3, 3)),
    row("log2", None, (0.2, 4)),
    row("log10", None, (0.2, 4)),
    row("logaddexp", None, (-3, 3), (-3, 3)),
    row("logaddexp2", None, (-3, 3), (-3, 3)),
    row("hypot", None, (-3, 3), (-3, 3)),
    row("hypot", None, args=(np.array([0.0, np.inf, 3.0]), np.array([0.0, np.nan, -4.0])), order=0, name="hypot-edges"),
    row("signbit", None, args=(np.array([0.0, -0.0, 1.5, -np.inf]),), order=0),
    row("signbit", None, args=(INTS,), dtypes=F, name="signbit-int"),
    row("copysign", None, (0.5, 2), (-2, 2)),
    row("fmax", None, args=(V, V[::-1] * 0.5)),
    row("fmin", None, args=(V, V[::-1] * 0.5)),
    row("fmax", None, args=(GAPS, OTHER), order=0, wrt=(), name="fmax-nan"),
    row("fmin", None, args=(GAPS, OTHER), order=0, wrt=(), name="fmin-nan"),
    row("floor_divide", None, (1.1, 3.9), (0.6, 0.9), lane=lambda a, k: a),
    row("floor_divide", None, args=(INTS, SMALL), dtypes=F, name="floor_divide-int"),
    row("floor_divide", None, args=(UNSIGNED, np.uint8([3, 9, 7, 5, 2])), dtypes=F, name="floor_divide-unsigned"),
    row("remainder", None, (-3.9, -1.1), (0.6, 0.9), lane=lambda a, k: a),
    row("remainder", None, args=(INTS, SMALL), dtypes=F, name="remainder-int"),
    row("gcd", None, args=(INTS * 6, BITS * 4), dtypes=F),
    Case(cnp.ldexp, "ldexp", lambda x, n: np.ldexp(x, n), args=(V, np.array([3, -2, 0, 40]))),
    Case(lambda x: ar.exponent(x), "exponent", lambda x: np.frexp(x)[1], args=(WHOLE,), order=0),
    Case(cnp.power, "pow", np.power, args=(INTS, BITS), dtypes=F, name="pow-int"),
]
