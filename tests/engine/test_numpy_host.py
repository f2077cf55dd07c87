"""Functions of the namespace that no row of a table can hold: files, text, grids written as slices, partitions,
vectorize, errstate, and the errors of functions that write."""
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import chainrule.engine.numpy as cnp
from chainrule.engine import Array, config, grad, jit, vmap
from chainrule.engine.errors import ConcretizationError, DtypeError, ImmutableError, NanError, ShapeError

RNG = np.random.default_rng(31)
V, M = RNG.normal(size=5), RNG.normal(size=(3, 4))
C = (V[:3] + 1j * V[2:]).astype("complex64")


# ---- files and text ----

@pytest.mark.parametrize("x", [V, M.astype("float32"), np.arange(3, dtype="uint8"), C, np.zeros((0, 2)),
                               np.asarray(True)], ids=lambda x: f"{x.dtype}{x.shape}")
def test_a_file_gives_back_what_was_saved(x, tmp_path):
    cnp.save(tmp_path / "x.npy", cnp.asarray(x))
    found = cnp.load(tmp_path / "x.npy")
    assert isinstance(found, Array) and found.dtype == x.dtype
    np.testing.assert_array_equal(found, x)


@pytest.mark.parametrize("save", [cnp.savez, cnp.savez_compressed])
def test_an_archive_holds_arrays_by_name(save, tmp_path):
    save(tmp_path / "a.npz", cnp.asarray(V), weights=M)
    with cnp.load(tmp_path / "a.npz") as found:
        assert found.files == ["arr_0", "weights"] or set(found.files) == {"arr_0", "weights"}
        np.testing.assert_array_equal(found["arr_0"], V)
        np.testing.assert_array_equal(found["weights"], M)
        assert all(isinstance(x, Array) for x in found.values())
    with np.load(tmp_path / "a.npz") as theirs:
        np.testing.assert_array_equal(theirs["weights"], M)


def test_text_files_are_numpys():
    text = io.StringIO()
    cnp.savetxt(text, cnp.asarray(M), delimiter=",")
    found = cnp.loadtxt(io.StringIO(text.getvalue()), delimiter=",")
    np.testing.assert_array_equal(found, M)
    assert isinstance(found, Array)
    columns = cnp.loadtxt(io.StringIO(text.getvalue()), delimiter=",", unpack=True)
    np.testing.assert_array_equal(columns, M.T)
    found = cnp.genfromtxt(io.StringIO("1,2\n3,\n"), delimiter=",")
    np.testing.assert_array_equal(found, [[1, 2], [3, np.nan]])


def test_a_binary_file_is_read(tmp_path):
    V.tofile(tmp_path / "v")
    np.testing.assert_array_equal(cnp.fromfile(tmp_path / "v"), V)
    np.testing.assert_array_equal(cnp.fromfile(tmp_path / "v", count=2, offset=8), V[1:3])


def test_print_options_are_numpys_and_hold_for_arrays():
    with cnp.printoptions(precision=2):
        assert cnp.get_printoptions()["precision"] == np.get_printoptions()["precision"] == 2
        assert str(cnp.asarray([1 / 3])) == "[0.33]"
    before = cnp.get_printoptions()["precision"]
    cnp.set_printoptions(precision=3)
    try:
        assert str(cnp.asarray([1 / 3])) == "[0.333]"
    finally:
        cnp.set_printoptions(precision=before)


def test_memory_is_shared_with_oneself_alone():
    x = cnp.asarray(V)
    assert cnp.shares_memory(x, x) and cnp.may_share_memory(x, x)
    assert not cnp.shares_memory(x, cnp.asarray(M)) and not cnp.may_share_memory(x, cnp.asarray(M))
    assert not jit(lambda a, b: cnp.where(cnp.shares_memory(a, b), 1, 0))(V, M)


def test_elements_are_walked_over_in_order():
    assert [(i, float(v)) for i, v in cnp.ndenumerate(M)] == [(i, float(v)) for i, v in np.ndenumerate(M)]
    assert list(cnp.ndindex(2, 3)) == list(np.ndindex(2, 3))
    found = jit(lambda x: sum([v * (i[0] + 1) for i, v in cnp.ndenumerate(x)]))(M)
    np.testing.assert_allclose(found, (M * np.arange(1, 4)[:, None]).sum(), rtol=1e-14)


def test_arrays_are_walked_over_together():
    found, expected = cnp.broadcast(M[:, :1], V[:2]), np.broadcast(M[:, :1], V[:2])
    for name in ("shape", "ndim", "nd", "size", "numiter"):
        assert getattr(found, name) == getattr(expected, name)
    assert [tuple(map(float, pair)) for pair in found] == [tuple(map(float, pair)) for pair in expected]
    assert cnp.broadcast().shape == ()
    with pytest.raises(ShapeError):
        cnp.broadcast(V, M)


def test_arrays_have_numpys_methods_that_pick():
    x = cnp.asarray(M)
    np.testing.assert_array_equal(x.compress([True, False, True], 0), M.compress([True, False, True], 0))
    np.testing.assert_array_equal(cnp.asarray([1, 0]).choose([V[:2], V[2:4]]), np.choose([1, 0], [V[:2], V[2:4]]))
    np.testing.assert_array_equal(np.take_along_axis(M, np.asarray(x.argpartition(2)), 1)[:, 2], np.sort(M)[:, 2])


def test_the_places_of_a_traced_triangle_have_a_given_number():
    found = jit(lambda k: cnp.mask_indices(3, cnp.triu, k, size=3))(1)
    np.testing.assert_array_equal(found, np.mask_indices(3, np.triu, 1))


# ---- grids and ranges ----

@pytest.mark.parametrize("key", [np.s_[0:5], np.s_[0:5, 0:3], np.s_[0:1:5j], np.s_[-1:1:3j, 0:2:1], np.s_[0:3:0.5, :2],
                                 np.s_[2:0:-1], np.s_[0:0]], ids=str)
def test_grids_are_numpys(key):
    for ours, theirs in ((cnp.mgrid, np.mgrid), (cnp.ogrid, np.ogrid)):
        found, expected = ours[key], theirs[key]
        found, expected = ([list(v) if isinstance(v, tuple) else [v] for v in (found, expected)])
        for f, e in zip(found, expected, strict=True):
            np.testing.assert_array_equal(f, e)
            assert f.dtype == e.dtype


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("key", [
    np.s_[1, 2, 3.0], np.s_[V, 0, V], np.s_[0:3, 7], np.s_[0:1:3j, V], np.s_["r", V, 1:3], np.s_["c", V, 1:3],
    np.s_["1", M, M], np.s_["-1", M, M], np.s_["0,2", V, V], np.s_["0,2,0", V, V], np.s_["1,2,0", V, V],
    np.s_["0,3,1", M[0], M[1]], np.s_["0,3,0", M, M], np.s_["0,3,-1", M, M], np.s_[[1, 2], [3]], np.s_[True, 2],
    np.s_[np.float32([1, 2]), 1.5], np.s_[np.int8([1]), 1], np.s_["r", M], np.s_[np.float32(1), 2],
    np.s_["0,2,0", 1, 2], np.s_["0,3,1", 5, 6], 4], ids=lambda k: str(k)[:40])
def test_ranges_are_joined_as_in_numpy(key):
    found, expected = cnp.r_[key], np.asarray(np.r_[key])
    np.testing.assert_array_equal(found, expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)


@pytest.mark.parametrize("key", [np.s_[V, V], np.s_[M, M], np.s_[V, 0:5], np.s_[1, 2], np.s_[M, V[:3]]],
                         ids=lambda k: str(k)[:30])
def test_columns_are_joined_as_in_numpy(key):
    found, expected = cnp.c_[key], np.c_[key]
    np.testing.assert_array_equal(found, expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)


def test_indices_are_written_between_brackets():
    assert cnp.s_[1:2, ...] == np.s_[1:2, ...] and cnp.s_[0:3] == slice(0, 3)
    assert cnp.index_exp[1:2] == (slice(1, 2),) and cnp.index_exp[1, 2] == (1, 2)


def test_joined_ranges_have_derivatives():
    g = grad(lambda x: (cnp.r_[x, 0:2, x * x] * np.arange(12.0)).sum())(V)
    np.testing.assert_allclose(g, np.arange(5.0) + 2 * V * np.arange(7.0, 12), rtol=1e-14)


# ---- partitions: any order on either side will do ----

@given(x=hnp.arrays(np.float64, hnp.array_shapes(max_dims=2, max_side=6), elements=st.integers(-3, 3)), data=st.data())
def test_a_partition_has_the_sorted_element_in_its_place(x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    k = data.draw(st.integers(-x.shape[axis], x.shape[axis] - 1))
    found, order = np.asarray(cnp.partition(x, k, axis)), np.asarray(cnp.argpartition(x, k, axis))
    for y in (found, np.take_along_axis(x, order, axis)):
        moved, whole = np.moveaxis(y, axis, 0), np.moveaxis(np.sort(x, axis), axis, 0)
        np.testing.assert_array_equal(moved[k], whole[k])
        k_ = k % len(moved)
        assert (moved[:k_] <= moved[k]).all() and (moved[k_:] >= moved[k]).all()
        np.testing.assert_array_equal(np.sort(y, axis), np.sort(x, axis))


def test_a_place_outside_is_no_partition():
    for f in (cnp.partition, cnp.argpartition):
        with pytest.raises(ShapeError):
            f(V, 5)
        with pytest.raises(ShapeError):
            f(V, (0, -6))


def test_a_descending_argsort_keeps_the_order_of_equals_and_takes_every_dtype():
    for x in (np.uint8([3, 0, 255, 3, 0]), np.array([True, False, True]), np.int8([-128, 127, -128]), V):
        order = np.asarray(cnp.argsort(x, descending=True))
        np.testing.assert_array_equal(x[order], np.sort(x)[::-1])
        equal = x[order][1:] == x[order][:-1]
        assert (np.diff(order)[equal] > 0).all()
        np.testing.assert_array_equal(cnp.sort(x, descending=True), np.sort(x)[::-1])


# ---- vectorize ----

def test_vectorize_broadcasts_as_numpys():
    def f(a, b):
        return a * b + 1
    for args in ((V, 2.0), (M, V[:4]), (M[:, :1], V), (2.0, 3.0), ([1, 2], [[3], [4]])):
        found, expected = cnp.vectorize(f)(*args), np.vectorize(f)(*args)
        np.testing.assert_allclose(found, expected, rtol=1e-15)
        assert found.shape == expected.shape and found.dtype == expected.dtype


@pytest.mark.parametrize("signature,f,args", [
    ("(n)->()", lambda x: (x * x).sum(), (M,)), ("(n),(n)->()", lambda x, y: (x * y).sum(), (M, M[0])),
    ("(n)->(n)", lambda x: x[::-1], (M,)), ("(m,n),(n)->(m)", lambda a, x: (a * x).sum(-1), (np.stack([M, M]), M[0])),
    ("(n)->(),()", lambda x: (x.sum(), x.max()), (M,)), ("(n)->(n,n)", lambda x: x[:, None] * x, (M,)),
    ("(),(k)->(k)", lambda s, x: s * x, (V[:3], M)), ("(n),()->(n)", lambda x, s: x + s, (M, 2.0)),
    ("(3)->()", lambda x: x[0], (M.T,))], ids=lambda v: v if isinstance(v, str) else "")
def test_vectorize_with_a_signature_is_numpys(signature, f, args):
    expected = np.vectorize(f, signature=signature)(*args) if "3" not in signature else M[0]
    found = cnp.vectorize(f, signature=signature)(*args)
    for a, b in zip(found if isinstance(found, tuple) else (found,), expected if isinstance(expected, tuple)
                    else (expected,), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


def test_vectorize_excludes_names_and_casts():
    @cnp.vectorize(otypes=["float32"], excluded=["power", 1], doc="A power.")
    def f(x, offset, power=2):
        return x ** power + sum(offset)
    np.testing.assert_allclose(f(V, [1, 2], power=3), V ** 3 + 3, rtol=1e-6)
    assert f(V, (1,)).dtype == np.float32 and f.__doc__ == "A power." and f.__name__ == "f"
    assert cnp.vectorize(lambda a: a, otypes="f")(V).dtype == np.float32
    np.testing.assert_allclose(cnp.vectorize(lambda a, b: a - b)(V, b=M[:, :1]), V - M[:, :1])


def test_vectorize_goes_through_the_transformations():
    f = cnp.vectorize(lambda a, b: cnp.sin(a) * b)
    np.testing.assert_allclose(grad(lambda x: f(x, 2.0).sum())(V), 2 * np.cos(V), rtol=1e-14)
    np.testing.assert_allclose(jit(vmap(f))(M, M), np.sin(M) * M, rtol=1e-14)


@pytest.mark.parametrize("call", [
    lambda: cnp.vectorize(lambda x: x, signature="(n->()")(V),
    lambda: cnp.vectorize(lambda x: x, signature="(n)->()")(V),
    lambda: cnp.vectorize(lambda x, y: x, signature="(n),(n)->(n)")(V, M[0]), lambda: cnp.vectorize(lambda: 1)(),
    lambda: cnp.vectorize(lambda x: x, signature="(n),(n)->()")(V), lambda: cnp.vectorize(lambda x: V)(M),
    lambda: cnp.vectorize(lambda x: x, signature="(n,m)->()")(V), lambda: cnp.vectorize(lambda x: x, "ff")(V)])
def test_a_function_that_does_not_fit_its_signature_is_refused(call):
    with pytest.raises(ShapeError):
        call()


# ---- errstate ----

def test_errstate_stops_at_the_first_nan():
    with cnp.errstate(invalid="raise"):
        with pytest.raises(NanError):
            cnp.log(cnp.asarray(-1.0))
        with cnp.errstate(invalid="ignore"):
            assert np.isnan(cnp.log(cnp.asarray(-1.0)))
        with cnp.errstate(divide="ignore"), pytest.raises(NanError):
            cnp.log(cnp.asarray(-1.0))
    assert not config.debug_nans and np.isnan(cnp.log(cnp.asarray(-1.0)))


def test_errstate_decorates_and_nests():
    state = cnp.errstate(all="raise")

    @state
    def f(x):
        return cnp.sqrt(x)
    with pytest.raises(NanError):
        f(-1.0)
    with state, state, pytest.raises(NanError):
        f(-1.0)
    assert not config.debug_nans


def test_errstate_has_no_switch_for_overflow():
    with pytest.raises(ShapeError):
        cnp.errstate(over="raise")
    with pytest.raises(ShapeError):
        cnp.errstate(invald="raise")


def test_nothing_becomes_float64_in_the_mode_of_float32():
    x, i = cnp.asarray(V, "float32"), np.arange(5)
    with config(default_float="float32"):
        results = [cnp.bincount(i, x), cnp.bincount(i, i), *cnp.histogram(x, 3, density=True),
                   *cnp.histogram(x, weights=x), *cnp.histogram2d(x, i, 2, weights=x), cnp.histogram_bin_edges(i, 3),
                   cnp.pad(x, 1, "mean"), cnp.pad(x, 2, "linear_ramp"), cnp.vander(x, 3), cnp.sort(x),
                   cnp.select([x > 0], [x], 1.0), cnp.where(x > 0, x, 2.0), cnp.r_[x, 1.0], cnp.r_[0.5, 1:2],
                   cnp.fromiter((1.5, 2), float), cnp.mgrid[0:1:3j], cnp.take(x, i + 3, mode="fill"),
                   cnp.fromfunction(lambda i: i, (3,)), cnp.frombuffer(bytes(8))]
        assert [k for k, r in enumerate(results) if r.dtype != np.float32] == []
        assert cnp.common_type(i) is np.float32


# ---- what cannot be ----

@pytest.mark.parametrize("f", [lambda x: cnp.fill_diagonal(x, 1.0, inplace=True),
                               lambda x: cnp.put(x, 0, 1, inplace=True),
                               lambda x: cnp.put_along_axis(x, np.zeros((1, 4), int), 1.0, 0, inplace=True)])
def test_nothing_is_written_in_place(f):
    with pytest.raises((ShapeError, ImmutableError)):
        f(M)


def test_there_is_no_out_argument():
    for f in (lambda: cnp.take(V, 0, None, V), lambda: cnp.choose([0], [V], V)):
        with pytest.raises(ImmutableError):
            f()
    with pytest.raises(ShapeError):
        cnp.require(V, requirements="W")


@pytest.mark.parametrize("f", [lambda: cnp.sort(V, 1), lambda: cnp.flip(M, 2), lambda: cnp.squeeze(M, -3),
                               lambda: cnp.concatenate([V, V], 1), lambda: cnp.sum(M, 2)])
def test_an_axis_that_is_not_there_is_both_errors_that_numpys_is(f):
    for kind in (ValueError, IndexError, ShapeError):
        with pytest.raises(kind):
            f()


def test_copyto_says_what_to_write_instead():
    with pytest.raises(ImmutableError, match="where"):
        cnp.copyto(M, 1.0)


@pytest.mark.parametrize("f,args", [
    (cnp.nonzero, (V,)), (cnp.argwhere, (V,)), (cnp.flatnonzero, (V,)), (lambda c: cnp.compress(c, V), (V > 0,)),
    (cnp.bincount, (np.arange(3),)), (lambda n: cnp.repeat(V, n), (np.arange(5),)), (cnp.trim_zeros, (V,)),
    (lambda i: cnp.delete(V, i), (np.array([1, 2]),)), (lambda m: cnp.insert(V, m, 1.0), (V > 0,)),
    (lambda x: cnp.histogram(x, "auto"), (V,)), (cnp.array_repr, (V,)), (cnp.real_if_close, (C,)),
    (lambda m: cnp.ix_(m), (V > 0,)), (cnp.asarray_chkfinite, (V,))])
def test_a_size_that_depends_on_values_is_refused_while_tracing(f, args):
    f(*args)
    with pytest.raises(ConcretizationError):
        jit(f)(*args)


def test_known_values_are_seen_through_a_derivative():
    """grad and jvp know the numbers, so these work there."""
    x = np.array([0.0, 1.5, 2.0, 0.0])
    np.testing.assert_array_equal(grad(lambda v: (cnp.trim_zeros(v) ** 2).sum())(x), 2 * x)
    np.testing.assert_array_equal(grad(lambda v: v[cnp.nonzero(v)].sum())(x), x != 0)


def test_a_traced_index_out_of_range_follows_its_mode():
    def f(mode):
        return jit(lambda i: cnp.take(V, i, mode=mode))(np.array([-7, 9, -1]))
    np.testing.assert_array_equal(f("clip"), [V[0], V[4], V[0]])
    np.testing.assert_array_equal(f("wrap"), [V[3], V[4], V[4]])
    np.testing.assert_array_equal(f("fill"), [np.nan, np.nan, V[4]])
    np.testing.assert_array_equal(cnp.take(V, np.array([-7, 9, -1]), mode="fill"), f("fill"))
    np.testing.assert_array_equal(jit(lambda i: cnp.take(np.arange(3), i, mode="fill"))(np.array([5])),
                                  [np.iinfo(int).min])


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e5m2", "float8_e4m3fn", "int4", "uint4"])
def test_narrow_types_are_sorted_with_nan_last(dtype):
    d = getattr(cnp, dtype)
    wide = np.array([3.0, 1.0, 2.0, 7.0, 0.0, 1.0])
    wide[5:] = np.nan if "float" in dtype else 1
    x = cnp.asarray(wide).astype(d)
    for f in (cnp.sort, jit(cnp.sort)):
        found = f(x)
        assert found.dtype == x.dtype
        np.testing.assert_array_equal(np.asarray(found, "float32"), np.sort(wide))
    for f in (cnp.argsort, jit(cnp.argsort)):
        np.testing.assert_array_equal(f(x), np.argsort(wide, kind="stable"))
    for f in (cnp.searchsorted, jit(cnp.searchsorted)):
        np.testing.assert_array_equal(f(cnp.sort(x), x), np.searchsorted(np.sort(wide), wide))


@pytest.mark.slow
def test_the_methods_of_searchsorted_agree():
    a = np.sort(RNG.normal(size=70))
    v = np.concatenate([a[::7], RNG.normal(size=20), [np.nan, np.inf, -np.inf]])
    for side in ("left", "right"):
        for method in ("scan", "scan_unrolled", "sort", "compare_all"):
            for f in (cnp.searchsorted, jit(cnp.searchsorted, static_argnames=("side", "method"))):
                np.testing.assert_array_equal(f(a, v, side=side, method=method), np.searchsorted(a, v, side))
    with pytest.raises(ShapeError):
        cnp.searchsorted(a, v, method="guess")


@pytest.mark.slow
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32",
                                   "float64", "complex64", "complex128"])
def test_compiled_sorts_are_numpys_at_the_extremes(dtype, axis):
    d = np.dtype(dtype)
    x = RNG.normal(size=(5, 40))
    if d.kind in "iu":
        x = RNG.integers(np.iinfo(d).min, np.iinfo(d).max, (5, 40), dtype=d, endpoint=True)
        x[0, :2] = np.iinfo(d).min, np.iinfo(d).max
    elif d.kind in "fc":
        special = [np.nan, -np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, 5e-324]
        x[:3] = RNG.choice(special, (3, 40))
        if d.kind == "c":
            x = np.stack([x, RNG.choice(special, (5, 40))], -1).view(complex)[..., 0]
    x = x.astype(d)
    np.testing.assert_array_equal(jit(lambda x: cnp.argsort(x, axis))(x), np.argsort(x, axis, kind="stable"))
    np.testing.assert_array_equal(jit(lambda x: cnp.sort(x, axis))(x), np.sort(x, axis))


def test_what_has_the_wrong_type_is_refused():
    for f in (lambda: cnp.take(V, 1.5), lambda: cnp.repeat(V, 1.5), lambda: cnp.concatenate(3),
              lambda: cnp.bincount(V), lambda: cnp.pad(V, 1.5), lambda: cnp.choose(V, [V]),
              lambda: cnp.pad(V > 0, 1, "reflect", reflect_type="odd")):
        with pytest.raises(DtypeError):
            f()
