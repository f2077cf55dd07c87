"""Forward derivatives: each value carries its tangent. None stands for a zero tangent."""
import numpy as np

from ..array import Array
from ..avals import is_inexact
from ..core import REGISTRY, Trace, Tracer, aval_of, world
from ..errors import ConcretizationError
from .stage import eval_jaxpr, mark_impure, stage


class Jvp(Trace):
    """Pushes tangents forward. With `linear`, the tangents live in that staged program (see linearize)."""
    __slots__ = ("linear",)

    def __init__(self, parent=None, linear=None):
        super().__init__(parent)
        self.linear = linear

    def split(self, v):
        """(primal, tangent); a dual number of another Jvp is a constant to this one."""
        if type(v) is Dual and v.trace is self:
            return v.primal, v.tangent
        return v, None

    def dual(self, primal, tangent):
        return primal if tangent is None else Dual(self, primal, tangent)

    def process(self, prim, args, params):
        xs, ts = zip(*[self.split(a) for a in args]) if args else ((), ())
        if prim.effect or not all(t is None for t in ts):
            if self.linear is not None and prim.linearize is not None:
                ys, tys = prim.linearize(self.linear, xs, ts, **params)
                return [self.dual(y, t) for y, t in zip(ys, tys)]
            rule = prim.rule("jvp")
            if callable(rule):
                ys, tys = rule(xs, ts, **params)
                if prim.multiple:
                    return [self.dual(y, t) for y, t in zip(ys, tys)]
                return self.dual(ys, tys)
            return self.push(prim, rule, xs, ts, params)
        return prim.bind(*args, **params)

    def push(self, prim, rule, xs, ts, params):
        y = prim.bind(*xs, **params)
        total = None
        for part, t in zip(rule, ts):
            if t is not None and part is not None:
                term = part(t, y, *xs, **params)
                if term is not None:
                    total = term if total is None else total + term
        return self.dual(y, total)


class Dual(Tracer):
    """A value and its tangent."""
    __slots__ = ("primal", "tangent")

    def __init__(self, trace, primal, tangent):
        self.trace, self.primal, self.tangent, self.aval = trace, primal, tangent, aval_of(primal)

    def concrete(self, what):
        p = self.primal
        mark_impure(self.trace)
        if isinstance(p, Tracer):
            return p.concrete(what)
        return p.value if type(p) is Array else p

    def __array__(self, dtype=None, copy=None):
        if is_inexact(self.dtype):                       # a number would go on without its derivative
            raise ConcretizationError(
                f"NumPy was given a value of type {self.aval!r} that {self.trace_name()} differentiates: its result "
                "would have no derivative.\nCall the function of chainrule.engine.numpy (or stop_gradient and .item(), "
                "for a number that is meant to be constant).")
        return super().__array__(dtype, copy)

    def trace_name(self):
        return "grad or jvp"


def jvp_flat(fun, primals, tangents):
    """(outs, out tangents) of `fun(*values) -> list`; None is a zero tangent."""
    trace = Jvp()
    with world(trace):
        outs = fun(*[trace.dual(x, t) for x, t in zip(primals, tangents)])
    pairs = [trace.split(o) for o in outs]
    return [p for p, _ in pairs], [t for _, t in pairs]


def zero_tangent(primal):
    """Zeros of a value's type, made again wherever a program closes over them."""
    a = aval_of(primal)
    return np.zeros((), a.dtype) if not a.shape else Array(
        aval=a, recipe=(REGISTRY["full"], {"shape": a.shape, "value": 0, "dtype": a.dtype}))


def jvp_jaxpr(jaxpr, wanted, instantiate):
    """(program, consts, marks): the program takes consts, the inputs, and the tangents of the `wanted` inputs; it gives
    the outputs and the tangents of the outputs in `marks` (those of `instantiate` at least). Kept with the program."""
    key = ("jvp", tuple(wanted), tuple(instantiate))
    found = jaxpr.cache.get(key)
    if found is None:
        info = {}

        def run(*args):
            n = len(jaxpr.invars)
            tangents = iter(args[n:])
            ys, tys = jvp_flat(lambda *a: eval_jaxpr(jaxpr, a), args[:n],
                               [next(tangents) if w else None for w in wanted])
            info["marks"] = [t is not None or i for t, i in zip(tys, instantiate)]
            return ys + [zero_tangent(y) if t is None else t for y, t, m in zip(ys, tys, info["marks"]) if m]

        avals = jaxpr.in_avals + [a for a, w in zip(jaxpr.in_avals, wanted) if w]
        made, consts, pure = stage(run, avals, jaxpr.name)
        found = made, consts, info["marks"]
        if pure:
            jaxpr.cache[key] = found
    return found
