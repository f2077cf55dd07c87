"""The gamma, beta, zeta and von Mises families: edges, inverses, far tails, and derivatives where a limit is needed."""
import mpmath as mp
import numpy as np
import pytest
import scipy.special as sp
import scipy.stats as st

import chainrule.engine.scipy.special as cs
from chainrule.engine import grad, jit, vmap
from chainrule.engine.errors import TransformError

INF, NAN = np.inf, np.nan


def both(f, *args):
    """Plain and compiled results."""
    args = [np.asarray(a, float) for a in args]
    return np.asarray(f(*args)), np.asarray(jit(f)(*args))


# ---- edges ----

EDGES = [
    (cs.gammaln, sp.gammaln, [0.0, -0.0, -1.0, -2.0, 1.0, 2.0, INF, -INF, NAN, -0.5]),
    (cs.digamma, sp.psi, [0.0, -0.0, -1.0, -2.0, INF, -INF, NAN, -0.5]),
    (cs.gamma, sp.gamma, [0.0, -0.0, -1.0, -2.0, 1.0, 5.0, INF, -INF, NAN, 172.0, -200.5, -0.5]),
    (cs.rgamma, sp.rgamma, [0.0, -1.0, -2.0, 1.0, INF, NAN, 200.0, -0.5]),
    (lambda x: cs.polygamma(1, x), lambda x: sp.polygamma(1, x), [0.0, -1.0, INF, NAN, -0.5]),
    (lambda x: cs.polygamma(2, x), lambda x: sp.polygamma(2, x), [0.0, -1.0, INF, NAN]),
    (cs.zeta, sp.zeta, [1.0, INF, NAN, 0.0, -2.0, -1e10]),
    (cs.gammasgn, sp.gammasgn, [0.0, -0.5, -1.5, -1.0, 3.0]),
]


@pytest.mark.parametrize("f, reference, x", EDGES, ids=range(len(EDGES)))
def test_the_edges_are_scipys(f, reference, x):
    for found in both(f, x):
        np.testing.assert_allclose(found, reference(np.array(x)), rtol=1e-15, atol=1e-300)


PAIRS = [
    (cs.betaln, sp.betaln, [0.0, INF, NAN, 1.0, 1e300], [1.0, 1.0, 1.0, 1.0, 2.0]),
    (lambda s, q: cs.zeta(s, q), sp.zeta, [1.0, 0.5, 2.0, 2.5, INF, 2.0, NAN], [2.0, 1.0, 0.0, -0.5, 1.0, INF, 1.0]),
    (cs.gammaincinv, sp.gammaincinv, [2.0, 2.0, 2.0, 2.0, -1.0, 2.0], [0.0, 1.0, -0.1, 1.5, 0.5, NAN]),
    (cs.gammainccinv, sp.gammainccinv, [2.0, 2.0, 2.0, 2.0, -1.0, 2.0], [0.0, 1.0, -0.1, 1.5, 0.5, NAN]),
    (cs.log_gammainc, lambda a, x: np.log(sp.gammainc(a, x)), [2.0, 2.0, 0.0, -1.0], [0.0, INF, 1.0, 1.0]),
]


@pytest.mark.slow
@pytest.mark.parametrize("f, reference, x, y", PAIRS, ids=range(len(PAIRS)))
def test_the_edges_of_two_arguments_are_scipys(f, reference, x, y):
    with np.errstate(divide="ignore"):
        expected = reference(np.array(x), np.array(y))
    for found in both(f, x, y):
        np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_derivatives_at_the_edges_have_no_nan_where_there_is_a_limit():
    assert [float(grad(cs.rgamma)(x)) for x in (0.0, -1.0, -2.0, -3.0)] == [1.0, -1.0, 2.0, -6.0]
    assert float(grad(cs.log_gammaincc, 1)(2.0, INF)) == -1.0 and float(grad(cs.log_gammaincc, 1)(2.0, 0.0)) == 0.0
    assert float(grad(cs.log_gammainc, 1)(2.0, 0.0)) == INF and float(grad(cs.gammainc, 1)(2.0, INF)) == 0.0
    assert [float(v) for v in cs.random_beta_grad(2.0, 3.0, 0.0)] == [0.0, 0.0]
    assert float(cs.random_gamma_grad(2.0, 0.0)) == 0.0
    np.testing.assert_allclose(grad(cs.stdtr, 1)(3.0, 0.0), st.t.pdf(0, 3), rtol=1e-14)


# ---- zeta ----

@pytest.mark.parametrize("s, q", [(1.5, 0.7), (4.0, 3.0), (1.01, 20.0), (30.0, 1.3)])
def test_zeta_has_a_derivative_in_its_exponent(s, q):
    with mp.workdps(40):
        expected = float(mp.zeta(s, q, 1))
    for found in (grad(cs.zeta)(s, q), jit(grad(cs.zeta))(s, q)):
        np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("s", [-4.5, -0.2, 0.0, 0.5, 3.0, 12.0])
def test_riemanns_zeta_has_a_derivative(s):
    np.testing.assert_allclose(grad(cs.zeta)(s), float(mp.zeta(s, 1, 1)), rtol=1e-13)


def test_orders_of_polygamma_may_be_an_array():
    n, x = np.array([0, 1, 2, 5]), np.array([0.3, 1.4, 2.0, 9.0])
    for found in (cs.polygamma(n, x), jit(cs.polygamma)(n, x)):
        np.testing.assert_allclose(found, [float(mp.polygamma(int(k), v)) for k, v in zip(n, x)], rtol=5e-15)


# ---- inverses ----

SHAPES = np.array([0.02, 0.7, 3.0, 40.0, 2e3])
PROBABILITIES = np.array([0.3, 1e-30, 0.999, 0.5, 1e-8])


@pytest.mark.slow
@pytest.mark.parametrize("forward, inverse", [(cs.gammainc, cs.gammaincinv), (cs.gammaincc, cs.gammainccinv)])
def test_the_inverse_undoes_the_incomplete_gamma_function(forward, inverse):
    for x in both(inverse, SHAPES[:, None] + 0 * PROBABILITIES, PROBABILITIES + 0 * SHAPES[:, None]):
        assert np.all(np.isfinite(x))
        inside = x > 1e-300                              # below, x is rounded to 0
        back = np.asarray(forward(SHAPES[:, None], x))
        # an error of one unit in x moves log P by at most max(a, x) units; SciPy's P is good to 1e-12
        np.testing.assert_allclose(np.where(inside, back, PROBABILITIES), back * 0 + PROBABILITIES, rtol=3e-12)


@pytest.mark.slow
@pytest.mark.parametrize("forward, inverse", [(cs.betainc, cs.betaincinv), (cs.betaincc, cs.betainccinv)])
def test_the_inverse_undoes_the_incomplete_beta_function(forward, inverse):
    a, b, p = np.array([0.5, 3.0, 40.0, 900.0]), np.array([2.0, 0.8, 3.0, 700.0]), np.array([1e-20, 0.3, 0.9, 1e-6])
    for x in both(inverse, a, b, p):
        inner = (x > 0) & (x < 1 - 1e-9)                 # nearer to 1 a unit in x is much of what is left
        np.testing.assert_allclose(np.where(inner, forward(a, b, x), p), p, rtol=3e-12)


SLOPES = [
    (cs.gammaincinv, (2.5, 0.3)), (cs.gammainccinv, (25.0, 0.01)), (cs.betaincinv, (2.0, 5.0, 0.7)),
    (cs.betainccinv, (0.6, 1.5, 0.2)), (cs.log_gammainc, (2.5, 0.3)), (cs.log_gammainc, (40.0, 3.0)),
    (cs.log_gammaincc, (2.5, 9.0)), (cs.log_gammaincc, (0.03, 0.2)), (cs.log_betainc, (2.0, 5.0, 0.1)),
    (cs.log_betaincc, (30.0, 25.0, 0.8)), (cs.random_gamma_grad, (2.5, 1.2)), (cs.random_gamma_grad, (45.0, 50.0)),
]


@pytest.mark.parametrize("f, args", SLOPES, ids=range(len(SLOPES)))
def test_derivatives_are_finite_differences(f, args):
    """Of fourth order, with an error of about 1e-12 of the value over h."""
    def at(place, s):
        return float(f(*[a * (1 + s * 1e-3 * (i == place)) for i, a in enumerate(args)]))
    for place, x in enumerate(args):
        slope = (8 * (at(place, 1) - at(place, -1)) - (at(place, 2) - at(place, -2))) / (12e-3 * x)
        np.testing.assert_allclose(grad(f, place)(*args), slope, rtol=1e-7)


def test_second_derivatives_are_the_slopes_of_the_first():
    h = 1e-5
    for f, args in ((cs.log_gammainc, (2.5, 0.9)), (cs.log_betaincc, (2.0, 3.0, 0.7)), (cs.gammainc, (0.7, 1.1))):
        for i in range(len(args)):
            for j in range(len(args)):
                up, down = ([a * (1 + s * h * (k == j)) for k, a in enumerate(args)] for s in (1, -1))
                slope = (float(grad(f, i)(*up)) - float(grad(f, i)(*down))) / (2 * h * args[j])
                np.testing.assert_allclose(grad(grad(f, i), j)(*args), slope, rtol=1e-6)


# ---- logarithms in the tails ----
@pytest.mark.slow
def test_logarithms_go_on_where_the_functions_themselves_are_zero():
    with mp.workdps(50):
        expected = [mp.log(mp.gammainc(3, 0, mp.mpf(10) ** -200, regularized=True)),
                    mp.log(mp.gammainc(3, 2000, mp.inf, regularized=True)),
                    mp.log(mp.betainc(90, 80, 0, mp.mpf("1e-8"), regularized=True))]
    assert sp.gammainc(3, 1e-200) == sp.gammaincc(3, 2000) == sp.betainc(90, 80, 1e-8) == 0
    for f, args, e in ((cs.log_gammainc, (3.0, 1e-200), expected[0]), (cs.log_gammaincc, (3.0, 2000.0), expected[1]),
                       (cs.log_betainc, (90.0, 80.0, 1e-8), expected[2])):
        for found in both(f, *args):
            np.testing.assert_allclose(found, float(e), rtol=1e-15)
    np.testing.assert_allclose(grad(cs.log_gammainc, 1)(3.0, 1e-200), 3e200, rtol=1e-12)
    np.testing.assert_allclose(grad(cs.log_gammaincc, 1)(1.0, 2000.0), -1.0, rtol=1e-12)
    np.testing.assert_allclose(grad(cs.log_betainc, 2)(90.0, 80.0, 1e-8), 90e8, rtol=1e-5)


# ---- paths of random numbers ----
@pytest.mark.slow
def test_the_path_of_a_gamma_number_at_tiny_and_huge_shapes():
    np.testing.assert_allclose(cs.random_gamma_grad(1e-3, 1e-250), 1e-250 / 1e-3 * (sp.psi(1.001) - np.log(1e-250)),
                               rtol=1e-12)
    for z in (-2.0, 0.5, 3.0):                           # x = a + z √a, up to terms of order z² / a
        a = 1e10
        for found in both(cs.random_gamma_grad, a, a + z * np.sqrt(a)):
            np.testing.assert_allclose(found, 1 + z / (2 * np.sqrt(a)), rtol=1e-9)


def test_the_path_of_a_beta_number_is_the_derivative_of_the_quantile():
    a, b, p = 2.0, 0.7, np.array([0.05, 0.5, 0.95])
    x, h = sp.betaincinv(a, b, p), 1e-6
    in_a, in_b = cs.random_beta_grad(a, b, x)
    np.testing.assert_allclose(in_a, (sp.betaincinv(a + h, b, p) - sp.betaincinv(a - h, b, p)) / (2 * h), rtol=1e-7)
    np.testing.assert_allclose(in_b, (sp.betaincinv(a, b + h, p) - sp.betaincinv(a, b - h, p)) / (2 * h), rtol=1e-7)


def test_von_mises_numbers_turn_round_and_move_with_their_concentration():
    x, kappa = np.array([0.4, -1.0, 0.02]), np.array([2.0, 30.0, 5000.0])
    f = cs.von_mises_cdf
    np.testing.assert_allclose(f(x, kappa) + f(-x, kappa), 1.0, rtol=1e-14)
    np.testing.assert_allclose(f(x + 2 * np.pi, kappa), np.asarray(f(x, kappa)) + 1, rtol=1e-13)
    np.testing.assert_allclose(f(x, 0 * kappa), 0.5 + x / (2 * np.pi), rtol=1e-15)
    h = 1e-5 * kappa
    slope = (np.asarray(f(x, kappa + h)) - np.asarray(f(x, kappa - h))) / (2 * h)
    np.testing.assert_allclose(vmap(grad(f, 1))(x, kappa), slope, rtol=2e-6)
    np.testing.assert_allclose(cs.random_von_mises_grad(x, kappa), -slope / st.vonmises.pdf(x, kappa), rtol=2e-6)
    with pytest.raises(TransformError, match="at most twice"):
        grad(grad(grad(f, 1), 1), 1)(0.3, 2.0)


# ---- what is made of them ----

K, N = np.array([0.0, 2.0, 7.0, 3.7]), np.array([5.0, 9.0, 8.0, 12.0])
P, T = np.array([0.1, 0.5, 0.9, 0.25]), np.array([-4.0, -0.3, 0.7, 12.0])
MADE = [("bdtr", K, N, P), ("bdtrc", K, N, P), ("nbdtr", K, N, P), ("nbdtrc", K, N, P), ("pdtr", K, N), ("pdtrc", K, N),
        ("chdtr", N, K), ("chdtrc", N, K), ("gdtr", P, N, K), ("gdtrc", P, N, K), ("fdtr", N, K + 1, P),
        ("fdtrc", N, K + 1, P), ("stdtr", N, T), ("binom", N, K), ("binom", N + P, K - P), ("comb", N, np.floor(K)),
        ("comb", K, N), ("poch", N, K), ("poch", -np.floor(K), np.floor(K)), ("poch", 150 + N, K), ("factorial", K)]


@pytest.mark.parametrize("name, args", [(name, args) for name, *args in MADE], ids=[f"{r[0]}{i}" for i, r in
                                                                                     enumerate(MADE)])
def test_functions_made_of_them_are_scipys(name, args):
    whole = [a.astype(int) if name.endswith(("bdtr", "bdtrc")) and a is not P else a for a in args]
    expected = getattr(sp, name)(*whole)
    np.testing.assert_allclose(getattr(cs, name)(*args), expected, rtol=2e-13, atol=1e-300)


def test_whole_numbers_come_out_whole():
    n = np.arange(17)
    assert np.array_equal(cs.factorial(n), [float(mp.factorial(int(k))) for k in n])
    assert np.array_equal(jit(cs.binom)(40.0, np.arange(41.0)), [float(mp.binomial(40, k)) for k in range(41)])
    np.testing.assert_allclose(grad(cs.binom)(5.0, 2.0), 4.5, rtol=1e-13)      # d/dn n (n - 1) / 2
