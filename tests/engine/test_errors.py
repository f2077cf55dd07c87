"""What the engine says when something goes wrong: golden texts, each ending in the user's own line."""
import pathlib

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import cond, errors, fori_loop, grad, jit, jvp, random, scan, vmap, while_loop
from chainrule.engine.core import REGISTRY, Primitive
from chainrule.engine.ops.structural import elementwise

KEPT = []


def leaked_from_jit():
    KEPT.clear()
    jit(lambda x: KEPT.append(x) or x)(1.0)
    return KEPT[0] + 1


def leaked_from_grad():
    KEPT.clear()
    grad(lambda x: KEPT.append(x) or x * 2)(1.0)
    return cnp.sin(KEPT[0])


def leaked_from_scan_into_jit():
    KEPT.clear()
    scan(lambda c, x: (KEPT.append(c) or c + x, None), 0.0, np.ones(2))
    return jit(lambda y: y * KEPT[0])(2.0)


def branch_on_a_traced_value():
    return jit(lambda x: x if x > 0 else -x)(1.0)


def branch_in_vmap():
    return vmap(lambda x: x and 1.0)(np.ones(2))


def float_of_a_traced_value():
    return jit(lambda x: float(x) * 2)(1.0)


def range_over_a_traced_value():
    return jit(lambda n: sum(range(n)))(3)


def numpy_function_of_a_traced_value():
    return jit(lambda x: np.sin(x))(1.0)


def write_in_place():
    x = cnp.zeros(3)
    x[0] = 5.0


def write_in_place_while_tracing():
    def f(x):
        x[1:] = 0.0
        return x
    return jit(f)(np.ones(3))


def shapes_do_not_broadcast():
    return cnp.ones(3) + cnp.arange(4.0)


def shapes_do_not_match_in_a_product():
    return cnp.asarray(np.ones((2, 3))) @ np.ones((2, 3))


def shapes_do_not_match_in_a_compiled_function():
    def model(x):
        y = x * 2
        return y + np.ones(7)
    return jit(model)(np.ones(3))


def gradient_of_a_vector():
    return grad(lambda x: x * 2)(np.ones(3))


def gradient_of_an_integer():
    return grad(lambda p: p["scale"] * 2.0)({"scale": 3})


def gradient_through_a_while_loop():
    return grad(lambda x: while_loop(lambda v: v < 10, lambda v: v * 2, x))(1.0)


def gradient_through_fori_with_a_traced_bound():
    return jit(grad(lambda x, n: fori_loop(0, n, lambda i, v: v * 2.0, x)))(1.0, 3)


def axes_of_different_sizes():
    return vmap(lambda x, y: x + y)(np.ones(2), np.ones(3))


def in_axes_of_another_length():
    return vmap(lambda x, y: x + y, in_axes=(0,))(np.ones(2), np.ones(2))


def in_axes_of_another_structure():
    return vmap(lambda p: p["w"], in_axes=({"v": 0},))({"w": np.ones(2)})


def in_axes_beyond_the_shape():
    return vmap(lambda x: x, in_axes=1)(np.ones(2))


def carry_changes_its_structure():
    return scan(lambda c, x: ((c, c), x), 0.0, np.ones(2))


def carry_changes_its_shape():
    return scan(lambda c, x: (c * x, None), 1.0, np.ones((4, 3)))


def branches_of_different_shapes():
    return jit(lambda p: cond(p, lambda: cnp.ones(2), lambda: cnp.ones(3)))(True)


def carry_changes_its_type():
    return scan(lambda c, x: (c + x, None), np.zeros(3, np.float32), np.ones((2, 3)))


def branches_differ():
    return jit(lambda p: cond(p, lambda: (1.0, 2.0), lambda: [1.0, 2.0]))(True)


def an_index_out_of_range():
    return cnp.arange(3)[5]


def a_traced_mask():
    return jit(lambda x: x[x > 0])(np.ones(3))


def a_size_that_depends_on_traced_values():
    return jit(cnp.nonzero)(np.ones(3))


def a_length_that_depends_on_traced_values():
    return jit(lambda x, counts: cnp.repeat(x, counts))(np.ones(3), np.arange(3))


def not_a_number():
    return cnp.sum(["a", "b"])


def unhashable_static_argument():
    return jit(lambda x, shape: x.reshape(shape), static_argnames="shape")(np.ones(4), shape=[2, 2])


def argument_that_is_no_array():
    return jit(lambda x, how: x)(1.0, "mean")


def a_draw_without_a_key():
    return random.normal(0, (3,))


def a_draw_from_several_keys():
    return random.normal(random.split(random.key(0), 3), (2,))


def parameters_that_do_not_fit_a_draw():
    return random.gamma(random.key(0), np.ones(3), (4,))


def an_unknown_generator():
    return random.key(0, impl="rbg")


def too_many_without_replacement():
    return random.choice(random.key(0), 3, (4,), replace=False)


def a_draw_of_another_kind_of_number():
    return random.poisson(random.key(0), 2.0, dtype=float)


TEXTS = {f.__name__.replace("_", "-"): f for f in (
    leaked_from_jit, leaked_from_grad, leaked_from_scan_into_jit, branch_on_a_traced_value, branch_in_vmap,
    float_of_a_traced_value,
    range_over_a_traced_value, numpy_function_of_a_traced_value, write_in_place, write_in_place_while_tracing,
    shapes_do_not_broadcast,
    shapes_do_not_match_in_a_product, shapes_do_not_match_in_a_compiled_function, gradient_of_a_vector,
    gradient_of_an_integer,
    gradient_through_a_while_loop, gradient_through_fori_with_a_traced_bound, axes_of_different_sizes,
    in_axes_of_another_length, in_axes_of_another_structure, in_axes_beyond_the_shape,
    carry_changes_its_structure, carry_changes_its_shape, branches_of_different_shapes,
    carry_changes_its_type, branches_differ,
    an_index_out_of_range, a_traced_mask, a_size_that_depends_on_traced_values,
    a_length_that_depends_on_traced_values, not_a_number, unhashable_static_argument, argument_that_is_no_array,
    a_draw_without_a_key, a_draw_from_several_keys, parameters_that_do_not_fit_a_draw, an_unknown_generator,
    too_many_without_replacement, a_draw_of_another_kind_of_number)}


def text_of(f):
    with pytest.raises(errors.ChainruleError) as caught:
        f()
    return f"{type(caught.value).__name__}: {caught.value}"


def without_line_number(text):
    head, _, tail = text.rpartition("test_errors.py:")
    return head + "test_errors.py" + tail[tail.index(","):]


@pytest.mark.parametrize("name", TEXTS)
def test_an_error_says_what_why_and_what_to_write(name, golden):
    golden(f"errors/{name}.txt", without_line_number(text_of(TEXTS[name])))


@pytest.mark.parametrize("name", TEXTS)
def test_an_error_names_the_users_own_line(name):
    text = text_of(TEXTS[name])
    lines = pathlib.Path(__file__).read_text(encoding="utf-8").splitlines()
    assert text.count("\n  at ") == 1
    where = text.rpartition("\n  at test_errors.py:")[2]
    number, _, rest = where.partition(",")
    function = TEXTS[name].__code__
    assert lines[int(number) - 1].strip() == rest.partition(": ")[2]
    last = max(line for code in [function, *nested(function)] for _, _, line in code.co_lines() if line)
    assert function.co_firstlineno <= int(number) <= last


def nested(code):
    for const in code.co_consts:
        if hasattr(const, "co_lines"):
            yield const
            yield from nested(const)


@pytest.fixture
def half_a_primitive():
    p = Primitive("half", shape=elementwise, impl=lambda x: x / 2, lower=lambda b, x: x)
    yield p
    del REGISTRY["half"]


def derivative_of(p):
    return jvp(p.bind, (1.0,), (1.0,))


def lanes_of(p):
    return vmap(p.bind)(np.ones(2))


@pytest.mark.parametrize("use,kind", [(derivative_of, "jvp"), (lanes_of, "batch")])
def test_a_missing_rule_says_where_to_give_it(half_a_primitive, use, kind, golden):
    with pytest.raises(errors.MissingRule) as caught:
        use(half_a_primitive)
    golden(f"errors/missing-{kind}-rule.txt", without_line_number(str(caught.value)))


def test_a_rule_may_not_be_given_twice(half_a_primitive):
    with pytest.raises(AssertionError, match="half has a lower rule"):
        half_a_primitive.define("lower")
    with pytest.raises(AssertionError, match="a primitive 'half' already"):
        Primitive("half")


def test_every_error_is_a_builtin_one_too():
    kinds = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, errors.ChainruleError)]
    assert all(v.__doc__ for v in kinds)
    builtin = {errors.ShapeError: ValueError, errors.DtypeError: TypeError, errors.IndexOutOfRange: IndexError,
               errors.TreeError: ValueError,
               errors.MissingRule: NotImplementedError, errors.ConcretizationError: TypeError}
    assert all(issubclass(ours, theirs) for ours, theirs in builtin.items())
