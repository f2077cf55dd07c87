"""The laws of the transformations on random programs.

A program is a function of a vector of three numbers. Two generators make them: chains of functions of a pool (plain
ones, loops, branches, indexing, products with values closed over, jitted parts), and trees that nest scan, cond, while,
fori, jit, checkpoint, custom_jvp and vmap in one another around some twenty operations. On them: jit is eager, vmap is
a loop, jvp is a finite difference, vjp is the transpose of jvp, grad of grad is jvp of jvp, checkpoint changes no
value, and what each transformation makes passes the checker. Every nesting of {identity, jit, vmap, grad, jvp} to
depth 3 equals the plain computation; and each single, pair and triple of {jit, vmap, grad, jvp, checkpoint, scan}
gives the derivatives of a function whose Taylor series plain NumPy knows.
"""
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule.engine.numpy as cnp
from chainrule.engine import (
    checkpoint,
    cond,
    config,
    custom_jvp,
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


def ruled(f):
    """f with a derivative given by hand: its own, so that the laws hold."""
    whole = custom_jvp(f)
    whole.defjvp(lambda xs, ts: jvp(f, xs, ts))
    return whole


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
    "custom rule": lambda x: ruled(lambda y: cnp.sin(y) * y)(x),
    "checkpoint of a closure": lambda x: checkpoint(lambda y: cnp.tanh(y * x) + cnp.cos(y))(x * 0.5),
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
        compiled = (inner, outer) in (("identity", "jit"), ("jit", "vmap"), ("jit", "derivative"))
        with config() if compiled else without_compiling():
            check([name], (inner, outer))


@settings(max_examples=15)
@given(st.lists(st.sampled_from(sorted(POOL)), min_size=1, max_size=3), st.sampled_from(NESTINGS))
def test_random_programs_under_random_nestings_of_three(names, nesting):
    check(names, nesting)


@pytest.mark.parametrize("nesting", NESTINGS[::5], ids="-".join)
def test_one_program_with_everything_under_nestings_of_three(nesting):
    check(["jit of a closure", "cond", "scan of a closure"], nesting)


@settings(max_examples=15)
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


@settings(max_examples=12)
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


# ---- trees of control flow around operations ----

OPERATIONS = {
    "sin": cnp.sin,
    "tanh": cnp.tanh,
    "exp": lambda x: cnp.exp(-x * x),
    "log": lambda x: cnp.log(1.5 + x * x),
    "sqrt": lambda x: cnp.sqrt(1.0 + x * x),
    "logistic": lambda x: 1 / (1 + cnp.exp(-x)),
    "power": lambda x: (x * x + 0.5) ** 1.5 * 0.3,
    "divide": lambda x: W / (2.0 + x * x),
    "scale": lambda x: x * W - 0.1,
    "dot": lambda x: A @ x,
    "outer": lambda x: (x[:, None] * x[None, :]) @ W * 0.5,
    "sum": lambda x: x - cnp.sum(x) / 3,
    "prod": lambda x: W * cnp.prod(x * 0.8),
    "max": lambda x: x * 0.5 + cnp.max(x),
    "logsumexp": lambda x: x - cnp.log(cnp.sum(cnp.exp(x))),
    "cumsum": lambda x: cnp.cumsum(x) / 3,
    "reverse": lambda x: x[::-1] * 0.9,
    "gather": lambda x: x[INDEX],
    "add at": lambda x: cnp.asarray(x).at[0].add(x[1] * x[2]),
    "concatenate": lambda x: cnp.concatenate([x[1:], x[:1] * x[2:]]),
    "where": lambda x: cnp.where(x > 0.15, x, x * 0.3),
    "transpose": lambda x: (A * x).T @ W,
}
NEST = {
    "chain": lambda f, g: lambda x: g(f(x)),
    "add": lambda f, g: lambda x: f(x) * 0.6 + g(x),
    "scan": lambda f, g: lambda x: scan(lambda c, r: (f(c) + r * 0.3, g(c)), x, cnp.stack([x, W]))[1][1],
    "scan back": lambda f, g: lambda x: scan(lambda c, r: (f(c * 0.5) + g(x) * r, None), x, x, reverse=True)[0],
    "cond": lambda f, g: lambda x: cond(x[0] > x[1] + 0.05, f, g, x),
    "fori": lambda f, g: lambda x: fori_loop(0, 2, lambda i, c: f(c) + g(x) * i, x * 0.5),
    "jit": lambda f, g: jit(lambda x: f(x) + g(x) * 0.5),
    "checkpoint": lambda f, g: checkpoint(lambda x: f(g(x))),
    "custom_jvp": lambda f, g: ruled(lambda x: f(x) + g(x) * 0.5),
    "vmap": lambda f, g: lambda x: cnp.sum(vmap(lambda r, y: f(y) * r + g(y), (0, None))(x, x), 0) / 3,
    "while": lambda f, g: lambda x: while_loop(lambda s: s[0] < 2, lambda s: (s[0] + 1, f(s[1]) + g(x)), (0, x))[1],
}


def trees(kinds):
    """Nested descriptions: the name of an operation, or (kind of nesting, two inner programs)."""
    return st.recursive(st.sampled_from(sorted(OPERATIONS)),
                        lambda inner: st.tuples(st.sampled_from(sorted(kinds)), inner, inner), max_leaves=5)


ANY, REVERSIBLE = trees(NEST), trees(set(NEST) - {"while"})


def build(spec):
    """The function that a description stands for."""
    if isinstance(spec, str):
        return OPERATIONS[spec]
    kind, *parts = spec
    return NEST[kind](*map(build, parts))


def total(f):
    return lambda x: cnp.sum(f(x) * W)


def without_compiling():
    """Operation by operation in NumPy, with the checker run on every program that is staged."""
    return config(disable_jit=True, check_programs=True)


@settings(max_examples=12)
@given(ANY)
def test_jit_is_eager(spec):
    f = build(spec)
    with without_compiling():
        plain = f(POINT)
    with config(check_programs=True):
        close(jit(f)(POINT), plain, 1e-12, spec)


@settings(max_examples=60)
@given(ANY)
def test_vmap_is_a_loop(spec):
    f, rows = build(spec), np.stack([POINT, W, -POINT])
    with without_compiling():
        close(vmap(f)(rows), np.stack([np.asarray(f(r)) for r in rows]), 1e-12, spec)
        pair = vmap(lambda x, y: f(x) * y, (0, None))(rows, W)
        close(pair, np.stack([np.asarray(f(r)) * W for r in rows]), 1e-12, spec)


@settings(max_examples=60)
@given(ANY)
def test_jvp_is_a_finite_difference(spec):
    f, t = build(spec), direction(3, POINT)
    with without_compiling():
        y, pushed = jvp(f, (POINT,), (t,))
        close(y, f(POINT), 1e-13, spec)
        numeric = slope(f, [POINT], [t], 1e-4)[0]
    np.testing.assert_allclose(pushed, numeric, rtol=1e-7, atol=1e-8, err_msg=str(spec))


@settings(max_examples=60)
@given(REVERSIBLE)
def test_vjp_is_the_transpose_of_jvp(spec):
    f, t, c = build(spec), direction(1, POINT), direction(2, POINT)
    with without_compiling():
        _, pushed = jvp(f, (POINT,), (t,))
        (pulled,) = vjp(f, POINT)[1](c)
    pushed, pulled = np.asarray(pushed), np.asarray(pulled)
    assert abs(pushed @ c - pulled @ t) <= 1e-12 * (np.abs(pushed) @ np.abs(c) + np.abs(pulled) @ np.abs(t)), spec


@settings(max_examples=40)
@given(REVERSIBLE)
def test_grad_of_grad_is_jvp_of_jvp_and_the_slope_of_grad(spec):
    f, t = total(build(spec)), direction(4, POINT)
    with without_compiling():
        twice = grad(lambda x: cnp.sum(grad(f)(x) * t))(POINT)
        numeric = slope(grad(f), [POINT], [t], 1e-4)[0]
        along = jvp(lambda x: jvp(f, (x,), (t,))[1], (POINT,), (t,))[1]
    np.testing.assert_allclose(twice, numeric, rtol=1e-7, atol=1e-7, err_msg=str(spec))
    np.testing.assert_allclose(np.asarray(twice) @ t, along, rtol=1e-10, atol=1e-10, err_msg=str(spec))


@settings(max_examples=40)
@given(REVERSIBLE)
def test_checkpoint_changes_no_value(spec):
    f = total(build(spec))
    again = checkpoint(f)
    with without_compiling():
        assert np.array_equal(np.asarray(again(POINT)), np.asarray(f(POINT))), spec
        close(grad(again)(POINT), grad(f)(POINT), 1e-13, spec)
        close(jvp(again, (POINT,), (W,)), jvp(f, (POINT,), (W,)), 1e-13, spec)
        close(jvp(grad(again), (POINT,), (W,)), jvp(grad(f), (POINT,), (W,)), 1e-12, spec)


@settings(max_examples=40)
@given(REVERSIBLE)
def test_the_checker_passes_after_every_transformation(spec):
    f = total(build(spec))
    rows = np.stack([POINT, W])
    ways = {"plain": f, "grad": grad(f), "jvp": lambda x: jvp(f, (x,), (W,)), "checkpoint": checkpoint(f),
            "vmap": lambda x: vmap(f)(rows * x), "scan": lambda x: scan(lambda c, r: (c + f(r), c), 0.0, rows * x)}
    with config(check_programs=True):
        for way, g in ways.items():
            program = make_jaxpr(g)(POINT)
            ir.check(program)
            assert program.out_avals, way


def test_random_programs_compile_under_grad_vmap_and_scan():
    for spec in [("scan", ("cond", "sin", "dot"), ("jit", "tanh", "where")),
                 ("checkpoint", ("fori", "exp", ("vmap", "dot", "gather")), ("scan back", "tanh", "max")),
                 ("cond", ("custom_jvp", "outer", ("scan", "sin", "cumsum")), "scale")]:
        f, rows = total(build(spec)), np.stack([POINT, W])
        g = lambda x, f=f, rows=rows: scan(lambda c, r: (c + vmap(grad(f))(rows * r), None), rows * 0, x)[0]  # noqa: B023
        with without_compiling():
            plain = g(POINT)
        close(jit(g)(POINT), plain, 1e-12, spec)


# ---- every order of the transformations, to depth three ----

def smooth(x):
    return cnp.sum(cnp.sin(A @ x))


def looped(x):
    """A polynomial of x, by a scan with a branch in it."""
    return scan(lambda c, r: (cond(r > 0, lambda c: c * r + 0.5, lambda c: c * c - r, c), None), x[1] * x[2], x)[0]


def taylor_of_smooth(order):
    """The derivative of `smooth` at POINT along W: sin turns by a quarter for each order."""
    return np.sum((A @ W) ** order * np.sin(A @ POINT + order * np.pi / 2))


def taylor_of_looped(order):
    """The derivative of `looped` at POINT along W: its polynomial in s on the line POINT + s W."""
    line = [np.polynomial.Polynomial([p, w]) for p, w in zip(POINT, W)]
    c = line[1] * line[2]
    for r, p in zip(line, POINT):
        c = c * r + 0.5 if p > 0 else c * c - r
    return (c.deriv(order) if order else c)(0.0)


ORDERS = {"grad": lambda g: lambda x: cnp.sum(grad(g)(x) * W), "jvp": lambda g: lambda x: jvp(g, (x,), (W,))[1]}
WAYS = {
    "jit": jit,
    "vmap": lambda g: lambda x: vmap(g)(cnp.stack([x * 0.9, x]))[1],
    **ORDERS,
    "checkpoint": checkpoint,
    "scan": lambda g: lambda x: scan(lambda c, r: (c + g(r) * x[0], g(x)), 0.0, cnp.stack([x, x]))[0] / (2 * x[0]),
}
FUNCTIONS = {"smooth": (smooth, taylor_of_smooth), "looped": (looped, taylor_of_looped)}
TABLE = [nesting for depth in (1, 2, 3) for nesting in itertools.product(WAYS, repeat=depth)]


def compose(f, nesting):
    """f under the transformations, innermost first."""
    for way in nesting:
        f = WAYS[way](f)
    return f


def check_order(nesting, name):
    f, derivative = FUNCTIONS[name]
    order = sum(way in ORDERS for way in nesting)
    found = float(compose(f, nesting)(POINT))
    assert abs(found - derivative(order)) <= 1e-12 * (1 + abs(derivative(order))), (nesting, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("outer", WAYS)
def test_every_order_of_up_to_three_transformations(outer, name):
    """All 6 + 36 + 216 orders, operation by operation."""
    assert len(TABLE) == 6 + 36 + 216
    with without_compiling():
        for nesting in TABLE:
            if nesting[-1] == outer:
                check_order(nesting, name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_orders_of_transformations_compiled(name):
    """Singles, pairs and a sample of the triples, as XLA runs them."""
    for nesting in [n for n in TABLE if len(n) < 3] + [n for n in TABLE if len(n) == 3][::23]:
        check_order(nesting, name)
