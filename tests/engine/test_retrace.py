"""Why a function is traced again: one sentence for each cause, and a guard."""
import logging

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import config, grad, jit, no_retrace, vmap
from chainrule.engine.errors import RetraceError


def reason(f, *calls, **options):
    """What is said when the last of these calls is traced."""
    g = jit(f, **options)
    for args, kwargs in calls[:-1]:
        g(*args, **kwargs)
    with pytest.raises(RetraceError) as e, no_retrace():
        g(*calls[-1][0], **calls[-1][1])
    return str(e.value)


def call(*args, **kwargs):
    return args, kwargs


def f(x, y=0.0, n=1):
    return x["a"] * n if isinstance(x, dict) else x * n + cnp.sum(y)


CAUSES = {
    "shape": ([call(np.ones(3)), call(np.ones(4))], {}, ["argument x changed from f64[3] to f64[4]"]),
    "dtype": ([call(1.0), call(1)], {}, ["argument x changed from f64[] to i64[]"]),
    "inside a tree": ([call({"a": np.ones(3), "b": 1.0}), call({"a": np.ones(3), "b": 1})], {},
                      ["argument x['b'] changed from f64[] to i64[]"]),
    "by keyword": ([call(1.0, y=np.ones(2)), call(1.0, y=np.ones(5))], {},
                   ["argument y changed from f64[2] to f64[5]"]),
    "two of them": ([call(1.0, 2.0), call(1, 2)], {}, ["argument x changed from f64[] to i64[]; argument y changed"]),
    "structure": ([call({"a": 1.0}), call({"a": 1.0, "b": 2.0})], {},
                  ["the structure of argument x changed from {'a': *} to {'a': *, 'b': *}"]),
    "one more": ([call(1.0), call(1.0, 2.0)], {}, ["number of its array arguments by position changed from 1 to 2"]),
    "keywords": ([call(1.0, y=2.0), call(1.0)], {}, ["array arguments by keyword changed from ['y'] to []"]),
    "static by name": ([call(1.0, n=2), call(1.0, n=3)], {"static_argnames": "n"},
                       ["static argument n changed from 2 to 3"]),
    "static by position": ([call(1.0, 0.0, 2), call(1.0, 0.0, 3)], {"static_argnums": 2},
                           ["static argument n changed from 2"]),
    "static of another type": ([call(1.0, n=2), call(1.0, n=2.0)], {"static_argnames": "n"}, ["2.0 (int to float)"]),
    "after a static one": ([call(1, np.ones(2)), call(1, np.ones(3))], {"static_argnums": 0}, ["argument y changed"]),
    "the nearest is compared": ([call(np.ones(3), np.ones(3)), call(np.ones(4), np.ones(4)),
                                 call(np.ones(4), np.ones(5))], {},
                                ["because argument y changed from f64[4] to f64[5]."]),
}


@pytest.mark.parametrize("calls,options,words", CAUSES.values(), ids=CAUSES)
def test_the_sentence_names_what_changed(calls, options, words):
    def copy(x, y=0.0, n=1):
        return f(x, y, n)
    text = reason(copy, *calls, **options)
    assert text.startswith("copy (test_retrace.py:") and "traced again" in text
    for w in words:
        assert w in text


def test_settings_and_named_axes_are_causes():
    g = jit(lambda x: x * 2)
    g(1)
    with pytest.raises(RetraceError, match="setting default_float changed from float64 to float32"), no_retrace():
        with config(default_float="float32"):
            g(1)
    with pytest.raises(RetraceError, match="context of the call changed from none to axis lanes 3"), no_retrace():
        vmap(g, axis_name="lanes")(np.arange(3))


def test_a_function_made_anew_in_a_loop_is_recognised():
    def once(x):
        return jit(lambda y: y * 2)(x)
    once(1.0)
    with pytest.raises(RetraceError, match="new function object, number 2 made by the same lines.*outside of the loop"):
        with no_retrace():
            once(1.0)


def test_a_program_that_is_not_kept_is_recognised():
    class Closure:
        closed = None

        def __call__(self, y):
            return y * self.closed
    g = Closure()
    compiled = jit(g)

    def outer(x):
        g.closed = x
        return compiled(3.0)
    assert float(grad(outer)(2.0)) == 3.0
    with pytest.raises(RetraceError, match="for the same types because its program depends on a value"), no_retrace():
        grad(outer)(2.0)


def test_first_traces_and_repeated_calls_are_no_retraces():
    g = jit(lambda x: x + 1)
    with no_retrace():
        g(1.0)
        g(2.0)
        jit(grad(lambda x: x * x))(1.0)
        with pytest.raises(RetraceError):
            g(np.ones(2))
    g(np.ones(2))


def test_the_guard_ends_with_its_block_and_nests():
    g = jit(lambda x: x + 1)
    g(1.0)
    with no_retrace():
        with no_retrace():
            pass
        with pytest.raises(RetraceError, match="first called with"):
            g(1)
    g(1)


def test_explanations_go_to_the_log(caplog):
    g = jit(lambda x: x + 1)
    with caplog.at_level(logging.WARNING, "chainrule"):
        g(1.0)
        g(1)
        assert not caplog.records
        with config(explain_retraces=True):
            g(np.ones(3))
            g(np.ones(3))
    (record,) = caplog.records
    assert "argument x changed from" in record.message and "to f64[3], at test_retrace.py:" in record.message


def test_a_jitted_function_explains_itself():
    W = np.ones(3)

    def model(x, n):
        return cnp.sum(x * W) * n
    g = jit(model, static_argnums=1)
    assert g.explain() == "model: 0 programs"
    assert "is traced: it is the first" in g.explain(1.0, 2)
    g(1.0, 2)
    g(np.ones(3), 2)
    text = g.explain(np.ones(3), 2)
    assert "model: 2 programs" in text and "2. (x: f64[3], n = 2): " in text
    assert "closes over 1 array(s) of 24 bytes" in text
    assert text.endswith("runs program 2.")
    assert "static argument n changed from 2 to 3" in g.explain(1.0, 3)
