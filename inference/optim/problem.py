"""A function to minimise or to solve, as a staged function of one vector; what is compiled for it is kept with it."""
from typing import Any, NamedTuple

from ...engine import numpy as np
from ...engine import tree
from ...engine.avals import default_float, is_inexact
from ...engine.errors import DtypeError
from ...engine.interpreters.stage import eval_jaxpr
from ...engine.ravel import ravel_pytree
from ...engine.staged import stage_function


class Problem(NamedTuple):
    """fun(x, *args) with x laid end to end."""
    start: Any                 # float[d]
    unravel: Any               # float[d] -> x
    operands: list             # the arrays that fun closes over, and those of args
    jaxpr: Any                 # the staged function, whose cache holds what is compiled for it
    sizes: tuple               # how many operands are closed over; how many leaves x has
    out_tree: Any

    def __call__(self, z, *operands):
        """The flat results of fun at a vector, with other operands of the same types."""
        n = self.sizes[0]
        return eval_jaxpr(self.jaxpr, [*operands[:n], *tree.leaves(self.unravel(z)), *operands[n:]])


def pose(fun, x0, args, what):
    """The `Problem` of fun(x, *args) from x0, an array, a list of numbers, or a tree of arrays.

    fun is staged once for the types of its arguments, and kept as long as it lives.
    """
    if not isinstance(args, tuple):
        args = (args,)
    if isinstance(x0, list) and all(isinstance(v, bool | int | float) for v in x0):
        x0 = np.asarray(x0)
    x0 = tree.map(lambda v: _as_float(v, what), x0)
    start, unravel = ravel_pytree(x0)
    staged, leaves = stage_function(fun, (x0, *args), {})
    n = len(tree.leaves(x0))
    return Problem(start, unravel, [*staged.consts, *leaves[n:]], staged.jaxpr, (len(staged.consts), n),
                   staged.out_tree)


def _as_float(v, what):
    v = np.asarray(v)
    if v.dtype.kind == "c":
        raise DtypeError(f"{what} takes real variables; x0 has dtype {v.dtype}.\nGive the real and imaginary parts.")
    return v if is_inexact(v.dtype) else np.astype(v, default_float())
