"""Laws over generated arrays: random subscripts of einsum, and identities between the functions of a matrix.

Identities hold to 100 n eps times the sizes of what is multiplied, and the condition number where an inverse is in it.
"""
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule.engine.numpy as cnp
import chainrule.engine.scipy.linalg as csl
from chainrule.engine import jit, make_jaxpr, vjp

EPS = np.finfo(float).eps


@st.composite
def sums(draw):
    """(subscripts, operands) with up to four operands, repeated labels, and an output or none."""
    sizes = {c: draw(st.integers(1, 3)) for c in "aBcd"}
    inputs = [draw(st.text("aBcd", max_size=3)) for _ in range(draw(st.integers(1, 4)))]
    labels = sorted(set("".join(inputs)))
    text = ",".join(inputs)
    if draw(st.booleans()):
        chosen = draw(st.permutations(labels))[:draw(st.integers(0, len(labels)))]
        text += "->" + "".join(chosen)
    rng = np.random.default_rng(draw(st.integers(0, 100)))
    return text, [rng.normal(size=[sizes[c] for c in term]) for term in inputs]


@given(sums())
@settings(max_examples=60)
def test_einsum_of_any_subscripts_is_numpys(case):
    text, xs = case
    expected = np.einsum(text, *xs)
    size = np.einsum(text, *[np.abs(x) for x in xs])
    for optimize in (True, False):
        found = np.asarray(cnp.einsum(text, *xs, optimize=optimize))
        assert found.shape == expected.shape
        assert (np.abs(found - expected) <= 100 * EPS * size + 1e-300).all()
    make_jaxpr(lambda *xs: cnp.einsum(text, *xs))(*xs)


@given(sums())
@settings(max_examples=30)
def test_the_gradient_of_einsum_is_linear_algebra(case):
    """<c, einsum(x₁ …)> = <pullback of c at x_k, x_k> for each operand, because einsum is linear in each."""
    text, xs = case
    value, pull = vjp(lambda *xs: cnp.einsum(text, *xs), *xs)
    c = np.ones(value.shape)
    total = float(np.sum(np.asarray(value)))
    size = float(np.sum(np.einsum(text, *[np.abs(x) for x in xs])))
    for x, g in zip(xs, pull(c)):
        assert abs(np.sum(np.asarray(g) * x) - total) <= 1000 * EPS * size + 1e-300


@st.composite
def matrices(draw):
    n, kind, seed = draw(st.integers(1, 6)), draw(st.booleans()), draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(size=(n, n)) + (1j * rng.normal(size=(n, n)) if kind else 0) for _ in range(2))
    return a, b


@given(matrices())
@settings(max_examples=40)
def test_identities_of_matrices(pair):
    a, b = pair
    n, cond = len(a), float(np.linalg.cond(a))
    limit = 100 * n * EPS
    size = float(np.abs(a).max() * np.abs(b).max() * n + 1)
    det = np.asarray(cnp.linalg.det(a @ b))
    product = np.asarray(cnp.linalg.det(a)) * np.asarray(cnp.linalg.det(b))
    assert abs(det - product) <= limit * size ** n * 10
    sign, log = cnp.linalg.slogdet(a)
    assert abs(complex(sign) * np.exp(float(log)) - np.asarray(cnp.linalg.det(a))) <= limit * size ** n
    assert abs(float(cnp.linalg.norm(a, 2)) - float(cnp.linalg.svdvals(a)[0])) <= limit * size
    x = np.asarray(cnp.linalg.solve(a, b))
    assert np.abs(a @ x - b).max() <= limit * np.abs(a).max() * n * max(1.0, np.abs(x).max())
    assert np.abs(np.asarray(cnp.linalg.pinv(a)) - np.asarray(cnp.linalg.inv(a))).max() <= limit * cond ** 2 * n
    w = np.asarray(cnp.linalg.eigvals(a))
    assert abs(w.sum() - np.trace(a)) <= limit * size * 10
    u, p = (np.asarray(v) for v in csl.polar(a))
    assert np.abs(u @ p - a).max() <= limit * size


@given(matrices())
@settings(max_examples=15)
def test_exponentials_add_for_matrices_that_commute(pair):
    a, _ = pair
    a = a / np.abs(a).sum(0).max()                       # norm 1: the exponential is as well conditioned as it gets
    half, whole, back = (np.asarray(csl.expm(c * a)) for c in (0.5, 1, -1))
    limit = 1000 * len(a) * EPS
    assert np.abs(half @ half - whole).max() <= limit * np.e
    assert np.abs(whole @ back - np.eye(len(a))).max() <= limit * np.e ** 2
    assert abs(np.asarray(cnp.linalg.det(whole)) - np.exp(np.trace(a))) <= limit * np.e ** len(a)


def test_compiled_and_plain_evaluation_agree_on_stacks_of_all_sizes():
    rng = np.random.default_rng(3)

    def f(a):
        w = cnp.linalg.eigvalsh(a)
        return cnp.linalg.det(a), cnp.linalg.svdvals(a), w, cnp.linalg.inv(a + 9 * np.eye(a.shape[-1])), csl.expm(a)
    for n in (1, 4, 21):
        a = rng.normal(size=(2, n, n))
        for x, y in zip(f(a), jit(f)(a)):
            x, y = np.asarray(x), np.asarray(y)
            assert np.abs(x - y).max() <= 1000 * n * EPS * max(1.0, np.abs(x).max())
