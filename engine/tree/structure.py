"""Taking trees apart and putting them together, and the table of classes that are trees."""
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

from ..errors import TreeError


class Node(NamedTuple):
    """How a registered type is taken apart and put together."""
    flatten: Callable        # tree -> (children, aux)
    unflatten: Callable      # (aux, children) -> tree
    keys: Callable | None    # tree -> names of the children, for paths


REGISTRY: dict[type, Node] = {}


def register_pytree_node(cls, flatten, unflatten, keys=None):
    """Make instances of `cls` trees: `flatten(x) -> (children, aux)`, `unflatten(aux, children) -> x`.

    aux : what is not a leaf; hashable, compared with ==
    keys(x) : the names of the children, for paths in messages

    >>> class Pair:
    ...     def __init__(self, a, b): self.a, self.b = a, b
    >>> register_pytree_node(Pair, lambda p: ((p.a, p.b), None), lambda _, ab: Pair(*ab), lambda p: ("a", "b"))
    >>> leaves([Pair(1, 2), 3])
    [1, 2, 3]
    """
    if cls in REGISTRY or cls in (tuple, list, dict, type(None)):
        raise ValueError(f"{cls.__name__} is registered as a pytree already")
    REGISTRY[cls] = Node(flatten, unflatten, keys)


def register_pytree_node_class(cls):
    """Class decorator: registers `cls` by its `tree_flatten` method and `tree_unflatten` class method."""
    register_pytree_node(cls, lambda x: x.tree_flatten(), cls.tree_unflatten)
    return cls


class Field(str):
    """The name of an attribute in a path, where a plain string is the key of a dict."""
    __slots__ = ()


class TreeDef:
    """The structure of a tree, without its leaves; hashable, compared by value."""
    __slots__ = ("kind", "aux", "children", "num_leaves", "_hash")

    def __init__(self, kind, aux, children):
        self.kind, self.aux, self.children = kind, aux, children
        self.num_leaves = 1 if kind is None else sum([c.num_leaves for c in children])
        self._hash = hash((kind, aux, children))

    def __hash__(self):
        return self._hash

    def __eq__(self, other):
        return self is other or (isinstance(other, TreeDef) and self._hash == other._hash
                                 and self.kind is other.kind and self.aux == other.aux
                                 and self.children == other.children)

    def unflatten(self, leaves):
        """The tree of this structure with these leaves."""
        return unflatten(self, leaves)

    def flatten_up_to(self, tree):
        """The sub-trees of `tree` where this structure has leaves."""
        return flatten_up_to(self, tree)

    def __repr__(self):
        try:
            return f"TreeDef({unflatten(self, [_STAR] * self.num_leaves)})"
        except Exception:                                # a class whose construction looks at its leaves
            return f"TreeDef({self.kind.__name__} of {', '.join(map(repr, self.children))})"


class _Star:
    def __repr__(self):
        return "*"


_STAR = _Star()
LEAF = TreeDef(None, None, ())
_NONE = TreeDef(type(None), None, ())


def take_apart(x, is_leaf=None):
    """(kind, aux, children) of a node, or None for a leaf."""
    if is_leaf is not None and is_leaf(x):
        return None
    kind = type(x)
    if kind is tuple or kind is list:
        return kind, len(x), x
    if kind is dict:
        keys = _sorted(x)
        return kind, keys, [x[k] for k in keys]
    if x is None:
        return kind, None, ()
    node = REGISTRY.get(kind)
    if node is not None:
        children, aux = node.flatten(x)
        return kind, aux, children
    if isinstance(x, tuple) and hasattr(kind, "_fields"):
        return kind, None, x
    if isinstance(x, defaultdict):
        keys = _sorted(x)
        return kind, (x.default_factory, keys), [x[k] for k in keys]
    if isinstance(x, dict):
        keys = tuple(x)
        return kind, keys, [x[k] for k in keys]
    return None


def _sorted(x):
    try:
        return tuple(sorted(x))
    except TypeError:
        raise TreeError(f"the keys of a dict in a pytree must be sortable; got {list(x)}.\n"
                        "Give the dict keys of one type, or use an OrderedDict, which keeps its own order.") from None


def names(x, kind, aux, children):
    """What a path calls the children of the node x: indices, keys, or `Field`s."""
    node = REGISTRY.get(kind)
    if node is not None:
        return [Field(k) if isinstance(k, str) else k for k in node.keys(x)] if node.keys else range(len(children))
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return [Field(k) for k in kind._fields]
    if issubclass(kind, dict):
        return aux[1] if issubclass(kind, defaultdict) else aux
    return range(len(children))


def flatten(tree, is_leaf=None):
    """(leaves, structure) of a tree.

    is_leaf(x) : True where the walk should stop and take x as a leaf

    >>> flatten({"b": 1, "a": (2, None)})
    ([2, 1], TreeDef({'a': (*, None), 'b': *}))
    """
    leaves: list = []
    return leaves, _flatten(tree, leaves, is_leaf)


def _flatten(x, leaves, is_leaf):
    parts = take_apart(x, is_leaf)
    if parts is None:
        leaves.append(x)
        return LEAF
    if x is None:
        return _NONE
    kind, aux, children = parts
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
    return put_together(kind, treedef.aux, children)


def put_together(kind, aux, children):
    """A node of this kind with these children."""
    if kind is tuple:
        return tuple(children)
    if kind is list:
        return children
    if kind is dict:
        return dict(zip(aux, children))
    node = REGISTRY.get(kind)
    if node is not None:
        return node.unflatten(aux, children)
    if issubclass(kind, defaultdict):
        factory, keys = aux
        return kind(factory, zip(keys, children))
    if issubclass(kind, dict):
        return kind(zip(aux, children))
    return kind(*children)                               # a named tuple


def leaves(tree, is_leaf=None):
    """The leaves of a tree, in order.

    >>> leaves({"b": 1, "a": [2, None]})
    [2, 1]
    """
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
    parts = take_apart(x)
    if (parts is None or parts[0] is not treedef.kind or parts[1] != treedef.aux
            or len(parts[2]) != len(treedef.children)):
        raise TreeError(f"the {what} has another structure than expected at {keystr(path) or 'its root'}:\n"
                        f"expected {treedef}, got {structure(x)}.")
    for key, child, sub in zip(names(x, *parts), parts[2], treedef.children):
        _flatten_up_to(sub, child, out, (*path, key), what)


def keystr(path):
    """A path as text: `['a'][0].field`.

    >>> keystr(("a", 1, Field("scale")))
    "['a'][1].scale"
    """
    return "".join([f".{k}" if isinstance(k, Field) else f"[{k!r}]" for k in path])
