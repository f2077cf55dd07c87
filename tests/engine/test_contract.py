"""Every promise of the engine, on every row of the case tables.

Tolerances: results are compared in units in the last place of the largest element (`Case.ulps`, 8 unless a row
says otherwise); derivatives with finite differences of fourth order to 1e-7, second derivatives to 1e-6.
"""
import sys

import numpy as np
import pytest

from chainrule.engine import config, grad, ir, jit, jvp, make_jaxpr, vjp, vmap
from chainrule.engine.core import REGISTRY, Primitive
from tests.engine.laws import (
    all_cases,
    close,
    differentiable,
    direction,
    leaves,
    of_floats,
    same,
    slope,
    stacked,
    weigh,
)

CASES = all_cases()


def rows(condition=lambda case: True, cases=CASES):
    chosen = [case for case in cases if condition(case)]
    return pytest.mark.parametrize("case", chosen, ids=[case.id for case in chosen])


def loop(f, lanes):
    return stacked([f(*row) for row in zip(*lanes)])


# ---- values and types ----

@rows(lambda case: case.reference is not None)
def test_the_value_is_that_of_the_reference(case):
    args = case.arguments()
    expected = case.reference(*args)
    found = case.fn(*args)
    assert len(leaves(found)) == len(leaves(expected))
    for f, e in zip(leaves(found), leaves(expected)):
        close(f, e, case.ulps * np.finfo(float).eps)


@rows()
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_compiled_plain_and_numpy_evaluation_agree(case, dtype):
    if dtype not in case.dtypes:
        dtype = case.dtypes[0]
    args = case.arguments(dtype)
    plain = case.fn(*args)
    same(jit(case.fn)(*args), plain, case.ulps, "jit")
    with config(disable_jit=True):
        same(case.fn(*args), plain, case.ulps, "NumPy")


@rows()
def test_the_shape_rule_tells_the_truth(case):
    for dtype in case.dtypes:
        args = case.arguments(dtype)
        program = make_jaxpr(case.fn)(*args)
        ir.check(program)
        for results in (case.fn(*args), jit(case.fn)(*args)):
            assert [(v.shape, v.dtype) for v in leaves(results)] == [(a.shape, a.dtype) for a in program.out_avals]


@rows()
def test_a_row_covers_what_it_says(case, monkeypatch):
    seen, bind = set(), Primitive.bind

    def noted(prim, *args, **params):
        seen.add(prim.name)
        return bind(prim, *args, **params)
    monkeypatch.setattr(Primitive, "bind", noted)
    program = make_jaxpr(lambda *args: case.fn(*args))(*case.arguments())
    assert set(case.covered) <= seen | set(names(program))


def names(program):
    """The primitives of a program and of the programs inside it."""
    for eqn in program.eqns:
        yield eqn.prim.name
        for inner in eqn.prim.programs(eqn.params):
            yield from names(inner)


# ---- derivatives ----

@rows(differentiable)
def test_jvp_is_the_finite_difference(case):
    f, xs = of_floats(case)
    for i in [None, *range(len(xs))]:                    # along all arguments at once, and along each
        ts = [direction(i or 0, x) if i in (None, k) else np.zeros(x.shape) for k, x in enumerate(xs)]
        y, t = jvp(f, xs, ts)
        close(y, f(*xs), 1e-14)
        close(t, slope(f, xs, ts), 1e-7, f"argument {i}")


@rows(lambda case: differentiable(case) and case.reverse)
def test_vjp_is_the_transpose_of_jvp(case):
    f, xs = of_floats(case)
    ts = [direction(k, x) for k, x in enumerate(xs)]
    y, t = jvp(f, xs, ts)
    cs = [direction(20 + k, np.asarray(v)) for k, v in enumerate(y)]
    value, pull = vjp(f, *xs)
    close(value, y, 1e-14)
    pulled = pull(cs)
    assert [p.shape for p in leaves(pulled)] == [x.shape for x in xs]
    forward = sum(np.sum(c * v) for c, v in zip(cs, leaves(t)))
    backward = sum(np.sum(p * u) for p, u in zip(leaves(pulled), ts))
    size = sum(np.sum(np.abs(c * v)) for c, v in zip(cs, leaves(t)))
    assert abs(forward - backward) <= 1e-12 * size + 1e-300


@pytest.mark.slow
@rows(lambda case: differentiable(case) and case.reverse)
def test_grad_is_the_same_compiled(case):
    f, xs = of_floats(case)
    g = grad(lambda *a: weigh(f(*a)), argnums=tuple(range(len(xs))))
    expected = g(*xs)
    close(jit(g)(*xs), expected, 1e-12, "jit(grad)")
    close(grad(jit(lambda *a: weigh(f(*a))), argnums=tuple(range(len(xs))))(*xs), expected, 1e-12, "grad(jit)")


@rows(lambda case: differentiable(case) and case.reverse and "float32" in case.dtypes)
def test_float32_gradients_are_those_of_float64(case):
    places = tuple(case.floating())
    g = grad(lambda *a: weigh(case.fn(*a)), argnums=places)
    narrow, wide = g(*case.arguments("float32")), g(*[a.astype("float64") if a.dtype.kind == "f" else a
                                                      for a in case.arguments("float32")])
    assert all(v.dtype == np.float32 for v in leaves(narrow))
    close(narrow, wide, 1e-4)


@rows(lambda case: case.order >= 2 and case.floating() and case.reverse)
def test_the_second_derivative_is_the_finite_difference_of_the_first(case):
    f, xs = of_floats(case)
    g = grad(lambda *a: weigh(f(*a)), argnums=tuple(range(len(xs))))
    ts = [direction(k, x) for k, x in enumerate(xs)]
    expected = slope(g, xs, ts)
    close(jvp(g, xs, ts)[1], expected, 1e-6, "forward over reverse")
    ws = [direction(40 + k, x) for k, x in enumerate(xs)]

    def along(*a):
        return sum([(d * w).sum() for d, w in zip(g(*a), ws)], 0.0)
    found = grad(along, argnums=tuple(range(len(xs))))(*xs)
    total = sum(np.sum(v * t) for v, t in zip(leaves(found), ts))
    size = sum(np.sum(np.abs(v * t)) for v, t in zip(leaves(found), ts))
    assert abs(total - sum(np.sum(e * w) for e, w in zip(expected, ws))) <= 1e-6 * size + 1e-9, "reverse over reverse"


@rows(lambda case: case.order >= 2 and case.floating() and not case.reverse)
def test_the_second_forward_derivative_is_the_finite_difference_of_the_first(case):
    f, xs = of_floats(case)
    ts = [direction(k, x) for k, x in enumerate(xs)]

    def first(*a):
        return jvp(f, a, ts)[1]
    close(jvp(first, xs, ts)[1], slope(first, xs, ts), 1e-6)


# ---- vmap ----

@rows(lambda case: case.batch)
def test_vmap_is_a_loop(case):
    args = case.arguments()
    for position in [None, *range(len(args))]:           # all arguments together, and each alone
        mine = [position in (None, k) for k in range(len(args))]
        batched = [case.lanes(k) if m else a for k, (a, m) in enumerate(zip(args, mine))]
        expected = loop(case.fn, [b if m else [b] * 3 for b, m in zip(batched, mine)])
        axes = tuple(0 if m else None for m in mine)
        same(vmap(case.fn, axes)(*batched), expected, 2 * case.ulps, f"argument {position}")


@pytest.mark.slow
@rows(lambda case: case.batch)
def test_vmap_commutes_with_jit(case):
    batched = [case.lanes(k) for k in range(len(case.arguments()))]
    plain = vmap(case.fn)(*batched)
    same(jit(vmap(case.fn))(*batched), plain, 2 * case.ulps, "jit(vmap)")
    same(vmap(jit(case.fn))(*batched), plain, 2 * case.ulps, "vmap(jit)")


@pytest.mark.slow
@rows(lambda case: case.batch and differentiable(case))
def test_vmap_of_the_derivative_is_a_loop(case):
    f, xs = of_floats(case)
    places = case.floating()
    lanes = [case.lanes(i) for i in places]

    def derivative(*a):
        if case.reverse:
            return grad(lambda *b: weigh(f(*b)), argnums=tuple(range(len(xs))))(*a)
        return jvp(f, a, [direction(k, x) for k, x in enumerate(xs)])[1]
    close(vmap(derivative)(*lanes), loop(derivative, lanes), 1e-12, "vmap of the derivative")

    def pushed(*a):
        return jvp(vmap(f), a, [direction(k, x) for k, x in enumerate(lanes)])[1]
    ts = [direction(k, x) for k, x in enumerate(lanes)]
    close(pushed(*lanes), stacked([jvp(f, [v[b] for v in lanes], [t[b] for t in ts])[1] for b in range(3)]), 1e-12,
          "the derivative of vmap")


# ---- programs ----

@rows()
def test_transformed_programs_are_well_formed(case):
    f, xs = of_floats(case)
    args = case.arguments()
    programs = [make_jaxpr(lambda *a: case.fn(*a))(*args)]
    with config(check_programs=True):
        if case.batch:
            programs.append(make_jaxpr(vmap(case.fn))(*[case.lanes(k) for k in range(len(args))]))
        if differentiable(case):
            programs.append(make_jaxpr(lambda a, t: jvp(f, a, t))(xs, xs))
        if differentiable(case) and case.reverse:
            cs = [np.ones(leaf.shape) for leaf in f(*xs)]
            programs.append(make_jaxpr(lambda a, c: vjp(f, *a)[1](c))(xs, cs))
    for program in programs:
        ir.check(program)
        assert str(program).startswith("{ lambda")


# ---- completeness ----

def engine_primitives():
    """The primitives that the modules of the engine define, by name."""
    modules = [m for name, m in sys.modules.items() if name.startswith("chainrule.engine")]
    return {p.name for m in modules for p in vars(m).values() if isinstance(p, Primitive)}


def test_no_primitive_is_without_a_case():
    assert engine_primitives() - {name for case in CASES for name in case.covered} == set()


def test_no_case_is_for_a_primitive_that_does_not_exist():
    assert {name for case in CASES for name in case.covered} <= set(REGISTRY)


def test_case_names_differ():
    ids = [case.id for case in CASES]
    assert {i for i in ids if ids.count(i) > 1} == set()
