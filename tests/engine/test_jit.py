"""jit: what it traces, what it keeps, and what stands in the program. Promises of speed are counts."""
import gc
import weakref

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import config, eval_shape, grad, jit, make_jaxpr, scan, stats, vmap
from chainrule.engine.core import Trace, world
from chainrule.engine.errors import DtypeError, TransformError


class Counted:
    """How many times a Python function ran."""

    def __init__(self, f):
        self.f, self.calls = f, 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        return self.f(*args, **kwargs)


def counted(f, **options):
    inner = Counted(f)
    return jit(inner, **options), inner


def test_a_function_is_traced_once_for_each_type():
    f, inner = counted(lambda x: x * 2)
    for x in (1.0, 2.0, np.float64(3.0), cnp.asarray(4.0)):
        assert float(f(x)) == 2 * float(x)
    assert inner.calls == 1
    f(1)
    f(np.ones(3))
    f(np.zeros(3))
    assert inner.calls == 3
    f(np.ones(3, np.float32))
    f(np.ones((1, 3)))
    assert inner.calls == 5


def test_new_values_do_not_compile_again():
    f = jit(lambda x, y: x @ y + 1)
    f(np.ones((3, 3)), np.ones(3))
    before = stats()
    for k in range(4):
        f(np.full((3, 3), float(k)), np.arange(3.0))
    spent = [b - a for a, b in zip(before, stats())]
    traces, compilations, hits, _, executions = spent
    assert (traces, compilations, executions) == (0, 0, 4) and hits == 4


def test_the_counters_count():
    before = stats()
    f = jit(lambda x: x * 3.25 - 7.125)
    f(2.0)
    f(3.0)
    after = stats()
    assert after.traces - before.traces == 1
    assert after.executions - before.executions == 2
    assert after.compilations - before.compilations + after.disk_cache_hits - before.disk_cache_hits \
        + after.cache_hits - before.cache_hits == 2      # the second call finds the first one's executable


def test_jit_of_jit_traces_the_inner_function_once_and_shares_its_program():
    f, inner = counted(cnp.sin)
    g = jit(lambda x: f(x) + f(x * 2))
    g(1.0)
    g(2.0)
    f(3.0)
    assert inner.calls == 1


def test_closed_over_arrays_are_arguments_and_scalars_and_recipes_are_written_in():
    big, small = np.arange(1000.0) + 0.123456, 0.625
    program = jit(lambda x: (x * big).sum() * small + cnp.ones(1000).sum())
    text = program.lower(2.0).as_text()
    assert "%arg1" in text and "tensor<1000xf64>" in text and "6.25000000000000000e-01" in text
    assert "1.23456" not in text and len(text) < 4000
    assert "%arg2" not in text                           # ones are made again


def test_an_array_closed_over_twice_is_one_argument():
    big = np.arange(10.0)
    program = make_jaxpr(lambda x: cnp.sum(x * big) + cnp.sum(big + x))(1.0)
    assert [v.aval.shape for v in program.invars] == [(10,), ()]


def test_later_changes_of_a_closed_over_numpy_array_are_not_seen():
    data = np.ones(3)
    f = jit(lambda x: cnp.sum(x * data))
    assert float(f(1.0)) == 3.0
    data[:] = 100.0
    assert float(f(1.0)) == 3.0


def test_static_arguments_of_equal_value_and_another_type_differ():
    seen = []

    def f(x, how):
        seen.append(how)
        return x * how
    g = jit(f, static_argnums=1)
    for how in (1, 1.0, True, 1, 1.0, True):
        g(np.ones(2, int), how)
    assert [type(s) for s in seen] == [int, float, bool]
    assert g(np.ones(2, int), 1.0).dtype == np.float64 and g(np.ones(2, int), 1).dtype == np.int64


def test_static_arguments_go_by_position_from_either_end_and_by_name():
    f = jit(lambda x, n, m=2: cnp.stack([x] * n * m), static_argnums=(1,), static_argnames="m")
    assert f(1.0, 2).shape == (4,) and f(1.0, 2, m=3).shape == (6,)
    assert jit(lambda x, n: x.reshape(n), static_argnums=-1)(np.ones(4), (2, 2)).shape == (2, 2)


def test_an_unhashable_static_argument_is_named():
    with pytest.raises(TransformError, match="'shape'.*list.*not hashable"):
        jit(lambda x, shape: x.reshape(shape), static_argnames="shape")(np.ones(4), shape=[2, 2])


def test_jit_is_a_decorator_with_and_without_options():
    @jit
    def f(x):
        """Twice."""
        return 2 * x

    @jit(static_argnames="n")
    def g(x, n):
        return x * n
    assert f.__name__ == "f" and f.__doc__ == "Twice." and float(f(2.0)) == 4.0 and float(g(2.0, n=3)) == 6.0


def test_methods_are_traced_once_for_each_object_and_die_with_it():
    class Model:
        def __init__(self, scale):
            self.scale, self.calls = scale, 0

        def predict(self, x):
            self.calls += 1
            return x * self.scale
    a, b = Model(2.0), Model(3.0)
    assert [float(jit(m.predict)(1.0)) for m in (a, b, a, b)] == [2.0, 3.0, 2.0, 3.0]
    assert (a.calls, b.calls) == (1, 1)
    gone = weakref.ref(a)
    del a
    gc.collect()
    assert gone() is None


def test_a_program_dies_with_its_function():
    def make():
        def f(x):
            return x + 1
        jit(f)(1.0)
        return weakref.ref(f)
    gone = make()
    gc.collect()
    assert gone() is None


def test_arguments_and_results_are_trees():
    f = jit(lambda d, pair=(1.0, 2.0): {"sum": d["a"] + d["b"][0], "pair": pair, "none": None})
    out = f({"a": 1.0, "b": [np.ones(2)]}, pair=(3.0, 4.0))
    assert out["sum"].tolist() == [2.0, 2.0] and float(out["pair"][1]) == 4.0 and out["none"] is None
    assert [float(v) for v in f({"a": 1.0, "b": [2.0]})["pair"]] == [1.0, 2.0]


def test_what_is_not_an_array_is_refused_with_the_way_out():
    with pytest.raises(DtypeError, match="static"):
        jit(lambda x, how: x)(1.0, "fast")
    with pytest.raises(DtypeError, match="returned something that is not an array"):
        jit(lambda x: "fast")(1.0)


def test_a_program_read_off_a_number_of_an_outer_transformation_is_not_kept():
    f = jit(lambda x: x * x)

    def g(x):
        return f(x) if x > 0 else -f(x)
    assert float(grad(g)(2.0)) == 4.0 and float(grad(g)(-2.0)) == 4.0

    def branch(x):                                       # inside scan, `if` reads the number that grad has
        def body(c, _):
            return (c * 2 if x > 0 else c * 3), None
        return scan(body, x, None, length=1)[0]
    assert float(grad(branch)(1.0)) == 2.0 and float(grad(branch)(-1.0)) == 3.0


def test_a_closed_over_tracer_is_not_kept_in_the_program():
    def outer(x):
        return jit(lambda y: y * x)(3.0)
    assert float(grad(outer)(2.0)) == 3.0
    assert vmap(outer)(np.array([1.0, 2.0])).tolist() == [3.0, 6.0]
    assert float(jit(outer)(5.0)) == 15.0


def test_settings_and_context_make_programs_of_their_own():
    f, inner = counted(lambda x: x * 1.5)
    f(1)
    with config(default_float="float32"):
        assert f(1).dtype == np.float32
    assert f(1).dtype == np.float64 and inner.calls == 2

    class Plate(Trace):
        transparent = True

        def __init__(self, name):
            super().__init__()
            self.context = name

        def process(self, prim, args, params):
            return prim.bind(*args, **params)
    for name in ("a", "b", "a"):
        with world(Plate(name)):
            f(2)
    assert inner.calls == 4


def test_disable_jit_runs_in_numpy():
    before = stats().executions
    with config(disable_jit=True):
        assert float(jit(lambda x: scan(lambda c, r: (c + r, c), x, np.arange(3.0))[0])(1.0)) == 4.0
    assert stats().executions == before


def test_unused_arguments_and_constant_results_are_fine():
    assert float(jit(lambda x, y: x)(1.0, 2.0)) == 1.0
    assert jit(lambda x: np.arange(3))(1.0).tolist() == [0, 1, 2]
    assert jit(lambda: cnp.ones(2))().tolist() == [1.0, 1.0]
    assert jit(lambda x: ())(1.0) == ()
    a, b = jit(lambda x: (x, x))(np.ones(2))
    assert a.tolist() == b.tolist() == [1.0, 1.0]


def test_eval_shape_gives_types_without_computing():
    before = stats().executions
    out = eval_shape(lambda x: {"y": cnp.outer(x, x).astype(np.float32)}, np.ones(1000))
    assert repr(out) == "{'y': ShapeDtype((1000, 1000), float32)}" and stats().executions == before
    assert eval_shape(lambda x: x + 1, out["y"]) == out["y"]


def test_an_exception_while_tracing_leaves_the_world_as_it_was():
    def bad(x):
        raise KeyError("mine")
    for _ in range(2):
        with pytest.raises(KeyError, match="mine"):
            jit(grad(bad))(1.0)
    assert float(cnp.sin(0.0)) == 0.0


def test_a_call_on_arrays_that_was_made_before_still_minds_types_closures_and_settings():
    scale = cnp.asarray(np.arange(3.0))
    f = jit(lambda x: {"y": x * scale, "n": x.sum()})
    x = cnp.ones(3)
    for value in (1.0, 2.0, 3.0):
        out = f(x * value)
        assert out["y"].tolist() == [0.0, value, 2 * value] and float(out["n"]) == 3 * value
    assert f(cnp.ones(3, "float32"))["n"].dtype == "float32"
    assert vmap(f)(cnp.ones((2, 3)))["y"].shape == (2, 3)
    assert grad(lambda v: f(v)["n"])(x).tolist() == [1.0] * 3
    with config(disable_jit=True):
        assert f(x)["y"].tolist() == [0.0, 1.0, 2.0]
    before = stats()
    f(x)
    after = stats()
    assert (after.traces, after.compilations) == (before.traces, before.compilations)
    assert after.executions == before.executions + 1


def test_a_call_on_dicts_of_arrays_that_was_made_before_minds_names_types_and_kinds():
    f = jit(lambda x, p: sum(p.values()) * x)
    x, a, b = cnp.ones(3), cnp.asarray(2.0), cnp.asarray(3.0)
    for _ in range(2):
        assert f(x, {"a": a, "b": b}).tolist() == [5.0] * 3
        assert f(x, {"b": b, "a": a}).tolist() == [5.0] * 3
        assert f(x, {"b": b}).tolist() == [3.0] * 3
        assert f(x, {"b": 4.0}).tolist() == [4.0] * 3
        assert f(x, {"b": {"c": a}.pop("c")}).tolist() == [2.0] * 3
        assert f(x, {"a": cnp.ones(3, "float32")}).dtype == "float64"
    g = jit(lambda p, q: p["x"] - q["y"])
    assert [float(g({"x": a}, {"y": b})) for _ in range(2)] == [-1.0, -1.0]
    before = stats()
    f(x, {"b": b, "a": a})
    after = stats()
    assert (after.traces, after.compilations) == (before.traces, before.compilations)
    assert after.executions == before.executions + 1
