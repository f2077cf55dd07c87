"""Dtypes: NumPy's and the narrow ones of ml_dtypes, their limits and kinds, how they promote, and work in them."""
import itertools

import ml_dtypes
import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import Array, config, grad, jit, vmap
from chainrule.engine.avals import NARROW
from chainrule.engine.errors import DtypeError
from tests.engine.laws import close

NUMPYS = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128".split()
FLOATS = [name for name in NARROW if "float" in name]
COMPUTING = ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3", "float8_e3m4", "float8_e4m3b11fnuz",
             "float8_e4m3fnuz", "float8_e5m2fnuz"]       # not the types for storage
PROMOTED = """
bfloat16 bool -> bfloat16          bfloat16 int8 -> bfloat16          bfloat16 int64 -> bfloat16
bfloat16 uint64 -> bfloat16        bfloat16 int4 -> bfloat16          bfloat16 float16 -> float32
bfloat16 float32 -> float32        bfloat16 float64 -> float64        bfloat16 complex64 -> complex64
bfloat16 complex128 -> complex128  bfloat16 float8_e4m3fn -> bfloat16  bfloat16 float4_e2m1fn -> bfloat16
float8_e4m3fn int32 -> float8_e4m3fn  float8_e5m2 uint8 -> float8_e5m2  float8_e4m3fn float16 -> float32
float8_e5m2 float32 -> float32     float8_e4m3fn complex64 -> complex64  float8_e5m2 bool -> float8_e5m2
int4 bool -> int4                  int4 int8 -> int8                  int4 uint4 -> int8
int4 uint8 -> int16                int4 int64 -> int64                int4 uint64 -> float64
int4 float16 -> float16            int4 float32 -> float32            int4 complex64 -> complex64
uint4 uint8 -> uint8               uint4 int8 -> int8                 uint4 int32 -> int32
"""
PROMOTED = [tuple(word for word in part.split() if word != "->") for line in PROMOTED.strip().splitlines()
            for part in line.replace("  ", "\n").splitlines() if part.strip()]
SCALARS = [("bfloat16", 2.0, "bfloat16"), ("bfloat16", 2, "bfloat16"), ("bfloat16", True, "bfloat16"),
           ("bfloat16", 2j, "complex64"), ("float8_e4m3fn", 2.0, "float8_e4m3fn"), ("float8_e5m2", 3, "float8_e5m2"),
           ("int4", 3, "int4"), ("uint4", True, "uint4"), ("int4", 0.5, "float64"), ("int4", 1j, "complex128")]


@pytest.mark.parametrize("a,b,expected", PROMOTED)
def test_narrow_types_promote_by_the_table(a, b, expected):
    a, b = getattr(cnp, a), getattr(cnp, b)
    for one, two in ((a, b), (b, a)):
        assert cnp.result_type(one, two) == cnp.promote_types(one, two) == np.dtype(getattr(cnp, expected))
        assert (cnp.ones(2, one) * cnp.ones(2, two)).dtype == getattr(cnp, expected)
        assert cnp.where(cnp.asarray([True, False]), cnp.ones(2, one), cnp.ones(2, two)).dtype == getattr(cnp, expected)


@pytest.mark.parametrize("name,scalar,expected", SCALARS)
def test_python_numbers_are_weak_beside_narrow_types(name, scalar, expected):
    x = cnp.ones(3, getattr(cnp, name))
    assert cnp.result_type(x, scalar) == (x * scalar).dtype == (scalar * x).dtype == np.dtype(getattr(cnp, expected))
    assert jit(lambda v: v * scalar)(x).dtype == getattr(cnp, expected)


def test_different_floats_of_one_width_have_no_common_type():
    for a, b in itertools.combinations([name for name in FLOATS if "8" in name.split("_")[0]], 2):
        with pytest.raises(DtypeError, match="astype"):
            cnp.ones(2, getattr(cnp, a)) + cnp.ones(2, getattr(cnp, b))


def test_promotion_commutes_and_has_every_dtype_as_its_own_fixed_point():
    every = [np.dtype(n) for n in NUMPYS] + list(NARROW.values())
    for a, b in itertools.product(every, repeat=2):
        try:
            out = cnp.result_type(a, b)
        except DtypeError:
            with pytest.raises(DtypeError):
                cnp.result_type(b, a)
            continue
        assert out == cnp.result_type(b, a)
        assert cnp.result_type(a, a) == a and cnp.result_type(out, out) == out


# ---- limits and kinds ----

@pytest.mark.parametrize("name", ["float16", "float32", "float64", "complex64", "complex128", *FLOATS])
def test_finfo_has_the_limits_as_python_numbers(name):
    info = cnp.finfo(getattr(cnp, name))
    known = np.finfo(name) if name in NUMPYS else ml_dtypes.finfo(getattr(ml_dtypes, name))
    for field in "eps max min smallest_normal tiny".split():
        value = getattr(info, field)
        assert type(value) is float and value == float(getattr(known, field))
    assert info.bits == known.bits and info.dtype == known.dtype
    assert cnp.finfo(cnp.ones(2, getattr(cnp, name))).max == info.max and f"bits={info.bits}" in repr(info)


@pytest.mark.parametrize("name", ["int8", "int64", "uint8", "uint64", "int4", "uint4"])
def test_iinfo_has_the_limits(name):
    info = cnp.iinfo(getattr(cnp, name))
    bits, signed = int(name.lstrip("uint")), name[0] == "i"
    assert (info.bits, info.max, info.min) == (bits, 2 ** (bits - signed) - 1, -2 ** (bits - 1) if signed else 0)
    assert type(info.max) is int and info.dtype == getattr(cnp, name) and "max=" in repr(info)
    with pytest.raises(DtypeError, match="iinfo"):
        cnp.finfo(getattr(cnp, name))
    with pytest.raises(DtypeError, match="finfo"):
        cnp.iinfo(cnp.float32)


def test_isdtype_knows_the_kinds_of_the_standard():
    kinds = {"bool": "bool", "signed integer": "int8 int16 int32 int64 int4",
             "complex floating": "complex64 complex128",
             "unsigned integer": "uint8 uint16 uint32 uint64 uint4",
             "real floating": f"float16 float32 float64 {' '.join(FLOATS)}"}
    kinds["integral"] = f"{kinds['signed integer']} {kinds['unsigned integer']}"
    kinds["numeric"] = f"{kinds['integral']} {kinds['real floating']} {kinds['complex floating']}"
    for name in [*NUMPYS, *NARROW]:
        d = np.dtype(getattr(cnp, name))
        for kind, members in kinds.items():
            assert cnp.isdtype(d, kind) == (name in members.split()), (name, kind)
        assert cnp.isdtype(d, d) and cnp.isdtype(d, ("bool", d)) and not cnp.isdtype(d, ())
    with pytest.raises(DtypeError, match="real floating"):
        cnp.isdtype(np.dtype("int8"), "integer")


def test_issubdtype_is_numpys_and_places_the_narrow_types():
    tree = "generic number inexact floating complexfloating integer signedinteger unsignedinteger".split()
    for name, above in itertools.product(NUMPYS, tree):
        assert cnp.issubdtype(np.dtype(name), getattr(cnp, above)) == np.issubdtype(np.dtype(name), getattr(np, above))
    for one, two in itertools.product(tree, repeat=2):
        assert cnp.issubdtype(getattr(cnp, one), getattr(cnp, two)) == np.issubdtype(getattr(np, one), getattr(np, two))
    for name, parent in (("bfloat16", "floating"), ("float8_e5m2", "floating"), ("int4", "signedinteger"),
                         ("uint4", "unsignedinteger")):
        d = getattr(cnp, name)
        assert [above for above in tree if cnp.issubdtype(d, getattr(cnp, above))] == [
            above for above in tree if np.issubdtype(getattr(np, parent), getattr(np, above))]
        assert cnp.issubdtype(d, d) and not cnp.issubdtype(d, np.float32)
    assert cnp.issubdtype("float32", float) is False and cnp.issubdtype(np.int64, int)


def test_the_aliases_of_dtypes_are_there():
    assert cnp.longlong is cnp.long is cnp.int_ is cnp.int64 and cnp.ulonglong is cnp.ulong is cnp.uint is cnp.uint64


def test_can_cast_is_numpys():
    for a, b in itertools.product(NUMPYS, repeat=2):
        assert cnp.can_cast(np.dtype(a), b) == np.can_cast(a, b)
        assert cnp.can_cast(cnp.ones(1, a), np.dtype(b)) == np.can_cast(a, b)
    assert cnp.can_cast(cnp.bfloat16, cnp.float32) and not cnp.can_cast(cnp.float32, cnp.bfloat16)
    assert cnp.can_cast(cnp.float64, cnp.int8, casting="unsafe")
    with pytest.raises(DtypeError, match="dtype"):
        cnp.can_cast(1.0, cnp.float32)


def test_result_type_takes_arrays_dtypes_names_and_numbers():
    assert cnp.result_type(cnp.ones(1, "int8"), np.uint8, 3) == np.int16
    assert cnp.result_type("float32", cnp.ones(1), 2j) == np.complex128
    assert cnp.result_type(np.float32(1), 1.0) == np.float32 and cnp.result_type(np.ones(1, "f4"), float) == np.float64
    with pytest.raises(DtypeError):
        cnp.result_type()


def test_astype_converts_as_numpy_does_and_refuses_to_drop_an_imaginary_part():
    values = np.array([0.0, 1.0, 2.75, 100.0])
    for a, b in itertools.product(NUMPYS, repeat=2):
        x = values.astype(a)
        if np.dtype(a).kind == "c" and np.dtype(b).kind not in "cb":
            with pytest.raises(DtypeError, match="np.real"):
                cnp.astype(cnp.asarray(x), np.dtype(b))
            continue
        expected = x.astype(b)
        for found in (cnp.astype(cnp.asarray(x), np.dtype(b)), cnp.asarray(x).astype(b, copy=False),
                      cnp.astype(cnp.asarray(x), b, device=cnp.asarray(x).device)):
            assert found.dtype == expected.dtype and found.tolist() == expected.tolist()


# ---- work in narrow types ----

X, Y = np.array([0.5, 1.0, 2.0, 0.25]), np.array([1.0, 0.5, 0.25, 2.0])
OPERATIONS = {
    "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y, "div": lambda x, y: x / y,
    "compare": lambda x, y: (x < y) | (x == y), "maximum": cnp.maximum, "exp": lambda x, y: cnp.exp(x),
    "log": lambda x, y: cnp.log(y), "tanh": lambda x, y: cnp.tanh(x), "sqrt": lambda x, y: cnp.sqrt(x),
    "sum": lambda x, y: cnp.sum(x), "mean": lambda x, y: cnp.mean(x), "max": lambda x, y: cnp.max(x),
    "argmax": lambda x, y: cnp.argmax(x), "sort": lambda x, y: cnp.sort(x), "argsort": lambda x, y: cnp.argsort(x),
    "where": lambda x, y: cnp.where(x < y, x, y), "matmul": lambda x, y: cnp.matmul(x[None], y[:, None]),
    "concat": lambda x, y: cnp.concat([x, y]), "take": lambda x, y: x[cnp.asarray([0, 2])],
    "set": lambda x, y: x.at[1].set(y[0]), "add at": lambda x, y: x.at[cnp.asarray([1, 1])].add(y[0]),
    "pad": lambda x, y: cnp.pad(x, 1), "cumsum": lambda x, y: cnp.cumsum(x), "flip": lambda x, y: cnp.flip(x),
    "isnan": lambda x, y: cnp.isnan(x), "abs": lambda x, y: abs(-x), "power": lambda x, y: x ** 2,
    "full": lambda x, y: x + cnp.full(4, 0.5, x.dtype), "float32": lambda x, y: x.astype(np.float32),
    "back": lambda x, y: (x.astype(np.float64) * 2).astype(x.dtype),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_operations_in_narrow_floats_are_those_of_float32_rounded_also_compiled(name, dtype):
    """Within one unit in the last place of the type, eps."""
    d = getattr(cnp, dtype)
    f = OPERATIONS[name]
    wide = np.asarray(f(cnp.asarray(X, np.float32), cnp.asarray(Y, np.float32)))
    x, y = cnp.asarray(X).astype(d), cnp.asarray(Y).astype(d)
    plain, compiled = f(x, y), jit(lambda x, y: f(x, y))(x, y)
    assert plain.dtype == compiled.dtype == (d if wide.dtype == np.float32 and name != "float32" else wide.dtype)
    for found in (plain, compiled):
        close(np.asarray(found).astype(np.float64), wide.astype(np.float64), cnp.finfo(d).eps)


@pytest.mark.parametrize("dtype", COMPUTING)
def test_every_narrow_float_goes_in_and_out_of_compiled_code(dtype):
    d = getattr(cnp, dtype)
    x = cnp.asarray(X).astype(d)
    assert isinstance(x, Array) and x.dtype == d and x.tolist() == X.tolist() and x.itemsize == np.dtype(d).itemsize
    out = jit(lambda v: (v, v + v, v.astype(np.float32), cnp.asarray(0.5, d) * v))(x)
    assert [o.dtype for o in out] == [d, d, np.float32, d]
    assert [o.tolist() for o in out] == [X.tolist(), (X + X).tolist(), X.tolist(), (X / 2).tolist()]
    assert vmap(lambda v: v * 2)(x).tolist() == (X * 2).tolist()


@pytest.mark.parametrize("dtype", ["float8_e8m0fnu", "float4_e2m1fn", "int4", "uint4"])
def test_the_types_for_storage_convert_in_compiled_code(dtype):
    d, values = getattr(cnp, dtype), [1, 2, 4, 1]
    x = cnp.asarray(values).astype(d)
    assert x.dtype == d and np.asarray(x).astype(int).tolist() == values
    widened, same, narrowed = jit(lambda v, w: (v.astype(np.float32), v, w.astype(d)))(x, np.float32(values))
    assert widened.tolist() == same.tolist() == narrowed.tolist() == values and same.dtype == narrowed.dtype == d


@pytest.mark.slow
def test_sums_and_means_of_narrow_floats_are_rounded_once():
    for d in (cnp.bfloat16, cnp.float16):
        x = cnp.ones(4096, d)
        for f in (cnp.sum, cnp.mean, cnp.var, lambda v: v @ v):
            assert float(f(x)) == float(jit(f)(x)) == float(f(cnp.ones(4096))) and f(x).dtype == d
    assert float(cnp.mean(cnp.ones(1000, cnp.float8_e4m3fn))) == 1.0     # the sum is past its largest number


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float16"])
def test_derivatives_go_through_narrow_types(dtype):
    d = getattr(cnp, dtype)
    x = np.float32([0.5, 1.0, 2.0])

    def f(v):
        return cnp.sum((v.astype(d) * 2).astype(np.float32) * v)
    for g in (grad(f), jit(grad(f))):
        assert g(x).dtype == np.float32 and g(x).tolist() == (4 * x).tolist()
    square = grad(lambda v: cnp.sum(v * v))(x.astype(d))
    assert square.dtype == d and square.tolist() == (2 * x).tolist()


# ---- 32-bit mode ----

def test_in_32_bit_mode_what_is_made_of_python_numbers_and_integers_has_32_bits():
    with config(default_float="float32"):
        i, f, c = cnp.arange(3), cnp.ones(3), cnp.ones(3) * 1j
        made = {"float32": [f, cnp.zeros(2), cnp.asarray(0.5), cnp.asarray([1, 0.5]), i / 2, i * 1.5, cnp.sin(i), i * f,
                            cnp.mean(i), cnp.linspace(0, 1, 3), cnp.eye(2), cnp.arange(0.5, 2), cnp.full(2, 0.5),
                            cnp.asarray(np.ones(2)), i.astype(float), cnp.zeros(2, float), cnp.std(i),
                            cnp.asarray(np.uint64([1])) + i],
                "complex64": [c, cnp.asarray(1j), i * 1j, cnp.zeros(2, complex), f + 1j, cnp.asarray([1j, 2])],
                "int64": [i, cnp.asarray(3), cnp.asarray([1]), cnp.sum(i), cnp.argmax(f), i.astype(int)],
                "bool": [f > 0, cnp.asarray(True)], "bfloat16": [cnp.ones(2, cnp.bfloat16) * i[:2] * 0.5]}
        for name, arrays in made.items():
            assert {a.dtype.name for a in arrays} == {name}
        assert cnp.zeros(2, np.float64).dtype == np.float64 and (cnp.zeros(3, np.float64) * f).dtype == np.float64
        info = cnp.__array_namespace_info__().default_dtypes()
        assert [info[k].name for k in ("real floating", "complex floating", "integral", "indexing")] == [
            "float32", "complex64", "int64", "int64"]
        compiled = jit(lambda a, b: (a * 0.5 + b, a / 2, b * 1j))(i, f)
        assert [v.dtype.name for v in compiled] == ["float32", "float32", "complex64"]
