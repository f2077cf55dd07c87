"""Pytrees: nested tuples, lists, dicts, named tuples, None, and classes that were registered.

`flatten` takes a tree apart into leaves and a hashable structure (`TreeDef`), `unflatten` puts it
together again. Dict keys are taken in sorted order.
"""
from typing import Callable, NamedTuple

from .errors import TreeError


class Node(NamedTuple):
    """How a registered type is taken apart and put together."""
    flatten: Callable        # tree -> (children, aux)
    unflatten: Callable      # (aux, children) -> tree
    keys: Callable | None    # tree -> names of the children, for messages


REGISTRY: dict[type, Node] = {}


def register_pytree_node(cls, flatten, unflatten, keys=None):
    """Make instances of `cls` trees: `flatten(x) -> (children, aux)`, `unflatten(aux, children) -> x`."""
    if cls in REGISTRY:
        raise ValueError(f"{cls.__name__} is registered as a pytree already")
    REGISTRY[cls] = Node(flatten, unflatten, keys)


def register_pytree_node_class(cls):
    """Class decorator: registers `cls` by its `tree_flatten` method and `tree_unflatten` class method."""
    register_pytree_node(cls, lambda x: x.tree_flatten(), cls.tree_unflatten)
    return cls


class TreeDef:
    """The structure of a tree, without its leaves; hashable, compared by value."""
    __slots__ = ("kind", "aux", "children", "num_leaves", "_hash")

    def __init__(self, kind, aux, children):
        self.kind, self.aux, self.children = kind, aux, children
        self.num_leaves = 1 if kind is None else sum(c.num_leaves for c in children)
        self._hash = hash((kind, aux, children))

    def __hash__(self):
        return self._hash

    def __eq__(self, other):
        return self is other or (isinstance(other, TreeDef) and self._hash == other._hash
                                 and self.kind is other.kind and self.aux == other.aux
                                 and self.children == other.children)

    def unflatten(self, leaves):
        return unflatten(self, leaves)

    def __repr__(self):
        return f"TreeDef({unflatten(self, [_Star] * self.num_leaves)})"


class _StarType:
    def __repr__(self):
        return "*"


_Star = _StarType()
LEAF = TreeDef(None, None, ())
_NONE = TreeDef(type(None), None, ())


def _take_apart(x, is_leaf=None):
    """(kind, aux, children, keys) of a node, or None for a leaf."""
    if is_leaf is not None and is_leaf(x):
        return None
    kind = type(x)
    if kind is tuple or kind is list:
        return kind, len(x), x, range(len(x))
    if kind is dict:
        try:
            keys = tuple(sorted(x))
        except TypeError:
            raise TreeError(f"the keys of a dict in a pytree must be sortable; got {list(x)}") from None
        return kind, keys, [x[k] for k in keys], keys
    if x is None:
        return kind, None, (), ()
    node = REGISTRY.get(kind)
    if node is not None:
        children, aux = node.flatten(x)
        return kind, aux, children, node.keys(x) if node.keys else range(len(children))
    if isinstance(x, tuple) and hasattr(kind, "_fields"):
        return kind, None, x, kind._fields
    if isinstance(x, dict):
        keys = tuple(x)
        return kind, keys, [x[k] for k in keys], keys
    return None


def flatten(tree, is_leaf=None):
    """(leaves, structure) of a tree.

    >>> flatten({"b": 1, "a": (2, None)})
    ([2, 1], TreeDef({'a': (*, None), 'b': *}))
    """
    leaves: list = []
    return leaves, _flatten(tree, leaves, is_leaf)


def _flatten(x, leaves, is_leaf):
    parts = _take_apart(x, is_leaf)
    if parts is None:
        leaves.append(x)
        return LEAF
    kind, aux, children, _ = parts
    if x is None:
        return _NONE
    return TreeDef(kind, aux, tuple([_flatten(c, leaves, is_leaf) for c in children]))


def unflatten(treedef, leaves):
    """The tree with structure `treedef` and these leaves."""
    leaves = list(leaves)
    if len(leaves) != treedef.num_leaves:
        raise TreeError(f"{treedef} has {treedef.num_leaves} leaves; got {len(leaves)}")
    return _unflatten(treedef, iter(leaves))


def _unflatten(treedef, leaves):
    kind = treedef.kind
    if kind is None:
        return next(leaves)
    if kind is type(None):
        return None
    children = [_unflatten(c, leaves) for c in treedef.children]
    if kind is tuple:
        return tuple(children)
    if kind is list:
        return children
    if kind is dict:
        return dict(zip(treedef.aux, children))
    node = REGISTRY.get(kind)
    if node is not None:
        return node.unflatten(treedef.aux, children)
    if issubclass(kind, dict):
        made = kind() if kind.__name__ != "defaultdict" else kind(None)
        made.update(zip(treedef.aux, children))
        return made
    return kind(*children)


def leaves(tree, is_leaf=None):
    """The leaves of a tree, in order."""
    return flatten(tree, is_leaf)[0]


def structure(tree, is_leaf=None):
    """The `TreeDef` of a tree."""
    return flatten(tree, is_leaf)[1]


def flatten_up_to(treedef, tree, what="tree"):
    """The sub-trees of `tree` that stand where `treedef` has leaves.

    Raises `TreeError` naming the path where the structures part.
    """
    out: list = []
    _flatten_up_to(treedef, tree, out, (), what)
    return out


def _flatten_up_to(treedef, x, out, path, what):
    if treedef.kind is None:
        out.append(x)
        return
    parts = _take_apart(x)
    if parts is None or parts[0] is not treedef.kind or parts[1] != treedef.aux or len(parts[2]) != len(treedef.children):
        raise TreeError(f"the {what} has another structure than expected at {keystr(path) or 'its root'}:\n"
                        f"expected {treedef}, got {structure(x)}.")
    for key, child, sub in zip(parts[3], parts[2], treedef.children):
        _flatten_up_to(sub, child, out, (*path, key), what)


def map(f, tree, *rest, is_leaf=None):  # noqa: A001 (the field's name)
    """Apply `f` to every leaf (and to the matching leaves of the other trees).

    >>> map(lambda a, b: a + b, {"x": 1}, {"x": 2})
    {'x': 3}
    """
    first, treedef = flatten(tree, is_leaf)
    others = [flatten_up_to(treedef, r) for r in rest]
    return unflatten(treedef, [f(*xs) for xs in zip(first, *others)])


def flatten_with_path(tree, is_leaf=None):
    """([(path, leaf)], structure); a path is a tuple of keys."""
    out: list = []

    def walk(x, path):
        parts = _take_apart(x, is_leaf)
        if parts is None:
            out.append((path, x))
            return
        for key, child in zip(parts[3], parts[2]):
            walk(child, (*path, key))

    walk(tree, ())
    return out, structure(tree, is_leaf)


def map_with_path(f, tree, is_leaf=None):
    """Like `map`, with the path as the first argument of `f`."""
    pairs, treedef = flatten_with_path(tree, is_leaf)
    return unflatten(treedef, [f(path, x) for path, x in pairs])


def keystr(path):
    """A path as text: `['a'][0]`."""
    return "".join(f"[{k!r}]" for k in path)


def transpose(outer, inner, tree):
    """Turn a tree of structure `outer` of trees `inner` inside out."""
    columns = [leaves(sub) for sub in flatten_up_to(outer, tree)]
    return unflatten(inner, [unflatten(outer, [c[i] for c in columns]) for i in range(inner.num_leaves)])
