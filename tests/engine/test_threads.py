"""Two threads may trace and run at once: the current interpreter and the settings belong to a thread."""
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import config, grad, jit, scan, vmap
from chainrule.engine.core import state
from chainrule.engine.interpreters.evaluate import ROOT


def together(*functions):
    """Run functions in threads that start at one moment; returns their results."""
    barrier = threading.Barrier(len(functions))

    def run(f):
        barrier.wait()
        return f()
    with ThreadPoolExecutor(len(functions)) as pool:
        return [future.result() for future in [pool.submit(run, f) for f in functions]]


def test_threads_trace_different_functions_at_once():
    def work(k):
        def f(x):
            return scan(lambda c, r: (cnp.sin(c) * r + k, c), x, np.arange(3.0) + k)[0].sum()
        out = []
        for _ in range(5):
            out.append(np.asarray(jit(grad(lambda x: f(x)))(np.ones(2))))
            out.append(np.asarray(vmap(grad(f))(np.ones((2, 2)))))
        return out
    expected = [work(k) for k in range(4)]
    for found, alone in zip(together(*[lambda k=k: work(k) for k in range(4)]), expected):
        for a, b in zip(found, alone):
            np.testing.assert_array_equal(a, b)


def test_threads_call_one_compiled_function_for_the_first_time_at_once():
    f = jit(lambda x: cnp.cos(x) * 3.0 + x.sum())
    inputs = [np.full(4, k / 3) for k in range(4)]
    for x, y in zip(inputs, together(*[lambda x=x: np.asarray(f(x)) for x in inputs])):
        np.testing.assert_allclose(y, np.cos(x) * 3 + x.sum(), rtol=1e-14)


def test_an_outer_world_is_not_seen_by_another_thread():
    inside, outside = threading.Event(), threading.Event()
    seen = {}

    def slow(x):
        inside.set()
        assert outside.wait(60)
        seen["here"] = state.trace is ROOT
        return x * 2

    def quick():
        assert inside.wait(60)
        seen["there"] = state.trace is ROOT
        out = float(cnp.sin(0.5))
        outside.set()
        return out
    slope, value = together(lambda: float(grad(slow)(1.0)), quick)
    assert (slope, value) == (2.0, pytest.approx(np.sin(0.5)))
    assert seen == {"here": False, "there": True}


def test_a_setting_in_a_block_is_this_threads_alone():
    with config(default_float="float32"):
        here = cnp.ones(1).dtype
        (there,) = together(lambda: cnp.ones(1).dtype)
    assert (here, there) == (np.float32, np.float64)


def test_an_exception_in_one_thread_leaves_the_others_alone():
    def bad():
        with pytest.raises(ZeroDivisionError):
            jit(lambda x: x / (1 // 0))(1.0)
        return state.trace is ROOT

    def good():
        return float(jit(grad(lambda x: x ** 3))(2.0))
    assert together(bad, good, bad, good) == [True, 12.0, True, 12.0]
