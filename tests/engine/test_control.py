"""scan, cond, switch, while_loop and fori_loop: equal to Python's loops and branches, under every transformation."""
import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import (
    cond,
    config,
    fori_loop,
    grad,
    jit,
    jvp,
    make_jaxpr,
    scan,
    stats,
    switch,
    tree,
    vjp,
    vmap,
    while_loop,
)
from chainrule.engine.errors import DtypeError, MissingRule, ShapeError, TransformError, TreeError
from tests.engine.laws import close, slope

XS = np.array([0.5, -1.0, 2.0, 0.1])
W = np.array([[0.2, -0.4], [0.9, 0.3]])


def python_scan(f, carry, xs, reverse=False):
    ys = [None] * len(xs)
    for i in (range(len(xs))[::-1] if reverse else range(len(xs))):
        carry, ys[i] = f(carry, xs[i])
    return carry, np.stack([np.asarray(y) for y in ys])


def step(c, x):
    return cnp.tanh(W @ c) * x, c[0] * x


# ---- scan ----

@pytest.mark.parametrize("reverse", [False, True])
def test_scan_is_a_python_loop(reverse):
    start = np.array([0.3, 0.7])
    for run in (scan, jit(scan, static_argnums=0, static_argnames="reverse")):
        close(run(step, start, XS, reverse=reverse), python_scan(step, start, XS, reverse), 1e-13)
    with config(disable_jit=True):
        close(scan(step, start, XS, reverse=reverse), python_scan(step, start, XS, reverse), 1e-13)


@pytest.mark.parametrize("reverse", [False, True])
def test_the_derivatives_of_a_scan_are_those_of_the_python_loop(reverse):
    def f(start, xs, run):
        c, ys = run(step, start, xs, reverse=reverse)
        return (c ** 2).sum() + (ys * XS).sum()

    def unrolled(body, c, xs, reverse):
        ys = [None] * 4
        for i in (range(4)[::-1] if reverse else range(4)):
            c, ys[i] = body(c, xs[i])
        return c, cnp.stack(ys)
    start = np.array([0.3, 0.7])
    expected = grad(f, (0, 1))(start, XS, unrolled)
    close(grad(f, (0, 1))(start, XS, scan), expected, 1e-12)
    close(jit(grad(lambda a, b: f(a, b, scan), (0, 1)))(start, XS), expected, 1e-12)
    found = grad(lambda a: (grad(f)(a, XS, scan) * W[0]).sum())(start)
    close(found, grad(lambda a: (grad(f)(a, XS, unrolled) * W[0]).sum())(start), 1e-11)


def test_the_ys_of_a_reverse_scan_stay_in_the_order_of_the_xs():
    _, ys = scan(lambda c, x: (c + x, c), 0.0, np.array([1.0, 2.0, 3.0]), reverse=True)
    assert ys.tolist() == [5.0, 3.0, 0.0]


def test_scan_takes_and_gives_trees_and_none():
    def body(c, x):
        return {"a": c["a"] + x["u"], "n": c["n"] + 1}, (x["v"] * c["a"], None)
    carry, (ys, none) = scan(body, {"a": 0.0, "n": 0}, {"u": XS, "v": np.ones((4, 2))})
    assert int(carry["n"]) == 4 and ys.shape == (4, 2) and none is None
    close(carry["a"], XS.sum())
    assert scan(lambda c, _: (c * 2, None), 1, None, length=5)[0].tolist() == 32
    assert scan(lambda c, x: (c, c), (), np.zeros(3)) == ((), ())


def test_a_scan_of_no_steps_gives_its_start():
    c, ys = scan(step, np.array([0.3, 0.7]), np.zeros(0))
    assert c.tolist() == [0.3, 0.7] and ys.shape == (0,)
    close(grad(lambda s: scan(step, s, np.zeros(0))[0].sum())(np.ones(2)), np.ones(2))


def test_python_scalars_of_a_carry_take_the_type_of_the_body():
    c, _ = scan(lambda c, x: (c + x, None), 0, XS)
    assert c.dtype == np.float64
    assert while_loop(lambda c: c < 3, lambda c: c + 0.5, 0).dtype == np.float64


def test_scan_traces_its_body_a_fixed_number_of_times_and_compiles_once():
    calls = []

    def body(c, x):
        calls.append(1)
        return c * x, c

    def f(xs):
        return scan(body, 1.0, xs)[0]
    g = jit(f)
    g(np.ones(1000))
    assert len(calls) == 1
    before = stats().compilations
    g(np.zeros(1000))
    assert stats().compilations == before and len(calls) == 1


def test_the_program_of_a_scan_does_not_grow_with_its_length():
    def size(n):
        return len(str(make_jaxpr(grad(lambda s: scan(step, s, cnp.ones(n))[0].sum()))(np.ones(2))))
    assert abs(size(10) - size(1000)) < 100


def test_a_carry_of_a_scan_that_gets_its_tangent_only_on_the_third_pass():
    def f(x):
        return scan(lambda c, _: ((c[1], c[2], c[2] * 0.5 + x), c[0]), (0.0, 0.0, 0.0), None, length=6)
    for which in range(2):
        def g(x, which=which):
            return f(x)[which] if which else f(x)[0][0]
        close(jvp(g, (1.5,), (1.0,))[1], slope(g, [1.5], [1.0])[0], 1e-9)
        close(vjp(g, 1.5)[1](np.ones(np.shape(g(1.5))))[0], np.sum(slope(g, [1.5], [1.0])[0]), 1e-9)


def test_integers_and_keys_in_a_carry_do_not_stop_the_derivative():
    def f(x):
        return scan(lambda c, i: ((c[0] * x + i, c[1] + i, ~c[2]), c[1]), (0.0, 0, True), cnp.arange(4))[0][0]
    close(grad(f)(1.5), slope(f, [1.5], [1.0])[0], 1e-9)


def test_nested_scans_capture_at_both_levels_in_grad():
    def f(a, b):
        def outer(c, x):
            return scan(lambda d, y: (d * a + y * b * x, None), c, XS)[0] * b, c
        c, ys = scan(outer, 0.2, XS)
        return c + (ys * a).sum()
    for k, t in enumerate([(1.0, 0.0), (0.0, 1.0)]):
        expected = slope(f, [0.4, 0.6], t)[0]
        close(grad(f, k)(0.4, 0.6), expected, 1e-9)
        close(jit(grad(f, k))(0.4, 0.6), expected, 1e-9)
        close(vmap(grad(f, k), (0, None))(np.array([0.4, 0.4]), 0.6), np.stack([expected] * 2), 1e-9)


@pytest.mark.parametrize("call,error,words", [
    (lambda: scan(lambda c, x: (c, x), 0.0, (np.ones(3), np.ones(4))), ShapeError, r"xs\[0\]': 3.*xs\[1\]': 4"),
    (lambda: scan(lambda c, x: (c, x), 0.0, np.ones(3), length=4), ShapeError, "length': 4"),
    (lambda: scan(lambda c, x: (c, x), 0.0, {"a": 1.0}), ShapeError, r"xs\['a'\] is a scalar"),
    (lambda: scan(lambda c, x: (c, x), 0.0), ShapeError, "needs xs or a length"),
    (lambda: scan(lambda c, x: ((c, c), x), 0.0, XS), TreeError, "same structure"),
    (lambda: scan(lambda c, x: (cnp.stack([c, c]), x), np.zeros(()), XS), DtypeError, r"f64\[\] and returns f64\[2\]"),
    (lambda: scan(lambda c, x: ({"a": c["a"] + x}, x), {"a": np.zeros(1, int)}, XS), DtypeError,
     r"at \['a'\]: it got i64\[1\]"),
    (lambda: while_loop(lambda c: c, lambda c: c, 1.0), DtypeError, r"one bool; it gave f64\[\]"),
    (lambda: while_loop(lambda c: c > 0, lambda c: c, np.ones(2)), DtypeError, r"bool\[2\]"),
    (lambda: while_loop(lambda c: c[0] > 0, lambda c: c[0], (1.0,)), TreeError, "same structure"),
    (lambda: jit(lambda p: cond(p, lambda: 1.0, lambda: (1.0, 2.0)))(True), TreeError, "different structure"),
    (lambda: jit(lambda p: cond(p, lambda: cnp.ones(2), lambda: cnp.ones(3)))(True), DtypeError,
     r"f64\[3\] and f64\[2\]"),
    (lambda: cond(np.array([True, False]), lambda: 1, lambda: 2), DtypeError, "scalar condition"),
    (lambda: switch(1.5, [lambda: 1, lambda: 2]), DtypeError, "integer index"),
])
def test_programs_that_do_not_fit_are_explained(call, error, words):
    with pytest.raises(error, match=words):
        call()


# ---- cond and switch ----

def test_only_the_chosen_branch_runs():
    def f(p, x):
        return cond(p, lambda v: while_loop(lambda s: s < 100, lambda s: s * 2, v), lambda v: v, x)
    assert float(jit(f)(False, -1.0)) == -1.0            # the other branch would never end


def test_a_known_condition_stages_nothing():
    assert "switch" not in str(make_jaxpr(lambda x: cond(True, cnp.sin, cnp.cos, x))(1.0))


@pytest.mark.parametrize("index", [-3, 0, 1, 2, 9])
def test_switch_clips_its_index(index):
    branches = [lambda x: x, lambda x: x * 10, lambda x: x * 100]
    expected = branches[min(max(index, 0), 2)](3.0)
    assert float(switch(index, branches, 3.0)) == float(jit(lambda i: switch(i, branches, 3.0))(index)) == expected
    assert vmap(lambda i: switch(i, branches, 3.0))(np.array([index, index])).tolist() == [expected] * 2


def test_branches_of_different_dtypes_are_promoted():
    out = jit(lambda p: cond(p, lambda: 1, lambda: 2.5))(True)
    assert out.dtype == np.float64 and float(out) == 1.0


def test_conditions_may_be_numbers_and_have_no_operands():
    assert float(jit(lambda n: cond(n, lambda: 1.0, lambda: 2.0))(3)) == 1.0
    assert float(jit(lambda n: cond(n, lambda: 1.0, lambda: 2.0))(0)) == 2.0


def test_the_branch_not_taken_does_not_spoil_the_derivative():
    def f(x):
        return cond(x > 0, lambda v: cnp.log(v), lambda v: v * 2.0, x)
    assert float(grad(f)(-1.0)) == 2.0 and float(jit(grad(f))(4.0)) == 0.25
    assert jit(grad(f))(0.0) == 2.0


def test_the_derivative_of_a_branch_runs_one_branch_alone():
    text = str(make_jaxpr(grad(lambda x: cond(x.sum() > 0, lambda v: cnp.sin(v).sum(), lambda v: (v * v).sum(),
                                              x)))(XS))
    assert "switch" in text and "where" not in text


def test_branches_may_differ_in_what_their_derivative_needs():
    def f(i, x, y):
        return switch(i, [lambda: cnp.sin(x) * y, lambda: 1.0, lambda: cnp.exp(x * y) * x])
    for i in range(3):
        expected = slope(lambda x, i=i: f(i, x, 0.7), [0.3], [1.0])[0]
        close(grad(f, 1)(i, 0.3, 0.7), expected, 1e-8)
        close(jit(grad(f, 1))(i, 0.3, 0.7), expected, 1e-8)
        close(jit(lambda i, x: jvp(lambda v: f(i, v, 0.7), (x,), (1.0,))[1])(i, 0.3), expected, 1e-8)
        close(jit(grad(f, (1, 2)))(i, 0.3, 0.7), grad(f, (1, 2))(i, 0.3, 0.7), 1e-14)


# ---- while and fori ----

def collatz(n):
    return while_loop(lambda s: s[0] != 1, lambda s: (cnp.where(s[0] % 2 == 0, s[0] // 2, 3 * s[0] + 1), s[1] + 1),
                      (n, 0))[1]


def test_while_is_a_python_loop():
    assert [int(collatz(n)) for n in (1, 7, 27)] == [0, 16, 111]
    assert jit(vmap(collatz))(np.array([1, 7, 27, 2])).tolist() == [0, 16, 111, 1]


def test_forward_mode_goes_through_a_while_loop():
    def root(a):                                         # Newton's method, until it stands still
        return while_loop(lambda s: cnp.abs(s[0] * s[0] - a) > 1e-12, lambda s: (0.5 * (s[0] + a / s[0]), s[1] + 1),
                          (a, 0))[0]
    close(jvp(root, (2.0,), (1.0,))[1], 0.5 / np.sqrt(2.0), 1e-9)
    close(jit(lambda a: jvp(root, (a,), (1.0,))[1])(2.0), 0.5 / np.sqrt(2.0), 1e-9)


@pytest.mark.parametrize("wrap", [lambda f: f, jit, vmap])
def test_reverse_mode_through_a_while_loop_says_what_to_do(wrap):
    f = grad(lambda x: while_loop(lambda v: v < 10.0, lambda v: v * 2.0, x))
    with pytest.raises((TransformError, MissingRule), match="scan"):
        wrap(f)(np.ones(2) if wrap is vmap else 1.0)


def test_a_while_loop_apart_from_the_argument_does_not_stop_reverse_mode():
    def f(x):
        n = while_loop(lambda v: v < 10.0, lambda v: v * 2.0, 1.0)
        return x * n
    assert float(grad(f)(3.0)) == 16.0 and float(jit(grad(f))(3.0)) == 16.0


@pytest.mark.parametrize("low,high", [(0, 4), (2, 5), (3, 3), (5, 2), (-2, 1)])
def test_fori_is_a_python_loop_with_known_and_traced_bounds(low, high):
    def body(i, c):
        return c * 1.5 + i
    expected = 1.0
    for i in range(low, high):
        expected = body(i, expected)
    assert float(fori_loop(low, high, body, 1.0)) == expected
    assert float(jit(lambda a, b: fori_loop(a, b, body, 1.0))(low, high)) == expected


def test_fori_with_known_bounds_goes_through_grad():
    close(grad(lambda x: fori_loop(0, 4, lambda i, c: c * x + i, 1.0))(1.1), slope(
        lambda x: fori_loop(0, 4, lambda i, c: c * x + i, 1.0), [1.1], [1.0])[0], 1e-9)


def test_loops_of_loops_under_everything():
    def f(x):
        def body(i, c):
            return cond(i % 2 == 0, lambda: scan(lambda d, w: (d * w + x, None), c, XS)[0], lambda: cnp.sin(c))
        return fori_loop(0, 4, body, x)
    expected = slope(f, [0.3], [1.0])[0]
    close([grad(f)(0.3), jit(grad(f))(0.3), vmap(grad(f))(np.array([0.3]))[0], jvp(f, (0.3,), (1.0,))[1]],
          [expected] * 4, 1e-9)
    close(grad(grad(f))(0.3), slope(grad(f), [0.3], [1.0])[0], 1e-7)


def test_a_python_scalar_that_starts_a_loop_takes_the_precision_of_the_data():
    xs = np.ones(3, np.float32)
    total, before = scan(lambda c, x: (c + x, c), 0.0, xs)
    assert total.dtype == before.dtype == np.float32 and total == 3
    assert scan(lambda c, x: (c + x, None), 0, xs)[0].dtype == np.float32
    (a, b), _ = scan(lambda c, x: ((c[0] + x, c[1] + c[0]), None), (0.0, 0.0), xs)
    assert a.dtype == b.dtype == np.float32 and (a, b) == (3, 3)
    assert while_loop(lambda s: s[0] < 3, lambda s: (s[0] + s[1], s[1]), (0.0, xs[0]))[0].dtype == np.float32
    assert fori_loop(0, 3, lambda i, c: c * cnp.asarray(xs)[i], 2.0).dtype == np.float32
    assert jit(lambda x: scan(lambda c, x: (c + x, None), 0.0, x)[0])(xs).dtype == np.float32


def test_a_python_scalar_that_starts_a_loop_and_meets_no_data_has_the_default_precision():
    xs = np.ones(3, np.float32)
    n, last = scan(lambda c, x: ((c[0] + 1, x), None), (0.0, xs[0]), xs)[0]
    assert n.dtype == np.float64 and last.dtype == np.float32
    count, total = scan(lambda c, x: ((c[0] + 1, c[1] + x), None), (0, 0.0), xs)[0]
    assert count.dtype == np.int64 and total.dtype == np.float32
    assert scan(lambda c, x: (c + x, None), 0.0, xs.astype(float))[0].dtype == np.float64


def test_what_a_scan_reads_is_not_stacked_again_for_the_way_back():
    def f(c, xs):
        return scan(lambda c, x: (c * x, None), c, xs)[0]

    program = make_jaxpr(grad(f, argnums=(0, 1)))(2.0, XS)
    forward, backward = [e for e in program.eqns if e.prim.name == "scan"]
    assert [v.aval.shape for v in forward.outs] == [(), XS.shape]          # the carry, and its values at each step
    assert program.invars[1] in backward.inputs                            # xs itself
    for run in (grad(f, argnums=(0, 1)), jit(grad(f, argnums=(0, 1)))):
        close(run(2.0, XS), (np.prod(XS), 2 * np.prod(XS) / XS), 1e-13)


@pytest.mark.parametrize("unroll", [1, 2, 3, 7, 20, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_an_unrolled_scan_is_the_scan(unroll, reverse):
    xs = {"a": np.linspace(0.5, 1.5, 7), "b": np.arange(14.0).reshape(7, 2)}

    def run(k, unroll):
        step = lambda c, x: (cnp.sin(c * x["a"]) + x["b"].sum() * k, {"c": c, "v": c * x["b"]})
        return scan(step, 0.3, xs, reverse=reverse, unroll=unroll)

    for wrap in (lambda f: f, jit):
        want, got = run(0.1, 1), wrap(lambda k: run(k, unroll))(0.1)
        for a, b in zip(tree.leaves(got), tree.leaves(want)):
            np.testing.assert_allclose(a, b, rtol=1e-14)
    slope = lambda u: grad(lambda k: run(k, u)[0])(0.1)
    np.testing.assert_allclose(slope(unroll), slope(1), rtol=1e-12)
    np.testing.assert_allclose(vmap(lambda k: run(k, unroll)[0])(np.ones(2) * 0.1), [run(0.1, 1)[0]] * 2, rtol=1e-14)


def test_a_scan_must_be_unrolled_by_a_positive_number():
    with pytest.raises(ShapeError, match="unroll=0"):
        scan(lambda c, x: (c, x), 0.0, np.ones(3), unroll=0)
