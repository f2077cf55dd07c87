"""scipy.signal, scipy.integrate and scipy.ndimage against SciPy."""
import numpy as onp
import pytest
import scipy.integrate
import scipy.ndimage
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

import chainrule.engine.numpy as np
from chainrule.engine import grad, jit, vmap
from chainrule.engine.errors import ShapeError
from chainrule.engine.scipy import integrate, ndimage, signal
from tests.engine.laws import close, direction, slope

RNG = onp.random.default_rng(12)


def near(found, expected, rtol=1e-12):
    found, expected = onp.asarray(found), onp.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    size = onp.abs(expected).max(initial=0)
    assert onp.abs(found - expected).max(initial=0) <= rtol * size + 1e-300


# ---- convolution ----

@given(st.integers(1, 3), st.data(), st.sampled_from(["full", "same", "valid"]), st.sampled_from(["direct", "fft"]),
       st.sampled_from(["float", "complex", "int"]))
def test_convolution_in_any_number_of_axes_is_scipys(k, data, mode, method, kind):
    def draw():
        x = RNG.normal(size=data.draw(st.tuples(*[st.integers(1, 5)] * k)))
        return (x * 5).astype(int) if kind == "int" else x + 1j * RNG.normal(size=x.shape) if kind == "complex" else x
    a, b = draw(), draw()
    for name in ("convolve", "correlate"):
        try:
            expected = getattr(scipy.signal, name)(a, b, mode, method)
        except ValueError:                               # "valid", and neither is the larger
            with pytest.raises(ShapeError):
                getattr(signal, name)(a, b, mode, method)
            continue
        near(getattr(signal, name)(a, b, mode, method), expected)
        near(getattr(signal, name)(a, b, mode), expected)
        if kind != "int":
            near(signal.fftconvolve(a, b, mode), scipy.signal.fftconvolve(a, b, mode))


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
@pytest.mark.parametrize("name", ["convolve2d", "correlate2d"])
def test_matrices_with_a_boundary(name, boundary, mode):
    for shape in ((3, 2), (2, 4), (1, 1), (5, 5)):
        a, b = RNG.normal(size=(5, 6)), RNG.normal(size=shape)
        run = lambda a, b: getattr(signal, name)(a, b, mode, boundary, 0.5)
        expected = getattr(scipy.signal, name)(a, b, mode, boundary, 0.5)
        near(run(a, b), expected)
    near(jit(run)(a, b), expected)


def test_fftconvolve_along_some_axes():
    a, b = RNG.normal(size=(3, 1, 8)), RNG.normal(size=(1, 4, 5))
    near(signal.fftconvolve(a, b, axes=2), scipy.signal.fftconvolve(a, b, axes=2))
    near(jit(lambda a, b: signal.oaconvolve(a, b, axes=-1))(a, b), scipy.signal.oaconvolve(a, b, axes=-1))


def test_the_gradient_is_the_same_directly_and_by_fft():
    a, b = RNG.normal(size=(4, 5)), RNG.normal(size=(2, 3))
    c = RNG.normal(size=(5, 7))
    directly, by_fft = [grad(lambda a, b, m=m: (signal.convolve(a, b, method=m) * c).sum(), (0, 1))(a, b)
                        for m in ("direct", "fft")]
    close(directly, by_fft, 1e-13)


# ---- filters ----

B, A = scipy.signal.butter(3, 0.2)
SOS = scipy.signal.butter(4, 0.3, output="sos")
X = RNG.normal(size=(2, 40))


@pytest.mark.parametrize("b, a", [(B, A), (B, [1.0]), ([1.0], A), ([2.0], [0.5]), (B, [2.0])], ids=range(5))
def test_a_filter_is_scipys(b, a):
    near(signal.lfilter(b, a, X), scipy.signal.lfilter(b, a, X))
    near(jit(lambda x: signal.lfilter(b, a, x, axis=0))(X.T), scipy.signal.lfilter(b, a, X.T, axis=0))
    zi = RNG.normal(size=(2, max(len(b), len(a)) - 1))
    for found, expected in zip(signal.lfilter(b, a, X, zi=zi), scipy.signal.lfilter(b, a, X, zi=zi)):
        near(found, expected)


def test_a_filter_has_derivatives_in_its_coefficients_too():
    c = RNG.normal(size=X.shape)
    f = lambda b, a, x: (signal.lfilter(b, a, x) * c).sum()
    ts = [direction(i, v) for i, v in enumerate((B, A, X))]
    found = sum((g * t).sum() for g, t in zip(grad(f, (0, 1, 2))(B, A, X), ts))
    close(found, slope(f, [B, A, X], ts)[0], 1e-6)


def test_filters_made_of_filters():
    near(signal.lfilter_zi(B, A), scipy.signal.lfilter_zi(B, A))
    near(signal.sosfilt(SOS, X), scipy.signal.sosfilt(SOS, X))
    zi = RNG.normal(size=(2, 2, 2))
    for found, expected in zip(signal.sosfilt(SOS, X, zi=zi), scipy.signal.sosfilt(SOS, X, zi=zi)):
        near(found, expected)
    for options in ({}, {"padtype": "even"}, {"padtype": "constant"}, {"padtype": None}, {"padlen": 39}):
        near(signal.filtfilt(B, A, X, **options), scipy.signal.filtfilt(B, A, X, **options), 1e-10)
    near(vmap(lambda x: signal.filtfilt(B, A, x))(X), scipy.signal.filtfilt(B, A, X), 1e-10)


@pytest.mark.parametrize("options", [{}, {"type": "constant"}, {"bp": [10, 31]}, {"bp": 1}])
def test_a_trend_is_taken_away_as_in_scipy(options):
    near(signal.detrend(X, **options), scipy.signal.detrend(X, **options), 1e-12)
    near(jit(lambda x: signal.detrend(x, axis=0, **options))(X.T), scipy.signal.detrend(X.T, axis=0, **options), 1e-12)


# ---- windows and spectra ----

@pytest.mark.parametrize("window", ["boxcar", "triang", "bartlett", "cosine", "hann", "hamming", "blackman", "nuttall",
                                    "blackmanharris", "flattop", ("gaussian", 2.0), ("kaiser", 5.0), "tukey",
                                    ("tukey", 0.3), 3.5])
def test_a_window_is_scipys(window):
    for m in (1, 2, 5, 6):
        for periodic in (True, False):
            near(signal.get_window(window, m, periodic), scipy.signal.get_window(window, m, periodic), 1e-15)


LONG, OTHER = RNG.normal(size=(2, 100)), RNG.normal(size=(2, 100))
SPECTRA = [{"nperseg": 32}, {"nperseg": 32, "noverlap": 20, "nfft": 50, "fs": 10.0},
           {"nperseg": 31, "scaling": "spectrum", "detrend": "linear"},
           {"nperseg": 20, "detrend": False, "average": "median"}, {"nperseg": 32, "return_onesided": False}]
SEGMENTS = [{}, {"noverlap": 20}, {"boundary": "even", "fs": 4.0}, {"boundary": "odd", "nfft": 40}, {"scaling": "psd"},
            {"boundary": "constant", "padded": False}, {"return_onesided": False}]


def all_near(found, expected):
    assert len(found) == len(expected)
    for f, e in zip(found, expected):
        near(f, e, 1e-11)


@pytest.mark.parametrize("options", SPECTRA, ids=range(len(SPECTRA)))
def test_spectral_densities_are_scipys(options):
    all_near(signal.welch(LONG, **options), scipy.signal.welch(LONG, **options))
    all_near(signal.csd(LONG, OTHER, **options), scipy.signal.csd(LONG, OTHER, **options))


def test_spectra_of_other_signals():
    z = LONG + 1j * OTHER
    all_near(signal.welch(z, nperseg=32), scipy.signal.welch(z, nperseg=32, return_onesided=False))
    all_near(signal.welch(LONG.T, nperseg=32, axis=0), scipy.signal.welch(LONG.T, nperseg=32, axis=0))
    all_near(signal.csd(LONG, OTHER[:, :70], nperseg=32), scipy.signal.csd(LONG, OTHER[:, :70], nperseg=32))
    all_near(signal.periodogram(LONG, 3.0, "hann", 128), scipy.signal.periodogram(LONG, 3.0, "hann", 128))
    all_near(signal.coherence(LONG, OTHER, nperseg=32), scipy.signal.coherence(LONG, OTHER, nperseg=32))
    all_near(jit(lambda x: signal.welch(x, nperseg=32))(LONG), scipy.signal.welch(LONG, nperseg=32))


@pytest.mark.parametrize("options", SEGMENTS, ids=range(len(SEGMENTS)))
def test_the_short_time_transform_is_scipys_and_its_inverse_undoes_it(options):
    found, expected = signal.stft(LONG, nperseg=32, **options), scipy.signal.stft(LONG, nperseg=32, **options)
    all_near(found, expected)
    back = {k: v for k, v in options.items() if k in ("fs", "noverlap", "nfft", "scaling")}
    times, x = signal.istft(found[2], nperseg=32, input_onesided=options.get("return_onesided", True), **back)
    n = x.shape[-1] if "padded" in options else 100
    close(onp.asarray(x)[:, :n].real, LONG[:, :n], 1e-13)
    close(times, onp.arange(x.shape[-1]) / options.get("fs", 1.0), 1e-15)


def test_energy_is_kept_by_the_periodogram():
    f, p = signal.periodogram(LONG, fs=4.0, detrend=False)
    close(np.sum(p, -1) * (f[1] - f[0]), (LONG ** 2).mean(-1), 1e-13)


# ---- integration ----

@given(st.integers(1, 9), st.sampled_from(["plain", "dx", "x"]))
def test_rules_of_integration_are_scipys(n, spacing):
    y = RNG.normal(size=(3, n, 2))
    options = {"plain": {}, "dx": {"dx": 0.3}, "x": {"x": onp.cumsum(RNG.uniform(0.1, 1, n))}}[spacing]
    near(integrate.simpson(y, axis=1, **options), scipy.integrate.simpson(y, axis=1, **options))
    near(integrate.trapezoid(y, axis=1, **options), scipy.integrate.trapezoid(y, axis=1, **options))
    for initial in (None, 0):
        near(integrate.cumulative_trapezoid(y, axis=1, initial=initial, **options),
             scipy.integrate.cumulative_trapezoid(y, axis=1, initial=initial, **options))
        if n > 1:
            near(integrate.cumulative_simpson(y, axis=1, initial=initial, **options),
                 scipy.integrate.cumulative_simpson(y, axis=1, initial=initial, **options))


def test_a_parabola_is_integrated_exactly():
    x = onp.array([0.0, 0.3, 1.0, 1.1, 2.0])
    close(integrate.simpson(3 * x * x, x=x), 8.0, 1e-14)
    close(integrate.cumulative_simpson(3 * x * x, x=x), x[1:] ** 3, 1e-14)
    close(grad(lambda y: integrate.simpson(y, dx=0.5))(onp.ones(5)), onp.array([1, 4, 2, 4, 1]) / 6, 1e-15)


# ---- images ----

PLACES = onp.concatenate([RNG.uniform(-12, 15, (2, 30)), onp.round(RNG.uniform(-12, 15, (2, 12)))], 1)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("mode", ["constant", "grid-constant", "nearest", "mirror", "reflect", "grid-mirror",
                                  "grid-wrap", "wrap"])
def test_an_image_at_any_places_is_scipys(mode, order):
    for shape in ((4, 6), (1, 3)):
        image = RNG.normal(size=shape) * 10
        expected = scipy.ndimage.map_coordinates(image, PLACES, order=order, mode=mode, cval=2.5)
        near(ndimage.map_coordinates(image, PLACES, order, mode, 2.5), expected)
        counts = image.astype(int)
        onp.testing.assert_array_equal(
            ndimage.map_coordinates(counts, PLACES, order, mode, 2.5),
            scipy.ndimage.map_coordinates(counts, PLACES, order=order, mode=mode, cval=2.5))
    near(jit(lambda x: ndimage.map_coordinates(x, PLACES, order, mode, 2.5))(image), expected)


def test_an_image_has_derivatives_in_its_elements_and_in_the_places():
    image, places = RNG.normal(size=(4, 5)), RNG.uniform(0.2, 2.8, (2, 6))
    f = lambda a, p: (ndimage.map_coordinates(a, p, 1, "mirror") ** 2).sum()
    ts = [direction(0, image), direction(1, places)]
    found = sum((g * t).sum() for g, t in zip(grad(f, (0, 1))(image, places), ts))
    close(found, slope(f, [image, places], ts)[0], 1e-8)


@pytest.mark.parametrize("call", [
    lambda: signal.convolve(X, X[0]), lambda: signal.convolve(X, X, "all"), lambda: signal.convolve(X, X, method="no"),
    lambda: signal.convolve2d(X[0], X[0]), lambda: signal.convolve2d(X, X, boundary="no"),
    lambda: signal.lfilter([], [1.0], X), lambda: signal.detrend(X, type="cubic"), lambda: signal.detrend(X, bp=99),
    lambda: signal.sosfilt(SOS[:, :5], X), lambda: signal.filtfilt(B, A, X[:, :5]),
    lambda: integrate.simpson(X, x=onp.arange(3.0)), lambda: ndimage.map_coordinates(X, [[1.0]]),
    lambda: ndimage.map_coordinates(X, [[1.0], [1.0]], order=3),
    lambda: ndimage.map_coordinates(X, [[1.0], [1.0]], mode="away")])
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(ShapeError):
        call()
