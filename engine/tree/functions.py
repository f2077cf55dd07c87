"""Functions of whole trees: map, reduce, paths, transposition."""
import builtins
import functools

from ..errors import TreeError
from .structure import flatten, flatten_up_to, keystr, leaves, names, structure, take_apart, unflatten

_NO_START = object()

__all__ = ["all", "broadcast", "flatten_with_path", "keystr", "leaves_with_path", "map", "map_with_path", "reduce",
           "transpose"]


def map(f, tree, *rest, is_leaf=None):
    """Apply `f` to every leaf, and to what stands in its place in the other trees.

    >>> map(lambda a, b: a + b, {"x": 1}, {"x": 2})
    {'x': 3}
    """
    first, treedef = flatten(tree, is_leaf)
    others = [flatten_up_to(treedef, r) for r in rest]
    return unflatten(treedef, [f(*xs) for xs in zip(first, *others)])


def flatten_with_path(tree, is_leaf=None):
    """([(path, leaf)], structure); a path is a tuple of keys, see `keystr`.

    >>> flatten_with_path({"a": [1, 2]})[0]
    [(('a', 0), 1), (('a', 1), 2)]
    """
    out: list = []

    def walk(x, path):
        parts = take_apart(x, is_leaf)
        if parts is None:
            out.append((path, x))
            return
        for key, child in zip(names(x, *parts), parts[2]):
            walk(child, (*path, key))

    walk(tree, ())
    return out, structure(tree, is_leaf)


def leaves_with_path(tree, is_leaf=None):
    """[(path, leaf)] of a tree."""
    return flatten_with_path(tree, is_leaf)[0]


def map_with_path(f, tree, *rest, is_leaf=None):
    """Like `map`, with the path as the first argument of `f`.

    >>> map_with_path(lambda path, x: keystr(path) + str(x), {"a": (5, 6)})
    {'a': ("['a'][0]5", "['a'][1]6")}
    """
    pairs, treedef = flatten_with_path(tree, is_leaf)
    others = [flatten_up_to(treedef, r) for r in rest]
    return unflatten(treedef, [f(path, x, *xs) for (path, x), *xs in zip(pairs, *others)])


def all(tree, is_leaf=None):
    """Whether every leaf is true; True for a tree without leaves.

    >>> all({"a": True, "b": (1, 2)}), all([0, 1])
    (True, False)
    """
    return builtins.all(leaves(tree, is_leaf))


def reduce(f, tree, start=_NO_START, is_leaf=None):
    """f(f(start, leaf 1), leaf 2) … over the leaves in order; without a start the first leaf is it.

    >>> reduce(lambda a, b: a + b, {"a": 1, "b": [2, 3]})
    6
    """
    found = leaves(tree, is_leaf)
    if start is not _NO_START:
        return functools.reduce(f, found, start)
    if not found:
        raise TreeError("reduce of a tree without leaves needs a start: reduce(f, tree, start).")
    return functools.reduce(f, found)


def broadcast(prefix, tree, is_leaf=None):
    """`prefix` with each of its leaves repeated over the sub-tree that stands there in `tree`.

    >>> broadcast({"a": 0, "b": 1}, {"a": (5, 6), "b": 7})
    {'a': (0, 0), 'b': 1}
    """
    values, treedef = flatten(prefix, is_leaf)
    subs = flatten_up_to(treedef, tree)
    return unflatten(treedef, [map(lambda _, v=v: v, sub) for v, sub in zip(values, subs)])


def transpose(outer, inner, tree):
    """Turn a tree of structure `outer` of trees `inner` inside out. With inner=None it is read off the tree.

    >>> transpose(structure({"a": 0, "b": 0}), structure((0, 0)), {"a": (1, 2), "b": (3, 4)})
    ({'a': 1, 'b': 3}, {'a': 2, 'b': 4})
    """
    subs = flatten_up_to(outer, tree)
    if inner is None:
        if not subs:
            raise TreeError("transpose of a tree without sub-trees needs the inner structure.")
        inner = structure(subs[0])
    columns = [flatten_up_to(inner, sub) for sub in subs]
    return unflatten(inner, [unflatten(outer, [c[i] for c in columns]) for i in range(inner.num_leaves)])
