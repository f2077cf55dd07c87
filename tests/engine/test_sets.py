"""Sets: the distinct elements of one array and of two, as NumPy has them; with `size=` also under jit and vmap."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import chainrule.engine.numpy as cnp
from chainrule.engine import config, jit, vmap
from chainrule.engine.errors import ConcretizationError

NAN = np.nan
FEW = {"int64": st.integers(-3, 3), "uint8": st.integers(0, 4), "bool": st.booleans(),
       "float64": st.sampled_from([-1.5, -0.0, 0.0, 1.0, 2.5, np.inf, -np.inf, NAN]),
       "complex128": st.sampled_from([0j, 1j, 1 + 1j, 1 - 1j, -1 + 0j])}


def arrays(dtype, **shapes):
    shapes = {"min_dims": 0, "max_dims": 3, "min_side": 0, "max_side": 4} | shapes
    return hnp.arrays(dtype, hnp.array_shapes(**shapes), elements=FEW[dtype])


dtypes = st.sampled_from(sorted(FEW))


def equal(found, expected):
    np.testing.assert_array_equal(np.asarray(found), expected)
    assert np.asarray(found).dtype == expected.dtype


@settings(max_examples=30)
@given(dtypes.flatmap(arrays), st.booleans())
def test_the_parts_of_unique_are_numpys(x, equal_nan):
    found = cnp.unique(x, True, True, True, equal_nan=equal_nan)
    expected = np.unique(x, True, True, True, equal_nan=equal_nan)
    for f, e in zip(found, expected, strict=True):
        equal(f, e)
    equal(cnp.unique(x, equal_nan=equal_nan), expected[0])


@settings(max_examples=30)
@given(dtypes.flatmap(arrays), st.booleans(), st.integers(0, 3))
def test_unique_of_a_given_size_is_unique_filled_up(x, equal_nan, more):
    values, index, inverse, counts = np.unique(x, True, True, True, equal_nan=equal_nan)
    size = len(values) + more
    with config(disable_jit=True):                       # staged, and evaluated by NumPy: XLA is tried below
        found = jit(lambda v: cnp.unique(v, True, True, True, equal_nan=equal_nan, size=size))(x)
    assert [f.shape for f in found] == [(size,), (size,), x.shape, (size,)]
    n = len(values)
    for f, e in zip(found, (values, index, inverse, counts)):
        equal(f[:n] if f is not found[2] else f, e)
    if n:
        equal(found[0][n:], np.repeat(values[:1], more))
        equal(found[1][n:], np.repeat(index[:1], more))
    equal(found[3][n:], np.zeros(more, np.int64))
    filled = cnp.unique(x, equal_nan=equal_nan, size=size, fill_value=1)
    equal(filled[n:], np.ones(more, x.dtype))
    if n > 1:
        equal(cnp.unique(x, size=1, equal_nan=equal_nan), values[:1])


@settings(max_examples=30)
@given(st.sampled_from(["int64", "bool", "float64"]).flatmap(lambda d: arrays(d, min_dims=2, max_dims=3, min_side=1)),
       st.data())
def test_unique_slices_along_an_axis_are_numpys(x, data):
    x = np.where(np.isnan(x), 7, x) if x.dtype.kind == "f" else x        # NumPy compares rows with nan by their bytes
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    expected = np.unique(x + 0 if x.dtype.kind == "f" else x, True, True, True, axis=axis)
    size = expected[0].shape[axis] + 1
    for f, e in zip(cnp.unique(x, True, True, True, axis=axis), expected, strict=True):
        equal(f, e)
    found = cnp.unique(x, True, True, True, axis=axis, size=size)
    equal(np.take(np.asarray(found[0]), range(size - 1), axis), expected[0])
    equal(found[1][:-1], expected[1])
    equal(found[2], expected[2].reshape(-1))
    equal(found[3], np.r_[expected[3], 0])


def test_the_functions_of_the_standard_name_their_results_and_tell_nans_apart():
    x = np.array([[2.0, NAN], [1.0, NAN], [2.0, 1.0]])
    values, index, inverse, counts = np.unique(x, True, True, True, equal_nan=False)
    out = cnp.unique_all(x)
    assert out._fields == ("values", "indices", "inverse_indices", "counts")
    for f, e in zip(out, (values, index, inverse, counts), strict=True):
        equal(f, e)
    equal(out.values[out.inverse_indices][:, 0], x[:, 0])
    assert cnp.unique_counts(x)._fields == ("values", "counts")
    assert cnp.unique_inverse(x)._fields == ("values", "inverse_indices")
    equal(cnp.unique_counts(x).counts, counts)
    equal(cnp.unique_inverse(x).inverse_indices, inverse)
    equal(cnp.unique_values(x), values)
    assert cnp.unique(x).tolist()[:2] == [1.0, 2.0] and cnp.unique(x).shape == (3,)


PAIRS = {"intersect1d": np.intersect1d, "union1d": np.union1d, "setdiff1d": np.setdiff1d, "setxor1d": np.setxor1d}


@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=30)
@given(data=st.data())
def test_sets_of_two_arrays_are_numpys_also_of_a_given_size(name, data):
    dtype = data.draw(st.sampled_from(["int64", "uint8", "bool", "float64"]))
    x, y = (data.draw(arrays(dtype, max_dims=2)) for _ in range(2))
    if dtype == "float64":                               # NumPy itself is not of one mind about nan in sets of two
        x, y = np.nan_to_num(x) + 0.0, np.nan_to_num(y) + 0.0
    expected = PAIRS[name](x, y)
    equal(getattr(cnp, name)(x, y), expected)
    n, size = len(expected), len(expected) + 2
    found = getattr(cnp, name)(x, y, size=size, fill_value=1)
    equal(found, np.r_[expected, np.ones(2, expected.dtype)].astype(expected.dtype))
    smallest = getattr(cnp, name)(x, y, size=size)
    if n:
        equal(smallest, np.r_[expected, np.repeat(expected[:1], 2)])
        equal(getattr(cnp, name)(x, y, size=1), expected[:1])


@settings(max_examples=30)
@given(dtypes.flatmap(lambda d: st.tuples(arrays(d), arrays(d))), st.booleans())
def test_isin_is_numpys(pair, invert):
    x, y = pair
    with config(disable_jit=True):
        for f in (cnp.isin, jit(cnp.isin, static_argnames=("invert",))):
            equal(f(x, y, invert=invert), np.isin(x, y, invert=invert))


def test_intersections_have_indices():
    x, y = np.array([1, 1, 4, 3, 9]), np.array([3, 4, 4, 1])
    expected = np.intersect1d(x, y, return_indices=True)
    for f, e in zip(cnp.intersect1d(x, y, return_indices=True), expected, strict=True):
        equal(f, e)
    for f, e in zip(cnp.intersect1d(x, y, return_indices=True, size=3), expected, strict=True):
        equal(f, e)


@pytest.mark.slow
def test_set_functions_are_compiled_and_mapped_with_a_size():
    x, y = np.array([[3, 1, 3, 2], [5, 5, 5, 5]]), np.array([3, 5, 7])
    assert jit(lambda v: cnp.unique(v, size=5))(x).tolist() == [1, 2, 3, 5, 1]
    assert jit(lambda v: cnp.unique_all(v, size=4))(x).counts.tolist() == [1, 1, 2, 4]
    rows = jit(vmap(lambda v: cnp.unique(v, size=3, fill_value=0, return_counts=True)))(x)
    assert [r.tolist() for r in rows] == [[[1, 2, 3], [5, 0, 0]], [[1, 1, 2], [4, 0, 0]]]
    assert jit(lambda u, v: cnp.intersect1d(u, v, size=3, fill_value=-1))(x, y).tolist() == [3, 5, -1]
    assert jit(lambda u, v: cnp.union1d(u, v, size=6))(x, y).tolist() == [1, 2, 3, 5, 7, 1]
    assert jit(lambda u, v: cnp.setdiff1d(u, v, size=2))(x, y).tolist() == [1, 2]
    assert jit(lambda u, v: cnp.setxor1d(u, v, size=3))(x, y).tolist() == [1, 2, 7]
    assert jit(lambda u, v: cnp.isin(u, v))(x, y).tolist() == np.isin(x, y).tolist()
    assert jit(lambda v: cnp.unique(v, axis=0, size=2))(x[[0, 1, 0]]).tolist() == x[:1].tolist() + x[1:].tolist()
    f = np.array([NAN, 1.0, -0.0, NAN, 0.0])
    assert np.array_equal(jit(lambda v: cnp.unique(v, size=3))(f), [0.0, 1.0, NAN], equal_nan=True)
    assert np.isnan(np.asarray(jit(lambda v: cnp.unique_values(v, size=4))(f))).tolist() == [False, False, True, True]


def test_a_traced_set_without_a_size_says_what_to_write():
    for f in (cnp.unique, cnp.unique_all, cnp.unique_values, lambda v: cnp.union1d(v, v),
              lambda v: cnp.intersect1d(v, v), lambda v: cnp.setdiff1d(v, v), lambda v: cnp.setxor1d(v, v)):
        with pytest.raises(ConcretizationError, match="size="):
            jit(f)(np.arange(3))
