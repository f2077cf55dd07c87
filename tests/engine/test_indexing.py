"""x[index] and x.at[index] mean what NumPy means, for every kind of index."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule.engine.numpy as cnp
from chainrule.engine import grad, hessian, jit, vmap
from chainrule.engine.errors import ConcretizationError, DtypeError, ShapeError, TransformError
from tests.engine.laws import close, slope

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)


@st.composite
def basic(draw, n):
    """An index of one axis of size n: an integer or a slice."""
    if draw(st.booleans()):
        return draw(st.integers(-n, n - 1))
    bound = st.none() | st.integers(-n - 1, n + 1)
    return slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, -1, -2])))


@st.composite
def indices(draw, advanced):
    """(x, index): an array and an index of it."""
    shape = draw(SHAPES)
    x = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    used = draw(st.integers(0, len(shape)))
    entries = []
    common = draw(st.sampled_from([(), (2,), (3, 1), (2, 3)]))
    for n in shape[:used]:
        if advanced and draw(st.booleans()):
            lead = draw(st.integers(0, len(common)))
            size = common[lead:] if draw(st.booleans()) else tuple(1 for _ in common[lead:])
            entries.append(np.array(draw(st.lists(st.integers(-n, n - 1), min_size=int(np.prod(size)),
                                                  max_size=int(np.prod(size)))),
                                    dtype=draw(st.sampled_from([np.int64, np.int32]))).reshape(size))
        else:
            entries.append(draw(basic(n)))
    if draw(st.booleans()):
        entries.insert(draw(st.integers(0, len(entries))), Ellipsis)
        if entries[-1] is not Ellipsis:                  # what stands after ... indexes the last axes
            after = len(entries) - 1 - next(k for k, e in enumerate(entries) if e is Ellipsis)
            for j in range(1, after + 1):
                entries[-j] = draw(basic(shape[-j]))
    for _ in range(draw(st.integers(0, 2))):
        entries.insert(draw(st.integers(0, len(entries))), None)
    return x, (entries[0] if len(entries) == 1 and draw(st.booleans()) else tuple(entries))


def check_reading(x, index):
    expected = x[index]
    np.testing.assert_array_equal(np.asarray(cnp.asarray(x)[index]), expected)
    np.testing.assert_array_equal(np.asarray(vmap(lambda v: v[index])(np.stack([x, x + 100]))),
                                  np.stack([expected, expected + 100]))


@settings(max_examples=150)
@given(indices(advanced=False))
def test_reading_with_basic_indices(pair):
    check_reading(*pair)


@settings(max_examples=150)
@given(indices(advanced=True))
def test_reading_with_index_arrays(pair):
    check_reading(*pair)


UFUNCS = {"set": None, "add": np.add, "multiply": np.multiply, "min": np.minimum, "max": np.maximum}


def written(x, index, value, how):
    out = x.copy()
    if how == "set":
        out[index] = value
    else:
        UFUNCS[how].at(out, index, value)
    return out


@settings(max_examples=200)
@given(indices(advanced=True), st.sampled_from(sorted(UFUNCS)), st.booleans())
def test_writing_with_any_index(pair, how, scalar):
    x, index = pair
    value = np.asarray(2.5) if scalar else np.linspace(-3, 30, max(x[index].size,
                                                                   1))[:x[index].size].reshape(x[index].shape)
    expected = written(x, index, value, how)
    np.testing.assert_array_equal(np.asarray(getattr(cnp.asarray(x).at[index], how)(value)), expected)
    lanes = vmap(lambda v: getattr(v.at[index], how)(value))(np.stack([x, -x]))
    np.testing.assert_array_equal(np.asarray(lanes), np.stack([expected, written(-x, index, value, how)]))


X = np.arange(24.0).reshape(2, 3, 4)
KINDS = {
    "integer": 1, "negative": -1, "slice": np.s_[:, 1:], "step": np.s_[:, ::2], "back": np.s_[::-1, ::-2],
    "new": np.s_[:, None, 1],
    "ellipsis": np.s_[..., 2], "array": np.array([1, 0, -1]), "two": (np.array([0, 1]), np.array([2, 0])),
    "apart": (np.array([0, 1]), slice(None), np.array([3, 0])), "mixed": (slice(None), np.array([[2], [0]]), 1),
    "mask": X > 10, "rows": np.array([False, True]), "mask of a part": (slice(None), np.array([True, False, True])),
    "list": [1, 0], "empty": np.s_[:, 3:], "empty array": np.array([], int), "bool": True, "false": np.False_,
}


@pytest.mark.parametrize("index", KINDS.values(), ids=KINDS)
def test_indices_of_every_kind_read_the_same_compiled(index):
    np.testing.assert_array_equal(np.asarray(cnp.asarray(X)[index]), X[index])
    np.testing.assert_array_equal(np.asarray(jit(lambda x: x[index])(X)), X[index])


@pytest.mark.parametrize("how", sorted(UFUNCS))
@pytest.mark.parametrize("index", KINDS.values(), ids=KINDS)
def test_indices_of_every_kind_write_the_same_compiled(index, how):
    value = np.linspace(-3.0, 30.0, max(1, X[index].size))[:X[index].size].reshape(X[index].shape)
    expected = written(X, index, value, how)
    np.testing.assert_array_equal(np.asarray(jit(lambda x: getattr(x.at[index], how)(value))(X)), expected)
    np.testing.assert_array_equal(np.asarray(getattr(cnp.asarray(X).at[index], how)(value)), expected)


@pytest.mark.parametrize("index", KINDS.values(), ids=KINDS)
def test_gradients_of_reading_and_writing_are_finite_differences(index):
    t = np.cos(X)

    def f(x):
        y = x.at[index].set(x[index] ** 2)
        return (y.at[index].multiply(2.0) * np.sin(X)).sum() + (x.at[index].add(x[index]) ** 2).sum()
    close((grad(f)(X) * t).sum(), slope(lambda x: f(cnp.asarray(x)), [X], [t], h=1e-3)[0], 1e-8)


def test_traced_indices_read_and_write_like_known_ones():
    i, j = np.array([2, -1, 0]), np.array([[0], [-4]])
    read = jit(lambda x, i, j: x[:, i, j])
    np.testing.assert_array_equal(np.asarray(read(X, i, j)), X[:, i, j])
    write = jit(lambda x, i, j: x.at[:, i, j].add(1.0))
    expected = X.copy()
    np.add.at(expected, (slice(None), i, j), 1.0)
    np.testing.assert_array_equal(np.asarray(write(X, i, j)), expected)
    one = jit(lambda x, k: x[k])
    np.testing.assert_array_equal(np.asarray(one(X, np.int64(-1))), X[-1])


def test_lanes_with_their_own_indices_read_and_write_their_own_places():
    i = np.array([2, 0, 1, -1])
    x = np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(np.asarray(vmap(lambda v, k: v[k])(x, i)), x[np.arange(4), i])
    np.testing.assert_array_equal(np.asarray(vmap(lambda k: cnp.asarray(x[0])[k])(i)), x[0][i])
    expected = x.copy()
    expected[np.arange(4), i] = -1.0
    np.testing.assert_array_equal(np.asarray(vmap(lambda v, k: v.at[k].set(-1.0))(x, i)), expected)


def test_traced_indices_out_of_range_are_clipped_when_read_and_dropped_when_written():
    x = np.arange(4.0)
    for k, near in ((7, 3.0), (-9, 0.0)):
        assert float(jit(lambda v, k: v[k])(x, k)) == near
        np.testing.assert_array_equal(np.asarray(jit(lambda v, k: v.at[k].set(9.0))(x, k)), x)
        np.testing.assert_array_equal(np.asarray(jit(grad(lambda v, k: v.at[k].set(v[0] * 2).sum()))(x, k)), np.ones(4))


@pytest.mark.parametrize("index", [4, -5, (0, 0), np.array([0, 4]), np.array([-5]), (slice(None), None, 0)], ids=repr)
def test_known_indices_out_of_range_raise(index):
    x = cnp.arange(4.0)
    with pytest.raises(IndexError):
        x[index]
    with pytest.raises(IndexError):
        x.at[index].set(1.0)
    with pytest.raises(IndexError):
        jit(lambda v: v[index])(x)


@pytest.mark.parametrize("index", [1.0, np.array([1.0]), "a", (0.5,)], ids=repr)
def test_an_index_that_is_no_index_raises(index):
    with pytest.raises((DtypeError, IndexError, TypeError)):
        cnp.arange(4.0)[index]


def test_two_ellipses_raise():
    with pytest.raises(IndexError):
        cnp.asarray(X)[..., 0, ...]


def test_a_mask_of_another_shape_raises():
    with pytest.raises(IndexError):
        cnp.asarray(X)[np.array([True, False, True])]
    with pytest.raises(IndexError):
        cnp.asarray(X).at[np.array([True, False, True])].set(0.0)


def test_a_mask_of_too_small_a_shape_raises():
    with pytest.raises(IndexError, match="mask"):
        cnp.asarray(X)[:, np.array([True, False])]


def test_combining_floats_into_integers_raises():
    with pytest.raises(DtypeError, match="astype"):
        cnp.arange(4).at[0].add(0.5)
    with pytest.raises(DtypeError, match="astype"):
        cnp.arange(4).at[0].divide(2)


def test_a_traced_mask_takes_one_value_for_all_its_places():
    with pytest.raises(ShapeError, match="where"):
        jit(lambda v: v.at[v > 1].set(np.ones(2)))(np.arange(4.0))


def test_a_value_that_does_not_fit_raises():
    with pytest.raises(ShapeError):
        cnp.arange(4.0).at[1:3].set(np.ones(3))


def test_a_traced_mask_sets_and_does_not_select():
    x = np.arange(4.0)
    np.testing.assert_array_equal(np.asarray(jit(lambda v: v.at[v > 1].set(0.0))(x)), [0, 1, 0, 0])
    np.testing.assert_array_equal(np.asarray(jit(lambda v: v.at[v > 1].add(5.0))(x)), [0, 1, 7, 8])
    with pytest.raises(ConcretizationError, match="mask"):
        jit(lambda v: v[v > 1])(x)


def test_traced_slice_bounds_raise_with_the_way_out():
    with pytest.raises(ConcretizationError, match="dynamic_slice"):
        jit(lambda v, n: v[:n])(np.arange(4.0), 2)


def test_the_other_updates_are_made_of_reading_and_setting():
    x = cnp.arange(1.0, 5.0)
    np.testing.assert_array_equal(np.asarray(x.at[1].subtract(1.0)), [1, 1, 3, 4])
    np.testing.assert_array_equal(np.asarray(x.at[1:3].divide(2.0)), [1, 1, 1.5, 4])
    np.testing.assert_array_equal(np.asarray(x.at[[0, 3]].power(2)), [1, 2, 3, 16])
    np.testing.assert_array_equal(np.asarray(x.at[::2].apply(cnp.negative)), [-1, 2, -3, 4])
    np.testing.assert_array_equal(np.asarray(x.at[-1].get()), 4)


def test_a_value_takes_the_dtype_of_the_array():
    x = cnp.zeros(3, np.float32).at[0].set(1.5)
    assert x.dtype == np.float32 and x.tolist() == [1.5, 0.0, 0.0]
    assert cnp.arange(3).at[0].add(True).tolist() == [1, 1, 2]


def test_iteration_gives_the_rows():
    assert [r.tolist() for r in cnp.asarray(X[0, :2, :2])] == [[0, 1], [4, 5]]
    assert jit(lambda x: sum(r.sum() for r in x))(X).tolist() == X.sum()
    with pytest.raises(TypeError):
        iter(cnp.asarray(1.0))


def test_empty_arrays_are_read_and_written():
    empty, none = np.zeros((0, 3)), np.zeros(0, int)
    assert jit(lambda x, i: x[i])(empty, none).shape == (0, 3)
    assert jit(lambda x, i: x.at[i].set(1.0))(empty, none).shape == (0, 3)
    assert jit(lambda x, i: x[:, i])(empty, np.array([2, 1])).shape == (0, 2)
    with pytest.raises(IndexError, match="size 0"):
        jit(lambda x, i: x[i])(empty, 0)


@pytest.mark.parametrize("u", [[3.0, 5.0, 2.0], [0.0, 5.0, 2.0], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0]])
def test_a_product_of_several_updates_to_one_place_has_all_derivatives_at_zero(u):
    index = np.array([1, 1, 1])
    u = np.array(u)

    def f(u):
        return cnp.asarray(np.array([1.0, 2.0])).at[index].multiply(u)[1]

    a, b, c = u
    np.testing.assert_allclose(grad(f)(u), [2 * b * c, 2 * a * c, 2 * a * b])
    np.testing.assert_allclose(hessian(f)(u), [[0, 2 * c, 2 * b], [2 * c, 0, 2 * a], [2 * b, 2 * a, 0]])


def test_many_products_at_one_place_have_a_first_derivative_and_refuse_a_second():
    places, values = np.arange(300) % 7, np.ones(300)
    values[4] = 0.0

    def f(v):
        return cnp.sum(cnp.ones(7).at[places].multiply(v) ** 2)

    step = 1e-6 * np.eye(300)[4]
    slope = (float(f(values + step)) - float(f(values - step))) / 2e-6
    np.testing.assert_allclose(grad(f)(values)[4], slope, atol=1e-6)
    with pytest.raises(TransformError, match="at most 256 values"):
        grad(lambda v: cnp.sum(grad(f)(v)))(values)


# ---- modes ----

OUT = np.array([[1, -1], [7, -9], [0, 4]])               # axis sizes 3 (here 2) and 4: some in, some out


def moded(index, sizes, mode):
    """The index arrays that a mode means, and which places are in range, in NumPy."""
    turned = [np.where(i < 0, i + n, i) if mode != "wrap" else i % n for i, n in zip(index, sizes)]
    inside = np.logical_and.reduce([(0 <= i) & (i < n) for i, n in zip(turned, sizes)])
    return [np.clip(i, 0, n - 1) for i, n in zip(turned, sizes)], inside


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("mode", ["clip", "wrap", "fill", "drop"])
def test_a_mode_says_what_an_index_out_of_range_means(mode, traced):
    i, j = OUT[:, 0], OUT[:, 1]
    (ci, cj), inside = moded((i, j), (2, 4), mode)
    lift = jit if traced else (lambda f: lambda x, *index: f(cnp.asarray(x), *index))
    got = lift(lambda x, i, j: x.at[i, :, j].get(mode=mode))(X, i, j)
    expected = X[ci, :, cj]
    if mode in ("fill", "drop"):
        expected = np.where(inside[:, None], expected, np.nan)
    np.testing.assert_array_equal(np.asarray(got), expected)
    for how in UFUNCS:
        out = X.copy()
        for a, b, ok in zip(ci, cj, inside):
            if ok or mode in ("clip", "wrap"):
                out[a, :, b] = -2.5 if how == "set" else UFUNCS[how](out[a, :, b], -2.5)
        found = lift(lambda x, i, j: getattr(x.at[i, :, j], how)(-2.5, mode=mode))(X, i, j)   # noqa: B023
        np.testing.assert_array_equal(np.asarray(found), out)


@pytest.mark.parametrize("dtype, missing", [("float32", np.nan), ("int8", -128), ("uint16", 65535), ("bool", True),
                                            ("complex64", np.nan)])
def test_what_is_missing_is_nan_or_the_integer_farthest_from_zero(dtype, missing):
    x = cnp.zeros(3, dtype)
    assert x.at[5].get(mode="fill").dtype == np.dtype(dtype)
    np.testing.assert_array_equal(np.asarray(x.at[np.array([1, 5])].get(mode="fill")), np.array([0, missing], dtype))
    assert x.at[5].get(mode="fill", fill_value=1) == 1


def test_an_integer_out_of_range_follows_the_mode():
    x = cnp.asarray(X[0, 0])
    assert x.at[9].get(mode="clip") == 3 and x.at[9].get(mode="wrap") == 1
    np.testing.assert_array_equal(np.asarray(x.at[9].set(7.0, mode="drop")), X[0, 0])
    with pytest.raises(IndexError):
        x.at[9].set(7.0)
    with pytest.raises(ValueError, match="no mode 'nearest'"):
        x.at[0].get(mode="nearest")


def test_gradients_of_moded_reads_and_writes_are_finite_differences():
    i, t = np.array([2, 5, -1, -7]), np.cos(X[0, 0])
    for mode in ("clip", "wrap", "fill"):
        def f(x, mode=mode):
            y = x.at[i].set(x.at[i].get(mode=mode, fill_value=1.0) ** 2, mode=mode)
            return (y * np.sin(X[0, 0])).sum()
        close((grad(f)(X[0, 0]) * t).sum(), slope(lambda x: f(cnp.asarray(x)), [X[0, 0]], [t], h=1e-3)[0], 1e-8)


# ---- many updates, which are added up in several arrays at once ----

@pytest.mark.parametrize("shape,indexed,n", [((7,), 1, 28), ((7,), 1, 103), ((3, 2), 1, 25), ((4, 2), 2, 64),
                                             ((1,), 1, 9)])
def test_many_updates_are_added_as_in_numpy(shape, indexed, n):
    rng = np.random.default_rng(n)
    index = tuple([rng.integers(0, size, n) for size in shape[:indexed]])
    x, u = rng.normal(size=shape), rng.normal(size=(n, *shape[indexed:]))
    expected = x.copy()
    np.add.at(expected, index, u)
    close(jit(lambda x, index, u: x.at[index].add(u))(x, index, u), expected, 1e-13)
    close(jit(vmap(lambda x, u: x.at[index].add(u)))(np.stack([x, x]), np.stack([u, 2 * u]))[0], expected, 1e-13)


def test_many_updates_out_of_range_are_dropped_and_a_place_without_any_keeps_its_zero():
    index = np.arange(40) % 5
    add = jit(lambda x, index: x.at[index].add(np.full(40, 0.5), mode="drop"))
    out = np.asarray(add(np.array([1.0, -0.0, -0.0, 2.0]), np.where(index == 2, 99, index)))
    np.testing.assert_array_equal(out, [5.0, 4.0, 0.0, 6.0])
    assert np.signbit(out[2])


def test_many_updates_of_narrow_floats_and_integers():
    index = np.arange(40) % 3
    for dtype in (np.float32, np.float16, np.int32, np.complex128):
        out = jit(lambda x, u: x.at[index].add(u))(np.zeros(3, dtype), np.arange(40).astype(dtype))
        assert out.dtype == dtype
        np.testing.assert_array_equal(np.asarray(out), [np.arange(40)[index == j].sum() for j in range(3)])
