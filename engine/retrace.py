"""Why a function is traced again, in one sentence.

A compiled function is kept for the types of its arguments, the values of the static ones, and the context of the
call. `config.explain_retraces` logs a sentence for every later trace of a function, to the logger "chainrule";
`no_retrace` raises it instead. A function object that is made anew in each turn of a loop never finds what was kept:
that is said too.
"""
import inspect
import logging
import os
import threading
import weakref
from contextlib import contextmanager
from typing import NamedTuple

from . import tree
from .config import config
from .errors import RetraceError, describe_location, user_location

log = logging.getLogger("chainrule")


class Key(NamedTuple):
    """What a staged function is kept by."""
    tree: tree.TreeDef           # of ([positional arguments that are not static], {keyword arguments})
    avals: tuple                 # types of the leaves
    static_args: tuple           # (position, type, value)
    static_kwargs: tuple         # (name, type, value)
    context: tuple               # plates and named axes around the call
    default_float: str


class _Guard(threading.local):
    depth = 0


_guard = _Guard()
_by_code: "weakref.WeakKeyDictionary" = weakref.WeakKeyDictionary()      # code of a function -> objects made from it
_traced: "weakref.WeakKeyDictionary" = weakref.WeakKeyDictionary()       # function -> keys it was traced for


@contextmanager
def no_retrace():
    """Inside, tracing a function that was traced before raises `RetraceError`, which says what has changed.

    >>> from chainrule.engine import jit
    >>> f = jit(lambda x: x * 2)
    >>> with no_retrace():
    ...     (float(f(1.0)), float(f(2.0)))
    (2.0, 4.0)
    """
    _guard.depth += 1
    try:
        yield
    finally:
        _guard.depth -= 1


def notice(f, key, table):
    """Called when f is about to be traced: explains or forbids it where it is not the first time."""
    watched = config.explain_retraces or _guard.depth
    reason = explain(f, key, table) if watched else None
    _remember(f, key, table)
    if reason is None:
        return
    if _guard.depth:
        raise RetraceError(f"{reason}.\nInside no_retrace() a function keeps the types that it was first called with.")
    log.warning("%s%s", reason, _at(user_location()))


def explain(f, key, table):
    """One sentence that says why a call with this key is traced although f was traced before; None if it was not."""
    known = list(table or ())
    if key in _seen(f):
        return (f"{_title(f)} is traced again for the same types because its program depends on a value of a "
                "transformation around it, such as a traced value that it closes over, and so is not kept")
    if known:
        changes = min([differences(f, k, key) for k in known], key=len)
        return f"{_title(f)} is traced again because {'; '.join(changes)}"
    code = _code(f)
    before = _by_code.get(code, 0) if code is not None else 0
    if before and table is not None and not table:
        return (f"{_title(f)} is traced again because it is a new function object, number {before + 1} made by the "
                "same lines, and what is compiled is kept with the object; make it once, outside of the loop")
    return None


def _remember(f, key, table):
    code = _code(f)
    seen = _seen(f)
    if code is not None and not table and not seen:
        _by_code[code] = _by_code.get(code, 0) + 1
    if len(seen) < 64:
        seen.add(key)                                    # looked for only where no program was found


def _seen(f):
    """The keys for which f was traced."""
    try:
        return _traced.setdefault(f, set()) if not hasattr(f, "__func__") else set()
    except TypeError:                                    # f cannot be referred to weakly
        return set()


def _code(f):
    """The code of a function that wraps no other: those that do share the code of the wrapper."""
    f = getattr(f, "__func__", f)
    return None if hasattr(f, "__wrapped__") else getattr(f, "__code__", None)


def _title(f):
    inner = inspect.unwrap(getattr(f, "__func__", f))
    code = getattr(inner, "__code__", None)
    name = getattr(f, "__name__", None) or type(f).__name__
    return f"{name} ({os.path.basename(code.co_filename)}:{code.co_firstlineno})" if code is not None else name


def _at(location):
    where = describe_location(location)
    return f", at {where}" if where else ""


# ---- what differs between two keys ----

def differences(f, old, new):
    """What has changed from one key to another, a list of phrases."""
    out, old, new = [], Key._make(old), Key._make(new)
    if old.tree == new.tree:
        for path, a, b in zip(argument_names(f, new), old.avals, new.avals):
            if a != b:
                out.append(f"argument {path} changed from {a!r} to {b!r}")
    else:
        out.extend(_structures(f, old, new))
    for kind in ("static_args", "static_kwargs"):
        before, after = ({k: (t, v) for k, t, v in getattr(key, kind)} for key in (old, new))
        for k in dict.fromkeys([*before, *after]):
            if before.get(k) != after.get(k):
                out.append(f"static argument {place_name(f, k)} {_change(before.get(k), after.get(k))}")
    if old.context != new.context:
        out.append(f"the context of the call changed from {_context(old)} to {_context(new)}")
    if old.default_float != new.default_float:
        out.append(f"the setting default_float changed from {old.default_float} to {new.default_float}")
    return out


def _change(before, after):
    if before is None or after is None:
        return "is given now" if before is None else "is not given now"
    return f"changed from {before[1]!r:.60} to {after[1]!r:.60}" + (
        f" ({before[0].__name__} to {after[0].__name__})" if before[1] == after[1] else "")


def _context(key):
    return ", ".join([" ".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in key.context]) or "none"


def place_name(f, place):
    """The name of the argument in a place."""
    if isinstance(place, str):
        return place
    try:
        return list(inspect.signature(f).parameters)[place]
    except (TypeError, ValueError, IndexError):
        return str(place)


def _positions(key):
    """The positions of the arguments that are not static."""
    static = {k for k, _, _ in key.static_args}
    total = len(key.tree.children[0].children) + len(static)
    return [i for i in range(total) if i not in static]


def argument_names(f, key):
    """What to call each leaf of the arguments: x, x['a'][0], …"""
    key = Key._make(key)
    try:
        shown = tree.unflatten(key.tree, [None] * key.tree.num_leaves)
        pairs = tree.leaves_with_path(shown, is_leaf=lambda x: x is None)
        assert len(pairs) == key.tree.num_leaves
    except Exception:                                    # a class that cannot stand without its leaves, or holds None
        return [f"leaf {i}" for i in range(key.tree.num_leaves)]
    positions = _positions(key)
    return [(place_name(f, positions[path[1]]) if path[0] == 0 else path[1]) + tree.keystr(path[2:])
            for path, _ in pairs]


def _structures(f, old, new):
    (old_args, old_kwargs), (new_args, new_kwargs) = old.tree.children, new.tree.children
    if len(old_args.children) != len(new_args.children):
        return [f"the number of its array arguments by position changed from {len(old_args.children)} to "
                f"{len(new_args.children)}"]
    if old_kwargs.aux != new_kwargs.aux:
        return [f"its array arguments by keyword changed from {list(old_kwargs.aux)} to {list(new_kwargs.aux)}"]
    names = [*[place_name(f, p) for p in _positions(new)], *new_kwargs.aux]
    pairs = zip(names, [*old_args.children, *old_kwargs.children], [*new_args.children, *new_kwargs.children])
    return [f"the structure of argument {name} changed from {_shown(a)} to {_shown(b)}"
            for name, a, b in pairs if a != b]


def _shown(treedef):
    return repr(treedef)[len("TreeDef("):-1]
