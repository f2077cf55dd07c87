"""The passes: each gives a program that computes the same, is well formed, and has what it should have lost."""
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule.engine.numpy as cnp
from chainrule.engine import (
    ShapeDtype,
    checkpoint,
    cond,
    config,
    debug,
    fori_loop,
    grad,
    ir,
    jit,
    jvp,
    make_jaxpr,
    passes,
    scan,
    switch,
    vmap,
    while_loop,
)
from chainrule.engine.interpreters.evaluate import run_compiled
from chainrule.engine.interpreters.stage import eval_jaxpr
from tests.engine.laws import close, direction
from tests.engine.test_random_programs import NO_REVERSE, POINT, POOL, W, chain

MINUS_ZERO = -0.0


def program_of(f, *args):
    """(program, values of its inputs) of f."""
    program = make_jaxpr(f)(*args)
    consts = [direction(i, np.empty(a.shape)).astype(a.dtype)
              for i, a in enumerate(program.in_avals[:len(program.in_avals) - len(args)])]
    return program, [*consts, *[np.asarray(a) for a in args]]


def plain(program, args):
    with config(disable_jit=True):
        return [np.asarray(o) for o in eval_jaxpr(program, args)]


def names(program):
    """The primitives of a program, those of the programs inside in brackets."""
    out = []
    for e in program.eqns:
        inner = [names(p) for p in e.prim.programs(e.params)]
        out.append([e.prim.name, *inner] if inner else e.prim.name)
    return out


def count(program):
    return sum(1 + sum(map(count, e.prim.programs(e.params))) for e in program.eqns)


# ---- every pass on every program ----

def check_passes(f, *args):
    program, values = program_of(f, *args)
    expected = plain(program, values)
    for one in passes.PASSES:
        made = one(program)
        ir.check(made)
        assert made.invars == program.invars and made.out_avals == program.out_avals
        close(plain(made, values), expected, 1e-13, one.__name__)
        assert one(made) is made, f"{one.__name__} does something the second time"
    made = passes.optimize(program)
    ir.check(made)
    close(plain(made, values), expected, 1e-13, "optimize")
    again = passes.optimize(made)
    assert count(again) == count(made)
    assert count(made) <= max(count(program), count(passes.inline(program)))


@pytest.mark.parametrize("name", POOL)
def test_a_pass_changes_no_value(name):
    check_passes(POOL[name], POINT)
    check_passes(vmap(POOL[name]), np.stack([POINT, W]))
    check_passes(lambda x, t: jvp(POOL[name], (x,), (t,)), POINT, W)
    if name not in NO_REVERSE:
        check_passes(grad(lambda x: cnp.sum(POOL[name](x) * W)), POINT)


@settings(max_examples=30)
@given(st.lists(st.sampled_from(sorted(set(POOL) - NO_REVERSE)), min_size=2, max_size=3))
def test_a_pass_changes_no_value_of_random_programs_and_their_derivatives(names):
    f = chain(names)
    check_passes(grad(lambda x: cnp.sum(f(x) * W)), POINT)
    check_passes(jit(vmap(grad(lambda x: cnp.sum(f(x) * W)))), np.stack([POINT, W]))


@pytest.mark.parametrize("order", list(itertools.permutations(passes.PASSES[1:], 2)),
                         ids=lambda order: "-".join(p.__name__ for p in order))
def test_passes_can_be_chosen(order):
    f = grad(lambda x: cnp.sum(chain(["scan of a closure", "cond", "scan in scan"])(x)))
    program, values = program_of(f, POINT)
    made = passes.optimize(program, order)
    ir.check(made)
    close(run_compiled(made, values), plain(program, values), 1e-12)


# ---- what each one does ----

def after(one, f, *args):
    program, values = program_of(f, *args)
    made = one(program)
    ir.check(made)
    close(plain(made, values), plain(program, values), 1e-14)
    return made


def test_equal_operations_are_done_once():
    made = after(passes.common_subexpressions, lambda x: cnp.sin(x) * 2 + cnp.sin(x) * 2, 1.0)
    assert names(made) == ["sin", "mul", "add"]


def test_zeros_of_two_signs_are_not_equal():
    made = after(passes.common_subexpressions, lambda x: [x / cnp.full((2,), z) for z in (0.0, -0.0)],
                 np.ones(2))
    assert names(made).count("full") == 2
    assert count(after(passes.common_subexpressions, lambda x: (x * 0.0, x * -0.0), 1.0)) == 2


def test_effects_are_neither_merged_nor_dropped_nor_moved():
    seen = []

    def f(x):
        debug.callback(seen.append, 1.0)
        debug.callback(seen.append, 1.0)
        return scan(lambda c, _: (c + 1, debug.callback(seen.append, 2.0)), x, None, length=3)[0] * 0
    made = passes.optimize(make_jaxpr(f)(1.0))
    assert [e.prim.name for e in made.eqns].count("io_callback") == 2
    jit(f)(1.0).block_until_ready()
    assert [float(s) for s in seen] == [1.0, 1.0, 2.0, 2.0, 2.0]


def test_what_is_recomputed_on_purpose_stays():
    f = grad(lambda x: checkpoint(lambda x: cnp.sin(cnp.sin(x)))(x))
    made = passes.optimize(make_jaxpr(f)(1.0))
    assert "optimization_barrier" in names(made) and float(run_compiled(made, [np.asarray(0.0)])[0]) == 1.0


TALL = np.cos(np.arange(200.0)).reshape(40, 5)


def descent(x, start, transposed=False):
    """Three steps down the slope of a sum over the rows of x."""
    loss = lambda b, x: cnp.sum(cnp.tanh(b @ x.T if transposed else x @ b))
    return fori_loop(0, 3, lambda _, s: (s[0] - 0.1 * grad(loss)(*s), s[1]), (start, x))[0]


def expected(x, b):
    for _ in range(3):
        b = b - 0.1 * (1 - np.tanh(x @ b) ** 2) @ x
    return b


def loop_names(program):
    """(those in front of the loop, those in its body)"""
    i, eqn = next((i, e) for i, e in enumerate(program.eqns) if e.prim.name in ("scan", "while"))
    return names(program)[:i], [n for p in eqn.prim.programs(eqn.params) for n in names(p)]


@pytest.mark.parametrize("transposed", [False, True])
def test_a_matrix_of_few_columns_is_transposed_once_in_front_of_a_loop(transposed):
    program, values = program_of(lambda x, b: descent(x, b, transposed), TALL, np.ones(5))
    made = passes.optimize(program)
    ir.check(made)
    before, body = loop_names(made)
    assert before.count("stored") == 1 and "transpose" not in body and body.count("dot_general") == 2
    matrices = [v.aval.shape for e in made.eqns if e.prim.name == "stored" for v in e.outs]
    assert matrices == [(5, 40)]
    close(run_compiled(made, values), [expected(TALL, np.ones(5))], 1e-14)
    assert passes.optimize(made) is made


def test_narrow_matrices_in_loops_in_loops_and_in_lanes_are_transposed_once():
    stack = np.stack([TALL, 2 * TALL, TALL[::-1]])
    lanes = vmap(lambda x: fori_loop(0, 2, lambda _, b: descent(x, b), np.ones(5)))
    program, values = program_of(lanes, stack)
    made = passes.optimize(program)
    before, body = loop_names(made)
    assert before.count("stored") == 1 and "stored" not in str(body)
    close(run_compiled(made, values), plain(program, values), 1e-13)


@pytest.mark.parametrize("shape", [(6, 5), (400, 1), (4000, 65), (400, 32), (2 ** 22, 3)])
def test_other_matrices_stay_as_they_are(shape):
    program = make_jaxpr(descent)(ShapeDtype(shape, np.float64), ShapeDtype(shape[1:], np.float64))
    assert "stored" not in str(passes.optimize(program))


def test_a_matrix_that_changes_stays_as_it_is():
    step = lambda _, s: (s[0] * 0.5, s[1] + 1e-3 * (s[0] @ s[1])[:5])
    program, values = program_of(lambda x, b: fori_loop(0, 2, step, (x, b))[1], TALL, np.ones(5))
    made = passes.optimize(program)
    assert "stored" not in str(made)
    close(run_compiled(made, values), plain(program, values), 1e-14)


def test_numbers_are_folded():
    program = make_jaxpr(lambda x: x)(1.0)
    x = program.invars[0]
    sin, add = [make_jaxpr(f)(1.0, 2.0).eqns[0].prim for f in (lambda x, y: cnp.sin(x), lambda x, y: x + y)]
    a, b, c = (ir.Var(x.aval) for _ in range(3))
    program = ir.Jaxpr([x], [ir.Eqn(sin, [ir.Literal(2.0)], {}, [a]), ir.Eqn(add, [a, ir.Literal(1.0)], {}, [b]),
                             ir.Eqn(add, [b, x], {}, [c])], [c, b])
    made = passes.fold(program)
    ir.check(made)
    assert names(made) == ["add"] and made.eqns[0].inputs[0].value == np.sin(2.0) + 1 == made.outs[1].value


def test_a_branch_that_is_known_is_inlined():
    program = make_jaxpr(lambda i, x: switch(i, [cnp.sin, cnp.cos], x))(1, 2.0)
    (eqn,) = [e for e in program.eqns if e.prim.name == "switch"]
    known = ir.Jaxpr(program.invars, [ir.Eqn(eqn.prim, [ir.Literal(np.int32(7)), *eqn.inputs[1:]], eqn.params,
                                            eqn.outs)], eqn.outs)
    assert names(passes.inline(known)) == ["cos"]


def test_calls_are_inlined():
    inner = jit(lambda x: cnp.sin(x) * x)
    made = after(passes.inline, lambda x: inner(x) + inner(x), 2.0)
    assert names(made) == ["sin", "mul", "sin", "mul", "add"]
    assert names(passes.optimize(made)) == ["sin", "mul", "add"]


@pytest.mark.parametrize("f,left", [
    (lambda x: x * 1.0, []), (lambda x: 1.0 * x, []), (lambda x: x / 1.0, []), (lambda x: x - 0.0, []),
    (lambda x: x + 0.0, ["add"]), (lambda x: x - MINUS_ZERO, ["sub"]), (lambda x: x * 2.0, ["mul"]),
    (lambda x: cnp.negative(-x), []),
    (lambda x: x.T.T, []), (lambda x: x.reshape(6).reshape(3, 2), ["reshape"]),
    (lambda x: x.reshape(6).reshape(2, 3), []),
    (lambda x: cnp.transpose(cnp.transpose(x[None], (1, 2, 0)), (2, 1, 0)), ["reshape", "transpose"]),
    (lambda x: x[0] * cnp.ones((2, 3)), ["full", "slice", "reshape", "mul"]),
], ids=range(13))
def test_what_does_nothing_goes(f, left):
    made = passes.dead_code(after(passes.simplify, f, np.array([[-0.0, 1.0, np.inf], [2.0, -3.0, 0.0]])))
    assert sorted(names(made)) == sorted(left)


def test_integers_lose_an_added_zero():
    assert names(after(passes.simplify, lambda n: (n + 0) * 1, 3)) == []


def hidden(f):
    """f, staged as a whole: nothing in it is computed outside of the loop around it while tracing."""
    return jit(lambda *args: f(*args))


def hoist_inlined(program):
    return passes.hoist(passes.inline(program))


@pytest.mark.parametrize("loop", [
    lambda f, x: scan(lambda c, _: (f(c), None), x, None, length=3)[0],
    lambda f, x: while_loop(lambda c: c[1] < 3, lambda c: (f(c[0]), c[1] + 1), (x, 0))[0],
], ids=["scan", "while"])
def test_loops_in_a_row_that_hand_on_one_value(loop):
    """The second loop's start is a carry of the first that went: what stands for it must itself be looked up."""
    same = lambda c: c

    def f(x):
        return loop(same, loop(same, loop(same, x))) * 2.0
    after(hoist_inlined, f, 1.5)                         # checked, and evaluated
    assert float(jit(f)(1.5)) == 3.0


def test_what_a_loop_computes_anew_moves_out():
    step = hidden(lambda c, x: c * cnp.exp(x) + cnp.sin(cnp.exp(x) + 1))
    made = after(hoist_inlined, lambda x: scan(lambda c, r: (step(c, x), r), x, W), 0.3)
    assert names(made) == ["exp", "exp", "add", "sin", ["scan", ["mul", "add"]]]
    assert names(passes.optimize(made)) == ["exp", "add", "sin", ["scan", ["mul", "add"]]]
    less, grow = hidden(lambda v, x: v < cnp.exp(x)), hidden(lambda v, x: v * cnp.sqrt(x))
    made = after(hoist_inlined, lambda x: while_loop(lambda v: less(v, x), lambda v: grow(v, x), 1.1), 3.0)
    assert names(made) == ["exp", "sqrt", ["while", ["less"], ["mul"]]]


def test_it_moves_out_of_two_loops():
    step = hidden(lambda c, x: c * cnp.exp(x))

    def f(x):
        def outer(c, _):
            return scan(lambda d, _: (step(d, x), None), c, None, length=2)[0], None
        return scan(outer, x, None, length=2)[0]
    assert names(after(hoist_inlined, f, 0.1)) == ["exp", ["scan", [["scan", ["mul"]]]]]


def test_what_is_cheap_to_make_stays_in_the_loop():
    step = hidden(lambda c, x: c + cnp.broadcast_to(x, (3,)))
    made = after(hoist_inlined, lambda x: scan(lambda c, _: (step(c, x), None), POINT, None, length=2)[0], 1.0)
    assert names(made) == [["scan", ["broadcast", "add"]]]
    step = hidden(lambda c, x: c + cnp.exp(cnp.broadcast_to(x, (3,))) * cnp.broadcast_to(x, (3,))[0] + cnp.full(3, x))
    made = passes.optimize(make_jaxpr(lambda x: scan(lambda c, _: (step(c, x), None), POINT, None, length=2)[0])(1.0))
    assert names(made)[-1] == ["scan", ["broadcast", "add", "add"]]


def test_what_is_equal_in_all_steps_is_not_stacked():
    made = after(passes.hoist, lambda x: scan(lambda c, r: (c * r, (x, 2.0, c)), 1.0, W)[1], 1.5)
    (loop,) = [e for e in made.eqns if e.prim.name == "scan"]
    assert names(made) == ["broadcast", "broadcast", ["scan", ["mul"]]] and len(loop.outs) == 2
    rows = cnp.full((3, 2), 2.0), cnp.zeros(3)
    made = after(passes.hoist, lambda x: scan(lambda c, r: (c * r[0] + r[1], c), x, rows), np.ones(2))
    (loop,) = [e for e in made.eqns if e.prim.name == "scan"]
    assert (loop.params["n_consts"], len(loop.params["jaxpr"].invars)) == (2, 3)
    assert [e.outs[0].aval.shape for e in made.eqns if e.prim.name == "full" and e.outs[0].aval.shape != (3,)]


def test_reverse_mode_reads_what_is_equal_in_all_steps_as_a_constant():
    step = hidden(lambda c, x: cnp.sin(c) * cnp.exp(cnp.broadcast_to(x, (40,))))
    f = grad(lambda x: scan(lambda c, _: (step(c, x), None), cnp.ones(40), None, length=7)[0].sum())
    program, values = program_of(f, 0.1)
    made = passes.optimize(program)
    ir.check(made)
    close(plain(made, values), plain(program, values), 1e-13)

    def stacked(p):
        return sum(v.aval.size for e in p.eqns if e.prim.name == "scan" for v in e.outs if v.aval.shape[:1] == (7,))
    assert stacked(program) >= 3 * 7 * 40 and stacked(made) == 2 * 7 * 40


def test_a_loop_of_no_steps_is_left_alone():
    step = hidden(lambda c, x: c * cnp.exp(x))
    made = after(hoist_inlined, lambda x: scan(lambda c, r: (step(c, x), r), x, np.ones(0)), 0.3)
    assert names(made) == [["scan", ["exp", "mul"]]]


def test_a_carry_that_never_changes_becomes_a_constant():
    f = lambda x: fori_loop(0, 5, lambda i, s: (s[0] * cnp.exp(s[1]), s[1]), (x, x * 2))
    made = passes.optimize(make_jaxpr(f)(0.1))
    (loop,) = [e for e in made.eqns if e.prim.name == "scan"]
    assert [e.prim.name for e in made.eqns] == ["mul", "exp", "scan"] and loop.params["n_carry"] == 1
    made = after(passes.hoist, lambda x: while_loop(lambda s: s[0] < s[1], lambda s: (s[0] * 2, s[1]), (x, x + 9)), 1.0)
    assert made.eqns[-1].params["n_body"] == 1 and made.eqns[-1].params["n_cond"] == 1 and len(made.eqns[-1].outs) == 1


@pytest.mark.parametrize("f,expected", [
    (lambda x: scan(lambda c, r: ((c[0] * r, cnp.sin(c[1])), cnp.exp(c[1])), (x, x), W)[0][0], ["mul"]),
    (lambda x: scan(lambda c, r: ((c[0] * c[1], cnp.sin(c[1])), cnp.exp(r)), (x, x), W)[0][0], ["mul", "sin"]),
    (lambda x: scan(lambda c, r: (cnp.cos(c), r * x), x, W)[1], ["mul"]),
    (lambda x: while_loop(lambda s: s[0] < 9, lambda s: (s[0] * 2, cnp.sin(s[1])), (x, x))[0], ["less", "mul"]),
    (lambda x: while_loop(lambda s: s[0] < 9, lambda s: (s[0] * 2, cnp.sin(s[1])), (x, x))[1], ["less", "mul", "sin"]),
    (lambda x: cond(x > 0, lambda x: (x * 2, cnp.sin(x)), lambda x: (x * 3, cnp.cos(x)), x)[0],
     ["greater", "convert", "mul", "mul"]),
    (lambda x: jit(lambda x: (x * 2, cnp.sin(x)))(x)[0], ["mul"]),
], ids=["carry and outputs", "a carry that another reads", "carry", "while", "while, read", "cond", "jit"])
def test_what_nothing_uses_goes_through_loops_and_branches(f, expected):
    made = after(passes.dead_code, f, 1.5)
    found = [n for n in str(names(made)).replace("[", "").replace("]", "").replace("'", "").split(", ")
             if n not in ("scan", "while", "switch", "jit")]
    assert sorted(found) == sorted(expected)


def test_unused_inputs_of_loops_and_branches_go():
    def f(x, y):
        return cond(x > 0, lambda a, b: (a, b), lambda a, b: (a * 2, b), x, y)[0]
    made = after(passes.dead_code, f, 1.0, 2.0)
    assert [len(e.inputs) for e in made.eqns if e.prim.name == "switch"] == [2]
    assert len(made.invars) == 2


def test_a_pass_that_finds_nothing_gives_back_the_program():
    program = make_jaxpr(lambda x: scan(lambda c, r: (cnp.sin(c) * r, c), x, W))(1.0)
    assert all(one(program) is program for one in passes.PASSES)


def test_compiled_programs_went_through_the_passes():
    f = jit(lambda x: jit(cnp.sin)(x) + jit(cnp.sin)(x))
    assert f.lower(1.0).as_text().count("stablehlo.sine") == 1
