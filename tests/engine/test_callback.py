"""Python callbacks and debug.print, under every transformation."""
import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import (
    ShapeDtype,
    config,
    debug,
    grad,
    io_callback,
    jit,
    jvp,
    named_scope,
    pure_callback,
    scan,
    vmap,
    while_loop,
)
from chainrule.engine.errors import LeakedTracerError, NanError, ShapeError, TransformError

F = ShapeDtype((), "float64")


def sine(x):
    return pure_callback(onp.sin, F, x)


def test_pure_callback_gives_the_functions_value_everywhere():
    xs = onp.arange(3.0)
    onp.testing.assert_array_equal([sine(0.7), jit(sine)(0.7)], [onp.sin(0.7)] * 2)
    for run in (vmap(sine), jit(vmap(sine)), vmap(jit(sine))):
        onp.testing.assert_array_equal(run(xs), onp.sin(xs))
    out = jit(lambda x: scan(lambda c, v: (sine(c) + v, c), x, np.asarray(xs))[0])(0.5)
    want = 0.5
    for v in xs:
        want = onp.sin(want) + v
    assert float(out) == want


def test_pure_callback_with_trees_and_several_results():
    result = {"n": ShapeDtype((2,), "int64"), "x": F}
    f = jit(lambda a, b: pure_callback(lambda a, b: {"n": onp.array([1, 2]) * int(b), "x": a.sum()}, result, a, b))
    out = f(onp.ones(4), 3)
    assert out["n"].tolist() == [3, 6] and float(out["x"]) == 4.0


def test_a_wrong_shape_is_an_error_and_not_garbage():
    f = jit(lambda x: pure_callback(lambda v: onp.zeros(3), F, x))
    with pytest.raises(ShapeError, match=r"shape \(3,\); f64\[\] was announced"):
        f(1.0)


def test_the_callbacks_own_exception_comes_back():
    def broken(x):
        raise KeyError("mine")
    with pytest.raises(KeyError, match="mine"):
        jit(lambda x: pure_callback(broken, F, x))(1.0)


def test_a_derivative_through_python_is_refused():
    with pytest.raises(TransformError, match="has no derivative"):
        grad(sine)(1.0)


def printed(capsys):
    return capsys.readouterr().out.split("\n")[:-1]


def test_debug_print_prints_once_a_run_in_order(capsys):
    @jit
    def f(x):
        debug.print("a {}", x)
        debug.print("b {y:.1f}", y=x * 2)
        return x
    f(1.0)
    f(2.0)
    assert printed(capsys) == ["a 1.0", "b 2.0", "a 2.0", "b 4.0"]


def test_debug_print_under_vmap_grad_scan_and_while(capsys):
    def f(x):
        debug.print("x={}", x)
        return x * x
    vmap(f)(onp.arange(2.0))
    assert printed(capsys) == ["x=0.0", "x=1.0"]
    grad(f)(3.0)
    jit(grad(jit(f)))(4.0)
    jvp(f, (5.0,), (1.0,))
    assert printed(capsys) == ["x=3.0", "x=4.0", "x=5.0"]
    grad(lambda x: scan(lambda c, v: (f(c) * v, None), x, np.asarray([1.0, 2.0]))[0])(2.0)
    assert printed(capsys) == ["x=2.0", "x=4.0"]
    jit(lambda n: while_loop(lambda i: i < n, lambda i: (debug.print("i={}", i), i + 1)[1], 0))(3)
    assert printed(capsys) == ["i=0", "i=1", "i=2"]


def test_python_print_runs_when_tracing_only(capsys):
    f = jit(lambda x: (print("tracing"), x + 1)[1])
    f(1.0)
    f(2.0)
    assert printed(capsys) == ["tracing"]


def test_io_callback_runs_once_a_call():
    seen = []

    def note(x):
        seen.append(float(x))
        return onp.float64(len(seen))

    f = jit(lambda x: io_callback(note, F, x) + 0 * x)
    assert [float(f(5.0)), float(f(6.0))] == [1.0, 2.0] and seen == [5.0, 6.0]


def test_a_format_without_its_value_is_an_error():
    with pytest.raises(TransformError, match="no value named 'x'"):
        debug.print("{x}", y=1.0)


# ---- settings that look into programs ----

def test_debug_nans_names_the_operation_and_the_users_line():
    @jit
    def f(x):
        y = x - 2.0
        return np.sum(np.log(y))                         # the line
    with config(debug_nans=True), pytest.raises(NanError, match=r"`log` gave nan(.|\n)*# the line"):
        f(1.0)
    with config(debug_nans=True), pytest.raises(NanError, match="`sqrt`"):
        jit(lambda x: scan(lambda c, v: (np.sqrt(c - v), None), x, np.arange(4.0))[0])(1.0)
    assert onp.isnan(float(f(1.0)))


def test_check_leaks_says_that_a_tracer_is_held():
    kept = []
    with config(check_leaks=True), pytest.raises(LeakedTracerError, match="still held"):
        jit(lambda x: (kept.append(x), x)[1])(1.0)
    with config(check_leaks=True):
        assert float(jit(lambda x: scan(lambda c, _: (c * x, None), x, None, 3)[0])(2.0)) == 16.0


def test_named_scope_reaches_the_optimised_program():
    def f(x):
        with named_scope("outer"), named_scope("inner"):
            return np.tanh(x @ x)
    text = jit(grad(f)).lower(onp.ones(3)).as_text()
    assert 'loc("outer/inner/tanh")' in text
    assert "outer/inner" in jit(f).lower(onp.ones(3)).compile().as_text()


def test_disable_jit_runs_in_numpy_with_the_same_values():
    f = jit(lambda x: scan(lambda c, v: (np.sin(c) * v, c), x, np.arange(1.0, 4.0))[0])
    want = f(0.3)
    with config(disable_jit=True):
        onp.testing.assert_allclose(f(0.3), want, rtol=1e-15)
