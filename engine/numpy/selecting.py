"""Choosing among arrays, element by element: where, select, choose, piecewise."""
import numpy as _np

from ..array import Array, Value
from ..avals import PYTHON_SCALARS, broadcast_shapes
from ..errors import DtypeError, IndexOutOfRange, ShapeError
from ..ops import structural as st
from ..ops.elementwise import bitwise_or, eq, invert
from ..ops.elementwise import where as _where
from ..ops.structural import asvalue, cast, promote
from .picking import no_out, nonzero, placed
from .reductions import truth
from .shapes import several


def where(condition, x=None, y=None, *, size=None, fill_value=None):
    """x where the condition holds, y elsewhere. Without x and y: the indices of the true elements.

    Both are computed: to keep the derivative of what is not chosen out of a nan, choose its argument first, as in
    where(x > 0, log(where(x > 0, x, 1)), 0).     size, fill_value : without x and y, as in `nonzero`
    """
    if x is None and y is None:
        return nonzero(condition, size=size, fill_value=fill_value)
    if x is None or y is None:
        raise ShapeError("where takes both x and y, or neither of them.")
    if size is not None or fill_value is not None:
        raise ShapeError("where takes size and fill_value only without x and y.")
    return _where(condition, x, y)


def select(condlist, choicelist, default=0):
    """For each element, the choice of the first condition that holds, or else `default`."""
    if len(condlist) != len(choicelist):
        raise ShapeError(f"select: {len(condlist)} conditions for {len(choicelist)} choices.")
    if not len(condlist):
        raise ShapeError("select needs at least one condition.")
    conditions = [asvalue(c) for c in condlist]
    for k, c in enumerate(conditions):
        if c.dtype.kind != "b":
            raise DtypeError(f"select: condition {k} has dtype {c.dtype}; it must be boolean.")
    values = [asvalue(v) for v in promote(*[v if isinstance(v, (Value, _np.ndarray)) or type(v) in PYTHON_SCALARS
                                            else asvalue(v) for v in (*choicelist, default)])]
    shape = broadcast_shapes(*[v.shape for v in (*conditions, *values)])
    out = st.broadcast_to(values[-1], shape)
    for c, v in list(zip(conditions, values))[::-1]:
        out = _where(c, v, out)
    return out


def choose(a, choices, out=None, mode="raise"):
    """For each element, the one of choices[a].   a : int[...]     choices : sequence of arrays, or the slices of one

    mode : "raise" (an index that is known and out of range is an error), "wrap" or "clip"
    """
    no_out(out, "choose")
    if mode not in ("raise", "wrap", "clip"):
        raise ShapeError(f"choose: mode={mode!r} is none of 'raise', 'wrap', 'clip'.")
    a, choices = asvalue(a), [asvalue(c) for c in choices]
    n = len(choices)
    if a.dtype.kind not in "iub":
        raise DtypeError(f"choose: a holds integers; got dtype {a.dtype}.")
    if n == 0:
        raise ShapeError("choose needs at least one choice.")
    if mode == "raise" and isinstance(a, Array) and a.dtype.kind != "b" and ((a.value < 0) | (a.value >= n)).any():
        raise IndexOutOfRange(f"choose: an index is out of range for {n} choices.")
    a, _ = placed(a, n, "clip" if mode == "raise" else mode, "choose")
    choices = promote(*choices)
    out = st.broadcast_to(asvalue(choices[-1]), broadcast_shapes(a.shape, *[c.shape for c in choices]))
    for k in range(n - 2, -1, -1):
        out = _where(eq(a, k), choices[k], out)
    return out


def piecewise(x, condlist, funclist, *args, **kw):
    """For each element, the function of the last condition that holds, of that element.

    condlist : boolean arrays of the shape of x
    funclist : functions (x, *args, **kw) or numbers, one for each condition, and one more for where none holds (0)
    Every function is computed everywhere; the result has the dtype of x.
    """
    x = asvalue(x)
    if not several(condlist) or (x.ndim and not several(condlist[0])):
        condlist = [condlist]                            # one condition alone
    conditions = [truth(c) for c in condlist]
    n = len(conditions)
    functions = list(funclist)
    if len(functions) == n:
        functions.append(0)
    if len(functions) != n + 1:
        raise ShapeError(f"piecewise: {n} conditions take {n} or {n + 1} functions; got {len(funclist)}.")
    rest = conditions[0]
    for c in conditions[1:]:
        rest = bitwise_or(rest, c)
    out = st.full(x.shape, 0, x.dtype)
    for c, f in zip([*conditions, invert(rest)], functions):
        value = cast(asvalue(f(x, *args, **kw) if callable(f) else f), x.dtype)
        out = _where(c, st.broadcast_to(value, x.shape), out)
    return out
