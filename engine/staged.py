"""A function staged for the types of its arguments: what is kept for how long, and under which key."""
import weakref

from . import retrace, tree
from .config import config
from .core import context_key
from .errors import DtypeError, TransformError
from .interpreters.stage import stage
from .ops.structural import asvalue
from .stats import stats


def name_of(f):
    """A function's name, for messages and programs."""
    return getattr(f, "__name__", None) or type(f).__name__


class Staged:
    """A function staged for one set of types: its program, closed-over values and the structure of its result."""
    __slots__ = ("jaxpr", "consts", "out_tree")

    def __init__(self, jaxpr, consts, out_tree):
        self.jaxpr, self.consts, self.out_tree = jaxpr, consts, out_tree


_STAGED: "weakref.WeakKeyDictionary" = weakref.WeakKeyDictionary()


def take_apart(f, args, kwargs, statics=()):
    """(key, leaves, static arguments by position, by name): what a call of f is known by, and its array arguments."""
    static_args = {i: args[i] for i in statics if isinstance(i, int) and -len(args) <= i < len(args)}
    static_args = {i % len(args): v for i, v in static_args.items()}
    static_kwargs = {k: kwargs[k] for k in statics if isinstance(k, str) and k in kwargs}
    dynamic = ([a for i, a in enumerate(args) if i not in static_args],
               {k: v for k, v in kwargs.items() if k not in static_kwargs})
    leaves, treedef = tree.flatten(dynamic)
    leaves = [as_argument(x, f) for x in leaves]
    key = (treedef, tuple([x.aval for x in leaves]), static_key(static_args, f), static_key(static_kwargs, f),
           context_key(), config.default_float)          # see retrace.Key
    return key, leaves, static_args, static_kwargs


def stage_function(f, args, kwargs, statics=()):
    """The `Staged` form of f for these arguments' types; kept as long as f lives. Counts as one trace when new.

    `statics` are positions or names of arguments that stay Python values.
    """
    key, leaves, static_args, static_kwargs = take_apart(f, args, kwargs, statics)
    table = table_of(f)
    found = table.get(key) if table is not None else None
    if found is not None:
        return found, leaves

    trees = []

    def run(*flat):
        rest, named = tree.unflatten(key[0], flat)
        rest = iter(rest)
        full_args = [static_args[i] if i in static_args else next(rest) for i in range(len(args))]
        out, out_tree = tree.flatten(f(*full_args, **named, **static_kwargs))
        trees.append(out_tree)
        return [as_result(o, f) for o in out]

    retrace.notice(f, key, table)
    stats.traces += 1
    jaxpr, consts, pure = stage(run, [x.aval for x in leaves], name_of(f))
    found = Staged(jaxpr, consts, trees[0])
    if pure and table is not None:
        table[key] = found
    return found, leaves


def table_of(f):
    """The staged forms of f by key, or None for what cannot be referred to weakly."""
    owner = getattr(f, "__self__", None)
    inner = getattr(f, "__func__", None)
    try:
        if owner is not None and inner is not None:       # a bound method is a new object each time
            return _STAGED.setdefault(owner, {}).setdefault(inner, {})
        return _STAGED.setdefault(f, {})
    except TypeError:
        return None


def static_key(values, f):
    """A hashable key of static arguments in which 1, 1.0 and True differ."""
    try:
        out = tuple([(k, type(v), v) for k, v in sorted(values.items())])
        hash(out)
    except TypeError:
        bad = next((k for k, v in values.items() if getattr(type(v), "__hash__", None) is None), next(iter(values)))
        raise TransformError(f"static argument {bad!r} of {name_of(f)} is a {type(values[bad]).__name__}, which is not "
                             "hashable; a compiled function is kept for each of its values.\nPass a tuple, a number or "
                             "a string, or make it not static.") from None
    return out


def as_argument(x, f):
    """A leaf of the arguments as a value."""
    try:
        return asvalue(x)
    except DtypeError as e:
        raise DtypeError(f"{name_of(f)} got an argument that is not an array: {x!r:.80}.\n"
                         "Pass arrays and numbers; mark strings, functions and flags as static (static_argnums, "
                         "static_argnames).") from e


def as_result(x, f):
    """A leaf of the result as a value."""
    try:
        return asvalue(x)
    except DtypeError as e:
        raise DtypeError(f"{name_of(f)} returned something that is not an array: {x!r:.80}.") from e
