"""The program text and its checker: programs print as in tests/golden, and broken ones are caught."""
import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import cond, config, grad, ir, jit, make_jaxpr, scan, stats, vmap, while_loop
from chainrule.engine.avals import Aval
from chainrule.engine.core import REGISTRY
from chainrule.engine.errors import ShapeError
from chainrule.engine.ir import Eqn, Jaxpr, Literal, Var

F = Aval((), np.dtype("float64"))
V = Aval((3,), np.dtype("float64"))
W = np.array([1.0, 2.0, 3.0])

PROGRAMS = {
    "arithmetic": (lambda x, y: (x * 2 + y, cnp.sum(x)), (W, 1.5)),
    "closed-over": (lambda x: cnp.sum(x * W) + 1, (W,)),
    "recipe": (lambda x: x + cnp.ones(3) * cnp.arange(3), (W,)),
    "jit": (lambda x: jit(lambda y: cnp.sin(y) * x)(x + 1), (1.0,)),
    "cond": (lambda p, x: cond(p, lambda v: v * 2, cnp.sin, x), (True, 1.0)),
    "scan": (lambda x: scan(lambda c, r: (c + r * x, c), 0.0, W), (1.0,)),
    "while": (lambda x: while_loop(lambda v: v < 10, lambda v: v * x, x), (1.5,)),
    "grad": (grad(lambda x: cnp.sum(cnp.sin(x) * x)), (W,)),
    "grad of scan": (grad(lambda x: scan(lambda c, r: (cnp.sin(c) * r, None), x, W)[0]), (1.0,)),
    "vmap": (vmap(lambda x, y: x @ x + y, (0, None)), (np.ones((2, 3)), 1.0)),
    "indexing": (lambda x, i: (x[1:], x[i], x.at[i].set(0.0)), (W, 1)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_prints_as_it_did(name, golden):
    f, args = PROGRAMS[name]
    program = make_jaxpr(f)(*args)
    ir.check(program)
    golden(f"programs/{name.replace(' ', '-')}.txt", str(program))


def test_a_program_can_show_the_users_lines():
    program = make_jaxpr(lambda x: cnp.sin(x) + 1)(1.0)
    text = ir.to_text(program, source=True)
    assert "test_ir.py:" in text and "cnp.sin(x) + 1" in text


def broken():
    a, b, c = Var(F), Var(F), Var(F)
    sin, add = REGISTRY["sin"], REGISTRY["add"]
    good = Eqn(sin, [a], {}, [b])
    inner = Jaxpr([a], [Eqn(sin, [c], {}, [b])], [b])
    return {
        "an input is bound twice": Jaxpr([a, a], [], [a]),
        "sin .* reads a variable that is not bound": Jaxpr([a], [Eqn(sin, [c], {}, [b])], [b]),
        "add .* reads a variable": Jaxpr([a], [Eqn(add, [a, b], {}, [c]), good], [c]),
        "sin .* binds a variable twice": Jaxpr([a], [good, Eqn(sin, [a], {}, [b])], [b]),
        "binds a variable twice": Jaxpr([a], [Eqn(sin, [a], {}, [a])], [a]),
        r"output is f64\[3\], its shape rule gives f64\[\]": Jaxpr([a], [Eqn(sin, [a], {}, [Var(V)])], [a]),
        "2 outputs, its shape rule gives 1": Jaxpr([a], [Eqn(sin, [a], {}, [b, c])], [b]),
        "an output is not bound": Jaxpr([a], [], [b]),
        "sin .* is not bound": Jaxpr([a], [Eqn(REGISTRY["jit"], [a], {"jaxpr": inner}, [b])], [b]),
    }


@pytest.mark.parametrize("words", broken())
def test_the_checker_catches_a_broken_program(words):
    with pytest.raises(AssertionError, match=words):
        ir.check(broken()[words])


def test_the_checker_lets_a_good_program_pass_and_literals_stand():
    a, b = Var(F), Var(F)
    ir.check(Jaxpr([a], [Eqn(REGISTRY["add"], [a, Literal(2.0)], {}, [b])], [b, Literal(1)]))


def test_check_programs_checks_every_staged_program(monkeypatch):
    seen = []
    monkeypatch.setattr("chainrule.engine.interpreters.stage.check", seen.append)
    jit(lambda x: scan(lambda c, r: (c + r, None), x, W)[0])(1.0)
    assert seen == []
    with config(check_programs=True):
        jit(lambda x: scan(lambda c, r: (c + r, None), x, W)[0])(1.0)
    assert len(seen) == 2


def test_work_that_nobody_uses_is_left_out():
    program = make_jaxpr(lambda x: [cnp.exp(x), cnp.sin(x)][1])(1.0)
    assert [e.prim.name for e in program.eqns] == ["sin"]


def test_work_on_known_values_is_done_while_tracing():
    program = make_jaxpr(lambda x: x + cnp.sum(cnp.exp(cnp.asarray(W))))(1.0)
    assert [e.prim.name for e in program.eqns] == ["add"]


def test_programs_of_equal_text_are_compiled_once():
    before = stats().compilations
    jit(lambda x: x * 1.2345 + 9.8765)(1.0)
    first = stats().compilations
    jit(lambda y: y * 1.2345 + 9.8765)(2.0)
    assert first - before <= 1 and stats().compilations == first


def test_types_are_interned_and_print_short():
    assert Aval((3,), np.dtype("float64")) is V and Aval((np.int64(3),), "float64") is V and Aval((3,), float) is V
    assert [repr(Aval((2, 3), d)) for d in ("float32", "int64", "bool", "uint8", "complex128")] == [
        "f32[2,3]", "i64[2,3]", "bool[2,3]", "u8[2,3]", "c128[2,3]"]


def test_a_shape_rule_speaks_while_staging():
    with pytest.raises(ShapeError, match="do not broadcast"):
        make_jaxpr(lambda x, y: x + y)(np.ones(2), np.ones(3))
