"""Special functions: compiled and plain against SciPy and mpmath, far out and at the edges."""
import mpmath as mp
import numpy as np
import pytest
import scipy.special as sp

import chainrule.engine.scipy.special as cs
from chainrule.engine import config, grad, jit, vmap
from chainrule.engine.errors import TransformError
from chainrule.engine.ops.betainc import betainc_p
from chainrule.engine.ops.gammainc import gammainc_p
from chainrule.engine.stats import stats

RNG = np.random.default_rng(0)


def error(found, expected):
    """The largest relative error."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    return np.max(np.abs(found - expected) / np.maximum(np.abs(expected), 1e-290))


# ---- over wide ranges ----

@pytest.mark.parametrize("name, x, bound", [
    ("i0e", np.linspace(-80, 80, 401), 5e-15), ("i1e", np.linspace(-80, 80, 401), 5e-15),
    ("ndtri", np.concatenate([10.0 ** -np.arange(2, 300, 7), np.linspace(0.01, 0.99, 99),
                              1 - 10.0 ** -np.arange(3, 15)]), 2e-15),
    ("erfcinv", 10.0 ** -np.arange(1, 250, 7), 2e-14), ("gamma", np.linspace(-5.55, 40, 120), 1e-12),
])
def test_compiled_functions_are_scipys(name, x, bound):
    assert error(jit(getattr(cs, name))(x), getattr(sp, name)(x)) < bound


def test_the_modified_bessel_functions_are_scipys():
    x = np.array([-3.0, 0.0, 0.5, 12.0, 40.0])
    assert error(cs.i0(x), sp.i0(x)) < 1e-14 and error(cs.i1(x), sp.i1(x)) < 1e-14
    assert float(grad(cs.i1e)(0.0)) == 0.5 and float(grad(cs.i0e)(0.0)) == 0.0


# ---- incomplete gamma ----

A = 10 ** RNG.uniform(-2, 3.3, 60)
X = A * np.exp(RNG.normal(size=60) * np.where(RNG.random(60) < 0.5, 2 / np.sqrt(1 + A), 1.0))


def lower_gamma(a, x):
    """P(a, x) with 110 digits, by its series of positive terms."""
    term = total = mp.mpf(1)
    n = 0
    while term > total * mp.mpf(10) ** -112:
        n += 1
        term *= x / (a + n)
        total += term
    return mp.exp(a * mp.log(x) - x - mp.loggamma(a + 1)) * total


@pytest.fixture(scope="module")
def gamma_reference():
    """(P, Q, ∂P/∂a, ∂²P/∂a²) at the points where 110 digits are enough for all of them."""
    with mp.workdps(110):
        rows = []
        for a, x in zip(A, X):
            a, x = mp.mpf(a), mp.mpf(x)
            h = a * mp.mpf(10) ** -20
            low, here, high = (lower_gamma(a + s * h, x) for s in (-1, 0, 1))
            rows.append([float(v) for v in (here, 1 - here, (high - low) / (2 * h), (high - 2 * here + low) / h ** 2)])
    rows = np.array(rows)
    return rows, rows[:, 1] > 1e-50


@pytest.mark.parametrize("upper, order", [(False, 0), (True, 0), (False, 1), (False, 2)])
def test_incomplete_gamma_functions_and_their_derivatives_in_a(gamma_reference, upper, order):
    rows, good = gamma_reference
    expected = rows[:, 1 if upper else [0, 2, 3][order]]
    f = jit(lambda a, x: gammainc_p.bind(a, x, upper=upper, order=order))
    assert error(np.asarray(f(A, X))[good], expected[good]) < 5e-13
    # SciPy's own
    assert error(np.asarray(gammainc_p.bind(A, X, upper=upper, order=order))[good], expected[good]) < 5e-12


def test_incomplete_gamma_functions_in_float32_are_rounded_once():
    a, x = A.astype(np.float32), X.astype(np.float32)
    found = jit(cs.gammainc)(a, x)
    assert found.dtype == np.float32 and error(found, sp.gammainc(a.astype(float),
                                                                  x.astype(float)).astype(np.float32)) < 3e-7


def test_large_parameters_take_no_loop_and_keep_their_digits():
    a = np.array([1e6, 1e8, 1e10])
    x = a + np.sqrt(a) * np.array([-2.0, 0.5, 3.0])
    assert error(jit(cs.gammaincc)(a, x), sp.gammaincc(a, x)) < 1e-8       # SciPy's error; ours in the test above
    assert error(jit(vmap(grad(cs.gammainc)))(a, x), -np.exp(-0.5 * (x - a) ** 2 / a) / np.sqrt(2 * np.pi * a)) < 5e-3


def test_incomplete_gamma_functions_at_their_edges():
    a = np.array([1.0, 1.0, 0.0, 0.0, -1.0, 1.0, np.inf, 2.0, np.nan])
    x = np.array([0.0, np.inf, 1.0, 0.0, 1.0, -1.0, 1.0, np.nan, 1.0])
    for f, g in ((cs.gammainc, sp.gammainc), (cs.gammaincc, sp.gammaincc)):
        np.testing.assert_array_equal(jit(f)(a, x), g(a, x))
    assert [float(grad(cs.gammainc, 1)(v, 0.0)) for v in (1.0, 2.0, 0.5)] == [1.0, 0.0, np.inf]
    assert float(grad(cs.gammainc)(2.0, 0.0)) == 0.0
    with pytest.raises(TransformError, match="at most three"):
        grad(grad(grad(grad(cs.gammainc))))(2.0, 1.0)


def test_lanes_do_not_see_their_neighbours_iterations():
    f = jit(lambda a, x: cs.gammainc(a, x))
    both = np.asarray(f(np.array([0.5, 19.0]), np.array([0.1, 19.5])))
    alone = [float(np.asarray(f(np.array([a]), np.array([x])))[0]) for a, x in ((0.5, 0.1), (19.0, 19.5))]
    np.testing.assert_allclose(both, alone, rtol=4e-16)


# ---- incomplete beta ----

BA, BB = 10 ** RNG.uniform(-1.5, 3.5, 12), 10 ** RNG.uniform(-1.5, 3.5, 12)
BX = np.clip(RNG.beta(BA, BB), 1e-8, 1 - 1e-8)


def beta_reference(i, j):
    def value(a, b, x):
        return mp.betainc(a, b, 0, x, regularized=True)
    out = []
    with mp.workdps(40):
        for a, b, x in zip(*[map(mp.mpf, v) for v in (BA, BB, BX)]):
            h = mp.mpf(10) ** -12
            out.append(float((value(a + i * h, b + j * h, x) - value(a - i * h, b - j * h, x)) / (2 * h)) if i or j
                       else float(value(a, b, x)))
    return out


@pytest.mark.parametrize("orders", [(0, 0), (1, 0), (0, 1)])
def test_the_incomplete_beta_function_and_its_derivatives_in_a_and_b(orders):
    expected = beta_reference(*orders)
    assert error(jit(lambda *v: betainc_p.bind(*v, upper=False, orders=orders))(BA, BB, BX), expected) < 2e-12
    assert error(betainc_p.bind(BA, BB, BX, upper=False, orders=orders), expected) < 2e-12


def test_the_incomplete_beta_function_at_its_edges():
    a = np.array([1.0, 1.0, 0.0, 1.0, -1.0, 2.0, 2.0])
    b = np.array([2.0, 2.0, 1.0, 0.0, 1.0, 2.0, 2.0])
    x = np.array([0.0, 1.0, 0.5, 0.5, 0.5, 1.5, np.nan])
    np.testing.assert_array_equal(jit(cs.betainc)(a, b, x), sp.betainc(a, b, x))
    assert float(grad(cs.betainc)(2.0, 3.0, 0.0)) == 0.0 and float(grad(cs.betainc, 1)(2.0, 3.0, 1.0)) == 0.0


# ---- at the edges, with derivatives ----

def test_x_log_y_is_zero_at_zero_with_its_true_derivatives():
    for f, g in ((cs.xlogy, sp.xlogy), (cs.xlog1py, sp.xlog1py)):
        x, y = np.array([0.0, 0.0, 2.0, 0.0]), np.array([0.0, 3.0, 0.0, np.nan])
        np.testing.assert_allclose(f(x, y), g(x, y))
        np.testing.assert_allclose(jit(f)(x, y), g(x, y))
    assert float(grad(cs.xlogy)(0.0, 2.0)) == np.log(2.0)
    assert float(grad(cs.xlogy, 1)(0.0, 0.0)) == 0.0 and float(grad(cs.xlog1py, 1)(0.0, -1.0)) == 0.0


def test_the_slope_of_log_ndtr_is_right_in_both_tails():
    x = np.linspace(-60, 30, 91)
    with mp.workdps(60):
        expected = [float(mp.npdf(v) / mp.ncdf(v)) for v in x]
    assert error(vmap(grad(cs.log_ndtr))(x), expected) < 1e-12
    assert error(grad(cs.log_ndtr)(-1e12), 1e12) < 1e-15


def test_logsumexp_is_scipys():
    a, b = RNG.normal(size=(3, 4)) * 200, RNG.normal(size=(3, 4))
    for axis in (None, 0, (0, 1), -1):
        assert error(cs.logsumexp(a, axis), sp.logsumexp(a, axis)) < 1e-14
        found, expected = (f(a, axis=axis, b=b, return_sign=True) for f in (cs.logsumexp, sp.logsumexp))
        assert error(found[0], expected[0]) < 1e-13 and np.array_equal(found[1], expected[1])
    assert cs.logsumexp(a, 1, keepdims=True).shape == (3, 1)
    assert float(cs.logsumexp(np.full(3,
                                      -np.inf))) == -np.inf and float(cs.logsumexp(np.array([np.inf, 1.0]))) == np.inf
    assert float(cs.logsumexp(np.array([1.0, np.inf]), b=np.array([1.0, 0.0]))) == 1.0
    np.testing.assert_allclose(grad(cs.logsumexp)(np.array([-np.inf, 0.0, 1000.0])), [0, 0, 1])


def test_functions_made_of_others_are_scipys():
    x = np.array([-0.5, 0.0, 0.3, 1.0, 2.5])
    y = np.array([1.0, 2.0, 0.7, 0.0, 2.5])
    np.testing.assert_allclose(cs.entr(x), sp.entr(x), rtol=1e-15)
    np.testing.assert_allclose(cs.rel_entr(x, y), sp.rel_entr(x, y), rtol=1e-14)
    np.testing.assert_allclose(cs.kl_div(x[1:], y[1:]), sp.kl_div(x[1:], y[1:]), rtol=1e-14, atol=1e-16)
    p = np.array([0.0, 1e-300, 0.2, 1.0])
    np.testing.assert_allclose(cs.logit(p), sp.logit(p), rtol=1e-15)
    z = np.array([-800.0, -1.0, 0.0, 40.0])
    np.testing.assert_allclose(cs.log_expit(z), sp.log_expit(z), rtol=1e-14)
    np.testing.assert_allclose(cs.betaln(2.5, 3.0), sp.betaln(2.5, 3.0), rtol=1e-14)
    np.testing.assert_allclose(cs.beta(2.5, 3.0), sp.beta(2.5, 3.0), rtol=1e-14)
    np.testing.assert_allclose(cs.multigammaln(np.array([4.0, 7.5]), 3), [sp.multigammaln(v, 3) for v in (4.0, 7.5)],
                               rtol=1e-14)
    np.testing.assert_allclose(cs.factorial(np.arange(6)), sp.factorial(np.arange(6)), rtol=1e-14)
    m = RNG.normal(size=(2, 5))
    np.testing.assert_allclose(cs.softmax(m, 1), sp.softmax(m, 1), rtol=1e-14)
    np.testing.assert_allclose(cs.log_softmax(m, 0), sp.log_softmax(m, 0), rtol=1e-14)
    assert error(cs.polygamma(np.arange(4), 2.5), sp.polygamma(np.arange(4), 2.5)) < 1e-14


def test_eager_functions_compile_nothing():
    before = stats.executions
    with config(disable_jit=False):
        cs.gammainc(2.0, np.arange(1.0, 4.0))
        grad(lambda a: cs.betainc(a, 2.0, 0.3))(1.5)
        cs.log_ndtr(np.arange(3.0))
    assert stats.executions == before
