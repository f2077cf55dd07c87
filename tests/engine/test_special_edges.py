"""Special functions at the edges of their domains, their derivatives there and far out, and what they refuse."""
import mpmath as mp
import numpy as np
import pytest
import scipy.special as sp

import chainrule.engine.scipy.special as cs
from chainrule.engine import grad, jit, vmap
from chainrule.engine.errors import ParameterError, TransformError

EDGES = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e300, -1e300, 1e-300])
NOT_NEGATIVE = np.array([0.0, -1.0, np.inf, np.nan, 1e-300, 600.0])


@pytest.mark.parametrize("name, x", [
    *[(name, EDGES) for name in ("erf", "erfc", "erfcx", "erfi", "dawsn", "ndtr", "log_ndtr", "i0", "i1", "i0e", "i1e",
                                 "erfinv", "exprel")],
    *[(name, NOT_NEGATIVE) for name in ("k0", "k1", "k0e", "k1e", "exp1", "expi", "ndtri", "erfcinv", "logit", "entr")],
    *[(name, NOT_NEGATIVE[NOT_NEGATIVE < np.inf]) for name in ("y0", "y1", "j0", "j1", "spence")],
    *[(name, np.array([0.0, 1.0, 2.0, -np.inf, np.nan])) for name in ("ellipk", "ellipe", "ellipkm1")],
    ("ndtri_exp", np.array([0.0, -np.inf, 1.0, np.nan, -1e300])),
])
def test_values_at_the_edges_are_scipys(name, x):
    expected = getattr(sp, name)(x)
    for f in (getattr(cs, name), jit(getattr(cs, name))):
        np.testing.assert_allclose(f(x), expected, rtol=1e-13, atol=1e-290, err_msg=name)


@pytest.mark.parametrize("name, args", [
    ("agm", ([0.0, 1, -1, np.nan, 2], [1.0, 0, 2, 1, 3])),
    ("owens_t", ([0.0, 0, np.inf, 1, 1, np.nan], [np.inf, 1, 1, np.inf, -np.inf, 1])),
    ("expn", ([0, 1, 2, 3, 2, 2], [0.0, 0, 0, 0, -1, np.inf])),
    ("rel_entr", ([0.0, 0, 1, -1, np.nan], [0.0, 1, 0, 1, 1])),
    ("kl_div", ([0.0, 0, 1, -1, np.nan], [0.0, 1, 0, 1, 1])),
    ("huber", ([-1.0, 1, 1], [2.0, 0.5, 2])), ("pseudo_huber", ([0.0, -1, 1], [1.0, 1, 0])),
    ("boxcox", ([0.0, 0, 0, -1, 2], [1.0, -1, 0, 1, 0])), ("inv_boxcox", ([1.0, -2, -1], [0.0, 1, 1])),
    ("powm1", ([-2.0, 0, 0, 2, -2], [3.0, -1, 2, 0, 0.5])), ("hyp2f1", ([1.0, 1], [1.0, 1], [3.0, 2], [1.0, 1])),
    ("hyp1f1", ([1.0, -2], [2.0, 1], [0.0, -2000])), ("ive", ([0.0, 0.5, 1], [0.0, 0, np.nan])),
    ("kv", ([0.0, 0.5, 0, 1, -0.5], [0.0, 0, np.inf, np.nan, 2])),
    ("betainc", ([500.0, 500, 1e6, 1e4], [1e6, 1e9, 500.0, 1e9], [0.3, 0.01, 0.7, 1e-8])),
    ("betaincc", ([500.0, 500, 1e6, 1e4], [1e6, 1e9, 500.0, 1e9], [0.3, 0.01, 0.7, 1e-8])),
    ("gammaincc", ([500.0, 1001, 1001, 1e5, 1e4], [1e6, 1e5, 1e6, 1e6, 1.0])),
    ("gammainc", ([500.0, 1001, 1001, 1e5, 1e4], [1e6, 1e5, 1e6, 1e6, 1.0])),
])
def test_values_of_several_arguments_at_the_edges_are_scipys(name, args):
    args = [np.asarray(a) for a in args]
    expected = getattr(sp, name)(*args)
    for f in (getattr(cs, name), jit(getattr(cs, name))):
        np.testing.assert_allclose(f(*args), expected, rtol=1e-13, err_msg=name)


def test_what_oscillates_or_falls_is_zero_at_infinity():
    for f in (cs.j0, cs.j1, cs.y0, cs.y1, lambda x: cs.ive(0.5, x)):
        assert float(f(np.inf)) == 0.0 == float(jit(f)(np.inf))
    assert float(cs.spence(np.inf)) == -np.inf


def test_integer_orders_go_below_zero_and_other_orders_are_refused():
    x = np.array([0.0, -1.0, -3.5, np.nan, 1e-300, 5.0])
    for n in (-3, -1, 0, 2):
        for f in (lambda v, n=n: cs.jn(n, v), jit(lambda v, n=n: cs.jn(n, v))):
            np.testing.assert_allclose(f(x), sp.jv(n, x), rtol=1e-14, atol=1e-290)
        np.testing.assert_allclose(cs.yn(n, x), sp.yn(n, x), rtol=1e-14)
    with pytest.raises(ParameterError, match="is a Python integer"):
        cs.jn(0.5, x)


@pytest.mark.parametrize("name", ["sici", "shichi", "fresnel"])
def test_pairs_of_integrals_are_odd_and_even_and_have_limits(name):
    x = np.array([0.0, 0.5, -0.5, 3.0, -3.0, np.nan])
    x = x if name == "shichi" else np.append(x, [np.inf, -np.inf])
    found, expected = jit(getattr(cs, name))(x), getattr(sp, name)(x)
    for f, e in zip(found, expected):
        if name == "sici":                               # SciPy has nan for Ci(-∞)
            f, e = np.asarray(f)[:-1], e[:-1]
        np.testing.assert_allclose(f, e, rtol=1e-14, atol=1e-290)


def test_lambertw_is_the_real_part_on_its_branches():
    z = np.array([0.0, -1 / np.e, 1.0, 1e308, np.inf, np.nan, 1e-310])
    expected = np.where(z == -1 / np.e, -1, sp.lambertw(z).real)        # SciPy has nan at the branch point
    np.testing.assert_allclose(cs.lambertw(z), expected, rtol=1e-14, atol=1e-300)
    np.testing.assert_array_equal(cs.lambertw([-0.5, -1.0]), [np.nan, np.nan])
    lower = jit(lambda v: cs.lambertw(v, -1))
    np.testing.assert_array_equal(lower(np.array([0.0, 0.1, -0.5])), [-np.inf, np.nan, np.nan])
    with pytest.raises(ParameterError, match="k = 0 and k = -1"):
        cs.lambertw(1.0, k=1)


# ---- derivatives ----

@pytest.mark.parametrize("f, x, first, second", [
    (cs.i0, 0.0, 0.0, 0.5), (cs.i1, 0.0, 0.5, 0.0), (cs.j0, 0.0, 0.0, -0.5), (cs.j1, 0.0, 0.5, 0.0),
    (lambda x: cs.sici(x)[0], 0.0, 1.0, 0.0), (lambda x: cs.shichi(x)[0], 0.0, 1.0, 0.0),
    (cs.spence, 1.0, -1.0, 0.5), (cs.lambertw, 0.0, 1.0, -2.0), (cs.exprel, 0.0, 0.5, 1 / 3), (cs.dawsn, 0.0, 1.0, 0.0),
    (cs.ellipk, 0.0, np.pi / 8, 9 * np.pi / 64),
    (lambda x: cs.boxcox(2.0, x), 0.0, np.log(2) ** 2 / 2, np.log(2) ** 3 / 3),
    (lambda x: cs.inv_boxcox(2.0, x), 0.0, -2 * np.exp(2), np.exp(2) * (16 / 3 + 4)),
    (lambda x: cs.kl_div(x, 2.0), 2.0, 0.0, 0.5), (lambda x: cs.kl_div(2.0, x), 2.0, 0.0, 0.5),
    (lambda x: cs.owens_t(x, 1.0), 0.0, 0.0, -1 / (2 * np.pi)), (lambda x: cs.log_ive(0.0, x), 0.0, -1.0, None),
])
def test_derivatives_exist_where_the_formula_is_a_limit(f, x, first, second):
    assert float(grad(f)(x)) == pytest.approx(first, rel=1e-14, abs=1e-15)
    if second is not None:
        assert float(grad(grad(f))(x)) == pytest.approx(second, rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("f, x, first, second", [
    (cs.log_ndtr, -1e6, 1e6, -1.0), (cs.log_ndtr, 38.0, 0.0, 0.0), (cs.erfcx, 1e6, -1 / np.sqrt(np.pi) * 1e-12, None),
    (cs.dawsn, 1e6, -0.5e-12, 1e-18), (cs.ndtri_exp, -1e8, 1 / np.sqrt(2e8), None),
])
def test_derivatives_far_out_lose_no_digits(f, x, first, second):
    assert float(grad(f)(x)) == pytest.approx(first, rel=1e-7, abs=1e-290)         # the next term is below 1e-8 of it
    if second is not None:
        assert float(jit(grad(grad(f)))(x)) == pytest.approx(second, rel=1e-7, abs=1e-300)


V, X = np.array([0.3, 4.0, 30.0, 2.5]), np.array([0.7, 25.0, 3.0, 1.5])


@pytest.mark.slow
@pytest.mark.parametrize("f, bessel", [(cs.log_ive, mp.besseli), (cs.log_kve, mp.besselk)])
def test_bessel_functions_have_derivatives_in_their_order(f, bessel):
    def exact(times):
        with mp.workdps(40):
            return [float(mp.diff(lambda v, x=x: mp.log(bessel(v, float(x))), float(v), times)) for v, x in zip(V, X)]
    np.testing.assert_allclose(vmap(grad(f))(V, X), exact(1), rtol=1e-12)
    np.testing.assert_allclose(vmap(grad(grad(f)))(V, X), exact(2), rtol=1e-11)
    np.testing.assert_allclose(jit(vmap(grad(f)))(V, X), vmap(grad(f))(V, X), rtol=1e-12)
    mixed = vmap(grad(grad(f), 1))(V, X)
    np.testing.assert_allclose(mixed, vmap(grad(lambda x, v: grad(f)(v, x)))(X, V), rtol=1e-14)
    h = 1e-5
    np.testing.assert_allclose(mixed, (vmap(grad(f))(V, X + h) - vmap(grad(f))(V, X - h)) / (2 * h), rtol=1e-6)


def test_orders_and_parameters_without_derivatives_say_so():
    for f, args in ((cs.expn, (2.0, 1.0)), (cs.hyp1f1, (1.0, 2.0, 1.0)), (cs.hyp2f1, (1.0, 2.0, 3.0, 0.1))):
        with pytest.raises(TransformError, match="has no derivative with respect to"):
            grad(f)(*args)
    with pytest.raises(TransformError, match="at most 2 times"):
        grad(grad(grad(cs.log_ive)))(1.0, 2.0)


# ---- sums of exponentials ----

def test_logsumexp_takes_complex_numbers_weights_and_masks():
    z, b = np.array([1 + 2j, 3 - 1j, -2 + 0.5j]), np.array([1, -2, 1j])
    np.testing.assert_allclose(cs.logsumexp(z), sp.logsumexp(z), rtol=1e-15)
    np.testing.assert_allclose(jit(lambda z: cs.logsumexp(z, b=b, return_sign=True))(z),
                               sp.logsumexp(z, b=b, return_sign=True), rtol=1e-14)
    x, keep = np.array([[1.0, 1000.0, 3.0], [2.0, 0.0, -np.inf]]), np.array([True, False, True])
    np.testing.assert_allclose(cs.logsumexp(x, axis=1, where=keep), sp.logsumexp(x[:, keep], axis=1), rtol=1e-15)
    np.testing.assert_array_equal(grad(lambda v: cs.logsumexp(v, where=keep))(np.array([1.0, 1e4, 1.0])), [0.5, 0, 0.5])


def test_softmax_sums_to_one_and_forgives_infinities():
    x = np.array([[1000.0, 1000.0, -np.inf], [-1000.0, 1.0, 0.0]])
    np.testing.assert_allclose(cs.softmax(x, axis=1), sp.softmax(x, axis=1), rtol=4e-16)
    np.testing.assert_allclose(cs.log_softmax(x, axis=1), sp.log_softmax(x, axis=1), rtol=4e-16)
