"""Convolutions: generated configurations against the definition; layouts and groups against each other."""
import numpy as onp
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from chainrule.engine import grad, jit, lax, vjp, vmap
from chainrule.engine.errors import ShapeError
from tests.engine.cases_conv import direct, window_numpy
from tests.engine.laws import close

RNG = onp.random.default_rng(10)


@st.composite
def configurations(draw):
    """(x, w, the options of conv_general_dilated), of 1 to 3 axes of space."""
    k = draw(st.integers(1, 3))

    def numbers(low, high):
        return tuple(draw(st.lists(st.integers(low, high), min_size=k, max_size=k)))
    groups, channels = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    x = RNG.normal(size=(draw(st.integers(1, 2)), groups * channels, *numbers(1, 5)))
    w = RNG.normal(size=(groups * draw(st.integers(1, 2)), channels, *numbers(1, 3)))
    options = dict(window_strides=numbers(1, 3), padding=tuple(zip(numbers(0, 2), numbers(-1, 2))),
                   lhs_dilation=numbers(1, 2), rhs_dilation=numbers(1, 2))
    return x, w, options, groups


def definition(x, w, options, groups):
    return direct(x, w, options["window_strides"], options["padding"], options["lhs_dilation"],
                  options["rhs_dilation"], groups)


@given(configurations())
def test_a_convolution_is_its_definition(configuration):
    x, w, options, groups = configuration
    close(lax.conv_general_dilated(x, w, feature_group_count=groups, **options), definition(*configuration), 1e-13)


@given(configurations())
def test_the_transposes_of_a_convolution_are_its_transposes(configuration):
    """<c, conv(t, w)> = <xᵀ(c), t> for every t, and so for w."""
    x, w, options, groups = configuration
    y, pull = vjp(lambda a, b: lax.conv_general_dilated(a, b, feature_group_count=groups, **options), x, w)
    c = RNG.normal(size=y.shape)
    for cotangent, a, b in zip(pull(c), ((t := RNG.normal(size=x.shape)), x), (w, (u := RNG.normal(size=w.shape)))):
        forward = (c * definition(a, b, options, groups)).sum()
        backward = (onp.asarray(cotangent) * (t if a is t else u)).sum()
        size = onp.abs(c).sum() * onp.abs(definition(abs(a), abs(b), options, groups)).max(initial=0) + 1
        assert abs(forward - backward) <= 1e-13 * size


@pytest.mark.parametrize("padding", ["SAME", "VALID", "SAME_LOWER"])
@pytest.mark.parametrize("n, k, stride, gap", [(7, 3, 1, 1), (8, 4, 2, 1), (6, 3, 3, 2), (5, 2, 2, 2)])
def test_padding_by_name(padding, n, k, stride, gap):
    x, w = RNG.normal(size=(1, 1, n)), RNG.normal(size=(1, 1, k))
    reach = (k - 1) * gap + 1
    out = -(-n // stride) if padding != "VALID" else -(-(n - reach + 1) // stride)
    total = max(0, (out - 1) * stride + reach - n)
    low = {"SAME": total // 2, "SAME_LOWER": total - total // 2, "VALID": 0}[padding]
    pads = (low, total - low) if padding != "VALID" else (0, 0)
    got = lax.conv_general_dilated(x, w, (stride,), padding, rhs_dilation=(gap,))
    assert got.shape[2] == out
    close(got, direct(x, w, (stride,), (pads,), (1,), (gap,), 1), 1e-14)


@pytest.mark.parametrize("numbers", [("NHWC", "HWIO", "NHWC"), ("NCHW", "OIHW", "NHWC"), ("CHNW", "IWOH", "WNHC")])
def test_a_layout_is_a_transpose(numbers):
    x, w = RNG.normal(size=(2, 3, 6, 5)), RNG.normal(size=(4, 3, 3, 2))
    plain = onp.asarray(lax.conv(x, w, (1, 2), "SAME"))
    moved = [onp.transpose(v, ["NCHW".index(c) for c in s]) if s is not numbers[1] else
             onp.transpose(v, ["OIHW".index(c) for c in s]) for v, s in zip((x, w), numbers)]
    strides = [{"H": 1, "W": 2}[c] for c in numbers[1] if c in "HW"]     # in the order of the window's axes
    got = lax.conv_general_dilated(*moved, strides, "SAME", dimension_numbers=numbers)
    close(got, onp.transpose(plain, ["NCHW".index(c) for c in numbers[2]]), 1e-13)


def test_batch_groups_are_convolutions_of_parts():
    x, w = RNG.normal(size=(6, 2, 5)), RNG.normal(size=(4, 2, 3))
    got = lax.conv_general_dilated(x, w, (1,), "VALID", batch_group_count=2)
    parts = [lax.conv(a, b, (1,), "VALID") for a, b in ((x[:3], w[:2]), (x[3:], w[2:]))]
    close(got, onp.concatenate(parts, 1), 1e-13)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("k, stride", [(3, 2), (2, 3), (4, 2), (5, 1)])
def test_conv_transpose_is_the_transpose_of_the_forward_convolution(padding, k, stride):
    """With transpose_kernel, and for sizes that the stride divides."""
    n = 4 * stride if padding == "SAME" else 3 * stride + k
    x, w = RNG.normal(size=(2, n, 3)), RNG.normal(size=(k, 3, 5))
    forward = lambda v: lax.conv_general_dilated(v, w, (stride,), padding, dimension_numbers=("NHC", "HIO", "NHC"))
    y, pull = vjp(forward, x)
    c = RNG.normal(size=y.shape)
    got = onp.asarray(lax.conv_transpose(c, w, (stride,), padding, transpose_kernel=True))
    if padding == "SAME":
        close(got, pull(c)[0], 1e-13)
    else:
        expected = onp.asarray(pull(c)[0])               # what no window saw has the cotangent 0
        close(expected[:, :got.shape[1]], got[:, :n], 1e-13)


def test_conv_transpose_without_turning():
    x, w = RNG.normal(size=(1, 4, 1)), RNG.normal(size=(3, 1, 1))
    got = lax.conv_transpose(x, w, (2,), "VALID")
    wide = onp.zeros(7)
    wide[::2] = x[0, :, 0]
    close(got[0, :, 0], onp.convolve(wide, w[::-1, 0, 0]), 1e-14)


def test_patches_are_what_a_window_sees():
    x = RNG.normal(size=(2, 3, 6, 5))
    got = lax.conv_general_dilated_patches(x, (2, 3), (2, 1), "VALID")
    view = onp.lib.stride_tricks.sliding_window_view(x, (2, 3), (2, 3))[:, :, ::2]
    close(got, onp.moveaxis(view.reshape(2, 3, 3, 3, 6), 4, 2).reshape(2, 18, 3, 3), 0)


@pytest.mark.parametrize("n, k", [(80, 16), (200, 33), (257, 150), (1300, 1100)])
def test_long_windows_compiled(n, k):
    """The error of a sum of k products is at most k ulps of the sum of their sizes; here the mean is far below."""
    for dtype in ("float64", "float32", "complex128"):
        x, w = RNG.normal(size=(2, n)).astype(dtype), RNG.normal(size=k).astype(dtype)
        f = jit(lambda a, b: lax.conv(a[:, None], b[None, None], (1,), "VALID")[:, 0])
        expected = onp.stack([onp.convolve(row, w[::-1], "valid") for row in x])
        size = onp.abs(x).max() * onp.abs(w).sum()
        assert onp.abs(onp.asarray(f(x, w)) - expected).max() <= 8 * onp.finfo(dtype).eps * size


def test_integers_and_booleans_are_convolved():
    x, w = RNG.integers(-9, 9, (1, 2, 8)), RNG.integers(-9, 9, (1, 2, 3))
    for f in (lax.conv, jit(lax.conv, static_argnums=(2, 3))):
        onp.testing.assert_array_equal(f(x, w, (1,), "VALID"), direct(x, w, (1,), ((0, 0),), (1,), (1,), 1))
    y = lax.conv(x > 0, w > 0, (1,), "VALID")
    assert y.dtype == bool and (onp.asarray(y) == (direct(x > 0, w > 0, (1,), ((0, 0),), (1,), (1,), 1) > 0)).all()


def test_complex_derivatives_need_no_conjugate():
    """Re Σ c conv(t, w) is the same by jvp and by vjp, for complex numbers too."""
    x, t, w, c = (RNG.normal(size=s) + 1j * RNG.normal(size=s) for s in ((1, 2, 7), (1, 2, 7), (3, 2, 3), (1, 3, 5)))
    y, pull = vjp(lambda a, b: lax.conv(a, b, (1,), "VALID"), x, w)
    cx, cw = (onp.asarray(v) for v in pull(c))
    close((c * onp.asarray(lax.conv(t, w, (1,), "VALID"))).sum(), (cx * t).sum(), 1e-13)
    close((c * onp.asarray(y)).sum(), (cw * w).sum(), 1e-13)


@pytest.mark.parametrize("shape, window", [((0, 2, 5), (3, 2, 2)), ((2, 2, 1), (3, 2, 2)), ((2, 0, 5), (3, 0, 2)),
                                           ((2, 2, 0), (3, 2, 1)), ((2, 1, 3, 0), (1, 1, 2, 2))])
def test_nothing_is_convolved_to_nothing_or_to_zeros(shape, window):
    x, w = onp.ones(shape), onp.ones(window)
    f = lambda a, b: lax.conv(a, b, (1,) * (x.ndim - 2), "VALID")
    y = onp.asarray(f(x, w))
    assert not y.any() and (onp.asarray(jit(f)(x, w)) == y).all()
    gradients = jit(grad(lambda a, b: (f(a, b) ** 2).sum(), (0, 1)))(x, w)
    assert [g.shape for g in gradients] == [shape, window] and not any(onp.any(g) for g in gradients)


def test_vmap_over_examples_and_windows_is_a_loop():
    xs, ws = RNG.normal(size=(3, 2, 4, 9)), RNG.normal(size=(3, 6, 2, 3))
    f = lambda x, w: lax.conv_general_dilated(x, w, (2,), "SAME", feature_group_count=2)
    for axes in ((0, 0), (0, None), (None, 0)):
        args = [v if a == 0 else v[0] for v, a in zip((xs, ws), axes)]
        loop = [f(xs[i] if axes[0] == 0 else xs[0], ws[i] if axes[1] == 0 else ws[0]) for i in range(3)]
        close(vmap(f, axes)(*args), onp.stack(loop), 1e-13)


@pytest.mark.parametrize("call", [
    lambda: lax.conv_general_dilated(onp.ones((1, 1, 4)), onp.ones((1, 1, 2)), (1,), "SAME", (2,)),
    lambda: lax.conv_general_dilated(onp.ones((1, 1, 4)), onp.ones((1, 1, 2)), (0,), "VALID"),
    lambda: lax.conv_general_dilated(onp.ones((1, 1, 4)), onp.ones((1, 1, 2)), (1, 1), "VALID"),
    lambda: lax.conv_general_dilated(onp.ones((1, 3, 4)), onp.ones((2, 3, 2)), (1,), "VALID", feature_group_count=2),
    lambda: lax.conv_general_dilated(onp.ones((3, 1, 4)), onp.ones((2, 1, 2)), (1,), "VALID", batch_group_count=2),
    lambda: lax.conv_general_dilated(onp.ones((1, 1, 4)), onp.ones((1, 1, 2)), (1,), ((0, 0), (0, 0))),
    lambda: lax.conv_dimension_numbers((1, 1, 4), (1, 1, 2), ("NCH", "OIW", "NCH")),
    lambda: lax.conv_transpose(onp.ones((1, 4, 1)), onp.ones((2, 1, 1)), (2,), "FULL")])
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(ShapeError):
        call()


# ---- windows ----

@st.composite
def pools(draw):
    k = draw(st.integers(1, 3))

    def numbers(low, high):
        return tuple(draw(st.lists(st.integers(low, high), min_size=k, max_size=k)))
    window, gaps = numbers(1, 3), numbers(1, 2)
    shape = tuple([max(n, (w - 1) * g + 1) for n, w, g in zip(numbers(1, 5), window, gaps)])
    return RNG.normal(size=shape), window, numbers(1, 3), tuple(zip(numbers(0, 2), numbers(0, 2))), numbers(1, 2), gaps


@given(pools(), st.sampled_from([("add", onp.add, 0.0), ("max", onp.maximum, -onp.inf), ("min", onp.minimum, onp.inf),
                                 ("mul", onp.multiply, 1.0)]))
def test_a_reduction_over_windows_is_its_definition(pool, monoid):
    x, *sizes = pool
    how, op, start = monoid
    close(lax.reduce_window(x, start, how, *sizes), window_numpy(x, op, start, *sizes), 1e-13)


@given(pools())
def test_the_derivative_of_a_largest_element_goes_to_its_place(pool):
    x, *sizes = pool
    got = grad(lambda v: lax.reduce_window(v, -onp.inf, "max", *sizes).sum())(x)
    y = onp.asarray(lax.reduce_window(x, -onp.inf, "max", *sizes))
    counts = onp.array([[(y == v).sum() for v in x.reshape(-1)]]).reshape(x.shape)
    onp.testing.assert_array_equal(got, counts)


def test_an_image_filter_is_scipys():
    image, kernel = RNG.normal(size=(20, 17)), RNG.normal(size=(5, 3))
    got = lax.conv(image[None, None], kernel[None, None], (1, 1), "SAME")[0, 0]
    close(got, scipy.signal.correlate2d(image, kernel, "same"), 1e-13)
