"""One formula, three readings: NumPy arrays, StableHLO text, and either of them with derivatives.

A formula is a function f(m, *xs) of a reading m, which has exp, log, where, loop and so on; the operands answer to
Python's operators. `NUMPY` reads it as the meaning of a primitive, `Xla(b)` as its lowering, and `Derivative(m)` reads
it forward with tangents, which is how the incomplete functions get derivatives in their parameters: no formula for
those is simpler than the algorithm itself.
"""
import math

import numpy as np

from ..avals import Aval
from ..lazy import scipy_special

_F64, _F32, _BOOL = np.dtype("float64"), np.dtype("float32"), np.dtype(bool)
_2_SQRT_PI = 2 / math.sqrt(math.pi)
_HEAD = -1 << 27                                         # of the 53 digits the first 26


class Numpy:
    """The reading as NumPy arrays."""
    exp, log, log1p = staticmethod(np.exp), staticmethod(np.log), staticmethod(np.log1p)
    sqrt, abs, pow = staticmethod(np.sqrt), staticmethod(np.abs), staticmethod(np.power)
    floor, round = staticmethod(np.floor), staticmethod(np.rint)
    sin, cos = staticmethod(np.sin), staticmethod(np.cos)
    where, zeros_like = staticmethod(np.where), staticmethod(np.zeros_like)

    @staticmethod
    def head(x):
        """x without the lower half of its digits."""
        return (np.asarray(x).view(np.int64) & _HEAD).view(_F64)

    def apply(self, f, slopes, *xs):
        """f(m, *xs), whose derivatives are slopes[i](m, y, *xs)."""
        return f(self, *xs)

    @staticmethod
    def table(coefficients):
        """The coefficients for this precision, of {bytes: coefficients}."""
        return coefficients[8]

    @staticmethod
    def special(name, x):
        """lgamma, digamma, trigamma, tetragamma or erfc."""
        if name in ("trigamma", "tetragamma"):
            return scipy_special.polygamma(1 if name == "trigamma" else 2, x)
        return getattr(scipy_special, {"lgamma": "gammaln", "digamma": "psi"}.get(name, name))(x)

    @staticmethod
    def loop(go, body, state, limit):
        """body applied to the elements for which go holds, at most `limit` times."""
        for _ in range(limit):
            g = go(*state)
            if not np.any(g):
                break
            state = [np.where(g, n, s) for n, s in zip(body(*state), state)]
        return state


NUMPY = Numpy()
SPECIAL: dict = {}                                       # formulas by the names that `special` takes


class Expr:
    """A value of the StableHLO builder with Python's operators."""
    __slots__ = ("b", "val")
    __array_ufunc__ = None

    def __init__(self, b, val):
        self.b, self.val = b, val

    def _other(self, o):
        return o.val if isinstance(o, Expr) else self.b.constant(o, self.val.dtype)

    def _do(self, op, o, swap=False):
        x, y = self.val, self._other(o)
        return Expr(self.b, self.b.elementwise("stablehlo." + op, *((y, x) if swap else (x, y))))

    def __add__(self, o): return self._do("add", o)                     # noqa: E704
    def __sub__(self, o): return self._do("subtract", o)                # noqa: E704
    def __mul__(self, o): return self._do("multiply", o)                # noqa: E704
    def __truediv__(self, o): return self._do("divide", o)              # noqa: E704
    def __rsub__(self, o): return self._do("subtract", o, True)         # noqa: E704
    def __rtruediv__(self, o): return self._do("divide", o, True)       # noqa: E704
    def __and__(self, o): return self._do("and", o)                     # noqa: E704
    def __or__(self, o): return self._do("or", o)                       # noqa: E704
    def __lt__(self, o): return Expr(self.b, self.b.compare("LT", self.val, self._other(o)))     # noqa: E704
    def __gt__(self, o): return Expr(self.b, self.b.compare("GT", self.val, self._other(o)))     # noqa: E704
    def __le__(self, o): return Expr(self.b, self.b.compare("LE", self.val, self._other(o)))     # noqa: E704
    def __ge__(self, o): return Expr(self.b, self.b.compare("GE", self.val, self._other(o)))     # noqa: E704
    def __neg__(self): return Expr(self.b, self.b.op("stablehlo.negate", [self.val], self.val.aval))      # noqa: E704
    def __invert__(self): return Expr(self.b, self.b.op("stablehlo.not", [self.val], self.val.aval))      # noqa: E704
    __radd__, __rmul__ = __add__, __mul__


class Xla:
    """The reading as StableHLO, all values of one shape."""

    def __init__(self, b, size=8):
        self.b, self.size = b, size

    def table(self, coefficients):
        return coefficients[self.size]

    def _unary(self, op, x):
        return Expr(self.b, self.b.op(op, [x.val], x.val.aval))

    def exp(self, x): return self._unary("stablehlo.exponential", x)    # noqa: E704
    def log(self, x): return self._unary("stablehlo.log", x)            # noqa: E704
    def log1p(self, x): return self._unary("stablehlo.log_plus_one", x) # noqa: E704, E261
    def sqrt(self, x): return self._unary("stablehlo.sqrt", x)          # noqa: E704
    def abs(self, x): return self._unary("stablehlo.abs", x)            # noqa: E704
    def floor(self, x): return self._unary("stablehlo.floor", x)        # noqa: E704
    def sin(self, x): return self._unary("stablehlo.sine", x)           # noqa: E704
    def cos(self, x): return self._unary("stablehlo.cosine", x)         # noqa: E704
    def round(self, x): return self._unary("stablehlo.round_nearest_even", x)       # noqa: E704

    def pow(self, x, y):
        return x._do("power", y)

    def head(self, x):
        bits = Aval(x.val.shape, np.dtype("int64"))
        whole = self.b.op("stablehlo.bitcast_convert", [x.val], bits)
        upper = self.b.elementwise("stablehlo.and", whole, self.b.constant(_HEAD, bits.dtype, bits.shape))
        return Expr(self.b, self.b.op("stablehlo.bitcast_convert", [upper], x.val.aval))

    def apply(self, f, slopes, *xs):
        return f(self, *xs)

    def zeros_like(self, x):
        return Expr(self.b, self.b.like(x.val, 0))

    def where(self, c, x, y):
        """x where c holds, y elsewhere; they may be numbers, of the other's dtype."""
        known = [v.val.dtype for v in (x, y) if isinstance(v, Expr)]
        dtype = known[0] if known else f"f{self.size}"
        x, y = (v.val if isinstance(v, Expr) else self.b.constant(v, dtype, c.val.shape) for v in (x, y))
        return Expr(self.b, self.b.select(c.val, x, y))

    def special(self, name, x):
        return SPECIAL[name](self, x) if name in SPECIAL else self._unary("chlo." + name, x)

    def loop(self, go, body, state, limit):
        b, count = self.b, np.dtype("int32")

        def test(i, *vals):
            going = go(*[Expr(b, v) for v in vals]).val
            some = b.reduce("stablehlo.or", going, False, range(len(going.shape))) if going.shape else going
            return b.op("stablehlo.and", [some, b.compare("LT", i, b.constant(limit, count))], Aval((), _BOOL))

        def step(i, *vals):
            old = [Expr(b, v) for v in vals]
            going = go(*old).val
            new = [b.select(going, n.val, v) for n, v in zip(body(*old), vals)]
            return [b.elementwise("stablehlo.add", i, b.constant(1, count)), *new]

        out = b.while_loop([b.constant(0, count), *[s.val for s in state]], test, step)
        return [Expr(b, v) for v in out[1:]]


class Dual:
    """A value with its tangent (None for zero), both of the reading below."""
    __slots__ = ("v", "t")
    __array_ufunc__ = None

    def __init__(self, v, t=None):
        self.v, self.t = v, t

    def __add__(self, o):
        return Dual(self.v + o.v, _sum(self.t, o.t)) if isinstance(o, Dual) else Dual(self.v + o, self.t)

    def __neg__(self):
        return Dual(-self.v, None if self.t is None else -self.t)

    def __sub__(self, o):
        return self + (-o)

    def __rsub__(self, o):
        return (-self) + o

    def __mul__(self, o):
        if not isinstance(o, Dual):
            return Dual(self.v * o, _times(self.t, o))
        return Dual(self.v * o.v, _sum(_times(self.t, o.v), _times(o.t, self.v)))

    def __truediv__(self, o):
        if not isinstance(o, Dual):
            return Dual(self.v / o, None if self.t is None else self.t / o)
        q = self.v / o.v
        if o.t is None:
            return Dual(q, None if self.t is None else self.t / o.v)
        return Dual(q, _sum(None if self.t is None else self.t / o.v, -(q * o.t / o.v)))

    def __rtruediv__(self, o):
        q = o / self.v
        return Dual(q, None if self.t is None else -(q * self.t / self.v))

    __radd__, __rmul__ = __add__, __mul__
    def __lt__(self, o): return self.v < (o.v if isinstance(o, Dual) else o)        # noqa: E301, E704
    def __gt__(self, o): return self.v > (o.v if isinstance(o, Dual) else o)        # noqa: E704
    def __le__(self, o): return self.v <= (o.v if isinstance(o, Dual) else o)       # noqa: E704
    def __ge__(self, o): return self.v >= (o.v if isinstance(o, Dual) else o)       # noqa: E704


def _sum(s, t):
    return t if s is None else s if t is None else s + t


def _times(t, v):
    return None if t is None else t * v


_NEXT = {"lgamma": "digamma", "digamma": "trigamma", "trigamma": "tetragamma"}


class Derivative:
    """The reading with a tangent beside each value of the reading m; a value without one is constant."""

    def __init__(self, m):
        self.m = m

    def exp(self, x):
        if not isinstance(x, Dual):
            return self.m.exp(x)
        y = self.m.exp(x.v)
        return Dual(y, _times(x.t, y))

    def log(self, x):
        if not isinstance(x, Dual):
            return self.m.log(x)
        return Dual(self.m.log(x.v), None if x.t is None else x.t / x.v)

    def log1p(self, x):
        return Dual(self.m.log1p(x.v), None if x.t is None else x.t / (x.v + 1.0))

    def sqrt(self, x):
        y = self.m.sqrt(x.v)
        return Dual(y, None if x.t is None else x.t / (y + y))

    def pow(self, x, y):
        """x to the power y, a value or a number."""
        power = y.v if isinstance(y, Dual) else y
        out = self.m.pow(x.v, power)
        in_y = _times(y.t, out * self.m.log(x.v)) if isinstance(y, Dual) else None
        return Dual(out, _sum(None if x.t is None else x.t * (out / x.v * power), in_y))

    def sin(self, x):
        return Dual(self.m.sin(x.v), _times(x.t, self.m.cos(x.v)))

    def cos(self, x):
        return Dual(self.m.cos(x.v), _times(x.t, -self.m.sin(x.v)))

    def floor(self, x):
        return Dual(self.m.floor(x.v)) if isinstance(x, Dual) else self.m.floor(x)

    def round(self, x):
        return Dual(self.m.round(x.v)) if isinstance(x, Dual) else self.m.round(x)

    def table(self, coefficients):
        return self.m.table(coefficients)

    def apply(self, f, slopes, *xs):
        below = [x.v for x in xs]
        y, t = self.m.apply(f, slopes, *below), None
        for x, slope in zip(xs, slopes):
            if x.t is not None:
                t = _sum(t, slope(self.m, y, *below) * x.t)
        return Dual(y, t)

    def abs(self, x):
        if not isinstance(x, Dual):
            return self.m.abs(x)
        return Dual(self.m.abs(x.v), None if x.t is None else self.m.where(plain(x.v) < 0.0, -x.t, x.t))

    def special(self, name, x):
        y = self.m.special(name, x.v)
        if x.t is None:
            return Dual(y)
        if name == "erfc":
            return Dual(y, x.t * self.m.exp(-(x.v * x.v)) * -_2_SQRT_PI)
        return Dual(y, x.t * self.m.special(_NEXT[name], x.v))

    def zeros_like(self, x):
        return Dual(self.m.zeros_like(x.v))

    def where(self, c, x, y):
        xv, xt = (x.v, x.t) if isinstance(x, Dual) else (x, None)
        yv, yt = (y.v, y.t) if isinstance(y, Dual) else (y, None)
        if xt is None and yt is None:
            return Dual(self.m.where(c, xv, yv))
        return Dual(self.m.where(c, xv, yv), self.m.where(c, 0.0 if xt is None else xt, 0.0 if yt is None else yt))

    def loop(self, go, body, state, limit):
        """The loop of the reading below, with the tangents in its state."""
        def pairs(flat):
            return [Dual(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)]

        def flat(duals):
            return [x for d in duals for x in (d.v, self.m.zeros_like(d.v) if d.t is None else d.t)]

        return pairs(self.m.loop(lambda *s: go(*pairs(s)), lambda *s: flat(body(*pairs(s))), flat(state), limit))


def plain(x):
    """A value without its tangents."""
    while isinstance(x, Dual):
        x = x.v
    return x


def converging(m, term, total, eps):
    """Where a term still matters to its total, or the tangent of the one to that of the other."""
    going = m_abs(term) > m_abs(total) * eps if not isinstance(term, Dual) else None
    if going is not None:
        return going
    inner = m.m
    out = converging(inner, term.v, total.v, eps)
    if term.t is not None and total.t is not None:
        out = out | converging(inner, term.t, total.t, eps)
    return out


def m_abs(x):
    """|x| of a value without tangents."""
    return NUMPY.abs(x) if not isinstance(x, Expr) else Xla(x.b).abs(x)


def polynomial(x, coefficients):
    """Σ cₖ xᵏ by Horner's rule, lowest power first."""
    if len(coefficients) == 1:
        return x * 0.0 + coefficients[0]
    out = x * coefficients[-1] + coefficients[-2]
    for c in coefficients[-3::-1]:
        out = out * x + c
    return out


def reciprocal(x):
    """1 / x as a product of powers of two and a quotient.

    The compiler stores a quotient that is used more than once and reads it again in a further loop over the array; a
    product it repeats where it is used, so that all stays one loop. A ratio that is used more than once is then
    x * (1 / y), which is right to one unit in the last place and a half.
    """
    return (2.0 / x) * 0.5


def lost(x, y, total):
    """x + y - total for the rounded sum `total`, exactly (Knuth's TwoSum); without tangents."""
    x, y, total = plain(x), plain(y), plain(total)
    there = total - x
    return (x - (total - there)) - (there - y)


def differentiated(f, orders):
    """f(m, *xs) differentiated orders[i] times in argument i, as a formula."""
    orders = list(orders)
    for place, n in enumerate(orders):
        if n:
            lower = differentiated(f, [k - (i == place) for i, k in enumerate(orders)])

            def derivative(m, *xs, place=place, lower=lower):
                ones = m.zeros_like(xs[place]) + 1.0
                out = lower(Derivative(m), *[Dual(x, ones) if i == place else Dual(x) for i, x in enumerate(xs)])
                return m.zeros_like(out.v) if out.t is None else out.t
            return derivative
    return f


def numpy_impl(f):
    """The formula as a primitive's impl, computed in float64."""
    def impl(*xs):
        shape = np.broadcast_shapes(*[np.shape(x) for x in xs])
        out = f(NUMPY, *[np.broadcast_to(np.asarray(x, _F64), shape) for x in xs])
        return np.asarray(out).astype(xs[0].dtype)
    return impl


def xla_lower(f, narrow=False, reading=Xla):
    """The formula as a primitive's lowering, computed in float64; with `narrow` in float32 for what is no wider."""
    def lower(b, *xs):
        shape = np.broadcast_shapes(*[x.shape for x in xs])
        work = _F32 if narrow and xs[0].dtype.itemsize < 8 else _F64
        out = f(reading(b, work.itemsize), *[Expr(b, b.convert(b.broadcast_to(x, shape), work)) for x in xs])
        return b.convert(out.val, xs[0].dtype)
    return lower
