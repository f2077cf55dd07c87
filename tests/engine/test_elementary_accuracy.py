"""Compiled elementary functions where the compiler's own lose digits, signs or infinities; sums of long rows."""
import cmath
import math

import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import grad, jit
from chainrule.engine.nn import softplus

RNG = onp.random.default_rng(4)
TENS = onp.arange(-20, 23)
NEAR = onp.concatenate([RNG.uniform(-0.9, 3, 500), RNG.normal(size=200) * 1e-3, [1e-9, -1e-9, 1e-20, -1e-20]])
WIDE = onp.concatenate([RNG.uniform(-700, 700, 300), RNG.normal(size=200), [710.0, -710.0, 1e-9, 20.0, 37.0]])


def ulps(found, expected):
    """The distance in units of the last place of the expected value."""
    return onp.max(onp.abs(onp.asarray(found) - expected) / onp.spacing(onp.abs(expected)))


@pytest.mark.parametrize("name, x, bound", [
    ("log1p", NEAR, 4), ("expm1", NEAR, 4), ("arctanh", onp.tanh(NEAR * 2), 4), ("sinh", WIDE, 6), ("cosh", WIDE, 4),
    ("log", onp.exp(NEAR * 9), 2), ("exp2", WIDE, 3), ("log2", onp.exp(NEAR * 9), 3), ("log10", onp.exp(NEAR * 9), 3)])
def test_compiled_functions_are_numpys_to_a_few_units_in_the_last_place(name, x, bound):
    for v in (x, onp.resize(x, 5000)):                   # large arrays have another formula for logarithms
        with onp.errstate(all="ignore"):
            expected = getattr(onp, name)(v)
        found = onp.asarray(jit(getattr(np, name))(v))
        ok = onp.isfinite(expected)
        assert (onp.isfinite(found) == ok).all()
        assert ulps(found[ok], expected[ok]) <= bound


def test_logarithms_of_large_arrays_know_the_edges():
    x = onp.resize([0.0, -0.0, -1.0, -onp.inf, onp.inf, onp.nan, 1.0, 1e300, 1e-300], 4500)
    with onp.errstate(all="ignore"):
        onp.testing.assert_array_equal(jit(np.log)(x), onp.log(x))
        onp.testing.assert_array_equal(jit(np.log1p)(x - 1), onp.log1p(x - 1))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_powers_of_two_and_ten_are_exact(dtype):
    info = onp.finfo(dtype)
    n = onp.arange(info.minexp, info.maxexp, dtype=dtype)
    powers = onp.ldexp(onp.ones((), dtype), n.astype(int))
    assert (onp.asarray(jit(np.exp2)(n)) == powers).all()
    assert (onp.asarray(jit(np.log2)(powers)) == n).all()
    k = TENS if dtype == "float64" else onp.arange(0, 11)
    assert (onp.asarray(jit(np.log10)(onp.asarray(10.0 ** k, dtype))) == k).all()


CUTS = [complex(x, y) for x in (-3.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0) for y in (-2.0, -1.0, -0.0, 0.0, 1.0, 2.0)]


@pytest.mark.parametrize("name", "sqrt log exp sin cos sinh cosh arcsin arccos arctan arcsinh arccosh arctanh".split())
def test_compiled_complex_functions_take_the_side_of_a_cut_that_a_signed_zero_tells(name):
    z = onp.array(CUTS)
    with onp.errstate(all="ignore"):
        expected = getattr(onp, name)(z)
    found = onp.asarray(jit(getattr(np, name))(z))
    ok = onp.isfinite(expected) & (expected != 0)
    assert onp.max(onp.abs(found[ok] / expected[ok] - 1)) < 1e-14


def test_compiled_complex_functions_keep_small_and_large_parts():
    assert jit(np.sin)(1e-20j) == 1e-20j and jit(np.sinh)(onp.complex128(1e-20)) == 1e-20
    assert jit(np.cos)(800j).real == onp.inf and jit(np.sin)(800j).imag == onp.inf
    big = complex(jit(np.exp)(709.8 + 0.8j))             # exp(709.8) alone is beyond the largest number
    assert abs(big / math.exp(700) / (cmath.exp(9.8 + 0.8j)) - 1) < 1e-12


def test_integers_have_exact_powers_and_quotients_compiled():
    x = onp.array([3, -3, 7, 2, 0, 1], onp.int64)
    y = onp.array([39, 39, 22, 62, 0, 63], onp.int64)
    assert jit(np.power)(x, y).tolist() == [int(a) ** int(b) for a, b in zip(x, y)]
    u = onp.array([3, 2 ** 64 - 1], onp.uint64)
    assert jit(np.power)(u, u[::-1]).tolist() == [pow(3, 2 ** 64 - 1, 2 ** 64), pow(2 ** 64 - 1, 3, 2 ** 64)]
    big = onp.array([2 ** 62 + 1, -2 ** 62 - 1], onp.int64)
    for f in (np.floor_divide, jit(np.floor_divide)):
        assert f(big, 3).tolist() == [(2 ** 62 + 1) // 3, (-2 ** 62 - 1) // 3]
    with pytest.raises((ValueError, TypeError)):
        np.power(onp.array([2, 3]), onp.array([1, -1]))


def test_derivatives_at_the_edges_are_numbers():
    for f, at, expected in ((lambda x: np.hypot(x, 0.0), 0.0, 0.0), (np.abs, 0.0, 0.0), (np.sinc, 0.0, 0.0),
                            (lambda x: np.logaddexp(x, -onp.inf), 2.0, 1.0), (lambda x: x ** 2.0, 0.0, 0.0),
                            (lambda x: np.power(x, 1.0), 0.0, 1.0), (lambda y: np.power(0.0, y), 2.0, 0.0),
                            (lambda x: np.fmax(x, onp.nan), 2.0, 1.0), (lambda x: np.logaddexp(x, x), 1.0, 1.0),
                            (lambda x: np.power(x, 3.0), -2.0, 12.0)):
        for g in (grad(f), jit(grad(f))):
            assert float(g(at)) == expected


def test_the_derivative_of_the_modulus_and_of_the_direction_of_a_complex_number():
    z, h = 0.6 - 0.8j, 1e-6
    for f in (lambda v: np.abs(v), lambda v: np.real(np.sign(v)) + 2 * np.imag(np.sign(v)), lambda v: np.angle(v)):
        dx = (float(f(z + h)) - float(f(z - h))) / (2 * h)
        dy = (float(f(z + 1j * h)) - float(f(z - 1j * h))) / (2 * h)
        onp.testing.assert_allclose(grad(f)(z), dx - 1j * dy, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("shape, axis", [((37, 3000), 0), ((1000, 1100), 0), ((3, 41, 2000), 1),
                                         ((3, 5, 7, 2000), (1, 2)), ((65, 1024), 0), ((1025, 1024), 0)])
def test_long_rows_are_folded_in_blocks(shape, axis):
    x = RNG.normal(size=shape)
    for name in ("sum", "max", "prod"):
        found = jit(lambda v, name=name: getattr(np, name)(v, axis))(x)
        onp.testing.assert_allclose(found, getattr(onp, name)(x, axis), rtol=1e-12, atol=1e-11)


def test_halves_are_summed_in_float32():
    x = onp.full(30000, 0.25, onp.float16)
    for f in (np.sum, jit(np.sum)):
        assert float(f(x)) == 7500.0
    wide = onp.full(100_000, 1.5, onp.float16)          # the sum is beyond float16, the mean is not
    for f in (np.mean, jit(np.mean)):
        assert float(f(wide)) == 1.5 and f(wide).dtype == onp.float16


def test_float32_sums_are_as_exact_as_numpys():
    x = RNG.random(1_000_000).astype(onp.float32)
    for name in ("sum", "mean", "var"):
        exact = getattr(onp, name)(x.astype(float))
        assert abs(float(jit(getattr(np, name))(x)) / exact - 1) < 1e-6


@pytest.mark.parametrize("dtype, bound", [("float64", 3), ("float32", 3)])
def test_softplus_is_right_in_small_arrays_and_in_large_ones(dtype, bound):
    x = onp.concatenate([onp.linspace(-40, 40, 200), RNG.normal(size=100)]).astype(dtype)
    found = [onp.asarray(jit(softplus)(part)) for part in (x[:150], x)]
    exact = onp.logaddexp(x.astype(float), 0.0)          # to half a unit in the last place or two
    for y in found:
        assert y.dtype == dtype and ulps(y, exact[:len(y)].astype(dtype)) <= bound


def test_the_softplus_of_a_number_is_not_computed_again_for_each_row():
    """XLA puts a cheap scalar into the loop over the rows that it is added to, polynomial and all."""
    f = jit(lambda scale, noise, x: np.exp(x + softplus(scale) * noise))
    text = f.lower(1.0, 0.5, onp.ones(1000)).compile().as_text()
    rows = [part for part in text.split("\n\n") if "f64[1000]{0} exponential(" in part]
    assert len(rows) == 1 and rows[0].count("multiply(") <= 1
