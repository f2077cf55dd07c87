"""The Python array API standard: names, signatures, promotion, special cases, and NumPy's values over generated arrays.

The table `array_api_table` holds what the standard says; `docs` of each function say more.
"""
import inspect
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import chainrule.engine.numpy as cnp
from chainrule.engine import Array, jit
from chainrule.engine.errors import ImmutableError
from tests.engine import array_api_table as table

INTEGERS = "int8 int16 int32 int64 uint8 uint16 uint32 uint64".split()
REALS = [*INTEGERS, "float32", "float64"]
NUMERIC = [*REALS, "complex64", "complex128"]
EVERY = ["bool", *NUMERIC]


# ---- names and signatures ----

def signature(line):
    """(name, signature) of a line of the table."""
    name, rest = line.split("(", 1)
    scope: dict = {}
    exec(f"def f({rest}: pass", scope)
    return name, inspect.signature(scope["f"])


def gaps(f, wanted, bound=False):
    """What a call by the standard's signature could not do with f."""
    mine = list(inspect.signature(f).parameters.values())[bound:]
    by_name = {p.name: p for p in mine}
    places = [p for p in mine if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    swallows = {p.kind for p in mine}
    for i, p in enumerate(wanted.parameters.values()):
        if p.kind is p.VAR_POSITIONAL:
            if p.VAR_POSITIONAL not in swallows:
                yield f"*{p.name}"
            continue
        if p.kind is not p.KEYWORD_ONLY and i >= len(places) and p.VAR_POSITIONAL not in swallows:
            yield f"argument {i}"
        if p.kind is not p.POSITIONAL_ONLY:
            own = by_name.get(p.name)
            if own is None and p.VAR_KEYWORD not in swallows:
                yield f"{p.name}="
            elif own is not None and p.default is not p.empty and own.default not in (p.default, None):
                yield f"{p.name}={own.default!r}, not {p.default!r}"
    for p in places[len(wanted.parameters):]:
        if p.default is p.empty and p.name not in wanted.parameters:
            yield f"{p.name} is needed"


@pytest.mark.parametrize("line", table.FUNCTIONS, ids=lambda line: line.split("(")[0])
def test_a_function_takes_what_the_standard_says(line):
    name, wanted = signature(line)
    assert list(gaps(getattr(cnp, name), wanted)) == []


@pytest.mark.parametrize("line", table.METHODS, ids=lambda line: line.split("(")[0])
def test_a_method_takes_what_the_standard_says(line):
    name, wanted = signature(line)
    assert list(gaps(getattr(Array, name), wanted, bound=True)) == []


def test_attributes_constants_and_dtypes_are_there():
    x = cnp.ones((2, 3))
    assert [name for name in table.ATTRIBUTES if not hasattr(x, name)] == []
    assert [name for name in [*table.CONSTANTS, *table.DTYPES] if not hasattr(cnp, name)] == []
    assert cnp.__array_api_version__ == "2024.12" and (cnp.e, cnp.pi, cnp.inf) == (math.e, math.pi, math.inf)
    assert (x.T.shape, x.mT.shape, x.ndim, x.size, x.shape) == ((3, 2), (3, 2), 2, 6, (2, 3))
    for name in table.DTYPES:
        d = getattr(cnp, name)
        assert cnp.zeros(2, dtype=d).dtype == d == np.dtype(name) and d != "other"


def test_the_signature_check_can_fail():
    _, wanted = signature("f(x, /, *, axis=None, copy=True)")
    assert list(gaps(lambda x, axis=None: x, wanted)) == ["copy="]
    assert list(gaps(lambda x, y, copy=False, axis=None: x, wanted)) == ["copy=False, not True"]
    assert list(gaps(lambda: 0, wanted)) == ["argument 0", "axis=", "copy="]


def test_the_namespace_says_what_it_can_do():
    info = cnp.__array_namespace_info__()
    assert info.capabilities() == {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}
    assert info.devices() == [info.default_device()] == [cnp.ones(1).device]
    assert {k: v.name for k, v in info.default_dtypes(device=info.default_device()).items()} == {
        "real floating": "float64", "complex floating": "complex128", "integral": "int64", "indexing": "int64"}
    assert list(info.dtypes()) == table.DTYPES
    for kind in ("bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating",
                 "numeric", ("bool", "integral")):
        assert info.dtypes(kind=kind) == {n: np.dtype(n) for n in table.DTYPES if cnp.isdtype(np.dtype(n), kind)}
    with pytest.raises(ValueError):
        info.dtypes(device="gpu")


def test_arrays_name_their_namespace():
    x = cnp.ones(2)
    for version in (None, "2022.12", "2023.12", "2024.12"):
        assert x.__array_namespace__(api_version=version) is cnp
    assert jit(lambda v: v.__array_namespace__().sin(v))(x).shape == (2,)
    with pytest.raises(ValueError, match="2024.12"):
        x.__array_namespace__(api_version="2031.12")


# ---- the array object ----

def test_zero_dimensional_arrays_are_numbers():
    for dtype in EVERY:
        x = cnp.asarray(1, dtype=dtype)
        assert bool(x) is True and complex(x) == 1 + 0j
        if np.dtype(dtype).kind != "c":
            assert (int(x), float(x)) == (1, 1.0)
        else:
            for f in (int, float):
                with pytest.raises(TypeError):
                    f(x)
        if np.dtype(dtype).kind in "iu":
            assert x.__index__() == 1 and [0, 5][x] == 5
        else:
            with pytest.raises(TypeError):
                x.__index__()
    assert bool(cnp.ones((1, 1))) and math.isnan(float(cnp.asarray(cnp.nan)))
    for bad, f, error in ((cnp.ones(2), bool, ValueError), (cnp.ones(2), float, TypeError),
                          (cnp.asarray(cnp.nan), int, ValueError), (cnp.asarray(cnp.inf), int, OverflowError)):
        with pytest.raises(error):
            f(bad)


IN_PLACE = {"__iadd__": (7, 2), "__isub__": (7, 2), "__imul__": (7, 2), "__itruediv__": (7.0, 2.0), "__ipow__": (7, 2),
            "__ifloordiv__": (7, 2), "__imod__": (7, 2), "__iand__": (7, 2), "__ior__": (5, 2), "__ixor__": (7, 2),
            "__ilshift__": (7, 2), "__irshift__": (7, 2)}


@pytest.mark.parametrize("name", IN_PLACE)
def test_operators_work_forwards_backwards_and_by_rebinding(name):
    a, b = (np.full(3, v) for v in IN_PLACE[name])
    plain, backward = name.replace("__i", "__", 1), name.replace("__i", "__r", 1)
    expected = getattr(a, plain)(b)
    x, y = cnp.asarray(a), cnp.asarray(b)
    for found in (getattr(x, plain)(y), getattr(y, backward)(x), getattr(x, name)(y),
                  jit(lambda u, v: getattr(u, name)(v))(x, y)):
        assert found.dtype == expected.dtype and found.tolist() == expected.tolist()
    assert x.tolist() == a.tolist()
    before = x
    x += 1
    assert x is not before and before.tolist() == a.tolist()


def test_matrices_are_multiplied_by_operators():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    x = cnp.asarray(a)
    x @= b
    assert x.tolist() == (a @ b).tolist() == cnp.asarray(b).__rmatmul__(a).tolist()
    with pytest.raises(ImmutableError):
        x[0] = 1


# ---- promotion ----

@pytest.mark.parametrize("name", ["add", "multiply", "subtract", "maximum", "minimum", "where"])
def test_functions_of_two_arrays_promote(name):
    for one in NUMERIC:
        for two in NUMERIC:
            if {np.dtype(one).kind, np.dtype(two).kind} == {"i", "u"} and "uint64" in (one, two):
                continue                                 # mixed with uint64 is not in the standard
            if name in ("maximum", "minimum") and "c" in np.dtype(one).kind + np.dtype(two).kind:
                continue
            a, b = cnp.ones(2, dtype=one), cnp.ones(2, dtype=two)
            f = getattr(cnp, name)
            out = f(cnp.asarray([True, False]), a, b) if name == "where" else f(a, b)
            assert out.dtype == np.result_type(one, two)


def test_sums_and_products_have_room_for_small_integers():
    for name in ("sum", "prod", "cumulative_sum", "cumulative_prod"):
        f = getattr(cnp, name)
        for dtype in EVERY[1:]:
            kind = np.dtype(dtype).kind
            expected = {"i": "int64", "u": "uint64"}.get(kind, dtype)
            x = cnp.full(3, 100, dtype=dtype)
            assert f(x).dtype == f(x, axis=0).dtype == jit(f)(x).dtype == expected
            assert f(x, dtype=np.float64 if kind != "c" else np.complex128).dtype.itemsize == (8 if kind != "c" else 16)
        assert f(cnp.full(2, 100, dtype="int8")).reshape(-1)[-1].item() == {"sum": 200, "prod": 10000}[name.split("_")[
            -1]]


# ---- special cases ----

def number(text):
    text = text.strip()
    if text in ("True", "False"):
        return text == "True"
    if text == "-nan":
        return math.copysign(math.nan, -1.0)
    return -0.0 if text == "-0" else float(eval(text, {"nan": math.nan, "inf": math.inf, "pi": math.pi}))


def special_cases():
    """{function: [(arguments, result, whether a few ulps do not matter)]}"""
    found: dict = {}
    for line in table.SPECIAL.strip().splitlines():
        name, rest = line.split(":")
        for each in rest.split(";"):
            args, result = each.split("->")
            result = result.strip()
            row = tuple(number(a) for a in args.split(",")), number(result.lstrip("~")), result.startswith("~")
            found.setdefault(name, []).append(row)
    return found


SPECIAL = special_cases()


def is_case(value, expected, roughly):
    """Whether a value is what the table says, the sign of zero included."""
    if isinstance(expected, bool):
        return value.dtype == bool and value == expected
    expected = np.asarray(expected, value.dtype)
    if np.isnan(expected):
        return np.isnan(value)
    if roughly:
        return abs(value - expected) <= 4 * np.finfo(value.dtype).eps * abs(expected)
    return value == expected and np.signbit(value) == np.signbit(expected)


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_special_cases_are_those_of_the_standard_also_compiled(name, dtype):
    rows = SPECIAL[name]
    args = [np.array(column, dtype) for column in zip(*[args for args, _, _ in rows])]
    f = getattr(cnp, name)
    for how, out in (("eager", f(*args)), ("compiled", jit(lambda *xs: f(*xs))(*args)),
                     ("one by one", cnp.stack([f(*xs) for xs in zip(*map(cnp.asarray, args))]))):
        wrong = [(a, float(v), e) for (a, e, roughly), v in zip(rows, np.asarray(out)) if not is_case(v, e, roughly)]
        assert wrong == [], how


COMPLEX = ("exp expm1 log log1p log2 log10 sqrt sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh abs square "
           "negative conj isfinite isinf isnan").split()
WILD = [0.0, -0.0, 1.0, -2.5, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize("name", COMPLEX)
@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
def test_complex_functions_at_infinity_and_nan_are_those_of_the_standard_also_compiled(name, dtype):
    """The standard's are those of C99, annex G, which NumPy follows; it leaves signs of zeros and infinities there
    open."""
    z = np.array([complex(a, b) for a in WILD for b in WILD if not (math.isfinite(a) and math.isfinite(b))], dtype)
    f = getattr(cnp, name)
    with np.errstate(all="ignore"):
        expected = getattr(np, {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh",
                                "acosh": "arccosh", "atanh": "arctanh"}.get(name, name))(z)
    if name == "expm1":                                  # where NumPy has nan and the standard has not
        expected.imag[z.imag == 0] = 0
        wild = ~np.isfinite(z.imag)
        expected.real[wild & (z.real == np.inf)] = np.inf
        expected[wild & (z.real == -np.inf)] = -1
    eps = 8 * np.finfo(dtype).eps
    for found in (np.asarray(f(z)), np.asarray(jit(lambda v: f(v))(z))):
        assert found.dtype == expected.dtype
        for part in (np.real, np.imag):
            a, b = part(found).astype(float), part(expected).astype(float)
            np.testing.assert_allclose(np.abs(a), np.abs(b), rtol=eps, atol=0)
            there = np.isfinite(b) & (b != 0)
            assert (np.sign(a) == np.sign(b))[there].all()


def test_the_table_of_special_cases_covers_the_element_wise_functions():
    without = set("bitwise_and bitwise_left_shift bitwise_invert bitwise_or bitwise_right_shift bitwise_xor clip conj "
                  "equal greater greater_equal imag less less_equal not_equal positive real".split())
    names = [line.split("(")[0] for line in table.FUNCTIONS]
    elementwise = names[names.index("abs"):names.index("trunc") + 1]
    assert set(elementwise) - without == set(SPECIAL)
    assert not is_case(np.float64(0.0), -0.0, False) and not is_case(np.float64(1.0), math.nan, False)


# ---- values, over generated arrays ----

ELEMENTS = {"b": st.booleans(), "i": st.integers(-9, 9), "u": st.integers(0, 9),
            "f": st.floats(-8, 8, width=16, allow_subnormal=False)}


def arrays(dtypes=tuple(REALS), **shapes):
    """Arrays of these dtypes, up to three axes of up to four elements."""
    def of(dtype):
        kind = np.dtype(dtype).kind
        elements = st.builds(complex, ELEMENTS["f"], ELEMENTS["f"]) if kind == "c" else ELEMENTS[kind]
        sizes = {"min_dims": 0, "max_dims": 3, "min_side": 0, "max_side": 4} | shapes
        return hnp.arrays(dtype, hnp.array_shapes(**sizes), elements=elements)
    return st.sampled_from(dtypes).flatmap(of)


def agree(found, expected):
    """Equal dtypes and shapes; values to 8 units in the last place of the largest element."""
    found = np.asarray(found)
    expected = np.asarray(expected)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    if expected.dtype.kind in "fc" and expected.size:
        eps = 8 * np.finfo(expected.dtype).eps
        np.testing.assert_allclose(found, expected, rtol=eps, atol=eps * np.abs(expected).max(initial=0))
    else:
        np.testing.assert_array_equal(found, expected)


def law(f):
    return settings(max_examples=60)(f)


@law
@given(arrays(tuple(EVERY)), st.sampled_from([None, *EVERY[1:]]))
def test_creation_like_an_array(x, dtype):
    d = x.dtype if dtype is None else np.dtype(dtype)
    for name in ("zeros_like", "ones_like", "empty_like"):
        out = getattr(cnp, name)(cnp.asarray(x), dtype=dtype)
        assert (out.shape, out.dtype) == (x.shape, d)
    agree(cnp.ones_like(x, dtype=dtype), np.ones_like(x, dtype=dtype))
    agree(cnp.full_like(x, 3, dtype=dtype), np.full_like(x, 3, dtype=dtype))
    agree(cnp.full(x.shape, 3, dtype=d), np.full(x.shape, 3, dtype=d))
    agree(cnp.asarray(x.tolist()), np.asarray(x.tolist()))
    agree(cnp.asarray(cnp.asarray(x), copy=True), x)


@law
@given(st.integers(-20, 20), st.integers(-20, 20), st.integers(-5, 5).filter(bool), st.sampled_from([None, *REALS]))
def test_arange_is_numpys(start, stop, step, dtype):
    if dtype and dtype.startswith("u") and (min(start, stop) < 0 or step < 0 and start > stop):
        start, stop = abs(start), abs(stop)
    agree(cnp.arange(start, stop, step, dtype=dtype), np.arange(start, stop, step, dtype=dtype))
    agree(cnp.arange(start / 4, stop / 4, step / 4), np.arange(start / 4, stop / 4, step / 4))


@law
@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 7), st.booleans(),
       st.sampled_from([None, "float32", "int64"]))
def test_linspace_and_eye_are_numpys(start, stop, num, endpoint, dtype):
    agree(cnp.linspace(start, stop, num=num, endpoint=endpoint, dtype=dtype),
          np.linspace(start, stop, num=num, endpoint=endpoint, dtype=dtype))
    agree(cnp.linspace(start, stop * 1j, num=num, endpoint=endpoint), np.linspace(start, stop * 1j, num=num,
                                                                                 endpoint=endpoint))
    far = 10 ** 30
    agree(cnp.triu(cnp.ones((2, 3)), k=-far), np.ones((2, 3)))
    agree(cnp.tril(cnp.ones((2, 3)), k=-far), np.zeros((2, 3)))
    if start * stop and num > 1:
        agree(cnp.geomspace(start, stop * 1j, num), np.geomspace(start, stop * 1j, num))
    agree(cnp.eye(num, abs(stop), k=start, dtype=dtype), np.eye(num, abs(stop), k=start, dtype=dtype))


@law
@given(arrays(tuple(EVERY), min_dims=1), st.data())
def test_manipulation_is_numpys(x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    shift = data.draw(st.integers(-5, 5))
    a = cnp.asarray(x)
    agree(cnp.flip(a, axis=axis), np.flip(x, axis=axis))
    agree(cnp.roll(a, shift, axis=axis), np.roll(x, shift, axis=axis))
    agree(cnp.roll(a, shift), np.roll(x, shift))
    agree(cnp.expand_dims(a, axis=axis), np.expand_dims(x, axis=axis))
    agree(cnp.squeeze(cnp.expand_dims(a, axis=axis), axis=axis), x)
    agree(cnp.concat([a, a], axis=axis), np.concatenate([x, x], axis=axis))
    agree(cnp.concat([a, a], axis=None), np.concatenate([x, x], axis=None))
    agree(cnp.stack([a, a], axis=axis), np.stack([x, x], axis=axis))
    for found, expected in zip(cnp.unstack(a, axis=axis), np.moveaxis(x, axis, 0), strict=True):
        agree(found, expected)
    order = data.draw(st.permutations(range(x.ndim)))
    agree(cnp.permute_dims(a, order), np.transpose(x, order))
    agree(cnp.moveaxis(a, axis, order[0]), np.moveaxis(x, axis, order[0]))
    agree(cnp.reshape(a, (-1,)), x.reshape(-1))
    agree(cnp.tile(a, (2, 1)), np.tile(x, (2, 1)))
    agree(cnp.repeat(a, 2, axis=axis), np.repeat(x, 2, axis=axis))
    counts = np.arange(x.shape[axis])
    agree(cnp.repeat(a, cnp.asarray(counts), axis=axis), np.repeat(x, counts, axis=axis))
    agree(cnp.broadcast_to(a, (2, *x.shape)), np.broadcast_to(x, (2, *x.shape)))
    if x.ndim > 1:
        agree(cnp.tril(a, k=shift), np.tril(x, k=shift))
        agree(cnp.triu(a, k=shift), np.triu(x, k=shift))
        agree(cnp.matrix_transpose(a), np.swapaxes(x, -1, -2))


@law
@given(arrays(min_dims=1, min_side=1), st.booleans(), st.booleans(), st.data())
def test_sorting_and_searching_are_numpys(x, descending, stable, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    a = cnp.asarray(x)
    expected = np.flip(np.sort(x, axis=axis), axis) if descending else np.sort(x, axis=axis)
    agree(cnp.sort(a, axis=axis, descending=descending, stable=stable), expected)
    order = cnp.argsort(a, axis=axis, descending=descending, stable=stable)
    wide = x.astype(object) if x.dtype.kind == "u" else x
    agree(order, np.argsort(-wide if descending else wide, axis=axis, kind="stable"))
    agree(cnp.take_along_axis(a, order, axis=axis), expected)
    for name in ("argmax", "argmin"):
        agree(getattr(cnp, name)(a, axis=axis, keepdims=True), getattr(np, name)(x, axis=axis, keepdims=True))
        agree(getattr(cnp, name)(a), getattr(np, name)(x))
    agree(cnp.count_nonzero(a, axis=axis), np.count_nonzero(x, axis=axis))
    agree(cnp.count_nonzero(a, axis=axis, keepdims=True), np.count_nonzero(x, axis=axis, keepdims=True))
    for found, wanted in zip(cnp.nonzero(a), np.nonzero(x), strict=True):
        agree(found, wanted)
    line = np.sort(x.reshape(-1))
    for side in ("left", "right"):
        agree(cnp.searchsorted(cnp.asarray(line), a, side=side), np.searchsorted(line, x, side=side))
        agree(cnp.searchsorted(a.reshape(-1), a, side=side, sorter=cnp.argsort(a.reshape(-1))),
              np.searchsorted(line, x, side=side))
    indices = data.draw(st.lists(st.integers(0, x.shape[axis] - 1), max_size=5))
    agree(cnp.take(a, cnp.asarray(np.array(indices, int)), axis=axis), np.take(x, np.array(indices, int), axis=axis))


@law
@given(arrays(tuple(NUMERIC), min_dims=1, min_side=1), st.booleans(), st.data())
def test_statistics_are_numpys(x, keepdims, data):
    options = [None, *range(-x.ndim, x.ndim)] + ([(0, 1), (-1, 0)] if x.ndim > 1 else [])
    axis = data.draw(st.sampled_from(options))
    a, real = cnp.asarray(x), x.dtype.kind != "c"
    for name in "sum prod mean all any".split() + "max min std var".split() * real:
        if name == "mean" and x.dtype == np.float32:
            continue                                     # the order of the additions is ours
        agree(getattr(cnp, name)(a, axis=axis, keepdims=keepdims), getattr(np, name)(x, axis=axis, keepdims=keepdims))
    n = x.size if axis is None else math.prod(x.shape[i] for i in np.atleast_1d(axis))
    if real and n > 1:
        for name in ("std", "var"):
            agree(getattr(cnp, name)(a, axis=axis, correction=1, keepdims=keepdims),
                  getattr(np, name)(x, axis=axis, ddof=1, keepdims=keepdims))
            agree(getattr(cnp, name)(a, axis=axis, correction=0.5), getattr(np, name)(x, axis=axis, ddof=0.5))
    one = data.draw(st.integers(-x.ndim, x.ndim - 1))
    for name, ufunc in (("cumulative_sum", np.add), ("cumulative_prod", np.multiply)):
        wide = x.astype({"i": "int64", "u": "uint64"}.get(x.dtype.kind, x.dtype))
        expected = ufunc.accumulate(wide, axis=one)
        agree(getattr(cnp, name)(a, axis=one), expected)
        first = np.full_like(np.take(wide, [0], axis=one), ufunc.identity)
        agree(getattr(cnp, name)(a, axis=one, include_initial=True), np.concatenate([first, expected], axis=one))
    agree(cnp.diff(a, axis=one), np.diff(x, axis=one))
    agree(cnp.diff(a, axis=one, n=2, prepend=a, append=a), np.diff(x, axis=one, n=2, prepend=x, append=x))


@law
@given(arrays(tuple(EVERY), min_dims=1, min_side=1), st.data())
def test_indexing_is_numpys(x, data):
    a = cnp.asarray(x)
    index = data.draw(hnp.basic_indices(x.shape, allow_newaxis=True, allow_ellipsis=True))
    agree(a[index], x[index])
    mask = data.draw(hnp.arrays(bool, x.shape))
    agree(a[cnp.asarray(mask)], x[mask])
    integers = data.draw(hnp.integer_array_indices(x.shape, result_shape=hnp.array_shapes(max_dims=2, max_side=3)))
    agree(a[tuple(cnp.asarray(i) for i in integers)], x[integers])


@law
@given(arrays(("float64", "complex128", "int64", "float32"), min_dims=2, min_side=1))
def test_products_are_numpys(x):
    y = np.swapaxes(x, -1, -2)
    a, b = cnp.asarray(x), cnp.asarray(y)
    agree(cnp.matmul(a, b), np.matmul(x, y))
    agree(cnp.tensordot(a, a, axes=x.ndim), np.tensordot(x, x, axes=x.ndim))
    agree(cnp.vecdot(a, a), np.sum(np.conj(x) * x, -1))
    agree(cnp.vecdot(a, a, axis=-2), np.sum(np.conj(x) * x, -2))
