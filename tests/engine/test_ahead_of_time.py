"""Compiled ahead of time: lower and compile, donation, options; programs exported and loaded again."""
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import debug, deserialize, export, grad, jit, scan, stats, vmap
from chainrule.engine.array import Array
from chainrule.engine.errors import ExportError, TransformError
from chainrule.engine.xla import CompileError

W = np.array([1.0, 2.0, 3.0])


# ---- lower and compile ----

def test_a_compiled_function_is_callable_and_analysed():
    f = jit(lambda x, b: {"y": W @ x + b["c"]})
    compiled = f.lower(np.ones(3), {"c": 2.0}).compile()
    before = stats()
    assert float(compiled(np.arange(3.0), {"c": 1.0})["y"]) == 9.0
    assert stats().traces == before.traces and stats().compilations == before.compilations
    assert compiled.cost_analysis()["flops"] > 0
    assert compiled.memory_analysis()["argument_size_in_bytes"] == 2 * 24 + 8
    assert "HloModule" in compiled.as_text()
    assert "stablehlo" in f.lower(np.ones(3), {"c": 2.0}).as_text()


def test_a_compiled_function_refuses_other_types():
    compiled = jit(lambda x: x * 2).lower(np.ones(3)).compile()
    with pytest.raises(TransformError, match=r"argument x changed from f64\[3\] to f64\[4\]"):
        compiled(np.ones(4))


def test_a_compiled_function_can_be_transformed():
    compiled = jit(lambda x: x * x).lower(1.0).compile()
    assert float(grad(compiled)(3.0)) == 6.0
    assert vmap(compiled)(np.arange(3.0)).tolist() == [0.0, 1.0, 4.0]


def test_static_arguments_are_part_of_it():
    compiled = jit(lambda x, n: x * n, static_argnums=1).lower(2.0, 3).compile()
    assert float(compiled(4.0, 3)) == 12.0
    with pytest.raises(TransformError, match="static argument n changed from 3 to 4"):
        compiled(4.0, 4)


# ---- donation ----

def test_a_donated_array_is_deleted_and_its_memory_used():
    f = jit(lambda x, y: x + y, donate_argnums=0)
    x, y = Array(np.ones(1000)), Array(np.ones(1000))
    text = f.lower(x, y).as_text()
    assert text.count("jax.buffer_donor = true") == 1 and text.index("jax.buffer_donor") < text.index("%arg1")
    assert f.lower(x, y).compile().memory_analysis()["alias_size_in_bytes"] == 8000
    out = f(x, y)
    assert out.tolist() == [2.0] * 1000 and x.shape == (1000,) and y.tolist() == [1.0] * 1000
    for use in (lambda: x.value, lambda: x + 1, lambda: f(x, y), lambda: x.tolist()):
        with pytest.raises(RuntimeError, match="deleted|donated"):
            use()


def test_what_was_read_before_stays_right():
    f = jit(lambda x: x * 3.0, donate_argnums=0)
    x = jit(lambda x: x + 1.0)(np.ones(1000))
    seen = np.asarray(x)                                 # a view of the buffer that is donated
    assert f(x).tolist() == [6.0] * 1000 and seen.tolist() == [2.0] * 1000


def test_donation_goes_by_name_and_through_trees():
    f = jit(lambda p, *, state: {k: v + p for k, v in state.items()}, donate_argnames="state")
    state = {"a": Array(np.ones(100)), "b": Array(np.zeros(100))}
    out = f(1.0, state=state)
    assert out["a"].tolist() == [2.0] * 100
    for x in state.values():
        with pytest.raises(RuntimeError):
            x.tolist()


def test_numpy_arguments_and_inner_calls_donate_nothing():
    f = jit(lambda x: x + 1.0, donate_argnums=0)
    x = np.ones(10)
    assert f(x).tolist() == f(x).tolist() == [2.0] * 10
    a = Array(np.ones(10))
    assert jit(lambda a: f(a) + a)(a).tolist() == [3.0] * 10 and a.tolist() == [1.0] * 10
    assert float(grad(lambda a: f(a).sum())(a)[0]) == 1.0


def test_an_array_is_not_donated_while_it_is_used_elsewhere():
    a = Array(np.ones(10))
    with pytest.raises(TransformError, match="another argument too"):
        jit(lambda x, y: x + y, donate_argnums=0)(a, a)
    with pytest.raises(TransformError, match="static and donated"):
        jit(lambda x: x, donate_argnums=0, static_argnums=0)


def test_compiler_options_reach_xla():
    f = jit(lambda x: cnp.sin(x) + 1, compiler_options={"xla_backend_optimization_level": 0})
    assert float(f(0.0)) == 1.0
    with pytest.raises((CompileError, RuntimeError), match="no_such_option"):
        jit(lambda x: x + 1.5, compiler_options={"no_such_option": 1})(0.0)


# ---- export ----

class Pair(NamedTuple):
    x: object
    y: object


def model(p, n=2):
    return Pair(scan(lambda c, r: (cnp.sin(c) * r, c), p["a"], W)[0] * n, [cnp.linalg.cholesky(p["m"]), None])


ARGUMENT = {"a": 0.5, "m": np.eye(3) * 4}


def test_an_exported_program_gives_the_same():
    exported = export(jit(model))(ARGUMENT)
    loaded = deserialize(exported.serialize(), types=[Pair])
    for program in (exported, loaded):
        out = program.call(ARGUMENT)
        assert type(out) is Pair and np.array_equal(out.y[0], np.eye(3) * 2) and out.y[1] is None
        assert float(out.x) == float(jit(model)(ARGUMENT).x)
    assert "stablehlo.while" in loaded.mlir_module() and "f64[3,3]" in repr(loaded)


@pytest.mark.parametrize("f", [cnp.sin, lambda x: cnp.sqrt(cnp.abs(x)), lambda x: x.astype("float32").sum(),
                               lambda x: cnp.sort(x), lambda x: (x > 0, x.astype(int))], ids=range(5))
def test_dtypes_and_operations_survive(f):
    x = np.linspace(-0.9, 0.9, 5)
    out, expected = deserialize(export(f)(x).serialize()).call(x), jit(f)(x)
    for a, b in zip(*[o if isinstance(o, tuple) else (o,) for o in (out, expected)]):
        assert a.dtype == b.dtype and np.array_equal(a, b)


def test_static_arguments_are_written_in():
    exported = export(model, static_argnames="n")(ARGUMENT, n=5)
    assert float(exported.call(ARGUMENT).x) == pytest.approx(2.5 * float(jit(model)(ARGUMENT).x))


def test_another_process_can_call_it(tmp_path):
    file = tmp_path / "program"
    file.write_bytes(export(lambda x: {"y": x @ W})(W).serialize())
    code = ("import pathlib, sys, numpy; from chainrule.engine import deserialize;"
            "f = deserialize(pathlib.Path(sys.argv[1]).read_bytes()); print(float(f.call(numpy.ones(3))['y']))")
    out = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "6.0"


def test_what_is_wrong_with_the_bytes_is_said():
    data = export(lambda x: x + 1)(1.0).serialize()
    for bad, words in [(b"PK", "not an exported"), (data[:-1], "checksum"), (data[:60] + b"?" + data[61:], "checksum"),
                       (data.replace(b"export 1", b"export 9", 1), "format 'chainrule export 9'")]:
        with pytest.raises(ExportError, match=words):
            deserialize(bad)
    with pytest.raises(ExportError, match=r"Pair, which is not known here"):
        deserialize(export(model)(ARGUMENT).serialize())


def test_what_cannot_be_exported_or_called_is_said():
    exported = export(lambda x, y: x + y)(np.ones(3), 1.0)
    with pytest.raises(ExportError, match=r"f64\[3\] as argument 0; it got f64\[4\]"):
        exported.call(np.ones(4), 1.0)
    with pytest.raises(ExportError, match="structure"):
        exported.call(np.ones(3))
    with pytest.raises(ExportError, match="no transformation can look into"):
        jit(lambda x: exported.call(x, 1.0))(np.ones(3))
    with pytest.raises(ExportError, match="calls Python"):
        export(lambda x: (debug.print("{x}", x=x), x)[1])(1.0)
