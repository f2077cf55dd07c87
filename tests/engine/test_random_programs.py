"""The laws of the transformations on random programs.

A program is a chain of functions of a vector of three numbers: plain ones, loops, branches, indexing, products with
values closed over, jitted parts. On each, every nesting of {identity, jit, vmap, grad, jvp} to depth 3 equals the plain
computation: first derivatives the finite difference of the plain function, reverse mode equals forward mode at second
order.
"""
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule.engine.numpy as cnp
from chainrule.engine import (
    cond,
    config,
    fori_loop,
    grad,
    ir,
    jit,
    jvp,
    make_jaxpr,
    scan,
    switch,
    tree,
    vjp,
    vmap,
    while_loop,
)
from tests.engine.laws import close, direction, slope

A = np.random.default_rng(1).normal(size=(3, 3)) / 2
W = np.array([0.5, -0.3, 0.8])
INDEX = np.array([2, 0, 1])

POOL = {
    "sin": cnp.sin,
    "tanh": lambda x: cnp.tanh(x) + x * 0.5,
    "product": lambda x: A @ x,
    "softmax": lambda x: cnp.exp(x - cnp.max(x)) / cnp.sum(cnp.exp(x - cnp.max(x))),
    "gather": lambda x: x[INDEX] * W,
    "update": lambda x: cnp.asarray(x).at[INDEX[:2]].add(x[1:] * 0.3),
    "stack": lambda x: cnp.stack([x[0] * x[1], cnp.sum(x), cnp.sin(x[2])]),
    "where": lambda x: cnp.where(x > 0.1, x * x, cnp.cos(x)),
    "sort": lambda x: cnp.sort(x) * W,
    "cumsum": lambda x: cnp.cumsum(x) / 3,
    "jit": jit(lambda x: cnp.sin(x) * W),
    "jit of a closure": lambda x: jit(lambda y: y * x + cnp.cos(x))(x * 0.5),
    "scan": lambda x: scan(lambda c, r: (cnp.sin(c + r), c * W), x, cnp.stack([x, W]))[0],
    "scan of a closure": lambda x: scan(lambda c, r: (c * 0.7 + r * cnp.cos(x), cnp.sum(c * x)), W, x)[1],
    "reverse scan": lambda x: scan(lambda c, r: (c * r + 0.1, c), 1.0, x, reverse=True)[1],
    "scan in scan": lambda x: scan(lambda c, r: (c + scan(lambda d, s: (d * 0.5 + s * r, d), c * x, x)[0] * 0.3,
                                                 c.sum()), x, W)[1],
    "cond": lambda x: cond(cnp.sum(x) > 0.2, lambda y: y * x, lambda y: cnp.sin(y) + W, x),
    "switch": lambda x: switch(cnp.argmax(x), [cnp.sin, lambda y: y * x, lambda y: A @ y], x),
    "while": lambda x: while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, cnp.sin(s[1]) + x * 0.2), (0, x))[1],
    "while on values": lambda x: while_loop(lambda v: cnp.sum(v * v) > 0.4, lambda v: v * 0.6, x + W),
    "fori": lambda x: fori_loop(0, 3, lambda i, c: c * 0.5 + cnp.cos(x * i), x),
    "inner grad": lambda x: grad(lambda y: cnp.sum(cnp.sin(y) * x * y))(x * 0.5),
    "inner vmap": lambda x: vmap(lambda a, b: a * b + cnp.sum(x))(x, W),
    "inner jvp": lambda x: jvp(lambda y: cnp.tanh(y * x), (x,), (W,))[1],
}
NO_REVERSE = {"while", "while on values"}
POINT = np.array([0.4, -0.7, 1.1])
KINDS = ("identity", "jit", "vmap", "derivative")
NESTINGS = list(itertools.product(KINDS, repeat=3))


def chain(names):
    def program(x):
        for name in names:
            x = POOL[name](x)
        return x
    return program


def scalar(names):
    program = chain(names)
    return lambda x: cnp.sum(program(x) * W)


def transformed(f, nesting, reverse):
    """f under the transformations, innermost first, and the order of the derivative that it is."""
    order = 0
    for kind in nesting:
        if kind == "jit":
            f = jit(f)
        elif kind == "vmap":
            f = (lambda g: lambda x: vmap(g)(cnp.stack([x, x * 0.9, x]))[0])(f)
        elif kind == "derivative" and reverse:
            f = (lambda g: lambda x: cnp.sum(grad(g)(x) * W))(f)
            order += 1
        elif kind == "derivative":
            f = (lambda g: lambda x: jvp(g, (x,), (W,))[1])(f)
            order += 1
    return f, order


def expected(f, order):
    """The plain derivative along W: finite difference of the first, and nested forward mode beyond."""
    if order == 0:
        return f(POINT)
    if order == 1:
        return slope(f, [POINT], [W], 1e-4)[0]
    for _ in range(order):
        f = (lambda g: lambda x: jvp(g, (x,), (W,))[1])(f)
    return f(POINT)


def check(names, nesting):
    f = scalar(names)
    reverse = not NO_REVERSE & set(names)
    for mode in {reverse, False}:
        g, order = transformed(f, nesting, mode)
        close(g(POINT), expected(f, order), 1e-7, f"{names} under {nesting}, {'reverse' if mode else 'forward'}")


@pytest.mark.parametrize("name", POOL)
@pytest.mark.parametrize("outer", KINDS)
def test_every_function_under_every_pair(name, outer):
    for inner in KINDS:
        check([name], (inner, outer))


@settings(max_examples=60)
@given(st.lists(st.sampled_from(sorted(POOL)), min_size=1, max_size=3), st.sampled_from(NESTINGS))
def test_random_programs_under_random_nestings_of_three(names, nesting):
    check(names, nesting)


@pytest.mark.parametrize("nesting", NESTINGS, ids="-".join)
def test_one_program_with_everything_under_every_nesting_of_three(nesting):
    check(["jit of a closure", "cond", "scan of a closure"], nesting)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(sorted(set(POOL) - NO_REVERSE)), min_size=1, max_size=3))
def test_reverse_mode_is_the_transpose_of_forward_mode(names):
    f = chain(names)
    t, c = direction(1, POINT), direction(2, POINT)
    y, pushed = jvp(f, (POINT,), (t,))
    value, pull = vjp(f, POINT)
    close(value, y, 1e-14)
    (pulled,) = pull(c)
    assert abs(float(cnp.sum(pushed * c))
               - float(cnp.sum(pulled * t))) <= 1e-12 * float(cnp.sum(cnp.abs(pushed * c))) + 1e-15


@settings(max_examples=30)
@given(st.lists(st.sampled_from(sorted(POOL)), min_size=1, max_size=3))
def test_programs_are_well_formed_and_compiled_ones_equal_plain_numpy(names):
    f = chain(names)
    with config(disable_jit=True):
        plain = np.asarray(f(POINT))
    close(jit(f)(POINT), plain, 1e-12)
    with config(check_programs=True):
        program = make_jaxpr(lambda x: f(x))(POINT)
        ir.check(program)
        ir.check(make_jaxpr(vmap(f))(np.stack([POINT, W])))
        ir.check(make_jaxpr(lambda x, t: jvp(f, (x,), (t,)))(POINT, W))
    assert tree.structure(f(POINT)) == tree.structure(POINT)
