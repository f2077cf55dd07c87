"""The functions of `lax` that are made of others: against NumPy, eager and compiled."""
import functools

import ml_dtypes
import numpy as onp
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule.engine.numpy as np
from chainrule.engine import grad, jit, lax, vmap
from chainrule.engine.errors import DtypeError, ShapeError
from tests.engine.laws import close, leaves

RNG = onp.random.default_rng(4)
X = RNG.normal(size=(3, 4))
V = RNG.normal(size=5)
T = RNG.normal(size=(2, 3, 4))
INTS = onp.array([5, -3, 0, 12, -7, 2**31 - 1, -2**31], onp.int32)
HALVES = onp.array([0.5, 1.5, -0.5, -2.5, 0.49999999999999994, 2.2, -3.7, 0.0, 2.0**52 + 1])

ROWS = [
    (lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN), onp.rint, HALVES),
    (lambda x: lax.div(x, onp.int32(-2)), lambda x: onp.trunc(x / -2.0).astype(onp.int32), INTS),
    (lambda x: lax.rem(x, onp.int32(3)), lambda x: onp.fmod(x, onp.int32(3)), INTS),
    (lambda x: lax.shift_right_logical(x, onp.int32(3)), lambda x: (x.view(onp.uint32) >> 3).view(onp.int32), INTS),
    (lambda x: lax.shift_right_arithmetic(x, onp.int32(3)), lambda x: x >> 3, INTS),
    (lambda x: lax.shift_right_arithmetic(x, onp.uint8(1)), lambda x: (x.view(onp.int8) >> 1).view(onp.uint8),
     onp.array([255, 128, 127, 0], onp.uint8)),
    (lax.clz, lambda x: onp.array([32 - int(v).bit_length() for v in x.view(onp.uint32)], onp.int32), INTS),
    (lax.clz, lambda x: onp.array([64 - int(v).bit_length() for v in x], onp.uint64),
     onp.array([0, 1, 2**63, 77], onp.uint64)),
    (lax.population_count, lambda x: onp.bitwise_count(x.view(onp.uint32)).astype(onp.int32), INTS),
    (lambda x: lax.clamp(-0.5, x, 0.5), lambda x: onp.clip(x, -0.5, 0.5), onp.r_[V, onp.nan]),
    (lambda x: lax.complex(x, 2 * x), lambda x: x + 2j * x, V),
    (lambda x: lax.exp2(x), onp.exp2, onp.arange(-3.0, 4)),
    (lambda x: lax.select(x > 0, x, -x), onp.abs, V),
    (lambda x: lax.select_n(onp.array([0, 2, 1, 2, 0]), x, -x, 3 * x), lambda x: x * [1, 3, -1, 3, 1], V),
    (lambda x: lax.select_n(x > 0, -x, x), onp.abs, V),
    (lambda x: lax.iota(onp.int32, 4), lambda x: onp.arange(4, dtype=onp.int32), V),
    (lambda x: lax.broadcasted_iota(onp.float32, (2, 3), 1), lambda x: onp.tile(onp.arange(3, dtype="f4"), (2, 1)), V),
    (lambda x: lax.broadcast(x, (2, 3)), lambda x: onp.broadcast_to(x, (2, 3, 5)), V),
    (lambda x: lax.broadcast_in_dim(x, (2, 3, 4), (0, 2)), lambda x: onp.broadcast_to(x[:2, None], (2, 3, 4)), X[:2]),
    (lambda x: lax.broadcast_to_rank(x, 4), lambda x: x[None, None], X),
    (lambda x: lax.reshape(x, (4, 3), (1, 0)), lambda x: x.T, X),
    (lambda x: lax.collapse(x, 1), lambda x: x.reshape(2, 12), T),
    (lambda x: lax.collapse(x, 0, -1), lambda x: x.reshape(6, 4), T),
    (lambda x: lax.squeeze(lax.expand_dims(x, (0, -1)), (-1,)), lambda x: x[None], X),
    (lambda x: lax.rev(x, (0, -1)), lambda x: x[::-1, ::-1], X),
    (lambda x: lax.concatenate([x, x * 2], 1), lambda x: onp.concatenate([x, x * 2], 1), X),
    (lambda x: lax.pad(x, 7.0, [(1, 0, 1), (-1, 2, 0)]), lambda x: _padded(x), X),
    (lambda x: lax.split(x, (1, 3), axis=1), lambda x: [x[:, :1], x[:, 1:]], X),
    (lambda x: lax.slice(x, (1, 0), (3, 4), (1, 2)), lambda x: x[1:3, ::2], X),
    (lambda x: lax.slice_in_dim(x, 1, -1, axis=1), lambda x: x[:, 1:-1], X),
    (lambda x: lax.slice_in_dim(x, None, None, 2), lambda x: x[::2], X),
    (lambda x: lax.index_in_dim(x, -1, 1), lambda x: x[:, -1:], X),
    (lambda x: lax.index_in_dim(x, 1, keepdims=False), lambda x: x[1], X),
    (lambda x: lax.index_take(x, (onp.array([0, 2]), onp.array([3, 1])), (1, 2)), lambda x: x[:, [0, 2], [3, 1]].T, T),
    (lambda x: lax.dynamic_slice_in_dim(x, -2, 2, 1), lambda x: x[:, -2:], X),
    (lambda x: lax.dynamic_slice_in_dim(x, np.asarray(3), 2, 1), lambda x: x[:, 2:], X),
    (lambda x: lax.dynamic_index_in_dim(x, np.asarray(-1), 1, False), lambda x: x[:, -1], X),
    (lambda x: lax.dynamic_update_slice_in_dim(x, x[:, :2] * 0, np.asarray(1), 1),
     lambda x: onp.c_[x[:, :1], 0 * x[:, :2], x[:, 3:]], X),
    (lambda x: lax.dynamic_update_index_in_dim(x, x[0] * 0, 1, 0), lambda x: onp.stack([x[0], 0 * x[0], x[2]]), X),
    (lambda x: lax.reduce_sum(x, (0, 2)), lambda x: x.sum((0, 2)), T),
    (lambda x: lax.reduce_max(x, (1,)), lambda x: x.max(1), T),
    (lambda x: lax.reduce_xor(x, (0,)), onp.bitwise_xor.reduce, INTS),
    (lambda x: lax.reduce_and(x, (0,)), onp.bitwise_and.reduce, INTS[:2]),
    (lambda x: lax.reduce_or(x, (0,)), onp.bitwise_or.reduce, INTS),
    (lambda x: lax.cumsum(x, 1, reverse=True), lambda x: x[:, ::-1].cumsum(1)[:, ::-1], X),
    (lambda x: lax.cumprod(x), lambda x: x.cumprod(0), X),
    (lambda x: lax.cummax(x, 1), lambda x: onp.maximum.accumulate(x, 1), X),
    (lambda x: lax.cummin(x, 0, reverse=True), lambda x: onp.minimum.accumulate(x[::-1])[::-1], X),
    (lambda x: lax.cumlogsumexp(x, 1), lambda x: onp.logaddexp.accumulate(x, 1), X),
    (lambda x: lax.argmax(x, 1, onp.int32), lambda x: x.argmax(1).astype(onp.int32), X),
    (lambda x: lax.argmin(x, 0), lambda x: x.argmin(0), X),
    (lambda x: lax.sort(x, 0), lambda x: onp.sort(x, 0), X),
    (lambda x: lax.dot(x, x.T), lambda x: x @ x.T, X),
    (lambda x: lax.dot(x, x[0]), lambda x: x @ x[0], X),
    (lambda x: lax.batch_matmul(x, np.swapaxes(x, 1, 2)), lambda x: x @ x.swapaxes(1, 2), T),
    (lambda x: lax.dot_general(x, x, (((2,), (2,)), ((0,), (0,)))), lambda x: x @ x.swapaxes(1, 2), T),
    (lambda x: lax.fft(x, lax.FftType.RFFT, (4,)), onp.fft.rfft, X),
    (lambda x: lax.reduce_window(x, -onp.inf, lax.max, (2, 2), (1, 2), "SAME"),
     lambda x: onp.array([[x[i:i + 2, j:j + 2].max() for j in (0, 2)] for i in range(3)]), X),
    (lambda x: lax.reduce_window(x, 1.0, lax.add, (3,), None, ((1, 1),)),
     lambda x: 1 + onp.convolve(onp.r_[1, x, 1], onp.ones(3), "valid"), V),
    (lambda x: lax.reduce_window(x, 0.0, lambda a, b: np.hypot(a, b), (2,)),
     lambda x: onp.hypot(x[1:], x[:-1]), V),
]


def _padded(x):
    out = onp.full((6, 5), 7.0)
    out[1::2, :3] = x[:, 1:]
    return out


@pytest.mark.parametrize("ours, numpys, x", ROWS, ids=range(len(ROWS)))
def test_a_function_is_that_of_numpy(ours, numpys, x):
    expected = leaves(numpys(x))
    for run in (ours, jit(ours)):
        found = leaves(run(x))
        assert [(f.shape, f.dtype) for f in found] == [(e.shape, e.dtype) for e in expected]
        for f, e in zip(found, expected):
            onp.testing.assert_allclose(f, e, rtol=1e-14, atol=1e-15)


def test_halves_are_rounded_away_from_zero():
    expected = [1.0, 2.0, -1.0, -3.0, 0.0, 2.0, -4.0, 0.0, 2.0**52 + 1]
    assert lax.round(HALVES).tolist() == expected
    assert jit(lax.round)(HALVES).tolist() == expected


@pytest.mark.parametrize("call", [
    lambda: lax.select(V > 0, V, V[:3]),
    lambda: lax.select_n(V > 0, V, V, V),
    lambda: lax.slice(X, (0, 0), (4, 4)),
    lambda: lax.pad(X, 0.0, [(0, 0, 0)]),
    lambda: lax.pad(V, 0.0, [(-3, -3, 0)]),
    lambda: lax.broadcast_in_dim(X, (4, 3), (1, 0)),
    lambda: lax.index_in_dim(X, 3),
    lambda: lax.dynamic_slice_in_dim(X, 0, 5, 0),
    lambda: lax.top_k(V, 6),
    lambda: lax.sort((V, X)),
    lambda: lax.dot(T, T),
    lambda: lax.batch_matmul(X, T),
    lambda: lax.reduce(V, 0.0, "mean", (0,)),
    lambda: lax.reduce_window(X, 0.0, lax.add, (2,)),
    lambda: lax.clamp(V[:2], V, 1.0),
    lambda: lax.fft(V, "DFT", (5,)),
    lambda: lax.fft(V + 0j, "FFT", (4,)),
    lambda: lax.conv_general_dilated(T, X, (1,), "VALID"),
    lambda: lax.conv(T, T, (1,), "FULL"),
    lambda: lax.argmax(X[:0], 0),
])
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(ShapeError):
        call()


def test_bits_of_floats_are_not_counted():
    with pytest.raises(DtypeError):
        lax.clz(V)


@given(st.floats(width=32), st.sampled_from([(5, 10, "float16"), (8, 7, "bfloat16"), (8, 23, "float32")]))
def test_reduced_precision_is_the_narrow_type(x, kind):
    """Below its normal numbers the narrow type has more: there reduce_precision gives 0."""
    exponent, mantissa, name = kind
    narrow = onp.dtype(name if name != "bfloat16" else ml_dtypes.bfloat16)
    with onp.errstate(over="ignore"):
        expected = onp.float32(x).astype(narrow).astype(onp.float32)
    smallest = 2.0 ** (2 - 2 ** (exponent - 1))
    if not 0 < abs(expected) < smallest and not abs(x) < smallest <= abs(expected):
        onp.testing.assert_array_equal(lax.reduce_precision(onp.float32(x), exponent, mantissa), expected)
        onp.testing.assert_array_equal(_compiled_reduction(onp.float32(x), (exponent, mantissa)), expected)


@functools.partial(jit, static_argnums=1)
def _compiled_reduction(x, bits):
    return lax.reduce_precision(x, *bits)


def test_a_barrier_changes_nothing():
    a, b = lax.optimization_barrier((X, INTS))
    assert (onp.asarray(a) == X).all() and (onp.asarray(b) == INTS).all()
    assert grad(lambda x: lax.optimization_barrier(x) ** 2)(3.0) == 6.0


def test_clamp_hands_its_derivative_to_what_it_returns():
    f = lambda lo, x, hi: lax.clamp(lo, x, hi).sum()
    low, x, high = grad(f, (0, 1, 2))(-1.0, onp.array([-2.0, 0.3, 5.0, -0.4]), 1.0)
    assert (float(low), x.tolist(), float(high)) == (1.0, [0.0, 1.0, 0.0, 1.0], 1.0)


# ---- reduce ----

@pytest.mark.parametrize("n", [0, 1, 2, 5, 8])
def test_reduce_by_any_function_is_a_loop(n):
    """Affine maps compose without commuting: (a, b) then (c, d) is (a c, b c + d)."""
    a, b = RNG.normal(size=(2, n, 3))

    def then(p, q):
        return p[0] * q[0], p[1] * q[0] + q[1]
    expected = functools.reduce(then, zip(a, b), (onp.full(3, 2.0), onp.full(3, 0.5)))
    run = lambda a, b: lax.reduce((a, b), (2.0, 0.5), then, (0,))
    close(run(a, b), expected, 1e-13)
    close(jit(run)(a, b), expected, 1e-13)


@pytest.mark.parametrize("how, op", [("add", onp.sum), ("mul", onp.prod), ("max", onp.max), (lax.min, onp.min)])
def test_reduce_by_a_monoid_is_one_operation(how, op):
    got = lax.reduce(T, {"add": 0.0, "mul": 1.0, "max": -onp.inf}.get(how, onp.inf), how, (0, 2))
    onp.testing.assert_allclose(got, op(T, (0, 2)), rtol=1e-14)


# ---- sorting ----

@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 99)), min_size=1, max_size=12))
def test_sort_by_two_keys_is_that_of_tuples(rows):
    columns = [onp.array(c) for c in zip(*rows)]
    expected = [list(c) for c in zip(*sorted(rows, key=lambda r: r[:2]))]
    assert [v.tolist() for v in lax.sort(tuple(columns), num_keys=2)] == expected


def test_values_go_with_their_keys():
    keys, values = lax.sort_key_val(onp.array([3, 1, 2]), onp.array([30.0, 10.0, 20.0]))
    assert (keys.tolist(), values.tolist()) == ([1, 2, 3], [10.0, 20.0, 30.0])


SPECIAL = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, onp.inf, -onp.inf, onp.nan, -onp.nan])


@given(st.lists(SPECIAL, min_size=1, max_size=8), st.sampled_from(["float64", "float32"]))
def test_top_k_takes_the_first_of_equals_and_nan_is_largest(xs, dtype):
    x = onp.array(xs, dtype)
    order = sorted(range(len(xs)), key=lambda i: (not onp.isnan(x[i]), -x[i] if x[i] == x[i] else 0.0, i))
    for k in (0, 1, len(xs)):
        values, places = lax.top_k(x, k)
        assert places.tolist() == order[:k]
        onp.testing.assert_array_equal(values, x[order[:k]])
    assert _compiled_top(x).tolist() == order


@jit
def _compiled_top(x):
    return lax.top_k(x, x.shape[0])[1]


def test_top_k_along_another_axis_and_its_derivative():
    values, places = lax.top_k(T, 2, axis=1)
    onp.testing.assert_array_equal(values, -onp.sort(-T, 1)[:, :2])
    onp.testing.assert_array_equal(places, onp.argsort(-T, 1)[:, :2])
    got = grad(lambda x: (lax.top_k(x, 2)[0] * onp.array([1.0, 10.0])).sum())(onp.array([3.0, 9.0, 4.0]))
    assert got.tolist() == [0.0, 1.0, 10.0]
    onp.testing.assert_array_equal(vmap(lambda x: lax.top_k(x, 2)[1])(X), onp.argsort(-X, 1)[:, :2])


# ---- gather and scatter ----

def blocks_of(x, starts, sizes, mapped):
    """(start, key) of each block, the start clipped."""
    for i in onp.ndindex(*starts.shape[:-1]):
        first = [0] * x.ndim
        for k, d in enumerate(mapped):
            first[d] = int(starts[(*i, k)])
        fits = all(0 <= f <= n - s for f, n, s in zip(first, x.shape, sizes))
        clipped = [min(max(f, 0), n - s) for f, n, s in zip(first, x.shape, sizes)]
        yield i, fits, tuple(slice(f, f + s) for f, s in zip(clipped, sizes))


STARTS = onp.array([[[0, 1], [2, 0]], [[5, 0], [1, -1]]])


@pytest.mark.parametrize("mode", ["clip", "fill"])
@pytest.mark.parametrize("mapped", [(0, 2), (2, 1)])
def test_gather_takes_blocks(mode, mapped):
    x, sizes = RNG.normal(size=(4, 3, 5)), (2, 1, 3)
    numbers = lax.GatherDimensionNumbers((0, 2), (1,), mapped)

    def run(x):
        return lax.gather(x, STARTS, numbers, sizes, mode=mode, fill_value=7.0)
    expected = onp.empty((2, 2, 2, 3))
    for i, fits, key in blocks_of(x, STARTS, sizes, mapped):
        expected[i] = x[key].reshape(2, 3) if fits or mode == "clip" else 7.0
    expected = onp.moveaxis(expected, (2, 3), (0, 2))
    onp.testing.assert_array_equal(run(x), expected)
    onp.testing.assert_array_equal(jit(run)(x), expected)


@pytest.mark.parametrize("name, op", [("scatter_add", onp.add), ("scatter_mul", onp.multiply),
                                      ("scatter_min", onp.minimum), ("scatter_max", onp.maximum),
                                      ("scatter_sub", onp.subtract)])
def test_scatter_combines_blocks(name, op):
    x, u = RNG.normal(size=(4, 3, 5)), RNG.normal(size=(2, 2, 2, 3))
    numbers = lax.ScatterDimensionNumbers((0, 3), (1,), (0, 2))
    updates = onp.moveaxis(u, (2, 3), (0, 3))

    def run(x, u):
        return getattr(lax, name)(x, STARTS, u, numbers)
    expected = x.copy()
    for i, fits, key in blocks_of(x, STARTS, (2, 1, 3), (0, 2)):
        if fits:
            expected[key] = op(expected[key], u[i].reshape(2, 1, 3))
    onp.testing.assert_allclose(run(x, updates), expected, rtol=1e-15)
    onp.testing.assert_allclose(jit(run)(x, updates), expected, rtol=1e-15)


def test_gather_and_scatter_go_along_axes_together():
    x, i = RNG.normal(size=(3, 5)), onp.array([[0], [4], [2]])
    numbers = lax.GatherDimensionNumbers((), (1,), (1,), (0,), (0,))
    onp.testing.assert_array_equal(lax.gather(x, i, numbers, (1, 1)), x[onp.arange(3), i[:, 0]])
    expected = x.copy()
    expected[onp.arange(3), i[:, 0]] = 9.0
    numbers = lax.ScatterDimensionNumbers((), (1,), (1,), (0,), (0,))
    onp.testing.assert_array_equal(lax.scatter(x, i, onp.full(3, 9.0), numbers), expected)


def test_the_gradient_of_a_gather_is_a_scatter():
    numbers = lax.GatherDimensionNumbers((1,), (), (0,))
    got = grad(lambda x: lax.gather(x, onp.array([[0], [1], [9]]), numbers, (2,), mode="clip").sum())(V)
    assert got.tolist() == [1.0, 2.0, 1.0, 1.0, 1.0]


def test_every_name_of_lax_is_documented_and_exists():
    assert len(lax.__all__) > 150
    for name in lax.__all__:
        assert getattr(lax, name).__doc__, name
