"""Rewrites of a program before it is compiled: each is a function from a `Jaxpr` to an equivalent `Jaxpr`.

    inline                  calls are replaced by what they call, and so is a branch whose index is known
    fold                    operations on numbers that stand in the program are done now, in NumPy
    simplify                x * 1, x + 0, a transpose of a transpose, …
    hoist                   what a loop computes anew in each step, and always equal, moves out of it
    common_subexpressions   what is computed twice is computed once
    dead_code               what nothing uses goes, through loops and branches

A pass goes into the programs inside of a program by itself, keeps the inputs and outputs of the whole, never
moves, drops or merges an equation with effects, and gives back the same object when it finds nothing to do.
"""
from .common_subexpressions import common_subexpressions
from .dead_code import dead_code
from .fold import fold
from .hoist import hoist
from .inline import inline
from .simplify import simplify

PASSES = (inline, fold, simplify, hoist, common_subexpressions, dead_code)


def optimize(jaxpr, passes=PASSES):
    """The program after these passes, in order. A second time changes nothing.

    >>> from chainrule.engine import make_jaxpr
    >>> import chainrule.engine.numpy as np
    >>> print(optimize(make_jaxpr(lambda x: (np.sin(x) * 1.0) * np.sin(x))(2.0)))
    { lambda a:f64[] . let
        b:f64[] = sin a
        c:f64[] = mul b b
      in (c) }
    """
    for one in passes:
        jaxpr = one(jaxpr)
    return jaxpr
