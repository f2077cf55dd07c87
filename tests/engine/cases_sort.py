"""Rows for the primitives of sorting and binary search."""
import numpy as np

import chainrule.engine.numpy as cnp
from chainrule.engine.ops import sort
from tests.engine.cases import UNSIGNED, Case, F, T, W

NAN = np.array([2., np.nan, 1., 2., -np.inf, -0.0, 0.0])
SORTED = np.sort(np.random.default_rng(8).normal(size=(2, 20)), 1)

CASES = [
    Case(lambda x: cnp.argsort(x, 1), "argsort", lambda x: np.argsort(x, 1, kind="stable"), args=(T,), order=0),
    Case(lambda x: cnp.argsort(x, 0), "argsort", lambda x: np.argsort(x, 0, kind="stable"), args=(T,), order=0,
         name="argsort-first-axis"),
    Case(lambda x: cnp.argsort(x), "argsort", lambda x: np.argsort(x, kind="stable"), args=(NAN,), order=0, wrt=(),
         name="argsort-nan"),
    Case(lambda x: cnp.argsort(x), "argsort", lambda x: np.argsort(x, kind="stable"), args=(UNSIGNED,), dtypes=F,
         name="argsort-unsigned"),
    Case(lambda x: cnp.sort(x, 0), "sort", lambda x: np.sort(x, 0), args=(W,)),
    Case(lambda x: cnp.sort(x, 1), "sort", lambda x: np.sort(x, 1), args=(T,), name="sort-middle-axis"),
    Case(lambda x: cnp.sort(x), "sort", np.sort, args=(NAN,), order=0, wrt=(), name="sort-nan"),
    Case(lambda x: cnp.sort(x), "sort", np.sort, args=(UNSIGNED,), dtypes=F, name="sort-unsigned"),
    Case(lambda x: cnp.sort(x), "sort", np.sort, args=(np.array([True, False, True]),), dtypes=F, name="sort-bool"),
    Case(lambda a, v: sort.searchsorted_p.bind(a, v, side="left"), "searchsorted",
         lambda a, v: np.stack([np.searchsorted(p, q) for p, q in zip(a, v)]), args=(SORTED, W[:2]), order=0,
         lane=lambda a, k: a + 0.1 * k),
    Case(lambda a, v: sort.searchsorted_p.bind(a, v, side="right"), "searchsorted",
         lambda a, v: np.searchsorted(a, v, "right"), args=(SORTED[0], SORTED[0, ::3]), order=0,
         lane=lambda a, k: a + 0.1 * k, name="searchsorted-right"),
]
