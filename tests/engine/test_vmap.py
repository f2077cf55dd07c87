"""vmap: axes of arguments and results on pytrees, and what it says when they do not fit."""
from typing import NamedTuple

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import cond, grad, jit, jvp, make_jaxpr, scan, vmap, while_loop
from chainrule.engine.errors import ConcretizationError, ShapeError, TransformError
from tests.engine.laws import close

M = np.arange(6.0).reshape(2, 3)
T = np.arange(24.0).reshape(2, 3, 4)


class Point(NamedTuple):
    x: object
    y: object


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_in_axes_moves_any_axis_to_the_front(axis):
    out = vmap(lambda v: v * 2 + v.sum(), in_axes=axis)(T)
    close(out, np.stack([2 * v + v.sum() for v in np.moveaxis(T, axis, 0)]))


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_out_axes_puts_the_axis_anywhere(axis):
    close(vmap(lambda v: v + 1, out_axes=axis)(T), np.moveaxis(T + 1, 0, axis))


def test_in_axes_are_a_prefix_of_the_tree_of_arguments():
    def f(p, d):
        return p.x * d["a"] + p.y.sum() + d["b"][0]
    p, d = Point(M, T), {"a": np.ones(3), "b": [np.array([1.0, 2.0])]}
    expected = [f(Point(M[k], T[k]), {"a": d["a"], "b": [d["b"][0][k]]}) for k in range(2)]
    close(vmap(f, in_axes=(0, {"a": None, "b": 0}))(p, d), np.stack(expected))
    close(vmap(f, in_axes=[Point(0, 0), {"a": None, "b": [0]}])(p, d), np.stack(expected))
    expected = [f(Point(M[:, k], T), {"a": d["a"][k], "b": [2.0]}) for k in range(3)]
    close(vmap(f, in_axes=(Point(1, None), {"a": 0, "b": None}))(p, d | {"b": [2.0]}), np.stack(expected))


def test_out_axes_are_a_prefix_of_the_tree_of_results():
    out = vmap(lambda v: {"a": v, "b": (v.sum(), 3.0)}, out_axes={"a": 1, "b": (0, None)})(M)
    close(out, {"a": M.T, "b": (M.sum(1), 3.0)})


def test_results_that_do_not_depend_on_the_lane_are_repeated():
    assert vmap(lambda v: cnp.ones(2))(M).shape == (2, 2)
    close(vmap(lambda v: (v, 1.5), out_axes=(0, 0))(M)[1], np.full(2, 1.5))


def test_keyword_arguments_run_over_their_first_axis():
    close(vmap(lambda v, w: v * w)(M, w=np.array([1.0, 10.0])), M * [[1], [10]])


def test_axis_size_is_enough_without_mapped_arguments():
    assert vmap(lambda x: x + 1, in_axes=None, axis_size=3)(1.0).tolist() == [2.0, 2.0, 2.0]


def test_no_lanes_at_all_give_empty_results():
    assert vmap(lambda x: cnp.sum(x))(np.zeros((0, 3))).shape == (0,)


def test_nested_vmaps_each_push_an_axis():
    outer = vmap(vmap(lambda a, b: a * b, (None, 0)), (0, None))
    close(outer(np.arange(3.0), np.arange(4.0)), np.outer(np.arange(3.0), np.arange(4.0)))
    close(vmap(lambda a: vmap(lambda b: a * b + a)(a))(M), np.stack([[b * r + r for b in r] for r in M]))


def test_a_lane_sees_its_own_shape():
    seen = []
    vmap(lambda v: seen.append((v.shape, v.ndim, len(v), v.dtype)) or v)(M)
    assert seen == [((3,), 1, 3, np.float64)]


def test_work_that_lanes_share_is_done_once():
    program = make_jaxpr(vmap(lambda x, w: cnp.sin(w).sum() * x, (0, None)))(np.ones(5), np.ones(7))
    assert str(program).count("f64[5,7]") == 0


def test_unbatched_loop_counters_stay_scalars():
    def f(x):
        return while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * x), (0, 1.0))[1]
    text = str(make_jaxpr(vmap(f))(np.ones(4)))
    assert "i64[4]" not in text and "bool[4]" not in text
    close(vmap(f)(np.arange(4.0)), np.arange(4.0) ** 3)


def test_a_shared_condition_stays_a_branch_and_one_per_lane_becomes_a_choice():
    def f(p, x):
        return cond(p, lambda v: v * 2, lambda v: v - 1, x)
    assert "switch" in str(make_jaxpr(vmap(f, (None, 0)))(True, np.ones(3)))
    assert "switch" not in str(make_jaxpr(vmap(f))(np.array([True, False, True]), np.ones(3)))


def test_lanes_of_a_while_loop_stop_each_at_their_time():
    def f(x):
        return while_loop(lambda s: s[0] < x, lambda s: (s[0] + 1, s[1] * 2), (0, 1))
    steps, value = vmap(f)(np.array([0, 3, 1, 5]))
    assert steps.tolist() == [0, 3, 1, 5] and value.tolist() == [1, 8, 2, 32]


@pytest.mark.parametrize("how", ["set", "add"])
def test_lanes_that_have_stopped_write_nowhere_and_no_buffer_is_copied_to_say_so(how):
    """A part of the carry that rows are written into, twice, and read from between; each lane against itself alone."""
    def f(n, x):
        def step(s):
            i, buffer, total = s
            buffer = getattr(buffer.at[i], how)(x * i)
            total = total + buffer[i].sum()
            return i + 1, getattr(buffer.at[(i + 2) % 5, 1], how)(total), total
        return while_loop(lambda s: s[0] < n, step, (0, np.ones((7, 2)), 0.0))

    n, x = np.array([0, 2, 5, 3]), np.array([1.0, 2.0, 3.0, 4.0])
    close(vmap(f)(n, x), [np.stack(v) for v in zip(*[map(np.asarray, f(*lane)) for lane in zip(n, x)])])
    close(jit(vmap(f))(n, x), vmap(f)(n, x))
    assert not [line for line in str(make_jaxpr(vmap(f))(n, x)).splitlines() if "f64[4,7,2] = where" in line]


def test_a_carry_that_becomes_batched_only_on_the_third_pass():
    def f(x):
        return scan(lambda c, _: ((c[0] + 1.0, c[0] * c[3], c[1] + 0.5, x), c[2]), (0.0, 0.0, 0.0, 1.0), None, length=5)
    lanes = np.array([1.0, 2.0, 3.0])
    close(vmap(f)(lanes), [np.stack(v) for v in zip(*[[*map(np.asarray, c), np.asarray(y)] for c, y in map(f, lanes)])])

    def g(x):
        return while_loop(lambda s: s[0] < 5, lambda s: (s[0] + 1, s[2], s[3], s[3] * 0.5 + x), (0, 0.0, 0.0, 0.0))
    close(vmap(g)(lanes), [np.stack(v) for v in zip(*[map(np.asarray, g(x)) for x in lanes])])


def test_per_example_gradients_are_a_vmap_of_grad():
    w, xs = np.array([1.0, -2.0, 0.5]), np.random.default_rng(0).normal(size=(4, 3))
    close(vmap(grad(lambda w, x: cnp.tanh(w @ x)), (None, 0))(w, xs), xs * (1 - np.tanh(xs @ w)[:, None] ** 2))


def test_jvp_inside_vmap_inside_jvp_keeps_them_apart():
    def f(x):
        return vmap(lambda v: jvp(lambda u: u * x, (v,), (1.0,))[1])(np.array([1.0, 2.0]))
    close(jvp(f, (3.0,), (1.0,)), (np.full(2, 3.0), np.full(2, 1.0)))


@pytest.mark.parametrize("call,error,words", [
    (lambda: vmap(lambda x, y: x + y)(M, np.ones(3)), ShapeError, r"argument 0': 2.*argument 1': 3"),
    (lambda: vmap(lambda d: d["a"] + d["b"])({"a": np.ones(2), "b": np.ones(3)}), ShapeError, r"argument 0\['a'\]"),
    (lambda: vmap(lambda x: x)(1.0), ShapeError, r"axis 0 of argument 0.*shape \(\)"),
    (lambda: vmap(lambda x: x, in_axes=2)(M), ShapeError, r"axis 2 of argument 0"),
    (lambda: vmap(lambda x, y: x, in_axes=(0,))(M, M), TransformError, "1 entries and there are 2"),
    (lambda: vmap(lambda x: x, in_axes=({"a": 0},))(M), TransformError, "not a prefix"),
    (lambda: vmap(lambda x: x, in_axes=None)(1.0), TransformError, "axis_size"),
    (lambda: vmap(lambda x: x, out_axes=None)(M), TransformError, "differs between lanes"),
    (lambda: vmap(lambda x: x, out_axes=3)(M), TransformError, "out_axes=3"),
    (lambda: vmap(lambda x: (x, x), out_axes=(0, 0, 0))(M), TransformError, "out_axes"),
    (lambda: vmap(lambda x: x, axis_size=5)(M), ShapeError, "axis_size': 5"),
    (lambda: vmap(lambda x: x if x > 0 else -x)(np.ones(2)), ConcretizationError, "vmap"),
])
def test_axes_that_do_not_fit_are_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_list_of_numbers_is_one_array():
    assert vmap(lambda x: x * 2)([1.0, 2.0]).tolist() == [2.0, 4.0]


def test_vmap_of_jit_reuses_the_batched_program():
    inner = jit(lambda x: cnp.sin(x) * 2)
    f = vmap(inner)
    close(f(M), np.sin(M) * 2)
    close(f(M + 1), np.sin(M + 1) * 2)
