"""Element-wise functions by JAX's names, where NumPy has another name or another meaning.

Operands broadcast and promote as in NumPy; `div`, `rem` and the shifts are those of the machine.
"""
import enum

import numpy as _np

from .. import tree
from ..api import jvp
from ..avals import broadcast_shapes, is_inexact
from ..control.remat import barrier_p
from ..errors import DtypeError, ShapeError
from ..ops import elementwise as ew
from ..ops.complexes import complex_p, imag, real
from ..ops.precision import reduce_precision_p
from ..ops.structural import asvalue, broadcast_to, promote
from ..scipy.special import gammainc, gammaln


class RoundingMethod(enum.Enum):
    """How `round` treats halves."""
    AWAY_FROM_ZERO = 0
    TO_NEAREST_EVEN = 1


def round(x, rounding_method=RoundingMethod.AWAY_FROM_ZERO):  # noqa: A001 (the field's name)
    """The nearest integer as a float; halves go away from zero, or to the even one.

    >>> round(asvalue([0.5, 1.5, -2.5])).tolist()
    [1.0, 2.0, -3.0]
    """
    x = asvalue(x)
    if RoundingMethod(rounding_method) is RoundingMethod.TO_NEAREST_EVEN or not is_inexact(x.dtype):
        return ew.rint(x)
    whole = ew.trunc(x)
    return ew.where(ew.ge(ew.abs(x - whole), 0.5), whole + ew.sign(x), whole)


def div(x, y):
    """x / y; of integers the whole part of the quotient, towards zero."""
    x, y = promote(x, y)
    return ew.div_p.bind(x, y)


def _integers(what, *xs):
    xs = promote(*[asvalue(x) for x in xs])
    if xs[0].dtype.kind not in "iu":
        raise DtypeError(f"{what} takes integers; got dtype {xs[0].dtype}.")
    return xs


def _as_kind(x, kind):
    return x if x.dtype.kind == kind else ew.bitcast(x, _np.dtype(f"{kind}{x.dtype.itemsize}"))


def shift_right_logical(x, y):
    """The bits of x moved right by y places, zeros coming in."""
    x, y = _integers("shift_right_logical", x, y)
    return ew.bitcast(ew.shift_right_p.bind(_as_kind(x, "u"), _as_kind(y, "u")), x.dtype)


def shift_right_arithmetic(x, y):
    """The bits of x moved right by y places, the sign bit coming in."""
    x, y = _integers("shift_right_arithmetic", x, y)
    return ew.bitcast(ew.shift_right_p.bind(_as_kind(x, "i"), _as_kind(y, "i")), x.dtype)


def clz(x):
    """The number of leading zero bits of an integer: the bits below the first are set, and the others counted.

    >>> int(clz(_np.int32(1)))
    31
    """
    x, = _integers("clz", x)
    bits, u = 8 * x.dtype.itemsize, _as_kind(x, "u")
    shift = 1
    while shift < bits:
        u = u | ew.shift_right_p.bind(u, _np.asarray(shift, u.dtype))
        shift *= 2
    return ew.bitcast(_np.asarray(bits, u.dtype) - ew.popcount(u), x.dtype)


def clamp(min, x, max):  # noqa: A002 (the field's names)
    """x between min and max, whose shapes are x's or (); outside, the derivative is the bound's; nan stays."""
    low, x, high = promote(asvalue(min), asvalue(x), asvalue(max))
    for name, bound in (("min", low), ("max", high)):
        if bound.shape not in ((), x.shape):
            raise ShapeError(f"clamp: {name} has shape {bound.shape}; it is () or that of x, {x.shape}.")
    return ew.where(ew.lt(x, low), low, ew.where(ew.gt(x, high), high, x))


def complex(x, y):  # noqa: A001 (the field's name)
    """x + i y of two real arrays of one dtype."""
    return complex_p.bind(*promote(asvalue(x), asvalue(y)))


def pow(x, y):  # noqa: A001 (the field's name)
    """x to the power y."""
    return ew.power(x, y)


def exp2(x):
    """2 to the power x."""
    x = asvalue(x)
    return ew.exp(x * _np.asarray(_np.log(2.0)).astype(x.dtype if is_inexact(x.dtype) else float))


def select(pred, on_true, on_false):
    """on_true where pred holds, on_false elsewhere; all of one shape, or pred a scalar."""
    pred, (a, b) = asvalue(pred), promote(asvalue(on_true), asvalue(on_false))
    if a.shape != b.shape or pred.shape not in ((), a.shape):
        raise ShapeError(f"select takes cases of one shape, and a predicate of that shape or (); got {pred.shape}, "
                         f"{a.shape} and {b.shape}.\nUse np.where for arrays that broadcast.")
    return ew.where(pred, a, b)


def select_n(which, *cases):
    """cases[which], element by element.   which : bool (of two cases) or int, of the cases' shape or ()"""
    which, cases = asvalue(which), promote(*[asvalue(c) for c in cases])
    if not cases or any(c.shape != cases[0].shape for c in cases) or which.shape not in ((), cases[0].shape):
        raise ShapeError(f"select_n takes cases of one shape, and `which` of that shape or (); got {which.shape} and "
                         f"{[c.shape for c in cases]}.")
    if which.dtype.kind == "b":
        if len(cases) > 2:
            raise ShapeError(f"select_n with a boolean `which` takes at most 2 cases; got {len(cases)}.")
        return ew.where(which, cases[-1], cases[0])
    out = cases[-1]
    for i in range(len(cases) - 2, -1, -1):
        out = ew.where(ew.le(which, i), cases[i], out)
    return out




def reduce_precision(operand, exponent_bits, mantissa_bits):
    """x rounded to a float with so many bits of exponent and mantissa, in x's dtype.

    >>> float(reduce_precision(1.2, 8, 2))
    1.25
    """
    x = asvalue(operand)
    if x.dtype.kind != "f" or exponent_bits < 1 or mantissa_bits < 0:
        raise DtypeError(f"reduce_precision takes a float, exponent_bits >= 1 and mantissa_bits >= 0; got {x.dtype}, "
                         f"{exponent_bits} and {mantissa_bits}.")
    return reduce_precision_p.bind(x, exponent=int(exponent_bits), mantissa=int(mantissa_bits))


def optimization_barrier(operand):
    """A tree of arrays as it is; the compiler moves no operation from one side of it to the other."""
    leaves, treedef = tree.flatten(operand)
    return tree.unflatten(treedef, barrier_p.bind(*[asvalue(x) for x in leaves]) if leaves else [])


def igamma_grad_a(a, x):
    """∂/∂a of the regularized lower incomplete gamma function P(a, x)."""
    a, x = promote(asvalue(a), asvalue(x))
    shape = broadcast_shapes(a.shape, x.shape)
    return jvp(lambda v: gammainc(v, x), (broadcast_to(a, shape),), (_np.ones(shape, a.dtype),))[1]


def random_gamma_grad(a, x):
    """dx / da of a gamma(a) number x at a fixed probability: -(∂P/∂a) / p(x; a)."""
    a, x = promote(asvalue(a), asvalue(x))
    return -igamma_grad_a(a, x) / ew.exp((a - 1) * ew.log(x) - x - gammaln(a))


__all__ = ["RoundingMethod", "clamp", "clz", "complex", "div", "exp2", "igamma_grad_a", "imag",
           "optimization_barrier", "pow", "random_gamma_grad", "real", "reduce_precision", "round", "select",
           "select_n", "shift_right_arithmetic", "shift_right_logical"]
