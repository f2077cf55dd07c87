"""Fourier, cosine and sine transforms: against NumPy and SciPy, for all options, eager and compiled."""
import warnings

import numpy as onp
import pytest
import scipy.fft
from hypothesis import given
from hypothesis import strategies as st

import chainrule.engine.numpy as np
from chainrule.engine import config, grad, jit, jvp, vjp, vmap
from chainrule.engine.errors import DtypeError, ShapeError
from chainrule.engine.scipy import fft as sfft
from tests.engine.laws import close

RNG = onp.random.default_rng(6)
ONE = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
SEVERAL = ("fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn")
ULPS = 40                                                # of the largest element: the transforms' error is a few log n


def near(found, expected):
    found, expected = onp.asarray(found), onp.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    size = onp.abs(expected).max(initial=0)
    assert onp.abs(found - expected).max(initial=0) <= ULPS * onp.finfo(expected.dtype).eps * size


def real_input(name):
    return name in ("rfft", "ihfft", "rfft2", "rfftn")


def numbers(name, shape, dtype):
    x = RNG.normal(size=shape)
    if dtype == "int":
        return (x * 10).astype(int)
    x = x if real_input(name) else x + 1j * RNG.normal(size=shape)
    single = "float32" if real_input(name) else "complex64"
    return x.astype(single) if dtype == "single" else x


@given(st.sampled_from(ONE), st.lists(st.integers(1, 7), min_size=1, max_size=3), st.integers(-3, 2),
       st.none() | st.integers(1, 9), st.sampled_from([None, "backward", "ortho", "forward"]),
       st.sampled_from(["double", "single", "int"]))
def test_a_transform_along_an_axis_is_numpys(name, shape, axis, n, norm, dtype):
    axis = axis % len(shape)
    x = numbers(name, shape, dtype)
    if name in ("irfft", "hfft") and n is None and shape[axis] == 1:
        with pytest.raises(ShapeError):
            getattr(np.fft, name)(x, n, axis, norm)
        return
    near(getattr(np.fft, name)(x, n, axis, norm), getattr(onp.fft, name)(x, n, axis, norm))


OPTIONS = [{}, {"axes": (0, 2)}, {"axes": (1, 0, 3, 2)}, {"axes": (1, 0, 4, 2, 3)}, {"s": (2, 6)}, {"axes": (1, 1)},
           {"s": (4, -1, 3), "axes": (1, 2, 3)}, {"axes": (2, 1, 2), "norm": "ortho"}, {"norm": "forward"}]


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
def test_a_transform_of_several_axes_is_numpys(name, options):
    x = numbers(name, (2, 3, 5, 2, 4), "double")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)          # NumPy wants axes beside s
        expected = getattr(onp.fft, name)(x, **options)
    near(getattr(np.fft, name)(x, **options), expected)


@pytest.mark.parametrize("name", [*ONE, "fft2", "irfftn", "rfftn"])
@pytest.mark.parametrize("shape", [(6, 4, 4), (5, 3, 7), (1, 31, 2)])
def test_compiled_transforms_are_those_of_numpy(name, shape):
    for dtype in ("double", "single"):
        x = numbers(name, shape, dtype)
        near(jit(lambda v: getattr(np.fft, name)(v))(x), getattr(onp.fft, name)(x))


@pytest.mark.parametrize("n", [1, 2, 13, 97, 210, 1009, 2048])
def test_compiled_transforms_of_any_length(n):
    x = RNG.normal(size=(2, n)) + 1j * RNG.normal(size=(2, n))
    near(jit(np.fft.fft)(x), onp.fft.fft(x))
    near(jit(np.fft.rfft)(x.real), onp.fft.rfft(x.real))


def test_no_lanes_are_no_trouble():
    for f in (np.fft.fft, jit(np.fft.fft)):
        assert f(onp.zeros((0, 4))).shape == (0, 4)
    for f in (np.fft.rfft, jit(np.fft.rfft)):
        assert f(onp.zeros((3, 0, 4))).shape == (3, 0, 3)


@given(st.integers(1, 12), st.integers(1, 3))
def test_the_inverse_undoes_the_transform(n, m):
    x = RNG.normal(size=(m, n))
    close(np.fft.irfft(np.fft.rfft(x), n), x, 1e-14)
    close(np.fft.ifft(np.fft.fft(x)).real, x, 1e-14)
    close(np.fft.hfft(np.fft.ihfft(x), n), x, 1e-14)


def test_energy_is_kept_by_ortho():
    x = RNG.normal(size=100)
    assert float(np.sum(np.abs(np.fft.fft(x, norm="ortho")) ** 2)) == pytest.approx(float(x @ x), rel=1e-14)


@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_frequencies_and_shifts_are_numpys(n):
    for d in (1.0, 0.25):
        near(np.fft.fftfreq(n, d), onp.fft.fftfreq(n, d))
        near(np.fft.rfftfreq(n, d), onp.fft.rfftfreq(n, d))
    x = RNG.normal(size=(n, 3))
    for axes in (None, 0, (1,), (0, 1)):
        onp.testing.assert_array_equal(np.fft.fftshift(x, axes), onp.fft.fftshift(x, axes))
        onp.testing.assert_array_equal(np.fft.ifftshift(np.fft.fftshift(x, axes), axes), x)


def test_float32_is_the_default_where_it_is_set():
    with config(default_float="float32"):
        assert np.fft.fft([1, 2, 3]).dtype == onp.complex64
        assert np.fft.fftfreq(3).dtype == onp.float32


@pytest.mark.parametrize("call, error", [
    (lambda: np.fft.fft(onp.ones(3), 0), ShapeError), (lambda: np.fft.fft(onp.ones((2, 0))), ShapeError),
    (lambda: np.fft.fft(1.0), ShapeError), (lambda: np.fft.fft(onp.ones(3), axis=1), ShapeError),
    (lambda: np.fft.fft(onp.ones(3), norm="unitary"), ShapeError), (lambda: np.fft.rfft(onp.ones(3) * 1j), DtypeError),
    (lambda: np.fft.fftn(onp.ones((3, 3)), (2,), (0, 1)), ShapeError), (lambda: np.fft.fftfreq(0), ShapeError),
    (lambda: np.fft.rfftn(onp.ones(3), axes=()), ShapeError), (lambda: sfft.dct(onp.ones(3), 5), ShapeError),
    (lambda: sfft.dct(onp.ones(1), 1), ShapeError), (lambda: sfft.dctn(onp.ones((2, 2)), s=(2,), axes=(0, 1)),
                                                     ShapeError)])
def test_what_has_no_transform_is_refused(call, error):
    with pytest.raises(error):
        call()


def test_a_gradient_through_a_spectrum():
    """d/dx Σ_k w_k |X_k|² = 2 Re Σ_k w_k conj(X_k) exp(-2πi jk/n)"""
    x, w = RNG.normal(size=9), RNG.normal(size=9)
    got = grad(lambda v: (w * np.abs(np.fft.fft(v)) ** 2).sum())(x)
    close(got, 2 * 9 * onp.fft.ifft(w * onp.fft.fft(x)).real, 1e-12)


@pytest.mark.parametrize("kind", ["fft", "ifft"])
def test_complex_derivatives_are_linear_maps(kind):
    f = getattr(np.fft, kind)
    x, t = (RNG.normal(size=6) + 1j * RNG.normal(size=6) for _ in range(2))
    near(jvp(f, (x,), (t,))[1], getattr(onp.fft, kind)(t))
    near(vjp(f, x)[1](np.asarray(t))[0], getattr(onp.fft, kind)(t))


@pytest.mark.parametrize("name", ["hfft2", "ihfft2", "hfftn", "ihfftn"])
def test_real_spectra_of_several_axes_are_scipys(name):
    x = RNG.normal(size=(3, 4, 5))
    x = x if name[0] == "i" else x + 1j * RNG.normal(size=x.shape)
    for options in ({}, {"s": (4, 6), "axes": (1, 2)}, {"axes": (0, 2), "norm": "ortho"}, {"norm": "forward"}):
        near(getattr(sfft, name)(x, **options), getattr(scipy.fft, name)(x, **options))


# ---- cosine and sine transforms ----

@pytest.mark.parametrize("name", ["dct", "idct", "dst", "idst"])
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_cosine_and_sine_transforms_are_scipys(name, kind):
    for n in (1, 2, 3, 4, 7, 8):
        if n == 1 and kind == 1 and "dct" in name:
            continue
        for norm in (None, "ortho", "forward"):
            for orthogonalize in (None, True, False):
                for dtype in ("float64", "float32"):
                    x = RNG.normal(size=(2, n)).astype(dtype)
                    near(getattr(sfft, name)(x, kind, norm=norm, orthogonalize=orthogonalize),
                         getattr(scipy.fft, name)(x, kind, norm=norm, orthogonalize=orthogonalize))
    x = RNG.normal(size=(4, 5))
    f = getattr(sfft, name)
    near(jit(lambda v: f(v, kind, axis=0))(x), getattr(scipy.fft, name)(x, kind, axis=0))
    near(f(x, kind, 7), getattr(scipy.fft, name)(x, kind, 7))
    near(vmap(lambda v: f(v, kind))(x), getattr(scipy.fft, name)(x, kind))
    z = x + 1j * x[::-1]
    near(f(z, kind), getattr(scipy.fft, name)(z.real, kind) + 1j * getattr(scipy.fft, name)(z.imag, kind))


@pytest.mark.parametrize("name", ["dctn", "idctn", "dstn", "idstn"])
def test_cosine_transforms_of_several_axes_are_scipys(name):
    x = RNG.normal(size=(3, 4, 5))
    for options in ({}, {"axes": (0, 2)}, {"s": (5, 3)}, {"s": (2, 6), "axes": (2, 0)}, {"norm": "ortho", "type": 3}):
        near(getattr(sfft, name)(x, **options), getattr(scipy.fft, name)(x, **options))


def test_the_gradient_of_a_cosine_transform_is_the_other_one():
    x, c = RNG.normal(size=6), RNG.normal(size=6)
    got = grad(lambda v: (sfft.dct(v, norm="ortho") * c).sum())(x)
    close(got, scipy.fft.idct(c, norm="ortho"), 1e-14)


@given(st.integers(1, 5000), st.booleans())
def test_the_next_fast_length_is_scipys(n, real):
    assert sfft.next_fast_len(n, real) == scipy.fft.next_fast_len(n, real)
