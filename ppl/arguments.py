"""What a staged model depends on: which of its arguments are data, and what its function refers to besides them.

A model is staged once for the types of its data. A function may also read arrays and settings of its surroundings (a
closure, a global); when those change, it must be staged again. `surroundings` gives a key that changes with them.
"""
import dis
import functools
import hashlib
import inspect
import types

import numpy as onp

from ..engine import tree
from ..engine.array import Array
from ..engine.core import Tracer
from .handlers import Handler


def is_data(x):
    """Whether an argument of a model is data (an array, a float, a list of numbers) rather than a fixed fact."""
    if isinstance(x, (Array, Tracer, onp.ndarray, float)) or hasattr(x, "__array__"):
        return not isinstance(x, onp.integer)
    return is_numbers(x)


def is_numbers(x):
    """Whether x is a list of numbers, or a list of such lists with equal lengths."""
    if not isinstance(x, list) or not x:
        return False
    if isinstance(x[0], list):
        return all(is_numbers(v) and len(v) == len(x[0]) for v in x)
    return all(isinstance(v, (int, float, onp.number, onp.bool_)) for v in x)


def data_names(model, args, kwargs):
    """The name of each data leaf among a model's arguments, in their order: x, and x_key, x_0 where x is a tree."""
    try:
        parameters = list(inspect.signature(_plain_function(model)).parameters.values())
    except (TypeError, ValueError):                      # a callable that does not tell its parameters
        parameters = []
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if isinstance(model, types.MethodType):
        named = named[1:]
    names = []
    for (part, first, *rest), leaf in tree.leaves_with_path((tuple(args), kwargs), is_leaf=is_numbers):
        if is_data(leaf):
            top = first if part == 1 else named[first] if first < len(named) else f"argument_{first}"
            names.append("_".join(str(getattr(k, "name", k)) for k in (top, *rest)))
    return names


def surroundings(model):
    """A hashable key of what a model's function reads besides its arguments.

    Arrays and numbers count by their contents, functions of its own module by what they read, everything else by
    identity. What the function itself assigns is left out.
    """
    return _token(model, getattr(_plain_function(model), "__globals__", None), set())


def _plain_function(model):
    """The Python function inside of a method, a partial function or a handler; None if there is none."""
    while model is not None and not isinstance(model, types.FunctionType):
        inner = [getattr(model, name, None) for name in ("__func__", "func", "fn", "__wrapped__")]
        model = next((f for f in inner if f is not None), None)
    return model


class _Same:
    """Equal to itself alone; keeps the object alive, so that its identity is not used again."""
    __slots__ = ("x",)

    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return type(other) is _Same and self.x is other.x

    def __hash__(self):
        return id(self.x)


def _token(x, home, seen):
    """The key of one value that is read; `home` are the globals of the model's module."""
    if x is None or isinstance(x, (bool, int, float, complex, str, bytes, onp.generic)):
        return type(x), x
    if id(x) in seen:
        return None
    seen.add(id(x))
    if not isinstance(x, (Array, Tracer)) and hasattr(x, "__array__") and not isinstance(x, type):
        values = onp.asarray(x)
        if values.dtype == object:
            return _Same(x)
        return values.shape, values.dtype.str, hashlib.blake2b(values.tobytes()).digest()
    if isinstance(x, tuple):
        return type(x), tuple([_token(v, home, seen) for v in x])
    if isinstance(x, functools.partial):
        return tuple([_token(v, home, seen) for v in (x.func, x.args, tuple(x.keywords.items()))])
    if isinstance(x, types.MethodType):
        return _token(x.__func__, home, seen), _instance(x.__self__, home, seen)
    if isinstance(x, types.FunctionType):
        inner = getattr(x, "__wrapped__", None)
        own = x.__globals__ is home or x.__closure__ is not None and inner is None
        read = _function(x, home, seen) if own else None
        return _Same(x), read, None if inner is None else _token(inner, home, seen)
    if isinstance(x, Handler) or callable(x) and not isinstance(x, (type, types.BuiltinFunctionType)):
        return _instance(x, home, seen)
    return _Same(x)


def _instance(x, home, seen):
    facts = sorted((k, v) for k, v in getattr(x, "__dict__", {}).items() if k != "_chainrule_programs")
    return _Same(x), tuple([(k, _token(v, home, seen)) for k, v in facts])


def _function(f, home, seen):
    cells, names = _reads(f.__code__)
    closed = zip(f.__code__.co_freevars, f.__closure__ or ())
    read = [getattr(c, "cell_contents", None) for n, c in closed if n in cells]
    read += [f.__globals__[n] for n in names if n in f.__globals__]
    read += [*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()]
    return tuple([_token(v, home, seen) for v in read if not isinstance(v, (types.ModuleType, type))])


@functools.lru_cache(maxsize=1000)
def _reads(code):
    """(free variables, globals) that a function's code reads and does not assign, functions inside of it included."""
    loaded, stored, globals_ = set(), set(), set()
    todo = [code]
    while todo:
        c = todo.pop()
        todo += [k for k in c.co_consts if isinstance(k, types.CodeType)]
        for op in dis.get_instructions(c):
            name = op.argval
            if op.opname.startswith("STORE_") and ("DEREF" in op.opname or "GLOBAL" in op.opname):
                stored.add(name)
            elif "DEREF" in op.opname or "CLOSURE" in op.opname:
                loaded.add(name)
            elif op.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                globals_.add(name)
    return frozenset(loaded - stored), tuple(sorted(globals_ - stored))
