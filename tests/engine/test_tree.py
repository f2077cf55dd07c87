"""Pytrees: taken apart, put together, walked with paths, and what is said when two do not match."""
import dataclasses
import functools
from collections import OrderedDict, defaultdict, namedtuple
from typing import NamedTuple

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import grad, jit, scan, tree, vmap
from chainrule.engine.errors import ShapeError, TreeError
from chainrule.engine.ravel import ravel_pytree

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
    "leaf": (5, [5]), "none": (None, []), "empty": ((), []), "tuple": ((1, (2, 3)), [1, 2, 3]),
    "list": ([1, [2], []], [1, 2]),
    "dict in sorted order": ({"b": 1, "a": {"d": 2, "c": 3}}, [3, 2, 1]),
    "named tuple": (Point(1, Pair(2, 3)), [1, 2, 3]),
    "none inside": (Point(1), [1]), "ordered dict": (OrderedDict(b=1, a=2), [1, 2]),
    "registered": (Box([1, 2], "name"), [1, 2]),
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
    values = [1, None, (), [], {}, (1,), [1], {"a": 1}, {"b": 1}, Point(1), Pair(1, None),
              Box(1, "p"), Box(1, "q"), ((1,),), OrderedDict(a=1)]
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


# ---- the rest of the functions ----

def test_a_default_dict_keeps_its_factory_and_takes_sorted_keys():
    value = defaultdict(list, b=1, a=2)
    assert tree.leaves(value) == [2, 1]
    assert tree.map(lambda x: x, value)["new"] == []
    assert tree.structure(value) != tree.structure(defaultdict(int, b=1, a=2))


def test_an_ordered_dict_keeps_its_order():
    value = OrderedDict(b=1, a=2)
    assert list(tree.map(lambda x: x, value)) == ["b", "a"]
    assert tree.structure(value) != tree.structure(OrderedDict(a=1, b=2))


def test_all_and_reduce_go_over_the_leaves():
    assert tree.all({"a": 1, "b": (True, 2)}) and not tree.all([1, {"a": 0}]) and tree.all(())
    assert tree.reduce(lambda a, b: a - b, [10, (3, 2)]) == 5
    assert tree.reduce(lambda a, b: a - b, [10, (3, 2)], 0) == -15
    assert tree.reduce(lambda a, b: a + b, (), 7) == 7
    assert tree.reduce(lambda n, x: n + (x is None), [None, 1], 0, is_leaf=lambda x: x is None) == 1
    with pytest.raises(TreeError, match="needs a start"):
        tree.reduce(lambda a, b: a, [])


def test_broadcast_repeats_a_prefix():
    assert tree.broadcast(0, {"a": (1, 2)}) == {"a": (0, 0)}
    assert tree.broadcast({"a": None, "b": 1}, {"a": None, "b": [5]}) == {"a": None, "b": [1]}
    with pytest.raises(TreeError):
        tree.broadcast((1, 2), (1, 2, 3))


def test_leaves_come_with_their_paths():
    pairs = tree.leaves_with_path((1, {"k": Pair(2, 3)}))
    assert [tree.keystr(p) for p, _ in pairs] == ["[0]", "[1]['k'].left", "[1]['k'].right"]
    assert tree.map_with_path(lambda p, a, b: (len(p), a + b), [1, [2]], [10, [20]]) == [(1, 11), [(2, 22)]]
    assert tree.leaves_with_path({"a": (1, 2)}, is_leaf=lambda x: type(x) is tuple) == [(("a",), (1, 2))]
    assert tree.leaves_with_path(defaultdict(int, a=1))[0] == (("a",), 1)


def test_transpose_reads_the_inner_structure_off_the_tree():
    outer = tree.structure([0, 0, 0])
    assert tree.transpose(outer, None, [{"a": 1, "b": 2}] * 3) == {"a": [1, 1, 1], "b": [2, 2, 2]}
    with pytest.raises(TreeError, match="needs the inner"):
        tree.transpose(tree.structure([]), None, [])
    with pytest.raises(TreeError, match="another structure"):
        tree.transpose(outer, tree.structure({"a": 0}), [{"a": 1}, {"b": 1}, {"a": 1}])


# ---- classes ----

@tree.register_dataclass
@dataclasses.dataclass
class Line:
    slope: object
    shift: object = 0.0
    name: str = dataclasses.field(default="line", metadata={"static": True})
    made: int = dataclasses.field(init=False, default=0)

    def __post_init__(self):
        self.made = self.slope * 2
        assert isinstance(self.slope, float)             # a check that no tracer would pass


def test_a_dataclass_has_data_and_meta_fields():
    line = Line(2.0, 1.0, "l")
    leaves, treedef = tree.flatten(line)
    assert leaves == [2.0, 1.0, 4.0]
    assert treedef == tree.structure(Line(3.0, 4.0, "l")) != tree.structure(Line(2.0, 1.0, "m"))
    assert tree.map(lambda x: x + 1, line).made == 5.0
    assert [tree.keystr(p) for p, _ in tree.leaves_with_path([line])] == ["[0].slope", "[0].shift", "[0].made"]
    slopes = grad(lambda line: line.slope * line.shift)(line)
    assert (float(slopes.slope), float(slopes.shift), slopes.name) == (1.0, 2.0, "l")
    assert vmap(lambda line, x: line.slope * x, in_axes=(None, 0))(line, np.arange(3.0)).tolist() == [0.0, 2.0, 4.0]


def test_the_fields_of_a_dataclass_can_be_listed():
    @tree.register_dataclass(data_fields=["x"], meta_fields=["n"])
    @dataclasses.dataclass(frozen=True)
    class Named:
        x: object
        n: int
    assert tree.leaves(Named(1.0, 2)) == [1.0] and tree.map(lambda x: x, Named(1.0, 2)) == Named(1.0, 2)
    calls = []

    @jit
    def f(value):
        calls.append(value.n)
        return value.x * value.n
    assert [float(f(Named(1.5, n))) for n in (2, 2, 3)] == [3.0, 3.0, 4.5] and calls == [2, 3]


@pytest.mark.parametrize("lists", [dict(data_fields=["x"]), dict(data_fields=["x", "n"], meta_fields=["n"]),
                                   dict(data_fields=["x"], meta_fields=[]),
                                   dict(data_fields=["x", "y"], meta_fields=["n"])])
def test_every_field_stands_in_one_list(lists):
    @dataclasses.dataclass
    class Named:
        x: object
        n: int
    if lists == dict(data_fields=["x"]):
        assert tree.leaves(tree.register_dataclass(Named, **lists)(1, 2)) == [1]
    else:
        with pytest.raises(ValueError, match="fields"):
            tree.register_dataclass(Named, **lists)


def test_what_is_no_dataclass_is_refused():
    with pytest.raises(ValueError, match="not a dataclass"):
        tree.register_dataclass(type("Plain", (), {}))
    with pytest.raises(ValueError, match="registered"):
        tree.register_pytree_node(dict, None, None)


def test_a_static_object_belongs_to_the_structure():
    @tree.register_static
    class Mode(str):
        pass
    calls = []

    @jit
    def f(x, mode):
        calls.append(mode)
        return x * 2 if mode == "double" else x
    assert [float(f(1.5, Mode(m))) for m in ("double", "same", "double")] == [3.0, 1.5, 3.0]
    assert calls == ["double", "same"] and tree.leaves([Mode("a"), 1]) == [1]


def test_partial_is_a_function_and_a_tree():
    def line(a, x, b=0.0):
        return a * x + b
    p = tree.Partial(line, 2.0, b=1.0)
    assert p(3.0) == 7.0 and tree.leaves(p) == [2.0, 1.0]
    assert tree.structure(p) == tree.structure(tree.Partial(line, 5.0, b=6.0))
    assert float(jit(lambda f, x: f(x))(p, 3.0)) == 7.0
    slope = grad(lambda f: f(3.0))(p)
    assert [float(x) for x in tree.leaves(slope)] == [3.0, 1.0]
    nested = tree.Partial(functools.partial(line, 2.0), b=1.0)
    assert nested(3.0) == 7.0 and tree.leaves(nested) == [1.0]
    assert tree.map(lambda x: x, tree.Partial(p, 4.0))() == 9.0
    assert float(scan(lambda c, _: (tree.map(lambda v: v * 2, c), None), p, None, length=2)[0](1.0)) == 12.0


# ---- ravel ----

RAVELED = {
    "scalar": 2.5, "vector": np.arange(3.0), "dict": {"b": np.ones((2, 2)), "a": 1.0}, "none": (None, 1.0), "empty": [],
    "mixed": {"i": np.arange(3), "x": np.float32([1.5]), "b": np.array([True, False])},
    "float32": [np.float32([1, 2]), np.ones((0, 3), np.float32)], "complex": (1j, 2.0),
}


@pytest.mark.parametrize("value", RAVELED.values(), ids=RAVELED)
def test_ravel_goes_there_and_back(value):
    vector, unravel = ravel_pytree(value)
    assert vector.shape == (sum(np.size(x) for x in tree.leaves(value)),)
    back = unravel(vector)
    assert tree.structure(back) == tree.structure(value)
    for b, v in zip(tree.leaves(back), tree.leaves(value)):
        assert b.dtype == np.asarray(v).dtype and np.array_equal(b, v)
    if tree.leaves(value):
        assert vector.dtype == np.result_type(*[np.asarray(x).dtype for x in tree.leaves(value)])


def test_ravel_works_on_tracers():
    value = {"a": np.array([1.0, 2.0]), "n": 3}

    def f(v):
        vector, unravel = ravel_pytree(v)
        return unravel(vector * 2)
    out = jit(f)(value)
    assert out["a"].tolist() == [2.0, 4.0] and int(out["n"]) == 6
    assert vmap(f)({"a": np.ones((3, 2)), "n": np.arange(3)})["n"].tolist() == [0, 2, 4]
    assert grad(lambda v: cnp.sum(ravel_pytree(v)[0] ** 2))({"a": np.array([1.0, 2.0])})["a"].tolist() == [2.0, 4.0]
    vector, unravel = ravel_pytree(value)
    assert grad(lambda x: cnp.sum(unravel(x)["a"] ** 2))(vector).tolist() == [2.0, 4.0, 0.0]


def test_unravel_names_a_wrong_length():
    with pytest.raises(ShapeError, match="length 3.*got shape"):
        ravel_pytree((1.0, [2.0, 3.0]))[1](np.ones(4))
