"""Pytrees: taken apart, put together, walked with paths, and what is said when two do not match."""
from collections import OrderedDict, defaultdict, namedtuple
from typing import NamedTuple

import pytest

from chainrule.engine import tree
from chainrule.engine.errors import TreeError

Pair = namedtuple("Pair", "left right")


class Point(NamedTuple):
    x: object
    y: object = None


class Box:
    """A registered class with a name that is not a child."""

    def __init__(self, content, label):
        self.content, self.label = content, label

    def tree_flatten(self):
        return (self.content,), self.label

    @classmethod
    def tree_unflatten(cls, label, children):
        return cls(*children, label)

    def __eq__(self, other):
        return (self.content, self.label) == (other.content, other.label)

    __hash__ = None


tree.register_pytree_node_class(Box)

TREES = {
    "leaf": (5, [5]), "none": (None, []), "empty": ((), []), "tuple": ((1, (2, 3)), [1, 2, 3]), "list": ([1, [2], []], [1, 2]),
    "dict in sorted order": ({"b": 1, "a": {"d": 2, "c": 3}}, [3, 2, 1]), "named tuple": (Point(1, Pair(2, 3)), [1, 2, 3]),
    "none inside": (Point(1), [1]), "ordered dict": (OrderedDict(b=1, a=2), [1, 2]), "registered": (Box([1, 2], "name"), [1, 2]),
    "string is a leaf": (["ab", 1], ["ab", 1]), "numbers as keys": ({2: "x", 1: "y"}, ["y", "x"]),
}


@pytest.mark.parametrize("value,expected", TREES.values(), ids=TREES)
def test_a_tree_is_taken_apart_and_put_together(value, expected):
    leaves, treedef = tree.flatten(value)
    assert leaves == expected == tree.leaves(value)
    assert tree.unflatten(treedef, leaves) == value and type(treedef.unflatten(leaves)) is type(value)
    assert treedef.num_leaves == len(leaves)
    assert tree.map(lambda x: x, value) == value


@pytest.mark.parametrize("value,expected", TREES.values(), ids=TREES)
def test_structures_are_equal_by_value_and_hashable(value, expected):
    one, other = tree.structure(value), tree.structure(tree.map(lambda x: (x, x), value))
    assert one == tree.structure(tree.map(lambda x: 0, value)) and hash(one) == hash(tree.structure(value))
    assert (one != other) == bool(expected)


def test_structures_of_different_trees_differ():
    values = [1, None, (), [], {}, (1,), [1], {"a": 1}, {"b": 1}, Point(1), Pair(1, None), Box(1, "p"), Box(1, "q"), ((1,),), OrderedDict(a=1)]
    structures = [tree.structure(v) for v in values]
    assert len(set(structures)) == len(values)


def test_a_default_dict_comes_back_with_its_items():
    value = defaultdict(list, a=1, b=2)
    out = tree.map(lambda x: x + 1, value)
    assert type(out) is defaultdict and out == {"a": 2, "b": 3}


def test_map_takes_several_trees_and_a_prefix_of_the_others():
    assert tree.map(lambda a, b: a + b, {"x": 1, "y": (2, 3)}, {"x": 10, "y": (20, 30)}) == {"x": 11, "y": (22, 33)}
    assert tree.map(lambda a, b: (a, b), {"x": 1}, {"x": [1, 2]}) == {"x": (1, [1, 2])}


def test_is_leaf_stops_the_walk():
    value = {"a": (1, 2), "b": None}
    assert tree.leaves(value, is_leaf=lambda x: isinstance(x, tuple)) == [(1, 2)]
    assert tree.leaves(value, is_leaf=lambda x: x is None) == [1, 2, None]
    assert tree.map(str, value, is_leaf=lambda x: x is None) == {"a": ("1", "2"), "b": "None"}


def test_paths_name_every_leaf():
    pairs, treedef = tree.flatten_with_path({"a": [1, Point(2, 3)], "b": Box(4, "name")})
    assert [(tree.keystr(path), leaf) for path, leaf in pairs] == [
        ("['a'][0]", 1), ("['a'][1].x", 2), ("['a'][1].y", 3), ("['b'][0]", 4)]
    assert treedef == tree.structure({"a": [0, Point(0, 0)], "b": Box(0, "name")})
    assert tree.map_with_path(lambda path, x: f"{tree.keystr(path)}={x}", {"a": (5,)}) == {"a": ("['a'][0]=5",)}


def test_the_empty_path_is_empty_text():
    assert tree.keystr(()) == ""


def test_transpose_turns_a_tree_of_trees_inside_out():
    outer, inner = tree.structure({"a": 0, "b": 0}), tree.structure((0, 0))
    assert tree.transpose(outer, inner, {"a": (1, 2), "b": (3, 4)}) == ({"a": 1, "b": 3}, {"a": 2, "b": 4})


@pytest.mark.parametrize("call,words", [
    (lambda: tree.map(lambda a, b: a, {"x": (1, 2)}, {"x": (1,)}), r"at \['x'\]"),
    (lambda: tree.map(lambda a, b: a, {"x": 1}, {"y": 1}), "at its root"),
    (lambda: tree.map(lambda a, b: a, (1, [2, {"k": 3}]), (1, [2, {"k": None, "j": 1}])), r"at \[1\]\[1\]"),
    (lambda: tree.unflatten(tree.structure((1, 2)), [1]), "2 leaves; got 1"),
    (lambda: tree.flatten({"a": 1, 2: 3}), "sortable"),
])
def test_trees_that_do_not_match_are_named(call, words):
    with pytest.raises(TreeError, match=words):
        call()


def test_a_class_is_registered_once():
    with pytest.raises(ValueError, match="Box is registered"):
        tree.register_pytree_node_class(Box)


def test_a_structure_shows_its_shape():
    assert repr(tree.structure({"b": 1, "a": (2, None)})) == "TreeDef({'a': (*, None), 'b': *})"
