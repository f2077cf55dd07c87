"""The tracer: primitives, interpreters, and the one slot that says which interpreter is current.

Everything that acts on a program is an interpreter of its primitives. `Primitive.bind` hands an
operation to the current interpreter, and the interpreter does its work by binding primitives under its
parent, so interpreters nest in any order. Which one is asked is decided by context alone: a value
that carries another interpreter's mark is a constant to this one. That is what rules out perturbation
confusion (d/dx x * d/dy x has inner derivative 0).

- A *world* is the chain of interpreters from the current one to the root, which evaluates.
- A rule of a primitive always runs in the world below the interpreter that reads it, so rules are written
  in ordinary operations and need not know who else is there.
- Work that does not touch an interpreter's own values is passed down. So staging records only what
  depends on its inputs (or has effects), and what depends on known data alone is computed once, outside.

Sharp edges: a tracer kept after its transformation ended raises `LeakedTracerError` when it is used; an
interpreter is current per thread, so a thread started inside a transformation begins at the root.
"""
import contextvars
import threading

import numpy as np

from .array import Array, Value
from .avals import Aval
from .errors import ConcretizationError, LeakedTracerError, MissingRule, user_location

READERS = {"shape": "tracing", "impl": "evaluation", "lower": "jit", "jvp": "jvp and grad",
           "transpose": "grad", "batch": "vmap"}
REGISTRY: dict = {}
_NOTHING: frozenset = frozenset()
OPEN_EFFECTS = frozenset(["site", "axis"])    # what another interpreter must treat before a program can be compiled


class _State(threading.local):
    trace = None             # the current interpreter; the class attribute is the root
    root = None              # the interpreter at the bottom of every world
    source = None            # the user's line that a re-evaluated equation came from
    scope = ""               # the names given by named_scope
    device = None            # the device of the default_device block that is open
    mesh = None              # the mesh of the `with` block that is open
    loops = 0                # the number of scans that vmap went into on its way to the current operation

    def __init__(self):
        silent = contextvars.copy_context()              # a context in which NumPy does not warn: errstate takes 1 µs
        silent.run(np.seterr, all="ignore")
        self.silently = silent.run


state = _State()


class Trace:
    """An interpreter. `process` runs in the world below; it returns one value, or a list for a primitive
    with several results. A transparent interpreter sees only primitives that are `handled`."""
    __slots__ = ("parent",)
    transparent = False
    context: str | None = None            # what a compiled or staged function depends on (a plate, an axis), or None

    def __init__(self, parent=None):
        self.parent = parent or state.trace

    def process(self, prim, args, params):
        raise NotImplementedError

    def axis_size(self, name):
        """The size of the axis that this interpreter names so, or None."""
        return None

    def axis_names(self):
        """The names that it gives to axes."""
        return ()


class world:
    """`with world(trace):` makes `trace` the current interpreter."""
    __slots__ = ("trace", "before")

    def __init__(self, trace):
        self.trace = trace

    def __enter__(self):
        self.before = state.trace
        state.trace = self.trace
        return self.trace

    def __exit__(self, *exc):
        state.trace = self.before


def quietly(f, *xs):
    """f(*xs) without NumPy's warnings, for an f that calls nothing of the user's."""
    try:
        return state.silently(f, *xs)
    except RuntimeError:                                 # inside of itself, by way of a signal handler or a finalizer
        with np.errstate(all="ignore"):
            return f(*xs)


def set_root(trace):
    """Install the interpreter at the bottom of every world."""
    _State.trace = _State.root = trace
    trace.parent = trace


def enclosing():
    """The interpreters from the current one down to the root."""
    trace = state.trace
    while trace is not trace.parent:
        yield trace
        trace = trace.parent
    yield trace


def context_key():
    """What staging depends on besides the function and its arguments."""
    return tuple(dict.fromkeys([t.context for t in enclosing() if t.context is not None]))


class Primitive:
    """A record of rules, always in this order: shape, impl, lower, jvp, transpose, batch.

    shape(*avals, **params) -> Aval (a list of them if `multiple`)
    impl(*ndarrays, **params) -> ndarray: the meaning in NumPy, and the reference of the tests
    lower(b, *operands, **params): StableHLO, written with the builder b; a string names an element-wise operation
    jvp: a tuple with one map (t, y, *xs, **params) per argument, None where not differentiable; or one
        function (xs, ts, **params) -> (ys, tys) with None for a zero tangent
    transpose: a tuple with one map (c, *xs, **params) per argument, xs[i] an Aval where it is solved for;
        or one function (cs, *xs, **params) -> [cotangent or None]
    batch(b, mine, *xs, **params): the batch axis is axis 0 of the xs marked in `mine`; b.size, b.bind;
        returns a value with the batch axis first, or for `multiple` (values, marks)

    `uniform`: element-wise, so that arrays of one value give an array of one value. `eager` runs the primitive on
    concrete arrays where that is not `impl`; `linearize` splits a primitive with programs inside.
    """
    __slots__ = ("name", "multiple", "effect", "handled", "inner", "linearize", "eager", "uniform", "shape", "impl",
                 "lower", "jvp", "transpose", "batch", "__weakref__")

    def __init__(self, name, *, shape=None, impl=None, lower=None, jvp=None, transpose=None, batch=None,
                 multiple=False, effect=None, handled=False, inner=(), linearize=None, eager=None,
                 uniform=False):
        assert name not in REGISTRY, f"there is a primitive {name!r} already"
        REGISTRY[name] = self
        self.name, self.multiple, self.handled, self.inner = name, multiple, handled, inner
        self.effect = frozenset([effect]) if effect else _NOTHING
        self.shape, self.impl, self.lower, self.jvp = shape, impl, lower, jvp
        self.transpose, self.batch, self.linearize, self.eager = transpose, batch, linearize, eager
        self.uniform = uniform

    def define(self, kind):
        """For a rule too long for the table: `@p.define("batch")`."""
        assert getattr(self, kind) is None, f"{self.name} has a {kind} rule already"

        def put(f):
            setattr(self, kind, f)
            return f
        return put

    def rule(self, kind):
        rule = getattr(self, kind)
        if rule is None:
            raise MissingRule(f"`{self.name}` has no {kind} rule, so {READERS[kind]} cannot go through it.\n"
                              f"Give it one where it is defined: Primitive({self.name!r}, ..., {kind}=...).")
        return rule

    def out_avals(self, avals, params):
        """The types of the results, as a list."""
        out = self.rule("shape")(*avals, **params)
        return list(out) if self.multiple else [out]

    def programs(self, params):
        """The programs among the parameters."""
        for name in self.inner:
            p = params[name]
            if isinstance(p, tuple):
                yield from p
            elif p is not None:
                yield p

    def meshes(self, params):
        """The meshes of devices that one application speaks of."""
        return ()

    def effects(self, params):
        """The effects of one application, those of the programs inside included."""
        if not self.inner:
            return self.effect
        return self.effect.union(*[p.effects for p in self.programs(params)])

    def bind(self, *args, **params):
        """Hand the operation to the current interpreter: arrays in args, static facts in params."""
        before = trace = state.trace
        if trace is state.root:
            return trace.process(self, args, params)
        while trace.transparent and not self.handled:
            trace = trace.parent
        state.trace = trace.parent
        try:
            return trace.process(self, args, params)
        finally:
            state.trace = before

    def __repr__(self):
        return f"Primitive({self.name!r})"


class Tracer(Value):
    """Stands for a value inside one interpreter; `aval` says of what type."""
    __slots__ = ("trace", "aval")

    def __init__(self, trace, aval):
        self.trace, self.aval = trace, aval

    def concrete(self, what):
        """The number behind the tracer, where its interpreter has one."""
        raise ConcretizationError(
            f"{what} was asked of a value of type {self.aval!r} that is being traced by {self.trace_name()}: "
            "it stands for all values of that type, so it has no number yet.\n"
            f"{self.advice(what)}")

    def trace_name(self):
        return type(self.trace).__name__.lower()

    @staticmethod
    def advice(what):
        if what.startswith("a truth value"):
            return ("Write np.where(condition, a, b) or cond(condition, f, g, x) instead of `if`, "
                    "while_loop instead of `while`, np.logical_and(a, b) instead of `a and b`.")
        if what.startswith("an index") or what.startswith("an int"):
            return "Sizes, axes and `range` need Python integers: pass them as static arguments (static_argnums)."
        return "Keep to functions of chainrule.engine.numpy inside the transformation, or compute this outside of it."

    def __bool__(self):
        return bool(self.concrete("a truth value (`if`, `while`, `and`, `or`, `not`)"))

    def __int__(self):
        return int(self.concrete("an int"))

    def __index__(self):
        return self.concrete("an index or size").__index__()

    def __float__(self):
        return float(self.concrete("a float"))

    def __complex__(self):
        return complex(self.concrete("a complex number"))

    def __array__(self, dtype=None, copy=None):
        return self.concrete("a NumPy array").__array__(dtype) if dtype else self.concrete("a NumPy array")

    def item(self):
        """The value as a Python scalar, where it is known."""
        return self.concrete("a Python scalar").item()

    def tolist(self):
        """The values as nested lists, where they are known."""
        return self.concrete("a list").tolist()

    def __hash__(self):
        return id(self)

    def block_until_ready(self):
        return self

    def __repr__(self):
        return f"<traced {self.aval!r} in {self.trace_name()}>"


def aval_of(x):
    """The Aval of an array, a tracer, an Aval or anything NumPy can read."""
    a = getattr(x, "aval", None)
    if a is not None:
        return a
    if isinstance(x, Aval):
        return x
    return Aval(x.shape, x.dtype)


def raw(x):
    """The NumPy value of a concrete operand; a tracer here has outlived its transformation."""
    if type(x) is Array:
        return x.value
    if isinstance(x, Tracer):
        raise LeakedTracerError(
            f"a value of type {x.aval!r}, traced by {x.trace_name()}, was used after that transformation had ended "
            "(it was kept in a list, an attribute, a global or a closure).\n"
            "Return it from the transformed function instead of storing it.")
    return x


def source_line():
    """The user's line for a new equation."""
    return state.source or user_location()


class named_scope:
    """`with named_scope("encoder"):` names the operations inside, in programs, in XLA's HLO and in profiles."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.before, state.scope = state.scope, f"{state.scope}/{self.name}" if state.scope else self.name
        return self

    def __exit__(self, *exc):
        state.scope = self.before
